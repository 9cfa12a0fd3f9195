/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_scenario.c - scenario files, right and wrong */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/source/gfp.h"
#include "sim/workload/scenario.h"
#include "sim/workload/scenario_reader.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

#define MACHINE "[machine]\nmemory = 64M\ncpus = 2\n"
#define PHASE   "[phase run]\nduration = 1s\n"
#define CLASS   "[class a]\narrivals = poisson rate=10/s\nlifetime = forever\n"

static struct msg msg;

static int read_text(struct scenario *s, const char *text, double scale)
{
	return scenario_read(s, scratch_write_text("s.ini", text), scale, &msg);
}

START_TEST(a_scenario_says_machine_phases_and_classes)
{
	struct scenario s;
	const struct workload_class *c;

	ck_assert_msg(!read_text(&s,
		"description = all of it ; and a comment\n"
		"[machine]\nmemory = 1G\ncpus = 4\nzones = pae\nlowmem = 256M\n"
		"[phase one]\nduration = 1s\nrate = 2\n"
		"[phase two]\nduration = 500ms\nonly = b\nrelease = a every=3\nrate.b = 0.5\n"
		"[template t]\nmigratetype = movable\nlifetime = constant value=1s\n"
		"arrivals = poisson rate=1000/s\norders = 0:3\n  1:2 2\n"
		"[class a]\nlike = t\nlifetime = 25% exponential mean=2s\n"
		"lifetime = 75% reclaimed keep=50%\n"
		"[class b]\narrivals = closed workers=6 think=10ms\npriority = atomic\n"
		"lifetime = table\npoints = 1ms 2ms\n    5ms\nbatch = 7\ncpus = 1-3\n"
		"zone = DMA\npace = 3us\nlives = together\nfree-cpu = any\n", 1),
		"%s", msg.text);
	ck_assert_str_eq(s.name, "s");
	ck_assert_str_eq(s.description, "all of it");
	ck_assert_uint_eq(s.layout.nr_zones, 3);
	ck_assert_str_eq(s.layout.zones[2].name, "HighMem");
	ck_assert(s.layout.highmem_pfn == (256 << 20) / PAGE_SIZE);
	ck_assert_uint_eq(s.nr_phases, 2);
	ck_assert(s.duration_ns == 1500000000);
	ck_assert_double_eq(s.phases[0].rate[0], 2);
	ck_assert_double_eq(s.phases[1].rate[0], 0);
	ck_assert_double_eq(s.phases[1].rate[1], 0.5);
	ck_assert(s.phases[1].releases[0].every == 3);

	c = &s.classes[0];
	ck_assert_uint_eq(s.nr_classes, 2);
	ck_assert_uint_eq(c->nr_life, 2);
	ck_assert_int_eq(c->life[1].kind, LIFE_RECLAIMED);
	ck_assert_double_eq(c->life[1].keep, 0.5);
	ck_assert_uint_eq(c->order_weights, 6);
	ck_assert_uint_eq(c->order_weight[1], 2);
	ck_assert(c->gfp & GFP(MOVABLE));
	ck_assert(c->gfp & GFP(HIGHMEM));

	c = &s.classes[1];
	ck_assert_uint_eq(c->life[0].time.nr_points, 3);
	ck_assert(c->gfp & GFP(DMA));
	ck_assert(!(c->gfp & GFP(DIRECT_RECLAIM)));
	ck_assert(c->together);
	ck_assert(c->free_anywhere);
	ck_assert(c->pace_ns == 3000);
	ck_assert_uint_eq(c->last_cpu, 3);
	scenario_free(&s);
}
END_TEST

START_TEST(a_scale_makes_memory_and_demand_smaller_alike)
{
	struct scenario s;

	ck_assert_int_eq(read_text(&s, "[machine]\nmemory = 8G\nzones = pae\n" PHASE
				   CLASS "[class c]\nlifetime = forever\n"
				   "arrivals = closed workers=100 think=1ms\n", 1.0 / 16), 0);
	ck_assert(layout_present(&s.layout) == (512 << 20) / PAGE_SIZE);
	ck_assert(s.layout.highmem_pfn == (56 << 20) / PAGE_SIZE);
	ck_assert_double_eq_tol(s.classes[0].arrivals.rate, 1e-8 / 16, 1e-15);
	ck_assert_double_eq(s.classes[1].arrivals.workers, 6);
	scenario_free(&s);
}
END_TEST

