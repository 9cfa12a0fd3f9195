/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.c - the page: sections, tables and drawings of results
 *
 *    head        what was run, on what, and what to beware of
 *    verdict     who costs least, by how much, and at what price (verdict.c)
 *    tax         the table behind that, a row for each design
 *    drawings    tax, break-even, fragmentation, memory
 *    owners      classes and processes
 *    price       nodes, map calls, dirty counters
 *    again       command, seed, hashes
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc/registry.h"
#include "sim/demand.h"
#include "sim/replay.h"
#include "sim/report/page.h"
#include "sim/report/plots.h"

/* ---- head ---- */

static void write_head(struct page *p)
{
	const json_t *summary = p->result->summary;
	const json_t *input = json_object_get(summary, "input");
	double seconds = json_number_at(input, "duration_ns", NULL) / 1e9;
	double events = json_number_at(input, "events", NULL);
	double cpus = json_number_at(summary, "machine", "cpus");
	double seed = json_number_at(summary, "seed", NULL);
	char memory[32];

	html_element(&p->html, "h1", json_text_at(input, "name"));
	fputs("<p class=\"faint\">", p->html.out);
	html_textf(&p->html, "pagetax %s", json_text_at(summary, "version"));
	if (!isnan(events) && !isnan(seconds))
		html_textf(&p->html, ", %s: %.0f events over %.1f s of simulated time",
			   json_text_at(summary, "command"), events, seconds);
	html_textf(&p->html, ", %u design%s", p->result->nr_runs,
		   p->result->nr_runs == 1 ? "" : "s");
	if (!isnan(p->memory_bytes))
		html_textf(&p->html, ", a machine of %s",
			   bytes_text(p->memory_bytes, memory, sizeof(memory)));
	if (!isnan(cpus))
		html_textf(&p->html, " and %.0f CPU%s", cpus, cpus == 1 ? "" : "s");
	if (!isnan(seed))
		html_textf(&p->html, ", seed %.0f", seed);
	fputs(".</p>\n", p->html.out);
}

/* What a reader must know before believing the rest. */
static void write_warnings(struct page *p)
{
	const struct result *r = p->result;
	const char *version = json_text_at(r->summary, "version");

	if (strcmp(version, PAGETAX_VERSION))
		html_paragraph(&p->html, "warn",
			       "This result was written by pagetax %s; this is %s. What it does not hold is left out below.",
			       version, PAGETAX_VERSION);
	if (json_is_true(json_object_get(r->summary, "interrupted")))
		html_paragraph(&p->html, "warn",
			       "This run was interrupted: its figures end where it did.");
	if (!r->nr_runs)
		html_paragraph(&p->html, "warn",
			       "This result holds no run of any allocator.");
	if (json_number_at(r->summary, "input", "duration_ns") == 0)
		html_paragraph(&p->html, "warn",
			       "All of this run is one moment: over time there is nothing to see.");
	for (unsigned int i = 0; i < r->nr_runs; i++) {
		const json_t *run = json_array_get(r->runs, i);

		if (json_number_at(run, "ops", NULL) == 0)
			html_paragraph(&p->html, "warn",
				       "%s: no operation was replayed; all figures are those of the start.",
				       result_allocator(r, i));
		if (json_is_false(json_object_get(run, "verified")))
			html_paragraph(&p->html, "warn",
				       "%s: its invariants did not hold at the end; do not trust its figures.",
				       result_allocator(r, i));
		if (isnan(result_value(r, i, RESULT_total_peak_bytes)))
			html_paragraph(&p->html, "warn",
				       "%s: the result does not say what owners of pages keep, so there is no total; replay it again to have one.",
				       result_allocator(r, i));
	}
}

/* ---- the tax, as a table ---- */

static void write_tax_row(struct page *p, unsigned int run)
{
	static const enum result_column columns[] = {
		RESULT_static_bytes, RESULT_dynamic_peak_bytes,
		RESULT_allocatee_peak_bytes, RESULT_caller_peak_bytes,
		RESULT_borrowed_bytes, RESULT_inband_peak_bytes,
	};
	double total = result_value(p->result, run, RESULT_total_peak_bytes);
	double base = page_value(p, p->base, RESULT_total_peak_bytes);
	const json_t *json = json_array_get(p->result->runs, run);

	html_row_begin(&p->html, (int)run == p->best);
	html_cell(&p->html, "%s", result_allocator(p->result, run));
	bytes_cell(p, total);
	number_cell(p, "%.4f", result_value(p->result, run, RESULT_total_percent));
	number_cell(p, "%.2f", result_value(p->result, run,
					    RESULT_total_bytes_per_page));
	number_cell(p, "%+.1f %%", 100 * (total - base) / base);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		bytes_cell(p, result_value(p->result, run, columns[i]));
	html_cell(&p->html, "%s",
		  json_is_true(json_object_get(json, "verified")) ? "yes" : "NO");
	html_row_end(&p->html);
}

