/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * genalloc.c - Linux's general purpose pool: one bit a unit
 *
 *    unit   0 1 2 3 4 5 6 7
 *    map    1 1 1 1 1 0 0 1      two runs, or one, or five: the map cannot
 *           `---v---'            tell, so the caller has to remember that it
 *           3 and 2              holds 3 units at 0
 *
 * That is the whole structure: a search for zeroes, ones over them, zeroes
 * again. The pool (gen_pool.h) does all of it; there is no lock. The length
 * of a run is the caller's to keep and is believed on free, so a length that
 * is wrong frees somebody else's units; only a unit that is free already is
 * noticed. Reserved units are set bits like any other.
 *
 * Invariant:  avail == zero bits of the map
 * Memory:     1 bit a unit, and ceil(log2(units)) bits a run with the caller
 */
#include "alloc/range_pages.h"
#include "gen_pool.h"

static unsigned long genalloc_claim(struct gen_pool *p, struct gen_chunk *c,
				    unsigned long at, unsigned long nr)
{
	return gen_set_bits(p, c->map, at, nr);
}

static void genalloc_clear(struct gen_pool *p, struct gen_chunk *c,
			   unsigned long at, unsigned long nr)
{
	unsigned long left = gen_clear_bits(p, c->map, at, nr);

	assert(!left);
	(void)left;
}

static const struct gen_repr genalloc_repr = {
	.pool_bytes = sizeof(struct gen_pool),
	.unit_bits = 1,
	.reserved = ~0UL,
	.claim = genalloc_claim,
	.undo = genalloc_clear,
	.release = genalloc_clear,
};

static int genalloc_create(struct range **out, const struct range_ops *ops,
			   struct machine *m, const struct option_set *opts,
			   struct msg *msg)
{
	return gen_create(out, ops, &genalloc_repr, m, opts, msg);
}

/* The bits are set; that they are somebody's now, only he knows. */
static int genalloc_adopt(struct range *r, unsigned long first,
			  unsigned long nr)
{
	(void)r;
	(void)first;
	(void)nr;
	return 0;
}

static unsigned long genalloc_alloc(struct range *r, unsigned long nr,
				    unsigned long align)
{
	return gen_alloc(&genalloc_repr, r, nr, align);
}

static enum range_answer genalloc_free(struct range *r, unsigned long first,
				       unsigned long nr)
{
	struct gen_pool *p = to_gen_pool(r);
	struct gen_chunk *c = gen_chunk_of(p, first);
	unsigned long at, left;

	if (!c || !nr || c->nr - (first - c->first) < nr)
		return RANGE_OUTSIDE;
	at = first - c->first;
	left = gen_clear_bits(p, c->map, at, nr);
	if (unlikely(left)) {
		gen_set_bits(p, c->map, at, nr - left);
		return RANGE_NOT_USED;
	}
	atom_add(r, &c->avail, nr);
	return RANGE_OK;
}

static void genalloc_query(const struct range *r, unsigned long unit,
			   struct range_info *info)
{
	const struct gen_pool *p = to_const_gen_pool(r);
	const struct gen_chunk *c = gen_chunk_of(p, unit);

	*info = (struct range_info){ RANGE_INVALID, RANGE_NONE, 0 };
	if (!c)
		return;
	unit -= c->first;
	info->state = gen_find_used(&genalloc_repr, p, c, unit, unit + 1) == unit ?
		      RANGE_USED : RANGE_FREE;
}

static bool genalloc_in_use(const struct range *r)
{
	const struct gen_pool *p = to_const_gen_pool(r);

	for (const struct gen_chunk *c = p->chunks; c; c = c->next)
		if (gen_find_used(&genalloc_repr, p, c, 0, c->nr) < c->nr)
			return true;
	return false;
}

static const struct option_spec genalloc_options[] = {
	GEN_FIT_OPTION,
	{ .key = NULL },
};

extern const struct range_ops genalloc_range_ops;

const struct range_ops genalloc_range_ops = {
	.name = "genalloc",
	.options = genalloc_options,
	.caps = {
		.needs_size = true,
		.frees_parts = true,
		.query = RANGE_QUERY_USED,
		.concurrency = RANGE_LOCKFREE,
		.grows = true,
	},
	.create = genalloc_create,
	.destroy = gen_destroy,
	.add = gen_add,
	.release = gen_release,
	.adopt = genalloc_adopt,
	.alloc = genalloc_alloc,
	.free = genalloc_free,
	.claim = gen_claim_at,
	.in_use = genalloc_in_use,
	.query = genalloc_query,
	.next_free = gen_next_free,
	.nr_free = gen_nr_free,
	.verify = gen_verify,
	.fingerprint = gen_fingerprint,
};

RANGE_PAGES(genalloc, "one bit a page, the caller keeps the length: Linux lib/genalloc",
	    .max_order = MAX_PAGE_ORDER, .needs_size = true,
	    .query = QUERY_FREE_BLOCKS);
