/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_registry.c - tests src/alloc/registry.c and the tables it lists */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "alloc/registry.h"
#include "tests/suite.h"

static struct layout layout;
static struct machine *machine;

static void set_up(void)
{
	struct msg msg = { "" };

	ck_assert_int_eq(layout_flat(&layout, 1024, 1, &msg), 0);
	ck_assert_msg(machine_create(&machine, &layout, WINDOW_ARITH, &msg) == 0,
		      "%s", msg.text);
}

static void tear_down(void)
{
	machine_destroy(machine);
	layout_free(&layout);
}

static size_t nr_backends(void)
{
	size_t n = 0;

	while (allocator_registry[n])
		n++;
	return n;
}

START_TEST(the_baseline_the_centre_and_null_are_there)
{
	static const char *const names[] = { "linked", "twoword", "null" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_ptr_nonnull(registry_find(names[i]));
}
END_TEST

START_TEST(a_backend_is_found_by_its_whole_name_up_to_the_colon)
{
	for (size_t i = 0; allocator_registry[i]; i++) {
		const char *name = allocator_registry[i]->name;
		char spec[64];

		ck_assert_ptr_eq(registry_find(name), allocator_registry[i]);
		snprintf(spec, sizeof(spec), "%s:key=value", name);
		ck_assert_ptr_eq(registry_find(spec), allocator_registry[i]);
		snprintf(spec, sizeof(spec), "%sx", name);
		ck_assert_ptr_null(registry_find(spec));
		snprintf(spec, sizeof(spec), "%.*s", (int)strlen(name) - 1, name);
		ck_assert_ptr_null(registry_find(spec));
	}
	ck_assert_ptr_null(registry_find(""));
	ck_assert_ptr_null(registry_find(":"));
}
END_TEST

START_TEST(every_table_is_complete)
{
	const struct allocator_ops *ops = allocator_registry[_i];

	ck_assert_ptr_nonnull(ops->name);
	ck_assert_msg(!strpbrk(ops->name, ":, "), "%s cannot be asked for", ops->name);
	ck_assert_ptr_nonnull(ops->summary);
	ck_assert(ops->create && ops->destroy && ops->release && ops->alloc);
	ck_assert(ops->free && ops->free_area && ops->counts && ops->query);
	ck_assert(ops->verify != NULL);
	ck_assert_uint_le(ops->caps.max_order, MAX_PAGE_ORDER);
	for (int k = _i + 1; allocator_registry[k]; k++)
		ck_assert_str_ne(ops->name, allocator_registry[k]->name);
}
END_TEST

/* Every word and both ends of every range are taken, one at a time. */
START_TEST(every_option_is_explained_and_takes_what_it_lists)
{
	const struct allocator_ops *ops = allocator_registry[_i];
	const struct option_spec *spec = ops->options;

	for (; spec && spec->key; spec++) {
		struct option_set set;
		struct msg msg = { "" };
		char values[128], text[192];
		char *value, *next = values;

		ck_assert(spec->values && spec->def && spec->help);
		snprintf(text, sizeof(text), "%s=%s", spec->key, spec->def);
		ck_assert_msg(option_parse(&set, ops->options, ops->name, text,
					   &msg) == 0, "%s", msg.text);

		snprintf(values, sizeof(values), "%s", spec->values);
		while ((value = strsep(&next, strstr(spec->values, "..")
					      ? "." : "|"))) {
			if (!*value)
				continue;
			snprintf(text, sizeof(text), "%s=%s", spec->key, value);
			ck_assert_msg(option_parse(&set, ops->options, ops->name,
						   text, &msg) == 0,
				      "%s", msg.text);
		}
	}
}
END_TEST

START_TEST(what_was_made_can_be_destroyed_and_leaves_no_metadata)
{
	for (int checked = 0; checked <= 1; checked++) {
		const struct allocator_ops *ops = allocator_registry[_i];
		struct allocator *a;
		struct msg msg = { "" };

		set_up();
		ck_assert_msg(allocator_create(&a, ops->name, checked, machine,
					       &msg) == 0, "%s", msg.text);
		ck_assert_str_eq(a->ops->name, ops->name);
		ck_assert_ptr_eq(a->machine, machine);
		if (!ops->caps.no_policy)
			ck_assert_int_eq(a->ops == ops, !checked);
		allocator_destroy(a);
		for (int col = 0; col < NR_META_COLUMNS; col++) {
			if (col == META_descriptors)
				continue;	/* the memmap is the machine's */
			ck_assert_msg(machine->meta.now[col] == 0,
				      "%s leaves bytes in %s", ops->name,
				      meta_column_names[col]);
		}
		tear_down();
	}
}
END_TEST

START_TEST(a_mistake_gets_a_message_and_no_allocator)
{
	static const struct {
		const char *spec;
		const char *says;
	} table[] = {
		{ "foo", "unknown allocator 'foo'; there are linked, twoword" },
		{ "foo:inline=1", "unknown allocator 'foo'; there are " },
		{ "", "unknown allocator ''" },
		{ "null:inline=1", "null: 'inline': it takes no options" },
		{ "twoword:foo=1", "twoword: unknown option 'foo'; it knows " },
	};

	set_up();
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct allocator *a = NULL;
		struct msg msg = { "" };

		ck_assert_int_eq(allocator_create(&a, table[i].spec, true,
						  machine, &msg), -EINVAL);
		ck_assert_ptr_null(a);
		ck_assert_msg(strstr(msg.text, table[i].says) != NULL,
			      "'%s' is not in '%s'", table[i].says, msg.text);
	}
	tear_down();
}
END_TEST

/*
 *   0  2..3  4..7  8..15  16..31 ...    then from the start of the zone again
 */
START_TEST(null_hands_out_aligned_pages_in_turn_and_wraps)
{
	struct alloc_req req = { .order = 0 };
	struct allocator *a;
	struct msg msg = { "" };

	set_up();
	ck_assert_int_eq(allocator_create(&a, "null", true, machine, &msg), 0);
	ck_assert_uint_eq(alloc_pages(a, &req), 0);
	for (unsigned int order = 1; order <= MAX_PAGE_ORDER; order++) {
		req.order = order;
		ck_assert_uint_eq(alloc_pages(a, &req) & ((1UL << order) - 1), 0);
	}
	req.order = 1;
	for (unsigned long i = 0; i < 1024; i++) {
		unsigned long pfn = alloc_pages(a, &req);

		ck_assert_uint_le(pfn + 2, 1024);
		ck_assert_uint_eq(pfn & 1, 0);
		free_pages(a, pfn, 1, 0);
	}
	ck_assert_int_eq(allocator_verify(a, &msg), 0);
	allocator_destroy(a);
	tear_down();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("registry");
	TCase *tc = tcase_create("registry");
	int n = (int)nr_backends();

	tcase_add_test(tc, the_baseline_the_centre_and_null_are_there);
	tcase_add_test(tc, a_backend_is_found_by_its_whole_name_up_to_the_colon);
	tcase_add_loop_test(tc, every_table_is_complete, 0, n);
	tcase_add_loop_test(tc, every_option_is_explained_and_takes_what_it_lists, 0, n);
	tcase_add_loop_test(tc, what_was_made_can_be_destroyed_and_leaves_no_metadata, 0, n);
	tcase_add_test(tc, a_mistake_gets_a_message_and_no_allocator);
	tcase_add_test(tc, null_hands_out_aligned_pages_in_turn_and_wraps);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
