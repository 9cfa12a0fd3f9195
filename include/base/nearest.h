/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nearest.h - which of the names there are a misspelt one was meant to be */
#ifndef PAGETAX_BASE_NEAREST_H
#define PAGETAX_BASE_NEAREST_H

#include "base/names.h"

/*
 *	struct nearest near = nearest_to(word, strlen(word));
 *
 *	for each name there is
 *		nearest_try(&near, name);
 *	msg_set(msg, EINVAL, "unknown frob '%s'%s; there are %s", word,
 *		nearest_hint(&near), near.tried.text);
 */
struct nearest {
	const char *word;		/* borrowed, as are the names */
	size_t len;
	const char *name;		/* the best so far; NULL: none is near */
	unsigned int distance;		/* of it; what is farther is not near */
	struct names tried;
	char hint[96];
};

struct nearest nearest_to(const char *word, size_t len);
void nearest_try(struct nearest *near, const char *name);

/* " (did you mean 'NAME'?)", or "" */
const char *nearest_hint(struct nearest *near);

#endif
