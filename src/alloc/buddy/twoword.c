/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * twoword.c - two words a page; free lists are deques made of free pages
 *
 *    descriptors, 16 bytes a page         free list of one order: a deque
 *    word 0 (state)   word 1
 *    free, order 3  | slot 17  --------->  leaf  [ ... | pfn | ... ]
 *    (tail)         | stale                 ^      slot 17 holds this pfn
 *    node           | list, leaf  ----------+      the leaf is this page
 *    allocated      | memdesc
 *    per-CPU        | prev ^ next                  parked: see xor_list.h
 *
 * A free block is listed by one 4-byte pfn in a deque, and its first page
 * keeps the slot, so it leaves from the middle without a search: an end entry
 * takes the gap and learns its new slot. A deque's leaves are pages of the
 * very memory it manages, taken from it while it is free; a leaf in high
 * memory is a tagged pfn, mapped with kmap_local to be looked at. The design
 * is K. Overstreet's (linux-mm, 26 October 2021); how free is kept from ever
 * allocating is worked out here.
 *
 * Freeing never allocates. A list whose inline slots and leaves are full gets
 * a leaf, in this order, from: a page released by this same operation; the
 * stash, one page set aside; a free page of order 0; the page being freed (a
 * page that becomes a leaf needs no entry); a page peeled off the block being
 * freed, whose rest is then freed in parts.
 *
 *    peel 1 page off order 2:   [ a b | c N ]  ->  [a b] order 1, [c] order 0
 *
 * A leaf that empties is only chained to the zone's pending pages; they are
 * freed in a loop when the operation is over, never recursively.
 *
 * Metadata destroys no contiguity. When a page is freed whose buddy carries a
 * leaf, the leaf is copied to another free page of order 0, its parent word
 * is set to the copy, and the two buddies merge. If there is no other, this
 * waits until one comes.
 *
 * Why it ends. Take the pair (entries + nodes + pending pages, pending pages).
 * Freeing a pending block of order k with m merges changes the first by
 * 1 - m - 2^k <= 0; turning it into a leaf, or peeling, keeps the first and
 * lowers the second; taking an entry as a leaf, or relocating, is followed by
 * an insertion that lowers the first. So each of these lowers the pair.
 *
 * Dropping an empty leaf to merge with it lowers the first as well, but the list
 * that lost it may be the one that the merged block goes to: then a page is
 * peeled off for it, the pair is as it was, and so on for ever. At the head this
 * cannot be, for an empty leaf is dropped only while there is an inline slot. At
 * the tail the rule for likely merges puts a block once in an operation, what
 * was freed; whatever is pending then goes to the head. A placement may put each
 * of them there: so its zones drop a leaf only while the list is all inline.
 *
 * Why no leaf survives in an all-free zone, where it ends at no odd place, has
 * no hole, and no pageblock is reserved (those join none of another type). The
 * top order's leaves are set aside at boot. Say m others remain. The buddy of
 * each is a leaf, too: a free page beside a node is the zone's only one, and the
 * stash, left alone while its buddy is in use, joined when that was freed. So
 * order 0 has at most one entry, and the leaves fill n >= 1 blocks of order 1,
 * but for that page: m >= 2n - 1. A free block of order k, 1 to 9, has a buddy
 * with leaves in it, another for each block: at most n entries an order, all
 * types together. A list has no leaf up to F = inline - hysteresis entries, and
 * then at most 3 (it may stand across the border of two, and keep a spare) and
 * one more for each 1024. With all lists at their worst
 *
 *    2n - 1 <= m <= 9 * (3 * floor(n / (F + 1)) + n / 1024)
 *
 * and F = 62, the default, leaves no n: below 63 the right side is 0, from 63 on
 * at most 0.44 n. (F = 12 would: 25 to 27 leaves that keep up each other.)
 *
 * Invariants:  entry[word1(p)] == p  for every free head p, and no other entry
 *              leaves of a list == needed for its entries, plus one spare at most
 *              a free page of order 0 beside a node is the zone's only one
 *              free + allocated + nodes + stash + reserved == present
 *
 * push, pop, del: O(depth) and at most one live map; relocation: two.
 */
#include <inttypes.h>

#include "alloc/buddy/twoword_word.h"
#include "lib/deque.h"
#include "policy.h"
#include "xor_list.h"

#define SUBSTITUTES_TRIED 16	/* entries looked at for a page whose buddy is no node */

/* Types that are not told apart leave their lists unused. */
#define NR_LISTS (NR_PAGE_ORDERS * BUDDY_NR_TYPES)

enum { NODES_ANY, NODES_LOWMEM, NODES_HIGHMEM, NODES_BOOT };	/* option nodes= */

struct twoword_zone {
	struct buddy_zone base;
	struct node_store store;	/* of this zone's trees: leaves are pages */
	struct node_store boot_store;	/* of the top order's: all set aside at boot */
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
	unsigned char *low_base;	/* address of pfn 0 for untagged references */
	bool relocate;
	unsigned int nodes;		/* NODES_ANY, ... */
	unsigned int cpu;		/* whose map slots this operation uses */
	struct twoword_zone zones[];
};

extern const struct allocator_ops twoword_ops;

static inline struct twoword *to_twoword(const struct buddy *b)
{
	return (struct twoword *)(uintptr_t)((const char *)b -
					     offsetof(struct twoword, buddy));
}

