/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nta_lists.c - free runs of the Network Tree Allocator, a list for each length
 *
 *    lists[4]   head -> [ 3 ] -> [ 131 ] <- tail       runs of 5 units
 *
 *    seed       an entry { next, first }, outside of what it stands for; one
 *               in the middle is found by walking the list
 *    posted     a container { next, prev, node } at the start of the free run
 *               itself; found at once
 *
 * Runs join a list at its end and are served from its head.
 *
 * A free may add a run to the lists and must not allocate: its entry is secured
 * by the alloc before it, from blocks of 64 that are kept.
 *
 * How many that takes: when x of the held runs have been freed, of f free ones
 * there are f + x at most. Each of the held - x others takes one run away at
 * most, by joining two, and what is left in the end is a run for each node, and
 * one more for each reserved unit that may keep two apart. So there are never
 * more than (f + held + nodes + reserved) / 2.
 */
#include "nta.h"

/* -- entries and containers ------------------------------------------------- */

unsigned long nta_entries_for(const struct nta *n, unsigned long nr)
{
	unsigned long most = n->nr_nodes * div_round_up(n->nr_units, 2);

	/* As posted runs are not always joined where they should be. */
	if (!n->as_posted)
		nr = min_t(unsigned long, nr,
			   (nr + n->nr_nodes + n->reserved) / 2);
	return min_t(unsigned long, nr, most);
}

bool nta_secure_entries(struct nta *n, unsigned long nr)
{
	if (n->posted)
		return true;
	nr = nta_entries_for(n, nr);
	while (unlikely(n->nr_entries < nr)) {
		struct nta_entry_block *block = machine_alloc(n->base.machine,
							  sizeof(*block),
							  META_nodes);

		if (!block)
			return false;
		block->next = n->blocks;
		n->blocks = block;
		for (unsigned int i = 0; i < ENTRIES_PER_BLOCK; i++) {
			block->entries[i].link.next = n->spare;
			n->spare = &block->entries[i].link;
		}
		n->nr_entries += ENTRIES_PER_BLOCK;
	}
	return true;
}

void nta_entries_destroy(struct nta *n)
{
	while (n->blocks) {
		struct nta_entry_block *block = n->blocks;

		n->blocks = block->next;
		machine_free(n->base.machine, block, sizeof(*block), META_nodes);
	}
	if (n->posted)
		meta_uncharge(&n->base.machine->meta, META_inband,
			      n->nr_runs * sizeof(struct nta_container));
}

static struct nta_entry *to_entry(struct nta_link *link)
{
	return container_of(link, struct nta_entry, link);
}

static struct nta_container *to_container(struct nta_link *link)
{
	return container_of(link, struct nta_container, link);
}

unsigned long nta_link_first(const struct nta *n, struct nta_link *link)
{
	struct nta_container *c;

	if (!n->posted)
		return to_entry(link)->first;
	c = to_container(link);
	return c->node->first + (unsigned long)(c - containers_of(n, c->node));
}

struct nta_node *nta_link_node(const struct nta *n, struct nta_link *link,
			       unsigned int *at)
{
	struct nta_node *node;

	if (n->posted) {
		struct nta_container *c = to_container(link);

		*at = (unsigned int)(c - containers_of(n, c->node));
		return c->node;
	}
	node = nta_node_of(n, to_entry(link)->first);
	*at = (unsigned int)(to_entry(link)->first - node->first);
	return node;
}

/* The run itself has room for what is to be known of it. */
void nta_park(struct nta *n, struct nta_node *node, unsigned int at,
	      unsigned int nr)
{
	struct nta_container *c = &containers_of(n, node)[at];

	c->node = node;
	c->parked = nr;
	c->link.next = n->parked;
	n->parked = &c->link;
}

struct nta_container *nta_unpark(struct nta *n)
{
	struct nta_link *link = n->parked;

	if (!link)
		return NULL;
	n->parked = link->next;
	return to_container(link);
}

static struct nta_link *link_make(struct nta *n, struct nta_node *node,
				  unsigned int at, struct nta_link *prev)
{
	struct nta_link *link;

	if (n->posted) {
		struct nta_container *c = &containers_of(n, node)[at];

		meta_charge(&n->base.machine->meta, META_inband, sizeof(*c));
		c->node = node;
		c->prev = prev;
		link = &c->link;
	} else {
		link = n->spare;
		assert(link);
		n->spare = link->next;
		to_entry(link)->first = node->first + at;
	}
	link->next = NULL;
	COST_WRITE(&n->base, link);
	return link;
}

static void link_drop(struct nta *n, struct nta_link *link)
{
	if (n->posted) {
		meta_uncharge(&n->base.machine->meta, META_inband,
			      sizeof(struct nta_container));
	} else {
		link->next = n->spare;
		n->spare = link;
	}
}

void nta_run_append(struct nta *n, struct nta_node *node, unsigned int at,
		    unsigned int nr)
{
	struct nta_list *list = &n->lists[nr - 1];
	struct nta_link *link = link_make(n, node, at, list->tail);

	if (list->tail)
		list->tail->next = link;
	else
		list->head = link;
	list->tail = link;
	n->nr_runs++;
	COST_WRITE(&n->base, list);
}

/*
 * Seed: the link before the one that stands for `first`; NULL: it is the first.
 */
static struct nta_link *link_before(const struct nta *n,
				    const struct nta_list *list,
				    unsigned long first)
{
	struct nta_link *prev = NULL;

	for (struct nta_link *link = list->head;
	     link && to_entry(link)->first != first; link = link->next) {
		COST_ADD(&n->base, list_nodes, 1);
		COST_READ(&n->base, link);
		prev = link;
	}
	(void)n;
	return prev;
}

void nta_run_unlink(struct nta *n, struct nta_node *node, unsigned int at,
		    unsigned int nr)
{
	struct nta_list *list = &n->lists[nr - 1];
	struct nta_link *prev = n->posted ? containers_of(n, node)[at].prev :
					    link_before(n, list, node->first + at);
	struct nta_link *link = prev ? prev->next : list->head;

	/* Only as posted may the length be wrong: nobody lists such a run. */
	if (!link || nta_link_first(n, link) != node->first + at) {
		assert(n->as_posted);
		return;
	}
	if (prev)
		prev->next = link->next;
	else
		list->head = link->next;
	if (!link->next)
		list->tail = prev;
	else if (n->posted)
		to_container(link->next)->prev = prev;
	COST_WRITE(&n->base, list);
	link_drop(n, link);
	n->nr_runs--;
}
