/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_report.c - the page and the drawings, from whole and from broken results
 *
 * The sample's first events are replayed once; each test spoils its own copy
 * of that result.
 */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/commands.h"
#include "sim/report/plots.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

static char whole[64] = "/tmp/pagetax-report-XXXXXX";
static struct msg msg;

/* Run a shell command line made of a format. */
__attribute__((format(printf, 1, 2)))
static void shell(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	ck_assert_msg(!system(command), "%s", command);
}

/* Run a command line, cut at blanks; @ is the result of this test, ~ a blank. */
static enum status run(const char *line)
{
	static char text[2048];
	char *argv[32], *rest = text;
	size_t len = 0;
	int argc = 0;

	for (const char *c = line; *c; c++) {
		if (*c == '@')
			len += (size_t)sprintf(text + len, "%s", scratch_path("r"));
		else
			text[len++] = *c;
	}
	text[len] = '\0';
	while (argc < 31 && (argv[argc] = strsep(&rest, " "))) {
		for (char *c = argv[argc]; (c = strchr(c, '~')); )
			*c = ' ';
		argc++;
	}
	argv[argc] = NULL;
	return pagetax_run(argc, argv, &msg);
}

static void setup(void)
{
	scratch_setup();
	shell("cp -r %s/r %s", whole, scratch_folder());
}

static void teardown(void)
{
	shell("rm -rf %s", scratch_path("r"));
	scratch_teardown();
}

/* The page as text; the caller frees it. */
static char *page_of(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = NULL;
	size_t room = 0;

	ck_assert_ptr_nonnull(in);
	ck_assert(getdelim(&text, &room, '\0', in) > 0);
	fclose(in);
	return text;
}

static char *report(void)
{
	ck_assert_msg(run("pagetax report -q @") == STATUS_DONE, "%s", msg.text);
	return page_of(scratch_path("r/report.html"));
}

static void expect(const char *page, const char *text)
{
	ck_assert_msg(strstr(page, text) != NULL, "no '%s' in the page", text);
}

static unsigned int occurrences(const char *page, const char *text)
{
	unsigned int nr = 0;

	while ((page = strstr(page, text))) {
		page += strlen(text);
		nr++;
	}
	return nr;
}

START_TEST(the_page_stands_alone)
{
	char *page = report();

	ck_assert_ptr_null(strstr(page, "<script"));
	ck_assert_ptr_null(strstr(page, "src="));
	ck_assert_ptr_null(strstr(page, "@import"));
	expect(page, "prefers-color-scheme:dark");
	expect(page, "@media print");
	expect(page, "width=device-width");
	ck_assert_uint_eq(occurrences(page, "<svg"), 9);
	ck_assert_uint_eq(occurrences(page, "Not drawn"), 0);
	ck_assert_uint_lt(strlen(page), 5u << 20);
	free(page);
}
END_TEST

/* Two drawings with one id would take each other's patterns. */
START_TEST(ids_differ_from_drawing_to_drawing)
{
	char *page = report();
	const char *at = page;

	expect(page, "id=\"d1-");
	expect(page, "id=\"d9-");
	while ((at = strstr(at, "url(#"))) {
		at += strlen("url(#");
		ck_assert_int_eq(*at, 'd');
	}
	free(page);
}
END_TEST

/* From how many pages a folio on the winner wins, by the verdict. */
static double crossing(const char *option)
{
	char line[256];
	char *page;
	const char *at;
	double pages;

	snprintf(line, sizeof(line), "pagetax report -q%s @", option);
	ck_assert_msg(run(line) == STATUS_DONE, "%s", msg.text);
	page = page_of(scratch_path("r/report.html"));
	at = strstr(page, "small folios: below ");
	ck_assert_ptr_nonnull(at);
	ck_assert_int_eq(sscanf(at, "small folios: below %lf", &pages), 1);
	free(page);
	return pages;
}

START_TEST(the_break_even_is_of_the_owners_that_the_result_knows)
{
	char option[256];

	shell("sed -i 's/\"anon\": 80/\"anon\": 240/' %s", scratch_path("r/summary.json"));
	scratch_write_text("table", "size anon 240\n");
	snprintf(option, sizeof(option), " --allocatee %s", scratch_path("table"));
	ck_assert_double_eq(crossing(""), crossing(option));
	ck_assert_double_gt(crossing(""), 2 * crossing(" --allocatee today"));

	/* What no table can hold is not taken. */
	shell("sed -i 's/\"anon\": 240/\"anon\": -1/' %s", scratch_path("r/summary.json"));
	ck_assert_double_eq(crossing(""), crossing(" --allocatee today"));
}
END_TEST

