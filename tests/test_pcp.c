/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_pcp.c - tests src/alloc/buddy/{pcp.h,pcp.c,xor_list.h}
 *
 * The sizing rules are functions of a struct pcp, so they are tested on one
 * without an allocator; what moves blocks is tested on small machines, for
 * every backend that runs the policy.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "alloc/buddy/xor_list.h"
#include "base/rng.h"
#include "tests/drawn.h"
#include "tests/suite.h"

#define M MIGRATE_MOVABLE
#define U MIGRATE_UNMOVABLE
#define NR_PAGES (8 * PAGEBLOCK_NR_PAGES)

static struct drawn d;

static const char *backend(int i)
{
	return drawn_backends[i];
}

static struct pcp *pcp_of(unsigned int cpu)
{
	return &d.b->zones[0]->pcps[cpu];
}

static unsigned long alloc_on(unsigned int cpu, unsigned int order,
			      unsigned int type)
{
	const struct alloc_req req = {
		.order = order, .migratetype = type, .cpu = cpu,
	};

	return alloc_pages(d.a, &req);
}

/* --- sizes ------------------------------------------------------------ */

static const struct {
	unsigned long managed;
	unsigned int nr_cpus;
	int batch, high_max;		/* high_min is 4 batches without marks */
} sizes[] = {
	{ 4096, 1, 1, 512 },		/* 4096 / 1024 / 4 = 1, and 1 - 1 is too few */
	{ 16384, 2, 3, 1024 },		/* 4: nearest power of two, less one */
	{ 49152, 1, 15, 6144 },		/* 12, which is nearer to 16 than to 8 */
	{ 65536, 1, 15, 8192 },		/* 16 */
	{ 262144, 1, 63, 32768 },	/* 64: 1 GiB, and so from here on */
	{ 2097152, 4, 63, 65536 },
};

START_TEST(lists_are_sized_by_zone_and_cpus)
{
	drawn_create(&d, "linked", "", sizes[_i].managed, sizes[_i].nr_cpus);
	for (unsigned int cpu = 0; cpu < sizes[_i].nr_cpus; cpu++) {
		ck_assert_int_eq(pcp_of(cpu)->batch, sizes[_i].batch);
		ck_assert_int_eq(pcp_of(cpu)->high_min, 4 * sizes[_i].batch);
		ck_assert_int_eq(pcp_of(cpu)->high, 4 * sizes[_i].batch);
		ck_assert_int_eq(pcp_of(cpu)->high_max, sizes[_i].high_max);
	}
	drawn_destroy(&d);
}
END_TEST

START_TEST(recorded_sizes_and_options_win)
{
	ck_assert_int_eq(layout_flat(&d.layout, NR_PAGES, 1, NULL), 0);
	d.layout.zones[0].pcp_batch = 7;
	d.layout.zones[0].pcp_high_min = 100;
	d.layout.zones[0].pcp_high_max = 200;
	for (int fixed = 0; fixed < 2; fixed++) {
		struct buddy_zone z = { .zone = &d.layout.zones[0] };
		struct buddy b = { .base.machine = NULL };

		ck_assert_int_eq(machine_create(&d.machine, &d.layout,
						WINDOW_ARITH, NULL), 0);
		b.base.machine = d.machine;
		ck_assert(pcp_create(&b, &z, fixed ? 64 : 0, fixed ? 16 : 0));
		ck_assert_int_eq(z.pcps[0].batch, fixed ? 16 : 7);
		ck_assert_int_eq(z.pcps[0].high_min, fixed ? 64 : 100);
		ck_assert_int_eq(z.pcps[0].high_max, fixed ? 64 : 200);
		ck_assert_uint_eq(d.machine->meta.now[META_structures],
				  sizeof(struct pcp));
		pcp_destroy(&b, &z);
		ck_assert_uint_eq(d.machine->meta.now[META_structures], 0);
		machine_destroy(d.machine);
	}
	layout_free(&d.layout);
}
END_TEST

