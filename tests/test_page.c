/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_page.c - each number of the page follows from the result's
 *
 * Results are made by hand, of a machine of 1 GiB, and what the page says of them
 * was worked out by hand. Nothing is drawn.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <check.h>

#include "sim/breakeven.h"
#include "sim/report/report.h"
#include "sim/report/result.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

#define MIB (1 << 20)

/* One run; what is not given is 0. */
struct given {
	const char *allocator;
	unsigned int total_mib;		/* 0: not told */
	unsigned int owners_mib;
	unsigned int allocs, failed;
	unsigned int share_2m;		/* percent, at the end */
	unsigned int earlier_2m;	/* the same at the sample before */
	unsigned int ns;
	unsigned int maps;		/* of 1000 operations */
	unsigned int sins;		/* allocations while freeing */
	bool unsound;
};

static void write_run(FILE *out, const struct given *g)
{
	fprintf(out, "{\"allocator\": \"%s\", \"ops\": 1000, \"allocs\": %u, \"failed_allocs\": %u,"
		"\"verified\": %s, \"free_path_allocations\": %u,"
		"\"metadata\": {\"allocatee_peak_bytes\": %u, \"static_bytes\": %u, \"lowmem_peak_bytes\": %u",
		g->allocator, g->allocs, g->failed, g->unsound ? "false" : "true", g->sins,
		g->owners_mib * MIB, (g->total_mib - g->owners_mib) * MIB,
		(g->total_mib - g->owners_mib) * MIB);
	if (g->total_mib)
		fprintf(out, ", \"total_peak_bytes\": %u, \"total_percent\": %.9f, \"total_bytes_per_page\": %u",
			g->total_mib * MIB, g->total_mib / 10.24, g->total_mib * 4);
	fprintf(out, "}, \"kmap\": {\"calls\": %u, \"per_op\": %.3f},"
		"\"contiguity\": {\"share_2m\": %.2f},"
		"\"buddyinfo\": {\"DMA\": [4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],"
		" \"Normal\": [0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0.0625]}",
		g->maps, g->maps / 1000., g->share_2m / 100.);
	if (!strcmp(g->allocator, "linked"))
		fprintf(out, ", \"hvo_what_if\": {\"saved_peak_bytes\": %u}", 7 * MIB);
	fprintf(out, "}");
}

static void write_file(const char *name, void (*write)(FILE *, const struct given *),
		       const struct given *runs, const char *begin, const char *between,
		       const char *end)
{
	FILE *out = fopen(scratch_path(name), "w");

	ck_assert_ptr_nonnull(out);
	fputs(begin, out);
	for (const struct given *g = runs; g->allocator; g++) {
		fputs(g == runs ? "" : between, out);
		write(out, g);
	}
	fputs(end, out);
	ck_assert_int_eq(fclose(out), 0);
}

static void write_time(FILE *out, const struct given *g)
{
	fprintf(out, "{\"allocator\": \"%s\", \"ns_per_op\": %u}", g->allocator, g->ns);
}

static void write_samples(FILE *out, const struct given *g)
{
	fprintf(out, "%s\t1\t%.2f\n%s\t2\t%.2f\n", g->allocator, g->earlier_2m / 100.,
		g->allocator, g->share_2m / 100.);
}

/* Of anonymous and file memory, 40 MiB in blocks of 1.25 pages; what else lives is none. */
static void write_classes(FILE *out, const struct given *g)
{
	fprintf(out, "%s\tfile\t8000\t10000\t90\n%s\tanon\t192\t240\t80\n%s\tslab\t77\t999\t100\n",
		g->allocator, g->allocator, g->allocator);
}

static struct breakeven_curve curves[] = {
	{ .name = (char []){ "linked" }, .formula_known = true, .desc_bytes = 64 },
	{ .name = (char []){ "twoword" }, .formula_known = true, .desc_bytes = 16,
	  .block_bytes = 96 },
};

/* The page about these runs, up to one without a name; the caller frees it. */
static char *page_of(const struct given *runs)
{
	struct breakeven b = { .memory_bytes = 256 * MIB, .curves = curves,
			       .nr_curves = ARRAY_SIZE(curves) };
	struct result r;
	struct report report = { .results = &r, .nr_results = 1, .breakeven = &b,
				 .scratch = scratch_folder() };
	struct msg msg = { "" };
	char *page = NULL;
	size_t len;
	FILE *out = open_memstream(&page, &len);

	for (unsigned int c = 0; c < b.nr_curves; c++)
		for (unsigned int i = 0; i < BREAKEVEN_POINTS; i++)
			curves[c].full[i] = curves[c].part[i] = curves[c].desc_bytes +
				curves[c].block_bytes / breakeven_sizes[i];
	ck_assert_int_eq(mkdir(scratch_path("r"), 0777), 0);
	write_file("r/summary.json", write_run, runs,
		   "{\"version\": \"0\", \"command\": \"replay\", \"seed\": 5,"
		   "\"input\": {\"name\": \"made\", \"events\": 1234, \"duration_ns\": 2500000000},"
		   "\"machine\": {\"memory_bytes\": 1073741824, \"cpus\": 2, \"highmem_pfn\": 65536},"
		   "\"runs\": [", ", ", "]}\n");
	write_file("r/timing.json", write_time, runs, "{\"runs\": [", ", ", "]}\n");
	write_file("r/samples.tsv", write_samples, runs, "allocator\ttime_ns\tshare_2m\n", "", "");
	write_file("r/classes.tsv", write_classes, runs,
		   "allocator\tclass\tend_blocks\tend_pages\tpeak_bytes\n", "", "");
	ck_assert_msg(!result_load(&r, scratch_path("r"), &msg), "%s", msg.text);
	ck_assert_msg(!report_write(out, &report, &msg), "%s", msg.text);
	fclose(out);
	result_free(&r);
	return page;
}

