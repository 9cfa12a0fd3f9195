/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commands.c - the table of commands, and choosing from it */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "sim/commands.h"
#include "sim/source/trace_dat.h"
#include "sim/wrap.h"

const struct command commands[] = {
	{
		.name = "replay",
		.args = "INPUT",
		.summary = "a trace file or a bundle, against allocators",
		.min_args = 1, .max_args = 1,
		.options = OPT(ALLOCATORS) | OPT(MACHINE) | OPT(HIGHMEM) |
			   OPT(ZONES) | OPT(WINDOW) | OPT(OUTPUT) | OPT(SAMPLE) | OPT(LIMIT) |
			   OPT(SEED) | OPT(SCALE) | OPT(LIST_ORDER) | OPT(TEARDOWN) | OPT(JOBS) |
			   OPT(CHECK) | OPT(ALLOCATEE) | OPT(NO_PLOTS) | OPT(QUIET),
		.run = command_replay,
	},
	{
		.name = "report",
		.args = "RESULT...",
		.summary = "one page that shows what results say",
		.min_args = 1, .max_args = INT_MAX,
		.options = OPT(OUTPUT) | OPT(SEED) | OPT(ALLOCATEE) | OPT(QUIET),
		.run = command_report,
	},
	{
		.name = "plot",
		.args = "NAME RESULT...",
		.summary = "one drawing of results, to a file or as letters",
		.min_args = 2, .max_args = INT_MAX,
		.options = OPT(OUTPUT) | OPT(SEED) | OPT(ALLOCATEE),
		.run = command_plot,
	},
	{
		.name = "compare",
		.args = "A B",
		.summary = "what changed from one result folder to another",
		.min_args = 2, .max_args = 2,
		.options = OPT(FAIL_IF) | OPT(QUIET),
		.run = command_compare,
	},
	{
		.name = "breakeven",
		.args = "",
		.summary = "from which folio size on a design costs less than another",
		.options = OPT(ALLOCATORS) | OPT(MACHINE) | OPT(SEED) | OPT(ALLOCATEE),
		.run = command_breakeven,
	},
	{
		.name = "simulate",
		.args = "SCENARIO",
		.summary = "a described workload, by name or as a file",
		.min_args = 1, .max_args = 1,
		.options = OPT(ALLOCATORS) | OPT(HIGHMEM) | OPT(WINDOW) |
			   OPT(OUTPUT) | OPT(SAMPLE) | OPT(SEED) |
			   OPT(LIST_ORDER) | OPT(SCALE) | OPT(RECORD) | OPT(TO) |
			   OPT(ALLOCATEE) | OPT(COMPACTION) | OPT(TEARDOWN) | OPT(CHECK) |
			   OPT(NO_PLOTS) | OPT(QUIET),
		.run = command_simulate,
	},
	{
		.name = "validate",
		.args = "BUNDLE",
		.summary = "how well the Linux model predicts a recorded machine",
		.min_args = 1, .max_args = 1,
		.options = OPT(ALLOCATORS) | OPT(OUTPUT) | OPT(LIMIT) | OPT(SEED) |
			   OPT(ABLATION) | OPT(NO_PLOTS) | OPT(QUIET),
		.run = command_validate,
	},
	{
		.name = "figures",
		.args = "[FIGURE...]",
		.summary = "published figures, computed anew beside what was published",
		.max_args = 64,
		.options = OPT(OUTPUT) | OPT(SEED) | OPT(NO_PLOTS) | OPT(QUIET),
		.run = command_figures,
	},
	{
		.name = "convert",
		.args = "INPUT OUTPUT",
		.summary = "a trace or a bundle, in another format",
		.min_args = 2, .max_args = 2,
		.options = OPT(TO) | OPT(LIMIT) | OPT(QUIET),
		.run = command_convert,
	},
	{
		.name = "fit",
		.args = "INPUT",
		.summary = "turn a trace into a scenario, and say how alike they are",
		.min_args = 1, .max_args = 1,
		.options = OPT(ALLOCATORS) | OPT(OUTPUT) | OPT(LIMIT) | OPT(SEED) |
			   OPT(QUIET),
		.run = command_fit,
	},
	{
		.name = "info",
		.args = "INPUT",
		.summary = "what a trace, a bundle or a result folder holds",
		.min_args = 1, .max_args = 1,
		.options = OPT(LIMIT),
		.run = command_info,
	},
	{
		.name = "bench",
		.args = "[INPUT]",
		.summary = "how fast allocators are, side by side",
		.min_args = 0, .max_args = 1,
		.options = OPT(ALLOCATORS) | OPT(HIGHMEM) | OPT(SEED) |
			   OPT(PATTERN) | OPT(MEMORY) | OPT(OCCUPANCY) |
			   OPT(LOCK) | OPT(THREADS) | OPT(OPS) | OPT(REPEATS) |
			   OPT(COSTS) | OPT(INSTRUCTIONS) | OPT(OUTPUT) |
			   OPT(JSON) | OPT(NO_PLOTS) | OPT(QUIET),
		.run = command_bench,
	},
	{
		.name = "bytes",
		.args = "[RANGE...]",
		.summary = "objects of described sizes, from ranges of units and from slabs",
		.max_args = 64,
		.options = OPT(SIZES) | OPT(SEED),
		.run = command_bytes,
	},
	{
		.name = "list",
		.args = "allocators|scenarios|machines|metrics|plots",
		.summary = "what there is to choose from",
		.min_args = 1, .max_args = 1,
		.run = command_list,
	},
	{ .name = NULL },
};

