/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_percpu.c - chunks of both percpu designs: slots, wrong frees, population */
#include <check.h>
#include <stdlib.h>

#include "alloc/registry.h"
#include "alloc/range/percpu.h"
#include "alloc/range/percpu_bitmap.h"
#include "base/bits.h"
#include "base/rng.h"
#include "tests/suite.h"

#define CHUNK 65536UL			/* units */
#define PAGE 1024UL

static struct layout layout;
static struct machine *machine;
static struct range *range;
static unsigned long nr_units;

static void set_up(const char *spec)
{
	struct msg msg;

	nr_units = 0;
	ck_assert_int_eq(layout_flat(&layout, 65536, 1, NULL), 0);
	ck_assert_int_eq(machine_create(&machine, &layout, WINDOW_ARITH, NULL), 0);
	if (range_create(&range, spec, machine, &msg))
		ck_abort_msg("%s", msg.text);
}

static void tear_down(void)
{
	range_destroy(range);
	for (unsigned int i = 0; i < NR_META_COLUMNS; i++)
		ck_assert_uint_eq(machine->meta.now[i], 0);
	machine_destroy(machine);
	layout_free(&layout);
}

static void add_chunk(void)
{
	ck_assert_int_eq(range_add_free(range, nr_units, CHUNK), 0);
	nr_units += CHUNK;
}

static void expect_sound(void)
{
	struct msg msg;

	if (range->ops->verify(range, &msg))
		ck_abort_msg("%s", msg.text);
}

static unsigned long take(unsigned long nr, unsigned long align)
{
	return range_alloc(range, nr, align, NULL);
}

static const struct { uint64_t bytes; unsigned int slot; } slots[] = {
	{ 1, 1 }, { 15, 1 }, { 16, 2 }, { 31, 2 }, { 32, 3 }, { 4096, 10 },
	{ 131072, 15 }, { 262143, 15 }, { 262144, 16 },
};

START_TEST(each_doubling_of_bytes_is_a_slot)
{
	ck_assert_uint_eq(percpu_slot_of_bytes(slots[_i].bytes), slots[_i].slot);
}
END_TEST

static const char *const specs[] = {
	"percpu_map", "percpu_bitmap:version=4.14", "percpu_bitmap:version=5.2",
	"percpu_bitmap", "percpu_bitmap:depopulate=on",
};

/* The percpu case of Linux's lib/test_vmalloc.c. */
#define NR_MIXED 35000

START_TEST(objects_of_mixed_sizes_and_alignments_are_all_served)
{
	static struct { unsigned long at, nr; } held[NR_MIXED];
	struct rng rng;

	set_up(specs[_i]);
	rng_seed(&rng, 35000);
	for (unsigned int i = 0; i < NR_MIXED; i++) {
		unsigned long bytes = 1 + (unsigned long)rng_below(&rng, 1024);
		unsigned long align = 2UL << rng_below(&rng, 11);

		align = max_t(unsigned long, 1, align / PERCPU_UNIT_BYTES);
		held[i].nr = div_round_up(bytes, PERCPU_UNIT_BYTES);
		held[i].at = take(held[i].nr, align);
		if (held[i].at == RANGE_NONE) {
			add_chunk();
			held[i].at = take(held[i].nr, align);
		}
		if (held[i].at == RANGE_NONE || held[i].at % align)
			ck_abort_msg("object %u at %lu", i, held[i].at);
	}
	expect_sound();
	rng_shuffle(&rng, held, NR_MIXED, sizeof(held[0]));
	for (unsigned int i = 0; i < NR_MIXED; i++)
		if (range_free(range, held[i].at, held[i].nr) != RANGE_OK)
			ck_abort_msg("a free failed");
	expect_sound();
	ck_assert_uint_eq(range->ops->nr_free(range), nr_units);
	tear_down();
}
END_TEST

