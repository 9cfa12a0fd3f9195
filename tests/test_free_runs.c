/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_free_runs.c - words of used pages give the blocks that looking bit by bit does */
#include <check.h>
#include <string.h>

#include "alloc/free_runs.h"
#include "base/rng.h"
#include "lib/bitmap.h"
#include "tests/suite.h"

#define NR_WORDS 40
#define NR_PAGES (NR_WORDS * BITMAP_WORD_BITS)
#define BASE_PFN (3 * NR_PAGES)		/* which is aligned to a word */

/* Runs of either kind, from single pages to several words. */
static void draw(unsigned long *used, struct rng *rng)
{
	unsigned long i = 0;

	memset(used, 0, NR_WORDS * sizeof(*used));
	for (bool set = rng_below(rng, 2); i < NR_PAGES; set = !set)
		for (uint64_t nr = 1 + rng_below(rng, 1 + rng_below(rng, 200));
		     nr-- && i < NR_PAGES; i++)
			if (set)
				bitmap_set(used, i);
}

static void count_by_page(unsigned long nr_free[NR_PAGE_ORDERS], const unsigned long *used)
{
	unsigned long run = 0;

	for (unsigned long i = 0; i <= NR_PAGES; i++) {
		if (i < NR_PAGES && !bitmap_test(used, i)) {
			run++;
			continue;
		}
		run_count_blocks(nr_free, BASE_PFN + i - run, run);
		run = 0;
	}
}

static void count_by_word(unsigned long nr_free[NR_PAGE_ORDERS], const unsigned long *used)
{
	unsigned long pfn = BASE_PFN, run = 0;

	for (unsigned int i = 0; i < NR_WORDS; i++, pfn += BITMAP_WORD_BITS)
		run = run_count_word(nr_free, pfn, used[i], run);
	run_count_blocks(nr_free, pfn - run, run);
}

START_TEST(words_give_the_blocks_that_their_bits_do)
{
	unsigned long used[NR_WORDS];
	unsigned int wrong = 0;
	struct rng rng;

	rng_seed(&rng, 7);
	for (unsigned int round = 0; round < 2000; round++) {
		unsigned long by_page[NR_PAGE_ORDERS] = { 0 };
		unsigned long by_word[NR_PAGE_ORDERS] = { 0 };

		draw(used, &rng);
		count_by_page(by_page, used);
		count_by_word(by_word, used);
		wrong += memcmp(by_page, by_word, sizeof(by_page)) != 0;
	}
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(what_is_free_at_the_end_of_a_word_goes_on_in_the_next)
{
	const unsigned int bits = BITMAP_WORD_BITS;
	unsigned long nr_free[NR_PAGE_ORDERS] = { 0 };

	ck_assert_uint_eq(run_count_word(nr_free, 0, 0, 3), bits + 3);
	ck_assert_uint_eq(run_count_word(nr_free, 0, ~0UL, 0), 0);
	ck_assert_uint_eq(run_count_word(nr_free, 0, 1UL << (bits - 1), 0), 0);
	ck_assert_uint_eq(run_count_word(nr_free, 0, 1, 0), bits - 1);
	ck_assert_uint_eq(run_count_word(nr_free, bits, 3, bits), bits - 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("free_runs");
	TCase *t = tcase_create("words");

	tcase_add_test(t, words_give_the_blocks_that_their_bits_do);
	tcase_add_test(t, what_is_free_at_the_end_of_a_word_goes_on_in_the_next);
	suite_add_tcase(s, t);
	return run_suite(s);
}
