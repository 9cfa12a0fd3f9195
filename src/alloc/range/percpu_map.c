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
 * holes alternate, twice that after a doubling. An array never shrinks, as in
 * Linux. Reserved units are an area in use which nobody frees; what is in use
 * at the start has its entries from the start, as static bytes.
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

static unsigned int slot_of(const struct percpu *p, const struct percpu_chunk *c)
{
	const struct area_map *am = areas_of(c);

	if (!am->free_bytes || !am->contig_hint)
		return 0;
	if (am->free_bytes == am->total)
		return p->nr_slots - 1;
	return percpu_slot_of_bytes(am->free_bytes);
}

/* -- a chunk ---------------------------------------------------------------- */

/* Bytes are an area map's units. */
static uint32_t to_bytes(unsigned long nr)
{
	return (uint32_t)nr * PERCPU_UNIT_BYTES;
}

static bool areas_create(struct percpu *p, struct percpu_chunk *c)
{
	return area_map_create(&to_map_chunk(c)->areas, &p->base,
			       to_bytes(c->nr_units));
}

static void areas_destroy(struct percpu *p, struct percpu_chunk *c)
{
	area_map_destroy(&to_map_chunk(c)->areas, &p->base);
}

static int areas_adopt(struct percpu *p, struct percpu_chunk *c,
		       unsigned int at, unsigned int nr)
{
	struct area_map *am = &to_map_chunk(c)->areas;

	if (!area_map_reserve(am, &p->base, 2))
		return -ENOMEM;
	area_map_cut(am, &p->base, to_bytes(at), to_bytes(nr));
	return 0;
}

static void areas_release(struct percpu *p, struct percpu_chunk *c,
			  unsigned int at, unsigned int nr)
{
	int err = areas_adopt(p, c, at, nr);

	/* The arena has room for many more entries than pages. */
	assert(!err);
	(void)err;
	area_map_free(&to_map_chunk(c)->areas, &p->base, to_bytes(at));
	percpu_chunk_move(p, c, slot_of(p, c));
}

static bool areas_used_run(const struct percpu_chunk *c, unsigned int at,
			   struct range_run *run)
{
	const struct area_map *am = areas_of(c);
	unsigned int i = area_map_find(am, to_bytes(at));

	run->start = area_start(am, i) / PERCPU_UNIT_BYTES;
	run->nr = area_size(am, i) / PERCPU_UNIT_BYTES;
	return area_in_use(am, i);
}

static struct range_run areas_free_run(const struct percpu_chunk *c,
				       unsigned int at)
{
	const struct area_map *am = areas_of(c);
	unsigned int i = area_map_find(am, to_bytes(at));

	while (i < am->used && area_in_use(am, i))
		i++;
	if (i == am->used)
		return (struct range_run){ c->nr_units, 0 };
	return (struct range_run){ area_start(am, i) / PERCPU_UNIT_BYTES,
				   area_size(am, i) / PERCPU_UNIT_BYTES };
}

static unsigned long areas_nr_free(const struct percpu_chunk *c)
{
	return areas_of(c)->free_bytes / PERCPU_UNIT_BYTES;
}

static int areas_verify(const struct percpu *p, const struct percpu_chunk *c,
			struct msg *msg)
{
	int err = area_map_verify(areas_of(c), msg);

	if (!err && c->slot != slot_of(p, c))
		err = msg_set(msg, EUCLEAN,
			      "the chunk at unit %lu is in slot %u, not %u",
			      c->first, c->slot, slot_of(p, c));
	return err;
}

static uint64_t areas_fingerprint(const struct percpu_chunk *c)
{
	const struct area_map *am = areas_of(c);
	uint64_t hash = fingerprint_mix(0, am->contig_hint);

	hash = fingerprint_mix(hash, am->first_free);
	for (unsigned int k = 0; k < am->used; k++)
		hash = fingerprint_mix(hash, am->entry[k]);
	return hash;
}

