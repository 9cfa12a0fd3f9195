/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fit.c - lives of blocks become classes of a scenario
 *
 *    lives --kind: order, migratetype, zone, urgency--> groups
 *          --born in the same stretch of time-------> classes
 *
 *    counts    how many were born in each slot
 *    table     FIT_QUANTILES quantiles of their lifetimes
 *    until     of long lives, quantiles of the time at which they ended instead:
 *              when caches are dropped or a process exits, young and old ones
 *              go together
 *    forever   the share that outlives the trace
 *
 * A machine changes its mind: what is born while a compiler starts lives
 * otherwise than what is born while it ends. So a kind with many blocks gets
 * up to MAX_STRETCHES classes, one for each stretch of the trace, fewer when
 * the scenario would have too many classes. What was there from the start is
 * allocated at once, and lives as long as it did; what no event names is
 * pinned for good.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/allocator.h"
#include "sim/fit.h"
#include "sim/source/gfp.h"
#include "sim/workload/scenario.h"

#define NR_SLOTS 256			/* of the whole trace; a multiple of MAX_STRETCHES */
#define MAX_STRETCHES 64
#define LIVES_A_STRETCH 100		/* fewer are not split */
#define MAX_FIT_CLASSES (SCENARIO_MAX_CLASSES - 40)	/* residents come on top */
#define FIT_QUANTILES 64
#define LONG_STRETCHES 2		/* a life of so many is a long one */
#define LINE_POINTS 8

/* What tells kinds of demand apart; by size, so that the largest come first. */
struct kind {
	uint32_t key;
	uint64_t nr;
	unsigned int stretches;
};

/*
 *   bits 0..3   order
 *   bits 4..5   migratetype
 *   bits 6..7   highest zone: place in zone_names
 *   bit 8       urgent
 *   bit 9       resident
 */
#define NR_KEYS 1024

static const char *const zone_names[] = { "DMA", "DMA32", "Normal", "HighMem" };
static const char *const type_names[] = { "unmovable", "movable", "reclaimable" };

static unsigned int life_key(const struct fit_life *l)
{
	const unsigned int atomic = ALLOC_HIGH_PRIORITY | ALLOC_NON_BLOCKING;
	unsigned int type = l->migratetype < ARRAY_SIZE(type_names)
				    ? l->migratetype : (unsigned int)MIGRATE_UNMOVABLE;
	unsigned int zone = 2;

	if (l->gfp & GFP(DMA))
		zone = 0;
	else if (l->gfp & GFP(DMA32))
		zone = 1;
	else if (l->gfp & GFP(HIGHMEM) || l->resident)
		zone = 3;
	return l->order | type << 4 | zone << 6 |
	       (unsigned int)((gfp_alloc_flags(l->gfp) & atomic) == atomic) << 8 |
	       (unsigned int)l->resident << 9;
}

static unsigned int kind_order(const struct kind *kind)
{
	return kind->key & 15;
}

static const char *kind_type(const struct kind *kind)
{
	return type_names[kind->key >> 4 & 3];
}

static const char *kind_zone(const struct kind *kind)
{
	return zone_names[kind->key >> 6 & 3];
}

static bool kind_is_urgent(const struct kind *kind)
{
	return kind->key >> 8 & 1;
}

static bool kind_is_resident(const struct kind *kind)
{
	return kind->key >> 9 & 1;
}

static int compare_kinds(const void *a, const void *b)
{
	const struct kind *x = a, *y = b;

	if (x->nr != y->nr)
		return x->nr > y->nr ? -1 : 1;
	return x->key < y->key ? -1 : x->key > y->key;
}

static unsigned int class_count(const struct kind *kinds, unsigned int nr)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < nr; i++)
		sum += kinds[i].stretches;
	return sum;
}

