/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy.c - the part of the buddy policy that is not on the hot path
 *
 * verify() recounts a zone from its pages: every page is the head of a free
 * or allocated block, carries metadata, or is reserved. Nothing it finds is
 * taken from a counter; the counters are compared with what it found.
 */
#include <string.h>

#include "policy.h"

static size_t lru_bytes(const struct layout *l)
{
	const unsigned int bits = 8 * sizeof(unsigned long);

	return div_round_up(layout_end_pfn(l), bits) * sizeof(unsigned long);
}

static int init_mobility(struct buddy *b, struct msg *msg)
{
	struct machine *m = b->base.machine;
	const struct layout *l = m->layout;
	unsigned long nr_blocks =
		div_round_up(layout_end_pfn(l), PAGEBLOCK_NR_PAGES);

	b->block_type = machine_alloc(m, nr_blocks, META_structures);
	if (!b->block_type)
		return msg_set(msg, ENOMEM,
			       "%s: no room for the types of %lu pageblocks",
			       b->base.ops->name, nr_blocks);
	for (unsigned long i = 0; i < nr_blocks; i++)
		b->block_type[i] = MIGRATE_MOVABLE;
	if (!b->policy.mobility)
		return 0;
	b->lru = machine_table(m, lru_bytes(l), 0, META_structures);
	if (!b->lru)
		return msg_set(msg, ENOMEM, "%s: no room for a bit for each of %lu pages",
			       b->base.ops->name, layout_end_pfn(l));
	return 0;
}

static void init_zone(struct buddy *b, unsigned int index)
{
	const struct layout *l = b->base.machine->layout;
	const struct zone *zone = &l->zones[index];
	struct buddy_zone *z = b->zones[index];

	z->zone = zone;
	z->start_pfn = zone->start_pfn;
	z->end_pfn = zone_end_pfn(zone);
	z->index = index;
	z->nr_types = b->policy.mobility ? BUDDY_NR_TYPES : 1;
	z->nofragment = b->policy.mobility && b->policy.marks &&
			!strcmp(zone->name, "Normal");
	z->reserved = layout_zone_pages(l, index);
	z->mark[MARK_MIN] = zone->wmark_min;
	z->mark[MARK_LOW] = zone->wmark_low;
	z->mark[MARK_HIGH] = zone->wmark_high;
}

int buddy_init(struct buddy *b, const struct allocator_ops *ops,
	       struct machine *m, const struct option_set *opts,
	       struct msg *msg)
{
	const struct layout *l = m->layout;
	int err;

	b->base.ops = ops;
	b->base.machine = m;
	b->nr_zones = l->nr_zones;
	b->policy = (struct buddy_policy){
		.mobility = option_get(opts, "mobility"),
		.pcp = option_get(opts, "pcp"),
		.lookahead = option_get(opts, "pcp") ? 0 :
			     (unsigned int)option_get(opts, "lookahead"),
		.placed = option_get(opts, "placement") != PLACE_LIFO,
		.tail_rule = option_get(opts, "tail_rule") &&
			     option_get(opts, "placement") == PLACE_LIFO,
	};
	for (unsigned int i = 0; i < l->nr_zones; i++)
		b->policy.marks |= l->zones[i].wmark_high &&
				   option_get(opts, "watermarks");
	err = init_mobility(b, msg);
	for (unsigned int i = 0; !err && i < l->nr_zones; i++) {
		init_zone(b, i);
		if (!placement_create(b, b->zones[i], (enum placement_rule)
						      option_get(opts, "placement")))
			err = msg_set(msg, ENOMEM,
				      "%s: no room for what places blocks in zone %s",
				      ops->name, l->zones[i].name);
		if (b->policy.pcp &&
		    !pcp_create(b, b->zones[i], option_get(opts, "pcp_high"),
				option_get(opts, "pcp_batch")))
			err = msg_set(msg, ENOMEM,
				      "%s: no room for the lists of %u CPUs",
				      ops->name, m->nr_cpus);
	}
	return err;
}

void buddy_exit(struct buddy *b)
{
	const struct layout *l = b->base.machine->layout;

	for (unsigned int i = 0; i < b->nr_zones; i++) {
		pcp_destroy(b, b->zones[i]);
		placement_destroy(b, b->zones[i]);
	}
	if (b->block_type)
		machine_free(b->base.machine, b->block_type,
			     div_round_up(layout_end_pfn(l), PAGEBLOCK_NR_PAGES),
			     META_structures);
}

