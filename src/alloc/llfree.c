/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * llfree.c - bitfields, counters and trees; no lock and no list
 *
 *    locals   CPU 0 [ - | tree 2: 700 free | tree 0: 1536 free ]   a cache line each
 *                       movable |
 *    trees    [0] [1] [2: reserved | movable | free] [3]    32 bits for 8 or 32 children
 *                       |
 *    children    [ 512 | 188 | whole | 0 | ... ]            16 bits for 2 MiB
 *                         |
 *    bitfield          1101 0000 ... 0110                   512 bits, one cache line
 *
 * After the published description of LLFree (Wrenger, Rommel, Halbuer, Dietrich,
 * Lohmann; USENIX ATC 2023) and, where that leaves things open, what its authors'
 * code of 2026 does, as it is set up in their Linux. Requests and trees are of
 * three classes: unmovable, movable and huge (orders 9 and 10). A CPU reserves a
 * tree for each class and allocates only there: it takes the tree's whole counter
 * into its own word, so that CPUs meet at neither counters nor bitfields. When it
 * runs dry it takes what others have freed into its tree, then looks for another
 * one of the class, and keeps the first that has what was asked for:
 *
 *    nearby, a sixteenth of all      less than half free but not almost full;
 *                                    then at least half free; then almost full
 *    everywhere                      partly used; then wholly free
 *    of the classes above            which makes the tree one of its own class
 *    of the classes below            which does not
 *    reserved by any CPU             the block only
 *
 * Huge requests begin at "everywhere", whatever is free. A tree that is wholly
 * free is huge again. With no more trees than CPUs nothing is reserved.
 *
 * Here are the upper part, trees and reservations, and the calls; children and
 * bitfields are the lower part, llfree_lower.c.
 *
 * Counters are lowered from the top down before bits are claimed and raised
 * from the bottom up after bits are cleared, so whoever has lowered one knows
 * that the pages are there. Nothing merges, nothing is split: a run of clear
 * bits is a free block. There are no descriptors, so the caller keeps the order
 * of what it holds.
 *
 * With reserve_on_free=on, a tree that a CPU has freed into more than four times
 * in a row becomes its own, as in the paper; the code's default is off. Ours are
 * the classes of what is in use at the start, which follow the pageblocks'.
 *
 * Invariants (at rest):
 *    child.free == clear bits of its bitfield, or 0 if taken whole
 *    tree.free + free of its reservation == sum of its children
 *    a tree is reserved  <=>  one CPU's word of its class names it
 *
 * alloc and free: three locked operations each when all goes well.
 */
#include <errno.h>

#include "llfree.h"

#define FREES_IN_A_ROW 4		/* then the next one reserves the tree */

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
	unsigned long step = order == PAIR_ORDER ? 2 : 1;
	unsigned long child = from_row / CHILD_ROWS / step * step;

	if (child < first || child >= end) {
		child = first;
		from_row = 0;
	}
	for (unsigned long seen = first; seen < end; seen += step) {
		unsigned long pfn = child_get(z, child, order,
					      from_row % CHILD_ROWS);

		if (pfn != PFN_NONE)
			return pfn;
		from_row = 0;
		child += step;
		if (child >= end)
			child = first;
	}
	return PFN_NONE;
}

/* Take all that a tree counts, if that is enough; what was taken. */
static uint32_t tree_empty(_Atomic uint32_t *tree, uint32_t least)
{
	uint32_t word = atomic_load(tree);

	do {
		if (tree_free(word) < least)
			return 0;
	} while (!atomic_compare_exchange_weak(tree, &word, word & ~TREE_FREE));
	return tree_free(word);
}

static void tree_raise(struct llfree_zone *z, unsigned long tree, uint32_t nr)
{
	uint32_t word = atomic_load(&z->trees[tree]);
	uint32_t raised;

	COST_NOW(tree_levels, 1);
	do {
		raised = word & TREE_RESERVED ? word + nr :
			 tree_word(z, tree_free(word) + nr, tree_class(word));
	} while (!atomic_compare_exchange_weak(&z->trees[tree], &word, raised));
}

