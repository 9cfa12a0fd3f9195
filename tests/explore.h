/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explore.h - every state that a real allocator can reach on a tiny machine
 *
 *              alloc 0      free 5
 *    all free ---------> s1 -------> s3     breadth first; a state is known by
 *        |    alloc 1                       a 64-bit fingerprint of allocator
 *        '-------------> s2 ---> ...        and held blocks
 *
 * From each state every possible operation is run: an allocation of each
 * order, a free of each held block. Each new state gets the full check of the
 * model; with check_known so does a known one that is reached again, since what
 * the fingerprint leaves out (stale words) may differ there. When no new state
 * is left, what was checked holds for operation sequences of any length, on
 * this machine.
 *
 * Nothing is simulated: a state is a copy of the machine's arena and memory,
 * put back in place. Only the fingerprint, the parent and the operation are
 * kept of it (about 28 bytes), so a state is reached again by replaying the
 * path from the start, which is short and is at once the shortest
 * counterexample when something breaks.
 *
 * A fingerprint that forgets too much would merge states that differ. With
 * check_futures, each time a known state is reached again, every operation out
 * of it must lead to the fingerprint that it led to before.
 *
 * A collision of fingerprints can hide a state: with n states the chance of
 * any is about n^2 / 2^65, 1.5e-5 for 24 million.
 */
#ifndef PAGETAX_TESTS_EXPLORE_H
#define PAGETAX_TESTS_EXPLORE_H

#include "alloc/allocator.h"

struct explore_case {
	const char *spec;		/* allocator and options */
	unsigned long start_pfn;	/* one zone */
	unsigned long nr_pages;
	bool highmem;			/* all of it */
	bool keeps_nodes;		/* freeing all may leave nodes behind */
	bool check_known;		/* twice the time */
	bool check_futures;		/* ten times the time */
	uint64_t max_states;		/* give up there */
};

struct explore_result {
	uint64_t states;
	uint64_t transitions;
	unsigned int depth;		/* operations to the farthest state */
	bool complete;			/* no state was left out */

	/* Over all states and transitions. */
	uint64_t most_nodes;
	uint64_t most_nodes_left;	/* where everything is free */
	uint64_t most_consumed;		/* pages one free of order 0 made nodes */
	uint64_t most_consumed_any;	/* the same for any order */
	uint64_t most_drain_steps;
	unsigned int most_maps;		/* live at once */
};

/*
 * Returns 0, or a negative errno with a message: what broke, and the shortest
 * sequence of operations that breaks it.
 */
int explore(const struct explore_case *c, struct explore_result *result,
	    struct msg *msg);

#endif