/* Linux's own remedy for huge pages, on the design it exists for. */
static void write_hvo_row(struct page *p, unsigned int run)
{
	const json_t *json = json_array_get(p->result->runs, run);
	double saved = json_number_at(json, "hvo_what_if", "saved_peak_bytes");
	double total = result_value(p->result, run, RESULT_total_peak_bytes) - saved;
	double base = page_value(p, p->base, RESULT_total_peak_bytes);

	if (isnan(total))
		return;
	html_row_begin(&p->html, false);
	html_cell(&p->html, "%s with HVO *", result_allocator(p->result, run));
	bytes_cell(p, total);
	number_cell(p, "%.4f", 100 * total / p->memory_bytes);
	number_cell(p, "%.2f", total * PAGE_SIZE / p->memory_bytes);
	number_cell(p, "%+.1f %%", 100 * (total - base) / base);
	for (unsigned int i = 0; i < 7; i++)
		html_cell(&p->html, " ");
	html_row_end(&p->html);
}

static void write_tax_table(struct page *p)
{
	char headings[512];
	bool hvo = false;

	if (p->base < 0)
		return;
	snprintf(headings, sizeof(headings),
		 "design|total|%% of memory|bytes a page|against %.40s|static|while running|owners' objects|kept by callers|borrowed|in free memory|verified",
		 page_name(p, p->base));
	html_table_begin(&p->html,
			 "Metadata, each column at its peak; the least total first and marked. Memory parked in per-CPU lists is free memory and in no column.",
			 headings);
	for (unsigned int i = 0; i < p->result->nr_runs; i++) {
		unsigned int run = p->by_cost[i];

		if (!page_keeps_books(p, (int)run))
			continue;
		write_tax_row(p, run);
		if (json_object_get(json_array_get(p->result->runs, run),
				    "hvo_what_if")) {
			write_hvo_row(p, run);
			hvo = true;
		}
	}
	html_table_end(&p->html);
	if (hvo)
		html_paragraph(&p->html, "faint",
			       "* What if: every live folio of 2 MiB and above gave back seven of the eight pages of its descriptors. It allocates those seven pages when the folio is freed, which no other design here does.");
}

static void words_cell(struct page *p, const char *text)
{
	fputs("<td class=\"words\">", p->html.out);
	html_text(&p->html, text);
	fputs("</td>", p->html.out);
}

/* Names mean nothing to who has not built them. */
static void write_designs(struct page *p)
{
	html_table_begin(&p->html, "What they are", "design|pages are described by");
	for (unsigned int i = 0; i < p->result->nr_runs; i++) {
		const char *name = page_name(p, (int)p->by_cost[i]);
		const struct allocator_ops *ops = registry_find(name);

		html_row_begin(&p->html, false);
		html_cell(&p->html, "%s", name);
		words_cell(p, ops ? ops->summary : "not known to this version");
		html_row_end(&p->html);
	}
	html_table_end(&p->html);
}

/* ---- drawings and break-even ---- */

static void write_drawing(struct page *p, const char *name, const char *folder)
{
	const struct plot *plot = plot_find(name);
	char svg[4096];
	struct msg msg;
	int err;

	snprintf(svg, sizeof(svg), "%s/%s.svg", p->report->scratch, name);
	html_element(&p->html, "h3", plot->title);
	err = plot_draw(plot, svg, folder, &msg);
	if (!err)
		err = html_drawing(&p->html, svg, plot->title, plot->caption, &msg);
	if (err)
		html_paragraph(&p->html, "warn", "Not drawn: %s.", msg.text);
	unlink(svg);
}

/* Against these every other design is held. */
static bool is_rival(const char *name)
{
	static const char *const rivals[] = { "linked", "twoword", "memdesc" };

	for (size_t i = 0; i < ARRAY_SIZE(rivals); i++) {
		if (!strcmp(name, rivals[i]))
			return true;
	}
	return false;
}

