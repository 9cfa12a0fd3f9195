/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_area_map.c - the array of offsets says what was taken and freed, and what that cost */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/range/area_map.h"
#include "base/rng.h"
#include "tests/suite.h"

static struct layout layout;
static struct machine *machine;
static struct range range;
static struct cost cost;
static struct area_map am;

/* A map of `total` bytes, all free. */
static void set_up(uint32_t total)
{
	ck_assert_int_eq(layout_flat(&layout, 1024, 1, NULL), 0);
	ck_assert_int_eq(machine_create(&machine, &layout, WINDOW_ARITH, NULL), 0);
	memset(&cost, 0, sizeof(cost));
	range = (struct range){ .machine = machine, .cost = &cost };
	ck_assert(area_map_create(&am, &range, total));
	area_map_free(&am, &range, 0);
}

static void tear_down(void)
{
	area_map_destroy(&am, &range);
	ck_assert_uint_eq(machine->meta.now[META_structures], 0);
	machine_destroy(machine);
	layout_free(&layout);
}

static void expect_sound(void)
{
	struct msg msg;

	if (area_map_verify(&am, &msg))
		ck_abort_msg("%s", msg.text);
}

static uint32_t take(uint32_t size, uint32_t align)
{
	uint32_t at;

	ck_assert(area_map_reserve(&am, &range, 2));
	at = area_map_alloc(&am, &range, size, align);
	expect_sound();
	return at;
}

static void give(uint32_t at)
{
	area_map_free(&am, &range, at);
	expect_sound();
}

static void expect_entries(const uint32_t *entries, unsigned int nr)
{
	ck_assert_uint_eq(am.used + 1, nr);
	for (unsigned int i = 0; i < nr; i++)
		ck_assert_uint_eq(am.entry[i], entries[i]);
}

/*
 *    lengths      4  -8  -4   4 -12 100      below 0: in use
 *    offsets      0   5  13  16  21  32 133  odd: in use
 */
START_TEST(the_offsets_of_the_published_vector)
{
	static const uint32_t vector[] = { 0, 5, 13, 16, 21, 32, 133 };
	uint32_t first, third;

	set_up(132);
	first = take(4, 4);
	ck_assert_uint_eq(take(8, 4), 4);
	ck_assert_uint_eq(take(4, 4), 12);
	third = take(4, 4);
	ck_assert_uint_eq(take(12, 4), 20);
	give(first);
	give(third);
	expect_entries(vector, ARRAY_SIZE(vector));
	ck_assert_uint_eq(am.free_bytes, 4 + 4 + 100);
	ck_assert_uint_ge(am.contig_hint, 100);
	ck_assert_uint_eq(am.first_free, 0);
	tear_down();
}
END_TEST

START_TEST(the_first_area_that_fits_is_taken)
{
	uint32_t at[4];

	set_up(256);
	for (unsigned int i = 0; i < 4; i++)
		at[i] = take(16, 4);
	give(at[0]);
	give(at[2]);
	ck_assert_uint_eq(take(8, 4), 0);
	ck_assert_uint_eq(take(16, 4), 32);
	ck_assert_uint_eq(take(8, 4), 8);
	tear_down();
}
END_TEST

/* Padding becomes an area; what is too small for one stays with a neighbour. */
START_TEST(padding_and_rests_below_4_bytes_are_kept_by_objects)
{
	set_up(64);
	ck_assert_uint_eq(take(6, 2), 0);
	/* 6 and 7 are lost to the object at 0. */
	ck_assert_uint_eq(take(8, 8), 8);
	ck_assert_uint_eq(am.free_bytes, 48);
	ck_assert_uint_eq(area_size(&am, 0), 8);
	/* 16 to 31 is padding, and can be had. */
	ck_assert_uint_eq(take(30, 32), 32);
	ck_assert_uint_eq(area_size(&am, 3), 32);
	ck_assert_uint_eq(am.free_bytes, 16);
	ck_assert_uint_eq(take(16, 16), 16);
	ck_assert_uint_eq(am.free_bytes, 0);
	ck_assert_uint_eq(take(2, 2), AREA_NONE);
	tear_down();
}
END_TEST

START_TEST(a_search_begins_behind_what_is_in_use)
{
	set_up(64);
	take(16, 4);
	ck_assert_uint_eq(am.first_free, 1);
	take(16, 4);
	ck_assert_uint_eq(am.first_free, 2);
	give(0);
	ck_assert_uint_eq(am.first_free, 0);
	tear_down();
}
END_TEST

/*
 *    | 16 used |  48 free  |     the hint stays 64: behind the object there is
 *                                more, which the search has not come to
 *    |    64 used          |     now the object ends the chunk, and it is 0
 */
START_TEST(the_hint_falls_only_when_an_object_ends_the_chunk)
{
	set_up(64);
	take(16, 4);
	ck_assert_uint_eq(am.contig_hint, 64);
	take(48, 4);
	ck_assert_uint_eq(am.contig_hint, 0);
	tear_down();
}
END_TEST

