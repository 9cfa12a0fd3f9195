/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memdesc.c - one tagged word a page, and a struct buddy for each block
 *
 *    descriptors, 8 bytes      slab page: 85 structs of 48 bytes
 *    [free      | place] ----> [ next | prev | pfn | order | ... ]   a free block
 *    (tail: 0)                 [ .................. unused ...... ]
 *    [allocated | place] ----> [ ............ | pfn | order | ... ]  one in use
 *    [node      | slab ]       a slab page: memory of this very machine
 *
 * The one-word design of M. Wilcox (linux-mm, 25 October 2021): the word says
 * what the page is and where the rest stands. Each free and each allocated
 * block has a struct buddy of its own, linked into the free list while it is
 * free and kept while it is not, so that freeing never needs one: merging two
 * blocks gives one struct back. It is secured when memory is allocated, since
 * splitting a block makes as many blocks more as there are halvings. An
 * allocation that cannot secure enough fails.
 *
 * Structs live in slab pages, taken from the free lists as any page is. So
 * that a split can always be paid, R are kept in reserve, and the reserve is
 * filled up before an allocation begins: a slab page is itself an allocation
 * that may take MAX_PAGE_ORDER splits, and so may what comes after it,
 * R >= 2 * MAX_PAGE_ORDER. Filling up does not fill up: depth 1.
 *
 * A slab page has no struct buddy while it carries structs: when it empties,
 * it takes one from another slab, and none of its own could keep it. A merge
 * that empties a slab only moves it to a list; it is freed when the operation
 * is over, in a loop, and only while 2 R structs stay in reserve.
 *
 * At boot, blocks in use get their structs from memory that was reserved then;
 * the first blocks released give their first pages as slabs.
 *
 * With slabs=apart, slabs are memory of no zone instead. Nothing but the page's
 * description then differs from the other representations, and it decides as
 * they do; otherwise a slab page is taken as any unmovable page is, wherever
 * the next one would have come from.
 *
 * The low four bits of a word are the type; a place (memdesc_slab.h) is a
 * multiple of 16. The order of a buddy that might be merged with stands in its
 * struct: in high memory each look at it is one kmap_local.
 *
 * The word has 64 bits on a 32-bit machine, too. The design's is as long as a
 * pointer, and a pointer of four bytes reaches structs in low memory only: half
 * the words, but every slab would be lowmem. Here a slab may be any page, and
 * a physical address below 64 GiB has 36 bits: without the four that alignment
 * leaves zero it takes all of 32, and the type does not fit beside it.
 *
 * Invariants:  structs in use == free blocks + allocated blocks
 *              struct(word(p)).pfn == p for each head p
 *              no slab page hosts the struct of a slab page
 */
#include <inttypes.h>

#include "memdesc_slab.h"

#define KIND_BITS 4
#define KIND_MASK ((UINT64_C(1) << KIND_BITS) - 1)

struct memdesc_page {
	uint64_t bits;			/* place or slab | enum buddy_kind */
};
_Static_assert(sizeof(struct memdesc_page) == 8, "8 bytes a page");

enum { SLABS_PAGES, SLABS_APART };	/* option slabs= */

/* The struct of the block that is on its way from one state to another. */
struct hand {
	uint64_t place;			/* 0: none */
	unsigned long pfn;
	unsigned int order;
};

struct memdesc {
	unsigned int reserve;		/* set at create: R */
	bool apart;			/* set at create: no page is a slab */
	bool filling_up;
	struct hand hand;
	struct slabs slabs;
	struct listed listed;
};

extern const struct allocator_ops memdesc_ops;

static inline struct memdesc *to_memdesc(const struct buddy *b)
{
	return container_of(to_listed(b), struct memdesc, listed);
}

static inline struct memdesc_page *page_of(const struct buddy *b,
					   unsigned long pfn)
{
	return (struct memdesc_page *)to_listed(b)->pages + pfn;
}

static inline enum buddy_kind kind_of(struct memdesc_page page)
{
	return (enum buddy_kind)(page.bits & KIND_MASK);
}

static inline uint64_t place_of(struct memdesc_page page)
{
	return page.bits & ~KIND_MASK;
}

/* --- the hand ---------------------------------------------------------- */

