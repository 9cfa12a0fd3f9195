/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packed8.c - 8 bytes a page: two links of 29 bits, and six bits that say what
 *
 *    bits 0-3    order
 *    bits 4-5    kind: none, free, allocated, per-CPU list
 *    bits 6-34   next page on the free list
 *    bits 35-63  previous page
 *
 *    free_area[order]     page                  page
 *      [ first ] ------> [prev|next|free|o] -> [prev|next|free|o] -> itself
 *      [ last  ]
 *
 * The narrow form of embedded16 (M. Wilcox): a link is a pfn, and 29 bits of
 * it reach 2^29 pages, 2 TiB of 4 KiB pages; a larger machine is refused. A
 * list ends at a page whose link is its own pfn, so that every one of the 2^29
 * can be on it. Half the descriptor of two words, with no list memory; an
 * allocated page has 58 bits for its allocatee.
 */
#include <inttypes.h>

#include "listed.h"

#define ORDER_BITS 4
#define STATE_BITS 6
#define LINK_BITS 29
#define NEXT_SHIFT STATE_BITS
#define PREV_SHIFT (STATE_BITS + LINK_BITS)
#define STATE_MASK ((UINT64_C(1) << STATE_BITS) - 1)
#define LINK_MASK ((UINT64_C(1) << LINK_BITS) - 1)
#define PFN_LIMIT (UINT64_C(1) << LINK_BITS)

_Static_assert(PREV_SHIFT + LINK_BITS == 64, "one word of 64 bits");
_Static_assert(MAX_PAGE_ORDER < 1 << ORDER_BITS, "four bits of order");
_Static_assert(KIND_PCP < 1 << (STATE_BITS - ORDER_BITS), "two bits of kind");

struct packed8_page {
	uint64_t bits;
};
_Static_assert(sizeof(struct packed8_page) == 8, "8 bytes a page");

extern const struct allocator_ops packed8_ops;

static inline struct packed8_page *page_of(const struct buddy *b, uint64_t pfn)
{
	return (struct packed8_page *)to_listed(b)->pages + pfn;
}

/* --- fields of the word ----------------------------------------------- */

static inline uint64_t state_of(enum buddy_kind kind, unsigned int order)
{
	return (uint64_t)kind << ORDER_BITS | order;
}

static inline uint64_t link_at(uint64_t bits, unsigned int shift, uint64_t pfn)
{
	uint64_t link = bits >> shift & LINK_MASK;

	return link == pfn ? LINK_END : link;
}

static inline uint64_t link_bits(unsigned int shift, uint64_t pfn, uint64_t link)
{
	return (link == LINK_END ? pfn : link) << shift;
}

static inline uint64_t with_link(uint64_t bits, unsigned int shift,
				 uint64_t pfn, uint64_t link)
{
	return (bits & ~(LINK_MASK << shift)) | link_bits(shift, pfn, link);
}

static inline struct links packed8_get(const struct buddy *b, uint64_t pfn)
{
	uint64_t bits = page_of(b, pfn)->bits;

	return (struct links){ link_at(bits, NEXT_SHIFT, pfn),
			       link_at(bits, PREV_SHIFT, pfn) };
}

static inline void packed8_set_next(struct buddy *b, uint64_t pfn, uint64_t next)
{
	struct packed8_page *page = page_of(b, pfn);

	page->bits = with_link(page->bits, NEXT_SHIFT, pfn, next);
}

static inline void packed8_set_prev(struct buddy *b, uint64_t pfn, uint64_t prev)
{
	struct packed8_page *page = page_of(b, pfn);

	page->bits = with_link(page->bits, PREV_SHIFT, pfn, prev);
}

static unsigned long packed8_pfn(const struct buddy *b, uint64_t pfn)
{
	(void)b;
	return (unsigned long)pfn;
}

static const struct link_ops packed8_links = {
	.get = packed8_get,
	.set_next = packed8_set_next,
	.set_prev = packed8_set_prev,
	.peek = packed8_get,
	.pfn = packed8_pfn,
};

/* --- what the policy asks of a representation ------------------------- */

static inline void enter_list(struct buddy *b, struct link_list *list,
			      unsigned long pfn, enum buddy_kind kind,
			      unsigned int order, enum list_end end)
{
	struct links links = link_list_enter(&packed8_links, b, list, pfn, end);

	page_of(b, pfn)->bits = state_of(kind, order) |
				link_bits(NEXT_SHIFT, pfn, links.next) |
				link_bits(PREV_SHIFT, pfn, links.prev);
}

static inline bool packed8_is_free(const struct buddy *b, unsigned long pfn,
				   unsigned int order)
{
	return (page_of(b, pfn)->bits & STATE_MASK) == state_of(KIND_FREE, order);
}