static inline struct twoword_zone *to_zone(const struct buddy_zone *z)
{
	return (struct twoword_zone *)(uintptr_t)((const char *)z -
				offsetof(struct twoword_zone, base));
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

/* --- node pages ------------------------------------------------------- */

static struct node_ref ref_of(const struct twoword *tw, unsigned long pfn)
{
	const struct machine *m = tw->buddy.base.machine;

	if (tw->nodes == NODES_HIGHMEM ||
	    (tw->nodes == NODES_ANY && machine_page_is_high(m, pfn)))
		return node_ref_high(pfn);
	return node_ref_low(tw->low_base + ((size_t)pfn << PAGE_SHIFT));
}

static unsigned long pfn_of_ref(const struct twoword *tw, struct node_ref ref)
{
	if (node_ref_is_high(ref))
		return node_ref_pfn(ref);
	return (unsigned long)((const unsigned char *)ref.bits - tw->low_base) >>
	       PAGE_SHIFT;
}

/* A page is no node any more. */
static void node_left(struct twoword_zone *tz, unsigned long pfn)
{
	struct allocator *a = &tz->tw->buddy.base;

	tz->unsettled = true;
	tz->nr_nodes--;
	a->stats.nodes--;
	a->stats.released++;
	machine_uncharge_page(a->machine, pfn);
}

/*
 * The top order's list grows while memory comes free, when no smaller page is
 * left to carry a leaf without tearing a block of the top order apart. It has
 * one page of leaves for 4 GiB, set aside at boot, as interior nodes are.
 */
static struct node_ref boot_get(struct node_store *store, unsigned int level,
				size_t bytes)
{
	struct twoword_zone *tz = container_of(store, struct twoword_zone, boot_store);
	void *node = machine_alloc(tz->tw->buddy.base.machine, bytes, META_structures);

	(void)level;
	return node ? node_ref_low(node) : NODE_REF_NONE;
}

static void boot_put(struct node_store *store, struct node_ref ref,
		     unsigned int level, size_t bytes)
{
	struct twoword_zone *tz = container_of(store, struct twoword_zone, boot_store);

	(void)level;
	machine_free(tz->tw->buddy.base.machine, (void *)ref.bits, bytes,
		     META_structures);
}

static const struct node_store_ops boot_store_ops = {
	.get = boot_get,
	.put = boot_put,
};

/* Interior nodes come at create, from the arena; leaves are handed in. */
static struct node_ref store_get(struct node_store *store, unsigned int level,
				 size_t bytes)
{
	struct twoword_zone *tz = container_of(store, struct twoword_zone, store);

	assert(level > 0);
	return boot_get(&tz->boot_store, level, bytes);
}

static void chain_pending(struct twoword_zone *tz, unsigned long pfn,
			  unsigned int order)
{
	struct twoword_page *page = &tz->tw->pages[pfn];

	page->state = tw_state(TW_PENDING, order, 0, tz->base.index);
	page->word1 = tz->pending;
	tz->pending = pfn;
	tz->unsettled = true;
}

/* A leaf has emptied: it waits for the end of the operation. */
static void store_put(struct node_store *store, struct node_ref ref,
		      unsigned int level, size_t bytes)
{
	struct twoword_zone *tz = container_of(store, struct twoword_zone, store);
	unsigned long pfn;

	if (level > 0) {
		boot_put(&tz->boot_store, ref, level, bytes);
		return;
	}
	pfn = pfn_of_ref(tz->tw, ref);
	node_left(tz, pfn);
	chain_pending(tz, pfn, 0);
}

static void *store_map(struct node_store *store, struct node_ref ref)
{
	struct twoword_zone *tz = container_of(store, struct twoword_zone, store);

	return kmap_local_forced(tz->tw->buddy.base.machine, tz->tw->cpu,
				 node_ref_pfn(ref));
}

static void store_unmap(struct node_store *store, struct node_ref ref,
			void *node)
{
	struct twoword_zone *tz = container_of(store, struct twoword_zone, store);

	(void)ref;
	kunmap_local(tz->tw->buddy.base.machine, tz->tw->cpu, node);
}

static const struct node_store_ops store_ops = {
	.get = store_get,
	.put = store_put,
	.map = store_map,
	.unmap = store_unmap,
};

/* A page's second word follows its entry at once. */
static void entry_moved(void *ctx, unsigned long entry, uint32_t slot)
{
	struct twoword_zone *tz = ctx;

	tz->tw->pages[pfn_of(&tz->base, entry)].word1 = slot;
}

/* Whoever takes the entry writes to its page. */
static void entry_near(void *ctx, unsigned long entry)
{
	struct twoword_zone *tz = ctx;
	struct twoword_page *page = &tz->tw->pages[pfn_of(&tz->base, entry)];

	__asm__ volatile("" : "+r"(page));	/* else gcc finds the function has no effect */
	__builtin_prefetch(page, 1);
}

static const struct deque_hooks list_hooks = {
	.moved = entry_moved,
	.near = entry_near,
};

/* --- what the policy asks of a representation ------------------------- */

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

static unsigned long twoword_next_parked(const struct buddy *b,
					 unsigned long pfn, unsigned long prev)
{
	return xor_list_next(b, parked_link, pfn, prev);
}

static unsigned long twoword_parked_pfn(const struct buddy *b, uint64_t place)
{
	(void)b;
	return xor_end_pfn(place);
}

static bool twoword_make_room(struct buddy *b, struct buddy_zone *z,
			      unsigned long pfn, unsigned int order,
			      unsigned int type, enum list_end end);
static bool twoword_evict(struct buddy *b, struct buddy_zone *z,
			  unsigned long pfn, unsigned long buddy);
static void twoword_settle(struct buddy *b, struct buddy_zone *z);
static unsigned long twoword_last_resort(struct buddy *b, struct buddy_zone *z,
					 unsigned int order);
static int twoword_verify_list(const struct buddy *b,
			       const struct buddy_zone *z, unsigned int order,
			       unsigned int type, struct msg *msg);
static int twoword_verify_zone(const struct buddy *b,
			       const struct buddy_zone *z, struct msg *msg);

static void twoword_node_counts(const struct buddy *b,
				const struct buddy_zone *z,
				unsigned long *nodes, unsigned long *stash)
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
	       (order > 0 || !to_zone(z)->crowded);
}

