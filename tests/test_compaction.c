/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_compaction.c - tests sim/simulation/compaction.c, alone with an allocator */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/registry.h"
#include "base/rng.h"
#include "sim/metrics/fragmentation.h"
#include "sim/simulation/compaction.h"
#include "tests/suite.h"

enum { MOVABLE, PINNED, NR_CLASSES };

static const bool movable[NR_CLASSES] = { [MOVABLE] = true };

/* A machine with lives in it, every page shadowed. */
struct house {
	struct layout layout;
	struct machine *machine;
	struct allocator *a;
	struct live_table live;
	struct compact_result result;
	struct compactor *c;
};

static struct msg msg;

static void house_build(struct house *h, const char *spec, unsigned long nr_pages)
{
	*h = (struct house){ .a = NULL };
	ck_assert_int_eq(layout_flat(&h->layout, nr_pages, 1, &msg), 0);
	ck_assert_int_eq(machine_create(&h->machine, &h->layout, WINDOW_ARITH, &msg), 0);
	ck_assert_msg(!allocator_create(&h->a, spec, true, h->machine, &msg), "%s",
		      msg.text);
	live_init(&h->live);
	h->c = compactor_create(h->a, &h->live, movable, &h->result);
	ck_assert_ptr_nonnull(h->c);
}

static void house_leave(struct house *h)
{
	ck_assert_msg(!allocator_verify(h->a, &msg), "%s", msg.text);
	compactor_destroy(h->c);
	live_destroy(&h->live);
	allocator_destroy(h->a);
	machine_destroy(h->machine);
	layout_free(&h->layout);
}

static uint32_t move_in(struct house *h, unsigned long pfn, unsigned int order,
			unsigned int class)
{
	uint32_t id;

	ck_assert_int_eq(live_add(&h->live, life_make(pfn, order, class, 0, LIFE_LOOSE),
				  &id), 0);
	compactor_note_alloc(h->c, id);
	return id;
}

static void move_out(struct house *h, uint32_t id)
{
	struct life life = live_get(&h->live, id);

	compactor_note_free(h->c, life);
	free_pages(h->a, life_pfn(life), life_order(life), 0);
	live_end(&h->live, id);
}

static unsigned long pfn_of(const struct house *h, uint32_t id)
{
	return life_pfn(live_get(&h->live, id));
}

static bool has_block(const struct house *h, unsigned int order)
{
	unsigned long nr_free[NR_PAGE_ORDERS];

	allocator_free_area(h->a, 0, nr_free);
	return free_area_suitable(nr_free, order);
}

/*
 * Two pageblocks, order 4 wanted, 16 pages to a region. The first page of each
 * region is used; no region is free.
 *
 *    region    0           1           2 ..  31   | 32 ..  63
 *           [. . . M . .][U M . . . .][U ..][U ..] [M ..][M ..]
 *                  `--------------- moved ------------^
 */
START_TEST(a_region_is_emptied_and_one_with_a_pinned_page_is_not)
{
	struct house h;
	uint32_t alone, beside_pinned;

	house_build(&h, "linked:pcp=off", 1024);
	for (unsigned long pfn = 0; pfn < 1024; pfn++) {
		bool used = pfn == 3 || pfn == 17 || (pfn % 16 == 0 && pfn);

		if (used)
			ck_assert_int_eq(allocator_adopt(h.a, pfn, 0), 0);
		else
			allocator_release(h.a, pfn, 0);
	}
	alone = move_in(&h, 3, 0, MOVABLE);
	beside_pinned = move_in(&h, 17, 0, MOVABLE);
	for (unsigned long pfn = 16; pfn < 1024; pfn += 16)
		move_in(&h, pfn, 0, pfn < 512 ? PINNED : MOVABLE);
	ck_assert(!has_block(&h, 4));

	ck_assert(compactor_make_block(h.c, 4, 0, 0));
	compactor_note_outcome(h.c, true);
	ck_assert(has_block(&h, 4));
	ck_assert_uint_ge(pfn_of(&h, alone), 512);
	ck_assert_uint_eq(pfn_of(&h, beside_pinned), 17);
	ck_assert_uint_eq(h.result.asked, 1);
	ck_assert_uint_eq(h.result.runs, 1);
	ck_assert_uint_eq(h.result.pages_scanned, 16);	/* of the first region */
	ck_assert_uint_eq(h.result.blocks_moved, 1);
	ck_assert_uint_eq(h.result.pages_moved, 1);
	ck_assert_uint_eq(h.result.served, 1);
	ck_assert_uint_eq(h.result.made, 1);
	house_leave(&h);
}
END_TEST

