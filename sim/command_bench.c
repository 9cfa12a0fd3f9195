/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command_bench.c - pagetax bench: the cross product of what was asked for
 *
 * Every combination of memory, occupancy, lock, threads and highmem is one
 * table: allocators as rows, patterns as columns, each figure the median ns of
 * one operation and, in brackets, its ratio to `linked` of the same run.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "sim/bench/bench.h"
#include "sim/commands.h"
#include "sim/output.h"
#include "sim/units.h"

#define MAX_LIST 16
#define OPS 2000000UL			/* of one repeat */

static const char *const lock_names[] = {
	[BENCH_NO_LOCK] = "none", [BENCH_SPINLOCK] = "spin",
	[BENCH_PERCPU] = "percpu",
};

struct number_list {
	uint64_t value[MAX_LIST];
	unsigned int nr;
};

struct bench_plan {
	bool patterns[NR_BENCH_PATTERNS];
	bool stream;
	struct number_list memory;
	struct number_list occupancy;
	struct number_list locks;	/* enum bench_lock */
	struct number_list threads;
	struct number_list highmem;	/* 0: none, 1: all */
};

/* --- reading the lists --------------------------------------------------- */

typedef int (*parse_fn)(const char *text, uint64_t *out);

static int parse_percent(const char *text, uint64_t *out)
{
	if (parse_count(text, out) || *out < 1 || *out > 99)
		return -EINVAL;
	return 0;
}

static int parse_threads(const char *text, uint64_t *out)
{
	if (parse_count(text, out) || *out < 1 || *out > BENCH_MAX_THREADS)
		return -EINVAL;
	return 0;
}

static int parse_lock(const char *text, uint64_t *out)
{
	for (*out = 0; *out < ARRAY_SIZE(lock_names); ++*out)
		if (!strcmp(text, lock_names[*out]))
			return 0;
	return -EINVAL;
}

static int parse_memory(const char *text, uint64_t *out)
{
	if (parse_size(text, out) || *out < UINT64_C(64) << 20 ||
	    *out > UINT64_C(1) << 40)
		return -EINVAL;
	return 0;
}

static int parse_list(struct number_list *list, const char *option,
		      const char *text, parse_fn parse, const char *takes,
		      struct msg *msg)
{
	char *copy = strdup(text);
	char *rest = copy, *word;
	int err = copy ? 0 : msg_set(msg, ENOMEM, "no memory");

	while (!err && (word = strsep(&rest, ",")))
		if (list->nr == MAX_LIST || parse(word, &list->value[list->nr++]))
			err = msg_set(msg, EINVAL, "--%s cannot be '%s'; it takes %s",
				      option, word, takes);
	free(copy);
	return err;
}

static int parse_patterns(struct bench_plan *plan, const char *text,
			  struct msg *msg)
{
	char *copy = strdup(text);
	char *rest = copy, *word;
	int err = copy ? 0 : msg_set(msg, ENOMEM, "no memory");

	while (!err && (word = strsep(&rest, ","))) {
		unsigned int p = 0;

		if (!strcmp(word, "stream")) {
			plan->stream = true;
			continue;
		}
		while (p < NR_BENCH_PATTERNS && strcmp(word, bench_pattern_names[p]))
			p++;
		if (p < NR_BENCH_PATTERNS)
			plan->patterns[p] = true;
		else
			err = msg_set(msg, EINVAL,
				      "unknown pattern '%s'; allowed are a1, aB, aW, c, b and stream",
				      word);
	}
	free(copy);
	return err;
}

static int plan_read(struct bench_plan *plan, const struct options *o,
		     struct msg *msg)
{
	int err;

