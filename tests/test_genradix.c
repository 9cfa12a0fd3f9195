/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_genradix.c - the radix tree on its own, over a store that may run out
 *
 * Nodes of 32 bytes (fan-out 4 or 8, by the word's size) make trees deep soon.
 * Half of the nodes are reached by tagged references, and the store checks
 * that maps nest and that nothing is given back twice.
 */
#include <string.h>

#include <check.h>

#include "lib/genradix.h"
#include "tests/suite.h"

#define NODE_BYTES 32
#define MAX_NODES 512

static struct {
	struct node_store store;
	bool used[MAX_NODES];
	unsigned int nr_nodes, mapped, max_mapped;
	unsigned int gets_left;		/* 0: as many as there are */
	bool low;			/* every node is, and the next lies behind it */
	_Alignas(16) unsigned char data[MAX_NODES][NODE_BYTES];
} w;

static struct node_ref ref_of(unsigned long i)
{
	return i & 1 && !w.low ? node_ref_high(i) : node_ref_low(w.data[i]);
}

static unsigned long index_of(struct node_ref ref)
{
	if (node_ref_is_high(ref))
		return node_ref_pfn(ref);
	return (unsigned long)((unsigned char *)ref.bits - w.data[0]) / NODE_BYTES;
}

static struct node_ref get(struct node_store *store, unsigned int level,
			   size_t bytes)
{
	(void)store;
	ck_assert_uint_le(bytes, NODE_BYTES);
	if (w.gets_left && !--w.gets_left)
		return NODE_REF_NONE;
	for (unsigned long i = 0; i < MAX_NODES; i++) {
		if (w.used[i])
			continue;
		w.used[i] = true;
		w.nr_nodes++;
		memset(w.data[i], level ? 0 : 0xa5, NODE_BYTES);
		return ref_of(i);
	}
	return NODE_REF_NONE;
}

static void put(struct node_store *store, struct node_ref ref,
		unsigned int level, size_t bytes)
{
	(void)store, (void)level, (void)bytes;
	ck_assert(w.used[index_of(ref)]);
	w.used[index_of(ref)] = false;
	w.nr_nodes--;
}

static void *map(struct node_store *store, struct node_ref ref)
{
	(void)store;
	if (++w.mapped > w.max_mapped)
		w.max_mapped = w.mapped;
	return w.data[node_ref_pfn(ref)];
}

static void unmap(struct node_store *store, struct node_ref ref, void *node)
{
	(void)store;
	ck_assert_ptr_eq(node, w.data[node_ref_pfn(ref)]);
	w.mapped--;
}

static const struct node_store_ops ops = {
	.get = get, .put = put, .map = map, .unmap = unmap,
};

static struct genradix tree_of(size_t entry_bytes)
{
	struct genradix t;

	memset(&w, 0, sizeof(w));
	w.store.ops = &ops;
	genradix_init(&t, entry_bytes, NODE_BYTES, &w.store);
	return t;
}

static bool write_at(struct genradix *t, uint64_t index, unsigned char value)
{
	struct genradix_slot slot = genradix_lookup_alloc(t, index);

	if (!slot.addr)
		return false;
	memset(slot.addr, value, t->entry_bytes);
	genradix_unmap(t, slot);
	return true;
}

/* The entry's first byte; -1 for a hole. */
static int read_at(const struct genradix *t, uint64_t index)
{
	struct genradix_slot slot = genradix_lookup(t, index);
	int value = slot.addr ? *(unsigned char *)slot.addr : -1;

	genradix_unmap(t, slot);
	return value;
}

static const uint64_t places[] = { 0, 7, 8, 100, 5000, UINT64_C(1) << 33 };
static const size_t sizes[] = { 1, 4, 12, 32 };	/* 12 leaves a tail */

START_TEST(entries_of_any_size_stay_while_the_tree_grows)
{
	struct genradix t = tree_of(sizes[_i]);

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		ck_assert(write_at(&t, places[i], (unsigned char)(i + 1)));
		for (size_t j = 0; j <= i; j++)
			ck_assert_int_eq(read_at(&t, places[j]), (int)j + 1);
	}
	ck_assert_int_eq(read_at(&t, 3000), -1);
	ck_assert_uint_le(w.max_mapped, 1);
	ck_assert_uint_eq(w.mapped, 0);
	genradix_destroy(&t);
	ck_assert_uint_eq(w.nr_nodes, 0);
}
END_TEST

START_TEST(a_store_that_runs_out_leaves_a_legal_tree)
{
	for (unsigned int gets = 1;; gets++) {
		struct genradix t = tree_of(4);
		bool done;

		ck_assert(write_at(&t, 0, 1));
		w.gets_left = gets;
		done = write_at(&t, 5000, 2);
		ck_assert_int_eq(read_at(&t, 0), 1);
		if (!done)
			ck_assert_int_eq(read_at(&t, 5000), -1);
		w.gets_left = 0;
		ck_assert(write_at(&t, 5000, 2));
		ck_assert_int_eq(read_at(&t, 5000), 2);
		genradix_destroy(&t);
		ck_assert_uint_eq(w.nr_nodes, 0);
		if (done) {
			ck_assert_uint_gt(gets, 4);
			break;
		}
	}
}
END_TEST

