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
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/allocator.h"
#include "base/array.h"
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
#define NO_ROOT UINT32_MAX

/* Following */

struct follower {
	struct fit_lives *f;
	uint32_t *root;			/* by id: the life its pages belong to */
	double *ends;			/* by life: sum over freed pages of their time */
	uint32_t *left;			/* by life: pages not freed */
};

static int follow_begin(struct follower *fo, uint32_t id,
			const struct fit_life *life)
{
	struct fit_lives *f = fo->f;

	if (array_grow(f->lives, f->nr) || array_grow(fo->ends, f->nr) ||
	    array_grow(fo->left, f->nr))
		return -ENOMEM;
	f->lives[f->nr] = *life;
	f->lives[f->nr].end_ns = UINT64_MAX;
	fo->ends[f->nr] = 0;
	fo->left[f->nr] = 1U << life->order;
	fo->root[id] = (uint32_t)f->nr++;
	return 0;
}

static void follow_free(struct follower *fo, const struct demand_op *op)
{
	uint32_t root = fo->root[op->id];
	uint32_t pages = 1U << op->order;

	fo->root[op->id] = NO_ROOT;
	if (root == NO_ROOT)
		return;
	fo->ends[root] += (double)op->time_ns * pages;
	fo->left[root] -= pages;
	if (!fo->left[root])
		fo->f->lives[root].end_ns =
			(uint64_t)(fo->ends[root] /
				   (double)(1U << fo->f->lives[root].order));
}

static bool name_begins(const char *name, const char *with)
{
	return with && !strncmp(name, with, strlen(with));
}

static int follow_alloc(struct follower *fo, const struct demand_op *op,
			const struct trace *trace, const char *pinned,
			const char *resident)
{
	const struct event *ev = &trace->events[op->event];
	const char *name = trace->comms[ev->comm];
	const struct fit_life life = {
		.start_ns = op->time_ns,
		.gfp = ev->gfp,
		.order = op->order,
		.migratetype = op->migratetype,
		.resident = name_begins(name, resident),
	};

	fo->root[op->id] = NO_ROOT;
	if (name_begins(name, pinned))
		return 0;
	return follow_begin(fo, op->id, &life);
}

int fit_lives_follow(struct fit_lives *f, const struct demand *d,
		     const struct trace *trace, const char *pinned,
		     const char *resident)
{
	struct follower fo = { .f = f };
	int err = 0;

	*f = (struct fit_lives){ .end_ns = d->end_ns };
	fo.root = malloc((d->nr_ids + 1UL) * sizeof(*fo.root));
	if (!fo.root)
		return -ENOMEM;
	memset(fo.root, 0xff, (d->nr_ids + 1UL) * sizeof(*fo.root));
	for (size_t i = 0; i < d->nr_residents && !err; i++) {
		const struct demand_resident *r = &d->residents[i];
		const struct fit_life life = {
			.order = r->order,
			.migratetype = r->migratetype,
			.resident = true,
		};

		err = follow_begin(&fo, r->id, &life);
	}
	for (size_t i = 0; i < d->nr_ops && !err; i++) {
		const struct demand_op *op = &d->ops[i];

		if (op->kind == DEMAND_ALLOC)
			err = follow_alloc(&fo, op, trace, pinned, resident);
		else if (op->kind == DEMAND_FREE)
			follow_free(&fo, op);
		else
			fo.root[op->upper] = fo.root[op->id];
	}
	free(fo.root);
	free(fo.ends);
	free(fo.left);
	if (err)
		fit_lives_free(f);
	return err;
}

void fit_lives_free(struct fit_lives *f)
{
	free(f->lives);
	*f = (struct fit_lives){ 0 };
}

/* Comparing */

static size_t point_at(uint64_t time_ns, uint64_t end_ns)
{
	double at = end_ns ? ceil((double)time_ns * FIT_POINTS / (double)end_ns) : 0;

	return at < FIT_POINTS + 1 ? (size_t)at : FIT_POINTS + 1;
}

void fit_live_pages(const struct fit_lives *f, uint64_t end_ns,
		    uint64_t pages[FIT_POINTS + 1])
{
	int64_t change[FIT_POINTS + 2] = { 0 };
	int64_t now = 0;

	for (size_t i = 0; i < f->nr; i++) {
		const struct fit_life *l = &f->lives[i];

		change[point_at(l->start_ns, end_ns)] += INT64_C(1) << l->order;
		if (l->end_ns != UINT64_MAX)
			change[point_at(l->end_ns, end_ns)] -= INT64_C(1) << l->order;
	}
	for (unsigned int i = 0; i <= FIT_POINTS; i++) {
		now += change[i];
		pages[i] = (uint64_t)now;
	}
}

