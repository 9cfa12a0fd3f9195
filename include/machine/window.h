/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * window.h - the slots behind kmap_local_pfn(): machine/highmem.h uses them
 *
 * In guard mode a CPU has a ring of places, every other page of which stays
 * unmapped; a map takes the next place that is not live, so that an address
 * unmapped goes on to fault for some time and is not at once another page's:
 *
 *   | guard | place 0 | guard | place 1 | guard | ... | guard |
 */
#ifndef PAGETAX_MACHINE_WINDOW_H
#define PAGETAX_MACHINE_WINDOW_H

#include "base/msg.h"
#include "base/types.h"

#define KMAP_MAX_LIVE (KM_MAX_IDX - 1)	/* Linux dies on the push that reaches the limit */
#define GUARD_PLACES (2 * KM_MAX_IDX)	/* a place is reused after this many maps less the live ones */

enum window_mode {
	WINDOW_ARITH,
	WINDOW_GUARD,
	WINDOW_UNCOUNTED,
};

struct kmap_slot {
	void *addr;			/* what the caller was given */
	unsigned long pfn;
};

struct kmap_cpu {
	unsigned int depth;		/* live maps: slot[0 .. depth - 1] */
	unsigned int next_place;	/* guard mode only */
	struct kmap_slot slot[KMAP_MAX_LIVE];
} __attribute__((aligned(64)));		/* CPUs share no cache line */

struct window {
	enum window_mode mode;		/* set at create */
	struct kmap_cpu *cpus;		/* one for each CPU */
	unsigned char *places;		/* guard mode: every CPU's ring */
	size_t places_bytes;
};

/* Returns 0, or -ENOMEM with a message that names the bytes needed. */
int window_create(struct window *w, enum window_mode mode, unsigned int nr_cpus,
		  struct msg *msg);
void window_destroy(struct window *w);

#endif
