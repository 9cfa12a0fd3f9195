/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * percpu_bitmap.c - Linux's percpu allocator since 4.14: chunks of bitmaps
 *
 *    slots        chunk                           hints
 *    [ 17 free ]
 *    [ 16      ]  alloc_map  11110000|00111111    chunk  longest known: 6
 *    [ ..      ]  bound_map  1 1 1   |  1         block  4 from 4 on
 *    [  0 full ]  populated  1       |1           block  2 from 0 on
 *
 * A chunk (percpu.h) is two bitmaps with hints for each block and for itself
 * (bitmap_chunk.h). Chunks stand in slots: by the length of the free stretch
 * their hint tells of, in 4.14 by all the bytes they have free. A request
 * walks up from the slot of its size. A chunk is rejected by its one hint; its
 * other free stretches are not looked at, so that some requests fail that
 * would fit. Since 5.2 a chunk that fails a small request (slots 1 and 2) moves
 * to slot 0 until something is freed in it; `fixed` asks those, too, before it
 * gives up, as a range of pages cannot grow.
 *
 * With populate=on and depopulate=on pages of a chunk have memory only while
 * they are of use: percpu_population.c.
 *
 * Invariants:  those of each chunk; slot(chunk) follows from its hints
 *
 * Memory: 2 bits a unit, 32 bytes (20 in 4.14) and 1 bit for 1024 units, and
 * the chunk's struct; a word of the page descriptor for each page.
 * Reserved units are bits in use.
 */
#include <errno.h>

#include "alloc/range_pages.h"
#include "base/bits.h"
#include "lib/bitmap.h"
#include "percpu_bitmap.h"

/* Chunks in slots below this one make way for others when they fail. */
#define SLOT_FAIL_THRESHOLD 3

/* -- slots ------------------------------------------------------------------ */

unsigned int pb_slot_of(const struct percpu_bitmap *pb,
			const struct percpu_chunk *c)
{
	const struct bitmap_chunk *bc = bits_of(c);
	int bits = pb->version == HINTS_4_14 ? bc->nr_free : bc->whole.contig_hint;

	if (!bc->nr_free || bc->whole.contig_hint <= 0)
		return 0;
	if (bits == (int)c->nr_units)
		return pb->free_slot;
	return percpu_slot_of_bytes((uint64_t)bits * PERCPU_UNIT_BYTES);
}

/* The chunk's hints changed: to its new slot, unless it was set apart. */
static void chunk_relocate(struct percpu_bitmap *pb, struct pb_chunk *c,
			   unsigned int before)
{
	unsigned int now = pb_slot_of(pb, &c->base);

	if (!c->isolated && now != before)
		percpu_chunk_move(&pb->base, &c->base, now);
}

/* -- a chunk ---------------------------------------------------------------- */

static bool bits_create(struct percpu *p, struct percpu_chunk *c)
{
	const struct percpu_bitmap *pb = to_pb(&p->base);
	struct bitmap_chunk *bc = &to_pb_chunk(c)->bits;

	if (!bitmap_chunk_create(bc, &p->base, pb->version, c->nr_units))
		return false;
	/* Without population every page has memory from the start. */
	if (!pb->populates)
		bitmap_chunk_populate(bc, 0, bc->nr_blocks);
	return true;
}

static void bits_destroy(struct percpu *p, struct percpu_chunk *c)
{
	bitmap_chunk_destroy(&to_pb_chunk(c)->bits, &p->base);
}

/* Free bits of one chunk, and see to its slot and the empty pages. */
static void chunk_free(struct percpu_bitmap *pb, struct pb_chunk *c, int at,
		       int bits)
{
	int before = c->bits.nr_empty;
	unsigned int slot = pb_slot_of(pb, &c->base);

	bitmap_chunk_free(&c->bits, &pb->base.base, at, bits);
	pb_carry_empty(pb, c, before);
	chunk_relocate(pb, c, slot);
}

static int bits_adopt(struct percpu *p, struct percpu_chunk *c,
		      unsigned int at, unsigned int nr)
{
	(void)p;
	bitmap_chunk_bound(&to_pb_chunk(c)->bits, (int)at, (int)nr);
	return 0;
}

static void bits_release(struct percpu *p, struct percpu_chunk *c,
			 unsigned int at, unsigned int nr)
{
	bits_adopt(p, c, at, nr);
	chunk_free(to_pb(&p->base), to_pb_chunk(c), (int)at, (int)nr);
}

static bool bits_used_run(const struct percpu_chunk *c, unsigned int at,
			  struct range_run *run)
{
	const struct bitmap_chunk *bc = bits_of(c);

	if (!bitmap_test(bc->alloc_map, at))
		return false;
	run->start = bitmap_after_last_set(bc->bound_map, 0, at + 1) - 1;
	run->nr = bitmap_next_set(bc->bound_map, at + 1,
				  (unsigned long)bc->nr_bits + 1) - run->start;
	return true;
}

