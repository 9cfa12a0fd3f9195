/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bitmap_tree.h - a set of small numbers whose least and greatest are found fast
 *
 *    level 2   [1]                     a bit for each word below that is not 0
 *    level 1   [1 0 1 ...]
 *    level 0   [0..1..0][000][1.0..]   a bit for each number
 *
 * set, clear, first and last go through one word a level: log n to the base
 * 64 of them (32 on a 32-bit machine). A set of n takes n / 8 bytes, and a 63rd
 * more.
 */
#ifndef PAGETAX_LIB_BITMAP_TREE_H
#define PAGETAX_LIB_BITMAP_TREE_H

#include "lib/bitmap.h"

#define BITMAP_TREE_LEVELS 7		/* 2^32 numbers in words of 32 bits */
#define BITMAP_TREE_NONE (~0UL)

struct bitmap_tree {
	unsigned long *level[BITMAP_TREE_LEVELS];	/* set at init */
	unsigned int nr_levels;
};

/* Bytes that a set of the numbers 0 to nr - 1 needs, nr > 0. */
size_t bitmap_tree_bytes(unsigned long nr);

/* An empty set in that many zeroed bytes, aligned to a word. */
void bitmap_tree_init(struct bitmap_tree *t, void *bytes, unsigned long nr);

/* A number that is there may be set again, one that is not cleared. */
void bitmap_tree_set(struct bitmap_tree *t, unsigned long i);
void bitmap_tree_clear(struct bitmap_tree *t, unsigned long i);

static inline bool bitmap_tree_test(const struct bitmap_tree *t, unsigned long i)
{
	return bitmap_test(t->level[0], i);
}

/* The least and the greatest, or BITMAP_TREE_NONE. */
unsigned long bitmap_tree_first(const struct bitmap_tree *t);
unsigned long bitmap_tree_last(const struct bitmap_tree *t);

#endif
