/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * percpu_map.c - Linux's percpu allocator until 2017: chunks of area maps
 *
 *    slots      chunk         area map
 *    [ 17 ]
 *    [ 16 ] --> 256 KiB  -->  0 | 5 | 13 | 16 | 21 | 32 | 133
 *    [ .. ]     hint 100      one 4-byte entry an area, bit 0: in use
 *
 * A chunk (percpu.h) is described by an area map (area_map.h): its areas in
 * order, free or in use, as the offsets at which they begin. Chunks stand in
 * slots by the bytes they have free, in however many pieces; one is looked into
 * only if its hint, an upper bound, allows for the size. The hint knows nothing
 * of alignment, so a chunk full of misaligned holes is searched in vain each
 * time.
 *
 * Invariants:  those of each area map; slot(chunk) follows from free_bytes
 *
 * Alloc visits areas until one fits, in the worst case each of every chunk;
 * alloc and free move the entries behind the place. The map keeps 64 entries
 * to spare at each alloc and grows by doubling; a free only takes entries out.
 * A caller that cannot wait has to do with what is spare; where that is little
 * a worker, here at the end of the call, makes the map grow.
 * Memory: 4 bytes an entry, so from 4 bytes a run to 8 bytes where runs and
 * holes alternate, twice that after a doubling. Reserved units are an area in
 * use which nobody frees.
 */
#include <errno.h>

#include "alloc/range_pages.h"
#include "area_map.h"
#include "base/bits.h"
#include "percpu.h"

#define SPARE_ENTRIES 64		/* kept for callers that cannot wait */
#define SPARE_LOW 32			/* fewer: the worker makes more */
#define SPARE_MIN 3			/* fewer: such a caller fails */

struct map_chunk {
	struct percpu_chunk base;
	struct area_map areas;
	bool wants_room;		/* an atomic caller found its map short */
};

static struct map_chunk *to_map_chunk(struct percpu_chunk *c)
{
	return container_of(c, struct map_chunk, base);
}

static const struct area_map *areas_of(const struct percpu_chunk *c)
{
	return &((const struct map_chunk *)c)->areas;
}

static int map_create(struct range **out, const struct range_ops *ops,
		      struct machine *m, const struct option_set *opts,
		      struct msg *msg)
{
	struct percpu *p = machine_alloc(m, sizeof(*p), META_structures);

	if (!p)
		return msg_set(msg, ENOMEM, "percpu_map: no room for its slots");
	percpu_init(p, ops, m, (unsigned int)option_get(opts, "pages") *
			    PERCPU_PAGE_UNITS,
		    sizeof(struct map_chunk), 1);
	*out = &p->base;
	return 0;
}

static void drop_chunk(struct percpu *p, struct percpu_chunk *c)
{
	area_map_destroy(&to_map_chunk(c)->areas, &p->base);
	percpu_chunk_destroy(p, c);
}

static void map_destroy(struct range *r)
{
	struct percpu *p = to_percpu(r);

	while (p->nr_chunks)
		drop_chunk(p, p->chunks[p->nr_chunks - 1]);
	percpu_exit(p);
	machine_free(r->machine, p, sizeof(*p), META_structures);
}

static unsigned int slot_of(const struct percpu *p, const struct percpu_chunk *c)
{
	const struct area_map *am = areas_of(c);

	if (!am->free_bytes || !am->contig_hint)
		return 0;
	if (am->free_bytes == am->total)
		return p->nr_slots - 1;
	return percpu_slot_of_bytes(am->free_bytes);
}

static int map_add(struct range *r, unsigned long first, unsigned long nr)
{
	struct percpu *p = to_percpu(r);
	unsigned long at = 0;

	while (at < nr) {
		struct percpu_chunk *c = percpu_chunk_create(p, first + at,
							     nr - at);

		if (!c)
			break;
		if (!area_map_create(&to_map_chunk(c)->areas, r,
				     c->nr_units * PERCPU_UNIT_BYTES)) {
			percpu_chunk_destroy(p, c);
			break;
		}
		percpu_chunk_move(p, c, 0);
		at += c->nr_units;
	}
	if (at >= nr)
		return 0;
	/* Each chunk but the last is whole, so that is how they are found. */
	while (at) {
		at -= p->chunk_units;
		drop_chunk(p, percpu_chunk_of(p, first + at));
	}
	return -ENOMEM;
}

/*
 * What lies in [first, end) of one chunk: its offset and size in bytes.
 * Callers at the start of a machine do not know about chunks.
 */
struct piece {
	struct percpu_chunk *chunk;
	uint32_t offset;
	uint32_t size;
	unsigned long nr;
};

static struct piece piece_of(const struct percpu *p, unsigned long first,
			     unsigned long end)
{
	struct piece piece = { .chunk = percpu_chunk_of(p, first) };
	unsigned long at;

	assert(piece.chunk);
	at = first - piece.chunk->first;
	piece.nr = min_t(unsigned long, end - first, piece.chunk->nr_units - at);
	piece.offset = (uint32_t)at * PERCPU_UNIT_BYTES;
	piece.size = (uint32_t)piece.nr * PERCPU_UNIT_BYTES;
	return piece;
}

