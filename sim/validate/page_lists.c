/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page_lists.c - doubly linked lists in arrays by pfn */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "sim/validate/page_lists.h"

int page_lists_init(struct page_lists *l, unsigned long nr_pages,
		    unsigned int nr_lists)
{
	*l = (struct page_lists){
		.lists = malloc((nr_lists + 1UL) * sizeof(*l->lists)),
		.next = malloc(nr_pages * sizeof(*l->next)),
		.prev = malloc(nr_pages * sizeof(*l->prev)),
		.of = calloc(nr_pages, sizeof(*l->of)),
		.known = calloc(nr_pages, sizeof(*l->known)),
	};
	assert(nr_pages < NO_PAGE);
	if (!l->lists || !l->next || !l->prev || !l->of || !l->known) {
		page_lists_destroy(l);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i <= nr_lists; i++)
		l->lists[i] = (struct page_list){ NO_PAGE, NO_PAGE, 0 };
	return 0;
}

void page_lists_destroy(struct page_lists *l)
{
	free(l->lists);
	free(l->next);
	free(l->prev);
	free(l->of);
	free(l->known);
	*l = (struct page_lists){ 0 };
}

/* Link a page, on no list, between two neighbours, either of which may be NO_PAGE. */
static void link_between(struct page_lists *l, unsigned int list,
			 unsigned long pfn, uint32_t prev, uint32_t next)
{
	struct page_list *at = &l->lists[list];

	assert(l->of[pfn] == NO_LIST);
	l->of[pfn] = list;
	l->prev[pfn] = prev;
	l->next[pfn] = next;
	*(prev == NO_PAGE ? &at->head : &l->next[prev]) = (uint32_t)pfn;
	*(next == NO_PAGE ? &at->tail : &l->prev[next]) = (uint32_t)pfn;
	at->nr++;
}

void page_lists_del(struct page_lists *l, unsigned long pfn)
{
	struct page_list *at = &l->lists[l->of[pfn]];
	uint32_t prev = l->prev[pfn], next = l->next[pfn];

	if (l->of[pfn] == NO_LIST)
		return;
	*(prev == NO_PAGE ? &at->head : &l->next[prev]) = next;
	*(next == NO_PAGE ? &at->tail : &l->prev[next]) = prev;
	at->nr--;
	l->of[pfn] = NO_LIST;
}

void page_lists_push_head(struct page_lists *l, unsigned int list,
			  unsigned long pfn, bool known)
{
	page_lists_del(l, pfn);
	link_between(l, list, pfn, NO_PAGE, l->lists[list].head);
	l->known[pfn] = known;
}

void page_lists_push_tail(struct page_lists *l, unsigned int list,
			  unsigned long pfn, bool known)
{
	page_lists_del(l, pfn);
	link_between(l, list, pfn, l->lists[list].tail, NO_PAGE);
	l->known[pfn] = known;
}

enum verdict page_lists_judge(const struct page_lists *l, unsigned int list,
			      unsigned long pfn)
{
	const struct page_list *at = &l->lists[list];
	bool inside = l->of[pfn] == list;

	if (inside && at->head == pfn)
		return l->known[pfn] || at->nr == 1 ? VERDICT_HIT : VERDICT_UNKNOWN;
	if (at->head == NO_PAGE)
		return VERDICT_UNKNOWN;
	if (l->known[at->head] || (inside && l->known[pfn]))
		return VERDICT_MISS;
	return VERDICT_UNKNOWN;
}