static void setup(void)
{
	scratch_setup();
	setenv("PAGETAX_PLOTS", "/nonexistent", 1);	/* no gnuplot */
}

#define LINKED  { "linked", 16, 0, 1000, 0, 40, 40, 25, 0, 0, false }
#define TWOWORD { "twoword", 12, 8, 1000, 3, 50, 20, 20, 125, 0, false }
#define HYBRID  { "hybrid", 2, 1, 1000, 0, 40, 40, 30, 0, 7, false }

/* Runs, and what the page must say and must not, divided by |. */
static const struct {
	struct given runs[5];
	const char *says, *silent;
} verdicts[] = {
	/* The least, against linked; what is not its own; and its price. */
	{ { LINKED, TWOWORD },
	  "twoword costs least here: 1.172 % of memory, 12.0 MiB of metadata at most, 48.0 bytes a page."
	  "|linked takes 1.562 %, 16.0 MiB: twoword costs 25.0 % less."
	  "|8.0 MiB of twoword's are objects that the owners"
	  "|<p>The price of twoword against linked: 10.00 percentage points more of free memory in blocks of 2 MiB at the end, and up to 20.00 less before; 0.125 highmem maps an operation; 3 failed requests more; 20 ns of CPU time an operation instead of 25 in this one run; nothing allocated while freeing.</p>"
	  "|below 2.00 pages a folio linked costs less."
	  " Those of this workload have 1.25 on average and fill 3.9 % of memory at the end;"
	  "|<tr class=\"marked\"><td>twoword</td><td>1.172</td><td>-25.0 %</td><td>50.00</td><td>3</td><td>20</td></tr>\n"
	  "<tr><td>linked</td><td>1.562</td><td>-</td><td>40.00</td><td>0</td><td>25</td></tr>",
	  "is next|has no descriptor|Not judged" },
	/* Linked itself is the least: who is next costs a half more. */
	{ { { "twoword", 24, 0, 1000, 0, 40, 40, 20, 0, 2, false }, LINKED },
	  "linked costs least here: 1.562 % of memory"
	  "|twoword is next with 2.344 %: 50.0 % more."
	  "|<tr><td>twoword</td><td>2.344</td><td>+50.0 %</td>",
	  "takes|The price of|owners of pages keep, because|would lose" },
	/* The second of three is next. */
	{ { { "memdesc", 32, 0, 1000, 0, 40, 40, 20, 0, 2, false },
	    { "twoword", 24, 0, 1000, 0, 40, 40, 20, 0, 2, false }, LINKED },
	  "twoword is next with 2.344 %: 50.0 % more.", "memdesc is next" },
	/* One without descriptors, and the least of the others. */
	{ { LINKED, HYBRID, TWOWORD },
	  "hybrid costs least here: 0.195 % of memory"
	  "|hybrid has no descriptor for each page"
	  "|Of the designs with descriptors, twoword costs least: 1.172 %, 25.0 % less than linked."
	  "|The price of hybrid against linked: as much of free memory in blocks of 2 MiB at every sample; 30 ns of CPU time an operation instead of 25 in this one run; 7 allocations made while freeing."
	  "|The price of twoword against linked:|below 2.00 pages a folio",
	  "Not judged" },
	/* At the end the same, but less in between; fewer requests failed. */
	{ { { "linked", 16, 0, 1000, 5, 40, 40, 25, 0, 0, false },
	    { "twoword", 12, 0, 1000, 3, 40, 35, 0, 0, 0, false } },
	  "The price of twoword against linked: as much of free memory in blocks of 2 MiB at the end, but 5.00 percentage points less at some sample; 2 failed requests fewer; nothing allocated while freeing.",
	  "owners of pages keep, because|highmem maps an operation;" },
	/* A hundredth more of its requests may fail, and no more: 10 of 1000. */
	{ { { "linked", 16, 0, 1000, 0, 40, 40, 25, 0, 0, false },
	    { "twoword", 12, 0, 990, 10, 40, 40, 20, 0, 0, false } },
	  "twoword costs least here", "Not judged" },
	{ { { "linked", 16, 0, 1000, 0, 40, 40, 25, 0, 0, false },
	    { "twoword", 12, 0, 989, 11, 40, 40, 20, 0, 0, false } },
	  "linked costs least here|Not judged: twoword, which failed 1.1 % of the requests.",
	  "is next" },
	/* Who failed as much as linked is judged. */
	{ { { "linked", 16, 0, 500, 500, 40, 40, 25, 0, 0, false },
	    { "twoword", 12, 0, 495, 505, 40, 40, 20, 0, 0, false } },
	  "twoword costs least here", "Not judged" },
	/* Not sound, no books, no total: neither base nor winner. */
	{ { { "linked", 16, 0, 1000, 0, 40, 40, 25, 0, 0, true }, { .allocator = "null" },
	    { "memdesc", 0, 0, 1000, 0, 40, 40, 25, 0, 0, false }, TWOWORD },
	  "twoword costs least here"
	  "|Not judged: linked, whose invariants did not hold; null, which keeps no books; memdesc, of which no total is told."
	  "|<th scope=\"col\">against twoword</th>",
	  "is next|The price of" },
	{ { { "linked", 16, 0, 1000, 0, 40, 40, 25, 0, 0, true } },
	  "No design can be named the winner: none ended verified with a total and served what linked served.",
	  "costs least" },
	/* Linked is the base wherever it stands; without it the first that is sound. */
	{ { { "memdesc", 20, 0, 1000, 0, 40, 40, 25, 0, 0, true },
	    { "packed8", 20, 0, 1000, 0, 40, 40, 25, 0, 0, false }, TWOWORD },
	  "packed8 takes 1.953 %, 20.0 MiB: twoword costs 40.0 % less.", "is next" },
	{ { TWOWORD }, "twoword costs 1.172 % of memory here, 12.0 MiB of metadata at most", "least" },
};

