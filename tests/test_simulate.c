/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_simulate.c - what a simulated workload does to memory, and that it repeats */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/commands.h"
#include "sim/metrics/fragmentation.h"
#include "sim/record.h"
#include "sim/simulate.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

#define MACHINE "[machine]\nmemory = 64M\ncpus = 2\nzones = flat\n"
#define PAGES   (64UL << 20 >> PAGE_SHIFT)

static struct msg msg;
static struct scenario scenario;
static struct initial_state start;
static struct simulate_plan plan;
static struct allocatee_table allocatees;

/* How to simulate the scenario that has been read. */
static void prepare_plan(void)
{
	const struct bundle empty = { 0 };
	const struct demand nobody = { 0 };
	struct rng rng;

	rng_seed(&rng, 1);
	ck_assert_int_eq(initial_state_build(&start, &empty, &scenario.layout, &nobody,
					     &rng, &msg), 0);
	ck_assert_msg(!allocatee_table_load(&allocatees, "today", &msg), "%s", msg.text);
	plan = (struct simulate_plan){
		.allocatees = &allocatees,
		.scenario = &scenario,
		.layout = &scenario.layout,
		.start = &start,
		.seed = 1,
		.sample_ns = 100000000,
		.checked = true,
		.teardown = true,
	};
}

static void prepare(const char *text)
{
	ck_assert_msg(!scenario_read(&scenario, scratch_write_text("s.ini", text), 1,
				     &msg), "%s", msg.text);
	prepare_plan();
}

static void done(void)
{
	initial_state_free(&start);
	scenario_free(&scenario);
}

/* Run to a good end, with every page shadowed and everything freed in the end. */
static struct replay_run run_it(const char *spec)
{
	struct replay_run run;

	ck_assert_msg(!simulate(&run, &plan, spec, &msg), "%s", msg.text);
	ck_assert_msg(run.verified, "%s", run.verify_msg.text);
	ck_assert(run.restored || !plan.teardown || run.ops->caps.no_policy);
	ck_assert(run.free_path_allocations == 0);
	/* No sampling is in it. */
	ck_assert(run.wall_s >= 0 && run.wall_s < 1e6 && run.cpu_s >= 0 && run.cpu_s < 1e6);
	return run;
}

/* Little's law: 20000 a second that live for 50 ms are 1000 at a time. */
START_TEST(live_pages_are_rate_times_lifetime)
{
	struct replay_run run;
	const struct sample *last;

	prepare(MACHINE "[phase a]\nduration = 2s\n"
		"[class c]\narrivals = poisson rate=20000/s\n"
		"lifetime = exponential mean=50ms\n");
	run = run_it("linked");
	last = &run.series.samples[run.series.nr - 1];
	ck_assert_double_eq_tol((double)last->allocated_pages, 1000, 150);
	ck_assert_double_eq_tol((double)run.classes[0].allocs, 40000, 1000);
	ck_assert(run.classes[0].allocs - run.classes[0].frees ==
		  run.classes[0].pages_end);
	ck_assert(last->allocated_pages == run.classes[0].pages_end);
	ck_assert_uint_eq(run.series.nr, 21);	/* at 0, each 100 ms, the end */
	replay_run_free(&run);
	done();
}
END_TEST

START_TEST(a_fill_stops_at_its_level)
{
	struct replay_run run;

	prepare(MACHINE "[phase a]\nduration = 100ms\n"
		"[class c]\narrivals = fill level=50% rate=1000000/s\nlifetime = forever\n");
	run = run_it("twoword");
	ck_assert(run.classes[0].pages_end == PAGES / 2);
	replay_run_free(&run);
	done();
}
END_TEST

