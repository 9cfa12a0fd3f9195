/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * llfree.c - bitfields, counters and trees; no lock and no list
 *
 *    locals   CPU 0 [ tree 2 | 700 free ]      its own cache line each
 *                       |
 *    trees    [0] [1] [2: reserved | free] [3]       32 bits for 8 or 32 children
 *                       |
 *    children    [ 512 | 188 | whole | 0 | ... ]     16 bits for 2 MiB
 *                         |
 *    bitfield          1101 0000 ... 0110            512 bits, one cache line
 *
 * After the published description of LLFree (Wrenger, Rommel, Halbuer, Dietrich,
 * Lohmann; USENIX ATC 2023). A CPU reserves a tree and allocates only there: it
 * takes the tree's whole counter into its own word, so that CPUs meet at
 * neither counters nor bitfields. When it runs dry it takes what others have
 * freed into its tree, then reserves another: the one of the next eight that is
 * partly used and has least left, else any partly used one, else any. When no
 * tree can be reserved, all reservations are dissolved and every tree is tried.
 *
 * Here are the upper part, trees and reservations, and the calls; children and
 * bitfields are the lower part, llfree_lower.c.
 *
 * Counters are lowered from the top down before bits are claimed and raised
 * from the bottom up after bits are cleared, so whoever has lowered one knows
 * that the pages are there. Nothing merges, nothing is split: a run of clear
 * bits is a free block. There are no descriptors, so the caller keeps the order
 * of what it holds. Left out: classes of trees, and the reservation of a tree
 * that is being freed into.
 *
 * Invariants (at rest):
 *    child.free == clear bits of its bitfield, or 0 if taken whole
 *    tree.free + free of its reservation == sum of its children
 *    a tree is reserved  <=>  one CPU's word names it
 *
 * alloc and free: three locked operations each when all goes well.
 */
#include <errno.h>

#include "llfree.h"

#define NEARBY 8			/* trees compared before the first fit is taken */

extern const struct allocator_ops llfree_ops;

static struct llfree_zone *zone_of(struct llfree *l, unsigned long pfn)
{
	unsigned int i = l->nr_zones - 1;

	while (pfn < l->zones[i].start_pfn)
		i--;
	return &l->zones[i];
}

/* --- trees ------------------------------------------------------------ */

/* Pages were promised by the tree's counter: find them, from a row on. */
static unsigned long tree_get(struct llfree_zone *z, unsigned long tree,
			      unsigned int order, unsigned long from_row)
{
	unsigned long first = tree << z->tree_shift;
	unsigned long end = min_t(unsigned long, first + tree_children(z),
				  z->nr_children);
	unsigned long child = from_row / CHILD_ROWS;

	if (child < first || child >= end)
		child = first;
	for (unsigned long left = end - first; left; left--) {
		unsigned long pfn = child_get(z, child, order,
					      from_row % CHILD_ROWS);

		if (pfn != PFN_NONE)
			return pfn;
		from_row = 0;
		if (++child == end)
			child = first;
	}
	return PFN_NONE;
}

static bool tree_lower(_Atomic uint32_t *tree, uint32_t nr)
{
	uint32_t word = atomic_load(tree);

	COST_NOW(tree_levels, 1);
	do {
		if ((word & ~TREE_RESERVED) < nr)
			return false;
	} while (!atomic_compare_exchange_weak(tree, &word, word - nr));
	return true;
}

/* Take all that a tree counts; what was there. */
static uint32_t tree_empty(_Atomic uint32_t *tree)
{
	return atomic_fetch_and(tree, TREE_RESERVED) & ~TREE_RESERVED;
}

/* Pages are free again: to the CPU's word if it has the tree, else to the tree. */
static void counters_raise(struct llfree_zone *z, struct local *local,
			   unsigned long tree, uint32_t nr)
{
	unsigned long word = local ? atomic_load(&local->word) : 0;

	COST_NOW(tree_levels, 1);
	while (local_has(word, tree))
		if (atomic_compare_exchange_weak(&local->word, &word, word + nr))
			return;
	atomic_fetch_add(&z->trees[tree], nr);
}