static inline enum buddy_kind packed8_kind(const struct buddy *b,
					   unsigned long pfn,
					   unsigned int *order)
{
	uint64_t state = page_of(b, pfn)->bits & STATE_MASK;

	*order = state & ((1U << ORDER_BITS) - 1);
	return (enum buddy_kind)(state >> ORDER_BITS);
}

static inline void packed8_set_allocated(struct buddy *b, struct buddy_zone *z,
					 unsigned long pfn, unsigned int order)
{
	(void)z;
	page_of(b, pfn)->bits = state_of(KIND_ALLOCATED, order);
}

static inline void packed8_clear(struct buddy *b, unsigned long pfn)
{
	page_of(b, pfn)->bits = state_of(KIND_NONE, 0);
}

static inline void packed8_add(struct buddy *b, struct buddy_zone *z,
			       unsigned long pfn, unsigned int order,
			       unsigned int type, enum list_end end)
{
	enter_list(b, listed_free_list(z, order, type), pfn, KIND_FREE, order, end);
}

static inline void packed8_del(struct buddy *b, struct buddy_zone *z,
			       unsigned long pfn, unsigned int order,
			       unsigned int type, enum list_end fill)
{
	(void)fill;
	link_list_del(&packed8_links, b, listed_free_list(z, order, type), pfn);
	packed8_clear(b, pfn);
}

static inline unsigned long packed8_pop(struct buddy *b, struct buddy_zone *z,
					unsigned int order, unsigned int type)
{
	unsigned long pfn = (unsigned long)
		link_list_pop(&packed8_links, b, listed_free_list(z, order, type),
			      LIST_HEAD);

	packed8_clear(b, pfn);
	return pfn;
}

static inline void packed8_park(struct buddy *b, struct buddy_zone *z,
				struct link_list *list, unsigned long pfn,
				unsigned int order, enum list_end end)
{
	(void)z;
	enter_list(b, list, pfn, KIND_PCP, order, end);
}

static inline unsigned long packed8_unpark(struct buddy *b, struct buddy_zone *z,
					   struct link_list *list,
					   enum list_end end)
{
	unsigned long pfn = (unsigned long)link_list_pop(&packed8_links, b, list,
							 end);

	(void)z;
	packed8_clear(b, pfn);
	return pfn;
}

static unsigned long packed8_next_parked(const struct buddy *b,
					 unsigned long pfn,
					 unsigned long prev)
{
	(void)prev;
	return link_list_behind(&packed8_links, b, pfn);
}

static int packed8_verify_list(const struct buddy *b,
			       const struct buddy_zone *z, unsigned int order,
			       unsigned int type, struct msg *msg);

static inline const void *packed8_memmap(const struct buddy *b)
{
	return page_of(b, 0);
}

static const struct buddy_repr packed8_repr = {
	.memmap = packed8_memmap,
	.desc_bytes = sizeof(struct packed8_page),
	.is_free = packed8_is_free,
	.kind = packed8_kind,
	.set_allocated = packed8_set_allocated,
	.clear = packed8_clear,
	.add = packed8_add,
	.del = packed8_del,
	.pop = packed8_pop,
	.peek = listed_peek,
	.park = packed8_park,
	.unpark = packed8_unpark,
	.next_parked = packed8_next_parked,
	.verify_list = packed8_verify_list,
};

static int packed8_verify_list(const struct buddy *b,
			       const struct buddy_zone *z, unsigned int order,
			       unsigned int type, struct msg *msg)
{
	return listed_verify(&packed8_links, &packed8_repr, b, z, order, type, msg);
}

/* --- the table -------------------------------------------------------- */

LISTED_CALLS(packed8)

static const struct option_spec packed8_options[] = {
	BUDDY_OPTIONS,
	{ NULL, NULL, NULL, NULL },
};

static int packed8_create(struct allocator **out, struct machine *m,
			  const struct option_set *opts, struct msg *msg)
{
	struct listed *l;
	int err;

	if (m->end_pfn > PFN_LIMIT)
		return msg_set(msg, EINVAL,
			       "packed8: links of %d bits reach %" PRIu64 " GiB of memory, but this machine's ends at %" PRIu64 " GiB",
			       LINK_BITS, PFN_LIMIT >> (30 - PAGE_SHIFT),
			       ((uint64_t)m->end_pfn << PAGE_SHIFT) >> 30);
	l = listed_create(&packed8_ops, m, opts, 0, &err, msg);
	if (!l)
		return err;
	*out = &l->buddy.base;
	return 0;
}

const struct allocator_ops packed8_ops = {
	.name = "packed8",
	.summary = "8-byte page, two list links of 29 bits inside; up to 2 TiB",
	.desc_bytes = sizeof(struct packed8_page),
	.options = packed8_options,
	.caps = { .max_order = MAX_PAGE_ORDER, .query = QUERY_BLOCKS },
	.create = packed8_create,
	LISTED_TABLE(packed8),
};
