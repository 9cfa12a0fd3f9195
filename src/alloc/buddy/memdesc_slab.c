/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memdesc_slab.c - slabs of structs buddy come, go and are counted again */
#include "memdesc_slab.h"

static void slab_unlist(struct slabs *slabs, struct slab *s)
{
	if (s->prev)
		s->prev->next = s->next;
	else
		slabs->list[s->list] = s->next;
	if (s->next)
		s->next->prev = s->prev;
}

static void slab_list(struct slabs *slabs, struct slab *s, enum slab_list list)
{
	s->list = list;
	s->prev = NULL;
	s->next = slabs->list[list];
	if (s->next)
		s->next->prev = s;
	slabs->list[list] = s;
}

void slab_relist(struct slabs *slabs, struct slab *s)
{
	enum slab_list list = s->nr_free == NR_SLOTS ? SLAB_EMPTY :
			      s->nr_free ? SLAB_PARTIAL : SLAB_FULL;

	if (list == s->list)
		return;
	slab_unlist(slabs, s);
	slab_list(slabs, s, list);
}

/* The struct slab of a new slab, all of whose slots are free; NULL: no room. */
static struct slab *slab_new(struct slabs *slabs, struct machine *m)
{
	struct slab *s = machine_alloc(m, SLAB_BYTES, META_nodes);

	if (!s)
		return NULL;
	for (unsigned int slot = 0; slot < NR_SLOTS; slot++)
		s->free[slot / 64] |= UINT64_C(1) << slot % 64;
	s->nr_free = NR_SLOTS;
	slab_list(slabs, s, SLAB_EMPTY);
	slabs->nr_free += NR_SLOTS;
	return s;
}

struct slab *slab_add_page(struct buddy *b, struct slabs *slabs,
			   const struct buddy_zone *z, unsigned long pfn)
{
	struct alloc_stats *stats = &b->base.stats;
	struct slab *s = slab_new(slabs, b->base.machine);

	if (!s)
		return NULL;
	s->pfn = pfn;
	slabs->nr_pages[z->index]++;
	machine_charge_page(b->base.machine, pfn);
	stats->nodes++;
	if (stats->nodes > stats->nodes_peak)
		stats->nodes_peak = stats->nodes;
	return s;
}

bool slab_add_apart(struct buddy *b, struct slabs *slabs)
{
	struct machine *m = b->base.machine;
	unsigned char *page = machine_alloc(m, PAGE_SIZE, META_nodes);
	struct slab *s = page ? slab_new(slabs, m) : NULL;

	if (!s) {
		if (page)
			machine_free(m, page, PAGE_SIZE, META_nodes);
		return false;
	}
	s->apart = page;
	s->pfn = PFN_NONE;
	return true;
}

struct slab *slab_to_release(const struct slabs *slabs, unsigned long left)
{
	struct slab *s = slabs->list[SLAB_EMPTY];

	if (slabs->nr_free < NR_SLOTS + left)
		return NULL;
	while (s && s->pfn == PFN_NONE)
		s = s->next;
	return s;
}

unsigned long slab_remove(struct buddy *b, struct slabs *slabs, struct slab *s)
{
	unsigned long pfn = s->pfn;

	assert(s->nr_free == NR_SLOTS);
	slab_unlist(slabs, s);
	slabs->nr_free -= NR_SLOTS;
	slabs->nr_pages[buddy_zone_of(b, pfn)->index]--;
	machine_free(b->base.machine, s, SLAB_BYTES, META_nodes);
	machine_uncharge_page(b->base.machine, pfn);
	b->base.stats.nodes--;
	b->base.stats.released++;
	return pfn;
}

void slabs_destroy(struct slabs *slabs, struct machine *m)
{
	for (int list = 0; list < NR_SLAB_LISTS; list++) {
		while (slabs->list[list]) {
			struct slab *s = slabs->list[list];

			slabs->list[list] = s->next;
			if (s->pfn == PFN_NONE)
				machine_free(m, s->apart, PAGE_SIZE, META_nodes);
			else
				machine_uncharge_page(m, s->pfn);
			machine_free(m, s, SLAB_BYTES, META_nodes);
		}
	}
}

bool slab_lends(const struct buddy *b, const struct slab *s, uint64_t place)
{
	uint64_t slot = (place - slab_place(b, s, 0)) / STRUCT_BYTES;

	return slot < NR_SLOTS && !(s->free[slot / 64] >> slot % 64 & 1);
}

int slabs_verify(const struct slabs *slabs, struct msg *msg)
{
	unsigned long nr_free = 0;

	for (int list = 0; list < NR_SLAB_LISTS; list++) {
		for (const struct slab *s = slabs->list[list]; s; s = s->next) {
			unsigned int bits = 0;

			for (unsigned int w = 0; w < SLOT_WORDS; w++)
				bits += (unsigned int)__builtin_popcountll(s->free[w]);
			if (bits != s->nr_free)
				return msg_set(msg, EUCLEAN,
					       "the slab at pfn %#lx has %u free slots and counts %u",
					       s->pfn, bits, s->nr_free);
			nr_free += bits;
		}
	}
	if (nr_free != slabs->nr_free)
		return msg_set(msg, EUCLEAN,
			       "%lu structs buddy are free, and %lu are counted",
			       nr_free, slabs->nr_free);
	return 0;
}
