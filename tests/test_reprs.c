/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_reprs.c - what each page representation costs is what it says it costs
 *
 * That they all decide alike and keep their books is the business of the
 * conformance suite, the model and the exploration; here are sizes, maps and
 * limits.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "alloc/registry.h"
#include "tests/suite.h"

static struct layout layout;
static struct machine *machine;
static struct allocator *a;

static void set_up(const char *spec, unsigned long nr_pages, bool highmem)
{
	struct msg msg = { "" };

	memset(&layout, 0, sizeof(layout));
	ck_assert_int_eq(layout_flat(&layout, nr_pages, 1, &msg), 0);
	layout.highmem_pfn = highmem ? 0 : PFN_NONE;
	ck_assert_int_eq(machine_create(&machine, &layout, WINDOW_ARITH, &msg), 0);
	ck_assert_msg(allocator_create(&a, spec, false, machine, &msg) == 0,
		      "%s", msg.text);
}

static void tear_down(void)
{
	allocator_destroy(a);
	machine_destroy(machine);
	layout_free(&layout);
}

static unsigned long take(unsigned int order)
{
	struct alloc_req req = { .order = order, .migratetype = MIGRATE_MOVABLE };

	return alloc_pages(a, &req);
}

static const struct { const char *spec; unsigned int bytes; } descriptors[] = {
	{ "linked", sizeof(long) == 8 ? 64 : 32 },
	{ "twoword", 2 * sizeof(long) },
	{ "embedded16", 16 },
	{ "packed8", 8 },
	{ "inpage", 8 },
	{ "memdesc", 8 },
};

START_TEST(a_page_costs_its_descriptor)
{
	set_up(descriptors[_i].spec, 4096, false);
	ck_assert_uint_eq(machine->meta.now[META_descriptors],
			  4096 * descriptors[_i].bytes);
	ck_assert_uint_eq(a->ops->desc_bytes, descriptors[_i].bytes);
	tear_down();
}
END_TEST

/* With 2^29 pages, the last pfn is a link of 29 ones. */
START_TEST(links_of_29_bits_reach_two_tebibytes_and_no_farther)
{
	struct msg msg = { "" };

	if (sizeof(void *) < 8)
		return;		/* no 32-bit machine comes near */
	set_up("packed8", 1UL << 29, false);
	allocator_release(a, (1UL << 29) - 1, 0);
	allocator_release(a, (1UL << 29) - 3, 0);
	allocator_release(a, (1UL << 29) - 5, 0);
	ck_assert_uint_eq(take(0), (1UL << 29) - 5);
	ck_assert_uint_eq(take(0), (1UL << 29) - 3);
	ck_assert_uint_eq(take(0), (1UL << 29) - 1);
	ck_assert_uint_eq(take(0), PFN_NONE);
	tear_down();

	ck_assert_int_eq(layout_flat(&layout, (1UL << 29) + 1, 1, &msg), 0);
	ck_assert_int_eq(machine_create(&machine, &layout, WINDOW_ARITH, &msg), 0);
	ck_assert_int_eq(allocator_create(&a, "packed8", false, machine, &msg),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(msg.text, "2048 GiB"));
	machine_destroy(machine);
	layout_free(&layout);
}
END_TEST

/* The list of order 0 gets 0, then 2, then 4 at its head, and loses the middle one. */
START_TEST(links_inside_free_pages_take_a_map_for_each_page_touched)
{
	static const unsigned long maps[] = { 1, 1 + 2, 1 + 2 + 2 };

	set_up("inpage", 64, true);
	for (unsigned int i = 0; i < 3; i++) {
		allocator_release(a, 2 * i, 0);
		ck_assert_uint_eq(machine->kmap.calls, maps[i]);
	}
	ck_assert_uint_eq(machine->meta.now[META_inband], 3 * 2 * sizeof(long));

	/* 3 joins 2: three maps take 2 off its list, one puts [2 3] on another. */
	allocator_release(a, 3, 0);
	ck_assert_uint_eq(machine->kmap.calls, 5 + 3 + 1);
	ck_assert_uint_eq(machine->kmap.max_depth, 1);
	ck_assert_uint_eq(machine->meta.now[META_inband], 3 * 2 * sizeof(long));
	tear_down();

	set_up("inpage", 64, false);
	allocator_release(a, 0, 0);
	ck_assert_uint_eq(machine->kmap.calls, 0);
	tear_down();
}
END_TEST

static unsigned long checkerboard(unsigned long nr_pages)
{
	unsigned long nr = 0;

	while (take(0) != PFN_NONE)
		;
	for (unsigned long pfn = 0; pfn < nr_pages; pfn += 2) {
		struct page_info info;

		allocator_query(a, pfn, &info);
		if (info.state != PAGE_STATE_ALLOCATED)
			continue;
		free_pages(a, pfn, 0, 0);
		nr++;
	}
	return nr;
}

/*
 * Descriptors, and 48.9 bytes for each free and each allocated block: a page
 * and the 64 bytes that describe it hold 85 structs. What is counted differs
 * by one page in part, and by what is held in reserve.
 */
