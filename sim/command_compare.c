/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command_compare.c - pagetax compare: what changed from one result to another */
#include <stdio.h>

#include "sim/commands.h"
#include "sim/report/compare.h"

static enum status compare(const struct options *o, const struct result *a,
			   const struct result *b, struct msg *msg)
{
	struct comparison_of_results c;
	enum status status = STATUS_DONE;
	bool holds = false;

	if (compare_results(&c, a, b, msg))
		return STATUS_FAILED;
	if (o->fail_if && compare_evaluate(&c, o->fail_if, &holds, msg))
		status = STATUS_USAGE;
	else if (!o->quiet)
		compare_print(stdout, &c);
	if (holds) {
		msg_set(msg, 1, "--fail-if holds: %s", o->fail_if);
		status = STATUS_FAILED;
	}
	compare_free(&c);
	return status;
}

enum status command_compare(const struct options *o, struct msg *msg)
{
	enum status status = STATUS_FAILED;
	struct result a, b;

	if (result_load(&a, o->args[0], msg))
		return STATUS_FAILED;
	if (!result_load(&b, o->args[1], msg)) {
		status = compare(o, &a, &b, msg);
		result_free(&b);
	}
	result_free(&a);
	return status;
}
