/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gen_pool.c - the part of the pool that is the same code for every encoding */
#include "gen_pool.h"

int gen_create(struct range **out, const struct range_ops *ops,
	       struct machine *m, const struct option_set *opts,
	       size_t bytes, struct msg *msg)
{
	struct gen_pool *p = machine_alloc(m, bytes, META_structures);

	if (!p)
		return msg_set(msg, ENOMEM, "%s: no room for a pool", ops->name);
	range_init(&p->base, ops, m);
	p->fit = (enum gen_fit)option_get(opts, "fit");
	*out = &p->base;
	return 0;
}

void gen_destroy(struct range *r, unsigned int unit_bits, size_t bytes)
{
	struct gen_pool *p = to_gen_pool(r);
	struct gen_chunk *c;

	while ((c = p->chunks)) {
		p->chunks = c->next;
		machine_free(r->machine, c->map, gen_map_bytes(unit_bits, c->nr),
			     META_structures);
		if (c->tails)
			machine_free(r->machine, c->tails,
				     gen_map_bytes(1, c->nr), META_structures);
		machine_free(r->machine, c, sizeof(*c), META_structures);
	}
	machine_free(r->machine, p, bytes, META_structures);
}

static atom_word *new_map(struct machine *m, size_t bytes, unsigned long fill)
{
	atom_word *map = machine_alloc(m, bytes, META_structures);

	for (size_t i = 0; map && i < bytes / sizeof(*map); i++)
		atomic_init(&map[i], fill);
	return map;
}

struct gen_chunk *gen_add_chunk(struct gen_pool *p, unsigned long first,
				unsigned long nr, unsigned int unit_bits,
				unsigned long fill, bool tails)
{
	struct machine *m = p->base.machine;
	struct gen_chunk *c = machine_alloc(m, sizeof(*c), META_structures);
	size_t bytes = gen_map_bytes(unit_bits, nr);

	if (!c)
		return NULL;
	c->first = first;
	c->nr = nr;
	c->map = new_map(m, bytes, fill);
	if (!c->map)
		goto free_chunk;
	if (tails) {
		c->tails = new_map(m, gen_map_bytes(1, nr), fill);
		if (!c->tails)
			goto free_map;
	}
	c->next = p->chunks;
	p->chunks = c;
	return c;

free_map:
	machine_free(m, c->map, bytes, META_structures);
free_chunk:
	machine_free(m, c, sizeof(*c), META_structures);
	return NULL;
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
