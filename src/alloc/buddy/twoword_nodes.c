/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * twoword_nodes.c - the pages that are leaves: where they come from, move to, go
 *
 *    free pages --- taken, absorbed, peeled --> leaf of a list
 *        ^                                      |  ^  |
 *        |                            empties   |  '--' relocated
 *        '-- freed at the end <--- pending <----'
 *                     of an operation    \--> stash (one page)
 *
 * In which order pages are asked for, and why all of this ends, stands at the
 * head of twoword.c.
 *
 * Half full, time to linked's, with leaves that are free pages and with leaves set
 * aside (nodes=boot): at 64 GiB a1 0.82 and 0.82, aB 0.61 and 0.59, c 0.86 and 0.84,
 * b_free 0.97 and 0.90; at 4 GiB a1 0.57 and 0.58, aB 0.80 and 0.63, c 0.83 and 0.88,
 * b_free 0.89 and 0.81 (medians of three and six runs of `pagetax bench -a
 * linked,twoword,twoword:nodes=boot --memory 64G --occupancy 50 --highmem none
 * --pattern a1,aB,aW,c,b --ops 1000000 --repeats 3`, in each another allocator
 * first; at 4G with 4000000).
 */
#include "twoword.h"

#define SUBSTITUTES_TRIED 16	/* entries looked at for a page whose buddy is no node */

/* --- node pages ------------------------------------------------------- */

static struct node_ref ref_of(const struct twoword *tw, unsigned long pfn)
{
	struct machine *m = tw->buddy.base.machine;
	bool high = machine_page_is_high(m, pfn);

	if (tw->nodes == NODES_HIGHMEM || (tw->nodes == NODES_ANY && high))
		return node_ref_high(pfn);
	return node_ref_low(high ? physmem_view(&m->physmem, pfn) :
				   machine_lowmem(m, pfn));
}

unsigned long twoword_node_pfn(const struct twoword *tw, struct node_ref ref)
{
	if (node_ref_is_high(ref))
		return node_ref_pfn(ref);
	return physmem_pfn_at(&tw->buddy.base.machine->physmem,
			      (const void *)ref.bits);
}

/* A page is no node any more. */
static void node_left(struct twoword_zone *tz, unsigned long pfn)
{
	struct allocator *a = &tz->tw->buddy.base;

	tz->unsettled = true;
	tz->nr_nodes--;
	a->stats.nodes--;
	a->stats.released++;
	machine_uncharge_page(a->machine, pfn);
}

/* Interior nodes come at create, from the arena. */
static struct node_ref interior_get(struct twoword_zone *tz, size_t bytes)
{
	void *node = machine_alloc(tz->tw->buddy.base.machine, bytes, META_structures);

	return node ? node_ref_low(node) : NODE_REF_NONE;
}

static void interior_put(struct twoword_zone *tz, struct node_ref ref, size_t bytes)
{
	machine_free(tz->tw->buddy.base.machine, (void *)ref.bits, bytes,
		     META_structures);
}

/* --- the pool ---------------------------------------------------------- */

/*
 * The top order's lists grow while memory comes free, when no smaller page is left
 * to carry a leaf without tearing a block of the top order apart. So their leaves
 * are set aside at create, side by side; with nodes=boot those of all lists are.
 *
 * The pool never runs dry. Of two buddy pages, one at most heads a free block, so
 * all lists together have an entry for every second page at most: a leaf for 2048
 * pages. And a list that has left its inline slots is worth so many pages that
 * few can have, in a small zone.
 */
bool twoword_make_pool(struct twoword_zone *tz, const struct deque_config *cfg,
		       unsigned int order)
{
	struct machine *m = tz->tw->buddy.base.machine;
	unsigned long left = tz->base.zone->spanned;
	unsigned long entries = order ? left >> order : left / 2 + 1;
	unsigned long shortest = deque_all_inline(cfg->nr_inline, cfg->hysteresis) + 1;
	unsigned long nr_lists = 0;

	for (; order < NR_PAGE_ORDERS; order++) {
		unsigned long nr = min_t(unsigned long, left / (shortest << order),
					 tz->base.nr_types);

		left -= nr * (shortest << order);
		nr_lists += nr;
	}
	if (!nr_lists)
		return true;
	tz->pool_bytes = (uint64_t)cfg->node_bytes *
			 deque_most_leaves(cfg, nr_lists, entries);
	tz->pool = machine_table(m, tz->pool_bytes, tz->pool_bytes, META_structures);
	return tz->pool != NULL;
}

