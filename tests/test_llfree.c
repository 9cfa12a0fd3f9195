/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_llfree.c - bitfields, counters and reservations, and two threads at once
 *
 *    PAGETAX_THREAD_OPS   operations of both threads together; 1 million unless
 *                         told (build with SANITIZE=thread to look for races)
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "alloc/registry.h"
#include "base/rng.h"
#include "tests/suite.h"

#define CHILD 512UL			/* pages of 2 MiB */

static struct layout layout;
static struct machine *machine;
static struct allocator *a;

static void set_up(const char *spec, unsigned long nr_pages, unsigned int nr_cpus)
{
	struct msg msg = { "" };

	memset(&layout, 0, sizeof(layout));
	ck_assert_int_eq(layout_flat(&layout, nr_pages, nr_cpus, &msg), 0);
	layout_bound_lowmem(&layout);
	ck_assert_int_eq(machine_create(&machine, &layout, WINDOW_ARITH, &msg), 0);
	ck_assert_msg(allocator_create(&a, spec, false, machine, &msg) == 0,
		      "%s", msg.text);
	for (unsigned long pfn = 0; pfn < nr_pages; pfn += CHILD)
		allocator_release(a, pfn, 9);
}

static void tear_down(void)
{
	allocator_destroy(a);
	machine_destroy(machine);
	layout_free(&layout);
}

static unsigned long take_on(unsigned int cpu, unsigned int order)
{
	struct alloc_req req = {
		.order = order,
		.migratetype = MIGRATE_MOVABLE,
		.cpu = cpu,
	};

	return a->ops->alloc(a, &req);
}

static void expect_all_free(unsigned long nr_pages)
{
	unsigned long nr_free[NR_PAGE_ORDERS];
	struct page_counts counts;
	struct msg msg = { "" };

	allocator_drain(a);
	ck_assert_msg(allocator_verify(a, &msg) == 0, "%s", msg.text);
	allocator_counts(a, 0, &counts);
	ck_assert_uint_eq(counts.free, nr_pages);
	allocator_free_area(a, 0, nr_free);
	ck_assert_uint_eq(nr_free[MAX_PAGE_ORDER], nr_pages >> MAX_PAGE_ORDER);
}

START_TEST(each_order_is_served_aligned_until_memory_is_full)
{
	unsigned int order = (unsigned int)_i;
	unsigned long nr_pages = 20 * CHILD, nr = 0;
	uint8_t seen[20 * CHILD] = { 0 };
	unsigned long pfn;

	set_up("llfree", nr_pages, 1);
	while ((pfn = take_on(0, order)) != PFN_NONE) {
		if (pfn & ((1UL << order) - 1) || pfn + (1UL << order) > nr_pages)
			ck_abort_msg("pfn %lu is no block of order %u", pfn, order);
		for (unsigned long p = pfn; p < pfn + (1UL << order); p++)
			if (seen[p]++)
				ck_abort_msg("page %lu was given out twice", p);
		nr++;
	}
	ck_assert_uint_eq(nr, nr_pages >> order);
	for (unsigned long p = 0; p < nr_pages; p += 1UL << order)
		a->ops->free(a, p, order, 0);
	expect_all_free(nr_pages);
	tear_down();
}
END_TEST

START_TEST(cpus_keep_to_trees_of_their_own)
{
	unsigned long tree = 8 * CHILD;

	set_up("llfree", 16 * tree, 2);
	for (int i = 0; i < 1000; i++) {
		unsigned long one = take_on(0, 0), other = take_on(1, 0);

		if (one / tree == other / tree)
			ck_abort_msg("pages %lu and %lu are of one tree", one, other);
	}
	tear_down();
}
END_TEST

/* The last free page is in the tree that the other CPU has reserved. */
START_TEST(a_reservation_keeps_no_page_from_another_cpu)
{
	unsigned long nr_pages = 8 * CHILD, nr = 0;

	set_up("llfree", nr_pages, 2);
	take_on(0, 0);
	while (take_on(1, 0) != PFN_NONE)
		nr++;
	ck_assert_uint_eq(nr, nr_pages - 1);
	tear_down();
}
END_TEST

