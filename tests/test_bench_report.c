/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_bench_report.c - what is told of a bench, from results made by hand
 *
 *               a1     b_alloc   b_free      ns per operation
 *    linked     40        20       8000
 *    twoword    30       250     160000
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "sim/bench/bench_report.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

#define GIB(n) (UINT64_C(n) << 30)

static struct bench_row a1[] = {
	{ .spec = "linked", .nr_phases = 1, .phases = {
		{ .name = "a1", .median_ns = 40, .spread = 0.126, .share_2m = 1,
		  .ops = 1000 },
	} },
	{ .spec = "twoword", .nr_phases = 1, .phases = {
		{ .name = "a1", .median_ns = 30, .spread = 1.5, .share_2m = 0.25,
		  .kmap_per_op = 0.25, .ops = 1001, .failed = 3 },
	} },
};

static struct bench_row b[] = {
	{ .spec = "linked", .nr_phases = 2, .phases = {
		{ .name = "b_alloc", .median_ns = 20 },
		{ .name = "b_free", .median_ns = 8000 },
	} },
	{ .spec = "twoword", .nr_phases = 2, .phases = {
		{ .name = "b_alloc", .median_ns = 250 },
		{ .name = "b_free", .median_ns = 160000 },
	} },
};

static struct bench_table table_of_two(void)
{
	return (struct bench_table){
		.c = { .bytes = GIB(4), .occupancy = 50, .threads = 1 },
		.rows = { [PATTERN_a1] = a1, [PATTERN_b] = b },
		.nr = 2,
	};
}

/* The lines that were printed, without the blanks at their ends. */
static const char *printed_table(const struct bench_table *table,
				 const struct bench_joined *joined)
{
	static char lines[4096];
	char *to = lines;

	scratch_stdout();
	bench_table_print(table, joined);
	for (const char *from = scratch_printed(); *from; from++) {
		while (*from == '\n' && to > lines && to[-1] == ' ')
			to--;
		*to++ = *from;
	}
	*to = '\0';
	return lines;
}

START_TEST(a_time_stands_beside_its_ratio_to_linked)
{
	const struct bench_joined joined = { .costs = NULL };
	const struct bench_table table = table_of_two();

	ck_assert_str_eq(printed_table(&table, &joined),
		"4.0 GiB, 50 % in use, 1 thread, no lock, all memory low\n"
		"ns per op (to linked)                a1        b_alloc         b_free\n"
		"linked                      40.0 (1.00)    20.0 (1.00)  8000.0 (1.00)\n"
		"twoword                     30.0 (0.75)   250.0 (12.5)  160000 (20.0)\n"
		"spread, kmap/op, 2 MiB               a1        b_alloc         b_free\n"
		"linked                     13% 0.00 100%    0% 0.00   0%    0% 0.00   0%\n"
		"twoword                   150% 0.25  25%    0% 0.00   0%    0% 0.00   0%\n"
		"\n");
}
END_TEST

/* Without linked there is nothing to be a ratio of. */
START_TEST(the_case_stands_above_its_table)
{
	const struct bench_joined joined = { .costs = NULL };
	struct bench_table table = {
		.c = { .bytes = GIB(1) / 4, .occupancy = 95, .threads = 2,
		       .lock = BENCH_SPINLOCK, .highmem = true },
		.rows = { [PATTERN_b] = &b[1] },
		.nr = 1,
	};

	ck_assert_str_eq(printed_table(&table, &joined),
		"256 MiB, 95 % in use, 2 threads, a lock around each call, all memory high\n"
		"ns per op (to linked)           b_alloc         b_free\n"
		"twoword                    250.0         160000\n"
		"spread, kmap/op, 2 MiB          b_alloc         b_free\n"
		"twoword                     0% 0.00   0%    0% 0.00   0%\n"
		"\n");
}
END_TEST

/* What the watched build counted, 10 operations with 25 lines, has a table of its own. */
START_TEST(what_was_counted_stands_below)
{
	const struct bench_joined joined = { .costs = NULL };
	json_t *results = json_array();
	struct bench_row counted = a1[0];
	const struct bench_table table = {
		.c = { .bytes = GIB(4), .occupancy = 50, .threads = 1 },
		.rows = { [PATTERN_a1] = &counted },
		.nr = 1,
	};
	const char *text;

	counted.phases[0].cost.nr_ops = 10;
	counted.phases[0].cost.of[COST_words_read] = 15;
	counted.phases[0].cost.of[COST_lines_touched] = 25;
	counted.phases[0].cost.of[COST_chunks_tried] = 123456;
	text = printed_table(&table, &joined);
	ck_assert_msg(strstr(text,
		"\na1\n"
		"metadata          words  words  lines  lines  lines   bits  bytes   list   tree locked     in chunks\n"
		"per operation      read  writ.   read  writ. either   read  moved entries  nodes  tries   vain  tried\n"
		"linked             1.50   0.00   0.00   0.00   2.50   0.00   0.00   0.00   0.00   0.00   0.00  12346\n"
		"This build counts: its times are no figures.\n"), "%s", text);
	ck_assert_int_eq(bench_table_record(results, &table, &joined), 0);
	ck_assert(json_number_at(json_array_get(results, 0), "lines_per_op", NULL) == 2.5);
	ck_assert(json_number_at(json_array_get(results, 0), "cost", "ops") == 10);
	ck_assert(json_number_at(json_array_get(results, 0), "cost", "words_read") == 1.5);
	json_decref(results);
}
END_TEST

