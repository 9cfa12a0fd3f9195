/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page.c - figures of a result, and the cells they stand in */
#include <math.h>
#include <stdio.h>

#include "sim/report/page.h"
#include "sim/units.h"

const char *page_name(const struct page *p, int run)
{
	return result_allocator(p->result, (unsigned int)run);
}

double page_value(const struct page *p, int run, enum result_column column)
{
	return run < 0 ? NAN : result_value(p->result, (unsigned int)run, column);
}

int page_table(const struct page *p, const char *name, struct tsv_table *t)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", p->result->path, name);
	return tsv_read(t, path);
}

const char *bytes_text(double bytes, char *buf, size_t size)
{
	if (isnan(bytes))
		snprintf(buf, size, "-");
	else
		format_bytes((uint64_t)bytes, buf, size);
	return buf;
}

void bytes_cell(struct page *p, double bytes)
{
	char text[32];

	html_cell(&p->html, "%s", bytes_text(bytes, text, sizeof(text)));
}

/* The formats are those of report.c and verdict.c. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
void number_cell(struct page *p, const char *format, double value)
{
	if (isnan(value))
		html_cell(&p->html, "-");
	else
		html_cell(&p->html, format, value);
}
#pragma GCC diagnostic pop
