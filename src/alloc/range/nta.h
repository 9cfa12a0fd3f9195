/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nta.h - nodes and lists of the Network Tree Allocator, for its files
 *
 *    nta.c         the range interface on top of both
 *    nta_nodes.c   which node holds a unit, and its mask of free units
 *    nta_lists.c   free runs by length, and where their links are kept
 *
 * A node's mask and the lists say the same twice over: whoever changes one
 * changes the other.
 */
#ifndef PAGETAX_ALLOC_RANGE_NTA_H
#define PAGETAX_ALLOC_RANGE_NTA_H

#include "alloc/range.h"
#include "base/bits.h"
#include "lib/avl.h"
#include "lib/bitmap.h"

#define ENTRIES_PER_BLOCK 64		/* 1 KiB */

struct nta_link {
	struct nta_link *next;
};

/* seed: outside of the memory it stands for */
struct nta_entry {
	struct nta_link link;
	unsigned long first;
};

/* posted: at the start of the free run */
struct nta_container {
	struct nta_link link;
	union {
		struct nta_link *prev;
		unsigned long parked;	/* units of a run that a remote CPU freed */
	};
	struct nta_node *node;
};

struct nta_node {
	struct avl_node tree;
	unsigned long first;		/* set at create */
	unsigned long mask[];		/* 1: free */
	/* posted: where its units' containers are follows, see nta_node_create() */
};

struct nta_list {
	struct nta_link *head;
	struct nta_link *tail;
};

struct nta_entry_block {
	struct nta_entry_block *next;
	struct nta_entry entries[ENTRIES_PER_BLOCK];
};

struct nta {
	struct range base;
	bool posted;			/* set at create, as are the next three */
	bool as_posted;
	unsigned int nr_units;		/* of a node */
	unsigned int nr_words;		/* of its mask */

	struct avl_tree nodes;
	struct nta_node **node_of_page;	/* posted: see nta_nodes.c; set at create */
	unsigned long nr_nodes;
	unsigned long nr_free;		/* units */
	unsigned long nr_runs;		/* free ones, all on lists */
	unsigned long nr_held;		/* runs in callers' hands */
	unsigned long reserved;		/* units */
	struct nta_link *parked;	/* posted: freed by other CPUs, not looked at yet */
	uint64_t borrowed;		/* bytes of the pages' descriptors */

	struct nta_entry_block *blocks;
	struct nta_link *spare;		/* entries that stand for nothing */
	unsigned long nr_entries;

	struct nta_list lists[];	/* one for each length, from 1 on */
};

static inline struct nta *to_nta(struct range *r)
{
	return container_of(r, struct nta, base);
}

static inline const struct nta *to_const_nta(const struct range *r)
{
	return container_of_const(r, struct nta, base);
}

/* Of the nodes' tree, which is ordered by `first`. */
static inline const struct nta_node *to_const_node(const struct avl_node *tree)
{
	return container_of_const(tree, struct nta_node, tree);
}

static inline struct nta_node *to_node(struct avl_node *tree)
{
	return tree ? container_of(tree, struct nta_node, tree) : NULL;
}

/* Posted: one for each unit; stands for what is at the start of its memory. */
static inline struct nta_container **containers_link(const struct nta *n,
						     struct nta_node *node)
{
	return (struct nta_container **)&node->mask[n->nr_words];
}

static inline struct nta_container *containers_of(const struct nta *n,
						  struct nta_node *node)
{
	return *containers_link(n, node);
}

/* -- nta_nodes.c ------------------------------------------------------------ */

/* 0 or -ENOMEM; nothing is left then. */
int nta_nodes_init(struct nta *n);

/*
 * Nodes from `first` on for nr units, none of which is free. 0, or -ENOMEM with
 * the tree as before.
 */
int nta_nodes_add(struct nta *n, unsigned long first, unsigned long nr);
void nta_node_destroy(struct nta *n, struct nta_node *node);

/* The node that holds the unit, or NULL. */
struct nta_node *nta_node_of(const struct nta *n, unsigned long unit);

/* As posted, the pages of nr units lend words; in the end all get them back. */
void nta_borrow(struct nta *n, unsigned long nr);
void nta_give_back(struct nta *n);

/* Free units of a node are taken; or used ones join what is free beside them. */
void nta_node_take(struct nta *n, struct nta_node *node, unsigned int at,
		   unsigned int nr);
void nta_node_free(struct nta *n, struct nta_node *node, unsigned int at,
		   unsigned int nr);

/* -- nta_lists.c ------------------------------------------------------------ */

/*
 * Entries for the free runs there can be before the next alloc, when nr runs are
 * free or held. And have so many; false: no memory.
 */
unsigned long nta_entries_for(const struct nta *n, unsigned long nr);
bool nta_secure_entries(struct nta *n, unsigned long nr);
void nta_entries_destroy(struct nta *n);

/* Posted: a run of a node is put aside; one that was, or NULL. */
void nta_park(struct nta *n, struct nta_node *node, unsigned int at,
	      unsigned int nr);
struct nta_container *nta_unpark(struct nta *n);

/* The first unit of the free run that a link stands for. */
unsigned long nta_link_first(const struct nta *n, struct nta_link *link);

/* The node in which it lies, and the place in it. */
struct nta_node *nta_link_node(const struct nta *n, struct nta_link *link,
			       unsigned int *at);

/* A free run of a node goes to the end of its list, or leaves it. */
void nta_run_append(struct nta *n, struct nta_node *node, unsigned int at,
		    unsigned int nr);
void nta_run_unlink(struct nta *n, struct nta_node *node, unsigned int at,
		    unsigned int nr);

#endif
