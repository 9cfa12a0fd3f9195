/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_nta.c - free runs of masks and entries of lists are the same, in every version
 *
 * Defects of the posted code, by the number they have in the reference, and
 * the case that shows each and, beside it, the right form:
 *    1 32-bit searches      as_posted_a_free_run_goes_on_over_memory_in_use
 *    2 a word past the mask as_posted_the_next_node_is_taken_for_more_of_the_mask
 *    3 the tree unused      as_posted_no_tree_is_asked (version=posted)
 *    4 growth by pages      as_posted_growth_never_helps_a_long_request (bytes)
 *    5 only the first unit  as_posted_a_free_looks_at_the_first_unit_only
 *    6 parked remote frees  as_posted_an_alloc_does_not_see_what_is_parked
 *    7 leaks at the end     as_posted_the_tails_of_blocks_are_lost (bytes), and
 *                           without_memory_nothing_is_kept, of which the wrong
 *                           form is not built: it would be a lost pointer
 *    8 masks of 32 KiB      as_posted_a_page_is_given_the_mask_of_eight (bytes)
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/range_bytes.h"
#include "alloc/registry.h"
#include "base/rng.h"
#include "tests/suite.h"

#define NODE 128UL			/* units */

static struct layout layout;
static struct machine *machine;
static struct range *range;

static void set_up(const char *spec, unsigned long nr_nodes)
{
	struct msg msg;

	ck_assert_int_eq(layout_flat(&layout, 4096, 1, NULL), 0);
	ck_assert_int_eq(machine_create(&machine, &layout, WINDOW_ARITH, NULL), 0);
	if (range_create(&range, spec, machine, &msg))
		ck_abort_msg("%s", msg.text);
	ck_assert_int_eq(range_add_free(range, 0, nr_nodes * NODE), 0);
}

static void tear_down(void)
{
	range_destroy(range);
	for (unsigned int i = 0; i < NR_META_COLUMNS; i++)
		ck_assert_uint_eq(machine->meta.now[i], 0);
	machine_destroy(machine);
	layout_free(&layout);
}

static void expect_sound(void)
{
	struct msg msg;

	if (range->ops->verify(range, &msg))
		ck_abort_msg("%s", msg.text);
}

static unsigned long take(unsigned long nr)
{
	return range_alloc(range, nr, 1, NULL);
}

static enum range_answer give(unsigned long first, unsigned long nr)
{
	enum range_answer answer;

	machine->free_depth++;
	answer = range_free(range, first, nr);
	machine->free_depth--;
	return answer;
}

static const char *const versions[] = { "nta", "nta:version=posted" };

/*
 *    AAAABBBBBBBBCCDDDDDDE...   B and D are freed: a request for 5 fits D
 */
START_TEST(the_smallest_class_that_is_long_enough_serves)
{
	set_up(versions[_i], 1);
	ck_assert_uint_eq(take(4), 0);
	ck_assert_uint_eq(take(8), 4);
	ck_assert_uint_eq(take(2), 12);
	ck_assert_uint_eq(take(6), 14);
	ck_assert_uint_eq(take(1), 20);
	ck_assert_int_eq(give(4, 8), RANGE_OK);
	ck_assert_int_eq(give(14, 6), RANGE_OK);
	expect_sound();
	ck_assert_uint_eq(take(5), 14);
	ck_assert_uint_eq(take(1), 19);
	ck_assert_uint_eq(take(8), 4);
	expect_sound();
	tear_down();
}
END_TEST

START_TEST(runs_of_one_length_are_served_first_in_first_out)
{
	set_up(versions[_i], 2);
	for (unsigned long i = 0; i < 2 * NODE / 8; i++)
		ck_assert_uint_eq(take(8), 8 * i);
	ck_assert_int_eq(give(64, 8), RANGE_OK);
	ck_assert_int_eq(give(NODE + 16, 8), RANGE_OK);
	ck_assert_int_eq(give(16, 8), RANGE_OK);
	ck_assert_uint_eq(take(8), 64);
	ck_assert_uint_eq(take(8), NODE + 16);
	ck_assert_uint_eq(take(8), 16);
	ck_assert_uint_eq(take(8), RANGE_NONE);
	tear_down();
}
END_TEST

