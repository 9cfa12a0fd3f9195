/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenario.c - INI text becomes a scenario, or one message
 *
 *    file --ini_file--> section, key, value --table of keys--> setters
 *
 * The first word of a section names its table; each key has one setter. What
 * depends on the whole (the machine, phases that name classes) is finished at
 * the end, with the line it stood in kept for messages.
 */
#include <errno.h>
#include <math.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "sim/metrics/allocatee.h"
#include "sim/source/gfp.h"
#include "sim/units.h"
#include "sim/workload/ini_file.h"
#include "sim/workload/scenario.h"

#define MAX_INCLUDE_DEPTH 8
#define MAX_LATE_KEYS 1024

enum zones_kind { ZONES_PC, ZONES_FLAT, ZONES_PAE };

/* A key of a phase that names classes, which may come further down. */
struct late_key {
	const char *file;
	unsigned int line;
	unsigned int phase;
	char key[2 * SCENARIO_NAME_MAX];
	char *value;
};

struct scenario_reader {
	struct scenario *s;
	struct msg *msg;
	double scale;
	struct sha256_ctx sha256;
	unsigned int depth;		/* of includes */

	/* Where the reader is. */
	const char *file;
	unsigned int line;
	char section[2 * SCENARIO_NAME_MAX];
	unsigned int section_line;
	const struct section_kind *kind;
	struct workload_class *class;	/* of a class or template section */
	bool own_life, own_counts, own_orders;	/* what it inherited is replaced */

	/* [machine], put together at the end. */
	uint64_t memory, highmem_bytes;
	uint64_t lowmem;
	uint64_t cpus;
	enum zones_kind zones;
	enum { HIGH_BY_ZONES, HIGH_NONE, HIGH_ALL, HIGH_ABOVE } highmem;
	unsigned int machine_line;
	const char *machine_file;

	struct workload_class *templates;
	unsigned int nr_templates;
	struct late_key *late;
	unsigned int nr_late;
};

struct scenario_key {
	const char *name;
	int (*set)(struct scenario_reader *r, char *value, struct msg *why);
};

struct section_kind {
	const char *name;
	bool named;			/* [class NAME] */
	int (*begin)(struct scenario_reader *r, const char *name, struct msg *why);
	const struct scenario_key *keys;
	/* Keys that are in no table; NULL: there are none. */
	bool (*is_other)(const char *key);
	int (*other)(struct scenario_reader *r, const char *key, char *value,
		     struct msg *why);
};

static int no_memory(struct msg *msg)
{
	return msg_set(msg, ENOMEM, "no memory for the scenario");
}

/* [machine] */

static int parse_bytes(const char *value, uint64_t *bytes, struct msg *why)
{
	if (parse_size(value, bytes) || !*bytes)
		return msg_set(why, EINVAL,
			       "'%s' is no size; expected a number with K, M, G or T",
			       value);
	return 0;
}

static int set_memory(struct scenario_reader *r, char *value, struct msg *why)
{
	return parse_bytes(value, &r->memory, why);
}

static int set_lowmem(struct scenario_reader *r, char *value, struct msg *why)
{
	return parse_bytes(value, &r->lowmem, why);
}

static int set_cpus(struct scenario_reader *r, char *value, struct msg *why)
{
	if (parse_count(value, &r->cpus) || !r->cpus || r->cpus > MAX_NR_CPUS)
		return msg_set(why, EINVAL, "'%s'; expected a number from 1 to %d",
			       value, MAX_NR_CPUS);
	return 0;
}

static int set_zones(struct scenario_reader *r, char *value, struct msg *why)
{
	static const char *const names[] = { "pc", "flat", "pae", NULL };
	int kind = params_choose("kind of zones", names, value, why);

	if (kind >= 0)
		r->zones = (enum zones_kind)kind;
	return kind < 0 ? kind : 0;
}

static int set_highmem(struct scenario_reader *r, char *value, struct msg *why)
{
	if (!strcmp(value, "none"))
		r->highmem = HIGH_NONE;
	else if (!strcmp(value, "all"))
		r->highmem = HIGH_ALL;
	else if (!strncmp(value, "above:", 6) &&
		 !parse_size(value + 6, &r->highmem_bytes))
		r->highmem = HIGH_ABOVE;
	else
		return msg_set(why, EINVAL,
			       "'%s'; allowed are none, all, above:SIZE", value);
	return 0;
}

