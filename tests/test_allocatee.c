/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_allocatee.c - whose pages these are, and what their owner keeps
 */
#include <check.h>
#include <math.h>
#include <string.h>

#include "sim/demand.h"
#include "sim/metrics/census.h"
#include "sim/replay.h"
#include "sim/source/gfp.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

static struct allocatee_table table;
static struct msg msg;

static void setup(void)
{
	scratch_setup();
	ck_assert_int_eq(allocatee_table_load(&table, "today", &msg), 0);
}

static enum allocatee class_of(const char *gfp, unsigned int order,
			       unsigned int migratetype, const char *process)
{
	return allocatee_classify(&table, gfp_parse(gfp, strlen(gfp)), order,
				  migratetype, process);
}

/* Flags as Linux 6.18 printed them. */
static const struct {
	enum allocatee class;
	const char *gfp;
	unsigned int order, migratetype;
	const char *process;
} requests[] = {
	{ ALLOCATEE_anon, "GFP_HIGHUSER_MOVABLE|__GFP_ZERO|__GFP_COMP", 0, 1, "sh" },
	{ ALLOCATEE_anon, "GFP_HIGHUSER_MOVABLE|__GFP_COMP", 0, 1, "sh" },
	{ ALLOCATEE_anon, "GFP_TRANSHUGE|__GFP_NORETRY|__GFP_THISNODE", 9, 1, "redis" },
	{ ALLOCATEE_file, "GFP_HIGHUSER_MOVABLE|__GFP_WRITE|__GFP_COMP", 0, 1, "cp" },
	{ ALLOCATEE_file, "GFP_NOFS|__GFP_HIGHMEM|__GFP_MOVABLE|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP|__GFP_HARDWALL", 2, 1, "cat" },
	{ ALLOCATEE_file, "GFP_HIGHUSER_MOVABLE|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP", 4, 1, "cat" },
	{ ALLOCATEE_file, "GFP_NOFS|__GFP_MOVABLE|__GFP_NOFAIL|__GFP_COMP|__GFP_HARDWALL", 0, 1, "cat" },
	{ ALLOCATEE_pgtable, "GFP_KERNEL_ACCOUNT|__GFP_ZERO|__GFP_COMP", 0, 0, "sh" },
	{ ALLOCATEE_slab, "GFP_NOFS|__GFP_RECLAIMABLE|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP", 0, 2, "ls" },
	{ ALLOCATEE_slab, "GFP_KERNEL|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP", 0, 0, "ls" },
	{ ALLOCATEE_slab, "__GFP_IO|__GFP_FS|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP|__GFP_NOMEMALLOC", 3, 0, "ls" },
	{ ALLOCATEE_network, "GFP_NOWAIT|__GFP_IO|__GFP_FS|__GFP_NORETRY|__GFP_COMP", 3, 0, "redis" },
	{ ALLOCATEE_network, "GFP_ATOMIC", 0, 0, "ksoftirqd/1" },
	{ ALLOCATEE_bare, "GFP_ATOMIC", 0, 0, "sh" },
	{ ALLOCATEE_percpu, "GFP_KERNEL|__GFP_HIGHMEM", 0, 0, "sh" },
	{ ALLOCATEE_bare, "GFP_HIGHUSER|__GFP_ACCOUNT", 0, 0, "sh" },
	{ ALLOCATEE_bare, "GFP_KERNEL", 2, 0, "sh" },
};

START_TEST(flags_order_type_and_process_tell_the_class)
{
	ck_assert_str_eq(allocatee_names[class_of(requests[_i].gfp,
						  requests[_i].order,
						  requests[_i].migratetype,
						  requests[_i].process)],
			 allocatee_names[requests[_i].class]);
}
END_TEST

static const struct {
	uint64_t flags;			/* bits as kernel-page-flags.h numbers them */
	enum allocatee class;
} snapshots[] = {
	{ 0, ALLOCATEE_bare },
	{ 1ull << 5, ALLOCATEE_file },
	{ 1ull << 5 | 1ull << 12, ALLOCATEE_anon },
	{ 1ull << 7, ALLOCATEE_slab },
	{ 1ull << 7 | 1ull << 12, ALLOCATEE_slab },
	{ 1ull << 26, ALLOCATEE_pgtable },
	{ 1ull << 5 | 1ull << 16, ALLOCATEE_tail },
	{ 1ull << 32, ALLOCATEE_bare },
	{ 1ull << 32 | 1ull << 7, ALLOCATEE_bare },
};

