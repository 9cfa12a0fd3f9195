/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_cli.c - the program as its user sees it
 *
 * Most tests call pagetax_run(), which is all of the program but the process.
 * The last ones run the built program itself, named by $PAGETAX.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc/registry.h"
#include "base/rng.h"
#include "sim/commands.h"
#include "sim/interrupt.h"
#include "sim/output.h"
#include "tests/sim_bundle.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

#define MAX_ARGS 16

static struct msg msg;

static void setup(void)
{
	scratch_setup();
	strcpy(msg.text, "");
	scratch_stdout();
}

/* Run a command line, cut at blanks; %s in it is the scratch folder. */
static enum status run(const char *line)
{
	static char text[4096];
	char *argv[MAX_ARGS + 1];
	char *rest = text;
	int argc = 0;
	size_t len = 0;

	for (const char *c = line; *c && len + 256 < sizeof(text); c++) {
		if (c[0] == '%' && c[1] == 's') {
			len += (size_t)snprintf(text + len, sizeof(text) - len,
						"%s", scratch_folder());
			c++;
		} else {
			text[len++] = *c;
		}
	}
	text[len] = '\0';
	while (argc < MAX_ARGS && (argv[argc] = strsep(&rest, " ")))
		argc++;
	argv[argc] = NULL;
	return pagetax_run(argc, argv, &msg);
}

/*
 * A trace of 3000 events with whole and partial frees, from a few pages that
 * were there at the start, written as perf script prints it.
 */
static void write_trace(const char *name)
{
	FILE *file = fopen(scratch_path(name), "w");
	struct rng rng;

	ck_assert_ptr_nonnull(file);
	rng_seed(&rng, 7);
	for (unsigned int i = 0; i < 3000; i++) {
		unsigned int order = (unsigned int)rng_below(&rng, 4);
		unsigned long pfn = (unsigned long)rng_below(&rng, 1024) << order;

		if (rng_below(&rng, 2))
			fprintf(file, " sh 1 [00%u] 1.%09u: kmem:mm_page_alloc: page=0x%lx pfn=0x%lx order=%u migratetype=1 gfp_flags=GFP_KERNEL\n",
				i & 1, 1000 * i, pfn, pfn, order);
		else
			fprintf(file, " sh 1 [00%u] 1.%09u: kmem:mm_page_free: page=0x%lx pfn=0x%lx order=%u\n",
				i & 1, 1000 * i, pfn, pfn, order);
	}
	fclose(file);
}

