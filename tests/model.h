/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model.h - an oracle for page allocators that is too simple to be wrong
 *
 *    pfn    0  1  2  3  4  5  6  7
 *    page   2  2  2  2  .  .  0  r      a byte for each page: reserved, free,
 *                                       or the order of the block it is in
 *
 * Blocks are naturally aligned, so page and order give the head. There are no
 * lists and no counters: every answer comes from looking at all the pages.
 *
 * Where blocks are single pages (next_page), the pages of one are noted as it
 * comes, and 1 and 2 ask for that many pages in place of a run.
 *
 * What is asked of an allocator (lazy_merge excuses it from 2 and 3 where the
 * order is above 0):
 *
 *   1  a page it hands out was free, in an allowed zone, in an aligned block
 *   2  a request fails only if no aligned run of that many free pages exists;
 *      pages that carry nodes do not count as free, but a request for one
 *      page must get a node's page when nothing else is left (keeps_metadata
 *      excuses from that)
 *   3  free_area() is the decomposition of its free pages into the largest
 *      aligned blocks, inside zones: buddies never wait apart
 *   4  query() says of each page what the model knows
 *   5  counts() adds up: free + pcp + nodes + stash == free pages here; so do
 *      the statistics of pages in callers' hands and of nodes
 *   6  no memory was allocated in a free, and nothing is mapped
 */
#ifndef PAGETAX_TESTS_MODEL_H
#define PAGETAX_TESTS_MODEL_H

#include "alloc/allocator.h"

struct model {
	const struct layout *layout;	/* the caller keeps it */
	unsigned long end_pfn;
	uint8_t *page;			/* what each page is; see model.c */
	unsigned long *next;		/* of a page in a held block: the one after it */
	uint8_t *on_list;		/* scratch: the backend calls the page free */
};

/* Every page reserved. Ends the process when the host has no room. */
void model_create(struct model *m, const struct layout *layout);
void model_destroy(struct model *m);

/* Operations that cannot fail; what they are asked for must be possible. */
void model_release(struct model *m, unsigned long pfn, unsigned int order);
void model_adopt(struct model *m, unsigned long pfn, unsigned int order);
void model_free(struct model *m, unsigned long pfn, unsigned int order);
void model_isolate(struct model *m, unsigned long pfn, unsigned int order);
void model_split(struct model *m, unsigned long pfn, unsigned int order,
		 unsigned int new_order);

/*
 * Judge the answer of an allocator to a request (PFN_NONE: it failed), and
 * take the block. 0, or -EUCLEAN with a message.
 */
int model_alloc(struct model *m, const struct allocator *a,
		const struct alloc_req *req, unsigned long pfn,
		struct msg *msg);

/* Compare everything, the allocator's own verify() included. */
int model_check(const struct model *m, const struct allocator *a,
		struct msg *msg);

bool model_page_is_free(const struct model *m, unsigned long pfn);

/* Whether pfn is the first page of a held block; *order is then its order. */
bool model_block_at(const struct model *m, unsigned long pfn,
		    unsigned int *order);

/* Free pages of one zone. */
unsigned long model_nr_free(const struct model *m, unsigned int zone);

#endif
