# SPDX-License-Identifier: GPL-2.0-or-later
#
# figure-b4.gp - how full memory is when a request of random size finds no room
#
#     gnuplot -c plots/figure-b4.gp OUTPUT RESULT

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/figure-b4.tsv"
width = 800; height = 460
eval open_output

set logscale x 2
set xlabel "largest size asked for [bytes]"
set xrange [6000:400]
set xtics (4096, 2048, 1024, 512)
set ylabel "units in use at the first failure [%]"
set yrange [96:100]
set title "Network Tree Allocator: sizes at random, none freed"
set key bottom right
set arrow 1 from graph 0, first 97.5 to graph 1, first 97.5 nohead dashtype 3 linecolor rgb "#666666"
set label 1 "97.5, expected of the full range" at graph 0.02, first 97.35 textcolor rgb "#444444"
plot table every ::0::3 using "max_bytes":"units_used_median_percent" with linespoints \
		linecolor rgb color("nta") linewidth 2 pointtype 3 title "sizes up to the largest: median", \
	table every ::0::3 using "max_bytes":"units_used_min_percent" with linespoints \
		linecolor rgb color("nta") linewidth 1 dashtype 3 pointtype 1 title "least of 15 trials", \
	table every ::4::7 using "max_bytes":"units_used_median_percent" with linespoints \
		linecolor rgb "#0072B2" linewidth 2 dashtype 2 pointtype 6 title "sizes up to half of it: median"
