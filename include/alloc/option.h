/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * option.h - options of a backend, as in `twoword:removal=punch:inline=0`
 *
 * A backend lists what it knows in a table; parsing, checking, defaults and
 * the help of `pagetax list allocators` come from that table alone.
 */
#ifndef PAGETAX_ALLOC_OPTION_H
#define PAGETAX_ALLOC_OPTION_H

#include "base/msg.h"
#include "base/types.h"

struct option_spec {
	const char *key;
	/*
	 * What is allowed: words "swap|punch", or a range "0..64" of whole
	 * numbers.
	 */
	const char *values;
	const char *def;		/* default, in the same form */
	const char *help;
};

#define MAX_OPTIONS 24

struct option_set {
	const struct option_spec *specs;
	unsigned long value[MAX_OPTIONS];	/* the number, or the word's place */
};

/*
 * Fill *set from `text` ("key=value:key=value", may be empty or NULL) over
 * the defaults. 0, or -EINVAL with a message that names the key, the value
 * and what is allowed.
 */
int option_parse(struct option_set *set, const struct option_spec *specs,
		 const char *who, const char *text, struct msg *msg);

/* The value of a key that must be in the specs: a number, or 0, 1, 2 ... for the words in order. */
unsigned long option_get(const struct option_set *set, const char *key);

#endif
