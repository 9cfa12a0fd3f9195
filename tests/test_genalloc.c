/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_genalloc.c - one published table of placements for all forms of genalloc
 *
 * The seven cases are those of the self-test that was posted with the
 * interleaved form: order 0, one chunk of 128 units. `A3@8` allocates three
 * units and expects them at 8, `F@8` frees what is at 8, `=ab2b` compares the
 * map of two bits a unit, byte 0 first, zero from there on.
 *
 *    unit     0  1  2  3   4  5  6  7
 *    code    11 10 10 11  10 00 00 00      11 head, 10 body, 00 free
 *    byte    low bits first: eb, 02
 *
 * The other forms must place alike, so the same bytes say what their maps hold.
 *
 * Defects of the posted interleaved form, and the case that shows each beside
 * the right form:
 *    1 swap taken for failed  as_posted_every_success_takes_a_second_swap; what
 *                             comes of it: as_posted_a_claim_leaves_units_behind
 *                             and as_posted_a_release_wipes_the_next_owner_out
 *                             (test_races.c)
 *    2 map rounded down       as_posted_a_map_ends_before_its_chunk and
 *                             a_chunk_need_not_be_a_multiple_of_a_word
 *    3 half a pool checked    as_posted_half_a_pool_is_taken_for_empty
 *    4 released upwards       a_run_is_released_from_its_end (test_races.c)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "alloc/range/gen_pool.h"
#include "tests/suite.h"

#define NR_UNITS 128
#define MAP_BYTES 16			/* compared: units 0 to 63 */

static const char *const forms[] = {
	"genalloc", "genalloc_twobit", "genalloc_split:heads=checked",
	"genalloc_split:lengths=tree",
};
#define NR_FORMS ARRAY_SIZE(forms)

struct pool {
	struct layout layout;
	struct machine *machine;
	struct range *range;
	struct cost cost;
	unsigned long length[NR_UNITS];	/* of the run at each unit; 0: none */
};

static void pool_create(struct pool *pool, const char *spec,
			unsigned long nr_units)
{
	struct msg msg = { "" };

	memset(pool, 0, sizeof(*pool));
	ck_assert_msg(layout_flat(&pool->layout, 64, 1, &msg) == 0, "%s", msg.text);
	ck_assert_msg(machine_create(&pool->machine, &pool->layout,
				     WINDOW_ARITH, &msg) == 0, "%s", msg.text);
	ck_assert_msg(range_create(&pool->range, spec, pool->machine, &msg) == 0,
		      "%s", msg.text);
	ck_assert_int_eq(range_add_free(pool->range, 0, nr_units), 0);
}

static void pool_destroy(struct pool *pool)
{
	range_destroy(pool->range);
	for (unsigned int i = 0; i < NR_META_COLUMNS; i++)
		ck_assert_uint_eq(pool->machine->meta.now[i], 0);
	machine_destroy(pool->machine);
	layout_free(&pool->layout);
}

static void pool_check(const struct pool *pool)
{
	struct msg msg = { "" };

	ck_assert_msg(pool->range->ops->verify(pool->range, &msg) == 0, "%s",
		      msg.text);
}

static unsigned long pool_alloc(struct pool *pool, unsigned long nr,
				unsigned long align)
{
	unsigned long at = range_alloc(pool->range, nr, align, NULL);

	if (at != RANGE_NONE)
		pool->length[at] = nr;
	pool_check(pool);
	return at;
}

static void pool_free(struct pool *pool, unsigned long at)
{
	ck_assert_uint_eq(range_free(pool->range, at, pool->length[at]), RANGE_OK);
	pool->length[at] = 0;
	pool_check(pool);
}