START_TEST(a_free_run_never_spans_two_nodes)
{
	set_up(versions[_i], 2);
	ck_assert_uint_eq(take(NODE + 1), RANGE_NONE);
	ck_assert_uint_eq(take(NODE), 0);
	ck_assert_uint_eq(take(NODE), NODE);
	ck_assert_int_eq(give(0, NODE), RANGE_OK);
	ck_assert_int_eq(give(NODE, NODE), RANGE_OK);
	expect_sound();
	ck_assert_uint_eq(range->ops->nr_free(range), 2 * NODE);
	tear_down();
}
END_TEST

#define WALK_NODES 8

START_TEST(masks_and_lists_agree_after_every_operation)
{
	static struct { unsigned long at, nr; } held[WALK_NODES * NODE];
	static bool used[WALK_NODES * NODE];
	unsigned int nr_held = 0;
	struct rng rng;

	set_up(versions[_i], WALK_NODES);
	rng_seed(&rng, 2006);
	for (int step = 0; step < 60000; step++) {
		if (nr_held && rng_below(&rng, 2)) {
			unsigned int i = (unsigned int)rng_below(&rng, nr_held);

			if (give(held[i].at, held[i].nr) != RANGE_OK)
				ck_abort_msg("step %d: a free failed", step);
			memset(&used[held[i].at], 0, held[i].nr);
			held[i] = held[--nr_held];
		} else {
			unsigned long nr = 1 + rng_below(&rng, 24);
			unsigned long at = take(nr);

			if (at == RANGE_NONE)
				continue;
			if (memchr(&used[at], true, nr))
				ck_abort_msg("step %d: %lu units at %lu have an owner",
					     step, nr, at);
			memset(&used[at], true, nr);
			held[nr_held].at = at;
			held[nr_held++].nr = nr;
		}
		expect_sound();
	}
	while (nr_held--)
		ck_assert_int_eq(give(held[nr_held].at, held[nr_held].nr), RANGE_OK);
	ck_assert_uint_eq(range->ops->nr_free(range), WALK_NODES * NODE);
	/* Each free found its entry ready. */
	ck_assert_uint_eq(machine->free_path_allocations, 0);
	tear_down();
}
END_TEST

/* Where the free run is that the units say comes next. */
static struct range_run next_run(const bool *is_free, unsigned long from,
				 unsigned long end)
{
	struct range_run run = { from, 0 };

	while (run.start < end && !is_free[run.start])
		run.start++;
	while (run.start + run.nr < end && is_free[run.start + run.nr])
		run.nr++;
	return run;
}

/*
 *    unit   0      100 128        428           500  501       1001
 *           |------|   |----------|   (none)    |----|---------|
 *                       3 nodes, the last of 44
 */
START_TEST(a_unit_is_found_in_its_node_however_spans_lie)
{
	static const struct { unsigned long first, nr; } spans[] = {
		{ 501, 500 }, { 500, 1 }, { 128, 300 }, { 0, 100 },
	};
	static bool is_free[1001 + 1];
	unsigned long end = ARRAY_SIZE(is_free), wrong = 0;
	struct rng rng;

	set_up(versions[_i], 0);
	memset(is_free, 0, sizeof(is_free));
	for (size_t i = 0; i < ARRAY_SIZE(spans); i++) {
		ck_assert_int_eq(range_add_free(range, spans[i].first,
						spans[i].nr), 0);
		memset(&is_free[spans[i].first], true, spans[i].nr);
		expect_sound();
	}
	rng_seed(&rng, 16);
	for (int i = 0; i < 600; i++) {
		unsigned long at = take(1);

		wrong += at >= end || !is_free[at];
		is_free[at] = false;
		if (i % 3)
			continue;
		wrong += give(at, 1) != RANGE_OK;
		is_free[at] = true;
	}
	expect_sound();
	for (unsigned long from = 0; from < end; from++) {
		unsigned long to = from + rng_below(&rng, end - from);
		struct range_run expected = next_run(is_free, from, to), run;
		struct range_info info;

		range->ops->query(range, from, &info);
		wrong += (info.state == RANGE_FREE) != is_free[from];
		if (range->ops->next_free(range, from, to, &run))
			wrong += run.start != expected.start || run.nr != expected.nr;
		else
			wrong += expected.nr != 0;
	}
	ck_assert_uint_eq(wrong, 0);
	tear_down();
}
END_TEST

