/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * figure_bytes.c - bytes: runs of units against slabs, on the same buddy
 *
 * Sizes are uniform from 1 byte to a page, drawn alike for all. Memory is
 * filled to FILL_BYTES of requests; then half of the objects, picked at
 * random, are freed.
 *
 *    used      bytes asked for, in percent of the pages held
 *    metadata  in percent of the pages held, by column
 *
 * Published, of powers of two: three quarters of what they hand out is what was
 * asked for. That slabs of equal objects are the fairer thing to be measured
 * by was an objection of 2006; here they stand beside them.
 */
#include <errno.h>
#include <stdlib.h>

#include "alloc/range_bytes.h"
#include "alloc/registry.h"
#include "base/rng.h"
#include "sim/bench/figures.h"

#define MEMORY_BYTES (UINT64_C(256) << 20)
#define FILL_BYTES (UINT64_C(32) << 20)
#define MAX_OBJECTS (FILL_BYTES / 1024)

static const struct {
	const char *name;		/* of a range; or what the slabs are called */
	unsigned long unit_bytes;	/* 0: slabs */
	enum slab_sizes sizes;
} kinds[] = {
	{ "genalloc", 8, 0 },
	{ "genalloc:fit=best", 8, 0 },
	{ "genalloc_twobit", 8, 0 },
	{ "genalloc_split", 8, 0 },
	{ "genalloc_split:lengths=tree", 8, 0 },
	{ "slabs of powers of 2", 0, SLAB_POWERS_OF_2 },
	{ "slabs of equal objects", 0, SLAB_EQUAL },
};

#define POWERS_OF_2 5			/* its row */

struct object {
	uint64_t at;
	unsigned long bytes;
};

/* The machine, the buddy on it, and what serves bytes from that. */
struct stage {
	struct layout layout;
	struct machine *machine;
	struct allocator *pages;
	struct bytes *bytes;
	struct object *objects;
	size_t nr_objects;
	struct meta_account before;	/* without what serves bytes */
};

static int stage_create(struct stage *s, size_t kind, struct msg *msg)
{
	int err;

	*s = (struct stage){ 0 };
	err = layout_flat(&s->layout, (unsigned long)(MEMORY_BYTES >> PAGE_SHIFT),
			  1, msg);
	if (!err)
		err = machine_create(&s->machine, &s->layout, WINDOW_ARITH, msg);
	if (!err)
		err = allocator_create(&s->pages, "linked", false, s->machine, msg);
	if (err)
		return err;
	for (unsigned long pfn = 0; pfn < s->machine->end_pfn;
	     pfn += 1UL << MAX_PAGE_ORDER)
		allocator_release(s->pages, pfn, MAX_PAGE_ORDER);
	s->before = s->machine->meta;
	s->objects = calloc(MAX_OBJECTS, sizeof(*s->objects));
	if (!s->objects)
		return msg_set(msg, ENOMEM, "no room for objects");
	if (kinds[kind].unit_bytes)
		return range_bytes_create(&s->bytes, kinds[kind].name,
					  kinds[kind].unit_bytes, 3, s->pages, msg);
	return slab_baseline_create(&s->bytes, kinds[kind].sizes, s->pages, msg);
}

static void stage_destroy(struct stage *s)
{
	if (s->bytes)
		s->bytes->ops->destroy(s->bytes);
	if (s->pages)
		allocator_destroy(s->pages);
	machine_destroy(s->machine);
	layout_free(&s->layout);
	free(s->objects);
}

static void fill(struct stage *s, struct rng *rng)
{
	while (s->bytes->live_bytes < FILL_BYTES && s->nr_objects < MAX_OBJECTS) {
		struct object *o = &s->objects[s->nr_objects];

		o->bytes = 1 + (unsigned long)rng_below(rng, PAGE_SIZE);
		o->at = bytes_alloc(s->bytes, o->bytes);
		if (o->at == ADDRESS_NONE)
			break;
		s->nr_objects++;
	}
}

static void free_half(struct stage *s, struct rng *rng)
{
	size_t left = s->nr_objects / 2;

	rng_shuffle(rng, s->objects, s->nr_objects, sizeof(*s->objects));
	while (s->nr_objects > left) {
		const struct object *o = &s->objects[--s->nr_objects];

		bytes_free(s->bytes, o->at, o->bytes);
	}
}

/* One row; returns what share of the pages held was asked for. */
static double row(struct figure_run *f, const struct stage *s, size_t kind,
		  const char *when)
{
	const struct meta_account *now = &s->machine->meta;
	double held = (double)s->bytes->nr_pages * PAGE_SIZE;
	double used = (double)s->bytes->live_bytes / held;
	enum meta_column columns[] = {
		META_structures, META_nodes, META_caller, META_borrowed, META_inband,
	};
	double percent[ARRAY_SIZE(columns)];

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		percent[i] = (double)(now->now[columns[i]] -
				      s->before.now[columns[i]]) / held * 100;
	figure_row(f, "%s\t%s\t%zu\t%.1f\t%.2f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f",
		   kinds[kind].name, when, s->nr_objects, held / (1 << 20),
		   used * 100, percent[0], percent[1], percent[2], percent[3],
		   percent[4]);
	return used * 100;
}

static int run_kind(struct figure_run *f, size_t kind, double *filled,
		    struct msg *msg)
{
	struct stage s;
	struct rng rng;
	int err = stage_create(&s, kind, msg);

	if (!err) {
		rng_seed(&rng, figure_seed(f));
		fill(&s, &rng);
		*filled = row(f, &s, kind, "filled");
		free_half(&s, &rng);
		row(f, &s, kind, "half_freed");
		err = s.bytes->ops->verify(s.bytes, msg);
	}
	stage_destroy(&s);
	return err;
}

static int run(struct figure_run *f, struct msg *msg)
{
	double filled[ARRAY_SIZE(kinds)];

	figure_columns(f, "allocator\twhen\tobjects\theld_mib\tused_percent\t"
		       "structures_percent\tnodes_percent\tcaller_percent\t"
		       "borrowed_percent\tinband_percent");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		int err = run_kind(f, i, &filled[i], msg);

		if (err)
			return err;
	}
	figure_claim(f, "slabs of powers of 2, filled: used [%]", CLAIM_EQUAL, 75,
		     filled[POWERS_OF_2], 0.05);
	return 0;
}

extern const struct figure figure_bytes;

const struct figure figure_bytes = {
	.id = "bytes",
	.title = "bytes from runs of units and from slabs, on the same buddy",
	.run = run,
};
