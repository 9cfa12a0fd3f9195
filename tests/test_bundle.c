/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_bundle.c - a recorded folder becomes layout, events and start state */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/source/bundle.h"
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
}

static void teardown(void)
{
	bundle_free(&b);
	scratch_teardown();
}

static void read_ok(const char *path)
{
	int err = bundle_read(&b, path, 0, &msg);

	ck_assert_msg(err == 0, "%s", err ? msg.text : "");
}

static void read_small(const char *events)
{
	small_bundle_write(events);
	read_ok(scratch_folder());
}

/* Blocks ascend, are aligned, do not overlap, lie in one zone and have a state. */
static void check_blocks(const struct start_block *blocks, size_t nr,
			 enum start_page state)
{
	uint64_t nr_pages = 0;
	uint64_t end = 0;

	for (size_t i = 0; i < nr; i++) {
		uint64_t size = UINT64_C(1) << blocks[i].order;
		unsigned long pfn = (unsigned long)blocks[i].pfn;
		int zone = layout_zone_of(&b.layout, pfn);
		bool alike = true;

		ck_assert_uint_ge(blocks[i].pfn, end);
		ck_assert_uint_eq(blocks[i].pfn % size, 0);
		ck_assert_uint_le(blocks[i].order, MAX_PAGE_ORDER);
		end = blocks[i].pfn + size;
		ck_assert_int_ge(zone, 0);
		ck_assert_uint_le(end, zone_end_pfn(&b.layout.zones[zone]));
		for (; pfn < end; pfn++)
			alike &= b.start[pfn] == state;
		ck_assert(alike);
		nr_pages += size;
	}
	for (unsigned long pfn = 0; pfn < layout_end_pfn(&b.layout); pfn++)
		nr_pages -= b.start[pfn] == state;
	ck_assert_uint_eq(nr_pages, 0);		/* no page of that state is outside */
}

static void check_all_blocks(void)
{
	check_blocks(b.free_blocks, b.nr_free_blocks, START_FREE);
	check_blocks(b.resident_blocks, b.nr_resident_blocks, START_RESIDENT);
}

START_TEST(zones_come_from_zoneinfo_and_empty_ones_are_left_out)
{
	const struct zone *dma = &b.layout.zones[0];
	const struct zone *normal = &b.layout.zones[1];

	read_small(FREE("5", "0x400", "0"));
	ck_assert(b.has_zoneinfo);
	ck_assert_uint_eq(b.layout.nr_zones, 2);
	ck_assert_str_eq(dma->name, "DMA");
	ck_assert_uint_eq(dma->start_pfn, 1);
	ck_assert_uint_eq(dma->spanned, 1023);
	ck_assert_uint_eq(dma->present, 1000);
	ck_assert_uint_eq(dma->managed, 900);
	ck_assert_uint_eq(dma->wmark_min, 10);
	ck_assert_uint_eq(dma->wmark_low, 13);
	ck_assert_uint_eq(dma->wmark_high, 16);
	ck_assert_uint_eq(dma->pcp_batch, 1);
	ck_assert_uint_eq(dma->pcp_high_min, 6);
	ck_assert_uint_eq(dma->pcp_high_max, 240);
	ck_assert_str_eq(normal->name, "Normal");
	ck_assert_uint_eq(normal->start_pfn, 1024);
	ck_assert_uint_eq(normal->pcp_batch, 63);
	ck_assert_uint_eq(normal->pcp_high_max, 1000);
	ck_assert_uint_eq(b.layout.highmem_pfn, PFN_NONE);
}
END_TEST

START_TEST(reserves_follow_the_zones_that_are_kept)
{
	/* the kernel's numbers: DMA 0, DMA32 1 (empty), Normal 2 */
	read_small(FREE("5", "0x400", "0"));
	ck_assert_uint_eq(b.layout.zones[0].lowmem_reserve[0], 0);
	ck_assert_uint_eq(b.layout.zones[0].lowmem_reserve[1], 22);
	ck_assert_uint_eq(b.layout.zones[1].lowmem_reserve[1], 0);
}
END_TEST

