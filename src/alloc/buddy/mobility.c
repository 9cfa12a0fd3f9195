/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mobility.c - claiming, stealing and reserving; see mobility.h
 *
 * None of this is on the hot path, so it calls the representation through its
 * table and exists once.
 *
 * Moving the free blocks of a pageblock to another type is done in two steps,
 * because a list may take blocks for its own nodes: all of them leave their
 * lists, then the type changes, then they enter the new lists. In between no
 * list holds a block of the wrong type.
 */
#include "mobility.h"
#include "watermark.h"

#define NR_FALLBACKS 2

static const uint8_t fallbacks[PCP_NR_TYPES][NR_FALLBACKS] = {
	[MIGRATE_UNMOVABLE]   = { MIGRATE_RECLAIMABLE, MIGRATE_MOVABLE },
	[MIGRATE_MOVABLE]     = { MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE },
	[MIGRATE_RECLAIMABLE] = { MIGRATE_UNMOVABLE, MIGRATE_MOVABLE },
};

void set_block_types(struct buddy *b, struct buddy_zone *z, unsigned long pfn,
		     unsigned int order, unsigned int type)
{
	unsigned long first = pfn >> PAGEBLOCK_ORDER;
	unsigned long nr = 1UL << (order - PAGEBLOCK_ORDER);

	assert(order >= PAGEBLOCK_ORDER);
	for (unsigned long i = 0; i < nr; i++)
		b->block_type[first + i] = (uint8_t)type;
	if (z->placement && z->placement->rule == PLACE_SPARE)
		spare_note_type(z, pfn, order, type);
}

/* The first fallback type with a block of this order; BUDDY_NR_TYPES: none. */
static unsigned int find_fallback(const struct buddy_zone *z,
				  unsigned int order, unsigned int type)
{
	for (unsigned int i = 0; i < NR_FALLBACKS; i++)
		if (z->nr_free[order][fallbacks[type][i]])
			return fallbacks[type][i];
	return BUDDY_NR_TYPES;
}

/* Whether a block of this order may bring its pageblock to the requester. */
static bool may_claim(unsigned int order, unsigned int type)
{
	return order >= PAGEBLOCK_ORDER / 2 || type != MIGRATE_MOVABLE;
}

bool buddy_owner_is_movable(const struct buddy *b, unsigned long pfn)
{
	const unsigned int bits = 8 * sizeof(*b->lru);
	bool movable;

	COST_PAUSE();
	movable = b->lru && (b->lru[pfn / bits] >> pfn % bits & 1);
	COST_RESUME();
	return movable;
}

/* The block of another type's list, not empty, that this type would take. */
static unsigned long block_for(const struct buddy_repr *r, struct buddy *b,
			       struct buddy_zone *z, unsigned int from,
			       unsigned int from_type, unsigned int type)
{
	const struct placement *p = z->placement;
	bool from_the_top = type == MIGRATE_UNMOVABLE;

	if (p && !p->started)
		placement_start(r, b, z);
	if (p && p->rule == PLACE_LOWEST)
		return lowest_of_list(z, from, from_type, type);
	if (p && p->rule == PLACE_WATERMARK && from_the_top)
		return r->peek(b, z, from, from_type, LIST_TAIL);
	return r->peek(b, z, from, from_type, LIST_HEAD);
}

static unsigned long take_for(const struct buddy_repr *r, struct buddy *b,
			      struct buddy_zone *z, unsigned int from,
			      unsigned int from_type, unsigned int type)
{
	unsigned long pfn;

	if (!z->placement)
		return buddy_pop(r, b, z, from, from_type);
	pfn = block_for(r, b, z, from, from_type, type);
	buddy_remove(r, b, z, pfn, from, from_type);
	return pfn;
}

struct pageblock_use {
	unsigned long free;		/* pages */
	unsigned long movable;
};

static struct pageblock_use count_pageblock(const struct buddy_repr *r,
					    const struct buddy *b,
					    unsigned long start)
{
	struct pageblock_use use = { 0, 0 };
	unsigned long end = start + PAGEBLOCK_NR_PAGES;

	for (unsigned long pfn = start; pfn < end;) {
		unsigned int order = 0;
		enum buddy_kind kind = r->kind(b, pfn, &order);
		unsigned long nr = kind == KIND_NONE ? 1 : 1UL << order;

		if (kind == KIND_FREE)
			use.free += nr;
		else if (kind == KIND_ALLOCATED && buddy_owner_is_movable(b, pfn))
			use.movable += nr;
		pfn += nr;
	}
	return use;
}

