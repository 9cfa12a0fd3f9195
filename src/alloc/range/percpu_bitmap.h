/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * percpu_bitmap.h - its range and chunks, for its two files and for tests
 *
 *    percpu_bitmap.c       slots, and the chunks asked in turn
 *    percpu_population.c   which pages of the chunks have memory
 */
#ifndef PAGETAX_ALLOC_RANGE_PERCPU_BITMAP_H
#define PAGETAX_ALLOC_RANGE_PERCPU_BITMAP_H

#include "bitmap_chunk.h"
#include "percpu.h"

struct pb_chunk {
	struct percpu_chunk base;
	struct bitmap_chunk bits;
	bool isolated;			/* in the slot of those to be depopulated */
};

struct percpu_bitmap {
	struct percpu base;
	enum hint_version version;	/* set at create, as are the next four */
	bool populates;
	bool depopulates;
	unsigned int free_slot;		/* of chunks that are wholly free */
	unsigned int sideline_slot;	/* asked before those */

	int nr_empty;			/* pages populated and empty, not isolated */
};

static inline struct pb_chunk *to_pb_chunk(struct percpu_chunk *c)
{
	return container_of(c, struct pb_chunk, base);
}

static inline const struct bitmap_chunk *bits_of(const struct percpu_chunk *c)
{
	return &((const struct pb_chunk *)c)->bits;
}

static inline struct percpu_bitmap *to_pb(struct range *r)
{
	return container_of(to_percpu(r), struct percpu_bitmap, base);
}

static inline const struct percpu_bitmap *to_const_pb(const struct range *r)
{
	return (const struct percpu_bitmap *)to_const_percpu(r);
}

/*
 * With depopulation two more slots stand at the top: side-lined chunks below
 * the wholly free ones, those to be depopulated above them.
 */
static inline unsigned int
pb_depopulate_slot(const struct percpu_bitmap *pb)
{
	return pb->free_slot + 1;
}

/* The slot that follows from a chunk's hints. */
unsigned int pb_slot_of(const struct percpu_bitmap *pb,
			const struct percpu_chunk *c);

/* A chunk's nr_empty was `before`: the range's follows. */
void pb_carry_empty(struct percpu_bitmap *pb, struct pb_chunk *c, int before);

/*
 * A run [at, end) of a chunk was taken: what of it has no memory yet gets some.
 * False when there is none to be had.
 */
bool pb_populate_run(struct percpu_bitmap *pb, struct pb_chunk *c, int at,
		     int end);

/* A chunk that was set apart is one of many again. */
void pb_reintegrate(struct percpu_bitmap *pb, struct pb_chunk *c);

/* What the worker does after an alloc, an atomic one in vain, a free in `c`. */
void pb_balance_after_alloc(struct percpu_bitmap *pb);
void pb_balance_after_refusal(struct percpu_bitmap *pb);
void pb_balance_after_free(struct percpu_bitmap *pb, struct pb_chunk *c);

/*
 * With populate=on: pages (of PERCPU_PAGE_UNITS units) that have memory now,
 * and those of them that are empty.
 */
unsigned long percpu_bitmap_nr_populated(const struct range *r);
unsigned long percpu_bitmap_nr_empty(const struct range *r);

/* Whether any chunk could hold such a run, from the maps alone. */
bool percpu_bitmap_fits(const struct range *r, unsigned long nr,
			unsigned long align);

#endif