/* An hour of which the fill takes 8 ms, and after ten minutes a ms. */
START_TEST(a_full_machine_is_not_looked_at_all_the_time)
{
	struct replay_run run;

	prepare(MACHINE "[phase a]\nduration = 1h\n"
		"[class c]\narrivals = fill level=50% rate=1000000/s\nlifetime = forever\n"
		"[class d]\narrivals = once\nbatch = 256\nlives = together\n"
		"lifetime = constant value=10min\n");
	plan.sample_ns = UINT64_C(60000000000);
	run = run_it("twoword");
	ck_assert_uint_eq(run.classes[0].pages_end, PAGES / 2);
	ck_assert_uint_eq(run.series.samples[9].allocated_pages, PAGES / 2);
	ck_assert_uint_eq(run.series.samples[11].allocated_pages, PAGES / 2);
	ck_assert_msg(run.engine.events < PAGES, "%llu",
		      (unsigned long long)run.engine.events);
	replay_run_free(&run);
	done();
}
END_TEST

/* Two levels, of which the lower one is reached from above at 20 ms and left at 50. */
START_TEST(who_waits_for_room_is_told_at_its_own_level)
{
	struct replay_run run;

	prepare(MACHINE "[phase a]\nduration = 35ms\n[phase b]\nduration = 15ms\nrate.low = 0\n"
		"release = high\n[phase c]\nduration = 50ms\nonly = low\n"
		"[class high]\narrivals = fill level=50% rate=1000000/s\n"
		"lifetime = until constant value=80ms\n"
		"[class low]\narrivals = fill level=25% rate=1000000/s\nlifetime = forever\n");
	plan.sample_ns = 1000000;
	run = run_it("linked");
	/* both begin at once, and low rests at a quarter; high goes on to a half */
	ck_assert_uint_eq(run.series.samples[8].allocated_pages, PAGES / 2);
	ck_assert_uint_eq(run.series.samples[20].allocated_pages, PAGES / 2);
	/* high goes at 35 ms and comes again, without low */
	ck_assert_uint_lt(run.series.samples[36].allocated_pages, PAGES / 4);
	ck_assert_uint_eq(run.series.samples[49].allocated_pages, PAGES / 2);
	/* and ends at 80 ms, which low sees within a ms of that */
	ck_assert_uint_eq(run.series.samples[79].allocated_pages, PAGES / 2);
	ck_assert_uint_eq(run.series.samples[90].allocated_pages, PAGES / 4);
	ck_assert_uint_eq(run.classes[1].pages_end, PAGES / 4);
	replay_run_free(&run);
	done();
}
END_TEST

/* The cache would take all of memory; reclaim keeps each zone at its marks. */
START_TEST(reclaim_keeps_memory_between_the_watermarks)
{
	struct replay_run run;
	struct zone *z;
	uint64_t free_pages;

	prepare("[machine]\nmemory = 64M\n[phase a]\nduration = 2s\n"
		"[class cache]\narrivals = poisson rate=50000/s\nmigratetype = movable\n"
		"lifetime = reclaimed keep=20%\n");
	run = run_it("linked");
	ck_assert(run.classes[0].reclaimed > 10000);
	ck_assert(run.classes[0].reclaimed == run.classes[0].frees);
	ck_assert(run.classes[0].failed_allocs == 0);
	free_pages = PAGES - run.classes[0].pages_end;
	z = &scenario.layout.zones[0];
	ck_assert(free_pages < 4 * (z->wmark_high + z[1].wmark_high) + 500);
	ck_assert(free_pages > 0);
	replay_run_free(&run);
	done();
}
END_TEST

/* 64 MiB hold 32 huge pages at most; the rest becomes 512 pages each, or fails. */
START_TEST(a_huge_fault_falls_back_to_small_pages)
{
	struct replay_run run;

	prepare(MACHINE "[phase a]\nduration = 1s\n"
		"[class small]\narrivals = fill level=20% rate=1000000/s\nlifetime = 50% forever\n"
		"lifetime = 50% exponential mean=1ms\n"
		"[class huge]\narrivals = periodic every=10ms\norders = 9\nfallback = 0\n"
		"lifetime = forever\n");
	run = run_it("linked");
	ck_assert(run.classes[1].fallbacks > 10);
	ck_assert(run.classes[1].failed_allocs > 0);
	ck_assert(run.classes[1].pages_end > PAGES / 2);
	replay_run_free(&run);
	done();
}
END_TEST

