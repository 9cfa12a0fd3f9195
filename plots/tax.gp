# SPDX-License-Identifier: GPL-2.0-or-later
#
# tax.gp - what share of memory does each design cost, and for what?
#
#     gnuplot -c plots/tax.gp OUTPUT RESULT
#
# One bar an allocator, its columns end to end, each at its own peak. Memory
# parked in per-CPU lists is free memory and not part of the bar.

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/tax.tsv"
eval look_at
nr = words(allocators)

width = 960; height = 220 + 30 * nr
eval open_output

parts  = "descriptors structures nodes allocatee caller borrowed inband"
shades = "#0072B2 #E69F00 #D55E00 #882255 #009E73 #CC79A7 #56B4E9"
texts  = "'for every page' 'structures' 'taken while running' 'kept by owners' 'kept by callers' 'borrowed words' 'in free memory'"

part(i) = column(word(parts, i)."_peak_bytes") / column("memory_bytes") * 100
end(n) = n < 1 ? 0 : sum [j = 1:n] part(j)

# The row of an allocator, counted among those shown; NaN for the others.
row(x) = sum [k = 1:nr] (word(allocators, k) eq strcol("allocator") ? k : 0)
at(x) = row(0) ? row(0) : NaN

set title "Memory tax: metadata in percent of the machine's memory, each column at its peak"
set xlabel "memory [%]"
set xrange [0:*]
set yrange [nr + 0.6:0.4]
set offsets 0, graph 0.12, 0, 0
longest = 0
do for [k = 1:nr] { length = strlen(word(allocators, k)); longest = length > longest ? length : longest }
set lmargin longest + 4
set ytics () noenhanced
do for [k = 1:nr] { set ytics add (word(allocators, k) k) }
unset grid
if (!letters) { set grid x linetype 1 linecolor rgb "#dddddd" }
set bmargin 8
set key at screen 0.5, char 0.5 center bottom horizontal samplen 2 width (letters ? 1 : -2)

plot for [n = 1:words(parts)] table \
		using (end(n - 1)):(at(0)):(end(n - 1)):(end(n)):(at(0) - 0.33):(at(0) + 0.33) \
		with boxxyerror fillstyle pattern (n == 1 ? 3 : n) border rgb "#222222" linecolor rgb word(shades, n) \
		title word(texts, n), \
	table using (end(words(parts))):(at(0)):(sprintf("  %.4f %%", end(words(parts)))) \
		with labels left textcolor rgb "#222222" notitle
