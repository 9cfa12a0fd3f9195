/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_avl.c - the tree stays balanced and in order, whatever comes and goes */
#include <check.h>
#include <stdlib.h>

#include "base/bits.h"
#include "base/rng.h"
#include "lib/avl.h"
#include "tests/suite.h"

struct item {
	struct avl_node node;
	unsigned int key;
	bool in;
};

#define NR_ITEMS 512

static struct item items[NR_ITEMS];

static struct item *to_item(struct avl_node *node)
{
	return container_of(node, struct item, node);
}

static int compare(const void *key, const struct avl_node *node)
{
	unsigned int a = *(const unsigned int *)key;
	unsigned int b = ((const struct item *)node)->key;

	return (a > b) - (a < b);
}

static struct avl_tree empty_tree(void)
{
	for (unsigned int i = 0; i < NR_ITEMS; i++)
		items[i] = (struct item){ .key = i };
	return (struct avl_tree){ .compare = compare };
}

static void add(struct avl_tree *tree, unsigned int key)
{
	if (avl_insert(tree, &key, &items[key].node))
		ck_abort_msg("key %u is said to be there already", key);
	items[key].in = true;
}

/* Balance, order and members, compared with the array. */
static void expect_sound(const struct avl_tree *tree)
{
	struct avl_node *node = avl_first(tree);

	if (!avl_is_balanced(tree))
		ck_abort_msg("the tree leans");
	for (unsigned int i = 0; i < NR_ITEMS; i++) {
		if (!items[i].in)
			continue;
		if (!node || to_item(node)->key != i)
			ck_abort_msg("key %u is not where it belongs", i);
		node = avl_next(tree, &i);
	}
	if (node)
		ck_abort_msg("key %u is still there", to_item(node)->key);
}

static const struct {
	const char *name;
	unsigned int multiple;		/* of an odd number: another order */
} orders[] = { { "rising", 1 }, { "falling", NR_ITEMS - 1 }, { "mixed", 181 } };

START_TEST(nodes_added_in_any_order_make_a_balanced_tree)
{
	struct avl_tree tree = empty_tree();

	for (unsigned int i = 0; i < NR_ITEMS; i++) {
		add(&tree, i * orders[_i].multiple % NR_ITEMS);
		expect_sound(&tree);
	}
	/* 1.45 * log2(512) = 13.05 */
	ck_assert_uint_le(tree.root->height, 13);
}
END_TEST

START_TEST(nodes_taken_out_in_any_order_leave_a_balanced_tree)
{
	struct avl_tree tree = empty_tree();

	for (unsigned int i = 0; i < NR_ITEMS; i++)
		add(&tree, i);
	for (unsigned int i = 0; i < NR_ITEMS; i++) {
		unsigned int key = i * orders[_i].multiple % NR_ITEMS;

		if (avl_erase(&tree, &key) != &items[key].node)
			ck_abort_msg("key %u came out as another", key);
		items[key].in = false;
		expect_sound(&tree);
	}
	ck_assert_ptr_null(tree.root);
}
END_TEST

START_TEST(a_random_walk_keeps_it_sound)
{
	struct avl_tree tree = empty_tree();
	struct rng rng;

	rng_seed(&rng, 2006);
	for (int i = 0; i < 20000; i++) {
		unsigned int key = (unsigned int)rng_below(&rng, NR_ITEMS);

		if (items[key].in) {
			avl_erase(&tree, &key);
			items[key].in = false;
		} else {
			add(&tree, key);
		}
		if (i % 16 == 0)
			expect_sound(&tree);
	}
	expect_sound(&tree);
}
END_TEST

START_TEST(a_key_that_is_there_is_found_and_not_added_twice)
{
	struct avl_tree tree = empty_tree();
	struct item other = { .key = 7 };
	unsigned int seven = 7, eight = 8;
	uint64_t levels = 0;

	for (unsigned int i = 0; i < 64; i += 7)
		add(&tree, i);
	ck_assert_ptr_eq(avl_insert(&tree, &seven, &other.node),
			 &items[7].node);
	ck_assert_ptr_eq(avl_find(&tree, &seven, &levels), &items[7].node);
	ck_assert_uint_ge(levels, 1);
	ck_assert_uint_le(levels, tree.root->height);
	ck_assert_ptr_null(avl_find(&tree, &eight, NULL));
	ck_assert_ptr_null(avl_erase(&tree, &eight));
	expect_sound(&tree);
}
END_TEST

START_TEST(a_walk_goes_on_from_any_key_in_order)
{
	struct avl_tree tree = empty_tree();
	struct avl_walk walk;

	for (unsigned int i = 10; i < NR_ITEMS; i += 1 + i % 7)
		add(&tree, i);
	for (unsigned int from = 0; from < NR_ITEMS; from++) {
		unsigned int key = from;
		struct avl_node *node = avl_walk_start(&walk, &tree, &key);

		if (node != avl_find_floor(&tree, &key, NULL))
			ck_abort_msg("a walk from %u begins elsewhere", from);
		do {
			struct avl_node *next = avl_next(&tree, &key);

			node = avl_walk_next(&walk);
			if (node != next)
				ck_abort_msg("after key %u comes another", key);
			if (node)
				key = to_item(node)->key;
		} while (node);
	}
}
END_TEST

START_TEST(the_floor_of_a_key_is_the_largest_one_not_above_it)
{
	struct avl_tree tree = empty_tree();

	for (unsigned int i = 10; i < NR_ITEMS; i += 10)
		add(&tree, i);
	for (unsigned int i = 0; i < NR_ITEMS; i++) {
		struct avl_node *floor = avl_find_floor(&tree, &i, NULL);
		unsigned int want = i / 10 * 10;

		if (floor != (want ? &items[want].node : NULL))
			ck_abort_msg("the floor of %u is another", i);
	}
}
END_TEST

START_TEST(an_empty_tree_has_nothing)
{
	struct avl_tree tree = empty_tree();
	unsigned int key = 1;

	ck_assert(avl_is_balanced(&tree));
	ck_assert_ptr_null(avl_first(&tree));
	ck_assert_ptr_null(avl_next(&tree, &key));
	ck_assert_ptr_null(avl_find(&tree, &key, NULL));
	ck_assert_ptr_null(avl_erase(&tree, &key));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("avl");
	TCase *t = tcase_create("avl");

	tcase_add_loop_test(t, nodes_added_in_any_order_make_a_balanced_tree, 0,
			    (int)ARRAY_SIZE(orders));
	tcase_add_loop_test(t, nodes_taken_out_in_any_order_leave_a_balanced_tree,
			    0, (int)ARRAY_SIZE(orders));
	tcase_add_test(t, a_walk_goes_on_from_any_key_in_order);
	tcase_add_test(t, a_random_walk_keeps_it_sound);
	tcase_add_test(t, a_key_that_is_there_is_found_and_not_added_twice);
	tcase_add_test(t, the_floor_of_a_key_is_the_largest_one_not_above_it);
	tcase_add_test(t, an_empty_tree_has_nothing);
	suite_add_tcase(s, t);
	return run_suite(s);
}
