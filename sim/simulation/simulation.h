/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * simulation.h - one described workload at work: what its parts share
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
 *    ../simulate.c   phases; the start and the end
 *    actors.c        classes that ask: when, how often, for how long
 *    lives.c         blocks come and go
 *    reclaim.c       what makes room when a zone runs low
 *    compaction.c    what makes room when memory is scattered, if asked for
 *    observers.c     samples, pictures, the tick of once a second
 *
 * All are sources of one engine.
 */
#ifndef PAGETAX_SIM_SIMULATION_H
#define PAGETAX_SIM_SIMULATION_H

#include "sim/engine.h"
#include "sim/simulate.h"
#include "sim/simulation/compaction.h"
#include "sim/workload/arrival.h"
#include "sim/workload/live.h"

#define NOBODY UINT32_MAX

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
	bool waits;			/* FILL: until less than its level is in use; */
	uint64_t look_ns, look_every_ns;	/* it then looks at look_ns + n look_every_ns */
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
	uint64_t end_ns;		/* of the last of those so far that are timed */
	uint32_t actor;
	uint32_t worker;		/* who thinks when it is over; 0: nobody */
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
	uint64_t used, managed;		/* pages of all zones */
	double wake_below;		/* pages in use; 0: no class waits */
	struct process *processes;
	uint32_t nr_processes, spare_process;
	struct compactor *compactor;	/* NULL: not asked for */
	bool movable[SCENARIO_MAX_CLASSES];

	/* Sources of the engine; that of actor i is first_actor + i. */
	unsigned int phases, sampler, ticker, ender, pacer, kswapd, first_actor;
};

static inline uint64_t end_of_run(const struct simulation *sim)
{
	return sim->plan->scenario->duration_ns;
}

/* lives.c; each returns 0, -ENOMEM, or -EINTR when the user wants no more. */

/*
 * Ask for one block, room being made for it if that is possible; *got is false
 * when there is no memory for it.
 */
int life_ask(struct simulation *sim, struct actor *actor, unsigned int order,
	     unsigned int cpu, struct lifetime lifetime, bool *got);

/* Give a live block back. Its id is the caller's business. */
int life_free(struct simulation *sim, struct life life);

engine_fn life_end_fire;		/* the life of this id is over */

/* Fetches what the end of a life needs into the cache. */
queue_soon_fn life_end_soon;

/* reclaim.c */

engine_fn kswapd_fire;			/* for the zone of this index */

/* Wake kswapd if that zone runs low. 0 or -ENOMEM. */
int reclaim_wake(struct simulation *sim, struct reclaim_zone *z);

/* Take some blocks from each zone up to the limit; *nr is how many it were. */
int reclaim_directly(struct simulation *sim, unsigned int zone_limit,
		     unsigned int *nr);

/* actors.c */

/* 0 or -ENOMEM. actors_free() undoes either. */
int actors_make(struct simulation *sim);
void actors_free(struct simulation *sim);

/* Have each asked at its first arrival. 0 or -ENOMEM. */
int actors_start(struct simulation *sim);

engine_fn actor_fire;
engine_fn pacer_fire;

/* Less than sim->wake_below is in use. 0 or -ENOMEM. */
int actors_wake(struct simulation *sim);

/* A phase begins: who waits looks now. 0 or -ENOMEM. */
int actors_look(struct simulation *sim);

/* observers.c */

engine_fn sampler_fire;
engine_fn ticker_fire;

/* Now; 0 or -ENOMEM. */
int sample_now(struct simulation *sim);

/* 0, or -EINTR when the user wants no more. */
int progress_now(struct simulation *sim);

#endif