static inline bool can_pop(const struct buddy_zone *z, unsigned int order,
			   unsigned int type)
{
	return deque_pop_is_inline(list_of(z, order, type));
}

static inline bool make_room(struct buddy *b, struct buddy_zone *z,
			     unsigned long pfn, unsigned int order,
			     unsigned int type, enum list_end end)
{
	const struct deque *list = list_of(z, order, type);

	if (likely(order > 0 || !to_zone(z)->crowded) &&
	    (likely(deque_push_is_inline(list, deque_end(end))) ||
	     deque_push_fits(list, deque_end(end))))
		return true;
	return twoword_make_room(b, z, pfn, order, type, end);
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
	.make_room = make_room,
	.evict = evict,
	.settle = settle,
	.last_resort = twoword_last_resort,
	.verify_list = twoword_verify_list,
	.verify_zone = twoword_verify_zone,
	.node_counts = twoword_node_counts,
};

/* --- nodes: where they come from -------------------------------------- */

/* Make the page a leaf of a list. */
static void hang_leaf(struct twoword_zone *tz, struct deque *list,
		      uint32_t leaf, unsigned long pfn)
{
	struct twoword_page *page = &tz->tw->pages[pfn];
	struct alloc_stats *stats = &tz->tw->buddy.base.stats;
	unsigned int index = (unsigned int)(list - tz->lists);

	page->state = tw_state(TW_NODE, 0, 0, tz->base.index);
	page->word1 = tw_node_word(index, leaf);
	deque_add_leaf(list, leaf, ref_of(tz->tw, pfn));
	tz->nr_nodes++;
	stats->nodes++;
	if (stats->nodes > stats->nodes_peak)
		stats->nodes_peak = stats->nodes;
	machine_charge_page(tz->tw->buddy.base.machine, pfn);
}

/* The list's empty leaf, or none: it is no node any more. */
static unsigned long unhang_spare(struct twoword_zone *tz, struct deque *list)
{
	struct node_ref ref = deque_take_spare(list);
	unsigned long pfn;

	if (node_ref_is_none(ref))
		return PFN_NONE;
	pfn = pfn_of_ref(tz->tw, ref);
	node_left(tz, pfn);
	tz->tw->pages[pfn].state.bits = 0;
	return pfn;
}

/*
 * A released single page, off the chain; the chain's blocks may be larger. One
 * whose buddy is free, or is `freed`, the block being freed now, is left
 * alone: it is about to merge.
 */
static unsigned long take_pending_page(struct twoword_zone *tz,
				       unsigned long freed)
{
	struct twoword_page *pages = tz->tw->pages;
	unsigned long prev = PFN_NONE;

	for (unsigned long pfn = tz->pending; pfn != PFN_NONE;
	     prev = pfn, pfn = pages[pfn].word1) {
		unsigned long buddy = pfn_buddy(pfn, 0);

		if (tw_order(pages[pfn].state) != 0 || buddy == freed)
			continue;
		if (buddy >= tz->base.start_pfn && buddy < tz->base.end_pfn &&
		    tw_is(pages[buddy].state, TW_FREE, 0))
			continue;
		if (prev == PFN_NONE)
			tz->pending = pages[pfn].word1;
		else
			pages[prev].word1 = pages[pfn].word1;
		pages[pfn].state.bits = 0;
		return pfn;
	}
	return PFN_NONE;
}

/* The hottest free page of order 0, off its list. */
static unsigned long take_free_page(struct twoword *tw, struct twoword_zone *tz)
{
	struct buddy_zone *z = &tz->base;

	for (unsigned int type = 0; type < z->nr_types; type++)
		if (z->nr_free[0][type])
			return buddy_pop(&twoword_repr, &tw->buddy, z, 0, type);
	return PFN_NONE;
}

/* Peel the last page off a block; the rest waits to be freed, in halves. */
static unsigned long peel(struct twoword_zone *tz, unsigned long pfn,
			  unsigned int order)
{
	while (order > 0) {
		order--;
		chain_pending(tz, pfn, order);
		pfn += 1UL << order;
	}
	return pfn;
}

