/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * initial_state.c - from a map of pages to blocks to be released
 *
 *    page   . . F F F F R R  P F . .       F free, P per-CPU, R resident
 *    free       [2 ][4   ]     [9]         released: runs of F, cut into
 *                                          maximal aligned blocks
 *    parked                 [8]            as the recording's events name them,
 *                                          or as many as it counted
 *    boot       [2 ][4        ][8]         the same of F, P and R
 *
 * A run never crosses a zone's border. Memory: one byte a page while building.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/allocator.h"
#include "alloc/buddy/pcp.h"
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

/* ---- what was in per-CPU lists ---- */

/* A CPU's lists of a zone. */
struct cpu_lists {
	uint64_t pages;			/* placed so far */
	uint32_t refilled;		/* which ones are, some time later */
};

/* Parked blocks fill an array from both ends: its order is that of release. */
struct parking {
	struct initial_state *start;
	const struct bundle *bundle;
	const struct layout *layout;
	uint8_t *map;
	size_t front, back;
	struct cpu_lists *lists;	/* [zone][cpu] */
};

/* Whether a whole block was in a per-CPU list and is not placed yet. */
static bool block_was_parked(const struct parking *p, uint64_t pfn,
			     unsigned int order)
{
	unsigned long end_pfn = layout_end_pfn(p->layout);
	unsigned long nr = 1UL << order;

	if (pfn >= end_pfn || end_pfn - pfn < nr || (pfn & (nr - 1)))
		return false;
	for (unsigned long at = (unsigned long)pfn; at < pfn + nr; at++)
		if (p->bundle->start[at] != START_PCP || p->map[at] != GIVEN_FREE)
			return false;
	return true;
}

static struct cpu_lists *lists_of(const struct parking *p, unsigned long pfn,
				  unsigned int cpu)
{
	unsigned int zone = (unsigned int)layout_zone_of(p->layout, pfn);

	return &p->lists[zone * p->layout->nr_cpus + cpu];
}

static uint32_t list_bit(unsigned int order, unsigned int type)
{
	return 1U << pcp_list_index(order, type < PCP_NR_TYPES ? type : MIGRATE_MOVABLE);
}

/* The block's place in the array, which the caller has chosen. */
static void park(struct parking *p, size_t place, unsigned long pfn,
		 unsigned int order, unsigned int cpu)
{
	p->start->parked[place] = (struct parked_block){
		.pfn = pfn,
		.cpu = (uint16_t)cpu,
		.order = (uint8_t)order,
	};
	memset(p->map + pfn, GIVEN_PARKED, 1UL << order);
	p->start->free_pages += 1UL << order;
	lists_of(p, pfn, cpu)->pages += 1UL << order;
}

/* Those that are drained, from the front; those that are allocated, from behind. */
static void park_by_next_event(struct parking *p)
{
	const struct trace *trace = &p->bundle->trace;

	for (size_t i = 0; i < trace->nr_events; i++) {
		const struct event *ev = &trace->events[i];
		unsigned int cpu = ev->cpu % p->layout->nr_cpus;

		if ((ev->kind != EV_ALLOC && ev->kind != EV_PCPU_DRAIN) ||
		    bundle_before_snapshot(p->bundle, ev) ||
		    !block_was_parked(p, ev->pfn, ev->order))
			continue;
		park(p, ev->kind == EV_ALLOC ? --p->back : p->front++,
		     (unsigned long)ev->pfn, ev->order, cpu);
	}
}

/* Of the others, those that an event put there: the last one stands first. */
static void park_by_last_event(struct parking *p)
{
	const struct trace *trace = &p->bundle->trace;

	for (size_t i = trace->nr_events; i-- > 0;) {
		const struct event *ev = &trace->events[i];

		if (bundle_before_snapshot(p->bundle, ev) &&
		    block_was_parked(p, ev->pfn, ev->order))
			park(p, --p->back, (unsigned long)ev->pfn, ev->order,
			     ev->cpu % p->layout->nr_cpus);
	}
}

