/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * suite.h - what every test program ends with, and assertions for long loops
 *
 *	int main(void)
 *	{
 *		Suite *suite = suite_create("what is tested");
 *		...
 *		return run_suite(suite);
 *	}
 */
#ifndef PAGETAX_TESTS_SUITE_H
#define PAGETAX_TESTS_SUITE_H

#include <check.h>

/* Run it and free it. Returns the program's exit status. */
int run_suite(Suite *suite);

/* Check's own assertions write to a file each time they hold: too slow for millions. */
#define must_msg(cond, ...)                                              \
	do {                                                             \
		if (!(cond))                                             \
			ck_abort_msg(__VA_ARGS__);                       \
	} while (0)
#define must(cond) must_msg(cond, "%s", #cond)

#endif