START_TEST(cpus_are_those_of_the_machine_the_zones_and_the_events)
{
	read_small(FREE("5", "0x400", "0"));
	ck_assert_uint_eq(b.layout.nr_cpus, 3);		/* zoneinfo has "cpu: 2" */
	bundle_free(&b);
	read_small(" sh 1 [007] 0.000005: kmem:mm_page_free: pfn=0x400 order=0\n");
	ck_assert_uint_eq(b.layout.nr_cpus, 8);
}
END_TEST

START_TEST(pages_that_do_not_exist_become_a_hole)
{
	read_small(FREE("5", "0x400", "0"));
	ck_assert_uint_eq(b.layout.nr_holes, 1);
	ck_assert_uint_eq(b.layout.holes[0].start_pfn, 2048);
	ck_assert_uint_eq(b.layout.holes[0].end_pfn, 3072);
	ck_assert_uint_eq(b.layout.zones[1].present, 1024);
	ck_assert_uint_eq(b.start[0], START_ABSENT);
	ck_assert_uint_eq(b.start[2048], START_ABSENT);
	ck_assert_uint_eq(b.start[2047], START_PINNED);
}
END_TEST

/*
 *   section  0        1          2          3
 *            DMA  BB  ...........R...nn.....  ..........    B free in no zone
 *                     |<------- Normal, 3 sections ----->|  n NOPAGE  . no flag
 *
 * Normal misses two sections of pages. n are four, so of the sections without
 * any flag the first is a hole and the last is memory in use.
 */
START_TEST(a_section_without_flags_is_a_hole_as_long_as_pages_are_missing)
{
	enum { SECTION = 32768, END = 4 * SECTION, CHUNK = 1024 };
	static const char zoneinfo[] =
		"Node 0, zone      DMA\n"
		"        spanned  1023\n        present  1023\n        managed  1023\n"
		"  start_pfn:           1\n"
		"Node 0, zone   Normal\n"
		"        spanned  98304\n        present  32768\n        managed  32768\n"
		"  start_pfn:           32768\n";
	static uint64_t flags[END];
	char times[END / CHUNK * 24] = "";
	size_t len = 0;

	for (unsigned long pfn = 0; pfn < END; pfn++)
		flags[pfn] = pfn < SECTION ? UINT64_C(1) << 10 : 0;	/* BUDDY */
	flags[2 * SECTION] = UINT64_C(1) << 32;				/* RESERVED */
	for (unsigned long pfn = 2 * SECTION + 64; pfn < 2 * SECTION + 68; pfn++)
		flags[pfn] = UINT64_C(1) << 20;				/* NOPAGE */
	for (unsigned int chunk = 0; chunk < END / CHUNK; chunk++)
		len += (size_t)sprintf(times + len, "%u 900 1000\n", chunk * CHUNK);
	small_bundle_write(FREE("5", "0x300", "0"));
	scratch_write_text("zoneinfo.start", zoneinfo);
	scratch_write_text("kpageflags.start.times", times);
	scratch_write("kpageflags.start", flags, sizeof(flags));
	read_ok(scratch_folder());

	ck_assert_uint_eq(b.layout.nr_holes, 2);
	ck_assert_uint_eq(b.layout.holes[0].start_pfn, SECTION);
	ck_assert_uint_eq(b.layout.holes[0].end_pfn, 2 * SECTION);
	ck_assert_uint_eq(b.layout.holes[1].start_pfn, 2 * SECTION + 64);
	ck_assert_uint_eq(b.layout.holes[1].end_pfn, 2 * SECTION + 68);
	ck_assert_uint_eq(b.start[0], START_ABSENT);
	ck_assert_uint_eq(b.start[1023], START_FREE);
	ck_assert_uint_eq(b.start[1024], START_ABSENT);
	ck_assert_uint_eq(b.start[SECTION - 1], START_ABSENT);
	ck_assert_uint_eq(b.start[3 * SECTION], START_PINNED);
}
END_TEST

