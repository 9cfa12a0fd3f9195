/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_arena.c - metadata memory: charged, reused, bounded, put back in place */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "machine/arena.h"
#include "tests/suite.h"

#define LIMIT (UINT64_C(1) << 20)

static struct meta_account account;
static struct arena *arena;

static void setup(void)
{
	memset(&account, 0, sizeof(account));
	arena = arena_create(LIMIT, &account);
	ck_assert_ptr_nonnull(arena);
}

static void teardown(void)
{
	arena_destroy(arena);
}

static bool all_bytes_are(const void *ptr, unsigned char byte, size_t n)
{
	const unsigned char *p = ptr;

	for (size_t i = 0; i < n; i++)
		if (p[i] != byte)
			return false;
	return true;
}

static const struct { uint64_t bytes, align; } sizes[] = {
	{ 1, 64 }, { 63, 64 }, { 64, 64 }, { 65, 64 }, { 4096, 64 },
	{ 65535, 64 }, { 65536, 4096 }, { 100001, 4096 },
};

START_TEST(memory_is_zero_and_aligned_when_fresh_and_when_reused)
{
	uint64_t bytes = sizes[_i].bytes;
	void *crooked = arena_alloc(arena, 1, META_structures);
	void *first = arena_alloc(arena, bytes, META_structures);
	void *again;

	ck_assert_ptr_nonnull(crooked);
	ck_assert_ptr_nonnull(first);
	ck_assert_uint_eq((uintptr_t)first % sizes[_i].align, 0);
	ck_assert(all_bytes_are(first, 0, (size_t)bytes));

	memset(first, 0xff, (size_t)bytes);
	arena_free(arena, first, bytes, META_structures);
	again = arena_alloc(arena, bytes, META_structures);
	ck_assert_ptr_eq(again, first);
	ck_assert(all_bytes_are(again, 0, (size_t)bytes));
}
END_TEST

START_TEST(a_column_is_charged_what_was_asked_for_and_keeps_its_peak)
{
	void *a = arena_alloc(arena, 100, META_nodes);
	void *b = arena_alloc(arena, 7, META_nodes);

	ck_assert_ptr_nonnull(b);
	ck_assert_uint_eq(account.now[META_nodes], 107);
	arena_free(arena, a, 100, META_nodes);
	ck_assert_uint_eq(account.now[META_nodes], 7);
	ck_assert_uint_eq(account.peak[META_nodes], 107);

	ck_assert_ptr_nonnull(arena_alloc(arena, 50, META_structures));
	ck_assert_uint_eq(account.now[META_structures], 50);
	ck_assert_uint_eq(account.now[META_nodes], 7);
	for (int col = 0; col < NR_META_COLUMNS; col++)
		if (col != META_nodes && col != META_structures)
			ck_assert_uint_eq(account.peak[col], 0);
}
END_TEST

START_TEST(only_the_part_that_exists_can_be_charged)
{
	ck_assert_ptr_nonnull(arena_alloc_charged(arena, 1000, 10,
						  META_descriptors));
	ck_assert_uint_eq(account.now[META_descriptors], 10);
}
END_TEST

/* 160 and 192 bytes are both three cache lines; 200 bytes are four. */
START_TEST(a_block_given_back_serves_its_own_size_only)
{
	void *three = arena_alloc(arena, 160, META_nodes);
	uint64_t used;
	void *four;

	arena_free(arena, three, 160, META_nodes);
	used = arena_used(arena);
	four = arena_alloc(arena, 200, META_nodes);
	ck_assert_ptr_ne(four, three);
	ck_assert_uint_gt(arena_used(arena), used);
	ck_assert_ptr_eq(arena_alloc(arena, 192, META_nodes), three);
}
END_TEST

