/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bitmap.h - a row of bits in words, searched word by word
 *
 *    word     0                 1
 *    bit      0 1 2 ... 63      64 65 ...
 *
 * Searches look at [from, to) only and return `to` when there is nothing. The
 * cost is one step for each word touched. For one thread at a time.
 */
#ifndef PAGETAX_LIB_BITMAP_H
#define PAGETAX_LIB_BITMAP_H

#include "base/bits.h"
#include "base/types.h"

#define BITMAP_WORD_BITS (8 * sizeof(unsigned long))

/* Words, and bytes, that hold nr bits. */
static inline size_t bitmap_words(unsigned long nr)
{
	return div_round_up(nr, BITMAP_WORD_BITS);
}

static inline size_t bitmap_bytes(unsigned long nr)
{
	return bitmap_words(nr) * sizeof(unsigned long);
}

static inline bool bitmap_test(const unsigned long *map, unsigned long bit)
{
	return map[bit / BITMAP_WORD_BITS] >> bit % BITMAP_WORD_BITS & 1;
}

static inline void bitmap_set(unsigned long *map, unsigned long bit)
{
	map[bit / BITMAP_WORD_BITS] |= 1UL << bit % BITMAP_WORD_BITS;
}

static inline void bitmap_clear(unsigned long *map, unsigned long bit)
{
	map[bit / BITMAP_WORD_BITS] &= ~(1UL << bit % BITMAP_WORD_BITS);
}

/* Every bit of [from, to). */
void bitmap_set_range(unsigned long *map, unsigned long from, unsigned long to);
void bitmap_clear_range(unsigned long *map, unsigned long from,
			unsigned long to);

/* First set or clear bit of [from, to), or `to`. */
unsigned long bitmap_next_set(const unsigned long *map, unsigned long from,
			      unsigned long to);
unsigned long bitmap_next_clear(const unsigned long *map, unsigned long from,
				unsigned long to);

/* One past the last set bit of [from, to), or `from` when there is none. */
unsigned long bitmap_after_last_set(const unsigned long *map,
				    unsigned long from, unsigned long to);

/* Set bits of [from, to). */
unsigned long bitmap_count(const unsigned long *map, unsigned long from,
			   unsigned long to);

#endif
