/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conformance.c - what every allocator that keeps books has to keep to */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/registry.h"
#include "tests/conformance.h"
#include "tests/rig.h"

#define SEED 20211018

/* $PAGETAX_BACKEND leaves out all backends but one, while that is written. */
static bool is_wanted(const struct rig_variant *variant)
{
	const char *name = getenv("PAGETAX_BACKEND");

	return !name || registry_find(variant->spec) == registry_find(name);
}

/* The i-th variant and machine that go together; false when there are fewer. */
static bool find_pair(int i, const struct rig_variant **variant,
		      const struct rig_shape **shape)
{
	for (size_t v = 0; v < rig_nr_variants(); v++) {
		for (size_t s = 0; s < rig_nr_shapes(); s++) {
			*variant = rig_variant(v);
			*shape = rig_shape(s);
			if (is_wanted(*variant) && rig_fits(*variant, *shape) &&
			    i-- == 0)
				return true;
		}
	}
	return false;
}

static int nr_pairs(void)
{
	const struct rig_variant *variant;
	const struct rig_shape *shape;
	int n = 0;

	while (find_pair(n, &variant, &shape))
		n++;
	return n;
}

/* Test number i, nothing released yet. */
static void set_up(struct rig *rig, int i, bool checked)
{
	const struct rig_variant *variant;
	const struct rig_shape *shape;

	ck_assert(find_pair(i, &variant, &shape));
	rig_create(rig, variant, shape, checked);
}

static struct population boot(struct rig *rig, struct rng *rng, int i)
{
	rng_seed(rng, SEED);
	set_up(rig, i, false);
	rig_release_all(rig, rng);
	return rig_population(rig);
}

static void expect_population(const struct rig *rig, struct population want)
{
	struct population is = rig_population(rig);

	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		if (is.nr_free[order] != want.nr_free[order])
			rig_fail(rig, "%lu free blocks of order %u instead of %lu",
				 is.nr_free[order], order, want.nr_free[order]);
}

/* All is free again: nothing may show what happened in between. */
static void expect_restored(struct rig *rig, struct population boot_population)
{
	struct page_counts n;

	allocator_drain(rig->a);
	rig_check(rig);
	if (rig->variant->keeps_nodes)
		return;
	n = rig_counts(rig);
	if (n.nodes + n.stash + n.pcp)
		rig_fail(rig, "everything is free, but %lu nodes, %lu stash, %lu pcp remain",
			 n.nodes, n.stash, n.pcp);
	expect_population(rig, boot_population);
}

static void fill(struct rig *rig, unsigned int order)
{
	while (rig_alloc_order(rig, order))
		;
	rig_check(rig);
}

START_TEST(a_new_allocator_has_every_page_reserved)
{
	struct rig rig;
	struct page_counts n;

	set_up(&rig, _i, false);
	rig_check(&rig);
	n = rig_counts(&rig);
	ck_assert_uint_eq(n.free + n.pcp + n.nodes + n.stash, 0);
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++)
		if (rig_alloc_order(&rig, order))
			rig_fail(&rig, "order %u served from nothing", order);
	rig_destroy(&rig);
}
END_TEST

START_TEST(the_order_of_release_does_not_show)
{
	struct rig rig;
	struct rng rng;
	struct population first = boot(&rig, &rng, _i);

	expect_restored(&rig, first);
	rig_destroy(&rig);

	set_up(&rig, _i, false);
	rng_seed(&rng, SEED + 1);
	rig_release_all(&rig, &rng);
	expect_restored(&rig, first);
	rig_destroy(&rig);
}
END_TEST

START_TEST(filled_at_any_order_and_freed_at_random_it_is_as_at_boot)
{
	struct rig rig;
	struct rng rng;
	struct population first = boot(&rig, &rng, _i);

	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		fill(&rig, order);
		if (order == 0 && rig_counts(&rig).free)
			rig_fail(&rig, "pages are left, but none can be had");
		rig_free_all(&rig, &rng);
		expect_restored(&rig, first);
	}
	rig_destroy(&rig);
}
END_TEST

/*
 * Pages of a zone that are nobody's. In a design whose structures live in pages
 * of their own as long as blocks are in use, those pages are not to be had.
 */
