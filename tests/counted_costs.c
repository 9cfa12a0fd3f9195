/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * counted_costs.c - what one operation reads and writes, counted by hand
 *
 * Runs in the watched build (base/cost.h), where the compiler announces every
 * load and store. Words and lines are distinct within an operation, so that
 * hand and compiler come to the same number whatever the compiler keeps in
 * registers.
 */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "alloc/registry.h"
#include "base/rng.h"
#include "tests/suite.h"

/* No types, no per-CPU lists, no marks, no waiting: a free list and nothing else. */
#define BARE ":pcp=off:mobility=off:tail_rule=off:lookahead=0"

static struct layout layout;
static struct machine *machine;
static struct allocator *a;
static struct cost *cost;

static void set_up(const char *spec, unsigned long nr_pages, bool high)
{
	struct msg msg = { "" };

	memset(&layout, 0, sizeof(layout));
	ck_assert_int_eq(layout_flat(&layout, nr_pages, 1, &msg), 0);
	if (high)
		layout.highmem_pfn = 0;
	ck_assert_int_eq(machine_create(&machine, &layout, WINDOW_ARITH, &msg), 0);
	ck_assert_msg(allocator_create(&a, spec, false, machine, &msg) == 0,
		      "%s", msg.text);
	cost = calloc(1, sizeof(*cost));
	ck_assert_ptr_nonnull(cost);
	allocator_count(a, cost);
}

static void tear_down(void)
{
	allocator_destroy(a);
	machine_destroy(machine);
	layout_free(&layout);
	free(cost);
}

static unsigned long take(unsigned int order)
{
	struct alloc_req req = { .order = order, .migratetype = MIGRATE_MOVABLE };

	return alloc_pages(a, &req);
}

/*
 *   0 1 2 3 4 5 6 7
 *   F               order 3, the only block; a page is asked for
 *   A F F   F       0 in use; 1, 2 and 4 are listed, orders 0, 1 and 2
 *
 *    pages     0: order and type                                    1 word
 *              1, 2, 4: next, prev, order and type                  9
 *    heads     of orders 3 to 0: next and prev                      8
 *    zone      nr_free of four orders, the mask of occupied orders,
 *              free pages, allocated pages                          7
 */
START_TEST(linked_a_page_cut_from_a_block_of_eight)
{
	set_up("linked" BARE, 8, false);
	allocator_release(a, 0, 3);

	ck_assert_uint_eq(take(0), 0);
	ck_assert_uint_eq(cost->nr_ops, 1);
	ck_assert_uint_eq(cost->words_written, 1 + 9 + 8 + 7);
	ck_assert_uint_eq(cost->list_nodes, 4);
	ck_assert_uint_eq(cost->bits_scanned, NR_PAGE_ORDERS);
	ck_assert_uint_eq(cost->tree_levels, 0);
	ck_assert_uint_eq(cost->atomic_tries, 0);
	tear_down();
}
END_TEST

/*
 *   0 1 2 3     no block joins, the list is empty: page 2's three words, the
 *   A A F A     head's two, and four of the zone. Read is the state of the
 *               buddy among others, so page 3's line, too.
 */
START_TEST(linked_a_page_freed_beside_pages_in_use)
{
	struct cost before;

	set_up("linked" BARE, 4, false);
	allocator_release(a, 0, 2);
	for (unsigned long i = 0; i < 4; i++)
		ck_assert_uint_eq(take(0), i);
	before = *cost;

	free_pages(a, 2, 0, 0);
	ck_assert_uint_eq(cost->words_written - before.words_written, 3 + 2 + 4);
	ck_assert_uint_eq(cost->list_nodes - before.list_nodes, 1);
	tear_down();
}
END_TEST

/*
 *   0 1 2 3 4 5 6 7     2, then 6: each joins nothing. The head names the list's
 *   A A F A A A F A     type and order, so page 2 takes a link unread when 6
 *                       comes before it: no more is read than for an empty list.
 */
START_TEST(embedded16_a_neighbour_is_written_without_being_read)
{
	uint64_t first, second, written;

	set_up("embedded16" BARE, 8, false);
	allocator_release(a, 0, 3);
	for (unsigned long i = 0; i < 8; i++)
		ck_assert_uint_eq(take(0), i);
	first = cost->words_read;
	free_pages(a, 2, 0, 0);
	second = cost->words_read;
	written = cost->words_written;
	free_pages(a, 6, 0, 0);

	ck_assert_uint_eq(cost->words_read - second, second - first);
	/* Two words of page 6, one of page 2, one of the head; four of the zone. */
	ck_assert_uint_eq(cost->words_written - written, 2 + 1 + 1 + 4);
	tear_down();
}
END_TEST

/*
 * The same with a list of two words each: state and slot of pages 1, 2 and 4
 * and the state of page 0, 7 words; and nothing of a page beyond. In 16 bytes
 * a page, pages 0 to 3 lie in one line and page 4 in the next.
 */
