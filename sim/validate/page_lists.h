/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page_lists.h - the recorded machine's own lists, as far as they are known
 *
 *	head [ pushed since ]  [ there at the start ]  [ pushed to the tail ] tail
 *	       in known order    in unknown order        in known order
 *
 * What was in a list at the start lies in the middle in some order that nobody
 * recorded, so a prediction about its pages can be neither right nor wrong.
 */
#ifndef PAGETAX_SIM_VALIDATE_PAGE_LISTS_H
#define PAGETAX_SIM_VALIDATE_PAGE_LISTS_H

#include "base/types.h"

#define NO_LIST 0			/* lists are numbered from 1 */
#define NO_PAGE UINT32_MAX

struct page_list {
	uint32_t head, tail;		/* NO_PAGE in an empty list */
	uint32_t nr;
};

struct page_lists {
	struct page_list *lists;
	uint32_t *next, *prev;		/* by pfn */
	uint32_t *of;			/* the list a page is in, or NO_LIST */
	bool *known;			/* its place is known */
};

/* 0 or -ENOMEM. */
int page_lists_init(struct page_lists *l, unsigned long nr_pages,
		    unsigned int nr_lists);
void page_lists_destroy(struct page_lists *l);

void page_lists_push_head(struct page_lists *l, unsigned int list,
			  unsigned long pfn, bool known);
void page_lists_push_tail(struct page_lists *l, unsigned int list,
			  unsigned long pfn, bool known);

/* Take a page off the list that it is in, if any. */
void page_lists_del(struct page_lists *l, unsigned long pfn);

enum verdict {
	VERDICT_UNKNOWN,		/* nothing was predicted */
	VERDICT_HIT,
	VERDICT_MISS,
};

/* The prediction was: the head of this list. */
enum verdict page_lists_judge(const struct page_lists *l, unsigned int list,
			      unsigned long pfn);

#endif
