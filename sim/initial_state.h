/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * initial_state.h - what each allocator finds when the replay begins
 *
 * Every page starts reserved; pageblock types are set; resident blocks are
 * adopted where they lie; free blocks are released one by one. Without a
 * snapshot, all that exists and is not resident is free.
 *
 * What was in a CPU's list is told by its first event, which names the CPU: it
 * is allocated, or drained to the free lists. Lists are pushed and popped at
 * the head and drained from the tail, so they stood like this:
 *
 *    head [ allocated first, second ... | ... drained second, first ] tail
 *
 * In between stand those whose last event came before, and, unordered, those
 * that are only known by their number. A page that none of this places is free
 * like others.
 *
 * The order in which blocks are released decides the order of free lists,
 * which no recording knows: it is drawn from the seed, once for all
 * allocators, or ascends by address on request.
 */
#ifndef PAGETAX_SIM_INITIAL_STATE_H
#define PAGETAX_SIM_INITIAL_STATE_H

#include "base/rng.h"
#include "sim/demand.h"

struct allocator;

struct free_block {
	unsigned long pfn;
	unsigned int order;
};

/* A block in a CPU's own list. */
struct parked_block {
	unsigned long pfn;
	uint16_t cpu;
	uint8_t order;
};

/* Pages from which on a CPU's lists of a zone drain; 0: nobody says. */
struct parked_limit {
	unsigned int zone;
	unsigned int cpu;
	unsigned long pages;
};

/* Maximal free blocks by zone and order, as /proc/buddyinfo counts them. */
struct population {
	unsigned long nr_free[MAX_NR_ZONES][NR_PAGE_ORDERS];
};

struct initial_state {
	struct free_block *free_blocks;	/* in order of release */
	size_t nr_free_blocks;
	struct parked_block *parked;	/* in order of release: tails first */
	size_t nr_parked;
	struct parked_limit *limits;
	size_t nr_limits;
	uint64_t free_pages;		/* the parked ones, too */
	uint64_t resident_pages;

	uint8_t *block_types;		/* enum migratetype of each pageblock */
	unsigned long nr_pageblocks;

	/*
	 * What the free lists would hold if the free and the resident pages
	 * were all free: the state to which freeing everything must lead.
	 */
	struct population boot;
};

/* `rng` draws the order of release; NULL: by address. 0 or -ENOMEM. */
int initial_state_build(struct initial_state *start, const struct bundle *bundle,
		      const struct layout *layout, const struct demand *demand,
		      struct rng *rng, struct msg *msg);
void initial_state_free(struct initial_state *start);

/* Bring a fresh allocator into this state. 0, or what adopting failed with. */
int initial_state_enter(const struct initial_state *start,
		      const struct demand *demand, struct allocator *a,
		      struct msg *msg);

/*
 * With everything freed: drain the caches, and say whether the free lists are
 * again those of an empty machine, without a node left.
 */
bool initial_state_restored(const struct initial_state *start,
			    struct allocator *a);

#endif
