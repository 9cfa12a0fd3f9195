/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bitmap_hints.c - the hints of a percpu chunk, kept and followed
 *
 * Each block of 1024 bits has hints, and the chunk has its own, made from
 * theirs (bitmap_chunk.h). A search asks them from the chunk down:
 *
 *    chunk    contig_hint long enough?   no: refused, whatever is free
 *    blocks   right_free | left_free     a run over blocks' ends
 *                    contig_hint         or within one, behind its scan hint
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
 *
 * Cost: the hints of the blocks up to the place, and the bits of one or two
 * blocks where a hint was hit.
 */
#include "base/bits.h"
#include "bitmap_bits.h"
#include "bitmap_hints.h"

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

/* Whether [a, a + a_len) and [b, b_end) have a bit in common. */
static bool overlaps(int a, int a_len, int b, int b_end)
{
	return a < b_end && b < a + a_len;
}

/* -- one block's or the chunk's hints --------------------------------------- */

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

/* -- where they lead -------------------------------------------------------- */

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

/*
 * From where the chunk's hints say, past what lacks memory if asked. What a
 * block's hint names is there in every version (4.14's chunk may be wrong), so
 * the run that is found from here on lies in the blocks that were looked at.
 */
int hints_find(struct bitmap_chunk *bc, struct range *r, int bits, int align,
	       bool populated_only)
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

/* What a search skipped is free and known now: its block may want to know. */
void hints_skipped(struct bitmap_chunk *bc, struct range *r,
		   struct stretch skipped)
{
	int block = skipped.start / BLOCK_BITS;
	int base = block * BLOCK_BITS;
	int end = skipped.start + skipped.len;

	if (bc->version == HINTS_4_14 || !skipped.len || end > base + BLOCK_BITS)
		return;
	note_free(view_block(bc, block),
		  stretch_start(bc, r, base, skipped.start) - base, end - base);
}

/* -- a run is taken --------------------------------------------------------- */

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

void hints_set_taken(struct bitmap_chunk *bc, int block)
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

void hints_take(struct bitmap_chunk *bc, struct range *r, int at, int bits)
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
		hints_set_taken(bc, i);
	if (last > first && last_end == BLOCK_BITS)
		hints_set_taken(bc, last);
	else if (last > first)
		take_last(bc, r, last, last_end);

	if (at == v.hints->first_free)
		v.hints->first_free = next_clear(bc, r, end, bc->nr_bits);
	if (v.scan)
		scan_hint_drop(v.scan, at, end);
	if (breaks_hint(bc, v.hints, at, end))
		chunk_refresh(bc, r, false);
}

/* -- and given back --------------------------------------------------------- */

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

void hints_give(struct bitmap_chunk *bc, struct range *r, int at, int bits)
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