START_TEST(each_counter_of_a_dirty_trace_is_explained)
{
	char *page;

	shell("sed -i 's/\"\\(frees_dropped\\|free_part\\)\": [0-9]*/\"\\1\": 77777/' %s",
	      scratch_path("r/summary.json"));
	page = report();
	ck_assert_uint_eq(occurrences(page, "77777"), 2);
	expect(page, "frees of a part of a block: the block is cut");
	expect(page, "frees of blocks that this allocator had failed to give");
	free(page);
}
END_TEST

START_TEST(the_first_words_say_who_costs_least)
{
	char *page = report();
	const char *verdict = strstr(page, "twoword costs least here");

	ck_assert_ptr_nonnull(verdict);
	ck_assert(verdict < strstr(page, "<table"));
	expect(page, "The price of twoword against linked");
	/* Pages a folio, of 64 bytes against 16; of 32 against 8 others. */
	expect(page, sizeof(void *) > 4 ? "below 1.7" : "pages a folio linked costs less");
	if (sizeof(void *) > 4)		/* HVO is of 64-byte descriptors */
		expect(page, "linked with HVO");
	expect(page, "sha256 of the input");
	expect(page, "pagetax replay -a linked,twoword");
	expect(page, "64-byte struct page, doubly linked free lists");
	expect(page, "pcp=on pcp_high=0 ");
	free(page);
}
END_TEST

/* x(what is done to the result, what the page must say) */
static const struct {
	const char *spoil;
	const char *says;
} broken[] = {
	{ "sed -i 's/\"version\": \"[^\"]*\"/\"version\": \"0.0.9\"/' summary.json",
	  "written by pagetax 0.0.9" },
	{ "sed -i '/allocatee_peak_bytes/d;/total_/d' summary.json",
	  "does not say what owners of pages keep" },
	{ "sed -i 's/allocatee_bytes/old_bytes/' samples.tsv",
	  "samples.tsv: no column allocatee_bytes" },
	{ "rm memory.tsv classes.tsv", "memory.tsv: not there" },
	{ "rm samples.tsv timing.json", "Not drawn" },
	{ "printf '# nothing\\nallocator\\ttime_ns\\n' >samples.tsv", "no rows in it" },
	{ "printf 'allocator\\ttime_ns\\n1\\n' >samples.tsv", "rows do not fit" },
	{ "sed -i 's/\"seed\"/\"interrupted\": true, \"seed\"/' summary.json",
	  "This run was interrupted" },
	{ "sed -i 's/\"verified\": true/\"verified\": false/' summary.json",
	  "invariants did not hold" },
	{ "echo '{\"version\": \"0.1.0\", \"runs\": []}' >summary.json",
	  "holds no run of any allocator" },
	{ "echo '{\"runs\": [{}]}' >summary.json", "written by pagetax ?" },
	{ "sed -i 's/\"verified\": true/\"verified\": false/' summary.json",
	  "No design can be named the winner" },
	{ "sed -i '0,/\"failed_allocs\": 0/! s/\"failed_allocs\": 0/\"failed_allocs\": 9999/' summary.json",
	  "Not judged: twoword, which failed" },
};

START_TEST(what_a_result_lacks_is_said)
{
	char *page;

	shell("cd %s && %s", scratch_path("r"), broken[_i].spoil);
	page = report();
	expect(page, broken[_i].says);
	expect(page, "</html>");
	free(page);
}
END_TEST

static const struct {
	const char *spoil;
	const char *message;
} unreadable[] = {
	{ "rm summary.json", "no result folder" },
	{ "echo '{' >summary.json", "summary.json:" },
	{ "echo '{}' >summary.json", "no runs in it" },
};

START_TEST(what_is_no_result_gets_one_message)
{
	shell("cd %s && %s", scratch_path("r"), unreadable[_i].spoil);
	ck_assert_int_eq(run("pagetax report @"), STATUS_FAILED);
	ck_assert_msg(strstr(msg.text, unreadable[_i].message), "%s", msg.text);
	ck_assert_int_eq(access(scratch_path("r/report.html"), F_OK), -1);
}
END_TEST

START_TEST(one_event_makes_a_report)
{
	char *page;

	ck_assert_msg(run("pagetax replay -q --no-plots --limit 1 -o @ tests/data/fork-sample")
		      == STATUS_DONE, "%s", msg.text);
	page = report();
	expect(page, "costs least here");
	expect(page, "All of this run is one moment");
	ck_assert_uint_eq(occurrences(page, "Not drawn"), 0);
	free(page);
}
END_TEST

