/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checked.c - a byte for each page says who owns it, whatever the backend
 *
 *    caller -> [ checked: shadow, counts ] -> backend -> machine
 *
 *    pfn       0   1   2   3   4   5   6   7
 *    shadow    H2  t   t   t   .   .   H0  r     . free to give, r reserved,
 *                                                H head of a held block of
 *                                                that order, t its tail
 *
 * "Free" means the backend may do with the page what it likes: keep it on a
 * list, park it, make it a node. What it must not do is lose it, so after
 * every operation and for every zone
 *
 *    free + pcp + nodes + stash + held == given (released or adopted so far)
 *
 * Of a backend whose blocks are no runs (next_page), each page is checked where
 * it lies.
 *
 * The shadow comes from the host, not from the arena: it is nobody's
 * metadata. A check costs O(2^order) bytes and one counts() for each zone.
 *
 * The generic statistics are kept by the inline calls of allocator.h on the
 * wrapper, the backend's own inside; so they are lent to the backend for the
 * length of a call and taken back after it.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/checked.h"
#include "base/fatal.h"

enum shadow {
	SHADOW_RESERVED,
	SHADOW_FREE,
	SHADOW_TAIL,			/* held, and not the first of its block */
	SHADOW_HEAD,			/* plus the order of the block */
};
_Static_assert(SHADOW_HEAD + MAX_PAGE_ORDER <= UINT8_MAX, "fits the byte");

struct checked {
	struct allocator base;		/* what callers hold */
	struct allocator_ops ops;	/* set at wrap: the backend's, our calls in it */
	struct allocator *inner;	/* set at wrap */
	uint8_t *shadow;		/* for each pfn below end_pfn */
	unsigned long given[MAX_NR_ZONES];	/* release and adopt */
	unsigned long held[MAX_NR_ZONES];	/* adopt, alloc and free */
	uint64_t nr_ops;		/* the operation that runs, from 1 */
	checked_report_fn *report;	/* NULL: violations are fatal */
	void *report_arg;
};

static struct checked *to_checked(struct allocator *a)
{
	return container_of(a, struct checked, base);
}

static const struct checked *to_const_checked(const struct allocator *a)
{
	return container_of_const(a, struct checked, base);
}

static __printf(2, 3) void violation(const struct checked *c,
				     const char *fmt, ...)
{
	char what[512], text[640];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	snprintf(text, sizeof(text), "%s: operation %" PRIu64 ": %s",
		 c->ops.name, c->nr_ops, what);
	if (!c->report)
		fatal("%s", text);
	c->report(c->report_arg, text);
}

static struct allocator *lend_stats(const struct checked *c)
{
	c->inner->stats = c->base.stats;
	return c->inner;
}

static void take_back_stats(struct checked *c)
{
	c->base.stats = c->inner->stats;
}

/* For messages; buf is the caller's. */
struct shadow_text {
	char text[48];
};

static const char *shadow_say(uint8_t state, struct shadow_text *buf)
{
	switch (state) {
	case SHADOW_RESERVED:
		return "reserved";
	case SHADOW_FREE:
		return "free";
	case SHADOW_TAIL:
		return "inside a held block";
	default:
		snprintf(buf->text, sizeof(buf->text),
			 "the head of a held block of order %u",
			 (unsigned int)state - SHADOW_HEAD);
		return buf->text;
	}
}

static void shadow_set_free(struct checked *c, unsigned long pfn,
			    unsigned int order)
{
	memset(c->shadow + pfn, SHADOW_FREE, (size_t)1 << order);
}

/* A block is one run, or as many runs of order 0 as it has pages. */
static unsigned int run_order(const struct checked *c, unsigned int order)
{
	return c->ops.next_page ? 0 : order;
}

/* Walks the pages of a held block; the last has none after it. */
static unsigned long page_after(const struct checked *c, unsigned long pfn,
				unsigned long nr_left)
{
	if (!nr_left)
		return PFN_NONE;
	return allocator_page_after(c->inner, pfn, 1);
}

/* A held block as blocks of new_order. */
static void shadow_set_held(struct checked *c, unsigned long pfn,
			    unsigned int order, unsigned int new_order)
{
	unsigned long part = 1UL << new_order;

	for (unsigned long left = 1UL << order; left--;) {
		c->shadow[pfn] = (left + 1) % part ? SHADOW_TAIL :
				 (uint8_t)(SHADOW_HEAD + new_order);
		pfn = page_after(c, pfn, left);
	}
}