static const struct {
	const char *line;
	enum status status;
	const char *message;		/* parts of it, divided by | */
} mistakes[] = {
	{ "pagetax", STATUS_USAGE, "no command|replay|info|list" },
	{ "pagetax frobnicate", STATUS_USAGE, "frobnicate|replay|info|list" },
	{ "pagetax help frob", STATUS_USAGE, "unknown command frob" },
	{ "pagetax repaly x", STATUS_USAGE, "repaly|did you mean 'replay'?" },
	{ "pagetax replay", STATUS_USAGE, "0 arguments|INPUT" },
	{ "pagetax replay a b", STATUS_USAGE, "2 arguments|INPUT" },
	{ "pagetax replay --frob x", STATUS_USAGE, "--frob|--allocators|--highmem" },
	{ "pagetax replay -z x", STATUS_USAGE, "-z|--allocators" },
	{ "pagetax bytes linked", STATUS_USAGE, "linked|genalloc, |, nta, |percpu_map" },
	{ "pagetax bytes nta:units=3", STATUS_USAGE, "units|128" },
	{ "pagetax bytes --sizes often nta", STATUS_USAGE, "--sizes|often|uniform" },
	{ "pagetax bytes --sizes table\t8 nta", STATUS_USAGE, "--sizes|two points" },
	{ "pagetax info --seed 3 x", STATUS_USAGE, "--seed|--limit" },
	{ "pagetax replay --quiet=3 x", STATUS_USAGE, "--quiet takes no value" },
	{ "pagetax replay x -a", STATUS_USAGE, "--allocators needs a value" },
	{ "pagetax replay -a linked,frob x", STATUS_USAGE, "'frob'|linked|twoword|null|all" },
	{ "pagetax replay -a linked,linked x", STATUS_USAGE, "'linked'|twice" },
	{ "pagetax replay -a all,linked x", STATUS_USAGE, "'linked'|twice" },
	{ "pagetax replay -a null:frob=1 x", STATUS_USAGE, "null|frob" },
	{ "pagetax replay -a twoword:removal=frob x", STATUS_USAGE, "removal|frob|swap|punch" },
	{ "pagetax replay --highmem some x", STATUS_USAGE, "--highmem|some|above:SIZE" },
	{ "pagetax replay --highmem above:3X x", STATUS_USAGE, "--highmem|above:3X" },
	{ "pagetax replay --window glass x", STATUS_USAGE, "--window|glass|arith" },
	{ "pagetax replay --sample 0 x", STATUS_USAGE, "--sample|'0'" },
	{ "pagetax replay --sample 10parsec x", STATUS_USAGE, "--sample|10parsec" },
	{ "pagetax replay --seed -1 x", STATUS_USAGE, "--seed|-1" },
	{ "pagetax replay --seed 9007199254740992 x", STATUS_USAGE, "--seed|9007199254740991" },
#if UINTPTR_MAX > UINT32_MAX		/* as many pages have no number there */
	{ "pagetax replay --machine 4096T %s/trace", STATUS_FAILED, "4096 TiB needs at least|smaller --machine" },
	{ "pagetax replay -a linked,twoword --jobs 2 --machine 4096T %s/trace", STATUS_FAILED, "needs at least 80.0 TiB" },
	{ "pagetax replay -a twoword,linked --jobs 1 --machine 4096T %s/trace", STATUS_FAILED, "needs at least 64.0 TiB" },
	{ "pagetax replay -a linked --check --machine 4096T %s/trace", STATUS_FAILED, "needs at least 65.0 TiB" },
	{ "pagetax breakeven -m 4096T", STATUS_FAILED, "4096 TiB needs at least|smaller" },
#endif
	{ "pagetax replay --limit 99999999999999999999 x", STATUS_USAGE, "--limit" },
	{ "pagetax replay --machine small x", STATUS_USAGE, "--machine|small|24G" },
	{ "pagetax replay --list-order random x", STATUS_USAGE, "--list-order|random|shuffled" },
	{ "pagetax replay --alocators linked x", STATUS_USAGE, "did you mean 'allocators'?" },
	{ "pagetax replay -a two-word x", STATUS_USAGE, "did you mean 'twoword'?" },
	{ "pagetax replay -a linked:palcement=spare x", STATUS_USAGE, "did you mean 'placement'?" },
	{ "pagetax replay --limit 10k x", STATUS_USAGE, "--limit|'10k'|whole number above 0" },
	{ "pagetax replay --limit 0 x", STATUS_USAGE, "--limit|'0'|above 0" },
	{ "pagetax replay --seed 1 --seed 2 x", STATUS_USAGE, "--seed is given twice" },
	{ "pagetax replay -o - %s/trace", STATUS_FAILED, "--output|'-'|folder" },
	{ "pagetax replay --scale 1/2 %s/trace", STATUS_USAGE, "--scale|-m SCENARIO" },
	{ "pagetax replay --allocatee %s/empty %s/trace", STATUS_USAGE, "--allocatee|/empty is empty" },
	{ "pagetax replay --allocatee %s %s/trace", STATUS_USAGE, "--allocatee|Is a directory" },
	{ "pagetax simulate servr", STATUS_USAGE, "did you mean 'server'?" },
	{ "pagetax simulate --to ptr waves", STATUS_USAGE, "--to|--record" },
	{ "pagetax simulate -a linked --record - waves", STATUS_FAILED, "--record|'-'|file" },
	{ "pagetax breakeven -m server", STATUS_USAGE, "--machine|64M" },
	{ "pagetax breakeven -m 1M", STATUS_USAGE, "--machine|64M" },
	{ "pagetax bench --threads 2 --pattern a1", STATUS_USAGE, "--threads|--lock spin" },
	{ "pagetax bench --repeats 0 --pattern a1", STATUS_USAGE, "--repeats|above 0" },
	{ "pagetax bench --pattern polciy x", STATUS_USAGE, "did you mean 'policy'?" },
	{ "pagetax figures btyes", STATUS_USAGE, "did you mean 'bytes'?" },
	{ "pagetax replay -a linked: x", STATUS_USAGE, "linked: an option is missing after ':'" },
	{ "pagetax bytes genalloc:", STATUS_USAGE, "genalloc: an option is missing after ':'" },
	{ "pagetax breakeven --machine 100", STATUS_USAGE, "100 B is too small|expected 64M or more" },
	{ "pagetax simulate --sample 100 waves", STATUS_USAGE, "sampled by time; expected TIME as in 10ms" },
	{ "pagetax breakeven --machine flat:1G", STATUS_USAGE, "expected its size, 64M or more" },
	{ "pagetax plot taxx x", STATUS_USAGE, "did you mean 'tax'?" },
	{ "pagetax info %s/validation", STATUS_FAILED, "/validation|plot validate" },
	{ "pagetax report %s/validation", STATUS_FAILED, "/validation|plot validate" },
	{ "pagetax list scenario", STATUS_USAGE, "did you mean 'scenarios'?" },
	{ "pagetax list frob", STATUS_USAGE, "frob|allocators|machines|metrics" },
	{ "pagetax replay %s/missing", STATUS_FAILED, "/missing" },
	{ "pagetax info %s/missing", STATUS_FAILED, "/missing" },
	{ "pagetax replay %s/empty", STATUS_FAILED, "/empty" },
	{ "pagetax replay %s", STATUS_FAILED, "/" },
	{ "pagetax replay -o %s/empty %s/trace", STATUS_FAILED, "/empty|result folder" },
	{ "pagetax replay -o %s/no/such %s/trace", STATUS_FAILED, "/no" },
	{ "pagetax replay --machine 1M %s/trace", STATUS_FAILED, "/trace:|pfn|in no zone|up to 0xff" },
	{ "pagetax replay --sample 1ns %s/trace", STATUS_FAILED, "--sample|100000" },
	{ "pagetax fit -o %s/no/x.ini %s/trace", STATUS_FAILED, "/no/x.ini|there is no folder|/no" },
	{ "pagetax convert %s/trace %s/no/such/x.ptr", STATUS_FAILED, "there is no folder|/no/such" },
	{ "pagetax info ", STATUS_USAGE, "an empty argument|INPUT" },
	{ "pagetax plot tax", STATUS_USAGE, "1 argument;|RESULT" },
	{ "pagetax simulate %s/", STATUS_FAILED, "directory" },
	{ "pagetax simulate %s/astray.ini", STATUS_USAGE, "astray.ini:1: include|no.ini: No such file" },
	{ "pagetax bench --pattern stream %s/missing", STATUS_FAILED, "/missing|stream" },
	{ "pagetax bench --pattern a1 -a null --memory 64M --json %s/no/such", STATUS_FAILED, "/no/such" },
	{ "pagetax bench -q --pattern policy -a linked %s/drain", STATUS_FAILED, "/drain|no demand" },
	{ "pagetax info %s/broken", STATUS_FAILED, "/broken/summary.json:2" },
};

