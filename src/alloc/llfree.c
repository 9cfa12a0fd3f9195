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
 *    order 0 to 6   one compare-and-swap on a row of 64 bits (5 in 32)
 *    order 7, 8     several rows, undone if one of them is lost
 *    order 9        the child's word: taken whole, its bits stay clear
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
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>

#include "alloc/allocator.h"
#include "alloc/free_runs.h"

#define CHILD_ORDER 9
#define CHILD_PAGES (1UL << CHILD_ORDER)
#define ROW_PAGES (8 * sizeof(unsigned long))
#define ROW_ORDER (sizeof(unsigned long) == 8 ? 6U : 5U)
#define CHILD_ROWS (CHILD_PAGES / ROW_PAGES)
#define LINE_BYTES 64UL
#define LLFREE_MAX_ORDER (MAX_PAGE_ORDER < CHILD_ORDER ? MAX_PAGE_ORDER : CHILD_ORDER)

#define NEARBY 8			/* trees compared before the first fit is taken */

/* A child: bit 15 taken whole, bits 0-14 free pages. */
#define CHILD_WHOLE 0x8000U

/* A tree: bit 31 reserved, bits 0-30 free pages, those of its CPU left out. */
#define TREE_RESERVED 0x80000000U

/* A CPU's word: bits 0-14 free pages, bit 15 present, tree above. */
#define LOCAL_FREE 0x7fffUL
#define LOCAL_PRESENT 0x8000UL
#define LOCAL_TREE_SHIFT 16

extern const struct allocator_ops llfree_ops;

struct local {
	_Alignas(LINE_BYTES) _Atomic unsigned long word;
	_Atomic unsigned long row;	/* where the last search ended: a hint */
};

struct llfree_zone {
	unsigned long start_pfn;	/* set at create, as is all here */
	unsigned long end_pfn;
	unsigned long base_pfn;		/* of child 0 */
	unsigned long nr_children;
	unsigned long nr_trees;
	unsigned long tree_children;
	_Atomic unsigned long *rows;	/* 1: in use, reserved, or no page */
	_Atomic uint16_t *children;	/* child_stride for each tree */
	unsigned long child_stride;	/* tree_children, rounded up to a line */
	_Atomic uint32_t *trees;
	struct local *locals;		/* one for each CPU */
};

struct llfree {
	struct allocator base;
	unsigned int nr_zones;
	struct llfree_zone zones[MAX_NR_ZONES];
};

static struct llfree *to_llfree(struct allocator *a)
{
	return container_of(a, struct llfree, base);
}

static const struct llfree *to_const_llfree(const struct allocator *a)
{
	return (const struct llfree *)((const char *)a -
				       offsetof(struct llfree, base));
}

static struct llfree_zone *zone_of(struct llfree *l, unsigned long pfn)
{
	unsigned int i = l->nr_zones - 1;

	while (pfn < l->zones[i].start_pfn)
		i--;
	return &l->zones[i];
}

static _Atomic uint16_t *child_of(const struct llfree_zone *z, unsigned long child)
{
	return &z->children[child / z->tree_children * z->child_stride +
			    child % z->tree_children];
}

static unsigned long tree_of(const struct llfree_zone *z, unsigned long child)
{
	return child / z->tree_children;
}

static unsigned long local_word(unsigned long tree, unsigned long nr_free)
{
	assert(nr_free <= LOCAL_FREE);
	return tree << LOCAL_TREE_SHIFT | LOCAL_PRESENT | nr_free;
}

static bool local_has(unsigned long word, unsigned long tree)
{
	return (word & LOCAL_PRESENT) && word >> LOCAL_TREE_SHIFT == tree;
}

/* --- bitfields -------------------------------------------------------- */

/*
 * Place of an aligned group of 2^order clear bits, or ROW_PAGES.
 *
 *    bits   0110 0000     order 1: after or-ing with itself shifted by 1, a
 *    or     0111 0000     clear bit at an even place begins such a group
 */
static unsigned int find_clear(unsigned long bits, unsigned int order)
{
	unsigned long starts = ~0UL;

	for (unsigned int o = 0; o < order; o++)
		bits |= bits >> (1U << o);
	if (order)
		starts /= (1UL << (1U << order) % ROW_PAGES) - 1;
	starts &= ~bits;
	return starts ? lowest_bit(starts) : ROW_PAGES;
}

/* 2^order ones; a whole row from ROW_ORDER on. */
static unsigned long group_mask(unsigned int order)
{
	return order >= ROW_ORDER ? ~0UL : (1UL << (1U << order)) - 1;
}