static const struct {
	const char *name;
	const char *fit;		/* an option, or "" */
	unsigned long align;		/* 0: the places are given, not asked for */
	const char *steps;
} cases[] = {
	{ "first fit", "fit=first", 1,
	  "A3@0 A2@3 A5@5 =ebae0a F@3 =2bac0a A1@3 =ebac0a F@5 =eb F@0 =c0 F@3 =" },
	{ "word span", "fit=first", 1,
	  "A15@0 A16@15 A2@31 =abaaaaeaaaaaaaea02 F@15 =abaaaa2a000000c002 F@0 F@31 =" },
	{ "gaps", "fit=first", 1,
	  "A10@0 A8@10 A6@18 A4@24 A2@28 F@10 F@24 A3@10 =abaaba02b0aa000b" },
	{ "aligned to 4", "fit=first", 4,
	  "A5@0 A3@8 A2@12 A1@16 F@0 F@12 A2@0 =0b002b0003" },
	{ "fixed places", "fit=first", 0,
	  "A5@1 A3@8 A2@6 A40@30 =acba2b00000000b0aaaaaaaaaaaaaaaa" },
	{ "aligned to the length", "fit=order", 1,
	  "A5@0 A3@8 A2@6 A1@5 A1@11 A2@12 =abbeeb0b" },
	{ "best fit", "fit=best", 1,
	  "A5@0 A3@5 A3@8 A1@11 F@0 F@8 A2@8 =00accb" },
};

/* The code that the published map has for a unit. */
static unsigned int published_code(const unsigned char map[MAP_BYTES],
				   unsigned long unit)
{
	return map[unit / 4] >> unit % 4 * 2 & 3;
}

/* What the backend says of a unit, as a code: 11, 10, or 00. */
static unsigned int code_of(const struct pool *pool, unsigned long unit)
{
	struct range_info info;

	pool->range->ops->query(pool->range, unit, &info);
	switch (info.state) {
	case RANGE_FREE:
		return 0;
	case RANGE_HEAD:
		return 3;
	case RANGE_BODY:
		return 2;
	case RANGE_USED:
		/* One bit cannot tell; a run of one may be a reserved unit. */
		return info.head == unit || pool->length[unit] ? 3 : 2;
	default:
		ck_abort_msg("unit %lu is in state %d", unit, (int)info.state);
		return 1;
	}
}