START_TEST(an_included_file_is_found_beside_the_one_that_names_it)
{
	struct scenario s;

	scratch_write_text("part.ini", "[template t]\narrivals = periodic every=1ms\nlifetime = forever\n");
	ck_assert_msg(!read_text(&s, "include = part.ini\n" MACHINE PHASE
				 "[class a]\nlike = t\n", 1), "%s", msg.text);
	ck_assert_double_eq(s.classes[0].arrivals.every_ns, 1e6);
	scenario_free(&s);
	/* what comes behind it is in none of its sections */
	ck_assert_msg(!read_text(&s, "include = part.ini\ndescription = mine\n" MACHINE
				 PHASE "[class a]\nlike = t\n", 1), "%s", msg.text);
	ck_assert_str_eq(s.description, "mine");
	scenario_free(&s);
	scratch_write_text("part.ini", "[template t]\narivals = 3\n");
	ck_assert_int_eq(read_text(&s, "include = part.ini\n", 1), -EINVAL);
	ck_assert_msg(strstr(msg.text, "part.ini:2: unknown key 'arivals'"), "%s", msg.text);
	ck_assert_int_eq(read_text(&s, "include = s.ini\n", 1), -EINVAL);
	ck_assert_msg(strstr(msg.text, "8 deep"), "%s", msg.text);
	ck_assert_int_eq(read_text(&s, "include = none.ini\n", 1), -EINVAL);
	ck_assert_msg(strstr(msg.text, "s.ini:1: include: ") &&
		      strstr(msg.text, "none.ini: No such file"), "%s", msg.text);
	ck_assert_int_eq(read_text(&s, "include = .\n", 1), -EINVAL);
	ck_assert_msg(strstr(msg.text, "s.ini:1: include: ") &&
		      strstr(msg.text, "Is a directory"), "%s", msg.text);
}
END_TEST

/* A PAE machine's memory is high from 256 MiB on, unless the border is said. */
static const struct { const char *says; unsigned long highmem_pfn; } borders[] = {
	{ "", 65536 },
	{ "highmem = none\n", PFN_NONE },
	{ "highmem = all\n", 0 },
	{ "highmem = above:512M\n", 131072 },
};

START_TEST(memory_is_high_from_where_the_machine_says)
{
	char text[512];
	struct scenario s;

	snprintf(text, sizeof(text), "[machine]\nmemory = 1G\nzones = pae\nlowmem = 256M\n"
		 "%s" PHASE CLASS, borders[_i].says);
	ck_assert_msg(!read_text(&s, text, 1), "%s", msg.text);
	ck_assert_uint_eq(s.layout.highmem_pfn, borders[_i].highmem_pfn);
	scenario_free(&s);
}
END_TEST

/* 1000 in a slot of 1 us are one a nanosecond, which is as much as there can be. */
START_TEST(a_schedule_is_as_dense_as_its_fullest_slot)
{
	struct scenario s;

	ck_assert_msg(!read_text(&s, MACHINE PHASE "[class a]\nlifetime = forever\n"
				 "arrivals = schedule slot=1us\ncounts = 1 1000 1\n", 1),
		      "%s", msg.text);
	scenario_free(&s);
	ck_assert_int_eq(read_text(&s, MACHINE PHASE "[class a]\nlifetime = forever\n"
				   "arrivals = schedule slot=1us\ncounts = 1 2000 1\n", 1),
			 -EINVAL);
	ck_assert_msg(strstr(msg.text, "cannot be met: 2 requests a nanosecond"), "%s",
		      msg.text);
}
END_TEST

