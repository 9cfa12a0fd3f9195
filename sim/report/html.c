/* SPDX-License-Identifier: GPL-2.0-or-later */
/* html.c - escaping, tables, and the look of a page */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/report/html.h"
#include "sim/report/svg.h"

/*
 * Drawings out of sight wait until they are scrolled to, so that a page of
 * sixteen designs opens at once. Dark screens get the drawings with lightness
 * turned round and hues kept; paper and light screens get them as they are.
 * A table wider than the screen is scrolled behind its first column; on paper
 * nothing scrolls, and a heading stays with what it is the heading of.
 */
static const char style[] =
	":root{color-scheme:light dark;--ink:#1a1a1a;--paper:#fff;--faint:#666;"
	"--line:#ccc;--mark:#e8f1fb}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6e6e6;--paper:#161616;"
	"--faint:#a0a0a0;--line:#444;--mark:#1c2f42}"
	"figure svg{filter:invert(.91) hue-rotate(180deg)}}\n"
	"body{font:16px/1.5 system-ui,'DejaVu Sans',sans-serif;color:var(--ink);"
	"background:var(--paper);max-width:72rem;margin:0 auto;padding:1rem}\n"
	"h1{font-size:1.5rem;line-height:1.25;margin:.2rem 0}"
	"h2{font-size:1.2rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}"
	"h3{font-size:1rem;margin:1.2rem 0 .3rem}\n"
	"p{max-width:52rem;margin:.5rem 0}.faint{color:var(--faint);font-size:.9rem}"
	".warn{border-left:.4rem solid #d55e00;padding-left:.7rem}"
	".verdict{font-size:1.05rem}\n"
	".first{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:2rem;"
	"align-items:start}.first td,.first th{padding:.05rem .5rem}"
	"@media(max-width:60rem){.first{display:block}}\n"
	".box{overflow-x:auto;margin:.7rem 0}"
	"table{border-collapse:separate;border-spacing:0;font-size:.88rem;"
	"font-variant-numeric:tabular-nums}"
	"caption{text-align:left;color:var(--faint);padding:.2rem 0;"
	"position:sticky;left:0;max-width:calc(100vw - 2rem)}"
	"th,td{padding:.15rem .5rem;text-align:right;white-space:nowrap;"
	"border-bottom:1px solid var(--line)}"
	"th{white-space:normal;vertical-align:bottom;overflow-wrap:normal}"
	"th:first-child,td:first-child{text-align:left;white-space:nowrap;"
	"position:sticky;left:0;background:var(--paper)}"
	"tr.marked td{background:var(--mark);font-weight:600}"
	"td.words{text-align:left;white-space:normal;min-width:16rem}"
	"table:has(td.words) th:last-child{text-align:left}\n"
	"figure{margin:1rem 0;content-visibility:auto;"
	"contain-intrinsic-size:auto 40rem}figure div{overflow-x:auto}"
	"figure svg{max-width:100%;height:auto;display:block}"
	"figcaption{color:var(--faint);font-size:.9rem;max-width:52rem}"
	"nav a{margin-right:1rem}code,pre{font-size:.85rem}"
	"pre{overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}\n"
	"@page{margin:12mm}\n"
	"@media print{body{font-size:10pt;max-width:none;padding:0}"
	"h1,h2,h3,caption,thead{break-after:avoid}figure,tr{break-inside:avoid}"
	"figure{content-visibility:visible}pre{break-inside:avoid}"
	"figure svg{min-width:0!important;max-height:23cm;filter:none}"
	".box{overflow:visible;break-inside:avoid}table{font-size:7pt}th,td{padding:.1rem .25rem}"
	"th,th:first-child,td:first-child,caption{position:static}}\n";

void html_text(struct html *h, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&': fputs("&amp;", h->out); break;
		case '<': fputs("&lt;", h->out); break;
		case '>': fputs("&gt;", h->out); break;
		case '"': fputs("&quot;", h->out); break;
		default:  fputc(*text, h->out);
		}
	}
}

