/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tiny_bitmap_chunk.c - what the hints of a percpu chunk promise, and where
 * the versions of the original break it
 *
 * With pages of 4, 8 and 16 units six blocks are so small that a walk meets
 * every way in which a run can lie in them.
 *
 * Defects of the original, by the numbers of bitmap_hints.c, and their cases:
 *    1 4.14, another's length   in_4_14_a_free_may_borrow_the_length_of_another_stretch
 *    2 4.14, overlap unseen     in_4_14_the_chunks_hint_may_be_too_long
 *    3 5.2, block-relative end  in_5_2_the_chunk_does_not_hear_of_a_free_beyond_block_0
 *                               the_fixed_hints_refuse_less_of_what_would_fit
 *    4 5.2, right_free lost     in_5_2_a_refresh_may_forget_right_free
 *    5 5.2, a hint inside       in_5_2_a_scan_hint_may_be_a_part_of_the_hint
 *      another
 */
#include <check.h>
#include <stdlib.h>

#include "alloc/range/bitmap_chunk.h"
#include "base/rng.h"
#include "lib/bitmap.h"
#include "tests/suite.h"

#define NR_BLOCKS 6
#define NR_BITS (NR_BLOCKS * BLOCK_BITS)

static struct layout layout;
static struct machine *machine;
static struct range range;
static struct bitmap_chunk bc;

/* A chunk with every bit free and memory in every block. */
static void set_up(enum hint_version version)
{
	ck_assert_int_eq(layout_flat(&layout, 64, 1, NULL), 0);
	ck_assert_int_eq(machine_create(&machine, &layout, WINDOW_ARITH, NULL), 0);
	range = (struct range){ .machine = machine };
	ck_assert(bitmap_chunk_create(&bc, &range, version, NR_BITS));
	bitmap_chunk_populate(&bc, 0, NR_BLOCKS);
	bitmap_chunk_free(&bc, &range, 0, NR_BITS);
}

static void tear_down(void)
{
	bitmap_chunk_destroy(&bc, &range);
	ck_assert_uint_eq(machine->meta.now[META_structures], 0);
	machine_destroy(machine);
	layout_free(&layout);
}

static void expect_sound(void)
{
	struct msg msg;

	if (bitmap_chunk_verify(&bc, &msg))
		ck_abort_msg("%s", msg.text);
}

struct walk {
	struct rng rng;
	int held[NR_BITS];
	int nr_held;
	int max_bits;
	int max_align;			/* a power of two */
	bool checks;

	unsigned int asked;
	unsigned int refused;		/* though it would have fitted */
	unsigned int beyond;		/* states in which the chunk's hint is too long */
};

static void walk_alloc(struct walk *w)
{
	int bits = 1 + (int)rng_below(&w->rng, (uint64_t)w->max_bits);
	int align = 1;
	bool fits;
	int at;

	while (align < w->max_align && rng_below(&w->rng, 2))
		align *= 2;
	fits = bitmap_chunk_fits(&bc, bits, align);
	at = bitmap_chunk_alloc(&bc, &range, bits, align, false);
	w->asked++;
	w->refused += fits && at < 0;
	if (at < 0)
		return;
	if (!fits || at % align)
		ck_abort_msg("%d bits at %d, which cannot be", bits, at);
	w->held[w->nr_held++] = at;
}

static void walk_free(struct walk *w)
{
	int i = (int)rng_below(&w->rng, (uint64_t)w->nr_held);
	int at = w->held[i];

	w->held[i] = w->held[--w->nr_held];
	bitmap_chunk_free(&bc, &range, at,
			  bitmap_chunk_run_end(&bc, &range, at) - at);
}

static void walk(struct walk *w, int nr_ops, uint64_t seed)
{
	rng_seed(&w->rng, seed);
	for (int i = 0; i < nr_ops; i++) {
		if (w->nr_held && rng_below(&w->rng, 2))
			walk_free(w);
		else
			walk_alloc(w);
		w->beyond += bc.whole.contig_hint > bitmap_chunk_largest(&bc);
		if (w->checks)
			expect_sound();
	}
	while (w->nr_held)
		walk_free(w);
	ck_assert_int_eq(bc.nr_free, NR_BITS);
}

static const struct {
	enum hint_version version;
	int max_align;
} walks[] = {
	{ HINTS_FIXED, 1 }, { HINTS_FIXED, BLOCK_BITS },
	{ HINTS_5_2, 1 },   { HINTS_5_2, BLOCK_BITS },
};