/* What is wrong, and a part of what is said of it; the file is always s.ini. */
static const struct {
	const char *text, *message;
} wrong[] = {
	{ "", "there is no [machine]" },
	{ MACHINE PHASE, "there is no [class NAME]" },
	{ MACHINE CLASS, "there is no [phase NAME]" },
	{ "[machine]\ncpus = 2\n" PHASE CLASS, "s.ini:2: [machine] lacks the key memory" },
	{ "[machine]\nmemory = 64X\n", "s.ini:2: memory: '64X' is no size" },
	{ "[machine]\nmemory = 64M\nzones = numa\n", "s.ini:3: zones: unknown kind of zones 'numa'; allowed are pc, flat, pae" },
	{ "[machine]\nhighmem = some\n", "allowed are none, all, above:SIZE" },
	{ "[machine]\ncpus = 0\n", "expected a number from 1 to 1024" },
	{ "[machine]\nmemroy = 1G\n", "s.ini:2: unknown key 'memroy' in [machine]; allowed are memory, cpus" },
	{ "[machin]\nmemory = 1G\n", "s.ini:2: [machin]: expected [machine]" },
	{ "[class]\nlike = x\n", "[class]: expected" },
	{ MACHINE "[phase a]\nduration = soon\n", "duration: it cannot be 'soon'" },
	{ MACHINE "[phase a]\nrate = 1\n" CLASS, "[phase a] lacks the key duration" },
	{ MACHINE PHASE "[phase a]\nduration = 1281000h\n[phase b]\nduration = 30h\n" CLASS, "[phase b]: with those before it, it ends after more than 146 years" },
	{ MACHINE PHASE "only = b\n" CLASS, "s.ini:6: only: there is no class 'b'" },
	{ MACHINE PHASE "release = a each=2\n" CLASS, "'each=2' is not known to release, which takes every=" },
	{ MACHINE PHASE "rate.b = 2\n" CLASS, "rate.b: there is no class 'b'" },
	{ MACHINE PHASE CLASS "orders = 11\n", "s.ini:9: orders: '11'; expected ORDER or ORDER:WEIGHT, orders 0 to 10" },
	{ MACHINE PHASE CLASS "orders = 0:0\n", "no order has a weight above 0" },
	{ MACHINE PHASE CLASS "migratetype = fixed\n", "allowed are unmovable, movable, reclaimable" },
	{ MACHINE PHASE CLASS "zone = High\n", "allowed are DMA, DMA32, Normal, HighMem" },
	{ MACHINE PHASE CLASS "lifetime = 50% forever\n", "the parts of the lifetime make 150%" },
	{ MACHINE PHASE "[class a]\nlifetime =\n", "unknown distribution ''" },
	{ MACHINE PHASE "[class a]\nlifetime = re keep=3%\n", "unknown distribution 're'" },
	{ MACHINE PHASE "[class a]\nlifetime = 100%\n", "unknown distribution ''" },
	{ MACHINE PHASE "[class a]\narrivals = closed workers=20000 think=1s\nlifetime = forever\n", "20000 workers; the machine has 16384 pages" },
	{ MACHINE PHASE "rate = 2\n[class a]\narrivals = closed workers=9000 think=1s\nlifetime = forever\n", "18000 workers; the machine has 16384 pages" },
	{ MACHINE PHASE CLASS "like = x\n", "there is no template 'x' above; there are none so far" },
	{ MACHINE PHASE CLASS "points = 1s\n", "there is no 'lifetime = table' above" },
	{ MACHINE PHASE CLASS "cpus = 1-2\n", "[class a]: CPU 2; the machine has 2, from 0" },
	{ MACHINE PHASE CLASS "fallback = 0\n", "order 0 has nothing to fall back to" },
	{ MACHINE PHASE CLASS "batch = 1000000\n", "one arrival takes 1000000 pages on average; the machine has 16384" },
	{ MACHINE "lowmem = 16M\n" PHASE CLASS, "[machine]: lowmem is a key of zones = pae" },
	{ "[machine]\n" PHASE CLASS, "s.ini:1: the section is empty; expected key = value below it" },
	{ MACHINE "[phase boot]\n" PHASE CLASS, "s.ini:4: the section is empty" },
	{ MACHINE PHASE CLASS "[class b]\n; nothing yet\n", "s.ini:9: the section is empty" },
	{ MACHINE PHASE CLASS CLASS, "there is one of this name already" },
	{ MACHINE PHASE PHASE CLASS, "s.ini:7: phase run: there is a phase of this name already" },
	{ MACHINE PHASE "[class a]\nlifetime = forever\n", "no arrivals; expected a kind as poisson" },
	{ MACHINE PHASE "[class a]\narrivals = poisson rate=10/s\n", "[class a]: no lifetime; expected" },
	{ MACHINE PHASE "[class a]\narrivals = poisson rate=10\n", "rate cannot be '10'; expected a rate as 200/s" },
	{ MACHINE PHASE "[class a]\narrivals = often\n", "allowed are poisson, periodic, bursty, closed, fill, once, schedule" },
	{ MACHINE PHASE "[class a]\narrivals = poisson rate=2000000000/s\nlifetime = forever\n", "the rate cannot be met" },
	{ MACHINE PHASE "[class a]\narrivals = poisson rate=100000000/s\nbatch = 11\nlifetime = forever\n", "the rate cannot be met: 1.1 requests" },
	{ MACHINE PHASE "rate = 100\n[class a]\narrivals = poisson rate=100000000/s\nlifetime = forever\n", "the rate cannot be met: 10 requests" },
	{ MACHINE PHASE "[class a]\narrivals = closed workers=4000000000000 think=1ms\nlifetime = forever\n", "the rate cannot be met" },
	{ "[machine]\nmemory = 1M\n" PHASE CLASS "orders = 9\n", "[class a]: one arrival takes 512 pages" },
	{ "[machine]\nmemory = 3M\nzones = flat\n" PHASE CLASS "orders = 0:9 10:1\n", "memory is too small: no zone it may use has an aligned block of order 10" },
	{ "[machine]\nmemory = 1000\n" PHASE CLASS, "s.ini:2: [machine]: 1000 bytes of memory: expected 4096" },
	{ MACHINE PHASE "[class a]\narrivals = closed workers=5 think=0s\nlifetime = forever\n", "think= of 1ns or more" },
	{ MACHINE PHASE "[class a]\narrivals = schedule slot=1s\nlifetime = forever\n", "needs the key counts" },
	{ MACHINE PHASE "[class a]\narrivals = periodic every=1s\nlifetime = table\npoints = 1s\n", "at least two points" },
	{ MACHINE PHASE "just words\n", "s.ini:6: expected [section], key = value" },
	{ MACHINE PHASE "[class a\nlifetime = forever\n", "s.ini:6: expected [section]" },
	{ MACHINE "cpus = 0000000000000000000000000000000000000000000000000000000000000000000000"
	  "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "0000000000000000000000000000000000000000000000000000000000000000000000000000000000001\n",
	  "s.ini:4: the line is longer than" },
};