/* Everything is free but what lies at these pages. */
struct lodger {
	unsigned long pfn;
	unsigned int order, class;
};

static void lodge(struct house *h, const struct lodger *l)
{
	ck_assert_int_eq(allocator_adopt(h->a, l->pfn, l->order), 0);
	move_in(h, l->pfn, l->order, l->class);
}

/*
 * Furnish from the front: up to the lodger's page all is free. Lives have the
 * numbers of their lodgers.
 */
static void lodge_all(struct house *h, const struct lodger *l, size_t nr,
		      unsigned long nr_pages)
{
	unsigned long pfn = 0;

	for (size_t i = 0; i < nr; i++) {
		for (; pfn < l[i].pfn; pfn++)
			allocator_release(h->a, pfn, 0);
		lodge(h, &l[i]);
		pfn += 1UL << l[i].order;
	}
	for (; pfn < nr_pages; pfn++)
		allocator_release(h->a, pfn, 0);
}

/* The lodgers of 16 pages each from `from` to `end`, first page used. */
static size_t one_in_16(struct lodger *l, unsigned long from, unsigned long end,
			unsigned int order, unsigned int class)
{
	size_t nr = 0;

	for (; from < end; from += 16)
		l[nr++] = (struct lodger){ from, order, class };
	return nr;
}

/*
 * Four pageblocks; the last one has 32 pages that cannot move, the third 16 of
 * each kind. So the third is used, and its last single page is the next place.
 *
 *    0  3          16           512 ..  1024 ..      1520 1521   1536 ..     2047
 *    [. M . .][P . . .][P ..]   [P ..]  [M ..][P ..] [P   ^   ]  [P ..][P ..]
 */
START_TEST(places_are_taken_from_the_last_pageblock_that_is_not_mostly_pinned)
{
	struct lodger l[130] = { { 3, 0, MOVABLE } };
	size_t nr = 1;
	struct house h;

	house_build(&h, "linked:pcp=off", 2048);
	nr += one_in_16(l + nr, 16, 1024, 0, PINNED);
	nr += one_in_16(l + nr, 1024, 1280, 0, MOVABLE);
	nr += one_in_16(l + nr, 1280, 2048, 0, PINNED);
	lodge_all(&h, l, nr, 2048);
	ck_assert(compactor_make_block(h.c, 4, 0, 0));
	ck_assert_uint_eq(pfn_of(&h, 0), 1521);
	ck_assert_uint_eq(h.result.pages_sought, 512);
	for (uint32_t id = 1; id < nr; id++)
		must(pfn_of(&h, id) == l[id].pfn);
	house_leave(&h);
}
END_TEST

/*
 * Order 10 is wanted. The last pageblock is free as a whole, and stays so; the
 * one before it has a single page at 3073.
 */
START_TEST(a_pageblock_that_is_free_is_no_place)
{
	static const struct lodger l[] = {
		{ 5, 0, MOVABLE }, { 1024, 0, PINNED }, { 2048, 0, PINNED },
		{ 3072, 0, MOVABLE },
	};
	struct house h;

	house_build(&h, "linked:pcp=off", 4096);
	lodge_all(&h, l, ARRAY_SIZE(l), 4096);
	ck_assert(compactor_make_block(h.c, 10, 0, 0));
	ck_assert_uint_eq(pfn_of(&h, 0), 3073);
	ck_assert_uint_eq(h.result.pages_sought, 512);
	ck_assert_uint_eq(h.result.pages_scanned, 1024);
	house_leave(&h);
}
END_TEST

/*
 * The places of the last pageblock are 8 pages each. The first page gets the low
 * end of the last one; what is left of it is the smallest place for the second.
 *
 *    0   3     9          16         512            1008     1016 17     1023
 *    [.. M ... M ...]     [P ...]    [MMMMMMMM ..]  [MMMMMMMM ^   ^         ]
 */
