/* SPDX-License-Identifier: GPL-2.0-or-later */
/* units.c - read and print numbers with units */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/units.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit size_units[] = {
	{ "",  1 },
	{ "K", UINT64_C(1) << 10 },
	{ "M", UINT64_C(1) << 20 },
	{ "G", UINT64_C(1) << 30 },
	{ "T", UINT64_C(1) << 40 },
	{ NULL, 0 },
};

static const struct unit time_units[] = {
	{ "ns",  1 },
	{ "us",  1000 },
	{ "ms",  1000000 },
	{ "s",   UINT64_C(1000000000) },
	{ "min", UINT64_C(60000000000) },
	{ "h",   UINT64_C(3600000000000) },
	{ NULL, 0 },
};

/* The digits at the start of text; *end is what follows them. */
static int parse_digits(const char *text, uint64_t *out, const char **end)
{
	char *stop;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;		/* strtoull takes signs and blanks */
	errno = 0;
	*out = strtoull(text, &stop, 10);
	*end = stop;
	return errno ? -ERANGE : 0;
}

static int parse_unit(const char *text, const struct unit *units, uint64_t *out)
{
	const char *suffix;
	uint64_t number;
	int err = parse_digits(text, &number, &suffix);

	if (err)
		return err;
	for (; units->name; units++) {
		if (strcasecmp(suffix, units->name))
			continue;
		if (number > UINT64_MAX / units->factor)
			return -ERANGE;
		*out = number * units->factor;
		return 0;
	}
	return -EINVAL;
}

int parse_count(const char *text, uint64_t *out)
{
	uint64_t number;
	const char *end;
	int err = parse_digits(text, &number, &end);

	if (err)
		return err;
	if (*end)
		return -EINVAL;
	*out = number;
	return 0;
}

int parse_size(const char *text, uint64_t *bytes)
{
	return parse_unit(text, size_units, bytes);
}

int parse_time(const char *text, uint64_t *ns)
{
	return parse_unit(text, time_units, ns);
}

char *format_bytes(uint64_t bytes, char *buf, size_t size)
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)bytes;
	size_t i = 0;

	while (value >= 1024 && i + 1 < ARRAY_SIZE(names)) {
		value /= 1024;
		i++;
	}
	if (i == 0)
		snprintf(buf, size, "%" PRIu64 " B", bytes);
	else
		snprintf(buf, size, "%.*f %s", value < 100 ? 1 : 0, value, names[i]);
	return buf;
}
