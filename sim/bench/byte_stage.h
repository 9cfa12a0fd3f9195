/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * byte_stage.h - objects of some bytes each, from a range or from slabs
 *
 *    objects    sizes drawn alike for all that serve bytes
 *    bytes      a range of units, or slabs            its tax by column
 *    pages      drawn from a simulated buddy          its descriptors, and the
 *                                                     holes it is left with
 *
 *    FILLED       so many bytes were asked for
 *    TURNED_OVER  then, as many times as there were objects, one at random went
 *                 and a new one came: only where the load asks for it
 *    HALF_FREED   and half of the objects, picked at random, are gone
 *
 * An object that is not served is counted and forgotten.
 */
#ifndef PAGETAX_SIM_BENCH_BYTE_STAGE_H
#define PAGETAX_SIM_BENCH_BYTE_STAGE_H

#include "alloc/range_bytes.h"
#include "sim/workload/distribution.h"

/* What serves bytes, and how it comes by its pages. */
struct byte_kind {
	const char *name;		/* NULL ends a list */
	struct bytes_plan plan;		/* no spec: slabs */
	enum slab_sizes sizes;
};

extern const struct byte_kind byte_kinds[];

/*
 * The kind for a range as range_create() takes it: drawn pages and units as in
 * the list above. -EINVAL with a message that has the names there are.
 */
int byte_kind_of(struct byte_kind *kind, const char *spec, struct msg *msg);

struct byte_load {
	uint64_t memory_bytes;		/* of the machine */
	uint64_t fill_bytes;		/* asked for until then, or */
	size_t max_objects;		/* so many objects */
	const struct distribution *sizes;
	bool turn_over;
	uint64_t seed;
};

enum byte_moment { FILLED, TURNED_OVER, HALF_FREED, NR_BYTE_MOMENTS };

extern const char *const byte_moment_names[NR_BYTE_MOMENTS];

/* What serves bytes, as it stands. */
struct byte_standing {
	size_t nr_objects;
	size_t nr_failed;		/* objects that were not served, so far */
	double held;			/* bytes of pages drawn */
	double used;			/* percent of those, as are all that follow */
	double meta[NR_META_COLUMNS];	/* without what the buddy keeps */
	double descriptors;		/* the buddy's, of the pages drawn */
	double unusable;		/* of the buddy's free memory: not in 2 MiB */
};

/*
 * All of its metadata and the descriptors of the pages held. In-band links cost
 * no memory; what is borrowed from descriptors does, where the buddy's have no
 * room for it.
 */
double byte_total_percent(const struct byte_standing *st, bool lends);

/* 0 or a negative errno with a message; all is verified at the end. */
int byte_stage_run(const struct byte_load *load, const struct byte_kind *kind,
		   const char *buddy,
		   struct byte_standing out[NR_BYTE_MOMENTS], struct msg *msg);

#endif
