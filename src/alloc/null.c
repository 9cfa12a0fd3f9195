/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * null.c - no policy at all: what is left is the engine's own cost
 *
 *    zone     start            next             end
 *               |................|................|
 *                                ^ the next request is served here
 *
 * One pointer a zone moves up and wraps at the end. Nothing is remembered: a
 * page may be handed out while its last owner still holds it, holes and
 * reserved pages too. So there is nothing to verify, and no contract that it
 * could keep (caps.no_policy); a free costs nothing.
 */
#include <errno.h>

#include "alloc/allocator.h"

extern const struct allocator_ops null_ops;

struct null_zone {
	unsigned long start_pfn;	/* set at create, as is end_pfn */
	unsigned long end_pfn;
	unsigned long next;
};

struct null {
	struct allocator base;		/* what callers hold */
	struct null_zone zones[MAX_NR_ZONES];
};

static struct null *to_null(struct allocator *a)
{
	return container_of(a, struct null, base);
}

static int null_create(struct allocator **out, struct machine *m,
		       const struct option_set *opts, struct msg *msg)
{
	const struct layout *l = m->layout;
	struct null *n = machine_alloc(m, sizeof(*n), META_structures);

	(void)opts;
	if (!n)
		return msg_set(msg, ENOMEM, "null: no room for its own state");
	n->base.ops = &null_ops;
	n->base.machine = m;
	for (unsigned int i = 0; i < l->nr_zones; i++) {
		struct null_zone *z = &n->zones[i];

		z->start_pfn = l->zones[i].start_pfn;
		z->end_pfn = zone_end_pfn(&l->zones[i]);
		z->next = z->start_pfn;
	}
	*out = &n->base;
	return 0;
}

static void null_destroy(struct allocator *a)
{
	machine_free(a->machine, a, sizeof(struct null), META_structures);
}

static void null_release(struct allocator *a, unsigned long pfn,
			 unsigned int order)
{
	(void)a;
	(void)pfn;
	(void)order;
}

static unsigned long zone_take(struct null_zone *z, unsigned int order)
{
	unsigned long nr_pages = 1UL << order;
	unsigned long pfn = (z->next + nr_pages - 1) & ~(nr_pages - 1);

	if (unlikely(pfn + nr_pages > z->end_pfn)) {
		pfn = (z->start_pfn + nr_pages - 1) & ~(nr_pages - 1);
		if (pfn + nr_pages > z->end_pfn)
			return PFN_NONE;
	}
	z->next = pfn + nr_pages;
	return pfn;
}

static unsigned long null_alloc(struct allocator *a,
				const struct alloc_req *req)
{
	struct null *n = to_null(a);
	unsigned int i = req->zone_limit + 1;

	while (i--) {
		unsigned long pfn = zone_take(&n->zones[i], req->order);

		if (likely(pfn != PFN_NONE))
			return pfn;
	}
	return PFN_NONE;
}

static void null_free(struct allocator *a, unsigned long pfn,
		      unsigned int order, unsigned int cpu)
{
	(void)a;
	(void)pfn;
	(void)order;
	(void)cpu;
}

static void null_free_area(const struct allocator *a, unsigned int zone,
			   unsigned long nr_free[NR_PAGE_ORDERS])
{
	(void)a;
	(void)zone;
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		nr_free[order] = 0;
}

static void null_counts(const struct allocator *a, unsigned int zone,
			struct page_counts *counts)
{
	(void)a;
	(void)zone;
	*counts = (struct page_counts){ 0 };
}

static void null_query(const struct allocator *a, unsigned long pfn,
		       struct page_info *info)
{
	(void)a;
	(void)pfn;
	*info = (struct page_info){ PAGE_STATE_UNKNOWN, PFN_NONE, 0 };
}

static int null_verify(const struct allocator *a, struct msg *msg)
{
	(void)a;
	(void)msg;
	return 0;
}

const struct allocator_ops null_ops = {
	.name      = "null",
	.summary   = "no policy: hands out pages in turn and keeps no books",
	.caps      = {
		.max_order = MAX_PAGE_ORDER,
		.no_policy = true,
		.query     = QUERY_USED_FREE,
	},
	.create    = null_create,
	.destroy   = null_destroy,
	.release   = null_release,
	.alloc     = null_alloc,
	.free      = null_free,
	.free_area = null_free_area,
	.counts    = null_counts,
	.query     = null_query,
	.verify    = null_verify,
};
