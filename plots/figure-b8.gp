# SPDX-License-Identifier: GPL-2.0-or-later
#
# figure-b8.gp - what powers of two waste against what a tree takes
#
#     gnuplot -c plots/figure-b8.gp OUTPUT RESULT

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/figure-b8.tsv"
width = 1080; height = 460
eval open_output

set logscale xy 2
set xlabel "objects in flight"
set xrange [1:256]
set ylabel "bytes"
set yrange [512:4194304]
set format y "%.0b %BB"
set key top left

set multiplot layout 1, 2
do for [size in "1500 9000"] {
	set title "Objects of ".size." bytes"
	set arrow 1 from (size eq "1500" ? 45 : 4), graph 0 to (size eq "1500" ? 45 : 4), graph 1 nohead dashtype 3 linecolor rgb "#666666"
	set label 1 (size eq "1500" ? "45, as published" : "4, as published") at (size eq "1500" ? 45 : 4), 1024 offset 0.6, 0 textcolor rgb "#444444"
	from = size eq "1500" ? 0 : 9
	plot table every ::from::(from + 8) using "objects":"waste_power_of_two_bytes" with linespoints \
			linecolor rgb "#000000" linewidth 2 pointtype 4 title "rounded up to a power of two", \
		table every ::from::(from + 8) using (column("objects")):(column("waste_nta_bytes") + column("tree_12_byte_nodes_bytes")) with linespoints \
			linecolor rgb color("nta") linewidth 2 pointtype 3 title "nta and a tree of 12-byte nodes", \
		table every ::from::(from + 8) using (column("objects")):(column("waste_nta_bytes") + column("tree_64_bit_bytes")) with linespoints \
			linecolor rgb color("nta") linewidth 2 dashtype 2 pointtype 1 title "nta and its tree here"
}
unset multiplot
