/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_races.c - what two threads can do to each other in the lockless pools
 *
 * First every order of their touches on a tiny map (sim/bench/races.h), which
 * needs no luck: the races of the posted interleaved form must be found there,
 * and nothing in the others. Then real threads on a small crowded range, for
 * as long as one likes:
 *
 *    PAGETAX_OPS    operations of both threads together, for each backend;
 *                   a third of a million unless told
 *
 * Every unit has an owner's mark beside the range, written without any lock:
 * were a unit handed out twice, the marks would show it, and under
 * SANITIZE=thread the writes themselves.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/rng.h"
#include "sim/bench/races.h"
#include "tests/suite.h"

#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZED 1
#endif
#endif
#ifndef THREAD_SANITIZED
#define THREAD_SANITIZED 0
#endif

static const char *const lockless[] = {
	"genalloc", "genalloc_twobit", "genalloc_split",
};

static struct race_result run_race(const char *spec, const struct race *race)
{
	struct race_result result;
	struct msg msg = { "" };

	ck_assert_msg(race_run(spec, race, &result, &msg) == 0, "%s", msg.text);
	ck_assert_uint_gt(result.runs, 10);
	return result;
}

static const struct race *find_race(const char *name)
{
	const struct race *race = races;

	while (strcmp(race->name, name))
		race++;
	return race;
}

START_TEST(no_order_of_two_threads_goes_wrong)
{
	for (const struct race *race = races; race->name; race++) {
		struct race_result r = run_race(lockless[_i], race);

		ck_assert_msg(r.leaks + r.wiped + r.refused + r.endless == 0,
			      "%s, %s", lockless[_i], race->name);
	}
}
END_TEST

START_TEST(as_posted_a_claim_leaves_units_behind)
{
	struct race_result r = run_race("genalloc_twobit:as-posted=on",
					find_race("two claims"));

	ck_assert_uint_gt(r.leaks, 0);
	ck_assert_uint_gt(r.wiped, 0);
}
END_TEST

START_TEST(as_posted_a_release_wipes_the_next_owner_out)
{
	struct race_result r = run_race("genalloc_twobit:as-posted=on",
					find_race("a release and a claim"));

	ck_assert_uint_gt(r.wiped, 0);
	ck_assert_uint_gt(r.endless, 0);
}
END_TEST

/* Bodies that still stand in the second word pass for the new run's own. */
START_TEST(a_run_is_released_from_its_end)
{
	struct race_result up = run_race("genalloc_twobit:release=up",
					 &race_two_words);
	struct race_result down = run_race("genalloc_twobit", &race_two_words);

	ck_assert_uint_gt(up.refused, 0);
	ck_assert_uint_eq(down.leaks + down.wiped + down.refused + down.endless, 0);
}
END_TEST

/* A neighbour between its two writes has neither tail nor free unit. */
START_TEST(with_separate_maps_a_lockless_free_cannot_look_for_heads)
{
	struct race_result r = run_race("genalloc_split:heads=checked",
					find_race("two releases"));

	ck_assert_uint_gt(r.refused, 0);
	ck_assert_uint_eq(r.wiped, 0);
}
END_TEST

/* -- real threads --------------------------------------------------------------- */

#define NR_UNITS 300			/* no multiple of a word */
#define MAX_RUN 40
#define MAX_HELD 6

struct ring {
	struct range *range;
	unsigned char owner[NR_UNITS];	/* plain: only the owner writes */
	pthread_barrier_t start;
};

struct fighter {
	struct ring *ring;
	unsigned char mark;
	uint64_t nr_ops;
	uint64_t nr_wrong;		/* units or frees that were not right */
	struct {
		unsigned long at, nr;
	} held[MAX_HELD];
	unsigned int nr_held;
};

static void mark_units(struct fighter *f, unsigned long at, unsigned long nr,
		       unsigned char from, unsigned char to)
{
	for (unsigned long unit = at; unit < at + nr; unit++) {
		f->nr_wrong += f->ring->owner[unit] != from;
		f->ring->owner[unit] = to;
	}
}