/* A tree that is not reserved has a page of this class now. */
static void tree_join(struct llfree_zone *z, unsigned long tree,
		      enum tree_class class)
{
	uint32_t word = atomic_load(&z->trees[tree]);

	while (tree_class(word) > class &&
	       !atomic_compare_exchange_weak(&z->trees[tree], &word,
					     tree_word(z, tree_free(word), class)))
		;
}

/* --- reservations ----------------------------------------------------- */

/* A reservation ends: what its word counted goes back to the tree. */
static void unreserve(struct llfree_zone *z, unsigned long word,
		      enum tree_class class)
{
	_Atomic uint32_t *tree;
	uint32_t was, now;

	if (!(word & LOCAL_PRESENT))
		return;
	tree = &z->trees[word >> LOCAL_TREE_SHIFT];
	was = atomic_load(tree);
	do {
		assert(was & TREE_RESERVED);
		now = tree_word(z, tree_free(was) + (uint32_t)(word & LOCAL_FREE),
				class);
	} while (!atomic_compare_exchange_weak(tree, &was, now));
}

/* A tree whose counter was emptied for this CPU replaces what it had. */
static void local_swap(struct llfree_zone *z, struct local *local,
		       enum tree_class class, unsigned long tree,
		       unsigned long nr_free)
{
	unsigned long now = local_word(tree, nr_free);

	unreserve(z, atomic_exchange(&local->word[class], now), class);
}

/* Pages of a tree are free again; false unless one of the CPU's words counts it. */
static bool local_raise(struct local *local, unsigned long tree, uint32_t nr)
{
	COST_NOW(tree_levels, 1);
	for (int class = 0; class < NR_CLASSES; class++) {
		unsigned long word = atomic_load(&local->word[class]);

		while (local_has(word, tree))
			if (atomic_compare_exchange_weak(&local->word[class],
							 &word, word + nr))
				return true;
	}
	return false;
}

/* Lower a word, with what others freed into its tree if need be. */
static bool local_lower(struct llfree_zone *z, _Atomic unsigned long *local,
			uint32_t nr, unsigned long *tree)
{
	unsigned long word = atomic_load(local);

	COST_NOW(tree_levels, 1);
	while (word & LOCAL_PRESENT) {
		uint32_t more;

		*tree = word >> LOCAL_TREE_SHIFT;
		if ((word & LOCAL_FREE) >= nr) {
			if (atomic_compare_exchange_weak(local, &word, word - nr))
				return true;
			continue;
		}
		more = tree_empty(&z->trees[*tree],
				  nr - (uint32_t)(word & LOCAL_FREE));
		if (!more)
			return false;
		while (local_has(word, *tree))
			if (atomic_compare_exchange_weak(local, &word, word + more)) {
				word += more;
				more = 0;
				break;
			}
		if (more)
			tree_raise(z, *tree, more);
	}
	return false;
}

static unsigned long local_get(struct llfree_zone *z, struct local *local,
			       enum tree_class class, unsigned int order)
{
	_Atomic unsigned long *row = &local->row[class];
	unsigned long tree, pfn;

	if (!local_lower(z, &local->word[class], 1U << order, &tree))
		return PFN_NONE;
	pfn = tree_get(z, tree, order,
		       atomic_load_explicit(row, memory_order_relaxed));
	if (pfn == PFN_NONE)
		tree_raise(z, tree, 1U << order);
	else
		atomic_store_explicit(row, (pfn - z->base_pfn) / ROW_PAGES,
				      memory_order_relaxed);
	return pfn;
}

/* --- the search for a tree -------------------------------------------- */

struct request {
	unsigned int order;
	enum tree_class class;
	unsigned long cpu;
};

/* Trees that will do: pages free, and classes, from the first to the last. */
struct fit {
	uint32_t least, most;
	enum tree_class first, last;
};

static bool fits(const struct fit *fit, uint32_t word)
{
	return !(word & TREE_RESERVED) &&
	       tree_free(word) >= fit->least && tree_free(word) <= fit->most &&
	       tree_class(word) >= fit->first && tree_class(word) <= fit->last;
}