START_TEST(wrong_frees_are_noticed)
{
	set_up(specs[_i]);
	add_chunk();
	ck_assert_uint_eq(take(8, 1), 0);
	ck_assert_uint_eq(take(8, 1), 8);
	ck_assert_int_eq(range->ops->free(range, 4, 0), RANGE_NOT_HEAD);
	ck_assert_int_eq(range->ops->free(range, 16, 0), RANGE_NOT_USED);
	ck_assert_int_eq(range->ops->free(range, 0, 7), RANGE_WRONG_SIZE);
	ck_assert_int_eq(range->ops->free(range, CHUNK, 0), RANGE_OUTSIDE);
	ck_assert_int_eq(range->ops->free(range, 0, 8), RANGE_OK);
	ck_assert_int_eq(range->ops->free(range, 0, 8), RANGE_NOT_USED);
	expect_sound();
	tear_down();
}
END_TEST

START_TEST(what_is_beyond_the_design_is_refused)
{
	enum range_answer why;

	set_up(specs[_i]);
	add_chunk();
	ck_assert_uint_eq(range_alloc(range, PERCPU_MAX_NR + 1, 1, &why), RANGE_NONE);
	ck_assert_int_eq(why, RANGE_BAD_SIZE);
	ck_assert_uint_eq(range_alloc(range, 1, 2 * PAGE, &why), RANGE_NONE);
	ck_assert_int_eq(why, RANGE_BAD_ALIGN);
	ck_assert_uint_eq(range_alloc(range, PERCPU_MAX_NR, PAGE, &why), 0);
	tear_down();
}
END_TEST

START_TEST(what_fits_exactly_is_served)
{
	set_up(specs[_i]);
	add_chunk();
	for (unsigned long at = 0; at < CHUNK; at += PERCPU_MAX_NR)
		ck_assert_uint_eq(take(PERCPU_MAX_NR, 1), at);
	ck_assert_uint_eq(take(1, 1), RANGE_NONE);
	expect_sound();
	tear_down();
}
END_TEST

/* Two chunks of one slot: the one that has risen to it was added first. */
START_TEST(a_chunk_that_moves_up_is_asked_first)
{
	static const char *const generations[] = { "percpu_map", "percpu_bitmap" };

	set_up(generations[_i]);
	add_chunk();
	add_chunk();
	/* Both rose when they were released, the second one last. */
	for (unsigned long at = 0; at < CHUNK; at += PERCPU_MAX_NR)
		ck_assert_uint_eq(take(PERCPU_MAX_NR, 1), CHUNK + at);
	ck_assert_uint_eq(take(PERCPU_MAX_NR, 1), 0);
	for (unsigned long at = 0; at < CHUNK / 2; at += PERCPU_MAX_NR)
		range_free(range, CHUNK + at, PERCPU_MAX_NR);
	ck_assert_uint_eq(take(PERCPU_MAX_NR, 1), CHUNK);
	expect_sound();
	tear_down();
}
END_TEST

/* 4 units are free; 5 are asked for in vain, and then 4. */
START_TEST(in_5_2_a_chunk_that_failed_is_not_asked_again)
{
	static const char *const versions[] = {
		"percpu_bitmap:pages=1:version=5.2", "percpu_bitmap:pages=1",
	};

	for (int i = 0; i < 2; i++) {
		set_up(versions[i]);
		ck_assert_int_eq(range_add_free(range, 0, PAGE), 0);
		while (take(1, 1) != RANGE_NONE)
			;
		for (unsigned long unit = 8; unit < 12; unit++)
			ck_assert_int_eq(range_free(range, unit, 1), RANGE_OK);
		ck_assert_uint_eq(take(5, 1), RANGE_NONE);
		ck_assert_uint_eq(take(4, 1), i ? 8 : RANGE_NONE);
		expect_sound();
		tear_down();
	}
}
END_TEST

