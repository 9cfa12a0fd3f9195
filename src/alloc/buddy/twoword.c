/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * twoword.c - two words a page; free lists are deques made of free pages
 *
 *    descriptors, 16 bytes a page         free list of one order: a deque
 *    word 0 (state)   word 1
 *    free, order 3  | slot 17  --------->  leaf  [ ... | pfn | ... ]
 *    (tail)         | stale                 ^      slot 17 holds this pfn
 *    node           | list, leaf  ----------+      the leaf is this page
 *    allocated      | memdesc
 *    per-CPU        | prev ^ next                  parked: see xor_list.h
 *
 * A free block is listed by one 4-byte pfn in a deque, and its first page
 * keeps the slot, so it leaves from the middle without a search: an end entry
 * takes the gap and learns its new slot. A deque's leaves are pages of the
 * very memory it manages, taken from it while it is free; a leaf in high
 * memory is a tagged pfn, mapped with kmap_local to be looked at. The design
 * is K. Overstreet's (linux-mm, 26 October 2021); how free is kept from ever
 * allocating is worked out here.
 *
 * Freeing never allocates. A list whose inline slots and leaves are full gets
 * a leaf, in this order, from: a page released by this same operation; the
 * stash, one page set aside; a free page of order 0; the page being freed (a
 * page that becomes a leaf needs no entry); a page peeled off the block being
 * freed, whose rest is then freed in parts.
 *
 *    peel 1 page off order 2:   [ a b | c N ]  ->  [a b] order 1, [c] order 0
 *
 * A leaf that empties is only chained to the zone's pending pages; they are
 * freed in a loop when the operation is over, never recursively.
 *
 * Metadata destroys no contiguity. When a page is freed whose buddy carries a
 * leaf, the leaf is copied to another free page of order 0, its parent word
 * is set to the copy, and the two buddies merge. If there is no other, this
 * waits until one comes.
 *
 * Why it ends. Take the pair (entries + nodes + pending pages, pending pages).
 * Freeing a pending block of order k with m merges changes the first by
 * 1 - m - 2^k <= 0; turning it into a leaf, or peeling, keeps the first and
 * lowers the second; taking an entry as a leaf, or relocating, is followed by
 * an insertion that lowers the first. So each of these lowers the pair.
 *
 * Dropping an empty leaf to merge with it lowers the first as well, but the list
 * that lost it may be the one that the merged block goes to: then a page is
 * peeled off for it, the pair is as it was, and so on for ever. At the head this
 * cannot be, for an empty leaf is dropped only while there is an inline slot. At
 * the tail the rule for likely merges puts a block once in an operation, what
 * was freed; whatever is pending then goes to the head. A placement may put each
 * of them there: so its zones drop a leaf only while the list is all inline.
 *
 * Why no leaf survives in an all-free zone, where it ends at no odd place, has
 * no hole, and no pageblock is reserved (those join none of another type). The
 * top order's leaves are set aside at boot. Say m others remain. The buddy of
 * each is a leaf, too: a free page beside a node is the zone's only one, and the
 * stash, left alone while its buddy is in use, joined when that was freed. So
 * order 0 has at most one entry, and the leaves fill n >= 1 blocks of order 1,
 * but for that page: m >= 2n - 1. A free block of order k, 1 to 9, has a buddy
 * with leaves in it, another for each block: at most n entries an order, all
 * types together. A list has no leaf up to F = inline - hysteresis entries, and
 * then at most 3 (it may stand across the border of two, and keep a spare) and
 * one more for each 1024. With all lists at their worst
 *
 *    2n - 1 <= m <= 9 * (3 * floor(n / (F + 1)) + n / 1024)
 *
 * and F = 62, the default, leaves no n: below 63 the right side is 0, from 63 on
 * at most 0.44 n. (F = 12 would: 25 to 27 leaves that keep up each other.)
 *
 * Invariants:  entry[word1(p)] == p  for every free head p, and no other entry
 *              leaves of a list == needed for its entries, plus one spare at most
 *              a free page of order 0 beside a node is the zone's only one
 *              free + allocated + nodes + stash + reserved == present
 *
 * push, pop, del: O(depth) and at most one live map; relocation: two.
 */
#include "policy.h"
#include "twoword.h"

extern const struct allocator_ops twoword_ops;

static unsigned long twoword_alloc(struct allocator *a,
				   const struct alloc_req *req)
{
	to_twoword(to_buddy(a))->cpu = req->cpu;
	return buddy_alloc(&twoword_repr, a, req);
}

