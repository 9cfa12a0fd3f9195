/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * distribution.c - GSL draws, our own seeded source feeds it
 *
 * GSL asks a generator for numbers through a table of functions; ours are 32
 * bits of base/rng, so a draw is the same on every word size, and a stream per
 * workload class costs four words. Everything is rounded to whole numbers at
 * once: no fraction is ever added up.
 */
#include <assert.h>
#include <errno.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/workload/distribution.h"

/* In the order of enum distribution_kind; NULL ends them. */
static const char *const distribution_names[NR_DISTRIBUTIONS + 1] = {
#define DISTRIBUTION_NAME(NAME, name) #name,
	DISTRIBUTIONS(DISTRIBUTION_NAME)
#undef DISTRIBUTION_NAME
	NULL
};

/* The generator that GSL sees */

static void source_set(void *state, unsigned long seed)
{
	rng_seed(state, seed);
}

static unsigned long source_get(void *state)
{
	return (unsigned long)(rng_next(state) >> 32);
}

static double source_get_double(void *state)
{
	return (double)(rng_next(state) >> 11) * 0x1p-53;
}

static const gsl_rng_type source_type = {
	.name = "pagetax",
	.max = 0xffffffff,
	.min = 0,
	.size = sizeof(struct rng),
	.set = source_set,
	.get = source_get,
	.get_double = source_get_double,
};

static gsl_rng source_of(struct rng *rng)
{
	return (gsl_rng){ .type = &source_type, .state = rng };
}

/* Drawing */

static uint64_t to_whole(double x)
{
	if (!(x < (double)PARAM_LIMIT))
		return PARAM_LIMIT;
	return (uint64_t)(x + 0.5);
}

uint64_t draw_exponential(struct rng *rng, double mean)
{
	gsl_rng source = source_of(rng);

	return to_whole(gsl_ran_exponential(&source, mean));
}

double draw_share(struct rng *rng)
{
	return source_get_double(rng);
}

bool draw_chance(struct rng *rng, double probability)
{
	return source_get_double(rng) < probability;
}

static uint64_t draw_table(const struct distribution *d, struct rng *rng)
{
	uint64_t whole = rng_below(rng, d->nr_points - 1);
	uint64_t low = d->points[whole];
	uint64_t span = d->points[whole + 1] - low;

	return low + to_whole((double)span * source_get_double(rng));
}

static uint64_t draw(const struct distribution *d, struct rng *rng)
{
	gsl_rng source = source_of(rng);

	switch (d->kind) {
	case DISTRIBUTION_CONSTANT:
		return to_whole(d->a);
	case DISTRIBUTION_UNIFORM:
		return to_whole(d->a) + rng_below(rng, to_whole(d->b - d->a) + 1);
	case DISTRIBUTION_EXPONENTIAL:
		return to_whole(gsl_ran_exponential(&source, d->a));
	case DISTRIBUTION_LOGNORMAL:
		return to_whole(d->a * gsl_ran_lognormal(&source, 0, d->b));
	case DISTRIBUTION_WEIBULL:
		return to_whole(gsl_ran_weibull(&source, d->a, d->b));
	case DISTRIBUTION_PARETO:
		return to_whole(gsl_ran_pareto(&source, d->b, d->a));
	case DISTRIBUTION_TABLE:
		return draw_table(d, rng);
	case NR_DISTRIBUTIONS:
		break;
	}
	assert(!"a distribution without its case");
	return 0;
}

uint64_t distribution_draw(const struct distribution *d, struct rng *rng)
{
	uint64_t x = draw(d, rng);

	return d->max && x > d->max ? d->max : x;
}

static double table_mean(const struct distribution *d)
{
	double sum = 0;

	for (unsigned int i = 0; i + 1 < d->nr_points; i++)
		sum += ((double)d->points[i] + (double)d->points[i + 1]) / 2;
	return sum / (d->nr_points - 1);
}

/* The mean of a pareto cut off at b: what lies beyond counts as b. */
static double pareto_mean(double a, double k, double b)
{
	if (!(b > a))
		return k > 1 ? a * k / (k - 1) : INFINITY;
	if (k == 1)
		return a * (1 + log(b / a));
	return a * (k - pow(a / b, k - 1)) / (k - 1);
}

