/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_validate.c - the recorded machine followed, scored and reported */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rng.h"
#include "sim/commands.h"
#include "sim/validate/bounds.h"
#include "sim/validate/one_step.h"
#include "sim/validate/open_loop.h"
#include "tests/sim_bundle.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

#define SAMPLE "tests/data/fork-sample"

static struct bundle b;
static struct msg msg;

static void setup(void)
{
	scratch_setup();
	small_flags_reset();
	b = (struct bundle){ 0 };
}

static void teardown(void)
{
	bundle_free(&b);
	scratch_teardown();
}

static void read_small(const char *events)
{
	small_bundle_write(events);
	if (bundle_read(&b, scratch_folder(), 0, &msg))
		ck_abort_msg("%s", msg.text);
}

/* ---- the set of free pages ---- */

/* The same by a byte a page: cut each free run into maximal aligned blocks. */
static void naive_counts(const uint8_t *is_free, unsigned long nr_pages,
			 unsigned long nr_free[NR_PAGE_ORDERS])
{
	unsigned long pfn = 0;

	memset(nr_free, 0, NR_PAGE_ORDERS * sizeof(*nr_free));
	while (pfn < nr_pages) {
		unsigned int order = 0;
		bool whole = is_free[pfn];

		if (!whole) {
			pfn++;
			continue;
		}
		while (whole && order < MAX_PAGE_ORDER) {
			unsigned long size = 2UL << order;

			whole = pfn % size == 0 && pfn + size <= nr_pages;
			for (unsigned long i = 0; whole && i < size; i++)
				whole = is_free[pfn + i];
			order += whole;
		}
		nr_free[order]++;
		pfn += 1UL << order;
	}
}

START_TEST(the_free_set_counts_as_its_pages_do)
{
	enum { PAGES = 4096 };
	static uint8_t is_free[PAGES];
	struct layout layout;
	struct free_set set;
	struct rng rng;

	rng_seed(&rng, (uint64_t)_i);
	ck_assert_int_eq(layout_flat(&layout, PAGES, 1, &msg), 0);
	ck_assert_int_eq(free_set_init(&set, &layout), 0);
	memset(is_free, 0, sizeof(is_free));
	for (int step = 0; step < 2000; step++) {
		unsigned int order = (unsigned int)rng_below(&rng, _i ? 11 : 4);
		unsigned long pfn = rng_below(&rng, PAGES >> order) << order;
		bool put = rng_below(&rng, 2);
		unsigned long changed = 0, nr_free[NR_PAGE_ORDERS];

		for (unsigned long i = 0; i < 1UL << order; i++) {
			changed += is_free[pfn + i] != put;
			is_free[pfn + i] = put;
		}
		if ((put ? free_set_put(&set, pfn, order)
			 : free_set_take(&set, pfn, order)) != changed)
			ck_abort_msg("seed %d, step %d: other pages changed", _i, step);
		if (step % 10)
			continue;
		naive_counts(is_free, PAGES, nr_free);
		if (memcmp(nr_free, set.nr_free[0], sizeof(nr_free)))
			ck_abort_msg("seed %d, step %d: other blocks", _i, step);
	}
	free_set_destroy(&set);
	layout_free(&layout);
}
END_TEST

/* ---- what events did ---- */

/* The step of the n-th event of the small machine. */
static enum buddy_step step_of(const char *events, size_t n)
{
	struct buddy_stream stream;
	enum buddy_step step;

	read_small(events);
	ck_assert_int_eq(buddy_stream_make(&stream, &b), 0);
	step = (enum buddy_step)stream.step[n];
	buddy_stream_free(&stream);
	return step;
}

static const struct {
	const char *events;
	size_t n;
	enum buddy_step step;
} steps[] = {
	/* a page freed to a list is seen again in an allocation, or drained */
	{ FREE("5", "0x400", "0") ALLOC("6", "0x400", "0"), 0, STEP_NONE },
	{ FREE("5", "0x400", "0") DRAIN("6", "0x400", "0", "1"), 0, STEP_NONE },
	{ FREE("5", "0x400", "0") DRAIN("6", "0x400", "0", "1"), 1, STEP_ENTERS },
	/* one that leaves the buddy had entered it, alone or in a larger block */
	{ FREE("5", "0x400", "0") LOCKED("6", "0x400", "0", "1"), 0, STEP_ENTERS_UNSEEN },
	{ FREE("5", "0x401", "0") LOCKED("6", "0x400", "1", "1"), 0, STEP_ENTERS_UNSEEN },
	{ FREE("5", "0x400", "0"), 0, STEP_NONE },
	/* orders that no list holds enter at once */
	{ FREE("5", "0x400", "4"), 0, STEP_ENTERS },
	{ FREE("5", "0x400", "9"), 0, STEP_NONE },
	{ FREE("5", "0x400", "10"), 0, STEP_ENTERS },
	/* an extfrag alone moves its page; after its zone_locked it explains it */
	{ LOCKED("5", "0x400", "0", "0") EXTFRAG("6", "0x400", "1"), 0, STEP_LEAVES },
	{ LOCKED("5", "0x400", "0", "0") EXTFRAG("6", "0x400", "1"), 1, STEP_NONE },
	{ LOCKED("5", "0x401", "0", "0") EXTFRAG("6", "0x400", "1"), 1, STEP_LEAVES },
	/* what the snapshot has seen already is not done twice */
	{ LOCKED("1", "0x400", "0", "1") FREE("5", "0x500", "0"), 0, STEP_NONE },
};

START_TEST(the_next_event_tells_where_a_page_was)
{
	ck_assert_int_eq(step_of(steps[_i].events, steps[_i].n), steps[_i].step);
}
END_TEST

START_TEST(the_second_snapshot_tells_where_a_page_ended)
{
	uint64_t end_flags[SMALL_PAGES];

	memcpy(end_flags, small_flags, sizeof(end_flags));
	end_flags[0x400] = UINT64_C(1) << 10;
	scratch_write("kpageflags.end", end_flags, sizeof(end_flags));
	scratch_write_text("kpageflags.end.times",
			   "0 7000 7100\n1024 7100 7200\n2048 7200 7300\n");
	ck_assert_int_eq(step_of(FREE("5", "0x400", "0") FREE("6", "0x401", "0")
				 FREE("8", "0x410", "0"), 0), STEP_ENTERS_UNSEEN);
	bundle_free(&b);
	ck_assert_int_eq(step_of(FREE("5", "0x400", "0") FREE("6", "0x401", "0"), 1),
			 STEP_NONE);
	bundle_free(&b);
	/* after that snapshot it tells nothing */
	ck_assert_int_eq(step_of(FREE("8", "0x400", "0"), 0), STEP_NONE);
}
END_TEST

/* ---- the start ---- */

/* Pages from..to have no flags: reported, or in some list, or of the kernel. */
static void flagless(unsigned long from, unsigned long to)
{
	for (; from < to; from++)
		small_flags[from] = 0;
}

START_TEST(a_block_that_leaves_the_buddy_without_having_entered_was_out_for_a_moment)
{
	flagless(0x400, 0x600);
	read_small(LOCKED("5", "0x410", "0", "1") ALLOC("6", "0x410", "0"));
	ck_assert_uint_eq(b.nr_start_proved, 512);
	ck_assert_uint_eq(b.nr_free_blocks, 1);
	ck_assert_uint_eq(b.free_blocks[0].pfn, 0x400);
	ck_assert_uint_eq(b.free_blocks[0].order, 9);
}
END_TEST

START_TEST(a_block_of_which_a_page_is_freed_first_was_in_use)
{
	flagless(0x400, 0x600);
	read_small(LOCKED("5", "0x410", "0", "1") FREE("6", "0x420", "0"));
	ck_assert_uint_eq(b.nr_start_proved, 1);
	ck_assert_uint_eq(b.nr_free_blocks, 1);
	ck_assert_uint_eq(b.free_blocks[0].order, 0);
}
END_TEST

START_TEST(an_event_during_the_look_at_a_chunk_counts_whatever_the_flags_say)
{
	/* chunk 1 was read from 1.9 to 2.0 us; 0x400 seen before it left */
	small_flags_buddy(0x400, 0x402);
	read_small(" sh 1 [001] 0.000001950: kmem:mm_page_alloc_zone_locked: pfn=0x400 order=0 migratetype=1 percpu_refill=1\n"
		   FREE("5", "0x500", "0"));
	ck_assert_uint_eq(b.start[0x400], START_PCP);
	ck_assert_uint_eq(b.start[0x401], START_FREE);
}
END_TEST

/* Slabs, and pages whose class says nothing, over a whole pageblock. */
static void slabs(unsigned long pfn, unsigned long nr_slabs)
{
	for (unsigned long i = 0; i < PAGEBLOCK_NR_PAGES; i++)
		small_flags[pfn + i] = UINT64_C(1) << (i < nr_slabs ? 7 : 32);
}

START_TEST(pagetypeinfo_tells_how_many_pageblocks_with_slabs_are_reclaimable)
{
	slabs(0x400, 100);
	slabs(0x600, 400);
	scratch_write_text("pagetypeinfo.start",
			   "Page block order: 9\n\nNumber of blocks type     Unmovable      Movable  Reclaimable\n"
			   "Node 0, zone      DMA            1            1            0\n"
			   "Node 0, zone   Normal            1            0            1\n");
	read_small(FREE("5", "0x3f0", "0"));
	ck_assert_uint_eq(b.block_types[2], MIGRATE_UNMOVABLE);
	ck_assert_uint_eq(b.block_types[3], MIGRATE_RECLAIMABLE);
	ck_assert_uint_eq(b.block_types[0], MIGRATE_MOVABLE);
}
END_TEST

