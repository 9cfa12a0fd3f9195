/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sample.h - what is written down of an allocator at one moment
 *
 * A sample holds plain counts; the indices of fragmentation.h follow from
 * them when results are written.
 */
#ifndef PAGETAX_SIM_METRICS_SAMPLE_H
#define PAGETAX_SIM_METRICS_SAMPLE_H

#include "alloc/allocator.h"

struct sample {
	uint64_t time_ns;		/* simulated */
	uint64_t ops;			/* operations done so far */
	uint64_t kmap_calls;
	uint64_t failed_allocs;
	uint64_t allocated_pages;	/* in callers' hands, metadata not included */
	uint64_t nodes;			/* pages that are nodes now */
	uint64_t meta_bytes[NR_META_COLUMNS];
	uint64_t allocatee_bytes;	/* owners' objects; 0 if the page holds them */
	unsigned long nr_free[MAX_NR_ZONES][NR_PAGE_ORDERS];
};

struct sample_series {
	struct sample *samples;
	size_t nr;
};

/* Look at the allocator now and append. 0 or -ENOMEM. */
int sample_take(struct sample_series *series, const struct allocator *a,
		uint64_t time_ns, uint64_t ops);
void sample_series_free(struct sample_series *series);

/* Free blocks by order over all zones. */
void sample_sum_zones(const struct sample *s, unsigned int nr_zones,
		      unsigned long nr_free[NR_PAGE_ORDERS]);

#endif
