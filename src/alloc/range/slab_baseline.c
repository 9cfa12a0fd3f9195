/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slab_baseline.c - what byte allocators are measured against: slabs of equal
 * objects in blocks of pages
 *
 *    cache   size 96, order 0
 *              |
 *              v   partial slabs
 *            [ slab: pfn, in_use, first free ] <-> [ slab ] ...
 *
 *    slab    | object | object |  free  | object |  free  | rest |
 *                                  `------------------^  links in free objects
 *
 * A request goes to the cache of its size: rounded up to a power of two, as in
 * kmalloc, or to 8 bytes, a cache for each size there is. So the first wastes
 * inside objects, the second only at the ends of slabs. Which is the point of
 * having both: an allocator of runs beats powers of two easily.
 *
 * A slab is the smallest block whose rest is at most an eighth of it, of order 3
 * at most, as in Linux. What is larger than half of such a block is given whole
 * blocks of pages, 2^order of them, by the first; by the second, one slab of one
 * object.
 *
 * Where the state lies in Linux, and to which column it is charged:
 *    slab        in the descriptor of its first page          META_borrowed
 *    page->slab  a word in each descriptor                    META_borrowed
 *    links       in the free objects, two bytes each          META_inband
 *    caches      an object each                               META_structures
 *
 * Invariants:  a slab is on its cache's list iff it has a free object
 *              an empty slab is given back at once
 */
#include <errno.h>

#include "alloc/range_bytes.h"
#include "base/bits.h"

#define MIN_OBJECT 8
#define MAX_SLAB_ORDER 3
#define NO_OBJECT UINT16_MAX

struct cache {
	struct cache *next;
	unsigned long size;		/* of an object; set at create, as is order */
	unsigned int order;		/* of a slab */
	struct slab *partial;
};

struct slab {
	struct cache *cache;
	struct slab *next, *prev;	/* among the partial ones */
	unsigned long pfn;
	uint16_t nr_objects;
	uint16_t in_use;
	uint16_t first_free;
	uint16_t link[];		/* of each free object: the next free one */
};

struct slabs {
	struct bytes base;		/* what callers hold */
	enum slab_sizes sizes;		/* set at create */
	struct cache *caches;
	struct slab **of_page;		/* by pfn */
};

static struct slabs *to_slabs(struct bytes *b)
{
	return container_of(b, struct slabs, base);
}

static struct machine *machine_of(const struct slabs *s)
{
	return s->base.pages->machine;
}

/* -- caches -------------------------------------------------------------------- */

static unsigned long object_size(const struct slabs *s, unsigned long bytes)
{
	if (s->sizes == SLAB_POWERS_OF_2)
		return max_t(unsigned long, roundup_pow2(bytes), MIN_OBJECT);
	return round_up_to(bytes, MIN_OBJECT);
}

static unsigned long slab_rest(unsigned long size, unsigned int order)
{
	return (PAGE_SIZE << order) % size;
}

/* The smallest order with little rest; that of one object when it is large. */
static unsigned int slab_order(unsigned long size)
{
	unsigned int order = ilog2(roundup_pow2(div_round_up(size, PAGE_SIZE)));

	for (unsigned int o = order; o <= MAX_SLAB_ORDER; o++)
		if (slab_rest(size, o) <= (PAGE_SIZE << o) / 8)
			return o;
	return order;
}

static struct cache *find_cache(struct slabs *s, unsigned long size)
{
	struct cache *c = s->caches;

	while (c && c->size != size)
		c = c->next;
	if (c)
		return c;
	c = machine_alloc(machine_of(s), sizeof(*c), META_structures);
	if (!c)
		return NULL;
	c->size = size;
	c->order = slab_order(size);
	c->next = s->caches;
	s->caches = c;
	return c;
}

static void list_add(struct slab *slab)
{
	struct cache *c = slab->cache;

	slab->prev = NULL;
	slab->next = c->partial;
	if (c->partial)
		c->partial->prev = slab;
	c->partial = slab;
}

static void list_del(struct slab *slab)
{
	if (slab->next)
		slab->next->prev = slab->prev;
	if (slab->prev)
		slab->prev->next = slab->next;
	else
		slab->cache->partial = slab->next;
}

/* -- slabs --------------------------------------------------------------------- */

static size_t links_bytes(unsigned int nr_objects)
{
	return nr_objects * sizeof(uint16_t);
}

static struct slab *slab_create(struct slabs *s, struct cache *c)
{
	struct machine *m = machine_of(s);
	unsigned int nr = (unsigned int)((PAGE_SIZE << c->order) / c->size);
	struct slab *slab = machine_alloc(m, sizeof(*slab) + links_bytes(nr),
					  META_borrowed);

	if (!slab)
		return NULL;
	slab->pfn = bytes_draw_pages(&s->base, c->order);
	if (slab->pfn == PFN_NONE) {
		machine_free(m, slab, sizeof(*slab) + links_bytes(nr),
			     META_borrowed);
		return NULL;
	}
	/* The links are where free objects are, not beside the descriptor. */
	meta_uncharge(&m->meta, META_borrowed, links_bytes(nr));
	meta_charge(&m->meta, META_inband, links_bytes(nr));
	slab->cache = c;
	slab->nr_objects = (uint16_t)nr;
	for (unsigned int i = 0; i < nr; i++)
		slab->link[i] = (uint16_t)(i + 1 < nr ? i + 1 : NO_OBJECT);
	for (unsigned long p = 0; p < 1UL << c->order; p++)
		s->of_page[slab->pfn + p] = slab;
	list_add(slab);
	return slab;
}

static void slab_destroy(struct slabs *s, struct slab *slab)
{
	struct machine *m = machine_of(s);
	unsigned int nr = slab->nr_objects, order = slab->cache->order;

	for (unsigned long p = 0; p < 1UL << order; p++)
		s->of_page[slab->pfn + p] = NULL;
	bytes_return_pages(&s->base, slab->pfn, order);
	meta_uncharge(&m->meta, META_inband, links_bytes(nr));
	meta_charge(&m->meta, META_borrowed, links_bytes(nr));
	machine_free(m, slab, sizeof(*slab) + links_bytes(nr), META_borrowed);
}

/* -- the calls of struct bytes_ops ---------------------------------------------- */

static uint64_t slabs_alloc(struct bytes *b, unsigned long bytes)
{
	struct slabs *s = to_slabs(b);
	struct cache *c;
	struct slab *slab;
	unsigned int i;

	if (!bytes || bytes > PAGE_SIZE << MAX_PAGE_ORDER)
		return ADDRESS_NONE;
	c = find_cache(s, object_size(s, bytes));
	slab = c ? c->partial : NULL;
	if (c && !slab)
		slab = slab_create(s, c);
	if (!slab)
		return ADDRESS_NONE;
	i = slab->first_free;
	slab->first_free = slab->link[i];
	slab->in_use++;
	if (slab->first_free == NO_OBJECT)
		list_del(slab);
	return ((uint64_t)slab->pfn << PAGE_SHIFT) + (uint64_t)i * c->size;
}

static void slabs_free(struct bytes *b, uint64_t address, unsigned long bytes)
{
	struct slabs *s = to_slabs(b);
	struct slab *slab = s->of_page[address >> PAGE_SHIFT];
	uint64_t offset = address - ((uint64_t)slab->pfn << PAGE_SHIFT);
	unsigned int i = (unsigned int)(offset / slab->cache->size);

	assert(offset % slab->cache->size == 0);
	assert(slab->cache->size == object_size(s, bytes));
	(void)bytes;
	if (slab->first_free == NO_OBJECT)
		list_add(slab);
	slab->link[i] = slab->first_free;
	slab->first_free = (uint16_t)i;
	if (--slab->in_use)
		return;
	list_del(slab);
	slab_destroy(s, slab);
}

static int verify_slab(const struct slab *slab, struct msg *msg)
{
	unsigned int nr_free = 0, i = slab->first_free;

	while (i != NO_OBJECT && nr_free <= slab->nr_objects) {
		i = slab->link[i];
		nr_free++;
	}
	if (nr_free && nr_free + slab->in_use == slab->nr_objects)
		return 0;
	return msg_set(msg, EUCLEAN,
		       "the partial slab at pfn %lu has %u objects, %u in use and %u free",
		       slab->pfn, slab->nr_objects, slab->in_use, nr_free);
}

static int slabs_verify(const struct bytes *b, struct msg *msg)
{
	const struct slabs *s = to_slabs((struct bytes *)(uintptr_t)b);
	unsigned long nr_pages = 0;
	int err = 0;

	for (const struct cache *c = s->caches; c && !err; c = c->next)
		for (const struct slab *slab = c->partial; slab && !err;
		     slab = slab->next)
			err = verify_slab(slab, msg);
	for (unsigned long pfn = 0; pfn < machine_of(s)->end_pfn; pfn++)
		nr_pages += s->of_page[pfn] != NULL;
	if (!err && nr_pages != b->nr_pages)
		err = msg_set(msg, EUCLEAN, "%lu pages drawn, %lu in slabs",
			      b->nr_pages, nr_pages);
	return err;
}

static void slabs_destroy(struct bytes *b)
{
	struct slabs *s = to_slabs(b);
	struct machine *m = machine_of(s);
	struct cache *c;

	for (unsigned long pfn = 0; pfn < m->end_pfn; pfn++)
		if (s->of_page[pfn])
			slab_destroy(s, s->of_page[pfn]);
	while ((c = s->caches)) {
		s->caches = c->next;
		machine_free(m, c, sizeof(*c), META_structures);
	}
	machine_free(m, s->of_page, m->end_pfn * sizeof(*s->of_page),
		     META_borrowed);
	machine_free(m, s, sizeof(*s), META_structures);
}

static const struct bytes_ops slabs_ops = {
	.alloc = slabs_alloc,
	.free = slabs_free,
	.verify = slabs_verify,
	.destroy = slabs_destroy,
};

int slab_baseline_create(struct bytes **out, enum slab_sizes sizes,
			 struct allocator *pages, struct msg *msg)
{
	struct machine *m = pages->machine;
	struct slabs *s = machine_alloc(m, sizeof(*s), META_structures);

	if (!s)
		return msg_set(msg, ENOMEM, "slabs: no room for their caches");
	s->base.ops = &slabs_ops;
	s->base.pages = pages;
	s->sizes = sizes;
	s->of_page = machine_alloc(m, m->end_pfn * sizeof(*s->of_page),
				   META_borrowed);
	if (!s->of_page) {
		machine_free(m, s, sizeof(*s), META_structures);
		return msg_set(msg, ENOMEM, "slabs: no room for a word for each of %lu pages",
			       m->end_pfn);
	}
	*out = &s->base;
	return 0;
}