/*
 * A list that takes a refill is empty. So what stays in a list all the time is
 * in one that is never refilled.
 */
static void note_refills(struct parking *p)
{
	const struct trace *trace = &p->bundle->trace;

	for (size_t i = 0; i < trace->nr_events; i++) {
		const struct event *ev = &trace->events[i];

		if (ev->kind == EV_ZONE_LOCKED && ev->migratetype < PCP_NR_TYPES &&
		    pcp_holds(ev->order) && !bundle_before_snapshot(p->bundle, ev))
			lists_of(p, (unsigned long)ev->pfn, ev->cpu % p->layout->nr_cpus)
				->refilled |= list_bit(ev->order, ev->migratetype);
	}
}

/* The recorded zones may have been merged into this one. */
static struct recorded_pcp recorded_in(const struct bundle *bundle,
				       const struct zone *zone, unsigned int cpu)
{
	struct recorded_pcp sum = { 0 };

	for (unsigned int i = 0; i < bundle->layout.nr_zones; i++) {
		struct recorded_pcp pcp = recorded_pcp_of(&bundle->start_pcps, i, cpu);

		if (!zone_spans(zone, bundle->layout.zones[i].start_pfn))
			continue;
		sum.count += pcp.count;
		sum.high += pcp.high;
	}
	return sum;
}

/*
 * The CPU that misses the most pages in this zone, at least a block of them,
 * and has a list for it that is never refilled.
 */
static bool cpu_that_misses(const struct parking *p, unsigned long pfn,
			    unsigned int order, unsigned int *cpu)
{
	unsigned int type = p->bundle->block_types[pfn >> PAGEBLOCK_ORDER];
	const struct zone *zone = &p->layout->zones[layout_zone_of(p->layout, pfn)];
	uint64_t most = (1UL << order) - 1;

	*cpu = p->layout->nr_cpus;
	for (unsigned int i = 0; i < p->layout->nr_cpus; i++) {
		const struct cpu_lists *lists = lists_of(p, pfn, i);
		uint64_t held = recorded_in(p->bundle, zone, i).count;

		if (held > lists->pages + most && !(lists->refilled & list_bit(order, type))) {
			most = held - lists->pages;
			*cpu = i;
		}
	}
	return *cpu < p->layout->nr_cpus;
}

/* The first page of [pfn, end) that the snapshot shows in a per-CPU list; or end. */
static unsigned long next_in_pcp(const struct bundle *bundle, unsigned long pfn,
				 unsigned long end)
{
	const uint8_t *found = pfn < end ? memchr(bundle->start + pfn, START_PCP, end - pfn)
					 : NULL;

	return found ? (unsigned long)(found - bundle->start) : end;
}

static const uint8_t orders_by_number[] = { PAGEBLOCK_ORDER, 0, 1, 2, 3 };

/*
 * What no event names: by number only, and behind all that is used soon. A page
 * for which there is no list was not parked after all.
 */
static void park_by_number(struct parking *p)
{
	unsigned long end_pfn = layout_end_pfn(p->layout);

	if (!p->bundle->start_pcps.list)
		return;
	note_refills(p);
	for (unsigned long pfn = 0; (pfn = next_in_pcp(p->bundle, pfn, end_pfn)) < end_pfn; pfn++) {
		for (size_t i = 0; i < ARRAY_SIZE(orders_by_number); i++) {
			unsigned int order = orders_by_number[i], cpu;

			if (!block_was_parked(p, pfn, order) ||
			    !cpu_that_misses(p, pfn, order, &cpu))
				continue;
			park(p, p->front++, pfn, order, cpu);
			pfn += (1UL << order) - 1;
			break;
		}
		if (p->map[pfn] == GIVEN_FREE)
			p->map[pfn] = GIVEN_NONE;
	}
}