static void hand_put(struct buddy *b, struct memdesc *md)
{
	struct block *block;
	struct slab *home;

	if (likely(!md->hand.place))
		return;
	block = block_map(b, md->hand.place);
	home = block->home;
	block_unmap(b, md->hand.place, block);
	struct_put(b, &md->slabs, md->hand.place, home);
	md->hand.place = 0;
}

static void hand_take(struct buddy *b, struct memdesc *md, uint64_t place,
		      unsigned long pfn, unsigned int order)
{
	hand_put(b, md);
	md->hand = (struct hand){ place, pfn, order };
}

/* The struct for a block: the one in hand if that was of a page in it. */
static uint64_t struct_for(struct buddy *b, struct memdesc *md,
			   unsigned long pfn, unsigned int order)
{
	uint64_t place = md->hand.place;

	if (!place || md->hand.pfn - pfn >= 1UL << order)
		return struct_take(b, &md->slabs);
	md->hand.place = 0;
	return place;
}

/* --- links, which are in the structs ---------------------------------- */

static inline void memdesc_set_next(struct buddy *b, uint64_t place,
				    uint64_t next)
{
	struct block *block = block_map(b, place);

	block->next = next;
	block_unmap(b, place, block);
}

static inline void memdesc_set_prev(struct buddy *b, uint64_t place,
				    uint64_t prev)
{
	struct block *block = block_map(b, place);

	block->prev = prev;
	block_unmap(b, place, block);
}

static struct links peek_links(const struct buddy *b, uint64_t place)
{
	const struct block *block = block_peek(b, place);

	return (struct links){ block->next, block->prev };
}

static unsigned long memdesc_pfn(const struct buddy *b, uint64_t place)
{
	return (unsigned long)block_peek(b, place)->pfn;
}

static const struct link_ops memdesc_links = {
	.set_next = memdesc_set_next,
	.set_prev = memdesc_set_prev,
	.peek = peek_links,
	.pfn = memdesc_pfn,
	.maps = true,
};

/* --- what the policy asks of a representation ------------------------- */

static inline bool memdesc_is_free(const struct buddy *b, unsigned long pfn,
				   unsigned int order)
{
	struct memdesc_page page = *page_of(b, pfn);
	const struct block *block;
	bool is;

	if (kind_of(page) != KIND_FREE)
		return false;
	block = block_map(b, place_of(page));
	is = block->order == order;
	block_unmap(b, place_of(page), block);
	return is;
}

static enum buddy_kind memdesc_kind(const struct buddy *b, unsigned long pfn,
				    unsigned int *order)
{
	struct memdesc_page page = *page_of(b, pfn);
	enum buddy_kind kind = kind_of(page);

	*order = 0;
	if (kind != KIND_NONE && kind != KIND_NODE)
		*order = block_peek(b, place_of(page))->order;
	return kind;
}

/* A block that was not split keeps its struct as it is: only the type flips. */
static inline void memdesc_set_allocated(struct buddy *b, struct buddy_zone *z,
					 unsigned long pfn, unsigned int order)
{
	struct memdesc *md = to_memdesc(b);
	struct memdesc_page *page = page_of(b, pfn);
	bool as_it_was = md->hand.place && md->hand.pfn == pfn &&
			 md->hand.order == order;
	struct block *block;
	uint64_t place;

	(void)z;
	if (kind_of(*page) == KIND_ALLOCATED)
		place = place_of(*page);	/* the head of a block in parts */
	else
		place = struct_for(b, md, pfn, order);
	page->bits = place | KIND_ALLOCATED;
	if (as_it_was)
		return;
	block = block_map(b, place);
	block->pfn = pfn;
	block->order = order;
	block_unmap(b, place, block);
}

static inline void memdesc_clear(struct buddy *b, unsigned long pfn)
{
	struct memdesc_page *page = page_of(b, pfn);

	hand_take(b, to_memdesc(b), place_of(*page), pfn, NR_PAGE_ORDERS);
	page->bits = 0;
}

static inline void enter_list(struct buddy *b, struct link_list *list,
			      unsigned long pfn, enum buddy_kind kind,
			      unsigned int order, enum list_end end)
{
	uint64_t place = struct_for(b, to_memdesc(b), pfn, order);
	struct links links = link_list_enter(&memdesc_links, b, list, place, end);
	struct block *block = block_map(b, place);

	block->next = links.next;
	block->prev = links.prev;
	block->pfn = pfn;
	block->order = order;
	block_unmap(b, place, block);
	page_of(b, pfn)->bits = place | kind;
}

