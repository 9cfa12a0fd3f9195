/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * freelist.h - blocks enter and leave free lists, and join
 *
 *    free lists of a zone, one for each order and mobility type:
 *        order 10   [ ]                    movable: occupied = 0b 0..1001
 *        ...
 *        order  3   [block]
 *        order  0   [block][block]
 *
 * Every block on a list is of its pageblock's type: who changes the type of a
 * pageblock moves its free blocks (mobility.h).
 *
 * All of it is inlined into backends that pass their table as a constant, so
 * the compiler folds each call through it.
 *
 * Invariants:  no two free buddies of equal order in one zone, unless their
 *              pageblocks' types do not merge
 *              bit o of occupied[t] set  <=>  nr_free[o][t] > 0
 */
#ifndef PAGETAX_ALLOC_BUDDY_FREELIST_H
#define PAGETAX_ALLOC_BUDDY_FREELIST_H

#include "placement.h"

/* The zone that spans pfn, which must be in one. */
static __always_inline struct buddy_zone *buddy_zone_of(const struct buddy *b,
							unsigned long pfn)
{
	unsigned int i = b->nr_zones - 1;

	while (pfn < b->zones[i]->start_pfn)
		i--;
	return b->zones[i];
}

/* The list a block belongs on: its pageblock's, or the only one. */
static __always_inline unsigned int buddy_type(const struct buddy *b,
					       const struct buddy_zone *z,
					       unsigned long pfn)
{
	if (z->nr_types == 1)
		return 0;
	return b->block_type[pfn >> PAGEBLOCK_ORDER];
}

/* Retype the pageblocks that a block of this order covers; none of it is listed. */
void set_block_types(struct buddy *b, struct buddy_zone *z, unsigned long pfn,
		     unsigned int order, unsigned int type);

/* Blocks of unlike types join, but not with a reserve. */
static inline bool types_merge(unsigned int one, unsigned int other)
{
	return one == other ||
	       (one != MIGRATE_HIGHATOMIC && other != MIGRATE_HIGHATOMIC);
}

static __always_inline void count_listed(struct buddy_zone *z,
					 unsigned int order, unsigned int type)
{
	z->nr_free[order][type]++;
	z->occupied[type] |= 1U << order;
	z->free_pages += 1UL << order;
}

static __always_inline void count_unlisted(struct buddy_zone *z,
					   unsigned int order, unsigned int type)
{
	if (--z->nr_free[order][type] == 0)
		z->occupied[type] &= ~(1U << order);
	z->free_pages -= 1UL << order;
}

/* Not inlined, so that it takes no register from those who do without it. */
#define APART static __attribute__((noinline, unused))

/* Add a block to a list that has to get ready for it; false when that used it up. */
APART bool add_to_full(const struct buddy_repr *r, struct buddy *b,
		       struct buddy_zone *z, unsigned long pfn,
		       unsigned int order, unsigned int type, enum list_end end)
{
	if (!r->make_room(b, z, pfn, order, type, end))
		return false;
	r->add(b, z, pfn, order, type, end);
	return true;
}

/* Add a block to its list, and count it. Nothing is listed when it was used up. */
static __always_inline bool list_add(const struct buddy_repr *r,
				     struct buddy *b, struct buddy_zone *z,
				     unsigned long pfn, unsigned int order,
				     unsigned int type, enum list_end end)
{
	if (r->make_room && unlikely(!r->can_push(z, order, type, end))) {
		if (!add_to_full(r, b, z, pfn, order, type, end))
			return false;
	} else {
		r->add(b, z, pfn, order, type, end);
	}
	count_listed(z, order, type);
	return true;
}

/* The steps of buddy_insert and buddy_remove where a zone's placement has its say. */
APART void insert_placed(const struct buddy_repr *r, struct buddy *b,
			 struct buddy_zone *z, unsigned long pfn,
			 unsigned int order, unsigned int type)
{
	enum list_end end = placed_end(z, pfn, order, type,
				       z->free_pages + (1UL << order));

	if (list_add(r, b, z, pfn, order, type, end))
		placed_note(z, pfn, order, type, true);
}