static struct node_ref pool_get(struct node_store *store, unsigned int level,
				size_t bytes)
{
	struct twoword_zone *tz = container_of(store, struct twoword_zone, pool_store);
	void **leaf = tz->pool_free;

	if (level > 0)
		return interior_get(tz, bytes);
	if (leaf) {
		tz->pool_free = *leaf;
	} else {
		assert(tz->pool_used + bytes <= tz->pool_bytes);
		leaf = (void *)(tz->pool + tz->pool_used);
		tz->pool_used += bytes;
	}
	return node_ref_low(leaf);
}

static void pool_put(struct node_store *store, struct node_ref ref,
		     unsigned int level, size_t bytes)
{
	struct twoword_zone *tz = container_of(store, struct twoword_zone, pool_store);
	void **leaf = (void *)ref.bits;

	if (level > 0) {
		interior_put(tz, ref, bytes);
		return;
	}
	*leaf = tz->pool_free;
	tz->pool_free = leaf;
}

const struct node_store_ops twoword_pool_store_ops = {
	.get = pool_get,
	.put = pool_put,
};

/* --- pages as leaves --------------------------------------------------- */

/* Leaves are handed in. */
static struct node_ref store_get(struct node_store *store, unsigned int level,
				 size_t bytes)
{
	(void)level;
	assert(level > 0);
	return interior_get(container_of(store, struct twoword_zone, store), bytes);
}

static void chain_pending(struct twoword_zone *tz, unsigned long pfn,
			  unsigned int order)
{
	struct twoword_page *page = &tz->tw->pages[pfn];

	page->state = tw_state(TW_PENDING, order, 0, tz->base.index);
	page->word1 = tz->pending;
	tz->pending = pfn;
	tz->unsettled = true;
}

/* A leaf has emptied: it waits for the end of the operation. */
static void store_put(struct node_store *store, struct node_ref ref,
		      unsigned int level, size_t bytes)
{
	struct twoword_zone *tz = container_of(store, struct twoword_zone, store);
	unsigned long pfn;

	if (level > 0) {
		interior_put(tz, ref, bytes);
		return;
	}
	pfn = twoword_node_pfn(tz->tw, ref);
	node_left(tz, pfn);
	chain_pending(tz, pfn, 0);
}

static void *store_map(struct node_store *store, struct node_ref ref)
{
	struct twoword_zone *tz = container_of(store, struct twoword_zone, store);

	return kmap_local_forced(tz->tw->buddy.base.machine, tz->tw->cpu,
				 node_ref_pfn(ref));
}

static void store_unmap(struct node_store *store, struct node_ref ref,
			void *node)
{
	struct twoword_zone *tz = container_of(store, struct twoword_zone, store);

	(void)ref;
	kunmap_local_forced(tz->tw->buddy.base.machine, tz->tw->cpu, node);
}

const struct node_store_ops twoword_store_ops = {
	.get = store_get,
	.put = store_put,
	.map = store_map,
	.unmap = store_unmap,
};
/* --- nodes: where they come from -------------------------------------- */

/* Make the page a leaf of a list. */
static void hang_leaf(struct twoword_zone *tz, struct deque *list,
		      uint32_t leaf, unsigned long pfn)
{
	struct twoword_page *page = &tz->tw->pages[pfn];
	struct alloc_stats *stats = &tz->tw->buddy.base.stats;
	unsigned int index = (unsigned int)(list - tz->lists);

	page->state = tw_state(TW_NODE, 0, 0, tz->base.index);
	page->word1 = tw_node_word(index, leaf);
	deque_add_leaf(list, leaf, ref_of(tz->tw, pfn));
	tz->nr_nodes++;
	stats->nodes++;
	if (stats->nodes > stats->nodes_peak)
		stats->nodes_peak = stats->nodes;
	machine_charge_page(tz->tw->buddy.base.machine, pfn);
}

/* The same of a list whose leaves come from the pool. */
static void hang_pool_leaf(struct deque *list, uint32_t leaf)
{
	struct node_store *store = list->tree.store;
	struct node_ref ref = deque_take_spare(list);

	if (node_ref_is_none(ref))
		ref = store->ops->get(store, 0, list->tree.node_bytes);
	deque_add_leaf(list, leaf, ref);
}

