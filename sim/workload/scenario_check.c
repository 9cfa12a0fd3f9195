/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenario_check.c - whether a class can be at all, and what follows from it
 *
 * What cannot be is told here, before anything runs; that memory runs out is a
 * result.
 */
#include <errno.h>
#include <math.h>

#include "base/bits.h"
#include "sim/source/gfp.h"
#include "sim/workload/scenario_reader.h"

static uint32_t class_gfp(const struct workload_class *c)
{
	static const uint32_t zone_gfp[] = { GFP(DMA), GFP(DMA32), 0, GFP(HIGHMEM) };
	int zone = c->zone;
	uint32_t gfp = c->atomic ? GFP(HIGH) | GFP(KSWAPD_RECLAIM)
				 : GFP(DIRECT_RECLAIM) | GFP(KSWAPD_RECLAIM) |
				   GFP(IO) | GFP(FS);

	/* What user space sees may lie anywhere, the kernel's own may not. */
	if (zone < 0)
		zone = c->migratetype == MIGRATE_MOVABLE ? 3 : 2;
	gfp |= zone_gfp[zone];
	if (c->migratetype == MIGRATE_MOVABLE)
		gfp |= GFP(MOVABLE);
	if (c->migratetype == MIGRATE_RECLAIMABLE)
		gfp |= GFP(RECLAIMABLE);
	return gfp;
}

static int check_life(const struct workload_class *c, struct msg *why)
{
	double sum = 0;

	if (!c->nr_life)
		return msg_set(why, EINVAL,
			       "no lifetime; expected a distribution, forever or reclaimed");
	for (unsigned int i = 0; i < c->nr_life; i++) {
		sum += c->life[i].share;
		if (distribution_check(&c->life[i].time, why))
			return -EINVAL;
	}
	if (sum < 0.999999 || sum > 1.000001)
		return msg_set(why, EINVAL,
			       "the parts of the lifetime make %.4g%%; expected 100%%",
			       100 * sum);
	return 0;
}

double scenario_largest_rate(const struct scenario *s, const struct workload_class *c)
{
	size_t index = (size_t)(c - s->classes);
	double largest = 0;

	for (unsigned int p = 0; p < s->nr_phases; p++)
		largest = fmax(largest, s->phases[p].rate[index]);
	return largest;
}

/* Whether time goes on: a loop without any would never end. */
static int check_arrivals(const struct workload_class *c, double scale,
			  struct msg *why)
{
	const struct arrivals *a = &c->arrivals;
	double gap = INFINITY;

	switch (a->kind) {
	case ARRIVAL_POISSON:
	case ARRIVAL_BURSTY:
	case ARRIVAL_FILL:
		gap = 1 / a->rate;
		break;
	case ARRIVAL_PERIODIC:
		gap = a->every_ns;
		break;
	case ARRIVAL_CLOSED:
		if (!(a->think_ns >= 1))
			return msg_set(why, EINVAL,
				       "a closed loop needs think= of 1ns or more");
		gap = a->think_ns / a->workers;
		break;
	case ARRIVAL_SCHEDULE:
		if (!a->nr_counts)
			return msg_set(why, EINVAL,
				       "a schedule of arrivals needs the key counts");
		for (unsigned int i = 0; i < a->nr_counts; i++) {
			if (a->slot_ns / a->counts[i] < gap)
				gap = a->slot_ns / a->counts[i];
		}
		break;
	case ARRIVAL_ONCE:
		break;
	case NR_ARRIVALS:
		return msg_set(why, EINVAL, "no arrivals; expected a kind as poisson rate=200/s");
	}
	/* What a batch asks for at once, and a phase that asks for more. */
	if (!c->pace_ns)
		scale *= fmax(1, distribution_mean(&c->batch));
	if (gap / scale < 1)
		return msg_set(why, EINVAL,
			       "the rate cannot be met: %.3g requests a nanosecond, at most one can be",
			       scale / gap);
	if (a->kind == ARRIVAL_BURSTY && (a->on_ns < 1 || a->off_ns < 1))
		return msg_set(why, EINVAL, "on= and off= must be 1ns or more");
	if (a->kind == ARRIVAL_SCHEDULE && a->slot_ns < 1)
		return msg_set(why, EINVAL, "slot= must be 1ns or more");
	return 0;
}