START_TEST(a_wrong_scenario_gets_one_message_with_its_line)
{
	struct scenario s;

	ck_assert_int_eq(read_text(&s, wrong[_i].text, 1), -EINVAL);
	ck_assert_msg(strstr(msg.text, wrong[_i].message), "\"%s\" lacks \"%s\"",
		      msg.text, wrong[_i].message);
	ck_assert_ptr_null(strchr(msg.text, '\n'));
}
END_TEST

/* What an editor of UTF-16 leaves behind. */
START_TEST(a_byte_of_value_0_is_named_by_its_line)
{
	static const char texts[][24] = { "[machine]\n\0memory = 1G\n", "[machine]\nmem\0ory = 1G\n" };
	struct scenario s;
	const char *path = scratch_write("s.ini", texts[_i], 23);

	ck_assert_int_eq(scenario_read(&s, path, 1, &msg), -EINVAL);
	ck_assert_msg(strstr(msg.text, "s.ini:2: a byte of value 0"), "%s", msg.text);
}
END_TEST

static const struct scenario_key *const all_keys[] = { machine_keys, phase_keys, class_keys };

START_TEST(every_key_has_its_entry_in_the_manual)
{
	size_t len;
	char *bytes = scratch_slurp("doc/pagetax-scenario.5", &len);
	char *manual = realloc(bytes, len + 1);

	ck_assert_ptr_nonnull(manual);
	manual[len] = '\0';
	for (const struct scenario_key *key = all_keys[_i]; key->name; key++) {
		char entry[64];
		int part = (int)strcspn(key->name, ".");	/* of "rate.CLASS" */

		snprintf(entry, sizeof(entry), "\n.It Cm %.*s", part, key->name);
		ck_assert_msg(strstr(manual, entry),
			      "doc/pagetax-scenario.5 has no entry for %s", key->name);
	}
	free(manual);
}
END_TEST

START_TEST(an_unknown_name_points_to_the_list)
{
	struct scenario s;

	ck_assert_int_eq(scenario_read(&s, "no-such", 1, &msg), -EINVAL);
	ck_assert_msg(strstr(msg.text, "'no-such'"), "%s", msg.text);
	ck_assert_msg(strstr(msg.text, "list scenarios"), "%s", msg.text);
}
END_TEST

START_TEST(every_built_in_scenario_can_be_read_and_says_what_it_is)
{
	DIR *dir = opendir(scenario_dir());
	const struct dirent *entry;
	unsigned int nr = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		struct scenario s;
		char name[300];
		size_t len = strlen(entry->d_name);

		if (len < 5 || strcmp(entry->d_name + len - 4, ".ini"))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)len - 4, entry->d_name);
		ck_assert_msg(!scenario_read(&s, name, 1, &msg), "%s", msg.text);
		ck_assert_ptr_nonnull(s.description);
		ck_assert_str_eq(s.name, name);
		scenario_free(&s);
		nr++;
	}
	closedir(dir);
	ck_assert_uint_eq(nr, 19);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scenario");
	TCase *tc = tcase_create("scenario");

	tcase_add_checked_fixture(tc, scratch_setup, scratch_teardown);
	tcase_add_test(tc, a_scenario_says_machine_phases_and_classes);
	tcase_add_test(tc, a_scale_makes_memory_and_demand_smaller_alike);
	tcase_add_test(tc, an_included_file_is_found_beside_the_one_that_names_it);
	tcase_add_loop_test(tc, memory_is_high_from_where_the_machine_says, 0,
			    ARRAY_SIZE(borders));
	tcase_add_test(tc, a_schedule_is_as_dense_as_its_fullest_slot);
	tcase_add_loop_test(tc, a_wrong_scenario_gets_one_message_with_its_line, 0,
			    ARRAY_SIZE(wrong));
	tcase_add_loop_test(tc, a_byte_of_value_0_is_named_by_its_line, 0, 2);
	tcase_add_loop_test(tc, every_key_has_its_entry_in_the_manual, 0,
			    (int)ARRAY_SIZE(all_keys));
	tcase_add_test(tc, an_unknown_name_points_to_the_list);
	tcase_add_test(tc, every_built_in_scenario_can_be_read_and_says_what_it_is);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
