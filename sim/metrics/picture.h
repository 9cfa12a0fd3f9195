/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * picture.h - what stands where in physical memory, over time
 *
 * Memory is cut into PICTURE_ROWS stripes of equal length. At each column
 * (a moment) whoever drives the allocator says where the live blocks and the
 * metadata are:
 *
 *    pfn   ...                          a stripe's look is one word, and a
 *     ^    free    free    movable1     run of equal looks is one row of the
 *     |    fixed   fixed   fixed        table, so a still machine is small
 *          t0      t1      t2 --> time
 *
 * free       nothing of it is in use by the workload
 * movable1   up to a tenth of it is, most of that movable; movable2: up to
 *            half; movable3: more
 * unmovable1 and so on: the same, most of it unmovable or reclaimable
 * fixed      hardly any of it was ever the allocator's to give
 */
#ifndef PAGETAX_SIM_METRICS_PICTURE_H
#define PAGETAX_SIM_METRICS_PICTURE_H

#include <stddef.h>

#include "base/types.h"

#define PICTURE_ROWS    96
#define PICTURE_COLUMNS 64		/* at most */

/* x(name) */
#define PICTURE_LOOKS(x) \
	x(absent) x(fixed) x(free) \
	x(movable1) x(movable2) x(movable3) x(unmovable1) x(unmovable2) x(unmovable3)

enum picture_look {
#define PICTURE_ENUM(name) PICTURE_##name,
	PICTURE_LOOKS(PICTURE_ENUM)
#undef PICTURE_ENUM
	NR_PICTURE_LOOKS,
};

extern const char *const picture_look_names[NR_PICTURE_LOOKS];

/* A stretch of time in which a stripe looked the same. */
struct picture_run {
	uint64_t from_ns, to_ns;
	unsigned int row;
	enum picture_look look;
	bool metadata;			/* some pages of it carry the allocator's state */
	unsigned long movable, unmovable, metadata_pages;	/* as it began */
};

struct picture {
	unsigned long row_pages;	/* pfns in a stripe; 0: no picture */
	unsigned long present[PICTURE_ROWS];
	unsigned long given[PICTURE_ROWS];	/* the allocator's to give */

	/* The column in the making. */
	uint64_t now_ns;
	unsigned long movable[PICTURE_ROWS];
	unsigned long unmovable[PICTURE_ROWS];
	unsigned long metadata[PICTURE_ROWS];

	struct picture_run open[PICTURE_ROWS];
	bool begun;
	struct picture_run *runs;
	size_t nr_runs;
};

struct layout;
struct allocator;
struct initial_state;
struct demand;

/* Free at the start, or resident in the demand: the allocator's to give. */
void picture_init(struct picture *p, const struct layout *layout,
		  const struct initial_state *start, const struct demand *demand);
void picture_free(struct picture *p);

/* A column. picture_end() returns 0 or -ENOMEM. */
void picture_begin(struct picture *p, uint64_t now_ns);
void picture_block(struct picture *p, const struct allocator *a,
		   unsigned long pfn, unsigned int order,
		   unsigned int migratetype);
/* Look for pages of metadata, if there are any, among those given. */
void picture_metadata(struct picture *p, const struct allocator *a,
		      const struct initial_state *start,
		      const struct demand *demand);
int picture_end(struct picture *p);

/* After the last column: whatever is open ends here. 0 or -ENOMEM. */
int picture_finish(struct picture *p, uint64_t end_ns);

#endif
