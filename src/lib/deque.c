/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * deque.c - the slow half of the deque: leaves, holes and the tail
 *
 *        leaf 0      leaf 1      leaf 2         inline
 *      [ . . 2 3 | 4 5 6 7 | 8 9 . . ]   [ 10 11 12 13 . . ]
 *            ^                   ^          ^           ^
 *            tail                           lo          head
 *
 * Which leaves are in use follows from tail and lo alone; the only other one
 * there can be is the spare. Counters are 32 bits and may wrap; the ring is a
 * power of two with room for two leaves more than the longest list, so the
 * leaf at the tail and the one at lo are never the same by wrapping. (In a
 * fixed deque they may be: no leaf ever goes.)
 *
 * Invariants:  head - tail == nr + holes, and no holes while tail == lo
 *              head - lo <= nr_inline
 *              nr <= nr_inline - hysteresis   =>  tail == lo, and no leaf
 *              the entries at tail and head - 1 are no holes
 */
#include <assert.h>
#include <string.h>

#include "base/bits.h"
#include "lib/deque.h"

#define SLACK 8		/* holes a list may have beyond its own length */

static uint32_t leaf_mask(const struct deque *d)
{
	return (1U << d->leaf_shift) - 1;
}

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
	return d->nr_inline > d->hysteresis ? d->nr_inline - d->hysteresis : 0;
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

static unsigned long get(const struct deque *d, uint32_t counter)
{
	struct node_ref ref;
	unsigned long entry;
	void *leaf;

	if (counter - d->lo < d->head - d->lo)
		return deque_read(d, d->slots, counter & d->inline_mask);
	leaf = map_leaf(d, counter, &ref);
	entry = deque_read(d, leaf, counter & leaf_mask(d));
	node_unmap(d->tree.store, ref, leaf);
	return entry;
}

static void put(struct deque *d, uint32_t counter, unsigned long entry)
{
	struct node_ref ref;
	void *leaf;

	if (counter - d->lo < d->head - d->lo) {
		deque_write(d, d->slots, counter & d->inline_mask, entry);
		return;
	}
	leaf = map_leaf(d, counter, &ref);
	deque_write(d, leaf, counter & leaf_mask(d), entry);
	node_unmap(d->tree.store, ref, leaf);
}

size_t deque_slot_bytes(const struct deque_config *cfg)
{
	return roundup_pow2(cfg->nr_inline) * cfg->entry_bytes;
}

static bool set_aside_leaves(struct deque *d, unsigned long nr)
{
	struct node_store *store = d->tree.store;

	for (unsigned long leaf = 0; leaf < nr; leaf++) {
		struct node_ref ref = store->ops->get(store, 0, d->tree.node_bytes);

		if (node_ref_is_none(ref)) {
			genradix_destroy(&d->tree);
			return false;
		}
		genradix_swap_leaf(&d->tree, leaf, ref);
	}
	return true;
}

bool deque_init(struct deque *d, const struct deque_config *cfg, void *slots)
{
	unsigned long leaf_entries = cfg->node_bytes / cfg->entry_bytes;
	unsigned long span = cfg->max_entries;
	unsigned long ring;

	assert(cfg->entry_bytes == 4 || cfg->entry_bytes == 8);
	assert(is_power_of_2(leaf_entries));
	assert(leaf_entries >= 2);
	assert(cfg->nr_inline <= 64);
	assert(cfg->hysteresis < 256);

	if (cfg->punch)
		span = 2 * span + SLACK + 1;
	ring = roundup_pow2(cfg->fixed ? max_t(unsigned long, span, leaf_entries) :
					  span + 2 * leaf_entries);
	assert(ring - 1 <= UINT32_MAX);
	*d = (struct deque){
		.shrink_at = -1,
		.mask = (uint32_t)(ring - 1),
		.nr_inline = (uint16_t)cfg->nr_inline,
		.inline_mask = (uint16_t)(roundup_pow2(cfg->nr_inline) - 1),
		.hysteresis = (uint8_t)cfg->hysteresis,
		.leaf_shift = (uint8_t)ilog2(leaf_entries),
		.wide = cfg->entry_bytes == 8,
		.punch = cfg->punch,
		.fixed = cfg->fixed,
		.slots = slots,
		.spare = DEQUE_LEAF_NONE,
		.moved = cfg->moved,
		.moved_ctx = cfg->moved_ctx,
	};
	genradix_init(&d->tree, cfg->entry_bytes, cfg->node_bytes, cfg->store);
	if (cfg->max_entries <= cfg->nr_inline)
		return true;		/* never needs a tree */
	if (!genradix_prealloc(&d->tree, ring >> d->leaf_shift))
		return false;
	return !cfg->fixed || set_aside_leaves(d, ring >> d->leaf_shift);
}

void deque_destroy(struct deque *d)
{
	genradix_destroy(&d->tree);
	d->head = d->lo = d->tail = 0;
	d->nr = 0;
	d->spare = DEQUE_LEAF_NONE;
	d->shrink_at = -1;
}

