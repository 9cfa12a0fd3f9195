/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_policy.c - tests src/alloc/buddy/{watermark.h,policy.h,policy.c}
 *
 * Marks, reserves, the choice of zones, and requests that cannot wait.
 *
 * Every rule of the policy and the case that draws it; a name without a file is
 * here, else in test_mobility.c (m), test_pcp.c (p) or test_gfp.c (g):
 *
 *    free   which list            p a_freed_page_is_filed_under_its_pageblock
 *           orders past the lists p some_requests_go_straight_to_the_free_lists
 *           sizes of lists        p lists_are_sized_by_zone_and_cpus
 *           drain: how much       p a_drain_gives_back_what_was_freed_lately
 *           drain: from where     p a_drain_takes_from_the_tail
 *           drain: which list     p a_drain_begins_with_the_list_of_the_free_and_goes_round
 *           limit rises, falls    p the_limit_rises_to_hold_what_is_being_freed
 *                                 p a_zone_in_need_keeps_less
 *           free-high             p two_high_orders_in_a_row_free_high_when_much_was_freed
 *           decay each second     p what_lies_idle_decays
 *           merge, retype         m pageblocks_of_other_types_join_and_take_the_freed_type
 *           merge, refused        m the_reserve_does_not_join_other_pageblocks
 *           order 10 in pieces    m what_is_larger_than_a_pageblock_is_freed_in_pageblocks
 *           head or tail          m a_block_that_is_likely_to_merge_goes_to_the_tail
 *    alloc  zone limit from gfp   g
 *           low mark, lowmem      the_first_try_ends_at_the_low_mark
 *           min mark, urgency     the_second_try_ends_at_the_min_mark_or_below_it
 *           high mark             below_the_high_mark_is_remembered_until_pages_come_back
 *           no-fragment pass      lower_zones_come_before_a_broken_pageblock
 *           smallest fit, split   m the_smallest_block_that_fits_is_split_and_its_low_part_given
 *           claim, whole          m a_block_of_pageblocks_is_claimed_whole_largest_first
 *           claim, thresholds     m a_part_is_claimed_if_half_is_free_or_compatible
 *           boost                 a_claim_raises_the_marks_up_to_five_halves_of_high
 *           steal                 m a_steal_takes_the_smallest_block
 *           fallback order        m fallback_types_have_an_order
 *           refill size           p a_refill_doubles_until_something_is_freed
 *                                 p a_refill_of_larger_blocks_is_a_batch_and_two_blocks_at_least
 *           sticky mode           p a_refill_that_stole_goes_on_stealing
 *           HighAtomic            a_request_that_cannot_wait_reserves_its_pageblock
 *                                 the_reserve_counts_for_the_urgent_only
 *                                 a_low_priority_reserves_nothing
 *                                 the_reserve_comes_after_the_cpus_own_list
 *                                 what_cannot_wait_gets_the_last_of_the_reserve
 *                                 a_block_of_pageblocks_is_reserved_whole
 */
#include <stdio.h>
#include <stdlib.h>

#include <check.h>

#include "tests/drawn.h"
#include "tests/suite.h"

#define U MIGRATE_UNMOVABLE
#define M MIGRATE_MOVABLE
#define H MIGRATE_HIGHATOMIC

#define BLOCK PAGEBLOCK_NR_PAGES
#define ATOMIC (ALLOC_HIGH_PRIORITY | ALLOC_NON_BLOCKING)

static struct drawn d;

static const char *backend(int i)
{
	return drawn_backends[i];
}

/* --- marks ------------------------------------------------------------ */

/* 1000 pages free; min 100, low 200, high 300; 50 more kept from zone 1's. */
static const struct zone drawn_zone = {
	.managed = 100000, .lowmem_reserve = { 0, 50 },
};

static struct buddy_zone marked(unsigned long free_pages, uint32_t occupied)
{
	struct buddy_zone z = {
		.zone = &drawn_zone,
		.nr_types = BUDDY_NR_TYPES,
		.mark = { 100, 200, 300 },
		.free_pages = free_pages,
		.occupied = { [M] = occupied },
	};

	return z;
}

static const struct {
	unsigned long free_pages;
	unsigned int order, limit;
	bool passes;
} lows[] = {
	{ 201, 0, 0, true },
	{ 200, 0, 0, false },
	{ 251, 0, 1, true },		/* could have used zone 1: 50 more */
	{ 250, 0, 1, false },
	{ 208, 3, 0, true },		/* as if the other 7 pages were gone */
	{ 207, 3, 0, false },
	{ 1000, 4, 0, true },		/* there is a block of order 4, */
	{ 1000, 5, 0, false },		/* but none of order 5 */
};

