/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_convert.c - another format, the same demand */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/commands.h"
#include "sim/convert.h"
#include "sim/demand.h"
#include "tests/sim_bundle.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

#define SAMPLE "tests/data/fork-sample"
#define SHAPES "tests/data/perf-shapes.txt"

static struct msg msg;
static struct convert_done done;

static void convert_ok(const char *in, const char *out)
{
	int err = convert(in, out, CONVERT_BY_NAME, 0, &done, &msg);

	ck_assert_msg(err == 0, "%s", msg.text);
}

static void assert_same_events(const char *path_a, const char *path_b)
{
	struct trace a, b;

	ck_assert_int_eq(trace_read(&a, path_a, 0, &msg), 0);
	ck_assert_int_eq(trace_read(&b, path_b, 0, &msg), 0);
	ck_assert_uint_eq(a.nr_events, b.nr_events);
	for (size_t i = 0; i < a.nr_events; i++) {
		struct event x = a.events[i], y = b.events[i];

		if (strcmp(a.comms[x.comm], b.comms[y.comm]))
			ck_abort_msg("event %zu: another process", i);
		x.comm = y.comm = 0;
		if (memcmp(&x, &y, sizeof(x)))
			ck_abort_msg("event %zu is another one", i);
	}
	ck_assert_uint_eq(a.lost, b.lost);
	ck_assert_uint_eq(a.max_pfn, b.max_pfn);
	ck_assert_uint_eq(a.nr_cpus, b.nr_cpus);
	trace_free(&a);
	trace_free(&b);
}

static void assert_same_bytes(const char *path_a, const char *path_b)
{
	size_t a_len, b_len;
	char *a = scratch_slurp(path_a, &a_len);
	char *b = scratch_slurp(path_b, &b_len);

	ck_assert_uint_eq(a_len, b_len);
	ck_assert(!memcmp(a, b, a_len));
	free(a);
	free(b);
}

/* ---- there and back ---- */

static const char *const inputs[] = { SHAPES, SAMPLE "/events.txt.zst" };
static const char *const ways[][3] = {
	{ "a.ptr", "b.txt", "c.ptr" },
	{ "a.txt", "b.ptr", "c.txt" },
	{ "a.txt.zst", "b.txt", "c.ptr" },
};

START_TEST(events_are_the_same_after_any_way)
{
	const char *from = inputs[_i % 2];

	for (size_t i = 0; i < 3; i++) {
		const char *to = scratch_path(ways[_i / 2][i]);

		convert_ok(from, to);
		assert_same_events(inputs[_i % 2], to);
		from = to;
	}
	ck_assert(done.bytes > 0 && done.nr_events > 0);
}
END_TEST

START_TEST(text_of_a_ptr_is_the_text_of_its_source)
{
	convert_ok(SHAPES, scratch_path("a.ptr"));
	convert_ok(scratch_path("a.ptr"), scratch_path("b.txt"));
	convert_ok(SHAPES, scratch_path("c.txt"));
	assert_same_bytes(scratch_path("b.txt"), scratch_path("c.txt"));
}
END_TEST

/* Two short blocks; a long trace packs better, to 3.4 bytes and less. */
START_TEST(the_sample_takes_few_bytes_an_event)
{
	convert_ok(SAMPLE, scratch_path("a.ptr"));
	ck_assert_uint_eq(done.nr_files, 7);
	ck_assert_double_le((double)(done.bytes - done.file_bytes) /
			    (double)done.nr_events, 4.0);
}
END_TEST

/* ---- a whole bundle in one file ---- */

static void assert_same_bundle(const struct bundle *a, const struct bundle *b)
{
	size_t pages = layout_end_pfn(&a->layout);

	ck_assert_uint_eq(a->layout.nr_zones, b->layout.nr_zones);
	ck_assert_uint_eq(a->layout.nr_holes, b->layout.nr_holes);
	ck_assert_uint_eq(pages, layout_end_pfn(&b->layout));
	ck_assert_uint_eq(a->has_snapshot, b->has_snapshot);
	ck_assert(!memcmp(a->start, b->start, pages));
	ck_assert(!memcmp(a->start_class, b->start_class, pages));
	ck_assert_uint_eq(a->nr_free_blocks, b->nr_free_blocks);
	ck_assert_uint_eq(a->nr_resident_blocks, b->nr_resident_blocks);
	ck_assert_uint_eq(a->nr_buddyinfo, b->nr_buddyinfo);
	ck_assert_uint_eq(a->nr_counters, b->nr_counters);
	ck_assert_uint_eq(a->workload_start_ns, b->workload_start_ns);
	ck_assert_str_eq(a->kernel, b->kernel);
}

