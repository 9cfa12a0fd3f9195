/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim_bundle.h - a small recorded machine, written by hand into the scratch folder
 *
 *	pfn   0    1             1024          2048          3072
 *	      | -- |     DMA     |    Normal   |  (NOPAGE)   |
 *	chunk |     read at 1 us |   at 2 us   |   at 3 us   |
 *
 * Normal spans to 3072. Between the two stands a DMA32 without pages. Pages
 * are in nobody's list unless the test says so.
 */
#ifndef PAGETAX_TESTS_SIM_BUNDLE_H
#define PAGETAX_TESTS_SIM_BUNDLE_H

#include "base/types.h"

#define SMALL_PAGES 3072
#define SMALL_NORMAL 1024

/* Lines of events.txt; time in microseconds before the point, pfn as text. */
#define EV(us, event, pfn, rest) \
	" sh 1 [001] 0.00000" us ": kmem:mm_page_" event ": pfn=" pfn " " rest "\n"
#define ALLOC(us, pfn, order) \
	EV(us, "alloc", pfn, "order=" order " migratetype=1 gfp_flags=GFP_KERNEL")
#define FREE(us, pfn, order)  EV(us, "free", pfn, "order=" order)
#define BATCHED(us, pfn)      EV(us, "free_batched", pfn, "order=0")
#define LOCKED(us, pfn, order, type) \
	EV(us, "alloc_zone_locked", pfn, "order=" order " migratetype=" type " percpu_refill=1")
#define DRAIN(us, pfn, order, type) \
	EV(us, "pcpu_drain", pfn, "order=" order " migratetype=" type)
#define EXTFRAG(us, pfn, old_type) \
	EV(us, "alloc_extfrag", pfn, "alloc_order=0 fallback_order=9 pageblock_order=9 " \
	   "alloc_migratetype=0 fallback_migratetype=" old_type " change_ownership=1")

extern const char small_zoneinfo[];
extern const char small_machine[];
extern const char small_times[];

/* Flags for every page, as /proc/kpageflags shows them; NOPAGE from 2048 on. */
extern uint64_t small_flags[SMALL_PAGES];
void small_flags_reset(void);
void small_flags_buddy(unsigned long pfn, unsigned long end);

/* Write all files of the bundle with these events and small_flags. */
void small_bundle_write(const char *events);

/* The same of a machine whose second node has a Normal, too; no flags, one free. */
void two_node_bundle_write(void);

#endif
