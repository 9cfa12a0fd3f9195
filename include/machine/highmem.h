/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * highmem.h - the window through which high memory is seen (kmap_local)
 *
 * Each CPU has KM_MAX_IDX slots, of which KM_MAX_IDX - 1 may be live at once
 * (15 in Linux), and maps nest strictly: the last page mapped is the first
 * unmapped. What the kernel only warns about is fatal here: a slot too many,
 * an unmap out of order, an unmap of an address that is not mapped.
 *
 *   mode        a map of a highmem page is           counted
 *   arith       an address computed                  yes
 *   guard       the page mapped into the slot; all   yes
 *               else of highmem truly faults, and
 *               an unmapped guard page stands
 *               between any two slots
 *   uncounted   as arith, without a slot             no: for checkers
 *
 * A lowmem page costs no slot: kmap_local_pfn() gives its address in the
 * direct map, as in Linux. kmap_local_forced() takes a slot for any page
 * (CONFIG_DEBUG_KMAP_LOCAL_FORCE_MAP).
 */
#ifndef PAGETAX_MACHINE_HIGHMEM_H
#define PAGETAX_MACHINE_HIGHMEM_H

#include "base/types.h"

struct machine;

enum window_mode {
	WINDOW_ARITH,
	WINDOW_GUARD,
	WINDOW_UNCOUNTED,
};

struct kmap_stats {
	uint64_t calls;			/* maps that took a slot */
	unsigned int max_depth;		/* most live at once on one CPU */
};

/* Map one page on this CPU and return its PAGE_SIZE bytes. */
void *kmap_local_pfn(struct machine *m, unsigned int cpu, unsigned long pfn);
void *kmap_local_forced(struct machine *m, unsigned int cpu, unsigned long pfn);

/*
 * Undo the newest live map of this CPU, which must be the one that gave addr.
 * An address in the direct map is ignored, as in Linux.
 */
void kunmap_local(struct machine *m, unsigned int cpu, const void *addr);

/* Live maps of this CPU. */
unsigned int kmap_depth(const struct machine *m, unsigned int cpu);

/*
 * Look at a page without a slot and without counting: for verify() and tests
 * only. NULL in guard mode for a highmem page unless peeking is possible;
 * the address holds until the next call on this machine.
 */
const void *machine_peek(const struct machine *m, unsigned long pfn);

#endif
