/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sample.c - look at an allocator and write it down */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "sim/metrics/sample.h"

int sample_take(struct sample_series *series, const struct allocator *a,
		uint64_t time_ns, uint64_t ops)
{
	const struct machine *m = a->machine;
	struct sample *s;

	if (array_grow(series->samples, series->nr))
		return -ENOMEM;
	s = &series->samples[series->nr++];
	*s = (struct sample){
		.time_ns = time_ns,
		.ops = ops,
		.kmap_calls = m->kmap.calls,
		.failed_allocs = a->stats.failed_allocs,
		.allocated_pages = a->stats.pages_allocated,
		.nodes = a->stats.nodes,
	};
	for (unsigned int c = 0; c < NR_META_COLUMNS; c++)
		s->meta_bytes[c] = m->meta.now[c];
	for (unsigned int z = 0; z < m->layout->nr_zones; z++)
		allocator_free_area(a, z, s->nr_free[z]);
	return 0;
}

void sample_series_free(struct sample_series *series)
{
	free(series->samples);
	*series = (struct sample_series){ 0 };
}

void sample_sum_zones(const struct sample *s, unsigned int nr_zones,
		      unsigned long nr_free[NR_PAGE_ORDERS])
{
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
		nr_free[o] = 0;
		for (unsigned int z = 0; z < nr_zones; z++)
			nr_free[o] += s->nr_free[z][o];
	}
}
