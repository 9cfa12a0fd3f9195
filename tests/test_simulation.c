/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_simulation.c - tests sim/simulation/{actors,lives,reclaim,observers}.c by
 * the events that a run records
 *
 * What a class may ask for, when and from where, and whom reclaim takes, is
 * said again here as a few lines over the row of events.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "sim/record.h"
#include "sim/simulate.h"
#include "sim/workload/live.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

#define MACHINE "[machine]\nmemory = 64M\ncpus = 4\nzones = flat\n"
#define PAGES   (64UL << 20 >> PAGE_SHIFT)
/* A flat machine has no marks; of this one only the first 16 MiB are used. */
#define MARKS   "[machine]\nmemory = 64M\ncpus = 4\nzones = pc\n"
#define MS      UINT64_C(1000000)

static struct msg msg;
static struct scenario scenario;
static struct initial_state start;
static struct allocatee_table allocatees;
static struct record record;
static struct replay_run run;

/* The events of the run, and by page what its block's allocation was. */
static const struct event *events;
static size_t nr_events;
static struct event born[PAGES];

static void read_scenario(const char *text)
{
	const struct bundle empty = { 0 };
	const struct demand nobody = { 0 };
	struct rng rng;

	rng_seed(&rng, 1);
	ck_assert_msg(!scenario_read(&scenario, scratch_write_text("s.ini", text), 1,
				     &msg), "%s", msg.text);
	ck_assert_int_eq(initial_state_build(&start, &empty, &scenario.layout, &nobody,
					     &rng, &msg), 0);
	ck_assert_msg(!allocatee_table_load(&allocatees, "today", &msg), "%s", msg.text);
}

static struct simulate_plan plan = {
	.allocatees = &allocatees,
	.scenario = &scenario,
	.layout = &scenario.layout,
	.start = &start,
	.seed = 1,
	.sample_ns = 10 * MS,
	.checked = true,
	.teardown = true,
	.record = &record,
};

static const char *spec = "linked";

static void run_scenario(const char *text)
{
	read_scenario(text);
	ck_assert_msg(!record_open(&record, scratch_path("events.ptr"), CONVERT_PTR,
				   &scenario, &msg), "%s", msg.text);
	ck_assert_msg(!simulate(&run, &plan, spec, &msg), "%s", msg.text);
	ck_assert_msg(run.verified, "%s", run.verify_msg.text);
	ck_assert(run.restored);
	events = record.trace.events;
	nr_events = record.trace.nr_events;
	ck_assert_uint_eq(nr_events, run.ops_done);
}

static void forget(void)
{
	replay_run_free(&run);
	record_abort(&record);
	initial_state_free(&start);
	scenario_free(&scenario);
}

static bool is_alloc(const struct event *ev)
{
	return ev->kind == EV_ALLOC;
}

/* Of a free: the allocation of its block. */
static const struct event *birth(const struct event *ev)
{
	if (is_alloc(ev) && ev->pfn != EVENT_PFN_FAILED)
		born[ev->pfn] = *ev;
	return is_alloc(ev) ? NULL : &born[ev->pfn];
}

/* What is drawn may be five times its standard deviation off, here and below. */
START_TEST(a_class_asks_from_its_cpus_and_frees_where_it_is_told)
{
	unsigned int asked[4] = { 0 }, freed[4] = { 0 }, moved = 0;

	run_scenario(MACHINE "[phase a]\nduration = 200ms\n"
		     "[class at-home]\ncpus = 1-2\narrivals = poisson rate=10000/s\n"
		     "lifetime = constant value=1ms\n"
		     "[class away]\ncpus = 3\nfree-cpu = any\n"
		     "arrivals = poisson rate=10000/s\nlifetime = constant value=1ms\n");
	for (size_t i = 0; i < nr_events; i++) {
		const struct event *ev = &events[i], *from = birth(ev);

		if (ev->comm == 1) {
			asked[ev->cpu] += is_alloc(ev);
			must(!from || from->cpu == ev->cpu);
		} else {
			must(!is_alloc(ev) || ev->cpu == 3);
			freed[ev->cpu] += !is_alloc(ev);
			moved += from && from->cpu != ev->cpu;
		}
	}
	ck_assert_uint_eq(asked[0] + asked[3], 0);
	ck_assert_int_lt(abs((int)asked[1] - 1000), 160);
	ck_assert_int_lt(abs((int)asked[2] - 1000), 160);
	for (int cpu = 0; cpu < 4; cpu++)
		ck_assert_int_lt(abs((int)freed[cpu] - 500), 110);
	ck_assert_uint_eq(moved, freed[0] + freed[1] + freed[2]);
	forget();
}
END_TEST

