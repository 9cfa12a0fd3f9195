/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_summary.c - what was counted is what the files and the table say
 *
 * One run of `linked`, and one of `twoword` without owners, as no allocator ever
 * left them: every count is another number, and each has to come out where it
 * belongs. The machine has 64 MiB:
 *
 *    zone      pages      free at the end
 *    DMA        4096      480 of order 0
 *    Normal    12288       32 of order 0, 1 of order 9, 3 of order 10
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "alloc/registry.h"
#include "sim/report/result.h"
#include "sim/report/summary.h"
#include "sim/report/table.h"
#include "sim/report/tsv.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

static struct layout layout;
static struct demand demand;
static struct initial_state start;
static struct options options;
static struct allocatee_table table;
static struct sample samples[2];
static struct census_process processes[3];
static struct class_result classes[2];
static struct picture_run stretches[1];
static struct replay_run runs[2];
static struct experiment e;
static char *names[] = { NULL, (char []){ "cc1\tx" }, (char []){ "idle" } };

static void fill_run(struct replay_run *run, const char *spec)
{
	uint64_t n = 100;

	*run = (struct replay_run){
		.spec = (char *)(uintptr_t)spec, .ops = registry_find(spec),
		.series = { .samples = samples, .nr = 2 },
		.kmap = { .calls = 375, .max_depth = 9 },
		.tax = {
			.static_bytes = 1 << 20, .dynamic_peak_bytes = 65536,
			.dynamic_end_bytes = 7, .allocatee_peak_bytes = 131072,
			.caller_peak_bytes = 4096, .borrowed_bytes = 8192,
			.inband_peak_bytes = 12288, .parked_peak_bytes = 8,
			.lowmem_peak_bytes = (16 << 20) + 1,
		},
		.free_path_allocations = 10, .events = 3000, .ops_done = 3000,
		.frees_dropped = 11, .splits_refused = 12, .verified = true,
		.teardown = true, .wall_s = 2, .cpu_s = 0.00006,
	};
#define FILL_STAT(name, what) run->stats.name = n++;
	ALLOC_STATS(FILL_STAT)
#undef FILL_STAT
	for (unsigned int c = 0; c < NR_META_COLUMNS; c++)
		run->meta_end.peak[c] = n++;
	run->census.end.huge_units = 2;
	run->census.end.peak_huge_units = 3;
	run->census.end.classes[ALLOCATEE_anon] = (struct census_class){
		.allocs = 20, .start_blocks = 21, .blocks = 22, .peak_blocks = 23,
		.pages = 24, .peak_pages = 25, .bytes = 26, .peak_bytes = 27,
	};
	run->census.processes = processes;
	run->census.nr_processes = 3;
	run->picture.row_pages = 256;
	run->picture.given[5] = 250;
	run->picture.runs = stretches;
	run->picture.nr_runs = 1;
}

static void write_all(void);

