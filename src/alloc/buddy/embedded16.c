/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * embedded16.c - 16 bytes a page, with both list links inside
 *
 *    word 0   address of the next page on the free list   | type, 4 bits
 *    word 1   of the previous page                        | order, 4 bits
 *
 *      head            page            page
 *    [next|free ] -> [next|free ] -> [next|free ] -> (head)
 *    [prev|order] <- [prev|order] <- [prev|order]
 *
 * M. Wilcox's later proposal for the free page: a page descriptor is 16 bytes
 * and 16-byte aligned, so a pointer to one has four bits to spare, and two of
 * those hold what the buddy allocator has to know. Node, zone and section need
 * not be kept while a page is free: its place in the memmap tells them. It is
 * the closest rival of two words with deques: the same size, no list memory at
 * all, nothing to map; but a list is walked through the descriptors, and
 * leaving it from the middle writes two others.
 *
 * A free list is a circle through a head that looks like one of its pages, so
 * no link is ever missing. All on one list are of one type and one order, so a
 * neighbour's low bits are known, and its word is written without being read:
 * it may still be on its way from memory.
 *
 * Invariants:  at(at(p).next).prev and at(at(p).prev).next lead to p
 *              the head of a list says KIND_FREE and its order
 *
 * The words are 64 bits on every machine: a 32-bit kernel's 8-byte descriptors
 * would not be aligned to 16, which is what the design fails on there.
 */
#include "listed.h"

#define LOW_BITS 4
#define LOW_MASK ((UINT64_C(1) << LOW_BITS) - 1)
_Static_assert(MAX_PAGE_ORDER <= 15, "four bits of order");
_Static_assert(KIND_STASH <= 15, "four bits of type");

/* A descriptor is its links, with the four bits of each in use. */
_Static_assert(sizeof(struct links) == 16, "16 bytes a page");
_Static_assert(offsetof(struct listed_zone, ring) % 16 == 0,
	       "a pointer to a head has four bits to spare, too");

extern const struct allocator_ops embedded16_ops;

static inline struct links *page_of(const struct buddy *b, unsigned long pfn)
{
	return (struct links *)to_listed(b)->pages + pfn;
}

static inline unsigned long pfn_of(const struct buddy *b,
				   const struct links *page)
{
	return (unsigned long)(page - page_of(b, 0));
}

/* --- a link beside four bits of something else ------------------------ */

/* What a link beside these bits leads to: where they are known, a mere offset. */
static inline struct links *at(uint64_t word, unsigned int low)
{
	assert((word & LOW_MASK) == low);
	return (struct links *)(uintptr_t)(word - low);
}

static inline uint64_t word_of(const struct links *page, unsigned int low)
{
	return (uintptr_t)page + low;
}

/* For checks. */
static struct links embedded16_peek(const struct buddy *b, uint64_t place)
{
	const struct links *page = at(place, 0);

	(void)b;
	return (struct links){ page->next & ~LOW_MASK, page->prev & ~LOW_MASK };
}

static unsigned long embedded16_pfn(const struct buddy *b, uint64_t place)
{
	return pfn_of(b, at(place, 0));
}

static uint64_t embedded16_head(const struct buddy *b,
				const struct buddy_zone *z, unsigned int order,
				unsigned int type)
{
	(void)b;
	return (uintptr_t)listed_ring(z, order, type);
}

static const struct link_ops embedded16_links = {
	.peek = embedded16_peek,
	.pfn = embedded16_pfn,
	.head = embedded16_head,
};

/* --- what the policy asks of a representation ------------------------- */

static inline bool embedded16_is_free(const struct buddy *b, unsigned long pfn,
				      unsigned int order)
{
	const struct links *page = page_of(b, pfn);

	return (page->next & LOW_MASK) == KIND_FREE &&
	       (page->prev & LOW_MASK) == order;
}

static inline enum buddy_kind embedded16_kind(const struct buddy *b,
					      unsigned long pfn,
					      unsigned int *order)
{
	const struct links *page = page_of(b, pfn);

	*order = (unsigned int)(page->prev & LOW_MASK);
	return (enum buddy_kind)(page->next & LOW_MASK);
}

static inline void embedded16_set_allocated(struct buddy *b,
					    struct buddy_zone *z,
					    unsigned long pfn,
					    unsigned int order)
{
	(void)z;
	*page_of(b, pfn) = (struct links){ KIND_ALLOCATED, order };
}

/* Without a type, the order says nothing. */
static inline void embedded16_clear(struct buddy *b, unsigned long pfn)
{
	page_of(b, pfn)->next = KIND_NONE;
}

static inline void embedded16_add(struct buddy *b, struct buddy_zone *z,
				  unsigned long pfn, unsigned int order,
				  unsigned int type, enum list_end end)
{
	struct links *head = listed_ring(z, order, type);
	struct links *page = page_of(b, pfn);
	struct links *prev = end == LIST_HEAD ? head : at(head->prev, order);
	struct links *next = end == LIST_HEAD ? at(head->next, KIND_FREE) : head;

	COST_NOW(list_nodes, 1 + (prev != next));
	page->next = word_of(next, KIND_FREE);
	page->prev = word_of(prev, order);
	prev->next = word_of(page, KIND_FREE);
	next->prev = word_of(page, order);
}

