/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_demand.c - dirty traces become clean operations
 *
 * Small machines of 64 pages and traces written out event by event. Whatever
 * the trace, judge() holds the result against what is promised: an id is made
 * before it is used and freed once, with the order it has then.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/registry.h"
#include "base/rng.h"
#include "sim/demand.h"
#include "sim/initial_state.h"
#include "tests/suite.h"

#define NR_PAGES 64
#define MAX_EVENTS 24

static struct layout layout;

static void setup(void)
{
	ck_assert_int_eq(layout_flat(&layout, NR_PAGES, 2, NULL), 0);
}

static void teardown(void)
{
	layout_free(&layout);
}

#define A(p, o) { .kind = EV_ALLOC, .pfn = (p), .order = (o), .migratetype = MIGRATE_MOVABLE }
#define F(p, o) { .kind = EV_FREE, .pfn = (p), .order = (o) }

/* Resolve events, 10 ns apart where no time is given, for 64 pages. */
static int resolve_within(struct demand *d, struct event *events, size_t nr,
			  struct start_block *residents, size_t nr_residents,
			  uint32_t max_ids, struct msg *msg)
{
	char name[] = "drawn";
	struct bundle b = {
		.name = name,
		.trace = { .events = events, .nr_events = nr, .nr_cpus = 2 },
		.has_snapshot = true,
		.resident_blocks = residents,
		.nr_resident_blocks = nr_residents,
	};

	for (size_t i = 0; i < nr; i++) {
		if (!events[i].time_ns)
			events[i].time_ns = 1000 + 10 * i;
	}
	return demand_resolve_within(d, &b, &layout, max_ids, msg);
}

static int resolve(struct demand *d, struct event *events, size_t nr,
		   struct start_block *residents, size_t nr_residents,
		   struct msg *msg)
{
	return resolve_within(d, events, nr, residents, nr_residents,
			      DEMAND_MAX_IDS, msg);
}

/* What each id holds, by running the operations. Returns pages live at the end. */
static unsigned long judge(const struct demand *d)
{
	enum { DEAD = 0xff };
	uint8_t *order = malloc(d->nr_ids + 1);
	unsigned long live = 0, peak = 0;
	uint64_t last_ns = 0, blocks = d->nr_residents;

	memset(order, DEAD, d->nr_ids + 1);
	for (size_t i = 0; i < d->nr_residents; i++) {
		const struct demand_resident *r = &d->residents[i];

		must(r->id < d->nr_ids);
		must(order[r->id] == DEAD);
		order[r->id] = r->order;
		live += 1UL << r->order;
	}
	peak = live;
	for (size_t i = 0; i < d->nr_ops; i++) {
		const struct demand_op *op = &d->ops[i];

		must(op->time_ns >= last_ns);
		last_ns = op->time_ns;
		must(op->id < d->nr_ids);
		switch ((enum demand_kind)op->kind) {
		case DEMAND_ALLOC:
			must(order[op->id] == DEAD);
			order[op->id] = op->order;
			live += 1UL << op->order;
			blocks++;
			break;
		case DEMAND_FREE:
			must(order[op->id] == op->order);
			order[op->id] = DEAD;
			live -= 1UL << op->order;
			blocks--;
			break;
		case DEMAND_SPLIT:
			must(op->upper < d->nr_ids);
			must(order[op->id] == op->order + 1);
			must(order[op->upper] == DEAD);
			order[op->id] = order[op->upper] = op->order;
			blocks++;
			break;
		}
		peak = max_t(unsigned long, peak, live);
	}
	free(order);
	must(d->peak_live_pages == peak);
	must(d->dirty.live_at_end == blocks);
	must(d->nr_ops == d->nr_allocs + d->nr_frees + d->nr_splits);
	return live;
}

/*
 * Each trace with what must come of it: operations by kind, pages live at the
 * end, and the one counter of dirt that has to show (others stay 0).
 */
