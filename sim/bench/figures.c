/* SPDX-License-Identifier: GPL-2.0-or-later */
/* figures.c - the list of figures, and what they have in common */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "sim/bench/figures.h"
#include "sim/interrupt.h"
#include "sim/report/plots.h"
#include "sim/report/results.h"

const struct figure *const figures[] = {
#define FIGURE_ENTRY(id) &figure_##id,
	FIGURES(FIGURE_ENTRY)
#undef FIGURE_ENTRY
	NULL,
};

struct claim {
	char what[96];
	enum claim_relation relation;
	double published;
	double here;
	double tolerance;
	bool holds;
};

#define MAX_CLAIMS 32
#define MAX_COLUMNS 16
#define MAX_NOTES 4

struct figure_run {
	const struct figure *figure;
	uint64_t seed;
	FILE *rows;			/* into text */
	char *text;			/* the table as it will be in the file */
	size_t len;
	struct claim claims[MAX_CLAIMS];
	unsigned int nr_claims;
	const char *notes[MAX_NOTES];
	unsigned int nr_notes;
	struct figure_run *next;
};

void figure_columns(struct figure_run *f, const char *columns)
{
	fprintf(f->rows, "%s\n", columns);
}

void figure_row(struct figure_run *f, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(f->rows, fmt, args);
	va_end(args);
	fputc('\n', f->rows);
}

void figure_claim(struct figure_run *f, const char *what,
		  enum claim_relation relation, double published, double here,
		  double tolerance)
{
	struct claim *c = &f->claims[f->nr_claims];

	assert(f->nr_claims < MAX_CLAIMS);
	f->nr_claims++;
	snprintf(c->what, sizeof(c->what), "%s", what);
	c->relation = relation;
	c->published = published;
	c->here = here;
	c->tolerance = tolerance;
	switch (relation) {
	case CLAIM_EQUAL:
		c->holds = fabs(here - published) <= fabs(published) * tolerance;
		break;
	case CLAIM_AT_LEAST:
		c->holds = here >= published;
		break;
	case CLAIM_AT_MOST:
		c->holds = here <= published;
		break;
	}
}

void figure_note(struct figure_run *f, const char *note)
{
	assert(f->nr_notes < MAX_NOTES);
	f->notes[f->nr_notes++] = note;
}

uint64_t figure_seed(const struct figure_run *f)
{
	return f->seed;
}

int figure_range_create(struct figure_range *fr, const char *spec,
			uint64_t memory_bytes, struct msg *msg)
{
	unsigned long nr_pages = (unsigned long)(memory_bytes >> PAGE_SHIFT);
	int err;

	*fr = (struct figure_range){ 0 };
	err = layout_flat(&fr->layout, nr_pages, 1, msg);
	if (err)
		return err;
	err = machine_create(&fr->machine, &fr->layout, WINDOW_ARITH, msg);
	if (!err)
		err = range_create(&fr->range, spec, fr->machine, msg);
	if (!err) {
		fr->cost = calloc(1, sizeof(*fr->cost));
		if (fr->cost)
			fr->range->cost = fr->cost;
		else
			err = msg_set(msg, ENOMEM, "no room for counters");
	}
	if (err)
		figure_range_destroy(fr);
	return err;
}

void figure_range_destroy(struct figure_range *fr)
{
	if (fr->range)
		range_destroy(fr->range);
	machine_destroy(fr->machine);
	layout_free(&fr->layout);
	free(fr->cost);
}

unsigned long figure_alloc(struct figure_range *fr, unsigned long nr,
			   unsigned long align, unsigned long span)
{
	unsigned long first = range_alloc(fr->range, nr, align, NULL);

	if (first != RANGE_NONE || range_add_free(fr->range, fr->nr_units, span))
		return first;
	fr->nr_units += span;
	return range_alloc(fr->range, nr, align, NULL);
}

/* -- the terminal -------------------------------------------------------------- */

/* Length of the cell at `at`, which ends at a tab or the line's end. */
static int cell_len(const char *at)
{
	return (int)strcspn(at, "\t\n");
}

static void measure(const char *text, int width[MAX_COLUMNS])
{
	unsigned int column = 0;

	for (; *text; text++) {
		int len = cell_len(text);

		assert(column < MAX_COLUMNS);
		if (len > width[column])
			width[column] = len;
		text += len;
		column = *text == '\t' ? column + 1 : 0;
	}
}

