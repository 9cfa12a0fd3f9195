/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_highmem.c - the rules of kmap_local, and that breaking one is fatal
 *
 *   pfn   0 ............ 31 | 32 ............ 63
 *              lowmem       |      highmem
 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rng.h"
#include "machine/machine.h"
#include "tests/suite.h"

#define NR_PAGES 64
#define HIGH 32				/* the first highmem pfn */

static struct layout layout;
static struct msg msg;

static struct machine *machine_of(enum window_mode mode)
{
	struct machine *m;

	ck_assert_int_eq(layout_flat(&layout, NR_PAGES, 2, &msg), 0);
	layout.highmem_pfn = HIGH;
	ck_assert_msg(!machine_create(&m, &layout, mode, &msg), "%s", msg.text);
	return m;
}

/* Modes that take slots: the rules are the same in both. */
static const enum window_mode slot_modes[] = {
	WINDOW_ARITH,
#if PAGE_SHIFT == 12
	WINDOW_GUARD,
#endif
};

static const enum window_mode all_modes[] = {
	WINDOW_ARITH,
	WINDOW_UNCOUNTED,
#if PAGE_SHIFT == 12
	WINDOW_GUARD,
#endif
};

/* How a child that ran `act` ended, and what it wrote to standard error. */
struct death {
	int signal;			/* 0: it lived */
	char text[2048];
};

static struct death death_of(void (*act)(struct machine *m), struct machine *m)
{
	struct death death = { 0, "" };
	size_t len = 0;
	int fds[2];
	int status;
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		/* Sanitizers would turn the signal into an exit. */
		signal(SIGSEGV, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		dup2(fds[1], STDERR_FILENO);
		act(m);
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], death.text + len,
			 sizeof(death.text) - 1 - len)) > 0)
		len += (size_t)n;
	close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		death.signal = WTERMSIG(status);
	return death;
}

static void assert_fatal(void (*act)(struct machine *m), struct machine *m,
			 const char *says)
{
	struct death death = death_of(act, m);

	ck_assert_int_eq(death.signal, SIGABRT);
	ck_assert_msg(strstr(death.text, says), "\"%s\" does not say \"%s\"",
		      death.text, says);
}

START_TEST(a_lowmem_page_is_seen_at_its_direct_address_without_a_slot)
{
	struct machine *m = machine_of(all_modes[_i]);
	void *page = kmap_local_pfn(m, 0, HIGH - 1);

	ck_assert_ptr_eq(page, machine_lowmem(m, HIGH - 1));
	ck_assert_uint_eq(kmap_depth(m, 0), 0);
	memset(page, 1, PAGE_SIZE);
	kunmap_local(m, 0, page);
	ck_assert_uint_eq(kmap_depth(m, 0), 0);
	ck_assert_uint_eq(m->kmap.calls, 0);
	machine_destroy(m);
}
END_TEST

START_TEST(a_forced_map_takes_a_slot_even_for_lowmem)
{
	struct machine *m = machine_of(slot_modes[_i]);
	unsigned char *page = kmap_local_forced(m, 0, 3);

	if (slot_modes[_i] == WINDOW_GUARD || HIGHMEM_BY_TABLE)
		ck_assert_ptr_ne(page, machine_lowmem(m, 3));
	ck_assert_uint_eq(kmap_depth(m, 0), 1);
	ck_assert_uint_eq(m->kmap.calls, 1);
	memset(page, 0x5a, PAGE_SIZE);
	kunmap_local_forced(m, 0, page);
	ck_assert_uint_eq(kmap_depth(m, 0), 0);

	/* Two addresses or not, it is one page. */
	page = machine_lowmem(m, 3);
	ck_assert_uint_eq(page[0], 0x5a);
	ck_assert_uint_eq(page[PAGE_SIZE - 1], 0x5a);
	machine_destroy(m);
}
END_TEST

