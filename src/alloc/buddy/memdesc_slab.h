/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memdesc_slab.h - structs buddy, and the slabs they live in
 *
 *    struct slab                  its memory: 85 slots of 48 bytes
 *    [ free slots | page ] -----> [ block | block |       | block | ... ]
 *
 *    partial   [slab] [slab]      a struct is taken from the first of these,
 *    empty     [slab]             or of these if there are none
 *    full      [slab] [slab]
 *
 * The memory is a page of the machine; or it is apart, of no zone (pfn is
 * PFN_NONE): at boot, before any page is free, and for good if slabs=apart.
 *
 * A place is the address of a struct if it has one, else its physical address
 * and bit 63. In high memory each look at a struct is one kmap_local.
 *
 * Invariants:  nr_free == free slots of all slabs
 *              a slab is on the list that its free slots say
 *
 * take and put cost O(1): a bit, and the map of one struct.
 */
#ifndef PAGETAX_ALLOC_BUDDY_MEMDESC_SLAB_H
#define PAGETAX_ALLOC_BUDDY_MEMDESC_SLAB_H

#include "listed.h"

#define STRUCT_BYTES 48			/* 40 of content, aligned to 16 */
#define NR_SLOTS max_t(size_t, PAGE_SIZE / STRUCT_BYTES, 1)	/* toy pages: refused at create */
#define SLOT_WORDS ((NR_SLOTS + 63) / 64)
#define PLACE_HIGH (UINT64_C(1) << 63)

enum slab_list { SLAB_PARTIAL, SLAB_EMPTY, SLAB_FULL, NR_SLAB_LISTS };

/* What a struct slab holds of a slab page; SLAB_BYTES are charged for it. */
struct slab {
	struct slab *next;
	struct slab *prev;
	unsigned long pfn;		/* PFN_NONE: its memory is apart */
	unsigned char *apart;		/* that memory */
	unsigned int nr_free;
	enum slab_list list;
	uint64_t free[SLOT_WORDS];	/* a bit for each free slot */
};
#define SLAB_BYTES max_t(size_t, 64, sizeof(struct slab))

/* A struct buddy of the design. */
struct block {
	uint64_t next;			/* on the free list: places */
	uint64_t prev;
	uint64_t pfn;
	uint32_t order;
	uint32_t flags;			/* the design's; nothing here needs one */
	struct slab *home;
};
_Static_assert(sizeof(struct block) <= STRUCT_BYTES, "a struct fits its slot");

struct slabs {
	unsigned long nr_free;		/* structs in no use */
	unsigned long nr_used;
	struct slab *list[NR_SLAB_LISTS];
	unsigned long nr_pages[MAX_NR_ZONES];	/* of the machine */
};

/* --- a struct and its place ------------------------------------------- */

static inline struct block *block_map(const struct buddy *b, uint64_t place)
{
	uint64_t paddr = place & ~PLACE_HIGH;
	unsigned char *page;

	if (!(place & PLACE_HIGH))
		return (struct block *)(uintptr_t)place;
	page = kmap_local_pfn(b->base.machine, to_listed(b)->cpu,
			      (unsigned long)(paddr >> PAGE_SHIFT));
	return (struct block *)(void *)(page + (paddr & (PAGE_SIZE - 1)));
}

static inline void block_unmap(const struct buddy *b, uint64_t place,
			       const struct block *block)
{
	if (place & PLACE_HIGH)
		kunmap_local(b->base.machine, to_listed(b)->cpu,
			     (const unsigned char *)block -
			     (place & (PAGE_SIZE - 1)));
}

/* For checks; holds until the next one. */
static inline const struct block *block_peek(const struct buddy *b, uint64_t place)
{
	uint64_t paddr = place & ~PLACE_HIGH;
	const unsigned char *page;

	if (!(place & PLACE_HIGH))
		return (const struct block *)(uintptr_t)place;
	page = machine_peek(b->base.machine, (unsigned long)(paddr >> PAGE_SHIFT));
	return (const struct block *)(const void *)(page + (paddr & (PAGE_SIZE - 1)));
}

static inline uint64_t slab_place(const struct buddy *b, const struct slab *s,
				  unsigned int slot)
{
	struct machine *m = b->base.machine;
	size_t offset = (size_t)slot * STRUCT_BYTES;

	if (s->pfn == PFN_NONE)
		return (uintptr_t)(s->apart + offset);
	if (machine_page_is_high(m, s->pfn))
		return PLACE_HIGH | ((uint64_t)s->pfn << PAGE_SHIFT) | offset;
	return (uintptr_t)((unsigned char *)machine_lowmem(m, s->pfn) + offset);
}

/* Whether a place is a slot of this slab that is in use. */
bool slab_lends(const struct buddy *b, const struct slab *s, uint64_t place);

/* --- structs come and go ---------------------------------------------- */

/* The slab's free slots are no longer those of its list. */
void slab_relist(struct slabs *slabs, struct slab *s);

/*
 * A slab whose memory is the page pfn of zone z, which is on no list, or apart.
 * NULL or false: there is no room for it.
 */
struct slab *slab_add_page(struct buddy *b, struct slabs *slabs,
			   const struct buddy_zone *z, unsigned long pfn);
bool slab_add_apart(struct buddy *b, struct slabs *slabs);

/*
 * One block may be freed as two, where its pageblocks have come to differ in
 * type. The reserve pays for that; should it ever be spent, memory apart is
 * used, and shows as an allocation on the free path.
 */
static inline uint64_t struct_take(struct buddy *b, struct slabs *slabs)
{
	struct slab *s = slabs->list[SLAB_PARTIAL];
	unsigned int word = 0, bit;
	struct block *block;
	uint64_t place;

	if (unlikely(!s))
		s = slabs->list[SLAB_EMPTY];
	if (unlikely(!s)) {
		slab_add_apart(b, slabs);
		s = slabs->list[SLAB_EMPTY];
	}
	assert(s);
	while (!s->free[word])
		word++;
	bit = (unsigned int)__builtin_ctzll(s->free[word]);
	s->free[word] &= s->free[word] - 1;
	if (s->nr_free-- == NR_SLOTS || !s->nr_free)
		slab_relist(slabs, s);
	slabs->nr_free--;
	slabs->nr_used++;
	place = slab_place(b, s, word * 64 + bit);
	block = block_map(b, place);
	block->home = s;
	block_unmap(b, place, block);
	return place;
}

static inline void struct_put(struct buddy *b, struct slabs *slabs,
			      uint64_t place, struct slab *home)
{
	unsigned int slot = (unsigned int)
		((place - slab_place(b, home, 0)) / STRUCT_BYTES);

	home->free[slot / 64] |= UINT64_C(1) << slot % 64;
	if (!home->nr_free++ || home->nr_free == NR_SLOTS)
		slab_relist(slabs, home);
	slabs->nr_free++;
	slabs->nr_used--;
}

/* --- slabs that are not needed ---------------------------------------- */

/* An empty slab in a page of the machine, without which `left` structs are left. */
struct slab *slab_to_release(const struct slabs *slabs, unsigned long left);

/* The page of an empty slab, which is a slab no more. */
unsigned long slab_remove(struct buddy *b, struct slabs *slabs, struct slab *s);

void slabs_destroy(struct slabs *slabs, struct machine *m);

/* Whether the slabs' counts are those of their slots. */
int slabs_verify(const struct slabs *slabs, struct msg *msg);

#endif
