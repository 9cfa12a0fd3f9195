/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hybrid.c - a bitmap whose words with free pages are threaded on a stack
 *
 *    top -----------.
 *                   v
 *    entry   0      1      2      3         one for 64 pages (32 on 32 bits)
 *    next    -      3      -      (end)
 *    bitmap  full   .1.1   full   1...      1: in use
 *
 * Posted on an OS developers' forum in 2013 as "twice the bitmap, and O(1)".
 * A request takes the lowest clear bit of the top entry and pops the entry if
 * that was its last; a free clears the bit and pushes the entry if it was
 * full. One page at a time: no contiguity, no alignment, no order above 0, unless
 * emulate=singles has it pass off single pages as a block (singles.c).
 *
 * The code that was posted has fourteen defects, most of them oversights; the
 * backend is right. Two change what a caller sees, and as-posted=on brings
 * them back: masks are made with an int, `1 << bit`, so on a 64-bit machine
 *
 *    bit 31   extends to bits 31-63: the entry is full after 32 of 64 pages
 *    bit 32   wraps to bit 0: if bits 0-31 are in use already, nothing changes
 *             and the same page is handed out for ever
 *
 * The right form notices the free of a page that was never given out: a bit a
 * page says which are reserved. Only assertions and query() ask it, so it is not
 * charged: the design's tax is the posted two bits.
 *
 * Invariants:  an entry is on the stack  <=>  its bitmap is not full
 *              clear bits == free pages; bits of no page are set
 *              free + held + reserved == pages of the zone
 */
#include <assert.h>
#include <errno.h>

#include "alloc/allocator.h"
#include "alloc/free_runs.h"
#include "alloc/singles.h"
#include "base/bits.h"
#include "lib/bitmap.h"

#define ENTRY_PAGES BITMAP_WORD_BITS
#define ENTRY_FULL (~0UL)
#define STACK_END (~0UL)

extern const struct allocator_ops hybrid_ops;

struct hybrid_entry {
	unsigned long next;		/* on the stack: the entry below */
	unsigned long bitmap;		/* 1: in use, reserved, or no page */
};

struct hybrid_zone {
	struct hybrid_entry *entries;	/* set at create, as are the next five */
	unsigned long nr_entries;
	unsigned long base_pfn;		/* of entry 0, bit 0 */
	unsigned long start_pfn;
	unsigned long end_pfn;
	unsigned long *reserved_map;	/* for checks, uncharged; NULL as posted */

	unsigned long top;		/* entry, or STACK_END */
	unsigned long nr_free;
	unsigned long held;		/* pages in callers' hands */
	unsigned long reserved;
};

struct hybrid {
	struct allocator base;
	bool as_posted;			/* set at create */
	unsigned int nr_zones;
	struct hybrid_zone zones[MAX_NR_ZONES];
};

static struct hybrid *to_hybrid(struct allocator *a)
{
	return container_of(a, struct hybrid, base);
}

static const struct hybrid *to_const_hybrid(const struct allocator *a)
{
	return container_of_const(a, struct hybrid, base);
}

static struct hybrid_zone *zone_of(struct hybrid *h, unsigned long pfn)
{
	unsigned int i = h->nr_zones - 1;

	while (pfn < h->zones[i].start_pfn)
		i--;
	return &h->zones[i];
}

static unsigned long mask_of(const struct hybrid *h, unsigned int bit)
{
	if (unlikely(h->as_posted))
		return (unsigned long)(long)(int)(1U << (bit & 31));
	return 1UL << bit;
}

/* --- one page --------------------------------------------------------- */

/* As posted, a mask may have more bits than one, or none that is new. */
static void set_bitmap(struct hybrid_zone *z, struct hybrid_entry *e,
		       unsigned long bitmap)
{
	unsigned long changed = e->bitmap ^ bitmap;

	if (likely(is_power_of_2(changed))) {
		z->nr_free += changed & bitmap ? -1UL : 1UL;
	} else {
		z->nr_free += (unsigned long)__builtin_popcountl(e->bitmap);
		z->nr_free -= (unsigned long)__builtin_popcountl(bitmap);
	}
	e->bitmap = bitmap;
}

