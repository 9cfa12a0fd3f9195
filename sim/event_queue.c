/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event_queue.c - a wheel of digits for a time that never goes back
 *
 *    A time is 11 digits of 6 bits. An entry waits at the level of the highest
 *    digit in which it differs from now, in the slot of that digit's value:
 *
 *    now  = .. 3  5  9         level 2     level 1      level 0
 *    t    = .. 3  5 12     ->                           slot 12
 *    t    = .. 3  7  1     ->              slot 7
 *    t    = .. 4  0  0     ->  slot 4
 *
 * A slot of level 0 holds entries of one instant. When level 0 is empty, the
 * lowest slot of the lowest level that is not becomes now: its entries move
 * down, in their order, to levels that are empty. Entries of equal times thus
 * always share a slot, and stay in the order in which they entered.
 *
 * An entry moves at most 10 times, and stops as soon as it is alone in its
 * slot: about log64(n) moves for n entries. A move reads and writes
 * sequentially, so the cost hardly depends on the size of the caches.
 *
 * Entries lie in chunks of 1 KiB, cut from slabs. A slot has at most two
 * chunks that are not full, the first and the last, so
 *
 *    chunks needed <= nr / CHUNK_ENTRIES + 2 * levels * slots
 *
 * and a push that keeps that many lets every pop go without memory.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/bits.h"
#include "sim/event_queue.h"
#include "sim/host_memory.h"

#define CHUNK_BYTES 1024
#define CHUNK_ENTRIES ((CHUNK_BYTES - 16) / sizeof(struct queue_entry))
#define SLAB_CHUNKS 2047		/* a huge page: 2 MiB less 1 KiB */
#define SOON_CHUNKS 2		/* of 63 entries, for 64 slots: two for each */
#define SOON_AHEAD 8		/* of many at one instant */
#define PARTIAL_CHUNKS (2 * QUEUE_LEVELS * QUEUE_SLOTS)

struct queue_chunk {
	struct queue_chunk *next;
	uint32_t first, end;		/* entries that are left: [first, end) */
	struct queue_entry entries[CHUNK_ENTRIES];
};

struct queue_slab {
	struct queue_slab *next;
	struct queue_chunk chunks[SLAB_CHUNKS];
};

void event_queue_init(struct event_queue *q)
{
	*q = (struct event_queue){ .next_ns = UINT64_MAX };
}

void event_queue_destroy(struct event_queue *q)
{
	while (q->slabs) {
		struct queue_slab *slab = q->slabs;

		q->slabs = slab->next;
		free(slab);
	}
	event_queue_init(q);
}

size_t event_queue_bytes(const struct event_queue *q)
{
	return sizeof(*q) + (q->nr_chunks - q->nr_fresh) * sizeof(struct queue_chunk);
}

/* Have the chunks that nr entries may need. */
static int queue_make_room(struct event_queue *q, size_t nr)
{
	while (unlikely(q->nr_chunks < nr / CHUNK_ENTRIES + PARTIAL_CHUNKS)) {
		struct queue_slab *slab;

		/* What the newest slab has left would be out of reach. */
		if (q->nr_fresh) {
			struct queue_chunk *c =
				&q->slabs->chunks[SLAB_CHUNKS - q->nr_fresh--];

			c->next = q->spare;
			q->spare = c;
			continue;
		}
		slab = host_table_alloc(sizeof(*slab));
		if (!slab)
			return -ENOMEM;
		slab->next = q->slabs;
		q->slabs = slab;
		q->nr_chunks += SLAB_CHUNKS;
		q->nr_fresh = SLAB_CHUNKS;
	}
	return 0;
}

static struct queue_chunk *chunk_get(struct event_queue *q)
{
	struct queue_chunk *c = q->spare;

	if (likely(c)) {
		q->spare = c->next;
	} else {
		assert(q->nr_fresh);
		c = &q->slabs->chunks[SLAB_CHUNKS - q->nr_fresh--];
	}
	c->next = NULL;
	c->first = c->end = 0;
	return c;
}

static void chunk_put(struct event_queue *q, struct queue_chunk *c)
{
	c->next = q->spare;
	q->spare = c;
}

