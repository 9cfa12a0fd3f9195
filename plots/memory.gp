# SPDX-License-Identifier: GPL-2.0-or-later
#
# memory.gp - what stands where in physical memory, over time?
#
#     gnuplot -c plots/memory.gp OUTPUT RESULT
#
# One panel an allocator. Each stripe of memory has the look of what is most of
# it: movable blocks plain, the others hatched, the darker the fuller. A
# dotted line marks stripes in which some page carries the allocator's state.

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/memory.tsv"
eval look_at
eval panels
width = width + 60
eval open_output

looks  = "free movable1 movable2 movable3 unmovable1 unmovable2 unmovable3 fixed"
shades = "#F4F4F4 #BBD9EE #5DA5D6 #0B4F82 #F7C99B #E58A2E #A33E00 #BBBBBB"
texts  = "'free' 'movable, to 10 %' 'movable, to 50 %' 'movable, above' 'unmovable, to 10 %' 'unmovable, to 50 %' 'unmovable, above' 'never free'"
# pattern 3: plain; 1, 2: crossed; 4, 5: hatched
hatch  = "3 3 3 3 4 5 2 1"

from(x) = column("from_ns") * seconds
to(x) = column("to_ns") * seconds
bottom(x) = column("first_pfn") * page / gib
top(x) = (column("first_pfn") + column("span_pages")) * page / gib
looks_so(k, n) = ours(k) && strcol("look") eq word(looks, n) ? from(0) : NaN
kept(k) = ours(k) && column("metadata_pages") > 0 ? from(0) : NaN

stats table using (to(0)) nooutput
set xrange [0:STATS_max > 0 ? STATS_max : 1]
stats table using (top(0)) nooutput
set yrange [0:STATS_max]

set multiplot layout rows, columns title "Physical memory" \
	margins char 10, char 26, char 3.5, char 4.5 spacing char 7, char 5.5
set xlabel "simulated time [s]"
unset grid
do for [k = 1:nr] {
	set title word(allocators, k) noenhanced offset 0, -0.5
	set ylabel ((k - 1) % columns ? "" : "address [GiB]")
	if (k == 1) {
		set key at screen 0.995, screen (1 - 70.0 / height) right top vertical reverse Left samplen 2
	} else {
		unset key
	}
	plot for [n = 1:words(looks)] table \
			using (looks_so(k, n)):(bottom(0)):(from(0)):(to(0)):(bottom(0)):(top(0)) \
			with boxxyerror fillstyle pattern int(word(hatch, n)) border rgb word(shades, n) linewidth 0.4 \
			linecolor rgb word(shades, n) title word(texts, n), \
		table using (kept(k)):((bottom(0) + top(0)) / 2):(to(0) - from(0)):(0) \
			with vectors nohead linecolor rgb "#000000" linewidth 1 dashtype 3 \
			title "carries metadata"
}
unset multiplot
