/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config.h - the build constants of the simulated machine
 *
 * Every one may be set on the compiler's command line; tests build the library
 * with tiny values so that ten entries make a deep tree.
 */
#ifndef PAGETAX_BASE_CONFIG_H
#define PAGETAX_BASE_CONFIG_H

#ifndef PAGE_SHIFT
#define PAGE_SHIFT 12			/* log2 of a page's bytes; 4 in the tiniest tests */
#endif
#define PAGE_SIZE (1UL << PAGE_SHIFT)

#ifndef MAX_PAGE_ORDER
#define MAX_PAGE_ORDER 10		/* the largest block is 2^10 pages, as in Linux */
#endif
#define NR_PAGE_ORDERS (MAX_PAGE_ORDER + 1)

#ifndef PAGEBLOCK_ORDER
#define PAGEBLOCK_ORDER 9		/* the unit of mobility types: 2 MiB */
#endif
#define PAGEBLOCK_NR_PAGES (1UL << PAGEBLOCK_ORDER)

#ifndef KM_MAX_IDX
#define KM_MAX_IDX 16			/* one more than the live maps a CPU may hold */
#endif

#define MAX_NR_ZONES 6			/* DMA, DMA32, Normal, HighMem, Movable, Device */
#define MAX_NR_CPUS 1024		/* trace formats carry 16-bit CPU numbers */

_Static_assert(PAGEBLOCK_ORDER <= MAX_PAGE_ORDER, "a pageblock is one block at most");

#endif