START_TEST(a_snapshot_tells_what_a_page_was_for)
{
	ck_assert_int_eq(allocatee_of_kpageflags(snapshots[_i].flags),
			 snapshots[_i].class);
}
END_TEST

START_TEST(objects_are_paid_in_slab_pages_that_have_a_slab_of_their_own)
{
	ck_assert(fabs(allocatee_rounded(&table, ALLOCATEE_anon) - 81.569) < 1e-3);
	ck_assert_uint_eq(allocatee_per_slab(&table, ALLOCATEE_anon), 51);
	ck_assert_uint_eq(allocatee_bytes(&table, ALLOCATEE_anon, 0), 0);
	ck_assert_uint_eq(allocatee_bytes(&table, ALLOCATEE_anon, 1), 4160);
	ck_assert_uint_eq(allocatee_bytes(&table, ALLOCATEE_anon, 51), 4160);
	ck_assert_uint_eq(allocatee_bytes(&table, ALLOCATEE_anon, 52), 8320);
	ck_assert_uint_eq(allocatee_bytes(&table, ALLOCATEE_bare, 1000), 0);
}
END_TEST

START_TEST(a_file_changes_sizes_and_replaces_rules)
{
	const char *path = scratch_write_text("table",
		"# who pays here\n"
		"size anon 128\n"
		"\n"
		"rule slab MOVABLE,!ZERO 0-3 movable redis*\n");

	ck_assert_int_eq(allocatee_table_load(&table, path, &msg), 0);
	ck_assert_str_eq(table.name, "table");
	ck_assert_uint_eq(table.bytes[ALLOCATEE_anon], 128);
	ck_assert_uint_eq(table.bytes[ALLOCATEE_file], 80);
	ck_assert_uint_eq(table.nr_rules, 1);
	ck_assert_int_eq(class_of("GFP_HIGHUSER_MOVABLE", 3, 1, "redis-server"),
			 ALLOCATEE_slab);
	ck_assert_int_eq(class_of("GFP_HIGHUSER_MOVABLE", 4, 1, "redis-server"),
			 ALLOCATEE_bare);
	ck_assert_int_eq(class_of("GFP_HIGHUSER_MOVABLE|__GFP_ZERO", 0, 1, "redis"),
			 ALLOCATEE_bare);
	ck_assert_int_eq(class_of("GFP_HIGHUSER_MOVABLE", 0, 1, "sh"),
			 ALLOCATEE_bare);
}
END_TEST

static const struct {
	const char *text;
	const char *message;
} mistakes[] = {
	{ "size anon 128\nsize frob 3\n", "table:2: no class 'frob'" },
	{ "size anon lots\n", "table:1: no size 'lots'" },
	{ "size anon 5000\n", "table:1: no size '5000'" },
	{ "rule anon FROB - - -\n", "table:1: no gfp flag 'FROB'" },
	{ "rule anon - 3-1 - -\n", "table:1: no orders '3-1'" },
	{ "rule anon - - mobile -\n", "table:1: no migratetype 'mobile'" },
	{ "rule anon -\n", "table:1: no line of this table: 'rule'" },
	{ "frob\n", "table:1: no line of this table: 'frob'" },
};

START_TEST(a_wrong_line_is_named_with_what_was_expected)
{
	const char *path = scratch_write_text("table", mistakes[_i].text);

	ck_assert_int_lt(allocatee_table_load(&table, path, &msg), 0);
	ck_assert_msg(strstr(msg.text, mistakes[_i].message), "%s", msg.text);
	ck_assert_msg(strstr(msg.text, "expected"), "%s", msg.text);
}
END_TEST

START_TEST(a_table_that_is_not_there_lists_those_that_are)
{
	ck_assert_int_lt(allocatee_table_load(&table, "2031", &msg), 0);
	ck_assert_msg(strstr(msg.text, "today|2025|32bit"), "%s", msg.text);
}
END_TEST

