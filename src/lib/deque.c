/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * deque.c - the slow half of the deque: leaves, holes and the tail
 *
 *        leaf 0      leaf 1      leaf 2         inline slots
 *      [ . . 2 3 | 4 5 6 7 | 8 9 . . ]   [ 10 11 12 13 . . ]
 *            ^                   ^          ^           ^
 *            tail                           lo          lo + nr_in
 *
 * Which leaves are in use follows from tail and lo alone; the only other one
 * there can be is the spare. Counters are 32 bits and may wrap; the ring is a
 * power of two with room for two leaves more than the longest list, so the
 * leaf at the tail and the one at lo are never the same by wrapping.
 *
 * The quick halves in deque.h compare nr_in with `floor` and leave the rest to
 * the functions here: at or below it, a removal empties the inline slots,
 * makes the list short enough to go inline, or is due to release the spare.
 *
 * Invariants:  nr_in <= nr_inline, and no holes while tail == lo
 *              nr <= nr_inline - hysteresis   =>  tail == lo, and no leaf
 *              the entries at the tail and at the head are no holes
 */
#include <assert.h>
#include <string.h>

#include "base/bits.h"
#include "lib/deque.h"

#define SLACK 8		/* holes a list may have beyond its own length */

static uint32_t leaf_of(const struct deque *d, uint32_t counter)
{
	return (counter & d->mask) >> d->leaf_shift;
}

static unsigned long hole(const struct deque *d)
{
	return d->wide ? (unsigned long)UINT64_MAX : UINT32_MAX;
}

/* The list may be all inline, and must be, from this length down. */
static uint32_t all_inline_at(const struct deque *d)
{
	return deque_all_inline(d->nr_inline, d->hysteresis);
}

static bool leaf_in_use(const struct deque *d, uint32_t leaf)
{
	uint32_t first, nr;

	if (d->tail == d->lo)
		return false;
	first = d->tail >> d->leaf_shift;
	nr = ((d->lo - 1) >> d->leaf_shift) - first +	/* both may have wrapped */
	     (d->lo - 1 < d->tail ? (UINT32_MAX >> d->leaf_shift) + 1 : 0);
	return ((leaf - first) & (d->mask >> d->leaf_shift)) <= nr;
}

static void *map_leaf(const struct deque *d, uint32_t counter,
		      struct node_ref *ref)
{
	*ref = genradix_leaf(&d->tree, leaf_of(d, counter));
	assert(!node_ref_is_none(*ref));
	return node_map(d->tree.store, *ref);
}

void deque_write_mapped(struct deque *d, struct node_ref leaf, uint32_t slot,
			unsigned long entry)
{
	void *node = node_map(d->tree.store, leaf);

	deque_write(d, node, slot & d->leaf_mask, entry);
	node_unmap(d->tree.store, leaf, node);
}

void deque_write_leaf_any(struct deque *d, uint32_t slot, unsigned long entry)
{
	deque_write_mapped(d, genradix_leaf(&d->tree, leaf_of(d, slot)), slot, entry);
}

/* Entries and holes, from the tail to the head. */
static uint32_t span(const struct deque *d)
{
	return d->lo - d->tail + d->nr_in;
}

static unsigned long get(const struct deque *d, uint32_t counter)
{
	struct node_ref ref;
	unsigned long entry;
	void *leaf;

	if (counter - d->lo < d->nr_in)
		return deque_read(d, d->slots, counter & d->inline_mask);
	leaf = map_leaf(d, counter, &ref);
	entry = deque_read(d, leaf, counter & d->leaf_mask);
	node_unmap(d->tree.store, ref, leaf);
	return entry;
}

static void put(struct deque *d, uint32_t counter, unsigned long entry)
{
	if (counter - d->lo < d->nr_in)
		deque_write(d, d->slots, counter & d->inline_mask, entry);
	else
		deque_write_leaf_any(d, counter & d->mask, entry);
}

/* Leaves or the spare have changed: when is the next one due, and see the top. */
static void set_floor(struct deque *d)
{
	int32_t at = -1;
	int32_t left;

	if (d->spare != DEQUE_LEAF_NONE)
		at = d->hysteresis;
	if (d->tail != d->lo || d->spare != DEQUE_LEAF_NONE)
		at = max_t(int32_t, at, (int32_t)all_inline_at(d));
	d->shrink_at = at;
	left = at < 0 ? -1 : at - (int32_t)(d->lo - d->tail);
	if (!d->punch && !d->wide)
		d->floor = (uint32_t)max_t(int32_t, 0, left + 1);
}

