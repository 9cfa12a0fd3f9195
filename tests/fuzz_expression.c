/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_expression.c - what --fail-if of pagetax compare is asked */
#include <stdlib.h>

#include "sim/report/compare.h"
#include "tests/sim_fuzz.h"

static const char summary[] =
	"{ \"runs\": [ { \"allocator\": \"linked\", \"failed_allocs\": 0,"
	" \"metadata\": { \"total_peak_bytes\": 1000 } } ] }";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = fuzz_text(data, len);
	json_t *root = json_loads(summary, 0, NULL);
	const struct result r = {
		.path = (char *)"result",
		.summary = root,
		.runs = json_object_get(root, "runs"),
		.nr_runs = 1,
	};
	struct comparison_of_results c;
	struct msg msg = { "" };
	bool holds;

	if (compare_results(&c, &r, &r, &msg))
		abort();
	fuzz_answer(compare_evaluate(&c, text, &holds, &msg), &msg);
	compare_free(&c);
	json_decref(root);
	free(text);
	return 0;
}
