/* SPDX-License-Identifier: GPL-2.0-or-later */
/* class_result.h - what became of one class of a simulated workload */
#ifndef PAGETAX_SIM_CLASS_RESULT_H
#define PAGETAX_SIM_CLASS_RESULT_H

#include "base/types.h"

/* x(name, what it counts) */
#define CLASS_RESULTS(x)                                                          \
	x(allocs,        "blocks it got")                                          \
	x(frees,         "blocks it gave back")                                    \
	x(failed_allocs, "requests that got nothing, reclaim and fallback tried")  \
	x(fallbacks,     "requests served by smaller blocks")                      \
	x(reclaimed,     "blocks taken from it because memory ran low")            \
	x(pages_peak,    "pages in its hands, at most")                            \
	x(pages_end,     "pages in its hands at the end")

struct class_result {
	const char *name;
#define CLASS_FIELD(name, what) uint64_t name;
	CLASS_RESULTS(CLASS_FIELD)
#undef CLASS_FIELD
};

#endif
