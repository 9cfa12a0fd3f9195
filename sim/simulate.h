/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * simulate.h - one described workload against one allocator
 *
 * The result is the same struct replay_run that a replay leaves, with figures
 * by class besides. What is drawn by chance comes from one stream for each
 * class, so all allocators see the same demand for as long as none of them
 * makes memory run low.
 */
#ifndef PAGETAX_SIM_SIMULATE_H
#define PAGETAX_SIM_SIMULATE_H

#include "sim/initial_state.h"
#include "sim/replay.h"
#include "sim/workload/scenario.h"

struct record;

/* Shared by all simulations of a comparison, and const while they run. */
struct simulate_plan {
	const struct scenario *scenario;
	const struct layout *layout;
	const struct initial_state *start;
	const struct allocatee_table *allocatees;
	uint64_t seed;
	uint64_t sample_ns;		/* between samples; not 0 */
	enum window_mode window;
	bool checked;			/* wrap every allocator in checked.c */
	bool teardown;			/* free everything at the end and compare */
	bool compaction;		/* for requests of order 4 or more */
	struct record *record;		/* NULL: none */

	/* Called often; false ends the run with -EINTR. NULL: none. */
	bool (*progress)(void *ctx, const char *allocator, uint64_t now_ns,
			 uint64_t end_ns, uint64_t ops);
	void *progress_ctx;
};

/*
 * Simulate the plan with the allocator of this spec. 0, or a negative errno
 * with a message. -EINTR when progress() said so: the run then holds what
 * there was up to that moment, verified like any other. The caller frees the
 * run in any case.
 */
int simulate(struct replay_run *run, const struct simulate_plan *plan,
	     const char *spec, struct msg *msg);

#endif
