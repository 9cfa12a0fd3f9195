/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy.h - the buddy policy, written once for every page representation
 *
 *    alloc      smallest order that has a block; split it, the low half on
 *    free       join with the buddy while it is free; put the block on a list
 *    zones      from the highest one allowed downwards
 *
 *    free lists of a zone, one for each order and mobility type:
 *        order 10   [ ]  occupied = 0b 0..1001
 *        ...
 *        order  3   [block]
 *        order  0   [block][block]
 *
 * What differs between "64-byte struct page with linked lists", "two words
 * with deques" and the rest is how a page says what it is and how a list is
 * linked: a struct buddy_repr. The functions here are always inlined into a
 * backend that passes its table as a constant, so the compiler folds every
 * call through it: two backends differ in their representation and in nothing
 * else, and the hot path makes no indirect call.
 *
 * Invariants:  no two free buddies of equal order in one zone
 *              bit o of occupied[t] set  <=>  nr_free[o][t] > 0
 *              free + allocated + nodes + stash + reserved == pages in no hole
 */
#ifndef PAGETAX_ALLOC_BUDDY_POLICY_H
#define PAGETAX_ALLOC_BUDDY_POLICY_H

#include <assert.h>
#include <errno.h>

#include "alloc/allocator.h"
#include "base/bits.h"

/* Free lists per order: unmovable, movable, reclaimable, high-atomic. */
#define BUDDY_NR_TYPES 4

enum list_end {
	LIST_HEAD,			/* hot: the next block handed out */
	LIST_TAIL,			/* cold */
};

struct buddy_zone {
	const struct zone *zone;	/* set at create, as are the next four */
	unsigned long start_pfn;
	unsigned long end_pfn;
	unsigned int index;
	unsigned int nr_types;		/* types that have lists of their own */

	uint32_t occupied[BUDDY_NR_TYPES];
	unsigned long nr_free[NR_PAGE_ORDERS][BUDDY_NR_TYPES];	/* blocks */
	unsigned long free_pages;
	unsigned long allocated;	/* pages in callers' hands, adopted ones too */
	unsigned long reserved;		/* pages never released nor adopted */
};

struct buddy {
	struct allocator base;
	unsigned int nr_zones;
	struct buddy_zone *zones[MAX_NR_ZONES];
	uint8_t *block_type;		/* mobility type of each pageblock */
};

static inline struct buddy *to_buddy(struct allocator *a)
{
	return container_of(a, struct buddy, base);
}

static inline const struct buddy *to_const_buddy(const struct allocator *a)
{
	return (const struct buddy *)((const char *)a -
				      offsetof(struct buddy, base));
}

/* What the first page of something says it is. */
enum buddy_kind {
	KIND_NONE,			/* no head: a tail, a reserved page, a hole */
	KIND_FREE,
	KIND_ALLOCATED,
	KIND_PCP,
	KIND_NODE,
	KIND_STASH,
};

struct buddy_repr {
	/* Whether pfn is the head of a free block of exactly this order. */
	bool (*is_free)(const struct buddy *b, unsigned long pfn,
			unsigned int order);

	/* What the page says, and of which order; for queries and checks. */
	enum buddy_kind (*kind)(const struct buddy *b, unsigned long pfn,
				unsigned int *order);

	/* The page heads an allocated block, or nothing (a tail) again. */
	void (*set_allocated)(struct buddy *b, struct buddy_zone *z,
			      unsigned long pfn, unsigned int order);
	void (*clear)(struct buddy *b, unsigned long pfn);

	/* The list of one order and type. del and pop clear the page's words. */
	void (*add)(struct buddy *b, struct buddy_zone *z, unsigned long pfn,
		    unsigned int order, unsigned int type, enum list_end end);
	void (*del)(struct buddy *b, struct buddy_zone *z, unsigned long pfn,
		    unsigned int order, unsigned int type);
	unsigned long (*pop)(struct buddy *b, struct buddy_zone *z,
			     unsigned int order, unsigned int type);

	/*
	 * Optional, for lists that need memory of their own. make_room: the
	 * list is about to get this block; false when the block was used up to
	 * make room and must not be added. evict: pfn, a single page, is being
	 * freed, and its buddy is no free page; true when the buddy carried
	 * metadata that went elsewhere, and the two may merge. settle: the
	 * operation is over; free what it released. last_resort: no list can
	 * serve; a page that was set aside, or PFN_NONE, after which the lists
	 * are tried once more.
	 */
	bool (*make_room)(struct buddy *b, struct buddy_zone *z,
			  unsigned long pfn, unsigned int order,
			  unsigned int type, enum list_end end);
	bool (*evict)(struct buddy *b, struct buddy_zone *z,
		      unsigned long pfn, unsigned long buddy);
	void (*settle)(struct buddy *b, struct buddy_zone *z);
	unsigned long (*last_resort)(struct buddy *b, struct buddy_zone *z,
				     unsigned int order);

