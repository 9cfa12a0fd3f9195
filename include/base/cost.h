/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cost.h - what an operation costs in metadata, counted alike for all designs
 *
 * An operation is one call of alloc_pages(), free_pages(), range_alloc() or
 * range_free(). Its caller hangs a struct cost on the allocator or the range,
 * so counting never shows in the footprint, and what is not an operation
 * (queries, checks, the start) is not counted.
 *
 *    counted by              words and lines, locked operations   all else
 *    build/watch             the compiler: cost_hooks.c            COST_NOW
 *    on a range itself       COST_READ, COST_WRITE, COST_LOCKED    COST_ADD
 *
 * In the watched build the compiler announces every load and store of the
 * library's code, and those that hit metadata count: nobody has to remember to
 * count, and no design is counted more kindly than another. What a load is for
 * (a list, a tree, a map looked through) only the code can say:
 *
 *	COST_NOW(list_nodes, 1);	of the operation under way, if any
 *	COST_ADD(r, bits_scanned, n);	the same in a range's code
 *
 * Without PAGETAX_COUNT, in the build that is timed, all of this is nothing.
 *
 * Words are 8 bytes. Words and lines are distinct within one operation: what
 * is read and then written counts once in either column. They are kept in
 * small hash tables whose entries go stale when the next operation begins.
 * One thread at a time.
 */
#ifndef PAGETAX_BASE_COST_H
#define PAGETAX_BASE_COST_H

#include "base/types.h"

/* x(name, what it counts) */
#define COSTS(x)                                                              \
	x(words_read,     "distinct words of metadata read, by operation")    \
	x(words_written,  "distinct words of metadata written, by operation") \
	x(lines_read,     "distinct 64-byte lines read, by operation")        \
	x(lines_written,  "distinct 64-byte lines written, by operation")     \
	x(lines_touched,  "distinct 64-byte lines read or written, by operation") \
	x(bits_scanned,   "bits of maps looked through")                      \
	x(bytes_moved,    "bytes of metadata moved within or between arrays") \
	x(list_nodes,     "list and array entries visited")                   \
	x(tree_levels,    "tree nodes visited")                               \
	x(atomic_tries,   "locked operations tried")                          \
	x(atomic_retries, "of those, in vain: another came first")            \
	x(chunks_tried,   "chunks looked into by allocations")

#define COST_SEEN 4096		/* more words or lines in one operation count twice */
#define COST_MAX_AREAS 4

/* Places touched in one operation: open addressing, by place. */
struct cost_seen {
	struct {
		uintptr_t place;
		uint64_t op;		/* in which it was touched last */
	} at[COST_SEEN];
};

/* Addresses that hold metadata. */
struct cost_area {
	uintptr_t start;
	uintptr_t bytes;
};

struct cost {
#define COST_FIELD(name, what) uint64_t name;
	COSTS(COST_FIELD)
#undef COST_FIELD
	uint64_t nr_ops;

	/* Called before each touch of a word that threads share; may be NULL. */
	void (*step)(void *arg);
	void *step_arg;

	/* What the compiler announces counts inside these and not inside that. */
	unsigned int nr_areas;
	struct cost_area areas[COST_MAX_AREAS];
	struct cost_area except;

	struct cost_seen words[2];	/* read, written */
	struct cost_seen lines[3];	/* read, written, either */
};

enum cost_id {
#define COST_ENUM(name, what) COST_##name,
	COSTS(COST_ENUM)
#undef COST_ENUM
	NR_COSTS,
};

/* What is worth keeping of it. */
struct cost_sums {
	uint64_t nr_ops;
	uint64_t of[NR_COSTS];		/* by the list above */
};

extern const char *const cost_names[NR_COSTS];

struct cost_sums cost_sums(const struct cost *cost);

static inline double cost_per_op(const struct cost_sums *sums, enum cost_id i)
{
	return sums->nr_ops ? (double)sums->of[i] / (double)sums->nr_ops : 0;
}

/* One more area of metadata. */
void cost_watch(struct cost *cost, const void *start, uintptr_t bytes);

/* What the macros and the compiler's hooks call: one word. */
void cost_touch(struct cost *cost, uintptr_t addr, bool write);

/* True where words of all designs are counted: see the top. */
bool cost_counts_words(void);

#ifdef PAGETAX_COUNT

/* Of the operation under way on this thread: the hooks have no other way to it. */
extern _Thread_local struct cost *cost_now;

#define COST_COUNTS true
#define COST_BEGIN(a) \
	struct cost *cost_before = cost_now; \
	do { if ((a)->cost) { (a)->cost->nr_ops++; cost_now = (a)->cost; } } while (0)
#define COST_END() do { cost_now = cost_before; } while (0)
#define COST_NOW(field, n) do { if (cost_now) cost_now->field += (n); } while (0)

/* What lies between is no design's metadata. */
#define COST_PAUSE() struct cost *cost_paused = cost_now; cost_now = NULL
#define COST_RESUME() do { cost_now = cost_paused; } while (0)

/* On a range that is watched by itself. */
#define COST_ADD(r, field, n) \
	do { if ((r)->cost) (r)->cost->field += (n); else COST_NOW(field, n); } while (0)
#define COST_OP(r) do { if ((r)->cost) (r)->cost->nr_ops++; } while (0)
#define COST_READ(r, word) \
	do { if ((r)->cost) cost_touch((r)->cost, (uintptr_t)(word), false); } while (0)
#define COST_WRITE(r, word) \
	do { if ((r)->cost) cost_touch((r)->cost, (uintptr_t)(word), true); } while (0)
#define COST_LOCKED(r) do { if ((r)->cost) (r)->cost->atomic_tries++; } while (0)
#define COST_RETRY(r) do { if ((r)->cost) (r)->cost->atomic_retries++; } while (0)
#define COST_STEP(r) \
	do { if ((r)->cost && (r)->cost->step) (r)->cost->step((r)->cost->step_arg); } while (0)

#else

#define COST_COUNTS false
#define COST_BEGIN(a) do { (void)sizeof(*(a)); } while (0)
#define COST_END() do { } while (0)
#define COST_NOW(field, n) do { (void)sizeof(((struct cost *)0)->field + (n)); } while (0)
#define COST_PAUSE() do { } while (0)
#define COST_RESUME() do { } while (0)
#define COST_ADD(r, field, n) do { (void)sizeof((r)->cost->field + (n)); } while (0)
#define COST_OP(r) do { (void)sizeof(*(r)); } while (0)
#define COST_READ(r, word) do { (void)sizeof(*(word)); } while (0)
#define COST_WRITE(r, word) do { (void)sizeof(*(word)); } while (0)
#define COST_LOCKED(r) do { (void)sizeof(*(r)); } while (0)
#define COST_RETRY(r) do { (void)sizeof(*(r)); } while (0)
#define COST_STEP(r) do { (void)sizeof(*(r)); } while (0)

#endif

#endif