/* Claim a group in one row; its place, or ROW_PAGES. */
static unsigned int row_claim(_Atomic unsigned long *row, unsigned int order)
{
	unsigned long bits = atomic_load(row);

	for (;;) {
		unsigned int place = order == ROW_ORDER ?
				     (bits ? ROW_PAGES : 0) :
				     find_clear(bits, order);

		COST_NOW(bits_scanned, ROW_PAGES);
		if (place == ROW_PAGES ||
		    atomic_compare_exchange_weak(row, &bits,
						 bits | group_mask(order) << place))
			return place;
	}
}

/* Claim nr whole rows, or none of them. */
static bool rows_claim(_Atomic unsigned long *rows, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		unsigned long none = 0;

		COST_NOW(bits_scanned, ROW_PAGES);
		if (atomic_compare_exchange_strong(&rows[i], &none, ~0UL))
			continue;
		while (i--)
			atomic_store(&rows[i], 0);
		return false;
	}
	return true;
}

/* Claim 2^order pages of a child, from a row on; the page in it, or CHILD_PAGES. */
static unsigned long child_claim_bits(_Atomic unsigned long *rows,
				      unsigned int order, unsigned long from)
{
	unsigned int step = order > ROW_ORDER ? 1U << (order - ROW_ORDER) : 1;

	for (unsigned long i = 0; i < CHILD_ROWS; i += step) {
		unsigned long row = (from / step * step + i) % CHILD_ROWS;
		unsigned int place;

		if (order > ROW_ORDER) {
			if (rows_claim(&rows[row], step))
				return row * ROW_PAGES;
			continue;
		}
		place = row_claim(&rows[row], order);
		if (place < ROW_PAGES)
			return row * ROW_PAGES + place;
	}
	return CHILD_PAGES;
}

static void child_clear_bits(_Atomic unsigned long *rows, unsigned long page,
			     unsigned int order)
{
	unsigned long row = page / ROW_PAGES;

	if (order < ROW_ORDER) {
		unsigned long mask = group_mask(order) << page % ROW_PAGES;
		unsigned long was = atomic_fetch_and(&rows[row], ~mask);

		assert((was & mask) == mask);
		(void)was;
		return;
	}
	for (unsigned long i = 0; i < 1UL << (order - ROW_ORDER); i++) {
		unsigned long was = atomic_exchange(&rows[row + i], 0);

		assert(was == ~0UL);
		(void)was;
	}
}

/* --- children --------------------------------------------------------- */

/* Lower a child's counter, or take it whole. */
static bool child_lower(_Atomic uint16_t *child, unsigned int order)
{
	uint16_t word = atomic_load(child);
	uint16_t lowered;

	COST_NOW(tree_levels, 1);
	do {
		if (word & CHILD_WHOLE || word < 1U << order)
			return false;
		lowered = (uint16_t)(order == CHILD_ORDER ? CHILD_WHOLE :
				     word - (1U << order));
	} while (!atomic_compare_exchange_weak(child, &word, lowered));
	return true;
}

static unsigned long child_get(struct llfree_zone *z, unsigned long child,
			       unsigned int order, unsigned long from_row)
{
	unsigned long page;

	if (!child_lower(child_of(z, child), order))
		return PFN_NONE;
	if (order == CHILD_ORDER)
		return z->base_pfn + child * CHILD_PAGES;
	page = child_claim_bits(&z->rows[child * CHILD_ROWS], order, from_row);
	if (page < CHILD_PAGES)
		return z->base_pfn + child * CHILD_PAGES + page;
	atomic_fetch_add(child_of(z, child), (uint16_t)(1U << order));
	return PFN_NONE;
}

static void child_put(struct llfree_zone *z, unsigned long page,
		      unsigned int order)
{
	unsigned long child = page / CHILD_PAGES;
	_Atomic uint16_t *word = child_of(z, child);
	uint16_t whole = CHILD_WHOLE;

	COST_NOW(tree_levels, 1);
	if (order == CHILD_ORDER &&
	    atomic_compare_exchange_strong(word, &whole, (uint16_t)CHILD_PAGES))
		return;
	child_clear_bits(&z->rows[child * CHILD_ROWS], page % CHILD_PAGES, order);
	atomic_fetch_add(word, (uint16_t)(1U << order));
}

/* --- trees ------------------------------------------------------------ */

