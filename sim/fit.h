/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fit.h - a recorded demand as a scenario, and how alike two demands are
 *
 *    demand --fit_lives.c--> lives --fit.c--> scenario
 */
#ifndef PAGETAX_SIM_FIT_H
#define PAGETAX_SIM_FIT_H

#include <stdio.h>

#include "sim/demand.h"

#define FIT_POINTS 200			/* of the curve of live pages */

/* One block from its allocation to its end. */
struct fit_life {
	uint64_t start_ns;
	uint64_t end_ns;		/* UINT64_MAX: it outlives the trace */
	uint32_t gfp;
	uint8_t order;
	uint8_t migratetype;
	bool resident;			/* there from the start */
};

struct fit_lives {
	struct fit_life *lives;		/* residents, then in order of time */
	size_t nr;
	uint64_t end_ns;		/* of the trace */
};

/*
 * Follow every block of a demand. A block that is freed in parts lives as long
 * as its pages do on average. `pinned` is the process whose blocks are left
 * out, and `resident` how the names of those begin that stand for residents;
 * NULL: none. 0 or -ENOMEM.
 */
int fit_lives_follow(struct fit_lives *f, const struct demand *d,
		     const struct trace *trace, const char *pinned,
		     const char *resident);
void fit_lives_free(struct fit_lives *f);

/* Pages that live at i / FIT_POINTS of end_ns. */
void fit_live_pages(const struct fit_lives *f, uint64_t end_ns,
		    uint64_t pages[FIT_POINTS + 1]);

struct fit_quality {
	double orders_ks, gaps_ks, lifetimes_ks;	/* Kolmogorov and Smirnov's distance */
	double orders_max;		/* largest difference of an order's share */
	double live_mean;		/* mean difference of live pages, as a share */
};

/* Sort times or spans of time. */
void fit_sort(uint64_t *values, size_t nr);

/* Compare two demands; the curve of `b` is stretched to the time of `a`. 0 or -ENOMEM. */
int fit_compare(struct fit_quality *q, const struct fit_lives *a,
		const struct fit_lives *b);

/* fit.c */

#define FIT_PINNED   "pinned"
#define FIT_RESIDENT "resident"

/*
 * Write a scenario of these lives. pinned_pages are those in use that the trace
 * never names. 0 or -ENOMEM; a failed write is the stream's to remember.
 */
int fit_write(FILE *out, const struct fit_lives *f, const struct layout *layout,
	      uint64_t pinned_pages, const char *description);

#endif
