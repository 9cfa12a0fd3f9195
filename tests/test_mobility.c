/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_mobility.c - tests src/alloc/buddy/{freelist.h,mobility.c}
 *
 * Each rule on a machine of a few pageblocks of 512 pages, for every backend
 * that runs the policy. U, M and R are unmovable, movable and reclaimable.
 */
#include <stdlib.h>

#include <check.h>

#include "tests/drawn.h"
#include "tests/suite.h"

#define U MIGRATE_UNMOVABLE
#define M MIGRATE_MOVABLE
#define R MIGRATE_RECLAIMABLE
#define H MIGRATE_HIGHATOMIC

#define BLOCK PAGEBLOCK_NR_PAGES
#define NR_PAGES (8 * BLOCK)

static struct drawn d;

static const char *backend(int i)
{
	return drawn_backends[i];
}

static void create(int i, const char *options)
{
	drawn_create(&d, backend(i), options, NR_PAGES, 1);
}

/*
 *   0       8       16                      32    64
 *   [order 3]       [       order 4         ]     [0]
 */
START_TEST(the_smallest_block_that_fits_is_split_and_its_low_part_given)
{
	create(_i, ":pcp=off");
	allocator_release(d.a, 0, 3);
	allocator_release(d.a, 16, 4);
	allocator_release(d.a, 64, 0);

	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 64);
	ck_assert_uint_eq(drawn_alloc(&d, 1, M), 0);
	ck_assert_uint_eq(drawn_nr_free(&d, 1, M), 1);
	ck_assert_uint_eq(drawn_nr_free(&d, 2, M), 1);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 2);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 3);
	ck_assert_uint_eq(drawn_alloc(&d, 2, M), 4);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 16);
	drawn_destroy(&d);
}
END_TEST

START_TEST(what_was_freed_last_is_handed_out_first)
{
	create(_i, ":pcp=off");
	drawn_adopt(&d, 0, 6, 0);
	drawn_free(&d, 20, 0);
	drawn_free(&d, 40, 0);
	drawn_free(&d, 30, 0);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 30);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 40);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 20);
	drawn_destroy(&d);
}
END_TEST

/*
 *   0 1 2 3 4 5 6 7      free 5: beside its parent, 6 and 7 are in use
 *   . A . . A . A A      free 0: beside its parent, 2 and 3 are free, so when
 *                        1 comes back all four join; 0 waits at the tail
 */
