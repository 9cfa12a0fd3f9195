/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inpage.c - list links inside the free page itself, 8 bytes for its state
 *
 *    descriptors             memory
 *    [free, order 3]         | next | prev | ....... |   first page of a block
 *    [allocated, order 0]    | the owner's bytes     |
 *
 * A free page's memory is nobody's, so it can carry its own links: lists cost
 * no memory at all, and a descriptor needs only kind and order. The price is
 * that each touch of a list touches pages that are cold, may be unmapped for
 * debugging, and in high memory have no address: one kmap_local for each.
 *
 *    maps in highmem     add 1-2, pop 1-2, leave from the middle 1-3
 *
 * Merging asks the descriptor, which takes no map. Links are counted as
 * in-band metadata; the descriptor is 8 bytes as in all one-word designs, the
 * rest of it being the allocatee's.
 */
#include "listed.h"

#define ORDER_BITS 4
_Static_assert(MAX_PAGE_ORDER < 1 << ORDER_BITS, "four bits of order");

struct inpage_page {
	uint64_t state;			/* kind << ORDER_BITS | order */
};
_Static_assert(sizeof(struct inpage_page) == 8, "8 bytes a page");

/* The first bytes of a free block. PFN_NONE is the end of a list. */
struct inpage_links {
	unsigned long next;
	unsigned long prev;
};
_Static_assert(sizeof(struct inpage_links) <= PAGE_SIZE, "links fit into a page");

extern const struct allocator_ops inpage_ops;

static inline struct inpage_page *page_of(const struct buddy *b,
					  unsigned long pfn)
{
	return (struct inpage_page *)to_listed(b)->pages + pfn;
}

/* --- links in memory that may need a map ------------------------------ */

static inline struct inpage_links *links_map(const struct buddy *b, uint64_t pfn)
{
	return kmap_local_pfn(b->base.machine, to_listed(b)->cpu,
			      (unsigned long)pfn);
}

static inline void links_unmap(const struct buddy *b,
			       const struct inpage_links *in)
{
	kunmap_local(b->base.machine, to_listed(b)->cpu, in);
}

static inline uint64_t to_link(unsigned long word)
{
	return word == PFN_NONE ? LINK_END : word;
}

/* LINK_END, cut to a word, is PFN_NONE. */
static inline unsigned long to_word(uint64_t link)
{
	return (unsigned long)link;
}

static inline struct links inpage_get(const struct buddy *b, uint64_t pfn)
{
	const struct inpage_links *in = links_map(b, pfn);
	struct links links = { to_link(in->next), to_link(in->prev) };

	links_unmap(b, in);
	return links;
}

static inline void inpage_set(struct buddy *b, uint64_t pfn, struct links links)
{
	struct inpage_links *in = links_map(b, pfn);

	in->next = to_word(links.next);
	in->prev = to_word(links.prev);
	links_unmap(b, in);
}

static inline void inpage_set_next(struct buddy *b, uint64_t pfn, uint64_t next)
{
	struct inpage_links *in = links_map(b, pfn);

	in->next = to_word(next);
	links_unmap(b, in);
}

static inline void inpage_set_prev(struct buddy *b, uint64_t pfn, uint64_t prev)
{
	struct inpage_links *in = links_map(b, pfn);

	in->prev = to_word(prev);
	links_unmap(b, in);
}

static struct links inpage_peek(const struct buddy *b, uint64_t pfn)
{
	const struct inpage_links *in = machine_peek(b->base.machine,
						     (unsigned long)pfn);

	return (struct links){ to_link(in->next), to_link(in->prev) };
}

static unsigned long inpage_pfn(const struct buddy *b, uint64_t pfn)
{
	(void)b;
	return (unsigned long)pfn;
}

static const struct link_ops inpage_links = {
	.get = inpage_get,
	.set_next = inpage_set_next,
	.set_prev = inpage_set_prev,
	.peek = inpage_peek,
	.pfn = inpage_pfn,
	.maps = true,
};

/* --- what the policy asks of a representation ------------------------- */

static inline void set_state(struct buddy *b, unsigned long pfn,
			     enum buddy_kind kind, unsigned int order)
{
	page_of(b, pfn)->state = (uint64_t)kind << ORDER_BITS | order;
}

static inline void enter_list(struct buddy *b, struct link_list *list,
			      unsigned long pfn, enum buddy_kind kind,
			      unsigned int order, enum list_end end)
{
	set_state(b, pfn, kind, order);
	inpage_set(b, pfn, link_list_enter(&inpage_links, b, list, pfn, end));
	meta_charge(&b->base.machine->meta, META_inband,
		    sizeof(struct inpage_links));
}

