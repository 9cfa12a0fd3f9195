/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command_validate.c - pagetax validate: the Linux model against the machine */
#include <errno.h>
#include <stdio.h>

#include "sim/commands.h"
#include "sim/interrupt.h"
#include "sim/report/plots.h"
#include "sim/report/results.h"
#include "sim/validate/validation_report.h"

static int write_files(struct results *r, const struct validation *v,
		       const struct options *o, struct msg *msg)
{
	FILE *out = results_open(r, "validation.tsv", msg);
	int err;

	if (!out)
		return -EIO;
	validation_write_tsv(out, v);
	err = results_close(r, out, "validation.tsv", 0, msg);
	if (err)
		return err;
	out = results_open(r, "validation.json", msg);
	return out ? results_close(r, out, "validation.json",
				   validation_write_json(out, v, o), msg) : -EIO;
}

static int write_folder(const struct validation *v, const struct options *o,
			const struct progress *progress, struct msg *msg)
{
	struct results r;
	int err = results_begin(&r, o->output, msg);

	if (err)
		return err;
	err = write_files(&r, v, o, msg);
	if (!err && !o->no_plots) {
		progress_note(progress, "plotting");
		plots_draw_one(r.tmp, "validate");
	}
	return results_end(&r, err, msg);
}

enum status command_validate(const struct options *o, struct msg *msg)
{
	struct validation v;
	struct progress progress;
	int err;

	if (o->output && results_check(o->output, msg))
		return STATUS_FAILED;
	note_interrupts();
	progress_start(&progress, !o->quiet, o->nr_specs + 1);
	err = validation_run(&v, o, &progress, msg);
	if (!err && o->output)
		err = write_folder(&v, o, &progress, msg);
	progress_end(&progress);
	if (!err && !o->quiet && validation_print(stdout, &v))
		err = msg_set(msg, ENOMEM, "no memory for the table");
	validation_free(&v);
	return err ? STATUS_FAILED : STATUS_DONE;
}