static void print_help(void)
{
	printf("pagetax COMMAND [options]: what each page allocator design would have cost\n\n");
	for (const struct command *c = commands; c->name; c++) {
		char left[64];

		snprintf(left, sizeof(left), "  %-9s %s", c->name, c->args);
		print_wrapped(left, 28, c->summary);
	}
	printf("\npagetax COMMAND --help shows its options; pagetax(1) tells the rest.\n");
}

static void print_command_help(const struct command *c)
{
	printf("pagetax %s [options]%s%s\n  %s\n\n", c->name, *c->args ? " " : "",
	       c->args, c->summary);
	options_print(c->options | OPT_EVERYWHERE);
}

static void print_version(void)
{
	printf("pagetax %s (trace.dat: %s)\n", PAGETAX_VERSION, trace_dat_support);
}

static enum status usage(struct msg *msg, const char *what, const char *word)
{
	struct nearest near = nearest_to(word, strlen(word));

	for (const struct command *c = commands; c->name; c++)
		nearest_try(&near, c->name);
	msg_set(msg, EINVAL, "%s%s%s; commands are %s; pagetax --help says more",
		what, word, nearest_hint(&near), near.tried.text);
	return STATUS_USAGE;
}

/* The place of a command's name is before its options. */
static const struct command *find_command(const char *name)
{
	for (const struct command *c = commands; c->name; c++) {
		if (!strcmp(c->name, name))
			return c;
	}
	return NULL;
}

/* `pagetax help` and `pagetax help COMMAND`. */
static enum status help(const char *name, struct msg *msg)
{
	const struct command *c = name ? find_command(name) : NULL;

	if (name && !c)
		return usage(msg, "unknown command ", name);
	if (c)
		print_command_help(c);
	else
		print_help();
	return STATUS_DONE;
}

static enum status run_parsed(const struct command *c, const struct options *o,
			      struct msg *msg)
{
	if (o->help) {
		print_command_help(c);
		return STATUS_DONE;
	}
	if (o->version) {
		print_version();
		return STATUS_DONE;
	}
	if (o->nr_args < c->min_args || o->nr_args > c->max_args) {
		msg_set(msg, EINVAL, "%d argument%s; expected pagetax %s [options]%s%s",
			o->nr_args, o->nr_args == 1 ? "" : "s", c->name,
			*c->args ? " " : "", c->args);
		return STATUS_USAGE;
	}
	for (int i = 0; i < o->nr_args; i++) {
		if (!*o->args[i]) {
			msg_set(msg, EINVAL, "an empty argument; expected pagetax %s [options] %s",
				c->name, c->args);
			return STATUS_USAGE;
		}
	}
	return c->run(o, msg);
}

enum status pagetax_run(int argc, char **argv, struct msg *msg)
{
	const struct command *c;
	struct options o;
	enum status status;
	int err;

	if (argc < 2)
		return usage(msg, "no command", "");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help"))
		return help(argv[2], msg);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		print_version();
		return STATUS_DONE;
	}
	c = find_command(argv[1]);
	if (!c)
		return usage(msg, "unknown command ", argv[1]);
	err = options_parse(&o, c->options | OPT_EVERYWHERE, argc - 1, argv + 1,
			    msg);
	if (err)
		return err == -ENOMEM ? STATUS_FAILED : STATUS_USAGE;
	status = run_parsed(c, &o, msg);
	options_free(&o);
	return status;
}
