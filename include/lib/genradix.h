/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * genradix.h - a generic radix tree: index to entry, in nodes from a store
 *
 *     root (depth 2)
 *      [ . | . | . | . ]             child words: tagged references
 *        |       |
 *      [ . | . ] [ . | . ]           level 1
 *        |             |
 *      [entries]     [entries]       level 0: leaves, any entry size
 *
 * Every partial tree is legal: a missing child is a hole. Depth grows with
 * the highest index: a new root is put above the old one, which becomes its
 * child 0. Nodes have one size, a power of two; an entry never straddles two
 * leaves. A child word is a struct node_ref, so a node may lie in high
 * memory; every look into one is a map and an unmap, never two nodes at once
 * on the way down (a child word is copied, its node unmapped, then the child
 * mapped), so any walk needs one live map.
 *
 * The idea is that of the kernel's generic radix tree (K. Overstreet, 2018);
 * removal, shrinking, tagged children and nodes handed in by the caller are
 * this project's.
 */
#ifndef PAGETAX_LIB_GENRADIX_H
#define PAGETAX_LIB_GENRADIX_H

#include "base/types.h"
#include "lib/node_store.h"

#define GENRADIX_MAX_DEPTH 16	/* 2^32 entries at fan-out 4: 16 levels */

struct genradix {
	struct node_store *store;
	struct node_ref root;
	uint8_t depth;			/* interior levels; 0: the root is a leaf */
	uint8_t fanout_shift;		/* log2 of the child words in a node */
	uint8_t leaf_shift;		/* log2 of the entries in a leaf */
	uint8_t entry_bytes_shift;	/* log2 of the entry size, rounded up */
	uint32_t node_bytes;
	uint32_t entry_bytes;
};

/* An entry that is mapped. addr is NULL when there is none. */
struct genradix_slot {
	struct node_ref node;
	void *base;			/* what node_map() gave */
	void *addr;			/* of the entry */
};

/*
 * An empty tree. node_bytes is a power of two that holds at least two child
 * words and one entry; entry_bytes is 1 or more.
 */
void genradix_init(struct genradix *t, size_t entry_bytes, size_t node_bytes,
		   struct node_store *store);

/* Give every node back to the store and make the tree empty. */
void genradix_destroy(struct genradix *t);

/* Entries a tree of this depth can hold. */
uint64_t genradix_capacity(const struct genradix *t, unsigned int depth);

/* Map the entry at index, if its leaf is there. Unmap with genradix_unmap(). */
struct genradix_slot genradix_lookup(const struct genradix *t, uint64_t index);

/*
 * The same, but a missing path is filled with nodes from the store; new
 * leaves are zeroed. addr is NULL when the store ran out: what was added stays, and is
 * legal.
 */
struct genradix_slot genradix_lookup_alloc(struct genradix *t, uint64_t index);

static inline void genradix_unmap(const struct genradix *t,
				  struct genradix_slot slot)
{
	if (slot.addr)
		node_unmap(t->store, slot.node, slot.base);
}

/* The leaf that would hold index; NODE_REF_NONE when it is missing. */
struct node_ref genradix_leaf(const struct genradix *t, uint64_t index);

/*
 * Fix the depth for indexes below nr_entries and fetch every interior node
 * on their paths, so that from now on only leaves come and go. False when the
 * store ran out. Nodes are asked for at the size that is needed: the last one
 * of a level may be smaller than node_bytes.
 */
bool genradix_prealloc(struct genradix *t, uint64_t nr_entries);

/*
 * Hang a leaf in at index; the place must be empty and its interior nodes
 * there. The leaf's content is taken as it is.
 */
void genradix_set_leaf(struct genradix *t, uint64_t index, struct node_ref leaf);

/* Put another reference in place of the leaf at index; returns the old one.
 * NODE_REF_NONE empties the place: the caller owns what it gets. */
struct node_ref genradix_swap_leaf(struct genradix *t, uint64_t index,
				   struct node_ref leaf);

/*
 * Forget the entries from index `from` on: leaves and interior nodes that
 * hold nothing below it go back to the store, and the depth shrinks to what
 * is left. Not for trees that were preallocated.
 */
void genradix_truncate(struct genradix *t, uint64_t from);

/* Drop the leaf at index and every interior node that is empty without it. */
void genradix_drop_leaf(struct genradix *t, uint64_t index);

/*
 * The first leaf at or after *index: sets *index to its first entry and
 * returns it, or NODE_REF_NONE when there is none. Pass 0 to begin and
 * *index + entries per leaf to go on.
 */
struct node_ref genradix_next_leaf(const struct genradix *t, uint64_t *index);

/* Entries in one leaf. */
static inline uint64_t genradix_leaf_entries(const struct genradix *t)
{
	return UINT64_C(1) << t->leaf_shift;
}

#endif
