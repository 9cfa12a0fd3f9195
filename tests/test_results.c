/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_results.c - a result folder appears whole or not at all
 *
 * Each test works in a fresh folder of its own, and counts what is left there
 * at the end: nothing half-made may stay.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/report/results.h"
#include "tests/suite.h"

static char place[] = "/tmp/pagetax-results-XXXXXX";
static char dir[64];			/* place/result */

static void setup(void)
{
	strcpy(place + strlen(place) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(place));
	snprintf(dir, sizeof(dir), "%s/result", place);
}

static int nr_entries(const char *path)
{
	DIR *folder = opendir(path);
	int nr = 0;

	if (!folder)
		return -1;
	while (readdir(folder))
		nr++;
	closedir(folder);
	return nr - 2;
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "chmod -R u+w %s; rm -rf %s", place, place);
	ck_assert_int_eq(system(command), 0);
}

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static bool file_holds(const char *name, const char *text)
{
	char path[128], line[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	return !strcmp(line, text);
}

/* A whole result with this text as its summary. */
static int write_result(const char *text, struct msg *msg)
{
	struct results r;
	FILE *file;

	if (results_begin(&r, dir, msg))
		return -1;
	file = results_open(&r, "summary.json", msg);
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(results_close(&r, file, "summary.json", 0, msg), 0);
	return results_end(&r, 0, msg);
}

START_TEST(nothing_is_there_before_the_commit_and_all_of_it_after)
{
	struct results r;
	struct msg msg;
	FILE *file;

	ck_assert_int_eq(results_check(dir, &msg), 0);
	ck_assert_int_eq(results_begin(&r, dir, &msg), 0);
	file = results_open(&r, "summary.json", &msg);
	ck_assert_ptr_nonnull(file);
	fputs("{}", file);
	ck_assert_int_eq(results_close(&r, file, "summary.json", 0, &msg), 0);
	ck_assert_int_eq(access(dir, F_OK), -1);
	ck_assert_int_eq(results_end(&r, 0, &msg), 0);
	ck_assert(file_holds("summary.json", "{}"));
	ck_assert_int_eq(nr_entries(place), 1);
}
END_TEST

START_TEST(an_older_result_is_replaced_whole)
{
	struct msg msg;

	ck_assert_int_eq(write_result("old", &msg), 0);
	write_file("tax.png", "old");
	ck_assert_int_eq(write_result("new", &msg), 0);
	ck_assert(file_holds("summary.json", "new"));
	ck_assert_int_eq(nr_entries(dir), 1);
	ck_assert_int_eq(nr_entries(place), 1);
}
END_TEST

START_TEST(an_empty_folder_may_become_a_result)
{
	struct msg msg;

	ck_assert_int_eq(mkdir(dir, 0777), 0);
	ck_assert_int_eq(write_result("new", &msg), 0);
	ck_assert_int_eq(nr_entries(dir), 1);
}
END_TEST

START_TEST(an_abort_leaves_the_older_result_and_nothing_else)
{
	struct results r;
	struct msg msg;
	FILE *file;

	ck_assert_int_eq(write_result("old", &msg), 0);
	ck_assert_int_eq(results_begin(&r, dir, &msg), 0);
	file = results_open(&r, "samples.tsv", &msg);
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(results_close(&r, file, "samples.tsv", 0, &msg), 0);
	ck_assert_int_eq(results_end(&r, -EINTR, &msg), -EINTR);
	ck_assert(file_holds("summary.json", "old"));
	ck_assert_int_eq(nr_entries(place), 1);
}
END_TEST

/* Results so far are written whenever the interrupt came. */
static const struct { bool partial, interrupt; int err, left; } interruptions[] = {
	{ false, false, 0, 1 }, { true, true, 0, 1 }, { false, true, -EINTR, 0 },
};

START_TEST(who_is_interrupted_while_writing_leaves_nothing)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct results r;
		struct msg msg;

		if (results_begin(&r, dir, &msg))
			_exit(1);
		r.partial = interruptions[_i].partial;
		if (interruptions[_i].interrupt)
			raise(SIGTERM);
		_exit(results_end(&r, 0, &msg) != interruptions[_i].err);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_int_eq(nr_entries(place), interruptions[_i].left);
}
END_TEST

