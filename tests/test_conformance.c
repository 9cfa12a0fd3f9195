/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_conformance.c - every backend keeps the contract of conformance.c */
#include <stdlib.h>

#include "tests/conformance.h"

int main(void)
{
	SRunner *sr = srunner_create(conformance_suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