/* A page for a leaf of a list that has no room for [pfn, order). */
static unsigned long find_node(struct twoword *tw, struct twoword_zone *tz,
			       struct deque *list, unsigned long pfn,
			       unsigned int order, bool *used_up)
{
	struct alloc_stats *stats = &tw->buddy.base.stats;
	unsigned long page = unhang_spare(tz, list);

	if (page == PFN_NONE)
		page = take_pending_page(tz, pfn);
	if (page == PFN_NONE && tz->stash != PFN_NONE) {
		page = tz->stash;
		tz->stash = PFN_NONE;
	}
	stats->reused += page != PFN_NONE;
	if (page == PFN_NONE && order > 0) {
		page = take_free_page(tw, tz);
		stats->taken += page != PFN_NONE;
	}
	if (page != PFN_NONE)
		return page;
	*used_up = true;
	if (order == 0) {
		stats->absorbed++;
		return pfn;
	}
	stats->peeled++;
	return peel(tz, pfn, order);
}

/* --- relocation ------------------------------------------------------- */

/*
 * A free page of order 0, off its list, to carry a node: of the coldest few,
 * one whose buddy carries no metadata itself, else any.
 */
static unsigned long take_substitute(struct twoword *tw, struct twoword_zone *tz)
{
	struct buddy_zone *z = &tz->base;

	for (unsigned int type = 0; type < z->nr_types; type++) {
		struct deque *list = list_of(z, 0, type);
		struct deque_cursor it = deque_begin(list, DEQUE_TAIL);
		unsigned long entry, best = PFN_NONE;
		uint32_t slot;

		for (int i = 0; i < SUBSTITUTES_TRIED; i++) {
			if (!deque_next(list, &it, &entry, &slot))
				break;
			best = pfn_of(z, entry);
			if (!tw_carries_metadata(tw->pages[pfn_buddy(best, 0)].state))
				break;
		}
		if (best == PFN_NONE)
			continue;
		buddy_remove(&twoword_repr, &tw->buddy, z, best, 0, type);
		return best;
	}
	return PFN_NONE;
}

/* Copy a leaf to another page and let its parent know. Two live maps. */
static void move_node(struct twoword *tw, struct twoword_zone *tz,
		      unsigned long from, unsigned long to)
{
	struct twoword_page *page = &tw->pages[from];

	deque_move_leaf(&tz->lists[tw_node_list(page->word1)],
			tw_node_leaf(page->word1), ref_of(tw, to));
	tw->pages[to] = *page;
	page->state.bits = 0;
	machine_uncharge_page(tw->buddy.base.machine, from);
	machine_charge_page(tw->buddy.base.machine, to);
	tw->buddy.base.stats.relocated++;
}

/*
 * Drop the leaf that a page carries if it is an empty one that its list's next
 * push can do without. (If it cannot, the freed page would become the same
 * list's leaf at once, and be freed again beside it, for ever.)
 *
 * That push is at the head, where what is pending goes, and needs no leaf while
 * there is an inline slot. Only a zone with a placement frees to the tail: while
 * the list stands in leaves, the next entry there may need one. All inline, it
 * needs none at either end; and until the push that ends this merge, its entries
 * can only become fewer.
 */
static bool drop_if_spare(struct twoword_zone *tz, unsigned long pfn)
{
	unsigned long word1 = tz->tw->pages[pfn].word1;
	struct deque *list = &tz->lists[tw_node_list(word1)];

	if (list->spare != tw_node_leaf(word1) || deque_inline_full(list))
		return false;
	if (tz->base.placement && list->tail != list->lo)
		return false;
	unhang_spare(tz, list);
	return true;
}

/*
 * pfn is being freed beside metadata. True when the buddy is empty-handed
 * now. Taking a substitute off its list may empty the very leaf in question:
 * then nothing is copied, and the end of the operation will join the two.
 */
static bool twoword_evict(struct buddy *b, struct buddy_zone *z,
			  unsigned long pfn, unsigned long buddy)
{
	struct twoword *tw = to_twoword(b);
	struct twoword_zone *tz = to_zone(z);
	unsigned long to;

	(void)pfn;
	if (tw_kind(tw->pages[buddy].state) == TW_STASH) {
		tz->stash = PFN_NONE;
		tw->pages[buddy].state.bits = 0;
		return true;
	}
	if (drop_if_spare(tz, buddy))
		return true;
	if (!tw->relocate)
		return false;
	to = take_substitute(tw, tz);
	if (to == PFN_NONE) {
		tz->crowded = true;
		return false;
	}
	if (tw_kind(tw->pages[buddy].state) != TW_NODE) {
		chain_pending(tz, to, 0);
		return false;
	}
	if (drop_if_spare(tz, buddy)) {
		chain_pending(tz, to, 0);
		return true;
	}
	move_node(tw, tz, buddy, to);
	return true;
}

/* The buddy of a page if it is a node, or PFN_NONE. */
static unsigned long node_beside(const struct twoword_zone *tz, unsigned long pfn)
{
	unsigned long buddy = pfn_buddy(pfn, 0);

	if (buddy < tz->base.start_pfn || buddy >= tz->base.end_pfn ||
	    tw_kind(tz->tw->pages[buddy].state) != TW_NODE)
		return PFN_NONE;
	return buddy;
}

/*
 * The zone's only free page of order 0 may stand beside a node for want of a
 * substitute. pfn is the next one to come: the node moves to it, and the
 * other two merge. True when pfn was used for that.
 */
