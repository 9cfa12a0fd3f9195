/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_svg.c - what a drawing loses on its way onto a page, and what not */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/types.h"
#include "sim/report/svg.h"
#include "tests/suite.h"

static char text[1 << 20];

static const char *copied(const char *svg)
{
	FILE *out = fmemopen(text, sizeof(text), "w");

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(svg_copy(out, svg, 7), 0);
	fclose(out);
	return text;
}

/* x(what gnuplot writes, what of it is kept) */
static const struct {
	const char *svg;
	const char *copy;
} marks[] = {
	/* names are the drawing's own */
	{ "<g id=\"p\" ><use xlink:href='#m'/></g>",
	  "<g id=\"d7-p\" ><use xlink:href='#d7-m'/></g>" },
	/* tooltips and groups of nothing go, texts stay as they are */
	{ "<title>t</title><g fill=\"none\">\n</g>\n<text>1.5626 %</text>",
	  "\n<text>1.5626 %</text>" },
	/* tenths of a pixel; a point on the way from one to the next goes */
	{ "<path d='M91.00,175.10 L91.54,175.16 L92.00,175.20  '/>",
	  "<path d='M91,175.1 92,175.2'/>" },
	/* a corner stays, and so does the way back */
	{ "<path d='M0.00,0.00 L5.00,9.00 L9.00,0.00 L5.00,0.00 '/>",
	  "<path d='M0,0 5,9 9,0 5,0'/>" },
	/* several strokes in one path, and one that is closed */
	{ "<path d='M1.00,1.00 L2.00,3.00 M4.00,4.00 L5.00,7.00 L6.00,4.00 Z  '/>",
	  "<path d='M1,1 2,3M4,4 5,7 6,4Z  '/>" },
	/* a box keeps its corners, however narrow */
	{ "<polygon fill = 'red' points = '3.10,9.00 3.40,9.00 3.40,1.00 3.10,1.00 '/>",
	  "<polygon fill = 'red' points='3.1,9 3.4,9 3.4,1 3.1,1'/>" },
	/* marks are drawn on a scale of their own: not rounded */
	{ "<defs><path id='m' d='M0,-1.33 L-1.33,0.67 L1.33,0.67 z'/></defs>",
	  "<defs><path id='d7-m' d='M0,-1.33 L-1.33,0.67 L1.33,0.67 z'/></defs>" },
	/* of equal patterns the first serves all; others stay */
	{ "<defs><pattern id='a1'><b/></pattern></defs><i fill='url(#a1)'/>"
	  "<defs><pattern id='a2'><b/></pattern></defs><i fill='url(#a2)'/>"
	  "<defs><pattern id='a3'><c/></pattern></defs><i fill='url(#a3)'/>",
	  "<defs><pattern id='d7-a1'><b/></pattern></defs><i fill='url(#d7-a1)'/>"
	  "<i fill='url(#d7-a1)'/>"
	  "<defs><pattern id='d7-a3'><c/></pattern></defs><i fill='url(#d7-a3)'/>" },
	/* cut off anywhere, it ends there */
	{ "<path d='M1.00", "<path d='1.00" },
	{ "<title>t", "" },
	{ "<defs><pattern id='a", "<defs><pattern id='d7-a" },
};

START_TEST(what_is_seen_is_kept)
{
	ck_assert_str_eq(copied(marks[_i].svg), marks[_i].copy);
}
END_TEST

/* Where the copied curve is at x, by the line between its points. */
static double height_at(const char *path, double x)
{
	double x0, y0, x1, y1;
	int len;

	path = strchr(path, 'M') + 1;
	ck_assert_int_eq(sscanf(path, "%lf,%lf%n", &x0, &y0, &len), 2);
	for (path += len; sscanf(path, " %lf,%lf%n", &x1, &y1, &len) == 2; path += len) {
		if (x <= x1)
			return x1 > x0 ? y0 + (y1 - y0) * (x - x0) / (x1 - x0) : y1;
		x0 = x1;
		y0 = y1;
	}
	return y0;
}

START_TEST(a_smooth_curve_keeps_its_shape_with_few_points)
{
	static char svg[1 << 18];
	size_t len = (size_t)sprintf(svg, "<path d='");
	double worst = 0;
	size_t nr = 0;

	for (int i = 0; i <= 2000; i++)
		len += (size_t)sprintf(svg + len, "%c%.2f,%.2f ", i ? 'L' : 'M', i / 4.0,
				       100 + 50 * sin(i / 200.0));
	sprintf(svg + len, "'/>");
	copied(svg);
	for (const char *c = text; *c; c++)
		nr += *c == ',';
	for (int i = 0; i <= 2000; i++)
		worst = fmax(worst, fabs(height_at(text, i / 4.0) -
					 (100 + 50 * sin(i / 200.0))));
	ck_assert_uint_lt(nr, 100);
	ck_assert_double_lt(worst, 0.2);
}
END_TEST

/* Far more samples than pixels: peaks are seen all the same. */
START_TEST(a_crowd_keeps_its_extremes)
{
	static char svg[1 << 20];
	size_t len = (size_t)sprintf(svg, "<path d='");
	size_t nr = 0;

	for (int i = 0; i < 20000; i++)
		len += (size_t)sprintf(svg + len, "%c%.2f,%.2f ", i ? 'L' : 'M', i / 200.0,
				       i == 12345 ? 300.0 : i == 12346 ? 1.0 :
				       100.0 + i % 7);
	sprintf(svg + len, "'/>");
	copied(svg);
	for (const char *c = text; *c; c++)
		nr += *c == ',';
	ck_assert_uint_le(nr, 4 * 100);
	ck_assert_ptr_nonnull(strstr(text, ",300 "));
	ck_assert_ptr_nonnull(strstr(text, ",1 "));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("svg");
	TCase *tc = tcase_create("svg");

	tcase_add_loop_test(tc, what_is_seen_is_kept, 0, (int)ARRAY_SIZE(marks));
	tcase_add_test(tc, a_smooth_curve_keeps_its_shape_with_few_points);
	tcase_add_test(tc, a_crowd_keeps_its_extremes);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	return run_suite(make_suite());
}
