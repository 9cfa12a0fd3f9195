/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mobility.h - a request whose own lists are empty takes from other types
 *
 *    request        takes from, in this order
 *    unmovable      reclaimable, movable
 *    movable        reclaimable, unmovable
 *    reclaimable    unmovable, movable
 *
 *    claim   from the largest order downwards: the pageblock becomes the
 *            requester's, with all that is free in it
 *    steal   from the smallest order upwards: a block goes, its pageblock keeps
 *            its type, and what is cut off stays on that type's lists
 *
 * A block of a pageblock or more is claimed whole. A smaller one of order o is
 * claimed only by unmovable and reclaimable requests, or if o is at least
 * PAGEBLOCK_ORDER / 2; and only if half of the pageblock is free or compatible:
 * for a movable request what is movable, for another one entering a movable
 * pageblock what is not, and nothing between unmovable and reclaimable.
 *
 * The high-atomic reserve is a fourth type, of about 1 % of a zone at most: the
 * pageblocks from which urgent requests that could not wait got more than one
 * page. It serves such requests after their CPU's list, and before they fail all
 * that cannot wait; it is given up before others fail.
 */
#ifndef PAGETAX_ALLOC_BUDDY_MOBILITY_H
#define PAGETAX_ALLOC_BUDDY_MOBILITY_H

#include "freelist.h"

/*
 * Where the next block of a request, or of a refill of many, is looked for. A
 * refill that had to steal goes on stealing; one that claimed is back at home.
 */
enum take_mode {
	TAKE_OWN,
	TAKE_STEAL,
};

/*
 * Claim or steal a block of this order, or PFN_NONE. nofragment: claim nothing
 * below a pageblock and do not steal. Its words are clear.
 */
unsigned long take_fallback(const struct buddy_repr *r, struct buddy *b,
			    struct buddy_zone *z, unsigned int order,
			    unsigned int type, bool nofragment,
			    enum take_mode *mode);

/* Free blocks of one pageblock, off their lists. */
struct taken_blocks {
	unsigned int nr;
	struct {
		uint16_t at;		/* from the pageblock's start */
		uint8_t order;
	} block[PAGEBLOCK_NR_PAGES];
};
_Static_assert(PAGEBLOCK_ORDER <= 16, "a place in a pageblock fits 16 bits");

/*
 * Take what is free in a pageblock off its lists, where a block is no larger
 * than that; and list it again, of this type, at the tails unless the zone's
 * placement says otherwise.
 */
void take_free_blocks(const struct buddy_repr *r, struct buddy *b,
		      struct buddy_zone *z, unsigned long start,
		      struct taken_blocks *taken);
void put_free_blocks(const struct buddy_repr *r, struct buddy *b,
		     struct buddy_zone *z, unsigned long start,
		     const struct taken_blocks *taken, unsigned int type);

/* A pageblock that is not wholly in the zone keeps its type for ever. */
static inline bool zone_holds_pageblock(const struct buddy_zone *z,
					unsigned long start)
{
	return start >= z->start_pfn && start + PAGEBLOCK_NR_PAGES <= z->end_pfn;
}

/* Whether the block that pfn heads was asked for as movable. */
bool buddy_owner_is_movable(const struct buddy *b, unsigned long pfn);

/* Reserve the pageblocks of the block that an atomic request was given. */
void reserve_highatomic(const struct buddy_repr *r, struct buddy *b,
			struct buddy_zone *z, unsigned long pfn,
			unsigned int order);

/* Give a zone's reserve to this type; whether there was any. */
bool unreserve_highatomic(const struct buddy_repr *r, struct buddy *b,
			  struct buddy_zone *z, unsigned int type);

/* A block of this order, its words clear, or PFN_NONE. */
static __always_inline unsigned long buddy_take(const struct buddy_repr *r,
						struct buddy *b,
						struct buddy_zone *z,
						unsigned int order,
						unsigned int type,
						bool nofragment,
						enum take_mode *mode)
{
	if (r->secure && !r->secure(b, z, order))
		return PFN_NONE;
	if (likely(*mode == TAKE_OWN)) {
		unsigned long pfn = take_smallest(r, b, z, order, type);

		if (likely(pfn != PFN_NONE) || z->nr_types == 1)
			return pfn;
	}
	return take_fallback(r, b, z, order, type, nofragment, mode);
}

#endif
