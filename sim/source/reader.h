/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reader.h - what a trace format provides, and what it is handed
 *
 *	input ---> reader ---> trace_builder ---> trace
 *	bytes      a format    checks, counts,
 *	                       interns, sorts
 *
 * A format is one file that ends with its struct trace_reader, and one line in
 * the table of trace.c.
 */
#ifndef PAGETAX_SIM_READER_H
#define PAGETAX_SIM_READER_H

#include "sim/source/input.h"
#include "sim/source/trace.h"

/* No machine has such a page: 52 bits of physical address, or 32 bits of pfn. */
#define PFN_LIMIT (UINT64_C(1) << (sizeof(long) > 4 ? 40 : 31))

struct comm_table;

/* A trace being read. */
struct trace_builder {
	struct trace *trace;
	struct comm_table *comms;
	event_check check;		/* or NULL */
	const void *check_arg;
	uint64_t limit;			/* events to stop at; UINT64_MAX for all */
	uint64_t last_ns;		/* time of the newest event */
	bool unsorted;			/* time went back somewhere */
};

struct trace_reader {
	const char *name;		/* becomes trace.format */
	const char *what;		/* for the list of known formats */

	/* Whether these first bytes of the (decompressed) input are this format. */
	bool (*probe)(const char *text, size_t len);

	/*
	 * Feed every event to the builder, until the input ends or the
	 * builder is full. 0, or a negative errno with a message.
	 */
	int (*read)(struct trace_builder *b, struct input *in, struct msg *msg);
};

extern const struct trace_reader perf_text_reader;
extern const struct trace_reader tracefs_text_reader;
extern const struct trace_reader trace_cmd_text_reader;
extern const struct trace_reader llfree_records_reader;
extern const struct trace_reader ptr_reader;

static inline bool builder_full(const struct trace_builder *b)
{
	return b->trace->nr_events >= b->limit;
}

/* Index of a process name, new or known. 0 or -ENOMEM. */
int builder_comm(struct trace_builder *b, const char *name, size_t len,
		 uint16_t *index);

/*
 * Take an event whose fields are all set. Refuses what no kernel could have
 * meant: an order above MAX_PAGE_ORDER, a block that is not aligned to its
 * order, a pfn beyond any machine. Returns 0, -ENOMEM, or what is wrong as a
 * negative errno; the message is without place, for the reader to add.
 */
int builder_add(struct trace_builder *b, const struct event *ev,
		struct msg *msg);

/*
 * Room for nr events behind those of the trace, for a reader that has proved them
 * to be sane and keeps the trace's and the builder's sums itself. 0 or -ENOMEM with a
 * message.
 */
int builder_reserve(struct trace_builder *b, size_t nr, struct msg *msg);

#endif
