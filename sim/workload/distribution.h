/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * distribution.h - whole numbers drawn by chance: times in ns, counts
 *
 *    constant value=V            exponential mean=M
 *    uniform min=A max=B         lognormal median=M sigma=S
 *    weibull scale=L shape=K     pareto min=A shape=K [max=B]
 *    table                       points follow, see below
 *
 * A table is a distribution as it was measured: its quantiles 0, 1/n ... n/n,
 * drawn by inversion with straight lines between two points.
 */
#ifndef PAGETAX_SIM_WORKLOAD_DISTRIBUTION_H
#define PAGETAX_SIM_WORKLOAD_DISTRIBUTION_H

#include "base/msg.h"
#include "base/rng.h"
#include "sim/workload/params.h"

/* x(NAME, name) */
#define DISTRIBUTIONS(x)            \
	x(CONSTANT,    constant)     \
	x(UNIFORM,     uniform)      \
	x(EXPONENTIAL, exponential)  \
	x(LOGNORMAL,   lognormal)    \
	x(WEIBULL,     weibull)      \
	x(PARETO,      pareto)       \
	x(TABLE,       table)

enum distribution_kind {
#define DISTRIBUTION_ENUM(NAME, name) DISTRIBUTION_##NAME,
	DISTRIBUTIONS(DISTRIBUTION_ENUM)
#undef DISTRIBUTION_ENUM
	NR_DISTRIBUTIONS,
};

struct distribution {
	enum distribution_kind kind;
	double a, b;			/* the parameters in their order above */
	uint64_t max;			/* nothing larger is drawn; 0: no limit of its own */
	uint64_t *points;		/* TABLE only: ascending */
	unsigned int nr_points;
};

/*
 * Read "exponential mean=5s" (the words are cut in place); `quantity` is
 * PARAM_TIME or PARAM_COUNT. 0, or -EINVAL with a message. A table is left
 * without points.
 */
int distribution_parse(struct distribution *d, char *text,
		       enum param_type quantity, struct msg *msg);

/* Append the points of one line of a table: "0 10us 15us 1ms". */
int distribution_add_points(struct distribution *d, char *text,
			    enum param_type quantity, struct msg *msg);

/* Whether a number can be drawn: a table needs two ascending points. */
int distribution_check(const struct distribution *d, struct msg *msg);

int distribution_copy(struct distribution *to, const struct distribution *from);
void distribution_free(struct distribution *d);

uint64_t distribution_draw(const struct distribution *d, struct rng *rng);

/* The expected value; infinite for a pareto that has none. */
double distribution_mean(const struct distribution *d);

/* A draw from the exponential distribution of this mean, in its unit. */
uint64_t draw_exponential(struct rng *rng, double mean);

/* Uniform from 0 up to, but not including, 1. */
double draw_share(struct rng *rng);

/* True with this probability. */
bool draw_chance(struct rng *rng, double probability);

#endif