/* --- reservations ----------------------------------------------------- */

/* A reservation ends: what its word counted goes back to the tree. */
static void unreserve(struct llfree_zone *z, unsigned long word)
{
	_Atomic uint32_t *tree;
	uint32_t was, now;

	if (!(word & LOCAL_PRESENT))
		return;
	tree = &z->trees[word >> LOCAL_TREE_SHIFT];
	was = atomic_load(tree);
	do {
		assert(was & TREE_RESERVED);
		now = (was & ~TREE_RESERVED) + (uint32_t)(word & LOCAL_FREE);
	} while (!atomic_compare_exchange_weak(tree, &was, now));
}

/* Reserve one tree for a CPU, if it is free to be and has enough. */
static bool reserve(struct llfree_zone *z, struct local *local,
		    unsigned long tree, uint32_t least)
{
	uint32_t word = atomic_load(&z->trees[tree]);

	COST_NOW(tree_levels, 1);
	do {
		if (word & TREE_RESERVED || word < least)
			return false;
	} while (!atomic_compare_exchange_weak(&z->trees[tree], &word,
					       TREE_RESERVED));
	unreserve(z, atomic_exchange(&local->word, local_word(tree, word)));
	return true;
}

static bool partly_used(const struct llfree_zone *z, uint32_t word)
{
	return word < tree_children(z) * CHILD_PAGES;
}

/* Of the trees around, the one that is partly used and has least; else nr_trees. */
static unsigned long best_nearby(const struct llfree_zone *z,
				 unsigned long start, uint32_t least)
{
	unsigned long best = z->nr_trees;
	uint32_t best_free = UINT32_MAX;

	for (unsigned long i = 0; i < NEARBY && i < z->nr_trees; i++) {
		unsigned long tree = (start + i) % z->nr_trees;
		uint32_t word = atomic_load(&z->trees[tree]);

		COST_NOW(tree_levels, 1);
		if (word & TREE_RESERVED || word < least || word >= best_free ||
		    !partly_used(z, word))
			continue;
		best = tree;
		best_free = word;
	}
	return best;
}

static bool reserve_some(struct llfree_zone *z, struct local *local,
			 uint32_t least)
{
	unsigned long word = atomic_load(&local->word);
	unsigned long start = word & LOCAL_PRESENT ?
			      (word >> LOCAL_TREE_SHIFT) + 1 :
			      (unsigned long)(local - z->locals) * NEARBY;
	unsigned long best = best_nearby(z, start, least);

	if (best < z->nr_trees && reserve(z, local, best, least))
		return true;
	for (int any = 0; any < 2; any++) {
		for (unsigned long i = 0; i < z->nr_trees; i++) {
			unsigned long tree = (start + i) % z->nr_trees;

			if (!any && !partly_used(z, atomic_load(&z->trees[tree])))
				continue;
			if (reserve(z, local, tree, least))
				return true;
		}
	}
	return false;
}

/* Lower the CPU's own counter, with what others freed into its tree if need be. */
static bool local_lower(struct llfree_zone *z, struct local *local,
			uint32_t nr, unsigned long *tree)
{
	unsigned long word = atomic_load(&local->word);
	bool refilled = false;

	COST_NOW(tree_levels, 1);
	for (;;) {
		*tree = word >> LOCAL_TREE_SHIFT;
		if (!(word & LOCAL_PRESENT))
			return false;
		if ((word & LOCAL_FREE) >= nr) {
			if (atomic_compare_exchange_weak(&local->word, &word,
							 word - nr))
				return true;
			continue;
		}
		if (refilled)
			return false;
		refilled = true;
		counters_raise(z, local, *tree, tree_empty(&z->trees[*tree]));
		word = atomic_load(&local->word);
	}
}