static void take(struct fighter *f, struct rng *rng)
{
	unsigned long nr = 1 + (unsigned long)rng_below(rng, MAX_RUN);
	unsigned long at = range_alloc(f->ring->range, nr, 1, NULL);

	if (at == RANGE_NONE)
		return;
	mark_units(f, at, nr, 0, f->mark);
	f->held[f->nr_held].at = at;
	f->held[f->nr_held++].nr = nr;
}

static void give(struct fighter *f, struct rng *rng)
{
	unsigned int i = (unsigned int)rng_below(rng, f->nr_held);
	unsigned long at = f->held[i].at, nr = f->held[i].nr;

	f->held[i] = f->held[--f->nr_held];
	mark_units(f, at, nr, f->mark, 0);
	f->nr_wrong += range_free(f->ring->range, at, nr) != RANGE_OK;
}

static void *fight(void *arg)
{
	struct fighter *f = arg;
	struct rng rng;

	rng_seed(&rng, f->mark);
	pthread_barrier_wait(&f->ring->start);
	for (uint64_t i = 0; i < f->nr_ops; i++) {
		if (f->nr_held == MAX_HELD ||
		    (f->nr_held && rng_below(&rng, 2)))
			give(f, &rng);
		else
			take(f, &rng);
	}
	while (f->nr_held)
		give(f, &rng);
	return NULL;
}

static uint64_t total_ops(void)
{
	const char *text = getenv("PAGETAX_OPS");

	return text && *text ? strtoull(text, NULL, 0) : UINT64_C(333334);
}

START_TEST(two_threads_lose_nothing)
{
	struct fighter fighters[2] = { { .mark = 1 }, { .mark = 2 } };
	pthread_t threads[2];
	struct machine *machine;
	struct layout layout;
	struct ring ring = { 0 };
	struct msg msg = { "" };

	ck_assert_int_eq(layout_flat(&layout, 16, 2, &msg), 0);
	ck_assert_int_eq(machine_create(&machine, &layout, WINDOW_ARITH, &msg), 0);
	ck_assert_int_eq(range_create(&ring.range, lockless[_i], machine, &msg), 0);
	ck_assert_int_eq(range_add_free(ring.range, 0, NR_UNITS), 0);
	ck_assert_int_eq(ring.range->caps.concurrency, RANGE_LOCKFREE);

	pthread_barrier_init(&ring.start, NULL, 2);
	for (unsigned int i = 0; i < 2; i++) {
		fighters[i].ring = &ring;
		fighters[i].nr_ops = total_ops() / 2;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, fight,
						&fighters[i]), 0);
	}
	for (unsigned int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_uint_eq(fighters[i].nr_wrong, 0);
	}
	pthread_barrier_destroy(&ring.start);

	ck_assert_uint_eq(ring.range->ops->nr_free(ring.range), NR_UNITS);
	ck_assert(range_is_free(ring.range, 0, NR_UNITS));
	ck_assert_msg(ring.range->ops->verify(ring.range, &msg) == 0, "%s", msg.text);
	range_destroy(ring.range);
	machine_destroy(machine);
	layout_free(&layout);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("races");
	TCase *orders = tcase_create("every order");
	TCase *threads = tcase_create("two threads");

	/* The ThreadSanitizer does not follow coroutines; here one thread runs. */
	tcase_set_timeout(orders, 0);
	if (!THREAD_SANITIZED) {
		tcase_add_loop_test(orders, no_order_of_two_threads_goes_wrong, 0,
				    ARRAY_SIZE(lockless));
		tcase_add_test(orders, as_posted_a_claim_leaves_units_behind);
		tcase_add_test(orders, as_posted_a_release_wipes_the_next_owner_out);
		tcase_add_test(orders, a_run_is_released_from_its_end);
		tcase_add_test(orders, with_separate_maps_a_lockless_free_cannot_look_for_heads);
	}
	suite_add_tcase(suite, orders);

	tcase_set_timeout(threads, 0);
	tcase_add_loop_test(threads, two_threads_lose_nothing, 0,
			    ARRAY_SIZE(lockless));
	suite_add_tcase(suite, threads);
	return run_suite(suite);
}