void take_free_blocks(const struct buddy_repr *r, struct buddy *b,
		      struct buddy_zone *z, unsigned long start,
		      struct taken_blocks *taken)
{
	unsigned int type = buddy_type(b, z, start);

	taken->nr = 0;
	for (unsigned long at = 0; at < PAGEBLOCK_NR_PAGES;) {
		unsigned int order = 0;
		enum buddy_kind kind = r->kind(b, start + at, &order);

		if (kind == KIND_FREE) {
			buddy_remove(r, b, z, start + at, order, type);
			taken->block[taken->nr].at = (uint16_t)at;
			taken->block[taken->nr++].order = (uint8_t)order;
		}
		at += kind == KIND_NONE ? 1 : 1UL << order;
	}
}

void put_free_blocks(const struct buddy_repr *r, struct buddy *b,
		     struct buddy_zone *z, unsigned long start,
		     const struct taken_blocks *taken, unsigned int type)
{
	for (unsigned int i = 0; i < taken->nr; i++)
		buddy_insert(r, b, z, start + taken->block[i].at,
			     taken->block[i].order, type, LIST_TAIL);
}

/*
 * Retype a pageblock in which something is in use. Its free blocks go to the
 * tails of the new type's lists.
 */
static void move_pageblock(const struct buddy_repr *r, struct buddy *b,
			   struct buddy_zone *z, unsigned long start,
			   unsigned int type)
{
	struct taken_blocks taken;

	take_free_blocks(r, b, z, start, &taken);
	set_block_types(b, z, start, PAGEBLOCK_ORDER, type);
	put_free_blocks(r, b, z, start, &taken, type);
}

/* Whether half of the pageblock is free or of the requester's kind. */
static bool pageblock_is_alike(const struct buddy_repr *r,
			       const struct buddy *b, const struct buddy_zone *z,
			       unsigned long start, unsigned int type)
{
	struct pageblock_use use = count_pageblock(r, b, start);
	unsigned long alike = 0;

	if (type == MIGRATE_MOVABLE)
		alike = use.movable;
	else if (buddy_type(b, z, start) == MIGRATE_MOVABLE)
		alike = PAGEBLOCK_NR_PAGES - use.free - use.movable;
	return use.free + alike >= PAGEBLOCK_NR_PAGES / 2;
}

/*
 * Whether a request takes pageblocks for its type however full they are. One
 * unmovable page keeps a spared pageblock from ever becoming whole, so with
 * `spare` none is scattered by stealing as long as there is another to claim.
 */
static bool claims_any(const struct buddy_zone *z, unsigned int type)
{
	return z->placement && z->placement->rule == PLACE_SPARE &&
	       type == MIGRATE_UNMOVABLE;
}

/* Claim the pageblock of the block at the head of a list, if it is worth it. */
static unsigned long claim_part(const struct buddy_repr *r, struct buddy *b,
				struct buddy_zone *z, unsigned int from,
				unsigned int from_type, unsigned int order,
				unsigned int type)
{
	unsigned long pfn = block_for(r, b, z, from, from_type, type);
	unsigned long start = pfn >> PAGEBLOCK_ORDER << PAGEBLOCK_ORDER;

	zone_raise_boost(z);
	if (!zone_holds_pageblock(z, start) ||
	    !(claims_any(z, type) || pageblock_is_alike(r, b, z, start, type)))
		return PFN_NONE;
	move_pageblock(r, b, z, start, type);
	b->base.stats.claims++;
	return take_smallest(r, b, z, order, type);
}

static unsigned long claim_whole(const struct buddy_repr *r, struct buddy *b,
				 struct buddy_zone *z, unsigned int from,
				 unsigned int from_type, unsigned int order,
				 unsigned int type)
{
	unsigned long pfn = take_for(r, b, z, from, from_type, type);

	set_block_types(b, z, pfn, from, type);
	buddy_expand(r, b, z, pfn, from, order, type);
	b->base.stats.claims++;
	return pfn;
}

static unsigned long claim(const struct buddy_repr *r, struct buddy *b,
			   struct buddy_zone *z, unsigned int order,
			   unsigned int type, bool nofragment)
{
	unsigned int least = nofragment && order < PAGEBLOCK_ORDER ?
			     PAGEBLOCK_ORDER : order;

	for (unsigned int from = MAX_PAGE_ORDER + 1; from-- > least;) {
		unsigned int from_type;
		unsigned long pfn;

		if (!may_claim(from, type))
			break;
		from_type = find_fallback(z, from, type);
		if (from_type == BUDDY_NR_TYPES)
			continue;
		pfn = from >= PAGEBLOCK_ORDER ?
		      claim_whole(r, b, z, from, from_type, order, type) :
		      claim_part(r, b, z, from, from_type, order, type);
		if (pfn != PFN_NONE)
			return pfn;
	}
	return PFN_NONE;
}

