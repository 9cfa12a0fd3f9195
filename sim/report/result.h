/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * result.h - a result folder, read back
 *
 * Folders of other versions are read as far as they go: a figure that is not
 * there is NAN, a table that is not there has no rows, and whoever shows them
 * says so.
 */
#ifndef PAGETAX_SIM_REPORT_RESULT_H
#define PAGETAX_SIM_REPORT_RESULT_H

#include <jansson.h>

#include "base/msg.h"
#include "base/types.h"

/*
 * x(name, object in the run's JSON or "", key there, what it is): the figures
 * of a run that tables show and comparisons compare.
 */
#define RESULT_COLUMNS(x)                                                              \
	x(static_bytes,         "metadata",   "static_bytes",         "descriptors and fixed structures") \
	x(dynamic_peak_bytes,   "metadata",   "dynamic_peak_bytes",   "nodes and grown structures, at most") \
	x(own_peak_bytes,       "metadata",   "own_peak_bytes",       "the two together")    \
	x(allocatee_peak_bytes, "metadata",   "allocatee_peak_bytes", "owners' objects beside the descriptors, at most") \
	x(caller_peak_bytes,    "metadata",   "caller_peak_bytes",    "sizes that callers keep, at most") \
	x(borrowed_bytes,       "metadata",   "borrowed_bytes",       "words borrowed from other descriptors, at most") \
	x(inband_peak_bytes,    "metadata",   "inband_peak_bytes",    "links inside free memory, at most") \
	x(parked_peak_bytes,    "metadata",   "parked_peak_bytes",    "free memory in per-CPU lists, at most; in no total") \
	x(lowmem_peak_bytes,    "metadata",   "lowmem_peak_bytes",    "what of its own metadata needs an address below highmem, at most") \
	x(total_peak_bytes,     "metadata",   "total_peak_bytes",     "all of it, each column at its peak") \
	x(total_percent,        "metadata",   "total_percent",        "the same in percent of memory") \
	x(total_bytes_per_page, "metadata",   "total_bytes_per_page", "and for each page of it") \
	x(share_2m,             "contiguity", "share_2m",             "share of free memory in blocks of 2 MiB and above, at the end") \
	x(unusable_order9,      "contiguity", "unusable_order9",      "share of free memory that cannot serve order 9, at the end") \
	x(nodes_peak,           "nodes",      "peak",                 "pages that carried free lists, at most") \
	x(nodes_relocated,      "nodes",      "relocated",            "nodes copied so that buddies could merge") \
	x(kmap_calls,           "kmap",       "calls",                "highmem pages mapped") \
	x(kmap_per_op,          "kmap",       "per_op",               "the same for each operation") \
	x(failed_allocs,        "",           "failed_allocs",        "requests that got nothing") \
	x(free_path_allocations, "",          "free_path_allocations", "allocations made while freeing") \
	x(ns_per_op,            "timing",     "ns_per_op",            "nanoseconds of CPU time an operation; differs from run to run")

enum result_column {
#define RESULT_ENUM(name, object, key, what) RESULT_##name,
	RESULT_COLUMNS(RESULT_ENUM)
#undef RESULT_ENUM
	NR_RESULT_COLUMNS,
};

extern const char *const result_column_names[NR_RESULT_COLUMNS];

struct result {
	char *path;			/* without slashes at its end */
	json_t *summary;
	json_t *timing;			/* NULL when it is not there */
	const json_t *runs;		/* of the summary: an array */
	unsigned int nr_runs;
};

/* 0, or a negative errno with a message that names the file and the line. */
int result_load(struct result *r, const char *path, struct msg *msg);
void result_free(struct result *r);

/* "?" when it is not there, as for all texts here. */
const char *result_allocator(const struct result *r, unsigned int run);
double result_value(const struct result *r, unsigned int run,
		    enum result_column column);

/* By name; NR_RESULT_COLUMNS when there is none. */
enum result_column result_column_find(const char *name, size_t len);

/* A number or a text at a path of two keys; the second may be NULL. */
double json_number_at(const json_t *object, const char *key, const char *inner);
const char *json_text_at(const json_t *object, const char *key);

/* A table as tsv.h writes them. */
struct tsv_table {
	char *text;
	char **cells;			/* row after row, into text; row 0: names */
	unsigned int nr_columns;
	unsigned int nr_rows;		/* names not included */
};

/* 0; -ENOENT, or -EINVAL for rows that do not fit the names; no message. */
int tsv_read(struct tsv_table *t, const char *path);
void tsv_table_free(struct tsv_table *t);

/* Column of this name, or -1. */
int tsv_column(const struct tsv_table *t, const char *name);

static inline const char *tsv_cell(const struct tsv_table *t, unsigned int row,
				   int column)
{
	return t->cells[(size_t)(row + 1) * t->nr_columns + (unsigned int)column];
}

#endif
