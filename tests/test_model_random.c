/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_model_random.c - millions of random operations, every one of them checked
 *
 * Five million operations in all, shared among the variants and their machines:
 *
 *    machine        share   full check after
 *      64 pages     100     each operation
 *     256 pages      20     each
 *    4096 pages      20     every 64th
 *
 * The mix changes all the time (which orders, more allocations or more frees),
 * so that memory fills up, drains and fragments again and again. A failure
 * prints its seed.
 *
 *    PAGETAX_SEED   another walk; the default is always the same one
 *    PAGETAX_OPS    operations in all
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/rig.h"
#include "tests/suite.h"

/* Sanitizers cost a factor of ten, so they get a tenth. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define DEFAULT_OPS (SANITIZED ? UINT64_C(500000) : UINT64_C(5000000))

static const struct {
	struct rig_shape shape;
	unsigned int share;		/* of the operations, beside the others */
} machines[] = {
	{ { .name = "64 pages", .zones = { { 0, 64 } },
	    .highmem_pfn = PFN_NONE, .nr_cpus = 1, .check_every = 1 }, 50 },
	{ { .name = "64 pages, all highmem", .zones = { { 0, 64 } },
	    .highmem_pfn = 0, .nr_cpus = 2, .check_every = 1 }, 30 },
	{ { .name = "two zones in 64 pages", .zones = { { 3, 22 }, { 25, 39 } },
	    .holes = { { 30, 33 } },
	    .highmem_pfn = 40, .nr_cpus = 2, .check_every = 1 }, 20 },
	{ { .name = "256 pages", .zones = { { 0, 256 } },
	    .highmem_pfn = PFN_NONE, .nr_cpus = 1, .check_every = 1 }, 20 },
	{ { .name = "4096 pages, half of them highmem", .zones = { { 0, 4096 } },
	    .highmem_pfn = 2048, .nr_cpus = 1, .check_every = 64 }, 20 },
};

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static uint64_t share_of(size_t variant, size_t machine)
{
	if (!rig_fits(rig_variant(variant), &machines[machine].shape))
		return 0;
	return machines[machine].share;
}

static uint64_t all_shares(void)
{
	uint64_t sum = 0;

	for (size_t v = 0; v < rig_nr_variants(); v++)
		for (size_t m = 0; m < ARRAY_SIZE(machines); m++)
			sum += share_of(v, m);
	return sum;
}

static uint64_t operations_on(size_t variant, size_t machine)
{
	uint64_t ops = from_environment("PAGETAX_OPS", DEFAULT_OPS);
	uint64_t shares = all_shares();

	return (ops * share_of(variant, machine) + shares - 1) / shares;
}

/* What the walk does at the moment; drawn anew from time to time. */
struct mood {
	uint64_t until_op;
	unsigned int alloc_percent;
	unsigned int max_order;
	bool small_often;		/* orders in proportion to 2^-order */
};

static struct mood next_mood(struct rig *rig, struct rng *rng)
{
	struct mood mood = {
		.until_op = rig->nr_ops + 1 + rng_below(rng, 4 * rig->model.end_pfn),
		.alloc_percent = 20 + (unsigned int)rng_below(rng, 61),
		.max_order = (unsigned int)rng_below(rng, NR_PAGE_ORDERS),
		.small_often = rng_below(rng, 4) != 0,
	};

	return mood;
}

static unsigned int draw_order(const struct mood *mood, struct rng *rng)
{
	unsigned int order = 0;

	if (!mood->small_often)
		return (unsigned int)rng_below(rng, mood->max_order + 1);
	while (order < mood->max_order && (rng_next(rng) & 1))
		order++;
	return order;
}

static void one_operation(struct rig *rig, const struct mood *mood,
			  struct rng *rng)
{
	unsigned int cpu = (unsigned int)rng_below(rng, rig->layout.nr_cpus);
	uint64_t dice = rng_below(rng, 100);
	size_t i;

	if (dice < mood->alloc_percent || !rig->nr_held) {
		struct alloc_req req = {
			.order = draw_order(mood, rng),
			.migratetype = (unsigned int)rng_below(rng, 3),
			.zone_limit = (unsigned int)rng_below(rng, rig->layout.nr_zones),
			.cpu = cpu,
			.flags = rng_below(rng, 8) ? 0 : ALLOC_NO_PCP,
		};

		rig_alloc(rig, &req);
		return;
	}
	if (rng_below(rng, 16) == 0) {
		unsigned int order = draw_order(mood, rng);
		unsigned long pfn = (unsigned long)rng_below(rng, rig->model.end_pfn) >>
				    order << order;

		/* One try is one operation, wherever it leads. */
		if (layout_zone_of(&rig->layout, pfn) < 0 ||
		    !rig_isolate(rig, pfn, order))
			rig->nr_ops++;
		return;
	}
	i = (size_t)rng_below(rng, rig->nr_held);
	if (rig->held[i].order && rng_below(rng, 16) == 0)
		rig_split(rig, i, (unsigned int)rng_below(rng, rig->held[i].order));
	else
		rig_free(rig, i, cpu);
}

static void walk(struct rig *rig, uint64_t nr_ops, struct rng *rng)
{
	struct mood mood = next_mood(rig, rng);

	while (rig->nr_ops < nr_ops) {
		if (rig->nr_ops >= mood.until_op) {
			if (rng_below(rng, 32) == 0)
				rig_free_all(rig, rng);
			if (rng_below(rng, 32) == 0)
				allocator_drain(rig->a);
			mood = next_mood(rig, rng);
		}
		one_operation(rig, &mood, rng);
	}
}

static void expect_boot(const struct rig *rig, struct population boot)
{
	struct population end = rig_population(rig);
	struct page_counts n = rig_counts(rig);

	if (rig->variant->keeps_nodes)
		return;
	if (n.nodes + n.stash + n.pcp || memcmp(&boot, &end, sizeof(boot)) != 0)
		rig_fail(rig, "all is free, but memory is not as at boot");
}

/* Test i: which variant on which machine. */
START_TEST(the_model_agrees_after_every_operation)
{
	size_t machine = (size_t)_i % ARRAY_SIZE(machines);
	size_t variant = (size_t)_i / ARRAY_SIZE(machines);
	uint64_t nr_ops = operations_on(variant, machine);
	struct population boot;
	struct rig rig;
	struct rng rng;

	if (!nr_ops)
		return;
	rig_create(&rig, rig_variant(variant), &machines[machine].shape, false);
	rig.seed = from_environment("PAGETAX_SEED", 1);
	rng_seed(&rng, rig.seed + (uint64_t)_i * 1000003);
	rig_release_all(&rig, &rng);
	boot = rig_population(&rig);

	walk(&rig, nr_ops, &rng);
	ck_assert_uint_ge(rig.nr_ops, nr_ops);

	rig_free_all(&rig, &rng);
	allocator_drain(rig.a);
	rig_check(&rig);
	expect_boot(&rig, boot);
	rig_destroy(&rig);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("model, random");
	TCase *tc = tcase_create("walks");
	int status;

	tcase_set_timeout(tc, 0);
	tcase_add_loop_test(tc, the_model_agrees_after_every_operation, 0,
			    (int)(rig_nr_variants() * ARRAY_SIZE(machines)));
	suite_add_tcase(suite, tc);
	status = run_suite(suite);
	printf("%" PRIu64 " operations against the model, PAGETAX_SEED=%" PRIu64 "\n",
	       from_environment("PAGETAX_OPS", DEFAULT_OPS),
	       from_environment("PAGETAX_SEED", 1));
	return status;
}
