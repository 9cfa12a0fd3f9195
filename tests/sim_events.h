/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_events.h - what a reader must have made of a trace, event by event */
#ifndef PAGETAX_TESTS_SIM_EVENTS_H
#define PAGETAX_TESTS_SIM_EVENTS_H

#include "sim/source/trace.h"

struct expected_event {
	uint64_t time_ns, pfn;
	const char *comm;
	uint16_t cpu;
	uint8_t kind, order, migratetype, flags;
};

/* Exactly these, in this order. */
void expect_events(const struct trace *trace, const struct expected_event *expected,
		   size_t nr);

#endif
