/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * input.h - the bytes of a file: decompressed if need be, hashed on the way
 *
 *	disk --> raw --> sha256
 *	          |
 *	          +--> zstd or gzip, if that is what it is --> text
 *
 *	text  [ consumed | not yet consumed | room | pad ]
 *	      0          start              end    size
 *
 * What the file is called does not matter: both are known by their first bytes.
 * One pass over the disk serves reading and hashing. Input that is longer than
 * one window is read, hashed and decompressed by a thread, half a window ahead
 * of the reader. Memory is a window and a half of text, whatever the length of
 * the file (and zstd's own window, up to 128 MiB).
 */
#ifndef PAGETAX_SIM_INPUT_H
#define PAGETAX_SIM_INPUT_H

#include <string.h>

#include "base/msg.h"
#include "base/types.h"

#define INPUT_TEXT_BYTES (512u << 10)	/* the window: longer than any line; fits the L2 cache */
#define INPUT_PAD 64			/* bytes after the text that may be read, never used */
#define INPUT_SHA256_HEX 65

struct input_disk;

struct input {
	const char *path;	/* as given; for messages */
	char *text;
	size_t start;		/* first byte not yet consumed; the reader moves it */
	size_t end;		/* one past the last byte of text */
	uint64_t consumed;	/* bytes of text before text[0] */
	uint64_t line;		/* number of the line last returned, from 1 */
	bool at_end;		/* nothing follows text[end - 1] */
	struct input_disk *disk;
};

/*
 * Open a file, or standard input for "-", and read the first window. path must
 * stay. Returns 0, or a negative errno with a message.
 */
int input_open(struct input *in, const char *path, struct msg *msg);
void input_close(struct input *in);

/* The same for bytes in memory, under a name for messages; both must stay. */
int input_open_memory(struct input *in, const char *name, const void *bytes,
		      size_t len, struct msg *msg);

/*
 * Drop what is consumed and read on: as much as fits the window and is at hand,
 * at least a byte, or to the file's end (at_end). Returns 0, or a negative errno
 * with a message: a disk error, cut or damaged compression, or -EINVAL for a
 * window full of one item.
 */
int input_fill(struct input *in, struct msg *msg);

/*
 * The sha256 of the whole file as it lies on disk, in hexadecimal: reads on to
 * its end, without decompressing, if reading stopped short of it. Bytes in
 * memory are not hashed: "".
 */
int input_sha256(struct input *in, char hex[INPUT_SHA256_HEX], struct msg *msg);

/*
 * Move the next n bytes to `to`, for input that is no text. *got is less than
 * n only if the input ends. Returns 0, or a negative errno with a message.
 */
int input_take(struct input *in, void *to, size_t n, size_t *got, struct msg *msg);

/* Where text[at] lies in the decompressed file. */
static inline uint64_t input_offset(const struct input *in, size_t at)
{
	return in->consumed + at;
}

int input_line_across(struct input *in, const char **line, const char **end,
		      struct msg *msg);

/*
 * The next line: [*line, *end), where *end is '\n' even if the file lacks the
 * last one. 1 with a line, 0 at the end, or a negative errno with a message.
 */
static inline int input_next_line(struct input *in, const char **line,
				  const char **end, struct msg *msg)
{
	const char *from = in->text + in->start;
	const char *newline = memchr(from, '\n', in->end - in->start);

	if (unlikely(!newline))
		return input_line_across(in, line, end, msg);
	*line = from;
	*end = newline;
	in->start = (size_t)(newline + 1 - in->text);
	in->line++;
	return 1;
}

/* Set "path:line: ..." for the line last returned; returns -EINVAL. */
int input_bad_line(const struct input *in, struct msg *msg,
		   const char *fmt, ...) __printf(3, 4);

/* Value of a hexadecimal digit; 16 for what ends a number, 17 for all else. */
extern const uint8_t text_digit[256];

enum { TEXT_DIGIT_END = 16 };

/* The decimal digits [first, end), with a look at each step's overflow. */
bool text_number_long(const uint8_t *first, const uint8_t *end, uint64_t *value);

/*
 * A number in decimal or 0x hexadecimal at *p, ended by white space or one of
 * "),:" or the end of the text. Moves *p behind it. False, with *p where it
 * was, for anything else and for what does not fit 64 bits. *end can be read.
 */
static inline bool text_number(const char **p, const char *end, uint64_t *value)
{
	const uint8_t *s = (const uint8_t *)*p;
	const uint8_t *first;
	uint64_t n = 0;

	if (s[0] == '0' && (s[1] | 0x20) == 'x') {
		s += 2;
		for (first = s; text_digit[*s] < 16; s++)
			n = n << 4 | text_digit[*s];
		if (unlikely(s - first > 16))
			return false;
	} else {
		for (first = s; text_digit[*s] < 10; s++)
			n = n * 10 + text_digit[*s];
		if (unlikely(s - first > 19 &&	/* 10^19 < 2^64 */
			     !text_number_long(first, s, &n)))
			return false;
	}
	if (unlikely(s == first ||
		     (text_digit[*s] != TEXT_DIGIT_END && (const char *)s != end)))
		return false;
	*value = n;
	*p = (const char *)s;
	return true;
}

/* What follows the blanks at p, in a line, which ends with a '\n'. */
static inline const char *text_skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* The next word of a line, in *len letters, 0 at its end; *p moves behind it. */
const char *text_word(const char **p, size_t *len);
bool text_word_is(const char *word, size_t len, const char *text);

/* Copy input text for a message: printable, cut to size. Returns buf. */
const char *text_quote(char *buf, size_t size, const char *text, size_t len);

#endif
