/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tiny_conformance.c - the same contract with pages of a few entries */
#include "tests/conformance.h"
#include "tests/suite.h"

int main(void)
{
	return run_suite(conformance_suite());
}
