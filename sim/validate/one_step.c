/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * one_step.c - the recorded machine's lists, and a verdict before each event
 *
 *	zone_locked  smallest order? head of that list?   -> tail of the CPU's list
 *	alloc        head of the CPU's list?
 *	free         does it drain, how much?             -> head of the CPU's list
 *	drain        tail of its list?                    -> free list, by rule
 *
 * A burst is a run of removals, or of drains, on one CPU with nothing of that
 * CPU in between: one refill, or one drain.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/buddy/pcp.h"
#include "sim/validate/one_step.h"

const char *const one_step_rule_names[NR_ONE_STEP_RULES] = {
#define RULE_NAME(name, what) #name,
	ONE_STEP_RULES(RULE_NAME)
#undef RULE_NAME
};

const char *const one_step_rule_help[NR_ONE_STEP_RULES] = {
#define RULE_HELP(name, what) what,
	ONE_STEP_RULES(RULE_HELP)
#undef RULE_HELP
};

double rule_rate(const struct rule_count *c)
{
	uint64_t judged = c->hits + c->misses;

	return judged ? (double)c->hits / (double)judged : NAN;
}

/* Pages by which a count may be off while /proc is read under load. */
#define COUNT_TOLERANCE 256

/* What a CPU is in the middle of. */
struct burst {
	uint8_t kind;		/* EV_ZONE_LOCKED, EV_PCPU_DRAIN, or neither */
	uint8_t order;		/* of the refill, or of the last block drained */
	uint8_t zone;
	uint16_t comm;		/* who: the timer's drains are another process's */
	unsigned int slot;	/* the per-CPU lists it works on */
	bool judged;		/* something was predicted */
	int predicted;		/* blocks of a refill, pages of a drain */
	int seen;
};

struct stepper {
	struct one_step *result;
	struct recorded recorded;
	struct page_lists lists;
	uint8_t *block_type;
	uint8_t *fate;		/* enum page_fate of each page in a per-CPU list */
	uint32_t *pending;	/* by pfn: the free whose free_batched is to come */
	bool was_in_use;	/* the event's page, before it: its free was not seen */
	uint8_t moving_type;	/* of the blocks that the current event moves */
	bool moving_joins;	/* ... into larger ones, which take that type */

	unsigned int nr_cpus;
	struct pcp *pcps;	/* [zone][cpu]: sizes only */
	bool *sized;		/* [zone][cpu]: a sample has told its state */
	struct burst *bursts;	/* by CPU */
	size_t next_counter;
	int *counter_slot;	/* of each counter's name: see slot_of_counter() */
};

/* ---- lists ---- */

static unsigned int buddy_list(unsigned int zone, unsigned int order, unsigned int type)
{
	return 1 + (zone * NR_PAGE_ORDERS + order) * NR_MIGRATETYPES + type;
}

static unsigned int pcp_slot(const struct stepper *s, unsigned int zone, unsigned int cpu)
{
	return zone * s->nr_cpus + cpu;
}

static unsigned int pcp_list(unsigned int slot, unsigned int order,
			     unsigned int type)
{
	if (type >= PCP_NR_TYPES)
		type = MIGRATE_MOVABLE;
	return buddy_list(MAX_NR_ZONES, 0, 0) + slot * PCP_NR_LISTS +
	       pcp_list_index(order, type);
}

static bool in_pcp_list(const struct stepper *s, unsigned long pfn)
{
	return s->lists.of[pfn] >= buddy_list(MAX_NR_ZONES, 0, 0);
}

/* A page leaves a per-CPU list that it was in, seen or unseen. */
static void leave_pcp_list(struct stepper *s, unsigned long pfn)
{
	unsigned int at = s->lists.of[pfn] - buddy_list(MAX_NR_ZONES, 0, 0);

	s->pcps[at / PCP_NR_LISTS].count -= 1 << pcp_list_order(at % PCP_NR_LISTS);
	page_lists_del(&s->lists, pfn);
}

static unsigned int zone_of(const struct stepper *s, unsigned long pfn)
{
	return (unsigned int)layout_zone_of(&s->recorded.bundle->layout, pfn);
}

static uint8_t *type_of(const struct stepper *s, unsigned long pfn)
{
	return &s->block_type[pfn >> PAGEBLOCK_ORDER];
}

