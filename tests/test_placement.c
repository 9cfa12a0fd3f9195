/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_placement.c - tests src/alloc/buddy/placement.{h,c}
 *
 * Each case is a zone of eight pageblocks, all in use page by page, of which a
 * few pages are freed: even ones where they are to stay apart.
 */
#include <stdio.h>
#include <stdlib.h>

#include <check.h>

#include "base/rng.h"
#include "tests/drawn.h"
#include "tests/suite.h"

#define U MIGRATE_UNMOVABLE
#define M MIGRATE_MOVABLE

#define BLOCK PAGEBLOCK_NR_PAGES
#define NR_PAGES (8 * BLOCK)
#define NODES 4UL			/* free pages that may carry entries, with room to spare */
#define BARE ":mobility=off:pcp=off"

static struct drawn d;

static void all_in_use(int backend, const char *options)
{
	drawn_create(&d, drawn_backends[backend], options, NR_PAGES, 1);
	for (unsigned long pfn = 0; pfn < NR_PAGES; pfn += 1UL << MAX_PAGE_ORDER)
		drawn_adopt(&d, pfn, MAX_PAGE_ORDER, 0);
}

static void all_free(int backend, const char *options)
{
	drawn_create(&d, drawn_backends[backend], options, NR_PAGES, 1);
	for (unsigned long pfn = 0; pfn < NR_PAGES; pfn += 1UL << MAX_PAGE_ORDER)
		allocator_release(d.a, pfn, MAX_PAGE_ORDER);
}

/* Free `nr` even pages of a pageblock, from its first on. */
static void free_even(unsigned long block, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++)
		drawn_free(&d, block * BLOCK + 2 * i, 0);
}

/* And the odd pages between them, which joins them in pairs and more. */
static void free_odd(unsigned long block, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++)
		drawn_free(&d, block * BLOCK + 2 * i + 1, 0);
}

/* How many of the next `nr` single pages come from [first, end). */
static unsigned long next_from(unsigned long nr, unsigned long first,
			       unsigned long end)
{
	unsigned long from = 0;

	while (nr--) {
		unsigned long pfn = drawn_alloc(&d, 0, M);

		from += pfn >= first && pfn < end;
	}
	return from;
}

/* --- watermark --------------------------------------------------------- */

/*
 *    freed while W fell from 4096 to 2048: every even page
 *    0           2048          4096
 *    [. A . A . A | . A . A . A ]     W: half of it is free
 */
START_TEST(the_first_request_finds_what_was_released_sorted)
{
	all_in_use(_i, ":placement=watermark" BARE);
	for (unsigned long block = 0; block < 8; block++)
		free_even(block, BLOCK / 2);
	ck_assert_uint_eq(next_from(NR_PAGES / 4 - NODES, 0, NR_PAGES / 2 + NODES),
			  NR_PAGES / 4 - NODES);
	drawn_destroy(&d);
}
END_TEST

/* A quarter free: W = 3072. What is freed on either side of it, alone. */
START_TEST(a_freed_page_goes_to_the_head_below_w_and_to_the_tail_above)
{
	all_in_use(_i, ":placement=watermark" BARE);
	for (unsigned long block = 0; block < 8; block++)
		free_even(block, BLOCK / 4);
	drawn_alloc(&d, 0, M);
	drawn_free(&d, 3 * BLOCK - 1, 0);
	drawn_free(&d, 8 * BLOCK - 1, 0);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 3 * BLOCK - 1);
	drawn_destroy(&d);
}
END_TEST

/*
 *    order 0   head [3500, 3] tail        W was 4094 when they were freed,
 *    order 8   [512 1024 1536]            and is 3326 now
 *
 * 3500 has gone stale: it moves behind 3. Alone on its list, it is passed over
 * for a block below W of half a pageblock.
 */
static void make_stale(int backend, unsigned long nr)
{
	all_in_use(backend, ":placement=watermark" BARE);
	drawn_free(&d, 8, 0);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 8);
	drawn_free(&d, 3, 0);
	drawn_free(&d, 3500, 0);
	for (unsigned long block = 1; block < 4; block++) {
		free_even(block, nr);
		free_odd(block, nr);
	}
}

START_TEST(a_stale_head_moves_to_the_tail)
{
	make_stale(_i, BLOCK / 4);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 3);
	ck_assert_uint_eq(next_from(100, 1 * BLOCK, 4 * BLOCK), 100);
	drawn_destroy(&d);
}
END_TEST

