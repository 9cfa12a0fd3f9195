/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rig.c - the variants, the shapes, and operations on both sides at once */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "alloc/registry.h"
#include "tests/rig.h"

/* A backend that needs no options needs no row; not so many are without. */
#define MAX_ROWLESS 32

/* One type of page, nothing parked, every block to the head of its list. */
#define BARE ":mobility=off:pcp=off:tail_rule=off"

static const struct rig_variant variants[] = {
	{ .spec = "linked" BARE },
	{ .spec = "embedded16" BARE },
	{ .spec = "packed8" BARE },
	{ .spec = "inpage" BARE },
	{ .spec = "twoword" BARE },
	{ .spec = "twoword:removal=punch" BARE },
	/* Nodes of a few entries are so many that some stay apart for good. */
	{ .spec = "twoword:relocate=off" BARE, .keeps_nodes = PAGE_SHIFT < 12 },
	{ .spec = "twoword:entry=8" BARE },
	{ .spec = "twoword:nodes=highmem" BARE },
	{ .spec = "twoword:nodes=lowmem" BARE, .needs_addresses = true },
	{ .spec = "twoword:inline=0" BARE, .keeps_nodes = true },
	{ .spec = "twoword:inline=4:removal=punch" BARE, .keeps_nodes = true },
	{ .spec = "twoword:inline=0:relocate=off:entry=8" BARE, .keeps_nodes = true },
	{ .spec = "twoword:inline=0:nodes=boot" BARE },

	/* The whole policy, and parts of it. */
	{ .spec = "linked" },
	{ .spec = "embedded16" },
	{ .spec = "packed8" },
	{ .spec = "inpage" },
	{ .spec = "twoword" },
	{ .spec = "twoword:pcp=off" },
	{ .spec = "twoword:pcp=off:mobility=off" },
	{ .spec = "twoword:mobility=off:pcp_high=5:pcp_batch=3" },
	{ .spec = "twoword:nodes=boot" },
	{ .spec = "twoword:removal=punch:nodes=boot" },
	{ .spec = "twoword:placement=watermark" },
	{ .spec = "twoword:placement=spare" },
	{ .spec = "twoword:inline=4:removal=punch:placement=spare" BARE, .keeps_nodes = true },
	{ .spec = "linked:placement=lowest:pcp=off" },

	{ .spec = "hybrid" },
	{ .spec = "hybrid:emulate=singles" },
	{ .spec = "genalloc_split" },
	{ .spec = "genalloc_split:lengths=tree" },
	{ .spec = "llfree" },
	{ .spec = "llfree:children=32" },
#if PAGE_SIZE >= 48 * (MAX_PAGE_ORDER + 1)
	{ .spec = "memdesc", .keeps_nodes = true },
	{ .spec = "memdesc:placement=spare", .keeps_nodes = true },
	{ .spec = "memdesc:slabs=apart" },
#endif
	/* Of several chunks; 5.2 forgets pages in full ones, by design. */
	{ .spec = "percpu_map:pages=2" },
	{ .spec = "percpu_bitmap:pages=2" },
	{ .spec = "percpu_bitmap:version=4.14" },
	{ .spec = "nta_trimmed" },
	{ .spec = "nta_trimmed:version=posted", .lowmem_only = true },
};

static const struct rig_shape shapes[] = {
	{
		.name = "64 pages",
		.zones = { { 0, 64 } },
		.highmem_pfn = PFN_NONE,
		.nr_cpus = 1,
		.check_every = 1,
	},
	{
		.name = "a zone that starts at an odd pfn, with holes",
		.zones = { { 37, 347 } },
		.holes = { { 41, 42 }, { 128, 191 }, { 382, 384 } },
		.highmem_pfn = PFN_NONE,
		.nr_cpus = 1,
		.check_every = 5,
	},
	{
		.name = "two zones that meet at an odd pfn",
		.zones = { { 0, 331 }, { 331, 500 } },
		.holes = { { 300, 311 }, { 400, 401 } },
		.highmem_pfn = PFN_NONE,
		.nr_cpus = 3,
		.check_every = 7,
	},
	{
		.name = "all of it highmem",
		.zones = { { 0, 256 } },
		.highmem_pfn = 0,
		.nr_cpus = 1,
		.check_every = 3,
	},
	{
		.name = "highmem from the middle of a zone on",
		.zones = { { 0, 100 }, { 128, 384 } },
		.highmem_pfn = 333,
		.nr_cpus = 2,
		.check_every = 7,
	},
#if PAGE_SHIFT == 12
	{
		.name = "highmem that faults when it is not mapped",
		.zones = { { 5, 400 } },
		.highmem_pfn = 0,
		.window = WINDOW_GUARD,
		.nr_cpus = 2,
		.check_every = 11,
	},
#endif
	{
		.name = "no power of two",
		.zones = { { 0, 5003 } },
		.highmem_pfn = PFN_NONE,
		.nr_cpus = 1,
		.check_every = 499,
	},
};

