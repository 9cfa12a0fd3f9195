/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fragmentation.c - the kernel's measures, from counts of free blocks */
#include "sim/metrics/fragmentation.h"

uint64_t free_area_pages(const unsigned long nr_free[NR_PAGE_ORDERS])
{
	return free_area_suitable(nr_free, 0);
}

uint64_t free_area_blocks(const unsigned long nr_free[NR_PAGE_ORDERS])
{
	uint64_t blocks = 0;

	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		blocks += nr_free[o];
	return blocks;
}

uint64_t free_area_suitable(const unsigned long nr_free[NR_PAGE_ORDERS],
			    unsigned int order)
{
	uint64_t suitable = 0;

	for (unsigned int o = order; o < NR_PAGE_ORDERS; o++)
		suitable += (uint64_t)nr_free[o] << (o - order);
	return suitable;
}

unsigned int unusable_free_index(const unsigned long nr_free[NR_PAGE_ORDERS],
				 unsigned int order)
{
	uint64_t free = free_area_pages(nr_free);
	uint64_t usable = free_area_suitable(nr_free, order) << order;

	if (!free)
		return 1000;
	return (unsigned int)((free - usable) * 1000 / free);
}

int extfrag_index(const unsigned long nr_free[NR_PAGE_ORDERS],
		  unsigned int order)
{
	uint64_t blocks = free_area_blocks(nr_free);
	uint64_t requests;		/* in thousandths */

	if (!blocks)
		return 0;
	if (free_area_suitable(nr_free, order))
		return -1000;
	requests = free_area_pages(nr_free) * 1000 >> order;
	return 1000 - (int)((1000 + requests) / blocks);
}

double free_share_2m(const unsigned long nr_free[NR_PAGE_ORDERS])
{
	uint64_t free = free_area_pages(nr_free);
	uint64_t whole = free_area_suitable(nr_free, PAGEBLOCK_ORDER)
			 << PAGEBLOCK_ORDER;

	return free ? (double)whole / (double)free : 0;
}

int largest_free_order(const unsigned long nr_free[NR_PAGE_ORDERS])
{
	for (int o = MAX_PAGE_ORDER; o >= 0; o--) {
		if (nr_free[o])
			return o;
	}
	return -1;
}
