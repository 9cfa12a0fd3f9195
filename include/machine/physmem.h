/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * physmem.h - the bytes of a simulated machine's memory
 *
 *   pfn        0                      low_pages              end_pfn
 *   direct     |  lowmem              |        faults        |
 *   view       |                      |       highmem        |
 *
 * A backend reaches lowmem through the direct map and highmem through the
 * window (machine/highmem.h), which computes addresses in the view. A page is
 * backed by the host from its first touch on, so a simulated terabyte in which
 * a few pages carry nodes costs those few pages.
 *
 * A kernel maps its memory by pages of 2 MiB or 1 GiB, so that nodes anywhere
 * cost its TLB little. The host maps 4 KiB; huge pages would bring 2 MiB in for
 * each node. So pages lie in the order of their first touch, side by side in
 * ranges that the host may back with huge pages, but for the first 2 MiB:
 *
 *   nth        [ . . 2 . 1 . . . ]    by pfn; here pfn 4 was touched first
 *   direct     | pfn 4 | pfn 2 |                            at[] = 4, 2
 *
 * In guard mode each page lies at its own place in a memfd, which the direct map
 * shows up to highmem; the window maps single pages of it, and checkers have a
 * view of the whole that is read only.
 *
 * A 32-bit host cannot span such a memory: it has no view, lowmem lies in a memfd
 * as in guard mode. Highmem pages are then kept in a two-level table, made at
 * their first touch.
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
	int fd;				/* the memfd, or -1 */

	unsigned char *direct;
	size_t direct_bytes;		/* reserved, the part that faults too */
	unsigned char *view;		/* by table: of lowmem, made when forced */
	size_t view_bytes;

	/* Where pages lie in the order of their first touch; else NULL. */
	uint32_t *nth;			/* by pfn: its rank among them, of lowmem or of highmem, from 1; 0: untouched */
	unsigned long *at;		/* the pages: of lowmem from 0, of highmem from low_pages */
	uint32_t nr_touched[2];		/* of lowmem, of highmem */

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

/* A page that had no place gets the next one. */
uint32_t physmem_first_touch(struct physmem *p, unsigned long pfn);

/*
 * Have the host give, now, what the next nr_pages of lowmem and of highmem that are
 * touched will lie in, if any of that kind were: their first touch is then no fault
 * of the host's, as it is none in a kernel. Only advice; nothing where pages lie in
 * a memfd.
 */
void physmem_populate(const struct physmem *p, unsigned long nr_pages);

/* Where the nth page of a kind lies, that of pfn: lowmem from 0, highmem from low_pages. */
static inline unsigned long physmem_nth_place(const struct physmem *p,
					      unsigned long pfn, uint32_t nth)
{
	return (pfn < p->low_pages ? 0 : p->low_pages) + nth - 1;
}

/* Which page of direct map or view is this one. */
static inline unsigned long physmem_place(struct physmem *p, unsigned long pfn)
{
	uint32_t nth;

	if (!p->nth)
		return pfn;
	nth = p->nth[pfn];
	if (unlikely(!nth))
		nth = physmem_first_touch(p, pfn);
	return physmem_nth_place(p, pfn, nth);
}

/* Address of a lowmem page in the direct map. */
static inline void *physmem_direct(struct physmem *p, unsigned long pfn)
{
	assert(pfn < p->low_pages);
	return p->direct + ((size_t)physmem_place(p, pfn) << PAGE_SHIFT);
}

static inline bool physmem_is_direct(const struct physmem *p, const void *addr)
{
	return (uintptr_t)addr - (uintptr_t)p->direct <
	       (uintptr_t)p->low_pages << PAGE_SHIFT;
}

/* The same for any page, in a host that has no view. */
void *physmem_table_page(struct physmem *p, unsigned long pfn);

/* Address of any page; not in guard mode. */
static inline void *physmem_view(struct physmem *p, unsigned long pfn)
{
	assert(pfn < p->end_pfn);
	assert(!p->guard);
	if (HIGHMEM_BY_TABLE)
		return physmem_table_page(p, pfn);
	if (pfn < p->low_pages)
		return physmem_direct(p, pfn);
	return p->view + ((size_t)physmem_place(p, pfn) << PAGE_SHIFT);
}

/* The page at an address of the direct map, or in a host that has a view, of that. */
static inline unsigned long physmem_pfn_at(const struct physmem *p, const void *addr)
{
	const unsigned char *base = physmem_is_direct(p, addr) ? p->direct : p->view;
	size_t place = (size_t)((const unsigned char *)addr - base) >> PAGE_SHIFT;

	assert(place < p->end_pfn);
	return p->nth ? p->at[place] : place;
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
