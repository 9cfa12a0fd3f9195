/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * placement.c - the rarer steps of the placement rules; see placement.h
 *
 * None of this is on the hot path, so it calls the representation through its
 * table and exists once.
 */
#include "mobility.h"
#include "placement.h"

#define WINDOW_SHARE 8		/* of a zone is handed out in a window */
#define SWAP_RANKS max_t(unsigned int, PAGEBLOCK_NR_PAGES / RANK_PAGES / 4, 1)
#define SLACK_SHARE 8		/* more spared than could be empty: that, and SLACK */
#define SLACK 8
#define GIVE_UP_TRIES 8		/* spared pageblocks looked at for one with a free page */
#define OTHERS_KEEP (1UL << MAX_PAGE_ORDER) /* pages: what they would claim at once */

static unsigned long zone_pages(const struct buddy_zone *z)
{
	return z->end_pfn - z->start_pfn;
}

/* --- watermark --------------------------------------------------------- */

/* The gap is filled from the head: a block from the tail would be as stale. */
void watermark_retire(const struct buddy_repr *r, struct buddy *b,
		      struct buddy_zone *z, unsigned long pfn,
		      unsigned int order, unsigned int type)
{
	r->del(b, z, pfn, order, type, LIST_HEAD);
	count_unlisted(z, order, type);
	buddy_insert(r, b, z, pfn, order, type, LIST_TAIL);
}

/* Blocks were released under other values of W: those beyond it go to the tails. */
static void watermark_start(const struct buddy_repr *r, struct buddy *b,
			    struct buddy_zone *z)
{
	for (unsigned long pfn = z->start_pfn; pfn < z->end_pfn;) {
		unsigned int order = 0;
		enum buddy_kind kind = r->kind(b, pfn, &order);
		unsigned int type = buddy_type(b, z, pfn);

		if (kind == KIND_FREE && !below_watermark(z, pfn, type, z->free_pages))
			watermark_retire(r, b, z, pfn, order, type);
		pfn += kind == KIND_NONE ? 1 : 1UL << order;
	}
}

/* --- spare ------------------------------------------------------------- */

static unsigned long start_of(const struct placement *p, unsigned long i)
{
	return (p->first_block + i) << PAGEBLOCK_ORDER;
}

static enum side side_of(const struct placement *p, unsigned long i)
{
	return level_side(p->levels[i]);
}

static unsigned int free_of(const struct placement *p, unsigned long i)
{
	return (uint16_t)(p->blocks[i].floor + level_pages(p->levels[i]));
}

static void rank_leave(struct placement *p, unsigned long i)
{
	struct ranked_block *block = &p->blocks[i];
	enum side side = side_of(p, i);
	uint32_t *first = &p->ranks[side][block->rank % NR_RANKS];

	if (block->rank == NR_RANKS)
		return;
	if (block->prev == BLOCK_NONE)
		*first = block->next;
	else
		p->blocks[block->prev].next = block->next;
	if (block->next != BLOCK_NONE)
		p->blocks[block->next].prev = block->prev;
	if (*first == BLOCK_NONE)
		p->ranked[side] &= ~(UINT64_C(1) << block->rank);
	block->rank = NR_RANKS;
}

/* A counter may fall by a rank before it counts as lower, so that it rests. */
static void rank_enter(struct placement *p, unsigned long i, enum side side,
		       unsigned int free)
{
	struct ranked_block *block = &p->blocks[i];
	unsigned int rank = free >> RANK_SHIFT;
	uint32_t *first = &p->ranks[side][rank];

	block->rank = (uint8_t)rank;
	block->floor = (uint16_t)((rank << RANK_SHIFT) - RANK_PAGES);
	p->levels[i] = level_make(side, (uint16_t)(free - block->floor));
	block->prev = BLOCK_NONE;
	block->next = *first;
	if (*first != BLOCK_NONE)
		p->blocks[*first].prev = (uint32_t)i;
	*first = (uint32_t)i;
	p->ranked[side] |= UINT64_C(1) << rank;
}

