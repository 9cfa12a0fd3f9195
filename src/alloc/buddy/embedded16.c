/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * embedded16.c - 16 bytes a page, with both list links inside
 *
 *    word 0   next page on the free list, 60 bits   | type, 4 bits
 *    word 1   previous page                         | order, 4 bits
 *
 *    free_area[order]      page            page
 *      [ first ] -------> [next|free ] -> [next|free ] -> (end)
 *      [ last  ]          [prev|order] <- [prev|order]
 *
 * M. Wilcox's later proposal for the free page: a page descriptor is 16 bytes
 * and 16-byte aligned, so a pointer to one has four bits to spare, and two of
 * those hold what the buddy allocator has to know. Node, zone and section need
 * not be kept while a page is free: its place in the memmap tells them. It is
 * the closest rival of two words with deques: the same size, no list memory at
 * all, nothing to map; but a list is walked through the descriptors, and
 * leaving it from the middle writes two others.
 *
 * A pointer to descriptor p is memmap + 16 * p, so a link here is 16 * p with
 * the low bits free. The words are 64 bits on every machine: a 32-bit kernel's
 * 8-byte descriptors would not be aligned to 16, which is what the design fails
 * on there.
 */
#include "listed.h"

#define LOW_BITS 4
#define LOW_MASK ((UINT64_C(1) << LOW_BITS) - 1)
_Static_assert(MAX_PAGE_ORDER <= 15, "four bits of order");
_Static_assert(KIND_STASH <= 15, "four bits of type");

struct embedded16_page {
	uint64_t next_type;
	uint64_t prev_order;
};
_Static_assert(sizeof(struct embedded16_page) == 16, "16 bytes a page");

extern const struct allocator_ops embedded16_ops;

static inline struct embedded16_page *page_of(const struct buddy *b,
					      uint64_t pfn)
{
	return (struct embedded16_page *)to_listed(b)->pages + pfn;
}

/* --- a link beside four bits of something else ------------------------ */

/* All ones is the end of a list: no machine has 2^60 pages. */
static inline uint64_t link_of(uint64_t word)
{
	uint64_t link = word >> LOW_BITS;

	return link == UINT64_MAX >> LOW_BITS ? LINK_END : link;
}

static inline uint64_t with_link(uint64_t word, uint64_t link)
{
	return link << LOW_BITS | (word & LOW_MASK);
}

static inline struct links embedded16_get(const struct buddy *b, uint64_t pfn)
{
	const struct embedded16_page *page = page_of(b, pfn);

	return (struct links){ link_of(page->next_type), link_of(page->prev_order) };
}

static inline void embedded16_set_next(struct buddy *b, uint64_t pfn,
				       uint64_t next)
{
	struct embedded16_page *page = page_of(b, pfn);

	page->next_type = with_link(page->next_type, next);
}

static inline void embedded16_set_prev(struct buddy *b, uint64_t pfn,
				       uint64_t prev)
{
	struct embedded16_page *page = page_of(b, pfn);

	page->prev_order = with_link(page->prev_order, prev);
}

static unsigned long embedded16_pfn(const struct buddy *b, uint64_t pfn)
{
	(void)b;
	return (unsigned long)pfn;
}

static const struct link_ops embedded16_links = {
	.get = embedded16_get,
	.set_next = embedded16_set_next,
	.set_prev = embedded16_set_prev,
	.peek = embedded16_get,
	.pfn = embedded16_pfn,
};

/* --- what the policy asks of a representation ------------------------- */

static inline void set_page(struct embedded16_page *page, enum buddy_kind kind,
			    unsigned int order)
{
	page->next_type = kind;
	page->prev_order = order;
}

static inline void enter_list(struct buddy *b, struct link_list *list,
			      unsigned long pfn, enum buddy_kind kind,
			      unsigned int order, enum list_end end)
{
	struct links links = link_list_enter(&embedded16_links, b, list, pfn, end);
	struct embedded16_page *page = page_of(b, pfn);

	page->next_type = links.next << LOW_BITS | kind;
	page->prev_order = links.prev << LOW_BITS | order;
}

static inline bool embedded16_is_free(const struct buddy *b, unsigned long pfn,
				      unsigned int order)
{
	const struct embedded16_page *page = page_of(b, pfn);

	return (page->next_type & LOW_MASK) == KIND_FREE &&
	       (page->prev_order & LOW_MASK) == order;
}

static inline enum buddy_kind embedded16_kind(const struct buddy *b,
					      unsigned long pfn,
					      unsigned int *order)
{
	const struct embedded16_page *page = page_of(b, pfn);

	*order = (unsigned int)(page->prev_order & LOW_MASK);
	return (enum buddy_kind)(page->next_type & LOW_MASK);
}

static inline void embedded16_set_allocated(struct buddy *b,
					    struct buddy_zone *z,
					    unsigned long pfn,
					    unsigned int order)
{
	(void)z;
	set_page(page_of(b, pfn), KIND_ALLOCATED, order);
}

static inline void embedded16_clear(struct buddy *b, unsigned long pfn)
{
	set_page(page_of(b, pfn), KIND_NONE, 0);
}

static inline void embedded16_add(struct buddy *b, struct buddy_zone *z,
				  unsigned long pfn, unsigned int order,
				  unsigned int type, enum list_end end)
{
	enter_list(b, listed_free_list(z, order, type), pfn, KIND_FREE, order, end);
}

static inline void embedded16_del(struct buddy *b, struct buddy_zone *z,
				  unsigned long pfn, unsigned int order,
				  unsigned int type, enum list_end fill)
{
	(void)fill;
	link_list_del(&embedded16_links, b, listed_free_list(z, order, type), pfn);
	embedded16_clear(b, pfn);
}

static inline unsigned long embedded16_pop(struct buddy *b,
					   struct buddy_zone *z,
					   unsigned int order, unsigned int type)
{
	unsigned long pfn = (unsigned long)listed_free_list(z, order, type)->first;

	embedded16_del(b, z, pfn, order, type, LIST_HEAD);
	return pfn;
}

static inline void embedded16_park(struct buddy *b, struct buddy_zone *z,
				   struct link_list *list, unsigned long pfn,
				   unsigned int order, enum list_end end)
{
	(void)z;
	enter_list(b, list, pfn, KIND_PCP, order, end);
}

static inline unsigned long embedded16_unpark(struct buddy *b, struct buddy_zone *z,
					      struct link_list *list,
					      enum list_end end)
{
	unsigned long pfn = (unsigned long)link_list_pop(&embedded16_links, b, list,
							 end);

	(void)z;
	embedded16_clear(b, pfn);
	return pfn;
}

static unsigned long embedded16_next_parked(const struct buddy *b,
					    unsigned long pfn,
					    unsigned long prev)
{
	(void)prev;
	return link_list_behind(&embedded16_links, b, pfn);
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
	.desc_bytes = sizeof(struct embedded16_page),
	.is_free = embedded16_is_free,
	.kind = embedded16_kind,
	.set_allocated = embedded16_set_allocated,
	.clear = embedded16_clear,
	.add = embedded16_add,
	.del = embedded16_del,
	.pop = embedded16_pop,
	.peek = listed_peek,
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
	*out = &l->buddy.base;
	return 0;
}

const struct allocator_ops embedded16_ops = {
	.name = "embedded16",
	.summary = "16-byte page, both list links and four bits of type and order inside",
	.desc_bytes = sizeof(struct embedded16_page),
	.options = embedded16_options,
	.caps = { .max_order = MAX_PAGE_ORDER, .query = QUERY_BLOCKS },
	.create = embedded16_create,
	LISTED_TABLE(embedded16),
};