static unsigned long nr_unserved(const struct rig *rig, unsigned int zone)
{
	unsigned long nr = model_nr_free(&rig->model, zone);
	struct page_counts n;

	if (!rig->a->ops->caps.keeps_metadata)
		return nr;
	allocator_counts(rig->a, zone, &n);
	return nr - n.nodes;
}

START_TEST(the_last_page_can_be_had_whatever_was_taken_before)
{
	struct rig rig;
	struct rng rng;
	struct population first = boot(&rig, &rng, _i);
	unsigned int order = MAX_PAGE_ORDER + 1;

	while (order--)
		fill(&rig, order);
	for (unsigned int i = 0; i < rig.layout.nr_zones; i++)
		if (nr_unserved(&rig, i))
			rig_fail(&rig, "zone %u has pages that nobody can get", i);
	rig_free_all(&rig, &rng);
	expect_restored(&rig, first);
	rig_destroy(&rig);
}
END_TEST

static int by_pfn(const void *a, const void *b)
{
	const struct rig_block *x = a, *y = b;

	return x->pfn < y->pfn ? -1 : x->pfn > y->pfn;
}

/*
 *   A . A . A . A .     no two free pages are buddies; then the others go,
 *   . . . . . . . .     in random order
 */
START_TEST(a_checkerboard_heals)
{
	struct rig rig;
	struct rng rng;
	struct population first = boot(&rig, &rng, _i);
	size_t nr_odd = 0;

	fill(&rig, 0);
	qsort(rig.held, rig.nr_held, sizeof(*rig.held), by_pfn);
	for (size_t i = 0; i < rig.nr_held; i++) {
		if (rig.held[i].pfn & 1) {
			struct rig_block odd = rig.held[i];

			rig.held[i] = rig.held[nr_odd];
			rig.held[nr_odd++] = odd;
		}
	}
	rng_shuffle(&rng, rig.held, nr_odd, sizeof(*rig.held));
	while (nr_odd--) {
		struct rig_block odd = rig.held[nr_odd];

		rig.held[nr_odd] = rig.held[rig.nr_held - 1];
		rig.held[rig.nr_held - 1] = odd;
		rig_free(&rig, rig.nr_held - 1, 0);
	}
	rig_check(&rig);
	if (rig_alloc_order(&rig, 1) && !rig.a->ops->next_page)
		rig_fail(&rig, "two pages from a checkerboard");

	rig_free_all(&rig, &rng);
	expect_restored(&rig, first);
	rig_destroy(&rig);
}
END_TEST

START_TEST(a_block_split_in_parts_is_freed_in_parts)
{
	struct rig rig;
	struct rng rng;
	struct population first = boot(&rig, &rng, _i);

	for (unsigned int order = 1; order <= MAX_PAGE_ORDER; order++) {
		for (unsigned int part = 0; part < order; part++) {
			if (!rig_alloc_order(&rig, order))
				break;
			rig_split(&rig, 0, part);
			rig_check(&rig);
			while (rig.nr_held > 1) {
				size_t i = (size_t)rng_below(&rng, rig.nr_held);

				rig_free(&rig, i, 0);
			}
			rig_check(&rig);
			rig_free(&rig, 0, 0);
			expect_restored(&rig, first);
		}
	}
	rig_destroy(&rig);
}
END_TEST

/*
 * Whatever place compaction may pick: every free block of a fragmented memory
 * is taken where it lies, and no other place is.
 */
static bool isolate_all(struct rig *rig)
{
	bool any = false;

	for (unsigned int order = NR_PAGE_ORDERS; order-- > 0;) {
		for (unsigned long pfn = 0; pfn < rig->model.end_pfn;
		     pfn += 1UL << order) {
			if (layout_zone_of(&rig->layout, pfn) >= 0 &&
			    rig_isolate(rig, pfn, order))
				any = true;
		}
	}
	return any;
}

START_TEST(each_free_block_can_be_isolated_and_nothing_else)
{
	struct rig rig;
	struct rng rng;
	struct population first = boot(&rig, &rng, _i);

	fill(&rig, 0);
	while (rig.nr_held > rig.model.end_pfn / 3)
		rig_free(&rig, (size_t)rng_below(&rng, rig.nr_held), 0);
	allocator_drain(rig.a);
	/* Shorter lists need fewer nodes, whose pages become free again. */
	while (isolate_all(&rig))
		;
	rig_check(&rig);
	if (rig.a->ops->isolate && rig_counts(&rig).free)
		rig_fail(&rig, "%lu free pages were not to be isolated",
			 rig_counts(&rig).free);
	rig_free_all(&rig, &rng);
	expect_restored(&rig, first);
	rig_destroy(&rig);
}
END_TEST

