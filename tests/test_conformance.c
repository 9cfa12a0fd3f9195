/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_conformance.c - every backend keeps the contract of conformance.c */
#include "tests/conformance.h"
#include "tests/suite.h"

int main(void)
{
	return run_suite(conformance_suite());
}
