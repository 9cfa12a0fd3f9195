/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * demand.c - the books of the recorded machine, from which the demand follows
 *
 * A word for each recorded page says what our books hold of it, and of a head
 * the block's id:
 *
 *    pfn       0    1    2    3    4    5    6    7
 *    page     HEAD TAIL TAIL TAIL  .    .   HEAD HEAD
 *             o2                            o0   o0
 *             #17                           #3   #40
 *
 * Blocks are naturally aligned, so the head of a tail is found by clearing
 * low bits of the pfn, at most MAX_PAGE_ORDER times.
 *
 * Everything that ends a block goes through books_clear(): it walks a range of
 * pages, frees the blocks that lie inside, and halves a block that reaches
 * beyond until its pieces do not. A clean free is the case of one whole block
 * and takes O(1) plus its pages; the halves that a partial free leaves are as
 * large as can be, so cutting one page out of order k makes k splits.
 *
 * The words lie in chunks of 1024 pages, in the order in which blocks are entered
 * there, so that what no event names takes no memory that the host has to clear.
 *
 * Memory: 4 KiB for each chunk that is named (1208 of 6399 by cc), 24 bytes an
 * operation.
 *
 * Time: 7-12 ns an event of cc and redis (`pagetax bench --pattern stream`), of which
 * the host takes a part to clear fresh memory. A thread that has the tables cleared
 * ahead was tried and gained nothing.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/allocator.h"
#include "sim/demand.h"
#include "sim/host_memory.h"
#include "sim/source/gfp.h"

#define DIRTY_NAME(name, what) #name,
const char *const demand_dirty_names[NR_DEMAND_DIRTY] = {
	DEMAND_DIRTY(DIRTY_NAME)
};
#define DIRTY_HELP(name, what) what,
const char *const demand_dirty_help[NR_DEMAND_DIRTY] = {
	DEMAND_DIRTY(DIRTY_HELP)
};

uint64_t demand_dirty_get(const struct demand_dirty *dirty, unsigned int i)
{
	const uint64_t values[] = {
#define DIRTY_VALUE(name, what) dirty->name,
		DEMAND_DIRTY(DIRTY_VALUE)
#undef DIRTY_VALUE
	};

	assert(i < ARRAY_SIZE(values));
	return values[i];
}

/*
 * A page in the books.
 *   bits 31..4   id of the block, of a head
 *   bits 3..0    free: 0, a tail: 1, a head: 2 + order
 */
struct book { uint32_t bits; };
_Static_assert(MAX_PAGE_ORDER + 2 < 16, "an order fits four bits, beside free and tail");
_Static_assert(DEMAND_MAX_IDS <= 1UL << 28, "an id fits the others");

/* As a largest block, so that every block lies in one: 4 KiB. */
#define CHUNK_PAGES (1UL << MAX_PAGE_ORDER)

static const struct book book_free = { 0 };
static const struct book book_tail = { 1 };

static inline struct book book_head(unsigned int order, uint32_t id)
{
	return (struct book){ id << 4 | (order + 2) };
}

static inline bool book_is_free(struct book b)
{
	return b.bits == book_free.bits;
}

static inline bool book_is_head(struct book b)
{
	return (b.bits & 15) >= 2;
}

static inline bool book_is_head_of(struct book b, unsigned int order)
{
	return (b.bits & 15) == order + 2;
}

static inline unsigned int book_order(struct book b)
{
	return (b.bits & 15) - 2;
}

static inline uint32_t book_id(struct book b)
{
	return b.bits >> 4;
}

struct books {
	struct demand *demand;
	const struct layout *layout;
	struct gfp_zone_limits zone_limits;
	uint32_t max_ids;
	unsigned long end_pfn;
	uint64_t zone_start, zone_end;	/* of a zone that was looked up lately */
	uint32_t *chunk;		/* by pfn / CHUNK_PAGES: which of the chunks of `pages` */
	uint32_t nr_chunks;		/* in use; the first stays free, for all others */
	struct book *pages;

	uint32_t *spare_ids;		/* given back, last one first out */
	size_t nr_spare;
	size_t spare_room;

	uint64_t live_pages;
	uint64_t live_blocks;
};

/* When and where an operation happens, taken from the event behind it. */
struct moment {
	uint64_t time_ns;
	uint32_t event;
	uint16_t cpu;
};

static size_t books_max_chunks(const struct books *books)
{
	return books->end_pfn / CHUNK_PAGES + 1;
}