static unsigned long local_get(struct llfree_zone *z, struct local *local,
			       unsigned int order)
{
	unsigned long tree, pfn;
	unsigned long from = atomic_load_explicit(&local->row, memory_order_relaxed);

	if (!local_lower(z, local, 1U << order, &tree))
		return PFN_NONE;
	pfn = tree_get(z, tree, order, from);
	if (pfn == PFN_NONE) {
		counters_raise(z, local, tree, 1U << order);
		return PFN_NONE;
	}
	atomic_store_explicit(&local->row, (pfn - z->base_pfn) / ROW_PAGES,
			      memory_order_relaxed);
	return pfn;
}

static void drain_locals(struct llfree_zone *z, unsigned int nr_cpus)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		unreserve(z, atomic_exchange(&z->locals[cpu].word, 0));
}

/* The last way: no reservations, and every tree is looked through. */
static unsigned long get_anywhere(struct llfree_zone *z, unsigned int nr_cpus,
				  unsigned int order)
{
	drain_locals(z, nr_cpus);
	for (unsigned long tree = 0; tree < z->nr_trees; tree++) {
		unsigned long pfn;

		if (!tree_lower(&z->trees[tree], 1U << order))
			continue;
		pfn = tree_get(z, tree, order, 0);
		if (pfn != PFN_NONE)
			return pfn;
		counters_raise(z, NULL, tree, 1U << order);
	}
	return PFN_NONE;
}

/* --- the calls -------------------------------------------------------- */

static unsigned long llfree_alloc(struct allocator *a,
				  const struct alloc_req *req)
{
	struct llfree *l = to_llfree(a);

	for (unsigned int i = min_t(unsigned int, req->zone_limit + 1, l->nr_zones);
	     i-- > 0;) {
		struct llfree_zone *z = &l->zones[i];
		struct local *local = &z->locals[req->cpu];
		unsigned long pfn = local_get(z, local, req->order);

		if (unlikely(pfn == PFN_NONE) &&
		    reserve_some(z, local, 1U << req->order))
			pfn = local_get(z, local, req->order);
		if (unlikely(pfn == PFN_NONE))
			pfn = get_anywhere(z, a->machine->nr_cpus, req->order);
		if (likely(pfn != PFN_NONE))
			return pfn;
	}
	return PFN_NONE;
}

/* Blocks above a child are some that were in use at the start, or released. */
static void give(struct llfree_zone *z, struct local *local, unsigned long pfn,
		 unsigned int order)
{
	unsigned int part = min_t(unsigned int, order, CHILD_ORDER);

	for (unsigned long i = 0; i < 1UL << (order - part); i++) {
		unsigned long page = pfn - z->base_pfn + (i << part);

		child_put(z, page, part);
		counters_raise(z, local, tree_of(z, page / CHILD_PAGES), 1U << part);
	}
}

static void llfree_free(struct allocator *a, unsigned long pfn,
			unsigned int order, unsigned int cpu)
{
	struct llfree_zone *z = zone_of(to_llfree(a), pfn);

	give(z, &z->locals[cpu], pfn, order);
}

static void llfree_release(struct allocator *a, unsigned long pfn,
			   unsigned int order)
{
	give(zone_of(to_llfree(a), pfn), NULL, pfn, order);
}

static bool llfree_split(struct allocator *a, unsigned long pfn,
			 unsigned int order, unsigned int new_order)
{
	struct llfree_zone *z = zone_of(to_llfree(a), pfn);

	(void)new_order;
	if (order >= CHILD_ORDER)
		child_split(z, (pfn - z->base_pfn) / CHILD_PAGES);
	return true;
}

static void llfree_drain(struct allocator *a)
{
	struct llfree *l = to_llfree(a);

	for (unsigned int i = 0; i < l->nr_zones; i++)
		drain_locals(&l->zones[i], a->machine->nr_cpus);
}

/* --- life ------------------------------------------------------------- */

static uint64_t rows_bytes(const struct llfree_zone *z)
{
	return (uint64_t)z->nr_children * (CHILD_PAGES / 8);
}

