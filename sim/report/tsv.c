/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tsv.c - the tables of a result folder */
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

/* A name from outside, in which a tab or the end of a line would be another cell. */
static void write_name(FILE *out, const char *name)
{
	for (; *name; name++)
		fputc((unsigned char)*name < ' ' ? '?' : *name, out);
}

static void write_heading(FILE *out, const struct experiment *e, const char *what)
{
	fprintf(out, "# pagetax %s: %s\n", PAGETAX_VERSION, what);
	fprintf(out, "# command %s, input ", e->command);
	write_name(out, e->input_name);
	fprintf(out, ", sha256 %s, seed %" PRIu64 "\n", e->input_sha256, e->options->seed);
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
	fprintf(out, "\t%" PRIu64, s->allocatee_bytes);
	write_orders(out, nr_free);
	fprintf(out, "\n");
}

int tsv_write_samples(FILE *out, const struct experiment *e)
{
	write_heading(out, e, "the whole machine, one row for each sample and allocator");
	fprintf(out, "allocator");
#define PRINT_NAME(name, format, value, what) fprintf(out, "\t" #name);
	SAMPLE_COLUMNS(PRINT_NAME)
#undef PRINT_NAME
	for (unsigned int c = 0; c < NR_META_COLUMNS; c++)
		fprintf(out, "\tmeta_%s_bytes", meta_column_names[c]);
	fprintf(out, "\tallocatee_bytes");
	write_order_names(out);
	fprintf(out, "\n");
	for (unsigned int r = 0; r < e->nr_runs; r++) {
		const struct sample_series *series = &e->runs[r].series;

		for (size_t i = 0; i < series->nr; i++)
			write_sample(out, &e->runs[r], &series->samples[i],
				     e->layout->nr_zones);
	}
	return 0;
}

int tsv_write_buddyinfo(FILE *out, const struct experiment *e)
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
					s->time_ns, zone_label(&e->layout->zones[z]));
				write_orders(out, s->nr_free[z]);
				fprintf(out, "\n");
			}
		}
	}
	return 0;
}

int tsv_write_tax(FILE *out, const struct experiment *e)
{
	uint64_t memory = (uint64_t)layout_present(e->layout) << PAGE_SHIFT;

	write_heading(out, e, "the memory tax, one row for each allocator");
	fprintf(out, "allocator\tmemory_bytes");
	for (unsigned int c = 0; c < NR_META_COLUMNS; c++)
		fprintf(out, "\t%s_peak_bytes", meta_column_names[c]);
	fprintf(out, "\tallocatee_peak_bytes\tlowmem_peak_bytes\n");
	for (unsigned int r = 0; r < e->nr_runs; r++) {
		const struct replay_run *run = &e->runs[r];

		fprintf(out, "%s\t%" PRIu64, run->spec, memory);
		for (unsigned int c = 0; c < NR_META_COLUMNS; c++)
			fprintf(out, "\t%" PRIu64, run->meta_end.peak[c]);
		fprintf(out, "\t%" PRIu64 "\t%" PRIu64 "\n",
			run->tax.allocatee_peak_bytes, run->tax.lowmem_peak_bytes);
	}
	return 0;
}

/* x(name, printf's format, value, what it is): one number of a class */
#define CLASS_COLUMNS(x)                                                        \
	x(object_bytes,  "u",    e->allocatees->bytes[c], "one owner's object; 0: none") \
	x(rounded_bytes, ".3f",  allocatee_rounded(e->allocatees, c), "the same with its share of a full slab page") \
	x(start_blocks,  PRIu64, k->start_blocks, "blocks in use before the recording") \
	x(allocs,        PRIu64, k->allocs,       "allocations served")          \
	x(peak_blocks,   PRIu64, k->peak_blocks,  "blocks live, at most")        \
	x(end_blocks,    PRIu64, k->blocks,       "blocks live at the end")      \
	x(peak_pages,    PRIu64, k->peak_pages,   "pages live, at most")         \
	x(end_pages,     PRIu64, k->pages,        "pages live at the end")       \
	x(peak_bytes,    PRIu64, k->peak_bytes,   "objects in whole slab pages, at most") \
	x(end_bytes,     PRIu64, k->bytes,        "objects in whole slab pages, at the end")

int tsv_write_classes(FILE *out, const struct experiment *e)
{
	if (!e->allocatees)
		return 0;
	write_heading(out, e, "who owned the pages, one row for each allocator and class");
	fprintf(out, "allocator\tclass");
#define PRINT_NAME(name, format, value, what) fprintf(out, "\t" #name);
	CLASS_COLUMNS(PRINT_NAME)
#undef PRINT_NAME
	fprintf(out, "\n");
	for (unsigned int r = 0; r < e->nr_runs; r++) {
		const struct census *census = &e->runs[r].census.end;

		for (unsigned int c = 0; c < NR_ALLOCATEES; c++) {
			const struct census_class *k = &census->classes[c];

			fprintf(out, "%s\t%s", e->runs[r].spec, allocatee_names[c]);
#define PRINT_COLUMN(name, format, value, what) fprintf(out, "\t%" format, value);
			CLASS_COLUMNS(PRINT_COLUMN)
#undef PRINT_COLUMN
			fprintf(out, "\n");
		}
	}
	return 0;
}

