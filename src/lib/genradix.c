/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * genradix.c - a radix tree whose nodes come from anywhere
 *
 * Level 0 is a leaf, level `depth` the root. The way to leaf l goes through
 * child (l >> shift * (level - 1)) mod fan-out at each interior level.
 *
 *    depth 2, fan-out 4, leaf 6 = 0b 01 10:   root --01--> node --10--> leaf
 *
 * Growing puts a new root above the old one, which becomes child 0, so no
 * entry moves. A path is filled from the top down, and a node is hung in
 * before the next is asked for: whenever the store runs out, what stands is a
 * legal tree with holes.
 *
 * Costs: lookup, swap_leaf O(depth) maps, one live at a time; truncate and
 * drop_leaf O(depth * fan-out) words for each node given back.
 */
#include <assert.h>
#include <string.h>

#include "base/bits.h"
#include "lib/genradix.h"

static uint64_t fanout(const struct genradix *t)
{
	return UINT64_C(1) << t->fanout_shift;
}

static unsigned int child_at(const struct genradix *t, uint64_t leaf,
			     unsigned int level)
{
	return (unsigned int)((leaf >> t->fanout_shift * (level - 1)) &
			      (fanout(t) - 1));
}

/* Leaves below one child of a node at `level`. */
static uint64_t child_span(const struct genradix *t, unsigned int level)
{
	return genradix_max_leaves(t, level - 1);
}

static struct node_ref read_child(const struct genradix *t, struct node_ref ref,
				  unsigned int child)
{
	struct node_ref *node = node_map(t->store, ref);
	struct node_ref out = node[child];

	COST_NOW(tree_levels, 1);
	node_unmap(t->store, ref, node);
	return out;
}

static void write_child(const struct genradix *t, struct node_ref ref,
			unsigned int child, struct node_ref value)
{
	struct node_ref *node = node_map(t->store, ref);

	node[child] = value;
	node_unmap(t->store, ref, node);
}

/* Bytes of the interior node at `level` on the way to `leaf`. */
static size_t interior_bytes(const struct genradix *t, uint64_t leaf,
			     unsigned int level)
{
	uint64_t first, nr;

	if (!t->nr_prealloc)
		return t->node_bytes;
	/* Children of this node, of which the last level's end may cut some. */
	first = leaf >> t->fanout_shift * level << t->fanout_shift;
	nr = (t->nr_prealloc - 1) / child_span(t, level) + 1 - first;
	if (nr > fanout(t))
		nr = fanout(t);
	return (size_t)nr * sizeof(struct node_ref);
}

static unsigned int nr_children(const struct genradix *t, uint64_t leaf,
				unsigned int level)
{
	return (unsigned int)(interior_bytes(t, leaf, level) /
			      sizeof(struct node_ref));
}

void genradix_init(struct genradix *t, size_t entry_bytes, size_t node_bytes,
		   struct node_store *store)
{
	assert(is_power_of_2(node_bytes));
	assert(node_bytes >= 2 * sizeof(struct node_ref));
	assert(entry_bytes >= 1);
	assert(entry_bytes <= node_bytes);

	*t = (struct genradix){
		.store = store,
		.node_bytes = (uint32_t)node_bytes,
		.entry_bytes = (uint32_t)entry_bytes,
		.leaf_entries = (uint32_t)(node_bytes / entry_bytes),
		.fanout_shift = (uint8_t)ilog2(node_bytes / sizeof(struct node_ref)),
	};
}

struct node_ref genradix_leaf(const struct genradix *t, uint64_t leaf)
{
	struct node_ref ref = t->root;

	if (likely(t->row))
		return genradix_leaf_in_row(t, leaf);
	for (unsigned int level = t->depth; level > 0; level--) {
		struct node_ref *node;
		struct node_ref child;

		if (unlikely(node_ref_is_none(ref)))
			return ref;
		COST_NOW(tree_levels, 1);
		node = node_map(t->store, ref);
		child = node[child_at(t, leaf, level)];
		node_unmap(t->store, ref, node);
		ref = child;
	}
	return ref;
}

uint64_t genradix_max_leaves(const struct genradix *t, unsigned int depth)
{
	unsigned int shift = t->fanout_shift * depth;

	return shift >= 64 ? UINT64_MAX : UINT64_C(1) << shift;
}

