/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bitmap_chunk.c - one chunk of percpu_bitmap: its two bitmaps
 *
 *    hints_find ---> start                       end: one block behind the run
 *    alloc_map   1 1 0 0 1 1 1 0 0 0 0 0 0 1 ...
 *                    `skipped    `-- run --'
 *    bound_map   1 . 1 . 1 . . 1 . . . . 1 .     begin and end of each run
 *
 * Hints (bitmap_hints.h) say from where to search, the search is for the first
 * aligned run of clear bits, and the hints are told of what became of it. The
 * length of a run is the distance to the next boundary.
 *
 * One thing of 4.14 cannot be kept: it lets the search run over the end of the
 * map, into whatever memory follows; here it ends with the map.
 */
#include "bitmap_bits.h"
#include "bitmap_hints.h"

/* -- alloc and free --------------------------------------------------------- */

/* The first aligned run within [start, end), or -1; what was too short, too. */
static int find_bits(const struct bitmap_chunk *bc, struct range *r, int start,
		     int end, int bits, int align, struct stretch *skipped)
{
	for (;;) {
		int at = align_up(next_clear(bc, r, start, end), align);
		int used;

		if (at + bits > end)
			return -1;
		used = next_set(bc, r, at, at + bits);
		if (used == at + bits)
			return at;
		if (used - at > skipped->len ||
		    (used - at == skipped->len &&
		     is_better_start(at, skipped->start)))
			*skipped = (struct stretch){ at, used - at };
		start = used + 1;
	}
}

void bitmap_chunk_bound(struct bitmap_chunk *bc, int at, int bits)
{
	unsigned long start = (unsigned long)at, end = start + (unsigned long)bits;

	bitmap_set(bc->bound_map, start);
	bitmap_clear_range(bc->bound_map, start + 1, end);
	bitmap_set(bc->bound_map, end);
}

int bitmap_chunk_alloc(struct bitmap_chunk *bc, struct range *r, int bits,
		       int align, bool populated_only)
{
	struct stretch skipped = { 0, 0 };
	int start = hints_find(bc, r, bits, align, populated_only);
	int at, end;

	if (start < 0)
		return -1;
	end = min_int(start + bits + BLOCK_BITS, bc->nr_bits);
	at = find_bits(bc, r, start, end, bits, align, &skipped);
	if (at < 0)
		return -1;
	hints_skipped(bc, r, skipped);

	bitmap_set_range(bc->alloc_map, (unsigned long)at,
			 (unsigned long)(at + bits));
	bitmap_chunk_bound(bc, at, bits);
	for (size_t i = (size_t)at / BITMAP_WORD_BITS;
	     COST_COUNTS && i * BITMAP_WORD_BITS < (size_t)(at + bits); i++) {
		COST_WRITE(r, &bc->alloc_map[i]);
		COST_WRITE(r, &bc->bound_map[i]);
	}
	bc->nr_free -= bits;
	hints_take(bc, r, at, bits);
	return at;
}

void bitmap_chunk_free(struct bitmap_chunk *bc, struct range *r, int at,
		       int bits)
{
	bitmap_clear_range(bc->alloc_map, (unsigned long)at,
			   (unsigned long)(at + bits));
	for (size_t i = (size_t)at / BITMAP_WORD_BITS;
	     COST_COUNTS && i * BITMAP_WORD_BITS < (size_t)(at + bits); i++)
		COST_WRITE(r, &bc->alloc_map[i]);
	bc->nr_free += bits;
	bc->whole.first_free = min_int(bc->whole.first_free, at);
	hints_give(bc, r, at, bits);
}

int bitmap_chunk_run_end(const struct bitmap_chunk *bc, struct range *r, int at)
{
	int end = (int)bitmap_next_set(bc->bound_map, (unsigned long)at + 1,
				       (unsigned long)bc->nr_bits + 1);

	count_scan(r, bc->bound_map, at + 1, end + 1);
	return end;
}

/* -- population, create and destroy ----------------------------------------- */

static int count_free_blocks(const struct bitmap_chunk *bc, int from, int to)
{
	int nr = 0;

	for (int i = from; i < to; i++)
		nr += bitmap_chunk_block_is_free(bc, i);
	return nr;
}

void bitmap_chunk_populate(struct bitmap_chunk *bc, int from, int to)
{
	bitmap_set_range(bc->populated, (unsigned long)from, (unsigned long)to);
	bc->nr_populated += to - from;
	bc->nr_empty += count_free_blocks(bc, from, to);
}

void bitmap_chunk_depopulate(struct bitmap_chunk *bc, int from, int to)
{
	bitmap_clear_range(bc->populated, (unsigned long)from,
			   (unsigned long)to);
	bc->nr_populated -= to - from;
	bc->nr_empty -= count_free_blocks(bc, from, to);
}

bool bitmap_chunk_create(struct bitmap_chunk *bc, struct range *r,
			 enum hint_version version, unsigned int nr_units)
{
	struct machine *m = r->machine;
	unsigned long nr_bits = round_up_to(nr_units, BLOCK_BITS);
	size_t nr_blocks = nr_bits / BLOCK_BITS;

	*bc = (struct bitmap_chunk){
		.version = version,
		.nr_bits = (int)nr_bits,
		.nr_blocks = (int)nr_blocks,
		.whole = { .first_free = (int)nr_bits },
		.whole_scan = { .nr_bits = (int)nr_bits },
	};
	bc->alloc_map = machine_alloc(m, bitmap_bytes(nr_bits), META_structures);
	bc->bound_map = machine_alloc(m, bitmap_bytes(nr_bits + 1),
				      META_structures);
	bc->populated = machine_alloc(m, bitmap_bytes(nr_blocks),
				      META_structures);
	bc->blocks = machine_alloc(m, nr_blocks * sizeof(*bc->blocks),
				   META_structures);
	if (version != HINTS_4_14)
		bc->scans = machine_alloc(m, nr_blocks * sizeof(*bc->scans),
					  META_structures);
	if (!bc->alloc_map || !bc->bound_map || !bc->populated || !bc->blocks ||
	    (version != HINTS_4_14 && !bc->scans)) {
		bitmap_chunk_destroy(bc, r);
		return false;
	}
	bitmap_set_range(bc->alloc_map, 0, nr_bits);
	bitmap_set(bc->bound_map, 0);
	bitmap_set(bc->bound_map, nr_bits);
	for (size_t i = 0; i < nr_blocks; i++) {
		hints_set_taken(bc, (int)i);
		if (bc->scans)
			bc->scans[i].nr_bits = BLOCK_BITS;
	}
	return true;
}

void bitmap_chunk_destroy(struct bitmap_chunk *bc, struct range *r)
{
	struct machine *m = r->machine;
	unsigned long nr_bits = (unsigned long)bc->nr_bits;
	size_t nr_blocks = (size_t)bc->nr_blocks;

	if (bc->scans)
		machine_free(m, bc->scans, nr_blocks * sizeof(*bc->scans),
			     META_structures);
	if (bc->blocks)
		machine_free(m, bc->blocks, nr_blocks * sizeof(*bc->blocks),
			     META_structures);
	if (bc->populated)
		machine_free(m, bc->populated, bitmap_bytes(nr_blocks),
			     META_structures);
	if (bc->bound_map)
		machine_free(m, bc->bound_map, bitmap_bytes(nr_bits + 1),
			     META_structures);
	if (bc->alloc_map)
		machine_free(m, bc->alloc_map, bitmap_bytes(nr_bits),
			     META_structures);
}
