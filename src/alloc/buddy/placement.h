/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * placement.h - which of its free blocks a zone hands out next
 *
 *    a free list has two ends
 *      head                                   tail
 *      [ 17 | 4 | 90 | ...        ... | 600 | 512 ]
 *       taken next: near               kept: far
 *
 *    lifo        what was freed last: Linux, and no cost beyond the list
 *    watermark   W = the zone's used frames, the top of memory packed perfectly.
 *                Near: pfn < W. A request takes the smallest order whose head
 *                is near, else the smallest there is; and breaks no pageblock
 *                below W while a smaller block lies anywhere. W moves and blocks
 *                do not:
 *                a head found beyond W goes to the tail, one for each order
 *                looked at. Unmovable pages have their own end of the zone: near
 *                is what W marks from the top, and they claim pageblocks there.
 *    spare       the emptiest pageblocks are spared until they are empty. Near:
 *                the pageblock is not spared. A request takes the smallest order
 *                that has a near block, else turns to the fullest spared ones.
 *    lowest      the lowest block that fits, by search (unmovable: the highest).
 *                The yardstick, not a design: not O(1), a byte a page
 *
 * spare in full. A counter for each pageblock says how many of its pages are on
 * free lists; pageblocks stand in 64 ranks by it, near and spared ones apart, so
 * that the emptiest and the fullest are found at once.
 *
 *    rank    0      1      ...   63            whole
 *            full   |             |            (spared by itself, in no rank)
 *    near    [3]    [8 9]   .    [4]  ---.  spared: it moves to the tails,
 *    spared   .     [1]  <---swap--------'  when nr_spare < free / 512
 *
 *  - As many are spared as could be empty: the least number of free pages seen
 *    lately, in pageblocks. "Lately" is the time in which an eighth to a quarter
 *    of the zone was handed out, so a wave of frees spares nothing that the next
 *    wave of requests has to break.
 *  - A near pageblock emptier by 16 ranks than the fullest spared one takes its
 *    place: what never empties (an unmovable page) is found out and given up.
 *  - Pageblocks of other types than movable are spared only while they are whole,
 *    and stand in no rank: their pages stay.
 *  - A movable request that finds nothing near in its own pageblocks takes what
 *    others have near beyond the 1024 pages they would claim at once. Failing
 *    that, a single page makes the fullest spared pageblock a near one; a larger
 *    request takes the smallest spared block, as it is.
 *  - Unmovable requests claim pageblocks however full they are, and scatter no
 *    page by stealing while there is one to claim (mobility.c).
 *  - Who changes sides takes its free blocks to the other ends of their lists,
 *    so near blocks stand before far ones always, and one look at a head tells.
 *
 * Cost: a request does one such step at most, and only after a pageblock has
 * changed rank: 14 bytes a pageblock, amortised O(1), at worst 2 * 512 entries.
 * All of it lies within the call, under the zone's lock if there is one: no rule
 * adds a locked operation. A page that joins none takes a fast path, as one does
 * that is near and of the order asked for (policy.h, free_fast_placed, take_near);
 * what joins or is cut counts once in its pageblock (freelist.h, insert_within).
 * The other rules have none of these.
 *
 * When an entry leaves the middle of a deque, the gap is filled from the end of
 * its own side, so that the sides stay apart.
 *
 * Per-CPU lists stand before all this: what they hold is in use, and is placed
 * when they are drained. Each zone places by itself: a request goes from zone to
 * zone as without, and uses up what is spared in one before it turns to the next.
 *
 * Which rule: spare. Share of free memory in blocks of 2 MiB, percent, from a
 * scattered start of 4 GiB, and CPU time to lifo's in the same run (those vary by
 * 30 %): `pagetax bench --pattern P --memory 4G --occupancy O --highmem none -a
 * twoword,twoword:placement=...`, above 50 % with --ops 8000000 (watermark and
 * lowest at 95 % as of an earlier run of the same rule; - not run).
 *
 *                 50 % in use                      95 %                  aU
 *                 a1   aB   aW   aU   c    time      a1   aB   aW   c    80   90   95
 *    lifo          0    0    0    0    0   1          0    0    0    0    0    0    0
 *    watermark    97   95   39   87   54   1.1-1.5   98   85    0    0    0    0    0
 *    spare        97   98   99   98   96   0.8-1.1   99   99   99    0   99   99   98
 *    lowest       97   98   99   97   97   1.5-1.7   87   68    8    0   76   35    -
 *
 * At 95 % its time is 0.9 to 1.1 of lifo's, too, with linked and with twoword (one
 * of three runs of twoword's a1: 1.24).
 *
 * With fewer operations spare is on its way there: aU at 80, 90, 95 % ends at 49,
 * 21, 4 with the usual two million an allocator and repeat. Perfectly packed, the
 * unmovable pages of aU fill 164, 185, 195 of 2048 pageblocks; they claim 245, 291,
 * 310, whose other pages are movable.
 *
 * Instructions, the driver's among them, are 1.4 to 1.7 times lifo's in a1, aB, aW and
 * c while scattered memory is made whole, at 64 MiB (scripts/bench-instructions), but
 * the descriptor that both wait for is what takes the time.
 *
 * On bundles, most of whose memory is free, there is little to win: at the end of
 * fork, redis, cc, files 89.97, 89.06, 91.17, 91.84 % with lifo and up to 0.2 points
 * more with spare, at no sample less by 0.1 (`pagetax replay -a
 * twoword,twoword:placement=spare BUNDLE`, samples.tsv).
 *
 * Where it fails. c at 95 %: blocks of all orders, all of unknown lifetime. From
 * scattered memory no hole is larger than a few pages, so only small requests are
 * served, and they take every hole at once. Nor would memory stay whole had it
 * been: blocks are n = used / 5.5, small orders' pages vary by sqrt(170 n) in number
 * as order 9 takes its turn, 11 % of what is free at 4 GiB, within a lifetime, and a
 * pageblock of dozens of blocks needs several to empty. Of what is free can stay
 * whole, in percent, from packed memory:
 *
 *    50 %   95 %
 *    97.6   53.7    at most in the mean, by any rule that moves nothing, at 256 MiB
 *    99.5   94.2    the same at 4 GiB
 *    96.9   51.6    by the best of four searches of all pageblocks, at 4 GiB
 *    96      0      spare, at 4 GiB, from scattered memory
 *
 *    `build/check/test_placement_bound`, where the bound is derived, for 256 MiB;
 *    PAGETAX_PAGEBLOCKS=2048 PAGETAX_LIFETIMES=8 makes it 4 GiB
 *
 * So at 256 MiB 90 % cannot be had without moving pages; at 4 GiB it is open between
 * 51.6 and 94.2. A search looks at each of 2048 pageblocks: about 5 us a request where
 * spare needs 0.1. What frees whole blocks there is moving pages (simulate
 * --compaction).
 *
 * And per-CPU lists: what a CPU freed it gets back, wherever it lies, and only the
 * rest is placed. As Linux tunes them, one CPU's may hold an eighth of the zone: then
 * nothing of a1, aB and aW reaches the zone's lists, and memory stays as it is.
 */
