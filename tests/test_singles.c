/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_singles.c - tests src/alloc/singles.c, on hybrid's single pages */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "alloc/checked.h"
#include "alloc/registry.h"
#include "tests/suite.h"

#define NR_PAGES 16
#define WORD sizeof(unsigned long)

static struct layout layout;
static struct machine *machine;
static struct allocator *a;

static void set_up(bool checked)
{
	struct msg msg = { "" };

	memset(&layout, 0, sizeof(layout));
	ck_assert_int_eq(layout_flat(&layout, NR_PAGES, 1, &msg), 0);
	ck_assert_int_eq(machine_create(&machine, &layout, WINDOW_ARITH, &msg), 0);
	ck_assert_msg(allocator_create(&a, "hybrid:emulate=singles", checked,
				       machine, &msg) == 0, "%s", msg.text);
}

static void tear_down(void)
{
	struct msg msg = { "" };

	ck_assert_msg(allocator_verify(a, &msg) == 0, "%s", msg.text);
	allocator_destroy(a);
	ck_assert_uint_eq(machine->meta.now[META_caller], 0);
	machine_destroy(machine);
	layout_free(&layout);
}

static unsigned long take(unsigned int order)
{
	struct alloc_req req = { .order = order, .migratetype = MIGRATE_MOVABLE };

	return alloc_pages(a, &req);
}

static void give(unsigned long pfn, unsigned int order)
{
	free_pages(a, pfn, order, 0);
}

static void release(const unsigned long *pfns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		allocator_release(a, pfns[i], 0);
}

static uint64_t carried(void)
{
	return machine->meta.now[META_caller];
}

static void expect_pages(unsigned long head, const unsigned long *pages,
			 size_t n)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(allocator_page_after(a, head, i), pages[i]);
}

/*
 *   0 1 2 3 4 5 6 7 8 9
 *   r r . r r . r . r .      no two free pages are buddies
 */
static const unsigned long apart[] = { 2, 5, 7, 9 };

START_TEST(a_block_is_pages_that_lie_apart)
{
	unsigned long head;

	set_up(_i);
	release(apart, ARRAY_SIZE(apart));
	head = take(2);
	expect_pages(head, (unsigned long[]){ 9, 7, 5, 2 }, 4);
	ck_assert_uint_eq(take(0), PFN_NONE);
	give(head, 2);
	ck_assert_uint_eq(a->stats.pages_allocated, 0);
	ck_assert_uint_eq(a->stats.refused, 0);
	tear_down();
}
END_TEST

START_TEST(a_request_for_too_many_pages_leaves_all_as_they_were)
{
	uint64_t before;

	set_up(_i);
	release(apart, ARRAY_SIZE(apart));
	before = allocator_fingerprint(a);
	ck_assert_uint_eq(take(3), PFN_NONE);
	ck_assert_uint_eq(allocator_fingerprint(a), before);
	ck_assert_uint_eq(a->stats.failed_allocs, 1);
	ck_assert_uint_eq(a->stats.refused, 0);
	ck_assert_uint_eq(carried(), 0);
	ck_assert_uint_eq(take(0), 2);
	tear_down();
}
END_TEST

/* 9 -> 7 -> 5 -> 2 becomes 9 -> 7 and 5 -> 2, of which 9 and 7 part as well. */
START_TEST(to_halve_a_block_is_to_cut_its_list)
{
	unsigned long head;

	set_up(_i);
	release(apart, ARRAY_SIZE(apart));
	head = take(2);
	ck_assert(allocator_split(a, head, 2, 1));
	expect_pages(9, (unsigned long[]){ 9, 7 }, 2);
	expect_pages(5, (unsigned long[]){ 5, 2 }, 2);
	ck_assert(allocator_split(a, 9, 1, 0));
	give(7, 0);
	ck_assert_uint_eq(take(0), 7);
	give(5, 1);
	give(7, 0);
	give(9, 0);
	ck_assert_uint_eq(a->stats.pages_allocated, 0);
	tear_down();
}
END_TEST

START_TEST(the_caller_carries_a_word_for_each_page_of_a_block)
{
	unsigned long head;

	set_up(_i);
	release(apart, ARRAY_SIZE(apart));
	head = take(0);
	ck_assert_uint_eq(carried(), 0);
	give(head, 0);
	head = take(2);
	ck_assert_uint_eq(carried(), 4 * WORD);
	ck_assert(allocator_split(a, head, 2, 1));
	ck_assert_uint_eq(carried(), 4 * WORD);
	ck_assert(allocator_split(a, head, 1, 0));
	ck_assert_uint_eq(carried(), 2 * WORD);
	give(5, 1);
	ck_assert_uint_eq(carried(), 0);
	tear_down();
}
END_TEST

START_TEST(a_block_in_use_at_the_start_is_a_list_too)
{
	set_up(_i);
	ck_assert_int_eq(allocator_adopt(a, 8, 2), 0);
	expect_pages(8, (unsigned long[]){ 8, 9, 10, 11 }, 4);
	ck_assert_uint_eq(carried(), 4 * WORD);
	ck_assert(allocator_split(a, 8, 2, 1));
	give(10, 1);
	ck_assert_uint_eq(take(1), 11);
	tear_down();
}
END_TEST

START_TEST(twice_the_same_page_and_lists_do_not_go_together)
{
	struct allocator *b;
	struct msg msg = { "" };

	set_up(false);
	ck_assert_int_eq(allocator_create(&b, "hybrid:as-posted=on:emulate=singles",
					  false, machine, &msg), -EINVAL);
	ck_assert_msg(strstr(msg.text, "give one of them"), "%s", msg.text);
	tear_down();
}
END_TEST

static void note_violation(void *arg, const char *violation)
{
	snprintf(arg, 200, "%s", violation);
}

START_TEST(the_shadow_knows_the_pages_of_a_block)
{
	char said[200] = "";

	set_up(true);
	checked_set_report(a, note_violation, said);
	release(apart, ARRAY_SIZE(apart));
	take(1);
	free_pages(a, 2, 0, 0);
	ck_assert_msg(strstr(said, "pfn 2 is inside a held block"), "%s", said);
	allocator_destroy(a);
	machine_destroy(machine);
	layout_free(&layout);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("singles");
	TCase *tc = tcase_create("singles");

	tcase_add_loop_test(tc, a_block_is_pages_that_lie_apart, 0, 2);
	tcase_add_loop_test(tc, a_request_for_too_many_pages_leaves_all_as_they_were, 0, 2);
	tcase_add_loop_test(tc, to_halve_a_block_is_to_cut_its_list, 0, 2);
	tcase_add_loop_test(tc, the_caller_carries_a_word_for_each_page_of_a_block, 0, 2);
	tcase_add_loop_test(tc, a_block_in_use_at_the_start_is_a_list_too, 0, 2);
	tcase_add_test(tc, twice_the_same_page_and_lists_do_not_go_together);
	tcase_add_test(tc, the_shadow_knows_the_pages_of_a_block);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
