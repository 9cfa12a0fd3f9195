/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * actors.c - classes of a workload: when they ask, for what, and for how long
 *
 *    arrival --> batch --> request --> life_ask()
 *                  |          `- nothing: the smaller blocks that stand in
 *                  `- paced: a process, one request at a time (pacer)
 *
 * A request is one draw of order and lifetime, whether it is served or not.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "sim/simulation/simulation.h"
#include "sim/source/gfp.h"

#define FILL_CHECK_NS 1000000		/* how often a full machine is looked at */

static struct lifetime draw_lifetime(const struct simulation *sim,
				     struct actor *actor)
{
	const struct workload_class *c = actor->class;
	const struct life_part *part = c->life;
	uint64_t time_ns;

	if (c->nr_life > 1) {
		double x = draw_share(&actor->rng);

		while (part + 1 < c->life + c->nr_life && x >= part->share)
			x -= (part++)->share;
	}
	if (part->kind != LIFE_TIMED && part->kind != LIFE_UNTIL)
		return (struct lifetime){ .kind = part->kind };
	time_ns = distribution_draw(&part->time, &actor->rng);
	if (part->kind == LIFE_TIMED)
		time_ns += sim->engine.now_ns;
	return (struct lifetime){
		.kind = LIFE_TIMED,
		.end_ns = max_t(uint64_t, time_ns, sim->engine.now_ns),
	};
}

static unsigned int draw_order(struct actor *actor)
{
	const struct workload_class *c = actor->class;
	unsigned int order = 0;
	uint64_t x;

	if (c->order_weight[0] == c->order_weights)
		return 0;
	x = rng_below(&actor->rng, c->order_weights);
	while (x >= c->order_weight[order])
		x -= c->order_weight[order++];
	return order;
}

static unsigned int draw_cpu(const struct simulation *sim, struct actor *actor)
{
	const struct workload_class *c = actor->class;
	unsigned int nr = sim->plan->layout->nr_cpus;

	if (c->any_cpu)
		return nr == 1 ? 0 : (unsigned int)rng_below(&actor->rng, nr);
	return c->first_cpu + (unsigned int)
		rng_below(&actor->rng, c->last_cpu - c->first_cpu + 1);
}

/* One request: a block, or the smaller ones that stand in for it. */
static int ask(struct simulation *sim, struct actor *actor, unsigned int cpu,
	       const struct lifetime *shared, uint64_t *end_ns)
{
	unsigned int order = draw_order(actor);
	struct lifetime lifetime = shared ? *shared : draw_lifetime(sim, actor);
	int fallback = actor->class->fallback_order;
	bool got;
	int err = life_ask(sim, actor, order, cpu, lifetime, &got);

	if (lifetime.kind == LIFE_TIMED && lifetime.end_ns > *end_ns)
		*end_ns = lifetime.end_ns;
	if (err || got)
		return err;
	if (fallback < 0 || (unsigned int)fallback >= order) {
		actor->result->failed_allocs++;
		return 0;
	}
	actor->result->fallbacks++;
	for (unsigned long n = 1UL << (order - (unsigned int)fallback); n && !err; n--) {
		err = life_ask(sim, actor, (unsigned int)fallback, cpu,
			       lifetime, &got);
		if (!err && !got) {
			actor->result->failed_allocs++;
			break;
		}
	}
	return err;
}

/* Batches */

static int process_new(struct simulation *sim, const struct process *process)
{
	uint32_t i = sim->spare_process;

	if (i != NOBODY) {
		sim->spare_process = sim->processes[i].cpu;
	} else {
		if (array_grow(sim->processes, sim->nr_processes))
			return -ENOMEM;
		i = sim->nr_processes++;
	}
	sim->processes[i] = *process;
	return engine_at(&sim->engine, sim->engine.now_ns, sim->pacer, i);
}

/* A worker whose batch is dead at that time. */
static int worker_think(struct simulation *sim, struct actor *actor,
			uint32_t worker, uint64_t dead_ns)
{
	uint64_t next_ns = dead_ns + 1 +
		draw_exponential(&actor->rng, actor->class->arrivals.think_ns);

	return next_ns >= end_of_run(sim) ? 0 :
		engine_at(&sim->engine, next_ns, sim->first_actor + actor->index,
			  worker);
}

static int process_end(struct simulation *sim, uint32_t i)
{
	struct process *p = &sim->processes[i];
	uint64_t dead_ns = max_t(uint64_t, p->end_ns, sim->engine.now_ns);

	p->cpu = sim->spare_process;
	sim->spare_process = i;
	return p->worker ? worker_think(sim, &sim->actors[p->actor], p->worker, dead_ns)
			 : 0;
}