void buddy_set_block_type(struct allocator *a, unsigned long pfn,
			  unsigned int migratetype)
{
	struct buddy *b = to_buddy(a);
	unsigned long start = pfn >> PAGEBLOCK_ORDER << PAGEBLOCK_ORDER;

	/* What may not be allocated from is not simulated. */
	if (migratetype >= BUDDY_NR_TYPES)
		migratetype = MIGRATE_MOVABLE;
	if (migratetype == MIGRATE_HIGHATOMIC && b->policy.mobility)
		buddy_zone_of(b, pfn)->highatomic += PAGEBLOCK_NR_PAGES;
	set_block_types(b, buddy_zone_of(b, pfn), start, PAGEBLOCK_ORDER, migratetype);
}

void buddy_limit_pcp(struct allocator *a, unsigned int zone, unsigned int cpu,
		     unsigned long pages)
{
	const struct buddy_zone *z = to_buddy(a)->zones[zone];

	if (z->pcps)
		pcp_limit_to(&z->pcps[cpu], pages);
}

bool buddy_tick(const struct buddy_repr *r, struct allocator *a)
{
	struct buddy *b = to_buddy(a);
	bool busy = false;

	free_queued(r, b);
	for (unsigned int i = 0; i < b->nr_zones; i++) {
		struct buddy_zone *z = b->zones[i];

		for (unsigned int cpu = 0; z->pcps && cpu < a->machine->nr_cpus;
		     cpu++)
			busy |= pcp_decay(r, b, z, &z->pcps[cpu]);
		busy |= z->boost > 0;
		z->boost = 0;
	}
	return busy;
}

void buddy_drain(const struct buddy_repr *r, struct allocator *a)
{
	struct buddy *b = to_buddy(a);

	free_queued(r, b);
	for (unsigned int i = 0; i < b->nr_zones; i++)
		if (b->zones[i]->pcps)
			pcp_drain_all(r, b, b->zones[i]);
}

static unsigned long take_reserve(const struct buddy_repr *r, struct buddy *b,
				  struct buddy_zone *z,
				  const struct alloc_req *req)
{
	unsigned long pfn;

	if (!z->highatomic || z->nr_types == 1 ||
	    (r->secure && !r->secure(b, z, req->order)))
		return PFN_NONE;
	pfn = take_smallest(r, b, z, req->order, MIGRATE_HIGHATOMIC);
	if (pfn != PFN_NONE)
		hand_out(r, b, z, pfn, req, req->order);
	if (r->settle)
		r->settle(b, z);
	return pfn;
}

/*
 * A request that cannot wait takes from the reserve before it fails. An atomic
 * one does so at once where the CPU has no list for it, and adds to the reserve.
 */
static unsigned long alloc_impatient(const struct buddy_repr *r, struct buddy *b,
				     struct buddy_zone *z,
				     const struct alloc_req *req)
{
	bool atomic = request_is_atomic(req), at_once = atomic && !asks_pcp(z, req);
	unsigned long pfn = PFN_NONE;

	if (at_once)
		pfn = take_reserve(r, b, z, req);
	if (pfn == PFN_NONE)
		pfn = buddy_zone_alloc(r, b, z, req, false);
	if (pfn == PFN_NONE && !at_once)
		pfn = take_reserve(r, b, z, req);
	if (pfn == PFN_NONE || !atomic || z->nr_types == 1)
		return pfn;
	reserve_highatomic(r, b, z, pfn, req->order);
	if (r->settle)
		r->settle(b, z);
	return pfn;
}

/* The second pass: down to the min marks, urgent requests below. */
static unsigned long alloc_above_min(const struct buddy_repr *r,
				     struct buddy *b,
				     const struct alloc_req *req,
				     unsigned int top)
{
	for (unsigned int i = top + 1; i-- > 0;) {
		struct buddy_zone *z = b->zones[i];
		unsigned long pfn;

		if (!zone_passes_min(z, req))
			continue;
		pfn = req->flags & ALLOC_NON_BLOCKING ?
		      alloc_impatient(r, b, z, req) :
		      buddy_zone_alloc(r, b, z, req, false);
		if (pfn != PFN_NONE)
			return pfn;
	}
	return PFN_NONE;
}

static unsigned long alloc_regardless(const struct buddy_repr *r,
				      struct buddy *b,
				      const struct alloc_req *req,
				      unsigned int top)
{
	for (unsigned int i = top + 1; i-- > 0;) {
		unsigned long pfn = buddy_zone_alloc(r, b, b->zones[i], req, false);

		if (pfn != PFN_NONE)
			return pfn;
	}
	return PFN_NONE;
}

