/* SPDX-License-Identifier: GPL-2.0-or-later */
/* validation.c - which levels a bundle allows, and running them in order */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/validate/bounds.h"
#include "sim/validate/validation.h"

static void leave_out(struct validation *v, const char *levels, const char *why)
{
	if (v->nr_left_out < MAX_LEFT_OUT)
		msg_set(&v->left_out[v->nr_left_out++], ENOENT, "%s: %s", levels, why);
}

/* Files that are there, but broken; what that leaves out is noted elsewhere. */
static void note_broken(struct validation *v)
{
	for (unsigned int i = 0; i < v->bundle.nr_bad_parts; i++)
		leave_out(v, "a broken file", v->bundle.bad_parts[i].text);
}

/* What every level needs that looks at samples. */
static bool has_samples(struct validation *v)
{
	const struct bundle *b = &v->bundle;

	note_broken(v);
	if (!b->nr_buddyinfo)
		leave_out(v, "comparison with samples", b->has_zoneinfo ?
			  "no samples in buddyinfo.tsv; expected those of /proc/buddyinfo" :
			  "no zoneinfo.start, so buddyinfo's zones are unknown");
	return b->nr_buddyinfo;
}

static bool has_nodes(const struct layout *l)
{
	for (unsigned int i = 1; i < l->nr_zones; i++)
		if (!strcmp(l->zones[i].name, l->zones[i - 1].name))
			return true;
	return false;
}

/* Tracepoints that were off: the buddy, or its per-CPU lists, go unseen. */
static void note_unseen(struct validation *v)
{
	const uint64_t *nr = v->bundle.trace.by_kind;

	if (!nr[EV_ZONE_LOCKED])
		leave_out(v, "L0, L0.5", "no mm_page_alloc_zone_locked in the trace; pages leave the free lists unseen");
	if (!nr[EV_PCPU_DRAIN])
		leave_out(v, "L0, L0.5", "no mm_page_pcpu_drain in the trace; pages enter the free lists unseen");
}

/* First and last sample of a counter; false: there is none. */
static bool counter_span(const struct bundle *b, const char *name, uint64_t *first,
			 uint64_t *last)
{
	bool any = false;

	for (size_t i = 0; i < b->nr_counters; i++) {
		const struct counter_sample *c = &b->counters[i];

		if (strcmp(b->counter_names[c->name], name))
			continue;
		*first = any ? *first : c->value;
		*last = c->value;
		any = true;
	}
	return any;
}

/* A zone that grows while it is recorded gets pages that nobody freed. */
static void note_growth(struct validation *v)
{
	const struct layout *l = &v->bundle.layout;

	for (unsigned int z = 0; z < l->nr_zones; z++) {
		uint64_t first = 0, last = 0;
		char name[64];
		struct msg why;

		snprintf(name, sizeof(name), "%s.managed", l->zones[z].name);
		if (!counter_span(&v->bundle, name, &first, &last) || first == last)
			continue;
		msg_set(&why, EINVAL, "%s went from %" PRIu64 " to %" PRIu64 " while it was recorded; those pages appear without a free",
			name, first, last);
		leave_out(v, "growth of a zone", why.text);
	}
}

/* Samples of another clock, or of another time. */
static void note_flagged(struct validation *v)
{
	const struct brackets *br = &v->brackets;

	for (size_t i = 0; i < br->nr; i++)
		for (unsigned int z = 0; z < br->nr_zones; z++)
			if (br->list[i].zone[z] && br->list[i].flag[z] == SAMPLE_COUNTS)
				return;
	if (br->nr)
		leave_out(v, "comparison with samples", "none lies between the snapshot and the last event, in which nothing was lost; expected the clock of the events in buddyinfo.tsv");
}

static void note_missing(struct validation *v)
{
	const struct bundle *b = &v->bundle;

	note_unseen(v);
	if (!has_nodes(&b->layout))	/* counters do not tell them apart */
		note_growth(v);
	note_flagged(v);
	if (!b->nr_counters)
		leave_out(v, "L0 books, L0.5 refill and drain sizes",
			  "no samples in counters.tsv; expected those of /proc/vmstat and of per-CPU counts");
	if (b->has_snapshot && !b->chunk_ns)
		leave_out(v, "start state", "no kpageflags.start.times; every event is taken to follow the snapshot");
	if (!b->has_pagetypeinfo)
		leave_out(v, "start state", "no pagetypeinfo.start; pageblocks with slabs that no event names count as unmovable");
	if (has_nodes(&b->layout))
		leave_out(v, "nodes", "several have zones of one name; L1 serves requests from the highest address down, not from the nearest node");
	if (b->has_snapshot && !b->end_free)
		leave_out(v, "look-ahead", "no kpageflags.end with its times; pages that no later event names count as it left them");
}

/*
 * Whether pageblocks are as large as those of the recorded kernel: types, and
 * so every decision but what joins, depend on it.
 */
static bool has_our_pageblocks(struct validation *v)
{
	unsigned int order = v->bundle.pageblock_order;
	struct msg why;

	if (!order || order == PAGEBLOCK_ORDER)
		return true;
	msg_set(&why, EINVAL, "pageblocks of order %u were recorded; this build has order %d",
		order, PAGEBLOCK_ORDER);
	leave_out(v, "L0.5, L1", why.text);
	return false;
}

