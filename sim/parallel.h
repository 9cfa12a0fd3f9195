/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parallel.h - several allocators replay one plan, side by side */
#ifndef PAGETAX_SIM_PARALLEL_H
#define PAGETAX_SIM_PARALLEL_H

#include "sim/replay.h"

#define MAX_JOBS 1024

/*
 * replay() for each of the specs, at most `jobs` at a time; runs[i] belongs to
 * specs[i], and all of them are set, for the caller to free. What the runs
 * hold does not depend on `jobs`, wall-clock figures apart. plan->progress is
 * called by one thread at a time; `done` (NULL: nobody asks) after each replay
 * that ended well, under the same lock.
 *
 * 0, or what the first spec of the list that fails ends with: the same one
 * that would have ended a run of one after the other.
 */
int replay_each(struct replay_run *runs, const struct replay_plan *plan,
		char *const *specs, unsigned int nr, unsigned int jobs,
		void (*done)(void *ctx), struct msg *msg);

/* Processors this process may run on, from 1 to MAX_JOBS. */
unsigned int processors(void);

#endif
