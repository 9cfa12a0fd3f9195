/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * allocator.c - the library without the program: one allocator on one machine
 *
 *	examples/allocator [NAME:KEY=VALUE...]		twoword if none is named
 *
 * A machine of 256 MiB is filled with single pages, and every second one is
 * freed: all that is free lies apart then. What the design takes for that is
 * printed by column. Any source of requests can stand in this one's place.
 *
 * Link with libpagetax.a. Library and caller are compiled with the same build
 * constants (include/base/config.h) and the same PAGETAX_COUNT.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloc/allocator.h"
#include "alloc/registry.h"
#include "machine/layout.h"

#define NR_PAGES (UINT64_C(256 << 20) >> PAGE_SHIFT)

static void run(struct allocator *a)
{
	const struct alloc_req req = { .migratetype = MIGRATE_MOVABLE };
	unsigned long *pages = calloc(NR_PAGES, sizeof(*pages));
	unsigned long nr = 0;

	if (!pages)
		return;
	/* A new machine's pages are all reserved: release makes them free. */
	for (unsigned long pfn = 0; pfn < NR_PAGES; pfn += 1UL << MAX_PAGE_ORDER)
		allocator_release(a, pfn, MAX_PAGE_ORDER);
	while (nr < NR_PAGES && (pages[nr] = alloc_pages(a, &req)) != PFN_NONE)
		nr++;
	for (unsigned long i = 0; i < nr; i += 2)
		free_pages(a, pages[i], 0, 0);
	free(pages);
}

static void show(const struct allocator *a)
{
	const struct meta_account *meta = &a->machine->meta;

	printf("%s: %" PRIu64 " pages in use, %" PRIu64 " requests failed\n",
	       a->ops->name, a->stats.pages_allocated, a->stats.failed_allocs);
	for (unsigned int col = 0; col < NR_META_COLUMNS; col++)
		printf("%12" PRIu64 " %-12s %s\n", meta->now[col],
		       meta_column_names[col], meta_column_help[col]);
}

int main(int argc, char **argv)
{
	const char *spec = argc > 1 ? argv[1] : "twoword";
	struct layout layout;
	struct machine *machine;
	struct allocator *a;
	struct msg msg;
	int err;

	err = layout_flat(&layout, NR_PAGES, 1, &msg);
	if (err)
		goto failed;
	err = machine_create(&machine, &layout, WINDOW_ARITH, &msg);
	if (err)
		goto free_layout;
	err = allocator_create(&a, spec, false, machine, &msg);
	if (err)
		goto destroy_machine;
	run(a);
	show(a);
	err = allocator_verify(a, &msg);
	allocator_destroy(a);
destroy_machine:
	machine_destroy(machine);
free_layout:
	layout_free(&layout);
failed:
	if (err)
		fprintf(stderr, "allocator: %s\n", msg.text);
	return !!err;
}