/* Each worker holds 10 pages for 9 ms, then thinks for 1 ms on average. */
START_TEST(a_closed_loop_asks_no_more_than_its_workers_can)
{
	struct replay_run run;

	prepare(MACHINE "[phase a]\nduration = 1s\n"
		"[class c]\narrivals = closed workers=8 think=1ms\nbatch = 10\n"
		"lives = together\nlifetime = constant value=9ms\n");
	run = run_it("linked");
	ck_assert(run.classes[0].pages_peak <= 80);
	ck_assert_double_eq_tol((double)run.classes[0].allocs, 8000, 300);
	replay_run_free(&run);
	done();
}
END_TEST

/* 10 blocks in 9 ms, the last of which lives for 1 or for ever; then next to no thought. */
static const char *const paced_loops[] = {
	"lives = each\nlifetime = constant value=1ms\n",
	"lives = together\nlifetime = forever\n",
};

START_TEST(a_worker_waits_for_the_last_block_of_a_paced_batch)
{
	struct replay_run run;
	char text[512];

	snprintf(text, sizeof(text), "%s%s", MACHINE "[phase a]\nduration = 1s\n"
		 "[class c]\narrivals = closed workers=2 think=1us\nbatch = 10\npace = 1ms\n",
		 paced_loops[_i]);
	prepare(text);
	run = run_it("linked");
	ck_assert_double_eq_tol((double)run.classes[0].allocs, (_i ? 2222 : 2000), 20);
	replay_run_free(&run);
	done();
}
END_TEST

/* A factor is of the workers: 8 at first, then none, then 16. */
START_TEST(a_phase_has_more_workers_or_fewer)
{
	struct replay_run run;

	prepare(MACHINE "[phase a]\nduration = 1s\n[phase b]\nduration = 1s\nrate = 0\n"
		"[phase c]\nduration = 1s\nrate = 2\n"
		"[class c]\narrivals = closed workers=8 think=1ms\nbatch = 10\n"
		"lives = together\nlifetime = constant value=9ms\n");
	run = run_it("linked");
	ck_assert(run.classes[0].pages_peak > 120);
	ck_assert(run.classes[0].pages_peak <= 160);
	ck_assert_double_eq_tol((double)run.classes[0].allocs, 8000 + 16000, 900);
	replay_run_free(&run);
	done();
}
END_TEST

/* A schedule of one slot: 30000 in the second that the class rests, were it asked. */
START_TEST(a_class_that_rests_keeps_no_schedule)
{
	struct replay_run run;

	prepare(MACHINE "[phase a]\nduration = 1s\n[phase b]\nduration = 1s\nrate = 0\n"
		"[phase c]\nduration = 1s\nrate = 0.5\n"
		"[class c]\narrivals = schedule slot=3s\ncounts = 90000\n"
		"lifetime = constant value=1ms\n");
	run = run_it("linked");
	ck_assert_double_eq_tol((double)run.classes[0].allocs, 30000 + 15000, 500);
	ck_assert(run.series.samples[10].ops + 100 > run.series.samples[20].ops);
	replay_run_free(&run);
	done();
}
END_TEST

/* One page a ms from the first arrival on; after 50 ms all are gone. */
START_TEST(a_paced_batch_takes_its_time_and_dies_at_once)
{
	struct replay_run run;

	prepare(MACHINE "[phase a]\nduration = 100ms\n"
		"[class c]\narrivals = periodic every=20ms\nbatch = 1000\npace = 1ms\n"
		"lives = together\nlifetime = constant value=50ms\n");
	plan.sample_ns = 1000000;
	run = run_it("linked");
	/* begun at 20 ms: one at 20, two at 21 ... 20 at 39, the next joins at 40 */
	ck_assert(run.series.samples[20].allocated_pages <= 1);
	ck_assert(run.series.samples[39].allocated_pages >= 19);
	ck_assert(run.series.samples[39].allocated_pages <= 20);
	ck_assert(run.series.samples[69].allocated_pages > 80);
	ck_assert(run.series.samples[71].allocated_pages < 60);
	replay_run_free(&run);
	done();
}
END_TEST

