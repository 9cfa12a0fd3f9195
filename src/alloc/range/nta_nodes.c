/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nta_nodes.c - nodes of the Network Tree Allocator: a tree of masks
 *
 *    tree            [128..255]             ordered by address; as posted two
 *                    /        \             words of each page's descriptor
 *              [0..127]    [256..383]       lead to the node instead
 *
 *    mask      1 1 0 0 0 0 1 1 1 0 ...      1: free
 *              `-'         `--+--'
 *    free 2..5:  left 2  |  right 3         measured from the mask, taken off
 *                                           their lists, and listed as one of 9
 *
 * As posted (as-posted=on) a word's upper half is not looked at, on 64 bits, so
 * that a free run seems to go on over memory in use; and behind the mask's end
 * the next word in memory is taken for more of it.
 *
 * Cost: a node is found in O(log nodes) or O(1); a run is measured a word at
 * a time.
 */
#include <errno.h>

#include "nta.h"

#define UNITS_PER_PAGE 128		/* of 32 bytes, for what is borrowed */
#define BORROWED_WORDS 2		/* node and owner, in each page's descriptor */

/* -- nodes ------------------------------------------------------------------ */

static int compare_first(const void *key, const struct avl_node *tree)
{
	unsigned long first = *(const unsigned long *)key;
	const struct nta_node *node = to_const_node(tree);

	return (first > node->first) - (first < node->first);
}

/*
 * As posted, two words borrowed from each page's descriptor lead to the node at
 * once. The table stands for the first of them, and costs what is borrowed
 * (nta_borrow()). A span need not begin with a page: for a page of more nodes
 * than one it has the last, and the tree has the others.
 */
int nta_nodes_init(struct nta *n)
{
	struct machine *m = n->base.machine;

	n->nodes.compare = compare_first;
	if (!n->posted)
		return 0;
	n->node_of_page = arena_alloc_charged(m->arena, m->end_pfn *
					      sizeof(*n->node_of_page), 0,
					      META_borrowed);
	return n->node_of_page ? 0 : -ENOMEM;
}

/* A page leads to the node from now on, unless to one that begins later. */
static void page_lead_to(struct nta_node **page, struct nta_node *node)
{
	if (!*page || (*page)->first < node->first)
		*page = node;
}

/* Of the pages that a node's units lie in, those that the table has. */
static unsigned long pages_of(const struct nta *n, const struct nta_node *node,
			      unsigned long *end)
{
	*end = n->posted ? min_t(unsigned long, n->base.machine->end_pfn,
				 div_round_up(node->first + n->nr_units,
					      UNITS_PER_PAGE)) : 0;
	return node->first / UNITS_PER_PAGE;
}

static struct nta_node *find_in_tree(const struct nta *n, unsigned long unit)
{
	uint64_t levels = 0;
	struct avl_node *tree = avl_find_floor(&n->nodes, &unit, &levels);

	if (!n->posted)
		COST_ADD(&n->base, tree_levels, levels);
	return to_node(tree);
}

struct nta_node *nta_node_of(const struct nta *n, unsigned long unit)
{
	unsigned long page = unit / UNITS_PER_PAGE;
	struct nta_node *node = NULL;

	if (n->posted && page < n->base.machine->end_pfn)
		node = n->node_of_page[page];
	if (!node || node->first > unit)
		node = find_in_tree(n, unit);
	return node && unit - node->first < n->nr_units ? node : NULL;
}

static uint64_t mask_bytes(const struct nta *n)
{
	return n->nr_words * sizeof(unsigned long);
}

static uint64_t borrowed_bytes(unsigned long nr)
{
	return div_round_up(nr, UNITS_PER_PAGE) * BORROWED_WORDS *
	       sizeof(void *);
}

void nta_borrow(struct nta *n, unsigned long nr)
{
	if (!n->posted)
		return;
	n->borrowed += borrowed_bytes(nr);
	meta_charge(&n->base.machine->meta, META_borrowed, borrowed_bytes(nr));
}

void nta_give_back(struct nta *n)
{
	meta_uncharge(&n->base.machine->meta, META_borrowed, n->borrowed);
	n->borrowed = 0;
}

/*
 * A node with no free unit. As posted it costs its first unit's number, its
 * mask and the borrowed words; it is in the tree for checks alone. None of it
 * is given back to the arena then.
 */
static struct nta_node *node_create(struct nta *n, unsigned long first,
				    struct nta_container *containers)
{
	struct machine *m = n->base.machine;
	uint64_t bytes = sizeof(struct nta_node) + mask_bytes(n);
	unsigned long page, end;
	struct nta_node *node;

	if (n->posted)
		node = arena_alloc_charged(m->arena,
					   bytes + sizeof(struct nta_container *),
					   sizeof(node->first) + mask_bytes(n),
					   META_structures);
	else
		node = machine_alloc(m, bytes, META_structures);
	if (!node)
		return NULL;
	node->first = first;
	if (n->posted)
		*containers_link(n, node) = containers;
	avl_insert(&n->nodes, &first, &node->tree);
	for (page = pages_of(n, node, &end); page < end; page++)
		page_lead_to(&n->node_of_page[page], node);
	n->nr_nodes++;
	return node;
}