START_TEST(a_page_keeps_its_bytes_between_maps)
{
	struct machine *m = machine_of(all_modes[_i]);

	for (unsigned long pfn = 0; pfn < NR_PAGES; pfn++) {
		unsigned char *page = kmap_local_pfn(m, 0, pfn);

		ck_assert_uint_eq(page[0], 0);
		memset(page, (int)pfn + 1, PAGE_SIZE);
		kunmap_local(m, 0, page);
	}
	for (unsigned long pfn = 0; pfn < NR_PAGES; pfn++) {
		unsigned char *page = kmap_local_pfn(m, 1, pfn);

		ck_assert_uint_eq(page[0], pfn + 1);
		ck_assert_uint_eq(page[PAGE_SIZE - 1], pfn + 1);
		kunmap_local(m, 1, page);
	}
	machine_destroy(m);
}
END_TEST

START_TEST(a_checker_sees_every_page_and_nothing_is_counted)
{
	struct machine *m = machine_of(all_modes[_i]);
	const unsigned char *seen;
	struct kmap_stats before;
	unsigned char *page;

	for (unsigned long pfn = 0; pfn < NR_PAGES; pfn += 2) {
		page = kmap_local_pfn(m, 0, pfn);
		page[PAGE_SIZE - 1] = (unsigned char)(pfn + 1);
		kunmap_local(m, 0, page);
	}
	before = m->kmap;
	for (unsigned long pfn = 0; pfn < NR_PAGES; pfn++) {
		seen = machine_peek(m, pfn);
		ck_assert_uint_eq(seen[PAGE_SIZE - 1], pfn % 2 ? 0 : pfn + 1);
	}
	ck_assert_mem_eq(&m->kmap, &before, sizeof(before));
	ck_assert_uint_eq(kmap_depth(m, 0), 0);
	machine_destroy(m);
}
END_TEST

START_TEST(the_limit_of_maps_may_live_and_each_shows_its_own_page)
{
	struct machine *m = machine_of(slot_modes[_i]);
	unsigned char *page[KMAP_MAX_LIVE];

	ck_assert_int_eq(KMAP_MAX_LIVE, KM_MAX_IDX - 1);
	for (unsigned int i = 0; i < KMAP_MAX_LIVE; i++) {
		page[i] = kmap_local_pfn(m, 0, HIGH + i);
		page[i][0] = (unsigned char)(i + 1);
		ck_assert_uint_eq(kmap_depth(m, 0), i + 1);
	}
	for (unsigned int i = 0; i < KMAP_MAX_LIVE; i++)
		ck_assert_uint_eq(page[i][0], i + 1);
	for (unsigned int i = KMAP_MAX_LIVE; i--; ) {
		kunmap_local(m, 0, page[i]);
		ck_assert_uint_eq(kmap_depth(m, 0), i);
	}
	ck_assert_uint_eq(m->kmap.calls, KMAP_MAX_LIVE);
	ck_assert_uint_eq(m->kmap.max_depth, KMAP_MAX_LIVE);
	machine_destroy(m);
}
END_TEST

START_TEST(the_same_page_may_be_mapped_twice)
{
	struct machine *m = machine_of(slot_modes[_i]);
	unsigned char *first = kmap_local_pfn(m, 0, HIGH);
	unsigned char *second = kmap_local_pfn(m, 0, HIGH);

	first[5] = 77;
	ck_assert_uint_eq(second[5], 77);
	kunmap_local(m, 0, second);
	ck_assert_uint_eq(first[5], 77);
	kunmap_local(m, 0, first);
	machine_destroy(m);
}
END_TEST

static void map_one_more(struct machine *m)
{
	kmap_local_pfn(m, 0, HIGH + 20);
}

START_TEST(a_slot_too_many_is_fatal)
{
	struct machine *m = machine_of(slot_modes[_i]);

	for (unsigned int i = 0; i < KMAP_MAX_LIVE - 1; i++)
		kmap_local_pfn(m, 0, HIGH + i);
	ck_assert_int_eq(death_of(map_one_more, m).signal, 0);
	kmap_local_pfn(m, 0, HIGH + 10);
	assert_fatal(map_one_more, m, "CPU 0 maps pfn 52, but may hold only");
	machine_destroy(m);
}
END_TEST

