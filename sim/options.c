/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.c - the command line becomes a struct, or one message */
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/registry.h"
#include "base/array.h"
#include "base/nearest.h"
#include "machine/layout.h"
#include "sim/options.h"
#include "sim/parallel.h"
#include "sim/units.h"
#include "sim/workload/scenario.h"
#include "sim/wrap.h"

static const struct option_row {
	int letter;			/* 0: long form only */
	const char *word;
	const char *value;		/* NULL: takes none */
	const char *help;
} option_rows[NR_OPTIONS] = {
#define OPTION_ROW(name, letter, word, value, help) { letter, word, value, help },
	OPTIONS(OPTION_ROW)
#undef OPTION_ROW
};

#define HELP_COLUMN 32
#define LONG_BASE 256			/* getopt's code of a row: above any letter */

static int bad_value(enum option_id id, const char *value, struct msg *msg)
{
	return msg_set(msg, EINVAL, "--%s cannot be '%s'; it takes %s",
		       option_rows[id].word, value, option_rows[id].value);
}

/* -a */

static int add_spec(struct options *o, const char *spec, struct msg *msg)
{
	const struct allocator_ops *ops = registry_find(spec);
	const char *text = strchr(spec, ':');
	struct option_set set;

	if (ops && option_parse(&set, ops->options, ops->name,
				text ? text + 1 : NULL, msg))
		return -EINVAL;
	for (unsigned int i = 0; i < o->nr_specs; i++) {
		if (!strcmp(o->specs[i], spec))
			return msg_set(msg, EINVAL,
				       "allocator '%s' is named twice", spec);
	}
	if (array_grow(o->specs, o->nr_specs) ||
	    !(o->specs[o->nr_specs] = strdup(spec)))
		return msg_set(msg, ENOMEM, "no memory");
	o->nr_specs++;
	return 0;
}

static int add_all(struct options *o, struct msg *msg)
{
	int err = 0;

	for (unsigned int i = 0; allocator_registry[i] && !err; i++)
		err = add_spec(o, allocator_registry[i]->name, msg);
	return err;
}

static int unknown_allocator(const char *spec, struct msg *msg)
{
	struct nearest near = nearest_to(spec, strcspn(spec, ":"));

	for (unsigned int i = 0; allocator_registry[i]; i++)
		nearest_try(&near, allocator_registry[i]->name);
	return msg_set(msg, EINVAL, "unknown allocator '%.*s'%s; allowed are all, %s",
		       (int)near.len, spec, nearest_hint(&near), near.tried.text);
}

static int parse_allocators(struct options *o, const char *list, struct msg *msg)
{
	char *copy = strdup(list);
	char *rest = copy, *spec;
	int err = copy ? 0 : msg_set(msg, ENOMEM, "no memory");

	while (!err && (spec = strsep(&rest, ","))) {
		if (!strcmp(spec, "all"))
			err = add_all(o, msg);
		else if (registry_find(spec))
			err = add_spec(o, spec, msg);
		else
			err = unknown_allocator(spec, msg);
	}
	free(copy);
	return err;
}

/* The others */

static int parse_machine(struct options *o, const char *value, struct msg *msg)
{
	const char *size = value;

	if (!strncmp(value, "flat:", 5)) {
		o->machine_flat = true;
		size = value + 5;
	}
	if (!parse_size(size, &o->machine_bytes) && o->machine_bytes)
		return 0;
	if (!o->machine_flat && scenario_exists(value)) {
		o->machine_scenario = value;
		return 0;
	}
	return msg_set(msg, EINVAL,
		       "--machine cannot be '%s'; it takes a size as 24G, flat:SIZE, or a scenario, whose machine it is",
		       value);
}

static int parse_highmem(struct options *o, const char *value, struct msg *msg)
{
	if (!strcmp(value, "none"))
		o->highmem = HIGHMEM_NONE;
	else if (!strcmp(value, "all"))
		o->highmem = HIGHMEM_ALL;
	else if (!strncmp(value, "above:", 6) &&
		 !parse_size(value + 6, &o->highmem_bytes))
		o->highmem = HIGHMEM_ABOVE;
	else
		return bad_value(OPTION_HIGHMEM, value, msg);
	return 0;
}