/* From one tree, if it fits and has such a block: then it is the CPU's. */
static unsigned long take_from(struct llfree_zone *z, const struct request *req,
			       unsigned long tree, const struct fit *fit)
{
	uint32_t nr = 1U << req->order, word = atomic_load(&z->trees[tree]), left;
	enum tree_class class;
	unsigned long pfn;

	COST_NOW(tree_levels, 1);
	do {
		if (!fits(fit, word))
			return PFN_NONE;
		class = min_t(enum tree_class, req->class, tree_class(word));
		left = z->locals ? tree_word(z, 0, class) | TREE_RESERVED :
				   word - nr;
	} while (!atomic_compare_exchange_weak(&z->trees[tree], &word, left));

	pfn = tree_get(z, tree, req->order, 0);
	if (!z->locals) {
		if (pfn == PFN_NONE)
			tree_raise(z, tree, nr);
		else
			tree_join(z, tree, class);
	} else if (pfn == PFN_NONE) {
		unreserve(z, local_word(tree, tree_free(word)), tree_class(word));
	} else {
		local_swap(z, &z->locals[req->cpu], class, tree,
			   tree_free(word) - nr);
	}
	return pfn;
}

/* From one of nr trees around a place, before and after it in turn. */
static unsigned long search(struct llfree_zone *z, const struct request *req,
			    unsigned long start, unsigned long nr, struct fit fit)
{
	fit.least = max_t(uint32_t, fit.least, 1U << req->order);
	for (unsigned long i = 0; i < nr && fit.least <= fit.most; i++) {
		unsigned long off = (i + 1) / 2, tree, pfn;

		if (i % 2)
			tree = start >= off ? start - off : start + z->nr_trees - off;
		else
			tree = start + off < z->nr_trees ? start + off :
							   start + off - z->nr_trees;
		pfn = take_from(z, req, tree, &fit);
		if (pfn != PFN_NONE)
			return pfn;
	}
	return PFN_NONE;
}

/* From a tree of the request's class, or one that is wholly free. */
static unsigned long search_class(struct llfree_zone *z,
				  const struct request *req, unsigned long start)
{
	const enum tree_class class = req->class;
	const uint32_t all = tree_pages(z);
	const unsigned long around = start / z->vicinity * z->vicinity;
	const unsigned long near = z->near, far = z->nr_trees;
	const struct { unsigned long nr; struct fit fit; } steps[] = {
		{ near, { all / 64, all / 2 - 1,  class,      class } },
		{ near, { all / 2,  all - 1,      class,      class } },
		{ near, { 1,        all / 64 - 1, class,      class } },
		{ far,  { 1,        all - 1,      class,      class } },
		{ far,  { all,      all,          CLASS_HUGE, CLASS_HUGE } },
	};
	unsigned long pfn = PFN_NONE;

	if (class == CLASS_HUGE)
		return search(z, req, around, far,
			      (struct fit){ 1, all, class, class });
	for (size_t i = 0; i < ARRAY_SIZE(steps) && pfn == PFN_NONE; i++)
		pfn = search(z, req, around, steps[i].nr, steps[i].fit);
	return pfn;
}

/* From a tree of a class above, or below, or from what any CPU has reserved. */
static unsigned long search_all(struct llfree_zone *z, const struct request *req,
				unsigned long start)
{
	const uint32_t all = tree_pages(z);
	unsigned long pfn = PFN_NONE;

	if (req->class < CLASS_HUGE)
		pfn = search(z, req, start, z->nr_trees,
			     (struct fit){ 1, all, req->class + 1, CLASS_HUGE });
	if (pfn == PFN_NONE && req->class > 0)
		pfn = search(z, req, start, z->nr_trees,
			     (struct fit){ 1, all, 0, req->class - 1 });
	for (unsigned long i = 0; z->locals && i < z->nr_cpus; i++)
		for (int class = 0; class < NR_CLASSES && pfn == PFN_NONE; class++)
			pfn = local_get(z, &z->locals[(req->cpu + i) % z->nr_cpus],
					(enum tree_class)class, req->order);
	return pfn;
}

