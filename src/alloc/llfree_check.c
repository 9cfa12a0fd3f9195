/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * llfree_check.c - what LLFree has free, and its counters against its bits
 *
 *    free pages         clear bits of children that are not taken whole
 *    blocks by order    those of a buddy allocator with the same pages free:
 *                       each run of clear bits is cut at natural alignment
 *
 * To be asked while nobody allocates or frees.
 */
#include <errno.h>

#include "alloc/free_runs.h"
#include "llfree.h"

static bool page_is_free(const struct llfree_zone *z, unsigned long pfn)
{
	unsigned long page = pfn - z->base_pfn;

	return !(row_bits(z, page / ROW_PAGES) >> page % ROW_PAGES & 1);
}

void llfree_free_area(const struct allocator *a, unsigned int zone,
			     unsigned long nr_free[NR_PAGE_ORDERS])
{
	const struct llfree_zone *z = &to_const_llfree(a)->zones[zone];
	unsigned long nr_rows = z->nr_children * CHILD_ROWS;
	unsigned long pfn = z->base_pfn, run = 0;

	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		nr_free[order] = 0;
	for (unsigned long row = 0; row < nr_rows; row++, pfn += ROW_PAGES)
		run = run_count_word(nr_free, pfn, row_bits(z, row), run);
	run_count_blocks(nr_free, pfn - run, run);
}

/* What the trees and the CPUs' words count. */
static unsigned long zone_nr_free(const struct llfree_zone *z)
{
	unsigned long nr = 0;

	for (unsigned long tree = 0; tree < z->nr_trees; tree++)
		nr += tree_free(atomic_load(&z->trees[tree]));
	for (unsigned int cpu = 0; z->locals && cpu < z->nr_cpus; cpu++)
		for (int class = 0; class < NR_CLASSES; class++)
			nr += atomic_load(&z->locals[cpu].word[class]) & LOCAL_FREE;
	return nr;
}

void llfree_counts(const struct allocator *a, unsigned int zone,
			  struct page_counts *counts)
{
	*counts = (struct page_counts){
		.free = zone_nr_free(&to_const_llfree(a)->zones[zone]),
	};
}

void llfree_query(const struct allocator *a, unsigned long pfn,
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
	unsigned long first = tree << z->tree_shift;

	*sum = 0;
	for (unsigned long child = first; child < first + tree_children(z) &&
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

/* Words that name a tree, by class; what they count is added. */
static void tree_holders(const struct llfree_zone *z, unsigned long tree,
			 unsigned int holders[NR_CLASSES], unsigned long *nr_free)
{
	for (unsigned int cpu = 0; z->locals && cpu < z->nr_cpus; cpu++) {
		for (int class = 0; class < NR_CLASSES; class++) {
			unsigned long local = atomic_load(&z->locals[cpu].word[class]);

			if (!local_has(local, tree))
				continue;
			*nr_free += local & LOCAL_FREE;
			holders[class]++;
		}
	}
}

static int verify_tree(const struct llfree_zone *z, const struct zone *zone,
		       unsigned long tree, struct msg *msg)
{
	uint32_t word = atomic_load(&z->trees[tree]);
	unsigned long nr_free = tree_free(word), sum;
	unsigned int holders[NR_CLASSES] = { 0 };
	int err = verify_children(z, zone, tree, &sum, msg);

	if (err)
		return err;
	if (tree_class(word) >= NR_CLASSES)
		return msg_set(msg, EUCLEAN, "zone %s: tree %lu is of class %d",
			       zone->name, tree, (int)tree_class(word));
	tree_holders(z, tree, holders, &nr_free);
	for (unsigned int class = 0; class < NR_CLASSES; class++)
		if (holders[class] != (word & TREE_RESERVED && class == tree_class(word)))
			return msg_set(msg, EUCLEAN,
				       "zone %s: tree %lu is %sreserved, of class %u, and %u CPUs hold it as one of class %u",
				       zone->name, tree,
				       word & TREE_RESERVED ? "" : "not ",
				       (unsigned int)tree_class(word), holders[class], class);
	if (nr_free != sum)
		return msg_set(msg, EUCLEAN,
			       "zone %s: tree %lu and its CPU count %lu free pages, its children %lu",
			       zone->name, tree, nr_free, sum);
	return 0;
}

int llfree_verify(const struct allocator *a, struct msg *msg)
{
	const struct layout *l = a->machine->layout;
	const struct llfree *ll = to_const_llfree(a);

	for (unsigned int i = 0; i < ll->nr_zones; i++) {
		const struct llfree_zone *z = &ll->zones[i];
		unsigned long last = z->base_pfn + z->nr_children * CHILD_PAGES;

		for (unsigned long tree = 0; tree < z->nr_trees; tree++) {
			int err = verify_tree(z, &l->zones[i], tree, msg);

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

static uint64_t local_fingerprint(uint64_t hash, const struct local *local)
{
	for (int class = 0; class < NR_CLASSES; class++) {
		hash = fingerprint_mix(hash, atomic_load(&local->word[class]) & ~LOCAL_FREE);
		hash = fingerprint_mix(hash, atomic_load(&local->row[class]));
	}
	return fingerprint_mix(hash, atomic_load(&local->last_freed));
}

/*
 * Of a reserved tree's pages, how many its own word counts and how many the CPU's
 * decides nothing: the CPU takes over what it lacks.
 */
uint64_t llfree_fingerprint(const struct allocator *a)
{
	const struct llfree *l = to_const_llfree(a);
	uint64_t hash = 0;

	for (unsigned int i = 0; i < l->nr_zones; i++) {
		const struct llfree_zone *z = &l->zones[i];

		for (unsigned long row = 0; row < z->nr_children * CHILD_ROWS; row++)
			hash = fingerprint_mix(hash, atomic_load(&z->rows[row]));
		for (unsigned long c = 0; c < z->nr_children; c++)
			hash = fingerprint_mix(hash, atomic_load(child_of(z, c)));
		for (unsigned long tree = 0; tree < z->nr_trees; tree++)
			hash = fingerprint_mix(hash, atomic_load(&z->trees[tree]) & ~TREE_FREE);
		for (unsigned long cpu = 0; z->locals && cpu < z->nr_cpus; cpu++)
			hash = local_fingerprint(hash, &z->locals[cpu]);
	}
	return hash;
}
