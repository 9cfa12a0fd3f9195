/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outcome.c - write the folder, print the table, judge the runs */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/report/cost_table.h"
#include "sim/report/outcome.h"
#include "sim/report/plots.h"
#include "sim/report/results.h"
#include "sim/report/summary.h"
#include "sim/report/table.h"
#include "sim/report/tsv.h"

static const struct {
	const char *name;
	int (*write)(FILE *out, const struct experiment *e);
} result_files[] = {
	{ "samples.tsv",   tsv_write_samples },
	{ "buddyinfo.tsv", tsv_write_buddyinfo },
	{ "tax.tsv",       tsv_write_tax },
	{ "classes.tsv",   tsv_write_classes },
	{ "processes.tsv", tsv_write_processes },
	{ "memory.tsv",    tsv_write_memory },
	{ "summary.json",  summary_write },
	{ "timing.json",   timing_write },
};

static int write_files(struct results *r, const struct experiment *e,
		       struct msg *msg)
{
	for (size_t i = 0; i < ARRAY_SIZE(result_files); i++) {
		const char *name = result_files[i].name;
		FILE *out = results_open(r, name, msg);
		int err;

		if (!out)
			return -EIO;
		err = results_close(r, out, name, result_files[i].write(out, e), msg);
		if (err)
			return err;
	}
	return 0;
}

static int write_folder(const struct experiment *e,
			const struct progress *progress, struct msg *msg)
{
	const struct options *o = e->options;
	struct results r;
	int err = results_begin(&r, o->output, msg);

	if (err)
		return err;
	r.partial = e->interrupted;
	err = write_files(&r, e, msg);
	if (!err && !o->no_plots && !e->interrupted) {
		progress_note(progress, "plotting");
		plots_draw(r.tmp);
	}
	return results_end(&r, err, msg);
}

static int print_table(const struct experiment *e, struct msg *msg)
{
	struct table_row *rows = calloc(e->nr_runs, sizeof(*rows));

	if (!rows)
		return msg_set(msg, ENOMEM, "no memory for the table");
	for (unsigned int i = 0; i < e->nr_runs; i++)
		table_row_of_run(&rows[i], &e->runs[i], e->layout);
	table_print(stdout, rows, e->nr_runs);
	free(rows);
	return 0;
}

/* Of a build that counts: see base/cost.h. */
static int print_costs(const struct experiment *e, struct msg *msg)
{
	struct cost_row *rows = calloc(e->nr_runs, sizeof(*rows));

	if (!rows)
		return msg_set(msg, ENOMEM, "no memory for the table");
	for (unsigned int i = 0; i < e->nr_runs; i++)
		rows[i] = (struct cost_row){ e->runs[i].spec, &e->runs[i].cost };
	cost_table_print(stdout, rows, e->nr_runs);
	free(rows);
	return 0;
}

/* The first run whose invariants or boot state did not hold, in a message. */
static enum status judge(const struct experiment *e, struct msg *msg)
{
	for (unsigned int i = 0; i < e->nr_runs; i++) {
		const struct replay_run *run = &e->runs[i];

		if (!run->verified)
			msg_set(msg, EUCLEAN, "%s: not verified: %s", run->spec,
				run->verify_msg.text);
		else if (run->teardown && !run->restored &&
			 !run->ops->caps.no_policy &&
			 !run->ops->caps.keeps_metadata)
			msg_set(msg, EUCLEAN,
				"%s: freeing everything did not restore the boot state",
				run->spec);
		else
			continue;
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}

enum status outcome_show(const struct experiment *e,
			 const struct progress *progress, struct msg *msg)
{
	int err = 0;

	if (e->options->output)
		err = write_folder(e, progress, msg);
	progress_end(progress);
	if (!err && !e->options->quiet)
		err = print_table(e, msg);
	if (!err && !e->options->quiet)
		err = print_costs(e, msg);
	return err ? STATUS_FAILED : judge(e, msg);
}
