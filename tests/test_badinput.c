/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_badinput.c - whatever is wrong with a file, one message says where and what
 *
 * A reader of broken input returns a negative errno and a message that names
 * the file, the place and what was expected there; it never crashes, and what
 * it had begun to build is gone.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/source/bundle.h"
#include "tests/sim_bundle.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

static struct msg msg;

static void setup(void)
{
	scratch_setup();
	small_flags_reset();
	strcpy(msg.text, "");
}

static void expect_in_message(const char *part)
{
	ck_assert_msg(strstr(msg.text, part), "\"%s\" lacks \"%s\"", msg.text, part);
	ck_assert_ptr_null(strchr(msg.text, '\n'));
}

static void refuse(const char *path, int err)
{
	struct trace trace;
	struct bundle b;

	ck_assert_int_eq(trace_read(&trace, path, 0, &msg), -err);
	ck_assert_ptr_null(trace.events);
	ck_assert_ptr_null(trace.comms);
	ck_assert_int_eq(bundle_read(&b, path, 0, &msg), -err);
	ck_assert_ptr_null(b.name);
	ck_assert_ptr_null(b.start);
	expect_in_message(path);
}

START_TEST(a_missing_file_is_named)
{
	refuse(scratch_path("nothing"), ENOENT);
	expect_in_message("No such file");
}
END_TEST

START_TEST(an_empty_file_is_no_trace_compressed_or_not)
{
	refuse(scratch_write("plain", "", 0), EINVAL);
	expect_in_message("empty");
	refuse(scratch_write_zstd("packed", "", 0), EINVAL);
	expect_in_message("empty");
	refuse(scratch_write_gzip("packed", "", 0), EINVAL);
	expect_in_message("empty");
}
END_TEST

static const struct { const char *bytes, *packer; } foreign[] = {
	{ "\xfd" "7zXZ\1\2", "xz" }, { "BZh91AY", "bzip2" },
	{ "\x04\x22\x4d\x18@", "lz4" }, { "PK\x03\x04..", "zip" },
};

START_TEST(what_another_program_has_packed_is_named)
{
	char expected[64];

	refuse(scratch_write_text("packed", foreign[_i].bytes), EINVAL);
	snprintf(expected, sizeof(expected), "is packed by %s; expected", foreign[_i].packer);
	expect_in_message(expected);
}
END_TEST

START_TEST(a_file_of_one_byte_is_no_trace)
{
	for (unsigned int byte = 0; byte < 256; byte++) {
		struct trace trace;
		const char text[] = { (char)byte };

		if (!trace_read_memory(&trace, "byte", text, 1, 0, &msg) ||
		    !strstr(msg.text, "no known trace format"))
			ck_abort_msg("0x%02x: \"%s\"", byte, msg.text);
	}
}
END_TEST

START_TEST(a_folder_without_events_is_told_what_a_bundle_has)
{
	struct bundle b;
	struct trace trace;

	ck_assert_int_eq(bundle_read(&b, scratch_folder(), 0, &msg), -ENOENT);
	expect_in_message(scratch_folder());
	expect_in_message("events.txt");
	expect_in_message("zoneinfo.start");
	ck_assert_int_eq(trace_read(&trace, scratch_folder(), 0, &msg), -EISDIR);
	expect_in_message("directory");
}
END_TEST

START_TEST(an_unknown_format_is_shown_beside_the_known_ones)
{
	refuse(scratch_write_text("text", "Dear Sir,\n\x01\x02 yours\n"), EINVAL);
	expect_in_message("\"Dear Sir,??? yours?\"");
	expect_in_message("perf script");
}
END_TEST

START_TEST(a_trace_without_page_events_says_so)
{
	refuse(scratch_write_text("text",
		" sh 1 [000] 1.0: sched:sched_switch: prev=1\n"
		" sh 1 [000] 1.0: kmem:kmalloc: ptr=1\n"
		" sh 1 [000] 1.0: PERF_RECORD_LOST lost 3\n"), EINVAL);
	expect_in_message("none of its 3 lines");
	expect_in_message("kmem:mm_page_alloc");
}
END_TEST

/* The second line of a text, and what the message has to say. */
#define GOOD " sh 1 [000] 1.0: kmem:mm_page_free: pfn=0x10 order=0\n"
#define ALLOC_TAIL " migratetype=0 gfp_flags=GFP_KERNEL\n"