static bool is_movable(const struct buddy_zone *z, unsigned int type)
{
	return z->nr_types == 1 || type == MIGRATE_MOVABLE;
}

static bool has_rank(const struct buddy_zone *z, unsigned long i,
		     unsigned int free)
{
	return z->placement->blocks[i].movable && free < PAGEBLOCK_NR_PAGES &&
	       zone_holds_pageblock(z, start_of(z->placement, i));
}

/*
 * Whole pageblocks are spared by themselves; those cut by the zone's ends never,
 * and those of other types no longer once something is in use.
 */
static void set_free(struct buddy_zone *z, unsigned long i, unsigned int free)
{
	struct placement *p = z->placement;
	enum side side = side_of(p, i);

	rank_leave(p, i);
	p->due = true;
	if (has_rank(z, i, free)) {
		rank_enter(p, i, side, free);
		return;
	}
	p->nr_spare -= side == SIDE_SPARED;
	side = free == PAGEBLOCK_NR_PAGES ? SIDE_SPARED : SIDE_NEAR;
	p->nr_spare += side == SIDE_SPARED;
	p->blocks[i].floor = (uint16_t)free;
	p->levels[i] = level_make(side, 0);
}

void spare_rerank(struct buddy_zone *z, unsigned long i, int pages)
{
	set_free(z, i, free_of(z->placement, i) + (unsigned int)pages);
}

void spare_note_whole(struct buddy_zone *z, unsigned long pfn,
		      unsigned int order, bool free)
{
	unsigned long first = block_index(z->placement, pfn);

	for (unsigned long i = 0; i < 1UL << (order - PAGEBLOCK_ORDER); i++)
		set_free(z, first + i, free ? PAGEBLOCK_NR_PAGES : 0);
}

void spare_note_type(struct buddy_zone *z, unsigned long pfn,
		     unsigned int order, unsigned int type)
{
	struct placement *p = z->placement;
	unsigned long first = block_index(p, pfn);

	for (unsigned long i = first; i < first + (1UL << (order - PAGEBLOCK_ORDER)); i++) {
		p->blocks[i].movable = is_movable(z, type);
		set_free(z, i, free_of(p, i));
	}
}

/* A pageblock that is not whole changes sides, with all that is free in it. */
static void change_side(const struct buddy_repr *r, struct buddy *b,
			struct buddy_zone *z, unsigned long i)
{
	struct placement *p = z->placement;
	unsigned long start = start_of(p, i);
	enum side side = side_of(p, i) == SIDE_NEAR ? SIDE_SPARED : SIDE_NEAR;
	struct taken_blocks taken;

	take_free_blocks(r, b, z, start, &taken);
	rank_leave(p, i);
	p->nr_spare += side == SIDE_SPARED ? 1 : -1UL;
	rank_enter(p, i, side, free_of(p, i));
	put_free_blocks(r, b, z, start, &taken, buddy_type(b, z, start));
	p->due = true;
}

/* The pageblock that entered the emptiest rank last; there is one. */
static unsigned long emptiest(const struct placement *p, enum side side)
{
	return p->ranks[side][63 - __builtin_clzll(p->ranked[side])];
}

static unsigned long fullest(const struct placement *p, enum side side)
{
	return p->ranks[side][__builtin_ctzll(p->ranked[side])];
}

/* An emptier near pageblock for a fuller spared one, if it is worth it. */
static void swap_sides(const struct buddy_repr *r, struct buddy *b,
		       struct buddy_zone *z)
{
	struct placement *p = z->placement;
	unsigned long near, spared;

	if (!p->ranked[SIDE_NEAR] || !p->ranked[SIDE_SPARED])
		return;
	near = emptiest(p, SIDE_NEAR);
	spared = fullest(p, SIDE_SPARED);
	if (p->blocks[near].rank < p->blocks[spared].rank + SWAP_RANKS)
		return;
	change_side(r, b, z, near);
	change_side(r, b, z, spared);
}