static int parse_window(struct options *o, const char *value, struct msg *msg)
{
	if (!strcmp(value, "arith"))
		o->window = WINDOW_ARITH;
	else if (!strcmp(value, "guard"))
		o->window = WINDOW_GUARD;
	else
		return bad_value(OPTION_WINDOW, value, msg);
	return 0;
}

static int parse_sample(struct options *o, const char *value, struct msg *msg)
{
	o->sample_events = o->sample_ns = 0;
	if (parse_count(value, &o->sample_events) &&
	    parse_time(value, &o->sample_ns))
		return bad_value(OPTION_SAMPLE, value, msg);
	if (!o->sample_events && !o->sample_ns)
		return bad_value(OPTION_SAMPLE, value, msg);
	return 0;
}

static int parse_zones(struct options *o, const char *value, struct msg *msg)
{
	o->merge_zones = !strcmp(value, "merged");
	if (!o->merge_zones && strcmp(value, "recorded"))
		return bad_value(OPTION_ZONES, value, msg);
	return 0;
}

static int parse_list_order(struct options *o, const char *value,
			    struct msg *msg)
{
	o->address_order = !strcmp(value, "address");
	if (!o->address_order && strcmp(value, "shuffled"))
		return bad_value(OPTION_LIST_ORDER, value, msg);
	return 0;
}

/* "0.05" or "1/20"; a terabyte at the smallest is a megabyte. */
#define SCALE_MIN 1e-6
#define SCALE_MAX 1e3

static int parse_scale(struct options *o, const char *value, struct msg *msg)
{
	double above, below = 1;
	char *end;

	above = strtod(value, &end);
	if (end != value && *end == '/')
		below = strtod(end + 1, &end);
	if (end == value || *end || !(below > 0) ||
	    !(above / below >= SCALE_MIN && above / below <= SCALE_MAX))
		return msg_set(msg, EINVAL,
			       "--scale cannot be '%s'; it takes a number or a fraction, from 1/1000000 to 1000",
			       value);
	o->scale = above / below;
	return 0;
}

static int parse_number(enum option_id id, const char *value, uint64_t *out,
			struct msg *msg)
{
	if (parse_count(value, out) || !*out)
		return msg_set(msg, EINVAL,
			       "--%s cannot be '%s'; it takes a whole number above 0",
			       option_rows[id].word, value);
	return 0;
}

/* As many bits as a number of JSON keeps for every reader. */
#define SEED_MAX ((UINT64_C(1) << 53) - 1)

static int parse_seed(struct options *o, const char *value, struct msg *msg)
{
	if (parse_count(value, &o->seed) || o->seed > SEED_MAX)
		return msg_set(msg, EINVAL,
			       "--seed cannot be '%s'; it takes a whole number up to %" PRIu64,
			       value, SEED_MAX);
	return 0;
}

static int parse_to(struct options *o, const char *value, struct msg *msg)
{
	if (!strcmp(value, "ptr"))
		o->format = CONVERT_PTR;
	else if (!strcmp(value, "perf-text"))
		o->format = CONVERT_PERF_TEXT;
	else
		return bad_value(OPTION_TO, value, msg);
	return 0;
}

static int parse_jobs(struct options *o, const char *value, struct msg *msg)
{
	uint64_t n;

	if (parse_count(value, &n) || n < 1 || n > MAX_JOBS)
		return msg_set(msg, EINVAL, "--jobs cannot be '%s'; it takes 1 to %d",
			       value, MAX_JOBS);
	o->jobs = (unsigned int)n;
	return 0;
}

