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
#include "base/nearest.h"
#include "sim/bench/bench_report.h"
#include "sim/commands.h"
#include "sim/host_memory.h"
#include "sim/output.h"
#include "sim/report/plots.h"
#include "sim/report/results.h"
#include "sim/units.h"

#define MAX_LIST 16
#define OPS 2000000UL			/* of one repeat */

struct number_list {
	uint64_t value[MAX_LIST];
	unsigned int nr;
};

struct bench_plan {
	bool patterns[NR_BENCH_PATTERNS];
	bool stream;
	bool policy;
	struct number_list memory;
	struct number_list occupancy;
	struct number_list locks;	/* enum bench_lock */
	struct number_list threads;
	struct number_list highmem;	/* 0: none, 1: all */
	unsigned long ops;		/* of a repeat */
	unsigned int repeats;
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
	for (*out = 0; *out < NR_BENCH_LOCKS; ++*out)
		if (!strcmp(text, bench_lock_names[*out]))
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

static int unknown_pattern(const char *word, struct msg *msg)
{
	struct nearest near = nearest_to(word, strlen(word));

	for (unsigned int p = 0; p < NR_BENCH_PATTERNS; p++)
		nearest_try(&near, bench_pattern_names[p]);
	nearest_try(&near, "policy");
	nearest_try(&near, "stream");
	return msg_set(msg, EINVAL, "unknown pattern '%s'%s; allowed are %s", word,
		       nearest_hint(&near), near.tried.text);
}

static int parse_patterns(struct bench_plan *plan, const char *text,
			  struct msg *msg)
{
	char *copy = strdup(text);
	char *rest = copy, *word;
	int err = copy ? 0 : msg_set(msg, ENOMEM, "no memory");

	while (!err && (word = strsep(&rest, ","))) {
		unsigned int p = 0;

		if (!strcmp(word, "stream") || !strcmp(word, "policy")) {
			*(*word == 's' ? &plan->stream : &plan->policy) = true;
			continue;
		}
		while (p < NR_BENCH_PATTERNS && strcmp(word, bench_pattern_names[p]))
			p++;
		if (p < NR_BENCH_PATTERNS)
			plan->patterns[p] = true;
		else
			err = unknown_pattern(word, msg);
	}
	free(copy);
	return err;
}

/* No backend is safe for two threads but behind its zones' locks. */
static bool can_run(enum bench_lock lock, unsigned int threads)
{
	return threads == 1 || lock == BENCH_SPINLOCK;
}

static bool any_case(const struct bench_plan *plan)
{
	for (unsigned int l = 0; l < plan->locks.nr; l++)
		for (unsigned int t = 0; t < plan->threads.nr; t++)
			if (can_run((enum bench_lock)plan->locks.value[l],
				    (unsigned int)plan->threads.value[t]))
				return true;
	return false;
}

static const char *input_of(const struct options *o)
{
	return o->nr_args ? o->args[0] : "tests/data/fork-sample";
}

static int plan_read(struct bench_plan *plan, const struct options *o,
		     struct msg *msg)
{
	int err;

