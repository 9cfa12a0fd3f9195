/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_faults.c - the host's memory runs out at every place where it can
 *
 *	run 1   x			the 1st allocation fails
 *	run 2   . x			the 2nd
 *	  ...
 *	run n   . . . . . .		none does: the loop is done
 *
 * Once with a single failure, once with all that follow failing, too. What
 * fails says so in one message, makes nothing, and leaves nothing behind: a
 * build with the address sanitizer tells of leaks. The linker puts __wrap_malloc
 * and so on in the place of our own calls, and only of those.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "alloc/registry.h"
#include "sim/commands.h"
#include "sim/source/bundle.h"
#include "tests/sim_bundle.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

#define MAX_RUNS 20000			/* more allocations than any of these makes */
#define PAGES 1024
#define ROOM_STEP 64			/* the arena's smallest block */

/* ---- a host that runs out of memory ---- */

static long calls_left = -1;		/* until one fails; -1: none will */
static bool lasting;			/* all that follow fail, too */
static bool failed;			/* one has */

static bool fails(void)
{
	if (calls_left < 0)
		return false;
	if (calls_left > 0) {
		calls_left--;
		return false;
	}
	if (failed && !lasting)
		return false;
	failed = true;
	return true;
}

static void fail_call(long n, bool and_all_others)
{
	calls_left = n;
	lasting = and_all_others;
	failed = false;
}

static void fail_no_call(void)
{
	calls_left = -1;
}

