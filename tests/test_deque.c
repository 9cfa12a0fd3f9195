/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_deque.c - the deque alone: its two ends, its middle, its leaves
 *
 * Nodes come from a small store that keeps every node behind a tagged
 * reference and checks that maps nest. The whole state, nodes included, lies
 * in one struct, so that exploration copies it and puts it back.
 */
#include <check.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "lib/deque.h"
#include "tests/suite.h"

#define MAX_NODE_BYTES 64
/* Sanitizers cost a factor of ten. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MAX_LEN 256
#else
#define MAX_LEN 1024
#endif
/* Leaves and interior nodes of a ring of that size in the smallest nodes. */
#define MAX_NODES (5 * MAX_LEN / 2 + 40)

/*
 * Interior nodes are set aside once and stay; `data` of the leaves is what
 * comes and goes. Entry names are opaque to the deque: entry e's slot is kept
 * in slot_of[e], as a page's second word would keep it.
 */
struct world {
	struct node_store store;
	struct deque d;
	uint64_t slots[64];
	uint32_t slot_of[MAX_LEN + 1];
	uint32_t nr_nodes;		/* handed out now */
	uint32_t mapped;
	uint32_t max_mapped;
	unsigned int fail_after;	/* gets left, 0: none fails */
	bool low;			/* nodes need no map, and lie one after the other */
	bool used[MAX_NODES];
	_Alignas(16) unsigned char data[MAX_NODES][MAX_NODE_BYTES];
};

static struct world w;

/* What an operation touched, so that it can be undone without a whole copy. */
static unsigned long dirty_node[4096], dirty_entry[4096];
static unsigned int nr_dirty_nodes, nr_dirty_entries;

static void touch_node(unsigned long i)
{
	if (nr_dirty_nodes < ARRAY_SIZE(dirty_node))
		dirty_node[nr_dirty_nodes] = i;
	nr_dirty_nodes++;
}

static void set_slot(unsigned long entry, uint32_t slot)
{
	if (nr_dirty_entries < ARRAY_SIZE(dirty_entry))
		dirty_entry[nr_dirty_entries] = entry;
	nr_dirty_entries++;
	w.slot_of[entry] = slot;
}

static struct node_ref world_get(struct node_store *store, unsigned int level,
				 size_t bytes)
{
	(void)store;
	must(bytes <= MAX_NODE_BYTES);
	if (w.fail_after && !--w.fail_after)
		return NODE_REF_NONE;
	for (unsigned int i = 0; i < MAX_NODES; i++) {
		if (w.used[i])
			continue;
		w.used[i] = true;
		w.nr_nodes++;
		touch_node(i);
		memset(w.data[i], level ? 0 : 0xa5, MAX_NODE_BYTES);
		return w.low ? node_ref_low(w.data[i]) : node_ref_high(i);
	}
	return NODE_REF_NONE;
}

static unsigned long index_of(struct node_ref ref)
{
	if (node_ref_is_high(ref))
		return node_ref_pfn(ref);
	return (unsigned long)((unsigned char *)ref.bits - w.data[0]) / MAX_NODE_BYTES;
}

static void world_put(struct node_store *store, struct node_ref ref,
		      unsigned int level, size_t bytes)
{
	unsigned long i = index_of(ref);

	(void)store, (void)level, (void)bytes;
	must(w.used[i]);
	touch_node(i);
	w.used[i] = false;
	w.nr_nodes--;
	memset(w.data[i], 0, MAX_NODE_BYTES);
}

static void *world_map(struct node_store *store, struct node_ref ref)
{
	(void)store;
	must(w.used[node_ref_pfn(ref)]);
	touch_node(node_ref_pfn(ref));
	if (++w.mapped > w.max_mapped)
		w.max_mapped = w.mapped;
	return w.data[node_ref_pfn(ref)];
}

static void world_unmap(struct node_store *store, struct node_ref ref,
			void *node)
{
	(void)store;
	must(node == w.data[node_ref_pfn(ref)]);
	w.mapped--;
}

static const struct node_store_ops world_ops = {
	.get = world_get, .put = world_put, .map = world_map, .unmap = world_unmap,
};

static void world_moved(void *ctx, unsigned long entry, uint32_t slot)
{
	(void)ctx;
	set_slot(entry, slot);
}

static const struct deque_hooks world_hooks = { .moved = world_moved };

/* The settings under test; node_bytes 16, 32, 64 are fan-outs 2, 4 and 8. */
struct setting {
	unsigned int node_bytes, nr_inline, hysteresis, entry_bytes;
	bool punch;
	bool low;
};