/* `linked` has no node pages, `null` no books, one event no time. */
static const char *const little[] = {
	"pagetax replay -q --no-plots --limit 3000 -a linked -o @ tests/data/fork-sample",
	"pagetax replay -q --no-plots --limit 3000 -a null -o @ tests/data/fork-sample",
	"pagetax replay -q --no-plots --limit 1 -a linked -o @ tests/data/fork-sample",
	"pagetax replay -q --no-plots -a linked -o @ @/../one",	/* no owner's objects */
};

/* Not a word of gnuplot's, and each sample of few is marked. */
START_TEST(a_plot_of_little_is_a_plot)
{
	static const char *const names[] = {
		"tax", "metadata", "contiguity", "unusable", "buddyinfo",
		"fragments", "memory", "owners",
	};

	scratch_write_text("one", " sh 1 [000] 1.000001: kmem:mm_page_free: pfn=0x10 order=0\n");
	ck_assert_msg(run(little[_i]) == STATUS_DONE, "%s", msg.text);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		shell("gnuplot -c plots/%s.gp %s/x.svg %s 2>%s/words && ! test -s %s/words",
		      names[i], scratch_path("r"), scratch_path("r"),
		      scratch_path("r"), scratch_path("r"));
		shell("gnuplot -c plots/%s.gp - %s 2>&1 >/dev/null | grep . && exit 1; true",
		      names[i], scratch_path("r"));
	}
}
END_TEST

START_TEST(null_has_its_time_and_no_figures)
{
	char *page;

	ck_assert_msg(run("pagetax replay -q --no-plots --limit 3000 -a linked,null -o @ tests/data/fork-sample")
		      == STATUS_DONE, "%s", msg.text);
	page = report();
	expect(page, "Not judged: null, which keeps no books");
	/* Its one row of figures is that of the short table. */
	ck_assert_uint_eq(occurrences(page, "<tr><td>null</td><td>"), 1);
	expect(page, "<tr><td>null</td><td>-</td><td>-</td><td>-</td><td>0</td>");
	free(page);
}
END_TEST

/* Who keeps no books is nobody's measure. */
START_TEST(null_is_no_base)
{
	char *page;

	ck_assert_msg(run("pagetax replay -q --no-plots --limit 3000 -a null,twoword,packed8 -o @ tests/data/fork-sample")
		      == STATUS_DONE, "%s", msg.text);
	page = report();
	ck_assert_ptr_null(strstr(page, "against null"));
	expect(page, "against twoword");
	free(page);
}
END_TEST

/* Names of any length: these two are 300 letters. */
START_TEST(each_design_has_its_column)
{
	char *page, heading[400];

	shell("cd %s && sed -i \"s/: \\\"linked/: \\\"$(printf '%%0300d' 1)/;s/: \\\"twoword/: \\\"$(printf '%%0300d' 2)/\" summary.json",
	      scratch_path("r"));
	page = report();
	for (int i = 1; i <= 2; i++) {
		snprintf(heading, sizeof(heading), "<th scope=\"col\">%0300d</th>", i);
		expect(page, heading);
	}
	free(page);
}
END_TEST

START_TEST(compaction_is_shown_where_it_was_used)
{
	char *page = report();

	ck_assert_ptr_null(strstr(page, "Compaction:"));
	free(page);
	ck_assert_msg(run("pagetax simulate -q --no-plots --compaction --scale 1/64 -a linked,llfree -o @ checkerboard")
		      == STATUS_DONE, "%s", msg.text);
	page = report();
	expect(page, "Compaction: movable blocks");
	expect(page, "pagetax simulate -a linked,llfree --scale 0.015625 --compaction --allocatee today --seed 1 -o DIR checkerboard\n");
	free(page);
}
END_TEST

START_TEST(metadata_in_lowmem_is_shown_where_memory_is_high)
{
	char *page;

	ck_assert_msg(run("pagetax replay -q --no-plots --limit 3000 -a linked --highmem above:64M -o @ tests/data/fork-sample")
		      == STATUS_DONE, "%s", msg.text);
	shell("cd %s && sed -i '/lowmem_peak_bytes/d;s/\"static_bytes\"/\"lowmem_peak_bytes\": 100663296, &/' summary.json",
	      scratch_path("r"));
	page = report();
	expect(page, "of 64.0 MiB below highmem");
	expect(page, "<td>linked</td><td>96.0 MiB</td><td>150.00</td><td>NO</td>");
	free(page);
}
END_TEST