static const struct percpu_repr map_repr = {
	.range_bytes = sizeof(struct percpu),
	.chunk_bytes = sizeof(struct map_chunk),
	.create = areas_create,
	.destroy = areas_destroy,
	.release = areas_release,
	.adopt = areas_adopt,
	.used_run = areas_used_run,
	.free_run = areas_free_run,
	.nr_free = areas_nr_free,
	.verify = areas_verify,
	.fingerprint = areas_fingerprint,
};

/* -- the range interface ---------------------------------------------------- */

static int map_create(struct range **out, const struct range_ops *ops,
		      struct machine *m, const struct option_set *opts,
		      struct msg *msg)
{
	return percpu_create(out, ops, &map_repr, m, opts, 1, msg);
}

/* What is asked of chunk after chunk. */
struct request {
	uint32_t size;			/* bytes, as is the next */
	uint32_t align;
	bool atomic;
	bool found_short;		/* a chunk that wants room */
};

/* Entries for one more run: made, or for an atomic caller found. */
static bool chunk_has_room(struct percpu *p, struct map_chunk *c,
			   struct request *req)
{
	unsigned int spare = area_map_spare(&c->areas);

	if (!req->atomic)
		return area_map_reserve(&c->areas, &p->base, SPARE_ENTRIES);
	if (spare < SPARE_LOW)
		c->wants_room = req->found_short = true;
	return spare >= SPARE_MIN;
}

static uint32_t chunk_alloc(struct percpu *p, struct percpu_chunk *c,
			    struct request *req)
{
	struct area_map *am = &to_map_chunk(c)->areas;

	if (req->size > am->contig_hint)
		return AREA_NONE;
	if (!chunk_has_room(p, to_map_chunk(c), req))
		return AREA_NONE;
	COST_ADD(&p->base, chunks_tried, 1);
	return area_map_alloc(am, &p->base, req->size, req->align);
}

static unsigned long slots_alloc(struct range *r, struct request *req)
{
	struct percpu *p = to_percpu(r);
	unsigned int slot = percpu_slot_of_bytes(req->size);
	struct percpu_chunk *c;

	for (; slot < p->nr_slots; slot++) {
		percpu_for_each_in_slot(p, slot, c) {
			uint32_t offset = chunk_alloc(p, c, req);

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
	struct request req = { to_bytes(nr), to_bytes(align), false, false };

	return slots_alloc(r, &req);
}

static unsigned long map_alloc_atomic(struct range *r, unsigned long nr,
				      unsigned long align)
{
	struct request req = { to_bytes(nr), to_bytes(align), true, false };
	unsigned long first = slots_alloc(r, &req);
	struct percpu *p = to_percpu(r);

	for (unsigned int i = 0; req.found_short && i < p->nr_chunks; i++) {
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
	offset = to_bytes(first - c->first);
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
	uint32_t offset = to_bytes(first - c->first), size = to_bytes(part);

	if (!area_map_reserve(am, r, (unsigned int)(nr / part)))
		return false;
	for (unsigned long i = 0; i < nr / part; i++)
		area_map_cut(am, r, offset + (uint32_t)i * size, size);
	return true;
}

static const struct option_spec percpu_map_options[] = {
	PERCPU_PAGES_OPTION,
	{ .key = NULL },
};

extern const struct range_ops percpu_map_range_ops;

const struct range_ops percpu_map_range_ops = {
	.name = "percpu_map",
	.options = percpu_map_options,
	.caps = PERCPU_CAPS,
	PERCPU_RANGE_CALLS,
	.create = map_create,
	.alloc = map_alloc,
	.alloc_atomic = map_alloc_atomic,
	.free = map_free,
	.split = map_split,
	.verify = percpu_verify,
};

RANGE_PAGES(percpu_map, "sorted arrays of areas in chunks: Linux percpu until 2017",
	    .max_order = PERCPU_MAX_ORDER, .query = QUERY_BLOCKS);
