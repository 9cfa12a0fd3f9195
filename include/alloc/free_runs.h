/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * free_runs.h - runs of free pages as the aligned blocks a buddy would have
 *
 *    run      [3 4 5 6 7 8 9)
 *    blocks    3 | 4 5 6 7 | 8      orders 0, 2, 0
 *
 * For backends that keep no blocks and still answer free_area() and query().
 */
#ifndef PAGETAX_ALLOC_FREE_RUNS_H
#define PAGETAX_ALLOC_FREE_RUNS_H

#include "base/bits.h"

/* Order of the largest aligned block that starts a run of nr pages at pfn. */
static inline unsigned int run_first_order(unsigned long pfn, unsigned long nr)
{
	unsigned int order = min_t(unsigned int, ilog2(nr), MAX_PAGE_ORDER);

	return pfn ? min_t(unsigned int, order, lowest_bit(pfn)) : order;
}

/* Add a maximal run of free pages to the counts of blocks by order. */
static inline void run_count_blocks(unsigned long nr_free[NR_PAGE_ORDERS],
				    unsigned long pfn, unsigned long nr)
{
	while (nr) {
		unsigned int order = run_first_order(pfn, nr);

		nr_free[order]++;
		pfn += 1UL << order;
		nr -= 1UL << order;
	}
}

/*
 * The same for the runs of a word's clear bits, the first of which is page pfn, behind
 * a run of `run` free pages. Returns the pages of the run at its end, for the next word.
 */
static inline unsigned long run_count_word(unsigned long nr_free[NR_PAGE_ORDERS],
					   unsigned long pfn, unsigned long used,
					   unsigned long run)
{
	const unsigned int bits = 8 * sizeof(used);
	unsigned int at = 0;

	while (used) {
		unsigned int first = lowest_bit(used);
		unsigned long after = ~(used >> first);	/* what is shifted in is free */

		run_count_blocks(nr_free, pfn + at - run, run + first - at);
		run = 0;
		if (!after)
			return 0;
		at = first + lowest_bit(after);
		if (at == bits)
			return 0;
		used &= ~0UL << at;
	}
	return run + bits - at;
}

#endif
