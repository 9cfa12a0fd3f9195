/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * twoword.h - two words a page: the quick half, inlined into the policy
 *
 * twoword.c has the design, twoword_word.h the words.
 *
 *    twoword.h          a block enters and leaves its list, in inline slots
 *    twoword_nodes.c    where a list's leaves come from, move to and go
 *    twoword_check.c    whether all of it holds
 *    twoword.c          zones and lists made; the table of operations
 */
#ifndef PAGETAX_ALLOC_BUDDY_TWOWORD_H
#define PAGETAX_ALLOC_BUDDY_TWOWORD_H

#include "alloc/buddy/twoword_word.h"
#include "freelist.h"
#include "lib/deque.h"
#include "xor_list.h"

/* Types that are not told apart leave their lists unused. */
#define NR_LISTS (NR_PAGE_ORDERS * BUDDY_NR_TYPES)

enum { NODES_ANY, NODES_LOWMEM, NODES_HIGHMEM, NODES_BOOT };	/* option nodes= */

struct twoword_zone {
	struct buddy_zone base;
	struct node_store store;	/* of this zone's trees: leaves are pages */
	struct node_store pool_store;	/* of those whose leaves come from the pool */
	unsigned char *pool;		/* leaves set aside at create, pool_bytes in all */
	uint64_t pool_bytes;
	uint64_t pool_used;		/* bytes that were ever handed out */
	void *pool_free;		/* first of the leaves that came back, chained; or NULL */
	struct twoword *tw;
	struct deque lists[NR_LISTS];	/* by list_index() */
	void *slots;			/* their inline slots, slot_bytes in all */
	size_t slot_bytes;
	unsigned long pending;		/* first of a chain through word 1, or PFN_NONE */
	unsigned long stash;		/* or PFN_NONE */
	unsigned long nr_nodes;		/* pages that are leaves */
	unsigned long zone_bits;	/* of word 0, set at create */
	bool unsettled;			/* something is pending, or a node has gone */
	bool crowded;			/* a free page of order 0 may stand beside a node */
};

struct twoword {
	struct buddy buddy;
	struct twoword_page *pages;	/* set at create, as is all but cpu */
	bool relocate;
	unsigned int nodes;		/* NODES_ANY, ... */
	unsigned int cpu;		/* whose map slots this operation uses */
	struct twoword_zone zones[];
};

static inline struct twoword *to_twoword(const struct buddy *b)
{
	return (struct twoword *)(uintptr_t)container_of_const(b, struct twoword, buddy);
}

static inline struct twoword_zone *to_zone(const struct buddy_zone *z)
{
	return (struct twoword_zone *)(uintptr_t)container_of_const(z, struct twoword_zone, base);
}

static inline struct twoword_page *page_of(const struct buddy *b,
					   unsigned long pfn)
{
	return &to_twoword(b)->pages[pfn];
}

static inline unsigned int list_index(unsigned int order, unsigned int type)
{
	return order * BUDDY_NR_TYPES + type;
}

static inline bool list_in_use(const struct buddy_zone *z, unsigned int index)
{
	return index % BUDDY_NR_TYPES < z->nr_types;
}

/* Whether its leaves come from the pool, and are no pages. */
static inline bool list_has_pool(const struct twoword_zone *tz,
				 const struct deque *list)
{
	return list->tree.store == &tz->pool_store;
}

static inline struct deque *list_of(const struct buddy_zone *z,
				    unsigned int order, unsigned int type)
{
	return &to_zone(z)->lists[list_index(order, type)];
}

static inline enum deque_end deque_end(enum list_end end)
{
	return end == LIST_HEAD ? DEQUE_HEAD : DEQUE_TAIL;
}

/* Entries are relative to the zone's start, so that four bytes reach 16 TiB. */
static inline unsigned long entry_of(const struct buddy_zone *z,
				     unsigned long pfn)
{
	return pfn - z->start_pfn;
}

static inline unsigned long pfn_of(const struct buddy_zone *z,
				   unsigned long entry)
{
	return z->start_pfn + entry;
}
/* A page's second word follows its entry at once. */
static inline void entry_moved(void *ctx, unsigned long entry, uint32_t slot)
{
	struct twoword_zone *tz = ctx;

	tz->tw->pages[pfn_of(&tz->base, entry)].word1 = slot;
}