START_TEST(a_struct_for_each_block_costs_what_the_formula_says)
{
	const unsigned long nr_pages = 1UL << 15;
	const double each = (4096 + 64) / 85.0;
	unsigned long nr_free[NR_PAGE_ORDERS];
	unsigned long nr_blocks = 0;
	double counted, formula;

	set_up("memdesc:pcp=off", nr_pages, false);
	for (unsigned long pfn = 0; pfn < nr_pages; pfn += 1UL << MAX_PAGE_ORDER)
		allocator_release(a, pfn, MAX_PAGE_ORDER);
	checkerboard(nr_pages);
	allocator_free_area(a, 0, nr_free);
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		nr_blocks += nr_free[order];
	nr_blocks += a->stats.pages_allocated;		/* each of order 0 */

	formula = 8.0 * (double)nr_pages + each * (double)nr_blocks;
	counted = (double)(machine->meta.now[META_descriptors] +
			   machine->meta.now[META_nodes]);
	ck_assert_double_ge(counted, formula);
	ck_assert_double_le(counted, formula + 2 * (4096 + 64));
	tear_down();
}
END_TEST

/*
 * The naive variant: with nothing held in reserve a split cannot be paid, and
 * a request fails beside a free block of 1024 pages.
 */
START_TEST(without_a_reserve_a_request_fails_while_memory_is_free)
{
	unsigned int served[2] = { 0, 0 };

	for (int reserve = 0; reserve < 2; reserve++) {
		set_up(reserve ? "memdesc:pcp=off" : "memdesc:pcp=off:reserve=0",
		       1UL << 12, false);
		for (unsigned long pfn = 0; pfn < 1UL << 12; pfn += 1UL << MAX_PAGE_ORDER)
			allocator_release(a, pfn, MAX_PAGE_ORDER);
		while (take(0) != PFN_NONE)
			served[reserve]++;
		ck_assert_uint_eq(a->stats.unsecured > 0, !reserve);
		tear_down();
	}
	ck_assert_uint_lt(served[0], 100);
	ck_assert_uint_gt(served[1], 4000);
}
END_TEST

/* A free takes no struct and gives one back for each merge. */
START_TEST(a_free_secures_nothing)
{
	unsigned long pfn;

	set_up("memdesc:pcp=off", 1UL << 12, true);
	for (pfn = 0; pfn < 1UL << 12; pfn += 1UL << MAX_PAGE_ORDER)
		allocator_release(a, pfn, MAX_PAGE_ORDER);
	checkerboard(1UL << 12);
	for (pfn = 1; pfn < 1UL << 12; pfn += 2) {
		struct page_info info;

		allocator_query(a, pfn, &info);
		if (info.state == PAGE_STATE_ALLOCATED)
			free_pages(a, pfn, 0, 0);
	}
	ck_assert_uint_eq(machine->free_path_allocations, 0);
	ck_assert_uint_eq(a->stats.pages_allocated, 0);
	ck_assert_uint_gt(a->stats.released, 0);
	ck_assert_uint_gt(machine->kmap.calls, 0);
	tear_down();
}
END_TEST

/* Bytes that leaves set aside cost a page, lists at their longest: half the pages. */
static const struct { const char *spec; unsigned int bytes; } pools[] = {
	{ "twoword:pcp=off:nodes=boot", 2 },
	{ "twoword:pcp=off:nodes=boot:inline=0", 2 },
	{ "twoword:pcp=off:nodes=boot:entry=8", 4 },
	{ "twoword:pcp=off:nodes=boot:removal=punch", 4 },
};

START_TEST(leaves_set_aside_are_enough_for_every_second_page)
{
	const unsigned long nr_pages = 1UL << 18;
	uint64_t structures[2];
	struct msg msg = { "" };

	for (int pool = 0; pool < 2; pool++) {
		set_up(pool ? pools[_i].spec : "twoword:pcp=off", nr_pages, true);
		for (unsigned long pfn = 0; pfn < nr_pages; pfn += 1UL << MAX_PAGE_ORDER)
			allocator_release(a, pfn, MAX_PAGE_ORDER);
		ck_assert_uint_eq(checkerboard(nr_pages), nr_pages / 2);
		ck_assert_msg(allocator_verify(a, &msg) == 0, "%s", msg.text);
		ck_assert(pool ? a->stats.nodes_peak == 0 : a->stats.nodes_peak > 0);
		ck_assert_uint_eq(machine->free_path_allocations, 0);
		structures[pool] = machine->meta.now[META_structures];
		tear_down();
	}
	ck_assert_uint_ge(structures[1] - structures[0], pools[_i].bytes * nr_pages);
	ck_assert_uint_le(structures[1] - structures[0],
			  pools[_i].bytes * nr_pages + 132 * 4096);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("representations");
	TCase *tc = tcase_create("costs");

	tcase_add_loop_test(tc, a_page_costs_its_descriptor, 0,
			    ARRAY_SIZE(descriptors));
	tcase_add_test(tc, links_of_29_bits_reach_two_tebibytes_and_no_farther);
	tcase_add_test(tc, links_inside_free_pages_take_a_map_for_each_page_touched);
	tcase_add_test(tc, a_struct_for_each_block_costs_what_the_formula_says);
	tcase_add_test(tc, without_a_reserve_a_request_fails_while_memory_is_free);
	tcase_add_test(tc, a_free_secures_nothing);
	tcase_add_loop_test(tc, leaves_set_aside_are_enough_for_every_second_page, 0,
			    ARRAY_SIZE(pools));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
