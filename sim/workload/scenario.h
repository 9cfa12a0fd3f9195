/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenario.h - a described workload: a machine, phases, classes of demand
 *
 *    [machine]        memory, CPUs, zones, what is high
 *    [phase NAME]     one after another; each with a duration and rates
 *    [class NAME]     who asks for memory: when, how much, for how long
 *    [template NAME]  a class to start from: `like = NAME`
 *
 * The keys of each are listed in scenario.c, and explained in
 * pagetax-scenario(5).
 */
#ifndef PAGETAX_SIM_WORKLOAD_SCENARIO_H
#define PAGETAX_SIM_WORKLOAD_SCENARIO_H

#include "machine/layout.h"
#include "sim/workload/distribution.h"

#define SCENARIO_NAME_MAX 32
#define SCENARIO_MAX_CLASSES 250	/* a place in the table of lives has 8 bits for it */
#define SCENARIO_MAX_PHASES 64
#define MAX_LIFE_PARTS 8

/* x(NAME, name) */
#define ARRIVALS(x)             \
	x(POISSON,  poisson)     \
	x(PERIODIC, periodic)    \
	x(BURSTY,   bursty)      \
	x(CLOSED,   closed)      \
	x(FILL,     fill)        \
	x(ONCE,     once)        \
	x(SCHEDULE, schedule)

enum arrival_kind {
#define ARRIVAL_ENUM(NAME, name) ARRIVAL_##NAME,
	ARRIVALS(ARRIVAL_ENUM)
#undef ARRIVAL_ENUM
	NR_ARRIVALS,
};

struct arrivals {
	enum arrival_kind kind;
	double rate;			/* batches per ns, at rate 1; POISSON, BURSTY, FILL */
	double every_ns;		/* PERIODIC */
	double on_ns, off_ns;		/* BURSTY: means of exponential times */
	double workers, think_ns;	/* CLOSED: the mean of an exponential time */
	double level;			/* FILL: share of the machine in use, 0 to 1 */
	double start_ns, slot_ns;	/* SCHEDULE: counts[i] arrivals in slot i */
	double *counts;
	unsigned int nr_counts;
};

enum life_kind {
	LIFE_TIMED,			/* by its distribution */
	LIFE_UNTIL,			/* the same, but the time is that of the run */
	LIFE_FOREVER,
	LIFE_RECLAIMED,			/* until memory runs low */
};

struct life_part {
	double share;			/* of the allocations; all parts sum to 1 */
	enum life_kind kind;
	double keep;			/* RECLAIMED: chance to be spared once more */
	struct distribution time;	/* TIMED and UNTIL only, in ns */
};

struct workload_class {
	char name[SCENARIO_NAME_MAX];
	const char *file;		/* where it begins, for messages */
	unsigned int line;

	struct arrivals arrivals;
	unsigned int order_weight[NR_PAGE_ORDERS];
	unsigned int order_weights;	/* their sum */
	unsigned int migratetype;
	int zone;			/* the highest it may use; -1: by migratetype */
	bool atomic;			/* digs below the watermark and cannot wait */
	int owner;			/* enum allocatee; -1: as the rules see its flags */
	uint32_t gfp;			/* the flags that say all this: sim/source/gfp.h */

	struct life_part life[MAX_LIFE_PARTS];
	unsigned int nr_life;
	bool together;			/* a batch dies at once */
	struct distribution batch;	/* allocations for each arrival */
	uint64_t pace_ns;		/* between the allocations of a batch */

	unsigned int first_cpu, last_cpu;
	bool any_cpu;
	bool free_anywhere;		/* freed by a CPU of its own, not the allocating one */
	int fallback_order;		/* blocks to take instead of a failed one; -1: none */
};

struct phase_release {
	unsigned int class;
	uint64_t every;			/* every n-th of its allocations; 1: all */
};

struct phase {
	char name[SCENARIO_NAME_MAX];
	uint64_t duration_ns;
	double rate[SCENARIO_MAX_CLASSES];	/* factor of each class's arrivals */
	struct phase_release *releases;	/* at its beginning */
	unsigned int nr_releases;
};

struct scenario {
	char *name;
	char *description;
	char sha256[65];		/* of all files read, in hex */
	struct layout layout;		/* scaled; its highmem border included */
	struct workload_class *classes;
	unsigned int nr_classes;
	struct phase *phases;
	unsigned int nr_phases;
	uint64_t duration_ns;		/* of all phases */

	char **files;			/* that were read; classes point into it */
	unsigned int nr_files;
};

/*
 * Read a scenario: a file, when `name` has a slash or ends in .ini, else one
 * of the built-in ones. `scale` multiplies memory and arrivals alike. Returns
 * 0, -EINVAL for a scenario that says what cannot be, or another negative
 * errno when a file cannot be read; the message names file, line and key.
 */
int scenario_read(struct scenario *s, const char *name, double scale,
		  struct msg *msg);
void scenario_free(struct scenario *s);

/* The largest factor that a phase puts on the arrivals of one of its classes. */
double scenario_largest_rate(const struct scenario *s, const struct workload_class *c);

/* Its machine alone. */
int scenario_machine(struct layout *layout, const char *name, double scale,
		     struct msg *msg);

/* Whether there is a file or a built-in scenario of this name. */
bool scenario_exists(const char *name);

/* The folder of the built-in scenarios. */
const char *scenario_dir(void);

/* Their names, sorted, of which one may be NULL for want of memory; how many. */
int scenario_names(char ***names);
void scenario_names_free(char **names, int nr);

#endif
