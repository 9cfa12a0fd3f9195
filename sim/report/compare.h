/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compare.h - two results, difference by difference, and a condition on them
 *
 *    EXPR       TERM { or TERM }
 *    TERM       CONDITION { and CONDITION }
 *    CONDITION  [ALLOCATOR/][a.|b.]COLUMN  >|>=|<|<=|==|!=  NUMBER[%]
 *
 * COLUMN is what changed from A to B, b - a; with % after the number, that in
 * percent of A. a.COLUMN and b.COLUMN are the values themselves. Without an
 * allocator the condition holds if it does for any of those compared. A
 * figure that one of the two lacks fulfils nothing.
 */
#ifndef PAGETAX_SIM_REPORT_COMPARE_H
#define PAGETAX_SIM_REPORT_COMPARE_H

#include <stdio.h>

#include "sim/report/result.h"

/*
 * Runs with the same allocator are compared; if each result has only one, those
 * are, whatever their names.
 */
struct compare_pair {
	unsigned int a, b;		/* indices of runs */
};

struct comparison_of_results {
	const struct result *a, *b;
	struct compare_pair *pairs;
	unsigned int nr_pairs;
};

/* 0; -ENOENT with a message when there is nothing in common; -ENOMEM. */
int compare_results(struct comparison_of_results *c, const struct result *a,
		    const struct result *b, struct msg *msg);
void compare_free(struct comparison_of_results *c);

void compare_print(FILE *out, const struct comparison_of_results *c);

/*
 * Whether the expression holds. 0, or -EINVAL with a message that shows the
 * place and what was expected there.
 */
int compare_evaluate(const struct comparison_of_results *c, const char *expr,
		     bool *holds, struct msg *msg);

#endif
