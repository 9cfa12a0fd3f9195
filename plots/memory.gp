# SPDX-License-Identifier: GPL-2.0-or-later
#
# memory.gp - what stands where in physical memory, over time?
#
#     gnuplot -c plots/memory.gp OUTPUT RESULT
#
# One panel an allocator. Each stripe of memory has the look of what is most of
# it: movable blocks plain, the others lined, the stronger the fuller. Dots mark
# stripes in which some page carries the allocator's state, half black and half
# white to be seen on any look. Lines are strokes and no pattern, which printers
# would make pixels of. On the terminal each look is a letter.

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/memory.tsv"
eval look_at
eval panels
width = width + 60; height = int(1.25 * height)	# a stripe needs two pixels
eval open_output

looks  = "free movable1 movable2 movable3 unmovable1 unmovable2 unmovable3 fixed"
shades = "#F4F4F4 #BBD9EE #5DA5D6 #0B4F82 #FCE3C8 #F2AE66 #D97B29 #DDDDDD #5DA5D6"
texts  = "'free' 'movable, to 10 %' 'movable, to 50 %' 'movable, above' 'unmovable, to 10 %' 'unmovable, to 50 %' 'unmovable, above' 'never free' 'carries metadata'"
plain  = 4			# the first of them are; the others have lines
marks  = ". - = # u v w x *"	# on the terminal; the last is metadata
ink    = "- - - - #B85C00 #8A3B00 #4A1C00 #888888"
stroke = "- - - - 6 10 40 3"	# of them; gaps are of 6
halves = "#000000 #FFFFFF"	# of a dot
set dashtype 1 (2, 14)

# Boxes with soft edges leave seams, unless they reach into each other a little.
seam = ending eq ".png" ? 0.3 : 0

from(x) = column("from_ns") * seconds
to(x) = column("to_ns") * seconds
bottom(x) = column("first_pfn") * page / unit
top(over) = (column("first_pfn") + (1 + over) * column("span_pages")) * page / unit
looks_so(k, n) = ours(k) && strcol("look") eq word(looks, n) ? from(0) : NaN
kept(k) = ours(k) && column("metadata_pages") > 0 ? from(0) : NaN
second(half) = (half - 1) * dot		# of its halves begins so much later

stats table using (to(0)) nooutput
span = STATS_max > 0 ? STATS_max : 1
set xrange [0:span]
dot = span / (width / columns - 120) * 2	# two pixels of time
unit = 1
stats table using (top(0)) nooutput
unit = STATS_max < gib ? mib : gib
set yrange [0:STATS_max / unit]

# A stretch of time as that many letters.
again(letter, n) = n < 1 ? "" : letter.again(letter, n - 1)
stretch(letter) = again(letter, int((to(0) - from(0)) / span * ((letters_wide - 29.0) / columns - 7) + 0.5))

quantity = "address [".unit_name(unit)."]"
set multiplot layout rows, columns title titled("Physical memory", quantity) \
	margins char 10, char 26, char 3.5, char 4.5 spacing char 7, char 4
unset grid
unset key

# A key of our own: gnuplot's would have to fit into one panel's height.
left = 1 - 190.0 / width
below_top(pixels) = 1 - pixels / (1.0 * height)
do for [n = 1:words(marks)] {
	middle = letters ? 1 - (3.5 + n) / (16 + height / 24) : below_top(69 + 20 * n)
	meaning = (letters ? word(marks, n)."  " : "").word(texts, n)
	set label n meaning at screen (letters ? 0.72 : left + 27.0 / width), middle
	if (!letters) {
		set object n rectangle \
			from screen left, below_top(76 + 20 * n) \
			to screen left + 20.0 / width, below_top(62 + 20 * n) \
			fillcolor rgb word(shades, n) fillstyle solid noborder
	}
	if (!letters && n > plain && n <= words(looks)) {
		do for [line = 0:2] {
			set arrow (10 * n + line) from screen left, below_top(65 + 4 * line + 20 * n) \
				rto screen 20.0 / width, 0 nohead front \
				linecolor rgb word(ink, n) dashtype (int(word(stroke, n)), 6)
		}
	}
}
do for [half = 1:letters ? 0 : 2] {
	set arrow (200 + half) from screen left + 2.0 * half / width, middle \
		rto screen (20.0 - 2 * half) / width, 0 \
		nohead front linecolor rgb word(halves, half) linewidth 2 dashtype 1
}

do for [k = 1:nr] {
	eval label_panel
	if (letters) {
		plot for [n = 1:words(looks)] table \
				using (looks_so(k, n)):((bottom(0) + top(0)) / 2):(stretch(word(marks, n))) \
				with labels left, \
			table using (kept(k)):((bottom(0) + top(0)) / 2):("*") with labels left
	} else {
		plot for [n = 1:words(looks)] table \
				using (looks_so(k, n)):(bottom(0)):(from(0)):(to(0)):(bottom(0)):(top(seam)) \
				with boxxyerror fillstyle solid noborder linecolor rgb word(shades, n), \
			for [n = plain + 1:words(looks)] table \
				using (looks_so(k, n)):((bottom(0) + top(0)) / 2):(to(0) - from(0)):(0) \
				with vectors nohead linecolor rgb word(ink, n) linewidth 1 \
				dashtype (int(word(stroke, n)), 6), \
			for [half = 1:2] table \
				using (kept(k) + second(half)):((bottom(0) + top(0)) / 2):(to(0) - from(0) - second(half)):(0) \
				with vectors nohead linecolor rgb word(halves, half) linewidth 2 dashtype 1
	}
	unset label		# drawn once, with the first panel
	unset object
	unset arrow
}
unset multiplot
