/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fit_lives.c - a demand as the lives of its blocks, and two of them compared
 *
 *    id    1 ----+-----------o      a life: from its allocation to the mean
 *    id    2     '------o           time at which its pages were freed
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "sim/fit.h"

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

void fit_sort(uint64_t *values, size_t nr)
{
	qsort(values, nr, sizeof(*values), compare_u64);
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
		fit_sort(values, *nr);
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