/* Index of the zone that holds all of a run, or -1 after a violation. */
static int run_zone(const struct checked *c, const char *op, unsigned long pfn,
		    unsigned int order)
{
	const struct layout *l = c->base.machine->layout;
	unsigned long nr_pages = 1UL << order;
	int zone;

	if (order > MAX_PAGE_ORDER) {
		violation(c, "%s of pfn %lu: order %u is above %u", op, pfn,
			  order, (unsigned int)MAX_PAGE_ORDER);
		return -1;
	}
	if (pfn & (nr_pages - 1)) {
		violation(c, "%s of order %u: pfn %lu is not aligned to %lu pages",
			  op, order, pfn, nr_pages);
		return -1;
	}
	zone = layout_zone_of(l, pfn);
	if (zone < 0) {
		violation(c, "%s of order %u: pfn %lu is in no zone", op, order,
			  pfn);
		return -1;
	}
	if (nr_pages > zone_end_pfn(&l->zones[zone]) - pfn) {
		violation(c, "%s of order %u: pfn %lu reaches beyond zone %s",
			  op, order, pfn, l->zones[zone].name);
		return -1;
	}
	return zone;
}

/* Whether all pages of a run are in one state; a violation if not. */
static bool run_is(const struct checked *c, const char *op, unsigned long pfn,
		   unsigned int order, uint8_t want)
{
	for (unsigned long p = pfn; p < pfn + (1UL << order); p++) {
		struct shadow_text is, should;

		if (likely(c->shadow[p] == want))
			continue;
		violation(c, "%s of order %u at pfn %lu: pfn %lu is %s, not %s",
			  op, order, pfn, p, shadow_say(c->shadow[p], &is),
			  shadow_say(want, &should));
		return false;
	}
	return true;
}

/* Whether exactly this block is held; a violation if not. */
static bool block_is_held(const struct checked *c, const char *op,
			  unsigned long pfn, unsigned int order)
{
	struct shadow_text is, should;
	uint8_t want = (uint8_t)(SHADOW_HEAD + order);

	if (run_zone(c, op, pfn, run_order(c, order)) < 0)
		return false;
	if (likely(c->shadow[pfn] == want))
		return true;
	violation(c, "%s of order %u: pfn %lu is %s, not %s", op, order, pfn,
		  shadow_say(c->shadow[pfn], &is), shadow_say(want, &should));
	return false;
}

static void check_maps(const struct checked *c, const char *op,
		       unsigned int cpu)
{
	unsigned int depth = kmap_depth(c->base.machine, cpu);

	if (unlikely(depth))
		violation(c, "%s left %u pages mapped on CPU %u", op, depth, cpu);
}

static void check_books(const struct checked *c, const char *op)
{
	const struct layout *l = c->base.machine->layout;

	for (unsigned int z = 0; z < l->nr_zones; z++) {
		struct page_counts n;

		c->inner->ops->counts(c->inner, z, &n);
		if (likely(n.free + n.pcp + n.nodes + n.stash + c->held[z] ==
			   c->given[z]))
			continue;
		violation(c, "%s: zone %s: %lu free + %lu pcp + %lu nodes + %lu stash + %lu held are not the %lu pages it was given",
			  op, l->zones[z].name, n.free, n.pcp, n.nodes, n.stash,
			  c->held[z], c->given[z]);
	}
}

static void check_after(const struct checked *c, const char *op,
			unsigned int cpu)
{
	check_maps(c, op, cpu);
	check_books(c, op);
}

static void checked_set_block_type(struct allocator *a, unsigned long pfn,
				   unsigned int migratetype)
{
	struct allocator *inner = lend_stats(to_checked(a));

	inner->ops->set_block_type(inner, pfn, migratetype);
	take_back_stats(to_checked(a));
}

static int checked_adopt(struct allocator *a, unsigned long pfn,
			 unsigned int order)
{
	struct checked *c = to_checked(a);
	int zone, err = 0;

	c->nr_ops++;
	zone = run_zone(c, "adopt", pfn, order);
	if (zone < 0 || !run_is(c, "adopt", pfn, order, SHADOW_RESERVED))
		return -EINVAL;
	if (c->inner->ops->adopt) {
		lend_stats(c);
		err = c->inner->ops->adopt(c->inner, pfn, order);
		take_back_stats(c);
	}
	if (!err) {
		shadow_set_held(c, pfn, order, order);
		c->given[zone] += 1UL << order;
		c->held[zone] += 1UL << order;
	}
	check_after(c, "adopt", 0);
	return err;
}