static void assert_same_demand(struct bundle *a, struct bundle *b)
{
	struct demand x, y;

	ck_assert_int_eq(demand_resolve(&x, a, &a->layout, &msg), 0);
	ck_assert_int_eq(demand_resolve(&y, b, &b->layout, &msg), 0);
	ck_assert_uint_eq(x.nr_ops, y.nr_ops);
	ck_assert(!memcmp(x.ops, y.ops, x.nr_ops * sizeof(*x.ops)));
	ck_assert(!memcmp(&x.dirty, &y.dirty, sizeof(x.dirty)));
	demand_free(&x);
	demand_free(&y);
}

START_TEST(a_bundle_in_a_ptr_is_the_same_bundle)
{
	struct bundle folder, packed;

	convert_ok(SAMPLE "/", scratch_path("a.ptr"));
	ck_assert_int_eq(bundle_read(&folder, SAMPLE, 0, &msg), 0);
	ck_assert_int_eq(bundle_read(&packed, scratch_path("a.ptr"), 0, &msg), 0);
	assert_same_bundle(&folder, &packed);
	assert_same_demand(&folder, &packed);
	ck_assert_str_eq(packed.trace.source.name, "fork-sample");
	ck_assert_str_eq(packed.trace.source.sha256, folder.trace.sha256);
	bundle_free(&folder);
	bundle_free(&packed);
}
END_TEST

/* The file of the small bundle, packed and with the ending that says so. */
static void pack_file(const char *name, const char *ending,
		      const char *(*write)(const char *name, const void *bytes, size_t len))
{
	char packed[64];
	size_t len;
	char *plain = scratch_slurp(scratch_path(name), &len);

	snprintf(packed, sizeof(packed), "%s%s", name, ending);
	write(packed, plain, len);
	ck_assert_int_eq(unlink(scratch_path(name)), 0);
	free(plain);
}

static const struct {
	const char *ending;
	const char *(*write)(const char *name, const void *bytes, size_t len);
} packers[] = {
	{ ".zst", scratch_write_zstd }, { ".gz", scratch_write_gzip },
};

