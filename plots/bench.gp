# SPDX-License-Identifier: GPL-2.0-or-later
#
# bench.gp - nanoseconds per operation: a panel for each pattern, a row for
# each allocator, a mark for each case (memory, occupancy, lock, threads)
#
#     gnuplot -c plots/bench.gp OUTPUT RESULT

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/bench.tsv"
eval look_at
nr = words(allocators)

# A case in words; no spaces, as it is one word of a list.
which(x) = strcol("memory").",_".strcol("occupancy")."_%".(strcol("lock") eq "none" ? "" : ",_".strcol("lock")) \
	.(strcol("threads") eq "1" ? "" : ",_".strcol("threads")."_threads").(strcol("highmem") eq "all" ? ",_high" : "")
cases = ""
note_case(name) = strstrt(" ".cases." ", " ".name." ") ? 0 : (cases = cases.(cases eq "" ? "" : " ").name, 0)
stats table using (note_case(which(0))) nooutput
patterns = ""
note_pattern(name) = strstrt(" ".patterns." ", " ".name." ") ? 0 : (patterns = patterns.(patterns eq "" ? "" : " ").name, 0)
stats table using (note_pattern(strcol("pattern"))) nooutput

shade(c) = word("#000000 #D55E00 #0072B2 #009E73 #CC79A7 #E69F00 #56B4E9 #888888", (c - 1) % 8 + 1)
mark(c) = int(word("7 9 5 11 13 15 4 6", (c - 1) % 8 + 1))
worded(name) = system("printf %s '".name."' | tr _ ' '")

columns = words(patterns) < 3 ? words(patterns) : 3
rows = (words(patterns) + columns - 1) / columns
panel = 60 + 17 * nr
width = 180 + 340 * columns
height = 100 + panel * rows
eval open_output

# The first allocator stands on top; cases of one stand a little apart.
row(x) = nr - (sum [i = 1:nr] (word(allocators, i) eq strcol("allocator") ? i : 0))
beside(c) = words(cases) == 1 ? 0 : 0.5 * (0.5 - (c - 1.0) / (words(cases) - 1))

set logscale x
set yrange [-0.7:nr - 0.3]
set grid x y
unset key
set format x "%g"
meaning(p) = p eq "a1" ? "a1: one page freed, one taken" : p eq "aB" ? "aB: 1024 freed, 1024 taken" : \
	p eq "aW" ? "aW: a tenth of memory freed, and taken" : p eq "c" ? "c: orders 0 to 9, 2^{-order}" : \
	p eq "b_alloc" ? "b: all memory, page by page" : p eq "b_free" ? "b: all of it freed at random" : p

set multiplot layout rows, columns margins 150.0 / width, 1 - 30.0 / width, 105.0 / height, 1 - 30.0 / height \
	spacing 40.0 / width, 62.0 / height
do for [p = 1:words(patterns)] {
	set title meaning(word(patterns, p)) offset 0, -0.6
	set xlabel (p + columns > words(patterns) ? "CPU time of an operation [ns]" : "")
	unset ytics
	set ytics 1 scale 0 noenhanced
	do for [a = 1:nr] { set ytics add (((p - 1) % columns ? "" : word(allocators, a)) nr - a) }
	if (p == 1) {
		set key at screen 0.5, 22.0 / height center center horizontal maxrows (letters ? 4 : 2) noenhanced
	} else { unset key }
	plot for [c = 1:words(cases)] table using \
		(strcol("pattern") eq word(patterns, p) && which(0) eq word(cases, c) && shown(0) ? column("ns_per_op") : NaN):(row(0) + beside(c)) \
		with points pointtype mark(c) pointsize 0.8 linecolor rgb shade(c) notitle, \
		for [c = 1:words(cases)] keyentry with points pointtype mark(c) linecolor rgb shade(c) title worded(word(cases, c))
}
unset multiplot