static bool relieve_neighbour(struct twoword *tw, struct twoword_zone *tz,
			      unsigned long pfn)
{
	struct buddy_zone *z = &tz->base;
	unsigned long only = PFN_NONE;
	unsigned long node;

	if (!one_free_page(z))
		return false;
	for (unsigned int type = 0; type < z->nr_types; type++)
		if (z->nr_free[0][type])
			only = pfn_of(z, deque_peek(list_of(z, 0, type), DEQUE_HEAD));
	node = node_beside(tz, only);
	if (node == PFN_NONE)
		return false;
	buddy_remove(&twoword_repr, &tw->buddy, z, only, 0,
		     buddy_type(&tw->buddy, z, only));
	chain_pending(tz, only, 0);
	if (tw_kind(tw->pages[node].state) != TW_NODE)
		return false;
	if (drop_if_spare(tz, node)) {
		chain_pending(tz, node, 0);
		return false;
	}
	move_node(tw, tz, node, pfn);
	chain_pending(tz, node, 0);
	return true;
}

static bool twoword_make_room(struct buddy *b, struct buddy_zone *z,
			      unsigned long pfn, unsigned int order,
			      unsigned int type, enum list_end end)
{
	struct twoword *tw = to_twoword(b);
	struct twoword_zone *tz = to_zone(z);
	struct deque *list = list_of(z, order, type);
	bool used_up = false;
	uint32_t leaf;

	if (order == 0 && tz->crowded) {
		if (relieve_neighbour(tw, tz, pfn))
			return false;
		tz->crowded = node_beside(tz, pfn) != PFN_NONE;
	}
	leaf = deque_wants_leaf(list, deque_end(end));
	if (leaf == DEQUE_LEAF_NONE)
		return true;
	hang_leaf(tz, list, leaf, find_node(tw, tz, list, pfn, order, &used_up));
	return !used_up;
}

/* --- the end of an operation ------------------------------------------ */

/* Whether the page may be set aside: nothing would merge with it now. */
static bool may_stash(const struct twoword *tw, const struct twoword_zone *tz,
		      unsigned long pfn)
{
	unsigned long buddy = pfn_buddy(pfn, 0);

	if (tz->stash != PFN_NONE || !tz->nr_nodes)
		return false;
	if (buddy < tz->base.start_pfn || buddy >= tz->base.end_pfn)
		return true;
	return tw_kind(tw->pages[buddy].state) == TW_ALLOCATED;
}

static void settle_pending(struct twoword *tw, struct twoword_zone *tz)
{
	struct alloc_stats *stats = &tw->buddy.base.stats;
	uint64_t steps = 0;

	while (tz->pending != PFN_NONE) {
		unsigned long pfn = tz->pending;
		struct twoword_page *page = &tw->pages[pfn];
		unsigned int order = tw_order(page->state);

		tz->pending = page->word1;
		page->state.bits = 0;
		steps++;
		if (order == 0 && may_stash(tw, tz, pfn)) {
			page->state = tw_state(TW_STASH, 0, 0, tz->base.index);
			tz->stash = pfn;
			continue;
		}
		buddy_merge(&twoword_repr, &tw->buddy, &tz->base, pfn, order,
			    LIST_HEAD);
	}
	if (steps > stats->max_drain_steps)
		stats->max_drain_steps = steps;
}

static void release_stash(struct twoword_zone *tz)
{
	unsigned long pfn = tz->stash;

	tz->stash = PFN_NONE;
	chain_pending(tz, pfn, 0);
}

static void twoword_settle(struct buddy *b, struct buddy_zone *z)
{
	struct twoword *tw = to_twoword(b);
	struct twoword_zone *tz = to_zone(z);

	settle_pending(tw, tz);
	while (tz->stash != PFN_NONE && !tz->nr_nodes) {
		release_stash(tz);
		settle_pending(tw, tz);
	}
	tz->unsettled = false;
}

/*
 * No list can serve the request. A single page may still be had from what is
 * set aside: the stash, then any list's empty leaf. For a block, the stash is
 * freed in case it completes one; PFN_NONE then means: try the lists again.
 */
static unsigned long twoword_last_resort(struct buddy *b, struct buddy_zone *z,
					 unsigned int order)
{
	struct twoword *tw = to_twoword(b);
	struct twoword_zone *tz = to_zone(z);
	unsigned long pfn = PFN_NONE;

	if (tz->stash != PFN_NONE) {
		if (order > 0) {
			release_stash(tz);
			settle_pending(tw, tz);
			return PFN_NONE;
		}
		pfn = tz->stash;
		tz->stash = PFN_NONE;
		tw->pages[pfn].state.bits = 0;
		return pfn;
	}
	for (unsigned int i = 0; order == 0 && pfn == PFN_NONE &&
	     i < NR_LISTS; i++)
		if (list_in_use(z, i))
			pfn = unhang_spare(tz, &tz->lists[i]);
	twoword_settle(b, z);
	return pfn;
}

/* --- checks ----------------------------------------------------------- */

/* Lists are read through a store of their own, so that no map is counted. */
struct peeking_store {
	struct node_store store;
	const struct machine *machine;
};

static void *peek_map(struct node_store *store, struct node_ref ref)
{
	struct peeking_store *ps = container_of(store, struct peeking_store, store);

	return (void *)(uintptr_t)machine_peek(ps->machine, node_ref_pfn(ref));
}

static void peek_unmap(struct node_store *store, struct node_ref ref, void *node)
{
	(void)store, (void)ref, (void)node;
}

