/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xor_list.h - a list with two ends that costs one word of each member
 *
 *    first                            last
 *    a, next b                        c, next b
 *    [ a ]        [ b ]        [ c ]
 *    none ^ b     a ^ c        b ^ none        the word: prev ^ next
 *
 * Who comes from a neighbour knows the other one: next = word ^ prev. At the
 * ends there is no neighbour, so members join and leave there without a walk.
 * Leaving from the middle would take one; per-CPU lists never do that.
 *
 * An end says who stands there and who stands next to him, two pfns of 32 bits
 * (16 TiB). So a push only writes: a freed page is still on its way from memory,
 * and to read its word, even one just written, would wait for that.
 *
 * push: writes the member's word and that of its one neighbour; pop: reads and
 * writes the neighbour's.
 */
#ifndef PAGETAX_ALLOC_BUDDY_XOR_LIST_H
#define PAGETAX_ALLOC_BUDDY_XOR_LIST_H

#include "repr.h"

#define XOR_NONE UINT32_MAX		/* no neighbour; two of them are LINK_END */

/* Where the link word of a member is; b is handed through. */
typedef unsigned long *xor_link_fn(const struct buddy *b, unsigned long pfn);

/*
 * What stands at an end of a list.
 *   bits 0-31   pfn of the member
 *   bits 32-63  pfn of its neighbour, or XOR_NONE
 */
static inline uint64_t xor_end(uint32_t pfn, uint32_t neighbour)
{
	return pfn | (uint64_t)neighbour << 32;
}

static inline uint32_t xor_end_pfn(uint64_t end)
{
	return (uint32_t)end;
}

static inline uint32_t xor_end_neighbour(uint64_t end)
{
	return (uint32_t)(end >> 32);
}

static __always_inline void xor_list_push(const struct buddy *b,
					  struct link_list *list,
					  xor_link_fn *link, unsigned long pfn,
					  enum list_end end)
{
	uint64_t *near = end == LIST_HEAD ? &list->first : &list->last;
	uint64_t *far = end == LIST_HEAD ? &list->last : &list->first;
	uint32_t old = xor_end_pfn(*near), behind = xor_end_neighbour(*near);

	COST_NOW(list_nodes, 1 + (old != XOR_NONE));
	*link(b, pfn) = XOR_NONE ^ old;
	*near = xor_end((uint32_t)pfn, old);
	if (unlikely(old == XOR_NONE)) {
		*far = *near;
		return;
	}
	*link(b, old) = (uint32_t)pfn ^ behind;
	if (behind == XOR_NONE)
		*far = xor_end(old, (uint32_t)pfn);
}

/* The list must not be empty. */
static __always_inline unsigned long xor_list_pop(const struct buddy *b,
						  struct link_list *list,
						  xor_link_fn *link,
						  enum list_end end)
{
	uint64_t *near = end == LIST_HEAD ? &list->first : &list->last;
	uint64_t *far = end == LIST_HEAD ? &list->last : &list->first;
	uint32_t pfn = xor_end_pfn(*near), next = xor_end_neighbour(*near);
	uint32_t behind;

	COST_NOW(list_nodes, next != XOR_NONE);
	if (next == XOR_NONE) {
		*near = *far = LINK_END;
		return pfn;
	}
	behind = (uint32_t)*link(b, next) ^ pfn;
	*link(b, next) = XOR_NONE ^ behind;
	*near = xor_end(next, behind);
	if (behind == XOR_NONE)
		*far = *near;
	return pfn;
}

/* The member after `pfn` on the way from one before, PFN_NONE at the ends. */
static inline unsigned long xor_list_next(const struct buddy *b,
					  xor_link_fn *link, unsigned long pfn,
					  unsigned long prev)
{
	uint32_t next = (uint32_t)*link(b, pfn) ^ (uint32_t)prev;

	return next == XOR_NONE ? PFN_NONE : next;
}

#endif
