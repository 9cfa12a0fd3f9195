/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_report.h - what the bench measured, on the terminal and in files
 *
 *    summary.json   results[], limits[], stream, policy[]
 *    bench.tsv      a row for each result: plots/bench.gp draws it
 *
 * Two figures cannot be taken while time is: words and lines of metadata, which
 * only the watched build counts, and instructions, which need valgrind. Their
 * runs write files of their own, and a bench that is given these has them
 * beside its own figures.
 */
#ifndef PAGETAX_SIM_BENCH_BENCH_REPORT_H
#define PAGETAX_SIM_BENCH_BENCH_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "sim/bench/bench.h"
#include "sim/report/result.h"

struct bench_joined {
	json_t *costs;			/* of a watched run's file; NULL: not given */
	struct tsv_table instructions;	/* columns allocator, pattern, per_op */
};

/* Read what is given; NULL: nothing. 0, or a negative errno with a message. */
int bench_joined_load(struct bench_joined *j, const char *costs,
		      const char *instructions, struct msg *msg);
void bench_joined_free(struct bench_joined *j);

/* The rows of all patterns of one case, whose pattern does not matter. */
struct bench_table {
	struct bench_case c;
	struct bench_row *rows[NR_BENCH_PATTERNS];	/* NULL: not run */
	unsigned int nr;
};

void bench_table_print(const struct bench_table *t, const struct bench_joined *j);

/* Append a result for each figure of the table. 0 or -ENOMEM. */
int bench_table_record(json_t *results, const struct bench_table *t,
		       const struct bench_joined *j);

/* All results as a table. */
void bench_write_tsv(FILE *out, const json_t *results);

#endif
