/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * twoword_check.c - whether words, lists and leaves of a zone agree
 *
 *    list --- slot ---> entry (pfn) ---> descriptor: free, this order and type,
 *      |                                             word 1 == slot
 *      '----- leaf ---> page ----------> descriptor: node of this list, this leaf
 */
#include <inttypes.h>

#include "placement.h"
#include "twoword.h"

/* Lists are read through a store of their own, so that no map is counted. */
struct peeking_store {
	struct node_store store;
	const struct machine *machine;
};

static void *peek_map(struct node_store *store, struct node_ref ref)
{
	struct peeking_store *ps = container_of(store, struct peeking_store, store);

	return (void *)(uintptr_t)machine_peek(ps->machine, node_ref_pfn(ref));
}

static void peek_unmap(struct node_store *store, struct node_ref ref, void *node)
{
	(void)store, (void)ref, (void)node;
}

static const struct node_store_ops peek_ops = {
	.map = peek_map,
	.unmap = peek_unmap,
};

static struct deque peek_at(const struct deque *list, struct peeking_store *ps,
			    const struct machine *m)
{
	struct deque view = *list;

	*ps = (struct peeking_store){ { &peek_ops }, m };
	view.tree.store = &ps->store;
	return view;
}

static bool leaf_is_told(const struct twoword *tw, const struct buddy_zone *z,
			 unsigned int index, uint64_t leaf, unsigned long pfn)
{
	return pfn >= z->start_pfn && pfn < z->end_pfn &&
	       tw_kind(tw->pages[pfn].state) == TW_NODE &&
	       tw->pages[pfn].word1 == tw_node_word(index, (uint32_t)leaf);
}

static int verify_leaves(const struct twoword *tw, const struct buddy_zone *z,
			 unsigned int index, const struct deque *view,
			 struct msg *msg)
{
	/* A leaf from the pool is nobody's page. */
	bool are_pages = !list_has_pool(to_zone(z), &to_zone(z)->lists[index]);
	uint32_t needed = deque_needed_leaves(view);
	uint32_t nr = 0;
	struct node_ref ref;

	for (uint64_t leaf = 0; view->tree.nr_prealloc &&
	     !node_ref_is_none(ref = genradix_next_leaf(&view->tree, &leaf));
	     leaf++, nr++) {
		unsigned long pfn = are_pages ? twoword_node_pfn(tw, ref) : PFN_NONE;

		if (are_pages && !leaf_is_told(tw, z, index, leaf, pfn))
			return msg_set(msg, EUCLEAN,
				       "zone %s: leaf %" PRIu64 " of list %u is page %#lx, whose words do not say so",
				       z->zone->name, leaf, index, pfn);
	}
	if (nr != needed + (view->spare != DEQUE_LEAF_NONE))
		return msg_set(msg, EUCLEAN,
			       "zone %s: list %u has %u leaves for %u entries, %u would do",
			       z->zone->name, index, nr, deque_nr(view), needed);
	return 0;
}

int twoword_verify_list(const struct buddy *b, const struct buddy_zone *z,
			unsigned int order, unsigned int type, struct msg *msg)
{
	const struct twoword *tw = to_twoword(b);
	struct peeking_store ps;
	struct deque view = peek_at(list_of(z, order, type), &ps,
				    b->base.machine);
	struct deque_cursor it = deque_begin(&view, DEQUE_TAIL);
	unsigned long entry, nr = 0;
	uint32_t slot;

	while (deque_next(&view, &it, &entry, &slot)) {
		unsigned long pfn = pfn_of(z, entry);

		if (pfn >= z->end_pfn || !twoword_is_free(b, pfn, order) ||
		    tw_migratetype(tw->pages[pfn].state) != type ||
		    tw->pages[pfn].word1 != slot)
			return msg_set(msg, EUCLEAN,
				       "zone %s: slot %u of order %u, type %u holds pfn %#lx, whose words do not say so",
				       z->zone->name, slot, order, type, pfn);
		nr++;
	}
	if (nr != deque_nr(&view) || nr != z->nr_free[order][type])
		return msg_set(msg, EUCLEAN,
			       "zone %s: the list of order %u, type %u holds %lu blocks, counts %u and should have %lu",
			       z->zone->name, order, type, nr, deque_nr(&view),
			       z->nr_free[order][type]);
	return verify_leaves(tw, z, list_index(order, type), &view, msg);
}

/* Nothing pending; no free page beside a node while there is another. */
int twoword_verify_zone(const struct buddy *b, const struct buddy_zone *z,
			struct msg *msg)
{
	const struct twoword *tw = to_twoword(b);
	const struct twoword_zone *tz = to_zone(z);

	if (tz->pending != PFN_NONE)
		return msg_set(msg, EUCLEAN, "zone %s: page %#lx was never freed",
			       z->zone->name, tz->pending);
	if (!tw->relocate || !tz->nr_nodes || one_free_page(z))
		return 0;
	for (unsigned long pfn = z->start_pfn; pfn < z->end_pfn; pfn++) {
		if (twoword_is_free(b, pfn, 0) &&
		    twoword_node_beside(tz, pfn) != PFN_NONE)
			return msg_set(msg, EUCLEAN,
				       "zone %s: free page %#lx stands beside node %#lx, and others could carry it",
				       z->zone->name, pfn, pfn_buddy(pfn, 0));
	}
	return 0;
}

/*
 * What can matter later: for each page its kind, order and, where it is read,
 * word 1; for each list where its ends, its leaves and its spare stand. The
 * entries follow from the pages' slots. A ring looks alike from any of its
 * leaves, so slots and leaves count from the tail's leaf.
 */
static uint64_t mix_page(const struct buddy_zone *z,
			 const struct twoword_page *page, uint64_t hash)
{
	const struct twoword_zone *tz = to_zone(z);
	enum tw_kind kind = tw_kind(page->state);
	const struct deque *d;

	hash = fingerprint_mix(hash, page->state.bits);
	if (kind == TW_FREE) {
		d = list_of(z, tw_order(page->state), tw_migratetype(page->state));
		hash = fingerprint_mix(hash, (page->word1 - d->tail) & d->mask);
	} else if (kind == TW_NODE) {
		d = &tz->lists[tw_node_list(page->word1)];
		hash = fingerprint_mix(hash, tw_node_list(page->word1));
		hash = fingerprint_mix(hash, deque_leaf_distance(d, tw_node_leaf(page->word1)));
	}
	return hash;
}

uint64_t twoword_fingerprint(const struct allocator *a)
{
	const struct buddy *b = to_const_buddy(a);
	const struct twoword *tw = to_twoword(b);
	uint64_t hash = buddy_queue_hash(b);

	for (unsigned int i = 0; i < b->nr_zones; i++) {
		const struct buddy_zone *z = b->zones[i];

		hash = placement_mix(z, hash);
		for (unsigned long pfn = z->start_pfn; pfn < z->end_pfn; pfn++)
			hash = mix_page(z, &tw->pages[pfn], hash);
		for (unsigned int l = 0; l < NR_LISTS; l++) {
			const struct deque *d = &tw->zones[i].lists[l];

			if (!list_in_use(z, l))
				continue;
			hash = fingerprint_mix(hash, d->nr_in);
			hash = fingerprint_mix(hash, d->lo - d->tail);
			hash = fingerprint_mix(hash, d->tail & ((1U << d->leaf_shift) - 1));
			if (d->spare == DEQUE_LEAF_NONE)
				continue;
			hash = fingerprint_mix(hash, deque_leaf_distance(d, d->spare));
		}
	}
	return hash;
}