/* The same with whole pageblocks below W: 3500 costs none of them. */
START_TEST(no_pageblock_below_w_is_broken_while_a_smaller_block_will_do)
{
	make_stale(_i, BLOCK / 2);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 3);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 3500);
	ck_assert_uint_eq(next_from(100, 1 * BLOCK, 4 * BLOCK), 100);
	drawn_destroy(&d);
}
END_TEST

START_TEST(unmovable_pages_grow_from_the_other_end)
{
	all_free(_i, ":placement=watermark:pcp=off");
	ck_assert_uint_ge(drawn_alloc(&d, 0, U), NR_PAGES - (1UL << MAX_PAGE_ORDER));
	ck_assert_uint_lt(drawn_alloc(&d, 0, M), 1UL << MAX_PAGE_ORDER);
	drawn_destroy(&d);

	all_free(_i, ":placement=lowest:pcp=off");
	ck_assert_uint_ge(drawn_alloc(&d, 0, U), NR_PAGES - (1UL << MAX_PAGE_ORDER));
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 0);
	drawn_destroy(&d);
}
END_TEST

/* --- spare ------------------------------------------------------------- */

/*
 *    pageblock   0   1   2   3   4    5   6    7
 *    free       40  40  40  40  40  200  40  240     680: one could be empty
 *                                         spared ^
 */
static void two_nearly_empty(int backend, const char *options)
{
	all_in_use(backend, options);
	for (unsigned long block = 0; block < 7; block++)
		free_even(block, block == 5 ? 200 : 40);
	free_even(7, 240);
}

START_TEST(the_emptiest_pageblock_is_spared_while_there_is_another_page)
{
	two_nearly_empty(_i, ":placement=spare" BARE);
	ck_assert_uint_eq(next_from(440 - NODES, 0, 7 * BLOCK), 440 - NODES);
	ck_assert_uint_ge(next_from(240 + NODES, 7 * BLOCK, 8 * BLOCK), 240 - NODES);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), PFN_NONE);
	drawn_destroy(&d);
}
END_TEST

/* What is freed of the spared one stays there; of another, it goes next. */
START_TEST(a_page_freed_from_a_spared_pageblock_is_not_handed_out_next)
{
	two_nearly_empty(_i, ":placement=spare" BARE);
	drawn_alloc(&d, 0, M);
	drawn_free(&d, 2 * BLOCK + 301, 0);
	drawn_free(&d, 7 * BLOCK + 501, 0);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 2 * BLOCK + 301);
	drawn_destroy(&d);
}
END_TEST

/* 5 gets 200 more: 400 to 240 is more than a quarter of a pageblock. */
START_TEST(a_spared_pageblock_that_does_not_empty_is_given_up_for_one_that_does)
{
	two_nearly_empty(_i, ":placement=spare" BARE);
	drawn_alloc(&d, 0, M);
	free_odd(5, 200);
	ck_assert_uint_eq(next_from(400, 5 * BLOCK, 6 * BLOCK), 0);
	drawn_destroy(&d);
}
END_TEST

/*
 *    free       40  40  40  40  40  200 240  440     1080: two could be empty
 *
 * But 680 were free when this window, and the one before, began: 6 is spared
 * when two windows of an eighth of the zone have passed, and 7 all the time.
 */
START_TEST(what_was_not_free_in_the_last_two_windows_is_not_spared)
{
	two_nearly_empty(_i, ":placement=spare" BARE);
	drawn_alloc(&d, 0, M);
	free_odd(7, 200);
	free_odd(6, 200);
	for (unsigned long handed_out = 1; handed_out < 2 * BLOCK - 100; handed_out++)
		drawn_free(&d, drawn_alloc(&d, 0, M), 0);
	ck_assert_uint_ge(next_from(100, 6 * BLOCK, 7 * BLOCK), 100);
	drawn_destroy(&d);

	two_nearly_empty(_i, ":placement=spare" BARE);
	drawn_alloc(&d, 0, M);
	free_odd(7, 200);
	free_odd(6, 200);
	for (unsigned long handed_out = 1; handed_out < 2 * BLOCK + 4; handed_out++)
		drawn_free(&d, drawn_alloc(&d, 0, M), 0);
	ck_assert_uint_eq(next_from(390, 6 * BLOCK, 8 * BLOCK), 0);
	drawn_destroy(&d);
}
END_TEST