static const struct {
	const char *what;
	struct event events[MAX_EVENTS];
	unsigned int allocs, frees, splits, live;
	struct demand_dirty dirty;
} cases[] = {
	{ "a clean pair", { A(8, 3), F(8, 3) }, 1, 1, 0, 0, { 0 } },
	{ "still live at the end", { A(8, 3), A(0, 0) }, 2, 0, 0, 9,
	  { .live_at_end = 2 } },
	{ "a free of a page that was free is skipped", { F(5, 0), A(5, 0), F(5, 0), F(5, 0) },
	  1, 1, 0, 0, { .free_unknown = 2 } },
	/*
	 *   8  9 10 11      free 10: [8 9][10 11] -> [8 9][10][11]
	 *   A  A  .  A
	 */
	{ "a part is cut out of its block", { A(8, 2), F(10, 0) }, 1, 1, 2, 3,
	  { .free_part = 1, .live_at_end = 2 } },
	{ "and all the parts one by one", { A(8, 2), F(8, 0), F(9, 0), F(10, 0), F(11, 0) },
	  1, 4, 3, 0, { .free_part = 2 } },
	{ "a free that covers several blocks frees each",
	  { A(8, 1), A(10, 0), A(11, 0), F(8, 2) }, 3, 3, 0, 0, { .free_several = 1 } },
	{ "and the gaps between them are told",
	  { A(8, 1), A(11, 0), F(8, 2) }, 2, 2, 0, 0,
	  { .free_several = 1, .free_gaps = 1 } },
	{ "one block in a larger free is a gap only", { A(8, 1), F(8, 2) }, 1, 1, 0, 0,
	  { .free_gaps = 1 } },
	{ "an allocation over a live page frees it just before",
	  { A(8, 0), A(8, 0), F(8, 0) }, 2, 2, 0, 0, { .alloc_live = 1 } },
	{ "a smaller one over a larger block cuts it",
	  { A(8, 2), A(9, 0) }, 2, 1, 2, 4, { .alloc_live = 1, .live_at_end = 3 } },
	{ "a larger one over smaller blocks frees them",
	  { A(8, 0), A(9, 0), A(8, 2) }, 3, 2, 0, 4,
	  { .alloc_live = 1, .live_at_end = 1 } },
	{ "a failed allocation is not replayed",
	  { { .kind = EV_ALLOC, .pfn = EVENT_PFN_FAILED, .order = 9 }, A(0, 0) },
	  1, 0, 0, 1, { .alloc_failed = 1, .live_at_end = 1 } },
	{ "an allocation where no such block can be is not replayed",
	  { A(9, 1), F(9, 1) }, 0, 0, 0, 0, { .misaligned = 1, .free_unknown = 1 } },
	{ "a batched free is no second free, what the buddy did is no demand",
	  { A(3, 0), { .kind = EV_FREE_BATCHED, .pfn = 3 }, F(3, 0),
	    { .kind = EV_ZONE_LOCKED, .pfn = 3 }, { .kind = EV_PCPU_DRAIN, .pfn = 3 },
	    { .kind = EV_EXTFRAG, .pfn = 3 } },
	  1, 1, 0, 0, { .free_batched = 1, .buddy_events = 3 } },
	{ "lost events are added up",
	  { A(3, 0), { .kind = EV_LOST, .pfn = 17 }, { .kind = EV_LOST, .pfn = 3 } },
	  1, 0, 0, 1, { .lost_events = 20, .live_at_end = 1 } },
	{ "an event out of order happens at the time before it",
	  { { .kind = EV_ALLOC, .pfn = 1, .time_ns = 500 },
	    { .kind = EV_FREE, .pfn = 1, .time_ns = 400 } },
	  1, 1, 0, 0, { .time_reversed = 1 } },
};

static size_t count_events(const struct event *events)
{
	size_t nr = MAX_EVENTS;

	while (nr && !events[nr - 1].kind && !events[nr - 1].pfn &&
	       !events[nr - 1].order && !events[nr - 1].time_ns &&
	       !events[nr - 1].migratetype)
		nr--;
	return nr;
}

START_TEST(every_dirty_case_has_its_policy_and_its_counter)
{
	struct event events[MAX_EVENTS];
	struct demand d;
	struct msg msg;
	size_t nr = count_events(cases[_i].events);

	memcpy(events, cases[_i].events, sizeof(events));
	ck_assert_msg(!resolve(&d, events, nr, NULL, 0, &msg), "%s", msg.text);
	ck_assert_msg(judge(&d) == cases[_i].live, "%s: pages live", cases[_i].what);
	ck_assert_msg(d.nr_allocs == cases[_i].allocs, "%s: allocs", cases[_i].what);
	ck_assert_msg(d.nr_frees == cases[_i].frees, "%s: frees", cases[_i].what);
	ck_assert_msg(d.nr_splits == cases[_i].splits, "%s: splits", cases[_i].what);
	for (unsigned int i = 0; i < NR_DEMAND_DIRTY; i++)
		ck_assert_msg(demand_dirty_get(&d.dirty, i) ==
			      demand_dirty_get(&cases[_i].dirty, i),
			      "%s: %s is %lu", cases[_i].what, demand_dirty_names[i],
			      (unsigned long)demand_dirty_get(&d.dirty, i));
	demand_free(&d);
}
END_TEST

