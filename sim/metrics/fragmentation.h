/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fragmentation.h - the kernel's measures of scattered memory
 *
 * All take nr_free[o], the free blocks of order o, as /proc/buddyinfo shows
 * them. With F free pages in B blocks, and U_k the blocks of order k that
 * could be cut from blocks of order k and above:
 *
 *    unusable index (k)   1000 (F - U_k 2^k) / F, rounded down; 1000 if F = 0
 *                         0: all free memory would serve order k; 1000: none
 *    extfrag index (k)    0 if B = 0; -1000 if U_k > 0, it would succeed;
 *                         else 1000 - (1000 + 1000 F / 2^k) / B, each division
 *                         rounded down: towards 0 a request fails for lack of
 *                         memory, towards 1000 because memory is scattered
 *
 * They are whole numbers, thousandths, exactly as the kernel computes them.
 */
#ifndef PAGETAX_SIM_METRICS_FRAGMENTATION_H
#define PAGETAX_SIM_METRICS_FRAGMENTATION_H

#include "base/types.h"

uint64_t free_area_pages(const unsigned long nr_free[NR_PAGE_ORDERS]);
uint64_t free_area_blocks(const unsigned long nr_free[NR_PAGE_ORDERS]);

/* U_k above. */
uint64_t free_area_suitable(const unsigned long nr_free[NR_PAGE_ORDERS],
			    unsigned int order);

unsigned int unusable_free_index(const unsigned long nr_free[NR_PAGE_ORDERS],
				 unsigned int order);
int extfrag_index(const unsigned long nr_free[NR_PAGE_ORDERS],
		  unsigned int order);

/*
 * Share of free pages in blocks of a pageblock (2 MiB) and above, from 0 to 1;
 * 0 when nothing is free.
 */
double free_share_2m(const unsigned long nr_free[NR_PAGE_ORDERS]);

/* Largest order with a free block; -1 when nothing is free. */
int largest_free_order(const unsigned long nr_free[NR_PAGE_ORDERS]);

#endif