START_TEST(a_block_that_is_likely_to_merge_goes_to_the_tail)
{
	static const struct {
		const char *options;
		unsigned long next;
	} rules[] = { { ":pcp=off", 5 }, { ":pcp=off:tail_rule=off", 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		create(_i, rules[i].options);
		drawn_adopt(&d, 0, 3, 0);
		drawn_free(&d, 2, 0);
		drawn_free(&d, 3, 0);
		drawn_free(&d, 5, 0);
		drawn_free(&d, 0, 0);
		ck_assert_uint_eq(drawn_alloc(&d, 0, M), rules[i].next);
		drawn_destroy(&d);
	}
}
END_TEST

/*
 *   M M | M M       both pageblocks of the order-10 block become U, and the
 *   U U | M M       rest of it stands on U's lists
 */
START_TEST(a_block_of_pageblocks_is_claimed_whole_largest_first)
{
	create(_i, ":pcp=off");
	allocator_release(d.a, 4 * BLOCK, PAGEBLOCK_ORDER);
	allocator_release(d.a, 0, MAX_PAGE_ORDER);
	allocator_release(d.a, 6 * BLOCK, 3);

	ck_assert_uint_eq(drawn_alloc(&d, 0, U), 0);
	ck_assert_uint_eq(drawn_type(&d, 0), U);
	ck_assert_uint_eq(drawn_type(&d, BLOCK), U);
	ck_assert_uint_eq(drawn_type(&d, 4 * BLOCK), M);
	for (unsigned int order = 0; order <= PAGEBLOCK_ORDER; order++)
		ck_assert_uint_eq(drawn_nr_free(&d, order, U), 1);
	ck_assert_uint_eq(d.a->stats.claims, 1);
	drawn_destroy(&d);
}
END_TEST

/* One pageblock: `free` pages in blocks of free_order, the rest in use. */
static void draw_pageblock(unsigned int free_order, unsigned long nr_free,
			   unsigned int block_type, unsigned int used_type)
{
	/* An owner that was there before is taken for the pageblock's kind. */
	allocator_set_block_type(d.a, 0, used_type);
	for (unsigned long pfn = nr_free; pfn < BLOCK; pfn++)
		drawn_adopt(&d, pfn, 0, 0);
	allocator_set_block_type(d.a, 0, block_type);
	for (unsigned long pfn = 0; pfn < nr_free; pfn += 1UL << free_order)
		allocator_release(d.a, pfn, free_order);
}

static const struct {
	unsigned int block;		/* type of the pageblock */
	unsigned int used;		/* by whom the rest was asked for */
	unsigned int order;		/* of the free blocks */
	unsigned long free;		/* pages */
	unsigned int request;
	bool claimed;			/* or stolen from */
} parts[] = {
	{ M, M, 8, 256, U, true },	/* half of it is free */
	{ M, M, 7, 128, U, false },	/* and here it is not, the rest is movable */
	{ M, U, 7, 128, U, true },	/* the rest is unmovable: compatible */
	{ M, U, 7, 128, R, true },
	{ R, U, 7, 128, U, false },	/* nobody can tell R's pages from U's */
	{ R, U, 8, 256, U, true },
	{ U, M, 7, 128, M, true },	/* movable pages in use: compatible */
	{ U, U, 7, 128, M, false },
	{ U, U, 8, 256, M, true },
	{ U, M, 3, 8, M, false },	/* below order 4 M claims nothing */
	{ U, M, 4, 16, M, true },
	{ M, U, 0, 1, U, true },	/* U does, at any order */
};

START_TEST(a_part_is_claimed_if_half_is_free_or_compatible)
{
	size_t i = (size_t)_i % ARRAY_SIZE(parts);

	create(_i / (int)ARRAY_SIZE(parts), ":pcp=off");
	draw_pageblock(parts[i].order, parts[i].free, parts[i].block,
		       parts[i].used);
	ck_assert_uint_eq(drawn_alloc(&d, 0, parts[i].request), 0);
	ck_assert_uint_eq(d.a->stats.claims, parts[i].claimed);
	ck_assert_uint_eq(d.a->stats.steals, !parts[i].claimed);
	ck_assert_uint_eq(drawn_type(&d, 0), parts[i].claimed ?
			  parts[i].request : parts[i].block);
	if (parts[i].order > 0)
		ck_assert_uint_eq(drawn_nr_free(&d, parts[i].order - 1,
						drawn_type(&d, 0)), 1);
	drawn_destroy(&d);
}
END_TEST

/* Claims look at the largest blocks first, steals at the smallest. */
START_TEST(a_steal_takes_the_smallest_block)
{
	create(_i, ":pcp=off");
	draw_pageblock(3, 8, U, U);
	allocator_set_block_type(d.a, BLOCK, U);
	drawn_adopt(&d, BLOCK + 2, 1, 0);
	allocator_release(d.a, BLOCK, 1);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), BLOCK);
	ck_assert_uint_eq(drawn_type(&d, BLOCK), U);
	ck_assert_uint_eq(drawn_nr_free(&d, 0, U), 1);
	drawn_destroy(&d);
}
END_TEST

static const struct {
	unsigned int request;
	unsigned int chosen;		/* of the two others, at the same order */
} preferences[] = { { U, R }, { M, R }, { R, U } };

START_TEST(fallback_types_have_an_order)
{
	for (size_t i = 0; i < ARRAY_SIZE(preferences); i++) {
		unsigned int request = preferences[i].request;

		create(_i, ":pcp=off");
		for (unsigned int type = U; type <= R; type++) {
			unsigned long pfn = type * 2 * BLOCK;

			if (type == request)
				continue;
			allocator_set_block_type(d.a, pfn, type);
			allocator_release(d.a, pfn, PAGEBLOCK_ORDER);
		}
		ck_assert_uint_eq(drawn_alloc(&d, 0, request),
				  preferences[i].chosen * 2 * BLOCK);
		drawn_destroy(&d);
	}
}
END_TEST

/*
 *   [ U free ][ M in use ]    M comes back: one block of order 10, all M
 */
START_TEST(pageblocks_of_other_types_join_and_take_the_freed_type)
{
	create(_i, ":pcp=off");
	allocator_set_block_type(d.a, 0, U);
	allocator_release(d.a, 0, PAGEBLOCK_ORDER);
	drawn_adopt(&d, BLOCK, PAGEBLOCK_ORDER, PAGEBLOCK_ORDER);
	drawn_free(&d, BLOCK, PAGEBLOCK_ORDER);
	ck_assert_uint_eq(drawn_nr_free(&d, MAX_PAGE_ORDER, M), 1);
	ck_assert_uint_eq(drawn_type(&d, 0), M);
	drawn_destroy(&d);
}
END_TEST

