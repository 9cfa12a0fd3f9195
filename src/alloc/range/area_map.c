/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * area_map.c - one chunk as a sorted array of where its areas begin
 *
 *    before   | used |        free         | used |
 *    after    | used |head|  used   | tail | used |     at most two entries
 *                    ^ what alignment skips             are inserted
 *
 * What every insertion and removal costs is the entries behind it, which move
 * by one or two places: n equal objects freed in the order of their addresses
 * move 4 (n - 1) + 4 (n - 2) + ... = 2 n^2 bytes.
 */
#include <errno.h>
#include <string.h>

#include "area_map.h"
#include "base/bits.h"

#define ENTRIES_MIN 16
#define LEAST_AREA 4			/* a smaller rest is not worth an entry */

bool area_map_reserve(struct area_map *am, struct range *r, unsigned int nr)
{
	unsigned int capacity = max_t(unsigned int, am->capacity, ENTRIES_MIN);
	uint32_t *entry;

	while (capacity < am->used + 1 + nr)
		capacity *= 2;
	if (capacity == am->capacity)
		return true;
	entry = machine_alloc(r->machine, capacity * sizeof(*entry),
			      META_structures);
	if (!entry)
		return false;
	if (am->entry)
		memcpy(entry, am->entry, (am->used + 1) * sizeof(*entry));
	machine_free(r->machine, am->entry, am->capacity * sizeof(*entry),
		     META_structures);
	am->entry = entry;
	am->capacity = capacity;
	return true;
}

bool area_map_create(struct area_map *am, struct range *r, uint32_t total)
{
	*am = (struct area_map){ .total = total };
	if (!area_map_reserve(am, r, 1))
		return false;
	am->used = 1;
	am->entry[0] = 0 | 1;
	am->entry[1] = total | 1;
	am->first_free = 1;
	return true;
}

void area_map_destroy(struct area_map *am, struct range *r)
{
	machine_free(r->machine, am->entry, am->capacity * sizeof(*am->entry),
		     META_structures);
}

/* Move the entries from index `at` to the end, the sentinel among them. */
static void move_entries(struct area_map *am, struct range *r, unsigned int at,
			 unsigned int to)
{
	size_t bytes = (am->used + 1 - at) * sizeof(*am->entry);

	assert(to < at || am->used + 1 + (to - at) <= am->capacity);
	memmove(&am->entry[to], &am->entry[at], bytes);
	COST_ADD(r, bytes_moved, bytes);
	am->used = to > at ? am->used + (to - at) : am->used - (at - to);
	(void)r;
}

/*
 * Put an object into free area i, behind `head` bytes of padding. *largest is
 * the largest free area seen so far and takes in what is left here. Returns
 * the object's index, i or behind its padding i + 1.
 */
static unsigned int carve(struct area_map *am, struct range *r, unsigned int i,
			  uint32_t head, uint32_t size, uint32_t *largest)
{
	uint32_t start = area_start(am, i) + head;
	uint32_t tail = area_size(am, i) - head - size;
	unsigned int extra;

	if (head && head < LEAST_AREA) {
		/* The object before this area keeps the padding. */
		assert(i > 0);
		am->entry[i] = start;
		am->free_bytes -= head;
		head = 0;
	}
	if (tail < LEAST_AREA) {
		size += tail;
		tail = 0;
	}
	extra = (head > 0) + (tail > 0);
	if (extra)
		move_entries(am, r, i + 1, i + 1 + extra);
	if (tail)
		am->entry[i + extra] = start + size;
	if (head)
		i++;
	am->entry[i] = start | 1;
	COST_WRITE(r, &am->entry[i]);
	am->free_bytes -= size;
	*largest = max_t(uint32_t, *largest, max_t(uint32_t, head, tail));
	return i;
}

