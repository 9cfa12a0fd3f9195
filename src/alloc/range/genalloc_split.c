/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * genalloc_split.c - genalloc with the ends of runs kept apart from its map
 *
 *    unit             0 1 2 3 4 5 6 7
 *    map              1 1 1 1 1 0 0 1      used
 *    tails            0 0 1 0 1 0 0 1      lengths=bits: last unit of a run
 *                     `-v-' `v'     `-- or a reserved unit
 *                     3 at 0, 2 at 3
 *
 *    tree of runs       { 0, 3 }           lengths=tree: a node of 40 bytes
 *                             \            a run
 *                            { 3, 2 }
 *
 * The search reads the first map alone, half of what interleaved bits take,
 * but each claim and release writes a second place. With bits the length of a
 * run is the distance to the first tail at or after its start, and a unit is
 * a head if it is used and the one before is free or a tail.
 *
 * With bits there is no lock. A claim sets its bits in the map, then the tail,
 * and only then tells the caller; a release reads the length, clears the tail
 * first, then the map from the lowest word up. (The other way round another
 * thread could own the units already, and lose its tail.) Between the two
 * writes of a neighbour a head looks like a body, so a free that runs beside
 * others cannot ask: heads=checked does, notices the free of a run's inside,
 * and is for one thread at a time. A free unit and a wrong length are noticed
 * always.
 *
 * A reserved unit is a used one that nobody holds: a run of one with bits, in
 * no node of the tree. The tree needs a lock, which is the caller's.
 *
 * Invariants:  bits: no tail on a free unit; the last unit of each maximal run
 *                    of set bits is a tail
 *              tree: nodes are disjoint; their units and the reserved ones are
 *                    the set bits
 * Memory:      2 bits a unit, or 1 bit a unit and 320 bits a run
 */
#include "alloc/range_pages.h"
#include "gen_pool.h"
#include "lib/avl.h"

struct split_run {
	struct avl_node node;
	unsigned long first;
	unsigned long nr;
};
_Static_assert(sizeof(struct split_run) == 5 * sizeof(long), "320 bits");

struct split {
	struct gen_pool pool;
	bool tree;			/* set at create, as is the next */
	bool check_heads;
	struct avl_tree runs;		/* tree only, as is the next */
	unsigned long reserved;		/* units */
};

static struct split *to_split(const struct range *r)
{
	return (struct split *)(uintptr_t)container_of_const(r, struct split, pool.base);
}

static int compare_first(const void *key, const struct avl_node *node)
{
	const struct split_run *run = container_of_const(node, struct split_run, node);
	unsigned long first = *(const unsigned long *)key;

	return first < run->first ? -1 : first > run->first;
}

static struct split_run *to_run(struct avl_node *node)
{
	return node ? container_of(node, struct split_run, node) : NULL;
}

/* -- tails -------------------------------------------------------------------- */

static void turn_tail(struct gen_pool *p, struct gen_chunk *c,
		      unsigned long at, bool set)
{
	struct gen_piece piece = gen_piece(c->tails, 1, at, 1);
	bool done = gen_turn(p, &piece, set ? 0 : piece.mask,
			     set ? piece.mask : 0, false);

	assert(done);
	(void)done;
}

static bool bit_is_set(const struct gen_pool *p, const atom_word *map,
		       unsigned long at)
{
	const atom_word *word = &map[at / WORD_BITS];

	COST_READ(&p->base, word);
	return atom_load(&p->base, word) >> at % WORD_BITS & 1;
}

/* Units from `at` to the first tail; 0 when there is none. */
static unsigned long length_to_tail(const struct gen_pool *p,
				    const struct gen_chunk *c, unsigned long at)
{
	unsigned long tail = gen_scan(p, c->tails, 1, at, c->nr, gen_bit_set);

	return tail < c->nr ? tail + 1 - at : 0;
}

/* The unit after the last one below `at` that is free or a tail. */
static unsigned long head_below(const struct gen_pool *p,
				const struct gen_chunk *c, unsigned long at)
{
	unsigned long word = at / WORD_BITS;
	unsigned long below = (1UL << at % WORD_BITS) - 1;

	for (;; word--, below = ~0UL) {
		unsigned long ends = (atom_load(&p->base, &c->tails[word]) |
				      ~atom_load(&p->base, &c->map[word])) &
				     below;

		if (ends)
			return word * WORD_BITS + ilog2(ends) + 1;
		if (!word)
			return 0;
	}
}

