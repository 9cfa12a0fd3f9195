/* SPDX-License-Identifier: GPL-2.0-or-later */
/* races.c - see races.h */
#include <errno.h>
#include <stdlib.h>

#include "sim/bench/figures.h"
#include "sim/bench/interleave.h"
#include "sim/bench/races.h"

#define MAX_RUNS UINT64_C(1000000)

const struct race races[] = {
	{ "two claims", 8,
	  { { RACE_ALLOC, 2 }, { RACE_ALLOC, 2 } }, 32 },
	{ "a release and a claim", 8,
	  { { RACE_FREE, 2 }, { RACE_ALLOC, 2 } }, 32 },
	{ "two releases", 8,
	  { { RACE_FREE, 2 }, { RACE_FREE, 2 } }, 32 },
	{ .name = NULL },
};

/* 34 units take two words of two bits each, 32 fill the first. */
const struct race race_two_words = {
	"two words released, one used", 64,
	{ { RACE_FREE, 34 }, { RACE_CLAIM_FREE, 32 } }, 40,
};

struct arena_of_race {
	const struct race *race;
	struct race_result *result;
	struct figure_range fr;
	void *start;			/* copy of the machine before each run */
	unsigned long given[2];		/* runs held at the start, or RANGE_NONE */
	unsigned long held[2];		/* first unit, or RANGE_NONE */
	bool refused;
};

static void begin(void *arg)
{
	struct arena_of_race *a = arg;

	machine_restore(a->fr.machine, a->start);
	a->refused = false;
	for (unsigned int i = 0; i < 2; i++)
		a->held[i] = a->given[i];
	interleave_watch(a->fr.cost);
}

static void thread(void *arg, unsigned int who)
{
	struct arena_of_race *a = arg;
	struct range *r = a->fr.range;
	enum race_deed deed = a->race->threads[who].deed;
	unsigned long nr = a->race->threads[who].nr;

	if (deed == RACE_ALLOC)
		a->held[who] = range_alloc(r, nr, 1, NULL);
	else if (deed == RACE_CLAIM_FREE && r->ops->claim(r, 0, nr))
		a->held[who] = 0;
	if (deed == RACE_ALLOC || a->held[who] == RANGE_NONE)
		return;
	if (range_free(r, a->held[who], nr) == RANGE_OK)
		a->held[who] = RANGE_NONE;
	else
		a->refused = true;
}

/* Whether the range still knows the run as it was handed out. */
static bool run_stands(const struct range *r, unsigned long first,
		       unsigned long nr)
{
	struct range_info info;

	if (r->caps.query < RANGE_QUERY_RUNS)
		return !range_is_free(r, first, nr);
	r->ops->query(r, first, &info);
	return info.head == first && info.nr == nr;
}

static void judge(const struct arena_of_race *a)
{
	const struct range *r = a->fr.range;
	unsigned long nr_held = 0, nr_used = 0;
	bool wiped = a->held[0] == a->held[1] && a->held[0] != RANGE_NONE;

	for (unsigned int i = 0; i < 2; i++) {
		unsigned long nr = a->race->threads[i].nr;

		if (a->held[i] == RANGE_NONE)
			continue;
		nr_held += nr;
		wiped |= !a->refused && !run_stands(r, a->held[i], nr);
	}
	for (unsigned long unit = 0; unit < a->race->nr_units; unit++)
		nr_used += !range_is_free(r, unit, 1);
	a->result->leaks += nr_used > nr_held;
	a->result->wiped += wiped;
	a->result->refused += a->refused;
}

static void end(void *arg, bool cut)
{
	struct arena_of_race *a = arg;

	if (cut)
		a->result->endless++;
	else
		judge(a);
}

/* The state in which every run starts. */
static int set_up(struct arena_of_race *a, const char *spec, struct msg *msg)
{
	int err = figure_range_create(&a->fr, spec, PAGE_SIZE, msg);

	if (err)
		return err;
	a->start = NULL;
	if (!range_add_free(a->fr.range, 0, a->race->nr_units)) {
		for (unsigned int i = 0; i < 2; i++)
			a->given[i] = a->race->threads[i].deed == RACE_FREE ?
				range_alloc(a->fr.range, a->race->threads[i].nr,
					    1, NULL) :
				RANGE_NONE;
		a->start = malloc(machine_snapshot_bytes(a->fr.machine));
	}
	if (!a->start) {
		figure_range_destroy(&a->fr);
		return msg_set(msg, ENOMEM, "%s: no room", spec);
	}
	machine_save(a->fr.machine, a->start);
	return 0;
}

int race_run(const char *spec, const struct race *race,
	     struct race_result *result, struct msg *msg)
{
	struct arena_of_race a = { .race = race, .result = result };
	const struct interleave_test test = {
		.nr_threads = 2,
		.arg = &a,
		.begin = begin,
		.thread = thread,
		.end = end,
		.max_steps = race->max_steps,
		.max_runs = MAX_RUNS,
	};
	struct interleave_result walked;
	int err;

	*result = (struct race_result){ 0 };
	err = set_up(&a, spec, msg);
	if (err)
		return err;
	interleave(&test, &walked);
	result->runs = walked.runs;
	result->most_steps = walked.most_steps;
	free(a.start);
	figure_range_destroy(&a.fr);
	return walked.complete ? 0 :
		msg_set(msg, E2BIG, "%s: %s: more than %llu orders", spec,
			race->name, (unsigned long long)MAX_RUNS);
}
