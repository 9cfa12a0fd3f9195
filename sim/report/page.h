/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page.h - one result on its way onto the page, for the parts of a report
 *
 *    report.c   the page: sections, tables, drawings
 *      |  verdict.c  its first screen: who wins, by how much, at what price
 *      v     v
 *    page.c     figures of the result, and their cells
 */
#ifndef PAGETAX_SIM_REPORT_PAGE_H
#define PAGETAX_SIM_REPORT_PAGE_H

#include "sim/report/html.h"
#include "sim/report/report.h"

struct page {
	struct html html;
	const struct report *report;
	const struct result *result;
	double memory_bytes;		/* NAN: not told */
	unsigned int *by_cost;		/* runs, those judged first, the least total first */
	int base;			/* run that the others are held against; -1: no run */
	int best;			/* judged run with the least total; -1: none */
	int described;			/* the same of those with page descriptors */
};

/* Of the run at this place of the result. */
const char *page_name(const struct page *p, int run);
double page_value(const struct page *p, int run, enum result_column column);

/* Whether a run has figures: those without a policy have only their time. */
bool page_keeps_books(const struct page *p, int run);

/* A table of the result's folder; as tsv_read() otherwise. */
int page_table(const struct page *p, const char *name, struct tsv_table *t);

/* A size for people, "-" for NAN; `size` as of snprintf. Returns buf. */
const char *bytes_text(double bytes, char *buf, size_t size);

/* Cells of a table; NAN is "-". */
void bytes_cell(struct page *p, double bytes);
void number_cell(struct page *p, const char *format, double value)
	__attribute__((format(printf, 2, 0)));

/* Order the runs and find the winners. 0 or -ENOMEM; page->by_cost is the caller's. */
int page_rank(struct page *p);

/* What the numbers say, and the short table beside it. */
void page_verdict(struct page *p);

#endif