START_TEST(a_mistake_gets_one_message_that_says_what_is_allowed)
{
	char parts[256], *rest = parts, *part;

	scratch_write_text("empty", "");
	scratch_write_text("astray.ini", "include = no.ini\n");
	write_trace("trace");
	scratch_write_text("drain", DRAIN("1", "0x10", "0", "1"));
	ck_assert(!mkdir(scratch_path("broken"), 0777));
	scratch_write_text("broken/summary.json", "{\n]");
	ck_assert(!mkdir(scratch_path("validation"), 0777));
	scratch_write_text("validation/validation.json", "{}");
	ck_assert_msg(run(mistakes[_i].line) == mistakes[_i].status, "%s: %s",
		      mistakes[_i].line, msg.text);
	ck_assert_ptr_null(strchr(msg.text, '\n'));
	snprintf(parts, sizeof(parts), "%s", mistakes[_i].message);
	while ((part = strsep(&rest, "|")))
		ck_assert_msg(strstr(msg.text, part), "%s: \"%s\" lacks \"%s\"",
			      mistakes[_i].line, msg.text, part);
	ck_assert_str_eq(scratch_printed(), "");
}
END_TEST

static const struct {
	const char *line;
	const char *output;		/* parts of it, divided by | */
} questions[] = {
	{ "pagetax --help", "replay|info|list" },
	{ "pagetax -h", "replay|info|list" },
	{ "pagetax --version", "pagetax " },
	{ "pagetax replay --help", "--allocators|--highmem|--seed" },
	{ "pagetax bytes nta", "slabs of equal objects|turned_over|nta |half_freed" },
	{ "pagetax bytes --sizes constant\tvalue=5000 nta percpu_map", " 0    6711 |percpu_map  " },
	{ "pagetax list allocators", "linked|twoword|removal=|null" },
	{ "pagetax list allocators", "as a range: runs of any length, aligned to any power of two"
	  "|up to 512 units, unaligned|up to 256 units, aligned to up to 256" },
	{ "pagetax list machines", "flat:SIZE" },
	{ "pagetax list metrics", "time_ns|share_2m|meta_nodes_bytes|tax.tsv|free_unknown|frees_dropped|fallbacks|pages_sought" },
	{ "pagetax list machines", "SCENARIO" },
	{ "pagetax list plots", "tax              Memory tax by design\n|\nfigure-b10 " },
	{ "pagetax list scenarios", "desktop          A desktop of 16 GiB" },
	{ "pagetax help", "\n  replay |\n  list " },
	{ "pagetax help replay", "pagetax replay [options] INPUT" },
	{ "pagetax help breakeven", "pagetax breakeven [options]\n" },
	{ "pagetax info %s/trace", "perf-text|3000 in|mm_page_alloc|made up" },
	{ "pagetax replay --no-plots -a linked %s/trace", "whole|allocator|linked|yes" },
	{ "pagetax replay --no-plots -a hybrid,hybrid:emulate=singles,nta %s/trace",
	  "Refused, as beyond the design: hybrid 1|, nta 1" },
};

