/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_bytes.c - byte allocators on a simulated buddy give back what they took */
#include <stdlib.h>

#include <check.h>

#include "alloc/range_bytes.h"
#include "alloc/registry.h"
#include "base/bits.h"
#include "base/rng.h"

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
	const char *spec;		/* NULL: slabs */
	unsigned long unit_bytes;
	enum slab_sizes sizes;
} kinds[] = {
	{ "genalloc", 8, 0 },
	{ "genalloc:fit=best", 8, 0 },
	{ "genalloc_twobit", 8, 0 },
	{ "genalloc_split", 8, 0 },
	{ NULL, 0, SLAB_POWERS_OF_2 },
	{ NULL, 0, SLAB_EQUAL },
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
	if (kinds[kind].spec)
		err = range_bytes_create(&rig->bytes, kinds[kind].spec,
					 kinds[kind].unit_bytes, 2, rig->pages,
					 &msg);
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
	static unsigned char used[NR_PAGES << PAGE_SHIFT >> 3];

	for (size_t i = 0; i < sizeof(used); i++)
		used[i] = 0;
	for (unsigned int i = 0; i < nr; i++) {
		ck_assert_uint_le(held[i].at + held[i].bytes,
				  (uint64_t)NR_PAGES << PAGE_SHIFT);
		ck_assert_uint_eq(held[i].at % 8, 0);
		for (uint64_t a = held[i].at >> 3;
		     a < (held[i].at + held[i].bytes + 7) >> 3; a++)
			if (used[a]++)
				ck_abort_msg("the 8 bytes at %llu are in two objects",
					     (unsigned long long)a << 3);
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
	if (!kinds[_i].spec)
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
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, objects_come_and_go_and_no_byte_is_lost, 0,
			    ARRAY_SIZE(kinds));
	tcase_add_test(tc, equal_slabs_pack_what_powers_of_two_waste);
	tcase_add_test(tc, a_length_that_its_owner_keeps_is_charged);
	tcase_add_loop_test(tc, what_no_block_can_hold_is_not_served, 0,
			    ARRAY_SIZE(kinds));
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
