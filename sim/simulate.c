/* SPDX-License-Identifier: GPL-2.0-or-later */
/* simulate.c - phases of a described workload, its start and its end */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/registry.h"
#include "sim/simulation/simulation.h"
#include "sim/wall_clock.h"

/* Nothing is in use when a simulation begins. */
static const struct demand nobody = { .ops = NULL };

/* Phases */

static int release(struct simulation *sim, const struct phase_release *what)
{
	uint64_t seen = 0;

	for (uint32_t id = 0; id < sim->live.nr_ids; id++) {
		struct life life = live_get(&sim->live, id);
		int err;

		if (!life_is_live(life) || life_class(life) != what->class ||
		    seen++ % what->every)
			continue;
		if (life_state(life) == LIFE_HELD)
			live_make_ghost(&sim->live, id);
		else
			live_end(&sim->live, id);
		err = life_free(sim, life);
		if (err)
			return err;
	}
	return 0;
}

/* Phase `index` begins. Its end is asked for first: borders come after it. */
static int phases_fire(struct engine *engine, void *ctx, uint32_t index)
{
	struct simulation *sim = ctx;
	const struct scenario *s = sim->plan->scenario;
	int err = 0;

	sim->phase = &s->phases[index];
	sim->phase_end_ns = engine->now_ns + sim->phase->duration_ns;
	if (index + 1 < s->nr_phases)
		err = engine_at(engine, sim->phase_end_ns, sim->phases, index + 1);
	if (!err)
		err = actors_look(sim);
	for (unsigned int i = 0; i < sim->phase->nr_releases && !err; i++)
		err = release(sim, &sim->phase->releases[i]);
	return err;
}

/* The start and the end */

static void add_sources(struct simulation *sim)
{
	struct engine *engine = &sim->engine;

	sim->phases = engine_add_source(engine, phases_fire, sim);
	sim->sampler = engine_add_source(engine, sampler_fire, sim);
	sim->ticker = engine_add_source(engine, ticker_fire, sim);
	sim->ender = engine_add_source(engine, life_end_fire, sim);
	engine_announce(engine, life_end_soon, sim);
	sim->pacer = engine_add_source(engine, pacer_fire, sim);
	sim->kswapd = engine_add_source(engine, kswapd_fire, sim);
	sim->first_actor = engine->nr_sources;
	for (unsigned int i = 0; i < sim->plan->scenario->nr_classes; i++)
		engine_add_source(engine, actor_fire, &sim->actors[i]);
}

static int run_engine(struct simulation *sim)
{
	const struct simulate_plan *plan = sim->plan;
	double wall_s, cpu_s;
	int err;

	add_sources(sim);
	err = sample_now(sim);
	if (!err)
		err = phases_fire(&sim->engine, sim, 0);
	if (!err && plan->sample_ns < end_of_run(sim))
		err = engine_at(&sim->engine, plan->sample_ns, sim->sampler, 0);
	if (!err)
		err = actors_start(sim);
	wall_s = wall_clock_s();
	cpu_s = cpu_clock_s();
	if (!err)
		err = engine_run(&sim->engine, end_of_run(sim));
	sim->run->wall_s += wall_clock_s() - wall_s;
	sim->run->cpu_s += cpu_clock_s() - cpu_s;
	if (!err || err == -EINTR) {
		int last = sample_now(sim);

		if (!last)
			last = picture_finish(&sim->run->picture,
					      sim->engine.now_ns);
		err = err ? err : last;
	}
	return err;
}

static bool tear_down(struct simulation *sim)
{
	for (uint32_t id = 0; id < sim->live.nr_ids; id++) {
		struct life life = live_get(&sim->live, id);

		if (life_is_live(life))
			free_pages(sim->allocator, life_pfn(life),
				   life_order(life), 0);
	}
	return initial_state_restored(sim->plan->start, sim->allocator);
}

