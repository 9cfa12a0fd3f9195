# SPDX-License-Identifier: GPL-2.0-or-later
#
# fit.gp - does the simulation of a fitted scenario look like its trace?
#
#     gnuplot -c plots/fit.gp OUTPUT SCENARIO.tsv

output = ARG1; table = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

width = 960; height = 640
eval open_output
eval time_range

set multiplot layout 2, 1
set key outside right top
set lmargin 11		# one time axis under the other
set xlabel "simulated time [s]"

set title "Pages of live blocks"
set ylabel "live memory [MiB]"
set yrange [0:*]
plot table using (column("time_ns") * seconds):(column("trace_live_pages") * page / mib) \
		with lines linecolor rgb "#000000" linewidth 4 title "trace", \
	table using (column("time_ns") * seconds):(column("simulated_live_pages") * page / mib) \
		with lines linecolor rgb "#D55E00" linewidth 2 title "simulation"

set title "Free memory in blocks of 2 MiB and above"
set ylabel "share of free memory [%]"
set yrange [0:100]
plot table using (column("time_ns") * seconds):(column("trace_share_2m") * 100) \
		with lines linecolor rgb "#000000" linewidth 4 title "trace", \
	table using (column("time_ns") * seconds):(column("simulated_share_2m") * 100) \
		with lines linecolor rgb "#D55E00" linewidth 2 title "simulation"
unset multiplot