static uint64_t children_bytes(const struct llfree_zone *z)
{
	return (uint64_t)z->nr_trees * LINE_CHILDREN * sizeof(uint16_t);
}

static void llfree_destroy(struct allocator *a)
{
	struct llfree *l = to_llfree(a);
	struct machine *m = a->machine;

	for (unsigned int i = 0; i < l->nr_zones; i++) {
		struct llfree_zone *z = &l->zones[i];

		if (z->locals)
			machine_free(m, z->locals, m->nr_cpus * sizeof(*z->locals),
				     META_structures);
		if (z->trees)
			machine_free(m, z->trees, z->nr_trees * sizeof(*z->trees),
				     META_structures);
		if (z->children)
			machine_free(m, z->children, children_bytes(z),
				     META_structures);
		if (z->rows)
			machine_free(m, z->rows, rows_bytes(z), META_structures);
	}
	machine_free(m, l, sizeof(*l), META_structures);
}

static bool zone_init(struct llfree_zone *z, const struct zone *zone,
		      unsigned int tree_shift, struct machine *m)
{
	z->start_pfn = zone->start_pfn;
	z->end_pfn = zone_end_pfn(zone);
	z->base_pfn = z->start_pfn / CHILD_PAGES * CHILD_PAGES;
	z->nr_children = div_round_up(z->end_pfn - z->base_pfn, CHILD_PAGES);
	z->tree_shift = tree_shift;
	z->nr_trees = div_round_up(z->nr_children, tree_children(z));
	z->rows = machine_alloc(m, rows_bytes(z), META_structures);
	if (!z->rows)
		return false;
	for (unsigned long row = 0; row < z->nr_children * CHILD_ROWS; row++)
		atomic_init(&z->rows[row], ~0UL);
	z->children = machine_alloc(m, children_bytes(z), META_structures);
	z->trees = machine_alloc(m, z->nr_trees * sizeof(*z->trees), META_structures);
	z->locals = machine_alloc(m, m->nr_cpus * sizeof(*z->locals), META_structures);
	return z->children && z->trees && z->locals;
}

static int llfree_create(struct allocator **out, struct machine *m,
			 const struct option_set *opts, struct msg *msg)
{
	const struct layout *layout = m->layout;
	unsigned int tree_shift = option_get(opts, "children") ? 5 : 3;
	struct llfree *l = machine_alloc(m, sizeof(*l), META_structures);

	if (!l)
		return msg_set(msg, ENOMEM, "llfree: no room for its own state");
	l->base.ops = &llfree_ops;
	l->base.machine = m;
	l->nr_zones = layout->nr_zones;
	for (unsigned int i = 0; i < layout->nr_zones; i++) {
		if (zone_init(&l->zones[i], &layout->zones[i], tree_shift, m))
			continue;
		llfree_destroy(&l->base);
		return msg_set(msg, ENOMEM, "llfree: no room for the trees of zone %s",
			       layout->zones[i].name);
	}
	*out = &l->base;
	return 0;
}

static const struct option_spec llfree_options[] = {
	{ "children", "8|32", "8", "children of 2 MiB in a tree" },
	{ NULL, NULL, NULL, NULL },
};

const struct allocator_ops llfree_ops = {
	.name = "llfree",
	.summary = "bitfields and counters in trees that CPUs reserve: no lock, no list",
	.options = llfree_options,
	.caps = {
		.max_order = LLFREE_MAX_ORDER,
		.needs_size = true,
		.lockfree = true,
		.query = QUERY_USED_FREE,
	},
	.create = llfree_create,
	.destroy = llfree_destroy,
	.release = llfree_release,
	.alloc = llfree_alloc,
	.free = llfree_free,
	.split = llfree_split,
	.drain = llfree_drain,
	.free_area = llfree_free_area,
	.counts = llfree_counts,
	.query = llfree_query,
	.verify = llfree_verify,
	.fingerprint = llfree_fingerprint,
};
