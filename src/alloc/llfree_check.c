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

void llfree_counts(const struct allocator *a, unsigned int zone,
			  struct page_counts *counts)
{
	*counts = (struct page_counts){
		.free = zone_nr_free(&to_const_llfree(a)->zones[zone],
				     a->machine->nr_cpus),
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

int llfree_verify(const struct allocator *a, struct msg *msg)
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
			hash = fingerprint_mix(hash, atomic_load(&z->trees[tree]));
		for (unsigned int cpu = 0; cpu < a->machine->nr_cpus; cpu++) {
			hash = fingerprint_mix(hash, atomic_load(&z->locals[cpu].word));
			hash = fingerprint_mix(hash, atomic_load(&z->locals[cpu].row));
		}
	}
	return hash;
}
