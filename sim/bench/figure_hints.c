/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * figure_hints.c - B5, B6, B9: pages given back, a public test, and what wrong
 * hints cost
 *
 * B5: 11,000 groups are made, then ten of every eleven go. Before 2021 a chunk
 * kept its pages while anything was left in it. Published are kilobytes of one
 * machine: 481,152 before and after, 135,552 with the patches. How many CPUs it
 * had is not said; a group took 43 KiB on all of them together, so the table
 * has a row for each number of CPUs that this could be shared by.
 *
 * B6: what lib/test_vmalloc.c of Linux asks of the percpu allocator: 35,000
 * objects of 1 to 1024 bytes at alignments of 2 to 2048, all to be served.
 *
 * B9: random requests and frees on a chunk of six pages. How many of the
 * requests that any free run could hold are refused, since the hints do not
 * show it? The published shares come from a model of pages of 16 bits, here
 * grains of 64 units. They depend on how full the chunk is and on how large
 * requests are, which is not said: the table has a row for each size and each
 * share of calls that ask instead of giving back, and the claims are about the
 * one that comes nearest to both published shares of an alignment.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/range/percpu_bitmap.h"
#include "base/bits.h"
#include "base/rng.h"
#include "sim/bench/figures.h"

#define UNIT_BYTES 4UL
#define PAGE_UNITS 1024UL
#define CHUNK_UNITS (64 * PAGE_UNITS)
#define MEMORY (UINT64_C(1) << 30)	/* bounds the metadata only */

/* -- B5 ------------------------------------------------------------------------ */

#define NR_GROUPS 11000UL
#define KEPT_OF 11UL
#define GROUP_BYTES ((481152 - 7488) * 1024UL / NR_GROUPS)	/* on all CPUs */

/*
 * A group's objects on one CPU, as control groups have them: one large array
 * of counters, and small ones beside it.
 */
#define GROUP_OBJECTS 3

static unsigned long object_units(unsigned int i, unsigned long group_bytes)
{
	static const unsigned long eighths[GROUP_OBJECTS] = { 5, 2, 1 };

	return div_round_up(group_bytes * eighths[i] / 8, UNIT_BYTES);
}

struct held_pages {
	double before, after;
};

static int groups_come_and_go(const char *spec, unsigned long group_bytes,
			      struct held_pages *pages, struct msg *msg)
{
	unsigned long (*at)[GROUP_OBJECTS] = calloc(NR_GROUPS, sizeof(*at));
	struct figure_range fr;
	int err;

	if (!at)
		return msg_set(msg, ENOMEM, "no room for %lu groups", NR_GROUPS);
	err = figure_range_create(&fr, spec, MEMORY, msg);
	if (err)
		goto free_groups;
	for (unsigned long g = 0; g < NR_GROUPS; g++) {
		for (unsigned int i = 0; i < GROUP_OBJECTS; i++) {
			at[g][i] = figure_alloc(&fr, object_units(i, group_bytes),
						2, CHUNK_UNITS);
			if (at[g][i] == RANGE_NONE) {
				err = msg_set(msg, ENOMEM, "%s: no room", spec);
				goto destroy_range;
			}
		}
	}
	pages->before = (double)percpu_bitmap_nr_populated(fr.range);
	for (unsigned long g = 0; g < NR_GROUPS; g++)
		for (unsigned int i = 0; g % KEPT_OF && i < GROUP_OBJECTS; i++)
			range_free(fr.range, at[g][i],
				   object_units(i, group_bytes));
	pages->after = (double)percpu_bitmap_nr_populated(fr.range);
destroy_range:
	figure_range_destroy(&fr);
free_groups:
	free(at);
	return err;
}

static int b5_run(struct figure_run *f, struct msg *msg)
{
	static const unsigned long nr_cpus[] = { 4, 8, 12, 16, 20, 24, 32, 64 };
	double closest = 0, kept = 0;

	figure_columns(f, "cpus\tgroup_bytes\tpages_before\tkept_ratio\t"
		       "depopulated_ratio\tleast_ratio");
	for (size_t i = 0; i < ARRAY_SIZE(nr_cpus); i++) {
		unsigned long cpus = nr_cpus[i], bytes = GROUP_BYTES / cpus;
		struct held_pages keeps, gives;
		double ratio;
		int err = groups_come_and_go("percpu_bitmap:populate=on", bytes,
					     &keeps, msg);

		if (!err)
			err = groups_come_and_go("percpu_bitmap:depopulate=on",
						 bytes, &gives, msg);
		if (err)
			return err;
		ratio = gives.after / gives.before;
		figure_row(f, "%lu\t%lu\t%.0f\t%.3f\t%.3f\t%.3f", cpus, bytes,
			   keeps.before, keeps.after / keeps.before, ratio,
			   1.0 / KEPT_OF);
		kept = max_t(double, kept, keeps.after / keeps.before);
		if (!i || (ratio - 0.28) * (ratio - 0.28) <
				 (closest - 0.28) * (closest - 0.28))
			closest = ratio;
	}
	figure_claim(f, "pages held, nothing given back [of those before]",
		     CLAIM_EQUAL, 1.0, kept, 0.01);
	figure_claim(f, "depopulated, the closest number of CPUs [of those before]",
		     CLAIM_EQUAL, 135552.0 / 481408, closest, 0.1);
	figure_note(f, "how many CPUs the machine had, and what a group allocates, was not published");
	return 0;
}

