/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_llfree_records.c - pages of 128-bit records, by two cpus */
#include <check.h>
#include <string.h>

#include "sim/source/gfp.h"
#include "sim/source/little_endian.h"
#include "sim/source/trace.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

static struct trace trace;
static struct msg msg;
static uint8_t file[3 * 4096];		/* header, a page of cpu 0, a page of cpu 1 */

static void put_record(unsigned int page, unsigned int i, uint64_t time_us,
		       uint64_t pfn, bool alloc, uint64_t order, uint64_t gfp,
		       uint64_t process)
{
	uint8_t *at = file + 4096 * page + 16 + 16 * i;

	put_le64(at, time_us | pfn << 38 | (uint64_t)alloc << 62 | (order & 1) << 63);
	put_le64(at + 8, order >> 1 | gfp << 3 | process << 32);
}

static void setup(void)
{
	scratch_setup();
	memset(file, 0, sizeof(file));
	put_le32(file, 2);
	put_le32(file + 4, 2);
	put_le32(file + 8, 0xfffff);
	put_le32(file + 8192, 1);
	put_record(1, 0, 10, 0x400, true, 10, 0x1040008, 77);	/* MOVABLE, COMP, ? */
	put_record(1, 1, 30, 0x400, false, 10, 0, 77);
	put_record(2, 0, 20, 0xfffff, true, 0, 0x10000010, 4000000000u);
	put_record(2, 1, UINT64_C(0x3fffffffff), 0xfffff, false, 0, 0, 0);
}

static void teardown(void)
{
	trace_free(&trace);
	scratch_teardown();
}

static int read_file(size_t len)
{
	return trace_read(&trace, scratch_write("records", file, len), 0, &msg);
}

START_TEST(records_of_all_cpus_come_in_order_of_time)
{
	ck_assert_msg(!read_file(sizeof(file)), "%s", msg.text);
	ck_assert_str_eq(trace.format, "llfree-records");
	ck_assert_uint_eq(trace.nr_events, 4);
	ck_assert_uint_eq(trace.events[0].time_ns, 10000);
	ck_assert_uint_eq(trace.events[0].pfn, 0x400);
	ck_assert_uint_eq(trace.events[0].order, 10);
	ck_assert_uint_eq(trace.events[0].kind, EV_ALLOC);
	ck_assert_uint_eq(trace.events[0].migratetype, MIGRATE_MOVABLE);
	ck_assert_uint_eq(trace.events[0].gfp, GFP(MOVABLE) | GFP(COMP) | GFP(UNKNOWN));
	ck_assert_str_eq(trace.comms[trace.events[0].comm], "pid 77");
	ck_assert_uint_eq(trace.events[1].cpu, 1);
	ck_assert_uint_eq(trace.events[1].migratetype, MIGRATE_RECLAIMABLE);
	ck_assert_uint_eq(trace.events[1].gfp, GFP(RECLAIMABLE));
	ck_assert_str_eq(trace.comms[trace.events[1].comm], "pid 4000000000");
	ck_assert_uint_eq(trace.events[2].kind, EV_FREE);
	ck_assert_uint_eq(trace.events[3].time_ns, UINT64_C(0x3fffffffff) * 1000);
	ck_assert_uint_eq(trace.nr_cpus, 2);
}
END_TEST

START_TEST(a_cut_file_is_refused_with_its_end)
{
	static const size_t cuts[] = { 8192, 8193, 12287 };

	put_le32(file, 3);		/* itself included */
	ck_assert_int_lt(read_file(cuts[_i]), 0);
	ck_assert_msg(strstr(msg.text, "is cut: it ends at byte"), "%s", msg.text);
}
END_TEST

START_TEST(a_record_that_cannot_be_is_named)
{
	put_record(2, 1, 50, 0x3, true, _i ? 1 : 11, 0, 0);
	ck_assert_int_lt(read_file(sizeof(file)), 0);
	ck_assert_msg(strstr(msg.text, "record 1 of the page at byte 8192"), "%s", msg.text);
}
END_TEST

START_TEST(a_page_of_a_cpu_that_is_not_there_is_named)
{
	put_le32(file + 8192, 2);
	ck_assert_int_lt(read_file(sizeof(file)), 0);
	ck_assert_msg(strstr(msg.text, "the page at byte 8192 is of cpu 2"), "%s", msg.text);
}
END_TEST

/* A header or a first page that makes no sense: not this format. */
static const struct { size_t at; uint32_t value; } strange[] = {
	{ 0, 0 }, { 4, 0 }, { 4, 5000 }, { 8, 0 }, { 8, 1 << 24 }, { 8, 0x3ff },
	{ 4096, 2 }, { 4112 + 16, 9 }, { 4112 + 4, 0x80000000 },
};

START_TEST(strange_numbers_are_no_records)
{
	put_le32(file + strange[_i].at, strange[_i].value);
	ck_assert_int_lt(read_file(sizeof(file)), 0);
	ck_assert_msg(strstr(msg.text, "no known trace format") ||
		      strstr(msg.text, "record"), "%s", msg.text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("llfree_records");
	TCase *tc = tcase_create("llfree_records");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, records_of_all_cpus_come_in_order_of_time);
	tcase_add_loop_test(tc, a_cut_file_is_refused_with_its_end, 0, 3);
	tcase_add_loop_test(tc, a_record_that_cannot_be_is_named, 0, 2);
	tcase_add_test(tc, a_page_of_a_cpu_that_is_not_there_is_named);
	tcase_add_loop_test(tc, strange_numbers_are_no_records, 0, ARRAY_SIZE(strange));
	suite_add_tcase(suite, tc);

	return run_suite(suite);
}
