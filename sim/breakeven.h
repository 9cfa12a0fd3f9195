/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * breakeven.h - from which mean folio size on does one design cost less?
 *
 * A small descriptor saves bytes on every page and pays for an object beside
 * it on every folio, so the larger the folios the more it wins. With D bytes
 * a page, s' bytes of the owner's object (0 where the descriptor holds it) and
 * b' of the allocator's own object for a block, memory filled to a share u
 * with folios of n pages on average costs
 *
 *    D + u (s' + b') / n      bytes a page,
 *
 * so two designs cross at n = u (s'1 + b'1 - s'2 - b'2) / (D2 - D1). That is
 * the formula; beside it stands what the allocators themselves took when a
 * simulated machine was filled so. Between whole orders the mean comes from a
 * mixture of two of them.
 */
#ifndef PAGETAX_SIM_BREAKEVEN_H
#define PAGETAX_SIM_BREAKEVEN_H

#include <stdio.h>

#include "base/msg.h"
#include "base/types.h"
#include "sim/metrics/allocatee.h"

#define BREAKEVEN_BYTES  (UINT64_C(256) << 20)	/* the machine, unless asked for */
#define BREAKEVEN_LEAST  (64 << 20)		/* below, ends of zones weigh more than folios */
#define BREAKEVEN_PART   70			/* percent, where memory is not full */
#define BREAKEVEN_POINTS 19

extern const double breakeven_sizes[BREAKEVEN_POINTS];	/* mean pages a folio */

/* Bytes a page of memory; NAN where there is no such figure. */
struct breakeven_curve {
	char *name;			/* spec of an allocator, or a design on paper */
	bool formula_known;		/* as well as the three below */
	double desc_bytes;		/* D */
	double block_bytes;		/* s' + b' */
	double hugepage_bytes;		/* D when n is 512 and above: HVO */
	double formula[BREAKEVEN_POINTS];	/* memory full */
	double full[BREAKEVEN_POINTS];	/* simulated, memory full */
	double part[BREAKEVEN_POINTS];	/* simulated, BREAKEVEN_PART percent full */
};

struct breakeven {
	uint64_t memory_bytes;
	uint64_t seed;
	struct breakeven_curve *curves;
	unsigned int nr_curves;
};

struct progress;

/*
 * Fill a machine of memory_bytes with each of the allocators. Designs that
 * exist on paper only follow them. `progress` shows how far that is; NULL is
 * silent. 0 or a negative errno with a message; the caller frees in any case.
 */
int breakeven_run(struct breakeven *b, char *const *specs, unsigned int nr_specs,
		  uint64_t memory_bytes, uint64_t seed,
		  const struct allocatee_table *table,
		  struct progress *progress, struct msg *msg);
void breakeven_free(struct breakeven *b);

/*
 * The mean size from which `a` costs less than `other` for good: by the
 * formula with memory filled to a share u, and from the simulated points.
 * 0: always; INFINITY: never; NAN: unknown.
 */
double breakeven_formula(const struct breakeven_curve *a,
			 const struct breakeven_curve *other, double u);
double breakeven_crossing(const double *a, const double *other);

/*
 * What the simulation of `c` counts and the formula does not, in bytes a page,
 * with memory full or BREAKEVEN_PART percent full of folios of the size at
 * `point`; NAN where either is unknown.
 */
double breakeven_beyond(const struct breakeven_curve *c, unsigned int point,
			bool full);

/* Where people are told that: 2 and 6 pages a folio, near which designs cross. */
enum { BREAKEVEN_AT_2 = 2, BREAKEVEN_AT_6 = 5 };

/* The curve of this name; NULL when there is none. */
const struct breakeven_curve *breakeven_find(const struct breakeven *b,
					     const char *name);

/* One row for each curve and size. */
void breakeven_write_tsv(FILE *out, const struct breakeven *b);

/* Of every pair, where they cross; to people. */
void breakeven_print(FILE *out, const struct breakeven *b);

/* "1.70", "always", "never" or "-"; returns buf. */
char *breakeven_format(double pages, char *buf, size_t size);

#endif
