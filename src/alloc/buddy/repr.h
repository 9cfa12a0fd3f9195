/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * repr.h - what a buddy backend brings along, and what all of them share
 *
 *    struct buddy ---- zones[] ---- free lists by order and mobility type
 *        |                |         marks, reserves
 *        |                `-------- per-CPU lists by order and mobility type
 *        |
 *    struct buddy_repr: how a page says what it is, how a list is linked
 *
 * The first is the policy's state, alike for all; the second is what differs
 * between "64-byte struct page with linked lists", "two words with deques" and
 * the rest. A backend embeds struct buddy and struct buddy_zone in its own, and
 * passes its struct buddy_repr to the policy as a constant.
 */
#ifndef PAGETAX_ALLOC_BUDDY_REPR_H
#define PAGETAX_ALLOC_BUDDY_REPR_H

#include <assert.h>
#include <errno.h>

#include "alloc/allocator.h"
#include "base/bits.h"

/* Free lists per order: unmovable, movable, reclaimable, high-atomic. */
#define BUDDY_NR_TYPES 4

enum list_end {
	LIST_HEAD,			/* hot: the next block handed out */
	LIST_TAIL,			/* cold */
	LIST_BY_RULE,			/* a freed block: see merge_is_likely() */
};

/*
 * Orders that per-CPU lists hold: 0 to 3 of three types, and huge pages, which
 * are movable or not.
 */
#define PCP_MAX_ORDER 3
#define PCP_NR_TYPES 3
#define PCP_NR_SMALL ((PCP_MAX_ORDER + 1) * PCP_NR_TYPES)
#define PCP_NR_LISTS (PCP_NR_SMALL + 2)

/*
 * The ends of a list. A place is what a link can point to: a pfn, for most
 * representations.
 */
#define LINK_END UINT64_MAX		/* no neighbour */

struct link_list {
	uint64_t first;			/* LINK_END in an empty list */
	uint64_t last;
};

/* The per-CPU lists of one zone and CPU; all counts in pages. See pcp.h. */
struct pcp {
	int count;			/* parked */
	int high;			/* drain from here on */
	int high_min;			/* set at create, as are the next two */
	int high_max;
	int batch;
	int free_count;			/* freed lately, halved by each allocation */
	uint8_t alloc_factor;		/* log2 of batches per refill */
	bool prev_free_high_order;	/* the last free had order 1 to 3 */
	struct link_list lists[PCP_NR_LISTS];	/* first: handed out next */
};

enum zone_mark {
	MARK_MIN,
	MARK_LOW,
	MARK_HIGH,
	NR_MARKS,
};

#define CACHE_LINE 64
#define MAX_LOOKAHEAD 16		/* a power of two */

/* Buddies of so many orders are fetched ahead; few frees look further. */
#define PREFETCH_ORDERS 3

/* What waits is small, as on per-CPU lists. */
#define QUEUE_MAX_ORDER PCP_MAX_ORDER

struct buddy_zone {
	const struct zone *zone;	/* set at create, as are the next seven */
	unsigned long start_pfn;
	unsigned long end_pfn;
	unsigned int index;
	unsigned int nr_types;		/* types that have lists of their own */
	unsigned long mark[NR_MARKS];	/* pages, see watermark.h */
	bool nofragment;		/* preferred: pageblocks elsewhere come first */
	struct pcp *pcps;		/* by CPU; NULL: no per-CPU lists */
	struct placement *placement;	/* NULL: last in, first out; see placement.h */

	uint32_t occupied[BUDDY_NR_TYPES];
	unsigned long nr_free[NR_PAGE_ORDERS][BUDDY_NR_TYPES];	/* blocks */
	unsigned long free_pages;
	unsigned long parked;		/* pages in per-CPU lists */
	unsigned long allocated;	/* pages in callers' hands, adopted ones too */
	unsigned long reserved;		/* pages never released nor adopted */
	unsigned long boost;		/* added to each mark, pages */
	unsigned long highatomic;	/* pages in pageblocks of that type */
	bool below_high;		/* fell short of the high mark, not back yet */
};

/* What a user may switch off, so that its share can be seen. */
struct buddy_policy {
	bool mobility;
	bool pcp;
	bool tail_rule;
	bool marks;			/* and some zone has marks */
	bool placed;			/* each zone has a placement */
	unsigned int lookahead;		/* freed blocks that may wait, below MAX_LOOKAHEAD */
};

struct buddy {
	struct allocator base;
	unsigned int nr_zones;
	struct buddy_policy policy;	/* set at create */
	struct buddy_zone *zones[MAX_NR_ZONES];
	uint8_t *block_type;		/* mobility type of each pageblock */

	struct queued_block {
		unsigned long pfn;
		unsigned int order;
	} queue[MAX_LOOKAHEAD];		/* a ring: freed blocks that wait */
	uint32_t queue_in;		/* that came, ever, and that went */
	uint32_t queue_out;

	/*
	 * A bit for each page: heads a block that was asked for as movable. It
	 * stands for what Linux sees on the owner's side (the page is on an LRU
	 * list), so it is nobody's metadata. NULL without mobility types.
	 */
	unsigned long *lru;
};

static inline struct buddy *to_buddy(struct allocator *a)
{
	return container_of(a, struct buddy, base);
}

static inline const struct buddy *to_const_buddy(const struct allocator *a)
{
	return container_of_const(a, struct buddy, base);
}

/* A fingerprint of the queue: what waits matters later. */
uint64_t buddy_queue_hash(const struct buddy *b);

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

	/* The descriptors of all pages, in pfn order, and the bytes of one. */
	const void *(*memmap)(const struct buddy *b);
	size_t desc_bytes;

	/* The page heads an allocated block, or nothing (a tail) again. */
	void (*set_allocated)(struct buddy *b, struct buddy_zone *z,
			      unsigned long pfn, unsigned int order);
	void (*clear)(struct buddy *b, unsigned long pfn);

	/*
	 * The list of one order and type. del and pop clear the page's words;
	 * pop takes the head. peek says what stands at an end of a list that is
	 * not empty. Where another entry has to fill a gap, del takes it from the
	 * `fill` end. Ends are LIST_HEAD or LIST_TAIL.
	 */
	void (*add)(struct buddy *b, struct buddy_zone *z, unsigned long pfn,
		    unsigned int order, unsigned int type, enum list_end end);
	void (*del)(struct buddy *b, struct buddy_zone *z, unsigned long pfn,
		    unsigned int order, unsigned int type, enum list_end fill);
	unsigned long (*pop)(struct buddy *b, struct buddy_zone *z,
			     unsigned int order, unsigned int type);
	unsigned long (*peek)(struct buddy *b, struct buddy_zone *z,
			      unsigned int order, unsigned int type,
			      enum list_end end);

	/*
	 * Per-CPU lists. park: a block whose words are clear goes to an end and
	 * says KIND_PCP; unpark: the block at an end of a list that is not empty
	 * leaves, its words clear. For checks, next_parked: the block behind pfn
	 * on the way from the head, whose predecessor was prev (PFN_NONE: none),
	 * and parked_pfn, where a place is no pfn.
	 */
	void (*park)(struct buddy *b, struct buddy_zone *z,
		     struct link_list *list, unsigned long pfn,
		     unsigned int order, enum list_end end);
	unsigned long (*unpark)(struct buddy *b, struct buddy_zone *z,
				struct link_list *list, enum list_end end);
	unsigned long (*next_parked)(const struct buddy *b, unsigned long pfn,
				     unsigned long prev);
	unsigned long (*parked_pfn)(const struct buddy *b, uint64_t place);

	/*
	 * Optional, where a block needs a descriptor of its own: one block of
	 * this order is about to be taken from the zone's lists, perhaps cut from
	 * a larger one. False when that could not be described; the zone then
	 * serves nothing. Called before any list is looked at.
	 */
	bool (*secure)(struct buddy *b, struct buddy_zone *z, unsigned int order);

	/*
	 * Optional: what the fast paths ask before they begin (see policy.h).
	 * may_join: the buddy of a page being freed is free, or evict has to
	 * look at it (left out: it is free). can_push, can_pop: no more than add
	 * or pop is to be done to that list (left out: always, or if it has a
	 * block).
	 */
	bool (*may_join)(const struct buddy *b, unsigned long buddy);
	bool (*can_push)(const struct buddy_zone *z, unsigned int order,
			 unsigned int type, enum list_end end);
	bool (*can_pop)(const struct buddy_zone *z, unsigned int order,
			unsigned int type);

	/*
	 * Optional, for lists that need memory of their own. make_room: the
	 * list is about to get this block, and can_push said no; false when the
	 * block was used up to make room and must not be added. evict: pfn, a
	 * single page, is being freed, and its buddy is no free page; true when
	 * the buddy carried metadata that went elsewhere, and the two may merge.
	 * settle: the operation is over; free what it released. last_resort: no
	 * list can serve; a page that was set aside, or PFN_NONE, after which the
	 * lists are tried once more.
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

#endif
