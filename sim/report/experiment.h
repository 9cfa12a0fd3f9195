/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * experiment.h - one run of a command, as all writers of results see it
 *
 * Everything that shows results (table, summary, samples, later the report)
 * reads this and nothing else. All members belong to the command.
 */
#ifndef PAGETAX_SIM_REPORT_EXPERIMENT_H
#define PAGETAX_SIM_REPORT_EXPERIMENT_H

#include "sim/options.h"
#include "sim/replay.h"

struct experiment {
	const char *command;		/* "replay" */
	const char *input_name;		/* last part of the path: no place of a machine */
	const char *input_sha256;
	const struct options *options;
	const struct layout *layout;
	const struct demand *demand;
	const struct allocatee_table *allocatees;	/* NULL: owners not counted */
	char *const *process_names;	/* as the census numbers them; NULL: none */
	const struct initial_state *start;
	const struct replay_run *runs;
	unsigned int nr_runs;
	bool interrupted;		/* results so far: the last run is cut short */
	double wall_s;			/* of the whole command */
};

/* The sample taken last, which every finished run has. */
static inline const struct sample *run_last_sample(const struct replay_run *run)
{
	return &run->series.samples[run->series.nr - 1];
}

#endif