/* In each build: tiny blocks of 4 to 128 bits. */
START_TEST(the_hard_invariants_hold_after_every_operation)
{
	struct walk w = {
		.max_bits = 2 * BLOCK_BITS,
		.max_align = walks[_i].max_align,
		.checks = true,
	};

	set_up(walks[_i].version);
	walk(&w, 250000, 2019 + (uint64_t)_i);
	expect_sound();
	ck_assert_uint_eq(w.beyond, 0);
	tear_down();
}
END_TEST

/* Defect 2, and maybe 1: the hint promises what is not there. */
START_TEST(in_4_14_the_chunks_hint_may_be_too_long)
{
	struct walk w = {
		.max_bits = 2 * BLOCK_BITS,
		.max_align = BLOCK_BITS,
		.checks = true,
	};

	set_up(HINTS_4_14);
	walk(&w, 62500, 2017);
	ck_assert_uint_gt(w.beyond, 0);
	tear_down();
}
END_TEST

/* Defect 3: what 5.2 refuses though it would fit is mostly let in when fixed. */
START_TEST(the_fixed_hints_refuse_less_of_what_would_fit)
{
	struct walk was = { .max_bits = BLOCK_BITS / 2, .max_align = 1 };
	struct walk fixed = was;

	set_up(HINTS_5_2);
	walk(&was, 50000, 5);
	tear_down();
	set_up(HINTS_FIXED);
	walk(&fixed, 50000, 5);
	tear_down();
	ck_assert_uint_lt(5 * fixed.refused, was.refused);
}
END_TEST

static int take_atomic(int bits)
{
	return bitmap_chunk_alloc(&bc, &range, bits, 1, true);
}

static int take(int bits)
{
	return bitmap_chunk_alloc(&bc, &range, bits, 1, false);
}

/* Fill the chunk with runs of one bit, then free some of them. */
static void only_these_free(const int *free_bits, int nr)
{
	for (int i = 0; i < NR_BITS; i++)
		ck_assert_int_eq(take(1), i);
	for (int i = 0; i < nr; i++)
		bitmap_chunk_free(&bc, &range, free_bits[i], 1);
}

/*
 *    block 0   block 1
 *    11..1     .x11      x is freed: 1 bit, but the block's hint, 2 bits, is
 *                        paired with where x begins
 */
START_TEST(in_4_14_a_free_may_borrow_the_length_of_another_stretch)
{
	const int bits[] = { BLOCK_BITS, BLOCK_BITS + 1, BLOCK_BITS + 3 };

	set_up(HINTS_4_14);
	only_these_free(bits, 3);
	ck_assert_int_eq(bitmap_chunk_largest(&bc), 2);
	ck_assert_int_eq(bc.whole.contig_hint, 2);
	/* Of two places for 2 bits, 0 is better, and is made out of one bit. */
	bitmap_chunk_free(&bc, &range, NR_BITS - 1, 1);
	bitmap_chunk_free(&bc, &range, NR_BITS - 2, 1);
	ck_assert_int_eq(take(2), BLOCK_BITS);
	ck_assert_int_eq(bc.nr_free, 3);
	tear_down();
}
END_TEST

/* Defect 3: beyond block 0, what one free makes is not told to the chunk. */
START_TEST(in_5_2_the_chunk_does_not_hear_of_a_free_beyond_block_0)
{
	static const enum hint_version versions[] = { HINTS_5_2, HINTS_FIXED };

	for (int i = 0; i < 2; i++) {
		const int bits[] = { 2 * BLOCK_BITS, 2 * BLOCK_BITS + 1 };

		set_up(versions[i]);
		only_these_free(bits, 2);
		ck_assert_int_eq(bitmap_chunk_largest(&bc), 2);
		ck_assert_int_eq(take(2) >= 0, versions[i] == HINTS_FIXED);
		tear_down();
	}
}
END_TEST

/*
 * Defect 4: two free stretches, the later one at the block's end.
 *
 *    .1..   the first is taken again; the hint for the second is promoted,
 *    11..   and with it right_free should be 2
 */
