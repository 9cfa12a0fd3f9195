/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_examples.c - what examples/ shows is so
 *
 * The programs are looked for beside this one, in examples/.
 */
#include <check.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/types.h"
#include "tests/suite.h"

static const char *folder;		/* of this program */

static const struct {
	const char *command;
	int status;
	const char *begin;		/* of what it prints */
} examples[] = {
	{ "free_list", 0, "all freed:                      0 in use, 8184 free, 8 leaves\n"
			  "every second one taken:      4093 in use, 4094 free, 5 leaves\n"
			  "all others handed out:       8192 in use,    0 free, 0 leaves\n" },
	{ "allocator", 0, "twoword: 32768 pages in use, 0 requests failed\n" },
	{ "allocator linked", 0, "linked: 32768 pages in use, 0 requests failed\n" },
	{ "allocator memdsc", 1, "allocator: unknown allocator 'memdsc'; there are " },
	{ "allocator twoword:inline=99", 1,
	  "allocator: twoword: option 'inline' cannot be '99'; it can be 0..64\n" },
};

START_TEST(an_example_prints_what_it_is_there_to_show)
{
	char command[4096], text[4096];
	FILE *out;
	size_t len;

	snprintf(command, sizeof(command), "%s/examples/%s 2>&1", folder,
		 examples[_i].command);
	out = popen(command, "r");
	ck_assert_ptr_nonnull(out);
	len = fread(text, 1, sizeof(text) - 1, out);
	text[len] = '\0';
	ck_assert_int_eq(WEXITSTATUS(pclose(out)), examples[_i].status);
	ck_assert_msg(!strncmp(text, examples[_i].begin, strlen(examples[_i].begin)),
		      "%s: %s", command, text);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("examples");
	TCase *tc = tcase_create("examples");

	(void)argc;
	folder = dirname(argv[0]);
	tcase_add_loop_test(tc, an_example_prints_what_it_is_there_to_show, 0,
			    (int)ARRAY_SIZE(examples));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
