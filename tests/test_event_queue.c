/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_event_queue.c - the queue of events and the engine that empties it */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "base/rng.h"
#include "sim/engine.h"
#include "tests/suite.h"

START_TEST(an_empty_queue_gives_nothing)
{
	struct event_queue q;
	struct queue_entry e;

	event_queue_init(&q);
	ck_assert(event_queue_empty(&q));
	ck_assert(event_queue_next_ns(&q) == UINT64_MAX);
	ck_assert(!event_queue_pop(&q, &e));
	event_queue_destroy(&q);
}
END_TEST

START_TEST(entries_of_one_instant_leave_in_order_of_entry)
{
	struct event_queue q;
	struct queue_entry e;

	event_queue_init(&q);
	for (uint64_t i = 0; i < 1000; i++)
		must(event_queue_push(&q, i % 3, 7, i) == 0);
	for (uint64_t t = 0; t < 3; t++) {
		for (uint64_t i = t; i < 1000; i += 3) {
			must(event_queue_pop(&q, &e));
			must(e.time_ns == t);
			must(e.arg == i);
			must(e.source == 7);
		}
	}
	must(event_queue_empty(&q));
	event_queue_destroy(&q);
}
END_TEST

static void note_told(void *ctx, const struct queue_entry *e)
{
	bool *told = ctx;

	told[e->arg] = true;
}

/* In three ways: far ahead, all at one instant, and one by one. */
static const struct { uint64_t step_ns, first_ns; } crowds[] = {
	{ 100, 1000000 }, { 0, 1000000 }, { 1000, 1 },
};

START_TEST(entries_among_many_are_told_of_before_they_leave)
{
	enum { NR = 2000 };
	bool told[NR] = { false };
	struct event_queue q;
	struct queue_entry e;
	unsigned int late = 0;

	event_queue_init(&q);
	q.soon = note_told;
	q.soon_ctx = told;
	for (uint32_t i = 0; i < NR; i++)
		ck_assert_int_eq(event_queue_push(&q, crowds[_i].first_ns +
						  i * crowds[_i].step_ns, 0, i), 0);
	while (event_queue_pop(&q, &e))
		late += !told[e.arg];
	ck_assert_uint_lt(late, NR / 20);
	event_queue_destroy(&q);
}
END_TEST

/*
 * Pushes and pops at random. What leaves is never earlier than what left
 * before it since the last push of something earlier, and of equal times the
 * older entry (arg counts pushes) leaves first; sums show that nothing is lost.
 */
START_TEST(random_pushes_and_pops_keep_the_order)
{
	struct event_queue q;
	struct queue_entry e;
	struct rng rng;
	uint64_t in = 0, out = 0, pushed = 0, popped = 0, now = 0, last = 0;

	rng_seed(&rng, (uint64_t)_i);
	event_queue_init(&q);
	for (int step = 0; step < 300000; step++) {
		if (rng_below(&rng, 100) < (step < 150000 ? 55U : 45U)) {
			uint64_t time = now + rng_below(&rng, 50);

			must(event_queue_push(&q, time, 1, pushed) == 0);
			in += time * 31 + pushed++;
		} else if (event_queue_pop(&q, &e)) {
			if (popped && e.time_ns == now)
				must(e.arg > last);
			must(e.time_ns >= now);
			now = e.time_ns;
			last = e.arg;
			out += e.time_ns * 31 + e.arg;
			popped++;
		}
	}
	must(popped > 100000);
	while (event_queue_pop(&q, &e)) {
		must(e.time_ns > now || (e.time_ns == now && e.arg > last));
		now = e.time_ns;
		last = e.arg;
		out += e.time_ns * 31 + e.arg;
		popped++;
	}
	ck_assert(popped == pushed);
	ck_assert(in == out);
	event_queue_destroy(&q);
}
END_TEST

static int entry_compare(const void *a, const void *b)
{
	const struct queue_entry *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->arg < y->arg ? -1 : x->arg > y->arg;
}

