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
#define PAIR_ORDER (CHILD_ORDER + 1)
#define LLFREE_MAX_ORDER (MAX_PAGE_ORDER < PAIR_ORDER ? MAX_PAGE_ORDER : PAIR_ORDER)

/* A child: bit 15 taken whole, bits 0-14 free pages. */
#define CHILD_WHOLE 0x8000U

/* What a tree serves, and a request asks for; what is hardest to move comes first. */
enum tree_class {
	CLASS_UNMOVABLE,
	CLASS_MOVABLE,
	CLASS_HUGE,			/* whole children; a tree that is all free, too */
	NR_CLASSES,
};

/*
 * A tree: bit 31 reserved, bits 29-30 class, bits 0-28 free pages, those that a
 * CPU counts left out.
 */
#define TREE_RESERVED 0x80000000U
#define TREE_CLASS_SHIFT 29
#define TREE_FREE ((1U << TREE_CLASS_SHIFT) - 1)

/* A CPU's word for a class: bits 0-14 free pages, bit 15 present, tree above. */
#define LOCAL_FREE 0x7fffUL
#define LOCAL_PRESENT 0x8000UL
#define LOCAL_TREE_SHIFT 16

struct local {
	_Alignas(LINE_BYTES) _Atomic unsigned long word[NR_CLASSES];
	_Atomic unsigned long row[NR_CLASSES];	/* where searches ended: hints */
	_Atomic unsigned long last_freed;	/* its own frees alone: tree * 8 + in a row */
};
_Static_assert(sizeof(struct local) == LINE_BYTES, "a CPU's words are one line");

struct llfree_zone {
	unsigned long start_pfn;	/* set at create, as is all here */
	unsigned long end_pfn;
	unsigned long base_pfn;		/* of child 0 */
	unsigned long nr_children;
	unsigned long nr_trees;
	unsigned long nr_cpus;
	unsigned int tree_shift;	/* log2 of the children of a tree */
	bool reserve_on_free;
	unsigned long near;		/* trees of a vicinity that a search looks at first */
	unsigned long vicinity;		/* a power of two */
	_Atomic unsigned long *rows;	/* 1: in use, reserved, or no page */
	_Atomic uint16_t *children;	/* a cache line for each tree */
	_Atomic uint32_t *trees;
	struct local *locals;		/* one for each CPU; NULL: no more trees than CPUs */
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
	return container_of_const(a, struct llfree, base);
}

static inline unsigned long tree_children(const struct llfree_zone *z)
{
	return 1UL << z->tree_shift;
}

static inline uint32_t tree_pages(const struct llfree_zone *z)
{
	return (uint32_t)(tree_children(z) * CHILD_PAGES);
}

static inline uint32_t tree_free(uint32_t word)
{
	return word & TREE_FREE;
}

static inline enum tree_class tree_class(uint32_t word)
{
	return (enum tree_class)((word & ~TREE_RESERVED) >> TREE_CLASS_SHIFT);
}

/* A tree that nobody has reserved. Where all is free it is for whole children. */
static inline uint32_t tree_word(const struct llfree_zone *z, uint32_t nr_free,
				 enum tree_class class)
{
	assert(nr_free <= tree_pages(z));
	if (nr_free == tree_pages(z))
		class = CLASS_HUGE;
	return (uint32_t)class << TREE_CLASS_SHIFT | nr_free;
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
 * Take 2^order pages, looking from a row on; the pfn, or PFN_NONE. Of
 * PAIR_ORDER, the child is the first of two.
 */
unsigned long child_get(struct llfree_zone *z, unsigned long child,
			unsigned int order, unsigned long from_row);

/* Give 2^order pages back; the first is counted from the zone's base. */
void child_put(struct llfree_zone *z, unsigned long page, unsigned int order);

/* A child, if it was taken whole, is described by bits from now on. */
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