/* The first failure may still turn nodes back into pages; then all is said. */
START_TEST(a_failed_request_changes_nothing)
{
	struct rig rig;
	struct rng rng;

	boot(&rig, &rng, _i);
	for (unsigned int order = 1; order <= MAX_PAGE_ORDER; order++) {
		struct population before;
		uint64_t hash = 0;

		fill(&rig, 0);
		while (rig.nr_held > rig.model.end_pfn / 3)
			rig_free(&rig, (size_t)rng_below(&rng, rig.nr_held), 0);
		fill(&rig, order);

		before = rig_population(&rig);
		if (rig.a->ops->fingerprint)
			hash = allocator_fingerprint(rig.a);
		if (rig_alloc_order(&rig, order))
			rig_fail(&rig, "order %u fails, and then does not", order);
		expect_population(&rig, before);
		if (rig.a->ops->fingerprint &&
		    allocator_fingerprint(rig.a) != hash)
			rig_fail(&rig, "a failed request changed the state");
		rig_free_all(&rig, &rng);
	}
	rig_destroy(&rig);
}
END_TEST

START_TEST(a_zone_limit_holds_and_lower_zones_step_in)
{
	struct rig rig;
	struct rng rng;
	struct population first = boot(&rig, &rng, _i);
	struct alloc_req req = { .migratetype = MIGRATE_MOVABLE };
	unsigned int last = rig.layout.nr_zones - 1;

	/* The model sees a page above the limit; what is left must be full. */
	for (unsigned int limit = 0; limit <= last; limit++) {
		req.zone_limit = limit;
		while (rig_alloc(&rig, &req))
			;
		for (unsigned int i = 0; i <= last; i++)
			if ((nr_unserved(&rig, i) == 0) != (i <= limit))
				rig_fail(&rig, "limit %u: zone %u has %lu pages left",
					 limit, i, nr_unserved(&rig, i));
	}
	rig_free_all(&rig, &rng);
	expect_restored(&rig, first);

	/* From the top: every page of every zone can be had. */
	req.zone_limit = last;
	while (rig_alloc(&rig, &req))
		;
	for (unsigned int i = 0; i <= last; i++)
		ck_assert_uint_eq(nr_unserved(&rig, i), 0);
	rig_free_all(&rig, &rng);
	expect_restored(&rig, first);
	rig_destroy(&rig);
}
END_TEST

/* Adopt every block of the zones' whole memory as single pages, then free. */
START_TEST(blocks_in_use_at_the_start_can_be_freed)
{
	struct rig rig;
	struct rng rng;
	struct population first = boot(&rig, &rng, _i);

	rig_destroy(&rig);
	set_up(&rig, _i, false);
	for (unsigned long pfn = 0; pfn < rig.model.end_pfn; pfn++) {
		if (!layout_page_exists(&rig.layout, pfn))
			continue;
		ck_assert_int_eq(allocator_adopt(rig.a, pfn, 0), 0);
		model_adopt(&rig.model, pfn, 0);
		rig.held[rig.nr_held++] = (struct rig_block){ pfn, 0 };
	}
	rig_check(&rig);
	ck_assert_uint_eq(rig.a->stats.pages_allocated, rig.nr_held);
	rig_free_all(&rig, &rng);
	ck_assert_uint_eq(rig.a->stats.pages_allocated, 0);
	expect_restored(&rig, first);
	rig_destroy(&rig);
}
END_TEST

static void random_operations(struct rig *rig, struct rng *rng, unsigned int n)
{
	while (n--) {
		struct alloc_req req = {
			.order = (unsigned int)rng_below(rng, 4),
			.migratetype = MIGRATE_MOVABLE,
			.zone_limit = (unsigned int)rng_below(rng, rig->layout.nr_zones),
			.cpu = (unsigned int)rng_below(rng, rig->layout.nr_cpus),
		};

		if (rng_below(rng, 2) || !rig->nr_held)
			rig_alloc(rig, &req);
		else
			rig_free(rig, (size_t)rng_below(rng, rig->nr_held),
				 req.cpu);
	}
}

