/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command_fit.c - pagetax fit: a trace becomes a scenario, and proves itself
 *
 *    trace -> demand -> lives --fit--> SCENARIO.ini
 *               |         |               |
 *             replay      |            simulate --record--> trace
 *               |         |               |                   |
 *          2 MiB share    |          2 MiB share            lives
 *               |         +--- live pages, orders, gaps, ---+  |
 *               |              lifetimes: compared             |
 *               +------------> SCENARIO.tsv <-----------------+
 *
 * Replay and simulation use one allocator, the first of -a. Both files get their
 * names at the end: a fit that fails or is interrupted leaves an older one alone.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/commands.h"
#include "sim/fit.h"
#include "sim/interrupt.h"
#include "sim/metrics/fragmentation.h"
#include "sim/output.h"
#include "sim/record.h"
#include "sim/report/plots.h"
#include "sim/report/progress.h"
#include "sim/simulate.h"

/* A trace with what is known of it. */
struct traced {
	struct bundle bundle;
	struct layout layout;
	struct demand demand;
	struct initial_state start;
	struct sample_plan samples;
	struct fit_lives lives;
};

struct fitting {
	const struct options *options;
	struct traced trace, simulated;
	struct replay_run replayed, run;
	struct fit_quality quality;
	char *tsv;			/* SCENARIO.tsv */
	struct output *scenario_file, *curves_file;	/* NULL: not open, or complete */
	char *record;			/* the simulated run, while it is needed */
	struct progress progress;
};

static int no_memory(struct msg *msg)
{
	return msg_set(msg, ENOMEM, "no memory for the fit");
}

static int traced_read(struct traced *r, const char *path, uint64_t limit,
		       const struct layout *layout, const char *pinned,
		       const char *resident, struct msg *msg)
{
	int err = bundle_read(&r->bundle, path, limit, msg);

	if (err)
		return err;
	if (layout_copy(&r->layout, layout ? layout : &r->bundle.layout))
		return no_memory(msg);
	err = demand_resolve(&r->demand, &r->bundle, &r->layout, msg);
	if (err)
		return err;
	return fit_lives_follow(&r->lives, &r->demand, &r->bundle.trace, pinned,
				resident) ? no_memory(msg) : 0;
}

static void traced_free(struct traced *r)
{
	fit_lives_free(&r->lives);
	sample_plan_free(&r->samples);
	initial_state_free(&r->start);
	demand_free(&r->demand);
	layout_free(&r->layout);
	bundle_free(&r->bundle);
}

static char *with_ending(const char *path, const char *ending)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(path, '.');
	size_t len = dot && (!slash || dot > slash) ? (size_t)(dot - path) : strlen(path);
	char *name = malloc(len + strlen(ending) + 1);

	if (name) {
		memcpy(name, path, len);
		strcpy(name + len, ending);
	}
	return name;
}

/* Pages in use that no event names, so that no class could free them. */
static uint64_t pinned_pages(const struct traced *r)
{
	uint64_t present = layout_present(&r->layout);
	uint64_t known = r->start.free_pages + r->start.resident_pages;

	return r->bundle.has_snapshot && known < present ? present - known : 0;
}

/* Whether they can be written is asked before all the work. */
static int open_files(struct fitting *f, struct msg *msg)
{
	int err = output_open(&f->scenario_file, f->options->output, false, msg);

	return err ? err : output_open(&f->curves_file, f->tsv, false, msg);
}

static void close_files(struct fitting *f)
{
	if (f->scenario_file)
		output_abort(f->scenario_file);
	if (f->curves_file)
		output_abort(f->curves_file);
}

/* What `write` prints is what the file will be. */
static int fill(struct output *file, const struct fitting *f,
		int (*write)(FILE *out, const struct fitting *f), struct msg *msg)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int err = out ? write(out, f) : -ENOMEM;

	if (out && fclose(out))
		err = -ENOMEM;
	if (!err)
		output_write(file, text, len);
	free(text);
	return err ? no_memory(msg) : 0;
}

