# SPDX-License-Identifier: GPL-2.0-or-later
#
# unusable.gp - how much of the free memory is too scattered for a request, over time?
#
#     gnuplot -c plots/unusable.gp OUTPUT RESULT
#
# One panel an allocator, one curve an order: the share of free memory that
# lies in blocks too small for it. A higher order is never below a lower one.

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
folder = ARG0[1:i]
load folder."common.gp"

table = result."/samples.tsv"
eval look_at
eval panels
eval open_output

orders = "1 3 5 7 9 10"
shades = "#BDDF26 #44BF70 #21918C #355F8D #482475 #D55E00"

order_dash(n) = (n - 1) % 5 + 1
unusable(o) = column("unusable_order".o."_permille") / 10
eval time_range
stats table using (shown(0) ? unusable("10") : NaN) nooutput
set yrange [0:STATS_max > 0 ? 1.05 * STATS_max : 1]

quantity = "unusable [%]"
set multiplot layout rows, columns \
	title titled("Free memory that cannot serve a request of order k", quantity) \
	margins char 10, char 18, char 3.5, char 4.5 spacing char 7, char 4
do for [k = 1:nr] {
	eval label_panel
	# The key stands beside the first row's last panel, at the edge of the page.
	if (k == 1) {
		set key at screen 0.995, screen (1 - 70.0 / height) right top vertical reverse Left samplen 2
	} else {
		unset key
	}
	plot for [n = 1:words(orders)] table using (when(k)):(ours(k) ? unusable(word(orders, n)) : NaN) \
			with lines linecolor rgb word(shades, n) linewidth 2 \
			dashtype order_dash(n) title "order ".word(orders, n)
}
unset multiplot