START_TEST(the_rest_of_the_folder_is_read_too)
{
	read_small(FREE("5", "0x400", "0"));
	ck_assert_str_eq(b.kernel, "6.18.0-small");
	ck_assert_uint_eq(b.workload_start_ns, 4000);
	ck_assert_uint_eq(b.workload_end_ns, 9000);
	ck_assert_str_eq(b.name, strrchr(scratch_folder(), '/') + 1);
	ck_assert_uint_eq(b.nr_chunks, 3);
	ck_assert_uint_eq(b.chunk_ns[1], 2000);

	ck_assert_uint_eq(b.nr_buddyinfo, 2);
	ck_assert_uint_eq(b.buddyinfo[1].zone, 1);
	ck_assert_uint_eq(b.buddyinfo[1].after_ns, 2);
	ck_assert_uint_eq(b.buddyinfo[1].nr_free[0], 10);
	ck_assert_uint_eq(b.buddyinfo[0].nr_free[10], 10);

	ck_assert_uint_eq(b.nr_counter_names, 2);
	ck_assert_uint_eq(b.nr_counters, 4);
	ck_assert_str_eq(b.counter_names[b.counters[2].name], "pgfree");
	ck_assert_uint_eq(b.counters[2].value, 9);
	ck_assert_str_eq(b.counter_names[b.counters[3].name], "Normal.managed");
}
END_TEST

/*
 * What the page 0x400 was when its chunk was read, at 2 us; in the buddy's
 * lists or not ("buddy").
 */
static const struct {
	const char *events;
	bool buddy;
	enum start_page state;
} states[] = {
	{ ALLOC("3", "0x400", "0"),			false, START_PCP },
	{ LOCKED("3", "0x400", "0", "1"),		false, START_FREE },	/* proved */
	{ DRAIN("3", "0x400", "0", "1"),		false, START_PCP },
	{ FREE("3", "0x400", "0"),			false, START_RESIDENT },
	{ FREE("3", "0x401", "0"),			false, START_PINNED },
	{ BATCHED("3", "0x400"),			false, START_PINNED },
	{ ALLOC("2", "0x400", "0"),			false, START_PCP },	/* not before */
	{ ALLOC("1", "0x400", "0"),			false, START_PINNED },
	{ FREE("1", "0x400", "0"),			false, START_PCP },
	{ LOCKED("1", "0x400", "0", "1"),		false, START_PCP },
	{ ALLOC("1", "0x400", "0") FREE("1", "0x400", "0"), false, START_PCP },
	{ FREE("1", "0x400", "0") ALLOC("1", "0x400", "0"), false, START_PINNED },
	{ FREE("1", "0x400", "0") FREE("3", "0x400", "0"), false, START_RESIDENT },
	{ ALLOC("1", "0x400", "0") FREE("3", "0x400", "0"), false, START_RESIDENT },
	{ FREE("3", "0x400", "0") ALLOC("4", "0x400", "0"), false, START_RESIDENT },
	{ ALLOC("3", "0x400", "0") FREE("4", "0x400", "0"), false, START_PCP },
	{ ALLOC("3", "0x400", "0"),			true, START_FREE },
	{ FREE("3", "0x400", "0"),			true, START_FREE },
	{ ALLOC("3", "0x0", "0") FREE("3", "0x401", "0"), false, START_PINNED },
};

START_TEST(the_first_event_after_the_snapshot_tells_what_a_page_was)
{
	if (states[_i].buddy)
		small_flags_buddy(0x400, 0x401);
	read_small(states[_i].events);
	ck_assert_uint_eq(b.start[0x400], states[_i].state);
	ck_assert_uint_eq(b.nr_start_conflicts, 0);
	check_all_blocks();
}
END_TEST