START_TEST(a_question_is_answered)
{
	char parts[256], *rest = parts, *part;
	const char *output;

	write_trace("trace");
	ck_assert_msg(run(questions[_i].line) == STATUS_DONE, "%s: %s",
		      questions[_i].line, msg.text);
	output = scratch_printed();
	snprintf(parts, sizeof(parts), "%s", questions[_i].output);
	while ((part = strsep(&rest, "|")))
		ck_assert_msg(strstr(output, part), "%s: \"%s\" lacks \"%s\"",
			      questions[_i].line, output, part);
}
END_TEST

/* 128 MiB of descriptors, or 64 on 32 bits, and 32 or 16: of 48. */
START_TEST(a_design_too_large_for_lowmem_is_marked_and_the_others_go_on)
{
	FILE *file = fopen(scratch_path("pae.ini"), "w");
	const char *fits, *too_large;

	ck_assert_ptr_nonnull(file);
	fputs("[machine]\nmemory = 8G\nzones = pae\nlowmem = 48M\n"
	      "[phase steady]\nduration = 10ms\n"
	      "[class files]\narrivals = poisson rate=10000/s\n"
	      "lifetime = constant value=1ms\n", file);
	fclose(file);
	ck_assert_msg(run("pagetax simulate --no-plots -a linked,twoword "
			  "-o %s/result %s/pae.ini") == STATUS_DONE, "%s", msg.text);
	too_large = strstr(scratch_printed(), "does not fit, no such machine could start");
	ck_assert_ptr_nonnull(too_large);
	ck_assert_ptr_null(strstr(too_large + 1, "does not fit"));
	too_large = strstr(scratch_text("result/summary.json"), "\"fits_lowmem\": false");
	ck_assert_ptr_nonnull(too_large);
	fits = strstr(too_large, "\"fits_lowmem\": true");
	ck_assert_ptr_nonnull(fits);
	ck_assert_ptr_null(strstr(fits, "\"fits_lowmem\": false"));
}
END_TEST

/* Two nodes have a Normal each: neither may hide the other. */
START_TEST(zones_of_one_name_are_told_apart_by_their_node)
{
	two_node_bundle_write();
	ck_assert_msg(run("pagetax replay -q --no-plots -a linked -o %s/result %s") ==
		      STATUS_DONE, "%s", msg.text);
	for (const char *const *name = (const char *const[]){
		     "\"DMA\": [", "\"Normal.node0\": [", "\"Normal.node1\": [", NULL };
	     *name; name++)
		ck_assert_msg(strstr(scratch_text("result/summary.json"), *name), "no %s", *name);
	ck_assert_ptr_nonnull(strstr(scratch_text("result/buddyinfo.tsv"), "\tNormal.node1\t"));
}
END_TEST

/* Names of files and processes are bytes; the files of a result have their own rules. */
START_TEST(names_of_any_bytes_leave_a_result_that_can_be_read)
{
	FILE *file = fopen(scratch_path("tr\xff\xe9"), "w");

	ck_assert_ptr_nonnull(file);
	fputs(" s\tx\xff 1 [000] 1.000001: kmem:mm_page_alloc: pfn=0x1 order=0 migratetype=1 gfp_flags=GFP_KERNEL\n",
	      file);
	fclose(file);
	ck_assert_msg(run("pagetax replay -q --no-plots -a linked -o %s/result %s/tr\xff\xe9") ==
		      STATUS_DONE, "%s", msg.text);
	ck_assert_ptr_nonnull(strstr(scratch_text("result/summary.json"), "\"name\": \"tr??\""));
	ck_assert_ptr_nonnull(strstr(scratch_text("result/processes.tsv"), "\nlinked\ts?x\xff\t1\t"));
}
END_TEST

#define AT(time, comm) " " comm " 1 [000] " time ": kmem:mm_page_"

/*
 *             a's pages    b's
 *   1.1       4            .
 *   1.2       4            2      b: one block of order 1, then one of order 0
 *   1.3       4            3
 *   1.4       .            3      freed by b, and a's all the same
 */
