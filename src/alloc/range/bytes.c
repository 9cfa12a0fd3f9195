/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bytes.c - any range backend as an allocator of bytes
 *
 *    unit number    address / unit_bytes
 *    span           one block of pages, added when no run is long enough
 *
 *    blocks   -> { first page, order } -> { first page, order } -> ...   newest first
 *    in place    pfn, pfn + 1, ...         the block's pages are one of the buddy's
 *    mapped      frames [ 9 | - | 4 | 7 ]  each page is drawn by itself, addresses
 *                                          count on from block to block
 *
 * What is noted of a block is for giving it back in the end, as a design would
 * from its own chunks or nodes, and is not charged to it.
 *
 * A block's span stays for good: ranges do not shrink. A page of a mapped block
 * is drawn at once, or if the range populates, when the range asks for memory
 * behind its units (struct range_backing), and goes back when it says so. The
 * frames stand for page table entries, and are charged as such to
 * META_structures.
 *
 * Where the length is the caller's to keep, it is ceil(log2(units)) bits a run,
 * charged to META_caller for as many units as the machine's memory has.
 */
#include <errno.h>
#include <stdlib.h>

#include "alloc/range_bytes.h"
#include "base/bits.h"

struct block {
	struct block *next;
	unsigned long page;		/* its first, as addresses count them */
	unsigned int order;
	unsigned long *frames;		/* mapped: pfns, or PFN_NONE; else NULL */
};

struct range_bytes {
	struct bytes base;		/* what callers hold */
	struct range_backing backing;	/* what the range asks for memory */
	struct range *range;		/* set at create, as are the next six */
	unsigned int unit_shift;	/* log2 of a unit's bytes */
	unsigned int order;		/* of a block; larger where a run needs it */
	unsigned int length_bits;	/* kept by the caller for a run; or 0 */
	bool mapped;
	unsigned int singles;
	bool loses_tails;
	struct block *blocks;
	unsigned long next_page;	/* mapped: where the next block begins */
	unsigned long nr_runs;
};

static struct range_bytes *to_range_bytes(struct bytes *b)
{
	return container_of(b, struct range_bytes, base);
}

static struct machine *machine_of(const struct bytes *b)
{
	return b->pages->machine;
}

unsigned long bytes_draw_pages(struct bytes *b, unsigned int order)
{
	const struct alloc_req req = {
		.order = order,
		.migratetype = MIGRATE_UNMOVABLE,
		.zone_limit = machine_of(b)->layout->nr_zones - 1,
	};
	unsigned long pfn = alloc_pages(b->pages, &req);

	if (pfn != PFN_NONE)
		b->nr_pages += 1UL << order;
	return pfn;
}

void bytes_return_pages(struct bytes *b, unsigned long pfn, unsigned int order)
{
	free_pages(b->pages, pfn, order, 0);
	b->nr_pages -= 1UL << order;
}

static unsigned long units_of(const struct range_bytes *rb, unsigned long bytes)
{
	return (bytes + (1UL << rb->unit_shift) - 1) >> rb->unit_shift;
}

/* One more run, or one fewer, whose length its owner has to remember. */
static void set_runs(struct range_bytes *rb, unsigned long nr_runs)
{
	struct meta_account *acct = &machine_of(&rb->base)->meta;
	uint64_t before = ((uint64_t)rb->nr_runs * rb->length_bits + 7) / 8;
	uint64_t after = ((uint64_t)nr_runs * rb->length_bits + 7) / 8;

	rb->nr_runs = nr_runs;
	meta_uncharge(acct, META_caller, before);
	meta_charge(acct, META_caller, after);
}

/* -- blocks -------------------------------------------------------------------- */

static unsigned int page_units_shift(const struct range_bytes *rb)
{
	return PAGE_SHIFT - rb->unit_shift;
}

static uint64_t frames_bytes(const struct block *block)
{
	return sizeof(*block->frames) << block->order;
}

/* Draw a page for a mapped block, or give it back. */
static bool frame_draw(struct range_bytes *rb, unsigned long *frame)
{
	*frame = bytes_draw_pages(&rb->base, 0);
	return *frame != PFN_NONE;
}