/* Pageblocks that could have been empty at any time lately. */
static unsigned long spare_target(struct buddy_zone *z)
{
	struct placement *p = z->placement;

	p->least[0] = min_t(unsigned long, p->least[0], z->free_pages);
	if (p->window_left < 0) {
		p->window_left = (long)(zone_pages(z) / WINDOW_SHARE);
		p->least[1] = p->least[0];
		p->least[0] = z->free_pages;
		p->due = true;
	}
	return min_t(unsigned long, p->least[0], p->least[1]) >> PAGEBLOCK_ORDER;
}

void spare_adjust(const struct buddy_repr *r, struct buddy *b,
		  struct buddy_zone *z)
{
	struct placement *p = z->placement;
	unsigned long target = spare_target(z);

	p->due = false;
	if (p->nr_spare < target) {
		if (p->ranked[SIDE_NEAR] >> 1)
			change_side(r, b, z, emptiest(p, SIDE_NEAR));
	} else if (p->nr_spare > target + target / SLACK_SHARE + SLACK) {
		if (p->ranked[SIDE_SPARED])
			change_side(r, b, z, fullest(p, SIDE_SPARED));
	} else {
		swap_sides(r, b, z);
	}
}

/* The fullest spared pageblock of which some page is free becomes a near one. */
static bool give_up(const struct buddy_repr *r, struct buddy *b,
		    struct buddy_zone *z)
{
	struct placement *p = z->placement;
	unsigned int tries = GIVE_UP_TRIES;

	for (uint64_t left = p->ranked[SIDE_SPARED]; left; left &= left - 1) {
		uint32_t i = p->ranks[SIDE_SPARED][__builtin_ctzll(left)];

		for (; i != BLOCK_NONE; i = p->blocks[i].next) {
			if (!tries--)
				return false;
			if (!free_of(p, i))
				continue;
			change_side(r, b, z, i);
			return true;
		}
	}
	return false;
}

static unsigned long near_pages(const struct buddy_zone *z, unsigned int type)
{
	const struct placement *p = z->placement;
	unsigned long nr = 0;

	for (unsigned int order = 0; order < PAGEBLOCK_ORDER; order++)
		nr += (z->nr_free[order][type] - p->nr_far[order][type]) << order;
	return nr;
}

/*
 * Movable pages may lie anywhere: they take what others are not likely to want
 * soon. Without it, each would claim a pageblock for what it wants next.
 */
static unsigned int find_left_over(struct buddy *b, const struct buddy_zone *z,
				   unsigned int order, unsigned int *type)
{
	static const uint8_t others[] = { MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE };

	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++) {
		unsigned int from = near_order(z, order, others[i]);

		if (from == NR_PAGE_ORDERS ||
		    near_pages(z, others[i]) <= OTHERS_KEEP)
			continue;
		*type = others[i];
		b->base.stats.steals++;
		return from;
	}
	return NR_PAGE_ORDERS;
}

unsigned int spare_find_far(const struct buddy_repr *r, struct buddy *b,
			    struct buddy_zone *z, unsigned int order,
			    unsigned int *type)
{
	unsigned int from = NR_PAGE_ORDERS;

	if (is_movable(z, *type)) {
		if (z->nr_types > 1)
			from = find_left_over(b, z, order, type);
		if (from == NR_PAGE_ORDERS && order == 0 && give_up(r, b, z))
			from = near_order(z, order, *type);
	}
	return from < NR_PAGE_ORDERS ? from : any_order(z, order, *type);
}

static void spare_start(const struct buddy_repr *r, struct buddy *b,
			struct buddy_zone *z)
{
	struct placement *p = z->placement;

	p->least[0] = p->least[1] = z->free_pages;
	p->window_left = (long)(zone_pages(z) / WINDOW_SHARE);
	for (unsigned long i = 0; i < p->nr_blocks && p->due; i++)
		spare_adjust(r, b, z);
}

