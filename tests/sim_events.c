/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_events.c - what a reader must have made of a trace, event by event */
#include <check.h>

#include "tests/sim_events.h"

static void expect_event(const struct trace *trace, const struct event *ev,
			 const struct expected_event *expected)
{
	ck_assert_uint_eq(ev->time_ns, expected->time_ns);
	ck_assert_uint_eq(ev->pfn, expected->pfn);
	ck_assert_str_eq(trace->comms[ev->comm], expected->comm);
	ck_assert_uint_eq(ev->cpu, expected->cpu);
	ck_assert_uint_eq(ev->kind, expected->kind);
	ck_assert_uint_eq(ev->order, expected->order);
	ck_assert_uint_eq(ev->migratetype, expected->migratetype);
	ck_assert_uint_eq(ev->flags, expected->flags);
}

void expect_events(const struct trace *trace, const struct expected_event *expected,
		   size_t nr)
{
	ck_assert_uint_eq(trace->nr_events, nr);
	for (size_t i = 0; i < nr; i++)
		expect_event(trace, &trace->events[i], &expected[i]);
}
