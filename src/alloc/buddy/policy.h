/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy.h - the buddy policy of Linux 6.18, written once for every page
 * representation
 *
 *    alloc      zones from the highest one allowed downwards, if their marks
 *               hold; first without breaking up pageblocks of other types
 *        in a zone: the CPU's own list, else the smallest order that has a
 *               block of the type, split, the low half on; else from other types
 *    free       to the CPU's own list, or: join with the buddy while it is
 *               free; put the block on a list
 *
 *    freelist.h    lists by order and type; merge, split
 *    mobility.h    claim, steal, the high-atomic reserve
 *    watermark.h   marks and reserves of zones
 *    pcp.h         per-CPU lists
 *    repr.h        what a representation brings
 *
 * The functions here are always inlined into a backend that passes its struct
 * buddy_repr as a constant, so the compiler folds every call through it: two
 * backends differ in their representation and in nothing else, and the hot
 * path makes no indirect call. What may be switched off is asked at run time,
 * once for each request.
 *
 * Most requests are for a page that a list has, and most frees of a page whose
 * buddy is in use. For those there is a fast path: it asks all it has to before
 * it changes anything and calls nothing. Zones with a placement go by functions of
 * their own, named _placed, from the call on. What the fast path cannot do goes
 * the whole way from the start, in the functions named _any. Each ends with what
 * it calls, so that it saves no registers: a free that waits for its page holds
 * back what follows once the processor's window is full of instructions.
 *
 * What a free waits for is its page: whether the buddy is free stands in memory
 * that nobody has looked at for long, and the next free cannot begin to fetch
 * while this one is undecided. So freed blocks wait in a queue (option `lookahead`):
 * each has its descriptors fetched when it comes and is freed when eight others
 * have come. A request that a list of its own type can serve lets them wait, even
 * if a larger block is cut for it; before it turns to another type or zone, or
 * fails, all are freed. Until then they are parked, as on a per-CPU list: whoever
 * looks sees them there, and changes nothing. (A kernel would have a queue for each
 * zone, under its lock. Here is one, for memdesc's slabs see the order among
 * zones.) With per-CPU lists nothing waits: they are such a queue.
 * 4 GiB half full, time to that of lookahead=0: a1 0.36 and 0.34, aB 0.60 and 0.51,
 * c 0.51 and 0.41 of `linked` and `twoword` (medians of three runs of `pagetax bench
 * -a linked,linked:lookahead=0,twoword,twoword:lookahead=0 --memory 4G --occupancy 50
 * --highmem none --pattern a1,aB,c --ops 4000000 --repeats 3`, in each another first).
 *
 * Not simulated are those who make room: kswapd, compaction, direct reclaim.
 * What they freed on a recorded machine is part of the demand. So a request
 * that only the marks stand against is served at last (stats.below_marks),
 * as it was there after reclaim. Per-CPU lists are drained if even that fails.
 *
 * Invariants:  free + allocated + nodes + stash + parked + reserved
 *                      == pages in no hole
 *              parked == sum of pages over the zone's per-CPU lists
 *              allocated: what waits in the queue, too, until it is freed
 */
#ifndef PAGETAX_ALLOC_BUDDY_POLICY_H
#define PAGETAX_ALLOC_BUDDY_POLICY_H

#include "pcp.h"

/* Options of every buddy backend; they come after its own. */
#define BUDDY_OPTIONS                                                                              \
	{ "mobility", "off|on", "on", "free lists by mobility type, claim and steal" },            \
	{ "pcp", "off|on", "on", "per-CPU lists of orders 0-3 and huge pages" },                   \
	{ "pcp_high", "0..16777216", "0", "pages a per-CPU list may hold; 0: as Linux tunes it" }, \
	{ "pcp_batch", "0..4096", "0", "pages a per-CPU list takes at once; 0: as Linux computes it" }, \
	{ "tail_rule", "off|on", "on", "a freed block that is likely to merge goes to the tail" }, \
	{ "lookahead", "0..15", "8", "freed blocks that wait while their descriptors come from memory; none where there are per-CPU lists" }, \
	{ "placement", "lifo|watermark|spare|lowest", "lifo", "which free block is taken: the last freed; one below the used frames' number; one outside the emptiest pageblocks; the lowest, by search" }, \
	{ "watermarks", "off|on", "on", "marks and reserves of zones, where they are known" }

