/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * observers.c - samples, pictures of memory, and the tick of once a second
 *
 * What observing costs is not what the allocator costs, so both clocks of a
 * run stand still while a sample is taken.
 */
#include <errno.h>

#include "sim/simulation/simulation.h"
#include "sim/wall_clock.h"

/* Nothing was in use before the simulation. */
static const struct demand nobody = { .ops = NULL };

static int take_picture(struct simulation *sim)
{
	struct picture *p = &sim->run->picture;

	picture_begin(p, sim->engine.now_ns);
	for (uint32_t id = 0; id < sim->live.nr_ids; id++) {
		struct life life = live_get(&sim->live, id);

		if (life_is_live(life))
			picture_block(p, sim->allocator, life_pfn(life),
				      life_order(life),
				      sim->actors[life_class(life)].class->migratetype);
	}
	picture_metadata(p, sim->allocator, sim->plan->start, &nobody);
	return picture_end(p);
}

int sample_now(struct simulation *sim)
{
	uint64_t planned = end_of_run(sim) / sim->plan->sample_ns + 2;
	struct sample_series *series = &sim->run->series;
	int err = sample_take(series, sim->allocator, sim->engine.now_ns,
			      sim->run->ops_done);

	if (err)
		return err;
	if (!sim->run->ops->describes_allocatee)
		series->samples[series->nr - 1].allocatee_bytes = sim->census.bytes;
	if (sim->nr_samples++ % (planned / PICTURE_COLUMNS + 1))
		return 0;
	return take_picture(sim);
}

int sampler_fire(struct engine *engine, void *ctx, uint32_t arg)
{
	struct simulation *sim = ctx;
	uint64_t next_ns = engine->now_ns + sim->plan->sample_ns;
	double wall_s = wall_clock_s(), cpu_s = cpu_clock_s();
	int err = sample_now(sim);

	sim->run->wall_s -= wall_clock_s() - wall_s;
	sim->run->cpu_s -= cpu_clock_s() - cpu_s;
	if (err || next_ns >= end_of_run(sim))
		return err;
	return engine_at(engine, next_ns, sim->sampler, arg);
}

int progress_now(struct simulation *sim)
{
	const struct simulate_plan *plan = sim->plan;

	return !plan->progress ||
	       plan->progress(plan->progress_ctx, sim->run->spec, sim->engine.now_ns,
			      end_of_run(sim), sim->run->ops_done) ? 0 : -EINTR;
}

/* Whoever waits for long seconds of few operations may interrupt, too. */
int ticker_fire(struct engine *engine, void *ctx, uint32_t arg)
{
	struct simulation *sim = ctx;
	bool busy = allocator_tick(sim->allocator, engine->now_ns);

	(void)arg;
	if (progress_now(sim))
		return -EINTR;
	return engine_tick(engine, sim->ticker, busy ? engine->now_ns : end_of_run(sim),
			   end_of_run(sim) - 1);
}