START_TEST(a_search_in_vain_makes_the_hint_exact)
{
	uint32_t a, b;

	set_up(64);
	a = take(16, 4);
	take(8, 4);
	b = take(40, 4);
	give(b);
	ck_assert_uint_eq(am.contig_hint, 40);
	take(40, 4);
	give(a);
	ck_assert_uint_ge(am.contig_hint, 16);
	ck_assert_uint_eq(take(20, 4), AREA_NONE);
	ck_assert_uint_eq(am.contig_hint, 16);
	tear_down();
}
END_TEST

#define N 512

/*
 * n objects fill the map; freeing them moves the entries behind each, so
 *	in order      4 (n - 1) + 4 (n - 2) + ...            about 2 n^2 bytes
 *	evens, odds   nothing merges; then 4 (n - 2k) each   about n^2
 *	reversed      the end's entry alone                  4 n
 */
static const struct {
	const char *name;
	unsigned int step;		/* 2: every second first */
	bool falling;
	double bytes;
} orders[] = {
	{ "in order", 1, false, 2.0 * N * N },
	{ "evens, then odds", 2, false, 1.0 * N * N },
	{ "reversed", 1, true, 4.0 * N },
};

START_TEST(bytes_moved_follow_the_law)
{
	double moved;

	set_up(16 * N);
	for (unsigned int i = 0; i < N; i++)
		take(16, 4);
	memset(&cost, 0, sizeof(cost));
	for (unsigned int from = 0; from < orders[_i].step; from++) {
		for (unsigned int i = from; i < N; i += orders[_i].step)
			give(16 * (orders[_i].falling ? N - 1 - i : i));
	}
	ck_assert_uint_eq(am.used, 1);
	moved = (double)cost.bytes_moved;
	if (COST_COUNTS && (moved < 0.98 * orders[_i].bytes ||
			     moved > 1.02 * orders[_i].bytes))
		ck_abort_msg("%s: %.0f bytes moved, not about %.0f",
			     orders[_i].name, moved, orders[_i].bytes);
	tear_down();
}
END_TEST

#define BYTES 512

/* Against a byte map: first fit is the lowest aligned place that is free. */
START_TEST(a_random_walk_agrees_with_a_map_of_bytes)
{
	static struct { uint32_t at, size; } held[BYTES / 4];
	static bool used[BYTES];
	unsigned int nr_held = 0;
	struct rng rng;

	set_up(BYTES);
	rng_seed(&rng, 2009);
	for (int step = 0; step < 20000; step++) {
		if (nr_held && rng_below(&rng, 2)) {
			unsigned int i = (unsigned int)rng_below(&rng, nr_held);

			give(held[i].at);
			memset(&used[held[i].at], 0, held[i].size);
			held[i] = held[--nr_held];
		} else {
			uint32_t size = 4 + 4 * (uint32_t)rng_below(&rng, 16);
			uint32_t align = UINT32_C(4) << rng_below(&rng, 5);
			uint32_t want = 0, at = take(size, align);

			while (want + size <= BYTES && memchr(&used[want], true, size))
				want += align;
			if (want + size > BYTES)
				want = AREA_NONE;
			if (at != want)
				ck_abort_msg("step %d: %u bytes at %u, expected %u",
					     step, size, at, want);
			if (at == AREA_NONE)
				continue;
			memset(&used[at], true, size);
			held[nr_held].at = at;
			held[nr_held++].size = size;
		}
	}
	tear_down();
}
END_TEST

START_TEST(a_cut_makes_one_area_in_use_into_several)
{
	static const uint32_t vector[] = { 1, 9, 17, 32, 65 };

	set_up(64);
	ck_assert_uint_eq(take(32, 4), 0);
	ck_assert(area_map_reserve(&am, &range, 2));
	area_map_cut(&am, &range, 8, 8);
	expect_sound();
	expect_entries(vector, ARRAY_SIZE(vector));
	give(8);
	ck_assert_uint_eq(am.free_bytes, 40);
	ck_assert_uint_eq(take(8, 8), 8);
	tear_down();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("area_map");
	TCase *t = tcase_create("area_map");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, the_offsets_of_the_published_vector);
	tcase_add_test(t, the_first_area_that_fits_is_taken);
	tcase_add_test(t, padding_and_rests_below_4_bytes_are_kept_by_objects);
	tcase_add_test(t, a_search_begins_behind_what_is_in_use);
	tcase_add_test(t, the_hint_falls_only_when_an_object_ends_the_chunk);
	tcase_add_test(t, a_search_in_vain_makes_the_hint_exact);
	tcase_add_loop_test(t, bytes_moved_follow_the_law, 0,
			    (int)ARRAY_SIZE(orders));
	tcase_add_test(t, a_random_walk_agrees_with_a_map_of_bytes);
	tcase_add_test(t, a_cut_makes_one_area_in_use_into_several);
	suite_add_tcase(s, t);
	return run_suite(s);
}
