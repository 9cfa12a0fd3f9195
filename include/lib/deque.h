/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * deque.h - a list with two ends, in a generic radix tree
 *
 *      tail                     lo            lo + nr_in
 *       v                       v               v
 *       [ entries in tree leaves | inline slots  ]      counters, growing right
 *                                                head ->
 *
 * Entries stand at consecutive counters. The counter, modulo the ring's size,
 * is the entry's slot: its owner keeps it, so an entry can leave from the
 * middle without a search. The newest entries, at most nr_inline of them, lie
 * in inline slots beside the list's head; older ones in leaves. When the
 * inline slots are full, half of them are copied to a leaf; when they are
 * empty, half are filled from one: a run that starts at a multiple of its
 * length, so that it wraps in neither. Slots do not change by that, only where
 * the entry is kept: so most pushes and pops touch no node and no foreign
 * descriptor.
 *
 * A short list (nr <= nr_inline - hysteresis) keeps everything inline and has
 * no leaf at all. The ring is as large as the list can ever get, so the
 * tree's depth is fixed and its interior nodes are set aside at once; only
 * leaves come and go, and a push needs at most one. The deque never asks for
 * a leaf by itself: whoever pushes asks deque_wants_leaf() and hands one in,
 * which lets an allocator use the very page it is about to free.
 *
 * A leaf that holds nothing any more goes to the store's put(), except one:
 * it stays as a spare until the list is all inline, or `hysteresis` entries long.
 *
 * Removal from the middle:
 *    swap   an end entry takes the gap, and the move hook tells its owner
 *    punch  the slot is marked a hole; order is kept; the list is compacted
 *           when holes outnumber entries (plus 8), or nothing is left in leaves
 *
 * push, pop and del cost O(depth) and at most two maps, one live at a time.
 */
#ifndef PAGETAX_LIB_DEQUE_H
#define PAGETAX_LIB_DEQUE_H

#include "base/cost.h"
#include "base/types.h"
#include "lib/genradix.h"

#define DEQUE_ENTRY_NONE (~0UL)		/* no entry; never a legal one */
#define DEQUE_LEAF_NONE UINT32_MAX

enum deque_end {
	DEQUE_HEAD,			/* hot: pushed last, popped first */
	DEQUE_TAIL,			/* cold */
};

struct deque;

struct deque_hooks {
	/* Tell the owner of an entry that it now stands at another slot. */
	void (*moved)(void *ctx, unsigned long entry, uint32_t slot);

	/* These are the next to be popped: their owners may be fetched. NULL: nobody wants to know. */
	void (*near)(void *ctx, const struct deque *d, const void *entries,
		     uint32_t nr);
};

struct deque_config {
	unsigned long max_entries;	/* the list never holds more */
	unsigned int nr_inline;		/* 0 to 64 */
	unsigned int entry_bytes;	/* 4 or 8 */
	unsigned int hysteresis;	/* entries; see above */
	bool punch;
	size_t node_bytes;		/* of a leaf: a power of two, 2 entries or more */
	struct node_store *store;	/* gives interior nodes once, takes leaves back */
	const struct deque_hooks *hooks;
	void *ctx;			/* of the hooks */
};

struct deque {
	_Alignas(64)			/* what a push or a pop needs: one line */
	uint32_t nr_in;			/* entries in inline slots, holes included */
	uint32_t floor;			/* at this many, a removal has more to do */
	uint32_t lo;			/* counter of the oldest entry in inline slots */
	uint32_t full;			/* set at init, as are the next ten: at this
					   many, a push at the head has more to do */
	uint32_t mask;			/* ring size - 1; a slot is counter & mask */
	uint32_t inline_mask;		/* an inline slot is counter & inline_mask */
	void *slots;
	uint32_t nr_inline;
	uint8_t run;			/* entries that a leaf and the slots exchange */
	uint8_t hysteresis;
	uint8_t leaf_shift;		/* log2 of the entries in a leaf */
	bool wide;			/* entries of 8 bytes */
	bool punch;
	uint16_t leaf_mask;		/* entries in a leaf - 1 */
	uint32_t tail;			/* counter of the oldest entry */
	int32_t shrink_at;		/* at this length leaves may go; -1: there are none */
	uint32_t nr_holes;		/* between tail and the head; only with punch */
	uint32_t spare;			/* number of the empty leaf, or DEQUE_LEAF_NONE */
	const struct deque_hooks *hooks;
	void *ctx;
	struct genradix tree;
};

_Static_assert(sizeof(struct deque) <= 128, "two lines, the quick halves need one and the row");

