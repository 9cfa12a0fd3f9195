/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tiny_explore.c - no sequence of operations, of any length, breaks a buddy
 * allocator on a machine of a dozen pages
 *
 * Every reachable state is visited and fully checked (explore.h), on pages so
 * small that a list of a few entries already needs nodes, if the inline slots
 * are fewer: 16 of them serve a dozen pages without one, 3 and less do not.
 *
 *    PAGETAX_FRAMES   pages, 12 unless told (some rows take fewer); each more
 *                     costs two to five times the states
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <check.h>

#include "tests/explore.h"
#include "tests/suite.h"

#define FULL_FRAMES 12			/* enough for each row to show what it is there for */

/* Sanitizers cost a factor of ten. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DEFAULT_FRAMES 10
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DEFAULT_FRAMES 10
#endif
#endif
#ifndef DEFAULT_FRAMES
#define DEFAULT_FRAMES FULL_FRAMES
#endif

/* 2 GiB of host memory, at 28 bytes a state and the table half full. */
#define MAX_STATES (UINT64_C(2) << 30 >> 5)

/* One type of page, no per-CPU lists, every block to the head of its list. */
#define QUEUED ":mobility=off:pcp=off:tail_rule=off"
#define BARE QUEUED ":lookahead=0"

/*
 * Variants that remember more have more states for the same pages: where a
 * list's entries stand in its leaves, and with punch where the holes are. They
 * get fewer pages.
 *
 * The naive ones stay as negative tests: with few inline slots nodes can keep
 * each other alive for ever (so with 3 where the zone's ragged ends are small
 * blocks too), and with none one free may use up two pages.
 */
