/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_decisions.c - every page representation decides as linked does
 *
 *    recorded demand --> linked       --> pfn --.
 *                   \--> the other    --> pfn --+-- equal, at every operation
 *
 * Lists of each kind are in the same order at the start. `twoword` is asked to
 * keep that order (removal=punch; by default an end entry fills a gap) and to
 * make no nodes of the pages that are being handed out (nodes=boot).
 *
 *    PAGETAX_BUNDLE   another recording than tests/data/fork-sample
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "alloc/registry.h"
#include "sim/demand.h"
#include "sim/initial_state.h"

#define SEED 6
#define TICK_NS UINT64_C(1000000000)

static struct bundle bundle;
static struct demand demand;
static struct initial_state start;

struct place {
	unsigned long pfn;
	unsigned int order;
};

struct side {
	struct machine *machine;
	struct allocator *a;
};

static void setup(void)
{
	const char *path = getenv("PAGETAX_BUNDLE");
	struct msg msg = { "" };
	struct rng rng;

	rng_seed(&rng, SEED);
	ck_assert_msg(bundle_read(&bundle, path && *path ? path :
				  "tests/data/fork-sample", 0, &msg) == 0,
		      "%s", msg.text);
	ck_assert_msg(demand_resolve(&demand, &bundle, &bundle.layout, &msg) == 0,
		      "%s", msg.text);
	ck_assert_msg(initial_state_build(&start, &bundle, &bundle.layout, &demand,
					  &rng, &msg) == 0, "%s", msg.text);
}

static void teardown(void)
{
	initial_state_free(&start);
	demand_free(&demand);
	bundle_free(&bundle);
}

static void side_create(struct side *s, const char *spec)
{
	struct msg msg = { "" };

	ck_assert_msg(machine_create(&s->machine, &bundle.layout, WINDOW_ARITH,
				     &msg) == 0, "%s", msg.text);
	ck_assert_msg(allocator_create(&s->a, spec, false, s->machine, &msg) == 0,
		      "%s", msg.text);
	ck_assert_msg(initial_state_enter(&start, &demand, s->a, &msg) == 0, "%s",
		      msg.text);
}

static void side_destroy(struct side *s)
{
	allocator_destroy(s->a);
	machine_destroy(s->machine);
}

/* One operation on both; false when they do not agree. */
static bool operate(struct side *one, struct side *two, struct place *places,
		    const struct demand_op *op)
{
	const struct alloc_req req = {
		.order = op->order,
		.migratetype = op->migratetype,
		.zone_limit = op->zone_limit,
		.cpu = op->cpu,
		.flags = op->flags,
	};
	struct place *p = &places[op->id];
	unsigned long pfn;

	switch ((enum demand_kind)op->kind) {
	case DEMAND_ALLOC:
		pfn = alloc_pages(one->a, &req);
		*p = (struct place){ pfn, op->order };
		return alloc_pages(two->a, &req) == pfn;
	case DEMAND_FREE:
		if (p->pfn == PFN_NONE)
			return true;
		free_pages(one->a, p->pfn, p->order, op->cpu);
		free_pages(two->a, p->pfn, p->order, op->cpu);
		return true;
	case DEMAND_SPLIT:
		places[op->upper] = (struct place){ PFN_NONE, 0 };
		if (p->pfn == PFN_NONE)
			return true;
		allocator_split(one->a, p->pfn, p->order, op->order);
		allocator_split(two->a, p->pfn, p->order, op->order);
		p->order = op->order;
		places[op->upper] = (struct place){ p->pfn + (1UL << op->order),
						    op->order };
		return true;
	}
	return false;
}

/* How many operations gave the same; all, if nothing differs. */
static size_t run_both(struct side *one, struct side *two, struct place *places)
{
	uint64_t tick_ns = TICK_NS;

	for (size_t i = 0; i < demand.nr_ops; i++) {
		for (; demand.ops[i].time_ns > tick_ns; tick_ns += TICK_NS) {
			allocator_tick(one->a, tick_ns);
			allocator_tick(two->a, tick_ns);
		}
		if (!operate(one, two, places, &demand.ops[i]))
			return i;
	}
	return demand.nr_ops;
}

static void expect_equal_lists(const struct side *one, const struct side *two)
{
	for (unsigned int z = 0; z < bundle.layout.nr_zones; z++) {
		unsigned long is[NR_PAGE_ORDERS], should[NR_PAGE_ORDERS];
		struct page_counts n, m;

		allocator_free_area(one->a, z, should);
		allocator_free_area(two->a, z, is);
		ck_assert_mem_eq(is, should, sizeof(is));
		allocator_counts(one->a, z, &n);
		allocator_counts(two->a, z, &m);
		ck_assert_mem_eq(&n, &m, sizeof(n));
	}
}

static const char *const others[] = {
	"embedded16", "packed8", "inpage", "twoword:removal=punch:nodes=boot",
};

static const char *const policies[] = {
	"", ":pcp=off", ":mobility=off", ":pcp=off:mobility=off:tail_rule=off",
	":placement=watermark", ":placement=spare:pcp=off", ":placement=lowest",
};

/* Test i: which representation with which policy. */
START_TEST(decisions_are_those_of_linked)
{
	const char *policy = policies[(size_t)_i % ARRAY_SIZE(policies)];
	const char *other = others[(size_t)_i / ARRAY_SIZE(policies)];
	struct place *places = calloc(demand.nr_ids + 1UL, sizeof(*places));
	struct side one, two;
	struct msg msg = { "" };
	char spec[128];
	size_t agreed;

	ck_assert_ptr_nonnull(places);
	snprintf(spec, sizeof(spec), "linked%s", policy);
	side_create(&one, spec);
	snprintf(spec, sizeof(spec), "%s%s", other, policy);
	side_create(&two, spec);
	for (size_t i = 0; i < demand.nr_residents; i++)
		places[demand.residents[i].id] =
			(struct place){ demand.residents[i].pfn,
					demand.residents[i].order };

	agreed = run_both(&one, &two, places);
	ck_assert_msg(agreed == demand.nr_ops,
		      "%s: operation %zu of %zu gets another page", spec, agreed,
		      demand.nr_ops);
	expect_equal_lists(&one, &two);
	ck_assert_msg(allocator_verify(two.a, &msg) == 0, "%s: %s", spec, msg.text);
	printf("%-48s %zu operations as linked\n", spec, agreed);
	fflush(stdout);
	side_destroy(&one);
	side_destroy(&two);
	free(places);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("decisions");
	TCase *tc = tcase_create("representations");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 0);
	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, decisions_are_those_of_linked, 0,
			    ARRAY_SIZE(others) * ARRAY_SIZE(policies));
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
