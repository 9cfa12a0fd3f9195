/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * input.c - read, hash and decompress in one pass
 *
 *	thread     disk -> raw -> sha256, zstd or gzip -> ahead.bytes
 *	                                            |  taken when the window is used up
 *	reader                                   in->text -> lines
 *
 * `ahead` belongs to the thread while it is AHEAD_EMPTY and to the reader while
 * it is AHEAD_FULL, as does all else in struct input_disk. The thread is started
 * when there is a second window, so that small files have none; without a thread the
 * reader fills its window itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nettle/sha2.h>
#include <zlib.h>
#include <zstd.h>

#include "sim/source/input.h"

#define RAW_BYTES (256u << 10)		/* two zstd blocks; a read this long costs little a byte */
#define AHEAD_BYTES (INPUT_TEXT_BYTES / 2)
#define ZSTD_WINDOW_LOG 27		/* what zstd --long=27 needs: 128 MiB */
#define GZIP_WINDOW_BITS (16 + MAX_WBITS)	/* 16: with gzip's head and no other */

/* Text on its way from the disk. */
struct chunk {
	char *bytes;
	size_t room;
	size_t end;			/* bytes of text */
	bool at_end;			/* nothing follows them */
};

enum ahead_state { AHEAD_EMPTY, AHEAD_FULL, AHEAD_STOP };

struct ahead {
	bool running;			/* the reader's: there is a thread */
	pthread_t thread;
	pthread_mutex_t lock;		/* over state; passes the rest to and fro */
	pthread_cond_t changed;
	enum ahead_state state;
	struct chunk chunk;
	size_t taken;			/* of chunk, by the reader */
	int err;			/* what filling ended with, */
	struct msg msg;			/* and why */
};

struct input_disk {
	const char *path;		/* for messages */
	int fd;				/* -1: the bytes are in memory */
	const uint8_t *memory;		/* those not yet read */
	size_t memory_left;
	bool at_end;			/* read() has returned 0 */
	uint64_t nr_read;		/* bytes of the file read and hashed so far */
	struct sha256_ctx sha256;
	struct ahead ahead;

	/* raw[raw_start, raw_end) is read and not yet taken. */
	size_t raw_start;
	size_t raw_end;

