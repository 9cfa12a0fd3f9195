/* SPDX-License-Identifier: GPL-2.0-or-later */
/* percpu.c - chunks of units, sorted by how much they have free */
#include <errno.h>
#include <string.h>

#include "base/bits.h"
#include "percpu.h"

void percpu_init(struct percpu *p, const struct range_ops *ops,
		 struct machine *m, unsigned int chunk_units,
		 uint64_t chunk_bytes, unsigned int extra_slots)
{
	range_init(&p->base, ops, m);
	p->chunk_units = chunk_units;
	p->chunk_bytes = chunk_bytes;
	p->nr_slots = extra_slots + 1 +
		      percpu_slot_of_bytes((uint64_t)chunk_units *
					   PERCPU_UNIT_BYTES);
	assert(p->nr_slots <= PERCPU_MAX_SLOTS);
	for (unsigned int i = 0; i < p->nr_slots; i++)
		p->slots[i].prev = p->slots[i].next = &p->slots[i];
	p->base.caps.max_nr = min_t(unsigned long, p->base.caps.max_nr,
				    chunk_units);
}

void percpu_exit(struct percpu *p)
{
	assert(!p->nr_chunks);
	machine_free(p->base.machine, p->chunks, p->room * sizeof(*p->chunks),
		     META_structures);
}

unsigned int percpu_slot_of_bytes(uint64_t bytes)
{
	unsigned int high = ilog2((unsigned long)bytes) + 1;

	return high > 4 ? high - 3 : 1;
}

/* Make room for one more chunk in the table. */
static bool table_grow(struct percpu *p)
{
	unsigned int room = p->room ? 2 * p->room : 1;
	struct percpu_chunk **chunks;

	if (p->nr_chunks < p->room)
		return true;
	chunks = machine_alloc(p->base.machine, room * sizeof(*chunks),
			       META_structures);
	if (!chunks)
		return false;
	if (p->room)
		memcpy(chunks, p->chunks, p->room * sizeof(*chunks));
	machine_free(p->base.machine, p->chunks, p->room * sizeof(*chunks),
		     META_structures);
	p->chunks = chunks;
	p->room = room;
	return true;
}

static uint64_t borrowed_bytes(const struct percpu_chunk *c)
{
	return sizeof(void *) * div_round_up(c->nr_units, PERCPU_PAGE_UNITS);
}

