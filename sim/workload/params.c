/* SPDX-License-Identifier: GPL-2.0-or-later */
/* params.c - read words and numbers with units */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "sim/units.h"
#include "sim/workload/params.h"

static const char blanks[] = " \t";

static const char *const type_names[] = {
	[PARAM_TIME] = "a time with its unit: ns, us, ms, s, min or h",
	[PARAM_COUNT] = "a whole number",
	[PARAM_REAL] = "a number above 0, up to 1000",
	[PARAM_RATE] = "a rate as 200/s, 5/ms or 30/min",
	[PARAM_PERCENT] = "a share as 12.5%, 0% to 100%",
};

/* A number at the beginning of text, not negative; *end is what follows. */
static bool parse_number(const char *text, char **end, double *out)
{
	if ((*text < '0' || *text > '9') && *text != '.')
		return false;		/* no signs, blanks, or words as "inf" */
	errno = 0;
	*out = strtod(text, end);
	return *end != text && !errno;
}

static bool parse_rate(const char *text, double *out)
{
	char unit[8];
	uint64_t ns;
	char *end;

	if (!parse_number(text, &end, out) || *end != '/')
		return false;
	if ((size_t)snprintf(unit, sizeof(unit), "1%s", end + 1) >= sizeof(unit) ||
	    parse_time(unit, &ns))
		return false;
	*out /= (double)ns;
	return true;
}

static bool parse_percent(const char *text, double *out)
{
	char *end;

	if (!parse_number(text, &end, out) || strcmp(end, "%") || *out > 100)
		return false;
	*out /= 100;
	return true;
}

static bool parse_whole(enum param_type type, const char *text, double *out)
{
	uint64_t whole;

	if (type == PARAM_TIME ? parse_time(text, &whole)
			       : parse_count(text, &whole))
		return false;
	*out = (double)whole;
	return whole <= PARAM_LIMIT;
}

static bool parse_value(enum param_type type, const char *text, double *out)
{
	char *end;

	switch (type) {
	case PARAM_TIME:
	case PARAM_COUNT:
		return parse_whole(type, text, out);
	case PARAM_REAL:
		return parse_number(text, &end, out) && !*end && *out > 0 &&
		       *out <= 1000;
	case PARAM_RATE:
		return parse_rate(text, out);
	case PARAM_PERCENT:
		return parse_percent(text, out);
	}
	assert(!"a type without its case");
	return false;
}

int param_value(const char *key, enum param_type type, const char *text,
		double *out, struct msg *msg)
{
	double value;

	if (!parse_value(type, text, &value))
		return msg_set(msg, EINVAL, "%s cannot be '%s'; expected %s",
			       key, text, type_names[type]);
	*out = value;
	return 0;
}

char *params_first_word(char **text)
{
	char *word = *text + strspn(*text, blanks);
	char *end = word + strcspn(word, blanks);

	*text = end + strspn(end, blanks);
	*end = '\0';
	return word;
}

static int unknown_param(const struct param *params, const char *kind,
			 const char *word, struct msg *msg)
{
	struct names names = { 0 };

	for (; params->key; params++)
		names_add(&names, "%s=", params->key);
	return msg_set(msg, EINVAL, "'%s' is not known to %s, which takes %s",
		       word, kind, names.len ? names.text : "nothing more");
}

int params_parse(struct param *params, const char *kind, char *text,
		 struct msg *msg)
{
	while (*text) {
		char *word = params_first_word(&text);
		size_t len = strcspn(word, "=");
		struct param *p = params;
		int err;

		while (p->key && (strlen(p->key) != len ||
				  strncmp(p->key, word, len)))
			p++;
		if (!p->key || !word[len])
			return unknown_param(params, kind, word, msg);
		if (p->given)
			return msg_set(msg, EINVAL, "%s= is given twice", p->key);
		err = param_value(p->key, p->type, word + len + 1, p->out, msg);
		if (err)
			return err;
		p->given = true;
	}
	for (; params->key; params++) {
		if (!params->given && !params->optional)
			return msg_set(msg, EINVAL, "%s needs %s=, %s", kind,
				       params->key, type_names[params->type]);
	}
	return 0;
}

int params_choose(const char *what, const char *const *names, const char *word,
		  struct msg *msg)
{
	struct names there = { 0 };

	for (int i = 0; names[i]; i++) {
		if (!strcmp(names[i], word))
			return i;
		names_add(&there, "%s", names[i]);
	}
	return msg_set(msg, EINVAL, "unknown %s '%s'; allowed are %s", what, word,
		       there.text);
}