START_TEST(files_of_a_bundle_may_be_packed_there_and_inside)
{
	static const char *const files[] = {
		"events.txt", "machine.txt", "kpageflags.start", "kpageflags.start.times",
	};
	struct bundle plain, packed, inside;

	small_flags_reset();
	small_flags_buddy(1024, 1032);
	small_bundle_write(ALLOC("1", "0x400", "3") FREE("3", "0x500", "0"));
	ck_assert_int_eq(bundle_read(&plain, scratch_folder(), 0, &msg), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		pack_file(files[i], packers[_i].ending, packers[_i].write);
	ck_assert_int_eq(bundle_read(&packed, scratch_folder(), 0, &msg), 0);
	convert_ok(scratch_folder(), scratch_path("a.ptr"));
	ck_assert_int_eq(bundle_read(&inside, scratch_path("a.ptr"), 0, &msg), 0);
	ck_assert(plain.has_snapshot);
	ck_assert_uint_eq(plain.nr_resident_blocks, 1);
	assert_same_bundle(&plain, &packed);
	assert_same_bundle(&plain, &inside);
	assert_same_demand(&plain, &packed);
	assert_same_demand(&plain, &inside);
	bundle_free(&plain);
	bundle_free(&packed);
	bundle_free(&inside);
}
END_TEST

START_TEST(a_bad_file_inside_is_named_with_what_holds_it)
{
	struct bundle b;

	small_flags_reset();
	small_bundle_write(FREE("1", "0x1", "0"));
	scratch_write_text("machine.txt", "cpus\tmany\n");
	convert_ok(scratch_folder(), scratch_path("a.ptr"));
	ck_assert_int_lt(bundle_read(&b, scratch_path("a.ptr"), 0, &msg), 0);
	ck_assert_msg(strstr(msg.text, "a.ptr(machine.txt):1: "), "%s", msg.text);
}
END_TEST

START_TEST(events_outside_the_zones_inside_are_refused)
{
	struct bundle b;

	small_flags_reset();
	small_bundle_write(FREE("1", "0x1", "0") FREE("2", "0xfff", "0"));
	convert_ok(scratch_folder(), scratch_path("a.ptr"));
	ck_assert_int_lt(bundle_read(&b, scratch_path("a.ptr"), 0, &msg), 0);
	ck_assert_msg(strstr(msg.text, "a.ptr: event 1: pfn 0xfff is in no zone"), "%s",
		      msg.text);
}
END_TEST

/* ---- what goes wrong leaves nothing ---- */

static unsigned int nr_entries(void)
{
	DIR *dir = opendir(scratch_folder());
	unsigned int nr = 0;

	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr - 2;			/* . and .. */
}

START_TEST(a_failed_conversion_leaves_the_old_file)
{
	size_t len;
	char *old;

	scratch_write_text("out.ptr", "old");
	scratch_write_text("in", "no trace\n");
	ck_assert_int_lt(convert(scratch_path("in"), scratch_path("out.ptr"),
				 CONVERT_BY_NAME, 0, &done, &msg), 0);
	old = scratch_slurp(scratch_path("out.ptr"), &len);
	ck_assert_uint_eq(len, 3);
	free(old);
	ck_assert_uint_eq(nr_entries(), 2);
}
END_TEST

START_TEST(a_place_that_cannot_be_written_is_named)
{
	mkdir(scratch_path("folder"), 0777);
	ck_assert_int_eq(convert(SHAPES, scratch_path("folder"), CONVERT_PTR, 0, &done,
				 &msg), -EISDIR);
	ck_assert_int_eq(convert(SHAPES, scratch_path("none/out.ptr"), CONVERT_PTR, 0,
				 &done, &msg), -ENOENT);
	ck_assert_ptr_nonnull(strstr(msg.text, "none/out.ptr: cannot write"));
	ck_assert_uint_eq(nr_entries(), 1);
}
END_TEST

START_TEST(a_full_disk_is_told)
{
	if (access("/dev/full", W_OK))
		return;
	ck_assert_int_eq(convert(SHAPES, "/dev/full", CONVERT_PTR, 0, &done, &msg),
			 -ENOSPC);
	ck_assert_int_eq(access("/dev/full", W_OK), 0);	/* written, not replaced */
}
END_TEST

START_TEST(the_command_takes_two_names_and_a_format)
{
	char to[256];
	char *good[] = { "pagetax", "convert", "-q", "--to", "ptr", SHAPES, to, NULL };
	char *bad[] = { "pagetax", "convert", "--to", "csv", SHAPES, to, NULL };
	char *one[] = { "pagetax", "convert", SHAPES, NULL };

	snprintf(to, sizeof(to), "%s", scratch_path("any-name"));
	ck_assert_int_eq(pagetax_run(7, good, &msg), STATUS_DONE);
	assert_same_events(SHAPES, to);
	ck_assert_int_eq(pagetax_run(6, bad, &msg), STATUS_USAGE);
	ck_assert_int_eq(pagetax_run(3, one, &msg), STATUS_USAGE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("convert");
	TCase *tc = tcase_create("convert");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, scratch_setup, scratch_teardown);
	tcase_add_loop_test(tc, events_are_the_same_after_any_way, 0,
			    2 * ARRAY_SIZE(ways));
	tcase_add_test(tc, text_of_a_ptr_is_the_text_of_its_source);
	tcase_add_test(tc, the_sample_takes_few_bytes_an_event);
	tcase_add_test(tc, a_bundle_in_a_ptr_is_the_same_bundle);
	tcase_add_loop_test(tc, files_of_a_bundle_may_be_packed_there_and_inside, 0,
			    ARRAY_SIZE(packers));
	tcase_add_test(tc, a_bad_file_inside_is_named_with_what_holds_it);
	tcase_add_test(tc, events_outside_the_zones_inside_are_refused);
	tcase_add_test(tc, a_failed_conversion_leaves_the_old_file);
	tcase_add_test(tc, a_place_that_cannot_be_written_is_named);
	tcase_add_test(tc, a_full_disk_is_told);
	tcase_add_test(tc, the_command_takes_two_names_and_a_format);
	suite_add_tcase(suite, tc);

	return run_suite(suite);
}
