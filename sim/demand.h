/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * demand.h - what a recorded machine asked for, cleaned once for everybody
 *
 * A trace names pages by the pfn that Linux chose. An allocator under test
 * chooses its own, so the demand names blocks instead: each operation carries
 * the id of the block it makes, frees or cuts, and all a replay has to keep is
 * a table from id to its own pfn. Ids are dense and reused.
 *
 *    trace      alloc 7168/2   free 7169/0            free 7168/0 ...
 *    demand     ALLOC #4 o2    SPLIT #4 -> #4 #9 o1   FREE #4 ...
 *                              SPLIT #4 -> #4 #5 o0
 *                              FREE #5
 *
 * Real traces are dirty. Every case has its policy and its counter below;
 * after this pass each id is allocated before it is freed, freed once, and
 * freed with the order it then has.
 */
#ifndef PAGETAX_SIM_DEMAND_H
#define PAGETAX_SIM_DEMAND_H

#include "sim/source/bundle.h"

/* x(name, what happened, and what is done about it) */
#define DEMAND_DIRTY(x)                                                                  \
	x(before_snapshot,  "events older than the look at their page: its state holds them; skipped") \
	x(free_unknown,     "frees of pages that were free (a bulk allocation came before, unseen): skipped") \
	x(free_part,        "frees of a part of a block: the block is cut, the rest lives on")   \
	x(free_several,     "frees that cover several blocks: each is freed")                    \
	x(free_gaps,        "of those and of partial frees, some pages were free already")       \
	x(alloc_live,       "allocations of pages still live (their free was missed): freed just before") \
	x(alloc_failed,     "allocations that failed on the recorded machine: not replayed")     \
	x(misaligned,       "allocations at a pfn their order cannot have: not replayed")        \
	x(lost_events,      "events the recorder lost")                                          \
	x(free_batched,     "second records of batched frees: not demand")                       \
	x(buddy_events,     "zone_locked, pcpu_drain and extfrag events: not demand")            \
	x(time_reversed,    "events older than the one before: taken at that one's time")        \
	x(live_at_end,      "blocks that no event freed")

struct demand_dirty {
#define DIRTY_FIELD(name, what) uint64_t name;
	DEMAND_DIRTY(DIRTY_FIELD)
#undef DIRTY_FIELD
};

#define DEMAND_MAX_IDS (1U << 28)	/* blocks live at a time: of 1 TiB at least */

enum demand_kind {
	DEMAND_ALLOC,
	DEMAND_FREE,
	DEMAND_SPLIT,		/* `order` is that of the halves: `id` and `upper` */
};

struct demand_op {
	uint64_t time_ns;	/* since the first event of the trace */
	uint32_t id;
	union {
		uint32_t event;	/* ALLOC, FREE: index into trace.events */
		uint32_t upper;	/* SPLIT: id of the upper half; `id` keeps the lower */
	};
	uint8_t kind;		/* enum demand_kind */
	uint8_t order;
	uint8_t migratetype;	/* ALLOC only, as are the next and flags */
	uint8_t zone_limit;
	uint16_t cpu;
	uint8_t flags;		/* enum alloc_flags */
	uint8_t pad;
};
_Static_assert(sizeof(struct demand_op) == 24, "the replay streams through these");

/* A block that was in use at the start and is freed in place. */
struct demand_resident {
	unsigned long pfn;
	uint32_t id;
	uint8_t order;
	uint8_t migratetype;
};

struct demand {
	struct demand_op *ops;		/* in order of time */
	size_t nr_ops;
	size_t room;

	struct demand_resident *residents;	/* by address; ids 0, 1, 2 ... */
	size_t nr_residents;

	uint32_t nr_ids;		/* every id is below */
	uint64_t state_ns;		/* simulated time from which on the start state lives */
	uint64_t start_ns;		/* the recorder's time at simulated time 0 */
	uint64_t end_ns;		/* simulated time of the last event */
	uint64_t nr_events;		/* of the trace, demand or not */
	uint64_t nr_allocs;		/* operations by kind */
	uint64_t nr_frees;
	uint64_t nr_splits;
	uint64_t peak_live_pages;	/* residents included */
	struct demand_dirty dirty;
};

/*
 * Resolve a bundle's events for a machine of this layout. 0, -ENOMEM, -EINVAL
 * for a page that the layout does not have, or -EOVERFLOW where more than
 * DEMAND_MAX_IDS blocks live at a time; each with a message.
 */
int demand_resolve(struct demand *d, const struct bundle *bundle,
		   const struct layout *layout, struct msg *msg);

/* The same with a lower limit: few recordings reach the other. */
int demand_resolve_within(struct demand *d, const struct bundle *bundle,
			  const struct layout *layout, uint32_t max_ids, struct msg *msg);
void demand_free(struct demand *d);

#define DIRTY_COUNT(name, what) +1
enum { NR_DEMAND_DIRTY = 0 DEMAND_DIRTY(DIRTY_COUNT) };
#undef DIRTY_COUNT

extern const char *const demand_dirty_names[NR_DEMAND_DIRTY];
extern const char *const demand_dirty_help[NR_DEMAND_DIRTY];

/* The counters by place in the lists above. */
uint64_t demand_dirty_get(const struct demand_dirty *dirty, unsigned int i);

#endif
