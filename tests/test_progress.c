/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_progress.c - what a terminal is sent while a run lasts */
#define _DEFAULT_SOURCE			/* openpty() */
#include <check.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/report/progress.h"
#include "tests/suite.h"

static int theirs;			/* the end that holds what was sent */

/*
 * Standard error is a terminal so many letters wide, of this kind. Not so where the
 * system gives out none, as in a bare chroot.
 */
static bool open_terminal(unsigned short columns, const char *term)
{
	const struct winsize window = { .ws_row = 24, .ws_col = columns };
	int ours;

	if (openpty(&theirs, &ours, NULL, NULL, &window))
		return false;
	ck_assert_int_ge(fcntl(theirs, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_ge(dup2(ours, STDERR_FILENO), 0);
	close(ours);
	if (term)
		setenv("TERM", term, 1);
	else
		unsetenv("TERM");
	return true;
}

static const char *sent(void)
{
	static char text[1024];
	ssize_t nr;

	fflush(stderr);
	nr = read(theirs, text, sizeof(text) - 1);
	text[nr < 0 ? 0 : nr] = '\0';
	return text;
}

static const struct { const char *term; bool wanted, shown; } kinds[] = {
	{ "xterm", true,  true },
	{ "xterm", false, false },	/* --quiet */
	{ "dumb",  true,  false },	/* would print what is to wipe the line */
	{ NULL,    true,  false },
};

START_TEST(only_a_terminal_that_can_wipe_gets_a_line)
{
	struct progress p;

	if (!open_terminal(80, kinds[_i].term))
		return;
	progress_start(&p, kinds[_i].wanted, 1);
	progress_note(&p, "reading");
	ck_assert_str_eq(sent(), kinds[_i].shown ? "\r\033[Kreading" : "");
	progress_end(&p);
	ck_assert_str_eq(sent(), kinds[_i].shown ? "\r\033[K" : "");
}
END_TEST

/* A line that went on in the next one could not be wiped. */
START_TEST(a_line_is_no_wider_than_the_terminal)
{
	struct progress p;

	if (!open_terminal(20, "xterm"))
		return;
	progress_start(&p, true, 12);
	progress_boot(&p, "twoword:removal=punch");
	ck_assert_str_eq(sent(), "\r\033[K1/12 twoword:remova");
	p.last_s = 0;			/* the next is due at once */
	progress_show(&p, "linked", 1, 4);
	ck_assert_str_eq(sent(), "\r\033[K1/12 linked: 25 %, ");
	p.last_s = 0;
	progress_show_time(&p, "linked", 0, 100, 0);	/* booted */
	p.last_s = 0;
	progress_show_time(&p, "linked", 1000000000, 60000000000, 7);
	ck_assert_str_eq(sent(), "\r\033[K1/12 linked: 1.00 o");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("progress");
	TCase *tc = tcase_create("progress");

	tcase_add_loop_test(tc, only_a_terminal_that_can_wipe_gets_a_line, 0,
			    (int)ARRAY_SIZE(kinds));
	tcase_add_test(tc, a_line_is_no_wider_than_the_terminal);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	return run_suite(make_suite());
}