/* All zones as one, with the flags that are known by now. */
static int sum_zones(struct validation *v)
{
	struct scorer persist;
	int err = brackets_sum(&v->sum, &v->brackets);

	if (!err)
		err = scorer_init(&persist, &v->sum);
	if (err)
		return err;
	scorer_persist(&persist);
	v->persist_whole_tv = scorer_mean_tv(&persist, 0);
	scorer_destroy(&persist);
	return 0;
}

static int run_open_loop(struct validation *v)
{
	int err = open_loop_run(&v->open_loop, &v->bundle, &v->stream, &v->brackets);

	if (err)
		return err;
	v->has_open_loop = true;
	brackets_flag_reporting(&v->brackets, &v->open_loop.scorer);
	err = scorer_init(&v->persist, &v->brackets);
	if (!err)
		scorer_persist(&v->persist);
	return err ? err : sum_zones(v);
}

static int run_one_step(struct validation *v)
{
	int err = one_step_run(&v->one_step, &v->bundle, &v->stream);

	v->has_one_step = !err;
	return err;
}

static int run_closed_loops(struct validation *v, const struct options *o,
			    struct progress *progress, struct msg *msg)
{
	const struct closed_loop_input in = {
		.bundle = &v->bundle,
		.layout = &v->bundle.layout,
		.demand = &v->demand,
		.brackets = &v->brackets,
		.sum = &v->sum,
		.seed = o->seed,
		.progress = progress_show,
		.progress_ctx = progress,
	};
	int err = demand_resolve(&v->demand, &v->bundle, &v->bundle.layout, msg);

	v->closed_loops = calloc(o->nr_specs + 1UL, sizeof(*v->closed_loops));
	v->ablations = calloc(o->nr_specs + 1UL, sizeof(*v->ablations));
	if (err || !v->closed_loops || !v->ablations)
		return err ? err : -ENOMEM;
	for (unsigned int i = 0; !err && i < o->nr_specs; i++) {
		err = closed_loop_run(&v->closed_loops[v->nr_closed_loops++], &in,
				      o->specs[i], CLOSED_LOOP_SEEDS, msg);
		progress_next(progress);
	}
	if (!err)
		err = closed_loop_run(&v->closed_loops[v->nr_closed_loops++], &in,
				      STRAWMAN, 1, msg);
	for (unsigned int i = 0; !err && i < o->nr_specs; i++)
		if ((o->ablation && i == 0) ||
		    (ablation_applies(o->specs[i]) &&
		     closed_loop_misses(v, &v->closed_loops[i])))
			err = ablation_run(&v->ablations[i], &in, o->specs[i], msg);
	return err;
}

static int run_levels(struct validation *v, const struct options *o,
		      struct progress *progress, struct msg *msg)
{
	bool samples = has_samples(v);
	bool decisions = has_our_pageblocks(v);
	int err = brackets_make(&v->brackets, &v->bundle);

	if (!err)
		err = buddy_stream_make(&v->stream, &v->bundle);
	if (err)
		return err;
	note_missing(v);
	progress_note(progress, "L0");
	err = run_open_loop(v);
	progress_note(progress, "L0.5");
	if (!err && decisions)
		err = run_one_step(v);
	if (!err && decisions && samples)
		err = run_closed_loops(v, o, progress, msg);
	return err;
}

int validation_run(struct validation *v, const struct options *o,
		   struct progress *progress, struct msg *msg)
{
	int err;

	*v = (struct validation){ 0 };
	progress_note(progress, "reading");
	err = bundle_read_lenient(&v->bundle, o->args[0], o->limit, msg);
	if (err)
		return err;
	if (!v->bundle.has_snapshot)
		return msg_set(msg, ENOENT,
			       "%s: no level can run without the state at the start; expected a bundle with kpageflags.start and zoneinfo.start",
			       o->args[0]);
	err = run_levels(v, o, progress, msg);
	if (err == -ENOMEM)
		msg_set(msg, ENOMEM, "%s: no memory to validate %zu events",
			v->bundle.name, v->bundle.trace.nr_events);
	return err;
}

void validation_free(struct validation *v)
{
	for (unsigned int i = 0; i < v->nr_closed_loops; i++) {
		closed_loop_free(&v->closed_loops[i]);
		ablation_free(&v->ablations[i]);
	}
	free(v->closed_loops);
	free(v->ablations);
	demand_free(&v->demand);
	open_loop_free(&v->open_loop);
	scorer_destroy(&v->persist);
	buddy_stream_free(&v->stream);
	brackets_free(&v->sum);
	brackets_free(&v->brackets);
	bundle_free(&v->bundle);
}

static double skill(double mean_tv, double reference)
{
	return reference > 0 ? 1 - mean_tv / reference : NAN;
}

double validation_skill(const struct validation *v, double mean_tv, unsigned int zone)
{
	return skill(mean_tv, scorer_mean_tv(&v->persist, zone));
}

double validation_skill_strawman(const struct validation *v, double mean_tv,
				 unsigned int zone)
{
	const struct closed_loop *strawman = v->closed_loops + v->nr_closed_loops - 1;

	if (!v->nr_closed_loops)
		return NAN;
	return skill(mean_tv, strawman->zone[zone][0].mean_tv);
}
