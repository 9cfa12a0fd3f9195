/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy.c - the part of the buddy policy that is not on the hot path
 *
 * verify() recounts a zone from its pages: every page is the head of a free
 * or allocated block, carries metadata, or is reserved. Nothing it finds is
 * taken from a counter; the counters are compared with what it found.
 */
#include "policy.h"

int buddy_init(struct buddy *b, const struct allocator_ops *ops,
	       struct machine *m, struct msg *msg)
{
	const struct layout *l = m->layout;
	unsigned long nr_blocks =
		div_round_up(layout_end_pfn(l), PAGEBLOCK_NR_PAGES);

	b->base.ops = ops;
	b->base.machine = m;
	b->nr_zones = l->nr_zones;
	b->block_type = machine_alloc(m, nr_blocks, META_structures);
	if (!b->block_type)
		return msg_set(msg, ENOMEM,
			       "%s: no room for the types of %lu pageblocks",
			       ops->name, nr_blocks);
	for (unsigned long i = 0; i < nr_blocks; i++)
		b->block_type[i] = MIGRATE_MOVABLE;
	for (unsigned int i = 0; i < l->nr_zones; i++) {
		struct buddy_zone *z = b->zones[i];

		z->zone = &l->zones[i];
		z->start_pfn = l->zones[i].start_pfn;
		z->end_pfn = zone_end_pfn(&l->zones[i]);
		z->index = i;
		z->nr_types = 1;
		z->reserved = layout_zone_pages(l, i);
	}
	return 0;
}

void buddy_exit(struct buddy *b)
{
	const struct layout *l = b->base.machine->layout;

	if (b->block_type)
		machine_free(b->base.machine, b->block_type,
			     div_round_up(layout_end_pfn(l), PAGEBLOCK_NR_PAGES),
			     META_structures);
}

void buddy_set_block_type(struct allocator *a, unsigned long pfn,
			  unsigned int migratetype)
{
	to_buddy(a)->block_type[pfn >> PAGEBLOCK_ORDER] = (uint8_t)migratetype;
}

void buddy_free_area(const struct allocator *a, unsigned int zone,
		     unsigned long nr_free[NR_PAGE_ORDERS])
{
	const struct buddy_zone *z = to_const_buddy(a)->zones[zone];

	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		nr_free[order] = 0;
		for (unsigned int type = 0; type < z->nr_types; type++)
			nr_free[order] += z->nr_free[order][type];
	}
}

void buddy_counts(const struct buddy_repr *r, const struct allocator *a,
		  unsigned int zone, struct page_counts *counts)
{
	const struct buddy *b = to_const_buddy(a);
	const struct buddy_zone *z = b->zones[zone];

	*counts = (struct page_counts){ .free = z->free_pages };
	if (r->node_counts)
		r->node_counts(b, z, &counts->nodes, &counts->stash);
}

static enum page_state state_of_kind(enum buddy_kind kind)
{
	switch (kind) {
	case KIND_FREE:
		return PAGE_STATE_FREE;
	case KIND_ALLOCATED:
		return PAGE_STATE_ALLOCATED;
	case KIND_PCP:
		return PAGE_STATE_PCP;
	case KIND_NODE:
	case KIND_STASH:
		return PAGE_STATE_METADATA;
	case KIND_NONE:
		break;
	}
	return PAGE_STATE_RESERVED;
}

/* The head of whatever holds pfn is at one of MAX_PAGE_ORDER + 1 places. */
void buddy_query(const struct buddy_repr *r, const struct allocator *a,
		 unsigned long pfn, struct page_info *info)
{
	const struct buddy *b = to_const_buddy(a);

	*info = (struct page_info){ PAGE_STATE_RESERVED, PFN_NONE, 0 };
	if (layout_zone_of(a->machine->layout, pfn) < 0)
		return;
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		unsigned long head = pfn >> order << order;
		unsigned int of;
		enum buddy_kind kind = r->kind(b, head, &of);

		if (kind == KIND_NONE || of < order)
			continue;
		*info = (struct page_info){ state_of_kind(kind), head, of };
		return;
	}
}

struct recount {
	unsigned long blocks[NR_PAGE_ORDERS][BUDDY_NR_TYPES];
	unsigned long pages[KIND_STASH + 1];
};