static const struct node_store_ops peek_ops = {
	.map = peek_map,
	.unmap = peek_unmap,
};

static struct deque peek_at(const struct deque *list, struct peeking_store *ps,
			    const struct machine *m)
{
	struct deque view = *list;

	*ps = (struct peeking_store){ { &peek_ops }, m };
	view.tree.store = &ps->store;
	return view;
}

static int verify_leaves(const struct twoword *tw, const struct buddy_zone *z,
			 unsigned int index, const struct deque *view,
			 struct msg *msg)
{
	uint32_t needed = deque_needed_leaves(view);
	uint32_t nr = 0;
	struct node_ref ref;

	if (view->fixed)
		return 0;

	for (uint64_t leaf = 0; view->tree.nr_prealloc &&
	     !node_ref_is_none(ref = genradix_next_leaf(&view->tree, &leaf));
	     leaf++, nr++) {
		unsigned long pfn = pfn_of_ref(tw, ref);

		if (pfn < z->start_pfn || pfn >= z->end_pfn ||
		    tw_kind(tw->pages[pfn].state) != TW_NODE ||
		    tw->pages[pfn].word1 != tw_node_word(index, (uint32_t)leaf))
			return msg_set(msg, EUCLEAN,
				       "zone %s: leaf %" PRIu64 " of list %u is page %#lx, whose words do not say so",
				       z->zone->name, leaf, index, pfn);
	}
	if (nr != needed + (view->spare != DEQUE_LEAF_NONE))
		return msg_set(msg, EUCLEAN,
			       "zone %s: list %u has %u leaves for %u entries, %u would do",
			       z->zone->name, index, nr, deque_nr(view), needed);
	return 0;
}

static int twoword_verify_list(const struct buddy *b,
			       const struct buddy_zone *z, unsigned int order,
			       unsigned int type, struct msg *msg)
{
	const struct twoword *tw = to_twoword(b);
	struct peeking_store ps;
	struct deque view = peek_at(list_of(z, order, type), &ps,
				    b->base.machine);
	struct deque_cursor it = deque_begin(&view, DEQUE_TAIL);
	unsigned long entry, nr = 0;
	uint32_t slot;

	while (deque_next(&view, &it, &entry, &slot)) {
		unsigned long pfn = pfn_of(z, entry);

		if (pfn >= z->end_pfn || !twoword_is_free(b, pfn, order) ||
		    tw_migratetype(tw->pages[pfn].state) != type ||
		    tw->pages[pfn].word1 != slot)
			return msg_set(msg, EUCLEAN,
				       "zone %s: slot %u of order %u, type %u holds pfn %#lx, whose words do not say so",
				       z->zone->name, slot, order, type, pfn);
		nr++;
	}
	if (nr != deque_nr(&view) || nr != z->nr_free[order][type])
		return msg_set(msg, EUCLEAN,
			       "zone %s: the list of order %u, type %u holds %lu blocks, counts %u and should have %lu",
			       z->zone->name, order, type, nr, deque_nr(&view),
			       z->nr_free[order][type]);
	return verify_leaves(tw, z, list_index(order, type), &view, msg);
}

/* Nothing pending; no free page beside a node while there is another. */
static int twoword_verify_zone(const struct buddy *b,
			       const struct buddy_zone *z, struct msg *msg)
{
	const struct twoword *tw = to_twoword(b);
	const struct twoword_zone *tz = to_zone(z);

	if (tz->pending != PFN_NONE)
		return msg_set(msg, EUCLEAN, "zone %s: page %#lx was never freed",
			       z->zone->name, tz->pending);
	if (!tw->relocate || !tz->nr_nodes || one_free_page(z))
		return 0;
	for (unsigned long pfn = z->start_pfn; pfn < z->end_pfn; pfn++) {
		if (twoword_is_free(b, pfn, 0) &&
		    node_beside(tz, pfn) != PFN_NONE)
			return msg_set(msg, EUCLEAN,
				       "zone %s: free page %#lx stands beside node %#lx, and others could carry it",
				       z->zone->name, pfn, pfn_buddy(pfn, 0));
	}
	return 0;
}

/*
 * What can matter later: for each page its kind, order and, where it is read,
 * word 1; for each list where its ends, its leaves and its spare stand. The
 * entries follow from the pages' slots. A ring looks alike from any of its
 * leaves, so slots and leaves count from the tail's leaf.
 */
static uint64_t mix_page(const struct buddy_zone *z,
			 const struct twoword_page *page, uint64_t hash)
{
	const struct twoword_zone *tz = to_zone(z);
	enum tw_kind kind = tw_kind(page->state);
	const struct deque *d;

	hash = fingerprint_mix(hash, page->state.bits);
	if (kind == TW_FREE) {
		d = list_of(z, tw_order(page->state), tw_migratetype(page->state));
		hash = fingerprint_mix(hash, (page->word1 - d->tail) & d->mask);
	} else if (kind == TW_NODE) {
		d = &tz->lists[tw_node_list(page->word1)];
		hash = fingerprint_mix(hash, tw_node_list(page->word1));
		hash = fingerprint_mix(hash, deque_leaf_distance(d, tw_node_leaf(page->word1)));
	}
	return hash;
}