/* merge_is_likely() of the policy, on the recorded machine. */
static bool goes_to_tail(const struct stepper *s, unsigned int zone,
			 unsigned long pfn, unsigned int order)
{
	unsigned long beside = pfn_buddy(pfn & ~(1UL << order), order + 1);
	const struct zone *z = &s->recorded.bundle->layout.zones[zone];

	return order < MAX_PAGE_ORDER - 1 && zone_spans(z, beside) &&
	       s->recorded.free.head[beside] == order + 2;
}

static void on_moved(void *ctx, unsigned int zone, unsigned long pfn,
		     unsigned int order, enum free_move move)
{
	struct stepper *s = ctx;

	if (move == FREE_MOVE_OUT) {
		page_lists_del(&s->lists, pfn);
		return;
	}
	if (move == FREE_MOVE_IN && order > PAGEBLOCK_ORDER && s->moving_joins)
		memset(type_of(s, pfn), s->moving_type,
		       (size_t)1 << (order - PAGEBLOCK_ORDER));
	if (move == FREE_MOVE_IN && goes_to_tail(s, zone, pfn, order))
		page_lists_push_tail(&s->lists, buddy_list(zone, order, *type_of(s, pfn)),
				     pfn, true);
	else
		page_lists_push_head(&s->lists, buddy_list(zone, order, *type_of(s, pfn)),
				     pfn, true);
}

/* A pageblock becomes another type; its free blocks go to those lists' tails. */
static void retype(struct stepper *s, unsigned long pfn, unsigned int type, bool known)
{
	unsigned long at = pfn & ~(PAGEBLOCK_NR_PAGES - 1);
	unsigned long end = at + PAGEBLOCK_NR_PAGES;

	*type_of(s, pfn) = (uint8_t)type;
	while (at < end) {
		unsigned int order = 0;
		unsigned long head = free_set_find(&s->recorded.free, at, &order);

		if (head != at) {
			at++;
			continue;
		}
		page_lists_del(&s->lists, at);
		page_lists_push_tail(&s->lists, buddy_list(zone_of(s, at), order, type),
				     at, known);
		at += 1UL << order;
	}
}

/* ---- verdicts ---- */

static void count(struct stepper *s, unsigned int zone, enum one_step_rule rule,
		  enum verdict verdict)
{
	struct rule_count *c = &s->result->rules[zone][rule];

	c->hits += verdict == VERDICT_HIT;
	c->misses += verdict == VERDICT_MISS;
	c->unknown += verdict == VERDICT_UNKNOWN;
}

static enum verdict verdict_of(bool hit)
{
	return hit ? VERDICT_HIT : VERDICT_MISS;
}

static unsigned int smallest_order(const struct stepper *s, unsigned int zone,
				   unsigned int order, unsigned int type)
{
	while (order < NR_PAGE_ORDERS &&
	       !s->lists.lists[buddy_list(zone, order, type)].nr)
		order++;
	return order;
}

static unsigned int other_type(unsigned int type)
{
	return type == MIGRATE_RECLAIMABLE ? MIGRATE_UNMOVABLE : MIGRATE_RECLAIMABLE;
}

/*
 * A larger block was taken than the lists have of this type. So what they have
 * below it, from the start, is of another type: a miss, once.
 */
static void correct_types(struct stepper *s, unsigned int zone, unsigned int from,
			  unsigned int below, unsigned int type)
{
	for (unsigned int order = from; order < below; order++) {
		const struct page_list *list =
			&s->lists.lists[buddy_list(zone, order, type)];

		while (list->head != NO_PAGE && !s->lists.known[list->head]) {
			s->result->retyped++;
			retype(s, list->head, other_type(type), false);
		}
	}
}

static void judge_removal(struct stepper *s, const struct event *ev, unsigned int zone)
{
	unsigned long pfn = (unsigned long)ev->pfn;
	unsigned int order = 0, smallest;
	unsigned long head = free_set_find(&s->recorded.free, pfn, &order);

	if (head == PFN_NONE)
		return;			/* a repair: counted by recorded.c */
	if (*type_of(s, pfn) != ev->migratetype) {
		s->result->retyped++;
		retype(s, pfn, ev->migratetype, false);
		count(s, zone, RULE_smallest_order, VERDICT_UNKNOWN);
		count(s, zone, RULE_list_head, VERDICT_UNKNOWN);
		return;
	}
	smallest = smallest_order(s, zone, ev->order, ev->migratetype);
	count(s, zone, RULE_smallest_order, verdict_of(smallest == order));
	correct_types(s, zone, smallest, order, ev->migratetype);
	count(s, zone, RULE_list_head,
	      page_lists_judge(&s->lists, buddy_list(zone, order, ev->migratetype), head));
	count(s, zone, RULE_split_low, verdict_of(head == pfn));
}

