/* SPDX-License-Identifier: GPL-2.0-or-later */
/* percpu.c - chunks of units, sorted by how much they have free */
#include <errno.h>
#include <string.h>

#include "base/bits.h"
#include "percpu.h"

int percpu_create(struct range **out, const struct range_ops *ops,
		  const struct percpu_repr *repr, struct machine *m,
		  const struct option_set *opts, unsigned int extra_slots,
		  struct msg *msg)
{
	struct percpu *p = machine_alloc(m, repr->range_bytes, META_structures);

	if (!p)
		return msg_set(msg, ENOMEM, "%s: no room for its slots",
			       ops->name);
	range_init(&p->base, ops, m);
	p->repr = repr;
	p->chunk_units = (unsigned int)option_get(opts, "pages") *
			 PERCPU_PAGE_UNITS;
	p->nr_slots = extra_slots + 1 +
		      percpu_slot_of_bytes((uint64_t)p->chunk_units *
					   PERCPU_UNIT_BYTES);
	assert(p->nr_slots <= PERCPU_MAX_SLOTS);
	for (unsigned int i = 0; i < p->nr_slots; i++)
		p->slots[i].prev = p->slots[i].next = &p->slots[i];
	p->base.caps.max_nr = min_t(unsigned long, p->base.caps.max_nr,
				    p->chunk_units);
	*out = &p->base;
	return 0;
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

static void unlink_chunk(struct percpu_chunk *c)
{
	c->link.prev->next = c->link.next;
	c->link.next->prev = c->link.prev;
	c->link.prev = c->link.next = &c->link;
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

/*
 * Make the chunk that begins at `first`, of at most nr units, all reserved.
 * NULL when there is no memory.
 */
static struct percpu_chunk *chunk_create(struct percpu *p, unsigned long first,
					 unsigned long nr)
{
	struct machine *m = p->base.machine;
	uint64_t bytes = p->repr->chunk_bytes;
	struct percpu_chunk *c;
	unsigned int place;

	if (!table_grow(p))
		return NULL;
	c = machine_alloc(m, bytes, META_structures);
	if (!c)
		return NULL;
	c->first = first;
	c->nr_units = (unsigned int)min_t(unsigned long, nr, p->chunk_units);
	c->link.prev = c->link.next = &c->link;
	if (!p->repr->create(p, c)) {
		machine_free(m, c, bytes, META_structures);
		return NULL;
	}
	meta_charge(&m->meta, META_borrowed, borrowed_bytes(c));

	place = place_after(p, first);
	memmove(&p->chunks[place + 1], &p->chunks[place],
		(p->nr_chunks - place) * sizeof(struct percpu_chunk *));
	p->chunks[place] = c;
	p->nr_chunks++;
	percpu_chunk_move(p, c, 0);
	return c;
}

static void chunk_destroy(struct percpu *p, struct percpu_chunk *c)
{
	unsigned int place = place_after(p, c->first);

	p->repr->destroy(p, c);
	assert(p->chunks[place - 1] == c);
	p->nr_chunks--;
	memmove(&p->chunks[place - 1], &p->chunks[place],
		(p->nr_chunks - (place - 1)) * sizeof(struct percpu_chunk *));
	unlink_chunk(c);
	meta_uncharge(&p->base.machine->meta, META_borrowed, borrowed_bytes(c));
	machine_free(p->base.machine, c, p->repr->chunk_bytes, META_structures);
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

void percpu_destroy(struct range *r)
{
	struct percpu *p = to_percpu(r);

	while (p->nr_chunks)
		chunk_destroy(p, p->chunks[p->nr_chunks - 1]);
	machine_free(r->machine, p->chunks, p->room * sizeof(*p->chunks),
		     META_structures);
	machine_free(r->machine, p, p->repr->range_bytes, META_structures);
}

int percpu_add(struct range *r, unsigned long first, unsigned long nr)
{
	struct percpu *p = to_percpu(r);
	unsigned long at = 0;

	while (at < nr) {
		struct percpu_chunk *c = chunk_create(p, first + at, nr - at);

		if (!c)
			break;
		at += c->nr_units;
	}
	if (at >= nr)
		return 0;
	/* Each chunk but the last is whole, so that is how they are found. */
	while (at) {
		at -= p->chunk_units;
		chunk_destroy(p, percpu_chunk_of(p, first + at));
	}
	return -ENOMEM;
}

/* Callers at the start of a machine do not know about chunks. */
void percpu_release(struct range *r, unsigned long first, unsigned long nr)
{
	struct percpu *p = to_percpu(r);

	while (nr) {
		struct percpu_chunk *c = percpu_chunk_of(p, first);
		unsigned int at, part;

		assert(c);
		at = (unsigned int)(first - c->first);
		part = (unsigned int)min_t(unsigned long, nr, c->nr_units - at);
		p->repr->release(p, c, at, part);
		first += part;
		nr -= part;
	}
}

int percpu_adopt(struct range *r, unsigned long first, unsigned long nr)
{
	struct percpu *p = to_percpu(r);
	struct percpu_chunk *c = percpu_chunk_of(p, first);

	assert(c);
	assert(first + nr <= c->first + c->nr_units);
	return p->repr->adopt(p, c, (unsigned int)(first - c->first),
			      (unsigned int)nr);
}

void percpu_query(const struct range *r, unsigned long unit,
		  struct range_info *info)
{
	const struct percpu *p = to_const_percpu(r);
	const struct percpu_chunk *c = percpu_chunk_of(p, unit);
	struct range_run run;

	*info = (struct range_info){ RANGE_INVALID, RANGE_NONE, 0 };
	if (!c)
		return;
	info->state = RANGE_FREE;
	if (!p->repr->used_run(c, (unsigned int)(unit - c->first), &run))
		return;
	*info = (struct range_info){ RANGE_USED, c->first + run.start, run.nr };
}

/* A free run that ends with its chunk may go on in those behind it. */
static unsigned long joined_end(const struct percpu *p, unsigned int place,
				unsigned long end)
{
	while (++place < p->nr_chunks) {
		const struct percpu_chunk *c = p->chunks[place];
		struct range_run run;

		if (c->first != end)
			break;
		run = p->repr->free_run(c, 0);
		if (run.start || !run.nr)
			break;
		end += run.nr;
		if (run.nr < c->nr_units)
			break;
	}
	return end;
}

bool percpu_next_free(const struct range *r, unsigned long from,
		      unsigned long end, struct range_run *run)
{
	const struct percpu *p = to_const_percpu(r);
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
		found = p->repr->free_run(c, (unsigned int)at);
		if (found.start >= c->nr_units)
			continue;
		if (c->first + found.start >= end)
			return false;
		run->start = max_t(unsigned long, c->first + found.start, from);
		stop = c->first + found.start + found.nr;
		if (found.start + found.nr == c->nr_units && stop < end)
			stop = joined_end(p, place, stop);
		run->nr = min_t(unsigned long, stop, end) - run->start;
		return true;
	}
	return false;
}

unsigned long percpu_nr_free(const struct range *r)
{
	const struct percpu *p = to_const_percpu(r);
	unsigned long nr = 0;

	for (unsigned int i = 0; i < p->nr_chunks; i++)
		nr += p->repr->nr_free(p->chunks[i]);
	return nr;
}

/* Lists and table against each other. */
static int verify_slots(const struct percpu *p, struct msg *msg)
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

int percpu_verify(const struct range *r, struct msg *msg)
{
	const struct percpu *p = to_const_percpu(r);
	int err = verify_slots(p, msg);

	for (unsigned int i = 0; !err && i < p->nr_chunks; i++)
		err = p->repr->verify(p, p->chunks[i], msg);
	return err;
}

/* Which chunks stand where, and what is in them. */
uint64_t percpu_fingerprint(const struct range *r)
{
	const struct percpu *p = to_const_percpu(r);
	uint64_t hash = 0;

	for (unsigned int slot = 0; slot < p->nr_slots; slot++) {
		const struct percpu_chunk *c;

		percpu_for_each_in_slot(p, slot, c)
			hash = fingerprint_mix(hash, c->first * PERCPU_MAX_SLOTS +
						     slot);
	}
	for (unsigned int i = 0; i < p->nr_chunks; i++)
		hash = fingerprint_mix(hash, p->repr->fingerprint(p->chunks[i]));
	return hash;
}