/* The list's empty leaf, or none: it is no node any more. */
static unsigned long unhang_spare(struct twoword_zone *tz, struct deque *list)
{
	struct node_ref ref = deque_take_spare(list);
	unsigned long pfn;

	if (node_ref_is_none(ref))
		return PFN_NONE;
	pfn = twoword_node_pfn(tz->tw, ref);
	node_left(tz, pfn);
	tz->tw->pages[pfn].state.bits = 0;
	return pfn;
}

/*
 * A released single page, off the chain; the chain's blocks may be larger. One
 * whose buddy is free, or is `freed`, the block being freed now, is left
 * alone: it is about to merge.
 */
static unsigned long take_pending_page(struct twoword_zone *tz,
				       unsigned long freed)
{
	struct twoword_page *pages = tz->tw->pages;
	unsigned long prev = PFN_NONE;

	for (unsigned long pfn = tz->pending; pfn != PFN_NONE;
	     prev = pfn, pfn = pages[pfn].word1) {
		unsigned long buddy = pfn_buddy(pfn, 0);

		if (tw_order(pages[pfn].state) != 0 || buddy == freed)
			continue;
		if (buddy >= tz->base.start_pfn && buddy < tz->base.end_pfn &&
		    tw_is(pages[buddy].state, TW_FREE, 0))
			continue;
		if (prev == PFN_NONE)
			tz->pending = pages[pfn].word1;
		else
			pages[prev].word1 = pages[pfn].word1;
		pages[pfn].state.bits = 0;
		return pfn;
	}
	return PFN_NONE;
}

/* The hottest free page of order 0, off its list. */
static unsigned long take_free_page(struct twoword *tw, struct twoword_zone *tz)
{
	struct buddy_zone *z = &tz->base;

	for (unsigned int type = 0; type < z->nr_types; type++)
		if (z->nr_free[0][type])
			return buddy_pop(&twoword_repr, &tw->buddy, z, 0, type);
	return PFN_NONE;
}

/* Peel the last page off a block; the rest waits to be freed, in halves. */
static unsigned long peel(struct twoword_zone *tz, unsigned long pfn,
			  unsigned int order)
{
	while (order > 0) {
		order--;
		chain_pending(tz, pfn, order);
		pfn += 1UL << order;
	}
	return pfn;
}

/* A page for a leaf of a list that has no room for [pfn, order). */
static unsigned long find_node(struct twoword *tw, struct twoword_zone *tz,
			       struct deque *list, unsigned long pfn,
			       unsigned int order, bool *used_up)
{
	struct alloc_stats *stats = &tw->buddy.base.stats;
	unsigned long page = unhang_spare(tz, list);

	if (page == PFN_NONE)
		page = take_pending_page(tz, pfn);
	if (page == PFN_NONE && tz->stash != PFN_NONE) {
		page = tz->stash;
		tz->stash = PFN_NONE;
	}
	stats->reused += page != PFN_NONE;
	if (page == PFN_NONE && order > 0) {
		page = take_free_page(tw, tz);
		stats->taken += page != PFN_NONE;
	}
	if (page != PFN_NONE)
		return page;
	*used_up = true;
	if (order == 0) {
		stats->absorbed++;
		return pfn;
	}
	stats->peeled++;
	return peel(tz, pfn, order);
}

/* --- relocation ------------------------------------------------------- */

/*
 * A free page of order 0, off its list, to carry a node: of the coldest few,
 * one whose buddy carries no metadata itself, else any.
 */
static unsigned long take_substitute(struct twoword *tw, struct twoword_zone *tz)
{
	struct buddy_zone *z = &tz->base;

	for (unsigned int type = 0; type < z->nr_types; type++) {
		struct deque *list = list_of(z, 0, type);
		struct deque_cursor it = deque_begin(list, DEQUE_TAIL);
		unsigned long entry, best = PFN_NONE;
		uint32_t slot;

		for (int i = 0; i < SUBSTITUTES_TRIED; i++) {
			if (!deque_next(list, &it, &entry, &slot))
				break;
			best = pfn_of(z, entry);
			if (!tw_carries_metadata(tw->pages[pfn_buddy(best, 0)].state))
				break;
		}
		if (best == PFN_NONE)
			continue;
		buddy_remove(&twoword_repr, &tw->buddy, z, best, 0, type);
		return best;
	}
	return PFN_NONE;
}

