/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listed.h - doubly linked free lists, whose links live wherever a page keeps them
 *
 *    zone: free list of one order and type
 *      [ first | last ]
 *          |       '------------------------.
 *          v                                v
 *        block  next ->  block  next ->  block  (end)
 *        (end) <- prev         <- prev
 *
 * packed8, inpage and memdesc differ in where a block's two links are and what a
 * link says; how a list is linked is the same and stands here. A place is what a
 * link can point to: a pfn, or for memdesc a struct buddy. Per-CPU lists are
 * linked the same way. embedded16, whose links can point to a head, links its
 * circles itself and shares the rest: checks, fingerprint and table.
 *
 *    places written or read     own   neighbours
 *      add                       1    1 (none in an empty list)
 *      pop                       1    1
 *      del                       1    2
 */
#ifndef PAGETAX_ALLOC_BUDDY_LISTED_H
#define PAGETAX_ALLOC_BUDDY_LISTED_H

#include "policy.h"

struct links {
	uint64_t next;
	uint64_t prev;
};

/*
 * How a representation keeps the links of a place that is on a list. get: for
 * link_list_del() only.
 */
struct link_ops {
	struct links (*get)(const struct buddy *b, uint64_t place);
	void (*set_next)(struct buddy *b, uint64_t place, uint64_t next);
	void (*set_prev)(struct buddy *b, uint64_t place, uint64_t prev);

	/* For checks: the same as get without a map that counts, and the block. */
	struct links (*peek)(const struct buddy *b, uint64_t place);
	unsigned long (*pfn)(const struct buddy *b, uint64_t place);

	bool maps;			/* a touch of a place may need a map slot */

	/* Of circles: a head, which is a place. NULL: lists end with LINK_END. */
	uint64_t (*head)(const struct buddy *b, const struct buddy_zone *z,
			 unsigned int order, unsigned int type);
};

struct listed_zone {
	struct buddy_zone base;
	_Alignas(16)			/* of heads: see embedded16.c */
	union {
		struct link_list free_list[NR_PAGE_ORDERS][BUDDY_NR_TYPES];
		struct links ring[NR_PAGE_ORDERS][BUDDY_NR_TYPES];
	};
};

/* A buddy allocator whose free lists are link_lists. */
struct listed {
	struct buddy buddy;
	void *pages;			/* set at create: the descriptors */
	unsigned int cpu;		/* whose map slots this operation uses */
	struct listed_zone zones[];
};

static inline struct listed *to_listed(const struct buddy *b)
{
	return (struct listed *)(uintptr_t)container_of_const(b, struct listed, buddy);
}

static inline struct link_list *listed_free_list(const struct buddy_zone *z,
						 unsigned int order,
						 unsigned int type)
{
	struct listed_zone *lz =
		(struct listed_zone *)(uintptr_t)container_of_const(z, struct listed_zone, base);

	return &lz->free_list[order][type];
}

/* The same where lists are circles: the head, linked as any of its blocks is. */
static inline struct links *listed_ring(const struct buddy_zone *z,
					unsigned int order, unsigned int type)
{
	struct listed_zone *lz = (struct listed_zone *)(uintptr_t)
		((const char *)z - offsetof(struct listed_zone, base));

	return &lz->ring[order][type];
}

/* Whose map slots the operation uses that begins. */
static __always_inline void note_cpu(const struct link_ops *ops,
				     struct allocator *a, unsigned int cpu)
{
	if (ops->maps)
		to_listed(to_buddy(a))->cpu = cpu;
}

/* Let a place join at an end. Returns its own links, which are not set yet. */
static __always_inline struct links link_list_enter(const struct link_ops *ops,
						    struct buddy *b,
						    struct link_list *list,
						    uint64_t place,
						    enum list_end end)
{
	struct links links = { LINK_END, LINK_END };

	COST_NOW(list_nodes, 1 + (list->first != LINK_END));
	if (list->first == LINK_END) {
		list->first = place;
		list->last = place;
	} else if (end == LIST_HEAD) {
		links.next = list->first;
		ops->set_prev(b, links.next, place);
		list->first = place;
	} else {
		links.prev = list->last;
		ops->set_next(b, links.prev, place);
		list->last = place;
	}
	return links;
}