START_TEST(residents_have_ids_from_the_start_and_are_freed_in_place)
{
	struct start_block residents[] = {
		{ .pfn = 4, .order = 2 }, { .pfn = 16, .order = 0 },
	};
	struct event events[] = { F(4, 2), F(16, 0), F(17, 0) };
	struct demand d;

	ck_assert_int_eq(resolve(&d, events, 3, residents, 2, NULL), 0);
	ck_assert_uint_eq(judge(&d), 0);
	ck_assert_uint_eq(d.nr_residents, 2);
	ck_assert_uint_eq(d.nr_frees, 2);
	ck_assert_uint_eq(d.ops[0].id, d.residents[0].id);
	ck_assert_uint_eq(d.ops[1].id, d.residents[1].id);
	ck_assert(d.dirty.free_unknown == 1);
	demand_free(&d);
}
END_TEST

START_TEST(an_event_from_before_the_snapshot_is_skipped)
{
	uint64_t chunk_ns = 2000;
	struct event events[] = { A(5, 0), F(6, 0), A(7, 0) };
	char name[] = "drawn";
	struct bundle b = {
		.name = name,
		.trace = { .events = events, .nr_events = 3, .nr_cpus = 2 },
		.has_snapshot = true,
		.chunk_ns = &chunk_ns,
		.nr_chunks = 1,
	};
	struct demand d;

	events[0].time_ns = 1000;
	events[1].time_ns = 1999;
	events[2].time_ns = 2000;
	ck_assert_int_eq(demand_resolve(&d, &b, &layout, NULL), 0);
	ck_assert(d.dirty.before_snapshot == 2);
	ck_assert_uint_eq(d.nr_ops, 1);
	ck_assert(d.ops[0].time_ns == 1000);	/* since the first event */
	ck_assert_uint_eq(d.ops[0].event, 2);
	demand_free(&d);
}
END_TEST

START_TEST(ids_are_dense_and_used_again)
{
	struct event events[100];
	struct demand d;

	for (unsigned int i = 0; i < 100; i++)
		events[i] = i & 1 ? (struct event)F(i / 2 % NR_PAGES, 0)
				  : (struct event)A(i / 2 % NR_PAGES, 0);
	ck_assert_int_eq(resolve(&d, events, 100, NULL, 0, NULL), 0);
	ck_assert_uint_eq(d.nr_allocs, 50);
	ck_assert_uint_eq(d.nr_ids, 1);
	demand_free(&d);
}
END_TEST

/*
 * The limit is of blocks that live together, whatever makes them: residents,
 * allocations, and halves of a block that is freed in parts. An id that was given
 * back counts no more.
 */
static const struct {
	const char *what;
	struct event events[MAX_EVENTS];
	uint32_t most;			/* live at a time, the resident at 0 included */
} crowds[] = {
	{ "the resident", { { .kind = EV_LOST } }, 1 },
	{ "allocations", { A(8, 0), A(16, 3), A(10, 0) }, 4 },
	{ "halves", { A(8, 2), F(8, 0) }, 4 },
	{ "one place taken twice", { A(8, 0), F(8, 0), A(9, 0), F(9, 0) }, 2 },
};

START_TEST(more_live_blocks_than_a_replay_can_hold_are_refused)
{
	struct start_block resident = { .pfn = 0 };
	struct event events[MAX_EVENTS];
	const size_t nr = count_events(crowds[_i].events);
	const uint32_t most = crowds[_i].most;
	struct demand d;
	struct msg msg;
	char expected[64];

	memcpy(events, crowds[_i].events, sizeof(events));
	ck_assert_msg(!resolve_within(&d, events, nr, &resident, 1, most, &msg),
		      "%s: %s", crowds[_i].what, msg.text);
	ck_assert_uint_eq(d.nr_ids, most);
	demand_free(&d);

	ck_assert_int_eq(resolve_within(&d, events, nr, &resident, 1, most - 1, &msg),
			 -EOVERFLOW);
	snprintf(expected, sizeof(expected), "drawn: more than %u blocks live at a time",
		 most - 1);
	ck_assert_msg(strstr(msg.text, expected), "%s", msg.text);
	ck_assert_ptr_null(d.ops);
	ck_assert_ptr_null(d.residents);
}
END_TEST