/*
 * What is larger than a pageblock joins as pageblocks do, one after the other:
 * their types may differ.
 */
static inline bool types_differ(const struct buddy *b,
				const struct buddy_zone *z, unsigned long pfn,
				unsigned int order)
{
	for (unsigned long at = PAGEBLOCK_NR_PAGES; at < 1UL << order;
	     at += PAGEBLOCK_NR_PAGES)
		if (buddy_type(b, z, pfn + at) != buddy_type(b, z, pfn))
			return true;
	return false;
}

/* A block goes back to the free lists; its words are clear. */
static __always_inline void buddy_put(const struct buddy_repr *r,
				      struct buddy *b, struct buddy_zone *z,
				      unsigned long pfn, unsigned int order,
				      enum list_end end)
{
	if (unlikely(order > PAGEBLOCK_ORDER) && types_differ(b, z, pfn, order)) {
		unsigned long stop = pfn + (1UL << order);

		for (; pfn < stop; pfn += PAGEBLOCK_NR_PAGES)
			buddy_free_block(r, b, z, pfn, PAGEBLOCK_ORDER, end);
		return;
	}
	buddy_free_block(r, b, z, pfn, order, end);
}

/* Whether a page's buddy lies in the zone, and is neither free nor evict's business. */
static __always_inline bool joins_nothing(const struct buddy_repr *r,
					  const struct buddy *b,
					  const struct buddy_zone *z,
					  unsigned long pfn)
{
	unsigned long buddy = pfn_buddy(pfn, 0);

	if (unlikely(buddy < z->start_pfn || buddy >= z->end_pfn))
		return false;
	return !(r->may_join ? r->may_join(b, buddy) : r->is_free(b, buddy, 0));
}

/* A freed page that joins nothing goes on its list, if that has room as it is. */
static __always_inline bool list_freed(const struct buddy_repr *r,
				       struct buddy *b, struct buddy_zone *z,
				       unsigned long pfn, unsigned int type,
				       enum list_end end)
{
	if (r->can_push && !r->can_push(z, 0, type, end))
		return false;
	z->allocated--;
	r->clear(b, pfn);
	r->add(b, z, pfn, 0, type, end);
	count_listed(z, 0, type);
	return true;
}

/*
 * The fast path: the page goes to the list, and nothing else changes. False
 * when there is more to it, and nothing was done yet.
 */
static __always_inline bool buddy_free_fast(const struct buddy_repr *r,
					    struct buddy *b,
					    struct buddy_zone *z,
					    unsigned long pfn)
{
	unsigned int type = buddy_type(b, z, pfn);
	enum list_end end;

	if (!joins_nothing(r, b, z, pfn))
		return false;
	end = end_by_rule(r, b, z, pfn, 0);
	if (!r->can_push)	/* else its ends are unlike: code for each */
		return list_freed(r, b, z, pfn, type, end);
	return end == LIST_HEAD ? list_freed(r, b, z, pfn, type, LIST_HEAD) :
				  list_freed(r, b, z, pfn, type, LIST_TAIL);
}

static __noinline void buddy_free_any(const struct buddy_repr *r,
				      struct buddy *b, struct buddy_zone *z,
				      unsigned long pfn, unsigned int order)
{
	z->allocated -= 1UL << order;
	r->clear(b, pfn);
	buddy_put(r, b, z, pfn, order, LIST_BY_RULE);
}

