/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * figure_nta.c - B4, B8: how full the Network Tree Allocator gets, and when its
 * tree is paid for
 *
 * Both were published in 2006 as arguments against power-of-two sizes.
 *
 * B4: 4094 pages in units of 32 bytes; objects of pseudo-random sizes up to a
 * maximum, none freed, until the first that finds no room; then the maximum is
 * halved, four times in all. How the sizes were drawn is not known: those at
 * which the original failed are below half of the maximum each, so both the
 * full and the half range are tried. What counts is how full memory is then.
 *
 * B8: a tree of 2048 nodes takes memory whether it is used or not; each
 * object saves what a power of two would have wasted. From how many objects in
 * flight on is the tree the cheaper one?
 */
#include <errno.h>
#include <gsl/gsl_sort_double.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bits.h"
#include "base/rng.h"
#include "sim/bench/figures.h"

#define UNIT_BYTES 32UL
#define B4_PAGES 4094UL
#define B4_UNITS (B4_PAGES * 4096 / UNIT_BYTES)
#define B4_SEEDS 15

static const struct {
	unsigned long max_bytes;
	double failed_bytes;		/* published */
} phases[] = {
	{ 4096, 1912 }, { 2048, 968 }, { 1024, 504 }, { 512, 252 },
};

/* What stood when the first request of a phase failed. */
struct phase {
	double units_percent;		/* of all units */
	double requested_percent;	/* bytes asked for, of all memory */
	double failed_bytes;
};

/* One trial: the phases follow each other in the same memory. */
static int trial(const char *spec, unsigned long divide, uint64_t seed,
		 struct phase *out, struct msg *msg)
{
	double units = 0, requested = 0;
	struct figure_range fr;
	struct rng rng;
	int err = figure_range_create(&fr, spec, UINT64_C(64) << 20, msg);

	if (err)
		return err;
	rng_seed(&rng, seed);
	if (range_add_free(fr.range, 0, B4_UNITS))
		err = msg_set(msg, ENOMEM, "%s: no room for %lu units", spec,
			      B4_UNITS);
	for (size_t i = 0; !err && i < ARRAY_SIZE(phases); i++) {
		unsigned long most = phases[i].max_bytes / divide, bytes;

		for (;;) {
			unsigned long nr;

			bytes = 1 + (unsigned long)rng_below(&rng, most);
			nr = div_round_up(bytes, UNIT_BYTES);
			if (range_alloc(fr.range, nr, 1, NULL) == RANGE_NONE)
				break;
			units += (double)nr;
			requested += (double)bytes;
		}
		out[i] = (struct phase){
			.units_percent = 100 * units / B4_UNITS,
			.requested_percent = 100 * requested /
					     (B4_UNITS * UNIT_BYTES),
			.failed_bytes = (double)bytes,
		};
	}
	figure_range_destroy(&fr);
	return err;
}

/* The same sizes, each rounded up to a power of two, until memory is full. */
static double power_of_two_percent(unsigned long max_bytes, uint64_t seed)
{
	double requested = 0, taken = 0, memory = B4_UNITS * UNIT_BYTES;
	struct rng rng;

	rng_seed(&rng, seed);
	for (;;) {
		unsigned long bytes = 1 + (unsigned long)rng_below(&rng, max_bytes);
		unsigned long rounded = max_t(unsigned long, UNIT_BYTES,
					      roundup_pow2(bytes));

		if (taken + (double)rounded > memory)
			return 100 * requested / memory;
		requested += (double)bytes;
		taken += (double)rounded;
	}
}

struct trials {
	double units[B4_SEEDS];
	double requested[B4_SEEDS];
	double failed[B4_SEEDS];
};

static int run_trials(const char *spec, unsigned long divide, uint64_t seed,
		      struct trials trials[ARRAY_SIZE(phases)], struct msg *msg)
{
	for (unsigned int s = 0; s < B4_SEEDS; s++) {
		struct phase out[ARRAY_SIZE(phases)];
		int err = trial(spec, divide, seed + s, out, msg);

		if (err)
			return err;
		for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
			trials[i].units[s] = out[i].units_percent;
			trials[i].requested[s] = out[i].requested_percent;
			trials[i].failed[s] = out[i].failed_bytes;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		gsl_sort(trials[i].units, 1, B4_SEEDS);
		gsl_sort(trials[i].requested, 1, B4_SEEDS);
		gsl_sort(trials[i].failed, 1, B4_SEEDS);
	}
	return 0;
}

