/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * allocator.c - the calls of a backend that are not on the hot path
 *
 * What a backend leaves out of its table has a meaning of its own, and this is
 * where it is said: see each call.
 */
#include <assert.h>

#include "alloc/allocator.h"

/* Left out: the backend does not know mobility types. */
void allocator_set_block_type(struct allocator *a, unsigned long pfn,
			      unsigned int migratetype)
{
	assert(migratetype < NR_MIGRATETYPES);
	if (a->ops->set_block_type)
		a->ops->set_block_type(a, pfn, migratetype);
}

/* Left out: a reserved page that is freed is no different from any other. */
int allocator_adopt(struct allocator *a, unsigned long pfn, unsigned int order)
{
	assert(order <= MAX_PAGE_ORDER);
	if (a->ops->adopt) {
		int err = a->ops->adopt(a, pfn, order);

		if (err)
			return err;
	}
	a->stats.pages_allocated += 1UL << order;
	return 0;
}

void allocator_release(struct allocator *a, unsigned long pfn,
		       unsigned int order)
{
	assert(order <= MAX_PAGE_ORDER);
	assert((pfn & ((1UL << order) - 1)) == 0);
	a->ops->release(a, pfn, order);
}

/* Left out: the backend has no such lists; the block is free as any other. */
void allocator_release_pcp(struct allocator *a, unsigned long pfn,
			   unsigned int order, unsigned int cpu)
{
	assert(cpu < a->machine->nr_cpus);
	if (a->ops->release_pcp)
		a->ops->release_pcp(a, pfn, order, cpu);
	else
		allocator_release(a, pfn, order);
}

/* Left out: the backend has no such lists, or tunes none. */
void allocator_limit_pcp(struct allocator *a, unsigned int zone,
			 unsigned int cpu, unsigned long pages)
{
	assert(zone < a->machine->layout->nr_zones);
	assert(cpu < a->machine->nr_cpus);
	if (a->ops->limit_pcp)
		a->ops->limit_pcp(a, zone, cpu, pages);
}

/* Left out: the backend takes parts of a block as they come. */
bool allocator_split(struct allocator *a, unsigned long pfn, unsigned int order,
		     unsigned int new_order)
{
	assert(new_order <= order);
	if (new_order == order || !a->ops->split)
		return true;
	return a->ops->split(a, pfn, order, new_order);
}

/* Left out: the pages of a block lie side by side. */
unsigned long allocator_page_after(const struct allocator *a, unsigned long pfn,
				   unsigned long n)
{
	if (!a->ops->next_page)
		return pfn + n;
	while (n--)
		pfn = a->ops->next_page(a, pfn);
	return pfn;
}

/* Left out: the backend hands out what it likes, not what it is told. */
bool allocator_isolate(struct allocator *a, unsigned long pfn,
		       unsigned int order, unsigned int cpu)
{
	assert(order <= MAX_PAGE_ORDER);
	assert(cpu < a->machine->nr_cpus);
	if (!a->ops->isolate || !a->ops->isolate(a, pfn, order, cpu))
		return false;
	a->stats.isolated++;
	a->stats.pages_allocated += 1UL << order;
	return true;
}

/* Left out: nothing in the backend depends on time. */
bool allocator_tick(struct allocator *a, uint64_t now_ns)
{
	return a->ops->tick && a->ops->tick(a, now_ns);
}

/* Left out: the backend parks nothing. */
void allocator_drain(struct allocator *a)
{
	if (a->ops->drain)
		a->ops->drain(a);
}

void allocator_free_area(const struct allocator *a, unsigned int zone,
			 unsigned long nr_free[NR_PAGE_ORDERS])
{
	assert(zone < a->machine->layout->nr_zones);
	a->ops->free_area(a, zone, nr_free);
}

void allocator_counts(const struct allocator *a, unsigned int zone,
		      struct page_counts *counts)
{
	assert(zone < a->machine->layout->nr_zones);
	a->ops->counts(a, zone, counts);
}

void allocator_query(const struct allocator *a, unsigned long pfn,
		     struct page_info *info)
{
	assert(pfn < a->machine->end_pfn);
	a->ops->query(a, pfn, info);
}

int allocator_verify(const struct allocator *a, struct msg *msg)
{
	return a->ops->verify(a, msg);
}

uint64_t allocator_fingerprint(const struct allocator *a)
{
	return a->ops->fingerprint(a);
}

void allocator_count(struct allocator *a, struct cost *cost)
{
#ifdef PAGETAX_COUNT
	a->cost = cost;
#endif
	if (!cost)
		return;
	cost->nr_areas = 0;
	machine_watch(a->machine, cost);
	cost->except = (struct cost_area){ (uintptr_t)a, sizeof(*a) };
}

void allocator_destroy(struct allocator *a)
{
	a->ops->destroy(a);
}