/* Of 7000: 1750 from each CPU, 4000, 2000 and 1000 by order; of the lives that end 30, 50 and 20 %. */
START_TEST(orders_and_lifetimes_have_the_shares_that_were_asked_for)
{
	int orders[3] = { 0 }, lives[3] = { 0 }, cpus[4] = { 0 }, shorter = 0;

	run_scenario(MACHINE "[phase a]\nduration = 350ms\n"
		     "[class c]\narrivals = periodic every=50us\norders = 0:4 1:2 2:1\n"
		     "lifetime = 30% constant value=1ms\n"
		     "lifetime = 50% constant value=2ms\n"
		     "lifetime = 20% until constant value=100ms\n"
		     "[class two]\narrivals = periodic every=50us\n"
		     "lifetime = 60% constant value=1ms\n"
		     "lifetime = 40% constant value=2ms\n");
	for (size_t i = 0; i < nr_events; i++) {
		const struct event *ev = &events[i], *from = birth(ev);
		uint64_t age_ns;

		if (ev->comm == 2) {
			shorter += from && ev->time_ns - from->time_ns == MS;
			continue;
		}
		if (is_alloc(ev)) {
			ck_assert_uint_lt(ev->order, 3);
			orders[ev->order]++;
			cpus[ev->cpu]++;
			continue;
		}
		must(ev->order == from->order);
		age_ns = ev->time_ns - from->time_ns;
		if (age_ns == MS || age_ns == 2 * MS)
			lives[age_ns / MS - 1]++;
		else	/* whose moment is past ends at once */
			must(lives[2]++ >= 0 && (ev->time_ns == 100 * MS || !age_ns));
	}
	for (int cpu = 0; cpu < 4; cpu++)
		ck_assert_int_lt(abs(cpus[cpu] - 1750), 185);
	ck_assert_int_lt(abs(orders[0] - 4000), 210);
	ck_assert_int_lt(abs(orders[1] - 2000), 190);
	ck_assert_int_lt(abs(orders[2] - 1000), 150);
	ck_assert_int_lt(abs(lives[0] - 2100), 200);
	ck_assert_int_lt(abs(lives[1] - 3500), 220);
	ck_assert_int_lt(abs(lives[2] - 1400), 170);
	ck_assert_int_lt(abs(shorter - 4200), 210);
	forget();
}
END_TEST

/*
 *    ms       5          10         15
 *    at-once  7          7          7
 *    paced    1 1 1 ..   1 1 1 ..   1 1 1 ..     30 us apart
 *
 * Either is of one CPU.
 */
START_TEST(a_batch_is_of_one_cpu_and_comes_at_its_pace)
{
	const struct event *last[3] = { NULL };
	unsigned int in_batch[3] = { 0 };

	run_scenario(MACHINE "[phase a]\nduration = 100ms\n"
		     "[class at-once]\narrivals = periodic every=5ms\nbatch = 7\n"
		     "lifetime = constant value=1ms\n"
		     "[class paced]\narrivals = periodic every=5ms\nbatch = 7\n"
		     "pace = 30us\nlifetime = constant value=1ms\n");
	for (size_t i = 0; i < nr_events; i++) {
		const struct event *ev = &events[i], *before = last[ev->comm];
		unsigned int *n = &in_batch[ev->comm];

		if (!is_alloc(ev))
			continue;
		if (*n % 7) {
			must(ev->cpu == before->cpu);
			must(ev->time_ns - before->time_ns ==
			     (ev->comm == 2 ? 30000 : 0));
		} else {
			must(ev->time_ns == (*n / 7 + 1) * 5 * MS);
		}
		(*n)++;
		last[ev->comm] = ev;
	}
	/* the one of 100 ms is not asked for any more */
	ck_assert_uint_eq(in_batch[1], 19 * 7);
	ck_assert_uint_eq(in_batch[2], 19 * 7);
	forget();
}
END_TEST

/*
 *   us   0   20   40            a process of ten blocks that lives for 40 us:
 *        c   c    -             two were asked for, and both go
 */
