/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gen_pool.h - the pool of the genalloc family, written once for each encoding
 *
 *    pool -> chunk -> chunk -> ...            each span is one; newest first
 *            first, nr, avail
 *            map   [ word ][ word ][ word ]   1 or 2 bits a unit, low bits first
 *
 *    alloc   for each chunk with avail >= n: a strategy proposes a start, the
 *            units are claimed word by word from the lowest up; where another
 *            thread was faster, what was claimed is undone and the strategy
 *            is asked again
 *    free    the words give the units back, one after the other
 *
 * Splitting and joining need no work: a run of free units is a run of zeroes.
 *
 * Strategies (fit=): `first`, the lowest start at the alignment; `best`, the
 * smallest free run that is large enough, of equal ones the lowest, an exact
 * one at once; `order`, the first at the length rounded up to a power of two.
 * Alignment counts from the chunk's start.
 *
 * What differs between one bit a unit, two interleaved bits and two separate
 * maps is a struct gen_repr. As with the buddy policy what allocates is inlined
 * into each backend with its table as a constant; the rest asks the pool's.
 *
 * Cost: a search reads every word from the chunk's start to the place found;
 * claim and release write n * bits / word size words each, one
 * compare-and-swap a word. A chunk is found in O(chunks). `best` reads the whole
 * map unless a run fits exactly, as Linux does: with half of 64 MiB in use 50
 * times the instructions of `first` (scripts/bench-instructions, a1).
 *
 * Adding a span is for one thread alone, like creation; alloc and free may run
 * on several (caps.concurrency).
 */
#ifndef PAGETAX_ALLOC_RANGE_GEN_POOL_H
#define PAGETAX_ALLOC_RANGE_GEN_POOL_H

#include <errno.h>

#include "alloc/range.h"
#include "atom.h"
#include "base/bits.h"

#define WORD_BITS (8 * (unsigned int)sizeof(unsigned long))

enum gen_fit {
	GEN_FIRST_FIT,
	GEN_BEST_FIT,
	GEN_ORDER_ALIGNED,
};

#define GEN_FIT_OPTION \
	{ "fit", "first|best|order", "first", \
	  "which free run: the lowest, the smallest, or the lowest aligned to its length" }

struct gen_chunk {
	struct gen_chunk *next;		/* set at add, as are the next two */
	unsigned long first;		/* unit */
	unsigned long nr;		/* units */
	atom_word avail;		/* free units; alloc and free */
	atom_word *map;
	atom_word *tails;		/* genalloc_split only */
};

struct gen_repr;

struct gen_pool {
	struct range base;		/* what callers hold */
	const struct gen_repr *repr;	/* set at create, as is `fit` */
	struct gen_chunk *chunks;
	enum gen_fit fit;
};

struct gen_repr {
	size_t pool_bytes;		/* of the struct that begins with gen_pool */
	unsigned int unit_bits;		/* of the map: 1, or 2 as in genalloc_twobit.c */
	unsigned long reserved;		/* a word of reserved units; the tails', too */

	/* Whether this pool's chunks have tails; NULL: no. */
	bool (*has_tails)(const struct gen_pool *p);

	/* Units of a chunk that were free: 0, or how many could not be had. */
	unsigned long (*claim)(struct gen_pool *p, struct gen_chunk *c,
			       unsigned long at, unsigned long nr);

	/* Give back the first nr units of a claim that failed further up. */
	void (*undo)(struct gen_pool *p, struct gen_chunk *c, unsigned long at,
		     unsigned long nr);

	/* Reserved units become free. */
	void (*release)(struct gen_pool *p, struct gen_chunk *c,
			unsigned long at, unsigned long nr);
};

static inline struct gen_pool *to_gen_pool(struct range *r)
{
	return container_of(r, struct gen_pool, base);
}

static inline const struct gen_pool *to_const_gen_pool(const struct range *r)
{
	return container_of_const(r, struct gen_pool, base);
}

static inline struct gen_chunk *gen_chunk_of(const struct gen_pool *p,
					     unsigned long unit)
{
	struct gen_chunk *c = p->chunks;

	while (c && unit - c->first >= c->nr)
		c = c->next;
	return c;
}

/* -- parts of a map, a word at a time ---------------------------------------- */

/* The units of one word out of a run. */
struct gen_piece {
	atom_word *word;
	unsigned int shift;		/* of the first of them */
	unsigned long mask;		/* all their bits */
	unsigned long nr;
};

static __always_inline struct gen_piece gen_piece(atom_word *map,
						  unsigned int unit_bits,
						  unsigned long at,
						  unsigned long nr)
{
	const unsigned int per_word = WORD_BITS / unit_bits;
	unsigned int in_word = (unsigned int)(at % per_word);
	struct gen_piece piece = {
		.word = &map[at / per_word],
		.shift = in_word * unit_bits,
		.nr = min_t(unsigned long, nr, per_word - in_word),
	};

	piece.mask = ~0UL >> (WORD_BITS - (unsigned int)piece.nr * unit_bits)
		     << piece.shift;
	return piece;
}

