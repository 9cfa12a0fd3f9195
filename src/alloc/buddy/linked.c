/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linked.c - today's Linux: a 64-byte struct page, free lists through it
 *
 *    free_area[order]        struct page of a block's first page
 *      [ head ] <-> [flags|lru|...|order|type|...] <-> [ ... ] <-> (head)
 *                    64 bytes: one cache line a page
 *
 * Every page has 64 bytes (32 on a 32-bit machine): flags, a list entry, a
 * word for the order, a word for the type, and room for what its owner keeps
 * there. A free list is a circle of list entries, so a block leaves from the
 * middle in O(1), touching its two neighbours. Nothing else is needed: no
 * list structure beyond the heads, no node, no mapping; the descriptor holds
 * the allocatee's state too, which is why it is that large.
 */
#include "policy.h"

struct list_entry {
	struct list_entry *next;
	struct list_entry *prev;
};

struct linked_page {
	unsigned long flags;
	struct list_entry lru;		/* free: place on the list */
	uint32_t order;			/* of the block this page heads */
	uint32_t type;			/* enum buddy_kind */
	unsigned char owner[sizeof(long) == 8 ? 32 : 12];	/* what the allocatee keeps here */
};
_Static_assert(sizeof(struct linked_page) == (sizeof(long) == 8 ? 64 : 32),
	       "the size of struct page");

struct linked_zone {
	struct buddy_zone base;
	struct list_entry free_list[NR_PAGE_ORDERS][BUDDY_NR_TYPES];
};

extern const struct allocator_ops linked_ops;

struct linked {
	struct buddy buddy;
	struct linked_page *pages;	/* set at create */
	struct linked_zone zones[];
};

static inline struct linked *to_linked(const struct buddy *b)
{
	return (struct linked *)(uintptr_t)container_of_const(b, struct linked, buddy);
}

static inline struct linked_page *page_of(const struct buddy *b,
					  unsigned long pfn)
{
	return &to_linked(b)->pages[pfn];
}

static inline unsigned long pfn_of(const struct buddy *b,
				   const struct list_entry *entry)
{
	return (unsigned long)(container_of_const(entry, struct linked_page, lru) -
			       to_linked(b)->pages);
}

static inline struct list_entry *list_head(const struct buddy_zone *z,
					   unsigned int order, unsigned int type)
{
	struct linked_zone *lz =
		(struct linked_zone *)(uintptr_t)container_of_const(z, struct linked_zone, base);

	return &lz->free_list[order][type];
}

static inline bool linked_is_free(const struct buddy *b, unsigned long pfn,
				  unsigned int order)
{
	const struct linked_page *page = page_of(b, pfn);

	return page->type == KIND_FREE && page->order == order;
}

static inline enum buddy_kind linked_kind(const struct buddy *b,
					  unsigned long pfn, unsigned int *order)
{
	const struct linked_page *page = page_of(b, pfn);

	*order = page->order;
	return (enum buddy_kind)page->type;
}

static inline void linked_set_allocated(struct buddy *b, struct buddy_zone *z,
					unsigned long pfn, unsigned int order)
{
	struct linked_page *page = page_of(b, pfn);

	(void)z;
	page->type = KIND_ALLOCATED;
	page->order = order;
}

static inline void linked_clear(struct buddy *b, unsigned long pfn)
{
	page_of(b, pfn)->type = KIND_NONE;
}

static inline void linked_add(struct buddy *b, struct buddy_zone *z,
			      unsigned long pfn, unsigned int order,
			      unsigned int type, enum list_end end)
{
	struct list_entry *head = list_head(z, order, type);
	struct linked_page *page = page_of(b, pfn);
	struct list_entry *prev = end == LIST_HEAD ? head : head->prev;
	struct list_entry *next = prev->next;

	COST_NOW(list_nodes, 1 + (prev != head) + (next != head));
	page->type = KIND_FREE;
	page->order = order;
	page->lru.prev = prev;
	page->lru.next = next;
	prev->next = &page->lru;
	next->prev = &page->lru;
}

static inline void linked_del(struct buddy *b, struct buddy_zone *z,
			      unsigned long pfn, unsigned int order,
			      unsigned int type, enum list_end fill)
{
	struct linked_page *page = page_of(b, pfn);

	COST_NOW(list_nodes, 1 + (page->lru.prev != list_head(z, order, type)) +
			     (page->lru.next != list_head(z, order, type)));
	(void)z, (void)order, (void)type, (void)fill;
	page->lru.prev->next = page->lru.next;
	page->lru.next->prev = page->lru.prev;
	page->type = KIND_NONE;
}

static inline unsigned long linked_pop(struct buddy *b, struct buddy_zone *z,
				       unsigned int order, unsigned int type)
{
	unsigned long pfn = pfn_of(b, list_head(z, order, type)->next);

	linked_del(b, z, pfn, order, type, LIST_HEAD);
	return pfn;
}