static bool has_row(const struct allocator_ops *ops)
{
	for (size_t i = 0; i < ARRAY_SIZE(variants); i++)
		if (registry_find(variants[i].spec) == ops)
			return true;
	return false;
}

/* Backends without a row, in the order of the registry. */
static struct rig_variant plain[MAX_ROWLESS];

/* Found once: a suite asks thousands of times. */
static size_t nr_plain(void)
{
	static bool known;
	static size_t n;

	for (size_t k = 0; !known && allocator_registry[k]; k++) {
		const struct allocator_ops *ops = allocator_registry[k];

		if (ops->caps.no_policy || has_row(ops))
			continue;
		if (n == MAX_ROWLESS)
			abort();	/* outside of any test, as suites are put together */
		plain[n++].spec = ops->name;
	}
	known = true;
	return n;
}

size_t rig_nr_variants(void)
{
	return ARRAY_SIZE(variants) + nr_plain();
}

const struct rig_variant *rig_variant(size_t i)
{
	if (i >= rig_nr_variants())
		abort();
	return i < ARRAY_SIZE(variants) ? &variants[i] :
					  &plain[i - ARRAY_SIZE(variants)];
}

size_t rig_nr_shapes(void)
{
	return ARRAY_SIZE(shapes);
}

const struct rig_shape *rig_shape(size_t i)
{
	return &shapes[i];
}

/* Guarded highmem has no address, nor has any where addresses are scarce. */
bool rig_fits(const struct rig_variant *variant, const struct rig_shape *shape)
{
	if (variant->lowmem_only)
		return shape->highmem_pfn == PFN_NONE;
	return !variant->needs_addresses || shape->highmem_pfn == PFN_NONE ||
	       (shape->window != WINDOW_GUARD && sizeof(void *) > 4);
}

void rig_fail(const struct rig *rig, const char *fmt, ...)
{
	char what[1200], seed[40] = "";
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	if (rig->seed)
		snprintf(seed, sizeof(seed), ", PAGETAX_SEED=%" PRIu64, rig->seed);
	ck_abort_msg("%s on %s%s, operation %" PRIu64 ": %s",
		     rig->variant->spec, rig->shape->name, seed, rig->nr_ops,
		     what);
	abort();
}

void rig_layout(struct layout *layout, const struct rig_shape *shape)
{
	struct msg msg;

	memset(layout, 0, sizeof(*layout));
	layout->nr_cpus = shape->nr_cpus;
	layout->highmem_pfn = shape->highmem_pfn;
	for (unsigned int i = 0; shape->zones[i].spanned; i++) {
		struct zone *z = &layout->zones[layout->nr_zones++];

		snprintf(z->name, sizeof(z->name), "zone%u", i);
		z->start_pfn = shape->zones[i].start_pfn;
		z->spanned = z->present = shape->zones[i].spanned;
	}
	for (unsigned int i = 0; shape->holes[i].end_pfn; i++)
		ck_assert_msg(layout_add_hole(layout, shape->holes[i].start_pfn,
					      shape->holes[i].end_pfn, &msg) == 0,
			      "%s: %s", shape->name, msg.text);
	for (unsigned int i = 0; i < layout->nr_zones; i++)
		layout->zones[i].managed = layout->zones[i].present;
	ck_assert_msg(layout_check(layout, &msg) == 0, "%s: %s", shape->name,
		      msg.text);
}

void rig_create(struct rig *rig, const struct rig_variant *variant,
		const struct rig_shape *shape, bool checked)
{
	struct msg msg = { "" };

	memset(rig, 0, sizeof(*rig));
	rig->variant = variant;
	rig->shape = shape;
	rig_layout(&rig->layout, shape);
	if (machine_create(&rig->machine, &rig->layout, shape->window, &msg))
		rig_fail(rig, "no machine: %s", msg.text);
	if (allocator_create(&rig->a, variant->spec, checked, rig->machine, &msg))
		rig_fail(rig, "no allocator: %s", msg.text);
	model_create(&rig->model, &rig->layout);
	rig->held = calloc(rig->model.end_pfn, sizeof(*rig->held));
	ck_assert_ptr_nonnull(rig->held);
}

void rig_destroy(struct rig *rig)
{
	free(rig->held);
	model_destroy(&rig->model);
	allocator_destroy(rig->a);
	machine_destroy(rig->machine);
	layout_free(&rig->layout);
}

void rig_check(struct rig *rig)
{
	struct msg msg = { "" };

	if (model_check(&rig->model, rig->a, &msg))
		rig_fail(rig, "%s", msg.text);
}

static void operation_done(struct rig *rig)
{
	rig->nr_ops++;
	if (rig->nr_ops % rig->shape->check_every == 0)
		rig_check(rig);
}

/* The largest aligned block of existing pages of the zone at pfn. */
static unsigned int boot_order(const struct rig *rig, const struct zone *z,
			       unsigned long pfn)
{
	unsigned int order = 0;

	while (order < MAX_PAGE_ORDER) {
		unsigned long nr_pages = 2UL << order, p = pfn;

		if ((pfn & (nr_pages - 1)) || pfn + nr_pages > zone_end_pfn(z))
			break;
		while (p < pfn + nr_pages && layout_page_exists(&rig->layout, p))
			p++;
		if (p < pfn + nr_pages)
			break;
		order++;
	}
	return order;
}

