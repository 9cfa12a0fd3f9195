/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json_builder.h - JSON objects of figures, built without a look at each step */
#ifndef PAGETAX_SIM_REPORT_JSON_BUILDER_H
#define PAGETAX_SIM_REPORT_JSON_BUILDER_H

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"

/*
 * Building never stops at a failed allocation: jansson's *_set_new() refuse a
 * NULL and say so, and `failed` remembers it for the end.
 */
struct builder {
	bool failed;
};

static inline void put(struct builder *b, json_t *object, const char *key,
		       json_t *value)
{
	if (json_object_set_new(object, key, value))
		b->failed = true;
}

static inline void append(struct builder *b, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value))
		b->failed = true;
}

static inline void put_count(struct builder *b, json_t *object, const char *key,
			     uint64_t value)
{
	put(b, object, key, json_integer((json_int_t)value));
}

/* Names of files and processes are bytes; JSON takes UTF-8 only. */
static inline json_t *text_value(const char *text)
{
	json_t *value = json_string(text);
	char *plain = value ? NULL : strdup(text);

	if (!plain)
		return value;
	for (char *c = plain; *c; c++)
		*c = *c & 0x80 ? '?' : *c;
	value = json_string(plain);
	free(plain);
	return value;
}

static inline void put_text(struct builder *b, json_t *object, const char *key,
			    const char *text)
{
	put(b, object, key, text_value(text));
}

/*
 * Six decimals: enough to tell two shares apart, and the same everywhere. What is
 * not known, or without bound, is null: JSON has no word for it.
 */
static inline json_t *share_value(double value)
{
	return isfinite(value) ? json_real(round(value * 1e6) / 1e6) : json_null();
}

static inline void put_share(struct builder *b, json_t *object, const char *key,
			     double value)
{
	put(b, object, key, share_value(value));
}

/* Write the whole, and end it. 0 or -ENOMEM. */
static inline int dump(FILE *out, json_t *root, const struct builder *b)
{
	const size_t flags = JSON_INDENT(2) | JSON_REAL_PRECISION(12);
	char *text = root && !b->failed ? json_dumps(root, flags) : NULL;

	json_decref(root);
	if (!text)
		return -ENOMEM;
	fprintf(out, "%s\n", text);
	free(text);
	return 0;
}

#endif
