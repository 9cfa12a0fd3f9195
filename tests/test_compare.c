/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_compare.c - two results, and whether a condition on them holds
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/report/compare.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

static struct msg msg;
static struct result a, b;
static struct comparison_of_results c;

static json_t *parse(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	ck_assert_ptr_nonnull(json);
	return json;
}

static void make(struct result *r, const char *path, const char *summary)
{
	*r = (struct result){ .path = strdup(path), .summary = parse(summary) };
	r->runs = json_object_get(r->summary, "runs");
	r->nr_runs = (unsigned int)json_array_size(r->runs);
}

static void setup(void)
{
	scratch_setup();
	make(&a, "A", "{\"runs\": ["
	     "{\"allocator\": \"linked\", \"failed_allocs\": 0, \"metadata\": {\"total_peak_bytes\": 1000}},"
	     "{\"allocator\": \"twoword\", \"failed_allocs\": 4, \"metadata\": {\"total_peak_bytes\": 200}}]}");
	make(&b, "B", "{\"runs\": ["
	     "{\"allocator\": \"twoword\", \"failed_allocs\": 4, \"metadata\": {\"total_peak_bytes\": 210}},"
	     "{\"allocator\": \"linked\", \"failed_allocs\": 1, \"metadata\": {\"total_peak_bytes\": 1000}}]}");
	ck_assert_int_eq(compare_results(&c, &a, &b, &msg), 0);
}

static void teardown(void)
{
	compare_free(&c);
	result_free(&a);
	result_free(&b);
	scratch_teardown();
}

START_TEST(runs_are_paired_by_allocator)
{
	ck_assert_uint_eq(c.nr_pairs, 2);
	ck_assert_uint_eq(c.pairs[0].b, 1);
	ck_assert_uint_eq(c.pairs[1].b, 0);
}
END_TEST

static const struct {
	const char *expr;
	bool holds;
} expressions[] = {
	{ "total_peak_bytes > 0", true },
	{ "total_peak_bytes > 10", false },
	{ "total_peak_bytes >= 10", true },
	{ "total_peak_bytes>4.9%", true },
	{ "total_peak_bytes > 5%", false },
	{ "linked/total_peak_bytes != 0", false },
	{ "twoword/b.total_peak_bytes == 210", true },
	{ "twoword/a.total_peak_bytes == 200", true },
	{ "b.total_peak_bytes < 200", false },
	{ "failed_allocs > 0%", true },			/* from none to one */
	{ "twoword/failed_allocs > 0 or linked/failed_allocs > 0", true },
	{ "twoword/failed_allocs > 0 and linked/failed_allocs > 0", false },
	{ "failed_allocs > 9 and failed_allocs > 9 or b.failed_allocs <= 4", true },
	{ "twoword/total_peak_bytes==10", true },
};

START_TEST(a_condition_holds_or_not)
{
	bool holds = !expressions[_i].holds;

	ck_assert_int_eq(compare_evaluate(&c, expressions[_i].expr, &holds, &msg), 0);
	ck_assert_int_eq(holds, expressions[_i].holds);
}
END_TEST

static const struct {
	const char *expr;
	const char *message;
} mistakes[] = {
	{ "", "letter 1|a column: static_bytes" },
	{ "frob > 1", "letter 1|'frob > 1'|total_peak_bytes" },
	{ "total_peak_bytes", "letter 17|>=" },
	{ "total_peak_bytes > much", "letter 20|a number" },
	{ "total_peak_bytes > nan", "letter 20|a number" },
	{ "total_peak_bytes > 1e999", "letter 20|a number" },
	{ "a.total_peak_bytes > 1%", "a change" },
	{ "total_peak_bytes > 1 xor", "letter 22|and, or" },
	{ "failed_allocs > 1 or", "a column" },
	{ "frob/failed_allocs > 1", "letter 1|an allocator that both" },
	{ "share_2m < 0", "letter 1|'share_2m|a figure that both" },
	{ "failed_allocs > 9 or linked/a.ns_per_op > 1", "letter 22|'linked/a.ns|a figure that" },
};