static void print_table(const struct figure_run *f)
{
	int width[MAX_COLUMNS] = { 0 };
	unsigned int column = 0;

	measure(f->text, width);
	for (const char *at = f->text; *at; at++) {
		int len = cell_len(at);

		printf("  %*.*s", width[column], len, at);
		at += len;
		column = *at == '\t' ? column + 1 : 0;
		if (*at == '\n')
			putchar('\n');
	}
}

static const char *relation_sign(enum claim_relation relation)
{
	static const char *const signs[] = {
		[CLAIM_EQUAL] = "", [CLAIM_AT_LEAST] = ">= ", [CLAIM_AT_MOST] = "<= ",
	};

	return signs[relation];
}

/* How far off, in percent of what was published, which is not 0. */
static double deviation_percent(const struct claim *c)
{
	return (c->here / c->published - 1) * 100;
}

static void print_claim(const struct claim *c)
{
	printf("  %-58s %2s%-11.6g %-11.6g %s", c->what,
	       relation_sign(c->relation), c->published, c->here,
	       c->holds ? "agrees" : "DIFFERS");
	if (c->relation == CLAIM_EQUAL && c->published != 0)
		printf(", %+.1f %%", deviation_percent(c));
	if (c->tolerance > 0)
		printf(" (of %g %% allowed)", 100 * c->tolerance);
	putchar('\n');
}

static void print_figure(const struct figure_run *f)
{
	printf("%s: %s\n\n", f->figure->id, f->figure->title);
	print_table(f);
	printf("\n  %-58s %-13s %-11s\n", "", "published", "here");
	for (unsigned int i = 0; i < f->nr_claims; i++)
		print_claim(&f->claims[i]);
	for (unsigned int i = 0; i < f->nr_notes; i++)
		printf("%s  - %s\n", i ? "" : "\n", f->notes[i]);
	putchar('\n');
	fflush(stdout);		/* some figures take minutes */
}

/* -- the result folder --------------------------------------------------------- */

static int write_table(struct results *results, const struct figure_run *f,
		       struct msg *msg)
{
	char name[32];
	FILE *file;

	snprintf(name, sizeof(name), "figure-%s.tsv", f->figure->id);
	file = results_open(results, name, msg);
	if (!file)
		return -EIO;
	fprintf(file, "# pagetax %s, figure %s, seed %llu\n# %s\n%s",
		PAGETAX_VERSION, f->figure->id, (unsigned long long)f->seed,
		f->figure->title, f->text);
	return results_close(results, file, name, 0, msg);
}

static json_t *claim_json(const struct claim *c)
{
	static const char *const relations[] = {
		[CLAIM_EQUAL] = "equal", [CLAIM_AT_LEAST] = "at least",
		[CLAIM_AT_MOST] = "at most",
	};

	return json_pack("{s:s, s:s, s:f, s:f, s:f, s:b}", "claim", c->what,
			 "relation", relations[c->relation],
			 "published", c->published, "here", c->here,
			 "tolerance", c->tolerance, "agrees", (int)c->holds);
}

static json_t *figure_json(const struct figure_run *f)
{
	json_t *claims = json_array(), *notes = json_array();

	for (unsigned int i = 0; i < f->nr_notes; i++)
		json_array_append_new(notes, json_string(f->notes[i]));
	for (unsigned int i = 0; i < f->nr_claims; i++)
		json_array_append_new(claims, claim_json(&f->claims[i]));
	return json_pack("{s:s, s:s, s:o, s:o}", "id", f->figure->id,
			 "title", f->figure->title, "claims", claims,
			 "notes", notes);
}