/* With `spare`: the same, at the end of the list that the pageblock's side has. */
static __always_inline bool free_to_side(const struct buddy_repr *r,
					 struct buddy *b, struct buddy_zone *z,
					 unsigned long pfn, unsigned int type,
					 enum list_end end)
{
	if (!list_freed(r, b, z, pfn, type, end))
		return false;
	z->placement->nr_far[0][type] += end == LIST_TAIL;
	count_in_block(z, block_index(z->placement, pfn), 1);
	return true;
}

static __always_inline bool free_fast_placed(const struct buddy_repr *r,
					     struct buddy *b,
					     struct buddy_zone *z,
					     unsigned long pfn)
{
	const struct placement *p = z->placement;

	if (p->rule != PLACE_SPARE || !joins_nothing(r, b, z, pfn))
		return false;
	return level_side(p->levels[block_index(p, pfn)]) == SIDE_NEAR ?
	       free_to_side(r, b, z, pfn, buddy_type(b, z, pfn), LIST_HEAD) :
	       free_to_side(r, b, z, pfn, buddy_type(b, z, pfn), LIST_TAIL);
}

/* Whether evict has to look at a page's buddy. */
static __always_inline bool meets_metadata(const struct buddy_repr *r,
					   const struct buddy *b,
					   const struct buddy_zone *z,
					   unsigned long pfn)
{
	unsigned long buddy = pfn_buddy(pfn, 0);

	return r->may_join && buddy >= z->start_pfn && buddy < z->end_pfn &&
	       r->may_join(b, buddy) && !r->is_free(b, buddy, 0);
}

/* What joins, or is larger than a page. */
APART void free_any_placed(const struct buddy_repr *r, struct buddy *b,
			   struct buddy_zone *z, unsigned long pfn,
			   unsigned int order)
{
	uint64_t nodes = b->base.stats.nodes;

	if (z->placement->rule != PLACE_SPARE || order >= PAGEBLOCK_ORDER ||
	    (order == 0 && meets_metadata(r, b, z, pfn))) {
		buddy_free_any(r, b, z, pfn, order);
		return;
	}
	z->allocated -= 1UL << order;
	r->clear(b, pfn);
	merge_within(r, b, z, pfn, order);
	if (r->settle)
		r->settle(b, z);
	if (r->make_room)
		note_consumed(b, order, nodes);
}

static __noinline void buddy_free_pcp(const struct buddy_repr *r,
				      struct buddy *b, struct buddy_zone *z,
				      unsigned long pfn, unsigned int order,
				      unsigned int cpu)
{
	z->allocated -= 1UL << order;
	r->clear(b, pfn);
	pcp_free(r, b, z, &z->pcps[cpu], pfn, order);
}

/*
 * A block goes back now; per-CPU lists have no part in it. placed: as
 * b->policy.placed says, known at compile time.
 */
static __always_inline void free_now(const struct buddy_repr *r,
				     struct buddy *b, struct buddy_zone *z,
				     unsigned long pfn, unsigned int order,
				     bool placed)
{
	if (placed) {
		if (unlikely(order) || !free_fast_placed(r, b, z, pfn))
			free_any_placed(r, b, z, pfn, order);
	} else if (unlikely(order) || !buddy_free_fast(r, b, z, pfn)) {
		buddy_free_any(r, b, z, pfn, order);
	}
}

static __always_inline void free_oldest(const struct buddy_repr *r,
					       struct buddy *b, bool placed)
{
	const struct queued_block *q = &b->queue[b->queue_out++ % MAX_LOOKAHEAD];

	free_now(r, b, buddy_zone_of(b, q->pfn), q->pfn, q->order, placed);
}

static __always_inline void free_queue_with(const struct buddy_repr *r,
					   struct buddy *b, bool placed)
{
	b->base.machine->free_depth++;
	while (b->queue_out != b->queue_in)
		free_oldest(r, b, placed);
	b->base.machine->free_depth--;
}

