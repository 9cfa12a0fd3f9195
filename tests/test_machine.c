/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_machine.c - a machine's memory, its accounts, its limits, its snapshot */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE			/* mincore */
#endif
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "machine/machine.h"
#include "tests/suite.h"

static struct layout layout;
static struct msg msg;

static struct machine *flat_machine(unsigned long nr_pages,
				    unsigned long highmem_pfn,
				    enum window_mode mode)
{
	struct machine *m;

	ck_assert_int_eq(layout_flat(&layout, nr_pages, 2, &msg), 0);
	layout.highmem_pfn = highmem_pfn;
	ck_assert_msg(!machine_create(&m, &layout, mode, &msg), "%s", msg.text);
	return m;
}

static const enum window_mode all_modes[] = {
	WINDOW_ARITH,
	WINDOW_UNCOUNTED,
#if PAGE_SHIFT == 12
	WINDOW_GUARD,
#endif
};

static const struct { unsigned long border, pfn; bool high; } borders[] = {
	{ 0, 0, true },		{ 0, 63, true },
	{ 20, 19, false },	{ 20, 20, true },	{ 20, 63, true },
	{ 64, 63, false },	{ 1000, 63, false },
	{ PFN_NONE, 0, false },	{ PFN_NONE, 63, false },
};

START_TEST(highmem_begins_at_the_border_wherever_it_lies)
{
	struct machine *m = flat_machine(64, borders[_i].border, WINDOW_ARITH);
	unsigned char *page;

	ck_assert_int_eq(machine_page_is_high(m, borders[_i].pfn),
			 borders[_i].high);
	page = kmap_local_pfn(m, 0, borders[_i].pfn);
	memset(page, 1, PAGE_SIZE);
	kunmap_local(m, 0, page);
	ck_assert_uint_eq(m->kmap.calls, borders[_i].high);
	machine_destroy(m);
}
END_TEST