	/* Check one list against the descriptors, and what else there is. */
	int (*verify_list)(const struct buddy *b, const struct buddy_zone *z,
			   unsigned int order, unsigned int type,
			   struct msg *msg);
	int (*verify_zone)(const struct buddy *b, const struct buddy_zone *z,
			   struct msg *msg);
	void (*node_counts)(const struct buddy *b, const struct buddy_zone *z,
			    unsigned long *nodes, unsigned long *stash);
};

/* The zone that spans pfn, which must be in one. */
static __always_inline struct buddy_zone *buddy_zone_of(const struct buddy *b,
							unsigned long pfn)
{
	unsigned int i = b->nr_zones - 1;

	while (pfn < b->zones[i]->start_pfn)
		i--;
	return b->zones[i];
}

/* The list a block belongs on. One type until mobility types are told apart. */
static __always_inline unsigned int buddy_type(const struct buddy *b,
					       const struct buddy_zone *z,
					       unsigned long pfn)
{
	if (z->nr_types == 1)
		return 0;
	return b->block_type[pfn >> PAGEBLOCK_ORDER];
}

static __always_inline void count_listed(struct buddy_zone *z,
					 unsigned int order, unsigned int type)
{
	z->nr_free[order][type]++;
	z->occupied[type] |= 1U << order;
	z->free_pages += 1UL << order;
}

static __always_inline void count_unlisted(struct buddy_zone *z,
					   unsigned int order, unsigned int type)
{
	if (--z->nr_free[order][type] == 0)
		z->occupied[type] &= ~(1U << order);
	z->free_pages -= 1UL << order;
}

/* Put a block on its list; it may be used up instead (see make_room). */
static __always_inline void buddy_insert(const struct buddy_repr *r,
					 struct buddy *b, struct buddy_zone *z,
					 unsigned long pfn, unsigned int order,
					 unsigned int type, enum list_end end)
{
	if (r->make_room && !r->make_room(b, z, pfn, order, type, end))
		return;
	r->add(b, z, pfn, order, type, end);
	count_listed(z, order, type);
}

/* Take a block off its list. */
static __always_inline void buddy_remove(const struct buddy_repr *r,
					 struct buddy *b, struct buddy_zone *z,
					 unsigned long pfn, unsigned int order,
					 unsigned int type)
{
	r->del(b, z, pfn, order, type);
	count_unlisted(z, order, type);
}

/* Take the first block of a list that is not empty. */
static __always_inline unsigned long buddy_pop(const struct buddy_repr *r,
					       struct buddy *b,
					       struct buddy_zone *z,
					       unsigned int order,
					       unsigned int type)
{
	unsigned long pfn = r->pop(b, z, order, type);

	count_unlisted(z, order, type);
	return pfn;
}

/*
 * Free a block: join it with its buddy as long as that is free, then list it.
 *
 *   0 1 2 3        free 2, order 0: buddy 3 is free -> [2 3], order 1
 *   F F A F        buddy [0 1] is free of order 1    -> [0..3], order 2
 */
static __always_inline void buddy_merge(const struct buddy_repr *r,
					struct buddy *b, struct buddy_zone *z,
					unsigned long pfn, unsigned int order,
					enum list_end end)
{
	unsigned int type = buddy_type(b, z, pfn);

	while (order < MAX_PAGE_ORDER) {
		unsigned long buddy = pfn_buddy(pfn, order);

		if (unlikely(buddy < z->start_pfn || buddy >= z->end_pfn))
			break;
		if (r->is_free(b, buddy, order))
			buddy_remove(r, b, z, buddy, order,
				     buddy_type(b, z, buddy));
		else if (!r->evict || order > 0 || !r->evict(b, z, pfn, buddy))
			break;
		pfn &= buddy;
		order++;
		b->base.stats.merges++;
	}
	buddy_insert(r, b, z, pfn, order, type, end);
}