static uint64_t books_bytes(const struct books *books)
{
	return ((uint64_t)books_max_chunks(books) + 1) * CHUNK_PAGES * sizeof(*books->pages);
}

static int books_init(struct books *books, struct demand *d,
		      const struct layout *layout, uint32_t max_ids)
{
	*books = (struct books){
		.demand = d,
		.layout = layout,
		.max_ids = max_ids,
		.zone_limits = gfp_zone_limits(layout),
		.end_pfn = layout_end_pfn(layout),
		.nr_chunks = 1,
	};
	books->chunk = calloc(books_max_chunks(books), sizeof(*books->chunk));
	books->pages = host_table_map(books_bytes(books));
	return books->chunk && books->pages ? 0 : -ENOMEM;
}

static void books_destroy(struct books *books)
{
	free(books->chunk);
	host_table_unmap(books->pages, books_bytes(books));
	free(books->spare_ids);
}

/* What the books say of a page. To write there, its block has to be entered. */
static __always_inline struct book *books_page(const struct books *books, unsigned long pfn)
{
	return books->pages + (size_t)books->chunk[pfn / CHUNK_PAGES] * CHUNK_PAGES +
	       pfn % CHUNK_PAGES;
}

/* Head of the live block that holds pfn. */
static unsigned long books_head(const struct books *books, unsigned long pfn)
{
	unsigned long head = pfn;

	for (unsigned int order = 0; !book_is_head(*books_page(books, head)); order++) {
		assert(order < MAX_PAGE_ORDER);
		head = pfn & ~((2UL << order) - 1);
	}
	return head;
}

static int get_id(struct books *books, uint32_t *id)
{
	if (books->nr_spare) {
		*id = books->spare_ids[--books->nr_spare];
		return 0;
	}
	if (books->demand->nr_ids == books->max_ids)
		return -EOVERFLOW;
	*id = books->demand->nr_ids++;
	return 0;
}

static int spare_ids_grow(struct books *books)
{
	size_t room = books->spare_room ? 2 * books->spare_room : 1024;
	uint32_t *ids = realloc(books->spare_ids, room * sizeof(*ids));

	if (!ids)
		return -ENOMEM;
	books->spare_ids = ids;
	books->spare_room = room;
	return 0;
}

static inline int put_id(struct books *books, uint32_t id)
{
	if (unlikely(books->nr_spare == books->spare_room) && spare_ids_grow(books))
		return -ENOMEM;
	books->spare_ids[books->nr_spare++] = id;
	return 0;
}

static int demand_grow(struct demand *d, uint64_t room)
{
	struct demand_op *ops = host_table_grow(d->ops, d->nr_ops * sizeof(*ops),
						room * sizeof(*ops));

	if (!ops)
		return -ENOMEM;
	d->ops = ops;
	d->room = (size_t)room;
	return 0;
}

/*
 * The next operation, for the caller to set every field: put together elsewhere and
 * copied, its bytes would be read as words before they are written, which waits.
 * NULL: no memory.
 */
static inline struct demand_op *books_next_op(struct books *books, const struct moment *at)
{
	struct demand *d = books->demand;
	struct demand_op *op;

	if (unlikely(d->nr_ops == d->room) &&
	    demand_grow(d, d->room + (uint64_t)d->room / 2 + 1))
		return NULL;
	op = &d->ops[d->nr_ops++];
	op->time_ns = at->time_ns;
	op->event = at->event;
	op->cpu = at->cpu;
	op->migratetype = 0;
	op->zone_limit = 0;
	op->flags = 0;
	op->pad = 0;
	return op;
}

/* What pages of a block are behind the first: nearly always none. */
static inline void book_fill(struct book *head, unsigned int order, struct book tail)
{
	if (likely(order == 0))
		return;
	for (unsigned long i = 1; i < 1UL << order; i++)
		head[i] = tail;
}

/* Enter a block whose pages are all free in the books. */
static void books_enter(struct books *books, unsigned long pfn,
			unsigned int order, uint32_t id)
{
	uint32_t *chunk = &books->chunk[pfn / CHUNK_PAGES];
	struct book *page;

	if (unlikely(!*chunk))
		*chunk = books->nr_chunks++;
	page = books_page(books, pfn);
	*page = book_head(order, id);
	book_fill(page, order, book_tail);
	books->live_blocks++;
	books->live_pages += 1UL << order;
	if (books->live_pages > books->demand->peak_live_pages)
		books->demand->peak_live_pages = books->live_pages;
}

