/* SPDX-License-Identifier: GPL-2.0-or-later */
/* suite.c - see suite.h */
#include <stdlib.h>
#include <sys/prctl.h>

#include "tests/suite.h"

int run_suite(Suite *suite)
{
	SRunner *sr = srunner_create(suite);
	int failed;

	/*
	 * Tests make many large machines and touch few of their descriptors:
	 * with huge pages most of the time went into zeroing the others.
	 */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