static const struct { struct event event; const char *why; } impossible[] = {
	{ A(NR_PAGES, 0), "pfn 64 of order 0 is in no zone" },
	{ F(NR_PAGES, 0), "in no zone" },
	{ A(UINT64_C(1) << 40, 0), "in no zone" },
	{ A(0, MAX_PAGE_ORDER), "in no zone" },
	{ A(0, MAX_PAGE_ORDER + 1), "order 11 is above 10" },
	{ F(NR_PAGES - 2, 2), "in no zone" },
};

/* A .ptr may say any type; per-CPU lists are there for three. */
START_TEST(a_request_for_reserved_or_isolated_blocks_is_movable)
{
	static const uint8_t types[] = {
		MIGRATE_HIGHATOMIC, MIGRATE_ISOLATE, NR_MIGRATETYPES, UINT8_MAX,
	};
	struct event events[] = { A(8, 1) };
	struct demand d;
	struct msg msg;

	events[0].migratetype = types[_i];
	ck_assert(!resolve(&d, events, 1, NULL, 0, &msg));
	ck_assert_uint_eq(d.nr_ops, 1);
	ck_assert_uint_eq(d.ops[0].migratetype, MIGRATE_MOVABLE);
	demand_free(&d);
}
END_TEST

START_TEST(a_page_outside_the_machine_is_refused_with_its_event)
{
	struct event events[] = { A(0, 0), impossible[_i].event };
	struct demand d;
	struct msg msg;

	ck_assert_int_eq(resolve(&d, events, 2, NULL, 0, &msg), -EINVAL);
	ck_assert_msg(strstr(msg.text, "event 1"), "%s", msg.text);
	ck_assert_msg(strstr(msg.text, impossible[_i].why), "%s", msg.text);
	ck_assert_ptr_null(d.ops);
}
END_TEST

static const struct { struct start_block blocks[2]; const char *why; } squatters[] = {
	{ { { .pfn = 0 }, { .pfn = 62, .order = 2 } }, "pfn 62 of order 2 is no block" },
	{ { { .pfn = 0 }, { .pfn = 5, .order = 1 } }, "pfn 5 of order 1 is no block" },
	{ { { .pfn = 7 }, { .pfn = 4, .order = 2 } }, "pfn 7 is in two resident blocks" },
};

START_TEST(residents_that_cannot_be_are_refused)
{
	struct start_block blocks[2];
	struct demand d;
	struct msg msg;

	memcpy(blocks, squatters[_i].blocks, sizeof(blocks));
	ck_assert_int_eq(resolve(&d, NULL, 0, blocks, 2, &msg), -EINVAL);
	ck_assert_msg(strstr(msg.text, squatters[_i].why), "%s", msg.text);
	ck_assert_ptr_null(d.residents);
}
END_TEST

/*
 * Random dirt on 64 pages against books that are too simple to be wrong: one
 * bit a page. After any number of events the pages live must be the same.
 */
START_TEST(random_dirty_traces_leave_the_right_pages_live)
{
	struct rng rng;

	rng_seed(&rng, (uint64_t)_i);
	for (int round = 0; round < 300; round++) {
		size_t nr = 1 + (size_t)rng_below(&rng, 200);
		struct event *events = calloc(nr, sizeof(*events));
		bool live[NR_PAGES] = { false };
		unsigned long nr_live = 0;
		struct demand d;

		for (size_t i = 0; i < nr; i++) {
			unsigned int order = (unsigned int)rng_below(&rng, 5);
			unsigned long pfn = (unsigned long)rng_below(&rng, NR_PAGES) &
					    ~((1UL << order) - 1);
			bool alloc = rng_below(&rng, 2);

			events[i] = alloc ? (struct event)A(pfn, order)
					  : (struct event)F(pfn, order);
			for (unsigned long p = pfn; p < pfn + (1UL << order); p++)
				live[p] = alloc;
		}
		for (unsigned int p = 0; p < NR_PAGES; p++)
			nr_live += live[p];
		ck_assert_int_eq(resolve(&d, events, nr, NULL, 0, NULL), 0);
		ck_assert_uint_eq(judge(&d), nr_live);
		ck_assert_uint_le(d.nr_ids, NR_PAGES);
		demand_free(&d);
		free(events);
	}
}
END_TEST

