# SPDX-License-Identifier: GPL-2.0-or-later
#
# figure-b9.gp - requests refused though some free run would hold them
#
#     gnuplot -c plots/figure-b9.gp OUTPUT RESULT

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/figure-b9.tsv"
width = 1080; height = 460
eval open_output

set xlabel "calls that ask instead of giving back [%]"
set xrange [49.5:60.5]
set ylabel "refused, of those that would fit [%]"
set logscale y
set yrange [0.05:50]
set key bottom right

set multiplot layout 1, 2
do for [align in "1 16"] {
	set title align eq "1" ? "1 to 8 grains, no alignment" : "1 to 8 grains, alignments up to 16"
	was = align eq "1" ? 6.0 : 9.8
	fixed = align eq "1" ? 0.26 : 3.3
	set arrow 1 from graph 0, first was to graph 1, first was nohead dashtype 3 linecolor rgb "#666666"
	set arrow 2 from graph 0, first fixed to graph 1, first fixed nohead dashtype 3 linecolor rgb "#666666"
	set label 1 sprintf("%g, published as it was", was) at graph 0.02, first was * 1.25 textcolor rgb "#444444"
	set label 2 sprintf("%g, put right", fixed) at graph 0.6, first fixed / 1.3 textcolor rgb "#444444"
	from = align eq "1" ? 0 : 21
	plot table every ::from::(from + 6) using "asks_percent":"v5_2_percent" with linespoints \
			linecolor rgb "#D55E00" linewidth 2 pointtype 7 title "5.2 as it was", \
		table every ::from::(from + 6) using "asks_percent":"fixed_percent" with linespoints \
			linecolor rgb color("percpu_bitmap") linewidth 3 pointtype 14 title "put right", \
		table every ::from::(from + 6) using "asks_percent":"v4_14_percent" with linespoints \
			linecolor rgb "#000000" linewidth 1 dashtype 2 pointtype 4 title "4.14"
}
unset multiplot
