/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bitmap_chunk.c - one chunk as two bitmaps, and hints on where to look
 *
 * A run that is taken or freed touches its first block, its last, and whole
 * blocks in between:
 *
 *    block      |    first    |   between   |    last     |
 *    run             [========|=============|=====]
 *               right_free: 0   all: 0 or     left_free: 0 or up to its end
 *               or from here    BLOCK_BITS
 *
 * Which hints follow from that alone is set at once; a block's bits are
 * searched only when the run hit the stretch that its hint names.
 *
 * Five defects of the original are kept where the version says so:
 *  1. 4.14, free within a block: the chunk pairs the start of the freed
 *     stretch with the length of the block's hint, which may be another's.
 *  2. 4.14, alloc: a hint counts as hit only if the run begins inside of it,
 *     so that a run which reaches into it leaves a hint that is too long.
 *  3. 5.2, free within a block: the chunk is told an end counted from the
 *     block, so beyond block 0 the stretch seems empty and is forgotten.
 *  4. 5.2, refresh: right_free is set to 0 and found by scanning behind the
 *     promoted hint; if that hint reaches the block's end, it stays 0.
 *  5. 5.2, a stretch becomes the longest that begins where the scan hint does
 *     (0 is free, then 2, then 3): the scan hint stays, a part of it. Promoted
 *     later, it is a hint too short, and a free before it is joined to less
 *     than there is: left_free 3 where 4 are free.
 * One thing cannot be kept: 4.14 lets the search run over the end of the map,
 * into whatever memory follows; here it ends with the map.
 */
#include <errno.h>
#include <string.h>

#include "base/bits.h"
#include "bitmap_chunk.h"
#include "lib/bitmap.h"

/* The hints of a block or of the chunk; `scan` is NULL in 4.14. */
struct view {
	struct hints *hints;
	struct scan_hints *scan;
	enum hint_version version;
};

static struct view view_block(struct bitmap_chunk *bc, int block)
{
	return (struct view){ &bc->blocks[block],
			      bc->scans ? &bc->scans[block] : NULL,
			      bc->version };
}

static struct view view_chunk(struct bitmap_chunk *bc)
{
	return (struct view){ &bc->whole, bc->scans ? &bc->whole_scan : NULL,
			      bc->version };
}

static int align_up(int at, int align)
{
	return (at + align - 1) & ~(align - 1);
}

static int min_int(int a, int b)
{
	return a < b ? a : b;
}

/* Whether [a, a + a_len) and [b, b_end) have a bit in common. */
static bool overlaps(int a, int a_len, int b, int b_end)
{
	return a < b_end && b < a + a_len;
}

/* -- looking at bits ------------------------------------------------------- */

/* Bits [from, to) were looked at. */
static void count_scan(struct range *r, const unsigned long *map, int from,
		       int to)
{
	if (!COST_COUNTS)
		return;
	COST_ADD(r, bits_scanned, (uint64_t)(to - from));
	for (size_t i = (size_t)from / BITMAP_WORD_BITS;
	     i * BITMAP_WORD_BITS < (size_t)to; i++)
		COST_READ(r, &map[i]);
	(void)r;
	(void)map;
}

static int next_clear(const struct bitmap_chunk *bc, struct range *r, int from,
		      int to)
{
	int found = (int)bitmap_next_clear(bc->alloc_map, (unsigned long)from,
					   (unsigned long)to);

	count_scan(r, bc->alloc_map, from, min_int(found + 1, to));
	return found;
}

static int next_set(const struct bitmap_chunk *bc, struct range *r, int from,
		    int to)
{
	int found = (int)bitmap_next_set(bc->alloc_map, (unsigned long)from,
					 (unsigned long)to);

	count_scan(r, bc->alloc_map, from, min_int(found + 1, to));
	return found;
}

/* Start of the free stretch that reaches up to `to`, but not before `from`. */
static int stretch_start(const struct bitmap_chunk *bc, struct range *r,
			 int from, int to)
{
	int start = (int)bitmap_after_last_set(bc->alloc_map,
					       (unsigned long)from,
					       (unsigned long)to);

	count_scan(r, bc->alloc_map, start > from ? start - 1 : from, to);
	return start;
}