START_TEST(a_process_that_has_ended_asks_for_nothing_more)
{
	unsigned int asked = 0;

	run_scenario(MACHINE "[phase a]\nduration = 10ms\n"
		     "[class c]\narrivals = periodic every=1ms\nbatch = 10\npace = 20us\n"
		     "lives = together\nlifetime = constant value=40us\n");
	for (size_t i = 0; i < nr_events; i++) {
		uint64_t ns = events[i].time_ns % MS;

		if (is_alloc(&events[i]))
			must(ns == (asked++ % 2 ? 20000 : 0));
		else
			must(ns == 40000);
	}
	ck_assert_uint_eq(asked, 9 * 2);
	ck_assert_uint_eq(nr_events, 2 * asked);
	forget();
}
END_TEST

/* One that lives forever has no end. */
START_TEST(a_process_without_an_end_asks_for_all_its_blocks)
{
	run_scenario(MACHINE "[phase a]\nduration = 10ms\n"
		     "[class c]\narrivals = periodic every=1ms\nbatch = 10\npace = 20us\n"
		     "lives = together\nlifetime = forever\n");
	ck_assert_uint_eq(run.classes[0].allocs, 9 * 10);
	ck_assert_uint_eq(run.classes[0].frees, 0);
	forget();
}
END_TEST

/*
 * Every second block of order 0, or 1, is free, and none has its buddy. So each
 * request of order 9 becomes 512 pages of that order, which have one life; 8192 are
 * free, so from the 17th on there is none.
 */
START_TEST(a_request_that_falls_back_has_one_life_and_stops_at_the_first_failure)
{
	unsigned int huge = 0, in_its_place = 0, failed = 0, order = (unsigned int)_i;
	uint64_t asked_ns = 0, died_ns[20] = { 0 };
	char text[512];

	snprintf(text, sizeof(text), "[machine]\nmemory = 64M\ncpus = 1\nzones = flat\n"
		 "[phase a]\nduration = 10ms\nrate.huge = 0\n"
		 "[phase b]\nduration = 20ms\nrelease = small every=2\n"
		 "[phase c]\nduration = 60ms\nrate.huge = 0\n"
		 "[class small]\narrivals = once\nbatch = %u\norders = %u\nlifetime = forever\n"
		 "[class huge]\narrivals = periodic every=1ms\norders = 9\n"
		 "fallback = %u\nlifetime = uniform min=30ms max=50ms\n",
		 16384 >> order, order, order);
	run_scenario(text);
	for (size_t i = 0; i < nr_events; i++) {
		const struct event *ev = &events[i], *from = birth(ev);

		if (ev->comm != 2)
			continue;
		if (from) {
			uint64_t *died = &died_ns[from->time_ns / MS - 10];

			must(!*died || *died == ev->time_ns);
			*died = ev->time_ns;
		} else if (ev->order != order) {
			must(ev->order == 9 && ev->pfn == EVENT_PFN_FAILED);
			asked_ns = ev->time_ns;
			huge++;
		} else {
			must(ev->time_ns == asked_ns);
			must((ev->pfn == EVENT_PFN_FAILED) == (in_its_place == 8192U >> order));
			in_its_place += ev->pfn != EVENT_PFN_FAILED;
			failed += ev->pfn == EVENT_PFN_FAILED;
		}
	}
	ck_assert_uint_eq(huge, 19);
	ck_assert_uint_eq(failed, 3);
	ck_assert_uint_eq(run.classes[1].fallbacks, 19);
	ck_assert_uint_eq(run.classes[1].failed_allocs, 3);
	ck_assert_uint_eq(run.classes[1].allocs, 8192 >> order);
	ck_assert_uint_eq(run.classes[1].frees, 8192 >> order);
	for (int i = 1; i < 16; i++)
		ck_assert_uint_ne(died_ns[i], died_ns[i + 1]);
	forget();
}
END_TEST

/* What is as small as what would stand in for it only fails. */
START_TEST(a_request_does_not_fall_back_to_its_own_order)
{
	run_scenario(MACHINE "[phase a]\nduration = 50ms\n"
		     "[class c]\narrivals = periodic every=1ms\norders = 9\nfallback = 9\n"
		     "lifetime = forever\n");
	ck_assert_uint_eq(run.classes[0].allocs, 32);
	ck_assert_uint_eq(run.classes[0].failed_allocs, 49 - 32);
	ck_assert_uint_eq(run.classes[0].fallbacks, 0);
	ck_assert_uint_eq(nr_events, 49);
	forget();
}
END_TEST

