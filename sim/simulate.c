/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * simulate.c - actors that ask for memory, hold it and give it back
 *
 *    phases ---- rates ----> classes -- batches --> allocator
 *                              |  ^                    |
 *            paced batches  <--+  +-- think           pfn
 *            (processes)                               |
 *                                    +-----------------+------------+
 *                              queue: lives that     reclaim lists: lives
 *                              end at a time         that end when a zone
 *                                    |               runs low (kswapd)
 *                                    +------> free <---+
 *
 * All are sources of one engine. A life that would end after the run waits
 * for nobody.
 *
 *    used[z]   pages of zone z in callers' hands; free is what else the zone
 *              was given, so an allocator's own nodes count as free, and all
 *              allocators see memory run low at the same demand
 *    kswapd    wakes when a zone's free pages fall below its low watermark;
 *              each RECLAIM_NS it takes up to RECLAIM_BLOCKS of the oldest
 *              reclaimable blocks of the zone, until high is reached
 *    direct    a request of order 3 or less that gets nothing, and may wait,
 *              takes as many from each zone allowed to it and tries once more
 *
 * A request is one draw of order and lifetime, whether it is served or not:
 * demand never depends on who serves it.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/registry.h"
#include "sim/engine.h"
#include "sim/record.h"
#include "sim/simulate.h"
#include "sim/source/gfp.h"
#include "sim/wall_clock.h"
#include "sim/workload/arrival.h"
#include "sim/workload/live.h"

#define TICK_NS UINT64_C(1000000000)	/* per-CPU lists decay once a second */
#define RECLAIM_BLOCKS 32		/* SWAP_CLUSTER_MAX */
#define RECLAIM_NS 20000		/* for so many: 1.6 million blocks a second */
#define RECLAIM_REST_NS 10000000	/* after nothing was to be had */
#define DIRECT_ORDER_MAX 3		/* PAGE_ALLOC_COSTLY_ORDER */
#define FILL_CHECK_NS 1000000		/* how often a full machine is looked at */
#define PROGRESS_OPS (1 << 14)
#define NOBODY UINT32_MAX

/* Nothing is in use when a simulation begins. */
static const struct demand nobody = { .ops = NULL };

/* One class at work. */
struct actor {
	const struct workload_class *class;
	struct class_result *result;
	struct rng rng;
	struct arrival_state arrivals;
	uint64_t pages;			/* in its hands */
	unsigned int index;
	unsigned int zone_limit;
	unsigned int alloc_flags;
	uint8_t owner[NR_PAGE_ORDERS];	/* enum allocatee of its blocks, by order */
	double keep;			/* chance that reclaim spares a block */
};

/* How long a block, or a whole batch, will live. */
struct lifetime {
	enum life_kind kind;
	uint64_t end_ns;		/* TIMED only */
};

/* A batch that takes its time. */
struct process {
	uint64_t left;			/* allocations still to make */
	struct lifetime lifetime;	/* of all, when they die together */
	uint32_t actor;
	uint32_t cpu;			/* or the next spare process */
};

struct reclaim_zone {
	struct id_list lives;		/* oldest first */
	uint64_t used;			/* pages in callers' hands */
	bool awake;
	uint64_t rest_until_ns;
};

struct simulation {
	const struct simulate_plan *plan;
	struct replay_run *run;
	struct allocator *allocator;
	struct engine engine;
	struct rng rng;			/* reclaim, and CPUs that free */

	struct actor *actors;
	const struct phase *phase;
	uint64_t phase_end_ns;
	struct live_table live;
	struct census census;
	uint64_t nr_samples;
	struct reclaim_zone zones[MAX_NR_ZONES];
	struct process *processes;
	uint32_t nr_processes, process_room, spare_process;

	/* Sources of the engine; that of actor i is first_actor + i. */
	unsigned int phases, sampler, ticker, ender, pacer, kswapd, first_actor;
};

static uint64_t end_of_run(const struct simulation *sim)
{
	return sim->plan->scenario->duration_ns;
}

/* Blocks come and go */

static int count_op(struct simulation *sim)
{
	const struct simulate_plan *plan = sim->plan;

	/* A replay's clock begins with the first event, and so do its seconds. */
	if (++sim->run->ops_done == 1)
		return engine_at(&sim->engine, sim->engine.now_ns + TICK_NS,
				 sim->ticker, 0);
	if (sim->run->ops_done % PROGRESS_OPS || !plan->progress)
		return 0;
	return plan->progress(plan->progress_ctx, sim->run->spec,
			      sim->engine.now_ns, end_of_run(sim),
			      sim->run->ops_done) ? 0 : -EINTR;
}