START_TEST(the_reserve_does_not_join_other_pageblocks)
{
	create(_i, ":pcp=off");
	allocator_set_block_type(d.a, 0, H);
	allocator_release(d.a, 0, PAGEBLOCK_ORDER);
	drawn_adopt(&d, BLOCK, PAGEBLOCK_ORDER, PAGEBLOCK_ORDER);
	drawn_free(&d, BLOCK, PAGEBLOCK_ORDER);
	ck_assert_uint_eq(drawn_nr_free(&d, PAGEBLOCK_ORDER, H), 1);
	ck_assert_uint_eq(drawn_nr_free(&d, PAGEBLOCK_ORDER, M), 1);

	/* A request that finds nothing else takes the reserve apart. */
	ck_assert_uint_eq(drawn_alloc(&d, PAGEBLOCK_ORDER, M), BLOCK);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 0);
	ck_assert_uint_eq(drawn_type(&d, 0), M);
	drawn_destroy(&d);
}
END_TEST

/* An adopted block of order 10 may lie in pageblocks of two types. */
START_TEST(what_is_larger_than_a_pageblock_is_freed_in_pageblocks)
{
	create(_i, ":pcp=off");
	allocator_set_block_type(d.a, 0, R);
	drawn_adopt(&d, 0, MAX_PAGE_ORDER, MAX_PAGE_ORDER);
	drawn_free(&d, 0, MAX_PAGE_ORDER);
	ck_assert_uint_eq(drawn_nr_free(&d, MAX_PAGE_ORDER, M), 1);
	ck_assert_uint_eq(drawn_type(&d, 0), M);
	drawn_destroy(&d);
}
END_TEST

/* A pageblock that belongs to two zones keeps its type. */
START_TEST(a_pageblock_across_a_border_is_never_claimed)
{
	drawn_create_two(&d, backend(_i), ":pcp=off", 3 * BLOCK, 0);
	allocator_release(d.a, BLOCK + BLOCK / 2, 8);
	ck_assert_uint_eq(drawn_alloc(&d, 0, U), BLOCK + BLOCK / 2);
	ck_assert_uint_eq(d.a->stats.claims, 0);
	ck_assert_uint_eq(d.a->stats.steals, 1);
	ck_assert_uint_eq(drawn_type(&d, BLOCK), M);
	drawn_destroy(&d);
}
END_TEST

/* Nor does the zone claim it that ends in it. */
START_TEST(a_pageblock_across_the_end_is_never_claimed)
{
	static const struct alloc_req low = { .migratetype = U, .zone_limit = 0 };

	drawn_create_two(&d, backend(_i), ":pcp=off", 3 * BLOCK, 0);
	allocator_release(d.a, BLOCK, 8);
	ck_assert_uint_eq(alloc_pages(d.a, &low), BLOCK);
	ck_assert_uint_eq(d.a->stats.claims, 0);
	ck_assert_uint_eq(d.a->stats.steals, 1);
	ck_assert_uint_eq(drawn_type(&d, BLOCK), M);
	drawn_destroy(&d);
}
END_TEST

START_TEST(without_mobility_there_is_one_list_for_all)
{
	create(_i, ":pcp=off:mobility=off");
	allocator_release(d.a, 0, 3);
	ck_assert_uint_eq(drawn_alloc(&d, 0, U), 0);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 1);
	ck_assert_uint_eq(drawn_alloc(&d, 1, R), 2);
	ck_assert_uint_eq(d.a->stats.claims + d.a->stats.steals, 0);
	drawn_destroy(&d);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mobility");
	TCase *tc = tcase_create("lists by type");

#define EVERY(test, n) tcase_add_loop_test(tc, test, 0, (int)(NR_DRAWN_BACKENDS * (n)))
	EVERY(the_smallest_block_that_fits_is_split_and_its_low_part_given, 1);
	EVERY(what_was_freed_last_is_handed_out_first, 1);
	EVERY(a_block_that_is_likely_to_merge_goes_to_the_tail, 1);
	EVERY(a_block_of_pageblocks_is_claimed_whole_largest_first, 1);
	EVERY(a_part_is_claimed_if_half_is_free_or_compatible, ARRAY_SIZE(parts));
	EVERY(a_steal_takes_the_smallest_block, 1);
	EVERY(fallback_types_have_an_order, 1);
	EVERY(pageblocks_of_other_types_join_and_take_the_freed_type, 1);
	EVERY(the_reserve_does_not_join_other_pageblocks, 1);
	EVERY(what_is_larger_than_a_pageblock_is_freed_in_pageblocks, 1);
	EVERY(a_pageblock_across_a_border_is_never_claimed, 1);
	EVERY(a_pageblock_across_the_end_is_never_claimed, 1);
	EVERY(without_mobility_there_is_one_list_for_all, 1);
#undef EVERY
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
