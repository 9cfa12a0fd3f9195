/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * avl.h - a balanced search tree whose nodes lie in the caller's structs
 *
 *               8
 *             /   \          the heights of two siblings differ by at most
 *            3     9         one, so that n nodes are at most 1.45 log2 n
 *           / \     \        levels deep
 *          1   5     12
 *
 * A node has no parent pointer, only two children and its height: what is
 * above it is remembered on the way down. Keys are the caller's; the tree sees
 * them through one comparison.
 */
#ifndef PAGETAX_LIB_AVL_H
#define PAGETAX_LIB_AVL_H

#include "base/types.h"

/* Levels of the deepest tree of 2^64 nodes: 1.45 * 64. */
#define AVL_MAX_HEIGHT 93

struct avl_node {
	struct avl_node *child[2];	/* smaller, larger */
	unsigned int height;		/* of the subtree; a leaf has 1 */
};

/* Below, at or above 0: the key is smaller than, equal to, above the node's. */
typedef int avl_compare_fn(const void *key, const struct avl_node *node);

struct avl_tree {
	struct avl_node *root;
	avl_compare_fn *compare;	/* set by the owner */
};

/*
 * Add a node with this key. Returns NULL, or the node that has the key
 * already; then nothing changes.
 */
struct avl_node *avl_insert(struct avl_tree *tree, const void *key,
			    struct avl_node *node);

/* Take out the node with this key; NULL when there is none. */
struct avl_node *avl_erase(struct avl_tree *tree, const void *key);

/*
 * The node with this key, or NULL. *levels, if not NULL, grows by the nodes
 * that were looked at.
 */
struct avl_node *avl_find(const struct avl_tree *tree, const void *key,
			  uint64_t *levels);

/* The node with the largest key at or below this one, or NULL; see avl_find. */
struct avl_node *avl_find_floor(const struct avl_tree *tree, const void *key,
				uint64_t *levels);

/* The node with the smallest key above this one, or NULL. */
struct avl_node *avl_next(const struct avl_tree *tree, const void *key);

/*
 * A walk over the nodes in order, good until the tree changes: those that come
 * next, each behind what hangs below it to the left. A step is O(1) in the mean.
 */
struct avl_walk {
	struct avl_node *next[AVL_MAX_HEIGHT];
	unsigned int depth;
};

/*
 * Where to begin: returns what avl_find_floor() does; the first step leads to
 * the node after it. A step returns NULL at the end.
 */
struct avl_node *avl_walk_start(struct avl_walk *walk,
				const struct avl_tree *tree, const void *key);
struct avl_node *avl_walk_next(struct avl_walk *walk);

/* The node with the smallest key, or NULL. */
struct avl_node *avl_first(const struct avl_tree *tree);

/* Whether every height is right and no siblings differ by more than one. */
bool avl_is_balanced(const struct avl_tree *tree);

#endif