	*plan = (struct bench_plan){ .stream = false };
	err = parse_patterns(plan, o->pattern ? o->pattern : "a1,aB,aW,c,b,stream", msg);
	if (!err)
		err = parse_list(&plan->memory, "memory", o->memory ? o->memory : "4G",
				 parse_memory, "sizes from 64M to 1T, as 4G,64G", msg);
	if (!err)
		err = parse_list(&plan->occupancy, "occupancy",
				 o->occupancy ? o->occupancy : "50", parse_percent,
				 "percents from 1 to 99, as 50,95", msg);
	if (!err)
		err = parse_list(&plan->locks, "lock", o->lock ? o->lock : "none",
				 parse_lock, "none, spin and percpu", msg);
	if (!err)
		err = parse_list(&plan->threads, "threads",
				 o->threads ? o->threads : "1", parse_threads,
				 "1 and 2", msg);
	if (err)
		return err;
	if (o->highmem == HIGHMEM_ABOVE)
		return msg_set(msg, EINVAL, "bench: --highmem takes none or all");
	if (o->highmem != HIGHMEM_ALL)
		plan->highmem.value[plan->highmem.nr++] = 0;
	if (o->highmem != HIGHMEM_NONE)
		plan->highmem.value[plan->highmem.nr++] = 1;
	return 0;
}

/* --- showing ------------------------------------------------------------- */

static const struct bench_result *linked_result(const struct bench_row *rows,
						unsigned int nr,
						unsigned int phase)
{
	for (unsigned int i = 0; i < nr; i++)
		if (!strcmp(rows[i].spec, "linked"))
			return &rows[i].phases[phase];
	return NULL;
}

static int record(json_t *results, const struct bench_case *c,
		  const struct bench_row *rows, unsigned int nr)
{
	char size[32];

	snprintf(size, sizeof(size), "%lluG", (unsigned long long)(c->bytes >> 30));
	if (c->bytes & ((1U << 30) - 1))
		snprintf(size, sizeof(size), "%lluM", (unsigned long long)(c->bytes >> 20));
	for (unsigned int i = 0; i < nr; i++) {
		for (unsigned int p = 0; p < rows[i].nr_phases; p++) {
			const struct bench_result *r = &rows[i].phases[p];
			const struct bench_result *ref = linked_result(rows, nr, p);
			json_t *row = json_pack(
				"{s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:f, s:f, s:o, s:f, s:f, s:I}",
				"pattern", r->name, "allocator", rows[i].spec,
				"memory", size, "occupancy", (int)c->occupancy,
				"threads", (int)c->threads,
				"lock", lock_names[c->lock],
				"highmem", c->highmem ? "all" : "none",
				"ns_per_op", r->median_ns, "spread", r->spread,
				"ratio_to_linked", ref && ref->median_ns > 0 ?
					json_real(r->median_ns / ref->median_ns) : json_null(),
				"share_2m", r->share_2m, "kmap_per_op", r->kmap_per_op,
				"failed", (json_int_t)r->failed);

			if (!row || json_array_append_new(results, row))
				return -ENOMEM;
		}
	}
	return 0;
}

/* The rows of all patterns of one table. */
struct bench_table {
	struct bench_row *rows[NR_BENCH_PATTERNS];	/* NULL: not run */
	unsigned int nr;
};

static void print_cell(const struct bench_row *rows, unsigned int nr,
		       unsigned int i, unsigned int phase)
{
	const struct bench_result *r = &rows[i].phases[phase];
	const struct bench_result *ref = linked_result(rows, nr, phase);

	if (ref && ref->median_ns > 0)
		printf(" %7.1f (%4.2f)", r->median_ns, r->median_ns / ref->median_ns);
	else
		printf(" %7.1f       ", r->median_ns);
}

static void print_detail(const struct bench_row *rows, unsigned int nr,
			 unsigned int i, unsigned int phase)
{
	const struct bench_result *r = &rows[i].phases[phase];

	(void)nr;
	printf(" %3.0f%% %.2f %3.0f%%", 100 * r->spread, r->kmap_per_op,
	       100 * r->share_2m);
}

typedef void (*cell_fn)(const struct bench_row *rows, unsigned int nr,
			unsigned int i, unsigned int phase);