static struct deque_config cfg;		/* of w.d */

static void world_make(const struct setting *s, unsigned long max)
{
	cfg = (struct deque_config){
		.max_entries = max, .nr_inline = s->nr_inline,
		.entry_bytes = s->entry_bytes, .hysteresis = s->hysteresis,
		.punch = s->punch, .node_bytes = s->node_bytes,
		.store = &w.store, .hooks = &world_hooks,
	};

	memset(&w, 0, sizeof(w));
	w.store.ops = &world_ops;
	w.low = s->low;
	must(deque_init(&w.d, &cfg, w.slots));
}

static uint32_t interior;		/* nodes that stay */
static unsigned long unused;		/* the fewest leaves that were not, of deque_most_leaves() */

/* Push, handing in a leaf as an allocator would. */
static void push(enum deque_end end, unsigned long entry)
{
	uint32_t leaf = deque_wants_leaf(&w.d, end);

	must(leaf == DEQUE_LEAF_NONE || !deque_push_is_inline(&w.d, end));
	if (leaf != DEQUE_LEAF_NONE) {
		struct node_ref ref = deque_take_spare(&w.d);

		if (node_ref_is_none(ref))
			ref = world_get(&w.store, 0, w.d.tree.node_bytes);
		must(!node_ref_is_none(ref));
		deque_add_leaf(&w.d, leaf, ref);
	}
	set_slot(entry, deque_push(&w.d, end, entry));
}

/* Everything the head of deque.c promises. */
static void check_invariants(void)
{
	struct deque *d = &w.d;
	struct deque_cursor it = deque_begin(d, DEQUE_TAIL);
	uint32_t leaves = w.nr_nodes - interior;
	uint32_t holes = d->nr_holes;
	uint32_t needed = deque_needed_leaves(d);
	unsigned long most = deque_most_leaves(&cfg, 1, deque_nr(d));
	unsigned long entry;
	uint32_t slot, seen = 0;

	while (deque_next(d, &it, &entry, &slot)) {
		must(w.slot_of[entry] == slot);
		seen++;
	}
	must(seen == deque_nr(d));
	must(d->nr_in <= d->nr_inline);
	must(!holes || d->tail != d->lo);
	must(leaves == needed + (d->spare != DEQUE_LEAF_NONE));
	if (!deque_nr(d) || deque_nr(d) + d->hysteresis <= d->nr_inline)
		must(leaves == 0);
	must(leaves <= most);
	unused = min_t(unsigned long, unused, most - leaves);
	if (deque_nr(d)) {
		must(deque_peek(d, DEQUE_HEAD) != DEQUE_ENTRY_NONE);
		must(deque_peek(d, DEQUE_TAIL) != DEQUE_ENTRY_NONE);
	}
	must(holes <= deque_nr(d) + 8);
	must(w.mapped == 0);
	must(w.max_mapped <= 1);
}

/* Cheap form for states whose entries were all checked before. */
static void check_shape(void)
{
	struct deque *d = &w.d;
	uint32_t leaves = w.nr_nodes - interior;

	must(d->nr_in <= d->nr_inline);
	must(leaves == deque_needed_leaves(d) + (d->spare != DEQUE_LEAF_NONE));
	if (!deque_nr(d) || deque_nr(d) + d->hysteresis <= d->nr_inline)
		must(leaves == 0);
	must(w.mapped == 0);
}

static const struct setting explored[] = {
	{ 16, 4, 1, 4, false, false }, { 32, 4, 1, 4, false, false }, { 64, 4, 1, 4, false, false },
};

/*
 * Entry names are opaque to the deque, so up to renaming its state is its
 * counters alone: length, how much is inline, and the spare. Every state
 * that pushes, pops and removals at the head reach up to 1,024 entries is
 * visited, and every removal is run from every one of them.
 */
#define STATE_BITS 22

static uint64_t state_key(void)
{
	const struct deque *d = &w.d;
	uint64_t spare = d->spare == DEQUE_LEAF_NONE ? 0 :
			 1 + ((d->spare - (d->tail >> d->leaf_shift)) & 1023);

	return (uint64_t)deque_nr(d) | (uint64_t)d->nr_in << 11 |
	       spare << 18 |
	       (uint64_t)(d->tail & (d->mask >> 0)) << 40;
}

static uint64_t *seen_keys;
static size_t nr_seen;

