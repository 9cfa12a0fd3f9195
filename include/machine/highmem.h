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
 *   arith       an address looked up                 yes
 *   guard       the page mapped into the slot; all   yes
 *               else of highmem truly faults, and
 *               an unmapped guard page stands
 *               between any two slots
 *   uncounted   as arith, without a slot             no: for checkers
 *
 * A lowmem page costs no slot: kmap_local_pfn() gives its address in the
 * direct map, as in Linux. kmap_local_forced() takes a slot for any page
 * (CONFIG_DEBUG_KMAP_LOCAL_FORCE_MAP), and kunmap_local_forced() gives it back:
 * the address of a lowmem page tells nothing, for in arith mode it is the one in
 * the direct map.
 *
 * Maps are inline because a tree in highmem pays them at every node: in arith
 * mode a map is a look-up and a push, an unmap a comparison and a pop.
 */
#ifndef PAGETAX_MACHINE_HIGHMEM_H
#define PAGETAX_MACHINE_HIGHMEM_H

#include "machine/machine.h"

/* Out of line: guard and uncounted mode, and the end of a caller's error. */
void *kmap_local_slow(struct machine *m, unsigned int cpu, unsigned long pfn);
void kunmap_local_slow(struct machine *m, unsigned int cpu, const void *addr);
void kmap_exhausted(const struct machine *m, unsigned int cpu,
		    unsigned long pfn) __attribute__((noreturn, cold));
void kunmap_disorder(const struct machine *m, unsigned int cpu,
		     const void *addr) __attribute__((noreturn, cold));

static inline void kmap_push(struct machine *m, unsigned int cpu,
			     unsigned long pfn, void *addr)
{
	struct kmap_cpu *c = &m->window.cpus[cpu];
	unsigned int depth = c->depth;

	if (unlikely(depth >= KMAP_MAX_LIVE))
		kmap_exhausted(m, cpu, pfn);
	c->slot[depth] = (struct kmap_slot){ .addr = addr, .pfn = pfn };
	c->depth = ++depth;
	m->kmap.calls++;
	if (unlikely(depth > m->kmap.max_depth))
		m->kmap.max_depth = depth;
}

static inline void kmap_pop(struct machine *m, unsigned int cpu,
			    const void *addr)
{
	struct kmap_cpu *c = &m->window.cpus[cpu];
	unsigned int depth = c->depth;

	if (unlikely(!depth || c->slot[depth - 1].addr != addr))
		kunmap_disorder(m, cpu, addr);
	c->depth = depth - 1;
}

/* Map one page on this CPU, lowmem or not, in a slot. */
static inline void *kmap_local_forced(struct machine *m, unsigned int cpu,
				      unsigned long pfn)
{
	void *addr;

	assert(cpu < m->nr_cpus);
	if (unlikely(m->window.mode != WINDOW_ARITH))
		return kmap_local_slow(m, cpu, pfn);
	addr = physmem_view(&m->physmem, pfn);
	kmap_push(m, cpu, pfn, addr);
	return addr;
}

/* Map one page on this CPU and return its PAGE_SIZE bytes. */
static inline void *kmap_local_pfn(struct machine *m, unsigned int cpu,
				   unsigned long pfn)
{
	if (!machine_page_is_high(m, pfn))
		return machine_lowmem(m, pfn);
	return kmap_local_forced(m, cpu, pfn);
}

/* Undo a forced map, which must be the newest that is live on this CPU. */
static inline void kunmap_local_forced(struct machine *m, unsigned int cpu,
				       const void *addr)
{
	assert(cpu < m->nr_cpus);
	if (unlikely(m->window.mode != WINDOW_ARITH))
		kunmap_local_slow(m, cpu, addr);
	else
		kmap_pop(m, cpu, addr);
}

/*
 * Undo the newest live map of this CPU, which must be the one that gave addr.
 * An address in the direct map is ignored, as in Linux.
 */
static inline void kunmap_local(struct machine *m, unsigned int cpu,
				const void *addr)
{
	if (!physmem_is_direct(&m->physmem, addr))
		kunmap_local_forced(m, cpu, addr);
}

/* Live maps of this CPU. */
static inline unsigned int kmap_depth(const struct machine *m, unsigned int cpu)
{
	assert(cpu < m->nr_cpus);
	return m->window.cpus[cpu].depth;
}

/*
 * Look at a page without a slot and without counting, in any mode: for
 * verify() and tests only. The address holds until the next call on this
 * machine.
 */
static inline const void *machine_peek(const struct machine *m,
				       unsigned long pfn)
{
	return physmem_peek(&m->physmem, pfn);
}

#endif
