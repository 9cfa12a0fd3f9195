# SPDX-License-Identifier: GPL-2.0-or-later
#
# stacked.gp - panels of free memory by order, for buddyinfo.gp and fragments.gp
#
# One panel an allocator, all on the same scale: the larger blocks at the
# bottom, the small ones on top of them. `top_order` is the largest order shown.

table = result."/samples.tsv"
eval look_at
eval panels
eval open_output

# Light for small blocks, dark for large ones (viridis): which is which can be
# read from lightness alone.
shades = "#FDE725 #BDDF26 #7AD151 #44BF70 #22A884 #21918C #2A788E #355F8D #414487 #482475 #440154"

order_pages(o) = column(sprintf("free_order%d_blocks", o)) * 2 ** o
stacked(o) = sum [j = o:top_order] order_pages(j)

eval time_range
stats table using (shown(0) ? stacked(0) * page : NaN) nooutput
unit = unit_of(STATS_max)
quantity = "free memory [".unit_name(unit)."]"
set yrange [0:STATS_max > 0 ? STATS_max / unit * 1.05 : 1]

set multiplot layout rows, columns title titled(heading, quantity) \
	margins char 10, char 18, char 3.5, char 4.5 spacing char 7, char 4
if (!letters) { set grid front }
set style fill solid border rgb "#ffffff"
unset key

# The upper edge of each order: an area, or on the terminal the order's letter.
edge = letters ? "with points pointtype (o + 1)" : \
	"with filledcurves x1 linecolor rgb word(shades, o + 1)"

# A key of our own: gnuplot's would have to fit into one panel's height.
left = 1 - 105.0 / width
below_top(pixels) = 1 - pixels / (1.0 * height)
set label 100 "blocks of" at screen left, below_top(64)
do for [o = 0:top_order] {
	set object (o + 1) rectangle \
		from screen left, below_top(98 + 20 * o) \
		to screen left + 20.0 / width, below_top(84 + 20 * o) \
		fillcolor rgb word(shades, o + 1) fillstyle solid noborder
	set label (o + 1) (letters ? sprintf("%c  ", 65 + o) : "").sprintf("order %d", o) \
		at screen left + 27.0 / width, below_top(91 + 20 * o)
}
do for [k = 1:nr] {
	eval label_panel
	eval "plot for [o = 0:top_order] table using (when(k)):(ours(k) ? stacked(o) * page / unit : NaN) ".edge
	unset label		# drawn once, with the first panel
	unset object
}
unset multiplot