static bool spare_create(struct buddy *b, struct buddy_zone *z)
{
	struct placement *p = z->placement;

	p->first_block = z->start_pfn >> PAGEBLOCK_ORDER;
	p->nr_blocks = ((z->end_pfn - 1) >> PAGEBLOCK_ORDER) + 1 - p->first_block;
	p->blocks = machine_alloc(b->base.machine,
				  p->nr_blocks * sizeof(*p->blocks),
				  META_structures);
	p->levels = machine_alloc(b->base.machine,
				  p->nr_blocks * sizeof(*p->levels),
				  META_structures);
	if (!p->blocks || !p->levels)
		return false;
	for (unsigned int side = 0; side < NR_SIDES; side++)
		for (unsigned int rank = 0; rank < NR_RANKS; rank++)
			p->ranks[side][rank] = BLOCK_NONE;
	for (unsigned long i = 0; i < p->nr_blocks; i++) {
		p->blocks[i].rank = NR_RANKS;
		p->blocks[i].movable = true;
		set_free(z, i, 0);
	}
	return true;
}

/* --- lowest ------------------------------------------------------------ */

static struct bitmap_tree *tree_of(const struct buddy_zone *z,
				   unsigned int order, unsigned int type)
{
	return &z->placement->trees[order * BUDDY_NR_TYPES + type];
}

static unsigned long nr_places(const struct buddy_zone *z, unsigned int order)
{
	return ((z->end_pfn - 1) >> order) + 1 - (z->start_pfn >> order);
}

static unsigned long place_of(const struct buddy_zone *z, unsigned long pfn,
			      unsigned int order)
{
	return (pfn >> order) - (z->start_pfn >> order);
}

void lowest_note(struct buddy_zone *z, unsigned long pfn, unsigned int order,
		 unsigned int type, bool listed)
{
	if (listed)
		bitmap_tree_set(tree_of(z, order, type), place_of(z, pfn, order));
	else
		bitmap_tree_clear(tree_of(z, order, type), place_of(z, pfn, order));
}

static bool wants_highest(const struct buddy_zone *z, unsigned int type)
{
	return z->nr_types > 1 && type == MIGRATE_UNMOVABLE;
}

unsigned long lowest_of_list(const struct buddy_zone *z, unsigned int order,
			     unsigned int type, unsigned int for_type)
{
	const struct bitmap_tree *t = tree_of(z, order, type);
	unsigned long i = wants_highest(z, for_type) ? bitmap_tree_last(t) :
						       bitmap_tree_first(t);

	return ((z->start_pfn >> order) + i) << order;
}

unsigned long lowest_find(const struct buddy_zone *z, unsigned int *order,
			  unsigned int type)
{
	uint32_t left = z->occupied[type] >> *order << *order;
	bool highest = wants_highest(z, type);
	unsigned long best = PFN_NONE;

	for (; left; left &= left - 1) {
		unsigned int from = lowest_bit(left);
		unsigned long pfn = lowest_of_list(z, from, type, type);

		if (best != PFN_NONE && (highest ? pfn < best : pfn > best))
			continue;
		best = pfn;
		*order = from;
	}
	return best;
}

static bool lowest_create(struct buddy *b, struct buddy_zone *z)
{
	const size_t tree_bytes = NR_PAGE_ORDERS * BUDDY_NR_TYPES *
				  sizeof(struct bitmap_tree);
	struct placement *p = z->placement;
	unsigned char *at;

	p->bits_bytes = tree_bytes;
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		p->bits_bytes += z->nr_types * bitmap_tree_bytes(nr_places(z, order));
	p->bits = machine_alloc(b->base.machine, p->bits_bytes, META_structures);
	if (!p->bits)
		return false;
	p->trees = p->bits;
	at = (unsigned char *)p->bits + tree_bytes;
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		unsigned long nr = nr_places(z, order);

		for (unsigned int type = 0; type < z->nr_types; type++) {
			bitmap_tree_init(tree_of(z, order, type), at, nr);
			at += bitmap_tree_bytes(nr);
		}
	}
	return true;
}

/* --- all of them ------------------------------------------------------- */

bool placement_create(struct buddy *b, struct buddy_zone *z,
		      enum placement_rule rule)
{
	if (rule == PLACE_LIFO)
		return true;
	z->placement = machine_alloc(b->base.machine, sizeof(*z->placement),
				     META_structures);
	if (!z->placement)
		return false;
	z->placement->rule = rule;
	z->placement->due = true;
	if (rule == PLACE_SPARE)
		return spare_create(b, z);
	return rule != PLACE_LOWEST || lowest_create(b, z);
}