#ifndef PAGETAX_ALLOC_BUDDY_PLACEMENT_H
#define PAGETAX_ALLOC_BUDDY_PLACEMENT_H

#include "lib/bitmap_tree.h"
#include "repr.h"

enum placement_rule {			/* option placement= */
	PLACE_LIFO,
	PLACE_WATERMARK,
	PLACE_SPARE,
	PLACE_LOWEST,
};

#define NR_RANKS 64
#define RANK_SHIFT (PAGEBLOCK_ORDER > 6 ? PAGEBLOCK_ORDER - 6 : 0)
#define RANK_PAGES (1U << RANK_SHIFT)

enum side { SIDE_NEAR, SIDE_SPARED, NR_SIDES };

#define BLOCK_NONE UINT32_MAX		/* no neighbour in its rank */

/*
 * What every call looks at of a pageblock, apart from the rest, so that it stays
 * in the cache: 4 KiB for 4 GiB.
 *
 *   bit 15      spared
 *   bits 14..0  free pages above the floor of its rank
 */
struct block_level { uint16_t bits; };
#define LEVEL_SPARED 0x8000U
#define LEVEL_TOP (2 * RANK_PAGES)	/* from here on, as below 0, the rank is wrong */

static inline enum side level_side(struct block_level level)
{
	return level.bits & LEVEL_SPARED ? SIDE_SPARED : SIDE_NEAR;
}

static inline unsigned int level_pages(struct block_level level)
{
	return level.bits & ~LEVEL_SPARED;
}

static inline struct block_level level_make(enum side side, unsigned int pages)
{
	assert(pages < LEVEL_TOP);
	return (struct block_level){ (uint16_t)((side == SIDE_SPARED ? LEVEL_SPARED : 0) | pages) };
}

/* What else `spare` keeps of a pageblock. */
struct ranked_block {
	uint16_t floor;			/* free pages == floor + its level's */
	uint8_t rank;			/* NR_RANKS: in none */
	bool movable;			/* its type; others are spared only when whole */
	uint32_t next;			/* in its rank, as is prev */
	uint32_t prev;
};
_Static_assert(sizeof(struct ranked_block) + sizeof(struct block_level) == 14,
	       "14 bytes a pageblock");
