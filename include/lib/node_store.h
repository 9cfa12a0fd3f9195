/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * node_store.h - where a tree gets its nodes, and how it looks into them
 *
 * A tree knows references, not pages: the allocator hands it pages of the
 * zone it serves, a test hands it a store that fails on the third node.
 */
#ifndef PAGETAX_LIB_NODE_STORE_H
#define PAGETAX_LIB_NODE_STORE_H

#include "lib/node_ref.h"

struct node_store;

struct node_store_ops {
	/*
	 * A node of `bytes` bytes; level 0 is a leaf, whose content the tree
	 * does not read before it wrote it; an interior node must be all zero.
	 * NODE_REF_NONE when there is none to be had.
	 */
	struct node_ref (*get)(struct node_store *store, unsigned int level,
			       size_t bytes);

	/* Take back a node that no tree refers to any more. */
	void (*put)(struct node_store *store, struct node_ref ref,
		    unsigned int level, size_t bytes);

	/*
	 * Called for tagged references only. Maps nest: the last one mapped is
	 * the first one unmapped.
	 */
	void *(*map)(struct node_store *store, struct node_ref ref);
	void (*unmap)(struct node_store *store, struct node_ref ref, void *node);
};

struct node_store {
	const struct node_store_ops *ops;
};

/*
 * Look at a node. The address holds until node_unmap(), and at most one
 * other node is mapped in between.
 */
static inline void *node_map(struct node_store *store, struct node_ref ref)
{
	if (likely(!node_ref_is_high(ref)))
		return (void *)ref.bits;
	return store->ops->map(store, ref);
}

static inline void node_unmap(struct node_store *store, struct node_ref ref,
			      void *node)
{
	if (unlikely(node_ref_is_high(ref)))
		store->ops->unmap(store, ref, node);
}

#endif
