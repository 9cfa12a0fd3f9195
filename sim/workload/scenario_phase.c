/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scenario_phase.c - [phase]: its keys, those that name classes at the end */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "sim/workload/scenario_reader.h"

static struct phase *current_phase(struct scenario_reader *r)
{
	return &r->s->phases[r->s->nr_phases - 1];
}

static int set_duration(struct scenario_reader *r, char *value, struct msg *why)
{
	double ns;
	int err = param_value("it", PARAM_TIME, value, &ns, why);

	if (!err)
		current_phase(r)->duration_ns = (uint64_t)ns;
	return err;
}

static int set_rate(struct scenario_reader *r, char *value, struct msg *why)
{
	struct phase *p = current_phase(r);
	double factor = 0;
	int err = 0;

	if (strcmp(value, "0"))
		err = param_value("it", PARAM_REAL, value, &factor, why);
	for (unsigned int c = 0; c < SCENARIO_MAX_CLASSES; c++)
		p->rate[c] = factor;
	return err;
}

const struct scenario_key phase_keys[] = {
	{ "duration", set_duration },
	{ "rate",     set_rate },
	{ "only",     NULL },		/* these name classes: see phase_keep() */
	{ "release",  NULL },
	{ "rate.CLASS", NULL },
	{ NULL, NULL },
};

bool phase_names_classes(const char *key)
{
	return !strcmp(key, "only") || !strcmp(key, "release") ||
	       !strncmp(key, "rate.", 5);
}

int phase_keep(struct scenario_reader *r, const char *key,
			  char *value, struct msg *why)
{
	struct late_key *late = &r->late[r->nr_late];

	if (r->nr_late == MAX_LATE_KEYS)
		return msg_set(why, EINVAL, "more than %d such keys", MAX_LATE_KEYS);
	*late = (struct late_key){
		.file = r->file,
		.line = r->line,
		.phase = r->s->nr_phases - 1,
		.value = strdup(value),
	};
	if (!late->value)
		return scenario_no_memory(why);
	snprintf(late->key, sizeof(late->key), "%s", key);
	r->nr_late++;
	return 0;
}

int phase_begin(struct scenario_reader *r, const char *name, struct msg *why)
{
	struct scenario *s = r->s;
	struct phase *p;

	for (unsigned int i = 0; i < s->nr_phases; i++) {
		if (!strcmp(s->phases[i].name, name))
			return msg_set(why, EINVAL, "there is a phase of this name already");
	}
	if (s->nr_phases == SCENARIO_MAX_PHASES)
		return msg_set(why, EINVAL, "more than %d phases",
			       SCENARIO_MAX_PHASES);
	if (array_grow(s->phases, s->nr_phases))
		return scenario_no_memory(why);
	p = &s->phases[s->nr_phases++];
	*p = (struct phase){ 0 };
	snprintf(p->name, sizeof(p->name), "%s", name);
	for (unsigned int c = 0; c < SCENARIO_MAX_CLASSES; c++)
		p->rate[c] = 1;
	return 0;
}

/* The class a late key names, or -EINVAL with a message. */
static int late_class(const struct scenario_reader *r, const struct late_key *late,
		      const char *name)
{
	const struct scenario *s = r->s;
	const struct workload_class *c = class_find(s->classes, s->nr_classes, name);

	if (c)
		return (int)(c - s->classes);
	return msg_set(r->msg, EINVAL, "%s:%u: %s: there is no class '%s'",
		       late->file, late->line, late->key, name);
}

static int finish_only(struct scenario_reader *r, struct late_key *late)
{
	struct phase *p = &r->s->phases[late->phase];
	char *rest = late->value;
	bool active[SCENARIO_MAX_CLASSES] = { false };

	while (*rest) {
		int c = late_class(r, late, params_first_word(&rest));

		if (c < 0)
			return c;
		active[c] = true;
	}
	for (unsigned int c = 0; c < SCENARIO_MAX_CLASSES; c++) {
		if (!active[c])
			p->rate[c] = 0;
	}
	return 0;
}

static int finish_release(struct scenario_reader *r, struct late_key *late)
{
	struct phase *p = &r->s->phases[late->phase];
	char *rest = late->value;
	int c = late_class(r, late, params_first_word(&rest));
	double every = 1;
	struct param params[] = {
		{ .key = "every", .type = PARAM_COUNT, .out = &every,
		  .optional = true },
		{ .key = NULL },
	};
	struct msg why;

	if (c < 0)
		return c;
	if (params_parse(params, "release", rest, &why) || every < 1)
		return msg_set(r->msg, EINVAL, "%s:%u: %s: %s", late->file,
			       late->line, late->key,
			       every < 1 ? "every= must be 1 or more" : why.text);
	if (array_grow(p->releases, p->nr_releases))
		return scenario_no_memory(r->msg);
	p->releases[p->nr_releases++] = (struct phase_release){
		.class = (unsigned int)c, .every = (uint64_t)every,
	};
	return 0;
}

static int finish_rate(struct scenario_reader *r, struct late_key *late)
{
	int c = late_class(r, late, late->key + strlen("rate."));
	double factor = 0;
	struct msg why;

	if (c < 0)
		return c;
	if (strcmp(late->value, "0") &&
	    param_value("it", PARAM_REAL, late->value, &factor, &why))
		return msg_set(r->msg, EINVAL, "%s:%u: %s: %s", late->file,
			       late->line, late->key, why.text);
	r->s->phases[late->phase].rate[c] = factor;
	return 0;
}

int phases_finish(struct scenario_reader *r)
{
	for (unsigned int i = 0; i < r->nr_late; i++) {
		struct late_key *late = &r->late[i];
		int err;

		if (!strcmp(late->key, "only"))
			err = finish_only(r, late);
		else if (!strcmp(late->key, "release"))
			err = finish_release(r, late);
		else
			err = finish_rate(r, late);
		if (err)
			return err;
	}
	return 0;
}