#if !HIGHMEM_BY_TABLE
START_TEST(pages_lie_side_by_side_in_the_order_of_their_first_touch)
{
	static const unsigned long low[] = { 30, 0, 31, 7 }, high[] = { 63, 32, 40 };
	struct machine *m = flat_machine(64, 32, WINDOW_ARITH);
	struct physmem *p = &m->physmem;
	unsigned char *first_low = machine_lowmem(m, low[0]);
	unsigned char *first_high = physmem_view(p, high[0]);

	for (size_t i = 0; i < ARRAY_SIZE(low); i++) {
		ck_assert_uint_eq(*(const unsigned char *)machine_peek(m, low[i]), 0);
		ck_assert_ptr_eq(machine_lowmem(m, low[i]), first_low + i * PAGE_SIZE);
		ck_assert_ptr_eq(physmem_view(p, low[i]), machine_lowmem(m, low[i]));
		ck_assert_uint_eq(physmem_pfn_at(p, machine_lowmem(m, low[i])), low[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(high); i++) {
		ck_assert_uint_eq(*(const unsigned char *)machine_peek(m, high[i]), 0);
		ck_assert_ptr_eq(physmem_view(p, high[i]), first_high + i * PAGE_SIZE);
		ck_assert_uint_eq(physmem_pfn_at(p, physmem_view(p, high[i])), high[i]);
	}
	for (unsigned long pfn = 0; pfn < 64; pfn++)
		ck_assert_uint_eq(*(const unsigned char *)machine_peek(m, pfn), 0);
	ck_assert_uint_eq(p->nr_touched[0], ARRAY_SIZE(low));
	ck_assert_uint_eq(p->nr_touched[1], ARRAY_SIZE(high));
	machine_destroy(m);
}
END_TEST

#ifdef MADV_POPULATE_WRITE
/* Of nr pages from this address on: those in the host's memory. */
static unsigned int nr_given(unsigned char *addr, unsigned int nr)
{
	unsigned char in[64];
	unsigned int sum = 0;

	ck_assert_uint_le(nr, sizeof(in));
	ck_assert_int_eq(mincore(addr, nr * PAGE_SIZE, in), 0);
	while (nr--)
		sum += in[nr] & 1;
	return sum;
}

START_TEST(the_host_gives_what_is_touched_next_if_any_was)
{
	struct machine *m = flat_machine(64, 32, WINDOW_ARITH);
	struct physmem *p = &m->physmem;
	unsigned char *low, *high;

	physmem_populate(p, 8);
	ck_assert_uint_eq(nr_given(p->direct, 32), 0);
	low = machine_lowmem(m, 9);
	physmem_populate(p, 8);
	ck_assert_uint_eq(nr_given(p->view + 32 * PAGE_SIZE, 32), 0);
	if (!nr_given(low + PAGE_SIZE, 1))
		return;			/* the host takes no such advice */
	ck_assert_uint_eq(nr_given(low, 32), 8);
	high = physmem_view(p, 63);
	physmem_populate(p, 1000);
	ck_assert_uint_eq(nr_given(low, 32), 31);
	ck_assert_uint_eq(nr_given(high, 32), 31);
	ck_assert_uint_eq(p->nr_touched[0] + p->nr_touched[1], 2);
	machine_destroy(m);
}
END_TEST
#endif

/* What was not touched when the copy was made reads as zeroes again. */
START_TEST(a_snapshot_brings_back_pages_not_yet_touched)
{
	struct machine *m = flat_machine(64, 32, WINDOW_ARITH);
	void *snapshot = malloc((size_t)machine_snapshot_bytes(m));

	*(unsigned char *)machine_lowmem(m, 9) = 1;
	machine_save(m, snapshot);
	for (unsigned long pfn = 64; pfn-- > 0;)
		memset(physmem_view(&m->physmem, pfn), 0xee, PAGE_SIZE);
	machine_restore(m, snapshot);
	for (unsigned long pfn = 0; pfn < 64; pfn++)
		ck_assert_uint_eq(*(const unsigned char *)machine_peek(m, pfn),
				  pfn == 9);
	free(snapshot);
	machine_destroy(m);
}
END_TEST
#endif

START_TEST(two_machines_of_one_layout_share_nothing)
{
	struct machine *a = flat_machine(64, 32, WINDOW_ARITH);
	struct machine *b;
	unsigned char *page;

	ck_assert_int_eq(machine_create(&b, &layout, WINDOW_ARITH, &msg), 0);
	*(unsigned char *)machine_lowmem(a, 5) = 1;
	page = kmap_local_pfn(a, 0, 40);
	page[0] = 2;
	ck_assert_ptr_nonnull(machine_alloc(a, 100, META_nodes));

	ck_assert_uint_eq(*(const unsigned char *)machine_peek(b, 5), 0);
	ck_assert_uint_eq(*(const unsigned char *)machine_peek(b, 40), 0);
	ck_assert_uint_eq(kmap_depth(b, 0), 0);
	ck_assert_uint_eq(b->kmap.calls, 0);
	ck_assert_uint_eq(b->meta.now[META_nodes], 0);
	machine_destroy(a);
	machine_destroy(b);
}
END_TEST

/*
 *   pfn   0 .. 9 | 10 .. 29 hole | 30 .. 63
 */
START_TEST(a_memmap_has_words_for_every_pfn_and_charges_pages_that_exist)
{
	struct machine *m;
	uint64_t *words;

	ck_assert_int_eq(layout_flat(&layout, 64, 2, &msg), 0);
	layout.zones[0].managed = 40;
	ck_assert_int_eq(layout_add_hole(&layout, 10, 30, &msg), 0);
	ck_assert_int_eq(machine_create(&m, &layout, WINDOW_ARITH, &msg), 0);

	words = machine_memmap(m, 16);
	ck_assert_ptr_nonnull(words);
	for (unsigned long pfn = 0; pfn < 64; pfn++) {
		ck_assert_uint_eq(words[2 * pfn], 0);
		words[2 * pfn + 1] = pfn;
	}
	ck_assert_uint_eq(m->meta.now[META_descriptors], 44 * 16);
	ck_assert_uint_eq(m->meta.peak[META_descriptors], 44 * 16);
	machine_destroy(m);
	layout_free(&layout);
}
END_TEST

START_TEST(memory_is_charged_to_its_column_and_given_back_to_it)
{
	struct machine *m = flat_machine(64, PFN_NONE, WINDOW_ARITH);
	void *heads = machine_alloc(m, 1000, META_structures);
	void *node = machine_alloc(m, 48, META_nodes);

	ck_assert_ptr_nonnull(heads);
	ck_assert_ptr_nonnull(node);
	machine_free(m, node, 48, META_nodes);
	ck_assert_uint_eq(m->meta.now[META_structures], 1000);
	ck_assert_uint_eq(m->meta.now[META_nodes], 0);
	ck_assert_uint_eq(m->meta.peak[META_nodes], 48);
	meta_charge(&m->meta, META_parked, 4096);
	meta_charge(&m->meta, META_parked, 4096);
	meta_uncharge(&m->meta, META_parked, 8192);
	ck_assert_uint_eq(m->meta.now[META_parked], 0);
	ck_assert_uint_eq(m->meta.peak[META_parked], 8192);
	machine_destroy(m);
}
END_TEST

START_TEST(what_is_allocated_while_a_free_runs_is_counted)
{
	struct machine *m = flat_machine(64, PFN_NONE, WINDOW_ARITH);
	void *ptr;

	ck_assert_ptr_nonnull(machine_memmap(m, 8));
	ptr = machine_alloc(m, 64, META_nodes);
	ck_assert_uint_eq(m->free_path_allocations, 0);

	m->free_depth++;
	machine_free(m, ptr, 64, META_nodes);
	ck_assert_uint_eq(m->free_path_allocations, 0);
	ck_assert_ptr_nonnull(machine_alloc(m, 64, META_nodes));
	ck_assert_uint_eq(m->free_path_allocations, 1);
	ck_assert_ptr_null(machine_alloc(m, UINT64_C(1) << 61, META_nodes));
	ck_assert_uint_eq(m->free_path_allocations, 2);
	m->free_depth--;

	ck_assert_ptr_nonnull(machine_alloc(m, 64, META_nodes));
	ck_assert_uint_eq(m->free_path_allocations, 2);
	machine_destroy(m);
}
END_TEST

START_TEST(a_snapshot_brings_back_metadata_and_memory)
{
	struct machine *m = flat_machine(8, 4, all_modes[_i]);
	uint32_t *words = machine_memmap(m, 4);
	struct meta_account account;
	unsigned char *page;
	void *snapshot;

	for (unsigned long pfn = 0; pfn < 8; pfn++) {
		words[pfn] = (uint32_t)(100 + pfn);
		page = kmap_local_pfn(m, 0, pfn);
		memset(page, (int)(10 + pfn), PAGE_SIZE);
		kunmap_local(m, 0, page);
	}
	account = m->meta;
	snapshot = malloc((size_t)machine_snapshot_bytes(m));
	machine_save(m, snapshot);

	for (unsigned long pfn = 0; pfn < 8; pfn++) {
		words[pfn] = 0;
		page = kmap_local_pfn(m, 0, pfn);
		memset(page, 0xee, PAGE_SIZE);
		kunmap_local(m, 0, page);
	}
	ck_assert_ptr_nonnull(machine_alloc(m, 5000, META_nodes));

	machine_restore(m, snapshot);
	ck_assert_mem_eq(&m->meta, &account, sizeof(account));
	for (unsigned long pfn = 0; pfn < 8; pfn++) {
		const unsigned char *seen = machine_peek(m, pfn);

		ck_assert_uint_eq(words[pfn], 100 + pfn);
		ck_assert_uint_eq(seen[0], 10 + pfn);
		ck_assert_uint_eq(seen[PAGE_SIZE - 1], 10 + pfn);
	}
	free(snapshot);
	machine_destroy(m);
}
END_TEST

START_TEST(a_machine_reserves_the_addresses_that_its_layout_says)
{
	struct machine *m = flat_machine(1UL << 16, 1UL << 12, WINDOW_ARITH);

	ck_assert_uint_eq(machine_addresses(&layout),
			  m->physmem.direct_bytes + m->physmem.view_bytes +
			  (HIGHMEM_BY_TABLE ? 0 : 12 * m->end_pfn) +
			  arena_limit(m->arena));
	machine_destroy(m);
}
END_TEST

#if UINTPTR_MAX > UINT32_MAX

/* Host pages of a range that are resident. */
static size_t nr_resident(void *addr, uint64_t bytes)
{
	size_t host = (size_t)sysconf(_SC_PAGESIZE);
	size_t nr = (size_t)bytes / host;
	unsigned char *in_core = malloc(nr);
	size_t resident = 0;

	ck_assert_int_eq(mincore(addr, (size_t)bytes, in_core), 0);
	for (size_t i = 0; i < nr; i++)
		resident += in_core[i] & 1;
	free(in_core);
	return resident;
}

START_TEST(a_terabyte_costs_only_what_is_touched)
{
	const unsigned long nr_pages = (unsigned long)((UINT64_C(1) << 40) >> PAGE_SHIFT);
	const size_t bytes_per_page = PAGE_SHIFT == 12 ? 16 : 1;
	struct machine *m = flat_machine(nr_pages, nr_pages / 2, WINDOW_ARITH);
	unsigned char *map = machine_memmap(m, bytes_per_page);
	unsigned char *page;

	ck_assert_ptr_nonnull(map);
	map[0] = 1;
	map[(nr_pages - 1) * bytes_per_page] = 2;
	page = kmap_local_pfn(m, 0, nr_pages - 1);
	page[PAGE_SIZE - 1] = 3;
	kunmap_local(m, 0, page);
	*(unsigned char *)machine_lowmem(m, nr_pages / 2 - 1) = 4;

	ck_assert_uint_eq(map[0], 1);
	ck_assert_uint_eq(*(const unsigned char *)machine_peek(m, nr_pages / 2 - 1), 4);
	ck_assert_uint_eq(m->meta.now[META_descriptors], nr_pages * bytes_per_page);
	if (PAGE_SHIFT == 12)	/* two touches, each at most a huge page */
		ck_assert_uint_le(nr_resident(map, nr_pages * bytes_per_page),
				  2 * 512);
	machine_destroy(m);
}
END_TEST

/* 2^61 bytes, 2^49 pages: no host has addresses for 256 bytes of metadata each. */
START_TEST(a_machine_the_host_cannot_hold_is_refused_with_the_bytes_it_needs)
{
	struct machine *m = NULL;

	ck_assert_int_eq(layout_flat(&layout,
				     (unsigned long)((UINT64_C(1) << 61) >> PAGE_SHIFT),
				     2, &msg), 0);
	ck_assert_int_eq(machine_create(&m, &layout, WINDOW_ARITH, &msg),
			 -ENOMEM);
	ck_assert_ptr_null(m);
	ck_assert_msg(strstr(msg.text, "144115188109410304 bytes"), "%s",
		      msg.text);
}
END_TEST

#endif

#if PAGE_SHIFT == 12
/* The host would answer with SIGXFSZ, which nobody expects here. */
START_TEST(a_limit_on_file_sizes_is_a_message_and_no_signal)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };
	struct machine *m = NULL;

	ck_assert_int_eq(layout_flat(&layout, (4 << 20) / PAGE_SIZE, 2, &msg), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(machine_create(&m, &layout, WINDOW_GUARD, &msg),
			 -ENOMEM);
	ck_assert_ptr_null(m);
	ck_assert_ptr_nonnull(strstr(msg.text, "4194304 bytes"));
}
END_TEST
#endif

START_TEST(a_layout_that_does_not_hold_is_refused)
{
	struct machine *m = NULL;

	ck_assert_int_eq(layout_flat(&layout, 64, 2, &msg), 0);
	layout.zones[0].managed = 65;
	ck_assert_int_eq(machine_create(&m, &layout, WINDOW_ARITH, &msg),
			 -EINVAL);
	ck_assert_ptr_null(m);
	ck_assert_ptr_nonnull(strstr(msg.text, "Normal"));
}
END_TEST

START_TEST(destroying_no_machine_is_harmless)
{
	machine_destroy(NULL);
	arena_destroy(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("machine");
	TCase *t = tcase_create("machine");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, highmem_begins_at_the_border_wherever_it_lies, 0,
			    ARRAY_SIZE(borders));
#if !HIGHMEM_BY_TABLE
	tcase_add_test(t, pages_lie_side_by_side_in_the_order_of_their_first_touch);
#ifdef MADV_POPULATE_WRITE
	tcase_add_test(t, the_host_gives_what_is_touched_next_if_any_was);
#endif
	tcase_add_test(t, a_snapshot_brings_back_pages_not_yet_touched);
#endif
	tcase_add_test(t, two_machines_of_one_layout_share_nothing);
	tcase_add_test(t, a_memmap_has_words_for_every_pfn_and_charges_pages_that_exist);
	tcase_add_test(t, memory_is_charged_to_its_column_and_given_back_to_it);
	tcase_add_test(t, what_is_allocated_while_a_free_runs_is_counted);
	tcase_add_test(t, a_machine_reserves_the_addresses_that_its_layout_says);
	tcase_add_loop_test(t, a_snapshot_brings_back_metadata_and_memory, 0,
			    ARRAY_SIZE(all_modes));
#if UINTPTR_MAX > UINT32_MAX
	tcase_add_test(t, a_terabyte_costs_only_what_is_touched);
	tcase_add_test(t, a_machine_the_host_cannot_hold_is_refused_with_the_bytes_it_needs);
#endif
#if PAGE_SHIFT == 12
	tcase_add_test(t, a_limit_on_file_sizes_is_a_message_and_no_signal);
#endif
	tcase_add_test(t, a_layout_that_does_not_hold_is_refused);
	tcase_add_test(t, destroying_no_machine_is_harmless);
	suite_add_tcase(s, t);
	return run_suite(s);
}
