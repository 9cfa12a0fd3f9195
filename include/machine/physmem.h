/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * physmem.h - the bytes of a simulated machine's memory
 *
 *   pfn        0                      low_pages              end_pfn
 *   memfd      |       lowmem         |       highmem        |   sparse
 *   direct     |  read and write      |        faults        |
 *   view       |  arith, uncounted: read and write           |
 *              |  guard:            read only, for checkers  |
 *
 * A page is backed by the host from its first touch on, so a simulated
 * terabyte in which a few pages carry nodes costs those few pages. A backend
 * reaches lowmem through the direct map and highmem through the window
 * (machine/highmem.h), which computes addresses in the view, or in guard mode
 * maps single pages of the memfd.
 *
 * A 32-bit host cannot span such a memory: it has no view. Highmem pages are
 * then kept in a two-level table, made at their first touch.
 */
#ifndef PAGETAX_MACHINE_PHYSMEM_H
#define PAGETAX_MACHINE_PHYSMEM_H

#include <assert.h>

#include "base/msg.h"
#include "base/types.h"

#ifndef HIGHMEM_BY_TABLE
#if UINTPTR_MAX > UINT32_MAX
#define HIGHMEM_BY_TABLE 0
#else
#define HIGHMEM_BY_TABLE 1
#endif
#endif

#define PHYSMEM_LEAF_PAGES 1024UL	/* 4 MiB of memory in one leaf */

struct physmem_leaf {
	unsigned char *page[PHYSMEM_LEAF_PAGES];	/* NULL: never touched */
};

struct physmem {
	unsigned long end_pfn;		/* set at create */
	unsigned long low_pages;	/* set at create: pages in the direct map */
	bool guard;			/* set at create */
	int fd;				/* the memfd */

	unsigned char *direct;
	size_t direct_bytes;		/* reserved, the part that faults too */
	unsigned char *view;		/* by table: of lowmem, made when forced */
	size_t view_bytes;

	struct physmem_leaf **leaves;	/* by table, not in guard mode */
	unsigned char *peek;		/* by table, in guard mode: one page */
};

/*
 * Memory of end_pfn pages, of which the first low_pages are lowmem. Returns 0,
 * -ENOMEM with a message that names the bytes needed, or -EINVAL when guard is
 * asked for and PAGE_SIZE is not the host's.
 */
int physmem_create(struct physmem *p, unsigned long end_pfn,
		   unsigned long low_pages, bool guard, struct msg *msg);
void physmem_destroy(struct physmem *p);

/* Bytes of address space that such a memory reserves when it is made. */
uint64_t physmem_addresses(unsigned long end_pfn, unsigned long low_pages);

/* Address of a lowmem page in the direct map. */
static inline void *physmem_direct(const struct physmem *p, unsigned long pfn)
{
	assert(pfn < p->low_pages);
	return p->direct + ((size_t)pfn << PAGE_SHIFT);
}

static inline bool physmem_is_direct(const struct physmem *p, const void *addr)
{
	return (uintptr_t)addr - (uintptr_t)p->direct <
	       (uintptr_t)p->low_pages << PAGE_SHIFT;
}

/* The same for any page, in a host that has no view. */
void *physmem_table_page(struct physmem *p, unsigned long pfn);

/* Address of any page outside the direct map; not in guard mode. */
static inline void *physmem_view(struct physmem *p, unsigned long pfn)
{
	assert(pfn < p->end_pfn);
	assert(!p->guard);
	if (HIGHMEM_BY_TABLE)
		return physmem_table_page(p, pfn);
	return p->view + ((size_t)pfn << PAGE_SHIFT);
}

/* Guard mode: let the host page at addr be this page, or a page that faults. */
void physmem_map_at(const struct physmem *p, unsigned long pfn, void *addr);
void physmem_unmap_at(void *addr);

/* Address to read any page in any mode; holds until the next call. */
const void *physmem_peek(const struct physmem *p, unsigned long pfn);

/* Copy all of memory out, and in again: end_pfn << PAGE_SHIFT bytes. */
void physmem_save(const struct physmem *p, void *buf);
void physmem_restore(struct physmem *p, const void *buf);

#endif