START_TEST(entries_are_outside_as_described_and_inside_as_posted)
{
	const uint64_t *now;

	set_up("nta", 4);
	now = machine->meta.now;
	ck_assert_uint_gt(now[META_nodes], 0);
	ck_assert_uint_eq(now[META_inband] + now[META_borrowed], 0);
	tear_down();

	set_up("nta:version=posted", 4);
	now = machine->meta.now;
	ck_assert_uint_eq(now[META_nodes], 0);
	/* 4 free runs of three words, and two words of each page's descriptor. */
	ck_assert_uint_eq(now[META_inband], 4 * 3 * sizeof(void *));
	ck_assert_uint_eq(now[META_borrowed], 4 * 2 * sizeof(void *));
	tear_down();
}
END_TEST

/*
 *    AABBCCDD|AABBCCDD|...    64 nodes, each full of 8 runs; freed without A and
 *    ..BB..DD|..BB..DD|...    C joining anything there are 4 in a node: more
 *                             than half of what is held never become runs
 */
START_TEST(entries_are_secured_for_the_runs_there_can_be_and_no_more)
{
	const unsigned long nodes = 64, nr_held = nodes * 8, most = nodes * 4;
	unsigned long refused = 0;
	uint64_t bytes;

	set_up("nta", 0);
	ck_assert_int_eq(range_add_free(range, 0, nodes * NODE), 0);
	for (unsigned long i = 0; i < nr_held; i++)
		refused += take(NODE / 8) != i * NODE / 8;
	ck_assert_uint_eq(refused, 0);
	bytes = machine->meta.now[META_nodes];
	ck_assert_uint_ge(bytes, most * 2 * sizeof(long));
	ck_assert_uint_lt(bytes, (most + nodes) * 2 * sizeof(long) + 1024);
	for (unsigned long i = 0; i < nr_held; i += 2)
		refused += give(i * NODE / 8, NODE / 8) != RANGE_OK;
	expect_sound();
	for (unsigned long i = 1; i < nr_held; i += 2)
		refused += give(i * NODE / 8, NODE / 8) != RANGE_OK;
	expect_sound();
	ck_assert_uint_eq(refused, 0);
	ck_assert_uint_eq(machine->meta.now[META_nodes], bytes);
	tear_down();
}
END_TEST

/* Every second unit stays reserved, and keeps free runs apart for ever. */
START_TEST(reserved_units_keep_runs_apart_and_have_their_entries)
{
	unsigned long wrong = 0;

	set_up("nta", 0);
	ck_assert_int_eq(range->ops->add(range, 0, 4 * NODE), 0);
	for (unsigned long at = 0; at < 4 * NODE; at += 4)
		range->ops->release(range, at, 1);
	for (unsigned long at = 2; at < 4 * NODE; at += 4)
		ck_assert_int_eq(range->ops->adopt(range, at, 1), 0);
	expect_sound();
	for (unsigned long at = 2; at < 4 * NODE; at += 4)
		wrong += give(at, 1) != RANGE_OK;
	expect_sound();
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_eq(range->ops->nr_free(range), 2 * NODE);
	tear_down();
}
END_TEST

START_TEST(links_in_free_memory_cannot_be_in_high_memory)
{
	struct msg msg;

	ck_assert_int_eq(layout_flat(&layout, 4096, 1, NULL), 0);
	layout.highmem_pfn = 1000;
	ck_assert_int_eq(machine_create(&machine, &layout, WINDOW_ARITH, NULL), 0);
	ck_assert_int_eq(range_create(&range, "nta:version=posted", machine, &msg),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(msg.text, "pfn 1000"));
	machine_destroy(machine);
	layout_free(&layout);
}
END_TEST

START_TEST(what_is_free_already_is_not_freed_again)
{
	set_up(versions[_i], 1);
	ck_assert_uint_eq(take(8), 0);
	ck_assert_uint_eq(take(8), 8);
	ck_assert_int_eq(give(8, 8), RANGE_OK);
	ck_assert_int_eq(give(8, 8), RANGE_NOT_USED);
	ck_assert_int_eq(give(4, 8), RANGE_NOT_USED);
	ck_assert_int_eq(give(NODE, 1), RANGE_OUTSIDE);
	expect_sound();
	tear_down();
}
END_TEST

/*
 *    unit  0        10                      50
 *          AAAAAAAAA|......................|CCCC   A is freed: the lower half
 *                                                  of a word, from 10 on, has
 *                                                  no unit in use
 */