/* 4 batches of 3, or what each CPU has of a low mark of 200. */
START_TEST(lists_hold_their_share_of_the_low_mark_at_least)
{
	for (unsigned int nr_cpus = 1; nr_cpus <= 32; nr_cpus *= 2) {
		struct buddy_zone z = { .mark[MARK_LOW] = 200 };
		struct buddy b = { .base.machine = NULL };
		int least = nr_cpus < 32 ? 200 / (int)nr_cpus : 12;

		ck_assert_int_eq(layout_flat(&d.layout, 16384, nr_cpus, NULL), 0);
		ck_assert_int_eq(machine_create(&d.machine, &d.layout,
						WINDOW_ARITH, NULL), 0);
		z.zone = &d.layout.zones[0];
		b.base.machine = d.machine;
		ck_assert(pcp_create(&b, &z, 0, 0));
		ck_assert_int_eq(z.pcps[0].batch, 3);
		ck_assert_int_eq(z.pcps[nr_cpus - 1].high_min, least);
		ck_assert_int_eq(z.pcps[nr_cpus - 1].high, least);
		pcp_destroy(&b, &z);
		machine_destroy(d.machine);
		layout_free(&d.layout);
	}
}
END_TEST

/* batch 63, between 252 and 32768: as a CPU of a 1 GiB machine. */
static const struct pcp idle = {
	.batch = 63, .high = 252, .high_min = 252, .high_max = 32768,
};
static const struct buddy_zone healthy, needy = { .below_high = true };

START_TEST(a_refill_doubles_until_something_is_freed)
{
	static const int factor_after[] = { 1, 2, 3, 4, 5, 5, 5 };
	static const int blocks[] = { 63, 126, 252, 504, 1008, 2016, 2016 };
	struct pcp pcp = idle;

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		int high = pcp.high;

		ck_assert_int_eq(pcp_nr_refill(&pcp, &healthy, 0), blocks[i]);
		ck_assert_int_eq(pcp.high, high + blocks[i]);
		ck_assert_int_eq(pcp.alloc_factor, factor_after[i]);
	}
}
END_TEST

START_TEST(a_refill_fits_under_the_limit)
{
	struct pcp pcp = idle;

	pcp.alloc_factor = 5;
	pcp.high = pcp.high_max = 1000;
	pcp.count = 400;
	ck_assert_int_eq(pcp_nr_refill(&pcp, &healthy, 0), 1000 - 400 - 63);
	pcp.count = 990;
	ck_assert_int_eq(pcp_nr_refill(&pcp, &healthy, 0), 63);
	pcp.high = pcp.high_min = 20;	/* below a batch: nothing is kept */
	ck_assert_int_eq(pcp_nr_refill(&pcp, &healthy, 0), 1);
}
END_TEST

static const struct {
	unsigned int order;
	int blocks;
} refills[] = { { 1, 31 }, { 2, 15 }, { 3, 7 }, { PAGEBLOCK_ORDER, 2 } };

START_TEST(a_refill_of_larger_blocks_is_a_batch_and_two_blocks_at_least)
{
	struct pcp pcp = idle;

	pcp.alloc_factor = 3;
	ck_assert_int_eq(pcp_nr_refill(&pcp, &healthy, refills[_i].order),
			 refills[_i].blocks);
	ck_assert_int_eq(pcp.alloc_factor, 3);
	ck_assert_int_eq(pcp.high, 252 + 63);
}
END_TEST

START_TEST(a_zone_in_need_keeps_less)
{
	struct pcp pcp = idle;

	pcp.high = 1000;
	pcp_nr_refill(&pcp, &needy, 0);
	ck_assert_int_eq(pcp.high, 1000);
	pcp.free_count = 200;
	pcp.count = 500;
	ck_assert_int_eq(pcp_limit(&pcp, &needy), 500);
	ck_assert_int_eq(pcp.high, 800);
	pcp.high = 300;
	ck_assert_int_eq(pcp_limit(&pcp, &needy), 500);
	ck_assert_int_eq(pcp.high, 252);
}
END_TEST