/* Of two pageblocks without slabs, the one with more pages nobody owns up to. */
START_TEST(pagetypeinfo_tells_how_many_pageblocks_are_unmovable)
{
	for (unsigned long nr = 0; nr <= 2; nr++) {
		char text[256];

		small_flags_reset();
		small_flags_buddy(0x400, 0x500);
		snprintf(text, sizeof(text),
			 "Number of blocks type     Unmovable      Movable  Reclaimable\n"
			 "Node 0, zone   Normal            %lu            1            0\n", nr);
		scratch_write_text("pagetypeinfo.start", text);
		read_small(FREE("5", "0x3f0", "0"));
		ck_assert_uint_eq(b.block_types[2], nr > 1 ? MIGRATE_UNMOVABLE : MIGRATE_MOVABLE);
		ck_assert_uint_eq(b.block_types[3], nr > 0 ? MIGRATE_UNMOVABLE : MIGRATE_MOVABLE);
		bundle_free(&b);
	}
}
END_TEST

static const struct { const char *text, *message; } bad_pagetypeinfo[] = {
	{ "Page block order: 9\n", "Number of blocks type" },
	{ "Number of blocks type Unmovable Movable\nNode 0, zone DMA 1 x\n",
	  "pagetypeinfo.start:2: number 2" },
};

START_TEST(a_broken_pagetypeinfo_is_refused_at_its_place)
{
	scratch_write_text("pagetypeinfo.start", bad_pagetypeinfo[_i].text);
	small_bundle_write(FREE("5", "0x3f0", "0"));
	ck_assert_int_lt(bundle_read(&b, scratch_folder(), 0, &msg), 0);
	if (!strstr(msg.text, bad_pagetypeinfo[_i].message))
		ck_abort_msg("%s", msg.text);
}
END_TEST

/* ---- scores ---- */

START_TEST(a_score_is_the_share_of_free_memory_at_a_wrong_order)
{
	const struct buddyinfo_sample recorded = {
		.nr_free = { [0] = 4, [9] = 1 },	/* 516 pages */
	};
	unsigned long predicted[NR_PAGE_ORDERS] = { [1] = 2, [9] = 1 };
	struct score score;

	score_sample(&score, predicted, &recorded);
	ck_assert_double_eq_tol(score.tv, 8 / (2 * 516.0), 1e-12);
	ck_assert_double_eq(score.df, 0);
	ck_assert_double_eq(score.dh9, 0);
	ck_assert(!score.exact);
	predicted[1] = 0;
	predicted[0] = 4;
	score_sample(&score, predicted, &recorded);
	ck_assert(score.exact);
	/* As many pages, none in a large block: 1000 for 7 thousandths unusable. */
	predicted[9] = 0;
	predicted[4] = 32;
	score_sample(&score, predicted, &recorded);
	ck_assert_double_eq_tol(score.tv, 1024 / (2 * 516.0), 1e-12);
	ck_assert_double_eq(score.df, 0);
	ck_assert_double_eq_tol(score.dh9, 100 * 512 / 516.0, 1e-12);
	ck_assert_double_eq(score.du4, 0);
	ck_assert_double_eq(score.du9, 993);
	predicted[4] = 64;
	score_sample(&score, predicted, &recorded);
	ck_assert_double_eq_tol(score.df, 512 / 516.0, 1e-12);
}
END_TEST

/* Three reads of one zone: at 10-20, 30-40, 50-60. */
static void three_samples(struct buddyinfo_sample samples[3])
{
	for (unsigned int i = 0; i < 3; i++)
		samples[i] = (struct buddyinfo_sample){
			.before_ns = 10 + 20 * i, .after_ns = 20 + 20 * i,
			.nr_free = { [0] = 100 + i },
		};
}

static void score_three(struct buddyinfo_sample samples[3], struct brackets *br,
			struct scorer *s)
{
	three_samples(samples);
	ck_assert_int_eq(layout_flat(&b.layout, 1024, 1, &msg), 0);
	b.buddyinfo = samples;
	b.nr_buddyinfo = 3;
	ck_assert_int_eq(brackets_make(br, &b), 0);
	ck_assert_int_eq(scorer_init(s, br), 0);
}

/*
 * The snapshot of the pages was done at 2000. Events were lost at 6000, or the
 * trace ends at 8000 before the workload does.
 */
static const struct {
	uint64_t before_ns, after_ns;
	uint64_t workload_end_ns;
	bool lost;
	enum sample_flag flag;
} times[] = {
	{ 1999, 2100, 8000, true, SAMPLE_early },
	{ 2000, 2100, 8000, true, SAMPLE_COUNTS },
	{ 5900, 6000, 8000, true, SAMPLE_COUNTS },
	{ 5900, 6001, 8000, true, SAMPLE_lossy },
	{ 5900, 6001, 8000, false, SAMPLE_COUNTS },
	{ 8000, 8100, 8001, false, SAMPLE_COUNTS },
	{ 8001, 8100, 8001, false, SAMPLE_late },
	{ 8001, 8100, 8000, false, SAMPLE_COUNTS },
	{ 8001, 8100, 8001, true, SAMPLE_lossy },
};

START_TEST(a_sample_counts_between_the_snapshot_and_what_was_lost)
{
	struct buddyinfo_sample sample = {
		.before_ns = times[_i].before_ns, .after_ns = times[_i].after_ns,
	};
	uint64_t chunk_ns = 2000;
	struct event events[] = {
		{ .time_ns = 3000, .kind = EV_FREE },
		{ .time_ns = 6000, .kind = times[_i].lost ? EV_LOST : EV_FREE },
		{ .time_ns = 8000, .kind = EV_FREE },
	};
	struct brackets br;

	ck_assert_int_eq(layout_flat(&b.layout, 1024, 1, &msg), 0);
	b.buddyinfo = &sample;
	b.nr_buddyinfo = 1;
	b.chunk_ns = &chunk_ns;
	b.nr_chunks = 1;
	b.workload_end_ns = times[_i].workload_end_ns;
	b.trace.events = events;
	b.trace.nr_events = ARRAY_SIZE(events);
	b.trace.lost = times[_i].lost;
	ck_assert_int_eq(brackets_make(&br, &b), 0);
	ck_assert_uint_eq(br.nr, 1);
	ck_assert_int_eq(br.list[0].flag[0], times[_i].flag);
	b.buddyinfo = NULL;
	b.chunk_ns = NULL;
	b.trace.events = NULL;
	brackets_free(&br);
}
END_TEST

/* 100 single pages are said to stay; 101 and 102 are there. What is left out, is. */
START_TEST(that_nothing_changes_is_a_prediction_from_the_first_that_counts)
{
	struct buddyinfo_sample samples[3];
	struct brackets br;
	struct scorer s;

	score_three(samples, &br, &s);
	scorer_persist(&s);
	ck_assert_double_eq_tol(scorer_mean_tv(&s, 0), (0 + 1 / 202. + 2 / 204.) / 3, 1e-12);
	scorer_destroy(&s);
	br.list[0].flag[0] = SAMPLE_early;
	ck_assert_int_eq(scorer_init(&s, &br), 0);
	scorer_persist(&s);
	ck_assert_double_eq_tol(scorer_mean_tv(&s, 0), (0 + 1 / 204.) / 2, 1e-12);
	b.buddyinfo = NULL;
	scorer_destroy(&s);
	brackets_free(&br);
}
END_TEST

START_TEST(the_best_state_between_the_stamps_counts)
{
	struct buddyinfo_sample samples[3];
	free_counts counts = { { 0 } };
	struct brackets br;
	struct scorer s;
	struct figures f;

	score_three(samples, &br, &s);
	ck_assert_int_eq(scorer_figures(&s, 0, &f), 0);
	ck_assert(isnan(f.tv_p95));	/* nothing seen is not a perfect score */
	counts[0][0] = 99;
	scorer_see(&s, 12, counts);	/* too early a state, but in the bracket */
	counts[0][0] = 100;
	scorer_see(&s, 15, counts);	/* exact */
	counts[0][0] = 500;
	scorer_see(&s, 35, counts);
	counts[0][0] = 101;
	scorer_see(&s, 45, counts);
	counts[0][0] = 110;
	scorer_see(&s, UINT64_MAX, counts);
	ck_assert_int_eq(scorer_figures(&s, 0, &f), 0);
	ck_assert_uint_eq(f.samples, 3);
	ck_assert_uint_eq(f.exact, 2);
	ck_assert_double_eq_tol(f.tv_max, 8 / (2 * 102.0), 1e-12);
	b.buddyinfo = NULL;
	scorer_destroy(&s);
	brackets_free(&br);
}
END_TEST

START_TEST(blocks_that_are_out_for_a_moment_are_flagged_and_others_are_not)
{
	struct buddyinfo_sample samples[3];
	free_counts counts = { { [0] = 100, [10] = 40 } };
	struct brackets br;
	struct scorer s;

	three_samples(samples);
	samples[0].nr_free[0] = samples[1].nr_free[0] = samples[2].nr_free[0] = 100;
	samples[0].nr_free[10] = 40;
	samples[1].nr_free[10] = 8;		/* 32 are out */
	samples[2].nr_free[10] = 7;		/* 33 are more than a pass takes */
	ck_assert_int_eq(layout_flat(&b.layout, 65536, 1, &msg), 0);
	b.buddyinfo = samples;
	b.nr_buddyinfo = 3;
	ck_assert_int_eq(brackets_make(&br, &b), 0);
	ck_assert_int_eq(scorer_init(&s, &br), 0);
	scorer_see(&s, UINT64_MAX, counts);
	brackets_flag_reporting(&br, &s);
	ck_assert_int_eq(br.list[0].flag[0], SAMPLE_COUNTS);
	ck_assert_int_eq(br.list[1].flag[0], SAMPLE_reporting);
	ck_assert_int_eq(br.list[2].flag[0], SAMPLE_COUNTS);
	b.buddyinfo = NULL;
	scorer_destroy(&s);
	brackets_free(&br);
}
END_TEST

/*
 * Said are 100 single pages, 100 blocks of order 9 and 40 of order 10. A pass takes
 * 32 blocks, of 32768 pages at most, within two seconds; and a thousandth of what
 * is free may have changed at lower orders: 59 pages here.
 */