#define PROCESS_COLUMNS(x)                                                      \
	x(allocs,            "allocations served")                              \
	x(pages_allocated,   "pages of those")                                  \
	x(peak_pages,        "pages live, at most")                             \
	x(pages,             "pages live at the end")                           \
	x(peak_object_bytes, "objects of its blocks, at most; slabs not rounded")

int tsv_write_processes(FILE *out, const struct experiment *e)
{
	write_heading(out, e, "who asked, one row for each allocator and process");
	fprintf(out, "allocator\tprocess");
#define PRINT_NAME(name, what) fprintf(out, "\t" #name);
	PROCESS_COLUMNS(PRINT_NAME)
#undef PRINT_NAME
	fprintf(out, "\n");
	for (unsigned int r = 0; r < e->nr_runs; r++) {
		const struct census_series *s = &e->runs[r].census;

		for (unsigned int i = 0; i < s->nr_processes; i++) {
			const struct census_process *p = &s->processes[i];
			const char *name = i && e->process_names ?
				e->process_names[i] : "(unknown)";

			if (!p->allocs && !p->peak_pages)
				continue;
			fprintf(out, "%s\t", e->runs[r].spec);
			write_name(out, name);
#define PRINT_COLUMN(column, what) fprintf(out, "\t%" PRIu64, p->column);
			PROCESS_COLUMNS(PRINT_COLUMN)
#undef PRINT_COLUMN
			fprintf(out, "\n");
		}
	}
	return 0;
}

/* x(name, printf's format, value, what it is): one stretch of a stripe */
#define MEMORY_COLUMNS(x)                                                       \
	x(from_ns,         PRIu64, r->from_ns, "when the stripe began to look so") \
	x(to_ns,           PRIu64, r->to_ns,   "and when that ended")           \
	x(first_pfn,       "lu",   r->row * p->row_pages, "of the stripe")      \
	x(span_pages,      "lu",   p->row_pages, "pfns of the stripe, holes included") \
	x(given_pages,     "lu",   p->given[r->row], "of them, the allocator's to give") \
	x(movable_pages,   "lu",   r->movable, "in use by movable blocks, as the stretch began") \
	x(unmovable_pages, "lu",   r->unmovable, "in use by other blocks, as it began") \
	x(metadata_pages,  "lu",   r->metadata_pages, "carrying the allocator's state, as it began") \
	x(look,            "s",    picture_look_names[r->look], "free, fixed, absent, or what is most of it: movable or unmovable, 1 up to a tenth full, 2 up to half, 3 above")

int tsv_write_memory(FILE *out, const struct experiment *e)
{
	write_heading(out, e, "what stood where, one row for each stretch of time in which a stripe of memory looked the same");
	fprintf(out, "allocator");
#define PRINT_NAME(name, format, value, what) fprintf(out, "\t" #name);
	MEMORY_COLUMNS(PRINT_NAME)
#undef PRINT_NAME
	fprintf(out, "\n");
	for (unsigned int i = 0; i < e->nr_runs; i++) {
		const struct picture *p = &e->runs[i].picture;

		for (size_t j = 0; j < p->nr_runs; j++) {
			const struct picture_run *r = &p->runs[j];

			fprintf(out, "%s", e->runs[i].spec);
#define PRINT_COLUMN(name, format, value, what) fprintf(out, "\t%" format, value);
			MEMORY_COLUMNS(PRINT_COLUMN)
#undef PRINT_COLUMN
			fprintf(out, "\n");
		}
	}
	return 0;
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
	printf("  %-26s %s\n", "allocatee_bytes",
	       "owners' objects in slab pages; 0 where the descriptor holds them");
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
	printf("  %-26s %s\n", "allocatee_peak_bytes", "owners' objects in slab pages");
	printf("  %-26s %s\n", "lowmem_peak_bytes",
	       "descriptors, structures and nodes outside highmem");
	printf("classes.tsv, one row for each allocator and class of owner:\n");
	printf("  %-26s %s\n", "allocator, class", "");
#define LIST_COLUMN(name, format, value, what) printf("  %-26s %s\n", #name, what);
	CLASS_COLUMNS(LIST_COLUMN)
#undef LIST_COLUMN
	for (unsigned int c = 0; c < NR_ALLOCATEES; c++)
		printf("    %-24s %s\n", allocatee_names[c], allocatee_help[c]);
	printf("memory.tsv, one row for each allocator, stripe of memory and stretch of time:\n");
#define LIST_COLUMN(name, format, value, what) printf("  %-26s %s\n", #name, what);
	MEMORY_COLUMNS(LIST_COLUMN)
#undef LIST_COLUMN
	printf("processes.tsv, one row for each allocator and process:\n");
	printf("  %-26s %s\n", "allocator, process",
	       "(unknown): in use before the recording, or without a name");
#define LIST_COLUMN(name, what) printf("  %-26s %s\n", #name, what);
	PROCESS_COLUMNS(LIST_COLUMN)
#undef LIST_COLUMN
}