const struct figure figure_b5 = {
	.id = "b5",
	.title = "11,000 groups, ten of eleven go: pages still held",
	.run = b5_run,
};

/* -- B6 ------------------------------------------------------------------------ */

#define B6_OBJECTS 35000

static int mixed_objects(const char *spec, uint64_t seed, struct figure_run *f,
			 unsigned int *failed, struct msg *msg)
{
	static struct { unsigned long at, nr; } held[B6_OBJECTS];
	unsigned long units = 0;
	struct figure_range fr;
	struct rng rng;
	int err = figure_range_create(&fr, spec, MEMORY, msg);

	if (err)
		return err;
	rng_seed(&rng, seed);
	*failed = 0;
	for (unsigned int i = 0; i < B6_OBJECTS; i++) {
		unsigned long bytes = 1 + (unsigned long)rng_below(&rng, 1024);
		unsigned long align = 2UL << rng_below(&rng, 11);

		held[i].nr = div_round_up(bytes, UNIT_BYTES);
		held[i].at = figure_alloc(&fr, held[i].nr,
					  max_t(unsigned long, 1, align / UNIT_BYTES),
					  CHUNK_UNITS);
		*failed += held[i].at == RANGE_NONE;
		units += held[i].nr;
	}
	figure_row(f, "%s\t%u\t%lu\t%.1f", spec, *failed,
		   fr.nr_units / CHUNK_UNITS,
		   100.0 * (double)units / (double)fr.nr_units);
	for (unsigned int i = 0; i < B6_OBJECTS; i++)
		if (held[i].at != RANGE_NONE)
			range_free(fr.range, held[i].at, held[i].nr);
	if (fr.range->ops->nr_free(fr.range) != fr.nr_units)
		err = msg_set(msg, EUCLEAN, "%s: not all units came back", spec);
	if (!err)
		err = fr.range->ops->verify(fr.range, msg);
	figure_range_destroy(&fr);
	return err;
}

static int b6_run(struct figure_run *f, struct msg *msg)
{
	static const char *const specs[] = {
		"percpu_map", "percpu_bitmap:version=4.14",
		"percpu_bitmap:version=5.2", "percpu_bitmap",
	};

	figure_columns(f, "allocator\tfailed\tchunks\tused_percent");
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		unsigned int failed = 0;
		char what[80];
		int err = mixed_objects(specs[i], figure_seed(f), f, &failed, msg);

		if (err)
			return err;
		snprintf(what, sizeof(what), "%s: requests that failed", specs[i]);
		figure_claim(f, what, CLAIM_EQUAL, 0, failed, 0);
	}
	return 0;
}

const struct figure figure_b6 = {
	.id = "b6",
	.title = "35,000 objects of mixed sizes and alignments: all are served",
	.run = b6_run,
};

/* -- B9 ------------------------------------------------------------------------ */

#define B9_OPS 62500
#define B9_UNITS (6 * PAGE_UNITS)
#define B9_GRAIN 64UL			/* so that a page has 16 grains */
struct refusals {
	unsigned int fitting;		/* requests that some free run could hold */
	unsigned int refused;		/* of those */
};

/* All but the allocator; sizes in grains. */
struct load {
	unsigned long max_align;
	unsigned long most;		/* of a request */
	unsigned int asks_percent;
};

static int random_requests(const char *spec, const struct load *load,
			   uint64_t seed, struct refusals *out, struct msg *msg)
{
	static struct { unsigned long at, nr; } held[B9_UNITS];
	unsigned int nr_held = 0;
	struct figure_range fr;
	struct rng rng;
	int err = figure_range_create(&fr, spec, MEMORY, msg);

	if (!err && range_add_free(fr.range, 0, B9_UNITS)) {
		figure_range_destroy(&fr);
		err = msg_set(msg, ENOMEM, "%s: no room", spec);
	}
	if (err)
		return err;
	*out = (struct refusals){ 0, 0 };
	rng_seed(&rng, seed);
	for (unsigned int i = 0; i < B9_OPS; i++) {
		if (nr_held && rng_below(&rng, 100) >= load->asks_percent) {
			unsigned int k = (unsigned int)rng_below(&rng, nr_held);

			range_free(fr.range, held[k].at, held[k].nr);
			held[k] = held[--nr_held];
		} else {
			unsigned long nr = 1 + (unsigned long)rng_below(&rng,
								load->most);
			unsigned long align = 1UL << rng_below(&rng,
							ilog2(load->max_align) + 1);
			unsigned long at;
			bool fits;

			nr *= B9_GRAIN;
			align *= B9_GRAIN;
			fits = percpu_bitmap_fits(fr.range, nr, align);
			at = range_alloc(fr.range, nr, align, NULL);
			out->fitting += fits;
			out->refused += fits && at == RANGE_NONE;
			if (at == RANGE_NONE)
				continue;
			held[nr_held].at = at;
			held[nr_held++].nr = nr;
		}
	}
	figure_range_destroy(&fr);
	return 0;
}