static void map_release(struct range *r, unsigned long first, unsigned long nr)
{
	struct percpu *p = to_percpu(r);
	unsigned long end = first + nr;

	while (first < end) {
		struct piece piece = piece_of(p, first, end);
		struct area_map *am = &to_map_chunk(piece.chunk)->areas;
		bool room = area_map_reserve(am, r, 2);

		/* The arena has room for many more entries than pages. */
		assert(room);
		(void)room;
		area_map_cut(am, r, piece.offset, piece.size);
		area_map_free(am, r, piece.offset);
		percpu_chunk_move(p, piece.chunk, slot_of(p, piece.chunk));
		first += piece.nr;
	}
}

static int map_adopt(struct range *r, unsigned long first, unsigned long nr)
{
	struct piece piece = piece_of(to_percpu(r), first, first + nr);
	struct area_map *am = &to_map_chunk(piece.chunk)->areas;

	assert(piece.nr == nr);
	if (!area_map_reserve(am, r, 2))
		return -ENOMEM;
	area_map_cut(am, r, piece.offset, piece.size);
	return 0;
}

/* Entries for one more run: made, or for an atomic caller found. */
static bool chunk_has_room(struct percpu *p, struct map_chunk *c, bool atomic)
{
	unsigned int spare = area_map_spare(&c->areas);

	if (!atomic)
		return area_map_reserve(&c->areas, &p->base, SPARE_ENTRIES);
	if (spare < SPARE_LOW)
		c->wants_room = true;
	return spare >= SPARE_MIN;
}

static uint32_t chunk_alloc(struct percpu *p, struct percpu_chunk *c,
			    uint32_t size, uint32_t align, bool atomic)
{
	struct area_map *am = &to_map_chunk(c)->areas;

	if (size > am->contig_hint)
		return AREA_NONE;
	if (!chunk_has_room(p, to_map_chunk(c), atomic))
		return AREA_NONE;
	COST_ADD(&p->base, chunks_tried, 1);
	return area_map_alloc(am, &p->base, size, align);
}

static unsigned long slots_alloc(struct range *r, unsigned long nr,
				 unsigned long align, bool atomic)
{
	struct percpu *p = to_percpu(r);
	uint32_t size = (uint32_t)nr * PERCPU_UNIT_BYTES;
	unsigned int slot = percpu_slot_of_bytes(size);
	struct percpu_chunk *c;

	for (; slot < p->nr_slots; slot++) {
		percpu_for_each_in_slot(p, slot, c) {
			uint32_t offset = chunk_alloc(p, c, size,
				(uint32_t)align * PERCPU_UNIT_BYTES, atomic);

			COST_ADD(r, list_nodes, 1);
			if (offset == AREA_NONE)
				continue;
			percpu_chunk_move(p, c, slot_of(p, c));
			return c->first + offset / PERCPU_UNIT_BYTES;
		}
	}
	return RANGE_NONE;
}

static unsigned long map_alloc(struct range *r, unsigned long nr,
			       unsigned long align)
{
	return slots_alloc(r, nr, align, false);
}

static unsigned long map_alloc_atomic(struct range *r, unsigned long nr,
				      unsigned long align)
{
	struct percpu *p = to_percpu(r);
	unsigned long first = slots_alloc(r, nr, align, true);

	for (unsigned int i = 0; i < p->nr_chunks; i++) {
		struct map_chunk *c = to_map_chunk(p->chunks[i]);

		if (c->wants_room)
			c->wants_room = !area_map_reserve(&c->areas, r,
							  SPARE_ENTRIES);
	}
	return first;
}

static enum range_answer map_free(struct range *r, unsigned long first,
				  unsigned long nr)
{
	struct percpu *p = to_percpu(r);
	struct percpu_chunk *c = percpu_chunk_of(p, first);
	struct area_map *am;
	uint32_t offset;
	unsigned int i;

	if (!c)
		return RANGE_OUTSIDE;
	am = &to_map_chunk(c)->areas;
	offset = (uint32_t)(first - c->first) * PERCPU_UNIT_BYTES;
	i = area_map_find(am, offset);
	if (!area_in_use(am, i))
		return RANGE_NOT_USED;
	if (area_start(am, i) != offset)
		return RANGE_NOT_HEAD;
	if (nr && area_size(am, i) != nr * PERCPU_UNIT_BYTES)
		return RANGE_WRONG_SIZE;
	area_map_free(am, r, offset);
	percpu_chunk_move(p, c, slot_of(p, c));
	return RANGE_OK;
}

