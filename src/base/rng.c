/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rng.c - xoshiro256**, seeded by splitmix64 */
#include <assert.h>
#include <string.h>

#include "base/rng.h"

static uint64_t rotate_left(uint64_t x, unsigned int by)
{
	return x << by | x >> (64 - by);
}

void rng_seed(struct rng *rng, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		uint64_t z;

		seed += UINT64_C(0x9e3779b97f4a7c15);
		z = seed;
		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		rng->s[i] = z ^ z >> 31;
	}
}

uint64_t rng_next(struct rng *rng)
{
	uint64_t *s = rng->s;
	uint64_t out = rotate_left(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate_left(s[3], 45);
	return out;
}

uint64_t rng_below(struct rng *rng, uint64_t n)
{
	uint64_t x;

	assert(n);
	/* Draws below 2^64 mod n are biased. It is below n, so seldom needed. */
	do {
		x = rng_next(rng);
	} while (x < n && x < -n % n);
	return x % n;
}

void rng_shuffle(struct rng *rng, void *base, size_t n, size_t size)
{
	unsigned char *bytes = base;
	unsigned char spare[256];

	assert(size <= sizeof(spare));
	for (size_t i = n; i > 1; i--) {
		size_t j = (size_t)rng_below(rng, i);

		if (j == i - 1)
			continue;
		memcpy(spare, bytes + (i - 1) * size, size);
		memcpy(bytes + (i - 1) * size, bytes + j * size, size);
		memcpy(bytes + j * size, spare, size);
	}
}