/* Free all pages that wait. */
static __noinline void free_queued(const struct buddy_repr *r, struct buddy *b)
{
	if (b->queue_out == b->queue_in)
		return;
	if (b->policy.placed)
		free_queue_with(r, b, true);
	else
		free_queue_with(r, b, false);
}

/*
 * Fetch what says whether a block merges: its own descriptor, its buddy's, and
 * those of the next orders, as far as they are on other lines.
 */
static __always_inline void prefetch_buddies(const struct buddy_repr *r,
					     const struct buddy *b,
					     unsigned long pfn, unsigned int order)
{
	const char *memmap = r->memmap(b);

	__builtin_prefetch(memmap + pfn * r->desc_bytes, 1);
#pragma GCC unroll 4
	for (unsigned int o = order; o < order + PREFETCH_ORDERS; o++)
		if (r->desc_bytes << o >= CACHE_LINE)
			__builtin_prefetch(memmap + r->desc_bytes *
					   (pfn_buddy(pfn, o) >> o << o), 1);
}

static __always_inline void free_later(const struct buddy_repr *r,
				       struct buddy *b, unsigned long pfn,
				       unsigned int order, bool placed)
{
	prefetch_buddies(r, b, pfn, order);
	b->queue[b->queue_in++ % MAX_LOOKAHEAD] = (struct queued_block){ pfn, order };
	if (b->queue_in - b->queue_out > b->policy.lookahead)
		free_oldest(r, b, placed);
}

APART void free_later_placed(const struct buddy_repr *r, struct buddy *b,
			     unsigned long pfn, unsigned int order)
{
	free_later(r, b, pfn, order, true);
}

APART void free_later_large(const struct buddy_repr *r, struct buddy *b,
			    unsigned long pfn, unsigned int order)
{
	free_later(r, b, pfn, order, false);
}

static __noinline void free_at_once(const struct buddy_repr *r, struct buddy *b,
				    struct buddy_zone *z, unsigned long pfn,
				    unsigned int order)
{
	if (b->policy.placed)
		free_now(r, b, z, pfn, order, true);
	else
		free_now(r, b, z, pfn, order, false);
}

static __always_inline void buddy_free(const struct buddy_repr *r,
				       struct allocator *a, unsigned long pfn,
				       unsigned int order, unsigned int cpu)
{
	struct buddy *b = to_buddy(a);
	struct buddy_zone *z;

	if (likely(b->policy.lookahead && order <= QUEUE_MAX_ORDER)) {
		if (unlikely(b->policy.placed))
			free_later_placed(r, b, pfn, order);
		else if (likely(!order))
			free_later(r, b, pfn, 0, false);
		else
			free_later_large(r, b, pfn, order);
		return;
	}
	z = buddy_zone_of(b, pfn);
	if (z->pcps && pcp_holds(order))
		buddy_free_pcp(r, b, z, pfn, order, cpu);
	else
		free_at_once(r, b, z, pfn, order);
}

static __always_inline void note_owner(struct buddy *b, unsigned long pfn,
				       bool movable)
{
	const unsigned int bits = 8 * sizeof(*b->lru);
	unsigned long *word, mask;

	if (!b->lru)
		return;
	COST_PAUSE();
	word = &b->lru[pfn / bits];
	mask = 1UL << pfn % bits;
	*word = movable ? *word | mask : *word & ~mask;
	COST_RESUME();
}

/* The block is the caller's now. */
static __always_inline void hand_out(const struct buddy_repr *r,
				     struct buddy *b, struct buddy_zone *z,
				     unsigned long pfn,
				     const struct alloc_req *req,
				     unsigned int order)
{
	r->set_allocated(b, z, pfn, order);
	note_owner(b, pfn, req->migratetype == MIGRATE_MOVABLE);
	z->allocated += 1UL << order;
}

static __always_inline bool asks_pcp(const struct buddy_zone *z,
				     const struct alloc_req *req)
{
	return z->pcps && pcp_holds(req->order) && !(req->flags & ALLOC_NO_PCP);
}