/* What the page says to type makes the same summary again. */
START_TEST(the_command_shown_does_it_again)
{
	const char *options = "--zones merged --sample 500 --limit 3000 --list-order address --teardown";
	char line[256], *page;

	snprintf(line, sizeof(line), "pagetax replay -q --no-plots -a linked %s -o @ tests/data/fork-sample",
		 options);
	ck_assert_msg(run(line) == STATUS_DONE, "%s", msg.text);
	page = report();
	expect(page, "pagetax replay -a linked --zones merged --sample 500 --limit 3000 --list-order address --teardown --allocatee today --seed 1 -o DIR fork-sample");
	free(page);
}
END_TEST

START_TEST(the_page_says_why_crossings_differ)
{
	char *page = report();

	expect(page, "that the simulation counts and the formula does not");
	free(page);
}
END_TEST

/* Nobody is compared with himself, and nobody wins against nobody. */
START_TEST(one_design_is_not_compared)
{
	char *page;

	ck_assert_msg(run("pagetax replay -q --no-plots --limit 3000 -a twoword -o @ tests/data/fork-sample")
		      == STATUS_DONE, "%s", msg.text);
	page = report();
	expect(page, "1 design, ");
	expect(page, "twoword costs ");
	ck_assert_ptr_null(strstr(page, "costs least here"));
	ck_assert_ptr_null(strstr(page, "The price of"));
	ck_assert_uint_eq(occurrences(page, "Not drawn"), 0);
	free(page);
}
END_TEST

/* No figure of a page is left undone. */
START_TEST(an_empty_result_has_no_numbers)
{
	char *page;

	shell("cd %s && echo '{\"version\": \"0.1.0\", \"runs\": []}' >summary.json",
	      scratch_path("r"));
	page = report();
	expect(page, "0 designs.");
	ck_assert_ptr_null(strstr(page, "nan"));
	ck_assert_ptr_null(strstr(page, "<svg"));
	free(page);
}
END_TEST

START_TEST(several_results_share_a_page)
{
	char *page;

	ck_assert_int_eq(run("pagetax report -q @ @ -o @/both.html"), STATUS_DONE);
	page = page_of(scratch_path("r/both.html"));
	expect(page, "Results side by side");
	expect(page, "id=\"result2\"");
	ck_assert_uint_eq(occurrences(page, "<h2>Break-even"), 1);
	free(page);
}
END_TEST

START_TEST(every_plot_draws_svg_png_and_letters)
{
	static const char *const names[] = {
		"tax", "metadata", "breakeven", "contiguity", "unusable",
		"buddyinfo", "fragments", "memory", "owners",
	};
	static const char *const outputs[] = { "-o @/x.svg", "-o @/x.png", "-o -" };
	char line[128];

	scratch_stdout();
	for (size_t i = 0; i < ARRAY_SIZE(outputs); i++) {
		snprintf(line, sizeof(line), "pagetax plot %s @ %s", names[_i], outputs[i]);
		ck_assert_msg(run(line) == STATUS_DONE, "%s", msg.text);
	}
	shell("head -c 4 %s | grep -q PNG", scratch_path("r/x.png"));
	shell("grep -q '<svg' %s", scratch_path("r/x.svg"));
	fflush(stdout);
	shell("tr -d '\\f' <%s | awk 'length > 80 { exit 1 }'", scratch_path("stdout"));
	shell("grep -q '\\[.*\\]' %s", scratch_path("stdout"));	/* a unit, in a title that fits */
}
END_TEST

/*
 * Of five designs three stand side by side, with little room for numbers:
 *
 *	   + + + ++         + + + ++		marks below two panels
 *	    0.  1 2          0.  1 2		and numbers that ran into each other
 */
START_TEST(letters_below_panels_do_not_run_together)
{
	static const char *const names[] = {
		"unusable", "buddyinfo", "fragments", "memory", "owners",
	};
	char line[128];

	ck_assert_msg(run("pagetax replay -q --no-plots -a linked,twoword,llfree,packed8,hybrid -o @ tests/data/fork-sample")
		      == STATUS_DONE, "%s", msg.text);
	scratch_stdout();
	snprintf(line, sizeof(line), "pagetax plot %s @", names[_i]);
	ck_assert_msg(run(line) == STATUS_DONE, "%s", msg.text);
	fflush(stdout);
	shell("awk '/^[ 0-9.]*[0-9][ 0-9.]*$/ && marks ~ /^ *[+][ +]*$/ { found++; if (gsub(/[+]/, \"\", marks) != NF) exit 1 }"
	      " { marks = $0 } END { if (!found) exit 1 }' %s", scratch_path("stdout"));
	shell("! grep -q ssimulated %s", scratch_path("stdout"));
}
END_TEST

