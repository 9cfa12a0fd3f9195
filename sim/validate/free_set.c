/* SPDX-License-Identifier: GPL-2.0-or-later */
/* free_set.c - join on the way in, cut on the way out */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "sim/validate/free_set.h"

int free_set_init(struct free_set *set, const struct layout *layout)
{
	*set = (struct free_set){ .layout = layout };
	set->head = calloc(layout_end_pfn(layout), sizeof(*set->head));
	return set->head ? 0 : -ENOMEM;
}

void free_set_destroy(struct free_set *set)
{
	free(set->head);
	*set = (struct free_set){ 0 };
}

unsigned long free_set_find(const struct free_set *set, unsigned long pfn,
			    unsigned int *order)
{
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
		unsigned long head = pfn & ~((1UL << o) - 1);

		if (set->head[head] > o) {
			*order = set->head[head] - 1U;
			return head;
		}
	}
	return PFN_NONE;
}

static unsigned int zone_of(const struct free_set *set, unsigned long pfn)
{
	int zone = layout_zone_of(set->layout, pfn);

	assert(zone >= 0);
	return (unsigned int)zone;
}

static void add(struct free_set *set, unsigned int zone, unsigned long pfn,
		unsigned int order, enum free_move move)
{
	set->head[pfn] = (uint8_t)(order + 1);
	set->nr_free[zone][order]++;
	if (set->moved)
		set->moved(set->moved_ctx, zone, pfn, order, move);
}

static void del(struct free_set *set, unsigned int zone, unsigned long pfn,
		unsigned int order)
{
	assert(set->head[pfn] == order + 1);
	set->head[pfn] = 0;
	set->nr_free[zone][order]--;
	if (set->moved)
		set->moved(set->moved_ctx, zone, pfn, order, FREE_MOVE_OUT);
}

static void join(struct free_set *set, unsigned int z, unsigned long pfn,
		 unsigned int order)
{
	const struct zone *zone = &set->layout->zones[z];

	for (; order < MAX_PAGE_ORDER; order++) {
		unsigned long buddy = pfn_buddy(pfn, order);

		if (!zone_spans(zone, buddy) || set->head[buddy] != order + 1)
			break;
		del(set, z, buddy, order);
		pfn &= buddy;
	}
	add(set, z, pfn, order, FREE_MOVE_IN);
}

unsigned long free_set_put(struct free_set *set, unsigned long pfn,
			   unsigned int order)
{
	unsigned int zone = zone_of(set, pfn);
	unsigned long changed = 0;
	unsigned int whole;
	bool any = false;

	for (unsigned long i = 0; i < 1UL << order && !any; i++)
		any = free_set_find(set, pfn + i, &whole) != PFN_NONE;
	if (!any) {
		join(set, zone, pfn, order);
		return 1UL << order;
	}
	for (unsigned long i = 0; i < 1UL << order; i++) {
		if (free_set_find(set, pfn + i, &whole) != PFN_NONE)
			continue;
		join(set, zone, pfn + i, 0);
		changed++;
	}
	return changed;
}

/* Take [pfn, pfn + 2^order) out of the free block [head, head + 2^whole). */
static void cut(struct free_set *set, unsigned int zone, unsigned long head,
		unsigned int whole, unsigned long pfn, unsigned int order)
{
	del(set, zone, head, whole);
	while (whole-- > order) {
		unsigned long upper = head + (1UL << whole);

		if (pfn < upper) {
			add(set, zone, upper, whole, FREE_MOVE_REST);
		} else {
			add(set, zone, head, whole, FREE_MOVE_REST);
			head = upper;
		}
	}
}

unsigned long free_set_take(struct free_set *set, unsigned long pfn,
			    unsigned int order)
{
	const unsigned long end = pfn + (1UL << order);
	unsigned int zone = zone_of(set, pfn);
	unsigned long changed = 0;

	while (pfn < end) {
		unsigned int whole;
		unsigned long head = free_set_find(set, pfn, &whole);

		if (head == PFN_NONE) {
			pfn++;
			continue;
		}
		if (whole >= order) {
			cut(set, zone, head, whole, pfn, order);
			return 1UL << order;
		}
		del(set, zone, head, whole);
		changed += 1UL << whole;
		pfn = head + (1UL << whole);
	}
	return changed;
}
