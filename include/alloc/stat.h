/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stat.h - what every allocator counts, written once as fields and names */
#ifndef PAGETAX_ALLOC_STAT_H
#define PAGETAX_ALLOC_STAT_H

#include "base/types.h"

/* x(name, what it counts) */
#define ALLOC_STATS(x)                                                        \
	x(allocs,          "requests served")                                 \
	x(frees,           "blocks given back")                               \
	x(failed_allocs,   "requests that got nothing")                       \
	x(refused,         "of those, beyond the design's abilities")         \
	x(unsecured,       "times that no struct for a split could be secured") \
	x(pages_allocated, "pages in callers' hands now")                     \
	x(isolated,        "free blocks that compaction took where they lay") \
	x(splits,          "blocks halved")                                   \
	x(merges,          "buddies joined")                                  \
	x(claims,          "blocks taken from another mobility type, pageblock and all") \
	x(steals,          "blocks taken from another type's pageblock")       \
	x(refills,         "times a per-CPU list took blocks")                 \
	x(drains,          "times per-CPU lists gave blocks back")             \
	x(below_marks,     "requests that only the zones' marks stood against") \
	x(nodes,           "pages that are nodes now")                        \
	x(nodes_peak,      "most nodes at any time")                          \
	x(absorbed,        "freed pages that became a node themselves")       \
	x(taken,           "free order-0 pages taken as a node")              \
	x(peeled,          "nodes peeled off a larger block")                 \
	x(reused,          "nodes made of pages set aside or just given back")  \
	x(relocated,       "nodes copied so that two buddies could merge")    \
	x(released,        "nodes given back")                                \
	x(max_consumed,    "most pages one free of order 0 turned into nodes") \
	x(max_consumed_any, "the same for a free of any order")               \
	x(max_drain_steps, "most steps one operation took to settle nodes")

struct alloc_stats {
#define STAT_FIELD(name, what) uint64_t name;
	ALLOC_STATS(STAT_FIELD)
#undef STAT_FIELD
};

#endif