/* Entries in the list. */
static inline uint32_t deque_nr(const struct deque *d)
{
	return d->lo - d->tail + d->nr_in - d->nr_holes;
}

/* Bytes of inline slots that deque_init() must be given, zeroed. */
size_t deque_slot_bytes(const struct deque_config *cfg);

/* Up to this length a deque is all inline for sure, and has no leaf. */
static inline uint32_t deque_all_inline(uint32_t nr_inline, uint32_t hysteresis)
{
	return nr_inline > hysteresis ? nr_inline - hysteresis : 0;
}

/*
 * Leaves that `nr` deques can have at most, with so many entries in all of them:
 * those they fill, two each that are partly used, and the spares.
 */
unsigned long deque_most_leaves(const struct deque_config *cfg, unsigned long nr,
				unsigned long entries);

/* An empty deque. False when the store had no nodes to set aside. */
bool deque_init(struct deque *d, const struct deque_config *cfg, void *slots);

/* Give all nodes back, entries or not. */
void deque_destroy(struct deque *d);

/* Leaf number that the next push at this end needs; DEQUE_LEAF_NONE when it needs none. */
uint32_t deque_wants_leaf(const struct deque *d, enum deque_end end);

/* The slow halves of the calls below: any case, leaves included. */
uint32_t deque_push_head_any(struct deque *d, unsigned long entry);
uint32_t deque_push_tail_any(struct deque *d, unsigned long entry);
unsigned long deque_pop_head_any(struct deque *d);
void deque_del_any(struct deque *d, uint32_t slot, enum deque_end fill);

/* Whether the next push at the head goes by way of a leaf. */
static inline bool deque_inline_full(const struct deque *d)
{
	return d->nr_in == d->nr_inline;
}

/* Whether a push at this end is a matter of the inline slots alone. */
static inline bool deque_push_is_inline(const struct deque *d,
					enum deque_end end)
{
	return d->nr_in < d->full && (end == DEQUE_HEAD || d->tail == d->lo);
}

/*
 * Whether a push that is not goes to a leaf which has room and stays as it is:
 * no leaf is handed in, and none gets its first entry.
 */
static inline bool deque_push_fits(const struct deque *d, enum deque_end end)
{
	return d->tail != d->lo && !d->floor &&
	       ((end == DEQUE_HEAD ? d->lo : d->tail) & d->leaf_mask);
}

/* Whether a pop is, or a removal but for the gap, which may be in a leaf. */
static inline bool deque_pop_is_inline(const struct deque *d)
{
	return d->nr_in > d->floor;
}

/*
 * Hand in a leaf for the number that deque_wants_leaf() gave. The content is
 * overwritten. If the deque holds a spare under another number, take that one
 * out first and use it.
 */
void deque_add_leaf(struct deque *d, uint32_t leaf, struct node_ref ref);

/* Take the spare leaf out, to use it elsewhere; NODE_REF_NONE without one. */
struct node_ref deque_take_spare(struct deque *d);

/*
 * Move what a leaf holds to another node, which takes its place; no more than
 * the entries is copied. The old node is the caller's. Two live maps.
 */
void deque_move_leaf(struct deque *d, uint32_t leaf, struct node_ref to);

/* Entry i of an array of the deque's entry size. */
static inline unsigned long deque_read(const struct deque *d, const void *array,
				       uint32_t i)
{
	COST_NOW(list_nodes, 1);
	if (unlikely(d->wide))
		return (unsigned long)((const uint64_t *)array)[i];
	return ((const uint32_t *)array)[i];
}

static inline void deque_write(const struct deque *d, void *array, uint32_t i,
			       unsigned long entry)
{
	COST_NOW(list_nodes, 1);
	if (unlikely(d->wide))
		((uint64_t *)array)[i] = entry;
	else
		((uint32_t *)array)[i] = (uint32_t)entry;
}

/*
 * The quick halves know inline entries of 4 bytes; those of 8 go the slow way,
 * for they find `full` at 0 and `floor` out of reach.
 */
static inline uint32_t *deque_inline_entry(const struct deque *d, uint32_t at)
{
	COST_NOW(list_nodes, 1);
	return (uint32_t *)d->slots + (at & d->inline_mask);
}

/* Add an entry at an end; returns its slot. There must be room. */
static inline uint32_t deque_push_head(struct deque *d, unsigned long entry)
{
	uint32_t at = d->lo + d->nr_in;

	if (unlikely(d->nr_in >= d->full))
		return deque_push_head_any(d, entry);
	*deque_inline_entry(d, at) = (uint32_t)entry;
	d->nr_in++;
	return at & d->mask;
}

