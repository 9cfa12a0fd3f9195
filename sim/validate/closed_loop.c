/* SPDX-License-Identifier: GPL-2.0-or-later */
/* closed_loop.c - replays that are sampled when the recorded machine was */
#include <errno.h>
#include <gsl/gsl_sort_double.h>
#include <stdlib.h>
#include <string.h>

#include "sim/replay.h"
#include "sim/validate/closed_loop.h"

/* The middle of a bracket, in the demand's time. */
static uint64_t bracket_ns(const struct bracket *br, const struct demand *d)
{
	uint64_t at_ns = br->before_ns + (br->after_ns - br->before_ns) / 2;

	if (at_ns <= d->start_ns)
		return 0;
	return min_t(uint64_t, at_ns - d->start_ns, d->end_ns);
}

/* A sample for each bracket, between the first and the last of any plan. */
static int plan_samples(struct sample_plan *plan, const struct closed_loop_input *in)
{
	const struct brackets *br = in->sum;
	uint64_t last = 0;

	*plan = (struct sample_plan){ 0 };
	plan->times_ns = calloc(br->nr + 2, sizeof(*plan->times_ns));
	if (!plan->times_ns)
		return -ENOMEM;
	plan->nr = 1;
	for (size_t i = 0; i < br->nr; i++) {
		uint64_t at_ns = bracket_ns(&br->list[i], in->demand);

		if (at_ns > last && at_ns < in->demand->end_ns)
			plan->times_ns[plan->nr++] = last = at_ns;
	}
	plan->times_ns[plan->nr++] = in->demand->end_ns;
	return 0;
}

/* Of one zone, or of all where they are scored as one. */
static void free_blocks(unsigned long nr_free[NR_PAGE_ORDERS],
			const struct layout *layout, const struct sample *sample,
			unsigned int zone, bool as_one)
{
	unsigned int end = as_one ? layout->nr_zones : zone + 1;

	memset(nr_free, 0, NR_PAGE_ORDERS * sizeof(*nr_free));
	for (; zone < end; zone++)
		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
			nr_free[o] += sample->nr_free[zone][o];
}

static void score_run(struct scorer *s, const struct closed_loop_input *in,
		      const struct sample_series *series)
{
	size_t at = 0;

	for (size_t i = 0; i < s->br->nr; i++) {
		const struct bracket *br = &s->br->list[i];
		uint64_t at_ns = bracket_ns(br, in->demand);

		while (at + 1 < series->nr && series->samples[at].time_ns < at_ns)
			at++;
		for (unsigned int z = 0; z < s->br->nr_zones; z++) {
			unsigned long predicted[NR_PAGE_ORDERS];

			if (!br->zone[z])
				continue;
			free_blocks(predicted, in->layout, &series->samples[at], z,
				    s->br == in->sum);
			score_sample(&s->scores[i * s->br->nr_zones + z], predicted,
				     br->zone[z]);
		}
	}
}

static int note_figures(struct closed_figures *figures, const struct scorer *s,
			unsigned int zone)
{
	figures->mean_tv = scorer_mean_tv(s, zone);
	return scorer_figures(s, zone, &figures->f);
}

static int judge_whole(struct closed_loop *c, const struct closed_loop_input *in,
		       const struct sample_series *series)
{
	struct scorer s;
	int err = scorer_init(&s, in->sum);

	if (err)
		return err;
	score_run(&s, in, series);
	err = note_figures(&c->whole, &s, 0);
	scorer_destroy(&s);
	return err;
}

/* The scorer of the first seed stays. */
static int judge_zones(struct closed_loop *c, const struct closed_loop_input *in,
		       const struct sample_series *series)
{
	struct scorer s;
	int err = scorer_init(&s, in->brackets);

	if (err)
		return err;
	score_run(&s, in, series);
	for (unsigned int z = 0; !err && z < s.br->nr_zones; z++)
		err = note_figures(&c->zone[z][c->nr_seeds], &s, z);
	if (c->nr_seeds)
		scorer_destroy(&s);
	else
		c->first = s;
	return err;
}