static struct reclaim_zone *zone_of(struct simulation *sim, unsigned long pfn)
{
	const struct layout *l = sim->plan->layout;
	unsigned int z = l->nr_zones - 1;

	while (z && pfn < l->zones[z].start_pfn)
		z--;
	return &sim->zones[z];
}

static struct record_who record_who(const struct simulation *sim,
				    const struct actor *actor, unsigned int cpu)
{
	return (struct record_who){
		.time_ns = sim->engine.now_ns,
		.cpu = cpu,
		.class = actor->index,
		.name = actor->class->name,
	};
}

/* Give a live block back. Its id is the caller's business. */
static int life_free(struct simulation *sim, struct life life)
{
	struct actor *actor = &sim->actors[life_class(life)];
	unsigned int order = life_order(life);
	unsigned int cpu = life_cpu(life);

	if (actor->class->free_anywhere)
		cpu = (unsigned int)rng_below(&sim->rng, sim->plan->layout->nr_cpus);
	if (sim->plan->record) {
		struct record_who who = record_who(sim, actor, cpu);

		record_free(sim->plan->record, &who, life_pfn(life), order);
	}
	free_pages(sim->allocator, life_pfn(life), order, cpu);
	zone_of(sim, life_pfn(life))->used -= 1UL << order;
	actor->pages -= 1UL << order;
	actor->result->frees++;
	census_remove(&sim->census, actor->owner[order], order);
	return count_op(sim);
}

static int ender_fire(struct engine *engine, void *ctx, uint64_t arg)
{
	struct simulation *sim = ctx;
	struct life life = live_get(&sim->live, (uint32_t)arg);

	(void)engine;
	live_end(&sim->live, (uint32_t)arg);
	return life_state(life) == LIFE_GHOST ? 0 : life_free(sim, life);
}

/* Reclaim */

static uint64_t zone_free_pages(const struct simulation *sim, unsigned int zone)
{
	uint64_t managed = sim->plan->layout->zones[zone].managed;
	uint64_t used = sim->zones[zone].used;

	return used < managed ? managed - used : 0;
}

/* Take up to RECLAIM_BLOCKS back; *nr is how many it were. */
static int reclaim_some(struct simulation *sim, unsigned int zone,
			unsigned int *nr)
{
	struct id_list *lives = &sim->zones[zone].lives;

	*nr = 0;
	for (size_t looked = lives->nr; looked && *nr < RECLAIM_BLOCKS; looked--) {
		uint32_t id = id_list_pop(lives);
		struct life life = live_get(&sim->live, id);
		struct actor *actor = &sim->actors[life_class(life)];
		int err;

		if (life_state(life) == LIFE_GHOST) {
			live_end(&sim->live, id);
			continue;
		}
		if (actor->keep > 0 && draw_chance(&sim->rng, actor->keep)) {
			err = id_list_push(lives, id);
		} else {
			live_end(&sim->live, id);
			err = life_free(sim, life);
			actor->result->reclaimed++;
			(*nr)++;
		}
		if (err)
			return err;
	}
	return 0;
}

static int kswapd_fire(struct engine *engine, void *ctx, uint64_t zone)
{
	struct simulation *sim = ctx;
	struct reclaim_zone *z = &sim->zones[zone];
	const struct zone *limits = &sim->plan->layout->zones[zone];
	unsigned int nr;
	int err = reclaim_some(sim, (unsigned int)zone, &nr);

	if (err)
		return err;
	z->awake = nr && zone_free_pages(sim, (unsigned int)zone) < limits->wmark_high;
	if (!nr)
		z->rest_until_ns = engine->now_ns + RECLAIM_REST_NS;
	return z->awake ? engine_at(engine, engine->now_ns + RECLAIM_NS,
				    sim->kswapd, zone) : 0;
}

static int wake_kswapd(struct simulation *sim, struct reclaim_zone *z)
{
	unsigned int zone = (unsigned int)(z - sim->zones);
	uint64_t now_ns = sim->engine.now_ns;

	if (z->awake || now_ns < z->rest_until_ns ||
	    zone_free_pages(sim, zone) >= sim->plan->layout->zones[zone].wmark_low)
		return 0;
	z->awake = true;
	return engine_at(&sim->engine, now_ns + RECLAIM_NS, sim->kswapd, zone);
}

static int direct_reclaim(struct simulation *sim, unsigned int zone_limit,
			  unsigned int *nr)
{
	int err = 0;

	*nr = 0;
	for (unsigned int z = zone_limit + 1; z-- && !err;) {
		unsigned int taken;

		err = reclaim_some(sim, z, &taken);
		*nr += taken;
	}
	return err;
}

