/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_perf_text.c - what `perf script` prints is read as it was meant */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/source/gfp.h"
#include "tests/sim_events.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

#define SHAPES "tests/data/perf-shapes.txt"
#define SAMPLE "tests/data/fork-sample/events.txt.zst"

static struct trace trace;
static struct msg msg;

static void read_ok(const char *path, uint64_t limit)
{
	int err = trace_read(&trace, path, limit, &msg);

	ck_assert_msg(err == 0, "%s", err ? msg.text : "");
}

static void read_text(const char *text)
{
	read_ok(scratch_write_text("events", text), 0);
}

static void teardown(void)
{
	trace_free(&trace);
	scratch_teardown();
}

/* The events of SHAPES, in their order. */
static const struct expected_event shapes[] = {
	{ 593808182000, 0x156455, "cat", 1, EV_FREE_BATCHED, 0, 0, 0 },
	{ 593808183000, 0x115001, "kworker/0:1-eve", 0, EV_PCPU_DRAIN, 0, 1, 0 },
	{ 593808184001, 0x5d9ec0, "tmux: server", 1, EV_ALLOC, 3, 2, 0 },
	{ 593808185002, 6151872, "a: kmem:b 12", 3, EV_FREE, 2, 0, 0 },
	{ 593808186003, 0x1e3156, "perf", 0, EV_ZONE_LOCKED, 1, 2, EVENT_REFILL },
	{ 593808187004, 0x1d8c00, "redis-benchmark", 1, EV_EXTFRAG, 3, 0,
	  EVENT_CHANGE_OWNERSHIP },
	{ 593808190007, EVENT_PFN_FAILED, "sh", 1, EV_ALLOC, 9, 1, 0 },
	{ 593808191008, EVENT_PFN_FAILED, "sh", 1, EV_ALLOC, 9, 1, 0 },
	{ 593808192009, EVENT_PFN_FAILED, "sh", 1, EV_ALLOC, 0, 0, 0 },
	{ 593808192009, 1356, "sh", 1, EV_LOST, 0, 0, 0 },
	{ 593808193010, 0x10, "", 0, EV_FREE, 4, 0, 0 },
};

/* As `perf record -k CLOCK_REALTIME` has it. */
START_TEST(seconds_may_be_those_since_1970)
{
	read_text(" sh 1 [000] 1763847072.000001: kmem:mm_page_free: page=0x10 pfn=0x10 order=0\n");
	ck_assert_uint_eq(trace.events[0].time_ns, UINT64_C(1763847072000001000));
}
END_TEST

/* From one decimal to nine, with every digit at every place. */
START_TEST(decimals_of_any_number_are_read)
{
	uint64_t digits = UINT64_C(123456789) * (uint64_t)(_i / 9 + 1) % 1000000000;
	int nr = _i % 9 + 1;
	uint64_t expected = digits;
	char text[128], decimals[16];

	for (int i = nr; i < 9; i++)
		expected = expected / 10;
	snprintf(decimals, sizeof(decimals), "%09llu", (unsigned long long)digits);
	snprintf(text, sizeof(text), "sh 1 [000] 7.%.*s: kmem:mm_page_free: page=0x1 pfn=1 order=0\n",
		 nr, decimals);
	for (int i = nr; i < 9; i++)
		expected *= 10;
	read_text(text);
	ck_assert_uint_eq(trace.nr_events, 1);
	ck_assert_uint_eq(trace.events[0].time_ns, 7000000000 + expected);
}
END_TEST

START_TEST(lines_of_all_shapes_give_their_events)
{
	read_ok(SHAPES, 0);
	expect_events(&trace, shapes, ARRAY_SIZE(shapes));
}
END_TEST

START_TEST(lines_losses_and_strangers_are_counted)
{
	read_ok(SHAPES, 0);
	ck_assert_str_eq(trace.format, "perf-text");
	ck_assert_uint_eq(trace.lines, 16);
	ck_assert_uint_eq(trace.other_events, 2);	/* kfree, sched_switch */
	ck_assert_uint_eq(trace.lost, 1356);
	ck_assert_uint_eq(trace.by_kind[EV_ALLOC], 4);
	ck_assert_uint_eq(trace.by_kind[EV_FREE], 2);
	ck_assert_uint_eq(trace.by_kind[EV_LOST], 1);
	ck_assert_uint_eq(trace.nr_cpus, 4);
	ck_assert_uint_eq(trace.max_pfn, 6151872 + 3);	/* the block counts whole */
}
END_TEST

