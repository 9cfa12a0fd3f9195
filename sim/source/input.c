/* SPDX-License-Identifier: GPL-2.0-or-later */
/* input.c - read, hash and decompress in one pass */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nettle/sha2.h>
#include <zstd.h>

#include "sim/source/input.h"

#define RAW_BYTES (256u << 10)		/* two zstd blocks; a read this long costs little a byte */
#define ZSTD_WINDOW_LOG 27		/* what zstd --long=27 needs: 128 MiB */

struct input_disk {
	int fd;				/* -1: the bytes are in memory */
	const uint8_t *memory;		/* those not yet read */
	size_t memory_left;
	bool at_end;			/* read() has returned 0 */
	uint64_t nr_read;		/* bytes of the file read and hashed so far */
	struct sha256_ctx sha256;

	/* raw[raw_start, raw_end) is read and not yet taken. */
	size_t raw_start;
	size_t raw_end;

	ZSTD_DStream *zstd;		/* NULL: the file is plain */
	bool in_frame;			/* the frame being read has not ended */

	uint8_t raw[RAW_BYTES];
};

static const char *shown_path(const char *path)
{
	return strcmp(path, "-") ? path : "<stdin>";
}

static ssize_t memory_read(struct input_disk *disk)
{
	size_t n = min_t(size_t, disk->memory_left, sizeof(disk->raw));

	memcpy(disk->raw, disk->memory, n);
	disk->memory += n;
	disk->memory_left -= n;
	return (ssize_t)n;
}

