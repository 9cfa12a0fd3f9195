/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rng.h - the seeded source of randomness that the library is handed
 *
 * xoshiro256** (Blackman and Vigna, 2018), its state filled by splitmix64. The
 * same seed gives the same numbers on every machine, compiler and word size.
 */
#ifndef PAGETAX_BASE_RNG_H
#define PAGETAX_BASE_RNG_H

#include "base/types.h"

struct rng {
	uint64_t s[4];
};

void rng_seed(struct rng *rng, uint64_t seed);

/* 64 uniform bits. */
uint64_t rng_next(struct rng *rng);

/* Uniform in [0, n), without bias; n must not be 0. */
uint64_t rng_below(struct rng *rng, uint64_t n);

/* Put n elements of `size` bytes into random order (Fisher and Yates). */
void rng_shuffle(struct rng *rng, void *base, size_t n, size_t size);

#endif
