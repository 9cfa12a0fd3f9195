/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * allocator.h - what every page allocator of the field is asked to do
 *
 * One backend is one struct allocator with its table. The calls below are the
 * only way in; they keep the statistics that are alike for all backends.
 *
 * Life of an allocator:
 *	create		every page of the machine is reserved
 *	set_block_type	pageblock types at the start (default: movable)
 *	adopt		blocks that were in use at the start and may be freed
 *	release		blocks that were free at the start, in list order:
 *			the last one released is the first one handed out
 *	release_pcp	blocks that were free in a CPU's own list at the start;
 *			likewise
 *	limit_pcp	from where on these lists drained at the start
 *	alloc, free, split, tick, ...
 *	verify, destroy
 */
#ifndef PAGETAX_ALLOC_ALLOCATOR_H
#define PAGETAX_ALLOC_ALLOCATOR_H

#include "alloc/option.h"
#include "alloc/stat.h"
#include "base/cost.h"
#include "base/msg.h"
#include "base/types.h"
#include "machine/machine.h"

struct allocator;

enum alloc_flags {
	ALLOC_HIGH_PRIORITY = 1 << 0,	/* may dig below the min watermark */
	ALLOC_NON_BLOCKING  = 1 << 1,	/* cannot reclaim; with the above: atomic */
	ALLOC_NO_PCP        = 1 << 2,	/* straight from the zone's lists */
};

struct alloc_req {
	unsigned int order;		/* 2^order pages; at most MAX_PAGE_ORDER */
	unsigned int migratetype;	/* unmovable, movable or reclaimable */
	unsigned int zone_limit;	/* index of the highest zone allowed */
	unsigned int cpu;		/* who asks; below nr_cpus */
	unsigned int flags;		/* enum alloc_flags */
};

enum page_state {
	PAGE_STATE_UNKNOWN,		/* the backend does not keep track */
	PAGE_STATE_RESERVED,		/* never given to the allocator, or a hole */
	PAGE_STATE_FREE,		/* in a free block */
	PAGE_STATE_ALLOCATED,
	PAGE_STATE_PCP,			/* free, parked in a per-CPU list */
	PAGE_STATE_METADATA,		/* carries the allocator's own state */
	PAGE_STATE_USED,		/* allocated or reserved: cannot be told */
};

struct page_info {
	enum page_state state;
	unsigned long head;		/* first page of the block, PFN_NONE if unknown */
	unsigned int order;		/* of the block, 0 if unknown */
};

/* How much a backend can say of a page. */
enum query_level {
	QUERY_USED_FREE,		/* state only */
	QUERY_FREE_BLOCKS,		/* and the block of a free page */
	QUERY_BLOCKS,			/* and the block of an allocated page */
};

/* What a backend can do; requests beyond it are refused and counted. */
struct alloc_caps {
	unsigned int max_order;		/* largest request */
	bool needs_size;		/* free() trusts the order given */
	bool lockfree;			/* alloc and free may run on several threads */
	bool lazy_merge;		/* free buddies may wait apart, so a request may fail */
	bool keeps_metadata;		/* pages with its structures in use serve no request */
	bool no_policy;			/* keeps no books: pages may have several owners */
	enum query_level query;
};

/* Pages by state; free + allocated + nodes + stash + pcp + reserved == managed. */
struct page_counts {
	unsigned long free;		/* on free lists */
	unsigned long pcp;		/* freed, and parked: on per-CPU lists and the like */
	unsigned long nodes;		/* pages that carry the allocator's state */
	unsigned long stash;		/* set aside to become a node */
};

struct allocator_ops {
	const char *name;
	const char *summary;		/* one line for `pagetax list allocators` */
	size_t desc_bytes;		/* per page, for the formula; 0: none */
	bool describes_allocatee;	/* the descriptor holds the owner's state */
	const struct option_spec *options;	/* ends with a NULL key */
	struct alloc_caps caps;

	/*
	 * Make an allocator that has every page of the machine reserved.
	 * Options are already checked against the specs. -ENOMEM, or -EINVAL
	 * with a message for a machine it cannot serve.
	 */
	int (*create)(struct allocator **out, struct machine *m,
		      const struct option_set *opts, struct msg *msg);
	void (*destroy)(struct allocator *a);

	/* Optional; see the top. */
	void (*set_block_type)(struct allocator *a, unsigned long pfn,
			       unsigned int migratetype);
	int (*adopt)(struct allocator *a, unsigned long pfn, unsigned int order);

	void (*release)(struct allocator *a, unsigned long pfn,
			unsigned int order);

	/* Optional: as release, to a CPU's own list. */
	void (*release_pcp)(struct allocator *a, unsigned long pfn,
			    unsigned int order, unsigned int cpu);

	/* Optional: a CPU's lists of a zone drain from `pages` on, for now. */
	void (*limit_pcp)(struct allocator *a, unsigned int zone,
			  unsigned int cpu, unsigned long pages);

	/* PFN_NONE when it cannot be served. Pages are naturally aligned. */
	unsigned long (*alloc)(struct allocator *a, const struct alloc_req *req);

	/*
	 * Optional: the pages of an allocated block lie anywhere, its name is
	 * the first of them, and this is the one after pfn, which is not the
	 * last. A backend without it gives runs: the next pfn.
	 */
	unsigned long (*next_page)(const struct allocator *a, unsigned long pfn);

	/*
	 * Never fails, never allocates. The 2^order pages from pfn on were
	 * allocated.
	 */
	void (*free)(struct allocator *a, unsigned long pfn, unsigned int order,
		     unsigned int cpu);

