/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command_simulate.c - pagetax simulate: one scenario, several allocators
 *
 *    scenario -> machine, start state            once
 *             -> simulate   an allocator at a time    each
 *             -> table, result folder            once
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloc/registry.h"
#include "base/bits.h"
#include "sim/commands.h"
#include "sim/host_memory.h"
#include "sim/interrupt.h"
#include "sim/record.h"
#include "sim/report/outcome.h"
#include "sim/report/results.h"
#include "sim/simulate.h"
#include "sim/units.h"
#include "sim/wall_clock.h"

#define DEFAULT_SAMPLES 200

/* What all simulations of one command share, and what they leave behind. */
struct study {
	const struct options *options;
	struct scenario scenario;
	struct layout layout;		/* the scenario's, with --highmem applied */
	struct initial_state start;
	struct record record;		/* out is NULL when none was asked for */
	struct progress progress;
	struct replay_run *runs;
	unsigned int nr_runs;		/* with results */
	bool interrupted;
	double begin_s;
};

static uint64_t sample_ns(const struct study *s)
{
	if (s->options->sample_ns)
		return s->options->sample_ns;
	return s->scenario.duration_ns / DEFAULT_SAMPLES + 1;
}

/* What cannot be: options that do not fit this scenario. */
static int check_options(const struct study *s, struct msg *msg)
{
	const struct options *o = s->options;

	if (o->sample_events)
		return msg_set(msg, EINVAL,
			       "--sample %" PRIu64 ": a simulation is sampled by time; expected TIME as in 10ms",
			       o->sample_events);
	if (s->scenario.duration_ns / sample_ns(s) > MAX_SAMPLES)
		return msg_set(msg, EINVAL,
			       "--sample: this is more than %d samples; take them further apart",
			       MAX_SAMPLES);
	if (o->record && o->nr_specs != 1)
		return msg_set(msg, EINVAL,
			       "--record: a trace is of one allocator; expected one in -a, not %u",
			       o->nr_specs);
	if (o->format != CONVERT_BY_NAME && !o->record)
		return msg_set(msg, EINVAL,
			       "--to is the format of a trace; expected --record FILE with it");
	if (o->record && o->compaction)
		return msg_set(msg, EINVAL,
			       "--record: a trace cannot say where compaction moved a block; leave --compaction out");
	return 0;
}

static int read_scenario(struct study *s, struct msg *msg)
{
	const struct options *o = s->options;
	int err = scenario_read(&s->scenario, o->args[0], o->scale, msg);

	if (!err)
		err = check_options(s, msg);
	if (err)
		return err;
	if (layout_copy(&s->layout, &s->scenario.layout))
		return msg_set(msg, ENOMEM, "no memory for the machine");
	options_apply_highmem(o, &s->layout);
	return 0;
}

/* For a page besides: a checker's shadow 1 byte, compaction's owners 4. */
static int check_host_memory(const struct study *s, struct msg *msg)
{
	const struct options *o = s->options;
	const struct host_need need = {
		.specs = o->specs,
		.nr_specs = o->nr_specs,
		.together = 1,
		.page_bytes = o->check + 4U * o->compaction,
		.advice = "choose a smaller --scale",
	};

	return host_memory_check(s->scenario.name, &s->layout, &need, msg);
}

static int prepare(struct study *s, struct msg *msg)
{
	const struct options *o = s->options;
	const struct bundle empty = { 0 };
	const struct demand nobody = { 0 };
	struct rng rng;
	int err = check_host_memory(s, msg);

	if (err)
		return err;
	rng_seed(&rng, o->seed);
	err = initial_state_build(&s->start, &empty, &s->layout, &nobody,
				  o->address_order ? NULL : &rng, msg);
	if (err)
		return err;
	s->runs = calloc(o->nr_specs, sizeof(*s->runs));
	if (!s->runs)
		return msg_set(msg, ENOMEM, "no memory for the results");
	return o->record ? record_open(&s->record, o->record, o->format,
				       &s->scenario, msg) : 0;
}

