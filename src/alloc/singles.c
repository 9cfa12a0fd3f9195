/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * singles.c - single pages for a run: what a caller can do where runs are not
 *
 *    caller -> [ singles: lists of pages ] -> backend
 *
 *    a block of order 2:   7 -> 5 -> 2 -> 9      7, the last one taken, is its
 *                                                name and where the list begins
 *    pfn     0   1   2   3   4   5   6   7   8   9
 *    next    .   .   9   .   .   2   .   5   .   .      .: none
 *
 * A request for 2^order pages becomes that many requests for one page. What
 * comes is no run: devices and huge pages, which most such requests are for,
 * could not use it. So it has a row of its own beside that of the design, which
 * refuses.
 *
 * Somebody has to remember the pages, and it is not the design: each page of a
 * block above order 0 costs the caller a word, charged to META_caller. Here
 * these words lie side by side, one for each pfn, uncharged.
 *
 * To halve a block is to cut its list. One in use from the start is a list,
 * too, though its pages do lie together.
 *
 * Invariants:  links == pages in lists - lists
 *              no page follows two pages; none that is linked is free
 * Cost:        2^order times that of the design's single page
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "alloc/singles.h"
#include "base/bits.h"
#include "lib/bitmap.h"

#define LINK_NONE 0			/* else the next page's pfn + 1 */

struct singles {
	struct allocator base;		/* what callers hold */
	struct allocator_ops ops;	/* set at wrap: the backend's, our calls in it */
	struct allocator *inner;	/* set at wrap, as is the next */
	unsigned long *next;		/* for each pfn below end_pfn */
	unsigned long nr_lists;		/* blocks above order 0 in callers' hands */
	unsigned long nr_listed;	/* their pages */
};

static struct singles *to_singles(struct allocator *a)
{
	return container_of(a, struct singles, base);
}

static const struct singles *to_const_singles(const struct allocator *a)
{
	return container_of_const(a, struct singles, base);
}

/* A block of nr pages comes into a caller's hands, and its list with it. */
static void list_begins(struct singles *s, unsigned long nr)
{
	if (nr == 1)
		return;
	s->nr_lists++;
	s->nr_listed += nr;
	meta_charge(&s->base.machine->meta, META_caller, nr * sizeof(*s->next));
}

static void list_ends(struct singles *s, unsigned long nr)
{
	if (nr == 1)
		return;
	s->nr_lists--;
	s->nr_listed -= nr;
	meta_uncharge(&s->base.machine->meta, META_caller,
		      nr * sizeof(*s->next));
}

static unsigned long next_of(const struct singles *s, unsigned long pfn)
{
	assert(s->next[pfn] != LINK_NONE);
	return s->next[pfn] - 1;
}

static void give_back(struct singles *s, unsigned long pfn, unsigned long nr,
		      unsigned int cpu)
{
	while (nr--) {
		unsigned long next = nr ? next_of(s, pfn) : PFN_NONE;

		s->next[pfn] = LINK_NONE;
		s->inner->ops->free(s->inner, pfn, 0, cpu);
		pfn = next;
	}
}

/* Too few pages go back last come, first gone: nothing has happened. */
static unsigned long singles_alloc(struct allocator *a,
				   const struct alloc_req *req)
{
	struct singles *s = to_singles(a);
	unsigned long nr = 1UL << req->order, head = PFN_NONE;
	struct alloc_req one = *req;

	one.order = 0;
	for (unsigned long i = 0; i < nr; i++) {
		unsigned long pfn = s->inner->ops->alloc(s->inner, &one);

		if (pfn == PFN_NONE) {
			give_back(s, head, i, req->cpu);
			return PFN_NONE;
		}
		if (i)
			s->next[pfn] = head + 1;
		head = pfn;
	}
	list_begins(s, nr);
	return head;
}

static void singles_free(struct allocator *a, unsigned long pfn,
			 unsigned int order, unsigned int cpu)
{
	struct singles *s = to_singles(a);

	give_back(s, pfn, 1UL << order, cpu);
	list_ends(s, 1UL << order);
}

static bool singles_split(struct allocator *a, unsigned long pfn,
			  unsigned int order, unsigned int new_order)
{
	struct singles *s = to_singles(a);
	unsigned long nr = 1UL << order, part = 1UL << new_order;

	list_ends(s, nr);
	for (unsigned long i = 1; i <= nr; i++) {
		unsigned long next = i < nr ? next_of(s, pfn) : PFN_NONE;

		if (i % part == 0) {
			s->next[pfn] = LINK_NONE;
			list_begins(s, part);
		}
		pfn = next;
	}
	return true;
}

static unsigned long singles_next_page(const struct allocator *a,
				       unsigned long pfn)
{
	return next_of(to_const_singles(a), pfn);
}

static int singles_adopt(struct allocator *a, unsigned long pfn,
			 unsigned int order)
{
	struct singles *s = to_singles(a);
	unsigned long last = pfn + (1UL << order) - 1;
	int err = s->inner->ops->adopt(s->inner, pfn, order);

	if (err)
		return err;
	for (; pfn < last; pfn++)
		s->next[pfn] = pfn + 1 + 1;
	list_begins(s, 1UL << order);
	return 0;
}

