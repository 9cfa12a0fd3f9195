/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drawn.h - a small machine for cases that fit into a drawing
 *
 * One zone "Normal" of a few pageblocks, or two zones, with a buddy allocator
 * on it whose state may be looked at. Every page is reserved at first.
 */
#ifndef PAGETAX_TESTS_DRAWN_H
#define PAGETAX_TESTS_DRAWN_H

#include "alloc/buddy/policy.h"

struct drawn {
	struct layout layout;
	struct machine *machine;
	struct allocator *a;
	struct buddy *b;
};

/* Backends that these cases run on. */
extern const char *const drawn_backends[];
#define NR_DRAWN_BACKENDS 6

/* nr_pages in one zone. The spec is the backend's name with options behind. */
void drawn_create(struct drawn *d, const char *backend, const char *options,
		  unsigned long nr_pages, unsigned int nr_cpus);

/* Zones DMA32 and Normal of half as many each, with marks of `mark` pages. */
void drawn_create_two(struct drawn *d, const char *backend, const char *options,
		      unsigned long nr_pages, unsigned long mark);

/* Verifies, and ends it: none of its memory is left charged. */
void drawn_destroy(struct drawn *d);

/* The first page, or PFN_NONE; from the highest zone, by CPU 0. */
unsigned long drawn_alloc(struct drawn *d, unsigned int order,
			  unsigned int type);

/* Take a whole block of reserved memory as `parts`-order blocks in use. */
void drawn_adopt(struct drawn *d, unsigned long pfn, unsigned int order,
		 unsigned int part);

static inline void drawn_free(struct drawn *d, unsigned long pfn,
			      unsigned int order)
{
	free_pages(d->a, pfn, order, 0);
}

static inline unsigned int drawn_type(const struct drawn *d, unsigned long pfn)
{
	return d->b->block_type[pfn >> PAGEBLOCK_ORDER];
}

static inline unsigned long drawn_nr_free(const struct drawn *d,
					  unsigned int order, unsigned int type)
{
	return d->b->zones[d->b->nr_zones - 1]->nr_free[order][type];
}

#endif