/* 288 bytes a page, 276 before 5.2, one bit, and a struct for the chunk. */
START_TEST(bitmaps_take_what_the_formula_says)
{
	static const struct { const char *spec; uint64_t page_bytes; } forms[] = {
		{ "percpu_bitmap:version=4.14", 276 }, { "percpu_bitmap", 288 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		uint64_t before, grown, want = forms[i].page_bytes * CHUNK / PAGE;

		set_up(forms[i].spec);
		add_chunk();
		before = machine->meta.now[META_structures];
		add_chunk();
		add_chunk();
		grown = (machine->meta.now[META_structures] - before) / 2;
		ck_assert_uint_ge(grown, want);
		ck_assert_uint_le(grown, want + 256);
		tear_down();
	}
}
END_TEST

START_TEST(a_page_has_memory_from_its_first_use_on)
{
	unsigned long at;

	set_up("percpu_bitmap:populate=on");
	add_chunk();
	ck_assert_uint_eq(percpu_bitmap_nr_populated(range), 0);
	at = take(2 * PAGE, PAGE);
	/* Two for the run, and four that the worker keeps empty. */
	ck_assert_uint_eq(percpu_bitmap_nr_populated(range), 6);
	ck_assert_uint_eq(percpu_bitmap_nr_empty(range), 4);
	expect_sound();
	range_free(range, at, 2 * PAGE);
	ck_assert_uint_eq(percpu_bitmap_nr_populated(range), 6);
	ck_assert_uint_eq(percpu_bitmap_nr_empty(range), 6);
	expect_sound();
	tear_down();
}
END_TEST

/* Two pages for a run and four empty ones; then each step takes one page. */
START_TEST(fewer_than_2_empty_pages_become_4)
{
	static const unsigned int left[][2] = { { 6, 3 }, { 6, 2 }, { 9, 4 } };

	set_up("percpu_bitmap:populate=on");
	add_chunk();
	take(2 * PAGE, PAGE);
	for (size_t i = 0; i < ARRAY_SIZE(left); i++) {
		take(PAGE, PAGE);
		ck_assert_uint_eq(percpu_bitmap_nr_populated(range), left[i][0]);
		ck_assert_uint_eq(percpu_bitmap_nr_empty(range), left[i][1]);
	}
	tear_down();
}
END_TEST

static void free_pages_of(unsigned long chunk, unsigned long from,
			  unsigned long to)
{
	for (unsigned long page = from; page < to; page++)
		ck_assert_int_eq(range_free(range, chunk * CHUNK + page * PAGE,
					    PAGE), RANGE_OK);
}

/*
 * Two chunks of 64 pages, all in use. A gives its empty pages back when there
 * are a quarter of its own and, beside them, more than 4 in B.
 */
START_TEST(four_empty_pages_are_left_when_others_are_given_back)
{
	unsigned long populated = 2 * CHUNK / PAGE;

	set_up("percpu_bitmap:depopulate=on");
	add_chunk();
	add_chunk();
	while (take(PAGE, PAGE) != RANGE_NONE)
		;
	ck_assert_uint_eq(percpu_bitmap_nr_populated(range), populated);
	free_pages_of(1, 0, 4);
	free_pages_of(0, 2, 18);
	ck_assert_uint_eq(percpu_bitmap_nr_populated(range), populated);
	free_pages_of(1, 4, 5);
	free_pages_of(0, 18, 19);
	ck_assert_uint_eq(percpu_bitmap_nr_populated(range), populated - 17);
	ck_assert_uint_eq(percpu_bitmap_nr_empty(range), 5);
	/* B's go first; with 3 left, what A has next is kept. */
	for (int i = 0; i < 2; i++)
		ck_assert_uint_ge(take(PAGE, PAGE), CHUNK);
	free_pages_of(0, 1, 2);
	ck_assert_uint_eq(percpu_bitmap_nr_populated(range), populated - 17);
	ck_assert_uint_eq(percpu_bitmap_nr_empty(range), 4);
	expect_sound();
	tear_down();
}
END_TEST

/* What comes from the backing of a chunk, which runs dry after a while. */
struct dry_backing {
	struct range_backing base;
	int left;			/* pages that it can give */
	int given;
};

static bool dry_populate(struct range_backing *b, unsigned long first,
			 unsigned long nr)
{
	struct dry_backing *dry = container_of(b, struct dry_backing, base);

	ck_assert_uint_eq(first % PAGE, 0);
	ck_assert_uint_eq(nr, PAGE);
	if (!dry->left)
		return false;
	dry->left--;
	dry->given++;
	return true;
}

static void dry_depopulate(struct range_backing *b, unsigned long first,
			   unsigned long nr)
{
	struct dry_backing *dry = container_of(b, struct dry_backing, base);

	ck_assert_uint_eq(first % PAGE + nr, PAGE);
	dry->left++;
	dry->given--;
}

START_TEST(who_cannot_wait_gets_populated_pages_only)
{
	unsigned long at;

	set_up("percpu_bitmap:populate=on");
	add_chunk();
	/* Nothing has memory yet; the worker makes four pages for the next one. */
	ck_assert_uint_eq(range_alloc_atomic(range, PAGE, PAGE), RANGE_NONE);
	ck_assert_uint_eq(percpu_bitmap_nr_populated(range), 4);
	expect_sound();
	at = range_alloc_atomic(range, 2 * PAGE, PAGE);
	ck_assert_uint_ne(at, RANGE_NONE);
	ck_assert_uint_eq(percpu_bitmap_nr_empty(range), 2);
	/* Longer than what is populated side by side: no, whatever is free. */
	ck_assert_uint_eq(range_alloc_atomic(range, 7 * PAGE, PAGE), RANGE_NONE);
	/* Who can wait is served, and populates on the way. */
	ck_assert_uint_ne(take(8 * PAGE, PAGE), RANGE_NONE);
	expect_sound();
	tear_down();
}
END_TEST

/* As pages: GFP_ATOMIC and the like come without __GFP_DIRECT_RECLAIM. */
START_TEST(a_request_for_pages_says_whether_it_can_wait)
{
	struct alloc_req req = { .flags = ALLOC_NON_BLOCKING };
	struct allocator *a;

	ck_assert_int_eq(layout_flat(&layout, CHUNK, 1, NULL), 0);
	ck_assert_int_eq(machine_create(&machine, &layout, WINDOW_ARITH, NULL), 0);
	ck_assert_int_eq(allocator_create(&a, "percpu_bitmap:populate=on", false,
					  machine, NULL), 0);
	allocator_release(a, 0, MAX_PAGE_ORDER);
	ck_assert_uint_eq(alloc_pages(a, &req), PFN_NONE);
	ck_assert_uint_eq(a->stats.refused, 0);
	ck_assert_uint_eq(a->stats.failed_allocs, 1);
	/* The worker has populated some by now. */
	ck_assert_uint_eq(alloc_pages(a, &req), 0);
	allocator_destroy(a);
	machine_destroy(machine);
	layout_free(&layout);
}
END_TEST

START_TEST(without_memory_behind_it_a_run_is_given_back)
{
	struct dry_backing dry = { { dry_populate, dry_depopulate }, 3, 0 };

	set_up("percpu_bitmap:populate=on");
	range->backing = &dry.base;
	add_chunk();
	ck_assert_uint_eq(take(5 * PAGE, PAGE), RANGE_NONE);
	expect_sound();
	ck_assert_uint_eq(range->ops->nr_free(range), CHUNK);
	ck_assert_int_eq(dry.given, 3);
	ck_assert_uint_eq(take(3 * PAGE, PAGE), 0);
	expect_sound();
	ck_assert_uint_eq(take(1, 1), RANGE_NONE);
	tear_down();
}
END_TEST

/* Each of these runs costs an entry. */
START_TEST(who_cannot_wait_does_with_the_entries_there_are)
{
	uint64_t before;
	unsigned int nr = 0;

	set_up("percpu_map");
	add_chunk();
	before = machine->meta.now[META_structures];
	/* A fresh map has room for 16, too few to wait for the worker. */
	ck_assert_uint_ne(range_alloc_atomic(range, 1, 1), RANGE_NONE);
	ck_assert_uint_gt(machine->meta.now[META_structures], before);
	before = machine->meta.now[META_structures];
	while (machine->meta.now[META_structures] == before && nr < 200) {
		ck_assert_uint_ne(range_alloc_atomic(range, 1, 1), RANGE_NONE);
		nr++;
	}
	/* It had 128 entries, one of them the end's, and grew for want of 32. */
	ck_assert_uint_eq(nr, 128 - 1 - 32);
	expect_sound();
	tear_down();
}
END_TEST

/* Each chunk's first page stays in use; 63 of 64 pages become empty. */
START_TEST(pages_are_given_back_only_where_that_is_asked_for)
{
	static const char *const forms[] = {
		"percpu_bitmap:populate=on", "percpu_bitmap:depopulate=on",
	};
	const unsigned int nr_chunks = 8;

	for (int i = 0; i < 2; i++) {
		set_up(forms[i]);
		for (unsigned int c = 0; c < nr_chunks; c++) {
			add_chunk();
			ck_assert_uint_eq(take(PAGE, PAGE), c * CHUNK);
			while (take(PAGE, PAGE) != RANGE_NONE)
				;
		}
		ck_assert_uint_ge(percpu_bitmap_nr_populated(range), nr_chunks * 64);
		for (unsigned int c = 0; c < nr_chunks; c++)
			for (unsigned long p = 1; p < 64; p++)
				ck_assert_int_eq(range_free(range,
							c * CHUNK + p * PAGE, PAGE),
						 RANGE_OK);
		expect_sound();
		if (i)
			ck_assert_uint_lt(percpu_bitmap_nr_populated(range), 3 * 64);
		else
			ck_assert_uint_eq(percpu_bitmap_nr_populated(range),
					  nr_chunks * 64);
		/* Side-lined chunks are of use still. */
		for (unsigned int c = 0; c < nr_chunks; c++)
			for (unsigned long p = 1; p < 64; p++)
				ck_assert_uint_ne(take(PAGE, PAGE), RANGE_NONE);
		expect_sound();
		tear_down();
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("percpu");
	TCase *t = tcase_create("percpu");
	int n = (int)ARRAY_SIZE(specs);

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, each_doubling_of_bytes_is_a_slot, 0,
			    (int)ARRAY_SIZE(slots));
	tcase_add_loop_test(t, objects_of_mixed_sizes_and_alignments_are_all_served,
			    0, n);
	tcase_add_loop_test(t, wrong_frees_are_noticed, 0, n);
	tcase_add_loop_test(t, what_is_beyond_the_design_is_refused, 0, n);
	tcase_add_loop_test(t, what_fits_exactly_is_served, 0, n);
	tcase_add_loop_test(t, a_chunk_that_moves_up_is_asked_first, 0, 2);
	tcase_add_test(t, in_5_2_a_chunk_that_failed_is_not_asked_again);
	tcase_add_test(t, fewer_than_2_empty_pages_become_4);
	tcase_add_test(t, four_empty_pages_are_left_when_others_are_given_back);
	tcase_add_test(t, bitmaps_take_what_the_formula_says);
	tcase_add_test(t, a_page_has_memory_from_its_first_use_on);
	tcase_add_test(t, who_cannot_wait_gets_populated_pages_only);
	tcase_add_test(t, a_request_for_pages_says_whether_it_can_wait);
	tcase_add_test(t, without_memory_behind_it_a_run_is_given_back);
	tcase_add_test(t, who_cannot_wait_does_with_the_entries_there_are);
	tcase_add_test(t, pages_are_given_back_only_where_that_is_asked_for);
	suite_add_tcase(s, t);
	return run_suite(s);
}