static void setup(void)
{
	scratch_setup();
	layout = (struct layout){
		.nr_cpus = 3, .nr_zones = 2, .highmem_pfn = 4096,
		.zones = {
			{ .name = "DMA", .start_pfn = 0, .spanned = 4200,
			  .present = 4096, .managed = 4000 },
			{ .name = "Normal", .start_pfn = 4200, .spanned = 12300,
			  .present = 12288, .managed = 12000 },
		},
	};
	demand = (struct demand){ .nr_events = 3001, .end_ns = 3002, .peak_live_pages = 3003,
				  .dirty = { .free_unknown = 13 } };
	start = (struct initial_state){ .resident_pages = 3004, .free_pages = 3005 };
	options = (struct options){ .seed = 6, .scale = 1 };
	table = (struct allocatee_table){ .name = "ours", .bytes = { [ALLOCATEE_anon] = 80,
								     [ALLOCATEE_slab] = 64 } };
	samples[0] = (struct sample){ .time_ns = 1 };
	samples[1] = (struct sample){
		.time_ns = 50, .ops = 51, .kmap_calls = 52, .failed_allocs = 53,
		.allocated_pages = 54, .nodes = 55, .allocatee_bytes = 56,
		.meta_bytes = { 60, 61, 62, 63, 64, 65, 66 },
		.nr_free = { { [0] = 480 }, { [0] = 32, [9] = 1, [10] = 3 } },
	};
	processes[0] = (struct census_process){ 70, 71, 72, 73, 74, 75 };
	processes[1] = (struct census_process){ 80, 81, 82, 83, 84, 85 };
	classes[0] = (struct class_result){ .name = "files" };
	classes[1] = (struct class_result){ "huge", 91, 92, 93, 94, 95, 96, 97 };
	stretches[0] = (struct picture_run){
		.from_ns = 30, .to_ns = 31, .row = 5, .look = PICTURE_movable2,
		.movable = 32, .unmovable = 33, .metadata_pages = 34,
	};
	fill_run(&runs[0], "linked");
	fill_run(&runs[1], "twoword");
	runs[0].restored = true;
	runs[1].tax.lowmem_peak_bytes--;
	runs[1].verified = false;
	runs[1].classes = classes;
	runs[1].nr_classes = 2;
	runs[1].compaction = true;
	runs[1].compact = (struct compact_result){ .asked = 98, .pages_moved = 99 };
	e = (struct experiment){
		.command = "replay", .input_name = "made\nup", .input_sha256 = "abc",
		.options = &options, .layout = &layout, .demand = &demand,
		.allocatees = &table, .process_names = names, .start = &start,
		.runs = runs, .nr_runs = 2, .wall_s = 4,
	};
	write_all();
}

static void write_one(const char *name, int (*write)(FILE *, const struct experiment *))
{
	FILE *out = fopen(scratch_path(name), "w");

	ck_assert_int_eq(write(out, &e), 0);
	ck_assert_int_eq(fclose(out), 0);
}

static void write_all(void)
{
	write_one("summary.json", summary_write);
	write_one("timing.json", timing_write);
	write_one("samples.tsv", tsv_write_samples);
	write_one("buddyinfo.tsv", tsv_write_buddyinfo);
	write_one("tax.tsv", tsv_write_tax);
	write_one("classes.tsv", tsv_write_classes);
	write_one("processes.tsv", tsv_write_processes);
	write_one("memory.tsv", tsv_write_memory);
}