START_TEST(a_fallback_is_read_and_its_misprinted_key_is_not)
{
	const struct event *ev;

	read_ok(SHAPES, 0);
	ev = &trace.events[5];
	ck_assert_uint_eq(ev->fallback_order, 10);
	ck_assert_uint_eq(ev->fallback_migratetype, 1);
	ck_assert_uint_eq(trace.events[6].fallback_order, 0);
}
END_TEST

START_TEST(flags_are_read_by_name_and_numbers_are_unknown)
{
	read_ok(SHAPES, 0);
	ck_assert_uint_eq(trace.events[2].gfp,
			  GFP(DIRECT_RECLAIM) | GFP(KSWAPD_RECLAIM) | GFP(IO) |
			  GFP(FS) | GFP(RECLAIMABLE));
	ck_assert_uint_eq(trace.events[6].gfp, GFP(UNKNOWN));
	ck_assert_uint_eq(trace.events[8].gfp, 0);
}
END_TEST

#define FREE(time, pfn) \
	" sh 1 [000] " time ": kmem:mm_page_free: page=0x1 pfn=" pfn " order=0\n"

/*
 *   recorded   3 1 2 1'     a line of time 1 twice, one of them later
 *   in memory  1 1' 2 3
 */
START_TEST(events_out_of_order_are_sorted_and_ties_stay)
{
	static const uint64_t pfns[] = { 0xb, 0xd, 0xc, 0xa };

	read_text(FREE("3.0", "0xa") FREE("1.0", "0xb") FREE("2.0", "0xc")
		  FREE("1.0", "0xd"));
	ck_assert_uint_eq(trace.nr_events, 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_uint_eq(trace.events[i].pfn, pfns[i]);
}
END_TEST

START_TEST(many_events_out_of_order_are_sorted_like_few)
{
	enum { NR = 1000 };
	static char text[NR * 80];
	size_t len = 0;

	/* times 0 to 9 over and over; pfns count up */
	for (unsigned int i = 0; i < NR; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					" sh 1 [000] %u.5: kmem:mm_page_free: pfn=%u order=0\n",
					i * 7 % 10, i);
	read_text(text);
	ck_assert_uint_eq(trace.nr_events, NR);
	for (unsigned int i = 1; i < NR; i++) {
		const struct event *a = &trace.events[i - 1];
		const struct event *b = &trace.events[i];

		ck_assert_uint_le(a->time_ns, b->time_ns);
		if (a->time_ns == b->time_ns)
			ck_assert_uint_lt(a->pfn, b->pfn);
	}
}
END_TEST

START_TEST(a_last_line_without_end_counts_if_it_is_whole)
{
	read_text(FREE("1.0", "0xa") " sh 1 [000] 2.0: kmem:mm_page_free: pfn=0xb order=0");
	ck_assert_uint_eq(trace.nr_events, 2);
	ck_assert_uint_eq(trace.events[1].pfn, 0xb);
}
END_TEST

START_TEST(line_ends_of_other_systems_do_no_harm)
{
	read_text(" sh 1 [000] 1.0: kmem:mm_page_free: pfn=0xa order=1\r\n"
		  " sh 1 [000] 2.0: kmem:mm_page_alloc: pfn=0xb order=0 migratetype=0 gfp_flags=GFP_NOIO\r\n");
	ck_assert_uint_eq(trace.nr_events, 2);
	ck_assert_uint_eq(trace.events[0].order, 1);
	ck_assert_uint_eq(trace.events[1].gfp, GFP(DIRECT_RECLAIM) | GFP(KSWAPD_RECLAIM));
}
END_TEST

START_TEST(page_zero_is_a_page_if_its_address_says_so)
{
	read_text(" sh 1 [000] 1.0: kmem:mm_page_alloc: page=0xffffea0000000000 pfn=0x0"
		  " order=0 migratetype=0 gfp_flags=GFP_KERNEL\n");
	ck_assert_uint_eq(trace.events[0].pfn, 0);
}
END_TEST

START_TEST(names_are_kept_once_however_many_lines_have_them)
{
	static char text[3 * 400 * 100];
	size_t len = 0;

	/* 400 names, more than the cache holds, three times over */
	for (unsigned int i = 0; i < 3 * 400; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"%sname%u 1 [000] 1.0: kmem:mm_page_free: pfn=%u order=0\n",
					i % 2 ? "a process with a long " : "", i % 400, i);
	read_text(text);
	ck_assert_uint_eq(trace.nr_events, 1200);
	ck_assert_uint_eq(trace.nr_comms, 401);
	for (unsigned int i = 0; i < 1200; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%sname%u",
			 i % 2 ? "a process with a long " : "", i % 400);
		ck_assert_str_eq(trace.comms[trace.events[i].comm], name);
	}
}
END_TEST

