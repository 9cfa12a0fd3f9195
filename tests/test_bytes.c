/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_bytes.c - byte allocators on a simulated buddy give back what they took */
#include <string.h>

#include <check.h>

#include "alloc/range_bytes.h"
#include "alloc/registry.h"
#include "base/bits.h"
#include "base/rng.h"
#include "tests/suite.h"

#define NR_PAGES 2048
#define MAX_HELD 600

/* An allocator of bytes and the buddy under it. */
struct rig {
	struct layout layout;
	struct machine *machine;
	struct allocator *pages;
	struct bytes *bytes;
	uint64_t base_bytes;		/* of metadata without it */
};

static const struct {
	struct bytes_plan plan;		/* no spec: slabs */
	enum slab_sizes sizes;
} kinds[] = {
	{ .plan = { "genalloc", 8, 2, false } },
	{ .plan = { "genalloc:fit=best", 8, 2, false } },
	{ .plan = { "genalloc_twobit", 8, 2, false } },
	{ .plan = { "genalloc_split", 8, 2, false } },
	{ .plan = { "nta:units=512", 32, 2, false } },
	{ .plan = { "nta:units=512:version=posted", 32, 2, false } },
	{ .plan = { "percpu_map", 4, 6, true } },
	{ .plan = { "percpu_bitmap", 4, 6, true } },
	{ .plan = { "percpu_bitmap:populate=on", 4, 6, true } },
	{ .plan = { "percpu_bitmap:depopulate=on", 4, 6, true } },
	{ .sizes = SLAB_POWERS_OF_2 },
	{ .sizes = SLAB_EQUAL },
};

/* Without what the buddy itself parks for its CPUs. */
static uint64_t meta_total(const struct machine *m)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < NR_META_COLUMNS; i++)
		if (i != META_parked)
			total += m->meta.now[i];
	return total;
}

static void rig_create(struct rig *rig, int kind)
{
	struct msg msg = { "" };
	int err;

	ck_assert_int_eq(layout_flat(&rig->layout, NR_PAGES, 1, &msg), 0);
	ck_assert_int_eq(machine_create(&rig->machine, &rig->layout,
					WINDOW_ARITH, &msg), 0);
	/* The contract under all: whatever is drawn is checked on its return. */
	ck_assert_int_eq(allocator_create(&rig->pages, "linked", true,
					  rig->machine, &msg), 0);
	for (unsigned long pfn = 0; pfn < NR_PAGES; pfn += 1UL << MAX_PAGE_ORDER)
		allocator_release(rig->pages, pfn, MAX_PAGE_ORDER);
	rig->base_bytes = meta_total(rig->machine);
	if (kinds[kind].plan.spec)
		err = range_bytes_create(&rig->bytes, &kinds[kind].plan,
					 rig->pages, &msg);
	else
		err = slab_baseline_create(&rig->bytes, kinds[kind].sizes,
					   rig->pages, &msg);
	ck_assert_msg(err == 0, "%s", msg.text);
}

static void rig_destroy(struct rig *rig)
{
	rig->bytes->ops->destroy(rig->bytes);
	ck_assert_uint_eq(meta_total(rig->machine), rig->base_bytes);
	ck_assert_uint_eq(rig->pages->stats.pages_allocated, 0);
	allocator_destroy(rig->pages);
	machine_destroy(rig->machine);
	layout_free(&rig->layout);
}

static void rig_check(const struct rig *rig)
{
	struct msg msg = { "" };

	ck_assert_msg(rig->bytes->ops->verify(rig->bytes, &msg) == 0, "%s",
		      msg.text);
}

struct object {
	uint64_t at;
	unsigned long bytes;
};

/* No two objects overlap, and none leaves the pages that were drawn. */
static void check_objects(const struct object *held, unsigned int nr)
{
	static unsigned char used[NR_PAGES << PAGE_SHIFT >> 2];

	for (size_t i = 0; i < sizeof(used); i++)
		used[i] = 0;
	for (unsigned int i = 0; i < nr; i++) {
		ck_assert_uint_le(held[i].at + held[i].bytes,
				  (uint64_t)NR_PAGES << PAGE_SHIFT);
		ck_assert_uint_eq(held[i].at % 4, 0);
		for (uint64_t a = held[i].at >> 2;
		     a < (held[i].at + held[i].bytes + 3) >> 2; a++)
			if (used[a]++)
				ck_abort_msg("the 4 bytes at %llu are in two objects",
					     (unsigned long long)a << 2);
	}
}

