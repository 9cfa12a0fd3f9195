/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_layout.c - zones and holes, and what a layout may not be */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "machine/layout.h"
#include "tests/suite.h"

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)
#define PAGES(bytes) ((unsigned long)((uint64_t)(bytes) >> PAGE_SHIFT))

static struct msg msg;

START_TEST(a_flat_machine_is_one_zone_of_lowmem)
{
	struct layout l;

	ck_assert_int_eq(layout_flat(&l, 1000, 4, &msg), 0);
	ck_assert_uint_eq(l.nr_zones, 1);
	ck_assert_uint_eq(l.nr_cpus, 4);
	ck_assert_str_eq(l.zones[0].name, "Normal");
	ck_assert_uint_eq(layout_end_pfn(&l), 1000);
	ck_assert_uint_eq(layout_present(&l), 1000);
	ck_assert_uint_eq(l.zones[0].managed, 1000);
	ck_assert(l.highmem_pfn == PFN_NONE);
	layout_free(&l);
}
END_TEST

static const struct {
	uint64_t bytes;
	unsigned int nr_zones;
	uint64_t zone_end[3];
} pcs[] = {
	{ 8 * MIB,   1, { 8 * MIB } },
	{ 16 * MIB,  1, { 16 * MIB } },
	{ 512 * MIB, 2, { 16 * MIB, 512 * MIB } },
	{ 4 * GIB,   2, { 16 * MIB, 4 * GIB } },
	{ 64 * GIB,  3, { 16 * MIB, 4 * GIB, 64 * GIB } },
};

START_TEST(a_pc_is_zoned_at_16_mib_and_4_gib)
{
	static const char *const names[] = { "DMA", "DMA32", "Normal" };
	struct layout l;

	ck_assert_int_eq(layout_pc(&l, pcs[_i].bytes, 2, &msg), 0);
	ck_assert_uint_eq(l.nr_zones, pcs[_i].nr_zones);
	ck_assert_uint_eq(layout_present(&l), PAGES(pcs[_i].bytes));
	for (unsigned int i = 0; i < l.nr_zones; i++) {
		ck_assert_str_eq(l.zones[i].name, names[i]);
		ck_assert_uint_eq(zone_end_pfn(&l.zones[i]),
				  PAGES(pcs[_i].zone_end[i]));
	}
	ck_assert_int_eq(layout_check(&l, &msg), 0);
}
END_TEST

/*
 * By hand, in pages of 4 KiB. 4 GiB: min_free = 4 * sqrt(4194304 kB) = 8192 kB
 * = 2048 pages; DMA32 manages 1044480 of 1048576 pages, so min = 2040,
 * and gap = max(510, 1044) = 1044. DMA: min = 8, gap = max(2, 4) = 4.
 * 8 MiB: 4 * sqrt(8192 kB) = 362 kB = 90 pages, gap = max(22, 2) = 22.
 */
#if PAGE_SHIFT == 12
static const struct {
	uint64_t bytes;
	unsigned int zone;
	unsigned long min, low, high;
} wmarks[] = {
	{ 4 * GIB,   0, 8, 12, 16 },
	{ 4 * GIB,   1, 2040, 3084, 4128 },
	{ 8 * MIB,   0, 90, 112, 134 },
	/* 1 MiB: 128 kB at the least */
	{ 1 * MIB,   0, 32, 40, 48 },
	/*
	 * 8 TiB: 4 * sqrt(2^33 kB) = 362 MiB, cut to 256 MiB = 65536 pages.
	 * Normal manages 2^31 - 2^20 pages: min = 65504, gap = 0.1 % of them.
	 */
	{ 8192 * GIB, 2, 65504, 65504 + 2146435, 65504 + 2 * 2146435 },
};

/*
 *    0    DMA        Normal         HighMem
 *    |--- a quarter |---- lowmem ----|---------| bytes
 *         of it, 16 MiB at most
 */
