/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_figures.c - claims are held against what came out
 *
 * A figure made by hand, whose numbers are known, and of the published ones two
 * that take no time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "sim/bench/figures.h"
#include "sim/report/result.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

static const struct {
	enum claim_relation relation;
	double published, here, tolerance;
	bool agrees;
	const char *line;		/* behind what is claimed */
} claims[] = {
	{ CLAIM_EQUAL, 100, 102, 0.02, true,     "  100         102         agrees, +2.0 % (of 2 % allowed)\n" },
	{ CLAIM_EQUAL, 100, 102.5, 0.02, false,  "  100         102.5       DIFFERS, +2.5 % (of 2 % allowed)\n" },
	{ CLAIM_EQUAL, 100, 98, 0.02, true,      "  100         98          agrees, -2.0 % (of 2 % allowed)\n" },
	{ CLAIM_EQUAL, 100, 97.5, 0.02, false,   "  100         97.5        DIFFERS, -2.5 % (of 2 % allowed)\n" },
	{ CLAIM_EQUAL, 3, 3, 0, true,            "  3           3           agrees, +0.0 %\n" },
	{ CLAIM_EQUAL, 0, 0, 0, true,            "  0           0           agrees\n" },
	{ CLAIM_EQUAL, 0, 1, 0.5, false,         "  0           1           DIFFERS (of 50 % allowed)\n" },
	{ CLAIM_AT_LEAST, 5, 5, 0, true,         ">= 5           5           agrees\n" },
	{ CLAIM_AT_LEAST, 5, 4, 0, false,        ">= 5           4           DIFFERS\n" },
	{ CLAIM_AT_MOST, 5, 5, 0, true,          "<= 5           5           agrees\n" },
	{ CLAIM_AT_MOST, 5, 6, 0, false,         "<= 5           6           DIFFERS\n" },
};

static int run_by_hand(struct figure_run *f, struct msg *msg)
{
	(void)msg;
	figure_columns(f, "size_units\twords");
	figure_row(f, "%d\t%.2f", 8, 1.5);
	figure_row(f, "%d\t%.2f", 123456789, 1.25e6);
	for (size_t i = 0; i < ARRAY_SIZE(claims); i++)
		figure_claim(f, "here [words]", claims[i].relation, claims[i].published,
			     claims[i].here, claims[i].tolerance);
	figure_note(f, "what was done");
	figure_note(f, "where it differs");
	return 0;
}

static int run_seed(struct figure_run *f, struct msg *msg)
{
	(void)msg;
	figure_columns(f, "seed");
	figure_row(f, "%llu", (unsigned long long)figure_seed(f));
	return 0;
}

/* Nothing stands anywhere while figures are computed: who ends that, leaves nothing. */
static int run_in_vain(struct figure_run *f, struct msg *msg)
{
	(void)f;
	ck_assert_int_eq(rmdir(scratch_folder()), 0);
	ck_assert_int_eq(mkdir(scratch_folder(), 0777), 0);
	return msg_set(msg, ENOMEM, "no room");
}

static const struct figure by_hand = { "hand", "made by hand", run_by_hand };
static const struct figure seed = { "seed", "what it is drawn with", run_seed };
static const struct figure in_vain = { "vain", "cannot be", run_in_vain };
static const struct figure *const ours[] = { &by_hand, &seed, &in_vain, NULL };

static char id_hand[] = "hand", id_seed[] = "seed", id_vain[] = "vain", id_other[] = "sead";
static char id_b6[] = "b6", id_b8[] = "b8";

START_TEST(a_claim_agrees_within_what_is_allowed)
{
	char *ids[] = { id_hand };
	const struct figures_plan plan = { .figures = ours, .ids = ids, .nr_ids = 1 };
	struct msg msg = { "" };
	char expected[4096];
	size_t len;

	len = (size_t)snprintf(expected, sizeof(expected),
			       "hand: made by hand\n\n"
			       "  size_units       words\n"
			       "           8        1.50\n"
			       "   123456789  1250000.00\n\n"
			       "  %-58s published     here       \n", "");
	for (size_t i = 0; i < ARRAY_SIZE(claims); i++)
		len += (size_t)snprintf(expected + len, sizeof(expected) - len,
					"  %-58s %s", "here [words]", claims[i].line);
	snprintf(expected + len, sizeof(expected) - len,
		 "\n  - what was done\n  - where it differs\n\n");
	scratch_stdout();
	ck_assert_msg(!figures_run(&plan, &msg), "%s", msg.text);
	ck_assert_str_eq(scratch_printed(), expected);
}
END_TEST

