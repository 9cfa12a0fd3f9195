/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcp.h - blocks parked for one CPU, so that most requests touch no free list
 *
 *                 alloc ^   | free
 *                       |   v
 *                     [ head ]         one list for each order (0-3 and huge)
 *                     [      ]         and mobility type
 *                     [ tail ]
 *         refill ^ behind   | drain: from the tail, list after list
 *                |          v
 *            free lists of the zone, where blocks join
 *
 * A freed block is filed under its pageblock's type, the high-atomic reserve
 * under movable, huge pages under movable or not.
 *
 * How much is parked follows the load. batch is the zone's, `high` lies between
 * high_min and high_max, all in pages; S = 5:
 *    free    count >= high: drain what was freed lately, at least a batch, and
 *            leave a batch. `high` rises to hold what is being freed. After
 *            two frees of order 1-3 with more than batch + high_min / 2 freed
 *            lately, `high` falls by batch << S and that much drains.
 *    alloc   a list is empty: take batch pages, twice as many each time nothing
 *            was freed in between, batch << S at most; 2 blocks at least. `high`
 *            rises by as much.
 *    tick    each second `high` falls by an eighth, batch << S at most, and what
 *            is above it drains.
 * A zone below its high mark lets `high` fall instead of rise. With high_min ==
 * high_max nothing is tuned.
 *
 * Cost: a push or a pop touches the block's page and its neighbour's; the heads
 * take sizeof(struct pcp) for each zone and CPU, 256 bytes of a 64-bit machine.
 */
#ifndef PAGETAX_ALLOC_BUDDY_PCP_H
#define PAGETAX_ALLOC_BUDDY_PCP_H

#include "mobility.h"
#include "watermark.h"

#define PCP_BATCH_SCALE_MAX 5	/* S, as Linux is configured by default */

static inline bool pcp_holds(unsigned int order)
{
	return order <= PCP_MAX_ORDER || order == PAGEBLOCK_ORDER;
}

static inline unsigned int pcp_list_index(unsigned int order, unsigned int type)
{
	if (order > PCP_MAX_ORDER)
		return PCP_NR_SMALL + (type == MIGRATE_MOVABLE);
	return order * PCP_NR_TYPES + type;
}

/* The list that a freed block goes to. */
static __always_inline unsigned int pcp_file(const struct buddy *b,
					     const struct buddy_zone *z,
					     unsigned long pfn,
					     unsigned int order)
{
	unsigned int type = buddy_type(b, z, pfn);

	return pcp_list_index(order, type == MIGRATE_HIGHATOMIC ?
				     MIGRATE_MOVABLE : type);
}

static inline unsigned int pcp_list_order(unsigned int index)
{
	return index < PCP_NR_SMALL ? index / PCP_NR_TYPES : PAGEBLOCK_ORDER;
}

static __always_inline void pcp_push(const struct buddy_repr *r,
				     struct buddy *b, struct buddy_zone *z,
				     struct pcp *pcp, unsigned int index,
				     unsigned long pfn, unsigned int order,
				     enum list_end end)
{
	r->park(b, z, &pcp->lists[index], pfn, order, end);
	pcp->count += 1 << order;
	z->parked += 1UL << order;
	meta_charge(&b->base.machine->meta, META_parked, PAGE_SIZE << order);
}

static __always_inline unsigned long pcp_pop(const struct buddy_repr *r,
					     struct buddy *b,
					     struct buddy_zone *z,
					     struct pcp *pcp, unsigned int index,
					     unsigned int order,
					     enum list_end end)
{
	unsigned long pfn = r->unpark(b, z, &pcp->lists[index], end);

	pcp->count -= 1 << order;
	z->parked -= 1UL << order;
	meta_uncharge(&b->base.machine->meta, META_parked, PAGE_SIZE << order);
	return pfn;
}

static inline bool pcp_list_empty(const struct pcp *pcp, unsigned int index)
{
	return pcp->lists[index].first == LINK_END;
}

/*
 * Give `pages` back to the free lists: all of list `index` from its tail, then
 * of the next one, as far as they go. A block is never cut.
 */
