/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * layout.h - what a machine's memory looks like: zones, holes, CPUs
 *
 * A layout is read from a bundle, a machine file or an option, and is const
 * from then on: every allocator of a run gets its own machine of one layout.
 *
 *    pfn 0        4096                     1048576             6553600
 *        | DMA    | DMA32        (hole)   | Normal             |
 *                                                 ^ highmem_pfn
 */
#ifndef PAGETAX_MACHINE_LAYOUT_H
#define PAGETAX_MACHINE_LAYOUT_H

#include "base/msg.h"
#include "base/types.h"

#define ZONE_NAME_LEN 16
#define ZONE_LABEL_LEN (ZONE_NAME_LEN + 10)	/* "Normal.node65535" */

struct zone {
	char name[ZONE_NAME_LEN];	/* the kernel's: each NUMA node may have one */
	char label[ZONE_LABEL_LEN];	/* with its node, where the name alone is not enough */
	unsigned long start_pfn;
	unsigned long spanned;		/* pages from start to end, holes included */
	unsigned long present;		/* pages that exist */
	unsigned long managed;		/* pages the allocator was given at boot */

	/*
	 * Watermarks and reserves in pages, as /proc/zoneinfo gives them; all 0
	 * when unknown. lowmem_reserve[i]: what requests that could have used
	 * zone i must leave in this one.
	 */
	unsigned long wmark_min;
	unsigned long wmark_low;
	unsigned long wmark_high;
	unsigned long lowmem_reserve[MAX_NR_ZONES];

	/* Per-CPU lists as recorded; all 0 when unknown. */
	unsigned int pcp_batch;
	unsigned int pcp_high_min;
	unsigned int pcp_high_max;
};

/* Pages that do not exist: [start_pfn, end_pfn). Sorted, disjoint. */
struct hole {
	unsigned long start_pfn;
	unsigned long end_pfn;
};

struct layout {
	unsigned int nr_cpus;
	unsigned int nr_zones;
	struct zone zones[MAX_NR_ZONES];	/* ascending, disjoint */

	struct hole *holes;
	unsigned int nr_holes;

	/* Pages from here on are high memory; PFN_NONE when there is none. */
	unsigned long highmem_pfn;
};

/* One past the last pfn of any zone. */
static inline unsigned long layout_end_pfn(const struct layout *l)
{
	const struct zone *last = &l->zones[l->nr_zones - 1];

	return last->start_pfn + last->spanned;
}

/* Bytes of memory below the border of highmem. */
static inline uint64_t layout_lowmem_bytes(const struct layout *l)
{
	return (uint64_t)min_t(unsigned long, l->highmem_pfn, layout_end_pfn(l)) <<
	       PAGE_SHIFT;
}

/* What tells a zone from all others of its layout. */
static inline const char *zone_label(const struct zone *z)
{
	return *z->label ? z->label : z->name;
}

static inline unsigned long zone_end_pfn(const struct zone *z)
{
	return z->start_pfn + z->spanned;
}

static inline bool zone_spans(const struct zone *z, unsigned long pfn)
{
	return pfn - z->start_pfn < z->spanned;
}

/* Index of the zone that spans pfn, or -1. */
int layout_zone_of(const struct layout *l, unsigned long pfn);

/* Whether the page exists: inside a zone and in no hole. */
bool layout_page_exists(const struct layout *l, unsigned long pfn);

/* Pages that exist, over all zones. */
unsigned long layout_present(const struct layout *l);

/*
 * Pages of one zone that lie in no hole. A recorded machine may count fewer
 * as present: firmware keeps some, whose descriptors exist all the same.
 */
unsigned long layout_zone_pages(const struct layout *l, unsigned int zone);

/*
 * One zone "Normal" of nr_pages from pfn 0 and nr_cpus CPUs, all lowmem.
 * Returns 0, or -EINVAL with a message.
 */
int layout_flat(struct layout *l, unsigned long nr_pages, unsigned int nr_cpus,
		struct msg *msg);

/*
 * A machine of `bytes` memory as an x86-64 kernel would zone it: DMA below
 * 16 MiB, DMA32 below 4 GiB, Normal above; no holes. Watermarks are computed
 * as Linux computes them.
 */
int layout_pc(struct layout *l, uint64_t bytes, unsigned int nr_cpus,
	      struct msg *msg);

/*
 * A machine as a 32-bit x86 kernel with PAE would zone it: DMA below 16 MiB,
 * Normal below lowmem_bytes (of a real one 896 MiB), HighMem above, which is
 * high memory. Where lowmem is smaller than 64 MiB, DMA is a quarter of it.
 */
int layout_pae(struct layout *l, uint64_t bytes, uint64_t lowmem_bytes,
	       unsigned int nr_cpus, struct msg *msg);

/*
 * Where the host has 32 bits, memory above 896 MiB becomes high memory, as a
 * kernel of 32 bits has it; elsewhere nothing changes.
 */
void layout_bound_lowmem(struct layout *l);

/*
 * Add a hole, keeping the list sorted and merged, and lower `present`. The
 * zone's managed count is left alone.
 */
int layout_add_hole(struct layout *l, unsigned long start_pfn,
		    unsigned long end_pfn, struct msg *msg);

/*
 * Make one zone "Normal" of all: what lies between two is a hole, pages and
 * marks add up, and no reserve is kept for anybody. -ENOMEM with a message.
 */
int layout_merge_zones(struct layout *l, struct msg *msg);

/*
 * Check everything a layout promises (order, overlap, counts, limits).
 * Returns 0, or -EINVAL with a message that names the zone.
 */
int layout_check(const struct layout *l, struct msg *msg);

/* Deep copy and its end; a copied layout owns its holes. */
int layout_copy(struct layout *to, const struct layout *from);
void layout_free(struct layout *l);

#endif