START_TEST(a_process_has_the_pages_it_asked_for_whoever_frees_them)
{
	scratch_write_text("trace",
		AT("1.1", "a") "alloc: pfn=0x10 order=2 migratetype=1 gfp_flags=GFP_KERNEL\n"
		AT("1.2", "b") "alloc: pfn=0x20 order=1 migratetype=1 gfp_flags=GFP_KERNEL\n"
		AT("1.3", "b") "alloc: pfn=0x30 order=0 migratetype=1 gfp_flags=GFP_KERNEL\n"
		AT("1.4", "b") "free: pfn=0x10 order=2\n");
	ck_assert_msg(run("pagetax replay -q --no-plots -a linked -o %s/result %s/trace") ==
		      STATUS_DONE, "%s", msg.text);
	/* served, pages of those, live at most and at the end */
	ck_assert_ptr_nonnull(strstr(scratch_text("result/processes.tsv"), "\nlinked\ta\t1\t4\t4\t0\t"));
	ck_assert_ptr_nonnull(strstr(scratch_text("result/processes.tsv"), "\nlinked\tb\t2\t3\t3\t3\t"));
}
END_TEST

static bool same_file(const char *a, const char *b)
{
	size_t len_a, len_b;
	char *text_a = scratch_slurp(scratch_path(a), &len_a);
	char *text_b = scratch_slurp(scratch_path(b), &len_b);
	bool same = len_a && len_a == len_b && !memcmp(text_a, text_b, len_a);

	free(text_a);
	free(text_b);
	return same;
}

START_TEST(the_same_input_gives_the_same_bytes)
{
	write_trace("trace");
	ck_assert_msg(run("pagetax replay --no-plots -q -a all --sample 500 --seed 3 -o %s/one %s/trace") ==
		      STATUS_DONE, "%s", msg.text);
	ck_assert_int_eq(run("pagetax replay --no-plots -q -a all --sample 500 --seed 3 -o %s/two %s/trace"),
			 STATUS_DONE);
	ck_assert_int_eq(run("pagetax replay --no-plots -q -a all --sample 500 --seed 4 -o %s/other %s/trace"),
			 STATUS_DONE);
	ck_assert(same_file("one/summary.json", "two/summary.json"));
	ck_assert(same_file("one/samples.tsv", "two/samples.tsv"));
	ck_assert(same_file("one/buddyinfo.tsv", "two/buddyinfo.tsv"));
	ck_assert(same_file("one/tax.tsv", "two/tax.tsv"));
	ck_assert(!same_file("one/summary.json", "other/summary.json"));
}
END_TEST

/* An allocator's results must not depend on who else is in the list. */
START_TEST(allocators_of_one_run_do_not_touch_each_other)
{
	char *alone;
	const char *rows;

	write_trace("trace");
	ck_assert_int_eq(run("pagetax replay --no-plots -q -a linked -o %s/alone %s/trace"),
			 STATUS_DONE);
	ck_assert_int_eq(run("pagetax replay --no-plots -q -a null,linked -o %s/both %s/trace"),
			 STATUS_DONE);
	rows = strstr(scratch_text("alone/samples.tsv"), "\nlinked");
	ck_assert_ptr_nonnull(rows);
	alone = strdup(rows);
	rows = strstr(scratch_text("both/samples.tsv"), "\nlinked");
	ck_assert_ptr_nonnull(rows);
	ck_assert_int_eq(strcmp(alone, rows), 0);
	free(alone);
}
END_TEST

static const char *const variants[] = {
	"--highmem none", "--highmem all", "--highmem above:2M",
	"--list-order address", "--sample 1", "--sample 100us", "--limit 1",
	"--machine 64M", "--machine flat:32M",
};

START_TEST(every_allocator_is_verified_and_restored_under_every_option)
{
	char line[512];

	write_trace("trace");
	snprintf(line, sizeof(line),
		 "pagetax replay -q --check --teardown -a all,hybrid:emulate=singles %s %%s/trace",
		 variants[_i]);
	ck_assert_msg(run(line) == STATUS_DONE, "%s: %s", line, msg.text);
}
END_TEST

static const char *const option_words[NR_OPTIONS] = {
#define OPTION_WORD(name, letter, word, value, help) word,
	OPTIONS(OPTION_WORD)
#undef OPTION_WORD
};

/* Items of its lists of options, as ".It Fl o Ar folder , Fl -output Ar folder". */
START_TEST(the_manual_has_an_item_for_each_option_and_no_other)
{
	FILE *in = fopen("doc/pagetax.1", "r");
	bool described[NR_OPTIONS] = { false };
	char line[256];

	ck_assert_ptr_nonnull(in);
	while (fgets(line, sizeof(line), in)) {
		const char *at = strncmp(line, ".It ", 4) ? NULL : line;

		while (at && (at = strstr(at, "Fl -"))) {
			size_t len = strcspn(at += strlen("Fl -"), " \n");
			unsigned int i = 0;

			while (i < NR_OPTIONS && (strlen(option_words[i]) != len ||
						  memcmp(option_words[i], at, len)))
				i++;
			ck_assert_msg(i < NR_OPTIONS, "no such option: %s", line);
			described[i] = true;
		}
	}
	fclose(in);
	for (unsigned int i = 0; i < NR_OPTIONS; i++)
		ck_assert_msg(described[i], "pagetax(1) has no --%s", option_words[i]);
}
END_TEST

