/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_bitmap_tree.c - least and greatest agree with looking at every number */
#include <stdlib.h>

#include <check.h>

#include "base/rng.h"
#include "lib/bitmap_tree.h"
#include "tests/suite.h"

/* One word, one more bit than that, two levels to the brim, three. */
static const unsigned long sizes[] = { 1, 31, 64, 65, 4096, 4097, 300000 };

struct looked_at {
	unsigned long first;
	unsigned long last;
};

static struct looked_at look(const bool *is_in, unsigned long nr)
{
	struct looked_at l = { BITMAP_TREE_NONE, BITMAP_TREE_NONE };

	for (unsigned long i = 0; i < nr; i++) {
		if (!is_in[i])
			continue;
		if (l.first == BITMAP_TREE_NONE)
			l.first = i;
		l.last = i;
	}
	return l;
}

START_TEST(first_and_last_agree_with_looking_at_every_number)
{
	unsigned long nr = sizes[_i], differ = 0;
	void *bytes = calloc(1, bitmap_tree_bytes(nr));
	bool *is_in = calloc(nr, sizeof(*is_in));
	struct bitmap_tree t;
	struct rng rng;

	rng_seed(&rng, 7);
	bitmap_tree_init(&t, bytes, nr);
	ck_assert_uint_eq(bitmap_tree_first(&t), BITMAP_TREE_NONE);
	for (unsigned int step = 0; step < 200; step++) {
		unsigned long i = rng_below(&rng, nr);
		struct looked_at l = look(is_in, nr);

		differ += bitmap_tree_first(&t) != l.first;
		differ += bitmap_tree_last(&t) != l.last;
		differ += bitmap_tree_test(&t, i) != is_in[i];
		/* The ends leave often, so that words empty on every level. */
		if (l.first != BITMAP_TREE_NONE && step % 3)
			i = step & 1 ? l.first : l.last;
		is_in[i] = !is_in[i];
		if (is_in[i])
			bitmap_tree_set(&t, i);
		else
			bitmap_tree_clear(&t, i);
	}
	ck_assert_uint_eq(differ, 0);
	free(is_in);
	free(bytes);
}
END_TEST

START_TEST(setting_or_clearing_twice_changes_nothing)
{
	unsigned char bytes[64 * sizeof(long)] = { 0 };
	struct bitmap_tree t;

	ck_assert_uint_le(bitmap_tree_bytes(1000), sizeof(bytes));
	bitmap_tree_init(&t, bytes, 1000);
	bitmap_tree_set(&t, 999);
	bitmap_tree_set(&t, 999);
	bitmap_tree_clear(&t, 5);
	ck_assert_uint_eq(bitmap_tree_first(&t), 999);
	bitmap_tree_clear(&t, 999);
	bitmap_tree_clear(&t, 999);
	ck_assert_uint_eq(bitmap_tree_last(&t), BITMAP_TREE_NONE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bitmap tree");
	TCase *tc = tcase_create("sets");

	tcase_add_loop_test(tc, first_and_last_agree_with_looking_at_every_number,
			    0, sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_test(tc, setting_or_clearing_twice_changes_nothing);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