static __always_inline int books_free_block(struct books *books, unsigned long head,
					    const struct moment *at)
{
	struct book *page = books_page(books, head);
	const unsigned int order = book_order(*page);
	struct demand_op *op = books_next_op(books, at);

	if (!op)
		return -ENOMEM;
	op->kind = DEMAND_FREE;
	op->id = book_id(*page);
	op->order = (uint8_t)order;
	*page = book_free;
	book_fill(page, order, book_free);
	books->live_blocks--;
	books->live_pages -= 1UL << order;
	books->demand->nr_frees++;
	return put_id(books, op->id);
}

static int books_halve(struct books *books, unsigned long head,
		       const struct moment *at)
{
	struct book *page = books_page(books, head);
	const unsigned int order = book_order(*page) - 1;
	struct demand_op *op = books_next_op(books, at);
	int err = op ? get_id(books, &op->upper) : -ENOMEM;

	if (err)
		return err;
	op->kind = DEMAND_SPLIT;
	op->id = book_id(*page);
	op->order = (uint8_t)order;
	page[0] = book_head(order, op->id);
	page[1UL << order] = book_head(order, op->upper);
	books->live_blocks++;
	books->demand->nr_splits++;
	return 0;
}

struct cleared {
	unsigned int blocks;		/* freed */
	unsigned int cuts;		/* blocks halved */
	unsigned long gaps;		/* pages that were free before */
};

/* Make every page of [pfn, pfn + nr) free in the books, by operations. */
static int books_clear(struct books *books, unsigned long pfn, unsigned long nr,
		       const struct moment *at, struct cleared *cleared)
{
	const unsigned long end = pfn + nr;

	*cleared = (struct cleared){ 0 };
	while (pfn < end) {
		unsigned long head, block_end;
		int err;

		if (book_is_free(*books_page(books, pfn))) {
			cleared->gaps++;
			pfn++;
			continue;
		}
		head = books_head(books, pfn);
		block_end = head + (1UL << book_order(*books_page(books, head)));
		if (head == pfn && block_end <= end) {
			err = books_free_block(books, head, at);
			cleared->blocks++;
			pfn = block_end;
		} else {
			err = books_halve(books, head, at);
			cleared->cuts++;
		}
		if (err)
			return err;
	}
	return 0;
}

static int resolve_free(struct books *books, const struct event *ev,
			const struct moment *at)
{
	struct demand_dirty *dirty = &books->demand->dirty;
	unsigned long pfn = (unsigned long)ev->pfn;
	struct cleared cleared;
	int err;

	if (likely(book_is_head_of(*books_page(books, pfn), ev->order)))
		return books_free_block(books, pfn, at);

	err = books_clear(books, pfn, 1UL << ev->order, at, &cleared);
	if (err)
		return err;
	if (!cleared.blocks) {
		dirty->free_unknown++;
		return 0;
	}
	if (cleared.cuts)
		dirty->free_part++;
	if (cleared.blocks > 1)
		dirty->free_several++;
	if (cleared.gaps)
		dirty->free_gaps++;
	return 0;
}

/* Whoever lives where a block is to be: the free was missed. */
static int evict(struct books *books, unsigned long pfn, unsigned int order,
		 const struct moment *at)
{
	struct cleared cleared;
	int err;

	if (likely(order == 0 && book_is_free(*books_page(books, pfn))))
		return 0;
	err = books_clear(books, pfn, 1UL << order, at, &cleared);
	if (!err && cleared.blocks)
		books->demand->dirty.alloc_live++;
	return err;
}

/* A request is never for reserved or isolated blocks, whatever a file says. */
static uint8_t requestable(uint8_t migratetype)
{
	return migratetype <= MIGRATE_RECLAIMABLE ? migratetype : MIGRATE_MOVABLE;
}

static int resolve_alloc(struct books *books, const struct event *ev,
			 const struct moment *at)
{
	unsigned long pfn = (unsigned long)ev->pfn;
	struct demand_op *op;
	int err;

	if (pfn & ((1UL << ev->order) - 1)) {
		books->demand->dirty.misaligned++;
		return 0;
	}
	err = evict(books, pfn, ev->order, at);
	if (err)
		return err;
	op = books_next_op(books, at);
	err = op ? get_id(books, &op->id) : -ENOMEM;
	if (err)
		return err;
	op->kind = DEMAND_ALLOC;
	op->order = ev->order;
	op->migratetype = requestable(ev->migratetype);
	op->zone_limit = books->zone_limits.of[ev->gfp & GFP_ZONE_MASK];
	op->flags = (uint8_t)gfp_alloc_flags(ev->gfp);
	books_enter(books, pfn, ev->order, op->id);
	books->demand->nr_allocs++;
	return 0;
}