APART void remove_placed(const struct buddy_repr *r, struct buddy *b,
			 struct buddy_zone *z, unsigned long pfn,
			 unsigned int order, unsigned int type)
{
	r->del(b, z, pfn, order, type,
	       placed_end(z, pfn, order, type, z->free_pages));
	count_unlisted(z, order, type);
	placed_note(z, pfn, order, type, false);
}

/*
 * The same with `spare`, but for the count of the pageblock's free pages: below a
 * pageblock's size blocks join, and are cut, within one, all of whose free blocks
 * stand at one end; so that is looked up, and counted in, once for all of them.
 * Until then the count is too high, never too low. Pages listed: none, if the
 * block was used up.
 */
static __always_inline int insert_within(const struct buddy_repr *r,
					 struct buddy *b, struct buddy_zone *z,
					 unsigned long pfn, unsigned int order,
					 unsigned int type, enum list_end end)
{
	if (!list_add(r, b, z, pfn, order, type, end))
		return 0;
	z->placement->nr_far[order][type] += end == LIST_TAIL;
	return 1 << order;
}

static __always_inline void remove_within(const struct buddy_repr *r,
					  struct buddy *b, struct buddy_zone *z,
					  unsigned long pfn, unsigned int order,
					  unsigned int type, enum list_end end)
{
	r->del(b, z, pfn, order, type, end);
	count_unlisted(z, order, type);
	z->placement->nr_far[order][type] -= end == LIST_TAIL;
}

/* Put a block on its list; it may be used up instead (see make_room). */
static __always_inline void buddy_insert(const struct buddy_repr *r,
					 struct buddy *b, struct buddy_zone *z,
					 unsigned long pfn, unsigned int order,
					 unsigned int type, enum list_end end)
{
	if (unlikely(z->placement)) {
		insert_placed(r, b, z, pfn, order, type);
		return;
	}
	list_add(r, b, z, pfn, order, type, end);
}

/* Take a block off its list. */
static __always_inline void buddy_remove(const struct buddy_repr *r,
					 struct buddy *b, struct buddy_zone *z,
					 unsigned long pfn, unsigned int order,
					 unsigned int type)
{
	if (unlikely(z->placement)) {
		remove_placed(r, b, z, pfn, order, type);
		return;
	}
	r->del(b, z, pfn, order, type, LIST_HEAD);
	count_unlisted(z, order, type);
}

/* Take the first block of a list that is not empty, last in, first out. */
static __always_inline unsigned long list_pop(const struct buddy_repr *r,
					      struct buddy *b,
					      struct buddy_zone *z,
					      unsigned int order,
					      unsigned int type)
{
	unsigned long pfn = r->pop(b, z, order, type);

	count_unlisted(z, order, type);
	return pfn;
}

/* The same with any placement. */
static __always_inline unsigned long buddy_pop(const struct buddy_repr *r,
					       struct buddy *b,
					       struct buddy_zone *z,
					       unsigned int order,
					       unsigned int type)
{
	unsigned long pfn = list_pop(r, b, z, order, type);

	if (unlikely(z->placement))
		placed_note(z, pfn, order, type, false);
	return pfn;
}

/*
 * Whether a freed block will soon join its buddy, so that it had better not be
 * handed out next: the two would make a parent whose own buddy is free.
 *
 *    freed        still in use    free, order + 1
 *    [ order ]    [ order ]       [     order + 1     ]
 */
static __always_inline bool merge_is_likely(const struct buddy_repr *r,
					    const struct buddy *b,
					    const struct buddy_zone *z,
					    unsigned long pfn,
					    unsigned int order)
{
	unsigned long parent = pfn & ~(1UL << order);
	unsigned long beside = pfn_buddy(parent, order + 1);

	return beside >= z->start_pfn && beside < z->end_pfn &&
	       r->is_free(b, beside, order + 1);
}

static __always_inline enum list_end end_by_rule(const struct buddy_repr *r,
						 const struct buddy *b,
						 const struct buddy_zone *z,
						 unsigned long pfn,
						 unsigned int order)
{
	if (!b->policy.tail_rule || order + 1 >= MAX_PAGE_ORDER)
		return LIST_HEAD;
	return merge_is_likely(r, b, z, pfn, order) ? LIST_TAIL : LIST_HEAD;
}

