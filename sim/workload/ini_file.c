/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ini_file.c - inih, with lines counted and errors kept
 *
 * The library asks for one line at a time and calls back for each value, so
 * the line last handed out is the value's.
 */
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "sim/workload/ini_file.h"

struct ini_file {
	FILE *file;
	const char *path;
	unsigned int line, section_line;
	bool section_empty;		/* no value since section_line */
	ini_value_fn on_value;
	ini_bytes_fn on_bytes;
	void *ctx;
	struct msg *msg;
	int err;			/* the first one */
};

/* A line whose end was not found in the buffer. */
static int bad_line(const struct ini_file *f, bool nul, int room)
{
	if (nul)
		return msg_set(f->msg, EINVAL, "%s:%u: a byte of value 0; expected text",
			       f->path, f->line);
	return msg_set(f->msg, EINVAL,
		       "%s:%u: the line is longer than %d bytes; indent what follows to go on below",
		       f->path, f->line, room);
}

/* The library calls back for values alone, so that a section without any would pass. */
static int section_ends(struct ini_file *f)
{
	if (f->section_empty)
		f->err = msg_set(f->msg, EINVAL,
				 "%s:%u: the section is empty; expected key = value below it",
				 f->path, f->section_line);
	f->section_empty = false;
	return f->err;
}

static char *next_line(char *buf, int size, void *stream)
{
	struct ini_file *f = stream;
	size_t len;

	if (f->err)
		return NULL;
	if (!fgets(buf, size, f->file)) {
		if (ferror(f->file))
			f->err = msg_set(f->msg, errno, "%s: %s", f->path, strerror(errno));
		else
			section_ends(f);
		return NULL;
	}
	f->line++;
	len = strlen(buf);
	f->on_bytes(f->ctx, buf, len);
	if (*buf == '[') {
		if (section_ends(f))
			return NULL;
		f->section_line = f->line;
		f->section_empty = true;
	}
	if ((len && buf[len - 1] == '\n') || feof(f->file))
		return buf;
	f->err = bad_line(f, len < (size_t)size - 1, size - 2);
	return NULL;
}

static int value_found(void *user, const char *section, const char *key,
		       const char *value)
{
	struct ini_file *f = user;
	const struct ini_place at = { f->line, f->section_line, section };
	char copy[INI_LINE_BYTES];

	if (f->err)
		return 1;
	f->section_empty = false;
	snprintf(copy, sizeof(copy), "%s", value);
	f->err = f->on_value(f->ctx, &at, key, copy);
	return 1;
}

int ini_file_read(const char *path, ini_value_fn on_value,
		  ini_bytes_fn on_bytes, void *ctx, struct msg *msg)
{
	struct ini_file f = {
		.path = path,
		.on_value = on_value,
		.on_bytes = on_bytes,
		.ctx = ctx,
		.msg = msg,
	};
	int bad_line;

	f.file = fopen(path, "r");
	if (!f.file)
		return msg_set(msg, errno, "%s: %s", path, strerror(errno));
	bad_line = ini_parse_stream(next_line, &f, value_found, &f);
	/* The library goes on behind a bad line: what failed there came later. */
	if (bad_line > 0 && (!f.err || (unsigned int)bad_line < f.line))
		f.err = msg_set(msg, EINVAL,
				"%s:%d: expected [section], key = value, or a comment that begins with ;",
				path, bad_line);
	fclose(f.file);
	return f.err;
}