/* Asking for a block */

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

static int life_begin(struct simulation *sim, struct actor *actor,
		      unsigned long pfn, unsigned int order, unsigned int cpu,
		      struct lifetime lifetime)
{
	struct reclaim_zone *z = zone_of(sim, pfn);
	bool loose = lifetime.kind == LIFE_FOREVER ||
		     (lifetime.kind == LIFE_TIMED &&
		      lifetime.end_ns >= end_of_run(sim));
	uint32_t id;
	int err;

	z->used += 1UL << order;
	actor->pages += 1UL << order;
	actor->result->allocs++;
	census_add(&sim->census, actor->owner[order], order);
	sim->census.classes[actor->owner[order]].allocs++;
	if (actor->pages > actor->result->pages_peak)
		actor->result->pages_peak = actor->pages;
	err = live_add(&sim->live, life_make(pfn, order, actor->index, cpu,
					     loose ? LIFE_LOOSE : LIFE_HELD), &id);
	if (!err && lifetime.kind == LIFE_RECLAIMED)
		err = id_list_push(&z->lives, id);
	else if (!err && !loose)
		err = engine_at(&sim->engine, lifetime.end_ns, sim->ender, id);
	return err ? err : wake_kswapd(sim, z);
}

static unsigned long try_alloc(struct simulation *sim, const struct actor *actor,
			       unsigned int order, unsigned int cpu)
{
	const struct alloc_req req = {
		.order = order,
		.migratetype = actor->class->migratetype,
		.zone_limit = actor->zone_limit,
		.cpu = cpu,
		.flags = actor->alloc_flags,
	};

	return alloc_pages(sim->allocator, &req);
}

/* *got is false when there is no memory for it. */
static int take_block(struct simulation *sim, struct actor *actor,
		      unsigned int order, unsigned int cpu,
		      struct lifetime lifetime, bool *got)
{
	unsigned long pfn = try_alloc(sim, actor, order, cpu);
	unsigned int nr;
	int err = 0;

	if (unlikely(pfn == PFN_NONE) && order <= DIRECT_ORDER_MAX &&
	    !actor->class->atomic) {
		err = direct_reclaim(sim, actor->zone_limit, &nr);
		if (!err && nr)
			pfn = try_alloc(sim, actor, order, cpu);
	}
	if (err)
		return err;
	if (sim->plan->record) {
		struct record_who who = record_who(sim, actor, cpu);

		record_alloc(sim->plan->record, &who, pfn, order,
			     actor->class->migratetype, actor->class->gfp);
	}
	*got = pfn != PFN_NONE;
	if (*got)
		err = life_begin(sim, actor, pfn, order, cpu, lifetime);
	return err ? err : count_op(sim);
}

/* One request: a block, or the smaller ones that stand in for it. */
static int ask(struct simulation *sim, struct actor *actor, unsigned int cpu,
	       const struct lifetime *shared, uint64_t *end_ns)
{
	unsigned int order = draw_order(actor);
	struct lifetime lifetime = shared ? *shared : draw_lifetime(sim, actor);
	int fallback = actor->class->fallback_order;
	bool got;
	int err = take_block(sim, actor, order, cpu, lifetime, &got);

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
		err = take_block(sim, actor, (unsigned int)fallback, cpu,
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
		if (sim->nr_processes == sim->process_room) {
			uint32_t room = sim->process_room ? 2 * sim->process_room : 64;
			struct process *more = realloc(sim->processes,
						       room * sizeof(*more));

			if (!more)
				return -ENOMEM;
			sim->processes = more;
			sim->process_room = room;
		}
		i = sim->nr_processes++;
	}
	sim->processes[i] = *process;
	return engine_at(&sim->engine, sim->engine.now_ns, sim->pacer, i);
}

static int pacer_fire(struct engine *engine, void *ctx, uint64_t arg)
{
	struct simulation *sim = ctx;
	struct process *p = &sim->processes[arg];
	struct actor *actor = &sim->actors[p->actor];
	bool together = actor->class->together;
	uint64_t end_ns = 0;
	int err;

	/* A process that has ended asks for nothing more. */
	if (together && p->lifetime.kind == LIFE_TIMED &&
	    p->lifetime.end_ns <= engine->now_ns)
		p->left = 0;
	if (!p->left) {
		p->cpu = sim->spare_process;
		sim->spare_process = (uint32_t)arg;
		return 0;
	}
	p->left--;
	err = ask(sim, actor, p->cpu, together ? &p->lifetime : NULL, &end_ns);
	if (err)
		return err;
	return engine_at(engine, engine->now_ns + actor->class->pace_ns,
			 sim->pacer, arg);
}

