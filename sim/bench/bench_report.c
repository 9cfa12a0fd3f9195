/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_report.c - tables for people, for plots and for programs */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/bench/bench_report.h"
#include "sim/report/cost_table.h"
#include "sim/units.h"

const char *const bench_lock_names[] = {
	[BENCH_NO_LOCK] = "none", [BENCH_SPINLOCK] = "spin",
	[BENCH_PERCPU] = "percpu",
};

static const char *const lock_texts[] = {
	[BENCH_NO_LOCK] = "no lock", [BENCH_SPINLOCK] = "a lock around each call",
	[BENCH_PERCPU] = "per-CPU lists",
};

static const char *highmem_name(const struct bench_case *c)
{
	return c->highmem ? "all" : "none";
}

static const char *memory_name(const struct bench_case *c, char *buf, size_t size)
{
	if (c->bytes & ((UINT64_C(1) << 30) - 1))
		snprintf(buf, size, "%lluM", (unsigned long long)(c->bytes >> 20));
	else
		snprintf(buf, size, "%lluG", (unsigned long long)(c->bytes >> 30));
	return buf;
}

/* --- what other runs counted ---------------------------------------------- */

int bench_joined_load(struct bench_joined *j, const char *costs,
		      const char *instructions, struct msg *msg)
{
	json_error_t error;

	*j = (struct bench_joined){ .costs = NULL };
	if (costs) {
		j->costs = json_load_file(costs, 0, &error);
		if (!j->costs)
			return msg_set(msg, EINVAL, "%s:%d: %s; expected what `pagetax bench --json` wrote",
				       costs, error.line, error.text);
		if (!json_is_array(json_object_get(j->costs, "results"))) {
			bench_joined_free(j);
			return msg_set(msg, EINVAL, "%s:1: no results in it; expected what `pagetax bench --json` wrote",
				       costs);
		}
	}
	if (!instructions)
		return 0;
	if (tsv_read(&j->instructions, instructions) ||
	    tsv_column(&j->instructions, "allocator") < 0 ||
	    tsv_column(&j->instructions, "pattern") < 0 ||
	    tsv_column(&j->instructions, "per_op") < 0) {
		bench_joined_free(j);
		return msg_set(msg, EINVAL, "%s: expected a table with columns allocator, pattern and per_op, as scripts/bench-instructions writes it",
			       instructions);
	}
	return 0;
}

void bench_joined_free(struct bench_joined *j)
{
	json_decref(j->costs);
	tsv_table_free(&j->instructions);
	*j = (struct bench_joined){ .costs = NULL };
}

static bool has_text(const json_t *row, const char *key, const char *text)
{
	return !strcmp(json_text_at(row, key), text);
}

/* Lines an operation touched, in the same case; NAN when nobody has counted. */
static double lines_counted(const struct bench_joined *j,
			    const struct bench_case *c, const char *spec,
			    const struct bench_result *r)
{
	const json_t *results = json_object_get(j->costs, "results");
	char memory[32];

	if (r->cost.nr_ops)
		return cost_per_op(&r->cost, COST_lines_touched);
	memory_name(c, memory, sizeof(memory));
	for (size_t i = 0; i < json_array_size(results); i++) {
		const json_t *row = json_array_get(results, i);

		if (has_text(row, "pattern", r->name) &&
		    has_text(row, "allocator", spec) &&
		    has_text(row, "memory", memory) &&
		    has_text(row, "lock", bench_lock_names[c->lock]) &&
		    has_text(row, "highmem", highmem_name(c)) &&
		    json_number_at(row, "occupancy", NULL) == c->occupancy &&
		    json_number_at(row, "threads", NULL) == c->threads &&
		    json_object_get(row, "cost"))
			return json_number_at(row, "cost", "lines_touched");
	}
	return NAN;
}

/* The same of instructions; these depend on the design and the pattern only. */
static double instructions_counted(const struct bench_joined *j,
				   const char *spec, const char *pattern)
{
	const struct tsv_table *t = &j->instructions;

	for (unsigned int row = 0; row < t->nr_rows; row++)
		if (!strcmp(tsv_cell(t, row, tsv_column(t, "allocator")), spec) &&
		    !strcmp(tsv_cell(t, row, tsv_column(t, "pattern")), pattern))
			return strtod(tsv_cell(t, row, tsv_column(t, "per_op")), NULL);
	return NAN;
}