/* Copy a leaf to another page and let its parent know. Two live maps. */
static void move_node(struct twoword *tw, struct twoword_zone *tz,
		      unsigned long from, unsigned long to)
{
	struct twoword_page *page = &tw->pages[from];

	deque_move_leaf(&tz->lists[tw_node_list(page->word1)],
			tw_node_leaf(page->word1), ref_of(tw, to));
	tw->pages[to] = *page;
	page->state.bits = 0;
	machine_uncharge_page(tw->buddy.base.machine, from);
	machine_charge_page(tw->buddy.base.machine, to);
	tw->buddy.base.stats.relocated++;
}

/*
 * Drop the leaf that a page carries if it is an empty one that its list's next
 * push can do without. (If it cannot, the freed page would become the same
 * list's leaf at once, and be freed again beside it, for ever.)
 *
 * That push is at the head, where what is pending goes, and needs no leaf while
 * there is an inline slot. Only a zone with a placement frees to the tail: while
 * the list stands in leaves, the next entry there may need one. All inline, it
 * needs none at either end; and until the push that ends this merge, its entries
 * can only become fewer.
 */
static bool drop_if_spare(struct twoword_zone *tz, unsigned long pfn)
{
	unsigned long word1 = tz->tw->pages[pfn].word1;
	struct deque *list = &tz->lists[tw_node_list(word1)];

	if (list->spare != tw_node_leaf(word1) || deque_inline_full(list))
		return false;
	if (tz->base.placement && list->tail != list->lo)
		return false;
	unhang_spare(tz, list);
	return true;
}

/*
 * pfn is being freed beside metadata. True when the buddy is empty-handed
 * now. Taking a substitute off its list may empty the very leaf in question:
 * then nothing is copied, and the end of the operation will join the two.
 */
bool twoword_evict(struct buddy *b, struct buddy_zone *z, unsigned long pfn,
		   unsigned long buddy)
{
	struct twoword *tw = to_twoword(b);
	struct twoword_zone *tz = to_zone(z);
	unsigned long to;

	(void)pfn;
	if (tw_kind(tw->pages[buddy].state) == TW_STASH) {
		tz->stash = PFN_NONE;
		tw->pages[buddy].state.bits = 0;
		return true;
	}
	if (drop_if_spare(tz, buddy))
		return true;
	if (!tw->relocate)
		return false;
	to = take_substitute(tw, tz);
	if (to == PFN_NONE) {
		tz->crowded = true;
		return false;
	}
	if (tw_kind(tw->pages[buddy].state) != TW_NODE) {
		chain_pending(tz, to, 0);
		return false;
	}
	if (drop_if_spare(tz, buddy)) {
		chain_pending(tz, to, 0);
		return true;
	}
	move_node(tw, tz, buddy, to);
	return true;
}

unsigned long twoword_node_beside(const struct twoword_zone *tz,
				  unsigned long pfn)
{
	unsigned long buddy = pfn_buddy(pfn, 0);

	if (buddy < tz->base.start_pfn || buddy >= tz->base.end_pfn ||
	    tw_kind(tz->tw->pages[buddy].state) != TW_NODE)
		return PFN_NONE;
	return buddy;
}

/*
 * The zone's only free page of order 0 may stand beside a node for want of a
 * substitute. pfn is the next one to come: the node moves to it, and the
 * other two merge. True when pfn was used for that.
 */
static bool relieve_neighbour(struct twoword *tw, struct twoword_zone *tz,
			      unsigned long pfn)
{
	struct buddy_zone *z = &tz->base;
	unsigned long only = PFN_NONE;
	unsigned long node;

	if (!one_free_page(z))
		return false;
	for (unsigned int type = 0; type < z->nr_types; type++)
		if (z->nr_free[0][type])
			only = pfn_of(z, deque_peek(list_of(z, 0, type), DEQUE_HEAD));
	node = twoword_node_beside(tz, only);
	if (node == PFN_NONE)
		return false;
	buddy_remove(&twoword_repr, &tw->buddy, z, only, 0,
		     buddy_type(&tw->buddy, z, only));
	chain_pending(tz, only, 0);
	if (tw_kind(tw->pages[node].state) != TW_NODE)
		return false;
	if (drop_if_spare(tz, node)) {
		chain_pending(tz, node, 0);
		return false;
	}
	move_node(tw, tz, node, pfn);
	chain_pending(tz, node, 0);
	return true;
}

