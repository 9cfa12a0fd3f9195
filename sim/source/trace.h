/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace.h - a whole trace in memory, and reading one
 *
 * A reader is found by what the first bytes of the input are, never by the
 * file's name. Compression (zstd, gzip) is seen through.
 */
#ifndef PAGETAX_SIM_TRACE_H
#define PAGETAX_SIM_TRACE_H

#include "base/msg.h"
#include "sim/source/event.h"

/* A file that stood beside the trace, as it lay on disk. */
struct trace_file {
	char *name;
	char *shown;			/* for messages: "cc.ptr(zoneinfo.start)" */
	uint8_t *bytes;
	size_t len;
};

/* What a trace was first recorded as, however often it was converted since. */
struct trace_source {
	char name[256];			/* of the file or folder, without its path */
	char format[32];
	char sha256[65];
};

struct trace {
	struct event *events;		/* in order of time; ties as recorded */
	size_t nr_events;
	size_t room;

	char **comms;			/* process names; index 0 is "", and what
					   comes after 65535 others */
	unsigned int nr_comms;

	uint64_t lost;			/* sum over EV_LOST */
	uint64_t by_kind[NR_EVENT_KINDS];
	uint64_t lines;			/* of text input, events or not */
	uint64_t other_events;		/* lines of events we have no use for */
	uint64_t max_pfn;		/* highest pfn touched, blocks counted whole */
	unsigned int nr_cpus;		/* highest CPU seen, plus 1 */

	char format[32];		/* name of the reader */
	char sha256[65];		/* of the input file as it lies on disk */
	struct trace_source source;

	struct trace_file *files;	/* what a .ptr brings besides; see recording.h */
	size_t nr_files;
};

/*
 * Read a trace file of any known format. `path` may be "-" for standard
 * input. Stops after `limit` events when limit is not 0. Returns 0, or a
 * negative errno with a message that names path and line or offset, and what
 * was expected there.
 */
int trace_read(struct trace *trace, const char *path, uint64_t limit,
	       struct msg *msg);
void trace_free(struct trace *trace);

/*
 * Append bytes to the file of that name, which is made if it is not there.
 * `container` is what holds it, for messages. 0 or -ENOMEM.
 */
int trace_file_append(struct trace *trace, const char *container,
		      const char *name, const void *bytes, size_t len);

/*
 * The same from bytes in memory, plain or packed, under a name for messages: for
 * benches and fuzzers. sha256 stays "".
 */
int trace_read_memory(struct trace *trace, const char *name, const void *bytes,
		      size_t len, uint64_t limit, struct msg *msg);

/*
 * As trace_read(), asking `check` about every event, for limits that the format does
 * not know, such as the machine's zones. It returns 0, or a negative errno and
 * a message, which gets path and line put before it and ends the reading.
 */
typedef int (*event_check)(const struct event *ev, const void *arg,
			   struct msg *msg);
int trace_read_checked(struct trace *trace, const char *path, uint64_t limit,
		       event_check check, const void *arg, struct msg *msg);

#endif