static void frame_return(struct range_bytes *rb, unsigned long *frame)
{
	if (*frame != PFN_NONE)
		bytes_return_pages(&rb->base, *frame, 0);
	*frame = PFN_NONE;
}

static void return_memory(struct range_bytes *rb, struct block *block)
{
	if (!block->frames) {
		/* As posted a block is freed as if it were a page. */
		if (rb->loses_tails &&
		    allocator_split(rb->base.pages, block->page, block->order, 0))
			block->order = 0;
		bytes_return_pages(&rb->base, block->page, block->order);
		return;
	}
	for (unsigned long i = 0; i < 1UL << block->order; i++)
		frame_return(rb, &block->frames[i]);
	machine_free(machine_of(&rb->base), block->frames, frames_bytes(block),
		     META_structures);
}

/* The block's place and memory: its frames, where it is mapped. */
static bool draw_mapped(struct range_bytes *rb, struct block *block)
{
	bool drawn = true;

	block->page = rb->next_page;
	block->frames = machine_alloc(machine_of(&rb->base), frames_bytes(block),
				      META_structures);
	if (!block->frames)
		return false;
	for (unsigned long i = 0; i < 1UL << block->order; i++)
		block->frames[i] = PFN_NONE;
	for (unsigned long i = 0; drawn && i < 1UL << block->order; i++)
		drawn = rb->range->caps.populates ||
			frame_draw(rb, &block->frames[i]);
	if (!drawn)
		return_memory(rb, block);
	return drawn;
}

static bool draw_memory(struct range_bytes *rb, struct block *block)
{
	if (rb->mapped)
		return draw_mapped(rb, block);
	block->page = bytes_draw_pages(&rb->base, block->order);
	return block->page != PFN_NONE;
}

/* Where the frame of a mapped page is kept. */
static unsigned long *frame_of(const struct range_bytes *rb, unsigned long page)
{
	const struct block *block = rb->blocks;

	while (page - block->page >= 1UL << block->order)
		block = block->next;
	return &block->frames[page - block->page];
}

static void range_bytes_depopulate(struct range_backing *b, unsigned long first,
				   unsigned long nr)
{
	struct range_bytes *rb = container_of(b, struct range_bytes, backing);
	unsigned int shift = page_units_shift(rb);

	for (unsigned long page = first >> shift; page < (first + nr) >> shift;
	     page++)
		frame_return(rb, frame_of(rb, page));
}

static bool range_bytes_populate(struct range_backing *b, unsigned long first,
				 unsigned long nr)
{
	struct range_bytes *rb = container_of(b, struct range_bytes, backing);
	unsigned int shift = page_units_shift(rb);

	for (unsigned long page = first >> shift; page < (first + nr) >> shift;
	     page++)
		if (!frame_draw(rb, frame_of(rb, page))) {
			range_bytes_depopulate(b, first,
					       (page << shift) - first);
			return false;
		}
	return true;
}

static bool add_block(struct range_bytes *rb, unsigned int order)
{
	struct block *block = calloc(1, sizeof(*block));
	unsigned int shift = page_units_shift(rb);

	if (!block)
		return false;
	block->order = order;
	if (!draw_memory(rb, block))
		goto free_block;
	block->next = rb->blocks;
	rb->blocks = block;
	if (range_add_free(rb->range, block->page << shift, 1UL << (order + shift)))
		goto return_memory;
	if (rb->mapped)
		rb->next_page += 1UL << order;
	return true;

return_memory:
	rb->blocks = block->next;
	return_memory(rb, block);
free_block:
	free(block);
	return false;
}

/* Make room for a run of nr units; or as posted, for whatever fits a page. */
static bool grow(struct range_bytes *rb, unsigned long nr)
{
	unsigned long nr_pages = div_round_up(nr, 1UL << page_units_shift(rb));
	unsigned int order = max_t(unsigned int, rb->order,
				   ilog2(roundup_pow2(nr_pages)));
	unsigned int added = 0;

	if (!rb->singles)
		return order <= MAX_PAGE_ORDER && add_block(rb, order);
	while (added < rb->singles && add_block(rb, 0))
		added++;
	return added;
}

/* -- the calls of struct bytes_ops ---------------------------------------------- */

