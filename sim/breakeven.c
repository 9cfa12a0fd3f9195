/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * breakeven.c - fill a machine with folios of a mean size and weigh the books
 *
 *    full    allocate until nothing more is given
 *    part    then free folios at random until 70 % are left: free memory is
 *            now scattered, and the free lists are as long as they get
 *
 * The owners' objects are paid in whole slab pages, as in a replay. Formula
 * and simulation differ by what the formula leaves out: list heads and other
 * fixed structures (a few KiB, more than nothing on a small machine), nodes
 * for the free blocks, objects for free blocks, and the last slab page. It takes
 * all objects to lie in slabs; memdesc packs its own a little closer.
 */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/registry.h"
#include "base/rng.h"
#include "machine/layout.h"
#include "sim/breakeven.h"
#include "sim/host_memory.h"
#include "sim/report/progress.h"

const double breakeven_sizes[BREAKEVEN_POINTS] = {
	1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512,
};

/* The allocator's own object for a block, where a design has one. */
static const struct {
	const char *name;
	unsigned int bytes;
} block_objects[] = {
	{ "memdesc", 48 },		/* struct buddy */
};

/* ---- the machine, filled ---- */

struct folio {
	unsigned long pfn;
	unsigned int order;
};

struct filling {
	struct allocator *allocator;
	struct rng rng;
	struct folio *folios;
	size_t nr;
	unsigned long pages;		/* of live folios */
	struct progress *progress;	/* NULL: nobody looks */
	uint64_t nr_before;		/* folios of the points before */
	uint64_t nr_all;		/* of all points, about */
};

#define SHOW_EVERY 4096			/* folios */

static void show_progress(const struct filling *f, const char *name)
{
	if (f->progress && f->nr % SHOW_EVERY == 0)
		progress_show(f->progress, name, f->nr_before + f->nr, f->nr_all);
}

/* What is told of a point: one operation a folio. */
static uint64_t folios_before(unsigned int point, unsigned long nr_pages)
{
	double nr = 0;

	for (unsigned int i = 0; i < point; i++)
		nr += (double)nr_pages / breakeven_sizes[i];
	return (uint64_t)nr;
}

/* Order k or k + 1, so that the mean is `size`. */
static unsigned int draw_order(struct rng *rng, double size)
{
	unsigned int order = 0;
	double larger;

	while (ldexp(2, (int)order) <= size)
		order++;
	larger = size / ldexp(1, (int)order) - 1;
	return order + (rng_below(rng, 1000) < (uint64_t)(1000 * larger + 0.5));
}

/* Until neither of the two orders is given any more. */
static void fill(struct filling *f, double size, const char *name)
{
	unsigned int failed = 0;

	while (failed < 2) {
		const struct alloc_req req = {
			.order = draw_order(&f->rng, size),
			.migratetype = MIGRATE_MOVABLE,
		};
		unsigned long pfn = alloc_pages(f->allocator, &req);

		if (pfn == PFN_NONE) {
			failed++;
			continue;
		}
		f->folios[f->nr++] = (struct folio){ pfn, req.order };
		f->pages += 1UL << req.order;
		show_progress(f, name);
	}
}

static void thin_out(struct filling *f, unsigned long pages)
{
	rng_shuffle(&f->rng, f->folios, f->nr, sizeof(*f->folios));
	while (f->nr && f->pages > pages) {
		const struct folio *folio = &f->folios[--f->nr];

		free_pages(f->allocator, folio->pfn, folio->order, 0);
		f->pages -= 1UL << folio->order;
	}
}

static double weigh(const struct filling *f, const struct allocatee_table *table)
{
	const struct machine *m = f->allocator->machine;
	uint64_t bytes = 0;

	for (unsigned int c = 0; c < NR_META_COLUMNS; c++) {
		if (c != META_parked)
			bytes += m->meta.now[c];
	}
	if (!f->allocator->ops->describes_allocatee)
		bytes += allocatee_bytes(table, ALLOCATEE_anon, f->nr);
	return (double)bytes / (double)layout_present(m->layout);
}

static void release_all(struct allocator *a, const struct layout *layout)
{
	unsigned long pfn = 0, end = layout_end_pfn(layout);

	for (; pfn + (1UL << MAX_PAGE_ORDER) <= end; pfn += 1UL << MAX_PAGE_ORDER)
		allocator_release(a, pfn, MAX_PAGE_ORDER);
}

