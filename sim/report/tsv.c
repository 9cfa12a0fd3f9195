/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tsv.c - samples.tsv, buddyinfo.tsv and tax.tsv */
#include <inttypes.h>

#include "sim/metrics/fragmentation.h"
#include "sim/report/tsv.h"

/* x(name, printf's format, value, what it is): one number of a sample */
#define SAMPLE_COLUMNS(x)                                                            \
	x(time_ns,         PRIu64, s->time_ns,         "simulated time since the first event") \
	x(ops,             PRIu64, s->ops,             "operations done so far")          \
	x(allocated_pages, PRIu64, s->allocated_pages, "pages in callers' hands")         \
	x(free_pages,      PRIu64, free_area_pages(nr_free), "pages on free lists")       \
	x(failed_allocs,   PRIu64, s->failed_allocs,   "requests that got nothing, so far") \
	x(share_2m,        ".6f",  free_share_2m(nr_free), "share of free pages in blocks of 2 MiB and above") \
	x(largest_order,   "d",    largest_free_order(nr_free), "largest order with a free block, -1: none") \
	x(nodes,           PRIu64, s->nodes,           "pages that carry free lists")     \
	x(kmap_calls,      PRIu64, s->kmap_calls,      "highmem pages mapped so far")

static void write_heading(FILE *out, const struct experiment *e, const char *what)
{
	fprintf(out, "# pagetax %s: %s\n", PAGETAX_VERSION, what);
	fprintf(out, "# command %s, input %s, sha256 %s, seed %" PRIu64 "\n",
		e->command, e->input_name, e->input_sha256, e->options->seed);
	fprintf(out, "# allocators");
	for (unsigned int i = 0; i < e->nr_runs; i++)
		fprintf(out, " %s", e->runs[i].spec);
	fprintf(out, "\n");
}

static void write_order_names(FILE *out)
{
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		fprintf(out, "\tfree_order%u_blocks", o);
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		fprintf(out, "\tunusable_order%u_permille", o);
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		fprintf(out, "\textfrag_order%u_permille", o);
}

static void write_orders(FILE *out, const unsigned long nr_free[NR_PAGE_ORDERS])
{
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		fprintf(out, "\t%lu", nr_free[o]);
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		fprintf(out, "\t%u", unusable_free_index(nr_free, o));
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		fprintf(out, "\t%d", extfrag_index(nr_free, o));
}

static void write_sample(FILE *out, const struct replay_run *run,
			 const struct sample *s, unsigned int nr_zones)
{
	unsigned long nr_free[NR_PAGE_ORDERS];

	sample_sum_zones(s, nr_zones, nr_free);
	fprintf(out, "%s", run->spec);
#define PRINT_COLUMN(name, format, value, what) fprintf(out, "\t%" format, value);
	SAMPLE_COLUMNS(PRINT_COLUMN)
#undef PRINT_COLUMN
	for (unsigned int c = 0; c < NR_META_COLUMNS; c++)
		fprintf(out, "\t%" PRIu64, s->meta_bytes[c]);
	write_orders(out, nr_free);
	fprintf(out, "\n");
}

void tsv_write_samples(FILE *out, const struct experiment *e)
{
	write_heading(out, e, "the whole machine, one row for each sample and allocator");
	fprintf(out, "allocator");
#define PRINT_NAME(name, format, value, what) fprintf(out, "\t" #name);
	SAMPLE_COLUMNS(PRINT_NAME)
#undef PRINT_NAME
	for (unsigned int c = 0; c < NR_META_COLUMNS; c++)
		fprintf(out, "\tmeta_%s_bytes", meta_column_names[c]);
	write_order_names(out);
	fprintf(out, "\n");
	for (unsigned int r = 0; r < e->nr_runs; r++) {
		const struct sample_series *series = &e->runs[r].series;

		for (size_t i = 0; i < series->nr; i++)
			write_sample(out, &e->runs[r], &series->samples[i],
				     e->layout->nr_zones);
	}
}

void tsv_write_buddyinfo(FILE *out, const struct experiment *e)
{
	write_heading(out, e, "zone by zone, one row for each sample, allocator and zone");
	fprintf(out, "allocator\ttime_ns\tzone");
	write_order_names(out);
	fprintf(out, "\n");
	for (unsigned int r = 0; r < e->nr_runs; r++) {
		const struct replay_run *run = &e->runs[r];

		for (size_t i = 0; i < run->series.nr; i++) {
			const struct sample *s = &run->series.samples[i];

			for (unsigned int z = 0; z < e->layout->nr_zones; z++) {
				fprintf(out, "%s\t%" PRIu64 "\t%s", run->spec,
					s->time_ns, e->layout->zones[z].name);
				write_orders(out, s->nr_free[z]);
				fprintf(out, "\n");
			}
		}
	}
}

void tsv_write_tax(FILE *out, const struct experiment *e)
{
	uint64_t memory = (uint64_t)layout_present(e->layout) << PAGE_SHIFT;

	write_heading(out, e, "the memory tax, one row for each allocator");
	fprintf(out, "allocator\tmemory_bytes");
	for (unsigned int c = 0; c < NR_META_COLUMNS; c++)
		fprintf(out, "\t%s_peak_bytes", meta_column_names[c]);
	fprintf(out, "\n");
	for (unsigned int r = 0; r < e->nr_runs; r++) {
		const struct replay_run *run = &e->runs[r];

		fprintf(out, "%s\t%" PRIu64, run->spec, memory);
		for (unsigned int c = 0; c < NR_META_COLUMNS; c++)
			fprintf(out, "\t%" PRIu64, run->meta_end.peak[c]);
		fprintf(out, "\n");
	}
}

static void list_meta_columns(const char *before, const char *after)
{
	for (unsigned int c = 0; c < NR_META_COLUMNS; c++) {
		char name[64];

		snprintf(name, sizeof(name), "%s%s%s_bytes", before,
			 meta_column_names[c], after);
		printf("  %-26s %s\n", name, meta_column_help[c]);
	}
}

void tsv_list_columns(void)
{
	printf("samples.tsv, one row for each sample and allocator:\n");
	printf("  %-26s %s\n", "allocator", "as given to -a");
#define LIST_COLUMN(name, format, value, what) printf("  %-26s %s\n", #name, what);
	SAMPLE_COLUMNS(LIST_COLUMN)
#undef LIST_COLUMN
	list_meta_columns("meta_", "");
	printf("  %-26s %s\n", "free_orderK_blocks", "free blocks of order K");
	printf("  %-26s %s\n", "unusable_orderK_permille",
	       "free memory that cannot serve order K, in thousandths");
	printf("  %-26s %s\n", "extfrag_orderK_permille",
	       "the kernel's external fragmentation index; -1000: order K would succeed");
	printf("buddyinfo.tsv, one row for each sample, allocator and zone:\n");
	printf("  %-26s %s\n", "allocator, time_ns, zone", "");
	printf("  and the three columns for each order K as above, of that zone\n");
	printf("tax.tsv, one row for each allocator, at most at any time:\n");
	printf("  %-26s %s\n", "memory_bytes", "of the machine");
	list_meta_columns("", "_peak");
}
