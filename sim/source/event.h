/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event.h - one event of a recorded machine, in memory
 *
 * Every reader makes these, whatever the format; everything above a reader
 * knows nothing else of a trace.
 */
#ifndef PAGETAX_SIM_EVENT_H
#define PAGETAX_SIM_EVENT_H

#include "base/types.h"

/* x(name, kernel's event name, what it means) */
#define EVENT_KINDS(x)                                                                   \
	x(ALLOC,        "mm_page_alloc",             "demand: an allocation, or a failed one") \
	x(FREE,         "mm_page_free",              "demand: a free")                   \
	x(FREE_BATCHED, "mm_page_free_batched",      "repeats a free; never counted")    \
	x(ZONE_LOCKED,  "mm_page_alloc_zone_locked", "a block left the buddy")           \
	x(PCPU_DRAIN,   "mm_page_pcpu_drain",        "a page entered the buddy")         \
	x(EXTFRAG,      "mm_page_alloc_extfrag",     "a block was claimed or stolen")

enum event_kind {
#define EVENT_ENUM(name, kernel, what) EV_##name,
	EVENT_KINDS(EVENT_ENUM)
#undef EVENT_ENUM
	EV_LOST,		/* pfn: how many events the recorder lost here */
	NR_EVENT_KINDS,
};

extern const char *const event_kind_names[NR_EVENT_KINDS];

#define EVENT_PFN_FAILED UINT64_MAX	/* an allocation that got nothing */

struct event {
	uint64_t time_ns;	/* the recorder's clock, never going back per CPU */
	uint64_t pfn;
	uint32_t gfp;		/* our own bits: sim/source/gfp.h */
	uint16_t cpu;
	uint16_t comm;		/* index into trace.comms */
	uint8_t kind;		/* enum event_kind */
	uint8_t order;		/* alloc_order for EV_EXTFRAG */
	uint8_t migratetype;	/* requested; of the pageblock for EV_PCPU_DRAIN; alloc_migratetype for EV_EXTFRAG */
	uint8_t flags;		/* enum event_flags */
	uint8_t fallback_order;	/* EV_EXTFRAG only, as is the next */
	uint8_t fallback_migratetype;
	uint8_t pad[2];
};
_Static_assert(sizeof(struct event) == 32, "two events a cache line");

/*
 * Whether a free of this order goes to a per-CPU list, from where a drain event
 * tells that it enters the buddy. Others enter at once.
 */
static inline bool order_uses_pcp(unsigned int order)
{
	return order <= 3 || order == PAGEBLOCK_ORDER;
}

enum event_flags {
	EVENT_REFILL           = 1 << 0,	/* EV_ZONE_LOCKED: percpu_refill=1 */
	EVENT_CHANGE_OWNERSHIP = 1 << 1,	/* EV_EXTFRAG: change_ownership=1 */
};

#endif