/* Times of every size, many of them equal: as a stable sort would have them. */
START_TEST(near_and_far_times_leave_as_if_sorted)
{
	enum { NR = 20000 };
	static struct queue_entry want[NR];
	struct event_queue q;
	struct queue_entry e;
	struct rng rng;

	rng_seed(&rng, (uint64_t)_i);
	event_queue_init(&q);
	for (uint64_t i = 0; i < NR; i++) {
		uint64_t bits = rng_below(&rng, 63) + 1;
		uint64_t time = rng_next(&rng) >> (64 - bits);

		if (i && rng_below(&rng, 3) == 0)
			time = want[rng_below(&rng, i)].time_ns;
		want[i] = (struct queue_entry){ .time_ns = time, .arg = i };
		must(event_queue_push(&q, time, 0, i) == 0);
	}
	qsort(want, NR, sizeof(want[0]), entry_compare);
	for (uint64_t i = 0; i < NR; i++) {
		if (event_queue_next_ns(&q) != want[i].time_ns)
			ck_abort_msg("entry %d: wrong next time", (int)i);
		if (!event_queue_pop(&q, &e) || e.time_ns != want[i].time_ns ||
		    e.arg != want[i].arg)
			ck_abort_msg("entry %d is out of order", (int)i);
	}
	ck_assert(event_queue_empty(&q));
	event_queue_destroy(&q);
}
END_TEST

struct log {
	uint64_t times[16];
	unsigned int nr;
	unsigned int source;
	int fail_at;			/* call number, 0: never */
};

/* Ask for the next call `arg` later, four times over. */
static int periodic(struct engine *engine, void *ctx, uint32_t arg)
{
	struct log *log = ctx;

	log->times[log->nr++] = engine->now_ns;
	if (log->fail_at && log->nr == (unsigned int)log->fail_at)
		return -EIO;
	if (log->nr == 4)
		return 0;
	return engine_at(engine, engine->now_ns + arg, log->source, arg);
}

START_TEST(a_source_can_ask_to_be_called_again)
{
	struct engine engine;
	struct log log = { .nr = 0 };

	engine_init(&engine);
	log.source = engine_add_source(&engine, periodic, &log);
	ck_assert_int_eq(engine_at(&engine, 5, log.source, 10), 0);
	ck_assert_int_eq(engine_run(&engine, 4), 0);
	ck_assert_uint_eq(log.nr, 0);
	ck_assert_int_eq(engine_run(&engine, 25), 0);
	ck_assert_uint_eq(log.nr, 3);	/* at 5, 15 and 25: up to and including */
	ck_assert(engine.now_ns == 25);
	ck_assert_int_eq(engine_run(&engine, 1000), 0);
	ck_assert_uint_eq(log.nr, 4);
	ck_assert(log.times[3] == 35);
	ck_assert(engine.now_ns == 1000);
	engine_destroy(&engine);
}
END_TEST

START_TEST(a_source_that_fails_ends_the_run_there)
{
	struct engine engine;
	struct log log = { .fail_at = 2 };

	engine_init(&engine);
	log.source = engine_add_source(&engine, periodic, &log);
	ck_assert_int_eq(engine_at(&engine, 0, log.source, 10), 0);
	ck_assert_int_eq(engine_run(&engine, 1000), -EIO);
	ck_assert(engine.now_ns == 10);
	engine_destroy(&engine);
}
END_TEST

/*
 * Ticks, of which only those that find work are noted, and others who make some:
 * three ticks' worth each time.
 */
struct ticking {
	bool skip;			/* ticks that would do nothing */
	unsigned int work, calls;
	unsigned int ticker, worker;
	uint64_t notes[512];
	unsigned int nr;
};