bool twoword_make_room(struct buddy *b, struct buddy_zone *z, unsigned long pfn,
		       unsigned int order, unsigned int type, enum list_end end)
{
	struct twoword *tw = to_twoword(b);
	struct twoword_zone *tz = to_zone(z);
	struct deque *list = list_of(z, order, type);
	bool used_up = false;
	uint32_t leaf;

	if (order == 0 && tz->crowded) {
		if (relieve_neighbour(tw, tz, pfn))
			return false;
		tz->crowded = twoword_node_beside(tz, pfn) != PFN_NONE;
	}
	leaf = deque_wants_leaf(list, deque_end(end));
	if (leaf == DEQUE_LEAF_NONE)
		return true;
	if (list_has_pool(tz, list)) {
		hang_pool_leaf(list, leaf);
		return true;
	}
	hang_leaf(tz, list, leaf, find_node(tw, tz, list, pfn, order, &used_up));
	return !used_up;
}

/* --- the end of an operation ------------------------------------------ */

/* Whether the page may be set aside: nothing would merge with it now. */
static bool may_stash(const struct twoword *tw, const struct twoword_zone *tz,
		      unsigned long pfn)
{
	unsigned long buddy = pfn_buddy(pfn, 0);

	if (tz->stash != PFN_NONE || !tz->nr_nodes)
		return false;
	if (buddy < tz->base.start_pfn || buddy >= tz->base.end_pfn)
		return true;
	return tw_kind(tw->pages[buddy].state) == TW_ALLOCATED;
}

static void settle_pending(struct twoword *tw, struct twoword_zone *tz)
{
	struct alloc_stats *stats = &tw->buddy.base.stats;
	uint64_t steps = 0;

	while (tz->pending != PFN_NONE) {
		unsigned long pfn = tz->pending;
		struct twoword_page *page = &tw->pages[pfn];
		unsigned int order = tw_order(page->state);

		tz->pending = page->word1;
		page->state.bits = 0;
		steps++;
		if (order == 0 && may_stash(tw, tz, pfn)) {
			page->state = tw_state(TW_STASH, 0, 0, tz->base.index);
			tz->stash = pfn;
			continue;
		}
		buddy_merge(&twoword_repr, &tw->buddy, &tz->base, pfn, order,
			    LIST_HEAD);
	}
	if (steps > stats->max_drain_steps)
		stats->max_drain_steps = steps;
}

static void release_stash(struct twoword_zone *tz)
{
	unsigned long pfn = tz->stash;

	tz->stash = PFN_NONE;
	chain_pending(tz, pfn, 0);
}

void twoword_settle(struct buddy *b, struct buddy_zone *z)
{
	struct twoword *tw = to_twoword(b);
	struct twoword_zone *tz = to_zone(z);

	settle_pending(tw, tz);
	while (tz->stash != PFN_NONE && !tz->nr_nodes) {
		release_stash(tz);
		settle_pending(tw, tz);
	}
	tz->unsettled = false;
}

/*
 * No list can serve the request. A single page may still be had from what is
 * set aside: the stash, then any list's empty leaf. For a block, the stash is
 * freed in case it completes one; PFN_NONE then means: try the lists again.
 */
unsigned long twoword_last_resort(struct buddy *b, struct buddy_zone *z,
				  unsigned int order)
{
	struct twoword *tw = to_twoword(b);
	struct twoword_zone *tz = to_zone(z);
	unsigned long pfn = PFN_NONE;

	if (tz->stash != PFN_NONE) {
		if (order > 0) {
			release_stash(tz);
			settle_pending(tw, tz);
			return PFN_NONE;
		}
		pfn = tz->stash;
		tz->stash = PFN_NONE;
		tw->pages[pfn].state.bits = 0;
		return pfn;
	}
	for (unsigned int i = 0; order == 0 && pfn == PFN_NONE &&
	     i < NR_LISTS; i++)
		if (list_in_use(z, i) && !list_has_pool(tz, &tz->lists[i]))
			pfn = unhang_spare(tz, &tz->lists[i]);
	twoword_settle(b, z);
	return pfn;
}
