/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * avl.c - a balanced search tree whose nodes lie in the caller's structs
 *
 *       a                  b
 *      / \                / \         one rotation; a node that leans inwards
 *     A   b     ->       a   C        is rotated the other way first
 *        / \            / \
 *       B   C          A   B
 *
 * The way down is kept as the links that were followed (a link is the place
 * that points to a node). Going back over it, each node's height is set
 * anew and a subtree that leans by two is rotated, until one keeps the height
 * it had: above that nothing can have changed.
 *
 * insert, erase and find: O(log n); no memory but AVL_MAX_HEIGHT words of
 * stack.
 */
#include <assert.h>

#include "lib/avl.h"

struct path {
	struct avl_node **link[AVL_MAX_HEIGHT + 1];
	unsigned int depth;
};

static unsigned int height_of(const struct avl_node *node)
{
	return node ? node->height : 0;
}

static void set_height(struct avl_node *node)
{
	node->height = 1 + max_t(unsigned int, height_of(node->child[0]),
				 height_of(node->child[1]));
}

/* Above 0: the larger side is deeper. */
static int lean_of(const struct avl_node *node)
{
	return (int)height_of(node->child[1]) - (int)height_of(node->child[0]);
}

/* The child on one side rises into its parent's place. */
static void rotate(struct avl_node **link, int side)
{
	struct avl_node *node = *link;
	struct avl_node *rising = node->child[side];

	node->child[side] = rising->child[!side];
	rising->child[!side] = node;
	*link = rising;
	set_height(node);
	set_height(rising);
}

static void rebalance(struct avl_node **link)
{
	int lean = lean_of(*link);
	int side = lean > 0;

	if (lean > -2 && lean < 2) {
		set_height(*link);
		return;
	}
	if (lean_of((*link)->child[side]) * lean < 0)
		rotate(&(*link)->child[side], !side);
	rotate(link, side);
}

/* Put the heights right, from the end of the path upwards. */
static void path_rebalance(const struct path *path)
{
	unsigned int i = path->depth;

	while (i--) {
		struct avl_node **link = path->link[i];
		unsigned int before;

		if (!*link)
			continue;
		before = (*link)->height;
		rebalance(link);
		if ((*link)->height == before)
			return;
	}
}

/* Go down to the key, or to the empty place where it belongs. */
static struct avl_node **path_to(struct path *path, struct avl_tree *tree,
				 const void *key)
{
	struct avl_node **link = &tree->root;

	path->depth = 0;
	while (*link) {
		int order = tree->compare(key, *link);

		if (!order)
			return link;
		assert(path->depth < AVL_MAX_HEIGHT);
		path->link[path->depth++] = link;
		link = &(*link)->child[order > 0];
	}
	return link;
}

struct avl_node *avl_insert(struct avl_tree *tree, const void *key,
			    struct avl_node *node)
{
	struct path path;
	struct avl_node **link = path_to(&path, tree, key);

	if (*link)
		return *link;
	*node = (struct avl_node){ .height = 1 };
	*link = node;
	path_rebalance(&path);
	return NULL;
}

/*
 * A node with two children gives its place to the next larger one, which has
 * at most one:
 *
 *      out             next
 *      / \             /  \
 *     A   c     ->    A    c
 *        / \              / \
 *    next   C            N   C
 *       \
 *        N
 */
struct avl_node *avl_erase(struct avl_tree *tree, const void *key)
{
	struct path path;
	struct avl_node **link = path_to(&path, tree, key);
	struct avl_node *out = *link;
	struct avl_node *next;
	unsigned int at;

	if (!out)
		return NULL;
	if (!out->child[0] || !out->child[1]) {
		*link = out->child[!out->child[0]];
		path_rebalance(&path);
		return out;
	}
	at = path.depth;
	path.link[path.depth++] = link;
	link = &out->child[1];
	while ((*link)->child[0]) {
		path.link[path.depth++] = link;
		link = &(*link)->child[0];
	}
	next = *link;
	*link = next->child[1];
	*next = *out;
	*path.link[at] = next;
	/* The first step down to the right led through the node that is out. */
	if (path.depth > at + 1)
		path.link[at + 1] = &next->child[1];
	path_rebalance(&path);
	return out;
}

struct avl_node *avl_find_floor(const struct avl_tree *tree, const void *key,
				uint64_t *levels)
{
	struct avl_node *floor = NULL;
	struct avl_node *node = tree->root;
	uint64_t seen = 0;

	while (node) {
		int order = tree->compare(key, node);

		seen++;
		if (order >= 0)
			floor = node;
		if (!order)
			break;
		node = node->child[order > 0];
	}
	if (levels)
		*levels += seen;
	return floor;
}

struct avl_node *avl_find(const struct avl_tree *tree, const void *key,
			  uint64_t *levels)
{
	struct avl_node *floor = avl_find_floor(tree, key, levels);

	return floor && !tree->compare(key, floor) ? floor : NULL;
}

struct avl_node *avl_next(const struct avl_tree *tree, const void *key)
{
	struct avl_node *next = NULL;
	struct avl_node *node = tree->root;

	while (node) {
		bool above = tree->compare(key, node) < 0;

		if (above)
			next = node;
		node = node->child[!above];
	}
	return next;
}

struct avl_node *avl_walk_start(struct avl_walk *walk,
				const struct avl_tree *tree, const void *key)
{
	struct avl_node *floor = NULL;
	struct avl_node *node = tree->root;

	walk->depth = 0;
	while (node) {
		bool above = tree->compare(key, node) < 0;

		if (above)
			walk->next[walk->depth++] = node;
		else
			floor = node;
		node = node->child[!above];
	}
	return floor;
}

struct avl_node *avl_walk_next(struct avl_walk *walk)
{
	struct avl_node *next, *node;

	if (!walk->depth)
		return NULL;
	next = walk->next[--walk->depth];
	for (node = next->child[1]; node; node = node->child[0])
		walk->next[walk->depth++] = node;
	return next;
}

struct avl_node *avl_first(const struct avl_tree *tree)
{
	struct avl_node *node = tree->root;

	while (node && node->child[0])
		node = node->child[0];
	return node;
}

/* Height of a subtree that is in order, or -1. */
static int checked_height(const struct avl_node *node)
{
	int small, large;

	if (!node)
		return 0;
	small = checked_height(node->child[0]);
	large = checked_height(node->child[1]);
	if (small < 0 || large < 0 || small - large > 1 || large - small > 1)
		return -1;
	if ((int)node->height != 1 + max_t(int, small, large))
		return -1;
	return (int)node->height;
}

bool avl_is_balanced(const struct avl_tree *tree)
{
	return checked_height(tree->root) >= 0;
}