START_TEST(a_phase_releases_every_second_block)
{
	struct replay_run run;

	prepare(MACHINE "[phase a]\nduration = 100ms\n"
		"[phase b]\nduration = 10ms\nrate = 0\nrelease = c every=2\nrelease = d\n"
		"[class c]\narrivals = fill level=50% rate=1000000/s\nlifetime = forever\n"
		"[class d]\narrivals = poisson rate=10000/s\nlifetime = exponential mean=1s\n");
	run = run_it("twoword");
	ck_assert(run.classes[0].pages_end <= PAGES / 4);
	ck_assert(run.classes[0].pages_end >= PAGES / 4 - 1000);
	ck_assert(run.classes[1].pages_end == 0);
	replay_run_free(&run);
	done();
}
END_TEST

#define BUSY MACHINE "[phase a]\nduration = 300ms\n"                             \
	"[class a]\narrivals = bursty rate=300000/s on=5ms off=5ms\norders = 0:4 1:2 2:1\n" \
	"lifetime = lognormal median=3ms sigma=1\nfree-cpu = any\n"                  \
	"[class b]\narrivals = poisson rate=3000/s\nbatch = uniform min=1 max=9\n"   \
	"pace = 10us\nlives = together\nmigratetype = movable\n"                     \
	"lifetime = pareto min=1ms shape=1.2\n"

/* Demand is drawn class by class, so a design that fails nothing sees the same. */
START_TEST(all_allocators_see_the_same_demand)
{
	struct replay_run a, b;

	prepare(BUSY);
	a = run_it("linked");
	b = run_it("twoword");
	for (int i = 0; i < 2; i++) {
		ck_assert(a.classes[i].allocs == b.classes[i].allocs);
		ck_assert(a.classes[i].pages_peak == b.classes[i].pages_peak);
	}
	ck_assert(a.ops_done == b.ops_done);
	replay_run_free(&a);
	replay_run_free(&b);
	done();
}
END_TEST

START_TEST(a_seed_decides_everything)
{
	struct replay_run a, b, c;

	prepare(BUSY);
	a = run_it("twoword");
	b = run_it("twoword");
	plan.seed = 2;
	c = run_it("twoword");
	ck_assert(a.ops_done == b.ops_done);
	ck_assert(!memcmp(a.series.samples, b.series.samples,
			  a.series.nr * sizeof(*a.series.samples)));
	ck_assert(a.ops_done != c.ops_done);
	replay_run_free(&a);
	replay_run_free(&b);
	replay_run_free(&c);
	done();
}
END_TEST

/* Small blocks fill memory, half of them go, and large ones are asked for. */
#define SCATTERED MACHINE "[phase a]\nduration = 50ms\nrate.large = 0\n"      \
	"[phase b]\nduration = 50ms\nrate.small = 0\nrelease = small every=2\n" \
	"[class small]\narrivals = fill level=95% rate=1000000/s\n"             \
	"migratetype = movable\nlifetime = forever\n"                           \
	"[class large]\narrivals = periodic every=1ms\norders = 9\n"           \
	"migratetype = movable\nlifetime = constant value=10ms\n"

START_TEST(compaction_serves_what_failed_without_it)
{
	static const char *const specs[] = { "linked", "twoword", "inpage", "packed8" };
	struct replay_run without, with, again;

	prepare(SCATTERED);
	without = run_it(specs[_i]);
	plan.compaction = true;
	with = run_it(specs[_i]);
	again = run_it(specs[_i]);
	ck_assert(without.classes[1].failed_allocs > 40);
	ck_assert(with.classes[1].failed_allocs < 10);
	ck_assert(with.compact.served > 0);
	ck_assert(with.compact.pages_moved >= 100 * with.compact.served);
	ck_assert(with.classes[0].pages_end == without.classes[0].pages_end);
	ck_assert(!memcmp(&with.compact, &again.compact, sizeof(with.compact)));
	ck_assert(!memcmp(with.series.samples, again.series.samples,
			  with.series.nr * sizeof(*with.series.samples)));
	replay_run_free(&without);
	replay_run_free(&with);
	replay_run_free(&again);
	done();
}
END_TEST

