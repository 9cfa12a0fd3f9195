/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interleave.h - every way in which a few threads can run into each other
 *
 *    thread A   load . . . load . swap . add
 *    thread B   . load . load . swap . . . add       one schedule of many
 *
 * The threads are coroutines of one real thread, each with a stack of its own.
 * Before each touch of a shared word (struct cost's step) the running
 * one stops, and a schedule says who goes on. A run is repeated until all
 * schedules have been tried, in depth-first order: those of two threads of n
 * and m touches are (n + m)! / (n! m!).
 *
 * Memory is sequentially consistent here: what weaker orders add is left to
 * the ThreadSanitizer.
 */
#ifndef PAGETAX_SIM_BENCH_INTERLEAVE_H
#define PAGETAX_SIM_BENCH_INTERLEAVE_H

#include "alloc/range.h"

#define INTERLEAVE_THREADS 3

struct interleave_test {
	unsigned int nr_threads;
	void *arg;			/* of all calls */
	void (*begin)(void *arg);	/* before each run: the same state again */
	void (*thread)(void *arg, unsigned int who);
	/* After each run: look at what came out; `cut`: its threads did not end. */
	void (*end)(void *arg, bool cut);
	unsigned int max_steps;		/* a run that takes more is cut */
	uint64_t max_runs;		/* then it stops, incomplete */
};

struct interleave_result {
	uint64_t runs;
	unsigned int most_steps;	/* of one run that was not cut */
	bool complete;
};

/* Hang the stepping on a range's costs; only within begin(). */
void interleave_watch(struct cost *cost);

/* Run them all. */
void interleave(const struct interleave_test *test,
		struct interleave_result *result);

#endif
