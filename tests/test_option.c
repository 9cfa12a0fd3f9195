/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_option.c - tests src/alloc/option.c */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "alloc/option.h"
#include "tests/suite.h"

#if ULONG_MAX > UINT32_MAX
#define WORD_MAX_TEXT "18446744073709551615"
#define TOO_BIG_TEXT "18446744073709551616"
#else
#define WORD_MAX_TEXT "4294967295"
#define TOO_BIG_TEXT "4294967296"
#endif

static const struct option_spec specs[] = {
	{ "removal", "swap|punch", "swap", "how an entry leaves the middle" },
	{ "inline", "0..64", "16", "entries kept in the list's head" },
	{ "entry", "4|8", "4", "bytes of an entry" },
	{ "big", "0.." WORD_MAX_TEXT, "0", "no limit but the word's" },
	{ NULL, NULL, NULL, NULL },
};

static const struct {
	const char *text;
	unsigned long removal, in_line, entry;
} good[] = {
	{ NULL, 0, 16, 0 },
	{ "removal=punch", 1, 16, 0 },
	{ "removal=swap:inline=0", 0, 0, 0 },
	{ "inline=64:entry=8:removal=punch", 1, 64, 1 },
	{ "inline=007", 0, 7, 0 },
};

START_TEST(what_is_given_replaces_the_default)
{
	struct option_set set;
	struct msg msg = { "" };

	ck_assert_msg(option_parse(&set, specs, "twoword", good[_i].text, &msg) == 0,
		      "%s", msg.text);
	ck_assert_uint_eq(option_get(&set, "removal"), good[_i].removal);
	ck_assert_uint_eq(option_get(&set, "inline"), good[_i].in_line);
	ck_assert_uint_eq(option_get(&set, "entry"), good[_i].entry);
}
END_TEST

static const struct {
	const char *text;
	const char *says;
} bad[] = {
	{ "colour=red", "twoword: unknown option 'colour'; it knows removal, inline, entry, big" },
	{ "remova=swap", "unknown option 'remova'" },
	{ "removals=swap", "unknown option 'removals'" },
	{ "", "twoword: an option is missing after ':'; expected KEY=VALUE" },
	{ "inline=4:", "an option is missing after ':'" },
	{ "=swap", "unknown option ''" },
	{ ":inline=4", "unknown option ''" },
	{ "inline", "option 'inline' needs a value: inline=0..64" },
	{ "inline=", "option 'inline' cannot be ''; it can be 0..64" },
	{ "inline=65", "option 'inline' cannot be '65'; it can be 0..64" },
	{ "inline=-1", "cannot be '-1'" },
	{ "inline=+1", "cannot be '+1'" },
	{ "inline= 1", "cannot be ' 1'" },
	{ "inline=1k", "cannot be '1k'" },
	{ "inline=0x10", "cannot be '0x10'" },
	{ "inline=" TOO_BIG_TEXT, "cannot be '" TOO_BIG_TEXT "'" },
	{ "removal=pun", "option 'removal' cannot be 'pun'; it can be swap|punch" },
	{ "removal=swap|punch", "cannot be 'swap|punch'" },
	{ "removal=", "cannot be ''" },
	{ "entry=6", "option 'entry' cannot be '6'; it can be 4|8" },
	{ "inline=1=2", "cannot be '1=2'" },
	{ "inline=1:inline=1", "option 'inline' is given twice" },
};

START_TEST(a_mistake_is_named_with_what_is_allowed)
{
	struct option_set set;
	struct msg msg = { "" };

	ck_assert_int_eq(option_parse(&set, specs, "twoword", bad[_i].text, &msg),
			 -EINVAL);
	ck_assert_msg(strstr(msg.text, bad[_i].says) != NULL,
		      "'%s' gives '%s', without '%s'", bad[_i].text, msg.text,
		      bad[_i].says);
}
END_TEST

START_TEST(a_backend_without_options_takes_none)
{
	static const struct option_spec none[] = { { NULL, NULL, NULL, NULL } };
	const struct option_spec *const tables[] = { NULL, none };

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		struct option_set set;
		struct msg msg = { "" };

		ck_assert_int_eq(option_parse(&set, tables[i], "null", NULL, &msg), 0);
		ck_assert_int_eq(option_parse(&set, tables[i], "null", "a=1", &msg),
				 -EINVAL);
		ck_assert_str_eq(msg.text, "null: 'a': it takes no options");
	}
}
END_TEST

START_TEST(a_number_may_fill_the_word)
{
	struct option_set set;

	ck_assert_int_eq(option_parse(&set, specs, "x", "big=" WORD_MAX_TEXT,
				      NULL), 0);
	ck_assert_uint_eq(option_get(&set, "big"), ULONG_MAX);
	ck_assert_int_eq(option_parse(&set, specs, "x", "big=" TOO_BIG_TEXT,
				      NULL), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("option");
	TCase *tc = tcase_create("parsing");

	tcase_add_loop_test(tc, what_is_given_replaces_the_default, 0, ARRAY_SIZE(good));
	tcase_add_loop_test(tc, a_mistake_is_named_with_what_is_allowed, 0, ARRAY_SIZE(bad));
	tcase_add_test(tc, a_backend_without_options_takes_none);
	tcase_add_test(tc, a_number_may_fill_the_word);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
