/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * initial_state.c - from a map of pages to blocks to be released
 *
 *    page   . . F F F F R R  P F . .       F free, P per-CPU, R resident
 *    free       [2 ][4   ]     [9]         released: runs of F, cut into
 *                                          maximal aligned blocks
 *    parked                 [8]            as the recording's events name them
 *    boot       [2 ][4        ][8]         the same of F, P and R
 *
 * A run never crosses a zone's border. Memory: one byte a page while building.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/allocator.h"
#include "base/bits.h"
#include "sim/initial_state.h"

enum given {
	GIVEN_NONE,			/* stays reserved for ever */
	GIVEN_FREE,
	GIVEN_RESIDENT,
	GIVEN_PARKED,
};

static void mark_snapshot(uint8_t *map, const struct bundle *bundle,
			  unsigned long end_pfn)
{
	for (unsigned long pfn = 0; pfn < end_pfn; pfn++) {
		if (bundle->start[pfn] == START_FREE ||
		    bundle->start[pfn] == START_PCP)
			map[pfn] = GIVEN_FREE;
	}
}

static void mark_everything(uint8_t *map, const struct layout *layout)
{
	for (unsigned int z = 0; z < layout->nr_zones; z++) {
		const struct zone *zone = &layout->zones[z];

		memset(map + zone->start_pfn, GIVEN_FREE, zone->spanned);
	}
	for (unsigned int h = 0; h < layout->nr_holes; h++) {
		const struct hole *hole = &layout->holes[h];

		memset(map + hole->start_pfn, GIVEN_NONE,
		       hole->end_pfn - hole->start_pfn);
	}
}

static void mark_residents(struct initial_state *start, uint8_t *map,
			   const struct demand *demand)
{
	for (size_t i = 0; i < demand->nr_residents; i++) {
		const struct demand_resident *r = &demand->residents[i];

		memset(map + r->pfn, GIVEN_RESIDENT, 1UL << r->order);
		start->resident_pages += 1UL << r->order;
	}
}

/* The largest aligned block that begins at pfn and ends by `end`. */
static unsigned int largest_order(unsigned long pfn, unsigned long end)
{
	unsigned int order = pfn ? lowest_bit(pfn) : MAX_PAGE_ORDER;
	unsigned int fits = ilog2(end - pfn);

	order = min_t(unsigned int, order, fits);
	return min_t(unsigned int, order, MAX_PAGE_ORDER);
}

/* Whether a whole block was in a per-CPU list and is not placed yet. */
static bool block_was_parked(const struct bundle *bundle, const uint8_t *map,
			     const struct event *ev, unsigned long end_pfn)
{
	unsigned long pfn = (unsigned long)ev->pfn;
	unsigned long nr = 1UL << ev->order;

	if (ev->pfn >= end_pfn || end_pfn - pfn < nr || (pfn & (nr - 1)))
		return false;
	for (unsigned long p = pfn; p < pfn + nr; p++)
		if (bundle->start[p] != START_PCP || map[p] != GIVEN_FREE)
			return false;
	return true;
}

static bool names_parked(const struct event *ev)
{
	return (ev->kind == EV_ALLOC && ev->pfn != EVENT_PFN_FAILED) ||
	       ev->kind == EV_PCPU_DRAIN;
}

/*
 * The parked blocks: drained ones from the front of the array, allocated ones
 * from its back, so that it ends up in order of release.
 */
static int find_parked(struct initial_state *start, const struct bundle *bundle,
		       const struct layout *layout, uint8_t *map)
{
	const struct trace *trace = &bundle->trace;
	unsigned long end_pfn = layout_end_pfn(layout);
	size_t room = 0, front = 0, back;

	for (unsigned long pfn = 0; pfn < end_pfn; pfn++)
		room += bundle->start[pfn] == START_PCP;
	start->parked = calloc(room + 1, sizeof(*start->parked));
	if (!start->parked)
		return -ENOMEM;
	back = room;
	for (size_t i = 0; i < trace->nr_events; i++) {
		const struct event *ev = &trace->events[i];
		struct parked_block block = {
			.pfn = (unsigned long)ev->pfn,
			.cpu = (uint16_t)(ev->cpu % layout->nr_cpus),
			.order = ev->order,
		};

		if (!names_parked(ev) || bundle_before_snapshot(bundle, ev) ||
		    !block_was_parked(bundle, map, ev, end_pfn))
			continue;
		memset(map + block.pfn, GIVEN_PARKED, 1UL << block.order);
		start->free_pages += 1UL << block.order;
		if (ev->kind == EV_ALLOC)
			start->parked[--back] = block;
		else
			start->parked[front++] = block;
	}
	memmove(start->parked + front, start->parked + back,
		(room - back) * sizeof(*start->parked));
	start->nr_parked = front + room - back;
	return 0;
}