/* Where lists of each CPU drained, in zones that have such lists. */
static int find_limits(struct initial_state *start, const struct bundle *bundle,
		       const struct layout *layout)
{
	start->limits = calloc((size_t)layout->nr_zones * layout->nr_cpus,
			       sizeof(*start->limits));
	if (!start->limits)
		return -ENOMEM;
	for (unsigned int z = 0; z < layout->nr_zones; z++)
		for (unsigned int cpu = 0; cpu < layout->nr_cpus; cpu++)
			start->limits[start->nr_limits++] = (struct parked_limit){
				.zone = z,
				.cpu = cpu,
				.pages = (unsigned long)recorded_in(
					bundle, &layout->zones[z], cpu).high,
			};
	return 0;
}

static int find_parked(struct initial_state *start, const struct bundle *bundle,
		       const struct layout *layout, uint8_t *map)
{
	struct parking p = { start, bundle, layout, map, 0, 0, NULL };
	const unsigned long end_pfn = layout_end_pfn(layout);
	size_t room = 0;

	for (unsigned long pfn = 0; (pfn = next_in_pcp(bundle, pfn, end_pfn)) < end_pfn; pfn++)
		room++;
	start->parked = calloc(room + 1, sizeof(*start->parked));
	p.lists = calloc((size_t)layout->nr_zones * layout->nr_cpus,
			 sizeof(*p.lists));
	if (!start->parked || !p.lists) {
		free(p.lists);
		return -ENOMEM;
	}
	p.back = room;
	park_by_next_event(&p);
	park_by_last_event(&p);
	park_by_number(&p);
	free(p.lists);
	memmove(start->parked + p.front, start->parked + p.back,
		(room - p.back) * sizeof(*start->parked));
	start->nr_parked = p.front + room - p.back;
	return find_limits(start, bundle, layout);
}

/* ---- blocks ---- */

typedef int (*block_fn)(void *ctx, unsigned int zone, unsigned long pfn,
			unsigned int order);

/*
 * Call fn for each maximal aligned block of pages that `wanted` accepts. Always
 * inlined, with both of them: there are millions of pages.
 */
static __always_inline int for_each_block(const struct layout *layout, const uint8_t *map,
					  bool (*wanted)(uint8_t given), block_fn fn,
					  void *ctx)
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
	for (size_t i = 0; bundle->block_types && i < start->nr_parked; i++) {
		const struct parked_block *p = &start->parked[i];

		note_type(start, p->pfn, p->order,
			  bundle->block_types[p->pfn >> PAGEBLOCK_ORDER]);
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
	free(start->limits);
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
	for (size_t i = 0; i < start->nr_limits; i++) {
		const struct parked_limit *l = &start->limits[i];

		if (l->pages)
			allocator_limit_pcp(a, l->zone, l->cpu, l->pages);
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

/*
 * What a policy holds in reserve for urgent requests keeps pageblocks apart. It
 * gives them up when a request fails: take all large blocks there are, until
 * one does, and give them back.
 */
static void empty_reserves(struct allocator *a)
{
	const struct layout *l = a->machine->layout;
	const struct alloc_req req = {
		.order = MAX_PAGE_ORDER,
		.migratetype = MIGRATE_MOVABLE,
		.zone_limit = l->nr_zones - 1,
	};
	const unsigned long most = layout_end_pfn(l) >> MAX_PAGE_ORDER;
	unsigned long *pfns = malloc((most + 1) * sizeof(*pfns));
	unsigned long nr = 0, pfn;

	while (pfns && nr <= most && (pfn = alloc_pages(a, &req)) != PFN_NONE)
		pfns[nr++] = pfn;
	while (nr)
		free_pages(a, pfns[--nr], MAX_PAGE_ORDER, 0);
	free(pfns);
	allocator_drain(a);
}

static bool zones_restored(const struct initial_state *start,
			   const struct allocator *a)
{
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

bool initial_state_restored(const struct initial_state *start,
			    struct allocator *a)
{
	allocator_drain(a);
	if (zones_restored(start, a))
		return true;
	if (a->ops->caps.no_policy || a->ops->caps.max_order < MAX_PAGE_ORDER)
		return false;
	empty_reserves(a);
	return zones_restored(start, a);
}
