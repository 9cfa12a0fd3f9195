/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reclaim.c - room for those who ask, taken from those who can do without
 *
 *    used[z]   pages of zone z in callers' hands; free is what else the zone
 *              was given, so an allocator's own nodes count as free, and all
 *              allocators see memory run low at the same demand
 *    kswapd    wakes when a zone's free pages fall below its low watermark;
 *              each RECLAIM_NS it takes up to RECLAIM_BLOCKS of the oldest
 *              reclaimable blocks of the zone, until high is reached
 *    direct    a request of order 3 or less that gets nothing, and may wait,
 *              takes as many from each zone allowed to it and tries once more
 */
#include "sim/simulation/simulation.h"

#define RECLAIM_BLOCKS 32		/* SWAP_CLUSTER_MAX */
#define RECLAIM_NS 20000		/* for so many: 1.6 million blocks a second */
#define RECLAIM_REST_NS 10000000	/* after nothing was to be had */

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

int kswapd_fire(struct engine *engine, void *ctx, uint32_t zone)
{
	struct simulation *sim = ctx;
	struct reclaim_zone *z = &sim->zones[zone];
	const struct zone *limits = &sim->plan->layout->zones[zone];
	unsigned int nr;
	int err = reclaim_some(sim, zone, &nr);

	if (err)
		return err;
	z->awake = nr && zone_free_pages(sim, zone) < limits->wmark_high;
	if (!nr)
		z->rest_until_ns = engine->now_ns + RECLAIM_REST_NS;
	return z->awake ? engine_at(engine, engine->now_ns + RECLAIM_NS,
				    sim->kswapd, zone) : 0;
}

int reclaim_wake(struct simulation *sim, struct reclaim_zone *z)
{
	unsigned int zone = (unsigned int)(z - sim->zones);
	uint64_t now_ns = sim->engine.now_ns;

	if (z->awake || now_ns < z->rest_until_ns ||
	    zone_free_pages(sim, zone) >= sim->plan->layout->zones[zone].wmark_low)
		return 0;
	z->awake = true;
	return engine_at(&sim->engine, now_ns + RECLAIM_NS, sim->kswapd, zone);
}

int reclaim_directly(struct simulation *sim, unsigned int zone_limit,
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
