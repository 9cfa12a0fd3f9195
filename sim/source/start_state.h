/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * start_state.h - what every page was when the recording began to count
 *
 * The steps of bundle_read(), in their order. Each returns 0, or a negative
 * errno with a message.
 */
#ifndef PAGETAX_SIM_START_STATE_H
#define PAGETAX_SIM_START_STATE_H

#include "sim/source/bundle.h"
#include "sim/source/input.h"

/* Pages in a chunk of the snapshot; a free block never crosses into another. */
#define SNAPSHOT_CHUNK_PAGES 1024

/*
 * Read a copy of /proc/kpageflags: makes b->start, and adds the holes it shows
 * to the layout, whose zones must be known.
 */
int start_read_kpageflags(struct bundle *b, struct input *in, struct msg *msg);

/*
 * Read when each chunk was looked at: "first_pfn before_ns after_ns" a line.
 * The arrays are the caller's to free in any case; before_ns may be NULL.
 */
int start_read_times(struct bundle *b, struct input *in, uint64_t **before_ns,
		     uint64_t **after_ns, struct msg *msg);

/* Read the second snapshot: makes b->end_free. The layout must be known. */
int start_read_end(struct bundle *b, struct input *in, struct msg *msg);

/* Without a snapshot: whatever lies in a zone is free until an event objects. */
int start_assume_free(struct bundle *b, struct msg *msg);

/* Refine b->start by the trace, and list the free and the resident blocks. */
int start_classify(struct bundle *b, struct msg *msg);

#endif