static const struct {
	uint64_t bytes, lowmem;
	unsigned int nr_zones;
	uint64_t zone_end[3];
} paes[] = {
	{ 4 * GIB,  896 * MIB, 3, { 16 * MIB, 896 * MIB, 4 * GIB } },
	{ 64 * MIB, 32 * MIB,  3, { 8 * MIB, 32 * MIB, 64 * MIB } },
	{ 64 * MIB, 64 * MIB,  2, { 16 * MIB, 64 * MIB } },
	{ 64 * MIB, 1 * GIB,   2, { 16 * MIB, 64 * MIB } },
};

START_TEST(above_lowmem_a_machine_of_32_bits_has_highmem)
{
	static const char *const names[] = { "DMA", "Normal", "HighMem" };
	struct layout l;
	unsigned long high = 0;

	ck_assert_int_eq(layout_pae(&l, paes[_i].bytes, paes[_i].lowmem, 3, &msg), 0);
	ck_assert_uint_eq(l.nr_cpus, 3);
	ck_assert_uint_eq(l.nr_zones, paes[_i].nr_zones);
	for (unsigned int i = 0; i < l.nr_zones; i++) {
		ck_assert_str_eq(l.zones[i].name, names[i]);
		ck_assert_uint_eq(zone_end_pfn(&l.zones[i]),
				  PAGES(paes[_i].zone_end[i]));
		ck_assert_uint_gt(l.zones[i].wmark_low, l.zones[i].wmark_min);
	}
	if (l.nr_zones == 3)
		high = l.zones[2].managed;
	ck_assert(l.highmem_pfn == (high ? PAGES(paes[_i].lowmem) : PFN_NONE));
	ck_assert_uint_eq(l.zones[0].lowmem_reserve[2], high ?
			  (l.zones[1].managed + high) / 256 : 0);
	ck_assert_uint_eq(l.zones[1].lowmem_reserve[2], high / 32);
	ck_assert_int_eq(layout_check(&l, &msg), 0);
	layout_free(&l);
}
END_TEST

START_TEST(lowmem_has_room_for_its_zones)
{
	struct layout l;

	ck_assert_int_eq(layout_pae(&l, GIB, 4 * PAGE_SIZE - 1, 2, &msg), -EINVAL);
	ck_assert_ptr_nonnull(strstr(msg.text, "bytes of lowmem: expected"));
	ck_assert_int_eq(layout_pae(&l, GIB, 4 * PAGE_SIZE, 2, &msg), 0);
	ck_assert_uint_eq(l.zones[0].spanned, 1);
	layout_free(&l);
}
END_TEST

START_TEST(watermarks_are_computed_as_linux_computes_them)
{
	struct layout l;
	const struct zone *z = &l.zones[wmarks[_i].zone];

	ck_assert_int_eq(layout_pc(&l, wmarks[_i].bytes, 2, &msg), 0);
	ck_assert_uint_eq(z->wmark_min, wmarks[_i].min);
	ck_assert_uint_eq(z->wmark_low, wmarks[_i].low);
	ck_assert_uint_eq(z->wmark_high, wmarks[_i].high);
}
END_TEST

/* 64 GiB: DMA 4096, DMA32 1044480, Normal 15728640 pages; ratio 256 for both. */
START_TEST(lower_zones_keep_a_256th_of_the_zones_above)
{
	static const unsigned long reserve[3][3] = {
		{ 0, 4080, 65520 },
		{ 0, 0, 61440 },
		{ 0, 0, 0 },
	};
	struct layout l;

	ck_assert_int_eq(layout_pc(&l, 64 * GIB, 2, &msg), 0);
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			ck_assert_uint_eq(l.zones[i].lowmem_reserve[j],
					  reserve[i][j]);
}
END_TEST
#endif

/*
 *   zones   |-- DMA 0..99 --|-- Normal 100..199 --|    nothing from 200 on
 *   holes        10..19   90..109
 */
