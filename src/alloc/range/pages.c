/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pages.c - the page interface on top of a range backend
 *
 *    zone      [start_pfn ........................... end_pfn)
 *    range  |--|-------------------------------------|
 *           base: start_pfn rounded down to the largest block, so that an
 *                 aligned unit is an aligned page, from which base it is
 *                 counted
 *
 * One range a zone, one span a range. What lies before the zone, in holes or
 * was never released stays reserved. A request for 2^order pages asks for
 * that many units at that alignment, from the highest zone allowed downwards,
 * and says whether it can wait (percpu's designs serve who cannot from what is
 * at hand).
 *
 * Free blocks by order are those of a buddy allocator whose free pages are the
 * same: each free run is cut into the largest naturally aligned blocks.
 *
 * A backend that needs the length on free leaves it to the callers to keep:
 * ceil(log2(pages)) bits for each run in their hands, charged to META_caller.
 */
#include <errno.h>

#include "alloc/free_runs.h"
#include "alloc/range_pages.h"
#include "base/bits.h"

struct pages_zone {
	struct range *range;		/* set at create, as are the next three */
	unsigned long base_pfn;		/* page of unit 0 */
	unsigned long start_pfn;
	unsigned long end_pfn;
};

struct range_pages {
	struct allocator base;
	unsigned int length_bits;	/* set at create; 0: no caller keeps one */
	unsigned int nr_zones;		/* set at create */
	unsigned long nr_held;		/* runs in callers' hands */
	struct pages_zone zones[MAX_NR_ZONES];
};

static struct range_pages *to_pages(struct allocator *a)
{
	return container_of(a, struct range_pages, base);
}

static const struct range_pages *to_const_pages(const struct allocator *a)
{
	return container_of_const(a, struct range_pages, base);
}

static uint64_t carried_bytes(const struct range_pages *p)
{
	return ((uint64_t)p->nr_held * p->length_bits + 7) / 8;
}

/* More or fewer runs are in callers' hands. */
static void set_held(struct range_pages *p, unsigned long nr_held)
{
	struct meta_account *acct = &p->base.machine->meta;
	uint64_t before = carried_bytes(p), after;

	p->nr_held = nr_held;
	after = carried_bytes(p);
	if (after > before)
		meta_charge(acct, META_caller, after - before);
	else if (after < before)
		meta_uncharge(acct, META_caller, before - after);
}

static struct pages_zone *zone_of(struct range_pages *p, unsigned long pfn)
{
	unsigned int i = p->nr_zones - 1;

	while (pfn < p->zones[i].start_pfn)
		i--;
	return &p->zones[i];
}

void range_pages_destroy(struct allocator *a)
{
	struct range_pages *p = to_pages(a);

	set_held(p, 0);
	while (p->nr_zones--)
		if (p->zones[p->nr_zones].range)
			range_destroy(p->zones[p->nr_zones].range);
	machine_free(a->machine, p, sizeof(*p), META_structures);
}

static int zone_create(struct pages_zone *pz, const struct zone *z,
		       const struct range_ops *ops, struct machine *m,
		       const struct option_set *opts, struct msg *msg)
{
	unsigned long block = 1UL << MAX_PAGE_ORDER;
	unsigned long nr_units;
	int err;

	pz->start_pfn = z->start_pfn;
	pz->end_pfn = zone_end_pfn(z);
	pz->base_pfn = z->start_pfn & ~(block - 1);
	nr_units = pz->end_pfn - pz->base_pfn;

	err = ops->create(&pz->range, ops, m, opts, msg);
	if (!err && ops->add(pz->range, 0, nr_units))
		err = msg_set(msg, ENOMEM, "%s: no room for the state of %lu pages",
			      ops->name, nr_units);
	return err;
}

int range_pages_create(struct allocator **out, const struct allocator_ops *ops,
		       const struct range_ops *range_ops, struct machine *m,
		       const struct option_set *opts, struct msg *msg)
{
	const struct layout *l = m->layout;
	struct range_pages *p = machine_alloc(m, sizeof(*p), META_structures);

	if (!p)
		return msg_set(msg, ENOMEM, "%s: no room for its zones",
			       ops->name);
	p->base.ops = ops;
	p->base.machine = m;
	for (unsigned int i = 0; i < l->nr_zones; i++) {
		int err;

		p->nr_zones++;
		err = zone_create(&p->zones[i], &l->zones[i], range_ops, m,
				  opts, msg);
		if (err) {
			range_pages_destroy(&p->base);
			return err;
		}
	}
	if (p->zones[0].range->caps.needs_size)
		p->length_bits = ilog2(roundup_pow2(m->end_pfn));
	*out = &p->base;
	return 0;
}

int range_pages_adopt(struct allocator *a, unsigned long pfn,
		      unsigned int order)
{
	struct range_pages *p = to_pages(a);
	struct pages_zone *z = zone_of(p, pfn);
	int err = z->range->ops->adopt(z->range, pfn - z->base_pfn, 1UL << order);

	if (!err)
		set_held(p, p->nr_held + 1);
	return err;
}

void range_pages_release(struct allocator *a, unsigned long pfn,
			 unsigned int order)
{
	struct pages_zone *z = zone_of(to_pages(a), pfn);

	z->range->ops->release(z->range, pfn - z->base_pfn, 1UL << order);
}