START_TEST(the_limit_rises_to_hold_what_is_being_freed)
{
	struct pcp pcp = idle;

	pcp.free_count = 400;
	pcp.count = 251;
	ck_assert_int_eq(pcp_limit(&pcp, &healthy), 252);
	ck_assert_int_eq(pcp.high, 252);
	pcp.count = 252;
	ck_assert_int_eq(pcp_limit(&pcp, &healthy), 252);
	ck_assert_int_eq(pcp.high, 400 + 63);
	pcp.high_max = pcp.high_min = pcp.high = 252;
	pcp.free_count = 2000;
	ck_assert_int_eq(pcp_limit(&pcp, &healthy), 252);
	ck_assert_int_eq(pcp.high, 252);
}
END_TEST

static const struct {
	int limit, free_count, drained;
} drains[] = {
	{ 252, 10, 63 },		/* a batch at least */
	{ 252, 100, 100 },		/* what was freed lately */
	{ 252, 1000, 252 - 63 },	/* a batch stays */
	{ 100, 1000, 63 },		/* less than two batches: one goes */
	{ 40, 1000, 1 },		/* less than one: each page goes */
};

START_TEST(a_drain_gives_back_what_was_freed_lately)
{
	struct pcp pcp = idle;

	pcp.free_count = drains[_i].free_count;
	ck_assert_int_eq(pcp_nr_drain(&pcp, drains[_i].limit), drains[_i].drained);
}
END_TEST

START_TEST(two_high_orders_in_a_row_free_high_when_much_was_freed)
{
	struct pcp pcp = idle;

	pcp.count = 100;
	pcp.free_count = 63 + 126;
	ck_assert(!pcp_must_free_high(&pcp, 2));
	ck_assert(pcp_must_free_high(&pcp, 1));
	ck_assert(!pcp_must_free_high(&pcp, 0));
	ck_assert(!pcp_must_free_high(&pcp, 3));
	ck_assert(pcp_must_free_high(&pcp, 3));
	ck_assert(!pcp_must_free_high(&pcp, PAGEBLOCK_ORDER));
	ck_assert(!pcp_must_free_high(&pcp, 1));
	pcp.free_count--;
	ck_assert(!pcp_must_free_high(&pcp, 1));
	pcp.free_count++;
	pcp.count = 62;
	ck_assert(!pcp_must_free_high(&pcp, 1));
}
END_TEST

/* --- blocks ----------------------------------------------------------- */

/*
 *   CPU 0's list   [2 3]     5 and then 4 are freed on CPU 0, 9 on CPU 1
 *   afterwards     [4 5 2 3], and CPU 0 gets 4 first
 */
START_TEST(a_cpu_gets_back_what_it_freed_last)
{
	drawn_create(&d, backend(_i), ":pcp_batch=4:pcp_high=100", NR_PAGES, 2);
	drawn_adopt(&d, 0, 4, 0);
	free_pages(d.a, 5, 0, 0);
	free_pages(d.a, 4, 0, 0);
	free_pages(d.a, 9, 0, 1);
	ck_assert_uint_eq(alloc_on(1, 0, M), 9);
	ck_assert_uint_eq(alloc_on(0, 0, M), 4);
	ck_assert_uint_eq(alloc_on(0, 0, M), 5);
	drawn_destroy(&d);
}
END_TEST