static int tick(struct engine *engine, void *ctx, uint32_t arg)
{
	struct ticking *t = ctx;
	bool busy = t->work > 0;

	(void)arg;
	t->calls++;
	if (busy) {
		t->work--;
		t->notes[t->nr++] = engine->now_ns << 1;
	}
	return engine_tick(engine, t->ticker,
			   busy || !t->skip ? engine->now_ns : UINT64_MAX,
			   UINT64_C(1000000) * TICK_NS);
}

/* Asks again halfway between two ticks, or at a tick, now and then at once. */
static int work(struct engine *engine, void *ctx, uint32_t arg)
{
	struct ticking *t = ctx;

	t->work = 3;
	t->notes[t->nr++] = engine->now_ns << 1 | 1;
	return arg ? engine_at(engine, engine->now_ns + arg % 5 * arg % 97 * (TICK_NS / 2),
			       t->worker, arg - 1) : 0;
}

static void run_ticking(struct ticking *t, bool skip)
{
	struct engine engine;

	*t = (struct ticking){ .skip = skip };
	engine_init(&engine);
	t->ticker = engine_add_source(&engine, tick, t);
	t->worker = engine_add_source(&engine, work, t);
	ck_assert_int_eq(engine_at(&engine, TICK_NS, t->ticker, 0), 0);
	ck_assert_int_eq(engine_at(&engine, 7 * TICK_NS, t->worker, 100), 0);
	ck_assert_int_eq(engine_run(&engine, UINT64_C(1000000) * TICK_NS), 0);
	engine_destroy(&engine);
}

START_TEST(ticks_that_do_nothing_are_left_out_and_the_others_come_as_before)
{
	static struct ticking all, some;

	run_ticking(&all, false);
	run_ticking(&some, true);
	ck_assert_uint_gt(all.nr, 200);
	ck_assert_uint_eq(some.nr, all.nr);
	ck_assert_mem_eq(some.notes, all.notes, all.nr * sizeof(*all.notes));
	ck_assert_uint_eq(all.calls, 1000000);
	ck_assert_uint_lt(some.calls, 500);
}
END_TEST

/* Nor is one asked for where the clock would have to begin anew. */
START_TEST(the_last_tick_is_before_the_end_of_time)
{
	struct ticking t = { .nr = 0 };
	struct engine engine;

	engine_init(&engine);
	t.ticker = engine_add_source(&engine, tick, &t);
	engine.now_ns = UINT64_MAX - TICK_NS - 1;
	ck_assert_int_eq(engine_tick(&engine, t.ticker, UINT64_MAX - 1, UINT64_MAX - 1), 0);
	ck_assert(engine_next_ns(&engine) == UINT64_MAX - 1);
	engine.now_ns = UINT64_MAX - TICK_NS;
	engine_destroy(&engine);
	ck_assert_int_eq(engine_tick(&engine, t.ticker, UINT64_MAX - 1, UINT64_MAX - 1), 0);
	ck_assert(event_queue_empty(&engine.queue));
	engine.now_ns = 0;
	ck_assert_int_eq(engine_tick(&engine, t.ticker, UINT64_MAX - 1, UINT64_MAX - 1), 0);
	ck_assert(event_queue_empty(&engine.queue));
	engine_destroy(&engine);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("event_queue");
	TCase *tc = tcase_create("event_queue");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, an_empty_queue_gives_nothing);
	tcase_add_test(tc, entries_of_one_instant_leave_in_order_of_entry);
	tcase_add_loop_test(tc, entries_among_many_are_told_of_before_they_leave, 0,
			    sizeof(crowds) / sizeof(crowds[0]));
	tcase_add_loop_test(tc, random_pushes_and_pops_keep_the_order, 1, 5);
	tcase_add_loop_test(tc, near_and_far_times_leave_as_if_sorted, 1, 5);
	tcase_add_test(tc, a_source_can_ask_to_be_called_again);
	tcase_add_test(tc, a_source_that_fails_ends_the_run_there);
	tcase_add_test(tc, ticks_that_do_nothing_are_left_out_and_the_others_come_as_before);
	tcase_add_test(tc, the_last_tick_is_before_the_end_of_time);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