START_TEST(the_first_try_ends_at_the_low_mark)
{
	struct buddy_zone z = marked(lows[_i].free_pages, 0x1f);
	struct alloc_req req = {
		.order = lows[_i].order, .zone_limit = lows[_i].limit,
	};

	ck_assert_int_eq(zone_passes_low(&z, &req), lows[_i].passes);
}
END_TEST

START_TEST(below_the_high_mark_is_remembered_until_pages_come_back)
{
	struct buddy_zone z = marked(300, 1);
	struct alloc_req req = { 0 };

	ck_assert(zone_passes_low(&z, &req));
	ck_assert(z.below_high);
	z.free_pages = 350;		/* what zone 1 leaves stays out of it */
	zone_note_recovery(&z, 1);
	ck_assert(z.below_high);
	z.free_pages = 351;
	zone_note_recovery(&z, 1);
	ck_assert(!z.below_high);

	z.below_high = true;		/* as do 32 pages of the reserve */
	z.highatomic = BLOCK;
	z.nr_free[5][H] = 1;
	z.free_pages = 351 + 31;
	zone_note_recovery(&z, 1);
	ck_assert(z.below_high);
	z.free_pages = 351 + 32;
	zone_note_recovery(&z, 1);
	ck_assert(!z.below_high);
}
END_TEST

/* Only the lists of CPUs ask for it, so they find out: when a free drains. */
START_TEST(a_zone_has_recovered_when_a_cpu_drains)
{
	struct buddy_zone *z;

	drawn_create_two(&d, backend(_i), ":pcp_high=4:pcp_batch=2", 16 * BLOCK, 1);
	z = d.b->zones[1];
	allocator_release(d.a, 8 * BLOCK, 9);
	ck_assert_uint_eq(drawn_alloc(&d, 4, M), 8 * BLOCK);
	for (unsigned long i = 0; i < 5; i++)
		must(drawn_alloc(&d, 0, M) != PFN_NONE);
	z->below_high = true;
	free_pages(d.a, 8 * BLOCK, 4, 0);
	ck_assert(z->below_high);
	for (unsigned long i = 0; i < 4 && z->below_high; i++)
		free_pages(d.a, 8 * BLOCK + 16 + i, 0, 0);
	ck_assert(!z->below_high);
	drawn_destroy(&d);
}
END_TEST

static const struct {
	unsigned int flags;
	unsigned long least;		/* free pages with which it passes */
} mins[] = {
	{ 0, 101 },
	{ ALLOC_NON_BLOCKING, 101 },
	{ ALLOC_HIGH_PRIORITY, 51 },
	{ ATOMIC, 39 },			/* 100 - 50 - 12 */
};

START_TEST(the_second_try_ends_at_the_min_mark_or_below_it)
{
	struct buddy_zone z = marked(mins[_i].least, 1);
	struct alloc_req req = { .flags = mins[_i].flags };

	ck_assert(zone_passes_min(&z, &req));
	z.free_pages--;
	ck_assert(!zone_passes_min(&z, &req));
}
END_TEST

/* 120 pages: above min, and below it once it is raised, but for a single page. */
START_TEST(a_page_of_high_priority_is_not_held_by_raised_marks)
{
	struct buddy_zone z = marked(120, 3);
	struct alloc_req req = { .flags = ALLOC_HIGH_PRIORITY };

	z.boost = 500;
	ck_assert(zone_passes_min(&z, &req));
	z.free_pages = 50;		/* half of min still counts */
	ck_assert(!zone_passes_min(&z, &req));
	z.free_pages = 120;
	req.order = 1;
	ck_assert(!zone_passes_min(&z, &req));
	req = (struct alloc_req){ 0 };
	ck_assert(!zone_passes_min(&z, &req));
}
END_TEST

START_TEST(the_reserve_counts_for_the_urgent_only)
{
	struct buddy_zone z = marked(260, 1);
	struct alloc_req req = { 0 }, urgent = { .order = 1, .flags = ATOMIC };

	z.highatomic = BLOCK;
	z.nr_free[6][H] = 1;
	z.occupied[H] = 1 << 6;
	ck_assert(!zone_passes_low(&z, &req));	/* 260 - 64 */
	z.nr_free[5][H] = 1;
	z.nr_free[6][H] = 0;
	ck_assert(zone_passes_low(&z, &req));	/* 260 - 32 */
	ck_assert(zone_passes_min(&z, &urgent));	/* has a block for it */
	req.order = 1;
	ck_assert(!zone_passes_min(&z, &req));	/* and nobody else */
}
END_TEST

