/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_scratch.c - files that live as long as one test */
#define _GNU_SOURCE
#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/sim_scratch.h"

static char folder[256];

void scratch_setup(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/pagetax-test.XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *walk)
{
	(void)st;
	(void)type;
	(void)walk;
	return remove(path);
}

void scratch_teardown(void)
{
	ck_assert_int_eq(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

const char *scratch_folder(void)
{
	return folder;
}

const char *scratch_path(const char *name)
{
	static char paths[4][600];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

const char *scratch_write(const char *name, const void *bytes, size_t len)
{
	const char *path = scratch_path(name);
	FILE *f;

	unlink(path);	/* to cut an old file makes some file systems wait for the disk */
	f = fopen(path, "wb");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(len ? fwrite(bytes, 1, len, f) : 0, len);
	ck_assert_int_eq(fclose(f), 0);
	return path;
}

const char *scratch_write_text(const char *name, const char *text)
{
	return scratch_write(name, text, strlen(text));
}

const char *scratch_write_zstd(const char *name, const void *bytes, size_t len)
{
	size_t room = ZSTD_compressBound(len);
	void *packed = malloc(room);
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	const char *path;
	size_t n;

	ck_assert_ptr_nonnull(packed);
	ck_assert_ptr_nonnull(zstd);
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);	/* as the tool does */
	n = ZSTD_compress2(zstd, packed, room, bytes, len);
	ck_assert(!ZSTD_isError(n));
	path = scratch_write(name, packed, n);
	ZSTD_freeCCtx(zstd);
	free(packed);
	return path;
}

const char *scratch_write_gzip(const char *name, const void *bytes, size_t len)
{
	const char *path = scratch_path(name);
	gzFile file = gzopen(path, "wb");

	ck_assert_ptr_nonnull(file);
	ck_assert(!len || gzwrite(file, bytes, (unsigned int)len) == (int)len);
	ck_assert_int_eq(gzclose(file), Z_OK);
	return path;
}

char *scratch_slurp(const char *path, size_t *len)
{
	const size_t most = 1 << 20;
	FILE *f = fopen(path, "rb");
	char *bytes = malloc(most + 1);

	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(bytes);
	*len = fread(bytes, 1, most, f);
	ck_assert(feof(f));
	fclose(f);
	bytes[*len] = '\0';
	return bytes;
}

const char *scratch_text(const char *name)
{
	static char *text;
	size_t len;

	free(text);
	text = scratch_slurp(scratch_path(name), &len);
	return text;
}

static const char *word_of(const json_t *value)
{
	if (!value)
		return "nothing";
	switch (json_typeof(value)) {
	case JSON_TRUE: return "true";
	case JSON_FALSE: return "false";
	case JSON_NULL: return "null";
	default: return "more";
	}
}

const char *scratch_figure(const char *name, const char *path)
{
	static char text[256];
	json_t *root = json_load_file(scratch_path(name), 0, NULL);
	const json_t *at = root;
	char keys[256], *rest = keys, *key;

	ck_assert_ptr_nonnull(root);
	snprintf(keys, sizeof(keys), "%s", path);
	while (at && (key = strsep(&rest, "/")))
		at = json_is_array(at) ? json_array_get(at, (size_t)atoi(key))
				       : json_object_get(at, key);
	if (json_is_number(at))
		snprintf(text, sizeof(text), "%.10g", json_number_value(at));
	else
		snprintf(text, sizeof(text), "%s", json_is_string(at) ? json_string_value(at)
								      : word_of(at));
	json_decref(root);
	return text;
}

void scratch_stdout(void)
{
	ck_assert_ptr_nonnull(freopen(scratch_path("stdout"), "w", stdout));
}

const char *scratch_printed(void)
{
	fflush(stdout);
	return scratch_text("stdout");
}