/*
 *	pfn        400 401 402 403
 *	alloc               X          402 was in a per-CPU list
 *	free        X   X   X   X      and then all four go
 *	resident   [  1   ]     [0]
 */
START_TEST(a_block_freed_first_is_resident_but_for_the_part_known_better)
{
	read_small(ALLOC("3", "0x402", "0") FREE("4", "0x400", "2"));
	ck_assert_uint_eq(b.start[0x402], START_PCP);
	ck_assert_uint_eq(b.nr_resident_blocks, 2);
	ck_assert_uint_eq(b.resident_blocks[0].pfn, 0x400);
	ck_assert_uint_eq(b.resident_blocks[0].order, 1);
	ck_assert_uint_eq(b.resident_blocks[1].pfn, 0x403);
	ck_assert_uint_eq(b.resident_blocks[1].order, 0);
	ck_assert_uint_eq(b.nr_start_conflicts, 1);
	check_all_blocks();
}
END_TEST

START_TEST(resident_blocks_keep_the_order_they_are_freed_at)
{
	read_small(FREE("3", "0x440", "4") FREE("4", "0x400", "0") FREE("4", "0x401", "0"));
	ck_assert_uint_eq(b.nr_resident_blocks, 3);
	ck_assert_uint_eq(b.resident_blocks[0].pfn, 0x400);
	ck_assert_uint_eq(b.resident_blocks[1].pfn, 0x401);
	ck_assert_uint_eq(b.resident_blocks[2].pfn, 0x440);
	ck_assert_uint_eq(b.resident_blocks[2].order, 4);
	check_all_blocks();
}
END_TEST

/* Free runs and the blocks they are made of: first page and order. */
static const struct {
	unsigned long pfn, end;
	struct { unsigned long pfn; unsigned int order; } blocks[8];
	size_t nr;
} runs[] = {
	{ 5, 16, { { 5, 0 }, { 6, 1 }, { 8, 3 } }, 3 },
	{ 1, 8, { { 1, 0 }, { 2, 1 }, { 4, 2 } }, 3 },
	{ 0, 8, { { 1, 0 }, { 2, 1 }, { 4, 2 } }, 3 },		/* 0 is in no zone */
	{ 1022, 1026, { { 1022, 1 }, { 1024, 1 } }, 2 },	/* two zones */
	{ 1024, 2048, { { 1024, 10 } }, 1 },
	{ 1025, 2048, { { 1025, 0 }, { 1026, 1 }, { 1028, 2 }, { 1032, 3 },
			{ 1040, 4 }, { 1056, 5 }, { 1088, 6 }, { 1152, 7 } }, 10 },
	{ 3000, 3000, { { 0, 0 } }, 0 },
};

START_TEST(free_runs_become_the_largest_aligned_blocks_inside_a_zone)
{
	small_flags_buddy(runs[_i].pfn, runs[_i].end);
	read_small(FREE("5", "0x3f0", "0"));
	ck_assert_uint_eq(b.nr_free_blocks, runs[_i].nr);
	for (size_t i = 0; i < runs[_i].nr && i < 8; i++) {
		ck_assert_uint_eq(b.free_blocks[i].pfn, runs[_i].blocks[i].pfn);
		ck_assert_uint_eq(b.free_blocks[i].order, runs[_i].blocks[i].order);
	}
	check_all_blocks();
}
END_TEST

/* The first event on the buddy's side after the snapshot reveals the type. */
static const struct { const char *events; unsigned int migratetype; } types[] = {
	{ FREE("5", "0x3f0", "0"),				MIGRATE_MOVABLE },
	{ DRAIN("5", "0x500", "0", "2"),			MIGRATE_RECLAIMABLE },
	{ LOCKED("5", "0x400", "0", "0") DRAIN("6", "0x500", "0", "2"), MIGRATE_UNMOVABLE },
	{ EXTFRAG("5", "0x400", "2") DRAIN("6", "0x500", "0", "0"), MIGRATE_RECLAIMABLE },
	{ LOCKED("5", "0x400", "0", "0") EXTFRAG("6", "0x400", "2"), MIGRATE_RECLAIMABLE },
	{ DRAIN("1", "0x500", "0", "2"),			MIGRATE_MOVABLE },
	{ DRAIN("5", "0x600", "0", "2"),			MIGRATE_MOVABLE },
};