static void write_crossing(struct page *p, const struct breakeven_curve *a,
			   const struct breakeven_curve *other)
{
	const double part = BREAKEVEN_PART / 100.0;
	double formula = breakeven_formula(a, other, 1);
	double full = breakeven_crossing(a->full, other->full);
	char text[4][24];

	if (!isfinite(formula) && !isfinite(full))
		return;
	html_row_begin(&p->html, false);
	html_cell(&p->html, "%s under %s", a->name, other->name);
	html_cell(&p->html, "%s", breakeven_format(formula, text[0], 24));
	html_cell(&p->html, "%s", breakeven_format(full, text[1], 24));
	html_cell(&p->html, "%s",
		  breakeven_format(breakeven_formula(a, other, part), text[2], 24));
	html_cell(&p->html, "%s",
		  breakeven_format(breakeven_crossing(a->part, other->part),
				   text[3], 24));
	html_row_end(&p->html);
}

/* Why the simulated sizes are not those of the formula. */
static void write_beyond(struct page *p, const struct breakeven *b)
{
	html_table_begin(&p->html,
			 "Bytes a page that the simulation counts and the formula does not",
			 "design|memory full, 2 pages a folio|memory full, 6 pages|70 % full, 2 pages|70 % full, 6 pages");
	for (unsigned int i = 0; i < b->nr_curves; i++) {
		const struct breakeven_curve *c = &b->curves[i];

		if (isnan(breakeven_beyond(c, BREAKEVEN_AT_2, true)))
			continue;
		html_row_begin(&p->html, false);
		html_cell(&p->html, "%s", c->name);
		number_cell(p, "%.3f", breakeven_beyond(c, BREAKEVEN_AT_2, true));
		number_cell(p, "%.3f", breakeven_beyond(c, BREAKEVEN_AT_6, true));
		number_cell(p, "%.3f", breakeven_beyond(c, BREAKEVEN_AT_2, false));
		number_cell(p, "%.3f", breakeven_beyond(c, BREAKEVEN_AT_6, false));
		html_row_end(&p->html);
	}
	html_table_end(&p->html);
}

static void write_breakeven(struct page *p)
{
	const struct breakeven *b = p->report->breakeven;

	write_drawing(p, "breakeven", p->report->scratch);
	html_table_begin(&p->html,
			 "Mean pages a folio from which the first costs less than the second",
			 "designs|memory full, formula|memory full, simulated|70 % full, formula|70 % full, simulated");
	for (unsigned int j = 0; j < b->nr_curves; j++) {
		for (unsigned int i = 0; i < b->nr_curves; i++) {
			if (i != j && is_rival(b->curves[j].name))
				write_crossing(p, &b->curves[i], &b->curves[j]);
		}
	}
	html_table_end(&p->html);
	write_beyond(p, b);
	html_paragraph(&p->html, "faint",
		       "Simulated on %.0f MiB. What the formula leaves out moves a crossing, by its share of the difference between two designs' descriptors: list heads and other fixed structures, which weigh less on a larger machine; memdesc's own objects, packed closer than in slabs; pages or objects for blocks that are free, of which a scattered 70 %% has many; and links inside free memory.",
		       (double)b->memory_bytes / (1 << 20));
}

/* Share of free memory in blocks of each order and above, at the end. */
static void write_contiguity(struct page *p)
{
	char *headings = NULL;
	size_t len;
	FILE *out = open_memstream(&headings, &len);

	if (!out)
		return;
	fputs("order and above", out);
	for (unsigned int r = 0; r < p->result->nr_runs; r++)
		fprintf(out, "|%s", result_allocator(p->result, r));
	if (!fclose(out))
		html_table_begin(&p->html,
				 "Contiguity at the end: percent of free memory in blocks of at least this order",
				 headings);
	free(headings);
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
		html_row_begin(&p->html, false);
		html_cell(&p->html, "%u", o);
		for (unsigned int r = 0; r < p->result->nr_runs; r++) {
			const json_t *zones =
				json_object_get(json_array_get(p->result->runs, r),
						"buddyinfo");
			double free = 0, above = 0;
			const char *name;
			json_t *orders;

			json_object_foreach((json_t *)(uintptr_t)zones, name, orders) {
				for (unsigned int i = 0; i < NR_PAGE_ORDERS; i++) {
					double pages = json_number_value(
						json_array_get(orders, i)) *
						(double)(1UL << i);

					free += pages;
					above += i >= o ? pages : 0;
				}
			}
			number_cell(p, "%.2f", 100 * above / free);
		}
		html_row_end(&p->html);
	}
	html_table_end(&p->html);
}