static const struct {
	const char *line;
	const char *expected;
} lines[] = {
	{ " sh 1 [000] 2.0: kmem:mm_page_free: pfn=0x1g order=0\n", "\"pfn=0x1g\"; expected a number" },
	{ " sh 1 [000] 2.0: kmem:mm_page_free: pfn= order=0\n", "\"pfn=\"; expected a number" },
	{ " sh 1 [000] 2.0: kmem:mm_page_free: pfn=0x order=0\n", "\"pfn=0x\"" },
	{ " sh 1 [000] 2.0: kmem:mm_page_free: pfn=-1 order=0\n", "\"pfn=-1\"" },
	{ " sh 1 [000] 2.0: kmem:mm_page_free: pfn=18446744073709551616 order=0\n", "\"pfn=18446744073709551616\"" },
	{ " sh 1 [000] 2.0: kmem:mm_page_free: pfn=0xffffffffffffffff order=0\n", "pfn 0xffffffffffffffff" },
	{ " sh 1 [000] 2.0: kmem:mm_page_free: pfn=0x10000000000 order=0\n", "expected one below" },
	{ " sh 1 [000] 2.0: kmem:mm_page_free: pfn=0x10 order=11\n", "\"order=11\"; expected an order from 0 to 10" },
	{ " sh 1 [000] 2.0: kmem:mm_page_free: pfn=0x10 order=0x\n", "\"order=0x\"" },
	{ " sh 1 [000] 2.0: kmem:mm_page_free: pfn=0x11 order=1\n", "expected a multiple of 2" },
	{ " sh 1 [000] 2.0: kmem:mm_page_free: pfn=0x10\n", "a mm_page_free without order=" },
	{ " sh 1 [000] 2.0: kmem:mm_page_free: order=0\n", "without pfn=" },
	{ " sh 1 [000] 2.0: kmem:mm_page_alloc: pfn=0x10 order=0 gfp_flags=GFP_KERNEL\n", "without migratetype=" },
	{ " sh 1 [000] 2.0: kmem:mm_page_alloc: pfn=0x10 order=0 migratetype=0\n", "without gfp_flags=" },
	{ " sh 1 [000] 2.0: kmem:mm_page_alloc: pfn=0x10 order=0 migratetype=6 gfp_flags=0x1\n", "\"migratetype=6\"; expected a migratetype" },
	{ " sh 1 [000] 2.0: kmem:mm_page_alloc: page=(nil) pfn=0x0 order=12" ALLOC_TAIL, "order=12" },
	{ " sh 1 [000] 2.0: kmem:mm_page_alloc_zone_locked: pfn=0x10 order=0 migratetype=1 percpu_refill=2\n", "expected 0 or 1" },
	{ " sh 1 [000] 2.0: kmem:mm_page_alloc_extfrag: pfn=0x10 fallback_order=1 alloc_migratetype=0 fallback_migratetype=1\n", "without alloc_order=" },
	{ " sh 1 [000] 2.0: kmem:mm_page_alloc_extfrag: pfn=0x10 alloc_order=0 fallback_order=11 alloc_migratetype=0 fallback_migratetype=1\n", "\"fallback_order=11\"" },
	{ " sh 1 [000] 2: kmem:mm_page_free: pfn=0x10 order=0\n", "\"2:\"; expected the time" },
	{ " sh 1 [000] 2.: kmem:mm_page_free: pfn=0x10 order=0\n", "\"2.:\"; expected the time" },
	{ " sh 1 [000] 2.1234567890: kmem:mm_page_free: pfn=0x10 order=0\n", "expected the time" },
	{ " sh 1 [000] x2.0: kmem:mm_page_free: pfn=0x10 order=0\n", "expected the time" },
	{ " sh 1 [1024] 2.0: kmem:mm_page_free: pfn=0x10 order=0\n", "\"[1024]\"; expected the cpu" },
	{ " sh 1 [] 2.0: kmem:mm_page_free: pfn=0x10 order=0\n", "\"[]\"; expected the cpu" },
	{ " sh 1 2.0: kmem:mm_page_free: pfn=0x10 order=0\n", "\"1\"; expected the cpu" },
	{ " sh 1 [000] 2.0: PERF_RECORD_LOST lost many\n", "\"lost\" and how many" },
	{ " sh 1 [000] 2.0: PERF_RECORD_LOST\n", "\"lost\" and how many" },
};

START_TEST(a_broken_line_is_named_with_what_was_expected)
{
	char text[1024];
	const char *path;
	char place[700];

	snprintf(text, sizeof(text), GOOD "%s" GOOD, lines[_i].line);
	path = scratch_write_text("events", text);
	refuse(path, EINVAL);
	snprintf(place, sizeof(place), "%s:2: ", path);
	expect_in_message(place);
	expect_in_message(lines[_i].expected);
}
END_TEST