/* Once a second on average, while it is switched on and off a thousand times. */
START_TEST(a_burst_that_begins_or_ends_is_no_arrival)
{
	run_scenario(MACHINE "[phase a]\nduration = 1s\n"
		     "[class c]\narrivals = bursty rate=1/s on=1ms off=1ms\n"
		     "lifetime = forever\n");
	ck_assert_uint_lt(run.classes[0].allocs, 10);
	forget();
}
END_TEST

START_TEST(a_worker_asks_again_when_its_last_block_has_died)
{
	uint64_t last_ns = 0, thought_ns = 0;
	unsigned int live = 0, batches = 0;

	run_scenario(MACHINE "[phase a]\nduration = 2s\n"
		     "[class other]\narrivals = once\nlifetime = forever\n"
		     "[class c]\narrivals = closed workers=1 think=1ms\nbatch = 5\n"
		     "lifetime = exponential mean=1ms\n");
	for (size_t i = 0; i < nr_events; i++) {
		const struct event *ev = &events[i];

		if (ev->comm == 1)
			continue;
		if (is_alloc(ev) && (!batches || ev->time_ns != last_ns)) {
			must(!live);
			thought_ns += ev->time_ns - last_ns;
			batches++;
		}
		live += is_alloc(ev) ? 1 : -1U;
		last_ns = ev->time_ns;
	}
	/* the longest of five is 1 + 1/2 + ... + 1/5 = 2.28 ms */
	ck_assert_double_eq_tol(batches, 2000 / 3.28, 100);
	ck_assert_double_eq_tol((double)thought_ns / batches / 1e6, 1, 0.2);
	forget();
}
END_TEST

/* Its process asks for a page each 0.1 ms, nine in all, and lives for 1 ms. */
START_TEST(a_worker_waits_for_the_end_of_its_process)
{
	uint64_t born_ns = 0;
	unsigned int n = 0;

	run_scenario(MACHINE "[phase a]\nduration = 200ms\n"
		     "[class c]\narrivals = closed workers=1 think=100us\nbatch = 9\n"
		     "pace = 100us\nlives = together\nlifetime = constant value=1ms\n");
	for (size_t i = 0; i < nr_events; i++) {
		const struct event *ev = &events[i];

		if (is_alloc(ev) && n++ % 9 == 0) {
			must(!born_ns || ev->time_ns > born_ns + MS);
			born_ns = ev->time_ns;
		}
		must(ev->time_ns == born_ns + (is_alloc(ev) ? (n - 1) % 9 * 100000 : MS));
	}
	ck_assert_uint_gt(n, 9 * 100);
	forget();
}
END_TEST

/*
 * A page each us: 3096 and the thousand of the other make a quarter, as the next
 * arrival at 3.097 ms finds. From there on the class looks each ms. The thousand
 * go at 50.3 ms.
 */
START_TEST(a_full_machine_is_looked_at_each_ms)
{
	uint64_t again_ns = 0;

	run_scenario(MACHINE "[phase a]\nduration = 100ms\n"
		     "[class c]\narrivals = fill level=25% rate=1000000/s\n"
		     "lifetime = forever\n"
		     "[class other]\narrivals = once\nbatch = 1000\n"
		     "lifetime = until constant value=50300us\n");
	for (size_t i = 0; i < nr_events; i++) {
		const struct event *ev = &events[i];

		if (ev->comm == 1 && ev->time_ns > 4 * MS && !again_ns)
			again_ns = ev->time_ns;
		must(ev->comm == 1 || ev->time_ns == (is_alloc(ev) ? 0 : 50300000));
	}
	ck_assert_uint_eq(again_ns, 51097000);
	ck_assert_uint_eq(run.classes[0].pages_end, PAGES / 4);
	ck_assert_uint_eq(run.classes[1].frees, 1000);
	forget();
}
END_TEST

