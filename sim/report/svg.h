/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * svg.h - gnuplot's drawings, made small and fit to share a page
 *
 * gnuplot writes every sample of every curve to a hundredth of a pixel, and
 * each bar with a pattern of its own. Copied onto a page,
 *
 *     ids        begin with the drawing's number, so that drawings on one
 *                page do not take each other's patterns
 *     patterns   that are equal are one
 *     curves     keep the points that can be seen: of many within one pixel's
 *                width the first, the last, the lowest and the highest, and
 *                none that lies within a tenth of a pixel of the line between
 *                its neighbours
 *     numbers    are rounded to a tenth of a pixel
 *     tooltips   and groups of nothing are left out
 */
#ifndef PAGETAX_SIM_REPORT_SVG_H
#define PAGETAX_SIM_REPORT_SVG_H

#include <stdio.h>

/*
 * Copy what follows "<svg" in a drawing of gnuplot's, up to its end. `nr` is
 * the number of the drawing on the page. 0 or -ENOMEM.
 */
int svg_copy(FILE *out, const char *text, unsigned int nr);

#endif