static int judge_run(struct closed_loop *c, const struct closed_loop_input *in,
		     const struct replay_run *run, struct msg *msg)
{
	int err = 0;

	if (!run->verified)
		return msg_set(msg, EUCLEAN, "%s: not verified: %s", run->spec,
			       run->verify_msg.text);
	if (in->brackets)
		err = judge_zones(c, in, &run->series);
	if (!err && !c->nr_seeds)
		err = judge_whole(c, in, &run->series);
	if (err)
		return msg_set(msg, ENOMEM, "%s: no memory to judge it", run->spec);
	if (!c->nr_seeds++) {
		c->failed_allocs = run->stats.failed_allocs;
		c->events = run->events;
	}
	return 0;
}

static int run_seed(struct closed_loop *c, const struct closed_loop_input *in,
		    const struct sample_plan *samples, uint64_t seed,
		    struct msg *msg)
{
	struct initial_state start;
	struct replay_run run;
	struct rng rng;
	const struct replay_plan plan = {
		.layout = in->layout,
		.demand = in->demand,
		.bundle = in->bundle,
		.start = &start,
		.samples = samples,
		.progress = in->progress,
		.progress_ctx = in->progress_ctx,
	};
	int err;

	rng_seed(&rng, seed);
	err = initial_state_build(&start, in->bundle, in->layout, in->demand,
				  &rng, msg);
	if (err)
		return err;
	err = replay(&run, &plan, c->spec, msg);
	if (!err)
		err = judge_run(c, in, &run, msg);
	replay_run_free(&run);
	initial_state_free(&start);
	return err;
}

int closed_loop_run(struct closed_loop *c, const struct closed_loop_input *in,
		    const char *spec, unsigned int nr_seeds, struct msg *msg)
{
	struct sample_plan samples;
	int err = 0;

	*c = (struct closed_loop){ .spec = strdup(spec) };
	if (!c->spec || plan_samples(&samples, in))
		return msg_set(msg, ENOMEM, "%s: no memory to run it", spec);
	for (unsigned int i = 0; !err && i < nr_seeds; i++)
		err = run_seed(c, in, &samples, in->seed + i, msg);
	sample_plan_free(&samples);
	return err;
}

void closed_loop_free(struct closed_loop *c)
{
	scorer_destroy(&c->first);
	free(c->spec);
	*c = (struct closed_loop){ 0 };
}

int closed_loop_apart(struct figures *f, const struct closed_loop *c,
		      const struct closed_loop *other, unsigned int zone)
{
	const struct brackets *br = c->first.br;
	struct scorer s;
	int err = scorer_init(&s, br);

	for (size_t i = 0; !err && i < br->nr; i++) {
		const struct score *score = scorer_get(&c->first, i, zone);
		const struct score *than = scorer_get(&other->first, i, zone);
		struct buddyinfo_sample sample = { 0 };

		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
			sample.nr_free[o] = (uint32_t)than->predicted[o];
		if (score->seen && than->seen)
			score_sample(&s.scores[i * br->nr_zones + zone],
				     score->predicted, &sample);
	}
	if (!err)
		err = scorer_figures(&s, zone, f);
	scorer_destroy(&s);
	return err;
}

struct spread closed_loop_spread(const struct closed_loop *c, unsigned int zone,
				 size_t offset)
{
	double values[CLOSED_LOOP_SEEDS] = { 0 };
	unsigned int nr = c->nr_seeds;

	for (unsigned int i = 0; i < nr; i++)
		memcpy(&values[i], (const char *)&c->zone[zone][i] + offset,
		       sizeof(values[i]));
	gsl_sort(values, 1, nr);
	if (!nr)
		return (struct spread){ 0 };
	return (struct spread){ values[0], values[(nr - 1) / 2], values[nr - 1] };
}