static void print_rows(const struct bench_table *t, cell_fn print)
{
	for (unsigned int i = 0; i < t->nr; i++) {
		bool named = false;

		for (unsigned int p = 0; p < NR_BENCH_PATTERNS; p++) {
			if (!t->rows[p])
				continue;
			if (!named)
				printf("%-24s", t->rows[p][i].spec);
			named = true;
			for (unsigned int ph = 0; ph < t->rows[p][i].nr_phases; ph++)
				print(t->rows[p], t->nr, i, ph);
		}
		printf("\n");
	}
}

static const char *const lock_texts[] = {
	[BENCH_NO_LOCK] = "no lock", [BENCH_SPINLOCK] = "a lock around each call",
	[BENCH_PERCPU] = "per-CPU lists",
};

static void print_table(const struct bench_table *t)
{
	printf("%-24s", "ns per op (to linked)");
	for (unsigned int p = 0; p < NR_BENCH_PATTERNS; p++)
		for (unsigned int ph = 0; t->rows[p] && ph < t->rows[p][0].nr_phases; ph++)
			printf(" %14s", t->rows[p][0].phases[ph].name);
	printf("\n");
	print_rows(t, print_cell);
	printf("spread, kmap/op, 2 MiB\n");
	print_rows(t, print_detail);
	printf("\n");
}

/* --- running ------------------------------------------------------------- */

static int run_table(const struct bench_plan *plan, const struct options *o,
		     struct bench_case c, json_t *results, struct msg *msg)
{
	struct bench_table table = { .nr = o->nr_specs };
	char size[32];
	int err = 0;

	if (c.threads > 1 && c.lock != BENCH_SPINLOCK)
		return 0;		/* no backend is safe so; --help says so */
	for (unsigned int p = 0; !err && p < NR_BENCH_PATTERNS; p++) {
		if (!plan->patterns[p])
			continue;
		table.rows[p] = calloc(o->nr_specs, sizeof(*table.rows[p]));
		if (!table.rows[p]) {
			err = msg_set(msg, ENOMEM, "no memory for the bench");
			break;
		}
		c.pattern = (enum bench_pattern)p;
		err = bench_run(&c, o->specs, o->nr_specs, table.rows[p], msg);
		if (!err && record(results, &c, table.rows[p], o->nr_specs))
			err = msg_set(msg, ENOMEM, "no memory for the results");
	}
	if (!err && !o->quiet) {
		printf("%s, %u %% in use, %u thread%s, %s, %s\n",
		       format_bytes(c.bytes, size, sizeof(size)), c.occupancy,
		       c.threads, c.threads > 1 ? "s" : "",
		       lock_texts[c.lock],
		       c.highmem ? "all memory high" : "all memory low");
		print_table(&table);
		fflush(stdout);
	}
	for (unsigned int p = 0; p < NR_BENCH_PATTERNS; p++)
		free(table.rows[p]);
	return err;
}

static int run_limits(const struct bench_plan *plan, const struct options *o,
		      json_t *limits, struct msg *msg)
{
	static const unsigned int sizes[] = { 64, 16, 8 };

	for (unsigned int m = 0; m < plan->memory.nr; m++) {
		unsigned long entries = roundup_pow2(
			(unsigned long)(plan->memory.value[m] >> PAGE_SHIFT));

		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			struct bench_limit l;
			int err = bench_limit(&l, sizes[i], entries, msg);

			if (err)
				return err;
			json_array_append_new(limits, json_pack(
				"{s:i, s:I, s:f, s:f}", "entry_bytes", (int)sizes[i],
				"entries", (json_int_t)entries,
				"overlapped_ns", l.overlapped_ns,
				"dependent_ns", l.dependent_ns));
			if (!o->quiet)
				printf("the memory itself: %lu words of %2u bytes: %5.1f ns overlapped, %6.1f ns dependent\n",
				       entries, sizes[i], l.overlapped_ns, l.dependent_ns);
		}
	}
	if (!o->quiet)
		printf("\n");
	return 0;
}