START_TEST(a_line_without_end_in_a_megabyte_is_no_text)
{
	size_t len = strlen(GOOD) + (1 << 20);
	char *text = malloc(len);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', len);
	memcpy(text, GOOD, strlen(GOOD));
	refuse(scratch_write("long", text, len), EINVAL);
	expect_in_message("no line ends");
	free(text);
}
END_TEST

START_TEST(a_page_beyond_any_made_up_machine_is_refused_with_its_line)
{
	static const char text[] =
		GOOD " sh 1 [000] 2.0: kmem:mm_page_free: pfn=0x8000000000 order=0\n";
	const char *paths[] = { scratch_write_text("events.txt", text), scratch_folder() };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct bundle b;

		ck_assert_int_eq(bundle_read(&b, paths[i], 0, &msg), -EINVAL);
		ck_assert_ptr_null(b.name);
		expect_in_message("events.txt:2: pfn 0x8000000000");
		/* Words of 32 bits hold no such pfn, whatever the zones. */
		expect_in_message(sizeof(long) == 8 ? "zoneinfo" : "expected one below");
	}
}
END_TEST

/* ---- zstd ---- */

static const struct {
	const char *name, *unit;
	const char *(*write)(const char *name, const void *bytes, size_t len);
} packers[] = {
	{ "zstd", "zstd frame", scratch_write_zstd },
	{ "gzip", "gzip data", scratch_write_gzip },
};

static char *packed_shapes(int packer, size_t *len)
{
	size_t text_len;
	char *text = scratch_slurp("tests/data/perf-shapes.txt", &text_len);
	const char *path = packers[packer].write("packed", text, text_len);

	free(text);
	return scratch_slurp(path, len);
}

START_TEST(a_cut_frame_is_named_by_the_byte_where_the_file_ends)
{
	size_t len;
	char *packed = packed_shapes(_i, &len);
	char place[64];

	refuse(scratch_write("cut", packed, len - 5), EINVAL);
	expect_in_message("cut short");
	expect_in_message(packers[_i].unit);
	snprintf(place, sizeof(place), "at byte %zu", len - 5);
	expect_in_message(place);
	free(packed);
}
END_TEST

START_TEST(a_damaged_frame_is_named_by_its_byte)
{
	size_t len;
	char *packed = packed_shapes(_i, &len);

	memset(packed + len / 2, 0xff, 16);
	refuse(scratch_write("damaged", packed, len), EINVAL);
	expect_in_message("data near byte");
	expect_in_message(packers[_i].name);
	free(packed);
}
END_TEST

START_TEST(what_follows_a_frame_must_be_another)
{
	size_t len;
	char *packed = packed_shapes(_i, &len);
	char *twice = malloc(2 * len);
	struct trace trace;
	int err;

	ck_assert_ptr_nonnull(twice);
	memcpy(twice, packed, len);
	memcpy(twice + len, packed, len);
	err = trace_read(&trace, scratch_write("twice", twice, 2 * len), 0, &msg);
	ck_assert_msg(!err, "%s", msg.text);
	ck_assert_uint_eq(trace.lines, 32);
	trace_free(&trace);

	twice[len] = 'x';
	refuse(scratch_write("twice", twice, 2 * len), EINVAL);
	expect_in_message("damaged");
	expect_in_message(packers[_i].name);
	free(twice);
	free(packed);
}
END_TEST

/* ---- bundles ---- */

static void refuse_bundle(const char *place, const char *expected)
{
	struct bundle b;

	ck_assert_int_lt(bundle_read(&b, scratch_folder(), 0, &msg), 0);
	ck_assert_ptr_null(b.name);
	expect_in_message(scratch_folder());
	expect_in_message(place);
	expect_in_message(expected);
}