static int write_summary(struct results *results, uint64_t seed,
			 const struct figure_run *runs, struct msg *msg)
{
	json_t *summary = json_pack("{s:s, s:s, s:I, s:[]}",
				    "version", PAGETAX_VERSION,
				    "command", "figures",
				    "seed", (json_int_t)seed, "figures");
	FILE *file;

	if (!summary)
		return msg_set(msg, ENOMEM, "summary.json: no memory");
	for (const struct figure_run *f = runs; f; f = f->next)
		json_array_append_new(json_object_get(summary, "figures"), figure_json(f));
	file = results_open(results, "summary.json", msg);
	if (!file) {
		json_decref(summary);
		return -EIO;
	}
	json_dumpf(summary, file, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	fputc('\n', file);
	json_decref(summary);
	return results_close(results, file, "summary.json", 0, msg);
}

/* -- running ------------------------------------------------------------------- */

static bool is_known(const struct figures_plan *plan, const char *id)
{
	for (size_t i = 0; plan->figures[i]; i++)
		if (!strcmp(plan->figures[i]->id, id))
			return true;
	return false;
}

static bool is_wanted(const struct figures_plan *plan, const struct figure *fig)
{
	if (!plan->nr_ids)
		return true;
	for (int i = 0; i < plan->nr_ids; i++)
		if (!strcmp(plan->ids[i], fig->id))
			return true;
	return false;
}

static int unknown_figure(const struct figures_plan *plan, const char *id,
			  struct msg *msg)
{
	struct nearest near = nearest_to(id, strlen(id));

	for (size_t i = 0; plan->figures[i]; i++)
		nearest_try(&near, plan->figures[i]->id);
	return msg_set(msg, EINVAL, "unknown figure '%s'%s; there are %s", id,
		       nearest_hint(&near), near.tried.text);
}

static int check_ids(const struct figures_plan *plan, struct msg *msg)
{
	for (int i = 0; i < plan->nr_ids; i++)
		if (!is_known(plan, plan->ids[i]))
			return unknown_figure(plan, plan->ids[i], msg);
	return 0;
}

static void runs_free(struct figure_run *f)
{
	while (f) {
		struct figure_run *next = f->next;

		free(f->text);
		free(f);
		f = next;
	}
}

/* A figure that was computed is at *end. */
static int run_one(const struct figures_plan *plan, const struct figure *fig,
		   struct figure_run **end, struct msg *msg)
{
	struct figure_run *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return msg_set(msg, ENOMEM, "%s: no memory", fig->id);
	*end = f;
	f->figure = fig;
	f->seed = plan->seed;
	f->rows = open_memstream(&f->text, &f->len);
	if (!f->rows)
		return msg_set(msg, ENOMEM, "%s: no memory", fig->id);
	err = fig->run(f, msg);
	if (fclose(f->rows) && !err)
		err = msg_set(msg, ENOMEM, "%s: no memory", fig->id);
	if (!err && !plan->quiet)
		print_figure(f);
	return err;
}

static int run_wanted(const struct figures_plan *plan, struct figure_run **runs,
		      struct msg *msg)
{
	int err = 0;

	for (size_t i = 0; plan->figures[i] && !err; i++) {
		if (!is_wanted(plan, plan->figures[i]))
			continue;
		err = run_one(plan, plan->figures[i], runs, msg);
		if (!err)
			runs = &(*runs)->next;
	}
	return err;
}

static void draw(const struct figure_run *runs, const struct results *results)
{
	for (const struct figure_run *f = runs; f && !interrupted(); f = f->next) {
		char name[32];

		snprintf(name, sizeof(name), "figure-%s", f->figure->id);
		if (plot_find(name))
			plots_draw_one(results->tmp, name);
	}
}

/* Not before all are computed, which takes minutes: an interrupt finds nothing. */
static int write_folder(const struct figures_plan *plan,
			const struct figure_run *runs, struct msg *msg)
{
	struct results results;
	int err = results_begin(&results, plan->output, msg);

	if (err)
		return err;
	for (const struct figure_run *f = runs; f && !err; f = f->next)
		err = write_table(&results, f, msg);
	if (!err)
		err = write_summary(&results, plan->seed, runs, msg);
	if (!err && !plan->no_plots)
		draw(runs, &results);
	return results_end(&results, err, msg);
}

int figures_run(const struct figures_plan *plan, struct msg *msg)
{
	struct figure_run *runs = NULL;
	int err = check_ids(plan, msg);

	if (err)
		return err;
	if (!COST_COUNTS)
		return msg_set(msg, ENOTSUP,
			       "this build does not count what operations cost; `make figures` makes one that does");
	if (plan->output)
		err = results_check(plan->output, msg);
	if (!err)
		err = run_wanted(plan, &runs, msg);
	if (!err && plan->output)
		err = write_folder(plan, runs, msg);
	runs_free(runs);
	return err;
}