static const struct {
	unsigned int nr[3];		/* there: of orders 0, 9, 10 */
	uint64_t lasts_ns;
	enum sample_flag flag;
} passes[] = {
	{ { 100, 100, 8 }, 10, SAMPLE_reporting },
	{ { 100, 100, 7 }, 10, SAMPLE_COUNTS },		/* 33 blocks */
	{ { 100,  68, 40 }, 10, SAMPLE_reporting },
	{ { 100,  67, 40 }, 10, SAMPLE_COUNTS },	/* 33 smaller ones */
	{ { 100, 100, 40 }, 10, SAMPLE_COUNTS },	/* nothing is out */
	{ { 100, 101, 40 }, 10, SAMPLE_COUNTS },	/* there is more */
	{ { 100, 110,  0 }, 10, SAMPLE_COUNTS },	/* 40 - 10 blocks, but 35840 pages */
	{ {  41, 100,  8 }, 10, SAMPLE_reporting },	/* 59 fewer */
	{ {  40, 100,  8 }, 10, SAMPLE_COUNTS },
	{ { 159, 100,  8 }, 10, SAMPLE_reporting },	/* 59 more */
	{ { 160, 100,  8 }, 10, SAMPLE_COUNTS },
	{ { 100, 100,  8 }, 1999999999, SAMPLE_reporting },
	{ { 100, 100,  8 }, 2000000000, SAMPLE_COUNTS },
};

START_TEST(a_pass_is_known_by_its_blocks_its_pages_its_noise_and_its_time)
{
	const unsigned int *nr = passes[_i].nr;
	struct buddyinfo_sample sample = {
		.before_ns = 10, .after_ns = 10 + passes[_i].lasts_ns,
		.nr_free = { [0] = nr[0], [9] = nr[1], [10] = nr[2] },
	};
	free_counts counts = { { [0] = 100, [9] = 100, [10] = 40 } };
	struct brackets br;
	struct scorer s;

	ck_assert_int_eq(layout_flat(&b.layout, 131072, 1, &msg), 0);
	b.buddyinfo = &sample;
	b.nr_buddyinfo = 1;
	ck_assert_int_eq(brackets_make(&br, &b), 0);
	ck_assert_int_eq(scorer_init(&s, &br), 0);
	scorer_see(&s, UINT64_MAX, counts);
	brackets_flag_reporting(&br, &s);
	ck_assert_int_eq(br.list[0].flag[0], passes[_i].flag);
	b.buddyinfo = NULL;
	scorer_destroy(&s);
	brackets_free(&br);
}
END_TEST

/* ---- what contradicts what ---- */

/* Blocks of order 4 go to no per-CPU list: they enter the buddy as they are freed. */
static const struct {
	const char *events;
	unsigned int repairs[NR_RECORDED_REPAIRS];	/* in their order */
	unsigned int hidden_allocs, hidden_frees;	/* pages */
	unsigned int parked;		/* 0x500 and the others of it, in the end */
} contradictions[] = {
	{ FREE("5", "0x500", "0") ALLOC("6", "0x500", "0"), { 0 }, 0, 0, 0 },
	{ FREE("5", "0x500", "0") DRAIN("6", "0x500", "0", "1"), { 0 }, 0, 0, 0 },
	{ FREE("5", "0x500", "1"), { 0 }, 0, 0, 2 },
	/* allocated twice, freed twice; drained though in use */
	{ ALLOC("5", "0x500", "1") ALLOC("6", "0x500", "1"), { 0 }, 0, 2, 0 },
	{ FREE("5", "0x500", "1") FREE("6", "0x500", "1"), { 0 }, 2, 0, 2 },
	{ ALLOC("5", "0x500", "0") DRAIN("6", "0x500", "0", "1"), { 0 }, 0, 1, 0 },
	/* it went past the list */
	{ FREE("5", "0x500", "0") LOCKED("6", "0x500", "0", "1"),
	  { [REPAIR_bypass] = 1 }, 0, 0, 1 },
	{ ALLOC("5", "0x500", "0") LOCKED("6", "0x500", "0", "1"),
	  { [REPAIR_left_absent] = 1 }, 0, 0, 1 },
	{ FREE("5", "0x500", "4") DRAIN("6", "0x500", "0", "1"),
	  { [REPAIR_entered_present] = 1 }, 0, 0, 0 },
	{ FREE("5", "0x500", "4") ALLOC("6", "0x500", "0"),
	  { [REPAIR_alloc_in_buddy] = 1 }, 0, 0, 0 },
	{ FREE("5", "0x500", "4") FREE("6", "0x500", "0"),
	  { [REPAIR_free_in_buddy] = 1 }, 1, 0, 1 },
	/* what was removed is there no more: the same again is none */
	{ FREE("5", "0x500", "4") ALLOC("6", "0x500", "0") ALLOC("7", "0x500", "0"),
	  { [REPAIR_alloc_in_buddy] = 1 }, 0, 1, 0 },
	{ FREE("5", "0x500", "4") LOCKED("6", "0x500", "1", "1") ALLOC("7", "0x500", "1"),
	  { 0 }, 0, 0, 0 },
};

START_TEST(events_that_contradict_each_other_are_counted)
{
	struct buddy_stream stream;
	struct recorded r;
	uint64_t parked;

	read_small(contradictions[_i].events);
	ck_assert_int_eq(buddy_stream_make(&stream, &b), 0);
	ck_assert_int_eq(recorded_init(&r, &b, &stream), 0);
	for (size_t i = 0; i < b.trace.nr_events; i++)
		recorded_apply(&r, i);
	for (unsigned int i = 0; i < NR_RECORDED_REPAIRS; i++)
		ck_assert_uint_eq(r.repairs[i], contradictions[_i].repairs[i]);
	ck_assert_uint_eq(r.hidden_allocs, contradictions[_i].hidden_allocs);
	ck_assert_uint_eq(r.hidden_frees, contradictions[_i].hidden_frees);
	parked = recorded_nr_parked(&r);
	ck_assert_uint_eq(parked, contradictions[_i].parked);
	recorded_destroy(&r);
	buddy_stream_free(&stream);
}
END_TEST

/* ---- one step ---- */

/*
 *	list   A B [c d] E	pushed: A last, then B; c and d lay there; E to the tail
 */
START_TEST(only_places_that_are_known_can_be_predicted)
{
	struct page_lists l;

	ck_assert_int_eq(page_lists_init(&l, 16, 2), 0);
	ck_assert_int_eq(page_lists_judge(&l, 1, 3), VERDICT_UNKNOWN);	/* empty */
	page_lists_push_tail(&l, 1, 3, false);
	ck_assert_int_eq(page_lists_judge(&l, 1, 3), VERDICT_HIT);	/* alone */
	page_lists_push_tail(&l, 1, 4, false);
	ck_assert_int_eq(page_lists_judge(&l, 1, 3), VERDICT_UNKNOWN);
	ck_assert_int_eq(page_lists_judge(&l, 1, 4), VERDICT_UNKNOWN);
	page_lists_push_tail(&l, 1, 5, true);
	ck_assert_int_eq(page_lists_judge(&l, 1, 5), VERDICT_MISS);
	page_lists_push_head(&l, 1, 2, true);
	page_lists_push_head(&l, 1, 1, true);
	ck_assert_int_eq(page_lists_judge(&l, 1, 1), VERDICT_HIT);
	ck_assert_int_eq(page_lists_judge(&l, 1, 2), VERDICT_MISS);
	ck_assert_int_eq(page_lists_judge(&l, 1, 9), VERDICT_MISS);
	page_lists_del(&l, 1);
	page_lists_del(&l, 9);			/* in no list: nothing happens */
	ck_assert_int_eq(page_lists_judge(&l, 1, 2), VERDICT_HIT);
	ck_assert_uint_eq(l.lists[1].nr, 4);
	page_lists_destroy(&l);
}
END_TEST

START_TEST(the_rules_hold_on_the_sample)
{
	static const enum one_step_rule rules[] = {
		RULE_list_head, RULE_split_low, RULE_pcp_head, RULE_refill, RULE_drain,
	};
	struct buddy_stream stream;
	struct one_step o;

	if (bundle_read(&b, SAMPLE, 0, &msg))
		ck_abort_msg("%s", msg.text);
	ck_assert_int_eq(buddy_stream_make(&stream, &b), 0);
	ck_assert_int_eq(one_step_run(&o, &b, &stream), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rule_rate(&o.rules[2][rules[i]]) < 0.98)
			ck_abort_msg("%s: %g", one_step_rule_names[rules[i]],
				     rule_rate(&o.rules[2][rules[i]]));
	buddy_stream_free(&stream);
}
END_TEST

/*
 * Whoever changes a line here changes what `pagetax validate` claims of the model,
 * and says why: what follows from the sample's events alone, zone by zone.
 *
 *   rule       hits misses unknown
 *   repairs    of the books of free blocks, by kind
 *   figures    samples exact | TV, median, p95 and most | order 9, median and p95 |
 *              unusable for orders 4 and 9, p95
 */
static const char claims[] =
	"Normal smallest_order 1905 0 0\n"
	"Normal list_head 1355 16 534\n"
	"Normal split_low 1905 0 0\n"
	"Normal pcp_head 29964 4 5104\n"
	"Normal drain_tail 204 0 613\n"
	"Normal refill 26 0 0\n"
	"Normal drain 2 0 0\n"
	"Normal drain_when 2 0 0\n"
	"retyped 0, claims 0, aged 614, skipped 705\n"
	"repairs 77 0 0 0 0 of 85971 events, 0.0009 each\n"
	"hidden 617 253, by number 0 0, error 0.0000 0.0000\n"
	"DMA 17 17 | 0.0000 0.0000 0.0000 | 0.0000 0.0000 | 0.0000 0.0000\n"
	"DMA32 16 14 | 0.0000 0.0222 0.0222 | 0.0000 0.0106 | 0.0000 0.0000\n"
	"Normal 6 3 | 0.0000 0.0033 0.0033 | 0.0000 0.0781 | 0.0000 0.0000\n";