START_TEST(a_claim_raises_the_marks_up_to_five_halves_of_high)
{
	struct buddy_zone z = marked(1000, 1);

	z.mark[MARK_HIGH] = 1000;
	zone_raise_boost(&z);
	ck_assert_uint_eq(z.boost, BLOCK);
	for (int i = 0; i < 5; i++)
		zone_raise_boost(&z);
	ck_assert_uint_eq(z.boost, 1500);

	z = marked(1000, 1);
	z.mark[MARK_HIGH] = 0;		/* unknown marks stay so */
	zone_raise_boost(&z);
	ck_assert_uint_eq(z.boost, 0);
}
END_TEST

/* --- zones ------------------------------------------------------------ */

/*
 *   DMA32  [ U, order 3 ][ M, order 9 ]
 *   Normal [ M, order 8, in a pageblock that is in use otherwise ]
 *
 * A U request would have to claim a part of a pageblock of Normal. Before it
 * does, it takes what is U's in DMA32, and claims a whole pageblock there.
 */
START_TEST(lower_zones_come_before_a_broken_pageblock)
{
	static const struct {
		const char *options;
		unsigned long first;
	} ways[] = {
		{ ":pcp=off", 2 * BLOCK },
		{ ":pcp=off:watermarks=off", 8 * BLOCK },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		drawn_create_two(&d, backend(_i), ways[i].options, 16 * BLOCK, 1);
		allocator_set_block_type(d.a, 2 * BLOCK, U);
		drawn_adopt(&d, 8 * BLOCK + BLOCK / 2, 8, 0);
		allocator_release(d.a, 8 * BLOCK, 8);
		allocator_release(d.a, 4 * BLOCK, PAGEBLOCK_ORDER);
		allocator_release(d.a, 2 * BLOCK, 3);

		ck_assert_uint_eq(drawn_alloc(&d, 0, U), ways[i].first);
		if (ways[i].first == 2 * BLOCK) {
			ck_assert_uint_eq(drawn_alloc(&d, 4, U), 4 * BLOCK);
			ck_assert_uint_eq(drawn_type(&d, 4 * BLOCK), U);
			ck_assert_uint_eq(drawn_type(&d, 8 * BLOCK), M);
		}
		drawn_destroy(&d);
	}
}
END_TEST

/* Normal's marks are 20, 40 and 60 pages: below 40 DMA32 steps in. */
START_TEST(a_zone_at_its_mark_hands_over_to_the_next)
{
	drawn_create_two(&d, backend(_i), ":pcp=off", 8 * BLOCK, 20);
	allocator_release(d.a, 4 * BLOCK, 6);
	allocator_release(d.a, 0, 6);
	for (unsigned long i = 0; i < 64 - 40; i++)
		ck_assert_uint_eq(drawn_alloc(&d, 0, M), 4 * BLOCK + i);
	for (unsigned long i = 0; i < 64 - 40; i++)
		ck_assert_uint_eq(drawn_alloc(&d, 0, M), i);
	for (unsigned long i = 0; i < 20; i++)	/* the second try: to min */
		ck_assert_uint_eq(drawn_alloc(&d, 0, M), 4 * BLOCK + 24 + i);
	for (unsigned long i = 0; i < 20; i++)
		ck_assert_uint_eq(drawn_alloc(&d, 0, M), 24 + i);
	ck_assert_uint_eq(d.a->stats.below_marks, 0);
	for (unsigned long i = 0; i < 40; i++)	/* reclaim is not simulated */
		ck_assert_uint_ne(drawn_alloc(&d, 0, M), PFN_NONE);
	ck_assert_uint_eq(d.a->stats.below_marks, 40);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), PFN_NONE);
	drawn_destroy(&d);
}
END_TEST

/*
 * 64 pageblocks: 1 % is less than one, so nothing is reserved; with 128 the
 * pageblock that served a request of two pages that could not wait is.
 */
