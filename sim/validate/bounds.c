/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bounds.c - figures against their bounds, and a missed one back to its cause */
#include <math.h>

#include "sim/validate/bounds.h"

const struct bound bounds[NR_BOUNDS] = {
#define BOUND_ENTRY(name, level, figure, at_least, limit, unit) \
	{ level, figure, at_least, limit, unit },
	BOUNDS(BOUND_ENTRY)
#undef BOUND_ENTRY
};

double bound_excess(enum bound_id id, double value)
{
	const struct bound *b = &bounds[id];
	double excess = b->at_least ? b->limit - value : value - b->limit;

	return excess > 0 ? excess : 0;		/* NAN is unknown */
}

double bound_figure(enum bound_id id, const struct closed_figures *f, double persist_tv)
{
	switch (id) {
	case BOUND_tv_p50:
		return f->f.tv_p50;
	case BOUND_tv_p95:
		return f->f.tv_p95;
	case BOUND_dh9_p50:
		return f->f.dh9_p50;
	case BOUND_dh9_p95:
		return f->f.dh9_p95;
	default:
		return persist_tv > 0 ? 1 - f->mean_tv / persist_tv : NAN;
	}
}

/* ---- L0 and L0.5 ---- */

static double open_loop_figure(const struct validation *v, enum bound_id id,
			       unsigned int zone, int *err)
{
	const struct open_loop *o = &v->open_loop;
	struct figures f;

	switch (id) {
	case BOUND_repairs:
		return o->nr_events ? open_loop_repairs_per_event(o) : NAN;
	case BOUND_pgalloc:
		return o->allocs.known ? books_error(&o->allocs) : NAN;
	case BOUND_pgfree:
		return o->frees.known ? books_error(&o->frees) : NAN;
	default:
		if (!*err)
			*err = scorer_figures(&o->scorer, zone, &f);
		if (*err || !f.samples)
			return NAN;
		return id == BOUND_exact ? (double)f.exact / (double)f.samples : f.tv_p95;
	}
}

static double rule_figure(const struct validation *v, enum bound_id id, unsigned int zone)
{
	static const enum one_step_rule rules[] = {
		[BOUND_smallest_order] = RULE_smallest_order,
		[BOUND_list_head] = RULE_list_head,
		[BOUND_pcp_head] = RULE_pcp_head,
		[BOUND_refill] = RULE_refill,
		[BOUND_drain] = RULE_drain,
	};

	return rule_rate(&v->one_step.rules[zone][rules[id]]);
}

/* ---- causes ---- */

/* The share of the excess that is gone; 0 where there was none. */
static double share_gone(enum bound_id id, double before, double after)
{
	double excess = bound_excess(id, before);

	if (excess <= 0 || isnan(after))
		return 0;
	return 1 - bound_excess(id, after) / excess;
}

/* Without zones of their own there is only the whole to be compared. */
static double gone_with_part(struct miss *m, const struct validation *v,
			     const struct ablation *a, enum ablation_part part,
			     unsigned int zone)
{
	const struct closed_loop *is = &a->runs[ABLATION_nothing], *with = &a->runs[part];
	double persist_tv = scorer_mean_tv(&v->persist, zone);

	if (part == ABLATION_zones) {
		m->with = bound_figure(m->bound, &with->whole, v->persist_whole_tv);
		return share_gone(m->bound, bound_figure(m->bound, &is->whole,
							 v->persist_whole_tv),
				  m->with);
	}
	m->with = bound_figure(m->bound, &with->zone[zone][0], persist_tv);
	return share_gone(m->bound, bound_figure(m->bound, &is->zone[zone][0], persist_tv),
			  m->with);
}

static bool find_part(struct miss *m, const struct validation *v,
		      const struct ablation *a, unsigned int zone)
{
	double most = 0.5;
	struct miss best = *m;

	for (unsigned int i = ABLATION_nothing + 1; i < a->nr; i++) {
		double gone = gone_with_part(m, v, a, (enum ablation_part)i, zone);

		if (gone < most)
			continue;
		most = gone;
		best = *m;
		best.cause = CAUSE_PART;
		best.part = (enum ablation_part)i;
		best.adds = a->adds[i];
	}
	*m = best;
	return m->cause == CAUSE_PART;
}

static bool find_state(struct miss *m, const struct validation *v, unsigned int zone,
		       int *err)
{
	if (v->has_open_loop &&
	    (bound_excess(BOUND_exact, open_loop_figure(v, BOUND_exact, zone, err)) > 0 ||
	     bound_excess(BOUND_state, open_loop_figure(v, BOUND_state, zone, err)) > 0))
		m->cause = CAUSE_STATE;
	return m->cause == CAUSE_STATE;
}