/* -- the tree ----------------------------------------------------------------- */

static bool tree_add(struct split *s, unsigned long first, unsigned long nr)
{
	struct range *r = &s->pool.base;
	struct split_run *run = machine_alloc(r->machine, sizeof(*run),
					      META_nodes);

	if (!run)
		return false;
	run->first = first;
	run->nr = nr;
	avl_insert(&s->runs, &run->first, &run->node);
	for (unsigned int i = 0; i < 5; i++)
		COST_WRITE(r, &((const unsigned long *)run)[i]);
	return true;
}

/* The run that holds the unit, or NULL. */
static const struct split_run *tree_find(const struct split *s,
					 unsigned long unit)
{
	uint64_t levels = 0;
	const struct split_run *run =
		to_run(avl_find_floor(&s->runs, &unit, &levels));

	COST_ADD(&s->pool.base, tree_levels, levels);
	return run && unit - run->first < run->nr ? run : NULL;
}

static void tree_del(struct split *s, unsigned long first)
{
	struct split_run *run = to_run(avl_erase(&s->runs, &first));

	machine_free(s->pool.base.machine, run, sizeof(*run), META_nodes);
}

/* -- claiming ----------------------------------------------------------------- */

static unsigned long split_claim(struct gen_pool *p, struct gen_chunk *c,
				 unsigned long at, unsigned long nr)
{
	unsigned long left = gen_set_bits(p, c->map, at, nr);

	if (!left && c->tails)
		turn_tail(p, c, at + nr - 1, true);
	return left;
}

static void clear_map(struct gen_pool *p, struct gen_chunk *c,
		      unsigned long at, unsigned long nr)
{
	unsigned long left = gen_clear_bits(p, c->map, at, nr);

	assert(!left);
	(void)left;
}

static void release_units(struct gen_pool *p, struct gen_chunk *c,
			  unsigned long at, unsigned long nr)
{
	if (c->tails)
		gen_clear_bits(p, c->tails, at, nr);
	clear_map(p, c, at, nr);
}

static bool has_tails(const struct gen_pool *p)
{
	return !to_split(&p->base)->tree;
}

static const struct gen_repr split_repr = {
	.pool_bytes = sizeof(struct split),
	.unit_bits = 1,
	.reserved = ~0UL,
	.has_tails = has_tails,
	.claim = split_claim,
	.undo = clear_map,
	.release = release_units,
};

/* -- the calls of struct range_ops -------------------------------------------- */

static int split_create(struct range **out, const struct range_ops *ops,
			struct machine *m, const struct option_set *opts,
			struct msg *msg)
{
	int err = gen_create(out, ops, &split_repr, m, opts, msg);
	struct split *s;

	if (err)
		return err;
	s = to_split(*out);
	s->tree = option_get(opts, "lengths");
	s->check_heads = option_get(opts, "heads");
	s->runs.compare = compare_first;
	if (s->tree || s->check_heads)
		(*out)->caps.concurrency = RANGE_SINGLE;
	return 0;
}

static void split_destroy(struct range *r)
{
	struct split *s = to_split(r);
	struct split_run *run;

	while ((run = to_run(avl_first(&s->runs))))
		tree_del(s, run->first);
	gen_destroy(r);
}

static int split_add(struct range *r, unsigned long first, unsigned long nr)
{
	int err = gen_add(r, first, nr);

	if (!err)
		to_split(r)->reserved += nr;
	return err;
}

static void split_release(struct range *r, unsigned long first,
			  unsigned long nr)
{
	to_split(r)->reserved -= nr;
	gen_release(r, first, nr);
}

static int split_adopt(struct range *r, unsigned long first, unsigned long nr)
{
	struct split *s = to_split(r);
	struct gen_chunk *c = gen_chunk_of(&s->pool, first);

	if (c->tails)
		gen_clear_bits(&s->pool, c->tails, first - c->first, nr - 1);
	else if (!tree_add(s, first, nr))
		return -ENOMEM;
	s->reserved -= nr;
	return 0;
}

/* A run whose units are free is the caller's already: give it back. */
static void put_back(struct gen_pool *p, unsigned long first, unsigned long nr)
{
	struct gen_chunk *c = gen_chunk_of(p, first);

	clear_map(p, c, first - c->first, nr);
	atom_add(&p->base, &c->avail, nr);
}

