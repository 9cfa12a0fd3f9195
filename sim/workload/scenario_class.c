/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scenario_class.c - [class] and [template]: one setter for each key */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/names.h"
#include "sim/metrics/allocatee.h"
#include "sim/units.h"
#include "sim/workload/scenario_reader.h"

static int copy_class(struct workload_class *to, const struct workload_class *from)
{
	int err = 0;

	*to = *from;
	to->arrivals.counts = NULL;
	if (from->arrivals.nr_counts) {
		size_t bytes = from->arrivals.nr_counts * sizeof(double);

		to->arrivals.counts = malloc(bytes);
		if (to->arrivals.counts)
			memcpy(to->arrivals.counts, from->arrivals.counts, bytes);
		else
			err = -ENOMEM;
	}
	if (distribution_copy(&to->batch, &from->batch))
		err = -ENOMEM;
	for (unsigned int i = 0; i < from->nr_life; i++) {
		if (distribution_copy(&to->life[i].time, &from->life[i].time))
			err = -ENOMEM;
	}
	return err;
}

static void clear_life(struct workload_class *c)
{
	for (unsigned int i = 0; i < c->nr_life; i++)
		distribution_free(&c->life[i].time);
	c->nr_life = 0;
}

void class_free(struct workload_class *c)
{
	clear_life(c);
	distribution_free(&c->batch);
	free(c->arrivals.counts);
}

struct workload_class *class_find(struct workload_class *classes,
					 unsigned int nr, const char *name)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (!strcmp(classes[i].name, name))
			return &classes[i];
	}
	return NULL;
}

static int set_like(struct scenario_reader *r, char *value, struct msg *why)
{
	const struct workload_class *from =
		class_find(r->templates, r->nr_templates, value);
	struct workload_class old = *r->class;

	if (!from || from == r->class) {
		struct names names = { 0 };

		for (unsigned int i = 0; i < r->nr_templates; i++)
			names_add(&names, "%s", r->templates[i].name);
		return msg_set(why, EINVAL,
			       "there is no template '%s' above; there are %s",
			       value, names.len ? names.text : "none so far");
	}
	if (old.order_weights || old.nr_life || old.arrivals.kind != NR_ARRIVALS)
		return msg_set(why, EINVAL, "must be the first key of its class");
	distribution_free(&r->class->batch);
	if (copy_class(r->class, from))
		return scenario_no_memory(why);
	memcpy(r->class->name, old.name, sizeof(old.name));
	r->class->file = old.file;
	r->class->line = old.line;
	return 0;
}

static int set_arrivals(struct scenario_reader *r, char *value, struct msg *why)
{
	static const char *const names[] = {
#define ARRIVAL_NAME(NAME, name) #name,
		ARRIVALS(ARRIVAL_NAME)
#undef ARRIVAL_NAME
		NULL
	};
	struct arrivals *a = &r->class->arrivals;
	struct param params[NR_ARRIVALS][4] = {
		[ARRIVAL_POISSON] = { { .key = "rate", .type = PARAM_RATE, .out = &a->rate } },
		[ARRIVAL_PERIODIC] = { { .key = "every", .type = PARAM_TIME, .out = &a->every_ns } },
		[ARRIVAL_BURSTY] = {
			{ .key = "rate", .type = PARAM_RATE, .out = &a->rate },
			{ .key = "on", .type = PARAM_TIME, .out = &a->on_ns },
			{ .key = "off", .type = PARAM_TIME, .out = &a->off_ns },
		},
		[ARRIVAL_CLOSED] = {
			{ .key = "workers", .type = PARAM_COUNT, .out = &a->workers },
			{ .key = "think", .type = PARAM_TIME, .out = &a->think_ns },
		},
		[ARRIVAL_FILL] = {
			{ .key = "level", .type = PARAM_PERCENT, .out = &a->level },
			{ .key = "rate", .type = PARAM_RATE, .out = &a->rate },
		},
		[ARRIVAL_SCHEDULE] = {
			{ .key = "slot", .type = PARAM_TIME, .out = &a->slot_ns },
			{ .key = "start", .type = PARAM_TIME, .out = &a->start_ns,
			  .optional = true },
		},
	};
	const char *word = params_first_word(&value);
	int kind = params_choose("kind of arrivals", names, word, why);

	if (kind < 0)
		return kind;
	a->kind = (enum arrival_kind)kind;
	return params_parse(params[kind], word, value, why);
}

/* Arrivals of a schedule, one number for each slot. */
static int set_counts(struct scenario_reader *r, char *value, struct msg *why)
{
	struct arrivals *a = &r->class->arrivals;

	if (!r->own_counts)
		a->nr_counts = 0;
	r->own_counts = true;
	while (*value) {
		const char *word = params_first_word(&value);
		double *counts = realloc(a->counts,
					(a->nr_counts + 1) * sizeof(*counts));
		int err;

		if (!counts)
			return scenario_no_memory(why);
		a->counts = counts;
		err = param_value("a count", PARAM_COUNT, word,
				  &counts[a->nr_counts], why);
		if (err)
			return err;
		a->nr_counts++;
	}
	return 0;
}