START_TEST(each_cpu_has_slots_of_its_own)
{
	struct machine *m = machine_of(slot_modes[_i]);
	unsigned char *of_1;

	for (unsigned int i = 0; i < KMAP_MAX_LIVE; i++)
		kmap_local_pfn(m, 0, HIGH + i);
	of_1 = kmap_local_pfn(m, 1, HIGH);
	ck_assert_uint_eq(kmap_depth(m, 0), KMAP_MAX_LIVE);
	ck_assert_uint_eq(kmap_depth(m, 1), 1);
	of_1[0] = 1;
	kunmap_local(m, 1, of_1);
	ck_assert_uint_eq(kmap_depth(m, 1), 0);
	machine_destroy(m);
}
END_TEST

static void *older;
static void *newer;

static void unmap_older(struct machine *m)
{
	kunmap_local(m, 0, older);
}

static void unmap_newer(struct machine *m)
{
	kunmap_local(m, 0, newer);
}

static void unmap_inside_newer(struct machine *m)
{
	kunmap_local(m, 0, (char *)newer + 1);
}

static void unmap_newer_on_the_other_cpu(struct machine *m)
{
	kunmap_local(m, 1, newer);
}

START_TEST(an_unmap_out_of_order_is_fatal)
{
	struct machine *m = machine_of(slot_modes[_i]);

	older = kmap_local_pfn(m, 0, HIGH + 1);
	newer = kmap_local_pfn(m, 0, HIGH + 2);
	assert_fatal(unmap_older, m, "not its newest map; live: pfn 33 at");
	assert_fatal(unmap_inside_newer, m, "not its newest map");
	assert_fatal(unmap_newer_on_the_other_cpu, m, "CPU 1 unmaps");
	ck_assert_int_eq(death_of(unmap_newer, m).signal, 0);
	machine_destroy(m);
}
END_TEST

START_TEST(a_second_unmap_is_fatal)
{
	struct machine *m = machine_of(slot_modes[_i]);

	newer = kmap_local_pfn(m, 0, HIGH + 2);
	kunmap_local(m, 0, newer);
	assert_fatal(unmap_newer, m, "not its newest map; live: none");
	machine_destroy(m);
}
END_TEST

START_TEST(unmapping_a_direct_address_is_ignored)
{
	struct machine *m = machine_of(slot_modes[_i]);
	void *page = kmap_local_pfn(m, 0, HIGH);

	kunmap_local(m, 0, machine_lowmem(m, 0));
	kunmap_local(m, 0, machine_lowmem(m, HIGH - 1));
	ck_assert_uint_eq(kmap_depth(m, 0), 1);
	kunmap_local(m, 0, page);
	machine_destroy(m);
}
END_TEST

START_TEST(an_uncounted_window_has_no_slots)
{
	struct machine *m = machine_of(WINDOW_UNCOUNTED);
	unsigned char *page[3 * KM_MAX_IDX];

	for (unsigned int i = 0; i < ARRAY_SIZE(page); i++) {
		page[i] = kmap_local_pfn(m, 0, HIGH + i % HIGH);
		page[i][0] = (unsigned char)(i % HIGH);
	}
	ck_assert_uint_eq(kmap_depth(m, 0), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(page); i++) {
		ck_assert_uint_eq(page[i][0], i % HIGH);
		kunmap_local(m, 0, page[i]);
	}
	ck_assert_uint_eq(m->kmap.calls, 0);
	ck_assert_uint_eq(m->kmap.max_depth, 0);
	machine_destroy(m);
}
END_TEST

