/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gen_pool.c - the part of the pool that is the same code for every encoding */
#include "gen_pool.h"

int gen_create(struct range **out, const struct range_ops *ops,
	       const struct gen_repr *g, struct machine *m,
	       const struct option_set *opts, struct msg *msg)
{
	struct gen_pool *p = machine_alloc(m, g->pool_bytes, META_structures);

	if (!p)
		return msg_set(msg, ENOMEM, "%s: no room for a pool", ops->name);
	range_init(&p->base, ops, m);
	p->repr = g;
	p->fit = (enum gen_fit)option_get(opts, "fit");
	*out = &p->base;
	return 0;
}

void gen_destroy(struct range *r)
{
	struct gen_pool *p = to_gen_pool(r);
	struct gen_chunk *c;

	while ((c = p->chunks)) {
		p->chunks = c->next;
		machine_free(r->machine, c->map,
			     gen_map_bytes(p->repr->unit_bits, c->nr),
			     META_structures);
		if (c->tails)
			machine_free(r->machine, c->tails,
				     gen_map_bytes(1, c->nr), META_structures);
		machine_free(r->machine, c, sizeof(*c), META_structures);
	}
	machine_free(r->machine, p, p->repr->pool_bytes, META_structures);
}

static atom_word *new_map(struct machine *m, size_t bytes, unsigned long fill)
{
	atom_word *map = machine_alloc(m, bytes, META_structures);

	for (size_t i = 0; map && i < bytes / sizeof(*map); i++)
		atomic_init(&map[i], fill);
	return map;
}

int gen_add(struct range *r, unsigned long first, unsigned long nr)
{
	struct gen_pool *p = to_gen_pool(r);
	const struct gen_repr *g = p->repr;
	struct machine *m = r->machine;
	struct gen_chunk *c = machine_alloc(m, sizeof(*c), META_structures);
	size_t bytes = gen_map_bytes(g->unit_bits, nr);

	if (!c)
		return -ENOMEM;
	c->first = first;
	c->nr = nr;
	c->map = new_map(m, bytes, g->reserved);
	if (!c->map)
		goto free_chunk;
	if (g->has_tails && g->has_tails(p)) {
		c->tails = new_map(m, gen_map_bytes(1, nr), g->reserved);
		if (!c->tails)
			goto free_map;
	}
	c->next = p->chunks;
	p->chunks = c;
	return 0;

free_map:
	machine_free(m, c->map, bytes, META_structures);
free_chunk:
	machine_free(m, c, sizeof(*c), META_structures);
	return -ENOMEM;
}

static unsigned long turn_run(struct gen_pool *p, atom_word *map,
			      unsigned long at, unsigned long nr, bool set)
{
	while (nr) {
		struct gen_piece piece = gen_piece(map, 1, at, nr);

		if (!gen_turn(p, &piece, set ? 0 : piece.mask,
			      set ? piece.mask : 0, false))
			break;
		at += piece.nr;
		nr -= piece.nr;
	}
	return nr;
}

unsigned long gen_set_bits(struct gen_pool *p, atom_word *map,
			   unsigned long at, unsigned long nr)
{
	return turn_run(p, map, at, nr, true);
}

unsigned long gen_clear_bits(struct gen_pool *p, atom_word *map,
			     unsigned long at, unsigned long nr)
{
	return turn_run(p, map, at, nr, false);
}

void gen_release(struct range *r, unsigned long first, unsigned long nr)
{
	struct gen_pool *p = to_gen_pool(r);

	while (nr) {
		struct gen_chunk *c = gen_chunk_of(p, first);
		unsigned long at = first - c->first;
		unsigned long part = min_t(unsigned long, nr, c->nr - at);

		p->repr->release(p, c, at, part);
		atom_add(r, &c->avail, part);
		first += part;
		nr -= part;
	}
}

bool gen_claim_at(struct range *r, unsigned long first, unsigned long nr)
{
	struct gen_pool *p = to_gen_pool(r);
	struct gen_chunk *c = gen_chunk_of(p, first);

	return c && first - c->first + nr <= c->nr &&
	       gen_take(p->repr, p, c, first - c->first, nr);
}

/* The lowest chunk that ends after `from`. */
static const struct gen_chunk *chunk_after(const struct gen_pool *p,
					   unsigned long from)
{
	const struct gen_chunk *found = NULL;

	for (const struct gen_chunk *c = p->chunks; c; c = c->next)
		if (c->first + c->nr > from &&
		    (!found || c->first < found->first))
			found = c;
	return found;
}

/* The part in [from, end) of the first free run there is in it. */
bool gen_next_free(const struct range *r, unsigned long from,
		   unsigned long end, struct range_run *run)
{
	const struct gen_pool *p = to_const_gen_pool(r);
	const struct gen_repr *g = p->repr;
	const struct gen_chunk *c = chunk_after(p, from);

	for (; c && c->first < end; c = chunk_after(p, c->first + c->nr)) {
		unsigned long at = from > c->first ? from - c->first : 0;
		unsigned long to = min_t(unsigned long, end - c->first, c->nr);

		at = gen_find_free(g, p, c, at, to);
		if (at == to)
			continue;
		run->start = c->first + at;
		run->nr = gen_find_used(g, p, c, at, to) - at;
		return true;
	}
	return false;
}

unsigned long gen_nr_free(const struct range *r)
{
	unsigned long nr = 0;

	for (const struct gen_chunk *c = to_const_gen_pool(r)->chunks; c;
	     c = c->next)
		nr += atom_load(r, &c->avail);
	return nr;
}

/* Each chunk's avail against its map. */
int gen_verify(const struct range *r, struct msg *msg)
{
	const struct gen_pool *p = to_const_gen_pool(r);
	const struct gen_repr *g = p->repr;

	for (const struct gen_chunk *c = p->chunks; c; c = c->next) {
		unsigned long nr = 0, at = 0, end;

		for (; at < c->nr; at = end) {
			at = gen_find_free(g, p, c, at, c->nr);
			end = gen_find_used(g, p, c, at, c->nr);
			nr += end - at;
		}
		if (nr != atom_load(r, &c->avail))
			return msg_set(msg, EUCLEAN,
				       "%s: the chunk at unit %lu counts %lu free units, its map has %lu",
				       r->ops->name, c->first,
				       atom_load(r, &c->avail), nr);
	}
	return 0;
}

/* Maps are all there is; what else a pool holds follows from them. */
uint64_t gen_fingerprint(const struct range *r)
{
	const struct gen_pool *p = to_const_gen_pool(r);
	uint64_t hash = 0;

	for (const struct gen_chunk *c = p->chunks; c; c = c->next) {
		size_t nr = gen_map_bytes(p->repr->unit_bits, c->nr) /
			    sizeof(*c->map);

		for (size_t i = 0; i < nr; i++) {
			hash = fingerprint_mix(hash, atom_load(r, &c->map[i]));
			if (c->tails)
				hash = fingerprint_mix(hash,
						       atom_load(r, &c->tails[i]));
		}
	}
	return hash;
}
