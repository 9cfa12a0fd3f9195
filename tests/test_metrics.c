/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_metrics.c - the kernel's indices, worked out by hand, and the tax */
#include <check.h>
#include <stdlib.h>

#include "alloc/registry.h"
#include "base/rng.h"
#include "sim/metrics/fragmentation.h"
#include "sim/metrics/sample.h"
#include "sim/metrics/tax.h"
#include "tests/suite.h"

/*
 * The kernel's formulas on small numbers. F pages in B blocks:
 *   unusable = 1000 (F - usable) / F, extfrag = 1000 - (1000 + 1000 F / 2^k) / B
 */
static const struct {
	unsigned long nr_free[NR_PAGE_ORDERS];
	unsigned int order;
	unsigned int unusable;
	int extfrag;
} cases[] = {
	/* nothing free: unusable by definition, and no blocks to be scattered */
	{ { 0 }, 0, 1000, 0 },
	{ { 0 }, 9, 1000, 0 },
	/* 8 single pages, order 0 wanted: all of them serve */
	{ { 8 }, 0, 0, -1000 },
	/* order 1 wanted: none; (1000 + 4000) / 8 = 625 */
	{ { 8 }, 1, 1000, 375 },
	/* order 3 wanted, as many pages as needed: (1000 + 1000) / 8 = 250 */
	{ { 8 }, 3, 1000, 750 },
	/* order 9 wanted: lack of memory; (1000 + 15) / 8 = 126, rounded down */
	{ { 8 }, 9, 1000, 874 },
	/* one page: it is all lack of memory; (1000 + 1) / 1 */
	{ { 1 }, 9, 1000, -1 },
	/* 3 pages and one order-1 block: F = 5, order 1 has 2: 3/5 */
	{ { 3, 1 }, 1, 600, -1000 },
	/* 1 of order 0, 1 of order 1: F = 3; usable for order 1 is 2: 333.3 down */
	{ { 1, 1 }, 1, 333, -1000 },
	/* 1 page of 1025 is lost to order 9: 0.97, rounded down */
	{ { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 }, 9, 0, -1000 },
	/* 100 pages of 612 */
	{ { 100, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0 }, 9, 163, -1000 },
};

START_TEST(indices_are_those_of_the_kernel)
{
	ck_assert_uint_eq(unusable_free_index(cases[_i].nr_free, cases[_i].order),
			  cases[_i].unusable);
	ck_assert_int_eq(extfrag_index(cases[_i].nr_free, cases[_i].order),
			 cases[_i].extfrag);
}
END_TEST

START_TEST(indices_agree_with_their_definition_on_random_counts)
{
	struct rng rng;

	rng_seed(&rng, 20);
	for (int n = 0; n < 20000; n++) {
		unsigned long nr_free[NR_PAGE_ORDERS];
		unsigned int k = (unsigned int)rng_below(&rng, NR_PAGE_ORDERS);
		uint64_t pages = 0, usable = 0, blocks = 0;

		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
			nr_free[o] = rng_below(&rng, 3) ? 0 :
				(unsigned long)rng_below(&rng, 100000);
			pages += (uint64_t)nr_free[o] << o;
			usable += o >= k ? (uint64_t)nr_free[o] << o : 0;
			blocks += nr_free[o];
		}
		ck_assert(free_area_pages(nr_free) == pages);
		ck_assert(free_area_blocks(nr_free) == blocks);
		ck_assert(free_area_suitable(nr_free, k) << k == usable);
		if (!pages)
			continue;
		ck_assert_uint_eq(unusable_free_index(nr_free, k),
				  (unsigned int)((pages - usable) * 1000 / pages));
		ck_assert_int_eq(extfrag_index(nr_free, k), usable ? -1000 :
			1000 - (int)((1000 + pages * 1000 / (1UL << k)) / blocks));
	}
}
END_TEST

START_TEST(counts_of_a_terabyte_do_not_overflow)
{
	unsigned long nr_free[NR_PAGE_ORDERS] = { 0 };

	nr_free[0] = 1UL << 28;
	ck_assert_uint_eq(unusable_free_index(nr_free, 9), 1000);
	ck_assert_int_eq(extfrag_index(nr_free, 9), 999);
	nr_free[10] = 1UL << 18;
	ck_assert_uint_eq(unusable_free_index(nr_free, 9), 500);
}
END_TEST

START_TEST(the_2m_share_counts_pages_of_whole_pageblocks)
{
	static const unsigned long none[NR_PAGE_ORDERS];
	unsigned long nr_free[NR_PAGE_ORDERS] = { [0] = 512, [9] = 1, [10] = 1 };

	ck_assert_double_eq(free_share_2m(none), 0);
	ck_assert_double_eq_tol(free_share_2m(nr_free), 0.75, 1e-12);
	ck_assert_int_eq(largest_free_order(nr_free), 10);
	nr_free[10] = 0;
	ck_assert_int_eq(largest_free_order(nr_free), 9);
	ck_assert_int_eq(largest_free_order(none), -1);
}
END_TEST

START_TEST(what_lies_in_highmem_needs_no_lowmem)
{
	struct meta_account start = { .now = { 0 } }, end;
	struct tax tax;

	meta_charge(&start, META_descriptors, 1000);
	end = start;
	meta_charge(&end, META_nodes, 50);
	meta_charge_high(&end, META_nodes, 70);
	meta_uncharge(&end, META_nodes, 50);
	meta_charge(&end, META_structures, 20);
	meta_charge(&end, META_inband, 30);
	tax_compute(&tax, &start, &end);
	ck_assert(tax.lowmem_peak_bytes == 1050);
	meta_uncharge_high(&end, META_nodes, 70);
	ck_assert(end.lowmem == 1020);
	ck_assert(end.now[META_nodes] == 0);
}
END_TEST

