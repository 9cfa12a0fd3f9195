/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * range_bytes.h - allocators of bytes, on pages drawn from a page allocator
 *
 *    bytes      [ 40 ][ 8 ][    ][ 120 ]
 *    units      of 8 bytes, in a range                    range_bytes_create()
 *      or slabs of objects of one size                    slab_baseline_create()
 *    pages      blocks of 2^order, from a simulated buddy
 *
 * What is handed out is an address: physical, or where a range's pages are
 * mapped one by one, of that mapping. Whole blocks of pages are asked for when
 * nothing else fits; a slab is given back when it is empty, a range keeps what
 * it has, as genalloc does, but for pages that it depopulates.
 */
#ifndef PAGETAX_ALLOC_RANGE_BYTES_H
#define PAGETAX_ALLOC_RANGE_BYTES_H

#include "alloc/allocator.h"
#include "alloc/range.h"

#define ADDRESS_NONE UINT64_MAX

struct bytes;

struct bytes_ops {
	/* ADDRESS_NONE when there is no room or the design cannot serve it. */
	uint64_t (*alloc)(struct bytes *b, unsigned long bytes);

	/* `bytes` as it was asked for. */
	void (*free)(struct bytes *b, uint64_t address, unsigned long bytes);

	int (*verify)(const struct bytes *b, struct msg *msg);

	/* Gives every page back, whatever is still out. */
	void (*destroy)(struct bytes *b);
};

struct bytes {
	const struct bytes_ops *ops;	/* set at create */
	struct allocator *pages;	/* set at create; the caller's */
	unsigned long nr_pages;		/* drawn from it now */
	uint64_t live_bytes;		/* as asked for; bytes_alloc, bytes_free */
};

/*
 * Units of unit_bytes, a power of two, in a range as range_create() makes it,
 * which grows by blocks of 2^order pages, or larger ones for what needs them.
 * A mapped one's blocks are of single pages from anywhere, side by side in an
 * address space of their own, as those of the percpu allocator are. Where
 * `singles` is not 0, it grows by so many pages of order 0, however long the run
 * is that found no room; and where it loses tails, only the first page of each
 * block is given back in the end: the posted NTA's ways.
 */
struct bytes_plan {
	const char *spec;
	unsigned long unit_bytes;
	unsigned int order;
	bool mapped;
	unsigned int singles;
	bool loses_tails;
};

/* 0 or a negative errno with a message. */
int range_bytes_create(struct bytes **out, const struct bytes_plan *plan,
		       struct allocator *pages, struct msg *msg);

enum slab_sizes {
	SLAB_POWERS_OF_2,		/* a cache for each power of two, from 8 bytes */
	SLAB_EQUAL,			/* a cache for each size, in multiples of 8 */
};

/* Slabs of equal objects, for one page block each; see slab_baseline.c. */
int slab_baseline_create(struct bytes **out, enum slab_sizes sizes,
			 struct allocator *pages, struct msg *msg);

static inline uint64_t bytes_alloc(struct bytes *b, unsigned long bytes)
{
	uint64_t address = b->ops->alloc(b, bytes);

	if (address != ADDRESS_NONE)
		b->live_bytes += bytes;
	return address;
}

static inline void bytes_free(struct bytes *b, uint64_t address,
			      unsigned long bytes)
{
	b->ops->free(b, address, bytes);
	b->live_bytes -= bytes;
}

/* A block of pages for *b: PFN_NONE when there is none. And back. */
unsigned long bytes_draw_pages(struct bytes *b, unsigned int order);
void bytes_return_pages(struct bytes *b, unsigned long pfn, unsigned int order);

#endif
