/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * picture.c - stripes of memory, and runs of equal looks
 *
 * Cost of a column: one step for each live block, and one for each block of
 * given memory while some page carries metadata. Memory: one struct
 * picture_run for each change of look.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/allocator.h"
#include "base/array.h"
#include "machine/layout.h"
#include "sim/initial_state.h"
#include "sim/metrics/picture.h"

#define LOOK_NAME(name) #name,
const char *const picture_look_names[NR_PICTURE_LOOKS] = {
	PICTURE_LOOKS(LOOK_NAME)
};

/* Add the pages of [pfn, end) to the stripes they lie in. */
static void spread(const struct picture *p, unsigned long *counts,
		   unsigned long pfn, unsigned long end)
{
	while (pfn < end) {
		unsigned long row = pfn / p->row_pages;
		unsigned long next = min_t(unsigned long, end,
					   (row + 1) * p->row_pages);

		counts[row] += next - pfn;
		pfn = next;
	}
}

static void give(struct picture *p, unsigned long pfn, unsigned int order)
{
	spread(p, p->given, pfn, pfn + (1UL << order));
}

void picture_init(struct picture *p, const struct layout *layout,
		  const struct initial_state *start, const struct demand *demand)
{
	*p = (struct picture){
		.row_pages = layout_end_pfn(layout) / PICTURE_ROWS + 1,
	};
	for (unsigned int z = 0; z < layout->nr_zones; z++)
		spread(p, p->present, layout->zones[z].start_pfn,
		       zone_end_pfn(&layout->zones[z]));
	for (unsigned int h = 0; h < layout->nr_holes; h++) {
		unsigned long absent[PICTURE_ROWS] = { 0 };

		spread(p, absent, layout->holes[h].start_pfn,
		       layout->holes[h].end_pfn);
		for (unsigned int row = 0; row < PICTURE_ROWS; row++)
			p->present[row] -= min_t(unsigned long, absent[row],
						 p->present[row]);
	}
	for (size_t i = 0; i < start->nr_free_blocks; i++)
		give(p, start->free_blocks[i].pfn, start->free_blocks[i].order);
	for (size_t i = 0; i < demand->nr_residents; i++)
		give(p, demand->residents[i].pfn, demand->residents[i].order);
}

void picture_free(struct picture *p)
{
	free(p->runs);
	*p = (struct picture){ .row_pages = 0 };
}

void picture_begin(struct picture *p, uint64_t now_ns)
{
	p->now_ns = now_ns;
	memset(p->movable, 0, sizeof(p->movable));
	memset(p->unmovable, 0, sizeof(p->unmovable));
	memset(p->metadata, 0, sizeof(p->metadata));
}

void picture_block(struct picture *p, const struct allocator *a,
		   unsigned long pfn, unsigned int order,
		   unsigned int migratetype)
{
	unsigned long *counts = migratetype == MIGRATE_MOVABLE ? p->movable :
								 p->unmovable;

	if (!a->ops->next_page) {
		spread(p, counts, pfn, pfn + (1UL << order));
		return;
	}
	for (unsigned long left = 1UL << order; left--;) {
		counts[pfn / p->row_pages]++;
		if (left)
			pfn = allocator_page_after(a, pfn, 1);
	}
}

static void find_metadata(struct picture *p, const struct allocator *a,
			  unsigned long pfn, unsigned int order)
{
	unsigned long end = pfn + (1UL << order);

	while (pfn < end) {
		struct page_info info;

		allocator_query(a, pfn, &info);
		if (info.state == PAGE_STATE_METADATA) {
			p->metadata[pfn / p->row_pages]++;
			pfn++;
		} else if (info.head != PFN_NONE && info.head <= pfn &&
			   pfn - info.head < 1UL << info.order) {
			pfn = info.head + (1UL << info.order);
		} else {
			pfn++;
		}
	}
}

static bool has_metadata_pages(const struct allocator *a)
{
	for (unsigned int z = 0; z < a->machine->layout->nr_zones; z++) {
		struct page_counts counts;

		allocator_counts(a, z, &counts);
		if (counts.nodes || counts.stash)
			return true;
	}
	return false;
}

void picture_metadata(struct picture *p, const struct allocator *a,
		      const struct initial_state *start,
		      const struct demand *demand)
{
	if (!has_metadata_pages(a))
		return;
	for (size_t i = 0; i < start->nr_free_blocks; i++)
		find_metadata(p, a, start->free_blocks[i].pfn,
			      start->free_blocks[i].order);
	for (size_t i = 0; i < demand->nr_residents; i++)
		find_metadata(p, a, demand->residents[i].pfn,
			      demand->residents[i].order);
}

static enum picture_look look_of(const struct picture *p, unsigned int row)
{
	unsigned long used = p->movable[row] + p->unmovable[row];
	bool movable = p->movable[row] >= p->unmovable[row];
	unsigned int level = used * 10 <= p->given[row] ? 0 :
			     used * 2 <= p->given[row] ? 1 : 2;

	if (!p->present[row])
		return PICTURE_absent;
	if (p->given[row] * 8 < p->present[row])
		return PICTURE_fixed;
	if (!used)
		return PICTURE_free;
	return (movable ? PICTURE_movable1 : PICTURE_unmovable1) + level;
}

static int close_run(struct picture *p, unsigned int row, uint64_t to_ns)
{
	if (array_grow(p->runs, p->nr_runs))
		return -ENOMEM;
	p->open[row].to_ns = to_ns;
	p->runs[p->nr_runs++] = p->open[row];
	return 0;
}

int picture_end(struct picture *p)
{
	for (unsigned int row = 0; row < PICTURE_ROWS; row++) {
		const struct picture_run run = {
			.from_ns = p->now_ns,
			.row = row,
			.look = look_of(p, row),
			.metadata = p->metadata[row] > 0,
			.movable = p->movable[row],
			.unmovable = p->unmovable[row],
			.metadata_pages = p->metadata[row],
		};

		if (p->begun && run.look == p->open[row].look &&
		    run.metadata == p->open[row].metadata)
			continue;
		if (p->begun && close_run(p, row, p->now_ns))
			return -ENOMEM;
		p->open[row] = run;
	}
	p->begun = true;
	return 0;
}

int picture_finish(struct picture *p, uint64_t end_ns)
{
	for (unsigned int row = 0; p->begun && row < PICTURE_ROWS; row++) {
		if (close_run(p, row, end_ns))
			return -ENOMEM;
	}
	return 0;
}