/* A request that no zone allowed to it could ever serve. */
static int check_orders(const struct workload_class *c, const struct layout *l,
			struct msg *why)
{
	unsigned int order = NR_PAGE_ORDERS - 1;
	unsigned long nr_pages;

	while (!c->order_weight[order])
		order--;
	nr_pages = 1UL << order;
	for (unsigned int z = gfp_zone_limit(c->gfp, l) + 1; z-- > 0;) {
		const struct zone *zone = &l->zones[z];
		unsigned long first = div_round_up(zone->start_pfn, nr_pages) * nr_pages;

		if (first + nr_pages <= zone_end_pfn(zone))
			return 0;
	}
	return c->fallback_order >= 0 ? 0 :
	       msg_set(why, EINVAL,
		       "memory is too small: no zone it may use has an aligned block of order %u",
		       order);
}

static int check_cpus(const struct workload_class *c, const struct layout *l,
		      struct msg *why)
{
	if (!c->any_cpu && c->last_cpu >= l->nr_cpus)
		return msg_set(why, EINVAL,
			       "CPU %u; the machine has %u, from 0", c->last_cpu,
			       l->nr_cpus);
	return 0;
}

/*
 * One arrival that is larger than the machine is a mistake, not a result, and so
 * are more workers than there are pages.
 */
static int check_size(const struct workload_class *c, const struct layout *l,
		      double scale, struct msg *why)
{
	double workers = c->arrivals.kind == ARRIVAL_CLOSED ? c->arrivals.workers * scale : 0;
	double pages = 0;

	if (workers > (double)layout_present(l))
		return msg_set(why, EINVAL, "%.0f workers; the machine has %lu pages",
			       workers, layout_present(l));
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		pages += (double)(1UL << o) * c->order_weight[o];
	pages = pages / c->order_weights * distribution_mean(&c->batch);
	if (pages > (double)layout_present(l))
		return msg_set(why, EINVAL,
			       "one arrival takes %.0f pages on average; the machine has %lu",
			       pages, layout_present(l));
	return 0;
}

int class_finish(struct scenario_reader *r, struct workload_class *c)
{
	const double most = r->scale * fmax(1, scenario_largest_rate(r->s, c));
	const struct layout *l = &r->s->layout;
	struct msg why;
	int err;

	if (!c->order_weights) {
		c->order_weight[0] = 1;
		c->order_weights = 1;
	}
	c->gfp = class_gfp(c);
	err = check_life(c, &why);
	if (!err)
		err = check_cpus(c, l, &why);
	if (!err)
		err = distribution_check(&c->batch, &why);
	if (!err)
		err = check_arrivals(c, most, &why);
	if (!err)
		err = check_size(c, l, most, &why);
	if (!err)
		err = check_orders(c, l, &why);
	if (!err && c->fallback_order >= 0 && c->order_weight[0] &&
	    c->order_weights == c->order_weight[0])
		err = msg_set(&why, EINVAL, "order 0 has nothing to fall back to");
	if (err)
		return msg_set(r->msg, -err, "%s:%u: [class %s]: %s", c->file,
			       c->line, c->name, why.text);

	c->arrivals.rate *= r->scale;
	c->arrivals.every_ns /= r->scale;
	for (unsigned int i = 0; i < c->arrivals.nr_counts; i++)
		c->arrivals.counts[i] *= r->scale;
	if (c->arrivals.kind == ARRIVAL_CLOSED && c->arrivals.workers > 0)
		c->arrivals.workers = fmax(1, floor(c->arrivals.workers * r->scale));
	return 0;
}