static unsigned long split_alloc(struct range *r, unsigned long nr,
				 unsigned long align)
{
	struct split *s = to_split(r);
	unsigned long first = gen_alloc(&split_repr, r, nr, align);

	if (!s->tree || first == RANGE_NONE || tree_add(s, first, nr))
		return first;
	put_back(&s->pool, first, nr);
	return RANGE_NONE;
}

static bool split_claim_at(struct range *r, unsigned long first,
			   unsigned long nr)
{
	struct split *s = to_split(r);

	if (!gen_claim_at(r, first, nr))
		return false;
	if (!s->tree || tree_add(s, first, nr))
		return true;
	put_back(&s->pool, first, nr);
	return false;
}

/* Length of the run at `first`, from the tails, or why it is none. */
static enum range_answer length_by_tails(const struct split *s,
					 const struct gen_chunk *c,
					 unsigned long at, unsigned long *nr)
{
	if (!bit_is_set(&s->pool, c->map, at))
		return RANGE_NOT_USED;
	if (s->check_heads && at && head_below(&s->pool, c, at) != at)
		return RANGE_NOT_HEAD;
	*nr = length_to_tail(&s->pool, c, at);
	return *nr ? RANGE_OK : RANGE_NOT_HEAD;
}

/* The same from the tree. */
static enum range_answer length_by_tree(const struct split *s,
					const struct gen_chunk *c,
					unsigned long at, unsigned long *nr)
{
	const struct split_run *run = tree_find(s, c->first + at);

	if (!run)
		return bit_is_set(&s->pool, c->map, at) ? RANGE_OUTSIDE : RANGE_NOT_USED;
	*nr = run->nr;
	return run->first == c->first + at ? RANGE_OK : RANGE_NOT_HEAD;
}

static enum range_answer split_free(struct range *r, unsigned long first,
				    unsigned long nr)
{
	struct split *s = to_split(r);
	struct gen_chunk *c = gen_chunk_of(&s->pool, first);
	enum range_answer answer;
	unsigned long length, at;

	if (!c)
		return RANGE_OUTSIDE;
	at = first - c->first;
	answer = s->tree ? length_by_tree(s, c, at, &length)
			 : length_by_tails(s, c, at, &length);
	if (unlikely(answer != RANGE_OK))
		return answer;
	if (unlikely(nr && nr != length))
		return RANGE_WRONG_SIZE;
	if (s->tree)
		tree_del(s, first);
	else
		turn_tail(&s->pool, c, at + length - 1, false);
	clear_map(&s->pool, c, at, length);
	atom_add(r, &c->avail, length);
	return RANGE_OK;
}

static bool split_split(struct range *r, unsigned long first, unsigned long nr,
			unsigned long part)
{
	struct split *s = to_split(r);
	struct gen_chunk *c = gen_chunk_of(&s->pool, first);

	if (s->tree)
		return false;
	for (unsigned long at = part; at < nr; at += part)
		turn_tail(&s->pool, c, first - c->first + at - 1, true);
	return true;
}

static bool split_in_use(const struct range *r)
{
	const struct split *s = to_split(r);
	unsigned long used = 0;

	for (const struct gen_chunk *c = s->pool.chunks; c; c = c->next)
		used += c->nr - atom_load(&s->pool.base, &c->avail);
	return used > s->reserved;
}

static void query_by_tree(const struct split *s, unsigned long unit,
			  struct range_info *info)
{
	const struct split_run *run = tree_find(s, unit);

	info->state = RANGE_RESERVED;
	if (!run)
		return;
	info->state = run->first == unit ? RANGE_HEAD : RANGE_BODY;
	info->head = run->first;
	info->nr = run->nr;
}

static void query_by_tails(const struct split *s, const struct gen_chunk *c,
			   unsigned long at, struct range_info *info)
{
	unsigned long head = head_below(&s->pool, c, at);

	info->head = c->first + head;
	info->nr = length_to_tail(&s->pool, c, head);
	info->state = info->nr == 1 ? RANGE_USED :
		      head == at ? RANGE_HEAD : RANGE_BODY;
}

static void split_query(const struct range *r, unsigned long unit,
			struct range_info *info)
{
	const struct split *s = to_split(r);
	const struct gen_chunk *c = gen_chunk_of(&s->pool, unit);

