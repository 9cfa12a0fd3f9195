/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_msg.c - a message is one line, whatever it quotes */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/msg.h"
#include "tests/suite.h"

static struct msg msg;

START_TEST(the_error_comes_back_negative)
{
	ck_assert_int_eq(msg_set(&msg, EINVAL, "order %d", 11), -EINVAL);
	ck_assert_str_eq(msg.text, "order 11");
	ck_assert_int_eq(msg_set(NULL, ENOMEM, "nobody asks"), -ENOMEM);
}
END_TEST

START_TEST(what_moves_a_cursor_becomes_a_question_mark)
{
	msg_set(&msg, EINVAL, "a\nb\tc\x1b[31m\x7f" "d");
	ck_assert_str_eq(msg.text, "a?b?c?[31m?d");
}
END_TEST

START_TEST(letters_beyond_ascii_stay)
{
	msg_set(&msg, EINVAL, "%s: is a directory", "Zürich/日本");
	ck_assert_str_eq(msg.text, "Zürich/日本: is a directory");
}
END_TEST

START_TEST(what_does_not_fit_is_cut)
{
	char words[2 * sizeof(msg.text)];

	memset(words, 'w', sizeof(words));
	words[sizeof(words) - 1] = '\0';
	msg_set(&msg, EINVAL, "%s", words);
	ck_assert_uint_eq(strlen(msg.text), sizeof(msg.text) - 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("msg");
	TCase *tc = tcase_create("msg");

	tcase_add_test(tc, the_error_comes_back_negative);
	tcase_add_test(tc, what_moves_a_cursor_becomes_a_question_mark);
	tcase_add_test(tc, letters_beyond_ascii_stay);
	tcase_add_test(tc, what_does_not_fit_is_cut);
	suite_add_tcase(suite, tc);

	return run_suite(suite);
}
