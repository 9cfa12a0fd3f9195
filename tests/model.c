/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model.c - see model.h; speed is no aim here, being plain is */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model.h"

enum {
	MODEL_RESERVED,
	MODEL_FREE,
	MODEL_HELD,			/* plus the order of its block */
};

static void *new_bytes(size_t n)
{
	void *p = calloc(n, 1);

	if (!p)
		abort();
	return p;
}

void model_create(struct model *m, const struct layout *layout)
{
	m->layout = layout;
	m->end_pfn = layout_end_pfn(layout);
	m->page = new_bytes(m->end_pfn);
	m->next = new_bytes(m->end_pfn * sizeof(*m->next));
	m->on_list = new_bytes(m->end_pfn);
}

void model_destroy(struct model *m)
{
	free(m->page);
	free(m->next);
	free(m->on_list);
}

static void note_run(struct model *m, unsigned long pfn, unsigned int order)
{
	for (unsigned long p = pfn; p < pfn + (1UL << order); p++)
		m->next[p] = p + 1;
}

static void set_pages(struct model *m, unsigned long pfn, unsigned int order,
		      unsigned int from, unsigned int to)
{
	for (unsigned long left = 1UL << order; left--; pfn = m->next[pfn]) {
		if (pfn >= m->end_pfn || m->page[pfn] != from)
			abort();	/* the test itself is wrong */
		m->page[pfn] = (uint8_t)to;
	}
}

void model_release(struct model *m, unsigned long pfn, unsigned int order)
{
	note_run(m, pfn, order);
	set_pages(m, pfn, order, MODEL_RESERVED, MODEL_FREE);
}

void model_adopt(struct model *m, unsigned long pfn, unsigned int order)
{
	note_run(m, pfn, order);
	set_pages(m, pfn, order, MODEL_RESERVED, MODEL_HELD + order);
}

void model_free(struct model *m, unsigned long pfn, unsigned int order)
{
	set_pages(m, pfn, order, MODEL_HELD + order, MODEL_FREE);
}

void model_isolate(struct model *m, unsigned long pfn, unsigned int order)
{
	note_run(m, pfn, order);
	set_pages(m, pfn, order, MODEL_FREE, MODEL_HELD + order);
}

void model_split(struct model *m, unsigned long pfn, unsigned int order,
		 unsigned int new_order)
{
	set_pages(m, pfn, order, MODEL_HELD + order, MODEL_HELD + new_order);
}

bool model_page_is_free(const struct model *m, unsigned long pfn)
{
	return m->page[pfn] == MODEL_FREE;
}

static unsigned long block_head(unsigned long pfn, unsigned int order)
{
	return pfn & ~((1UL << order) - 1);
}

bool model_block_at(const struct model *m, unsigned long pfn,
		    unsigned int *order)
{
	if (m->page[pfn] < MODEL_HELD)
		return false;
	*order = (unsigned int)m->page[pfn] - MODEL_HELD;
	return pfn == block_head(pfn, *order);
}

unsigned long model_nr_free(const struct model *m, unsigned int zone)
{
	const struct zone *z = &m->layout->zones[zone];
	unsigned long n = 0;

	for (unsigned long p = z->start_pfn; p < zone_end_pfn(z); p++)
		n += m->page[p] == MODEL_FREE;
	return n;
}

/* Whether a block of that order at pfn is aligned and inside the zone. */
static bool block_fits(const struct zone *z, unsigned long pfn,
		       unsigned int order)
{
	return pfn == block_head(pfn, order) && pfn >= z->start_pfn &&
	       pfn + (1UL << order) <= zone_end_pfn(z);
}

static int judge_run(const struct model *m, const struct alloc_req *req,
		     unsigned long pfn, unsigned int order, struct msg *msg)
{
	int zone = layout_zone_of(m->layout, pfn);

	if (zone < 0 || (unsigned int)zone > req->zone_limit)
		return msg_set(msg, EUCLEAN,
			       "order %u, zone limit %u: got pfn %lu in zone %d",
			       req->order, req->zone_limit, pfn, zone);
	if (!block_fits(&m->layout->zones[zone], pfn, order))
		return msg_set(msg, EUCLEAN,
			       "order %u: the block at pfn %lu is not aligned, or leaves its zone",
			       req->order, pfn);
	for (unsigned long p = pfn; p < pfn + (1UL << order); p++)
		if (m->page[p] != MODEL_FREE)
			return msg_set(msg, EUCLEAN,
				       "order %u: got pfn %lu, but pfn %lu is not free",
				       req->order, pfn, p);
	return 0;
}

static int judge_block(const struct model *m, const struct allocator *a,
		       const struct alloc_req *req, unsigned long pfn,
		       struct msg *msg)
{
	unsigned long left = 1UL << req->order;

