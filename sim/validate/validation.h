/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * validation.h - how well is a recorded machine understood, and predicted?
 *
 *	L0     open loop     the recorded pages, against buddyinfo: are reader,
 *	                     start state and events right?
 *	L0.5   one step      each decision predicted from the true state: are
 *	                     the rules of the policy right, one by one?
 *	L1     closed loop   allocators that place the demand themselves: does
 *	                     the policy come to the same free memory?
 *
 * Each level runs if the bundle holds what it needs; what is missing is said,
 * and the others run.
 */
#ifndef PAGETAX_SIM_VALIDATE_VALIDATION_H
#define PAGETAX_SIM_VALIDATE_VALIDATION_H

#include "sim/options.h"
#include "sim/report/progress.h"
#include "sim/validate/ablation.h"
#include "sim/validate/one_step.h"
#include "sim/validate/open_loop.h"

#define MAX_LEFT_OUT 16

/* First fit, without per-CPU lists or mobility types: better than this? */
#define STRAWMAN "genalloc:fit=first"

struct validation {
	struct bundle bundle;
	struct brackets brackets;
	struct brackets sum;		/* all zones as one */
	struct buddy_stream stream;
	struct scorer persist;		/* "nothing changes" */
	double persist_whole_tv;	/* its mean TV, all zones as one */

	bool has_open_loop;
	struct open_loop open_loop;

	bool has_one_step;
	struct one_step one_step;

	struct demand demand;
	struct closed_loop *closed_loops;	/* one a spec; the last is the strawman */
	unsigned int nr_closed_loops;
	struct ablation *ablations;	/* of each; asked for, or to find a cause */

	struct msg left_out[MAX_LEFT_OUT];	/* "L1: no ..." */
	unsigned int nr_left_out;
};

/*
 * Read the bundle and run every level it allows. 0, or a negative errno with a
 * message: also when no level can run.
 */
int validation_run(struct validation *v, const struct options *o,
		   struct progress *progress, struct msg *msg);
void validation_free(struct validation *v);

/*
 * 1 - mean_tv / that of "nothing changes", or of the strawman; NAN when that
 * was never wrong, or did not run.
 */
double validation_skill(const struct validation *v, double mean_tv, unsigned int zone);
double validation_skill_strawman(const struct validation *v, double mean_tv,
				 unsigned int zone);

#endif