/* ---- who pays, and what else it costs ---- */

/* A table's rows of the first allocator, without the column of its name. */
static void write_tsv(struct page *p, const char *file, const char *caption,
		      const char *order_by, unsigned int most)
{
	struct tsv_table t;
	char headings[1024];
	size_t len = 0;
	int key;

	if (page_table(p, file, &t)) {
		html_paragraph(&p->html, "warn", "%s is not in this result.", file);
		return;
	}
	for (unsigned int c = 1; c < t.nr_columns && len < sizeof(headings); c++)
		len += (size_t)snprintf(headings + len, sizeof(headings) - len,
					"%s%s", c > 1 ? "|" : "", t.cells[c]);
	for (char *c = headings; t.nr_columns > 1 && *c; c++)
		*c = *c == '_' ? ' ' : *c;
	if (t.nr_columns > 1 && t.nr_rows) {
		html_table_begin(&p->html, caption, headings);
		key = tsv_column(&t, order_by);
		for (unsigned int shown = 0; shown < most; shown++) {
			int best = -1;

			/* The largest not shown yet; a shown row has lost its name. */
			for (unsigned int row = 0; row < t.nr_rows; row++) {
				if (!*tsv_cell(&t, row, 1) ||
				    strcmp(tsv_cell(&t, row, 0), tsv_cell(&t, 0, 0)))
					continue;
				if (best < 0 || (key >= 0 &&
						 atof(tsv_cell(&t, row, key)) >
						 atof(tsv_cell(&t, (unsigned int)best, key))))
					best = (int)row;
			}
			if (best < 0)
				break;
			html_row_begin(&p->html, false);
			for (unsigned int c = 1; c < t.nr_columns; c++)
				html_cell(&p->html, "%s",
					  tsv_cell(&t, (unsigned int)best, (int)c));
			html_row_end(&p->html);
			t.cells[(size_t)(best + 1) * t.nr_columns + 1] =
				t.text + strlen(t.text);
		}
		html_table_end(&p->html);
	}
	tsv_table_free(&t);
}

static void write_running_costs(struct page *p)
{
	static const enum result_column columns[] = {
		RESULT_nodes_peak, RESULT_nodes_relocated, RESULT_kmap_calls,
		RESULT_kmap_per_op, RESULT_free_path_allocations,
		RESULT_unusable_order9, RESULT_parked_peak_bytes,
	};

	html_table_begin(&p->html, "What it costs while running",
			 "design|node pages, at most|nodes relocated|highmem maps|maps an operation|allocations while freeing|unusable at order 9|parked in per-CPU lists");
	for (unsigned int r = 0; r < p->result->nr_runs; r++) {
		if (!page_keeps_books(p, (int)r))
			continue;
		html_row_begin(&p->html, false);
		html_cell(&p->html, "%s", result_allocator(p->result, r));
		for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
			double value = result_value(p->result, r, columns[i]);

			if (columns[i] == RESULT_parked_peak_bytes)
				bytes_cell(p, value);
			else
				number_cell(p, value == floor(value) ? "%.0f" : "%.3f",
					    value);
		}
		html_row_end(&p->html);
	}
	html_table_end(&p->html);
}

/* Where there is more memory than addresses, these are what runs out first. */
static void write_lowmem(struct page *p)
{
	double border = json_number_at(p->result->summary, "machine", "highmem_pfn");
	double lowmem = border * PAGE_SIZE;
	bool begun = false;
	char caption[128], text[32];

	if (!(lowmem > 0 && lowmem < p->memory_bytes))
		return;
	for (unsigned int r = 0; r < p->result->nr_runs; r++) {
		double used = result_value(p->result, r, RESULT_lowmem_peak_bytes);

		if (isnan(used) || !page_keeps_books(p, (int)r))
			continue;
		snprintf(caption, sizeof(caption),
			 "Metadata that needs an address, of %s below highmem, without owners' objects",
			 bytes_text(lowmem, text, sizeof(text)));
		if (!begun)
			html_table_begin(&p->html, caption,
					 "design|at most|% of lowmem|fits");
		begun = true;
		html_row_begin(&p->html, false);
		html_cell(&p->html, "%s", result_allocator(p->result, r));
		bytes_cell(p, used);
		number_cell(p, "%.2f", 100 * used / lowmem);
		html_cell(&p->html, "%s", used <= lowmem ? "yes" : "NO");
		html_row_end(&p->html);
	}
	if (begun)
		html_table_end(&p->html);
}