_Static_assert(PAGEBLOCK_ORDER < 15, "a pageblock's pages are counted in 15 bits");

struct placement {
	enum placement_rule rule;	/* set at create */
	bool started;			/* the first request has come */

	/* spare */
	bool due;			/* a pageblock changed rank: see what is to be done */
	unsigned long first_block;	/* pageblock of the zone's start; set at create */
	unsigned long nr_blocks;	/* the same */
	struct block_level *levels;	/* by pageblock, as is blocks */
	long window_left;		/* pages to hand out until this window ends */
	unsigned long nr_far[NR_PAGE_ORDERS][BUDDY_NR_TYPES];	/* of those on a list: spared */
	unsigned long nr_spare;		/* pageblocks, whole ones included */
	unsigned long least[2];		/* free pages: in this window and the last */
	uint64_t ranked[NR_SIDES];	/* ranks that are not empty */
	uint32_t ranks[NR_SIDES][NR_RANKS];
	struct ranked_block *blocks;

	/* lowest: of each list the blocks' numbers, (pfn >> order) - first */
	struct bitmap_tree *trees;	/* by order and type */
	void *bits;
	size_t bits_bytes;
};

/* --- what needs no inlining: src/alloc/buddy/placement.c ---------------- */

/* Give a zone its rule. False when there is no room. */
bool placement_create(struct buddy *b, struct buddy_zone *z,
		      enum placement_rule rule);
void placement_destroy(struct buddy *b, struct buddy_zone *z);

/* `spare`: so many pages of a pageblock have come free, or gone: its rank is wrong. */
void spare_rerank(struct buddy_zone *z, unsigned long i, int pages);

/* `spare`: pageblocks that a block of at least one covers come free, or go. */
void spare_note_whole(struct buddy_zone *z, unsigned long pfn,
		      unsigned int order, bool free);

/* `spare`: pageblocks of which no page is on a list change their type. */
void spare_note_type(struct buddy_zone *z, unsigned long pfn,
		     unsigned int order, unsigned int type);

/* `lowest`: a block has entered its list, or left it. */
void lowest_note(struct buddy_zone *z, unsigned long pfn, unsigned int order,
		 unsigned int type, bool listed);

/* `spare`: one step before a request is served, if something is due. */
void spare_adjust(const struct buddy_repr *r, struct buddy *b,
		  struct buddy_zone *z);

/*
 * `spare`: nothing near serves a request. The order whose head does, or
 * NR_PAGE_ORDERS; *type becomes the list's.
 */
unsigned int spare_find_far(const struct buddy_repr *r, struct buddy *b,
			    struct buddy_zone *z, unsigned int order,
			    unsigned int *type);

/* `watermark`: the head of a list of several is far; its place is the tail. */
void watermark_retire(const struct buddy_repr *r, struct buddy *b,
		      struct buddy_zone *z, unsigned long pfn,
		      unsigned int order, unsigned int type);

/* `lowest`: the block that type `for_type` wants of this list, not empty. */
unsigned long lowest_of_list(const struct buddy_zone *z, unsigned int order,
			     unsigned int type, unsigned int for_type);

/* `lowest`: the block to take, of at least this order; *order becomes its. */
unsigned long lowest_find(const struct buddy_zone *z, unsigned int *order,
			  unsigned int type);

/* Before the first request: blocks that were released go to their ends. */
void placement_start(const struct buddy_repr *r, struct buddy *b,
		     struct buddy_zone *z);

/* Recount what the rule keeps. */
int placement_verify(const struct buddy_repr *r, const struct buddy *b,
		     const struct buddy_zone *z, struct msg *msg);

/* What a rule remembers besides the lists goes into a fingerprint. */
uint64_t placement_mix(const struct buddy_zone *z, uint64_t hash);

/* --- inlined where blocks are taken: freelist.h -------------------------- */

/* Which of the zone's pageblocks. */
static __always_inline unsigned long block_index(const struct placement *p,
						 unsigned long pfn)
{
	return (pfn >> PAGEBLOCK_ORDER) - p->first_block;
}

/* The end of a list at which a pageblock's free blocks stand. */
static __always_inline enum list_end side_end(enum side side)
{
	return side == SIDE_NEAR ? LIST_HEAD : LIST_TAIL;
}

/* Whether a block lies below W; unmovable pages measure from the zone's end. */
static __always_inline bool below_watermark(const struct buddy_zone *z,
					    unsigned long pfn, unsigned int type,
					    unsigned long free_pages)
{
	if (type == MIGRATE_UNMOVABLE && z->nr_types > 1)
		return pfn >= z->start_pfn + free_pages;
	return pfn < z->end_pfn - free_pages;
}