/* An allocator is named as it was given to -a. */
START_TEST(an_allocator_with_options_can_be_named)
{
	static const char runs[] =
		"{\"runs\": [{\"allocator\": \"linked:pcp=off\", \"failed_allocs\": 3}]}";
	struct comparison_of_results one;
	struct result x, y;
	bool holds = false;

	make(&x, "X", runs);
	make(&y, "Y", runs);
	ck_assert_int_eq(compare_results(&one, &x, &y, &msg), 0);
	ck_assert_msg(!compare_evaluate(&one, "linked:pcp=off/b.failed_allocs==3", &holds, &msg),
		      "%s", msg.text);
	ck_assert(holds);
	compare_free(&one);
	result_free(&x);
	result_free(&y);
}
END_TEST

/* What compare_print() says of two results, until free(). */
static char *printed(const char *left, const char *right)
{
	struct comparison_of_results two;
	struct result x, y;
	const char *path = scratch_path("printed");
	FILE *out = fopen(path, "w");
	size_t len;

	ck_assert_ptr_nonnull(out);
	make(&x, "X", left);
	make(&y, "Y", right);
	ck_assert_int_eq(compare_results(&two, &x, &y, &msg), 0);
	compare_print(out, &two);
	fclose(out);
	compare_free(&two);
	result_free(&x);
	result_free(&y);
	return scratch_slurp(path, &len);
}

#define INPUT(sha) "\"version\": \"7\", \"input\": {\"name\": \"cc\", \"sha256\": \"" sha "\"}, "
#define RUN(name, more) "{\"allocator\": \"" name "\", " more "}"
#define LINKED_OF_1 "{" INPUT("1") "\"runs\": [" RUN("linked", "\"failed_allocs\": 3") "]}"

static const struct {
	const char *left, *right;
	const char *lines[4];		/* all of them are there, '~' for any spaces; NULL: no more */
	const char *never;		/* what is not there */
} prints[] = {
	{ LINKED_OF_1, LINKED_OF_1,
	  { "A  X: cc, pagetax 7\n", "B  Y: cc, pagetax 7\n", "\nlinked\n",
	    "\n  failed_allocs~3~3~+0~+0.00 %\n" }, "not the same" },
	/* one run each is compared whatever its name, and is no stranger */
	{ LINKED_OF_1, "{" INPUT("2") "\"runs\": [" RUN("hybrid", "\"failed_allocs\": 2") "]}",
	  { "The inputs are not the same.\n", "\nlinked -> hybrid\n",
	    "\n  failed_allocs~3~2~-1~-33.33 %\n" }, "only in" },
	{ LINKED_OF_1,
	  "{" INPUT("1") "\"runs\": [" RUN("hybrid", "\"failed_allocs\": 1") ", "
	  RUN("linked", "\"failed_allocs\": 3") "]}",
	  { "\nlinked\n", "\nonly in Y: hybrid\n" }, "only in X" },
	{ "{" INPUT("1") "\"runs\": [" RUN("hybrid", "\"failed_allocs\": 1") ", "
	  RUN("linked", "\"failed_allocs\": 3") "]}", LINKED_OF_1,
	  { "\nlinked\n", "\nonly in X: hybrid\n" }, "only in Y" },
	/* from nothing; with fractions, to six figures; of one side only */
	{ "{\"runs\": [" RUN("null", "\"failed_allocs\": 0, \"contiguity\": {\"share_2m\": 0.12345678}") "]}",
	  "{\"runs\": [" RUN("null", "\"failed_allocs\": 5, \"contiguity\": {\"unusable_order9\": 7}") "]}",
	  { "\n  failed_allocs~0~5~+5~+inf %\n", "\n  share_2m~0.123457~-~-~-\n",
	    "\n  unusable_order9~-~7~-~-\n" }, "total_peak_bytes" },
};

