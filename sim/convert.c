/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * convert.c - read all, then write all
 *
 *	trace file ------------> trace ------> perf script text
 *	bundle     --> events       | files -> .ptr
 *	           `-> the rest ----'
 *
 * Events are written in order of time, whatever their order was.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/convert.h"
#include "sim/output.h"
#include "sim/source/perf_print.h"
#include "sim/source/ptr.h"
#include "sim/source/recording.h"
#include "sim/source/zoneinfo.h"

static bool ends_in(const char *name, const char *ending)
{
	size_t len = strlen(name), end = strlen(ending);

	return len >= end && !strcmp(name + len - end, ending);
}

/* ---- reading ---- */

static void name_source(struct trace *trace, const char *folder)
{
	size_t len = strlen(folder);
	size_t begin;

	while (len > 1 && folder[len - 1] == '/')
		len--;
	for (begin = len; begin && folder[begin - 1] != '/'; begin--)
		;
	text_quote(trace->source.name, sizeof(trace->source.name), folder + begin,
		   len - begin);
}

static int read_folder(struct trace *trace, const char *folder, uint64_t limit,
		       struct msg *msg)
{
	struct recording rec;
	char *path;
	int err;

	recording_of_folder(&rec, folder);
	err = recording_find(&rec, "events.txt", &path);
	if (err < 0)
		return msg_set(msg, ENOMEM, "%s: no memory to read it", folder);
	if (err == 0)
		return msg_set(msg, ENOENT, "%s: is no bundle; expected a folder with events.txt, plain or with .zst or .gz",
			       folder);
	err = trace_read(trace, path, limit, msg);
	free(path);
	if (err)
		return err;
	name_source(trace, folder);
	err = recording_attach(trace, folder, msg);
	if (err)
		trace_free(trace);
	return err;
}

static int read_input(struct trace *trace, const char *path, uint64_t limit,
		      struct msg *msg)
{
	if (recording_is_folder(path))
		return read_folder(trace, path, limit, msg);
	return trace_read(trace, path, limit, msg);
}

/* ---- writing ---- */

static void write_text(struct output *out, const struct trace *trace)
{
	char line[PERF_LINE_BYTES];

	for (size_t i = 0; i < trace->nr_events; i++) {
		const struct event *ev = &trace->events[i];

		output_write(out, line, perf_print(line, ev, trace->comms[ev->comm], -1));
	}
}

/* The zones come from zoneinfo, if the recording has it. */
static int write_ptr(struct output *out, const struct trace *trace,
		     struct convert_done *done, struct msg *msg)
{
	struct layout layout = { 0 };
	struct recording rec;
	struct input in;
	int err;

	recording_of_trace(&rec, trace);
	err = recording_open(&rec, "zoneinfo.start", &in, msg);
	if (err <= 0)
		return err ? err : ptr_write(out, trace, NULL, &done->file_bytes, msg);
	err = zoneinfo_read(&layout, NULL, &in, msg);
	input_close(&in);
	if (!err)
		err = ptr_write(out, trace, &layout, &done->file_bytes, msg);
	layout_free(&layout);
	return err;
}

enum convert_format convert_format(const char *path, enum convert_format chosen)
{
	if (chosen != CONVERT_BY_NAME)
		return chosen;
	return ends_in(path, ".ptr") ? CONVERT_PTR : CONVERT_PERF_TEXT;
}

int convert_open(struct output **out, const char *path, struct msg *msg)
{
	return output_open(out, path, ends_in(path, ".zst"), msg);
}

int convert(const char *in, const char *out, enum convert_format format,
	    uint64_t limit, struct convert_done *done, struct msg *msg)
{
	struct output *output;
	struct trace trace;
	int err;

	format = convert_format(out, format);
	err = read_input(&trace, in, limit, msg);
	if (err)
		return err;
	err = convert_open(&output, out, msg);
	if (err)
		goto free_trace;
	*done = (struct convert_done){ .nr_events = trace.nr_events };
	if (format == CONVERT_PTR) {
		done->nr_files = trace.nr_files;
		err = write_ptr(output, &trace, done, msg);
	} else {
		write_text(output, &trace);
	}
	done->bytes = output_offset(output);
	if (err)
		output_abort(output);
	else
		err = output_commit(output, msg);
free_trace:
	trace_free(&trace);
	return err;
}
