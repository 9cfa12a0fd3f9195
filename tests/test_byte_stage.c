/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_byte_stage.c - tests sim/bench/byte_stage.c: the load, and what it is said to take */
#include <errno.h>
#include <string.h>

#include <check.h>

#include "sim/bench/byte_stage.h"
#include "tests/suite.h"

#define MIB (UINT64_C(1) << 20)

static struct byte_standing out[NR_BYTE_MOMENTS];

static void run_load(const char *spec, unsigned int least, unsigned int most,
		     bool turn_over, uint64_t seed)
{
	const struct distribution sizes = {
		.kind = DISTRIBUTION_UNIFORM, .a = least, .b = most,
	};
	const struct byte_load load = {
		.memory_bytes = 16 * MIB, .fill_bytes = 4 * MIB,
		.max_objects = 100000, .sizes = &sizes, .turn_over = turn_over,
		.seed = seed,
	};
	struct byte_kind kind = byte_kinds[0];
	struct msg msg = { "" };

	if (spec)
		ck_assert_msg(!byte_kind_of(&kind, spec, &msg), "%s", msg.text);
	ck_assert_msg(!byte_stage_run(&load, &kind, "twoword", out, &msg), "%s",
		      msg.text);
}

START_TEST(pages_of_one_object_each_are_wholly_used)
{
	run_load(NULL, PAGE_SIZE, PAGE_SIZE, true, 1);
	for (enum byte_moment m = 0; m < NR_BYTE_MOMENTS; m++) {
		size_t nr = m == HALF_FREED ? 512 : 1024;

		ck_assert_uint_eq(out[m].nr_objects, nr);
		ck_assert_double_eq(out[m].held, (double)(nr * PAGE_SIZE));
		ck_assert_double_eq(out[m].used, 100);
		ck_assert_uint_eq(out[m].nr_failed, 0);
	}
	/* Two words a page. */
	ck_assert_double_eq(out[FILLED].descriptors,
			    100.0 * 2 * sizeof(void *) / PAGE_SIZE);
}
END_TEST

/* 15 objects of 2056 bytes share a block of 8 pages; slabs round up to 4 KiB. */
START_TEST(a_range_keeps_the_pages_of_what_is_freed)
{
	run_load("genalloc", 2056, 2056, false, 1);
	ck_assert_double_ge(out[FILLED].used, 93);
	ck_assert_double_eq(out[HALF_FREED].held, out[FILLED].held);
	ck_assert_double_le(out[HALF_FREED].used, out[FILLED].used / 2 + 0.1);
	run_load(NULL, 2056, 2056, false, 1);
	ck_assert_double_le(out[FILLED].used, 51);
}
END_TEST

START_TEST(an_object_beyond_a_design_is_counted_and_forgotten)
{
	run_load("nta", PAGE_SIZE + 1, PAGE_SIZE + 1, true, 1);
	ck_assert_uint_eq(out[FILLED].nr_objects, 0);
	ck_assert_uint_eq(out[HALF_FREED].nr_failed, 4 * MIB / PAGE_SIZE);
	ck_assert_double_eq(out[FILLED].held, 0);
}
END_TEST

START_TEST(the_same_seed_makes_the_same_load)
{
	struct byte_standing first[NR_BYTE_MOMENTS];

	run_load("percpu_bitmap:depopulate=on", 1, 2000, true, 7);
	memcpy(first, out, sizeof(out));
	run_load("percpu_bitmap:depopulate=on", 1, 2000, true, 7);
	ck_assert_int_eq(memcmp(first, out, sizeof(out)), 0);
	run_load("percpu_bitmap:depopulate=on", 1, 2000, true, 8);
	ck_assert_int_ne(memcmp(first, out, sizeof(out)), 0);
}
END_TEST

START_TEST(a_kind_draws_its_pages_as_its_backend_does)
{
	struct byte_kind kind;
	struct msg msg = { "" };

	ck_assert(!byte_kind_of(&kind, "nta:units=512", &msg));
	ck_assert_uint_eq(kind.plan.order, 2);
	ck_assert(!byte_kind_of(&kind, "nta:as-posted=on", &msg));
	ck_assert_uint_eq(kind.plan.order, 0);
	ck_assert(!byte_kind_of(&kind, "percpu_bitmap", &msg));
	ck_assert(kind.plan.mapped);
	ck_assert_uint_eq(kind.plan.unit_bytes, 4);
	ck_assert_int_eq(byte_kind_of(&kind, "llfree", &msg), -EINVAL);
	ck_assert_msg(strstr(msg.text, "genalloc, genalloc_twobit"), "%s", msg.text);
}
END_TEST

/* Links inside free memory take none of their own; borrowed words are somebody's. */
START_TEST(the_total_leaves_out_what_others_hold)
{
	const struct byte_standing st = {
		.descriptors = 1,
		.meta = { [META_structures] = 2, [META_nodes] = 4, [META_caller] = 8,
			  [META_borrowed] = 16, [META_inband] = 32, [META_parked] = 64 },
	};

	ck_assert(byte_total_percent(&st, true) == 1 + 2 + 4 + 8);
	ck_assert(byte_total_percent(&st, false) == 1 + 2 + 4 + 8 + 16);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("byte_stage");
	TCase *tc = tcase_create("byte_stage");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, pages_of_one_object_each_are_wholly_used);
	tcase_add_test(tc, a_range_keeps_the_pages_of_what_is_freed);
	tcase_add_test(tc, an_object_beyond_a_design_is_counted_and_forgotten);
	tcase_add_test(tc, the_same_seed_makes_the_same_load);
	tcase_add_test(tc, a_kind_draws_its_pages_as_its_backend_does);
	tcase_add_test(tc, the_total_leaves_out_what_others_hold);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
