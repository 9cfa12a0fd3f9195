/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_bitmap.c - every search on every stretch agrees with looking bit by bit */
#include <check.h>
#include <string.h>

#include "base/rng.h"
#include "lib/bitmap.h"
#include "tests/suite.h"

#define NR_BITS 200

static unsigned long map[NR_BITS / 32 + 1];	/* enough for words of any size */

struct found {
	unsigned long set, clear, after_last, count;
};

static struct found look(const unsigned long *bits, unsigned long from,
			 unsigned long to)
{
	struct found f = { .set = to, .clear = to, .after_last = from };

	for (unsigned long i = from; i < to; i++) {
		bool set = bitmap_test(bits, i);

		if (set && f.set == to)
			f.set = i;
		if (!set && f.clear == to)
			f.clear = i;
		if (set)
			f.after_last = i + 1;
		f.count += set;
	}
	return f;
}

static void fill(unsigned int density, struct rng *rng)
{
	memset(map, 0, sizeof(map));
	for (unsigned long i = 0; i < NR_BITS; i++)
		if (rng_below(rng, 100) < density)
			bitmap_set(map, i);
}

START_TEST(searches_agree_with_looking_at_each_bit)
{
	static const unsigned int densities[] = { 0, 2, 50, 98, 100 };
	struct rng rng;

	rng_seed(&rng, 64);
	fill(densities[_i], &rng);
	for (unsigned long from = 0; from <= NR_BITS; from++) {
		for (unsigned long to = from; to <= NR_BITS; to++) {
			struct found f = look(map, from, to);

			if (bitmap_next_set(map, from, to) != f.set ||
			    bitmap_next_clear(map, from, to) != f.clear ||
			    bitmap_after_last_set(map, from, to) != f.after_last ||
			    bitmap_count(map, from, to) != f.count)
				ck_abort_msg("[%lu, %lu) differs", from, to);
		}
	}
}
END_TEST

START_TEST(a_stretch_is_set_and_cleared_and_nothing_beside_it)
{
	for (unsigned long from = 0; from < NR_BITS; from += 3) {
		for (unsigned long to = from; to <= NR_BITS; to += 5) {
			memset(map, 0, sizeof(map));
			bitmap_set_range(map, from, to);
			if (bitmap_count(map, 0, NR_BITS) != to - from ||
			    bitmap_count(map, from, to) != to - from)
				ck_abort_msg("set [%lu, %lu)", from, to);
			bitmap_set_range(map, 0, NR_BITS);
			bitmap_clear_range(map, from, to);
			if (bitmap_count(map, 0, NR_BITS) != NR_BITS - (to - from) ||
			    bitmap_count(map, from, to))
				ck_abort_msg("clear [%lu, %lu)", from, to);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bitmap");
	TCase *t = tcase_create("bitmap");

	tcase_add_loop_test(t, searches_agree_with_looking_at_each_bit, 0, 5);
	tcase_add_test(t, a_stretch_is_set_and_cleared_and_nothing_beside_it);
	suite_add_tcase(s, t);
	return run_suite(s);
}