#define COUNTED "{\"results\": [{\"pattern\": \"a1\", \"allocator\": \"twoword\"," \
	"\"memory\": \"4G\", \"occupancy\": 50, \"threads\": 1, \"lock\": \"none\"," \
	"\"highmem\": \"none\", \"cost\": {\"lines_touched\": 7.5}}]}"

/* Read from files as users name them. */
static void load(struct bench_joined *joined)
{
	struct msg msg = { "" };

	scratch_write_text("counted.json", COUNTED);
	scratch_write_text("instructions.tsv",
			   "allocator\tpattern\tper_op\nlinked\ta1\t156.25\n"
			   "twoword\tb_free\t300\ntwoword\ta1\t202\n");
	ck_assert_msg(!bench_joined_load(joined, scratch_path("counted.json"),
					 scratch_path("instructions.tsv"), &msg),
		      "%s", msg.text);
}

START_TEST(counts_of_other_runs_stand_in_the_row_of_their_allocator)
{
	const struct bench_table table = table_of_two();
	struct bench_joined joined;
	const char *text;

	load(&joined);
	text = printed_table(&table, &joined);
	ck_assert_msg(strstr(text,
		"lines and instr. per op              a1        b_alloc         b_free\n"
		"linked                        -   156.2      -       -      -       -\n"
		"twoword                     7.5   202.0      -       -      -   300.0\n"),
		"%s", text);
	bench_joined_free(&joined);
}
END_TEST

/* A run of another case is another's. */
static const struct {
	struct bench_case c;
	bool same;
} joins[] = {
	{ { .bytes = GIB(4), .occupancy = 50, .threads = 1 }, true },
	{ { .bytes = GIB(64), .occupancy = 50, .threads = 1 }, false },
	{ { .bytes = GIB(4) + (GIB(1) >> 1), .occupancy = 50, .threads = 1 }, false },
	{ { .bytes = GIB(4), .occupancy = 90, .threads = 1 }, false },
	{ { .bytes = GIB(4), .occupancy = 50, .threads = 2 }, false },
	{ { .bytes = GIB(4), .occupancy = 50, .threads = 1, .lock = BENCH_PERCPU }, false },
	{ { .bytes = GIB(4), .occupancy = 50, .threads = 1, .highmem = true }, false },
};

START_TEST(counts_of_other_runs_are_joined_by_case)
{
	struct bench_table table = table_of_two();
	struct bench_joined joined;
	json_t *results = json_array();

	table.c = joins[_i].c;
	load(&joined);
	ck_assert_int_eq(bench_table_record(results, &table, &joined), 0);
	ck_assert_uint_eq(json_array_size(results), 6);
	for (size_t i = 0; i < 6; i++) {
		const json_t *row = json_array_get(results, i);
		const bool counted = i == 1 && joins[_i].same;	/* twoword's a1 */

		ck_assert(json_real_value(json_object_get(row, "lines_per_op")) ==
			  (counted ? 7.5 : 0));
		ck_assert_int_eq(json_is_null(json_object_get(row, "lines_per_op")), !counted);
	}
	json_decref(results);
	bench_joined_free(&joined);
}
END_TEST