static unsigned long zone_take(const struct hybrid *h, struct hybrid_zone *z)
{
	struct hybrid_entry *e;
	unsigned long index = z->top;
	unsigned int bit;

	if (index == STACK_END)
		return PFN_NONE;
	e = &z->entries[index];
	COST_NOW(list_nodes, 1);
	COST_NOW(bits_scanned, ENTRY_PAGES);
	bit = lowest_bit(~e->bitmap);
	set_bitmap(z, e, e->bitmap | mask_of(h, bit));
	if (e->bitmap == ENTRY_FULL)
		z->top = e->next;
	z->held++;
	return z->base_pfn + index * ENTRY_PAGES + bit;
}

static void zone_give(const struct hybrid *h, struct hybrid_zone *z,
		      unsigned long pfn)
{
	unsigned long index = (pfn - z->base_pfn) / ENTRY_PAGES;
	unsigned int bit = (pfn - z->base_pfn) % ENTRY_PAGES;
	struct hybrid_entry *e = &z->entries[index];
	bool was_full = e->bitmap == ENTRY_FULL;

	assert(pfn < z->end_pfn);
	assert(h->as_posted || e->bitmap & mask_of(h, bit));
	set_bitmap(z, e, e->bitmap & ~mask_of(h, bit));
	if (was_full) {
		COST_NOW(list_nodes, 1);
		e->next = z->top;
		z->top = index;
	}
}

/* --- the calls -------------------------------------------------------- */

static unsigned long hybrid_alloc(struct allocator *a,
				  const struct alloc_req *req)
{
	struct hybrid *h = to_hybrid(a);

	for (unsigned int i = min_t(unsigned int, req->zone_limit + 1, h->nr_zones);
	     i-- > 0;) {
		unsigned long pfn = zone_take(h, &h->zones[i]);

		if (likely(pfn != PFN_NONE))
			return pfn;
	}
	return PFN_NONE;
}

/* Orders above 0 come from blocks in use at the start only. */
static void hybrid_free(struct allocator *a, unsigned long pfn,
			unsigned int order, unsigned int cpu)
{
	struct hybrid *h = to_hybrid(a);
	struct hybrid_zone *z = zone_of(h, pfn);

	(void)cpu;
	for (unsigned long i = 0; i < 1UL << order; i++) {
		assert(!z->reserved_map ||
		       !bitmap_test(z->reserved_map, pfn + i - z->base_pfn));
		zone_give(h, z, pfn + i);
	}
	z->held -= 1UL << order;
}

/* No page of [pfn, pfn + 2^order) is reserved from now on. */
static void leave_reserve(struct hybrid_zone *z, unsigned long pfn,
			  unsigned int order)
{
	unsigned long first = pfn - z->base_pfn;

	if (z->reserved_map)
		bitmap_clear_range(z->reserved_map, first, first + (1UL << order));
	z->reserved -= 1UL << order;
}

static void hybrid_release(struct allocator *a, unsigned long pfn,
			   unsigned int order)
{
	struct hybrid *h = to_hybrid(a);
	struct hybrid_zone *z = zone_of(h, pfn);

	leave_reserve(z, pfn, order);
	for (unsigned long i = 0; i < 1UL << order; i++) {
		unsigned long page = pfn + i - z->base_pfn;
		struct hybrid_entry *e = &z->entries[page / ENTRY_PAGES];
		bool was_full = e->bitmap == ENTRY_FULL;

		set_bitmap(z, e, e->bitmap & ~(1UL << page % ENTRY_PAGES));
		if (was_full) {
			e->next = z->top;
			z->top = page / ENTRY_PAGES;
		}
	}
}

static int hybrid_adopt(struct allocator *a, unsigned long pfn,
			unsigned int order)
{
	struct hybrid_zone *z = zone_of(to_hybrid(a), pfn);

	leave_reserve(z, pfn, order);
	z->held += 1UL << order;
	return 0;
}

/* --- questions -------------------------------------------------------- */

static bool page_is_free(const struct hybrid_zone *z, unsigned long pfn)
{
	unsigned long page = pfn - z->base_pfn;

	return !(z->entries[page / ENTRY_PAGES].bitmap >> page % ENTRY_PAGES & 1);
}