size_t deque_slot_bytes(const struct deque_config *cfg)
{
	return roundup_pow2(cfg->nr_inline) * cfg->entry_bytes;
}

/* Entries and holes that a list of so many entries can span. */
static unsigned long longest_span(const struct deque_config *cfg,
				  unsigned long entries)
{
	return cfg->punch ? 2 * entries + SLACK + 1 : entries;
}

unsigned long deque_most_leaves(const struct deque_config *cfg, unsigned long nr,
				unsigned long entries)
{
	return 3 * nr + (longest_span(cfg, entries) + nr * longest_span(cfg, 0)) /
			(cfg->node_bytes / cfg->entry_bytes);
}

bool deque_init(struct deque *d, const struct deque_config *cfg, void *slots)
{
	unsigned long leaf_entries = cfg->node_bytes / cfg->entry_bytes;
	unsigned long ring;

	assert(cfg->entry_bytes == 4 || cfg->entry_bytes == 8);
	assert(is_power_of_2(leaf_entries));
	assert(leaf_entries >= 2);
	assert(leaf_entries <= UINT16_MAX + 1UL);
	assert(cfg->nr_inline <= 64);
	assert(cfg->hysteresis < 256);

	ring = roundup_pow2(longest_span(cfg, cfg->max_entries) + 2 * leaf_entries);
	ring = max_t(unsigned long, ring, roundup_pow2(cfg->nr_inline));
	assert(ring - 1 <= UINT32_MAX);
	*d = (struct deque){
		.floor = cfg->punch || cfg->entry_bytes == 8 ? UINT32_MAX : 0,
		.full = cfg->entry_bytes == 8 ? 0 : cfg->nr_inline,
		.mask = (uint32_t)(ring - 1),
		.nr_inline = cfg->nr_inline,
		.run = (uint8_t)(cfg->nr_inline > 1 ? 1U << ilog2(cfg->nr_inline / 2) : 1),
		.inline_mask = (uint32_t)(roundup_pow2(cfg->nr_inline) - 1),
		.shrink_at = -1,
		.hysteresis = (uint8_t)cfg->hysteresis,
		.leaf_shift = (uint8_t)ilog2(leaf_entries),
		.leaf_mask = (uint16_t)(leaf_entries - 1),
		.wide = cfg->entry_bytes == 8,
		.punch = cfg->punch,
		.slots = slots,
		.spare = DEQUE_LEAF_NONE,
		.hooks = cfg->hooks,
		.ctx = cfg->ctx,
	};
	genradix_init(&d->tree, cfg->entry_bytes, cfg->node_bytes, cfg->store);
	if (cfg->max_entries <= cfg->nr_inline)
		return true;		/* never needs a tree */
	return genradix_prealloc(&d->tree, ring >> d->leaf_shift);
}

void deque_destroy(struct deque *d)
{
	genradix_destroy(&d->tree);
	d->lo = d->tail = 0;
	d->nr_in = d->nr_holes = 0;
	d->spare = DEQUE_LEAF_NONE;
	set_floor(d);
}

static void release_leaf(struct deque *d, uint32_t leaf)
{
	struct node_ref ref = genradix_swap_leaf(&d->tree, leaf, NODE_REF_NONE);

	assert(!node_ref_is_none(ref));
	d->tree.store->ops->put(d->tree.store, ref, 0, d->tree.node_bytes);
}

/* A leaf has just lost its last entry: it is the spare, as the next to be wanted. */
static void leaf_emptied(struct deque *d, uint32_t leaf)
{
	uint32_t other = d->spare;

	if (!d->hysteresis || deque_nr(d) <= d->hysteresis ||
	    deque_nr(d) <= all_inline_at(d))
		other = leaf;
	else
		d->spare = leaf;
	if (other != DEQUE_LEAF_NONE)
		release_leaf(d, other);
}

uint32_t deque_wants_leaf(const struct deque *d, enum deque_end end)
{
	bool full = deque_inline_full(d);
	uint32_t leaf;

	if (end == DEQUE_HEAD && !full)
		return DEQUE_LEAF_NONE;
	if (end == DEQUE_TAIL && !full && d->tail == d->lo)
		return DEQUE_LEAF_NONE;
	leaf = leaf_of(d, end == DEQUE_HEAD ? d->lo : d->tail - 1);
	if (leaf == d->spare || leaf_in_use(d, leaf))
		return DEQUE_LEAF_NONE;
	return leaf;
}