START_TEST(a_request_that_cannot_wait_reserves_its_pageblock)
{
	static const unsigned long blocks[] = { 64, 128 };

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		const struct alloc_req req = {
			.order = 1, .migratetype = U, .zone_limit = 1,
			.flags = ATOMIC,
		};
		unsigned long normal = blocks[i] * BLOCK;
		bool reserves = blocks[i] >= 100;

		drawn_create_two(&d, backend(_i), ":pcp=off",
				 2 * blocks[i] * BLOCK, 300);
		allocator_set_block_type(d.a, normal, U);
		drawn_adopt(&d, normal + 256, 8, 8);
		allocator_release(d.a, normal, 8);	/* 256 pages: below min */

		ck_assert_uint_eq(alloc_pages(d.a, &req), normal);
		ck_assert_uint_eq(drawn_type(&d, normal), reserves ? H : U);
		ck_assert_uint_eq(d.b->zones[1]->highatomic,
				  reserves ? BLOCK : 0);
		ck_assert_uint_eq(alloc_pages(d.a, &req), normal + 2);

		/* Before another one fails, the reserve is given up. */
		ck_assert_uint_ne(drawn_alloc(&d, 0, M), PFN_NONE);
		ck_assert_uint_eq(d.b->zones[1]->highatomic, 0);
		drawn_destroy(&d);
	}
}
END_TEST

/*
 * 200 pageblocks: the reserve may be 2 of them, and a third one that serves stays
 * what it is.
 *
 *   Normal   | 32 free, rest used | 32 free, rest used | ... six of them
 */
START_TEST(the_reserve_grows_to_a_hundredth_of_the_zone)
{
	const unsigned long normal = 200 * BLOCK;
	const struct alloc_req req = {
		.order = 1, .migratetype = U, .zone_limit = 1, .flags = ATOMIC,
	};
	unsigned int nr_reserved = 0;

	drawn_create_two(&d, backend(_i), ":pcp=off", 2 * 200 * BLOCK, 200);
	for (unsigned long i = 0; i < 6; i++) {
		allocator_set_block_type(d.a, normal + i * BLOCK, U);
		allocator_release(d.a, normal + i * BLOCK, 5);
	}
	for (unsigned int i = 0; i < 16 + 16 + 2; i++)
		must(alloc_pages(d.a, &req) != PFN_NONE);
	for (unsigned long i = 0; i < 6; i++)
		nr_reserved += drawn_type(&d, normal + i * BLOCK) == H;
	ck_assert_uint_eq(nr_reserved, 2);
	ck_assert_uint_eq(d.b->zones[1]->highatomic, 2 * BLOCK);
	drawn_destroy(&d);
}
END_TEST

/* 512 pages free between min, 300, and low: the second try serves. */
START_TEST(a_low_priority_reserves_nothing)
{
	const unsigned long normal = 128 * BLOCK;
	const struct alloc_req req = {
		.order = 1, .migratetype = U, .zone_limit = 1,
		.flags = ALLOC_NON_BLOCKING,
	};

	drawn_create_two(&d, backend(_i), ":pcp=off", 2 * normal, 300);
	allocator_set_block_type(d.a, normal, U);
	allocator_release(d.a, normal, PAGEBLOCK_ORDER);
	ck_assert_uint_eq(alloc_pages(d.a, &req), normal);
	ck_assert_uint_eq(drawn_type(&d, normal), U);
	ck_assert_uint_eq(d.b->zones[1]->highatomic, 0);
	drawn_destroy(&d);
}
END_TEST

/*
 *   Normal   | U: all free | H: 32 free |     4 pages and more come from H at
 *                                            once, 2 by way of the CPU's list
 */
START_TEST(the_reserve_comes_after_the_cpus_own_list)
{
	const unsigned long normal = 128 * BLOCK;
	struct alloc_req req = {
		.order = 4, .migratetype = U, .zone_limit = 1, .flags = ATOMIC,
	};

	drawn_create_two(&d, backend(_i), "", 2 * normal, 300);
	allocator_set_block_type(d.a, normal, U);
	allocator_set_block_type(d.a, normal + BLOCK, H);
	allocator_release(d.a, normal, PAGEBLOCK_ORDER);
	allocator_release(d.a, normal + BLOCK, 5);
	ck_assert_uint_eq(alloc_pages(d.a, &req), normal + BLOCK);
	req.order = 1;
	ck_assert_uint_eq(alloc_pages(d.a, &req), normal);
	drawn_destroy(&d);
}
END_TEST

/* A single page, too, before it fails; and the reserve stays what it is. */
START_TEST(what_cannot_wait_gets_the_last_of_the_reserve)
{
	const unsigned long normal = 128 * BLOCK;
	const struct alloc_req req = {
		.migratetype = U, .zone_limit = 1, .flags = ATOMIC,
	};

	drawn_create_two(&d, backend(_i), ":pcp=off", 2 * normal, 20);
	allocator_set_block_type(d.a, normal, H);
	allocator_release(d.a, normal, 6);
	ck_assert_uint_eq(alloc_pages(d.a, &req), normal);
	ck_assert_uint_eq(drawn_type(&d, normal), H);
	ck_assert_uint_eq(d.b->zones[1]->highatomic, BLOCK);
	drawn_destroy(&d);
}
END_TEST

