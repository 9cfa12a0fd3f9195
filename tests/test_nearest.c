/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_nearest.c - a slip of the finger is recognised, another word is not */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "tests/suite.h"

static const char *const names[] = {
	"replay", "report", "plot", "compare", "list", "total_percent",
};

static const struct {
	const char *word;
	const char *meant;		/* NULL: nothing there is */
} words[] = {
	{ "replay",  "replay" },
	{ "Replay",  "replay" },	/* case */
	{ "repaly",  "replay" },	/* exchanged */
	{ "plott",   "plot" },		/* one too many */
	{ "repor",   "report" },	/* one too few */
	{ "lust",    "list" },		/* a wrong one */
	{ "tota_percnt", "total_percent" },
	{ "reply",   "replay" },
	{ "pl",      NULL },
	{ "",        NULL },
	{ "banana",  NULL },
	{ "rp",      NULL },
};

START_TEST(the_word_that_was_meant_is_found)
{
	struct nearest near = nearest_to(words[_i].word, strlen(words[_i].word));

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		nearest_try(&near, names[i]);
	if (words[_i].meant) {
		ck_assert_pstr_eq(near.name, words[_i].meant);
		ck_assert_ptr_nonnull(strstr(nearest_hint(&near), words[_i].meant));
	} else {
		ck_assert_pstr_eq(near.name, NULL);
		ck_assert_str_eq(nearest_hint(&near), "");
	}
	ck_assert_str_eq(near.tried.text,
			 "replay, report, plot, compare, list, total_percent");
}
END_TEST

START_TEST(only_the_first_letters_of_a_longer_text_are_looked_at)
{
	struct nearest near = nearest_to("plto:key=value", 4);

	nearest_try(&near, "plot");
	ck_assert_pstr_eq(near.name, "plot");
}
END_TEST

START_TEST(what_is_too_long_is_near_to_nothing)
{
	char word[100];
	struct nearest near;

	memset(word, 'w', sizeof(word));
	near = nearest_to(word, sizeof(word));
	nearest_try(&near, "w");
	ck_assert_pstr_eq(near.name, NULL);
	word[sizeof(word) - 1] = '\0';
	near = nearest_to("www", 3);
	nearest_try(&near, word);
	ck_assert_pstr_eq(near.name, NULL);
}
END_TEST

START_TEST(names_that_do_not_fit_are_cut)
{
	struct names there = { 0 };

	for (unsigned int i = 0; i < 200; i++)
		names_add(&there, "name %u", i);
	ck_assert_uint_eq(there.len, sizeof(there.text) - 1);
	ck_assert_uint_eq(strlen(there.text), there.len);
	ck_assert(!strncmp(there.text, "name 0, name 1, ", 16));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nearest");
	TCase *tc = tcase_create("nearest");

	tcase_add_loop_test(tc, the_word_that_was_meant_is_found, 0,
			    (int)ARRAY_SIZE(words));
	tcase_add_test(tc, only_the_first_letters_of_a_longer_text_are_looked_at);
	tcase_add_test(tc, what_is_too_long_is_near_to_nothing);
	tcase_add_test(tc, names_that_do_not_fit_are_cut);
	suite_add_tcase(suite, tc);

	return run_suite(suite);
}
