/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_bench.c - the bench asks every allocator the same, and counts it
 *
 * No time is looked at: only what was asked, what failed, and what was mapped.
 */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "sim/bench/bench.h"
#include "sim/commands.h"

#define PAGES_64M 16384UL

static char linked[] = "linked", twoword[] = "twoword";
static char *specs[] = { linked, twoword };

static const struct {
	enum bench_pattern pattern;
	enum bench_lock lock;
	unsigned int threads;
	bool highmem;
	unsigned long least_ops;	/* over all repeats and phases */
} cases[] = {
	{ PATTERN_a1, BENCH_NO_LOCK, 1, false, 5 * 4000 },
	{ PATTERN_a1, BENCH_SPINLOCK, 2, false, 5 * 4000 },
	{ PATTERN_aB, BENCH_PERCPU, 1, true, 5 * 4000 },
	{ PATTERN_aW, BENCH_NO_LOCK, 1, true, 5 * 2 * (PAGES_64M / 10) },
	{ PATTERN_c, BENCH_NO_LOCK, 1, false, 5 * 4000 },
	{ PATTERN_b, BENCH_NO_LOCK, 1, true, 5 * 2 * PAGES_64M },
};

START_TEST(each_pattern_asks_all_allocators_the_same_and_none_fails)
{
	const struct bench_case c = {
		.pattern = cases[_i].pattern, .bytes = PAGES_64M << 12,
		.occupancy = 50, .threads = cases[_i].threads,
		.lock = cases[_i].lock, .highmem = cases[_i].highmem,
		.ops = 4000, .seed = 1,
	};
	struct bench_row rows[2];
	struct msg msg = { "" };
	uint64_t ops[2] = { 0, 0 };

	ck_assert_msg(!bench_run(&c, specs, 2, rows, &msg), "%s", msg.text);
	for (int i = 0; i < 2; i++) {
		for (unsigned int p = 0; p < rows[i].nr_phases; p++) {
			const struct bench_result *r = &rows[i].phases[p];

			ops[i] += r->ops;
			/* 64 MiB half full do not always hold an order 9. */
			if (c.pattern != PATTERN_c)
				ck_assert_uint_eq(r->failed, 0);
			ck_assert(r->median_ns > 0);
			ck_assert(r->share_2m >= 0 && r->share_2m <= 1);
			if (i == 0 || !c.highmem)
				ck_assert(r->kmap_per_op == 0);
		}
	}
	ck_assert_uint_ge(ops[0], cases[_i].least_ops);
	if (c.pattern != PATTERN_c)
		ck_assert_uint_eq(ops[0], ops[1]);
}
END_TEST

START_TEST(the_limit_and_the_stream_give_figures)
{
	struct bench_limit limit;
	struct bench_stream stream;
	struct msg msg;

	ck_assert(!bench_limit(&limit, 16, 1024, &msg));
	ck_assert(limit.overlapped_ns > 0);
	ck_assert_msg(!bench_stream(&stream, "tests/data/fork-sample", &msg),
		      "%s", msg.text);
	ck_assert_uint_gt(stream.lines, 0);
	ck_assert(stream.null_ops_per_s > 0);
}
END_TEST

static const struct {
	char option[16], value[16], says[32];
} wrong[] = {
	{ "--pattern", "a9", "unknown pattern 'a9'" },
	{ "--memory", "1M", "sizes from 64M to 1T" },
	{ "--occupancy", "100", "percents from 1 to 99" },
	{ "--lock", "mutex", "none, spin and percpu" },
	{ "--threads", "3", "1 and 2" },
	{ "--highmem", "above:1G", "none or all" },
};

START_TEST(what_cannot_be_benched_is_a_usage_error)
{
	char program[] = "pagetax", command[] = "bench", option[16], value[16];
	char *argv[] = { program, command, option, value, NULL };
	struct msg msg = { "" };

	memcpy(option, wrong[_i].option, sizeof(option));
	memcpy(value, wrong[_i].value, sizeof(value));
	ck_assert_int_eq(pagetax_run(4, argv, &msg), STATUS_USAGE);
	ck_assert_msg(strstr(msg.text, wrong[_i].says) != NULL, "%s", msg.text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bench");
	TCase *tc = tcase_create("bench");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, each_pattern_asks_all_allocators_the_same_and_none_fails,
			    0, (int)ARRAY_SIZE(cases));
	tcase_add_test(tc, the_limit_and_the_stream_give_figures);
	tcase_add_loop_test(tc, what_cannot_be_benched_is_a_usage_error, 0,
			    (int)ARRAY_SIZE(wrong));
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
