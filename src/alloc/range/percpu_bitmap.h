/* SPDX-License-Identifier: GPL-2.0-or-later */
/* percpu_bitmap.h - what tests and figures see of it beyond the range interface */
#ifndef PAGETAX_ALLOC_RANGE_PERCPU_BITMAP_H
#define PAGETAX_ALLOC_RANGE_PERCPU_BITMAP_H

#include "alloc/range.h"

/*
 * With populate=on: pages (of PERCPU_PAGE_UNITS units) that have memory now,
 * and those of them that are empty.
 */
unsigned long percpu_bitmap_nr_populated(const struct range *r);
unsigned long percpu_bitmap_nr_empty(const struct range *r);

/* Whether any chunk could hold such a run, from the maps alone. */
bool percpu_bitmap_fits(const struct range *r, unsigned long nr,
			unsigned long align);

#endif