START_TEST(in_5_2_a_refresh_may_forget_right_free)
{
	static const enum hint_version versions[] = { HINTS_5_2, HINTS_FIXED };

	for (int i = 0; i < 2; i++) {
		int last = BLOCK_BITS - 1;
		const int bits[] = { 0, last };

		set_up(versions[i]);
		only_these_free(bits, 2);
		/* 0 suits all alignments, so it is the hint, the end's scan hint. */
		ck_assert_int_eq(bc.blocks[0].contig_hint_start, 0);
		ck_assert_int_eq(bc.scans[0].scan_hint_start, last);
		ck_assert_int_eq(take(1), 0);
		ck_assert_int_eq(bc.blocks[0].contig_hint_start, last);
		ck_assert_int_eq(bc.blocks[0].right_free,
				 versions[i] == HINTS_FIXED);
		tear_down();
	}
}
END_TEST

/* Defect 5: 0 is free, then 2, then 3. */
START_TEST(in_5_2_a_scan_hint_may_be_a_part_of_the_hint)
{
	static const enum hint_version versions[] = { HINTS_5_2, HINTS_FIXED };

	for (int i = 0; i < 2; i++) {
		const int bits[] = { 0, 2, 3 };

		set_up(versions[i]);
		only_these_free(bits, 3);
		ck_assert_int_eq(bc.blocks[0].contig_hint_start, 2);
		ck_assert_int_eq(bc.blocks[0].contig_hint, 2);
		if (versions[i] == HINTS_5_2) {
			ck_assert_int_eq(bc.scans[0].scan_hint_start, 2);
			ck_assert_int_eq(bc.scans[0].scan_hint, 1);
		} else {
			ck_assert_int_eq(bc.scans[0].scan_hint, 0);
		}
		tear_down();
	}
}
END_TEST

START_TEST(a_run_may_span_blocks_and_come_back)
{
	set_up(HINTS_FIXED);
	ck_assert_int_eq(take(BLOCK_BITS - 1), 0);
	ck_assert_int_eq(take(2 * BLOCK_BITS), BLOCK_BITS - 1);
	expect_sound();
	ck_assert_int_eq(bitmap_chunk_run_end(&bc, &range, BLOCK_BITS - 1),
			 3 * BLOCK_BITS - 1);
	ck_assert_int_eq(bc.nr_empty, 3);
	bitmap_chunk_free(&bc, &range, BLOCK_BITS - 1, 2 * BLOCK_BITS);
	expect_sound();
	ck_assert_int_eq(bc.nr_empty, 5);
	ck_assert_int_eq(bc.whole.contig_hint, NR_BITS - BLOCK_BITS + 1);
	tear_down();
}
END_TEST

/*
 *    block   0      1    2      3    4
 *            [run]  ###  ..##   ###  #...     the run is freed: of all, the chunk
 *                                             knows the longest, though it lies
 *                                             before its scan hint, block 2's
 */
START_TEST(a_whole_block_that_is_freed_is_the_chunks_longest)
{
	const int bits[] = {
		2 * BLOCK_BITS, 2 * BLOCK_BITS + 1,
		4 * BLOCK_BITS + 1, 4 * BLOCK_BITS + 3, 4 * BLOCK_BITS + 2,
	};

	set_up(HINTS_FIXED);
	ck_assert_int_eq(take(BLOCK_BITS), 0);
	for (int i = BLOCK_BITS; i < NR_BITS; i++)
		ck_assert_int_eq(take(1), i);
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		bitmap_chunk_free(&bc, &range, bits[i], 1);
	ck_assert_int_eq(bc.whole.contig_hint, 3);
	ck_assert_int_eq(bc.whole_scan.scan_hint, 2);
	bitmap_chunk_free(&bc, &range, 0, BLOCK_BITS);
	ck_assert_int_eq(bc.whole.contig_hint, BLOCK_BITS);
	/* And so, joined, when the next block is. */
	for (int i = BLOCK_BITS; i < 2 * BLOCK_BITS; i++)
		bitmap_chunk_free(&bc, &range, i, 1);
	ck_assert_int_eq(bc.whole.contig_hint, 2 * BLOCK_BITS + 2);
	expect_sound();
	tear_down();
}
END_TEST

START_TEST(population_counts_what_is_empty)
{
	set_up(HINTS_FIXED);
	bitmap_chunk_depopulate(&bc, 2, 4);
	expect_sound();
	ck_assert_int_eq(bc.nr_populated, NR_BLOCKS - 2);
	ck_assert_int_eq(bc.nr_empty, NR_BLOCKS - 2);
	ck_assert_int_eq(take(1), 0);
	expect_sound();
	ck_assert_int_eq(bc.nr_empty, NR_BLOCKS - 3);
	bitmap_chunk_populate(&bc, 2, 4);
	expect_sound();
	ck_assert_int_eq(bc.nr_empty, NR_BLOCKS - 1);
	tear_down();
}
END_TEST

