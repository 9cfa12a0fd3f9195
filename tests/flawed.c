/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flawed.c - see flawed.h */
#include <stdlib.h>

#include "tests/flawed.h"

enum { PAGE_RESERVED, PAGE_FREE, PAGE_LOST, PAGE_HELD /* plus the order */ };

struct flawed {
	struct allocator base;
	enum flaw flaw;
	unsigned long gained;		/* pages that only counts() sees */
	uint8_t page[];			/* for each pfn below end_pfn */
};

const struct flaw_fact flaw_facts[NR_FLAWS] = {
#define FLAW_FACT(name, what, shadow) { what, SEEN_##shadow },
	FLAWS(FLAW_FACT)
#undef FLAW_FACT
};

static struct flawed *to_flawed(struct allocator *a)
{
	return container_of(a, struct flawed, base);
}

static const struct flawed *to_const_flawed(const struct allocator *a)
{
	return container_of_const(a, struct flawed, base);
}

static void set_pages(struct flawed *f, unsigned long pfn, unsigned int order,
		      unsigned int to)
{
	for (unsigned long p = pfn; p < pfn + (1UL << order); p++)
		f->page[p] = (uint8_t)to;
}

static bool all_free(const struct flawed *f, unsigned long pfn,
		     unsigned int order)
{
	for (unsigned long p = pfn; p < pfn + (1UL << order); p++)
		if (f->page[p] != PAGE_FREE)
			return false;
	return true;
}

static bool fits(const struct zone *z, unsigned long pfn, unsigned int order)
{
	return (pfn & ((1UL << order) - 1)) == 0 && pfn >= z->start_pfn &&
	       pfn + (1UL << order) <= zone_end_pfn(z);
}

/* The first block that is held, or else free, in any zone up to the limit. */
static unsigned long first_block(const struct flawed *f, unsigned int limit,
				 unsigned int order, bool held)
{
	const struct layout *l = f->base.machine->layout;

	for (unsigned int i = limit + 1; i--; ) {
		const struct zone *z = &l->zones[i];

		for (unsigned long p = z->start_pfn; p < zone_end_pfn(z); p++)
			if (fits(z, p, order) &&
			    (held ? f->page[p] == PAGE_HELD + order :
				    all_free(f, p, order)))
				return p;
	}
	return PFN_NONE;
}

static unsigned long wrong_block(const struct flawed *f,
				 const struct alloc_req *req)
{
	const struct layout *l = f->base.machine->layout;
	unsigned int last = l->nr_zones - 1;
	unsigned long nr_pages = 1UL << req->order;

	switch (f->flaw) {
	case FLAW_TWICE:
		return first_block(f, last, req->order, true);
	case FLAW_OVERLAP:
		return first_block(f, last, req->order + 1, true) + nr_pages;
	case FLAW_MISALIGNED:
		return first_block(f, last, req->order, false) + 1;
	case FLAW_OUTSIDE:
		return (layout_end_pfn(l) + nr_pages) & ~(nr_pages - 1);
	case FLAW_HOLE:
		return l->holes[0].start_pfn;
	case FLAW_ABOVE_LIMIT:
		return first_block(f, last, req->order, false);
	default:
		return PFN_NONE;
	}
}

static unsigned long flawed_alloc(struct allocator *a,
				  const struct alloc_req *req)
{
	struct flawed *f = to_flawed(a);
	unsigned long pfn;

	if (f->flaw == FLAW_REFUSES)
		return PFN_NONE;
	if (f->flaw == FLAW_LEFT_MAPPED)
		kmap_local_forced(a->machine, req->cpu, 0);
	pfn = wrong_block(f, req);
	if (pfn != PFN_NONE)
		return pfn;
	pfn = first_block(f, req->zone_limit, req->order, false);
	if (pfn != PFN_NONE)
		set_pages(f, pfn, req->order, PAGE_HELD + req->order);
	return pfn;
}