void deque_add_leaf(struct deque *d, uint32_t leaf, struct node_ref ref)
{
	struct node_ref old;

	assert(d->spare == DEQUE_LEAF_NONE);
	old = genradix_swap_leaf(&d->tree, leaf, ref);
	assert(node_ref_is_none(old));
	(void)old;
	d->spare = leaf;
	set_floor(d);
}

struct node_ref deque_take_spare(struct deque *d)
{
	uint32_t leaf = d->spare;

	if (leaf == DEQUE_LEAF_NONE)
		return NODE_REF_NONE;
	d->spare = DEQUE_LEAF_NONE;
	set_floor(d);
	return genradix_swap_leaf(&d->tree, leaf, NODE_REF_NONE);
}

/* The leaf is about to hold something: it is no spare any more. */
static void use_leaf(struct deque *d, uint32_t leaf)
{
	if (d->spare == leaf)
		d->spare = DEQUE_LEAF_NONE;
}

static size_t bytes_of(const struct deque *d, uint32_t nr)
{
	return (size_t)nr << (d->wide ? 3 : 2);
}

static void *slot_at(const struct deque *d, void *array, uint32_t i)
{
	return (char *)array + bytes_of(d, i);
}

/*
 * Copy nr entries between a leaf and the inline ring, where the run may wrap.
 * Half of 64 slots is what nearly every spill and refill moves, and it stands
 * in one run: 128 bytes, which need no call.
 */
static void copy_run(const struct deque *d, void *to, uint32_t to_at,
		     const void *from, uint32_t from_at, uint32_t nr,
		     uint32_t before_wrap)
{
	size_t bytes = bytes_of(d, nr);

	COST_NOW(bytes_moved, bytes);
	if (likely(before_wrap >= nr)) {
		to = slot_at(d, to, to_at);
		from = (const char *)from + bytes_of(d, from_at);
		if (likely(bytes == 128))
			memcpy(to, from, 128);
		else
			memcpy(to, from, bytes);
		return;
	}
	for (uint32_t i = 0; i < nr; i++) {
		uint32_t t = to == d->slots ? (to_at + i) & d->inline_mask : to_at + i;
		uint32_t f = from == d->slots ? (from_at + i) & d->inline_mask : from_at + i;

		deque_write(d, to, t, deque_read(d, from, f));
	}
}

void deque_move_leaf(struct deque *d, uint32_t leaf, struct node_ref to)
{
	uint32_t distance = deque_leaf_distance(d, leaf);
	uint32_t end = (d->tail & ~d->leaf_mask) + ((distance + 1) << d->leaf_shift);
	uint32_t first = distance ? end - d->leaf_mask - 1 : d->tail;
	struct node_ref from = genradix_leaf(&d->tree, leaf);

	if (first - d->tail < d->lo - d->tail) {
		uint32_t nr = min_t(uint32_t, end - first, d->lo - first);
		void *src = node_map(d->tree.store, from);
		void *dst = node_map(d->tree.store, to);

		first &= d->leaf_mask;
		memcpy(slot_at(d, dst, first), slot_at(d, src, first), bytes_of(d, nr));
		COST_NOW(bytes_moved, bytes_of(d, nr));
		node_unmap(d->tree.store, to, dst);
		node_unmap(d->tree.store, from, src);
	}
	genradix_swap_leaf(&d->tree, leaf, to);
}

/* Copy the oldest inline entries to their leaf: a run, or what is left of one. */
static void spill(struct deque *d)
{
	uint32_t first = d->lo;
	uint32_t in_leaf = first & d->leaf_mask;
	uint32_t in_ring = first & d->inline_mask;
	uint32_t nr = min_t(uint32_t, d->run - (first & (d->run - 1U)),
			    d->leaf_mask + 1 - in_leaf);
	bool fresh = first == d->tail || !in_leaf;
	struct node_ref ref;
	void *leaf = map_leaf(d, first, &ref);

	copy_run(d, leaf, in_leaf, d->slots, in_ring, nr,
		 d->inline_mask + 1 - in_ring);
	node_unmap(d->tree.store, ref, leaf);
	d->nr_in -= nr;
	d->lo = first + nr;
	if (fresh)
		use_leaf(d, leaf_of(d, first));
	if (fresh || d->floor)
		set_floor(d);
}

uint32_t deque_push_head_any(struct deque *d, unsigned long entry)
{
	uint32_t at = d->lo;

	if (d->nr_inline) {
		if (deque_inline_full(d))
			spill(d);
		at = d->lo + d->nr_in++;
		deque_write(d, d->slots, at & d->inline_mask, entry);
		return at & d->mask;
	}
	/* No inline slots: straight to the leaf. */
	deque_write_leaf_any(d, at & d->mask, entry);
	use_leaf(d, leaf_of(d, at));
	d->lo = at + 1;
	set_floor(d);
	return at & d->mask;
}

