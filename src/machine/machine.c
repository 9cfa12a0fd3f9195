/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine.c - put a machine together, and account for its metadata
 *
 *   snapshot   | arena and account | physical memory, pfn 0 to end_pfn |
 *
 * Making a machine costs a few system calls whatever its size: memory,
 * descriptors and structures are addresses until they are touched.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "machine/machine.h"

/*
 * Addresses set aside for metadata, resident only where touched. On 64 bits
 * four times the 64 bytes of the largest descriptor. A 32-bit host has no
 * addresses to waste; most is taken by a descriptor of 8 bytes and, set aside
 * at boot, a ring of 4 for each of six types, twice for all orders, and up to
 * twice as long where it has holes: 8 + 4 * 6 * 2 * 2.
 */
#define ARENA_BYTES_PER_PAGE (sizeof(void *) > 4 ? 256 : 112)
#define ARENA_BYTES_MIN (UINT64_C(32) << 20)

static uint64_t arena_bytes(const struct layout *layout)
{
	return ARENA_BYTES_MIN +
	       (uint64_t)layout_end_pfn(layout) * ARENA_BYTES_PER_PAGE;
}

uint64_t machine_addresses(const struct layout *layout)
{
	unsigned long end_pfn = layout_end_pfn(layout);
	unsigned long low_pages = min_t(unsigned long, layout->highmem_pfn, end_pfn);

	return physmem_addresses(end_pfn, low_pages) + arena_bytes(layout);
}

int machine_create(struct machine **out, const struct layout *layout,
		   enum window_mode mode, struct msg *msg)
{
	struct machine *m;
	uint64_t limit;
	int err;

	err = layout_check(layout, msg);
	if (err)
		return err;
	m = calloc(1, sizeof(*m));
	if (!m)
		return msg_set(msg, ENOMEM, "a machine needs %zu bytes",
			       sizeof(*m));
	m->layout = layout;
	m->highmem_pfn = layout->highmem_pfn;
	m->end_pfn = layout_end_pfn(layout);
	m->nr_cpus = layout->nr_cpus;

	/* The longest range first: a 32-bit host may have but one for it. */
	limit = arena_bytes(layout);
	m->arena = arena_create(limit, &m->meta);
	if (!m->arena) {
		err = msg_set(msg, ENOMEM,
			      "the metadata of %lu pages needs up to %" PRIu64 " bytes of address space",
			      m->end_pfn, limit);
		goto free_machine;
	}
	err = physmem_create(&m->physmem, m->end_pfn,
			     min_t(unsigned long, m->highmem_pfn, m->end_pfn),
			     mode == WINDOW_GUARD, msg);
	if (err)
		goto destroy_arena;
	err = window_create(&m->window, mode, m->nr_cpus, msg);
	if (err)
		goto destroy_physmem;
	*out = m;
	return 0;

destroy_physmem:
	physmem_destroy(&m->physmem);
destroy_arena:
	arena_destroy(m->arena);
free_machine:
	free(m);
	return err;
}

void machine_destroy(struct machine *m)
{
	if (!m)
		return;
	arena_destroy(m->arena);
	window_destroy(&m->window);
	physmem_destroy(&m->physmem);
	free(m);
}

static void count_allocation(struct machine *m)
{
	if (m->free_depth)
		m->free_path_allocations++;
}

void *machine_table(struct machine *m, uint64_t bytes, uint64_t charge,
		    enum meta_column col)
{
	void *table;

	count_allocation(m);
	table = arena_alloc_charged(m->arena, bytes, charge, col);

	/* Only advice, and aligned as it must be from 64 KiB on. */
	if (table && bytes >= UINT64_C(2) << 20)
		madvise(table, (size_t)bytes, MADV_HUGEPAGE);
	return table;
}

/*
 * Boot frees each largest block, so it fetches all of the map and no operation
 * has to.
 */
void *machine_memmap(struct machine *m, size_t bytes_per_page)
{
	return machine_table(m, (uint64_t)m->end_pfn * bytes_per_page,
			     (uint64_t)layout_present(m->layout) * bytes_per_page,
			     META_descriptors);
}

void *machine_alloc(struct machine *m, uint64_t bytes, enum meta_column col)
{
	count_allocation(m);
	return arena_alloc(m->arena, bytes, col);
}

void machine_free(struct machine *m, void *ptr, uint64_t bytes,
		  enum meta_column col)
{
	arena_free(m->arena, ptr, bytes, col);
}

void machine_watch(const struct machine *m, struct cost *cost)
{
	const struct physmem *p = &m->physmem;

	cost_watch(cost, m->arena, (uintptr_t)arena_limit(m->arena));
	cost_watch(cost, p->direct, (uintptr_t)p->low_pages << PAGE_SHIFT);
	cost_watch(cost, p->view, p->view_bytes);
	cost_watch(cost, m->window.places, m->window.places_bytes);
}

uint64_t machine_snapshot_bytes(const struct machine *m)
{
	return arena_snapshot_bytes(m->arena) +
	       ((uint64_t)m->end_pfn << PAGE_SHIFT);
}

void machine_save(const struct machine *m, void *buf)
{
	arena_save(m->arena, buf);
	physmem_save(&m->physmem,
		     (unsigned char *)buf + arena_snapshot_bytes(m->arena));
}

void machine_restore(struct machine *m, const void *buf)
{
	arena_restore(m->arena, buf);
	/* What was restored says how long its own part of the copy is. */
	physmem_restore(&m->physmem, (const unsigned char *)buf +
				     arena_snapshot_bytes(m->arena));
}