/* Place in the table of the first chunk that begins behind the unit. */
static unsigned int place_after(const struct percpu *p, unsigned long unit)
{
	unsigned int low = 0, high = p->nr_chunks;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (p->chunks[mid]->first <= unit)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct percpu_chunk *percpu_chunk_create(struct percpu *p, unsigned long first,
					 unsigned long nr)
{
	struct machine *m = p->base.machine;
	struct percpu_chunk *c;
	unsigned int place;

	if (!table_grow(p))
		return NULL;
	c = machine_alloc(m, p->chunk_bytes, META_structures);
	if (!c)
		return NULL;
	c->first = first;
	c->nr_units = (unsigned int)min_t(unsigned long, nr, p->chunk_units);
	c->link.prev = c->link.next = &c->link;
	meta_charge(&m->meta, META_borrowed, borrowed_bytes(c));

	place = place_after(p, first);
	memmove(&p->chunks[place + 1], &p->chunks[place],
		(p->nr_chunks - place) * sizeof(struct percpu_chunk *));
	p->chunks[place] = c;
	p->nr_chunks++;
	return c;
}

static void unlink_chunk(struct percpu_chunk *c)
{
	c->link.prev->next = c->link.next;
	c->link.next->prev = c->link.prev;
	c->link.prev = c->link.next = &c->link;
}

void percpu_chunk_destroy(struct percpu *p, struct percpu_chunk *c)
{
	unsigned int place = place_after(p, c->first);

	assert(p->chunks[place - 1] == c);
	p->nr_chunks--;
	memmove(&p->chunks[place - 1], &p->chunks[place],
		(p->nr_chunks - (place - 1)) * sizeof(struct percpu_chunk *));
	unlink_chunk(c);
	meta_uncharge(&p->base.machine->meta, META_borrowed, borrowed_bytes(c));
	machine_free(p->base.machine, c, p->chunk_bytes, META_structures);
}

struct percpu_chunk *percpu_chunk_of(const struct percpu *p,
				     unsigned long unit)
{
	unsigned int place = place_after(p, unit);
	struct percpu_chunk *c;

	if (!place)
		return NULL;
	c = p->chunks[place - 1];
	return unit - c->first < c->nr_units ? c : NULL;
}

void percpu_chunk_move(struct percpu *p, struct percpu_chunk *c,
		       unsigned int slot)
{
	bool listed = c->link.next != &c->link;
	struct percpu_link *after;

	assert(slot < p->nr_slots);
	if (listed && slot == c->slot)
		return;
	after = slot > c->slot || !listed ? &p->slots[slot] :
					    p->slots[slot].prev;
	unlink_chunk(c);
	c->slot = slot;
	c->link.prev = after;
	c->link.next = after->next;
	after->next->prev = &c->link;
	after->next = &c->link;
}

/* A free run that ends with its chunk may go on in those behind it. */
static unsigned long joined_end(const struct percpu *p, unsigned int place,
				unsigned long end, percpu_free_run_fn *free_run)
{
	while (++place < p->nr_chunks) {
		const struct percpu_chunk *c = p->chunks[place];
		struct range_run run;

		if (c->first != end)
			break;
		run = free_run(c, 0);
		if (run.start || !run.nr)
			break;
		end += run.nr;
		if (run.nr < c->nr_units)
			break;
	}
	return end;
}

bool percpu_next_free(const struct percpu *p, unsigned long from,
		      unsigned long end, percpu_free_run_fn *free_run,
		      struct range_run *run)
{
	unsigned int place = place_after(p, from);

	for (place -= place > 0; place < p->nr_chunks; place++) {
		const struct percpu_chunk *c = p->chunks[place];
		unsigned long at = from > c->first ? from - c->first : 0;
		unsigned long stop;
		struct range_run found;

		if (c->first >= end)
			return false;
		if (at >= c->nr_units)
			continue;
		found = free_run(c, (unsigned int)at);
		if (found.start >= c->nr_units)
			continue;
		if (c->first + found.start >= end)
			return false;
		run->start = max_t(unsigned long, c->first + found.start, from);
		stop = c->first + found.start + found.nr;
		if (found.start + found.nr == c->nr_units && stop < end)
			stop = joined_end(p, place, stop, free_run);
		run->nr = min_t(unsigned long, stop, end) - run->start;
		return true;
	}
	return false;
}

int percpu_verify_slots(const struct percpu *p, struct msg *msg)
{
	unsigned int listed = 0;

	for (unsigned int slot = 0; slot < p->nr_slots; slot++) {
		const struct percpu_chunk *c;

		percpu_for_each_in_slot(p, slot, c) {
			if (c->slot != slot || c->link.next->prev != &c->link)
				return msg_set(msg, EUCLEAN,
					       "the chunk at unit %lu is listed in slot %u, but says %u",
					       c->first, slot, c->slot);
			listed++;
		}
	}
	if (listed != p->nr_chunks)
		return msg_set(msg, EUCLEAN, "%u chunks are listed of %u",
			       listed, p->nr_chunks);
	return 0;
}

uint64_t percpu_fingerprint_slots(const struct percpu *p)
{
	uint64_t hash = 0;

	for (unsigned int slot = 0; slot < p->nr_slots; slot++) {
		const struct percpu_chunk *c;

		percpu_for_each_in_slot(p, slot, c)
			hash = fingerprint_mix(hash, c->first * PERCPU_MAX_SLOTS +
						     slot);
	}
	return hash;
}
