/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * figure_races.c - B10: two threads on one word of the interleaved map
 *
 * The posted code takes its compare-and-swap for done when the word already was
 * what it should become. Every order of two threads' touches is run with the
 * real code: with the retry as it was posted, corrected, and for the separate
 * maps.
 *
 *    leaks     units are used that nobody holds
 *    wiped     a run that somebody holds is free, or another's too
 *    refused   the free of one's own run was refused
 *    endless   the threads throw each other back; cut after 32 touches or more
 *
 * The last row is why a lockless free of separate maps cannot look for heads:
 * a neighbour between its two writes has none.
 */
#include <stdio.h>

#include "sim/bench/figures.h"
#include "sim/bench/races.h"

static const char *const specs[] = {
	"genalloc_twobit:as-posted=on", "genalloc_twobit", "genalloc_split",
	"genalloc", "genalloc_split:heads=checked",
};

#define NR_RIGHT 3			/* after the first: what should never fail */

static int race_row(struct figure_run *f, const char *spec,
		    const struct race *race, struct race_result *sum,
		    struct msg *msg)
{
	struct race_result r;
	int err = race_run(spec, race, &r, msg);

	if (err)
		return err;
	figure_row(f, "%s\t%s\t%llu\t%llu\t%llu\t%llu\t%llu", spec, race->name,
		   (unsigned long long)r.runs, (unsigned long long)r.leaks,
		   (unsigned long long)r.wiped, (unsigned long long)r.refused,
		   (unsigned long long)r.endless);
	sum->leaks += r.leaks;
	sum->wiped += r.wiped;
	sum->refused += r.refused;
	sum->endless += r.endless;
	return 0;
}

static double wrong(const struct race_result *sum)
{
	return (double)(sum->leaks + sum->wiped + sum->refused + sum->endless);
}

static int run(struct figure_run *f, struct msg *msg)
{
	struct race_result sum[ARRAY_SIZE(specs)] = { { 0 } };
	struct race_result up = { 0 }, down = { 0 };
	int err = 0;

	figure_columns(f, "allocator\trace\torders\tleaks\twiped\trefused\tendless");
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
		for (const struct race *race = races; !err && race->name; race++)
			err = race_row(f, specs[i], race, &sum[i], msg);
	if (!err)
		err = race_row(f, "genalloc_twobit:release=up", &race_two_words,
			       &up, msg);
	if (!err)
		err = race_row(f, "genalloc_twobit", &race_two_words, &down, msg);
	if (err)
		return err;
	figure_claim(f, "as posted: units leak in some orders", CLAIM_AT_LEAST, 1,
		     (double)sum[0].leaks, 0);
	figure_claim(f, "as posted: a run is wiped out in some orders",
		     CLAIM_AT_LEAST, 1, (double)sum[0].wiped, 0);
	for (size_t i = 1; i <= NR_RIGHT; i++) {
		char what[80];

		snprintf(what, sizeof(what), "%s: orders that go wrong", specs[i]);
		figure_claim(f, what, CLAIM_EQUAL, 0, wrong(&sum[i]), 0);
	}
	/* Lockless reading of lengths was said to need rising releases. */
	figure_claim(f, "release=up, said to be safe (refuted): orders that go wrong",
		     CLAIM_EQUAL, 0, wrong(&up), 0);
	figure_claim(f, "release=down: orders that go wrong",
		     CLAIM_EQUAL, 0, wrong(&down), 0);
	figure_note(f, "release=up differs on purpose: a rising order was said to be what is safe; with two words it is not");
	return 0;
}

const struct figure figure_b10 = {
	.id = "b10",
	.title = "two threads on one word, in every order",
	.run = run,
};
