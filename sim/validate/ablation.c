/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ablation.c - closed loops of one list order, with one part switched each */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "alloc/registry.h"
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

static const char *const part_option[NR_ABLATIONS] = {
#define ABLATION_OPTION(name, option, what) option,
	ABLATIONS(ABLATION_OPTION)
#undef ABLATION_OPTION
};

bool ablation_applies(const char *spec)
{
	const struct allocator_ops *ops = registry_find(spec);

	for (const struct option_spec *o = ops ? ops->options : NULL; o && o->key; o++)
		if (!strcmp(o->key, part_option[ABLATION_mobility]))
			return true;
	return false;
}

/* The spec with an option turned round, and which way; see ablation.h. */
static bool switch_part(char *variant, size_t size, const char *spec,
			const char *option)
{
	const char *at, *value, *rest;
	char key[32];
	bool adds;

	snprintf(key, sizeof(key), ":%s=", option);
	at = strstr(spec, key);
	if (!at) {
		snprintf(variant, size, "%s%soff", spec, key);
		return false;
	}
	value = at + strlen(key);
	rest = value + strcspn(value, ":");
	adds = !strncmp(value, "off", 3);
	snprintf(variant, size, "%.*s%s%s%s", (int)(at - spec), spec, key,
		 adds ? "on" : "off", rest);
	return adds;
}

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
	merged.brackets = NULL;
	if (!err)
		err = closed_loop_run(c, &merged, spec, 1, msg);
	demand_free(&demand);
	layout_free(&layout);
	return err;
}

int ablation_run(struct ablation *a, const struct closed_loop_input *in,
		 const char *spec, struct msg *msg)
{
	int err = 0;

	*a = (struct ablation){ 0 };
	for (; !err && a->nr < NR_ABLATIONS; a->nr++) {
		struct closed_loop *run = &a->runs[a->nr];
		char variant[256];

		snprintf(variant, sizeof(variant), "%s", spec);
		if (part_option[a->nr])
			a->adds[a->nr] = switch_part(variant, sizeof(variant), spec,
						     part_option[a->nr]);
		err = a->nr == ABLATION_zones ?
		      run_merged(run, in, variant, msg) :
		      closed_loop_run(run, in, variant, 1, msg);
	}
	return err;
}

void ablation_free(struct ablation *a)
{
	for (unsigned int i = 0; i < NR_ABLATIONS; i++)
		closed_loop_free(&a->runs[i]);
	*a = (struct ablation){ 0 };
}