static bool first_seen(uint64_t key)
{
	size_t i = (size_t)((key + 1) * UINT64_C(0x9e3779b97f4a7c15) >>
			    (64 - STATE_BITS));

	for (; seen_keys[i]; i = (i + 1) & ((1U << STATE_BITS) - 1))
		if (seen_keys[i] == key + 1)
			return false;
	seen_keys[i] = key + 1;
	nr_seen++;
	must(nr_seen < 1U << (STATE_BITS - 1));
	return true;
}

/* Entries are 1 .. nr; the one that leaves gives its name to the last. */
static void rename_away(unsigned long entry, unsigned long last)
{
	uint32_t slot = w.slot_of[last];
	struct node_ref ref;
	uint32_t at = w.d.tail + ((slot - w.d.tail) & w.d.mask);

	if (entry == last)
		return;
	set_slot(entry, slot);
	if (at - w.d.lo < w.d.nr_in) {
		deque_write(&w.d, w.slots, at & w.d.inline_mask, entry);
	} else {
		ref = genradix_leaf(&w.d.tree, (at & w.d.mask) >> w.d.leaf_shift);
		touch_node(node_ref_pfn(ref));
		deque_write(&w.d, w.data[node_ref_pfn(ref)],
			    at & ((1U << w.d.leaf_shift) - 1), entry);
	}
}

static void undo(const struct world *before)
{
	must(nr_dirty_nodes <= ARRAY_SIZE(dirty_node));
	must(nr_dirty_entries <= ARRAY_SIZE(dirty_entry));
	w.d = before->d;
	w.nr_nodes = before->nr_nodes;
	memcpy(w.slots, before->slots, sizeof(w.slots));
	for (unsigned int i = 0; i < nr_dirty_nodes; i++) {
		unsigned long n = dirty_node[i];

		w.used[n] = before->used[n];
		memcpy(w.data[n], before->data[n], MAX_NODE_BYTES);
	}
	for (unsigned int i = 0; i < nr_dirty_entries; i++)
		w.slot_of[dirty_entry[i]] = before->slot_of[dirty_entry[i]];
}

START_TEST(every_removal_from_every_length_to_1024_keeps_the_shape)
{
	struct world *before = aligned_alloc(64, sizeof(w));
	struct world **stack = calloc(1U << 17, sizeof(*stack));
	struct world *spare_world = NULL;
	uint64_t transitions = 0;
	size_t depth = 0;

	seen_keys = calloc(1U << STATE_BITS, sizeof(*seen_keys));
	nr_seen = 0;
	world_make(&explored[_i], MAX_LEN);
	interior = w.nr_nodes;
	first_seen(state_key());
	stack[depth] = aligned_alloc(64, sizeof(w));
	*stack[depth++] = w;
	while (depth) {
		unsigned long nr;

		free(spare_world);
		spare_world = stack[--depth];
		w = *spare_world;
		check_invariants();
		*before = w;
		nr = deque_nr(&w.d);
		for (unsigned long op = 0; op <= nr + 1; op++) {
			nr_dirty_nodes = nr_dirty_entries = 0;
			if (op == nr + 1) {		/* push */
				if (nr == MAX_LEN)
					continue;
				push(DEQUE_HEAD, nr + 1);
			} else if (op == 0) {		/* pop */
				unsigned long entry;

				if (!nr)
					continue;
				entry = deque_pop_head(&w.d);
				rename_away(entry, nr);
			} else {			/* remove entry `op` */
				deque_del(&w.d, w.slot_of[op], DEQUE_HEAD, &world_hooks, NULL);
				rename_away(op, nr);
			}
			transitions++;
			check_shape();
			if (first_seen(state_key())) {
				must(depth < 1U << 17);
				stack[depth] = spare_world ? spare_world :
							     aligned_alloc(64, sizeof(w));
				spare_world = NULL;
				*stack[depth++] = w;
			}
			undo(before);
		}
	}
	printf("deque, nodes of %u bytes, %u inline: %zu states, %llu transitions, complete\n",
	       explored[_i].node_bytes, explored[_i].nr_inline, nr_seen,
	       (unsigned long long)transitions);
	must(transitions > (uint64_t)MAX_LEN * (MAX_LEN + 1) / 2);
	free(before);
	free(spare_world);
	free(stack);
	free(seen_keys);
}
END_TEST