START_TEST(objects_come_and_go_and_no_byte_is_lost)
{
	struct object held[MAX_HELD];
	unsigned int nr_held = 0;
	uint64_t live = 0;
	struct rig rig;
	struct rng rng;

	rig_create(&rig, _i);
	rng_seed(&rng, 3);
	for (unsigned int i = 0; i < 6000; i++) {
		if (nr_held < MAX_HELD && (!nr_held || rng_below(&rng, 8) < 5)) {
			struct object o = {
				.bytes = 1 + (unsigned long)rng_below(&rng, 1UL << rng_below(&rng, 14)),
			};

			o.at = bytes_alloc(rig.bytes, o.bytes);
			ck_assert(o.at != ADDRESS_NONE);
			held[nr_held++] = o;
			live += o.bytes;
		} else {
			unsigned int k = (unsigned int)rng_below(&rng, nr_held);

			bytes_free(rig.bytes, held[k].at, held[k].bytes);
			live -= held[k].bytes;
			held[k] = held[--nr_held];
		}
		if (i % 500 == 0) {
			rig_check(&rig);
			check_objects(held, nr_held);
		}
	}
	ck_assert_uint_eq(rig.bytes->live_bytes, live);
	while (nr_held--)
		bytes_free(rig.bytes, held[nr_held].at, held[nr_held].bytes);
	rig_check(&rig);
	ck_assert_uint_eq(rig.bytes->live_bytes, 0);
	if (!kinds[_i].plan.spec)
		ck_assert_uint_eq(rig.bytes->nr_pages, 0);
	rig_destroy(&rig);
}
END_TEST

/* 192-byte objects: a power of two wastes a quarter of each, a slab of their own nothing. */
START_TEST(equal_slabs_pack_what_powers_of_two_waste)
{
	unsigned long nr_pages[2];

	for (int s = 0; s < 2; s++) {
		struct rig rig;

		rig_create(&rig, (int)ARRAY_SIZE(kinds) - 2 + s);
		for (unsigned int i = 0; i < 21 * 16; i++)
			ck_assert(bytes_alloc(rig.bytes, 192) != ADDRESS_NONE);
		nr_pages[s] = rig.bytes->nr_pages;
		rig_destroy(&rig);
	}
	ck_assert_uint_eq(nr_pages[0], 21);	/* 16 a page */
	ck_assert_uint_eq(nr_pages[1], 16);	/* 21 a page */
}
END_TEST

START_TEST(a_length_that_its_owner_keeps_is_charged)
{
	struct rig rig;

	rig_create(&rig, 0);
	for (unsigned int i = 0; i < 8; i++)
		bytes_alloc(rig.bytes, 100);
	/* 2^11 pages of 2^9 units: 20 bits a run. */
	ck_assert_uint_eq(rig.machine->meta.now[META_caller], 20);
	rig_destroy(&rig);
}
END_TEST

static int kind_of(const char *spec)
{
	int kind = 0;

	while (strcmp(kinds[kind].plan.spec, spec) != 0)
		kind++;
	return kind;
}

/*
 * Four chunks of 64 pages, filled with objects of a page; of each, one page
 * stays in use. What was populated comes from the buddy, and goes back to it
 * where pages are depopulated.
 */
