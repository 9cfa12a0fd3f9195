# SPDX-License-Identifier: GPL-2.0-or-later
#
# memory.gp - what stands where in physical memory, over time?
#
#     gnuplot -c plots/memory.gp OUTPUT RESULT
#
# One panel an allocator. Each stripe of memory has the look of what is most of
# it: movable blocks plain, the others lined, the darker the fuller. Black dots
# mark stripes in which some page carries the allocator's state. Lines are
# strokes and no pattern, which printers would make pixels of.

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/memory.tsv"
eval look_at
eval panels
width = width + 60
eval open_output

looks  = "free movable1 movable2 movable3 unmovable1 unmovable2 unmovable3 fixed"
shades = "#F4F4F4 #BBD9EE #5DA5D6 #0B4F82 #FCE3C8 #F2AE66 #D97B29 #DDDDDD"
texts  = "'free' 'movable, to 10 %' 'movable, to 50 %' 'movable, above' 'unmovable, to 10 %' 'unmovable, to 50 %' 'unmovable, above' 'never free'"
plain  = 4			# the first of them are; the others have lines
ink    = "- - - - #B85C00 #8A3B00 #4A1C00 #888888"
stroke = "- - - - 6 10 40 3"	# of them; gaps are of 6

# Boxes with soft edges leave seams, unless they reach into each other a little.
seam = ending eq ".png" ? 0.3 : 0

from(x) = column("from_ns") * seconds
to(x) = column("to_ns") * seconds
bottom(x) = column("first_pfn") * page / gib
top(over) = (column("first_pfn") + (1 + over) * column("span_pages")) * page / gib
looks_so(k, n) = ours(k) && strcol("look") eq word(looks, n) ? from(0) : NaN
kept(k) = ours(k) && column("metadata_pages") > 0 ? from(0) : NaN

stats table using (to(0)) nooutput
set xrange [0:STATS_max > 0 ? STATS_max : 1]
stats table using (top(0)) nooutput
set yrange [0:STATS_max]

set multiplot layout rows, columns title "Physical memory" \
	margins char 10, char 26, char 3.5, char 4.5 spacing char 7, char 4
quantity = "address [GiB]"
unset grid
unset key

# A key of our own: gnuplot's would have to fit into one panel's height.
left = 1 - 190.0 / width
below_top(pixels) = 1 - pixels / (1.0 * height)
do for [n = 1:words(looks)] {
	set object n rectangle \
		from screen left, below_top(76 + 20 * n) \
		to screen left + 20.0 / width, below_top(62 + 20 * n) \
		fillcolor rgb word(shades, n) fillstyle solid noborder
	if (n > plain) {
		do for [line = 0:2] {
			set arrow (10 * n + line) from screen left, below_top(65 + 4 * line + 20 * n) \
				rto screen 20.0 / width, 0 nohead front \
				linecolor rgb word(ink, n) dashtype (int(word(stroke, n)), 6)
		}
	}
	set label n word(texts, n) at screen left + 27.0 / width, below_top(69 + 20 * n)
}
n = words(looks) + 1
set arrow n from screen left, below_top(69 + 20 * n) rto screen 20.0 / width, 0 \
	nohead linecolor rgb "#000000" dashtype (2, 14)
set label n "carries metadata" at screen left + 27.0 / width, below_top(69 + 20 * n)

do for [k = 1:nr] {
	eval label_panel
	plot for [n = 1:words(looks)] table \
			using (looks_so(k, n)):(bottom(0)):(from(0)):(to(0)):(bottom(0)):(top(seam)) \
			with boxxyerror fillstyle solid noborder linecolor rgb word(shades, n), \
		for [n = plain + 1:words(looks)] table \
			using (looks_so(k, n)):((bottom(0) + top(0)) / 2):(to(0) - from(0)):(0) \
			with vectors nohead linecolor rgb word(ink, n) linewidth 1 \
			dashtype (int(word(stroke, n)), 6), \
		table using (kept(k)):((bottom(0) + top(0)) / 2):(to(0) - from(0)):(0) \
			with vectors nohead linecolor rgb "#000000" linewidth 1 dashtype (2, 14)
	unset label		# drawn once, with the first panel
	unset object
	unset arrow
}
unset multiplot