/* A block taken from another type's list: which one, the event says. */
static void judge_fallback(struct stepper *s, const struct event *ev, unsigned int zone)
{
	unsigned long pfn = (unsigned long)ev->pfn;
	unsigned int order = 0;
	unsigned long head = free_set_find(&s->recorded.free, pfn, &order);

	s->result->claims++;
	if (head == PFN_NONE)
		return;
	if (order == ev->fallback_order && *type_of(s, pfn) == ev->fallback_migratetype)
		count(s, zone, RULE_list_head,
		      page_lists_judge(&s->lists, s->lists.of[head], head));
	if (!(ev->flags & EVENT_CHANGE_OWNERSHIP) || order < PAGEBLOCK_ORDER)
		return;
	for (unsigned long at = head; at < head + (1UL << order); at += PAGEBLOCK_NR_PAGES)
		*type_of(s, at) = ev->migratetype;
}

/* ---- bursts ---- */

/*
 * A drain that came too late or too early shows how far off the count was:
 * it is at its limit when a drain begins, and some way below when none does.
 */
static void learn_count(struct stepper *s, const struct burst *burst)
{
	struct pcp *pcp = &s->pcps[burst->slot];

	if (burst->seen && !burst->predicted)
		pcp->count = pcp->high - burst->seen;
	else if (burst->predicted && !burst->seen)
		pcp->count = pcp->high - pcp->batch;
}

/* A drain ends with the block that reaches the number. */
static bool burst_as_predicted(const struct burst *burst)
{
	int slack = burst->kind == EV_PCPU_DRAIN ? (1 << burst->order) - 1 : 0;

	return burst->seen >= burst->predicted &&
	       burst->seen <= burst->predicted + slack;
}

static void judge_drain(struct stepper *s, struct burst *burst)
{
	bool predicted = burst->predicted;

	if (!predicted && !burst->seen)
		return;
	count(s, burst->zone, RULE_drain_when, verdict_of(predicted && burst->seen));
	learn_count(s, burst);
	if (!burst->seen)
		return;
	if (!predicted)			/* what it would have been, had it been due */
		burst->predicted = pcp_nr_drain(&s->pcps[burst->slot],
						s->pcps[burst->slot].high);
	count(s, burst->zone, RULE_drain, verdict_of(burst_as_predicted(burst)));
}

static void burst_end(struct stepper *s, struct burst *burst)
{
	if (burst->judged && burst->kind == EV_PCPU_DRAIN)
		judge_drain(s, burst);
	else if (burst->judged && burst->kind == EV_ZONE_LOCKED)
		count(s, burst->zone, RULE_refill, verdict_of(burst_as_predicted(burst)));
	*burst = (struct burst){ .kind = NR_EVENT_KINDS };
}

/* This CPU does something else than what it was in the middle of. */
static void burst_is(struct stepper *s, const struct event *ev)
{
	struct burst *burst = &s->bursts[ev->cpu];

	if (burst->kind != ev->kind)
		burst_end(s, burst);
}

static void note_refill(struct stepper *s, const struct event *ev, unsigned int zone)
{
	struct burst *burst = &s->bursts[ev->cpu];
	unsigned int slot = pcp_slot(s, zone, ev->cpu);
	const struct buddy_zone plenty = { 0 };
	unsigned int list = pcp_list(slot, ev->order, ev->migratetype);

	if (burst->kind != EV_ZONE_LOCKED) {
		*burst = (struct burst){
			.kind = EV_ZONE_LOCKED,
			.order = ev->order,
			.zone = (uint8_t)zone,
			.judged = s->sized[slot],
			.predicted = pcp_nr_refill(&s->pcps[slot], &plenty, ev->order),
		};
	}
	burst->seen++;
	if (in_pcp_list(s, (unsigned long)ev->pfn))
		leave_pcp_list(s, (unsigned long)ev->pfn);	/* its drain was not recorded */
	s->pcps[slot].count += 1 << ev->order;
	page_lists_push_tail(&s->lists, list, (unsigned long)ev->pfn, true);
}

/*
 * Bulk allocations take pages from the head without an event. So a page at an
 * end of its list was taken before, if another one is handed out or drained
 * from there, and nothing says that it was still there later.
 */
