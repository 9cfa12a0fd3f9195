/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_rng.c - the same seed, the same numbers, everywhere */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "tests/suite.h"

/* What splitmix64 makes of seed 0 (Vigna's reference code). */
START_TEST(a_seed_fills_the_state_by_splitmix64)
{
	static const uint64_t state[4] = {
		UINT64_C(0xe220a8397b1dcdaf), UINT64_C(0x6e789e6aa1b965f4),
		UINT64_C(0x06c45d188009454f), UINT64_C(0xf88bb8a8724c81ec),
	};
	struct rng rng;

	rng_seed(&rng, 0);
	for (int i = 0; i < 4; i++)
		ck_assert(rng.s[i] == state[i]);
}
END_TEST

/* The published first numbers of xoshiro256** from the state 1, 2, 3, 4. */
START_TEST(the_numbers_are_those_of_xoshiro256_starstar)
{
	static const uint64_t numbers[] = {
		UINT64_C(11520),
		UINT64_C(0),
		UINT64_C(1509978240),
		UINT64_C(1215971899390074240),
		UINT64_C(1216172134540287360),
		UINT64_C(607988272756665600),
	};
	struct rng rng = { .s = { 1, 2, 3, 4 } };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		ck_assert(rng_next(&rng) == numbers[i]);
}
END_TEST

START_TEST(different_seeds_give_different_numbers)
{
	struct rng a, b;

	rng_seed(&a, 1);
	rng_seed(&b, 2);
	ck_assert(rng_next(&a) != rng_next(&b));
}
END_TEST

/*
 * 60,000 draws below 6 give each face 10,000 times, give or take five standard
 * deviations: sqrt(60000 * 1/6 * 5/6) = 91.
 */
START_TEST(numbers_below_n_are_uniform)
{
	unsigned int faces[6] = { 0 };
	struct rng rng;

	rng_seed(&rng, 42);
	for (int i = 0; i < 60000; i++) {
		uint64_t face = rng_below(&rng, 6);

		ck_assert_uint_lt(face, 6);
		faces[face]++;
	}
	for (int i = 0; i < 6; i++) {
		ck_assert_uint_gt(faces[i], 10000 - 5 * 91);
		ck_assert_uint_lt(faces[i], 10000 + 5 * 91);
	}
}
END_TEST

/*
 * With n = 3 * 2^62 a remainder alone would favour the lowest quarter: numbers
 * below 2^62 would come up half the time instead of a third.
 */
START_TEST(numbers_below_a_large_n_have_no_bias)
{
	const uint64_t n = UINT64_C(3) << 62;
	unsigned int low = 0;
	struct rng rng;

	rng_seed(&rng, 42);
	for (int i = 0; i < 30000; i++) {
		uint64_t x = rng_below(&rng, n);

		ck_assert(x < n);
		low += x < n / 3;
	}
	ck_assert_uint_gt(low, 9500);
	ck_assert_uint_lt(low, 10500);
}
END_TEST

START_TEST(nothing_but_0_lies_below_1)
{
	struct rng rng;

	rng_seed(&rng, 7);
	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(rng_below(&rng, 1), 0);
}
END_TEST

START_TEST(a_shuffle_keeps_every_element_and_moves_some)
{
	uint32_t v[100];
	bool seen[100] = { false };
	unsigned int moved = 0;
	struct rng rng;

	for (uint32_t i = 0; i < 100; i++)
		v[i] = i;
	rng_seed(&rng, 3);
	rng_shuffle(&rng, v, 100, sizeof(v[0]));
	for (uint32_t i = 0; i < 100; i++) {
		ck_assert_uint_lt(v[i], 100);
		ck_assert(!seen[v[i]]);
		seen[v[i]] = true;
		moved += v[i] != i;
	}
	ck_assert_uint_gt(moved, 80);
}
END_TEST

/* 6,000 shuffles of 3 elements: each of the 6 orders about 1,000 times. */
START_TEST(every_order_of_a_shuffle_is_equally_likely)
{
	unsigned int orders[3][3] = { { 0 } };
	struct rng rng;

	rng_seed(&rng, 11);
	for (int i = 0; i < 6000; i++) {
		unsigned char v[3] = { 0, 1, 2 };

		rng_shuffle(&rng, v, 3, 1);
		orders[v[0]][v[1]]++;
	}
	for (int a = 0; a < 3; a++) {
		for (int b = 0; b < 3; b++) {
			if (a == b)
				continue;
			ck_assert_uint_gt(orders[a][b], 850);
			ck_assert_uint_lt(orders[a][b], 1150);
		}
	}
}
END_TEST

START_TEST(shuffling_nothing_is_harmless)
{
	struct rng rng, before;

	rng_seed(&rng, 5);
	before = rng;
	rng_shuffle(&rng, NULL, 0, 8);
	ck_assert_mem_eq(&rng, &before, sizeof(rng));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rng");
	TCase *t = tcase_create("rng");

	tcase_add_test(t, a_seed_fills_the_state_by_splitmix64);
	tcase_add_test(t, the_numbers_are_those_of_xoshiro256_starstar);
	tcase_add_test(t, different_seeds_give_different_numbers);
	tcase_add_test(t, numbers_below_n_are_uniform);
	tcase_add_test(t, numbers_below_a_large_n_have_no_bias);
	tcase_add_test(t, nothing_but_0_lies_below_1);
	tcase_add_test(t, a_shuffle_keeps_every_element_and_moves_some);
	tcase_add_test(t, every_order_of_a_shuffle_is_equally_likely);
	tcase_add_test(t, shuffling_nothing_is_harmless);
	suite_add_tcase(s, t);
	return run_suite(s);
}
