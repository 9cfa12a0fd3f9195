/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bytes.c - any range backend as an allocator of bytes
 *
 *    unit number    address / unit_bytes
 *    span           one block of pages, added when no run is long enough
 *
 *    blocks   -> { pfn, order } -> { pfn, order } -> ...    newest first
 *
 * A block's span stays for good: ranges do not shrink. Where the length is the
 * caller's to keep, it is ceil(log2(units)) bits a run, charged to META_caller
 * for as many units as the machine's memory has.
 */
#include <errno.h>

#include "alloc/range_bytes.h"
#include "base/bits.h"

struct block {
	struct block *next;
	unsigned long pfn;
	unsigned int order;
};

struct range_bytes {
	struct bytes base;		/* what callers hold */
	struct range *range;		/* set at create, as are the next three */
	unsigned int unit_shift;	/* log2 of a unit's bytes */
	unsigned int order;		/* of a block; larger where a run needs it */
	unsigned int length_bits;	/* kept by the caller for a run; or 0 */
	struct block *blocks;
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

struct range *range_bytes_range(struct bytes *b)
{
	return to_range_bytes(b)->range;
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

/* Add a block in which a run of nr units has room. */
static bool grow(struct range_bytes *rb, unsigned long nr)
{
	struct machine *m = machine_of(&rb->base);
	unsigned int units_shift = PAGE_SHIFT - rb->unit_shift;
	unsigned long nr_pages = div_round_up(nr, 1UL << units_shift);
	unsigned int order = max_t(unsigned int, rb->order,
				   ilog2(roundup_pow2(nr_pages)));
	struct block *block;

	if (order > MAX_PAGE_ORDER)
		return false;
	block = machine_alloc(m, sizeof(*block), META_structures);
	if (!block)
		return false;
	block->order = order;
	block->pfn = bytes_draw_pages(&rb->base, order);
	if (block->pfn == PFN_NONE)
		goto free_block;
	if (range_add_free(rb->range, block->pfn << units_shift,
			   1UL << (order + units_shift)))
		goto return_pages;
	block->next = rb->blocks;
	rb->blocks = block;
	return true;

return_pages:
	bytes_return_pages(&rb->base, block->pfn, order);
free_block:
	machine_free(m, block, sizeof(*block), META_structures);
	return false;
}

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

static int range_bytes_verify(const struct bytes *b, struct msg *msg)
{
	const struct range_bytes *rb =
		to_range_bytes((struct bytes *)(uintptr_t)b);
	unsigned long nr_pages = 0;

	for (const struct block *block = rb->blocks; block; block = block->next)
		nr_pages += 1UL << block->order;
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
		bytes_return_pages(b, block->pfn, block->order);
		machine_free(m, block, sizeof(*block), META_structures);
	}
	machine_free(m, rb, sizeof(*rb), META_structures);
}

static const struct bytes_ops range_bytes_ops = {
	.alloc = range_bytes_alloc,
	.free = range_bytes_free,
	.verify = range_bytes_verify,
	.destroy = range_bytes_destroy,
};

int range_bytes_create(struct bytes **out, const char *spec,
		       unsigned long unit_bytes, unsigned int order,
		       struct allocator *pages, struct msg *msg)
{
	struct machine *m = pages->machine;
	struct range_bytes *rb = machine_alloc(m, sizeof(*rb), META_structures);
	int err;

	assert(is_power_of_2(unit_bytes) && unit_bytes <= PAGE_SIZE);
	if (!rb)
		return msg_set(msg, ENOMEM, "%s: no room for a pool of bytes",
			       spec);
	rb->base.ops = &range_bytes_ops;
	rb->base.pages = pages;
	rb->unit_shift = ilog2(unit_bytes);
	rb->order = order;
	err = range_create(&rb->range, spec, m, msg);
	if (err) {
		machine_free(m, rb, sizeof(*rb), META_structures);
		return err;
	}
	if (rb->range->caps.needs_size)
		rb->length_bits = ilog2(roundup_pow2(m->end_pfn)) + PAGE_SHIFT -
				  rb->unit_shift;
	*out = &rb->base;
	return 0;
}