static const struct {
	struct explore_case c;
	unsigned int fewer;		/* pages */
	bool makes_nodes;		/* or the run would prove little */
	unsigned int consumed;		/* pages, by one free of order 0 */
	uint64_t states;		/* at least: a fingerprint that forgets loses some */
} table[] = {
#if PAGE_SHIFT == 8
	/*
	 * Pages that hold five structs buddy: in whose slab each block's struct
	 * is makes states many, 41860 with 8 pages, 6592784 with 9.
	 */
	{ { .spec = "memdesc:reserve=6" BARE, .keeps_nodes = true }, 4, true, 0, 41000 },
	{ { .spec = "memdesc:reserve=6" BARE, .highmem = true, .keeps_nodes = true }, 5, true, 0, 380 },
	{ { .spec = "memdesc:reserve=3" BARE, .keeps_nodes = true }, 5, true, 0, 140 },
#elif PAGE_SHIFT == 9
	/* Ten: two slabs do for a dozen pages. */
	{ { .spec = "memdesc:reserve=6" BARE, .keeps_nodes = true }, 0, true, 0, 475000 },
	{ { .spec = "memdesc:reserve=6" BARE, .highmem = true, .keeps_nodes = true }, 0, true, 0, 475000 },
	{ { .spec = "memdesc:reserve=3" BARE, .keeps_nodes = true }, 0, true, 0, 478000 },
	{ { .spec = "memdesc:slabs=apart" BARE }, 0, false, 0, 464000 },
#else
	{ { .spec = "linked" BARE }, 0, false, 0, 229648 },
	{ { .spec = "linked" BARE, .start_pfn = 3 }, 1, false, 0, 101628 },
	{ { .spec = "embedded16" BARE }, 0, false, 0, 229648 },
	{ { .spec = "packed8" BARE }, 0, false, 0, 229648 },
	{ { .spec = "inpage" BARE, .highmem = true }, 0, false, 0, 229648 },
	{ { .spec = "twoword" BARE }, 0, false, 0, 229648 },
	{ { .spec = "twoword:inline=3" BARE }, 0, true, 1, 480000 },
	{ { .spec = "twoword:inline=3:hysteresis=4" BARE, .start_pfn = 3, .keeps_nodes = true }, 2, true, 1, 93000 },
	{ { .spec = "twoword:inline=3:hysteresis=4" BARE, .highmem = true }, 2, true, 1, 32000 },
	/* A tail, too: the more states, the larger the leaf. */
	{ { .spec = "twoword:inline=3:mobility=off:pcp=off:lookahead=0" }, PAGE_SHIFT < 5 ? 3 : 4, true, 1, PAGE_SHIFT == 5 ? 117000 : 225000 },
	{ { .spec = "twoword:inline=2" BARE, .keeps_nodes = true }, 2, true, 1, 57000 },
	{ { .spec = "twoword:inline=1" BARE, .keeps_nodes = true }, 1, true, 1, 300000 },
	{ { .spec = "twoword:inline=1" BARE, .highmem = true, .keeps_nodes = true }, 2, true, 1, 60000 },
	{ { .spec = "twoword:inline=0" BARE, .keeps_nodes = true }, 3, true, 2, 50000 },
	{ { .spec = "twoword:inline=1:removal=punch" BARE, .keeps_nodes = true }, 6, true, 1, 1400 },
	{ { .spec = "twoword:inline=1:relocate=off" BARE, .keeps_nodes = true }, 3, true, 1, 90000 },
	{ { .spec = "twoword:inline=3:hysteresis=4:entry=8" BARE }, 2, true, 1, 32000 },
	{ { .spec = "twoword:inline=1:nodes=boot" BARE }, 2, false, 0, 45000 },
	/* Freed blocks wait, and no request that could be served fails. */
	{ { .spec = "linked:lookahead=2" QUEUED }, 4, false, 0, 31000 },
	{ { .spec = "twoword:inline=1:lookahead=1" QUEUED, .keeps_nodes = true }, 4, true, 1, 22000 },
#if PAGE_SHIFT < 6	/* leaves of 16 entries: 6.7 million states on 7 pages */
	/*
	 * Where blocks stand follows from W, and from what was spared. The first
	 * never ended when a list could drop a leaf that its tail wanted next.
	 */
	{ { .spec = "twoword:inline=1:placement=watermark" BARE, .keeps_nodes = true }, 5, true, 1, 94000 },
	{ { .spec = "twoword:inline=2:placement=watermark" BARE }, 5, true, 1, 71000 },
	{ { .spec = "twoword:inline=1:relocate=off:placement=watermark" BARE, .keeps_nodes = true }, 6, true, 1, 52000 },
	{ { .spec = "twoword:inline=1:placement=spare" BARE, .keeps_nodes = true }, 6, true, 1, 187000 },
	{ { .spec = "linked:placement=watermark" BARE }, 1, false, 0, 44000 },
	{ { .spec = "linked:placement=spare" BARE }, 5, false, 0, 21000 },
	{ { .spec = "linked:placement=lowest" BARE }, 1, false, 0, 101000 },
#endif
	/* A map is the set of blocks held: as many as there are, and no more. */
	{ { .spec = "genalloc" }, 0, false, 0, 17602 },
	{ { .spec = "genalloc:fit=best", .start_pfn = 3 }, 0, false, 0, 13520 },
	{ { .spec = "genalloc_twobit" }, 0, false, 0, 17602 },
	{ { .spec = "genalloc_split" }, 0, false, 0, 17602 },
	{ { .spec = "genalloc_split:lengths=tree", .start_pfn = 3 }, 0, false, 0, 13520 },
	{ { .spec = "hybrid" }, 0, false, 0, 4096 },
	/* Hints and the order of lists remember more. */
	{ { .spec = "percpu_map" }, 0, false, 0, 285000 },
	{ { .spec = "percpu_map:pages=2" }, 1, false, 0, 102000 },
	{ { .spec = "percpu_bitmap" }, 0, false, 0, 184000 },
	{ { .spec = "percpu_bitmap:pages=1" }, 0, false, 0, 184000 },
	{ { .spec = "percpu_bitmap:depopulate=on:pages=1" }, 1, false, 0, 61000 },
	{ { .spec = "percpu_bitmap:version=4.14" }, 1, false, 0, 23000 },
	{ { .spec = "nta" }, 0, false, 0, 29000 },
	{ { .spec = "nta:version=posted" }, 0, false, 0, 29000 },
	{ { .spec = "nta_trimmed" }, 0, false, 0, 76000 },
	/* One tree, which is reserved by nobody; and two, 4 pages and 6. */
	{ { .spec = "llfree" }, 0, false, 0, 17602 },
	{ { .spec = "llfree", .start_pfn = 4092 }, 2, false, 0, 15000 },
	{ { .spec = "llfree:reserve_on_free=on", .start_pfn = 4092 }, 4, false, 0, 17600 },
#endif
};