START_TEST(the_same_requests_get_the_same_answers)
{
	struct rig one, two;
	struct rng rng;

	boot(&one, &rng, _i);
	random_operations(&one, &rng, 500);
	boot(&two, &rng, _i);
	random_operations(&two, &rng, 500);

	ck_assert_uint_eq(one.nr_held, two.nr_held);
	for (size_t i = 0; i < one.nr_held; i++)
		ck_assert_uint_eq(one.held[i].pfn, two.held[i].pfn);
	ck_assert_int_eq(memcmp(&one.a->stats, &two.a->stats,
				sizeof(one.a->stats)), 0);
	rig_destroy(&one);
	rig_destroy(&two);
}
END_TEST

/* The variant without per-CPU lists, frees waiting for that many; NULL: they never wait. */
static const char *with_lookahead(char *spec, size_t size, const char *variant,
				  unsigned int lookahead)
{
	const struct option_spec *o = registry_find(variant)->options;

	while (o && o->key && strcmp(o->key, "lookahead"))
		o++;
	if (!o || !o->key)
		return NULL;
	snprintf(spec, size, "%s%s:lookahead=%u", variant,
		 strstr(variant, ":pcp=") ? "" : ":pcp=off", lookahead);
	return spec;
}

/* A machine on which frees wait. */
struct waiting {
	struct rig rig;
	struct rig_variant variant;
	struct rig_shape shape;
	char spec[256];
};

/* Looked at after so many operations; false where frees never wait. */
static bool boot_waiting(struct waiting *w, struct rng *rng, int pair,
			 unsigned int check_every)
{
	const struct rig_variant *variant;
	const struct rig_shape *shape;

	ck_assert(find_pair(pair, &variant, &shape));
	w->variant = *variant;
	w->shape = *shape;
	w->variant.spec = with_lookahead(w->spec, sizeof(w->spec), variant->spec, 8);
	w->shape.check_every = check_every;
	if (!w->variant.spec)
		return false;
	rng_seed(rng, SEED);
	rig_create(&w->rig, &w->variant, &w->shape, false);
	rig_release_all(&w->rig, rng);
	return true;
}

START_TEST(who_looks_sees_frees_that_wait_and_changes_nothing)
{
	struct waiting unseen, seen;
	unsigned long parked = 0;
	struct rng rng;

	if (!boot_waiting(&unseen, &rng, _i, UINT_MAX))
		return;
	random_operations(&unseen.rig, &rng, 2000);
	boot_waiting(&seen, &rng, _i, 1);
	for (unsigned int i = 0; i < 2000; i++) {
		random_operations(&seen.rig, &rng, 1);
		parked += rig_counts(&seen.rig).pcp;
	}
	ck_assert_uint_gt(parked, 2000);
	ck_assert_uint_eq(unseen.rig.nr_held, seen.rig.nr_held);
	for (size_t k = 0; k < seen.rig.nr_held; k++)
		if (seen.rig.held[k].pfn != unseen.rig.held[k].pfn)
			rig_fail(&seen.rig, "block %zu is pfn %#lx, and %#lx where nobody looked",
				 k, seen.rig.held[k].pfn, unseen.rig.held[k].pfn);
	ck_assert_uint_eq(allocator_fingerprint(seen.rig.a),
			  allocator_fingerprint(unseen.rig.a));
	rig_destroy(&unseen.rig);
	rig_destroy(&seen.rig);
}
END_TEST

/* Up to eight blocks wait, of order 3 at most; a request that fails has had them all. */
START_TEST(no_request_fails_for_what_waits)
{
	struct waiting w;
	struct rig *rig = &w.rig;
	const unsigned int nr_orders = min_t(unsigned int, 6, MAX_PAGE_ORDER + 1);
	struct rng rng;
	unsigned int failed = 0;

	if (!boot_waiting(&w, &rng, _i, UINT_MAX))
		return;
	while (failed < 20) {		/* three in five ask */
		const struct alloc_req req = {
			.order = (unsigned int)rng_below(&rng, nr_orders),
			.migratetype = MIGRATE_MOVABLE,
			.zone_limit = rig->layout.nr_zones - 1,
		};

		if (rng_below(&rng, 5) < 2 && rig->nr_held) {
			rig_free(rig, (size_t)rng_below(&rng, rig->nr_held), 0);
			ck_assert_uint_le(rig_counts(rig).pcp, 8 << 3);
		} else if (!rig_alloc(rig, &req)) {
			failed++;
			ck_assert_uint_eq(rig_counts(rig).pcp, 0);
		}
	}
	rig_destroy(rig);
}
END_TEST