/* Returns what its struct said. */
static inline struct block leave_list(struct buddy *b, struct link_list *list,
				      uint64_t place)
{
	const struct block *block = block_map(b, place);
	struct block was = *block;

	block_unmap(b, place, block);
	link_list_leave(&memdesc_links, b, list,
			(struct links){ was.next, was.prev });
	page_of(b, (unsigned long)was.pfn)->bits = 0;
	return was;
}

static inline void memdesc_add(struct buddy *b, struct buddy_zone *z,
			       unsigned long pfn, unsigned int order,
			       unsigned int type, enum list_end end)
{
	enter_list(b, listed_free_list(z, order, type), pfn, KIND_FREE, order, end);
}

/* A free buddy is about to be part of a larger block: its struct is spare. */
static inline void memdesc_del(struct buddy *b, struct buddy_zone *z,
			       unsigned long pfn, unsigned int order,
			       unsigned int type, enum list_end fill)
{
	uint64_t place = place_of(*page_of(b, pfn));
	struct block was = leave_list(b, listed_free_list(z, order, type), place);

	(void)fill;
	struct_put(b, &to_memdesc(b)->slabs, place, was.home);
}

/* The first or last block of a list: its struct goes with it, in the hand. */
static inline unsigned long take_end(struct buddy *b, struct link_list *list,
				     enum list_end end)
{
	uint64_t place = end == LIST_HEAD ? list->first : list->last;
	struct block was = leave_list(b, list, place);

	hand_take(b, to_memdesc(b), place, (unsigned long)was.pfn, was.order);
	return (unsigned long)was.pfn;
}

static inline unsigned long memdesc_pop(struct buddy *b, struct buddy_zone *z,
					unsigned int order, unsigned int type)
{
	return take_end(b, listed_free_list(z, order, type), LIST_HEAD);
}

static unsigned long memdesc_peek(struct buddy *b, struct buddy_zone *z,
				  unsigned int order, unsigned int type,
				  enum list_end end)
{
	const struct link_list *list = listed_free_list(z, order, type);
	uint64_t place = end == LIST_HEAD ? list->first : list->last;
	const struct block *block = block_map(b, place);
	unsigned long pfn = (unsigned long)block->pfn;

	block_unmap(b, place, block);
	return pfn;
}

static inline void memdesc_park(struct buddy *b, struct buddy_zone *z,
				struct link_list *list, unsigned long pfn,
				unsigned int order, enum list_end end)
{
	(void)z;
	enter_list(b, list, pfn, KIND_PCP, order, end);
}

static inline unsigned long memdesc_unpark(struct buddy *b, struct buddy_zone *z,
					   struct link_list *list,
					   enum list_end end)
{
	(void)z;
	return take_end(b, list, end);
}

static unsigned long memdesc_next_parked(const struct buddy *b,
					 unsigned long pfn, unsigned long prev)
{
	uint64_t next = block_peek(b, place_of(*page_of(b, pfn)))->next;

	(void)prev;
	return next == LINK_END ? PFN_NONE : memdesc_pfn(b, next);
}

static bool memdesc_secure(struct buddy *b, struct buddy_zone *z,
			   unsigned int order);
static void memdesc_settle(struct buddy *b, struct buddy_zone *z);
static unsigned long memdesc_last_resort(struct buddy *b, struct buddy_zone *z,
					 unsigned int order);
static int memdesc_verify_list(const struct buddy *b,
			       const struct buddy_zone *z, unsigned int order,
			       unsigned int type, struct msg *msg);

static void memdesc_node_counts(const struct buddy *b,
				const struct buddy_zone *z,
				unsigned long *nodes, unsigned long *stash)
{
	*nodes = to_memdesc(b)->slabs.nr_pages[z->index];
	*stash = 0;
}

static inline void settle(struct buddy *b, struct buddy_zone *z)
{
	const struct memdesc *md = to_memdesc(b);

	if (unlikely(md->slabs.list[SLAB_EMPTY] && !md->filling_up))
		memdesc_settle(b, z);
}

