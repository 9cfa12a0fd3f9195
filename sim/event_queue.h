/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event_queue.h - what is still to happen, earliest first
 *
 * An entry says when, whom to call (a small number, see engine.h) and a
 * number for it. Entries of the same instant leave in the order in which they
 * entered, so a run never depends on the shape of the queue.
 *
 * Time never goes back: an entry is pushed at or after the time of the entry
 * popped last. That is what makes the queue fast; event_queue.c draws it.
 */
#ifndef PAGETAX_SIM_EVENT_QUEUE_H
#define PAGETAX_SIM_EVENT_QUEUE_H

#include "base/types.h"

struct queue_entry {
	uint64_t time_ns;
	uint32_t arg;
	uint32_t source;		/* whom to call */
};
_Static_assert(sizeof(struct queue_entry) == 16, "there is one for each live allocation");

#define QUEUE_DIGIT_BITS 6
#define QUEUE_SLOTS (1U << QUEUE_DIGIT_BITS)
#define QUEUE_LEVELS 11			/* digits of a 64-bit time: 64 / 6, rounded up */

struct queue_chunk;
struct queue_slab;

/* Entries in order of entry: a list of chunks. */
struct queue_slot {
	struct queue_chunk *first;
	struct queue_chunk *last;
	uint64_t min_ns;		/* of its entries, when there are any */
};

/*
 * Told of entries that will leave soon, so that what they lead to is in the
 * cache by then. Of some it hears twice, of a few never; it changes nothing.
 */
typedef void queue_soon_fn(void *ctx, const struct queue_entry *e);

struct event_queue {
	queue_soon_fn *soon;		/* NULL: nobody wants to know */
	void *soon_ctx;
	uint64_t now_ns;		/* no entry is earlier */
	uint64_t next_ns;		/* of the earliest entry; UINT64_MAX: none */
	size_t nr;
	struct queue_slab *slabs;	/* where chunks come from */
	struct queue_chunk *spare;	/* chunks without entries */
	size_t nr_chunks;		/* of all slabs */
	size_t nr_fresh;		/* of the newest slab's, never used so far */
	uint64_t occupied[QUEUE_LEVELS];	/* bit s: slot s holds entries */
	struct queue_slot slots[QUEUE_LEVELS][QUEUE_SLOTS];
};

void event_queue_init(struct event_queue *q);
void event_queue_destroy(struct event_queue *q);

/*
 * 0, or -ENOMEM, after which the queue is as before. time_ns is below
 * UINT64_MAX and not before the entry popped last.
 */
int event_queue_push(struct event_queue *q, uint64_t time_ns,
		     unsigned int source, uint32_t arg);

/* Take the earliest entry. False when there is none. Needs no memory. */
bool event_queue_pop(struct event_queue *q, struct queue_entry *out);

/* Bytes it has used, at most; it gives none back before its end. */
size_t event_queue_bytes(const struct event_queue *q);

static inline bool event_queue_empty(const struct event_queue *q)
{
	return q->nr == 0;
}

/* Time of the earliest entry; UINT64_MAX when there is none. */
static inline uint64_t event_queue_next_ns(const struct event_queue *q)
{
	return q->next_ns;
}

#endif
