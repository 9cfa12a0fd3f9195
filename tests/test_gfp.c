/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_gfp.c - allocation flags: names, what they stand for, what they ask for */
#include <check.h>
#include <string.h>

#include "alloc/allocator.h"
#include "machine/layout.h"
#include "sim/source/gfp.h"
#include "tests/suite.h"

#define RECLAIM (GFP(DIRECT_RECLAIM) | GFP(KSWAPD_RECLAIM))
#define KERNEL  (RECLAIM | GFP(IO) | GFP(FS))
#define HIGHUSER_MOVABLE \
	(KERNEL | GFP(HARDWALL) | GFP(HIGHMEM) | GFP(MOVABLE))

static const struct {
	const char *text;
	uint32_t gfp;
} parsed[] = {
	{ "GFP_KERNEL", KERNEL },
	{ "GFP_KERNEL_ACCOUNT", KERNEL | GFP(ACCOUNT) },
	{ "GFP_USER", KERNEL | GFP(HARDWALL) },
	{ "GFP_HIGHUSER", KERNEL | GFP(HARDWALL) | GFP(HIGHMEM) },
	{ "GFP_HIGHUSER_MOVABLE", HIGHUSER_MOVABLE },
	{ "GFP_NOFS", RECLAIM | GFP(IO) },
	{ "GFP_NOIO", RECLAIM },
	{ "GFP_NOWAIT", GFP(KSWAPD_RECLAIM) | GFP(NOWARN) },
	{ "GFP_ATOMIC", GFP(HIGH) | GFP(KSWAPD_RECLAIM) },
	{ "GFP_DMA32", GFP(DMA32) },
	{ "GFP_TRANSHUGE_LIGHT",
	  (HIGHUSER_MOVABLE & ~RECLAIM) | GFP(COMP) | GFP(NOMEMALLOC) | GFP(NOWARN) },
	{ "GFP_TRANSHUGE",
	  (HIGHUSER_MOVABLE & ~GFP(KSWAPD_RECLAIM)) | GFP(COMP) |
	  GFP(NOMEMALLOC) | GFP(NOWARN) },
	{ "__GFP_RECLAIM", RECLAIM },
	{ "GFP_HIGHUSER_MOVABLE|__GFP_ZERO|__GFP_COMP",
	  HIGHUSER_MOVABLE | GFP(ZERO) | GFP(COMP) },
	{ "none", 0 },
	{ "GFP_KERNE", GFP(UNKNOWN) },
	{ "GFP_KERNEL_", GFP(UNKNOWN) },
	{ "0x440dc0", GFP(UNKNOWN) },
	{ "", GFP(UNKNOWN) },
	{ "|", GFP(UNKNOWN) },
	{ "__GFP_IO|0x8000000", GFP(IO) | GFP(UNKNOWN) },
};

START_TEST(a_compound_name_stands_for_its_elementary_flags)
{
	const char *text = parsed[_i].text;

	ck_assert_uint_eq(gfp_parse(text, strlen(text)), parsed[_i].gfp);
}
END_TEST

START_TEST(the_cache_says_what_parsing_says_at_every_ask)
{
	static struct gfp_cache cache;

	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < ARRAY_SIZE(parsed); i++)
			ck_assert_uint_eq(gfp_parse_cached(&cache, parsed[i].text,
							   strlen(parsed[i].text)),
					  parsed[i].gfp);
}
END_TEST

START_TEST(a_string_too_long_for_the_cache_is_still_understood)
{
	static struct gfp_cache cache;
	char text[400] = "GFP_KERNEL";

	for (int i = 0; i < 20; i++)
		strcat(text, "|__GFP_NOWARN");
	for (int round = 0; round < 2; round++)
		ck_assert_uint_eq(gfp_parse_cached(&cache, text, strlen(text)),
				  KERNEL | GFP(NOWARN));
}
END_TEST

START_TEST(what_is_printed_reads_back_as_the_same_flag)
{
	for (unsigned int bit = 0; bit < GFP_BIT_UNKNOWN; bit++) {
		char text[64];

		gfp_format(UINT32_C(1) << bit, text, sizeof(text));
		ck_assert_uint_eq(gfp_parse(text, strlen(text)), UINT32_C(1) << bit);
	}
}
END_TEST