static int option_take(struct options *o, enum option_id id, const char *value,
		       struct msg *msg)
{
	switch (id) {
	case OPTION_ALLOCATORS:
		return parse_allocators(o, value, msg);
	case OPTION_MACHINE:
		return parse_machine(o, value, msg);
	case OPTION_HIGHMEM:
		return parse_highmem(o, value, msg);
	case OPTION_WINDOW:
		return parse_window(o, value, msg);
	case OPTION_SAMPLE:
		return parse_sample(o, value, msg);
	case OPTION_LIMIT:
		return parse_number(id, value, &o->limit, msg);
	case OPTION_SEED:
		return parse_seed(o, value, msg);
	case OPTION_ZONES:
		return parse_zones(o, value, msg);
	case OPTION_LIST_ORDER:
		return parse_list_order(o, value, msg);
	case OPTION_TO:
		return parse_to(o, value, msg);
	case OPTION_JOBS:
		return parse_jobs(o, value, msg);
	case OPTION_ALLOCATEE:
		o->allocatees_given = true;
		return allocatee_table_load(&o->allocatees, value, msg);
	case OPTION_FAIL_IF:
		o->fail_if = value;
		return 0;
	case OPTION_OUTPUT:
		o->output = value;
		return *value ? 0 : bad_value(id, value, msg);
	case OPTION_SCALE:
		return parse_scale(o, value, msg);
	case OPTION_RECORD:
		o->record = value;
		return *value ? 0 : bad_value(id, value, msg);
	case OPTION_SIZES:
		o->sizes = value;
		return 0;
	case OPTION_PATTERN:
		o->pattern = value;
		return 0;
	case OPTION_MEMORY:
		o->memory = value;
		return 0;
	case OPTION_OCCUPANCY:
		o->occupancy = value;
		return 0;
	case OPTION_LOCK:
		o->lock = value;
		return 0;
	case OPTION_THREADS:
		o->threads = value;
		return 0;
	case OPTION_OPS:
		return parse_number(id, value, &o->ops, msg);
	case OPTION_REPEATS:
		return parse_number(id, value, &o->repeats, msg);
	case OPTION_COSTS:
		o->costs = value;
		return 0;
	case OPTION_INSTRUCTIONS:
		o->instructions = value;
		return 0;
	case OPTION_JSON:
		o->json = value;
		return *value ? 0 : bad_value(id, value, msg);
	case OPTION_COMPACTION:
		o->compaction = true;
		return 0;
	case OPTION_ABLATION:
		o->ablation = true;
		return 0;
	case OPTION_TEARDOWN:
		o->teardown = true;
		return 0;
	case OPTION_CHECK:
		o->check = true;
		return 0;
	case OPTION_NO_PLOTS:
		o->no_plots = true;
		return 0;
	case OPTION_QUIET:
		o->quiet = true;
		return 0;
	case OPTION_HELP:
		o->help = true;
		return 0;
	case OPTION_VERSION:
		o->version = true;
		return 0;
	case NR_OPTIONS:
		break;
	}
	assert(!"an option without its case");
	return -EINVAL;
}

static int unknown_option(uint64_t allowed, const char *word, struct msg *msg)
{
	const char *name = word + strspn(word, "-");
	struct nearest near = nearest_to(name, strcspn(name, "="));
	struct names there = { 0 };

	for (unsigned int i = 0; i < NR_OPTIONS; i++) {
		if (!(allowed >> i & 1))
			continue;
		nearest_try(&near, option_rows[i].word);
		names_add(&there, "--%s", option_rows[i].word);
	}
	return msg_set(msg, EINVAL, "unknown option '%s'%s; allowed are %s", word,
		       nearest_hint(&near), there.text);
}

/* getopt's tables for the options of one command. */
struct getopt_tables {
	char letters[3 * NR_OPTIONS + 2];
	struct option words[NR_OPTIONS + 1];
};

static void tables_fill(struct getopt_tables *t, uint64_t allowed)
{
	size_t nr_letters = 0, nr_words = 0;

	memset(t, 0, sizeof(*t));
	t->letters[nr_letters++] = ':';	/* tell a missing value from a bad option */
	for (unsigned int i = 0; i < NR_OPTIONS; i++) {
		const struct option_row *row = &option_rows[i];

		if (!(allowed >> i & 1))
			continue;
		t->words[nr_words++] = (struct option){
			.name = row->word,
			.has_arg = row->value ? required_argument : no_argument,
			.val = (int)(LONG_BASE + i),
		};
		if (!row->letter)
			continue;
		t->letters[nr_letters++] = (char)row->letter;
		if (row->value)
			t->letters[nr_letters++] = ':';
	}
}

