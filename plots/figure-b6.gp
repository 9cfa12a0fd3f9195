# SPDX-License-Identifier: GPL-2.0-or-later
#
# figure-b6.gp - 35,000 objects of mixed sizes and alignments
#
#     gnuplot -c plots/figure-b6.gp OUTPUT RESULT

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/figure-b6.tsv"
width = 800; height = 320
eval open_output

set xlabel "of the chunks' units in use [%]"
set xrange [0:110]
set yrange [3.6:-0.6]
set title "35,000 objects of 1 to 1024 bytes at alignments of 2 to 2048"
set ytics noenhanced
unset key
plot table using (0):0:(0):(column("used_percent")):($0 - 0.3):($0 + 0.3):ytic(strcol("allocator")) \
		with boxxyerror fillstyle solid 0.6 border rgb "#222222" linecolor rgb "#56B4E9", \
	table using (0):0:(sprintf("  %.1f %% of %s chunks, %s failed", column("used_percent"), strcol("chunks"), strcol("failed"))) \
		with labels left textcolor rgb "#000000"
