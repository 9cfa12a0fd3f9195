/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bitmap_chunk.h - one chunk as two bitmaps, and hints on where to look
 *
 *    units       0         1024       2048       3072      (bits)
 *    alloc_map   1111110000|0000001111|1111111111|0000000    1: not free
 *    bound_map   1  1  1               1          1          1: a run begins
 *    blocks      [  hints  ][  hints  ][  hints  ][ hints ]
 *    chunk       [                 hints                  ]
 *
 * Only alloc_map is true. A run ends where the next boundary is; boundaries
 * inside free memory are left over and mean nothing. Hints say where free
 * stretches of a block (1024 units, a page at 4 bytes each) begin and how long
 * they are, so that most searches and updates look at one block:
 *
 *    first_free          lowest free bit
 *    contig_hint[_start] a long free stretch
 *    left_free           free bits from the block's start on
 *    right_free          free bits up to its end
 *    scan_hint[_start]   a long free stretch before contig_hint (since 5.2)
 *
 * Hard invariants (fixed and 5.2), B a block or the chunk:
 *    [contig_hint_start, + contig_hint) is free, so is the scan hint's
 *    scan_hint <= contig_hint; it lies before it, or is as long
 *    first_free is exact while a bit is free; so is left_free, of blocks
 *    nr_empty == blocks that are wholly free and populated
 * Soft: contig_hint, right_free and areas before the scan hint may fall short
 * of the truth, so that a request may fail that would fit.
 *
 * alloc: the blocks' hints up to the place, then bits of two blocks at most
 * free:  the bits around the run, in the blocks at its ends
 * memory: 2 bits a unit, and 32 bytes a block (20 before 5.2)
 */
#ifndef PAGETAX_ALLOC_RANGE_BITMAP_CHUNK_H
#define PAGETAX_ALLOC_RANGE_BITMAP_CHUNK_H

#include "alloc/range.h"
#include "percpu.h"

#define BLOCK_BITS PERCPU_PAGE_UNITS

/* As merged for 4.14; as it was from 5.2 on; and with what is known put right. */
enum hint_version {
	HINTS_4_14,
	HINTS_5_2,
	HINTS_FIXED,
};

/* All in bits, from the start of the block or chunk. */
struct hints {
	int32_t contig_hint;
	int32_t contig_hint_start;
	int32_t left_free;
	int32_t right_free;
	int32_t first_free;
};
_Static_assert(sizeof(struct hints) == 20, "as in 4.14");

struct scan_hints {
	int32_t scan_hint;
	int32_t scan_hint_start;
	int32_t nr_bits;		/* set at create */
};
_Static_assert(sizeof(struct scan_hints) == 12, "with the above: as in 5.2");

struct bitmap_chunk {
	enum hint_version version;	/* set at create, as are the next two */
	int nr_bits;			/* a multiple of BLOCK_BITS */
	int nr_blocks;

	unsigned long *alloc_map;
	unsigned long *bound_map;	/* one bit more, for the end of the last run */
	unsigned long *populated;	/* one bit a block */
	struct hints *blocks;
	struct scan_hints *scans;	/* of the blocks; NULL in 4.14 */

	struct hints whole;		/* 4.14 leaves out left_free and right_free */
	struct scan_hints whole_scan;
	int nr_free;			/* bits */
	int nr_populated;		/* blocks */
	int nr_empty;			/* blocks populated and wholly free */
};

/*
 * All bits in use, nothing populated. Bits behind nr_units fill up the last
 * block and are never freed. The range is whose metadata this is. False when
 * there is no memory.
 */
bool bitmap_chunk_create(struct bitmap_chunk *bc, struct range *r,
			 enum hint_version version, unsigned int nr_units);
void bitmap_chunk_destroy(struct bitmap_chunk *bc, struct range *r);

/*
 * Take a run, of populated blocks only if so asked; its first bit, or -1 when
 * the hints show none or lead nowhere.
 */
int bitmap_chunk_alloc(struct bitmap_chunk *bc, struct range *r, int bits,
		       int align, bool populated_only);

/* Free bits in use, one run or part of what is reserved. */
void bitmap_chunk_free(struct bitmap_chunk *bc, struct range *r, int at,
		       int bits);

/* Let bits in use be one run. */
void bitmap_chunk_bound(struct bitmap_chunk *bc, int at, int bits);

/* Where the run ends that begins at `at`. */
int bitmap_chunk_run_end(const struct bitmap_chunk *bc, struct range *r,
			 int at);

/* The blocks [from, to) get memory, or give it back; none has, or each has. */
void bitmap_chunk_populate(struct bitmap_chunk *bc, int from, int to);
void bitmap_chunk_depopulate(struct bitmap_chunk *bc, int from, int to);

/* Whether this block is wholly free. */
static inline bool bitmap_chunk_block_is_free(const struct bitmap_chunk *bc,
					      int block)
{
	return bc->blocks[block].contig_hint == BLOCK_BITS;
}

/* Counts of every version, and the hard invariants from 5.2 on. */
int bitmap_chunk_verify(const struct bitmap_chunk *bc, struct msg *msg);

/*
 * Whether an aligned run that long is free anywhere, and the longest free run:
 * for tests and figures, found from the map alone.
 */
bool bitmap_chunk_fits(const struct bitmap_chunk *bc, int bits, int align);
int bitmap_chunk_largest(const struct bitmap_chunk *bc);

uint64_t bitmap_chunk_fingerprint(const struct bitmap_chunk *bc);

#endif
