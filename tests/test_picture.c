/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_picture.c - stripes of memory, and how they look over time
 *
 * Stripes of 32 pages. The allocator is a stand-in that says where its metadata
 * lies; the blocks are the test's.
 *
 *   stripe   0     1     2  3    4       5       6     7         8 ... 94  95
 *            hole  free  free    2 free  4 free  none  resident  none      beyond
 */
#include <check.h>
#include <stdlib.h>

#include "alloc/allocator.h"
#include "machine/machine.h"
#include "sim/demand.h"
#include "sim/initial_state.h"
#include "sim/metrics/picture.h"
#include "tests/suite.h"

#define ROW 32UL			/* pages in a stripe */

static struct layout layout;
static struct machine machine;
static struct picture p;
static unsigned long nr_nodes;

static void say_counts(const struct allocator *a, unsigned int zone,
		       struct page_counts *counts)
{
	(void)a, (void)zone;
	*counts = (struct page_counts){ .nodes = nr_nodes };
}

/* The second page of stripe 5 and the last two of stripe 7 are nodes. */
static void say_page(const struct allocator *a, unsigned long pfn, struct page_info *info)
{
	bool node = pfn == 5 * ROW + 1 || pfn / 2 == (8 * ROW - 1) / 2;

	(void)a;
	*info = (struct page_info){
		.state = node ? PAGE_STATE_METADATA : PAGE_STATE_FREE,
		.head = node ? PFN_NONE : pfn,
	};
}

static const struct allocator_ops stand_in = { .counts = say_counts, .query = say_page };
static const struct allocator allocator = { .ops = &stand_in, .machine = &machine };

static struct free_block free_blocks[] = {
	{ ROW, 5 }, { 2 * ROW, 6 }, { 4 * ROW, 1 }, { 5 * ROW, 2 },
};
static struct demand_resident resident = { .pfn = 7 * ROW, .order = 5 };
static const struct initial_state start = { .free_blocks = free_blocks, .nr_free_blocks = 4 };
static const struct demand demand = { .residents = &resident, .nr_residents = 1 };

static void setup(void)
{
	ck_assert_int_eq(layout_flat(&layout, ROW * (PICTURE_ROWS - 1), 1, NULL), 0);
	ck_assert_int_eq(layout_add_hole(&layout, 0, ROW, NULL), 0);
	machine.layout = &layout;
	machine.end_pfn = layout_end_pfn(&layout);
	nr_nodes = 0;
	picture_init(&p, &layout, &start, &demand);
	ck_assert_uint_eq(p.row_pages, ROW);
}

static void teardown(void)
{
	picture_free(&p);
	layout_free(&layout);
}

struct block { unsigned long pfn; unsigned int order; unsigned int type; };

#define M MIGRATE_MOVABLE
#define U MIGRATE_UNMOVABLE

static void column(uint64_t now_ns, const struct block *blocks, size_t nr)
{
	picture_begin(&p, now_ns);
	for (size_t i = 0; i < nr; i++)
		picture_block(&p, &allocator, blocks[i].pfn, blocks[i].order,
			      blocks[i].type);
	picture_metadata(&p, &allocator, &start, &demand);
	ck_assert_int_eq(picture_end(&p), 0);
}

/* The run of a stripe that begins at from_ns. */
static const struct picture_run *run_from(unsigned int row, uint64_t from_ns)
{
	for (size_t i = 0; i < p.nr_runs; i++)
		if (p.runs[i].row == row && p.runs[i].from_ns == from_ns)
			return &p.runs[i];
	ck_abort_msg("stripe %u: no run begins at %lu", row, (unsigned long)from_ns);
	return NULL;
}

static void looks(unsigned int row, uint64_t from_ns, uint64_t to_ns,
		  enum picture_look look)
{
	const struct picture_run *r = run_from(row, from_ns);

	ck_assert_msg(r->look == look, "stripe %u at %lu is %s, not %s", row,
		      (unsigned long)from_ns, picture_look_names[r->look],
		      picture_look_names[look]);
	ck_assert_uint_eq(r->to_ns, to_ns);
}

