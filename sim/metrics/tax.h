/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tax.h - the memory tax of a run, from the machine's account
 *
 *    static    descriptors and structures as they are before the first
 *              operation: what a machine pays whatever it does
 *    dynamic   what comes and goes on top: nodes, and growth of structures.
 *              Its peak adds the columns' own peaks, so it may overstate a
 *              design in which both grow at different times; never understate
 *    the rest  peaks of their columns, and never part of the two above
 *    lowmem    what of static and dynamic bytes needs an address, at most at
 *              any time; owners' objects need one, too, and are not in it
 *    total     static and all the peaks, parked memory apart, which is free
 */
#ifndef PAGETAX_SIM_METRICS_TAX_H
#define PAGETAX_SIM_METRICS_TAX_H

#include "machine/layout.h"
#include "machine/meta.h"

/* x(name, what it is); all in bytes */
#define TAX_FIELDS(x)                                                          \
	x(static_bytes,       "descriptors and fixed structures")              \
	x(dynamic_peak_bytes, "nodes and grown structures, at most")           \
	x(dynamic_end_bytes,  "the same, at the end")                          \
	x(allocatee_peak_bytes, "owners' objects beside the descriptors, at most") \
	x(caller_peak_bytes,  "sizes that callers keep to be able to free, at most") \
	x(borrowed_bytes,     "words borrowed from other descriptors, at most") \
	x(inband_peak_bytes,  "links kept inside free memory, at most")        \
	x(parked_peak_bytes,  "free memory parked in per-CPU lists, at most")  \
	x(lowmem_peak_bytes,  "descriptors, structures and nodes outside highmem, at most")

struct tax {
#define TAX_FIELD(name, what) uint64_t name;
	TAX_FIELDS(TAX_FIELD)
#undef TAX_FIELD
};

/* `start` is the account as it was before the first operation. */
void tax_compute(struct tax *tax, const struct meta_account *start,
		 const struct meta_account *end);

/* Everything but parked memory, each column at its peak. */
uint64_t tax_total(const struct tax *tax);

/* What the allocator alone takes: static and dynamic bytes. */
uint64_t tax_own(const struct tax *tax);

/* Bytes in percent of the machine's memory. */
double tax_percent(uint64_t bytes, const struct layout *layout);

#endif
