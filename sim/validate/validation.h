/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * validation.h - how well is a recorded machine understood, and predicted?
 *
 *	L0     open loop     the recorded pages, against buddyinfo: are reader,
 *	                     start state and events right?
 *
 * Each level runs if the bundle holds what it needs; what is missing is said,
 * and the others run.
 */
#ifndef PAGETAX_SIM_VALIDATE_VALIDATION_H
#define PAGETAX_SIM_VALIDATE_VALIDATION_H

#include "sim/options.h"
#include "sim/report/progress.h"
#include "sim/validate/open_loop.h"

#define MAX_LEFT_OUT 8

struct validation {
	struct bundle bundle;
	struct brackets brackets;
	struct buddy_stream stream;
	struct scorer persist;		/* "nothing changes" */

	bool has_open_loop;
	struct open_loop open_loop;

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

/* 1 - error / error of "nothing changes"; NAN when nothing changed. */
double validation_skill(const struct validation *v, const struct scorer *s,
			unsigned int zone);

#endif