START_TEST(a_place_is_cut_and_its_rest_is_the_next)
{
	struct lodger l[70] = { { 3, 0, MOVABLE }, { 9, 0, MOVABLE } };
	size_t nr = 2;
	struct house h;

	house_build(&h, "linked:pcp=off", 1024);
	nr += one_in_16(l + nr, 16, 512, 0, PINNED);
	nr += one_in_16(l + nr, 512, 1024, 3, MOVABLE);
	lodge_all(&h, l, nr, 1024);
	ck_assert(compactor_make_block(h.c, 4, 0, 0));
	ck_assert_uint_eq(pfn_of(&h, 0), 1016);
	ck_assert_uint_eq(pfn_of(&h, 1), 1017);
	ck_assert_uint_eq(h.result.blocks_moved, 2);
	ck_assert_uint_eq(h.result.pages_moved, 2);
	ck_assert_uint_eq(h.result.pages_scanned, 16);
	house_leave(&h);
}
END_TEST

/* Nor is a part of a larger one: 0 is of order 4, 32 of order 5. */
START_TEST(a_block_as_large_as_what_is_wanted_does_not_move)
{
	struct lodger l[70] = {
		{ 0, 4, MOVABLE }, { 16, 0, PINNED }, { 32, 5, MOVABLE },
		{ 66, 1, MOVABLE },
	};
	size_t nr = 4;
	struct house h;

	house_build(&h, "linked:pcp=off", 1024);
	nr += one_in_16(l + nr, 80, 1024, 0, MOVABLE);
	lodge_all(&h, l, nr, 1024);
	ck_assert(compactor_make_block(h.c, 4, 0, 0));
	ck_assert_uint_eq(pfn_of(&h, 0), 0);
	ck_assert_uint_eq(pfn_of(&h, 2), 32);
	ck_assert_uint_ge(pfn_of(&h, 3), 512);
	ck_assert_uint_eq(pfn_of(&h, 3) % 2, 0);
	ck_assert_uint_eq(h.result.pages_moved, 2);
	ck_assert_uint_eq(h.result.pages_scanned, 16);
	house_leave(&h);
}
END_TEST

/*
 * The first run empties region 0, whose pages then go to others that can move. The
 * second one does not come back to them: region 1 is next, and the third pageblock.
 */
START_TEST(a_run_goes_on_where_the_last_one_ended)
{
	struct lodger l[130] = { { 3, 0, MOVABLE } };
	const struct alloc_req req = { .order = 4, .migratetype = MIGRATE_MOVABLE };
	size_t nr = 1;
	struct house h;

	house_build(&h, "linked:pcp=off", 2048);
	nr += one_in_16(l + nr, 16, 2048, 0, MOVABLE);
	lodge_all(&h, l, nr, 2048);
	ck_assert(compactor_make_block(h.c, 4, 0, 0));
	ck_assert_uint_ge(pfn_of(&h, 0), 1536);
	ck_assert_uint_eq(alloc_pages(h.a, &req), 0);
	ck_assert(allocator_split(h.a, 0, 4, 0));
	for (unsigned long pfn = 0; pfn < 16; pfn++)
		move_in(&h, pfn, 0, MOVABLE);
	ck_assert(compactor_make_block(h.c, 4, 0, 0));
	for (uint32_t i = 0; i < 16; i++)
		ck_assert_uint_eq(pfn_of(&h, (uint32_t)nr + i), i);
	ck_assert_uint_eq(pfn_of(&h, 1) / 512, 2);
	ck_assert_uint_eq(pfn_of(&h, 2), 32);
	ck_assert_uint_eq(h.result.pages_scanned, 32);
	ck_assert_uint_eq(h.result.pages_sought, 1024);
	house_leave(&h);
}
END_TEST

/* After order 4 it stands at 16; the next region of 32 pages begins at 32. */
START_TEST(a_larger_order_begins_at_its_own_regions)
{
	struct lodger l[130] = { { 3, 0, MOVABLE } };
	const struct alloc_req req = { .order = 4, .migratetype = MIGRATE_MOVABLE };
	size_t nr = 1;
	struct house h;

	house_build(&h, "linked:pcp=off", 2048);
	nr += one_in_16(l + nr, 16, 2048, 0, MOVABLE);
	lodge_all(&h, l, nr, 2048);
	ck_assert(compactor_make_block(h.c, 4, 0, 0));
	ck_assert_uint_eq(alloc_pages(h.a, &req), 0);
	move_in(&h, 0, 4, PINNED);
	ck_assert(compactor_make_block(h.c, 5, 0, 0));
	ck_assert_uint_eq(pfn_of(&h, 1), 16);
	ck_assert_uint_eq(pfn_of(&h, 2) / 512, 2);
	ck_assert_uint_eq(pfn_of(&h, 3) / 512, 2);
	ck_assert_uint_eq(pfn_of(&h, 4), 64);
	ck_assert_uint_eq(h.result.pages_scanned, 16 + 32);
	house_leave(&h);
}
END_TEST

