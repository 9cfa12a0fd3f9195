/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim_fuzz.h - what the fuzz programs share
 *
 *	tests/data/fuzz/NAME --> mutated --> fuzz_NAME --> a reader
 *	seeds                       by libFuzzer                |
 *	                                                        +--> made something, or
 *	                                                        +--> one message
 *
 * Each tests/fuzz_NAME.c hands its bytes to one reader of what users write, in
 * a build with sanitizers. A crash, a leak, a hang or too much memory ends the
 * program; so does a reader that fails without a message of one printable line.
 */
#ifndef PAGETAX_TESTS_SIM_FUZZ_H
#define PAGETAX_TESTS_SIM_FUZZ_H

#include "base/msg.h"
#include "base/types.h"

/* What libFuzzer calls, and what it provides. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room,
			       unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t room);

/* A reader's answer: `err` is 0, or negative with a message in *msg. */
void fuzz_answer(int err, const struct msg *msg);

/* Read a trace that begins with `head`, which may tell its format. Returns 0. */
int fuzz_trace(const void *head, size_t head_len, const uint8_t *data, size_t len);

/*
 * Read what lies at this path as a recording. If its machine is small, replay
 * it, checked: what a reader lets pass has to make sense to the rest.
 */
void fuzz_recording(const char *path);

/* A file of these bytes, by a path that holds until the next call. */
const char *fuzz_file(const uint8_t *data, size_t len);

/* The same bytes as a text, without the NULs among them; the caller frees it. */
char *fuzz_text(const uint8_t *data, size_t len);

/*
 * A folder of files, by a path that holds until the next call. `data` is what
 * `head -n -0 FILE FILE...` prints: "==> NAME <==" and the lines of each.
 * Only the names given make a file; the others, and what is above the first
 * one, are left out.
 */
const char *fuzz_folder(const uint8_t *data, size_t len,
			const char *const *names, size_t nr_names);

#endif