/* --- the terminal ---------------------------------------------------------- */

static const struct bench_result *linked_result(const struct bench_row *rows,
						unsigned int nr,
						unsigned int phase)
{
	for (unsigned int i = 0; i < nr; i++)
		if (!strcmp(rows[i].spec, "linked"))
			return &rows[i].phases[phase];
	return NULL;
}

/* One figure of a table: of allocator i, in a pattern's phase. */
struct cell {
	const struct bench_table *table;
	const struct bench_joined *joined;
	const struct bench_row *rows;	/* of the pattern */
	unsigned int i;
	unsigned int phase;
};

typedef void (*cell_fn)(const struct cell *cell, const struct bench_result *r);

static void print_time(const struct cell *cell, const struct bench_result *r)
{
	const struct bench_result *ref =
		linked_result(cell->rows, cell->table->nr, cell->phase);

	double ratio = ref && ref->median_ns > 0 ? r->median_ns / ref->median_ns : 0;

	/* Four characters for the ratio, whatever its size. */
	printf(" %7.*f", r->median_ns < 100000 ? 1 : 0, r->median_ns);
	if (ratio > 0)
		printf(" (%4.*f)", ratio < 9.995 ? 2 : ratio < 99.95 ? 1 : 0, ratio);
	else
		printf("       ");
}

static void print_spread(const struct cell *cell, const struct bench_result *r)
{
	(void)cell;
	printf(" %4.0f%% %4.2f %3.0f%%", 100 * r->spread, r->kmap_per_op,
	       100 * r->share_2m);
}

static void print_or_dash(double value, int width)
{
	if (isnan(value))
		printf(" %*s", width, "-");
	else
		printf(" %*.1f", width, value);
}

static void print_counts(const struct cell *cell, const struct bench_result *r)
{
	const char *spec = cell->rows[cell->i].spec;

	print_or_dash(lines_counted(cell->joined, &cell->table->c, spec, r), 6);
	print_or_dash(instructions_counted(cell->joined, spec, r->name), 7);
}

static void print_block(const struct bench_table *t,
			const struct bench_joined *j, const char *head,
			cell_fn print)
{
	printf("%-24s", head);
	for (unsigned int p = 0; p < NR_BENCH_PATTERNS; p++)
		for (unsigned int ph = 0; t->rows[p] && ph < t->rows[p][0].nr_phases; ph++)
			printf(" %14s", t->rows[p][0].phases[ph].name);
	printf("\n");
	for (unsigned int i = 0; i < t->nr; i++) {
		bool named = false;

		for (unsigned int p = 0; p < NR_BENCH_PATTERNS; p++) {
			if (!t->rows[p])
				continue;
			if (!named)
				printf("%-24s", t->rows[p][i].spec);
			named = true;
			for (unsigned int ph = 0; ph < t->rows[p][i].nr_phases; ph++)
				print(&(struct cell){ t, j, t->rows[p], i, ph },
				      &t->rows[p][i].phases[ph]);
		}
		printf("\n");
	}
}

/* All that was counted of one pattern's phase. */
static void print_costs(const struct bench_row *rows, unsigned int nr,
			unsigned int phase)
{
	struct cost_row *costs = calloc(nr, sizeof(*costs));

	if (!costs)
		return;
	for (unsigned int i = 0; i < nr; i++)
		costs[i] = (struct cost_row){ rows[i].spec, &rows[i].phases[phase].cost };
	printf("%s\n", rows[0].phases[phase].name);
	cost_table_print(stdout, costs, nr);
	free(costs);
}

void bench_table_print(const struct bench_table *t, const struct bench_joined *j)
{
	bool counted = false;
	char size[32];

	printf("%s, %u %% in use, %u thread%s, %s, %s\n",
	       format_bytes(t->c.bytes, size, sizeof(size)), t->c.occupancy,
	       t->c.threads, t->c.threads > 1 ? "s" : "", lock_texts[t->c.lock],
	       t->c.highmem ? "all memory high" : "all memory low");
	print_block(t, j, "ns per op (to linked)", print_time);
	print_block(t, j, "spread, kmap/op, 2 MiB", print_spread);
	if (j->costs || j->instructions.nr_rows)
		print_block(t, j, "lines and instr. per op", print_counts);
	for (unsigned int p = 0; p < NR_BENCH_PATTERNS; p++)
		for (unsigned int ph = 0; t->rows[p] && ph < t->rows[p][0].nr_phases; ph++)
			if (t->rows[p][0].phases[ph].cost.nr_ops) {
				print_costs(t->rows[p], t->nr, ph);
				counted = true;
			}
	if (counted)
		printf("This build counts: its times are no figures.\n");
	printf("\n");
	fflush(stdout);
}

