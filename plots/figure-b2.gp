# SPDX-License-Identifier: GPL-2.0-or-later
#
# figure-b2.gp - entries that an alloc moves beside a half that stays full
#
#     gnuplot -c plots/figure-b2.gp OUTPUT RESULT

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/figure-b2.tsv"
width = 720; height = 460
eval open_output

set logscale x 4
set xlabel "size of the objects [bytes]"
set xrange [3:1400]
set xtics (4, 16, 64, 256, 1024)
set logscale y
set yrange [10:100000]
set ylabel "of an alloc: entries moved, lines touched"
set title "Allocating beside a half that stays full"
set key top right
plot table using "object_bytes":"half_chunk_objects" with lines linecolor rgb "#bbbbbb" linewidth 6 title "n / 2", \
	table using "object_bytes":"map_moved_entries" with linespoints \
		linecolor rgb color("percpu_map") linewidth 2 pointtype 12 title "area map: entries", \
	table using "object_bytes":"bitmap_lines" with linespoints \
		linecolor rgb color("percpu_bitmap") linewidth 2 dashtype 2 pointtype 14 title "bitmaps: lines"