static __noinline void pcp_drain(const struct buddy_repr *r,
				      struct buddy *b, struct buddy_zone *z,
				      struct pcp *pcp, int pages,
				      unsigned int index)
{
	int left = min_t(int, pages, pcp->count);

	b->base.stats.drains++;
	while (left > 0) {
		unsigned int order = pcp_list_order(index);

		while (left > 0 && !pcp_list_empty(pcp, index)) {
			unsigned long pfn = pcp_pop(r, b, z, pcp, index, order,
						    LIST_TAIL);

			buddy_free_block(r, b, z, pfn, order, LIST_BY_RULE);
			left -= 1 << order;
		}
		index = index + 1 < PCP_NR_LISTS ? index + 1 : 0;
	}
}

static inline bool pcp_is_tuned(const struct pcp *pcp)
{
	return pcp->high_min != pcp->high_max;
}

/* Lower `high`, but never below its floor. */
static inline void pcp_lower_high(struct pcp *pcp, int by)
{
	pcp->high = max_t(int, pcp->high - by, pcp->high_min);
}

/* Frees of order 1-3 follow each other: hold less, for they fragment. */
static inline bool pcp_must_free_high(struct pcp *pcp, unsigned int order)
{
	bool high_order = order > 0 && order <= PCP_MAX_ORDER;
	bool must = high_order && pcp->prev_free_high_order &&
		    pcp->free_count >= pcp->batch + pcp->high_min / 2 &&
		    pcp->count >= pcp->batch;

	pcp->prev_free_high_order = high_order;
	return must;
}

/* Pages from which on a free drains, after the limit has followed the load. */
static inline int pcp_limit(struct pcp *pcp, const struct buddy_zone *z)
{
	int limit = pcp->high;

	if (!pcp_is_tuned(pcp))
		return limit;
	if (unlikely(z->below_high)) {
		pcp_lower_high(pcp, max_t(int, pcp->free_count, pcp->batch));
		return max_t(int, pcp->count, pcp->high_min);
	}
	if (pcp->count >= limit && pcp->high < pcp->free_count + pcp->batch)
		pcp->high = min_t(int, pcp->free_count + pcp->batch,
				  pcp->high_max);
	return limit;
}

/* How many pages a list that has reached its limit gives back. */
static inline int pcp_nr_drain(const struct pcp *pcp, int limit)
{
	int most = limit - pcp->batch;

	if (limit < pcp->batch)
		return 1;
	if (pcp->free_count < pcp->batch || most < pcp->batch)
		return pcp->batch;
	return min_t(int, pcp->free_count, most);
}

/* Pages to give back once a freed block of this order is parked, or 0. */
static inline int pcp_nr_free(struct pcp *pcp, const struct buddy_zone *z,
			      unsigned int order)
{
	bool free_high = pcp_must_free_high(pcp, order);
	int limit;

	if (pcp->free_count < pcp->batch << PCP_BATCH_SCALE_MAX)
		pcp->free_count += 1 << order;
	if (unlikely(free_high)) {
		int most = pcp->batch << PCP_BATCH_SCALE_MAX;

		pcp_lower_high(pcp, most);
		return most;
	}
	limit = pcp_limit(pcp, z);
	return unlikely(pcp->count >= limit) ? pcp_nr_drain(pcp, limit) : 0;
}

/* Park a freed block whose words are clear; drain if that is too much. */
static __always_inline void pcp_free(const struct buddy_repr *r,
				     struct buddy *b, struct buddy_zone *z,
				     struct pcp *pcp, unsigned long pfn,
				     unsigned int order)
{
	unsigned int index = pcp_file(b, z, pfn, order);
	int pages;

	pcp->alloc_factor >>= 1;
	pcp_push(r, b, z, pcp, index, pfn, order, LIST_HEAD);
	pages = pcp_nr_free(pcp, z, order);
	if (unlikely(pages)) {
		pcp_drain(r, b, z, pcp, pages, index);
		zone_note_recovery(z, b->nr_zones - 1);
	}
}

/*
 * A block that was parked before the simulation began: what is parked is within
 * the limit, whatever that was. False when it is too much.
 */