static uint64_t range_bytes_alloc(struct bytes *b, unsigned long bytes)
{
	struct range_bytes *rb = to_range_bytes(b);
	unsigned long nr = units_of(rb, bytes);
	enum range_answer why;
	unsigned long unit = range_alloc(rb->range, nr, 1, &why);

	if (unit == RANGE_NONE && why == RANGE_NO_SPACE && grow(rb, nr))
		unit = range_alloc(rb->range, nr, 1, NULL);
	if (unit == RANGE_NONE)
		return ADDRESS_NONE;
	set_runs(rb, rb->nr_runs + 1);
	return (uint64_t)unit << rb->unit_shift;
}

static void range_bytes_free(struct bytes *b, uint64_t address,
			     unsigned long bytes)
{
	struct range_bytes *rb = to_range_bytes(b);
	unsigned long unit = (unsigned long)(address >> rb->unit_shift);
	enum range_answer answer = range_free(rb->range, unit,
					      units_of(rb, bytes));

	assert(answer == RANGE_OK);
	(void)answer;
	set_runs(rb, rb->nr_runs - 1);
}

/* Pages drawn for a block. */
static unsigned long block_pages(const struct block *block)
{
	unsigned long nr = 0;

	if (!block->frames)
		return 1UL << block->order;
	for (unsigned long i = 0; i < 1UL << block->order; i++)
		nr += block->frames[i] != PFN_NONE;
	return nr;
}

static int range_bytes_verify(const struct bytes *b, struct msg *msg)
{
	const struct range_bytes *rb =
		to_range_bytes((struct bytes *)(uintptr_t)b);
	unsigned long nr_pages = 0;

	for (const struct block *block = rb->blocks; block; block = block->next)
		nr_pages += block_pages(block);
	if (nr_pages != b->nr_pages)
		return msg_set(msg, EUCLEAN, "%s: %lu pages drawn, %lu in blocks",
			       rb->range->ops->name, b->nr_pages, nr_pages);
	return rb->range->ops->verify(rb->range, msg);
}

static void range_bytes_destroy(struct bytes *b)
{
	struct range_bytes *rb = to_range_bytes(b);
	struct machine *m = machine_of(b);
	struct block *block;

	set_runs(rb, 0);
	if (rb->range)
		range_destroy(rb->range);
	while ((block = rb->blocks)) {
		rb->blocks = block->next;
		return_memory(rb, block);
		free(block);
	}
	machine_free(m, rb, sizeof(*rb), META_structures);
}

static const struct bytes_ops range_bytes_ops = {
	.alloc = range_bytes_alloc,
	.free = range_bytes_free,
	.verify = range_bytes_verify,
	.destroy = range_bytes_destroy,
};

int range_bytes_create(struct bytes **out, const struct bytes_plan *plan,
		       struct allocator *pages, struct msg *msg)
{
	struct machine *m = pages->machine;
	struct range_bytes *rb = machine_alloc(m, sizeof(*rb), META_structures);
	int err;

	assert(is_power_of_2(plan->unit_bytes) && plan->unit_bytes <= PAGE_SIZE);
	if (!rb)
		return msg_set(msg, ENOMEM, "%s: no room for a pool of bytes",
			       plan->spec);
	rb->base.ops = &range_bytes_ops;
	rb->base.pages = pages;
	rb->unit_shift = ilog2(plan->unit_bytes);
	rb->order = plan->order;
	rb->mapped = plan->mapped;
	rb->singles = plan->singles;
	rb->loses_tails = plan->loses_tails;
	err = range_create(&rb->range, plan->spec, m, msg);
	if (err) {
		machine_free(m, rb, sizeof(*rb), META_structures);
		return err;
	}
	if (rb->range->caps.needs_size)
		rb->length_bits = ilog2(roundup_pow2(m->end_pfn)) + PAGE_SHIFT -
				  rb->unit_shift;
	assert(rb->mapped || !rb->range->caps.populates);
	if (rb->range->caps.populates) {
		rb->backing.populate = range_bytes_populate;
		rb->backing.depopulate = range_bytes_depopulate;
		rb->range->backing = &rb->backing;
	}
	*out = &rb->base;
	return 0;
}