/* Half of it goes at 100 ms, and is filled again. */
START_TEST(a_fill_goes_on_when_the_machine_is_not_full_any_more)
{
	uint64_t again_ns = 0;
	unsigned long used = 0;

	run_scenario(MACHINE "[phase a]\nduration = 100ms\n"
		     "[phase b]\nduration = 100ms\nrelease = c every=2\n"
		     "[class c]\narrivals = fill level=25% rate=1000000/s\n"
		     "lifetime = forever\n");
	for (size_t i = 0; i < nr_events; i++) {
		const struct event *ev = &events[i];

		used += is_alloc(ev) ? 1 : -1UL;
		must(used <= PAGES / 4);
		must(is_alloc(ev) || ev->time_ns == 100 * MS);
		if (is_alloc(ev) && ev->time_ns > 50 * MS && !again_ns)
			again_ns = ev->time_ns;
	}
	ck_assert_uint_eq(used, PAGES / 4);
	ck_assert_uint_gt(again_ns, 100 * MS);
	ck_assert_uint_lt(again_ns, 101 * MS);
	forget();
}
END_TEST

/*
 * Oldest first: who is taken is who came first of those that are left; who is
 * spared goes to the end of the row. From a page below the low mark on, 32 go
 * each 20 us, until the high one is reached.
 */
static const struct {
	const char *lifetime;
	double spared;		/* for each that is taken: keep / (1 - keep) */
	unsigned int zone;	/* the one that runs low */
} kept[] = {
	{ "zone = DMA\nlifetime = reclaimed", 0, 0 },
	{ "zone = DMA\nlifetime = reclaimed keep=60%", 1.5, 0 },
	{ "lifetime = reclaimed", 0, 1 },
};

/* Of the zone of these blocks, in their order. */
struct row {
	unsigned long pfn[8 * PAGES];
	size_t first, nr;
	uint64_t free_pages, due_ns;
	unsigned int taken, spared, runs;
};

static void row_alloc(struct row *r, const struct zone *z, const struct event *ev)
{
	must(ev->pfn != EVENT_PFN_FAILED);
	must(!r->due_ns || ev->time_ns <= r->due_ns);
	must(r->nr < ARRAY_SIZE(r->pfn));
	r->pfn[r->nr++] = ev->pfn;
	if (--r->free_pages < z->wmark_low && !r->due_ns)
		r->due_ns = ev->time_ns + 20000;
}

static void row_free(struct row *r, const struct zone *z, const struct event *ev)
{
	must(ev->time_ns == r->due_ns);
	for (; r->first < r->nr && r->pfn[r->first] != ev->pfn; r->first++, r->spared++) {
		must(r->nr < ARRAY_SIZE(r->pfn));
		r->pfn[r->nr++] = r->pfn[r->first];
	}
	must(r->first++ < r->nr);
	r->free_pages++;
	if (++r->taken % 32)
		return;
	r->runs += r->free_pages >= z->wmark_high;
	r->due_ns = r->free_pages < z->wmark_high ? r->due_ns + 20000 : 0;
}

START_TEST(kswapd_takes_32_of_the_oldest_each_20_us)
{
	static struct row rows[2];
	const struct zone *zones = scenario.layout.zones;
	const struct row *r = &rows[kept[_i].zone];
	char text[512];

	snprintf(text, sizeof(text), MARKS "[phase a]\nduration = 20ms\n"
		 "[class cache]\narrivals = periodic every=1us\nmigratetype = movable\n"
		 "%s\n", kept[_i].lifetime);
	run_scenario(text);
	for (unsigned int z = 0; z < 2; z++)
		rows[z].free_pages = zones[z].managed;
	for (size_t i = 0; i < nr_events; i++) {
		const struct event *ev = &events[i];
		unsigned int z = ev->pfn >= zones[1].start_pfn;

		if (is_alloc(ev))
			row_alloc(&rows[z], &zones[z], ev);
		else
			row_free(&rows[z], &zones[z], ev);
	}
	ck_assert_uint_gt(r->runs, 1);
	ck_assert_uint_eq(r->taken % 32, 0);
	ck_assert_uint_eq(r->taken, run.classes[0].reclaimed);
	ck_assert(_i == 1 || !r->spared);
	ck_assert_double_eq_tol((double)r->spared / r->taken, kept[_i].spared, 0.15);
	forget();
}
END_TEST

/*
 * The hog leaves less than the low mark at 0 ms, so kswapd finds nothing at
 * 0.02 ms, and rests for 10 ms. The eleventh page of the cache wakes it.
 *
 *    ms   0      1 .. 10    11      11.02       11.04      12 .. 21   22     22.02
 *         hog    kept       wakes   11 taken    nothing    kept       wakes  11 taken
 */
