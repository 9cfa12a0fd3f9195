/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * html.h - text, tables and drawings as a page that stands alone
 *
 * No scripts, nothing from elsewhere: styles are in the head, drawings are SVG
 * inside the text. Text is escaped on its way in.
 */
#ifndef PAGETAX_SIM_REPORT_HTML_H
#define PAGETAX_SIM_REPORT_HTML_H

#include <stdio.h>

#include "base/msg.h"
#include "base/types.h"

struct html {
	FILE *out;
	unsigned int nr_drawings;	/* numbers their ids apart */
};

void html_begin(struct html *h, FILE *out, const char *title);
void html_end(struct html *h);

/* Escaped. */
void html_text(struct html *h, const char *text);
void html_textf(struct html *h, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* <tag>text</tag>, escaped. */
void html_element(struct html *h, const char *tag, const char *text);

/* A paragraph; `class` may be NULL. */
void html_paragraph(struct html *h, const char *class, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * A table in a box that scrolls by itself on a narrow screen. Headings are
 * divided by bars; the first column holds names, the others numbers.
 */
void html_table_begin(struct html *h, const char *caption, const char *headings);
void html_row_begin(struct html *h, bool marked);
void html_cell(struct html *h, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void html_row_end(struct html *h);
void html_table_end(struct html *h);

/*
 * Put gnuplot's SVG file into the text, with ids of its own. 0 or a negative
 * errno with a message.
 */
int html_drawing(struct html *h, const char *svg, const char *title,
		 const char *caption, struct msg *msg);

#endif