static void two_zones(struct layout *l)
{
	ck_assert_int_eq(layout_flat(l, 100, 2, &msg), 0);
	strcpy(l->zones[0].name, "DMA");
	l->zones[1] = (struct zone){
		.name = "Normal", .start_pfn = 100, .spanned = 100,
		.present = 100, .managed = 50,
	};
	l->zones[0].managed = 50;
	l->nr_zones = 2;
	ck_assert_int_eq(layout_check(l, &msg), 0);
}

static const struct { unsigned long pfn; int zone; bool exists; } places[] = {
	{ 0, 0, true },    { 9, 0, true },    { 10, 0, false }, { 19, 0, false },
	{ 20, 0, true },   { 89, 0, true },   { 90, 0, false }, { 99, 0, false },
	{ 100, 1, false }, { 109, 1, false }, { 110, 1, true }, { 199, 1, true },
	{ 200, -1, false }, { PFN_NONE, -1, false },
};

START_TEST(a_page_exists_inside_a_zone_and_outside_every_hole)
{
	struct layout l;

	two_zones(&l);
	ck_assert_int_eq(layout_add_hole(&l, 90, 110, &msg), 0);
	ck_assert_int_eq(layout_add_hole(&l, 10, 20, &msg), 0);
	ck_assert_int_eq(layout_zone_of(&l, places[_i].pfn), places[_i].zone);
	ck_assert_int_eq(layout_page_exists(&l, places[_i].pfn),
			 places[_i].exists);
	layout_free(&l);
}
END_TEST

START_TEST(a_hole_lowers_what_is_present_in_each_zone_it_touches)
{
	struct layout l;

	two_zones(&l);
	ck_assert_int_eq(layout_add_hole(&l, 90, 110, &msg), 0);
	ck_assert_uint_eq(l.zones[0].present, 90);
	ck_assert_uint_eq(l.zones[1].present, 90);
	ck_assert_uint_eq(l.zones[0].managed, 50);
	ck_assert_uint_eq(layout_present(&l), 180);
	ck_assert_int_eq(layout_check(&l, &msg), 0);
	layout_free(&l);
}
END_TEST

START_TEST(a_hole_outside_every_zone_takes_nothing)
{
	struct layout l;

	two_zones(&l);
	ck_assert_int_eq(layout_add_hole(&l, 195, 1000, &msg), 0);
	ck_assert_uint_eq(layout_present(&l), 195);
	ck_assert_int_eq(layout_check(&l, &msg), 0);
	layout_free(&l);
}
END_TEST

/* Holes are given in some order; what comes out is sorted and merged. */
static const struct {
	struct hole in[4];
	unsigned int nr_in;
	struct hole out[4];
	unsigned int nr_out;
} merges[] = {
	{ { { 5, 6 } }, 1,				{ { 5, 6 } }, 1 },
	{ { { 30, 40 }, { 10, 20 } }, 2,		{ { 10, 20 }, { 30, 40 } }, 2 },
	{ { { 10, 20 }, { 20, 30 } }, 2,		{ { 10, 30 } }, 1 },
	{ { { 20, 30 }, { 10, 20 } }, 2,		{ { 10, 30 } }, 1 },
	{ { { 10, 20 }, { 21, 30 } }, 2,		{ { 10, 20 }, { 21, 30 } }, 2 },
	{ { { 10, 40 }, { 20, 30 } }, 2,		{ { 10, 40 } }, 1 },
	{ { { 20, 30 }, { 10, 40 } }, 2,		{ { 10, 40 } }, 1 },
	{ { { 10, 20 }, { 10, 20 } }, 2,		{ { 10, 20 } }, 1 },
	{ { { 10, 12 }, { 20, 22 }, { 30, 32 }, { 11, 31 } }, 4, { { 10, 32 } }, 1 },
	{ { { 10, 12 }, { 30, 32 }, { 20, 22 }, { 19, 23 } }, 4,
	  { { 10, 12 }, { 19, 23 }, { 30, 32 } }, 3 },
};