static void hybrid_free_area(const struct allocator *a, unsigned int zone,
			     unsigned long nr_free[NR_PAGE_ORDERS])
{
	const struct hybrid_zone *z = &to_const_hybrid(a)->zones[zone];
	unsigned long pfn = z->base_pfn, run = 0;

	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		nr_free[order] = 0;
	for (unsigned long e = 0; e < z->nr_entries; e++, pfn += ENTRY_PAGES)
		run = run_count_word(nr_free, pfn, z->entries[e].bitmap, run);
	run_count_blocks(nr_free, pfn - run, run);
}

static void hybrid_counts(const struct allocator *a, unsigned int zone,
			  struct page_counts *counts)
{
	*counts = (struct page_counts){
		.free = to_const_hybrid(a)->zones[zone].nr_free,
	};
}

static void hybrid_query(const struct allocator *a, unsigned long pfn,
			 struct page_info *info)
{
	const struct hybrid *h = to_const_hybrid(a);
	int zone = layout_zone_of(a->machine->layout, pfn);
	const struct hybrid_zone *z;

	*info = (struct page_info){ PAGE_STATE_RESERVED, PFN_NONE, 0 };
	if (zone < 0)
		return;
	z = &h->zones[zone];
	if (page_is_free(z, pfn))
		info->state = PAGE_STATE_FREE;
	else if (!z->reserved_map)
		info->state = PAGE_STATE_USED;
	else if (!bitmap_test(z->reserved_map, pfn - z->base_pfn))
		info->state = PAGE_STATE_ALLOCATED;
}

/* The stack holds the entries that are not full, and each of them once. */
static int verify_stack(const struct hybrid_zone *z, const struct zone *zone,
			struct msg *msg)
{
	unsigned long steps = 0, not_full = 0, clear = 0;

	for (unsigned long i = 0; i < z->nr_entries; i++) {
		not_full += z->entries[i].bitmap != ENTRY_FULL;
		clear += (unsigned long)__builtin_popcountl(~z->entries[i].bitmap);
	}
	for (unsigned long i = z->top; i != STACK_END && steps <= not_full;
	     i = z->entries[i].next, steps++)
		if (z->entries[i].bitmap == ENTRY_FULL)
			return msg_set(msg, EUCLEAN,
				       "zone %s: entry %lu is full and on the stack",
				       zone->name, i);
	if (steps != not_full)
		return msg_set(msg, EUCLEAN,
			       "zone %s: %lu entries have free pages, the stack has %s%lu",
			       zone->name, not_full, steps > not_full ? "more than " : "",
			       steps > not_full ? not_full : steps);
	if (clear != z->nr_free)
		return msg_set(msg, EUCLEAN,
			       "zone %s: %lu pages are free, the counter says %lu",
			       zone->name, clear, z->nr_free);
	return 0;
}

static int hybrid_verify(const struct allocator *a, struct msg *msg)
{
	const struct layout *l = a->machine->layout;
	const struct hybrid *h = to_const_hybrid(a);

	for (unsigned int i = 0; i < h->nr_zones; i++) {
		const struct hybrid_zone *z = &h->zones[i];
		unsigned long pages = layout_zone_pages(l, i);
		int err = verify_stack(z, &l->zones[i], msg);

		if (err)
			return err;
		for (unsigned long pfn = z->start_pfn; pfn < z->end_pfn; pfn++)
			if (page_is_free(z, pfn) && !layout_page_exists(l, pfn))
				return msg_set(msg, EUCLEAN,
					       "zone %s: pfn %#lx is free and does not exist",
					       l->zones[i].name, pfn);
		if (z->nr_free + z->held + z->reserved != pages)
			return msg_set(msg, EUCLEAN,
				       "zone %s: %lu pages free, %lu in use and %lu reserved are not the %lu there are",
				       l->zones[i].name, z->nr_free, z->held,
				       z->reserved, pages);
	}
	return 0;
}

static uint64_t hybrid_fingerprint(const struct allocator *a)
{
	const struct hybrid *h = to_const_hybrid(a);
	uint64_t hash = 0;

	for (unsigned int i = 0; i < h->nr_zones; i++) {
		const struct hybrid_zone *z = &h->zones[i];

		for (unsigned long e = 0; e < z->nr_entries; e++)
			hash = fingerprint_mix(hash, z->entries[e].bitmap);
		for (unsigned long e = z->top; e != STACK_END; e = z->entries[e].next)
			hash = fingerprint_mix(hash, e);
	}
	return hash;
}

