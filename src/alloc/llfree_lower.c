/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * llfree_lower.c - the lower part of LLFree: children and bitfields
 *
 *    child     [ 188 free ]                    16 bits for 2 MiB
 *                  |
 *    rows      1101 0000 ... 0110              8 words of 64 bits (16 of 32):
 *              0000 0000 ... 1111              one cache line, 1: in use
 *              ...
 *
 *    order 0 to 6   one compare-and-swap on a row (5 with rows of 32 bits)
 *    order 7, 8     several rows, undone if one of them is lost
 *    order 9        the child's word: taken whole, its bits stay clear
 *    order 10       two of them, the first undone if the second is lost
 *
 * The counter is lowered before bits are claimed and raised after they are
 * cleared, so whoever has lowered it knows that so many pages are there, if
 * not where, nor side by side.
 *
 * Cost: two locked operations each way, and a look at the rows up to the place.
 */
#include <limits.h>

#include "llfree.h"

/* --- bitfields -------------------------------------------------------- */

/*
 * Place of an aligned group of 2^order clear bits, or ROW_PAGES.
 *
 *    bits   0110 0000     order 1: after or-ing with itself shifted by 1, a
 *    or     0111 0000     clear bit at an even place begins such a group
 */
static inline unsigned int find_clear(unsigned long bits, unsigned int order)
{
	/* A bit at each place that a group may begin at. */
	static const unsigned long starts[] = {
		~0UL, ~0UL / 0x3, ~0UL / 0xf, ~0UL / 0xff, ~0UL / 0xffff,
#if ULONG_MAX > 0xffffffff
		~0UL / 0xffffffff,
#endif
	};
	unsigned long clear;

	if (!~bits)
		return ROW_PAGES;
	switch (order) {
	case 5:
		bits |= bits >> 16;
		/* fall through */
	case 4:
		bits |= bits >> 8;
		/* fall through */
	case 3:
		bits |= bits >> 4;
		/* fall through */
	case 2:
		bits |= bits >> 2;
		/* fall through */
	case 1:
		bits |= bits >> 1;
	}
	clear = starts[order] & ~bits;
	return clear ? lowest_bit(clear) : ROW_PAGES;
}

/* 2^order ones; a whole row from ROW_ORDER on. */
static unsigned long group_mask(unsigned int order)
{
	return order >= ROW_ORDER ? ~0UL : (1UL << (1U << order)) - 1;
}

/* Claim a group in one row; its place, or ROW_PAGES. */
static unsigned int row_claim(_Atomic unsigned long *row, unsigned int order)
{
	unsigned long bits = atomic_load(row);

	for (;;) {
		unsigned int place = order == ROW_ORDER ?
				     (bits ? ROW_PAGES : 0) :
				     find_clear(bits, order);

		COST_NOW(bits_scanned, ROW_PAGES);
		if (place == ROW_PAGES ||
		    atomic_compare_exchange_weak(row, &bits,
						 bits | group_mask(order) << place))
			return place;
	}
}

/* Claim nr whole rows, or none of them. */
static bool rows_claim(_Atomic unsigned long *rows, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		unsigned long none = 0;

		COST_NOW(bits_scanned, ROW_PAGES);
		if (atomic_compare_exchange_strong(&rows[i], &none, ~0UL))
			continue;
		while (i--)
			atomic_store(&rows[i], 0);
		return false;
	}
	return true;
}

/* Claim 2^order pages of a child, from a row on; the page in it, or CHILD_PAGES. */
static unsigned long child_claim_bits(_Atomic unsigned long *rows,
				      unsigned int order, unsigned long from)
{
	unsigned int step = order > ROW_ORDER ? 1U << (order - ROW_ORDER) : 1;

	for (unsigned long i = 0; i < CHILD_ROWS; i += step) {
		unsigned long row = (from / step * step + i) % CHILD_ROWS;
		unsigned int place;

		if (order > ROW_ORDER) {
			if (rows_claim(&rows[row], step))
				return row * ROW_PAGES;
			continue;
		}
		place = row_claim(&rows[row], order);
		if (place < ROW_PAGES)
			return row * ROW_PAGES + place;
	}
	return CHILD_PAGES;
}