START_TEST(every_built_in_table_loads)
{
	static const char *const names[] = { "today", "2025", "32bit" };

	ck_assert_int_eq(allocatee_table_load(&table, names[_i], &msg), 0);
	ck_assert_uint_gt(table.bytes[ALLOCATEE_anon], 0);
	ck_assert_uint_gt(table.nr_rules, 0);
	ck_assert_uint_eq(table.bytes[ALLOCATEE_bare], 0);
}
END_TEST

/*
 *   order 9: one folio, one 2 MiB unit     cut: two folios, no unit
 */
START_TEST(a_block_that_is_cut_has_two_owners_objects)
{
	struct census c;

	census_init(&c, &table);
	census_add(&c, ALLOCATEE_anon, 10);
	ck_assert_uint_eq(c.huge_units, 2);
	census_split(&c, ALLOCATEE_anon, 9);
	ck_assert_uint_eq(c.huge_units, 2);
	census_split(&c, ALLOCATEE_anon, 8);
	ck_assert_uint_eq(c.huge_units, 1);
	ck_assert_uint_eq(c.classes[ALLOCATEE_anon].blocks, 3);
	ck_assert_uint_eq(c.classes[ALLOCATEE_anon].pages, 1024);
	census_remove(&c, ALLOCATEE_anon, 8);
	census_remove(&c, ALLOCATEE_anon, 8);
	census_remove(&c, ALLOCATEE_anon, 9);
	ck_assert_uint_eq(c.bytes, 0);
	ck_assert_uint_eq(c.huge_units, 0);
	ck_assert_uint_eq(c.peak_bytes, 4160);
	ck_assert_uint_eq(c.peak_huge_units, 2);
}
END_TEST

/* 51 folios fill a slab page; the upper half of one of them needs another. */
START_TEST(the_object_of_a_cut_block_may_need_a_slab_page_more)
{
	struct census c;

	census_init(&c, &table);
	for (unsigned int i = 0; i < 51; i++)
		census_add(&c, ALLOCATEE_anon, 1);
	ck_assert_uint_eq(c.bytes, 4160);
	census_split(&c, ALLOCATEE_anon, 0);
	ck_assert_uint_eq(c.bytes, 2 * 4160);
	ck_assert_uint_eq(c.peak_bytes, 2 * 4160);
	ck_assert_uint_eq(c.classes[ALLOCATEE_anon].peak_blocks, 52);
	ck_assert_uint_eq(c.classes[ALLOCATEE_anon].peak_pages, 102);
}
END_TEST

START_TEST(peaks_are_kept_by_class_and_over_all)
{
	struct census c;

	census_init(&c, &table);
	for (unsigned int i = 0; i < 102; i++)
		census_add(&c, ALLOCATEE_file, 0);
	for (unsigned int i = 0; i < 102; i++)
		census_remove(&c, ALLOCATEE_file, 0);
	for (unsigned int i = 0; i < 10; i++)
		census_add(&c, ALLOCATEE_slab, 1);
	ck_assert_uint_eq(c.classes[ALLOCATEE_file].peak_blocks, 102);
	ck_assert_uint_eq(c.classes[ALLOCATEE_file].blocks, 0);
	ck_assert_uint_eq(c.classes[ALLOCATEE_file].peak_bytes, 2 * 4160);
	ck_assert_uint_eq(c.classes[ALLOCATEE_slab].peak_pages, 20);
	ck_assert_uint_eq(c.peak_bytes, 2 * 4160);
	ck_assert_uint_eq(c.bytes, 4160);
}
END_TEST

/*
 *   pfn    0          1024       1536       2048
 *          | file 4 M | anon,slab| anon 2 M |      in use before the recording
 */
