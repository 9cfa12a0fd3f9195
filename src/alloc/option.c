/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * option.c - "key=value:key=value", checked against a backend's table
 *
 *    specs   removal  swap|punch   default swap
 *            inline   0..64        default 16
 *    text    inline=4
 *    set     [ 0 | 4 ]             a word's place, or the number
 *
 * Defaults go through the same parser as what the user wrote, so a default
 * that its own table forbids is found by the first caller.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "alloc/option.h"
#include "base/nearest.h"

/* A piece of somebody else's string, without a copy. */
struct span {
	const char *at;
	size_t len;
};

static struct span span_of(const char *text)
{
	return (struct span){ text, strlen(text) };
}

static bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

/* Cut what stands before the first `mark` off the front of *rest. */
static struct span span_cut(struct span *rest, char mark)
{
	struct span piece = *rest;
	const char *end = memchr(rest->at, mark, rest->len);

	if (end) {
		piece.len = (size_t)(end - rest->at);
		rest->at = end + 1;
		rest->len -= piece.len + 1;
	} else {
		rest->at += rest->len;
		rest->len = 0;
	}
	return piece;
}

/* Digits only: strtoul() would take signs, blanks and the letters after. */
static bool parse_number(struct span text, unsigned long *out)
{
	unsigned long n = 0;

	if (!text.len)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned long digit = (unsigned long)(text.at[i] - '0');

		if (digit > 9 || n > (ULONG_MAX - digit) / 10)
			return false;
		n = 10 * n + digit;
	}
	*out = n;
	return true;
}

/* "0..64" gives its ends; anything else is a list of words. */
static bool parse_range(const char *values, unsigned long *lo, unsigned long *hi)
{
	const char *dots = strstr(values, "..");

	return dots &&
	       parse_number((struct span){ values, (size_t)(dots - values) }, lo) &&
	       parse_number(span_of(dots + 2), hi);
}

static bool parse_value(const struct option_spec *spec, struct span text,
			unsigned long *out)
{
	unsigned long lo, hi;
	struct span words = span_of(spec->values);

	if (parse_range(spec->values, &lo, &hi))
		return parse_number(text, out) && *out >= lo && *out <= hi;

	for (unsigned long place = 0; words.len; place++) {
		if (span_equal(span_cut(&words, '|'), text)) {
			*out = place;
			return true;
		}
	}
	return false;
}

static unsigned int nr_specs(const struct option_spec *specs)
{
	unsigned int n = 0;

	while (specs && specs[n].key)
		n++;
	assert(n <= MAX_OPTIONS);
	return n;
}

/* Place of the key in the specs, or nr_specs(). */
static unsigned int find_key(const struct option_spec *specs, struct span key)
{
	unsigned int n = nr_specs(specs), i;

	for (i = 0; i < n; i++)
		if (span_equal(span_of(specs[i].key), key))
			break;
	return i;
}

static int unknown_key(const struct option_spec *specs, const char *who,
		       struct span key, struct msg *msg)
{
	struct nearest near = nearest_to(key.at, key.len);
	unsigned int n = nr_specs(specs);

	if (!n)
		return msg_set(msg, EINVAL, "%s: '%.*s': it takes no options",
			       who, (int)key.len, key.at);
	for (unsigned int i = 0; i < n; i++)
		nearest_try(&near, specs[i].key);
	return msg_set(msg, EINVAL, "%s: unknown option '%.*s'%s; it knows %s",
		       who, (int)key.len, key.at, nearest_hint(&near), near.tried.text);
}

static void set_defaults(struct option_set *set)
{
	unsigned int n = nr_specs(set->specs);

	for (unsigned int i = 0; i < n; i++) {
		const struct option_spec *spec = &set->specs[i];
		bool ok = parse_value(spec, span_of(spec->def), &set->value[i]);

		assert(ok);
		(void)ok;
	}
}

int option_parse(struct option_set *set, const struct option_spec *specs,
		 const char *who, const char *text, struct msg *msg)
{
	struct span rest = span_of(text ? text : "");
	bool given[MAX_OPTIONS] = { false };

	*set = (struct option_set){ .specs = specs };
	set_defaults(set);

	if (text && (!*text || text[strlen(text) - 1] == ':'))
		return msg_set(msg, EINVAL, "%s: an option is missing after ':'; expected KEY=VALUE",
			       who);
	while (rest.len) {
		struct span pair = span_cut(&rest, ':');
		struct span value = pair;
		struct span key = span_cut(&value, '=');
		unsigned int i = find_key(specs, key);

		if (i == nr_specs(specs))
			return unknown_key(specs, who, key, msg);
		if (key.len == pair.len)
			return msg_set(msg, EINVAL,
				       "%s: option '%s' needs a value: %s=%s",
				       who, specs[i].key, specs[i].key,
				       specs[i].values);
		if (given[i])
			return msg_set(msg, EINVAL,
				       "%s: option '%s' is given twice",
				       who, specs[i].key);
		if (!parse_value(&specs[i], value, &set->value[i]))
			return msg_set(msg, EINVAL,
				       "%s: option '%s' cannot be '%.*s'; it can be %s",
				       who, specs[i].key, (int)value.len,
				       value.at, specs[i].values);
		given[i] = true;
	}
	return 0;
}

unsigned long option_get(const struct option_set *set, const char *key)
{
	unsigned int i = find_key(set->specs, span_of(key));

	assert(i < nr_specs(set->specs));
	return set->value[i];
}
