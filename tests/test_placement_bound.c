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
 * And what can be kept by no rule at all, as long as it moves nothing, however it
 * searches: that follows from the blocks in use alone, without an allocator.
 *
 *   At time t look back to t - u. Of the blocks of order i in use then, each is
 *   still in use with the same probability q_i, wherever it lies: what is freed is
 *   drawn by chance. A chunk of 2^j pages in which blocks smaller than that fill the
 *   share w_i by order i holds none of them any more with the probability
 *
 *      prod (1 - q_i)^(w_i 2^(j-i))  <=  1 - sum w_i (1 - (1 - q_i)^(2^(j-i)))
 *
 *   (weighted means; the shares add up to 1 at most). So however blocks were laid
 *   into chunks at t - u, at least sum_i 2^i n_i (1 - (1 - q_i)^(2^(j-i))) pages are
 *   in chunks that still hold one at t, for n_i blocks of order i < j then. What of
 *   it is beyond the pages that blocks smaller than 2^j fill at t is free, and in no
 *   whole pageblock. The largest such difference over j and u is the bound.
 *
 * It is a bound for rules that refuse no request, as one that keeps pageblocks whole.
 *
 * PAGETAX_PAGEBLOCKS (128), PAGETAX_LIFETIMES (12): machine and length of the run,
 * the second half of which counts. 2048 pageblocks are 4 GiB.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <check.h>

#include "base/bits.h"
#include "base/rng.h"
#include "machine/layout.h"
#include "tests/suite.h"

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
	return word * 64 + (unsigned int)__builtin_ctzll(block->holes[order][word]);
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

/* --- what no rule can do better ----------------------------------------- */

#define NR_ORDERS (PAGEBLOCK_ORDER + 1)
#define SAMPLES_A_LIFETIME 32
#define LOOK_BACK (2 * SAMPLES_A_LIFETIME)

/* What is in use, wherever it lies. */
struct population {
	unsigned char *order;		/* of each block */
	unsigned long nr;
	unsigned long nr_of[NR_ORDERS];
	unsigned long pages;
	double log_survival[NR_ORDERS];	/* sum of log(1 - 1/n) over its frees */
};

static void population_step(struct population *p, struct rng *rng, unsigned long target)
{
	unsigned int order;

	if (p->pages < target) {
		order = lowest_bit(rng_next(rng) | 1UL << PAGEBLOCK_ORDER);
		p->order[p->nr++] = (unsigned char)order;
		p->nr_of[order]++;
		p->pages += 1UL << order;
	} else {
		unsigned long at = rng_next(rng) % p->nr;

		order = p->order[at];
		p->order[at] = p->order[--p->nr];
		p->log_survival[order] += log1p(-1.0 / (double)p->nr_of[order]--);
		p->pages -= 1UL << order;
	}
}

/* Pages free now in chunks of 2^j pages that cannot have become empty since. */
static double holes_at_least(const struct population *now,
			     const struct population *then, unsigned int j)
{
	double pages = 0;

	for (unsigned int i = 0; i < j; i++) {
		double q = exp(now->log_survival[i] - then->log_survival[i]);
		double held = 1 - pow(1 - q, (double)(1UL << (j - i)));

		pages += (double)(then->nr_of[i] << i) * held -
			 (double)(now->nr_of[i] << i);
	}
	return pages;
}

static double most_holes(const struct population *now,
			 const struct population then[LOOK_BACK])
{
	double most = 0;

	for (unsigned int at = 0; at < LOOK_BACK; at++)
		for (unsigned int j = 1; j <= PAGEBLOCK_ORDER; j++)
			most = fmax(most, holes_at_least(now, &then[at], j));
	return most;
}

/* The mean share that a rule which moves nothing can keep whole, at most. */
static double share_at_most(unsigned int percent)
{
	unsigned long pages = from_environment("PAGETAX_PAGEBLOCKS", 128) * PAGEBLOCK_NR_PAGES;
	unsigned long target = pages / 100 * percent;
	unsigned long lifetime = (unsigned long)(2 * (double)target / MEAN_PAGES);
	unsigned long samples = from_environment("PAGETAX_LIFETIMES", 12) * SAMPLES_A_LIFETIME;
	struct population p = { .order = malloc(pages) };
	static struct population then[LOOK_BACK];
	double sum = 0, free_sum = 0;
	struct rng rng;

	rng_seed(&rng, 1);
	ck_assert_ptr_nonnull(p.order);
	while (p.pages < target)
		population_step(&p, &rng, target);
	for (unsigned long n = 0; n < LOOK_BACK + samples; n++) {
		if (n >= LOOK_BACK) {
			sum += most_holes(&p, then);
			free_sum += (double)(pages - p.pages);
		}
		then[n % LOOK_BACK] = p;
		for (unsigned long i = 0; i < lifetime / SAMPLES_A_LIFETIME; i++)
			population_step(&p, &rng, target);
	}
	printf("%u %% of %lu pageblocks in use, any rule that moves nothing: at most %.1f %% of free memory whole\n",
	       percent, pages / PAGEBLOCK_NR_PAGES, 100 * (1 - sum / free_sum));
	free(p.order);
	return 1 - sum / free_sum;
}

START_TEST(no_search_keeps_nine_tenths_whole_at_95_percent)
{
	ck_assert_double_lt(share_kept(95, (unsigned int)_i), 0.9);
}
END_TEST

START_TEST(no_rule_keeps_all_of_it_whole_and_no_search_beats_the_bound)
{
	double most = share_at_most(95);

	ck_assert_double_lt(most, 0.99);
	ck_assert_double_lt(share_kept(95, ARRAY_SIZE(searches) - 1), most);
	ck_assert_double_lt(share_kept(50, ARRAY_SIZE(searches) - 1), share_at_most(50));
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

	tcase_set_timeout(tc, 600);
	tcase_add_loop_test(tc, no_search_keeps_nine_tenths_whole_at_95_percent, 0,
			    (int)ARRAY_SIZE(searches));
	tcase_add_test(tc, half_full_the_best_search_keeps_most_of_it_whole);
	tcase_add_test(tc, no_rule_keeps_all_of_it_whole_and_no_search_beats_the_bound);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
