# SPDX-License-Identifier: GPL-2.0-or-later
#
# metadata.gp - what does each allocator keep to know its memory, over time?
#
#     gnuplot -c plots/metadata.gp OUTPUT RESULT
#
# Above: everything, descriptors and the owners' objects included. Below: only
# the pages that come and go, which the scale above would hide; powers of ten,
# as some designs take a thousand times what others do. Memory parked in
# per-CPU lists is free memory, not metadata, and is in neither.

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
load ARG0[1:i]."common.gp"

table = result."/samples.tsv"
eval look_at
nr = words(allocators)

# Both panels leave the same room for the key, which else would lie on long curves.
key_room = max(26, longest(1) + 9)
width = 960 + 9 * (key_room - 26); height = 640 + 12 * nr
eval open_output

total(x) = column("meta_descriptors_bytes") + column("meta_structures_bytes") + \
	column("meta_nodes_bytes") + column("meta_caller_bytes") + \
	column("meta_borrowed_bytes") + column("meta_inband_bytes") + \
	column("allocatee_bytes")

taken(x) = column("meta_nodes_bytes") > 0 ? column("meta_nodes_bytes") : NaN

eval time_range
set multiplot layout 2, 1
set lmargin 11
set rmargin key_room
set key outside right top

stats table using (total(0)) nooutput
unit = unit_of(STATS_max)
set yrange [0:STATS_max > 0 ? 1.08 * STATS_max / unit : 1]
quantity = "metadata [".unit_name(unit)."]"
set title titled("All metadata", quantity)
set ylabel quantity
eval curves("total(0) / unit")

set yrange [*:*]
stats table using (column("meta_nodes_bytes") / kib) nooutput
most = STATS_max
set logscale y
set yrange [2:most > 10 ? 2 * most : 20]
quantity = "metadata [KiB]"
set title titled("Of it, taken while running".(letters ? "" : "; a design that takes nothing has no curve"), quantity)
set ylabel quantity
set xlabel "simulated time [s]"
unset key
eval curves("taken(0) / kib")
unset multiplot