void rig_release_all(struct rig *rig, struct rng *rng)
{
	struct rig_block *blocks = calloc(rig->model.end_pfn, sizeof(*blocks));
	size_t n = 0;

	ck_assert_ptr_nonnull(blocks);
	for (unsigned int i = 0; i < rig->layout.nr_zones; i++) {
		const struct zone *z = &rig->layout.zones[i];
		unsigned long pfn = z->start_pfn;

		while (pfn < zone_end_pfn(z)) {
			unsigned int order;

			if (!layout_page_exists(&rig->layout, pfn)) {
				pfn++;
				continue;
			}
			order = boot_order(rig, z, pfn);
			blocks[n++] = (struct rig_block){ pfn, order };
			pfn += 1UL << order;
		}
	}
	rng_shuffle(rng, blocks, n, sizeof(*blocks));
	while (n--) {
		allocator_release(rig->a, blocks[n].pfn, blocks[n].order);
		model_release(&rig->model, blocks[n].pfn, blocks[n].order);
		operation_done(rig);
	}
	free(blocks);
	rig_check(rig);
}

bool rig_alloc(struct rig *rig, const struct alloc_req *req)
{
	unsigned long pfn = alloc_pages(rig->a, req);
	struct msg msg = { "" };

	if (model_alloc(&rig->model, rig->a, req, pfn, &msg))
		rig_fail(rig, "alloc: %s", msg.text);
	if (pfn != PFN_NONE)
		rig->held[rig->nr_held++] = (struct rig_block){ pfn, req->order };
	operation_done(rig);
	return pfn != PFN_NONE;
}

bool rig_alloc_order(struct rig *rig, unsigned int order)
{
	struct alloc_req req = {
		.order = order,
		.migratetype = MIGRATE_MOVABLE,
		.zone_limit = rig->layout.nr_zones - 1,
	};

	return rig_alloc(rig, &req);
}

void rig_free(struct rig *rig, size_t i, unsigned int cpu)
{
	struct rig_block block = rig->held[i];

	rig->held[i] = rig->held[--rig->nr_held];
	free_pages(rig->a, block.pfn, block.order, cpu);
	model_free(&rig->model, block.pfn, block.order);
	operation_done(rig);
}

void rig_split(struct rig *rig, size_t i, unsigned int new_order)
{
	struct rig_block block = rig->held[i];
	unsigned long heads[1 << MAX_PAGE_ORDER];
	size_t nr = (size_t)1 << (block.order - new_order);

	for (size_t h = 0; h < nr; h++)
		heads[h] = allocator_page_after(rig->a, block.pfn, h << new_order);
	if (!allocator_split(rig->a, block.pfn, block.order, new_order))
		return;
	model_split(&rig->model, block.pfn, block.order, new_order);
	rig->held[i].order = new_order;
	for (size_t h = 1; h < nr; h++)
		rig->held[rig->nr_held++] =
			(struct rig_block){ heads[h], new_order };
	operation_done(rig);
}

bool rig_isolate(struct rig *rig, unsigned long pfn, unsigned int order)
{
	struct page_info info;
	bool is_block;

	allocator_query(rig->a, pfn, &info);
	is_block = info.state == PAGE_STATE_FREE && info.head == pfn &&
		   info.order == order;
	if (!allocator_isolate(rig->a, pfn, order, 0)) {
		if (is_block && rig->a->ops->isolate)
			rig_fail(rig, "the free block at pfn %lu of order %u was not to be had",
				 pfn, order);
		return false;
	}
	if (!is_block)
		rig_fail(rig, "pfn %lu was isolated, and heads no free block of order %u",
			 pfn, order);
	model_isolate(&rig->model, pfn, order);
	rig->held[rig->nr_held++] = (struct rig_block){ pfn, order };
	operation_done(rig);
	return true;
}

void rig_free_all(struct rig *rig, struct rng *rng)
{
	rng_shuffle(rng, rig->held, rig->nr_held, sizeof(*rig->held));
	while (rig->nr_held)
		rig_free(rig, rig->nr_held - 1, 0);
}

struct population rig_population(const struct rig *rig)
{
	struct population sum = { { 0 } };

	for (unsigned int i = 0; i < rig->layout.nr_zones; i++) {
		unsigned long nr_free[NR_PAGE_ORDERS];

		allocator_free_area(rig->a, i, nr_free);
		for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
			sum.nr_free[order] += nr_free[order];
	}
	return sum;
}

struct page_counts rig_counts(const struct rig *rig)
{
	struct page_counts sum = { 0 };

	for (unsigned int i = 0; i < rig->layout.nr_zones; i++) {
		struct page_counts n;

		allocator_counts(rig->a, i, &n);
		sum.free += n.free;
		sum.pcp += n.pcp;
		sum.nodes += n.nodes;
		sum.stash += n.stash;
	}
	return sum;
}