static void __printf(2, 3) say(char text[8192], const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(text + len, 8192 - len, fmt, args);
	va_end(args);
}

static void say_rules(char text[8192], const struct one_step *o)
{
	for (unsigned int z = 0; z < b.layout.nr_zones; z++)
		for (unsigned int i = 0; i < NR_ONE_STEP_RULES; i++) {
			const struct rule_count *c = &o->rules[z][i];

			if (c->hits + c->misses + c->unknown)
				say(text, "%s %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
				    b.layout.zones[z].name, one_step_rule_names[i],
				    c->hits, c->misses, c->unknown);
		}
	say(text, "retyped %" PRIu64 ", claims %" PRIu64 ", aged %" PRIu64 ", skipped %" PRIu64 "\n",
	    o->retyped, o->claims, o->aged, o->skipped);
}

/*
 * The rules one by one, on free pages 0x400 .. 0x40f and what else is said. Lists
 * of CPU 1 hold 3 pages and take 1 at a time; where that is not known, no refill
 * and no drain can be predicted.
 */
static const struct {
	unsigned long free[4][2];	/* first page, end */
	const char *high;		/* what counters.tsv says of the lists */
	const char *events, *rules;
} rule_cases[] = {
	/* the only block, cut from its low end */
	{ { { 0x400, 0x410 } }, "", LOCKED("5", "0x400", "0", "1"),
	  "Normal smallest_order 1 0 0\nNormal list_head 1 0 0\nNormal split_low 1 0 0\n"
	  "retyped 0, claims 0, aged 0, skipped 0\n" },
	/* the rest is blocks of order 0, 1, 2 and 3: the smallest first, whole or cut */
	{ { { 0x400, 0x410 } }, "", LOCKED("5", "0x400", "0", "1")
	  LOCKED("6", "0x401", "0", "1") LOCKED("7", "0x402", "0", "1"),
	  "Normal smallest_order 3 0 0\nNormal list_head 3 0 0\nNormal split_low 3 0 0\n"
	  "retyped 0, claims 0, aged 0, skipped 0\n" },
	/* its high end */
	{ { { 0x400, 0x410 } }, "", LOCKED("5", "0x40f", "0", "1"),
	  "Normal smallest_order 1 0 0\nNormal list_head 1 0 0\nNormal split_low 0 1 0\n"
	  "retyped 0, claims 0, aged 0, skipped 0\n" },
	/* an order as large as the block */
	{ { { 0x400, 0x410 } }, "", LOCKED("5", "0x400", "4", "1"),
	  "Normal smallest_order 1 0 0\nNormal list_head 1 0 0\nNormal split_low 1 0 0\n"
	  "retyped 0, claims 0, aged 0, skipped 0\n" },
	/* a single page was there, so that is of another type: no miss any more */
	{ { { 0x400, 0x410 }, { 0x600, 0x601 } }, "",
	  LOCKED("5", "0x400", "0", "1") LOCKED("6", "0x402", "1", "1"),
	  "Normal smallest_order 1 1 0\nNormal list_head 2 0 0\nNormal split_low 2 0 0\n"
	  "retyped 1, claims 0, aged 0, skipped 0\n" },
	/* of two that lay there from the start nobody knows which was first */
	{ { { 0x400, 0x401 }, { 0x402, 0x403 } }, "", LOCKED("5", "0x402", "0", "1"),
	  "Normal smallest_order 1 0 0\nNormal list_head 0 0 1\nNormal split_low 1 0 0\n"
	  "retyped 0, claims 0, aged 0, skipped 0\n" },
	/* another type than before: so is the pageblock's, and nothing was predicted */
	{ { { 0x400, 0x410 } }, "", LOCKED("5", "0x400", "0", "1")
	  LOCKED("6", "0x401", "0", "0") LOCKED("7", "0x402", "0", "0"),
	  "Normal smallest_order 2 0 1\nNormal list_head 2 0 1\nNormal split_low 2 0 0\n"
	  "retyped 1, claims 0, aged 0, skipped 0\n" },
	/* an extfrag says which list it took from, and claims the pageblock */
	{ { { 0x400, 0x600 } }, "", EXTFRAG("5", "0x400", "1") LOCKED("6", "0x401", "0", "0"),
	  "Normal smallest_order 1 0 0\nNormal list_head 2 0 0\nNormal split_low 1 0 0\n"
	  "retyped 0, claims 1, aged 0, skipped 0\n" },
	/* ... an order that the page was not in: not predicted */
	{ { { 0x400, 0x600 } }, "", LOCKED("5", "0x400", "0", "1") EXTFRAG("6", "0x401", "1"),
	  "Normal smallest_order 1 0 0\nNormal list_head 1 0 0\nNormal split_low 1 0 0\n"
	  "retyped 0, claims 1, aged 0, skipped 0\n" },
	/* ... or a type that the pageblock was not of; then the same with the right one */
#define STOLEN(type) EV("6", "alloc_extfrag", "0x600", "alloc_order=0 fallback_order=8 " \
			"pageblock_order=9 alloc_migratetype=0 fallback_migratetype=" type \
			" change_ownership=0")
	{ { { 0x600, 0x800 } }, "", LOCKED("5", "0x7ff", "0", "1") STOLEN("2"),
	  "Normal smallest_order 1 0 0\nNormal list_head 1 0 0\nNormal split_low 0 1 0\n"
	  "retyped 0, claims 1, aged 0, skipped 0\n" },
	{ { { 0x600, 0x800 } }, "", LOCKED("5", "0x7ff", "0", "1") STOLEN("1"),
	  "Normal smallest_order 1 0 0\nNormal list_head 2 0 0\nNormal split_low 0 1 0\n"
	  "retyped 0, claims 1, aged 0, skipped 0\n" },
	/* one that explains the removal before it: the removal is a claim */
	{ { { 0x400, 0x600 } }, "", LOCKED("5", "0x400", "0", "0") EXTFRAG("5", "0x400", "1")
	  LOCKED("6", "0x401", "0", "0"),
	  "Normal smallest_order 1 0 0\nNormal list_head 1 0 0\nNormal split_low 1 0 0\n"
	  "retyped 0, claims 1, aged 0, skipped 0\n" },

	/* last in, first out */
	{ { { 0 } }, "", FREE("5", "0x500", "0") FREE("6", "0x501", "0")
	  ALLOC("7", "0x501", "0") ALLOC("8", "0x500", "0"),
	  "Normal pcp_head 2 0 0\nretyped 0, claims 0, aged 0, skipped 0\n" },
	/* the second was not at the head after all, so it is nowhere */
	{ { { 0 } }, "", FREE("5", "0x500", "0") FREE("6", "0x501", "0")
	  ALLOC("7", "0x500", "0") ALLOC("8", "0x501", "0"),
	  "Normal pcp_head 0 1 1\nretyped 0, claims 0, aged 0, skipped 0\n" },
	/* it is not heard of again: taken in bulk */
	{ { { 0 } }, "", FREE("5", "0x500", "0") FREE("6", "0x501", "0")
	  ALLOC("7", "0x500", "0"),
	  "Normal pcp_head 1 0 0\nretyped 0, claims 0, aged 0, skipped 1\n" },
	/* each order and type has its list */
	{ { { 0 } }, "", FREE("5", "0x500", "0") FREE("6", "0x502", "1")
	  ALLOC("7", "0x500", "0") ALLOC("8", "0x502", "1"),
	  "Normal pcp_head 2 0 0\nretyped 0, claims 0, aged 0, skipped 0\n" },
	/* 0x501 was in the list, so the head is a miss; then its free was not seen */
	{ { { 0 } }, "", FREE("5", "0x500", "0") ALLOC("6", "0x501", "0")
	  ALLOC("7", "0x501", "0") ALLOC("8", "0x500", "0"),
	  "Normal pcp_head 1 1 1\nretyped 0, claims 0, aged 0, skipped 0\n" },
	/* in the list of the type it is handed out as, whatever the pageblock is of */
	{ { { 0x510, 0x511 } }, "", LOCKED("5", "0x510", "0", "2") FREE("6", "0x500", "0")
	  ALLOC("7", "0x500", "0"),
	  "Normal smallest_order 1 0 0\nNormal list_head 1 0 0\nNormal split_low 1 0 0\n"
	  "Normal pcp_head 1 0 0\nretyped 0, claims 0, aged 0, skipped 0\n" },
	/* a free with a second record reaches its list with that: 0x501 is first */
	{ { { 0 } }, "", FREE("5", "0x501", "0") FREE("6", "0x500", "0") BATCHED("7", "0x501")
	  ALLOC("8", "0x501", "0") ALLOC("9", "0x500", "0"),
	  "Normal pcp_head 2 0 0\nretyped 0, claims 0, aged 0, skipped 0\n" },

	/* first in, first drained; no free is behind it that was to drain */
	{ { { 0 } }, "", FREE("5", "0x500", "0") FREE("6", "0x501", "0")
	  DRAIN("7", "0x500", "0", "1") DRAIN("8", "0x501", "0", "1"),
	  "Normal drain_tail 2 0 0\nretyped 0, claims 0, aged 2, skipped 0\n" },
	{ { { 0 } }, "", FREE("5", "0x500", "0") FREE("6", "0x501", "0")
	  DRAIN("7", "0x501", "0", "1") DRAIN("8", "0x500", "0", "1"),
	  "Normal drain_tail 0 1 1\nretyped 0, claims 0, aged 2, skipped 0\n" },
	/* drained as of another type: so is its pageblock, with all that is free there */
	{ { { 0 } }, "", FREE("5", "0x500", "0") FREE("6", "0x501", "0")
	  DRAIN("7", "0x500", "0", "1") DRAIN("8", "0x501", "0", "2")
	  LOCKED("9", "0x500", "1", "2"),
	  "Normal smallest_order 1 0 0\nNormal list_head 1 0 0\nNormal split_low 1 0 0\n"
	  "Normal drain_tail 2 0 0\nretyped 1, claims 0, aged 2, skipped 0\n" },

	/* 0x502 and 0x503 are free: 0x500 will merge soon, and goes to the tail */
	{ { { 0x502, 0x504 } }, "", FREE("5", "0x510", "0") FREE("6", "0x500", "0")
	  DRAIN("7", "0x510", "0", "1") DRAIN("7", "0x500", "0", "1")
	  LOCKED("8", "0x510", "0", "1") LOCKED("9", "0x500", "0", "1"),
	  "Normal smallest_order 2 0 0\nNormal list_head 2 0 0\nNormal split_low 2 0 0\n"
	  "Normal drain_tail 2 0 0\nretyped 0, claims 0, aged 2, skipped 0\n" },
	/* two pageblocks join and are of the type of the page that came last */
	{ { { 0x401, 0x800 } }, "", FREE("5", "0x400", "0") LOCKED("5", "0x7ff", "0", "1")
	  ALLOC("6", "0x7ff", "0") FREE("6", "0x7ff", "0") DRAIN("7", "0x7ff", "0", "1")
	  DRAIN("7", "0x400", "0", "2") LOCKED("8", "0x600", "0", "2"),
	  "Normal smallest_order 2 0 0\nNormal list_head 2 0 0\nNormal split_low 0 2 0\n"
	  "Normal pcp_head 1 0 0\nNormal drain_tail 2 0 0\n"
	  "retyped 0, claims 0, aged 2, skipped 0\n" },

	/* the third page reaches 3, and all but a batch go: 2 */
