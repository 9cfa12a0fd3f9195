# SPDX-License-Identifier: GPL-2.0-or-later
#
# metadata.gp - what does each allocator keep to know its memory, over time?
#
#     gnuplot -c plots/metadata.gp OUTPUT RESULT
#
# Above: everything, descriptors and the owners' objects included. Below: only
# the pages that come and go, which the scale above would hide. Memory parked in per-CPU lists is free
# memory, not metadata, and is in neither.

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/samples.tsv"
eval look_at
nr = words(allocators)

width = 960; height = 640 + 12 * nr
eval open_output

total(x) = column("meta_descriptors_bytes") + column("meta_structures_bytes") + \
	column("meta_nodes_bytes") + column("meta_caller_bytes") + \
	column("meta_borrowed_bytes") + column("meta_inband_bytes") + \
	column("allocatee_bytes")

eval time_range
set multiplot layout 2, 1
set lmargin 11
set rmargin 26
set key outside right top

stats table using (total(0) / mib) nooutput
set yrange [0:STATS_max > 0 ? 1.08 * STATS_max : 1]
set title "All metadata"
set ylabel "metadata [MiB]"
eval curves("total(0) / mib")

set yrange [*:*]
stats table using (column("meta_nodes_bytes") / 1024) nooutput
set yrange [0:STATS_max > 0 ? 1.08 * STATS_max : 1]
set title "Of it, pages and objects taken while running"
set ylabel "metadata [KiB]"
set xlabel "simulated time [s]"
unset key
eval curves("column('meta_nodes_bytes') / 1024")
unset multiplot