/* Where a CPU goes for its next tree, with 32 of them. */
#define TREE (8 * CHILD)

static unsigned long tree_of_next(unsigned int cpu)
{
	return take_on(cpu, 0) / TREE;
}

static void fill_tree(unsigned int cpu)
{
	for (unsigned long i = 0; i < TREE; i++)
		if (take_on(cpu, 0) == PFN_NONE)
			ck_abort_msg("no page %lu", i);
}

START_TEST(cpus_begin_far_apart)
{
	set_up("llfree", 32 * TREE, 2);
	ck_assert_uint_eq(tree_of_next(1), 8);
	ck_assert_uint_eq(tree_of_next(0), 0);
	tear_down();
}
END_TEST

START_TEST(a_tree_partly_used_comes_before_one_wholly_free)
{
	set_up("llfree", 32 * TREE, 2);
	take_on(0, 0);
	allocator_drain(a);
	ck_assert_uint_eq(tree_of_next(1), 0);
	tear_down();
}
END_TEST

/* Tree 8 has 300 pages left, tree 9 all but 200. */
START_TEST(of_the_trees_around_the_one_with_least_left_is_taken)
{
	set_up("llfree", 32 * TREE, 2);
	fill_tree(1);
	for (int i = 0; i < 200; i++)
		ck_assert_uint_eq(tree_of_next(1), 9);
	for (unsigned long page = 0; page < 300; page++)
		a->ops->free(a, 8 * TREE + page, 0, 1);
	allocator_drain(a);
	ck_assert_uint_eq(tree_of_next(1), 8);
	tear_down();
}
END_TEST

START_TEST(what_others_free_into_a_cpus_tree_is_taken_before_another_tree)
{
	set_up("llfree", 32 * TREE, 2);
	fill_tree(0);
	take_on(1, 0);
	for (unsigned long page = 0; page < 10; page++)
		a->ops->free(a, page, 0, 1);
	for (int i = 0; i < 10; i++)
		ck_assert_uint_eq(tree_of_next(0), 0);
	ck_assert_uint_eq(tree_of_next(0), 1);
	tear_down();
}
END_TEST

START_TEST(a_huge_block_split_is_freed_page_by_page)
{
	unsigned long pfn;

	set_up("llfree", 8 * CHILD, 1);
	pfn = take_on(0, 9);
	ck_assert(allocator_split(a, pfn, 9, 0));
	for (unsigned long p = pfn; p < pfn + CHILD; p++)
		a->ops->free(a, p, 0, 0);
	expect_all_free(8 * CHILD);
	tear_down();
}
END_TEST

static const struct { const char *spec; double bits; } footprints[] = {
	{ "llfree:children=8", 1.137 },
	{ "llfree:children=32", 1.037 },
};

/* Measured of the published code (peers.md): 1.137 and 1.037 bits a frame. */
START_TEST(a_page_costs_little_more_than_a_bit)
{
	unsigned long nr_pages = 1UL << 22;
	double bits;

	set_up(footprints[_i].spec, nr_pages, 8);
	bits = 8.0 * (double)machine->meta.now[META_structures] / (double)nr_pages;
	ck_assert_double_eq_tol(bits, footprints[_i].bits, 0.006);
	ck_assert_uint_eq(machine->meta.now[META_descriptors], 0);
	tear_down();
}
END_TEST

/* --- two threads ------------------------------------------------------ */

#define THREAD_PAGES (32 * CHILD)
#define MOST_HELD 4096

struct hammer {
	pthread_t thread;
	unsigned int cpu;
	uint64_t nr_ops;
	uint64_t nr_doubles;		/* pages that had an owner already */
	uint64_t nr_served;
	struct { unsigned long pfn; unsigned int order; } held[MOST_HELD];
	size_t nr_held;
};

