/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ablation.c - closed loops of one list order, without one part each */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "sim/validate/ablation.h"

const char *const ablation_names[NR_ABLATIONS] = {
#define ABLATION_NAME(name, option, what) #name,
	ABLATIONS(ABLATION_NAME)
#undef ABLATION_NAME
};

const char *const ablation_help[NR_ABLATIONS] = {
#define ABLATION_HELP(name, option, what) what,
	ABLATIONS(ABLATION_HELP)
#undef ABLATION_HELP
};

static const char *const without[NR_ABLATIONS] = {
#define ABLATION_OPTION(name, option, what) option,
	ABLATIONS(ABLATION_OPTION)
#undef ABLATION_OPTION
};

/* A machine with one zone numbers zones otherwise, so its demand does, too. */
static int run_merged(struct closed_loop *c, const struct closed_loop_input *in,
		      const char *spec, struct msg *msg)
{
	struct closed_loop_input merged = *in;
	struct layout layout;
	struct demand demand = { 0 };
	int err = layout_copy(&layout, in->layout);

	if (err)
		return msg_set(msg, ENOMEM, "%s: no memory for merged zones", spec);
	err = layout_merge_zones(&layout, msg);
	if (!err)
		err = demand_resolve(&demand, in->bundle, &layout, msg);
	merged.layout = &layout;
	merged.demand = &demand;
	if (!err)
		err = closed_loop_run(c, &merged, spec, 1, msg);
	demand_free(&demand);
	layout_free(&layout);
	return err;
}

static int measure_persist(struct ablation *a, struct msg *msg)
{
	struct scorer persist;

	if (scorer_init(&persist, &a->brackets))
		return msg_set(msg, ENOMEM, "no memory to judge parts of the policy");
	scorer_persist(&persist);
	a->persist_tv = scorer_mean_tv(&persist, 0);
	scorer_destroy(&persist);
	return 0;
}

int ablation_run(struct ablation *a, const struct closed_loop_input *in,
		 const char *spec, struct msg *msg)
{
	struct closed_loop_input summed = *in;
	int err;

	*a = (struct ablation){ 0 };
	if (brackets_sum(&a->brackets, in->brackets))
		return msg_set(msg, ENOMEM, "no memory to judge parts of the policy");
	summed.brackets = &a->brackets;
	summed.zones_as_one = true;
	err = measure_persist(a, msg);
	for (; !err && a->nr < NR_ABLATIONS; a->nr++) {
		char variant[256];

		snprintf(variant, sizeof(variant), "%s%s", spec, without[a->nr]);
		err = a->nr == ABLATION_zones ?
		      run_merged(&a->runs[a->nr], &summed, variant, msg) :
		      closed_loop_run(&a->runs[a->nr], &summed, variant, 1, msg);
	}
	return err;
}

void ablation_free(struct ablation *a)
{
	for (unsigned int i = 0; i < NR_ABLATIONS; i++)
		closed_loop_free(&a->runs[i]);
	brackets_free(&a->brackets);
	*a = (struct ablation){ 0 };
}

double ablation_skill(const struct ablation *a, enum ablation_part part)
{
	double mean_tv = a->runs[part].zone[0][0].mean_tv;

	return a->persist_tv > 0 ? 1 - mean_tv / a->persist_tv : NAN;
}