/*
 * The end of its list at which a block stands, or will. free_pages: the zone's,
 * with this block among them.
 */
static __always_inline enum list_end placed_end(const struct buddy_zone *z,
						unsigned long pfn,
						unsigned int order,
						unsigned int type,
						unsigned long free_pages)
{
	const struct placement *p = z->placement;
	bool near = true;

	if (likely(p->rule == PLACE_SPARE))
		near = order < PAGEBLOCK_ORDER &&
		       level_side(p->levels[block_index(p, pfn)]) == SIDE_NEAR;
	else if (p->rule == PLACE_WATERMARK)
		near = below_watermark(z, pfn, type, free_pages);
	return near ? LIST_HEAD : LIST_TAIL;
}

/* `spare`: so many pages of a pageblock have come free, or gone. */
static __always_inline void count_in_block(struct buddy_zone *z,
					   unsigned long i, int pages)
{
	struct block_level *level = &z->placement->levels[i];
	uint16_t bits = (uint16_t)(level->bits + pages);

	if (likely(level_pages((struct block_level){ bits }) < LEVEL_TOP))
		level->bits = bits;
	else
		spare_rerank(z, i, pages);
}

/* A block has entered its list, or left it: what the rule keeps follows. */
static __always_inline void placed_note(struct buddy_zone *z, unsigned long pfn,
					unsigned int order, unsigned int type,
					bool listed)
{
	struct placement *p = z->placement;
	unsigned long i;

	if (unlikely(p->rule != PLACE_SPARE)) {
		if (p->rule == PLACE_LOWEST)
			lowest_note(z, pfn, order, type, listed);
		return;
	}
	i = block_index(p, pfn);
	if (order >= PAGEBLOCK_ORDER || level_side(p->levels[i]) == SIDE_SPARED)
		p->nr_far[order][type] += listed ? 1 : -1UL;
	if (unlikely(order >= PAGEBLOCK_ORDER))
		spare_note_whole(z, pfn, order, listed);
	else
		count_in_block(z, i, listed ? 1 << order : -(1 << order));
}

/* The smallest order there is, or NR_PAGE_ORDERS. */
static __always_inline unsigned int any_order(const struct buddy_zone *z,
						   unsigned int order,
						   unsigned int type)
{
	uint32_t above = z->occupied[type] >> order;

	return above ? order + lowest_bit(above) : NR_PAGE_ORDERS;
}

/* `spare`: whether a list's head is near. */
static __always_inline bool has_near(const struct buddy_zone *z,
				     unsigned int order, unsigned int type)
{
	return z->nr_free[order][type] != z->placement->nr_far[order][type];
}

/* The smallest order that has a near block, or NR_PAGE_ORDERS. */
static __always_inline unsigned int near_order(const struct buddy_zone *z,
					       unsigned int order,
					       unsigned int type)
{
	uint32_t left = z->occupied[type] >> order << order;

	while (left && !has_near(z, lowest_bit(left), type))
		left &= left - 1;
	return left ? lowest_bit(left) : NR_PAGE_ORDERS;
}

/*
 * The order whose head serves a request, or NR_PAGE_ORDERS. Entries that
 * change ends may use up blocks as nodes, the last one too.
 */
static __always_inline unsigned int spare_find(const struct buddy_repr *r,
					       struct buddy *b,
					       struct buddy_zone *z,
					       unsigned int order,
					       unsigned int *type)
{
	unsigned int from;

	z->placement->window_left -= 1L << order;
	if (unlikely(z->placement->due || z->placement->window_left < 0))
		spare_adjust(r, b, z);
	from = near_order(z, order, *type);
	return likely(from < NR_PAGE_ORDERS) ? from :
					       spare_find_far(r, b, z, order, type);
}

static __always_inline unsigned int watermark_find(const struct buddy_repr *r,
						   struct buddy *b,
						   struct buddy_zone *z,
						   unsigned int order,
						   unsigned int type)
{
	unsigned int from = order;

	for (;; from++) {
		unsigned long pfn;

		from = any_order(z, from, type);
		if (from == NR_PAGE_ORDERS ||
		    (from >= PAGEBLOCK_ORDER &&
		     any_order(z, order, type) < PAGEBLOCK_ORDER))
			break;
		pfn = r->peek(b, z, from, type, LIST_HEAD);
		if (!below_watermark(z, pfn, type, z->free_pages) &&
		    z->nr_free[from][type] > 1) {
			watermark_retire(r, b, z, pfn, from, type);
			if (!z->nr_free[from][type])
				continue;
			pfn = r->peek(b, z, from, type, LIST_HEAD);
		}
		if (below_watermark(z, pfn, type, z->free_pages))
			return from;
	}
	return any_order(z, order, type);
}

#endif