/* -- one block's or the chunk's hints --------------------------------------- */

/* Of two places, which suits more alignments? 0 suits all. */
static bool is_better_start(int start, int than)
{
	if (!than)
		return false;
	return !start || lowest_bit((unsigned long)start) >
			 lowest_bit((unsigned long)than);
}

static void set_contig(struct hints *h, int start, int len)
{
	h->contig_hint_start = start;
	h->contig_hint = len;
}

static void set_scan(struct scan_hints *s, int start, int len)
{
	s->scan_hint_start = start;
	s->scan_hint = len;
}

/* Whether the hint, which begins at `start` now, leaves no scan hint before it. */
static bool swallows_scan_hint(struct view v, int start)
{
	return v.version == HINTS_5_2 ? start < v.scan->scan_hint_start :
					start <= v.scan->scan_hint_start;
}

/* Longer than any before: the old one may still be the longest before it. */
static void note_longest(struct view v, int start, int len)
{
	struct scan_hints *s = v.scan;

	if (start <= v.hints->contig_hint_start)
		s->scan_hint = 0;
	else if (v.hints->contig_hint > s->scan_hint)
		set_scan(s, v.hints->contig_hint_start, v.hints->contig_hint);
	else if (swallows_scan_hint(v, start))
		s->scan_hint = 0;
	set_contig(v.hints, start, len);
}

/* As long as the hint: it takes its place if it suits more alignments. */
static void note_equal(struct view v, int start, int len)
{
	struct scan_hints *s = v.scan;
	bool scan_is_shorter = len > s->scan_hint;

	if (is_better_start(start, v.hints->contig_hint_start)) {
		v.hints->contig_hint_start = start;
		if (swallows_scan_hint(v, start) && scan_is_shorter)
			s->scan_hint = 0;
	} else if (start > s->scan_hint_start || scan_is_shorter) {
		set_scan(s, start, len);
	}
}

/* Shorter: of use only before the hint, the farther the better. */
static void note_shorter(struct view v, int start, int len)
{
	struct scan_hints *s = v.scan;

	if (start >= v.hints->contig_hint_start)
		return;
	if (len > s->scan_hint ||
	    (len == s->scan_hint && start > s->scan_hint_start))
		set_scan(s, start, len);
}

/* [start, end) is free, and may be worth a hint. */
static void note_free(struct view v, int start, int end)
{
	struct hints *h = v.hints;
	int len = end - start;

	h->first_free = min_int(h->first_free, start);
	if (start == 0)
		h->left_free = len;
	if (end == (v.scan ? v.scan->nr_bits : BLOCK_BITS))
		h->right_free = len;

	if (!v.scan) {
		if (len > h->contig_hint ||
		    (len == h->contig_hint &&
		     is_better_start(start, h->contig_hint_start)))
			set_contig(h, start, len);
	} else if (len > h->contig_hint) {
		note_longest(v, start, len);
	} else if (len == h->contig_hint) {
		note_equal(v, start, len);
	} else {
		note_shorter(v, start, len);
	}
}

/*
 * The hint is gone: the scan hint, the longest before it, takes its place, and
 * the search for a longer one goes on behind that. Returns where.
 */
static int promote_scan_hint(enum hint_version version, struct view v)
{
	int from;

	if (!v.scan || !v.scan->scan_hint) {
		if (version == HINTS_FIXED)
			set_contig(v.hints, 0, 0);
		v.hints->contig_hint = 0;
		return v.hints->first_free;
	}
	from = v.scan->scan_hint_start + v.scan->scan_hint;
	set_contig(v.hints, v.scan->scan_hint_start, v.scan->scan_hint);
	v.scan->scan_hint = 0;
	return from;
}

/* The bits of a block tell its hints again. */
static void block_refresh(struct bitmap_chunk *bc, struct range *r, int block)
{
	struct view v = view_block(bc, block);
	int base = block * BLOCK_BITS, end = base + BLOCK_BITS;
	int at = base + promote_scan_hint(bc->version, v);

	v.hints->right_free = 0;
	if (bc->version == HINTS_4_14)
		v.hints->left_free = 0;
	else if (bc->version == HINTS_FIXED && at == end)
		v.hints->right_free = v.hints->contig_hint;
	for (at = next_clear(bc, r, at, end); at < end;) {
		int stop = next_set(bc, r, at, end);

		note_free(v, at - base, stop - base);
		at = next_clear(bc, r, stop, end);
	}
}

