/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * range_cost.h - what an operation on a range costs, counted alike for all
 *
 * A backend says what it does where it does it:
 *
 *	COST_READ(r, word);		one word of metadata, up to 8 bytes
 *	COST_WRITE(r, word);
 *	COST_ADD(r, bits_scanned, n);	any counter of the list below
 *
 * In a build without PAGETAX_COUNT, which is the one that is timed, these
 * are nothing at all. With it they still count nothing until somebody hangs a
 * struct range_cost on the range; that struct is the caller's, so counting
 * never shows in the footprint. One thread at a time.
 *
 * Lines are distinct within one operation: a line that is read and then
 * written counts once in either column. They are kept in a small hash table
 * whose entries go stale when the next operation begins.
 */
#ifndef PAGETAX_ALLOC_RANGE_COST_H
#define PAGETAX_ALLOC_RANGE_COST_H

#include "base/types.h"

/* x(name, what it counts) */
#define RANGE_COSTS(x)                                                        \
	x(words_read,     "words of metadata read")                           \
	x(words_written,  "words of metadata written")                        \
	x(lines_read,     "distinct 64-byte lines read, by operation")        \
	x(lines_written,  "distinct 64-byte lines written, by operation")     \
	x(bits_scanned,   "bits of maps looked through")                      \
	x(bytes_moved,    "bytes of metadata moved within an array")          \
	x(list_nodes,     "list and array entries visited")                   \
	x(tree_levels,    "tree nodes visited")                               \
	x(atomic_tries,   "compare-and-swaps tried")                          \
	x(atomic_retries, "of those, tried again because another came first") \
	x(chunks_tried,   "chunks looked into by allocations")

#define RANGE_COST_LINES 4096		/* more lines in one operation count twice */

struct range_cost {
#define COST_FIELD(name, what) uint64_t name;
	RANGE_COSTS(COST_FIELD)
#undef COST_FIELD

	/* Called before each touch of a word that threads share; may be NULL. */
	void (*step)(void *arg);
	void *step_arg;

	uint64_t nr_ops;
	struct {
		uintptr_t line;
		uint64_t op;		/* in which it was touched last */
	} seen[2][RANGE_COST_LINES];	/* read, written */
};

#define COST_COUNT(name, what) +1
enum { NR_RANGE_COSTS = 0 RANGE_COSTS(COST_COUNT) };
#undef COST_COUNT

extern const char *const range_cost_names[NR_RANGE_COSTS];
extern const char *const range_cost_help[NR_RANGE_COSTS];

/* The counters by their place in the list above. */
uint64_t range_cost_get(const struct range_cost *cost, unsigned int i);

/* What the macros call. */
void range_cost_touch(struct range_cost *cost, const void *word, bool write);

#ifdef PAGETAX_COUNT
#define RANGE_COUNTS true
#define COST_ADD(r, field, n) \
	do { if ((r)->cost) (r)->cost->field += (n); } while (0)
#define COST_READ(r, word) \
	do { if ((r)->cost) range_cost_touch((r)->cost, word, false); } while (0)
#define COST_WRITE(r, word) \
	do { if ((r)->cost) range_cost_touch((r)->cost, word, true); } while (0)
#define COST_BEGIN(r) COST_ADD(r, nr_ops, 1)
#define COST_STEP(r) \
	do { if ((r)->cost && (r)->cost->step) (r)->cost->step((r)->cost->step_arg); } while (0)
#else
#define RANGE_COUNTS false
#define COST_ADD(r, field, n) do { (void)sizeof((r)->cost->field + (n)); } while (0)
#define COST_READ(r, word) do { (void)sizeof(*(word)); } while (0)
#define COST_WRITE(r, word) do { (void)sizeof(*(word)); } while (0)
#define COST_BEGIN(r) do { (void)sizeof(*(r)); } while (0)
#define COST_STEP(r) do { (void)sizeof(*(r)); } while (0)
#endif

#endif
