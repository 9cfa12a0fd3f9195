/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block_types.c - types of pageblocks, which no file of a recording names
 *
 *	1. events    a block's first zone_locked, drain or extfrag tells its type
 *	2. flags     of the others, one with page cache or anonymous memory in it
 *	             is movable, and so is one that is free; slabs without either
 *	             are not
 *	3. counts    of those, pagetypeinfo says how many are reclaimable: the ones
 *	             whose used pages are slabs to the largest part (inodes and
 *	             dentries; unmovable blocks also hold page tables and stacks);
 *	             and if it has more unmovable ones than are known by now, these
 *	             are the ones with most pages of the kernel's own, or parked
 *	             by it, such as huge pages of its per-CPU lists
 *
 * Cost: one pass over the events and two over the pages.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "sim/metrics/allocatee.h"
#include "sim/source/block_types.h"

#define TYPE_UNKNOWN 0xff

/* ---- events ---- */

static bool tells_type(const struct event *ev)
{
	return ev->kind == EV_EXTFRAG || ev->kind == EV_ZONE_LOCKED ||
	       ev->kind == EV_PCPU_DRAIN;
}

/*
 * A block that is claimed shows the type it had before in its extfrag, perhaps
 * just after a zone_locked of the same page on the same CPU; last[] holds
 * those that were the first of their block.
 */
static void reveal_types(const struct bundle *b, const struct event **last)
{
	for (size_t i = 0; i < b->trace.nr_events; i++) {
		const struct event *ev = &b->trace.events[i];
		bool extfrag = ev->kind == EV_EXTFRAG;
		bool explains = extfrag && last[ev->cpu] &&
				last[ev->cpu]->pfn == ev->pfn;
		uint8_t *type;
		bool first;

		if (!tells_type(ev) || bundle_before_snapshot(b, ev))
			continue;
		type = &b->block_types[ev->pfn >> PAGEBLOCK_ORDER];
		first = *type == TYPE_UNKNOWN;
		if (first || explains)
			*type = extfrag ? ev->fallback_migratetype : ev->migratetype;
		last[ev->cpu] = first && ev->kind == EV_ZONE_LOCKED ? ev : NULL;
	}
}

/* ---- flags and counts ---- */

/* A block that is not movable, of one of the two other types. */
struct candidate {
	unsigned long block;
	unsigned int slab_share;	/* thousandths of its used pages */
	unsigned int bare;		/* pages without an owner's flags */
};

/* Whether the block is in use, and nothing in it can move. */
static bool is_candidate(const struct bundle *b, unsigned long block,
			 struct candidate *c)
{
	unsigned long pfn = block << PAGEBLOCK_ORDER;
	unsigned int slabs = 0, tails = 0, bare = 0, used = 0;

	for (unsigned long end = pfn + PAGEBLOCK_NR_PAGES; pfn < end; pfn++) {
		if (b->start[pfn] == START_FREE || b->start[pfn] == START_ABSENT)
			continue;
		used++;
		switch (b->start_class[pfn]) {
		case ALLOCATEE_file:
		case ALLOCATEE_anon:
			return false;
		case ALLOCATEE_slab:
			slabs++;
			break;
		case ALLOCATEE_tail:
			tails++;
			break;
		default:
			bare++;
			break;
		}
	}
	if (!used)
		return false;
	*c = (struct candidate){ block, slabs ? (slabs + tails) * 1000 / used : 0, bare };
	return true;
}

/* Most of slabs first, by address among equals. */
static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->slab_share != y->slab_share)
		return x->slab_share < y->slab_share ? 1 : -1;
	return (x->block > y->block) - (x->block < y->block);
}

static int compare_bare(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->bare != y->bare)
		return x->bare < y->bare ? 1 : -1;
	return (x->block > y->block) - (x->block < y->block);
}

/* Blocks of a type that pagetypeinfo counts in a zone, and nobody has named. */
static size_t nr_left(const struct bundle *b, unsigned int zone, unsigned int type,
		      unsigned long first, unsigned long end)
{
	uint64_t known = 0;
	uint64_t all = b->nr_typed_blocks[zone][type];

	for (unsigned long block = first; block < end; block++)
		known += b->block_types[block] == type;
	return all > known ? (size_t)(all - known) : 0;
}

/* The candidates that hold slabs; how many others remain in the list. */
static size_t guess_slabs(struct bundle *b, struct candidate *list, size_t nr,
			  size_t nr_reclaimable)
{
	size_t rest = 0;

	qsort(list, nr, sizeof(*list), compare_candidates);
	for (size_t i = 0; i < nr; i++) {
		if (!list[i].slab_share)
			list[rest++] = list[i];
		else
			b->block_types[list[i].block] = i < nr_reclaimable ?
				MIGRATE_RECLAIMABLE : MIGRATE_UNMOVABLE;
	}
	return rest;
}

static void guess_zone(struct bundle *b, unsigned int z, struct candidate *list)
{
	const struct zone *zone = &b->layout.zones[z];
	unsigned long first = round_up_to(zone->start_pfn, PAGEBLOCK_NR_PAGES) >> PAGEBLOCK_ORDER;
	unsigned long end = zone_end_pfn(zone) >> PAGEBLOCK_ORDER;
	size_t nr = 0, left;

	for (unsigned long block = first; block < end; block++)
		if (b->block_types[block] == TYPE_UNKNOWN)
			nr += is_candidate(b, block, &list[nr]);
	nr = guess_slabs(b, list, nr, nr_left(b, z, MIGRATE_RECLAIMABLE, first, end));
	left = nr_left(b, z, MIGRATE_UNMOVABLE, first, end);
	qsort(list, nr, sizeof(*list), compare_bare);
	for (size_t i = 0; i < nr && i < left; i++)
		b->block_types[list[i].block] = MIGRATE_UNMOVABLE;
}

int block_types_find(struct bundle *b)
{
	size_t nr = (layout_end_pfn(&b->layout) >> PAGEBLOCK_ORDER) + 1;
	const struct event **last = calloc(b->trace.nr_cpus + 1UL, sizeof(*last));
	struct candidate *list = calloc(nr + 1, sizeof(*list));
	int err = -ENOMEM;

	b->block_types = malloc(nr);
	if (!b->block_types || !last || !list)
		goto done;
	err = 0;
	memset(b->block_types, TYPE_UNKNOWN, nr);
	reveal_types(b, last);
	for (unsigned int z = 0; b->has_snapshot && z < b->layout.nr_zones; z++)
		guess_zone(b, z, list);
	for (size_t i = 0; i < nr; i++)
		if (b->block_types[i] >= NR_MIGRATETYPES)
			b->block_types[i] = MIGRATE_MOVABLE;
done:
	free(list);
	free(last);
	return err;
}
