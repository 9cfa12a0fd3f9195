/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xor_list.h - a list with two ends that costs one word of each member
 *
 *    head                              tail
 *    [ a ]        [ b ]        [ c ]
 *    none ^ b     a ^ c        b ^ none        the word: prev ^ next
 *
 * Who comes from a neighbour knows the other one: next = word ^ prev. At the
 * ends there is no neighbour (PFN_NONE), so members join and leave there
 * without a walk. Leaving from the middle would take one; per-CPU lists never
 * do that.
 *
 * push and pop: the member's word and that of its one neighbour.
 */
#ifndef PAGETAX_ALLOC_BUDDY_XOR_LIST_H
#define PAGETAX_ALLOC_BUDDY_XOR_LIST_H

#include "repr.h"

/* LINK_END, cut to a word, is PFN_NONE. */

/* Where the link word of a member is; b is handed through. */
typedef unsigned long *xor_link_fn(const struct buddy *b, unsigned long pfn);

static __always_inline void xor_list_push(const struct buddy *b,
					  struct link_list *list,
					  xor_link_fn *link, unsigned long pfn,
					  enum list_end end)
{
	uint64_t *place = end == LIST_HEAD ? &list->first : &list->last;
	unsigned long neighbour = (unsigned long)*place;

	COST_NOW(list_nodes, 1 + (neighbour != PFN_NONE));
	*link(b, pfn) = PFN_NONE ^ neighbour;
	if (neighbour == PFN_NONE)
		list->first = list->last = pfn;
	else
		*link(b, neighbour) ^= PFN_NONE ^ pfn;
	*place = pfn;
}

/* The list must not be empty. */
static __always_inline unsigned long xor_list_pop(const struct buddy *b,
						  struct link_list *list,
						  xor_link_fn *link,
						  enum list_end end)
{
	uint64_t *place = end == LIST_HEAD ? &list->first : &list->last;
	unsigned long pfn = (unsigned long)*place;
	unsigned long neighbour = *link(b, pfn) ^ PFN_NONE;

	COST_NOW(list_nodes, 1 + (neighbour != PFN_NONE));
	if (neighbour == PFN_NONE) {
		list->first = list->last = LINK_END;
	} else {
		*link(b, neighbour) ^= PFN_NONE ^ pfn;
		*place = neighbour;
	}
	return pfn;
}

#endif
