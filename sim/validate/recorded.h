/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recorded.h - the recorded machine, event by event, on its own pages
 *
 *	           zone_locked            alloc
 *	  buddy ---------------> per-CPU -------> in use
 *	        <---------------         <-------
 *	             drain                 free
 *
 * The pfns of the events drive a set of free pages; nothing is decided here. So
 * the free blocks by order follow from the start state and the events alone,
 * and what disagrees with /proc/buddyinfo is an error of reading, of the start
 * state, or an event that was never sent. Where two events contradict each
 * other, the later one is believed and the case is counted.
 */
#ifndef PAGETAX_SIM_VALIDATE_RECORDED_H
#define PAGETAX_SIM_VALIDATE_RECORDED_H

#include "sim/source/bundle.h"
#include "sim/validate/buddy_stream.h"
#include "sim/validate/free_set.h"

/* x(name, what an event contradicted, and what was done) */
#define RECORDED_REPAIRS(x)                                                                  \
	x(bypass,          "frees that went past the per-CPU lists: the pages entered the buddy")   \
	x(left_absent,     "removals of pages that were not in the buddy: the rest was removed")     \
	x(entered_present, "entries of pages that were in the buddy: the rest entered")              \
	x(alloc_in_buddy,  "allocations of pages in the buddy (captured, or a lost removal): removed") \
	x(free_in_buddy,   "frees of pages in the buddy (taken without an event): removed")

enum recorded_repair {
#define REPAIR_ENUM(name, what) REPAIR_##name,
	RECORDED_REPAIRS(REPAIR_ENUM)
#undef REPAIR_ENUM
	NR_RECORDED_REPAIRS,
};

extern const char *const recorded_repair_names[NR_RECORDED_REPAIRS];

enum page_place {
	PLACE_IN_USE,
	PLACE_PCP,		/* in a per-CPU list */
	PLACE_BUDDY,
};

struct recorded {
	const struct bundle *bundle;
	const struct buddy_stream *stream;
	struct free_set free;
	uint8_t *place;		/* enum page_place of each page */

	uint64_t nr_events;	/* applied: not in the snapshot already */
	uint64_t repairs[NR_RECORDED_REPAIRS];
	uint64_t traced_allocs;	/* pages, since recorded_init() */
	uint64_t traced_frees;

	/*
	 * Pages that were handed out, or given back, without an event: a later
	 * free, or a later allocation or drain, tells. Inside per-CPU lists, so
	 * the set of free pages is not concerned.
	 */
	uint64_t hidden_allocs;
	uint64_t hidden_frees;
};

/* The state at the start. 0 or -ENOMEM. */
int recorded_init(struct recorded *r, const struct bundle *b,
		  const struct buddy_stream *stream);
void recorded_destroy(struct recorded *r);

/* Pages in per-CPU lists now, as far as known. Looks at every page. */
uint64_t recorded_nr_parked(const struct recorded *r);

/* Apply event i of the trace; events come in order. */
void recorded_apply(struct recorded *r, size_t i);

#endif