/* Whether a block may come free for the first time; its zone, or -1. */
static int zone_to_give(const struct checked *c, const char *op,
			unsigned long pfn, unsigned int order)
{
	int zone = run_zone(c, op, pfn, order);

	if (zone < 0 || !run_is(c, op, pfn, order, SHADOW_RESERVED))
		return -1;
	for (unsigned long p = pfn; p < pfn + (1UL << order); p++) {
		if (layout_page_exists(c->base.machine->layout, p))
			continue;
		violation(c, "%s of order %u at pfn %lu: pfn %lu is in a hole",
			  op, order, pfn, p);
		return -1;
	}
	return zone;
}

static void checked_release(struct allocator *a, unsigned long pfn,
			    unsigned int order)
{
	struct checked *c = to_checked(a);
	int zone;

	c->nr_ops++;
	zone = zone_to_give(c, "release", pfn, order);
	if (zone < 0)
		return;
	lend_stats(c);
	c->inner->ops->release(c->inner, pfn, order);
	take_back_stats(c);
	shadow_set_free(c, pfn, order);
	c->given[zone] += 1UL << order;
	check_after(c, "release", 0);
}

static void checked_release_pcp(struct allocator *a, unsigned long pfn,
				unsigned int order, unsigned int cpu)
{
	struct checked *c = to_checked(a);
	int zone;

	c->nr_ops++;
	zone = zone_to_give(c, "release_pcp", pfn, order);
	if (zone < 0)
		return;
	lend_stats(c);
	c->inner->ops->release_pcp(c->inner, pfn, order, cpu);
	take_back_stats(c);
	shadow_set_free(c, pfn, order);
	c->given[zone] += 1UL << order;
	check_after(c, "release_pcp", cpu);
}

static void checked_limit_pcp(struct allocator *a, unsigned int zone,
			      unsigned int cpu, unsigned long pages)
{
	struct allocator *inner = to_checked(a)->inner;

	inner->ops->limit_pcp(inner, zone, cpu, pages);
}

/* Whether each run of the block is free and in a zone allowed. */
static bool block_may_be_had(const struct checked *c,
			     const struct alloc_req *req, unsigned long pfn)
{
	unsigned int order = run_order(c, req->order);

	for (unsigned long left = 1UL << (req->order - order); left--;) {
		int zone = run_zone(c, "alloc", pfn, order);

		if (zone < 0 || !run_is(c, "alloc", pfn, order, SHADOW_FREE))
			return false;
		if ((unsigned int)zone > req->zone_limit) {
			violation(c, "alloc of order %u: pfn %lu is in zone %d, above the limit of %u",
				  req->order, pfn, zone, req->zone_limit);
			return false;
		}
		pfn = page_after(c, pfn, left);
	}
	return true;
}

/* The block's pages go to a caller, or come back. */
static void count_held(struct checked *c, unsigned long pfn, unsigned int order,
		       bool taken)
{
	unsigned long nr_pages = 1UL << run_order(c, order);

	for (unsigned long left = (1UL << order) / nr_pages; left--;) {
		int zone = layout_zone_of(c->base.machine->layout, pfn);

		c->held[zone] += taken ? nr_pages : -nr_pages;
		pfn = page_after(c, pfn, left);
	}
}

static unsigned long checked_alloc(struct allocator *a,
				   const struct alloc_req *req)
{
	struct checked *c = to_checked(a);
	unsigned long pfn;

	c->nr_ops++;
	lend_stats(c);
	pfn = c->inner->ops->alloc(c->inner, req);
	take_back_stats(c);

	if (pfn != PFN_NONE) {
		if (!block_may_be_had(c, req, pfn))
			return PFN_NONE;
		shadow_set_held(c, pfn, req->order, req->order);
		count_held(c, pfn, req->order, true);
	}
	check_after(c, "alloc", req->cpu);
	return pfn;
}