unsigned long range_pages_alloc(struct allocator *a,
				const struct alloc_req *req)
{
	struct range_pages *p = to_pages(a);
	unsigned long nr = 1UL << req->order;
	unsigned int i = min_t(unsigned int, req->zone_limit, p->nr_zones - 1);
	bool waits = !(req->flags & ALLOC_NON_BLOCKING);
	enum range_answer why;

	for (i++; i-- > 0;) {
		struct pages_zone *z = &p->zones[i];
		unsigned long unit = range_alloc_as(z->range, nr, nr,
						    waits, &why);

		if (unit != RANGE_NONE) {
			set_held(p, p->nr_held + 1);
			return z->base_pfn + unit;
		}
		if (why != RANGE_NO_SPACE) {
			a->stats.refused++;
			break;
		}
	}
	return PFN_NONE;
}

void range_pages_free(struct allocator *a, unsigned long pfn,
		      unsigned int order, unsigned int cpu)
{
	struct range_pages *p = to_pages(a);
	struct pages_zone *z = zone_of(p, pfn);
	enum range_answer answer;

	(void)cpu;
	answer = range_free(z->range, pfn - z->base_pfn, 1UL << order);
	assert(answer == RANGE_OK);
	(void)answer;
	set_held(p, p->nr_held - 1);
}

bool range_pages_split(struct allocator *a, unsigned long pfn,
		       unsigned int order, unsigned int new_order)
{
	struct range_pages *p = to_pages(a);
	struct pages_zone *z = zone_of(p, pfn);

	if (z->range->ops->split) {
		if (!z->range->ops->split(z->range, pfn - z->base_pfn,
					  1UL << order, 1UL << new_order))
			return false;
	} else if (!z->range->caps.frees_parts) {
		return false;
	}
	set_held(p, p->nr_held + (1UL << (order - new_order)) - 1);
	return true;
}

void range_pages_drain(struct allocator *a)
{
	struct range_pages *p = to_pages(a);

	for (unsigned int i = 0; i < p->nr_zones; i++)
		if (p->zones[i].range->ops->drain)
			p->zones[i].range->ops->drain(p->zones[i].range);
}

void range_pages_free_area(const struct allocator *a, unsigned int zone,
			   unsigned long nr_free[NR_PAGE_ORDERS])
{
	const struct pages_zone *z = &to_const_pages(a)->zones[zone];
	struct range_run run = { 0, 0 };

	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		nr_free[order] = 0;
	while (z->range->ops->next_free(z->range, run.start + run.nr,
					z->end_pfn - z->base_pfn, &run))
		run_count_blocks(nr_free, z->base_pfn + run.start, run.nr);
}

void range_pages_counts(const struct allocator *a, unsigned int zone,
			struct page_counts *counts)
{
	const struct range *r = to_const_pages(a)->zones[zone].range;

	*counts = (struct page_counts){ .free = r->ops->nr_free(r) };
}

/* Order of the largest aligned free block that holds this free unit. */
static unsigned int free_block_order(const struct range *r, unsigned long unit)
{
	unsigned int order = 0;

	while (order < MAX_PAGE_ORDER &&
	       range_is_free(r, unit >> (order + 1) << (order + 1), 2UL << order))
		order++;
	return order;
}

void range_pages_query(const struct allocator *a, unsigned long pfn,
		       struct page_info *info)
{
	const struct range_pages *p = to_const_pages(a);
	int zone = layout_zone_of(a->machine->layout, pfn);
	const struct pages_zone *z;
	struct range_info unit;

	*info = (struct page_info){ PAGE_STATE_RESERVED, PFN_NONE, 0 };
	if (zone < 0)
		return;
	z = &p->zones[zone];
	z->range->ops->query(z->range, pfn - z->base_pfn, &unit);
	switch (unit.state) {
	case RANGE_INVALID:
	case RANGE_RESERVED:
		return;
	case RANGE_FREE:
		info->state = PAGE_STATE_FREE;
		info->order = free_block_order(z->range, pfn - z->base_pfn);
		info->head = pfn >> info->order << info->order;
		return;
	case RANGE_HEAD:
	case RANGE_BODY:
		info->state = PAGE_STATE_ALLOCATED;
		break;
	case RANGE_USED:
		info->state = PAGE_STATE_USED;
		break;
	}
	if (unit.head != RANGE_NONE)
		info->head = z->base_pfn + unit.head;
	if (unit.nr)
		info->order = ilog2(unit.nr);
}

int range_pages_verify(const struct allocator *a, struct msg *msg)
{
	const struct range_pages *p = to_const_pages(a);
	int err = 0;

	for (unsigned int i = 0; !err && i < p->nr_zones; i++)
		err = p->zones[i].range->ops->verify(p->zones[i].range, msg);
	return err;
}

uint64_t range_pages_fingerprint(const struct allocator *a)
{
	const struct range_pages *p = to_const_pages(a);
	uint64_t hash = 0;

	for (unsigned int i = 0; i < p->nr_zones; i++) {
		const struct range *r = p->zones[i].range;

		hash = fingerprint_mix(hash, r->ops->fingerprint(r));
	}
	return hash;
}