static inline size_t gen_map_bytes(unsigned int unit_bits, unsigned long nr)
{
	return div_round_up(nr, WORD_BITS / unit_bits) * sizeof(atom_word);
}

/* A word was looked at for units from `from` on, before `end`. */
static __always_inline void gen_scanned(const struct gen_pool *p,
					const atom_word *word,
					unsigned int unit_bits,
					unsigned long from, unsigned long end)
{
	unsigned long next = (from | (WORD_BITS / unit_bits - 1)) + 1;

	COST_READ(&p->base, word);
	COST_ADD(&p->base, bits_scanned,
		 unit_bits * (min_t(unsigned long, end, next) - from));
}

/*
 * First unit in [from, end) that `hits` has a bit for, the lowest of the
 * unit's; `end` when there is none.
 */
static __always_inline unsigned long gen_scan(const struct gen_pool *p,
					      const atom_word *map,
					      unsigned int unit_bits,
					      unsigned long from,
					      unsigned long end,
					      unsigned long (*hits)(unsigned long))
{
	const unsigned int per_word = WORD_BITS / unit_bits;
	const atom_word *word = &map[from / per_word], *last;
	unsigned long found;

	if (from >= end)
		return end;
	found = hits(atom_load(&p->base, word)) >> from % per_word * unit_bits;
	gen_scanned(p, word, unit_bits, from, end);
	if (found)
		return min_t(unsigned long, end,
			     from + lowest_bit(found) / unit_bits);
	for (last = &map[(end - 1) / per_word]; word < last;) {
		found = hits(atom_load(&p->base, ++word));
		from = (unsigned long)(word - map) * per_word;
		gen_scanned(p, word, unit_bits, from, end);
		if (found)
			return min_t(unsigned long, end,
				     from + lowest_bit(found) / unit_bits);
	}
	return end;
}

/* The lowest bit of each unit of a word, set where it is in use or free. */
static inline unsigned long gen_bit_set(unsigned long word)
{
	return word;
}

static inline unsigned long gen_bit_clear(unsigned long word)
{
	return ~word;
}

#define GEN_CODE_LOW (~0UL / 3)		/* of two bits a unit, the lower ones */
#define GEN_CODE_HIGH (GEN_CODE_LOW << 1)

static inline unsigned long gen_code_used(unsigned long word)
{
	return (word | word >> 1) & GEN_CODE_LOW;
}

/* Most words that a search passes are full of runs: each code has its higher bit. */
static inline unsigned long gen_code_free(unsigned long word)
{
	if (likely((word & GEN_CODE_HIGH) == GEN_CODE_HIGH))
		return 0;
	return ~(word | word >> 1) & GEN_CODE_LOW;
}

/* A unit in [from, end) that is free, or that is used; `end` if none is. */
static __always_inline unsigned long gen_find_free(const struct gen_repr *g,
						   const struct gen_pool *p,
						   const struct gen_chunk *c,
						   unsigned long from,
						   unsigned long end)
{
	return g->unit_bits == 1 ?
		gen_scan(p, c->map, 1, from, end, gen_bit_clear) :
		gen_scan(p, c->map, 2, from, end, gen_code_free);
}

static __always_inline unsigned long gen_find_used(const struct gen_repr *g,
						   const struct gen_pool *p,
						   const struct gen_chunk *c,
						   unsigned long from,
						   unsigned long end)
{
	return g->unit_bits == 1 ?
		gen_scan(p, c->map, 1, from, end, gen_bit_set) :
		gen_scan(p, c->map, 2, from, end, gen_code_used);
}

/*
 * Turn the bits of a piece from one pattern to another; false, and nothing
 * changed, when they are not as expected. Other bits of the word may change
 * meanwhile: then the swap is tried again.
 *
 * The swap took place if and only if the word was `old`. `as_posted` asks
 * whether it was the target instead (see genalloc_twobit.c).
 */
static __always_inline bool gen_turn(const struct gen_pool *p,
				     const struct gen_piece *piece,
				     unsigned long from, unsigned long to,
				     bool as_posted)
{
	unsigned long old = atom_load(&p->base, piece->word);

	COST_READ(&p->base, piece->word);
	for (;;) {
		unsigned long target = (old & ~piece->mask) | to, seen;

		if ((old & piece->mask) != from)
			return false;
		seen = atom_cas(&p->base, piece->word, old, target);
		COST_WRITE(&p->base, piece->word);
		if (seen == (as_posted ? target : old))
			return true;
		COST_RETRY(&p->base);
		old = seen;
	}
}

