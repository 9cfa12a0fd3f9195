/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wrap.h - help texts in two columns of a terminal of 80 */
#ifndef PAGETAX_SIM_WRAP_H
#define PAGETAX_SIM_WRAP_H

/*
 * Print `left`, and `text` beside it from `column` on, cut at blanks into lines
 * of at most 80 letters; below it, where `left` is too long.
 */
void print_wrapped(const char *left, int column, const char *text);

#endif