START_TEST(a_result_folder_holds_tables_and_claims)
{
	static const char *const relations[] = { "equal", "at least", "at most" };
	char *ids[] = { id_hand, id_seed };
	const struct figures_plan plan = {
		.figures = ours, .ids = ids, .nr_ids = 2, .quiet = true, .seed = 7,
		.output = scratch_path("result"),
	};
	struct msg msg = { "" };
	json_t *summary;
	const json_t *figure;

	scratch_stdout();
	ck_assert_msg(!figures_run(&plan, &msg), "%s", msg.text);
	ck_assert_str_eq(scratch_printed(), "");
	ck_assert_ptr_nonnull(strstr(scratch_text("result/figure-hand.tsv"),
			", figure hand, seed 7\n# made by hand\n"
			"size_units\twords\n8\t1.50\n123456789\t1250000.00\n"));
	ck_assert_ptr_nonnull(strstr(scratch_text("result/figure-seed.tsv"),
			", figure seed, seed 7\n# what it is drawn with\nseed\n7\n"));

	summary = json_load_file(scratch_path("result/summary.json"), 0, NULL);
	ck_assert_ptr_nonnull(summary);
	ck_assert_int_eq(json_integer_value(json_object_get(summary, "seed")), 7);
	ck_assert_uint_eq(json_array_size(json_object_get(summary, "figures")), 2);
	figure = json_array_get(json_object_get(summary, "figures"), 0);
	ck_assert_uint_eq(json_array_size(json_object_get(figure, "notes")), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(figure, "claims")),
			  ARRAY_SIZE(claims));
	for (size_t i = 0; i < ARRAY_SIZE(claims); i++) {
		const json_t *claim = json_array_get(json_object_get(figure, "claims"), i);

		ck_assert_str_eq(json_text_at(claim, "relation"), relations[claims[i].relation]);
		ck_assert(json_number_at(claim, "published", NULL) == claims[i].published);
		ck_assert(json_number_at(claim, "here", NULL) == claims[i].here);
		ck_assert(json_number_at(claim, "tolerance", NULL) == claims[i].tolerance);
		ck_assert_int_eq(json_is_true(json_object_get(claim, "agrees")),
				 claims[i].agrees);
	}
	json_decref(summary);
}
END_TEST

START_TEST(a_figure_that_fails_leaves_no_result)
{
	char *ids[] = { id_hand, id_vain };
	const struct figures_plan plan = {
		.figures = ours, .ids = ids, .nr_ids = 2, .quiet = true,
		.output = scratch_path("result"),
	};
	struct msg msg = { "" };

	ck_assert_int_eq(figures_run(&plan, &msg), -ENOMEM);
	ck_assert_str_eq(msg.text, "no room");
	ck_assert_ptr_null(fopen(scratch_path("result/summary.json"), "r"));
}
END_TEST

START_TEST(an_unknown_figure_is_answered_with_those_there_are)
{
	char *ids[] = { id_hand, id_other };
	const struct figures_plan plan = { .figures = ours, .ids = ids, .nr_ids = 2 };
	struct msg msg = { "" };

	scratch_stdout();
	ck_assert_int_eq(figures_run(&plan, &msg), -EINVAL);
	ck_assert_str_eq(msg.text, "unknown figure 'sead' (did you mean 'seed'?); there are hand, seed, vain");
	ck_assert_str_eq(scratch_printed(), "");	/* nothing of the first either */
}
END_TEST

/*
 *     0   4   8   12  16  20                  units; spans of 16, runs of 4
 *     [ 1   2   3   4 ][ 5
 */
START_TEST(a_range_grows_by_a_span_when_it_is_full)
{
	struct figure_range fr;
	struct msg msg = { "" };

	ck_assert_msg(!figure_range_create(&fr, "genalloc", 1 << 20, &msg), "%s", msg.text);
	for (unsigned long i = 0; i < 5; i++) {
		ck_assert_uint_eq(figure_alloc(&fr, 4, 1, 16), 4 * i);
		ck_assert_uint_eq(fr.nr_units, i < 4 ? 16 : 32);
	}
	ck_assert_uint_eq(figure_alloc(&fr, 48, 1, 16), RANGE_NONE);
	ck_assert_uint_eq(fr.nr_units, 48);
	ck_assert_uint_gt(fr.cost->nr_ops, 0);
	figure_range_destroy(&fr);
}
END_TEST

/* The two that take least; the others are minutes together. */
START_TEST(published_figures_agree)
{
	char *ids[] = { id_b6, id_b8 };
	const struct figures_plan plan = {
		.figures = figures, .ids = ids, .nr_ids = 2, .seed = 1,
	};
	struct msg msg = { "" };
	const char *text;

	scratch_stdout();
	ck_assert_msg(!figures_run(&plan, &msg), "%s", msg.text);
	text = scratch_printed();
	ck_assert_msg(strstr(text, "agrees") && !strstr(text, "DIFFERS"), "%s", text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("figures");
	TCase *tc = tcase_create("figures");

	tcase_add_checked_fixture(tc, scratch_setup, scratch_teardown);
	tcase_add_test(tc, a_claim_agrees_within_what_is_allowed);
	tcase_add_test(tc, a_result_folder_holds_tables_and_claims);
	tcase_add_test(tc, a_figure_that_fails_leaves_no_result);
	tcase_add_test(tc, an_unknown_figure_is_answered_with_those_there_are);
	tcase_add_test(tc, a_range_grows_by_a_span_when_it_is_full);
	tcase_add_test(tc, published_figures_agree);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