double distribution_mean(const struct distribution *d)
{
	switch (d->kind) {
	case DISTRIBUTION_CONSTANT:
	case DISTRIBUTION_EXPONENTIAL:
		return d->a;
	case DISTRIBUTION_UNIFORM:
		return (d->a + d->b) / 2;
	case DISTRIBUTION_LOGNORMAL:
		return d->a * exp(d->b * d->b / 2);
	case DISTRIBUTION_WEIBULL:
		return d->a * gsl_sf_gamma(1 + 1 / d->b);
	case DISTRIBUTION_PARETO:
		return pareto_mean(d->a, d->b, (double)d->max);
	case DISTRIBUTION_TABLE:
		return table_mean(d);
	case NR_DISTRIBUTIONS:
		break;
	}
	assert(!"a distribution without its case");
	return 0;
}

/* Reading */

static int check_parameters(const struct distribution *d, struct msg *msg)
{
	if (d->kind == DISTRIBUTION_UNIFORM && d->a > d->b)
		return msg_set(msg, EINVAL, "uniform: min= is above max=");
	if (d->kind == DISTRIBUTION_PARETO && !(d->a > 0))
		return msg_set(msg, EINVAL, "pareto: min= must be above 0");
	if (d->kind == DISTRIBUTION_PARETO && d->max && (double)d->max < d->a)
		return msg_set(msg, EINVAL, "pareto: max= is below min=");
	return 0;
}

int distribution_parse(struct distribution *d, char *text,
		       enum param_type quantity, struct msg *msg)
{
	const char *word = params_first_word(&text);
	double max = 0;
	struct param params[NR_DISTRIBUTIONS][4] = {
		[DISTRIBUTION_CONSTANT] = {
			{ .key = "value", .type = quantity, .out = &d->a },
		},
		[DISTRIBUTION_UNIFORM] = {
			{ .key = "min", .type = quantity, .out = &d->a },
			{ .key = "max", .type = quantity, .out = &d->b },
		},
		[DISTRIBUTION_EXPONENTIAL] = {
			{ .key = "mean", .type = quantity, .out = &d->a },
		},
		[DISTRIBUTION_LOGNORMAL] = {
			{ .key = "median", .type = quantity, .out = &d->a },
			{ .key = "sigma", .type = PARAM_REAL, .out = &d->b },
		},
		[DISTRIBUTION_WEIBULL] = {
			{ .key = "scale", .type = quantity, .out = &d->a },
			{ .key = "shape", .type = PARAM_REAL, .out = &d->b },
		},
		[DISTRIBUTION_PARETO] = {
			{ .key = "min", .type = quantity, .out = &d->a },
			{ .key = "shape", .type = PARAM_REAL, .out = &d->b },
			{ .key = "max", .type = quantity, .out = &max, .optional = true },
		},
	};
	int kind = params_choose("distribution", distribution_names, word, msg);
	int err;

	*d = (struct distribution){ 0 };
	if (kind < 0)
		return kind;
	d->kind = (enum distribution_kind)kind;
	err = params_parse(params[kind], word, text, msg);
	if (err)
		return err;
	d->max = to_whole(max);
	return check_parameters(d, msg);
}

int distribution_add_points(struct distribution *d, char *text,
			    enum param_type quantity, struct msg *msg)
{
	while (*text) {
		const char *word = params_first_word(&text);
		double value;
		uint64_t point, *points;
		int err = param_value("a point", quantity, word, &value, msg);

		if (err)
			return err;
		point = to_whole(value);
		if (d->nr_points && point < d->points[d->nr_points - 1])
			return msg_set(msg, EINVAL,
				       "the points of a table must ascend, and '%s' is below the one before",
				       word);
		points = realloc(d->points, (d->nr_points + 1) * sizeof(*points));
		if (!points)
			return msg_set(msg, ENOMEM, "no memory");
		d->points = points;
		points[d->nr_points++] = point;
	}
	return 0;
}

int distribution_check(const struct distribution *d, struct msg *msg)
{
	if (d->kind == DISTRIBUTION_TABLE && d->nr_points < 2)
		return msg_set(msg, EINVAL,
			       "a table needs at least two points, one for each end");
	return 0;
}

int distribution_copy(struct distribution *to, const struct distribution *from)
{
	*to = *from;
	if (!from->points)
		return 0;
	to->points = malloc(from->nr_points * sizeof(*to->points));
	if (!to->points)
		return -ENOMEM;
	memcpy(to->points, from->points, from->nr_points * sizeof(*to->points));
	return 0;
}

void distribution_free(struct distribution *d)
{
	free(d->points);
	*d = (struct distribution){ 0 };
}