static void note_engine(struct simulation *sim)
{
	struct engine_use *use = &sim->run->engine;

	use->events = sim->engine.nr_events;
	use->lives_peak = sim->live.nr_ids;
	use->bytes_peak = event_queue_bytes(&sim->engine.queue) +
			  sim->live.nr_ids * sizeof(*sim->live.lives);
	for (unsigned int z = 0; z < MAX_NR_ZONES; z++)
		use->bytes_peak += sim->zones[z].lives.room *
				   sizeof(*sim->zones[z].lives.ids);
}

static void note_end(struct simulation *sim)
{
	struct replay_run *run = sim->run;

	replay_run_note_end(run, sim->allocator);
	run->events = run->ops_done;
	run->census.end = sim->census;
	note_engine(sim);
	if (!run->ops->describes_allocatee)
		run->tax.allocatee_peak_bytes = sim->census.peak_bytes;
	for (unsigned int i = 0; i < run->nr_classes; i++)
		run->classes[i].pages_end = sim->actors[i].pages;
}

static void sim_destroy(struct simulation *sim)
{
	compactor_destroy(sim->compactor);
	engine_destroy(&sim->engine);
	live_destroy(&sim->live);
	for (unsigned int z = 0; z < MAX_NR_ZONES; z++)
		id_list_destroy(&sim->zones[z].lives);
	actors_free(sim);
}

static int make_compactor(struct simulation *sim)
{
	const struct scenario *s = sim->plan->scenario;

	for (unsigned int i = 0; i < s->nr_classes; i++)
		sim->movable[i] = s->classes[i].migratetype == MIGRATE_MOVABLE;
	sim->run->compaction = true;
	sim->compactor = compactor_create(sim->allocator, &sim->live, sim->movable,
					  &sim->run->compact);
	return sim->compactor ? 0 : -ENOMEM;
}

static int simulate_on(struct simulation *sim, struct msg *msg)
{
	const struct simulate_plan *plan = sim->plan;
	int err;

	err = initial_state_enter(plan->start, &nobody, sim->allocator, msg);
	if (err)
		return err;
	sim->run->meta_start = sim->allocator->machine->meta;
	census_init(&sim->census, plan->allocatees);
	picture_init(&sim->run->picture, plan->layout, plan->start, &nobody);
	for (unsigned int z = 0; z < plan->layout->nr_zones; z++)
		sim->managed += plan->layout->zones[z].managed;
	err = actors_make(sim);
	if (!err && plan->compaction)
		err = make_compactor(sim);
	if (!err)
		err = run_engine(sim);
	if (!err || err == -EINTR)
		note_end(sim);
	if (!err && plan->teardown) {
		sim->run->teardown = true;
		sim->run->restored = tear_down(sim);
	}
	if (err == -EINTR)
		msg_set(msg, EINTR,
			"%s: interrupted at %" PRIu64 " of %" PRIu64 " ms of simulated time",
			sim->run->spec, sim->engine.now_ns / 1000000,
			end_of_run(sim) / 1000000);
	else if (err)
		msg_set(msg, -err, "%s: %s", sim->run->spec, strerror(-err));
	return err;
}

int simulate(struct replay_run *run, const struct simulate_plan *plan,
	     const char *spec, struct msg *msg)
{
	struct simulation sim = {
		.plan = plan, .run = run, .spare_process = NOBODY,
	};
	struct machine *m;
	int err;

	*run = (struct replay_run){ .ops = registry_find(spec) };
	run->spec = strdup(spec);
	if (!run->spec)
		return msg_set(msg, ENOMEM, "%s: no memory", spec);
	engine_init(&sim.engine);
	live_init(&sim.live);
	err = machine_create(&m, plan->layout, plan->window, msg);
	if (err)
		return err;
	err = allocator_create(&sim.allocator, spec, plan->checked, m, msg);
	if (!err) {
		err = simulate_on(&sim, msg);
		allocator_destroy(sim.allocator);
	}
	sim_destroy(&sim);
	machine_destroy(m);
	return err;
}