/* -- strategies: a start within the chunk, or RANGE_NONE ---------------------- */

static inline unsigned long align_up(unsigned long n, unsigned long align)
{
	return (n + align - 1) & ~(align - 1);
}

static __always_inline unsigned long gen_first_fit(const struct gen_repr *g,
						   const struct gen_pool *p,
						   const struct gen_chunk *c,
						   unsigned long nr,
						   unsigned long align)
{
	const unsigned long end = c->nr;	/* atomic loads would fetch it anew */
	unsigned long at = 0;

	for (;;) {
		unsigned long busy;

		at = align_up(gen_find_free(g, p, c, at, end), align);
		if (at > end || end - at < nr)
			return RANGE_NONE;
		busy = gen_find_used(g, p, c, at, at + nr);
		if (busy == at + nr)
			return at;
		at = busy;
	}
}

static __always_inline unsigned long gen_best_fit(const struct gen_repr *g,
						  const struct gen_pool *p,
						  const struct gen_chunk *c,
						  unsigned long nr,
						  unsigned long align)
{
	unsigned long best = RANGE_NONE, best_nr = ~0UL, end = 0;

	while (end < c->nr) {
		unsigned long start = gen_find_free(g, p, c, end, c->nr);
		unsigned long at = align_up(start, align);

		end = gen_find_used(g, p, c, start, c->nr);
		if (at > end || end - at < nr || end - start >= best_nr)
			continue;
		best = at;
		best_nr = end - start;
		if (best_nr == nr)
			break;
	}
	return best;
}

static __always_inline unsigned long gen_propose(const struct gen_repr *g,
						 const struct gen_pool *p,
						 const struct gen_chunk *c,
						 unsigned long nr,
						 unsigned long align)
{
	switch (p->fit) {
	case GEN_BEST_FIT:
		return gen_best_fit(g, p, c, nr, align);
	case GEN_ORDER_ALIGNED:
		align = max_t(unsigned long, align, roundup_pow2(nr));
		break;
	case GEN_FIRST_FIT:
		break;
	}
	return gen_first_fit(g, p, c, nr, align);
}

/* -- the calls of struct range_ops -------------------------------------------- */

/* True when the run is the caller's now. */
static __always_inline bool gen_take(const struct gen_repr *g,
				     struct gen_pool *p, struct gen_chunk *c,
				     unsigned long at, unsigned long nr)
{
	unsigned long left = g->claim(p, c, at, nr);

	if (unlikely(left)) {
		g->undo(p, c, at, nr - left);
		return false;
	}
	atom_sub(&p->base, &c->avail, nr);
	return true;
}

static __always_inline unsigned long gen_alloc(const struct gen_repr *g,
					       struct range *r,
					       unsigned long nr,
					       unsigned long align)
{
	struct gen_pool *p = to_gen_pool(r);

	for (struct gen_chunk *c = p->chunks; c; c = c->next) {
		unsigned long at;

		COST_ADD(r, list_nodes, 1);
		COST_READ(r, &c->avail);
		if (atom_load(r, &c->avail) < nr)
			continue;
		COST_ADD(r, chunks_tried, 1);
		do {
			at = gen_propose(g, p, c, nr, align);
			if (at == RANGE_NONE)
				break;
		} while (!gen_take(g, p, c, at, nr));
		if (at != RANGE_NONE)
			return c->first + at;
	}
	return RANGE_NONE;
}

/* What needs no inlining: src/alloc/range/gen_pool.c. */

/* Make a zeroed pool without chunks. 0, or -ENOMEM with a message. */
int gen_create(struct range **out, const struct range_ops *ops,
	       const struct gen_repr *g, struct machine *m,
	       const struct option_set *opts, struct msg *msg);

/* Calls of struct range_ops that are alike for all. */
void gen_destroy(struct range *r);
int gen_add(struct range *r, unsigned long first, unsigned long nr);
void gen_release(struct range *r, unsigned long first, unsigned long nr);
bool gen_claim_at(struct range *r, unsigned long first, unsigned long nr);
bool gen_next_free(const struct range *r, unsigned long from,
		   unsigned long end, struct range_run *run);
unsigned long gen_nr_free(const struct range *r);
int gen_verify(const struct range *r, struct msg *msg);
uint64_t gen_fingerprint(const struct range *r);

/*
 * A map of one bit a unit: set the bits of a run that must all be clear, or
 * clear those that must all be set. 0, or how many units are left.
 */
unsigned long gen_set_bits(struct gen_pool *p, atom_word *map,
			   unsigned long at, unsigned long nr);
unsigned long gen_clear_bits(struct gen_pool *p, atom_word *map,
			     unsigned long at, unsigned long nr);

#endif