/* Counts of a run are numbered from 100 in the order of ALLOC_STATS. */
static const struct {
	const char *path, *value;
} summary[] = {
	{ "command", "replay" }, { "seed", "6" }, { "interrupted", "nothing" },
	{ "input/name", "made\nup" }, { "input/sha256", "abc" }, { "input/events", "3001" },
	{ "input/duration_ns", "3002" }, { "input/peak_live_pages", "3003" },
	{ "input/resident_pages", "3004" }, { "input/free_pages", "3005" },
	{ "machine/memory_bytes", "67108864" }, { "machine/page_bytes", "4096" },
	{ "machine/cpus", "3" }, { "machine/highmem_pfn", "4096" },
	{ "machine/window", "arith" }, { "machine/zones/0/name", "DMA" },
	{ "machine/zones/1/name", "Normal" }, { "machine/zones/1/start_pfn", "4200" },
	{ "machine/zones/1/spanned", "12300" }, { "machine/zones/1/present", "12288" },
	{ "machine/zones/1/managed", "12000" }, { "machine/zones/2", "nothing" },
	{ "allocatee/table", "ours" }, { "allocatee/bytes/anon", "80" },
	{ "allocatee/bytes/file", "0" },
	{ "runs/0/allocator", "linked" }, { "runs/1/allocator", "twoword" },
	{ "runs/2", "nothing" },
	{ "runs/0/options/pcp", "on" },
	{ "runs/0/events", "3000" }, { "runs/0/ops", "3000" },
	{ "runs/0/allocs", "100" }, { "runs/0/frees", "101" },
	{ "runs/0/failed_allocs", "102" }, { "runs/0/refused", "103" },
	{ "runs/0/dirty/free_unknown", "13" }, { "runs/0/dirty/lost_events", "0" },
	{ "runs/0/dirty/frees_dropped", "11" }, { "runs/0/dirty/splits_refused", "12" },
	{ "runs/0/metadata/static_bytes", "1048576" },
	{ "runs/0/metadata/dynamic_peak_bytes", "65536" },
	{ "runs/0/metadata/dynamic_end_bytes", "7" },
	{ "runs/0/metadata/allocatee_peak_bytes", "131072" },
	{ "runs/0/metadata/caller_peak_bytes", "4096" },
	{ "runs/0/metadata/borrowed_bytes", "8192" },
	{ "runs/0/metadata/inband_peak_bytes", "12288" },
	{ "runs/0/metadata/parked_peak_bytes", "8" },
	/* 1 MiB and 64 KiB; with 128 KiB, 24 KiB, and none that is parked */
	{ "runs/0/metadata/own_peak_bytes", "1114112" },
	{ "runs/0/metadata/total_peak_bytes", "1269760" },
	{ "runs/0/metadata/total_percent", "1.89209" },
	{ "runs/0/metadata/total_bytes_per_page", "77.5" },
	/* 16 MiB lie below highmem: one byte too much, and just enough */
	{ "runs/0/metadata/fits_lowmem", "false" }, { "runs/1/metadata/fits_lowmem", "true" },
	{ "runs/0/metadata/holds_allocatee", "true" },
	{ "runs/1/metadata/holds_allocatee", "false" },
	/* seven of eight pages of each 2 MiB; of 64-byte descriptors only */
#if UINTPTR_MAX > UINT32_MAX
	{ "runs/0/hvo_what_if/saved_peak_bytes", "86016" },
	{ "runs/0/hvo_what_if/saved_end_bytes", "57344" },
#endif
	{ "runs/1/hvo_what_if", "nothing" },
	{ "runs/0/nodes/peak", "115" }, { "runs/0/nodes/end", "114" },
	{ "runs/0/nodes/absorbed", "116" }, { "runs/0/nodes/taken", "117" },
	{ "runs/0/nodes/peeled", "118" }, { "runs/0/nodes/relocated", "120" },
	{ "runs/0/nodes/released", "121" }, { "runs/0/nodes/max_consumed", "122" },
	{ "runs/0/nodes/max_consumed_any", "123" }, { "runs/0/nodes/max_drain_steps", "124" },
	{ "runs/0/kmap/calls", "375" }, { "runs/0/kmap/per_op", "0.125" },
	{ "runs/0/kmap/max_depth", "9" }, { "runs/0/cost", "nothing" },
	{ "runs/0/free_path_allocations", "10" },
	{ "runs/0/contiguity/free_pages", "4096" }, { "runs/0/contiguity/share_2m", "0.875" },
	{ "runs/0/contiguity/unusable_order9", "0.125" },
	{ "runs/0/contiguity/max_order_blocks", "3" },
	{ "runs/0/buddyinfo/DMA/0", "480" }, { "runs/0/buddyinfo/Normal/0", "32" },
	{ "runs/0/buddyinfo/Normal/9", "1" }, { "runs/0/buddyinfo/Normal/10", "3" },
	{ "runs/0/buddyinfo/Normal/11", "nothing" },
	{ "runs/0/classes", "nothing" }, { "runs/1/classes/0/name", "files" },
	{ "runs/1/classes/1/name", "huge" }, { "runs/1/classes/1/allocs", "91" },
	{ "runs/1/classes/1/frees", "92" }, { "runs/1/classes/1/failed_allocs", "93" },
	{ "runs/1/classes/1/pages_end", "97" }, { "runs/0/compaction", "nothing" },
	{ "runs/1/compaction/asked", "98" }, { "runs/1/compaction/pages_moved", "99" },
	{ "runs/0/verified", "true" }, { "runs/1/verified", "false" },
	{ "runs/0/restored", "true" }, { "runs/1/restored", "false" },
};

START_TEST(each_count_stands_in_its_place)
{
	const char *is = scratch_figure("summary.json", summary[_i].path);

	ck_assert_msg(!strcmp(is, summary[_i].value), "%s is %s", summary[_i].path, is);
}
END_TEST

