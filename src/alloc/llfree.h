/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * llfree.h - the words of LLFree, for its files
 *
 *    llfree.c         upper part: trees, their reservations, the calls
 *    llfree_lower.c   lower part: children and bitfields
 *    llfree_check.c   questions, and the counters against the bits
 *
 * llfree.c draws them. Atomic words are shared by all CPUs and changed by
 * compare-and-swap.
 */
#ifndef PAGETAX_ALLOC_LLFREE_H
#define PAGETAX_ALLOC_LLFREE_H

#include <assert.h>
#include <stdatomic.h>

#include "alloc/allocator.h"
#include "base/bits.h"

#define CHILD_ORDER 9
#define CHILD_PAGES (1UL << CHILD_ORDER)
#define ROW_PAGES (8 * sizeof(unsigned long))
#define ROW_ORDER (sizeof(unsigned long) == 8 ? 6U : 5U)
#define CHILD_ROWS (CHILD_PAGES / ROW_PAGES)
#define LINE_BYTES 64UL
#define LINE_CHILDREN (LINE_BYTES / sizeof(uint16_t))
#define LLFREE_MAX_ORDER (MAX_PAGE_ORDER < CHILD_ORDER ? MAX_PAGE_ORDER : CHILD_ORDER)

/* A child: bit 15 taken whole, bits 0-14 free pages. */
#define CHILD_WHOLE 0x8000U

/* A tree: bit 31 reserved, bits 0-30 free pages, those of its CPU left out. */
#define TREE_RESERVED 0x80000000U

/* A CPU's word: bits 0-14 free pages, bit 15 present, tree above. */
#define LOCAL_FREE 0x7fffUL
#define LOCAL_PRESENT 0x8000UL
#define LOCAL_TREE_SHIFT 16

struct local {
	_Alignas(LINE_BYTES) _Atomic unsigned long word;
	_Atomic unsigned long row;	/* where the last search ended: a hint */
};

struct llfree_zone {
	unsigned long start_pfn;	/* set at create, as is all here */
	unsigned long end_pfn;
	unsigned long base_pfn;		/* of child 0 */
	unsigned long nr_children;
	unsigned long nr_trees;
	unsigned int tree_shift;	/* log2 of the children of a tree */
	_Atomic unsigned long *rows;	/* 1: in use, reserved, or no page */
	_Atomic uint16_t *children;	/* a cache line for each tree */
	_Atomic uint32_t *trees;
	struct local *locals;		/* one for each CPU */
};

struct llfree {
	struct allocator base;
	unsigned int nr_zones;
	struct llfree_zone zones[MAX_NR_ZONES];
};

static inline struct llfree *to_llfree(struct allocator *a)
{
	return container_of(a, struct llfree, base);
}

static inline const struct llfree *to_const_llfree(const struct allocator *a)
{
	return (const struct llfree *)((const char *)a -
				       offsetof(struct llfree, base));
}

static inline unsigned long tree_children(const struct llfree_zone *z)
{
	return 1UL << z->tree_shift;
}

static inline unsigned long tree_of(const struct llfree_zone *z, unsigned long child)
{
	return child >> z->tree_shift;
}

static inline _Atomic uint16_t *child_of(const struct llfree_zone *z, unsigned long child)
{
	return &z->children[tree_of(z, child) * LINE_CHILDREN +
			    (child & (tree_children(z) - 1))];
}

static inline unsigned long local_word(unsigned long tree, unsigned long nr_free)
{
	assert(nr_free <= LOCAL_FREE);
	return tree << LOCAL_TREE_SHIFT | LOCAL_PRESENT | nr_free;
}

static inline bool local_has(unsigned long word, unsigned long tree)
{
	return (word & LOCAL_PRESENT) && word >> LOCAL_TREE_SHIFT == tree;
}

/* -- llfree_lower.c: the pages of one child ---------------------------------- */

/*
 * Take 2^order pages, at most a whole child, looking from a row on; the pfn, or
 * PFN_NONE.
 */
unsigned long child_get(struct llfree_zone *z, unsigned long child,
			unsigned int order, unsigned long from_row);

/* Give 2^order pages back; the first is counted from the zone's base. */
void child_put(struct llfree_zone *z, unsigned long page, unsigned int order);

/* A child that was taken whole is described by bits from now on. */
void child_split(struct llfree_zone *z, unsigned long child);

/* The bits of a row as they are meant: a child taken whole has none clear. */
unsigned long row_bits(const struct llfree_zone *z, unsigned long row);

/* -- llfree_check.c: calls of struct allocator_ops ---------------------------- */

void llfree_free_area(const struct allocator *a, unsigned int zone,
		      unsigned long nr_free[NR_PAGE_ORDERS]);
void llfree_counts(const struct allocator *a, unsigned int zone,
		   struct page_counts *counts);
void llfree_query(const struct allocator *a, unsigned long pfn,
		  struct page_info *info);
int llfree_verify(const struct allocator *a, struct msg *msg);
uint64_t llfree_fingerprint(const struct allocator *a);

#endif