	*info = (struct range_info){ RANGE_INVALID, RANGE_NONE, 0 };
	if (!c)
		return;
	if (!bit_is_set(&s->pool, c->map, unit - c->first))
		info->state = RANGE_FREE;
	else if (s->tree)
		query_by_tree(s, unit, info);
	else
		query_by_tails(s, c, unit - c->first, info);
}

static int verify_tails(const struct range *r, const struct gen_chunk *c,
			struct msg *msg)
{
	const struct split *s = to_split(r);

	for (unsigned long at = 0; at < c->nr; at++) {
		bool used = bit_is_set(&s->pool, c->map, at);
		bool tail = bit_is_set(&s->pool, c->tails, at);
		bool last = used && (at + 1 == c->nr ||
				     !bit_is_set(&s->pool, c->map, at + 1));

		if (tail && !used)
			return msg_set(msg, EUCLEAN,
				       "%s: unit %lu is free, and a tail",
				       r->ops->name, c->first + at);
		if (last && !tail)
			return msg_set(msg, EUCLEAN,
				       "%s: the run that unit %lu ends has no tail",
				       r->ops->name, c->first + at);
	}
	return 0;
}

static int verify_tree(const struct split *s, struct msg *msg)
{
	const char *name = s->pool.base.ops->name;
	struct split_run *run = to_run(avl_first(&s->runs));
	unsigned long used = 0, held = 0, end = 0;

	for (const struct gen_chunk *c = s->pool.chunks; c; c = c->next)
		used += c->nr - atom_load(&s->pool.base, &c->avail);
	if (!avl_is_balanced(&s->runs))
		return msg_set(msg, EUCLEAN, "%s: the tree of runs is not balanced",
			       name);
	for (; run; run = to_run(avl_next(&s->runs, &run->first))) {
		struct range_run hole;

		if (run->first < end)
			return msg_set(msg, EUCLEAN,
				       "%s: the run at unit %lu begins inside another",
				       name, run->first);
		end = run->first + run->nr;
		if (gen_next_free(&s->pool.base, run->first, end, &hole))
			return msg_set(msg, EUCLEAN,
				       "%s: unit %lu is free, and in the run at unit %lu",
				       name, hole.start, run->first);
		held += run->nr;
	}
	if (held + s->reserved != used)
		return msg_set(msg, EUCLEAN,
			       "%s: %lu units in runs and %lu reserved are not the %lu used",
			       name, held, s->reserved, used);
	return 0;
}

static int split_verify(const struct range *r, struct msg *msg)
{
	const struct split *s = to_split(r);
	int err = gen_verify(r, msg);

	for (const struct gen_chunk *c = s->pool.chunks;
	     !s->tree && !err && c; c = c->next)
		err = verify_tails(r, c, msg);
	if (s->tree && !err)
		err = verify_tree(s, msg);
	return err;
}

static uint64_t split_fingerprint(const struct range *r)
{
	const struct split *s = to_split(r);
	uint64_t hash = gen_fingerprint(r);
	struct split_run *run = to_run(avl_first(&s->runs));

	for (; run; run = to_run(avl_next(&s->runs, &run->first)))
		hash = fingerprint_mix(hash, run->first);
	return hash;
}

static const struct option_spec genalloc_split_options[] = {
	GEN_FIT_OPTION,
	{ "lengths", "bits|tree", "bits",
	  "where the length of a run is kept: a bit at its end, or a tree of runs" },
	{ "heads", "trusted|checked", "trusted",
	  "whether a free looks for its head; checked is for one thread alone" },
	{ .key = NULL },
};

extern const struct range_ops genalloc_split_range_ops;

const struct range_ops genalloc_split_range_ops = {
	.name = "genalloc_split",
	.options = genalloc_split_options,
	.caps = {
		.query = RANGE_QUERY_RUNS,
		.concurrency = RANGE_LOCKFREE,
		.grows = true,
	},
	.create = split_create,
	.destroy = split_destroy,
	.add = split_add,
	.release = split_release,
	.adopt = split_adopt,
	.alloc = split_alloc,
	.free = split_free,
	.claim = split_claim_at,
	.split = split_split,
	.in_use = split_in_use,
	.query = split_query,
	.next_free = gen_next_free,
	.nr_free = gen_nr_free,
	.verify = split_verify,
	.fingerprint = split_fingerprint,
};

RANGE_PAGES(genalloc_split,
	    "a bit a page, and its ends of runs apart: in bits, lockless, or in a tree",
	    .max_order = MAX_PAGE_ORDER, .query = QUERY_BLOCKS);
