/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compaction.c - two scanners, as in Linux's mm/compaction.c
 *
 *    start of the zone                                      end of the zone
 *    [ M . M . | M U . M | . M M . | ......... | . M . . | M . . . | U U . . ]
 *      region    U: left   `-> moved there ->        ^ taken
 *      migrate scanner ->                          <- free scanner
 *
 * The migrate scanner goes through regions of the order asked for. A region
 * is emptied if each of its pages is free or can move, and left alone
 * otherwise: half a region would be moved for nothing (Linux: skip on failure).
 * The free scanner goes through pageblocks from the other end, and takes all
 * free blocks of one that is suitable: that is not free as a whole, and holds
 * no more pages that cannot move than pages that can. It stands for "of
 * movable type", which not every design knows. A moved block goes to the smallest
 * place that holds it; what is left of the place is cut off in halves.
 *
 * A run ends when the zone has a free block of the order, or when the scanners
 * meet. The next one goes on where it ended, or from both ends if they met.
 * Per-CPU lists are emptied before a run, and after each region.
 *
 *    a zone is suitable   no block of the order is free, free pages reach its
 *                         low mark and twice the block besides, and its
 *                         fragmentation index is above 500 thousandths
 *    it is put off        after n failures in a row for 2^n requests, n at
 *                         most 6, of an order that failed or larger ones
 *
 * It takes no simulated time. Owners are told through the table of lives.
 *
 * Left out: kcompactd, the skip marks of pageblocks (the scanners' places are
 * kept instead), and the difference between modes; a run is an asynchronous
 * one in what it moves, and put off as a synchronous one.
 */
#include <stdlib.h>

#include "base/array.h"
#include "base/bits.h"
#include "sim/metrics/fragmentation.h"
#include "sim/simulation/compaction.h"

#define DEFER_SHIFT_MAX 6		/* COMPACT_MAX_DEFER_SHIFT */
#define EXTFRAG_THRESHOLD 500		/* the default of vm.extfrag_threshold */

/* Whose block begins at a page: its id + 1, 0: nobody's. */
typedef uint32_t owner_word;

/* Pages of a pageblock in use. */
struct block_use {
	uint16_t movable;
	uint16_t pinned;
};
_Static_assert(PAGEBLOCK_NR_PAGES <= UINT16_MAX, "its pages can be counted");

struct compact_zone {
	unsigned long start_pfn, end_pfn;
	unsigned long migrate_pfn;	/* the next region to look at */
	unsigned long free_pfn;		/* the end of the next pageblock to look at */
	unsigned int defer_shift;
	unsigned int considered;	/* requests since it was put off */
	unsigned int order_failed;	/* this order and larger ones are put off */
};

/* Places that the free scanner has taken. */
struct place_list {
	unsigned long *pfns;
	size_t nr;
};

struct compactor {
	struct allocator *a;		/* set at create, as are the next three */
	struct live_table *live;
	const bool *movable;		/* by class */
	struct compact_result *result;
	owner_word *owners;		/* by page */
	struct block_use *blocks;	/* by pageblock */
	struct compact_zone zones[MAX_NR_ZONES];

	/* One run. */
	struct compact_zone *zone;	/* also whom the outcome is for; NULL: none */
	unsigned int order;
	unsigned int cpu;
	struct place_list places[NR_PAGE_ORDERS];
	uint32_t ids[1U << MAX_PAGE_ORDER];	/* of the region's blocks */
	unsigned int nr_ids;
	bool no_memory;			/* for a list of places, once: the run must end */
};

/* Who is where */

static struct block_use *block_of(struct compactor *c, unsigned long pfn)
{
	return &c->blocks[pfn >> PAGEBLOCK_ORDER];
}

static void count_use(struct compactor *c, struct life life, int sign)
{
	unsigned long pfn = life_pfn(life);
	unsigned long end = pfn + (1UL << life_order(life));

	while (pfn < end) {
		unsigned long in_block = min_t(unsigned long, end - pfn,
					       PAGEBLOCK_NR_PAGES);
		struct block_use *use = block_of(c, pfn);
		uint16_t *nr = c->movable[life_class(life)] ? &use->movable
							    : &use->pinned;

		*nr = (uint16_t)(*nr + sign * (int)in_block);
		pfn += in_block;
	}
}

void compactor_note_alloc(struct compactor *c, uint32_t id)
{
	struct life life = live_get(c->live, id);

	c->owners[life_pfn(life)] = id + 1;
	count_use(c, life, 1);
}

void compactor_note_free(struct compactor *c, struct life life)
{
	c->owners[life_pfn(life)] = 0;
	count_use(c, life, -1);
}

/* The life whose block begins at pfn; false: none. */
static bool owner_at(const struct compactor *c, unsigned long pfn, uint32_t *id)
{
	*id = c->owners[pfn] - 1;
	return c->owners[pfn];
}

/* Pages from pfn to the end of the free block it heads; 0: it heads none. */
static unsigned long free_at(const struct compactor *c, unsigned long pfn)
{
	struct page_info info;

	allocator_query(c->a, pfn, &info);
	return info.state == PAGE_STATE_FREE && info.head == pfn
		       ? 1UL << info.order : 0;
}

/* Free places */

static void place_keep(struct compactor *c, unsigned long pfn, unsigned int order)
{
	struct place_list *list = &c->places[order];

	if (array_grow(list->pfns, list->nr)) {
		c->no_memory = true;
		free_pages(c->a, pfn, order, c->cpu);
		return;
	}
	list->pfns[list->nr++] = pfn;
}

static bool is_suitable_target(struct compactor *c, unsigned long pfn)
{
	const struct block_use *use = block_of(c, pfn);
	struct page_info info;

	if (use->pinned > use->movable)
		return false;
	allocator_query(c->a, pfn, &info);
	return info.state != PAGE_STATE_FREE || info.order < PAGEBLOCK_ORDER;
}

/* Take the free blocks of a pageblock, or of the part that is in the zone. */
static void take_places(struct compactor *c, unsigned long pfn, unsigned long end)
{
	while (pfn < end) {
		unsigned long nr = free_at(c, pfn);
		uint32_t id;

		if (nr && allocator_isolate(c->a, pfn, lowest_bit(nr), c->cpu))
			place_keep(c, pfn, lowest_bit(nr));
		else if (owner_at(c, pfn, &id))
			nr = 1UL << life_order(live_get(c->live, id));
		pfn += max_t(unsigned long, nr, 1);
	}
}

/* The free scanner: one suitable pageblock more. False: the scanners have met. */
static bool find_places(struct compactor *c)
{
	struct compact_zone *z = c->zone;
	unsigned long region_end = z->migrate_pfn + (1UL << c->order);

	while (z->free_pfn > region_end) {
		unsigned long end = z->free_pfn;
		unsigned long pfn = max_t(unsigned long, z->start_pfn,
					  (end - 1) >> PAGEBLOCK_ORDER << PAGEBLOCK_ORDER);

		if (pfn < region_end)
			return false;
		z->free_pfn = pfn;
		if (is_suitable_target(c, pfn)) {
			c->result->pages_sought += end - pfn;
			take_places(c, pfn, end);
			return true;
		}
	}
	return false;
}

/* The smallest place that holds a block of this order; -1: there is none yet. */
static int smallest_place(const struct compactor *c, unsigned int order)
{
	while (order < NR_PAGE_ORDERS && !c->places[order].nr)
		order++;
	return order < NR_PAGE_ORDERS ? (int)order : -1;
}

/* A place of just this order, or PFN_NONE when the scanners have met. */
static unsigned long take_place(struct compactor *c, unsigned int order)
{
	unsigned long pfn;
	int from;

	while ((from = smallest_place(c, order)) < 0)
		if (!find_places(c))
			return PFN_NONE;
	pfn = c->places[from].pfns[--c->places[from].nr];
	while ((unsigned int)from > order) {
		/* A design that cannot describe the halves now keeps it whole. */
		if (!allocator_split(c->a, pfn, (unsigned int)from,
				     (unsigned int)from - 1)) {
			free_pages(c->a, pfn, (unsigned int)from, c->cpu);
			return take_place(c, order);
		}
		from--;
		place_keep(c, pfn + (1UL << from), (unsigned int)from);
	}
	return pfn;
}

static void give_places_back(struct compactor *c)
{
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		struct place_list *list = &c->places[order];

		while (list->nr)
			free_pages(c->a, list->pfns[--list->nr], order, c->cpu);
	}
	allocator_drain(c->a);
}

/* Regions */

/*
 * Note the blocks of a region that would have to move. False if something in
 * it cannot: an unmovable block, a page nobody knows, a part of a larger block.
 */
static bool region_can_move(struct compactor *c, unsigned long pfn)
{
	unsigned long end = pfn + (1UL << c->order);

	c->nr_ids = 0;
	while (pfn < end) {
		unsigned long nr;
		uint32_t id;

		if (owner_at(c, pfn, &id)) {
			struct life life = live_get(c->live, id);

			if (!c->movable[life_class(life)] ||
			    life_order(life) >= c->order)
				return false;
			c->ids[c->nr_ids++] = id;
			nr = 1UL << life_order(life);
		} else {
			nr = free_at(c, pfn);
		}
		if (!nr)
			return false;
		c->result->pages_scanned += nr;
		pfn += nr;
	}
	return c->nr_ids > 0;
}

static bool move_block(struct compactor *c, uint32_t id)
{
	struct life life = live_get(c->live, id);
	unsigned int order = life_order(life);
	unsigned long pfn = take_place(c, order);

	if (pfn == PFN_NONE)
		return false;
	compactor_note_free(c, life);
	free_pages(c->a, life_pfn(life), order, c->cpu);
	live_move(c->live, id, pfn);
	compactor_note_alloc(c, id);
	c->result->blocks_moved++;
	c->result->pages_moved += 1UL << order;
	return true;
}

/* False when there are no free places left. */
static bool empty_region(struct compactor *c)
{
	for (unsigned int i = 0; i < c->nr_ids; i++)
		if (!move_block(c, c->ids[i]))
			return false;
	allocator_drain(c->a);
	return true;
}

/* Zones */

static void zone_area(const struct compactor *c, const struct compact_zone *z,
		      unsigned long nr_free[NR_PAGE_ORDERS])
{
	allocator_free_area(c->a, (unsigned int)(z - c->zones), nr_free);
}

static bool zone_has_block(const struct compactor *c, const struct compact_zone *z,
			   unsigned int order)
{
	unsigned long nr_free[NR_PAGE_ORDERS];

	zone_area(c, z, nr_free);
	return free_area_suitable(nr_free, order);
}

static bool zone_is_suitable(const struct compactor *c, const struct compact_zone *z,
			     unsigned int order)
{
	const struct layout *l = c->a->machine->layout;
	unsigned long nr_free[NR_PAGE_ORDERS];
	int index;

	zone_area(c, z, nr_free);
	index = extfrag_index(nr_free, order);
	return free_area_pages(nr_free) >=
		       l->zones[z - c->zones].wmark_low + (2UL << order) &&
	       index > EXTFRAG_THRESHOLD;
}

static bool zone_is_deferred(struct compact_zone *z, unsigned int order)
{
	if (order < z->order_failed || !z->defer_shift)
		return false;
	if (++z->considered >= 1U << z->defer_shift) {
		z->considered = 1U << z->defer_shift;
		return false;
	}
	return true;
}

static void zone_failed(struct compact_zone *z, unsigned int order)
{
	z->considered = 0;
	z->defer_shift = min_t(unsigned int, z->defer_shift + 1, DEFER_SHIFT_MAX);
	z->order_failed = min_t(unsigned int, z->order_failed, order);
}

static void scan_from_both_ends(struct compact_zone *z)
{
	z->migrate_pfn = z->start_pfn;
	z->free_pfn = z->end_pfn;
}

/* Whether a block became free before the scanners met. */
static bool scan(struct compactor *c)
{
	struct compact_zone *z = c->zone;
	unsigned long region = 1UL << c->order;

	z->migrate_pfn = (z->migrate_pfn + region - 1) & ~(region - 1);
	for (; z->migrate_pfn + region <= z->free_pfn; z->migrate_pfn += region) {
		if (!region_can_move(c, z->migrate_pfn))
			continue;
		if (!empty_region(c))
			break;
		if (zone_has_block(c, z, c->order)) {
			z->migrate_pfn += region;
			return true;
		}
	}
	scan_from_both_ends(z);
	return false;
}

static bool run(struct compactor *c, struct compact_zone *z, unsigned int order,
		unsigned int cpu)
{
	bool made;

	c->zone = z;
	c->order = order;
	c->cpu = cpu;
	c->result->runs++;
	made = scan(c);
	give_places_back(c);
	made = made || zone_has_block(c, z, order);
	c->result->made += made;
	return made;
}

bool compactor_make_block(struct compactor *c, unsigned int order,
			  unsigned int zone_limit, unsigned int cpu)
{
	c->result->asked++;
	if (!c->a->ops->isolate) {
		c->result->refused++;
		return false;
	}
	allocator_drain(c->a);
	for (unsigned int i = zone_limit + 1; i-- > 0;) {
		struct compact_zone *z = &c->zones[i];

		c->zone = NULL;
		if (zone_has_block(c, z, order))
			return true;
		if (!zone_is_suitable(c, z, order)) {
			c->result->unsuitable++;
		} else if (zone_is_deferred(z, order)) {
			c->result->deferred++;
		} else if (run(c, z, order, cpu)) {
			z->order_failed = max_t(unsigned int, z->order_failed, order + 1);
			return true;
		} else {
			zone_failed(z, order);
		}
	}
	return false;
}

bool compactor_lacks_memory(const struct compactor *c)
{
	return c->no_memory;
}

void compactor_note_outcome(struct compactor *c, bool served)
{
	if (!served)
		return;
	c->result->served++;
	if (c->zone) {
		c->zone->considered = 0;
		c->zone->defer_shift = 0;
	}
}

struct compactor *compactor_create(struct allocator *a, struct live_table *live,
				   const bool *movable,
				   struct compact_result *result)
{
	const struct layout *l = a->machine->layout;
	unsigned long end_pfn = layout_end_pfn(l);
	struct compactor *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->a = a;
	c->live = live;
	c->movable = movable;
	c->result = result;
	c->owners = calloc(end_pfn, sizeof(*c->owners));
	c->blocks = calloc(div_round_up(end_pfn, PAGEBLOCK_NR_PAGES),
			   sizeof(*c->blocks));
	for (unsigned int i = 0; i < l->nr_zones; i++) {
		c->zones[i] = (struct compact_zone){
			.start_pfn = l->zones[i].start_pfn,
			.end_pfn = zone_end_pfn(&l->zones[i]),
			.order_failed = NR_PAGE_ORDERS,
		};
		scan_from_both_ends(&c->zones[i]);
	}
	if (c->owners && c->blocks)
		return c;
	compactor_destroy(c);
	return NULL;
}

void compactor_destroy(struct compactor *c)
{
	if (!c)
		return;
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		free(c->places[order].pfns);
	free(c->owners);
	free(c->blocks);
	free(c);
}
