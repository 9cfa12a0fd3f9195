/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_hybrid.c - the fourteen defects of the code that was posted
 *
 * Each test has the number of its defect (d01 to d14) in the reference, and
 * says how the backend behaves where the posted code did not compile, crashed
 * or lost count; the two that hand out wrong pages are shown both ways.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include <check.h>

#include "alloc/registry.h"
#include "tests/suite.h"

#define ENTRY (8 * sizeof(long))	/* pages of one entry */

static struct layout layout;
static struct machine *machine;
static struct allocator *a;

static void set_up_at(const char *spec, unsigned long start_pfn,
		      unsigned long nr_pages)
{
	struct msg msg = { "" };

	memset(&layout, 0, sizeof(layout));
	ck_assert_int_eq(layout_flat(&layout, nr_pages, 1, &msg), 0);
	layout.zones[0].start_pfn = start_pfn;
	layout_bound_lowmem(&layout);
	ck_assert_int_eq(machine_create(&machine, &layout, WINDOW_ARITH, &msg), 0);
	ck_assert_msg(allocator_create(&a, spec, false, machine, &msg) == 0,
		      "%s", msg.text);
}

static void set_up(const char *spec, unsigned long nr_pages)
{
	set_up_at(spec, 0, nr_pages);
}

static void release(unsigned long from, unsigned long to)
{
	for (unsigned long pfn = from; pfn < to; pfn++)
		allocator_release(a, pfn, 0);
}

static void tear_down(void)
{
	allocator_destroy(a);
	machine_destroy(machine);
	layout_free(&layout);
}

static unsigned long take(void)
{
	struct alloc_req req = { .order = 0, .migratetype = MIGRATE_MOVABLE };

	return alloc_pages(a, &req);
}

static void expect_verified(void)
{
	struct msg msg = { "" };

	ck_assert_msg(allocator_verify(a, &msg) == 0, "%s", msg.text);
}

START_TEST(d01_the_bit_found_is_the_page_returned)
{
	set_up("hybrid", ENTRY);
	release(5, 8);
	ck_assert_uint_eq(take(), 5);
	ck_assert_uint_eq(take(), 6);
	tear_down();
}
END_TEST

START_TEST(d02_masks_are_as_wide_as_the_word)
{
	set_up("hybrid", ENTRY);
	release(0, ENTRY);
	for (unsigned long pfn = 0; pfn < ENTRY; pfn++)
		if (take() != pfn)
			ck_abort_msg("page %lu was lost", pfn);
	free_pages(a, ENTRY - 1, 0, 0);
	expect_verified();
	ck_assert_uint_eq(take(), ENTRY - 1);
	tear_down();
}
END_TEST

START_TEST(d02_as_posted_an_entry_yields_32_of_64_pages)
{
	struct msg msg;

	if (ENTRY < 64)
		return;
	set_up("hybrid:as-posted=on", ENTRY);
	release(0, ENTRY);
	for (unsigned long pfn = 0; pfn < 32; pfn++)
		ck_assert_uint_eq(take(), pfn);
	ck_assert_uint_eq(take(), PFN_NONE);
	ck_assert_int_eq(allocator_verify(a, &msg), -EUCLEAN);
	tear_down();
}
END_TEST

START_TEST(d02_as_posted_the_same_page_is_handed_out_for_ever)
{
	struct msg msg;

	if (ENTRY < 64)
		return;
	set_up("hybrid:as-posted=on", ENTRY);
	release(32, ENTRY);
	for (int i = 0; i < 1000; i++)
		if (take() != 32)
			ck_abort_msg("request %d got another page", i);
	ck_assert_int_eq(allocator_verify(a, &msg), -EUCLEAN);
	tear_down();
}
END_TEST

START_TEST(d03_nothing_left_is_a_failure_and_no_crash)
{
	set_up("hybrid", ENTRY);
	ck_assert_uint_eq(take(), PFN_NONE);
	release(3, 4);
	ck_assert_uint_eq(take(), 3);
	ck_assert_uint_eq(take(), PFN_NONE);
	ck_assert_uint_eq(a->stats.failed_allocs, 2);
	tear_down();
}
END_TEST

START_TEST(d04_frame_0_is_a_page_like_any_other)
{
	set_up("hybrid", ENTRY);
	release(0, 1);
	ck_assert_uint_eq(take(), 0);
	ck_assert_uint_eq(a->stats.failed_allocs, 0);
	tear_down();
}
END_TEST

START_TEST(d05_a_page_freed_in_a_full_entry_is_handed_out_next)
{
	set_up("hybrid", 3 * ENTRY);
	release(0, 3 * ENTRY);
	while (take() != PFN_NONE)
		;
	free_pages(a, ENTRY + 7, 0, 0);
	ck_assert_uint_eq(take(), ENTRY + 7);
	ck_assert_uint_eq(take(), PFN_NONE);
	tear_down();
}
END_TEST

/* The bottom's `next` is empty, as that of an entry off the stack is. */
START_TEST(d06_the_bottom_of_the_stack_is_not_pushed_again)
{
	set_up("hybrid", 2 * ENTRY);
	release(0, 2);
	release(ENTRY, ENTRY + 1);
	ck_assert_uint_eq(take(), ENTRY);
	ck_assert_uint_eq(take(), 0);
	free_pages(a, 0, 0, 0);
	expect_verified();
	free_pages(a, ENTRY, 0, 0);
	expect_verified();
	ck_assert_uint_eq(take(), ENTRY);
	ck_assert_uint_eq(take(), 0);
	ck_assert_uint_eq(take(), 1);
	ck_assert_uint_eq(take(), PFN_NONE);
	tear_down();
}
END_TEST