static uint64_t twoword_fingerprint(const struct allocator *a)
{
	const struct buddy *b = to_const_buddy(a);
	const struct twoword *tw = to_twoword(b);
	uint64_t hash = 0;

	for (unsigned int i = 0; i < b->nr_zones; i++) {
		const struct buddy_zone *z = b->zones[i];

		hash = placement_mix(z, hash);
		for (unsigned long pfn = z->start_pfn; pfn < z->end_pfn; pfn++)
			hash = mix_page(z, &tw->pages[pfn], hash);
		for (unsigned int l = 0; l < NR_LISTS; l++) {
			const struct deque *d = &tw->zones[i].lists[l];

			if (!list_in_use(z, l))
				continue;
			hash = fingerprint_mix(hash, d->nr_in);
			hash = fingerprint_mix(hash, d->lo - d->tail);
			hash = fingerprint_mix(hash, d->tail & ((1U << d->leaf_shift) - 1));
			if (d->spare == DEQUE_LEAF_NONE)
				continue;
			hash = fingerprint_mix(hash, deque_leaf_distance(d, d->spare));
			hash = fingerprint_mix(hash, d->spare_nr);
		}
	}
	return hash;
}

/* --- the table -------------------------------------------------------- */

static unsigned long twoword_alloc(struct allocator *a,
				   const struct alloc_req *req)
{
	to_twoword(to_buddy(a))->cpu = req->cpu;
	return buddy_alloc(&twoword_repr, a, req);
}

static void twoword_free(struct allocator *a, unsigned long pfn,
			 unsigned int order, unsigned int cpu)
{
	to_twoword(to_buddy(a))->cpu = cpu;
	buddy_free(&twoword_repr, a, pfn, order, cpu);
}

static void twoword_release(struct allocator *a, unsigned long pfn,
			    unsigned int order)
{
	buddy_release(&twoword_repr, a, pfn, order);
}

static void twoword_release_pcp(struct allocator *a, unsigned long pfn,
				unsigned int order, unsigned int cpu)
{
	to_twoword(to_buddy(a))->cpu = cpu;
	buddy_release_pcp(&twoword_repr, a, pfn, order, cpu);
}

static int twoword_adopt(struct allocator *a, unsigned long pfn,
			 unsigned int order)
{
	return buddy_adopt(&twoword_repr, a, pfn, order);
}

static bool twoword_split(struct allocator *a, unsigned long pfn,
			  unsigned int order, unsigned int new_order)
{
	return buddy_split(&twoword_repr, a, pfn, order, new_order);
}

static bool twoword_isolate(struct allocator *a, unsigned long pfn,
			    unsigned int order, unsigned int cpu)
{
	to_twoword(to_buddy(a))->cpu = cpu;
	return buddy_isolate(&twoword_repr, a, pfn, order);
}

static void twoword_tick(struct allocator *a, uint64_t now_ns)
{
	(void)now_ns;
	to_twoword(to_buddy(a))->cpu = 0;
	buddy_tick(&twoword_repr, a);
}

static void twoword_catch_up(struct allocator *a)
{
	buddy_catch_up(&twoword_repr, to_buddy(a));
}

static void twoword_drain(struct allocator *a)
{
	to_twoword(to_buddy(a))->cpu = 0;
	buddy_drain(&twoword_repr, a);
}

static void twoword_counts(const struct allocator *a, unsigned int zone,
			   struct page_counts *counts)
{
	buddy_counts(&twoword_repr, a, zone, counts);
}

static void twoword_query(const struct allocator *a, unsigned long pfn,
			  struct page_info *info)
{
	buddy_query(&twoword_repr, a, pfn, info);
}

static int twoword_verify(const struct allocator *a, struct msg *msg)
{
	return buddy_verify(&twoword_repr, a, msg);
}

static const struct option_spec twoword_options[] = {
	{ "removal", "swap|punch", "swap", "how a block leaves the middle of a list: an end entry takes its place, or a hole stays" },
	{ "relocate", "off|on", "on", "copy a node away when it keeps two buddies apart" },
	{ "inline", "0..64", "64", "entries kept in the list's head, without a node" },
	{ "hysteresis", "0..64", "2", "entries a list shortens by before its empty leaf goes" },
	{ "entry", "4|8", "4", "bytes of a list entry" },
	{ "nodes", "any|lowmem|highmem|boot", "any", "reach nodes as the machine says, all directly, or all through kmap_local; boot: none are made of pages, all leaves are set aside at create" },
	BUDDY_OPTIONS,
	{ NULL, NULL, NULL, NULL },
};

static bool make_lists(struct twoword *tw, struct twoword_zone *tz,
		       const struct option_set *opts)
{
	struct machine *m = tw->buddy.base.machine;
	struct buddy_zone *z = &tz->base;
	struct deque_config cfg = {
		.nr_inline = (unsigned int)option_get(opts, "inline"),
		.entry_bytes = option_get(opts, "entry") ? 8 : 4,
		.hysteresis = (unsigned int)option_get(opts, "hysteresis"),
		.punch = option_get(opts, "removal"),
		.node_bytes = PAGE_SIZE,
		.hooks = &list_hooks,
		.ctx = tz,
	};
	size_t each = deque_slot_bytes(&cfg);

	tz->slot_bytes = NR_LISTS * each;
	tz->slots = machine_alloc(m, tz->slot_bytes, META_structures);
	if (!tz->slots)
		return false;
	for (unsigned int i = 0; i < NR_LISTS; i++) {
		unsigned int order = i / BUDDY_NR_TYPES;

		cfg.max_entries = (z->zone->spanned >> order) + 1;
		cfg.fixed = tw->nodes == NODES_BOOT || order == MAX_PAGE_ORDER;
		cfg.store = cfg.fixed ? &tz->boot_store : &tz->store;
		if (list_in_use(z, i) &&
		    !deque_init(&tz->lists[i], &cfg,
				(unsigned char *)tz->slots + i * each))
			return false;
	}
	return true;
}