START_TEST(as_posted_a_free_run_goes_on_over_memory_in_use)
{
	static const char *const specs[] = { "nta", "nta:as-posted=on" };

	for (int i = 0; i < 2; i++) {
		bool overruns = i && sizeof(long) > 4;

		set_up(specs[i], 1);
		ck_assert_uint_eq(take(10), 0);
		ck_assert_uint_eq(take(40), 10);
		ck_assert_uint_eq(take(4), 50);
		give(10, 40);
		give(0, 10);
		ck_assert_uint_eq(take(NODE), overruns ? 0 : RANGE_NONE);
		tear_down();
	}
}
END_TEST

/* A is freed again, though of its units only the first is in use by now. */
START_TEST(as_posted_a_free_looks_at_the_first_unit_only)
{
	static const char *const specs[] = { "nta", "nta:as-posted=on" };

	for (int i = 0; i < 2; i++) {
		set_up(specs[i], 1);
		ck_assert_uint_eq(take(8), 0);
		ck_assert_int_eq(give(4, 4), RANGE_OK);
		ck_assert_int_eq(give(0, 8), i ? RANGE_OK : RANGE_NOT_USED);
		/* Four units were free twice: more are counted than there are. */
		ck_assert_uint_eq(range->ops->nr_free(range), i ? NODE + 4 : NODE - 4);
		tear_down();
	}
}
END_TEST

/*
 *    node 0                    node 129
 *    mask ...11111111|         first 10000001, and its mask
 *         A is freed; the word behind the mask ends with a set bit: one unit
 *         more, 128, which is in no node
 */
START_TEST(as_posted_the_next_node_is_taken_for_more_of_the_mask)
{
	for (int i = 0; i < 2; i++) {
		char spec[64];
		struct msg msg;

		snprintf(spec, sizeof(spec), "%s:as-posted=%s",
			 _i ? "nta:version=posted" : "nta:version=seed",
			 i ? "on" : "off");
		set_up(spec, 1);
		ck_assert_int_eq(range_add_free(range, NODE + 1, NODE), 0);
		ck_assert_uint_eq(take(100), 0);
		ck_assert_uint_eq(take(28), 100);
		ck_assert_int_eq(give(100, 28), RANGE_OK);
		ck_assert_int_eq(range->ops->verify(range, &msg),
				 i ? -EUCLEAN : 0);
		tear_down();
	}
}
END_TEST

/* What is freed and taken at random leads lists into circles: verify ends, and tells. */
START_TEST(as_posted_a_list_without_an_end_is_told)
{
	bool told = false;
	struct rng rng;

	set_up("nta:version=posted:as-posted=on", 2);
	rng_seed(&rng, 1);
	for (int i = 0; i < 2000 && !told; i++) {
		unsigned long nr = 1 + rng_below(&rng, 8);
		struct msg msg;

		if (rng_below(&rng, 2))
			take(nr);
		else
			give(rng_below(&rng, 2 * NODE - nr), nr);
		told = range->ops->verify(range, &msg) == -EUCLEAN &&
		       strstr(msg.text, "more runs");
	}
	ck_assert(told);
	range_destroy(range);
	machine_destroy(machine);
	layout_free(&layout);
}
END_TEST

/* Both halves are out, then freed by another CPU; one half is asked for. */
START_TEST(as_posted_an_alloc_does_not_see_what_is_parked)
{
	static const char *const specs[] = {
		"nta:version=posted", "nta:version=posted:as-posted=on",
	};

	for (int i = 0; i < 2; i++) {
		set_up(specs[i], 1);
		ck_assert_uint_eq(take(64), 0);
		ck_assert_uint_eq(take(32), 64);
		ck_assert_uint_eq(take(32), 96);
		ck_assert_int_eq(range->ops->free_remote(range, 0, 64), RANGE_OK);
		ck_assert_int_eq(range->ops->free_remote(range, 96, 32), RANGE_OK);
		ck_assert_int_eq(range->ops->free_remote(range, 2 * NODE, 1),
				 RANGE_OUTSIDE);
		ck_assert_uint_eq(range->ops->nr_free(range), 0);
		expect_sound();
		/* All that its owner can do is to grow, though there is room. */
		ck_assert_uint_eq(take(64), i ? RANGE_NONE : 0);
		/* The owner's own free looks at what is parked, in both. */
		ck_assert_int_eq(give(64, 32), RANGE_OK);
		expect_sound();
		ck_assert_uint_eq(range->ops->nr_free(range), i ? NODE : NODE / 2);
		ck_assert_uint_ne(take(64), RANGE_NONE);
		expect_sound();
		tear_down();
	}
}
END_TEST