/*
 *   0 1 2 3 4 5 6 7 8      F free, P per-CPU, R resident, x pinned
 *   F F F F P R R R x
 *   [  o2  ][0]            released
 *   [       o3    ]        boot population: all but pinned
 */
START_TEST(the_boot_population_joins_free_per_cpu_and_resident_pages)
{
	uint8_t start[NR_PAGES] = {
		START_FREE, START_FREE, START_FREE, START_FREE, START_PCP,
		START_RESIDENT, START_RESIDENT, START_RESIDENT,
	};
	struct start_block residents[] = {
		{ .pfn = 5, .order = 0, .migratetype = MIGRATE_UNMOVABLE },
		{ .pfn = 6, .order = 1, .migratetype = MIGRATE_UNMOVABLE },
	};
	char name[] = "drawn";
	struct bundle b = {
		.name = name, .has_snapshot = true, .start = start,
		.resident_blocks = residents, .nr_resident_blocks = 2,
	};
	struct initial_state state;
	struct demand d;

	memset(start + 8, START_PINNED, NR_PAGES - 8);
	ck_assert_int_eq(demand_resolve(&d, &b, &layout, NULL), 0);
	ck_assert_int_eq(initial_state_build(&state, &b, &layout, &d, NULL, NULL), 0);
	ck_assert_uint_eq(state.nr_free_blocks, 2);
	ck_assert_uint_eq(state.free_blocks[0].pfn, 0);
	ck_assert_uint_eq(state.free_blocks[0].order, 2);
	ck_assert_uint_eq(state.free_blocks[1].pfn, 4);
	ck_assert_uint_eq(state.free_blocks[1].order, 0);
	ck_assert(state.free_pages == 5);
	ck_assert(state.resident_pages == 3);
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		ck_assert_uint_eq(state.boot.nr_free[0][o], o == 3);
	ck_assert_uint_eq(state.block_types[0], MIGRATE_UNMOVABLE);
	initial_state_free(&state);
	demand_free(&d);
}
END_TEST

/*
 *   page     0  1  2  3 | 4 5 | 6  7        in per-CPU lists, but 7, whose
 *   event    a3 d2 a1 d1  a   -  a          event never comes, and 6: free
 *   CPU      0  0  0  0   1                 (a allocated, d drained, n-th)
 *
 * CPU 0's list from the head: 2 0 1 3; blocks are released tail first.
 */
START_TEST(parked_blocks_stand_where_their_first_event_finds_them)
{
	uint8_t start[NR_PAGES];
	struct event events[] = {
		{ .kind = EV_PCPU_DRAIN, .pfn = 3 },
		A(2, 0),
		{ .kind = EV_PCPU_DRAIN, .pfn = 1 },
		{ .kind = EV_ALLOC, .pfn = 4, .order = 1, .cpu = 1 },
		A(6, 0),
		A(0, 0),
		A(3, 0),		/* its second event */
	};
	static const struct parked_block want[] = {
		{ 3, 0, 0 }, { 1, 0, 0 }, { 0, 0, 0 }, { 4, 1, 1 }, { 2, 0, 0 },
	};
	char name[] = "drawn";
	struct bundle b = {
		.name = name,
		.trace = { .events = events, .nr_events = ARRAY_SIZE(events),
			   .nr_cpus = 2 },
		.has_snapshot = true, .start = start,
	};
	struct initial_state state;
	struct demand d;

	memset(start, START_PCP, 6);
	start[6] = START_FREE;
	start[7] = START_PCP;
	memset(start + 8, START_PINNED, NR_PAGES - 8);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		events[i].time_ns = 1000 + 10 * i;
	ck_assert_int_eq(demand_resolve(&d, &b, &layout, NULL), 0);
	ck_assert_int_eq(initial_state_build(&state, &b, &layout, &d, NULL, NULL), 0);
	ck_assert_uint_eq(state.nr_parked, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		ck_assert_uint_eq(state.parked[i].pfn, want[i].pfn);
		ck_assert_uint_eq(state.parked[i].cpu, want[i].cpu);
		ck_assert_uint_eq(state.parked[i].order, want[i].order);
	}
	ck_assert_uint_eq(state.nr_free_blocks, 1);
	ck_assert_uint_eq(state.free_blocks[0].pfn, 6);
	ck_assert_uint_eq(state.free_blocks[0].order, 1);
	ck_assert(state.free_pages == 8);
	ck_assert_uint_eq(state.boot.nr_free[0][3], 1);
	initial_state_free(&state);
	demand_free(&d);
}
END_TEST