/* Whether a zone holds the block, most often the one that held the last. */
static bool place_is_known(struct books *books, uint64_t first, uint64_t last)
{
	const struct layout *layout = books->layout;
	int zone;

	if (likely(first >= books->zone_start && last < books->zone_end))
		return true;
	if (last >= books->end_pfn ||
	    layout_zone_of(layout, (unsigned long)last) < 0)
		return false;
	zone = layout_zone_of(layout, (unsigned long)first);
	if (zone < 0)
		return false;
	books->zone_start = layout->zones[zone].start_pfn;
	books->zone_end = zone_end_pfn(&layout->zones[zone]);
	return true;
}

static int check_place(struct books *books, const struct event *ev,
		       size_t index, struct msg *msg)
{
	uint64_t last;

	if (ev->order > MAX_PAGE_ORDER)
		return msg_set(msg, EINVAL, "event %zu: order %u is above %u",
			       index, ev->order, MAX_PAGE_ORDER);
	last = ev->pfn + (UINT64_C(1) << ev->order) - 1;
	if (!place_is_known(books, ev->pfn, last))
		return msg_set(msg, EINVAL,
			       "event %zu: pfn %" PRIu64 " of order %u is in no zone of this machine, which ends at pfn %lu",
			       index, ev->pfn, ev->order, books->end_pfn);
	return 0;
}

/*
 * True for what asks something of an allocator; counts what does not. The snapshot
 * had looked at all pages at looked_ns.
 */
static inline bool event_is_demand(const struct bundle *bundle, const struct event *ev,
				   uint64_t looked_ns, struct demand_dirty *dirty)
{
	switch ((enum event_kind)ev->kind) {
	case EV_ALLOC:
		if (ev->pfn == EVENT_PFN_FAILED) {
			dirty->alloc_failed++;
			return false;
		}
		break;
	case EV_FREE:
		break;
	case EV_FREE_BATCHED:
		dirty->free_batched++;
		return false;
	case EV_LOST:
		dirty->lost_events += ev->pfn;
		return false;
	default:
		dirty->buddy_events++;
		return false;
	}
	if (unlikely(ev->time_ns < looked_ns) && bundle_before_snapshot(bundle, ev)) {
		dirty->before_snapshot++;
		return false;
	}
	return true;
}

static int check_resident(const struct books *books, const struct start_block *b,
			  struct msg *msg)
{
	uint64_t nr = UINT64_C(1) << b->order;

	if (b->pfn + nr > books->end_pfn || (b->pfn & (nr - 1)))
		return msg_set(msg, EINVAL,
			       "start state: pfn %" PRIu64 " of order %u is no block of this machine",
			       b->pfn, b->order);
	for (unsigned long p = (unsigned long)b->pfn; nr--; p++) {
		if (!book_is_free(*books_page(books, p)))
			return msg_set(msg, EINVAL,
				       "start state: pfn %lu is in two resident blocks", p);
	}
	return 0;
}

static int enter_residents(struct books *books, const struct bundle *bundle,
			   struct msg *msg)
{
	struct demand *d = books->demand;

	d->residents = calloc(bundle->nr_resident_blocks + 1,
			      sizeof(*d->residents));
	if (!d->residents)
		return -ENOMEM;
	for (size_t i = 0; i < bundle->nr_resident_blocks; i++) {
		const struct start_block *b = &bundle->resident_blocks[i];
		struct demand_resident *r = &d->residents[i];
		int err = check_resident(books, b, msg);

		if (!err)
			err = get_id(books, &r->id);
		if (err)
			return err;
		r->pfn = (unsigned long)b->pfn;
		r->order = b->order;
		r->migratetype = b->migratetype;
		d->nr_residents++;
		books_enter(books, r->pfn, r->order, r->id);
	}
	return 0;
}

static int resolve_event(struct books *books, const struct event *ev,
			 const struct moment *at, struct msg *msg)
{
	int err = check_place(books, ev, at->event, msg);

	if (err)
		return err;
	return ev->kind == EV_ALLOC ? resolve_alloc(books, ev, at)
				    : resolve_free(books, ev, at);
}

