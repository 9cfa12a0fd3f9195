/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * perf_print.c - lines as perf script prints them
 *
 * Built of pieces by hand: printf would take as long as reading, sorting and
 * packing the trace together. What perf tells and an event does not hold (the
 * thread, the order of pageblocks) is printed as perf would print "unknown" or
 * as Linux has it by default.
 */
#include <assert.h>
#include <string.h>

#include "sim/source/gfp.h"
#include "sim/source/perf_print.h"

#define COMM_WIDTH 16
#define COMM_LIMIT 256			/* a kernel's names end at 15 */

static char *put_text(char *p, const char *text)
{
	size_t len = strlen(text);

	memcpy(p, text, len);
	return p + len;
}

/* At least `width` digits. */
static char *put_decimal(char *p, uint64_t value, unsigned int width)
{
	char digits[20];
	unsigned int n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value || n < width);
	while (n)
		*p++ = digits[--n];
	return p;
}

static char *put_hex(char *p, uint64_t value)
{
	unsigned int shift = 60;

	p = put_text(p, "0x");
	while (shift && !(value >> shift))
		shift -= 4;
	for (;; shift -= 4) {
		*p++ = "0123456789abcdef"[value >> shift & 15];
		if (!shift)
			return p;
	}
}

static char *put_value(char *p, const char *key, uint64_t value)
{
	return put_decimal(put_text(p, key), value, 1);
}

/* "            perf 26104 [001]  3732.159478754: " */
static char *put_columns(char *p, const struct event *ev, const char *comm,
			 int thread)
{
	size_t len = strnlen(comm, COMM_LIMIT);

	for (size_t i = len; i < COMM_WIDTH; i++)
		*p++ = ' ';
	memcpy(p, comm, len);
	p += len;
	*p++ = ' ';
	if (thread < 0)
		p = put_text(p, "-1");
	else
		p = put_decimal(p, (uint64_t)thread, 1);
	p = put_decimal(put_text(p, " ["), ev->cpu, 3);
	p = put_decimal(put_text(p, "] "), ev->time_ns / 1000000000, 5);
	p = put_decimal(put_text(p, "."), ev->time_ns % 1000000000, 9);
	return put_text(p, ": ");
}

static char *put_page(char *p, const struct event *ev)
{
	if (ev->kind == EV_ALLOC && ev->pfn == EVENT_PFN_FAILED)
		return put_text(p, "page=(nil) pfn=0x0");
	p = put_hex(put_text(p, "page="), ev->pfn);
	return put_hex(put_text(p, " pfn="), ev->pfn);
}

static char *put_extfrag(char *p, const struct event *ev)
{
	p = put_value(p, " alloc_order=", ev->order);
	p = put_value(p, " fallback_order=", ev->fallback_order);
	p = put_value(p, " pageblock_order=", PAGEBLOCK_ORDER);
	p = put_value(p, " alloc_migratetype=", ev->migratetype);
	p = put_value(p, " fallback_migratetype=", ev->fallback_migratetype);
	p = put_value(p, " fragmenting=", ev->fallback_order < PAGEBLOCK_ORDER);
	return put_value(p, " change_ownership=",
			 !!(ev->flags & EVENT_CHANGE_OWNERSHIP));
}

static char *put_values(char *p, const struct event *ev)
{
	char flags[512];

	p = put_page(p, ev);
	if (ev->kind == EV_EXTFRAG)
		return put_extfrag(p, ev);
	p = put_value(p, " order=", ev->order);
	if (ev->kind == EV_ALLOC || ev->kind == EV_ZONE_LOCKED || ev->kind == EV_PCPU_DRAIN)
		p = put_value(p, " migratetype=", ev->migratetype);
	if (ev->kind == EV_ALLOC)
		p = put_text(put_text(p, " gfp_flags="),
			     gfp_format(ev->gfp, flags, sizeof(flags)));
	if (ev->kind == EV_ZONE_LOCKED)
		p = put_value(p, " percpu_refill=", !!(ev->flags & EVENT_REFILL));
	return p;
}

size_t perf_print(char line[PERF_LINE_BYTES], const struct event *ev,
		  const char *comm, int thread)
{
	char *p = put_columns(line, ev, comm, thread);

	if (ev->kind == EV_LOST) {
		p = put_value(p, "PERF_RECORD_LOST lost ", ev->pfn);
	} else {
		p = put_text(p, "kmem:");
		p = put_text(p, event_kind_names[ev->kind]);
		p = put_values(put_text(p, ": "), ev);
	}
	*p++ = '\n';
	assert(p <= line + PERF_LINE_BYTES);
	return (size_t)(p - line);
}
