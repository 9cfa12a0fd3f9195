/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compaction.h - movable blocks are moved together until a larger one is free
 *
 * One model for every allocator, which it knows by its public calls only:
 * query() says what is free, isolate() takes a free block where it lies. What
 * is in use, and whether it can move, it knows from the table of lives, whose
 * entries follow the blocks it moves. A backend without isolate() cannot be
 * compacted; each time that would have been tried is counted.
 */
#ifndef PAGETAX_SIM_COMPACTION_H
#define PAGETAX_SIM_COMPACTION_H

#include "alloc/allocator.h"
#include "sim/metrics/compact_result.h"
#include "sim/workload/live.h"

struct compactor;

/*
 * `movable` says of each class of lives whether its blocks can move. All that
 * is handed over must outlive the compactor; the table of lives is still empty.
 * NULL: no memory.
 */
struct compactor *compactor_create(struct allocator *a, struct live_table *live,
				   const bool *movable,
				   struct compact_result *result);
void compactor_destroy(struct compactor *c);

/* A life has begun; it is over, and its block about to be freed. */
void compactor_note_alloc(struct compactor *c, uint32_t id);
void compactor_note_free(struct compactor *c, struct life life);

/*
 * A request of this order, from zones up to the limit, has got nothing: compact
 * until a zone has a free block of the order. Whether one has.
 */
bool compactor_make_block(struct compactor *c, unsigned int order,
			  unsigned int zone_limit, unsigned int cpu);

/* The host's memory was too little for what it did: that depends on the host now. */
bool compactor_lacks_memory(const struct compactor *c);

/* Whether the request got its block then, after all. */
void compactor_note_outcome(struct compactor *c, bool served);

#endif