START_TEST(what_is_dropped_gives_its_nodes_back)
{
	struct genradix t = tree_of(4);
	uint64_t leaf = 1;

	for (uint64_t i = 0; i < 64; i++)
		ck_assert(write_at(&t, i * 8, (unsigned char)i));
	ck_assert(!node_ref_is_none(genradix_next_leaf(&t, &leaf)));
	ck_assert_uint_eq(leaf, 1);
	genradix_drop_leaf(&t, 1);
	ck_assert_int_eq(read_at(&t, 8), -1);
	ck_assert_int_eq(read_at(&t, 16), 2);
	leaf = 1;
	genradix_next_leaf(&t, &leaf);
	ck_assert_uint_eq(leaf, 2);
	genradix_truncate(&t, 1);
	ck_assert_uint_eq(t.depth, 0);
	ck_assert_uint_eq(w.nr_nodes, 1);
	ck_assert_int_eq(read_at(&t, 0), 0);
	genradix_truncate(&t, 0);
	ck_assert_uint_eq(w.nr_nodes, 0);
}
END_TEST

/*
 * What a tree of some depth has no place for is a hole, and no other entry.
 *
 *   depth 0   [ 0 .. 7 ]          entry 8 would be entry 0 of the only leaf
 */
START_TEST(beyond_the_last_leaf_nothing_is_found)
{
	struct genradix t = tree_of(4);

	ck_assert(write_at(&t, 0, 1));
	for (unsigned int depth = 0; depth < 3; depth++) {
		uint64_t end = genradix_max_leaves(&t, t.depth) * t.leaf_entries;

		ck_assert_uint_eq(t.depth, depth);
		ck_assert_int_eq(read_at(&t, 0), 1);
		ck_assert_int_eq(read_at(&t, end), -1);
		ck_assert_int_eq(read_at(&t, end + 1), -1);
		ck_assert(write_at(&t, end, 2));
		ck_assert_int_eq(read_at(&t, end), 2);
	}
	genradix_destroy(&t);
}
END_TEST

START_TEST(a_preallocated_tree_takes_leaves_only)
{
	struct genradix t = tree_of(4);
	unsigned int interior;
	struct node_ref leaf;

	ck_assert(genradix_prealloc(&t, 21));
	interior = w.nr_nodes;
	for (uint64_t l = 0; l < 21; l++) {
		leaf = get(&w.store, 0, NODE_BYTES);
		ck_assert(node_ref_is_none(genradix_swap_leaf(&t, l, leaf)));
		ck_assert(node_ref_equal(genradix_leaf(&t, l), leaf));
	}
	ck_assert_uint_eq(w.nr_nodes, interior + 21);
	leaf = genradix_swap_leaf(&t, 20, NODE_REF_NONE);
	put(&w.store, leaf, 0, NODE_BYTES);
	ck_assert(node_ref_is_none(genradix_leaf(&t, 20)));
	genradix_destroy(&t);
	ck_assert_uint_eq(w.nr_nodes, 0);
}
END_TEST

/* 10 leaves: two levels above them, whichever the word's size. */
START_TEST(a_row_shows_what_a_walk_finds)
{
	struct genradix t = tree_of(4);
	bool same = true;

	w.low = true;
	ck_assert(genradix_prealloc(&t, 10));
	ck_assert_uint_eq(t.depth, 2);
	ck_assert_ptr_nonnull(t.row);
	for (uint64_t leaf = 0; leaf < 10; leaf += 3)
		genradix_swap_leaf(&t, leaf, get(&w.store, 0, NODE_BYTES));
	genradix_swap_leaf(&t, 2, node_ref_high(500));
	for (uint64_t leaf = 0; leaf < 10; leaf++) {
		struct node_ref ref = genradix_leaf_in_row(&t, leaf);
		uint64_t next = leaf;
		struct node_ref walked = genradix_next_leaf(&t, &next);

		same &= node_ref_is_none(ref) == (leaf % 3 && leaf != 2);
		same &= node_ref_equal(ref, next == leaf ? walked : NODE_REF_NONE);
	}
	ck_assert(same);
	genradix_swap_leaf(&t, 2, NODE_REF_NONE);
	ck_assert(node_ref_is_none(genradix_leaf_in_row(&t, 2)));
	genradix_destroy(&t);
	ck_assert_ptr_null(t.row);
	ck_assert_uint_eq(w.nr_nodes, 0);
}
END_TEST

START_TEST(nodes_that_do_not_lie_side_by_side_make_no_row)
{
	struct genradix t = tree_of(4);

	/* A root that is a leaf; nodes in high memory; a strange node in between. */
	ck_assert(genradix_prealloc(&t, 1));
	ck_assert_ptr_null(t.row);
	t = tree_of(4);
	ck_assert(genradix_prealloc(&t, 10));
	ck_assert_ptr_null(t.row);
	t = tree_of(4);
	w.low = true;
	w.used[2] = true;
	ck_assert(genradix_prealloc(&t, 10));
	ck_assert_ptr_null(t.row);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("genradix");
	TCase *tc = tcase_create("genradix");

	tcase_add_loop_test(tc, entries_of_any_size_stay_while_the_tree_grows, 0,
			    (int)ARRAY_SIZE(sizes));
	tcase_add_test(tc, a_store_that_runs_out_leaves_a_legal_tree);
	tcase_add_test(tc, what_is_dropped_gives_its_nodes_back);
	tcase_add_test(tc, beyond_the_last_leaf_nothing_is_found);
	tcase_add_test(tc, a_preallocated_tree_takes_leaves_only);
	tcase_add_test(tc, a_row_shows_what_a_walk_finds);
	tcase_add_test(tc, nodes_that_do_not_lie_side_by_side_make_no_row);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