/*
 * The next free stretch that the blocks' hints tell of, at or behind `from`:
 * within a block, or across blocks. Its start, or nr_bits.
 */
static int next_stretch(const struct bitmap_chunk *bc, struct range *r,
			int from, int *len)
{
	int start = bc->nr_bits, run = 0;
	int off = from % BLOCK_BITS;

	for (int i = from / BLOCK_BITS; i < bc->nr_blocks; i++, off = 0) {
		const struct hints *h = &bc->blocks[i];

		COST_READ(r, h);
		if (run) {
			run += h->left_free;
			if (h->left_free == BLOCK_BITS)
				continue;
			break;
		}
		/* One that reaches the end is looked at with what follows. */
		if (h->contig_hint && h->contig_hint_start >= off &&
		    h->contig_hint_start + h->contig_hint < BLOCK_BITS) {
			*len = h->contig_hint;
			return i * BLOCK_BITS + h->contig_hint_start;
		}
		run = h->right_free;
		start = (i + 1) * BLOCK_BITS - run;
	}
	(void)r;
	*len = run;
	return run ? start : bc->nr_bits;
}

static int populated_between(const struct bitmap_chunk *bc, int from, int to)
{
	return from >= to ? 0 : (int)bitmap_count(bc->populated,
						  (unsigned long)from,
						  (unsigned long)to);
}

/* The blocks' hints tell the chunk's again; all of them, or what is needed. */
static void chunk_refresh(struct bitmap_chunk *bc, struct range *r, bool all)
{
	struct view v = view_chunk(bc);
	int at, len;

	if (all && v.scan)
		v.scan->scan_hint = 0;
	if (!v.scan)
		bc->nr_empty = 0;
	for (at = promote_scan_hint(bc->version, v); at < bc->nr_bits; at += len + 1) {
		at = next_stretch(bc, r, at, &len);
		if (at >= bc->nr_bits)
			break;
		note_free(v, at, at + len);
		/* 4.14 counts empty blocks here and nowhere else. */
		if (!v.scan)
			bc->nr_empty += populated_between(bc,
				align_up(at, BLOCK_BITS) / BLOCK_BITS,
				(at + len) / BLOCK_BITS);
	}
}

/* -- alloc ------------------------------------------------------------------ */

/* Where to look for a run that fits the hint: behind the scan hint if it can't be there. */
static int hint_entry(struct view v, int bits)
{
	if (v.scan && v.scan->scan_hint && bits > v.scan->scan_hint &&
	    v.hints->contig_hint_start > v.scan->scan_hint_start)
		return v.scan->scan_hint_start + v.scan->scan_hint;
	return v.hints->first_free;
}

/* Whether a hint's stretch holds an aligned run. */
static bool hint_holds(const struct hints *h, int bits, int align)
{
	int pad = align_up(h->contig_hint_start, align) - h->contig_hint_start;

	return h->contig_hint >= pad + bits;
}

/*
 * Where the search for free bits shall begin, not before `from`, or -1. Blocks
 * are asked in turn: does what was free at the end of those before, with this
 * one's left_free, make a run? does the hint? does the end alone?
 */
static int next_start(struct bitmap_chunk *bc, struct range *r, int from,
		      int bits, int align)
{
	int off = from % BLOCK_BITS, start = 0, run = 0;

	for (int i = from / BLOCK_BITS; i < bc->nr_blocks; i++, off = 0) {
		const struct hints *h = &bc->blocks[i];

		COST_READ(r, h);
		if (run) {
			run += h->left_free;
			if (run >= bits)
				return start;
			if (h->left_free == BLOCK_BITS)
				continue;
		}
		if (h->contig_hint_start >= off && hint_holds(h, bits, align))
			return i * BLOCK_BITS + hint_entry(view_block(bc, i), bits);
		start = align_up(BLOCK_BITS - h->right_free, align);
		run = BLOCK_BITS - start;
		start += i * BLOCK_BITS;
		if (run >= bits)
			return start;
	}
	(void)r;
	return -1;
}

