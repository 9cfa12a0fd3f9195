/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event_queue.c - a heap with four children a node
 *
 *                    0                    an entry is not later than
 *        1       2       3       4        any of its children:
 *     5 6 7 8  9 ...                      4i + 1 ... 4i + 4
 *
 * Four children make the tree half as deep as two would, and they lie side by
 * side: 96 bytes, two cache lines. With 10^8 entries a push or a pop touches
 * at most 14 levels. Both cost O(log n); 24 bytes an entry.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "sim/event_queue.h"

#define HEAP_CHILDREN 4
#define FIRST_ROOM 64

void event_queue_init(struct event_queue *q)
{
	*q = (struct event_queue){ 0 };
}

void event_queue_destroy(struct event_queue *q)
{
	free(q->heap);
	event_queue_init(q);
}

static bool entry_before(const struct queue_entry *a,
			 const struct queue_entry *b)
{
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns;
	return a->tag < b->tag;		/* the number stands in the high bits */
}

/* Grow by half: untouched room costs nothing, but a copy might. */
static int queue_make_room(struct event_queue *q)
{
	size_t room = q->room ? q->room + q->room / 2 : FIRST_ROOM;
	struct queue_entry *heap;

	if (q->nr < q->room)
		return 0;
	if (room > SIZE_MAX / sizeof(*heap))
		return -ENOMEM;
	heap = realloc(q->heap, room * sizeof(*heap));
	if (!heap)
		return -ENOMEM;
	q->heap = heap;
	q->room = room;
	return 0;
}

int event_queue_push(struct event_queue *q, uint64_t time_ns,
		     unsigned int source, uint64_t arg)
{
	struct queue_entry entry = {
		.time_ns = time_ns,
		.tag = q->nr_entered << 16 | source,
		.arg = arg,
	};
	size_t i = q->nr;
	int err;

	assert(source <= 0xffff);
	assert(q->nr_entered >> 48 == 0);
	err = queue_make_room(q);
	if (err)
		return err;
	q->nr_entered++;
	q->nr++;
	while (i) {
		size_t parent = (i - 1) / HEAP_CHILDREN;

		if (!entry_before(&entry, &q->heap[parent]))
			break;
		q->heap[i] = q->heap[parent];
		i = parent;
	}
	q->heap[i] = entry;
	return 0;
}

/* The earliest child of i, or q->nr when i is a leaf. */
static size_t earliest_child(const struct event_queue *q, size_t i)
{
	size_t first = i * HEAP_CHILDREN + 1;
	size_t best = first;

	if (first >= q->nr)
		return q->nr;
	for (size_t c = first + 1; c < q->nr && c < first + HEAP_CHILDREN; c++) {
		if (entry_before(&q->heap[c], &q->heap[best]))
			best = c;
	}
	return best;
}

bool event_queue_pop(struct event_queue *q, struct queue_entry *out)
{
	const struct queue_entry *last;
	struct queue_entry moved;
	size_t i = 0;

	if (!q->nr)
		return false;
	*out = q->heap[0];
	last = &q->heap[--q->nr];
	if (!q->nr)
		return true;
	moved = *last;
	for (;;) {
		size_t child = earliest_child(q, i);

		if (child >= q->nr || !entry_before(&q->heap[child], &moved))
			break;
		q->heap[i] = q->heap[child];
		i = child;
	}
	q->heap[i] = moved;
	return true;
}
