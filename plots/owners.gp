# SPDX-License-Identifier: GPL-2.0-or-later
#
# owners.gp - who owns the pages, and what do owners keep beside small descriptors?
#
#     gnuplot -c plots/owners.gp OUTPUT RESULT
#
# Bars of the first allocator's classes. Where the descriptor holds the owner's
# state nothing of this is paid on top.

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/classes.tsv"
eval look_at

classes = ""
remember(class) = (classes = classes." ".class, 0)
stats table using (ours(1) ? remember(strcol("class")) : 0) nooutput

stats table using (ours(1) ? column("peak_pages") * page : NaN) nooutput
pages_unit = unit_of(STATS_max)
pages_most = STATS_max / pages_unit
stats table using (ours(1) ? column("peak_bytes") : NaN) nooutput
objects_unit = unit_of(STATS_max)
objects_most = STATS_max / objects_unit

width = 960; height = 460
eval open_output
set multiplot layout 1, 2 title "Owners of pages, by class, each at its peak"
set yrange [words(classes) + 0.6:0.4]
set ytics ()
do for [k = 1:words(classes)] { set ytics add (word(classes, k) k) }
unset grid
if (!letters) { set grid x linetype 1 linecolor rgb "#dddddd" }
set lmargin 11
unset key

row(x) = sum [k = 1:words(classes)] (word(classes, k) eq strcol("class") ? k : 0)
at(x) = ours(1) ? row(0) : NaN

# Of nothing gnuplot finds no range by itself.
range = "\
	span = most > 0 ? most : 1; \
	if (most > 0) { set xrange [0:*] } else { set xrange [0:1] }; \
	few = 4; \
	eval panel_tics"

most = pages_most
eval range
set title "pages in use"
set xlabel "memory [".unit_name(pages_unit)."]"
plot table using (0):(at(0)):(0):(column("peak_pages") * page / pages_unit):(at(0) - 0.35):(at(0) + 0.35) \
	with boxxyerror fillstyle pattern 3 border rgb "#222222" linecolor rgb "#0072B2"
most = objects_most
eval range
set title "owners' objects, in slab pages"
set xlabel "memory [".unit_name(objects_unit)."]"
plot table using (0):(at(0)):(0):(column("peak_bytes") / objects_unit):(at(0) - 0.35):(at(0) + 0.35) \
	with boxxyerror fillstyle pattern 4 border rgb "#222222" linecolor rgb "#D55E00"
unset multiplot
