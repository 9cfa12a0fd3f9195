/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * figure_bytes.c - bytes: runs of units against slabs, on the same buddy
 *
 *    objects        1 to 4096 bytes, drawn alike for all
 *    what serves    a range of units, or slabs        its tax by column
 *    pages          drawn from a simulated buddy      its descriptors, and what
 *                                                     holes it is left with
 *
 * Memory is filled to FILL_BYTES of requests; then half of the objects, picked
 * at random, are freed. genalloc and nta draw blocks of pages; percpu maps
 * single pages into chunks of 64, and gives back what it depopulates.
 *
 *    used       bytes asked for, in percent of the pages held
 *    metadata   in percent of the pages held, by column
 *    total      all of it and the descriptors of the pages held, on `linked`,
 *               whose 64 bytes hold what is borrowed, and on `twoword`, beside
 *               whose 16 bytes it has to be kept
 *    unusable   of the buddy's free memory, what is not in blocks of 2 MiB
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
#include "sim/metrics/fragmentation.h"

#define MEMORY_BYTES (UINT64_C(64) << 20)
#define FILL_BYTES (UINT64_C(32) << 20)
#define MAX_OBJECTS (FILL_BYTES / 1024)
#define ORDER_2M (21 - PAGE_SHIFT)

/* Blocks in place are as large as the largest slab; nodes of nta are one page or four. */
static const struct {
	const char *name;
	struct bytes_plan plan;		/* no spec: slabs */
	enum slab_sizes sizes;
} kinds[] = {
#define RANGE_KIND(...) { .plan = { __VA_ARGS__, 0 } }
	{ "slabs of powers of 2", .sizes = SLAB_POWERS_OF_2 },
	{ "slabs of equal objects", .sizes = SLAB_EQUAL },
	RANGE_KIND("genalloc", 8, 3, false),
	RANGE_KIND("genalloc:fit=best", 8, 3, false),
	RANGE_KIND("genalloc_twobit", 8, 3, false),
	RANGE_KIND("genalloc_split", 8, 3, false),
	RANGE_KIND("genalloc_split:lengths=tree", 8, 3, false),
	RANGE_KIND("nta", 32, 0, false),
	RANGE_KIND("nta:units=512", 32, 2, false),
	RANGE_KIND("nta:units=512:version=posted", 32, 2, false),
	RANGE_KIND("percpu_map", 4, 6, true),
	RANGE_KIND("percpu_bitmap:version=5.2", 4, 6, true),
	RANGE_KIND("percpu_bitmap:populate=on", 4, 6, true),
	RANGE_KIND("percpu_bitmap:depopulate=on", 4, 6, true),
#undef RANGE_KIND
};

#define POWERS_OF_2 0			/* its row */

static const char *const buddies[] = { "linked", "twoword" };

static const char *kind_name(size_t kind)
{
	return kinds[kind].plan.spec ? kinds[kind].plan.spec : kinds[kind].name;
}

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

static int stage_create(struct stage *s, size_t kind, const char *buddy,
			struct msg *msg)
{
	int err;

	*s = (struct stage){ 0 };
	err = layout_flat(&s->layout, (unsigned long)(MEMORY_BYTES >> PAGE_SHIFT),
			  1, msg);
	if (!err)
		err = machine_create(&s->machine, &s->layout, WINDOW_ARITH, msg);
	if (!err)
		err = allocator_create(&s->pages, buddy, false, s->machine, msg);
	if (err)
		return err;
	for (unsigned long pfn = 0; pfn < s->machine->end_pfn;
	     pfn += 1UL << MAX_PAGE_ORDER)
		allocator_release(s->pages, pfn, MAX_PAGE_ORDER);
	s->before = s->machine->meta;
	s->objects = calloc(MAX_OBJECTS, sizeof(*s->objects));
	if (!s->objects)
		return msg_set(msg, ENOMEM, "no room for objects");
	if (kinds[kind].plan.spec)
		return range_bytes_create(&s->bytes, &kinds[kind].plan, s->pages,
					  msg);
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

/* What serves bytes, as it stands. */
struct standing {
	size_t nr_objects;
	double held;			/* bytes of pages drawn */
	double used;			/* percent of those, as are all that follow */
	double meta[NR_META_COLUMNS];	/* without what the buddy keeps */
	double descriptors;		/* the buddy's, of the pages drawn */
	double unusable;		/* of the buddy's free memory */
};

static struct standing take_stock(const struct stage *s)
{
	const uint64_t *now = s->machine->meta.now, *before = s->before.now;
	unsigned long nr_free[NR_PAGE_ORDERS];
	struct standing st = {
		.nr_objects = s->nr_objects,
		.held = (double)s->bytes->nr_pages * PAGE_SIZE,
		.descriptors = (double)before[META_descriptors] * 100 /
			       (double)MEMORY_BYTES,
	};