/* Join the neighbours of a place that leaves, whose own links were these. */
static __always_inline void link_list_leave(const struct link_ops *ops,
					    struct buddy *b,
					    struct link_list *list,
					    struct links links)
{
	COST_NOW(list_nodes, 1 + (links.prev != LINK_END) +
			     (links.next != LINK_END));
	if (links.prev == LINK_END)
		list->first = links.next;
	else
		ops->set_next(b, links.prev, links.next);
	if (links.next == LINK_END)
		list->last = links.prev;
	else
		ops->set_prev(b, links.next, links.prev);
}

static __always_inline void link_list_del(const struct link_ops *ops,
					  struct buddy *b,
					  struct link_list *list, uint64_t place)
{
	link_list_leave(ops, b, list, ops->get(b, place));
}

/*
 * The same of the place at an end, which has one neighbour at most: on that side
 * none is looked for.
 */
static __always_inline void link_list_leave_end(const struct link_ops *ops,
						struct buddy *b,
						struct link_list *list,
						struct links links,
						enum list_end end)
{
	uint64_t inner = end == LIST_HEAD ? links.next : links.prev;

	COST_NOW(list_nodes, 1 + (inner != LINK_END));
	if (end == LIST_HEAD) {
		list->first = inner;
		if (inner == LINK_END)
			list->last = LINK_END;
		else
			ops->set_prev(b, inner, LINK_END);
	} else {
		list->last = inner;
		if (inner == LINK_END)
			list->first = LINK_END;
		else
			ops->set_next(b, inner, LINK_END);
	}
}

/* Take the place at one end off a list that is not empty. */
static __always_inline uint64_t link_list_pop(const struct link_ops *ops,
					      struct buddy *b,
					      struct link_list *list,
					      enum list_end end)
{
	uint64_t place = end == LIST_HEAD ? list->first : list->last;

	link_list_leave_end(ops, b, list, ops->get(b, place), end);
	return place;
}

/* next_parked of a representation with such lists, whose places are pfns. */
static inline unsigned long link_list_behind(const struct link_ops *ops,
					     const struct buddy *b,
					     unsigned long pfn)
{
	return (unsigned long)ops->peek(b, pfn).next;
}

/* peek of a representation: the first or last block of a free list. */
static inline unsigned long listed_peek(struct buddy *b, struct buddy_zone *z,
					unsigned int order, unsigned int type,
					enum list_end end)
{
	const struct link_list *list = listed_free_list(z, order, type);

	(void)b;
	return (unsigned long)(end == LIST_HEAD ? list->first : list->last);
}

/*
 * Make a struct listed with room for the machine's zones, `offset` zeroed bytes
 * of the backend's own before it, and its descriptors. NULL, with *err and a
 * message, when there is no room.
 */
struct listed *listed_create(const struct allocator_ops *ops, struct machine *m,
			     const struct option_set *opts, size_t offset,
			     int *err, struct msg *msg);
void listed_destroy(struct listed *l, size_t offset);

/* Whether a list holds what the descriptors and the counters say. */
int listed_verify(const struct link_ops *ops, const struct buddy_repr *r,
		  const struct buddy *b, const struct buddy_zone *z,
		  unsigned int order, unsigned int type, struct msg *msg);

/* Free lists in order are all there is where descriptors follow from them. */
uint64_t listed_fingerprint(const struct link_ops *ops, const struct allocator *a);

/*
 * The calls of a table, for a backend `name` that has a name_repr, name_links
 * and no state but a struct listed.
 */