static void pass_over_bulk(struct stepper *s, const uint32_t *end, unsigned long pfn)
{
	while (*end != NO_PAGE && *end != pfn && s->lists.known[*end] &&
	       s->fate[*end] != FATE_ALLOC && s->fate[*end] != FATE_DRAIN) {
		leave_pcp_list(s, *end);
		s->result->skipped++;
	}
}

/*
 * The page that leaves was at this end, so those that the lists have before it
 * were not: a miss, once. None if the list does not have the page.
 */
static void correct_end(struct stepper *s, const uint32_t *end, unsigned long pfn)
{
	unsigned int list = (unsigned int)(s->lists.of[pfn]);

	if (list == NO_LIST || (end != &s->lists.lists[list].head &&
				end != &s->lists.lists[list].tail))
		return;
	while (*end != pfn && s->lists.known[*end])
		leave_pcp_list(s, *end);
}

static void note_drain(struct stepper *s, const struct event *ev, unsigned int zone)
{
	unsigned long pfn = (unsigned long)ev->pfn;
	struct burst *burst = &s->bursts[ev->cpu];

	if (burst->kind != EV_PCPU_DRAIN || burst->comm != ev->comm) {
		burst_end(s, burst);
		*burst = (struct burst){
			.kind = EV_PCPU_DRAIN, .zone = (uint8_t)zone, .comm = ev->comm,
		};
	}
	if (!burst->judged)
		s->result->aged++;
	burst->order = ev->order;
	burst->seen += 1 << ev->order;
	if (in_pcp_list(s, pfn)) {
		const struct page_list *list = &s->lists.lists[s->lists.of[pfn]];

		pass_over_bulk(s, &list->tail, pfn);
		count(s, zone, RULE_drain_tail, verdict_of(list->tail == pfn));
		correct_end(s, &list->tail, pfn);
		leave_pcp_list(s, pfn);
	} else {
		if (!s->was_in_use)
			s->pcps[pcp_slot(s, zone, ev->cpu)].count -= 1 << ev->order;
		count(s, zone, RULE_drain_tail, VERDICT_UNKNOWN);
	}
}

/* ---- per-CPU lists ---- */

static void park(struct stepper *s, const struct event *ev, size_t i, unsigned int zone)
{
	unsigned long pfn = (unsigned long)ev->pfn;
	unsigned int slot = pcp_slot(s, zone, ev->cpu);
	uint8_t fate = s->recorded.stream->fate[i];
	bool told = fate == FATE_ALLOC || fate == FATE_DRAIN;
	unsigned int type = told ? s->recorded.stream->fate_type[i] : *type_of(s, pfn);
	struct pcp *pcp = &s->pcps[slot];
	const struct buddy_zone plenty = { 0 };

	if (in_pcp_list(s, pfn))
		leave_pcp_list(s, pfn);		/* it was taken in bulk */
	page_lists_push_head(&s->lists, pcp_list(slot, ev->order, type), pfn, true);
	s->fate[pfn] = fate;
	pcp->alloc_factor >>= 1;
	pcp->count += 1 << ev->order;
	s->bursts[ev->cpu] = (struct burst){
		.kind = EV_PCPU_DRAIN,
		.zone = (uint8_t)zone,
		.comm = ev->comm,
		.slot = slot,
		.judged = s->sized[slot],
		.predicted = pcp_nr_free(pcp, &plenty, ev->order),
	};
}


static void unpark(struct stepper *s, const struct event *ev, unsigned int zone)
{
	unsigned long pfn = (unsigned long)ev->pfn;
	unsigned int slot = pcp_slot(s, zone, ev->cpu);
	unsigned int list = pcp_list(slot, ev->order, ev->migratetype);
	struct pcp *pcp = &s->pcps[slot];

	pass_over_bulk(s, &s->lists.lists[list].head, pfn);
	count(s, zone, RULE_pcp_head,
	      s->was_in_use ? VERDICT_UNKNOWN
			    : page_lists_judge(&s->lists, list, pfn));
	correct_end(s, &s->lists.lists[list].head, pfn);
	pcp->free_count >>= 1;
	if (in_pcp_list(s, pfn))
		leave_pcp_list(s, pfn);
	else if (!s->was_in_use)
		pcp->count -= 1 << ev->order;
}

/* ---- events ---- */