static int complete(struct output **file, struct msg *msg)
{
	struct output *output = *file;

	*file = NULL;
	return output_commit(output, msg);
}

static int write_scenario(FILE *out, const struct fitting *f)
{
	char about[128];

	snprintf(about, sizeof(about), "fitted to %s", f->trace.bundle.name);
	return fit_write(out, &f->trace.lives, &f->trace.layout,
			 pinned_pages(&f->trace), about);
}

static int read_trace(struct fitting *f, struct msg *msg)
{
	const struct options *o = f->options;
	struct traced *r = &f->trace;
	struct rng rng;
	int err = traced_read(r, o->args[0], o->limit, NULL, NULL, NULL, msg);

	if (err)
		return err;
	if (!r->demand.nr_allocs)
		return msg_set(msg, EINVAL,
			       "%s: it holds no allocation; expected some to fit",
			       r->bundle.name);
	rng_seed(&rng, o->seed);
	return initial_state_build(&r->start, &r->bundle, &r->layout, &r->demand,
				   &rng, msg);
}

static int replay_trace(struct fitting *f, struct msg *msg)
{
	struct traced *r = &f->trace;
	const struct replay_plan plan = {
		.layout = &r->layout,
		.demand = &r->demand,
		.start = &r->start,
		.samples = &r->samples,
		.progress = progress_show,
		.progress_ctx = &f->progress,
	};
	int err = sample_plan_make(&r->samples, &r->demand, &r->bundle.trace, 0,
				   r->demand.end_ns / FIT_POINTS + 1, msg);

	return err ? err : replay(&f->replayed, &plan, f->options->specs[0], msg);
}

static int simulate_fit(struct fitting *f, struct msg *msg)
{
	const struct bundle empty = { 0 };
	const struct demand nobody = { 0 };
	struct initial_state start;
	struct scenario s;
	struct record record;
	struct rng rng;
	int err = scenario_read(&s, output_flush(f->scenario_file), 1, msg);
	const struct simulate_plan plan = {
		.scenario = &s,
		.layout = &s.layout,
		.start = &start,
		.allocatees = &f->options->allocatees,
		.seed = f->options->seed,
		.sample_ns = f->trace.demand.end_ns / FIT_POINTS + 1,
		.record = &record,
		.progress = progress_show_time,
		.progress_ctx = &f->progress,
	};

	if (err)
		return err;
	rng_seed(&rng, f->options->seed);
	err = initial_state_build(&start, &empty, &s.layout, &nobody, &rng, msg);
	if (err)
		goto free_scenario;
	unlink(f->record);
	interrupt_removes(f->record);
	err = record_open(&record, f->record, CONVERT_BY_NAME, &s, msg);
	if (err)
		goto remove_record;
	err = simulate(&f->run, &plan, f->options->specs[0], msg);
	if (err)
		record_abort(&record);
	else
		err = record_close(&record, &s.layout, msg);
	if (!err)
		err = traced_read(&f->simulated, f->record, 0, &s.layout,
				  FIT_PINNED, FIT_RESIDENT, msg);
remove_record:
	unlink(f->record);
	interrupt_keeps(f->record);
	initial_state_free(&start);
free_scenario:
	scenario_free(&s);
	return err;
}

static double share_at(const struct replay_run *run, const struct layout *layout,
		       size_t i)
{
	unsigned long nr_free[NR_PAGE_ORDERS];

	i = min_t(size_t, i, run->series.nr - 1);
	sample_sum_zones(&run->series.samples[i], layout->nr_zones, nr_free);
	return free_share_2m(nr_free);
}