typedef int (*block_fn)(void *ctx, unsigned int zone, unsigned long pfn,
			unsigned int order);

/* Call fn for each maximal aligned block of pages that `wanted` accepts. */
static int for_each_block(const struct layout *layout, const uint8_t *map,
			  bool (*wanted)(uint8_t given), block_fn fn, void *ctx)
{
	for (unsigned int z = 0; z < layout->nr_zones; z++) {
		unsigned long pfn = layout->zones[z].start_pfn;
		unsigned long zone_end = zone_end_pfn(&layout->zones[z]);

		while (pfn < zone_end) {
			unsigned long end = pfn;

			while (end < zone_end && wanted(map[end]))
				end++;
			while (pfn < end) {
				unsigned int order = largest_order(pfn, end);
				int err = fn(ctx, z, pfn, order);

				if (err)
					return err;
				pfn += 1UL << order;
			}
			pfn = end + 1;
		}
	}
	return 0;
}

static bool given_free(uint8_t given)
{
	return given == GIVEN_FREE;
}

static bool given_at_all(uint8_t given)
{
	return given != GIVEN_NONE;
}

static int count_free(void *ctx, unsigned int zone, unsigned long pfn,
		      unsigned int order)
{
	struct initial_state *start = ctx;

	(void)zone;
	(void)pfn;
	start->nr_free_blocks++;
	start->free_pages += 1UL << order;
	return 0;
}

static int note_free(void *ctx, unsigned int zone, unsigned long pfn,
		     unsigned int order)
{
	struct initial_state *start = ctx;

	(void)zone;
	start->free_blocks[start->nr_free_blocks++] =
		(struct free_block){ pfn, order };
	return 0;
}

static int note_boot(void *ctx, unsigned int zone, unsigned long pfn,
		     unsigned int order)
{
	struct population *boot = ctx;

	(void)pfn;
	boot->nr_free[zone][order]++;
	return 0;
}

static void note_type(struct initial_state *start, unsigned long pfn,
		      unsigned int order, unsigned int migratetype)
{
	unsigned long end = ((pfn + (1UL << order) - 1) >> PAGEBLOCK_ORDER) + 1;

	/* A machine chosen by option may end below the bundle's made-up one. */
	end = min_t(unsigned long, end, start->nr_pageblocks);
	for (unsigned long b = pfn >> PAGEBLOCK_ORDER; b < end; b++)
		start->block_types[b] = (uint8_t)migratetype;
}

static int find_block_types(struct initial_state *start,
			    const struct bundle *bundle,
			    const struct layout *layout,
			    const struct demand *demand)
{
	start->nr_pageblocks = div_round_up(layout_end_pfn(layout),
					    PAGEBLOCK_NR_PAGES);
	start->block_types = malloc(start->nr_pageblocks);
	if (!start->block_types)
		return -ENOMEM;
	memset(start->block_types, MIGRATE_MOVABLE, start->nr_pageblocks);
	for (size_t i = 0; i < demand->nr_residents; i++) {
		const struct demand_resident *r = &demand->residents[i];

		note_type(start, r->pfn, r->order, r->migratetype);
	}
	for (size_t i = 0; i < bundle->nr_free_blocks; i++) {
		const struct start_block *b = &bundle->free_blocks[i];

		note_type(start, (unsigned long)b->pfn, b->order,
			  b->migratetype);
	}
	return 0;
}

static int find_blocks(struct initial_state *start, const struct layout *layout,
		       const uint8_t *map)
{
	(void)for_each_block(layout, map, given_free, count_free, start);
	start->free_blocks = calloc(start->nr_free_blocks + 1,
				    sizeof(*start->free_blocks));
	if (!start->free_blocks)
		return -ENOMEM;
	start->nr_free_blocks = 0;
	(void)for_each_block(layout, map, given_free, note_free, start);
	(void)for_each_block(layout, map, given_at_all, note_boot, &start->boot);
	return 0;
}