START_TEST(times_are_told_apart_from_figures)
{
	ck_assert_str_eq(scratch_figure("timing.json", "wall_s"), "4");
	ck_assert_str_eq(scratch_figure("timing.json", "runs/1/allocator"), "twoword");
	ck_assert_str_eq(scratch_figure("timing.json", "runs/1/wall_s"), "2");
	ck_assert_str_eq(scratch_figure("timing.json", "runs/1/cpu_s"), "6e-05");
	ck_assert_str_eq(scratch_figure("timing.json", "runs/1/ns_per_op"), "20");
	runs[1].ops_done = 0;
	write_all();
	ck_assert_str_eq(scratch_figure("timing.json", "runs/1/ns_per_op"), "0");
	ck_assert_str_eq(scratch_figure("summary.json", "runs/1/kmap/per_op"), "0");
}
END_TEST

/* What was asked for, as words of the command line. */
static const struct {
	struct options options;
	const char *name, *value;
} arguments[] = {
	{ { .scale = 1 }, "highmem", "nothing" },
	{ { .scale = 1, .highmem = HIGHMEM_NONE }, "highmem", "none" },
	{ { .scale = 1, .highmem = HIGHMEM_ALL }, "highmem", "all" },
	{ { .scale = 1, .highmem = HIGHMEM_ABOVE, .highmem_bytes = 4096 }, "highmem", "above:4096" },
	{ { .scale = 1 }, "machine", "nothing" },
	{ { .scale = 1, .machine_bytes = 7 }, "machine", "7" },
	{ { .scale = 1, .machine_bytes = 7, .machine_flat = true }, "machine", "flat:7" },
	{ { .scale = 1, .machine_scenario = "pae-4g" }, "machine", "pae-4g" },
	{ { .scale = 1 }, "zones", "nothing" },
	{ { .scale = 1, .merge_zones = true }, "zones", "merged" },
	{ { .scale = 1 }, "sample", "nothing" },
	{ { .scale = 1, .sample_events = 8 }, "sample", "8" },
	{ { .scale = 1, .sample_ns = 9 }, "sample", "9ns" },
	{ { .scale = 1 }, "limit", "nothing" },
	{ { .scale = 1, .limit = 10 }, "limit", "10" },
	{ { .scale = 1 }, "list-order", "nothing" },
	{ { .scale = 1, .address_order = true }, "list-order", "address" },
	{ { .scale = 1 }, "window", "nothing" },
	{ { .scale = 1, .window = WINDOW_GUARD }, "window", "guard" },
	{ { .scale = 1 }, "scale", "nothing" },
	{ { .scale = 0.25 }, "scale", "0.25" },
	{ { .scale = 1 }, "compaction", "nothing" },
	{ { .scale = 1, .compaction = true }, "compaction", "true" },
	{ { .scale = 1 }, "teardown", "nothing" },
	{ { .scale = 1, .teardown = true }, "teardown", "true" },
	{ { .scale = 1 }, "allocatee", "nothing" },
	{ { .scale = 1, .allocatees = { .name = "2025" } }, "allocatee", "2025" },
};

START_TEST(what_was_asked_for_can_be_asked_for_again)
{
	char path[32];

	snprintf(path, sizeof(path), "arguments/%s", arguments[_i].name);
	options = arguments[_i].options;
	write_all();
	ck_assert_str_eq(scratch_figure("summary.json", path), arguments[_i].value);
	ck_assert_str_eq(scratch_figure("summary.json", "machine/window"),
			 options.window == WINDOW_GUARD ? "guard" : "arith");
}
END_TEST

