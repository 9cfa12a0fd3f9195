/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * closed_loop.h - level L1: an allocator of ours, given the demand alone
 *
 * The allocator starts from the recorded state, in a free-list order that is
 * drawn from a seed because no recording knows it, and then places every
 * allocation itself. Its pages soon differ from the recorded ones, so free
 * blocks by order are what is compared, at the times of the samples.
 */
#ifndef PAGETAX_SIM_VALIDATE_CLOSED_LOOP_H
#define PAGETAX_SIM_VALIDATE_CLOSED_LOOP_H

#include "sim/demand.h"
#include "sim/validate/scorer.h"

#define CLOSED_LOOP_SEEDS 10	/* free-list orders tried */

/* One allocator, one list order, one zone. */
struct closed_figures {
	struct figures f;
	double mean_tv;
};

struct closed_loop {
	char *spec;
	unsigned int nr_seeds;
	struct closed_figures zone[MAX_NR_ZONES][CLOSED_LOOP_SEEDS];
	struct closed_figures whole;	/* all zones as one; of the first seed, as are the next */
	struct scorer first;	/* for samples and plots */
	uint64_t failed_allocs;
	uint64_t events;
};

/* What all runs of a bundle share. */
struct closed_loop_input {
	const struct bundle *bundle;
	const struct layout *layout;	/* of the simulated machine */
	const struct demand *demand;	/* of the bundle, for this machine */
	const struct brackets *brackets;	/* NULL: its zones are not the recorded ones */
	const struct brackets *sum;	/* the same of all zones as one */
	uint64_t seed;

	/* See struct replay_plan. */
	bool (*progress)(void *ctx, const char *allocator, uint64_t ops,
			 uint64_t nr_ops);
	void *progress_ctx;
};

/*
 * Run the allocator of this spec from nr_seeds list orders. 0 or a negative
 * errno with a message; -EINTR when progress() said so, -EUCLEAN when the
 * allocator broke an invariant. The caller frees in any case.
 */
int closed_loop_run(struct closed_loop *c, const struct closed_loop_input *in,
		    const char *spec, unsigned int nr_seeds, struct msg *msg);
void closed_loop_free(struct closed_loop *c);

/*
 * How far the predictions of two are apart in one zone, given the same list
 * order: the figures of one against the other instead of the recording. 0 or
 * -ENOMEM.
 */
int closed_loop_apart(struct figures *f, const struct closed_loop *c,
		      const struct closed_loop *other, unsigned int zone);

/* A figure over the list orders. */
struct spread {
	double least, median, most;
};

struct spread closed_loop_spread(const struct closed_loop *c, unsigned int zone,
				 size_t offset);

/* SPREAD(c, zone, f.tv_p50): of that field of struct closed_figures. */
#define SPREAD(c, zone, field) \
	closed_loop_spread(c, zone, offsetof(struct closed_figures, field))

#endif
