/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine.h - the simulated clock, and those who act when it gets there
 *
 * A source is a function with its context: a sampler, the once-a-second tick,
 * later a process of a workload. Sources ask to be called at a time; the
 * engine calls them in order of time, and of asking when the times are equal.
 */
#ifndef PAGETAX_SIM_ENGINE_H
#define PAGETAX_SIM_ENGINE_H

#include "sim/event_queue.h"

#define ENGINE_MAX_SOURCES 1024

struct engine;

/* Called at engine->now_ns. A negative errno ends the run. */
typedef int engine_fn(struct engine *engine, void *ctx, uint32_t arg);

struct engine {
	uint64_t now_ns;		/* simulated time; never goes back */
	uint64_t nr_events;		/* so far */
	struct event_queue queue;
	unsigned int nr_sources;
	struct engine_source {
		engine_fn *fn;
		void *ctx;
	} sources[ENGINE_MAX_SOURCES];
};

void engine_init(struct engine *engine);
void engine_destroy(struct engine *engine);

/* Make a source known; returns the number to name it by. */
unsigned int engine_add_source(struct engine *engine, engine_fn *fn, void *ctx);

/* Have events announced to fn shortly before they are due: event_queue.h. */
void engine_announce(struct engine *engine, queue_soon_fn *fn, void *ctx);

/* Call the source at time_ns, which must not be past. 0 or -ENOMEM. */
int engine_at(struct engine *engine, uint64_t time_ns, unsigned int source,
	      uint32_t arg);

#define TICK_NS UINT64_C(1000000000)	/* per-CPU lists decay once a second */

/*
 * Call the source of ticks again, a second from now, but not after last_ns. If
 * nothing but the entries of the queue happens before idle_ns, ticks before the
 * first of them are left out: for one who has found that they do nothing. Else
 * idle_ns is now.
 */
int engine_tick(struct engine *engine, unsigned int source, uint64_t idle_ns,
		uint64_t last_ns);

/*
 * Call everything that is due up to and including until_ns; the clock then
 * stands there. 0, or what a source returned.
 */
int engine_run(struct engine *engine, uint64_t until_ns);

static inline uint64_t engine_next_ns(const struct engine *engine)
{
	return event_queue_next_ns(&engine->queue);
}

#endif