static int b4_run(struct figure_run *f, struct msg *msg)
{
	static const struct {
		const char *spec, *sizes;
		unsigned long divide;
		double least;		/* percent of units, of all phases */
	} kinds[] = {
		{ "nta", "full", 1, 97.5 },
		{ "nta", "half", 2, 99.5 },
		{ "nta:version=posted", "full", 1, 97.5 },
	};
	double pow2 = power_of_two_percent(phases[0].max_bytes, figure_seed(f));

	figure_columns(f, "allocator\tsizes\tmax_bytes\tunits_used_min_percent\t"
		       "units_used_median_percent\trequested_median_percent\t"
		       "failed_median_bytes\tfailed_published_bytes");
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct trials trials[ARRAY_SIZE(phases)];
		char what[80];
		int err = run_trials(kinds[k].spec, kinds[k].divide,
				     figure_seed(f), trials, msg);

		if (err)
			return err;
		for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
			figure_row(f, "%s\t%s\t%lu\t%.2f\t%.2f\t%.2f\t%.0f\t%.0f",
				   kinds[k].spec, kinds[k].sizes,
				   phases[i].max_bytes, trials[i].units[0],
				   trials[i].units[B4_SEEDS / 2],
				   trials[i].requested[B4_SEEDS / 2],
				   trials[i].failed[B4_SEEDS / 2],
				   phases[i].failed_bytes);
		snprintf(what, sizeof(what), "%s, %s range: units used, first phase [%%]",
			 kinds[k].spec, kinds[k].sizes);
		figure_claim(f, what, CLAIM_AT_LEAST, kinds[k].least,
			     trials[0].units[B4_SEEDS / 2], 0);
	}
	figure_claim(f, "a power of two for each: bytes asked for [%]",
		     CLAIM_EQUAL, 75, pow2, 0.05);
	figure_note(f, "the sizes at which the original failed are no claim: how it drew them is not known");
	return 0;
}

const struct figure figure_b4 = {
	.id = "b4",
	.title = "sizes at random until one finds no room: how full memory is",
	.run = b4_run,
};

/* -- B8 ------------------------------------------------------------------------ */

#define B8_NODES 2048UL
#define B8_NODE_UNITS 512UL		/* 16 KiB, as 9000 bytes must fit */
#define POSTED_NODE_BYTES 12.0		/* of a 32-bit kernel */

static const struct {
	unsigned long bytes;
	double published;		/* objects in flight */
} packets[] = { { 1500, 45 }, { 9000, 4 } };

/* What a tree of that many nodes takes: measured, less the masks and lists. */
static int tree_bytes(double *bytes, struct msg *msg)
{
	const uint64_t mask = B8_NODE_UNITS / 8;
	struct figure_range fr;
	uint64_t before;
	int err = figure_range_create(&fr, "nta:units=512", UINT64_C(64) << 20,
				      msg);

	if (err)
		return err;
	before = fr.machine->meta.now[META_structures];
	if (fr.range->ops->add(fr.range, 0, B8_NODES * B8_NODE_UNITS))
		err = msg_set(msg, ENOMEM, "no room for %lu nodes", B8_NODES);
	*bytes = (double)(fr.machine->meta.now[META_structures] - before -
			  B8_NODES * mask);
	figure_range_destroy(&fr);
	return err;
}

/* Bytes that the same object takes beyond its size, here and rounded up. */
static int waste(unsigned long bytes, double *here, double *rounded,
		 struct msg *msg)
{
	unsigned long nr = div_round_up(bytes, UNIT_BYTES), left;
	struct figure_range fr;
	int err = figure_range_create(&fr, "nta:units=512", UINT64_C(64) << 20,
				      msg);

	if (err)
		return err;
	if (figure_alloc(&fr, nr, 1, B8_NODE_UNITS) == RANGE_NONE)
		err = msg_set(msg, ENOMEM, "no room for %lu bytes", bytes);
	left = fr.range->ops->nr_free(fr.range);
	*here = (double)((B8_NODE_UNITS - left) * UNIT_BYTES - bytes);
	*rounded = (double)(roundup_pow2(bytes) - bytes);
	figure_range_destroy(&fr);
	return err;
}

static int b8_run(struct figure_run *f, struct msg *msg)
{
	double tree = 0;
	int err = tree_bytes(&tree, msg);

	if (err)
		return err;
	figure_columns(f, "object_bytes\tobjects\twaste_power_of_two_bytes\t"
		       "waste_nta_bytes\ttree_12_byte_nodes_bytes\t"
		       "tree_64_bit_bytes");
	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		const double posted_tree = B8_NODES * POSTED_NODE_BYTES;
		double here, rounded, saved;
		char what[80];

		err = waste(packets[i].bytes, &here, &rounded, msg);
		if (err)
			return err;
		saved = rounded - here;
		for (unsigned long n = 1; n <= 256; n *= 2)
			figure_row(f, "%lu\t%lu\t%.0f\t%.0f\t%.0f\t%.0f",
				   packets[i].bytes, n, (double)n * rounded,
				   (double)n * here, posted_tree, tree);
		snprintf(what, sizeof(what), "objects of %lu B that repay 12-byte nodes",
			 packets[i].bytes);
		figure_claim(f, what, CLAIM_EQUAL, packets[i].published,
			     (double)div_round_up((unsigned long)posted_tree,
						  (unsigned long)saved), 0.05);
		snprintf(what, sizeof(what), "objects of %lu B that repay the nodes here",
			 packets[i].bytes);
		figure_claim(f, what, CLAIM_AT_LEAST, packets[i].published,
			     (double)div_round_up((unsigned long)tree,
						  (unsigned long)saved), 0);
	}
	return 0;
}

const struct figure figure_b8 = {
	.id = "b8",
	.title = "a tree of 2048 nodes against the waste of powers of two",
	.run = b8_run,
};