static void expect(const char *page, const char *parts, bool there)
{
	char text[4096], *rest = text, *part;

	snprintf(text, sizeof(text), "%s", parts);
	while ((part = strsep(&rest, "|")))
		ck_assert_msg(!strstr(page, part) == !there, "%s '%s' in %s",
			      there ? "no" : "there is", part, strstr(page, "<body>"));
}

START_TEST(the_first_words_follow_from_the_numbers)
{
	char *page = page_of(verdicts[_i].runs);
	char *tables = strstr(page, "<h2>The tax</h2>");

	*tables = '\0';
	expect(page, verdicts[_i].says, true);
	expect(page, verdicts[_i].silent, false);
	free(page);
}
END_TEST

START_TEST(the_tables_follow_from_the_numbers)
{
	static const struct given runs[] = { LINKED, TWOWORD, { .allocator = "null" }, { .allocator = NULL } };
	char *page = page_of(runs);

	expect(page,
	       "replay: 1234 events over 2.5 s of simulated time, 3 designs, a machine of 1.0 GiB and 2 CPUs, seed 5."
	       /* total, percent, a page, to linked; static, running, owners', ... */
	       "|<td>twoword</td><td>12.0 MiB</td><td>1.1719</td><td>48.00</td><td>-25.0 %</td><td>4.0 MiB</td><td>-</td><td>8.0 MiB</td><td>-</td><td>-</td><td>-</td><td>yes</td>"
	       "|<td>linked with HVO *</td><td>9.0 MiB</td><td>0.8789</td><td>36.00</td><td>-43.8 %</td>"
	       /* 4 + 4 + 64 free pages, in two zones */
	       "|<td>0</td><td>100.00</td><td>100.00</td><td>100.00</td>"
	       "|<td>1</td><td>94.44</td><td>94.44</td><td>94.44</td>"
	       "|<td>2</td><td>88.89</td><td>88.89</td><td>88.89</td>"
	       "|<td>10</td><td>88.89</td><td>88.89</td><td>88.89</td>"
	       /* the largest first; of the first design alone */
	       "|<tr><td>slab</td><td>77</td><td>999</td><td>100</td></tr>\n"
	       "<tr><td>file</td><td>8000</td><td>10000</td><td>90</td></tr>\n"
	       "<tr><td>anon</td><td>192</td><td>240</td><td>80</td></tr>\n</tbody>"
	       "|processes.tsv is not in this result."
	       "|<td>twoword</td><td>-</td><td>-</td><td>125</td><td>0.125</td><td>0</td><td>-</td><td>-</td>"
	       /* of 256 MiB below highmem */
	       "|<td>linked</td><td>16.0 MiB</td><td>6.25</td><td>yes</td></tr>\n"
	       "<tr><td>twoword</td><td>4.0 MiB</td><td>1.56</td><td>yes</td></tr>\n</tbody>"
	       "|<td>twoword under linked</td><td>2.00</td><td>2.00</td><td>1.40</td><td>2.00</td>"
	       "|<td>twoword</td><td>0.000</td><td>0.000</td><td>14.400</td><td>4.800</td>"
	       "|Simulated on 256 MiB.", true);
	expect(page, "<td>null</td><td>0|<td>linked under twoword</td>", false);
	free(page);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("page");
	TCase *tc = tcase_create("page");

	tcase_add_checked_fixture(tc, setup, scratch_teardown);
	tcase_add_loop_test(tc, the_first_words_follow_from_the_numbers, 0,
			    (int)ARRAY_SIZE(verdicts));
	tcase_add_test(tc, the_tables_follow_from_the_numbers);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
