/* SPDX-License-Identifier: GPL-2.0-or-later */
/* perf_print.h - an event as the line that `perf script` would print */
#ifndef PAGETAX_SIM_PERF_PRINT_H
#define PAGETAX_SIM_PERF_PRINT_H

#include "sim/source/event.h"

#define PERF_LINE_BYTES 1024

/*
 * The line with its end, without a 0 behind it; returns its length. thread: -1
 * where nobody knows it. Reading the line gives the event again, in every
 * field; flags are printed by their elementary names.
 */
size_t perf_print(char line[PERF_LINE_BYTES], const struct event *ev,
		  const char *comm, int thread);

#endif