/* The name of a curve stands right of all the numbers below, where no curve is. */
START_TEST(a_long_name_does_not_lie_on_curves)
{
	ck_assert_msg(run("pagetax replay -q --no-plots --limit 3000 -a linked,twoword:removal=punch:relocate=off -o @ tests/data/fork-sample")
		      == STATUS_DONE, "%s", msg.text);
	ck_assert_msg(run("pagetax plot metadata @ -o @/x.svg") == STATUS_DONE, "%s", msg.text);
	shell("awk 'match($0, /translate[(][0-9.]+/) { x = substr($0, RSTART + 10, RLENGTH - 10) + 0 } /> *[0-9.]+</ && x > last { last = x }"
	      " /<text>twoword:/ { name = x } END { exit !(last && name > last) }' %s",
	      scratch_path("r/x.svg"));
}
END_TEST

/* Which letters draw a curve, and stand before its name. */
START_TEST(letters_of_a_curve_are_those_of_its_name)
{
	scratch_stdout();
	ck_assert_msg(run("pagetax plot metadata @") == STATUS_DONE, "%s", msg.text);
	fflush(stdout);
	shell("grep -q '[*][*][*]D[*][*][*]linked' %s && grep -q '###G###twoword' %s",
	      scratch_path("stdout"), scratch_path("stdout"));
}
END_TEST

/* What validate leaves is no run, and has a drawing all the same. */
START_TEST(a_validation_is_drawn)
{
	FILE *table;

	shell("mkdir %s", scratch_path("v"));
	table = fopen(scratch_path("v/validation.tsv"), "w");
	ck_assert_ptr_nonnull(table);
	fputs("time_ns\tlevel\tzone\tflag", table);
	for (unsigned int o = 0; o <= 10; o++)
		fprintf(table, "\trecorded_order%u_blocks\tpredicted_order%u_blocks", o, o);
	for (unsigned int row = 0; row < 3; row++) {
		fprintf(table, "\n%u\tL0\tNormal\tcounts", row);
		for (unsigned int o = 0; o <= 10; o++)
			fprintf(table, "\t%u\t%u", 100000 * o, 100000 * o + 1000 * row);
	}
	fclose(table);
	shell("echo '{}' >%s", scratch_path("v/validation.json"));
	ck_assert_msg(run("pagetax plot validate @/../v -o @/x.svg") == STATUS_DONE,
		      "%s", msg.text);
	shell("grep -q 'predicted, L0' %s", scratch_path("r/x.svg"));
	/* What stands upright at the left: its letters reach 10 pixels to the left of this. */
	shell("! grep -q 'translate(\\(-.*\\|[0-9]\\)\\.[0-9]*,[0-9.]*) rotate(270)' %s", scratch_path("r/x.svg"));
	scratch_stdout();
	ck_assert_msg(run("pagetax plot validate @/../v") == STATUS_DONE, "%s", msg.text);
	fflush(stdout);
	shell("grep -q '[*][*][*][*]L0' %s && grep -q ' time .s. .* time .s. ' %s",
	      scratch_path("stdout"), scratch_path("stdout"));
	ck_assert_int_eq(run("pagetax plot validate @/../v @"), STATUS_FAILED);
	shell("rm -r %s", scratch_path("v"));
}
END_TEST

/* What a second result beside r is called in its plot. */
static const struct { const char *folder, *given, *name; } beside[] = {
	{ "other",     "@/../other",     "linked@other" },
	{ "after all", "@/../after~all", "linked@after_all" },	/* gnuplot cuts at blanks */
	{ "it's",      "@/../it's",      "linked@it_s" },
	{ "new/r",     "@/../new/r",     "linked@.*/../new/r" },	/* r is the first one's */
};

