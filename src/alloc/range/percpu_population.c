/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * percpu_population.c - which pages of percpu_bitmap's chunks have memory
 *
 *    chunk        page 0     1      2      3      4      5
 *    populated         1     1      1      0      1      0
 *    alloc_map        run   run    free   free   free   free
 *                                  empty         empty
 *
 * populate=on: a page (block) of a chunk gets memory when a run first touches
 * it, from whoever made the range (struct range_backing). A worker, here after
 * each call that gives it cause to run, keeps
 *    at least 2 pages populated and empty, and then makes it 4
 *    one chunk wholly free; others give all their pages back
 * A caller that cannot wait is served from populated pages only; when it finds
 * none, the worker makes four, for the next one.
 * depopulate=on (5.14): a chunk, at least a quarter of whose pages are
 * populated and empty, is isolated while 4 such pages are left elsewhere, and
 * gives its own back, from its high end down; then it is side-lined, to be
 * used only before the wholly free ones, or back in its place.
 *
 * Invariant:  nr_empty == the sum over chunks that are not isolated
 */
#include "lib/bitmap.h"
#include "percpu_bitmap.h"

#define EMPTY_PAGES_LOW 2
#define EMPTY_PAGES_HIGH 4

/* The range's number of the page's first unit. */
static unsigned long page_first(const struct pb_chunk *c, int page)
{
	return c->base.first + (unsigned long)page * BLOCK_BITS;
}

void pb_carry_empty(struct percpu_bitmap *pb, struct pb_chunk *c, int before)
{
	if (!c->isolated)
		pb->nr_empty += c->bits.nr_empty - before;
}

/* False when there is no memory for the page. */
static bool page_populate(struct percpu_bitmap *pb, struct pb_chunk *c, int page)
{
	struct range_backing *backing = pb->base.base.backing;
	int before = c->bits.nr_empty;

	if (backing && !backing->populate(backing, page_first(c, page), BLOCK_BITS))
		return false;
	bitmap_chunk_populate(&c->bits, page, page + 1);
	pb_carry_empty(pb, c, before);
	return true;
}

static void page_depopulate(struct percpu_bitmap *pb, struct pb_chunk *c,
			    int page)
{
	struct range_backing *backing = pb->base.base.backing;
	int before = c->bits.nr_empty;

	bitmap_chunk_depopulate(&c->bits, page, page + 1);
	pb_carry_empty(pb, c, before);
	if (backing)
		backing->depopulate(backing, page_first(c, page), BLOCK_BITS);
}

static bool page_is_populated(const struct pb_chunk *c, int page)
{
	return bitmap_test(c->bits.populated, (unsigned long)page);
}

bool pb_populate_run(struct percpu_bitmap *pb, struct pb_chunk *c, int at,
		     int end)
{
	for (int page = at / BLOCK_BITS; page * BLOCK_BITS < end; page++)
		if (!page_is_populated(c, page) && !page_populate(pb, c, page))
			return false;
	return true;
}

/* So many empty pages shall get memory; the fullest chunks that have one first. */
static void populate_empty(struct percpu_bitmap *pb, int nr)
{
	unsigned int slot = percpu_slot_of_bytes(BLOCK_BITS * PERCPU_UNIT_BYTES);
	struct percpu_chunk *c;

	for (; nr > 0 && slot <= pb->free_slot; slot++) {
		percpu_for_each_in_slot(&pb->base, slot, c) {
			struct pb_chunk *pc = to_pb_chunk(c);

			for (int i = 0; nr > 0 && i < pc->bits.nr_blocks; i++) {
				if (page_is_populated(pc, i))
					continue;
				if (!page_populate(pb, pc, i))
					return;
				nr--;
			}
		}
	}
}

/* Of the chunks that are wholly free, the first keeps its pages. */
static void drain_free_chunks(struct percpu_bitmap *pb)
{
	struct percpu_chunk *c, *first = NULL;

	percpu_for_each_in_slot(&pb->base, pb->free_slot, c) {
		struct pb_chunk *pc = to_pb_chunk(c);

		if (!first) {
			first = c;
			continue;
		}
		for (int i = 0; i < pc->bits.nr_blocks; i++)
			if (page_is_populated(pc, i))
				page_depopulate(pb, pc, i);
	}
}

static bool chunk_is_free(const struct percpu_chunk *c)
{
	return bits_of(c)->nr_free == (int)c->nr_units;
}

static bool should_isolate(const struct percpu_bitmap *pb,
			   const struct pb_chunk *c)
{
	int own = c->bits.nr_empty;

	if (c->isolated)
		return own > 0;
	return own >= c->bits.nr_blocks / 4 && own > 0 &&
	       pb->nr_empty > EMPTY_PAGES_HIGH + own;
}

static void isolate(struct percpu_bitmap *pb, struct pb_chunk *c)
{
	if (!c->isolated)
		pb->nr_empty -= c->bits.nr_empty;
	c->isolated = true;
	percpu_chunk_move(&pb->base, &c->base, pb_depopulate_slot(pb));
}

void pb_reintegrate(struct percpu_bitmap *pb, struct pb_chunk *c)
{
	if (!c->isolated)
		return;
	c->isolated = false;
	pb->nr_empty += c->bits.nr_empty;
	percpu_chunk_move(&pb->base, &c->base, pb_slot_of(pb, &c->base));
}

/* Give back the empty pages of an isolated chunk, while others have enough. */
static void depopulate_isolated(struct percpu_bitmap *pb, struct pb_chunk *c)
{
	for (int page = c->bits.nr_blocks; page-- > 0 && c->bits.nr_empty;) {
		if (pb->nr_empty < EMPTY_PAGES_HIGH) {
			pb_reintegrate(pb, c);
			return;
		}
		if (page_is_populated(c, page) &&
		    bitmap_chunk_block_is_free(&c->bits, page))
			page_depopulate(pb, c, page);
	}
	if (chunk_is_free(&c->base))
		pb_reintegrate(pb, c);
	else
		percpu_chunk_move(&pb->base, &c->base, pb->sideline_slot);
}

void pb_balance_after_free(struct percpu_bitmap *pb, struct pb_chunk *c)
{
	if (!pb->populates)
		return;
	if (!c->isolated && chunk_is_free(&c->base)) {
		drain_free_chunks(pb);
	} else if (pb->depopulates && should_isolate(pb, c)) {
		isolate(pb, c);
		depopulate_isolated(pb, c);
	}
}

void pb_balance_after_alloc(struct percpu_bitmap *pb)
{
	if (pb->populates && pb->nr_empty < EMPTY_PAGES_LOW)
		populate_empty(pb, EMPTY_PAGES_HIGH - pb->nr_empty);
}

void pb_balance_after_refusal(struct percpu_bitmap *pb)
{
	if (pb->populates)
		populate_empty(pb, EMPTY_PAGES_HIGH);
}

unsigned long percpu_bitmap_nr_populated(const struct range *r)
{
	const struct percpu *p = to_const_percpu(r);
	unsigned long nr = 0;

	for (unsigned int i = 0; i < p->nr_chunks; i++)
		nr += (unsigned long)bits_of(p->chunks[i])->nr_populated;
	return nr;
}

unsigned long percpu_bitmap_nr_empty(const struct range *r)
{
	return (unsigned long)to_const_pb(r)->nr_empty;
}
