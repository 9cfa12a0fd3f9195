/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record.h - a simulated run written as a trace
 *
 * The class stands in the place of the process, so that whatever reads a
 * recorded machine reads this as well: text as `perf script` prints it, or a
 * .ptr. Failed requests are written as Linux writes them: as page 0.
 */
#ifndef PAGETAX_SIM_RECORD_H
#define PAGETAX_SIM_RECORD_H

#include "sim/convert.h"
#include "sim/source/trace.h"

struct layout;
struct output;
struct scenario;

struct record {
	struct output *out;		/* NULL: none is being written */
	enum convert_format format;
	const struct scenario *scenario;
	struct trace trace;		/* of a .ptr: all events, for its head counts them */
};

struct record_who {
	uint64_t time_ns;
	unsigned int cpu;
	unsigned int class;		/* stands for the thread */
};

/*
 * Begin the record of a scenario, in the format chosen or that of the name.
 * Never over a file that is there. 0, or a negative errno with a message.
 */
int record_open(struct record *r, const char *path, enum convert_format format,
		const struct scenario *s, struct msg *msg);

/* Every write error shows here. What is not whole leaves nothing behind. */
int record_close(struct record *r, const struct layout *layout, struct msg *msg);
void record_abort(struct record *r);

/* pfn is PFN_NONE for a request that got nothing. 0 or -ENOMEM. */
int record_alloc(struct record *r, const struct record_who *who,
		 unsigned long pfn, unsigned int order,
		 unsigned int migratetype, uint32_t gfp);
int record_free(struct record *r, const struct record_who *who,
		unsigned long pfn, unsigned int order);

#endif
