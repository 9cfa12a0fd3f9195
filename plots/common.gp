# SPDX-License-Identifier: GPL-2.0-or-later
#
# common.gp - the look of all plots, and the table of who has which colour
#
# Each script is called as
#
#     gnuplot -c plots/NAME.gp OUTPUT RESULT
#
# OUTPUT ends in .svg or .png, or is - for a picture in letters on the terminal;
# RESULT is a result folder. A script keeps them
# as `output` and `result`, loads this file (which hides its arguments), sets
# `table` and evaluates look_at, then sets `width` and `height` and evaluates
# open_output. It names columns, never their numbers.

set datafile separator tab
set datafile commentschars "#"
set datafile columnheaders
set encoding utf8

# -- who looks how ------------------------------------------------------------
#
# Colours are those of Okabe and Ito, which people with any colour vision tell
# apart; a second and third round of the colours has another dash. Points
# differ for everybody, so that a print without colours can be read as well.

names  = "linked twoword memdesc embedded16 packed8 inpage hybrid genalloc genalloc_twobit genalloc_split percpu_map percpu_bitmap nta nta_trimmed llfree 32-byte-page linked+HVO null"
colors = "#000000 #D55E00 #0072B2 #009E73 #56B4E9 #CC79A7 #E69F00 #000000 #0072B2 #009E73 #E69F00 #CC79A7 #D55E00 #D55E00 #56B4E9 #888888 #E69F00 #888888"
dashes = "1 1 1 1 1 1 1 2 2 2 2 2 2 4 2 4 3 3"
points = "4 7 9 5 11 13 15 6 8 10 12 14 3 2 1 12 10 2"

# `twoword:removal=punch` is a twoword, and so is `twoword@other-result`.
upto(spec, mark) = strstrt(spec, mark) ? spec[1:strstrt(spec, mark) - 1] : spec
base(spec) = upto(upto(spec, ":"), "@")
place(spec) = sum [i = 1:words(names)] (word(names, i) eq base(spec) ? i : 0)
known(spec) = place(spec) ? place(spec) : words(names)
color(spec) = word(colors, known(spec))

# The k-th of several with the same base: same colour, other dash and point.
earlier(k) = sum [i = 1:k] (i < k && base(word(allocators, i)) eq base(word(allocators, k)) ? 1 : 0)
dash(k) = (int(word(dashes, known(word(allocators, k)))) - 1 + 2 * earlier(k)) % 5 + 1
point(k) = (int(word(points, known(word(allocators, k)))) - 1 + 3 * earlier(k)) % 15 + 1

# Curves often lie on each other: those drawn first are wider.
line_width(k) = k == 1 ? 5 : k == 2 ? 3 : 2

# -- which allocators a table holds -------------------------------------------

allocators = ""
nr_rows = 0
note(spec) = (nr_rows = nr_rows + 1, strstrt(" ".allocators." ", " ".spec." ")) ? 0 : \
	(allocators = allocators.(allocators eq "" ? "" : " ").spec, 0)

# `null` keeps no books: there is nothing to show of it unless it is alone.
note_policy(spec) = base(spec) eq "null" ? 0 : note(spec)

look_at = "\
	stats table using (note_policy(strcol('allocator'))) nooutput; \
	if (allocators eq '') { stats table using (note(strcol('allocator'))) nooutput }"

# Letters of the longest name from the k-th on.
max(a, b) = a > b ? a : b
longest(k) = k > words(allocators) ? 0 : max(strlen(word(allocators, k)), longest(k + 1))

# Whether this row's allocator is one of them.
shown(x) = strstrt(" ".allocators." ", " ".strcol("allocator")." ")

# All of simulated time, and no more.
time_range = "\
	stats table using (column('time_ns') * seconds) nooutput; \
	span = STATS_max > 0 ? STATS_max : 1; \
	set xrange [0:span]"

# -- curves, one an allocator -------------------------------------------------
#
# For a table of samples. One point in 20 samples, or ten points if there are few,
# each allocator's at another of them, so that points of equal curves stand beside
# each other.