static void flawed_free(struct allocator *a, unsigned long pfn,
			unsigned int order, unsigned int cpu)
{
	struct flawed *f = to_flawed(a);

	(void)cpu;
	set_pages(f, pfn, order, PAGE_FREE);
	if (f->flaw == FLAW_LOST)
		f->page[pfn] = PAGE_LOST;
	if (f->flaw == FLAW_GAINED)
		f->gained++;
	if (f->flaw == FLAW_ALLOCATES)
		machine_free(a->machine,
			     machine_alloc(a->machine, 64, META_structures),
			     64, META_structures);
}

static void flawed_release(struct allocator *a, unsigned long pfn,
			   unsigned int order)
{
	set_pages(to_flawed(a), pfn, order, PAGE_FREE);
}

static int flawed_adopt(struct allocator *a, unsigned long pfn,
			unsigned int order)
{
	set_pages(to_flawed(a), pfn, order, PAGE_HELD + order);
	return 0;
}

static bool flawed_split(struct allocator *a, unsigned long pfn,
			 unsigned int order, unsigned int new_order)
{
	set_pages(to_flawed(a), pfn, order, PAGE_HELD + new_order);
	return true;
}

static void flawed_free_area(const struct allocator *a, unsigned int zone,
			     unsigned long nr_free[NR_PAGE_ORDERS])
{
	const struct flawed *f = to_const_flawed(a);
	const struct zone *z = &a->machine->layout->zones[zone];
	unsigned long pfn = z->start_pfn;

	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		nr_free[order] = 0;
	while (pfn < zone_end_pfn(z)) {
		unsigned int order = MAX_PAGE_ORDER;

		while (order && !(fits(z, pfn, order) && all_free(f, pfn, order)))
			order--;
		nr_free[order] += all_free(f, pfn, order);
		pfn += 1UL << order;
	}
	nr_free[0] += f->flaw == FLAW_MISCOUNTS;
}

static void flawed_counts(const struct allocator *a, unsigned int zone,
			  struct page_counts *counts)
{
	const struct flawed *f = to_const_flawed(a);
	const struct zone *z = &a->machine->layout->zones[zone];

	*counts = (struct page_counts){ .free = f->gained };
	for (unsigned long p = z->start_pfn; p < zone_end_pfn(z); p++)
		counts->free += f->page[p] == PAGE_FREE;
}

static void flawed_query(const struct allocator *a, unsigned long pfn,
			 struct page_info *info)
{
	const struct flawed *f = to_const_flawed(a);
	uint8_t page = f->page[pfn];

	*info = (struct page_info){ PAGE_STATE_RESERVED, PFN_NONE, 0 };
	if (page == PAGE_FREE)
		info->state = PAGE_STATE_FREE;
	if (page >= PAGE_HELD)
		info->state = f->flaw == FLAW_MISLEADS ? PAGE_STATE_FREE :
							 PAGE_STATE_ALLOCATED;
}

static int flawed_verify(const struct allocator *a, struct msg *msg)
{
	(void)a;
	(void)msg;
	return 0;
}

static void flawed_destroy(struct allocator *a)
{
	machine_free(a->machine, a,
		     sizeof(struct flawed) + a->machine->end_pfn,
		     META_structures);
}

static const struct allocator_ops flawed_ops = {
	.name      = "flawed",
	.summary   = "first fit, with a planted bug",
	.caps      = { .max_order = MAX_PAGE_ORDER, .query = QUERY_USED_FREE },
	.destroy   = flawed_destroy,
	.adopt     = flawed_adopt,
	.release   = flawed_release,
	.alloc     = flawed_alloc,
	.free      = flawed_free,
	.split     = flawed_split,
	.free_area = flawed_free_area,
	.counts    = flawed_counts,
	.query     = flawed_query,
	.verify    = flawed_verify,
};

struct allocator *flawed_create(struct machine *m)
{
	struct flawed *f = machine_alloc(m, sizeof(*f) + m->end_pfn,
					 META_structures);

	if (!f)
		abort();
	f->base.ops = &flawed_ops;
	f->base.machine = m;
	return &f->base;
}

void flawed_plant(struct allocator *a, enum flaw flaw)
{
	to_flawed(a)->flaw = flaw;
}
