/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bounds.h - what a faithful model must reach, and why one did not
 *
 *    L0, L0.5   a figure is beyond its bound: that is all there is to say, for
 *               each of them is about one thing
 *    L1         the allocator has run once more with each part of the policy
 *               switched (ablation.h); the excess over the bound is
 *
 *        as it is      |-----bound=======================|
 *        with a part   |-----bound====|                     most of it is gone:
 *                                                           that part is why
 *
 * If no part takes away half of the excess, L0 and L0.5 of the same zone are
 * asked in turn. So each cause is something that was measured, and if nothing
 * was found, that is what is said.
 */
#ifndef PAGETAX_SIM_VALIDATE_BOUNDS_H
#define PAGETAX_SIM_VALIDATE_BOUNDS_H

#include "sim/validate/validation.h"

/* x(name, level, figure in validation.json, at least or at most, limit, unit if printed) */
#define BOUNDS(x)                                                             \
	x(exact,          "L0",   "exact",               true,  0.80,   "%")  \
	x(state,          "L0",   "tv_p95",              false, 0.0005, "%")  \
	x(repairs,        "L0",   "repairs_per_event",   false, 0.001,  "%")  \
	x(pgalloc,        "L0",   "pgalloc",             false, 0.001,  "%")  \
	x(pgfree,         "L0",   "pgfree",              false, 0.001,  "%")  \
	x(smallest_order, "L0.5", "smallest_order_rate", true,  0.99,   "%")  \
	x(list_head,      "L0.5", "list_head_rate",      true,  0.99,   "%")  \
	x(pcp_head,       "L0.5", "pcp_head_rate",       true,  0.99,   "%")  \
	x(refill,         "L0.5", "refill_rate",         true,  0.95,   "%")  \
	x(drain,          "L0.5", "drain_rate",          true,  0.95,   "%")  \
	x(tv_p50,         "L1",   "tv_p50",              false, 0.05,   "%")  \
	x(tv_p95,         "L1",   "tv_p95",              false, 0.10,   "%")  \
	x(dh9_p50,        "L1",   "dh9_p50_pp",          false, 2,      "pp") \
	x(dh9_p95,        "L1",   "dh9_p95_pp",          false, 5,      "pp") \
	x(skill,          "L1",   "skill",               true,  0.5,    "")

enum bound_id {
#define BOUND_ENUM(name, ...) BOUND_##name,
	BOUNDS(BOUND_ENUM)
#undef BOUND_ENUM
	NR_BOUNDS,
};

struct bound {
	const char *level;
	const char *figure;
	bool at_least;
	double limit;
	const char *unit;		/* "%": the figure is a share */
};

extern const struct bound bounds[NR_BOUNDS];

/* Of a part, or of all there was to be asked, in this order. */
enum cause {
	CAUSE_ITSELF,			/* of L0 and L0.5: the figure says it */
	CAUSE_NO_POLICY,		/* the allocator has another one */
	CAUSE_PART,
	CAUSE_STATE,			/* L0 misses a bound in the same zone */
	CAUSE_RULE,			/* L0.5 does */
	CAUSE_UNKNOWN,
};

struct miss {
	enum bound_id bound;
	const char *zone;		/* NULL: not of one zone */
	const char *allocator;		/* NULL: not of L1 */
	double value;
	enum cause cause;
	enum ablation_part part;	/* of CAUSE_PART, as are the next two */
	bool adds;			/* the part is off */
	double with;			/* the value with it switched */
	enum bound_id rule;		/* of CAUSE_RULE, as is the next */
	double rate;
};

/* By how much a value is beyond a bound; 0: not at all, or it is not known. */
double bound_excess(enum bound_id id, double value);

/* A figure of L1 by its bound; persist_tv is the mean TV of "nothing changes". */
double bound_figure(enum bound_id id, const struct closed_figures *f, double persist_tv);

/* Whether any L1 bound is missed by this one. */
bool closed_loop_misses(const struct validation *v, const struct closed_loop *c);

/*
 * Every missed bound, in `misses`, which must have room for bounds_room(): *nr of
 * them, and *nr_judged bounds were looked at. 0 or -ENOMEM.
 */
int bounds_judge(const struct validation *v, struct miss *misses, size_t *nr,
		 size_t *nr_judged);
size_t bounds_room(const struct validation *v);

#endif
