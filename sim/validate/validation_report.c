/* SPDX-License-Identifier: GPL-2.0-or-later */
/* validation_report.c - a row for each level and zone; everything in the JSON */
#include <inttypes.h>

#include "sim/report/json_builder.h"
#include "sim/validate/bounds_report.h"
#include "sim/validate/validation_report.h"

/* ---- terminal ---- */

static void print_share(FILE *out, int width, double share)
{
	if (isnan(share))
		fprintf(out, " %*s", width, "-");
	else
		fprintf(out, " %*.3f", width, 100 * share);
}

static void print_number(FILE *out, int width, double value)
{
	if (isnan(value))
		fprintf(out, " %*s", width, "-");
	else
		fprintf(out, " %*.3f", width, value);
}

static size_t left_aside(const struct figures *f)
{
	size_t nr = 0;

	for (unsigned int i = SAMPLE_COUNTS + 1; i < NR_SAMPLE_FLAGS; i++)
		nr += f->flagged[i];
	return nr;
}

/* One row: what is known of a level, in the order of the head. */
struct row {
	const char *level;
	const char *zone;
	size_t samples, left_out;
	double exact;			/* share */
	double tv_p50, tv_p95, tv_max;	/* shares */
	double dh9_p50, dh9_p95;	/* percentage points */
	double skill, skill_strawman;
};

static void print_row(FILE *out, const struct row *r)
{
	fprintf(out, "%-7s%7zu%7zu", r->zone, r->samples, r->left_out);
	print_share(out, 8, r->exact);
	print_share(out, 7, r->tv_p50);
	print_share(out, 7, r->tv_p95);
	print_share(out, 7, r->tv_max);
	print_number(out, 7, r->dh9_p50);
	print_number(out, 7, r->dh9_p95);
	print_number(out, 7, r->skill);
	print_number(out, 7, r->skill_strawman);
	fprintf(out, "  %s\n", r->level);
}

static int print_open_loop_row(FILE *out, const struct validation *v, unsigned int z)
{
	double mean_tv = scorer_mean_tv(&v->open_loop.scorer, z);
	struct figures f;
	int err = scorer_figures(&v->open_loop.scorer, z, &f);

	if (err)
		return err;
	print_row(out, &(struct row){
		.level = "L0",
		.zone = zone_label(&v->bundle.layout.zones[z]),
		.samples = f.samples,
		.left_out = left_aside(&f),
		.exact = f.samples ? (double)f.exact / (double)f.samples : NAN,
		.tv_p50 = f.tv_p50, .tv_p95 = f.tv_p95, .tv_max = f.tv_max,
		.dh9_p50 = f.dh9_p50, .dh9_p95 = f.dh9_p95,
		.skill = validation_skill(v, mean_tv, z),
		.skill_strawman = validation_skill_strawman(v, mean_tv, z),
	});
	return 0;
}

/* Medians over the list orders. */
static void print_closed_loop_row(FILE *out, const struct validation *v,
				  const struct closed_loop *c, unsigned int z)
{
	const struct figures *f = &c->zone[z][0].f;
	double mean_tv = SPREAD(c, z, mean_tv).median;
	char level[64];

	snprintf(level, sizeof(level), "L1 %s", c->spec);
	print_row(out, &(struct row){
		.level = level,
		.zone = zone_label(&v->bundle.layout.zones[z]),
		.samples = f->samples,
		.left_out = left_aside(f),
		.exact = f->samples ? (double)f->exact / (double)f->samples : NAN,
		.tv_p50 = SPREAD(c, z, f.tv_p50).median,
		.tv_p95 = SPREAD(c, z, f.tv_p95).median,
		.tv_max = SPREAD(c, z, f.tv_max).median,
		.dh9_p50 = SPREAD(c, z, f.dh9_p50).median,
		.dh9_p95 = SPREAD(c, z, f.dh9_p95).median,
		.skill = validation_skill(v, mean_tv, z),
		.skill_strawman = validation_skill_strawman(v, mean_tv, z),
	});
}

