/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recorded.c - apply what each event did to the pages it names */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/validate/recorded.h"

const char *const recorded_repair_names[NR_RECORDED_REPAIRS] = {
#define REPAIR_NAME(name, what) #name,
	RECORDED_REPAIRS(REPAIR_NAME)
#undef REPAIR_NAME
};

static enum page_place place_at_start(uint8_t start)
{
	switch (start) {
	case START_FREE:
		return PLACE_BUDDY;
	case START_PCP:
		return PLACE_PCP;
	default:
		return PLACE_IN_USE;
	}
}

int recorded_init(struct recorded *r, const struct bundle *b,
		  const struct buddy_stream *stream)
{
	unsigned long nr_pages = layout_end_pfn(&b->layout);

	*r = (struct recorded){ .bundle = b, .stream = stream };
	r->place = malloc(nr_pages);
	if (!r->place || free_set_init(&r->free, &b->layout)) {
		recorded_destroy(r);
		return -ENOMEM;
	}
	for (unsigned long pfn = 0; pfn < nr_pages; pfn++)
		r->place[pfn] = (uint8_t)place_at_start(b->start[pfn]);
	for (size_t i = 0; i < b->nr_free_blocks; i++)
		(void)free_set_put(&r->free, (unsigned long)b->free_blocks[i].pfn,
				   b->free_blocks[i].order);
	return 0;
}

void recorded_destroy(struct recorded *r)
{
	free_set_destroy(&r->free);
	free(r->place);
	*r = (struct recorded){ 0 };
}

uint64_t recorded_nr_parked(const struct recorded *r)
{
	unsigned long nr_pages = layout_end_pfn(&r->bundle->layout);
	uint64_t nr = 0;

	for (unsigned long pfn = 0; pfn < nr_pages; pfn++)
		nr += r->place[pfn] == PLACE_PCP;
	return nr;
}

static unsigned long count_places(const struct recorded *r,
				  const struct event *ev, enum page_place place)
{
	unsigned long nr = 0;

	for (unsigned long i = 0; i < 1UL << ev->order; i++)
		nr += r->place[ev->pfn + i] == place;
	return nr;
}

static void set_places(struct recorded *r, const struct event *ev,
		       enum page_place place)
{
	memset(r->place + ev->pfn, place, (size_t)1 << ev->order);
}

static void enter_buddy(struct recorded *r, const struct event *ev)
{
	if (free_set_put(&r->free, (unsigned long)ev->pfn, ev->order) != 1UL << ev->order)
		r->repairs[REPAIR_entered_present]++;
	set_places(r, ev, PLACE_BUDDY);
}

static void leave_buddy(struct recorded *r, const struct event *ev,
			enum recorded_repair repair, unsigned long expected)
{
	if (free_set_take(&r->free, (unsigned long)ev->pfn, ev->order) != expected)
		r->repairs[repair]++;
	set_places(r, ev, PLACE_PCP);
}

static void apply_alloc(struct recorded *r, const struct event *ev)
{
	r->traced_allocs += 1UL << ev->order;
	if (count_places(r, ev, PLACE_BUDDY))
		leave_buddy(r, ev, REPAIR_alloc_in_buddy, 0);
	r->hidden_frees += count_places(r, ev, PLACE_IN_USE);
	set_places(r, ev, PLACE_IN_USE);
}

static void apply_free(struct recorded *r, const struct event *ev,
		       enum buddy_step step)
{
	r->traced_frees += 1UL << ev->order;
	r->hidden_allocs += (1UL << ev->order) - count_places(r, ev, PLACE_IN_USE);
	if (count_places(r, ev, PLACE_BUDDY))
		leave_buddy(r, ev, REPAIR_free_in_buddy, 0);
	if (step == STEP_NONE)
		set_places(r, ev, PLACE_PCP);
	else
		enter_buddy(r, ev);
	if (step == STEP_ENTERS_UNSEEN)
		r->repairs[REPAIR_bypass]++;
}

void recorded_apply(struct recorded *r, size_t i)
{
	const struct event *ev = &r->bundle->trace.events[i];
	enum buddy_step step = (enum buddy_step)r->stream->step[i];

	if (ev->kind == EV_LOST || (ev->kind == EV_ALLOC && ev->pfn == EVENT_PFN_FAILED) ||
	    bundle_before_snapshot(r->bundle, ev))
		return;
	r->nr_events++;
	switch (ev->kind) {
	case EV_ALLOC:
		apply_alloc(r, ev);
		break;
	case EV_FREE:
		apply_free(r, ev, step);
		break;
	default:
		if (step == STEP_LEAVES)
			leave_buddy(r, ev, REPAIR_left_absent, 1UL << ev->order);
		if (step == STEP_ENTERS) {
			r->hidden_frees += count_places(r, ev, PLACE_IN_USE);
			enter_buddy(r, ev);
		}
		break;
	}
}