/* From here on known states are not checked again. */
#define MANY_PAGES 11

static unsigned long nr_frames(void)
{
	const char *text = getenv("PAGETAX_FRAMES");

	return text && *text ? strtoul(text, NULL, 0) : DEFAULT_FRAMES;
}

static double cpu_seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

START_TEST(every_reachable_state_keeps_every_invariant)
{
	struct explore_case c = table[_i].c;
	struct explore_result r;
	struct msg msg = { "" };
	double start = cpu_seconds();
	int err;

	c.nr_pages = max_t(unsigned long, nr_frames(), table[_i].fewer + 1) -
		     table[_i].fewer;
	c.max_states = MAX_STATES;
	c.check_known = c.nr_pages < MANY_PAGES;
	err = explore(&c, &r, &msg);
	printf("%-30s %s%lu pages from %lu: %" PRIu64 " states, %" PRIu64
	       " transitions, depth %u, %" PRIu64 " nodes, %" PRIu64
	       " drain steps, %.1f s%s\n",
	       c.spec, c.highmem ? "highmem, " : "", c.nr_pages, c.start_pfn, r.states,
	       r.transitions, r.depth, r.most_nodes, r.most_drain_steps,
	       cpu_seconds() - start, r.complete ? "" : " (cut)");
	fflush(stdout);

	ck_assert_msg(err == 0, "%s", msg.text);
	ck_assert_msg(r.complete, "%s: more than %" PRIu64 " states", c.spec,
		      c.max_states);
	ck_assert_uint_gt(r.states, c.nr_pages);
	ck_assert_uint_le(r.most_maps, 2);
	ck_assert_uint_le(r.most_consumed, table[_i].consumed);
	if (nr_frames() < FULL_FRAMES)
		return;
	ck_assert_uint_ge(r.states, table[_i].states);
	ck_assert_uint_eq(r.most_consumed, table[_i].consumed);
	ck_assert_msg((r.most_nodes > 0) == table[_i].makes_nodes,
		      "%s: %" PRIu64 " nodes at most", c.spec, r.most_nodes);
	ck_assert_msg((r.most_nodes_left > 0) == c.keeps_nodes,
		      "%s: %" PRIu64 " nodes are left where all is free", c.spec,
		      r.most_nodes_left);
}
END_TEST

/* So few that every way into every state can be looked at. */
#define FUTURE_PAGES 7
#define FUTURE_STATES 20000		/* what a row may have: the variants that remember more have more */

START_TEST(states_with_one_fingerprint_have_one_future)
{
	struct explore_case c = table[_i].c;
	struct explore_result r;
	struct msg msg = { "" };

	c.nr_pages = FUTURE_PAGES;
	c.max_states = FUTURE_STATES;
	c.check_futures = true;
	ck_assert_msg(explore(&c, &r, &msg) == 0, "%s", msg.text);
	ck_assert_uint_gt(r.states, c.nr_pages);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("complete exploration");
	TCase *tc = tcase_create("buddies");

	tcase_set_timeout(tc, 0);
	tcase_add_loop_test(tc, every_reachable_state_keeps_every_invariant, 0,
			    ARRAY_SIZE(table));
	tcase_add_loop_test(tc, states_with_one_fingerprint_have_one_future, 0,
			    ARRAY_SIZE(table));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