/* A power of two of stretches for each kind, as many as there is room for. */
static void divide_time(struct kind *kinds, unsigned int nr)
{
	for (unsigned int most = MAX_STRETCHES; most; most /= 2) {
		for (unsigned int i = 0; i < nr; i++) {
			unsigned int s = kind_is_resident(&kinds[i]) ? 1 : most;

			while (s > 1 && kinds[i].nr / s < LIVES_A_STRETCH)
				s /= 2;
			kinds[i].stretches = s;
		}
		if (class_count(kinds, nr) <= MAX_FIT_CLASSES)
			return;
	}
}

static unsigned int find_kinds(const struct fit_lives *f, struct kind kinds[NR_KEYS])
{
	unsigned int nr = 0;

	for (unsigned int k = 0; k < NR_KEYS; k++)
		kinds[k] = (struct kind){ .key = k };
	for (size_t i = 0; i < f->nr; i++)
		kinds[life_key(&f->lives[i])].nr++;
	qsort(kinds, NR_KEYS, sizeof(*kinds), compare_kinds);
	while (nr < NR_KEYS && kinds[nr].nr)
		nr++;
	nr = min_t(unsigned int, nr, MAX_FIT_CLASSES);
	divide_time(kinds, nr);
	return nr;
}

static void write_points(FILE *out, const uint64_t *sorted, size_t nr)
{
	fprintf(out, "points =");
	for (unsigned int q = 0; q <= FIT_QUANTILES; q++) {
		size_t at = (size_t)((double)(nr - 1) * q / FIT_QUANTILES + 0.5);

		fprintf(out, "%s %" PRIu64 "ns",
			q && q % LINE_POINTS == 0 ? "\n   " : "", sorted[at]);
	}
	fprintf(out, "\n");
}

static void write_counts(FILE *out, const uint64_t *counts, unsigned int nr)
{
	fprintf(out, "counts =");
	for (unsigned int i = 0; i < nr; i++)
		fprintf(out, "%s %" PRIu64, i && i % 16 == 0 ? "\n   " : "", counts[i]);
	fprintf(out, "\n");
}

static uint64_t slot_ns(const struct fit_lives *f)
{
	return f->end_ns / NR_SLOTS + 1;
}

/* What is written of one kind in one stretch. */
struct fitted {
	const struct kind *kind;
	unsigned int stretch, nr_slots;
	uint64_t start_ns, end_ns;
	uint64_t counts[NR_SLOTS];
	size_t nr;

	/* Ended: how long a life was, or for long ones when it ended. */
	uint64_t *spans, *ends;		/* each has room for all lives */
	size_t nr_spans, nr_ends;
};