/* Room for a few nodes is left, then for none: what was begun is undone. */
START_TEST(without_memory_nothing_is_kept)
{
	uint64_t before[NR_META_COLUMNS], rest;
	void *hog;

	set_up(versions[_i], 1);
	rest = arena_limit(machine->arena) - arena_used(machine->arena) - 65536;
	hog = machine_alloc(machine, rest, META_structures);
	ck_assert_ptr_nonnull(hog);
	memcpy(before, machine->meta.now, sizeof(before));
	ck_assert_int_eq(range->ops->add(range, NODE, 2000 * NODE), -ENOMEM);
	ck_assert_mem_eq(machine->meta.now, before, sizeof(before));
	expect_sound();
	ck_assert_uint_eq(range->ops->nr_free(range), NODE);
	ck_assert_uint_eq(take(NODE), 0);
	machine_free(machine, hog, rest, META_structures);
	tear_down();
}
END_TEST

/* The root was inserted twice, and nothing below it: pages lead to their nodes. */
START_TEST(as_posted_no_tree_is_asked)
{
	for (int i = 0; i < 2; i++) {
		struct cost cost = { 0 };

		set_up(versions[i], 8);
		range->cost = &cost;
		for (int k = 0; k < 8; k++)
			ck_assert_uint_ne(take(NODE), RANGE_NONE);
		give(3 * NODE, NODE);
		ck_assert((cost.tree_levels > 0) == !i);
		range->cost = NULL;
		tear_down();
	}
}
END_TEST

/* Bytes as the posted code served them: units of a cache line, nodes of 32 KiB. */
static const struct bytes_plan as_posted_bytes = {
	"nta:version=posted:units=512", 64, 0, false, 8, false,
};

static struct allocator *buddy;
static struct bytes *bytes;

static void set_up_bytes(const struct bytes_plan *plan)
{
	ck_assert_int_eq(layout_flat(&layout, 4096, 1, NULL), 0);
	ck_assert_int_eq(machine_create(&machine, &layout, WINDOW_ARITH, NULL), 0);
	ck_assert_int_eq(allocator_create(&buddy, "linked:pcp=off", true, machine,
					  NULL), 0);
	for (unsigned long pfn = 0; pfn < 4096; pfn += 1UL << MAX_PAGE_ORDER)
		allocator_release(buddy, pfn, MAX_PAGE_ORDER);
	ck_assert_int_eq(range_bytes_create(&bytes, plan, buddy, NULL), 0);
}

static void tear_down_bytes(void)
{
	struct msg msg;

	if (bytes->ops->verify(bytes, &msg))
		ck_abort_msg("%s", msg.text);
	bytes->ops->destroy(bytes);
	ck_assert_uint_eq(buddy->stats.pages_allocated, 0);
	allocator_destroy(buddy);
	machine_destroy(machine);
	layout_free(&layout);
}

START_TEST(as_posted_growth_never_helps_a_long_request)
{
	const struct bytes_plan right = {
		"nta:version=posted:units=512", 64, 3, false, 0, false,
	};

	set_up_bytes(&as_posted_bytes);
	for (unsigned long i = 1; i <= 50; i++) {
		ck_assert(bytes_alloc(bytes, 5000) == ADDRESS_NONE);
		ck_assert_uint_eq(bytes->nr_pages, 8 * i);
	}
	ck_assert(bytes_alloc(bytes, 4000) != ADDRESS_NONE);
	ck_assert_uint_eq(bytes->nr_pages, 8 * 50);
	tear_down_bytes();

	set_up_bytes(&right);
	ck_assert(bytes_alloc(bytes, 5000) != ADDRESS_NONE);
	ck_assert_uint_eq(bytes->nr_pages, 8);
	tear_down_bytes();
}
END_TEST