int initial_state_build(struct initial_state *start, const struct bundle *bundle,
		      const struct layout *layout, const struct demand *demand,
		      struct rng *rng, struct msg *msg)
{
	unsigned long end_pfn = layout_end_pfn(layout);
	uint8_t *map = calloc(end_pfn, 1);
	int err = -ENOMEM;

	*start = (struct initial_state){ 0 };
	if (!map)
		goto no_memory;
	if (bundle->has_snapshot)
		mark_snapshot(map, bundle, end_pfn);
	else
		mark_everything(map, layout);
	mark_residents(start, map, demand);
	err = bundle->has_snapshot ? find_parked(start, bundle, layout, map) : 0;
	if (!err)
		err = find_blocks(start, layout, map);
	free(map);
	if (!err)
		err = find_block_types(start, bundle, layout, demand);
	if (err)
		goto no_memory;
	if (rng)
		rng_shuffle(rng, start->free_blocks, start->nr_free_blocks,
			    sizeof(*start->free_blocks));
	return 0;

no_memory:
	initial_state_free(start);
	return msg_set(msg, ENOMEM, "no memory for the start state of %lu pages",
		       end_pfn);
}

void initial_state_free(struct initial_state *start)
{
	free(start->free_blocks);
	free(start->parked);
	free(start->block_types);
	*start = (struct initial_state){ 0 };
}

int initial_state_enter(const struct initial_state *start,
		      const struct demand *demand, struct allocator *a,
		      struct msg *msg)
{
	for (unsigned long b = 0; b < start->nr_pageblocks; b++) {
		unsigned long pfn = b << PAGEBLOCK_ORDER;

		if (start->block_types[b] != MIGRATE_MOVABLE)
			allocator_set_block_type(a, pfn, start->block_types[b]);
	}
	for (size_t i = 0; i < demand->nr_residents; i++) {
		const struct demand_resident *r = &demand->residents[i];
		int err = allocator_adopt(a, r->pfn, r->order);

		if (err)
			return msg_set(msg, -err,
				       "%s: cannot take over pfn %lu of order %u, which was in use at the start",
				       a->ops->name, r->pfn, r->order);
	}
	for (size_t i = 0; i < start->nr_free_blocks; i++)
		allocator_release(a, start->free_blocks[i].pfn,
				  start->free_blocks[i].order);
	for (size_t i = 0; i < start->nr_parked; i++) {
		const struct parked_block *p = &start->parked[i];

		allocator_release_pcp(a, p->pfn, p->order, p->cpu);
	}
	return 0;
}

static unsigned long pages_from(const unsigned long nr_free[NR_PAGE_ORDERS],
				unsigned int order)
{
	unsigned long pages = 0;

	for (; order < NR_PAGE_ORDERS; order++)
		pages += nr_free[order] << order;
	return pages;
}

/*
 * Without nodes, the very blocks of the boot. Pages that are pinned for ever
 * may leave so many small blocks that their lists need nodes even then (that
 * there is none too many is verify()'s to say): then no page may be missing,
 * and no large block.
 */
static bool zone_restored(const unsigned long boot[NR_PAGE_ORDERS],
			  const unsigned long nr_free[NR_PAGE_ORDERS],
			  const struct page_counts *counts)
{
	if (!counts->nodes)
		return !memcmp(nr_free, boot, NR_PAGE_ORDERS * sizeof(*boot));
	return pages_from(nr_free, 0) + counts->nodes + counts->stash ==
	       pages_from(boot, 0) &&
	       pages_from(nr_free, PAGEBLOCK_ORDER) ==
	       pages_from(boot, PAGEBLOCK_ORDER);
}

bool initial_state_restored(const struct initial_state *start,
			    struct allocator *a)
{
	allocator_drain(a);
	for (unsigned int z = 0; z < a->machine->layout->nr_zones; z++) {
		unsigned long nr_free[NR_PAGE_ORDERS];
		struct page_counts counts;

		allocator_free_area(a, z, nr_free);
		allocator_counts(a, z, &counts);
		if (!zone_restored(start->boot.nr_free[z], nr_free, &counts))
			return false;
	}
	return true;
}