/* A block of eight is to be had in the spared pageblock only: it goes, alone. */
START_TEST(a_larger_request_takes_what_it_needs_and_no_more)
{
	two_nearly_empty(_i, ":placement=spare" BARE);
	drawn_alloc(&d, 0, M);
	free_odd(7, 4);
	ck_assert_uint_eq(drawn_alloc(&d, 3, M), 7 * BLOCK);
	ck_assert_uint_eq(next_from(400, 7 * BLOCK, 8 * BLOCK), 0);
	drawn_destroy(&d);
}
END_TEST

START_TEST(pages_drained_from_per_cpu_lists_go_to_their_ends)
{
	two_nearly_empty(_i, ":placement=spare:mobility=off:pcp_high=1024");
	allocator_drain(d.a);
	drawn_alloc(&d, 0, M);
	free_odd(7, 100);
	allocator_drain(d.a);
	ck_assert_uint_eq(next_from(300, 7 * BLOCK, 8 * BLOCK), 0);
	drawn_destroy(&d);
}
END_TEST

/*
 *                DMA32                    Normal
 *    pageblock   0    1    2    3         4    5    6    7
 *    free       100  100  100  240       100  100  100  240      540: one each
 *                           spared ^                 spared ^
 *
 * Zones come before sides: the upper one is used up before the lower is touched,
 * but in each of them what is spared goes last.
 */
static void two_zones(int backend)
{
	drawn_create_two(&d, drawn_backends[backend], ":placement=spare" BARE,
			 NR_PAGES, 0);
	for (unsigned long pfn = 0; pfn < NR_PAGES; pfn += 1UL << MAX_PAGE_ORDER)
		drawn_adopt(&d, pfn, MAX_PAGE_ORDER, 0);
	for (unsigned long block = 0; block < 8; block++)
		free_even(block, block % 4 == 3 ? 240 : 100);
}

START_TEST(each_zone_spares_by_itself_and_the_upper_is_used_up_first)
{
	two_zones(_i);
	for (unsigned long first = 4 * BLOCK;; first = 0) {
		unsigned long last = first + 3 * BLOCK;

		ck_assert_uint_eq(next_from(300 - NODES, first, last), 300 - NODES);
		ck_assert_uint_ge(next_from(240 + NODES, last, last + BLOCK), 240 - NODES);
		if (!first)
			break;
	}
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), PFN_NONE);
	drawn_destroy(&d);
}
END_TEST

/* A whole pageblock is to be had below: the upper one breaks none, nor gives up. */
START_TEST(a_block_that_only_the_lower_zone_has_leaves_the_upper_as_it_was)
{
	two_zones(_i);
	drawn_alloc(&d, 0, M);
	free_odd(0, BLOCK / 2);
	for (unsigned long i = 100; i < BLOCK / 2; i++)
		drawn_free(&d, 2 * i, 0);
	ck_assert_uint_eq(drawn_alloc(&d, PAGEBLOCK_ORDER, M), 0);
	ck_assert_uint_eq(next_from(299 - NODES, 4 * BLOCK, 7 * BLOCK), 299 - NODES);
	drawn_destroy(&d);
}
END_TEST

/*
 * Every pageblock is movable and a twelfth free, so none is half free or
 * unmovable: Linux would steal a page here and there. Claimed instead, one
 * pageblock after the other is used up, and the rest has no unmovable page.
 */
START_TEST(unmovable_pages_claim_pageblocks_instead_of_being_scattered)
{
	unsigned long touched = 0, in[8] = { 0 };

	all_free(_i, ":placement=spare:pcp=off");
	for (unsigned long pfn = 0; pfn < NR_PAGES; pfn++)
		drawn_alloc(&d, 0, M);
	for (unsigned long i = 0; i < 8 * 40; i++)
		drawn_free(&d, i % 8 * BLOCK + i / 8 * 2, 0);
	for (unsigned long i = 0; i < 70; i++)
		in[drawn_alloc(&d, 0, U) / BLOCK]++;
	for (unsigned long block = 0; block < 8; block++)
		touched += in[block] > 0;
	ck_assert_uint_le(touched, 3);
	drawn_destroy(&d);
}
END_TEST

/*
 *    pageblock   4 of type U, 306 pages free in each     M    M    M    M
 *    free        1224: U keeps 1024                     40   40   40  240
 *                                                            spared ^
 */