static struct range_run bits_free_run(const struct percpu_chunk *c,
				      unsigned int at)
{
	const struct bitmap_chunk *bc = bits_of(c);
	unsigned long start = bitmap_after_last_set(bc->alloc_map, 0, at);
	unsigned long end;

	start = bitmap_next_clear(bc->alloc_map, start, c->nr_units);
	end = bitmap_next_set(bc->alloc_map, start, c->nr_units);
	/* One that ends before `at` was cut in two by it. */
	if (end <= at) {
		start = bitmap_next_clear(bc->alloc_map, at, c->nr_units);
		end = bitmap_next_set(bc->alloc_map, start, c->nr_units);
	}
	return (struct range_run){ start, end - start };
}

static unsigned long bits_nr_free(const struct percpu_chunk *c)
{
	return (unsigned long)bits_of(c)->nr_free;
}

static int check_slot(const struct percpu_bitmap *pb,
		      const struct percpu_chunk *c, struct msg *msg)
{
	const struct pb_chunk *pc = (const struct pb_chunk *)c;
	unsigned int slot = pb_slot_of(pb, c);

	if (c->slot == slot)
		return 0;
	if (pc->isolated && (c->slot == pb_depopulate_slot(pb) ||
			     c->slot == pb->sideline_slot))
		return 0;
	/* Having failed a small request, it waits for a free. */
	if (!c->slot && slot < SLOT_FAIL_THRESHOLD)
		return 0;
	return msg_set(msg, EUCLEAN, "the chunk at unit %lu is in slot %u, not %u",
		       c->first, c->slot, slot);
}

static int bits_verify(const struct percpu *p, const struct percpu_chunk *c,
		       struct msg *msg)
{
	int err = bitmap_chunk_verify(bits_of(c), msg);

	return err ? err : check_slot(to_const_pb(&p->base), c, msg);
}

static uint64_t bits_fingerprint(const struct percpu_chunk *c)
{
	const struct pb_chunk *pc = (const struct pb_chunk *)c;

	return fingerprint_mix(bitmap_chunk_fingerprint(&pc->bits),
			       pc->isolated);
}

static const struct percpu_repr pb_repr = {
	.range_bytes = sizeof(struct percpu_bitmap),
	.chunk_bytes = sizeof(struct pb_chunk),
	.create = bits_create,
	.destroy = bits_destroy,
	.release = bits_release,
	.adopt = bits_adopt,
	.used_run = bits_used_run,
	.free_run = bits_free_run,
	.nr_free = bits_nr_free,
	.verify = bits_verify,
	.fingerprint = bits_fingerprint,
};

/* -- the range interface ---------------------------------------------------- */

static int pb_create(struct range **out, const struct range_ops *ops,
		     struct machine *m, const struct option_set *opts,
		     struct msg *msg)
{
	bool depopulates = option_get(opts, "depopulate");
	int err = percpu_create(out, ops, &pb_repr, m, opts,
				depopulates ? 3 : 1, msg);
	struct percpu_bitmap *pb;

	if (err)
		return err;
	pb = to_pb(*out);
	pb->version = (enum hint_version)option_get(opts, "version");
	pb->depopulates = depopulates;
	pb->populates = depopulates || option_get(opts, "populate");
	pb->base.base.caps.populates = pb->populates;
	pb->free_slot = pb->base.nr_slots - (depopulates ? 2 : 1);
	pb->sideline_slot = pb->free_slot - 1;
	return 0;
}

/* What is asked of chunk after chunk. */
struct request {
	int bits;
	int align;
	bool atomic;
};

/* One chunk is asked; the first unit, or RANGE_NONE. */
static unsigned long chunk_alloc(struct percpu_bitmap *pb,
				 struct percpu_chunk *c,
				 const struct request *req)
{
	struct pb_chunk *pc = to_pb_chunk(c);
	unsigned int slot = pb_slot_of(pb, c);
	int before = pc->bits.nr_empty;
	int at;

	COST_ADD(&pb->base.base, chunks_tried, 1);
	at = bitmap_chunk_alloc(&pc->bits, &pb->base.base, req->bits, req->align,
				req->atomic);
	if (at < 0)
		return RANGE_NONE;
	pb_carry_empty(pb, pc, before);
	pb_reintegrate(pb, pc);
	chunk_relocate(pb, pc, slot);
	if (pb->populates && !pb_populate_run(pb, pc, at, at + req->bits)) {
		chunk_free(pb, pc, at, req->bits);
		return RANGE_NONE;
	}
	return c->first + (unsigned long)at;
}

/* Ask the chunks of a slot in turn. */
static unsigned long slot_alloc(struct percpu_bitmap *pb, unsigned int slot,
				const struct request *req)
{
	bool demotes = pb->version != HINTS_4_14 && slot &&
		       slot < SLOT_FAIL_THRESHOLD;
	struct percpu_chunk *c, *next;

	c = percpu_next_in_slot(&pb->base, slot, &pb->base.slots[slot]);
	for (; c; c = next) {
		unsigned long first;

		/* The chunk may leave the list. */
		next = percpu_next_in_slot(&pb->base, slot, &c->link);
		first = chunk_alloc(pb, c, req);
		if (first != RANGE_NONE)
			return first;
		if (demotes)
			percpu_chunk_move(&pb->base, c, 0);
	}
	return RANGE_NONE;
}

