/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_trace_dat.c - a trace.dat made by hand is read through libtracecmd
 *
 * Version 6 of the format, as small as it can be: two events' formats, three
 * process names, two cpus, and for each a page or two of the ring buffer.
 *
 *	page    [ time | commit and flags | records ]
 *	record  [ length in words : 5, ns since the one before : 27 | fields ]
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/source/gfp.h"
#include "sim/source/little_endian.h"
#include "sim/source/trace_dat.h"
#include "tests/sim_events.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

#define PAGE_BYTES 4096
#define MISSED_EVENTS (UINT32_C(1) << 31)
#define MISSED_STORED (UINT32_C(1) << 30)
#define ID_ALLOC 501
#define ID_FREE 502
#define ID_OTHER 503

static struct trace trace;
static struct msg msg;
static uint8_t *file;
static size_t len;

static const char header_page[] =
	"\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
	"\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
	"\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
	"\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n";
static const char header_event[] = "# compressed entry header\n";

#define COMMON                                                                  \
	"format:\n"                                                             \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"  \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"  \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"            \
	"\tfield:unsigned long pfn;\toffset:8;\tsize:8;\tsigned:0;\n"           \
	"\tfield:unsigned int order;\toffset:16;\tsize:4;\tsigned:0;\n"

static const char *const formats[] = {
	"name: mm_page_alloc\nID: 501\n" COMMON
	"\tfield:unsigned long gfp_flags;\toffset:24;\tsize:8;\tsigned:0;\n"
	"\tfield:int migratetype;\toffset:32;\tsize:4;\tsigned:1;\n\n"
	"print fmt: \"pfn=0x%lx order=%d migratetype=%d gfp_flags=%s\", REC->pfn, REC->order, REC->migratetype,"
	" (REC->gfp_flags) ? __print_flags(REC->gfp_flags, \"|\", {0x30, \"GFP_IO_FS\"},"
	" {0x10, \"__GFP_IO\"}, {0x20, \"__GFP_FS\"}, {0x100, \"__GFP_ZERO\"}) : \"none\"\n",
	"name: mm_page_free\nID: 502\n" COMMON
	"\nprint fmt: \"pfn=0x%lx order=%d\", REC->pfn, REC->order\n",
	"name: other\nID: 503\n" COMMON
	"\nprint fmt: \"pfn=0x%lx order=%d\", REC->pfn, REC->order\n",
};

static void put(const void *bytes, size_t n)
{
	memcpy(file + len, bytes, n);
	len += n;
}

static void put32(uint32_t value)
{
	put_le32(file + len, value);
	len += 4;
}

static void put64(uint64_t value)
{
	put_le64(file + len, value);
	len += 8;
}

static void put_sized(const char *text)
{
	put64(strlen(text));
	put(text, strlen(text));
}

/* ---- pages ---- */

static uint8_t *page;			/* being filled */
static size_t used;

