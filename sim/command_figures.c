/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command_figures.c - pagetax figures: published figures, computed anew */
#include <errno.h>

#include "sim/bench/figures.h"
#include "sim/commands.h"

enum status command_figures(const struct options *o, struct msg *msg)
{
	const struct figures_plan plan = {
		.figures = figures,
		.ids = o->args,
		.nr_ids = o->nr_args,
		.output = o->output,
		.no_plots = o->no_plots,
		.quiet = o->quiet,
		.seed = o->seed,
	};
	int err = figures_run(&plan, msg);

	if (err == -EINVAL || err == -ENOTSUP)
		return STATUS_USAGE;
	return err ? STATUS_FAILED : STATUS_DONE;
}