static inline void embedded16_del(struct buddy *b, struct buddy_zone *z,
				  unsigned long pfn, unsigned int order,
				  unsigned int type, enum list_end fill)
{
	struct links *page = page_of(b, pfn);
	struct links was = *page;

	(void)z, (void)order, (void)type, (void)fill;
	COST_NOW(list_nodes, 1 + (at(was.prev, order) != listed_ring(z, order, type)) +
			     (at(was.next, KIND_FREE) != listed_ring(z, order, type)));
	at(was.prev, order)->next = was.next;
	at(was.next, KIND_FREE)->prev = was.prev;
	page->next = KIND_NONE;
}

static inline unsigned long embedded16_peek_end(struct buddy *b,
						struct buddy_zone *z,
						unsigned int order,
						unsigned int type,
						enum list_end end)
{
	const struct links *head = listed_ring(z, order, type);

	return pfn_of(b, end == LIST_HEAD ? at(head->next, KIND_FREE) :
					    at(head->prev, order));
}

static inline unsigned long embedded16_pop(struct buddy *b,
					   struct buddy_zone *z,
					   unsigned int order, unsigned int type)
{
	unsigned long pfn = embedded16_peek_end(b, z, order, type, LIST_HEAD);

	embedded16_del(b, z, pfn, order, type, LIST_HEAD);
	return pfn;
}

/* A per-CPU list is a chain of one order, whose ends have no link. */
static inline void embedded16_park(struct buddy *b, struct buddy_zone *z,
				   struct link_list *list, unsigned long pfn,
				   unsigned int order, enum list_end end)
{
	struct links *page = page_of(b, pfn);

	(void)z;
	COST_NOW(list_nodes, 1 + (list->first != LINK_END));
	*page = (struct links){ KIND_PCP, order };
	if (list->first == LINK_END) {
		list->first = list->last = pfn;
	} else if (end == LIST_HEAD) {
		struct links *next = page_of(b, (unsigned long)list->first);

		page->next = word_of(next, KIND_PCP);
		next->prev = word_of(page, order);
		list->first = pfn;
	} else {
		struct links *prev = page_of(b, (unsigned long)list->last);

		page->prev = word_of(prev, order);
		prev->next = word_of(page, KIND_PCP);
		list->last = pfn;
	}
}

/* What leaves an end hands the missing link on, with its low bits. */
static inline unsigned long embedded16_unpark(struct buddy *b, struct buddy_zone *z,
					      struct link_list *list,
					      enum list_end end)
{
	unsigned long pfn = (unsigned long)(end == LIST_HEAD ? list->first : list->last);
	struct links *page = page_of(b, pfn);

	(void)z;
	COST_NOW(list_nodes, 1 + (list->first != list->last));
	if (list->first == list->last) {
		list->first = list->last = LINK_END;
	} else if (end == LIST_HEAD) {
		struct links *next = at(page->next, KIND_PCP);

		list->first = pfn_of(b, next);
		next->prev = page->prev;
	} else {
		struct links *prev = at(page->prev, page->prev & LOW_MASK);

		list->last = pfn_of(b, prev);
		prev->next = page->next;
	}
	page->next = KIND_NONE;
	return pfn;
}

static unsigned long embedded16_next_parked(const struct buddy *b,
					    unsigned long pfn,
					    unsigned long prev)
{
	const struct links *next = at(page_of(b, pfn)->next, KIND_PCP);

	(void)prev;
	return next ? pfn_of(b, next) : PFN_NONE;
}

static int embedded16_verify_list(const struct buddy *b,
				  const struct buddy_zone *z,
				  unsigned int order, unsigned int type,
				  struct msg *msg);

static inline const void *embedded16_memmap(const struct buddy *b)
{
	return page_of(b, 0);
}

static const struct buddy_repr embedded16_repr = {
	.memmap = embedded16_memmap,
	.desc_bytes = sizeof(struct links),
	.is_free = embedded16_is_free,
	.kind = embedded16_kind,
	.set_allocated = embedded16_set_allocated,
	.clear = embedded16_clear,
	.add = embedded16_add,
	.del = embedded16_del,
	.pop = embedded16_pop,
	.peek = embedded16_peek_end,
	.park = embedded16_park,
	.unpark = embedded16_unpark,
	.next_parked = embedded16_next_parked,
	.verify_list = embedded16_verify_list,
};

static int embedded16_verify_list(const struct buddy *b,
				  const struct buddy_zone *z,
				  unsigned int order, unsigned int type,
				  struct msg *msg)
{
	return listed_verify(&embedded16_links, &embedded16_repr, b, z, order,
			     type, msg);
}

/* --- the table -------------------------------------------------------- */

LISTED_CALLS(embedded16)

static const struct option_spec embedded16_options[] = {
	BUDDY_OPTIONS,
	{ NULL, NULL, NULL, NULL },
};

static int embedded16_create(struct allocator **out, struct machine *m,
			     const struct option_set *opts, struct msg *msg)
{
	struct listed *l;
	int err;

	l = listed_create(&embedded16_ops, m, opts, 0, &err, msg);
	if (!l)
		return err;
	for (unsigned int i = 0; i < m->layout->nr_zones; i++)
		for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
			for (unsigned int type = 0; type < BUDDY_NR_TYPES; type++) {
				struct links *head = &l->zones[i].ring[order][type];

				*head = (struct links){ word_of(head, KIND_FREE),
							word_of(head, order) };
			}
	*out = &l->buddy.base;
	return 0;
}

const struct allocator_ops embedded16_ops = {
	.name = "embedded16",
	.summary = "16-byte page, both list links and four bits of type and order inside",
	.desc_bytes = sizeof(struct links),
	.options = embedded16_options,
	.caps = { .max_order = MAX_PAGE_ORDER, .query = QUERY_BLOCKS },
	.create = embedded16_create,
	LISTED_TABLE(embedded16),
};