static void free_lists(struct twoword_zone *tz)
{
	struct machine *m = tz->tw->buddy.base.machine;

	for (unsigned int i = 0; i < NR_LISTS; i++)
		if (tz->lists[i].tree.store)
			deque_destroy(&tz->lists[i]);
	if (tz->slots)
		machine_free(m, tz->slots, tz->slot_bytes, META_structures);
}

/* Untagged references are addresses in the direct map, or in the whole view. */
static int choose_node_addresses(struct twoword *tw, struct machine *m,
				 struct msg *msg)
{
	tw->low_base = m->physmem.direct;
	if (tw->nodes != NODES_LOWMEM || m->highmem_pfn >= m->end_pfn)
		return 0;
	if (HIGHMEM_BY_TABLE || m->window.mode == WINDOW_GUARD)
		return msg_set(msg, EINVAL,
			       "twoword: nodes=lowmem needs every page to have an address: run without highmem, or in the arith window of a 64-bit build");
	tw->low_base = physmem_view(&m->physmem, 0);
	return 0;
}

static void twoword_destroy(struct allocator *a)
{
	struct twoword *tw = to_twoword(to_buddy(a));

	for (unsigned int i = 0; i < tw->buddy.nr_zones; i++)
		free_lists(&tw->zones[i]);
	buddy_exit(&tw->buddy);
	machine_free(a->machine, tw, sizeof(*tw) + tw->buddy.nr_zones *
		     sizeof(tw->zones[0]), META_structures);
}

static int twoword_create(struct allocator **out, struct machine *m,
			  const struct option_set *opts, struct msg *msg)
{
	unsigned int nr_zones = m->layout->nr_zones;
	uint64_t end_pfn = m->end_pfn;	/* wider than a pfn where that has 32 bits */
	struct twoword *tw = machine_alloc(m, sizeof(*tw) + nr_zones *
					   sizeof(tw->zones[0]), META_structures);
	int err;

	if (!tw)
		return msg_set(msg, ENOMEM, "twoword: no room for its zones");
	for (unsigned int i = 0; i < nr_zones; i++) {
		struct twoword_zone *tz = &tw->zones[i];

		tw->buddy.zones[i] = &tz->base;
		tz->tw = tw;
		tz->zone_bits = tw_state(TW_NONE, 0, 0, i).bits;
		tz->store.ops = &store_ops;
		tz->boot_store.ops = &boot_store_ops;
		tz->pending = PFN_NONE;
		tz->stash = PFN_NONE;
	}
	err = buddy_init(&tw->buddy, &twoword_ops, m, opts, msg);
	if (err)
		goto destroy;
	tw->relocate = option_get(opts, "relocate");
	tw->nodes = (unsigned int)option_get(opts, "nodes");
	if (end_pfn > XOR_NONE) {
		err = msg_set(msg, EINVAL,
			      "twoword: %lu pages are too many: per-CPU lists link pfns of 32 bits, 16 TiB",
			      m->end_pfn);
		goto destroy;
	}
	err = choose_node_addresses(tw, m, msg);
	if (err)
		goto destroy;
	tw->pages = machine_memmap(m, sizeof(struct twoword_page));
	if (!tw->pages) {
		err = msg_set(msg, ENOMEM,
			      "twoword: no room for %zu bytes for each of %lu pages",
			      sizeof(struct twoword_page), m->end_pfn);
		goto destroy;
	}
	for (unsigned int i = 0; i < nr_zones; i++) {
		if (make_lists(tw, &tw->zones[i], opts))
			continue;
		err = msg_set(msg, ENOMEM,
			      "twoword: no room for the free lists of zone %s",
			      tw->zones[i].base.zone->name);
		goto destroy;
	}
	*out = &tw->buddy.base;
	return 0;

destroy:
	twoword_destroy(&tw->buddy.base);
	return err;
}

const struct allocator_ops twoword_ops = {
	.name = "twoword",
	.summary = "two words a page, free lists are deques in a radix tree of free pages",
	.desc_bytes = sizeof(struct twoword_page),
	.options = twoword_options,
	.caps = { .max_order = MAX_PAGE_ORDER, .query = QUERY_BLOCKS },
	.create = twoword_create,
	.destroy = twoword_destroy,
	.set_block_type = buddy_set_block_type,
	.adopt = twoword_adopt,
	.release = twoword_release,
	.release_pcp = twoword_release_pcp,
	.limit_pcp = buddy_limit_pcp,
	.alloc = twoword_alloc,
	.free = twoword_free,
	.split = twoword_split,
	.isolate = twoword_isolate,
	.tick = twoword_tick,
	.catch_up = twoword_catch_up,
	.drain = twoword_drain,
	.free_area = buddy_free_area,
	.counts = twoword_counts,
	.query = twoword_query,
	.verify = twoword_verify,
	.fingerprint = twoword_fingerprint,
};