/* How much the unknown order of the free lists matters. */
static void print_closed_loop_spread(FILE *out, const struct validation *v,
				     const struct closed_loop *c)
{
	for (unsigned int z = 0; z < v->brackets.nr_zones; z++) {
		struct spread p50 = SPREAD(c, z, f.tv_p50), p95 = SPREAD(c, z, f.tv_p95);

		if (p95.most > 0 && c->nr_seeds > 1)
			fprintf(out, "%s, %s: over %u list orders TV %% median %.3f to %.3f, p95 %.3f to %.3f\n",
				c->spec, zone_label(&v->bundle.layout.zones[z]), c->nr_seeds,
				100 * p50.least, 100 * p50.most, 100 * p95.least,
				100 * p95.most);
	}
}

/* How far another representation's lists lead it from the first one's. */
static int print_apart(FILE *out, const struct validation *v, unsigned int i)
{
	const struct closed_loop *first = &v->closed_loops[0], *c = &v->closed_loops[i];

	for (unsigned int z = 0; z < v->brackets.nr_zones; z++) {
		double skill = validation_skill(v, SPREAD(c, z, mean_tv).median, z);
		double than = validation_skill(v, SPREAD(first, z, mean_tv).median, z);
		struct figures f;
		int err = closed_loop_apart(&f, c, first, z);

		if (err)
			return err;
		if (isnan(skill))
			continue;
		fprintf(out, "%s, %s: apart from %s by TV %% median %.3f, p95 %.3f, max %.3f; order 9 p95 %.3f pp; skill %+.3f\n",
			c->spec, zone_label(&v->bundle.layout.zones[z]), first->spec,
			100 * f.tv_p50, 100 * f.tv_p95, 100 * f.tv_max, f.dh9_p95,
			skill - than);
	}
	return 0;
}

/* Which way the part is switched. */
static const char *ablation_row(const struct ablation *a, unsigned int i)
{
	if (i == ABLATION_nothing)
		return "";
	return a->adds[i] ? "with " : "without ";
}

static void print_missed(FILE *out, const struct validation *v,
			 const struct closed_figures *whole)
{
	bool any = false;

	for (int id = BOUND_tv_p50; id <= BOUND_skill; id++) {
		double value = bound_figure((enum bound_id)id, whole, v->persist_whole_tv);

		if (bound_excess((enum bound_id)id, value) <= 0)
			continue;
		fprintf(out, "%s%s", any ? ", " : ": misses ", bounds[id].figure);
		any = true;
	}
}

static void print_ablation(FILE *out, const struct validation *v,
			   const struct ablation *a)
{
	if (a->nr)
		fprintf(out, "%s, all zones as one, TV %% and order 9 in points, median and p95, and skill\n",
			a->runs[0].spec);
	for (unsigned int i = 0; i < a->nr; i++) {
		const struct closed_figures *whole = &a->runs[i].whole;

		print_share(out, 7, whole->f.tv_p50);
		print_share(out, 7, whole->f.tv_p95);
		print_number(out, 7, whole->f.dh9_p50);
		print_number(out, 7, whole->f.dh9_p95);
		print_number(out, 7, bound_figure(BOUND_skill, whole, v->persist_whole_tv));
		fprintf(out, "  %s%s", ablation_row(a, i), ablation_help[i]);
		print_missed(out, v, whole);
		fprintf(out, "\n");
	}
}

static void print_samples_head(FILE *out)
{
	fprintf(out, "%-7s%7s%7s %8s %7s %7s %7s %7s %7s %7s %7s\n", "", "samples", "left",
		"exact", "TV %", "TV %", "TV %", "order 9", "+ pp", "skill:", "first");
	fprintf(out, "%-7s%7s%7s %8s %7s %7s %7s %7s %7s %7s %7s  %s\n", "zone", "used",
		"out", "%", "median", "p95", "max", "median", "p95", "idle", "fit", "level");
}

static void print_books(FILE *out, const char *name, const struct books *books)
{
	if (!books->known)
		return;
	fprintf(out, "%-7s %" PRIu64 " pages counted, %" PRIu64 " traced, %" PRIu64
		     " inferred from events and %" PRIu64
		     " from per-CPU counts: off by %.4f %%\n",
		name, books->counted, books->traced, books->hidden, books->by_number,
		100 * books_error(books));
}