static const struct scenario_key machine_keys[] = {
	{ "memory",  set_memory },
	{ "cpus",    set_cpus },
	{ "zones",   set_zones },
	{ "lowmem",  set_lowmem },
	{ "highmem", set_highmem },
	{ NULL, NULL },
};

static int begin_machine(struct scenario_reader *r, const char *name,
			 struct msg *why)
{
	(void)name;
	if (r->machine_file)
		return msg_set(why, EINVAL, "there is a machine already, at %s:%u",
			       r->machine_file, r->machine_line);
	r->machine_file = r->file;
	r->machine_line = r->line;
	return 0;
}

/* [class] and [template] */

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

static void free_class(struct workload_class *c)
{
	clear_life(c);
	distribution_free(&c->batch);
	free(c->arrivals.counts);
}

static struct workload_class *find_class(struct workload_class *classes,
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
		find_class(r->templates, r->nr_templates, value);
	struct workload_class old = *r->class;

	if (!from || from == r->class) {
		char names[512] = "none so far";
		size_t len = 0;

		for (unsigned int i = 0; i < r->nr_templates && len < sizeof(names); i++)
			len += (size_t)snprintf(names + len, sizeof(names) - len,
						"%s%s", len ? ", " : "",
						r->templates[i].name);
		return msg_set(why, EINVAL,
			       "there is no template '%s' above; there are %s",
			       value, names);
	}
	if (old.order_weights || old.nr_life || old.arrivals.kind != NR_ARRIVALS)
		return msg_set(why, EINVAL, "must be the first key of its class");
	distribution_free(&r->class->batch);
	if (copy_class(r->class, from))
		return no_memory(why);
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
			return no_memory(why);
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
	} else if (!strncmp(value, "reclaimed", strcspn(value, " "))) {
		struct param keep[] = {
			{ .key = "keep", .type = PARAM_PERCENT,
			  .out = &part->keep, .optional = true },
			{ .key = NULL },
		};

		part->kind = LIFE_RECLAIMED;
		params_first_word(&value);
		err = params_parse(keep, "reclaimed", value, why);
	} else {
		if (!strncmp(value, "until ", strlen("until "))) {
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

static const struct scenario_key class_keys[] = {
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
	const struct workload_class *same = find_class(*classes, *nr, name);
	struct workload_class *more;

	if (same)
		return msg_set(why, EINVAL, "there is one of this name already, at %s:%u",
			       same->file, same->line);
	if (*nr == SCENARIO_MAX_CLASSES)
		return msg_set(why, EINVAL, "more than %d classes",
			       SCENARIO_MAX_CLASSES);
	more = realloc(*classes, (*nr + 1) * sizeof(*more));
	if (!more)
		return no_memory(why);
	*classes = more;
	r->class = &more[(*nr)++];
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

static int begin_class(struct scenario_reader *r, const char *name, struct msg *why)
{
	return append_class(r, &r->s->classes, &r->s->nr_classes, name, why);
}

static int begin_template(struct scenario_reader *r, const char *name,
			  struct msg *why)
{
	return append_class(r, &r->templates, &r->nr_templates, name, why);
}

/* [phase] */

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

static const struct scenario_key phase_keys[] = {
	{ "duration", set_duration },
	{ "rate",     set_rate },
	{ "only",     NULL },		/* these name classes: see keep_for_later() */
	{ "release",  NULL },
	{ "rate.CLASS", NULL },
	{ NULL, NULL },
};

static bool names_classes(const char *key)
{
	return !strcmp(key, "only") || !strcmp(key, "release") ||
	       !strncmp(key, "rate.", 5);
}

static int keep_for_later(struct scenario_reader *r, const char *key,
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
		return no_memory(why);
	snprintf(late->key, sizeof(late->key), "%s", key);
	r->nr_late++;
	return 0;
}

static int begin_phase(struct scenario_reader *r, const char *name, struct msg *why)
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
	p = realloc(s->phases, (s->nr_phases + 1) * sizeof(*p));
	if (!p)
		return no_memory(why);
	s->phases = p;
	p = &p[s->nr_phases++];
	*p = (struct phase){ 0 };
	snprintf(p->name, sizeof(p->name), "%s", name);
	for (unsigned int c = 0; c < SCENARIO_MAX_CLASSES; c++)
		p->rate[c] = 1;
	return 0;
}

/* Above the first section */

static int read_file(struct scenario_reader *r, const char *path);

static int set_description(struct scenario_reader *r, char *value, struct msg *why)
{
	/* An included file describes itself. */
	if (r->depth > 1 || r->s->description)
		return 0;
	r->s->description = strdup(value);
	return r->s->description ? 0 : no_memory(why);
}

/* A file beside this one. */
static int set_include(struct scenario_reader *r, char *value, struct msg *why)
{
	const char *slash = strrchr(r->file, '/');
	const char *file = r->file;
	unsigned int line = r->line;
	char path[4096];
	int err;

	if (r->depth == MAX_INCLUDE_DEPTH)
		return msg_set(why, EINVAL, "files include each other %d deep",
			       MAX_INCLUDE_DEPTH);
	snprintf(path, sizeof(path), "%.*s%s",
		 slash && *value != '/' ? (int)(slash - r->file + 1) : 0, r->file,
		 value);
	err = read_file(r, path);
	r->file = file;
	r->line = line;
	r->kind = NULL;
	r->section[0] = '\0';
	return err;
}

static const struct scenario_key top_keys[] = {
	{ "description", set_description },
	{ "include",     set_include },
	{ NULL, NULL },
};

static const struct section_kind section_kinds[] = {
	{ .name = "", .keys = top_keys },
	{ .name = "machine", .begin = begin_machine, .keys = machine_keys },
	{ .name = "phase", .named = true, .begin = begin_phase,
	  .keys = phase_keys, .is_other = names_classes, .other = keep_for_later },
	{ .name = "class", .named = true, .begin = begin_class, .keys = class_keys },
	{ .name = "template", .named = true, .begin = begin_template,
	  .keys = class_keys },
};

/* Lines */

/* The message of a setter, with the place in front of it. */
static int at_line(const struct scenario_reader *r, const char *what, int err,
		   const struct msg *why)
{
	return msg_set(r->msg, -err, "%s:%u: %s: %s", r->file, r->line, what,
		       why->text);
}

static int bad_section(const struct scenario_reader *r)
{
	return msg_set(r->msg, EINVAL,
		       "%s:%u: [%s]: expected [machine], [phase NAME], [class NAME] or [template NAME], names up to %d characters",
		       r->file, r->line, r->section, SCENARIO_NAME_MAX - 1);
}

static int begin_section(struct scenario_reader *r, const struct ini_place *at)
{
	const char *section = at->section;
	size_t len = strcspn(section, " ");
	const char *name = section + len + strspn(section + len, " ");
	struct msg why;
	int err;

	snprintf(r->section, sizeof(r->section), "%s", at->section);
	r->section_line = at->section_line;
	r->kind = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(section_kinds); i++) {
		if (strlen(section_kinds[i].name) == len &&
		    !strncmp(section_kinds[i].name, section, len))
			r->kind = &section_kinds[i];
	}
	if (!r->kind || r->kind->named != (*name != '\0') ||
	    strlen(name) >= SCENARIO_NAME_MAX || strchr(name, ' '))
		return bad_section(r);
	err = r->kind->begin ? r->kind->begin(r, name, &why) : 0;
	return err ? at_line(r, section, err, &why) : 0;
}

static int unknown_key(const struct scenario_reader *r, const char *key)
{
	char names[256] = "";
	size_t len = 0;

	for (const struct scenario_key *k = r->kind->keys; k->name; k++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s",
					len ? ", " : "", k->name);
	return msg_set(r->msg, EINVAL, "%s:%u: unknown key '%s'%s%s%s; allowed are %s",
		       r->file, r->line, key, *r->section ? " in [" : "",
		       r->section, *r->section ? "]" : "", names);
}

static int take_value(void *ctx, const struct ini_place *at, const char *key,
		      char *value)
{
	struct scenario_reader *r = ctx;
	const struct scenario_key *k;
	struct msg why = { "" };
	int err;

	r->line = at->line;
	if (!r->kind || at->section_line != r->section_line) {
		int bad = begin_section(r, at);

		if (bad)
			return bad;
	}
	for (k = r->kind->keys; k->name; k++) {
		if (k->set && !strcmp(k->name, key))
			break;
	}
	if (k->name)
		err = k->set(r, value, &why);
	else if (r->kind->is_other && r->kind->is_other(key))
		err = r->kind->other(r, key, value, &why);
	else
		return unknown_key(r, key);
	/* An included file has said where it went wrong itself. */
	if (err && *why.text)
		return at_line(r, key, err, &why);
	return err;
}

static void take_bytes(void *ctx, const char *bytes, size_t len)
{
	struct scenario_reader *r = ctx;

	sha256_update(&r->sha256, len, (const uint8_t *)bytes);
}

static int read_file(struct scenario_reader *r, const char *path)
{
	struct scenario *s = r->s;
	char **files = realloc(s->files, (s->nr_files + 1) * sizeof(*files));
	int err;

	if (!files)
		return no_memory(r->msg);
	s->files = files;
	files[s->nr_files] = strdup(path);
	if (!files[s->nr_files])
		return no_memory(r->msg);
	r->file = files[s->nr_files++];
	r->kind = NULL;
	r->depth++;
	err = ini_file_read(r->file, take_value, take_bytes, r, r->msg);
	r->depth--;
	return err;
}

/* Finishing */

static uint64_t scaled_bytes(const struct scenario_reader *r, uint64_t bytes)
{
	const uint64_t block = (uint64_t)PAGE_SIZE << MAX_PAGE_ORDER;
	uint64_t scaled = (uint64_t)((double)bytes * r->scale);

	if (r->scale == 1)
		return bytes;
	return max_t(uint64_t, scaled - scaled % block, block);
}

static int finish_machine(struct scenario_reader *r)
{
	struct layout *l = &r->s->layout;
	unsigned int cpus = r->cpus ? (unsigned int)r->cpus : 1;
	uint64_t bytes = scaled_bytes(r, r->memory);
	struct msg why;
	int err;

	if (!r->machine_file)
		return msg_set(r->msg, EINVAL, "%s: there is no [machine]",
			       r->s->files[0]);
	if (!r->memory)
		return msg_set(r->msg, EINVAL, "%s:%u: [machine] lacks the key memory",
			       r->machine_file, r->machine_line);
	if (r->zones == ZONES_FLAT)
		err = layout_flat(l, (unsigned long)(bytes >> PAGE_SHIFT), cpus, &why);
	else if (r->zones == ZONES_PAE)
		err = layout_pae(l, bytes, scaled_bytes(r, r->lowmem ? r->lowmem
							: UINT64_C(896) << 20),
				 cpus, &why);
	else
		err = layout_pc(l, bytes, cpus, &why);
	if (err)
		return msg_set(r->msg, -err, "%s:%u: [machine]: %s",
			       r->machine_file, r->machine_line, why.text);
	if (r->highmem == HIGH_NONE)
		l->highmem_pfn = PFN_NONE;
	else if (r->highmem == HIGH_ALL)
		l->highmem_pfn = 0;
	else if (r->highmem == HIGH_ABOVE)
		l->highmem_pfn = (unsigned long)(scaled_bytes(r, r->highmem_bytes) >>
						 PAGE_SHIFT);
	return 0;
}

static uint32_t class_gfp(const struct workload_class *c)
{
	static const uint32_t zone_gfp[] = { GFP(DMA), GFP(DMA32), 0, GFP(HIGHMEM) };
	int zone = c->zone;
	uint32_t gfp = c->atomic ? GFP(HIGH) | GFP(KSWAPD_RECLAIM)
				 : GFP(DIRECT_RECLAIM) | GFP(KSWAPD_RECLAIM) |
				   GFP(IO) | GFP(FS);

	/* What user space sees may lie anywhere, the kernel's own may not. */
	if (zone < 0)
		zone = c->migratetype == MIGRATE_MOVABLE ? 3 : 2;
	gfp |= zone_gfp[zone];
	if (c->migratetype == MIGRATE_MOVABLE)
		gfp |= GFP(MOVABLE);
	if (c->migratetype == MIGRATE_RECLAIMABLE)
		gfp |= GFP(RECLAIMABLE);
	return gfp;
}

static int check_life(const struct workload_class *c, struct msg *why)
{
	double sum = 0;

	if (!c->nr_life)
		return msg_set(why, EINVAL,
			       "no lifetime; expected a distribution, forever or reclaimed");
	for (unsigned int i = 0; i < c->nr_life; i++) {
		sum += c->life[i].share;
		if (distribution_check(&c->life[i].time, why))
			return -EINVAL;
	}
	if (sum < 0.999999 || sum > 1.000001)
		return msg_set(why, EINVAL,
			       "the parts of the lifetime make %.4g%%; expected 100%%",
			       100 * sum);
	return 0;
}

/* Whether time goes on: a loop without any would never end. */
static int check_arrivals(const struct workload_class *c, double scale,
			  struct msg *why)
{
	const struct arrivals *a = &c->arrivals;
	double gap = INFINITY;

	switch (a->kind) {
	case ARRIVAL_POISSON:
	case ARRIVAL_BURSTY:
	case ARRIVAL_FILL:
		gap = 1 / a->rate;
		break;
	case ARRIVAL_PERIODIC:
		gap = a->every_ns;
		break;
	case ARRIVAL_CLOSED:
		if (!(a->think_ns >= 1))
			return msg_set(why, EINVAL,
				       "a closed loop needs think= of 1ns or more");
		gap = a->think_ns / a->workers;
		break;
	case ARRIVAL_SCHEDULE:
		if (!a->nr_counts)
			return msg_set(why, EINVAL,
				       "a schedule of arrivals needs the key counts");
		for (unsigned int i = 0; i < a->nr_counts; i++) {
			if (a->slot_ns / a->counts[i] < gap)
				gap = a->slot_ns / a->counts[i];
		}
		break;
	case ARRIVAL_ONCE:
		break;
	case NR_ARRIVALS:
		return msg_set(why, EINVAL, "no arrivals; expected a kind as poisson rate=200/s");
	}
	if (gap / scale < 1)
		return msg_set(why, EINVAL,
			       "the rate cannot be met: %.3g arrivals a nanosecond, at most one can be",
			       scale / gap);
	if (a->kind == ARRIVAL_BURSTY && (a->on_ns < 1 || a->off_ns < 1))
		return msg_set(why, EINVAL, "on= and off= must be 1ns or more");
	if (a->kind == ARRIVAL_SCHEDULE && a->slot_ns < 1)
		return msg_set(why, EINVAL, "slot= must be 1ns or more");
	return 0;
}

static int check_cpus(const struct workload_class *c, const struct layout *l,
		      struct msg *why)
{
	if (!c->any_cpu && c->last_cpu >= l->nr_cpus)
		return msg_set(why, EINVAL,
			       "CPU %u; the machine has %u, from 0", c->last_cpu,
			       l->nr_cpus);
	return 0;
}

/* One arrival that is larger than the machine is a mistake, not a result. */
static int check_size(const struct workload_class *c, const struct layout *l,
		      struct msg *why)
{
	double pages = 0;

	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		pages += (double)(1UL << o) * c->order_weight[o];
	pages = pages / c->order_weights * distribution_mean(&c->batch);
	if (pages > (double)layout_present(l))
		return msg_set(why, EINVAL,
			       "one arrival takes %.0f pages on average; the machine has %lu",
			       pages, layout_present(l));
	return 0;
}

static int finish_class(struct scenario_reader *r, struct workload_class *c)
{
	const struct layout *l = &r->s->layout;
	struct msg why;
	int err;

	if (!c->order_weights) {
		c->order_weight[0] = 1;
		c->order_weights = 1;
	}
	c->gfp = class_gfp(c);
	err = check_life(c, &why);
	if (!err)
		err = check_arrivals(c, r->scale, &why);
	if (!err)
		err = check_cpus(c, l, &why);
	if (!err)
		err = distribution_check(&c->batch, &why);
	if (!err)
		err = check_size(c, l, &why);
	if (!err && c->fallback_order >= 0 && c->order_weight[0] &&
	    c->order_weights == c->order_weight[0])
		err = msg_set(&why, EINVAL, "order 0 has nothing to fall back to");
	if (err)
		return msg_set(r->msg, -err, "%s:%u: [class %s]: %s", c->file,
			       c->line, c->name, why.text);

	c->arrivals.rate *= r->scale;
	c->arrivals.every_ns /= r->scale;
	for (unsigned int i = 0; i < c->arrivals.nr_counts; i++)
		c->arrivals.counts[i] *= r->scale;
	if (c->arrivals.kind == ARRIVAL_CLOSED) {
		double workers = c->arrivals.workers * r->scale;

		c->arrivals.workers = workers < 1 ? 1 : (double)(uint64_t)workers;
	}
	return 0;
}

/* The class a late key names, or -EINVAL with a message. */
static int late_class(const struct scenario_reader *r, const struct late_key *late,
		      const char *name)
{
	const struct scenario *s = r->s;
	const struct workload_class *c = find_class(s->classes, s->nr_classes, name);

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
	struct phase_release *releases;
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
	releases = realloc(p->releases, (p->nr_releases + 1) * sizeof(*releases));
	if (!releases)
		return no_memory(r->msg);
	p->releases = releases;
	releases[p->nr_releases++] = (struct phase_release){
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

static int finish_late(struct scenario_reader *r)
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

static int finish(struct scenario_reader *r)
{
	struct scenario *s = r->s;
	int err = finish_machine(r);

	for (unsigned int c = 0; c < s->nr_classes && !err; c++)
		err = finish_class(r, &s->classes[c]);
	if (err)
		return err;
	if (!s->nr_classes || !s->nr_phases)
		return msg_set(r->msg, EINVAL, "%s: there is no [%s]", s->files[0],
			       s->nr_classes ? "phase NAME" : "class NAME");
	for (unsigned int p = 0; p < s->nr_phases; p++) {
		if (!s->phases[p].duration_ns)
			return msg_set(r->msg, EINVAL,
				       "%s: [phase %s] lacks the key duration",
				       s->files[0], s->phases[p].name);
		s->duration_ns += s->phases[p].duration_ns;
	}
	return finish_late(r);
}

static void note_sha256(struct scenario_reader *r)
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_digest(&r->sha256, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(r->s->sha256 + 2 * i, 3, "%02x", digest[i]);
}

const char *scenario_dir(void)
{
	const char *dir = getenv("PAGETAX_SCENARIOS");

	if (dir && *dir)
		return dir;
	if (!access("sim/scenarios", R_OK))
		return "sim/scenarios";
	return PAGETAX_DATADIR "/scenarios";
}

static bool name_is_path(const char *name)
{
	size_t len = strlen(name);

	return strchr(name, '/') || (len > 4 && !strcmp(name + len - 4, ".ini"));
}

/* Last part of the path, without the ending. */
static char *short_name(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *last = slash ? slash + 1 : name;
	const char *dot = strrchr(last, '.');

	return strndup(last, dot && dot > last ? (size_t)(dot - last) : strlen(last));
}

static void find_path(const char *name, char *path, size_t size)
{
	if (name_is_path(name))
		snprintf(path, size, "%s", name);
	else
		snprintf(path, size, "%s/%s.ini", scenario_dir(), name);
}

bool scenario_exists(const char *name)
{
	char path[4096];

	find_path(name, path, sizeof(path));
	return !access(path, R_OK);
}

int scenario_read(struct scenario *s, const char *name, double scale,
		  struct msg *msg)
{
	struct scenario_reader r = { .s = s, .msg = msg, .scale = scale };
	char path[4096];
	int err = -ENOMEM;

	*s = (struct scenario){ .name = short_name(name) };
	r.late = calloc(MAX_LATE_KEYS, sizeof(*r.late));
	sha256_init(&r.sha256);
	find_path(name, path, sizeof(path));
	if (!name_is_path(name) && access(path, R_OK))
		err = msg_set(msg, EINVAL,
			      "there is no scenario '%s' in %s; `pagetax list scenarios` names them, and a file's name ends in .ini",
			      name, scenario_dir());
	else if (s->name && r.late)
		err = read_file(&r, path);
	else
		no_memory(msg);
	if (!err)
		err = finish(&r);
	note_sha256(&r);
	for (unsigned int i = 0; i < r.nr_late; i++)
		free(r.late[i].value);
	free(r.late);
	for (unsigned int i = 0; i < r.nr_templates; i++)
		free_class(&r.templates[i]);
	free(r.templates);
	if (err)
		scenario_free(s);
	return err;
}

int scenario_machine(struct layout *layout, const char *name, double scale,
		     struct msg *msg)
{
	struct scenario s;
	int err = scenario_read(&s, name, scale, msg);

	if (err)
		return err;
	if (layout_copy(layout, &s.layout))
		err = msg_set(msg, ENOMEM, "no memory for the machine");
	scenario_free(&s);
	return err;
}

void scenario_free(struct scenario *s)
{
	for (unsigned int i = 0; i < s->nr_classes; i++)
		free_class(&s->classes[i]);
	free(s->classes);
	for (unsigned int i = 0; i < s->nr_phases; i++)
		free(s->phases[i].releases);
	free(s->phases);
	for (unsigned int i = 0; i < s->nr_files; i++)
		free(s->files[i]);
	free(s->files);
	free(s->name);
	free(s->description);
	layout_free(&s->layout);
	*s = (struct scenario){ 0 };
}