static inline unsigned long linked_peek(struct buddy *b, struct buddy_zone *z,
					unsigned int order, unsigned int type,
					enum list_end end)
{
	const struct list_entry *head = list_head(z, order, type);

	return pfn_of(b, end == LIST_HEAD ? head->next : head->prev);
}

/* A per-CPU list is a chain through the same entries, ending in NULL. */
static inline void linked_park(struct buddy *b, struct buddy_zone *z,
			       struct link_list *list, unsigned long pfn,
			       unsigned int order, enum list_end end)
{
	struct linked_page *page = page_of(b, pfn);

	(void)z;
	COST_NOW(list_nodes, 1 + (list->first != LINK_END));
	page->type = KIND_PCP;
	page->order = order;
	page->lru = (struct list_entry){ NULL, NULL };
	if (list->first == LINK_END) {
		list->first = list->last = pfn;
	} else if (end == LIST_HEAD) {
		page->lru.next = &page_of(b, (unsigned long)list->first)->lru;
		page->lru.next->prev = &page->lru;
		list->first = pfn;
	} else {
		page->lru.prev = &page_of(b, (unsigned long)list->last)->lru;
		page->lru.prev->next = &page->lru;
		list->last = pfn;
	}
}

static inline unsigned long linked_unpark(struct buddy *b, struct buddy_zone *z,
					  struct link_list *list,
					  enum list_end end)
{
	unsigned long pfn = (unsigned long)(end == LIST_HEAD ? list->first :
							       list->last);
	struct linked_page *page = page_of(b, pfn);

	(void)z;
	COST_NOW(list_nodes, 1 + (list->first != list->last));
	page->type = KIND_NONE;
	if (list->first == list->last) {
		list->first = list->last = LINK_END;
	} else if (end == LIST_HEAD) {
		list->first = pfn_of(b, page->lru.next);
		page->lru.next->prev = NULL;
	} else {
		list->last = pfn_of(b, page->lru.prev);
		page->lru.prev->next = NULL;
	}
	return pfn;
}

static unsigned long linked_next_parked(const struct buddy *b,
					unsigned long pfn, unsigned long prev)
{
	const struct list_entry *next = page_of(b, pfn)->lru.next;

	(void)prev;
	return next ? pfn_of(b, next) : PFN_NONE;
}

static int linked_verify_list(const struct buddy *b, const struct buddy_zone *z,
			      unsigned int order, unsigned int type,
			      struct msg *msg)
{
	const struct list_entry *head = list_head(z, order, type);
	unsigned long nr = 0;

	for (const struct list_entry *e = head->next; e != head; e = e->next) {
		unsigned long pfn = pfn_of(b, e);

		if (e->next->prev != e || !linked_is_free(b, pfn, order) ||
		    buddy_type(b, z, pfn) != type)
			return msg_set(msg, EUCLEAN,
				       "zone %s: pfn %#lx stands on the list of order %u, type %u, and does not belong there",
				       z->zone->name, pfn, order, type);
		nr++;
	}
	if (nr != z->nr_free[order][type])
		return msg_set(msg, EUCLEAN,
			       "zone %s: the list of order %u, type %u has %lu blocks and should have %lu",
			       z->zone->name, order, type, nr,
			       z->nr_free[order][type]);
	return 0;
}

static inline const void *linked_memmap(const struct buddy *b)
{
	return page_of(b, 0);
}

static const struct buddy_repr linked_repr = {
	.memmap = linked_memmap,
	.desc_bytes = sizeof(struct linked_page),
	.is_free = linked_is_free,
	.kind = linked_kind,
	.set_allocated = linked_set_allocated,
	.clear = linked_clear,
	.add = linked_add,
	.del = linked_del,
	.pop = linked_pop,
	.peek = linked_peek,
	.park = linked_park,
	.unpark = linked_unpark,
	.next_parked = linked_next_parked,
	.verify_list = linked_verify_list,
};

static unsigned long linked_alloc(struct allocator *a,
				  const struct alloc_req *req)
{
	return buddy_alloc(&linked_repr, a, req);
}

static void linked_free(struct allocator *a, unsigned long pfn,
			unsigned int order, unsigned int cpu)
{
	buddy_free(&linked_repr, a, pfn, order, cpu);
}

static void linked_release(struct allocator *a, unsigned long pfn,
			   unsigned int order)
{
	buddy_release(&linked_repr, a, pfn, order);
}

static void linked_release_pcp(struct allocator *a, unsigned long pfn,
			       unsigned int order, unsigned int cpu)
{
	buddy_release_pcp(&linked_repr, a, pfn, order, cpu);
}

