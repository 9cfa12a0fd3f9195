# SPDX-License-Identifier: GPL-2.0-or-later
#
# fragments.gp - how much free memory is in blocks smaller than 2 MiB, over time?
#
#     gnuplot -c plots/fragments.gp OUTPUT RESULT
#
# The lower end of buddyinfo.gp, which its scale hides: orders 0 to 8 only.

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
folder = ARG0[1:i]
load folder."common.gp"

heading = "Free memory in blocks smaller than 2 MiB, by order"
top_order = 8
load folder."stacked.gp"