/* Three blocks of each size, asked for again in every order of the sizes. */
START_TEST(what_is_given_back_needs_no_new_memory)
{
	static const uint64_t mixed[] = { 64, 640, 6400, 70000 };
	void *ptr[3 * ARRAY_SIZE(mixed)];
	uint64_t bytes[ARRAY_SIZE(ptr)];
	uint64_t used = 0;
	struct rng rng;

	rng_seed(&rng, 2);
	for (size_t i = 0; i < ARRAY_SIZE(ptr); i++)
		bytes[i] = mixed[i / 3];
	for (int round = 0; round < 100; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(ptr); i++) {
			ptr[i] = arena_alloc(arena, bytes[i], META_nodes);
			ck_assert_ptr_nonnull(ptr[i]);
		}
		for (size_t i = 0; i < ARRAY_SIZE(ptr); i++)
			arena_free(arena, ptr[i], bytes[i], META_nodes);
		if (round == 0)
			used = arena_used(arena);
		ck_assert_uint_eq(arena_used(arena), used);
		rng_shuffle(&rng, bytes, ARRAY_SIZE(bytes), sizeof(bytes[0]));
	}
	ck_assert_uint_eq(account.now[META_nodes], 0);
}
END_TEST

START_TEST(the_limit_is_kept_and_a_refusal_costs_nothing)
{
	uint64_t nr = 0;
	uint64_t used;

	while (arena_alloc(arena, 4096, META_nodes))
		nr++;
	ck_assert_uint_ge(nr, LIMIT / 4096 - 1);
	ck_assert_uint_lt(nr, LIMIT / 4096);
	ck_assert_uint_eq(account.now[META_nodes], nr * 4096);

	used = arena_used(arena);
	ck_assert_uint_le(used, LIMIT);
	ck_assert_ptr_null(arena_alloc(arena, 4096, META_nodes));
	ck_assert_ptr_null(arena_alloc(arena, UINT64_MAX, META_nodes));
	ck_assert_uint_eq(arena_used(arena), used);
	ck_assert_uint_eq(account.now[META_nodes], nr * 4096);
}
END_TEST

START_TEST(no_arena_is_larger_than_the_addresses_of_the_host)
{
	ck_assert_ptr_null(arena_create(UINT64_C(1) << 62, &account));
	ck_assert_ptr_null(arena_create(UINT64_MAX - 5, &account));
}
END_TEST

/*
 *   saved:     | A 1 1 | B 2 2 |
 *   later:     | A 9 9 | free  | C 3 3 |      B is given back, C is new
 *   restored:  | A 1 1 | B 2 2 | 0 0 ...
 */
START_TEST(a_snapshot_comes_back_in_place)
{
	unsigned char *a = arena_alloc(arena, 64, META_nodes);
	unsigned char *b = arena_alloc(arena, 128, META_structures);
	unsigned char *c;
	struct meta_account saved;
	uint64_t used = arena_used(arena);
	void *snapshot = malloc((size_t)arena_snapshot_bytes(arena));

	memset(a, 1, 64);
	memset(b, 2, 128);
	saved = account;
	arena_save(arena, snapshot);

	memset(a, 9, 64);
	arena_free(arena, b, 128, META_structures);
	c = arena_alloc(arena, 300, META_nodes);
	memset(c, 3, 300);

	arena_restore(arena, snapshot);
	ck_assert(all_bytes_are(a, 1, 64));
	ck_assert(all_bytes_are(b, 2, 128));
	ck_assert_uint_eq(arena_used(arena), used);
	ck_assert_mem_eq(&account, &saved, sizeof(account));

	ck_assert_ptr_eq(arena_alloc(arena, 300, META_nodes), c);
	ck_assert(all_bytes_are(c, 0, 300));
	free(snapshot);
}
END_TEST

/*
 *   saved:     | a ...              |           | limit
 *   later:     | a ...              | b 9 9 9 9 | limit
 *   restored:  | a ...              | 0 0 0 0 0 | and nothing beyond
 */
START_TEST(what_came_after_a_snapshot_is_zero_up_to_the_limit)
{
	const uint64_t later = LIMIT / 4;
	unsigned char *b;
	void *snapshot;

	ck_assert_ptr_nonnull(arena_alloc(arena, LIMIT / 2, META_nodes));
	snapshot = malloc((size_t)arena_snapshot_bytes(arena));
	arena_save(arena, snapshot);
	b = arena_alloc(arena, later, META_nodes);
	ck_assert_ptr_nonnull(b);
	memset(b, 9, (size_t)later);
	arena_restore(arena, snapshot);
	ck_assert(all_bytes_are(b, 0, (size_t)later));
	free(snapshot);
}
END_TEST