#define THREE FREE("5", "0x500", "0") FREE("5", "0x501", "0") FREE("5", "0x502", "0")
	{ { { 0 } }, "1", THREE DRAIN("6", "0x500", "0", "1") DRAIN("6", "0x501", "0", "1")
	  ALLOC("7", "0x502", "0"),
	  "Normal pcp_head 1 0 0\nNormal drain_tail 2 0 0\nNormal drain 1 0 0\n"
	  "Normal drain_when 1 0 0\nretyped 0, claims 0, aged 0, skipped 0\n" },
	/* one is too few, three are too many */
	{ { { 0 } }, "1", THREE DRAIN("6", "0x500", "0", "1") ALLOC("7", "0x502", "0")
	  ALLOC("7", "0x501", "0"),
	  "Normal pcp_head 2 0 0\nNormal drain_tail 1 0 0\nNormal drain 0 1 0\n"
	  "Normal drain_when 1 0 0\nretyped 0, claims 0, aged 0, skipped 0\n" },
	{ { { 0 } }, "1", THREE DRAIN("6", "0x500", "0", "1") DRAIN("6", "0x501", "0", "1")
	  DRAIN("6", "0x502", "0", "1") ALLOC("7", "0x503", "0"),
	  "Normal pcp_head 0 0 1\nNormal drain_tail 3 0 0\nNormal drain 0 1 0\n"
	  "Normal drain_when 1 0 0\nretyped 0, claims 0, aged 0, skipped 0\n" },
	/* it was due and did not come; or it came a page early, as much as was due */
	{ { { 0 } }, "1", THREE ALLOC("7", "0x502", "0"),
	  "Normal pcp_head 1 0 0\nNormal drain_when 0 1 0\n"
	  "retyped 0, claims 0, aged 0, skipped 0\n" },
	{ { { 0 } }, "1", FREE("5", "0x500", "0") FREE("5", "0x501", "0")
	  DRAIN("6", "0x500", "0", "1") DRAIN("6", "0x501", "0", "1") ALLOC("7", "0x503", "0"),
	  "Normal pcp_head 0 0 1\nNormal drain_tail 2 0 0\nNormal drain 1 0 0\n"
	  "Normal drain_when 0 1 0\nretyped 0, claims 0, aged 0, skipped 0\n" },

	/* the last block that is drained may be larger than what was left to drain */
	{ { { 0 } }, "1", FREE("5", "0x500", "0") FREE("5", "0x502", "1")
	  DRAIN("6", "0x500", "0", "1") DRAIN("6", "0x502", "1", "1") ALLOC("7", "0x506", "0"),
	  "Normal pcp_head 0 0 1\nNormal drain_tail 2 0 0\nNormal drain 1 0 0\n"
	  "Normal drain_when 1 0 0\nretyped 0, claims 0, aged 0, skipped 0\n" },
	/* what came early tells how many there are: 1 is left, so two more are 3 */
	{ { { 0 } }, "1", FREE("5", "0x500", "0") FREE("5", "0x501", "0")
	  DRAIN("6", "0x500", "0", "1") DRAIN("6", "0x501", "0", "1")
	  FREE("7", "0x508", "0") FREE("7", "0x50a", "0")
	  DRAIN("8", "0x508", "0", "1") DRAIN("8", "0x50a", "0", "1") ALLOC("9", "0x506", "0"),
	  "Normal pcp_head 0 0 1\nNormal drain_tail 4 0 0\nNormal drain 2 0 0\n"
	  "Normal drain_when 1 1 0\nretyped 0, claims 0, aged 0, skipped 0\n" },

	/* 1 block, and 2 as nothing was freed meanwhile; then one too few */
	{ { { 0x400, 0x410 } }, "1", LOCKED("5", "0x400", "0", "1") ALLOC("5", "0x400", "0")
	  LOCKED("6", "0x401", "0", "1") LOCKED("6", "0x402", "0", "1")
	  ALLOC("7", "0x401", "0") ALLOC("7", "0x402", "0"),
	  "Normal smallest_order 3 0 0\nNormal list_head 3 0 0\nNormal split_low 3 0 0\n"
	  "Normal pcp_head 3 0 0\nNormal refill 2 0 0\n"
	  "retyped 0, claims 0, aged 0, skipped 0\n" },
	{ { { 0x400, 0x410 } }, "1", LOCKED("5", "0x400", "0", "1") ALLOC("5", "0x400", "0")
	  LOCKED("6", "0x401", "0", "1") ALLOC("7", "0x401", "0"),
	  "Normal smallest_order 2 0 0\nNormal list_head 2 0 0\nNormal split_low 2 0 0\n"
	  "Normal pcp_head 2 0 0\nNormal refill 1 1 0\n"
	  "retyped 0, claims 0, aged 0, skipped 0\n" },
	/* what was freed meanwhile halves nothing but what comes next: 1 again */
	{ { { 0x400, 0x410 } }, "1", LOCKED("5", "0x400", "0", "1") ALLOC("5", "0x400", "0")
	  FREE("5", "0x400", "0") ALLOC("5", "0x400", "0")
	  LOCKED("6", "0x401", "0", "1") ALLOC("7", "0x401", "0"),
	  "Normal smallest_order 2 0 0\nNormal list_head 2 0 0\nNormal split_low 2 0 0\n"
	  "Normal pcp_head 3 0 0\nNormal refill 2 0 0\n"
	  "retyped 0, claims 0, aged 0, skipped 0\n" },
};

/* small_zoneinfo with other lists. */
static void write_zoneinfo_of_lists(const char *batch, const char *high)
{
	const char *end = strstr(small_zoneinfo, "    cpu: 0\n              batch:    63");
	char text[4096];

	ck_assert_ptr_nonnull(end);
	snprintf(text, sizeof(text), "%.*s    cpu: 0\n    batch: %s\n    high_min: %s\n"
		 "    high_max: %s\n  start_pfn: 1024\n",
		 (int)(end - small_zoneinfo), small_zoneinfo, batch, high, high);
	scratch_write_text("zoneinfo.start", text);
}

START_TEST(each_rule_is_judged_by_what_the_events_before_it_left)
{
	struct buddy_stream stream;
	struct one_step o;
	char text[8192] = "";

	for (size_t i = 0; i < 4; i++)
		small_flags_buddy(rule_cases[_i].free[i][0], rule_cases[_i].free[i][1]);
	small_bundle_write(rule_cases[_i].events);
	write_zoneinfo_of_lists("1", "5");	/* 3 by the counters */
	if (*rule_cases[_i].high)
		scratch_write_text("counters.tsv", "3000\t3100\tNormal.pcp_high_cpu1\t3\n");
	if (bundle_read(&b, scratch_folder(), 0, &msg))
		ck_abort_msg("%s", msg.text);
	ck_assert_int_eq(buddy_stream_make(&stream, &b), 0);
	ck_assert_int_eq(one_step_run(&o, &b, &stream), 0);
	say_rules(text, &o);
	ck_assert_str_eq(text, rule_cases[_i].rules);
	buddy_stream_free(&stream);
}
END_TEST

/* Lists are numbered: those of the last CPU come after 60,000 others. */
START_TEST(the_lists_of_a_thousand_cpus_are_followed)
{
	struct buddy_stream stream;
	struct one_step o;
	char text[8192] = "";

	small_bundle_write(" sh 1 [1023] 0.000005: kmem:mm_page_free: pfn=0x500 order=0\n"
			   " sh 1 [001] 0.000006: kmem:mm_page_free: pfn=0x501 order=0\n"
			   " sh 1 [1023] 0.000007: kmem:mm_page_alloc: pfn=0x500 order=0 migratetype=1 gfp_flags=GFP_KERNEL\n"
			   " sh 1 [001] 0.000008: kmem:mm_page_alloc: pfn=0x501 order=0 migratetype=1 gfp_flags=GFP_KERNEL\n");
	if (bundle_read(&b, scratch_folder(), 0, &msg))
		ck_abort_msg("%s", msg.text);
	ck_assert_int_eq(buddy_stream_make(&stream, &b), 0);
	ck_assert_int_eq(one_step_run(&o, &b, &stream), 0);
	say_rules(text, &o);
	ck_assert_str_eq(text, "Normal pcp_head 2 0 0\n"
			 "retyped 0, claims 0, aged 0, skipped 0\n");
	buddy_stream_free(&stream);
}
END_TEST