/* --- files ------------------------------------------------------------------ */

static json_t *real_or_null(double value)
{
	return isnan(value) ? json_null() : json_real(value);
}

static json_t *cost_json(const struct cost_sums *sums)
{
	json_t *object = json_object();

	json_object_set_new(object, "ops", json_integer((json_int_t)sums->nr_ops));
	for (unsigned int i = 0; i < NR_COSTS; i++)
		json_object_set_new(object, cost_names[i],
				    json_real(cost_per_op(sums, i)));
	return object;
}

static int record_one(json_t *results, const struct cell *cell,
		      const struct bench_result *r)
{
	const struct bench_case *c = &cell->table->c;
	const char *spec = cell->rows[cell->i].spec;
	const struct bench_result *ref =
		linked_result(cell->rows, cell->table->nr, cell->phase);
	char memory[32];
	json_t *row = json_pack(
		"{s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:f, s:f, s:o, s:f, s:f, s:I, s:I, s:o, s:o}",
		"pattern", r->name, "allocator", spec,
		"memory", memory_name(c, memory, sizeof(memory)),
		"occupancy", (int)c->occupancy, "threads", (int)c->threads,
		"lock", bench_lock_names[c->lock], "highmem", highmem_name(c),
		"ns_per_op", r->median_ns, "spread", r->spread,
		"ratio_to_linked", real_or_null(ref && ref->median_ns > 0 ?
						r->median_ns / ref->median_ns : NAN),
		"share_2m", r->share_2m, "kmap_per_op", r->kmap_per_op,
		"failed", (json_int_t)r->failed, "ops", (json_int_t)r->ops,
		"lines_per_op", real_or_null(lines_counted(cell->joined, c, spec, r)),
		"instructions_per_op",
		real_or_null(instructions_counted(cell->joined, spec, r->name)));

	if (!row || json_array_append_new(results, row))
		return -ENOMEM;
	if (r->cost.nr_ops)
		return json_object_set_new(row, "cost", cost_json(&r->cost)) ? -ENOMEM : 0;
	return 0;
}

int bench_table_record(json_t *results, const struct bench_table *t,
		       const struct bench_joined *j)
{
	int err = 0;

	for (unsigned int p = 0; p < NR_BENCH_PATTERNS; p++) {
		if (!t->rows[p])
			continue;
		for (unsigned int i = 0; i < t->nr; i++)
			for (unsigned int ph = 0; !err && ph < t->rows[p][i].nr_phases; ph++)
				err = record_one(results,
						 &(struct cell){ t, j, t->rows[p], i, ph },
						 &t->rows[p][i].phases[ph]);
	}
	return err;
}

static void write_cell(FILE *out, const json_t *row, const char *key)
{
	const json_t *value = json_object_get(row, key);

	if (json_is_string(value))
		fputs(json_string_value(value), out);
	else if (json_is_integer(value))
		fprintf(out, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		fprintf(out, "%.4g", json_real_value(value));
	else
		fputs("nan", out);
}

void bench_write_tsv(FILE *out, const json_t *results)
{
	static const char *const columns[] = {
		"allocator", "pattern", "memory", "occupancy", "threads", "lock",
		"highmem", "ns_per_op", "spread", "ratio_to_linked", "share_2m",
		"kmap_per_op", "failed", "lines_per_op", "instructions_per_op",
	};

	fprintf(out, "# pagetax %s, bench\n", PAGETAX_VERSION);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		fprintf(out, "%s%s", i ? "\t" : "", columns[i]);
	fputc('\n', out);
	for (size_t row = 0; row < json_array_size(results); row++) {
		for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
			if (i)
				fputc('\t', out);
			write_cell(out, json_array_get(results, row), columns[i]);
		}
		fputc('\n', out);
	}
}
