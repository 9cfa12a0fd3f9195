/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay.h - one demand against one allocator
 *
 * What all allocators of a comparison share is made once and then only read
 * (struct replay_plan); what differs is made by each replay for itself
 * (struct replay_run). So replays may run one after another or side by side,
 * and the results are the same.
 */
#ifndef PAGETAX_SIM_REPLAY_H
#define PAGETAX_SIM_REPLAY_H

#include "alloc/allocator.h"
#include "sim/metrics/census.h"
#include "sim/metrics/class_result.h"
#include "sim/metrics/compact_result.h"
#include "sim/metrics/picture.h"
#include "sim/metrics/sample.h"
#include "sim/metrics/tax.h"
#include "sim/initial_state.h"

/* When samples are taken; times ascend, the first is 0, the last the end. */
struct sample_plan {
	uint64_t *times_ns;
	size_t nr;
};

#define MAX_SAMPLES 100000		/* 70 MB an allocator */

/*
 * Samples every `every_events` events, or else every `every_ns`, or when both
 * are 0 about 200 over the run; always one at the start and one at the end.
 * An event's sample is taken once all that happens at its time is done.
 * 0, -ENOMEM, or -EINVAL with a message for more than MAX_SAMPLES.
 */
int sample_plan_make(struct sample_plan *plan, const struct demand *d,
		     const struct trace *trace, uint64_t every_events,
		     uint64_t every_ns, struct msg *msg);
void sample_plan_free(struct sample_plan *plan);

/* Shared by all replays of a comparison, and const while they run. */
struct replay_plan {
	const struct layout *layout;
	const struct demand *demand;
	const struct bundle *bundle;	/* whose demand it is: for the owners */
	const struct allocatee_table *allocatees;	/* NULL: neither owners nor a picture */
	const struct initial_state *start;
	const struct sample_plan *samples;
	enum window_mode window;
	bool checked;			/* wrap every allocator in checked.c */
	bool teardown;			/* free everything at the end and compare */

	/*
	 * Called at each sample and once a simulated second in which anything
	 * happens; false ends the run with -EINTR. NULL: none.
	 */
	bool (*progress)(void *ctx, const char *allocator, uint64_t ops,
			 uint64_t nr_ops);
	void *progress_ctx;
};

/* x(name, what happened): what only one allocator's replay can know */
#define REPLAY_DIRTY(x)                                                             \
	x(frees_dropped,  "frees of blocks that this allocator had failed to give") \
	x(splits_refused, "partial frees that left the block whole")

/* What the engine of a simulation took of the host. */
struct engine_use {
	uint64_t events;
	uint64_t lives_peak;		/* allocations that it remembered, at most */
	uint64_t bytes_peak;		/* for them: queue, table of lives, reclaim lists */
};

struct replay_run {
	char *spec;			/* as the user wrote it: the row's name */
	const struct allocator_ops *ops;	/* the backend's own table */

	struct sample_series series;
	struct alloc_stats stats;	/* before a teardown, as all below */
	struct kmap_stats kmap;
	struct meta_account meta_start;	/* before the first operation */
	struct meta_account meta_end;
	struct tax tax;
	struct picture picture;
	struct census_series census;	/* who owned what this allocator gave */
	uint64_t free_path_allocations;
	struct cost_sums cost;		/* of the operations; nr_ops is 0: not counted */
	uint64_t events;		/* of the input, or simulated */
	uint64_t ops_done;
#define REPLAY_FIELD(name, what) uint64_t name;
	REPLAY_DIRTY(REPLAY_FIELD)
#undef REPLAY_FIELD

	bool verified;
	struct msg verify_msg;		/* why not */
	bool teardown;			/* asked for, and `restored` is its answer */
	bool restored;

	struct class_result *classes;	/* of a simulation: by class; NULL: a replay */
	unsigned int nr_classes;

	bool compaction;		/* of a simulation: asked for, and this is what it did */
	struct compact_result compact;

	struct engine_use engine;	/* of a simulation */

	/* Operations only: no samples, no set-up. */
	double wall_s;
	double cpu_s;
};

/*
 * Replay the plan against the allocator of this spec. 0, or a negative errno
 * with a message; -EINTR when progress() said so. A broken invariant found at
 * the end is not an error here: it is in run->verified. The caller frees the
 * run in any case.
 */
int replay(struct replay_run *run, const struct replay_plan *plan,
	   const char *spec, struct msg *msg);

/* Write down what the allocator and its machine have counted; verify it. */
void replay_run_note_end(struct replay_run *run, const struct allocator *a);
void replay_run_free(struct replay_run *run);

#endif
