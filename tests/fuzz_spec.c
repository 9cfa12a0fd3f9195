/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_spec.c - NAME:KEY=VALUE:..., and whatever allocator that makes */
#include <stdio.h>
#include <stdlib.h>

#include "alloc/registry.h"
#include "tests/sim_fuzz.h"

#define PAGES 4096

/* Some of everything, and all of it back. */
static void use(struct allocator *a)
{
	unsigned long pfns[NR_PAGE_ORDERS];
	struct msg msg = { "" };

	for (unsigned long pfn = 0; pfn < PAGES; pfn += 1UL << MAX_PAGE_ORDER)
		allocator_release(a, pfn, MAX_PAGE_ORDER);
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		const struct alloc_req req = {
			.order = order,
			.migratetype = order % 3,
			.zone_limit = 0,
		};

		pfns[order] = alloc_pages(a, &req);
	}
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		if (pfns[order] != PFN_NONE)
			free_pages(a, pfns[order], order, 0);
	if (!allocator_verify(a, &msg))
		return;
	fprintf(stderr, "%s\n", msg.text);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *spec = fuzz_text(data, len);
	struct layout layout = { 0 };
	struct msg msg = { "" };
	struct machine *m;
	struct allocator *a;
	int err;

	if (layout_flat(&layout, PAGES, 2, &msg) ||
	    machine_create(&m, &layout, WINDOW_ARITH, &msg))
		abort();
	err = allocator_create(&a, spec, true, m, &msg);
	fuzz_answer(err, &msg);
	if (!err) {
		use(a);
		allocator_destroy(a);
	}
	machine_destroy(m);
	layout_free(&layout);
	free(spec);
	return 0;
}