/* A block that was free in the snapshot is free again, and only once. */
START_TEST(a_snapshot_holds_the_free_blocks)
{
	void *a = arena_alloc(arena, 64, META_nodes);
	void *snapshot;

	arena_free(arena, a, 64, META_nodes);
	snapshot = malloc((size_t)arena_snapshot_bytes(arena));
	arena_save(arena, snapshot);
	for (int i = 0; i < 3; i++) {
		ck_assert_ptr_eq(arena_alloc(arena, 64, META_nodes), a);
		ck_assert_ptr_ne(arena_alloc(arena, 64, META_nodes), a);
		arena_restore(arena, snapshot);
	}
	free(snapshot);
}
END_TEST

struct live {
	unsigned char *ptr;
	uint64_t bytes;
	unsigned char fill;
};

/* Every live block keeps its bytes whatever happens to the others. */
START_TEST(random_blocks_never_overlap)
{
	static const uint64_t some[] = { 1, 64, 65, 200, 512, 4096, 65536 };
	struct live live[24] = { { NULL, 0, 0 } };
	uint64_t charged = 0;
	struct rng rng;

	rng_seed(&rng, 1);
	for (int step = 0; step < 20000; step++) {
		struct live *l = &live[rng_below(&rng, ARRAY_SIZE(live))];

		if (l->ptr) {
			ck_assert_msg(all_bytes_are(l->ptr, l->fill,
						    (size_t)l->bytes),
				      "seed 1, step %d", step);
			arena_free(arena, l->ptr, l->bytes, META_nodes);
			charged -= l->bytes;
			l->ptr = NULL;
			continue;
		}
		l->bytes = some[rng_below(&rng, ARRAY_SIZE(some))];
		l->fill = (unsigned char)rng_next(&rng);
		l->ptr = arena_alloc(arena, l->bytes, META_nodes);
		if (!l->ptr)
			continue;
		ck_assert(all_bytes_are(l->ptr, 0, (size_t)l->bytes));
		memset(l->ptr, l->fill, (size_t)l->bytes);
		charged += l->bytes;
		ck_assert_uint_eq(account.now[META_nodes], charged);
	}
	ck_assert_uint_gt(account.peak[META_nodes], 65536);
}
END_TEST

START_TEST(every_column_has_a_name_and_says_what_it_holds)
{
	ck_assert_str_eq(meta_column_names[META_descriptors], "descriptors");
	ck_assert_str_eq(meta_column_names[META_parked], "parked");
	for (int i = 0; i < NR_META_COLUMNS; i++) {
		ck_assert_str_ne(meta_column_names[i], "");
		ck_assert_str_ne(meta_column_help[i], "");
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("arena");
	TCase *t = tcase_create("arena");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, memory_is_zero_and_aligned_when_fresh_and_when_reused,
			    0, ARRAY_SIZE(sizes));
	tcase_add_test(t, a_column_is_charged_what_was_asked_for_and_keeps_its_peak);
	tcase_add_test(t, only_the_part_that_exists_can_be_charged);
	tcase_add_test(t, a_block_given_back_serves_its_own_size_only);
	tcase_add_test(t, what_is_given_back_needs_no_new_memory);
	tcase_add_test(t, the_limit_is_kept_and_a_refusal_costs_nothing);
	tcase_add_test(t, no_arena_is_larger_than_the_addresses_of_the_host);
	tcase_add_test(t, a_snapshot_comes_back_in_place);
	tcase_add_test(t, what_came_after_a_snapshot_is_zero_up_to_the_limit);
	tcase_add_test(t, a_snapshot_holds_the_free_blocks);
	tcase_add_test(t, random_blocks_never_overlap);
	tcase_add_test(t, every_column_has_a_name_and_says_what_it_holds);
	suite_add_tcase(s, t);
	return run_suite(s);
}