/* A word and a mask of 64 bytes for a page of 4 KiB, where 8 pages should share them. */
START_TEST(as_posted_a_page_is_given_the_mask_of_eight)
{
	const struct bytes_plan shared = {
		"nta:version=posted:units=512", 64, 3, false, 0, false,
	};
	const struct bytes_plan *const plans[] = { &as_posted_bytes, &shared };

	for (int i = 0; i < 2; i++) {
		uint64_t before, nodes;

		set_up_bytes(plans[i]);
		ck_assert(bytes_alloc(bytes, 64) != ADDRESS_NONE);
		before = machine->meta.now[META_structures];
		while (bytes->nr_pages == 8)
			ck_assert(bytes_alloc(bytes, 4096) != ADDRESS_NONE);
		nodes = i ? 1 : 8;
		ck_assert_uint_eq(machine->meta.now[META_structures] - before,
				  nodes * (64 + sizeof(long)));
		tear_down_bytes();
	}
}
END_TEST

/* Blocks of four pages, freed as one page each. */
START_TEST(as_posted_the_tails_of_blocks_are_lost)
{
	for (int i = 0; i < 2; i++) {
		const struct bytes_plan plan = {
			"nta:version=posted:units=512", 32, 2, false, 0, i,
		};

		set_up_bytes(&plan);
		for (int k = 0; k < 10; k++)
			ck_assert(bytes_alloc(bytes, 16384) != ADDRESS_NONE);
		ck_assert_uint_eq(buddy->stats.pages_allocated, 40);
		bytes->ops->destroy(bytes);
		ck_assert_uint_eq(buddy->stats.pages_allocated, i ? 30 : 0);
		allocator_destroy(buddy);
		machine_destroy(machine);
		layout_free(&layout);
	}
}
END_TEST

START_TEST(trimming_gives_aligned_runs_and_the_rest_back)
{
	set_up("nta_trimmed", 1);
	ck_assert_uint_eq(take(3), 0);
	ck_assert_uint_eq(range_alloc(range, 8, 8, NULL), 8);
	expect_sound();
	ck_assert_uint_eq(range->ops->nr_free(range), NODE - 3 - 8);
	ck_assert_int_eq(give(8, 8), RANGE_OK);
	ck_assert_int_eq(give(0, 3), RANGE_OK);
	expect_sound();
	ck_assert_uint_eq(range_alloc(range, 64, 64, NULL), 0);
	ck_assert_uint_eq(machine->free_path_allocations, 0);
	tear_down();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("nta");
	TCase *t = tcase_create("nta");
	int n = (int)ARRAY_SIZE(versions);

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, the_smallest_class_that_is_long_enough_serves, 0, n);
	tcase_add_loop_test(t, runs_of_one_length_are_served_first_in_first_out, 0, n);
	tcase_add_loop_test(t, a_free_run_never_spans_two_nodes, 0, n);
	tcase_add_loop_test(t, a_unit_is_found_in_its_node_however_spans_lie, 0, n);
	tcase_add_loop_test(t, masks_and_lists_agree_after_every_operation, 0, n);
	tcase_add_test(t, entries_are_outside_as_described_and_inside_as_posted);
	tcase_add_test(t, entries_are_secured_for_the_runs_there_can_be_and_no_more);
	tcase_add_test(t, reserved_units_keep_runs_apart_and_have_their_entries);
	tcase_add_test(t, links_in_free_memory_cannot_be_in_high_memory);
	tcase_add_loop_test(t, what_is_free_already_is_not_freed_again, 0, n);
	tcase_add_test(t, as_posted_a_free_run_goes_on_over_memory_in_use);
	tcase_add_test(t, as_posted_a_free_looks_at_the_first_unit_only);
	tcase_add_loop_test(t, as_posted_the_next_node_is_taken_for_more_of_the_mask, 0, n);
	tcase_add_test(t, as_posted_a_list_without_an_end_is_told);
	tcase_add_test(t, as_posted_an_alloc_does_not_see_what_is_parked);
	tcase_add_loop_test(t, without_memory_nothing_is_kept, 0, n);
	tcase_add_test(t, as_posted_the_tails_of_blocks_are_lost);
	tcase_add_test(t, as_posted_no_tree_is_asked);
	tcase_add_test(t, as_posted_growth_never_helps_a_long_request);
	tcase_add_test(t, as_posted_a_page_is_given_the_mask_of_eight);
	tcase_add_test(t, trimming_gives_aligned_runs_and_the_rest_back);
	suite_add_tcase(s, t);
	return run_suite(s);
}