static unsigned int count_lines(const char *text)
{
	unsigned int nr = 0;

	for (; *text; text++)
		nr += *text == '\n';
	return nr;
}

/* 30 years in which nothing happens: no test waits for their seconds. */
START_TEST(a_long_rest_takes_no_time)
{
	scratch_write_text("rest",
		" sh 1 [000] 1.000000: kmem:mm_page_alloc: page=0x10 pfn=0x10 order=0 migratetype=1 gfp_flags=GFP_KERNEL\n"
		" sh 1 [000] 1000000001.500000: kmem:mm_page_free: page=0x10 pfn=0x10 order=0\n");
	ck_assert_msg(run("pagetax replay -q --teardown -a linked,twoword,null %s/rest") == STATUS_DONE,
		      "%s", msg.text);
	scratch_write_text("rest.ini",
		"[machine]\nmemory = 16M\n[phase run]\nduration = 2000h\n"
		"[class a]\narrivals = once\nlifetime = constant value=1500h\n");
	ck_assert_msg(run("pagetax simulate -q --teardown -a linked,twoword %s/rest.ini") == STATUS_DONE,
		      "%s", msg.text);
}
END_TEST

START_TEST(samples_are_taken_where_they_were_asked_for)
{
	write_trace("trace");
	/* 3 lines of comments, 1 of names, 1 sample at the start, then each 300. */
	ck_assert_int_eq(run("pagetax replay --no-plots -q -a null --sample 300 -o %s/r %s/trace"),
			 STATUS_DONE);
	ck_assert_uint_eq(count_lines(scratch_text("r/samples.tsv")),
			  4 + 1 + 9 + 1);
	/* 3000 events 1 us apart: the last is at 2999 us. */
	ck_assert_int_eq(run("pagetax replay --no-plots -q -a null --sample 1ms -o %s/r %s/trace"),
			 STATUS_DONE);
	ck_assert_uint_eq(count_lines(scratch_text("r/samples.tsv")),
			  4 + 1 + 2 + 1);
}
END_TEST

/* -- the process ------------------------------------------------------------- */

/* Run `$PAGETAX ARGS` in a shell, in the scratch folder; its exit status. */
static int shell(const char *args, const char *before)
{
	char command[2048];
	char program[1024];
	int status;

	ck_assert_ptr_nonnull(realpath(getenv("PAGETAX"), program));
	snprintf(command, sizeof(command), "cd %s && %s %s %s 2>stderr",
		 scratch_folder(), before, program, args);
	status = system(command);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static const struct {
	const char *before;
	const char *args;
	int status;
	const char *message;
} processes[] = {
	{ "", "replay -q trace", 0, "" },
	{ "", "frobnicate", 2, "pagetax: unknown command frobnicate" },
	{ "", "replay missing", 1, "pagetax: " },
	{ "", "list metrics >/dev/full", 1, "pagetax: standard output: No space left" },
	{ "ulimit -f 8;", "replay -q --no-plots --sample 1 -o r trace", 1, "File too large" },
};

START_TEST(a_process_ends_with_its_status_and_one_line)
{
	const char *text;

	write_trace("trace");
	ck_assert_int_eq(shell(processes[_i].args, processes[_i].before),
			 processes[_i].status);
	text = scratch_text("stderr");
	ck_assert_msg(strstr(text, processes[_i].message), "%s", text);
	ck_assert_uint_eq(count_lines(text), processes[_i].status ? 1 : 0);
	ck_assert_int_eq(shell("", "ls -d r* 2>/dev/null | grep -c . | grep -qx 0; exit $? ;"), 0);
}
END_TEST

/* SIGTERM while it plots or replays: no folder, whole or half, is left. */
START_TEST(an_interrupted_run_leaves_nothing)
{
	write_trace("trace");
	ck_assert_int_eq(shell("replay -q --sample 1 -a all -o r trace",
			       "mkdir bin; printf '#!/bin/sh\\nkill -TERM $PPID; sleep 0.1\\n' >bin/gnuplot;"
			       "chmod +x bin/gnuplot; PATH=$PWD/bin:$PATH PAGETAX_PLOTS=$PAGETAX_TEST_PLOTS"),
			 1);
	ck_assert_int_eq(shell("", "ls -d r r.* >/dev/null 2>&1 && exit 1; exit 0;"), 0);
}
END_TEST

/* The first file to be opened would be in its place. */
START_TEST(a_closed_standard_output_is_no_file_of_ours)
{
	ck_assert_int_eq(shell("bench -a null --pattern a1 --memory 64M --ops 1 --repeats 1 --json x.json >&-",
			       ""), 1);
	ck_assert_str_eq(scratch_figure("x.json", "command"), "bench");
	ck_assert_str_eq(scratch_text("stderr"),
			 "pagetax: standard output: Bad file descriptor\n");
}
END_TEST

START_TEST(the_second_signal_ends_it)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		note_interrupts();
		raise(SIGHUP);
		if (interrupted())
			raise(SIGHUP);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
}
END_TEST