/* Serve from one zone, or PFN_NONE. */
static __always_inline unsigned long buddy_zone_alloc(const struct buddy_repr *r,
						      struct buddy *b,
						      struct buddy_zone *z,
						      unsigned int order,
						      unsigned int type)
{
	uint32_t above = z->occupied[type] >> order;
	unsigned int from;
	unsigned long pfn;

	if (!above)
		return PFN_NONE;
	from = order + lowest_bit(above);
	pfn = buddy_pop(r, b, z, from, type);
	while (from > order) {
		from--;
		buddy_insert(r, b, z, pfn + (1UL << from), from, type, LIST_HEAD);
		b->base.stats.splits++;
	}
	r->set_allocated(b, z, pfn, order);
	z->allocated += 1UL << order;
	if (r->settle)
		r->settle(b, z);
	return pfn;
}

static __always_inline unsigned long buddy_alloc(const struct buddy_repr *r,
						 struct allocator *a,
						 const struct alloc_req *req)
{
	struct buddy *b = to_buddy(a);
	unsigned int top = min_t(unsigned int, req->zone_limit, b->nr_zones - 1);
	unsigned long pfn;

	for (unsigned int i = top + 1; i-- > 0;) {
		struct buddy_zone *z = b->zones[i];

		pfn = buddy_zone_alloc(r, b, z, req->order,
				       z->nr_types == 1 ? 0 : req->migratetype);
		if (likely(pfn != PFN_NONE))
			return pfn;
	}
	for (unsigned int i = top + 1; r->last_resort && i-- > 0;) {
		struct buddy_zone *z = b->zones[i];

		pfn = r->last_resort(b, z, req->order);
		if (pfn != PFN_NONE) {
			r->set_allocated(b, z, pfn, req->order);
			z->allocated += 1UL << req->order;
			return pfn;
		}
		pfn = buddy_zone_alloc(r, b, z, req->order,
				       z->nr_types == 1 ? 0 : req->migratetype);
		if (pfn != PFN_NONE)
			return pfn;
	}
	return PFN_NONE;
}

static __always_inline void buddy_free(const struct buddy_repr *r,
				       struct allocator *a, unsigned long pfn,
				       unsigned int order)
{
	struct buddy *b = to_buddy(a);
	struct buddy_zone *z = buddy_zone_of(b, pfn);

	r->clear(b, pfn);
	z->allocated -= 1UL << order;
	buddy_merge(r, b, z, pfn, order, LIST_HEAD);
	if (r->settle)
		r->settle(b, z);
}

static __always_inline void buddy_release(const struct buddy_repr *r,
					  struct allocator *a,
					  unsigned long pfn, unsigned int order)
{
	struct buddy *b = to_buddy(a);
	struct buddy_zone *z = buddy_zone_of(b, pfn);

	z->reserved -= 1UL << order;
	buddy_merge(r, b, z, pfn, order, LIST_HEAD);
	if (r->settle)
		r->settle(b, z);
}

static __always_inline int buddy_adopt(const struct buddy_repr *r,
				       struct allocator *a, unsigned long pfn,
				       unsigned int order)
{
	struct buddy *b = to_buddy(a);
	struct buddy_zone *z = buddy_zone_of(b, pfn);

	r->set_allocated(b, z, pfn, order);
	z->reserved -= 1UL << order;
	z->allocated += 1UL << order;
	return 0;
}

/* An allocated block becomes several; their heads say so. */
static __always_inline bool buddy_split(const struct buddy_repr *r,
					struct allocator *a, unsigned long pfn,
					unsigned int order,
					unsigned int new_order)
{
	struct buddy *b = to_buddy(a);
	struct buddy_zone *z = buddy_zone_of(b, pfn);

	for (unsigned long at = 0; at < 1UL << order; at += 1UL << new_order)
		r->set_allocated(b, z, pfn + at, new_order);
	return true;
}

/* What needs no inlining: src/alloc/buddy/policy.c. */

/*
 * Set up the zones of b, whose zone structs the backend has allocated at
 * b->zones[0..nr_zones). 0, or -ENOMEM with a message.
 */
int buddy_init(struct buddy *b, const struct allocator_ops *ops,
	       struct machine *m, struct msg *msg);

/* Undo buddy_init(), however far it came. */
void buddy_exit(struct buddy *b);

void buddy_set_block_type(struct allocator *a, unsigned long pfn,
			  unsigned int migratetype);
void buddy_free_area(const struct allocator *a, unsigned int zone,
		     unsigned long nr_free[NR_PAGE_ORDERS]);
void buddy_counts(const struct buddy_repr *r, const struct allocator *a,
		  unsigned int zone, struct page_counts *counts);
void buddy_query(const struct buddy_repr *r, const struct allocator *a,
		 unsigned long pfn, struct page_info *info);
int buddy_verify(const struct buddy_repr *r, const struct allocator *a,
		 struct msg *msg);

#endif
