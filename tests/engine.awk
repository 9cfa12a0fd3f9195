# SPDX-License-Identifier: GPL-2.0-or-later
#
# engine.awk - rows "engine" of several simulations as one table, and how the
# time of an event grows with the blocks that are kept, beside their logarithm

BEGIN {
	printf "%12s %12s %12s %12s %10s %10s\n", "blocks kept", "events",
	       "million/s", "bytes each", "time x", "log x"
}
/^engine/ { in_table = 1 }
in_table && /^null/ {
	in_table = 0
	if (!rows++) {
		first_rate = $3
		first_log = log($4)
	}
	printf "%12d %12d %12.2f %12.1f %10.2f %10.2f\n", $4, $2, $3, $5,
	       first_rate / $3, log($4) / first_log
}
END { exit rows != want }
