/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bitmap_tree.c - a bitmap of bitmaps, up to one word; see bitmap_tree.h */
#include <assert.h>

#include "lib/bitmap_tree.h"

size_t bitmap_tree_bytes(unsigned long nr)
{
	size_t words = 0;

	assert(nr > 0);
	do {
		nr = bitmap_words(nr);
		words += nr;
	} while (nr > 1);
	return words * sizeof(unsigned long);
}

void bitmap_tree_init(struct bitmap_tree *t, void *bytes, unsigned long nr)
{
	unsigned long *words = bytes;

	t->nr_levels = 0;
	do {
		nr = bitmap_words(nr);
		t->level[t->nr_levels++] = words;
		words += nr;
	} while (nr > 1);
	assert(t->nr_levels <= BITMAP_TREE_LEVELS);
}

void bitmap_tree_set(struct bitmap_tree *t, unsigned long i)
{
	for (unsigned int l = 0; l < t->nr_levels; l++, i /= BITMAP_WORD_BITS)
		bitmap_set(t->level[l], i);
}

void bitmap_tree_clear(struct bitmap_tree *t, unsigned long i)
{
	for (unsigned int l = 0; l < t->nr_levels; l++) {
		bitmap_clear(t->level[l], i);
		i /= BITMAP_WORD_BITS;
		if (t->level[l][i])
			return;
	}
}

unsigned long bitmap_tree_first(const struct bitmap_tree *t)
{
	unsigned long i = 0;

	if (!t->level[t->nr_levels - 1][0])
		return BITMAP_TREE_NONE;
	for (unsigned int l = t->nr_levels; l-- > 0;)
		i = i * BITMAP_WORD_BITS + lowest_bit(t->level[l][i]);
	return i;
}

unsigned long bitmap_tree_last(const struct bitmap_tree *t)
{
	unsigned long i = 0;

	if (!t->level[t->nr_levels - 1][0])
		return BITMAP_TREE_NONE;
	for (unsigned int l = t->nr_levels; l-- > 0;)
		i = i * BITMAP_WORD_BITS + ilog2(t->level[l][i]);
	return i;
}