/* An interrupted run is the last one; its results so far are kept. */
static int simulate_all(struct study *s, struct msg *msg)
{
	const struct options *o = s->options;
	const struct simulate_plan plan = {
		.scenario = &s->scenario,
		.layout = &s->layout,
		.start = &s->start,
		.allocatees = &o->allocatees,
		.seed = o->seed,
		.sample_ns = sample_ns(s),
		.window = o->window,
		.checked = o->check,
		.teardown = o->teardown,
		.compaction = o->compaction,
		.record = s->record.out ? &s->record : NULL,
		.progress = progress_show_time,
		.progress_ctx = &s->progress,
	};

	for (unsigned int i = 0; i < o->nr_specs && !s->interrupted; i++) {
		int err;

		s->nr_runs = i + 1;
		progress_boot(&s->progress, o->specs[i]);
		err = simulate(&s->runs[i], &plan, o->specs[i], msg);
		s->interrupted = err == -EINTR;
		if (err && !s->interrupted)
			return err;
		progress_next(&s->progress);
	}
	return s->record.out ? record_close(&s->record, &s->layout, msg) : 0;
}

#define CLASSES_SHOWN 20		/* a fitted scenario has a hundred */

static int by_pages_falling(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x < y) - (x > y);
}

/* Pages that a class has to reach so as to be shown. */
static uint64_t least_shown(const struct replay_run *run)
{
	uint64_t pages[SCENARIO_MAX_CLASSES];

	for (unsigned int i = 0; i < run->nr_classes; i++)
		pages[i] = run->classes[i].pages_peak;
	qsort(pages, run->nr_classes, sizeof(*pages), by_pages_falling);
	return run->nr_classes > CLASSES_SHOWN ? pages[CLASSES_SHOWN - 1] : 0;
}

static void print_classes(const struct study *s)
{
	const struct replay_run *first = &s->runs[0];
	uint64_t least = least_shown(first);
	unsigned int left_out = 0;

	printf("\n%-20s %12s %12s %12s %10s %10s\n", "class", "blocks", "pages",
	       "reclaimed", "fallbacks", "failed");
	printf("%-20s %12s %12s %12s %10s %10s\n", first->spec, "got", "at most",
	       "blocks", "", "");
	for (unsigned int i = 0; i < first->nr_classes; i++) {
		const struct class_result *c = &first->classes[i];

		if (c->pages_peak < least) {
			left_out++;
			continue;
		}
		printf("%-20s %12" PRIu64 " %12" PRIu64 " %12" PRIu64
		       " %10" PRIu64 " %10" PRIu64 "\n",
		       c->name, c->allocs, c->pages_peak, c->reclaimed,
		       c->fallbacks, c->failed_allocs);
	}
	if (left_out)
		printf("and %u classes of fewer pages; summary.json of -o has all\n",
		       left_out);
}

/*
 * What needs an address, where there is more memory than addresses. A design
 * whose metadata alone is too much is simulated all the same, as if it had
 * room: how far it is from fitting is what the table is for.
 */
static void print_lowmem(const struct study *s)
{
	uint64_t lowmem = layout_lowmem_bytes(&s->layout);
	uint64_t first = s->runs[0].tax.lowmem_peak_bytes;
	char used[32], left[32], all[32], saved[32];

	printf("\n%-20s %12s %12s %12s %14s %12s\n", "lowmem", "metadata",
	       "of lowmem", "left for", "saved beside", "maps");
	printf("%-20s %12s %12s %12s %14s %12s\n",
	       format_bytes(lowmem, all, sizeof(all)), "at most", "percent",
	       "the rest", s->runs[0].spec, "per op");
	for (unsigned int i = 0; i < s->nr_runs; i++) {
		const struct replay_run *run = &s->runs[i];
		uint64_t bytes = run->tax.lowmem_peak_bytes;
		uint64_t difference = bytes > first ? bytes - first : first - bytes;

		format_bytes(bytes, used, sizeof(used));
		format_bytes(lowmem - min_t(uint64_t, bytes, lowmem), left, sizeof(left));
		format_bytes(difference, saved, sizeof(saved));
		printf("%-20s %12s %12.1f %12s %s%13s %12.4f\n", run->spec, used,
		       100 * (double)bytes / (double)lowmem, left,
		       bytes > first ? "-" : " ", saved,
		       (double)run->kmap.calls / (double)max_t(uint64_t, run->ops_done, 1));
		if (bytes > lowmem)
			printf("%-20s does not fit, no such machine could start: %s of metadata, %s of lowmem\n",
			       "", used, all);
	}
}

