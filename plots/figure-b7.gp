# SPDX-License-Identifier: GPL-2.0-or-later
#
# figure-b7.gp - where runs end: interleaved bits, separate bits, or a tree?
#
#     gnuplot -c plots/figure-b7.gp OUTPUT RESULT
#
# Left: words of the maps that a claim writes; right: all metadata of a full
# range. Both against the length of the runs.

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/figure-b7.tsv"
width = 1080; height = 460
eval open_output

set logscale x 2
set xlabel "length of the runs [units]"
set xrange [1:512]
set key top left

set multiplot layout 1, 2
set title "Words written by a claim"
set ylabel "words"
set yrange [0:18]
set arrow 1 from 65, graph 0 to 65, graph 1 nohead dashtype 3 linecolor rgb "#666666"
set label 1 "65, as published" at 65, 12 offset 0.6, 0 textcolor rgb "#444444"
plot table using "run_units":"interleaved_written_words" with linespoints \
		linecolor rgb color("genalloc_twobit") linewidth 2 pointtype 10 title "interleaved", \
	table using "run_units":"split_written_words" with linespoints \
		linecolor rgb color("genalloc_split") linewidth 2 dashtype 2 pointtype 8 title "separate"

set title "Metadata of a full range"
set ylabel "bits a unit"
set logscale y 2
set yrange [1:512]
set key top right
set arrow 1 from 320, graph 0 to 320, graph 1 nohead dashtype 3 linecolor rgb "#666666"
set label 1 "320, as published" at 320, 24 right offset -0.6, 0 textcolor rgb "#444444"
plot table using "run_units":"interleaved_bits" with linespoints \
		linecolor rgb color("genalloc_twobit") linewidth 4 pointtype 10 title "interleaved", \
	table using "run_units":"split_bits" with linespoints \
		linecolor rgb color("genalloc_split") linewidth 2 dashtype 2 pointtype 8 title "separate", \
	table using "run_units":"tree_bits" with linespoints \
		linecolor rgb color("genalloc") linewidth 2 dashtype 4 pointtype 6 title "a map and a tree"
unset multiplot