/* When the last page was looked at, since start_ns; 0 without a snapshot. */
static uint64_t snapshot_ns(const struct bundle *bundle, uint64_t start_ns)
{
	uint64_t last_ns = start_ns;

	for (size_t i = 0; bundle->chunk_ns && i < bundle->nr_chunks; i++)
		last_ns = max_t(uint64_t, last_ns, bundle->chunk_ns[i]);
	return last_ns - start_ns;
}

/*
 * The books of a machine's pages are more than a cache holds, and events name pages
 * all over: fetched 16 events ahead, an event of redis takes 8-13 ns instead of 21.
 */
#define FETCH_AHEAD 16

/*
 * The page that an event will name, if it is one of ours. Always inlined: gcc takes
 * the call of a function that only fetches for one without effect.
 */
static __always_inline void books_fetch(const struct books *books, const struct event *ev)
{
	uint64_t pfn = min_t(uint64_t, ev->pfn, books->end_pfn - 1);

	__builtin_prefetch(books_page(books, pfn), 1);
}

static int resolve_events(struct books *books, const struct bundle *bundle,
			  struct msg *msg)
{
	const struct trace *trace = &bundle->trace;
	const unsigned int nr_cpus = books->layout->nr_cpus;
	const uint64_t start_ns = trace->nr_events ? trace->events[0].time_ns : 0;
	const uint64_t state_ns = snapshot_ns(bundle, start_ns);
	struct demand *d = books->demand;
	uint64_t now_ns = start_ns;

	for (size_t i = 0; i < trace->nr_events; i++) {
		const struct event *ev = &trace->events[i];
		struct moment at;
		int err;

		if (likely(trace->nr_events - i > FETCH_AHEAD))
			books_fetch(books, &ev[FETCH_AHEAD]);
		if (unlikely(ev->time_ns < now_ns))
			d->dirty.time_reversed++;
		else
			now_ns = ev->time_ns;
		if (!event_is_demand(bundle, ev, start_ns + state_ns, &d->dirty))
			continue;
		at = (struct moment){
			.time_ns = now_ns - start_ns,
			.event = (uint32_t)i,
			.cpu = likely(ev->cpu < nr_cpus) ? ev->cpu
							 : (uint16_t)(ev->cpu % nr_cpus),
		};
		err = resolve_event(books, ev, &at, msg);
		if (err)
			return err;
	}
	d->nr_events = trace->nr_events;
	d->start_ns = start_ns;
	d->state_ns = state_ns;
	d->end_ns = now_ns - start_ns;
	d->dirty.live_at_end = books->live_blocks;
	return 0;
}

int demand_resolve_within(struct demand *d, const struct bundle *bundle,
			  const struct layout *layout, uint32_t max_ids, struct msg *msg)
{
	struct books books;
	int err;

	*d = (struct demand){ 0 };
	if (bundle->trace.nr_events > UINT32_MAX)
		return msg_set(msg, EINVAL,
			       "%s: %zu events are more than one replay can hold (2^32)",
			       bundle->name, bundle->trace.nr_events);
	err = books_init(&books, d, layout, max_ids);
	/* As a rule, each is one operation. */
	if (!err)
		err = demand_grow(d, bundle->trace.by_kind[EV_ALLOC] +
				     bundle->trace.by_kind[EV_FREE]);
	if (!err)
		err = enter_residents(&books, bundle, msg);
	if (!err)
		err = resolve_events(&books, bundle, msg);
	books_destroy(&books);
	if (!err)
		return 0;
	demand_free(d);
	if (err == -ENOMEM)
		msg_set(msg, ENOMEM, "%s: no memory for the demand of %zu events",
			bundle->name, bundle->trace.nr_events);
	if (err == -EOVERFLOW)
		msg_set(msg, EOVERFLOW, "%s: more than %u blocks live at a time are more than one replay can hold",
			bundle->name, max_ids);
	return err;
}

int demand_resolve(struct demand *d, const struct bundle *bundle,
		   const struct layout *layout, struct msg *msg)
{
	return demand_resolve_within(d, bundle, layout, DEMAND_MAX_IDS, msg);
}

void demand_free(struct demand *d)
{
	free(d->ops);
	free(d->residents);
	*d = (struct demand){ 0 };
}