static __always_inline bool pcp_park(const struct buddy_repr *r,
				     struct buddy *b, struct buddy_zone *z,
				     struct pcp *pcp, unsigned long pfn,
				     unsigned int order)
{
	if (pcp->count + (1 << order) > pcp->high_max)
		return false;
	pcp_push(r, b, z, pcp, pcp_file(b, z, pfn, order), pfn, order, LIST_HEAD);
	pcp->high = max_t(int, pcp->high, pcp->count);
	return true;
}

/* How many blocks a refill takes, after the limits have followed the load. */
static inline int pcp_nr_refill(struct pcp *pcp, const struct buddy_zone *z,
				unsigned int order)
{
	int pages = order ? pcp->batch : pcp->batch << pcp->alloc_factor;
	int high = pcp->high;

	if (high < pcp->batch)
		return 1;
	if (pcp_is_tuned(pcp) && !z->below_high)
		high = pcp->high = min_t(int, pcp->high + pages, pcp->high_max);
	if (!order) {
		int most = max_t(int, high - pcp->count - pcp->batch, pcp->batch);

		if (pages <= most && pcp->alloc_factor < PCP_BATCH_SCALE_MAX)
			pcp->alloc_factor++;
		pages = min_t(int, pages, most);
	}
	return pages > 1 ? max_t(int, pages >> order, 2) : pages;
}

/* Take blocks from the free lists to the list's tail. */
static __noinline void pcp_refill(const struct buddy_repr *r,
				       struct buddy *b, struct buddy_zone *z,
				       struct pcp *pcp, unsigned int index,
				       unsigned int order, unsigned int type,
				       bool nofragment)
{
	enum take_mode mode = TAKE_OWN;

	b->base.stats.refills++;
	for (int left = pcp_nr_refill(pcp, z, order); left > 0; left--) {
		unsigned long pfn = buddy_take(r, b, z, order, type, nofragment,
					       &mode);

		if (pfn == PFN_NONE)
			break;
		pcp_push(r, b, z, pcp, index, pfn, order, LIST_TAIL);
	}
	if (r->settle)
		r->settle(b, z);
}

/* A block for this CPU, its words clear, from a list that has one. */
static __always_inline unsigned long pcp_take(const struct buddy_repr *r,
					      struct buddy *b,
					      struct buddy_zone *z,
					      struct pcp *pcp,
					      unsigned int order,
					      unsigned int type)
{
	pcp->free_count >>= 1;
	return pcp_pop(r, b, z, pcp, pcp_list_index(order, type), order,
		       LIST_HEAD);
}

/* The same, refilling it first; PFN_NONE when there is nothing to be had. */
static __always_inline unsigned long pcp_alloc(const struct buddy_repr *r,
					       struct buddy *b,
					       struct buddy_zone *z,
					       struct pcp *pcp,
					       unsigned int order,
					       unsigned int type,
					       bool nofragment)
{
	unsigned int index = pcp_list_index(order, type);

	if (unlikely(pcp_list_empty(pcp, index))) {
		pcp->free_count >>= 1;
		pcp_refill(r, b, z, pcp, index, order, type, nofragment);
		if (pcp_list_empty(pcp, index))
			return PFN_NONE;
		return pcp_pop(r, b, z, pcp, index, order, LIST_HEAD);
	}
	return pcp_take(r, b, z, pcp, order, type);
}

/* What needs no inlining: src/alloc/buddy/pcp.c. */

/*
 * Lists for each CPU of a zone, sized as Linux sizes them, as recorded, or as
 * fixed (0: not). False when there is no room.
 */
bool pcp_create(struct buddy *b, struct buddy_zone *z, unsigned long high,
		unsigned long batch);
void pcp_destroy(struct buddy *b, struct buddy_zone *z);

/* Set `high`, within its bounds and above what is parked; not if it is fixed. */
void pcp_limit_to(struct pcp *pcp, unsigned long pages);

/* A second has passed. False when nothing changed, as nothing will the next time. */
bool pcp_decay(const struct buddy_repr *r, struct buddy *b,
	       struct buddy_zone *z, struct pcp *pcp);

/* Empty the lists of every CPU. */
void pcp_drain_all(const struct buddy_repr *r, struct buddy *b,
		   struct buddy_zone *z);

/* Walk every list and compare with the counts. */
int pcp_verify(const struct buddy_repr *r, const struct buddy *b,
	       const struct buddy_zone *z, struct msg *msg);

#endif