/*
 * Whether all blocks of the run have memory; if not, where the first populated
 * one begins behind the first that has none, or nr_bits.
 */
static bool is_populated(const struct bitmap_chunk *bc, int at, int bits,
			 int *next)
{
	unsigned long nr = (unsigned long)bc->nr_blocks;
	unsigned long first = (unsigned long)(at / BLOCK_BITS);
	unsigned long end = (unsigned long)((at + bits - 1) / BLOCK_BITS) + 1;
	unsigned long hole = bitmap_next_clear(bc->populated, first, end);

	*next = (int)bitmap_next_set(bc->populated, hole, nr) * BLOCK_BITS;
	return hole == end;
}

/* The same from where the chunk's hints say, past what lacks memory if asked. */
static int find_start(struct bitmap_chunk *bc, struct range *r, int bits,
		      int align, bool populated_only)
{
	int from, start;

	COST_READ(r, &bc->whole);
	if (!hint_holds(&bc->whole, bits, align))
		return -1;
	from = hint_entry(view_chunk(bc), bits);
	do
		start = next_start(bc, r, from, bits, align);
	while (start >= 0 && populated_only &&
	       !is_populated(bc, start, bits, &from));
	return start;
}

struct stretch {
	int start;
	int len;
};

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

/* What a search skipped is free and known now: its block may want to know. */
static void note_skipped(struct bitmap_chunk *bc, struct range *r,
			 struct stretch skipped)
{
	int block = skipped.start / BLOCK_BITS;
	int base = block * BLOCK_BITS;
	int end = skipped.start + skipped.len;

	if (!skipped.len || end > base + BLOCK_BITS)
		return;
	note_free(view_block(bc, block),
		  stretch_start(bc, r, base, skipped.start) - base, end - base);
}

/*
 * The hint of a block or of the chunk is broken by [from, end). What is left
 * of it may be anywhere, so it has to be looked for.
 */
static bool breaks_hint(const struct bitmap_chunk *bc, const struct hints *h,
			int from, int end)
{
	if (bc->version == HINTS_4_14)
		return from >= h->contig_hint_start &&
		       from < h->contig_hint_start + h->contig_hint;
	return overlaps(h->contig_hint_start, h->contig_hint, from, end);
}

static void scan_hint_drop(struct scan_hints *s, int from, int end)
{
	if (overlaps(s->scan_hint_start, s->scan_hint, from, end))
		s->scan_hint = 0;
}

/* [from, end) of the run's first block, and maybe only one, is taken. */
static void take_first(struct bitmap_chunk *bc, struct range *r, int block,
		       int from, int end)
{
	struct view v = view_block(bc, block);
	int base = block * BLOCK_BITS;

	COST_WRITE(r, v.hints);
	if (from == v.hints->first_free)
		v.hints->first_free = next_clear(bc, r, base + end,
						 base + BLOCK_BITS) - base;
	if (v.scan)
		scan_hint_drop(v.scan, from, end);
	v.hints->left_free = min_int(v.hints->left_free, from);
	if (breaks_hint(bc, v.hints, from, end))
		block_refresh(bc, r, block);
	else
		v.hints->right_free = min_int(v.hints->right_free,
					      BLOCK_BITS - end);
}

/* [0, end) of the last block is taken. */
static void take_last(struct bitmap_chunk *bc, struct range *r, int block,
		      int end)
{
	struct view v = view_block(bc, block);
	int base = block * BLOCK_BITS;

	COST_WRITE(r, v.hints);
	v.hints->first_free = next_clear(bc, r, base + end, base + BLOCK_BITS) -
			      base;
	v.hints->left_free = 0;
	if (v.scan && end > v.scan->scan_hint_start)
		v.scan->scan_hint = 0;
	if (end > v.hints->contig_hint_start)
		block_refresh(bc, r, block);
	else
		v.hints->right_free = min_int(v.hints->right_free,
					      BLOCK_BITS - end);
}

static void block_set_taken(struct bitmap_chunk *bc, int block)
{
	struct view v = view_block(bc, block);

	*v.hints = (struct hints){ .first_free = BLOCK_BITS };
	if (v.scan)
		v.scan->scan_hint = 0;
}