/* Parked buddies stay apart; once drained they join. */
START_TEST(parked_memory_is_reported_and_joins_when_drained)
{
	struct page_counts n;

	drawn_create(&d, backend(_i), ":pcp_batch=4:pcp_high=100", NR_PAGES, 1);
	drawn_adopt(&d, 0, 3, 0);
	for (unsigned long pfn = 0; pfn < 8; pfn++)
		drawn_free(&d, pfn, 0);
	allocator_counts(d.a, 0, &n);
	ck_assert_uint_eq(n.pcp, 8);
	ck_assert_uint_eq(n.free, 0);
	ck_assert_uint_eq(d.machine->meta.now[META_parked], 8 * PAGE_SIZE);

	allocator_drain(d.a);
	allocator_counts(d.a, 0, &n);
	ck_assert_uint_eq(n.pcp, 0);
	ck_assert_uint_eq(drawn_nr_free(&d, 3, M), 1);
	ck_assert_uint_eq(d.machine->meta.now[META_parked], 0);
	drawn_destroy(&d);
}
END_TEST

/*
 *   limit 8, batch 3: pages 0 2 4 ... 14 are freed; with the eighth the three
 *   oldest go, the ones at the tail
 */
START_TEST(a_drain_takes_from_the_tail)
{
	struct page_info info;

	drawn_create(&d, backend(_i), ":pcp_batch=3:pcp_high=8", NR_PAGES, 1);
	drawn_adopt(&d, 0, 5, 0);
	pcp_of(0)->free_count = 0;
	for (unsigned long pfn = 0; pfn < 14; pfn += 2)
		drawn_free(&d, pfn, 0);
	pcp_of(0)->free_count = 0;	/* forget them: a batch goes */
	drawn_free(&d, 14, 0);
	ck_assert_int_eq(pcp_of(0)->count, 5);
	for (unsigned long pfn = 0; pfn < 16; pfn += 2) {
		allocator_query(d.a, pfn, &info);
		ck_assert_int_eq(info.state, pfn < 6 ? PAGE_STATE_FREE :
						       PAGE_STATE_PCP);
	}
	drawn_destroy(&d);
}
END_TEST

/* Orders 1 and 0 are parked; the drain begins where the free went. */
START_TEST(a_drain_begins_with_the_list_of_the_free_and_goes_round)
{
	drawn_create(&d, backend(_i), ":pcp_batch=4:pcp_high=9", NR_PAGES, 1);
	drawn_adopt(&d, 0, 4, 1);
	drawn_adopt(&d, 16, 4, 0);
	for (unsigned long pfn = 16; pfn < 22; pfn++)
		drawn_free(&d, pfn, 0);
	drawn_free(&d, 0, 1);
	pcp_of(0)->free_count = 0;
	drawn_free(&d, 4, 1);		/* 10 pages: both pairs go, that is 4 */
	ck_assert_int_eq(pcp_of(0)->count, 6);
	ck_assert_uint_eq(drawn_nr_free(&d, 1, M), 2);
	ck_assert_uint_eq(drawn_nr_free(&d, 0, M), 0);
	drawn_destroy(&d);
}
END_TEST

START_TEST(an_empty_list_takes_a_batch_and_hands_it_out_in_order)
{
	drawn_create(&d, backend(_i), ":pcp_batch=4:pcp_high=100", NR_PAGES, 1);
	allocator_release(d.a, 0, 4);
	for (unsigned long pfn = 0; pfn < 4; pfn++) {
		ck_assert_uint_eq(drawn_alloc(&d, 0, M), pfn);
		ck_assert_int_eq(pcp_of(0)->count, 3 - (int)pfn);
	}
	ck_assert_uint_eq(d.a->stats.refills, 1);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), 4);	/* now two batches */
	ck_assert_int_eq(pcp_of(0)->count, 7);
	drawn_destroy(&d);
}
END_TEST

START_TEST(a_miss_of_a_huge_page_takes_two)
{
	drawn_create(&d, backend(_i), ":pcp_batch=4", NR_PAGES, 1);
	for (unsigned long pfn = 0; pfn < NR_PAGES; pfn += 2 * PAGEBLOCK_NR_PAGES)
		allocator_release(d.a, pfn, PAGEBLOCK_ORDER);
	ck_assert_uint_ne(drawn_alloc(&d, PAGEBLOCK_ORDER, M), PFN_NONE);
	ck_assert_int_eq(pcp_of(0)->count, PAGEBLOCK_NR_PAGES);
	drawn_destroy(&d);
}
END_TEST