static void before_event(struct stepper *s, size_t i, const struct event *ev,
			 unsigned int zone)
{
	const struct buddy_stream *stream = s->recorded.stream;

	s->moving_type = *type_of(s, (unsigned long)ev->pfn);
	s->moving_joins = true;
	if (stream->step[i] == STEP_ENTERS && ev->kind == EV_PCPU_DRAIN &&
	    *type_of(s, (unsigned long)ev->pfn) != ev->migratetype) {
		s->result->retyped++;
		retype(s, (unsigned long)ev->pfn, ev->migratetype, false);
		s->moving_type = ev->migratetype;
	}
	if (stream->step[i] != STEP_LEAVES)
		return;
	if (ev->kind == EV_EXTFRAG) {
		judge_fallback(s, ev, zone);
	} else if (stream->claims[i] != CLAIM_NONE) {
		s->result->claims++;
		if (stream->claims[i] == CLAIM_CHANGES)
			retype(s, (unsigned long)ev->pfn, ev->migratetype, true);
	} else {
		judge_removal(s, ev, zone);
	}
}

static void after_event(struct stepper *s, size_t i, const struct event *ev,
			unsigned int zone)
{
	bool listed = order_uses_pcp(ev->order);

	switch (ev->kind) {
	case EV_ZONE_LOCKED:
	case EV_EXTFRAG:
		if (listed && s->recorded.stream->step[i] == STEP_LEAVES)
			note_refill(s, ev, zone);
		break;
	case EV_ALLOC:
		if (listed)
			unpark(s, ev, zone);
		break;
	case EV_FREE:
		if (!listed || s->recorded.stream->step[i] != STEP_NONE)
			break;
		if (s->recorded.stream->deferred[i])
			s->pending[ev->pfn] = (uint32_t)i + 1;
		else
			park(s, ev, i, zone);
		break;
	default:
		break;
	}
}

/* The second record of a batched free: now the page reaches its list. */
static void finish_free(struct stepper *s, const struct event *ev)
{
	uint32_t i = s->pending[ev->pfn];

	if (!i)
		return;
	burst_end(s, &s->bursts[ev->cpu]);
	s->pending[ev->pfn] = 0;
	park(s, &s->recorded.bundle->trace.events[i - 1], i - 1,
	     zone_of(s, (unsigned long)ev->pfn));
}

static void step(struct stepper *s, size_t i)
{
	const struct event *ev = &s->recorded.bundle->trace.events[i];
	unsigned int zone;

	if (ev->kind == EV_LOST || (ev->kind == EV_ALLOC && ev->pfn == EVENT_PFN_FAILED) ||
	    bundle_before_snapshot(s->recorded.bundle, ev))
		return;
	if (ev->kind == EV_FREE_BATCHED) {
		finish_free(s, ev);
		return;
	}
	zone = zone_of(s, (unsigned long)ev->pfn);
	if (s->recorded.stream->step[i] != STEP_NONE || ev->kind == EV_ALLOC ||
	    ev->kind == EV_FREE)
		burst_is(s, ev);
	s->was_in_use = s->recorded.place[ev->pfn] == PLACE_IN_USE;
	before_event(s, i, ev, zone);
	if (ev->kind == EV_PCPU_DRAIN)
		note_drain(s, ev, zone);
	recorded_apply(&s->recorded, i);
	after_event(s, i, ev, zone);
}

/* ---- what samples tell of the per-CPU lists ---- */

/*
 * "Normal.pcp_count_cpu1" is 2 * slot, pcp_high 2 * slot + 1; else -1, as where
 * each node has a Normal and "Normal.node0.pcp_count_cpu1" is expected.
 */
static int slot_of_counter(const struct stepper *s, const char *name)
{
	static const char *const fields[] = { ".pcp_count_cpu", ".pcp_high_cpu" };
	const struct layout *l = &s->recorded.bundle->layout;

	for (unsigned int z = 0; z < l->nr_zones; z++) {
		const char *zone = zone_label(&l->zones[z]);
		size_t len = strlen(zone);

		if (strncmp(name, zone, len))
			continue;
		for (int f = 0; f < 2; f++) {
			size_t field = strlen(fields[f]);
			unsigned long cpu;

			if (strncmp(name + len, fields[f], field))
				continue;
			cpu = strtoul(name + len + field, NULL, 10);
			if (cpu < s->nr_cpus)
				return (int)(2 * pcp_slot(s, z, (unsigned int)cpu)) + f;
		}
	}
	return -1;
}

/* A count is read while it changes; one that was followed is better than that. */
static void take_count(struct pcp *pcp, int sampled)
{
	if (abs(pcp->count - sampled) > COUNT_TOLERANCE)
		pcp->count = sampled;
}

