/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_result.c - a result folder, shown, compared and reported */
#include <stdio.h>
#include <stdlib.h>

#include "sim/commands.h"
#include "sim/report/compare.h"
#include "sim/report/report.h"
#include "tests/sim_fuzz.h"

static void show(const char *path)
{
	char *argv[] = { (char *)"pagetax", (char *)"info", (char *)(uintptr_t)path };
	struct msg msg = { "" };

	fuzz_answer(pagetax_run(ARRAY_SIZE(argv), argv, &msg) ? -1 : 0, &msg);
}

static void compare(const struct result *r, FILE *out)
{
	struct comparison_of_results c;
	struct msg msg = { "" };
	int err = compare_results(&c, r, r, &msg);

	fuzz_answer(err, &msg);
	if (err)
		return;
	compare_print(out, &c);
	compare_free(&c);
}

static void report(const struct result *r, FILE *out)
{
	const struct breakeven nothing = { 0 };
	const struct report report = {
		.results = r,
		.nr_results = 1,
		.breakeven = &nothing,
		.scratch = r->path,
	};
	struct msg msg = { "" };

	fuzz_answer(report_write(out, &report, &msg), &msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const names[] = {
		"summary.json", "timing.json", "samples.tsv", "tax.tsv",
		"memory.tsv", "classes.tsv", "processes.tsv", "buddyinfo.tsv",
	};
	const char *path = fuzz_folder(data, len, names, ARRAY_SIZE(names));
	static FILE *out;
	struct msg msg = { "" };
	struct result r;
	int err = result_load(&r, path, &msg);

	if (!out) {
		out = fopen("/dev/null", "w");
		setenv("PAGETAX_PLOTS", "/nonexistent", 1);	/* no gnuplot for each input */
	}
	fuzz_answer(err, &msg);
	if (err)
		return 0;
	show(path);
	compare(&r, out);
	report(&r, out);
	result_free(&r);
	return 0;
}