/*
 *    block   0  1  2  3  4  5       P: populated; all are free
 *            P  P  .  .  P  P       a run of two and a bit: nowhere
 *                                   of two: at 0; the next: past the hole, at 4
 */
START_TEST(an_atomic_run_skips_blocks_without_memory)
{
	set_up(HINTS_FIXED);
	bitmap_chunk_depopulate(&bc, 2, 4);
	ck_assert_int_eq(take_atomic(2 * BLOCK_BITS + 1), -1);
	ck_assert_int_eq(take_atomic(2 * BLOCK_BITS), 0);
	ck_assert_int_eq(take_atomic(2), 4 * BLOCK_BITS);
	expect_sound();
	/* What may wait takes the lowest that fits. */
	ck_assert_int_eq(take(2), 2 * BLOCK_BITS);
	expect_sound();
	tear_down();
}
END_TEST

static const enum hint_version every_version[] = {
	HINTS_4_14, HINTS_5_2, HINTS_FIXED,
};

/* A walk, and never a run in a block without memory, however wrong the hints. */
START_TEST(no_atomic_run_lies_in_a_block_without_memory)
{
	int held[NR_BITS], nr_held = 0;
	unsigned int served = 0, astray = 0;
	struct rng rng;

	set_up(every_version[_i]);
	rng_seed(&rng, 5 * 19);
	for (int i = 0; i < 300000; i++) {
		int block = (int)rng_below(&rng, NR_BLOCKS), at;

		/* Fuller and emptier by turns. */
		if (nr_held && rng_below(&rng, 8) < 2 + (unsigned int)(i >> 10) % 5) {
			int k = (int)rng_below(&rng, (uint64_t)nr_held);

			at = held[k];
			held[k] = held[--nr_held];
			bitmap_chunk_free(&bc, &range, at,
				bitmap_chunk_run_end(&bc, &range, at) - at);
		}
		if (rng_below(&rng, 3))
			;
		else if (!bitmap_test(bc.populated, (unsigned long)block))
			bitmap_chunk_populate(&bc, block, block + 1);
		else if (bitmap_chunk_block_is_free(&bc, block))
			bitmap_chunk_depopulate(&bc, block, block + 1);
		at = bitmap_chunk_alloc(&bc, &range,
					1 + (int)rng_below(&rng, 2 * BLOCK_BITS),
					1 << rng_below(&rng, 3), true);
		if (at < 0)
			continue;
		held[nr_held++] = at;
		served++;
		for (int b = at; b < bitmap_chunk_run_end(&bc, &range, at); b++)
			astray += !bitmap_test(bc.populated,
					       (unsigned long)(b / BLOCK_BITS));
		expect_sound();
	}
	ck_assert_uint_gt(served, 1000);
	ck_assert_uint_eq(astray, 0);
	tear_down();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bitmap_chunk");
	TCase *t = tcase_create("bitmap_chunk");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, the_hard_invariants_hold_after_every_operation, 0,
			    (int)ARRAY_SIZE(walks));
	tcase_add_test(t, in_4_14_the_chunks_hint_may_be_too_long);
	tcase_add_test(t, the_fixed_hints_refuse_less_of_what_would_fit);
	tcase_add_test(t, in_4_14_a_free_may_borrow_the_length_of_another_stretch);
	tcase_add_test(t, in_5_2_the_chunk_does_not_hear_of_a_free_beyond_block_0);
	tcase_add_test(t, in_5_2_a_refresh_may_forget_right_free);
	tcase_add_test(t, in_5_2_a_scan_hint_may_be_a_part_of_the_hint);
	tcase_add_test(t, a_run_may_span_blocks_and_come_back);
	tcase_add_test(t, a_whole_block_that_is_freed_is_the_chunks_longest);
	tcase_add_test(t, population_counts_what_is_empty);
	tcase_add_test(t, an_atomic_run_skips_blocks_without_memory);
	tcase_add_loop_test(t, no_atomic_run_lies_in_a_block_without_memory, 0,
			    (int)ARRAY_SIZE(every_version));
	suite_add_tcase(s, t);
	return run_suite(s);
}