static void singles_release(struct allocator *a, unsigned long pfn,
			    unsigned int order)
{
	struct singles *s = to_singles(a);

	s->inner->ops->release(s->inner, pfn, order);
}

static void singles_free_area(const struct allocator *a, unsigned int zone,
			      unsigned long nr_free[NR_PAGE_ORDERS])
{
	const struct allocator *inner = to_const_singles(a)->inner;

	inner->ops->free_area(inner, zone, nr_free);
}

static void singles_counts(const struct allocator *a, unsigned int zone,
			   struct page_counts *counts)
{
	const struct allocator *inner = to_const_singles(a)->inner;

	inner->ops->counts(inner, zone, counts);
}

static void singles_query(const struct allocator *a, unsigned long pfn,
			  struct page_info *info)
{
	const struct allocator *inner = to_const_singles(a)->inner;

	inner->ops->query(inner, pfn, info);
}

/* --- checking --------------------------------------------------------- */

static int verify_link(const struct singles *s, unsigned long pfn,
		       unsigned long *followers, struct msg *msg)
{
	unsigned long next = next_of(s, pfn);
	const unsigned long ends[] = { pfn, next };

	if (next >= s->base.machine->end_pfn || bitmap_test(followers, next))
		return msg_set(msg, EUCLEAN,
			       "pfn %lu is followed by %lu, which is %s", pfn, next,
			       next >= s->base.machine->end_pfn ? "no page" :
			       "in a list already");
	bitmap_set(followers, next);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct page_info info;

		s->inner->ops->query(s->inner, ends[i], &info);
		if (info.state == PAGE_STATE_FREE)
			return msg_set(msg, EUCLEAN,
				       "pfn %lu is free and in a list", ends[i]);
	}
	return 0;
}

static int verify_lists(const struct singles *s, unsigned long *followers,
			struct msg *msg)
{
	unsigned long links = 0;

	for (unsigned long pfn = 0; pfn < s->base.machine->end_pfn; pfn++) {
		int err;

		if (s->next[pfn] == LINK_NONE)
			continue;
		links++;
		err = verify_link(s, pfn, followers, msg);
		if (err)
			return err;
	}
	if (links != s->nr_listed - s->nr_lists)
		return msg_set(msg, EUCLEAN,
			       "%lu links cannot make %lu lists of %lu pages",
			       links, s->nr_lists, s->nr_listed);
	return 0;
}

static int singles_verify(const struct allocator *a, struct msg *msg)
{
	const struct singles *s = to_const_singles(a);
	unsigned long *followers;
	int err = s->inner->ops->verify(s->inner, msg);

	if (err)
		return err;
	followers = calloc(bitmap_words(a->machine->end_pfn),
			   sizeof(*followers));
	if (!followers)
		return msg_set(msg, ENOMEM, "no memory to check lists of pages");
	err = verify_lists(s, followers, msg);
	free(followers);
	return err;
}

static uint64_t singles_fingerprint(const struct allocator *a)
{
	const struct singles *s = to_const_singles(a);
	uint64_t hash = s->inner->ops->fingerprint(s->inner);

	for (unsigned long pfn = 0; pfn < a->machine->end_pfn; pfn++)
		if (s->next[pfn] != LINK_NONE)
			hash = fingerprint_mix(fingerprint_mix(hash, pfn),
					       s->next[pfn]);
	return hash;
}

/* --- life ------------------------------------------------------------- */

static void singles_destroy(struct allocator *a)
{
	struct singles *s = to_singles(a);

	meta_uncharge(&a->machine->meta, META_caller,
		      s->nr_listed * sizeof(*s->next));
	s->inner->ops->destroy(s->inner);
}

static void install_ops(struct singles *s, const struct allocator_ops *inner)
{
	assert(!inner->set_block_type && !inner->release_pcp);
	assert(!inner->limit_pcp && !inner->tick && !inner->drain);
	assert(!inner->split && !inner->isolate);
	assert(inner->adopt && inner->fingerprint);

	s->ops = *inner;
	s->ops.caps.max_order = MAX_PAGE_ORDER;
	s->ops.create = NULL;
	s->ops.destroy = singles_destroy;
	s->ops.adopt = singles_adopt;
	s->ops.release = singles_release;
	s->ops.alloc = singles_alloc;
	s->ops.free = singles_free;
	s->ops.split = singles_split;
	s->ops.next_page = singles_next_page;
	s->ops.free_area = singles_free_area;
	s->ops.counts = singles_counts;
	s->ops.query = singles_query;
	s->ops.verify = singles_verify;
	s->ops.fingerprint = singles_fingerprint;
}

/* Memory that is not charged stays with the arena, whatever becomes of us. */
int singles_wrap(struct allocator **out, struct allocator *inner,
		 struct msg *msg)
{
	struct machine *m = inner->machine;
	struct singles *s = arena_alloc_charged(m->arena, sizeof(*s), 0,
						META_caller);

	if (s)
		s->next = arena_alloc_charged(m->arena,
					      m->end_pfn * sizeof(*s->next), 0,
					      META_caller);
	if (!s || !s->next)
		return msg_set(msg, ENOMEM, "no room for lists of %lu pages",
			       m->end_pfn);
	install_ops(s, inner->ops);
	s->inner = inner;
	s->base.ops = &s->ops;
	s->base.machine = m;
	*out = &s->base;
	return 0;
}