/* x(table, row, column, what stands there) */
static const struct {
	const char *file;
	unsigned int row;
	const char *column, *cell;
} cells[] = {
	{ "samples.tsv", 0, "time_ns", "1" }, { "samples.tsv", 1, "allocator", "linked" },
	{ "samples.tsv", 3, "allocator", "twoword" }, { "samples.tsv", 1, "time_ns", "50" },
	{ "samples.tsv", 1, "ops", "51" }, { "samples.tsv", 1, "allocated_pages", "54" },
	{ "samples.tsv", 1, "free_pages", "4096" }, { "samples.tsv", 1, "failed_allocs", "53" },
	{ "samples.tsv", 1, "share_2m", "0.875000" }, { "samples.tsv", 1, "largest_order", "10" },
	{ "samples.tsv", 0, "largest_order", "-1" },
	{ "samples.tsv", 1, "nodes", "55" }, { "samples.tsv", 1, "kmap_calls", "52" },
	{ "samples.tsv", 1, "meta_descriptors_bytes", "60" },
	{ "samples.tsv", 1, "meta_parked_bytes", "66" }, { "samples.tsv", 1, "allocatee_bytes", "56" },
	{ "samples.tsv", 1, "free_order0_blocks", "512" },
	{ "samples.tsv", 1, "free_order9_blocks", "1" }, { "samples.tsv", 1, "free_order10_blocks", "3" },
	{ "samples.tsv", 1, "unusable_order0_permille", "0" },
	{ "samples.tsv", 1, "unusable_order9_permille", "125" },
	{ "samples.tsv", 1, "unusable_order10_permille", "250" },
	{ "samples.tsv", 1, "extfrag_order10_permille", "-1000" },
	/* a sample has a row for each zone */
	{ "buddyinfo.tsv", 2, "zone", "DMA" }, { "buddyinfo.tsv", 2, "free_order0_blocks", "480" },
	{ "buddyinfo.tsv", 2, "unusable_order1_permille", "1000" },
	{ "buddyinfo.tsv", 3, "zone", "Normal" }, { "buddyinfo.tsv", 3, "free_order0_blocks", "32" },
	{ "buddyinfo.tsv", 3, "time_ns", "50" }, { "buddyinfo.tsv", 7, "allocator", "twoword" },
	{ "tax.tsv", 1, "allocator", "twoword" }, { "tax.tsv", 1, "memory_bytes", "67108864" },
	{ "tax.tsv", 1, "descriptors_peak_bytes", "125" }, { "tax.tsv", 1, "parked_peak_bytes", "131" },
	{ "tax.tsv", 1, "allocatee_peak_bytes", "131072" },
	{ "tax.tsv", 0, "lowmem_peak_bytes", "16777217" },
	{ "classes.tsv", 1, "class", "anon" }, { "classes.tsv", 1, "object_bytes", "80" },
	/* 51 objects in a page that takes 64 bytes itself */
	{ "classes.tsv", 1, "rounded_bytes", "81.569" }, { "classes.tsv", 0, "rounded_bytes", "0.000" },
	{ "classes.tsv", 1, "start_blocks", "21" }, { "classes.tsv", 1, "allocs", "20" },
	{ "classes.tsv", 1, "peak_blocks", "23" }, { "classes.tsv", 1, "end_blocks", "22" },
	{ "classes.tsv", 1, "peak_pages", "25" }, { "classes.tsv", 1, "end_pages", "24" },
	{ "classes.tsv", 1, "peak_bytes", "27" }, { "classes.tsv", 1, "end_bytes", "26" },
	{ "classes.tsv", NR_ALLOCATEES, "allocator", "twoword" },
	/* the third did nothing */
	{ "processes.tsv", 0, "process", "(unknown)" }, { "processes.tsv", 1, "process", "cc1?x" },
	{ "processes.tsv", 1, "allocs", "80" }, { "processes.tsv", 1, "pages_allocated", "81" },
	{ "processes.tsv", 1, "pages", "82" }, { "processes.tsv", 1, "peak_pages", "83" },
	{ "processes.tsv", 1, "peak_object_bytes", "85" }, { "processes.tsv", 2, "allocator", "twoword" },
	{ "memory.tsv", 1, "allocator", "twoword" }, { "memory.tsv", 0, "from_ns", "30" },
	{ "memory.tsv", 0, "to_ns", "31" }, { "memory.tsv", 0, "first_pfn", "1280" },
	{ "memory.tsv", 0, "span_pages", "256" }, { "memory.tsv", 0, "given_pages", "250" },
	{ "memory.tsv", 0, "movable_pages", "32" }, { "memory.tsv", 0, "unmovable_pages", "33" },
	{ "memory.tsv", 0, "metadata_pages", "34" }, { "memory.tsv", 0, "look", "movable2" },
};