/* Those who note no interrupts are ended by the first, the others by the second. */
START_TEST(a_file_half_written_goes_with_its_writer)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct output *out;

		if (output_open(&out, scratch_path("x.json"), false, &msg))
			_exit(1);
		output_write(out, "{", 1);
		if (_i) {
			note_interrupts();
			raise(SIGTERM);
		}
		raise(SIGTERM);
		_exit(2);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	ck_assert_int_eq(rmdir(scratch_folder()), 0);
	ck_assert_int_eq(mkdir(scratch_folder(), 0777), 0);
}
END_TEST

/* As nohup and a shell's background jobs have it. */
START_TEST(a_signal_that_is_ignored_does_not_interrupt)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		signal(SIGHUP, SIG_IGN);
		note_interrupts();
		raise(SIGHUP);
		raise(SIGHUP);
		_exit(interrupted());
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

/* Who builds the program and does not install it may stand anywhere. */
START_TEST(plots_and_scenarios_are_found_beside_the_program)
{
	ck_assert_int_eq(shell("simulate -q -a null --scale 1/1024 -o r waves",
			       "unset PAGETAX_PLOTS;"), 0);
	ck_assert_str_eq(scratch_text("stderr"), "");
	ck_assert_int_eq(access(scratch_path("r/tax.svg"), R_OK), 0);
}
END_TEST

static void write_result(void)
{
	write_trace("trace");
	ck_assert_int_eq(shell("replay -q --no-plots -a linked -o r trace", ""), 0);
}

/* Root may rename onto /dev/null, too. */
START_TEST(a_pipe_is_written_to_and_stays_one)
{
	write_result();
	ck_assert_int_eq(shell("report -q -o pipe r; s=$?; wait; exit $s;",
			       "mkfifo pipe; cat pipe >got & PAGETAX_PLOTS=none"), 0);
	ck_assert_int_eq(shell("", "test -p pipe && grep -q '</html>' got; exit $? ;"), 0);
}
END_TEST

START_TEST(letters_that_cannot_be_printed_are_told)
{
	write_result();
	ck_assert_int_eq(shell("plot tax r >/dev/full",
			       "mkdir bin; printf '#!/bin/sh\\necho letters\\n' >bin/gnuplot;"
			       "chmod +x bin/gnuplot; PATH=$PWD/bin:$PATH PAGETAX_PLOTS=$PAGETAX_TEST_PLOTS"),
			 1);
	ck_assert_str_eq(scratch_text("stderr"),
			 "pagetax: standard output: No space left on device\n");
	ck_assert_int_eq(shell("plot tax r >got",
			       "PATH=$PWD/bin:$PATH PAGETAX_PLOTS=$PAGETAX_TEST_PLOTS"), 0);
	ck_assert_str_eq(scratch_text("got"), "letters\n");
}
END_TEST

/* As when somebody leaves `less` before the end: there is nobody to tell. */
START_TEST(a_reader_that_goes_is_no_news)
{
	write_trace("trace");
	ck_assert_int_eq(shell("convert trace - 2>err; echo $? >status; } | :", "{"), 0);
	ck_assert_str_eq(scratch_text("err"), "");
	ck_assert_str_eq(scratch_text("status"), "1\n");
}
END_TEST

static const char *const plot_outputs[] = { "x.svg", "no/x.svg" };

START_TEST(a_plot_that_fails_leaves_the_older_one)
{
	char args[64];
	const char *text;

	write_result();
	snprintf(args, sizeof(args), "plot tax r -o %s", plot_outputs[_i]);
	ck_assert_int_eq(shell(args, "mkdir bin; ln -s /bin/false bin/gnuplot; echo old >x.svg;"
			       "PATH=$PWD/bin:$PATH PAGETAX_PLOTS=$PAGETAX_TEST_PLOTS"), 1);
	text = scratch_text("stderr");
	ck_assert_msg(count_lines(text) == 1, "%s", text);
	ck_assert_str_eq(scratch_text("x.svg"), "old\n");
}
END_TEST