static bool find_rule(struct miss *m, const struct validation *v, unsigned int zone)
{
	for (int id = BOUND_smallest_order; v->has_one_step && id <= BOUND_drain; id++) {
		double rate = rule_figure(v, (enum bound_id)id, zone);

		if (bound_excess((enum bound_id)id, rate) <= 0)
			continue;
		m->cause = CAUSE_RULE;
		m->rule = (enum bound_id)id;
		m->rate = rate;
		return true;
	}
	return false;
}

static void find_cause(struct miss *m, const struct validation *v,
		       const struct ablation *a, unsigned int zone, int *err)
{
	m->cause = CAUSE_UNKNOWN;
	if (!ablation_applies(m->allocator))
		m->cause = CAUSE_NO_POLICY;
	else if (!find_part(m, v, a, zone) && !find_state(m, v, zone, err))
		(void)find_rule(m, v, zone);
}

/* ---- all of them ---- */

struct judging {
	const struct validation *v;
	struct miss *misses;
	size_t nr, nr_judged;
	int err;
};

/* The new miss, if it is one. */
static struct miss *judge(struct judging *j, enum bound_id id, const char *zone,
			  double value)
{
	struct miss *m = &j->misses[j->nr];

	if (isnan(value))
		return NULL;
	j->nr_judged++;
	if (bound_excess(id, value) <= 0)
		return NULL;
	*m = (struct miss){ .bound = id, .zone = zone, .value = value };
	j->nr++;
	return m;
}

static void judge_zone(struct judging *j, unsigned int z)
{
	const struct validation *v = j->v;
	const char *zone = zone_label(&v->bundle.layout.zones[z]);

	for (int id = BOUND_exact; v->has_open_loop && id <= BOUND_state; id++)
		(void)judge(j, (enum bound_id)id, zone,
			    open_loop_figure(v, (enum bound_id)id, z, &j->err));
	for (int id = BOUND_smallest_order; v->has_one_step && id <= BOUND_drain; id++)
		(void)judge(j, (enum bound_id)id, zone, rule_figure(v, (enum bound_id)id, z));
}

/* Medians over the list orders. */
static double median_figure(enum bound_id id, const struct validation *v,
			    const struct closed_loop *c, unsigned int z)
{
	struct closed_figures median = {
		.f.tv_p50 = SPREAD(c, z, f.tv_p50).median,
		.f.tv_p95 = SPREAD(c, z, f.tv_p95).median,
		.f.dh9_p50 = SPREAD(c, z, f.dh9_p50).median,
		.f.dh9_p95 = SPREAD(c, z, f.dh9_p95).median,
		.mean_tv = SPREAD(c, z, mean_tv).median,
	};

	if (!c->zone[z][0].f.samples)
		return NAN;
	return bound_figure(id, &median, scorer_mean_tv(&v->persist, z));
}

static void judge_closed_loop(struct judging *j, unsigned int i)
{
	const struct validation *v = j->v;
	const struct closed_loop *c = &v->closed_loops[i];

	for (unsigned int z = 0; z < v->brackets.nr_zones; z++) {
		for (int id = BOUND_tv_p50; id <= BOUND_skill; id++) {
			struct miss *m = judge(j, (enum bound_id)id,
					       zone_label(&v->bundle.layout.zones[z]),
					       median_figure((enum bound_id)id, v, c, z));

			if (!m)
				continue;
			m->allocator = c->spec;
			find_cause(m, v, &v->ablations[i], z, &j->err);
		}
	}
}

bool closed_loop_misses(const struct validation *v, const struct closed_loop *c)
{
	for (unsigned int z = 0; z < v->brackets.nr_zones; z++)
		for (int id = BOUND_tv_p50; id <= BOUND_skill; id++)
			if (bound_excess((enum bound_id)id,
					 median_figure((enum bound_id)id, v, c, z)) > 0)
				return true;
	return false;
}

int bounds_judge(const struct validation *v, struct miss *misses, size_t *nr,
		 size_t *nr_judged)
{
	struct judging j = { .v = v, .misses = misses };

	for (unsigned int z = 0; z < v->brackets.nr_zones; z++)
		judge_zone(&j, z);
	for (int id = BOUND_repairs; v->has_open_loop && id <= BOUND_pgfree; id++)
		(void)judge(&j, (enum bound_id)id, NULL,
			    open_loop_figure(v, (enum bound_id)id, 0, &j.err));
	/* The last one is the strawman. */
	for (unsigned int i = 0; i + 1 < v->nr_closed_loops; i++)
		judge_closed_loop(&j, i);
	*nr = j.nr;
	*nr_judged = j.nr_judged;
	return j.err;
}

size_t bounds_room(const struct validation *v)
{
	return (size_t)NR_BOUNDS * MAX_NR_ZONES * (v->nr_closed_loops + 1);
}
