/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * buddy_stream.c - events in reverse: the page's next event is known first
 *
 * Cost: one byte a page, two bytes an event, one pass.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/source/start_state.h"
#include "sim/validate/buddy_stream.h"

/* In the table of pages: the event lies after the second look at the page. */
#define AFTER_END 0x80

struct lookahead {
	const struct bundle *bundle;
	uint8_t *next;		/* enum page_fate of each page, from here on */
	uint8_t *next_type;	/* migratetype of that event */
	bool *batched;		/* the page's next event is a free_batched */
};

static bool after_end(const struct bundle *b, const struct event *ev)
{
	return b->end_free && ev->time_ns > b->end_ns[ev->pfn / SNAPSHOT_CHUNK_PAGES];
}

static uint8_t fate_of(const struct lookahead *l, const struct event *ev)
{
	const struct bundle *b = l->bundle;
	uint8_t next = l->next[ev->pfn];

	if (!b->end_free || (next != FATE_NONE && !(next & AFTER_END)) ||
	    after_end(b, ev))
		return next & (uint8_t)~AFTER_END;
	return b->end_free[ev->pfn] ? FATE_LEAVES : FATE_OUTSIDE;
}

static uint8_t fate_by_kind(uint8_t kind)
{
	switch (kind) {
	case EV_ALLOC:
		return FATE_ALLOC;
	case EV_FREE:
		return FATE_FREE;
	case EV_PCPU_DRAIN:
		return FATE_DRAIN;
	case EV_ZONE_LOCKED:
	case EV_EXTFRAG:
		return FATE_LEAVES;
	default:
		return FATE_NONE;
	}
}

static uint8_t step_of(const struct event *ev, uint8_t fate)
{
	switch (ev->kind) {
	case EV_ZONE_LOCKED:
	case EV_EXTFRAG:
		return STEP_LEAVES;
	case EV_PCPU_DRAIN:
		return STEP_ENTERS;
	case EV_FREE:
		if (!order_uses_pcp(ev->order))
			return STEP_ENTERS;
		return fate == FATE_LEAVES ? STEP_ENTERS_UNSEEN : STEP_NONE;
	default:
		return STEP_NONE;
	}
}

static void look_ahead(struct buddy_stream *s, struct lookahead *l)
{
	const struct bundle *b = l->bundle;

	for (size_t i = b->trace.nr_events; i-- > 0;) {
		const struct event *ev = &b->trace.events[i];
		uint8_t kind = fate_by_kind(ev->kind);

		if (ev->kind == EV_FREE_BATCHED)
			l->batched[ev->pfn] = true;
		if (kind == FATE_NONE || ev->pfn == EVENT_PFN_FAILED)
			continue;
		s->deferred[i] = ev->kind == EV_FREE && l->batched[ev->pfn];
		l->batched[ev->pfn] = false;
		s->fate[i] = fate_of(l, ev);
		s->fate_type[i] = l->next_type[ev->pfn];
		if (!bundle_before_snapshot(b, ev))
			s->step[i] = step_of(ev, s->fate[i]);
		memset(l->next + ev->pfn, kind | (after_end(b, ev) ? AFTER_END : 0),
		       (size_t)1 << ev->order);
		memset(l->next_type + ev->pfn, ev->migratetype, (size_t)1 << ev->order);
	}
}

/* An extfrag that explains the zone_locked before it moves nothing itself. */
static void pair_extfrags(struct buddy_stream *s, const struct trace *trace,
			  size_t *last)
{
	for (size_t i = 0; i < trace->nr_events; i++) {
		const struct event *ev = &trace->events[i];
		const struct event *before = &trace->events[last[ev->cpu]];

		if (ev->kind == EV_EXTFRAG && before->kind == EV_ZONE_LOCKED &&
		    before->pfn == ev->pfn && before->cpu == ev->cpu) {
			s->step[i] = STEP_NONE;
			s->claims[last[ev->cpu]] = ev->flags & EVENT_CHANGE_OWNERSHIP ?
						   CLAIM_CHANGES : CLAIM_FAILS;
		}
		last[ev->cpu] = i;
	}
}

int buddy_stream_make(struct buddy_stream *s, const struct bundle *b)
{
	struct lookahead l = { .bundle = b };
	size_t *last = calloc(b->trace.nr_cpus + 1UL, sizeof(*last));

	*s = (struct buddy_stream){
		.step = calloc(b->trace.nr_events + 1, sizeof(*s->step)),
		.fate = calloc(b->trace.nr_events + 1, sizeof(*s->fate)),
		.fate_type = calloc(b->trace.nr_events + 1, sizeof(*s->fate_type)),
		.claims = calloc(b->trace.nr_events + 1, sizeof(*s->claims)),
		.deferred = calloc(b->trace.nr_events + 1, sizeof(*s->deferred)),
	};
	l.next = calloc(layout_end_pfn(&b->layout), sizeof(*l.next));
	l.next_type = calloc(layout_end_pfn(&b->layout), sizeof(*l.next_type));
	l.batched = calloc(layout_end_pfn(&b->layout), sizeof(*l.batched));
	if (s->step && s->fate && s->fate_type && s->claims && s->deferred &&
	    l.next && l.next_type && l.batched && last) {
		look_ahead(s, &l);
		pair_extfrags(s, &b->trace, last);
	} else {
		buddy_stream_free(s);
	}
	free(last);
	free(l.next);
	free(l.next_type);
	free(l.batched);
	return s->step ? 0 : -ENOMEM;
}

void buddy_stream_free(struct buddy_stream *s)
{
	free(s->step);
	free(s->fate);
	free(s->fate_type);
	free(s->claims);
	free(s->deferred);
	*s = (struct buddy_stream){ 0 };
}