static int simulate_point(struct breakeven_curve *curve, unsigned int point,
			  const struct layout *layout, uint64_t seed,
			  const struct allocatee_table *table,
			  struct progress *progress, struct msg *msg)
{
	unsigned long nr_pages = layout_present(layout);
	struct filling f = {
		.progress = progress,
		.nr_before = folios_before(point, nr_pages),
		.nr_all = folios_before(BREAKEVEN_POINTS, nr_pages),
	};
	struct machine *m;
	int err = machine_create(&m, layout, WINDOW_ARITH, msg);

	if (err)
		return err;
	err = allocator_create(&f.allocator, curve->name, false, m, msg);
	if (err)
		goto destroy_machine;
	f.folios = malloc(nr_pages * sizeof(*f.folios));
	if (!f.folios) {
		err = msg_set(msg, ENOMEM, "no memory for %lu folios", nr_pages);
		goto destroy_allocator;
	}
	rng_seed(&f.rng, seed);
	release_all(f.allocator, layout);
	fill(&f, breakeven_sizes[point], curve->name);
	/* A design that cannot give such blocks, or keeps no books, has no figure. */
	if (f.pages * 100 >= nr_pages * 95 && f.pages <= nr_pages) {
		curve->full[point] = weigh(&f, table);
		thin_out(&f, nr_pages * BREAKEVEN_PART / 100);
		curve->part[point] = weigh(&f, table);
	}
	free(f.folios);

destroy_allocator:
	allocator_destroy(f.allocator);
destroy_machine:
	machine_destroy(m);
	return err;
}

/* ---- the formula ---- */

static double formula_at(const struct breakeven_curve *c, double size, double u)
{
	double desc = size >= PAGEBLOCK_NR_PAGES ? c->hugepage_bytes
						 : c->desc_bytes;

	return c->formula_known ? desc + u * c->block_bytes / size : NAN;
}

double breakeven_beyond(const struct breakeven_curve *c, unsigned int point,
			bool full)
{
	double size = breakeven_sizes[point];

	return full ? c->full[point] - formula_at(c, size, 1)
		    : c->part[point] - formula_at(c, size, BREAKEVEN_PART / 100.0);
}

double breakeven_formula(const struct breakeven_curve *a,
			 const struct breakeven_curve *other, double u)
{
	double saved = other->desc_bytes - a->desc_bytes;
	double paid = u * (a->block_bytes - other->block_bytes);

	if (!a->formula_known || !other->formula_known)
		return NAN;
	if (saved <= 0)
		return paid < 0 && saved == 0 ? 0 : INFINITY;
	return paid > 0 ? paid / saved : 0;
}

/* The tax is linear in 1 / n, and so is what lies between two points. */
double breakeven_crossing(const double *a, const double *other)
{
	double from = 0;

	for (unsigned int i = 0; i < BREAKEVEN_POINTS; i++) {
		double gain = other[i] - a[i];

		if (isnan(gain))
			return NAN;
		if (gain > 0) {
			if (!isinf(from))
				continue;
			/* Between a loss at i - 1 and a gain at i. */
			double loss = a[i - 1] - other[i - 1];
			double x = 1 / breakeven_sizes[i - 1];
			double y = 1 / breakeven_sizes[i];

			from = 1 / (x + (y - x) * loss / (loss + gain));
		} else {
			from = INFINITY;
		}
	}
	return from;
}

static double object_rounded(const struct allocatee_table *table, unsigned int bytes)
{
	struct allocatee_table one = *table;

	one.bytes[ALLOCATEE_bare] = bytes;
	return allocatee_rounded(&one, ALLOCATEE_bare);
}

static void set_formula(struct breakeven_curve *c,
			const struct allocator_ops *ops,
			const struct allocatee_table *table)
{
	c->formula_known = ops->desc_bytes > 0;
	c->desc_bytes = c->hugepage_bytes = (double)ops->desc_bytes;
	if (!ops->describes_allocatee)
		c->block_bytes = allocatee_rounded(table, ALLOCATEE_anon);
	for (size_t i = 0; i < ARRAY_SIZE(block_objects); i++) {
		if (!strcmp(ops->name, block_objects[i].name))
			c->block_bytes += object_rounded(table,
							 block_objects[i].bytes);
	}
}

/* ---- all of it ---- */