static ssize_t file_read(struct input_disk *disk)
{
	ssize_t n;

	do {
		n = read(disk->fd, disk->raw, sizeof(disk->raw));
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		sha256_update(&disk->sha256, (size_t)n, disk->raw);
	return n;
}

/* Take the next raw bytes from the disk; at_end when there are none. */
static int disk_read(struct input *in, struct msg *msg)
{
	struct input_disk *disk = in->disk;
	ssize_t n = disk->fd < 0 ? memory_read(disk) : file_read(disk);

	if (n < 0)
		return msg_set(msg, errno, "%s: cannot read at byte %" PRIu64 ": %s",
			       in->path, disk->nr_read, strerror(errno));

	disk->at_end = n == 0;
	disk->raw_start = 0;
	disk->raw_end = (size_t)n;
	disk->nr_read += (uint64_t)n;
	return 0;
}

static uint64_t disk_offset(const struct input_disk *disk)
{
	return disk->nr_read - (disk->raw_end - disk->raw_start);
}

static void text_append_plain(struct input *in)
{
	struct input_disk *disk = in->disk;
	size_t n = min_t(size_t, disk->raw_end - disk->raw_start,
			 INPUT_TEXT_BYTES - in->end);

	memcpy(in->text + in->end, disk->raw + disk->raw_start, n);
	disk->raw_start += n;
	in->end += n;
}

static int text_append_zstd(struct input *in, struct msg *msg)
{
	struct input_disk *disk = in->disk;
	ZSTD_inBuffer from = { disk->raw, disk->raw_end, disk->raw_start };
	ZSTD_outBuffer to = { in->text, INPUT_TEXT_BYTES, in->end };
	size_t left = ZSTD_decompressStream(disk->zstd, &to, &from);

	disk->raw_start = from.pos;
	in->end = to.pos;
	if (ZSTD_isError(left))
		return msg_set(msg, EINVAL,
			       "%s: damaged zstd data near byte %" PRIu64
			       " of the compressed file: %s",
			       in->path, disk_offset(disk), ZSTD_getErrorName(left));
	disk->in_frame = left != 0;
	return 0;
}

/* Append one step's worth of text. May append nothing, and set at_end. */
static int text_append(struct input *in, struct msg *msg)
{
	struct input_disk *disk = in->disk;
	bool starved = disk->raw_start == disk->raw_end;
	size_t end = in->end;
	int err;

	if (starved && !disk->at_end) {
		err = disk_read(in, msg);
		if (err)
			return err;
		starved = disk->at_end;
	}
	if (!disk->zstd) {
		text_append_plain(in);
		in->at_end = starved;
		return 0;
	}
	if (!starved || disk->in_frame) {	/* zstd may hold text back */
		err = text_append_zstd(in, msg);
		if (err)
			return err;
	}
	if (!starved || in->end != end)
		return 0;
	if (disk->in_frame)
		return msg_set(msg, EINVAL,
			       "%s: the zstd frame is cut short: the file ends at byte %" PRIu64
			       ", expected the rest of the frame",
			       in->path, disk->nr_read);
	in->at_end = true;
	return 0;
}

int input_fill(struct input *in, struct msg *msg)
{
	if (in->start == 0 && in->end == INPUT_TEXT_BYTES)
		return msg_set(msg, EINVAL,
			       "%s: no line ends within %u bytes of byte %" PRIu64
			       "; expected lines of text",
			       in->path, INPUT_TEXT_BYTES, in->consumed);

	memmove(in->text, in->text + in->start, in->end - in->start);
	in->consumed += in->start;
	in->end -= in->start;
	in->start = 0;
	while (in->end < INPUT_TEXT_BYTES && !in->at_end) {
		int err = text_append(in, msg);

		if (err)
			return err;
	}
	memset(in->text + in->end, 0, INPUT_PAD);
	return 0;
}

int input_take(struct input *in, void *to, size_t n, size_t *got, struct msg *msg)
{
	*got = 0;
	for (;;) {
		size_t part = min_t(size_t, n - *got, in->end - in->start);
		int err;

		memcpy((char *)to + *got, in->text + in->start, part);
		in->start += part;
		*got += part;
		if (*got == n || in->at_end)
			return 0;
		err = input_fill(in, msg);
		if (err)
			return err;
	}
}

/* A zstd frame, or a skippable one that may stand before it (RFC 8878, 3.1). */
static bool is_zstd(const uint8_t *raw, size_t len)
{
	if (len < 4)
		return false;
	if (raw[0] == 0x28 && raw[1] == 0xb5 && raw[2] == 0x2f && raw[3] == 0xfd)
		return true;
	return (raw[0] & 0xf0) == 0x50 && raw[1] == 0x2a && raw[2] == 0x4d &&
	       raw[3] == 0x18;
}

static int disk_open(struct input_disk *disk, const char *path, struct msg *msg)
{
	struct stat st;

	disk->fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC)
				     : dup(STDIN_FILENO);
	if (disk->fd < 0)
		return msg_set(msg, errno, "%s: cannot open: %s",
			       shown_path(path), strerror(errno));
	if (!fstat(disk->fd, &st) && S_ISDIR(st.st_mode))
		return msg_set(msg, EISDIR, "%s: is a directory; expected a file",
			       path);
	return 0;
}

/* The windows of an input whose bytes come from nowhere yet. */
static int input_alloc(struct input *in, const char *shown, struct msg *msg)
{
	*in = (struct input){ .path = shown };
	in->text = malloc(INPUT_TEXT_BYTES + INPUT_PAD);
	in->disk = malloc(sizeof(*in->disk));
	if (!in->text || !in->disk) {
		free(in->text);
		free(in->disk);
		*in = (struct input){ 0 };
		return msg_set(msg, ENOMEM, "%s: no memory to read it", shown);
	}
	/* raw stays as it is: it is written before it is read */
	memset(in->disk, 0, offsetof(struct input_disk, raw));
	in->disk->fd = -1;
	sha256_init(&in->disk->sha256);
	return 0;
}

static int input_begin(struct input *in, struct msg *msg)
{
	struct input_disk *disk = in->disk;
	int err = disk_read(in, msg);

	if (err)
		return err;
	if (is_zstd(disk->raw, disk->raw_end)) {
		disk->zstd = ZSTD_createDStream();
		if (!disk->zstd)
			return msg_set(msg, ENOMEM, "%s: no memory for zstd", in->path);
		ZSTD_DCtx_setParameter(disk->zstd, ZSTD_d_windowLogMax,
				       ZSTD_WINDOW_LOG);
	}
	return input_fill(in, msg);
}

