/* SPDX-License-Identifier: GPL-2.0-or-later */
/* open_loop.c - apply every event, look at every sample and counter on the way */
#include <math.h>
#include <string.h>

#include "sim/validate/open_loop.h"

/* ---- books ---- */

/* What was seen up to some moment, in pages; parked: in per-CPU lists then. */
struct totals {
	uint64_t allocs, frees, hidden_allocs, hidden_frees, parked;
};

/* One read of the counters: pgalloc_* and per-CPU counts summed, and pgfree. */
struct counted {
	uint64_t at_ns;		/* middle of the read */
	uint64_t allocs, frees, parked;
	bool any, has_parked;
};

/* Add the counter, if it is one of these. */
static void count_one(struct counted *c, const struct bundle *b,
		      const struct counter_sample *s)
{
	const char *name = b->counter_names[s->name];

	if (!strncmp(name, "pgalloc_", 8)) {
		c->allocs += s->value;
		c->any = true;
	} else if (!strcmp(name, "pgfree")) {
		c->frees += s->value;
		c->any = true;
	} else if (strstr(name, ".pcp_count_cpu")) {
		c->parked += s->value;
		c->has_parked = true;
	}
}

/* The read of counters that begins at b->counters[i]; *next is the one after. */
static struct counted counted_at(const struct bundle *b, size_t i, size_t *next)
{
	const struct counter_sample *first = &b->counters[i];
	struct counted c = {
		.at_ns = first->before_ns + (first->after_ns - first->before_ns) / 2,
	};

	for (; i < b->nr_counters && b->counters[i].before_ns == first->before_ns; i++)
		count_one(&c, b, &b->counters[i]);
	*next = i;
	return c;
}

/* The first and the last read between the snapshot and the end of the trace. */
static bool find_window(const struct bundle *b, struct counted *first,
			struct counted *last)
{
	uint64_t ready_ns = 0;
	uint64_t end_ns = b->trace.nr_events ?
		b->trace.events[b->trace.nr_events - 1].time_ns : 0;
	size_t next;

	*first = *last = (struct counted){ 0 };
	for (size_t c = 0; b->chunk_ns && c < b->nr_chunks; c++)
		ready_ns = max_t(uint64_t, ready_ns, b->chunk_ns[c]);
	for (size_t i = 0; i < b->nr_counters; i = next) {
		struct counted c = counted_at(b, i, &next);

		if (!c.any || c.at_ns < ready_ns || c.at_ns > end_ns)
			continue;
		if (!first->any)
			*first = c;
		*last = c;
	}
	return first->any && last->at_ns > first->at_ns;
}

double books_error(const struct books *books)
{
	double seen = (double)books->traced + (double)books->hidden +
		      (double)books->by_number;

	return books->counted ? fabs(seen - (double)books->counted) /
				(double)books->counted : 0;
}

/* ---- the run ---- */

static struct totals totals_now(const struct recorded *r)
{
	return (struct totals){ r->traced_allocs, r->traced_frees, r->hidden_allocs,
				r->hidden_frees, recorded_nr_parked(r) };
}

/*
 * Pages whose free, or allocation, sent no event, and that no event has named
 * since: those by which per-CPU lists grew, or shrank, beyond what we know.
 */
static void count_by_number(struct open_loop *o, const struct counted *first,
			    const struct counted *last, const struct totals *from,
			    const struct totals *to)
{
	int64_t grew = (int64_t)(last->parked - first->parked) -
		       (int64_t)(to->parked - from->parked);

	if (!first->has_parked || !last->has_parked)
		return;
	if (grew > 0)
		o->frees.by_number = (uint64_t)grew;
	else
		o->allocs.by_number = (uint64_t)-grew;
}

static void open_loop_note(struct open_loop *o, const struct recorded *r)
{
	o->nr_events = r->nr_events;
	o->hidden_allocs = r->hidden_allocs;
	o->hidden_frees = r->hidden_frees;
	memcpy(o->repairs, r->repairs, sizeof(o->repairs));
}

/* Apply the events before until_ns, from event i; the next one. */
static size_t run_until(struct open_loop *o, struct recorded *r, size_t i,
			uint64_t until_ns)
{
	const struct trace *trace = &r->bundle->trace;

	for (; i < trace->nr_events && trace->events[i].time_ns < until_ns; i++) {
		if (scorer_wants(&o->scorer, trace->events[i].time_ns))
			scorer_see(&o->scorer, trace->events[i].time_ns, r->free.nr_free);
		recorded_apply(r, i);
	}
	return i;
}

static void run(struct open_loop *o, struct recorded *r)
{
	struct counted first, last;
	struct totals from = { 0 }, to = { 0 };
	size_t i = 0;

	if (find_window(r->bundle, &first, &last)) {
		i = run_until(o, r, i, first.at_ns);
		from = totals_now(r);
		i = run_until(o, r, i, last.at_ns);
		to = totals_now(r);
		o->allocs = (struct books){
			.known = true,
			.counted = last.allocs - first.allocs,
			.traced = to.allocs - from.allocs,
			.hidden = to.hidden_allocs - from.hidden_allocs,
		};
		o->frees = (struct books){
			.known = true,
			.counted = last.frees - first.frees,
			.traced = to.frees - from.frees,
			.hidden = to.hidden_frees - from.hidden_frees,
		};
		count_by_number(o, &first, &last, &from, &to);
	}
	(void)run_until(o, r, i, UINT64_MAX);
	scorer_see(&o->scorer, UINT64_MAX, r->free.nr_free);
}

int open_loop_run(struct open_loop *o, const struct bundle *b,
		  const struct buddy_stream *stream, const struct brackets *br)
{
	struct recorded r;
	int err;

	*o = (struct open_loop){ 0 };
	err = scorer_init(&o->scorer, br);
	if (!err)
		err = recorded_init(&r, b, stream);
	if (err) {
		scorer_destroy(&o->scorer);
		return err;
	}
	run(o, &r);
	open_loop_note(o, &r);
	recorded_destroy(&r);
	return 0;
}

void open_loop_free(struct open_loop *o)
{
	scorer_destroy(&o->scorer);
}

double open_loop_repairs_per_event(const struct open_loop *o)
{
	double repairs = 0;

	for (unsigned int i = 0; i < NR_RECORDED_REPAIRS; i++)
		repairs += (double)o->repairs[i];
	return o->nr_events ? repairs / (double)o->nr_events : 0;
}