/* Nothing can move. Order 5 has failed, which says nothing of order 4. */
START_TEST(a_smaller_order_than_failed_is_tried)
{
	struct lodger l[70];
	struct house h;

	house_build(&h, "linked:pcp=off", 1024);
	lodge_all(&h, l, one_in_16(l, 0, 1024, 0, PINNED), 1024);
	ck_assert(!compactor_make_block(h.c, 5, 0, 0));
	ck_assert(!compactor_make_block(h.c, 4, 0, 0));
	ck_assert_uint_eq(h.result.runs, 2);
	/* Both have failed in a row: three are put off, of either order. */
	ck_assert(!compactor_make_block(h.c, 5, 0, 0));
	ck_assert(!compactor_make_block(h.c, 4, 0, 0));
	ck_assert(!compactor_make_block(h.c, 5, 0, 0));
	ck_assert_uint_eq(h.result.deferred, 3);
	ck_assert(!compactor_make_block(h.c, 4, 0, 0));
	ck_assert_uint_eq(h.result.runs, 3);
	house_leave(&h);
}
END_TEST

/* Half of memory is free, in blocks of 8: (1000 + 32000) / 64 = 515, index 484. */
START_TEST(a_zone_that_lacks_memory_rather_than_order_is_not_scanned)
{
	struct lodger l[70];
	size_t nr;
	struct house h;

	house_build(&h, "linked:pcp=off", 1024);
	nr = one_in_16(l, 0, 1024, 3, MOVABLE);
	lodge_all(&h, l, nr, 1024);
	ck_assert(!compactor_make_block(h.c, 4, 0, 0));
	ck_assert_uint_eq(h.result.unsuitable, 1);
	ck_assert_uint_eq(h.result.runs, 0);
	house_leave(&h);
}
END_TEST

/* Its block becomes one of the other class; the number stays. */
static void become(struct house *h, uint32_t id, unsigned int class)
{
	struct life life = live_get(&h->live, id);

	compactor_note_free(h->c, life);
	live_end(&h->live, id);
	ck_assert_uint_eq(move_in(h, life_pfn(life), life_order(life), class), id);
}

/*
 * All is pinned: request 1 fails, 2 is put off. Then page 0 can move, and half of
 * the other pageblock, so that it is a place: 3 is served, which ends the row of
 * failures. With all pinned again 4 fails, only 5 is put off, and 6 is tried.
 */
START_TEST(a_request_that_was_served_ends_the_row_of_failures)
{
	static const struct alloc_req req = { .order = 4 };
	struct lodger l[70];
	struct house h;

	house_build(&h, "linked:pcp=off", 1024);
	lodge_all(&h, l, one_in_16(l, 0, 1024, 0, PINNED), 1024);
	for (unsigned int i = 0; i < 2; i++)
		ck_assert(!compactor_make_block(h.c, 4, 0, 0));
	become(&h, 0, MOVABLE);
	for (uint32_t id = 32; id < 48; id++)
		become(&h, id, MOVABLE);
	ck_assert(compactor_make_block(h.c, 4, 0, 0));
	ck_assert_uint_ge(pfn_of(&h, 0), 512);
	ck_assert_uint_eq(alloc_pages(h.a, &req), 0);
	compactor_note_outcome(h.c, true);
	move_in(&h, 0, 4, PINNED);
	become(&h, 0, PINNED);
	for (uint32_t id = 32; id < 48; id++)
		become(&h, id, PINNED);
	for (unsigned int i = 0; i < 3; i++)
		ck_assert(!compactor_make_block(h.c, 4, 0, 0));
	ck_assert_uint_eq(h.result.runs, 4);
	ck_assert_uint_eq(h.result.deferred, 2);
	ck_assert_uint_eq(h.result.made, 1);
	ck_assert_uint_eq(h.result.served, 1);
	house_leave(&h);
}
END_TEST