static bool map_split(struct range *r, unsigned long first, unsigned long nr,
		      unsigned long part)
{
	struct percpu_chunk *c = percpu_chunk_of(to_percpu(r), first);
	struct area_map *am = &to_map_chunk(c)->areas;
	uint32_t offset = (uint32_t)(first - c->first) * PERCPU_UNIT_BYTES;
	uint32_t size = (uint32_t)part * PERCPU_UNIT_BYTES;

	if (!area_map_reserve(am, r, (unsigned int)(nr / part)))
		return false;
	for (unsigned long i = 0; i < nr / part; i++)
		area_map_cut(am, r, offset + (uint32_t)i * size, size);
	return true;
}

static void map_query(const struct range *r, unsigned long unit,
		      struct range_info *info)
{
	struct percpu_chunk *c = percpu_chunk_of(to_const_percpu(r), unit);
	const struct area_map *am;
	unsigned int i;

	*info = (struct range_info){ RANGE_INVALID, RANGE_NONE, 0 };
	if (!c)
		return;
	am = areas_of(c);
	i = area_map_find(am, (uint32_t)(unit - c->first) * PERCPU_UNIT_BYTES);
	if (!area_in_use(am, i)) {
		info->state = RANGE_FREE;
		return;
	}
	info->state = RANGE_USED;
	info->head = c->first + area_start(am, i) / PERCPU_UNIT_BYTES;
	info->nr = area_size(am, i) / PERCPU_UNIT_BYTES;
}

static struct range_run chunk_free_run(const struct percpu_chunk *c,
				       unsigned int at)
{
	const struct area_map *am = areas_of(c);
	unsigned int i = area_map_find(am, at * PERCPU_UNIT_BYTES);

	while (i < am->used && area_in_use(am, i))
		i++;
	if (i == am->used)
		return (struct range_run){ c->nr_units, 0 };
	return (struct range_run){ area_start(am, i) / PERCPU_UNIT_BYTES,
				   area_size(am, i) / PERCPU_UNIT_BYTES };
}

static bool map_next_free(const struct range *r, unsigned long from,
			  unsigned long end, struct range_run *run)
{
	return percpu_next_free(to_const_percpu(r), from, end, chunk_free_run,
				run);
}

static unsigned long map_nr_free(const struct range *r)
{
	const struct percpu *p = to_const_percpu(r);
	unsigned long nr = 0;

	for (unsigned int i = 0; i < p->nr_chunks; i++)
		nr += areas_of(p->chunks[i])->free_bytes / PERCPU_UNIT_BYTES;
	return nr;
}

static int map_verify(const struct range *r, struct msg *msg)
{
	const struct percpu *p = to_const_percpu(r);
	int err = percpu_verify_slots(p, msg);

	for (unsigned int i = 0; !err && i < p->nr_chunks; i++) {
		const struct percpu_chunk *c = p->chunks[i];

		err = area_map_verify(areas_of(c), msg);
		if (!err && c->slot != slot_of(p, c))
			err = msg_set(msg, EUCLEAN,
				      "the chunk at unit %lu is in slot %u, not %u",
				      c->first, c->slot, slot_of(p, c));
	}
	return err;
}

static uint64_t map_fingerprint(const struct range *r)
{
	const struct percpu *p = to_const_percpu(r);
	uint64_t hash = percpu_fingerprint_slots(p);

	for (unsigned int i = 0; i < p->nr_chunks; i++) {
		const struct area_map *am = areas_of(p->chunks[i]);

		hash = fingerprint_mix(hash, am->contig_hint);
		hash = fingerprint_mix(hash, am->first_free);
		for (unsigned int k = 0; k < am->used; k++)
			hash = fingerprint_mix(hash, am->entry[k]);
	}
	return hash;
}

static const struct option_spec percpu_map_options[] = {
	{ .key = "pages", .values = "1..64", .def = "64",
	  .help = "of 1024 units each that a chunk spans" },
	{ .key = NULL },
};

extern const struct range_ops percpu_map_range_ops;

const struct range_ops percpu_map_range_ops = {
	.name = "percpu_map",
	.options = percpu_map_options,
	.caps = {
		.max_nr = PERCPU_MAX_NR,
		.max_align = PERCPU_MAX_ALIGN,
		.align_base = RANGE_ALIGN_SPAN,
		.query = RANGE_QUERY_RUNS,
		.concurrency = RANGE_SINGLE,
		.grows = true,
	},
	.create = map_create,
	.destroy = map_destroy,
	.add = map_add,
	.release = map_release,
	.adopt = map_adopt,
	.alloc = map_alloc,
	.alloc_atomic = map_alloc_atomic,
	.free = map_free,
	.split = map_split,
	.query = map_query,
	.next_free = map_next_free,
	.nr_free = map_nr_free,
	.verify = map_verify,
	.fingerprint = map_fingerprint,
};

RANGE_PAGES(percpu_map, "sorted arrays of areas in chunks: Linux percpu until 2017",
	    .max_order = PERCPU_MAX_ORDER, .query = QUERY_BLOCKS);