/* What else may stand at the place: none of it is ours to replace. */
static const char *const foreign[] = {
	"mkdir $D && touch $D/thesis.tex",
	"mkdir $D && touch $D/summary.json $D/thesis.tex",
	"mkdir $D && touch $D/samples.tsv",
	"mkdir $D && mkdir $D/summary",
	"touch $D",
	"ln -s /nonexistent $D",
};

START_TEST(what_is_not_ours_is_refused_and_left_alone)
{
	char command[256];
	struct results r;
	struct msg msg = { "" };
	int nr;

	snprintf(command, sizeof(command), "D=%s; %s", dir, foreign[_i]);
	ck_assert_int_eq(system(command), 0);
	nr = nr_entries(dir);
	ck_assert_int_eq(results_check(dir, &msg), -EEXIST);
	ck_assert_msg(strstr(msg.text, dir), "%s", msg.text);
	ck_assert_int_eq(results_begin(&r, dir, &msg), -EEXIST);
	ck_assert_int_eq(nr_entries(dir), nr);
	ck_assert_int_eq(nr_entries(place), 1);
}
END_TEST

START_TEST(a_stranger_who_came_during_the_run_is_not_replaced)
{
	struct results r;
	struct msg msg;

	ck_assert_int_eq(results_begin(&r, dir, &msg), 0);
	ck_assert_int_eq(mkdir(dir, 0777), 0);
	write_file("thesis.tex", "mine");
	ck_assert_int_eq(results_end(&r, 0, &msg), -EEXIST);
	ck_assert(file_holds("thesis.tex", "mine"));
	ck_assert_int_eq(nr_entries(place), 1);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_named)
{
	char missing[128];
	struct msg msg;

	snprintf(missing, sizeof(missing), "%s/no/result", place);
	ck_assert_int_eq(results_check(missing, &msg), -ENOENT);
	ck_assert_msg(strstr(msg.text, "/no"), "%s", msg.text);
}
END_TEST

START_TEST(slashes_at_the_end_of_a_name_do_not_matter)
{
	char slashed[128];
	struct results r;
	struct msg msg;

	snprintf(slashed, sizeof(slashed), "%s///", dir);
	ck_assert_int_eq(results_begin(&r, slashed, &msg), 0);
	ck_assert_int_eq(results_end(&r, 0, &msg), 0);
	ck_assert_int_eq(nr_entries(dir), 0);
	ck_assert_int_eq(nr_entries(place), 1);
}
END_TEST

/* A limit on the size of files stands for a full disk. */
START_TEST(a_write_that_fails_is_told_with_its_file_and_cause)
{
	struct rlimit limit = { 4096, RLIM_INFINITY };
	struct results r;
	struct msg msg;
	FILE *file;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(results_begin(&r, dir, &msg), 0);
	file = results_open(&r, "samples.tsv", &msg);
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (int i = 0; i < 20000; i++)
		fputs("a line of numbers\n", file);
	ck_assert_int_eq(results_close(&r, file, "samples.tsv", 0, &msg), -EFBIG);
	limit.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_msg(strstr(msg.text, "result/samples.tsv: File too large"), "%s",
		      msg.text);
	ck_assert_int_eq(results_end(&r, -EINTR, &msg), -EINTR);
	ck_assert_int_eq(nr_entries(place), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("results");
	TCase *tc = tcase_create("results");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_is_there_before_the_commit_and_all_of_it_after);
	tcase_add_test(tc, an_older_result_is_replaced_whole);
	tcase_add_test(tc, an_empty_folder_may_become_a_result);
	tcase_add_test(tc, an_abort_leaves_the_older_result_and_nothing_else);
	tcase_add_loop_test(tc, who_is_interrupted_while_writing_leaves_nothing, 0,
			    (int)ARRAY_SIZE(interruptions));
	tcase_add_loop_test(tc, what_is_not_ours_is_refused_and_left_alone, 0,
			    (int)ARRAY_SIZE(foreign));
	tcase_add_test(tc, a_stranger_who_came_during_the_run_is_not_replaced);
	tcase_add_test(tc, a_folder_that_is_not_there_is_named);
	tcase_add_test(tc, slashes_at_the_end_of_a_name_do_not_matter);
	tcase_add_test(tc, a_write_that_fails_is_told_with_its_file_and_cause);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