static void page_begin(uint64_t time_ns)
{
	len = (len + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
	page = file + len;
	put_le64(page, time_ns);
	used = 0;
}

static void page_end(uint32_t flags, uint64_t missed)
{
	put_le64(page + 8, used | flags);
	put_le64(page + 16 + used, missed);
	len += PAGE_BYTES;
}

static void record(uint32_t delta_ns, uint32_t id, uint32_t pid, uint64_t pfn,
		   uint32_t order, uint64_t gfp, uint32_t migratetype)
{
	uint8_t *at = page + 16 + used;
	unsigned int words = 9;		/* 36 bytes of fields */

	put_le32(at, words | delta_ns << 5);
	put_le32(at + 4, id);
	put_le32(at + 8, pid);
	put_le64(at + 12, pfn);
	put_le32(at + 20, order);
	put_le64(at + 28, gfp);
	put_le32(at + 36, migratetype);
	used += 4 + 4 * words;
}

/* ---- the file ---- */

/* All before the pages; returns where the places of each cpu's are to be. */
static size_t make_head(uint32_t nr_cpus, size_t nr_pages)
{
	size_t table;

	len = 0;
	free(file);
	file = calloc(2 + nr_pages, PAGE_BYTES);
	ck_assert_ptr_nonnull(file);
	put("\x17\x08\x44tracing" "6", 12);
	put("\0\x08", 2);		/* little-endian, longs of 8 bytes */
	put32(PAGE_BYTES);
	put("header_page", 12);
	put_sized(header_page);
	put("header_event", 13);
	put_sized(header_event);
	put32(0);			/* events of ftrace itself */
	put32(1);			/* systems */
	put("kmem", 5);
	put32(ARRAY_SIZE(formats));
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		put_sized(formats[i]);
	put32(0);			/* symbols */
	put32(0);			/* printk formats */
	put_sized("7 sh\n8 tmux: server\n");
	put32(nr_cpus);
	put("flyrecord", 10);
	table = len;
	len += 16 * nr_cpus;
	ck_assert_uint_le(len, 2 * PAGE_BYTES);
	return table;
}

static void make_file(void)
{
	size_t table = make_head(2, 3);

	page_begin(1000);
	put_le64(file + table, (uint64_t)(page - file));
	record(0, ID_ALLOC, 7, 0x40, 2, 0x110, 1);
	record(50, ID_FREE, 8, 0x40, 2, 0, 0);
	record(10, ID_OTHER, 8, 0, 0, 0, 0);
	page_end(0, 0);
	page_begin(3000);
	record(0, ID_ALLOC, 7, UINT64_MAX, 9, 0x30, 0);
	page_end(MISSED_EVENTS | MISSED_STORED, 444);
	put_le64(file + table + 8, 2 * PAGE_BYTES);
	page_begin(1020);
	put_le64(file + table + 16, (uint64_t)(page - file));
	put_le64(file + table + 24, PAGE_BYTES);
	record(0, ID_FREE, 7, 0x7, 0, 0, 0);
	page_end(0, 0);
}

#define LONG_CPUS 4
#define LONG_DELTA 1000			/* ns between two records of a cpu */
#define PAGE_RECORDS 100

/* Whole pages of records, the cpus' times interleaved; returns how many. */
static size_t make_long_file(size_t nr_records)
{
	const size_t cpu_pages = nr_records / (LONG_CPUS * PAGE_RECORDS);
	size_t table = make_head(LONG_CPUS, LONG_CPUS * cpu_pages);
	uint64_t pfn = 0;

	for (unsigned int cpu = 0; cpu < LONG_CPUS; cpu++) {
		uint64_t time_ns = 1000 + cpu;

		for (size_t p = 0; p < cpu_pages; p++) {
			page_begin(time_ns);
			if (p == 0)
				put_le64(file + table + 16 * cpu, (uint64_t)(page - file));
			for (unsigned int i = 0; i < PAGE_RECORDS; i++) {
				pfn = (pfn * 5 + 12345) % 1000003;	/* all over 4 GB */
				record(i ? LONG_DELTA : 0, i % 2 ? ID_FREE : ID_ALLOC,
				       7 + i % 2, pfn, 0, 0x110, 1);
			}
			page_end(0, 0);
			time_ns += PAGE_RECORDS * LONG_DELTA;
		}
		put_le64(file + table + 16 * cpu + 8, cpu_pages * PAGE_BYTES);
	}
	return LONG_CPUS * cpu_pages * PAGE_RECORDS;
}

static int read_file(void)
{
	return trace_read(&trace, scratch_write("trace.dat", file, len), 0, &msg);
}

static bool supported(void)
{
	return !strcmp(trace_dat_support, "with libtracecmd");
}

static void setup(void)
{
	scratch_setup();
	make_file();
}

static void teardown(void)
{
	trace_free(&trace);
	free(file);
	file = NULL;
	scratch_teardown();
}

static size_t records_wanted(void)
{
	const char *records = getenv("PAGETAX_RECORDS");

	return records ? strtoul(records, NULL, 10) : 20000;
}

/* Leave the file where `make bench-trace-dat` looks for it. */
static void keep_file(const char *path)
{
	FILE *out = path ? fopen(path, "wb") : NULL;

	if (!path)
		return;
	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(fwrite(file, 1, len, out), len);
	ck_assert_int_eq(fclose(out), 0);
}

static const struct expected_event expected[] = {
	{ 1000, 0x40, "sh", 0, EV_ALLOC, 2, 1, 0 },
	{ 1020, 0x7, "sh", 1, EV_FREE, 0, 0, 0 },
	{ 1050, 0x40, "tmux: server", 0, EV_FREE, 2, 0, 0 },
	{ 3000, 444, "", 0, EV_LOST, 0, 0, 0 },
	{ 3000, EVENT_PFN_FAILED, "sh", 0, EV_ALLOC, 9, 0, 0 },
};

/* Of the same events. */
static const uint32_t gfps[] = { GFP(IO) | GFP(ZERO), 0, 0, 0, GFP(IO) | GFP(FS) };

START_TEST(records_of_all_cpus_come_in_order_with_what_was_lost)
{
	if (!supported())
		return;
	ck_assert_msg(!read_file(), "%s", msg.text);
	ck_assert_str_eq(trace.format, "trace.dat");
	expect_events(&trace, expected, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(gfps); i++)
		ck_assert_uint_eq(trace.events[i].gfp, gfps[i]);
	ck_assert_uint_eq(trace.lost, 444);
	ck_assert_uint_eq(trace.other_events, 1);
}
END_TEST

START_TEST(every_record_of_many_pages_comes_in_order)
{
	size_t nr, wrong = 0;

	if (!supported())
		return;
	nr = make_long_file(records_wanted());
	keep_file(getenv("PAGETAX_TRACE_DAT"));
	ck_assert_msg(!read_file(), "%s", msg.text);
	ck_assert_uint_eq(trace.nr_events, nr);
	for (size_t i = 0; i < nr; i++)
		wrong += trace.events[i].cpu != i % LONG_CPUS ||
			 trace.events[i].time_ns != 1000 + i % LONG_CPUS +
						    i / LONG_CPUS * LONG_DELTA;
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_eq(trace.by_kind[EV_ALLOC], nr / 2);
	ck_assert_uint_eq(trace.nr_cpus, LONG_CPUS);
}
END_TEST

START_TEST(a_block_that_cannot_be_is_named_by_its_record)
{
	if (!supported())
		return;
	put_le64(page + 16 + 12, 0x7);	/* the last page's record */
	put_le32(page + 16 + 20, 3);
	ck_assert_int_lt(read_file(), 0);
	ck_assert_msg(strstr(msg.text, "trace.dat: record 1: "), "%s", msg.text);
}
END_TEST

/* Sanitizers see what the message does not: nothing may be shifted by it. */
START_TEST(an_order_of_no_block_is_named_by_its_record)
{
	if (!supported())
		return;
	put_le32(page + 16 + 20, 300);
	ck_assert_int_lt(read_file(), 0);
	ck_assert_msg(strstr(msg.text, "trace.dat: record 1: order 255; expected 0 to 10"),
		      "%s", msg.text);
}
END_TEST

/* The record is cut, not the page: its fields would be those of the next one. */
START_TEST(a_record_shorter_than_its_fields_is_named)
{
	if (!supported())
		return;
	put_le32(page + 16, 3);		/* the last page's record: 12 bytes of 36 */
	ck_assert_int_lt(read_file(), 0);
	ck_assert_msg(strstr(msg.text, "trace.dat: record 1: 12 bytes; expected 20"),
		      "%s", msg.text);
}
END_TEST

START_TEST(a_head_without_its_file_is_refused)
{
	len = 100;
	ck_assert_int_lt(read_file(), 0);
	ck_assert_msg(strstr(msg.text, "libtracecmd"), "%s", msg.text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trace_dat");
	TCase *tc = tcase_create("trace_dat");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, records_of_all_cpus_come_in_order_with_what_was_lost);
	tcase_add_test(tc, every_record_of_many_pages_comes_in_order);
	tcase_add_test(tc, a_block_that_cannot_be_is_named_by_its_record);
	tcase_add_test(tc, an_order_of_no_block_is_named_by_its_record);
	tcase_add_test(tc, a_record_shorter_than_its_fields_is_named);
	tcase_add_test(tc, a_head_without_its_file_is_refused);
	suite_add_tcase(suite, tc);

	return run_suite(suite);
}
