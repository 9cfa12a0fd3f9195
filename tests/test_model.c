/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_model.c - the oracle finds every planted flaw, and no other */

#include <check.h>

#include "base/rng.h"
#include "tests/flawed.h"
#include "tests/model.h"
#include "tests/suite.h"

static const struct layout two_zones = {
	.nr_cpus = 2,
	.nr_zones = 2,
	.zones = {
		{ .name = "low", .start_pfn = 0, .spanned = 64, .present = 64,
		  .managed = 64 },
		{ .name = "high", .start_pfn = 64, .spanned = 63, .present = 63,
		  .managed = 59 },
	},
	.highmem_pfn = PFN_NONE,
};
static struct layout layout;
static struct machine *machine;
static struct allocator *a;
static struct model model;

static void set_up(void)
{
	struct msg msg = { "" };

	layout = two_zones;
	ck_assert_int_eq(layout_add_hole(&layout, 100, 104, &msg), 0);
	ck_assert_msg(machine_create(&machine, &layout, WINDOW_ARITH, &msg) == 0,
		      "%s", msg.text);
	a = flawed_create(machine);
	model_create(&model, &layout);
	for (unsigned long pfn = 0; pfn < model.end_pfn; pfn++) {
		if (layout_page_exists(&layout, pfn)) {
			allocator_release(a, pfn, 0);
			model_release(&model, pfn, 0);
		}
	}
}

static void tear_down(void)
{
	model_destroy(&model);
	allocator_destroy(a);
	machine_destroy(machine);
	layout_free(&layout);
}

/* Allocate on both sides; 0, or what the model says of it. */
static int take(unsigned int order, unsigned int zone_limit, unsigned long *pfn,
		struct msg *msg)
{
	struct alloc_req req = {
		.order = order,
		.migratetype = MIGRATE_MOVABLE,
		.zone_limit = zone_limit,
	};

	*pfn = alloc_pages(a, &req);
	return model_alloc(&model, a, &req, *pfn, msg);
}

START_TEST(every_flaw_is_seen_and_honesty_is_not)
{
	struct msg msg = { "" };
	unsigned long held, small, pfn;
	int err;

	set_up();
	ck_assert_int_eq(take(2, 0, &held, &msg), 0);
	ck_assert_int_eq(take(1, 0, &small, &msg), 0);
	ck_assert_msg(model_check(&model, a, &msg) == 0, "%s", msg.text);

	flawed_plant(a, (enum flaw)_i);
	err = take(1, 0, &pfn, &msg);
	if (!err) {
		free_pages(a, held, 2, 0);
		model_free(&model, held, 2);
		err = model_check(&model, a, &msg);
	}
	ck_assert_msg((err != 0) == (_i != FLAW_NONE), "%s: %s",
		      flaw_facts[_i].what, err ? msg.text : "not seen");
	if (_i == FLAW_NONE)
		tear_down();
}
END_TEST

START_TEST(honest_first_fit_agrees_for_long)
{
	struct msg msg = { "" };
	struct rng rng;

	set_up();
	rng_seed(&rng, 1);
	for (int i = 0; i < 20000; i++) {
		unsigned long pfn = (unsigned long)rng_below(&rng, model.end_pfn);
		unsigned int order;

		if (model_block_at(&model, pfn, &order)) {
			unsigned int part = (unsigned int)rng_below(&rng, order + 1);

			ck_assert(allocator_split(a, pfn, order, part));
			model_split(&model, pfn, order, part);
			free_pages(a, pfn, part, 0);
			model_free(&model, pfn, part);
		} else {
			int err = take((unsigned int)rng_below(&rng, 4),
				       (unsigned int)rng_below(&rng, 2), &pfn, &msg);

			ck_assert_msg(err == 0, "%s", msg.text);
		}
		ck_assert_msg(model_check(&model, a, &msg) == 0, "%s", msg.text);
	}
	tear_down();
}
END_TEST

/* The last page of a zone that ends at an odd pfn, and one beside a hole. */
START_TEST(blocks_end_with_their_zone_and_begin_after_a_hole)
{
	static const struct { unsigned long pfn; unsigned int order; bool whole; }
	table[] = {
		{ 126, 0, true }, { 126, 1, false }, { 104, 3, true },
		{ 96, 2, true }, { 96, 3, false },
	};
	struct msg msg = { "" };

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct alloc_req req = { .order = table[i].order, .zone_limit = 1 };

		set_up();
		ck_assert_int_eq(model_alloc(&model, a, &req, table[i].pfn, &msg) == 0,
				 table[i].whole);
		tear_down();
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("model");
	TCase *tc = tcase_create("judgement");

	tcase_add_loop_test(tc, every_flaw_is_seen_and_honesty_is_not, 0, NR_FLAWS);
	tcase_add_test(tc, honest_first_fit_agrees_for_long);
	tcase_add_test(tc, blocks_end_with_their_zone_and_begin_after_a_hole);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