	*plan = (struct bench_plan){ .stream = false };
	err = parse_patterns(plan, o->pattern ? o->pattern : "a1,aB,aW,c,b,stream", msg);
	/* Nobody asked for it, and its sample is not here. */
	if (!o->pattern && !o->nr_args && access(input_of(o), R_OK))
		plan->stream = false;
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
	plan->ops = o->ops ? (unsigned long)o->ops : OPS;
	plan->repeats = o->repeats ? (unsigned int)o->repeats : BENCH_REPEATS;
	if (o->repeats > BENCH_REPEATS || o->ops > UINT32_MAX)
		return msg_set(msg, EINVAL, "--repeats takes 1 to %d, --ops up to %u",
			       BENCH_REPEATS, UINT32_MAX);
	if (!any_case(plan))
		return msg_set(msg, EINVAL,
			       "--threads 2 needs --lock spin: no backend is safe without");
	if (o->highmem == HIGHMEM_ABOVE)
		return msg_set(msg, EINVAL, "bench: --highmem takes none or all");
	if (o->highmem != HIGHMEM_ALL)
		plan->highmem.value[plan->highmem.nr++] = 0;
	if (o->highmem != HIGHMEM_NONE)
		plan->highmem.value[plan->highmem.nr++] = 1;
	return 0;
}

/* --- running ------------------------------------------------------------- */

static int run_patterns(const struct bench_plan *plan, const struct options *o,
			struct bench_table *table, struct msg *msg)
{
	for (unsigned int p = 0; p < NR_BENCH_PATTERNS; p++) {
		struct bench_case c = table->c;
		int err;

		if (!plan->patterns[p])
			continue;
		table->rows[p] = calloc(o->nr_specs, sizeof(*table->rows[p]));
		if (!table->rows[p])
			return msg_set(msg, ENOMEM, "no memory for the bench");
		c.pattern = (enum bench_pattern)p;
		err = bench_run(&c, o->specs, o->nr_specs, table->rows[p], msg);
		if (err)
			return err;
	}
	return 0;
}

static int run_table(const struct bench_plan *plan, const struct options *o,
		     const struct bench_joined *joined,
		     const struct bench_case *c, json_t *results, struct msg *msg)
{
	struct bench_table table = { .c = *c, .nr = o->nr_specs };
	int err;

	if (!can_run(c->lock, c->threads))
		return 0;		/* another of the lists' combinations can */
	err = run_patterns(plan, o, &table, msg);
	if (!err && bench_table_record(results, &table, joined))
		err = msg_set(msg, ENOMEM, "no memory for the results");
	if (!err && !o->quiet)
		bench_table_print(&table, joined);
	for (unsigned int p = 0; p < NR_BENCH_PATTERNS; p++)
		free(table.rows[p]);
	return err;
}

#define MOST_TOUCHES 1000000	/* of one kind, in a repeat */

static int run_limits(const struct bench_plan *plan, const struct options *o,
		      json_t *limits, struct msg *msg)
{
	static const unsigned int sizes[] = { 64, 16, 8 };

	for (unsigned int m = 0; m < plan->memory.nr; m++) {
		unsigned long entries = roundup_pow2(
			(unsigned long)(plan->memory.value[m] >> PAGE_SHIFT));

		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			struct bench_limit l;
			int err = bench_limit(&l, sizes[i], entries,
					      min_t(unsigned long, plan->ops, MOST_TOUCHES),
					      msg);

			if (err)
				return err;
			json_array_append_new(limits, json_pack(
				"{s:i, s:I, s:f, s:f, s:f, s:f}", "entry_bytes", (int)sizes[i],
				"entries", (json_int_t)entries,
				"overlapped_ns", l.overlapped_ns,
				"dependent_ns", l.dependent_ns,
				"coin_ns", l.coin_ns, "free_ns", l.free_ns));
			if (!o->quiet)
				printf("the memory itself: %lu words of %2u bytes: %5.1f ns overlapped, %6.1f dependent, %5.1f with a coin toss, %5.1f in a free\n",
				       entries, sizes[i], l.overlapped_ns, l.dependent_ns,
				       l.coin_ns, l.free_ns);
		}
	}
	if (!o->quiet)
		printf("\n");
	return 0;
}

static void print_stream(const char *path, const struct bench_stream *s,
			 unsigned int nr_specs)
{
	printf("%s, M events a second of CPU time (by the clock)\n", path);
	printf("  read %.1f (%.1f)", 1e-6 * s->read.by_cpu, 1e-6 * s->read.by_clock);
	if (s->lines)
		printf(", which is %.1f M lines", 1e-6 * s->lines_per_s);
	if (!s->ops) {
		printf("; holds no demand\n");
		return;
	}
	printf("; resolved %.1f (%.1f)\n", 1e-6 * s->resolve.by_cpu,
	       1e-6 * s->resolve.by_clock);
	printf("  replayed %.1f by null, %.1f by linked, %.1f by twoword\n",
	       1e-6 * s->null_events_per_s, 1e-6 * s->linked_events_per_s,
	       1e-6 * s->twoword_events_per_s);
	printf("  from the file to null %.1f (%.1f)\n", 1e-6 * s->file_to_null.by_cpu,
	       1e-6 * s->file_to_null.by_clock);
	if (s->jobs > 1)
		printf("  %u allocators, %u at a time: %.2f of the time of one after the other; %u times the first of them: %.2f\n",
		       nr_specs, s->jobs, s->side_by_side, s->jobs,
		       s->side_by_side_same);
}

