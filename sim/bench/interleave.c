/* SPDX-License-Identifier: GPL-2.0-or-later */
/* interleave.c - coroutines, and a depth-first walk over their schedules */
#include <assert.h>
#include <stdlib.h>
#include <ucontext.h>

#include "sim/bench/interleave.h"

#define MAX_STEPS 128			/* of one run, by all threads */
#define STACK_BYTES (128 * 1024)

struct coroutine {
	ucontext_t context;
	bool done;
	unsigned char stack[STACK_BYTES];
};

struct interleaver {
	const struct interleave_test *test;
	ucontext_t scheduler;
	struct coroutine threads[INTERLEAVE_THREADS];
	unsigned int running;

	/* The schedule: at each step, which of the runnable ones, of how many. */
	unsigned char choice[MAX_STEPS];
	unsigned char choices[MAX_STEPS];
	unsigned int nr_steps;		/* of the last run */
};

/*
 * makecontext() hands no pointer on, and a step knows none: the walk that runs
 * in this thread.
 */
static _Thread_local struct interleaver *walk;

static void thread_main(void)
{
	struct interleaver *il = walk;

	il->test->thread(il->test->arg, il->running);
	il->threads[il->running].done = true;
}

/* Outside of the threads a touch is no step. */
static void step(void *arg)
{
	struct interleaver *il = walk;

	(void)arg;
	if (il->running < il->test->nr_threads)
		swapcontext(&il->threads[il->running].context, &il->scheduler);
}

void interleave_watch(struct cost *cost)
{
	cost->step = step;
}

static unsigned int runnable(const struct interleaver *il,
			     unsigned int who[INTERLEAVE_THREADS])
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < il->test->nr_threads; i++)
		if (!il->threads[i].done)
			who[nr++] = i;
	return nr;
}

static void start_thread(struct interleaver *il, unsigned int i)
{
	struct coroutine *co = &il->threads[i];

	getcontext(&co->context);
	co->context.uc_stack.ss_sp = co->stack;
	co->context.uc_stack.ss_size = sizeof(co->stack);
	co->context.uc_link = &il->scheduler;
	co->done = false;
	makecontext(&co->context, thread_main, 0);
}

/*
 * One run: the first `given` choices are set, from there on the first thread.
 * False when it was cut; its threads are then left where they stand.
 */
static bool run_once(struct interleaver *il, unsigned int given)
{
	const struct interleave_test *test = il->test;
	unsigned int who[INTERLEAVE_THREADS], nr;

	il->running = test->nr_threads;
	test->begin(test->arg);
	for (unsigned int i = 0; i < test->nr_threads; i++)
		start_thread(il, i);
	il->nr_steps = 0;
	while ((nr = runnable(il, who)) && il->nr_steps < test->max_steps) {
		unsigned int at = il->nr_steps++;

		if (at >= given)
			il->choice[at] = 0;
		il->choices[at] = (unsigned char)nr;
		il->running = who[il->choice[at]];
		swapcontext(&il->scheduler, &il->threads[il->running].context);
	}
	il->running = test->nr_threads;
	test->end(test->arg, nr > 0);
	return nr == 0;
}

/* The next schedule in order; false after the last. */
static bool next_schedule(struct interleaver *il, unsigned int *given)
{
	unsigned int at = il->nr_steps;

	while (at--) {
		if (il->choice[at] + 1 < il->choices[at]) {
			il->choice[at]++;
			*given = at + 1;
			return true;
		}
	}
	return false;
}

void interleave(const struct interleave_test *test,
		struct interleave_result *result)
{
	struct interleaver *il = calloc(1, sizeof(*il));
	unsigned int given = 0;
	bool more = true;

	*result = (struct interleave_result){ 0 };
	if (!il)
		return;
	assert(test->nr_threads <= INTERLEAVE_THREADS);
	assert(test->max_steps <= MAX_STEPS);
	il->test = test;
	walk = il;
	while (more && result->runs < test->max_runs) {
		bool ended = run_once(il, given);

		result->runs++;
		if (ended && il->nr_steps > result->most_steps)
			result->most_steps = il->nr_steps;
		more = next_schedule(il, &given);
	}
	result->complete = !more;
	walk = NULL;
	free(il);
}