/* Of runs whose free memory was moved together when it was needed. */
static void write_compaction(struct page *p)
{
	static const char *const keys[] = {
		"asked", "served", "runs", "deferred", "unsuitable",
		"pages_scanned", "pages_moved",
	};
	bool begun = false;

	for (unsigned int r = 0; r < p->result->nr_runs; r++) {
		const json_t *run = json_array_get(p->result->runs, r);
		const json_t *compaction = json_object_get(run, "compaction");

		if (!compaction)
			continue;
		if (!begun)
			html_table_begin(&p->html,
					 "Compaction: movable blocks are moved together when a request of order 4 or more gets nothing; a design that cannot take a free block where it lies is not compacted",
					 "design|requests|served after it|zones scanned|zones deferred|zones unsuitable|pages scanned|pages moved");
		begun = true;
		html_row_begin(&p->html, false);
		html_cell(&p->html, "%s", result_allocator(p->result, r));
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			bool tried = !i ||
				!json_number_at(compaction, "refused", NULL);

			number_cell(p, "%.0f", tried ?
				    json_number_at(compaction, keys[i], NULL) : NAN);
		}
		html_row_end(&p->html);
	}
	if (begun)
		html_table_end(&p->html);
}

static const char *dirty_help(const char *name)
{
	for (unsigned int i = 0; i < NR_DEMAND_DIRTY; i++) {
		if (!strcmp(name, demand_dirty_names[i]))
			return demand_dirty_help[i];
	}
#define RETURN_HELP(id, what) if (!strcmp(name, #id)) return what;
	REPLAY_DIRTY(RETURN_HELP)
#undef RETURN_HELP
	return "not known to this version";
}

static void write_dirty(struct page *p)
{
	const json_t *dirty = json_object_get(json_array_get(p->result->runs, 0),
					      "dirty");
	unsigned int clean = 0;
	const char *name;
	json_t *count;

	if (!dirty)
		return;
	html_table_begin(&p->html,
			 "What was odd in the trace, as the first design met it",
			 "counter|times|what it is, and what is done about it");
	json_object_foreach((json_t *)(uintptr_t)dirty, name, count) {
		if (json_number_value(count) == 0) {
			clean++;
			continue;
		}
		html_row_begin(&p->html, false);
		html_cell(&p->html, "%s", name);
		html_cell(&p->html, "%.0f", json_number_value(count));
		words_cell(p, dirty_help(name));
		html_row_end(&p->html);
	}
	html_table_end(&p->html);
	html_paragraph(&p->html, "faint", "%u other counters are 0.", clean);
}

static void write_again(struct page *p)
{
	const json_t *summary = p->result->summary;
	const json_t *input = json_object_get(summary, "input");
	const json_t *arguments = json_object_get(summary, "arguments");
	const char *name;
	json_t *value;

	fputs("<pre>", p->html.out);
	html_textf(&p->html, "pagetax %s -a ", json_text_at(summary, "command"));
	for (unsigned int r = 0; r < p->result->nr_runs; r++)
		html_textf(&p->html, "%s%s", r ? "," : "",
			   result_allocator(p->result, r));
	json_object_foreach((json_t *)(uintptr_t)arguments, name, value) {
		html_textf(&p->html, " --%s", name);
		if (json_is_string(value))
			html_textf(&p->html, " %s", json_string_value(value));
	}
	html_textf(&p->html, " --seed %.0f -o DIR %s\n\n",
		   json_number_at(summary, "seed", NULL),
		   json_text_at(input, "name"));
	html_textf(&p->html, "sha256 of the input  %s\npagetax              %s\n",
		   json_text_at(input, "sha256"), json_text_at(summary, "version"));
	fputs("</pre>\n", p->html.out);
}

/* All of them, as a later version may have other defaults. */
static void write_options(struct page *p)
{
	html_table_begin(&p->html, "Options of each design, defaults included",
			 "design|options");
	for (unsigned int r = 0; r < p->result->nr_runs; r++) {
		const json_t *options = json_object_get(json_array_get(p->result->runs, r),
							"options");
		const char *name;
		json_t *value;

		html_row_begin(&p->html, false);
		html_cell(&p->html, "%s", result_allocator(p->result, r));
		fputs("<td class=\"words\">", p->html.out);
		json_object_foreach((json_t *)(uintptr_t)options, name, value) {
			html_textf(&p->html, "%s=", name);
			if (json_is_string(value))
				html_textf(&p->html, "%s ", json_string_value(value));
			else
				html_textf(&p->html, "%.0f ", json_number_value(value));
		}
		fputs("</td>", p->html.out);
		html_row_end(&p->html);
	}
	html_table_end(&p->html);
}