static inline bool inpage_is_free(const struct buddy *b, unsigned long pfn,
				  unsigned int order)
{
	return page_of(b, pfn)->state ==
	       ((uint64_t)KIND_FREE << ORDER_BITS | order);
}

static inline enum buddy_kind inpage_kind(const struct buddy *b,
					  unsigned long pfn, unsigned int *order)
{
	uint64_t state = page_of(b, pfn)->state;

	*order = state & ((1U << ORDER_BITS) - 1);
	return (enum buddy_kind)(state >> ORDER_BITS);
}

static inline void inpage_set_allocated(struct buddy *b, struct buddy_zone *z,
					unsigned long pfn, unsigned int order)
{
	(void)z;
	set_state(b, pfn, KIND_ALLOCATED, order);
}

static inline void inpage_clear(struct buddy *b, unsigned long pfn)
{
	set_state(b, pfn, KIND_NONE, 0);
}

static inline void inpage_add(struct buddy *b, struct buddy_zone *z,
			      unsigned long pfn, unsigned int order,
			      unsigned int type, enum list_end end)
{
	enter_list(b, listed_free_list(z, order, type), pfn, KIND_FREE, order, end);
}

static inline void inpage_del(struct buddy *b, struct buddy_zone *z,
			      unsigned long pfn, unsigned int order,
			      unsigned int type, enum list_end fill)
{
	(void)fill;
	link_list_del(&inpage_links, b, listed_free_list(z, order, type), pfn);
	inpage_clear(b, pfn);
	meta_uncharge(&b->base.machine->meta, META_inband,
		      sizeof(struct inpage_links));
}

static inline void inpage_park(struct buddy *b, struct buddy_zone *z,
			       struct link_list *list, unsigned long pfn,
			       unsigned int order, enum list_end end)
{
	(void)z;
	enter_list(b, list, pfn, KIND_PCP, order, end);
}

static inline unsigned long inpage_unpark(struct buddy *b, struct buddy_zone *z,
					  struct link_list *list,
					  enum list_end end)
{
	unsigned long pfn = (unsigned long)link_list_pop(&inpage_links, b, list,
							 end);

	(void)z;
	inpage_clear(b, pfn);
	meta_uncharge(&b->base.machine->meta, META_inband,
		      sizeof(struct inpage_links));
	return pfn;
}

static inline unsigned long inpage_pop(struct buddy *b, struct buddy_zone *z,
				       unsigned int order, unsigned int type)
{
	return inpage_unpark(b, z, listed_free_list(z, order, type), LIST_HEAD);
}

static unsigned long inpage_next_parked(const struct buddy *b,
					unsigned long pfn,
					unsigned long prev)
{
	(void)prev;
	return link_list_behind(&inpage_links, b, pfn);
}

static int inpage_verify_list(const struct buddy *b, const struct buddy_zone *z,
			      unsigned int order, unsigned int type,
			      struct msg *msg);

static inline const void *inpage_memmap(const struct buddy *b)
{
	return page_of(b, 0);
}

static const struct buddy_repr inpage_repr = {
	.memmap = inpage_memmap,
	.desc_bytes = sizeof(struct inpage_page),
	.is_free = inpage_is_free,
	.kind = inpage_kind,
	.set_allocated = inpage_set_allocated,
	.clear = inpage_clear,
	.add = inpage_add,
	.del = inpage_del,
	.pop = inpage_pop,
	.peek = listed_peek,
	.park = inpage_park,
	.unpark = inpage_unpark,
	.next_parked = inpage_next_parked,
	.verify_list = inpage_verify_list,
};

static int inpage_verify_list(const struct buddy *b, const struct buddy_zone *z,
			      unsigned int order, unsigned int type,
			      struct msg *msg)
{
	return listed_verify(&inpage_links, &inpage_repr, b, z, order, type, msg);
}

/* --- the table -------------------------------------------------------- */

LISTED_CALLS(inpage)

static const struct option_spec inpage_options[] = {
	BUDDY_OPTIONS,
	{ NULL, NULL, NULL, NULL },
};

static int inpage_create(struct allocator **out, struct machine *m,
			 const struct option_set *opts, struct msg *msg)
{
	struct listed *l;
	int err;

	l = listed_create(&inpage_ops, m, opts, 0, &err, msg);
	if (!l)
		return err;
	*out = &l->buddy.base;
	return 0;
}

const struct allocator_ops inpage_ops = {
	.name = "inpage",
	.summary = "list links inside the free page: no list memory, a map for each touch of highmem",
	.desc_bytes = sizeof(struct inpage_page),
	.options = inpage_options,
	.caps = { .max_order = MAX_PAGE_ORDER, .query = QUERY_BLOCKS },
	.create = inpage_create,
	LISTED_TABLE(inpage),
};