	/* What it is packed by; plain when neither is set. */
	ZSTD_DStream *zstd;
	z_stream *gzip;
	bool in_frame;			/* the frame (gzip: member) being read has not ended */

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
static int disk_read(struct input_disk *disk, struct msg *msg)
{
	ssize_t n = disk->fd < 0 ? memory_read(disk) : file_read(disk);

	if (n < 0)
		return msg_set(msg, errno, "%s: cannot read at byte %" PRIu64 ": %s",
			       disk->path, disk->nr_read, strerror(errno));

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

static bool is_packed(const struct input_disk *disk)
{
	return disk->zstd || disk->gzip;
}

static void append_plain(struct input_disk *disk, struct chunk *to)
{
	size_t n = min_t(size_t, disk->raw_end - disk->raw_start, to->room - to->end);

	memcpy(to->bytes + to->end, disk->raw + disk->raw_start, n);
	disk->raw_start += n;
	to->end += n;
}

static int append_zstd(struct input_disk *disk, struct chunk *to, struct msg *msg)
{
	ZSTD_inBuffer from = { disk->raw, disk->raw_end, disk->raw_start };
	ZSTD_outBuffer out = { to->bytes, to->room, to->end };
	size_t left = ZSTD_decompressStream(disk->zstd, &out, &from);

	disk->raw_start = from.pos;
	to->end = out.pos;
	if (ZSTD_isError(left))
		return msg_set(msg, EINVAL,
			       "%s: damaged zstd data near byte %" PRIu64
			       " of the compressed file: %s",
			       disk->path, disk_offset(disk), ZSTD_getErrorName(left));
	disk->in_frame = left != 0;
	return 0;
}

static int append_gzip(struct input_disk *disk, struct chunk *to, struct msg *msg)
{
	z_stream *z = disk->gzip;
	int result;

	z->next_in = disk->raw + disk->raw_start;
	z->avail_in = (uInt)(disk->raw_end - disk->raw_start);
	z->next_out = (Bytef *)to->bytes + to->end;
	z->avail_out = (uInt)(to->room - to->end);
	result = inflate(z, Z_NO_FLUSH);
	disk->raw_start = disk->raw_end - z->avail_in;
	to->end = to->room - z->avail_out;
	disk->in_frame = result != Z_STREAM_END;
	if (result == Z_STREAM_END)
		result = inflateReset(z);	/* another member may follow */
	if (result == Z_OK || result == Z_BUF_ERROR)
		return 0;
	if (result == Z_MEM_ERROR)
		return msg_set(msg, ENOMEM, "%s: no memory for gzip", disk->path);
	return msg_set(msg, EINVAL,
		       "%s: damaged gzip data near byte %" PRIu64
		       " of the compressed file: %s",
		       disk->path, disk_offset(disk), z->msg ? z->msg : zError(result));
}

/* Append one step's worth of text. May append nothing, and set at_end. */
static int chunk_append(struct input_disk *disk, struct chunk *to, struct msg *msg)
{
	bool starved = disk->raw_start == disk->raw_end;
	size_t end = to->end;
	int err;

	if (starved && !disk->at_end) {
		err = disk_read(disk, msg);
		if (err)
			return err;
		starved = disk->at_end;
	}
	if (!is_packed(disk)) {
		append_plain(disk, to);
		to->at_end = starved;
		return 0;
	}
	if (!starved || disk->in_frame) {	/* text may be held back */
		err = disk->zstd ? append_zstd(disk, to, msg) : append_gzip(disk, to, msg);
		if (err)
			return err;
	}
	if (!starved || to->end != end)
		return 0;
	if (disk->in_frame)
		return msg_set(msg, EINVAL,
			       "%s: the %s is cut short: the file ends at byte %" PRIu64
			       ", expected the rest of it", disk->path,
			       disk->zstd ? "zstd frame" : "gzip data", disk->nr_read);
	to->at_end = true;
	return 0;
}

static int chunk_fill(struct input_disk *disk, struct chunk *to, struct msg *msg)
{
	int err = 0;

	while (!err && to->end < to->room && !to->at_end)
		err = chunk_append(disk, to, msg);
	return err;
}

/* ---- one window ahead ---- */

static void ahead_set(struct ahead *a, enum ahead_state state)
{
	pthread_mutex_lock(&a->lock);
	a->state = state;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
}

/* Wait while it is so; returns what it became. */
static enum ahead_state ahead_wait(struct ahead *a, enum ahead_state state)
{
	enum ahead_state now;

	pthread_mutex_lock(&a->lock);
	while (a->state == state)
		pthread_cond_wait(&a->changed, &a->lock);
	now = a->state;
	pthread_mutex_unlock(&a->lock);
	return now;
}

static void *ahead_work(void *arg)
{
	struct input_disk *disk = arg;
	struct ahead *a = &disk->ahead;
	bool last;

	do {
		a->chunk.end = 0;
		a->err = chunk_fill(disk, &a->chunk, &a->msg);
		last = a->err || a->chunk.at_end;
		pthread_mutex_lock(&a->lock);
		if (a->state == AHEAD_EMPTY) {
			a->state = AHEAD_FULL;
			pthread_cond_signal(&a->changed);
		}
		pthread_mutex_unlock(&a->lock);
	} while (!last && ahead_wait(a, AHEAD_FULL) != AHEAD_STOP);
	return NULL;
}

/* Begin to read ahead, if that can be had. */
static void ahead_start(struct input_disk *disk)
{
	struct ahead *a = &disk->ahead;

	a->chunk.bytes = malloc(AHEAD_BYTES);
	a->chunk.room = AHEAD_BYTES;
	if (!a->chunk.bytes)
		return;
	a->state = AHEAD_EMPTY;
	a->taken = 0;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	a->running = !pthread_create(&a->thread, NULL, ahead_work, disk);
}

/* From here on the disk is the caller's alone. */
static void ahead_stop(struct input_disk *disk)
{
	struct ahead *a = &disk->ahead;

	if (a->running) {
		ahead_set(a, AHEAD_STOP);
		pthread_join(a->thread, NULL);
		pthread_cond_destroy(&a->changed);
		pthread_mutex_destroy(&a->lock);
		a->running = false;
	}
	free(a->chunk.bytes);
	a->chunk.bytes = NULL;
}

/*
 * Append what the thread has read. A chunk fits the window beside the rest of a
 * line, so as a rule it goes back at once, and is filled again while the reader
 * is busy with the window.
 */
static int ahead_take(struct input_disk *disk, struct chunk *to, struct msg *msg)
{
	struct ahead *a = &disk->ahead;
	size_t n;

	ahead_wait(a, AHEAD_EMPTY);
	n = min_t(size_t, a->chunk.end - a->taken, to->room - to->end);
	memcpy(to->bytes + to->end, a->chunk.bytes + a->taken, n);
	to->end += n;
	a->taken += n;
	if (a->taken < a->chunk.end)
		return 0;
	if (a->err) {
		*msg = a->msg;
		return a->err;
	}
	to->at_end = a->chunk.at_end;
	if (!to->at_end) {
		a->taken = 0;
		ahead_set(a, AHEAD_EMPTY);
	}
	return 0;
}

int input_fill(struct input *in, struct msg *msg)
{
	struct chunk window = { .bytes = in->text, .room = INPUT_TEXT_BYTES };
	int err;

	if (in->start == 0 && in->end == INPUT_TEXT_BYTES)
		return msg_set(msg, EINVAL,
			       "%s: no line ends within %u bytes of byte %" PRIu64
			       "; expected lines of text",
			       in->path, INPUT_TEXT_BYTES, in->consumed);

	memmove(in->text, in->text + in->start, in->end - in->start);
	in->consumed += in->start;
	in->end -= in->start;
	in->start = 0;
	window.end = in->end;
	window.at_end = in->at_end;
	err = in->disk->ahead.running ? ahead_take(in->disk, &window, msg)
				      : chunk_fill(in->disk, &window, msg);
	in->end = window.end;
	in->at_end = window.at_end;
	memset(in->text + in->end, 0, INPUT_PAD);
	return err;
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

/* A member by the one method there is (RFC 1952, 2.3). */
static bool is_gzip(const uint8_t *raw, size_t len)
{
	return len >= 3 && raw[0] == 0x1f && raw[1] == 0x8b && raw[2] == 8;
}

static int zstd_begin(struct input_disk *disk, struct msg *msg)
{
	disk->zstd = ZSTD_createDStream();
	if (!disk->zstd)
		return msg_set(msg, ENOMEM, "%s: no memory for zstd", disk->path);
	ZSTD_DCtx_setParameter(disk->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
	return 0;
}

static int gzip_begin(struct input_disk *disk, struct msg *msg)
{
	disk->gzip = calloc(1, sizeof(*disk->gzip));
	if (disk->gzip && inflateInit2(disk->gzip, GZIP_WINDOW_BITS) == Z_OK)
		return 0;
	return msg_set(msg, ENOMEM, "%s: no memory for gzip", disk->path);
}

static int packing_begin(struct input_disk *disk, struct msg *msg)
{
	if (is_zstd(disk->raw, disk->raw_end))
		return zstd_begin(disk, msg);
	if (is_gzip(disk->raw, disk->raw_end))
		return gzip_begin(disk, msg);
	return 0;
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
	in->disk->path = shown;
	sha256_init(&in->disk->sha256);
	return 0;
}

static int input_begin(struct input *in, struct msg *msg)
{
	struct input_disk *disk = in->disk;
	int err = disk_read(disk, msg);

	if (!err)
		err = packing_begin(disk, msg);
	if (!err)
		err = input_fill(in, msg);
	/* Plain bytes that are in memory are there already. */
	if (!err && !in->at_end && (is_packed(disk) || disk->fd >= 0))
		ahead_start(disk);
	return err;
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
		ahead_stop(in->disk);
		if (in->disk->fd >= 0)
			close(in->disk->fd);
		ZSTD_freeDStream(in->disk->zstd);
		if (in->disk->gzip)
			inflateEnd(in->disk->gzip);
		free(in->disk->gzip);
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
	ahead_stop(in->disk);
	while (!in->disk->at_end) {
		int err = disk_read(in->disk, msg);

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

const char *text_word(const char **p, size_t *len)
{
	const char *word = text_skip_blanks(*p);

	for (*p = word; (unsigned char)**p > ' ';)
		(*p)++;
	*len = (size_t)(*p - word);
	return word;
}

bool text_word_is(const char *word, size_t len, const char *text)
{
	return strlen(text) == len && !memcmp(word, text, len);
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