	if (!a->ops->next_page)
		return judge_run(m, req, pfn, req->order, msg);
	for (;;) {
		int err = judge_run(m, req, pfn, 0, msg);

		if (err || !--left)
			return err;
		pfn = allocator_page_after(a, pfn, 1);
	}
}

/* Whether the block could have served a request. */
static bool block_is_usable(const struct model *m, const struct allocator *a,
			    unsigned long pfn, unsigned int order)
{
	for (unsigned long p = pfn; p < pfn + (1UL << order); p++) {
		struct page_info info;

		if (m->page[p] != MODEL_FREE)
			return false;
		if (order == 0 && !a->ops->caps.keeps_metadata)
			return true;
		allocator_query(a, p, &info);
		if (info.state != PAGE_STATE_FREE)
			return false;
	}
	return true;
}

static int judge_failure_of_singles(const struct model *m,
				    const struct alloc_req *req,
				    struct msg *msg)
{
	unsigned long nr_free = 0;

	for (unsigned int i = 0; i <= req->zone_limit; i++)
		nr_free += model_nr_free(m, i);
	if (nr_free < 1UL << req->order)
		return 0;
	return msg_set(msg, EUCLEAN,
		       "order %u, zone limit %u: failed, with %lu pages free",
		       req->order, req->zone_limit, nr_free);
}

static int judge_failure(const struct model *m, const struct allocator *a,
			 const struct alloc_req *req, struct msg *msg)
{
	unsigned long step = 1UL << req->order;

	if (req->order > a->ops->caps.max_order ||
	    (req->order > 0 && a->ops->caps.lazy_merge))
		return 0;
	if (a->ops->next_page)
		return judge_failure_of_singles(m, req, msg);
	for (unsigned int i = 0; i <= req->zone_limit; i++) {
		const struct zone *z = &m->layout->zones[i];
		unsigned long p = block_head(z->start_pfn, req->order);

		for (; p < zone_end_pfn(z); p += step)
			if (block_fits(z, p, req->order) &&
			    block_is_usable(m, a, p, req->order))
				return msg_set(msg, EUCLEAN,
					       "order %u, zone limit %u: failed, but pfn %lu could serve it",
					       req->order, req->zone_limit, p);
	}
	return 0;
}

static void note_block(struct model *m, const struct allocator *a,
		       unsigned long pfn, unsigned int order)
{
	if (!a->ops->next_page) {
		note_run(m, pfn, order);
		return;
	}
	for (unsigned long left = 1UL << order; --left; pfn = m->next[pfn])
		m->next[pfn] = allocator_page_after(a, pfn, 1);
}

int model_alloc(struct model *m, const struct allocator *a,
		const struct alloc_req *req, unsigned long pfn,
		struct msg *msg)
{
	int err;

	if (pfn == PFN_NONE)
		return judge_failure(m, a, req, msg);
	err = judge_block(m, a, req, pfn, msg);
	if (err)
		return err;
	note_block(m, a, pfn, req->order);
	set_pages(m, pfn, req->order, MODEL_FREE, MODEL_HELD + req->order);
	return 0;
}

/* What a backend may call a page that the model knows as `page`. */
static bool state_agrees(uint8_t page, enum page_state said)
{
	switch (page) {
	case MODEL_RESERVED:
		return said == PAGE_STATE_RESERVED || said == PAGE_STATE_UNKNOWN ||
		       said == PAGE_STATE_USED;
	case MODEL_FREE:
		return said == PAGE_STATE_FREE || said == PAGE_STATE_PCP ||
		       said == PAGE_STATE_METADATA;
	default:
		return said == PAGE_STATE_ALLOCATED || said == PAGE_STATE_USED;
	}
}

static int check_query(const struct model *m, const struct allocator *a,
		       unsigned long pfn, const struct page_info *info,
		       struct msg *msg)
{
	unsigned int order;

	if (!state_agrees(m->page[pfn], info->state))
		return msg_set(msg, EUCLEAN,
			       "query of pfn %lu says state %d, but here it is %d",
			       pfn, (int)info->state, m->page[pfn]);
	if (m->page[pfn] < MODEL_HELD || a->ops->caps.query < QUERY_BLOCKS)
		return 0;
	order = (unsigned int)m->page[pfn] - MODEL_HELD;
	if (info->order != order || info->head != block_head(pfn, order))
		return msg_set(msg, EUCLEAN,
			       "query of pfn %lu says order %u at %lu, but it is order %u at %lu",
			       pfn, info->order, info->head, order,
			       block_head(pfn, order));
	return 0;
}

