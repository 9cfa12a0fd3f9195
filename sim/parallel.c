/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parallel.c - replays on threads
 *
 *    specs    linked   twoword   memdesc   null        a shared list
 *                |        |         |        |
 *    threads     A        B      B, free     ...       each takes the next one
 *                                first
 *    plan     layout, demand, start state, samples     const for all
 *
 * A replay owns its machine, its allocator and its table of blocks; the
 * library has no variables that are written. So nothing is shared but the next
 * index and the progress line, both under one lock, which is taken once for
 * each sample at most.
 *
 * What two processors gain is bound by the longest replay, and by memory: the host
 * clears a machine's tables before it gives them, which is a good part of a short
 * replay's time (`pagetax bench --pattern stream` has copies of one beside it). Of
 * linked and twoword over cc, linked alone is 0.63, so two at a time take 0.66, and up
 * to 1.05 where a hypervisor hands out memory slowly. Whole runs of `replay --jobs 2`
 * with linked, twoword, memdesc, embedded16 and packed8 take 0.57 of `--jobs 1`. A
 * thread that keeps its tables for the next allocator has the first ones wait as
 * before, which is what two wait for.
 *
 * A 32-bit host has addresses for few machines, so no more are made at a time.
 *
 * When a replay fails, those before it in the list go on, for one of them may
 * fail, too, and then it is the one to be told about; those behind it stop at
 * their next sample.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "sim/parallel.h"

struct crew {
	const struct replay_plan *plan;	/* the caller's */
	struct replay_run *runs;
	char *const *specs;
	unsigned int nr;
	void (*done)(void *ctx);

	pthread_mutex_t lock;		/* over what follows, and over progress */
	unsigned int next;		/* spec that nobody has taken */
	unsigned int failed;		/* first spec that failed; nr: none */
	int err;			/* what it ended with */
	struct msg *msg;
};

/* One replay's way back to its crew. */
struct turn {
	struct crew *crew;
	unsigned int index;
};

static bool turn_progress(void *ctx, const char *allocator, uint64_t ops,
			  uint64_t nr_ops)
{
	const struct turn *turn = ctx;
	struct crew *crew = turn->crew;
	const struct replay_plan *plan = crew->plan;
	bool go_on;

	pthread_mutex_lock(&crew->lock);
	go_on = turn->index < crew->failed &&
		(!plan->progress || plan->progress(plan->progress_ctx, allocator,
						   ops, nr_ops));
	pthread_mutex_unlock(&crew->lock);
	return go_on;
}

/* Take the next spec; false when there is none worth beginning. */
static bool crew_take(struct crew *crew, unsigned int *index)
{
	bool taken;

	pthread_mutex_lock(&crew->lock);
	taken = crew->next < crew->nr && crew->failed == crew->nr;
	if (taken)
		*index = crew->next++;
	pthread_mutex_unlock(&crew->lock);
	return taken;
}

static void crew_end(struct crew *crew, unsigned int index, int err,
		     const struct msg *why)
{
	pthread_mutex_lock(&crew->lock);
	if (err && index < crew->failed) {
		crew->failed = index;
		crew->err = err;
		*crew->msg = *why;
	}
	if (!err && crew->done)
		crew->done(crew->plan->progress_ctx);
	pthread_mutex_unlock(&crew->lock);
}

static void *crew_work(void *arg)
{
	struct crew *crew = arg;
	struct turn turn = { .crew = crew };

	while (crew_take(crew, &turn.index)) {
		struct replay_plan plan = *crew->plan;
		struct msg why;
		int err;

		plan.progress = turn_progress;
		plan.progress_ctx = &turn;
		err = replay(&crew->runs[turn.index], &plan,
			     crew->specs[turn.index], &why);
		crew_end(crew, turn.index, err, &why);
	}
	return NULL;
}

/* A quarter of the addresses is for the kernel, the trace and the program. */
static unsigned int machines_at_once(const struct layout *layout)
{
	uint64_t nr = SIZE_MAX / 4 * 3 / machine_addresses(layout);

	return (unsigned int)min_t(uint64_t, max_t(uint64_t, nr, 1), MAX_JOBS);
}

int replay_each(struct replay_run *runs, const struct replay_plan *plan,
		char *const *specs, unsigned int nr, unsigned int jobs,
		void (*done)(void *ctx), struct msg *msg)
{
	struct crew crew = {
		.plan = plan,
		.runs = runs,
		.specs = specs,
		.nr = nr,
		.done = done,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.failed = nr,
		.msg = msg,
	};
	pthread_t threads[MAX_JOBS];
	unsigned int nr_threads = 0;

	for (unsigned int i = 0; i < nr; i++)
		runs[i] = (struct replay_run){ 0 };
	jobs = min_t(unsigned int, jobs, min_t(unsigned int, nr,
					       machines_at_once(plan->layout)));
	/* This thread works, too; one that cannot be had is done without. */
	while (nr_threads + 1 < jobs &&
	       !pthread_create(&threads[nr_threads], NULL, crew_work, &crew))
		nr_threads++;
	crew_work(&crew);
	while (nr_threads)
		pthread_join(threads[--nr_threads], NULL);
	pthread_mutex_destroy(&crew.lock);
	return crew.err;
}

unsigned int processors(void)
{
	cpu_set_t set;
	int nr = 1;

	if (!sched_getaffinity(0, sizeof(set), &set))
		nr = CPU_COUNT(&set);
	return (unsigned int)min_t(int, nr, MAX_JOBS);
}
