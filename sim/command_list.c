/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command_list.c - pagetax list: what there is to choose from */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "alloc/range.h"
#include "alloc/registry.h"
#include "base/nearest.h"
#include "sim/commands.h"
#include "sim/replay.h"
#include "sim/report/plots.h"
#include "sim/report/tsv.h"
#include "sim/workload/scenario.h"
#include "sim/wrap.h"

#define NAME_COLUMN   17
#define OPTION_COLUMN 34

/* A line of what it can do; whatever is beyond is refused and counted. */
static void print_abilities(const struct allocator_ops *ops)
{
	static const char *const knows[] = {
		[QUERY_USED_FREE]   = "which pages are free",
		[QUERY_FREE_BLOCKS] = "the free blocks",
		[QUERY_BLOCKS]      = "every block",
	};
	const struct alloc_caps *caps = &ops->caps;

	if (caps->no_policy) {
		printf("    serves any order; keeps no books, so there is nothing to verify\n");
		return;
	}
	if (caps->max_order)
		printf("    serves orders 0 to %u", caps->max_order);
	else
		printf("    serves single pages");
	printf("; free needs %s; knows %s%s%s%s\n",
	       caps->needs_size ? "page and order" : "the page only",
	       knows[caps->query], ops->isolate ? "; can be compacted" : "",
	       caps->lockfree ? "; needs no lock" : "",
	       caps->lazy_merge ? "; free buddies may wait apart" : "");
}

/* The limits of those that hand out runs of units, of which a page is but one kind. */
static void print_range_abilities(const char *name)
{
	static const char *const concurrency[] = {
		[RANGE_SINGLE]   = "under one lock",
		[RANGE_PER_CPU]  = "each CPU in a part of its own",
		[RANGE_LOCKFREE] = "from any thread at once",
	};
	const struct range_ops *const *range = range_registry;
	const struct range_caps *caps;

	while (*range && strcmp((*range)->name, name))
		range++;
	if (!*range)
		return;
	caps = &(*range)->caps;
	printf("    as a range: runs of ");
	if (caps->max_nr)
		printf("up to %lu units", caps->max_nr);
	else
		printf("any length");
	if (caps->max_align == 1)
		printf(", unaligned");
	else if (caps->max_align)
		printf(", aligned to up to %lu", caps->max_align);
	else
		printf(", aligned to any power of two");
	printf("%s%s; %s\n", caps->frees_parts ? "; frees parts of runs" : "",
	       caps->grows ? "; may grow" : "", concurrency[caps->concurrency]);
}

/* Whether an allocator further up the list has the same option. */
static bool is_known(const struct option_spec *option, unsigned int above)
{
	for (unsigned int i = 0; i < above; i++) {
		const struct option_spec *spec = allocator_registry[i]->options;

		for (; spec && spec->key; spec++)
			if (!strcmp(spec->key, option->key) &&
			    !strcmp(spec->values, option->values) &&
			    !strcmp(spec->def, option->def) &&
			    !strcmp(spec->help, option->help))
				return true;
	}
	return false;
}

static void print_options(const struct option_spec *specs, unsigned int place)
{
	struct names known = { 0 };

	for (const struct option_spec *spec = specs; spec && spec->key; spec++) {
		char left[80], text[512];

		if (is_known(spec, place)) {
			names_add(&known, "%s", spec->key);
			continue;
		}
		snprintf(left, sizeof(left), "    %s=%s", spec->key, spec->values);
		snprintf(text, sizeof(text), "[%s] %s", spec->def, spec->help);
		print_wrapped(left, OPTION_COLUMN, text);
	}
	if (known.len)
		print_wrapped("    as above:", 14, known.text);
}

static void list_allocators(void)
{
	printf("NAME[:OPTION=VALUE...], each option with its [default]\n\n");
	for (unsigned int i = 0; allocator_registry[i]; i++) {
		const struct allocator_ops *ops = allocator_registry[i];

		print_wrapped(ops->name, NAME_COLUMN, ops->summary);
		print_abilities(ops);
		print_range_abilities(ops->name);
		print_options(ops->options, i);
	}
}

static void list_scenario(const char *name)
{
	struct scenario s;
	struct msg msg;

	if (scenario_read(&s, name, 1, &msg)) {
		printf("%-16s cannot be read: %s\n", name, msg.text);
		return;
	}
	printf("%-16s %s\n", name, s.description ? s.description : "");
	scenario_free(&s);
}

static void list_scenarios(void)
{
	char **names;
	int nr = scenario_names(&names);

	for (int i = 0; i < nr; i++)
		if (names[i])
			list_scenario(names[i]);
	if (!nr)
		printf("none in %s; PAGETAX_SCENARIOS names another folder\n",
		       scenario_dir());
	scenario_names_free(names, nr);
}

static void list_machines(void)
{
	printf("%-16s %s\n", "(none given)",
	       "the recorded one; for a bare trace, one that fits its highest page");
	printf("%-16s %s\n", "SIZE",
	       "a PC of that much memory: zones DMA, DMA32, Normal");
	printf("%-16s %s\n", "flat:SIZE", "one zone without holes");
	printf("%-16s %s\n", "SCENARIO", "that of a scenario, by its name or its file");
}

static void list_metrics(void)
{
	tsv_list_columns();
#define LIST_COUNT(name, what) printf("  %-26s %s\n", #name, what);
	printf("summary.json, dirty of each run: what was odd in a trace, and what was done about it:\n");
	DEMAND_DIRTY(LIST_COUNT)
	REPLAY_DIRTY(LIST_COUNT)
	printf("summary.json, classes of each run of a scenario, by name:\n");
	CLASS_RESULTS(LIST_COUNT)
	printf("summary.json, compaction of each run with --compaction:\n");
	COMPACT_RESULTS(LIST_COUNT)
#undef LIST_COUNT
}

static void list_plots(void)
{
	for (const struct plot *plot = plots; plot->name; plot++)
		printf("%-16s %s\n", plot->name, plot->title);
}

static const struct {
	const char *name;
	void (*print)(void);
} topics[] = {
	{ "allocators", list_allocators },
	{ "scenarios",  list_scenarios },
	{ "machines",   list_machines },
	{ "metrics",    list_metrics },
	{ "plots",      list_plots },
};

enum status command_list(const struct options *o, struct msg *msg)
{
	struct nearest near = nearest_to(o->args[0], strlen(o->args[0]));

	for (size_t i = 0; i < ARRAY_SIZE(topics); i++) {
		if (!strcmp(o->args[0], topics[i].name)) {
			topics[i].print();
			return STATUS_DONE;
		}
		nearest_try(&near, topics[i].name);
	}
	msg_set(msg, EINVAL, "cannot list '%s'%s; allowed are %s", o->args[0],
		nearest_hint(&near), near.tried.text);
	return STATUS_USAGE;
}