static int set_orders(struct scenario_reader *r, char *value, struct msg *why)
{
	struct workload_class *c = r->class;

	if (!r->own_orders) {
		memset(c->order_weight, 0, sizeof(c->order_weight));
		c->order_weights = 0;
	}
	r->own_orders = true;
	while (*value) {
		char *word = params_first_word(&value);
		char *weight = strchr(word, ':');
		uint64_t order, n = 1;
		int err;

		if (weight)
			*weight++ = '\0';
		err = parse_count(word, &order);
		if (!err && weight)
			err = parse_count(weight, &n);
		if (err || order > MAX_PAGE_ORDER || n > 1000000)
			return msg_set(why, EINVAL,
				       "'%s'; expected ORDER or ORDER:WEIGHT, orders 0 to %d, weights up to 1000000",
				       word, MAX_PAGE_ORDER);
		c->order_weight[order] += (unsigned int)n;
		c->order_weights += (unsigned int)n;
	}
	if (!c->order_weights)
		return msg_set(why, EINVAL, "no order has a weight above 0");
	return 0;
}

static int set_migratetype(struct scenario_reader *r, char *value, struct msg *why)
{
	static const char *const names[] = {
		[MIGRATE_UNMOVABLE] = "unmovable",
		[MIGRATE_MOVABLE] = "movable",
		[MIGRATE_RECLAIMABLE] = "reclaimable",
		NULL
	};
	int type = params_choose("migratetype", names, value, why);

	if (type >= 0)
		r->class->migratetype = (unsigned int)type;
	return type < 0 ? type : 0;
}

static const char *const zone_names[] = { "DMA", "DMA32", "Normal", "HighMem", NULL };

static int set_zone(struct scenario_reader *r, char *value, struct msg *why)
{
	int zone = params_choose("zone", zone_names, value, why);

	if (zone >= 0)
		r->class->zone = zone;
	return zone < 0 ? zone : 0;
}

static int choose_flag(bool *flag, const char *what, const char *no,
		       const char *yes, const char *value, struct msg *why)
{
	const char *const names[] = { no, yes, NULL };
	int place = params_choose(what, names, value, why);

	if (place >= 0)
		*flag = place;
	return place < 0 ? place : 0;
}

/* Who owns the pages, and so what the owner keeps: sim/metrics/allocatee.h. */
static int set_owner(struct scenario_reader *r, char *value, struct msg *why)
{
	const char *names[NR_ALLOCATEES + 1] = { NULL };
	int owner;

	for (unsigned int i = 0; i < NR_ALLOCATEES; i++)
		names[i] = allocatee_names[i];
	owner = params_choose("owner", names, value, why);
	if (owner >= 0)
		r->class->owner = owner;
	return owner < 0 ? owner : 0;
}

static int set_priority(struct scenario_reader *r, char *value, struct msg *why)
{
	return choose_flag(&r->class->atomic, "priority", "normal", "atomic",
			   value, why);
}

static int set_lives(struct scenario_reader *r, char *value, struct msg *why)
{
	return choose_flag(&r->class->together, "choice", "each", "together",
			   value, why);
}

static int set_free_cpu(struct scenario_reader *r, char *value, struct msg *why)
{
	return choose_flag(&r->class->free_anywhere, "choice", "same", "any",
			   value, why);
}

static bool begins_with_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	return !strncmp(text, word, len) && (!text[len] || strchr(" \t", text[len]));
}

/* "90% exponential mean=5ms": one part; the share may be left out if it is all. */
static int set_lifetime(struct scenario_reader *r, char *value, struct msg *why)
{
	struct workload_class *c = r->class;
	struct life_part *part;
	int err = 0;

	if (!r->own_life)
		clear_life(c);
	r->own_life = true;
	if (c->nr_life == MAX_LIFE_PARTS)
		return msg_set(why, EINVAL, "more than %d parts", MAX_LIFE_PARTS);
	part = &c->life[c->nr_life];
	*part = (struct life_part){ .share = 1 };
	if (value[strcspn(value, "% ")] == '%')
		err = param_value("the share of a part", PARAM_PERCENT,
				  params_first_word(&value), &part->share, why);
	if (err)
		return err;
	if (!strcmp(value, "forever")) {
		part->kind = LIFE_FOREVER;
	} else if (begins_with_word(value, "reclaimed")) {
		struct param keep[] = {
			{ .key = "keep", .type = PARAM_PERCENT,
			  .out = &part->keep, .optional = true },
			{ .key = NULL },
		};

		part->kind = LIFE_RECLAIMED;
		params_first_word(&value);
		err = params_parse(keep, "reclaimed", value, why);
	} else {
		if (begins_with_word(value, "until")) {
			part->kind = LIFE_UNTIL;
			params_first_word(&value);
		}
		err = distribution_parse(&part->time, value, PARAM_TIME, why);
	}
	if (err)
		return err;
	c->nr_life++;
	return 0;
}

