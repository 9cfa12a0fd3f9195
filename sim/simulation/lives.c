/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lives.c - blocks come and go
 *
 *    request --> allocator --> pfn --> an id in the table of lives, and
 *       |                                a time in the queue        TIMED
 *       `- nothing: reclaim, or          a place in a reclaim list  RECLAIMED
 *          compact, and once more        nothing                    FOREVER
 *
 * A life that would end after the run waits for nobody, as one that lasts
 * forever. Whatever makes room, demand is drawn before it, so it never
 * depends on who serves it.
 */
#include <errno.h>

#include "sim/record.h"
#include "sim/simulation/simulation.h"

#define DIRECT_ORDER_MAX 3		/* PAGE_ALLOC_COSTLY_ORDER */
#define PROGRESS_OPS (1 << 14)

static int count_op(struct simulation *sim)
{
	/* A replay's clock begins with the first event, and so do its seconds. */
	if (++sim->run->ops_done == 1)
		return engine_at(&sim->engine, sim->engine.now_ns + TICK_NS,
				 sim->ticker, 0);
	return sim->run->ops_done % PROGRESS_OPS ? 0 : progress_now(sim);
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
	};
}

int life_free(struct simulation *sim, struct life life)
{
	struct actor *actor = &sim->actors[life_class(life)];
	unsigned int order = life_order(life);
	unsigned int cpu = life_cpu(life);

	if (actor->class->free_anywhere)
		cpu = (unsigned int)rng_below(&sim->rng, sim->plan->layout->nr_cpus);
	if (sim->plan->record) {
		struct record_who who = record_who(sim, actor, cpu);

		int err = record_free(sim->plan->record, &who, life_pfn(life), order);

		if (err)
			return err;
	}
	if (sim->compactor)
		compactor_note_free(sim->compactor, life);
	free_pages(sim->allocator, life_pfn(life), order, cpu);
	zone_of(sim, life_pfn(life))->used -= 1UL << order;
	sim->used -= 1UL << order;
	actor->pages -= 1UL << order;
	actor->result->frees++;
	census_remove(&sim->census, actor->owner[order], order);
	if ((double)sim->used < sim->wake_below) {
		int err = actors_wake(sim);

		if (err)
			return err;
	}
	return count_op(sim);
}

int life_end_fire(struct engine *engine, void *ctx, uint32_t arg)
{
	struct simulation *sim = ctx;
	struct life life = live_get(&sim->live, arg);

	(void)engine;
	live_end(&sim->live, arg);
	return life_state(life) == LIFE_GHOST ? 0 : life_free(sim, life);
}

void life_end_soon(void *ctx, const struct queue_entry *e)
{
	const struct simulation *sim = ctx;

	if (e->source == sim->ender)
		__builtin_prefetch(&sim->live.lives[e->arg], 1);
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
	sim->used += 1UL << order;
	actor->pages += 1UL << order;
	actor->result->allocs++;
	census_add(&sim->census, actor->owner[order], order);
	sim->census.classes[actor->owner[order]].allocs++;
	if (actor->pages > actor->result->pages_peak)
		actor->result->pages_peak = actor->pages;
	err = live_add(&sim->live, life_make(pfn, order, actor->index, cpu,
					     loose ? LIFE_LOOSE : LIFE_HELD), &id);
	if (!err && sim->compactor)
		compactor_note_alloc(sim->compactor, id);
	if (!err && lifetime.kind == LIFE_RECLAIMED)
		err = id_list_push(&z->lives, id);
	else if (!err && !loose)
		err = engine_at(&sim->engine, lifetime.end_ns, sim->ender, id);
	return err ? err : reclaim_wake(sim, z);
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

/* Make room for a request that got nothing; whether another try is worth it. */
static int make_room(struct simulation *sim, const struct actor *actor,
		     unsigned int order, unsigned int cpu, bool *room)
{
	unsigned int nr;
	int err;

	*room = false;
	if (actor->class->atomic)
		return 0;
	if (order > DIRECT_ORDER_MAX) {
		if (!sim->compactor)
			return 0;
		*room = compactor_make_block(sim->compactor, order, actor->zone_limit, cpu);
		return compactor_lacks_memory(sim->compactor) ? -ENOMEM : 0;
	}
	err = reclaim_directly(sim, actor->zone_limit, &nr);
	*room = nr > 0;
	return err;
}

int life_ask(struct simulation *sim, struct actor *actor, unsigned int order,
	     unsigned int cpu, struct lifetime lifetime, bool *got)
{
	unsigned long pfn = try_alloc(sim, actor, order, cpu);
	int err = 0;

	if (unlikely(pfn == PFN_NONE)) {
		bool room;

		err = make_room(sim, actor, order, cpu, &room);
		if (err)
			return err;
		if (room)
			pfn = try_alloc(sim, actor, order, cpu);
		if (room && sim->compactor && order > DIRECT_ORDER_MAX)
			compactor_note_outcome(sim->compactor, pfn != PFN_NONE);
	}
	if (sim->plan->record) {
		struct record_who who = record_who(sim, actor, cpu);

		err = record_alloc(sim->plan->record, &who, pfn, order,
				   actor->class->migratetype, actor->class->gfp);
	}
	*got = pfn != PFN_NONE;
	if (*got && !err)
		err = life_begin(sim, actor, pfn, order, cpu, lifetime);
	return err ? err : count_op(sim);
}
