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
 * each 1024 units here, which fill a page at 4 bytes each); it is charged to META_borrowed, and the search that
 * stands in for it is not counted as a cost.
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

struct percpu {
	struct range base;
	uint64_t chunk_bytes;		/* of the backend's chunk struct; set at create */
	unsigned int chunk_units;	/* set at create, as is nr_slots */
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
	return (const struct percpu *)((const char *)r -
				       offsetof(struct percpu, base));
}

/*
 * Set up what a zeroed struct percpu needs; its backend puts `extra_slots` of
 * its own above the slot of a wholly free chunk's size.
 */
void percpu_init(struct percpu *p, const struct range_ops *ops,
		 struct machine *m, unsigned int chunk_units,
		 uint64_t chunk_bytes, unsigned int extra_slots);
void percpu_exit(struct percpu *p);

/* Slot of so many free bytes, at least 4: 1 below 16, then one more a doubling. */
unsigned int percpu_slot_of_bytes(uint64_t bytes);

/*
 * Make the chunk that begins at `first`, of at most nr units, zeroed beyond
 * its base and on no list yet. NULL when there is no memory.
 */
struct percpu_chunk *percpu_chunk_create(struct percpu *p, unsigned long first,
					 unsigned long nr);

/* The end of a chunk; what it points to is its owner's to give back first. */
void percpu_chunk_destroy(struct percpu *p, struct percpu_chunk *c);

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

/*
 * The first free run that has units in [from, end), as range_ops.next_free
 * gives it, in however many chunks it lies side by side. The backend finds one in a chunk: the first
 * free run at or behind offset `at`, or one that begins at nr_units.
 */
typedef struct range_run percpu_free_run_fn(const struct percpu_chunk *c,
					    unsigned int at);
bool percpu_next_free(const struct percpu *p, unsigned long from,
		      unsigned long end, percpu_free_run_fn *free_run,
		      struct range_run *run);

/* Lists and table against each other. 0, or -EUCLEAN with a message. */
int percpu_verify_slots(const struct percpu *p, struct msg *msg);

/* A hash of which chunks stand where. */
uint64_t percpu_fingerprint_slots(const struct percpu *p);

#endif