/* One file of the small bundle replaced; NULL: taken away. */
static const struct {
	const char *file;
	const char *text;
	const char *place;
	const char *expected;
} bundles[] = {
	{ "zoneinfo.start", "", "zoneinfo.start", "no zone with pages" },
	{ "zoneinfo.start", "Node 0, zone DMA\n pages free 3\n", "zoneinfo.start", "no zone with pages" },
	{ "zoneinfo.start", "\nNode x, zone DMA\n", "zoneinfo.start:2", "expected \"Node N, zone NAME\"" },
	{ "zoneinfo.start", "Node 0, zone AZoneOfAVeryLongName\n", "zoneinfo.start:1", "zone name" },
	{ "zoneinfo.start", "Node 0, zone DMA\n spanned 12x\n", "zoneinfo.start:2", "after \"spanned\"" },
	{ "zoneinfo.start", "Node 0, zone DMA\n protection: (0, x)\n", "zoneinfo.start:2", "protection" },
	{ "zoneinfo.start", "Node 0, zone DMA\n spanned 9\n present 10\n managed 1\n start_pfn: 1\n",
	  "zoneinfo.start", "10 pages present" },
	{ "zoneinfo.start", NULL, "zoneinfo.start", "expected both or neither" },
	{ "events.txt", NULL, "events.txt", "is no bundle" },
	{ "events.txt", NULL, "events.txt", "pagetypeinfo.start, pagetypeinfo.end, kpageflags.start" },
	{ "events.txt", GOOD " sh 1 [000] 2.0: kmem:mm_page_free: pfn=0xc00 order=0\n",
	  "events.txt:2", "pfn 0xc00 is in no zone" },
	{ "events.txt", " sh 1 [000] 2.0: kmem:mm_page_free: pfn=0x0 order=0\n",
	  "events.txt:1", "pfn 0x0 is in no zone" },
	{ "events.txt", " sh 1 [000] 2.0: kmem:mm_page_free: pfn=0xffffffffff order=0\n",
	  "events.txt:1", "pfn 0xffffffffff" },
	{ "kpageflags.start", "12345678901", "kpageflags.start", "odd length" },
	{ "kpageflags.start", "1234567890123456", "kpageflags.start", "ends with pfn 2; expected 3072" },
	{ "kpageflags.start", "", "kpageflags.start", "expected 3072" },
	{ "kpageflags.start.times", "0 1 2\n1024 1 2\n", "kpageflags.start.times", "ends after line 2; expected 3" },
	{ "kpageflags.start.times", "0 1 2\n1025 1 2\n", "kpageflags.start.times:2", "expected 1024" },
	{ "kpageflags.start.times", "0 1\n", "kpageflags.start.times:1", "first_pfn before_ns after_ns" },
	{ "machine.txt", "cpus\tmany\n", "machine.txt:1", "a number after \"cpus\"" },
	{ "machine.txt", "cpus\t0\n", "machine.txt:1", "expected 1 to 1024" },
	{ "machine.txt", "cpus\t2\npage_bytes\t16384\n", "machine.txt:2", "expected 4096" },
	{ "buddyinfo.tsv", "1\t2\tNormal\t1\t2\n", "buddyinfo.tsv:1", "number 3 is missing" },
	{ "buddyinfo.tsv", "1\t2\tOther\t0\t1\t2\t3\t4\t5\t6\t7\t8\t9\t10\n", "buddyinfo.tsv:1", "no such zone" },
	{ "counters.tsv", "1\t2\tpgfree\t-7\n", "counters.tsv:1", "a name and a value" },
};

START_TEST(a_broken_file_of_a_bundle_is_named)
{
	small_bundle_write(GOOD);
	if (bundles[_i].text)
		scratch_write_text(bundles[_i].file, bundles[_i].text);
	else
		ck_assert_int_eq(unlink(scratch_path(bundles[_i].file)), 0);
	refuse_bundle(bundles[_i].place, bundles[_i].expected);
}
END_TEST

START_TEST(a_block_that_leaves_its_zone_is_named_by_its_line)
{
	/* DMA and Normal meet at 1024, a multiple of every order: shift it */
	char zoneinfo[4096];
	char *at;

	small_bundle_write(GOOD " sh 1 [000] 2.0: kmem:mm_page_free: pfn=0x3fc order=2\n");
	strcpy(zoneinfo, small_zoneinfo);
	at = strstr(zoneinfo, "spanned  1023");
	memcpy(at, "spanned  1021", 13);
	scratch_write_text("zoneinfo.start", zoneinfo);
	refuse_bundle("events.txt:2", "leaves zone DMA");
}
END_TEST

/* ---- every cut and every flipped bit ---- */

/* A reader's whole promise: success, or a negative errno and a message. */
static void read_anything(const char *path, size_t *nr_ok, size_t *nr_refused)
{
	struct trace trace;
	int err;

	strcpy(msg.text, "");
	err = trace_read(&trace, path, 0, &msg);
	ck_assert_int_le(err, 0);
	if (err) {
		ck_assert_str_ne(msg.text, "");
		ck_assert(strstr(msg.text, path));
		(*nr_refused)++;
	} else {
		ck_assert_uint_gt(trace.nr_events, 0);
		trace_free(&trace);
		(*nr_ok)++;
	}
}

