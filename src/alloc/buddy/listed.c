/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listed.c - making and checking buddies with doubly linked lists
 *
 * A backend with state of its own puts the struct listed at the end of it:
 *
 *    | the backend's own | struct listed | zone 0 | zone 1 | ...
 *    0                   offset
 */
#include "listed.h"

static size_t listed_bytes(const struct machine *m, size_t offset)
{
	return offset + sizeof(struct listed) +
	       m->layout->nr_zones * sizeof(struct listed_zone);
}

struct listed *listed_create(const struct allocator_ops *ops, struct machine *m,
			     const struct option_set *opts, size_t offset,
			     int *err, struct msg *msg)
{
	unsigned char *whole = machine_alloc(m, listed_bytes(m, offset),
					     META_structures);
	struct listed *l;

	if (!whole) {
		*err = msg_set(msg, ENOMEM, "%s: no room for its zones", ops->name);
		return NULL;
	}
	l = (struct listed *)(void *)(whole + offset);
	for (unsigned int i = 0; i < m->layout->nr_zones; i++) {
		struct listed_zone *lz = &l->zones[i];

		l->buddy.zones[i] = &lz->base;
		for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
			for (unsigned int type = 0; type < BUDDY_NR_TYPES; type++)
				lz->free_list[order][type] =
					(struct link_list){ LINK_END, LINK_END };
	}
	*err = buddy_init(&l->buddy, ops, m, opts, msg);
	if (*err)
		goto destroy;
	l->pages = machine_memmap(m, ops->desc_bytes);
	if (!l->pages) {
		*err = msg_set(msg, ENOMEM,
			       "%s: no room for %zu bytes for each of %lu pages",
			       ops->name, ops->desc_bytes, m->end_pfn);
		goto destroy;
	}
	return l;

destroy:
	listed_destroy(l, offset);
	return NULL;
}

void listed_destroy(struct listed *l, size_t offset)
{
	struct machine *m = l->buddy.base.machine;

	buddy_exit(&l->buddy);
	machine_free(m, (unsigned char *)l - offset, listed_bytes(m, offset),
		     META_structures);
}

/* The ends of a list, and what stands behind each. */
static struct link_list list_ends(const struct link_ops *ops,
				  const struct buddy *b,
				  const struct buddy_zone *z, unsigned int order,
				  unsigned int type, uint64_t *beyond)
{
	struct links links;

	*beyond = ops->head ? ops->head(b, z, order, type) : LINK_END;
	if (!ops->head)
		return *listed_free_list(z, order, type);
	links = ops->peek(b, *beyond);
	return (struct link_list){ .first = links.next, .last = links.prev };
}

int listed_verify(const struct link_ops *ops, const struct buddy_repr *r,
		  const struct buddy *b, const struct buddy_zone *z,
		  unsigned int order, unsigned int type, struct msg *msg)
{
	uint64_t beyond;
	struct link_list list = list_ends(ops, b, z, order, type, &beyond);
	uint64_t prev = beyond;
	unsigned long nr = 0;

	for (uint64_t place = list.first; place != beyond; nr++) {
		struct links links = ops->peek(b, place);
		unsigned long pfn = ops->pfn(b, place);
		unsigned int of;

		if (links.prev != prev || r->kind(b, pfn, &of) != KIND_FREE ||
		    of != order || buddy_type(b, z, pfn) != type)
			return msg_set(msg, EUCLEAN,
				       "zone %s: pfn %#lx stands on the list of order %u, type %u, and does not belong there",
				       z->zone->name, pfn, order, type);
		prev = place;
		place = links.next;
	}
	if (list.last != prev || nr != z->nr_free[order][type])
		return msg_set(msg, EUCLEAN,
			       "zone %s: the list of order %u, type %u has %lu blocks and should have %lu",
			       z->zone->name, order, type, nr,
			       z->nr_free[order][type]);
	return 0;
}

uint64_t listed_fingerprint(const struct link_ops *ops, const struct allocator *a)
{
	const struct buddy *b = to_const_buddy(a);
	uint64_t hash = buddy_queue_hash(b);

	for (unsigned int i = 0; i < b->nr_zones; i++) {
		const struct buddy_zone *z = b->zones[i];

		hash = placement_mix(z, hash);
		for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
			for (unsigned int type = 0; type < z->nr_types; type++) {
				uint64_t beyond;
				uint64_t place = list_ends(ops, b, z, order, type,
							   &beyond).first;

				hash = fingerprint_mix(hash, UINT64_MAX);
				while (place != beyond) {
					hash = fingerprint_mix(hash, ops->pfn(b, place));
					place = ops->peek(b, place).next;
				}
			}
		}
	}
	return hash;
}