/* The first life that was born at or after time_ns, residents not counted. */
static size_t first_born(const struct fit_lives *f, uint64_t time_ns)
{
	size_t low = 0, high = f->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (f->lives[middle].resident || f->lives[middle].start_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void fit_stretch(struct fitted *c, const struct fit_lives *f)
{
	bool resident = kind_is_resident(c->kind);
	size_t i = resident ? 0 : first_born(f, c->start_ns);

	memset(c->counts, 0, sizeof(c->counts));
	c->nr = c->nr_spans = c->nr_ends = 0;
	for (; i < f->nr; i++) {
		const struct fit_life *l = &f->lives[i];

		if (l->resident != resident ||
		    (!resident && l->start_ns >= c->end_ns))
			break;
		if (life_key(l) != c->kind->key)
			continue;
		c->nr++;
		if (!resident)
			c->counts[(l->start_ns - c->start_ns) / slot_ns(f)]++;
		if (l->end_ns == UINT64_MAX)
			continue;
		if (l->end_ns - l->start_ns >= LONG_STRETCHES * (c->end_ns - c->start_ns))
			c->ends[c->nr_ends++] = l->end_ns;
		else
			c->spans[c->nr_spans++] = l->end_ns - l->start_ns;
	}
	fit_sort(c->spans, c->nr_spans);
	fit_sort(c->ends, c->nr_ends);
}

static void write_arrivals(FILE *out, const struct fitted *c, uint64_t slot)
{
	const struct kind *kind = c->kind;

	if (kind_is_resident(kind)) {
		fprintf(out, "\n[class " FIT_RESIDENT "-o%u-%s]\narrivals = once\nbatch = %zu\n",
			kind_order(kind), kind_type(kind), c->nr);
		return;
	}
	fprintf(out, "\n[class o%u-%s-%s%s-%02u]\n", kind_order(kind), kind_type(kind),
		kind_zone(kind), kind_is_urgent(kind) ? "-now" : "", c->stretch);
	fprintf(out, "arrivals = schedule slot=%" PRIu64 "ns start=%" PRIu64 "ns\n",
		slot, c->start_ns);
	write_counts(out, c->counts, c->nr_slots);
}

/* The part of a class's lifetimes that `nr` of its lives had. */
static void write_lifetime(FILE *out, const struct fitted *c, const char *kind,
			   const uint64_t *sorted, size_t nr)
{
	if (!nr)
		return;
	fprintf(out, "lifetime = %.9g%% %s\n", 100 * (double)nr / (double)c->nr,
		kind);
	if (sorted)
		write_points(out, sorted, nr);
}

static void write_class(FILE *out, const struct fitted *c, uint64_t slot)
{
	write_arrivals(out, c, slot);
	fprintf(out, "orders = %u\nmigratetype = %s\nzone = %s\n", kind_order(c->kind),
		kind_type(c->kind), kind_zone(c->kind));
	if (kind_is_urgent(c->kind))
		fprintf(out, "priority = atomic\n");
	write_lifetime(out, c, "forever", NULL, c->nr - c->nr_spans - c->nr_ends);
	write_lifetime(out, c, "table", c->spans, c->nr_spans);
	write_lifetime(out, c, "until table", c->ends, c->nr_ends);
}

static void write_kind(FILE *out, const struct fit_lives *f, struct fitted *c)
{
	c->nr_slots = NR_SLOTS / c->kind->stretches;
	for (c->stretch = 0; c->stretch < c->kind->stretches; c->stretch++) {
		c->start_ns = (uint64_t)c->stretch * c->nr_slots * slot_ns(f);
		c->end_ns = c->start_ns + c->nr_slots * slot_ns(f);
		fit_stretch(c, f);
		if (c->nr)
			write_class(out, c, slot_ns(f));
	}
}

static void write_heading(FILE *out, const struct fit_lives *f,
			  const struct layout *layout, uint64_t pinned_pages,
			  const char *description)
{
	fprintf(out, "; written by pagetax fit\ndescription = %.100s\n\n", description);
	fprintf(out, "[machine]\nmemory = %" PRIu64 "K\ncpus = %u\nzones = %s\n",
		(uint64_t)layout_present(layout) * (PAGE_SIZE / 1024),
		layout->nr_cpus, layout->nr_zones == 1 ? "flat" : "pc");
	fprintf(out, "\n[phase trace]\nduration = %" PRIu64 "ns\n", f->end_ns + 1);
	if (pinned_pages)
		fprintf(out, "\n[class " FIT_PINNED "]\narrivals = once\nbatch = %" PRIu64
			"\nlifetime = forever\nzone = HighMem\n", pinned_pages);
}

int fit_write(FILE *out, const struct fit_lives *f, const struct layout *layout,
	      uint64_t pinned_pages, const char *description)
{
	struct kind *kinds = malloc(NR_KEYS * sizeof(*kinds));
	struct fitted fitted = {
		.spans = malloc((f->nr + 1) * sizeof(uint64_t)),
		.ends = malloc((f->nr + 1) * sizeof(uint64_t)),
	};
	unsigned int nr = 0;
	int err = kinds && fitted.spans && fitted.ends ? 0 : -ENOMEM;

	if (!err) {
		nr = find_kinds(f, kinds);
		write_heading(out, f, layout, pinned_pages, description);
	}
	for (unsigned int i = 0; i < nr; i++) {
		fitted.kind = &kinds[i];
		write_kind(out, f, &fitted);
	}
	free(kinds);
	free(fitted.spans);
	free(fitted.ends);
	return err;
}