/* Whoever takes an entry writes to its page. */
static void entries_near(void *ctx, const struct deque *list, const void *entries,
			 uint32_t nr)
{
	struct twoword_zone *tz = ctx;
	struct twoword_page *pages = &tz->tw->pages[tz->base.start_pfn];

	__asm__ volatile("" : "+r"(pages));	/* else gcc finds the function has no effect */
	for (uint32_t i = 0; i < nr; i++)
		__builtin_prefetch(&pages[deque_read(list, entries, i)], 1);
}

static const struct deque_hooks list_hooks = {
	.moved = entry_moved,
	.near = entries_near,
};

/* twoword_nodes.c: the slow half of what the policy asks. */

extern const struct node_store_ops twoword_store_ops, twoword_pool_store_ops;

/* Set the leaves aside that lists from this order up can have; false without room. */
bool twoword_make_pool(struct twoword_zone *tz, const struct deque_config *cfg,
		       unsigned int order);

bool twoword_make_room(struct buddy *b, struct buddy_zone *z, unsigned long pfn,
		       unsigned int order, unsigned int type, enum list_end end);
bool twoword_evict(struct buddy *b, struct buddy_zone *z, unsigned long pfn,
		   unsigned long buddy);
void twoword_settle(struct buddy *b, struct buddy_zone *z);
unsigned long twoword_last_resort(struct buddy *b, struct buddy_zone *z,
				  unsigned int order);

/* The page that a leaf is. */
unsigned long twoword_node_pfn(const struct twoword *tw, struct node_ref ref);

/* The buddy of a page if it is a node, or PFN_NONE. */
unsigned long twoword_node_beside(const struct twoword_zone *tz,
				  unsigned long pfn);

/* twoword_check.c: whether it all holds, and what can matter later. */

int twoword_verify_list(const struct buddy *b, const struct buddy_zone *z,
			unsigned int order, unsigned int type, struct msg *msg);
int twoword_verify_zone(const struct buddy *b, const struct buddy_zone *z,
			struct msg *msg);
uint64_t twoword_fingerprint(const struct allocator *a);

static inline bool twoword_is_free(const struct buddy *b, unsigned long pfn,
				   unsigned int order)
{
	return tw_is(page_of(b, pfn)->state, TW_FREE, order);
}

static inline enum buddy_kind twoword_kind(const struct buddy *b,
					   unsigned long pfn,
					   unsigned int *order)
{
	static const enum buddy_kind kinds[16] = {
		[TW_NONE] = KIND_NONE, [TW_FREE] = KIND_FREE,
		[TW_ALLOCATED] = KIND_ALLOCATED, [TW_PCP] = KIND_PCP,
		[TW_NODE] = KIND_NODE, [TW_STASH] = KIND_STASH,
	};
	struct tw_state state = page_of(b, pfn)->state;

	*order = tw_order(state);
	return kinds[tw_kind(state)];
}

static inline void twoword_set_allocated(struct buddy *b, struct buddy_zone *z,
					 unsigned long pfn, unsigned int order)
{
	page_of(b, pfn)->state = tw_state_in(to_zone(z)->zone_bits, TW_ALLOCATED,
					     order, 0);
}

static inline void twoword_clear(struct buddy *b, unsigned long pfn)
{
	page_of(b, pfn)->state.bits = 0;
}

static __always_inline void twoword_add(struct buddy *b, struct buddy_zone *z,
					unsigned long pfn, unsigned int order,
					unsigned int type, enum list_end end)
{
	struct twoword_page *page = page_of(b, pfn);

	page->state = tw_state_in(to_zone(z)->zone_bits, TW_FREE, order, type);
	page->word1 = deque_push(list_of(z, order, type), deque_end(end),
				 entry_of(z, pfn));
}

static __always_inline void twoword_del(struct buddy *b, struct buddy_zone *z,
			       unsigned long pfn, unsigned int order,
			       unsigned int type, enum list_end fill)
{
	struct twoword_page *page = page_of(b, pfn);

	page->state.bits = 0;
	deque_del(list_of(z, order, type), (uint32_t)page->word1, deque_end(fill),
		  &list_hooks, to_zone(z));
}

static inline unsigned long twoword_pop(struct buddy *b, struct buddy_zone *z,
					unsigned int order, unsigned int type)
{
	unsigned long pfn = pfn_of(z, deque_pop_head(list_of(z, order, type)));

	page_of(b, pfn)->state.bits = 0;
	return pfn;
}