/* What is parked or held back goes to the free lists; whether any was. */
static bool make_available(const struct buddy_repr *r, struct buddy *b,
			   const struct alloc_req *req, unsigned int top)
{
	bool any = false;

	for (unsigned int i = top + 1; i-- > 0;) {
		struct buddy_zone *z = b->zones[i];

		if (z->nr_types > 1 &&
		    unreserve_highatomic(r, b, z, req->migratetype))
			any = true;
		if (!z->parked)
			continue;
		pcp_drain_all(r, b, z);
		any = true;
	}
	return any;
}

/* Pages that the representation had set aside for itself. */
static unsigned long alloc_last_resort(const struct buddy_repr *r,
				       struct buddy *b,
				       const struct alloc_req *req,
				       unsigned int top)
{
	for (unsigned int i = top + 1; r->last_resort && i-- > 0;) {
		struct buddy_zone *z = b->zones[i];
		unsigned long pfn = r->last_resort(b, z, req->order);

		if (pfn != PFN_NONE) {
			hand_out(r, b, z, pfn, req, req->order);
			return pfn;
		}
		pfn = buddy_zone_alloc(r, b, z, req, false);
		if (pfn != PFN_NONE)
			return pfn;
	}
	return PFN_NONE;
}

unsigned long buddy_alloc_slow(const struct buddy_repr *r, struct buddy *b,
			       const struct alloc_req *req)
{
	unsigned int top = min_t(unsigned int, req->zone_limit, b->nr_zones - 1);
	unsigned long pfn = PFN_NONE;

	if (b->queue_out != b->queue_in) {
		free_queued(r, b);
		return buddy_alloc_any(r, b, req);
	}
	if (b->policy.marks) {
		pfn = alloc_above_min(r, b, req, top);
		if (pfn != PFN_NONE)
			return pfn;
		pfn = alloc_regardless(r, b, req, top);
		b->base.stats.below_marks += pfn != PFN_NONE;
	}
	if (pfn == PFN_NONE && make_available(r, b, req, top))
		pfn = alloc_regardless(r, b, req, top);
	if (pfn == PFN_NONE)
		pfn = alloc_last_resort(r, b, req, top);
	return pfn;
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

	*counts = (struct page_counts){ .free = z->free_pages, .pcp = z->parked };
	for (uint32_t at = b->queue_out; at != b->queue_in; at++) {
		const struct queued_block *q = &b->queue[at % MAX_LOOKAHEAD];

		if (buddy_zone_of(b, q->pfn) == z)
			counts->pcp += 1UL << q->order;
	}
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

/* The block in the queue that holds pfn, or NULL. */
static const struct queued_block *queued_block_of(const struct buddy *b,
						  unsigned long pfn)
{
	for (uint32_t at = b->queue_out; at != b->queue_in; at++) {
		const struct queued_block *q = &b->queue[at % MAX_LOOKAHEAD];

		if (pfn >> q->order == q->pfn >> q->order)
			return q;
	}
	return NULL;
}

uint64_t buddy_queue_hash(const struct buddy *b)
{
	uint64_t hash = b->queue_in - b->queue_out;

	for (uint32_t at = b->queue_out; at != b->queue_in; at++) {
		hash = fingerprint_mix(hash, b->queue[at % MAX_LOOKAHEAD].pfn);
		hash = fingerprint_mix(hash, b->queue[at % MAX_LOOKAHEAD].order);
	}
	return hash;
}

/* The head of whatever holds pfn is at one of MAX_PAGE_ORDER + 1 places. */
void buddy_query(const struct buddy_repr *r, const struct allocator *a,
		 unsigned long pfn, struct page_info *info)
{
	const struct buddy *b = to_const_buddy(a);
	const struct queued_block *queued;

	*info = (struct page_info){ PAGE_STATE_RESERVED, PFN_NONE, 0 };
	if (layout_zone_of(a->machine->layout, pfn) < 0)
		return;
	queued = queued_block_of(b, pfn);
	if (queued) {
		*info = (struct page_info){ PAGE_STATE_PCP, queued->pfn, queued->order };
		return;
	}
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
	    buddy < z->end_pfn && r->is_free(b, buddy, order) &&
	    types_merge(buddy_type(b, z, pfn), buddy_type(b, z, buddy)))
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
		err = compare(z, "pages in per-CPU lists", z->parked,
			      found->pages[KIND_PCP], msg);
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
		if (!err)
			err = pcp_verify(r, b, z, msg);
		if (!err)
			err = placement_verify(r, b, z, msg);
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
