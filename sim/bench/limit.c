/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limit.c - what the memory itself allows: random read-modify-writes
 *
 * An allocator that frees a random page must at least touch its descriptor.
 * So these are floors under every figure of the bench: one word changed in a
 * random entry of an array as large as the descriptors are.
 *
 *    overlapped    the next address does not depend on what was read
 *    dependent     it does
 *    coin          overlapped, and what was read decides a branch as a coin
 *                  would: the question of every free, whether the buddy is free
 *    free          the same with FREE_WORK instructions around it, about what
 *                  a free and its caller execute: the floor of a design that
 *                  asks the coin's question in a free of that length
 *
 * The last two differ by what a processor holds back: a load that misses stops
 * the instructions behind it from retiring, and it looks no further ahead than
 * its window (some 300 to 500). A free of 150 instructions overlaps with two
 * others at best, however small its descriptor is.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/rng.h"
#include "sim/bench/bench.h"

#define FREE_WORK 160

static uint64_t *word_at(unsigned char *memory, unsigned int entry_bytes,
			 unsigned long mask, uint64_t x)
{
	return (uint64_t *)(void *)(memory + ((x >> 20) & mask) * entry_bytes);
}

static double touch_overlapped(unsigned char *memory, unsigned int entry_bytes,
			       unsigned long mask, unsigned long touches)
{
	double before = cpu_ns();
	uint64_t x = 1;

	for (unsigned long i = 0; i < touches; i++) {
		++*word_at(memory, entry_bytes, mask, x);
		x = bench_draw(x);
	}
	return (cpu_ns() - before) / (double)touches;
}

/* What is read is a small count: it delays the next address, and no more. */
static double touch_dependent(unsigned char *memory, unsigned int entry_bytes,
			      unsigned long mask, unsigned long touches)
{
	double before = cpu_ns();
	uint64_t x = 1;

	for (unsigned long i = 0; i < touches; i++) {
		uint64_t seen = ++*word_at(memory, entry_bytes, mask, x);

		x = bench_draw(x + (seen >> 32));
	}
	return (cpu_ns() - before) / (double)touches;
}

/* One instruction that the compiler can neither leave out nor join. */
#define KEEP(value) __asm__ volatile("" : "+r"(value))

/* Four rows of additions, which wait for each other as little as can be. */
static __always_inline uint64_t do_work(uint64_t a)
{
	uint64_t b = a, c = a, d = a;

#pragma GCC unroll 64
	for (unsigned int i = 0; i < FREE_WORK / 4; i++) {
		a++, b++, c++, d++;
		KEEP(a);
		KEEP(b);
		KEEP(c);
		KEEP(d);
	}
	return a;
}

/* The word and its address make the coin, so that no two rounds are alike. */
static __always_inline double touch_coin(unsigned char *memory,
					 unsigned int entry_bytes,
					 unsigned long mask,
					 unsigned long touches, bool work)
{
	double before = cpu_ns();
	uint64_t sum = 0;
	uint64_t heads = 0, tails = 0, x = 1;

	for (unsigned long i = 0; i < touches; i++) {
		uint64_t *word = word_at(memory, entry_bytes, mask, x);
		uint64_t seen = *word;

		if (bench_draw(seen ^ x) >> 63) {
			heads++;
			KEEP(heads);
			*word = seen + 1;
		} else {
			tails++;
			KEEP(tails);
			*word = seen + 2;
		}
		if (work)
			sum = do_work(sum);
		x = bench_draw(x);
	}
	return (cpu_ns() - before) / (double)touches;
}

int bench_limit(struct bench_limit *limit, unsigned int entry_bytes,
		unsigned long entries, unsigned long touches, struct msg *msg)
{
	size_t bytes = (size_t)entries * entry_bytes;
	double ns[4][BENCH_REPEATS];
	unsigned char *memory;

	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return msg_set(msg, ENOMEM, "no room for %zu bytes", bytes);
	madvise(memory, bytes, MADV_HUGEPAGE);
	for (size_t i = 0; i < bytes; i += 4096)
		memory[i] = 0;
	for (unsigned int r = 0; r < BENCH_REPEATS; r++) {
		ns[0][r] = touch_overlapped(memory, entry_bytes, entries - 1, touches);
		ns[1][r] = touch_dependent(memory, entry_bytes, entries - 1, touches);
		ns[2][r] = touch_coin(memory, entry_bytes, entries - 1, touches, false);
		ns[3][r] = touch_coin(memory, entry_bytes, entries - 1, touches, true);
	}
	munmap(memory, bytes);
	*limit = (struct bench_limit){
		.entry_bytes = entry_bytes,
		.overlapped_ns = median_of(ns[0], BENCH_REPEATS),
		.dependent_ns = median_of(ns[1], BENCH_REPEATS),
		.coin_ns = median_of(ns[2], BENCH_REPEATS),
		.free_ns = median_of(ns[3], BENCH_REPEATS),
	};
	return 0;
}
