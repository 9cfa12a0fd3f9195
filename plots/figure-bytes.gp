# SPDX-License-Identifier: GPL-2.0-or-later
#
# figure-bytes.gp - bytes on pages of a buddy: pages held, tax, holes
#
#     gnuplot -c plots/figure-bytes.gp OUTPUT RESULT
#
# Rows come in pairs: filled, and with half of the objects freed.

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/figure-bytes.tsv"
width = 1180; height = 520
eval open_output

set yrange [13.6:-0.6]
set ytics noenhanced scale 0
set style fill solid 0.7 border rgb "#222222"
unset grid
set grid xtics

set multiplot
set tmargin at screen 0.83
set origin 0, 0
set size 0.48, 1
set lmargin at screen 0.21
set rmargin at screen 0.46
set title "Pages held for 32 MiB of objects"
set xlabel "MiB"
set xrange [0:50]
set key at graph 1, graph 1.0 bottom right horizontal samplen 1.5
set title offset 0, 1.4
plot table every 2::0 using (0):0:(0):(column("held_mib")):($0 - 0.4):($0):ytic(strcol("allocator")) \
		with boxxyerror linecolor rgb "#56B4E9" title "filled", \
	table every 2::1 using (0):0:(0):(column("held_mib")):($0):($0 + 0.4) \
		with boxxyerror linecolor rgb "#F0E442" title "half freed"
set format y ""
set lmargin at screen 0.49
set rmargin at screen 0.73
set title "Metadata of both layers"
set xlabel "of the pages held, filled [%]"
set xrange [0:10]
plot table every 2::0 using (0):0:(0):(column("total_on_linked_percent")):($0 - 0.4):($0) \
		with boxxyerror linecolor rgb "#999999" title "on linked", \
	table every 2::0 using (0):0:(0):(column("total_on_twoword_percent")):($0):($0 + 0.4) \
		with boxxyerror linecolor rgb color("twoword") title "on twoword"
set lmargin at screen 0.76
set rmargin at screen 0.98
set title "The buddy, half freed"
set xlabel "free, not in 2 MiB blocks [%]"
set xrange [0:60]
unset key
plot table every 2::1 using (0):0:(0):(column("unusable_2m_percent")):($0 - 0.3):($0 + 0.3) \
		with boxxyerror linecolor rgb "#E69F00" notitle
unset multiplot
set tmargin at screen 0.83
