/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limit.c - what the memory itself allows: random read-modify-writes
 *
 * An allocator that frees a random page must at least touch its descriptor.
 * So this is the floor under every figure of the bench: one word changed in
 * a random entry of an array as large as the descriptors are.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/rng.h"
#include "sim/bench/bench.h"

#define TOUCHES 2000000UL

static uint64_t next_random(uint64_t x)
{
	return x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
}

static uint64_t *word_at(unsigned char *memory, unsigned int entry_bytes,
			 unsigned long mask, uint64_t x)
{
	return (uint64_t *)(void *)(memory + ((x >> 20) & mask) * entry_bytes);
}

static double touch_overlapped(unsigned char *memory, unsigned int entry_bytes,
			       unsigned long mask)
{
	double before = cpu_ns();
	uint64_t x = 1;

	for (unsigned long i = 0; i < TOUCHES; i++) {
		++*word_at(memory, entry_bytes, mask, x);
		x = next_random(x);
	}
	return (cpu_ns() - before) / (double)TOUCHES;
}

/* What is read is a small count: it delays the next address, and no more. */
static double touch_dependent(unsigned char *memory, unsigned int entry_bytes,
			      unsigned long mask)
{
	double before = cpu_ns();
	uint64_t x = 1;

	for (unsigned long i = 0; i < TOUCHES; i++) {
		uint64_t seen = ++*word_at(memory, entry_bytes, mask, x);

		x = next_random(x + (seen >> 32));
	}
	return (cpu_ns() - before) / (double)TOUCHES;
}

int bench_limit(struct bench_limit *limit, unsigned int entry_bytes,
		unsigned long entries, struct msg *msg)
{
	size_t bytes = (size_t)entries * entry_bytes;
	double ns[2][BENCH_REPEATS];
	unsigned char *memory;

	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return msg_set(msg, ENOMEM, "no room for %zu bytes", bytes);
	madvise(memory, bytes, MADV_HUGEPAGE);
	for (size_t i = 0; i < bytes; i += 4096)
		memory[i] = 0;
	for (unsigned int r = 0; r < BENCH_REPEATS; r++) {
		ns[0][r] = touch_overlapped(memory, entry_bytes, entries - 1);
		ns[1][r] = touch_dependent(memory, entry_bytes, entries - 1);
	}
	munmap(memory, bytes);
	*limit = (struct bench_limit){
		.entry_bytes = entry_bytes,
		.overlapped_ns = median_of(ns[0], BENCH_REPEATS),
		.dependent_ns = median_of(ns[1], BENCH_REPEATS),
	};
	return 0;
}
