/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command_replay.c - pagetax replay: one input, several allocators
 *
 *    input -> bundle -> demand, start state, sample times     once
 *          -> replay    --jobs allocators at a time           each
 *          -> table, result folder                            once
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/commands.h"
#include "sim/host_memory.h"
#include "sim/interrupt.h"
#include "sim/parallel.h"
#include "sim/report/outcome.h"
#include "sim/report/results.h"
#include "sim/wall_clock.h"
#include "sim/workload/scenario.h"

/* What all replays of one command share, and what they leave behind. */
struct comparison {
	const struct options *options;
	struct bundle bundle;
	struct layout layout;
	struct demand demand;
	struct initial_state start;
	struct sample_plan samples;
	struct progress progress;
	struct replay_run *runs;
	unsigned int nr_runs;		/* set by replay_each() */
	double begin_s;
};

static int choose_machine(struct comparison *c, struct msg *msg)
{
	const struct options *o = c->options;
	const struct bundle *b = &c->bundle;
	unsigned int cpus = b->trace.nr_cpus ? b->trace.nr_cpus : 1;

	if (!o->machine_bytes && !o->machine_scenario) {
		if (layout_copy(&c->layout, &b->layout))
			return msg_set(msg, ENOMEM, "no memory for the machine");
		return 0;
	}
	if (b->has_snapshot || b->has_zoneinfo)
		return msg_set(msg, EINVAL,
			       "--machine: %s brings its own machine; the option is for a bare trace",
			       b->name);
	if (o->machine_scenario)
		return scenario_machine(&c->layout, o->machine_scenario,
					o->scale, msg);
	if (o->machine_flat)
		return layout_flat(&c->layout,
				   (unsigned long)(o->machine_bytes >> PAGE_SHIFT),
				   cpus, msg);
	return layout_pc(&c->layout, o->machine_bytes, cpus, msg);
}

/* A checker's shadow takes a byte a page besides. */
static int check_host_memory(const struct comparison *c, struct msg *msg)
{
	const struct options *o = c->options;
	const struct host_need need = {
		.specs = o->specs,
		.nr_specs = o->nr_specs,
		.together = o->jobs ? o->jobs : processors(),
		.page_bytes = o->check,
		.advice = o->machine_bytes || o->machine_scenario ?
			"choose a smaller --machine" : "take fewer allocators at a time (--jobs 1)",
	};

	return host_memory_check(c->bundle.name, &c->layout, &need, msg);
}

/* Read the input and make everything the replays share. */
static int prepare(struct comparison *c, struct msg *msg)
{
	const struct options *o = c->options;
	struct rng rng;
	int err;

	progress_note(&c->progress, "reading");
	err = bundle_read(&c->bundle, o->args[0], o->limit, msg);
	if (err)
		return err;
	err = choose_machine(c, msg);
	if (err)
		return err;
	if (o->merge_zones)
		err = layout_merge_zones(&c->layout, msg);
	if (err)
		return err;
	options_apply_highmem(o, &c->layout);
	err = check_host_memory(c, msg);
	if (err)
		return err;
	progress_note(&c->progress, "resolving");
	err = demand_resolve(&c->demand, &c->bundle, &c->layout, msg);
	if (err == -EINVAL)
		bundle_find_stray(o->args[0], o->limit, &c->layout, msg);
	if (err)
		return err;
	rng_seed(&rng, o->seed);
	err = initial_state_build(&c->start, &c->bundle, &c->layout, &c->demand,
				o->address_order ? NULL : &rng, msg);
	if (err)
		return err;
	return sample_plan_make(&c->samples, &c->demand, &c->bundle.trace,
				o->sample_events, o->sample_ns, msg);
}

static void comparison_free(struct comparison *c)
{
	for (unsigned int i = 0; i < c->nr_runs; i++)
		replay_run_free(&c->runs[i]);
	free(c->runs);
	sample_plan_free(&c->samples);
	initial_state_free(&c->start);
	demand_free(&c->demand);
	layout_free(&c->layout);
	bundle_free(&c->bundle);
}

static int replay_all(struct comparison *c, struct msg *msg)
{
	const struct options *o = c->options;
	const struct replay_plan plan = {
		.layout = &c->layout,
		.demand = &c->demand,
		.bundle = &c->bundle,
		.allocatees = &o->allocatees,
		.start = &c->start,
		.samples = &c->samples,
		.window = o->window,
		.checked = o->check,
		.teardown = o->teardown,
		.progress = progress_show,
		.progress_ctx = &c->progress,
	};

	c->runs = calloc(o->nr_specs, sizeof(*c->runs));
	if (!c->runs)
		return msg_set(msg, ENOMEM, "no memory for the results");
	c->nr_runs = o->nr_specs;
	return replay_each(c->runs, &plan, o->specs, o->nr_specs,
			   o->jobs ? o->jobs : processors(), progress_next, msg);
}

static enum status show(const struct comparison *c, struct msg *msg)
{
	const struct experiment e = {
		.command = "replay",
		.input_name = c->bundle.name,
		.input_sha256 = c->bundle.trace.sha256,
		.options = c->options,
		.layout = &c->layout,
		.demand = &c->demand,
		.allocatees = &c->options->allocatees,
		.process_names = c->bundle.trace.comms,
		.start = &c->start,
		.runs = c->runs,
		.nr_runs = c->nr_runs,
		.wall_s = wall_clock_s() - c->begin_s,
	};

	return outcome_show(&e, &c->progress, msg);
}

enum status command_replay(const struct options *o, struct msg *msg)
{
	struct comparison c = { .options = o, .begin_s = wall_clock_s() };
	enum status status = STATUS_FAILED;

	if (o->scale != 1 && !o->machine_scenario) {
		msg_set(msg, EINVAL,
			"--scale: a recording cannot be scaled; it is for the machine of a scenario (-m SCENARIO)");
		return STATUS_USAGE;
	}
	if (o->output && results_check(o->output, msg))
		return STATUS_FAILED;
	progress_start(&c.progress, !o->quiet, o->nr_specs);
	if (prepare(&c, msg))
		goto done;
	note_interrupts();
	progress_start(&c.progress, !o->quiet, o->nr_specs);
	if (!replay_all(&c, msg))
		status = show(&c, msg);
done:
	progress_end(&c.progress);
	comparison_free(&c);
	return status;
}