void placement_destroy(struct buddy *b, struct buddy_zone *z)
{
	struct machine *m = b->base.machine;
	struct placement *p = z->placement;

	if (!p)
		return;
	if (p->bits)
		machine_free(m, p->bits, p->bits_bytes, META_structures);
	if (p->levels)
		machine_free(m, p->levels, p->nr_blocks * sizeof(*p->levels),
			     META_structures);
	if (p->blocks)
		machine_free(m, p->blocks, p->nr_blocks * sizeof(*p->blocks),
			     META_structures);
	machine_free(m, p, sizeof(*p), META_structures);
}

void placement_start(const struct buddy_repr *r, struct buddy *b,
		     struct buddy_zone *z)
{
	z->placement->started = true;
	if (z->placement->rule == PLACE_WATERMARK)
		watermark_start(r, b, z);
	else if (z->placement->rule == PLACE_SPARE)
		spare_start(r, b, z);
}

/* --- checks ------------------------------------------------------------ */

/* Blocks of spared pageblocks, as the pages of the zone have them. */
struct far_count {
	unsigned long nr[NR_PAGE_ORDERS][BUDDY_NR_TYPES];
};

/*
 * Free pages of a pageblock's part [pfn, end), whose blocks all lie within, or
 * are larger and begin there.
 */
static unsigned long count_free(const struct buddy_repr *r,
				const struct buddy *b,
				const struct buddy_zone *z, unsigned long pfn,
				unsigned long end, bool spared,
				struct far_count *found)
{
	unsigned long nr = 0;

	while (pfn < end) {
		unsigned int order = 0;
		enum buddy_kind kind = r->kind(b, pfn, &order);

		if (kind == KIND_FREE)
			nr += min_t(unsigned long, 1UL << order, end - pfn);
		if (kind == KIND_FREE && spared)
			found->nr[order][buddy_type(b, z, pfn)]++;
		pfn += kind == KIND_NONE ? 1 : 1UL << order;
	}
	return nr;
}

static bool covered_by_larger(const struct buddy_repr *r, const struct buddy *b,
			      const struct buddy_zone *z, unsigned long start)
{
	for (unsigned int order = PAGEBLOCK_ORDER + 1; order <= MAX_PAGE_ORDER;
	     order++) {
		unsigned long head = start >> order << order;

		if (head < start && head >= z->start_pfn && r->is_free(b, head, order))
			return true;
	}
	return false;
}

static int verify_ranked(const struct buddy_repr *r, const struct buddy *b,
			 const struct buddy_zone *z, unsigned long i,
			 struct far_count *far, struct msg *msg)
{
	const struct placement *p = z->placement;
	const struct ranked_block *block = &p->blocks[i];
	unsigned long start = start_of(p, i);
	unsigned long from = max_t(unsigned long, start, z->start_pfn);
	unsigned long to = min_t(unsigned long, start + PAGEBLOCK_NR_PAGES,
				 z->end_pfn);
	bool spared = side_of(p, i) == SIDE_SPARED;
	unsigned long nr = PAGEBLOCK_NR_PAGES;

	if (!covered_by_larger(r, b, z, start))
		nr = count_free(r, b, z, from, to, spared, far);
	if (free_of(p, i) != nr || level_pages(p->levels[i]) >= LEVEL_TOP ||
	    (block->rank < NR_RANKS) != has_rank(z, i, (unsigned int)nr) ||
	    (zone_holds_pageblock(z, start) &&
	     block->movable != is_movable(z, buddy_type(b, z, start))) ||
	    (block->rank == NR_RANKS && spared != (nr == PAGEBLOCK_NR_PAGES)))
		return msg_set(msg, EUCLEAN,
			       "zone %s: the pageblock at pfn %#lx has %lu free pages; %u are counted, in rank %u",
			       z->zone->name, start, nr, free_of(p, i), block->rank);
	return 0;
}