START_TEST(pages_behind_units_come_from_the_buddy_and_go_back)
{
	static const struct {
		const char *spec;
		unsigned long least, most;	/* pages held in the end */
	} forms[] = {
		{ "percpu_bitmap", 256, 256 },
		{ "percpu_bitmap:populate=on", 256, 256 },
		{ "percpu_bitmap:depopulate=on", 4, 4 + 64 },
	};

	for (size_t f = 0; f < ARRAY_SIZE(forms); f++) {
		uint64_t at[256];
		struct rig rig;

		rig_create(&rig, kind_of(forms[f].spec));
		for (int i = 0; i < 256; i++)
			at[i] = bytes_alloc(rig.bytes, PAGE_SIZE);
		ck_assert_uint_eq(rig.bytes->nr_pages, 256);
		for (int i = 0; i < 256; i++)
			if (i % 64)
				bytes_free(rig.bytes, at[i], PAGE_SIZE);
		rig_check(&rig);
		ck_assert_uint_ge(rig.bytes->nr_pages, forms[f].least);
		ck_assert_uint_le(rig.bytes->nr_pages, forms[f].most);
		ck_assert_uint_eq(rig.pages->stats.pages_allocated,
				  rig.bytes->nr_pages);
		rig_destroy(&rig);
	}
}
END_TEST

/* Mapped, a chunk of 64 pages wants no block: single pages will do. */
START_TEST(a_mapped_block_is_made_of_single_pages)
{
	const struct alloc_req one = { .order = 0, .migratetype = MIGRATE_MOVABLE };
	unsigned long pfn[NR_PAGES];
	struct rig rig;

	rig_create(&rig, kind_of("percpu_map"));
	for (int i = 0; i < NR_PAGES; i++)
		pfn[i] = alloc_pages(rig.pages, &one);
	for (int i = 0; i < NR_PAGES; i += 2)
		free_pages(rig.pages, pfn[i], 0, 0);
	ck_assert(bytes_alloc(rig.bytes, 8000) != ADDRESS_NONE);
	ck_assert_uint_eq(rig.bytes->nr_pages, 64);
	rig_check(&rig);
	for (int i = 1; i < NR_PAGES; i += 2)
		free_pages(rig.pages, pfn[i], 0, 0);
	rig_destroy(&rig);
}
END_TEST

/* Whatever page cannot be had, what was drawn for the request goes back. */
START_TEST(without_pages_nothing_is_served_and_nothing_kept)
{
	const struct alloc_req one = { .order = 0, .migratetype = MIGRATE_MOVABLE };
	unsigned long pfn, taken[NR_PAGES], nr = 0;
	struct rig rig;

	rig_create(&rig, _i);
	while ((pfn = alloc_pages(rig.pages, &one)) != PFN_NONE)
		taken[nr++] = pfn;
	for (int spare = 0; spare < 3; spare++) {
		unsigned long before;

		if (spare)
			free_pages(rig.pages, taken[--nr], 0, 0);
		before = rig.pages->stats.pages_allocated;
		ck_assert(bytes_alloc(rig.bytes, 3 * PAGE_SIZE) == ADDRESS_NONE);
		rig_check(&rig);
		/* But for what the worker keeps populated for the next one. */
		ck_assert_uint_le(rig.pages->stats.pages_allocated, before + 2);
	}
	while (nr)
		free_pages(rig.pages, taken[--nr], 0, 0);
	rig_destroy(&rig);
}
END_TEST

START_TEST(what_no_block_can_hold_is_not_served)
{
	struct rig rig;

	rig_create(&rig, _i);
	ck_assert(bytes_alloc(rig.bytes, (PAGE_SIZE << MAX_PAGE_ORDER) + 1) ==
		  ADDRESS_NONE);
	ck_assert(bytes_alloc(rig.bytes, 0) == ADDRESS_NONE);
	ck_assert_uint_eq(rig.bytes->nr_pages, 0);
	rig_check(&rig);
	rig_destroy(&rig);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bytes");
	TCase *tc = tcase_create("bytes");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, objects_come_and_go_and_no_byte_is_lost, 0,
			    ARRAY_SIZE(kinds));
	tcase_add_test(tc, equal_slabs_pack_what_powers_of_two_waste);
	tcase_add_test(tc, a_length_that_its_owner_keeps_is_charged);
	tcase_add_test(tc, pages_behind_units_come_from_the_buddy_and_go_back);
	tcase_add_test(tc, a_mapped_block_is_made_of_single_pages);
	tcase_add_loop_test(tc, without_pages_nothing_is_served_and_nothing_kept, 0,
			    ARRAY_SIZE(kinds));
	tcase_add_loop_test(tc, what_no_block_can_hold_is_not_served, 0,
			    ARRAY_SIZE(kinds));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