START_TEST(results_stand_beside_each_other_in_a_plot)
{
	char line[128];

	shell("mkdir -p '%s/new'", scratch_folder());
	shell("cp -r %s \"%s/%s\"", scratch_path("r"), scratch_folder(), beside[_i].folder);
	snprintf(line, sizeof(line), "pagetax plot owners %s @ -o @/y.svg", beside[_i].given);
	ck_assert_msg(run(line) == STATUS_DONE, "%s", msg.text);
	snprintf(line, sizeof(line), "pagetax plot tax @ %s -o @/x.svg", beside[_i].given);
	ck_assert_msg(run(line) == STATUS_DONE, "%s", msg.text);
	shell("grep -q \">%s<\" %s", beside[_i].name, scratch_path("r/x.svg"));
	shell("test $(grep -c '>linked@' %s) = 2", scratch_path("r/x.svg"));
	shell("rm -r \"%s/%s\" '%s/new'", scratch_folder(), beside[_i].folder, scratch_folder());
}
END_TEST

static const struct {
	const char *line;
	enum status status;
	const char *message;
} mistakes[] = {
	{ "pagetax plot frob @", STATUS_USAGE, "no plot 'frob'; allowed are tax" },
	{ "pagetax plot tax @ -o x.pdf", STATUS_USAGE, ".svg or .png" },
	{ "pagetax plot tax /nowhere", STATUS_FAILED, "/nowhere" },
	{ "pagetax plot validate @", STATUS_FAILED, "validation.tsv: not there" },
	{ "pagetax report", STATUS_USAGE, "RESULT..." },
	{ "pagetax report @ -o /nowhere/x.html", STATUS_FAILED, "/nowhere/x.html" },
};

START_TEST(a_mistake_gets_one_message)
{
	ck_assert_int_eq(run(mistakes[_i].line), mistakes[_i].status);
	ck_assert_msg(strstr(msg.text, mistakes[_i].message), "%s", msg.text);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("report");
	TCase *tc = tcase_create("report");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, the_page_stands_alone);
	tcase_add_test(tc, ids_differ_from_drawing_to_drawing);
	tcase_add_test(tc, the_break_even_is_of_the_owners_that_the_result_knows);
	tcase_add_test(tc, each_counter_of_a_dirty_trace_is_explained);
	tcase_add_test(tc, the_first_words_say_who_costs_least);
	tcase_add_loop_test(tc, what_a_result_lacks_is_said, 0,
			    (int)ARRAY_SIZE(broken));
	tcase_add_loop_test(tc, what_is_no_result_gets_one_message, 0,
			    (int)ARRAY_SIZE(unreadable));
	tcase_add_loop_test(tc, a_plot_of_little_is_a_plot, 0,
			    (int)ARRAY_SIZE(little));
	tcase_add_test(tc, null_has_its_time_and_no_figures);
	tcase_add_test(tc, null_is_no_base);
	tcase_add_test(tc, each_design_has_its_column);
	tcase_add_test(tc, compaction_is_shown_where_it_was_used);
	tcase_add_test(tc, metadata_in_lowmem_is_shown_where_memory_is_high);
	tcase_add_test(tc, the_command_shown_does_it_again);
	tcase_add_test(tc, the_page_says_why_crossings_differ);
	tcase_add_test(tc, one_event_makes_a_report);
	tcase_add_test(tc, one_design_is_not_compared);
	tcase_add_test(tc, an_empty_result_has_no_numbers);
	tcase_add_test(tc, several_results_share_a_page);
	tcase_add_loop_test(tc, every_plot_draws_svg_png_and_letters, 0, 9);
	tcase_add_loop_test(tc, letters_below_panels_do_not_run_together, 0, 5);
	tcase_add_test(tc, letters_of_a_curve_are_those_of_its_name);
	tcase_add_test(tc, a_long_name_does_not_lie_on_curves);
	tcase_add_test(tc, a_validation_is_drawn);
	tcase_add_loop_test(tc, results_stand_beside_each_other_in_a_plot, 0,
			    (int)ARRAY_SIZE(beside));
	tcase_add_loop_test(tc, a_mistake_gets_one_message, 0,
			    (int)ARRAY_SIZE(mistakes));
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	char line[256];
	int status = EXIT_FAILURE;

	if (!mkdtemp(whole)) {
		perror(whole);
		return EXIT_FAILURE;
	}
	snprintf(line, sizeof(line),
		 "pagetax replay -q --no-plots --limit 30000 -o %s/r tests/data/fork-sample",
		 whole);
	if (run(line) == STATUS_DONE)
		status = run_suite(make_suite());
	else
		fprintf(stderr, "%s\n", msg.text);
	snprintf(line, sizeof(line), "rm -rf %s", whole);
	return system(line) ? EXIT_FAILURE : status;
}
