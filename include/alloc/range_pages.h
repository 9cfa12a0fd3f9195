/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * range_pages.h - a page allocator made of a range backend
 *
 * The unit is a page, each zone is a range of its own. A file that has a
 * `const struct range_ops NAME_range_ops` ends with
 *
 *	RANGE_PAGES(NAME, "what pagetax list allocators says",
 *		.max_order = MAX_PAGE_ORDER, .query = QUERY_BLOCKS);
 *
 * and is then a backend as any other, for one line in the registry.
 */
#ifndef PAGETAX_ALLOC_RANGE_PAGES_H
#define PAGETAX_ALLOC_RANGE_PAGES_H

#include "alloc/allocator.h"
#include "alloc/range.h"

int range_pages_create(struct allocator **out, const struct allocator_ops *ops,
		       const struct range_ops *range_ops, struct machine *m,
		       const struct option_set *opts, struct msg *msg);

void range_pages_destroy(struct allocator *a);
int range_pages_adopt(struct allocator *a, unsigned long pfn,
		      unsigned int order);
void range_pages_release(struct allocator *a, unsigned long pfn,
			 unsigned int order);
unsigned long range_pages_alloc(struct allocator *a,
				const struct alloc_req *req);
void range_pages_free(struct allocator *a, unsigned long pfn,
		      unsigned int order, unsigned int cpu);
bool range_pages_split(struct allocator *a, unsigned long pfn,
		       unsigned int order, unsigned int new_order);
void range_pages_drain(struct allocator *a);
void range_pages_free_area(const struct allocator *a, unsigned int zone,
			   unsigned long nr_free[NR_PAGE_ORDERS]);
void range_pages_counts(const struct allocator *a, unsigned int zone,
			struct page_counts *counts);
void range_pages_query(const struct allocator *a, unsigned long pfn,
		       struct page_info *info);
int range_pages_verify(const struct allocator *a, struct msg *msg);
uint64_t range_pages_fingerprint(const struct allocator *a);

#define RANGE_PAGES(backend, text, ...)                                       \
	extern const struct allocator_ops backend##_ops;                      \
	static int backend##_create_pages(struct allocator **out,             \
					  struct machine *m,                  \
					  const struct option_set *opts,      \
					  struct msg *msg)                    \
	{                                                                     \
		return range_pages_create(out, &backend##_ops,                \
					  &backend##_range_ops, m, opts, msg); \
	}                                                                     \
	const struct allocator_ops backend##_ops = {                          \
		.name = #backend,                                             \
		.summary = text,                                              \
		.options = backend##_options,                                 \
		.caps = { __VA_ARGS__ },                                      \
		.create = backend##_create_pages,                             \
		.destroy = range_pages_destroy,                               \
		.adopt = range_pages_adopt,                                   \
		.release = range_pages_release,                               \
		.alloc = range_pages_alloc,                                   \
		.free = range_pages_free,                                     \
		.split = range_pages_split,                                   \
		.drain = range_pages_drain,                                   \
		.free_area = range_pages_free_area,                           \
		.counts = range_pages_counts,                                 \
		.query = range_pages_query,                                   \
		.verify = range_pages_verify,                                 \
		.fingerprint = range_pages_fingerprint,                       \
	}

#endif