static int compare_u64(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The largest difference of two sorted samples' distribution functions. */
static double ks_distance(const uint64_t *a, size_t nr_a, const uint64_t *b,
			  size_t nr_b)
{
	double worst = 0;
	size_t i = 0, j = 0;

	if (!nr_a || !nr_b)
		return nr_a == nr_b ? 0 : 1;
	while (i < nr_a && j < nr_b) {
		uint64_t x = min_t(uint64_t, a[i], b[j]);
		double apart;

		while (i < nr_a && a[i] == x)
			i++;
		while (j < nr_b && b[j] == x)
			j++;
		apart = fabs((double)i / (double)nr_a - (double)j / (double)nr_b);
		worst = apart > worst ? apart : worst;
	}
	return worst;
}

/* Something of each block born in the trace, sorted; *nr is how many. */
static uint64_t *collect(const struct fit_lives *f, bool gaps, size_t *nr)
{
	uint64_t *values = malloc((f->nr + 1) * sizeof(*values));
	uint64_t before = 0;

	*nr = 0;
	for (size_t i = 0; values && i < f->nr; i++) {
		const struct fit_life *l = &f->lives[i];

		if (l->resident)
			continue;
		if (gaps)
			values[(*nr)++] = l->start_ns - before;
		else
			values[(*nr)++] = l->end_ns == UINT64_MAX
				? UINT64_MAX : l->end_ns - l->start_ns;
		before = l->start_ns;
	}
	if (values)
		qsort(values, *nr, sizeof(*values), compare_u64);
	return values;
}

static int ks_of(double *ks, const struct fit_lives *a, const struct fit_lives *b,
		 bool gaps)
{
	size_t nr_a, nr_b;
	uint64_t *x = collect(a, gaps, &nr_a);
	uint64_t *y = collect(b, gaps, &nr_b);
	int err = x && y ? 0 : -ENOMEM;

	if (!err)
		*ks = ks_distance(x, nr_a, y, nr_b);
	free(x);
	free(y);
	return err;
}

static void order_shares(const struct fit_lives *f, double share[NR_PAGE_ORDERS])
{
	size_t nr = 0;

	memset(share, 0, NR_PAGE_ORDERS * sizeof(*share));
	for (size_t i = 0; i < f->nr; i++) {
		if (f->lives[i].resident)
			continue;
		share[f->lives[i].order]++;
		nr++;
	}
	for (unsigned int o = 0; o < NR_PAGE_ORDERS && nr; o++)
		share[o] /= (double)nr;
}

int fit_compare(struct fit_quality *q, const struct fit_lives *a,
		const struct fit_lives *b)
{
	double share_a[NR_PAGE_ORDERS], share_b[NR_PAGE_ORDERS], sum = 0, live = 0;
	uint64_t live_a[FIT_POINTS + 1], live_b[FIT_POINTS + 1];
	int err;

	*q = (struct fit_quality){ 0 };
	order_shares(a, share_a);
	order_shares(b, share_b);
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
		double apart = fabs(share_a[o] - share_b[o]);

		sum += share_a[o] - share_b[o];
		q->orders_ks = fmax(q->orders_ks, fabs(sum));
		q->orders_max = fmax(q->orders_max, apart);
	}
	fit_live_pages(a, a->end_ns, live_a);
	fit_live_pages(b, a->end_ns, live_b);
	for (unsigned int i = 0; i <= FIT_POINTS; i++) {
		double apart = fabs((double)live_a[i] - (double)live_b[i]);

		live += live_a[i] ? apart / (double)live_a[i] : apart > 0;
	}
	q->live_mean = live / (FIT_POINTS + 1);
	err = ks_of(&q->gaps_ks, a, b, true);
	return err ? err : ks_of(&q->lifetimes_ks, a, b, false);
}

/* Writing */

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

static bool kind_is_resident(const struct kind *kind)
{
	return kind->key >> 9 & 1;
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
	qsort(c->spans, c->nr_spans, sizeof(*c->spans), compare_u64);
	qsort(c->ends, c->nr_ends, sizeof(*c->ends), compare_u64);
}

static void write_arrivals(FILE *out, const struct fitted *c, uint64_t slot)
{
	uint32_t key = c->kind->key;
	const char *type = type_names[key >> 4 & 3];

	if (kind_is_resident(c->kind)) {
		fprintf(out, "\n[class " FIT_RESIDENT "-o%u-%s]\narrivals = once\nbatch = %zu\n",
			key & 15, type, c->nr);
		return;
	}
	fprintf(out, "\n[class o%u-%s-%s%s-%02u]\n", key & 15, type,
		zone_names[key >> 6 & 3], key >> 8 & 1 ? "-now" : "", c->stretch);
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
	uint32_t key = c->kind->key;

	write_arrivals(out, c, slot);
	fprintf(out, "orders = %u\nmigratetype = %s\nzone = %s\n", key & 15,
		type_names[key >> 4 & 3], zone_names[key >> 6 & 3]);
	if (key >> 8 & 1)
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
