/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * start_parked.c - pages of per-CPU lists that no event names
 *
 * What lies deep in a per-CPU list is neither handed out nor drained while the
 * recording lasts. Its pages have no flags, as those have that the kernel took
 * for itself; but zoneinfo says how many there were:
 *
 *    parked by zoneinfo    |-- named by events --|---- missing ----|
 *    pages without flags                         |---- missing ----|-- kernel's --|
 *
 * Which of them, is told by where they are:
 *    1. a pageblock without a single flag is a huge page of such a list
 *    2. single pages lie where others are free: freed with them, but not yet
 *       joined; so pageblocks with the most free pages come first
 *
 * On the recorded machines, four bundles, the one such pageblock of DMA32 is
 * the 512 pages that its lists held, and what remains in Normal is 61 to 62
 * thousand pages in each: the kernel's own.
 *
 * Cost: one pass over the pages of each zone, and a sort of its pageblocks.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/bits.h"
#include "sim/source/start_parked.h"

/* A pageblock with pages that may have been parked. */
struct site {
	unsigned long pfn;
	unsigned int nr;	/* such pages */
	unsigned int nr_free;	/* its pages in the buddy */
};

/* Pages that the zone's lists held, and that no event has named. */
static uint64_t nr_missing(const struct bundle *b, unsigned int zone)
{
	const struct zone *z = &b->layout.zones[zone];
	uint64_t held = 0, named = 0;

	for (unsigned int cpu = 0; cpu < b->start_pcps.nr_cpus; cpu++)
		held += recorded_pcp_of(&b->start_pcps, zone, cpu).count;
	for (unsigned long pfn = z->start_pfn; pfn < zone_end_pfn(z); pfn++)
		named += b->start[pfn] == START_PCP;
	return held > named ? held - named : 0;
}

static struct site look_at_pageblock(const struct bundle *b, unsigned long pfn,
				     uint8_t state)
{
	struct site site = { .pfn = pfn };

	for (unsigned long end = pfn + PAGEBLOCK_NR_PAGES; pfn < end; pfn++) {
		site.nr += b->start[pfn] == state;
		site.nr_free += b->start[pfn] == START_FREE;
	}
	return site;
}

/* Whole pageblocks first, then by free pages, then by address. */
static int compare_sites(const void *a, const void *b)
{
	const struct site *x = a, *y = b;
	bool x_whole = x->nr == PAGEBLOCK_NR_PAGES;
	bool y_whole = y->nr == PAGEBLOCK_NR_PAGES;

	if (x_whole != y_whole)
		return x_whole ? -1 : 1;
	if (x->nr_free != y->nr_free)
		return x->nr_free > y->nr_free ? -1 : 1;
	return (x->pfn > y->pfn) - (x->pfn < y->pfn);
}

/* Park the site's pages, up to `most`; a huge page goes whole or not at all. */
static uint64_t park_site(struct bundle *b, const struct site *site, uint8_t state,
			  uint64_t most)
{
	uint64_t nr = 0;

	if (site->nr == PAGEBLOCK_NR_PAGES && most < PAGEBLOCK_NR_PAGES)
		return 0;
	for (unsigned long at = 0; at < PAGEBLOCK_NR_PAGES && nr < most; at++) {
		if (b->start[site->pfn + at] != state)
			continue;
		b->start[site->pfn + at] = START_PCP;
		nr++;
	}
	return nr;
}

static int find_in_zone(struct bundle *b, unsigned int zone, uint8_t state)
{
	const struct zone *z = &b->layout.zones[zone];
	uint64_t missing = nr_missing(b, zone);
	struct site *sites;
	size_t nr = 0;

	if (!missing)
		return 0;
	sites = calloc((z->spanned >> PAGEBLOCK_ORDER) + 1, sizeof(*sites));
	if (!sites)
		return -ENOMEM;
	for (unsigned long pfn = round_up_to(z->start_pfn, PAGEBLOCK_NR_PAGES);
	     pfn + PAGEBLOCK_NR_PAGES <= zone_end_pfn(z); pfn += PAGEBLOCK_NR_PAGES) {
		sites[nr] = look_at_pageblock(b, pfn, state);
		nr += sites[nr].nr > 0;
	}
	qsort(sites, nr, sizeof(*sites), compare_sites);
	for (size_t i = 0; i < nr && missing; i++) {
		uint64_t parked = park_site(b, &sites[i], state, missing);

		missing -= parked;
		b->nr_start_parked += parked;
	}
	free(sites);
	return 0;
}

int start_parked_find(struct bundle *b, uint8_t state)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < b->layout.nr_zones; i++)
		err = find_in_zone(b, i, state);
	return err;
}
