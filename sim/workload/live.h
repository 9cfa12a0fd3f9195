/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * live.h - where every live allocation of a simulation is
 *
 *    id -> pfn, order, class, CPU       one word each; ids are dense and reused
 *
 * Whoever will end a life (an entry of the event queue, a reclaim list) holds
 * its id. A block freed by somebody else becomes a ghost: its id is not reused
 * until that holder has come and found it gone.
 */
#ifndef PAGETAX_SIM_WORKLOAD_LIVE_H
#define PAGETAX_SIM_WORKLOAD_LIVE_H

#include <assert.h>

#include "base/types.h"

/*
 * One life.
 *   bits 63..28   first pfn; of a spare id, the next spare one
 *   bits 27..24   order
 *   bits 23..16   class
 *   bits 15..6    CPU that allocated it
 *   bits 1..0     enum life_state
 */
struct life { uint64_t bits; };
#define LIFE_PFN_SHIFT 28
_Static_assert(sizeof(struct life) == 8, "one word");
_Static_assert(MAX_PAGE_ORDER < 16, "an order fits four bits");
_Static_assert(MAX_NR_CPUS <= 1024, "a CPU fits ten bits");

enum life_state {
	LIFE_SPARE,
	LIFE_HELD,			/* live, and its id is in a queue or list */
	LIFE_LOOSE,			/* live, and nobody comes for it */
	LIFE_GHOST,			/* freed, and its id is still held */
};

static inline struct life life_make(unsigned long pfn, unsigned int order,
				    unsigned int class, unsigned int cpu,
				    enum life_state state)
{
	return (struct life){ (uint64_t)pfn << LIFE_PFN_SHIFT | (uint64_t)order << 24 |
			      class << 16 | cpu << 6 | state };
}

static inline unsigned long life_pfn(struct life l)
{
	return (unsigned long)(l.bits >> LIFE_PFN_SHIFT);
}

static inline unsigned int life_order(struct life l)
{
	return l.bits >> 24 & 15;
}

static inline unsigned int life_class(struct life l)
{
	return l.bits >> 16 & 0xff;
}

static inline unsigned int life_cpu(struct life l)
{
	return l.bits >> 6 & 0x3ff;
}

static inline enum life_state life_state(struct life l)
{
	return (enum life_state)(l.bits & 3);
}

static inline bool life_is_live(struct life l)
{
	return life_state(l) == LIFE_HELD || life_state(l) == LIFE_LOOSE;
}

struct live_table {
	struct life *lives;		/* by id */
	uint32_t nr_ids;		/* every id is below */
	uint32_t room;
	uint32_t first_spare;		/* UINT32_MAX: none */
};

void live_init(struct live_table *t);
void live_destroy(struct live_table *t);

/* A new id for this life. 0 or -ENOMEM. */
int live_add(struct live_table *t, struct life life, uint32_t *id);

static inline struct life live_get(const struct live_table *t, uint32_t id)
{
	assert(id < t->nr_ids);
	return t->lives[id];
}

/* Its block is elsewhere now; it has been freed: by its holder, who forgets the id, or by another. */
void live_end(struct live_table *t, uint32_t id);
void live_move(struct live_table *t, uint32_t id, unsigned long pfn);
void live_make_ghost(struct live_table *t, uint32_t id);

/* Ids in the order in which they came: a list of reclaimable lives. */
struct id_list {
	uint32_t *ids;			/* a ring */
	size_t first;
	size_t nr;
	size_t room;			/* 0 or a power of two */
};

int id_list_push(struct id_list *list, uint32_t id);	/* 0 or -ENOMEM */
uint32_t id_list_pop(struct id_list *list);		/* must not be empty */
void id_list_destroy(struct id_list *list);

#endif