START_TEST(the_shadow_finds_nothing_and_changes_nothing)
{
	struct rig plain, shadowed;
	struct rng rng;

	boot(&plain, &rng, _i);
	random_operations(&plain, &rng, 500);

	rng_seed(&rng, SEED);
	set_up(&shadowed, _i, true);
	rig_release_all(&shadowed, &rng);
	random_operations(&shadowed, &rng, 500);

	ck_assert_uint_eq(plain.nr_held, shadowed.nr_held);
	for (size_t i = 0; i < plain.nr_held; i++)
		ck_assert_uint_eq(plain.held[i].pfn, shadowed.held[i].pfn);
	ck_assert_int_eq(memcmp(&plain.a->stats, &shadowed.a->stats,
				sizeof(plain.a->stats)), 0);
	ck_assert_int_eq(memcmp(&plain.machine->meta, &shadowed.machine->meta,
				sizeof(plain.machine->meta)), 0);
	rig_destroy(&plain);
	rig_destroy(&shadowed);
}
END_TEST

START_TEST(what_is_beyond_a_design_is_refused_and_counted)
{
	struct rig rig;
	struct rng rng;
	unsigned int order;

	boot(&rig, &rng, _i);
	for (order = 0; order <= MAX_PAGE_ORDER; order++) {
		bool beyond = order > rig.a->ops->caps.max_order;
		struct alloc_stats before = rig.a->stats;
		bool got = rig_alloc_order(&rig, order);

		ck_assert(!(got && beyond));
		ck_assert_uint_eq(rig.a->stats.refused - before.refused, beyond);
		ck_assert_uint_eq(rig.a->stats.failed_allocs -
				  before.failed_allocs, !got);
		ck_assert_uint_eq(rig.a->stats.allocs - before.allocs, got);
		ck_assert_uint_eq(rig.a->stats.pages_allocated -
				  before.pages_allocated, got ? 1UL << order : 0);
	}
	rig_destroy(&rig);
}
END_TEST

Suite *conformance_suite(void)
{
	Suite *suite = suite_create("conformance");
	TCase *tc = tcase_create("every backend on every machine");
	int n = nr_pairs();

	if (!n) {
		fprintf(stderr, "PAGETAX_BACKEND=%s: no backend of that name keeps books\n",
			getenv("PAGETAX_BACKEND"));
		exit(2);
	}
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, a_new_allocator_has_every_page_reserved, 0, n);
	tcase_add_loop_test(tc, the_order_of_release_does_not_show, 0, n);
	tcase_add_loop_test(tc, filled_at_any_order_and_freed_at_random_it_is_as_at_boot, 0, n);
	tcase_add_loop_test(tc, the_last_page_can_be_had_whatever_was_taken_before, 0, n);
	tcase_add_loop_test(tc, a_checkerboard_heals, 0, n);
	tcase_add_loop_test(tc, a_block_split_in_parts_is_freed_in_parts, 0, n);
	tcase_add_loop_test(tc, each_free_block_can_be_isolated_and_nothing_else, 0, n);
	tcase_add_loop_test(tc, a_failed_request_changes_nothing, 0, n);
	tcase_add_loop_test(tc, a_zone_limit_holds_and_lower_zones_step_in, 0, n);
	tcase_add_loop_test(tc, blocks_in_use_at_the_start_can_be_freed, 0, n);
	tcase_add_loop_test(tc, the_same_requests_get_the_same_answers, 0, n);
	tcase_add_loop_test(tc, who_looks_sees_frees_that_wait_and_changes_nothing, 0, n);
	tcase_add_loop_test(tc, no_request_fails_for_what_waits, 0, n);
	tcase_add_loop_test(tc, the_shadow_finds_nothing_and_changes_nothing, 0, n);
	tcase_add_loop_test(tc, what_is_beyond_a_design_is_refused_and_counted, 0, n);
	suite_add_tcase(suite, tc);
	return suite;
}