static unsigned long zone_get(struct llfree_zone *z, const struct request *req)
{
	unsigned long start = z->nr_trees / z->nr_cpus * req->cpu;
	unsigned long pfn;

	if (z->locals) {
		struct local *local = &z->locals[req->cpu];
		unsigned long word;

		pfn = local_get(z, local, req->class, req->order);
		if (likely(pfn != PFN_NONE))
			return pfn;
		word = atomic_load(&local->word[req->class]);
		if (word & LOCAL_PRESENT)
			start = word >> LOCAL_TREE_SHIFT;
	}
	pfn = search_class(z, req, start);
	return pfn != PFN_NONE ? pfn : search_all(z, req, start);
}

/* --- the calls -------------------------------------------------------- */

static enum tree_class class_of(const struct alloc_req *req)
{
	if (req->order >= CHILD_ORDER)
		return CLASS_HUGE;
	return req->migratetype == MIGRATE_MOVABLE ? CLASS_MOVABLE : CLASS_UNMOVABLE;
}

static unsigned long llfree_alloc(struct allocator *a,
				  const struct alloc_req *req)
{
	struct llfree *l = to_llfree(a);
	struct request r = { req->order, class_of(req), req->cpu };
	unsigned long pfn = PFN_NONE;

	for (unsigned int i = min_t(unsigned int, req->zone_limit + 1, l->nr_zones);
	     i-- > 0 && pfn == PFN_NONE;)
		pfn = zone_get(&l->zones[i], &r);
	return pfn;
}

/* Whether the CPU freed into this tree FREES_IN_A_ROW times before, and last. */
static bool freed_in_a_row(struct local *local, unsigned long tree)
{
	unsigned long last = atomic_load_explicit(&local->last_freed,
						  memory_order_relaxed);

	if (last / 8 == tree && last % 8 == FREES_IN_A_ROW)
		return true;
	atomic_store_explicit(&local->last_freed,
			      last / 8 == tree ? last + 1 : tree * 8 + 1,
			      memory_order_relaxed);
	return false;
}

/* Pages go back to a tree, which is the CPU's from then on. */
static bool raise_and_reserve(struct llfree_zone *z, struct local *local,
			      unsigned long tree, uint32_t nr)
{
	uint32_t word = atomic_load(&z->trees[tree]), raised;

	do {
		raised = tree_word(z, tree_free(word) + nr, tree_class(word));
		if (word & TREE_RESERVED || tree_free(raised) <= tree_pages(z) / 16)
			return false;
	} while (!atomic_compare_exchange_weak(&z->trees[tree], &word,
					       (raised & ~TREE_FREE) | TREE_RESERVED));
	local_swap(z, local, tree_class(raised), tree, tree_free(raised));
	return true;
}

static void counters_raise(struct llfree_zone *z, struct local *local,
			   unsigned long tree, uint32_t nr)
{
	bool reserve = local && z->reserve_on_free && freed_in_a_row(local, tree);

	if (local && local_raise(local, tree, nr))
		return;
	if (!reserve || !raise_and_reserve(z, local, tree, nr))
		tree_raise(z, tree, nr);
}

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

	give(z, z->locals ? &z->locals[cpu] : NULL, pfn, order);
}

static void llfree_release(struct allocator *a, unsigned long pfn,
			   unsigned int order)
{
	give(zone_of(to_llfree(a), pfn), NULL, pfn, order);
}

/* What stands there at the start, and stays in use, is of the pageblock's type. */
static void llfree_set_block_type(struct allocator *a, unsigned long pfn,
				  unsigned int migratetype)
{
	struct llfree_zone *z = zone_of(to_llfree(a), pfn);
	_Atomic uint32_t *tree = &z->trees[tree_of(z, (pfn - z->base_pfn) / CHILD_PAGES)];

	if (migratetype != MIGRATE_MOVABLE)
		atomic_store(tree, tree_word(z, tree_free(atomic_load(tree)),
					     CLASS_UNMOVABLE));
}

