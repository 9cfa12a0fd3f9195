/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine.h - one simulated machine: memory, descriptors, metadata, window
 *
 *    layout (const, shared)      zones, holes, CPUs, highmem border
 *        |
 *    machine --- physical memory   sparse; only node pages are backed
 *            --- arena             every byte of metadata, counted by column
 *            --- window            highmem seen through kmap_local, counted
 *
 * Each allocator of a run has a machine of its own, so their footprints and
 * mapping costs never mix.
 */
#ifndef PAGETAX_MACHINE_MACHINE_H
#define PAGETAX_MACHINE_MACHINE_H

#include "base/cost.h"
#include "machine/arena.h"
#include "machine/layout.h"
#include "machine/meta.h"
#include "machine/physmem.h"
#include "machine/window.h"

struct kmap_stats {
	uint64_t calls;			/* maps that took a slot */
	unsigned int max_depth;		/* most live at once on one CPU */
};

struct machine {
	const struct layout *layout;	/* set at create; the caller keeps it */
	unsigned long highmem_pfn;	/* copied from the layout */
	unsigned long end_pfn;		/* copied from the layout */
	unsigned int nr_cpus;		/* copied from the layout */

	/* What a map touches lies together. */
	struct window window;
	struct kmap_stats kmap;		/* statistics only */
	struct physmem physmem;

	struct arena *arena;
	struct meta_account meta;	/* arena, and meta_charge() by backends */

	/*
	 * While a free runs, asking for memory is the sin this project forbids:
	 * machine_alloc() and alloc_pages() count it here.
	 */
	unsigned int free_depth;
	uint64_t free_path_allocations;
};

/*
 * Make a machine of this layout, which must outlive it. Returns 0, -ENOMEM
 * when the host has no room (the message says how much was needed), or
 * -EINVAL for a layout that does not hold or a window mode that this build
 * cannot offer (guard needs PAGE_SIZE to be the host's).
 */
int machine_create(struct machine **out, const struct layout *layout,
		   enum window_mode mode, struct msg *msg);
void machine_destroy(struct machine *m);

/* Bytes of the host's addresses that a machine of this layout reserves. */
uint64_t machine_addresses(const struct layout *layout);

static inline bool machine_page_is_high(const struct machine *m,
					unsigned long pfn)
{
	return pfn >= m->highmem_pfn;
}

/* Address of a lowmem page in the direct map. */
static inline void *machine_lowmem(struct machine *m, unsigned long pfn)
{
	return physmem_direct(&m->physmem, pfn);
}

/*
 * The words a backend keeps for each page: bytes_per_page bytes for every pfn
 * from 0 to end_pfn, so that page p is at base + p * bytes_per_page. Charged
 * to META_descriptors for the pages that exist only; holes are never
 * resident. NULL when there is no room.
 */
void *machine_memmap(struct machine *m, size_t bytes_per_page);

/*
 * Any other table that operations visit all over, on the host's huge pages if
 * it is large; `charge` of its bytes are charged. Zeroed, and not to be given
 * back. NULL when there is no room.
 */
void *machine_table(struct machine *m, uint64_t bytes, uint64_t charge,
		    enum meta_column col);

/* Metadata from the arena; counted as a free-path allocation inside a free. */
void *machine_alloc(struct machine *m, uint64_t bytes, enum meta_column col);
void machine_free(struct machine *m, void *ptr, uint64_t bytes,
		  enum meta_column col);

/* A page of memory carries metadata (META_nodes), or does no more. */
static inline void machine_charge_page(struct machine *m, unsigned long pfn)
{
	if (machine_page_is_high(m, pfn))
		meta_charge_high(&m->meta, META_nodes, PAGE_SIZE);
	else
		meta_charge(&m->meta, META_nodes, PAGE_SIZE);
}

static inline void machine_uncharge_page(struct machine *m, unsigned long pfn)
{
	if (machine_page_is_high(m, pfn))
		meta_uncharge_high(&m->meta, META_nodes, PAGE_SIZE);
	else
		meta_uncharge(&m->meta, META_nodes, PAGE_SIZE);
}

/* Let metadata be what the arena and the simulated memory hold. */
void machine_watch(const struct machine *m, struct cost *cost);

/*
 * A snapshot of all state of a machine that a backend can reach, and its
 * return in place: arena, account and the whole of physical memory, so small
 * machines only (the explorer). No map may be live.
 */
uint64_t machine_snapshot_bytes(const struct machine *m);
void machine_save(const struct machine *m, void *buf);
void machine_restore(struct machine *m, const void *buf);

/* kmap_local: inline, and in need of the struct above. */
#include "machine/highmem.h"

#endif
