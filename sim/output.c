/* SPDX-License-Identifier: GPL-2.0-or-later */
/* output.c - write beside, then rename */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

#include "sim/interrupt.h"
#include "sim/output.h"

#define ZSTD_LEVEL 3

struct output {
	const char *path;		/* as given */
	char *tmp;			/* NULL: written in place */
	FILE *file;
	ZSTD_CCtx *zstd;		/* NULL: plain */
	uint8_t *packed;		/* room for what zstd gives */
	size_t packed_room;
	uint64_t offset;
	int err;			/* first errno; 0: all is well */
};

static void output_free(struct output *out)
{
	interrupt_keeps(out->tmp);
	ZSTD_freeCCtx(out->zstd);
	free(out->packed);
	free(out->tmp);
	free(out);
}

static int cannot(const char *path, int err, struct msg *msg)
{
	if (err == EPIPE)		/* the reader has gone, as `less` does: no news to anybody */
		return msg_set(msg, err, "%s", "");
	return msg_set(msg, err, "%s: cannot write: %s", path, strerror(err));
}

/* A new file is missing nothing but its folder. */
static int cannot_open(const char *path, int err, struct msg *msg)
{
	const char *slash = strrchr(path, '/');

	if (err != ENOENT || !slash)
		return cannot(path, err, msg);
	return msg_set(msg, err, "%s: cannot write: there is no folder %.*s", path,
		       (int)(slash - path), path);
}

/* "PATH.PID.tmp", where it has to be renamed, else the path itself. */
static int open_file(struct output *out, struct msg *msg)
{
	bool in_place;
	struct stat st;
	size_t room;

	if (!strcmp(out->path, "-")) {
		out->file = stdout;
		return 0;
	}
	in_place = !stat(out->path, &st) && !S_ISREG(st.st_mode);
	if (in_place && S_ISDIR(st.st_mode))
		return msg_set(msg, EISDIR, "%s: is a directory; expected a file to write",
			       out->path);
	if (!in_place) {
		room = strlen(out->path) + 32;
		out->tmp = malloc(room);
		if (!out->tmp)
			return msg_set(msg, ENOMEM, "%s: no memory to write it", out->path);
		snprintf(out->tmp, room, "%s.%ld.tmp", out->path, (long)getpid());
		interrupt_removes(out->tmp);
	}
	out->file = fopen(in_place ? out->path : out->tmp, "wb");
	return out->file ? 0 : cannot_open(out->path, errno, msg);
}

static int open_zstd(struct output *out, struct msg *msg)
{
	out->packed_room = ZSTD_CStreamOutSize();
	out->packed = malloc(out->packed_room);
	out->zstd = ZSTD_createCCtx();
	if (!out->packed || !out->zstd)
		return msg_set(msg, ENOMEM, "%s: no memory for zstd", out->path);
	ZSTD_CCtx_setParameter(out->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	ZSTD_CCtx_setParameter(out->zstd, ZSTD_c_checksumFlag, 1);
	return 0;
}

int output_open(struct output **result, const char *path, bool zstd, struct msg *msg)
{
	struct output *out = calloc(1, sizeof(*out));
	int err;

	if (!out)
		return msg_set(msg, ENOMEM, "%s: no memory to write it", path);
	out->path = path;
	err = zstd ? open_zstd(out, msg) : 0;
	if (!err)
		err = open_file(out, msg);
	if (err)
		output_free(out);
	else
		*result = out;
	return err;
}

static void write_raw(struct output *out, const void *bytes, size_t len)
{
	if (!out->err && fwrite(bytes, 1, len, out->file) != len)
		out->err = errno ? errno : EIO;
}

static void write_zstd(struct output *out, const void *bytes, size_t len,
		       ZSTD_EndDirective end)
{
	ZSTD_inBuffer from = { bytes, len, 0 };
	size_t left;

	do {
		ZSTD_outBuffer to = { out->packed, out->packed_room, 0 };

		left = ZSTD_compressStream2(out->zstd, &to, &from, end);
		if (ZSTD_isError(left)) {
			out->err = out->err ? out->err : EIO;
			return;
		}
		write_raw(out, out->packed, to.pos);
	} while (end == ZSTD_e_end ? left != 0 : from.pos < from.size);
}

void output_write(struct output *out, const void *bytes, size_t len)
{
	out->offset += len;
	if (out->zstd)
		write_zstd(out, bytes, len, ZSTD_e_continue);
	else
		write_raw(out, bytes, len);
}

const char *output_flush(struct output *out)
{
	if (fflush(out->file) && !out->err)
		out->err = errno ? errno : EIO;
	return out->tmp ? out->tmp : out->path;
}

uint64_t output_offset(const struct output *out)
{
	return out->offset;
}

static void close_file(struct output *out)
{
	bool own = out->file != stdout;

	if ((own ? fclose(out->file) : fflush(out->file)) && !out->err)
		out->err = errno ? errno : EIO;
}

int output_commit(struct output *out, struct msg *msg)
{
	int err;

	if (out->zstd)
		write_zstd(out, NULL, 0, ZSTD_e_end);
	close_file(out);
	if (!out->err && out->tmp && rename(out->tmp, out->path))
		out->err = errno;
	if (out->err && out->tmp)
		unlink(out->tmp);
	err = out->err ? cannot(out->path, out->err, msg) : 0;
	output_free(out);
	return err;
}

void output_abort(struct output *out)
{
	close_file(out);
	if (out->tmp)
		unlink(out->tmp);
	output_free(out);
}
