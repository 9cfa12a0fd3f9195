/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bits.h - powers of two, fields of a word, hashes of words */
#ifndef PAGETAX_BASE_BITS_H
#define PAGETAX_BASE_BITS_H

#include <assert.h>

#include "base/types.h"

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

/* Index of the highest set bit; n must not be 0. */
static inline unsigned int ilog2(unsigned long n)
{
	assert(n);
	return (unsigned int)(8 * sizeof(n) - 1) - (unsigned int)__builtin_clzl(n);
}

/* Smallest power of two at or above n; 1 for 0. */
static inline unsigned long roundup_pow2(unsigned long n)
{
	return n <= 1 ? 1 : 1UL << (ilog2(n - 1) + 1);
}

static inline unsigned long div_round_up(unsigned long n, unsigned long d)
{
	return n / d + (n % d != 0);
}

static inline unsigned long round_up_to(unsigned long n, unsigned long multiple)
{
	return div_round_up(n, multiple) * multiple;
}

/* Index of the lowest set bit; n must not be 0. */
static inline unsigned int lowest_bit(unsigned long n)
{
	assert(n);
	return (unsigned int)__builtin_ctzl(n);
}

/* Mix a word into a fingerprint. */
static inline uint64_t fingerprint_mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

#endif
