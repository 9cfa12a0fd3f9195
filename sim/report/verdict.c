/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict.c - who wins on this workload, by how much, and at what price
 *
 * Every sentence follows from numbers of the result; one whose numbers are not
 * there is left out. Not everyone is judged:
 *
 *    no policy     `null` and its like keep no books
 *    no total      a result of an older version
 *    not verified  its figures are those of a broken allocator
 *    refuses       it failed a hundredth more of its requests than the base
 *
 * A design without a descriptor for each page leaves out what a kernel keeps
 * there. So the least of all is named, and the least of those with one.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/registry.h"
#include "sim/report/page.h"

#define REFUSALS 0.01		/* more of its requests than the base may fail */
#define UNSEEN   0.005		/* percentage points that print as 0.00 */

/* ---- ranking ---- */

/* Share of a run's requests that got nothing; NAN: not told. */
static double failed_share(const struct page *p, int run)
{
	double failed = page_value(p, run, RESULT_failed_allocs);
	double served = json_number_at(json_array_get(p->result->runs, (size_t)run),
				       "allocs", NULL);

	return failed == 0 ? 0 : failed / (failed + served);
}

static bool refuses(const struct page *p, int run)
{
	return failed_share(p, run) > failed_share(p, p->base) + REFUSALS;
}

bool page_keeps_books(const struct page *p, int run)
{
	const struct allocator_ops *ops = registry_find(page_name(p, run));

	return !ops || !ops->caps.no_policy;
}

/* Whether its figures say what it costs: then others can be held against them. */
static bool is_sound(const struct page *p, int run)
{
	const json_t *json = json_array_get(p->result->runs, (size_t)run);

	return page_keeps_books(p, run) &&
	       !isnan(page_value(p, run, RESULT_total_peak_bytes)) &&
	       !json_is_false(json_object_get(json, "verified"));
}

static bool is_judged(const struct page *p, int run)
{
	return is_sound(p, run) && !refuses(p, run);
}

static bool has_descriptors(const struct page *p, int run)
{
	const struct allocator_ops *ops = registry_find(page_name(p, run));

	return !ops || ops->desc_bytes;
}

static bool costs_less(const struct page *p, int a, int b)
{
	double x = page_value(p, a, RESULT_total_peak_bytes);
	double y = page_value(p, b, RESULT_total_peak_bytes);

	if (is_judged(p, a) != is_judged(p, b))
		return is_judged(p, a);
	return isnan(y) ? !isnan(x) : x < y;
}

/* Linux, else the first that is sound, else whoever comes first. */
static int find_base(const struct page *p)
{
	int base = -1;

	for (int i = (int)p->result->nr_runs; i--;) {
		if (!is_sound(p, i))
			continue;
		if (!strcmp(page_name(p, i), "linked"))
			return i;
		base = i;
	}
	return base < 0 && p->result->nr_runs ? 0 : base;
}

int page_rank(struct page *p)
{
	unsigned int nr = p->result->nr_runs;

	p->base = find_base(p);
	p->best = p->described = -1;
	p->by_cost = calloc(nr + 1, sizeof(*p->by_cost));
	if (!p->by_cost)
		return -ENOMEM;
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int at = i;

		for (; at && costs_less(p, (int)i, (int)p->by_cost[at - 1]); at--)
			p->by_cost[at] = p->by_cost[at - 1];
		p->by_cost[at] = i;
	}
	for (unsigned int i = nr; i--;) {
		int run = (int)p->by_cost[i];

		if (!is_judged(p, run))
			continue;
		p->best = run;
		if (has_descriptors(p, run))
			p->described = run;
	}
	return 0;
}

/* ---- figures that come from tables ---- */

struct folios {
	double mean_pages;		/* a folio, at the end */
	double share;			/* of memory that folios fill */
};

/* Of file and anonymous memory, as the first allocator saw it. */
static struct folios folios_of(const struct page *p)
{
	struct folios f = { NAN, NAN };
	double blocks = 0, pages = 0;
	struct tsv_table t;
	int class, nr_blocks, nr_pages;