static void print_repairs(FILE *out, const struct open_loop *o)
{
	fprintf(out, "repairs %.4f %% of %" PRIu64 " events",
		100 * open_loop_repairs_per_event(o), o->nr_events);
	for (unsigned int i = 0; i < NR_RECORDED_REPAIRS; i++)
		fprintf(out, "%s %s %" PRIu64, i ? "," : ":",
			recorded_repair_names[i], o->repairs[i]);
	fprintf(out, "\n");
}

static void print_flags(FILE *out, const struct validation *v)
{
	size_t nr[NR_SAMPLE_FLAGS] = { 0 };

	for (size_t i = 0; i < v->brackets.nr; i++)
		for (unsigned int z = 0; z < v->brackets.nr_zones; z++)
			if (v->brackets.list[i].zone[z])
				nr[v->brackets.list[i].flag[z]]++;
	fprintf(out, "left out:");
	for (unsigned int i = SAMPLE_COUNTS + 1; i < NR_SAMPLE_FLAGS; i++)
		fprintf(out, " %s %zu", sample_flag_names[i], nr[i]);
	fprintf(out, "\n");
}

static int print_samples(FILE *out, const struct validation *v)
{
	print_samples_head(out);
	for (unsigned int z = 0; z < v->brackets.nr_zones; z++) {
		int err = print_open_loop_row(out, v, z);

		if (err)
			return err;
	}
	for (unsigned int i = 0; i < v->nr_closed_loops; i++)
		for (unsigned int z = 0; z < v->brackets.nr_zones; z++)
			print_closed_loop_row(out, v, &v->closed_loops[i], z);
	for (unsigned int i = 0; i < v->nr_closed_loops; i++)
		print_closed_loop_spread(out, v, &v->closed_loops[i]);
	for (unsigned int i = 1; i + 1 < v->nr_closed_loops; i++) {
		int err = print_apart(out, v, i);

		if (err)
			return err;
	}
	for (unsigned int i = 0; i < v->nr_closed_loops; i++)
		print_ablation(out, v, &v->ablations[i]);
	print_flags(out, v);
	return 0;
}

static void print_one_step(FILE *out, const struct validation *v)
{
	const struct one_step *o = &v->one_step;

	fprintf(out, "L0.5, hits of each rule\n");
	for (unsigned int z = 0; z < v->bundle.layout.nr_zones; z++) {
		for (unsigned int i = 0; i < NR_ONE_STEP_RULES; i++) {
			const struct rule_count *c = &o->rules[z][i];

			if (c->hits + c->misses)
				fprintf(out, "%-7s %8.3f %% of %9" PRIu64 "  %s\n",
					zone_label(&v->bundle.layout.zones[z]),
					100 * rule_rate(c), c->hits + c->misses,
					one_step_rule_help[i]);
		}
	}
	fprintf(out, "%" PRIu64 " pageblocks retyped, %" PRIu64 " claims, %" PRIu64
		     " blocks drained by age, %" PRIu64 " taken in bulk\n",
		o->retyped, o->claims, o->aged, o->skipped);
}

int validation_print(FILE *out, const struct validation *v)
{
	int err = v->brackets.nr ? print_samples(out, v) : 0;

	if (err)
		return err;
	if (v->has_open_loop) {
		print_repairs(out, &v->open_loop);
		print_books(out, "pgalloc", &v->open_loop.allocs);
		print_books(out, "pgfree", &v->open_loop.frees);
	}
	if (v->has_one_step)
		print_one_step(out, v);
	for (unsigned int i = 0; i < v->nr_left_out; i++)
		fprintf(out, "without %s\n", v->left_out[i].text);
	return bounds_print(out, v);
}

/* ---- JSON ---- */

static void put_samples(struct builder *b, json_t *object, const struct figures *f)
{
	json_t *flagged = json_object();

	put_count(b, object, "samples", f->samples);
	put_count(b, object, "exact", f->exact);
	for (unsigned int i = SAMPLE_COUNTS + 1; i < NR_SAMPLE_FLAGS; i++)
		put_count(b, flagged, sample_flag_names[i], f->flagged[i]);
	put(b, object, "left_out", flagged);
}