static void twoword_free(struct allocator *a, unsigned long pfn,
			 unsigned int order, unsigned int cpu)
{
	to_twoword(to_buddy(a))->cpu = cpu;
	buddy_free(&twoword_repr, a, pfn, order, cpu);
}

static void twoword_release(struct allocator *a, unsigned long pfn,
			    unsigned int order)
{
	buddy_release(&twoword_repr, a, pfn, order);
}

static void twoword_release_pcp(struct allocator *a, unsigned long pfn,
				unsigned int order, unsigned int cpu)
{
	to_twoword(to_buddy(a))->cpu = cpu;
	buddy_release_pcp(&twoword_repr, a, pfn, order, cpu);
}

static int twoword_adopt(struct allocator *a, unsigned long pfn,
			 unsigned int order)
{
	return buddy_adopt(&twoword_repr, a, pfn, order);
}

static bool twoword_split(struct allocator *a, unsigned long pfn,
			  unsigned int order, unsigned int new_order)
{
	return buddy_split(&twoword_repr, a, pfn, order, new_order);
}

static bool twoword_isolate(struct allocator *a, unsigned long pfn,
			    unsigned int order, unsigned int cpu)
{
	to_twoword(to_buddy(a))->cpu = cpu;
	return buddy_isolate(&twoword_repr, a, pfn, order);
}

static bool twoword_tick(struct allocator *a, uint64_t now_ns)
{
	(void)now_ns;
	to_twoword(to_buddy(a))->cpu = 0;
	return buddy_tick(&twoword_repr, a);
}

static void twoword_drain(struct allocator *a)
{
	to_twoword(to_buddy(a))->cpu = 0;
	buddy_drain(&twoword_repr, a);
}

static void twoword_counts(const struct allocator *a, unsigned int zone,
			   struct page_counts *counts)
{
	buddy_counts(&twoword_repr, a, zone, counts);
}

static void twoword_query(const struct allocator *a, unsigned long pfn,
			  struct page_info *info)
{
	buddy_query(&twoword_repr, a, pfn, info);
}

static int twoword_verify(const struct allocator *a, struct msg *msg)
{
	return buddy_verify(&twoword_repr, a, msg);
}

static const struct option_spec twoword_options[] = {
	{ "removal", "swap|punch", "swap", "how a block leaves the middle of a list: an end entry takes its place, or a hole stays" },
	{ "relocate", "off|on", "on", "copy a node away when it keeps two buddies apart" },
	{ "inline", "0..64", "64", "entries kept in the list's head, without a node" },
	{ "hysteresis", "0..64", "2", "a list so much shorter than its inline slots has no leaf; 0: empty leaves go at once" },
	{ "entry", "4|8", "4", "bytes of a list entry" },
	{ "nodes", "any|lowmem|highmem|boot", "any", "reach nodes as the machine says, all directly, or all through kmap_local; boot: no page becomes one, leaves are set aside at create, 2 bytes a page" },
	BUDDY_OPTIONS,
	{ NULL, NULL, NULL, NULL },
};

static bool make_lists(struct twoword *tw, struct twoword_zone *tz,
		       const struct option_set *opts)
{
	struct machine *m = tw->buddy.base.machine;
	struct buddy_zone *z = &tz->base;
	struct deque_config cfg = {
		.nr_inline = (unsigned int)option_get(opts, "inline"),
		.entry_bytes = option_get(opts, "entry") ? 8 : 4,
		.hysteresis = (unsigned int)option_get(opts, "hysteresis"),
		.punch = option_get(opts, "removal"),
		.node_bytes = PAGE_SIZE,
		.hooks = &list_hooks,
		.ctx = tz,
	};
	size_t each = deque_slot_bytes(&cfg);
	unsigned int pool_from = tw->nodes == NODES_BOOT ? 0 : MAX_PAGE_ORDER;

	if (!twoword_make_pool(tz, &cfg, pool_from))
		return false;
	tz->slot_bytes = NR_LISTS * each;
	tz->slots = machine_alloc(m, tz->slot_bytes, META_structures);
	if (!tz->slots)
		return false;
	for (unsigned int i = 0; i < NR_LISTS; i++) {
		unsigned int order = i / BUDDY_NR_TYPES;

		cfg.max_entries = (z->zone->spanned >> order) + 1;
		cfg.store = order >= pool_from ? &tz->pool_store : &tz->store;
		if (list_in_use(z, i) &&
		    !deque_init(&tz->lists[i], &cfg,
				(unsigned char *)tz->slots + i * each))
			return false;
	}
	return true;
}