/* ---- the page ---- */

static void write_sections(struct page *p)
{
	const char *folder = p->result->path;

	html_element(&p->html, "h2", "The tax");
	write_tax_table(p);
	write_designs(p);
	write_drawing(p, "tax", folder);
	write_drawing(p, "metadata", folder);
	html_element(&p->html, "h2", "Contiguity");
	write_drawing(p, "contiguity", folder);
	write_drawing(p, "unusable", folder);
	write_contiguity(p);
	write_drawing(p, "buddyinfo", folder);
	write_drawing(p, "fragments", folder);
	write_drawing(p, "memory", folder);
	html_element(&p->html, "h2", "Who pays");
	write_drawing(p, "owners", folder);
	write_tsv(p, "classes.tsv",
		  "By class of owner, as the first design served them: bytes of one owner's object, the same with its share of a full slab page, and blocks, pages and bytes of all their objects (in whole slab pages) at the start, at most and at the end",
		  "peak_bytes", 64);
	write_tsv(p, "processes.tsv",
		  "By process, as the first design served them: allocations, pages of those, pages live at most and at the end, bytes of its owners' objects at most; at most 20 processes, the largest first",
		  "pages_allocated", 20);
	html_element(&p->html, "h2", "The running cost");
	write_running_costs(p);
	write_lowmem(p);
	write_compaction(p);
	html_element(&p->html, "h2", "The trace");
	write_dirty(p);
	html_element(&p->html, "h2", "To do it again");
	write_again(p);
	write_options(p);
}

static int write_result(struct html *html, const struct report *report,
			unsigned int i, struct msg *msg)
{
	struct page p = {
		.html = *html,
		.report = report,
		.result = &report->results[i],
	};

	p.memory_bytes = json_number_at(p.result->summary, "machine",
					"memory_bytes");
	if (page_rank(&p))
		return msg_set(msg, ENOMEM, "no memory for the report");
	fprintf(html->out, "<section id=\"result%u\">\n", i + 1);
	write_head(&p);
	write_warnings(&p);
	page_verdict(&p);
	if (p.result->nr_runs)
		write_sections(&p);
	fputs("</section>\n", html->out);
	free(p.by_cost);
	*html = p.html;
	if (i + 1 == report->nr_results && p.result->nr_runs &&
	    report->breakeven->nr_curves) {
		html_element(html, "h2", "Break-even");
		p.html = *html;
		write_breakeven(&p);
		*html = p.html;
	}
	return 0;
}

/* All runs of all results beside each other. */
static void write_overview(struct html *html, const struct report *report)
{
	html_element(html, "h1", "Results side by side");
	html_table_begin(html, "Totals, each column at its peak",
			 "result|design|total|% of memory|2 MiB share %|failed");
	for (unsigned int i = 0; i < report->nr_results; i++) {
		struct page p = { .html = *html, .result = &report->results[i] };

		for (unsigned int r = 0; r < p.result->nr_runs; r++) {
			html_row_begin(html, false);
			fprintf(html->out, "<td><a href=\"#result%u\">", i + 1);
			html_text(html, p.result->path);
			fputs("</a></td>", html->out);
			html_cell(html, "%s", result_allocator(p.result, r));
			bytes_cell(&p, result_value(p.result, r, RESULT_total_peak_bytes));
			number_cell(&p, "%.4f", result_value(p.result, r, RESULT_total_percent));
			number_cell(&p, "%.2f", 100 * result_value(p.result, r, RESULT_share_2m));
			number_cell(&p, "%.0f", result_value(p.result, r, RESULT_failed_allocs));
			html_row_end(html);
		}
	}
	html_table_end(html);
}

int report_write(FILE *out, const struct report *report, struct msg *msg)
{
	struct html html;
	int err = 0;

	html_begin(&html, out, "pagetax: what page allocators cost");
	if (report->nr_results > 1)
		write_overview(&html, report);
	for (unsigned int i = 0; i < report->nr_results && !err; i++)
		err = write_result(&html, report, i, msg);
	html_end(&html);
	return err;
}