static int run_stream(const struct options *o, json_t *root, struct msg *msg)
{
	const char *path = input_of(o);
	struct bench_stream s;
	int err = bench_stream(&s, path, o->specs, o->nr_specs, msg);

	if (err)
		return err;
	json_object_set_new(root, "stream", json_pack(
		"{s:s, s:I, s:f, s:I, s:f, s:f, s:f, s:f, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:i, s:f, s:f}",
		"input", path,
		"lines", (json_int_t)s.lines, "lines_per_s", s.lines_per_s,
		"events", (json_int_t)s.events, "events_per_s", s.read.by_cpu,
		"events_per_clock_s", s.read.by_clock,
		"resolved_per_s", s.resolve.by_cpu,
		"resolved_per_clock_s", s.resolve.by_clock,
		"ops", (json_int_t)s.ops, "null_ops_per_s", s.null_ops_per_s,
		"null_events_per_s", s.null_events_per_s,
		"linked_events_per_s", s.linked_events_per_s,
		"twoword_events_per_s", s.twoword_events_per_s,
		"file_to_null_per_s", s.file_to_null.by_cpu,
		"file_to_null_per_clock_s", s.file_to_null.by_clock,
		"jobs", (int)s.jobs, "side_by_side", s.side_by_side,
		"side_by_side_same", s.side_by_side_same));
	if (!o->quiet)
		print_stream(path, &s, o->nr_specs);
	return 0;
}

static int record_policy(json_t *rows, const char *spec,
			 const struct bench_policy *p, const struct bench_policy *all)
{
	return json_array_append_new(rows, json_pack(
		"{s:s, s:s, s:f, s:f, s:f}", "allocator", spec,
		"without", p->without, "ns_per_event", p->median_ns,
		"spread", p->spread, "ratio_to_whole", p->median_ns / all->median_ns));
}

/* Of the allocators that have the policy, what each part of it costs. */
static int run_policy(const struct options *o, json_t *root, struct msg *msg)
{
	json_t *rows = json_object_get(root, "policy");

	if (!o->quiet)
		printf("%s, CPU ns an event\n%-24s %14s\n", input_of(o),
		       "policy without", "(to the whole)");
	for (unsigned int i = 0; i < o->nr_specs; i++) {
		struct bench_policy p[NR_BENCH_POLICIES];
		int err = bench_policy(p, o->specs[i], input_of(o), msg);

		if (err == -ENOTSUP)
			continue;
		for (size_t v = 0; !err && v < NR_BENCH_POLICIES; v++) {
			if (record_policy(rows, o->specs[i], &p[v], &p[0]))
				err = msg_set(msg, ENOMEM, "no memory for the results");
			if (!err && !o->quiet)
				printf("%-12s %-11s %7.1f (%4.2f) %3.0f%%\n",
				       v ? "" : o->specs[i],
				       *p[v].without ? p[v].without : "nothing",
				       p[v].median_ns, p[v].median_ns / p[0].median_ns,
				       100 * p[v].spread);
		}
		if (err)
			return err;
	}
	return 0;
}

/* Each allocator of a table has its machine; all of them stand at the same time. */
static int check_host_memory(const struct bench_plan *plan, const struct options *o,
			     struct msg *msg)
{
	const struct host_need need = {
		.specs = o->specs,
		.nr_specs = o->nr_specs,
		.together = o->nr_specs,
		.page_bytes = BENCH_PAGE_BYTES,
		.advice = "choose a smaller --memory, or fewer allocators",
	};
	int err = 0;

	for (unsigned int m = 0; !err && m < plan->memory.nr; m++) {
		struct layout layout;

		err = layout_flat(&layout, (unsigned long)(plan->memory.value[m] >> PAGE_SHIFT),
				  1, msg);
		if (!err)
			err = host_memory_check("--memory", &layout, &need, msg);
		layout_free(&layout);
	}
	return err;
}

static int run_all(const struct bench_plan *plan, const struct options *o,
		   const struct bench_joined *joined, json_t *root,
		   struct msg *msg)
{
	json_t *results = json_object_get(root, "results");
	bool any = false;
	int err = 0;