	/*
	 * Optional: make one allocated block into blocks of new_order that can
	 * be freed one by one. False when that cannot be had (the block stays
	 * whole). Backends that take parts as they come leave it NULL.
	 */
	bool (*split)(struct allocator *a, unsigned long pfn, unsigned int order,
		      unsigned int new_order);

	/*
	 * Optional: take one free block, all of it, off its list, so that it is
	 * allocated from then on; compaction's way to pick a place. False, and
	 * nothing has changed, unless pfn, which is in a zone, heads a free block
	 * of exactly this order that ordinary requests may be served from. A
	 * backend without it cannot be compacted.
	 */
	bool (*isolate)(struct allocator *a, unsigned long pfn,
			unsigned int order, unsigned int cpu);

	/*
	 * Optional: simulated time has reached now_ns (per-CPU lists decay). False
	 * when there was nothing to do, and will not be before another call is made.
	 */
	bool (*tick)(struct allocator *a, uint64_t now_ns);

	/* Optional: empty every per-CPU list and cache into the free lists. */
	void (*drain)(struct allocator *a);

	/*
	 * Free blocks by order: nr_free[o] counts the maximal free blocks of
	 * order o in the zone, as /proc/buddyinfo would. Range backends
	 * decompose their free runs into naturally aligned blocks.
	 */
	void (*free_area)(const struct allocator *a, unsigned int zone,
			  unsigned long nr_free[NR_PAGE_ORDERS]);

	/* Pages of one zone by state. */
	void (*counts)(const struct allocator *a, unsigned int zone,
		       struct page_counts *counts);

	void (*query)(const struct allocator *a, unsigned long pfn,
		      struct page_info *info);

	/*
	 * Recount everything from the pages up and compare. 0, or -EUCLEAN
	 * with a message that names what broke. Maps made here are not counted.
	 */
	int (*verify)(const struct allocator *a, struct msg *msg);

	/*
	 * Optional: a hash of all state that can influence what happens later,
	 * and of nothing else; equal states give equal hashes.
	 */
	uint64_t (*fingerprint)(const struct allocator *a);
};

struct allocator {
	const struct allocator_ops *ops;
	struct machine *machine;	/* set at create */
	struct alloc_stats stats;	/* statistics only */
#ifdef PAGETAX_COUNT
	struct cost *cost;		/* the caller's; NULL: not counted */
#endif
};

/*
 * Take 2^order contiguous, naturally aligned pages; where the backend has a
 * next_page(), as many pages that are neither.
 *
 * Returns the first pfn, or PFN_NONE when the request cannot be served or is
 * beyond the backend's abilities (stats.refused). The content is undefined.
 */
static inline unsigned long alloc_pages(struct allocator *a,
					const struct alloc_req *req)
{
	unsigned long pfn;

	if (unlikely(a->machine->free_depth))
		a->machine->free_path_allocations++;
	if (unlikely(req->order > a->ops->caps.max_order)) {
		a->stats.refused++;
		a->stats.failed_allocs++;
		return PFN_NONE;
	}
	COST_BEGIN(a);
	pfn = a->ops->alloc(a, req);
	COST_END();
	if (likely(pfn != PFN_NONE)) {
		a->stats.allocs++;
		a->stats.pages_allocated += 1UL << req->order;
	} else {
		a->stats.failed_allocs++;
	}
	return pfn;
}

/* Give 2^order pages back. Never fails and never allocates. */
static inline void free_pages(struct allocator *a, unsigned long pfn,
			      unsigned int order, unsigned int cpu)
{
	a->machine->free_depth++;
	COST_BEGIN(a);
	a->ops->free(a, pfn, order, cpu);
	COST_END();
	a->machine->free_depth--;
	a->stats.frees++;
	a->stats.pages_allocated -= 1UL << order;
}

/* See allocator_ops: the calls that are not on the hot path. */
void allocator_set_block_type(struct allocator *a, unsigned long pfn,
			      unsigned int migratetype);
int allocator_adopt(struct allocator *a, unsigned long pfn, unsigned int order);
void allocator_release(struct allocator *a, unsigned long pfn,
		       unsigned int order);
void allocator_release_pcp(struct allocator *a, unsigned long pfn,
			   unsigned int order, unsigned int cpu);
void allocator_limit_pcp(struct allocator *a, unsigned int zone,
			 unsigned int cpu, unsigned long pages);
bool allocator_split(struct allocator *a, unsigned long pfn, unsigned int order,
		     unsigned int new_order);

/* The page n places after pfn in an allocated block. */
unsigned long allocator_page_after(const struct allocator *a, unsigned long pfn,
				   unsigned long n);

bool allocator_isolate(struct allocator *a, unsigned long pfn,
		       unsigned int order, unsigned int cpu);
bool allocator_tick(struct allocator *a, uint64_t now_ns);
void allocator_drain(struct allocator *a);
void allocator_free_area(const struct allocator *a, unsigned int zone,
			 unsigned long nr_free[NR_PAGE_ORDERS]);
void allocator_counts(const struct allocator *a, unsigned int zone,
		      struct page_counts *counts);
void allocator_query(const struct allocator *a, unsigned long pfn,
		     struct page_info *info);
int allocator_verify(const struct allocator *a, struct msg *msg);
uint64_t allocator_fingerprint(const struct allocator *a);

/*
 * From now on count what operations cost (base/cost.h), if this build counts;
 * NULL: no more. What the interface itself keeps, struct allocator, is no
 * metadata. Not for an allocator inside a checker, whose own books it cannot
 * tell from the backend's.
 */
void allocator_count(struct allocator *a, struct cost *cost);

/* Destroys the allocator, not its machine. */
void allocator_destroy(struct allocator *a);

#endif
