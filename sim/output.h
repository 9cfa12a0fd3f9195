/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * output.h - one file, written beside and renamed when it is whole
 *
 * Writing never fails at once: the first error is kept, and told by
 * output_commit(). Until then nothing stands under the file's name, and what
 * stood there before still does; a signal that ends the process removes what
 * stands beside. Standard output ("-") and what is no regular
 * file, such as a pipe, are written directly.
 */
#ifndef PAGETAX_SIM_OUTPUT_H
#define PAGETAX_SIM_OUTPUT_H

#include "base/msg.h"
#include "base/types.h"

struct output;

/* 0 and *out, or a negative errno with a message. zstd: compress it. */
int output_open(struct output **out, const char *path, bool zstd, struct msg *msg);

void output_write(struct output *out, const void *bytes, size_t len);

/* What was written so far can be read under this name, if it is not compressed. */
const char *output_flush(struct output *out);

/* Bytes written so far, before compression. */
uint64_t output_offset(const struct output *out);

/* The file is whole: give it its name. 0, or a negative errno with a message. */
int output_commit(struct output *out, struct msg *msg);

/* Leave nothing behind. */
void output_abort(struct output *out);

#endif