/*
 *   page     0  1  2  3  4  5  6  7        all in per-CPU lists
 *   before   f2    f1                      (f freed, n-th, before the look)
 *   after          .  d  .  .  .  .        (d drained, on CPU 1)
 *
 * What CPU 0 refilled before the look tells nothing.
 * CPU 0 held 4 pages: 0 and 2, and two that no event names. CPU 1 held 9, so it
 * misses the most; but it refills its list later, which was empty then. So one
 * page, the fourth of those that nobody names, has no list.
 */
START_TEST(what_no_event_names_is_parked_by_number)
{
	uint8_t start[NR_PAGES];
	uint8_t types[NR_PAGES / PAGEBLOCK_NR_PAGES + 2];
	uint64_t looked_ns = 1035;
	struct recorded_pcp pcps[] = { { 4, 77 }, { 9, 0 } };
	struct event events[] = {
		{ .kind = EV_ZONE_LOCKED, .pfn = 12, .migratetype = MIGRATE_MOVABLE },
		{ .kind = EV_FREE, .pfn = 2 },
		{ .kind = EV_FREE, .pfn = 0 },
		{ .kind = EV_FREE, .pfn = 9, .cpu = 1 },
		{ .kind = EV_PCPU_DRAIN, .pfn = 3, .cpu = 1 },
		{ .kind = EV_ZONE_LOCKED, .pfn = 12, .migratetype = MIGRATE_MOVABLE, .cpu = 1 },
	};
	static const struct parked_block want[] = {
		{ 3, 1, 0 }, { 1, 0, 0 }, { 4, 0, 0 }, { 2, 0, 0 }, { 0, 0, 0 },
	};
	char name[] = "drawn";
	struct bundle b = {
		.name = name,
		.trace = { .events = events, .nr_events = ARRAY_SIZE(events),
			   .nr_cpus = 2 },
		.has_snapshot = true, .start = start, .block_types = types,
		.chunk_ns = &looked_ns, .nr_chunks = 1,
		.layout = layout, .start_pcps = { pcps, 2 },
	};
	struct initial_state state;
	struct demand d;

	memset(types, MIGRATE_MOVABLE, sizeof(types));
	memset(start, START_PCP, 6);
	memset(start + 6, START_PINNED, NR_PAGES - 6);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		events[i].time_ns = 1000 + 10 * i;
	ck_assert_int_eq(demand_resolve(&d, &b, &layout, NULL), 0);
	ck_assert_uint_eq(d.state_ns, 35);
	ck_assert_int_eq(initial_state_build(&state, &b, &layout, &d, NULL, NULL), 0);
	ck_assert_uint_eq(state.nr_parked, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		ck_assert_uint_eq(state.parked[i].pfn, want[i].pfn);
		ck_assert_uint_eq(state.parked[i].cpu, want[i].cpu);
		ck_assert_uint_eq(state.parked[i].order, want[i].order);
	}
	ck_assert_uint_eq(state.nr_free_blocks, 0);
	ck_assert(state.free_pages == 5);
	ck_assert_uint_eq(state.limits[0].pages, 77);
	ck_assert_uint_eq(state.limits[1].pages, 0);
	initial_state_free(&state);
	demand_free(&d);
}
END_TEST

