/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * node_ref.h - the word that says where a tree node lives
 *
 *   bit 0 = 0   lowmem: the word is the node's address (all zero: no node)
 *   bit 0 = 1   highmem: the other bits are its pfn; map it to read it
 *
 * A page in high memory has no permanent address, so its pfn is kept instead;
 * nodes are at least 8 bytes aligned, which leaves bit 0 free for the tag.
 */
#ifndef PAGETAX_LIB_NODE_REF_H
#define PAGETAX_LIB_NODE_REF_H

#include <assert.h>

#include "base/types.h"

struct node_ref {
	uintptr_t bits;
};
_Static_assert(sizeof(struct node_ref) == sizeof(void *), "one word");

#define NODE_REF_NONE ((struct node_ref){ 0 })

static inline bool node_ref_is_none(struct node_ref ref)
{
	return ref.bits == 0;
}

static inline struct node_ref node_ref_low(void *node)
{
	assert(((uintptr_t)node & 1) == 0);
	return (struct node_ref){ (uintptr_t)node };
}

static inline struct node_ref node_ref_high(unsigned long pfn)
{
	assert(pfn <= UINTPTR_MAX >> 1);
	return (struct node_ref){ ((uintptr_t)pfn << 1) | 1 };
}

static inline bool node_ref_is_high(struct node_ref ref)
{
	return ref.bits & 1;
}

static inline unsigned long node_ref_pfn(struct node_ref ref)
{
	assert(node_ref_is_high(ref));
	return ref.bits >> 1;
}

static inline bool node_ref_equal(struct node_ref a, struct node_ref b)
{
	return a.bits == b.bits;
}

#endif