START_TEST(kswapd_rests_for_10_ms_after_it_found_nothing)
{
	char text[512];
	unsigned int taken[2] = { 0 };
	struct zone z;

	read_scenario(MARKS "[phase a]\nduration = 30ms\n[class c]\narrivals = once\n"
		      "lifetime = forever\n");
	z = scenario.layout.zones[0];
	snprintf(text, sizeof(text), MARKS "[phase a]\nduration = 30ms\n"
		 "[class hog]\narrivals = once\nlifetime = forever\nbatch = %lu\nzone = DMA\n"
		 "[class cache]\narrivals = periodic every=1ms\nmigratetype = movable\n"
		 "zone = DMA\nlifetime = reclaimed\n", z.managed - z.wmark_low + 1);
	initial_state_free(&start);
	scenario_free(&scenario);
	run_scenario(text);
	for (size_t i = 0; i < nr_events; i++) {
		const struct event *ev = &events[i];

		if (is_alloc(ev)) {
			must(ev->pfn != EVENT_PFN_FAILED);
			continue;
		}
		must(ev->time_ns == 11020000 || ev->time_ns == 22020000);
		taken[ev->time_ns > 20 * MS]++;
	}
	ck_assert_uint_eq(taken[0], 11);
	ck_assert_uint_eq(taken[1], 11);
	forget();
}
END_TEST

/* At 10 ms kswapd has no time: what is asked for at once must take for itself. */
static const struct {
	const char *request;
	bool takes;
} direct[] = {
	{ "orders = 0\nbatch = 2000", true },
	{ "orders = 3\nbatch = 300", true },
	{ "orders = 4\nbatch = 200", false },
	{ "priority = atomic\nbatch = 2000", false },
};

START_TEST(a_small_request_that_may_wait_takes_32_for_itself)
{
	char text[512];
	unsigned int taken = 0, asked = 0, failed = 0;

	snprintf(text, sizeof(text), MACHINE "[phase a]\nduration = 20ms\n"
		 "[class cache]\narrivals = fill level=90%% rate=10000000/s\n"
		 "migratetype = movable\nlifetime = reclaimed\n"
		 "[class c]\n%s\narrivals = periodic every=15ms\n"
		 "lifetime = forever\n", direct[_i].request);
	run_scenario(text);
	for (size_t i = 0; i < nr_events; i++) {
		const struct event *ev = &events[i];

		if (ev->time_ns != 15 * MS)
			continue;
		if (is_alloc(ev) && ev->comm == 2) {
			asked++;
			failed += ev->pfn == EVENT_PFN_FAILED;
			must(taken % 32 == 0);
		}
		taken += !is_alloc(ev);
	}
	if (direct[_i].takes)
		ck_assert_uint_gt(taken, 200);
	else
		ck_assert_uint_eq(taken, 0);
	ck_assert(direct[_i].takes == !failed);
	ck_assert_uint_eq(run.classes[1].failed_allocs, failed);
	ck_assert_uint_eq(run.classes[1].allocs, asked - failed);
	forget();
}
END_TEST

/*
 * By the class's own word; else by its flags, where movable user memory is anon.
 * What is kept for them, slab pages of 4160 bytes, is in a large descriptor already.
 */
static const struct { const char *spec; bool describes; } owned[] = {
	{ "linked", true }, { "twoword", false },
};

START_TEST(blocks_have_the_owner_that_their_class_says)
{
	const struct census_class *owners = run.census.end.classes;
	const struct sample *last;

	spec = owned[_i].spec;
	run_scenario(MACHINE "[phase a]\nduration = 10ms\n"
		     "[class f]\nowner = file\norders = 2\n"
		     "arrivals = periodic every=1ms\nlifetime = forever\n"
		     "[class n]\nowner = network\narrivals = periodic every=2ms\n"
		     "lifetime = constant value=1ms\n"
		     "[class m]\nmigratetype = movable\narrivals = periodic every=3ms\n"
		     "lifetime = forever\n");
	ck_assert_str_eq(run.classes[0].name, "f");
	ck_assert_str_eq(run.classes[2].name, "m");
	ck_assert_uint_eq(owners[ALLOCATEE_file].allocs, 9);
	ck_assert_uint_eq(owners[ALLOCATEE_file].pages, 36);
	ck_assert_uint_eq(owners[ALLOCATEE_network].allocs, 4);
	ck_assert_uint_eq(owners[ALLOCATEE_network].blocks, 0);
	ck_assert_uint_eq(owners[ALLOCATEE_network].peak_blocks, 1);
	ck_assert_uint_eq(owners[ALLOCATEE_anon].allocs, 3);
	ck_assert_uint_eq(owners[ALLOCATEE_anon].blocks, 3);
	ck_assert_uint_eq(owners[ALLOCATEE_file].bytes, 4160);
	ck_assert_uint_ge(run.census.end.bytes, 2 * 4160);
	last = &run.series.samples[run.series.nr - 1];
	ck_assert_uint_eq(last->allocatee_bytes,
			  owned[_i].describes ? 0 : run.census.end.bytes);
	forget();
}
END_TEST