/* Serve from one zone, marks or not; PFN_NONE. */
static __always_inline unsigned long buddy_zone_alloc(const struct buddy_repr *r,
						      struct buddy *b,
						      struct buddy_zone *z,
						      const struct alloc_req *req,
						      bool nofragment)
{
	unsigned int type = z->nr_types == 1 ? 0 : req->migratetype;
	unsigned long pfn = PFN_NONE;

	if (asks_pcp(z, req))
		pfn = pcp_alloc(r, b, z, &z->pcps[req->cpu], req->order, type,
				nofragment);
	if (pfn == PFN_NONE) {
		enum take_mode mode = TAKE_OWN;

		pfn = buddy_take(r, b, z, req->order, type, nofragment, &mode);
		if (r->settle)
			r->settle(b, z);
		if (pfn == PFN_NONE)
			return PFN_NONE;
	}
	hand_out(r, b, z, pfn, req, req->order);
	return pfn;
}

/* What is left to try when the first pass over the zones gave nothing. */
unsigned long buddy_alloc_slow(const struct buddy_repr *r, struct buddy *b,
			       const struct alloc_req *req);

/* Whether taking its head is all there is to do with a list. */
static __always_inline bool has_listed(const struct buddy_repr *r,
				       const struct buddy_zone *z,
				       unsigned int order, unsigned int type)
{
	return r->can_pop ? r->can_pop(z, order, type) : z->nr_free[order][type];
}

/* The block at the head of a list, if that is so. */
static __always_inline unsigned long take_listed(const struct buddy_repr *r,
						 struct buddy *b,
						 struct buddy_zone *z,
						 const struct alloc_req *req,
						 unsigned int order,
						 unsigned int type)
{
	unsigned long pfn;

	if (!has_listed(r, z, order, type))
		return PFN_NONE;
	pfn = r->pop(b, z, order, type);
	hand_out(r, b, z, pfn, req, order);
	count_unlisted(z, order, type);
	return pfn;
}

/* With `spare`: the same, if that is near and no pageblock may have to change sides. */
static __always_inline unsigned long take_near(const struct buddy_repr *r,
					       struct buddy *b,
					       struct buddy_zone *z,
					       const struct alloc_req *req,
					       unsigned int order,
					       unsigned int type)
{
	struct placement *p = z->placement;
	long left = p->window_left - (1L << order);
	unsigned long pfn;

	if (p->due || left < 0 || !has_near(z, order, type) ||
	    (r->can_pop && !r->can_pop(z, order, type)))
		return PFN_NONE;
	p->window_left = left;
	pfn = r->pop(b, z, order, type);
	hand_out(r, b, z, pfn, req, order);
	count_unlisted(z, order, type);
	count_in_block(z, block_index(p, pfn), -(1 << order));
	return pfn;
}

/* Whether some list of a zone has a block for the request, of its own type. */
static __always_inline bool has_own(const struct buddy_zone *z,
				    const struct alloc_req *req)
{
	return z->occupied[z->nr_types == 1 ? 0 : req->migratetype] >> req->order;
}

static __noinline unsigned long buddy_alloc_any(const struct buddy_repr *r,
						struct buddy *b,
						const struct alloc_req *req)
{
	unsigned int top = min_t(unsigned int, req->zone_limit, b->nr_zones - 1);
	bool nofragment = b->zones[top]->nofragment;

	if (!has_own(b->zones[top], req))
		free_queued(r, b);
	for (;;) {
		for (unsigned int i = top + 1; i-- > 0;) {
			struct buddy_zone *z = b->zones[i];
			unsigned long pfn;

			if (b->policy.marks && !zone_passes_low(z, req))
				continue;
			pfn = buddy_zone_alloc(r, b, z, req, nofragment);
			if (likely(pfn != PFN_NONE))
				return pfn;
		}
		if (!nofragment)
			break;
		nofragment = false;
	}
	return buddy_alloc_slow(r, b, req);
}

