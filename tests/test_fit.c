/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_fit.c - a trace becomes a scenario that behaves like it */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/commands.h"
#include "sim/fit.h"
#include "sim/interrupt.h"
#include "sim/source/gfp.h"
#include "sim/workload/scenario.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

static struct msg msg;

/* Lives of `nr` blocks: kinds by turns, one each us, order 0 or 1. */
static struct fit_lives made_lives(size_t nr, uint64_t lifetime_ns)
{
	struct fit_lives f = { .nr = nr, .end_ns = nr * 1000 };

	f.lives = calloc(nr, sizeof(*f.lives));
	ck_assert_ptr_nonnull(f.lives);
	for (size_t i = 0; i < nr; i++) {
		struct fit_life *l = &f.lives[i];

		l->start_ns = i * 1000;
		l->end_ns = l->start_ns + lifetime_ns * (i % 7 + 1);
		if (l->end_ns > f.end_ns)
			l->end_ns = UINT64_MAX;
		l->order = i % 4 == 0;
		l->migratetype = i % 3;
	}
	return f;
}

START_TEST(equal_demands_have_no_distance)
{
	struct fit_lives a = made_lives(5000, 10000);
	struct fit_quality q;

	ck_assert_int_eq(fit_compare(&q, &a, &a), 0);
	ck_assert_double_eq(q.orders_ks, 0);
	ck_assert_double_eq(q.gaps_ks, 0);
	ck_assert_double_eq(q.lifetimes_ks, 0);
	ck_assert_double_eq(q.live_mean, 0);
	fit_lives_free(&a);
}
END_TEST

/* Lifetimes of 1..7 units against 8..14 of them never overlap. */
START_TEST(distances_are_what_they_are_by_hand)
{
	struct fit_lives a = made_lives(7000, 10);
	struct fit_lives b = made_lives(7000, 10);
	struct fit_quality q;

	for (size_t i = 0; i < b.nr; i++) {
		if (b.lives[i].end_ns != UINT64_MAX)
			b.lives[i].end_ns += 70;
		b.lives[i].order = 0;
	}
	ck_assert_int_eq(fit_compare(&q, &a, &b), 0);
	ck_assert_double_eq_tol(q.lifetimes_ks, 1, 0.001);
	ck_assert_double_eq_tol(q.orders_ks, 0.25, 0.001);
	ck_assert_double_eq_tol(q.orders_max, 0.25, 0.001);
	ck_assert_double_eq(q.gaps_ks, 0);
	fit_lives_free(&a);
	fit_lives_free(&b);
}
END_TEST

/* A sample has no order: the same lifetimes and gaps of other blocks are no distance. */
START_TEST(the_same_times_in_another_order_have_no_distance)
{
	struct fit_life first[] = {
		{ .start_ns = 0, .end_ns = 10 }, { .start_ns = 1000, .end_ns = 1500 },
		{ .start_ns = 3000, .end_ns = 3020 },
	};
	struct fit_life second[] = {
		{ .start_ns = 0, .end_ns = 500 }, { .start_ns = 2000, .end_ns = 2020 },
		{ .start_ns = 3000, .end_ns = 3010 },
	};
	const struct fit_lives a = { first, 3, 4000 }, b = { second, 3, 4000 };
	struct fit_quality q;

	ck_assert_int_eq(fit_compare(&q, &a, &b), 0);
	ck_assert_double_eq(q.lifetimes_ks, 0);
	ck_assert_double_eq(q.gaps_ks, 0);
}
END_TEST

/*
 *   point   0    5   10   15  ..  FIT_POINTS
 *           [--- order 2 ----)
 *                [- order 0 -----------
 *           1    1    5 ...          there from the start: one page
 */
START_TEST(live_pages_are_those_born_and_not_yet_dead)
{
	struct fit_life lives[] = {
		{ .start_ns = 0, .end_ns = UINT64_MAX, .resident = true },
		{ .start_ns = 5, .end_ns = 15, .order = 2 },
		{ .start_ns = 10, .end_ns = UINT64_MAX },
	};
	const struct fit_lives f = { lives, 3, FIT_POINTS };
	uint64_t pages[FIT_POINTS + 1];

	fit_live_pages(&f, f.end_ns, pages);
	for (unsigned int i = 0; i <= FIT_POINTS; i++)
		must(pages[i] == 1U + (i >= 5 && i < 15 ? 4 : 0) + (i >= 10));
}
END_TEST