void *__real_malloc(size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_calloc(size_t nr, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
void *__wrap_malloc(size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_calloc(size_t nr, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

void *__wrap_calloc(size_t nr, size_t size)
{
	return fails() ? NULL : __real_calloc(nr, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t len)
{
	return fails() ? NULL : __real_strndup(text, len);
}

/*
 * Let each call fail in turn, until a run meets no failure. `run` returns 0 or
 * a negative errno with a message.
 */
static void fail_each(int (*run)(const void *arg, struct msg *msg), const void *arg,
		      bool and_all_others)
{
	for (long n = 0; n < MAX_RUNS; n++) {
		struct msg msg = { "" };
		int err;

		fail_call(n, and_all_others);
		err = run(arg, &msg);
		fail_no_call();
		if (!failed) {
			ck_assert_msg(!err, "without a failure: %s", msg.text);
			return;
		}
		if (err != -ENOMEM || !*msg.text)
			ck_abort_msg("call %ld failed: %d, \"%s\"; expected %d and a message",
				     n, err, msg.text, -ENOMEM);
	}
	ck_abort_msg("%d runs were not enough", MAX_RUNS);
}

/* ---- allocators ---- */

struct wish {
	const char *spec;
	bool checked;
};

static int make_machine(struct layout *layout, struct machine **m, struct msg *msg)
{
	int err = layout_flat(layout, PAGES, 2, msg);

	return err ? err : machine_create(m, layout, WINDOW_ARITH, msg);
}

static int create_and_destroy(const void *arg, struct msg *msg)
{
	const struct wish *wish = arg;
	struct layout layout;
	struct machine *m;
	struct allocator *a;
	int err = make_machine(&layout, &m, msg);

	if (err)
		return err;
	err = allocator_create(&a, wish->spec, wish->checked, m, msg);
	if (!err)
		allocator_destroy(a);
	machine_destroy(m);
	layout_free(&layout);
	return err;
}

START_TEST(an_allocator_is_made_whole_or_not_at_all)
{
	struct wish wish = { .spec = allocator_registry[_i]->name };

	for (int lasts = 0; lasts <= 1; lasts++) {
		for (int checked = 0; checked <= 1; checked++) {
			wish.checked = checked;
			fail_each(create_and_destroy, &wish, lasts);
		}
	}
}
END_TEST

/* Leave this much of the arena; what is taken is not the allocator's. */
static void leave_room(struct machine *m, uint64_t room)
{
	uint64_t rest = arena_limit(m->arena) - arena_used(m->arena);

	while (rest > room) {
		uint64_t bytes = rest - room;

		/* From 64 KiB on blocks begin at a page. */
		if (bytes >= 32 << 10)
			bytes = 32 << 10;
		must(arena_alloc(m->arena, bytes, META_structures));
		rest = arena_limit(m->arena) - arena_used(m->arena);
	}
}

/* The account but for descriptors, which the machine keeps. */
static uint64_t charged(const struct machine *m)
{
	uint64_t sum = 0;

	for (int col = 0; col < NR_META_COLUMNS; col++)
		if (col != META_descriptors)
			sum += m->meta.now[col];
	return sum;
}

/* Whether an allocator could be made with `room` bytes of arena. */
static bool made_in(const char *spec, uint64_t room)
{
	struct msg msg = { "" };
	struct layout layout;
	struct machine *m;
	struct allocator *a;
	uint64_t before;
	int err;

	ck_assert_int_eq(make_machine(&layout, &m, &msg), 0);
	leave_room(m, room);
	before = charged(m);
	err = allocator_create(&a, spec, false, m, &msg);
	if (!err)
		allocator_destroy(a);
	else if (err != -ENOMEM || !*msg.text)
		ck_abort_msg("%s in %lu bytes: %d, \"%s\"; expected %d and a message",
			     spec, (unsigned long)room, err, msg.text, -ENOMEM);
	if (charged(m) != before)
		ck_abort_msg("%s in %lu bytes: %lu bytes are left charged", spec,
			     (unsigned long)room, (unsigned long)(charged(m) - before));
	machine_destroy(m);
	layout_free(&layout);
	return !err;
}

START_TEST(an_arena_of_any_size_serves_an_allocator_or_refuses_it)
{
	const char *spec = allocator_registry[_i]->name;
	uint64_t room = 0;

	while (room < UINT64_C(4) << 20 && !made_in(spec, room))
		room += ROOM_STEP;
	ck_assert_msg(room < UINT64_C(4) << 20, "%s", spec);
}
END_TEST

/* ---- recordings ---- */

static const char *recorded(void)
{
	small_flags_reset();
	small_flags_buddy(1024, 1536);
	small_bundle_write(ALLOC("4", "0x400", "2") FREE("5", "0x400", "1") FREE("5", "0x640", "3")
			   LOCKED("6", "0x602", "0", "2") DRAIN("6", "0x700", "0", "1")
			   EXTFRAG("7", "0x200", "1") FREE("8", "0x402", "1"));
	return scratch_folder();
}

static int read_bundle(const void *arg, struct msg *msg)
{
	struct bundle b;
	int err = bundle_read(&b, arg, 0, msg);

	if (!err)
		bundle_free(&b);
	return err;
}

/* Run a command line, cut at blanks; each %s in it is the scratch folder. */
static int run_command(const void *arg, struct msg *msg)
{
	static char text[4096];
	const char *line = arg;
	char *argv[16], *rest = text;
	int argc = 0;
	size_t len = 0;

	for (; *line; line += line[0] == '%' ? 2 : 1) {
		if (line[0] == '%')
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s",
						scratch_folder());
		else
			text[len++] = *line;
	}
	text[len] = '\0';
	while (argc < 15 && (argv[argc] = strsep(&rest, " ")))
		argc++;
	argv[argc] = NULL;
	return pagetax_run(argc, argv, msg) == STATUS_DONE ? 0 : -ENOMEM;
}

static const char *as_ptr(void)
{
	struct msg msg = { "" };

	recorded();
	ck_assert_msg(!run_command("pagetax convert -q %s %s/small.ptr", &msg), "%s", msg.text);
	return scratch_path("small.ptr");
}

START_TEST(a_recording_is_read_whole_or_not_at_all)
{
	fail_each(read_bundle, recorded(), _i);
	fail_each(read_bundle, as_ptr(), _i);
}
END_TEST

static const char *const commands_run[] = {
	"pagetax convert -q %s /dev/null",
	"pagetax replay -q -j1 -a linked,twoword %s",
	"pagetax replay -q -j1 -a memdesc --no-plots --teardown -o %s/result %s",
	"pagetax simulate -q -a twoword --no-plots --compaction -o %s/result %s/s.ini",
	"pagetax validate -q -a linked --no-plots -o %s/result %s",
	"pagetax fit -q -a linked -o %s/fit.ini %s",
	"pagetax bench -q -a linked --pattern aB,b --memory 64M --ops 1 --repeats 1 --json %s/x.json",
	"pagetax info %s",
};

START_TEST(a_command_ends_with_one_message)
{
	const char *line = commands_run[_i / 2];

	recorded();
	scratch_write_text("s.ini",
			   "[machine]\nmemory = 16M\ncpus = 2\n"
			   "[phase a]\nduration = 5ms\n[phase b]\nduration = 5ms\nrelease = c every=2\n"
			   "[class c]\narrivals = fill level=90% rate=1000000/s\nlifetime = forever\n"
			   "[class d]\narrivals = closed workers=3 think=100us\nbatch = 8\npace = 10us\n"
			   "orders = 9:1 0:1\nfallback = 0\nmigratetype = movable\n"
			   "lifetime = 50% exponential mean=1ms\nlifetime = 50% reclaimed keep=10%\n");
	scratch_stdout();
	fail_each(run_command, line, _i % 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("faults");
	TCase *allocators = tcase_create("allocators");
	TCase *recordings = tcase_create("recordings");
	int nr = 0;

	while (allocator_registry[nr])
		nr++;
	tcase_set_timeout(allocators, 120);
	tcase_add_loop_test(allocators, an_allocator_is_made_whole_or_not_at_all, 0, nr);
	tcase_add_loop_test(allocators, an_arena_of_any_size_serves_an_allocator_or_refuses_it,
			    0, nr);
	suite_add_tcase(suite, allocators);

	tcase_add_checked_fixture(recordings, scratch_setup, scratch_teardown);
	tcase_set_timeout(recordings, 120);
	tcase_add_loop_test(recordings, a_recording_is_read_whole_or_not_at_all, 0, 2);
	tcase_add_loop_test(recordings, a_command_ends_with_one_message, 0,
			    2 * (int)ARRAY_SIZE(commands_run));
	suite_add_tcase(suite, recordings);

	return run_suite(suite);
}