static int check_free_block(const struct buddy_repr *r, const struct buddy *b,
			    const struct buddy_zone *z, unsigned long pfn,
			    unsigned int order, struct msg *msg)
{
	unsigned long buddy = pfn_buddy(pfn, order);

	if (order < MAX_PAGE_ORDER && buddy >= z->start_pfn &&
	    buddy < z->end_pfn && r->is_free(b, buddy, order))
		return msg_set(msg, EUCLEAN,
			       "zone %s: pfns %#lx and %#lx of order %u are free buddies and were not joined",
			       z->zone->name, pfn, buddy, order);
	return 0;
}

static int recount_zone(const struct buddy_repr *r, const struct buddy *b,
			const struct buddy_zone *z, struct recount *found,
			struct msg *msg)
{
	for (unsigned long pfn = z->start_pfn; pfn < z->end_pfn;) {
		unsigned int order = 0;
		enum buddy_kind kind = r->kind(b, pfn, &order);
		unsigned long nr = kind == KIND_NONE ? 1 : 1UL << order;
		int err;

		if (pfn & (nr - 1))
			return msg_set(msg, EUCLEAN,
				       "zone %s: pfn %#lx heads a block of order %u that is not aligned",
				       z->zone->name, pfn, order);
		if (z->end_pfn - pfn < nr)
			return msg_set(msg, EUCLEAN,
				       "zone %s: the block of order %u at pfn %#lx passes the zone's end",
				       z->zone->name, order, pfn);
		if (kind == KIND_FREE) {
			err = check_free_block(r, b, z, pfn, order, msg);
			if (err)
				return err;
			found->blocks[order][buddy_type(b, z, pfn)]++;
		}
		if (kind != KIND_NONE ||
		    layout_page_exists(b->base.machine->layout, pfn))
			found->pages[kind] += nr;
		pfn += nr;
	}
	return 0;
}

static int compare(const struct buddy_zone *z, const char *what,
		   unsigned long counter, unsigned long found, struct msg *msg)
{
	if (counter == found)
		return 0;
	return msg_set(msg, EUCLEAN, "zone %s: %s: the counter says %lu, the pages say %lu",
		       z->zone->name, what, counter, found);
}

static int verify_counts(const struct buddy_repr *r, const struct buddy *b,
			 const struct buddy_zone *z,
			 const struct recount *found, struct msg *msg)
{
	unsigned long nodes = 0, stash = 0;
	int err;

	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		for (unsigned int type = 0; type < z->nr_types; type++) {
			err = compare(z, "free blocks", z->nr_free[order][type],
				      found->blocks[order][type], msg);
			if (err)
				return err;
			if (!!z->nr_free[order][type] !=
			    (z->occupied[type] >> order & 1))
				return msg_set(msg, EUCLEAN,
					       "zone %s: the mask of type %u is wrong at order %u",
					       z->zone->name, type, order);
		}
	}
	if (r->node_counts)
		r->node_counts(b, z, &nodes, &stash);
	err = compare(z, "free pages", z->free_pages, found->pages[KIND_FREE], msg);
	if (!err)
		err = compare(z, "allocated pages", z->allocated,
			      found->pages[KIND_ALLOCATED], msg);
	if (!err)
		err = compare(z, "nodes", nodes, found->pages[KIND_NODE], msg);
	if (!err)
		err = compare(z, "stash", stash, found->pages[KIND_STASH], msg);
	if (!err)
		err = compare(z, "reserved pages", z->reserved,
			      found->pages[KIND_NONE], msg);
	return err;
}

int buddy_verify(const struct buddy_repr *r, const struct allocator *a,
		 struct msg *msg)
{
	const struct buddy *b = to_const_buddy(a);
	int err = 0;

	for (unsigned int i = 0; i < b->nr_zones; i++) {
		const struct buddy_zone *z = b->zones[i];
		struct recount found = { 0 };

		err = recount_zone(r, b, z, &found, msg);
		if (!err)
			err = verify_counts(r, b, z, &found, msg);
		for (unsigned int order = 0; !err && order < NR_PAGE_ORDERS; order++)
			for (unsigned int type = 0; !err && type < z->nr_types; type++)
				err = r->verify_list(b, z, order, type, msg);
		if (!err && r->verify_zone)
			err = r->verify_zone(b, z, msg);
		if (err)
			return err;
	}
	for (unsigned int cpu = 0; cpu < a->machine->nr_cpus; cpu++)
		if (kmap_depth(a->machine, cpu))
			return msg_set(msg, EUCLEAN,
				       "CPU %u still holds a map of high memory", cpu);
	return 0;
}