/* Take over counts and limits that were read before this time. */
static void take_samples(struct stepper *s, uint64_t time_ns)
{
	const struct bundle *b = s->recorded.bundle;

	for (; s->next_counter < b->nr_counters &&
	       b->counters[s->next_counter].after_ns <= time_ns; s->next_counter++) {
		const struct counter_sample *c = &b->counters[s->next_counter];
		int slot = s->counter_slot[c->name];

		if (slot < 0)
			continue;
		if (slot & 1) {
			s->pcps[slot / 2].high = (int)c->value;
			s->sized[slot / 2] = true;
		} else {
			take_count(&s->pcps[slot / 2], (int)c->value);
		}
	}
}

/* ---- the start ---- */

static void list_start(struct stepper *s)
{
	const struct bundle *b = s->recorded.bundle;

	for (size_t i = 0; i < b->nr_free_blocks; i++) {
		const struct start_block *block = &b->free_blocks[i];
		unsigned long pfn = (unsigned long)block->pfn;

		page_lists_push_tail(&s->lists,
				     buddy_list(zone_of(s, pfn), block->order,
						*type_of(s, pfn)), pfn, false);
	}
}

static void size_start(struct stepper *s)
{
	const struct bundle *b = s->recorded.bundle;

	for (unsigned int z = 0; z < b->layout.nr_zones; z++) {
		const struct zone *zone = &b->layout.zones[z];

		for (unsigned int cpu = 0; cpu < s->nr_cpus; cpu++)
			s->pcps[pcp_slot(s, z, cpu)] = (struct pcp){
				.batch = (int)zone->pcp_batch,
				.high_min = (int)zone->pcp_high_min,
				.high_max = (int)zone->pcp_high_max,
				.high = (int)zone->pcp_high_min,
			};
	}
	for (unsigned int i = 0; i < b->nr_counter_names; i++)
		s->counter_slot[i] = slot_of_counter(s, b->counter_names[i]);
	for (unsigned int cpu = 0; cpu < s->nr_cpus; cpu++)
		s->bursts[cpu].kind = NR_EVENT_KINDS;
}

static void stepper_destroy(struct stepper *s)
{
	recorded_destroy(&s->recorded);
	page_lists_destroy(&s->lists);
	free(s->block_type);
	free(s->fate);
	free(s->pending);
	free(s->pcps);
	free(s->sized);
	free(s->bursts);
	free(s->counter_slot);
}

static int stepper_init(struct stepper *s, struct one_step *o, const struct bundle *b,
			const struct buddy_stream *stream)
{
	unsigned long nr_pages = layout_end_pfn(&b->layout);
	unsigned long nr_blocks = (nr_pages >> PAGEBLOCK_ORDER) + 1;
	unsigned int slots;

	*s = (struct stepper){ .result = o, .nr_cpus = b->layout.nr_cpus };
	slots = MAX_NR_ZONES * s->nr_cpus;
	s->block_type = malloc(nr_blocks);
	s->fate = calloc(nr_pages, sizeof(*s->fate));
	s->pending = calloc(nr_pages, sizeof(*s->pending));
	s->pcps = calloc(slots, sizeof(*s->pcps));
	s->sized = calloc(slots, sizeof(*s->sized));
	s->bursts = calloc(s->nr_cpus, sizeof(*s->bursts));
	s->counter_slot = calloc(b->nr_counter_names + 1UL, sizeof(*s->counter_slot));
	if (!s->block_type || !s->fate || !s->pending || !s->pcps || !s->sized ||
	    !s->bursts || !s->counter_slot || recorded_init(&s->recorded, b, stream) ||
	    page_lists_init(&s->lists, nr_pages, buddy_list(MAX_NR_ZONES, 0, 0) +
						 slots * PCP_NR_LISTS)) {
		stepper_destroy(s);
		return -ENOMEM;
	}
	memcpy(s->block_type, b->block_types, nr_blocks);
	list_start(s);
	size_start(s);
	s->recorded.free.moved = on_moved;
	s->recorded.free.moved_ctx = s;
	return 0;
}

int one_step_run(struct one_step *o, const struct bundle *b,
		 const struct buddy_stream *stream)
{
	struct stepper s;
	int err;

	*o = (struct one_step){ 0 };
	err = stepper_init(&s, o, b, stream);
	if (err)
		return err;
	for (size_t i = 0; i < b->trace.nr_events; i++) {
		take_samples(&s, b->trace.events[i].time_ns);
		step(&s, i);
	}
	stepper_destroy(&s);
	return 0;
}
