/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bitmap_bits.h - looking at the bits of a percpu chunk, and counting it
 *
 *    bit     from            found     to
 *    map     1 1 1 1 1 1 1 1 0 . . . .        read: from up to found, a word
 *            `------ counted ------'          at a time
 */
#ifndef PAGETAX_ALLOC_RANGE_BITMAP_BITS_H
#define PAGETAX_ALLOC_RANGE_BITMAP_BITS_H

#include "base/bits.h"
#include "bitmap_chunk.h"
#include "lib/bitmap.h"

static inline int align_up(int at, int align)
{
	return (at + align - 1) & ~(align - 1);
}

static inline int min_int(int a, int b)
{
	return a < b ? a : b;
}

/* Bits [from, to) were looked at. */
static inline void count_scan(struct range *r, const unsigned long *map, int from,
		       int to)
{
	if (!COST_COUNTS)
		return;
	COST_ADD(r, bits_scanned, (uint64_t)(to - from));
	for (size_t i = (size_t)from / BITMAP_WORD_BITS;
	     i * BITMAP_WORD_BITS < (size_t)to; i++)
		COST_READ(r, &map[i]);
	(void)r;
	(void)map;
}

static inline int next_clear(const struct bitmap_chunk *bc, struct range *r, int from,
		      int to)
{
	int found = (int)bitmap_next_clear(bc->alloc_map, (unsigned long)from,
					   (unsigned long)to);

	count_scan(r, bc->alloc_map, from, min_int(found + 1, to));
	return found;
}

static inline int next_set(const struct bitmap_chunk *bc, struct range *r, int from,
		    int to)
{
	int found = (int)bitmap_next_set(bc->alloc_map, (unsigned long)from,
					 (unsigned long)to);

	count_scan(r, bc->alloc_map, from, min_int(found + 1, to));
	return found;
}

/* Start of the free stretch that reaches up to `to`, but not before `from`. */
static inline int stretch_start(const struct bitmap_chunk *bc, struct range *r,
			 int from, int to)
{
	int start = (int)bitmap_after_last_set(bc->alloc_map,
					       (unsigned long)from,
					       (unsigned long)to);

	count_scan(r, bc->alloc_map, start > from ? start - 1 : from, to);
	return start;
}

/* Of two places, which suits more alignments? 0 suits all. */
static inline bool is_better_start(int start, int than)
{
	if (!than)
		return false;
	return !start || lowest_bit((unsigned long)start) >
			 lowest_bit((unsigned long)than);
}

#endif