/*
 * Take a free buddy off its list, to join a block of this type. From pageblocks
 * on, the buddy's pageblocks take on the type; false when they must not.
 */
static __always_inline bool take_buddy(const struct buddy_repr *r,
				       struct buddy *b, struct buddy_zone *z,
				       unsigned long buddy, unsigned int order,
				       unsigned int type)
{
	unsigned int other = type;

	if (order >= PAGEBLOCK_ORDER)
		other = buddy_type(b, z, buddy);
	if (unlikely(other != type) && !types_merge(type, other))
		return false;
	buddy_remove(r, b, z, buddy, order, other);
	if (unlikely(other != type))
		set_block_types(b, z, buddy, order, type);
	return true;
}

/*
 * Join a block with its buddy as long as that is free; the order that comes of it.
 * within: up to a pageblock, at that end of the lists (see insert_within).
 *
 *   0 1 2 3        free 2, order 0: buddy 3 is free -> [2 3], order 1
 *   F F A F        buddy [0 1] is free of order 1    -> [0..3], order 2
 */
static __always_inline unsigned int buddy_join(const struct buddy_repr *r,
					       struct buddy *b,
					       struct buddy_zone *z,
					       unsigned long *pfn,
					       unsigned int order,
					       unsigned int type, bool within,
					       enum list_end end)
{
	while (order < (within ? PAGEBLOCK_ORDER : MAX_PAGE_ORDER)) {
		unsigned long buddy = pfn_buddy(*pfn, order);

		if (unlikely(buddy < z->start_pfn || buddy >= z->end_pfn))
			break;
		if (r->is_free(b, buddy, order)) {
			if (within)
				remove_within(r, b, z, buddy, order, type, end);
			else if (!take_buddy(r, b, z, buddy, order, type))
				break;
		} else if (within || !r->evict || order > 0 ||
			   !r->evict(b, z, *pfn, buddy)) {
			break;
		}
		*pfn &= buddy;
		order++;
		b->base.stats.merges++;
	}
	return order;
}

/* Free a block: join it, then list it. */
static __always_inline void buddy_merge(const struct buddy_repr *r,
					struct buddy *b, struct buddy_zone *z,
					unsigned long pfn, unsigned int order,
					enum list_end end)
{
	unsigned int type = buddy_type(b, z, pfn);

	order = buddy_join(r, b, z, &pfn, order, type, false, end);
	if (end == LIST_BY_RULE)
		end = end_by_rule(r, b, z, pfn, order);
	if (!r->can_push)	/* else its ends are unlike: code for each */
		buddy_insert(r, b, z, pfn, order, type, end);
	else if (end == LIST_HEAD)
		buddy_insert(r, b, z, pfn, order, type, LIST_HEAD);
	else
		buddy_insert(r, b, z, pfn, order, type, LIST_TAIL);
}

/* The same with `spare`, of a block below a pageblock's size and beside no metadata. */
static __always_inline void merge_within(const struct buddy_repr *r,
					 struct buddy *b, struct buddy_zone *z,
					 unsigned long pfn, unsigned int order)
{
	unsigned long i = block_index(z->placement, pfn);
	enum list_end end = side_end(level_side(z->placement->levels[i]));
	unsigned int type = buddy_type(b, z, pfn);
	int joined = -(1 << order);

	order = buddy_join(r, b, z, &pfn, order, type, true, end);
	joined += 1 << order;
	if (order < PAGEBLOCK_ORDER) {
		int listed = insert_within(r, b, z, pfn, order, type, end);

		count_in_block(z, i, listed - joined);
	} else {
		count_in_block(z, i, -joined);
		buddy_merge(r, b, z, pfn, order, LIST_HEAD);
	}
}

/* Nodes that the free of one block took. */
static inline void note_consumed(struct buddy *b, unsigned int order,
				 uint64_t nodes_before)
{
	struct alloc_stats *stats = &b->base.stats;
	uint64_t consumed;

	if (likely(stats->nodes <= nodes_before))
		return;
	consumed = stats->nodes - nodes_before;
	if (order == 0 && consumed > stats->max_consumed)
		stats->max_consumed = consumed;
	if (consumed > stats->max_consumed_any)
		stats->max_consumed_any = consumed;
}

