/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_bench.c - the bench asks every allocator the same, and counts it
 *
 * No time is looked at: only what was asked, what failed, and what was mapped.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "sim/bench/bench.h"
#include "sim/commands.h"
#include "sim/host_memory.h"
#include "sim/report/result.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

#define PAGES_64M 16384UL

static char linked[] = "linked", twoword[] = "twoword";
static char *specs[] = { linked, twoword };

static const struct {
	enum bench_pattern pattern;
	enum bench_lock lock;
	unsigned int threads;
	bool highmem;
	unsigned long ops;		/* in all: bursts until a repeat has 4000; c: about */
} cases[] = {
	{ PATTERN_a1, BENCH_NO_LOCK, 1, false, 5 * 4000 },
	{ PATTERN_a1, BENCH_SPINLOCK, 2, false, 5 * 4000 },
	{ PATTERN_aB, BENCH_PERCPU, 1, true, 5 * 2 * 2 * 1024 },
	{ PATTERN_aW, BENCH_NO_LOCK, 1, true, 5 * 2 * 2 * (PAGES_64M / 10) },
	{ PATTERN_c, BENCH_NO_LOCK, 1, false, 5 * 4000 },
	{ PATTERN_aU, BENCH_NO_LOCK, 1, false, 5 * 2 * 2 * 1024 },
	{ PATTERN_b, BENCH_NO_LOCK, 1, true, 5 * 2 * PAGES_64M },
};

START_TEST(each_pattern_asks_all_allocators_the_same_and_none_fails)
{
	const struct bench_case c = {
		.pattern = cases[_i].pattern, .bytes = PAGES_64M << 12,
		.occupancy = 50, .threads = cases[_i].threads,
		.lock = cases[_i].lock, .highmem = cases[_i].highmem,
		.ops = 4000, .seed = 1, .repeats = BENCH_REPEATS,
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
			ck_assert_uint_le(r->failed, c.pattern == PATTERN_c ? r->ops / 20 : 0);
			ck_assert(r->median_ns > 0);
			ck_assert(r->share_2m >= 0 && r->share_2m <= 1);
			/* Of pages given out in order the few lists have no leaves. */
			if (c.pattern != PATTERN_b || p == 1)
				ck_assert_int_eq(r->kmap_per_op > 0, i == 1 && c.highmem);
		}
		/* Nothing is left in use then. */
		if (c.pattern == PATTERN_b)
			ck_assert(rows[i].phases[1].share_2m == 1);
	}
	if (c.pattern == PATTERN_c) {
		ck_assert_uint_ge(ops[0], cases[_i].ops);
		ck_assert_uint_le(ops[0], 2 * cases[_i].ops);
		return;
	}
	ck_assert_uint_eq(ops[0], cases[_i].ops);
	ck_assert_uint_eq(ops[1], cases[_i].ops);
}
END_TEST

/*
 * The zone's lock, as the bench takes it: these stand in for the C library's.
 * The allocator itself has no locked operation.
 */
static uint64_t nr_locked, nr_unlocked;

int pthread_spin_init(pthread_spinlock_t *lock, int shared)
{
	(void)shared;
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
	return 0;
}

int pthread_spin_lock(pthread_spinlock_t *lock)
{
	while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE))
		;
	nr_locked++;			/* the lock's holder alone does */
	return 0;
}

int pthread_spin_unlock(pthread_spinlock_t *lock)
{
	nr_unlocked++;
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
	return 0;
}

static char spare[] = "twoword:placement=spare";
static char linked_spare[] = "linked:placement=spare";
static char *locked_specs[] = { linked, twoword, linked_spare, spare };