static bool stop_at_once(void *ctx, const char *allocator, uint64_t now_ns,
			 uint64_t end_ns, uint64_t ops)
{
	(void)ctx;
	(void)allocator;
	(void)now_ns;
	(void)end_ns;
	(void)ops;
	return false;
}

START_TEST(an_interrupted_run_keeps_what_there_was)
{
	struct replay_run run;

	prepare(BUSY);
	plan.progress = stop_at_once;
	ck_assert_int_eq(simulate(&run, &plan, "linked", &msg), -EINTR);
	ck_assert(strstr(msg.text, "interrupted at"));
	ck_assert(run.verified);
	ck_assert(run.ops_done > 0);
	ck_assert(run.series.nr >= 2);
	replay_run_free(&run);
	done();
}
END_TEST

/* An operation each second, for a day: too few to count them for this. */
START_TEST(a_run_of_few_operations_may_be_interrupted)
{
	struct replay_run run;

	prepare(MACHINE "[phase a]\nduration = 24h\n"
		"[class c]\narrivals = periodic every=1s\nlifetime = constant value=1ms\n");
	plan.progress = stop_at_once;
	plan.sample_ns = scenario.duration_ns;
	ck_assert_int_eq(simulate(&run, &plan, "linked", &msg), -EINTR);
	ck_assert_uint_lt(run.ops_done, 10);
	replay_run_free(&run);
	done();
}
END_TEST

/* The command line, in the scratch folder: "@" stands for it. */
static int run_line(const char *line)
{
	char all[1024] = "", *words[24], *rest = all;
	size_t len = 0;
	int n = 0;

	for (; *line && len + 128 < sizeof(all); line++) {
		if (*line == '@')
			len += (size_t)snprintf(all + len, sizeof(all) - len, "%s",
						scratch_folder());
		else
			all[len++] = *line;
		all[len] = '\0';
	}
	while (n < 24 && (words[n] = strsep(&rest, " ")))
		n++;
	msg.text[0] = '\0';
	return pagetax_run(n, words, &msg);
}

/* What the allocator did, from a result folder: the end of summary.json. */
static char *decisions(const char *folder)
{
	char path[64], *text, *from;
	size_t len;

	snprintf(path, sizeof(path), "%s/summary.json", folder);
	text = scratch_slurp(scratch_path(path), &len);
	from = strstr(text, "\"buddyinfo\"");
	ck_assert_ptr_nonnull(from);
	from[strcspn(from, "}")] = '\0';
	from = strdup(from);
	free(text);
	return from;
}

/* Each name asks for another format; what it is shows in its first bytes. */
static const struct {
	const char *record, *begins;
} records[] = {
	{ "t.txt", " " },
	{ "t.txt.zst", "\x28\xb5\x2f\xfd" },
	{ "t.ptr", "\x8bptr" },
	{ "t --to ptr", "\x8bptr" },
};

START_TEST(a_recorded_run_replays_to_the_same_decisions)
{
	const char *record = records[_i].record, *begins = records[_i].begins;
	char line[256], name[32], bytes[4], *simulated, *replayed;
	FILE *file;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(record, " "), record);
	scratch_write_text("s.ini", BUSY);
	snprintf(line, sizeof(line), "pagetax simulate -q --no-plots -a twoword -o @/sim "
		 "--record @/%s @/s.ini", record);
	ck_assert_msg(!run_line(line), "%s", msg.text);
	snprintf(line, sizeof(line), "pagetax replay -q --no-plots -a twoword -o @/rep "
		 "-m @/s.ini @/%s", name);
	ck_assert_msg(!run_line(line), "%s", msg.text);
	file = fopen(scratch_path(name), "rb");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fread(bytes, 1, sizeof(bytes), file), sizeof(bytes));
	fclose(file);
	ck_assert(!memcmp(bytes, begins, strlen(begins)));
	simulated = decisions("sim");
	replayed = decisions("rep");
	ck_assert_str_eq(simulated, replayed);
	free(simulated);
	free(replayed);
}
END_TEST

