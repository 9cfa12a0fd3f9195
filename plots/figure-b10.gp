# SPDX-License-Identifier: GPL-2.0-or-later
#
# figure-b10.gp - what comes of two threads on one word, over every order
#
#     gnuplot -c plots/figure-b10.gp OUTPUT RESULT
#
# One bar a race, in percent of its orders; a bar that is not there is a race
# that always ends well. One order can go wrong in more than one way.

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/figure-b10.tsv"
stats table using (column("orders")) nooutput
nr = STATS_records

width = 1080; height = 160 + 34 * nr
eval open_output

parts  = "leaks wiped refused endless"
shades = "#0072B2 #D55E00 #E69F00 #CC79A7"
texts  = "'units leak' 'a run is wiped out or given twice' 'a free is refused' 'no end'"

share(n) = column(word(parts, n)) / column("orders") * 100
upto(n) = n < 1 ? 0 : sum [j = 1:n] share(j)
at(x) = column(0) + 1

set title "Two threads on one word: orders that go wrong"
set xlabel "orders [%]"
set xrange [0:100]
set yrange [nr + 0.6:0.4]
unset grid
set grid x linetype 1 linecolor rgb "#dddddd"
set bmargin 6.5
set key at screen 0.5, char 0.5 center bottom horizontal samplen 2
set ytics noenhanced

plot for [n = 1:words(parts)] table \
		using (upto(n - 1)):(at(0)):(upto(n - 1)):(upto(n)):(at(0) - 0.33):(at(0) + 0.33):ytic(strcol("allocator").", ".strcol("race")) \
		with boxxyerror fillstyle pattern n border rgb "#222222" linecolor rgb word(shades, n) \
		title word(texts, n), \
	table using (upto(words(parts))):(at(0)):(upto(words(parts)) > 0 ? sprintf("  %.1f %%", upto(words(parts))) : "  none of ".strcol("orders")) \
		with labels left textcolor rgb "#222222" notitle