/* Recompute at which length something is due; see deque_settle(). */
static void set_shrink_at(struct deque *d)
{
	int32_t at = -1;

	if (d->spare != DEQUE_LEAF_NONE)
		at = d->spare_nr > d->hysteresis ?
		     (int32_t)(d->spare_nr - d->hysteresis) : 0;
	if (d->tail != d->lo || d->spare != DEQUE_LEAF_NONE)
		at = max_t(int32_t, at, (int32_t)all_inline_at(d));
	d->shrink_at = at;
}

static void release_leaf(struct deque *d, uint32_t leaf)
{
	struct node_ref ref = genradix_swap_leaf(&d->tree, leaf, NODE_REF_NONE);

	assert(!node_ref_is_none(ref));
	d->tree.store->ops->put(d->tree.store, ref, 0, d->tree.node_bytes);
}

/* A leaf has just lost its last entry. */
static void leaf_emptied(struct deque *d, uint32_t leaf)
{
	if (d->fixed)
		return;
	if (d->spare != DEQUE_LEAF_NONE || !d->hysteresis ||
	    d->nr <= d->hysteresis || d->nr <= all_inline_at(d)) {
		release_leaf(d, leaf);
		return;
	}
	d->spare = leaf;
	d->spare_nr = d->nr;
}

uint32_t deque_wants_leaf(const struct deque *d, enum deque_end end)
{
	bool full = deque_inline_full(d);
	uint32_t leaf;

	if (d->fixed || (end == DEQUE_HEAD && !full))
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
	d->spare_nr = d->nr;
	set_shrink_at(d);
}

struct node_ref deque_take_spare(struct deque *d)
{
	uint32_t leaf = d->spare;

	if (leaf == DEQUE_LEAF_NONE)
		return NODE_REF_NONE;
	d->spare = DEQUE_LEAF_NONE;
	set_shrink_at(d);
	return genradix_swap_leaf(&d->tree, leaf, NODE_REF_NONE);
}

void deque_replace_leaf(struct deque *d, uint32_t leaf, struct node_ref ref)
{
	genradix_swap_leaf(&d->tree, leaf, ref);
}

/* The leaf is about to hold something: it is no spare any more. */
static void use_leaf(struct deque *d, uint32_t leaf)
{
	if (d->spare == leaf)
		d->spare = DEQUE_LEAF_NONE;
}

/*
 * Copy the oldest inline entries to the leaf they belong to: half of the
 * slots, as far as one leaf reaches. Without inline slots, the one entry that
 * was just written to slot 0.
 */
void deque_spill(struct deque *d)
{
	uint32_t first = d->lo;
	uint32_t room = (1U << d->leaf_shift) - (first & leaf_mask(d));
	uint32_t nr = max_t(uint32_t, 1, d->nr_inline / 2);
	struct node_ref ref;
	void *leaf;

	nr = min_t(uint32_t, nr, d->head - first);
	nr = min_t(uint32_t, nr, room);
	if (!nr)
		return;
	leaf = map_leaf(d, first, &ref);
	for (uint32_t i = 0; i < nr; i++)
		deque_write(d, leaf, (first + i) & leaf_mask(d),
			    deque_read(d, d->slots, (first + i) & d->inline_mask));
	node_unmap(d->tree.store, ref, leaf);
	use_leaf(d, leaf_of(d, first));
	d->lo = first + nr;
	set_shrink_at(d);
}

/* Copy the newest entries in leaves, at most nr of one leaf, to inline slots. */
static void refill(struct deque *d, uint32_t nr)
{
	uint32_t last = d->lo - 1;
	uint32_t here = (last & leaf_mask(d)) + 1;
	struct node_ref ref;
	void *leaf;

	nr = min_t(uint32_t, nr, here);
	nr = min_t(uint32_t, nr, d->lo - d->tail);
	leaf = map_leaf(d, last, &ref);
	for (uint32_t i = 0; i < nr; i++)
		deque_write(d, d->slots, (last - i) & d->inline_mask,
			    deque_read(d, leaf, (last - i) & leaf_mask(d)));
	node_unmap(d->tree.store, ref, leaf);
	d->lo -= nr;
	if (nr == here || d->lo == d->tail) {
		leaf_emptied(d, leaf_of(d, last));
		set_shrink_at(d);
	}
}

void deque_refill(struct deque *d)
{
	assert(d->tail != d->lo);
	refill(d, max_t(uint32_t, 1, d->nr_inline / 2));
}

uint32_t deque_push_tail(struct deque *d, unsigned long entry)
{
	uint32_t at = d->tail - 1;

	if (d->tail == d->lo && d->head - d->lo < d->nr_inline) {
		deque_write(d, d->slots, at & d->inline_mask, entry);
		d->lo = at;
	} else {
		struct node_ref ref;
		void *leaf = map_leaf(d, at, &ref);

		deque_write(d, leaf, at & leaf_mask(d), entry);
		node_unmap(d->tree.store, ref, leaf);
		use_leaf(d, leaf_of(d, at));
	}
	d->tail = at;
	d->nr++;
	set_shrink_at(d);
	return at & d->mask;
}