static const struct {
	const char *line;
	int status;
	const char *message;
} mistakes[] = {
	{ "pagetax simulate no-such", STATUS_USAGE, "no scenario 'no-such'" },
	{ "pagetax simulate @/none.ini", STATUS_FAILED, "none.ini: No such file" },
	{ "pagetax simulate --scale 0 @/s.ini", STATUS_USAGE, "--scale cannot be '0'" },
	{ "pagetax simulate --scale 1e-300 @/s.ini", STATUS_USAGE, "--scale cannot be '1e-300'" },
	{ "pagetax simulate --scale 1/1e-300 @/s.ini", STATUS_USAGE, "--scale cannot be '1/1e-300'" },
	{ "pagetax simulate --scale nan @/s.ini", STATUS_USAGE, "--scale cannot be 'nan'" },
	{ "pagetax simulate --scale 1/x @/s.ini", STATUS_USAGE, "--scale cannot be '1/x'" },
	{ "pagetax simulate --sample 100 @/s.ini", STATUS_USAGE, "expected TIME as in 10ms" },
	{ "pagetax simulate --sample 1us @/s.ini", STATUS_USAGE, "more than 100000 samples" },
	{ "pagetax simulate --record @/t -a linked,twoword @/s.ini", STATUS_USAGE, "one in -a, not 2" },
	{ "pagetax simulate --compaction --record @/t -a linked @/s.ini", STATUS_USAGE, "leave --compaction out" },
	{ "pagetax simulate --record @/s.ini -a linked @/s.ini", STATUS_FAILED, "File exists" },
	{ "pagetax simulate -a linked @/big.ini", STATUS_FAILED, " TiB needs" },
};

#define BIG "[phase a]\nduration = 1s\n" \
	    "[class c]\narrivals = periodic every=1s\nlifetime = forever\n"

START_TEST(what_cannot_be_is_one_message)
{
	scratch_write_text("s.ini", BUSY);
	/* No host has the memory for either; page numbers of 32 bits end at 16 TiB. */
	scratch_write_text("big.ini", sizeof(long) > 4 ?
			   "[machine]\nmemory = 1000T\n" BIG : "[machine]\nmemory = 15T\n" BIG);
	ck_assert_int_eq(run_line(mistakes[_i].line), mistakes[_i].status);
	ck_assert_msg(strstr(msg.text, mistakes[_i].message), "\"%s\" lacks \"%s\"",
		      msg.text, mistakes[_i].message);
}
END_TEST

static double share_at(const struct replay_run *run, size_t i)
{
	unsigned long nr_free[NR_PAGE_ORDERS];

	sample_sum_zones(&run->series.samples[i], scenario.layout.nr_zones, nr_free);
	return free_share_2m(nr_free);
}

/*
 * Where `twoword` has fewer free huge pages than `linked`, it is not for the
 * pages its nodes take: with lists that keep their order when a block leaves
 * the middle, the difference is gone, nodes and all. Filling the gap from an
 * end mixes a list, and per-CPU lists then park pages of more pageblocks.
 */
START_TEST(in_a_storm_of_nodes_huge_pages_are_lost_to_the_order_of_lists)
{
	struct replay_run linked, filled, punched;
	double filled_dip = 0, punched_dip = 0;

	ck_assert_msg(!scenario_read(&scenario, "node-storm", 1.0 / 16, &msg), "%s", msg.text);
	prepare_plan();
	plan.checked = plan.teardown = false;
	plan.sample_ns = scenario.duration_ns / 100;
	linked = run_it("linked");
	filled = run_it("twoword");
	punched = run_it("twoword:removal=punch");
	ck_assert_uint_eq(linked.series.nr, punched.series.nr);
	for (size_t i = 0; i < linked.series.nr; i++) {
		double share = share_at(&linked, i);

		filled_dip = fmax(filled_dip, share - share_at(&filled, i));
		punched_dip = fmax(punched_dip, share - share_at(&punched, i));
	}
	ck_assert_double_gt(filled_dip, 0.05);
	ck_assert_double_lt(punched_dip, 0.02);
	ck_assert_uint_gt(punched.stats.nodes_peak, 30);
	ck_assert_uint_gt(filled.stats.relocated, 50);
	ck_assert_uint_le(filled.stats.max_consumed_any, 1);
	replay_run_free(&linked);
	replay_run_free(&filled);
	replay_run_free(&punched);
	done();
}
END_TEST

