/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wall_clock.h - real time and the processor's, for timing.json and progress only */
#ifndef PAGETAX_SIM_WALL_CLOCK_H
#define PAGETAX_SIM_WALL_CLOCK_H

#include <time.h>

/* Seconds of a clock that never goes back. */
static inline double wall_clock_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

/* Seconds that a processor has given to this thread. */
static inline double cpu_clock_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

#endif