START_TEST(holes_stay_sorted_and_touching_ones_become_one)
{
	struct layout l;
	unsigned long missing = 0;

	two_zones(&l);
	for (unsigned int i = 0; i < merges[_i].nr_in; i++)
		ck_assert_int_eq(layout_add_hole(&l, merges[_i].in[i].start_pfn,
						 merges[_i].in[i].end_pfn, &msg), 0);
	ck_assert_uint_eq(l.nr_holes, merges[_i].nr_out);
	for (unsigned int i = 0; i < l.nr_holes; i++) {
		ck_assert_uint_eq(l.holes[i].start_pfn, merges[_i].out[i].start_pfn);
		ck_assert_uint_eq(l.holes[i].end_pfn, merges[_i].out[i].end_pfn);
		missing += l.holes[i].end_pfn - l.holes[i].start_pfn;
	}
	ck_assert_uint_eq(layout_present(&l), 200 - missing);
	ck_assert_int_eq(layout_check(&l, &msg), 0);
	layout_free(&l);
}
END_TEST

/* The simplest model: one flag a page. */
START_TEST(random_holes_agree_with_a_flag_for_each_page)
{
	struct rng rng;

	rng_seed(&rng, 9);
	for (int round = 0; round < 40; round++) {
		bool missing[200] = { false };
		struct layout l;

		two_zones(&l);
		l.zones[0].managed = 0;
		l.zones[1].managed = 0;
		for (int n = 0; n < 12; n++) {
			unsigned long start = (unsigned long)rng_below(&rng, 199);
			unsigned long end = start + 1 +
				(unsigned long)rng_below(&rng, 20);
			unsigned long present = 0;

			for (unsigned long pfn = start; pfn < end && pfn < 200; pfn++)
				missing[pfn] = true;
			ck_assert_int_eq(layout_add_hole(&l, start, end, &msg), 0);
			ck_assert_int_eq(layout_check(&l, &msg), 0);
			for (unsigned long pfn = 0; pfn < 200; pfn++) {
				ck_assert_int_eq(layout_page_exists(&l, pfn),
						 !missing[pfn]);
				present += !missing[pfn];
			}
			ck_assert_uint_eq(layout_present(&l), present);
		}
		layout_free(&l);
	}
}
END_TEST

START_TEST(a_hole_that_ends_before_it_starts_is_refused)
{
	struct layout l;

	two_zones(&l);
	ck_assert_int_eq(layout_add_hole(&l, 20, 20, &msg), -EINVAL);
	ck_assert_int_eq(layout_add_hole(&l, 21, 20, &msg), -EINVAL);
	ck_assert_ptr_nonnull(strstr(msg.text, "21"));
	ck_assert_uint_eq(l.nr_holes, 0);
	ck_assert_uint_eq(layout_present(&l), 200);
}
END_TEST

START_TEST(a_hole_may_take_all_that_is_present_and_no_more)
{
	struct layout l;

	two_zones(&l);
	l.zones[0].present = 10;
	ck_assert_int_eq(layout_add_hole(&l, 20, 31, &msg), -EINVAL);
	ck_assert_ptr_nonnull(strstr(msg.text, "takes 11 pages"));
	ck_assert_uint_eq(l.nr_holes, 0);
	ck_assert_int_eq(layout_add_hole(&l, 20, 30, &msg), 0);
	ck_assert_uint_eq(l.zones[0].present, 0);
	layout_free(&l);
	ck_assert_uint_eq(l.nr_holes, 0);
}
END_TEST

/*
 *   zones    |DMA |    |DMA32   |Normal  |      merged: one, with a hole
 *   pages    10  110  200      300      400
 */
