/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_parallel.c - replays side by side give what they give one after another */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/commands.h"
#include "sim/parallel.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

#define SAMPLE "tests/data/fork-sample"

static struct msg msg;

/* ---- the command ---- */

static void replay_sample(char *jobs, const char *result)
{
	char out[256];
	char *argv[] = {
		"pagetax", "replay", "-q", "--no-plots", "--limit", "30000",
		"-j", jobs, "-a",
		"null,linked,twoword,twoword:inline=0,twoword:relocate=off",
		"-o", out, SAMPLE, NULL,
	};
	enum status status;

	snprintf(out, sizeof(out), "%s", scratch_path(result));
	status = pagetax_run((int)ARRAY_SIZE(argv) - 1, argv, &msg);
	ck_assert_msg(status == STATUS_DONE, "%s", msg.text);
}

static void assert_same_file(const char *name)
{
	char a[64], b[64];
	char *x, *y;
	size_t x_len, y_len;

	snprintf(a, sizeof(a), "serial/%s", name);
	snprintf(b, sizeof(b), "parallel/%s", name);
	x = scratch_slurp(scratch_path(a), &x_len);
	y = scratch_slurp(scratch_path(b), &y_len);
	ck_assert_uint_eq(x_len, y_len);
	ck_assert(!memcmp(x, y, x_len));
	free(x);
	free(y);
}

START_TEST(results_are_the_same_bytes_whatever_the_jobs)
{
	static char *const jobs[] = { "2", "64" };

	replay_sample("1", "serial");
	replay_sample(jobs[_i], "parallel");
	assert_same_file("summary.json");
	assert_same_file("samples.tsv");
	assert_same_file("buddyinfo.tsv");
	assert_same_file("tax.tsv");
}
END_TEST

START_TEST(jobs_that_cannot_be_are_refused)
{
	static char *const bad[] = { "0", "-1", "two", "1025", "" };
	char *argv[] = { "pagetax", "replay", "-j", bad[_i], SAMPLE, NULL };

	ck_assert_int_eq(pagetax_run(5, argv, &msg), STATUS_USAGE);
	ck_assert_ptr_nonnull(strstr(msg.text, "--jobs"));
}
END_TEST

/* ---- failures ---- */

static struct bundle bundle;
static struct demand demand;
static struct initial_state start;
static struct sample_plan samples;
static struct allocatee_table allocatees;
static struct replay_plan plan;

static char null_spec[] = "null";
static char linked_spec[] = "linked";
static char twoword_spec[] = "twoword";
static char punch_spec[] = "twoword:removal=punch";

static char *const specs[] = { null_spec, linked_spec, twoword_spec, punch_spec };
static struct replay_run runs[ARRAY_SIZE(specs)];
static unsigned int nr_done;

static void plan_setup(void)
{
	int err = bundle_read(&bundle, SAMPLE, 20000, &msg);

	if (!err)
		err = demand_resolve(&demand, &bundle, &bundle.layout, &msg);
	if (!err)
		err = initial_state_build(&start, &bundle, &bundle.layout, &demand,
					  NULL, &msg);
	if (!err)
		err = sample_plan_make(&samples, &demand, &bundle.trace, 100, 0, &msg);
	if (!err)
		err = allocatee_table_load(&allocatees, "today", &msg);
	ck_assert_msg(!err, "%s", msg.text);
	plan = (struct replay_plan){
		.layout = &bundle.layout,
		.demand = &demand,
		.bundle = &bundle,
		.allocatees = &allocatees,
		.start = &start,
		.samples = &samples,
	};
	nr_done = 0;
}

static void plan_teardown(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
		replay_run_free(&runs[i]);
	sample_plan_free(&samples);
	initial_state_free(&start);
	demand_free(&demand);
	bundle_free(&bundle);
}

static void count_done(void *ctx)
{
	(void)ctx;
	nr_done++;
}

/* Ends the replays of both two-word specs. */
static bool stop_twoword(void *ctx, const char *allocator, uint64_t ops,
			 uint64_t nr_ops)
{
	(void)ctx;
	(void)nr_ops;
	return strncmp(allocator, "twoword", 7) || ops < 1000;
}

START_TEST(each_replay_that_ends_well_is_told)
{
	int err = replay_each(runs, &plan, specs, ARRAY_SIZE(specs),
			      (unsigned int)_i, count_done, &msg);

	ck_assert_int_eq(err, 0);
	ck_assert_uint_eq(nr_done, ARRAY_SIZE(specs));
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		ck_assert_str_eq(runs[i].spec, specs[i]);
		ck_assert(runs[i].verified);
	}
}
END_TEST

START_TEST(the_first_failure_of_the_list_is_reported)
{
	int err;

	plan.progress = stop_twoword;
	err = replay_each(runs, &plan, specs, ARRAY_SIZE(specs),
			  (unsigned int)_i, count_done, &msg);
	ck_assert_int_eq(err, -EINTR);
	ck_assert_msg(!strncmp(msg.text, "twoword: ", 9), "%s", msg.text);
	ck_assert(runs[0].verified);
	ck_assert(runs[1].verified);
	ck_assert_uint_eq(nr_done, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("parallel");
	TCase *command = tcase_create("command");
	TCase *crew = tcase_create("crew");

	tcase_set_timeout(command, 60);
	tcase_add_checked_fixture(command, scratch_setup, scratch_teardown);
	tcase_add_loop_test(command, results_are_the_same_bytes_whatever_the_jobs, 0, 2);
	tcase_add_loop_test(command, jobs_that_cannot_be_are_refused, 0, 5);
	suite_add_tcase(suite, command);

	tcase_set_timeout(crew, 60);
	tcase_add_checked_fixture(crew, plan_setup, plan_teardown);
	tcase_add_loop_test(crew, each_replay_that_ends_well_is_told, 1, 4);
	tcase_add_loop_test(crew, the_first_failure_of_the_list_is_reported, 1, 4);
	suite_add_tcase(suite, crew);

	return run_suite(suite);
}