/* Nothing can move: after n failures in a row, only each 2^n-th request tries. */
START_TEST(a_zone_where_it_fails_is_put_off_longer_and_longer)
{
	struct house h;

	house_build(&h, "linked:pcp=off", 1024);
	for (unsigned long pfn = 0; pfn < 1024; pfn++) {
		if (pfn % 16) {
			allocator_release(h.a, pfn, 0);
			continue;
		}
		ck_assert_int_eq(allocator_adopt(h.a, pfn, 0), 0);
		move_in(&h, pfn, 0, PINNED);
	}
	for (unsigned int i = 0; i < 200; i++)
		ck_assert(!compactor_make_block(h.c, 4, 0, 0));
	/* requests 1, 3, 7, 15, 31, 63, 127, 191 */
	ck_assert_uint_eq(h.result.runs, 8);
	ck_assert_uint_eq(h.result.deferred, 192);
	ck_assert_uint_eq(h.result.pages_moved, 0);

	/* A smaller order than any that failed has not been tried. */
	h.result = (struct compact_result){ 0 };
	ck_assert(compactor_make_block(h.c, 3, 0, 0));
	ck_assert_uint_eq(h.result.deferred, 0);

	/* That it was there already is no success of the zone. */
	compactor_note_outcome(h.c, true);
	ck_assert(!compactor_make_block(h.c, 4, 0, 0));
	ck_assert_uint_eq(h.result.deferred, 1);
	house_leave(&h);
}
END_TEST

/* Single pages, twice a block of order 4 or one less: only then is it tried. */
START_TEST(a_zone_with_less_than_two_blocks_free_is_not_scanned)
{
	const unsigned long nr_free = 31 + (unsigned long)_i;
	struct house h;

	house_build(&h, "linked:pcp=off", 1024);
	for (unsigned long pfn = 0; pfn < 1024; pfn++) {
		if (pfn % 16 == 1 && pfn < 16 * nr_free) {
			allocator_release(h.a, pfn, 0);
			continue;
		}
		ck_assert_int_eq(allocator_adopt(h.a, pfn, 0), 0);
		move_in(&h, pfn, 0, PINNED);
	}
	ck_assert(!compactor_make_block(h.c, 4, 0, 0));
	ck_assert_uint_eq(h.result.unsuitable, nr_free < 32);
	ck_assert_uint_eq(h.result.runs, nr_free >= 32);
	house_leave(&h);
}
END_TEST

START_TEST(a_design_that_cannot_take_a_given_block_is_left_alone)
{
	struct house h;

	house_build(&h, "llfree", 1024);
	allocator_release(h.a, 0, MAX_PAGE_ORDER);
	ck_assert(!compactor_make_block(h.c, 9, 0, 0));
	ck_assert_uint_eq(h.result.refused, 1);
	ck_assert_uint_eq(h.result.asked, 1);
	house_leave(&h);
}
END_TEST

/* Drawn memories */

static const char *const specs[] = {
	"linked", "twoword", "twoword:pcp=off", "memdesc", "embedded16",
	"packed8", "inpage", "linked:mobility=off",
};

#define NR_PAGES 8192UL
#define SEEDS 12

/* Fill most of it with small blocks, free some: rarely a large block is left. */
static void furnish(struct house *h, struct rng *rng,
		    unsigned long boot[NR_PAGE_ORDERS])
{
	unsigned int pinned_share = (unsigned int)rng_below(rng, 8);
	unsigned int free_share = 10 + (unsigned int)rng_below(rng, 50);

	for (unsigned long pfn = 0; pfn < NR_PAGES; pfn += 1UL << MAX_PAGE_ORDER)
		allocator_release(h->a, pfn, MAX_PAGE_ORDER);
	allocator_free_area(h->a, 0, boot);
	for (;;) {
		unsigned int class = rng_below(rng, 100) < pinned_share ? PINNED : MOVABLE;
		const struct alloc_req req = {
			.order = rng_below(rng, 4) ? 0 : (unsigned int)rng_below(rng, 4),
			.migratetype = class == MOVABLE ? MIGRATE_MOVABLE
							: MIGRATE_UNMOVABLE,
		};
		unsigned long pfn = alloc_pages(h->a, &req);

		if (pfn == PFN_NONE)
			break;
		move_in(h, pfn, req.order, class);
	}
	for (uint32_t id = 0; id < h->live.nr_ids; id++)
		if (rng_below(rng, 100) < free_share)
			move_out(h, id);
}

static unsigned long nr_unused(const struct house *h)
{
	struct page_counts n;

	allocator_counts(h->a, 0, &n);
	return n.free + n.pcp + n.nodes + n.stash;
}