static void checked_free(struct allocator *a, unsigned long pfn,
			 unsigned int order, unsigned int cpu)
{
	struct checked *c = to_checked(a);

	c->nr_ops++;
	if (!block_is_held(c, "free", pfn, order))
		return;
	count_held(c, pfn, order, false);
	for (unsigned long p = pfn, left = 1UL << order; left--;) {
		c->shadow[p] = SHADOW_FREE;
		p = page_after(c, p, left);
	}

	lend_stats(c);
	c->inner->ops->free(c->inner, pfn, order, cpu);
	take_back_stats(c);
	check_after(c, "free", cpu);
}

static bool checked_split(struct allocator *a, unsigned long pfn,
			  unsigned int order, unsigned int new_order)
{
	struct checked *c = to_checked(a);
	bool done = true;

	c->nr_ops++;
	if (!block_is_held(c, "split", pfn, order))
		return false;
	/* First: its parts cannot be told from the block once it is split. */
	shadow_set_held(c, pfn, order, new_order);
	if (c->inner->ops->split) {
		lend_stats(c);
		done = c->inner->ops->split(c->inner, pfn, order, new_order);
		take_back_stats(c);
	}
	if (!done)
		shadow_set_held(c, pfn, order, order);
	check_after(c, "split", 0);
	return done;
}

static unsigned long checked_next_page(const struct allocator *a,
				       unsigned long pfn)
{
	return allocator_page_after(to_const_checked(a)->inner, pfn, 1);
}

static bool checked_isolate(struct allocator *a, unsigned long pfn,
			    unsigned int order, unsigned int cpu)
{
	struct checked *c = to_checked(a);
	bool done;
	int zone;

	c->nr_ops++;
	zone = run_zone(c, "isolate", pfn, order);
	if (zone < 0)
		return false;
	lend_stats(c);
	done = c->inner->ops->isolate(c->inner, pfn, order, cpu);
	take_back_stats(c);
	if (done) {
		if (!run_is(c, "isolate", pfn, order, SHADOW_FREE))
			return false;
		shadow_set_held(c, pfn, order, order);
		c->held[zone] += 1UL << order;
	}
	check_after(c, "isolate", cpu);
	return done;
}

static bool checked_tick(struct allocator *a, uint64_t now_ns)
{
	struct checked *c = to_checked(a);
	bool busy;

	c->nr_ops++;
	lend_stats(c);
	busy = c->inner->ops->tick(c->inner, now_ns);
	take_back_stats(c);
	check_after(c, "tick", 0);
	return busy;
}

static void checked_drain(struct allocator *a)
{
	struct checked *c = to_checked(a);

	c->nr_ops++;
	lend_stats(c);
	c->inner->ops->drain(c->inner);
	take_back_stats(c);
	check_after(c, "drain", 0);
}

static void checked_free_area(const struct allocator *a, unsigned int zone,
			      unsigned long nr_free[NR_PAGE_ORDERS])
{
	const struct allocator *inner = to_const_checked(a)->inner;

	inner->ops->free_area(inner, zone, nr_free);
}

static void checked_counts(const struct allocator *a, unsigned int zone,
			   struct page_counts *counts)
{
	const struct allocator *inner = to_const_checked(a)->inner;

	inner->ops->counts(inner, zone, counts);
}

static void checked_query(const struct allocator *a, unsigned long pfn,
			  struct page_info *info)
{
	const struct allocator *inner = to_const_checked(a)->inner;

	inner->ops->query(inner, pfn, info);
}

/* Whether the backend may say this of a page whose shadow is `state`. */
static bool query_agrees(uint8_t state, enum page_state said)
{
	switch (said) {
	case PAGE_STATE_UNKNOWN:
		return true;
	case PAGE_STATE_RESERVED:
		return state == SHADOW_RESERVED;
	case PAGE_STATE_ALLOCATED:
		return state >= SHADOW_TAIL;
	case PAGE_STATE_USED:
		return state >= SHADOW_TAIL || state == SHADOW_RESERVED;
	case PAGE_STATE_FREE:
	case PAGE_STATE_PCP:
	case PAGE_STATE_METADATA:
		return state == SHADOW_FREE;
	}
	return false;
}