static void say_books(char text[8192], const struct open_loop *o)
{
	say(text, "repairs");
	for (unsigned int i = 0; i < NR_RECORDED_REPAIRS; i++)
		say(text, " %" PRIu64, o->repairs[i]);
	say(text, " of %" PRIu64 " events, %.4f each\n", o->nr_events,
	    open_loop_repairs_per_event(o));
	say(text, "hidden %" PRIu64 " %" PRIu64 ", by number %" PRIu64 " %" PRIu64
	    ", error %.4f %.4f\n", o->hidden_allocs, o->hidden_frees,
	    o->allocs.by_number, o->frees.by_number,
	    books_error(&o->allocs), books_error(&o->frees));
	for (unsigned int z = 0; z < b.layout.nr_zones; z++) {
		struct figures f;

		ck_assert_int_eq(scorer_figures(&o->scorer, z, &f), 0);
		say(text, "%s %zu %zu | %.4f %.4f %.4f | %.4f %.4f | %.4f %.4f\n",
		    b.layout.zones[z].name, f.samples, f.exact, f.tv_p50, f.tv_p95,
		    f.tv_max, f.dh9_p50, f.dh9_p95, f.du4_p95, f.du9_p95);
	}
}

START_TEST(what_is_claimed_of_the_sample_is_what_was_claimed_before)
{
	struct buddy_stream stream;
	struct brackets brackets;
	struct open_loop open;
	struct one_step step;
	char text[8192] = "";

	if (bundle_read(&b, SAMPLE, 0, &msg))
		ck_abort_msg("%s", msg.text);
	ck_assert_int_eq(brackets_make(&brackets, &b), 0);
	ck_assert_int_eq(buddy_stream_make(&stream, &b), 0);
	ck_assert_int_eq(one_step_run(&step, &b, &stream), 0);
	ck_assert_int_eq(open_loop_run(&open, &b, &stream, &brackets), 0);
	say_rules(text, &step);
	say_books(text, &open);
	ck_assert_msg(!strcmp(text, claims), "now it is\n%s", text);
	open_loop_free(&open);
	buddy_stream_free(&stream);
	brackets_free(&brackets);
}
END_TEST

/* A refill is judged where a sample has told the state of its CPU's list. */
static const struct { const char *counter; unsigned int judged; } list_counters[] = {
	{ "Normal.pcp_high_cpu1", 0 },		/* which Normal it is, is not told */
	{ "Normal.node0.pcp_high_cpu1", 1 },
	{ "Normal.node1.pcp_high_cpu1", 0 },
};

START_TEST(a_counter_is_of_the_zone_of_its_node)
{
	struct buddy_stream stream;
	struct one_step o;
	char counter[128];
	int zone;

	two_node_bundle_write();
	scratch_write_text("events.txt", LOCKED("5", "0x400", "0", "1") ALLOC("6", "0x400", "0"));
	snprintf(counter, sizeof(counter), "1\t2\t%s\t100\n", list_counters[_i].counter);
	scratch_write_text("counters.tsv", counter);
	if (bundle_read(&b, scratch_folder(), 0, &msg))
		ck_abort_msg("%s", msg.text);
	zone = layout_zone_of(&b.layout, 0x400);
	ck_assert_int_eq(buddy_stream_make(&stream, &b), 0);
	ck_assert_int_eq(one_step_run(&o, &b, &stream), 0);
	ck_assert_uint_eq(o.rules[zone][RULE_refill].hits + o.rules[zone][RULE_refill].misses,
			  list_counters[_i].judged);
	buddy_stream_free(&stream);
}
END_TEST

/* ---- the books ---- */

/*
 * One page is freed in sight, to a per-CPU list. The kernel counts what it
 * counts, and its lists change by so much.
 */
static const struct {
	unsigned int freed, allocated;	/* by the kernel */
	unsigned int parked;		/* in the end; 10 at first */
	unsigned int frees_by_number, allocs_by_number;
	double frees_error;
} books_cases[] = {
	{ 1, 0, 11, 0, 0, 0 },
	{ 3, 0, 13, 2, 0, 0 },		/* two frees nobody saw, still parked */
	{ 3, 2, 11, 0, 0, 2. / 3 },	/* two more were taken again: not told */
	{ 1, 2,  9, 0, 2, 0 },		/* two allocations nobody saw */
};

START_TEST(unseen_pages_show_in_the_counts_of_per_cpu_lists)
{
	struct buddy_stream stream;
	struct brackets brackets;
	struct open_loop o;
	char counters[512];

	small_bundle_write(FREE("5", "0x400", "0") ALLOC("9", "0x3f0", "0"));
	snprintf(counters, sizeof(counters),
		 "3990\t4010\tpgalloc_normal\t70\n3990\t4010\tpgfree\t100\n"
		 "3990\t4010\tNormal.pcp_count_cpu0\t4\n3990\t4010\tNormal.pcp_count_cpu1\t6\n"
		 "7990\t8010\tpgalloc_normal\t%u\n7990\t8010\tpgfree\t%u\n"
		 "7990\t8010\tNormal.pcp_count_cpu0\t4\n7990\t8010\tNormal.pcp_count_cpu1\t%u\n",
		 70 + books_cases[_i].allocated, 100 + books_cases[_i].freed,
		 books_cases[_i].parked - 4);
	scratch_write_text("counters.tsv", counters);
	if (bundle_read(&b, scratch_folder(), 0, &msg))
		ck_abort_msg("%s", msg.text);
	ck_assert_int_eq(brackets_make(&brackets, &b), 0);
	ck_assert_int_eq(buddy_stream_make(&stream, &b), 0);
	ck_assert_int_eq(open_loop_run(&o, &b, &stream, &brackets), 0);
	ck_assert(o.frees.known);
	ck_assert_uint_eq(o.frees.counted, books_cases[_i].freed);
	ck_assert_uint_eq(o.frees.traced, 1);
	ck_assert_uint_eq(o.frees.by_number, books_cases[_i].frees_by_number);
	ck_assert_uint_eq(o.allocs.by_number, books_cases[_i].allocs_by_number);
	ck_assert_double_eq_tol(books_error(&o.frees), books_cases[_i].frees_error, 1e-9);
	open_loop_free(&o);
	buddy_stream_free(&stream);
	brackets_free(&brackets);
}
END_TEST

/* ---- the command ---- */

static enum status run_with(const char *input, const char *allocators,
			    const char *option, const char *out)
{
	const char *const words[] = {
		"pagetax", "validate", "-q", "--no-plots", "-a", allocators, input,
		out ? "-o" : option, out ? out : NULL, out ? option : NULL,
	};
	char text[ARRAY_SIZE(words)][4096];
	char *argv[ARRAY_SIZE(words) + 1] = { NULL };
	int argc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(words) && words[i]; i++) {
		snprintf(text[argc], sizeof(text[argc]), "%s", words[i]);
		argv[argc] = text[argc];
		argc++;
	}
	return pagetax_run(argc, argv, &msg);
}

static enum status run(const char *input, const char *out)
{
	return run_with(input, "linked", "--ablation", out);
}

static json_t *read_json(void)
{
	json_t *root = json_load_file(scratch_path("result/validation.json"), 0, NULL);

	ck_assert_ptr_nonnull(root);
	return root;
}

START_TEST(the_sample_is_followed_and_reported)
{
	const char *out = scratch_path("result");
	char *json;
	size_t len;

	if (run(SAMPLE, out) != STATUS_DONE)
		ck_abort_msg("%s", msg.text);
	json = scratch_slurp(scratch_path("result/validation.json"), &len);
	ck_assert_ptr_nonnull(strstr(json, "\"level\": \"L0\""));
	ck_assert_ptr_nonnull(strstr(json, "\"level\": \"L1\""));
	ck_assert_ptr_nonnull(strstr(json, "\"level\": \"L0.5\""));
	ck_assert_ptr_nonnull(strstr(json, "\"list_orders\": 10"));
	ck_assert_ptr_nonnull(strstr(json, "\"zone\": \"DMA32\""));
	ck_assert_ptr_nonnull(strstr(json, "\"left_absent\": 0"));
	for (unsigned int i = 0; i < NR_ABLATIONS; i++) {
		char row[64];

		snprintf(row, sizeof(row), "\"without\": \"%s\"", ablation_names[i]);
		ck_assert_ptr_nonnull(strstr(json, row));
	}
	free(json);
	/* a result of ours is replaced */
	ck_assert_int_eq(run(SAMPLE, out), STATUS_DONE);
	ck_assert_int_eq(unlink(scratch_path("result/validation.json")), 0);
	ck_assert_int_eq(unlink(scratch_path("result/validation.tsv")), 0);
	ck_assert_int_eq(rmdir(scratch_path("result")), 0);
}
END_TEST

/* As issue and manual page name them; null where a zone gave nothing to judge. */
static const struct { const char *level, *names[9]; } level_names[] = {
	{ "L0", { "samples", "exact", "tv_p50", "tv_p95", "dh9_p50_pp", "dh9_p95_pp",
		  "skill", "repairs_per_event" } },
	{ "L0.5", { "list_head_rate", "smallest_order_rate", "pcp_head_rate",
		    "refill_rate", "drain_rate" } },
	{ "L1", { "allocator", "samples", "exact", "tv_p50", "tv_p95", "dh9_p50_pp",
		  "dh9_p95_pp", "skill" } },
};

static void expect_names(const json_t *level, const char *const names[9])
{
	for (unsigned int i = 0; names[i]; i++)
		if (!json_object_get(level, names[i]))
			ck_abort_msg("%s is missing", names[i]);
}

START_TEST(every_level_of_every_zone_has_the_names_that_scripts_rely_on)
{
	unsigned int nr[ARRAY_SIZE(level_names)] = { 0 };
	json_t *root, *level;
	size_t i;

	ck_assert_int_eq(run_with(SAMPLE, "linked", NULL, scratch_path("result")), STATUS_DONE);
	root = read_json();
	json_array_foreach(json_object_get(root, "levels"), i, level) {
		const char *name = json_string_value(json_object_get(level, "level"));

		ck_assert_ptr_nonnull(json_object_get(level, "zone"));
		for (size_t k = 0; k < ARRAY_SIZE(level_names); k++) {
			if (strcmp(name, level_names[k].level))
				continue;
			expect_names(level, level_names[k].names);
			nr[k]++;
		}
	}
	ck_assert_uint_eq(nr[0], 3);
	ck_assert_uint_eq(nr[1], 3);
	ck_assert_uint_eq(nr[2], 2 * 3);	/* and the strawman */
	json_decref(root);
}
END_TEST

