/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay.c - stream the demand through one allocator
 *
 *    demand ops (shared, const)     places (this replay's own)
 *      ALLOC #4 o2  ------------->  [4] = pfn 512, order 2
 *      SPLIT #4 #9  ------------->  [4] = 512, order 1   [9] = 514, order 1
 *      FREE  #9     ------------->  [9] = none
 *
 * Between two entries of the event queue the operations run in a tight loop;
 * the queue holds the sampler and the once-a-second tick. What is due at a
 * time runs after all operations of that time; only the first sample comes
 * before everything.
 *
 * An allocation that fails leaves its id without a place, and the free of such
 * an id is dropped. A block that cannot be split stays whole at its lower
 * half's id and is freed with it. So what is freed has always the order it was
 * given out at.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/registry.h"
#include "base/array.h"
#include "sim/engine.h"
#include "sim/replay.h"
#include "sim/wall_clock.h"

#define DEFAULT_SAMPLES 200

/*
 * Where this allocator put a block.
 *   all ones     nowhere
 *   bits 63..8   its first pfn
 *   bits 7..4    its migratetype, for the picture of memory
 *   bits 3..0    its order
 */
struct place { uint64_t bits; };
_Static_assert(MAX_PAGE_ORDER < 16, "an order fits four bits");
_Static_assert(NR_MIGRATETYPES <= 16, "a migratetype fits four bits");

static const struct place place_none = { UINT64_MAX };

static inline struct place place_make(unsigned long pfn, unsigned int order,
				      unsigned int migratetype)
{
	return (struct place){ (uint64_t)pfn << 8 | migratetype << 4 | order };
}

static inline bool place_is_none(struct place p)
{
	return p.bits == UINT64_MAX;
}

static inline unsigned long place_pfn(struct place p)
{
	return (unsigned long)(p.bits >> 8);
}

static inline unsigned int place_migratetype(struct place p)
{
	return p.bits >> 4 & 15;
}

static inline unsigned int place_order(struct place p)
{
	return p.bits & 15;
}

struct replayer {
	const struct replay_plan *plan;
	struct replay_run *run;
	struct allocator *allocator;
	struct place *places;		/* by id */
	struct engine engine;
	unsigned int sampler, ticker;	/* sources of the engine */

	uint32_t *failed;		/* allocations that got nothing, by index */
	size_t nr_failed;
	bool out_of_memory;		/* on the host, while noting them */
};

/* When samples are taken */

static int plan_append(struct sample_plan *plan, uint64_t time_ns)
{
	/* The first is taken before any operation, the next after all at 0. */
	if (plan->nr > 1 && plan->times_ns[plan->nr - 1] == time_ns)
		return 0;
	if (plan->nr == MAX_SAMPLES)
		return -EINVAL;
	plan->times_ns[plan->nr++] = time_ns;
	return 0;
}

static int plan_by_events(struct sample_plan *plan, const struct demand *d,
			  const struct trace *trace, uint64_t every)
{
	uint64_t last = 0;
	int err = 0;

	for (uint64_t i = every; i < trace->nr_events && !err; i += every) {
		uint64_t time_ns = trace->events[i].time_ns;

		/* An event out of order happens at the time before it. */
		if (time_ns > d->start_ns + last)
			last = time_ns - d->start_ns;
		err = plan_append(plan, last);
	}
	return err;
}

static int plan_by_time(struct sample_plan *plan, const struct demand *d,
			uint64_t every)
{
	int err = 0;

	for (uint64_t t = every; t < d->end_ns && !err; t += every)
		err = plan_append(plan, t);
	return err;
}

int sample_plan_make(struct sample_plan *plan, const struct demand *d,
		     const struct trace *trace, uint64_t every_events,
		     uint64_t every_ns, struct msg *msg)
{
	int err;

	if (!every_ns)
		every_ns = d->end_ns / DEFAULT_SAMPLES + 1;
	*plan = (struct sample_plan){ 0 };
	plan->times_ns = malloc((MAX_SAMPLES + 1) * sizeof(*plan->times_ns));
	if (!plan->times_ns)
		return msg_set(msg, ENOMEM, "no memory for the times of samples");
	err = plan_append(plan, 0);
	if (!err)
		err = every_events ? plan_by_events(plan, d, trace, every_events)
				   : plan_by_time(plan, d, every_ns);
	if (!err)
		err = plan_append(plan, d->end_ns);
	if (!err)
		return 0;
	sample_plan_free(plan);
	return msg_set(msg, EINVAL,
		       "--sample: this is more than %d samples; take them further apart",
		       MAX_SAMPLES);
}

void sample_plan_free(struct sample_plan *plan)
{
	free(plan->times_ns);
	*plan = (struct sample_plan){ 0 };
}

/* Operations */

static void note_failed(struct replayer *r, const struct demand_op *op)
{
	if (array_grow(r->failed, r->nr_failed))
		r->out_of_memory = true;
	else
		r->failed[r->nr_failed++] = (uint32_t)(op - r->plan->demand->ops);
}

static void replay_alloc(struct replayer *r, const struct demand_op *op)
{
	const struct alloc_req req = {
		.order = op->order,
		.migratetype = op->migratetype,
		.zone_limit = op->zone_limit,
		.cpu = op->cpu,
		.flags = op->flags,
	};
	unsigned long pfn = alloc_pages(r->allocator, &req);

	if (unlikely(pfn == PFN_NONE)) {
		r->places[op->id] = place_none;
		note_failed(r, op);
		return;
	}
	r->places[op->id] = place_make(pfn, op->order, op->migratetype);
}

static void replay_free(struct replayer *r, const struct demand_op *op)
{
	struct place p = r->places[op->id];

	if (unlikely(place_is_none(p))) {
		r->run->frees_dropped++;
		return;
	}
	r->places[op->id] = place_none;
	free_pages(r->allocator, place_pfn(p), place_order(p), op->cpu);
}

static void replay_split(struct replayer *r, const struct demand_op *op)
{
	struct place p = r->places[op->id];
	unsigned long pfn = place_pfn(p), upper = PFN_NONE;
	bool follows = place_order(p) == op->order + 1U;

	r->places[op->upper] = place_none;
	if (place_is_none(p))
		return;
	/* A block left whole by an earlier refusal is too large to follow. */
	if (follows)
		upper = allocator_page_after(r->allocator, pfn, 1UL << op->order);
	if (!follows ||
	    !allocator_split(r->allocator, pfn, place_order(p), op->order)) {
		r->run->splits_refused++;
		return;
	}
	r->places[op->id] = place_make(pfn, op->order, place_migratetype(p));
	r->places[op->upper] = place_make(upper, op->order,
					  place_migratetype(p));
}

/* Run all operations up to and including until_ns, from op i; the next op. */
static size_t run_ops(struct replayer *r, size_t i, uint64_t until_ns)
{
	const struct demand_op *ops = r->plan->demand->ops;
	const size_t nr_ops = r->plan->demand->nr_ops;

	for (; i < nr_ops && ops[i].time_ns <= until_ns; i++) {
		const struct demand_op *op = &ops[i];

		switch ((enum demand_kind)op->kind) {
		case DEMAND_ALLOC:
			replay_alloc(r, op);
			break;
		case DEMAND_FREE:
			replay_free(r, op);
			break;
		case DEMAND_SPLIT:
			replay_split(r, op);
			break;
		}
	}
	return i;
}

/* Sources of the engine */

static int picture_take(struct replayer *r, uint64_t now_ns)
{
	const struct replay_plan *plan = r->plan;
	struct picture *p = &r->run->picture;

	picture_begin(p, now_ns);
	for (uint32_t id = 0; id < plan->demand->nr_ids; id++) {
		struct place at = r->places[id];

		if (!place_is_none(at))
			picture_block(p, r->allocator, place_pfn(at),
				      place_order(at), place_migratetype(at));
	}
	picture_metadata(p, r->allocator, plan->start, plan->demand);
	return picture_end(p);
}

static int progress_now(const struct replayer *r)
{
	const struct replay_plan *plan = r->plan;

	return !plan->progress ||
	       plan->progress(plan->progress_ctx, r->run->spec, r->run->ops_done,
			      plan->demand->nr_ops) ? 0 : -EINTR;
}

static int sampler_fire(struct engine *engine, void *ctx, uint32_t index)
{
	struct replayer *r = ctx;
	const struct replay_plan *plan = r->plan;
	int err = sample_take(&r->run->series, r->allocator, engine->now_ns,
			      r->run->ops_done);

	if (!err && plan->allocatees &&
	    index % (plan->samples->nr / PICTURE_COLUMNS + 1) == 0)
		err = picture_take(r, engine->now_ns);
	if (!err && plan->allocatees && index + 1 == plan->samples->nr)
		err = picture_finish(&r->run->picture, engine->now_ns);
	if (!err)
		err = progress_now(r);
	if (err)
		return err;
	if (index + 1 == plan->samples->nr)
		return 0;
	return engine_at(engine, plan->samples->times_ns[index + 1], r->sampler,
			 index + 1);
}

/* When the next operation is; the end, when there is none. */
static uint64_t next_op_ns(const struct replayer *r)
{
	const struct demand *d = r->plan->demand;

	return r->run->ops_done < d->nr_ops ? d->ops[r->run->ops_done].time_ns : d->end_ns;
}

static int ticker_fire(struct engine *engine, void *ctx, uint32_t arg)
{
	struct replayer *r = ctx;
	bool busy = allocator_tick(r->allocator, engine->now_ns);

	(void)arg;
	if (progress_now(r))
		return -EINTR;
	return engine_tick(engine, r->ticker, busy ? engine->now_ns : next_op_ns(r),
			   r->plan->demand->end_ns);
}

/* What the snapshot shows has aged until then. */
static uint64_t first_tick_ns(const struct demand *d)
{
	return (d->state_ns / TICK_NS + 1) * TICK_NS;
}

static int run_engine(struct replayer *r)
{
	struct engine *engine = &r->engine;
	size_t op = 0;
	int err;

	r->sampler = engine_add_source(engine, sampler_fire, r);
	r->ticker = engine_add_source(engine, ticker_fire, r);
	err = sampler_fire(engine, r, 0);	/* the state at the start */
	if (!err && first_tick_ns(r->plan->demand) <= r->plan->demand->end_ns)
		err = engine_at(engine, first_tick_ns(r->plan->demand), r->ticker, 0);
	while (!err && !event_queue_empty(&engine->queue)) {
		uint64_t stop_ns = engine_next_ns(engine);
		double wall_s = wall_clock_s(), cpu_s = cpu_clock_s();

		op = run_ops(r, op, stop_ns);
		r->run->wall_s += wall_clock_s() - wall_s;
		r->run->cpu_s += cpu_clock_s() - cpu_s;
		r->run->ops_done = op;
		err = engine_run(engine, stop_ns);
	}
	/* The last sample is at the end, so nothing is left to run. */
	assert(err || op == r->plan->demand->nr_ops);
	return err;
}

/* The start and the end */

static int make_allocator(struct replayer *r, struct machine *m,
			  const char *spec, struct msg *msg)
{
	const struct demand *d = r->plan->demand;
	int err;

	err = allocator_create(&r->allocator, spec, r->plan->checked, m, msg);
	if (err)
		return err;
	err = initial_state_enter(r->plan->start, d, r->allocator, msg);
	if (err) {
		allocator_destroy(r->allocator);
		return err;
	}
	memset(r->places, 0xff, d->nr_ids * sizeof(*r->places));
	for (size_t i = 0; i < d->nr_residents; i++) {
		const struct demand_resident *res = &d->residents[i];

		r->places[res->id] = place_make(res->pfn, res->order,
						res->migratetype);
	}
	return 0;
}

/* What the owners of the blocks pay, where their state is not in the page. */
static int count_owners(struct replayer *r)
{
	const struct replay_plan *plan = r->plan;
	struct replay_run *run = r->run;
	int err;

	if (r->out_of_memory)
		return -ENOMEM;
	if (!plan->allocatees)
		return 0;
	err = census_take(&run->census, plan->demand, plan->bundle,
			  plan->allocatees, plan->samples, r->failed,
			  r->nr_failed);
	if (err || run->ops->describes_allocatee)
		return err;
	assert(run->census.nr == run->series.nr);
	for (size_t i = 0; i < run->series.nr; i++)
		run->series.samples[i].allocatee_bytes = run->census.bytes[i];
	run->tax.allocatee_peak_bytes = run->census.end.peak_bytes;
	return 0;
}

void replay_run_note_end(struct replay_run *run, const struct allocator *a)
{
	const struct machine *m = a->machine;

	run->stats = a->stats;
	run->kmap = m->kmap;
	run->meta_end = m->meta;
	run->free_path_allocations = m->free_path_allocations;
	tax_compute(&run->tax, &run->meta_start, &run->meta_end);
	run->verified = !allocator_verify(a, &run->verify_msg);
}

/* Free all that is live; whether that leads back to the boot population. */
static bool tear_down(struct replayer *r)
{
	const struct replay_plan *plan = r->plan;

	for (uint32_t id = 0; id < plan->demand->nr_ids; id++) {
		struct place p = r->places[id];

		if (!place_is_none(p))
			free_pages(r->allocator, place_pfn(p), place_order(p), 0);
	}
	return initial_state_restored(plan->start, r->allocator);
}

/*
 * A build that counts words counts them here; a checker's own books cannot be
 * told from the backend's. Without memory for it nothing is counted.
 */
static struct cost *begin_costs(struct replayer *r)
{
	struct cost *cost = NULL;

	if (cost_counts_words() && !r->plan->checked)
		cost = calloc(1, sizeof(*cost));
	allocator_count(r->allocator, cost);
	return cost;
}

static void end_costs(struct replayer *r, struct cost *cost)
{
	if (!cost)
		return;
	r->run->cost = cost_sums(cost);
	allocator_count(r->allocator, NULL);
	free(cost);
}

static int replay_on(struct replayer *r, struct machine *m, const char *spec,
		     struct msg *msg)
{
	int err = make_allocator(r, m, spec, msg);
	struct cost *cost;

	if (err)
		return err;
	r->run->meta_start = m->meta;
	picture_init(&r->run->picture, r->plan->layout, r->plan->start,
		     r->plan->demand);
	engine_init(&r->engine);
	cost = begin_costs(r);
	err = run_engine(r);
	end_costs(r, cost);
	engine_destroy(&r->engine);
	if (!err) {
		replay_run_note_end(r->run, r->allocator);
		err = count_owners(r);
	}
	if (!err) {
		r->run->teardown = r->plan->teardown;
		if (r->plan->teardown)
			r->run->restored = tear_down(r);
	} else if (err == -EINTR) {
		msg_set(msg, EINTR,
			"%s: interrupted after %" PRIu64 " of %zu operations",
			spec, r->run->ops_done, r->plan->demand->nr_ops);
	} else {
		msg_set(msg, -err, "%s: %s", spec, strerror(-err));
	}
	allocator_destroy(r->allocator);
	return err;
}

int replay(struct replay_run *run, const struct replay_plan *plan,
	   const char *spec, struct msg *msg)
{
	struct replayer r = { .plan = plan, .run = run };
	struct machine *m;
	int err = -ENOMEM;

	*run = (struct replay_run){
		.ops = registry_find(spec),
		.events = plan->demand->nr_events,
	};
	run->spec = strdup(spec);
	r.places = malloc((plan->demand->nr_ids + 1UL) * sizeof(*r.places));
	if (!run->spec || !r.places) {
		msg_set(msg, ENOMEM, "%s: no memory for the table of %u blocks",
			spec, plan->demand->nr_ids);
		goto free_places;
	}
	err = machine_create(&m, plan->layout, plan->window, msg);
	if (err)
		goto free_places;
	err = replay_on(&r, m, spec, msg);
	machine_destroy(m);

free_places:
	free(r.failed);
	free(r.places);
	return err;
}

void replay_run_free(struct replay_run *run)
{
	free(run->spec);
	free(run->classes);
	sample_series_free(&run->series);
	picture_free(&run->picture);
	census_series_free(&run->census);
	*run = (struct replay_run){ 0 };
}
