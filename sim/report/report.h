/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.h - what results say, as one page for people
 *
 * First the verdict and the table behind it, then the drawings, then who pays,
 * then what is needed to do it again. Every sentence follows from numbers in
 * the results; what a result does not hold is said in its place.
 */
#ifndef PAGETAX_SIM_REPORT_REPORT_H
#define PAGETAX_SIM_REPORT_REPORT_H

#include <stdio.h>

#include "sim/breakeven.h"
#include "sim/report/result.h"

struct report {
	const struct result *results;
	unsigned int nr_results;
	const struct breakeven *breakeven;	/* of all their allocators */
	const char *scratch;		/* folder for drawings on their way */
};

/*
 * Write the page. A drawing that cannot be made leaves a sentence that says
 * why. 0 or a negative errno with a message.
 */
int report_write(FILE *out, const struct report *report, struct msg *msg);

#endif
