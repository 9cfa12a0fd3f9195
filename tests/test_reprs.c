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

int main(void)
{
	Suite *suite = suite_create("representations");
	TCase *tc = tcase_create("costs");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, a_page_costs_its_descriptor, 0,
			    ARRAY_SIZE(descriptors));
	tcase_add_test(tc, links_of_29_bits_reach_two_tebibytes_and_no_farther);
	tcase_add_test(tc, links_inside_free_pages_take_a_map_for_each_page_touched);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