/* Low nodes of 64 bytes lie side by side: the quick halves find leaves in the row. */
static const struct setting random_settings[] = {
	{ 64, 16, 2, 4, false, true }, { 64, 5, 0, 4, false, true }, { 64, 16, 4, 4, true, true },
	{ 16, 0, 0, 4, false, false }, { 16, 0, 4, 4, false, false }, { 16, 1, 0, 4, false, false },
	{ 16, 3, 0, 8, false, false }, { 16, 16, 4, 4, false, false }, { 32, 10, 4, 4, false, false },
	{ 64, 16, 4, 8, false, false }, { 16, 0, 0, 4, true, false }, { 16, 4, 1, 4, true, false },
	{ 32, 16, 4, 4, true, false }, { 64, 16, 4, 8, true, false }, { 32, 5, 0, 4, true, false },
	{ 16, 2, 4, 4, false, false },
};

/*
 * Both ends and the middle at random against a plain array. With punch the
 * array's order must be met exactly; with swap its ends and its set.
 */
START_TEST(random_operations_agree_with_an_array)
{
	const struct setting *s = &random_settings[_i];
	static unsigned long model[MAX_LEN];
	static uint8_t present[MAX_LEN + 1];
	unsigned long seed = 20211026 + (unsigned long)_i;
	const char *env = getenv("PAGETAX_SEED");
	/* With more, a level of nodes would stand between those of the row. */
	const unsigned int longest = s->low ? MAX_LEN - 64 : MAX_LEN;
	unsigned int nr = 0, target = 0;
	struct rng rng;

	if (env)
		seed = strtoul(env, NULL, 0);
	rng_seed(&rng, seed);
	memset(present, 0, sizeof(present));
	world_make(s, longest);
	must(!s->low == !w.d.tree.row || s->punch);
	interior = w.nr_nodes;
	unused = ULONG_MAX;
	w.d.lo = w.d.tail = UINT32_MAX - 37;	/* counters wrap soon */
	for (unsigned int step = 0; step < 60000; step++) {
		unsigned int what = (unsigned int)rng_below(&rng, 8);
		enum deque_end end = what & 1 ? DEQUE_TAIL : DEQUE_HEAD;
		bool grow;

		if (step % 300 == 0)
			target = (unsigned int)rng_below(&rng, step % 1200 ? 40 : longest);
		grow = nr < target ? what < 6 : what < 3;
		if ((grow || !nr) && nr < longest) {
			unsigned long entry = 1 + rng_below(&rng, MAX_LEN);

			while (present[entry])
				entry = entry % MAX_LEN + 1;
			present[entry] = 1;
			push(end, entry);
			if (end == DEQUE_HEAD) {
				model[nr] = entry;
			} else {
				memmove(model + 1, model, nr * sizeof(*model));
				model[0] = entry;
			}
			nr++;
		} else if (nr && what & 2) {
			unsigned long entry = deque_pop(&w.d, end);
			unsigned int at = end == DEQUE_HEAD ? nr - 1 : 0;

			must_msg(entry == model[at], "seed %lu step %u", seed, step);
			present[entry] = 0;
			memmove(model + at, model + at + 1,
				(nr - 1 - at) * sizeof(*model));
			nr--;
		} else if (nr) {
			unsigned int at = (unsigned int)rng_below(&rng, nr);
			unsigned long entry = model[at];

			must(deque_at(&w.d, w.slot_of[entry]) == entry);
			deque_del(&w.d, w.slot_of[entry], end, &world_hooks, NULL);
			present[entry] = 0;
			if (s->punch) {
				memmove(model + at, model + at + 1,
					(nr - 1 - at) * sizeof(*model));
			} else if (end == DEQUE_HEAD) {
				model[at] = model[nr - 1];
			} else {
				model[at] = model[0];
				memmove(model, model + 1, (nr - 1) * sizeof(*model));
			}
			nr--;
		}
		must(deque_nr(&w.d) == nr);
		if (nr < 64 || step % 16 == 0) {
			struct deque_cursor it = deque_begin(&w.d, DEQUE_TAIL);
			unsigned long entry;
			uint32_t slot;

			check_invariants();
			for (unsigned int i = 0; i < nr; i++) {
				must(deque_next(&w.d, &it, &entry, &slot));
				must_msg(entry == model[i], "seed %lu step %u at %u",
					      seed, step, i);
			}
		}
	}
	while (nr--)
		must(deque_pop_head(&w.d) != DEQUE_ENTRY_NONE);
	must(deque_pop_head(&w.d) == DEQUE_ENTRY_NONE);
	must(deque_pop_tail(&w.d) == DEQUE_ENTRY_NONE);
	must(w.nr_nodes == interior);
	must(unused <= 2 || s->punch);	/* the bound is near */
	deque_destroy(&w.d);
	must(w.nr_nodes == 0);
}
END_TEST