/*
 *   page   ####          order 1 born at 0 ms, half of it freed at 2 ms, the
 *   page   ########      other at 6 ms: its pages live 4 ms on average
 */
START_TEST(a_block_freed_in_parts_lives_as_its_pages_do)
{
	struct event ev[3] = { { .gfp = 0 } };
	char *comms[] = { "" };
	const struct trace trace = { .events = ev, .nr_events = 3, .comms = comms };
	struct demand_op ops[] = {
		{ .kind = DEMAND_ALLOC, .id = 0, .order = 1 },
		{ .kind = DEMAND_SPLIT, .id = 0, .upper = 1, .order = 0, .time_ns = 2 },
		{ .kind = DEMAND_FREE, .id = 1, .order = 0, .time_ns = 2 },
		{ .kind = DEMAND_FREE, .id = 0, .order = 0, .time_ns = 6 },
	};
	const struct demand d = { .ops = ops, .nr_ops = 4, .nr_ids = 2, .end_ns = 9 };
	struct fit_lives f;

	ck_assert_int_eq(fit_lives_follow(&f, &d, &trace, NULL, NULL), 0);
	ck_assert_uint_eq(f.nr, 1);
	ck_assert(f.lives[0].end_ns == 4);
	fit_lives_free(&f);
}
END_TEST

/* How many blocks of a class are born, by its schedule or at once. */
static double blocks_of(const struct workload_class *k)
{
	double nr = k->arrivals.kind == ARRIVAL_ONCE ? k->batch.a : 0;

	for (unsigned int i = 0; i < k->arrivals.nr_counts; i++)
		nr += k->arrivals.counts[i];
	return nr;
}

START_TEST(what_is_written_can_be_read_and_has_every_block)
{
	struct fit_lives f = made_lives(20000, 100000);
	struct layout layout;
	struct scenario s;
	double nr = 0;
	FILE *out;
	char path[300];

	f.lives[0].resident = true;
	ck_assert_int_eq(layout_flat(&layout, 65536, 2, &msg), 0);
	snprintf(path, sizeof(path), "%s", scratch_path("fit.ini"));
	out = fopen(path, "w");
	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(fit_write(out, &f, &layout, 77, "a test"), 0);
	fclose(out);
	ck_assert_msg(!scenario_read(&s, path, 1, &msg), "%s", msg.text);
	ck_assert(layout_present(&s.layout) == 65536);
	ck_assert_str_eq(s.classes[0].name, FIT_PINNED);
	ck_assert_double_eq(s.classes[0].batch.a, 77);
	for (unsigned int c = 1; c < s.nr_classes; c++)
		nr += blocks_of(&s.classes[c]);
	ck_assert_double_eq(nr, 20000);
	ck_assert(s.nr_classes > 20);
	scenario_free(&s);
	fit_lives_free(&f);
}
END_TEST

/* Each class tells of its own lives only: in its zone, its stretch of time, its end. */
START_TEST(zones_and_ends_of_lives_are_in_the_scenario)
{
	struct fit_lives f = made_lives(20000, 100000);
	double in_zone[3] = { 0 }, for_ever = 0;
	struct layout layout;
	struct scenario s;
	char path[300];
	FILE *out;

	for (size_t i = 0; i < f.nr; i++) {
		if (i % 5 == 0)
			f.lives[i].gfp = GFP(DMA);
		else if (i % 5 < 3)
			f.lives[i].gfp = GFP(DMA32);
		if (i % 4 == 0 && i < 10000)
			f.lives[i].end_ns = UINT64_MAX;
		for_ever += f.lives[i].end_ns == UINT64_MAX;
	}
	ck_assert_int_eq(layout_pc(&layout, UINT64_C(8) << 30, 2, &msg), 0);
	snprintf(path, sizeof(path), "%s", scratch_path("zones.ini"));
	out = fopen(path, "w");
	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(fit_write(out, &f, &layout, 0, "zones"), 0);
	fclose(out);
	ck_assert_msg(!scenario_read(&s, path, 1, &msg), "%s", msg.text);
	for (unsigned int c = 0; c < s.nr_classes; c++) {
		const struct workload_class *k = &s.classes[c];

		must(k->zone >= 0 && k->zone < 3);
		in_zone[k->zone] += blocks_of(k);
		for (unsigned int i = 0; i < k->nr_life; i++)
			if (k->life[i].kind == LIFE_FOREVER)
				for_ever -= k->life[i].share * blocks_of(k);
	}
	ck_assert_double_eq(in_zone[0], 4000);
	ck_assert_double_eq(in_zone[1], 8000);
	ck_assert_double_eq(in_zone[2], 8000);
	ck_assert_double_eq_tol(for_ever, 0, 0.01);
	scenario_free(&s);
	layout_free(&layout);
	fit_lives_free(&f);
}
END_TEST

