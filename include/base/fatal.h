/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fatal.h - the end of the process when an invariant is broken
 *
 * For bugs only, where going on would spoil memory or results and an assert()
 * could not show the state that broke: never for input, options or a full
 * disk. The one place of the library that prints.
 */
#ifndef PAGETAX_BASE_FATAL_H
#define PAGETAX_BASE_FATAL_H

#include "base/types.h"

/* Write the message and a newline to standard error and abort(). */
void fatal(const char *fmt, ...) __printf(1, 2)
	__attribute__((noreturn, cold));

#endif