static void free_lists(struct twoword_zone *tz)
{
	struct machine *m = tz->tw->buddy.base.machine;

	for (unsigned int i = 0; i < NR_LISTS; i++)
		if (tz->lists[i].tree.store)
			deque_destroy(&tz->lists[i]);
	if (tz->slots)
		machine_free(m, tz->slots, tz->slot_bytes, META_structures);
	if (tz->pool)
		machine_free(m, tz->pool, tz->pool_bytes, META_structures);
}

/* With nodes=lowmem untagged references are addresses of highmem, too. */
static int check_node_addresses(const struct twoword *tw, const struct machine *m,
				struct msg *msg)
{
	if (tw->nodes == NODES_LOWMEM && m->highmem_pfn < m->end_pfn &&
	    (HIGHMEM_BY_TABLE || m->window.mode == WINDOW_GUARD))
		return msg_set(msg, EINVAL,
			       "twoword: nodes=lowmem needs every page to have an address: run without highmem, or in the arith window of a 64-bit build");
	return 0;
}

static void twoword_destroy(struct allocator *a)
{
	struct twoword *tw = to_twoword(to_buddy(a));

	for (unsigned int i = 0; i < tw->buddy.nr_zones; i++)
		free_lists(&tw->zones[i]);
	buddy_exit(&tw->buddy);
	machine_free(a->machine, tw, sizeof(*tw) + tw->buddy.nr_zones *
		     sizeof(tw->zones[0]), META_structures);
}

static int twoword_create(struct allocator **out, struct machine *m,
			  const struct option_set *opts, struct msg *msg)
{
	unsigned int nr_zones = m->layout->nr_zones;
	uint64_t end_pfn = m->end_pfn;	/* wider than a pfn where that has 32 bits */
	struct twoword *tw = machine_alloc(m, sizeof(*tw) + nr_zones *
					   sizeof(tw->zones[0]), META_structures);
	int err;

	if (!tw)
		return msg_set(msg, ENOMEM, "twoword: no room for its zones");
	for (unsigned int i = 0; i < nr_zones; i++) {
		struct twoword_zone *tz = &tw->zones[i];

		tw->buddy.zones[i] = &tz->base;
		tz->tw = tw;
		tz->zone_bits = tw_state(TW_NONE, 0, 0, i).bits;
		tz->store.ops = &twoword_store_ops;
		tz->pool_store.ops = &twoword_pool_store_ops;
		tz->pending = PFN_NONE;
		tz->stash = PFN_NONE;
	}
	err = buddy_init(&tw->buddy, &twoword_ops, m, opts, msg);
	if (err)
		goto destroy;
	tw->relocate = option_get(opts, "relocate");
	tw->nodes = (unsigned int)option_get(opts, "nodes");
	if (end_pfn > XOR_NONE) {
		err = msg_set(msg, EINVAL,
			      "twoword: %lu pages are too many: per-CPU lists link pfns of 32 bits, 16 TiB",
			      m->end_pfn);
		goto destroy;
	}
	err = check_node_addresses(tw, m, msg);
	if (err)
		goto destroy;
	tw->pages = machine_memmap(m, sizeof(struct twoword_page));
	if (!tw->pages) {
		err = msg_set(msg, ENOMEM,
			      "twoword: no room for %zu bytes for each of %lu pages",
			      sizeof(struct twoword_page), m->end_pfn);
		goto destroy;
	}
	for (unsigned int i = 0; i < nr_zones; i++) {
		if (make_lists(tw, &tw->zones[i], opts))
			continue;
		err = msg_set(msg, ENOMEM,
			      "twoword: no room for the free lists of zone %s",
			      tw->zones[i].base.zone->name);
		goto destroy;
	}
	*out = &tw->buddy.base;
	return 0;

destroy:
	twoword_destroy(&tw->buddy.base);
	return err;
}

const struct allocator_ops twoword_ops = {
	.name = "twoword",
	.summary = "two words a page, free lists are deques in a radix tree of free pages",
	.desc_bytes = sizeof(struct twoword_page),
	.options = twoword_options,
	.caps = { .max_order = MAX_PAGE_ORDER, .query = QUERY_BLOCKS },
	.create = twoword_create,
	.destroy = twoword_destroy,
	.set_block_type = buddy_set_block_type,
	.adopt = twoword_adopt,
	.release = twoword_release,
	.release_pcp = twoword_release_pcp,
	.limit_pcp = buddy_limit_pcp,
	.alloc = twoword_alloc,
	.free = twoword_free,
	.split = twoword_split,
	.isolate = twoword_isolate,
	.tick = twoword_tick,
	.drain = twoword_drain,
	.free_area = buddy_free_area,
	.counts = twoword_counts,
	.query = twoword_query,
	.verify = twoword_verify,
	.fingerprint = twoword_fingerprint,
};