/* Orders 4 to 8 and 10 do not park, and neither does who asks not to. */
START_TEST(some_requests_go_straight_to_the_free_lists)
{
	const struct alloc_req straight = {
		.migratetype = M, .flags = ALLOC_NO_PCP,
	};

	drawn_create(&d, backend(_i), "", NR_PAGES, 1);
	allocator_release(d.a, 0, MAX_PAGE_ORDER);
	ck_assert_uint_eq(alloc_pages(d.a, &straight), 0);
	ck_assert_uint_eq(drawn_alloc(&d, 4, M), 16);
	drawn_free(&d, 16, 4);
	ck_assert_int_eq(pcp_of(0)->count, 0);
	ck_assert_uint_eq(d.a->stats.refills, 0);
	drawn_destroy(&d);
}
END_TEST

START_TEST(a_freed_page_is_filed_under_its_pageblock)
{
	drawn_create(&d, backend(_i), ":pcp_batch=4:pcp_high=100", NR_PAGES, 1);
	allocator_set_block_type(d.a, 0, U);
	allocator_set_block_type(d.a, PAGEBLOCK_NR_PAGES, MIGRATE_HIGHATOMIC);
	drawn_adopt(&d, 0, 3, 0);
	drawn_adopt(&d, PAGEBLOCK_NR_PAGES, 3, 0);
	drawn_free(&d, 3, 0);
	drawn_free(&d, PAGEBLOCK_NR_PAGES + 3, 0);
	ck_assert_uint_eq(drawn_alloc(&d, 0, M), PAGEBLOCK_NR_PAGES + 3);
	ck_assert_uint_eq(drawn_alloc(&d, 0, U), 3);
	drawn_destroy(&d);
}
END_TEST

/*
 * Two M pageblocks have one free page each. All else in A is movable, so U may
 * only steal from it; B is full of U's, so U could claim it. A's page stands
 * first: a refill that stole it goes on stealing, and B stays M.
 */
START_TEST(a_refill_that_stole_goes_on_stealing)
{
	const unsigned long b = PAGEBLOCK_NR_PAGES;

	drawn_create(&d, backend(_i), ":pcp_batch=3:pcp_high=100", NR_PAGES, 1);
	for (unsigned long pfn = 1; pfn < b; pfn++)
		drawn_adopt(&d, pfn, 0, 0);
	allocator_set_block_type(d.a, b, U);
	for (unsigned long pfn = 1; pfn < b; pfn++)
		drawn_adopt(&d, b + pfn, 0, 0);
	allocator_set_block_type(d.a, b, M);
	allocator_release(d.a, b, 0);
	allocator_release(d.a, 0, 0);

	ck_assert_uint_eq(drawn_alloc(&d, 0, U), 0);
	ck_assert_uint_eq(drawn_alloc(&d, 0, U), b);
	ck_assert_uint_eq(d.a->stats.refills, 1);
	ck_assert_uint_eq(d.a->stats.steals, 2);
	ck_assert_uint_eq(d.a->stats.claims, 0);
	ck_assert_uint_eq(drawn_type(&d, b), M);
	drawn_destroy(&d);
}
END_TEST

/* Each second an eighth of the limit, and what lies above it. */
START_TEST(what_lies_idle_decays)
{
	drawn_create(&d, backend(_i), ":pcp_batch=4", NR_PAGES, 1);
	drawn_adopt(&d, 0, 9, 0);
	pcp_of(0)->high = 400;
	for (unsigned long pfn = 0; pfn < 399; pfn++)
		drawn_free(&d, pfn, 0);
	ck_assert_int_eq(pcp_of(0)->count, 399);

	ck_assert(allocator_tick(d.a, 1));
	ck_assert_int_eq(pcp_of(0)->high, 350);
	ck_assert_int_eq(pcp_of(0)->count, 350);
	for (unsigned int second = 0; second < 30; second++)
		(void)allocator_tick(d.a, second);
	ck_assert_int_eq(pcp_of(0)->high, 16);
	ck_assert_int_eq(pcp_of(0)->count, 16);
	ck_assert(!allocator_tick(d.a, 31));
	drawn_destroy(&d);
}
END_TEST

