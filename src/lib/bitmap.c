/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bitmap.c - a row of bits in words, searched word by word
 *
 * Every loop goes over the words that [from, to) touches; a mask takes what
 * lies before `from` out of the first and, but in a search upwards, what lies
 * behind `to` out of the last:
 *
 *    ....1111 11111111 111.....
 *        ^ from           ^ to
 */
#include "lib/bitmap.h"

/* The bits of word `index` that lie in [from, to), which touches it. */
static unsigned long word_mask(size_t index, unsigned long from,
			       unsigned long to)
{
	unsigned long start = index * BITMAP_WORD_BITS;
	unsigned long mask = ~0UL;

	if (from > start)
		mask <<= from - start;
	if (to - start < BITMAP_WORD_BITS)
		mask &= (1UL << (to - start)) - 1;
	return mask;
}

void bitmap_set_range(unsigned long *map, unsigned long from, unsigned long to)
{
	for (size_t i = from / BITMAP_WORD_BITS; i * BITMAP_WORD_BITS < to; i++)
		map[i] |= word_mask(i, from, to);
}

void bitmap_clear_range(unsigned long *map, unsigned long from,
			unsigned long to)
{
	for (size_t i = from / BITMAP_WORD_BITS; i * BITMAP_WORD_BITS < to; i++)
		map[i] &= ~word_mask(i, from, to);
}

/*
 * First bit of [from, to) that is set once `flip` is applied to its word. Only
 * the first word needs a mask: what lies behind `to` in the last is `to`.
 */
static inline unsigned long next_bit(const unsigned long *map,
				     unsigned long from, unsigned long to,
				     unsigned long flip)
{
	size_t i = from / BITMAP_WORD_BITS;
	unsigned long found;

	if (from >= to)
		return to;
	found = (map[i] ^ flip) & ~0UL << from % BITMAP_WORD_BITS;
	while (!found) {
		if (++i * BITMAP_WORD_BITS >= to)
			return to;
		found = map[i] ^ flip;
	}
	return min_t(unsigned long, to,
		     i * BITMAP_WORD_BITS + lowest_bit(found));
}

unsigned long bitmap_next_set(const unsigned long *map, unsigned long from,
			      unsigned long to)
{
	return next_bit(map, from, to, 0);
}

unsigned long bitmap_next_clear(const unsigned long *map, unsigned long from,
				unsigned long to)
{
	return next_bit(map, from, to, ~0UL);
}

unsigned long bitmap_after_last_set(const unsigned long *map,
				    unsigned long from, unsigned long to)
{
	if (from >= to)
		return from;
	for (size_t i = (to - 1) / BITMAP_WORD_BITS + 1;
	     i-- > from / BITMAP_WORD_BITS;) {
		unsigned long found = map[i] & word_mask(i, from, to);

		if (found)
			return i * BITMAP_WORD_BITS + ilog2(found) + 1;
	}
	return from;
}

unsigned long bitmap_count(const unsigned long *map, unsigned long from,
			   unsigned long to)
{
	unsigned long n = 0;

	if (from >= to)
		return 0;
	for (size_t i = from / BITMAP_WORD_BITS; i * BITMAP_WORD_BITS < to; i++)
		n += (unsigned long)__builtin_popcountl(map[i] &
							word_mask(i, from, to));
	return n;
}