static void put_figures(struct builder *b, json_t *object, const struct validation *v,
			const struct scorer *s, unsigned int zone)
{
	double mean_tv = scorer_mean_tv(s, zone);
	struct figures f;

	if (scorer_figures(s, zone, &f))
		b->failed = true;
	put_samples(b, object, &f);
	put_share(b, object, "tv_p50", f.tv_p50);
	put_share(b, object, "tv_p95", f.tv_p95);
	put_share(b, object, "tv_max", f.tv_max);
	put_share(b, object, "free_error_p50", f.df_p50);
	put_share(b, object, "free_error_p95", f.df_p95);
	put_share(b, object, "dh9_p50_pp", f.dh9_p50);
	put_share(b, object, "dh9_p95_pp", f.dh9_p95);
	put_share(b, object, "unusable4_p95", f.du4_p95);
	put_share(b, object, "unusable9_p95", f.du9_p95);
	put_share(b, object, "skill", validation_skill(v, mean_tv, zone));
}

/* x(key, field of struct figures): medians over the list orders */
#define CLOSED_LOOP_FIGURES(x)             \
	x("tv_p50",         f.tv_p50)        \
	x("tv_p95",         f.tv_p95)        \
	x("tv_max",         f.tv_max)        \
	x("free_error_p50", f.df_p50)        \
	x("free_error_p95", f.df_p95)        \
	x("dh9_p50_pp",     f.dh9_p50)       \
	x("dh9_p95_pp",     f.dh9_p95)       \
	x("unusable4_p95",  f.du4_p95)       \
	x("unusable9_p95",  f.du9_p95)       \
	x("tv_mean",        mean_tv)

static void put_spread(struct builder *b, json_t *object, const char *key,
		       struct spread spread)
{
	json_t *ends = json_array();

	append(b, ends, share_value(spread.least));
	append(b, ends, share_value(spread.most));
	put(b, object, key, ends);
}

/* See print_apart(). */
static json_t *apart_json(struct builder *b, const struct validation *v,
			  const struct closed_loop *c, unsigned int z)
{
	const struct closed_loop *first = &v->closed_loops[0];
	json_t *object = json_object();
	struct figures f;

	if (closed_loop_apart(&f, c, first, z))
		b->failed = true;
	put_text(b, object, "allocator", first->spec);
	put_share(b, object, "tv_p50", f.tv_p50);
	put_share(b, object, "tv_p95", f.tv_p95);
	put_share(b, object, "tv_max", f.tv_max);
	put_share(b, object, "dh9_p95_pp", f.dh9_p95);
	put_share(b, object, "skill",
		  validation_skill(v, SPREAD(c, z, mean_tv).median, z) -
		  validation_skill(v, SPREAD(first, z, mean_tv).median, z));
	return object;
}

static void put_closed_loop(struct builder *b, json_t *object,
			    const struct validation *v,
			    const struct closed_loop *c, unsigned int z)
{
	json_t *spread = json_object();
	double mean_tv = SPREAD(c, z, mean_tv).median;

	put_text(b, object, "allocator", c->spec);
	put_count(b, object, "list_orders", c->nr_seeds);
	put_samples(b, object, &c->zone[z][0].f);
#define PUT_MEDIAN(key, field) put_share(b, object, key, SPREAD(c, z, field).median);
	CLOSED_LOOP_FIGURES(PUT_MEDIAN)
#undef PUT_MEDIAN
#define PUT_ENDS(key, field) put_spread(b, spread, key, SPREAD(c, z, field));
	CLOSED_LOOP_FIGURES(PUT_ENDS)
#undef PUT_ENDS
	put_share(b, object, "skill", validation_skill(v, mean_tv, z));
	put_share(b, object, "skill_first_fit", validation_skill_strawman(v, mean_tv, z));
	put_count(b, object, "failed_allocs", c->failed_allocs);
	put(b, object, "spread", spread);
}