/* Twice the same figures: for programs, and for plots. */
START_TEST(a_result_holds_its_case_and_its_figures)
{
	const struct bench_table table = table_of_two();
	struct bench_joined joined;
	json_t *results = json_array(), *expected;
	FILE *out = fopen(scratch_path("bench.tsv"), "w");
	const char *text;

	load(&joined);
	ck_assert_int_eq(bench_table_record(results, &table, &joined), 0);
	expected = json_pack("{s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:i, s:i, s:f, s:f}",
			     "pattern", "a1", "allocator", "twoword", "memory", "4G",
			     "occupancy", 50, "threads", 1, "lock", "none",
			     "highmem", "none", "ns_per_op", 30., "spread", 1.5,
			     "ratio_to_linked", 0.75, "share_2m", 0.25,
			     "kmap_per_op", 0.25, "failed", 3, "ops", 1001,
			     "lines_per_op", 7.5, "instructions_per_op", 202.);
	ck_assert(json_equal(json_array_get(results, 1), expected));
	bench_write_tsv(out, results);
	ck_assert_int_eq(fclose(out), 0);
	text = scratch_text("bench.tsv");
	ck_assert_int_eq(strncmp(text, "# pagetax ", strlen("# pagetax ")), 0);
	text = strchr(text, ',');
	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text, ", bench\n"
		"allocator\tpattern\tmemory\toccupancy\tthreads\tlock\thighmem\tns_per_op\tspread\tratio_to_linked\tshare_2m\tkmap_per_op\tfailed\tlines_per_op\tinstructions_per_op\n"
		"linked\ta1\t4G\t50\t1\tnone\tnone\t40\t0.126\t1\t1\t0\t0\tnan\t156.2\n"
		"twoword\ta1\t4G\t50\t1\tnone\tnone\t30\t1.5\t0.75\t0.25\t0.25\t3\t7.5\t202\n"
		"linked\tb_alloc\t4G\t50\t1\tnone\tnone\t20\t0\t1\t0\t0\t0\tnan\tnan\n"
		"linked\tb_free\t4G\t50\t1\tnone\tnone\t8000\t0\t1\t0\t0\t0\tnan\tnan\n"
		"twoword\tb_alloc\t4G\t50\t1\tnone\tnone\t250\t0\t12.5\t0\t0\t0\tnan\tnan\n"
		"twoword\tb_free\t4G\t50\t1\tnone\tnone\t1.6e+05\t0\t20\t0\t0\t0\tnan\t300\n");
	json_decref(expected);
	json_decref(results);
	bench_joined_free(&joined);
}
END_TEST

static const struct {
	const char *costs, *instructions, *says;
} unreadable[] = {
	{ "{", "", "costs:1: " },
	{ "{}", "", "costs:1: no results" },
	{ COUNTED, "allocator\tpattern\nlinked\ta1\n", "columns allocator, pattern and per_op" },
	{ COUNTED, "pattern\tper_op\na1\t2\n", "columns allocator, pattern and per_op" },
	{ COUNTED, "allocator\tper_op\nlinked\t2\n", "columns allocator, pattern and per_op" },
};

START_TEST(what_no_run_wrote_is_refused)
{
	struct bench_joined joined;
	struct msg msg = { "" };

	scratch_write_text("costs", unreadable[_i].costs);
	scratch_write_text("instructions", unreadable[_i].instructions);
	ck_assert_int_eq(bench_joined_load(&joined, scratch_path("costs"),
					   scratch_path("instructions"), &msg), -EINVAL);
	ck_assert_msg(strstr(msg.text, unreadable[_i].says) != NULL, "%s", msg.text);
}
END_TEST

static const struct {
	double values[BENCH_REPEATS];
	unsigned int nr;
	double median, spread;
} medians[] = {
	{ { 7 }, 1, 7, 0 },
	{ { 20, 10 }, 2, 15, 10. / 15 },
	{ { 30, 10, 20 }, 3, 20, 1 },
	{ { 4, 1, 2, 8 }, 4, 3, 7. / 3 },
	{ { 5, 1, 4, 2, 3 }, 5, 3, 4. / 3 },
	{ { 0, 0, 0 }, 3, 0, 0 },
};

START_TEST(half_of_the_repeats_lie_on_either_side_of_the_median)
{
	double spread, median = median_and_spread(medians[_i].values, medians[_i].nr,
						  &spread);

	ck_assert(median == medians[_i].median);
	ck_assert(spread == medians[_i].spread);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bench report");
	TCase *tc = tcase_create("bench report");

	tcase_add_checked_fixture(tc, scratch_setup, scratch_teardown);
	tcase_add_test(tc, a_time_stands_beside_its_ratio_to_linked);
	tcase_add_test(tc, the_case_stands_above_its_table);
	tcase_add_test(tc, what_was_counted_stands_below);
	tcase_add_test(tc, counts_of_other_runs_stand_in_the_row_of_their_allocator);
	tcase_add_loop_test(tc, counts_of_other_runs_are_joined_by_case, 0,
			    (int)ARRAY_SIZE(joins));
	tcase_add_test(tc, a_result_holds_its_case_and_its_figures);
	tcase_add_loop_test(tc, what_no_run_wrote_is_refused, 0,
			    (int)ARRAY_SIZE(unreadable));
	tcase_add_loop_test(tc, half_of_the_repeats_lie_on_either_side_of_the_median,
			    0, (int)ARRAY_SIZE(medians));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
