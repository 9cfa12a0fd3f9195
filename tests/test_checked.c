/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_checked.c - the shadow of src/alloc/checked.c
 *
 *    zone 0                          zone 1
 *    0   1   2   3   4   5   6  63   64  99 100 103 104 127
 *    A---------------B-------.....   .......# hole #.......
 *    order 2         order 1   free
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "alloc/checked.h"
#include "alloc/registry.h"
#include "tests/flawed.h"
#include "tests/model.h"
#include "tests/suite.h"

#define A_PFN 0
#define B_PFN 4

static const struct layout two_zones = {
	.nr_cpus = 2,
	.nr_zones = 2,
	.zones = {
		{ .name = "low", .start_pfn = 0, .spanned = 64, .present = 64,
		  .managed = 64 },
		{ .name = "high", .start_pfn = 64, .spanned = 64, .present = 64,
		  .managed = 60 },
	},
	.highmem_pfn = PFN_NONE,
};
static struct layout layout;
static struct machine *machine;
static struct allocator *inner, *shadow;

static struct {
	char text[700];			/* the first violation */
	unsigned int nr;
} heard;

static void listen(void *arg, const char *violation)
{
	(void)arg;
	if (heard.nr++ == 0)
		snprintf(heard.text, sizeof(heard.text), "%s", violation);
}

static unsigned long take(unsigned int order, unsigned int zone_limit)
{
	struct alloc_req req = {
		.order = order,
		.migratetype = MIGRATE_MOVABLE,
		.zone_limit = zone_limit,
		.cpu = 1,
	};

	return alloc_pages(shadow, &req);
}

static void set_up_machine(void)
{
	struct msg msg = { "" };

	layout = two_zones;
	ck_assert_int_eq(layout_add_hole(&layout, 100, 104, &msg), 0);
	ck_assert_msg(machine_create(&machine, &layout, WINDOW_ARITH, &msg) == 0,
		      "%s", msg.text);
}

static void wrap(void)
{
	struct msg msg = { "" };

	set_up_machine();
	inner = flawed_create(machine);
	ck_assert_int_eq(checked_wrap(&shadow, inner, &msg), 0);
	checked_set_report(shadow, listen, NULL);
	heard.nr = 0;
}

static void release_range(unsigned long pfn, unsigned long end)
{
	for (; pfn < end; pfn++)
		if (pfn < 100 || pfn >= 104)
			allocator_release(shadow, pfn, 0);
}

/* The drawing at the top. */
static void set_up(void)
{
	wrap();
	release_range(0, 128);
	ck_assert_uint_eq(take(2, 0), A_PFN);
	ck_assert_uint_eq(take(1, 0), B_PFN);
	ck_assert_uint_eq(heard.nr, 0);
}

static void tear_down(void)
{
	allocator_destroy(shadow);
	machine_destroy(machine);
	layout_free(&layout);
}

static void expect_heard(const char *piece)
{
	ck_assert_msg(heard.nr > 0, "nothing was heard of: %s", piece);
	ck_assert_msg(strstr(heard.text, piece) != NULL, "'%s' is not in '%s'",
		      piece, heard.text);
}

/* One allocation and one free of its block, at a limit that leaves zone 1 out. */
static void run_planted(enum flaw flaw)
{
	flawed_plant(inner, flaw);
	if (flaw != FLAW_LOST && flaw != FLAW_GAINED)
		take(1, 0);
	free_pages(shadow, A_PFN, 2, 1);
}

START_TEST(a_flaw_is_seen_when_it_can_be)
{
	const struct flaw_fact *fact = &flaw_facts[_i];
	struct msg msg = { "" };
	int err;

	set_up();
	run_planted((enum flaw)_i);
	ck_assert_msg((heard.nr > 0) == (fact->by_shadow == SEEN_AT_ONCE),
		      "%s: heard %u times: %s", fact->what, heard.nr, heard.text);
	if (fact->by_shadow == SEEN_AT_ONCE) {
		/* 124 releases and 2 allocations came before. */
		expect_heard("flawed: operation 127: ");
		return;
	}
	err = allocator_verify(shadow, &msg);
	ck_assert_msg((err != 0) == (fact->by_shadow == SEEN_IN_VERIFY),
		      "%s: verify says %d: %s", fact->what, err, msg.text);
	tear_down();
}
END_TEST