static struct genradix_slot slot_in(const struct genradix *t,
				    struct node_ref leaf, uint64_t index)
{
	struct genradix_slot slot = { .leaf = leaf };

	if (node_ref_is_none(leaf))
		return slot;
	slot.base = node_map(t->store, leaf);
	slot.addr = (char *)slot.base +
		    index % t->leaf_entries * t->entry_bytes;
	return slot;
}

struct genradix_slot genradix_lookup(const struct genradix *t, uint64_t index)
{
	uint64_t leaf = index / t->leaf_entries;

	if (leaf >= genradix_max_leaves(t, t->depth))
		return slot_in(t, NODE_REF_NONE, index);
	return slot_in(t, genradix_leaf(t, leaf), index);
}

/* Put roots on top until `leaf` is within reach. */
static bool grow_to(struct genradix *t, uint64_t leaf)
{
	while (leaf >= genradix_max_leaves(t, t->depth)) {
		if (t->nr_prealloc || t->depth == GENRADIX_MAX_DEPTH)
			return false;
		if (!node_ref_is_none(t->root)) {
			struct node_ref root = t->store->ops->get(
				t->store, t->depth + 1U, t->node_bytes);

			if (node_ref_is_none(root))
				return false;
			write_child(t, root, 0, t->root);
			t->root = root;
		}
		t->depth++;
	}
	return true;
}

static struct node_ref get_node(struct genradix *t, unsigned int level,
				size_t bytes)
{
	struct node_ref ref = t->store->ops->get(t->store, level, bytes);

	if (level == 0 && !node_ref_is_none(ref)) {
		void *leaf = node_map(t->store, ref);

		memset(leaf, 0, bytes);
		node_unmap(t->store, ref, leaf);
	}
	return ref;
}

/* Walk down to `stop`, filling what is missing; the node there, or none. */
static struct node_ref fill_path(struct genradix *t, uint64_t leaf,
				 unsigned int stop)
{
	struct node_ref parent = NODE_REF_NONE;
	struct node_ref ref = t->root;

	for (unsigned int level = t->depth;; level--) {
		if (node_ref_is_none(ref)) {
			ref = get_node(t, level, level ?
				       interior_bytes(t, leaf, level) :
				       t->node_bytes);
			if (node_ref_is_none(ref))
				return ref;
			if (node_ref_is_none(parent))
				t->root = ref;
			else
				write_child(t, parent,
					    child_at(t, leaf, level + 1), ref);
		}
		if (level == stop)
			return ref;
		parent = ref;
		ref = read_child(t, ref, child_at(t, leaf, level));
	}
}

struct genradix_slot genradix_lookup_alloc(struct genradix *t, uint64_t index)
{
	uint64_t leaf = index / t->leaf_entries;

	if (!grow_to(t, leaf))
		return (struct genradix_slot){ .leaf = NODE_REF_NONE };
	return slot_in(t, fill_path(t, leaf, 0), index);
}

/* The words of level 1 as one array, if that is how they lie. */
static struct node_ref *find_row(struct genradix *t)
{
	struct node_ref *row = NULL;

	for (uint64_t leaf = 0; leaf < t->nr_prealloc; leaf += fanout(t)) {
		struct node_ref node = fill_path(t, leaf, 1);

		if (node_ref_is_high(node))
			return NULL;
		if (!row)
			row = (struct node_ref *)node.bits;
		else if (row + leaf != (struct node_ref *)node.bits)
			return NULL;
	}
	return row;
}

bool genradix_prealloc(struct genradix *t, uint64_t nr_leaves)
{
	assert(node_ref_is_none(t->root));
	assert(nr_leaves > 0);

	while (nr_leaves > genradix_max_leaves(t, t->depth))
		t->depth++;
	t->nr_prealloc = nr_leaves;
	if (t->depth == 0)
		return true;
	for (uint64_t leaf = 0; leaf < nr_leaves; leaf += fanout(t)) {
		if (node_ref_is_none(fill_path(t, leaf, 1))) {
			genradix_destroy(t);
			return false;
		}
	}
	t->row = find_row(t);
	return true;
}

struct node_ref genradix_swap_leaf(struct genradix *t, uint64_t leaf,
				   struct node_ref ref)
{
	struct node_ref parent = t->root;
	struct node_ref *node;
	struct node_ref old;