static void print_compaction(const struct study *s)
{
	printf("\n%-20s %8s %8s %8s %10s %10s %12s %12s\n", "compaction", "asked",
	       "served", "runs", "deferred", "unsuitable", "scanned", "moved");
	printf("%-20s %8s %8s %8s %10s %10s %12s %12s\n", "", "", "", "", "zones",
	       "zones", "pages", "pages");
	for (unsigned int i = 0; i < s->nr_runs; i++) {
		const struct replay_run *run = &s->runs[i];
		const struct compact_result *c = &run->compact;

		printf("%-20s %8" PRIu64, run->spec, c->asked);
		if (c->refused)
			printf(" cannot take a free block where it lies: none tried\n");
		else
			printf(" %8" PRIu64 " %8" PRIu64 " %10" PRIu64 " %10" PRIu64
			       " %12" PRIu64 " %12" PRIu64 "\n",
			       c->served, c->runs, c->deferred, c->unsuitable,
			       c->pages_scanned, c->pages_moved);
	}
}

/* What simulating took, the allocator's own work included. */
static void print_engine(const struct study *s)
{
	char bytes[32];

	printf("\n%-20s %12s %14s %12s %12s %12s\n", "engine", "events", "million/s",
	       "blocks kept", "bytes each", "splits and");
	printf("%-20s %12s %14s %12s %12s %12s\n", "", "", "processor time", "at most", "",
	       "merges each");
	for (unsigned int i = 0; i < s->nr_runs; i++) {
		const struct replay_run *run = &s->runs[i];
		const struct engine_use *use = &run->engine;

		printf("%-20s %12" PRIu64 " %14.2f %12" PRIu64 " %12.1f %12.2f\n", run->spec,
		       use->events, (double)use->events / run->cpu_s / 1e6,
		       use->lives_peak,
		       (double)use->bytes_peak / (double)max_t(uint64_t, use->lives_peak, 1),
		       (double)(run->stats.splits + run->stats.merges) /
			       (double)max_t(uint64_t, use->events, 1));
	}
	printf("\nhost memory: at most %s\n",
	       format_bytes(host_memory_peak(), bytes, sizeof(bytes)));
}

static enum status show(const struct study *s, struct msg *msg)
{
	/* Nothing was recorded, so nothing of a recording can be dirty. */
	const struct demand demand = {
		.nr_events = s->runs[0].events,
		.end_ns = s->scenario.duration_ns,
	};
	const struct experiment e = {
		.command = "simulate",
		.input_name = s->scenario.name,
		.input_sha256 = s->scenario.sha256,
		.options = s->options,
		.layout = &s->layout,
		.demand = &demand,
		.allocatees = &s->options->allocatees,
		.start = &s->start,
		.runs = s->runs,
		.nr_runs = s->nr_runs,
		.interrupted = s->interrupted,
		.wall_s = wall_clock_s() - s->begin_s,
	};
	struct msg verdict;
	enum status status = outcome_show(&e, &s->progress, &verdict);

	if (!s->options->quiet && s->layout.highmem_pfn &&
	    s->layout.highmem_pfn < layout_end_pfn(&s->layout))
		print_lowmem(s);
	if (!s->options->quiet && s->options->compaction)
		print_compaction(s);
	if (!s->options->quiet) {
		print_classes(s);
		print_engine(s);
	}
	/* Being interrupted is told, unless there is worse to tell. */
	if (status != STATUS_DONE)
		*msg = verdict;
	return s->interrupted ? STATUS_FAILED : status;
}

static void study_free(struct study *s)
{
	record_abort(&s->record);
	for (unsigned int i = 0; i < s->nr_runs; i++)
		replay_run_free(&s->runs[i]);
	free(s->runs);
	initial_state_free(&s->start);
	layout_free(&s->layout);
	scenario_free(&s->scenario);
}

enum status command_simulate(const struct options *o, struct msg *msg)
{
	struct study s = { .options = o, .begin_s = wall_clock_s() };
	enum status status = STATUS_FAILED;
	int err;

	if (o->output && results_check(o->output, msg))
		return STATUS_FAILED;
	err = read_scenario(&s, msg);
	if (err) {
		status = err == -EINVAL ? STATUS_USAGE : STATUS_FAILED;
		goto done;
	}
	note_interrupts();
	progress_start(&s.progress, !o->quiet, o->nr_specs);
	progress_note(&s.progress, "preparing");
	if (!prepare(&s, msg) && !simulate_all(&s, msg))
		status = show(&s, msg);
done:
	progress_end(&s.progress);
	study_free(&s);
	return status;
}