static unsigned long fill_with_both_types(int backend)
{
	unsigned long emptiest = 0, nr_movable = 0;

	all_free(backend, ":placement=spare:pcp=off");
	for (unsigned long i = 0; i < NR_PAGES; i++)
		drawn_alloc(&d, 0, i < 4 * BLOCK ? U : M);
	for (unsigned long block = 0; block < 8; block++) {
		if (drawn_type(&d, block * BLOCK) == U) {
			free_even(block, BLOCK / 2);
			free_odd(block, 50);
		} else {
			free_even(block, ++nr_movable < 4 ? 40 : 240);
			emptiest = block;
		}
	}
	ck_assert_uint_eq(nr_movable, 4);
	/* What was not free lately is not spared: let two windows of an eighth pass. */
	for (unsigned long i = 0; i < NR_PAGES / 4 + 2; i++)
		drawn_free(&d, drawn_alloc(&d, 0, U), 0);
	return emptiest;
}

/* Of the next `nr` movable pages: how many come from pageblocks of type U. */
static unsigned long next_borrowed(unsigned long nr)
{
	unsigned long borrowed = 0;

	while (nr--)
		borrowed += drawn_type(&d, drawn_alloc(&d, 0, M)) == U;
	return borrowed;
}

START_TEST(movable_pages_take_what_others_left_before_a_spared_pageblock)
{
	unsigned long emptiest = fill_with_both_types(_i);

	ck_assert_uint_eq(next_from(200, emptiest * BLOCK, (emptiest + 1) * BLOCK), 0);
	drawn_destroy(&d);
}
END_TEST

START_TEST(others_keep_what_they_would_claim_at_once)
{
	unsigned long borrowed;

	fill_with_both_types(_i);
	borrowed = next_borrowed(500);
	ck_assert_uint_le(borrowed, 200);
	ck_assert_uint_ge(borrowed, 200 - NODES);
	drawn_destroy(&d);
}
END_TEST

/* Of an unmovable pageblock nothing is spared, however empty it is, but itself. */
START_TEST(unmovable_pages_do_not_leave_a_pageblock_that_is_nearly_empty)
{
	unsigned long first, home = 0;

	all_free(_i, ":placement=spare:pcp=off");
	first = drawn_alloc(&d, 0, U) / BLOCK;
	for (unsigned long i = 0; i < 100; i++)
		home += drawn_alloc(&d, 0, U) / BLOCK == first;
	ck_assert_uint_eq(home, 100);
	ck_assert_uint_eq(level_side(d.b->zones[0]->placement->levels[first]), SIDE_NEAR);
	drawn_destroy(&d);
}
END_TEST

/* --- lowest ------------------------------------------------------------ */

/*
 *    order 0: 4090 2222    order 2: 3000..3003    order 0 of lowest pfn first,
 *    whatever was freed last, and blocks of any order
 */
START_TEST(the_lowest_block_that_fits_is_taken)
{
	all_in_use(_i, ":placement=lowest" BARE);
	drawn_free(&d, 2222, 0);
	drawn_free(&d, 4090, 0);
	for (unsigned long pfn = 1000; pfn < 1004; pfn++)
		drawn_free(&d, pfn, 0);
	for (unsigned long pfn = 3000; pfn < 3002; pfn++)
		drawn_free(&d, pfn, 0);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 1000);
	ck_assert_uint_eq(drawn_alloc(&d, 1, M), 1002);
	ck_assert_uint_eq(drawn_alloc(&d, 1, M), 3000);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 1001);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 2222);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 4090);
	drawn_destroy(&d);
}
END_TEST

/* --- all --------------------------------------------------------------- */

static const char *const rules[] = { "watermark", "spare", "lowest" };

START_TEST(what_a_rule_keeps_is_metadata_and_given_back)
{
	static const unsigned long least[] = { 0, 8 * 14, NR_PAGES / 8 };
	char options[64];
	uint64_t without;
	struct machine *m;

	all_free(0, BARE);
	m = d.machine;
	without = m->meta.now[META_structures];
	drawn_destroy(&d);
	snprintf(options, sizeof(options), ":placement=%s" BARE, rules[_i]);
	all_free(0, options);
	ck_assert_uint_gt(d.machine->meta.now[META_structures],
			  without + least[_i]);
	allocator_destroy(d.a);
	ck_assert_uint_eq(d.machine->meta.now[META_structures], 0);
	machine_destroy(d.machine);
	layout_free(&d.layout);
}
END_TEST

