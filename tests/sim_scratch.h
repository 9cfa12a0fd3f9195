/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim_scratch.h - files that live as long as one test
 *
 * A checked fixture (scratch_setup, scratch_teardown) makes a fresh folder and
 * removes it with all that is in it.
 */
#ifndef PAGETAX_TESTS_SIM_SCRATCH_H
#define PAGETAX_TESTS_SIM_SCRATCH_H

#include <stddef.h>

void scratch_setup(void);
void scratch_teardown(void);

/* The folder, or a path in it; the latter holds until four more are asked for. */
const char *scratch_folder(void);
const char *scratch_path(const char *name);

/* Write a file, plain, as one zstd frame or as one member of gzip, and return its path. */
const char *scratch_write(const char *name, const void *bytes, size_t len);
const char *scratch_write_text(const char *name, const char *text);
const char *scratch_write_zstd(const char *name, const void *bytes, size_t len);
const char *scratch_write_gzip(const char *name, const void *bytes, size_t len);

/* A whole file, and a zero behind it; the caller frees it. */
char *scratch_slurp(const char *path, size_t *len);

/* A file of the folder as text, which the next call overwrites. */
const char *scratch_text(const char *name);

/*
 * What stands in a JSON file of the folder at a path, as "runs/1/kmap/calls": a text,
 * a number of ten digits, a word, "more" or "nothing". The next call overwrites it.
 */
const char *scratch_figure(const char *name, const char *path);

/* From here on what the test prints goes to a file of the folder; its text so far. */
void scratch_stdout(void);
const char *scratch_printed(void);

#endif