/* Copy the newest entries in leaves, at most nr of one leaf, to inline slots. */
static void refill(struct deque *d, uint32_t nr)
{
	uint32_t last = d->lo - 1;
	uint32_t here = (last & d->leaf_mask) + 1;
	uint32_t in_ring;
	struct node_ref ref;
	void *leaf;

	nr = min_t(uint32_t, nr, here);
	nr = min_t(uint32_t, nr, d->lo - d->tail);
	in_ring = (d->lo - nr) & d->inline_mask;
	leaf = map_leaf(d, last, &ref);
	copy_run(d, d->slots, in_ring, leaf, here - nr, nr,
		 d->inline_mask + 1 - in_ring);
	if (here > nr)
		__builtin_prefetch(slot_at(d, leaf, here - nr - 1));
	if (d->hooks->near)
		d->hooks->near(d->ctx, d, slot_at(d, leaf, here - nr), nr);
	node_unmap(d->tree.store, ref, leaf);
	d->lo -= nr;
	d->nr_in += nr;
	if (nr == here || d->lo == d->tail) {
		leaf_emptied(d, leaf_of(d, last));
		set_floor(d);
	} else if (d->floor || (int32_t)(d->lo - d->tail) <= d->shrink_at) {
		set_floor(d);
	}
}

static void refill_run(struct deque *d)
{
	refill(d, ((d->lo - 1) & (d->run - 1U)) + 1);
}

uint32_t deque_push_tail_any(struct deque *d, unsigned long entry)
{
	uint32_t at = d->tail - 1;

	if (d->tail == d->lo && !deque_inline_full(d)) {
		deque_write(d, d->slots, at & d->inline_mask, entry);
		d->nr_in++;
		d->lo = d->tail = at;
		return at & d->mask;
	}
	deque_write_leaf_any(d, at & d->mask, entry);
	use_leaf(d, leaf_of(d, at));
	d->tail = at;
	set_floor(d);
	return at & d->mask;
}

/* The entry at the tail has gone: one step, and its leaf when it is empty. */
static void advance_tail(struct deque *d)
{
	uint32_t at = d->tail;

	d->tail = at + 1;
	if (at == d->lo) {
		d->nr_in--;
		d->lo = at + 1;
	} else if ((d->tail & d->leaf_mask) == 0 || d->tail == d->lo) {
		leaf_emptied(d, leaf_of(d, at));
	}
	set_floor(d);
}

/* The entry at the head has gone, wherever it was. */
static void retreat_head(struct deque *d)
{
	uint32_t last = d->lo - 1;

	if (d->nr_in == 0 && d->nr_inline)
		refill_run(d);
	if (d->nr_in) {
		d->nr_in--;
		return;
	}
	/* No inline slots: the head is in a leaf. */
	d->lo = last;
	if ((last & d->leaf_mask) == 0 || last == d->tail)
		leaf_emptied(d, leaf_of(d, last));
	set_floor(d);
}

/* Move every entry down over the holes before it. At least one is left. */
static void compact(struct deque *d)
{
	uint32_t in_leaves = d->lo;
	uint32_t to = d->tail;
	uint32_t end = d->tail + span(d);

	for (uint32_t at = d->tail; at != end; at++) {
		unsigned long entry = get(d, at);

		if (entry == hole(d))
			continue;
		if (at != to) {
			put(d, to, entry);
			d->hooks->moved(d->ctx, entry, to & d->mask);
		}
		to++;
	}
	d->nr_holes = 0;
	d->nr_in = 0;
	if ((int32_t)(in_leaves - to) > 0) {
		/* What lies above in leaves is empty now; it goes leaf by leaf. */
		uint32_t last = leaf_of(d, to - 1);

		d->lo = to;
		for (uint32_t leaf = leaf_of(d, in_leaves - 1); leaf != last;
		     leaf = (leaf - 1) & (d->mask >> d->leaf_shift))
			leaf_emptied(d, leaf);
	} else {
		d->nr_in = to - in_leaves;
	}
	set_floor(d);
}

static void trim_holes(struct deque *d)
{
	while (span(d) && get(d, d->tail + span(d) - 1) == hole(d)) {
		retreat_head(d);
		d->nr_holes--;
	}
	while (span(d) && get(d, d->tail) == hole(d)) {
		advance_tail(d);
		d->nr_holes--;
	}
}