uint32_t area_map_alloc(struct area_map *am, struct range *r, uint32_t size,
			uint32_t align)
{
	unsigned int first_free = am->used;	/* none seen yet */
	uint32_t largest = 0;

	for (unsigned int i = am->first_free; i < am->used; i++) {
		unsigned int object;
		uint32_t head;

		/* Side by side in memory: they count as entries, not as lines. */
		COST_ADD(r, list_nodes, 1);
		if (area_in_use(am, i))
			continue;
		head = -area_start(am, i) & (align - 1);
		if (area_size(am, i) < head + size) {
			first_free = min_t(unsigned int, first_free, i);
			largest = max_t(uint32_t, largest, area_size(am, i));
			continue;
		}
		object = carve(am, r, i, head, size, &largest);
		am->first_free = min_t(unsigned int, first_free,
				       object == i ? i + 1 : i);
		/* Something follows, were it its own tail: not all was looked at. */
		if (object + 1 < am->used)
			largest = max_t(uint32_t, largest, am->contig_hint);
		am->contig_hint = largest;
		return area_start(am, object);
	}
	am->first_free = first_free;
	am->contig_hint = largest;
	return AREA_NONE;
}

unsigned int area_map_find(const struct area_map *am, uint32_t offset)
{
	unsigned int low = 0, high = am->used;

	while (high - low > 1) {
		unsigned int mid = low + (high - low) / 2;

		if (area_start(am, mid) <= offset)
			low = mid;
		else
			high = mid;
	}
	return low;
}

void area_map_free(struct area_map *am, struct range *r, uint32_t offset)
{
	unsigned int i = area_map_find(am, offset);
	unsigned int gone;
	bool joins_left;

	assert(area_start(am, i) == offset);
	assert(area_in_use(am, i));
	COST_ADD(r, list_nodes, ilog2(am->used) + 1);
	am->free_bytes += area_size(am, i);
	am->entry[i] &= ~UINT32_C(1);
	COST_WRITE(r, &am->entry[i]);
	am->first_free = min_t(unsigned int, am->first_free, i);

	joins_left = i > 0 && !area_in_use(am, i - 1);
	gone = joins_left + !area_in_use(am, i + 1);
	i -= joins_left;
	if (gone)
		move_entries(am, r, i + 1 + gone, i + 1);
	am->contig_hint = max_t(uint32_t, am->contig_hint, area_size(am, i));
}

/* Let an area in use end at this offset, if none does. */
static void cut_at(struct area_map *am, struct range *r, uint32_t offset)
{
	unsigned int i = area_map_find(am, offset);

	if (offset == am->total || area_start(am, i) == offset)
		return;
	assert(area_in_use(am, i));
	move_entries(am, r, i + 1, i + 2);
	am->entry[i + 1] = offset | 1;
	if (am->first_free > i)
		am->first_free++;
}

void area_map_cut(struct area_map *am, struct range *r, uint32_t offset,
		  uint32_t size)
{
	cut_at(am, r, offset);
	cut_at(am, r, offset + size);
}

int area_map_verify(const struct area_map *am, struct msg *msg)
{
	uint32_t free_bytes = 0, largest = 0;

	if (am->entry[0] > 1 || am->entry[am->used] != (am->total | 1))
		return msg_set(msg, EUCLEAN, "the map has lost its ends");
	if (am->used + 1 > am->capacity)
		return msg_set(msg, EUCLEAN, "%u entries in the room of %u",
			       am->used + 1, am->capacity);
	for (unsigned int i = 0; i < am->used; i++) {
		if (area_start(am, i + 1) <= area_start(am, i))
			return msg_set(msg, EUCLEAN,
				       "area %u ends before it begins", i);
		if (area_in_use(am, i))
			continue;
		if (!area_in_use(am, i + 1))
			return msg_set(msg, EUCLEAN,
				       "areas %u and %u are both free", i, i + 1);
		if (i < am->first_free)
			return msg_set(msg, EUCLEAN,
				       "area %u is free, but the first is said to be %u",
				       i, am->first_free);
		free_bytes += area_size(am, i);
		largest = max_t(uint32_t, largest, area_size(am, i));
	}
	if (free_bytes != am->free_bytes)
		return msg_set(msg, EUCLEAN, "%u bytes are free, not %u",
			       free_bytes, am->free_bytes);
	if (largest > am->contig_hint)
		return msg_set(msg, EUCLEAN,
			       "an area of %u bytes is free, but the hint is %u",
			       largest, am->contig_hint);
	return 0;
}