static void queue_insert(struct event_queue *q, const struct queue_entry *e)
{
	uint64_t differs = e->time_ns ^ q->now_ns;
	unsigned int level, digit;
	struct queue_slot *slot;

	level = differs ? (63 - (unsigned int)__builtin_clzll(differs)) /
			  QUEUE_DIGIT_BITS : 0;
	digit = e->time_ns >> (level * QUEUE_DIGIT_BITS) & (QUEUE_SLOTS - 1);
	slot = &q->slots[level][digit];
	if (!(q->occupied[level] >> digit & 1)) {
		q->occupied[level] |= UINT64_C(1) << digit;
		slot->first = slot->last = chunk_get(q);
		slot->min_ns = e->time_ns;
	} else if (slot->last->end == CHUNK_ENTRIES) {
		slot->last->next = chunk_get(q);
		slot->last = slot->last->next;
	}
	slot->last->entries[slot->last->end++] = *e;
	if (e->time_ns < slot->min_ns)
		slot->min_ns = e->time_ns;
}

int event_queue_push(struct event_queue *q, uint64_t time_ns,
		     unsigned int source, uint32_t arg)
{
	const struct queue_entry e = {
		.time_ns = time_ns, .arg = arg, .source = source,
	};
	int err = queue_make_room(q, q->nr + 1);

	assert(time_ns >= q->now_ns);
	assert(time_ns < UINT64_MAX);
	if (err)
		return err;
	queue_insert(q, &e);
	q->nr++;
	if (time_ns < q->next_ns)
		q->next_ns = time_ns;
	return 0;
}

/* The slot with the earliest entry; the queue is not empty. */
static struct queue_slot *earliest_slot(struct event_queue *q,
					unsigned int *level,
					unsigned int *digit)
{
	unsigned int l = 0;

	while (!q->occupied[l])
		l++;
	*level = l;
	*digit = (unsigned int)__builtin_ctzll(q->occupied[l]);
	return &q->slots[l][*digit];
}

static void slot_clear(struct event_queue *q, unsigned int level,
		       unsigned int digit)
{
	q->occupied[level] &= ~(UINT64_C(1) << digit);
}

/* So few entries that each is about to leave, or alone in its slot then. */
static bool slot_is_short(const struct queue_slot *slot)
{
	const struct queue_chunk *c = slot->first;

	for (unsigned int n = 1; n < SOON_CHUNKS && c; n++)
		c = c->next;
	return !c || !c->next;
}

/* Its earliest entry becomes now; the entries move to lower levels. */
static void slot_open(struct event_queue *q, struct queue_slot *slot,
		      unsigned int level, unsigned int digit)
{
	struct queue_chunk *c = slot->first;
	bool soon = q->soon && slot_is_short(slot);

	q->now_ns = slot->min_ns;
	slot_clear(q, level, digit);
	while (c) {
		struct queue_chunk *next = c->next;

		for (uint32_t i = c->first; i < c->end; i++) {
			if (soon)
				q->soon(q->soon_ctx, &c->entries[i]);
			queue_insert(q, &c->entries[i]);
		}
		chunk_put(q, c);
		c = next;
	}
}

/* Many of one instant were never few enough to be told of; these come next. */
static void tell_ahead(const struct event_queue *q, const struct queue_chunk *c)
{
	uint32_t i = c->first + SOON_AHEAD;

	if (i >= c->end && c->next) {
		i -= c->end;
		c = c->next;
	}
	if (i < c->end)
		q->soon(q->soon_ctx, &c->entries[i]);
}

/* Remove the first entry of a slot. */
static void slot_take(struct event_queue *q, struct queue_slot *slot,
		      unsigned int level, unsigned int digit,
		      struct queue_entry *out)
{
	struct queue_chunk *c = slot->first;

	if (q->soon)
		tell_ahead(q, c);
	*out = c->entries[c->first++];
	if (c->first < c->end)
		return;
	slot->first = c->next;
	chunk_put(q, c);
	if (!slot->first)
		slot_clear(q, level, digit);
}

static bool slot_has_one(const struct queue_slot *slot)
{
	const struct queue_chunk *c = slot->first;

	return !c->next && c->end - c->first == 1;
}

bool event_queue_pop(struct event_queue *q, struct queue_entry *out)
{
	struct queue_slot *slot;
	unsigned int level, digit;

	if (!q->nr)
		return false;
	slot = earliest_slot(q, &level, &digit);
	if (level && !slot_has_one(slot)) {
		slot_open(q, slot, level, digit);
		slot = earliest_slot(q, &level, &digit);
	}
	slot_take(q, slot, level, digit, out);
	q->now_ns = out->time_ns;
	q->nr--;
	if (q->nr)
		q->next_ns = earliest_slot(q, &level, &digit)->min_ns;
	else
		q->next_ns = UINT64_MAX;
	return true;
}