/* 1199 are idle: an eighth off the limit were 1050, but 128 go at a time. */
START_TEST(what_lies_idle_goes_in_32_batches_at_most)
{
	drawn_create(&d, backend(_i), ":pcp_batch=4", NR_PAGES, 1);
	for (unsigned long pfn = 0; pfn < 1536; pfn += 512)
		drawn_adopt(&d, pfn, 9, 0);
	pcp_of(0)->high = 1200;
	for (unsigned long pfn = 0; pfn < 1199; pfn++)
		drawn_free(&d, pfn, 0);
	allocator_tick(d.a, 1);
	ck_assert_int_eq(pcp_of(0)->high, 1071);
	ck_assert_int_eq(pcp_of(0)->count, 1071);
	drawn_destroy(&d);
}
END_TEST

/*
 *   parked    [ huge ][ huge ][ huge ]     1536 pages
 *   limit     1536 - 1536 / 8 = 1344, but at most batch << 5 = 128 pages go
 *             at once: 32 batches of 4 pages, and a huge page for each
 */
START_TEST(a_batch_of_ageing_takes_a_block_however_large)
{
	struct page_counts n;

	drawn_create(&d, backend(_i), ":pcp_batch=4", NR_PAGES, 1);
	pcp_of(0)->high_max = 4096;
	for (unsigned long pfn = 0; pfn < 3 * PAGEBLOCK_NR_PAGES; pfn += PAGEBLOCK_NR_PAGES)
		allocator_release_pcp(d.a, pfn, PAGEBLOCK_ORDER, 0);
	ck_assert_int_eq(pcp_of(0)->count, 3 * PAGEBLOCK_NR_PAGES);
	pcp_of(0)->high = 3 * PAGEBLOCK_NR_PAGES;

	allocator_tick(d.a, 1);
	allocator_counts(d.a, 0, &n);
	ck_assert_uint_eq(n.pcp, 0);
	for (unsigned long pfn = 0; pfn < 2; pfn++)
		allocator_release_pcp(d.a, (4 + pfn) * PAGEBLOCK_NR_PAGES, PAGEBLOCK_ORDER, 0);
	pcp_of(0)->high = 2 * PAGEBLOCK_NR_PAGES + 145;	/* 1169 - 146 = 1023: one page over */
	allocator_tick(d.a, 2);
	allocator_counts(d.a, 0, &n);
	ck_assert_uint_eq(n.pcp, PAGEBLOCK_NR_PAGES);
	drawn_destroy(&d);
}
END_TEST

/* Not below the floor or what is parked, not above the ceiling, not if fixed. */
static const struct { const char *options; unsigned long pages; int high; } limits[] = {
	{ ":pcp_batch=4", 200, 200 },
	{ ":pcp_batch=4", 3, 20 },		/* parked */
	{ ":pcp_batch=8", 3, 32 },		/* 4 batches */
	{ ":pcp_batch=4", 1000000, NR_PAGES / 8 / 2 },
	{ ":pcp_batch=4:pcp_high=100", 300, 100 },
};

START_TEST(a_limit_may_be_given_from_the_start)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		drawn_create(&d, backend(_i), limits[i].options, NR_PAGES, 2);
		for (unsigned long pfn = 0; pfn < 20; pfn++)
			allocator_release_pcp(d.a, 2 * pfn, 0, 1);
		allocator_limit_pcp(d.a, 0, 1, limits[i].pages);
		ck_assert_int_eq(pcp_of(1)->high, limits[i].high);
		ck_assert_int_eq(pcp_of(0)->high, pcp_of(0)->high_min);
		drawn_destroy(&d);
	}
	drawn_create(&d, backend(_i), ":pcp=off", NR_PAGES, 2);
	allocator_limit_pcp(d.a, 0, 1, 300);	/* nothing to limit */
	drawn_destroy(&d);
}
END_TEST

