/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record.c - operations become events, lines at once or a .ptr at the end */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "sim/output.h"
#include "sim/record.h"
#include "sim/source/perf_print.h"
#include "sim/source/ptr.h"
#include "sim/workload/scenario.h"

/* Process names of the trace: "" and the classes. */
static int name_classes(struct trace *trace, const struct scenario *s)
{
	trace->comms = calloc(s->nr_classes + 1, sizeof(*trace->comms));
	if (!trace->comms)
		return -ENOMEM;
	for (unsigned int i = 0; i <= s->nr_classes; i++) {
		trace->comms[i] = strdup(i ? s->classes[i - 1].name : "");
		if (!trace->comms[i])
			return -ENOMEM;
		trace->nr_comms++;
	}
	return 0;
}

int record_open(struct record *r, const char *path, enum convert_format format,
		const struct scenario *s, struct msg *msg)
{
	struct trace *trace = &r->trace;
	int err;

	*r = (struct record){
		.format = convert_format(path, format), .scenario = s,
	};
	if (!access(path, F_OK))
		return msg_set(msg, EEXIST, "--record %s: %s; expected a new name",
			       path, strerror(EEXIST));
	if (!strcmp(path, "-"))
		return msg_set(msg, EINVAL,
			       "--record cannot be '-'; it takes the name of a new file");
	err = name_classes(trace, s);
	if (err)
		msg_set(msg, ENOMEM, "--record %s: no memory", path);
	else
		err = convert_open(&r->out, path, msg);
	if (err) {
		trace_free(trace);
		return err;
	}
	snprintf(trace->source.name, sizeof(trace->source.name), "%s", s->name);
	snprintf(trace->source.format, sizeof(trace->source.format), "pagetax simulate");
	snprintf(trace->source.sha256, sizeof(trace->source.sha256), "%s", s->sha256);
	return 0;
}

int record_close(struct record *r, const struct layout *layout, struct msg *msg)
{
	uint64_t file_bytes;
	int err = 0;

	if (r->format == CONVERT_PTR)
		err = ptr_write(r->out, &r->trace, layout, &file_bytes, msg);
	if (err)
		output_abort(r->out);
	else
		err = output_commit(r->out, msg);
	r->out = NULL;
	trace_free(&r->trace);
	return err;
}

void record_abort(struct record *r)
{
	if (!r->out)
		return;
	output_abort(r->out);
	r->out = NULL;
	trace_free(&r->trace);
}

static int keep_event(struct trace *trace, const struct event *ev)
{
	if (array_grow(trace->events, trace->nr_events))
		return -ENOMEM;
	trace->events[trace->nr_events++] = *ev;
	trace->nr_cpus = max_t(unsigned int, trace->nr_cpus, ev->cpu + 1U);
	return 0;
}

static int record_event(struct record *r, const struct event *ev)
{
	char line[PERF_LINE_BYTES];

	if (r->format == CONVERT_PTR)
		return keep_event(&r->trace, ev);
	output_write(r->out, line,
		     perf_print(line, ev, r->trace.comms[ev->comm], ev->comm));
	return 0;
}

int record_alloc(struct record *r, const struct record_who *who,
		 unsigned long pfn, unsigned int order,
		 unsigned int migratetype, uint32_t gfp)
{
	const struct event ev = {
		.time_ns = who->time_ns,
		.pfn = pfn == PFN_NONE ? EVENT_PFN_FAILED : pfn,
		.gfp = gfp,
		.cpu = (uint16_t)who->cpu,
		.comm = (uint16_t)(who->class + 1),
		.kind = EV_ALLOC,
		.order = (uint8_t)order,
		.migratetype = (uint8_t)migratetype,
	};

	return record_event(r, &ev);
}

int record_free(struct record *r, const struct record_who *who,
		unsigned long pfn, unsigned int order)
{
	const struct event ev = {
		.time_ns = who->time_ns,
		.pfn = pfn,
		.cpu = (uint16_t)who->cpu,
		.comm = (uint16_t)(who->class + 1),
		.kind = EV_FREE,
		.order = (uint8_t)order,
	};

	return record_event(r, &ev);
}
