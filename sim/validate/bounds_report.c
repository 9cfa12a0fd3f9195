/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bounds_report.c - see bounds_report.h */
#include "sim/validate/bounds_report.h"

static const char *const cause_names[] = {
	[CAUSE_ITSELF] = "itself",
	[CAUSE_NO_POLICY] = "no_policy",
	[CAUSE_PART] = "part",
	[CAUSE_STATE] = "state",
	[CAUSE_RULE] = "rule",
	[CAUSE_UNKNOWN] = "unknown",
};

static void print_value(FILE *out, enum bound_id id, double value)
{
	const char *unit = bounds[id].unit;

	fprintf(out, "%.3f%s%s", *unit == '%' ? 100 * value : value, *unit ? " " : "", unit);
}

static void print_part(FILE *out, const struct miss *m)
{
	const char *part = ablation_help[m->part];

	if (m->adds)
		fprintf(out, "it runs without %s; with that part ", part);
	else
		fprintf(out, "%s, as modelled; without that part ", part);
	print_value(out, m->bound, m->with);
}

static void print_cause(FILE *out, const struct miss *m)
{
	switch (m->cause) {
	case CAUSE_ITSELF:
		break;
	case CAUSE_NO_POLICY:
		fprintf(out, "; why: it has a policy of its own");
		break;
	case CAUSE_PART:
		fprintf(out, "; why: ");
		print_part(out, m);
		break;
	case CAUSE_STATE:
		fprintf(out, "; why: no part of the policy accounts for half of it; L0, the start state and the events, misses a bound here, too");
		break;
	case CAUSE_RULE:
		fprintf(out, "; why: no part of the policy accounts for half of it; at L0.5 %s is ",
			bounds[m->rule].figure);
		print_value(out, m->rule, m->rate);
		break;
	case CAUSE_UNKNOWN:
		fprintf(out, "; why: not known; no part of the policy accounts for half of it, and L0 and L0.5 are within their bounds here");
		break;
	}
}

static void print_miss(FILE *out, const struct miss *m)
{
	const struct bound *b = &bounds[m->bound];

	fprintf(out, "missed: %s", b->level);
	if (m->allocator)
		fprintf(out, " %s", m->allocator);
	if (m->zone)
		fprintf(out, ", %s", m->zone);
	fprintf(out, ": %s ", b->figure);
	print_value(out, m->bound, m->value);
	fprintf(out, ", expected at %s ", b->at_least ? "least" : "most");
	print_value(out, m->bound, b->limit);
	print_cause(out, m);
	fprintf(out, "\n");
}

int bounds_print(FILE *out, const struct validation *v)
{
	struct miss *misses = calloc(bounds_room(v), sizeof(*misses));
	size_t nr, nr_judged;
	int err = misses ? bounds_judge(v, misses, &nr, &nr_judged) : -ENOMEM;

	if (!err)
		fprintf(out, "%zu of %zu bounds are met\n", nr_judged - nr, nr_judged);
	for (size_t i = 0; !err && i < nr; i++)
		print_miss(out, &misses[i]);
	free(misses);
	return err;
}

static json_t *miss_json(struct builder *b, const struct miss *m)
{
	const struct bound *bound = &bounds[m->bound];
	json_t *object = json_object();

	put_text(b, object, "level", bound->level);
	if (m->zone)
		put_text(b, object, "zone", m->zone);
	if (m->allocator)
		put_text(b, object, "allocator", m->allocator);
	put_text(b, object, "figure", bound->figure);
	put_share(b, object, "value", m->value);
	put_share(b, object, bound->at_least ? "at_least" : "at_most", bound->limit);
	put_text(b, object, "cause", cause_names[m->cause]);
	if (m->cause == CAUSE_PART) {
		put_text(b, object, "part", ablation_names[m->part]);
		put_share(b, object, m->adds ? "value_with" : "value_without", m->with);
	}
	if (m->cause == CAUSE_RULE)
		put_share(b, object, bounds[m->rule].figure, m->rate);
	return object;
}

json_t *bounds_json(struct builder *b, const struct validation *v)
{
	struct miss *misses = calloc(bounds_room(v), sizeof(*misses));
	json_t *list = json_array();
	size_t nr = 0, nr_judged;

	b->failed |= !misses || bounds_judge(v, misses, &nr, &nr_judged);
	for (size_t i = 0; i < nr; i++)
		append(b, list, miss_json(b, &misses[i]));
	free(misses);
	return list;
}