START_TEST(d07_a_double_free_is_noticed)
{
	set_up("hybrid", ENTRY);
	release(0, 4);
	take();
	free_pages(a, 0, 0, 0);
	free_pages(a, 0, 0, 0);
}
END_TEST

START_TEST(d07_a_reserved_page_that_is_freed_is_noticed)
{
	set_up("hybrid", ENTRY);
	release(0, 4);
	free_pages(a, 9, 0, 0);
}
END_TEST

START_TEST(d08_a_page_outside_of_memory_is_noticed)
{
	set_up("hybrid", ENTRY - 2);
	release(0, 4);
	free_pages(a, ENTRY - 1, 0, 0);
}
END_TEST

START_TEST(d09_a_new_allocator_has_an_empty_stack_and_the_last_released_comes_first)
{
	set_up("hybrid", 3 * ENTRY);
	expect_verified();
	ck_assert_uint_eq(take(), PFN_NONE);
	release(0, 3 * ENTRY);
	expect_verified();
	ck_assert_uint_eq(take(), 2 * ENTRY);
	tear_down();
}
END_TEST

START_TEST(d10_the_tail_of_the_last_entry_is_in_use)
{
	unsigned long nr = 0;

	set_up("hybrid", ENTRY + 5);
	release(0, ENTRY + 5);
	expect_verified();
	while (take() != PFN_NONE)
		nr++;
	ck_assert_uint_eq(nr, ENTRY + 5);
	tear_down();
}
END_TEST

/* 64 GiB on a PAE machine end at pfn 2^24: in bytes, too much for 32 bits. */
START_TEST(d11_pages_beyond_4_gib_have_their_own_numbers)
{
	set_up_at("hybrid", (1UL << 24) - 2 * ENTRY - 3, 2 * ENTRY + 3);
	release((1UL << 24) - 2, 1UL << 24);
	ck_assert_uint_eq(take(), (1UL << 24) - 2);
	ck_assert_uint_eq(take(), (1UL << 24) - 1);
	ck_assert_uint_eq(take(), PFN_NONE);
	tear_down();
}
END_TEST

START_TEST(d12_it_does_not_claim_to_work_without_a_lock)
{
	ck_assert(!registry_find("hybrid")->caps.lockfree);
}
END_TEST

START_TEST(d13_an_entry_full_of_pages_in_use_never_reaches_the_stack)
{
	set_up("hybrid", 2 * ENTRY);
	for (unsigned long pfn = 0; pfn < ENTRY; pfn++)
		ck_assert_int_eq(allocator_adopt(a, pfn, 0), 0);
	release(ENTRY, ENTRY + 1);
	expect_verified();
	ck_assert_uint_eq(take(), ENTRY);
	ck_assert_uint_eq(take(), PFN_NONE);
	free_pages(a, 5, 0, 0);
	expect_verified();
	ck_assert_uint_eq(take(), 5);
	tear_down();
}
END_TEST

START_TEST(d14_blocks_are_refused_and_counted)
{
	struct alloc_req req = { .order = 1, .migratetype = MIGRATE_MOVABLE };

	set_up("hybrid", ENTRY);
	release(0, ENTRY);
	ck_assert_uint_eq(alloc_pages(a, &req), PFN_NONE);
	ck_assert_uint_eq(a->stats.refused, 1);
	ck_assert_uint_eq(a->stats.failed_allocs, 1);
	tear_down();
}
END_TEST

/* "Twice the bitmap", though a third is kept to notice what is freed wrongly. */
START_TEST(entries_cost_two_bits_a_page)
{
	static const char *const specs[] = { "hybrid", "hybrid:as-posted=on" };
	uint64_t bytes;

	set_up(specs[_i], 1 << 16);
	bytes = machine->meta.now[META_structures];
	tear_down();
	set_up(specs[_i], 1 << 17);
	ck_assert_uint_eq(machine->meta.now[META_structures] - bytes, 2 << 13);
	tear_down();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hybrid");
	TCase *tc = tcase_create("defects");

	tcase_add_test(tc, d01_the_bit_found_is_the_page_returned);
	tcase_add_test(tc, d02_masks_are_as_wide_as_the_word);
	tcase_add_test(tc, d02_as_posted_an_entry_yields_32_of_64_pages);
	tcase_add_test(tc, d02_as_posted_the_same_page_is_handed_out_for_ever);
	tcase_add_test(tc, d03_nothing_left_is_a_failure_and_no_crash);
	tcase_add_test(tc, d04_frame_0_is_a_page_like_any_other);
	tcase_add_test(tc, d05_a_page_freed_in_a_full_entry_is_handed_out_next);
	tcase_add_test(tc, d06_the_bottom_of_the_stack_is_not_pushed_again);
	tcase_add_test_raise_signal(tc, d07_a_double_free_is_noticed, SIGABRT);
	tcase_add_test_raise_signal(tc, d07_a_reserved_page_that_is_freed_is_noticed, SIGABRT);
	tcase_add_test_raise_signal(tc, d08_a_page_outside_of_memory_is_noticed, SIGABRT);
	tcase_add_test(tc, d09_a_new_allocator_has_an_empty_stack_and_the_last_released_comes_first);
	tcase_add_test(tc, d10_the_tail_of_the_last_entry_is_in_use);
	tcase_add_test(tc, d11_pages_beyond_4_gib_have_their_own_numbers);
	tcase_add_test(tc, d12_it_does_not_claim_to_work_without_a_lock);
	tcase_add_test(tc, d13_an_entry_full_of_pages_in_use_never_reaches_the_stack);
	tcase_add_test(tc, d14_blocks_are_refused_and_counted);
	tcase_add_loop_test(tc, entries_cost_two_bits_a_page, 0, 2);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
