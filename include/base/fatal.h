/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fatal.h - the end of the process where nothing can be handed up
 *
 * The one place of the library that prints and stops. Never for input, options
 * or a full disk.
 */
#ifndef PAGETAX_BASE_FATAL_H
#define PAGETAX_BASE_FATAL_H

#include "base/types.h"

/*
 * A broken invariant: going on would spoil memory or results, and an assert()
 * could not show the state that broke. Message on standard error, abort().
 */
void fatal(const char *fmt, ...) __printf(1, 2)
	__attribute__((noreturn, cold));

/*
 * The host has no memory for a page in the midst of a map, which cannot fail.
 * No bug: the run ends as other failed runs do, with a line and status 1.
 */
void host_failed(const char *fmt, ...) __printf(1, 2)
	__attribute__((noreturn, cold));

#endif