START_TEST(twoword_descriptors_of_a_cut_lie_in_two_lines)
{
	unsigned long nr_words = 0;

	set_up("twoword" BARE, 8, false);
	allocator_release(a, 0, 3);
	ck_assert_uint_eq(take(0), 0);

	for (size_t i = 0; i < COST_SEEN; i++)
		nr_words += cost->words[1].at[i].op == cost->nr_ops;
	ck_assert_uint_eq(nr_words, cost->words_written);
	/* Descriptors, a slot and a count for each of three lists, and the zone. */
	ck_assert_uint_ge(cost->words_written, 7 + 6 + 7);
	ck_assert_uint_le(cost->words_written, 7 + 6 + 7 + 4);
	ck_assert_uint_eq(cost->bytes_moved, 0);
	tear_down();
}
END_TEST

/* One entry of the array: its bitmap, the zone's two counters. */
START_TEST(hybrid_a_page_is_a_bit)
{
	set_up("hybrid", 64, false);
	allocator_release(a, 0, 6);

	ck_assert_uint_eq(take(0), 0);
	ck_assert_uint_eq(cost->words_written, 3);
	ck_assert_uint_eq(cost->list_nodes, 1);
	ck_assert_uint_eq(cost->bits_scanned, 64);
	tear_down();
}
END_TEST

/*
 * The CPU's own counter, the child's and the row, each with one locked
 * operation, and the hint, which lies beside the counter.
 */
START_TEST(llfree_three_locked_operations)
{
	struct cost before;

	set_up("llfree", 2 * 4096, false);	/* with one tree, none is reserved */
	allocator_release(a, 0, 9);
	allocator_release(a, 512, 9);
	ck_assert_uint_ne(take(0), PFN_NONE);	/* reserves a tree */
	before = *cost;

	ck_assert_uint_ne(take(0), PFN_NONE);
	ck_assert_uint_eq(cost->atomic_tries - before.atomic_tries, 3);
	ck_assert_uint_eq(cost->atomic_retries - before.atomic_retries, 0);
	ck_assert_uint_eq(cost->words_written - before.words_written, 4);
	ck_assert_uint_eq(cost->lines_written - before.lines_written, 3);
	ck_assert_uint_eq(cost->bits_scanned - before.bits_scanned, 64);
	tear_down();
}
END_TEST

/* Parked and taken again: the lists of the zone are not touched. */
START_TEST(a_per_cpu_list_spares_the_free_lists)
{
	struct cost before;
	unsigned long pfn;

	set_up("linked:mobility=off:pcp_high=64:pcp_batch=8", 1024, false);
	allocator_release(a, 0, 9);
	pfn = take(0);
	free_pages(a, pfn, 0, 0);
	before = *cost;

	ck_assert_uint_eq(take(0), pfn);
	ck_assert_uint_eq(cost->bits_scanned, before.bits_scanned);
	ck_assert_uint_eq(cost->list_nodes - before.list_nodes, 2);
	tear_down();
}
END_TEST

/* The list's entries are in pages of the memory itself. */
START_TEST(nodes_in_memory_count_as_metadata)
{
	unsigned long end = 16384;
	uint64_t moved;

	set_up("twoword" BARE, end, true);
	for (unsigned long pfn = 0; pfn < end; pfn += 1024)
		allocator_release(a, pfn, 10);
	while (take(0) != PFN_NONE)
		;
	moved = cost->bytes_moved;
	for (unsigned long pfn = 0; pfn < end; pfn += 2)
		free_pages(a, pfn, 0, 0);
	ck_assert_uint_gt(a->stats.nodes, 0);
	ck_assert_uint_gt(cost->bytes_moved, moved);
	tear_down();
}
END_TEST

/* --- all of them ---------------------------------------------------------- */

/* What a design does by its nature: to be seen in its counters. */
static const struct { const char *name; size_t counter[3]; } natures[] = {
#define HAS(x) offsetof(struct cost, x)
	{ "linked",          { HAS(list_nodes), HAS(bits_scanned) } },
	{ "twoword",         { HAS(list_nodes), HAS(bits_scanned), HAS(bytes_moved) } },
	{ "memdesc",         { HAS(list_nodes), HAS(bits_scanned) } },
	{ "embedded16",      { HAS(list_nodes), HAS(bits_scanned) } },
	{ "packed8",         { HAS(list_nodes), HAS(bits_scanned) } },
	{ "inpage",          { HAS(list_nodes), HAS(bits_scanned) } },
	{ "hybrid",          { HAS(list_nodes), HAS(bits_scanned) } },
	{ "genalloc",        { HAS(bits_scanned), HAS(atomic_tries) } },
	{ "genalloc_twobit", { HAS(bits_scanned), HAS(atomic_tries) } },
	{ "genalloc_split",  { HAS(bits_scanned), HAS(atomic_tries) } },
	{ "percpu_map",      { HAS(list_nodes), HAS(bytes_moved) } },
	{ "percpu_bitmap",   { HAS(bits_scanned) } },
	{ "nta",             { HAS(tree_levels) } },
	{ "nta_trimmed",     { HAS(tree_levels) } },
	{ "llfree",          { HAS(bits_scanned), HAS(atomic_tries), HAS(tree_levels) } },
#undef HAS
};