static unsigned long steal(const struct buddy_repr *r, struct buddy *b,
			   struct buddy_zone *z, unsigned int order,
			   unsigned int type)
{
	for (unsigned int from = order; from <= MAX_PAGE_ORDER; from++) {
		unsigned int from_type = find_fallback(z, from, type);
		unsigned long pfn;

		if (from_type == BUDDY_NR_TYPES)
			continue;
		pfn = take_for(r, b, z, from, from_type, type);
		buddy_expand(r, b, z, pfn, from, order, from_type);
		b->base.stats.steals++;
		return pfn;
	}
	return PFN_NONE;
}

unsigned long take_fallback(const struct buddy_repr *r, struct buddy *b,
			    struct buddy_zone *z, unsigned int order,
			    unsigned int type, bool nofragment,
			    enum take_mode *mode)
{
	unsigned long pfn = PFN_NONE;

	if (*mode == TAKE_OWN)
		pfn = claim(r, b, z, order, type, nofragment);
	if (pfn != PFN_NONE || nofragment)
		return pfn;
	pfn = steal(r, b, z, order, type);
	if (pfn != PFN_NONE)
		*mode = TAKE_STEAL;
	return pfn;
}

void reserve_highatomic(const struct buddy_repr *r, struct buddy *b,
			struct buddy_zone *z, unsigned long pfn,
			unsigned int order)
{
	unsigned long start = pfn >> PAGEBLOCK_ORDER << PAGEBLOCK_ORDER;
	unsigned long share = z->zone->managed / 100;

	if (share < PAGEBLOCK_NR_PAGES ||
	    z->highatomic >= round_up_to(share, PAGEBLOCK_NR_PAGES) ||
	    !zone_holds_pageblock(z, start) ||
	    buddy_type(b, z, start) == MIGRATE_HIGHATOMIC)
		return;
	if (order < PAGEBLOCK_ORDER)
		move_pageblock(r, b, z, start, MIGRATE_HIGHATOMIC);
	else
		set_block_types(b, z, start, order, MIGRATE_HIGHATOMIC);
	z->highatomic += 1UL << max_t(unsigned int, order, PAGEBLOCK_ORDER);
}

/* The free block of a pageblock or more that covers one, or PFN_NONE. */
static unsigned long free_block_over(const struct buddy_repr *r,
				     const struct buddy *b, unsigned long start,
				     unsigned int *order)
{
	for (*order = PAGEBLOCK_ORDER; *order <= MAX_PAGE_ORDER; ++*order) {
		unsigned long head = start >> *order << *order;

		if (r->is_free(b, head, *order))
			return head;
	}
	return PFN_NONE;
}

/* A free pageblock may join its buddy once it is of an ordinary type. */
static void unreserve_pageblock(const struct buddy_repr *r, struct buddy *b,
				struct buddy_zone *z, unsigned long start,
				unsigned int type)
{
	unsigned int order;
	unsigned long head = free_block_over(r, b, start, &order);

	if (head == PFN_NONE) {
		move_pageblock(r, b, z, start, type);
		z->highatomic -= PAGEBLOCK_NR_PAGES;
		return;
	}
	buddy_remove(r, b, z, head, order, MIGRATE_HIGHATOMIC);
	set_block_types(b, z, head, order, type);
	z->highatomic -= 1UL << order;
	buddy_merge(r, b, z, head, order, LIST_HEAD);
}

bool unreserve_highatomic(const struct buddy_repr *r, struct buddy *b,
			  struct buddy_zone *z, unsigned int type)
{
	unsigned long first = div_round_up(z->start_pfn, PAGEBLOCK_NR_PAGES);
	unsigned long end = z->end_pfn >> PAGEBLOCK_ORDER;

	if (!z->highatomic)
		return false;
	for (unsigned long i = first; i < end; i++)
		if (b->block_type[i] == MIGRATE_HIGHATOMIC)
			unreserve_pageblock(r, b, z, i << PAGEBLOCK_ORDER, type);
	if (r->settle)
		r->settle(b, z);
	return true;
}