/* *end_ns is raised to when the last of its timed lives ends. */
static int batch_begin(struct simulation *sim, struct actor *actor,
		       uint64_t *end_ns)
{
	const struct workload_class *c = actor->class;
	uint64_t nr = distribution_draw(&c->batch, &actor->rng);
	unsigned int cpu = draw_cpu(sim, actor);
	struct lifetime lifetime = { 0 };
	int err = 0;

	if (c->together)
		lifetime = draw_lifetime(sim, actor);
	if (c->pace_ns && nr > 1) {
		const struct process process = {
			.left = nr,
			.lifetime = lifetime,
			.actor = actor->index,
			.cpu = cpu,
		};

		*end_ns = max_t(uint64_t, *end_ns, lifetime.end_ns);
		return process_new(sim, &process);
	}
	while (nr-- && !err)
		err = ask(sim, actor, cpu, c->together ? &lifetime : NULL, end_ns);
	return err;
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

static bool machine_is_filled(const struct simulation *sim, double level)
{
	uint64_t used = 0, managed = 0;

	for (unsigned int z = 0; z < sim->plan->layout->nr_zones; z++) {
		used += sim->zones[z].used;
		managed += sim->plan->layout->zones[z].managed;
	}
	return (double)used >= level * (double)managed;
}

static int schedule_arrival(struct simulation *sim, struct actor *actor,
			    bool filled)
{
	uint64_t now_ns = sim->engine.now_ns, time_ns;
	bool arrival = arrival_next(&actor->class->arrivals, &actor->arrivals,
				    &actor->rng, now_ns, factor_now(sim, actor),
				    sim->phase_end_ns, &time_ns);

	if (filled && time_ns < now_ns + FILL_CHECK_NS)
		time_ns = min_t(uint64_t, now_ns + FILL_CHECK_NS, sim->phase_end_ns);
	if (time_ns >= end_of_run(sim))
		return 0;
	arrival = arrival && time_ns < sim->phase_end_ns;
	return engine_at(&sim->engine, time_ns, sim->first_actor + actor->index,
			 arrival ? ARRIVAL_NOW : ARRIVAL_BORDER);
}

static int worker_fire(struct simulation *sim, struct actor *actor, uint64_t arg)
{
	const struct arrivals *a = &actor->class->arrivals;
	double active = a->workers * factor_now(sim, actor);
	uint64_t next_ns = sim->engine.now_ns;
	int err = 0;

	if ((double)(arg - ARRIVAL_WORKER) < active) {
		err = batch_begin(sim, actor, &next_ns);
		next_ns += draw_exponential(&actor->rng, a->think_ns) + 1;
	} else {
		next_ns = sim->phase_end_ns;
	}
	if (err || next_ns >= end_of_run(sim))
		return err;
	return engine_at(&sim->engine, next_ns, sim->first_actor + actor->index, arg);
}

static int actor_fire(struct engine *engine, void *ctx, uint64_t arg)
{
	struct simulation *sim = container_of(engine, struct simulation, engine);
	struct actor *actor = ctx;
	const struct arrivals *a = &actor->class->arrivals;
	bool filled = a->kind == ARRIVAL_FILL && machine_is_filled(sim, a->level);
	uint64_t end_ns = 0;
	int err = 0;

	if (arg >= ARRIVAL_WORKER)
		return worker_fire(sim, actor, arg);
	if (arg == ARRIVAL_NOW && !filled)
		err = batch_begin(sim, actor, &end_ns);
	if (err || a->kind == ARRIVAL_ONCE)
		return err;
	return schedule_arrival(sim, actor, filled);
}

static int start_actor(struct simulation *sim, struct actor *actor)
{
	const struct arrivals *a = &actor->class->arrivals;
	int err = 0;

	if (a->kind == ARRIVAL_ONCE)
		return engine_at(&sim->engine, 0, sim->first_actor + actor->index,
				 ARRIVAL_NOW);
	if (a->kind != ARRIVAL_CLOSED)
		return schedule_arrival(sim, actor, false);
	for (uint64_t w = 0; w < (uint64_t)a->workers && !err; w++) {
		uint64_t first_ns = draw_exponential(&actor->rng, a->think_ns);

		if (first_ns < end_of_run(sim))
			err = engine_at(&sim->engine, first_ns,
					sim->first_actor + actor->index,
					ARRIVAL_WORKER + w);
	}
	return err;
}

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
static int phases_fire(struct engine *engine, void *ctx, uint64_t index)
{
	struct simulation *sim = ctx;
	const struct scenario *s = sim->plan->scenario;
	int err = 0;

	sim->phase = &s->phases[index];
	sim->phase_end_ns = engine->now_ns + sim->phase->duration_ns;
	if (index + 1 < s->nr_phases)
		err = engine_at(engine, sim->phase_end_ns, sim->phases, index + 1);
	for (unsigned int i = 0; i < sim->phase->nr_releases && !err; i++)
		err = release(sim, &sim->phase->releases[i]);
	return err;
}

/* Observers */

static int take_picture(struct simulation *sim)
{
	struct picture *p = &sim->run->picture;

	picture_begin(p, sim->engine.now_ns);
	for (uint32_t id = 0; id < sim->live.nr_ids; id++) {
		struct life life = live_get(&sim->live, id);

		if (life_is_live(life))
			picture_block(p, life_pfn(life), life_order(life),
				      sim->actors[life_class(life)].class->migratetype);
	}
	picture_metadata(p, sim->allocator, sim->plan->start, &nobody);
	return picture_end(p);
}

static int take_sample(struct simulation *sim)
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

static int sampler_fire(struct engine *engine, void *ctx, uint64_t arg)
{
	struct simulation *sim = ctx;
	uint64_t next_ns = engine->now_ns + sim->plan->sample_ns;
	double before = wall_clock_s();
	int err = take_sample(sim);

	sim->run->wall_s -= wall_clock_s() - before;
	if (err || next_ns >= end_of_run(sim))
		return err;
	return engine_at(engine, next_ns, sim->sampler, arg);
}

static int ticker_fire(struct engine *engine, void *ctx, uint64_t arg)
{
	struct simulation *sim = ctx;

	allocator_tick(sim->allocator, engine->now_ns);
	if (engine->now_ns + TICK_NS >= end_of_run(sim))
		return 0;
	return engine_at(engine, engine->now_ns + TICK_NS, sim->ticker, arg);
}

/* The start and the end */

static void add_sources(struct simulation *sim)
{
	struct engine *engine = &sim->engine;

	sim->phases = engine_add_source(engine, phases_fire, sim);
	sim->sampler = engine_add_source(engine, sampler_fire, sim);
	sim->ticker = engine_add_source(engine, ticker_fire, sim);
	sim->ender = engine_add_source(engine, ender_fire, sim);
	sim->pacer = engine_add_source(engine, pacer_fire, sim);
	sim->kswapd = engine_add_source(engine, kswapd_fire, sim);
	sim->first_actor = engine->nr_sources;
	for (unsigned int i = 0; i < sim->plan->scenario->nr_classes; i++)
		engine_add_source(engine, actor_fire, &sim->actors[i]);
}

static int run_engine(struct simulation *sim)
{
	const struct simulate_plan *plan = sim->plan;
	double before;
	int err;

	add_sources(sim);
	err = take_sample(sim);
	if (!err)
		err = phases_fire(&sim->engine, sim, 0);
	if (!err && plan->sample_ns < end_of_run(sim))
		err = engine_at(&sim->engine, plan->sample_ns, sim->sampler, 0);
	for (unsigned int i = 0; i < plan->scenario->nr_classes && !err; i++)
		err = start_actor(sim, &sim->actors[i]);
	before = wall_clock_s();
	if (!err)
		err = engine_run(&sim->engine, end_of_run(sim));
	sim->run->wall_s += wall_clock_s() - before;
	if (!err || err == -EINTR) {
		int last = take_sample(sim);

		if (!last)
			last = picture_finish(&sim->run->picture,
					      sim->engine.now_ns);
		err = err ? err : last;
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
static int make_actors(struct simulation *sim)
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

static void note_end(struct simulation *sim)
{
	struct replay_run *run = sim->run;

	replay_run_note_end(run, sim->allocator);
	run->events = run->ops_done;
	run->census.end = sim->census;
	if (!run->ops->describes_allocatee)
		run->tax.allocatee_peak_bytes = sim->census.peak_bytes;
	for (unsigned int i = 0; i < run->nr_classes; i++)
		run->classes[i].pages_end = sim->actors[i].pages;
}

static void sim_destroy(struct simulation *sim)
{
	engine_destroy(&sim->engine);
	live_destroy(&sim->live);
	for (unsigned int z = 0; z < MAX_NR_ZONES; z++)
		id_list_destroy(&sim->zones[z].lives);
	free(sim->processes);
	free(sim->actors);
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
	err = make_actors(sim);
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
