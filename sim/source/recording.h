/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recording.h - the files of a recording, in a folder or inside a .ptr
 *
 *	folder/                     trace.ptr
 *	  events.txt.zst              events, in our own coding
 *	  zoneinfo.start              zoneinfo.start       as it lay on disk
 *	  kpageflags.start.zst        kpageflags.start.zst
 *
 * Who reads a recording asks for its files by name and need not know which of
 * the two it is. Each file may carry the ending .zst or .gz.
 */
#ifndef PAGETAX_SIM_RECORDING_H
#define PAGETAX_SIM_RECORDING_H

#include "base/names.h"
#include "sim/source/input.h"
#include "sim/source/trace.h"

struct recording {
	const char *folder;		/* NULL: the files are in trace->files */
	const struct trace *trace;
	char *path;			/* of the file opened last, for its input */
};

/* Whether the path is a folder, which "-" never is. */
bool recording_is_folder(const char *path);

/* A recording in a folder, or in the files that came with a trace. */
void recording_of_folder(struct recording *rec, const char *folder);
void recording_of_trace(struct recording *rec, const struct trace *trace);
void recording_close(struct recording *rec);

/*
 * Open a file of it, plain or with .zst or .gz. 1; 0 when there is none; or a
 * negative errno with a message. The input must be closed before the next
 * file is opened.
 */
int recording_open(struct recording *rec, const char *name, struct input *in,
		   struct msg *msg);

/*
 * The path of a folder's file, plain or with .zst or .gz, for the caller to free. 1,
 * 0 when there is none, or -ENOMEM.
 */
int recording_find(const struct recording *rec, const char *name, char **path);

/* The names of what may stand beside events.txt, for a message. */
struct names recording_file_names(void);

/*
 * Take every file that a bundle's folder may hold, but the events, into
 * trace->files. 0, or a negative errno with a message.
 */
int recording_attach(struct trace *trace, const char *folder, struct msg *msg);

#endif
