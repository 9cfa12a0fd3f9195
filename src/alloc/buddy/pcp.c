/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcp.c - sizing, ageing and checking of per-CPU lists; see pcp.h
 *
 * Sizes, in pages, from the zone's managed pages M, its low mark and its CPUs:
 *    batch     M / 1024, 1 MiB at most, a quarter of it; then one less than the
 *              nearest power of two; 1 at least (63 from 1 GiB on)
 *    high_min  low mark / CPUs
 *    high_max  M / 8 / CPUs; both 4 batches at least
 */
#include "pcp.h"

#define MAX_BATCH ((1UL << 20) >> PAGE_SHIFT)
#define HIGH_MAX_SHARE 8

static int default_batch(const struct zone *zone)
{
	unsigned long batch = zone->managed >> 10;

	batch = min_t(unsigned long, batch, MAX_BATCH) / 4;
	batch = max_t(unsigned long, batch, 1);
	batch = (1UL << ilog2(batch + batch / 2)) - 1;
	return (int)max_t(unsigned long, batch, 1);
}

/* The recorded machine's sizes, where they are known. */
static void size_lists(struct pcp *pcp, const struct buddy_zone *z,
		       unsigned int nr_cpus, unsigned long high,
		       unsigned long batch)
{
	const struct zone *zone = z->zone;
	unsigned long low = zone->pcp_high_min, top = zone->pcp_high_max;

	if (!low)
		low = z->mark[MARK_LOW] / nr_cpus;
	if (!top)
		top = zone->managed / HIGH_MAX_SHARE / nr_cpus;
	if (high)
		low = top = high;
	pcp->batch = default_batch(zone);
	if (zone->pcp_batch)
		pcp->batch = (int)zone->pcp_batch;
	if (batch)
		pcp->batch = (int)batch;
	pcp->high_min = (int)low;
	pcp->high_max = (int)top;
	if (!high) {
		pcp->high_min = max_t(int, pcp->high_min, 4 * pcp->batch);
		pcp->high_max = max_t(int, pcp->high_max, pcp->high_min);
	}
	pcp->high = pcp->high_min;
}

bool pcp_create(struct buddy *b, struct buddy_zone *z, unsigned long high,
		unsigned long batch)
{
	unsigned int nr_cpus = b->base.machine->nr_cpus;

	z->pcps = machine_alloc(b->base.machine, nr_cpus * sizeof(*z->pcps),
				META_structures);
	if (!z->pcps)
		return false;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		struct pcp *pcp = &z->pcps[cpu];

		size_lists(pcp, z, nr_cpus, high, batch);
		for (unsigned int i = 0; i < PCP_NR_LISTS; i++)
			pcp->lists[i] = (struct link_list){ LINK_END, LINK_END };
	}
	return true;
}

void pcp_destroy(struct buddy *b, struct buddy_zone *z)
{
	struct machine *m = b->base.machine;

	if (!z->pcps)
		return;
	meta_uncharge(&m->meta, META_parked, (uint64_t)z->parked << PAGE_SHIFT);
	machine_free(m, z->pcps, m->nr_cpus * sizeof(*z->pcps), META_structures);
}

void pcp_limit_to(struct pcp *pcp, unsigned long pages)
{
	unsigned long least = (unsigned long)max_t(int, pcp->high_min, pcp->count);

	if (!pcp_is_tuned(pcp))
		return;
	pages = max_t(unsigned long, pages, least);
	pcp->high = (int)min_t(unsigned long, pages, (unsigned long)pcp->high_max);
}

/*
 * The lock is not held for more than a batch, and a block is never cut: so a
 * huge page goes for each batch, if there is nothing smaller. (A recorded
 * machine that was 1734 pages above its limit, in batches of 63, drained 28.)
 */
bool pcp_decay(const struct buddy_repr *r, struct buddy *b,
	       struct buddy_zone *z, struct pcp *pcp)
{
	int most = pcp->batch << PCP_BATCH_SCALE_MAX;
	int before = pcp->high;
	bool drains;
	int left;

	if (pcp->high > pcp->high_min) {
		int high = pcp->high - pcp->high / 8;

		high = max_t(int, high, pcp->count - most);
		pcp->high = max_t(int, high, pcp->high_min);
	}
	drains = pcp->count > pcp->high;
	for (left = pcp->count - pcp->high; left > 0; left -= pcp->batch)
		pcp_drain(r, b, z, pcp, min_t(int, left, pcp->batch), 0);
	return drains || pcp->high != before;
}

void pcp_drain_all(const struct buddy_repr *r, struct buddy *b,
		   struct buddy_zone *z)
{
	for (unsigned int cpu = 0; cpu < b->base.machine->nr_cpus; cpu++)
		if (z->pcps[cpu].count)
			pcp_drain(r, b, z, &z->pcps[cpu], z->pcps[cpu].count, 0);
}

static unsigned long parked_pfn(const struct buddy_repr *r,
				const struct buddy *b, uint64_t place)
{
	if (place == LINK_END)
		return PFN_NONE;
	return r->parked_pfn ? r->parked_pfn(b, place) : (unsigned long)place;
}

static int verify_pcp_list(const struct buddy_repr *r, const struct buddy *b,
			   const struct buddy_zone *z, const struct pcp *pcp,
			   unsigned int index, int *pages, struct msg *msg)
{
	const struct link_list *list = &pcp->lists[index];
	unsigned long prev = PFN_NONE, pfn = parked_pfn(r, b, list->first);
	unsigned long last = parked_pfn(r, b, list->last);

	while (pfn != PFN_NONE) {
		unsigned long next;
		unsigned int order;

		if (pfn < z->start_pfn || pfn >= z->end_pfn ||
		    r->kind(b, pfn, &order) != KIND_PCP ||
		    order != pcp_list_order(index) || *pages > pcp->count)
			return msg_set(msg, EUCLEAN,
				       "zone %s: pfn %#lx stands on per-CPU list %u and does not belong there",
				       z->zone->name, pfn, index);
		*pages += 1 << order;
		next = r->next_parked(b, pfn, prev);
		prev = pfn;
		pfn = next;
	}
	if (prev != last)
		return msg_set(msg, EUCLEAN,
			       "zone %s: per-CPU list %u ends at pfn %#lx instead of %#lx",
			       z->zone->name, index, prev, last);
	return 0;
}

int pcp_verify(const struct buddy_repr *r, const struct buddy *b,
	       const struct buddy_zone *z, struct msg *msg)
{
	unsigned long parked = 0;
	int err = 0;

	for (unsigned int cpu = 0; z->pcps && cpu < b->base.machine->nr_cpus;
	     cpu++) {
		const struct pcp *pcp = &z->pcps[cpu];
		int pages = 0;

		for (unsigned int i = 0; !err && i < PCP_NR_LISTS; i++)
			err = verify_pcp_list(r, b, z, pcp, i, &pages, msg);
		if (err)
			return err;
		if (pages != pcp->count)
			return msg_set(msg, EUCLEAN,
				       "zone %s: CPU %u has %d pages on its lists and counts %d",
				       z->zone->name, cpu, pages, pcp->count);
		parked += (unsigned long)pages;
	}
	if (parked != z->parked)
		return msg_set(msg, EUCLEAN,
			       "zone %s: %lu pages are on per-CPU lists, the counter says %lu",
			       z->zone->name, parked, z->parked);
	return 0;
}
