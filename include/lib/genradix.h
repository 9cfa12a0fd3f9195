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

#include "base/cost.h"
#include "base/types.h"
#include "lib/node_store.h"

#define GENRADIX_MAX_DEPTH 32	/* 2^32 leaves at the smallest fan-out, 2 */

struct genradix {
	struct node_store *store;
	struct node_ref root;
	uint32_t node_bytes;
	uint32_t entry_bytes;
	uint32_t leaf_entries;		/* entries in a leaf; what is left over is a tail */
	uint8_t depth;			/* interior levels; 0: the root is a leaf */
	uint8_t fanout_shift;		/* log2 of the child words in a node */
	uint64_t nr_prealloc;		/* leaves there is a way to; 0: the tree grows */
	struct node_ref *row;		/* level 1, if it stands side by side; NULL */
};

/* An entry that is mapped. addr is NULL when there is none. */
struct genradix_slot {
	struct node_ref leaf;
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

/* Leaves a tree of this depth can hold. */
uint64_t genradix_max_leaves(const struct genradix *t, unsigned int depth);

/* Map the entry at index, if its leaf is there. Unmap with genradix_unmap(). */
struct genradix_slot genradix_lookup(const struct genradix *t, uint64_t index);

/*
 * The same, but a missing path is filled with nodes from the store and a new
 * leaf is zeroed. addr is NULL when the store ran out or no depth reaches
 * the index: what was added stays, and is legal.
 */
struct genradix_slot genradix_lookup_alloc(struct genradix *t, uint64_t index);

static inline void genradix_unmap(const struct genradix *t,
				  struct genradix_slot slot)
{
	if (slot.addr)
		node_unmap(t->store, slot.leaf, slot.base);
}

/*
 * Leaves by number: leaf l holds the entries from l * leaf_entries on.
 *
 * What hangs at place `leaf`, which the depth reaches; NODE_REF_NONE when
 * nothing does.
 */
struct node_ref genradix_leaf(const struct genradix *t, uint64_t leaf);

/*
 * The same with one load, in a tree that has a row. Inline, and without a call: a
 * free list comes here whenever it fills a gap.
 */
static inline struct node_ref genradix_leaf_in_row(const struct genradix *t,
						   uint64_t leaf)
{
	COST_NOW(tree_levels, 1);
	return t->row[leaf];
}

/*
 * Fix the depth for nr_leaves leaves and fetch every interior node on their
 * paths, so that from now on only leaves come and go. Nodes are asked for at
 * the size that is needed: the last one of each level may be smaller than
 * node_bytes. False when the store ran out; the tree is then empty again.
 *
 * A store that gives nodes one after the other, as an arena does, puts those of
 * level 1 side by side. Their words are a row then, by leaf number, and there is
 * no need to walk.
 *
 *     row:  [ . | . | . | . ][ . | . | . | . ][ . | . ]
 */
bool genradix_prealloc(struct genradix *t, uint64_t nr_leaves);

/*
 * Hang `ref` at a place whose interior nodes exist, and return what hung
 * there before. The content is taken as it is; what is returned belongs to
 * the caller. NODE_REF_NONE empties the place.
 */
struct node_ref genradix_swap_leaf(struct genradix *t, uint64_t leaf,
				   struct node_ref ref);

/*
 * Give back every leaf from number `from` on, and the interior nodes that
 * are empty without them; the depth shrinks to what is left. Not for trees
 * that were preallocated.
 */
void genradix_truncate(struct genradix *t, uint64_t from);

/* The same for one leaf. It need not be there. */
void genradix_drop_leaf(struct genradix *t, uint64_t leaf);

/*
 * The first leaf at or after *leaf: sets *leaf to its number and returns it,
 * or NODE_REF_NONE when there is none.
 */
struct node_ref genradix_next_leaf(const struct genradix *t, uint64_t *leaf);

#endif
