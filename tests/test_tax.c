/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tax.c - what was measured is what the formula says
 *
 *    M = D P + sum of owners' objects + 4096 nodes + heads
 *
 * Every allocator replays the sample; bytes that went through the arena are
 * held against the formula. $PAGETAX_BUNDLES names a folder of further bundles
 * to do the same with.
 */
#include <check.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/registry.h"
#include "sim/commands.h"
#include "sim/report/result.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

static struct msg msg;
static struct allocatee_table table;
static glob_t bundles;

static void setup(void)
{
	scratch_setup();
	ck_assert_int_eq(allocatee_table_load(&table, "today", &msg), 0);
}

static void teardown(void)
{
	char command[512];

	snprintf(command, sizeof(command), "rm -rf %s/*/", scratch_folder());
	ck_assert_int_eq(system(command), 0);
	scratch_teardown();
}

static void replay_input(const char *input, const char *allocators,
			 struct result *r)
{
	char words[8][256] = { "pagetax", "replay", "-q", "--no-plots", "-a",
			       "", "-o", "" };
	char in[256], *argv[10];
	enum status status;

	snprintf(words[5], sizeof(words[5]), "%s", allocators);
	snprintf(words[7], sizeof(words[7]), "%s/result", scratch_folder());
	snprintf(in, sizeof(in), "%s", input);
	for (int i = 0; i < 8; i++)
		argv[i] = words[i];
	argv[8] = in;
	argv[9] = NULL;
	status = pagetax_run(9, argv, &msg);
	ck_assert_msg(status == STATUS_DONE, "%s", msg.text);
	ck_assert_msg(!result_load(r, words[7], &msg), "%s", msg.text);
}

/* A figure of a table's row, by the names of row and column. */
static double cell(const struct tsv_table *t, const char *allocator,
		   const char *class, const char *column)
{
	int c = tsv_column(t, column);

	ck_assert_msg(c >= 0, "no column %s", column);
	for (unsigned int row = 0; row < t->nr_rows; row++) {
		if (!strcmp(tsv_cell(t, row, 0), allocator) &&
		    (!class || !strcmp(tsv_cell(t, row, 1), class)))
			return atof(tsv_cell(t, row, c));
	}
	ck_abort_msg("no row for %s", allocator);
	return 0;
}

static void read_table(struct tsv_table *t, const struct result *r,
		       const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", r->path, name);
	ck_assert_int_eq(tsv_read(t, path), 0);
}

/* D P: the descriptors of every page that exists, to the byte. */
static void check_descriptors(const struct result *r, const struct tsv_table *tax,
			      unsigned int run)
{
	const char *name = result_allocator(r, run);
	const struct allocator_ops *ops = registry_find(name);
	double pages = cell(tax, name, NULL, "memory_bytes") / PAGE_SIZE;
	double bytes = cell(tax, name, NULL, "descriptors_peak_bytes");

	if (ops->caps.no_policy)
		return;
	if (ops->desc_bytes)
		ck_assert_msg(bytes == pages * (double)ops->desc_bytes,
			      "%s: %.0f bytes of descriptors for %.0f pages",
			      name, bytes, pages);
	else
		ck_assert_msg(bytes == 0, "%s: descriptors it says it has not", name);
}

/* Sum of s'(class) x live blocks, up to one slab page a class. */
static void check_owners(const struct result *r, const struct tsv_table *classes,
			 unsigned int run)
{
	const char *name = result_allocator(r, run);
	double objects = 0, blocks;

	for (unsigned int c = 0; c < NR_ALLOCATEES; c++) {
		double formula;

		blocks = cell(classes, name, allocatee_names[c], "peak_blocks");
		formula = allocatee_rounded(&table, c) * blocks;
		objects = cell(classes, name, allocatee_names[c], "peak_bytes");
		ck_assert_msg(fabs(objects - formula) <= PAGE_SIZE + 64,
			      "%s, %s: %.0f bytes measured, %.0f by the formula",
			      name, allocatee_names[c], objects, formula);
	}
}

/* The total is the sum of its columns, and owners pay where they must. */
static void check_totals(const struct result *r, const struct tsv_table *tax,
			 unsigned int run)
{
	static const enum result_column parts[] = {
		RESULT_static_bytes, RESULT_dynamic_peak_bytes,
		RESULT_allocatee_peak_bytes, RESULT_caller_peak_bytes,
		RESULT_borrowed_bytes, RESULT_inband_peak_bytes,
	};
	const char *name = result_allocator(r, run);
	const struct allocator_ops *ops = registry_find(name);
	double sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		sum += result_value(r, run, parts[i]);
	ck_assert_msg(sum == result_value(r, run, RESULT_total_peak_bytes),
		      "%s: total is not the sum of its columns", name);
	ck_assert_msg(ops->describes_allocatee ==
		      (result_value(r, run, RESULT_allocatee_peak_bytes) == 0),
		      "%s: owners' objects", name);
	ck_assert(cell(tax, name, NULL, "allocatee_peak_bytes") ==
		  result_value(r, run, RESULT_allocatee_peak_bytes));
}

static void check_input(const char *input)
{
	struct tsv_table tax, classes;
	struct result r;

	replay_input(input, "all", &r);
	read_table(&tax, &r, "tax.tsv");
	read_table(&classes, &r, "classes.tsv");
	for (unsigned int run = 0; run < r.nr_runs; run++) {
		check_descriptors(&r, &tax, run);
		check_owners(&r, &classes, run);
		check_totals(&r, &tax, run);
	}
	tsv_table_free(&classes);
	tsv_table_free(&tax);
	result_free(&r);
}

START_TEST(every_column_agrees_with_the_formula)
{
	check_input("tests/data/fork-sample");
}
END_TEST

START_TEST(and_does_so_on_every_bundle_at_hand)
{
	check_input(bundles.gl_pathv[_i]);
}
END_TEST

/*
 * Nodes are whole pages, and the only thing twoword takes while it runs. What
 * is static beyond its descriptors is the same in every run of this machine.
 */
START_TEST(nodes_of_twoword_are_counted_in_pages)
{
	struct tsv_table tax;
	struct result r;

	replay_input("tests/data/fork-sample", "twoword", &r);
	read_table(&tax, &r, "tax.tsv");
	ck_assert(cell(&tax, "twoword", NULL, "nodes_peak_bytes") ==
		  PAGE_SIZE * result_value(&r, 0, RESULT_nodes_peak));
	ck_assert(result_value(&r, 0, RESULT_dynamic_peak_bytes) ==
		  PAGE_SIZE * result_value(&r, 0, RESULT_nodes_peak));
	tsv_table_free(&tax);
	result_free(&r);
}
END_TEST

static void find_bundles(const char *folder)
{
	char pattern[512];

	snprintf(pattern, sizeof(pattern), "%s/*/", folder);
	if (glob(pattern, 0, NULL, &bundles))
		bundles.gl_pathc = 0;
}

int main(void)
{
	Suite *suite = suite_create("tax");
	TCase *tc = tcase_create("tax");
	int status;

	if (getenv("PAGETAX_BUNDLES"))
		find_bundles(getenv("PAGETAX_BUNDLES"));
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 600);
	tcase_add_test(tc, every_column_agrees_with_the_formula);
	tcase_add_loop_test(tc, and_does_so_on_every_bundle_at_hand, 0,
			    (int)bundles.gl_pathc);
	tcase_add_test(tc, nodes_of_twoword_are_counted_in_pages);
	suite_add_tcase(suite, tc);
	status = run_suite(suite);
	globfree(&bundles);
	return status;
}
