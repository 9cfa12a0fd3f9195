/* SPDX-License-Identifier: GPL-2.0-or-later */
/* byte_stage.c - fill, turn over, free half; and what that took */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/registry.h"
#include "base/names.h"
#include "base/rng.h"
#include "sim/bench/byte_stage.h"
#include "sim/metrics/fragmentation.h"

#define ORDER_2M (21 - PAGE_SHIFT)
#define MAX_OBJECT (PAGE_SIZE << MAX_PAGE_ORDER)	/* no buddy has more in a piece */

/* Blocks in place are as large as the largest slab; nodes of nta are one page or four. */
const struct byte_kind byte_kinds[] = {
#define RANGE_KIND(text, unit, pages_order, is_mapped)				\
	{ .name = text, .plan = { .spec = text, .unit_bytes = unit,		\
				  .order = pages_order, .mapped = is_mapped } }
	{ .name = "slabs of powers of 2", .sizes = SLAB_POWERS_OF_2 },
	{ .name = "slabs of equal objects", .sizes = SLAB_EQUAL },
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
	{ .name = NULL },
};

static bool same_backend(const char *a, const char *b)
{
	size_t len = strcspn(a, ":");

	return len == strcspn(b, ":") && !memcmp(a, b, len);
}

int byte_kind_of(struct byte_kind *kind, const char *spec, struct msg *msg)
{
	const struct byte_kind *found = NULL;
	struct names names = { 0 };

	for (const struct byte_kind *k = byte_kinds; k->name; k++) {
		if (!k->plan.spec)
			continue;
		if (!strcmp(k->name, spec) ||
		    (!found && same_backend(k->name, spec)))
			found = k;
		if (!same_backend(k->name, k[-1].name))
			names_add(&names, "%.*s", (int)strcspn(k->name, ":"), k->name);
	}
	if (!found)
		return msg_set(msg, EINVAL,
			       "'%s' serves no bytes; what does are %s", spec,
			       names.text);
	*kind = *found;
	kind->name = kind->plan.spec = spec;
	return 0;
}

struct object {
	uint64_t at;
	unsigned long bytes;
};

/* The machine, the buddy on it, and what serves bytes from that. */
struct stage {
	const struct byte_load *load;
	struct layout layout;
	struct machine *machine;
	struct allocator *pages;
	struct bytes *bytes;
	struct object *objects;
	size_t nr_objects;
	size_t nr_failed;
	uint64_t asked_bytes;		/* of all objects, served or not */
	struct meta_account before;	/* without what serves bytes */
};

static int stage_create(struct stage *s, const struct byte_load *load,
			const struct byte_kind *kind, const char *buddy,
			struct msg *msg)
{
	int err;

	*s = (struct stage){ .load = load };
	err = layout_flat(&s->layout,
			  (unsigned long)(load->memory_bytes >> PAGE_SHIFT), 1,
			  msg);
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
	s->objects = calloc(load->max_objects, sizeof(*s->objects));
	if (!s->objects)
		return msg_set(msg, ENOMEM, "no room for objects");
	if (kind->plan.spec)
		return range_bytes_create(&s->bytes, &kind->plan, s->pages, msg);
	return slab_baseline_create(&s->bytes, kind->sizes, s->pages, msg);
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

static void object_come(struct stage *s, struct rng *rng)
{
	uint64_t bytes = distribution_draw(s->load->sizes, rng);
	struct object *o = &s->objects[s->nr_objects];

	bytes = max_t(uint64_t, bytes, 1);
	s->asked_bytes += bytes;
	if (bytes <= MAX_OBJECT) {
		o->bytes = (unsigned long)bytes;
		o->at = bytes_alloc(s->bytes, o->bytes);
		if (o->at != ADDRESS_NONE) {
			s->nr_objects++;
			return;
		}
	}
	s->nr_failed++;
}

static void object_go(struct stage *s, size_t i)
{
	const struct object o = s->objects[i];

	s->objects[i] = s->objects[--s->nr_objects];
	bytes_free(s->bytes, o.at, o.bytes);
}

static void fill(struct stage *s, struct rng *rng)
{
	while (s->asked_bytes < s->load->fill_bytes &&
	       s->nr_objects + s->nr_failed < s->load->max_objects)
		object_come(s, rng);
}

static void turn_over(struct stage *s, struct rng *rng)
{
	for (size_t left = s->nr_objects; left--;) {
		if (s->nr_objects)
			object_go(s, (size_t)rng_below(rng, s->nr_objects));
		object_come(s, rng);
	}
}

static void free_half(struct stage *s, struct rng *rng)
{
	size_t left = s->nr_objects / 2;

	rng_shuffle(rng, s->objects, s->nr_objects, sizeof(*s->objects));
	while (s->nr_objects > left)
		object_go(s, s->nr_objects - 1);
}

static struct byte_standing take_stock(const struct stage *s)
{
	const uint64_t *now = s->machine->meta.now, *before = s->before.now;
	unsigned long nr_free[NR_PAGE_ORDERS];
	struct byte_standing st = {
		.nr_objects = s->nr_objects,
		.nr_failed = s->nr_failed,
		.held = (double)s->bytes->nr_pages * PAGE_SIZE,
		.descriptors = (double)before[META_descriptors] * 100 /
			       (double)s->load->memory_bytes,
	};

	if (st.held > 0) {
		st.used = (double)s->bytes->live_bytes * 100 / st.held;
		for (unsigned int i = 0; i < NR_META_COLUMNS; i++)
			st.meta[i] = ((double)now[i] - (double)before[i]) * 100 /
				     st.held;
	}
	allocator_drain(s->pages);
	allocator_free_area(s->pages, 0, nr_free);
	st.unusable = unusable_free_index(nr_free, ORDER_2M) / 10.0;
	return st;
}

double byte_total_percent(const struct byte_standing *st, bool lends)
{
	return st->descriptors + st->meta[META_structures] +
	       st->meta[META_nodes] + st->meta[META_caller] +
	       (lends ? 0 : st->meta[META_borrowed]);
}

const char *const byte_moment_names[NR_BYTE_MOMENTS] = {
	[FILLED] = "filled", [TURNED_OVER] = "turned_over",
	[HALF_FREED] = "half_freed",
};

int byte_stage_run(const struct byte_load *load, const struct byte_kind *kind,
		   const char *buddy,
		   struct byte_standing out[NR_BYTE_MOMENTS], struct msg *msg)
{
	struct stage s;
	struct rng rng;
	int err = stage_create(&s, load, kind, buddy, msg);

	if (!err) {
		rng_seed(&rng, load->seed);
		fill(&s, &rng);
		out[FILLED] = take_stock(&s);
		if (load->turn_over)
			turn_over(&s, &rng);
		out[TURNED_OVER] = take_stock(&s);
		free_half(&s, &rng);
		out[HALF_FREED] = take_stock(&s);
		err = s.bytes->ops->verify(s.bytes, msg);
	}
	if (!err)
		err = allocator_verify(s.pages, msg);
	stage_destroy(&s);
	return err;
}