/* A whole free of one block whose words are clear. */
static __always_inline void buddy_free_block(const struct buddy_repr *r,
					     struct buddy *b,
					     struct buddy_zone *z,
					     unsigned long pfn,
					     unsigned int order,
					     enum list_end end)
{
	uint64_t nodes = b->base.stats.nodes;

	buddy_merge(r, b, z, pfn, order, end);
	if (r->settle)
		r->settle(b, z);
	if (r->make_room)
		note_consumed(b, order, nodes);
}

/* Cut a block that is on no list down to `order`: the upper halves are listed. */
static __always_inline void buddy_expand(const struct buddy_repr *r,
					 struct buddy *b, struct buddy_zone *z,
					 unsigned long pfn, unsigned int from,
					 unsigned int order, unsigned int type)
{
	while (from > order) {
		from--;
		buddy_insert(r, b, z, pfn + (1UL << from), from, type, LIST_HEAD);
		b->base.stats.splits++;
	}
}

/* `spare`: the head of a list, cut down; a block below a pageblock's size. */
static __always_inline unsigned long take_within(const struct buddy_repr *r,
						 struct buddy *b,
						 struct buddy_zone *z,
						 unsigned int from,
						 unsigned int order,
						 unsigned int type)
{
	unsigned long pfn = list_pop(r, b, z, from, type);
	unsigned long i = block_index(z->placement, pfn);
	enum list_end end = side_end(level_side(z->placement->levels[i]));
	int pages = -(1 << from);

	z->placement->nr_far[from][type] -= end == LIST_TAIL;
	while (from > order) {
		from--;
		pages += insert_within(r, b, z, pfn + (1UL << from), from, type, end);
		b->base.stats.splits++;
	}
	count_in_block(z, i, pages);
	return pfn;
}

APART unsigned long take_placed(const struct buddy_repr *r, struct buddy *b,
				struct buddy_zone *z, unsigned int order,
				unsigned int type)
{
	unsigned int from = order;
	unsigned long pfn = PFN_NONE;

	if (!(z->occupied[type] >> order))
		return PFN_NONE;
	if (unlikely(!z->placement->started))
		placement_start(r, b, z);
	switch (z->placement->rule) {
	case PLACE_SPARE:
		from = spare_find(r, b, z, order, &type);
		if (from < PAGEBLOCK_ORDER && z->occupied[type] >> from & 1)
			return take_within(r, b, z, from, order, type);
		break;
	case PLACE_LOWEST:
		pfn = lowest_find(z, &from, type);
		break;
	default:
		from = watermark_find(r, b, z, order, type);
	}
	if (pfn == PFN_NONE && !(z->occupied[type] >> from))
		return PFN_NONE;
	if (pfn == PFN_NONE)
		pfn = buddy_pop(r, b, z, from, type);
	else
		buddy_remove(r, b, z, pfn, from, type);
	buddy_expand(r, b, z, pfn, from, order, type);
	return pfn;
}

/*
 * The head of the smallest order that has a block of this type, cut down; PFN_NONE
 * if none has. Of a zone without a placement.
 */
static __always_inline unsigned long list_take(const struct buddy_repr *r,
					       struct buddy *b,
					       struct buddy_zone *z,
					       unsigned int order,
					       unsigned int type)
{
	uint32_t above = z->occupied[type] >> order;
	unsigned int from;
	unsigned long pfn;

	if (!above)
		return PFN_NONE;
	from = order + lowest_bit(above);
	b->base.stats.splits += from - order;
	pfn = list_pop(r, b, z, from, type);
	while (from > order) {
		from--;
		list_add(r, b, z, pfn + (1UL << from), from, type, LIST_HEAD);
	}
	return pfn;
}

/* The same of any zone. */
static __always_inline unsigned long take_smallest(const struct buddy_repr *r,
						   struct buddy *b,
						   struct buddy_zone *z,
						   unsigned int order,
						   unsigned int type)
{
	COST_NOW(bits_scanned, NR_PAGE_ORDERS - order);
	return unlikely(z->placement) ? take_placed(r, b, z, order, type) :
					list_take(r, b, z, order, type);
}

#endif
