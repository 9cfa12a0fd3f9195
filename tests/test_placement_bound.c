/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_placement_bound.c - how whole can memory stay under the bench's pattern c?
 *
 * Blocks of orders 0 to 9, each half as likely as the one below it, live as long
 * as chance wills; what is freed is asked for again at once. The allocator here
 * looks at every pageblock for every request and takes the best, at a cost no
 * design could bear. It starts with all blocks packed, not scattered. What share
 * of free memory it can keep in whole pageblocks is a mark for rules that are
 * told as little about lifetimes and look at less (placement.h).
 *
 *    holes[o]   bit i set: the i-th block of order o of the pageblock is free,
 *               and its buddy is not
 *
 * PAGETAX_PAGEBLOCKS (128), PAGETAX_LIFETIMES (12): machine and length of the run,
 * the second half of which counts. 2048 pageblocks are 4 GiB.
 */
#include <stdio.h>
#include <stdlib.h>

#include <check.h>

#include "base/bits.h"
#include "base/rng.h"
#include "machine/layout.h"

#define MEAN_PAGES 5.5			/* 9 orders of half a page each, and the last of one */

struct pageblock {
	uint64_t holes[PAGEBLOCK_ORDER + 1][PAGEBLOCK_NR_PAGES / 64];
	unsigned int nr_holes[PAGEBLOCK_ORDER + 1];
	unsigned int free;		/* pages */
	unsigned int nr_used;		/* blocks */
};

struct used_block {
	uint32_t pfn;
	uint32_t order;
};

struct memory {
	struct pageblock *blocks;
	unsigned long nr_blocks;
	struct used_block *used;
	unsigned long nr_used;
	unsigned long used_pages;
	uint64_t asked, refused;	/* requests of PAGEBLOCK_ORDER */
};

/* Which of the pageblocks that can serve a request does; the least value wins. */
typedef long value_of(const struct pageblock *block, unsigned int hole);

static long fullest(const struct pageblock *block, unsigned int hole)
{
	(void)hole;
	return block->free;
}

static long smallest_hole_then_fullest(const struct pageblock *block, unsigned int hole)
{
	return (long)(hole * 2 * PAGEBLOCK_NR_PAGES + block->free);
}

/* Of what holds few blocks, most will be gone first. */
static long most_blocks(const struct pageblock *block, unsigned int hole)
{
	(void)hole;
	return -(long)block->nr_used;
}

static long smallest_hole_then_most_blocks(const struct pageblock *block, unsigned int hole)
{
	return (long)(hole * 2 * PAGEBLOCK_NR_PAGES) - (long)block->nr_used;
}

static const struct {
	const char *name;
	value_of *value;
} searches[] = {
	{ "the fullest pageblock", fullest },
	{ "the smallest hole, then the fullest pageblock", smallest_hole_then_fullest },
	{ "the pageblock of most blocks", most_blocks },
	{ "the smallest hole, then the pageblock of most blocks", smallest_hole_then_most_blocks },
};

static void hole_add(struct pageblock *block, unsigned int order, unsigned int i)
{
	block->holes[order][i / 64] |= UINT64_C(1) << i % 64;
	block->nr_holes[order]++;
}

static bool hole_at(const struct pageblock *block, unsigned int order, unsigned int i)
{
	return block->holes[order][i / 64] >> i % 64 & 1;
}

static void hole_del(struct pageblock *block, unsigned int order, unsigned int i)
{
	block->holes[order][i / 64] &= ~(UINT64_C(1) << i % 64);
	block->nr_holes[order]--;
}

static unsigned int first_hole(const struct pageblock *block, unsigned int order)
{
	unsigned int word = 0;

	while (!block->holes[order][word])
		word++;
	return word * 64 + lowest_bit(block->holes[order][word]);
}

/* The order of the smallest hole that fits; beyond the last: none. */
static unsigned int smallest_hole(const struct pageblock *block, unsigned int order)
{
	while (order <= PAGEBLOCK_ORDER && !block->nr_holes[order])
		order++;
	return order;
}

static struct pageblock *best_for(const struct memory *m, unsigned int order,
				  value_of *value)
{
	struct pageblock *best = NULL;
	long least = 0;

	for (unsigned long i = 0; i < m->nr_blocks; i++) {
		struct pageblock *block = &m->blocks[i];
		unsigned int hole;
		long v;

		if (block->free < 1U << order)
			continue;
		hole = smallest_hole(block, order);
		if (hole > PAGEBLOCK_ORDER)
			continue;
		/* A whole pageblock comes last. */
		v = block->nr_used ? value(block, hole) : INT32_MAX;
		if (!best || v < least) {
			best = block;
			least = v;
		}
	}
	return best;
}