static int run_fit(const char *output, const char *input)
{
	char program[] = "fit", quiet[] = "-q", option[] = "-o", name[] = "pagetax";
	char out[300], in[300];
	char *argv[] = { name, program, quiet, option, out, in, NULL };

	snprintf(out, sizeof(out), "%s", output);
	snprintf(in, sizeof(in), "%s", input);
	return pagetax_run(6, argv, &msg);
}

START_TEST(the_shipped_sample_is_fitted)
{
	char path[300], *text;
	size_t len;

	snprintf(path, sizeof(path), "%s", scratch_path("sample.ini"));
	ck_assert_msg(!run_fit(path, "tests/data/fork-sample"), "%s", msg.text);
	text = scratch_slurp(scratch_path("sample.tsv"), &len);
	ck_assert_ptr_nonnull(strstr(text, "simulated_live_pages"));
	free(text);
}
END_TEST

/* A scenario is there when it has proved itself, and its curves with it. */
START_TEST(an_interrupted_fit_leaves_the_older_one)
{
	const char *path = scratch_write_text("sample.ini", "old");
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		note_interrupts();
		raise(SIGTERM);
		_exit(run_fit(path, "tests/data/fork-sample"));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == STATUS_FAILED);
	ck_assert(!strcmp(scratch_text("sample.ini"), "old"));
	ck_assert_int_eq(unlink(scratch_path("sample.ini")), 0);
	ck_assert_int_eq(rmdir(scratch_folder()), 0);
	ck_assert_int_eq(mkdir(scratch_folder(), 0777), 0);
}
END_TEST

START_TEST(mistakes_are_told)
{
	char path[300];

	ck_assert_int_eq(run_fit("fit.txt", "tests/data/fork-sample"), STATUS_USAGE);
	ck_assert(strstr(msg.text, "ends in .ini"));
	snprintf(path, sizeof(path), "%s/no/fit.ini", scratch_folder());
	ck_assert_int_eq(run_fit(path, "tests/data/fork-sample"), STATUS_FAILED);
	ck_assert(strstr(msg.text, "/no/fit.ini: cannot write: there is no folder"));
	snprintf(path, sizeof(path), "%s", scratch_path("fit.ini"));
	ck_assert_int_eq(run_fit(path, "/no/such/trace"), STATUS_FAILED);
	ck_assert(strstr(msg.text, "/no/such/trace"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fit");
	TCase *tc = tcase_create("fit");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, scratch_setup, scratch_teardown);
	tcase_add_test(tc, equal_demands_have_no_distance);
	tcase_add_test(tc, distances_are_what_they_are_by_hand);
	tcase_add_test(tc, the_same_times_in_another_order_have_no_distance);
	tcase_add_test(tc, live_pages_are_those_born_and_not_yet_dead);
	tcase_add_test(tc, a_block_freed_in_parts_lives_as_its_pages_do);
	tcase_add_test(tc, what_is_written_can_be_read_and_has_every_block);
	tcase_add_test(tc, zones_and_ends_of_lives_are_in_the_scenario);
	tcase_add_test(tc, the_shipped_sample_is_fitted);
	tcase_add_test(tc, an_interrupted_fit_leaves_the_older_one);
	tcase_add_test(tc, mistakes_are_told);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