START_TEST(each_violation_says_what_it_is)
{
	static const struct {
		enum flaw flaw;
		const char *says;
	} table[] = {
		{ FLAW_TWICE, "alloc of order 1 at pfn 4: pfn 4 is the head of a held block of order 1, not free" },
		{ FLAW_OVERLAP, "alloc of order 1 at pfn 2: pfn 2 is inside a held block, not free" },
		{ FLAW_MISALIGNED, "pfn 65 is not aligned to 2 pages" },
		{ FLAW_OUTSIDE, "is in no zone" },
		{ FLAW_HOLE, "pfn 100 is reserved, not free" },
		{ FLAW_ABOVE_LIMIT, "is in zone 1, above the limit of 0" },
		{ FLAW_LOST, "zone low: 61 free + 0 pcp + 0 nodes + 0 stash + 2 held are not the 64 pages it was given" },
		{ FLAW_GAINED, "are not the 64 pages it was given" },
		{ FLAW_LEFT_MAPPED, "alloc left 1 pages mapped on CPU 1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		set_up();
		run_planted(table[i].flaw);
		expect_heard(table[i].says);
		if (table[i].flaw != FLAW_LEFT_MAPPED)
			tear_down();
	}
}
END_TEST

/* What the caller itself may do wrong, from the drawing at the top. */
static const struct {
	const char *what;
	char op;			/* free, release, adopt, split */
	unsigned long pfn;
	unsigned int order;
	const char *says;
} misuses[] = {
	{ "a page that is free is freed", 'f', 8, 0, "free of order 0: pfn 8 is free, not the head" },
	{ "a part is freed without a split", 'f', A_PFN, 1, "pfn 0 is the head of a held block of order 2, not the head of a held block of order 1" },
	{ "the middle is freed", 'f', A_PFN + 1, 0, "pfn 1 is inside a held block" },
	{ "more is freed than was had", 'f', B_PFN, 2, "head of a held block of order 1, not" },
	{ "a crooked block is freed", 'f', B_PFN + 1, 1, "pfn 5 is not aligned to 2 pages" },
	{ "a page that does not exist is freed", 'f', 100, 0, "pfn 100 is reserved" },
	{ "a page beyond memory is freed", 'f', 4096, 0, "pfn 4096 is in no zone" },
	{ "an order too large is freed", 'f', 0, MAX_PAGE_ORDER + 1, "is above" },
	{ "a block that leaves its zone is freed", 'f', 64, 7, "not aligned" },
	{ "a block beyond its zone is freed", 'f', 0, 7, "reaches beyond zone low" },
	{ "a free page is released again", 'r', 8, 0, "pfn 8 is free, not reserved" },
	{ "a held page is released", 'r', B_PFN, 0, "pfn 4 is the head" },
	{ "a hole is released", 'r', 100, 2, "pfn 100 is in a hole" },
	{ "a free page is adopted", 'a', 8, 0, "pfn 8 is free, not reserved" },
	{ "a free block is split", 's', 8, 2, "split of order 2: pfn 8 is free" },
	{ "a block is split at another order", 's', A_PFN, 1, "head of a held block of order 2, not" },
};

static void misuse(size_t i)
{
	unsigned long pfn = misuses[i].pfn;
	unsigned int order = misuses[i].order;

	switch (misuses[i].op) {
	case 'f':
		free_pages(shadow, pfn, order, 0);
		break;
	case 'r':
		allocator_release(shadow, pfn, order);
		break;
	case 'a':
		ck_assert_int_ne(allocator_adopt(shadow, pfn, order), 0);
		break;
	case 's':
		ck_assert(!allocator_split(shadow, pfn, order, 0));
		break;
	}
}

START_TEST(what_callers_do_wrong_is_seen_and_not_passed_on)
{
	struct msg msg = { "" };

	set_up();
	misuse((size_t)_i);
	expect_heard(misuses[_i].says);
	ck_assert_uint_eq(heard.nr, 1);

	/* The backend never saw it: all is as before, and goes on. */
	ck_assert_msg(allocator_verify(shadow, &msg) == 0, "%s", msg.text);
	free_pages(shadow, A_PFN, 2, 0);
	free_pages(shadow, B_PFN, 1, 0);
	ck_assert_uint_eq(heard.nr, 1);
	tear_down();
}
END_TEST

START_TEST(without_a_listener_a_violation_ends_the_process)
{
	set_up();
	checked_set_report(shadow, NULL, NULL);
	free_pages(shadow, 8, 0, 0);
}
END_TEST

START_TEST(a_block_is_freed_once_only)
{
	set_up();
	free_pages(shadow, B_PFN, 1, 0);
	ck_assert_uint_eq(heard.nr, 0);
	free_pages(shadow, B_PFN, 1, 0);
	expect_heard("free of order 1: pfn 4 is free, not the head");
	tear_down();
}
END_TEST

START_TEST(parts_may_be_freed_after_a_split)
{
	struct msg msg = { "" };

	set_up();
	ck_assert(allocator_split(shadow, A_PFN, 2, 0));
	for (unsigned long pfn = A_PFN; pfn < A_PFN + 4; pfn++)
		free_pages(shadow, pfn, 0, 0);
	ck_assert_uint_eq(heard.nr, 0);
	ck_assert_msg(allocator_verify(shadow, &msg) == 0, "%s", msg.text);
	free_pages(shadow, A_PFN, 0, 0);
	expect_heard("pfn 0 is free");
	tear_down();
}
END_TEST

START_TEST(an_adopted_block_is_held)
{
	wrap();
	ck_assert_int_eq(allocator_adopt(shadow, 16, 3), 0);
	ck_assert_uint_eq(shadow->stats.pages_allocated, 8);
	free_pages(shadow, 16, 3, 0);
	ck_assert_uint_eq(heard.nr, 0);
	ck_assert_uint_eq(shadow->stats.pages_allocated, 0);
	tear_down();
}
END_TEST

START_TEST(a_parked_page_is_free_and_is_handed_out)
{
	struct msg msg = { "" };

	set_up_machine();
	ck_assert_int_eq(allocator_create(&inner, "linked:pcp_batch=4", false, machine,
					  &msg), 0);
	ck_assert_int_eq(checked_wrap(&shadow, inner, &msg), 0);
	checked_set_report(shadow, listen, NULL);
	heard.nr = 0;
	allocator_release_pcp(shadow, 8, 0, 1);
	allocator_release_pcp(shadow, 70, 0, 1);
	ck_assert_msg(allocator_verify(shadow, &msg) == 0, "%s", msg.text);
	ck_assert_uint_eq(take(0, 0), 8);
	ck_assert_uint_eq(take(0, 1), 70);
	ck_assert_msg(heard.nr == 0, "%s", heard.text);
	tear_down();
}
END_TEST

START_TEST(the_shadow_is_nobodys_metadata)
{
	uint64_t before;
	struct msg msg = { "" };

	set_up_machine();
	inner = flawed_create(machine);
	before = machine->meta.now[META_structures];
	ck_assert_uint_gt(before, 0);
	ck_assert_int_eq(checked_wrap(&shadow, inner, &msg), 0);
	for (int col = 0; col < NR_META_COLUMNS; col++)
		ck_assert_uint_eq(machine->meta.now[col],
				  col == META_structures ? before : 0);
	tear_down();
}
END_TEST

START_TEST(an_allocator_without_books_is_left_alone)
{
	struct msg msg = { "" };

	set_up_machine();
	ck_assert_int_eq(allocator_create(&inner, "null", false, machine, &msg), 0);
	ck_assert_int_eq(checked_wrap(&shadow, inner, &msg), 0);
	ck_assert_ptr_eq(shadow, inner);
	tear_down();
}
END_TEST

static Suite *checked_suite(void)
{
	Suite *suite = suite_create("checked");
	TCase *flaws = tcase_create("flaws of a backend");
	TCase *callers = tcase_create("faults of a caller");
	TCase *wrapper = tcase_create("the wrapper itself");

	tcase_add_loop_test(flaws, a_flaw_is_seen_when_it_can_be, 0, NR_FLAWS);
	tcase_add_test(flaws, each_violation_says_what_it_is);
	suite_add_tcase(suite, flaws);

	tcase_add_loop_test(callers, what_callers_do_wrong_is_seen_and_not_passed_on,
			    0, ARRAY_SIZE(misuses));
	tcase_add_test(callers, a_block_is_freed_once_only);
	tcase_add_test_raise_signal(callers,
				    without_a_listener_a_violation_ends_the_process,
				    SIGABRT);
	suite_add_tcase(suite, callers);

	tcase_add_test(wrapper, parts_may_be_freed_after_a_split);
	tcase_add_test(wrapper, an_adopted_block_is_held);
	tcase_add_test(wrapper, a_parked_page_is_free_and_is_handed_out);
	tcase_add_test(wrapper, the_shadow_is_nobodys_metadata);
	tcase_add_test(wrapper, an_allocator_without_books_is_left_alone);
	suite_add_tcase(suite, wrapper);
	return suite;
}

int main(void)
{
	return run_suite(checked_suite());
}
