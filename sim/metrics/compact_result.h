/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compact_result.h - what compaction did in one run, and what it cost */
#ifndef PAGETAX_SIM_COMPACT_RESULT_H
#define PAGETAX_SIM_COMPACT_RESULT_H

#include "base/types.h"

/* x(name, what it counts) */
#define COMPACT_RESULTS(x)                                                      \
	x(asked,         "requests of order 4 or more that got nothing at first") \
	x(served,        "of those, served after compaction")                    \
	x(refused,       "of those, of a design that cannot be compacted")       \
	x(deferred,      "zones passed over: compaction failed there lately")    \
	x(unsuitable,    "zones passed over: too little free memory, or not scattered") \
	x(runs,          "zones scanned")                                        \
	x(made,          "of those, scanned until a block was free")             \
	x(pages_scanned, "pages looked at for blocks to move")                   \
	x(pages_sought,  "pages looked at for free places")                      \
	x(blocks_moved,  "blocks moved")                                         \
	x(pages_moved,   "pages moved")

struct compact_result {
#define COMPACT_FIELD(name, what) uint64_t name;
	COMPACT_RESULTS(COMPACT_FIELD)
#undef COMPACT_FIELD
};

#endif