	if (page_table(p, "classes.tsv", &t))
		return f;
	class = tsv_column(&t, "class");
	nr_blocks = tsv_column(&t, "end_blocks");
	nr_pages = tsv_column(&t, "end_pages");
	for (unsigned int row = 0; row < t.nr_rows && class >= 0 &&
	     nr_blocks >= 0 && nr_pages >= 0; row++) {
		const char *name = tsv_cell(&t, row, class);

		if (strcmp(tsv_cell(&t, row, 0), tsv_cell(&t, 0, 0)) ||
		    (strcmp(name, "file") && strcmp(name, "anon")))
			continue;
		blocks += atof(tsv_cell(&t, row, nr_blocks));
		pages += atof(tsv_cell(&t, row, nr_pages));
	}
	tsv_table_free(&t);
	if (blocks > 0)
		f = (struct folios){ pages / blocks,
				     pages * PAGE_SIZE / p->memory_bytes };
	return f;
}

/* Rows of one allocator in samples.tsv: the first, and how many. */
static unsigned int rows_of(const struct tsv_table *t, const char *allocator,
			    unsigned int *first)
{
	unsigned int nr = 0;

	for (unsigned int row = 0; row < t->nr_rows; row++) {
		if (strcmp(tsv_cell(t, row, 0), allocator))
			continue;
		if (!nr++)
			*first = row;
	}
	return nr;
}

/* Largest difference in 2 MiB share at any sample, in percentage points. */
static double contiguity_difference(const struct page *p, int a, int b)
{
	unsigned int first_a = 0, first_b = 0, nr;
	double largest = NAN;
	struct tsv_table t;
	int share;

	if (page_table(p, "samples.tsv", &t))
		return NAN;
	share = tsv_column(&t, "share_2m");
	nr = rows_of(&t, page_name(p, a), &first_a);
	if (share >= 0 && nr && nr == rows_of(&t, page_name(p, b), &first_b)) {
		largest = 0;
		for (unsigned int i = 0; i < nr; i++) {
			double x = atof(tsv_cell(&t, first_a + i, share));
			double y = atof(tsv_cell(&t, first_b + i, share));

			if (fabs(x - y) * 100 > fabs(largest))
				largest = (x - y) * 100;
		}
	}
	tsv_table_free(&t);
	return largest;
}

/* ---- the sentences ---- */

static double percent_less(const struct page *p, int run)
{
	double base = page_value(p, p->base, RESULT_total_peak_bytes);

	return run == p->base ? 0 :
	       100 * (base - page_value(p, run, RESULT_total_peak_bytes)) / base;
}

/* Who comes after the base, when nobody beats it. */
static void write_next(struct page *p)
{
	int next = p->result->nr_runs > 1 ? (int)p->by_cost[1] : -1;

	if (next >= 0 && is_judged(p, next))
		html_paragraph(&p->html, "verdict",
			       "%s is next with %.3f %%: %.1f %% more.",
			       page_name(p, next),
			       page_value(p, next, RESULT_total_percent),
			       -percent_less(p, next));
}

static void write_winner(struct page *p)
{
	double best = page_value(p, p->best, RESULT_total_peak_bytes);
	const char *name = page_name(p, p->best);
	char bytes[32];

	html_paragraph(&p->html, "verdict",
		       p->result->nr_runs > 1 ?
		       "%s costs least here: %.3f %% of memory, %s of metadata at most, %.1f bytes a page." :
		       "%s costs %.3f %% of memory here, %s of metadata at most, %.1f bytes a page.",
		       name, page_value(p, p->best, RESULT_total_percent),
		       bytes_text(best, bytes, sizeof(bytes)),
		       page_value(p, p->best, RESULT_total_bytes_per_page));
	if (p->best == p->base)
		write_next(p);
	else if (percent_less(p, p->best) > 0)
		html_paragraph(&p->html, "verdict",
			       "%s takes %.3f %%, %s: %s costs %.1f %% less.",
			       page_name(p, p->base),
			       page_value(p, p->base, RESULT_total_percent),
			       bytes_text(page_value(p, p->base, RESULT_total_peak_bytes),
					  bytes, sizeof(bytes)),
			       name, percent_less(p, p->best));
}