/* Random nesting on two CPUs, against a stack of what each page holds. */
START_TEST(random_nested_maps_show_the_right_pages)
{
	struct machine *m = machine_of(slot_modes[_i]);
	struct { uint32_t *page; unsigned long pfn; } live[2][KMAP_MAX_LIVE];
	unsigned int depth[2] = { 0, 0 };
	uint32_t content[NR_PAGES] = { 0 };
	uint64_t calls = 0;
	struct rng rng;

	rng_seed(&rng, 4);
	for (int step = 0; step < 5000; step++) {
		unsigned int cpu = (unsigned int)rng_below(&rng, 2);
		bool map = !depth[cpu] || (depth[cpu] < KMAP_MAX_LIVE &&
					   rng_below(&rng, 2));

		if (map) {
			unsigned long pfn = (unsigned long)rng_below(&rng, NR_PAGES);
			uint32_t *page = kmap_local_forced(m, cpu, pfn);

			ck_assert_uint_eq(page[0], content[pfn]);
			page[0] = content[pfn] = (uint32_t)rng_next(&rng);
			live[cpu][depth[cpu]].page = page;
			live[cpu][depth[cpu]++].pfn = pfn;
			calls++;
		} else {
			unsigned int top = --depth[cpu];

			ck_assert_uint_eq(live[cpu][top].page[0],
					  content[live[cpu][top].pfn]);
			kunmap_local_forced(m, cpu, live[cpu][top].page);
		}
		ck_assert_uint_eq(kmap_depth(m, cpu), depth[cpu]);
		ck_assert_uint_eq(m->kmap.calls, calls);
	}
	ck_assert_uint_eq(m->kmap.max_depth, KMAP_MAX_LIVE);
	machine_destroy(m);
}
END_TEST

#if PAGE_SHIFT == 12

static volatile unsigned char *target;

static void touch_target(struct machine *m)
{
	static const char note[] = "about to touch";

	(void)m;
	(void)!write(STDERR_FILENO, note, sizeof(note) - 1);
	target[0] = 1;
}

static bool touching_faults(struct machine *m, void *addr)
{
	struct death death;

	target = addr;
	death = death_of(touch_target, m);
	ck_assert_str_eq(death.text, "about to touch");
	ck_assert(!death.signal || death.signal == SIGSEGV);
	return death.signal == SIGSEGV;
}

START_TEST(in_guard_mode_a_use_after_unmap_faults)
{
	struct machine *m = machine_of(WINDOW_GUARD);
	unsigned char *page = kmap_local_pfn(m, 0, HIGH);

	ck_assert(!touching_faults(m, page));
	ck_assert(!touching_faults(m, page + PAGE_SIZE - 1));
	kunmap_local(m, 0, page);
	ck_assert(touching_faults(m, page));
	ck_assert(touching_faults(m, page + PAGE_SIZE - 1));
	machine_destroy(m);
}
END_TEST

/* Hand over hand: the stale parent must not become the child by accident. */
START_TEST(in_guard_mode_a_stale_address_still_faults_after_the_next_map)
{
	struct machine *m = machine_of(WINDOW_GUARD);
	unsigned char *parent = kmap_local_pfn(m, 0, HIGH);
	unsigned char *child;

	kunmap_local(m, 0, parent);
	child = kmap_local_pfn(m, 0, HIGH + 1);
	ck_assert(touching_faults(m, parent));
	ck_assert(!touching_faults(m, child));
	machine_destroy(m);
}
END_TEST

START_TEST(in_guard_mode_unmapped_pages_stand_between_any_two_maps)
{
	struct machine *m = machine_of(WINDOW_GUARD);

	for (unsigned int i = 0; i < KMAP_MAX_LIVE; i++) {
		unsigned char *page = kmap_local_pfn(m, 1, HIGH + i);

		ck_assert(touching_faults(m, page - 1));
		ck_assert(touching_faults(m, page + PAGE_SIZE));
	}
	machine_destroy(m);
}
END_TEST

START_TEST(an_access_through_a_checkers_view_may_not_write_in_guard_mode)
{
	struct machine *m = machine_of(WINDOW_GUARD);
	union { const void *from; void *to; } view;

	view.from = machine_peek(m, HIGH);
	ck_assert(HIGHMEM_BY_TABLE || touching_faults(m, view.to));
	machine_destroy(m);
}
END_TEST

/* No place for a page stands for a host that has none left. */
START_TEST(a_host_that_maps_no_page_fails_the_run_and_is_no_bug)
{
	struct machine *m = machine_of(WINDOW_GUARD);

	physmem_map_at(&m->physmem, HIGH, (void *)1);
	machine_destroy(m);
}
END_TEST