static _Atomic uint8_t owner[THREAD_PAGES];

static void own(struct hammer *h, unsigned long pfn, unsigned int order,
		uint8_t from, uint8_t to)
{
	for (unsigned long p = pfn; p < pfn + (1UL << order); p++)
		if (atomic_exchange_explicit(&owner[p], to, memory_order_relaxed) != from)
			h->nr_doubles++;
}

static void give_back(struct hammer *h, size_t i)
{
	own(h, h->held[i].pfn, h->held[i].order, (uint8_t)(h->cpu + 1), 0);
	a->ops->free(a, h->held[i].pfn, h->held[i].order, h->cpu);
	h->held[i] = h->held[--h->nr_held];
}

static void *hammer_run(void *arg)
{
	struct hammer *h = arg;
	struct rng rng;

	rng_seed(&rng, 1 + h->cpu);
	for (uint64_t op = 0; op < h->nr_ops; op++) {
		unsigned int order = 0;
		unsigned long pfn;

		if (h->nr_held == MOST_HELD ||
		    (h->nr_held && rng_below(&rng, 100) < 48)) {
			give_back(h, (size_t)rng_below(&rng, h->nr_held));
			continue;
		}
		while (order < 9 && rng_below(&rng, 3) == 0)
			order++;
		pfn = take_on(h->cpu, order);
		if (pfn == PFN_NONE)
			continue;
		own(h, pfn, order, 0, (uint8_t)(h->cpu + 1));
		h->held[h->nr_held].pfn = pfn;
		h->held[h->nr_held++].order = order;
		h->nr_served++;
	}
	while (h->nr_held)
		give_back(h, h->nr_held - 1);
	return NULL;
}

/* With a tree for both of them, and with enough for each. */
START_TEST(two_threads_lose_no_page_and_share_none)
{
	static struct hammer hammers[2];
	const char *text = getenv("PAGETAX_THREAD_OPS");
	uint64_t nr_ops = text && *text ? strtoull(text, NULL, 0) : 1000000;

	set_up(_i ? "llfree:children=32" : "llfree", THREAD_PAGES, 2);
	for (unsigned int i = 0; i < 2; i++) {
		hammers[i] = (struct hammer){ .cpu = i, .nr_ops = nr_ops / 4 };
		ck_assert_int_eq(pthread_create(&hammers[i].thread, NULL,
						hammer_run, &hammers[i]), 0);
	}
	for (unsigned int i = 0; i < 2; i++) {
		ck_assert_int_eq(pthread_join(hammers[i].thread, NULL), 0);
		ck_assert_uint_eq(hammers[i].nr_doubles, 0);
		ck_assert_uint_gt(hammers[i].nr_served, nr_ops / 16);
	}
	expect_all_free(THREAD_PAGES);
	tear_down();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("llfree");
	TCase *tc = tcase_create("one thread"), *threads = tcase_create("two threads");

	tcase_add_loop_test(tc, each_order_is_served_aligned_until_memory_is_full, 0, 10);
	tcase_add_test(tc, cpus_keep_to_trees_of_their_own);
	tcase_add_test(tc, a_reservation_keeps_no_page_from_another_cpu);
	tcase_add_test(tc, cpus_begin_far_apart);
	tcase_add_test(tc, a_tree_partly_used_comes_before_one_wholly_free);
	tcase_add_test(tc, of_the_trees_around_the_one_with_least_left_is_taken);
	tcase_add_test(tc, what_others_free_into_a_cpus_tree_is_taken_before_another_tree);
	tcase_add_test(tc, a_huge_block_split_is_freed_page_by_page);
	tcase_add_loop_test(tc, a_page_costs_little_more_than_a_bit, 0,
			    ARRAY_SIZE(footprints));
	suite_add_tcase(suite, tc);
	tcase_set_timeout(threads, 0);
	tcase_add_loop_test(threads, two_threads_lose_no_page_and_share_none, 0, 2);
	suite_add_tcase(suite, threads);
	return run_suite(suite);
}