static json_t *level_json(struct builder *b, const struct validation *v,
			  const char *level, unsigned int zone)
{
	json_t *object = json_object();

	put_text(b, object, "level", level);
	put_text(b, object, "zone", zone_label(&v->bundle.layout.zones[zone]));
	return object;
}

static void put_books(struct builder *b, json_t *object, const char *key,
		      const struct books *books)
{
	json_t *child = json_object();

	put_count(b, child, "counted", books->counted);
	put_count(b, child, "traced", books->traced);
	put_count(b, child, "inferred", books->hidden);
	put_count(b, child, "inferred_by_number", books->by_number);
	put_share(b, child, "error", books_error(books));
	put(b, object, key, books->known ? child : json_null());
	if (!books->known)
		json_decref(child);
}

static json_t *open_loop_json(struct builder *b, const struct open_loop *o)
{
	json_t *object = json_object();
	json_t *repairs = json_object();

	put_count(b, object, "events", o->nr_events);
	for (unsigned int i = 0; i < NR_RECORDED_REPAIRS; i++)
		put_count(b, repairs, recorded_repair_names[i], o->repairs[i]);
	put(b, object, "repairs", repairs);
	put_share(b, object, "repairs_per_event", open_loop_repairs_per_event(o));
	put_count(b, object, "hidden_alloc_pages", o->hidden_allocs);
	put_count(b, object, "hidden_free_pages", o->hidden_frees);
	put_books(b, object, "pgalloc", &o->allocs);
	put_books(b, object, "pgfree", &o->frees);
	return object;
}

static void append_open_loop(struct builder *b, json_t *levels,
			     const struct validation *v)
{
	for (unsigned int z = 0; z < v->brackets.nr_zones; z++) {
		json_t *level = level_json(b, v, "L0", z);

		put_figures(b, level, v, &v->open_loop.scorer, z);
		put_share(b, level, "repairs_per_event",
			  open_loop_repairs_per_event(&v->open_loop));
		append(b, levels, level);
	}
}

/* The rates that scripts rely on, by rule. */
static const char *const rate_names[NR_ONE_STEP_RULES] = {
#define RATE_NAME(name, what) #name "_rate",
	ONE_STEP_RULES(RATE_NAME)
#undef RATE_NAME
};

static void append_one_step(struct builder *b, json_t *levels,
			    const struct validation *v)
{
	for (unsigned int z = 0; z < v->bundle.layout.nr_zones; z++) {
		json_t *level = level_json(b, v, "L0.5", z);
		json_t *judged = json_object(), *unknown = json_object();

		for (unsigned int i = 0; i < NR_ONE_STEP_RULES; i++) {
			const struct rule_count *c = &v->one_step.rules[z][i];

			put_share(b, level, rate_names[i], rule_rate(c));
			put_count(b, judged, one_step_rule_names[i], c->hits + c->misses);
			put_count(b, unknown, one_step_rule_names[i], c->unknown);
		}
		put(b, level, "judged", judged);
		put(b, level, "unknown", unknown);
		append(b, levels, level);
	}
}

static json_t *one_step_json(struct builder *b, const struct one_step *o)
{
	json_t *object = json_object();

	put_count(b, object, "retyped_pageblocks", o->retyped);
	put_count(b, object, "claims", o->claims);
	put_count(b, object, "aged_drains", o->aged);
	put_count(b, object, "bulk_blocks", o->skipped);
	return object;
}

static void append_closed_loops(struct builder *b, json_t *levels,
				const struct validation *v)
{
	for (unsigned int i = 0; i < v->nr_closed_loops; i++) {
		for (unsigned int z = 0; z < v->brackets.nr_zones; z++) {
			json_t *level = level_json(b, v, "L1", z);

			put_closed_loop(b, level, v, &v->closed_loops[i], z);
			if (i > 0 && i + 1 < v->nr_closed_loops)
				put(b, level, "apart",
				    apart_json(b, v, &v->closed_loops[i], z));
			append(b, levels, level);
		}
	}
}