START_TEST(each_cell_stands_in_its_column)
{
	struct tsv_table t;
	int column;

	ck_assert_int_eq(tsv_read(&t, scratch_path(cells[_i].file)), 0);
	column = tsv_column(&t, cells[_i].column);
	ck_assert_int_ge(column, 0);
	ck_assert_uint_lt(cells[_i].row, t.nr_rows);
	ck_assert_str_eq(tsv_cell(&t, cells[_i].row, column), cells[_i].cell);
	tsv_table_free(&t);
}
END_TEST

START_TEST(a_table_says_where_it_comes_from)
{
	const char *text = scratch_text("tax.tsv");

	ck_assert_ptr_nonnull(strstr(text, ": the memory tax, one row for each allocator\n"
				     "# command replay, input made?up, sha256 abc, seed 6\n"
				     "# allocators linked twoword\nallocator\tmemory_bytes\t"));
}
END_TEST

START_TEST(the_terminal_shows_a_row_for_each_run)
{
	struct table_row rows[2];

	for (unsigned int i = 0; i < 2; i++)
		table_row_of_run(&rows[i], &runs[i], &layout);
	scratch_stdout();
	table_print(stdout, rows, 2);
	ck_assert_str_eq(scratch_printed(),
		"            whole  static   dynamic   2 MiB unusable  failed  kmaps     ns veri-\n"
		"allocator   tax %   tax %      peak share %  order 9  allocs per op per op  fied\n"
		"linked     1.8921  1.5625  64.0 KiB   87.50    0.125     102  0.125   20.0   yes\n"
		"twoword    1.8921  1.5625  64.0 KiB   87.50    0.125     102  0.125   20.0    NO\n"
		"Refused, as beyond the design: linked 103, twoword 103\n");
}
END_TEST

/* A long name has a line of its own; what is not known is a dash. */
START_TEST(a_row_of_little_keeps_its_columns)
{
	const struct table_row rows[] = {
		{ .allocator = "linked", .total_percent = NAN, .ns_per_op = -1, .refused = 0 },
		{ .allocator = "twoword:placement=spare", .total_percent = 0, .verified = true },
		{ .allocator = "hybrid:emulate=singles", .refused = 5 },
	};

	scratch_stdout();
	table_print(stdout, rows, 3);
	ck_assert_ptr_nonnull(strstr(scratch_printed(),
		"\nlinked                       -  0.0000       0 B    0.00    0.000       0  0.000      -    NO\n"
		"twoword:placement=spare\n"
		"                        0.0000  0.0000       0 B    0.00    0.000       0  0.000    0.0   yes\n"
		"hybrid:emulate=singles  0.0000  0.0000       0 B    0.00    0.000       0  0.000    0.0    NO\n"
		"Refused, as beyond the design: hybrid:emulate=singles 5\n"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("summary");
	TCase *tc = tcase_create("summary");

	tcase_add_checked_fixture(tc, setup, scratch_teardown);
	tcase_add_loop_test(tc, each_count_stands_in_its_place, 0, (int)ARRAY_SIZE(summary));
	tcase_add_test(tc, times_are_told_apart_from_figures);
	tcase_add_loop_test(tc, what_was_asked_for_can_be_asked_for_again, 0,
			    (int)ARRAY_SIZE(arguments));
	tcase_add_loop_test(tc, each_cell_stands_in_its_column, 0, (int)ARRAY_SIZE(cells));
	tcase_add_test(tc, a_table_says_where_it_comes_from);
	tcase_add_test(tc, the_terminal_shows_a_row_for_each_run);
	tcase_add_test(tc, a_row_of_little_keeps_its_columns);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