static struct breakeven_curve *add_curve(struct breakeven *b, const char *name)
{
	struct breakeven_curve *c = &b->curves[b->nr_curves];

	*c = (struct breakeven_curve){ .name = strdup(name) };
	if (!c->name)
		return NULL;
	b->nr_curves++;
	for (unsigned int i = 0; i < BREAKEVEN_POINTS; i++)
		c->formula[i] = c->full[i] = c->part[i] = NAN;
	return c;
}

static void draw_formula(struct breakeven_curve *c)
{
	for (unsigned int i = 0; i < BREAKEVEN_POINTS; i++)
		c->formula[i] = formula_at(c, breakeven_sizes[i], 1);
}

/* What Linux aims at, and what it does for huge pages today. */
static int add_paper_designs(struct breakeven *b,
			     const struct allocatee_table *table)
{
	struct breakeven_curve *c = add_curve(b, "32-byte page");

	if (!c)
		return -ENOMEM;
	c->formula_known = true;
	c->desc_bytes = c->hugepage_bytes = 32;
	c->block_bytes = allocatee_rounded(table, ALLOCATEE_anon);
	draw_formula(c);
	c = add_curve(b, "linked+HVO");
	if (!c)
		return -ENOMEM;
	c->formula_known = true;
	c->desc_bytes = 64;
	c->hugepage_bytes = 64.0 / 8;	/* one page of the eight stays */
	draw_formula(c);
	return 0;
}

static int run_curve(struct breakeven *b, const char *spec,
		     const struct layout *layout,
		     const struct allocatee_table *table,
		     struct progress *progress, struct msg *msg)
{
	const struct allocator_ops *ops = registry_find(spec);
	struct breakeven_curve *c;
	int err = 0;

	if (!ops || ops->caps.no_policy)
		return 0;
	c = add_curve(b, spec);
	if (!c)
		return msg_set(msg, ENOMEM, "no memory for a curve");
	set_formula(c, ops, table);
	draw_formula(c);
	for (unsigned int i = 0; i < BREAKEVEN_POINTS && !err; i++)
		err = simulate_point(c, i, layout, b->seed, table, progress, msg);
	if (progress)
		progress_next(progress);
	return err;
}

int breakeven_run(struct breakeven *b, char *const *specs, unsigned int nr_specs,
		  uint64_t memory_bytes, uint64_t seed,
		  const struct allocatee_table *table,
		  struct progress *progress, struct msg *msg)
{
	unsigned long nr_pages = (unsigned long)(memory_bytes >> PAGE_SHIFT);
	struct layout layout;
	int err;

	*b = (struct breakeven){ .memory_bytes = memory_bytes, .seed = seed };
	nr_pages &= ~((1UL << MAX_PAGE_ORDER) - 1);
	err = layout_flat(&layout, nr_pages, 1, msg);
	if (!err)
		err = host_memory_check("--machine", &layout, &(struct host_need){
				.specs = specs, .nr_specs = nr_specs, .together = 1,
				.page_bytes = sizeof(struct folio),	/* of one page */
				.advice = "choose a smaller one" }, msg);
	if (err)
		return err;
	b->curves = calloc(nr_specs + 2, sizeof(*b->curves));
	if (!b->curves)
		err = msg_set(msg, ENOMEM, "no memory for %u curves", nr_specs);
	for (unsigned int i = 0; i < nr_specs && !err; i++)
		err = run_curve(b, specs[i], &layout, table, progress, msg);
	if (!err && add_paper_designs(b, table))
		err = msg_set(msg, ENOMEM, "no memory for a curve");
	layout_free(&layout);
	return err;
}

void breakeven_free(struct breakeven *b)
{
	for (unsigned int i = 0; i < b->nr_curves; i++)
		free(b->curves[i].name);
	free(b->curves);
	*b = (struct breakeven){ .nr_curves = 0 };
}

const struct breakeven_curve *breakeven_find(const struct breakeven *b,
					     const char *name)
{
	for (unsigned int i = 0; i < b->nr_curves; i++) {
		if (!strcmp(b->curves[i].name, name))
			return &b->curves[i];
	}
	return NULL;
}

/* ---- showing it ---- */