/* What a rule has to put right, it puts right within the call. */
START_TEST(with_a_lock_a_zone_each_call_takes_it_once)
{
	const unsigned long held = PAGES_64M / 100 * 50;
	const struct bench_case c = {
		.pattern = PATTERN_aB, .bytes = PAGES_64M << 12, .occupancy = 50,
		.threads = 1, .lock = BENCH_SPINLOCK, .ops = 100000, .seed = 1,
		.repeats = 1,
	};
	struct bench_row row;
	struct msg msg = { "" };

	nr_locked = nr_unlocked = 0;
	ck_assert_msg(!bench_run(&c, &locked_specs[_i], 1, &row, &msg), "%s", msg.text);
	/* All of memory was allocated first, and freed down to the occupancy. */
	ck_assert_uint_eq(nr_locked, PAGES_64M + (PAGES_64M - held) + row.phases[0].ops);
	ck_assert_uint_eq(nr_unlocked, nr_locked);
}
END_TEST

START_TEST(the_limit_and_the_stream_give_figures)
{
	struct bench_limit limit;
	char *const two[] = { "null", "linked" };
	struct bench_stream stream;
	struct msg msg;

	ck_assert(!bench_limit(&limit, 16, 1024, 10000, &msg));
	ck_assert(limit.overlapped_ns > 0);
	ck_assert(limit.coin_ns > 0);
	ck_assert(limit.free_ns > 0);
	ck_assert_msg(!bench_stream(&stream, "tests/data/fork-sample", two,
				    ARRAY_SIZE(two), &msg),
		      "%s", msg.text);
	ck_assert_uint_gt(stream.lines, 0);
	ck_assert(stream.null_ops_per_s > 0);
	ck_assert(stream.read.by_cpu > 0);
	ck_assert(stream.file_to_null.by_cpu > 0);
	ck_assert(stream.file_to_null.by_cpu < stream.read.by_cpu);
	ck_assert(stream.file_to_null.by_clock < stream.resolve.by_clock);
	ck_assert(stream.jobs == 1 || stream.side_by_side > 0);
	ck_assert(stream.jobs == 1 || stream.side_by_side_same > 0);
	ck_assert(stream.twoword_events_per_s > 0);
}
END_TEST