#define LISTED_CALLS(name)                                                     \
	LISTED_REQUESTS(name)                                                  \
									       \
	static void name##_release(struct allocator *a, unsigned long pfn,     \
				   unsigned int order)                         \
	{                                                                      \
		buddy_release(&name##_repr, a, pfn, order);                    \
	}                                                                      \
									       \
	static void name##_release_pcp(struct allocator *a, unsigned long pfn, \
				       unsigned int order, unsigned int cpu)   \
	{                                                                      \
		note_cpu(&name##_links, a, cpu);                               \
		buddy_release_pcp(&name##_repr, a, pfn, order, cpu);           \
	}                                                                      \
									       \
	static int name##_adopt(struct allocator *a, unsigned long pfn,        \
				unsigned int order)                            \
	{                                                                      \
		return buddy_adopt(&name##_repr, a, pfn, order);               \
	}                                                                      \
									       \
	static bool name##_split(struct allocator *a, unsigned long pfn,       \
				 unsigned int order, unsigned int new_order)   \
	{                                                                      \
		return buddy_split(&name##_repr, a, pfn, order, new_order);    \
	}                                                                      \
									       \
	static int name##_verify(const struct allocator *a, struct msg *msg)   \
	{                                                                      \
		return buddy_verify(&name##_repr, a, msg);                     \
	}                                                                      \
									       \
	static uint64_t name##_fingerprint(const struct allocator *a)          \
	{                                                                      \
		return listed_fingerprint(&name##_links, a);                   \
	}                                                                      \
									       \
	static void name##_destroy(struct allocator *a)                        \
	{                                                                      \
		listed_destroy(to_listed(to_buddy(a)), 0);                     \
	}

/* Those that only pass on a request; state of the backend's own is no matter. */
#define LISTED_REQUESTS(name)                                                  \
	static unsigned long name##_alloc(struct allocator *a,                 \
					  const struct alloc_req *req)         \
	{                                                                      \
		note_cpu(&name##_links, a, req->cpu);                          \
		return buddy_alloc(&name##_repr, a, req);                      \
	}                                                                      \
									       \
	static void name##_free(struct allocator *a, unsigned long pfn,        \
				unsigned int order, unsigned int cpu)          \
	{                                                                      \
		note_cpu(&name##_links, a, cpu);                               \
		buddy_free(&name##_repr, a, pfn, order, cpu);                  \
	}                                                                      \
									       \
	static bool name##_isolate(struct allocator *a, unsigned long pfn,     \
				   unsigned int order, unsigned int cpu)       \
	{                                                                      \
		note_cpu(&name##_links, a, cpu);                               \
		return buddy_isolate(&name##_repr, a, pfn, order);             \
	}                                                                      \
									       \
	static bool name##_tick(struct allocator *a, uint64_t now_ns)          \
	{                                                                      \
		(void)now_ns;                                                  \
		note_cpu(&name##_links, a, 0);                                 \
		return buddy_tick(&name##_repr, a);                            \
	}                                                                      \
									       \
	static void name##_drain(struct allocator *a)                          \
	{                                                                      \
		note_cpu(&name##_links, a, 0);                                 \
		buddy_drain(&name##_repr, a);                                  \
	}                                                                      \
									       \
	static void name##_counts(const struct allocator *a, unsigned int zone, \
				  struct page_counts *counts)                  \
	{                                                                      \
		buddy_counts(&name##_repr, a, zone, counts);                   \
	}                                                                      \
									       \
	static void name##_query(const struct allocator *a, unsigned long pfn, \
				 struct page_info *info)                       \
	{                                                                      \
		buddy_query(&name##_repr, a, pfn, info);                       \
	}

/* Their places in the table; what is left is create and the description. */
#define LISTED_TABLE(name)                                                     \
	.destroy = name##_destroy,                                             \
	.set_block_type = buddy_set_block_type,                                \
	.adopt = name##_adopt,                                                 \
	.release = name##_release,                                             \
	.release_pcp = name##_release_pcp,                                     \
	.limit_pcp = buddy_limit_pcp,                                          \
	.alloc = name##_alloc,                                                 \
	.free = name##_free,                                                   \
	.split = name##_split,                                                 \
	.isolate = name##_isolate,                                             \
	.tick = name##_tick,                                                   \
	.drain = name##_drain,                                                 \
	.free_area = buddy_free_area,                                          \
	.counts = name##_counts,                                               \
	.query = name##_query,                                                 \
	.verify = name##_verify,                                               \
	.fingerprint = name##_fingerprint

#endif
