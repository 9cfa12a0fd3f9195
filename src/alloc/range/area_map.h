/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * area_map.h - one chunk as a sorted array of where its areas begin
 *
 *    bytes    0    4        12   16   20            32             132
 *             | free | used  |used |free|    used     |   free       |
 *    entry    0      5        13   16    21            32            133
 *
 * An entry is the area's offset, with bit 0 set while it is in use; a last
 * one, marked used, says where the chunk ends. Sizes are differences. No two
 * free areas are neighbours; a remainder of less than 4 bytes is left to the
 * object before it. Sizes, offsets and alignments are in bytes and even.
 *
 * Invariants:  entry[0] starts at 0, offsets rise, entry[used] == total | 1
 *              every area before first_free is in use
 *              contig_hint >= the largest free area (an upper bound)
 *              free_bytes == the sum of the free areas
 *
 * alloc: O(areas) to search, and all entries behind the place move up.
 * free:  O(log areas) to search, and all entries behind it may move down.
 */
#ifndef PAGETAX_ALLOC_RANGE_AREA_MAP_H
#define PAGETAX_ALLOC_RANGE_AREA_MAP_H

#include "alloc/range.h"

#define AREA_NONE (~UINT32_C(0))

struct area_map {
	uint32_t *entry;
	unsigned int used;		/* areas: the end's entry is one more */
	unsigned int capacity;		/* entries that there is memory for */
	unsigned int first_free;	/* search from this index on */
	uint32_t contig_hint;
	uint32_t free_bytes;
	uint32_t total;			/* set at create */
};

/*
 * One area in use, of all bytes. The range is whose metadata this is: its
 * machine gives the memory, its cost counts. False when there is no memory.
 */
bool area_map_create(struct area_map *am, struct range *r, uint32_t total);
void area_map_destroy(struct area_map *am, struct range *r);

/* Make sure that so many entries can be added. False: no memory. */
bool area_map_reserve(struct area_map *am, struct range *r, unsigned int nr);

/* Entries that can be added as it is. */
static inline unsigned int area_map_spare(const struct area_map *am)
{
	return am->capacity - (am->used + 1);
}

/*
 * First fit; room for two more entries must have been reserved. The offset,
 * or AREA_NONE; then contig_hint is the largest free area there is. It is, too,
 * where the object ends the chunk; with anything behind that it only rises.
 */
uint32_t area_map_alloc(struct area_map *am, struct range *r, uint32_t size,
			uint32_t align);

/* Free the area in use that begins at this offset. */
void area_map_free(struct area_map *am, struct range *r, uint32_t offset);

/*
 * Let an area in use that spans these bytes begin and end with them; room for
 * two more entries must have been reserved.
 */
void area_map_cut(struct area_map *am, struct range *r, uint32_t offset,
		  uint32_t size);

/* Index of the area that holds this byte. */
unsigned int area_map_find(const struct area_map *am, uint32_t offset);

static inline uint32_t area_start(const struct area_map *am, unsigned int i)
{
	return am->entry[i] & ~UINT32_C(1);
}

static inline uint32_t area_size(const struct area_map *am, unsigned int i)
{
	return area_start(am, i + 1) - area_start(am, i);
}

static inline bool area_in_use(const struct area_map *am, unsigned int i)
{
	return am->entry[i] & 1;
}

int area_map_verify(const struct area_map *am, struct msg *msg);

#endif