int pacer_fire(struct engine *engine, void *ctx, uint32_t arg)
{
	struct simulation *sim = ctx;
	struct process *p = &sim->processes[arg];
	struct actor *actor = &sim->actors[p->actor];
	bool together = actor->class->together;
	int err;

	/* A process that has ended asks for nothing more. */
	if (together && p->lifetime.kind == LIFE_TIMED &&
	    p->lifetime.end_ns <= engine->now_ns)
		p->left = 0;
	if (!p->left)
		return process_end(sim, arg);
	p->left--;
	err = ask(sim, actor, p->cpu, together ? &p->lifetime : NULL, &p->end_ns);
	if (err)
		return err;
	if (!p->left)
		return process_end(sim, arg);
	return engine_at(engine, engine->now_ns + actor->class->pace_ns,
			 sim->pacer, arg);
}

/* A batch for this worker of a closed loop, or 0, for nobody who waits for it. */
static int batch_begin(struct simulation *sim, struct actor *actor, uint32_t worker)
{
	const struct workload_class *c = actor->class;
	uint64_t nr = distribution_draw(&c->batch, &actor->rng);
	unsigned int cpu = draw_cpu(sim, actor);
	uint64_t end_ns = sim->engine.now_ns;
	struct lifetime lifetime = { 0 };
	int err = 0;

	if (c->together)
		lifetime = draw_lifetime(sim, actor);
	if (c->pace_ns && nr > 1) {
		/* Of a process whose end is known, all is. */
		bool known = c->together && lifetime.kind == LIFE_TIMED;
		const struct process process = {
			.left = nr,
			.lifetime = lifetime,
			.actor = actor->index,
			.worker = known ? 0 : worker,
			.cpu = cpu,
		};

		err = process_new(sim, &process);
		if (!known)
			return err;
		end_ns = lifetime.end_ns;
		nr = 0;
	}
	while (nr && !err) {
		err = ask(sim, actor, cpu, c->together ? &lifetime : NULL, &end_ns);
		nr--;
	}
	return err || !worker ? err : worker_think(sim, actor, worker, end_ns);
}

/*
 * Arrivals: what the argument of an actor's event means
 *	0	an arrival
 *	1	a border: ask when the next one is
 *	2 + w	worker w of a closed loop has thought enough
 */
enum { ARRIVAL_NOW, ARRIVAL_BORDER, ARRIVAL_WORKER };

static double factor_now(const struct simulation *sim, const struct actor *actor)
{
	return sim->phase->rate[actor->index];
}

/* Pages in use from which on a class asks for no more. */
static double level_of(const struct simulation *sim, const struct actor *actor)
{
	return actor->class->arrivals.level * (double)sim->managed;
}

static bool machine_is_filled(const struct simulation *sim, const struct actor *actor)
{
	return (double)sim->used >= level_of(sim, actor);
}

static void wake_at_its_level(struct simulation *sim, const struct actor *actor)
{
	if (level_of(sim, actor) > sim->wake_below)
		sim->wake_below = level_of(sim, actor);
}

/*
 * It looks at the machine each look_every_ns from now on, until the phase ends.
 * What it sees is the same until less is in use, so looks before that are left out.
 */
static void wait_for_room(struct simulation *sim, struct actor *actor,
			  uint64_t look_every_ns)
{
	actor->waits = true;
	actor->look_ns = sim->engine.now_ns;
	actor->look_every_ns = look_every_ns;
	wake_at_its_level(sim, actor);
}

/* When it looks next, now or later. */
static uint64_t next_look_ns(const struct actor *actor, uint64_t now_ns)
{
	uint64_t waited_ns = max_t(uint64_t, now_ns - actor->look_ns, 1);

	/* Rounded up. */
	return actor->look_ns + ((waited_ns - 1) / actor->look_every_ns + 1) *
				actor->look_every_ns;
}

static int schedule_arrival(struct simulation *sim, struct actor *actor,
			    bool filled)
{
	uint64_t now_ns = sim->engine.now_ns, time_ns;
	bool arrival = arrival_next(&actor->class->arrivals, &actor->arrivals,
				    &actor->rng, now_ns, factor_now(sim, actor),
				    sim->phase_end_ns, &time_ns);

	if (filled) {
		time_ns = max_t(uint64_t, time_ns, now_ns + FILL_CHECK_NS);
		wait_for_room(sim, actor, time_ns - now_ns);
		return 0;
	}
	if (time_ns >= end_of_run(sim))
		return 0;
	return engine_at(&sim->engine, time_ns, sim->first_actor + actor->index,
			 arrival ? ARRIVAL_NOW : ARRIVAL_BORDER);
}

int actors_wake(struct simulation *sim)
{
	uint64_t now_ns = sim->engine.now_ns;
	int err = 0;

	sim->wake_below = 0;
	for (unsigned int i = 0; i < sim->plan->scenario->nr_classes && !err; i++) {
		struct actor *actor = &sim->actors[i];

		if (!actor->waits)
			continue;
		if (machine_is_filled(sim, actor)) {
			wake_at_its_level(sim, actor);
		} else if (next_look_ns(actor, now_ns) < sim->phase_end_ns) {
			actor->waits = false;
			err = engine_at(&sim->engine, next_look_ns(actor, now_ns),
					sim->first_actor + i, ARRIVAL_NOW);
		}
	}
	return err;
}

