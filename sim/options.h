/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options.h - the command line, read once, from one table
 *
 * Each command names the options it takes as a mask; help texts, the message
 * for an unknown option and the parser itself all come from the table.
 */
#ifndef PAGETAX_SIM_OPTIONS_H
#define PAGETAX_SIM_OPTIONS_H

#include "base/msg.h"
#include "base/types.h"
#include "machine/highmem.h"
#include "sim/convert.h"
#include "sim/metrics/allocatee.h"

/* x(NAME, short or 0, long, what it takes or NULL, help) */
#define OPTIONS(x)                                                                        \
	x(ALLOCATORS, 'a', "allocators", "LIST", "allocators, comma-separated, or all; each as NAME:KEY=VALUE:... (default: linked,twoword)") \
	x(MACHINE,    'm', "machine",    "M",    "machine for a trace that brings none: a size as 24G, flat:SIZE, or that of a scenario") \
	x(HIGHMEM,    0,   "highmem",    "none|all|above:SIZE", "which memory is high: mapped before it is seen (default: as the input has it; of bench, none and all)") \
	x(ZONES,      0,   "zones",      "recorded|merged", "the machine's zones, or one made of all of them (default: recorded)") \
	x(WINDOW,     0,   "window",     "arith|guard", "how high memory is mapped: computed, or so that misuse faults (default: arith)") \
	x(OUTPUT,     'o', "output",     "PATH", "where to write: a result folder; of report, plot and fit, a file") \
	x(SAMPLE,     0,   "sample",     "N|TIME", "sample every TIME as in 10ms, or in a replay every N events (default: 200 samples)") \
	x(LIMIT,      0,   "limit",      "N",    "stop after N events of the input")      \
	x(SEED,       0,   "seed",       "N",    "seed of all that is random (default: 1)") \
	x(LIST_ORDER, 0,   "list-order", "shuffled|address", "order of the free lists at the start (default: shuffled)") \
	x(SCALE,      0,   "scale",      "F",    "memory and arrivals of a scenario times F, as 0.05 or 1/20") \
	x(RECORD,     0,   "record",     "FILE", "write the run as a trace, text or .ptr (see --to); one allocator only") \
	x(COMPACTION, 0,   "compaction", NULL,   "move movable blocks together when a request of order 4 or more gets nothing") \
	x(ABLATION,   0,   "ablation",   NULL,   "the first allocator without each part of the policy, too") \
	x(TEARDOWN,   0,   "teardown",   NULL,   "free everything at the end and compare with the boot state") \
	x(CHECK,      0,   "check",      NULL,   "shadow every page; the first bad operation ends the run") \
	x(JOBS,       'j', "jobs",       "N",    "replay N allocators at a time (default: one for each processor)") \
	x(TO,         0,   "to",         "ptr|perf-text", "format to write (default: ptr for a name that ends so, else text)") \
	x(NO_PLOTS,   0,   "no-plots",   NULL,   "leave the plots out of the result folder") \
	x(ALLOCATEE,  0,   "allocatee",  "today|2025|32bit|FILE", "what owners keep for their pages, where no descriptor holds it (default: today; of report and plot, as in the result)") \
	x(FAIL_IF,    0,   "fail-if",    "EXPR", "end with 1 if this holds, as in 'total_peak_bytes > 1% or b.failed_allocs > 0'") \
	x(SIZES,      0,   "sizes",      "DIST", "bytes an object has, as 'lognormal median=96 sigma=1' (default: uniform min=1 max=4096)") \
	x(PATTERN,    0,   "pattern",    "LIST", "of a1 (one page freed, one taken), aB (in bursts), aW (in waves), aU (bursts, some unmovable), c (all orders), b (all taken, then freed), policy and stream (default: all but aU and policy)") \
	x(MEMORY,     0,   "memory",     "LIST", "sizes of simulated memory (default: 4G)") \
	x(OCCUPANCY,  0,   "occupancy",  "LIST", "percent in use, 1 to 99 (default: 50)") \
	x(LOCK,       0,   "lock",       "LIST", "none, spin for one lock a zone, or percpu for per-CPU lists (default: none)") \
	x(THREADS,    0,   "threads",    "LIST", "1, or 2, which take --lock spin (default: 1)") \
	x(OPS,        0,   "ops",        "N",    "operations of a repeat (default: 2000000)") \
	x(REPEATS,    0,   "repeats",    "N",    "1 to 5, of which the median counts (default: 5)") \
	x(COSTS,      0,   "costs",      "FILE", "show the lines counted by a watched run, from its --json") \
	x(INSTRUCTIONS, 0, "instructions", "FILE", "show those that scripts/bench-instructions counted") \
	x(JSON,       0,   "json",       "FILE", "write the results to FILE, too") \
	x(QUIET,      'q', "quiet",      NULL,   "no progress and no table")              \
	x(HELP,       'h', "help",       NULL,   "this text")                             \
	x(VERSION,    'V', "version",    NULL,   "print the version")