/*
 * After a removal: trim and compact holes, pull a short list inline, and let
 * the spare go when its time has come.
 */
static void settle(struct deque *d)
{
	uint32_t nr;

	if (d->nr_holes)
		trim_holes(d);
	nr = deque_nr(d);
	if (d->nr_holes && (d->tail == d->lo || nr <= all_inline_at(d) ||
			    d->nr_holes > nr + SLACK))
		compact(d);
	if ((int32_t)nr > d->shrink_at)
		return;
	if (nr <= all_inline_at(d))
		while (d->tail != d->lo)
			refill(d, d->lo - d->tail);
	if (d->spare != DEQUE_LEAF_NONE &&
	    (nr <= all_inline_at(d) || nr <= d->hysteresis)) {
		uint32_t leaf = d->spare;

		d->spare = DEQUE_LEAF_NONE;
		release_leaf(d, leaf);
	}
	set_floor(d);
}

unsigned long deque_pop_head_any(struct deque *d)
{
	unsigned long entry;

	/* The common case: nothing inline, and plenty in leaves. */
	if (!d->nr_in && !d->floor && d->nr_inline && d->tail != d->lo) {
		refill_run(d);
		if (likely(d->nr_in > d->floor))
			return deque_pop_head(d);
	}
	if (!span(d))
		return DEQUE_ENTRY_NONE;
	entry = get(d, d->tail + span(d) - 1);
	retreat_head(d);
	settle(d);
	return entry;
}

unsigned long deque_pop_tail(struct deque *d)
{
	unsigned long entry;

	if (!span(d))
		return DEQUE_ENTRY_NONE;
	entry = get(d, d->tail);
	advance_tail(d);
	settle(d);
	return entry;
}

unsigned long deque_peek(const struct deque *d, enum deque_end end)
{
	if (!span(d))
		return DEQUE_ENTRY_NONE;
	return get(d, end == DEQUE_HEAD ? d->tail + span(d) - 1 : d->tail);
}

/* The counter of a slot in use. */
static uint32_t counter_of(const struct deque *d, uint32_t slot)
{
	return d->tail + ((slot - d->tail) & d->mask);
}

void deque_del_any(struct deque *d, uint32_t slot, enum deque_end fill)
{
	uint32_t at = counter_of(d, slot);
	unsigned long last;
	bool self;

	assert(at - d->tail < span(d));
	if (d->punch) {
		put(d, at, hole(d));
		d->nr_holes++;
		settle(d);
		return;
	}
	self = at == (fill == DEQUE_HEAD ? d->tail + span(d) - 1 : d->tail);
	last = fill == DEQUE_HEAD ? deque_pop_head_any(d) : deque_pop_tail(d);
	if (self)
		return;
	put(d, at, last);
	d->hooks->moved(d->ctx, last, slot);
}

unsigned long deque_at(const struct deque *d, uint32_t slot)
{
	uint32_t at = counter_of(d, slot & d->mask);
	unsigned long entry;

	if (slot > d->mask || at - d->tail >= span(d))
		return DEQUE_ENTRY_NONE;
	entry = get(d, at);
	return entry == hole(d) ? DEQUE_ENTRY_NONE : entry;
}

uint32_t deque_needed_leaves(const struct deque *d)
{
	uint32_t first = d->tail & d->leaf_mask;

	if (d->tail == d->lo)
		return 0;
	return (first + (d->lo - d->tail) + d->leaf_mask) >> d->leaf_shift;
}

uint32_t deque_nr_leaves(const struct deque *d)
{
	uint32_t nr = 0;

	if (d->tree.nr_prealloc)
		for (uint64_t leaf = 0;
		     !node_ref_is_none(genradix_next_leaf(&d->tree, &leaf));
		     leaf++)
			nr++;
	return nr;
}

struct deque_cursor deque_begin(const struct deque *d, enum deque_end end)
{
	return (struct deque_cursor){
		.at = end == DEQUE_HEAD ? d->tail + span(d) - 1 : d->tail,
		.left = span(d),
		.from_tail = end == DEQUE_TAIL,
	};
}

bool deque_next(const struct deque *d, struct deque_cursor *it,
		unsigned long *entry, uint32_t *slot)
{
	while (it->left) {
		uint32_t at = it->at;

		it->left--;
		it->at = it->from_tail ? at + 1 : at - 1;
		*entry = get(d, at);
		*slot = at & d->mask;
		if (*entry != hole(d))
			return true;
	}
	return false;
}
