/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event_queue.h - what is still to happen, earliest first
 *
 * An entry says when, whom to call (a small number, see engine.h) and one
 * word for it. Entries of the same instant leave in the order in which they
 * entered, so a run never depends on the shape of the heap.
 */
#ifndef PAGETAX_SIM_EVENT_QUEUE_H
#define PAGETAX_SIM_EVENT_QUEUE_H

#include "base/types.h"

struct queue_entry {
	uint64_t time_ns;
	/*
	 * bits 63..16   the entry's number: 2^48 entries last for a year at
	 *               9 million a second
	 * bits 15..0    the source to call
	 */
	uint64_t tag;
	uint64_t arg;
};
_Static_assert(sizeof(struct queue_entry) == 24, "three words for a live allocation");

struct event_queue {
	struct queue_entry *heap;
	size_t nr;
	size_t room;
	uint64_t nr_entered;		/* over the queue's whole life */
};

void event_queue_init(struct event_queue *q);
void event_queue_destroy(struct event_queue *q);

/* 0, or -ENOMEM, after which the queue is as before. */
int event_queue_push(struct event_queue *q, uint64_t time_ns,
		     unsigned int source, uint64_t arg);

/* Take the earliest entry. False when there is none. */
bool event_queue_pop(struct event_queue *q, struct queue_entry *out);

static inline bool event_queue_empty(const struct event_queue *q)
{
	return q->nr == 0;
}

/* Time of the earliest entry; UINT64_MAX when there is none. */
static inline uint64_t event_queue_next_ns(const struct event_queue *q)
{
	return q->nr ? q->heap[0].time_ns : UINT64_MAX;
}

static inline unsigned int queue_entry_source(const struct queue_entry *e)
{
	return e->tag & 0xffff;
}

#endif
