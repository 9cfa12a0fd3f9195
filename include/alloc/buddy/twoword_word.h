/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * twoword_word.h - the two words that describe a page
 *
 *   word 0   allocator state
 *            bits 0-3   kind            enum tw_kind
 *            bits 4-8   order           of the block this page heads
 *            bits 9-11  migratetype     whose list a free block is on
 *            bits 12-14 zone
 *            bits 15-   node            (always 0 here: one node)
 *   word 1   by kind
 *            free       slot of its entry on its free list
 *            allocated  tagged pointer to the allocatee's state (memdesc)
 *            node       which list and which leaf of it the page carries
 *            per-CPU    pfn of the one before ^ pfn of the next
 *            pending    pfn of the next page that waits to be freed
 *
 * A page that heads nothing, whether a tail or reserved, has kind TW_NONE; its
 * words may be stale, and no one reads word 1 of it.
 */
#ifndef PAGETAX_ALLOC_BUDDY_TWOWORD_WORD_H
#define PAGETAX_ALLOC_BUDDY_TWOWORD_WORD_H

#include <assert.h>

#include "base/types.h"

enum tw_kind {
	TW_NONE,
	TW_FREE,
	TW_NODE,			/* a leaf of some free list */
	TW_STASH,			/* set aside to become one */
	TW_ALLOCATED,
	TW_PCP,
	TW_PENDING,			/* released, to be freed before the operation ends */
};

struct tw_state {
	unsigned long bits;
};
_Static_assert(sizeof(struct tw_state) == sizeof(long), "one word");
_Static_assert(MAX_PAGE_ORDER < 1 << 5, "five bits of order");
_Static_assert(MAX_NR_ZONES <= 1 << 3, "three bits of zone");

struct twoword_page {
	struct tw_state state;
	unsigned long word1;
};
_Static_assert(sizeof(struct twoword_page) == 2 * sizeof(long), "two words");

static inline struct tw_state tw_state(enum tw_kind kind, unsigned int order,
				       unsigned int migratetype,
				       unsigned int zone)
{
	return (struct tw_state){ (unsigned long)kind | order << 4 |
				  migratetype << 9 | zone << 12 };
}

/* The same, for a zone whose bits are at hand (a state of kind 0). */
static inline struct tw_state tw_state_in(unsigned long zone_bits,
					  enum tw_kind kind, unsigned int order,
					  unsigned int migratetype)
{
	return (struct tw_state){ zone_bits | (unsigned long)kind | order << 4 |
				  migratetype << 9 };
}

static inline enum tw_kind tw_kind(struct tw_state s)
{
	return (enum tw_kind)(s.bits & 15);
}

static inline unsigned int tw_order(struct tw_state s)
{
	return s.bits >> 4 & 31;
}

static inline unsigned int tw_migratetype(struct tw_state s)
{
	return s.bits >> 9 & 7;
}

static inline unsigned int tw_zone(struct tw_state s)
{
	return s.bits >> 12 & 7;
}

/* Whether the page is part of a list, or set aside to be. */
static inline bool tw_carries_metadata(struct tw_state s)
{
	return tw_kind(s) - TW_NODE <= TW_STASH - TW_NODE;
}

/* Free, or metadata that may move: a page being freed beside it has to ask. */
static inline bool tw_may_join_single(struct tw_state s)
{
	return (s.bits & 0x1ff) - TW_FREE <= TW_STASH - TW_FREE;
}
_Static_assert(TW_NODE == TW_FREE + 1 && TW_STASH == TW_NODE + 1,
	       "one comparison tells them from the rest");

/* Kind and order at once: the question a merge asks of its buddy. */
static inline bool tw_is(struct tw_state s, enum tw_kind kind,
			 unsigned int order)
{
	return (s.bits & 0x1ff) == ((unsigned long)kind | order << 4);
}

/*
 * Word 1 of a node.
 *   bits 0-5   list: order * types + type
 *   bits 6-31  leaf number in that list's tree (2^26 leaves: 2^36 pages)
 */
#define TW_NODE_LIST_BITS 6
_Static_assert(NR_PAGE_ORDERS * 4 <= 1 << TW_NODE_LIST_BITS, "every list has a number");

static inline unsigned long tw_node_word(unsigned int list, uint32_t leaf)
{
	assert(list < 1U << TW_NODE_LIST_BITS);
	assert(leaf < 1U << (32 - TW_NODE_LIST_BITS));
	return (unsigned long)leaf << TW_NODE_LIST_BITS | list;
}

static inline unsigned int tw_node_list(unsigned long word1)
{
	return word1 & ((1U << TW_NODE_LIST_BITS) - 1);
}

static inline uint32_t tw_node_leaf(unsigned long word1)
{
	return (uint32_t)(word1 >> TW_NODE_LIST_BITS);
}

#endif