START_TEST(a_block_of_pageblocks_is_reserved_whole)
{
	const unsigned long normal = 200 * BLOCK;
	const struct alloc_req req = {
		.order = PAGEBLOCK_ORDER + 1, .migratetype = U, .zone_limit = 1,
		.flags = ATOMIC,
	};

	drawn_create_two(&d, backend(_i), ":pcp=off", 2 * normal, 600);
	for (unsigned long i = 0; i < 2; i++)
		allocator_set_block_type(d.a, normal + i * BLOCK, U);
	allocator_release(d.a, normal, PAGEBLOCK_ORDER + 1);
	allocator_release(d.a, normal + 2 * BLOCK, PAGEBLOCK_ORDER + 1);
	ck_assert_uint_eq(alloc_pages(d.a, &req), normal);
	ck_assert_uint_eq(drawn_type(&d, normal), H);
	ck_assert_uint_eq(drawn_type(&d, normal + BLOCK), H);
	ck_assert_uint_eq(d.b->zones[1]->highatomic, 2 * BLOCK);
	drawn_destroy(&d);
}
END_TEST

START_TEST(raised_marks_fall_back_with_the_tick)
{
	drawn_create_two(&d, backend(_i), ":pcp=off", 16 * BLOCK, 100);
	drawn_adopt(&d, 8 * BLOCK + 256, 8, 0);
	allocator_release(d.a, 8 * BLOCK, 8);
	ck_assert_uint_eq(drawn_alloc(&d, 0, U), 8 * BLOCK);
	ck_assert_uint_eq(d.b->zones[1]->boost, BLOCK);
	ck_assert(allocator_tick(d.a, 1));
	ck_assert(!allocator_tick(d.a, 2));
	ck_assert_uint_eq(d.b->zones[1]->boost, 0);
	drawn_destroy(&d);
}
END_TEST

static const char *const switches[] = {
	"mobility=off", "pcp=off", "pcp_high=100", "pcp_batch=8",
	"tail_rule=off", "watermarks=off",
};

START_TEST(every_backend_takes_the_same_switches)
{
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
		char options[64];

		snprintf(options, sizeof(options), ":%s", switches[i]);
		drawn_create_two(&d, backend(_i), options, 8 * BLOCK, 10);
		ck_assert_int_eq(d.b->policy.mobility, i != 0);
		ck_assert_int_eq(d.b->policy.pcp, i != 1);
		ck_assert_int_eq(d.b->policy.tail_rule, i != 4);
		ck_assert_int_eq(d.b->policy.marks, i != 5);
		drawn_destroy(&d);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy");
	TCase *tc = tcase_create("marks"), *zones = tcase_create("zones");

	tcase_add_loop_test(tc, the_first_try_ends_at_the_low_mark, 0, ARRAY_SIZE(lows));
	tcase_add_test(tc, below_the_high_mark_is_remembered_until_pages_come_back);
	tcase_add_loop_test(tc, the_second_try_ends_at_the_min_mark_or_below_it, 0,
			    ARRAY_SIZE(mins));
	tcase_add_test(tc, a_page_of_high_priority_is_not_held_by_raised_marks);
	tcase_add_test(tc, the_reserve_counts_for_the_urgent_only);
	tcase_add_test(tc, a_claim_raises_the_marks_up_to_five_halves_of_high);
	suite_add_tcase(suite, tc);

#define EVERY(test) tcase_add_loop_test(zones, test, 0, NR_DRAWN_BACKENDS)
	EVERY(lower_zones_come_before_a_broken_pageblock);
	EVERY(a_zone_at_its_mark_hands_over_to_the_next);
	EVERY(a_request_that_cannot_wait_reserves_its_pageblock);
	EVERY(the_reserve_grows_to_a_hundredth_of_the_zone);
	EVERY(a_zone_has_recovered_when_a_cpu_drains);
	EVERY(a_low_priority_reserves_nothing);
	EVERY(the_reserve_comes_after_the_cpus_own_list);
	EVERY(what_cannot_wait_gets_the_last_of_the_reserve);
	EVERY(a_block_of_pageblocks_is_reserved_whole);
	EVERY(raised_marks_fall_back_with_the_tick);
	EVERY(every_backend_takes_the_same_switches);
#undef EVERY
	suite_add_tcase(suite, zones);
	return run_suite(suite);
}
