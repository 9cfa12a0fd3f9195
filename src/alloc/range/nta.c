/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nta.c - the Network Tree Allocator of 2006: masks in a tree, runs by length
 *
 *    node (a page of 128 units)         class = length, a list, first in first out
 *    mask  0001111100110000...            2 -> [ 9 ]
 *             `-5-'  `2'                  5 -> [ 3 ] -> [ 131 ]
 *                                       128 -> [ 256 ]
 *
 * Units are handed out in nodes; a node has a bit for each unit (1: free) and
 * never goes away. Each maximal free run of a mask is on the list of its
 * length. Alloc takes the first run of the smallest class that is long enough
 * and appends the rest to its own class; free measures the free runs beside
 * it, takes them off their lists and appends the union. Runs do not span
 * nodes. The mask cannot tell two neighbouring runs in use, so the caller has
 * to bring the length.
 *
 * version=seed     as first described: nodes in an AVL tree by address; lists
 *                  singly linked, their entries (16 bytes) outside of the
 *                  memory they stand for, so that a run in the middle of a list
 *                  is found by walking it. A free may add a run to the lists:
 *                  its entry is secured by the alloc before it.
 * version=posted   as posted: a node is found by two words borrowed from each
 *                  page's descriptor, and lists are doubly linked, by three
 *                  words in the free run itself: no memory, but it must be
 *                  possible to address it, so no high memory.
 * nta_trimmed      an emulation of alignment, which the design has not: take
 *                  as much as surely holds an aligned run, free what is around.
 *
 * A span shorter than a node still gets a whole mask; another node may begin
 * where the span ends, and hides the units that the mask has in vain.
 *
 * Nodes and their masks are nta_nodes.c's, the lists nta_lists.c's.
 *
 * Memory:     seed: a node of 32 bytes (the source's has 12, of a 32-bit kernel)
 *             and a bit a unit; 16 bytes an entry, of which about half as many
 *             as runs are free or held (nta_lists.c)
 * Invariant:  a mask's maximal free runs <-> entries, class by class
 * Cost:       seed: alloc O(classes + log nodes), free O(log nodes + list);
 *             posted: alloc O(classes), free O(1)
 *             Half of 64 MiB in use, single pages: 947 instructions an operation
 *             (scripts/bench-instructions, a1), 400 of them the walk along a
 *             list to unlink a neighbour, 180 the tree; posted 400, with neither.
 *
 * as-posted=on brings back four defects of the posted code: on 64 bits its
 * searches see the lower half of a word only, so that a free run seems to go
 * on over memory in use; behind a mask's end they read on into the next node;
 * of what is freed only the first unit is looked at; and runs that another CPU
 * freed, which version=posted parks, are found by the next free alone. A range
 * is one CPU's: there are no caches for several. Growth and the end are its
 * owner's (bytes.c has the posted ones).
 */
#include <errno.h>

#include "alloc/range_pages.h"
#include "nta.h"

static uint64_t nta_bytes(unsigned int nr_units)
{
	return sizeof(struct nta) + nr_units * sizeof(struct nta_list);
}

/* -- the range interface ---------------------------------------------------- */

static int nta_create(struct range **out, const struct range_ops *ops,
		      struct machine *m, const struct option_set *opts,
		      struct msg *msg)
{
	unsigned int nr_units = option_get(opts, "units") ? 512 : 128;
	bool posted = option_get(opts, "version");
	struct nta *n;

	if (posted && m->highmem_pfn < m->end_pfn)
		return msg_set(msg, EINVAL,
			       "%s:version=posted keeps its links in free pages and cannot serve high memory (pfn %lu on)",
			       ops->name, m->highmem_pfn);
	n = machine_alloc(m, nta_bytes(nr_units), META_structures);
	if (!n)
		return msg_set(msg, ENOMEM, "%s: no room for %u lists",
			       ops->name, nr_units);
	range_init(&n->base, ops, m);
	n->posted = posted;
	n->as_posted = option_get(opts, "as-posted");
	n->nr_units = nr_units;
	n->nr_words = (unsigned int)bitmap_words(nr_units);
	if (nta_nodes_init(n)) {
		machine_free(m, n, nta_bytes(nr_units), META_structures);
		return msg_set(msg, ENOMEM, "%s: no room for its pages' words",
			       ops->name);
	}
	/* A run that is trimmed leaves at most as much again. */
	if (n->base.caps.max_align == 1)
		n->base.caps.max_nr = nr_units;
	else
		n->base.caps.max_nr = n->base.caps.max_align = nr_units / 2;
	*out = &n->base;
	return 0;
}

static void nta_destroy(struct range *r)
{
	struct nta *n = to_nta(r);
	struct avl_node *tree;

	nta_entries_destroy(n);
	nta_give_back(n);
	while ((tree = avl_first(&n->nodes)))
		nta_node_destroy(n, to_node(tree));
	machine_free(r->machine, n, nta_bytes(n->nr_units), META_structures);
}

/* Units behind the span's end fill up its last node and are never freed. */
static int nta_add(struct range *r, unsigned long first, unsigned long nr)
{
	struct nta *n = to_nta(r);

	if (nta_nodes_add(n, first, nr))
		return -ENOMEM;
	nta_borrow(n, nr);
	n->reserved += nr;
	return 0;
}

/* The units of one node out of a run. */
struct piece {
	struct nta_node *node;		/* NULL: no such unit */
	unsigned int at;		/* in it */
	unsigned int nr;
};

static struct piece piece_at(const struct nta *n, unsigned long first,
			     unsigned long end)
{
	struct nta_node *node = nta_node_of(n, first);
	unsigned int at;

	if (!node)
		return (struct piece){ NULL, 0, 0 };
	at = (unsigned int)(first - node->first);
	return (struct piece){ node, at,
			       (unsigned int)min_t(unsigned long, end - first,
						   n->nr_units - at) };
}

static void nta_release(struct range *r, unsigned long first, unsigned long nr)
{
	struct nta *n = to_nta(r);
	unsigned long end = first + nr;

	while (first < end) {
		struct piece piece = piece_at(n, first, end);
		bool secured = nta_secure_entries(n, n->nr_runs + n->nr_held + 1);

		/* Entries for every second unit are less than the arena has. */
		assert(secured);
		(void)secured;
		nta_node_free(n, piece.node, piece.at, piece.nr);
		n->reserved -= piece.nr;
		first += piece.nr;
	}
}

/* Nodes that a run lies in: as many free runs may come of it. */
static unsigned long nodes_of(const struct nta *n, unsigned long first,
			      unsigned long nr)
{
	const struct nta_node *node = nta_node_of(n, first);

	assert(node);
	return div_round_up(first - node->first + nr, n->nr_units);
}

static int nta_adopt(struct range *r, unsigned long first, unsigned long nr)
{
	struct nta *n = to_nta(r);
	unsigned long pieces = nodes_of(n, first, nr);

	if (!nta_secure_entries(n, n->nr_runs + n->nr_held + pieces))
		return -ENOMEM;
	n->nr_held += pieces;
	n->reserved -= nr;
	return 0;
}

/* The first list that holds runs of at least nr units; its length, or 0. */
static unsigned int class_for(const struct nta *n, unsigned int nr)
{
	for (unsigned int class = nr; class <= n->nr_units; class++) {
		COST_READ(&n->base, &n->lists[class - 1]);
		if (n->lists[class - 1].head)
			return class;
	}
	return 0;
}

static enum range_answer nta_free(struct range *r, unsigned long first,
				  unsigned long nr);

/* What other CPUs have freed is freed for good. */
static void free_parked(struct nta *n)
{
	struct nta_container *c;

	while (unlikely((c = nta_unpark(n)))) {
		unsigned long nr = c->parked;
		enum range_answer answer =
			nta_free(&n->base, nta_link_first(n, &c->link), nr);

		assert(answer == RANGE_OK);
		(void)answer;
	}
}

/*
 * The list to serve nr units from. As posted an alloc does not see what is
 * parked, and its owner grows the range in vain.
 */
static unsigned int class_now(struct nta *n, unsigned int nr)
{
	unsigned int class = class_for(n, nr);

	if (class || n->as_posted || !n->parked)
		return class;
	free_parked(n);
	return class_for(n, nr);
}

/* nr units that were free; no node when there are none. */
static struct piece take(struct nta *n, unsigned int nr)
{
	unsigned int class = class_now(n, nr);
	struct piece piece = { NULL, 0, nr };

	/* This run, the rest, and what a trimming makes of them. */
	if (!class || !nta_secure_entries(n, n->nr_runs + n->nr_held + 3))
		return piece;
	piece.node = nta_link_node(n, n->lists[class - 1].head, &piece.at);

	nta_run_unlink(n, piece.node, piece.at, class);
	nta_node_take(n, piece.node, piece.at, nr);
	n->nr_held++;
	if (class > nr)
		nta_run_append(n, piece.node, piece.at + nr, class - nr);
	return piece;
}

static unsigned long nta_alloc(struct range *r, unsigned long nr,
			       unsigned long align)
{
	struct piece piece = take(to_nta(r), (unsigned int)nr);

	(void)align;
	return piece.node ? piece.node->first + piece.at : RANGE_NONE;
}

/* Take as much as surely holds an aligned run, and free what is around it. */
static unsigned long nta_alloc_trimmed(struct range *r, unsigned long nr,
				       unsigned long align)
{
	struct nta *n = to_nta(r);
	struct piece piece = take(n, (unsigned int)(nr + align - 1));
	unsigned int head = -piece.at & (unsigned int)(align - 1);
	unsigned int tail = (unsigned int)align - 1 - head;

	if (!piece.node)
		return RANGE_NONE;
	if (head)
		nta_node_free(n, piece.node, piece.at, head);
	if (tail)
		nta_node_free(n, piece.node, piece.at + head + (unsigned int)nr,
			      tail);
	return piece.node->first + piece.at + head;
}

/* Whether units are in use: all of them, or the first, as posted. */
static bool are_in_use(const struct nta *n, const struct piece *piece)
{
	const unsigned long *mask = piece->node->mask;
	unsigned int end = piece->at + piece->nr;

	if (n->as_posted)
		return !bitmap_test(mask, piece->at);
	return bitmap_next_set(mask, piece->at, end) == end;
}

/* Blocks in use at the start may lie in several nodes, all others in one. */
static enum range_answer nta_free(struct range *r, unsigned long first,
				  unsigned long nr)
{
	struct nta *n = to_nta(r);
	unsigned long end = first + nr, nr_pieces = 0;
	struct piece piece;

	free_parked(n);
	if (!nr)
		return RANGE_OUTSIDE;
	for (unsigned long at = first; at < end; at += piece.nr) {
		piece = piece_at(n, at, end);
		if (!piece.node)
			return RANGE_OUTSIDE;
		if (!are_in_use(n, &piece))
			return RANGE_NOT_USED;
		nr_pieces++;
	}
	n->nr_held -= nr_pieces;
	if (likely(nr_pieces == 1)) {
		nta_node_free(n, piece.node, piece.at, piece.nr);
		return RANGE_OK;
	}
	for (unsigned long at = first; at < end; at += piece.nr) {
		piece = piece_at(n, at, end);
		nta_node_free(n, piece.node, piece.at, piece.nr);
	}
	return RANGE_OK;
}

/* As first described there is no other CPU. */
static enum range_answer nta_free_remote(struct range *r, unsigned long first,
					 unsigned long nr)
{
	struct nta *n = to_nta(r);
	struct nta_node *node = nta_node_of(n, first);

	if (!n->posted)
		return nta_free(r, first, nr);
	if (!nr || !node || first - node->first + nr > n->nr_units)
		return RANGE_OUTSIDE;
	nta_park(n, node, (unsigned int)(first - node->first), (unsigned int)nr);
	return RANGE_OK;
}

/* The mask knows no ends of runs; only what they may need on free changes. */
static bool nta_split(struct range *r, unsigned long first, unsigned long nr,
		      unsigned long part)
{
	struct nta *n = to_nta(r);
	unsigned long held = n->nr_held - nodes_of(n, first, nr);

	for (unsigned long at = 0; at < nr; at += part)
		held += nodes_of(n, first + at, part);
	if (!nta_secure_entries(n, n->nr_runs + held))
		return false;
	n->nr_held = held;
	return true;
}

static void nta_query(const struct range *r, unsigned long unit,
		      struct range_info *info)
{
	const struct nta *n = to_const_nta(r);
	const struct nta_node *node = nta_node_of(n, unit);

	*info = (struct range_info){ RANGE_INVALID, RANGE_NONE, 0 };
	if (node)
		info->state = bitmap_test(node->mask, unit - node->first) ?
			      RANGE_FREE : RANGE_USED;
}

/*
 * Look on for a free run in one node's units [at, stop), all behind those seen
 * so far; true when it has ended, or one that was begun does not go on.
 */
static bool run_ends_in(const struct nta_node *node, unsigned long at,
			unsigned long stop, struct range_run *run)
{
	unsigned long first = node->first;

	if (!run->nr)
		run->start = at = first + bitmap_next_set(node->mask, at - first,
							  stop - first);
	else if (at != run->start + run->nr)
		return true;
	if (at == stop)
		return false;
	at = first + bitmap_next_clear(node->mask, at - first, stop - first);
	run->nr = at - run->start;
	return at < stop;
}

/* Of what is free side by side, in however many nodes. */
static bool nta_next_free(const struct range *r, unsigned long from,
			  unsigned long end, struct range_run *run)
{
	const struct nta *n = to_const_nta(r);
	struct avl_walk walk;
	const struct nta_node *node = to_node(avl_walk_start(&walk, &n->nodes,
							     &from));

	run->nr = 0;
	if (!node)
		node = to_node(avl_walk_next(&walk));
	while (node && node->first < end) {
		const struct nta_node *next = to_node(avl_walk_next(&walk));
		unsigned long stop = min_t(unsigned long, end,
					   node->first + n->nr_units);
		unsigned long at = max_t(unsigned long, from, node->first);

		if (next)
			stop = min_t(unsigned long, stop, next->first);
		if (at < stop && run_ends_in(node, at, stop, run))
			return true;
		node = next;
	}
	return run->nr;
}

static unsigned long nta_nr_free(const struct range *r)
{
	return to_const_nta(r)->nr_free;
}

/* -- checking --------------------------------------------------------------- */

/* Runs and entries as sums: equal sums of hashes, equal sets. */
struct run_sum {
	unsigned long nr;
	uint64_t hash;
};

static void run_sum_add(struct run_sum *sum, unsigned long first,
			unsigned long nr)
{
	sum->nr++;
	sum->hash += fingerprint_mix(fingerprint_mix(first + 1, nr), first);
}

static struct run_sum sum_masks(const struct nta *n, unsigned long *nr_free)
{
	struct run_sum sum = { 0, 0 };
	const unsigned long from = 0;
	struct avl_walk walk;
	const struct nta_node *node = to_node(avl_walk_start(&walk, &n->nodes,
							     &from));

	*nr_free = 0;
	if (!node)
		node = to_node(avl_walk_next(&walk));
	for (; node; node = to_node(avl_walk_next(&walk))) {
		unsigned long at = bitmap_next_set(node->mask, 0, n->nr_units);

		while (at < n->nr_units) {
			unsigned long end = bitmap_next_clear(node->mask, at,
							      n->nr_units);

			run_sum_add(&sum, node->first + at, end - at);
			*nr_free += end - at;
			at = bitmap_next_set(node->mask, end, n->nr_units);
		}
	}
	return sum;
}

/* Up to one run more than there are: as posted, a list may lead back into itself. */
static struct run_sum sum_lists(const struct nta *n)
{
	struct run_sum sum = { 0, 0 };

	for (unsigned int class = 1; class <= n->nr_units; class++)
		for (struct nta_link *link = n->lists[class - 1].head;
		     link && sum.nr <= n->nr_runs; link = link->next)
			run_sum_add(&sum, nta_link_first(n, link), class);
	return sum;
}

static int nta_verify(const struct range *r, struct msg *msg)
{
	const struct nta *n = to_const_nta(r);
	unsigned long nr_free;
	struct run_sum masks = sum_masks(n, &nr_free), lists = sum_lists(n);

	if (!avl_is_balanced(&n->nodes))
		return msg_set(msg, EUCLEAN, "the tree of nodes leans");
	if (lists.nr > n->nr_runs)
		return msg_set(msg, EUCLEAN, "more runs are listed than the %lu there are",
			       n->nr_runs);
	if (nr_free != n->nr_free)
		return msg_set(msg, EUCLEAN, "%lu units are free, not %lu",
			       nr_free, n->nr_free);
	if (lists.nr != n->nr_runs)
		return msg_set(msg, EUCLEAN, "%lu runs are listed, not %lu",
			       lists.nr, n->nr_runs);
	if (masks.nr != lists.nr || masks.hash != lists.hash)
		return msg_set(msg, EUCLEAN,
			       "the masks have %lu free runs, the lists %lu, and not the same",
			       masks.nr, lists.nr);
	if (!n->posted && n->nr_entries < nta_entries_for(n, n->nr_runs + n->nr_held))
		return msg_set(msg, EUCLEAN,
			       "%lu entries for %lu free runs and %lu to come",
			       n->nr_entries, n->nr_runs, n->nr_held);
	return 0;
}

/* Where each run stands on its list decides who is next. */
static uint64_t nta_fingerprint(const struct range *r)
{
	const struct nta *n = to_const_nta(r);
	uint64_t hash = n->nr_held;

	for (unsigned int class = 1; class <= n->nr_units; class++)
		for (struct nta_link *link = n->lists[class - 1].head; link;
		     link = link->next)
			hash = fingerprint_mix(hash, nta_link_first(n, link) *
						     n->nr_units + class);
	return fingerprint_mix(hash, n->nr_entries);
}

#define NTA_OPTIONS                                                            \
	{ .key = "version", .values = "seed|posted", .def = "seed",            \
	  .help = "lists outside of free memory and a tree, or links inside" }, \
	{ .key = "units", .values = "128|512", .def = "128",                   \
	  .help = "of a node" },                                               \
	{ .key = "as-posted", .values = "off|on", .def = "off",                \
	  .help = "with the posted code's 32-bit searches and lax free" },     \
	{ .key = NULL }

static const struct option_spec nta_options[] = { NTA_OPTIONS };
static const struct option_spec nta_trimmed_options[] = { NTA_OPTIONS };

/* .max_nr and .max_align are those of the larger node; create() narrows them. */
#define NTA_RANGE_OPS(backend, alloc_fn, most_nr, most_align)           \
	extern const struct range_ops backend##_range_ops;              \
	const struct range_ops backend##_range_ops = {                  \
		.name = #backend,                                       \
		.options = backend##_options,                           \
		.caps = {                                               \
			.max_nr = most_nr,                              \
			.max_align = most_align,                        \
			.needs_size = true,                             \
			.query = RANGE_QUERY_USED,                      \
			.concurrency = RANGE_PER_CPU,                   \
			.grows = true,                                  \
		},                                                      \
		.create = nta_create,                                   \
		.destroy = nta_destroy,                                 \
		.add = nta_add,                                         \
		.release = nta_release,                                 \
		.adopt = nta_adopt,                                     \
		.alloc = alloc_fn,                                      \
		.free = nta_free,                                       \
		.free_remote = nta_free_remote,                         \
		.split = nta_split,                                     \
		.query = nta_query,                                     \
		.next_free = nta_next_free,                             \
		.nr_free = nta_nr_free,                                 \
		.verify = nta_verify,                                   \
		.fingerprint = nta_fingerprint,                         \
	}

NTA_RANGE_OPS(nta, nta_alloc, 512, 1);
NTA_RANGE_OPS(nta_trimmed, nta_alloc_trimmed, 256, 256);

/* Half a node of 128 units is the largest block that trimming surely finds. */
#define TRIMMED_MAX_ORDER (MAX_PAGE_ORDER < 6 ? MAX_PAGE_ORDER : 6)

RANGE_PAGES(nta, "masks in a tree, runs by length: Network Tree Allocator, order 0",
	    .max_order = 0, .needs_size = true, .query = QUERY_FREE_BLOCKS);
RANGE_PAGES(nta_trimmed, "nta with alignment emulated: takes too much, frees the rest",
	    .max_order = TRIMMED_MAX_ORDER, .needs_size = true,
	    .lazy_merge = true, .query = QUERY_FREE_BLOCKS);