START_TEST(several_flags_are_printed_with_bars_and_cut_to_the_room)
{
	char text[64];
	char small[8];

	ck_assert_str_eq(gfp_format(GFP(IO) | GFP(FS), text, sizeof(text)),
			 "__GFP_IO|__GFP_FS");
	ck_assert_str_eq(gfp_format(0, text, sizeof(text)), "none");
	ck_assert_str_eq(gfp_format(GFP(IO) | GFP(FS), small, sizeof(small)),
			 "__GFP_I");
}
END_TEST

/* The highest zone allowed, on machines with these zones. */
static const struct {
	const char *zones[4];
	const char *gfp;
	const char *highest;
} limits[] = {
	{ { "DMA", "DMA32", "Normal" }, "GFP_KERNEL",           "Normal" },
	{ { "DMA", "DMA32", "Normal" }, "GFP_HIGHUSER_MOVABLE", "Normal" },
	{ { "DMA", "DMA32", "Normal" }, "GFP_KERNEL|__GFP_DMA32", "DMA32" },
	{ { "DMA", "DMA32", "Normal" }, "GFP_KERNEL|__GFP_DMA", "DMA" },
	{ { "DMA", "Normal", "HighMem" }, "GFP_KERNEL",         "Normal" },
	{ { "DMA", "Normal", "HighMem" }, "GFP_HIGHUSER",       "HighMem" },
	{ { "DMA", "Normal", "HighMem" }, "GFP_KERNEL|__GFP_DMA32", "DMA" },
	{ { "DMA", "DMA32", "Normal", "Movable" }, "GFP_HIGHUSER", "Normal" },
	{ { "DMA", "DMA32", "Normal", "Movable" }, "GFP_HIGHUSER_MOVABLE", "Movable" },
	{ { "DMA", "DMA32", "Normal", "Movable" }, "GFP_KERNEL|__GFP_MOVABLE", "Normal" },
	{ { "Normal" }, "GFP_DMA", "Normal" },
};

START_TEST(the_highest_zone_allowed_follows_from_the_flags)
{
	struct layout layout = { 0 };
	uint32_t gfp = gfp_parse(limits[_i].gfp, strlen(limits[_i].gfp));

	while (layout.nr_zones < 4 && limits[_i].zones[layout.nr_zones]) {
		strcpy(layout.zones[layout.nr_zones].name,
		       limits[_i].zones[layout.nr_zones]);
		layout.nr_zones++;
	}
	ck_assert_str_eq(layout.zones[gfp_zone_limit(gfp, &layout)].name,
			 limits[_i].highest);
	ck_assert_uint_eq(gfp_zone_limits(&layout).of[gfp & GFP_ZONE_MASK],
			  gfp_zone_limit(gfp, &layout));
}
END_TEST

static const struct {
	const char *gfp;
	unsigned int flags;
} requests[] = {
	{ "GFP_KERNEL", 0 },
	{ "GFP_ATOMIC", ALLOC_HIGH_PRIORITY | ALLOC_NON_BLOCKING },
	{ "GFP_ATOMIC|__GFP_NOMEMALLOC", ALLOC_HIGH_PRIORITY },
	{ "GFP_NOWAIT", ALLOC_NON_BLOCKING },
	{ "GFP_TRANSHUGE", 0 },
	{ "0x440dc0", 0 },
};

START_TEST(urgency_follows_from_the_flags_and_a_number_says_nothing)
{
	const char *text = requests[_i].gfp;

	ck_assert_uint_eq(gfp_alloc_flags(gfp_parse(text, strlen(text))),
			  requests[_i].flags);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gfp");
	TCase *tc = tcase_create("flags");

	tcase_add_loop_test(tc, a_compound_name_stands_for_its_elementary_flags,
			    0, (int)ARRAY_SIZE(parsed));
	tcase_add_test(tc, the_cache_says_what_parsing_says_at_every_ask);
	tcase_add_test(tc, a_string_too_long_for_the_cache_is_still_understood);
	tcase_add_test(tc, what_is_printed_reads_back_as_the_same_flag);
	tcase_add_test(tc, several_flags_are_printed_with_bars_and_cut_to_the_room);
	tcase_add_loop_test(tc, the_highest_zone_allowed_follows_from_the_flags,
			    0, (int)ARRAY_SIZE(limits));
	tcase_add_loop_test(tc, urgency_follows_from_the_flags_and_a_number_says_nothing,
			    0, (int)ARRAY_SIZE(requests));
	suite_add_tcase(s, tc);

	return run_suite(s);
}