static void write_owners(struct page *p)
{
	double owners = page_value(p, p->best, RESULT_allocatee_peak_bytes);
	char bytes[32];

	if (owners > 0)
		html_paragraph(&p->html, NULL,
			       "%s of %s's are objects that the owners of pages keep, because no descriptor holds their state.",
			       bytes_text(owners, bytes, sizeof(bytes)),
			       page_name(p, p->best));
}

/* Designs without a word for each page leave out what a kernel keeps there. */
static void write_described(struct page *p)
{
	if (has_descriptors(p, p->best))
		return;
	html_paragraph(&p->html, NULL,
		       "%s has no descriptor for each page: whatever else a kernel must know of a page is not in its figure.",
		       page_name(p, p->best));
	if (p->described >= 0 && p->described != p->base)
		html_paragraph(&p->html, "verdict",
			       "Of the designs with descriptors, %s costs least: %.3f %%, %.1f %% %s than %s.",
			       page_name(p, p->described),
			       page_value(p, p->described, RESULT_total_percent),
			       fabs(percent_less(p, p->described)),
			       percent_less(p, p->described) < 0 ? "more" : "less",
			       page_name(p, p->base));
}

static const char *more_or_less(double difference)
{
	return difference < 0 ? "less" : "more";
}

static void write_contiguity_price(struct page *p, int run)
{
	double worst = contiguity_difference(p, run, p->base);
	double at_end = 100 * (page_value(p, run, RESULT_share_2m) -
			       page_value(p, p->base, RESULT_share_2m));

	if (isnan(worst) || isnan(at_end))
		return;
	if (fabs(worst) < UNSEEN)
		html_textf(&p->html, " as much of free memory in blocks of 2 MiB at every sample;");
	else if (fabs(at_end) < UNSEEN)
		html_textf(&p->html,
			   " as much of free memory in blocks of 2 MiB at the end, but %.2f percentage points %s at some sample;",
			   fabs(worst), more_or_less(worst));
	else
		html_textf(&p->html,
			   " %.2f percentage points %s of free memory in blocks of 2 MiB at the end, and up to %.2f %s before;",
			   fabs(at_end), more_or_less(at_end), fabs(worst),
			   more_or_less(worst));
}

static void write_price(struct page *p, int run)
{
	double maps = page_value(p, run, RESULT_kmap_per_op);
	double failed = page_value(p, run, RESULT_failed_allocs) -
			page_value(p, p->base, RESULT_failed_allocs);
	double sins = page_value(p, run, RESULT_free_path_allocations);
	double ns = page_value(p, run, RESULT_ns_per_op);
	double base_ns = page_value(p, p->base, RESULT_ns_per_op);

	if (run < 0 || run == p->base)
		return;
	fputs("<p>", p->html.out);
	html_textf(&p->html, "The price of %s against %s:", page_name(p, run),
		   page_name(p, p->base));
	write_contiguity_price(p, run);
	if (maps > 0)
		html_textf(&p->html, " %.3f highmem maps an operation;", maps);
	if (!isnan(failed) && failed != 0)
		html_textf(&p->html, " %.0f failed requests %s;", fabs(failed),
			   failed < 0 ? "fewer" : "more");
	if (ns > 0 && base_ns > 0)
		html_textf(&p->html,
			   " %.0f ns of CPU time an operation instead of %.0f in this one run;",
			   ns, base_ns);
	if (sins > 0)
		html_textf(&p->html, " %.0f allocations made while freeing.", sins);
	else
		html_textf(&p->html, sins == 0 ? " nothing allocated while freeing." :
			   " what it allocated while freeing is not told.");
	fputs("</p>\n", p->html.out);
}