START_TEST(events_reveal_the_mobility_type_of_a_pageblock)
{
	small_flags_buddy(0x400, 0x401);
	read_small(types[_i].events);
	ck_assert_uint_eq(b.nr_free_blocks, 1);
	ck_assert_uint_eq(b.free_blocks[0].migratetype, types[_i].migratetype);
}
END_TEST

/*
 * Free page reporting takes a pageblock out of the free lists for a moment:
 * 0x400 has no flags then. That it was free has to be proved.
 */
static const struct { const char *events; bool free_at_end; unsigned int nr, order; }
reports[] = {
	{ FREE("5", "0x3f0", "0"),				false, 0, 0 },
	{ FREE("5", "0x3f0", "0"),				true, 1, 9 },
	{ LOCKED("5", "0x480", "0", "1"),			false, 1, 9 },
	{ LOCKED("5", "0x480", "0", "1") FREE("6", "0x481", "0"), false, 1, 0 },
};

START_TEST(a_pageblock_without_flags_is_free_when_a_page_proves_it)
{
	memset(small_flags + 0x400, 0, PAGEBLOCK_NR_PAGES * sizeof(*small_flags));
	small_bundle_write(reports[_i].events);
	if (reports[_i].free_at_end) {
		small_flags_buddy(0x400, 0x401);
		scratch_write("kpageflags.end", small_flags, sizeof(small_flags));
		scratch_write_text("kpageflags.end.times", small_times);
	}
	read_ok(scratch_folder());
	ck_assert_uint_eq(b.nr_free_blocks, reports[_i].nr);
	if (b.nr_free_blocks)
		ck_assert_uint_eq(b.free_blocks[0].order, reports[_i].order);
}
END_TEST

/* The small machine, whose CPU 2 has this many pages of Normal in its lists. */
static void read_small_parked(const char *events, unsigned int count)
{
	const char *cpu = strstr(small_zoneinfo, "    cpu: 2\n") + strlen("    cpu: 2\n");
	char text[4096];

	snprintf(text, sizeof(text), "%.*s count: %u\n high: 800\n%s",
		 (int)(cpu - small_zoneinfo), small_zoneinfo, count, cpu);
	small_bundle_write(events);
	scratch_write_text("zoneinfo.start", text);
	read_ok(scratch_folder());
}

/*
 *   pageblock 2 | no flag at all ............................ |
 *   pageblock 3 | 100 free | 50 without flags | others' ..... |
 *
 * One page more is known to be parked, by its event.
 */
static const struct { unsigned int count, found, huge, single; } parked[] = {
	{ 0,   0,   0,   0 },
	{ 1,   0,   0,   0 },
	{ 41,  40,  0,   40 },		/* a huge page would be too much */
	{ 523, 522, 512, 10 },
	{ 900, 562, 512, 50 },
};

START_TEST(pages_without_flags_are_parked_as_far_as_their_number_tells)
{
	unsigned int huge = 0, single = 0;

	memset(&small_flags[1024], 0, PAGEBLOCK_NR_PAGES * sizeof(*small_flags));
	small_flags_buddy(1536, 1636);
	memset(&small_flags[1636], 0, 50 * sizeof(*small_flags));
	read_small_parked(ALLOC("3", "0x7ff", "0"), parked[_i].count);
	ck_assert_uint_eq(recorded_pcp_of(&b.start_pcps, 1, 2).count, parked[_i].count);
	ck_assert_uint_eq(recorded_pcp_of(&b.start_pcps, 1, 2).high, 800);
	ck_assert_uint_eq(recorded_pcp_of(&b.start_pcps, 1, 0).high, 0);
	for (unsigned int i = 0; i < PAGEBLOCK_NR_PAGES; i++)
		huge += b.start[1024 + i] == START_PCP;
	for (unsigned int i = 0; i < 50; i++)
		single += b.start[1636 + i] == START_PCP;
	ck_assert_uint_eq(b.nr_start_parked, parked[_i].found);
	ck_assert_uint_eq(huge, parked[_i].huge);
	ck_assert_uint_eq(single, parked[_i].single);
	ck_assert_uint_eq(b.start[0x7ff], START_PCP);
	check_all_blocks();
}
END_TEST