#if !HIGHMEM_BY_TABLE
/* Where the direct map would go on, if highmem had one. */
START_TEST(highmem_has_no_direct_address)
{
	struct machine *m = machine_of(slot_modes[_i]);
	unsigned char *last = NULL;

	for (unsigned long pfn = 0; pfn < HIGH; pfn++)
		last = machine_lowmem(m, pfn);
	ck_assert(!touching_faults(m, last + PAGE_SIZE - 1));
	ck_assert(touching_faults(m, last + PAGE_SIZE));
	ck_assert(touching_faults(m, last + (NR_PAGES - HIGH) * PAGE_SIZE));
	machine_destroy(m);
}
END_TEST
#endif

#else

START_TEST(a_guarded_window_needs_pages_of_the_hosts_size)
{
	struct machine *m = NULL;

	ck_assert_int_eq(layout_flat(&layout, NR_PAGES, 2, &msg), 0);
	ck_assert_int_eq(machine_create(&m, &layout, WINDOW_GUARD, &msg),
			 -EINVAL);
	ck_assert_ptr_null(m);
	ck_assert_ptr_nonnull(strstr(msg.text, "guard"));
}
END_TEST

#endif

int main(void)
{
	Suite *s = suite_create("highmem");
	TCase *t = tcase_create("highmem");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, a_lowmem_page_is_seen_at_its_direct_address_without_a_slot,
			    0, ARRAY_SIZE(all_modes));
	tcase_add_loop_test(t, a_forced_map_takes_a_slot_even_for_lowmem, 0,
			    ARRAY_SIZE(slot_modes));
	tcase_add_loop_test(t, a_page_keeps_its_bytes_between_maps, 0,
			    ARRAY_SIZE(all_modes));
	tcase_add_loop_test(t, a_checker_sees_every_page_and_nothing_is_counted,
			    0, ARRAY_SIZE(all_modes));
	tcase_add_loop_test(t, the_limit_of_maps_may_live_and_each_shows_its_own_page,
			    0, ARRAY_SIZE(slot_modes));
	tcase_add_loop_test(t, the_same_page_may_be_mapped_twice, 0,
			    ARRAY_SIZE(slot_modes));
	tcase_add_loop_test(t, a_slot_too_many_is_fatal, 0,
			    ARRAY_SIZE(slot_modes));
	tcase_add_loop_test(t, each_cpu_has_slots_of_its_own, 0,
			    ARRAY_SIZE(slot_modes));
	tcase_add_loop_test(t, an_unmap_out_of_order_is_fatal, 0,
			    ARRAY_SIZE(slot_modes));
	tcase_add_loop_test(t, a_second_unmap_is_fatal, 0,
			    ARRAY_SIZE(slot_modes));
	tcase_add_loop_test(t, unmapping_a_direct_address_is_ignored, 0,
			    ARRAY_SIZE(slot_modes));
	tcase_add_test(t, an_uncounted_window_has_no_slots);
	tcase_add_loop_test(t, random_nested_maps_show_the_right_pages, 0,
			    ARRAY_SIZE(slot_modes));
#if PAGE_SHIFT == 12
	tcase_add_test(t, in_guard_mode_a_use_after_unmap_faults);
	tcase_add_test(t, in_guard_mode_a_stale_address_still_faults_after_the_next_map);
	tcase_add_test(t, in_guard_mode_unmapped_pages_stand_between_any_two_maps);
	tcase_add_test(t, an_access_through_a_checkers_view_may_not_write_in_guard_mode);
	tcase_add_exit_test(t, a_host_that_maps_no_page_fails_the_run_and_is_no_bug, 1);
#if !HIGHMEM_BY_TABLE
	tcase_add_loop_test(t, highmem_has_no_direct_address, 0,
			    ARRAY_SIZE(slot_modes));
#endif
#else
	tcase_add_test(t, a_guarded_window_needs_pages_of_the_hosts_size);
#endif
	suite_add_tcase(s, t);
	return run_suite(s);
}