static int verify_spare(const struct buddy_repr *r, const struct buddy *b,
			const struct buddy_zone *z, struct msg *msg)
{
	const struct placement *p = z->placement;
	unsigned long nr_spare = 0, nr_ranked = 0;
	struct far_count far = { { { 0 } } };

	for (unsigned long i = 0; i < p->nr_blocks; i++) {
		int err = verify_ranked(r, b, z, i, &far, msg);

		if (err)
			return err;
		nr_spare += side_of(p, i) == SIDE_SPARED;
		nr_ranked += p->blocks[i].rank < NR_RANKS;
	}
	for (unsigned int side = 0; side < NR_SIDES; side++)
		for (unsigned int rank = 0; rank < NR_RANKS; rank++)
			for (uint32_t i = p->ranks[side][rank]; i != BLOCK_NONE;
			     i = p->blocks[i].next)
				nr_ranked -= side_of(p, i) == side &&
					     p->blocks[i].rank == rank;
	if (nr_spare != p->nr_spare || nr_ranked)
		return msg_set(msg, EUCLEAN,
			       "zone %s: %lu pageblocks are spared, the counter says %lu; %ld are in a wrong rank",
			       z->zone->name, nr_spare, p->nr_spare, (long)nr_ranked);
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		for (unsigned int type = 0; type < z->nr_types; type++)
			if (far.nr[order][type] != p->nr_far[order][type])
				return msg_set(msg, EUCLEAN,
					       "zone %s: %lu blocks of order %u, type %u are far, the counter says %lu",
					       z->zone->name, far.nr[order][type],
					       order, type, p->nr_far[order][type]);
	return 0;
}

/* Every free block is known, and nothing else: then numbers agree, too. */
static int verify_lowest(const struct buddy_repr *r, const struct buddy *b,
			 const struct buddy_zone *z, struct msg *msg)
{
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		for (unsigned int type = 0; type < z->nr_types; type++) {
			const struct bitmap_tree *t = tree_of(z, order, type);
			unsigned long nr = nr_places(z, order), known = 0;

			for (unsigned long i = 0;
			     (i = bitmap_next_set(t->level[0], i, nr)) < nr; i++) {
				unsigned long pfn = ((z->start_pfn >> order) + i) << order;

				if (r->is_free(b, pfn, order) &&
				    buddy_type(b, z, pfn) == type)
					known++;
			}
			if (known != z->nr_free[order][type] ||
			    bitmap_count(t->level[0], 0, nr) != known)
				return msg_set(msg, EUCLEAN,
					       "zone %s: the placement knows %lu blocks of order %u, type %u, and there are %lu",
					       z->zone->name, known, order, type,
					       z->nr_free[order][type]);
		}
	}
	return 0;
}

int placement_verify(const struct buddy_repr *r, const struct buddy *b,
		     const struct buddy_zone *z, struct msg *msg)
{
	if (!z->placement)
		return 0;
	if (z->placement->rule == PLACE_SPARE)
		return verify_spare(r, b, z, msg);
	if (z->placement->rule == PLACE_LOWEST)
		return verify_lowest(r, b, z, msg);
	return 0;
}

static uint64_t mix_spare(const struct placement *p, uint64_t hash)
{
	hash = fingerprint_mix(hash, p->due);
	hash = fingerprint_mix(hash, (uint64_t)p->window_left);
	hash = fingerprint_mix(hash, p->least[0]);
	hash = fingerprint_mix(hash, p->least[1]);
	for (unsigned long i = 0; i < p->nr_blocks; i++) {
		const struct ranked_block *block = &p->blocks[i];

		hash = fingerprint_mix(hash, block->floor);
		hash = fingerprint_mix(hash, side_of(p, i));
		if (block->rank < NR_RANKS)
			hash = fingerprint_mix(hash, block->next);
	}
	return hash;
}

/* What watermark and lowest keep follows from the lists. */
uint64_t placement_mix(const struct buddy_zone *z, uint64_t hash)
{
	if (!z->placement)
		return hash;
	hash = fingerprint_mix(hash, z->placement->started);
	if (z->placement->rule == PLACE_SPARE)
		hash = mix_spare(z->placement, hash);
	return hash;
}
