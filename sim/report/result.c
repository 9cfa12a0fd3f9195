/* SPDX-License-Identifier: GPL-2.0-or-later */
/* result.c - summary.json, timing.json and the tables, read back */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "sim/report/result.h"

#define COLUMN_NAME(name, object, key, what) #name,
const char *const result_column_names[NR_RESULT_COLUMNS] = {
	RESULT_COLUMNS(COLUMN_NAME)
};

static const struct {
	const char *object;
	const char *key;
} column_paths[NR_RESULT_COLUMNS] = {
#define COLUMN_PATH(name, object, key, what) { object, key },
	RESULT_COLUMNS(COLUMN_PATH)
};

/* ---- JSON ---- */

double json_number_at(const json_t *object, const char *key, const char *inner)
{
	const json_t *value = json_object_get(object, key);

	if (inner)
		value = json_object_get(value, inner);
	return json_is_number(value) ? json_number_value(value) : NAN;
}

const char *json_text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "?";
}

static json_t *load_json(const char *path, const char *name, json_error_t *error)
{
	char file[4096];

	snprintf(file, sizeof(file), "%s/%s", path, name);
	return json_load_file(file, 0, error);
}

static bool is_validation(const char *folder)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/validation.json", folder);
	return !access(path, F_OK);
}

int result_load(struct result *r, const char *path, struct msg *msg)
{
	json_error_t error;
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	*r = (struct result){ .path = strndup(path, len) };
	if (!r->path)
		return msg_set(msg, ENOMEM, "%s: no memory", path);
	r->summary = load_json(r->path, "summary.json", &error);
	if (!r->summary && is_validation(r->path))
		msg_set(msg, EINVAL,
			"%s: what validate found, not what allocators cost; `pagetax plot validate %s` draws it, validation.json holds it",
			r->path, r->path);
	else if (!r->summary && error.line < 0)
		msg_set(msg, ENOENT,
			"%s: no result folder: %s; expected one that `pagetax replay -o` wrote",
			r->path, error.text);
	else if (!r->summary)
		msg_set(msg, EINVAL,
			"%s/summary.json:%d: %s; expected the summary of a run",
			r->path, error.line, error.text);
	if (!r->summary)
		goto fail;
	r->runs = json_object_get(r->summary, "runs");
	if (!json_is_array(r->runs)) {
		msg_set(msg, EINVAL,
			"%s/summary.json:1: no runs in it; expected the summary of a run",
			r->path);
		goto fail;
	}
	r->nr_runs = (unsigned int)json_array_size(r->runs);
	r->timing = load_json(r->path, "timing.json", &error);
	return 0;

fail:
	result_free(r);
	return -EINVAL;
}

void result_free(struct result *r)
{
	json_decref(r->summary);
	json_decref(r->timing);
	free(r->path);
	*r = (struct result){ .path = NULL };
}

const char *result_allocator(const struct result *r, unsigned int run)
{
	return json_text_at(json_array_get(r->runs, run), "allocator");
}

double result_value(const struct result *r, unsigned int run,
		    enum result_column column)
{
	const char *object = column_paths[column].object;
	const char *key = column_paths[column].key;
	const json_t *from = json_array_get(r->runs, run);

	if (!strcmp(object, "timing"))
		return json_number_at(json_array_get(json_object_get(r->timing, "runs"),
						     run), key, NULL);
	return *object ? json_number_at(from, object, key)
		       : json_number_at(from, key, NULL);
}

enum result_column result_column_find(const char *name, size_t len)
{
	unsigned int c = 0;

	while (c < NR_RESULT_COLUMNS &&
	       (strlen(result_column_names[c]) != len ||
		memcmp(result_column_names[c], name, len)))
		c++;
	return (enum result_column)c;
}

/* ---- tables ---- */

static char *read_text(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = NULL;
	size_t room = 0;
	ssize_t len;

	if (!in)
		return NULL;
	len = getdelim(&text, &room, '\0', in);
	fclose(in);
	if (len < 0) {
		free(text);
		return strdup("");
	}
	return text;
}

static int split_cells(struct tsv_table *t)
{
	char *rest = t->text, *line;
	size_t nr = 0;

	while ((line = strsep(&rest, "\n"))) {
		unsigned int columns = 0;
		char *cell;

		if (!*line || *line == '#')
			continue;
		while ((cell = strsep(&line, "\t"))) {
			if (array_grow(t->cells, nr))
				return -ENOMEM;
			t->cells[nr++] = cell;
			columns++;
		}
		if (!t->nr_columns)
			t->nr_columns = columns;
		else if (columns != t->nr_columns)
			return -EINVAL;
		else
			t->nr_rows++;
	}
	return 0;
}

int tsv_read(struct tsv_table *t, const char *path)
{
	int err;

	*t = (struct tsv_table){ .text = read_text(path) };
	if (!t->text)
		return -ENOENT;
	err = split_cells(t);
	if (err)
		tsv_table_free(t);
	return err;
}

void tsv_table_free(struct tsv_table *t)
{
	free(t->cells);
	free(t->text);
	*t = (struct tsv_table){ .text = NULL };
}

int tsv_column(const struct tsv_table *t, const char *name)
{
	for (unsigned int c = 0; c < t->nr_columns; c++) {
		if (!strcmp(t->cells[c], name))
			return (int)c;
	}
	return -1;
}