/* Where the winner would lose. */
static void write_limits(struct page *p, int run)
{
	const struct breakeven_curve *best =
		breakeven_find(p->report->breakeven, page_name(p, run));
	const struct breakeven_curve *base =
		breakeven_find(p->report->breakeven, page_name(p, p->base));
	struct folios f = folios_of(p);
	char text[24];
	double crossing;

	if (!best || !base || best == base)
		return;
	crossing = breakeven_crossing(best->full, base->full);
	if (isnan(crossing) || isinf(crossing) || crossing <= 1)
		return;
	fputs("<p>", p->html.out);
	html_textf(&p->html,
		   "%s would lose on memory full of small folios: below %s pages a folio %s costs less.",
		   best->name, breakeven_format(crossing, text, sizeof(text)),
		   base->name);
	if (!isnan(f.mean_pages))
		html_textf(&p->html,
			   " Those of this workload have %.2f on average and fill %.1f %% of memory at the end; objects are paid for memory in use, descriptors for all of it.",
			   f.mean_pages, 100 * f.share);
	fputs("</p>\n", p->html.out);
}

/* Who took part and cannot win, and why. */
static void write_not_judged(struct page *p)
{
	const char *before = "<p class=\"faint\">Not judged:";

	for (int run = 0; run < (int)p->result->nr_runs; run++) {
		if (is_judged(p, run))
			continue;
		fputs(before, p->html.out);
		before = ";";
		html_textf(&p->html, " %s", page_name(p, run));
		if (!page_keeps_books(p, run))
			html_textf(&p->html, ", which keeps no books");
		else if (refuses(p, run))
			html_textf(&p->html, ", which failed %.1f %% of the requests",
				   100 * failed_share(p, run));
		else if (isnan(page_value(p, run, RESULT_total_peak_bytes)))
			html_textf(&p->html, ", of which no total is told");
		else
			html_textf(&p->html, ", whose invariants did not hold");
	}
	if (*before == ';')
		fputs(".</p>\n", p->html.out);
}

/* The tax of each design and what it costs otherwise, one short row each. */
static void write_short_table(struct page *p)
{
	char headings[256];

	snprintf(headings, sizeof(headings),
		 "design|tax %%|against %.40s|2 MiB share %%|failed|ns/op",
		 page_name(p, p->base));
	html_table_begin(&p->html, "Tax in percent of memory, and its price", headings);
	for (unsigned int i = 0; i < p->result->nr_runs; i++) {
		int run = (int)p->by_cost[i];
		bool books = page_keeps_books(p, run);

		html_row_begin(&p->html, run == p->best);
		html_cell(&p->html, "%s", page_name(p, run));
		number_cell(p, "%.3f", books ?
			    page_value(p, run, RESULT_total_percent) : NAN);
		number_cell(p, "%+.1f %%", books && run != p->base ?
			    0 - percent_less(p, run) : NAN);
		number_cell(p, "%.2f", books ?
			    100 * page_value(p, run, RESULT_share_2m) : NAN);
		number_cell(p, "%.0f", page_value(p, run, RESULT_failed_allocs));
		number_cell(p, "%.0f", page_value(p, run, RESULT_ns_per_op));
		html_row_end(&p->html);
	}
	html_table_end(&p->html);
}

void page_verdict(struct page *p)
{
	if (p->base < 0)
		return;
	fputs("<div class=\"first\"><div>\n", p->html.out);
	if (p->best >= 0) {
		write_winner(p);
		write_owners(p);
		write_described(p);
		write_price(p, p->best);
		if (p->described != p->best)
			write_price(p, p->described);
		write_limits(p, p->described);
	} else {
		html_paragraph(&p->html, "warn",
			       "No design can be named the winner: none ended verified with a total and served what %s served.",
			       page_name(p, p->base));
	}
	write_not_judged(p);
	fputs("</div>\n", p->html.out);
	write_short_table(p);
	fputs("</div>\n", p->html.out);
}