static void block_set_free(struct bitmap_chunk *bc, int block)
{
	struct view v = view_block(bc, block);

	*v.hints = (struct hints){ .contig_hint = BLOCK_BITS,
				   .left_free = BLOCK_BITS,
				   .right_free = BLOCK_BITS };
	if (v.scan)
		v.scan->scan_hint = 0;
}

/* Empty blocks among those that [at, end) touches; right before or after. */
static int empty_blocks(const struct bitmap_chunk *bc, int at, int end)
{
	int nr = 0;

	for (int i = at / BLOCK_BITS; i * BLOCK_BITS < end; i++)
		nr += bitmap_chunk_block_is_free(bc, i) &&
		      bitmap_test(bc->populated, (unsigned long)i);
	return nr;
}

static void hints_take(struct bitmap_chunk *bc, struct range *r, int at,
		       int bits)
{
	int end = at + bits;
	int first = at / BLOCK_BITS, last = (end - 1) / BLOCK_BITS;
	int last_end = end - last * BLOCK_BITS;
	struct view v = view_chunk(bc);

	if (v.scan)
		bc->nr_empty -= empty_blocks(bc, at, end);
	take_first(bc, r, first, at % BLOCK_BITS,
		   first == last ? last_end : BLOCK_BITS);
	for (int i = first + 1; i < last; i++)
		block_set_taken(bc, i);
	if (last > first && last_end == BLOCK_BITS)
		block_set_taken(bc, last);
	else if (last > first)
		take_last(bc, r, last, last_end);

	if (at == v.hints->first_free)
		v.hints->first_free = next_clear(bc, r, end, bc->nr_bits);
	if (v.scan)
		scan_hint_drop(v.scan, at, end);
	if (breaks_hint(bc, v.hints, at, end))
		chunk_refresh(bc, r, false);
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
	int start = find_start(bc, r, bits, align, populated_only);
	int at, end, next;

	if (start < 0)
		return -1;
	end = min_int(start + bits + BLOCK_BITS, bc->nr_bits);
	at = find_bits(bc, r, start, end, bits, align, &skipped);
	/* A hint of 4.14 that is too long may lead on into a block without memory. */
	if (at < 0 || (populated_only && !is_populated(bc, at, bits, &next)))
		return -1;
	if (bc->version != HINTS_4_14)
		note_skipped(bc, r, skipped);

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

/* -- free ------------------------------------------------------------------- */

/*
 * Of the freed [at, end), how far the free stretch around it reaches within
 * the first and the last block. A hint that ends or begins there saves a scan.
 */
static int extend_left(const struct bitmap_chunk *bc, struct range *r, int at)
{
	const struct hints *h = &bc->blocks[at / BLOCK_BITS];
	int base = at / BLOCK_BITS * BLOCK_BITS;

	if (at - base == h->contig_hint_start + h->contig_hint)
		return base + h->contig_hint_start;
	return stretch_start(bc, r, base, at);
}

static int extend_right(const struct bitmap_chunk *bc, struct range *r, int end)
{
	int base = (end - 1) / BLOCK_BITS * BLOCK_BITS;
	const struct hints *h = &bc->blocks[base / BLOCK_BITS];

	if (end - base == h->contig_hint_start)
		return end + h->contig_hint;
	return next_set(bc, r, end, base + BLOCK_BITS);
}

/* Tell the chunk of a stretch [start, end) that lies within one block. */
static void chunk_note_free(struct bitmap_chunk *bc, int start, int end)
{
	int base = start / BLOCK_BITS * BLOCK_BITS;

	switch (bc->version) {
	case HINTS_4_14:	/* defect 1 */
		end = start + bc->blocks[start / BLOCK_BITS].contig_hint;
		break;
	case HINTS_5_2:		/* defect 3 */
		end -= base;
		break;
	case HINTS_FIXED:
		break;
	}
	note_free(view_chunk(bc), start, end);
}

static void hints_give(struct bitmap_chunk *bc, struct range *r, int at,
		       int bits)
{
	int first = at / BLOCK_BITS, last = (at + bits - 1) / BLOCK_BITS;
	int start = extend_left(bc, r, at), end = extend_right(bc, r, at + bits);
	int first_end = min_int(end, (first + 1) * BLOCK_BITS);

	COST_WRITE(r, &bc->blocks[first]);
	note_free(view_block(bc, first), start - first * BLOCK_BITS,
		  first_end - first * BLOCK_BITS);
	for (int i = first + 1; i < last; i++)
		block_set_free(bc, i);
	if (last > first) {
		COST_WRITE(r, &bc->blocks[last]);
		note_free(view_block(bc, last), 0, end - last * BLOCK_BITS);
	}
	if (bc->scans)
		bc->nr_empty += empty_blocks(bc, at, at + bits);

	/* The chunk's hint may be short of the truth by a block, not more. */
	if (last > first || end - start >= BLOCK_BITS)
		chunk_refresh(bc, r, true);
	else
		chunk_note_free(bc, start, end);
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
		block_set_taken(bc, (int)i);
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

/* -- checking --------------------------------------------------------------- */

static int true_next_clear(const struct bitmap_chunk *bc, int from, int to)
{
	return (int)bitmap_next_clear(bc->alloc_map, (unsigned long)from,
				      (unsigned long)to);
}

static int true_next_set(const struct bitmap_chunk *bc, int from, int to)
{
	return (int)bitmap_next_set(bc->alloc_map, (unsigned long)from,
				    (unsigned long)to);
}

bool bitmap_chunk_fits(const struct bitmap_chunk *bc, int bits, int align)
{
	int at = true_next_clear(bc, 0, bc->nr_bits);

	while (at < bc->nr_bits) {
		int end = true_next_set(bc, at, bc->nr_bits);

		if (align_up(at, align) + bits <= end)
			return true;
		at = true_next_clear(bc, end, bc->nr_bits);
	}
	return false;
}

int bitmap_chunk_largest(const struct bitmap_chunk *bc)
{
	int at = true_next_clear(bc, 0, bc->nr_bits), largest = 0;

	while (at < bc->nr_bits) {
		int end = true_next_set(bc, at, bc->nr_bits);

		largest = largest > end - at ? largest : end - at;
		at = true_next_clear(bc, end, bc->nr_bits);
	}
	return largest;
}

/* What a view promises of the bits [base, base + nr_bits), whose name it is. */
struct promise {
	const struct bitmap_chunk *bc;
	const struct hints *h;
	const struct scan_hints *s;
	int base;
	int block;			/* -1: the chunk's */
	struct msg *msg;
};

static int broken(const struct promise *p, const char *what, int is, int want)
{
	if (p->block < 0)
		return msg_set(p->msg, EUCLEAN, "the chunk's %s is %d, not %d",
			       what, is, want);
	return msg_set(p->msg, EUCLEAN, "block %d: %s is %d, not %d", p->block,
		       what, is, want);
}

static int check_is_free(const struct promise *p, const char *what, int start,
			 int len)
{
	int at = p->base + start, end = at + len;

	if (start < 0 || start + len > p->s->nr_bits)
		return broken(p, what, len, p->s->nr_bits - start);
	if (true_next_set(p->bc, at, end) < end)
		return broken(p, what, len, true_next_set(p->bc, at, end) - at);
	return 0;
}

static int check_hints(const struct promise *p)
{
	const struct hints *h = p->h;
	const struct scan_hints *s = p->s;
	int end = p->base + s->nr_bits;
	int first = true_next_clear(p->bc, p->base, end) - p->base;
	int err;

	if (first < s->nr_bits && h->first_free != first)
		return broken(p, "first_free", h->first_free, first);
	err = check_is_free(p, "contig_hint", h->contig_hint_start,
			    h->contig_hint);
	if (!err && s->scan_hint)
		err = check_is_free(p, "scan_hint", s->scan_hint_start,
				    s->scan_hint);
	if (err)
		return err;
	if (s->scan_hint > h->contig_hint ||
	    (s->scan_hint && s->scan_hint_start > h->contig_hint_start &&
	     s->scan_hint != h->contig_hint))
		return broken(p, "scan_hint", s->scan_hint, h->contig_hint);
	return 0;
}

/* The ends of a block, which the chunk's stretches are put together from. */
static int check_ends(const struct promise *p)
{
	int end = p->base + BLOCK_BITS;
	int left = true_next_set(p->bc, p->base, end) - p->base;
	int right = end - (int)bitmap_after_last_set(p->bc->alloc_map,
						     (unsigned long)p->base,
						     (unsigned long)end);

	if (p->h->left_free != left)
		return broken(p, "left_free", p->h->left_free, left);
	if (p->h->right_free > right)
		return broken(p, "right_free", p->h->right_free, right);
	return 0;
}

static int check_empty(const struct bitmap_chunk *bc, struct msg *msg)
{
	int nr_empty = 0;

	for (int i = 0; i < bc->nr_blocks; i++) {
		int from = i * BLOCK_BITS, to = from + BLOCK_BITS;

		nr_empty += bitmap_test(bc->populated, (unsigned long)i) &&
			    true_next_set(bc, from, to) == to;
	}
	if (nr_empty != bc->nr_empty)
		return msg_set(msg, EUCLEAN, "%d blocks are empty, not %d",
			       nr_empty, bc->nr_empty);
	return 0;
}

int bitmap_chunk_verify(const struct bitmap_chunk *bc, struct msg *msg)
{
	unsigned long nr_bits = (unsigned long)bc->nr_bits;
	int nr_free = bc->nr_bits - (int)bitmap_count(bc->alloc_map, 0, nr_bits);
	struct promise p = { bc, &bc->whole, &bc->whole_scan, 0, -1, msg };
	int err = 0;

	if (nr_free != bc->nr_free)
		return msg_set(msg, EUCLEAN, "%d bits are free, not %d",
			       nr_free, bc->nr_free);
	if (!bitmap_test(bc->bound_map, nr_bits))
		return msg_set(msg, EUCLEAN, "the last boundary is gone");
	if (!bc->scans)
		return 0;
	err = check_hints(&p);
	for (int i = 0; !err && i < bc->nr_blocks; i++) {
		p = (struct promise){ bc, &bc->blocks[i], &bc->scans[i],
				      i * BLOCK_BITS, i, msg };
		err = check_hints(&p);
		if (!err)
			err = check_ends(&p);
	}
	return err ? err : check_empty(bc, msg);
}

static uint64_t mix_stretch(uint64_t hash, int32_t start, int32_t len)
{
	return fingerprint_mix(hash, len ? (uint64_t)len << 32 | (uint32_t)start : 0);
}

/*
 * What can make a difference later. Where an empty scan hint was is of no
 * consequence; nor is where an empty contig_hint was, where that is set right.
 */
static uint64_t mix_hints(const struct bitmap_chunk *bc, uint64_t hash,
			  const struct hints *h, const struct scan_hints *s)
{
	if (bc->version == HINTS_FIXED)
		hash = mix_stretch(hash, h->contig_hint_start, h->contig_hint);
	else
		hash = fingerprint_mix(hash, (uint64_t)h->contig_hint << 32 |
					     (uint32_t)h->contig_hint_start);
	if (s)
		hash = mix_stretch(hash, s->scan_hint_start, s->scan_hint);
	return fingerprint_mix(hash, (uint64_t)h->first_free);
}

uint64_t bitmap_chunk_fingerprint(const struct bitmap_chunk *bc)
{
	unsigned long nr_bits = (unsigned long)bc->nr_bits;
	uint64_t hash = mix_hints(bc, 0, &bc->whole,
				  bc->scans ? &bc->whole_scan : NULL);

	/* The chunk's own left_free and right_free are never looked at. */
	for (int i = 0; i < bc->nr_blocks; i++) {
		const struct hints *h = &bc->blocks[i];

		hash = mix_hints(bc, hash, h, bc->scans ? &bc->scans[i] : NULL);
		hash = fingerprint_mix(hash, (uint64_t)h->left_free << 32 |
					     (uint32_t)h->right_free);
		hash = fingerprint_mix(hash, bitmap_test(bc->populated,
							 (unsigned long)i));
	}
	/* Boundaries inside free memory mean nothing. */
	for (size_t i = 0; i < bitmap_words(nr_bits); i++) {
		hash = fingerprint_mix(hash, bc->alloc_map[i]);
		hash = fingerprint_mix(hash, bc->bound_map[i] & bc->alloc_map[i]);
	}
	return hash;
}