static const char *stream_input(const struct options *o)
{
	return o->nr_args ? o->args[0] : "tests/data/fork-sample";
}

static int run_stream(const struct options *o, json_t *root, struct msg *msg)
{
	const char *path = stream_input(o);
	struct bench_stream s;
	int err = bench_stream(&s, path, msg);

	if (err)
		return err;
	json_object_set_new(root, "stream", json_pack(
		"{s:s, s:I, s:f, s:I, s:f, s:f}", "input", path,
		"lines", (json_int_t)s.lines, "lines_per_s", s.lines_per_s,
		"ops", (json_int_t)s.ops, "null_ops_per_s", s.null_ops_per_s,
		"null_events_per_s", s.null_events_per_s));
	if (!o->quiet)
		printf("%s: %.1f M lines/s read from text in memory; null replays %.1f M operations/s (%.1f M events/s)\n",
		       path, 1e-6 * s.lines_per_s, 1e-6 * s.null_ops_per_s,
		       1e-6 * s.null_events_per_s);
	return 0;
}

static int run_all(const struct bench_plan *plan, const struct options *o,
		   json_t *root, struct msg *msg)
{
	json_t *results = json_object_get(root, "results");
	bool any = false;
	int err = 0;

	for (unsigned int p = 0; p < NR_BENCH_PATTERNS; p++)
		any |= plan->patterns[p];
	if (any)
		err = run_limits(plan, o, json_object_get(root, "limits"), msg);
	for (unsigned int m = 0; any && m < plan->memory.nr; m++)
	for (unsigned int u = 0; u < plan->occupancy.nr; u++)
	for (unsigned int l = 0; l < plan->locks.nr; l++)
	for (unsigned int t = 0; t < plan->threads.nr; t++)
	for (unsigned int h = 0; !err && h < plan->highmem.nr; h++)
		err = run_table(plan, o, (struct bench_case){
			.bytes = plan->memory.value[m],
			.occupancy = (unsigned int)plan->occupancy.value[u],
			.lock = (enum bench_lock)plan->locks.value[l],
			.threads = (unsigned int)plan->threads.value[t],
			.highmem = plan->highmem.value[h],
			.ops = OPS,
			.seed = o->seed,
		}, results, msg);
	if (!err && plan->stream)
		err = run_stream(o, root, msg);
	return err;
}

/* What would fail at the end of minutes is asked for first. */
static int open_files(const struct bench_plan *plan, const struct options *o,
		      struct output **json, struct msg *msg)
{
	*json = NULL;
	if (plan->stream && access(stream_input(o), R_OK))
		return msg_set(msg, errno, "%s: %s; expected an INPUT for the pattern stream",
			       stream_input(o), strerror(errno));
	return o->json ? output_open(json, o->json, false, msg) : 0;
}

static int write_json(struct output *out, const json_t *root, struct msg *msg)
{
	char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(6));

	if (!text) {
		output_abort(out);
		return msg_set(msg, ENOMEM, "no memory");
	}
	output_write(out, text, strlen(text));
	free(text);
	return output_commit(out, msg);
}

enum status command_bench(const struct options *o, struct msg *msg)
{
	struct bench_plan plan;
	struct output *json;
	json_t *root;
	int err;

	if (plan_read(&plan, o, msg))
		return STATUS_USAGE;
	if (open_files(&plan, o, &json, msg))
		return STATUS_FAILED;
	root = json_pack("{s:s, s:[], s:[]}", "version", PAGETAX_VERSION,
			 "results", "limits");
	err = root ? run_all(&plan, o, root, msg) : msg_set(msg, ENOMEM, "no memory");
	if (json && !err)
		err = write_json(json, root, msg);
	else if (json)
		output_abort(json);
	json_decref(root);
	return err ? STATUS_FAILED : STATUS_DONE;
}