enum option_id {
#define OPTION_ENUM(name, letter, word, value, help) OPTION_##name,
	OPTIONS(OPTION_ENUM)
#undef OPTION_ENUM
	NR_OPTIONS,
};

#define OPT(name) (UINT64_C(1) << OPTION_##name)
#define OPT_EVERYWHERE (OPT(HELP) | OPT(VERSION))

enum highmem_choice {
	HIGHMEM_AS_RECORDED,		/* the machine's own border */
	HIGHMEM_NONE,
	HIGHMEM_ALL,
	HIGHMEM_ABOVE,
};

struct options {
	char **specs;			/* -a, cut at the commas; checked */
	unsigned int nr_specs;

	uint64_t machine_bytes;		/* 0: not given */
	const char *machine_scenario;	/* or this: the machine of a scenario */
	bool machine_flat;		/* one zone, instead of a PC's three */
	enum highmem_choice highmem;
	uint64_t highmem_bytes;		/* HIGHMEM_ABOVE only */
	bool merge_zones;
	enum window_mode window;

	struct allocatee_table allocatees;	/* today's if not given */
	bool allocatees_given;

	const char *fail_if;		/* NULL: not given */
	const char *output;		/* NULL: no result folder */
	uint64_t sample_events;		/* at most one of these two is not 0 */
	uint64_t sample_ns;
	uint64_t limit;			/* 0: none */
	enum convert_format format;
	unsigned int jobs;		/* 0: as many as there are processors */
	uint64_t seed;
	const char *sizes;		/* not yet read; NULL: default */
	const char *pattern;		/* lists of bench, not yet cut; NULL: default */
	const char *memory;
	const char *occupancy;
	const char *lock;
	const char *threads;
	uint64_t ops;			/* of a repeat; 0: default */
	uint64_t repeats;		/* 0: default */
	const char *costs;		/* files of figures to show beside; NULL: none */
	const char *instructions;
	const char *json;
	bool address_order;
	double scale;			/* 1: as described */
	const char *record;		/* NULL: none */
	bool teardown;
	bool compaction;
	bool ablation;
	bool check;
	bool no_plots;
	bool quiet;
	bool help;
	bool version;

	char **args;			/* what is no option; points into argv */
	int nr_args;
};

/*
 * Read argv (its first word is the command's name) for a command that takes
 * the options in `allowed`. 0; -EINVAL with a message that says what is
 * allowed; or -ENOMEM.
 */
int options_parse(struct options *o, uint64_t allowed, int argc, char **argv,
		  struct msg *msg);
void options_free(struct options *o);

/* Move the border of high memory to where --highmem wants it. */
struct layout;
void options_apply_highmem(const struct options *o, struct layout *layout);

/* One line for each option of the mask, as a help text. */
void options_print(uint64_t allowed);

#endif
