/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ftrace_text.c - tracefs and trace-cmd text is read as it was meant */
#include <check.h>
#include <string.h>

#include "sim/source/gfp.h"
#include "tests/sim_events.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

static struct trace trace;
static struct msg msg;

static const char tracefs[] =
	"# tracer: nop\n"
	"#\n"
	"# entries-in-buffer/entries-written: 9/9   #P:2\n"
	"#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n"
	"            bash-27248   [001] .....   974.070564: mm_page_alloc: page=000000009edace51 pfn=0x5f03df order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_ZERO|__GFP_COMP\n"
	"          <idle>-0       [000] d.s3.   974.070565: mm_page_free: page=0000000011223344 pfn=0x5f03e0 order=2\n"
	"CPU:1 [LOST 444 EVENTS]\n"
	" kworker/u4:1-e-27   (  27) [001] d..1.   974.070566: mm_page_pcpu_drain: page=00000000 pfn=0x10 order=0 migratetype=2\n"
	"   a: mm_b - 1 2-3  (-----) [001] .....   974.070567: mm_page_alloc_zone_locked: page=00000000 pfn=16 order=1 migratetype=0 percpu_refill=1\n"
	"            bash-27248   [001] .....   974.070568: kfree: call_site=foo ptr=000000001\n"
	"            bash-27248   [001] .....   974.070569: mm_page_alloc_extfrag: page=00000000 pfn=0x400 alloc_order=3 fallback_order=10 pageblock_order=9 alloc_migratetype=0 fallback_migratetype=1 fragmenting=0 change_ownership=1\n"
	"CPU:0 [LOST EVENTS]\n"
	"            bash-27248   [001] .....   974.070570: mm_page_alloc: page=(nil) pfn=0x0 order=9 migratetype=1 gfp_flags=GFP_TRANSHUGE\n";

static const char trace_cmd[] =
	"cpus=2\n"
	"            bash-27248 [001]   974.070564: mm_page_alloc:        page=0x5f03df pfn=0x5f03df order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_ZERO|__GFP_COMP\n"
	"          <idle>-0     [000]   974.070565: mm_page_free:         page=0x5f03e0 pfn=0x5f03e0 order=2\n"
	"CPU:1 [444 EVENTS DROPPED]\n"
	"  kworker/u4:1-e-27    [001]   974.070566: mm_page_pcpu_drain:   page=0x10 pfn=0x10 order=0 migratetype=2\n"
	"   a: mm_b - 1 2-3     [001]   974.070567: mm_page_alloc_zone_locked: page=0x10 pfn=0x10 order=1 migratetype=0 percpu_refill=1\n"
	"            bash-27248 [001]   974.070568: kfree:                call_site=foo ptr=0x1\n"
	"            bash-27248 [001] d..1.   974.070569: mm_page_alloc_extfrag: page=0x400 pfn=0x400 alloc_order=3 fallback_order=10 pageblock_order=9 alloc_migratetype=0 fallback_migratetype=1 fragmenting=10 change_ownership=1\n"
	"CPU:0 [EVENTS DROPPED]\n"
	"            bash-27248 [001]   974.070570: mm_page_alloc:        page=0 pfn=0x0 order=9 migratetype=1 gfp_flags=GFP_TRANSHUGE\n";

static const struct {
	const char *format, *text;
} formats[] = {
	{ "tracefs-text", tracefs }, { "trace-cmd-text", trace_cmd },
};

/* The events of both, in their order. */
static const struct expected_event shapes[] = {
	{ 974070564000, 0x5f03df, "bash", 1, EV_ALLOC, 0, 1, 0 },
	{ 974070565000, 0x5f03e0, "<idle>", 0, EV_FREE, 2, 0, 0 },
	{ 974070565000, 444, "", 1, EV_LOST, 0, 0, 0 },
	{ 974070566000, 0x10, "kworker/u4:1-e", 1, EV_PCPU_DRAIN, 0, 2, 0 },
	{ 974070567000, 0x10, "a: mm_b - 1 2", 1, EV_ZONE_LOCKED, 1, 0, EVENT_REFILL },
	{ 974070569000, 0x400, "bash", 1, EV_EXTFRAG, 3, 0, EVENT_CHANGE_OWNERSHIP },
	{ 974070569000, 1, "", 0, EV_LOST, 0, 0, 0 },
	{ 974070570000, EVENT_PFN_FAILED, "bash", 1, EV_ALLOC, 9, 1, 0 },
};

static void read_text(const char *text)
{
	int err = trace_read(&trace, scratch_write_text("events", text), 0, &msg);

	ck_assert_msg(err == 0, "%s", err ? msg.text : "");
}

static void teardown(void)
{
	trace_free(&trace);
	scratch_teardown();
}

START_TEST(every_shape_of_line_gives_its_event)
{
	read_text(formats[_i].text);
	ck_assert_str_eq(trace.format, formats[_i].format);
	expect_events(&trace, shapes, ARRAY_SIZE(shapes));
	ck_assert_uint_eq(trace.lost, 445);
	ck_assert_uint_eq(trace.other_events, 1);
	ck_assert_uint_eq(trace.events[5].fallback_order, 10);
	ck_assert_uint_eq(trace.events[0].gfp & GFP(ZERO), GFP(ZERO));
}
END_TEST