static const char *(*const packers[])(const char *name, const void *bytes, size_t len) = {
	scratch_write_zstd, scratch_write_gzip,
};

START_TEST(compressed_text_is_the_same_trace_with_another_hash)
{
	struct trace plain;
	size_t len;
	char *text = scratch_slurp(SHAPES, &len);

	read_ok(SHAPES, 0);
	plain = trace;
	read_ok(packers[_i]("no-such-ending", text, len), 0);
	ck_assert_uint_eq(trace.nr_events, plain.nr_events);
	ck_assert_mem_eq(trace.events, plain.events,
			 plain.nr_events * sizeof(*plain.events));
	ck_assert_str_ne(trace.sha256, plain.sha256);
	trace_free(&plain);
	free(text);
}
END_TEST

START_TEST(text_in_memory_is_the_same_trace_without_a_hash)
{
	struct trace file;
	size_t len;
	char *text = scratch_slurp(SHAPES, &len);

	read_ok(SHAPES, 0);
	file = trace;
	ck_assert_int_eq(trace_read_memory(&trace, "text", text, len, 0, &msg), 0);
	ck_assert_uint_eq(trace.nr_events, file.nr_events);
	ck_assert_mem_eq(trace.events, file.events,
			 file.nr_events * sizeof(*file.events));
	ck_assert_str_eq(trace.sha256, "");
	trace_free(&file);
	free(text);
}
END_TEST

START_TEST(the_hash_is_that_of_the_file_even_if_reading_stops_early)
{
	/* sha256sum tests/data/perf-shapes.txt */
	static const char known[] = "4c3bd73d819a35846fc974d6531591c7863acc3c5af4dd6c20cbdce637afaaf1";

	read_ok(SHAPES, 0);
	ck_assert_str_eq(trace.sha256, known);
	trace_free(&trace);
	read_ok(SHAPES, 2);
	ck_assert_str_eq(trace.sha256, known);
	ck_assert_uint_eq(trace.nr_events, 2);
}
END_TEST

START_TEST(the_sample_reads_whole_and_in_order)
{
	read_ok(SAMPLE, 0);
	ck_assert_uint_eq(trace.nr_events, 100672);
	ck_assert_uint_eq(trace.lines, 100672);
	ck_assert_uint_eq(trace.other_events, 0);
	for (size_t i = 1; i < trace.nr_events; i++)
		ck_assert(trace.events[i - 1].time_ns <= trace.events[i].time_ns);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("perf_text");
	TCase *tc = tcase_create("lines");

	tcase_add_checked_fixture(tc, scratch_setup, teardown);
	tcase_add_test(tc, lines_of_all_shapes_give_their_events);
	tcase_add_test(tc, seconds_may_be_those_since_1970);
	tcase_add_loop_test(tc, decimals_of_any_number_are_read, 0, 9 * 10);
	tcase_add_test(tc, lines_losses_and_strangers_are_counted);
	tcase_add_test(tc, a_fallback_is_read_and_its_misprinted_key_is_not);
	tcase_add_test(tc, flags_are_read_by_name_and_numbers_are_unknown);
	tcase_add_test(tc, events_out_of_order_are_sorted_and_ties_stay);
	tcase_add_test(tc, many_events_out_of_order_are_sorted_like_few);
	tcase_add_test(tc, a_last_line_without_end_counts_if_it_is_whole);
	tcase_add_test(tc, line_ends_of_other_systems_do_no_harm);
	tcase_add_test(tc, page_zero_is_a_page_if_its_address_says_so);
	tcase_add_test(tc, names_are_kept_once_however_many_lines_have_them);
	tcase_add_loop_test(tc, compressed_text_is_the_same_trace_with_another_hash, 0,
			    ARRAY_SIZE(packers));
	tcase_add_test(tc, text_in_memory_is_the_same_trace_without_a_hash);
	tcase_add_test(tc, the_hash_is_that_of_the_file_even_if_reading_stops_early);
	tcase_add_test(tc, the_sample_reads_whole_and_in_order);
	suite_add_tcase(s, tc);

	return run_suite(s);
}
