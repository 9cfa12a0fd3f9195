/* SPDX-License-Identifier: GPL-2.0-or-later */
/* data_dir.c - ask the environment, the sources, the program's place */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/data_dir.h"

#define MAX_FOLDERS_UP 3		/* build/clang/check/pagetax */

/* Whether it is below `top`, of so many letters; then d->found is it. */
static bool is_below(struct data_dir *d, const char *top, int len)
{
	char proof[sizeof(d->found) + 64];

	snprintf(d->found, sizeof(d->found), "%.*s/%s", len, top, d->in_sources);
	snprintf(proof, sizeof(proof), "%s/%s", d->found, d->proof);
	return !access(proof, R_OK);
}

static bool is_near_program(struct data_dir *d)
{
	char program[sizeof(d->found)];
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);

	program[len > 0 ? len : 0] = '\0';
	for (int up = 0; up <= MAX_FOLDERS_UP; up++) {
		char *slash = strrchr(program, '/');

		if (!slash)
			return false;
		*slash = '\0';
		if (is_below(d, program, (int)strlen(program)))
			return true;
	}
	return false;
}

const char *data_dir_find(struct data_dir *d)
{
	const char *named = getenv(d->variable);

	if (named && *named)
		return named;
	if (is_below(d, ".", 1))
		return d->in_sources;
	return is_near_program(d) ? d->found : d->installed;
}