static bool says(const json_t *object, const char *key, const char *text)
{
	const char *is = json_string_value(json_object_get(object, key));

	return is && !strcmp(is, text);
}

/*
 * The sample is too short for a whole policy to gain on "nothing changes", but
 * without per-CPU lists skill is -287.
 */
START_TEST(a_run_without_per_cpu_lists_misses_for_want_of_them)
{
	json_t *root, *entry, *apart = NULL, *missed = NULL;
	size_t i;

	ck_assert_int_eq(run_with(SAMPLE, "linked:pcp=off,twoword", NULL,
				  scratch_path("result")), STATUS_DONE);
	root = read_json();
	json_array_foreach(json_object_get(root, "missed"), i, entry)
		if (says(entry, "allocator", "linked:pcp=off") && says(entry, "figure", "skill"))
			missed = entry;
	ck_assert_ptr_nonnull(missed);
	ck_assert(says(missed, "zone", "Normal"));
	ck_assert(says(missed, "cause", "part"));
	ck_assert(says(missed, "part", "pcp"));
	ck_assert_double_lt(json_number_value(json_object_get(missed, "value")), -100);
	ck_assert_double_gt(json_number_value(json_object_get(missed, "value_with")), -10);

	json_array_foreach(json_object_get(root, "levels"), i, entry)
		if (says(entry, "allocator", "twoword") && says(entry, "zone", "Normal"))
			apart = json_object_get(entry, "apart");
	ck_assert(says(apart, "allocator", "linked:pcp=off"));
	ck_assert_double_gt(json_number_value(json_object_get(apart, "tv_p50")), 0.005);
	json_decref(root);
}
END_TEST

/*
 * One zone, one allocator. TV may be 5 %; what it is as the policy is, and
 * without mobility types, and what L0.5 says of refills.
 */
static const struct {
	const char *spec;
	double is, without_mobility, refill;
	size_t nr_exact;		/* of 10 samples of L0 */
	enum cause cause;
} causes[] = {
	{ "linked",   0.09, 0.06, 1.00, 10, CAUSE_PART },	/* three quarters are gone */
	{ "linked",   0.09, 0.04, 0.50,  1, CAUSE_PART },
	{ "linked",   0.09, 0.08, 1.00,  7, CAUSE_STATE },	/* a quarter */
	{ "linked",   0.09, 0.20, 0.90,  8, CAUSE_RULE },
	{ "linked",   0.09, 0.20, 1.00, 10, CAUSE_UNKNOWN },
	{ "genalloc", 0.09, 0.06, 0.50,  1, CAUSE_NO_POLICY },
};

static void fill_run(struct closed_loop *c, const char *spec, double tv_p50)
{
	c->spec = strdup(spec);
	c->nr_seeds = 1;
	c->zone[0][0].f = (struct figures){ .samples = 10, .tv_p50 = tv_p50 };
	c->whole = c->zone[0][0];
}

START_TEST(a_cause_is_what_takes_away_half_of_the_excess)
{
	struct validation v = { .has_open_loop = true, .has_one_step = true };
	struct closed_loop loops[2] = { 0 };	/* one, and the strawman */
	struct ablation ablations[2] = { 0 };
	struct bracket list[10] = { 0 };
	struct score scores[10] = { 0 };
	struct miss *misses;
	size_t nr, nr_judged;

	v.bundle.layout.nr_zones = v.brackets.nr_zones = 1;
	v.brackets.list = list;
	v.brackets.nr = 10;
	v.persist.br = &(struct brackets){ .nr_zones = 1 };
	v.open_loop.scorer = (struct scorer){ .br = &v.brackets, .scores = scores };
	for (size_t i = 0; i < 10; i++)
		scores[i] = (struct score){ .seen = true, .exact = i < causes[_i].nr_exact };
	v.one_step.rules[0][RULE_refill] = (struct rule_count){
		.hits = (uint64_t)(100 * causes[_i].refill + .5),
		.misses = 100 - (uint64_t)(100 * causes[_i].refill + .5),
	};
	v.closed_loops = loops;
	v.nr_closed_loops = 2;
	v.ablations = ablations;
	fill_run(&loops[0], causes[_i].spec, causes[_i].is);
	ablations[0].nr = NR_ABLATIONS;
	for (int i = 0; i < NR_ABLATIONS; i++)
		fill_run(&ablations[0].runs[i], causes[_i].spec,
			 i == ABLATION_mobility ? causes[_i].without_mobility : causes[_i].is);

	misses = calloc(bounds_room(&v), sizeof(*misses));
	ck_assert_int_eq(bounds_judge(&v, misses, &nr, &nr_judged), 0);
	ck_assert_uint_ge(nr, 1);
	ck_assert_uint_eq(nr_judged, 2 + 1 + 4);	/* of L0; refill; of L1 but the skill */
	ck_assert_int_eq(misses[nr - 1].bound, BOUND_tv_p50);
	ck_assert_int_eq(misses[nr - 1].cause, causes[_i].cause);
	if (causes[_i].cause == CAUSE_PART) {
		ck_assert_int_eq(misses[nr - 1].part, ABLATION_mobility);
		ck_assert(!misses[nr - 1].adds);
		ck_assert_double_eq(misses[nr - 1].with, causes[_i].without_mobility);
	}
	ck_assert(closed_loop_misses(&v, &loops[0]));
	loops[0].zone[0][0].f.tv_p50 = 0;
	ck_assert(!closed_loop_misses(&v, &loops[0]));
	free(misses);
	free(loops[0].spec);
	for (int i = 0; i < NR_ABLATIONS; i++)
		free(ablations[0].runs[i].spec);
}
END_TEST

START_TEST(what_no_level_can_use_is_refused_with_what_was_expected)
{
	small_bundle_write(FREE("5", "0x400", "0"));
	ck_assert_int_eq(unlink(scratch_path("kpageflags.start")), 0);
	ck_assert_int_eq(run(scratch_folder(), NULL), STATUS_FAILED);
	ck_assert_ptr_nonnull(strstr(msg.text, "expected a bundle with kpageflags.start"));
	ck_assert_int_eq(run(scratch_path("nothing"), NULL), STATUS_FAILED);
	ck_assert_ptr_nonnull(strstr(msg.text, "nothing"));
}
END_TEST

static const char *const optional[] = {
	"buddyinfo.tsv", "counters.tsv", "machine.txt", "kpageflags.start.times",
};

/*
 *              DMA            Normal          as one
 *   recorded   4 of order 0   1 of order 1    4, 1
 *   flags      counts         early           early
 */
START_TEST(zones_are_summed_and_a_flag_of_one_is_a_flag_of_all)
{
	struct buddyinfo_sample dma = { .nr_free = { 4 } };
	struct buddyinfo_sample normal = { .nr_free = { 0, 1 } };
	struct bracket list[] = {
		{ .before_ns = 5, .zone = { &dma, &normal }, .flag = { [1] = SAMPLE_early } },
		{ .before_ns = 9, .zone = { &dma, NULL } },
	};
	const struct brackets br = { .list = list, .nr = 2, .nr_zones = 2 };
	struct brackets sum;

	ck_assert_int_eq(brackets_sum(&sum, &br), 0);
	ck_assert_uint_eq(sum.nr_zones, 1);
	ck_assert_uint_eq(sum.list[0].zone[0]->nr_free[0], 4);
	ck_assert_uint_eq(sum.list[0].zone[0]->nr_free[1], 1);
	ck_assert_uint_eq(sum.list[0].flag[0], SAMPLE_early);
	ck_assert_uint_eq(sum.list[1].before_ns, 9);
	ck_assert_uint_eq(sum.list[1].zone[0]->nr_free[1], 0);
	ck_assert_uint_eq(sum.list[1].flag[0], SAMPLE_COUNTS);
	brackets_free(&sum);
}
END_TEST

START_TEST(a_missing_file_leaves_out_what_needs_it_and_no_more)
{
	small_bundle_write(FREE("5", "0x400", "0"));
	ck_assert_int_eq(unlink(scratch_path(optional[_i])), 0);
	if (run(scratch_folder(), NULL) != STATUS_DONE)
		ck_abort_msg("%s", msg.text);
}
END_TEST

/* A file that may be missing, broken; and what is said of it. */
static const struct { const char *name, *text, *left_out; bool has_l1; } broken[] = {
	{ "buddyinfo.tsv", "1\t2\tNormal\t3\n", "buddyinfo.tsv:1: number 2 is missing", false },
	{ "buddyinfo.tsv", "1\t2\tFar\t0\t1\t2\t3\t4\t5\t6\t7\t8\t9\t10\n",
	  "buddyinfo.tsv:1: no such zone", false },
	{ "counters.tsv", "1\t2\tpgfree\tmany\n", "counters.tsv:1: number 1", true },
	{ "pagetypeinfo.start", "Page block order: 99\n", "pagetypeinfo.start:1: expected an order", true },
	{ "pagetypeinfo.start", "Page block order: 5\nNumber of blocks type Movable\nNode 0, zone Normal 2\n",
	  "L0.5, L1: pageblocks of order 5 were recorded; this build has order 9", false },
	{ "kpageflags.end.times", "0 1 2\n", "kpageflags.end.times: ends after line 1", true },
};

START_TEST(a_broken_file_leaves_out_what_needs_it_and_no_more)
{
	char *json;
	size_t len;

	small_bundle_write(FREE("5", "0x400", "0"));
	scratch_write_text(broken[_i].name, broken[_i].text);
	if (run(scratch_folder(), scratch_path("result")) != STATUS_DONE)
		ck_abort_msg("%s", msg.text);
	json = scratch_slurp(scratch_path("result/validation.json"), &len);
	if (!strstr(json, broken[_i].left_out))
		ck_abort_msg("%s", json);
	ck_assert_ptr_nonnull(strstr(json, "\"level\": \"L0\""));
	ck_assert(!strstr(json, "\"level\": \"L1\"") == !broken[_i].has_l1);
	free(json);
}
END_TEST