START_TEST(growth_is_dynamic_and_what_was_there_at_the_start_is_static)
{
	struct meta_account start = { .now = { 0 } }, end;
	struct tax tax;

	meta_charge(&start, META_descriptors, 1000);
	meta_charge(&start, META_structures, 100);
	meta_charge(&start, META_nodes, 10);
	end = start;
	meta_charge(&end, META_nodes, 50);
	meta_charge(&end, META_structures, 7);
	meta_charge(&end, META_parked, 4);
	meta_uncharge(&end, META_nodes, 60);
	meta_uncharge(&end, META_parked, 4);
	tax_compute(&tax, &start, &end);
	ck_assert(tax.static_bytes == 1100);
	ck_assert(tax.dynamic_peak_bytes == 60 + 7);
	ck_assert(tax.dynamic_end_bytes == 7);
	ck_assert(tax.parked_peak_bytes == 4);
	ck_assert(tax.borrowed_bytes == 0);
}
END_TEST

/* Memory parked in per-CPU lists is free, and lowmem is counted already. */
START_TEST(the_whole_tax_is_the_sum_of_its_columns)
{
	const struct tax tax = {
		.static_bytes = 1, .dynamic_peak_bytes = 2, .allocatee_peak_bytes = 4,
		.caller_peak_bytes = 8, .borrowed_bytes = 16, .inband_peak_bytes = 32,
		.parked_peak_bytes = 64, .lowmem_peak_bytes = 128, .dynamic_end_bytes = 256,
	};

	ck_assert(tax_own(&tax) == 3);
	ck_assert(tax_total(&tax) == 63);
}
END_TEST

START_TEST(the_static_tax_is_in_percent_of_memory_that_exists)
{
	struct tax tax = { .static_bytes = 64 * 1024 };
	struct layout layout;

	ck_assert_int_eq(layout_flat(&layout, 1024, 1, NULL), 0);
	ck_assert_double_eq_tol(tax_percent(tax.static_bytes, &layout), 1.5625, 1e-9);
	layout_free(&layout);
}
END_TEST

START_TEST(the_largest_order_is_that_of_the_largest_block)
{
	unsigned long nr_free[NR_PAGE_ORDERS] = { 0 };

	ck_assert_int_eq(largest_free_order(nr_free), -1);
	for (int o = 0; o < (int)NR_PAGE_ORDERS; o++) {
		nr_free[o] = 1;
		ck_assert_int_eq(largest_free_order(nr_free), o);
	}
}
END_TEST

/* 1024 pages as one block, of which three are taken, and one more than there is asked. */
START_TEST(a_sample_is_what_the_allocator_and_its_machine_have_counted)
{
	const struct alloc_req req = { .migratetype = MIGRATE_MOVABLE };
	struct alloc_req large = { .order = MAX_PAGE_ORDER };
	struct sample_series series = { .nr = 0 };
	const struct sample *s;
	struct msg msg = { "" };
	struct allocator *a;
	struct machine *m;
	struct layout layout;

	ck_assert_int_eq(layout_flat(&layout, 1024, 1, &msg), 0);
	ck_assert_int_eq(machine_create(&m, &layout, WINDOW_ARITH, &msg), 0);
	ck_assert_int_eq(allocator_create(&a, "twoword:pcp=off", false, m, &msg), 0);
	allocator_release(a, 0, MAX_PAGE_ORDER);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_ne(alloc_pages(a, &req), PFN_NONE);
	ck_assert_uint_eq(alloc_pages(a, &large), PFN_NONE);
	ck_assert_int_eq(sample_take(&series, a, 70, 71), 0);
	ck_assert_uint_eq(series.nr, 1);
	s = &series.samples[0];
	ck_assert_uint_eq(s->time_ns, 70);
	ck_assert_uint_eq(s->ops, 71);
	ck_assert_uint_eq(s->allocated_pages, 3);
	ck_assert_uint_eq(s->failed_allocs, 1);
	ck_assert_uint_gt(s->meta_bytes[META_descriptors], 0);
	for (unsigned int c = 0; c < NR_META_COLUMNS; c++)
		ck_assert_uint_eq(s->meta_bytes[c], m->meta.now[c]);
	/* 1021 is what is left, cut at 4 */
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		ck_assert_uint_eq(s->nr_free[0][o], o == 0 || (o > 1 && o < MAX_PAGE_ORDER));
	sample_series_free(&series);
	allocator_destroy(a);
	machine_destroy(m);
	layout_free(&layout);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tc = tcase_create("metrics");

	tcase_add_loop_test(tc, indices_are_those_of_the_kernel, 0,
			    (int)ARRAY_SIZE(cases));
	tcase_add_test(tc, indices_agree_with_their_definition_on_random_counts);
	tcase_add_test(tc, counts_of_a_terabyte_do_not_overflow);
	tcase_add_test(tc, the_2m_share_counts_pages_of_whole_pageblocks);
	tcase_add_test(tc, growth_is_dynamic_and_what_was_there_at_the_start_is_static);
	tcase_add_test(tc, what_lies_in_highmem_needs_no_lowmem);
	tcase_add_test(tc, the_whole_tax_is_the_sum_of_its_columns);
	tcase_add_test(tc, the_static_tax_is_in_percent_of_memory_that_exists);
	tcase_add_test(tc, the_largest_order_is_that_of_the_largest_block);
	tcase_add_test(tc, a_sample_is_what_the_allocator_and_its_machine_have_counted);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
