/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * genalloc_twobit.c - genalloc with two adjacent bits a unit, so that the map
 * knows where runs begin
 *
 *    unit      0  1  2  3  4  5  6  7
 *    code     11 10 10 11 10 00 00 01       11 head      00 free
 *             `--v---' `-v-'                10 body      01 reserved
 *              3 at 0   2 at 3
 *
 * The length of a run is the distance from its head to the first code that is
 * no body. So the caller need not keep it, and a free of a free unit, of the
 * inside of a run, or with a wrong length is noticed. The codes of a run lie
 * in the same words as its bits, and each word is claimed and released by one
 * compare-and-swap; there is no lock. (01 is illegal in the design as it was
 * posted; here it marks units that were never released.)
 *
 * The length scan needs no lock either: the unit after a run is never a body,
 * because bodies always follow their head: words are claimed from the lowest
 * up and released from the highest down, so what is half claimed or half
 * released is the beginning of a run.
 *
 * as-posted=on brings back four defects of the posted code, the last of which
 * was found here, by two threads that fought over 300 units:
 *
 *   - The compare-and-swap is taken for done when the word already was the
 *     target, not when it was what was expected. Each success then takes a
 *     second swap, and in between
 *         leak         another thread changes other bits of the word: the
 *                      claimant finds its own bits, takes them for somebody
 *                      else's and leaves them behind for ever
 *         double use   another thread takes the units just released, in the
 *                      same pattern: the second swap wipes its run out; or
 *                      claims the same units first, and both are content
 *         no end       a claim and a release undo each other again and again
 *   - A map is rounded down to whole words, so the last units of a chunk that
 *     is no multiple of 32 lie outside of it. (Here they have their memory
 *     all the same; verify() says that they should not.)
 *   - Whether a pool is empty is asked of as many bits as there are units:
 *     of its first half.
 *   - Words are released from the lowest up (release=up, alone). Who then
 *     claims the end of the first one and gives it back measures his run on
 *     into the bodies that still stand in the second, and gives them back, too.
 *
 * Invariants:  a body follows a head or a body
 *              avail == units of code 00
 * Memory:      2 bits a unit, nothing with the caller
 */
#include "alloc/range_pages.h"
#include "gen_pool.h"

#define LOW_BITS GEN_CODE_LOW		/* of each code */
#define HIGH_BITS GEN_CODE_HIGH

struct twobit {
	struct gen_pool pool;
	bool as_posted;			/* set at create, as is the next */
	bool release_up;		/* words of a run from the lowest up */
};

static const struct twobit *to_twobit(const struct gen_pool *p)
{
	return container_of_const(p, struct twobit, pool);
}

static bool is_as_posted(const struct gen_pool *p)
{
	return to_twobit(p)->as_posted;
}

/* -- codes: the lowest bit of each unit, set where it is ... ------------------ */

static inline unsigned long code_head(unsigned long word)
{
	return word & word >> 1 & LOW_BITS;
}

static inline unsigned long code_in_run(unsigned long word)
{
	return word >> 1 & LOW_BITS;
}

static inline unsigned long code_no_body(unsigned long word)
{
	return (word | ~(word >> 1)) & LOW_BITS;
}

static unsigned long twobit_claim(struct gen_pool *p, struct gen_chunk *c,
				  unsigned long at, unsigned long nr);
static void twobit_undo(struct gen_pool *p, struct gen_chunk *c,
			unsigned long at, unsigned long nr);
static void twobit_clear(struct gen_pool *p, struct gen_chunk *c,
			 unsigned long at, unsigned long nr);

static const struct gen_repr twobit_repr = {
	.pool_bytes = sizeof(struct twobit),
	.unit_bits = 2,
	.reserved = LOW_BITS,
	.claim = twobit_claim,
	.undo = twobit_undo,
	.release = twobit_clear,
};

/* -- runs --------------------------------------------------------------------- */

enum pattern {
	PATTERN_FREE,			/* 00 00 00 */
	PATTERN_RESERVED,		/* 01 01 01 */
	PATTERN_RUN,			/* 11 10 10 */
};

/* The pattern's bits in a piece; a head only in the first piece of a run. */
static unsigned long pattern_bits(enum pattern pattern,
				  const struct gen_piece *piece, bool first)
{
	switch (pattern) {
	case PATTERN_FREE:
		return 0;
	case PATTERN_RESERVED:
		return LOW_BITS & piece->mask;
	case PATTERN_RUN:
		break;
	}
	return (HIGH_BITS & piece->mask) | (unsigned long)first << piece->shift;
}

static bool turn_piece(const struct gen_pool *p, const struct gen_piece *piece,
		       enum pattern from, enum pattern to, bool first)
{
	return gen_turn(p, piece, pattern_bits(from, piece, first),
			pattern_bits(to, piece, first), is_as_posted(p));
}