static uint64_t counter_at(size_t offset)
{
	return *(const uint64_t *)(const void *)((const char *)cost + offset);
}

/* Pages come and go at random, a quarter of memory in use to three quarters. */
static uint64_t churn(unsigned long nr_pages, unsigned int nr_ops)
{
	unsigned long *held = calloc(nr_pages, sizeof(*held));
	size_t nr_held = 0;
	uint64_t started = 0;
	bool filling = true;
	struct rng rng;

	rng_seed(&rng, 1);
	for (unsigned int i = 0; i < nr_ops; i++) {
		if (nr_held == nr_pages / 4 * (filling ? 3 : 1))
			filling = !filling;
		if (!filling) {
			size_t at = rng_below(&rng, nr_held);

			free_pages(a, held[at], 0, 0);
			held[at] = held[--nr_held];
		} else {
			held[nr_held] = take(0);
			nr_held += held[nr_held] != PFN_NONE;
		}
		started++;
	}
	free(held);
	return started;
}

START_TEST(every_design_is_counted_by_its_nature)
{
	const unsigned long nr_pages = 8192;
	uint64_t nr_ops;

	set_up(natures[_i].name, nr_pages, false);
	for (unsigned long pfn = nr_pages; pfn > 0; pfn -= 1024)
		allocator_release(a, pfn - 1024, 10);
	nr_ops = churn(nr_pages, 20000);

	ck_assert_uint_eq(cost->nr_ops, nr_ops);
	ck_assert_uint_ge(cost->words_read, nr_ops);
	ck_assert_uint_ge(cost->words_written, nr_ops);
	ck_assert_uint_le(cost->lines_read, cost->words_read);
	ck_assert_uint_le(cost->lines_written, cost->words_written);
	ck_assert_uint_ge(cost->lines_touched, cost->lines_read);
	ck_assert_uint_ge(cost->lines_touched, cost->lines_written);
	ck_assert_uint_le(cost->lines_touched,
			  cost->lines_read + cost->lines_written);
	for (size_t i = 0; i < 3 && natures[_i].counter[i]; i++)
		ck_assert_uint_gt(counter_at(natures[_i].counter[i]), 0);
	tear_down();
}
END_TEST

START_TEST(this_build_counts_words)
{
	ck_assert(cost_counts_words());
}
END_TEST

START_TEST(every_registered_design_has_a_nature)
{
	for (size_t i = 0; allocator_registry[i]; i++) {
		bool known = allocator_registry[i]->caps.no_policy;

		for (size_t n = 0; n < ARRAY_SIZE(natures); n++)
			known |= !strcmp(natures[n].name, allocator_registry[i]->name);
		ck_assert_msg(known, "%s is not in the table above",
			      allocator_registry[i]->name);
	}
}
END_TEST

START_TEST(what_is_no_operation_is_not_counted)
{
	struct page_info info;
	struct msg msg;

	set_up("linked", 1024, false);
	allocator_release(a, 0, 10);
	allocator_query(a, 5, &info);
	ck_assert_int_eq(allocator_verify(a, &msg), 0);
	ck_assert_uint_eq(cost->words_read, 0);

	allocator_count(a, NULL);
	ck_assert_uint_eq(take(0), 0);
	ck_assert_uint_eq(cost->nr_ops, 0);
	tear_down();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("costs");
	TCase *tc = tcase_create("costs");

	tcase_add_test(tc, linked_a_page_cut_from_a_block_of_eight);
	tcase_add_test(tc, linked_a_page_freed_beside_pages_in_use);
	tcase_add_test(tc, embedded16_a_neighbour_is_written_without_being_read);
	tcase_add_test(tc, twoword_descriptors_of_a_cut_lie_in_two_lines);
	tcase_add_test(tc, hybrid_a_page_is_a_bit);
	tcase_add_test(tc, llfree_three_locked_operations);
	tcase_add_test(tc, a_per_cpu_list_spares_the_free_lists);
	tcase_add_test(tc, nodes_in_memory_count_as_metadata);
	tcase_add_loop_test(tc, every_design_is_counted_by_its_nature, 0,
			    ARRAY_SIZE(natures));
	tcase_add_test(tc, this_build_counts_words);
	tcase_add_test(tc, every_registered_design_has_a_nature);
	tcase_add_test(tc, what_is_no_operation_is_not_counted);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