static inline bool secure(struct buddy *b, struct buddy_zone *z,
			  unsigned int order)
{
	const struct memdesc *md = to_memdesc(b);

	return likely(md->slabs.nr_free >= md->reserve &&
		      md->slabs.nr_free >= MAX_PAGE_ORDER) ||
	       memdesc_secure(b, z, order);
}

static inline const void *memdesc_memmap(const struct buddy *b)
{
	return page_of(b, 0);
}

static const struct buddy_repr memdesc_repr = {
	.memmap = memdesc_memmap,
	.desc_bytes = sizeof(struct memdesc_page),
	.is_free = memdesc_is_free,
	.kind = memdesc_kind,
	.set_allocated = memdesc_set_allocated,
	.clear = memdesc_clear,
	.add = memdesc_add,
	.del = memdesc_del,
	.pop = memdesc_pop,
	.peek = memdesc_peek,
	.park = memdesc_park,
	.unpark = memdesc_unpark,
	.next_parked = memdesc_next_parked,
	.parked_pfn = memdesc_pfn,
	.secure = secure,
	.settle = settle,
	.last_resort = memdesc_last_resort,
	.verify_list = memdesc_verify_list,
	.node_counts = memdesc_node_counts,
};

/*
 * What stays back even when memory is short: enough to fill up once when pages
 * come free, or large blocks could never be split again.
 */
static unsigned long one_filling(const struct memdesc *md)
{
	return min_t(unsigned long, md->reserve, MAX_PAGE_ORDER);
}

/* --- securing structs ------------------------------------------------- */

/* Splits that a request can take in this zone, at most. */
static unsigned int most_splits(const struct buddy_zone *z, unsigned int order)
{
	uint32_t occupied = 0;

	for (unsigned int type = 0; type < z->nr_types; type++)
		occupied |= z->occupied[type] >> order;
	return occupied ? ilog2(occupied) : 0;
}

/* A page on no list, whose words are clear, carries structs from now on. */
static bool make_slab(struct buddy *b, struct memdesc *md, struct buddy_zone *z,
		      unsigned long pfn)
{
	struct slab *s = slab_add_page(b, &md->slabs, z, pfn);

	if (s)
		page_of(b, pfn)->bits = (uintptr_t)s | KIND_NODE;
	return s;
}

static unsigned long unmake_slab(struct buddy *b, struct memdesc *md,
				 struct slab *s)
{
	unsigned long pfn = slab_remove(b, &md->slabs, s);

	page_of(b, pfn)->bits = 0;
	return pfn;
}

/* Make a page of some zone a slab, of the highest that can give one. */
static bool fill_up_once(struct buddy *b, struct memdesc *md)
{
	unsigned long pfn = PFN_NONE;
	struct buddy_zone *z = NULL;

	if (md->apart)
		return slab_add_apart(b, &md->slabs);
	md->filling_up = true;
	for (unsigned int i = b->nr_zones; pfn == PFN_NONE && i-- > 0;) {
		enum take_mode mode = TAKE_OWN;

		z = b->zones[i];
		pfn = buddy_take(&memdesc_repr, b, z, 0,
				 z->nr_types == 1 ? 0 : MIGRATE_UNMOVABLE,
				 false, &mode);
	}
	md->filling_up = false;
	if (pfn == PFN_NONE)
		return false;
	hand_put(b, md);
	if (!make_slab(b, md, z, pfn)) {
		buddy_merge(&memdesc_repr, b, z, pfn, 0, LIST_HEAD);
		return false;
	}
	b->base.stats.taken++;
	return true;
}

static bool memdesc_secure(struct buddy *b, struct buddy_zone *z,
			   unsigned int order)
{
	struct memdesc *md = to_memdesc(b);

	while (!md->filling_up && md->slabs.nr_free < md->reserve &&
	       fill_up_once(b, md))
		;
	if (md->slabs.nr_free >= most_splits(z, order))
		return true;
	if (!md->filling_up)
		b->base.stats.unsecured++;
	return false;
}

