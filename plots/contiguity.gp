# SPDX-License-Identifier: GPL-2.0-or-later
#
# contiguity.gp - how much of the free memory could back a huge page, over time?
#
#     gnuplot -c plots/contiguity.gp OUTPUT RESULT

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/samples.tsv"
eval look_at
nr = words(allocators)

width = 960; height = 420 + 10 * nr
eval open_output

eval time_range
stats table using (shown(0) ? column("share_2m") * 100 : NaN) nooutput
room = STATS_max > STATS_min ? 0.08 * (STATS_max - STATS_min) : 1
set yrange [STATS_min - room:STATS_max + room]

quantity = "share of free memory [%]"
set title titled("Free memory in blocks of 2 MiB and above", quantity)
set xlabel "simulated time [s]"
set ylabel quantity
set key outside right top
eval curves("column('share_2m') * 100")