void nta_node_destroy(struct nta *n, struct nta_node *node)
{
	struct machine *m = n->base.machine;
	unsigned long page, end;

	for (page = pages_of(n, node, &end); page < end; page++)
		if (n->node_of_page[page] == node)
			n->node_of_page[page] = NULL;
	avl_erase(&n->nodes, &node->first);
	n->nr_nodes--;
	if (!n->posted) {
		machine_free(m, node, sizeof(*node) + mask_bytes(n),
			     META_structures);
		return;
	}
	meta_uncharge(&m->meta, META_structures,
		      sizeof(node->first) + mask_bytes(n));
}

/*
 * Where the posted code has its containers in the free memory itself, a place
 * for them is set aside here, apart from the nodes, and not charged.
 */
int nta_nodes_add(struct nta *n, unsigned long first, unsigned long nr)
{
	uint64_t bytes = round_up_to(nr, n->nr_units) *
			 sizeof(struct nta_container);
	struct nta_container *containers = NULL;
	unsigned long at;

	if (n->posted) {
		containers = arena_alloc_charged(n->base.machine->arena, bytes,
						 0, META_inband);
		if (!containers)
			return -ENOMEM;
	}
	for (at = 0; at < nr; at += n->nr_units)
		if (!node_create(n, first + at, n->posted ? &containers[at] : NULL))
			break;
	if (at >= nr)
		return 0;
	while (at) {
		at -= n->nr_units;
		nta_node_destroy(n, nta_node_of(n, first + at));
	}
	return -ENOMEM;
}

/* -- masks ------------------------------------------------------------------ */

/*
 * As posted nothing stops a search at its mask's end: it reads on into the next
 * node's first word, which says where that begins. A set bit means free.
 */
static unsigned int free_behind(const struct nta *n, const struct nta_node *node)
{
	const struct avl_node *next = avl_next(&n->nodes, &node->first);
	uint32_t used = next ? ~(uint32_t)to_const_node(next)->first : ~0U;

	return used ? lowest_bit(used) : 32;
}

/*
 * Free units from `at` on. As posted: of each word, shifted so that it begins
 * at `at`, the lower 32 bits are looked at; if none is in use, all of it is
 * believed to be free.
 */
static unsigned int free_right(const struct nta *n, const struct nta_node *node,
			       unsigned int at)
{
	unsigned int end = at;

	if (!n->as_posted)
		return (unsigned int)bitmap_next_clear(node->mask, at,
						       n->nr_units) - at;
	if (at == n->nr_units)
		return free_behind(n, node);
	while (end < n->nr_units) {
		unsigned int shift = end % BITMAP_WORD_BITS;
		unsigned long used = ~node->mask[end / BITMAP_WORD_BITS] >> shift;

		if ((uint32_t)used)
			return end + lowest_bit((uint32_t)used) - at;
		end += BITMAP_WORD_BITS - shift;
	}
	return n->nr_units - at;
}

/* Free units before `at`; as posted: units in use above bit 31 are not seen. */
static unsigned int free_left(const struct nta *n, const struct nta_node *node,
			      unsigned int at)
{
	unsigned int start = at;

	while (start) {
		unsigned int word = (start - 1) / BITMAP_WORD_BITS;
		unsigned int bits = start - word * (unsigned int)BITMAP_WORD_BITS;
		unsigned long used = ~node->mask[word];

		if (bits < BITMAP_WORD_BITS)
			used &= (1UL << bits) - 1;
		if (n->as_posted)
			used = (uint32_t)used;
		if (used)
			return at - (word * (unsigned int)BITMAP_WORD_BITS +
				     ilog2(used) + 1);
		start = word * BITMAP_WORD_BITS;
	}
	return at;
}

static void mask_written(struct nta *n, struct nta_node *node, unsigned int at,
			 unsigned int nr)
{
	for (unsigned int i = at / BITMAP_WORD_BITS;
	     COST_COUNTS && i * BITMAP_WORD_BITS < at + nr; i++)
		COST_WRITE(&n->base, &node->mask[i]);
	(void)n;
	(void)node;
}

void nta_node_take(struct nta *n, struct nta_node *node, unsigned int at,
		   unsigned int nr)
{
	bitmap_clear_range(node->mask, at, at + nr);
	mask_written(n, node, at, nr);
	n->nr_free -= nr;
}

void nta_node_free(struct nta *n, struct nta_node *node, unsigned int at,
		   unsigned int nr)
{
	unsigned int left = free_left(n, node, at);
	unsigned int right = free_right(n, node, at + nr);
	unsigned int all = min_t(unsigned int, left + nr + right, n->nr_units);

	COST_ADD(&n->base, bits_scanned, left + right);
	if (left)
		nta_run_unlink(n, node, at - left, left);
	if (right && at + nr < n->nr_units)
		nta_run_unlink(n, node, at + nr, right);
	bitmap_set_range(node->mask, at, at + nr);
	mask_written(n, node, at, nr);
	n->nr_free += nr;
	nta_run_append(n, node, at - left, all);
}