static void compare_map(const struct pool *pool, const char *hex)
{
	unsigned char want[MAP_BYTES] = { 0 };

	for (size_t i = 0; hex[2 * i] && hex[2 * i] != ' '; i++) {
		char byte[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		want[i] = (unsigned char)strtoul(byte, NULL, 16);
	}
	for (unsigned long unit = 0; unit < 4 * MAP_BYTES; unit++)
		if (code_of(pool, unit) != published_code(want, unit))
			ck_abort_msg("unit %lu is %u, not %u", unit,
				     code_of(pool, unit),
				     published_code(want, unit));

	/* The interleaved map itself, byte for byte. */
	if (!strcmp(pool->range->ops->name, "genalloc_twobit")) {
		const struct gen_pool *p = to_const_gen_pool(pool->range);

		ck_assert_mem_eq(p->chunks->map, want, MAP_BYTES);
	}
}

static void run_steps(struct pool *pool, unsigned long align, const char *at)
{
	for (; *at; at += strcspn(at, " "), at += *at == ' ') {
		unsigned long nr, place;

		if (*at == '=') {
			compare_map(pool, at + 1);
		} else if (sscanf(at, "F@%lu", &place) == 1) {
			pool_free(pool, place);
		} else if (sscanf(at, "A%lu@%lu", &nr, &place) == 2 && align) {
			ck_assert_uint_eq(pool_alloc(pool, nr, align), place);
		} else {
			ck_assert(pool->range->ops->claim(pool->range, place, nr));
			pool->length[place] = nr;
			pool_check(pool);
		}
	}
}

/* Test i: which case for which form. */
START_TEST(runs_lie_where_they_were_published)
{
	const char *form = forms[(size_t)_i % NR_FORMS];
	size_t c = (size_t)_i / NR_FORMS;
	struct pool pool;
	char spec[80];

	snprintf(spec, sizeof(spec), "%s:%s", form, cases[c].fit);
	pool_create(&pool, spec, NR_UNITS);
	run_steps(&pool, cases[c].align, cases[c].steps);
	for (unsigned long unit = 0; unit < NR_UNITS; unit++)
		if (pool.length[unit])
			pool_free(&pool, unit);
	compare_map(&pool, "");
	ck_assert_uint_eq(pool.range->ops->nr_free(pool.range), NR_UNITS);
	ck_assert(!pool.range->ops->in_use(pool.range));
	pool_destroy(&pool);
}
END_TEST

/*
 *   0 1 2 3 4 5 6 7
 *   H b b . . . . .     wrong frees around a run of three at 0
 */
static const struct {
	const char *what;
	unsigned long at, nr;
	enum range_answer by_map;	/* by a form that knows where runs begin */
	enum range_answer by_bit;	/* genalloc: RANGE_OK is the caller's ruin */
} wrong_frees[] = {
	{ "a free unit", 5, 1, RANGE_NOT_USED, RANGE_NOT_USED },
	{ "the inside of a run", 1, 2, RANGE_NOT_HEAD, RANGE_OK },
	{ "the end of a run", 2, 1, RANGE_NOT_HEAD, RANGE_OK },
	{ "a length too short", 0, 2, RANGE_WRONG_SIZE, RANGE_OK },
	{ "a length too long", 0, 4, RANGE_WRONG_SIZE, RANGE_NOT_USED },
	{ "the unit after the last", NR_UNITS, 1, RANGE_OUTSIDE, RANGE_OUTSIDE },
	{ "a unit far away", ~0UL, 1, RANGE_OUTSIDE, RANGE_OUTSIDE },
};

START_TEST(a_wrong_free_is_noticed_by_those_who_can)
{
	const char *form = forms[(size_t)_i % NR_FORMS];
	size_t w = (size_t)_i / NR_FORMS;
	bool by_bit = !strcmp(form, "genalloc");
	struct pool pool;
	enum range_answer answer;

	pool_create(&pool, form, NR_UNITS);
	ck_assert_uint_eq(pool_alloc(&pool, 3, 1), 0);
	answer = pool.range->ops->free(pool.range, wrong_frees[w].at,
				       wrong_frees[w].nr);
	ck_assert_msg(answer == (by_bit ? wrong_frees[w].by_bit
					: wrong_frees[w].by_map),
		      "%s: %s: %d", form, wrong_frees[w].what, (int)answer);
	pool_check(&pool);

	/* Noticed or not, it can only have been noticed without a trace. */
	if (answer != RANGE_OK)
		pool_free(&pool, 0);
	pool_destroy(&pool);
}
END_TEST

START_TEST(a_run_cannot_be_freed_twice)
{
	struct pool pool;

	pool_create(&pool, forms[_i], NR_UNITS);
	ck_assert_uint_eq(pool_alloc(&pool, 40, 1), 0);
	pool_free(&pool, 0);
	ck_assert_uint_eq(range_free(pool.range, 0, 40), RANGE_NOT_USED);
	pool_check(&pool);
	ck_assert_uint_eq(pool.range->ops->nr_free(pool.range), NR_UNITS);
	pool_destroy(&pool);
}
END_TEST

START_TEST(requests_without_sense_get_a_reason)
{
	enum range_answer why;
	struct pool pool;

	pool_create(&pool, forms[_i], NR_UNITS);
	ck_assert_uint_eq(range_alloc(pool.range, 0, 1, &why), RANGE_NONE);
	ck_assert_uint_eq(why, RANGE_BAD_SIZE);
	ck_assert_uint_eq(range_alloc(pool.range, 1, 0, &why), RANGE_NONE);
	ck_assert_uint_eq(why, RANGE_BAD_ALIGN);
	ck_assert_uint_eq(range_alloc(pool.range, 1, 3, &why), RANGE_NONE);
	ck_assert_uint_eq(why, RANGE_BAD_ALIGN);
	ck_assert_uint_eq(range_alloc(pool.range, NR_UNITS + 1, 1, &why), RANGE_NONE);
	ck_assert_uint_eq(why, RANGE_NO_SPACE);
	ck_assert_uint_eq(range_alloc(pool.range, NR_UNITS, 256, &why), 0);
	ck_assert_uint_eq(why, RANGE_OK);
	pool_destroy(&pool);
}
END_TEST

/* 32 units fill a word of two bits each: one more needs a second word. */
START_TEST(a_chunk_need_not_be_a_multiple_of_a_word)
{
	struct pool pool;

	pool_create(&pool, forms[_i], 33);
	ck_assert_uint_eq(pool_alloc(&pool, 33, 1), 0);
	ck_assert_uint_eq(pool_alloc(&pool, 1, 1), RANGE_NONE);
	pool_free(&pool, 0);
	for (unsigned long unit = 0; unit < 33; unit++)
		ck_assert_uint_eq(pool_alloc(&pool, 1, 1), unit);
	ck_assert_uint_eq(pool_alloc(&pool, 1, 1), RANGE_NONE);
	for (unsigned long unit = 33; unit-- > 0;)
		pool_free(&pool, unit);
	pool_destroy(&pool);
}
END_TEST

START_TEST(as_posted_a_map_ends_before_its_chunk)
{
	struct msg msg = { "" };
	struct pool pool;

	pool_create(&pool, "genalloc_twobit:as-posted=on", 33);
	ck_assert_int_lt(pool.range->ops->verify(pool.range, &msg), 0);
	ck_assert_msg(strstr(msg.text, "ends before unit 32"), "%s", msg.text);
	pool_destroy(&pool);

	pool_create(&pool, "genalloc_twobit:as-posted=on", 64);
	pool_check(&pool);
	pool_destroy(&pool);
}
END_TEST

/* The last unit of 128 is out; the posted check looks at 128 bits. */
START_TEST(as_posted_half_a_pool_is_taken_for_empty)
{
	static const struct { const char *spec; bool noticed; } table[] = {
		{ "genalloc_twobit", true },
		{ "genalloc_twobit:as-posted=on", false },
		{ "genalloc", true },
		{ "genalloc_split", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct pool pool;

		pool_create(&pool, table[i].spec, NR_UNITS);
		ck_assert(pool.range->ops->claim(pool.range, NR_UNITS - 1, 1));
		ck_assert_int_eq(pool.range->ops->in_use(pool.range),
				 table[i].noticed);
		pool_destroy(&pool);
	}
}
END_TEST

/* Each success takes two swaps where the word is compared with the target. */
START_TEST(as_posted_every_success_takes_a_second_swap)
{
	static const struct { const char *spec; unsigned int swaps; } table[] = {
		{ "genalloc_twobit", 1 }, { "genalloc_twobit:as-posted=on", 2 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct pool pool;

		pool_create(&pool, table[i].spec, NR_UNITS);
		pool.range->cost = &pool.cost;
		ck_assert_uint_eq(range_alloc(pool.range, 2, 1, NULL), 0);
		/* And the count of free units, which is atomic too. */
		ck_assert_uint_eq(pool.cost.atomic_tries, table[i].swaps + 1);
		ck_assert_uint_eq(pool.cost.atomic_retries, table[i].swaps - 1);
		pool_destroy(&pool);
	}
}
END_TEST

/*
 *   chunk at 1000         chunk at 64
 *   [ 16 units ]          [ 32 units ]      the newest is asked first
 */
START_TEST(a_pool_grows_by_chunks)
{
	enum range_answer why;
	struct range_run run;
	struct pool pool;

	pool_create(&pool, forms[_i], 8);
	ck_assert_int_eq(range_add_free(pool.range, 1000, 16), 0);
	ck_assert_int_eq(range_add_free(pool.range, 64, 32), 0);
	ck_assert_uint_eq(pool.range->ops->nr_free(pool.range), 8 + 16 + 32);

	ck_assert_uint_eq(range_alloc(pool.range, 16, 1, NULL), 64);
	ck_assert_uint_eq(range_alloc(pool.range, 16, 1, NULL), 80);
	ck_assert_uint_eq(range_alloc(pool.range, 16, 1, NULL), 1000);
	ck_assert_uint_eq(range_alloc(pool.range, 16, 1, &why), RANGE_NONE);
	ck_assert_uint_eq(why, RANGE_NO_SPACE);

	ck_assert(pool.range->ops->next_free(pool.range, 0, 2000, &run));
	ck_assert_uint_eq(run.start, 0);
	ck_assert_uint_eq(run.nr, 8);
	ck_assert(!pool.range->ops->next_free(pool.range, 8, 2000, &run));
	ck_assert_uint_eq(range_free(pool.range, 80, 16), RANGE_OK);
	ck_assert(pool.range->ops->next_free(pool.range, 8, 2000, &run));
	ck_assert_uint_eq(run.start, 80);
	ck_assert(pool.range->ops->next_free(pool.range, 85, 90, &run));
	ck_assert_uint_eq(run.start, 85);
	ck_assert_uint_eq(run.nr, 5);
	pool_check(&pool);
	pool_destroy(&pool);
}
END_TEST

START_TEST(a_reserved_unit_is_nobody_s)
{
	struct pool pool;

	pool_create(&pool, forms[_i], 8);
	ck_assert_int_eq(pool.range->ops->add(pool.range, 64, 64), 0);
	ck_assert_uint_eq(range_alloc(pool.range, 9, 1, NULL), RANGE_NONE);
	pool.range->ops->release(pool.range, 70, 10);
	pool_check(&pool);
	ck_assert_uint_eq(range_alloc(pool.range, 9, 1, NULL), 70);
	ck_assert_int_eq(pool.range->ops->adopt(pool.range, 100, 6), 0);
	pool_check(&pool);
	ck_assert_uint_eq(range_free(pool.range, 100, 6), RANGE_OK);
	ck_assert_uint_eq(range_free(pool.range, 70, 9), RANGE_OK);
	ck_assert_uint_eq(pool.range->ops->nr_free(pool.range), 8 + 10 + 6);
	pool_check(&pool);
	pool_destroy(&pool);
}
END_TEST

/*
 *    unit  0     5 6     11 12
 *          [ 5  ]A[ 5   ]A[ 116 ...      3 fit both holes alike: the lower one
 */
START_TEST(of_equal_best_fits_the_lowest_is_taken)
{
	char spec[64];
	struct pool pool;

	snprintf(spec, sizeof(spec), "%s:fit=best", forms[_i]);
	pool_create(&pool, spec, NR_UNITS);
	ck_assert_uint_eq(range_alloc(pool.range, 5, 1, NULL), 0);
	ck_assert_uint_eq(range_alloc(pool.range, 1, 1, NULL), 5);
	ck_assert_uint_eq(range_alloc(pool.range, 5, 1, NULL), 6);
	ck_assert_uint_eq(range_alloc(pool.range, 1, 1, NULL), 11);
	ck_assert_int_eq(range_free(pool.range, 0, 5), RANGE_OK);
	ck_assert_int_eq(range_free(pool.range, 6, 5), RANGE_OK);
	ck_assert_uint_eq(range_alloc(pool.range, 3, 1, NULL), 0);
	pool_destroy(&pool);
}
END_TEST

/* A claim of 3 units inside a word: its word and the count of free units. */
START_TEST(costs_are_what_was_touched)
{
	struct pool pool;

	pool_create(&pool, "genalloc", NR_UNITS);
	pool.range->cost = &pool.cost;
	range_alloc(pool.range, 3, 1, NULL);
	ck_assert_uint_eq(pool.cost.nr_ops, 1);
	ck_assert_uint_eq(pool.cost.words_written, 2);
	ck_assert_uint_eq(pool.cost.lines_written, 2);
	ck_assert_uint_eq(pool.cost.chunks_tried, 1);
	ck_assert_uint_eq(pool.cost.atomic_tries, 2);
	ck_assert_uint_eq(pool.cost.atomic_retries, 0);
	ck_assert_uint_eq(pool.cost.bytes_moved, 0);
	pool_destroy(&pool);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("genalloc");
	TCase *tc = tcase_create("forms");

	tcase_add_loop_test(tc, runs_lie_where_they_were_published, 0,
			    (int)(ARRAY_SIZE(cases) * NR_FORMS));
	tcase_add_loop_test(tc, a_wrong_free_is_noticed_by_those_who_can, 0,
			    (int)(ARRAY_SIZE(wrong_frees) * NR_FORMS));
	tcase_add_loop_test(tc, a_run_cannot_be_freed_twice, 0, NR_FORMS);
	tcase_add_loop_test(tc, requests_without_sense_get_a_reason, 0, NR_FORMS);
	tcase_add_loop_test(tc, a_chunk_need_not_be_a_multiple_of_a_word, 0, NR_FORMS);
	tcase_add_test(tc, as_posted_a_map_ends_before_its_chunk);
	tcase_add_test(tc, as_posted_half_a_pool_is_taken_for_empty);
	tcase_add_test(tc, as_posted_every_success_takes_a_second_swap);
	tcase_add_loop_test(tc, a_pool_grows_by_chunks, 0, NR_FORMS);
	tcase_add_loop_test(tc, a_reserved_unit_is_nobody_s, 0, NR_FORMS);
	tcase_add_loop_test(tc, of_equal_best_fits_the_lowest_is_taken, 0, NR_FORMS);
	tcase_add_test(tc, costs_are_what_was_touched);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