/* From the CPU's own list, if that has a block. */
static __noinline unsigned long buddy_alloc_pcp(const struct buddy_repr *r,
						struct buddy *b,
						struct buddy_zone *z,
						const struct alloc_req *req,
						unsigned int type)
{
	struct pcp *pcp = &z->pcps[req->cpu];
	unsigned long pfn;

	if (unlikely(pcp_list_empty(pcp, pcp_list_index(req->order, type))))
		return buddy_alloc_any(r, b, req);
	pfn = pcp_take(r, b, z, pcp, req->order, type);
	hand_out(r, b, z, pfn, req, req->order);
	return pfn;
}

/*
 * From a zone whose list of the very order has nothing: cut from a larger block of
 * the same type, or the whole way.
 */
static __noinline unsigned long buddy_alloc_cut(const struct buddy_repr *r,
						struct buddy *b,
						struct buddy_zone *z,
						const struct alloc_req *req,
						unsigned int type)
{
	unsigned int order = req->order;
	unsigned long pfn;

	if (unlikely(!(z->occupied[type] >> order)))
		return buddy_alloc_any(r, b, req);
	COST_NOW(bits_scanned, NR_PAGE_ORDERS - order);
	pfn = list_take(r, b, z, order, type);
	if (r->settle)
		r->settle(b, z);
	hand_out(r, b, z, pfn, req, order);
	return pfn;
}

/* From the highest zone if it has a block of the type, or the whole way. */
static __always_inline unsigned long buddy_alloc_top(const struct buddy_repr *r,
						     struct buddy *b,
						     struct buddy_zone *z,
						     const struct alloc_req *req,
						     bool placed)
{
	unsigned int order = req->order;
	unsigned int type = z->nr_types == 1 ? 0 : req->migratetype;
	unsigned long pfn;

	if (asks_pcp(z, req))
		return buddy_alloc_pcp(r, b, z, req, type);
	if (r->secure)
		return buddy_alloc_any(r, b, req);
	if (placed) {
		pfn = likely(order == 0) ? take_near(r, b, z, req, 0, type) :
					   take_near(r, b, z, req, order, type);
		return likely(pfn != PFN_NONE) ? pfn : buddy_alloc_any(r, b, req);
	}
	pfn = likely(order == 0) ? take_listed(r, b, z, req, 0, type) :
				   take_listed(r, b, z, req, order, type);
	return likely(pfn != PFN_NONE) ? pfn : buddy_alloc_cut(r, b, z, req, type);
}

static __noinline unsigned long buddy_alloc_marked(const struct buddy_repr *r,
						   struct buddy *b,
						   struct buddy_zone *z,
						   const struct alloc_req *req)
{
	if (!zone_passes_low(z, req)) {
		free_queued(r, b);
		return buddy_alloc_any(r, b, req);
	}
	return buddy_alloc_top(r, b, z, req, b->policy.placed);
}

static __always_inline unsigned long alloc_with(const struct buddy_repr *r,
						struct buddy *b,
						const struct alloc_req *req,
						bool placed)
{
	unsigned int top = min_t(unsigned int, req->zone_limit, b->nr_zones - 1);

	if (b->policy.marks)
		return buddy_alloc_marked(r, b, b->zones[top], req);
	return buddy_alloc_top(r, b, b->zones[top], req, placed);
}

APART unsigned long buddy_alloc_placed(const struct buddy_repr *r,
				       struct buddy *b,
				       const struct alloc_req *req)
{
	return alloc_with(r, b, req, true);
}

static __always_inline unsigned long buddy_alloc(const struct buddy_repr *r,
						 struct allocator *a,
						 const struct alloc_req *req)
{
	struct buddy *b = to_buddy(a);

	return unlikely(b->policy.placed) ? buddy_alloc_placed(r, b, req) :
					    alloc_with(r, b, req, false);
}

