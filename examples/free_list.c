/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * free_list.c - the free pages of a small kernel, kept in a deque of themselves
 *
 *    frames     [ . | 0 | 1 | L | . | 2 | ... ]     . in use, L a leaf of the
 *                     ^       |                     list, else its entry's slot
 *                     |       v
 *    list       [ 1 | 2 | 5 | ... ]                 entries: frame numbers
 *
 * A free frame is an entry on the list, and remembers where its entry stands:
 * so any frame leaves the list without a search, and so does the one a driver
 * wants. When the list has to grow, the frame being freed is what it grows by:
 * freeing needs no memory. A leaf that holds nothing any more is a free frame.
 *
 * Invariants:  list[slot(f)] == f for every free frame f
 *              free frames + leaves + frames in use == NR_FRAMES
 *
 * What this takes into a kernel of its own: lib/deque, lib/genradix and the
 * headers they include, all of which need <assert.h>, memcpy() and memset().
 * What it has to provide: a node store, and a word for each frame. A kernel
 * that cannot reach every frame hands out node_ref_high(frame) instead of an
 * address, and maps it in the store's map().
 *
 *	examples/free_list
 */
#include <stdio.h>

#include "base/bits.h"
#include "lib/deque.h"

#define NR_FRAMES 8192UL
#define NR_INLINE 64
#define NO_FRAME UINT32_MAX
#define INTERIOR_BYTES 512	/* deque_init() asks for a word for each leaf, here 16 */

struct frame {
	enum { FRAME_USED, FRAME_FREE, FRAME_LEAF } state;
	uint32_t word;			/* free: its slot; emptied leaf: the next one */
};

struct kernel {
	struct node_store store;
	struct deque list;
	uint32_t slots[NR_INLINE];	/* the list's newest entries */
	struct frame frames[NR_FRAMES];
	uint32_t emptied;		/* first of a chain of leaves to be freed, or NO_FRAME */
	size_t interior_used;
	_Alignas(8) unsigned char interior[INTERIOR_BYTES];
};

static struct kernel kernel = { .emptied = NO_FRAME };
static _Alignas(PAGE_SIZE) unsigned char memory[NR_FRAMES][PAGE_SIZE];

static struct kernel *to_kernel(struct node_store *store)
{
	return container_of(store, struct kernel, store);
}

/* --- what the list asks of its owner ---------------------------------- */

/* Nodes above the leaves: asked for once, by deque_init(), zeroed, never given back. */
static struct node_ref interior_get(struct node_store *store, unsigned int level,
				    size_t bytes)
{
	struct kernel *k = to_kernel(store);
	void *node = k->interior + k->interior_used;

	(void)level;
	if (bytes > INTERIOR_BYTES - k->interior_used)
		return NODE_REF_NONE;
	k->interior_used += bytes;
	return node_ref_low(node);
}

/* A leaf is empty. The list is not to be changed from here, so it waits. */
static void leaf_put(struct node_store *store, struct node_ref ref,
		     unsigned int level, size_t bytes)
{
	struct kernel *k = to_kernel(store);
	uint32_t frame = (uint32_t)((ref.bits - (uintptr_t)memory) / PAGE_SIZE);

	(void)bytes;
	if (level)
		return;
	k->frames[frame].word = k->emptied;
	k->emptied = frame;
}

static const struct node_store_ops store_ops = { .get = interior_get, .put = leaf_put };

/* Another entry was put where one left. */
static void frame_moved(void *ctx, unsigned long frame, uint32_t slot)
{
	struct kernel *k = ctx;

	k->frames[frame].word = slot;
}

static const struct deque_hooks list_hooks = { .moved = frame_moved };

/* --- free frames ------------------------------------------------------ */

/* Onto the list, or into it: as the leaf that the next entry needs. */
static void list_frame(struct kernel *k, uint32_t frame)
{
	uint32_t leaf = deque_wants_leaf(&k->list, DEQUE_HEAD);

	if (leaf != DEQUE_LEAF_NONE) {
		struct node_ref spare = deque_take_spare(&k->list);

		if (node_ref_is_none(spare)) {
			k->frames[frame].state = FRAME_LEAF;
			deque_add_leaf(&k->list, leaf, node_ref_low(memory[frame]));
			return;
		}
		deque_add_leaf(&k->list, leaf, spare);
	}
	k->frames[frame].state = FRAME_FREE;
	k->frames[frame].word = deque_push_head(&k->list, frame);
}

/* The end of every operation: leaves that it emptied are free frames. */
static void list_emptied(struct kernel *k)
{
	while (k->emptied != NO_FRAME) {
		uint32_t frame = k->emptied;

		k->emptied = k->frames[frame].word;
		list_frame(k, frame);
	}
}

static void frame_free(struct kernel *k, uint32_t frame)
{
	list_frame(k, frame);
	list_emptied(k);
}

/* The frame freed last, or NO_FRAME. A list without entries has no leaf either. */
static uint32_t frame_alloc(struct kernel *k)
{
	unsigned long frame = deque_pop_head(&k->list);

	if (frame == DEQUE_ENTRY_NONE)
		return NO_FRAME;
	k->frames[frame].state = FRAME_USED;
	list_emptied(k);
	return (uint32_t)frame;
}

/* This frame and no other. False when it is in use, or a leaf at present. */
static bool frame_take(struct kernel *k, uint32_t frame)
{
	if (k->frames[frame].state != FRAME_FREE)
		return false;
	deque_del(&k->list, k->frames[frame].word, DEQUE_HEAD, &list_hooks, k);
	k->frames[frame].state = FRAME_USED;
	list_emptied(k);
	return true;
}

static bool kernel_boot(struct kernel *k)
{
	const struct deque_config config = {
		.max_entries = NR_FRAMES,
		.nr_inline = NR_INLINE,
		.entry_bytes = sizeof(k->slots[0]),
		.hysteresis = 2,
		.node_bytes = PAGE_SIZE,
		.store = &k->store,
		.hooks = &list_hooks,
		.ctx = k,
	};

	k->store.ops = &store_ops;
	return deque_init(&k->list, &config, k->slots);
}

/* --- and a little life ------------------------------------------------ */

/* Whether the invariants hold; says in a line how many frames are what. */
static bool show(const struct kernel *k, const char *when)
{
	unsigned long nr[3] = { 0 };

	for (uint32_t frame = 0; frame < NR_FRAMES; frame++) {
		const struct frame *f = &k->frames[frame];

		nr[f->state]++;
		if (f->state == FRAME_FREE && deque_at(&k->list, f->word) != frame)
			return false;
	}
	printf("%-28s %4lu in use, %4lu free, %lu leaves\n", when, nr[FRAME_USED],
	       nr[FRAME_FREE], nr[FRAME_LEAF]);
	return nr[FRAME_FREE] == deque_nr(&k->list) &&
	       nr[FRAME_LEAF] == deque_nr_leaves(&k->list);
}

int main(void)
{
	struct kernel *k = &kernel;
	bool right = kernel_boot(k);

	for (uint32_t frame = 0; right && frame < NR_FRAMES; frame++)
		frame_free(k, frame);
	right = right && show(k, "all freed:");
	for (uint32_t frame = 1; right && frame < NR_FRAMES; frame += 2)
		frame_take(k, frame);
	right = right && show(k, "every second one taken:");
	while (right && frame_alloc(k) != NO_FRAME)
		;
	right = right && show(k, "all others handed out:");
	return !right;
}