/* What was lost before the buffer's oldest event: a trace begins with its first event. */
static const struct { const char *format, *text; } losses_first[] = {
	{ "tracefs-text",
	  "# tracer: nop\n"
	  "CPU:1 [LOST 444 EVENTS]\r\n"
	  "CPU:0 [LOST EVENTS]\r\n"
	  " sh-1 [001] ..... 974.5: mm_page_free: page=0x10 pfn=0x10 order=0\r\n" },
	{ "trace-cmd-text",
	  "cpus=2\n"
	  "CPU:1 [444 EVENTS DROPPED]\n"
	  "CPU:0 [EVENTS DROPPED]\n"
	  " sh-1 [001] 974.5: mm_page_free: page=0x10 pfn=0x10 order=0\n" },
	{ "perf-text",
	  " sh 1 [001] 0.000000: PERF_RECORD_LOST lost 444\n"
	  " sh 1 [000] 0.000000: PERF_RECORD_LOST lost 1\n"
	  " sh 1 [001] 974.5: kmem:mm_page_free: page=0x10 pfn=0x10 order=0\n" },
};

START_TEST(losses_before_the_first_event_have_its_time)
{
	read_text(losses_first[_i].text);
	ck_assert_str_eq(trace.format, losses_first[_i].format);
	ck_assert_uint_eq(trace.lost, 445);
	ck_assert_uint_eq(trace.nr_events, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(trace.events[i].time_ns, 974500000000);
	ck_assert_uint_eq(trace.events[0].cpu, 1);
	ck_assert_uint_eq(trace.events[2].kind, EV_FREE);
}
END_TEST

/* trace-cmd report -R: raw fields in the event's own order, pfn -1 for none. */
START_TEST(raw_fields_in_any_order_are_read)
{
	read_text(" sh-1 [000] 1.5: mm_page_alloc: pfn=0x20 order=5 gfp_flags=0x440dc0 migratetype=1\n"
		  " sh-1 [000] 1.6: mm_page_alloc: pfn=0xffffffffffffffff order=1 gfp_flags=0x1 migratetype=0\n");
	ck_assert_uint_eq(trace.events[0].order, 5);
	ck_assert_uint_eq(trace.events[0].gfp, GFP(UNKNOWN));
	ck_assert(trace.events[1].pfn == EVENT_PFN_FAILED);
}
END_TEST

static const struct { const char *line, *message; } bad[] = {
	{ " sh-1 [000] ..... 1.5: mm_page_free: pfn=zz order=0\n", "a number" },
	{ " sh-1 [000] ..... 1.5: mm_page_free: pfn=1\n", "without order=" },
	{ " sh-1 [000] ..... 1,5: mm_page_free: pfn=1 order=0\n", "seconds.decimals" },
	{ " sh-1 [000] ..... 1.1234567x: mm_page_free: pfn=1 order=0\n", "seconds.decimals" },
	{ " sh-1 [000] ..... 1.x2345678: mm_page_free: pfn=1 order=0\n", "seconds.decimals" },
	{ " sh-1 [000] ..... 1.1234567890: mm_page_free: pfn=1 order=0\n", "seconds.decimals" },
	{ " sh-1 [000] ..... 1.123a: mm_page_free: pfn=1 order=0\n", "seconds.decimals" },
	{ " sh-1 [000] ..... a.5: mm_page_free: pfn=1 order=0\n", "seconds.decimals" },
	{ " sh-1 [00a] ..... 1.5: mm_page_free: pfn=1 order=0\n", "the cpu" },
	{ " sh-1 [000] ..... 1.5: mm_page_alloc_zone_locked: order=0 migratetype=1 percpu_refill=1\n",
	  "without pfn=" },
	{ " sh-1 [zero] ..... 1.5: mm_page_free: pfn=1 order=0\n", "the cpu" },
	{ " sh-1 [4096] ..... 1.5: mm_page_free: pfn=1 order=0\n", "the cpu" },
	{ " sh-1 [000] ..... 1.5: mm_page_free: pfn=1 order=2\n", "multiple of 4" },
	{ " sh-1 [000] ..... 1.5: mm_page_free: pfn=1 order=11\n", "an order" },
};

START_TEST(a_broken_line_is_named_with_what_was_expected)
{
	char text[512] = " sh-1 [000] ..... 1.4: mm_page_free: pfn=1 order=0\n";

	strcat(text, bad[_i].line);
	ck_assert_int_lt(trace_read(&trace, scratch_write_text("events", text), 0, &msg), 0);
	ck_assert_msg(strstr(msg.text, "events:2: ") && strstr(msg.text, bad[_i].message),
		      "%s", msg.text);
}
END_TEST

/* Only what ends in a colon is a time; text of another kind may name an event, too. */
START_TEST(a_line_without_a_time_is_no_event)
{
	read_text(" sh-1 [000] ..... 1.4: mm_page_free: pfn=1 order=0\n"
		  " sh-1 [000] ..... 1.5 mm_page_free: pfn=2 order=0\n"
		  "mm_page_free: pfn=3 order=0\n");
	ck_assert_uint_eq(trace.nr_events, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ftrace_text");
	TCase *tc = tcase_create("ftrace_text");

	tcase_add_checked_fixture(tc, scratch_setup, teardown);
	tcase_add_loop_test(tc, every_shape_of_line_gives_its_event, 0, ARRAY_SIZE(formats));
	tcase_add_loop_test(tc, losses_before_the_first_event_have_its_time, 0,
			    ARRAY_SIZE(losses_first));
	tcase_add_test(tc, raw_fields_in_any_order_are_read);
	tcase_add_loop_test(tc, a_broken_line_is_named_with_what_was_expected, 0,
			    ARRAY_SIZE(bad));
	tcase_add_test(tc, a_line_without_a_time_is_no_event);
	suite_add_tcase(suite, tc);

	return run_suite(suite);
}