/*
 *   time      10      20          30          50
 *   stripe 1  |free   |3 pages M  |4 pages M  |      a tenth of 32 is between
 *          2  |free   |16 M       |U           |     half is still 2
 *          3  |free   |17 U        U           |
 *          7  |free   |2 M, 2 U   |free        |     as much of each: movable
 */
START_TEST(a_stripe_looks_as_it_is_used)
{
	static const struct block first[] = {
		{ ROW, 1, M }, { ROW + 9, 0, M }, { 2 * ROW, 4, M },
		{ 3 * ROW, 4, U }, { 4 * ROW - 1, 0, U },
		{ 7 * ROW, 1, M }, { 7 * ROW + 2, 1, U },
	};
	static const struct block second[] = { { ROW, 2, M }, { 2 * ROW, 6, U } };
	size_t changes = 0;

	column(10, NULL, 0);
	column(20, first, ARRAY_SIZE(first));
	column(30, second, ARRAY_SIZE(second));
	ck_assert_int_eq(picture_finish(&p, 50), 0);

	looks(0, 10, 50, PICTURE_absent);
	looks(1, 10, 20, PICTURE_free);
	looks(1, 20, 30, PICTURE_movable1);
	looks(1, 30, 50, PICTURE_movable2);
	looks(2, 20, 30, PICTURE_movable2);
	looks(2, 30, 50, PICTURE_unmovable3);
	looks(3, 10, 20, PICTURE_free);
	looks(3, 20, 50, PICTURE_unmovable3);
	looks(4, 10, 50, PICTURE_fixed);	/* less than an eighth is given */
	looks(5, 10, 50, PICTURE_free);
	looks(6, 10, 50, PICTURE_fixed);
	looks(7, 20, 30, PICTURE_movable2);
	looks(7, 30, 50, PICTURE_free);
	looks(95, 10, 50, PICTURE_absent);
	ck_assert_uint_eq(run_from(2, 20)->movable, 16);
	ck_assert_uint_eq(run_from(2, 30)->unmovable, 32);
	ck_assert_uint_eq(run_from(3, 20)->unmovable, 17);
	for (unsigned int row = 0; row < PICTURE_ROWS; row++)
		changes += row == 1 || row == 2 || row == 7 ? 2 : row == 3;
	ck_assert_uint_eq(p.nr_runs, PICTURE_ROWS + changes);
}
END_TEST

/* Nodes come and go while nothing else changes; where none are, none is looked for. */
START_TEST(pages_of_metadata_end_a_run)
{
	column(10, NULL, 0);
	nr_nodes = 3;
	column(20, NULL, 0);
	nr_nodes = 0;
	column(30, NULL, 0);
	ck_assert_int_eq(picture_finish(&p, 50), 0);

	ck_assert(!run_from(5, 10)->metadata);
	ck_assert(run_from(5, 20)->metadata);
	ck_assert_uint_eq(run_from(5, 20)->metadata_pages, 1);
	ck_assert_uint_eq(run_from(7, 20)->metadata_pages, 2);
	ck_assert_uint_eq(run_from(7, 20)->look, PICTURE_free);
	ck_assert_uint_eq(run_from(7, 30)->metadata_pages, 0);
	ck_assert_uint_eq(run_from(7, 30)->to_ns, 50);
	ck_assert_uint_eq(p.nr_runs, PICTURE_ROWS + 4);
}
END_TEST

START_TEST(a_picture_without_a_column_has_no_runs)
{
	ck_assert_int_eq(picture_finish(&p, 50), 0);
	ck_assert_uint_eq(p.nr_runs, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("picture");
	TCase *tc = tcase_create("picture");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_stripe_looks_as_it_is_used);
	tcase_add_test(tc, pages_of_metadata_end_a_run);
	tcase_add_test(tc, a_picture_without_a_column_has_no_runs);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