static void append_ablation(struct builder *b, json_t *list,
			    const struct validation *v, const struct ablation *a)
{
	for (unsigned int i = 0; i < a->nr; i++) {
		const struct closed_figures *whole = &a->runs[i].whole;
		json_t *row = json_object();

		put_text(b, row, a->adds[i] ? "with" : "without", ablation_names[i]);
		put_text(b, row, "allocator", a->runs[i].spec);
		put_samples(b, row, &whole->f);
		put_share(b, row, "tv_p50", whole->f.tv_p50);
		put_share(b, row, "tv_p95", whole->f.tv_p95);
		put_share(b, row, "dh9_p50_pp", whole->f.dh9_p50);
		put_share(b, row, "dh9_p95_pp", whole->f.dh9_p95);
		put_share(b, row, "skill", bound_figure(BOUND_skill, whole,
							v->persist_whole_tv));
		append(b, list, row);
	}
}

int validation_write_json(FILE *out, const struct validation *v,
			  const struct options *o)
{
	struct builder b = { false };
	json_t *root = json_object();
	json_t *levels = json_array();
	json_t *left_out = json_array();
	json_t *ablation = json_array();

	put_text(&b, root, "version", PAGETAX_VERSION);
	put_text(&b, root, "command", "validate");
	put_count(&b, root, "seed", o->seed);
	put_text(&b, root, "input", v->bundle.name);
	put_text(&b, root, "sha256", v->bundle.trace.sha256);
	put_count(&b, root, "events", v->bundle.trace.nr_events);
	put_count(&b, root, "start_pages_proved", v->bundle.nr_start_proved);
	put_count(&b, root, "start_pages_parked_by_number", v->bundle.nr_start_parked);
	if (v->has_open_loop) {
		append_open_loop(&b, levels, v);
		put(&b, root, "open_loop", open_loop_json(&b, &v->open_loop));
	}
	if (v->has_one_step) {
		append_one_step(&b, levels, v);
		put(&b, root, "one_step", one_step_json(&b, &v->one_step));
	}
	append_closed_loops(&b, levels, v);
	put(&b, root, "levels", levels);
	put(&b, root, "missed", bounds_json(&b, v));
	for (unsigned int i = 0; i < v->nr_closed_loops; i++)
		append_ablation(&b, ablation, v, &v->ablations[i]);
	put(&b, root, "ablation", ablation);
	for (unsigned int i = 0; i < v->nr_left_out; i++)
		append(&b, left_out, json_string(v->left_out[i].text));
	put(&b, root, "left_out", left_out);
	return dump(out, root, &b);
}

/* ---- samples ---- */

static void write_rows(FILE *out, const struct validation *v, const struct scorer *s,
		       const char *level)
{
	for (size_t i = 0; i < v->brackets.nr; i++) {
		const struct bracket *br = &v->brackets.list[i];

		for (unsigned int z = 0; z < v->brackets.nr_zones; z++) {
			const struct score *score = scorer_get(s, i, z);

			if (!score->seen)
				continue;
			fprintf(out, "%" PRIu64 "\t%s\t%s\t%s\t%.6f\t%.4f",
				br->before_ns - v->brackets.list[0].before_ns, level,
				zone_label(&v->bundle.layout.zones[z]),
				sample_flag_names[br->flag[z]], score->tv, score->dh9);
			for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
				fprintf(out, "\t%" PRIu32, br->zone[z]->nr_free[o]);
			for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
				fprintf(out, "\t%lu", score->predicted[o]);
			fprintf(out, "\n");
		}
	}
}

void validation_write_tsv(FILE *out, const struct validation *v)
{
	fprintf(out, "# pagetax %s, validate %s\n", PAGETAX_VERSION, v->bundle.name);
	fprintf(out, "time_ns\tlevel\tzone\tflag\ttv\tdh9_pp");
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		fprintf(out, "\trecorded_order%u_blocks", o);
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		fprintf(out, "\tpredicted_order%u_blocks", o);
	fprintf(out, "\n");
	if (v->has_open_loop)
		write_rows(out, v, &v->open_loop.scorer, "L0");
	for (unsigned int i = 0; i < v->nr_closed_loops; i++) {
		char level[64];

		snprintf(level, sizeof(level), "L1:%s", v->closed_loops[i].spec);
		write_rows(out, v, &v->closed_loops[i].first, level);
	}
}