/* The entry at the tail has gone: one step, and its leaf when it is empty. */
static void advance_tail(struct deque *d)
{
	uint32_t at = d->tail;

	d->tail = at + 1;
	if (at == d->lo) {
		d->lo = at + 1;
		return;
	}
	if ((d->tail & leaf_mask(d)) == 0 || d->tail == d->lo) {
		leaf_emptied(d, leaf_of(d, at));
		set_shrink_at(d);
	}
}

/* The entry at the head has gone, wherever it was. */
static void retreat_head(struct deque *d)
{
	if (d->head == d->lo) {
		deque_refill(d);
		d->head--;
		if (!d->nr_inline)
			d->lo = d->head;
		return;
	}
	d->head--;
}

/* Move every entry down over the holes before it. At least one is left. */
static void compact(struct deque *d)
{
	uint32_t in_leaves = d->lo;
	uint32_t to = d->tail;
	uint32_t end = d->head;

	for (uint32_t at = d->tail; at != end; at++) {
		unsigned long entry = get(d, at);

		if (entry == hole(d))
			continue;
		if (at != to) {
			put(d, to, entry);
			d->moved(d->moved_ctx, entry, to & d->mask);
		}
		to++;
	}
	d->head = to;
	if ((int32_t)(in_leaves - to) > 0) {
		/* What lies above in leaves is empty now; it goes leaf by leaf. */
		uint32_t last = leaf_of(d, to - 1);

		d->lo = to;
		for (uint32_t leaf = leaf_of(d, in_leaves - 1); leaf != last;
		     leaf = (leaf - 1) & (d->mask >> d->leaf_shift))
			leaf_emptied(d, leaf);
	}
	set_shrink_at(d);
}

static void trim_holes(struct deque *d)
{
	while (d->head != d->tail && get(d, d->head - 1) == hole(d))
		retreat_head(d);
	while (d->head != d->tail && get(d, d->tail) == hole(d))
		advance_tail(d);
}

/*
 * After a removal: trim and compact holes, pull a short list inline, and let
 * the spare go when its time has come.
 */
void deque_settle(struct deque *d)
{
	if (d->punch) {
		uint32_t span;

		trim_holes(d);
		span = d->head - d->tail;
		if (span != d->nr &&
		    (d->tail == d->lo || d->nr <= all_inline_at(d) ||
		     span > 2 * d->nr + SLACK))
			compact(d);
	}
	if ((int32_t)d->nr > d->shrink_at)
		return;
	if (d->nr <= all_inline_at(d))
		while (d->tail != d->lo)
			refill(d, d->lo - d->tail);
	if (d->spare != DEQUE_LEAF_NONE) {
		uint32_t leaf = d->spare;

		if (d->nr <= all_inline_at(d) || d->nr <= d->hysteresis ||
		    d->nr + d->hysteresis <= d->spare_nr) {
			d->spare = DEQUE_LEAF_NONE;
			release_leaf(d, leaf);
		}
	}
	set_shrink_at(d);
}

unsigned long deque_pop_tail(struct deque *d)
{
	unsigned long entry;

	if (!d->nr)
		return DEQUE_ENTRY_NONE;
	entry = get(d, d->tail);
	d->nr--;
	advance_tail(d);
	if (d->punch || (int32_t)d->nr <= d->shrink_at)
		deque_settle(d);
	return entry;
}

unsigned long deque_peek(const struct deque *d, enum deque_end end)
{
	if (!d->nr)
		return DEQUE_ENTRY_NONE;
	return get(d, end == DEQUE_HEAD ? d->head - 1 : d->tail);
}

/* The counter of a slot in use. */
static uint32_t counter_of(const struct deque *d, uint32_t slot)
{
	return d->tail + ((slot - d->tail) & d->mask);
}

void deque_del(struct deque *d, uint32_t slot, enum deque_end fill)
{
	uint32_t at = counter_of(d, slot);
	unsigned long last;

	assert(at - d->tail < d->head - d->tail);
	if (d->punch) {
		put(d, at, hole(d));
		d->nr--;
		deque_settle(d);
		return;
	}
	if (fill == DEQUE_HEAD) {
		bool self = at == d->head - 1;

		last = deque_pop_head(d);
		if (self)
			return;
	} else {
		bool self = at == d->tail;

		last = deque_pop_tail(d);
		if (self)
			return;
	}
	put(d, at, last);
	d->moved(d->moved_ctx, last, slot);
}

unsigned long deque_at(const struct deque *d, uint32_t slot)
{
	uint32_t at = counter_of(d, slot & d->mask);
	unsigned long entry;

	if (slot > d->mask || at - d->tail >= d->head - d->tail)
		return DEQUE_ENTRY_NONE;
	entry = get(d, at);
	return entry == hole(d) ? DEQUE_ENTRY_NONE : entry;
}

uint32_t deque_needed_leaves(const struct deque *d)
{
	uint32_t first = d->tail & leaf_mask(d);

	if (d->tail == d->lo)
		return 0;
	return (first + (d->lo - d->tail) + leaf_mask(d)) >> d->leaf_shift;
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
		.at = end == DEQUE_HEAD ? d->head - 1 : d->tail,
		.left = d->head - d->tail,
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
