/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * races.h - small quarrels over one word of a map, in every order
 *
 * Each race is two threads that do a thing each on a small range, with the
 * backend's own code; see interleave.h. What must come out in every
 * order: what is used is what somebody holds, nobody's run is another's or
 * free, and no free of one's own run is refused.
 */
#ifndef PAGETAX_SIM_BENCH_RACES_H
#define PAGETAX_SIM_BENCH_RACES_H

#include "alloc/range.h"
#include "base/msg.h"

enum race_deed {
	RACE_ALLOC,
	RACE_FREE,			/* the run it holds from the start */
	RACE_CLAIM_FREE,		/* the units from 0 on, if they are free */
};

struct race {
	const char *name;
	unsigned long nr_units;
	struct {
		enum race_deed deed;
		unsigned long nr;	/* of the run */
	} threads[2];
	unsigned int max_steps;		/* touches; well above what ends needs */
};

/* Ends with a NULL name. */
extern const struct race races[];

/*
 * A run over two words is released while another thread claims the first of
 * them and gives it back: of interest to the interleaved form.
 */
extern const struct race race_two_words;

struct race_result {
	uint64_t runs;			/* orders tried: all there are */
	uint64_t leaks;			/* runs that left used units nobody holds */
	uint64_t wiped;			/* runs in which a held run is free or another's */
	uint64_t refused;		/* runs in which one's own run could not be freed */
	uint64_t endless;		/* runs cut at max_steps touches */
	unsigned int most_steps;	/* touches of the longest that ended */
};

/* 0 or a negative errno with a message. */
int race_run(const char *spec, const struct race *race,
	     struct race_result *result, struct msg *msg);

#endif
