/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * open_loop.h - level L0: the recorded pages themselves, against every sample
 *
 * Proves reader, start state and coverage of the events: the free blocks by
 * order follow from the recorded pfns, whatever the policy was. Its score also
 * tells which samples nobody could predict (see brackets_flag_reporting()).
 */
#ifndef PAGETAX_SIM_VALIDATE_OPEN_LOOP_H
#define PAGETAX_SIM_VALIDATE_OPEN_LOOP_H

#include "sim/validate/recorded.h"
#include "sim/validate/scorer.h"

/*
 * The kernel's own counters against what was seen, from the first to the last
 * of their samples that the snapshot and the trace cover.
 */
struct books {
	bool known;		/* the counters were recorded */
	uint64_t counted;	/* pages, by the kernel */
	uint64_t traced;	/* pages, by events */
	uint64_t hidden;	/* pages, inferred from later events */
	uint64_t by_number;	/* pages, inferred from the counts of per-CPU lists */
};

/* |traced + hidden + by_number - counted| / counted; 0: nothing was counted. */
double books_error(const struct books *books);

struct open_loop {
	struct scorer scorer;
	struct books allocs;	/* pgalloc_* */
	struct books frees;	/* pgfree */
	uint64_t nr_events;
	uint64_t repairs[NR_RECORDED_REPAIRS];
	uint64_t hidden_allocs;	/* pages, as are the next */
	uint64_t hidden_frees;
};

/* 0 or -ENOMEM. The brackets must stay. */
int open_loop_run(struct open_loop *o, const struct bundle *b,
		  const struct buddy_stream *stream, const struct brackets *br);
void open_loop_free(struct open_loop *o);

double open_loop_repairs_per_event(const struct open_loop *o);

#endif
