# SPDX-License-Identifier: GPL-2.0-or-later
#
# buddyinfo.gp - in blocks of which order does free memory lie, over time?
#
#     gnuplot -c plots/buddyinfo.gp OUTPUT RESULT
#
# The upper edge is all free memory.

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
folder = ARG0[1:i]
load folder."common.gp"

heading = "Free memory by order of its blocks"
top_order = 10
load folder."stacked.gp"