__printf(2, 0)
static void text_va(struct html *h, const char *format, va_list args)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	text = len < 0 ? NULL : malloc((size_t)len + 1);
	if (!text)
		return;
	vsnprintf(text, (size_t)len + 1, format, args);
	html_text(h, text);
	free(text);
}

void html_textf(struct html *h, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_va(h, format, args);
	va_end(args);
}

void html_element(struct html *h, const char *tag, const char *text)
{
	fprintf(h->out, "<%s>", tag);
	html_text(h, text);
	fprintf(h->out, "</%s>\n", tag);
}

void html_paragraph(struct html *h, const char *class, const char *format, ...)
{
	va_list args;

	if (class)
		fprintf(h->out, "<p class=\"%s\">", class);
	else
		fputs("<p>", h->out);
	va_start(args, format);
	text_va(h, format, args);
	va_end(args);
	fputs("</p>\n", h->out);
}

void html_begin(struct html *h, FILE *out, const char *title)
{
	*h = (struct html){ .out = out };
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
	      out);
	html_element(h, "title", title);
	fprintf(out, "<style>\n%s</style>\n</head>\n<body>\n", style);
}

void html_end(struct html *h)
{
	fputs("</body>\n</html>\n", h->out);
}

void html_table_begin(struct html *h, const char *caption, const char *headings)
{
	fputs("<div class=\"box\"><table>\n", h->out);
	if (caption)
		html_element(h, "caption", caption);
	fputs("<thead><tr>", h->out);
	while (*headings) {
		size_t len = strcspn(headings, "|");

		fputs("<th scope=\"col\">", h->out);
		html_textf(h, "%.*s", (int)len, headings);
		fputs("</th>", h->out);
		headings += len + (headings[len] == '|');
	}
	fputs("</tr></thead>\n<tbody>\n", h->out);
}

void html_row_begin(struct html *h, bool marked)
{
	fputs(marked ? "<tr class=\"marked\">" : "<tr>", h->out);
}

void html_cell(struct html *h, const char *format, ...)
{
	va_list args;

	fputs("<td>", h->out);
	va_start(args, format);
	text_va(h, format, args);
	va_end(args);
	fputs("</td>", h->out);
}

void html_row_end(struct html *h)
{
	fputs("</tr>\n", h->out);
}

void html_table_end(struct html *h)
{
	fputs("</tbody></table></div>\n", h->out);
}

/* ---- drawings ---- */

/* Smaller than so, a drawing's letters are not legible; it then scrolls. */
static unsigned long least_width(const char *svg)
{
	const char *width = strstr(svg, "width=\"");

	return width ? strtoul(width + strlen("width=\""), NULL, 10) * 3 / 4 : 0;
}

int html_drawing(struct html *h, const char *svg, const char *title,
		 const char *caption, struct msg *msg)
{
	FILE *in = fopen(svg, "r");
	char *text = NULL;
	const char *start;
	size_t room = 0;
	ssize_t len;
	int err;

	if (!in)
		return msg_set(msg, errno, "%s: %s", svg, strerror(errno));
	len = getdelim(&text, &room, '\0', in);
	fclose(in);
	start = len > 0 ? strstr(text, "<svg") : NULL;
	if (!start) {
		free(text);
		return msg_set(msg, EINVAL, "%s: no drawing in it", svg);
	}
	h->nr_drawings++;
	fputs("<figure><div><svg role=\"img\" aria-label=\"", h->out);
	html_text(h, title);
	fprintf(h->out, "\" style=\"min-width:%lupx\"", least_width(start));
	err = svg_copy(h->out, start + strlen("<svg"), h->nr_drawings);
	fputs("</div>\n<figcaption>", h->out);
	html_text(h, caption);
	fputs("</figcaption></figure>\n", h->out);
	free(text);
	return err ? msg_set(msg, ENOMEM, "no memory for a drawing") : 0;
}