/* Memory in which nothing is scattered any more is what the rules are for. */
static unsigned long whole_blocks(void)
{
	unsigned long nr_free[NR_PAGE_ORDERS], nr = 0;

	allocator_free_area(d.a, 0, nr_free);
	for (unsigned int order = PAGEBLOCK_ORDER; order < NR_PAGE_ORDERS; order++)
		nr += nr_free[order] << (order - PAGEBLOCK_ORDER);
	return nr;
}

static unsigned long held[NR_PAGES + 1];	/* and the answer to one request too many */

/* 2 MiB blocks after scattered memory, half full, was turned over many times. */
static unsigned long healed(const char *options, int backend)
{
	unsigned long nr = 0, left;
	struct rng rng;

	rng_seed(&rng, 3);
	all_free(backend, options);
	while ((held[nr] = drawn_alloc(&d, 0, M)) != PFN_NONE)
		nr++;
	rng_shuffle(&rng, held, nr, sizeof(held[0]));
	for (left = NR_PAGES / 2; nr > left; nr--)
		drawn_free(&d, held[nr - 1], 0);
	for (unsigned int turn = 0; turn < 25 * 16; turn++) {
		rng_shuffle(&rng, held, nr, sizeof(held[0]));
		for (unsigned long i = 0; i < nr / 16; i++)
			drawn_free(&d, held[i], 0);
		for (unsigned long i = 0; i < nr / 16; i++)
			held[i] = drawn_alloc(&d, 0, M);
	}
	allocator_drain(d.a);
	left = whole_blocks();
	drawn_destroy(&d);
	return left;
}

START_TEST(scattered_memory_heals_with_every_rule_but_lifo)
{
	ck_assert_uint_eq(healed(BARE, _i), 0);
	ck_assert_uint_ge(healed(":placement=watermark" BARE, _i), 3);
	ck_assert_uint_eq(healed(":placement=spare" BARE, _i), 4);
	ck_assert_uint_eq(healed(":placement=lowest" BARE, _i), 4);
}
END_TEST

/* Per-CPU lists hand freed pages out again wherever they lie; the rest is placed. */
START_TEST(scattered_memory_heals_with_per_cpu_lists_too)
{
	ck_assert_uint_eq(healed(":mobility=off:pcp_high=32", _i), 0);
	ck_assert_uint_ge(healed(":placement=spare:mobility=off:pcp_high=32", _i), 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("placement");
	TCase *tc = tcase_create("rules");

	tcase_set_timeout(tc, 60);
#define EACH_BACKEND(test) tcase_add_loop_test(tc, test, 0, NR_DRAWN_BACKENDS)
	EACH_BACKEND(the_first_request_finds_what_was_released_sorted);
	EACH_BACKEND(a_freed_page_goes_to_the_head_below_w_and_to_the_tail_above);
	EACH_BACKEND(a_stale_head_moves_to_the_tail);
	EACH_BACKEND(no_pageblock_below_w_is_broken_while_a_smaller_block_will_do);
	EACH_BACKEND(unmovable_pages_grow_from_the_other_end);
	EACH_BACKEND(the_emptiest_pageblock_is_spared_while_there_is_another_page);
	EACH_BACKEND(a_page_freed_from_a_spared_pageblock_is_not_handed_out_next);
	EACH_BACKEND(a_spared_pageblock_that_does_not_empty_is_given_up_for_one_that_does);
	EACH_BACKEND(what_was_not_free_in_the_last_two_windows_is_not_spared);
	EACH_BACKEND(a_larger_request_takes_what_it_needs_and_no_more);
	EACH_BACKEND(pages_drained_from_per_cpu_lists_go_to_their_ends);
	EACH_BACKEND(each_zone_spares_by_itself_and_the_upper_is_used_up_first);
	EACH_BACKEND(a_block_that_only_the_lower_zone_has_leaves_the_upper_as_it_was);
	EACH_BACKEND(unmovable_pages_claim_pageblocks_instead_of_being_scattered);
	EACH_BACKEND(movable_pages_take_what_others_left_before_a_spared_pageblock);
	EACH_BACKEND(others_keep_what_they_would_claim_at_once);
	EACH_BACKEND(unmovable_pages_do_not_leave_a_pageblock_that_is_nearly_empty);
	EACH_BACKEND(the_lowest_block_that_fits_is_taken);
	EACH_BACKEND(scattered_memory_heals_with_every_rule_but_lifo);
	EACH_BACKEND(scattered_memory_heals_with_per_cpu_lists_too);
	tcase_add_loop_test(tc, what_a_rule_keeps_is_metadata_and_given_back, 0, 3);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