/* Pages were promised by the tree's counter: find them, from a row on. */
static unsigned long tree_get(struct llfree_zone *z, unsigned long tree,
			      unsigned int order, unsigned long from_row)
{
	unsigned long first = tree * z->tree_children;
	unsigned long nr = min_t(unsigned long, z->tree_children,
				 z->nr_children - first);
	unsigned long hint = from_row / CHILD_ROWS;
	unsigned long start = hint - first < nr ? hint - first : 0;

	for (unsigned long i = 0; i < nr; i++) {
		unsigned long child = first + (start + i) % nr;
		unsigned long pfn = child_get(z, child, order,
					      i ? 0 : from_row % CHILD_ROWS);

		if (pfn != PFN_NONE)
			return pfn;
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
	return word < z->tree_children * CHILD_PAGES;
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

/* A child that was taken whole is described by bits from now on. */
static bool llfree_split(struct allocator *a, unsigned long pfn,
			 unsigned int order, unsigned int new_order)
{
	struct llfree_zone *z = zone_of(to_llfree(a), pfn);
	unsigned long child = (pfn - z->base_pfn) / CHILD_PAGES;

	(void)new_order;
	if (order < CHILD_ORDER ||
	    !(atomic_load(child_of(z, child)) & CHILD_WHOLE))
		return true;
	for (unsigned long i = 0; i < CHILD_ROWS; i++)
		atomic_store(&z->rows[child * CHILD_ROWS + i], ~0UL);
	atomic_store(child_of(z, child), 0);
	return true;
}

static void llfree_drain(struct allocator *a)
{
	struct llfree *l = to_llfree(a);

	for (unsigned int i = 0; i < l->nr_zones; i++)
		drain_locals(&l->zones[i], a->machine->nr_cpus);
}

/* --- questions -------------------------------------------------------- */

/* The bits of a row as they are meant: a child taken whole has none clear. */
static unsigned long row_bits(const struct llfree_zone *z, unsigned long row)
{
	if (atomic_load(child_of(z, row / CHILD_ROWS)) & CHILD_WHOLE)
		return ~0UL;
	return atomic_load(&z->rows[row]);
}

static bool page_is_free(const struct llfree_zone *z, unsigned long pfn)
{
	unsigned long page = pfn - z->base_pfn;

	return !(row_bits(z, page / ROW_PAGES) >> page % ROW_PAGES & 1);
}

static void llfree_free_area(const struct allocator *a, unsigned int zone,
			     unsigned long nr_free[NR_PAGE_ORDERS])
{
	const struct llfree_zone *z = &to_const_llfree(a)->zones[zone];
	unsigned long nr_rows = z->nr_children * CHILD_ROWS;
	unsigned long pfn = z->base_pfn, run = 0;

	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		nr_free[order] = 0;
	for (unsigned long row = 0; row < nr_rows; row++, pfn += ROW_PAGES) {
		unsigned long bits = row_bits(z, row);

		if (!bits) {
			run += ROW_PAGES;
			continue;
		}
		for (unsigned int bit = 0; bit < ROW_PAGES; bit++) {
			if (!(bits >> bit & 1)) {
				run++;
				continue;
			}
			run_count_blocks(nr_free, pfn + bit - run, run);
			run = 0;
		}
	}
	run_count_blocks(nr_free, pfn - run, run);
}

/* What the trees and the CPUs' words count. */
static unsigned long zone_nr_free(const struct llfree_zone *z,
				  unsigned int nr_cpus)
{
	unsigned long nr = 0;

	for (unsigned long tree = 0; tree < z->nr_trees; tree++)
		nr += atomic_load(&z->trees[tree]) & ~TREE_RESERVED;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		nr += atomic_load(&z->locals[cpu].word) & LOCAL_FREE;
	return nr;
}

static void llfree_counts(const struct allocator *a, unsigned int zone,
			  struct page_counts *counts)
{
	*counts = (struct page_counts){
		.free = zone_nr_free(&to_const_llfree(a)->zones[zone],
				     a->machine->nr_cpus),
	};
}

static void llfree_query(const struct allocator *a, unsigned long pfn,
			 struct page_info *info)
{
	int zone = layout_zone_of(a->machine->layout, pfn);

	*info = (struct page_info){ PAGE_STATE_RESERVED, PFN_NONE, 0 };
	if (zone < 0)
		return;
	info->state = page_is_free(&to_const_llfree(a)->zones[zone], pfn) ?
		      PAGE_STATE_FREE : PAGE_STATE_USED;
}

/* Children against bits; returns the sum of their counters. */
static int verify_children(const struct llfree_zone *z, const struct zone *zone,
			   unsigned long tree, unsigned long *sum,
			   struct msg *msg)
{
	unsigned long first = tree * z->tree_children;

	*sum = 0;
	for (unsigned long child = first; child < first + z->tree_children &&
	     child < z->nr_children; child++) {
		unsigned int word = atomic_load(child_of(z, child));
		unsigned long set = 0;

		for (unsigned long row = 0; row < CHILD_ROWS; row++)
			set += (unsigned long)__builtin_popcountl(
				atomic_load(&z->rows[child * CHILD_ROWS + row]));
		if (word & CHILD_WHOLE ? set || word != CHILD_WHOLE :
					 word != CHILD_PAGES - set)
			return msg_set(msg, EUCLEAN,
				       "zone %s: child %lu says %#x, its bits that %lu pages are free",
				       zone->name, child, word, CHILD_PAGES - set);
		*sum += word & ~CHILD_WHOLE;
	}
	return 0;
}

static int verify_tree(const struct llfree_zone *z, const struct zone *zone,
		       unsigned int nr_cpus, unsigned long tree, struct msg *msg)
{
	uint32_t word = atomic_load(&z->trees[tree]);
	unsigned long nr_free = word & ~TREE_RESERVED, sum;
	unsigned int holders = 0;
	int err = verify_children(z, zone, tree, &sum, msg);

	if (err)
		return err;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		unsigned long local = atomic_load(&z->locals[cpu].word);

		if (!local_has(local, tree))
			continue;
		nr_free += local & LOCAL_FREE;
		holders++;
	}
	if (holders != !!(word & TREE_RESERVED))
		return msg_set(msg, EUCLEAN,
			       "zone %s: tree %lu is %sreserved, and %u CPUs hold it",
			       zone->name, tree,
			       word & TREE_RESERVED ? "" : "not ", holders);
	if (nr_free != sum)
		return msg_set(msg, EUCLEAN,
			       "zone %s: tree %lu and its CPU count %lu free pages, its children %lu",
			       zone->name, tree, nr_free, sum);
	return 0;
}

static int llfree_verify(const struct allocator *a, struct msg *msg)
{
	const struct layout *l = a->machine->layout;
	const struct llfree *ll = to_const_llfree(a);

	for (unsigned int i = 0; i < ll->nr_zones; i++) {
		const struct llfree_zone *z = &ll->zones[i];
		unsigned long last = z->base_pfn + z->nr_children * CHILD_PAGES;

		for (unsigned long tree = 0; tree < z->nr_trees; tree++) {
			int err = verify_tree(z, &l->zones[i], a->machine->nr_cpus,
					      tree, msg);

			if (err)
				return err;
		}
		for (unsigned long pfn = z->base_pfn; pfn < last; pfn++)
			if (page_is_free(z, pfn) &&
			    (pfn < z->start_pfn || pfn >= z->end_pfn ||
			     !layout_page_exists(l, pfn)))
				return msg_set(msg, EUCLEAN,
					       "zone %s: pfn %#lx is free and does not exist",
					       l->zones[i].name, pfn);
	}
	return 0;
}

static uint64_t hash_mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

static uint64_t llfree_fingerprint(const struct allocator *a)
{
	const struct llfree *l = to_const_llfree(a);
	uint64_t hash = 0;

	for (unsigned int i = 0; i < l->nr_zones; i++) {
		const struct llfree_zone *z = &l->zones[i];

		for (unsigned long row = 0; row < z->nr_children * CHILD_ROWS; row++)
			hash = hash_mix(hash, atomic_load(&z->rows[row]));
		for (unsigned long c = 0; c < z->nr_children; c++)
			hash = hash_mix(hash, atomic_load(child_of(z, c)));
		for (unsigned long tree = 0; tree < z->nr_trees; tree++)
			hash = hash_mix(hash, atomic_load(&z->trees[tree]));
		for (unsigned int cpu = 0; cpu < a->machine->nr_cpus; cpu++) {
			hash = hash_mix(hash, atomic_load(&z->locals[cpu].word));
			hash = hash_mix(hash, atomic_load(&z->locals[cpu].row));
		}
	}
	return hash;
}

/* --- life ------------------------------------------------------------- */

static uint64_t rows_bytes(const struct llfree_zone *z)
{
	return (uint64_t)z->nr_children * (CHILD_PAGES / 8);
}

static uint64_t children_bytes(const struct llfree_zone *z)
{
	return (uint64_t)z->nr_trees * z->child_stride * sizeof(uint16_t);
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
		      unsigned long tree_children, struct machine *m)
{
	z->start_pfn = zone->start_pfn;
	z->end_pfn = zone_end_pfn(zone);
	z->base_pfn = z->start_pfn / CHILD_PAGES * CHILD_PAGES;
	z->nr_children = div_round_up(z->end_pfn - z->base_pfn, CHILD_PAGES);
	z->tree_children = tree_children;
	z->child_stride = round_up_to(tree_children, LINE_BYTES / sizeof(uint16_t));
	z->nr_trees = div_round_up(z->nr_children, tree_children);
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
	unsigned long tree_children = option_get(opts, "children") ? 32 : 8;
	struct llfree *l = machine_alloc(m, sizeof(*l), META_structures);

	if (!l)
		return msg_set(msg, ENOMEM, "llfree: no room for its own state");
	l->base.ops = &llfree_ops;
	l->base.machine = m;
	l->nr_zones = layout->nr_zones;
	for (unsigned int i = 0; i < layout->nr_zones; i++) {
		if (zone_init(&l->zones[i], &layout->zones[i], tree_children, m))
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