/* Whether the line is in the text, where '~' stands for one space or more. */
static bool has_line(const char *text, const char *line)
{
	for (; *text; text++) {
		const char *t = text, *l = line;

		while (*l && (*l == '~' ? *t == ' ' : *t == *l)) {
			t += *l == '~' ? strspn(t, " ") : 1;
			l++;
		}
		if (!*l)
			return true;
	}
	return false;
}

START_TEST(differences_are_shown_line_by_line)
{
	char *text = printed(prints[_i].left, prints[_i].right);

	for (size_t i = 0; i < 4 && prints[_i].lines[i]; i++)
		ck_assert_msg(has_line(text, prints[_i].lines[i]), "'%s' not in: %s",
			      prints[_i].lines[i], text);
	ck_assert_msg(!strstr(text, prints[_i].never), "'%s' in: %s", prints[_i].never, text);
	free(text);
}
END_TEST

START_TEST(a_mistake_is_shown_with_its_place)
{
	char parts[128], *rest = parts, *part;
	bool holds;

	strcpy(parts, mistakes[_i].message);
	ck_assert_int_lt(compare_evaluate(&c, mistakes[_i].expr, &holds, &msg), 0);
	while ((part = strsep(&rest, "|")))
		ck_assert_msg(strstr(msg.text, part), "'%s' not in: %s", part, msg.text);
}
END_TEST

START_TEST(single_runs_are_compared_whatever_their_names)
{
	struct comparison_of_results one;
	struct result x, y;

	make(&x, "X", "{\"runs\": [{\"allocator\": \"linked\"}]}");
	make(&y, "Y", "{\"runs\": [{\"allocator\": \"twoword\"}]}");
	ck_assert_int_eq(compare_results(&one, &x, &y, &msg), 0);
	ck_assert_uint_eq(one.nr_pairs, 1);
	compare_free(&one);
	ck_assert_int_lt(compare_results(&one, &x, &(struct result){
				.path = b.path, .summary = b.summary }, &msg), 0);
	ck_assert_msg(strstr(msg.text, "nothing") || strstr(msg.text, "no allocator"),
		      "%s", msg.text);
	result_free(&x);
	result_free(&y);
}
END_TEST

START_TEST(a_table_reads_as_it_was_written)
{
	struct tsv_table t;

	ck_assert_int_eq(tsv_read(&t, scratch_write_text("t.tsv",
		"# where from\nallocator\tpages\nlinked\t3\ntwoword\t4\n")), 0);
	ck_assert_uint_eq(t.nr_rows, 2);
	ck_assert_int_eq(tsv_column(&t, "pages"), 1);
	ck_assert_int_eq(tsv_column(&t, "bytes"), -1);
	ck_assert_str_eq(tsv_cell(&t, 1, 0), "twoword");
	ck_assert_str_eq(tsv_cell(&t, 0, 1), "3");
	tsv_table_free(&t);
	ck_assert_int_lt(tsv_read(&t, scratch_path("missing.tsv")), 0);
	ck_assert_int_lt(tsv_read(&t, scratch_write_text("t.tsv", "a\tb\n1\n")), 0);
	ck_assert_int_eq(tsv_read(&t, scratch_write_text("t.tsv", "")), 0);
	ck_assert_uint_eq(t.nr_rows, 0);
	tsv_table_free(&t);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("compare");
	TCase *tc = tcase_create("compare");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, runs_are_paired_by_allocator);
	tcase_add_loop_test(tc, a_condition_holds_or_not, 0,
			    (int)ARRAY_SIZE(expressions));
	tcase_add_test(tc, an_allocator_with_options_can_be_named);
	tcase_add_loop_test(tc, differences_are_shown_line_by_line, 0,
			    (int)ARRAY_SIZE(prints));
	tcase_add_loop_test(tc, a_mistake_is_shown_with_its_place, 0,
			    (int)ARRAY_SIZE(mistakes));
	tcase_add_test(tc, single_runs_are_compared_whatever_their_names);
	tcase_add_test(tc, a_table_reads_as_it_was_written);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