static __always_inline void buddy_release(const struct buddy_repr *r,
					  struct allocator *a,
					  unsigned long pfn, unsigned int order)
{
	struct buddy *b = to_buddy(a);
	struct buddy_zone *z = buddy_zone_of(b, pfn);

	z->reserved -= 1UL << order;
	buddy_put(r, b, z, pfn, order, LIST_HEAD);
}

static __always_inline void buddy_release_pcp(const struct buddy_repr *r,
					      struct allocator *a,
					      unsigned long pfn,
					      unsigned int order,
					      unsigned int cpu)
{
	struct buddy *b = to_buddy(a);
	struct buddy_zone *z = buddy_zone_of(b, pfn);

	if (z->pcps && pcp_holds(order) &&
	    pcp_park(r, b, z, &z->pcps[cpu], pfn, order))
		z->reserved -= 1UL << order;
	else
		buddy_release(r, a, pfn, order);
}

static __always_inline int buddy_adopt(const struct buddy_repr *r,
				       struct allocator *a, unsigned long pfn,
				       unsigned int order)
{
	struct buddy *b = to_buddy(a);
	struct buddy_zone *z = buddy_zone_of(b, pfn);

	r->set_allocated(b, z, pfn, order);
	note_owner(b, pfn, buddy_type(b, z, pfn) == MIGRATE_MOVABLE);
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
	bool movable = buddy_owner_is_movable(b, pfn);

	for (unsigned long at = 0; at < 1UL << order; at += 1UL << new_order) {
		r->set_allocated(b, z, pfn + at, new_order);
		note_owner(b, pfn + at, movable);
	}
	return true;
}

/* A free block is taken where it lies; what is kept in reserve stays there. */
static __always_inline bool buddy_isolate(const struct buddy_repr *r,
					  struct allocator *a,
					  unsigned long pfn,
					  unsigned int order)
{
	struct buddy *b = to_buddy(a);
	struct buddy_zone *z = buddy_zone_of(b, pfn);
	unsigned int type = buddy_type(b, z, pfn);

	if (!r->is_free(b, pfn, order) || type == MIGRATE_HIGHATOMIC)
		return false;
	buddy_remove(r, b, z, pfn, order, type);
	if (r->settle)
		r->settle(b, z);
	r->set_allocated(b, z, pfn, order);
	note_owner(b, pfn, true);
	z->allocated += 1UL << order;
	return true;
}

/* What needs no inlining: src/alloc/buddy/policy.c. */

/*
 * Set up the zones of b, whose zone structs the backend has allocated at
 * b->zones[0..nr_zones), as BUDDY_OPTIONS in `opts` say. 0, or -ENOMEM with a
 * message.
 */
int buddy_init(struct buddy *b, const struct allocator_ops *ops,
	       struct machine *m, const struct option_set *opts,
	       struct msg *msg);

/* Undo buddy_init(), however far it came. */
void buddy_exit(struct buddy *b);

/* A second of simulated time: per-CPU lists age, raised marks fall back. */
bool buddy_tick(const struct buddy_repr *r, struct allocator *a);
void buddy_drain(const struct buddy_repr *r, struct allocator *a);

/* Before any block of that pageblock is released. */
void buddy_set_block_type(struct allocator *a, unsigned long pfn,
			  unsigned int migratetype);

/* After what was parked is released. */
void buddy_limit_pcp(struct allocator *a, unsigned int zone, unsigned int cpu,
		     unsigned long pages);
void buddy_free_area(const struct allocator *a, unsigned int zone,
		     unsigned long nr_free[NR_PAGE_ORDERS]);
void buddy_counts(const struct buddy_repr *r, const struct allocator *a,
		  unsigned int zone, struct page_counts *counts);
void buddy_query(const struct buddy_repr *r, const struct allocator *a,
		 unsigned long pfn, struct page_info *info);
int buddy_verify(const struct buddy_repr *r, const struct allocator *a,
		 struct msg *msg);

#endif