	for (unsigned int p = 0; p < NR_BENCH_PATTERNS; p++)
		any |= plan->patterns[p];
	if (any)
		err = check_host_memory(plan, o, msg);
	if (any && !err)
		err = run_limits(plan, o, json_object_get(root, "limits"), msg);
	for (unsigned int m = 0; any && !err && m < plan->memory.nr; m++)
	for (unsigned int u = 0; u < plan->occupancy.nr; u++)
	for (unsigned int l = 0; l < plan->locks.nr; l++)
	for (unsigned int t = 0; t < plan->threads.nr; t++)
	for (unsigned int h = 0; !err && h < plan->highmem.nr; h++)
		err = run_table(plan, o, joined, &(struct bench_case){
			.bytes = plan->memory.value[m],
			.occupancy = (unsigned int)plan->occupancy.value[u],
			.lock = (enum bench_lock)plan->locks.value[l],
			.threads = (unsigned int)plan->threads.value[t],
			.highmem = plan->highmem.value[h],
			.ops = plan->ops,
			.repeats = plan->repeats,
			.seed = o->seed,
		}, results, msg);
	if (!err && plan->policy)
		err = run_policy(o, root, msg);
	if (!err && plan->stream)
		err = run_stream(o, root, msg);
	return err;
}

/* --- files ---------------------------------------------------------------- */

#define JSON_FLAGS (JSON_INDENT(2) | JSON_REAL_PRECISION(6))

static int write_files(struct results *r, const json_t *root, struct msg *msg)
{
	FILE *out = results_open(r, "bench.tsv", msg);
	int err;

	if (!out)
		return -EIO;
	bench_write_tsv(out, json_object_get(root, "results"));
	err = results_close(r, out, "bench.tsv", 0, msg);
	if (err)
		return err;
	out = results_open(r, "summary.json", msg);
	return out ? results_close(r, out, "summary.json",
				   json_dumpf(root, out, JSON_FLAGS) ? -EIO : 0,
				   msg) : -EIO;
}

static int write_folder(const struct options *o, const json_t *root,
			struct msg *msg)
{
	struct results r;
	int err = results_begin(&r, o->output, msg);

	if (err)
		return err;
	err = write_files(&r, root, msg);
	if (!err && !o->no_plots && json_array_size(json_object_get(root, "results")))
		plots_draw_one(r.tmp, "bench");
	return results_end(&r, err, msg);
}

static int write_output(struct output *out, const json_t *root, struct msg *msg)
{
	char *text = json_dumps(root, JSON_FLAGS);

	if (!text) {
		output_abort(out);
		return msg_set(msg, ENOMEM, "no memory");
	}
	output_write(out, text, strlen(text));
	free(text);
	return output_commit(out, msg);
}

static int bench_and_write(const struct bench_plan *plan, const struct options *o,
			   const struct bench_joined *joined,
			   struct output *json, struct msg *msg)
{
	json_t *root = json_pack("{s:s, s:s, s:[], s:[], s:[], s:[]}",
				 "version", PAGETAX_VERSION, "command", "bench",
				 "runs", "results", "limits", "policy");
	int err = root ? run_all(plan, o, joined, root, msg)
		       : msg_set(msg, ENOMEM, "no memory");

	if (json && !err)
		err = write_output(json, root, msg);
	else if (json)
		output_abort(json);
	if (!err && o->output)
		err = write_folder(o, root, msg);
	json_decref(root);
	return err;
}

/* What would fail at the end of minutes is asked for first. */
static int open_files(const struct bench_plan *plan, const struct options *o,
		      struct output **json, struct msg *msg)
{
	*json = NULL;
	if ((plan->stream || plan->policy) && access(input_of(o), R_OK))
		return msg_set(msg, errno, "%s: %s; expected an INPUT for the patterns stream and policy",
			       input_of(o), strerror(errno));
	return o->json ? output_open(json, o->json, false, msg) : 0;
}

enum status command_bench(const struct options *o, struct msg *msg)
{
	struct bench_joined joined;
	struct bench_plan plan;
	struct output *json;
	int err;

	if (plan_read(&plan, o, msg))
		return STATUS_USAGE;
	if (o->output && results_check(o->output, msg))
		return STATUS_FAILED;
	if (bench_joined_load(&joined, o->costs, o->instructions, msg))
		return STATUS_FAILED;
	err = open_files(&plan, o, &json, msg);
	if (!err)
		err = bench_and_write(&plan, o, &joined, json, msg);
	bench_joined_free(&joined);
	return err ? STATUS_FAILED : STATUS_DONE;
}