	assert(leaf < genradix_max_leaves(t, t->depth));
	if (t->depth == 0) {
		t->root = ref;
		return parent;
	}
	for (unsigned int level = t->depth; level > 1; level--)
		parent = read_child(t, parent, child_at(t, leaf, level));
	assert(!node_ref_is_none(parent));
	COST_NOW(tree_levels, 1);
	node = node_map(t->store, parent);
	old = node[child_at(t, leaf, 1)];
	node[child_at(t, leaf, 1)] = ref;
	node_unmap(t->store, parent, node);
	return old;
}

static void put_node(struct genradix *t, struct node_ref ref,
		     unsigned int level, size_t bytes)
{
	t->store->ops->put(t->store, ref, level, bytes);
}

/*
 * Give back every leaf in [from, to) below `ref`, whose first leaf is `base`,
 * and every node that holds nothing after that. Returns what is left of it.
 */
static struct node_ref prune(struct genradix *t, struct node_ref ref,
			     unsigned int level, uint64_t base, uint64_t from,
			     uint64_t to)
{
	unsigned int nr, left = 0;
	uint64_t span;

	if (node_ref_is_none(ref))
		return ref;
	if (level == 0) {
		if (base < from || base >= to)
			return ref;
		put_node(t, ref, 0, t->node_bytes);
		return NODE_REF_NONE;
	}
	nr = nr_children(t, base, level);
	span = child_span(t, level);
	for (unsigned int i = 0; i < nr; i++) {
		struct node_ref child = read_child(t, ref, i);
		uint64_t first = base + i * span;

		if (first < to && first + (span - 1) >= from) {
			struct node_ref rest = prune(t, child, level - 1,
						     first, from, to);

			if (!node_ref_equal(rest, child))
				write_child(t, ref, i, rest);
			child = rest;
		}
		left += !node_ref_is_none(child);
	}
	if (left)
		return ref;
	put_node(t, ref, level, nr * sizeof(struct node_ref));
	return NODE_REF_NONE;
}

/* Take off roots that lead to child 0 only. */
static void shrink_depth(struct genradix *t)
{
	if (node_ref_is_none(t->root))
		t->depth = 0;
	while (t->depth > 0) {
		struct node_ref root = t->root;

		for (unsigned int i = 1; i < fanout(t); i++)
			if (!node_ref_is_none(read_child(t, root, i)))
				return;
		t->root = read_child(t, root, 0);
		put_node(t, root, t->depth, t->node_bytes);
		t->depth--;
	}
}

void genradix_destroy(struct genradix *t)
{
	t->root = prune(t, t->root, t->depth, 0, 0, UINT64_MAX);
	t->nr_prealloc = 0;
	t->row = NULL;
	t->depth = 0;
}

void genradix_truncate(struct genradix *t, uint64_t from)
{
	assert(!t->nr_prealloc);
	t->root = prune(t, t->root, t->depth, 0, from, UINT64_MAX);
	shrink_depth(t);
}

void genradix_drop_leaf(struct genradix *t, uint64_t leaf)
{
	assert(!t->nr_prealloc);
	t->root = prune(t, t->root, t->depth, 0, leaf, leaf + 1);
	shrink_depth(t);
}

static struct node_ref next_below(const struct genradix *t, struct node_ref ref,
				  unsigned int level, uint64_t base,
				  uint64_t *leaf)
{
	uint64_t span;
	unsigned int nr;

	if (level == 0 || node_ref_is_none(ref)) {
		if (!node_ref_is_none(ref))
			*leaf = base;
		return ref;
	}
	span = child_span(t, level);
	nr = nr_children(t, base, level);
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t first = base + i * span;
		struct node_ref found;

		if (first + (span - 1) < *leaf)
			continue;
		found = next_below(t, read_child(t, ref, i), level - 1, first,
				   leaf);
		if (!node_ref_is_none(found))
			return found;
	}
	return NODE_REF_NONE;
}

struct node_ref genradix_next_leaf(const struct genradix *t, uint64_t *leaf)
{
	if (*leaf >= genradix_max_leaves(t, t->depth))
		return NODE_REF_NONE;
	return next_below(t, t->root, t->depth, 0, leaf);
}
