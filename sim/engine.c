/* SPDX-License-Identifier: GPL-2.0-or-later */
/* engine.c - run the queue of events against the simulated clock */
#include <assert.h>

#include "sim/engine.h"

void engine_init(struct engine *engine)
{
	engine->now_ns = 0;
	engine->nr_sources = 0;
	engine->nr_events = 0;
	event_queue_init(&engine->queue);
}

void engine_destroy(struct engine *engine)
{
	event_queue_destroy(&engine->queue);
}

unsigned int engine_add_source(struct engine *engine, engine_fn *fn, void *ctx)
{
	unsigned int source = engine->nr_sources++;

	assert(source < ENGINE_MAX_SOURCES);
	engine->sources[source] = (struct engine_source){ fn, ctx };
	return source;
}

void engine_announce(struct engine *engine, queue_soon_fn *fn, void *ctx)
{
	engine->queue.soon = fn;
	engine->queue.soon_ctx = ctx;
}

int engine_at(struct engine *engine, uint64_t time_ns, unsigned int source,
	      uint32_t arg)
{
	assert(source < engine->nr_sources);
	assert(time_ns >= engine->now_ns);
	return event_queue_push(&engine->queue, time_ns, source, arg);
}

/*
 * The tick is asked for earlier than if those before it had been called; but nobody
 * else asks for anything in between, so its place among entries of its time is the
 * same.
 */
int engine_tick(struct engine *engine, unsigned int source, uint64_t idle_ns,
		uint64_t last_ns)
{
	uint64_t until_ns = min_t(uint64_t, idle_ns, engine_next_ns(engine));
	uint64_t ticks = 1;

	assert(until_ns >= engine->now_ns);
	if (until_ns > engine->now_ns)
		ticks = (until_ns - engine->now_ns - 1) / TICK_NS + 1;
	if (last_ns < engine->now_ns || (last_ns - engine->now_ns) / TICK_NS < ticks)
		return 0;
	return engine_at(engine, engine->now_ns + ticks * TICK_NS, source, 0);
}

int engine_run(struct engine *engine, uint64_t until_ns)
{
	struct queue_entry entry;

	assert(until_ns >= engine->now_ns);
	while (!event_queue_empty(&engine->queue) &&
	       engine_next_ns(engine) <= until_ns) {
		const struct engine_source *source;
		int err;

		event_queue_pop(&engine->queue, &entry);
		engine->now_ns = entry.time_ns;
		engine->nr_events++;
		source = &engine->sources[entry.source];
		err = source->fn(engine, source->ctx, entry.arg);
		if (err)
			return err;
	}
	engine->now_ns = until_ns;
	return 0;
}