START_TEST(huge_folios_of_the_start_count_by_their_size)
{
	enum { PAGES = 2048 };
	static uint8_t start[PAGES], classes[PAGES];
	uint64_t time_ns = 0;
	const struct bundle bundle = {
		.layout = { .nr_zones = 1, .zones = { { .spanned = PAGES } } },
		.start = start,
		.start_class = classes,
	};
	const struct demand nobody = { 0 };
	const struct sample_plan samples = { .times_ns = &time_ns, .nr = 1 };
	struct census_series series;

	memset(start, START_PINNED, sizeof(start));
	memset(classes, ALLOCATEE_tail, sizeof(classes));
	classes[0] = ALLOCATEE_file;
	classes[1024] = ALLOCATEE_anon;		/* of 256 pages: no unit */
	classes[1280] = ALLOCATEE_slab;
	classes[1536] = ALLOCATEE_anon;
	ck_assert_int_eq(census_take(&series, &nobody, &bundle, &table, &samples, NULL, 0), 0);
	ck_assert_uint_eq(series.end.classes[ALLOCATEE_file].pages, 1024);
	ck_assert_uint_eq(series.end.classes[ALLOCATEE_file].peak_pages, 1024);
	ck_assert_uint_eq(series.end.huge_units, 3);
	ck_assert_uint_eq(series.end.peak_huge_units, 3);
	census_series_free(&series);
}
END_TEST

/* A folio of two pages is cut, and both halves are its process's: 2 x 80 bytes. */
START_TEST(halves_are_at_most_as_much_as_both)
{
	struct demand_op ops[] = {
		{ .kind = DEMAND_ALLOC, .id = 0, .order = 1 },
		{ .kind = DEMAND_SPLIT, .id = 0, .upper = 1, .order = 0 },
		{ .kind = DEMAND_FREE, .id = 0, .order = 0 },
		{ .kind = DEMAND_FREE, .id = 1, .order = 0 },
	};
	const struct demand demand = {
		.ops = ops, .nr_ops = ARRAY_SIZE(ops), .nr_ids = 2,
	};
	struct event event = {
		.kind = EV_ALLOC, .order = 1, .migratetype = MIGRATE_MOVABLE,
		.gfp = GFP(MOVABLE) | GFP(HIGHMEM) | GFP(FS),
	};
	const struct bundle bundle = { .trace = { .events = &event, .nr_events = 1 } };
	uint64_t times_ns[] = { 0, 0 };
	const struct sample_plan samples = { .times_ns = times_ns, .nr = 2 };
	struct census_series series;

	ck_assert_int_eq(census_take(&series, &demand, &bundle, &table, &samples, NULL, 0), 0);
	ck_assert_uint_eq(series.end.classes[ALLOCATEE_anon].peak_blocks, 2);
	ck_assert_uint_eq(series.processes[0].peak_pages, 2);
	ck_assert_uint_eq(series.processes[0].peak_object_bytes, 160);
	ck_assert_uint_eq(series.processes[0].object_bytes, 0);
	census_series_free(&series);
}
END_TEST

/*
 * Three folios: of a, of b, and of a thread whose name is not known. What a asks for
 * in between gets nothing, so its parts and their frees are nobody's.
 *
 *    time      10 20     30 30 30 30     40     50 60 60
 *    sample  0        25             35     45            70
 */