static inline unsigned long twoword_peek(struct buddy *b, struct buddy_zone *z,
					 unsigned int order, unsigned int type,
					 enum list_end end)
{
	(void)b;
	return pfn_of(z, deque_peek(list_of(z, order, type), deque_end(end)));
}

static inline unsigned long *parked_link(const struct buddy *b,
					 unsigned long pfn)
{
	return &page_of(b, pfn)->word1;
}

static inline void twoword_park(struct buddy *b, struct buddy_zone *z,
				struct link_list *list, unsigned long pfn,
				unsigned int order, enum list_end end)
{
	page_of(b, pfn)->state = tw_state(TW_PCP, order, 0, z->index);
	xor_list_push(b, list, parked_link, pfn, end);
}

static inline unsigned long twoword_unpark(struct buddy *b,
					   struct buddy_zone *z,
					   struct link_list *list,
					   enum list_end end)
{
	unsigned long pfn = xor_list_pop(b, list, parked_link, end);

	(void)z;
	page_of(b, pfn)->state.bits = 0;
	return pfn;
}

static inline unsigned long twoword_next_parked(const struct buddy *b,
						unsigned long pfn,
						unsigned long prev)
{
	return xor_list_next(b, parked_link, pfn, prev);
}

static inline unsigned long twoword_parked_pfn(const struct buddy *b,
						uint64_t place)
{
	(void)b;
	return xor_end_pfn(place);
}
static inline void twoword_node_counts(const struct buddy *b,
				       const struct buddy_zone *z,
				       unsigned long *nodes,
				       unsigned long *stash)
{
	const struct twoword_zone *tz = to_zone(z);

	(void)b;
	*nodes = tz->nr_nodes;
	*stash = tz->stash != PFN_NONE;
}

/* Whether the zone has exactly one free page of order 0. */
static inline bool one_free_page(const struct buddy_zone *z)
{
	unsigned long nr = z->nr_free[0][0];

	for (unsigned int type = 1; nr <= 1 && type < z->nr_types; type++)
		nr += z->nr_free[0][type];
	return nr == 1;
}

/* The quick answers are inline. */

/* A slot waits for it, and there is no neighbour to relieve. */
static inline bool can_push(const struct buddy_zone *z, unsigned int order,
			    unsigned int type, enum list_end end)
{
	const struct deque *list = list_of(z, order, type);

	return (end == LIST_HEAD ? deque_push_is_inline(list, DEQUE_HEAD) :
				   deque_push_fits(list, DEQUE_TAIL)) &&
	       (likely(!to_zone(z)->crowded) || order > 0);
}

static inline bool can_pop(const struct buddy_zone *z, unsigned int order,
			   unsigned int type)
{
	return deque_pop_is_inline(list_of(z, order, type));
}

static inline bool evict(struct buddy *b, struct buddy_zone *z,
			 unsigned long pfn, unsigned long buddy)
{
	if (likely(!tw_carries_metadata(page_of(b, buddy)->state)))
		return false;
	return twoword_evict(b, z, pfn, buddy);
}

/* A free buddy, or one that evict() has to look at. */
static inline bool may_join(const struct buddy *b, unsigned long buddy)
{
	return tw_may_join_single(page_of(b, buddy)->state);
}

static inline void settle(struct buddy *b, struct buddy_zone *z)
{
	if (unlikely(to_zone(z)->unsettled))
		twoword_settle(b, z);
}

static inline const void *twoword_memmap(const struct buddy *b)
{
	return page_of(b, 0);
}

static const struct buddy_repr twoword_repr = {
	.memmap = twoword_memmap,
	.desc_bytes = sizeof(struct twoword_page),
	.is_free = twoword_is_free,
	.kind = twoword_kind,
	.set_allocated = twoword_set_allocated,
	.clear = twoword_clear,
	.add = twoword_add,
	.del = twoword_del,
	.pop = twoword_pop,
	.peek = twoword_peek,
	.park = twoword_park,
	.unpark = twoword_unpark,
	.next_parked = twoword_next_parked,
	.parked_pfn = twoword_parked_pfn,
	.may_join = may_join,
	.can_push = can_push,
	.can_pop = can_pop,
	.make_room = twoword_make_room,
	.evict = evict,
	.settle = settle,
	.last_resort = twoword_last_resort,
	.verify_list = twoword_verify_list,
	.verify_zone = twoword_verify_zone,
	.node_counts = twoword_node_counts,
};

#endif