START_TEST(an_event_is_before_the_snapshot_by_its_own_chunk)
{
	read_small(FREE("1", "0x3f0", "0") FREE("1", "0x400", "0"));
	ck_assert(!bundle_before_snapshot(&b, &b.trace.events[0]));
	ck_assert(bundle_before_snapshot(&b, &b.trace.events[1]));
}
END_TEST

START_TEST(a_bare_trace_gets_a_machine_in_which_all_is_free_that_is_not_freed_first)
{
	const char *path = scratch_write_text("trace",
		FREE("1", "0x10000", "1")
		ALLOC("2", "0x200", "0") FREE("3", "0x200", "0"));
	unsigned long nr_free = 0;

	read_ok(path);
	ck_assert(!b.has_snapshot);
	ck_assert(!b.has_zoneinfo);
	ck_assert_ptr_null(b.chunk_ns);
	ck_assert_uint_eq(b.layout.nr_cpus, 2);
	ck_assert_uint_gt(layout_end_pfn(&b.layout), 0x10001);
	ck_assert_uint_eq(b.start[0x10001], START_RESIDENT);
	ck_assert_uint_eq(b.start[0x200], START_FREE);
	ck_assert_uint_eq(b.nr_resident_blocks, 1);
	ck_assert_uint_eq(b.resident_blocks[0].order, 1);
	check_all_blocks();
	for (size_t i = 0; i < b.nr_free_blocks; i++)
		nr_free += 1ul << b.free_blocks[i].order;
	ck_assert_uint_eq(nr_free + 2, layout_present(&b.layout));
}
END_TEST

START_TEST(zones_without_a_snapshot_end_in_their_missing_pages)
{
	scratch_write_text("events.txt", FREE("5", "0x400", "0"));
	scratch_write_text("zoneinfo.start", small_zoneinfo);
	read_ok(scratch_folder());
	ck_assert(b.has_zoneinfo);
	ck_assert(!b.has_snapshot);
	ck_assert_uint_eq(b.layout.zones[1].present, 1024);
	ck_assert_uint_eq(b.layout.zones[1].managed, 1024);
	ck_assert(layout_page_exists(&b.layout, 2047));
	ck_assert(!layout_page_exists(&b.layout, 2048));
	ck_assert_uint_eq(b.start[2048], START_ABSENT);
	ck_assert_uint_eq(b.start[0x400], START_RESIDENT);
	ck_assert_uint_eq(b.start[0x401], START_FREE);
	check_all_blocks();
}
END_TEST

/* The free blocks of a zone by order, as /proc/buddyinfo counts them. */
static void count_free(unsigned int zone, uint32_t nr_free[NR_PAGE_ORDERS])
{
	memset(nr_free, 0, NR_PAGE_ORDERS * sizeof(*nr_free));
	for (size_t i = 0; i < b.nr_free_blocks; i++)
		if (zone_spans(&b.layout.zones[zone],
			       (unsigned long)b.free_blocks[i].pfn))
			nr_free[b.free_blocks[i].order]++;
}

