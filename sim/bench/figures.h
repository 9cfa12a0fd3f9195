/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * figures.h - published figures, computed anew beside what was published
 *
 * A figure is one object and one line below. Its run() fills a table,
 * a row at a time, and states its claims:
 *
 *	figure_columns(f, "size_units\tinterleaved_words\tsplit_words");
 *	for (...)
 *		figure_row(f, "%lu\t%.2f\t%.2f", n, a, b);
 *	figure_claim(f, "crossover [units]", CLAIM_EQUAL, 65, crossover, 0.02);
 *
 * Columns are named with their units and parted by tabs, as in every table of
 * pagetax. The terminal shows table and claims; a result folder gets
 * figure-ID.tsv, summary.json with all claims, and what plots/figure-ID.gp
 * draws (with a line in sim/report/plots.c).
 *
 * Costs are counted, so figures want a build with PAGETAX_COUNT; `make
 * figures` makes one.
 */
#ifndef PAGETAX_SIM_BENCH_FIGURES_H
#define PAGETAX_SIM_BENCH_FIGURES_H

#include "alloc/range.h"
#include "base/msg.h"

struct figure_run;

struct figure {
	const char *id;			/* "b7": of files, too */
	const char *title;		/* a line */
	/* 0, or a negative errno with a message. */
	int (*run)(struct figure_run *f, struct msg *msg);
};

/* One line for each figure: its file has an object named figure_<id>. */
#define FIGURES(x) \
	x(b1)      \
	x(b2)      \
	x(b3)      \
	x(b4)      \
	x(b5)      \
	x(b6)      \
	x(b7)      \
	x(b8)      \
	x(b9)      \
	x(b10)     \
	x(bytes)

#define FIGURE_DECLARE(id) extern const struct figure figure_##id;
FIGURES(FIGURE_DECLARE)
#undef FIGURE_DECLARE

/* Ends with NULL. */
extern const struct figure *const figures[];

enum claim_relation {
	CLAIM_EQUAL,			/* within the tolerance */
	CLAIM_AT_LEAST,
	CLAIM_AT_MOST,
};

/* Once, before the rows; names and their order. */
void figure_columns(struct figure_run *f, const char *columns);
void figure_row(struct figure_run *f, const char *fmt, ...) __printf(2, 3);

/*
 * What was published and what came out here, in the unit that `what` names;
 * tolerance is relative to the published value, for CLAIM_EQUAL.
 */
void figure_claim(struct figure_run *f, const char *what,
		  enum claim_relation relation, double published, double here,
		  double tolerance);

/* A line about what was published and what was done here, where they differ. */
void figure_note(struct figure_run *f, const char *note);

/* Seed of all that the figure draws by chance. */
uint64_t figure_seed(const struct figure_run *f);

/*
 * A machine for one range, and the range, empty, with its costs hung on.
 * memory_bytes bounds what the range can keep as metadata. 0 or a negative
 * errno with a message.
 */
struct figure_range {
	struct layout layout;
	struct machine *machine;
	struct range *range;
	struct cost *cost;
	unsigned long nr_units;		/* added so far, by figure_alloc() */
};

int figure_range_create(struct figure_range *fr, const char *spec,
			uint64_t memory_bytes, struct msg *msg);
void figure_range_destroy(struct figure_range *fr);

/*
 * Take nr units; when there is no room, add a span of so many units and ask
 * again. RANGE_NONE when that did not help either.
 */
unsigned long figure_alloc(struct figure_range *fr, unsigned long nr,
			   unsigned long align, unsigned long span);

/* Run those named, or all; see the top. */
struct figures_plan {
	const struct figure *const *figures;	/* there are; ends with NULL */
	char **ids;
	int nr_ids;			/* 0: all */
	const char *output;		/* result folder, or NULL */
	bool no_plots;
	bool quiet;
	uint64_t seed;
};

int figures_run(const struct figures_plan *plan, struct msg *msg);

#endif
