/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * params.h - "poisson rate=200/s": a kind and its parameters, as scenarios say them
 *
 * Messages name the word at fault and what is allowed; file, line and key are
 * added by who reads the file.
 */
#ifndef PAGETAX_SIM_WORKLOAD_PARAMS_H
#define PAGETAX_SIM_WORKLOAD_PARAMS_H

#include "base/msg.h"
#include "base/types.h"

enum param_type {
	PARAM_TIME,			/* 10ms; in ns */
	PARAM_COUNT,			/* a whole number */
	PARAM_REAL,			/* above 0, up to 1000 */
	PARAM_RATE,			/* 200/s; per ns */
	PARAM_PERCENT,			/* 12.5%; 0 to 1 */
};

/* Whole numbers above this are refused: 146 years in ns, and sums do not overflow. */
#define PARAM_LIMIT (UINT64_C(1) << 62)

struct param {
	const char *key;		/* NULL ends a list */
	enum param_type type;
	double *out;
	bool optional;
	bool given;			/* set by params_parse */
};

/* One value. 0, or -EINVAL with a message that says what was expected. */
int param_value(const char *key, enum param_type type, const char *text,
		double *out, struct msg *msg);

/*
 * Read "KEY=VALUE KEY=VALUE" (cut in place) for something called `kind`. 0, or
 * -EINVAL: an unknown key, one given twice, one that is missing, a bad value.
 */
int params_parse(struct param *params, const char *kind, char *text,
		 struct msg *msg);

/* The first word of *text, cut off; *text goes on behind it. */
char *params_first_word(char **text);

/*
 * The place of a word in a list that NULL ends. -EINVAL with a message
 * "unknown WHAT 'word'; allowed are ..." when it is not there.
 */
int params_choose(const char *what, const char *const *names, const char *word,
		  struct msg *msg);

#endif
