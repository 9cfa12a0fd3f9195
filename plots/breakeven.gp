# SPDX-License-Identifier: GPL-2.0-or-later
#
# breakeven.gp - from which folio size on does a small descriptor pay?
#
#     gnuplot -c plots/breakeven.gp OUTPUT RESULT
#
# RESULT/breakeven.tsv. Curves are the formula, points the simulation.

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/breakeven.tsv"
eval look_at
nr = words(allocators)

width = 960; height = 480 + 16 * nr
eval open_output

quantity = "metadata [bytes a page]"
set title titled("Metadata by mean folio size, all of memory in folios", quantity)
set xlabel "mean folio size [pages]"
set ylabel quantity
set logscale x 2
set xrange [1:512]
set yrange [0:*]
set key outside right top

mine(k) = strcol("allocator") eq word(allocators, k) ? column("mean_pages") : NaN
plot for [k = 1:nr] table using (mine(k)):(column("formula_bytes")) with lines \
		linecolor rgb color(word(allocators, k)) linewidth line_width(k) \
		dashtype dash(k) notitle, \
	for [k = 1:nr] table using (mine(k)):(column("full_bytes")) with points \
		linecolor rgb color(word(allocators, k)) pointtype point(k) \
		pointsize 1 notitle, \
	for [k = 1:nr] keyentry with linespoints \
		linecolor rgb color(word(allocators, k)) linewidth line_width(k) \
		dashtype dash(k) pointtype point(k) title word(allocators, k)