/* Every other page is free; lists with no slot inline need a node for them. */
START_TEST(a_state_is_restored_when_no_page_is_missing)
{
	static const char *const specs[] = { "linked", "twoword:inline=0" };
	const struct alloc_req one_page = { .migratetype = MIGRATE_MOVABLE };
	uint8_t start[NR_PAGES];
	char name[] = "drawn";
	struct bundle b = { .name = name, .has_snapshot = true, .start = start };
	struct initial_state state;
	struct page_counts counts;
	struct machine *m;
	struct allocator *a;
	struct demand d;
	unsigned long pfn;

	for (unsigned int p = 0; p < NR_PAGES; p++)
		start[p] = p & 1 ? START_FREE : START_PINNED;
	ck_assert_int_eq(demand_resolve(&d, &b, &layout, NULL), 0);
	ck_assert_int_eq(initial_state_build(&state, &b, &layout, &d, NULL, NULL), 0);
	ck_assert_int_eq(machine_create(&m, &layout, WINDOW_ARITH, NULL), 0);
	ck_assert_int_eq(allocator_create(&a, specs[_i], false, m, NULL), 0);
	ck_assert_int_eq(initial_state_enter(&state, &d, a, NULL), 0);
	allocator_counts(a, 0, &counts);
	ck_assert_int_eq(counts.nodes > 0, _i);

	ck_assert(initial_state_restored(&state, a));
	pfn = alloc_pages(a, &one_page);
	ck_assert(!initial_state_restored(&state, a));
	free_pages(a, pfn, 0, 0);
	ck_assert(initial_state_restored(&state, a));

	allocator_destroy(a);
	machine_destroy(m);
	initial_state_free(&state);
	demand_free(&d);
}
END_TEST

START_TEST(the_seed_decides_the_order_of_release_and_nothing_else)
{
	uint8_t start[NR_PAGES];
	char name[] = "drawn";
	struct bundle b = { .name = name, .has_snapshot = true, .start = start };
	struct initial_state one, same, other;
	struct demand d;
	struct rng rng;
	uint64_t sum_one = 0, sum_other = 0;

	for (unsigned int p = 0; p < NR_PAGES; p++)
		start[p] = p & 1 ? START_FREE : START_PINNED;
	ck_assert_int_eq(demand_resolve(&d, &b, &layout, NULL), 0);
	rng_seed(&rng, 1);
	ck_assert_int_eq(initial_state_build(&one, &b, &layout, &d, &rng, NULL), 0);
	rng_seed(&rng, 1);
	ck_assert_int_eq(initial_state_build(&same, &b, &layout, &d, &rng, NULL), 0);
	rng_seed(&rng, 2);
	ck_assert_int_eq(initial_state_build(&other, &b, &layout, &d, &rng, NULL), 0);
	ck_assert_uint_eq(one.nr_free_blocks, NR_PAGES / 2);
	ck_assert_mem_eq(one.free_blocks, same.free_blocks,
			 one.nr_free_blocks * sizeof(*one.free_blocks));
	ck_assert_mem_ne(one.free_blocks, other.free_blocks,
			 one.nr_free_blocks * sizeof(*one.free_blocks));
	for (size_t i = 0; i < one.nr_free_blocks; i++) {
		sum_one += one.free_blocks[i].pfn * one.free_blocks[i].pfn;
		sum_other += other.free_blocks[i].pfn * other.free_blocks[i].pfn;
	}
	ck_assert(sum_one == sum_other);
	initial_state_free(&one);
	initial_state_free(&same);
	initial_state_free(&other);
	demand_free(&d);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("demand");
	TCase *tc = tcase_create("demand");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, every_dirty_case_has_its_policy_and_its_counter, 0,
			    (int)ARRAY_SIZE(cases));
	tcase_add_test(tc, residents_have_ids_from_the_start_and_are_freed_in_place);
	tcase_add_test(tc, an_event_from_before_the_snapshot_is_skipped);
	tcase_add_test(tc, ids_are_dense_and_used_again);
	tcase_add_loop_test(tc, more_live_blocks_than_a_replay_can_hold_are_refused,
			    0, ARRAY_SIZE(crowds));
	tcase_add_loop_test(tc, a_request_for_reserved_or_isolated_blocks_is_movable, 0, 4);
	tcase_add_loop_test(tc, a_page_outside_the_machine_is_refused_with_its_event,
			    0, (int)ARRAY_SIZE(impossible));
	tcase_add_loop_test(tc, residents_that_cannot_be_are_refused, 0,
			    (int)ARRAY_SIZE(squatters));
	tcase_add_loop_test(tc, random_dirty_traces_leave_the_right_pages_live, 1, 9);
	tcase_add_test(tc, the_boot_population_joins_free_per_cpu_and_resident_pages);
	tcase_add_test(tc, parked_blocks_stand_where_their_first_event_finds_them);
	tcase_add_test(tc, what_no_event_names_is_parked_by_number);
	tcase_add_loop_test(tc, a_state_is_restored_when_no_page_is_missing, 0, 2);
	tcase_add_test(tc, the_seed_decides_the_order_of_release_and_nothing_else);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
