/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cost.c - the counters of an operation, and which words it has touched */
#include <assert.h>

#include "base/bits.h"
#include "base/cost.h"

#define COST_NAME(name, what) #name,
const char *const cost_names[NR_COSTS] = { COSTS(COST_NAME) };
#undef COST_NAME

#ifdef PAGETAX_COUNT
_Thread_local struct cost *cost_now;
#endif

struct cost_sums cost_sums(const struct cost *cost)
{
	return (struct cost_sums){
		.nr_ops = cost->nr_ops,
		.of = {
#define COST_VALUE(name, what) cost->name,
			COSTS(COST_VALUE)
#undef COST_VALUE
		},
	};
}

void cost_watch(struct cost *cost, const void *start, uintptr_t bytes)
{
	assert(cost->nr_areas < COST_MAX_AREAS);
	cost->areas[cost->nr_areas++] =
		(struct cost_area){ (uintptr_t)start, bytes };
}

/* True the first time in this operation. */
static bool is_new(struct cost_seen *seen, uintptr_t place, uint64_t op)
{
	for (size_t step = 0; step < COST_SEEN; step++) {
		size_t i = (place + step) % COST_SEEN;

		if (seen->at[i].op != op) {
			seen->at[i].place = place;
			seen->at[i].op = op;
			return true;
		}
		if (seen->at[i].place == place)
			return false;
	}
	return true;
}

void cost_touch(struct cost *cost, uintptr_t addr, bool write)
{
	bool new_word = is_new(&cost->words[write], addr / 8, cost->nr_ops);
	bool new_line;

	if (!new_word)
		return;
	new_line = is_new(&cost->lines[write], addr / 64, cost->nr_ops);
	if (write) {
		cost->words_written++;
		cost->lines_written += new_line;
	} else {
		cost->words_read++;
		cost->lines_read += new_line;
	}
	if (new_line)
		cost->lines_touched += is_new(&cost->lines[2], addr / 64,
					      cost->nr_ops);
}
