/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drawn.c - see drawn.h */
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "alloc/registry.h"
#include "tests/drawn.h"

const char *const drawn_backends[NR_DRAWN_BACKENDS] = {
	"linked", "twoword", "embedded16", "packed8", "inpage", "memdesc:slabs=apart",
};

static void make(struct drawn *d, const char *backend, const char *options)
{
	struct msg msg = { "" };
	char spec[128];

	snprintf(spec, sizeof(spec), "%s:lookahead=0%s", backend, options);
	ck_assert_msg(layout_check(&d->layout, &msg) == 0, "%s", msg.text);
	layout_bound_lowmem(&d->layout);
	ck_assert_msg(machine_create(&d->machine, &d->layout, WINDOW_ARITH,
				     &msg) == 0, "%s", msg.text);
	ck_assert_msg(allocator_create(&d->a, spec, false, d->machine, &msg) == 0,
		      "%s", msg.text);
	d->b = to_buddy(d->a);
}

void drawn_create(struct drawn *d, const char *backend, const char *options,
		  unsigned long nr_pages, unsigned int nr_cpus)
{
	ck_assert_int_eq(layout_flat(&d->layout, nr_pages, nr_cpus, NULL), 0);
	make(d, backend, options);
}

void drawn_create_two(struct drawn *d, const char *backend, const char *options,
		      unsigned long nr_pages, unsigned long mark)
{
	static const char *const names[] = { "DMA32", "Normal" };

	ck_assert_int_eq(layout_flat(&d->layout, nr_pages, 1, NULL), 0);
	d->layout.nr_zones = 2;
	for (unsigned int i = 0; i < 2; i++) {
		struct zone *z = &d->layout.zones[i];

		*z = (struct zone){
			.start_pfn = i * nr_pages / 2,
			.spanned = nr_pages / 2,
			.present = nr_pages / 2,
			.managed = nr_pages / 2,
			.wmark_min = mark,
			.wmark_low = 2 * mark,
			.wmark_high = 3 * mark,
		};
		snprintf(z->name, sizeof(z->name), "%s", names[i]);
	}
	make(d, backend, options);
}

void drawn_destroy(struct drawn *d)
{
	struct msg msg = { "" };

	ck_assert_msg(allocator_verify(d->a, &msg) == 0, "%s: %s",
		      d->a->ops->name, msg.text);
	allocator_destroy(d->a);
	ck_assert_uint_eq(d->machine->meta.now[META_structures], 0);
	ck_assert_uint_eq(d->machine->meta.now[META_nodes], 0);
	ck_assert_uint_eq(d->machine->meta.now[META_parked], 0);
	machine_destroy(d->machine);
	layout_free(&d->layout);
}

unsigned long drawn_alloc(struct drawn *d, unsigned int order, unsigned int type)
{
	const struct alloc_req req = {
		.order = order,
		.migratetype = type,
		.zone_limit = d->layout.nr_zones - 1,
	};

	return alloc_pages(d->a, &req);
}

void drawn_adopt(struct drawn *d, unsigned long pfn, unsigned int order,
		 unsigned int part)
{
	for (unsigned long at = 0; at < 1UL << order; at += 1UL << part)
		ck_assert_int_eq(allocator_adopt(d->a, pfn + at, part), 0);
}