ours(k) = strcol("allocator") eq word(allocators, k)
when(k) = ours(k) ? column("time_ns") * seconds : NaN
samples_each(x) = nr_rows / words(allocators)
every(x) = samples_each(0) >= 200 ? 20 : samples_each(0) >= 20 ? samples_each(0) / 10 : 1
marked(k) = int(column(0)) % every(0) == (7 * k) % every(0) ? when(k) : NaN

curves(value) = sprintf("plot for [k = 1:nr] table using (when(k)):(ours(k) ? %s : NaN) with lines \
		linetype k linecolor rgb color(word(allocators, k)) linewidth line_width(k) \
		dashtype dash(k) notitle, \
	for [k = 1:nr] table using (marked(k)):(ours(k) ? %s : NaN) with points \
		linecolor rgb color(word(allocators, k)) pointtype point(k) \
		pointsize 0.9 notitle, \
	for [k = 1:nr] keyentry with linespoints \
		linetype k linecolor rgb color(word(allocators, k)) linewidth line_width(k) \
		dashtype dash(k) pointtype point(k) title word(allocators, k)", value, value)

# -- panels, one an allocator ---------------------------------------------------

# Each has the time below only where no other panel stands below it. On the
# terminal there is room for few numbers there, which gnuplot prints into each other:
# `panel_tics` puts them at round steps that cut the `span` of x into `few`.

panels = "\
	nr = words(allocators); \
	columns = nr == 1 ? 1 : nr <= 4 ? 2 : 3; \
	rows = (nr + columns - 1) / columns; \
	width = 140 + (columns == 1 ? 760 : columns == 2 ? 460 * 2 : 340 * columns); \
	height = 90 + (columns <= 2 ? 310 : 215) * rows"

round_up(x) = x > 5 ? 10 : x > 2 ? 5 : x > 1 ? 2 : 1
round_step(x) = round_up(x / 10.0 ** floor(log10(x))) * 10.0 ** floor(log10(x))
panel_tics = "if (letters) { set xtics round_step(1.0 * span / few) }"

label_panel = "\
	set title word(allocators, k) noenhanced offset 0, -0.5; \
	few = columns > 2 ? 2 : 3; \
	if (columns > 1) { eval panel_tics }; \
	set xlabel (k + columns > nr ? (letters && columns > 2 ? '' : 'simulated ').'time [s]' : ''); \
	set ylabel ((k - 1) % columns ? '' : quantity)"

# -- the output ---------------------------------------------------------------

ending = strlen(output) > 4 ? output[strlen(output) - 3:strlen(output)] : ""
letters = output eq "-"

# As wide as a table of the program.
letters_wide = 80
open_output = "\
	if (letters) { set terminal dumb letters_wide, 16 + height / 24 }; \
	if (!letters && ending eq '.png') { \
		set terminal pngcairo size width, height font 'DejaVu Sans,11' background 'white' \
	}; \
	if (!letters && ending ne '.png') { \
		set terminal svg size width, height font 'DejaVu Sans,sans-serif,13' background 'white' \
	}; \
	if (!letters) { set output output }"

set border 3 linecolor rgb "#444444"
set tics nomirror out textcolor rgb "#222222"
set grid linetype 1 linecolor rgb "#dddddd" linewidth 1
if (letters) { unset grid }
set key noenhanced Left reverse
set style fill solid

seconds = 1e-9
kib = 1024.0
mib = 1024 * kib
gib = 1024 * mib
page = 4096.0

# On the terminal no label stands upright, so the title has it; a line that does not
# fit is left out by gnuplot without a word.
titled(text, label) = letters ? text."\n".label : text

# The unit in which so many bytes are a number of few digits.
unit_of(bytes) = bytes > 4 * gib ? gib : bytes > 4 * mib ? mib : kib
unit_name(unit) = unit == gib ? "GiB" : unit == mib ? "MiB" : "KiB"