START_TEST(a_store_that_runs_out_leaves_no_half_made_deque)
{
	unsigned int gets;

	cfg = (struct deque_config){
		.max_entries = MAX_LEN, .nr_inline = 4, .entry_bytes = 4,
		.node_bytes = 16, .store = &w.store, .hooks = &world_hooks,
	};
	for (gets = 1;; gets++) {
		memset(&w, 0, sizeof(w));
		w.store.ops = &world_ops;
		w.fail_after = gets;
		if (deque_init(&w.d, &cfg, w.slots))
			break;
		must(w.nr_nodes == 0);
	}
	must(gets > 3);
	deque_destroy(&w.d);
	must(w.nr_nodes == 0);
}
END_TEST

/*
 *   K = 16, h = 4, leaf of 4:  push to 40, pop to 12: leaves go back one by
 *   one, and at 12 entries there is none.
 */
START_TEST(a_short_list_has_no_leaf)
{
	static const struct setting s = { 16, 16, 4, 4, false, false };

	world_make(&s, MAX_LEN);
	interior = w.nr_nodes;
	for (unsigned long e = 1; e <= 16; e++)
		push(DEQUE_HEAD, e);
	must(w.nr_nodes == interior);
	for (unsigned long e = 17; e <= 40; e++)
		push(DEQUE_HEAD, e);
	must(w.nr_nodes > interior);
	while (deque_nr(&w.d) > 12)
		deque_pop_head(&w.d);
	must(w.nr_nodes == interior);
}
END_TEST

/* One leaf border crossed to and fro costs nodes without hysteresis only. */
START_TEST(without_inline_slots_and_hysteresis_a_leaf_border_thrashes)
{
	static const struct setting naive = { 16, 0, 0, 4, false, false };
	static const struct setting right = { 16, 16, 4, 4, false, false };
	const struct setting *both[] = { &naive, &right };
	unsigned int gets[2];

	for (int i = 0; i < 2; i++) {
		world_make(both[i], MAX_LEN);
		for (unsigned long e = 1; e <= 40; e++)
			push(DEQUE_HEAD, e);
		gets[i] = 0;
		for (int turn = 0; turn < 100; turn++) {
			uint32_t nodes = w.nr_nodes;

			push(DEQUE_HEAD, 41);
			gets[i] += w.nr_nodes > nodes;
			deque_pop_head(&w.d);
		}
	}
	must(gets[0] == 100);
	must(gets[1] <= 1);
}
END_TEST

/* Up and down by a leaf's entries, from each length: what empties serves the next rise. */
START_TEST(a_list_that_swings_by_a_leaf_keeps_its_leaves)
{
	static const struct setting s = { 64, 4, 1, 4, false, false };

	for (unsigned long length = 40; length < 56; length++) {
		uint32_t most = 0, least = UINT32_MAX;

		world_make(&s, MAX_LEN);
		for (unsigned long e = 1; e <= length; e++)
			push(DEQUE_HEAD, e);
		for (int turn = 0; turn < 10; turn++) {
			for (unsigned long e = 1; e <= 16; e++) {
				push(DEQUE_HEAD, length + e);
				most = max_t(uint32_t, most, w.nr_nodes);
				if (turn)
					least = min_t(uint32_t, least, w.nr_nodes);
			}
			for (unsigned long e = 1; e <= 16; e++) {
				deque_pop_head(&w.d);
				least = min_t(uint32_t, least, w.nr_nodes);
			}
		}
		must(least == most);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("deque");
	TCase *tc = tcase_create("deque");

	/* The explorer frees and takes large states: keep them in the heap. */
	mallopt(M_MMAP_THRESHOLD, 1 << 28);
	mallopt(M_TRIM_THRESHOLD, 1 << 28);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, every_removal_from_every_length_to_1024_keeps_the_shape,
			    0, (int)ARRAY_SIZE(explored));
	tcase_add_loop_test(tc, random_operations_agree_with_an_array, 0,
			    (int)ARRAY_SIZE(random_settings));
	tcase_add_test(tc, a_store_that_runs_out_leaves_no_half_made_deque);
	tcase_add_test(tc, a_short_list_has_no_leaf);
	tcase_add_test(tc, without_inline_slots_and_hysteresis_a_leaf_border_thrashes);
	tcase_add_test(tc, a_list_that_swings_by_a_leaf_keeps_its_leaves);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
