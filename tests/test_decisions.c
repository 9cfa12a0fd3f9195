/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_decisions.c - every page representation decides as linked does
 *
 *    recorded demand --> linked       --> pfn --.
 *                   \--> the other    --> pfn --+-- equal, at every operation
 *
 * Lists of each kind are in the same order at the start. `twoword` is asked to
 * keep that order (removal=punch; by default an end entry fills a gap) and to
 * make no nodes of the pages that are being handed out (nodes=boot), and
 * `memdesc` no slabs (slabs=apart).
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
#include "tests/suite.h"

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
	struct place *places;		/* by id of the demand */
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
	s->places = calloc(demand.nr_ids + 1UL, sizeof(*s->places));
	ck_assert_ptr_nonnull(s->places);
	for (size_t i = 0; i < demand.nr_residents; i++)
		s->places[demand.residents[i].id] =
			(struct place){ demand.residents[i].pfn,
					demand.residents[i].order };
}

static void side_destroy(struct side *s)
{
	free(s->places);
	allocator_destroy(s->a);
	machine_destroy(s->machine);
}

/* Returns the page that was allocated, freed or split. */
static unsigned long operate(struct side *s, const struct demand_op *op)
{
	const struct alloc_req req = {
		.order = op->order,
		.migratetype = op->migratetype,
		.zone_limit = op->zone_limit,
		.cpu = op->cpu,
		.flags = op->flags,
	};
	struct place *p = &s->places[op->id];

	switch ((enum demand_kind)op->kind) {
	case DEMAND_ALLOC:
		*p = (struct place){ alloc_pages(s->a, &req), op->order };
		break;
	case DEMAND_FREE:
		if (p->pfn != PFN_NONE)
			free_pages(s->a, p->pfn, p->order, op->cpu);
		break;
	case DEMAND_SPLIT:
		s->places[op->upper] = (struct place){ PFN_NONE, 0 };
		if (p->pfn == PFN_NONE)
			break;
		allocator_split(s->a, p->pfn, p->order, op->order);
		p->order = op->order;
		s->places[op->upper] = (struct place){ p->pfn + (1UL << op->order),
						       op->order };
		break;
	}
	return p->pfn;
}

/* How many operations were of the same pages; all, if nothing differs. */
static size_t run_both(struct side *one, struct side *two)
{
	uint64_t tick_ns = TICK_NS;
	size_t same = 0;

	for (size_t i = 0; i < demand.nr_ops; i++) {
		for (; demand.ops[i].time_ns > tick_ns; tick_ns += TICK_NS) {
			allocator_tick(one->a, tick_ns);
			allocator_tick(two->a, tick_ns);
		}
		same += operate(one, &demand.ops[i]) == operate(two, &demand.ops[i]);
	}
	return same;
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
	"memdesc:slabs=apart",
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
	struct side one, two;
	struct msg msg = { "" };
	char spec[128];
	size_t same;

	snprintf(spec, sizeof(spec), "linked%s", policy);
	side_create(&one, spec);
	snprintf(spec, sizeof(spec), "%s%s", other, policy);
	side_create(&two, spec);

	same = run_both(&one, &two);
	ck_assert_msg(same == demand.nr_ops,
		      "%s: %zu of %zu operations get another page", spec,
		      demand.nr_ops - same, demand.nr_ops);
	expect_equal_lists(&one, &two);
	ck_assert_msg(allocator_verify(two.a, &msg) == 0, "%s: %s", spec, msg.text);
	printf("%-48s %zu operations as linked\n", spec, same);
	fflush(stdout);
	side_destroy(&one);
	side_destroy(&two);
}
END_TEST

static void add_counts(const struct side *s, struct page_counts *sum)
{
	*sum = (struct page_counts){ 0 };
	for (unsigned int z = 0; z < bundle.layout.nr_zones; z++) {
		struct page_counts counts;

		allocator_counts(s->a, z, &counts);
		sum->free += counts.free;
		sum->pcp += counts.pcp;
		sum->nodes += counts.nodes;
	}
}

/* Without slabs=apart: the same is served, and slabs are all that is missing. */
START_TEST(slabs_of_memdesc_are_all_that_linked_has_more)
{
	struct page_counts is, should;
	struct side one, two;

	side_create(&one, "linked");
	side_create(&two, "memdesc");
	ck_assert_uint_lt(run_both(&one, &two), demand.nr_ops);
	ck_assert_uint_eq(two.a->stats.failed_allocs, one.a->stats.failed_allocs);
	ck_assert_uint_eq(two.a->stats.unsecured, 0);
	add_counts(&one, &should);
	add_counts(&two, &is);
	ck_assert_uint_gt(is.nodes, 0);
	ck_assert_uint_eq(is.free + is.pcp + is.nodes, should.free + should.pcp);
	side_destroy(&one);
	side_destroy(&two);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("decisions");
	TCase *tc = tcase_create("representations");

	tcase_set_timeout(tc, 0);
	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, decisions_are_those_of_linked, 0,
			    ARRAY_SIZE(others) * ARRAY_SIZE(policies));
	tcase_add_test(tc, slabs_of_memdesc_are_all_that_linked_has_more);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