static int write_curves(FILE *out, const struct fitting *f)
{
	uint64_t end_ns = f->trace.lives.end_ns;
	uint64_t live[FIT_POINTS + 1], simulated[FIT_POINTS + 1];

	fit_live_pages(&f->trace.lives, end_ns, live);
	fit_live_pages(&f->simulated.lives, end_ns, simulated);
	fprintf(out, "# pagetax %s: %s fitted, allocator %s, seed %" PRIu64 "\n",
		PAGETAX_VERSION, f->trace.bundle.name, f->options->specs[0],
		f->options->seed);
	fprintf(out, "time_ns\ttrace_live_pages\tsimulated_live_pages\ttrace_share_2m\tsimulated_share_2m\n");
	for (unsigned int i = 0; i <= FIT_POINTS; i++)
		fprintf(out, "%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%.6f\t%.6f\n",
			end_ns / FIT_POINTS * i, live[i], simulated[i],
			share_at(&f->replayed, &f->trace.layout, i),
			share_at(&f->run, &f->simulated.layout, i));
	return 0;
}

static double mean_share_difference(const struct fitting *f)
{
	double sum = 0;

	for (unsigned int i = 0; i <= FIT_POINTS; i++) {
		double apart = share_at(&f->replayed, &f->trace.layout, i) -
			       share_at(&f->run, &f->simulated.layout, i);

		sum += apart < 0 ? -apart : apart;
	}
	return sum / (FIT_POINTS + 1);
}

static void print_quality(const struct fitting *f)
{
	const struct fit_quality *q = &f->quality;

	printf("%zu blocks of %s fitted; simulated with %s:\n", f->trace.lives.nr,
	       f->trace.bundle.name, f->options->specs[0]);
	printf("  %-44s %8.4f\n", "orders, Kolmogorov-Smirnov distance", q->orders_ks);
	printf("  %-44s %8.4f\n", "orders, largest difference of a share", q->orders_max);
	printf("  %-44s %8.4f\n", "gaps between allocations, K-S distance", q->gaps_ks);
	printf("  %-44s %8.4f\n", "lifetimes, K-S distance", q->lifetimes_ks);
	printf("  %-44s %8.2f %%\n", "live pages over time, mean difference",
	       100 * q->live_mean);
	printf("  %-44s %8.2f points\n", "free 2 MiB share over time, mean difference",
	       100 * mean_share_difference(f));
	printf("curves in %s; gnuplot -c %s/fit.gp PLOT.svg %s draws them\n", f->tsv,
	       plots_dir(), f->tsv);
}

static int prove(struct fitting *f, struct msg *msg)
{
	int err = replay_trace(f, msg);

	if (!err)
		err = simulate_fit(f, msg);
	if (!err && fit_compare(&f->quality, &f->trace.lives, &f->simulated.lives))
		err = no_memory(msg);
	return err ? err : fill(f->curves_file, f, write_curves, msg);
}

enum status command_fit(const struct options *o, struct msg *msg)
{
	struct fitting f = { .options = o };
	size_t len = o->output ? strlen(o->output) : 0;
	int err = -ENOMEM;

	if (len < 5 || strcmp(o->output + len - 4, ".ini")) {
		msg_set(msg, EINVAL, "-o names the scenario to write; expected a file that ends in .ini");
		return STATUS_USAGE;
	}
	f.tsv = with_ending(o->output, ".tsv");
	f.record = with_ending(o->output, ".trace.tmp");
	note_interrupts();
	progress_start(&f.progress, !o->quiet, 2);
	progress_note(&f.progress, "reading");
	if (f.tsv && f.record)
		err = open_files(&f, msg);
	else
		no_memory(msg);
	if (!err)
		err = read_trace(&f, msg);
	if (!err)
		err = fill(f.scenario_file, &f, write_scenario, msg);
	if (!err)
		err = prove(&f, msg);
	if (!err)
		err = complete(&f.scenario_file, msg);
	if (!err)
		err = complete(&f.curves_file, msg);
	progress_end(&f.progress);
	if (!err && !o->quiet)
		print_quality(&f);
	close_files(&f);
	replay_run_free(&f.replayed);
	replay_run_free(&f.run);
	traced_free(&f.simulated);
	traced_free(&f.trace);
	free(f.tsv);
	free(f.record);
	return err ? STATUS_FAILED : STATUS_DONE;
}