/* Write an entry to a slot in a leaf: any leaf, any entry; the leaf at hand. */
void deque_write_leaf_any(struct deque *d, uint32_t slot, unsigned long entry);
void deque_write_mapped(struct deque *d, struct node_ref leaf, uint32_t slot,
			unsigned long entry);

/* The same for entries of 4 bytes, as the quick halves are. */
static inline void deque_write_leaf(struct deque *d, uint32_t slot,
				    unsigned long entry)
{
	uint32_t leaf = slot >> d->leaf_shift;
	struct node_ref ref;

	if (unlikely(!d->tree.row)) {
		deque_write_leaf_any(d, slot, entry);
		return;
	}
	ref = genradix_leaf_in_row(&d->tree, leaf);
	if (unlikely(node_ref_is_high(ref))) {
		deque_write_mapped(d, ref, slot, entry);
		return;
	}
	COST_NOW(list_nodes, 1);
	((uint32_t *)ref.bits)[slot & d->leaf_mask] = (uint32_t)entry;
}

static inline uint32_t deque_push_tail(struct deque *d, unsigned long entry)
{
	uint32_t slot = (d->tail - 1) & d->mask;

	if (unlikely(!deque_push_fits(d, DEQUE_TAIL)))
		return deque_push_tail_any(d, entry);
	deque_write_leaf(d, slot, entry);
	d->tail--;
	return slot;
}

static inline uint32_t deque_push(struct deque *d, enum deque_end end,
				  unsigned long entry)
{
	return end == DEQUE_HEAD ? deque_push_head(d, entry) :
				   deque_push_tail(d, entry);
}

/* Take the newest entry, or DEQUE_ENTRY_NONE. May release leaves. */
static inline unsigned long deque_pop_head(struct deque *d)
{
	if (unlikely(!deque_pop_is_inline(d)))
		return deque_pop_head_any(d);
	d->nr_in--;
	return *deque_inline_entry(d, d->lo + d->nr_in);
}

/* Take the oldest entry, or DEQUE_ENTRY_NONE. May release leaves. */
unsigned long deque_pop_tail(struct deque *d);

static inline unsigned long deque_pop(struct deque *d, enum deque_end end)
{
	return end == DEQUE_HEAD ? deque_pop_head(d) : deque_pop_tail(d);
}

/* The entry at an end, left in place; DEQUE_ENTRY_NONE when empty. */
unsigned long deque_peek(const struct deque *d, enum deque_end end);

/*
 * Remove the entry at `slot`, which must hold one. With swap, the entry at
 * `fill` end takes its place, and its owner hears of it (by the deque's own
 * hooks, given here so that they can be inlined). May release leaves.
 */
static __always_inline void deque_del(struct deque *d, uint32_t slot,
				      enum deque_end fill,
				      const struct deque_hooks *hooks, void *ctx)
{
	uint32_t at = (slot - d->lo) & d->mask;	/* in inline slots, if that small */
	uint32_t nr_in = d->nr_in;
	unsigned long last;

	if (unlikely(nr_in <= d->floor || fill != DEQUE_HEAD)) {
		deque_del_any(d, slot, fill);
		return;
	}
	d->nr_in = --nr_in;
	if (at == nr_in)
		return;
	last = *deque_inline_entry(d, d->lo + nr_in);
	if (at < nr_in)
		*deque_inline_entry(d, slot) = (uint32_t)last;
	else
		deque_write_leaf(d, slot, last);
	hooks->moved(ctx, last, slot);
}

/* The entry at a slot; DEQUE_ENTRY_NONE for a hole or a slot not in use. */
unsigned long deque_at(const struct deque *d, uint32_t slot);

/* Leaves hung in now, the spare included. */
uint32_t deque_nr_leaves(const struct deque *d);

/* Leaves that must be there for the entries now in leaves. */
uint32_t deque_needed_leaves(const struct deque *d);

/* Leaves from the tail's leaf to this one, going up around the ring. */
static inline uint32_t deque_leaf_distance(const struct deque *d, uint32_t leaf)
{
	return (leaf - (d->tail >> d->leaf_shift)) & (d->mask >> d->leaf_shift);
}

/*
 * Walk from the head to the tail, or back:
 *
 *	for (it = deque_begin(d, end); deque_next(d, &it, &entry, &slot); )
 *
 * Entries may not be removed on the way.
 */
struct deque_cursor {
	uint32_t at;
	uint32_t left;
	bool from_tail;
};

struct deque_cursor deque_begin(const struct deque *d, enum deque_end end);
bool deque_next(const struct deque *d, struct deque_cursor *it,
		unsigned long *entry, uint32_t *slot);

#endif
