/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bitmap_check.c - what the hints of a percpu chunk promise, held against its map
 *
 *    alloc_map   1 1 0 0 0 1 0 0 | 0 0 1 ...
 *    block 0         `hint-'  `---- right_free, at most this
 *    block 1                       `--- left_free, exactly this
 *
 * Everything is counted anew from alloc_map: the hard invariants of
 * bitmap_chunk.h for each block and for the chunk. None of it counts as a cost.
 */
#include <errno.h>

#include "bitmap_bits.h"

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
	/* Put right, a block's is another stretch; the chunk is told of parts. */
	if (p->bc->version == HINTS_FIXED && p->block >= 0 && s->scan_hint &&
	    s->scan_hint_start < h->contig_hint_start + h->contig_hint &&
	    h->contig_hint_start < s->scan_hint_start + s->scan_hint)
		return broken(p, "scan_hint_start", s->scan_hint_start,
			      h->contig_hint_start);
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