static int verify_page(const struct checked *c, unsigned long pfn,
		       unsigned long *head, struct msg *msg)
{
	uint8_t state = c->shadow[pfn];
	struct shadow_text is;
	struct page_info info;

	c->inner->ops->query(c->inner, pfn, &info);
	if (!query_agrees(state, info.state))
		return msg_set(msg, EUCLEAN,
			       "%s: operation %" PRIu64 ": pfn %lu is %s, but query() says state %d",
			       c->ops.name, c->nr_ops, pfn,
			       shadow_say(state, &is), (int)info.state);

	if (state >= SHADOW_HEAD)
		*head = pfn;
	if (state < SHADOW_TAIL || info.state == PAGE_STATE_UNKNOWN ||
	    c->ops.caps.query < QUERY_BLOCKS)
		return 0;
	if (info.head != *head ||
	    info.order != (unsigned int)c->shadow[*head] - SHADOW_HEAD)
		return msg_set(msg, EUCLEAN,
			       "%s: operation %" PRIu64 ": pfn %lu is in the block of order %u at %lu, but query() says order %u at %lu",
			       c->ops.name, c->nr_ops, pfn,
			       (unsigned int)c->shadow[*head] - SHADOW_HEAD,
			       *head, info.order, info.head);
	return 0;
}

static int checked_verify(const struct allocator *a, struct msg *msg)
{
	const struct checked *c = to_const_checked(a);
	const struct layout *l = a->machine->layout;
	int err = lend_stats(c)->ops->verify(c->inner, msg);

	for (unsigned int cpu = 0; !err && cpu < a->machine->nr_cpus; cpu++)
		if (kmap_depth(a->machine, cpu))
			err = msg_set(msg, EUCLEAN,
				      "%s: pages are still mapped on CPU %u",
				      c->ops.name, cpu);

	for (unsigned int z = 0; z < l->nr_zones; z++) {
		unsigned long pfn = l->zones[z].start_pfn;
		unsigned long head = PFN_NONE;

		for (; !err && pfn < zone_end_pfn(&l->zones[z]); pfn++)
			err = verify_page(c, pfn, &head, msg);
	}
	return err;
}

static uint64_t checked_fingerprint(const struct allocator *a)
{
	const struct allocator *inner = to_const_checked(a)->inner;

	return inner->ops->fingerprint(inner);
}

static void checked_destroy(struct allocator *a)
{
	struct checked *c = to_checked(a);

	c->inner->ops->destroy(c->inner);
	free(c->shadow);
	free(c);
}

/* Calls that the backend leaves out stay out, so they mean the same. */
static void install_ops(struct checked *c, const struct allocator_ops *inner)
{
	c->ops = *inner;
	c->ops.create = NULL;
	c->ops.destroy = checked_destroy;
	c->ops.adopt = checked_adopt;
	c->ops.release = checked_release;
	c->ops.alloc = checked_alloc;
	c->ops.free = checked_free;
	c->ops.split = checked_split;
	c->ops.free_area = checked_free_area;
	c->ops.counts = checked_counts;
	c->ops.query = checked_query;
	c->ops.verify = checked_verify;
	if (inner->set_block_type)
		c->ops.set_block_type = checked_set_block_type;
	if (inner->release_pcp)
		c->ops.release_pcp = checked_release_pcp;
	if (inner->next_page)
		c->ops.next_page = checked_next_page;
	if (inner->isolate)
		c->ops.isolate = checked_isolate;
	if (inner->limit_pcp)
		c->ops.limit_pcp = checked_limit_pcp;
	if (inner->tick)
		c->ops.tick = checked_tick;
	if (inner->drain)
		c->ops.drain = checked_drain;
	if (inner->fingerprint)
		c->ops.fingerprint = checked_fingerprint;
}

int checked_wrap(struct allocator **out, struct allocator *inner,
		 struct msg *msg)
{
	unsigned long nr_pages = inner->machine->end_pfn;
	struct checked *c;

	if (inner->ops->caps.no_policy) {
		*out = inner;
		return 0;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		goto no_memory;
	c->shadow = calloc(nr_pages, 1);
	if (!c->shadow)
		goto free_checked;
	_Static_assert(SHADOW_RESERVED == 0, "calloc() reserves every page");

	install_ops(c, inner->ops);
	c->inner = inner;
	c->base.ops = &c->ops;
	c->base.machine = inner->machine;
	c->base.stats = inner->stats;
	*out = &c->base;
	return 0;

free_checked:
	free(c);
no_memory:
	return msg_set(msg, ENOMEM, "no room for the shadow of %lu pages",
		       nr_pages);
}

void checked_set_report(struct allocator *a, checked_report_fn *report,
			void *arg)
{
	struct checked *c = to_checked(a);

	assert(a->ops->alloc == checked_alloc);
	c->report = report;
	c->report_arg = arg;
}
