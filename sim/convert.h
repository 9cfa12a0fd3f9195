/* SPDX-License-Identifier: GPL-2.0-or-later */
/* convert.h - a trace or a bundle in another format */
#ifndef PAGETAX_SIM_CONVERT_H
#define PAGETAX_SIM_CONVERT_H

#include "base/msg.h"
#include "base/types.h"

enum convert_format {
	CONVERT_BY_NAME,		/* .ptr or text */
	CONVERT_PTR,
	CONVERT_PERF_TEXT,
};

struct convert_done {
	size_t nr_events;
	uint64_t bytes;			/* written, before any zstd around them */
	uint64_t file_bytes;		/* of them, for a bundle's other files */
	size_t nr_files;
};

/*
 * Read `in`, of any format, and write it to `out`: text, in zstd if the name
 * ends in .zst, or a .ptr with all the files of a bundle in it. limit: as in
 * trace_read(). 0, or a negative errno with a message; then `out` is as it was.
 */
int convert(const char *in, const char *out, enum convert_format format,
	    uint64_t limit, struct convert_done *done, struct msg *msg);

/* The format that was chosen, or else the one that the name asks for. */
enum convert_format convert_format(const char *path, enum convert_format chosen);

/* Open a trace to write; in zstd if its name ends so. As output_open(). */
struct output;
int convert_open(struct output **out, const char *path, struct msg *msg);

#endif