/* Owners are where they were, or moved as they may; returns pages moved. */
static uint64_t compare_lives(const struct house *h, const struct life *before)
{
	uint64_t moved = 0;
	const char *wrong = NULL;

	for (uint32_t id = 0; id < h->live.nr_ids; id++) {
		struct life now = live_get(&h->live, id);

		if (now.bits == before[id].bits)
			continue;
		if (!life_is_live(before[id]) || life_class(now) != MOVABLE)
			wrong = "something moved that cannot";
		else if (life_order(now) != life_order(before[id]) ||
			 life_class(now) != life_class(before[id]))
			wrong = "a block changed on its way";
		else if (life_pfn(now) < life_pfn(before[id]))
			wrong = "a block moved down";
		moved += 1UL << life_order(now);
	}
	ck_assert_msg(!wrong, "%s", wrong);
	return moved;
}

static uint64_t one_drawn_house(const char *spec, uint64_t seed, uint64_t *moved)
{
	unsigned long boot[NR_PAGE_ORDERS], end[NR_PAGE_ORDERS];
	unsigned long unused;
	uint64_t asked = 0, pages = 0, hash = 0;
	struct house h;
	struct rng rng;

	rng_seed(&rng, seed);
	house_build(&h, spec, NR_PAGES);
	furnish(&h, &rng, boot);
	unused = nr_unused(&h);
	for (unsigned int i = 0; i < 20; i++) {
		unsigned int order = 4 + (unsigned int)rng_below(&rng, MAX_PAGE_ORDER - 3);
		struct life *before = malloc(h.live.nr_ids * sizeof(*before));
		uint64_t so_far = h.result.pages_moved;
		bool made;

		ck_assert_ptr_nonnull(before);
		memcpy(before, h.live.lives, h.live.nr_ids * sizeof(*before));
		made = compactor_make_block(h.c, order, 0, 0);
		ck_assert(!made || has_block(&h, order));
		pages = compare_lives(&h, before);
		ck_assert_uint_eq(pages, h.result.pages_moved - so_far);
		ck_assert_uint_eq(nr_unused(&h), unused);
		ck_assert_msg(!allocator_verify(h.a, &msg), "%s", msg.text);
		free(before);
		asked++;
	}
	ck_assert_uint_eq(h.result.asked, asked);
	for (uint32_t id = 0; id < h.live.nr_ids; id++) {
		if (!life_is_live(live_get(&h.live, id)))
			continue;
		hash = hash * 31 + pfn_of(&h, id);
		move_out(&h, id);
	}
	allocator_drain(h.a);
	allocator_free_area(h.a, 0, end);
	ck_assert(h.a->ops->caps.keeps_metadata || !memcmp(boot, end, sizeof(boot)));
	*moved += h.result.pages_moved;
	house_leave(&h);
	return hash;
}

START_TEST(owners_follow_their_blocks_and_nothing_is_lost)
{
	uint64_t moved = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		uint64_t again = 0;
		uint64_t hash = one_drawn_house(specs[_i], seed, &moved);

		if (seed == 1)
			ck_assert_uint_eq(one_drawn_house(specs[_i], seed, &again), hash);
	}
	ck_assert_uint_gt(moved, 1000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("compaction");
	TCase *tc = tcase_create("compaction");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, a_region_is_emptied_and_one_with_a_pinned_page_is_not);
	tcase_add_test(tc, places_are_taken_from_the_last_pageblock_that_is_not_mostly_pinned);
	tcase_add_test(tc, a_pageblock_that_is_free_is_no_place);
	tcase_add_test(tc, a_place_is_cut_and_its_rest_is_the_next);
	tcase_add_test(tc, a_block_as_large_as_what_is_wanted_does_not_move);
	tcase_add_test(tc, a_run_goes_on_where_the_last_one_ended);
	tcase_add_test(tc, a_larger_order_begins_at_its_own_regions);
	tcase_add_test(tc, a_smaller_order_than_failed_is_tried);
	tcase_add_test(tc, a_zone_that_lacks_memory_rather_than_order_is_not_scanned);
	tcase_add_test(tc, a_request_that_was_served_ends_the_row_of_failures);
	tcase_add_test(tc, a_zone_where_it_fails_is_put_off_longer_and_longer);
	tcase_add_loop_test(tc, a_zone_with_less_than_two_blocks_free_is_not_scanned, 0, 2);
	tcase_add_test(tc, a_design_that_cannot_take_a_given_block_is_left_alone);
	tcase_add_loop_test(tc, owners_follow_their_blocks_and_nothing_is_lost, 0,
			    ARRAY_SIZE(specs));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