START_TEST(merged_zones_are_one_with_a_hole_between)
{
	struct layout l = {
		.nr_cpus = 2, .nr_zones = 3, .highmem_pfn = PFN_NONE,
		.zones = {
			{ .name = "DMA", .start_pfn = 10, .spanned = 100,
			  .present = 100, .managed = 90, .wmark_min = 1,
			  .wmark_low = 2, .wmark_high = 3, .pcp_batch = 1,
			  .lowmem_reserve = { 0, 5, 6 } },
			{ .name = "DMA32", .start_pfn = 200, .spanned = 100,
			  .present = 100, .managed = 80, .wmark_min = 10,
			  .wmark_low = 20, .wmark_high = 30, .pcp_batch = 63 },
			{ .name = "Normal", .start_pfn = 300, .spanned = 100,
			  .present = 100, .managed = 70, .wmark_min = 100,
			  .wmark_low = 200, .wmark_high = 300, .pcp_batch = 31 },
		},
	};
	const struct zone *z = &l.zones[0];

	ck_assert_int_eq(layout_merge_zones(&l, &msg), 0);
	ck_assert_int_eq(layout_check(&l, &msg), 0);
	ck_assert_uint_eq(l.nr_zones, 1);
	ck_assert_str_eq(z->name, "Normal");
	ck_assert_uint_eq(z->start_pfn, 10);
	ck_assert_uint_eq(zone_end_pfn(z), 400);
	ck_assert_uint_eq(z->present, 300);
	ck_assert_uint_eq(z->managed, 240);
	ck_assert_uint_eq(z->wmark_low, 222);
	ck_assert_uint_eq(z->pcp_batch, 63);
	ck_assert_uint_eq(z->lowmem_reserve[1], 0);
	ck_assert(!layout_page_exists(&l, 150));
	ck_assert_uint_eq(layout_zone_pages(&l, 0), 300);
	layout_free(&l);
}
END_TEST

START_TEST(a_copy_owns_its_holes)
{
	struct layout l, copy;

	two_zones(&l);
	ck_assert_int_eq(layout_add_hole(&l, 10, 20, &msg), 0);
	ck_assert_int_eq(layout_copy(&copy, &l), 0);
	layout_free(&l);
	ck_assert_uint_eq(copy.nr_holes, 1);
	ck_assert_uint_eq(copy.holes[0].end_pfn, 20);
	ck_assert_int_eq(layout_check(&copy, &msg), 0);
	layout_free(&copy);
}
END_TEST

static void no_cpus(struct layout *l) { l->nr_cpus = 0; }
static void many_cpus(struct layout *l) { l->nr_cpus = MAX_NR_CPUS + 1; }
static void no_zones(struct layout *l) { l->nr_zones = 0; }
static void many_zones(struct layout *l) { l->nr_zones = MAX_NR_ZONES + 1; }
static void no_name(struct layout *l) { l->zones[1].name[0] = 0; }
static void endless_name(struct layout *l) { memset(l->zones[1].name, 'x', ZONE_NAME_LEN); }
static void empty_zone(struct layout *l) { l->zones[1].spanned = 0; }
static void overlapping(struct layout *l) { l->zones[1].start_pfn = 99; }
static void descending(struct layout *l) { l->zones[0].start_pfn = 300; }
static void endless(struct layout *l) { l->zones[1].spanned = ~0UL - 50; }
static void far_away(struct layout *l) { l->zones[1].start_pfn = ~0UL - 50; }
static void too_present(struct layout *l) { l->zones[1].present = 91; }
static void too_managed(struct layout *l) { l->zones[1].managed = 91; }
static void low_below_min(struct layout *l) { l->zones[1].wmark_min = 1; }
static void empty_hole(struct layout *l) { l->holes[0].end_pfn = 10; }
static void touching_holes(struct layout *l) { l->holes[0].end_pfn = 100; }

static const struct {
	void (*spoil)(struct layout *l);
	const char *says;
} spoilers[] = {
	{ no_cpus, "0 CPUs" },		{ many_cpus, "CPUs" },
	{ no_zones, "0 zones" },	{ many_zones, "zones" },
	{ no_name, "zone 1" },		{ endless_name, "zone 1" },
	{ empty_zone, "Normal" },	{ overlapping, "Normal" },
	{ descending, "Normal" },	{ endless, "Normal" },
	{ far_away, "Normal" },		{ too_present, "Normal" },
	{ too_managed, "Normal" },	{ low_below_min, "Normal" },
	{ empty_hole, "hole 0" },	{ touching_holes, "hole 1" },
};

