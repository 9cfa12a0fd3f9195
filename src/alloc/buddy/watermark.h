/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watermark.h - how much of a zone has to stay free
 *
 *    free pages of a zone
 *    |---------|---------|---------|----------------------------->
 *    0        min       low       high
 *              |         |         `- below: per-CPU lists shrink
 *              |         `- a request's first try ends here
 *              `- its second try; urgent ones may go to 1/2 or 3/8 of it
 *
 * A request that could have used a higher zone leaves lowmem_reserve more in
 * this one. A block must be there, too: of the order or above, and not of the
 * high-atomic reserve, whose pages do not count as free either, unless the
 * request may use them.
 *
 * When a request claims a part of a pageblock, the marks rise by a pageblock,
 * to 5/2 of high at most: Linux wakes kswapd to make room. Here reclaim is part
 * of the recorded demand, and the marks fall back with the next second's tick.
 */
#ifndef PAGETAX_ALLOC_BUDDY_WATERMARK_H
#define PAGETAX_ALLOC_BUDDY_WATERMARK_H

#include "repr.h"

static inline bool request_is_atomic(const struct alloc_req *req)
{
	const unsigned int both = ALLOC_HIGH_PRIORITY | ALLOC_NON_BLOCKING;

	return (req->flags & both) == both && req->order > 0;
}

static inline bool may_use_reserve(const struct alloc_req *req)
{
	return req->flags & (ALLOC_NON_BLOCKING | ALLOC_HIGH_PRIORITY);
}

/* Pages in free blocks of the high-atomic reserve. */
static inline unsigned long zone_free_highatomic(const struct buddy_zone *z)
{
	unsigned long pages = 0;

	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		pages += z->nr_free[order][MIGRATE_HIGHATOMIC] << order;
	return pages;
}

/* Whether `mark` pages and the reserve stay free after the request. */
static inline bool zone_stays_above(const struct buddy_zone *z,
				    const struct alloc_req *req,
				    unsigned long mark, bool urgent)
{
	unsigned long keep = mark + z->zone->lowmem_reserve[req->zone_limit];
	uint32_t blocks = z->occupied[MIGRATE_UNMOVABLE];

	keep += (1UL << req->order) - 1;
	if (unlikely(z->highatomic) && !urgent)
		keep += zone_free_highatomic(z);
	if (z->free_pages <= keep)
		return false;
	if (req->order == 0)
		return true;
	if (z->nr_types > 1)
		blocks |= z->occupied[MIGRATE_MOVABLE] |
			  z->occupied[MIGRATE_RECLAIMABLE];
	if (urgent && request_is_atomic(req))
		blocks |= z->occupied[MIGRATE_HIGHATOMIC];
	return blocks >> req->order;
}

/* The first try of a request. */
static inline bool zone_passes_low(struct buddy_zone *z,
				   const struct alloc_req *req)
{
	if (likely(!z->below_high)) {
		if (likely(zone_stays_above(z, req, z->mark[MARK_HIGH] + z->boost,
					    false)))
			return true;
		z->below_high = true;
	}
	return zone_stays_above(z, req, z->mark[MARK_LOW] + z->boost, false);
}

/*
 * The second: half of the mark for the urgent, a quarter less if they cannot
 * wait; and a single page of theirs is not held by marks that were raised.
 */
static inline bool zone_passes_min(const struct buddy_zone *z,
				   const struct alloc_req *req)
{
	unsigned long mark = z->mark[MARK_MIN];

	if (req->order > 0 || !(req->flags & ALLOC_HIGH_PRIORITY))
		mark += z->boost;
	if (req->flags & ALLOC_HIGH_PRIORITY) {
		mark -= mark / 2;
		if (req->flags & ALLOC_NON_BLOCKING)
			mark -= mark / 4;
	}
	return zone_stays_above(z, req, mark, may_use_reserve(req));
}

/*
 * After a per-CPU list was drained: is the zone out of need, for requests that
 * could have used any zone up to the `highest`?
 */
static inline void zone_note_recovery(struct buddy_zone *z, unsigned int highest)
{
	const struct alloc_req page = { .zone_limit = highest };

	if (unlikely(z->below_high) &&
	    zone_stays_above(z, &page, z->mark[MARK_HIGH] + z->boost, false))
		z->below_high = false;
}

/* Raise the marks; not in zones that a few pageblocks would fill. */
static inline void zone_raise_boost(struct buddy_zone *z)
{
	unsigned long most = z->mark[MARK_HIGH] + z->mark[MARK_HIGH] / 2;

	if (!most || z->zone->managed < 4 * PAGEBLOCK_NR_PAGES)
		return;
	most = max_t(unsigned long, most, PAGEBLOCK_NR_PAGES);
	z->boost = min_t(unsigned long, z->boost + PAGEBLOCK_NR_PAGES, most);
}

#endif