void breakeven_write_tsv(FILE *out, const struct breakeven *b)
{
	fprintf(out, "# pagetax %s: metadata by mean folio size, in bytes for every page of memory\n",
		PAGETAX_VERSION);
	fprintf(out, "# a machine of %llu MiB, seed %llu; formula and full: memory full of folios; part: %d %% of it, the rest freed at random\n",
		(unsigned long long)(b->memory_bytes >> 20),
		(unsigned long long)b->seed, BREAKEVEN_PART);
	fprintf(out, "allocator\tmean_pages\tformula_bytes\tfull_bytes\tpart_bytes\n");
	for (unsigned int c = 0; c < b->nr_curves; c++) {
		const struct breakeven_curve *k = &b->curves[c];

		/* A name is one word to gnuplot. */
		for (unsigned int i = 0; i < BREAKEVEN_POINTS; i++) {
			const char *letter = k->name;

			for (; *letter; letter++)
				fputc(*letter == ' ' ? '-' : *letter, out);
			fprintf(out, "\t%g\t%.4f\t%.4f\t%.4f\n",
				breakeven_sizes[i], k->formula[i], k->full[i],
				k->part[i]);
		}
	}
}

char *breakeven_format(double pages, char *buf, size_t size)
{
	if (isnan(pages))
		snprintf(buf, size, "-");
	else if (isinf(pages))
		snprintf(buf, size, "never");
	else if (pages <= 1)
		snprintf(buf, size, "always");
	else
		snprintf(buf, size, "%.2f", pages);
	return buf;
}

/* Whether `a` ever costs less than `other`, as far as is known. */
static bool crosses(const struct breakeven_curve *a,
		    const struct breakeven_curve *other)
{
	return isfinite(breakeven_formula(a, other, 1)) ||
	       isfinite(breakeven_crossing(a->full, other->full));
}

static void print_pair(FILE *out, const struct breakeven_curve *a,
		       const struct breakeven_curve *other)
{
	char text[4][24];

	if (!crosses(a, other))
		return;
	fprintf(out, "%-16s %-16s %9s %9s %9s %9s\n", a->name, other->name,
		breakeven_format(breakeven_formula(a, other, 1), text[0], 24),
		breakeven_format(breakeven_crossing(a->full, other->full), text[1], 24),
		breakeven_format(breakeven_formula(a, other, BREAKEVEN_PART / 100.0),
				 text[2], 24),
		breakeven_format(breakeven_crossing(a->part, other->part), text[3], 24));
}

static void print_beyond(FILE *out, const struct breakeven *b)
{
	fprintf(out, "\nBytes a page that the simulation counts and the formula does not:\n\n");
	fprintf(out, "%-16s %-16s %9s %9s %9s %9s\n", "", "pages a folio", "2", "6",
		"2", "6");
	fprintf(out, "%-16s %-16s %9s %9s %9s %9s\n", "", "", "full", "full",
		"70 %", "70 %");
	for (unsigned int i = 0; i < b->nr_curves; i++) {
		const struct breakeven_curve *c = &b->curves[i];

		if (!isnan(breakeven_beyond(c, BREAKEVEN_AT_2, true)))
			fprintf(out, "%-16s %-16s %9.3f %9.3f %9.3f %9.3f\n", c->name, "",
				breakeven_beyond(c, BREAKEVEN_AT_2, true),
				breakeven_beyond(c, BREAKEVEN_AT_6, true),
				breakeven_beyond(c, BREAKEVEN_AT_2, false),
				breakeven_beyond(c, BREAKEVEN_AT_6, false));
	}
	fprintf(out, "\nThese move a crossing: list heads, fixed structures and the last slab page,\n"
		"which weigh less on a larger machine (-m); memdesc's own objects, which it packs\n"
		"closer than the slabs of the formula; where memory is not full, pages and objects\n"
		"for blocks that are free, and links inside them.\n");
}

void breakeven_print(FILE *out, const struct breakeven *b)
{
	fprintf(out, "Mean pages a folio from which a design costs less than another:\n\n");
	fprintf(out, "%-16s %-16s %9s %9s %9s %9s\n", "", "", "full", "full",
		"70 %", "70 %");
	fprintf(out, "%-16s %-16s %9s %9s %9s %9s\n", "this", "under this one",
		"formula", "simulated", "formula", "simulated");
	for (unsigned int i = 0; i < b->nr_curves; i++) {
		for (unsigned int j = 0; j < b->nr_curves; j++) {
			if (i != j)
				print_pair(out, &b->curves[i], &b->curves[j]);
		}
	}
	print_beyond(out, b);
}
