# SPDX-License-Identifier: GPL-2.0-or-later
#
# figure-b3.gp - what a search looks at where holes fit but are not aligned
#
#     gnuplot -c plots/figure-b3.gp OUTPUT RESULT

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/figure-b3.tsv"
width = 900; height = 360
eval open_output

set logscale x
set xrange [1e3:3e10]
set format x "10^{%T}"
set xlabel "entries and words looked at by 2^{15} allocs"
set yrange [3.6:-0.6]
set title "4 bytes at multiples of 8: the alignment trap"
set ytics noenhanced
unset key
plot table every ::0::3 using (1e3):0:(1e3):(column("entries") + column("words")):($0 - 0.3):($0 + 0.3):ytic(strcol("allocator")) \
		with boxxyerror fillstyle solid 0.6 border rgb "#222222" linecolor rgb "#E69F00", \
	table every ::0::3 using (column("entries") + column("words")):0:(sprintf("  %.2g", column("entries") + column("words"))) \
		with labels left textcolor rgb "#222222"
