/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bundle.h - a recorded machine: its events, its layout, its state at the start
 *
 * A bundle is a folder; pagetax(1) and the head of bundle.c list its files. What
 * is missing is left NULL or zero, so that a bare trace file reads as a
 * bundle without a snapshot: `bundle_read` takes either.
 */
#ifndef PAGETAX_SIM_BUNDLE_H
#define PAGETAX_SIM_BUNDLE_H

#include "machine/layout.h"
#include "sim/source/trace.h"
#include "sim/source/zoneinfo.h"

/* What a page was when the snapshot looked at it. */
enum start_page {
	START_ABSENT,		/* a hole */
	START_FREE,		/* in the buddy: in one of free_blocks */
	START_PCP,		/* in a per-CPU list: its first event after the snapshot
				   says so, or, failing one, its last event before, or
				   the number of pages there: see start_parked.c */
	START_RESIDENT,		/* allocated, freed later: in one of resident_blocks */
	START_PINNED,		/* allocated, and no event ever names it */
};

struct start_block {
	uint64_t pfn;
	uint8_t order;
	uint8_t migratetype;	/* of its pageblock, as far as known */
};

struct buddyinfo_sample {
	uint64_t before_ns;
	uint64_t after_ns;
	unsigned int zone;	/* index into the layout */
	uint32_t nr_free[11];
};

struct counter_sample {
	uint64_t before_ns;
	uint64_t after_ns;
	unsigned int name;	/* index into counter_names */
	uint64_t value;
};

#define MAX_BAD_PARTS 4		/* second snapshot, pagetypeinfo, and both kinds of samples */

struct bundle {
	char *name;			/* last part of the path, for tables */
	struct trace trace;
	struct layout layout;		/* from zoneinfo and the holes in kpageflags, or made up */
	bool has_snapshot;		/* kpageflags were there */
	bool has_zoneinfo;

	uint8_t *start;			/* enum start_page for each pfn below layout_end_pfn() */
	uint8_t *start_class;		/* enum allocatee of each page in use; NULL without snapshot */
	struct start_block *free_blocks;	/* by address; pcp pages not included */
	size_t nr_free_blocks;
	struct start_block *resident_blocks;	/* by address; blocks that some event frees, with the order it is freed at */
	size_t nr_resident_blocks;
	uint64_t nr_start_conflicts;	/* first frees of blocks of which a part was something else */

	/*
	 * When each chunk of 1024 pfns was read: between these two; NULL
	 * without snapshot. Events in between are applied to it already.
	 */
	uint64_t *chunk_before_ns;
	uint64_t *chunk_ns;
	size_t nr_chunks;
	uint64_t nr_start_proved;	/* pages the snapshot missed in the buddy, which events
					   or the second snapshot prove to have been there */

	struct recorded_pcps start_pcps;	/* from zoneinfo */
	uint64_t nr_start_parked;	/* pages that only their number told to be in per-CPU lists */

	uint8_t *block_types;		/* enum migratetype of each pageblock at the start */
	bool has_pagetypeinfo;
	uint64_t nr_typed_blocks[MAX_NR_ZONES][NR_MIGRATETYPES];	/* pageblocks, by it */

	/* A second snapshot, after the workload; both NULL when it is missing. */
	uint8_t *end_free;		/* 1 for each page that was in the buddy */
	uint64_t *end_ns;		/* when each chunk of it was read */

	uint64_t workload_start_ns;	/* 0 when unknown */
	uint64_t workload_end_ns;

	struct buddyinfo_sample *buddyinfo;
	size_t nr_buddyinfo;
	struct counter_sample *counters;
	size_t nr_counters;
	char **counter_names;
	unsigned int nr_counter_names;
	char kernel[64];
	unsigned int pageblock_order;	/* of its kernel; 0: nobody says */

	/* Files that a lenient read left out, and why. */
	bool lenient;
	struct msg bad_parts[MAX_BAD_PARTS];
	unsigned int nr_bad_parts;
};

/*
 * Read a folder or a trace file. limit: as in trace_read(). Returns 0 or a
 * negative errno with a message naming the file, the place and what was
 * expected there.
 */
int bundle_read(struct bundle *b, const char *path, uint64_t limit,
		struct msg *msg);

/*
 * The same, but a broken file without which others can be made sense of is left
 * out, and b->bad_parts says so: samples, pagetypeinfo, the second snapshot.
 */
int bundle_read_lenient(struct bundle *b, const char *path, uint64_t limit,
			struct msg *msg);
void bundle_free(struct bundle *b);

/*
 * Whether all events of the input lie in zones of another machine than its own:
 * 0, or a negative errno with a message that names the first one's place. The
 * input is read once more for it, which standard input cannot be: 0.
 */
int bundle_find_stray(const char *path, uint64_t limit, const struct layout *layout,
		      struct msg *msg);

/* Whether an event came before the snapshot had looked at its page. */
static inline bool bundle_before_snapshot(const struct bundle *b,
					  const struct event *ev)
{
	return b->chunk_ns && ev->pfn / 1024 < b->nr_chunks &&
	       ev->time_ns < b->chunk_ns[ev->pfn / 1024];
}

#endif