static const char *const versions[] = { "4.14", "5.2", "fixed" };

enum { V4_14, V5_2, FIXED };

/* Percent of the requests that would fit, by version. */
static int refused_percent(struct figure_run *f, const struct load *load,
			   double percent[ARRAY_SIZE(versions)], struct msg *msg)
{
	for (size_t v = 0; v < ARRAY_SIZE(versions); v++) {
		struct refusals r;
		char spec[64];
		int err;

		snprintf(spec, sizeof(spec), "percpu_bitmap:pages=6:version=%s",
			 versions[v]);
		err = random_requests(spec, load, figure_seed(f), &r, msg);
		if (err)
			return err;
		percent[v] = 100.0 * r.refused / r.fitting;
	}
	return 0;
}

struct published {
	unsigned long max_align;
	double was, fixed;		/* percent */
};

/* How many doublings off, both taken together. */
static double distance(const struct published *p, const double *percent)
{
	return fabs(log2(percent[V5_2] / p->was)) +
	       fabs(log2(percent[FIXED] / p->fixed));
}

static const unsigned long most[] = { 8, 6, 4 };
static const unsigned int asks[] = { 50, 51, 52, 53, 54, 56, 60 };

#define NR_LOADS (ARRAY_SIZE(most) * ARRAY_SIZE(asks))

/*
 * A row for each load; the shares of the nearest one are left in `nearest`, and
 * *nr_better is how many the correction makes better.
 */
static int b9_loads(struct figure_run *f, const struct published *p,
		    double nearest[ARRAY_SIZE(versions)],
		    unsigned int *nr_better, struct msg *msg)
{
	double least = INFINITY;

	*nr_better = 0;
	for (size_t i = 0; i < NR_LOADS; i++) {
		const struct load load = { p->max_align, most[i / ARRAY_SIZE(asks)],
					   asks[i % ARRAY_SIZE(asks)] };
		double percent[ARRAY_SIZE(versions)];
		int err = refused_percent(f, &load, percent, msg);

		if (err)
			return err;
		figure_row(f, "%lu\t%lu\t%u\t%.3f\t%.3f\t%.3f", load.max_align,
			   load.most, load.asks_percent, percent[V4_14],
			   percent[V5_2], percent[FIXED]);
		*nr_better += percent[FIXED] < percent[V5_2];
		if (distance(p, percent) >= least)
			continue;
		least = distance(p, percent);
		memcpy(nearest, percent, sizeof(percent));
	}
	return 0;
}

static int b9_run(struct figure_run *f, struct msg *msg)
{
	static const struct published aligns[] = {
		{ 1, 6.0, 0.26 }, { 16, 9.8, 3.3 },
	};

	figure_columns(f, "max_align_grains\tmax_size_grains\tasks_percent\t"
		       "v4_14_percent\tv5_2_percent\tfixed_percent");
	for (size_t a = 0; a < ARRAY_SIZE(aligns); a++) {
		double nearest[ARRAY_SIZE(versions)] = { 0 };
		unsigned int nr_better;
		char what[80];
		int err = b9_loads(f, &aligns[a], nearest, &nr_better, msg);

		if (err)
			return err;
		snprintf(what, sizeof(what), "align <= %lu: loads of %zu at which put right refuses less",
			 aligns[a].max_align, NR_LOADS);
		figure_claim(f, what, CLAIM_EQUAL, NR_LOADS, nr_better, 0);
		snprintf(what, sizeof(what), "5.2 as it was, align <= %lu, nearest load [%%]",
			 aligns[a].max_align);
		figure_claim(f, what, CLAIM_EQUAL, aligns[a].was, nearest[V5_2],
			     0.1);
		snprintf(what, sizeof(what), "put right, align <= %lu, at that load [%%]",
			 aligns[a].max_align);
		figure_claim(f, what, CLAIM_EQUAL, aligns[a].fixed,
			     nearest[FIXED], 0.1);
	}
	figure_note(f, "the shares to meet are a model's, whose load is not known: the nearest of 21 for each alignment");
	figure_note(f, "no load gives both shares of an alignment to 10 %: sizes or frees were drawn otherwise");
	return 0;
}

const struct figure figure_b9 = {
	.id = "b9",
	.title = "requests refused though they would fit: what wrong hints cost",
	.run = b9_run,
};
