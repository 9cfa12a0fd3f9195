/* SPDX-License-Identifier: GPL-2.0-or-later */
/* names.h - the names that a message lists: "a, b, c" */
#ifndef PAGETAX_BASE_NAMES_H
#define PAGETAX_BASE_NAMES_H

#include "base/types.h"

/* Begins as { 0 }; what is longer than a message is cut. */
struct names {
	char text[1024];
	size_t len;
};

void names_add(struct names *n, const char *fmt, ...) __printf(2, 3);

#endif
