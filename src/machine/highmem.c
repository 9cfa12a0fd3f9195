/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * highmem.c - the window's slow half: guard pages, uncounted looks, violations
 *
 *   guard mode, 4 places a CPU; CPU 0 has pfns 7 and 9 mapped
 *
 *   |.|   |.|7|.|9|.|   |.|   |.|   |.|   |.|   |.|
 *    CPU 0                     CPU 1                  . faults, always
 *          ^ slot[0]  ^ next_place                      faults until mapped
 *
 * Invariants:  depth == number of places mapped
 *              slot[i].addr are distinct, slot[depth - 1] the newest
 *
 * arith: no system call. guard: one for a map, one for an unmap.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fatal.h"
#include "machine/highmem.h"

/* Pages of one CPU's ring: its places with a guard page around each. */
#define RING_PAGES (2 * GUARD_PLACES + 1)

static int reserve_places(struct window *w, unsigned int nr_cpus,
			  struct msg *msg)
{
	size_t bytes = (size_t)nr_cpus * RING_PAGES * PAGE_SIZE;
	void *places;

	places = mmap(NULL, bytes, PROT_NONE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (places == MAP_FAILED)
		return msg_set(msg, ENOMEM,
			       "the window of %u CPUs needs %zu bytes of address space: %s",
			       nr_cpus, bytes, strerror(errno));
	w->places = places;
	w->places_bytes = bytes;
	return 0;
}

int window_create(struct window *w, enum window_mode mode, unsigned int nr_cpus,
		  struct msg *msg)
{
	size_t bytes = nr_cpus * sizeof(struct kmap_cpu);
	int err = 0;

	*w = (struct window){ .mode = mode };
	w->cpus = aligned_alloc(_Alignof(struct kmap_cpu), bytes);
	if (!w->cpus)
		return msg_set(msg, ENOMEM, "the slots of %u CPUs need %zu bytes",
			       nr_cpus, bytes);
	memset(w->cpus, 0, bytes);
	if (mode == WINDOW_GUARD)
		err = reserve_places(w, nr_cpus, msg);
	if (err)
		window_destroy(w);
	return err;
}

void window_destroy(struct window *w)
{
	if (w->places)
		munmap(w->places, w->places_bytes);
	free(w->cpus);
}

/* "pfn 7 at 0x..., pfn 9 at 0x...", oldest first. */
static const char *list_live_maps(const struct kmap_cpu *c, char *buf,
				  size_t size)
{
	size_t len = 0;

	snprintf(buf, size, "none");
	for (unsigned int i = 0; i < c->depth && len < size; i++) {
		int n = snprintf(buf + len, size - len, "%spfn %lu at %p",
				 i ? ", " : "", c->slot[i].pfn,
				 (const void *)c->slot[i].addr);

		len += n > 0 ? (size_t)n : 0;
	}
	return buf;
}

void kmap_exhausted(const struct machine *m, unsigned int cpu,
		    unsigned long pfn)
{
	char live[1024];

	fatal("kmap_local: CPU %u maps pfn %lu, but may hold only %d maps; live: %s",
	      cpu, pfn, KMAP_MAX_LIVE,
	      list_live_maps(&m->window.cpus[cpu], live, sizeof(live)));
}

void kunmap_disorder(const struct machine *m, unsigned int cpu,
		     const void *addr)
{
	char live[1024];

	fatal("kunmap_local: CPU %u unmaps %p, which is not its newest map; live: %s",
	      cpu, addr,
	      list_live_maps(&m->window.cpus[cpu], live, sizeof(live)));
}

static void *place_address(const struct machine *m, unsigned int cpu,
			   unsigned int place)
{
	size_t page = (size_t)cpu * RING_PAGES + 2 * place + 1;

	return m->window.places + page * PAGE_SIZE;
}

static bool is_live(const struct kmap_cpu *c, const void *addr)
{
	for (unsigned int i = 0; i < c->depth; i++)
		if (c->slot[i].addr == addr)
			return true;
	return false;
}

/* There are more places than maps can be live, so the search ends. */
static void *take_place(const struct machine *m, unsigned int cpu)
{
	struct kmap_cpu *c = &m->window.cpus[cpu];
	void *addr;

	do {
		addr = place_address(m, cpu, c->next_place);
		c->next_place = (c->next_place + 1) % GUARD_PLACES;
	} while (is_live(c, addr));
	return addr;
}

void *kmap_local_slow(struct machine *m, unsigned int cpu, unsigned long pfn)
{
	void *addr;

	if (m->window.mode == WINDOW_UNCOUNTED)
		return physmem_view(&m->physmem, pfn);

	addr = take_place(m, cpu);
	kmap_push(m, cpu, pfn, addr);
	physmem_map_at(&m->physmem, pfn, addr);
	return addr;
}

void kunmap_local_slow(struct machine *m, unsigned int cpu, const void *addr)
{
	struct kmap_cpu *c = &m->window.cpus[cpu];

	if (m->window.mode == WINDOW_UNCOUNTED)
		return;
	kmap_pop(m, cpu, addr);
	physmem_unmap_at(c->slot[c->depth].addr);
}