START_TEST(a_text_cut_at_any_byte_is_read_or_refused)
{
	size_t nr_ok = 0, nr_refused = 0;
	size_t len;
	char *text = scratch_slurp("tests/data/perf-shapes.txt", &len);

	for (size_t cut = 0; cut <= len; cut++)
		read_anything(scratch_write("cut", text, cut), &nr_ok, &nr_refused);
	ck_assert_uint_gt(nr_ok, len / 2);
	ck_assert_uint_gt(nr_refused, 100);
	free(text);
}
END_TEST

START_TEST(a_compressed_text_cut_at_any_byte_is_refused)
{
	size_t nr_ok = 0, nr_refused = 0;
	size_t len;
	char *packed = packed_shapes(_i, &len);

	for (size_t cut = 0; cut < len; cut++)
		read_anything(scratch_write("cut", packed, cut), &nr_ok, &nr_refused);
	ck_assert_uint_eq(nr_ok, 0);
	ck_assert_uint_eq(nr_refused, len);
	free(packed);
}
END_TEST

#define BITS \
	" kworker/0:1 2203 [000] 593.808183000: kmem:mm_page_alloc: page=0x1 pfn=0x115000 " \
	"order=3 migratetype=1 gfp_flags=GFP_NOFS|__GFP_COMP\n" \
	" sh 9/10 [001] 593.808184: kmem:mm_page_alloc_extfrag: pfn=1932288 alloc_order=3 " \
	"fallback_order=10 alloc_migratetype=0 fallback_migratetype=1 change_ownership=1\n" \
	" sh 9 [001] 0.0: PERF_RECORD_LOST lost 1356\n"

START_TEST(a_text_with_any_bit_flipped_is_read_or_refused)
{
	size_t nr_ok = 0, nr_refused = 0;
	char text[] = BITS;
	size_t len = strlen(text);

	for (size_t bit = 0; bit < 8 * len; bit++) {
		text[bit / 8] ^= (char)(1 << bit % 8);
		read_anything(scratch_write("flipped", text, len), &nr_ok, &nr_refused);
		text[bit / 8] ^= (char)(1 << bit % 8);
	}
	ck_assert_uint_gt(nr_ok, 4 * len);
	ck_assert_uint_gt(nr_refused, len / 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("badinput");
	TCase *tc = tcase_create("readers");

	tcase_add_checked_fixture(tc, setup, scratch_teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, a_missing_file_is_named);
	tcase_add_test(tc, an_empty_file_is_no_trace_compressed_or_not);
	tcase_add_test(tc, a_folder_without_events_is_told_what_a_bundle_has);
	tcase_add_loop_test(tc, what_another_program_has_packed_is_named, 0,
			    ARRAY_SIZE(foreign));
	tcase_add_test(tc, a_file_of_one_byte_is_no_trace);
	tcase_add_test(tc, an_unknown_format_is_shown_beside_the_known_ones);
	tcase_add_test(tc, a_trace_without_page_events_says_so);
	tcase_add_loop_test(tc, a_broken_line_is_named_with_what_was_expected, 0,
			    (int)ARRAY_SIZE(lines));
	tcase_add_test(tc, a_line_without_end_in_a_megabyte_is_no_text);
	tcase_add_test(tc, a_page_beyond_any_made_up_machine_is_refused_with_its_line);
	tcase_add_loop_test(tc, a_cut_frame_is_named_by_the_byte_where_the_file_ends, 0,
			    ARRAY_SIZE(packers));
	tcase_add_loop_test(tc, a_damaged_frame_is_named_by_its_byte, 0,
			    ARRAY_SIZE(packers));
	tcase_add_loop_test(tc, what_follows_a_frame_must_be_another, 0,
			    ARRAY_SIZE(packers));
	tcase_add_loop_test(tc, a_broken_file_of_a_bundle_is_named, 0,
			    (int)ARRAY_SIZE(bundles));
	tcase_add_test(tc, a_block_that_leaves_its_zone_is_named_by_its_line);
	tcase_add_test(tc, a_text_cut_at_any_byte_is_read_or_refused);
	tcase_add_loop_test(tc, a_compressed_text_cut_at_any_byte_is_refused, 0,
			    ARRAY_SIZE(packers));
	tcase_add_test(tc, a_text_with_any_bit_flipped_is_read_or_refused);
	suite_add_tcase(s, tc);

	return run_suite(s);
}