/* Turn a run's codes from the lowest up; 0, or how many were not as expected. */
static unsigned long turn_up(const struct gen_pool *p, struct gen_chunk *c,
			     unsigned long at, unsigned long nr,
			     enum pattern from, enum pattern to)
{
	bool first = true;

	while (nr) {
		struct gen_piece piece = gen_piece(c->map, 2, at, nr);

		if (!turn_piece(p, &piece, from, to, first))
			break;
		at += piece.nr;
		nr -= piece.nr;
		first = false;
	}
	return nr;
}

/* The same from the highest down. */
static unsigned long turn_down(const struct gen_pool *p, struct gen_chunk *c,
			       unsigned long at, unsigned long nr,
			       enum pattern from, enum pattern to)
{
	const unsigned int per_word = WORD_BITS / 2;

	while (nr) {
		unsigned long word = (at + nr - 1) / per_word * per_word;
		unsigned long part = max_t(unsigned long, at, word);
		struct gen_piece piece = gen_piece(c->map, 2, part,
						   at + nr - part);

		if (!turn_piece(p, &piece, from, to, part == at))
			break;
		nr = part - at;
	}
	return nr;
}

static unsigned long clear_run(const struct gen_pool *p, struct gen_chunk *c,
			       unsigned long at, unsigned long nr)
{
	return to_twobit(p)->release_up ?
		turn_up(p, c, at, nr, PATTERN_RUN, PATTERN_FREE) :
		turn_down(p, c, at, nr, PATTERN_RUN, PATTERN_FREE);
}

static unsigned long twobit_claim(struct gen_pool *p, struct gen_chunk *c,
				  unsigned long at, unsigned long nr)
{
	return turn_up(p, c, at, nr, PATTERN_FREE, PATTERN_RUN);
}

static void twobit_undo(struct gen_pool *p, struct gen_chunk *c,
			unsigned long at, unsigned long nr)
{
	clear_run(p, c, at, nr);
}

/* Reserved units become free. */
static void twobit_clear(struct gen_pool *p, struct gen_chunk *c,
			 unsigned long at, unsigned long nr)
{
	unsigned long left = turn_up(p, c, at, nr, PATTERN_RESERVED,
				     PATTERN_FREE);

	assert(!left);
	(void)left;
}

/* Units of the run whose head is at `at`. */
static unsigned long run_length(const struct gen_pool *p,
				const struct gen_chunk *c, unsigned long at)
{
	return gen_scan(p, c->map, 2, at + 1, c->nr, code_no_body) - at;
}

static enum range_state state_of(const struct gen_pool *p,
				 const struct gen_chunk *c, unsigned long at)
{
	static const enum range_state states[] = {
		RANGE_FREE, RANGE_RESERVED, RANGE_BODY, RANGE_HEAD,
	};
	struct gen_piece piece = gen_piece(c->map, 2, at, 1);

	COST_READ(&p->base, piece.word);
	return states[atom_load(&p->base, piece.word) >> piece.shift & 3];
}

/* Head of the run that the body unit `at` belongs to. */
static unsigned long run_head(const struct gen_pool *p,
			      const struct gen_chunk *c, unsigned long at)
{
	const unsigned int per_word = WORD_BITS / 2;
	unsigned long word = at / per_word;
	unsigned long heads = code_head(atom_load(&p->base, &c->map[word])) &
			      ((1UL << 2 * (at % per_word)) - 1);

	while (!heads)
		heads = code_head(atom_load(&p->base, &c->map[--word]));
	return word * per_word + ilog2(heads) / 2;
}

/* -- the calls of struct range_ops -------------------------------------------- */

static int twobit_create(struct range **out, const struct range_ops *ops,
			 struct machine *m, const struct option_set *opts,
			 struct msg *msg)
{
	int err = gen_create(out, ops, &twobit_repr, m, opts, msg);
	struct twobit *t;

	if (err)
		return err;
	t = container_of(to_gen_pool(*out), struct twobit, pool);
	t->as_posted = option_get(opts, "as-posted");
	t->release_up = t->as_posted || option_get(opts, "release");
	return 0;
}

static int twobit_adopt(struct range *r, unsigned long first, unsigned long nr)
{
	struct gen_pool *p = to_gen_pool(r);
	struct gen_chunk *c = gen_chunk_of(p, first);
	unsigned long left = turn_up(p, c, first - c->first, nr,
				     PATTERN_RESERVED, PATTERN_RUN);

	assert(!left);
	(void)left;
	return 0;
}

static unsigned long twobit_alloc(struct range *r, unsigned long nr,
				  unsigned long align)
{
	return gen_alloc(&twobit_repr, r, nr, align);
}