static unsigned long slots_alloc(struct percpu_bitmap *pb,
				 const struct request *req)
{
	unsigned int slot = percpu_slot_of_bytes((uint64_t)req->bits *
						 PERCPU_UNIT_BYTES);
	unsigned long first = RANGE_NONE;

	for (; first == RANGE_NONE && slot <= pb->free_slot; slot++)
		first = slot_alloc(pb, slot, req);
	if (first == RANGE_NONE && pb->version == HINTS_FIXED)
		first = slot_alloc(pb, 0, req);
	if (first != RANGE_NONE)
		pb_balance_after_alloc(pb);
	return first;
}

static unsigned long pb_alloc(struct range *r, unsigned long nr,
			      unsigned long align)
{
	const struct request req = { (int)nr, (int)align, false };

	return slots_alloc(to_pb(r), &req);
}

static unsigned long pb_alloc_atomic(struct range *r, unsigned long nr,
				     unsigned long align)
{
	const struct request req = { (int)nr, (int)align, true };
	struct percpu_bitmap *pb = to_pb(r);
	unsigned long first = slots_alloc(pb, &req);

	if (first == RANGE_NONE)
		pb_balance_after_refusal(pb);
	return first;
}

static enum range_answer pb_free(struct range *r, unsigned long first,
				 unsigned long nr)
{
	struct percpu_bitmap *pb = to_pb(r);
	struct percpu_chunk *c = percpu_chunk_of(&pb->base, first);
	struct pb_chunk *pc;
	int at, bits;

	if (!c)
		return RANGE_OUTSIDE;
	pc = to_pb_chunk(c);
	at = (int)(first - c->first);
	if (!bitmap_test(pc->bits.alloc_map, (unsigned long)at))
		return RANGE_NOT_USED;
	if (!bitmap_test(pc->bits.bound_map, (unsigned long)at))
		return RANGE_NOT_HEAD;
	bits = bitmap_chunk_run_end(&pc->bits, r, at) - at;
	if (nr && (int)nr != bits)
		return RANGE_WRONG_SIZE;
	chunk_free(pb, pc, at, bits);
	pb_balance_after_free(pb, pc);
	return RANGE_OK;
}

static bool pb_split(struct range *r, unsigned long first, unsigned long nr,
		     unsigned long part)
{
	for (unsigned long i = 0; i < nr; i += part)
		percpu_adopt(r, first + i, part);
	return true;
}

bool percpu_bitmap_fits(const struct range *r, unsigned long nr,
			unsigned long align)
{
	const struct percpu *p = to_const_percpu(r);

	for (unsigned int i = 0; i < p->nr_chunks; i++)
		if (bitmap_chunk_fits(bits_of(p->chunks[i]), (int)nr, (int)align))
			return true;
	return false;
}

static int pb_verify(const struct range *r, struct msg *msg)
{
	const struct percpu_bitmap *pb = to_const_pb(r);
	const struct percpu *p = &pb->base;
	int err = percpu_verify(r, msg);
	int nr_empty = 0;

	for (unsigned int i = 0; i < p->nr_chunks; i++)
		if (!((const struct pb_chunk *)p->chunks[i])->isolated)
			nr_empty += bits_of(p->chunks[i])->nr_empty;
	if (!err && nr_empty != pb->nr_empty)
		err = msg_set(msg, EUCLEAN, "%d pages are empty, not %d",
			      nr_empty, pb->nr_empty);
	return err;
}

static const struct option_spec percpu_bitmap_options[] = {
	{ .key = "version", .values = "4.14|5.2|fixed", .def = "fixed",
	  .help = "whose hints: as merged, as they were since, or put right" },
	PERCPU_PAGES_OPTION,
	{ .key = "populate", .values = "off|on", .def = "off",
	  .help = "a page of a chunk gets memory when it is first used" },
	{ .key = "depopulate", .values = "off|on", .def = "off",
	  .help = "and gives it back when it is empty again" },
	{ .key = NULL },
};

extern const struct range_ops percpu_bitmap_range_ops;

const struct range_ops percpu_bitmap_range_ops = {
	.name = "percpu_bitmap",
	.options = percpu_bitmap_options,
	.caps = PERCPU_CAPS,
	PERCPU_RANGE_CALLS,
	.create = pb_create,
	.alloc = pb_alloc,
	.alloc_atomic = pb_alloc_atomic,
	.free = pb_free,
	.split = pb_split,
	.verify = pb_verify,
};

RANGE_PAGES(percpu_bitmap, "bitmaps with hints in chunks: Linux percpu since 4.14",
	    .max_order = PERCPU_MAX_ORDER, .lazy_merge = true,
	    .query = QUERY_BLOCKS);