/* ---- recordings of other machines ---- */

#define ZERO_ROW "\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0"
#define SIX_KINDS                                                              \
	LOCKED("4", "0x400", "0", "1") ALLOC("5", "0x400", "0")                \
	FREE("6", "0x400", "0") BATCHED("6", "0x400") DRAIN("7", "0x400", "0", "1")

/*
 * What differs from the small machine, what is said of it (NULL: nothing new),
 * and whether L1 runs all the same. No level is left out in silence.
 */
static const struct {
	const char *events, *file, *text, *said;
	bool has_l1;
} others[] = {
	{ SIX_KINDS, NULL, NULL, NULL, true },
	/* a page is refilled, drained unseen, and refilled once more */
	{ LOCKED("4", "0x400", "0", "1") LOCKED("5", "0x401", "0", "1")
	  LOCKED("6", "0x400", "0", "1") ALLOC("7", "0x401", "0") ALLOC("8", "0x400", "0"),
	  NULL, NULL, "no mm_page_pcpu_drain in the trace", true },
	{ ALLOC("5", "0x400", "0") FREE("6", "0x400", "0"), NULL, NULL,
	  "no mm_page_alloc_zone_locked in the trace", true },
	/* CPUs that nobody announced, decimal pfns, text of tracefs */
	{ " sh 1 [063] 0.000005: kmem:mm_page_free: pfn=0x400 order=0\n", NULL, NULL, NULL, true },
	{ FREE("5", "1024", "0"), NULL, NULL, NULL, true },
	{ "# tracer: nop\n  sh-1  [001] .....  0.000005: mm_page_free: page=00000000f pfn=0x400 order=0\n",
	  NULL, NULL, NULL, true },
	{ SIX_KINDS, "machine.txt", "kernel\t6.12.1\n", NULL, true },
	{ SIX_KINDS, "machine.txt", "page_bytes\t65536\n", "expected 4096", false },
	/* an older zoneinfo: one zone, no boost, no sizes of per-CPU lists; samples have more */
	{ SIX_KINDS, "zoneinfo.start",
	  "Node 0, zone   Normal\n  pages free     100\n        min      20\n        low      30\n"
	  "        high     40\n        spanned  3071\n        present  2047\n        managed  1900\n"
	  "        protection: (0)\n  start_pfn:           1\n",
	  "buddyinfo.tsv:2: no such zone", false },
	{ FREE("5", "0xfff00", "0"), NULL, NULL, "pfn 0xfff00 is in no zone", false },
	/* samples: of another clock, of fewer orders, of more, cut in a line */
	{ SIX_KINDS, "buddyinfo.tsv", "9000000000\t9000000001\tNormal\t0" ZERO_ROW "\n",
	  "expected the clock of the events", true },
	{ SIX_KINDS, "buddyinfo.tsv", "4000\t4100\tNormal" ZERO_ROW "\n", "number 11 is missing", false },
	{ SIX_KINDS, "buddyinfo.tsv", "4000\t4100\tNormal\t0\t0" ZERO_ROW "\n", NULL, true },
	{ SIX_KINDS, "buddyinfo.tsv", "4000\t4100\tNormal\t0" ZERO_ROW "\n5000\t5100\tNor",
	  "buddyinfo.tsv:2", true },
	{ SIX_KINDS, "counters.tsv",
	  "4000\t4100\tNormal.managed\t1000\n5000\t5100\tNormal.managed\t1020\n",
	  "Normal.managed went from 1000 to 1020", true },
	{ SIX_KINDS, "counters.tsv", "4000\t4100\tMovable.pcp_count_cpu9\t3\n4000\t4100\tnew\t1\n",
	  NULL, true },
};

START_TEST(another_machine_is_validated_as_far_as_its_recording_goes)
{
	enum status status;
	char *json;
	size_t len;

	small_flags_buddy(1024, 2048);
	small_bundle_write(others[_i].events);
	if (others[_i].file)
		scratch_write_text(others[_i].file, others[_i].text);
	status = run(scratch_folder(), scratch_path("result"));
	if (status != STATUS_DONE) {
		if (others[_i].has_l1 || !others[_i].said || !strstr(msg.text, others[_i].said))
			ck_abort_msg("%s", msg.text);
		return;
	}
	json = scratch_slurp(scratch_path("result/validation.json"), &len);
	if (others[_i].said && !strstr(json, others[_i].said))
		ck_abort_msg("not said: %s", json);
	ck_assert(!strstr(json, "\"level\": \"L1\"") == !others[_i].has_l1);
	free(json);
}
END_TEST

/* Two nodes have a Normal each; a sample's second row of that name is the second's. */
START_TEST(rows_of_one_name_belong_to_one_node_after_the_other)
{
	two_node_bundle_write();
	scratch_write_text("buddyinfo.tsv",
			   "1\t2\tNormal\t1\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\n"
			   "1\t2\tNormal\t2\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\n"
			   "3\t4\tNormal\t3\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\n");
	scratch_write_text("pagetypeinfo.start",
			   "Number of blocks type     Movable\n"
			   "Node 0, zone   Normal     2\nNode 1, zone   Normal     1\n");
	if (bundle_read(&b, scratch_folder(), 0, &msg))
		ck_abort_msg("%s", msg.text);
	ck_assert_uint_eq(b.layout.nr_zones, 3);
	ck_assert_uint_eq(b.buddyinfo[0].zone, 1);
	ck_assert_uint_eq(b.buddyinfo[1].zone, 2);
	ck_assert_uint_eq(b.buddyinfo[2].zone, 1);
	ck_assert_uint_eq(b.nr_typed_blocks[1][MIGRATE_MOVABLE], 2);
	ck_assert_uint_eq(b.nr_typed_blocks[2][MIGRATE_MOVABLE], 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("validate");
	TCase *tc = tcase_create("validate");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, the_free_set_counts_as_its_pages_do, 0, 3);
	tcase_add_loop_test(tc, the_next_event_tells_where_a_page_was, 0,
			    (int)ARRAY_SIZE(steps));
	tcase_add_test(tc, the_second_snapshot_tells_where_a_page_ended);
	tcase_add_test(tc, a_block_that_leaves_the_buddy_without_having_entered_was_out_for_a_moment);
	tcase_add_test(tc, a_block_of_which_a_page_is_freed_first_was_in_use);
	tcase_add_test(tc, an_event_during_the_look_at_a_chunk_counts_whatever_the_flags_say);
	tcase_add_test(tc, pagetypeinfo_tells_how_many_pageblocks_with_slabs_are_reclaimable);
	tcase_add_test(tc, pagetypeinfo_tells_how_many_pageblocks_are_unmovable);
	tcase_add_loop_test(tc, a_broken_pagetypeinfo_is_refused_at_its_place, 0,
			    (int)ARRAY_SIZE(bad_pagetypeinfo));
	tcase_add_test(tc, a_score_is_the_share_of_free_memory_at_a_wrong_order);
	tcase_add_test(tc, that_nothing_changes_is_a_prediction_from_the_first_that_counts);
	tcase_add_test(tc, the_best_state_between_the_stamps_counts);
	tcase_add_test(tc, blocks_that_are_out_for_a_moment_are_flagged_and_others_are_not);
	tcase_add_test(tc, only_places_that_are_known_can_be_predicted);
	tcase_add_test(tc, the_rules_hold_on_the_sample);
	tcase_add_loop_test(tc, a_sample_counts_between_the_snapshot_and_what_was_lost, 0,
			    ARRAY_SIZE(times));
	tcase_add_loop_test(tc, a_pass_is_known_by_its_blocks_its_pages_its_noise_and_its_time, 0,
			    ARRAY_SIZE(passes));
	tcase_add_loop_test(tc, events_that_contradict_each_other_are_counted, 0,
			    ARRAY_SIZE(contradictions));
	tcase_add_loop_test(tc, each_rule_is_judged_by_what_the_events_before_it_left, 0,
			    ARRAY_SIZE(rule_cases));
	tcase_add_test(tc, the_lists_of_a_thousand_cpus_are_followed);
	tcase_add_test(tc, what_is_claimed_of_the_sample_is_what_was_claimed_before);
	tcase_add_loop_test(tc, a_counter_is_of_the_zone_of_its_node, 0,
			    (int)ARRAY_SIZE(list_counters));
	tcase_add_loop_test(tc, unseen_pages_show_in_the_counts_of_per_cpu_lists, 0,
			    ARRAY_SIZE(books_cases));
	tcase_add_test(tc, the_sample_is_followed_and_reported);
	tcase_add_test(tc, every_level_of_every_zone_has_the_names_that_scripts_rely_on);
	tcase_add_test(tc, a_run_without_per_cpu_lists_misses_for_want_of_them);
	tcase_add_loop_test(tc, a_cause_is_what_takes_away_half_of_the_excess, 0,
			    (int)ARRAY_SIZE(causes));
	tcase_add_test(tc, what_no_level_can_use_is_refused_with_what_was_expected);
	tcase_add_loop_test(tc, a_missing_file_leaves_out_what_needs_it_and_no_more, 0,
			    (int)ARRAY_SIZE(optional));
	tcase_add_test(tc, zones_are_summed_and_a_flag_of_one_is_a_flag_of_all);
	tcase_add_loop_test(tc, a_broken_file_leaves_out_what_needs_it_and_no_more, 0,
			    (int)ARRAY_SIZE(broken));
	tcase_add_loop_test(tc, another_machine_is_validated_as_far_as_its_recording_goes, 0,
			    (int)ARRAY_SIZE(others));
	tcase_add_test(tc, rows_of_one_name_belong_to_one_node_after_the_other);
	suite_add_tcase(s, tc);

	return run_suite(s);
}