static int linked_adopt(struct allocator *a, unsigned long pfn,
			unsigned int order)
{
	return buddy_adopt(&linked_repr, a, pfn, order);
}

static bool linked_split(struct allocator *a, unsigned long pfn,
			 unsigned int order, unsigned int new_order)
{
	return buddy_split(&linked_repr, a, pfn, order, new_order);
}

static bool linked_isolate(struct allocator *a, unsigned long pfn,
			   unsigned int order, unsigned int cpu)
{
	(void)cpu;
	return buddy_isolate(&linked_repr, a, pfn, order);
}

static bool linked_tick(struct allocator *a, uint64_t now_ns)
{
	(void)now_ns;
	return buddy_tick(&linked_repr, a);
}

static void linked_drain(struct allocator *a)
{
	buddy_drain(&linked_repr, a);
}

static void linked_counts(const struct allocator *a, unsigned int zone,
			  struct page_counts *counts)
{
	buddy_counts(&linked_repr, a, zone, counts);
}

static void linked_query(const struct allocator *a, unsigned long pfn,
			 struct page_info *info)
{
	buddy_query(&linked_repr, a, pfn, info);
}

static int linked_verify(const struct allocator *a, struct msg *msg)
{
	return buddy_verify(&linked_repr, a, msg);
}

/* Lists in order are all there is: what the pages say follows from them. */
static uint64_t linked_fingerprint(const struct allocator *a)
{
	const struct buddy *b = to_const_buddy(a);
	uint64_t hash = buddy_queue_hash(b);

	for (unsigned int i = 0; i < b->nr_zones; i++) {
		const struct buddy_zone *z = b->zones[i];

		hash = placement_mix(z, hash);
		for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
			for (unsigned int type = 0; type < z->nr_types; type++) {
				const struct list_entry *head = list_head(z, order, type);

				hash = fingerprint_mix(hash, UINT64_MAX);
				for (const struct list_entry *e = head->next;
				     e != head; e = e->next)
					hash = fingerprint_mix(hash, pfn_of(b, e));
			}
		}
	}
	return hash;
}

static void linked_destroy(struct allocator *a)
{
	struct linked *l = to_linked(to_buddy(a));

	buddy_exit(&l->buddy);
	machine_free(a->machine, l, sizeof(*l) + l->buddy.nr_zones *
		     sizeof(l->zones[0]), META_structures);
}

static const struct option_spec linked_options[] = {
	BUDDY_OPTIONS,
	{ NULL, NULL, NULL, NULL },
};

static int linked_create(struct allocator **out, struct machine *m,
			 const struct option_set *opts, struct msg *msg)
{
	unsigned int nr_zones = m->layout->nr_zones;
	struct linked *l = machine_alloc(m, sizeof(*l) + nr_zones *
					 sizeof(l->zones[0]), META_structures);
	int err;

	if (!l)
		return msg_set(msg, ENOMEM, "linked: no room for its zones");
	for (unsigned int i = 0; i < nr_zones; i++)
		l->buddy.zones[i] = &l->zones[i].base;
	err = buddy_init(&l->buddy, &linked_ops, m, opts, msg);
	if (err)
		goto destroy;
	l->pages = machine_memmap(m, sizeof(struct linked_page));
	if (!l->pages) {
		err = msg_set(msg, ENOMEM,
			      "linked: no room for %zu bytes for each of %lu pages",
			      sizeof(struct linked_page), m->end_pfn);
		goto destroy;
	}
	for (unsigned int i = 0; i < nr_zones; i++) {
		for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
			for (unsigned int type = 0; type < BUDDY_NR_TYPES; type++) {
				struct list_entry *head =
					&l->zones[i].free_list[order][type];

				head->next = head->prev = head;
			}
		}
	}
	*out = &l->buddy.base;
	return 0;

destroy:
	linked_destroy(&l->buddy.base);
	return err;
}

const struct allocator_ops linked_ops = {
	.name = "linked",
	.summary = "64-byte struct page, doubly linked free lists: Linux as it is",
	.desc_bytes = sizeof(struct linked_page),
	.describes_allocatee = true,
	.options = linked_options,
	.caps = { .max_order = MAX_PAGE_ORDER, .query = QUERY_BLOCKS },
	.create = linked_create,
	.destroy = linked_destroy,
	.set_block_type = buddy_set_block_type,
	.adopt = linked_adopt,
	.release = linked_release,
	.release_pcp = linked_release_pcp,
	.limit_pcp = buddy_limit_pcp,
	.alloc = linked_alloc,
	.free = linked_free,
	.split = linked_split,
	.isolate = linked_isolate,
	.tick = linked_tick,
	.drain = linked_drain,
	.free_area = buddy_free_area,
	.counts = linked_counts,
	.query = linked_query,
	.verify = linked_verify,
	.fingerprint = linked_fingerprint,
};
