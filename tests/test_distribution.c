/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_distribution.c - what is drawn follows the distribution it is drawn from */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/workload/arrival.h"
#include "tests/suite.h"

#define NR_DRAWS 200000

static struct distribution parsed(const char *text)
{
	struct distribution d;
	struct msg msg;
	char copy[128];

	snprintf(copy, sizeof(copy), "%s", text);
	ck_assert_msg(!distribution_parse(&d, copy, PARAM_TIME, &msg), "%s", msg.text);
	return d;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Means and medians in ns, as the formulas of each distribution have them. */
static const struct {
	const char *text;
	double mean, median;
} known[] = {
	{ "constant value=5us",              5000,      5000 },
	{ "uniform min=10us max=30us",       20000,     20000 },
	{ "exponential mean=1ms",            1e6,       693147 },
	{ "lognormal median=1ms sigma=0.5",  1133148,   1e6 },
	{ "weibull scale=1ms shape=2",       886227,    832555 },
	{ "pareto min=1ms shape=3",          1.5e6,     1259921 },
	{ "pareto min=1ms shape=1 max=8ms",  3079442,   2e6 },
	{ "pareto min=1ms shape=2 max=8ms",  1.875e6,   1414214 },
};

START_TEST(draws_have_the_mean_and_the_median_of_the_formula)
{
	static uint64_t draws[NR_DRAWS];
	struct distribution d = parsed(known[_i].text);
	struct rng rng;
	double sum = 0;

	rng_seed(&rng, 7);
	for (int i = 0; i < NR_DRAWS; i++) {
		draws[i] = distribution_draw(&d, &rng);
		sum += (double)draws[i];
	}
	qsort(draws, NR_DRAWS, sizeof(draws[0]), compare);
	ck_assert_double_eq_tol(distribution_mean(&d), known[_i].mean,
				1e-5 * known[_i].mean);
	ck_assert_double_eq_tol(sum / NR_DRAWS, known[_i].mean,
				0.02 * known[_i].mean);
	ck_assert_double_eq_tol((double)draws[NR_DRAWS / 2], known[_i].median,
				0.02 * known[_i].median);
}
END_TEST

START_TEST(both_ends_of_a_uniform_distribution_are_drawn_and_nothing_else)
{
	struct distribution d = parsed("uniform min=3ns max=5ns");
	struct distribution one = parsed("uniform min=4ns max=4ns");
	unsigned int seen[9] = { 0 };
	struct rng rng;

	rng_seed(&rng, 7);
	for (int i = 0; i < 1000; i++) {
		uint64_t x = distribution_draw(&d, &rng);

		ck_assert_uint_lt(x, ARRAY_SIZE(seen));
		seen[x]++;
		ck_assert_uint_eq(distribution_draw(&one, &rng), 4);
	}
	ck_assert_uint_eq(seen[3] + seen[4] + seen[5], 1000);
	ck_assert(seen[3] && seen[5]);
}
END_TEST

/* points 0, 10 and 110 us: half of the draws below 10, even in both halves */
START_TEST(a_table_is_drawn_by_its_quantiles)
{
	struct distribution d = parsed("table");
	char points[] = "0ns 10us 110us";
	unsigned int below = 0, far = 0;
	struct rng rng;
	struct msg msg;

	ck_assert_int_eq(distribution_check(&d, &msg), -EINVAL);
	ck_assert_int_eq(distribution_add_points(&d, points, PARAM_TIME, &msg), 0);
	ck_assert_int_eq(distribution_check(&d, &msg), 0);
	ck_assert_double_eq(distribution_mean(&d), 32500);
	rng_seed(&rng, 1);
	for (int i = 0; i < NR_DRAWS; i++) {
		uint64_t x = distribution_draw(&d, &rng);

		if (x > 110000)
			ck_abort_msg("above the last point");
		below += x < 10000;
		far += x > 60000;
	}
	ck_assert_double_eq_tol(below / (double)NR_DRAWS, 0.5, 0.01);
	ck_assert_double_eq_tol(far / (double)NR_DRAWS, 0.25, 0.01);
	distribution_free(&d);
}
END_TEST

static const struct {
	const char *text, *message;
} wrong[] = {
	{ "",                              "unknown distribution ''; allowed are constant, uniform" },
	{ "gauss mean=1s",                 "unknown distribution 'gauss'" },
	{ "exponential",                   "exponential needs mean=, a time with its unit" },
	{ "exponential mean=5",            "mean cannot be '5'" },
	{ "exponential mean=5s mean=6s",   "mean= is given twice" },
	{ "exponential median=5s",         "'median=5s' is not known to exponential, which takes mean=" },
	{ "exponential mean",              "'mean' is not known" },
	{ "lognormal median=5s sigma=0",   "sigma cannot be '0'; expected a number above 0" },
	{ "lognormal median=5s sigma=inf", "sigma cannot be 'inf'" },
	{ "uniform min=5s max=4s",         "min= is above max=" },
	{ "pareto min=0s shape=1",         "min= must be above 0" },
	{ "pareto min=2s shape=1 max=1s",  "max= is below min=" },
};

START_TEST(a_wrong_distribution_is_refused_with_what_is_allowed)
{
	struct distribution d;
	struct msg msg;
	char copy[128];

	snprintf(copy, sizeof(copy), "%s", wrong[_i].text);
	ck_assert_int_eq(distribution_parse(&d, copy, PARAM_TIME, &msg), -EINVAL);
	ck_assert_msg(strstr(msg.text, wrong[_i].message), "%s: %s",
		      wrong[_i].text, msg.text);
}
END_TEST

/* 100 a ms while on: in the long run, on half of the time, 50. */
START_TEST(bursts_come_at_their_rate_and_rest_between)
{
	const struct arrivals a = {
		.kind = ARRIVAL_BURSTY, .rate = 1e-4, .on_ns = 5e6, .off_ns = 5e6,
	};
	const uint64_t end_ns = UINT64_C(20000000000);
	struct arrival_state state = { 0 };
	uint64_t now_ns = 0, next_ns, nr = 0, rests = 0;
	struct rng rng;

	rng_seed(&rng, 3);
	while (now_ns < end_ns) {
		if (arrival_next(&a, &state, &rng, now_ns, 1, end_ns, &next_ns)) {
			nr++;
			rests += next_ns - now_ns > 500000;
		}
		now_ns = next_ns;
	}
	ck_assert_double_eq_tol((double)nr / 20000, 50, 3);
	ck_assert_uint_eq(rests, 0);	/* a rest is never inside a gap */
}
END_TEST

/* Exactly so many, and spread over their slots. */
START_TEST(a_schedule_is_kept_slot_by_slot)
{
	double counts[] = { 1000, 0, 40000 };
	const struct arrivals a = {
		.kind = ARRIVAL_SCHEDULE, .start_ns = 1e8, .slot_ns = 1e8,
		.counts = counts, .nr_counts = 3,
	};
	const uint64_t end_ns = 500000000;
	struct arrival_state state = { 0 };
	uint64_t now_ns = 0, next_ns, nr[10] = { 0 };
	struct rng rng;

	rng_seed(&rng, 3);
	while (now_ns < end_ns) {
		if (arrival_next(&a, &state, &rng, now_ns, 1, end_ns, &next_ns))
			nr[next_ns / 50000000]++;
		now_ns = next_ns;
	}
	ck_assert(nr[0] + nr[1] == 0);
	ck_assert(nr[2] + nr[3] == 1000);
	ck_assert(nr[4] + nr[5] == 0);
	ck_assert(nr[6] + nr[7] == 40000);
	ck_assert(nr[8] + nr[9] == 0);
	ck_assert_double_eq_tol((double)nr[6], 20000, 400);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("distribution");
	TCase *tc = tcase_create("distribution");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, draws_have_the_mean_and_the_median_of_the_formula, 0,
			    ARRAY_SIZE(known));
	tcase_add_test(tc, both_ends_of_a_uniform_distribution_are_drawn_and_nothing_else);
	tcase_add_test(tc, a_table_is_drawn_by_its_quantiles);
	tcase_add_loop_test(tc, a_wrong_distribution_is_refused_with_what_is_allowed,
			    0, ARRAY_SIZE(wrong));
	tcase_add_test(tc, bursts_come_at_their_rate_and_rest_between);
	tcase_add_test(tc, a_schedule_is_kept_slot_by_slot);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
