# SPDX-License-Identifier: GPL-2.0-or-later
#
# tera.awk - simulations of one scenario at two scales, in turns, as one table:
# the median cost of an event at each, and how much more it is at the second:
# the median over the rounds, as a host's memory is faster at times. Beside it,
# what an event asks of the buddies, which is more on a machine that is less full
#
#    run ALLOCATOR SCALE ROUND, then what pagetax simulate prints, for each

function median(list,    n, a, i, j, x) {
	n = split(list, a)
	for (i = 2; i <= n; i++) {
		x = a[i] + 0
		for (j = i - 1; j && a[j] + 0 > x; j--)
			a[j + 1] = a[j]
		a[j + 1] = x
	}
	return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
}

$1 == "run" {
	allocator = $2
	scale = $3
	round = $4
	in_table = 0
	nr_runs++
	if (!((allocator, scale) in ns)) {
		allocators[++nr_allocators] = allocator
		scales[nr_allocators] = scale
	}
}
$1 == "engine" { in_table = 1 }
in_table && $1 == allocator {
	in_table = 0
	nr_seen++
	events[allocator, scale] = $2
	steps[allocator, scale] = $6
	ns[allocator, scale] = ns[allocator, scale] " " 1e3 / $3
	of_round[allocator, scale, round] = of_round[allocator, scale, round] " " 1e3 / $3
	if (round > nr_rounds)
		nr_rounds = round
}
/^host memory:/ { memory[allocator, scale] = $5 " " $6 }

# Its cost in each round over that of the first scale.
function growth(a, s,    r, list) {
	for (r = 1; r <= nr_rounds; r++)
		list = list " " median(of_round[a, s, r]) / median(of_round[a, first[a], r])
	return median(list)
}

END {
	printf "%-12s %8s %12s %12s %8s %18s %16s\n", "allocator", "scale", "events",
	       "ns an event", "x", "splits and merges", "host memory"
	for (i = 1; i <= nr_allocators; i++) {
		a = allocators[i]
		s = scales[i]
		if (!(a in first))
			first[a] = s
		printf "%-12s %8s %12d %12.0f %8.2f %18.2f %16s\n", a, s, events[a, s],
		       median(ns[a, s]), growth(a, s), steps[a, s], memory[a, s]
	}
	exit !nr_runs || nr_seen != nr_runs
}
