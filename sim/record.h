/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record.h - a simulated run written as a trace
 *
 * The lines are those of `perf script`, with the class in the place of the
 * process, so that whatever reads a recorded machine reads this as well.
 * Failed requests are written as Linux writes them: as page 0.
 */
#ifndef PAGETAX_SIM_RECORD_H
#define PAGETAX_SIM_RECORD_H

#include <stdio.h>

#include "base/msg.h"
#include "base/types.h"

struct record {
	FILE *file;
	const char *path;
};

struct record_who {
	uint64_t time_ns;
	unsigned int cpu;
	unsigned int class;		/* stands for the thread */
	const char *name;
};

int record_open(struct record *r, const char *path, struct msg *msg);

/* Every write error shows here. An unfinished file is removed on abort. */
int record_close(struct record *r, struct msg *msg);
void record_abort(struct record *r);

void record_alloc(struct record *r, const struct record_who *who,
		  unsigned long pfn, unsigned int order,
		  unsigned int migratetype, uint32_t gfp);
void record_free(struct record *r, const struct record_who *who,
		 unsigned long pfn, unsigned int order);

#endif
