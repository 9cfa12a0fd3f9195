/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench.h - how fast allocators are, side by side in one process
 *
 *    for each case (pattern, memory, occupancy, lock, threads, highmem)
 *       a subject per allocator: machine, allocator, what it holds
 *       for each repeat
 *          for each subject in turn: a share of the pattern, CPU time taken
 *       median and spread of the repeats; ratio to `linked`
 *
 * Machines are shared and noisy: allocators alternate, so that what slows one
 * slows all, and only medians and ratios mean something. Time is the CPU time
 * of the thread that works. An operation is one alloc or one free.
 */
#ifndef PAGETAX_SIM_BENCH_BENCH_H
#define PAGETAX_SIM_BENCH_BENCH_H

#include "base/cost.h"
#include "base/msg.h"
#include "base/types.h"
#include "sim/wall_clock.h"

/* x(name, what it does) */
#define BENCH_PATTERNS(x)                                                    \
	x(a1, "free one random page, allocate one")                          \
	x(aB, "free 1024 random pages, allocate 1024")                       \
	x(aW, "free a tenth of memory at random, allocate it again")         \
	x(aU, "aB, in which a tenth of what is used becomes unmovable, for good") \
	x(c,  "orders 0 to 9 with probability 2^-order, around the occupancy") \
	x(b,  "allocate all memory page by page, free it in random order")

enum bench_pattern {
#define PATTERN_ENUM(name, what) PATTERN_##name,
	BENCH_PATTERNS(PATTERN_ENUM)
#undef PATTERN_ENUM
	NR_BENCH_PATTERNS,
};

extern const char *const bench_pattern_names[NR_BENCH_PATTERNS];

#define BENCH_REPEATS 5
#define BENCH_MAX_THREADS 2

enum bench_lock {
	BENCH_NO_LOCK,			/* and no per-CPU lists: the bare free lists */
	BENCH_SPINLOCK,			/* the same, one lock a zone around each call */
	BENCH_PERCPU,			/* per-CPU lists before them, no lock */
	NR_BENCH_LOCKS,
};

extern const char *const bench_lock_names[NR_BENCH_LOCKS];

struct bench_case {
	enum bench_pattern pattern;
	uint64_t bytes;			/* of simulated memory */
	unsigned int occupancy;		/* percent in use at the start */
	unsigned int threads;		/* 1 or 2; 2 only with the spinlock */
	enum bench_lock lock;
	bool highmem;			/* all memory high, or none */
	unsigned long ops;		/* of one repeat, at least; b takes all memory */
	unsigned int repeats;		/* at most BENCH_REPEATS */
	uint64_t seed;
};

/* Pattern b has two phases, each a result; the others have one. */
struct bench_result {
	const char *name;		/* of the pattern, or of its phase */
	double ns[BENCH_REPEATS];	/* per operation */
	double median_ns;
	double spread;			/* (most - least) / median */
	double kmap_per_op;
	double share_2m;		/* of free memory, at the end */
	uint64_t ops;			/* in all repeats */
	uint64_t failed;		/* allocations that got nothing */
	struct cost_sums cost;		/* of the watched build, one thread only */
};

#define BENCH_MAX_PHASES 2

struct bench_row {
	const char *spec;
	unsigned int nr_phases;
	struct bench_result phases[BENCH_MAX_PHASES];
};

/* What the driver keeps for each page beside an allocator. */
#define BENCH_PAGE_BYTES 4

/*
 * Run one case for nr allocators, one row each. 0, or a negative errno with a
 * message.
 */
int bench_run(const struct bench_case *c, char *const *specs, unsigned int nr,
	      struct bench_row *rows, struct msg *msg);

/*
 * The physical limit: random read-modify-writes of one word in each of
 * `entries` entries of entry_bytes. Overlapped: the next address does not
 * depend on what was read; dependent: it does; coin: a branch does, at random;
 * free: that, among as many instructions as a free has. ns each, medians of
 * BENCH_REPEATS times `touches`.
 */
struct bench_limit {
	unsigned int entry_bytes;
	double overlapped_ns;
	double dependent_ns;
	double coin_ns;
	double free_ns;
};

int bench_limit(struct bench_limit *limit, unsigned int entry_bytes,
		unsigned long entries, unsigned long touches, struct msg *msg);

/* Events a second: of CPU time of all threads, and by the clock. */
struct bench_rate {
	double by_cpu;
	double by_clock;
};

/* How fast a trace is read and streamed; replays by CPU time of their thread. */
struct bench_stream {
	uint64_t lines;			/* 0: no text */
	uint64_t events;
	double lines_per_s;		/* text in memory, by CPU time */
	struct bench_rate read;		/* the same, or another format from its file */
	struct bench_rate resolve;	/* events to operations */
	uint64_t ops;
	double null_ops_per_s;		/* the engine with `null`, from memory */
	double null_events_per_s;	/* the same, by events of the trace */
	double linked_events_per_s;	/* with the whole policy */
	double twoword_events_per_s;
	struct bench_rate file_to_null;	/* read, resolved and replayed */
	unsigned int jobs;		/* at a time, side by side; 1: it cannot be asked */
	double side_by_side;		/* time of all specs, to one after the other */
	double side_by_side_same;	/* of `jobs` times the first of them */
};

/*
 * What a part of the policy costs: a recorded demand, replayed from memory with
 * everything on, without one part, and without all of them. Variants alternate.
 */
struct bench_policy {
	const char *without;		/* "" for none of them */
	double ns[BENCH_REPEATS];	/* CPU time of the operations, an event each */
	double median_ns;
	double spread;
};

#define NR_BENCH_POLICIES 6

/* Not for allocators without such options: -ENOTSUP, without a message. */
int bench_policy(struct bench_policy rows[NR_BENCH_POLICIES], const char *spec,
		 const char *path, struct msg *msg);

int bench_stream(struct bench_stream *stream, const char *path, char *const *specs,
		 unsigned int nr, struct msg *msg);

/* The next of a row of random numbers, whose upper bits are good: Knuth's MMIX. */
static inline uint64_t bench_draw(uint64_t x)
{
	return x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
}

/* Of this thread. */
static inline double cpu_ns(void)
{
	return 1e9 * cpu_clock_s();
}

/* Median of n values, which are sorted: between the middle two of an even number. */
double median_of(double *values, unsigned int n);

/* Of up to BENCH_REPEATS values; spread is (most - least) / median. */
double median_and_spread(const double *values, unsigned int n, double *spread);

#endif