/* The row behind getopt's code: a letter, or LONG_BASE and up. */
static enum option_id option_of_code(int code)
{
	unsigned int i = 0;

	if (code >= LONG_BASE)
		return (enum option_id)(code - LONG_BASE);
	while (i < NR_OPTIONS && option_rows[i].letter != code)
		i++;
	return (enum option_id)i;
}

static int code_failed(int code, uint64_t allowed, char **argv, struct msg *msg)
{
	char letter[3] = { '-', (char)optopt, '\0' };
	enum option_id id = option_of_code(optopt);

	/* A word with a value it does not take has its own code in optopt. */
	if (code == '?' && optopt >= LONG_BASE)
		return msg_set(msg, EINVAL, "--%s takes no value",
			       option_rows[id].word);
	if (code == '?')
		return unknown_option(allowed, optopt ? letter : argv[optind - 1],
				      msg);
	return msg_set(msg, EINVAL, "--%s needs a value: %s",
		       option_rows[id].word, option_rows[id].value);
}

static int parse_all(struct options *o, uint64_t allowed, int argc, char **argv,
		     struct msg *msg)
{
	struct getopt_tables tables;
	uint64_t given = 0;
	int code, err;

	tables_fill(&tables, allowed);
	optind = 0;			/* start afresh: tests parse many lines */
	opterr = 0;
	while ((code = getopt_long(argc, argv, tables.letters, tables.words,
				   NULL)) != -1) {
		enum option_id id;

		if (code == '?' || code == ':')
			return code_failed(code, allowed, argv, msg);
		id = option_of_code(code);
		/* Lists of allocators add up; another value would be lost. */
		if (given >> id & 1 && option_rows[id].value && id != OPTION_ALLOCATORS)
			return msg_set(msg, EINVAL, "--%s is given twice",
				       option_rows[id].word);
		given |= UINT64_C(1) << id;
		err = option_take(o, id, optarg, msg);
		if (err)
			return err;
	}
	o->args = argv + optind;
	o->nr_args = argc - optind;
	return 0;
}

int options_parse(struct options *o, uint64_t allowed, int argc, char **argv,
		  struct msg *msg)
{
	int err;

	*o = (struct options){ .seed = 1, .scale = 1 };
	err = parse_all(o, allowed, argc, argv, msg);
	if (!err && !o->nr_specs && (allowed & OPT(ALLOCATORS)))
		err = parse_allocators(o, "linked,twoword", msg);
	if (!err && !o->allocatees_given && (allowed & OPT(ALLOCATEE)))
		err = allocatee_table_load(&o->allocatees, "today", msg);
	if (err)
		options_free(o);
	return err;
}

void options_free(struct options *o)
{
	for (unsigned int i = 0; i < o->nr_specs; i++)
		free(o->specs[i]);
	free(o->specs);
	o->specs = NULL;
	o->nr_specs = 0;
}

void options_apply_highmem(const struct options *o, struct layout *layout)
{
	switch (o->highmem) {
	case HIGHMEM_AS_RECORDED:
		break;
	case HIGHMEM_NONE:
		layout->highmem_pfn = PFN_NONE;
		break;
	case HIGHMEM_ALL:
		layout->highmem_pfn = 0;
		break;
	case HIGHMEM_ABOVE:
		layout->highmem_pfn =
			(unsigned long)(o->highmem_bytes >> PAGE_SHIFT);
		break;
	}
}

void options_print(uint64_t allowed)
{
	for (unsigned int i = 0; i < NR_OPTIONS; i++) {
		const struct option_row *row = &option_rows[i];
		char left[80];

		if (!(allowed >> i & 1))
			continue;
		snprintf(left, sizeof(left), "  %c%c%s --%s%s%s",
			 row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
			 row->letter ? "," : " ", row->word,
			 row->value ? " " : "", row->value ? row->value : "");
		print_wrapped(left, HELP_COLUMN, row->help);
	}
}
