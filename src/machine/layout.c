/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * layout.c - zones and holes: make them, change them, check them
 *
 *   zones      |---- DMA ----|------ DMA32 ------|      |---- Normal ----|
 *   holes              |##|         |#######|
 *
 * Invariants:  zones ascend and do not overlap
 *              holes ascend, and a page that exists lies between any two
 *              managed <= present <= spanned - pages in holes
 *
 * All figures are in pages. Looking up a zone is a walk over at most
 * MAX_NR_ZONES of them, a hole a binary search.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "machine/layout.h"
#include "machine/physmem.h"

/* Memory may not reach the sign bit of a file offset. */
#define MAX_MEMORY_BYTES (UINT64_C(1) << 62)

int layout_zone_of(const struct layout *l, unsigned long pfn)
{
	for (unsigned int i = 0; i < l->nr_zones; i++)
		if (zone_spans(&l->zones[i], pfn))
			return (int)i;
	return -1;
}

/* Index of the first hole that ends after pfn; nr_holes when none does. */
static unsigned int first_hole_after(const struct layout *l, unsigned long pfn)
{
	unsigned int low = 0;
	unsigned int high = l->nr_holes;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (l->holes[middle].end_pfn > pfn)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

bool layout_page_exists(const struct layout *l, unsigned long pfn)
{
	unsigned int i;

	if (layout_zone_of(l, pfn) < 0)
		return false;
	i = first_hole_after(l, pfn);
	return i == l->nr_holes || pfn < l->holes[i].start_pfn;
}

unsigned long layout_present(const struct layout *l)
{
	unsigned long present = 0;

	for (unsigned int i = 0; i < l->nr_zones; i++)
		present += l->zones[i].present;
	return present;
}

unsigned long layout_zone_pages(const struct layout *l, unsigned int zone)
{
	const struct zone *z = &l->zones[zone];
	unsigned long pages = z->spanned;

	for (unsigned int i = 0; i < l->nr_holes; i++) {
		unsigned long from = max_t(unsigned long, l->holes[i].start_pfn,
					   z->start_pfn);
		unsigned long to = min_t(unsigned long, l->holes[i].end_pfn,
					 zone_end_pfn(z));

		if (from < to)
			pages -= to - from;
	}
	return pages;
}

static void layout_init(struct layout *l, unsigned int nr_cpus)
{
	memset(l, 0, sizeof(*l));
	l->nr_cpus = nr_cpus;
	l->highmem_pfn = PFN_NONE;
}

static void add_zone(struct layout *l, const char *name,
		     unsigned long start_pfn, unsigned long nr_pages)
{
	struct zone *z = &l->zones[l->nr_zones++];

	strncpy(z->name, name, sizeof(z->name) - 1);
	z->start_pfn = start_pfn;
	z->spanned = nr_pages;
	z->present = nr_pages;
	z->managed = nr_pages;
}

int layout_flat(struct layout *l, unsigned long nr_pages, unsigned int nr_cpus,
		struct msg *msg)
{
	layout_init(l, nr_cpus);
	add_zone(l, "Normal", 0, nr_pages);
	return layout_check(l, msg);
}

/*
 * Where a kernel draws a zone's upper border, and vm.lowmem_reserve_ratio: one
 * page in so many of the zones above is kept here for those who have no other
 * place to go; 0: none is.
 */
struct zone_border {
	const char *name;
	uint64_t end_bytes;
	unsigned int reserve_ratio;
};

/* Largest integer whose square is not above n. */
static uint64_t integer_sqrt(uint64_t n)
{
	uint64_t root = 0;

	for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
		if ((root + bit) * (root + bit) <= n)
			root += bit;
	return root;
}

/* vm.min_free_kbytes as a kernel chooses it at boot, in pages. */
static uint64_t min_free_pages(uint64_t lowmem_pages)
{
	uint64_t lowmem_kb = (lowmem_pages << PAGE_SHIFT) / 1024;
	uint64_t kb = integer_sqrt(lowmem_kb * 16);	/* 4 * sqrt(kB) */

	kb = max_t(uint64_t, kb, 128);
	kb = min_t(uint64_t, kb, 256 * 1024);
	return (kb * 1024) >> PAGE_SHIFT;
}

/*
 * Lowmem zones share min_free_pages by their size. Nothing of the kernel's own
 * lives in high memory, so there a thousandth is enough.
 */
static void set_watermarks(struct layout *l)
{
	uint64_t lowmem = 0;
	uint64_t min_free;

	for (unsigned int i = 0; i < l->nr_zones; i++) {
		if (l->zones[i].start_pfn < l->highmem_pfn)
			lowmem += l->zones[i].managed;
	}
	min_free = min_free_pages(lowmem);

	for (unsigned int i = 0; i < l->nr_zones; i++) {
		struct zone *z = &l->zones[i];
		uint64_t min = min_free * z->managed / lowmem;
		uint64_t scaled = (uint64_t)z->managed * 10 / 10000;
		uint64_t gap = max_t(uint64_t, min / 4, scaled);

		if (z->start_pfn >= l->highmem_pfn) {
			min = max_t(uint64_t, z->managed / 1024, 32);
			min = min_t(uint64_t, min, 128);
		}
		z->wmark_min = (unsigned long)min;
		z->wmark_low = (unsigned long)(min + gap);
		z->wmark_high = (unsigned long)(min + 2 * gap);
	}
}

static void set_lowmem_reserve(struct layout *l,
			       const struct zone_border *borders)
{
	for (unsigned int i = 0; i < l->nr_zones; i++) {
		unsigned long above = 0;

		for (unsigned int j = i + 1; j < l->nr_zones; j++) {
			above += l->zones[j].managed;
			if (borders[i].reserve_ratio)
				l->zones[i].lowmem_reserve[j] =
					above / borders[i].reserve_ratio;
		}
	}
}

/* Zones up to their borders, the last one to the end of memory. */
static int layout_bordered(struct layout *l, const struct zone_border *borders,
			   uint64_t bytes, uint64_t highmem_bytes,
			   unsigned int nr_cpus, struct msg *msg)
{
	uint64_t nr_pages = bytes >> PAGE_SHIFT;
	uint64_t pfn = 0;

	layout_init(l, nr_cpus);
	if (!nr_pages || bytes > MAX_MEMORY_BYTES || nr_pages >= PFN_NONE)
		return msg_set(msg, EINVAL,
			       "%" PRIu64 " bytes of memory: expected %lu to %" PRIu64,
			       bytes, PAGE_SIZE, MAX_MEMORY_BYTES);

	if (highmem_bytes < bytes)
		l->highmem_pfn = (unsigned long)(highmem_bytes >> PAGE_SHIFT);
	for (; pfn < nr_pages; borders++) {
		uint64_t end = min_t(uint64_t, nr_pages,
				     borders->end_bytes >> PAGE_SHIFT);

		add_zone(l, borders->name, (unsigned long)pfn,
			 (unsigned long)(end - pfn));
		pfn = end;
	}
	return layout_check(l, msg);
}

int layout_pc(struct layout *l, uint64_t bytes, unsigned int nr_cpus,
	      struct msg *msg)
{
	static const struct zone_border borders[] = {
		{ "DMA",    UINT64_C(16) << 20, 256 },
		{ "DMA32",  UINT64_C(4) << 30,  256 },
		{ "Normal", UINT64_MAX,         32 },
	};
	int err = layout_bordered(l, borders, bytes, UINT64_MAX, nr_cpus, msg);

	if (err)
		return err;
	set_watermarks(l);
	set_lowmem_reserve(l, borders);
	return 0;
}

int layout_pae(struct layout *l, uint64_t bytes, uint64_t lowmem_bytes,
	       unsigned int nr_cpus, struct msg *msg)
{
	const uint64_t dma = min_t(uint64_t, UINT64_C(16) << 20, lowmem_bytes / 4);
	const struct zone_border borders[] = {
		{ "DMA",     dma,          256 },
		{ "Normal",  lowmem_bytes, 32 },
		{ "HighMem", UINT64_MAX,   0 },
	};
	int err;

	if (dma < PAGE_SIZE)
		return msg_set(msg, EINVAL,
			       "%" PRIu64 " bytes of lowmem: expected %lu or more",
			       lowmem_bytes, 4 * PAGE_SIZE);
	err = layout_bordered(l, borders, bytes, lowmem_bytes, nr_cpus, msg);
	if (err)
		return err;
	set_watermarks(l);
	set_lowmem_reserve(l, borders);
	return 0;
}

void layout_bound_lowmem(struct layout *l)
{
	const unsigned long most = (896UL << 20) >> PAGE_SHIFT;

	if (HIGHMEM_BY_TABLE && layout_end_pfn(l) > most && l->highmem_pfn > most)
		l->highmem_pfn = most;
}

/* Pages that the ranges [a, a_end) and [b, b_end) share. */
static unsigned long overlap(unsigned long a, unsigned long a_end,
			     unsigned long b, unsigned long b_end)
{
	unsigned long start = max_t(unsigned long, a, b);
	unsigned long end = min_t(unsigned long, a_end, b_end);

	return start < end ? end - start : 0;
}

/* Pages of [start_pfn, end_pfn) that lie in some hole. */
static unsigned long pages_in_holes(const struct layout *l,
				    unsigned long start_pfn,
				    unsigned long end_pfn)
{
	unsigned long nr = 0;

	for (unsigned int i = first_hole_after(l, start_pfn);
	     i < l->nr_holes && l->holes[i].start_pfn < end_pfn; i++)
		nr += overlap(start_pfn, end_pfn, l->holes[i].start_pfn,
			      l->holes[i].end_pfn);
	return nr;
}

/*
 *   holes   |##|   |##|  |####|     |##|
 *   new          |########|
 *   after   |##| |############|     |##|      first = 1, last = 3
 */
static int insert_hole(struct layout *l, unsigned long start_pfn,
		       unsigned long end_pfn)
{
	struct hole *holes = l->holes;
	unsigned int first = 0;
	unsigned int last;

	while (first < l->nr_holes && holes[first].end_pfn < start_pfn)
		first++;
	for (last = first; last < l->nr_holes &&
			   holes[last].start_pfn <= end_pfn; last++) {
		start_pfn = min_t(unsigned long, start_pfn, holes[last].start_pfn);
		end_pfn = max_t(unsigned long, end_pfn, holes[last].end_pfn);
	}

	if (first == last) {
		holes = realloc(holes, (l->nr_holes + 1) * sizeof(*holes));
		if (!holes)
			return -ENOMEM;
		l->holes = holes;
	}
	memmove(holes + first + 1, holes + last,
		(l->nr_holes - last) * sizeof(*holes));
	holes[first] = (struct hole){ start_pfn, end_pfn };
	l->nr_holes += 1 - (last - first);
	return 0;
}

int layout_add_hole(struct layout *l, unsigned long start_pfn,
		    unsigned long end_pfn, struct msg *msg)
{
	unsigned long lost[MAX_NR_ZONES] = { 0 };

	if (start_pfn >= end_pfn)
		return msg_set(msg, EINVAL,
			       "hole from pfn %lu to %lu: expected its end above its start",
			       start_pfn, end_pfn);

	for (unsigned int i = 0; i < l->nr_zones; i++) {
		const struct zone *z = &l->zones[i];
		unsigned long start = max_t(unsigned long, start_pfn, z->start_pfn);
		unsigned long end = min_t(unsigned long, end_pfn, zone_end_pfn(z));

		if (start < end)
			lost[i] = end - start - pages_in_holes(l, start, end);
		if (lost[i] > z->present)
			return msg_set(msg, EINVAL,
				       "hole from pfn %lu to %lu takes %lu pages of zone %s, which has %lu",
				       start_pfn, end_pfn, lost[i], z->name,
				       z->present);
	}
	if (insert_hole(l, start_pfn, end_pfn))
		return msg_set(msg, ENOMEM, "no memory for another hole after %u",
			       l->nr_holes);
	for (unsigned int i = 0; i < l->nr_zones; i++)
		l->zones[i].present -= lost[i];
	return 0;
}

/* The zone above takes part in the one below. */
static void absorb_zone(struct zone *all, const struct zone *z)
{
	all->spanned = zone_end_pfn(z) - all->start_pfn;
	all->present += z->present;
	all->managed += z->managed;
	all->wmark_min += z->wmark_min;
	all->wmark_low += z->wmark_low;
	all->wmark_high += z->wmark_high;
	all->pcp_batch = max_t(unsigned int, all->pcp_batch, z->pcp_batch);
	all->pcp_high_min += z->pcp_high_min;
	all->pcp_high_max += z->pcp_high_max;
}

int layout_merge_zones(struct layout *l, struct msg *msg)
{
	struct zone all = l->zones[0];

	for (unsigned int i = 1; i < l->nr_zones; i++) {
		const struct zone *z = &l->zones[i];

		if (zone_end_pfn(&all) < z->start_pfn &&
		    insert_hole(l, zone_end_pfn(&all), z->start_pfn))
			return msg_set(msg, ENOMEM,
				       "no memory for another hole after %u",
				       l->nr_holes);
		absorb_zone(&all, z);
	}
	strcpy(all.name, "Normal");
	*all.label = '\0';
	memset(all.lowmem_reserve, 0, sizeof(all.lowmem_reserve));
	l->zones[0] = all;
	l->nr_zones = 1;
	return 0;
}

static int check_zone(const struct layout *l, unsigned int i, struct msg *msg)
{
	const struct zone *z = &l->zones[i];
	unsigned long max_end =
		(unsigned long)min_t(uint64_t, MAX_MEMORY_BYTES >> PAGE_SHIFT,
				     PFN_NONE - 1);
	unsigned long holes;

	if (!z->name[0] || !memchr(z->name, '\0', sizeof(z->name)))
		return msg_set(msg, EINVAL,
			       "zone %u: expected a name of 1 to %d characters",
			       i, ZONE_NAME_LEN - 1);
	if (!z->spanned)
		return msg_set(msg, EINVAL, "zone %s spans no pages", z->name);
	if (z->start_pfn > max_end || z->spanned > max_end - z->start_pfn)
		return msg_set(msg, EINVAL,
			       "zone %s: %lu pages from pfn %lu pass the last possible pfn %lu",
			       z->name, z->spanned, z->start_pfn, max_end - 1);
	if (i && z->start_pfn < zone_end_pfn(z - 1))
		return msg_set(msg, EINVAL,
			       "zone %s starts at pfn %lu, inside or before zone %s, which ends at %lu",
			       z->name, z->start_pfn, z[-1].name,
			       zone_end_pfn(z - 1));
	holes = pages_in_holes(l, z->start_pfn, zone_end_pfn(z));
	if (z->present > z->spanned - holes)
		return msg_set(msg, EINVAL,
			       "zone %s: %lu pages present, but it spans %lu of which %lu are holes",
			       z->name, z->present, z->spanned, holes);
	if (z->managed > z->present)
		return msg_set(msg, EINVAL,
			       "zone %s: %lu pages managed, but only %lu present",
			       z->name, z->managed, z->present);
	if (z->wmark_min > z->wmark_low || z->wmark_low > z->wmark_high)
		return msg_set(msg, EINVAL,
			       "zone %s: watermarks %lu, %lu, %lu do not ascend",
			       z->name, z->wmark_min, z->wmark_low,
			       z->wmark_high);
	return 0;
}

static int check_holes(const struct layout *l, struct msg *msg)
{
	for (unsigned int i = 0; i < l->nr_holes; i++) {
		const struct hole *h = &l->holes[i];

		if (h->start_pfn >= h->end_pfn)
			return msg_set(msg, EINVAL,
				       "hole %u from pfn %lu to %lu is empty",
				       i, h->start_pfn, h->end_pfn);
		if (i && h->start_pfn <= h[-1].end_pfn)
			return msg_set(msg, EINVAL,
				       "hole %u starts at pfn %lu, not above the one before, which ends at %lu",
				       i, h->start_pfn, h[-1].end_pfn);
	}
	return 0;
}

int layout_check(const struct layout *l, struct msg *msg)
{
	int err;

	if (l->nr_cpus < 1 || l->nr_cpus > MAX_NR_CPUS)
		return msg_set(msg, EINVAL, "%u CPUs: expected 1 to %d",
			       l->nr_cpus, MAX_NR_CPUS);
	if (l->nr_zones < 1 || l->nr_zones > MAX_NR_ZONES)
		return msg_set(msg, EINVAL, "%u zones: expected 1 to %d",
			       l->nr_zones, MAX_NR_ZONES);

	/* Counting a zone's holes relies on their order. */
	err = check_holes(l, msg);
	for (unsigned int i = 0; !err && i < l->nr_zones; i++)
		err = check_zone(l, i, msg);
	return err;
}

int layout_copy(struct layout *to, const struct layout *from)
{
	struct hole *holes = NULL;

	if (from->nr_holes) {
		holes = malloc(from->nr_holes * sizeof(*holes));
		if (!holes)
			return -ENOMEM;
		memcpy(holes, from->holes, from->nr_holes * sizeof(*holes));
	}
	*to = *from;
	to->holes = holes;
	return 0;
}

void layout_free(struct layout *l)
{
	free(l->holes);
	l->holes = NULL;
	l->nr_holes = 0;
}