START_TEST(free_high_drains_at_once)
{
	drawn_create(&d, backend(_i), ":pcp_batch=4", NR_PAGES, 1);
	drawn_adopt(&d, 0, 9, 1);
	pcp_of(0)->high = 400;
	for (unsigned long pfn = 0; pcp_of(0)->high == 400 && pfn < 512; pfn += 2)
		drawn_free(&d, pfn, 1);
	/* At the seventh free 12 pages or more were freed before: 4 + 16 / 2. */
	ck_assert_int_eq(pcp_of(0)->high, 400 - (4 << 5));
	ck_assert_int_eq(pcp_of(0)->count, 0);
	ck_assert_uint_eq(d.a->stats.frees, 7);
	drawn_destroy(&d);
}
END_TEST

START_TEST(a_request_empties_the_lists_of_others_before_it_fails)
{
	drawn_create(&d, backend(_i), ":pcp_batch=4:pcp_high=100", NR_PAGES, 2);
	drawn_adopt(&d, 0, 3, 0);
	for (unsigned long pfn = 0; pfn < 8; pfn++)
		free_pages(d.a, pfn, 0, 1);
	ck_assert_uint_eq(alloc_on(0, 3, M), 0);
	ck_assert_uint_eq(alloc_on(0, 3, M), PFN_NONE);
	drawn_destroy(&d);
}
END_TEST

/* At the start: the last one parked is the first one handed out. */
START_TEST(blocks_may_be_parked_from_the_start)
{
	static const char *const options[] = { ":pcp_batch=4", ":pcp=off" };

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		struct page_counts n;

		drawn_create(&d, backend(_i), options[i], NR_PAGES, 2);
		for (unsigned long pfn = 0; pfn < 128; pfn += 2)
			allocator_release_pcp(d.a, pfn, 0, 1);
		allocator_release_pcp(d.a, 1024, 4, 1);	/* no such list */
		allocator_counts(d.a, 0, &n);
		ck_assert_uint_eq(n.pcp, i ? 0 : 64);
		ck_assert_uint_eq(n.free + n.nodes, i ? 80 : 16);
		if (!i)
			ck_assert_int_eq(pcp_of(1)->high, 64);
		ck_assert_uint_eq(alloc_on(1, 0, M), 126);
		drawn_destroy(&d);
	}
}
END_TEST

START_TEST(a_lost_page_is_found_by_verify)
{
	uint64_t last;
	struct msg msg;

	drawn_create(&d, backend(_i), ":pcp_batch=4:pcp_high=100", NR_PAGES, 1);
	drawn_adopt(&d, 0, 3, 0);
	for (unsigned long pfn = 0; pfn < 8; pfn++)
		drawn_free(&d, pfn, 0);
	pcp_of(0)->count++;
	ck_assert_int_eq(allocator_verify(d.a, &msg), -EUCLEAN);
	ck_assert_ptr_nonnull(strstr(msg.text, "CPU 0"));
	pcp_of(0)->count--;
	last = pcp_of(0)->lists[M].last;
	pcp_of(0)->lists[M].last = LINK_END;
	ck_assert_int_eq(allocator_verify(d.a, &msg), -EUCLEAN);
	ck_assert_ptr_nonnull(strstr(msg.text, "per-CPU list 1"));
	pcp_of(0)->lists[M].last = last;
	drawn_destroy(&d);
}
END_TEST

/* --- the list with one word ------------------------------------------- */

#define NR_LINKS 64

static unsigned long links[NR_LINKS];

static unsigned long *link_at(const struct buddy *b, unsigned long pfn)
{
	(void)b;
	return &links[pfn];
}

