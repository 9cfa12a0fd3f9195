# SPDX-License-Identifier: GPL-2.0-or-later
#
# figure-b1.gp - what 2^20 frees cost an area map, and bitmaps
#
#     gnuplot -c plots/figure-b1.gp OUTPUT RESULT

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/figure-b1.tsv"
width = 1080; height = 460
eval open_output

set logscale x 4
set xlabel "size of the objects [bytes]"
set xrange [3:1400]
set xtics (4, 16, 64, 256, 1024)
set logscale y

set multiplot layout 1, 2
set title "Area map: bytes moved by 2^{20} frees"
set ylabel "GB"
set yrange [0.002:1000]
set key top right
plot table using "object_bytes":"law_gb" with lines linecolor rgb "#bbbbbb" linewidth 6 title "2 n² a chunk", \
	table using "object_bytes":"map_in_order_gb" with linespoints \
		linecolor rgb color("percpu_map") linewidth 2 pointtype 12 title "in order", \
	table using "object_bytes":"map_alternating_gb" with linespoints \
		linecolor rgb color("percpu_map") linewidth 2 dashtype 2 pointtype 6 title "alternating", \
	table using "object_bytes":"map_in_reverse_gb" with linespoints \
		linecolor rgb color("percpu_map") linewidth 2 dashtype 3 pointtype 4 title "in reverse"

set title "Bitmaps: cache lines a free reads and writes"
set ylabel "lines"
set yrange [1:100]
plot table using "object_bytes":"bitmap_in_order_lines" with linespoints \
		linecolor rgb color("percpu_bitmap") linewidth 2 pointtype 12 title "in order", \
	table using "object_bytes":"bitmap_alternating_lines" with linespoints \
		linecolor rgb color("percpu_bitmap") linewidth 2 dashtype 2 pointtype 6 title "alternating", \
	table using "object_bytes":"bitmap_in_reverse_lines" with linespoints \
		linecolor rgb color("percpu_bitmap") linewidth 2 dashtype 3 pointtype 4 title "in reverse", \
	table using "object_bytes":"bitmap_4_14_lines" with points \
		linecolor rgb "#000000" pointtype 1 title "4.14, in order"
unset multiplot
