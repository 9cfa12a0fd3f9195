/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bitmap_hints.h - where the hints of a percpu chunk lead, and how they follow
 *
 *    alloc   hints_find     -> a start, for the bits to be searched from
 *            hints_skipped  <- what that search went past
 *            hints_take     <- the run that it found, now taken
 *    free    hints_give     <- the run, now free
 *
 * The maps are changed before the hints are told. See bitmap_chunk.h for what
 * the hints are.
 */
#ifndef PAGETAX_ALLOC_RANGE_BITMAP_HINTS_H
#define PAGETAX_ALLOC_RANGE_BITMAP_HINTS_H

#include "bitmap_chunk.h"

/* Free bits. */
struct stretch {
	int start;
	int len;
};

/*
 * Where to search for an aligned run, of populated blocks only if so asked, or
 * -1: a run is not sure to be found there, nor to be missing where none is said
 * to be.
 */
int hints_find(struct bitmap_chunk *bc, struct range *r, int bits, int align,
	       bool populated_only);

/* A search that began where hints_find() said went past these free bits. */
void hints_skipped(struct bitmap_chunk *bc, struct range *r,
		   struct stretch skipped);

void hints_take(struct bitmap_chunk *bc, struct range *r, int at, int bits);
void hints_give(struct bitmap_chunk *bc, struct range *r, int at, int bits);

/* Of a block whose bits are all taken. */
void hints_set_taken(struct bitmap_chunk *bc, int block);

#endif