/* A window [first, last] on the line of members 0, 1, ... stands beside it. */
START_TEST(a_list_with_one_word_has_two_ends)
{
	struct link_list list = { LINK_END, LINK_END };
	unsigned long line[2 * NR_LINKS], first = NR_LINKS, nr = 0;
	struct rng rng;

	rng_seed(&rng, 1);
	for (unsigned int i = 0; i < 100000; i++) {
		enum list_end end = rng_below(&rng, 2) ? LIST_HEAD : LIST_TAIL;
		unsigned long pfn = 0;

		if (nr && (rng_below(&rng, 2) || nr == NR_LINKS / 2)) {
			pfn = end == LIST_HEAD ? line[first++] : line[first + nr - 1];
			nr--;
			if (xor_list_pop(NULL, &list, link_at, end) != pfn)
				ck_abort_msg("operation %u pops another member", i);
			continue;
		}
		for (unsigned long at = 0; at < nr;)
			if (line[first + at++] == pfn) {
				pfn++;
				at = 0;
			}
		if (first == 0 || first + nr == 2 * NR_LINKS) {
			memmove(line + NR_LINKS / 2, line + first, nr * sizeof(*line));
			first = NR_LINKS / 2;
		}
		if (end == LIST_HEAD)
			line[--first] = pfn;
		else
			line[first + nr] = pfn;
		nr++;
		xor_list_push(NULL, &list, link_at, pfn, end);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("per-CPU lists");
	TCase *tc = tcase_create("sizes"), *blocks = tcase_create("blocks");

	tcase_add_loop_test(tc, lists_are_sized_by_zone_and_cpus, 0, ARRAY_SIZE(sizes));
	tcase_add_test(tc, recorded_sizes_and_options_win);
	tcase_add_test(tc, lists_hold_their_share_of_the_low_mark_at_least);
	tcase_add_test(tc, a_refill_doubles_until_something_is_freed);
	tcase_add_test(tc, a_refill_fits_under_the_limit);
	tcase_add_loop_test(tc, a_refill_of_larger_blocks_is_a_batch_and_two_blocks_at_least,
			    0, ARRAY_SIZE(refills));
	tcase_add_test(tc, a_zone_in_need_keeps_less);
	tcase_add_test(tc, the_limit_rises_to_hold_what_is_being_freed);
	tcase_add_loop_test(tc, a_drain_gives_back_what_was_freed_lately, 0,
			    ARRAY_SIZE(drains));
	tcase_add_test(tc, two_high_orders_in_a_row_free_high_when_much_was_freed);
	tcase_add_test(tc, a_list_with_one_word_has_two_ends);
	suite_add_tcase(suite, tc);

#define EVERY(test) tcase_add_loop_test(blocks, test, 0, NR_DRAWN_BACKENDS)
	EVERY(a_cpu_gets_back_what_it_freed_last);
	EVERY(parked_memory_is_reported_and_joins_when_drained);
	EVERY(a_drain_takes_from_the_tail);
	EVERY(a_drain_begins_with_the_list_of_the_free_and_goes_round);
	EVERY(an_empty_list_takes_a_batch_and_hands_it_out_in_order);
	EVERY(a_miss_of_a_huge_page_takes_two);
	EVERY(some_requests_go_straight_to_the_free_lists);
	EVERY(a_freed_page_is_filed_under_its_pageblock);
	EVERY(a_refill_that_stole_goes_on_stealing);
	EVERY(what_lies_idle_decays);
	EVERY(what_lies_idle_goes_in_32_batches_at_most);
	EVERY(a_batch_of_ageing_takes_a_block_however_large);
	EVERY(a_limit_may_be_given_from_the_start);
	EVERY(free_high_drains_at_once);
	EVERY(a_request_empties_the_lists_of_others_before_it_fails);
	EVERY(blocks_may_be_parked_from_the_start);
	EVERY(a_lost_page_is_found_by_verify);
#undef EVERY
	suite_add_tcase(suite, blocks);
	return run_suite(suite);
}