START_TEST(a_census_counts_by_class_by_process_and_by_sample)
{
	struct demand_op ops[] = {
		{ .time_ns = 10, .kind = DEMAND_ALLOC, .id = 0, .order = 1, .event = 0 },
		{ .time_ns = 20, .kind = DEMAND_ALLOC, .id = 1, .order = 0, .event = 1 },
		{ .time_ns = 30, .kind = DEMAND_ALLOC, .id = 2, .order = 1, .event = 2 },
		{ .time_ns = 30, .kind = DEMAND_SPLIT, .id = 2, .upper = 3, .order = 0 },
		{ .time_ns = 30, .kind = DEMAND_FREE, .id = 2, .order = 0 },
		{ .time_ns = 30, .kind = DEMAND_FREE, .id = 3, .order = 0 },
		{ .time_ns = 40, .kind = DEMAND_ALLOC, .id = 4, .order = 9, .event = 3 },
		{ .time_ns = 50, .kind = DEMAND_FREE, .id = 0, .order = 1 },
		{ .time_ns = 60, .kind = DEMAND_FREE, .id = 1, .order = 0 },
		{ .time_ns = 60, .kind = DEMAND_FREE, .id = 4, .order = 9 },
	};
	const struct demand demand = {
		.ops = ops, .nr_ops = ARRAY_SIZE(ops), .nr_ids = 5,
	};
	static char nobody[] = "", a[] = "a", of_b[] = "b";
	char *comms[] = { nobody, a, of_b };
	struct event events[4];
	const struct bundle bundle = {
		.trace = {
			.events = events, .nr_events = ARRAY_SIZE(events),
			.comms = comms, .nr_comms = ARRAY_SIZE(comms),
		},
	};
	static const uint16_t who[] = { 1, 2, 1, 3 };
	uint64_t times_ns[] = { 0, 25, 35, 45, 70 };
	const struct sample_plan samples = { .times_ns = times_ns, .nr = 5 };
	const uint32_t failed[] = { 2 };
	const struct census_process *p;
	struct census_series series;

	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		events[i] = (struct event){
			.kind = EV_ALLOC, .migratetype = MIGRATE_MOVABLE, .comm = who[i],
			.gfp = GFP(MOVABLE) | GFP(HIGHMEM) | GFP(FS),
		};
	ck_assert_int_eq(census_take(&series, &demand, &bundle, &table, &samples,
				     failed, 1), 0);
	p = series.processes;
	ck_assert_uint_eq(series.nr_processes, 3);
	ck_assert_uint_eq(series.end.classes[ALLOCATEE_anon].allocs, 3);
	ck_assert_uint_eq(series.end.classes[ALLOCATEE_anon].start_blocks, 0);
	ck_assert_uint_eq(series.end.classes[ALLOCATEE_anon].peak_blocks, 3);
	ck_assert_uint_eq(series.end.classes[ALLOCATEE_anon].peak_pages, 2 + 1 + 512);
	ck_assert_uint_eq(p[0].allocs, 1);
	ck_assert_uint_eq(p[0].pages_allocated, 512);
	ck_assert_uint_eq(p[1].allocs, 1);
	ck_assert_uint_eq(p[1].pages_allocated, 2);
	ck_assert_uint_eq(p[1].peak_pages, 2);
	ck_assert_uint_eq(p[1].peak_object_bytes, 80);
	ck_assert_uint_eq(p[2].allocs, 1);
	ck_assert_uint_eq(p[2].pages_allocated, 1);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(p[i].pages + p[i].object_bytes, 0);
	ck_assert_uint_eq(series.nr, 5);
	for (size_t i = 0; i < 5; i++) {
		ck_assert_uint_eq(series.bytes[i], i == 0 || i == 4 ? 0 : 4160);
		ck_assert_uint_eq(series.huge_units[i], i == 3);
	}
	census_series_free(&series);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("allocatee");
	TCase *tc = tcase_create("allocatee");

	tcase_add_checked_fixture(tc, setup, scratch_teardown);
	tcase_add_loop_test(tc, flags_order_type_and_process_tell_the_class, 0,
			    (int)ARRAY_SIZE(requests));
	tcase_add_loop_test(tc, a_snapshot_tells_what_a_page_was_for, 0,
			    (int)ARRAY_SIZE(snapshots));
	tcase_add_test(tc, objects_are_paid_in_slab_pages_that_have_a_slab_of_their_own);
	tcase_add_test(tc, a_file_changes_sizes_and_replaces_rules);
	tcase_add_loop_test(tc, a_wrong_line_is_named_with_what_was_expected, 0,
			    (int)ARRAY_SIZE(mistakes));
	tcase_add_test(tc, a_table_that_is_not_there_lists_those_that_are);
	tcase_add_loop_test(tc, every_built_in_table_loads, 0, 3);
	tcase_add_test(tc, a_block_that_is_cut_has_two_owners_objects);
	tcase_add_test(tc, a_census_counts_by_class_by_process_and_by_sample);
	tcase_add_test(tc, halves_are_at_most_as_much_as_both);
	tcase_add_test(tc, huge_folios_of_the_start_count_by_their_size);
	tcase_add_test(tc, the_object_of_a_cut_block_may_need_a_slab_page_more);
	tcase_add_test(tc, peaks_are_kept_by_class_and_over_all);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
