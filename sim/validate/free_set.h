/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * free_set.h - which pages are in the buddy, and in blocks of which order
 *
 *	put 6, order 0      take 0, order 0
 *	0 1 2 3 4 5 6 7     0 1 2 3 4 5 6 7
 *	F-F-F-F F-F . F     F-F-F-F-F-F-F-F      [8]
 *	F-F-F-F-F-F-F-F     . F F-F F-F-F-F      [1][2][4]
 *
 * No policy: a free joins with what is free beside it, a removal cuts the block
 * that holds the pages, so the counts follow from the pages alone. This is why
 * they can be compared with /proc/buddyinfo block by block.
 *
 * Invariant:  no two buddies of equal order are free in one zone
 * Cost: one byte a page; O(MAX_PAGE_ORDER) for a block that is there whole.
 */
#ifndef PAGETAX_SIM_VALIDATE_FREE_SET_H
#define PAGETAX_SIM_VALIDATE_FREE_SET_H

#include "machine/layout.h"

/* What happens to a block of the set. */
enum free_move {
	FREE_MOVE_OUT,		/* taken, cut, or joined with another */
	FREE_MOVE_REST,		/* what is left of a block that was cut */
	FREE_MOVE_IN,		/* put in, after all joining */
};

struct free_set {
	const struct layout *layout;
	uint8_t *head;		/* 1 + order where a free block begins, else 0 */
	unsigned long nr_free[MAX_NR_ZONES][NR_PAGE_ORDERS];

	/* Told of every move; NULL: nobody is. */
	void (*moved)(void *ctx, unsigned int zone, unsigned long pfn,
		      unsigned int order, enum free_move move);
	void *moved_ctx;
};

/* An empty set. 0 or -ENOMEM. */
int free_set_init(struct free_set *set, const struct layout *layout);
void free_set_destroy(struct free_set *set);

/* First page of the free block that holds pfn, or PFN_NONE. */
unsigned long free_set_find(const struct free_set *set, unsigned long pfn,
			    unsigned int *order);

/*
 * Put in, or take out, the pages of an aligned block that lies in one zone.
 * Pages that are in (or out) already are passed over. Returns how many pages
 * changed: 2^order unless the set and the caller disagree.
 */
unsigned long free_set_put(struct free_set *set, unsigned long pfn,
			   unsigned int order);
unsigned long free_set_take(struct free_set *set, unsigned long pfn,
			    unsigned int order);

#endif