/* Blocks given back by a phase stay in the list, and are passed over there. */
START_TEST(reclaim_passes_over_what_a_phase_has_given_back)
{
	static unsigned long waiting[PAGES];
	size_t first = 0, nr = 0;
	unsigned int taken = 0;

	run_scenario(MARKS "[phase a]\nduration = 2ms\nrate.hog = 0\n"
		     "[phase b]\nduration = 20ms\nrate.cache = 0\nrelease = cache every=2\n"
		     "[class cache]\narrivals = periodic every=1us\nmigratetype = movable\n"
		     "zone = DMA\nlifetime = reclaimed\n"
		     "[class hog]\narrivals = periodic every=5us\nzone = DMA\n"
		     "lifetime = forever\n");
	for (size_t i = 0; i < nr_events; i++) {
		const struct event *ev = &events[i];

		if (is_alloc(ev)) {
			if (ev->comm == 1)
				waiting[nr++] = ev->pfn;
		} else if (ev->time_ns == 2 * MS) {
			/* the first, the third ... */
			must(ev->pfn == waiting[2 * first++]);
		} else {
			must(first == (nr + 1) / 2);
			must(ev->pfn == waiting[2 * taken++ + 1]);
		}
	}
	ck_assert_uint_eq(nr, 1999);
	ck_assert_uint_gt(taken, 500);
	ck_assert_uint_eq(run.classes[0].reclaimed, taken);
	ck_assert_uint_eq(run.classes[0].frees, taken + first);
	forget();
}
END_TEST

/* 100 ms: one picture each 10 ms, of 96 stripes. Blocks of both classes go at 55 ms. */
START_TEST(a_picture_shows_the_blocks_that_are_live)
{
	unsigned long movable = 0, unmovable = 0, later = 0;

	run_scenario(MACHINE "[phase a]\nduration = 100ms\n"
		     "[class m]\narrivals = once\nbatch = 2000\norders = 1\n"
		     "migratetype = movable\nlifetime = until constant value=55ms\n"
		     "[class u]\narrivals = once\nbatch = 1000\n"
		     "lifetime = until constant value=55ms\n");
	for (size_t i = 0; i < run.picture.nr_runs; i++) {
		const struct picture_run *r = &run.picture.runs[i];

		must(r->from_ns == 0 || r->from_ns == 10 * MS || r->from_ns == 60 * MS);
		if (r->from_ns == 10 * MS) {
			must(r->to_ns == 60 * MS);
			movable += r->movable;
			unmovable += r->unmovable;
		} else {
			later += r->movable + r->unmovable;
		}
	}
	ck_assert_uint_eq(movable, 4000);
	ck_assert_uint_eq(unmovable, 1000);
	ck_assert_uint_eq(later, 0);
	forget();
}
END_TEST

static uint64_t told_ns[64], told_ops[64];
static size_t nr_told;

static bool note_progress(void *ctx, const char *allocator, uint64_t now_ns,
			  uint64_t end_ns, uint64_t ops)
{
	(void)ctx;
	must(!strcmp(allocator, "linked"));
	must(end_ns == scenario.duration_ns);
	must(nr_told < ARRAY_SIZE(told_ns));
	told_ns[nr_told] = now_ns;
	told_ops[nr_told++] = ops;
	return true;
}

/* The clock of ticks begins with the first operation, at 0.25 s. */
START_TEST(the_user_is_told_each_second)
{
	plan.progress = note_progress;
	run_scenario(MACHINE "[phase a]\nduration = 4s\n"
		     "[class c]\narrivals = periodic every=250ms\n"
		     "lifetime = constant value=1ms\n");
	ck_assert_uint_eq(nr_told, 3);
	for (size_t i = 0; i < nr_told; i++)
		ck_assert_uint_eq(told_ns[i], (1250 + 1000 * i) * MS);
	forget();
}
END_TEST