	st.used = (double)s->bytes->live_bytes * 100 / st.held;
	for (unsigned int i = 0; i < NR_META_COLUMNS; i++)
		st.meta[i] = ((double)now[i] - (double)before[i]) * 100 / st.held;
	allocator_drain(s->pages);
	allocator_free_area(s->pages, 0, nr_free);
	st.unusable = unusable_free_index(nr_free, ORDER_2M) / 10.0;
	return st;
}

/* In-band links cost no memory; what is borrowed does, where nobody lends. */
static double total_percent(const struct standing *st, bool lends)
{
	return st->descriptors + st->meta[META_structures] +
	       st->meta[META_nodes] + st->meta[META_caller] +
	       (lends ? 0 : st->meta[META_borrowed]);
}

enum moment { FILLED, HALF_FREED, NR_MOMENTS };

static const char *const moment_names[NR_MOMENTS] = { "filled", "half_freed" };

static int run_kind(size_t kind, const char *buddy, uint64_t seed,
		    struct standing out[NR_MOMENTS], struct msg *msg)
{
	struct stage s;
	struct rng rng;
	int err = stage_create(&s, kind, buddy, msg);

	if (!err) {
		rng_seed(&rng, seed);
		fill(&s, &rng);
		out[FILLED] = take_stock(&s);
		free_half(&s, &rng);
		out[HALF_FREED] = take_stock(&s);
		err = s.bytes->ops->verify(s.bytes, msg);
	}
	if (!err)
		err = allocator_verify(s.pages, msg);
	stage_destroy(&s);
	return err;
}

static void row(struct figure_run *f, size_t kind, enum moment when,
		const struct standing on[ARRAY_SIZE(buddies)][NR_MOMENTS])
{
	const struct standing *st = &on[0][when];

	figure_row(f, "%s\t%s\t%zu\t%.1f\t%.2f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.2f\t%.2f\t%.1f",
		   kind_name(kind), moment_names[when], st->nr_objects,
		   st->held / (1 << 20), st->used, st->meta[META_structures],
		   st->meta[META_nodes], st->meta[META_caller],
		   st->meta[META_borrowed], st->meta[META_inband],
		   total_percent(&on[0][when], true),
		   total_percent(&on[1][when], false), st->unusable);
}

static int run(struct figure_run *f, struct msg *msg)
{
	double powers_of_2 = 0;

	figure_columns(f, "allocator\twhen\tobjects\theld_mib\tused_percent\t"
		       "structures_percent\tnodes_percent\tcaller_percent\t"
		       "borrowed_percent\tinband_percent\t"
		       "total_on_linked_percent\ttotal_on_twoword_percent\t"
		       "unusable_2m_percent");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct standing on[ARRAY_SIZE(buddies)][NR_MOMENTS];

		for (size_t b = 0; b < ARRAY_SIZE(buddies); b++) {
			int err = run_kind(i, buddies[b], figure_seed(f), on[b],
					   msg);

			if (err)
				return err;
		}
		for (enum moment when = 0; when < NR_MOMENTS; when++)
			row(f, i, when, on);
		if (i == POWERS_OF_2)
			powers_of_2 = on[0][FILLED].used;
	}
	figure_claim(f, "slabs of powers of 2, filled: used [%]", CLAIM_EQUAL, 75,
		     powers_of_2, 0.05);
	return 0;
}

extern const struct figure figure_bytes;

const struct figure figure_bytes = {
	.id = "bytes",
	.title = "bytes from runs of units and from slabs, on the same buddy",
	.run = run,
};