int input_open(struct input *in, const char *path, struct msg *msg)
{
	int err = input_alloc(in, shown_path(path), msg);

	if (err)
		return err;
	err = disk_open(in->disk, path, msg);
	if (!err)
		err = input_begin(in, msg);
	if (err)
		input_close(in);
	return err;
}

int input_open_memory(struct input *in, const char *name, const void *bytes,
		      size_t len, struct msg *msg)
{
	int err = input_alloc(in, name, msg);

	if (err)
		return err;
	in->disk->memory = bytes;
	in->disk->memory_left = len;
	err = input_begin(in, msg);
	if (err)
		input_close(in);
	return err;
}

void input_close(struct input *in)
{
	if (in->disk) {
		if (in->disk->fd >= 0)
			close(in->disk->fd);
		ZSTD_freeDStream(in->disk->zstd);
	}
	free(in->disk);
	free(in->text);
	*in = (struct input){ 0 };
}

int input_sha256(struct input *in, char hex[INPUT_SHA256_HEX], struct msg *msg)
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	hex[0] = '\0';
	if (in->disk->fd < 0)
		return 0;
	while (!in->disk->at_end) {
		int err = disk_read(in, msg);

		if (err)
			return err;
	}
	sha256_digest(&in->disk->sha256, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return 0;
}

/* The rare case of input_next_line(): the line ends beyond the window. */
int input_line_across(struct input *in, const char **line, const char **end,
		      struct msg *msg)
{
	if (!in->at_end) {
		int err = input_fill(in, msg);

		return err ? err : input_next_line(in, line, end, msg);
	}
	if (in->start == in->end)
		return 0;
	in->text[in->end] = '\n';	/* in the pad */
	*line = in->text + in->start;
	*end = in->text + in->end;
	in->start = in->end;
	in->line++;
	return 1;
}

int input_bad_line(const struct input *in, struct msg *msg, const char *fmt, ...)
{
	char text[sizeof(msg->text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return msg_set(msg, EINVAL, "%s:%" PRIu64 ": %s", in->path, in->line, text);
}

const uint8_t text_digit[256] = {
	[0 ... ' ']   = TEXT_DIGIT_END,
	['!' ... '('] = 17,
	[')']         = TEXT_DIGIT_END,
	['*' ... '+'] = 17,
	[',']         = TEXT_DIGIT_END,
	['-' ... '/'] = 17,
	['0'] = 0, ['1'] = 1, ['2'] = 2, ['3'] = 3, ['4'] = 4,
	['5'] = 5, ['6'] = 6, ['7'] = 7, ['8'] = 8, ['9'] = 9,
	[':']         = TEXT_DIGIT_END,
	[';' ... '@'] = 17,
	['A'] = 10, ['B'] = 11, ['C'] = 12, ['D'] = 13, ['E'] = 14, ['F'] = 15,
	['G' ... '`'] = 17,
	['a'] = 10, ['b'] = 11, ['c'] = 12, ['d'] = 13, ['e'] = 14, ['f'] = 15,
	['g' ... 255] = 17,
};

bool text_number_long(const uint8_t *first, const uint8_t *end, uint64_t *value)
{
	uint64_t n = 0;

	for (const uint8_t *s = first; s < end; s++) {
		if (n > (UINT64_MAX - text_digit[*s]) / 10)
			return false;
		n = n * 10 + text_digit[*s];
	}
	*value = n;
	return true;
}

const char *text_quote(char *buf, size_t size, const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && n + 1 < size) {
		buf[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
		n++;
	}
	buf[n] = '\0';
	if (n < len && n > 3)
		memcpy(buf + n - 3, "...", 3);
	return buf;
}