START_TEST(the_sample_starts_as_its_machine_counted_itself)
{
	uint32_t nr_free[NR_PAGE_ORDERS];
	unsigned int nr_compared = 0;
	unsigned int nr_exact = 0;

	read_ok(SAMPLE);
	check_all_blocks();
	ck_assert_str_eq(b.name, "fork-sample");
	ck_assert_uint_eq(b.layout.nr_zones, 3);
	ck_assert_uint_eq(b.layout.nr_holes, 1);	/* 3 to 4 GiB, without NOPAGE */
	ck_assert_uint_eq(b.layout.zones[1].present, 782336);
	ck_assert_uint_eq(b.nr_start_conflicts, 0);

	/*
	 * DMA and DMA32 are quiet: samples show the start state, but for the
	 * largest blocks, of which the host may hold up to 32 for a moment.
	 */
	for (size_t i = 0; i < b.nr_buddyinfo; i++) {
		const struct buddyinfo_sample *sample = &b.buddyinfo[i];

		if (sample->zone > 1)
			continue;
		count_free(sample->zone, nr_free);
		ck_assert_mem_eq(nr_free, sample->nr_free,
				 PAGEBLOCK_ORDER * sizeof(*nr_free));
		for (unsigned int order = PAGEBLOCK_ORDER; order < NR_PAGE_ORDERS; order++)
			ck_assert_uint_le(nr_free[order] - sample->nr_free[order], 32);
		nr_exact += !memcmp(nr_free, sample->nr_free, sizeof(nr_free));
		nr_compared++;
	}
	ck_assert_uint_ge(nr_compared, 40);
	ck_assert_uint_ge(nr_exact, nr_compared * 9 / 10);
}
END_TEST

START_TEST(the_same_folder_reads_the_same_by_any_path)
{
	static const char *const paths[] = {
		SAMPLE "/", "./" SAMPLE, SAMPLE "/../fork-sample/.",
	};

	read_ok(paths[_i]);
	ck_assert_str_eq(b.name, "fork-sample");
	ck_assert_uint_eq(b.trace.nr_events, 100672);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bundle");
	TCase *tc = tcase_create("folders");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, zones_come_from_zoneinfo_and_empty_ones_are_left_out);
	tcase_add_test(tc, reserves_follow_the_zones_that_are_kept);
	tcase_add_test(tc, cpus_are_those_of_the_machine_the_zones_and_the_events);
	tcase_add_test(tc, pages_that_do_not_exist_become_a_hole);
	tcase_add_test(tc, a_section_without_flags_is_a_hole_as_long_as_pages_are_missing);
	tcase_add_test(tc, the_rest_of_the_folder_is_read_too);
	tcase_add_loop_test(tc, the_first_event_after_the_snapshot_tells_what_a_page_was,
			    0, (int)ARRAY_SIZE(states));
	tcase_add_test(tc, a_block_freed_first_is_resident_but_for_the_part_known_better);
	tcase_add_test(tc, resident_blocks_keep_the_order_they_are_freed_at);
	tcase_add_loop_test(tc, free_runs_become_the_largest_aligned_blocks_inside_a_zone,
			    0, (int)ARRAY_SIZE(runs));
	tcase_add_loop_test(tc, a_pageblock_without_flags_is_free_when_a_page_proves_it,
			    0, (int)ARRAY_SIZE(reports));
	tcase_add_loop_test(tc, events_reveal_the_mobility_type_of_a_pageblock,
			    0, (int)ARRAY_SIZE(types));
	tcase_add_loop_test(tc, pages_without_flags_are_parked_as_far_as_their_number_tells,
			    0, ARRAY_SIZE(parked));
	tcase_add_test(tc, an_event_is_before_the_snapshot_by_its_own_chunk);
	tcase_add_test(tc, a_bare_trace_gets_a_machine_in_which_all_is_free_that_is_not_freed_first);
	tcase_add_test(tc, zones_without_a_snapshot_end_in_their_missing_pages);
	tcase_add_test(tc, the_sample_starts_as_its_machine_counted_itself);
	tcase_add_loop_test(tc, the_same_folder_reads_the_same_by_any_path, 0, 3);
	suite_add_tcase(s, tc);

	return run_suite(s);
}