static bool llfree_split(struct allocator *a, unsigned long pfn,
			 unsigned int order, unsigned int new_order)
{
	struct llfree_zone *z = zone_of(to_llfree(a), pfn);
	unsigned long child = (pfn - z->base_pfn) / CHILD_PAGES;

	(void)new_order;
	for (unsigned int i = 0; order >= CHILD_ORDER && i < 1U << (order - CHILD_ORDER); i++)
		child_split(z, child + i);
	return true;
}

static void llfree_drain(struct allocator *a)
{
	struct llfree *l = to_llfree(a);

	for (unsigned int i = 0; i < l->nr_zones; i++) {
		struct llfree_zone *z = &l->zones[i];

		for (unsigned long cpu = 0; z->locals && cpu < z->nr_cpus; cpu++)
			for (int class = 0; class < NR_CLASSES; class++)
				unreserve(z, atomic_exchange(&z->locals[cpu].word[class], 0),
					  (enum tree_class)class);
	}
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
			machine_free(m, z->locals, z->nr_cpus * sizeof(*z->locals),
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

/* How far is near: a sixteenth of the trees, at least a quarter of a line of them. */
static void set_near(struct llfree_zone *z)
{
	z->near = max_t(unsigned long, z->nr_trees / 16,
			LINE_BYTES / sizeof(*z->trees) / 4);
	for (z->vicinity = 1; z->vicinity < 2 * z->near;)
		z->vicinity *= 2;
	z->near = min_t(unsigned long, z->near, z->nr_trees);
}

static bool zone_init(struct llfree_zone *z, const struct zone *zone,
		      struct machine *m)
{
	z->start_pfn = zone->start_pfn;
	z->end_pfn = zone_end_pfn(zone);
	z->base_pfn = z->start_pfn / tree_pages(z) * tree_pages(z);
	z->nr_children = div_round_up(z->end_pfn - z->base_pfn, CHILD_PAGES);
	z->nr_trees = div_round_up(z->nr_children, tree_children(z));
	z->nr_cpus = m->nr_cpus;
	set_near(z);
	z->rows = machine_alloc(m, rows_bytes(z), META_structures);
	if (!z->rows)
		return false;
	for (unsigned long row = 0; row < z->nr_children * CHILD_ROWS; row++)
		atomic_init(&z->rows[row], ~0UL);
	z->children = machine_alloc(m, children_bytes(z), META_structures);
	z->trees = machine_alloc(m, z->nr_trees * sizeof(*z->trees), META_structures);
	if (!z->children || !z->trees)
		return false;
	for (unsigned long tree = 0; tree < z->nr_trees; tree++)
		atomic_init(&z->trees[tree], tree_word(z, 0, CLASS_MOVABLE));
	if (z->nr_trees <= z->nr_cpus)
		return true;
	z->locals = machine_alloc(m, z->nr_cpus * sizeof(*z->locals), META_structures);
	return z->locals;
}

static int llfree_create(struct allocator **out, struct machine *m,
			 const struct option_set *opts, struct msg *msg)
{
	const struct layout *layout = m->layout;
	struct llfree *l = machine_alloc(m, sizeof(*l), META_structures);

	if (!l)
		return msg_set(msg, ENOMEM, "llfree: no room for its own state");
	l->base.ops = &llfree_ops;
	l->base.machine = m;
	l->nr_zones = layout->nr_zones;
	for (unsigned int i = 0; i < layout->nr_zones; i++) {
		struct llfree_zone *z = &l->zones[i];

		z->tree_shift = option_get(opts, "children") ? 5 : 3;
		z->reserve_on_free = option_get(opts, "reserve_on_free");
		if (zone_init(z, &layout->zones[i], m))
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
	{ "reserve_on_free", "off|on", "off", "a tree that a CPU has freed into five times in a row is reserved for it" },
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
	.set_block_type = llfree_set_block_type,
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
