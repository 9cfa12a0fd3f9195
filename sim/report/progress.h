/* SPDX-License-Identifier: GPL-2.0-or-later */
/* progress.h - one line on standard error while a run lasts, on a terminal that can wipe it */
#ifndef PAGETAX_SIM_REPORT_PROGRESS_H
#define PAGETAX_SIM_REPORT_PROGRESS_H

#include "base/types.h"

struct progress {
	bool shown;			/* set at start: is this such a terminal? */
	unsigned int done;		/* of `total` runs */
	unsigned int total;
	double last_s;			/* wall clock of the last line */
	double begin_s;			/* of this run; of a simulation: booted */
	bool booted;			/* a simulation's first events have come */
	uint64_t begin_ns;		/* where it was then: simulated time, */
	uint64_t begin_ops;		/* and events */
};

void progress_start(struct progress *p, bool wanted, unsigned int total);

/* A line of what is going on before there is anything to count. */
void progress_note(const struct progress *p, const char *what);

/* What a replay calls now and then; false once the user has interrupted it. */
bool progress_show(void *progress, const char *allocator, uint64_t ops,
		   uint64_t nr_ops);

/*
 * The same for a simulation: simulated time, host memory, time left. Making a
 * large machine takes long, and says nothing about how long the rest will take.
 */
void progress_boot(const struct progress *p, const char *allocator);
bool progress_show_time(void *progress, const char *allocator, uint64_t now_ns,
			uint64_t end_ns, uint64_t ops);

/* The next run begins. */
void progress_next(void *progress);

/* Wipe the line. */
void progress_end(const struct progress *p);

#endif