int actors_look(struct simulation *sim)
{
	int err = 0;

	sim->wake_below = 0;
	for (unsigned int i = 0; i < sim->plan->scenario->nr_classes && !err; i++) {
		if (!sim->actors[i].waits)
			continue;
		sim->actors[i].waits = false;
		err = engine_at(&sim->engine, sim->engine.now_ns,
				sim->first_actor + i, ARRIVAL_BORDER);
	}
	return err;
}

static int worker_fire(struct simulation *sim, struct actor *actor, uint32_t arg)
{
	double active = actor->class->arrivals.workers * factor_now(sim, actor);

	if ((double)(arg - ARRIVAL_WORKER) < active)
		return batch_begin(sim, actor, arg);
	/* One that has nothing to do rests for the phase. */
	if (sim->phase_end_ns >= end_of_run(sim))
		return 0;
	return engine_at(&sim->engine, sim->phase_end_ns,
			 sim->first_actor + actor->index, arg);
}

int actor_fire(struct engine *engine, void *ctx, uint32_t arg)
{
	struct simulation *sim = container_of(engine, struct simulation, engine);
	struct actor *actor = ctx;
	const struct arrivals *a = &actor->class->arrivals;
	bool filled = a->kind == ARRIVAL_FILL && machine_is_filled(sim, actor);
	int err = 0;

	if (arg >= ARRIVAL_WORKER)
		return worker_fire(sim, actor, arg);
	if (arg == ARRIVAL_NOW && !filled)
		err = batch_begin(sim, actor, 0);
	if (err || a->kind == ARRIVAL_ONCE)
		return err;
	return schedule_arrival(sim, actor, filled);
}

static int start_actor(struct simulation *sim, struct actor *actor)
{
	const struct arrivals *a = &actor->class->arrivals;
	double workers;
	int err = 0;

	if (a->kind == ARRIVAL_ONCE)
		return engine_at(&sim->engine, 0, sim->first_actor + actor->index,
				 ARRIVAL_NOW);
	if (a->kind != ARRIVAL_CLOSED)
		return schedule_arrival(sim, actor, false);
	/* As many as the busiest phase has at work; in others the last ones wait. */
	workers = a->workers * scenario_largest_rate(sim->plan->scenario, actor->class);
	for (uint32_t w = 0; w < workers && !err; w++) {
		uint64_t first_ns = draw_exponential(&actor->rng, a->think_ns);

		if (first_ns < end_of_run(sim))
			err = engine_at(&sim->engine, first_ns,
					sim->first_actor + actor->index,
					ARRIVAL_WORKER + w);
	}
	return err;
}

static uint64_t hash_name(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);	/* FNV-1a */

	while (*name)
		hash = (hash ^ (unsigned char)*name++) * UINT64_C(0x100000001b3);
	return hash;
}

/* Streams go by name: a class more changes nothing for the others. */
int actors_make(struct simulation *sim)
{
	const struct simulate_plan *plan = sim->plan;
	const struct scenario *s = plan->scenario;

	sim->actors = calloc(s->nr_classes, sizeof(*sim->actors));
	sim->run->classes = calloc(s->nr_classes, sizeof(*sim->run->classes));
	if (!sim->actors || !sim->run->classes)
		return -ENOMEM;
	sim->run->nr_classes = s->nr_classes;
	rng_seed(&sim->rng, plan->seed ^ hash_name("reclaim"));
	for (unsigned int i = 0; i < s->nr_classes; i++) {
		const struct workload_class *c = &s->classes[i];
		struct actor *actor = &sim->actors[i];

		*actor = (struct actor){
			.class = c,
			.result = &sim->run->classes[i],
			.index = i,
			.zone_limit = gfp_zone_limit(c->gfp, plan->layout),
			.alloc_flags = gfp_alloc_flags(c->gfp),
		};
		actor->result->name = c->name;
		for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
			actor->owner[order] = (uint8_t)(c->owner >= 0 ? c->owner :
				(int)allocatee_classify(plan->allocatees, c->gfp,
							order, c->migratetype,
							c->name));
		rng_seed(&actor->rng, plan->seed ^ hash_name(c->name));
		for (unsigned int p = 0; p < c->nr_life; p++) {
			if (c->life[p].kind == LIFE_RECLAIMED)
				actor->keep = c->life[p].keep;
		}
	}
	return 0;
}


int actors_start(struct simulation *sim)
{
	int err = 0;

	for (unsigned int i = 0; i < sim->plan->scenario->nr_classes && !err; i++)
		err = start_actor(sim, &sim->actors[i]);
	return err;
}

void actors_free(struct simulation *sim)
{
	free(sim->processes);
	free(sim->actors);
}