START_TEST(a_layout_that_breaks_a_promise_is_refused_by_name)
{
	struct layout l;

	two_zones(&l);
	ck_assert_int_eq(layout_add_hole(&l, 10, 20, &msg), 0);
	ck_assert_int_eq(layout_add_hole(&l, 100, 110, &msg), 0);
	ck_assert_int_eq(layout_check(&l, &msg), 0);

	spoilers[_i].spoil(&l);
	ck_assert_int_eq(layout_check(&l, &msg), -EINVAL);
	ck_assert_msg(strstr(msg.text, spoilers[_i].says),
		      "\"%s\" does not name %s", msg.text, spoilers[_i].says);
	layout_free(&l);
}
END_TEST

START_TEST(an_impossible_machine_is_refused_with_a_message)
{
	struct layout l;

	msg.text[0] = 0;
	ck_assert_int_eq(layout_flat(&l, 0, 2, &msg), -EINVAL);
	ck_assert_str_ne(msg.text, "");
	ck_assert_int_eq(layout_flat(&l, 16, 0, &msg), -EINVAL);
	ck_assert_int_eq(layout_flat(&l, ~0UL, 2, &msg), -EINVAL);
	ck_assert_int_eq(layout_pc(&l, 0, 2, &msg), -EINVAL);
	ck_assert_ptr_nonnull(strstr(msg.text, "0 bytes of memory: expected"));
	ck_assert_int_eq(layout_pc(&l, PAGE_SIZE - 1, 2, &msg), -EINVAL);
	ck_assert_int_eq(layout_pc(&l, UINT64_MAX, 2, &msg), -EINVAL);
	ck_assert_int_eq(layout_pc(&l, GIB, MAX_NR_CPUS + 1, &msg), -EINVAL);
	ck_assert_int_eq(layout_pc(&l, GIB, MAX_NR_CPUS + 1, NULL), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("layout");
	TCase *t = tcase_create("layout");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_flat_machine_is_one_zone_of_lowmem);
	tcase_add_loop_test(t, a_pc_is_zoned_at_16_mib_and_4_gib, 0,
			    ARRAY_SIZE(pcs));
	tcase_add_loop_test(t, above_lowmem_a_machine_of_32_bits_has_highmem, 0,
			    ARRAY_SIZE(paes));
	tcase_add_test(t, lowmem_has_room_for_its_zones);
#if PAGE_SHIFT == 12
	tcase_add_loop_test(t, watermarks_are_computed_as_linux_computes_them, 0,
			    ARRAY_SIZE(wmarks));
	tcase_add_test(t, lower_zones_keep_a_256th_of_the_zones_above);
#endif
	tcase_add_loop_test(t, a_page_exists_inside_a_zone_and_outside_every_hole,
			    0, ARRAY_SIZE(places));
	tcase_add_test(t, a_hole_lowers_what_is_present_in_each_zone_it_touches);
	tcase_add_test(t, a_hole_outside_every_zone_takes_nothing);
	tcase_add_loop_test(t, holes_stay_sorted_and_touching_ones_become_one, 0,
			    ARRAY_SIZE(merges));
	tcase_add_test(t, random_holes_agree_with_a_flag_for_each_page);
	tcase_add_test(t, a_hole_that_ends_before_it_starts_is_refused);
	tcase_add_test(t, a_hole_may_take_all_that_is_present_and_no_more);
	tcase_add_test(t, merged_zones_are_one_with_a_hole_between);
	tcase_add_test(t, a_copy_owns_its_holes);
	tcase_add_loop_test(t, a_layout_that_breaks_a_promise_is_refused_by_name,
			    0, ARRAY_SIZE(spoilers));
	tcase_add_test(t, an_impossible_machine_is_refused_with_a_message);
	suite_add_tcase(s, t);
	return run_suite(s);
}
