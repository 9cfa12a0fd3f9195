/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * figure_encoding.c - B7: interleaved bits, separate bits, or a tree?
 *
 * Posted in 2018 as an argument without numbers: two adjacent bits a unit
 * touch one place for each run, two separate maps touch two but pack twice
 * as many units into a word, and a tree costs memory only for runs there are.
 *
 *    words written   mean over every start within a word of the words of maps
 *                    that claiming a run of n units writes. (All forms also
 *                    write the chunk's count of free units, which is left
 *                    out.) Words have 64 bits.
 *    bits a unit     all metadata of a range that is full of such runs
 *    words read      by a first-fit search over a full map, its last units free
 */
#include <errno.h>
#include <stdio.h>

#include "sim/bench/figures.h"

#define NR_UNITS (1UL << 18)
#define AVAIL_WORDS 1			/* written by each claim, for its chunk */

enum form { INTERLEAVED, SPLIT, TREE, NR_FORMS };

static const char *const specs[NR_FORMS] = {
	"genalloc_twobit", "genalloc_split", "genalloc_split:lengths=tree",
};

static int full_range(struct figure_range *fr, enum form form, struct msg *msg)
{
	int err = figure_range_create(fr, specs[form], UINT64_C(64) << 20, msg);

	if (!err && range_add_free(fr->range, 0, NR_UNITS)) {
		figure_range_destroy(fr);
		err = msg_set(msg, ENOMEM, "%s: no room for %lu units",
			      specs[form], NR_UNITS);
	}
	return err;
}

/* Mean words of maps written by claiming nr units. */
static int words_written(enum form form, unsigned long nr, double *mean,
			 struct msg *msg)
{
	const unsigned long starts = 8 * sizeof(unsigned long);
	struct figure_range fr;
	int err = full_range(&fr, form, msg);

	if (err)
		return err;
	for (unsigned long start = 0; start < starts; start++) {
		uint64_t before = fr.cost->words_written;

		fr.cost->nr_ops++;
		fr.range->ops->claim(fr.range, start, nr);
		*mean += (double)(fr.cost->words_written - before - AVAIL_WORDS);
		range_free(fr.range, start, nr);
	}
	*mean /= (double)starts;
	figure_range_destroy(&fr);
	return 0;
}

/*
 * Bits of metadata a unit, the range full of runs of nr units. They are claimed
 * where first fit would find room, which takes minutes to search for.
 */
static int bits_per_unit(enum form form, unsigned long nr, double *bits,
			 struct msg *msg)
{
	const struct meta_account *meta;
	struct figure_range fr;
	int err = full_range(&fr, form, msg);

	if (err)
		return err;
	fr.range->cost = NULL;
	for (unsigned long at = 0; at + nr <= NR_UNITS; at += nr)
		fr.range->ops->claim(fr.range, at, nr);
	meta = &fr.machine->meta;
	*bits = 8.0 * (double)(meta->now[META_structures] + meta->now[META_nodes]) /
		NR_UNITS;
	figure_range_destroy(&fr);
	return 0;
}

/* Words read by finding the last eight units of a full range. */
static int words_searched(enum form form, double *words, struct msg *msg)
{
	const unsigned long nr = 8;
	struct figure_range fr;
	uint64_t before;
	int err = full_range(&fr, form, msg);

	if (err)
		return err;
	range_alloc(fr.range, NR_UNITS - nr, 1, NULL);
	before = fr.cost->words_read;
	range_alloc(fr.range, nr, 1, NULL);
	*words = (double)(fr.cost->words_read - before);
	figure_range_destroy(&fr);
	return 0;
}

/*
 * The smallest run at which form `b` costs no more than form `a`, which it
 * does not at the smallest and does at the largest; the cost is monotone.
 */
typedef int cost_fn(enum form form, unsigned long nr, double *cost,
		    struct msg *msg);

static int crossover(cost_fn *cost, enum form a, enum form b, double *nr,
		     struct msg *msg)
{
	unsigned long low = 1, high = 1024;

	while (high - low > 1) {
		unsigned long middle = (low + high) / 2;
		double cost_a = 0, cost_b = 0;
		int err = cost(a, middle, &cost_a, msg);

		if (!err)
			err = cost(b, middle, &cost_b, msg);
		if (err)
			return err;
		if (cost_b <= cost_a)
			high = middle;
		else
			low = middle;
	}
	*nr = (double)high;
	return 0;
}

static const struct {
	unsigned long nr;
	double interleaved, split;	/* predicted words written; 0: none given */
} predicted[] = {
	{ 1, 1.00, 2.00 }, { 2, 0, 0 }, { 4, 0, 0 }, { 8, 1.22, 2.11 },
	{ 16, 0, 0 }, { 32, 0, 0 }, { 64, 2.97, 2.98 }, { 65, 0, 0 },
	{ 128, 0, 0 }, { 256, 0, 0 }, { 320, 0, 0 }, { 512, 16.97, 9.98 },
};

static int table_row(struct figure_run *f, size_t i, struct msg *msg)
{
	unsigned long nr = predicted[i].nr;
	double written[NR_FORMS] = { 0 }, bits[NR_FORMS] = { 0 };
	int err = 0;

	for (enum form form = 0; !err && form < NR_FORMS; form++) {
		err = words_written(form, nr, &written[form], msg);
		if (!err)
			err = bits_per_unit(form, nr, &bits[form], msg);
	}
	if (err)
		return err;
	figure_row(f, "%lu\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f", nr,
		   written[INTERLEAVED], written[SPLIT], bits[INTERLEAVED],
		   bits[SPLIT], bits[TREE]);
	if (predicted[i].interleaved != 0) {
		char what[80];

		snprintf(what, sizeof(what), "interleaved, run of %lu [words written]", nr);
		figure_claim(f, what, CLAIM_EQUAL, predicted[i].interleaved,
			     written[INTERLEAVED], 0.005);
		snprintf(what, sizeof(what), "split, run of %lu [words written]", nr);
		figure_claim(f, what, CLAIM_EQUAL, predicted[i].split,
			     written[SPLIT], 0.005);
	}
	return 0;
}

static int run(struct figure_run *f, struct msg *msg)
{
	double written = 0, tree = 0, interleaved = 0, split = 0;
	int err = 0;

	figure_columns(f, "run_units\tinterleaved_written_words\tsplit_written_words\t"
		       "interleaved_bits\tsplit_bits\ttree_bits");
	for (size_t i = 0; !err && i < ARRAY_SIZE(predicted); i++)
		err = table_row(f, i, msg);
	if (!err)
		err = crossover(words_written, INTERLEAVED, SPLIT, &written, msg);
	if (!err)
		err = crossover(bits_per_unit, SPLIT, TREE, &tree, msg);
	if (!err)
		err = words_searched(INTERLEAVED, &interleaved, msg);
	if (!err)
		err = words_searched(SPLIT, &split, msg);
	if (err)
		return err;
	figure_claim(f, "split writes no more words from a run of [units]",
		     CLAIM_EQUAL, 65, written, 0.02);
	figure_claim(f, "the tree is no larger from a mean run of [units]",
		     CLAIM_EQUAL, 320, tree, 0.02);
	figure_claim(f, "words searched, interleaved / split", CLAIM_EQUAL, 2,
		     interleaved / split, 0.02);
	return 0;
}

const struct figure figure_b7 = {
	.id = "b7",
	.title = "where runs end: interleaved bits, separate bits, or a tree",
	.run = run,
};