/* Free the slab pages that are not needed; each takes a struct of another. */
static void memdesc_settle(struct buddy *b, struct buddy_zone *z)
{
	struct memdesc *md = to_memdesc(b);
	struct slab *s;
	uint64_t steps = 0;

	(void)z;
	while ((s = slab_to_release(&md->slabs, 2UL * md->reserve + 1)) != NULL) {
		unsigned long pfn = unmake_slab(b, md, s);

		buddy_merge(&memdesc_repr, b, buddy_zone_of(b, pfn), pfn, 0,
			    LIST_HEAD);
		steps++;
	}
	if (steps > b->base.stats.max_drain_steps)
		b->base.stats.max_drain_steps = steps;
}

/* A single page may still be had from a slab that holds but reserve. */
static unsigned long memdesc_last_resort(struct buddy *b, struct buddy_zone *z,
					 unsigned int order)
{
	struct memdesc *md = to_memdesc(b);
	struct slab *s = slab_to_release(&md->slabs, one_filling(md) + 1);

	while (s && (s->pfn - z->start_pfn >= z->end_pfn - z->start_pfn))
		s = s->next;
	if (order > 0 || !s)
		return PFN_NONE;
	return unmake_slab(b, md, s);
}

/* --- checks ----------------------------------------------------------- */

static int memdesc_verify_list(const struct buddy *b,
			       const struct buddy_zone *z, unsigned int order,
			       unsigned int type, struct msg *msg)
{
	return listed_verify(&memdesc_links, &memdesc_repr, b, z, order, type, msg);
}

/* Every head has a struct in use that names it; returns how many there are. */
static int count_heads(const struct buddy *b, const struct buddy_zone *z,
		       unsigned long *nr, struct msg *msg)
{
	for (unsigned long pfn = z->start_pfn; pfn < z->end_pfn; pfn++) {
		struct memdesc_page page = *page_of(b, pfn);
		const struct block *block;

		if (kind_of(page) == KIND_NONE || kind_of(page) == KIND_NODE)
			continue;
		block = block_peek(b, place_of(page));
		if (block->pfn != pfn || !slab_lends(b, block->home, place_of(page)))
			return msg_set(msg, EUCLEAN,
				       "zone %s: the struct buddy of pfn %#lx is not its own: it names pfn %#" PRIx64,
				       z->zone->name, pfn, block->pfn);
		++*nr;
	}
	return 0;
}

static int verify_structs(const struct buddy *b, struct msg *msg)
{
	const struct memdesc *md = to_memdesc(b);
	unsigned long heads = 0;

	for (unsigned int i = 0; i < b->nr_zones; i++) {
		int err = count_heads(b, b->zones[i], &heads, msg);

		if (err)
			return err;
	}
	if (heads != md->slabs.nr_used || md->hand.place)
		return msg_set(msg, EUCLEAN, "%lu blocks have %lu structs buddy",
			       heads, md->slabs.nr_used);
	return slabs_verify(&md->slabs, msg);
}

/* Maps made for checking are not counted. */
static int memdesc_verify(const struct allocator *a, struct msg *msg)
{
	struct kmap_stats counted = a->machine->kmap;
	int err = buddy_verify(&memdesc_repr, a, msg);

	if (!err)
		err = verify_structs(to_const_buddy(a), msg);
	a->machine->kmap = counted;
	return err;
}

/* The lists; whose slab each block's struct is in, and which comes next. */
static uint64_t memdesc_fingerprint(const struct allocator *a)
{
	const struct buddy *b = to_const_buddy(a);
	const struct memdesc *md = to_memdesc(b);
	uint64_t hash = listed_fingerprint(&memdesc_links, a);

	for (unsigned long pfn = 0; pfn < a->machine->end_pfn; pfn++) {
		struct memdesc_page page = *page_of(b, pfn);
		const struct slab *home;

		hash = fingerprint_mix(hash, kind_of(page));
		if (kind_of(page) == KIND_NONE || kind_of(page) == KIND_NODE)
			continue;
		home = block_peek(b, place_of(page))->home;
		hash = fingerprint_mix(hash, home->pfn);
	}
	for (int list = 0; list < SLAB_FULL; list++)
		for (const struct slab *s = md->slabs.list[list]; s; s = s->next)
			hash = fingerprint_mix(hash, s->pfn);
	return hash;
}

/* --- the table -------------------------------------------------------- */

LISTED_REQUESTS(memdesc)

/* Whether there are structs for a fill-up, once memory apart was asked. */
static bool has_structs(struct buddy *b, struct memdesc *md)
{
	return md->slabs.nr_free > MAX_PAGE_ORDER ||
	       (md->apart && slab_add_apart(b, &md->slabs));
}