static void child_clear_bits(_Atomic unsigned long *rows, unsigned long page,
			     unsigned int order)
{
	unsigned long row = page / ROW_PAGES;

	if (order < ROW_ORDER) {
		unsigned long mask = group_mask(order) << page % ROW_PAGES;
		unsigned long was = atomic_fetch_and(&rows[row], ~mask);

		assert((was & mask) == mask);
		(void)was;
		return;
	}
	for (unsigned long i = 0; i < 1UL << (order - ROW_ORDER); i++) {
		unsigned long was = atomic_exchange(&rows[row + i], 0);

		assert(was == ~0UL);
		(void)was;
	}
}

/* --- children --------------------------------------------------------- */

/* Lower a child's counter, or take it whole. */
static bool child_lower(_Atomic uint16_t *child, unsigned int order)
{
	uint16_t word = atomic_load(child);
	uint16_t lowered;

	COST_NOW(tree_levels, 1);
	do {
		if (word & CHILD_WHOLE || word < 1U << order)
			return false;
		lowered = (uint16_t)(order == CHILD_ORDER ? CHILD_WHOLE :
				     word - (1U << order));
	} while (!atomic_compare_exchange_weak(child, &word, lowered));
	return true;
}

/* Two children, both whole. */
static unsigned long pair_get(struct llfree_zone *z, unsigned long child)
{
	if (child + 1 == z->nr_children ||
	    !child_lower(child_of(z, child), CHILD_ORDER))
		return PFN_NONE;
	if (child_lower(child_of(z, child + 1), CHILD_ORDER))
		return z->base_pfn + child * CHILD_PAGES;
	atomic_store(child_of(z, child), (uint16_t)CHILD_PAGES);
	return PFN_NONE;
}

unsigned long child_get(struct llfree_zone *z, unsigned long child,
			unsigned int order, unsigned long from_row)
{
	unsigned long page;

	if (order == PAIR_ORDER)
		return pair_get(z, child);
	if (!child_lower(child_of(z, child), order))
		return PFN_NONE;
	if (order == CHILD_ORDER)
		return z->base_pfn + child * CHILD_PAGES;
	page = child_claim_bits(&z->rows[child * CHILD_ROWS], order, from_row);
	if (page < CHILD_PAGES)
		return z->base_pfn + child * CHILD_PAGES + page;
	atomic_fetch_add(child_of(z, child), (uint16_t)(1U << order));
	return PFN_NONE;
}

void child_put(struct llfree_zone *z, unsigned long page, unsigned int order)
{
	unsigned long child = page / CHILD_PAGES;
	_Atomic uint16_t *word = child_of(z, child);
	uint16_t whole = CHILD_WHOLE;

	COST_NOW(tree_levels, 1);
	if (order == CHILD_ORDER &&
	    atomic_compare_exchange_strong(word, &whole, (uint16_t)CHILD_PAGES))
		return;
	child_clear_bits(&z->rows[child * CHILD_ROWS], page % CHILD_PAGES, order);
	atomic_fetch_add(word, (uint16_t)(1U << order));
}

void child_split(struct llfree_zone *z, unsigned long child)
{
	if (!(atomic_load(child_of(z, child)) & CHILD_WHOLE))
		return;
	for (unsigned long i = 0; i < CHILD_ROWS; i++)
		atomic_store(&z->rows[child * CHILD_ROWS + i], ~0UL);
	atomic_store(child_of(z, child), 0);
}

unsigned long row_bits(const struct llfree_zone *z, unsigned long row)
{
	if (atomic_load(child_of(z, row / CHILD_ROWS)) & CHILD_WHOLE)
		return ~0UL;
	return atomic_load(&z->rows[row]);
}
