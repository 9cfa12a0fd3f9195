/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_breakeven.c - where designs cross, by hand and by a machine that is filled
 *
 *    bytes a page       u: share of memory in use, n: pages a folio
 *      64 |-----------------------------  large: 64
 *         | \
 *         |   `--.___
 *      16 |          ```-----------       small: 16 + u 96 / n
 *         +------|--------------------
 *               n = u 96 / 48
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "sim/breakeven.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

static char name_large[] = "large", name_small[] = "small", name_paper[] = "on paper";

/* Both full and part follow the formula, and `beyond` bytes come on top. */
static struct breakeven_curve curve(char *name, double desc, double block, double beyond)
{
	struct breakeven_curve c = {
		.name = name, .formula_known = true, .desc_bytes = desc,
		.hugepage_bytes = desc, .block_bytes = block,
	};

	for (unsigned int i = 0; i < BREAKEVEN_POINTS; i++) {
		c.formula[i] = desc + block / breakeven_sizes[i];
		c.full[i] = c.formula[i] + beyond;
		c.part[i] = desc + 0.7 * block / breakeven_sizes[i] + 2 * beyond;
	}
	return c;
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

/* x(descriptor and object of one, of the other, share in use, from where on) */
static const struct {
	double desc, block, other_desc, other_block, u, crossing;
} formulas[] = {
	{ 16, 96, 64, 0, 1, 2 },
	{ 16, 96, 64, 0, 0.5, 1 },
	{ 16, 96, 64, 48, 1, 1 },
	{ 16, 48, 64, 96, 1, 0 },		/* less of both: always */
	{ 64, 0, 16, 96, 1, INFINITY },		/* larger for good */
	{ 16, 96, 16, 96, 1, INFINITY },	/* never less */
	{ 16, 95, 16, 96, 1, 0 },
	{ 16, 97, 16, 96, 1, INFINITY },
	{ 63.5, 0.5, 64, 0, 1, 1 },
};

START_TEST(the_formula_crosses_where_objects_are_paid_for)
{
	struct breakeven_curve a = curve(name_small, formulas[_i].desc, formulas[_i].block, 0);
	struct breakeven_curve b = curve(name_large, formulas[_i].other_desc,
					 formulas[_i].other_block, 0);
	double crossing = breakeven_formula(&a, &b, formulas[_i].u);

	ck_assert_msg(crossing == formulas[_i].crossing || near(crossing, formulas[_i].crossing),
		      "%g", crossing);
	a.formula_known = false;
	ck_assert(isnan(breakeven_formula(&a, &b, formulas[_i].u)));
	ck_assert(isnan(breakeven_formula(&b, &a, formulas[_i].u)));
}
END_TEST

/* Points that lie on the formula cross where it does, whatever lies between them. */
static const struct {
	double desc, block, crossing;
} crossings[] = {
	{ 16, 96, 2 },			/* a point of its own */
	{ 16, 240, 5 },			/* between 4 and 6 */
	{ 63.5, 0.6, 1.2 },		/* a gain below a byte */
	{ 16, 48 * 500, 500 },
	{ 16, 24, 0 },			/* less at every point */
	{ 16, 48 * 600, INFINITY },	/* at none */
	{ 64, 0, INFINITY },		/* the same is not less */
};

START_TEST(points_cross_where_the_formula_does)
{
	const struct breakeven_curve large = curve(name_large, 64, 0, 0);
	struct breakeven_curve small = curve(name_small, crossings[_i].desc,
					     crossings[_i].block, 0);
	double crossing = breakeven_crossing(small.full, large.full);

	ck_assert_msg(crossing == crossings[_i].crossing || near(crossing, crossings[_i].crossing),
		      "%g", crossing);
	small.full[7] = NAN;
	ck_assert(isnan(breakeven_crossing(small.full, large.full)));
}
END_TEST

/* Less, then more, then less again from 24 pages on: only that is for good. */
START_TEST(the_last_crossing_counts)
{
	const struct breakeven_curve large = curve(name_large, 64, 0, 0);
	struct breakeven_curve small = curve(name_small, 16, 0, 0);

	small.full[8] = 64 + 48;
	ck_assert_double_eq_tol(breakeven_crossing(small.full, large.full),
				1 / (0.5 / 16 + 0.5 / 24), 1e-9);
}
END_TEST

START_TEST(what_the_formula_leaves_out_is_the_difference)
{
	struct breakeven_curve c = curve(name_small, 16, 96, 0.25);

	c.hugepage_bytes = 8;
	for (unsigned int i = 0; i + 1 < BREAKEVEN_POINTS; i++) {
		ck_assert(near(breakeven_beyond(&c, i, true), 0.25));
		ck_assert(near(breakeven_beyond(&c, i, false), 0.5));
	}
	/* Of 512 pages a folio the formula takes 8 bytes a page, not 16. */
	ck_assert(near(breakeven_beyond(&c, BREAKEVEN_POINTS - 1, true), 8.25));
	c.formula_known = false;
	ck_assert(isnan(breakeven_beyond(&c, 0, true)));
}
END_TEST

static const struct {
	double pages;
	const char *text;
} formats[] = {
	{ NAN, "-" }, { INFINITY, "never" }, { 0, "always" }, { 1, "always" },
	{ 1.004, "1.00" }, { 1.696, "1.70" }, { 500, "500.00" },
};

START_TEST(a_crossing_is_a_number_or_a_word)
{
	char text[24];

	ck_assert_str_eq(breakeven_format(formats[_i].pages, text, sizeof(text)),
			 formats[_i].text);
}
END_TEST

/* large, small, and one that is only on paper: no point of its own. */
static struct breakeven of_three(struct breakeven_curve curves[3])
{
	curves[0] = curve(name_large, 64, 0, 0.125);
	curves[1] = curve(name_small, 16, 96, 0.25);
	curves[2] = curve(name_paper, 32, 96, 0);
	for (unsigned int i = 0; i < BREAKEVEN_POINTS; i++)
		curves[2].full[i] = curves[2].part[i] = NAN;
	return (struct breakeven){ .memory_bytes = 256 << 20, .seed = 3,
				   .curves = curves, .nr_curves = 3 };
}

START_TEST(every_pair_that_crosses_has_a_row)
{
	struct breakeven_curve curves[3];
	const struct breakeven b = of_three(curves);
	const char *text;

	scratch_stdout();
	breakeven_print(stdout, &b);
	text = scratch_printed();
	/*
	 * Simulated: 96 / (48 - 0.125) full, 67.2 / (48 - 0.25) at 70 %, up to
	 * where the line between two points lies.
	 */
	ck_assert_msg(strstr(text,
		"                                       full      full      70 %      70 %\n"
		"this             under this one     formula simulated   formula simulated\n"
		"small            large                 2.00      2.01      1.40      1.41\n"
		"small            on paper            always         -    always         -\n"
		"on paper         large                 3.00         -      2.10         -\n"
		"\nBytes a page"), "%s", text);
	ck_assert_msg(strstr(text,
		"                 pages a folio            2         6         2         6\n"
		"                                       full      full      70 %      70 %\n"
		"large                                 0.125     0.125     0.250     0.250\n"
		"small                                 0.250     0.250     0.500     0.500\n"
		"\nThese"), "%s", text);
	ck_assert_ptr_eq(breakeven_find(&b, "small"), &curves[1]);
	ck_assert_ptr_null(breakeven_find(&b, "smaller"));
}
END_TEST

START_TEST(every_size_of_every_design_has_a_row)
{
	struct breakeven_curve curves[3];
	const struct breakeven b = of_three(curves);
	const char *text;
	unsigned int lines = 0;
	FILE *out = fopen(scratch_path("breakeven.tsv"), "w");

	breakeven_write_tsv(out, &b);
	ck_assert_int_eq(fclose(out), 0);
	text = scratch_text("breakeven.tsv");
	ck_assert_ptr_nonnull(strstr(text, "\n# a machine of 256 MiB, seed 3;"));
	ck_assert_ptr_nonnull(strstr(text,
		"\nallocator\tmean_pages\tformula_bytes\tfull_bytes\tpart_bytes\n"
		"large\t1\t64.0000\t64.1250\t64.2500\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nsmall\t1.5\t80.0000\t80.2500\t61.3000\n"));
	ck_assert_ptr_nonnull(strstr(text, "\non-paper\t512\t32.1875\tnan\tnan\n"));
	for (; *text; text++)
		lines += *text == '\n';
	ck_assert_uint_eq(lines, 3 + 3 * BREAKEVEN_POINTS);
}
END_TEST

/*
 * A machine of 64 MiB. A slab page and the 64 bytes that describe it hold 51 of the
 * owners' objects of 80 bytes, or 85 of memdesc's own.
 */
START_TEST(a_machine_filled_costs_what_the_formula_says)
{
	static char linked[] = "linked", twoword[] = "twoword", memdesc[] = "memdesc",
		hybrid[] = "hybrid", null[] = "null";
	static char *const specs[] = { null, linked, twoword, memdesc, hybrid };
	static const double desc[] = { 64, 16, 8, 0, 32, 64 };
	static const double block[] = {
		0, 4160 / 51., 4160 / 51. + 4160 / 85., 0, 4160 / 51., 0,
	};
	static const char *const names[] = {
		"linked", "twoword", "memdesc", "hybrid", "32-byte page", "linked+HVO",
	};
	struct allocatee_table table;
	struct breakeven b;
	struct msg msg = { "" };

	if (sizeof(void *) < 8)		/* descriptors and objects are smaller there */
		return;
	ck_assert_int_eq(allocatee_table_load(&table, "today", &msg), 0);
	ck_assert_msg(!breakeven_run(&b, specs, 5, 64 << 20, 1, &table, NULL, &msg),
		      "%s", msg.text);
	ck_assert_uint_eq(b.nr_curves, 6);
	for (unsigned int c = 0; c < 6; c++) {
		const struct breakeven_curve *k = &b.curves[c];

		ck_assert_str_eq(k->name, names[c]);
		ck_assert(k->formula_known == (c != 3));
		for (unsigned int i = 0; i < BREAKEVEN_POINTS; i++) {
			double d = c == 5 && i == BREAKEVEN_POINTS - 1 ? 8 : desc[c];
			double formula = d + block[c] / breakeven_sizes[i];

			must(c == 3 ? isnan(k->formula[i]) : near(k->formula[i], formula));
			must(c > 3 ? isnan(k->full[i]) && isnan(k->part[i]) : true);
			if (c >= 3)
				continue;
			/*
			 * On top come list heads and nodes, and memdesc's objects for
			 * free blocks: three tenths of its pages, 48.9 bytes each.
			 */
			must_msg(breakeven_beyond(k, i, true) > -2 &&
				 breakeven_beyond(k, i, true) < 2,
				 "%s: %g", k->name, breakeven_beyond(k, i, true));
			must_msg(breakeven_beyond(k, i, false) > -2 &&
				 breakeven_beyond(k, i, false) < 0.3 * 48.9 + 2,
				 "%s: %g", k->name, breakeven_beyond(k, i, false));
		}
	}
	breakeven_free(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("breakeven");
	TCase *tc = tcase_create("breakeven");

	tcase_add_checked_fixture(tc, scratch_setup, scratch_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, the_formula_crosses_where_objects_are_paid_for, 0,
			    (int)ARRAY_SIZE(formulas));
	tcase_add_loop_test(tc, points_cross_where_the_formula_does, 0,
			    (int)ARRAY_SIZE(crossings));
	tcase_add_test(tc, the_last_crossing_counts);
	tcase_add_test(tc, what_the_formula_leaves_out_is_the_difference);
	tcase_add_loop_test(tc, a_crossing_is_a_number_or_a_word, 0,
			    (int)ARRAY_SIZE(formats));
	tcase_add_test(tc, every_pair_that_crosses_has_a_row);
	tcase_add_test(tc, every_size_of_every_design_has_a_row);
	tcase_add_test(tc, a_machine_filled_costs_what_the_formula_says);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