static bool take(struct memory *m, unsigned int order, value_of *value)
{
	struct pageblock *block = best_for(m, order, value);
	unsigned int hole, i;

	if (!block)
		return false;
	hole = smallest_hole(block, order);
	i = first_hole(block, hole);
	hole_del(block, hole, i);
	while (hole > order)
		hole_add(block, --hole, (i *= 2) + 1);
	block->free -= 1U << order;
	block->nr_used++;
	m->used_pages += 1UL << order;
	m->used[m->nr_used++] = (struct used_block){
		(uint32_t)((unsigned long)(block - m->blocks) * PAGEBLOCK_NR_PAGES + (i << order)),
		order,
	};
	return true;
}

static void give_random(struct memory *m, struct rng *rng)
{
	unsigned long at = rng_next(rng) % m->nr_used;
	struct used_block u = m->used[at];
	struct pageblock *block = &m->blocks[u.pfn / PAGEBLOCK_NR_PAGES];
	unsigned int order = u.order, i = u.pfn % PAGEBLOCK_NR_PAGES >> order;

	m->used[at] = m->used[--m->nr_used];
	m->used_pages -= 1UL << order;
	block->free += 1U << order;
	block->nr_used--;
	for (; order < PAGEBLOCK_ORDER && hole_at(block, order, i ^ 1); order++, i /= 2)
		hole_del(block, order, i ^ 1);
	hole_add(block, order, i);
}

static double share_whole(const struct memory *m)
{
	unsigned long whole = 0;

	for (unsigned long i = 0; i < m->nr_blocks; i++)
		whole += !m->blocks[i].nr_used;
	return (double)(whole * PAGEBLOCK_NR_PAGES) /
	       (double)(m->nr_blocks * PAGEBLOCK_NR_PAGES - m->used_pages);
}

static unsigned long from_environment(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

static void step(struct memory *m, struct rng *rng, unsigned long target, value_of *value)
{
	unsigned int order;

	if (m->used_pages >= target) {
		give_random(m, rng);
		return;
	}
	order = lowest_bit(rng_next(rng) | 1UL << PAGEBLOCK_ORDER);
	m->asked += order == PAGEBLOCK_ORDER;
	if (!take(m, order, value)) {
		m->refused += order == PAGEBLOCK_ORDER;
		give_random(m, rng);
	}
}

/* The mean share, of the second half of the run. */
static double share_kept(unsigned int percent, unsigned int search)
{
	struct memory m = { .nr_blocks = from_environment("PAGETAX_PAGEBLOCKS", 128) };
	unsigned long pages = m.nr_blocks * PAGEBLOCK_NR_PAGES;
	unsigned long target = pages / 100 * percent;
	unsigned long steps = (unsigned long)(2 * (double)target / MEAN_PAGES *
		(double)from_environment("PAGETAX_LIFETIMES", 12));
	unsigned long samples = 0;
	struct rng rng;
	double sum = 0;

	rng_seed(&rng, 1);
	m.blocks = calloc(m.nr_blocks, sizeof(*m.blocks));
	m.used = calloc(pages, sizeof(*m.used));
	ck_assert(m.blocks && m.used);
	for (unsigned long i = 0; i < m.nr_blocks; i++) {
		hole_add(&m.blocks[i], PAGEBLOCK_ORDER, 0);
		m.blocks[i].free = PAGEBLOCK_NR_PAGES;
	}
	for (unsigned long i = 0; i < steps; i++) {
		step(&m, &rng, target, searches[search].value);
		if (i > steps / 2 && i % 256 == 0) {
			sum += share_whole(&m);
			samples++;
		}
	}
	printf("%u %% of %lu pageblocks in use, %s: %.1f %% of free memory whole; of order %d %.1f %% refused\n",
	       percent, m.nr_blocks, searches[search].name, 100 * sum / (double)samples,
	       PAGEBLOCK_ORDER, 100 * (double)m.refused / (double)m.asked);
	free(m.blocks);
	free(m.used);
	return sum / (double)samples;
}

START_TEST(no_search_keeps_nine_tenths_whole_at_95_percent)
{
	ck_assert_double_lt(share_kept(95, (unsigned int)_i), 0.9);
}
END_TEST

START_TEST(half_full_the_best_search_keeps_most_of_it_whole)
{
	ck_assert_double_gt(share_kept(50, ARRAY_SIZE(searches) - 1), 0.8);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("placement_bound");
	TCase *tc = tcase_create("searches");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 600);
	tcase_add_loop_test(tc, no_search_keeps_nine_tenths_whole_at_95_percent, 0,
			    (int)ARRAY_SIZE(searches));
	tcase_add_test(tc, half_full_the_best_search_keeps_most_of_it_whole);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
