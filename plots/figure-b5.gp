# SPDX-License-Identifier: GPL-2.0-or-later
#
# figure-b5.gp - pages still held after ten of eleven groups are gone
#
#     gnuplot -c plots/figure-b5.gp OUTPUT RESULT

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/figure-b5.tsv"
width = 800; height = 460
eval open_output

set logscale x 2
set xlabel "CPUs that share a group's 43 KiB"
set xrange [3.5:72]
set xtics (4, 8, 12, 16, 20, 24, 32, 64)
set ylabel "pages held, of those before"
set yrange [0:1.1]
set title "11,000 groups, ten of eleven go"
set key at graph 0.98, graph 0.86 right
set arrow 1 from graph 0, first 0.2816 to graph 1, first 0.2816 nohead dashtype 3 linecolor rgb "#666666"
set label 1 "0.28, as published" at graph 0.02, first 0.315 textcolor rgb "#444444"
plot table using "cpus":"kept_ratio" with linespoints \
		linecolor rgb "#000000" linewidth 2 pointtype 4 title "pages are kept", \
	table using "cpus":"depopulated_ratio" with linespoints \
		linecolor rgb color("percpu_bitmap") linewidth 2 pointtype 14 title "empty pages are given back", \
	table using "cpus":"least_ratio" with lines \
		linecolor rgb "#888888" dashtype 2 title "the groups that stay"