/* An urgent request has set a pageblock apart, which then joins no other. */
START_TEST(a_reserve_that_is_left_at_the_end_is_given_up_for_the_comparison)
{
	ck_assert_msg(run_line("pagetax simulate -q --no-plots --teardown "
			       "-a linked,twoword --scale 1/32 containers") ==
		      STATUS_DONE, "%s", msg.text);
}
END_TEST

/* At a scale where a machine still holds what comes at once. */
static const struct {
	const char *name;
	unsigned int divisor;
} built_in[] = {
	{ "server",         128 }, { "database",       128 },
	{ "build-farm",     128 }, { "containers",     128 },
	{ "desktop",        128 }, { "android",         64 },
	{ "pae-4g",         128 }, { "pae-16g",        128 },
	{ "pae-64g",        128 }, { "tera",          1024 },
	{ "waves",          128 }, { "checkerboard",   128 },
	{ "mixed-orders",   128 }, { "full-95",        128 },
	{ "full-99",        128 }, { "unmovable-drip", 128 },
	{ "node-storm",     128 }, { "small-folios",   128 },
	{ "large-folios",   128 },
};

START_TEST(every_built_in_scenario_ends_verified_with_every_allocator)
{
	char line[256];

	snprintf(line, sizeof(line),
		 "pagetax simulate -q --no-plots --scale 1/%u -a all -o @/out %s",
		 built_in[_i].divisor, built_in[_i].name);
	ck_assert_msg(run_line(line) == STATUS_DONE, "%s", msg.text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("simulate");
	TCase *tc = tcase_create("simulate");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, scratch_setup, scratch_teardown);
	tcase_add_test(tc, live_pages_are_rate_times_lifetime);
	tcase_add_test(tc, a_fill_stops_at_its_level);
	tcase_add_test(tc, a_full_machine_is_not_looked_at_all_the_time);
	tcase_add_test(tc, who_waits_for_room_is_told_at_its_own_level);
	tcase_add_test(tc, reclaim_keeps_memory_between_the_watermarks);
	tcase_add_test(tc, a_huge_fault_falls_back_to_small_pages);
	tcase_add_test(tc, a_closed_loop_asks_no_more_than_its_workers_can);
	tcase_add_loop_test(tc, a_worker_waits_for_the_last_block_of_a_paced_batch, 0,
			    (int)ARRAY_SIZE(paced_loops));
	tcase_add_test(tc, a_phase_has_more_workers_or_fewer);
	tcase_add_test(tc, a_class_that_rests_keeps_no_schedule);
	tcase_add_test(tc, a_paced_batch_takes_its_time_and_dies_at_once);
	tcase_add_test(tc, a_phase_releases_every_second_block);
	tcase_add_test(tc, all_allocators_see_the_same_demand);
	tcase_add_test(tc, a_seed_decides_everything);
	tcase_add_loop_test(tc, compaction_serves_what_failed_without_it, 0, 4);
	tcase_add_test(tc, an_interrupted_run_keeps_what_there_was);
	tcase_add_test(tc, a_run_of_few_operations_may_be_interrupted);
	tcase_add_loop_test(tc, a_recorded_run_replays_to_the_same_decisions, 0,
			    ARRAY_SIZE(records));
	tcase_add_loop_test(tc, what_cannot_be_is_one_message, 0, ARRAY_SIZE(mistakes));
	tcase_add_test(tc, in_a_storm_of_nodes_huge_pages_are_lost_to_the_order_of_lists);
	tcase_add_test(tc, a_reserve_that_is_left_at_the_end_is_given_up_for_the_comparison);
	tcase_add_loop_test(tc, every_built_in_scenario_ends_verified_with_every_allocator, 0,
			    ARRAY_SIZE(built_in));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