static enum range_answer twobit_free(struct range *r, unsigned long first,
				     unsigned long nr)
{
	struct gen_pool *p = to_gen_pool(r);
	struct gen_chunk *c = gen_chunk_of(p, first);
	enum range_state state = c ? state_of(p, c, first - c->first)
				   : RANGE_INVALID;
	unsigned long length;

	if (unlikely(state != RANGE_HEAD))
		return state == RANGE_FREE ? RANGE_NOT_USED :
		       state == RANGE_BODY ? RANGE_NOT_HEAD : RANGE_OUTSIDE;
	length = run_length(p, c, first - c->first);
	if (unlikely(nr && nr != length))
		return RANGE_WRONG_SIZE;
	if (clear_run(p, c, first - c->first, length))
		return RANGE_NOT_USED;
	atom_add(r, &c->avail, length);
	return RANGE_OK;
}

/* A body at the start of each part but the first becomes a head. */
static bool twobit_split(struct range *r, unsigned long first, unsigned long nr,
			 unsigned long part)
{
	struct gen_pool *p = to_gen_pool(r);
	struct gen_chunk *c = gen_chunk_of(p, first);

	for (unsigned long at = part; at < nr; at += part) {
		struct gen_piece piece = gen_piece(c->map, 2,
						   first - c->first + at, 1);
		bool was_body = gen_turn(p, &piece,
					 pattern_bits(PATTERN_RUN, &piece, false),
					 pattern_bits(PATTERN_RUN, &piece, true),
					 is_as_posted(p));

		assert(was_body);
		(void)was_body;
	}
	return true;
}

static bool twobit_in_use(const struct range *r)
{
	const struct gen_pool *p = to_const_gen_pool(r);

	for (const struct gen_chunk *c = p->chunks; c; c = c->next) {
		unsigned long end = is_as_posted(p) ? c->nr / 2 : c->nr;

		if (gen_scan(p, c->map, 2, 0, end, code_in_run) < end)
			return true;
	}
	return false;
}

static void twobit_query(const struct range *r, unsigned long unit,
			 struct range_info *info)
{
	const struct gen_pool *p = to_const_gen_pool(r);
	const struct gen_chunk *c = gen_chunk_of(p, unit);
	unsigned long head;

	*info = (struct range_info){ RANGE_INVALID, RANGE_NONE, 0 };
	if (!c)
		return;
	head = unit - c->first;
	info->state = state_of(p, c, head);
	if (info->state != RANGE_HEAD && info->state != RANGE_BODY)
		return;
	if (info->state == RANGE_BODY)
		head = run_head(p, c, head);
	info->head = c->first + head;
	info->nr = run_length(p, c, head);
}

static int verify_chunk(const struct range *r, const struct gen_chunk *c,
			struct msg *msg)
{
	unsigned long mapped = c->nr / (WORD_BITS / 2) * (WORD_BITS / 2);
	enum range_state before = RANGE_FREE;

	for (unsigned long at = 0; at < c->nr; at++) {
		enum range_state state = state_of(to_const_gen_pool(r), c, at);

		if (state == RANGE_BODY && before != RANGE_HEAD &&
		    before != RANGE_BODY)
			return msg_set(msg, EUCLEAN,
				       "%s: unit %lu is a body without a head",
				       r->ops->name, c->first + at);
		before = state;
	}
	if (is_as_posted(to_const_gen_pool(r)) && mapped < c->nr)
		return msg_set(msg, EUCLEAN,
			       "%s: the map of the chunk at unit %lu ends before unit %lu",
			       r->ops->name, c->first, c->first + mapped);
	return 0;
}

static int twobit_verify(const struct range *r, struct msg *msg)
{
	int err = gen_verify(r, msg);

	for (const struct gen_chunk *c = to_const_gen_pool(r)->chunks;
	     c && !err; c = c->next)
		err = verify_chunk(r, c, msg);
	return err;
}

static const struct option_spec genalloc_twobit_options[] = {
	GEN_FIT_OPTION,
	{ "as-posted", "off|on", "off",
	  "with the defects of the posted code, to be shown" },
	{ "release", "down|up", "down",
	  "which word of a run is given back first; up is the posted order, and wrong" },
	{ .key = NULL },
};

extern const struct range_ops genalloc_twobit_range_ops;

const struct range_ops genalloc_twobit_range_ops = {
	.name = "genalloc_twobit",
	.options = genalloc_twobit_options,
	.caps = {
		.query = RANGE_QUERY_RUNS,
		.concurrency = RANGE_LOCKFREE,
		.grows = true,
	},
	.create = twobit_create,
	.destroy = gen_destroy,
	.add = gen_add,
	.release = gen_release,
	.adopt = twobit_adopt,
	.alloc = twobit_alloc,
	.free = twobit_free,
	.claim = gen_claim_at,
	.split = twobit_split,
	.in_use = twobit_in_use,
	.query = twobit_query,
	.next_free = gen_next_free,
	.nr_free = gen_nr_free,
	.verify = twobit_verify,
	.fingerprint = gen_fingerprint,
};

RANGE_PAGES(genalloc_twobit,
	    "two interleaved bits a page that mark where runs begin, lockless",
	    .max_order = MAX_PAGE_ORDER, .query = QUERY_BLOCKS);