/* Order of the largest block of listed pages that starts at pfn. */
static unsigned int largest_block(const struct model *m, const struct zone *z,
				  unsigned long pfn)
{
	unsigned int order = 0;

	while (order < MAX_PAGE_ORDER && block_fits(z, pfn, order + 1)) {
		unsigned long half = 1UL << order;

		for (unsigned long p = pfn + half; p < pfn + 2 * half; p++)
			if (!m->on_list[p])
				return order;
		order++;
	}
	return order;
}

static int check_free_block(const struct allocator *a, unsigned long pfn,
			    unsigned int order, struct msg *msg)
{
	struct page_info info;

	allocator_query(a, pfn, &info);
	if (info.head == pfn && info.order == order)
		return 0;
	return msg_set(msg, EUCLEAN,
		       "a free block of order %u is at pfn %lu, but query() says order %u at %lu",
		       order, pfn, info.order, info.head);
}

static int check_free_area(const struct model *m, const struct allocator *a,
			   unsigned int zone, struct msg *msg)
{
	const struct zone *z = &m->layout->zones[zone];
	unsigned long want[NR_PAGE_ORDERS] = { 0 }, is[NR_PAGE_ORDERS];
	unsigned long pfn = z->start_pfn;

	while (pfn < zone_end_pfn(z)) {
		unsigned int order;

		if (!m->on_list[pfn]) {
			pfn++;
			continue;
		}
		order = largest_block(m, z, pfn);
		if (a->ops->caps.query >= QUERY_FREE_BLOCKS &&
		    check_free_block(a, pfn, order, msg))
			return -EUCLEAN;
		want[order]++;
		pfn += 1UL << order;
	}

	allocator_free_area(a, zone, is);
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		if (is[order] != want[order])
			return msg_set(msg, EUCLEAN,
				       "zone %s: free_area() counts %lu blocks of order %u, the pages make %lu",
				       z->name, is[order], order, want[order]);
	return 0;
}

static int check_zone(const struct model *m, const struct allocator *a,
		      unsigned int zone, struct msg *msg)
{
	const struct zone *z = &m->layout->zones[zone];
	unsigned long nr_free = 0, nr_pcp = 0, nr_metadata = 0;
	struct page_counts n;
	int err;

	for (unsigned long p = z->start_pfn; p < zone_end_pfn(z); p++) {
		struct page_info info;

		allocator_query(a, p, &info);
		err = check_query(m, a, p, &info, msg);
		if (err)
			return err;
		m->on_list[p] = info.state == PAGE_STATE_FREE;
		nr_free += info.state == PAGE_STATE_FREE;
		nr_pcp += info.state == PAGE_STATE_PCP;
		nr_metadata += info.state == PAGE_STATE_METADATA;
	}

	allocator_counts(a, zone, &n);
	if (n.free != nr_free || n.pcp != nr_pcp ||
	    n.nodes + n.stash != nr_metadata)
		return msg_set(msg, EUCLEAN,
			       "zone %s: counts() says %lu free, %lu pcp, %lu nodes + %lu stash; the pages are %lu free, %lu pcp, %lu metadata",
			       z->name, n.free, n.pcp, n.nodes, n.stash,
			       nr_free, nr_pcp, nr_metadata);
	if (a->ops->caps.lazy_merge)
		return 0;
	return check_free_area(m, a, zone, msg);
}

static int check_stats(const struct model *m, const struct allocator *a,
		       struct msg *msg)
{
	unsigned long held = 0, nodes = 0;

	for (unsigned long p = 0; p < m->end_pfn; p++)
		held += m->page[p] >= MODEL_HELD;
	for (unsigned int i = 0; i < m->layout->nr_zones; i++) {
		struct page_counts n;

		allocator_counts(a, i, &n);
		nodes += n.nodes;
	}
	if (a->stats.pages_allocated != held || a->stats.nodes != nodes)
		return msg_set(msg, EUCLEAN,
			       "statistics: %" PRIu64 " pages allocated and %" PRIu64 " nodes, but %lu pages are held and %lu are nodes",
			       a->stats.pages_allocated, a->stats.nodes, held,
			       nodes);
	return 0;
}

int model_check(const struct model *m, const struct allocator *a,
		struct msg *msg)
{
	const struct machine *machine = a->machine;
	int err = allocator_verify(a, msg);

	for (unsigned int i = 0; !err && i < m->layout->nr_zones; i++)
		err = check_zone(m, a, i, msg);
	if (!err)
		err = check_stats(m, a, msg);
	if (err)
		return err;
	for (unsigned int cpu = 0; cpu < machine->nr_cpus; cpu++)
		if (kmap_depth(machine, cpu))
			return msg_set(msg, EUCLEAN,
				       "%u pages are left mapped on CPU %u",
				       kmap_depth(machine, cpu), cpu);
	if (machine->free_path_allocations)
		return msg_set(msg, EUCLEAN,
			       "%" PRIu64 " allocations inside a free",
			       machine->free_path_allocations);
	return 0;
}
