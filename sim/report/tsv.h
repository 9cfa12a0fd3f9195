/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tsv.h - samples as tables that gnuplot, R and pandas read without a parser
 *
 * Lines that begin with # say where the numbers come from; then one line of
 * column names with their units; then one row for each sample and allocator.
 */
#ifndef PAGETAX_SIM_REPORT_TSV_H
#define PAGETAX_SIM_REPORT_TSV_H

#include <stdio.h>

#include "sim/report/experiment.h"

/*
 * All return 0: a failed write is the stream's to remember.
 *
 * The whole machine: free blocks and indices over all zones, metadata.
 */
int tsv_write_samples(FILE *out, const struct experiment *e);

/* One row for each zone as well: free blocks and the kernel's indices. */
int tsv_write_buddyinfo(FILE *out, const struct experiment *e);

/* One row for each allocator: the peak of every column of metadata. */
int tsv_write_tax(FILE *out, const struct experiment *e);

/*
 * Who owned the pages: one row for each allocator and class, and one for each
 * allocator and process.
 */
int tsv_write_classes(FILE *out, const struct experiment *e);
int tsv_write_processes(FILE *out, const struct experiment *e);

/* What stood where: one row for each stretch of equal looks. */
int tsv_write_memory(FILE *out, const struct experiment *e);

/* Name, unit and meaning of each column, for `pagetax list metrics`. */
void tsv_list_columns(void);

#endif