/* Points of the table that the lifetime above has asked for. */
static int set_points(struct scenario_reader *r, char *value, struct msg *why)
{
	struct workload_class *c = r->class;
	struct distribution *d = c->nr_life ? &c->life[c->nr_life - 1].time : NULL;

	if (!d || d->kind != DISTRIBUTION_TABLE)
		return msg_set(why, EINVAL, "there is no 'lifetime = table' above");
	return distribution_add_points(d, value, PARAM_TIME, why);
}

static int set_batch(struct scenario_reader *r, char *value, struct msg *why)
{
	struct distribution *d = &r->class->batch;
	double count;

	distribution_free(d);
	if (value[strspn(value, "0123456789")])
		return distribution_parse(d, value, PARAM_COUNT, why);
	if (param_value("it", PARAM_COUNT, value, &count, why))
		return -EINVAL;
	*d = (struct distribution){ .kind = DISTRIBUTION_CONSTANT, .a = count };
	return 0;
}

static int set_pace(struct scenario_reader *r, char *value, struct msg *why)
{
	double ns;
	int err = param_value("it", PARAM_TIME, value, &ns, why);

	if (!err)
		r->class->pace_ns = (uint64_t)ns;
	return err;
}

static int set_class_cpus(struct scenario_reader *r, char *value, struct msg *why)
{
	struct workload_class *c = r->class;
	uint64_t first, last;
	char *dash = strchr(value, '-');

	c->any_cpu = !strcmp(value, "any");
	if (c->any_cpu)
		return 0;
	if (dash)
		*dash++ = '\0';
	if (parse_count(value, &first) ||
	    parse_count(dash ? dash : value, &last) || first > last ||
	    last >= MAX_NR_CPUS)
		return msg_set(why, EINVAL,
			       "expected any, a CPU as 3, or a range as 0-3");
	c->first_cpu = (unsigned int)first;
	c->last_cpu = (unsigned int)last;
	return 0;
}

static int set_fallback(struct scenario_reader *r, char *value, struct msg *why)
{
	uint64_t order;

	r->class->fallback_order = -1;
	if (!strcmp(value, "none"))
		return 0;
	if (parse_count(value, &order) || order >= MAX_PAGE_ORDER)
		return msg_set(why, EINVAL, "'%s'; expected none or an order below %d",
			       value, MAX_PAGE_ORDER);
	r->class->fallback_order = (int)order;
	return 0;
}

const struct scenario_key class_keys[] = {
	{ "like",        set_like },
	{ "arrivals",    set_arrivals },
	{ "counts",      set_counts },
	{ "orders",      set_orders },
	{ "migratetype", set_migratetype },
	{ "zone",        set_zone },
	{ "owner",       set_owner },
	{ "priority",    set_priority },
	{ "lifetime",    set_lifetime },
	{ "points",      set_points },
	{ "lives",       set_lives },
	{ "batch",       set_batch },
	{ "pace",        set_pace },
	{ "cpus",        set_class_cpus },
	{ "free-cpu",    set_free_cpu },
	{ "fallback",    set_fallback },
	{ NULL, NULL },
};

/* Room for one more class at the end of a list, which may move. */
static int append_class(struct scenario_reader *r,
			struct workload_class **classes, unsigned int *nr,
			const char *name, struct msg *why)
{
	const struct workload_class *same = class_find(*classes, *nr, name);

	if (same)
		return msg_set(why, EINVAL, "there is one of this name already, at %s:%u",
			       same->file, same->line);
	if (*nr == SCENARIO_MAX_CLASSES)
		return msg_set(why, EINVAL, "more than %d classes",
			       SCENARIO_MAX_CLASSES);
	if (array_grow(*classes, *nr))
		return scenario_no_memory(why);
	r->class = &(*classes)[(*nr)++];
	*r->class = (struct workload_class){
		.file = r->file,
		.line = r->line,
		.arrivals.kind = NR_ARRIVALS,
		.migratetype = MIGRATE_UNMOVABLE,
		.zone = -1,
		.owner = -1,
		.batch = { .kind = DISTRIBUTION_CONSTANT, .a = 1 },
		.any_cpu = true,
		.fallback_order = -1,
	};
	snprintf(r->class->name, sizeof(r->class->name), "%s", name);
	r->own_life = r->own_counts = r->own_orders = false;
	return 0;
}

int class_begin(struct scenario_reader *r, const char *name, struct msg *why)
{
	return append_class(r, &r->s->classes, &r->s->nr_classes, name, why);
}

int template_begin(struct scenario_reader *r, const char *name,
			  struct msg *why)
{
	return append_class(r, &r->templates, &r->nr_templates, name, why);
}
