/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * census.h - who owns the pages, counted over time
 *
 * A census knows how many blocks of each class are live, and from that what
 * their owners' objects take. It is asked for by whoever drives allocators:
 *
 *    census_add(c, ALLOCATEE_anon, 0)      an allocation was served
 *    census_split(c, ALLOCATEE_anon)       its block is two from now on
 *    census_remove(c, ALLOCATEE_anon, 0)   it was freed
 *
 * A block that is cut gives each part an object of its own.
 */
#ifndef PAGETAX_SIM_METRICS_CENSUS_H
#define PAGETAX_SIM_METRICS_CENSUS_H

#include "sim/metrics/allocatee.h"

struct demand;
struct bundle;
struct sample_plan;

struct census_class {
	uint64_t allocs;		/* since the start */
	uint64_t start_blocks;		/* live before the first operation */
	uint64_t blocks, peak_blocks;	/* live now, and at most */
	uint64_t pages, peak_pages;
	uint64_t bytes, peak_bytes;	/* of objects, in whole slab pages */
};

/* Blocks from a process, by its name; 0 is who came before the recording. */
struct census_process {
	uint64_t allocs;
	uint64_t pages_allocated;
	uint64_t pages, peak_pages;
	uint64_t object_bytes, peak_object_bytes;	/* slabs not rounded */
};

struct census {
	const struct allocatee_table *table;
	struct census_class classes[NR_ALLOCATEES];
	uint64_t bytes, peak_bytes;	/* over all classes */

	/* Live folios' whole 2 MiB units: what HVO could take descriptors from. */
	uint64_t huge_units, peak_huge_units;
};

void census_init(struct census *c, const struct allocatee_table *table);
void census_add(struct census *c, enum allocatee class, unsigned int order);
void census_remove(struct census *c, enum allocatee class, unsigned int order);
void census_split(struct census *c, enum allocatee class, unsigned int order);

/* Of a recording: the census at each sample, and by process. */
struct census_series {
	struct census end;		/* with the peaks of the whole run */
	uint64_t *bytes;		/* objects at each sample */
	uint64_t *huge_units;
	size_t nr;			/* samples */
	struct census_process *processes;	/* by index into trace.comms */
	unsigned int nr_processes;
};

/*
 * Count the owners of a recorded demand. `failed` are the operations, by
 * index and ascending, that an allocator could not serve: their blocks have
 * no owner. 0 or -ENOMEM; the caller frees in any case.
 */
int census_take(struct census_series *series, const struct demand *demand,
		const struct bundle *bundle, const struct allocatee_table *table,
		const struct sample_plan *samples, const uint32_t *failed,
		size_t nr_failed);
void census_series_free(struct census_series *series);

#endif