START_TEST(the_user_is_told_each_16384_operations)
{
	plan.progress = note_progress;
	run_scenario(MACHINE "[phase a]\nduration = 100ms\n"
		     "[class c]\narrivals = periodic every=1us\n"
		     "lifetime = constant value=10us\n");
	ck_assert_uint_eq(nr_told, run.ops_done / 16384);
	for (size_t i = 0; i < nr_told; i++)
		ck_assert_uint_eq(told_ops[i], 16384 * (i + 1));
	forget();
}
END_TEST

/* The ring of 256 is full, and begins in its middle, when it has to grow. */
START_TEST(a_row_of_lives_keeps_its_order_while_it_grows)
{
	struct id_list list = { .nr = 0 };
	uint32_t in = 0, out = 0;

	for (; in < 100; in++)
		ck_assert_int_eq(id_list_push(&list, in), 0);
	for (; out < 100; out++)
		ck_assert_uint_eq(id_list_pop(&list), out);
	for (; in < 1500; in++)
		ck_assert_int_eq(id_list_push(&list, in), 0);
	ck_assert_uint_eq(list.nr, 1400);
	for (; out < 1500; out++)
		ck_assert_uint_eq(id_list_pop(&list), out);
	ck_assert_uint_eq(list.nr, 0);
	id_list_destroy(&list);
}
END_TEST

/* Compaction is for larger ones, and says nothing of these. */
START_TEST(a_small_request_that_was_served_is_none_of_compaction)
{
	plan.compaction = true;
	run_scenario(MARKS "[phase a]\nduration = 20ms\n"
		     "[class cache]\narrivals = fill level=90% rate=10000000/s\n"
		     "migratetype = movable\nlifetime = reclaimed\n"
		     "[class c]\narrivals = periodic every=15ms\nbatch = 2000\n"
		     "lifetime = forever\n");
	ck_assert_uint_gt(run.classes[0].reclaimed, 200);
	ck_assert_uint_eq(run.compact.asked, 0);
	ck_assert_uint_eq(run.compact.served, 0);
	forget();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("simulation");
	TCase *tc = tcase_create("simulation");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, scratch_setup, scratch_teardown);
	tcase_add_test(tc, a_class_asks_from_its_cpus_and_frees_where_it_is_told);
	tcase_add_test(tc, orders_and_lifetimes_have_the_shares_that_were_asked_for);
	tcase_add_test(tc, a_batch_is_of_one_cpu_and_comes_at_its_pace);
	tcase_add_test(tc, a_process_that_has_ended_asks_for_nothing_more);
	tcase_add_test(tc, a_process_without_an_end_asks_for_all_its_blocks);
	tcase_add_loop_test(tc, a_request_that_falls_back_has_one_life_and_stops_at_the_first_failure,
			    0, 2);
	tcase_add_test(tc, a_request_does_not_fall_back_to_its_own_order);
	tcase_add_test(tc, a_burst_that_begins_or_ends_is_no_arrival);
	tcase_add_test(tc, a_worker_asks_again_when_its_last_block_has_died);
	tcase_add_test(tc, a_worker_waits_for_the_end_of_its_process);
	tcase_add_test(tc, a_full_machine_is_looked_at_each_ms);
	tcase_add_test(tc, a_fill_goes_on_when_the_machine_is_not_full_any_more);
	tcase_add_loop_test(tc, kswapd_takes_32_of_the_oldest_each_20_us, 0,
			    ARRAY_SIZE(kept));
	tcase_add_test(tc, kswapd_rests_for_10_ms_after_it_found_nothing);
	tcase_add_loop_test(tc, a_small_request_that_may_wait_takes_32_for_itself, 0,
			    ARRAY_SIZE(direct));
	tcase_add_loop_test(tc, blocks_have_the_owner_that_their_class_says, 0,
			    ARRAY_SIZE(owned));
	tcase_add_test(tc, reclaim_passes_over_what_a_phase_has_given_back);
	tcase_add_test(tc, a_picture_shows_the_blocks_that_are_live);
	tcase_add_test(tc, the_user_is_told_each_second);
	tcase_add_test(tc, the_user_is_told_each_16384_operations);
	tcase_add_test(tc, a_row_of_lives_keeps_its_order_while_it_grows);
	tcase_add_test(tc, a_small_request_that_was_served_is_none_of_compaction);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