/*
 * A block released at boot: the first page of it becomes a slab if structs for
 * a fill-up are wanting, and the others are released in halves.
 *
 *    [ slab | 0 | order 1 | order 2   | ... ]
 */
static void memdesc_release(struct allocator *a, unsigned long pfn,
			    unsigned int order)
{
	struct buddy *b = to_buddy(a);
	struct memdesc *md = to_memdesc(b);
	struct buddy_zone *z = buddy_zone_of(b, pfn);

	if (has_structs(b, md) || !make_slab(b, md, z, pfn)) {
		buddy_release(&memdesc_repr, a, pfn, order);
		return;
	}
	z->reserved--;
	for (unsigned int part = 0; part < order; part++)
		buddy_release(&memdesc_repr, a, pfn + (1UL << part), part);
}

static void memdesc_release_pcp(struct allocator *a, unsigned long pfn,
				unsigned int order, unsigned int cpu)
{
	struct buddy *b = to_buddy(a);

	to_listed(b)->cpu = cpu;
	if (has_structs(b, to_memdesc(b)))
		buddy_release_pcp(&memdesc_repr, a, pfn, order, cpu);
	else
		memdesc_release(a, pfn, order);
}

static int memdesc_adopt(struct allocator *a, unsigned long pfn,
			 unsigned int order)
{
	struct buddy *b = to_buddy(a);
	struct memdesc *md = to_memdesc(b);

	if (!md->slabs.nr_free && !slab_add_apart(b, &md->slabs))
		return -ENOMEM;
	return buddy_adopt(&memdesc_repr, a, pfn, order);
}

/* The parts need structs of their own, beside what the reserve is for. */
static bool memdesc_split(struct allocator *a, unsigned long pfn,
			  unsigned int order, unsigned int new_order)
{
	struct buddy *b = to_buddy(a);
	struct memdesc *md = to_memdesc(b);
	unsigned long more = (1UL << (order - new_order)) - 1;

	while (md->slabs.nr_free < more + md->reserve && fill_up_once(b, md))
		;
	if (md->slabs.nr_free < more + one_filling(md))
		return false;
	return buddy_split(&memdesc_repr, a, pfn, order, new_order);
}

static const struct option_spec memdesc_options[] = {
	{ "reserve", "0..1024", "20", "structs kept free so that a split can always be paid: twice the largest order or more" },
	{ "slabs", "pages|apart", "pages", "structs live in pages of the machine, or in memory of no zone: then it decides as linked does" },
	BUDDY_OPTIONS,
	{ NULL, NULL, NULL, NULL },
};

static void memdesc_destroy(struct allocator *a)
{
	struct memdesc *md = to_memdesc(to_buddy(a));

	slabs_destroy(&md->slabs, a->machine);
	listed_destroy(&md->listed, offsetof(struct memdesc, listed));
}

static int memdesc_create(struct allocator **out, struct machine *m,
			  const struct option_set *opts, struct msg *msg)
{
	struct memdesc *md;
	struct listed *l;
	int err;

	if (NR_SLOTS < MAX_PAGE_ORDER + 1)
		return msg_set(msg, EINVAL,
			       "memdesc: a page of %lu bytes holds no %d structs of %d bytes",
			       PAGE_SIZE, MAX_PAGE_ORDER + 1, STRUCT_BYTES);
	l = listed_create(&memdesc_ops, m, opts,
			  offsetof(struct memdesc, listed), &err, msg);
	if (!l)
		return err;
	md = container_of(l, struct memdesc, listed);
	md->reserve = (unsigned int)option_get(opts, "reserve");
	md->apart = option_get(opts, "slabs") == SLABS_APART;
	*out = &l->buddy.base;
	return 0;
}

const struct allocator_ops memdesc_ops = {
	.name = "memdesc",
	.summary = "one tagged word a page, and a struct buddy for each block, secured when allocating",
	.desc_bytes = sizeof(struct memdesc_page),
	.options = memdesc_options,
	.caps = {
		.max_order = MAX_PAGE_ORDER,
		.keeps_metadata = true,
		.query = QUERY_BLOCKS,
	},
	.create = memdesc_create,
	LISTED_TABLE(memdesc),
};