/* --- life ------------------------------------------------------------- */

static void hybrid_destroy(struct allocator *a)
{
	struct hybrid *h = to_hybrid(a);

	for (unsigned int i = 0; i < h->nr_zones; i++) {
		struct hybrid_zone *z = &h->zones[i];

		if (z->entries)
			machine_free(a->machine, z->entries,
				     z->nr_entries * sizeof(*z->entries),
				     META_structures);
	}
	machine_free(a->machine, h, sizeof(*h), META_structures);
}

static bool zone_init(struct hybrid *h, struct hybrid_zone *z,
		      const struct zone *zone)
{
	struct machine *m = h->base.machine;

	z->start_pfn = zone->start_pfn;
	z->end_pfn = zone_end_pfn(zone);
	z->base_pfn = z->start_pfn / ENTRY_PAGES * ENTRY_PAGES;
	z->nr_entries = div_round_up(z->end_pfn - z->base_pfn, ENTRY_PAGES);
	z->top = STACK_END;
	z->entries = machine_alloc(m, z->nr_entries * sizeof(*z->entries),
				   META_structures);
	if (!z->entries)
		return false;
	for (unsigned long i = 0; i < z->nr_entries; i++)
		z->entries[i].bitmap = ENTRY_FULL;
	if (h->as_posted)
		return true;
	z->reserved_map = arena_alloc_charged(m->arena,
					      z->nr_entries * sizeof(long), 0,
					      META_structures);
	if (!z->reserved_map)
		return false;
	bitmap_set_range(z->reserved_map, 0, z->nr_entries * ENTRY_PAGES);
	return true;
}

static int hybrid_create(struct allocator **out, struct machine *m,
			 const struct option_set *opts, struct msg *msg)
{
	bool singles = option_get(opts, "emulate");
	const struct layout *l = m->layout;
	struct hybrid *h;

	if (singles && option_get(opts, "as-posted"))
		return msg_set(msg, EINVAL,
			       "hybrid: as-posted=on gives pages out twice, which emulate=singles cannot put in lists: give one of them");
	h = machine_alloc(m, sizeof(*h), META_structures);
	if (!h)
		return msg_set(msg, ENOMEM, "hybrid: no room for its own state");
	h->base.ops = &hybrid_ops;
	h->base.machine = m;
	h->nr_zones = l->nr_zones;
	h->as_posted = option_get(opts, "as-posted");
	for (unsigned int i = 0; i < l->nr_zones; i++) {
		h->zones[i].reserved = layout_zone_pages(l, i);
		if (zone_init(h, &h->zones[i], &l->zones[i]))
			continue;
		hybrid_destroy(&h->base);
		return msg_set(msg, ENOMEM, "hybrid: no room for the entries of zone %s",
			       l->zones[i].name);
	}
	*out = &h->base;
	if (singles && singles_wrap(out, &h->base, msg)) {
		hybrid_destroy(&h->base);
		return -ENOMEM;
	}
	return 0;
}

static const struct option_spec hybrid_options[] = {
	{ "as-posted", "off|on", "off", "masks made with an int, as in the code that was posted: pages are lost, or given out twice" },
	{ "emulate", "off|singles", "off", "an order above 0: refuse it, or take as many single pages wherever they lie" },
	{ NULL, NULL, NULL, NULL },
};

const struct allocator_ops hybrid_ops = {
	.name = "hybrid",
	.summary = "bitmap words with free pages on a stack: single pages only, O(1)",
	.options = hybrid_options,
	.caps = { .max_order = 0, .query = QUERY_USED_FREE },
	.create = hybrid_create,
	.destroy = hybrid_destroy,
	.adopt = hybrid_adopt,
	.release = hybrid_release,
	.alloc = hybrid_alloc,
	.free = hybrid_free,
	.free_area = hybrid_free_area,
	.counts = hybrid_counts,
	.query = hybrid_query,
	.verify = hybrid_verify,
	.fingerprint = hybrid_fingerprint,
};