/* What it is drawn in goes, too. */
START_TEST(an_interrupted_plot_leaves_the_older_one)
{
	write_result();
	ck_assert_int_eq(shell("plot tax r -o x.svg",
			       "mkdir bin tmp; printf '#!/bin/sh\nkill -TERM $PPID; echo \"<svg>a drawing</svg>\" >$3\n' >bin/gnuplot;"
			       "chmod +x bin/gnuplot; echo old >x.svg; TMPDIR=$PWD/tmp "
			       "PATH=$PWD/bin:$PATH PAGETAX_PLOTS=$PAGETAX_TEST_PLOTS"), 1);
	ck_assert_ptr_nonnull(strstr(scratch_text("stderr"), "interrupted while writing x.svg"));
	ck_assert_str_eq(scratch_text("x.svg"), "old\n");
	ck_assert_int_eq(rmdir(scratch_path("tmp")), 0);
}
END_TEST

/* As on a full disk, of which gnuplot says nothing. */
START_TEST(half_a_plot_is_none)
{
	write_result();
	ck_assert_int_eq(shell("plot tax r -o x.svg",
			       "mkdir bin; printf '#!/bin/sh\necho \"<svg>\" >$3\n' >bin/gnuplot;"
			       "chmod +x bin/gnuplot; echo old >x.svg;"
			       "PATH=$PWD/bin:$PATH PAGETAX_PLOTS=$PAGETAX_TEST_PLOTS"), 1);
	ck_assert_ptr_nonnull(strstr(scratch_text("stderr"), "in part only"));
	ck_assert_str_eq(scratch_text("x.svg"), "old\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli");
	TCase *tc = tcase_create("command line");
	TCase *process;
	char plots[1024];

	if (realpath("plots", plots))
		setenv("PAGETAX_TEST_PLOTS", plots, 1);
	tcase_add_checked_fixture(tc, setup, scratch_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_mistake_gets_one_message_that_says_what_is_allowed,
			    0, (int)ARRAY_SIZE(mistakes));
	tcase_add_loop_test(tc, a_question_is_answered, 0, (int)ARRAY_SIZE(questions));
	tcase_add_test(tc, the_manual_has_an_item_for_each_option_and_no_other);
	tcase_add_test(tc, a_design_too_large_for_lowmem_is_marked_and_the_others_go_on);
	tcase_add_test(tc, zones_of_one_name_are_told_apart_by_their_node);
	tcase_add_test(tc, names_of_any_bytes_leave_a_result_that_can_be_read);
	tcase_add_test(tc, a_process_has_the_pages_it_asked_for_whoever_frees_them);
	tcase_add_test(tc, the_same_input_gives_the_same_bytes);
	tcase_add_test(tc, allocators_of_one_run_do_not_touch_each_other);
	tcase_add_loop_test(tc, every_allocator_is_verified_and_restored_under_every_option,
			    0, (int)ARRAY_SIZE(variants));
	tcase_add_test(tc, a_long_rest_takes_no_time);
	tcase_add_test(tc, samples_are_taken_where_they_were_asked_for);
	suite_add_tcase(suite, tc);
	if (getenv("PAGETAX")) {
		process = tcase_create("process");
		tcase_add_checked_fixture(process, scratch_setup, scratch_teardown);
		tcase_set_timeout(process, 60);
		tcase_add_loop_test(process, a_process_ends_with_its_status_and_one_line,
				    0, (int)ARRAY_SIZE(processes));
		tcase_add_test(process, an_interrupted_run_leaves_nothing);
		tcase_add_test(process, a_closed_standard_output_is_no_file_of_ours);
		tcase_add_test(process, the_second_signal_ends_it);
		tcase_add_loop_test(process, a_file_half_written_goes_with_its_writer, 0, 2);
		tcase_add_test(process, a_signal_that_is_ignored_does_not_interrupt);
		tcase_add_test(process, plots_and_scenarios_are_found_beside_the_program);
		tcase_add_test(process, a_pipe_is_written_to_and_stays_one);
		tcase_add_test(process, letters_that_cannot_be_printed_are_told);
		tcase_add_test(process, a_reader_that_goes_is_no_news);
		tcase_add_test(process, an_interrupted_plot_leaves_the_older_one);
		tcase_add_test(process, half_a_plot_is_none);
		tcase_add_loop_test(process, a_plot_that_fails_leaves_the_older_one,
				    0, (int)ARRAY_SIZE(plot_outputs));
		suite_add_tcase(suite, process);
	}
	return run_suite(suite);
}
