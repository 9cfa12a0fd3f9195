/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * percpu.h - chunks of units, sorted by how much they have free
 *
 *    slot 17   wholly free     [chunk]
 *    slot 16   < 256 KiB       [chunk] <-> [chunk]
 *    ...
 *    slot  2   16..31 bytes    [chunk]         a request walks upwards from
 *    slot  1    1..15 bytes                    the slot of its own size: the
 *    slot  0   nothing to be had               fullest chunk that may fit
 *
 * What both generations of the percpu allocator share: a span is cut into
 * chunks of equal size, a chunk is an allocator of its own (an area map, or
 * bitmaps), and stands in the slot of what it has to offer. A chunk that
 * moves up goes to the head of its new list, one that moves down to the tail.
 *
 * A unit counts as 4 bytes, as in Linux, whatever it is to the caller: sizes
 * in bytes below are units times PERCPU_UNIT_BYTES.
 *
 * Finding a unit's chunk takes a word of the page descriptor in Linux (one for
 * each 1024 units here, which fill a page at 4 bytes each); it is charged to
 * META_borrowed, and the search that stands in for it is not counted as a cost.
 *
 * What a generation has of its own is a struct percpu_repr and how it searches:
 * its range_ops name an alloc, a free and a split, and PERCPU_RANGE_CALLS does
 * the rest.
 */
#ifndef PAGETAX_ALLOC_RANGE_PERCPU_H
#define PAGETAX_ALLOC_RANGE_PERCPU_H

#include "alloc/range.h"

#define PERCPU_UNIT_BYTES 4
#define PERCPU_PAGE_UNITS ((int)(PAGE_SIZE / PERCPU_UNIT_BYTES))	/* 1024 */
#define PERCPU_MAX_NR (8 * PERCPU_PAGE_UNITS)	/* 32 KiB */
#define PERCPU_MAX_ALIGN PERCPU_PAGE_UNITS

/* The largest block of pages, as a run of units at its alignment. */
#define PERCPU_MAX_ORDER \
	(PAGE_SHIFT - 2 < MAX_PAGE_ORDER ? PAGE_SHIFT - 2 : MAX_PAGE_ORDER)

/* 65536 units make slot 16; wholly free, side-lined and others come on top. */
#define PERCPU_MAX_SLOTS 24

struct percpu_link {
	struct percpu_link *prev;
	struct percpu_link *next;
};

struct percpu_chunk {
	struct percpu_link link;	/* in its slot's list */
	unsigned int slot;
	unsigned int nr_units;		/* set at create, as is `first` */
	unsigned long first;		/* the range's number of its unit 0 */
};

struct percpu_repr;

struct percpu {
	struct range base;
	const struct percpu_repr *repr;	/* set at create, as are the next two */
	unsigned int chunk_units;
	unsigned int nr_slots;
	unsigned int nr_chunks;
	unsigned int room;		/* chunks that the table can hold */
	struct percpu_chunk **chunks;	/* by rising `first` */
	struct percpu_link slots[PERCPU_MAX_SLOTS];
};

static inline struct percpu *to_percpu(struct range *r)
{
	return container_of(r, struct percpu, base);
}

static inline const struct percpu *to_const_percpu(const struct range *r)
{
	return container_of_const(r, struct percpu, base);
}

/*
 * How a generation describes its chunks. Units are counted from the chunk's
 * start; a chunk comes zeroed behind its base.
 */
struct percpu_repr {
	uint64_t range_bytes;		/* of the struct that begins with percpu */
	uint64_t chunk_bytes;		/* and of that with percpu_chunk */

	/* All its units reserved; false, and nothing held, without memory. */
	bool (*create)(struct percpu *p, struct percpu_chunk *c);
	void (*destroy)(struct percpu *p, struct percpu_chunk *c);

	/* As in range_ops, of reserved units in this chunk. */
	void (*release)(struct percpu *p, struct percpu_chunk *c,
			unsigned int at, unsigned int nr);
	int (*adopt)(struct percpu *p, struct percpu_chunk *c,
		     unsigned int at, unsigned int nr);

	/* The run that the unit is in; false when the unit is free. */
	bool (*used_run)(const struct percpu_chunk *c, unsigned int at,
			 struct range_run *run);

	/* The first free run that ends behind `at`; none begins at nr_units. */
	struct range_run (*free_run)(const struct percpu_chunk *c,
				     unsigned int at);

	unsigned long (*nr_free)(const struct percpu_chunk *c);
	int (*verify)(const struct percpu *p, const struct percpu_chunk *c,
		      struct msg *msg);
	uint64_t (*fingerprint)(const struct percpu_chunk *c);
};

/*
 * Make a zeroed range without chunks; it puts `extra_slots` of its own above
 * the slot of a wholly free chunk's size. 0, or -ENOMEM with a message.
 */
int percpu_create(struct range **out, const struct range_ops *ops,
		  const struct percpu_repr *repr, struct machine *m,
		  const struct option_set *opts, unsigned int extra_slots,
		  struct msg *msg);

/* Slot of so many free bytes, at least 4: 1 below 16, then one more a doubling. */
unsigned int percpu_slot_of_bytes(uint64_t bytes);

/* The chunk that holds the unit, or NULL. */
struct percpu_chunk *percpu_chunk_of(const struct percpu *p,
				     unsigned long unit);

/* Move a chunk to the list of a slot; nothing happens when it is there. */
void percpu_chunk_move(struct percpu *p, struct percpu_chunk *c,
		       unsigned int slot);

/* The chunks of a slot, in order; NULL at the end. */
static inline struct percpu_chunk *
percpu_next_in_slot(const struct percpu *p, unsigned int slot,
		    const struct percpu_link *at)
{
	return at->next == &p->slots[slot] ?
		       NULL : container_of(at->next, struct percpu_chunk, link);
}

#define percpu_for_each_in_slot(p, slot, c)                             \
	for (c = percpu_next_in_slot(p, slot, &(p)->slots[slot]); c;    \
	     c = percpu_next_in_slot(p, slot, &(c)->link))

/* The calls of struct range_ops that both generations share. */
void percpu_destroy(struct range *r);
int percpu_add(struct range *r, unsigned long first, unsigned long nr);
void percpu_release(struct range *r, unsigned long first, unsigned long nr);
int percpu_adopt(struct range *r, unsigned long first, unsigned long nr);
void percpu_query(const struct range *r, unsigned long unit,
		  struct range_info *info);
bool percpu_next_free(const struct range *r, unsigned long from,
		      unsigned long end, struct range_run *run);
unsigned long percpu_nr_free(const struct range *r);
int percpu_verify(const struct range *r, struct msg *msg);
uint64_t percpu_fingerprint(const struct range *r);

#define PERCPU_RANGE_CALLS                   \
	.destroy = percpu_destroy,           \
	.add = percpu_add,                   \
	.release = percpu_release,           \
	.adopt = percpu_adopt,               \
	.query = percpu_query,               \
	.next_free = percpu_next_free,       \
	.nr_free = percpu_nr_free,           \
	.fingerprint = percpu_fingerprint

#define PERCPU_CAPS                                      \
	{                                                \
		.max_nr = PERCPU_MAX_NR,                 \
		.max_align = PERCPU_MAX_ALIGN,           \
		.query = RANGE_QUERY_RUNS,               \
		.concurrency = RANGE_SINGLE,             \
		.grows = true,                           \
	}

#define PERCPU_PAGES_OPTION \
	{ .key = "pages", .values = "1..64", .def = "64", \
	  .help = "of 1024 units each that a chunk spans" }

#endif