START_TEST(parts_of_the_policy_are_timed_where_there_is_a_policy)
{
	struct bench_policy rows[NR_BENCH_POLICIES];
	struct msg msg = { "" };

	ck_assert_int_eq(bench_policy(rows, "hybrid", "tests/data/ten", &msg),
			 -ENOTSUP);
	ck_assert_int_eq(bench_policy(rows, "linked", "tests/data/none", &msg),
			 -ENOENT);
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
	{ "--repeats", "6", "--repeats takes 1 to 5" },
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

/*
 * 128 machines of 1 TiB, of 68 bytes a page each (36 where words have 32 bits):
 * 2.1 TiB of this host's memory. A host that has as much would run them, and is not
 * asked.
 */
START_TEST(machines_that_the_host_has_no_memory_for_are_refused)
{
	static char program[] = "pagetax", command[] = "bench", pattern[] = "--pattern=a1",
		memory[] = "--memory=64M,1T", option[] = "-a", list[8192];
	char *argv[] = { program, command, pattern, memory, option, list, NULL };
	size_t len = (size_t)snprintf(list, sizeof(list), "linked");
	struct msg msg = { "" };

	if (host_memory_available() > UINT64_C(128) * 68 << 28)
		return;
	for (unsigned int i = 1; i < 128; i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len,
					",linked:lookahead=%u:pcp=%s:mobility=%s:tail_rule=%s",
					i % 16, i & 16 ? "on" : "off",
					i & 32 ? "on" : "off", i & 64 ? "on" : "off");
	ck_assert_int_eq(pagetax_run(6, argv, &msg), STATUS_FAILED);
	ck_assert_msg(strstr(msg.text, "--memory: a machine of 1.0 TiB needs at least ") &&
		      strstr(msg.text, sizeof(long) == 8 ? "least 2.1 TiB" : "least 1.1 TiB") &&
		      strstr(msg.text, "choose a smaller --memory, or fewer allocators"),
		      "%s", msg.text);
}
END_TEST

/* Both kinds of memory, as neither was asked for; each figure of each. */
START_TEST(the_command_tells_what_was_measured)
{
	static const unsigned int sizes[] = { 64, 16, 8 };
	static char program[] = "pagetax", command[] = "bench", pattern[] = "--pattern=a1,b",
		memory[] = "--memory=64M", ops[] = "--ops=2000", repeats[] = "--repeats=1",
		no_plots[] = "--no-plots", option[] = "-a", list[] = "twoword,linked";
	char json[700], output[700];
	char *argv[] = { program, command, pattern, memory, ops, repeats, no_plots,
			 json, output, option, list, NULL };
	unsigned int nr_of[2] = { 0, 0 };
	struct msg msg = { "" };
	const char *text;
	json_t *root, *summary;

	snprintf(json, sizeof(json), "--json=%s", scratch_path("bench.json"));
	snprintf(output, sizeof(output), "--output=%s", scratch_path("result"));
	scratch_stdout();
	ck_assert_msg(pagetax_run(ARRAY_SIZE(argv) - 1, argv, &msg) == STATUS_DONE,
		      "%s", msg.text);
	text = scratch_printed();
	ck_assert_ptr_nonnull(strstr(text, "the memory itself: 16384 words of 64 bytes:"));
	ck_assert_ptr_nonnull(strstr(text, "\n64.0 MiB, 50 % in use, 1 thread, no lock, all memory low\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n64.0 MiB, 50 % in use, 1 thread, no lock, all memory high\n"));

	root = json_load_file(scratch_path("bench.json"), 0, NULL);
	summary = json_load_file(scratch_path("result/summary.json"), 0, NULL);
	ck_assert(root && json_equal(root, summary));
	ck_assert_uint_eq(json_array_size(json_object_get(root, "limits")), ARRAY_SIZE(sizes));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		const json_t *limit = json_array_get(json_object_get(root, "limits"), i);

		ck_assert(json_number_at(limit, "entry_bytes", NULL) == sizes[i]);
		ck_assert(json_number_at(limit, "entries", NULL) == PAGES_64M);
	}
	for (size_t i = 0; i < json_array_size(json_object_get(root, "results")); i++) {
		const json_t *row = json_array_get(json_object_get(root, "results"), i);

		nr_of[!strcmp(json_text_at(row, "highmem"), "all")]++;
		ck_assert(json_number_at(row, "ns_per_op", NULL) > 0);
		ck_assert(json_number_at(row, "spread", NULL) == 0);	/* of one repeat */
		ck_assert_int_eq(json_number_at(row, "ratio_to_linked", NULL) == 1,
				 !strcmp(json_text_at(row, "allocator"), "linked"));
		ck_assert(json_number_at(row, "ops", NULL) >= 2000);
	}
	ck_assert_uint_eq(nr_of[0], 6);
	ck_assert_uint_eq(nr_of[1], 6);
	json_decref(summary);
	json_decref(root);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bench");
	TCase *tc = tcase_create("bench"), *files = tcase_create("files");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, with_a_lock_a_zone_each_call_takes_it_once, 0,
			    (int)ARRAY_SIZE(locked_specs));
	tcase_add_loop_test(tc, each_pattern_asks_all_allocators_the_same_and_none_fails,
			    0, (int)ARRAY_SIZE(cases));
	tcase_add_test(tc, the_limit_and_the_stream_give_figures);
	tcase_add_test(tc, parts_of_the_policy_are_timed_where_there_is_a_policy);
	tcase_add_loop_test(tc, what_cannot_be_benched_is_a_usage_error, 0,
			    (int)ARRAY_SIZE(wrong));
	tcase_add_test(tc, machines_that_the_host_has_no_memory_for_are_refused);
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(files, scratch_setup, scratch_teardown);
	tcase_set_timeout(files, 120);
	tcase_add_test(files, the_command_tells_what_was_measured);
	suite_add_tcase(suite, files);
	return run_suite(suite);
}
