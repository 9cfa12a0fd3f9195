/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arrival.h - when a class asks next
 *
 * Every open kind of arrivals is a rate that holds for a while:
 *
 *    rate    ____      ________            poisson: one rate a phase
 *           |    |    |        |           bursty: two, for random times
 *       ____|    |____|        |____       schedule: so many in each slot
 *               ^ border: drawn afresh from here on
 *
 * A gap that would reach over a border is cut there and drawn anew, which for
 * exponential gaps changes nothing and for the others restarts the period.
 * A schedule's arrivals lie in their slot as if thrown there: with m of them
 * left for a time r, the next comes after r (1 - u^(1/m)), u uniform. A phase
 * that begins within a slot has as many of them as its part of the slot would.
 */
#ifndef PAGETAX_SIM_WORKLOAD_ARRIVAL_H
#define PAGETAX_SIM_WORKLOAD_ARRIVAL_H

#include "sim/workload/scenario.h"

struct arrival_state {
	bool on;			/* BURSTY: asking now, until switch_ns */
	uint64_t switch_ns;
	uint64_t slot;			/* SCHEDULE: where `left` arrivals are left */
	double left;
	double factor;			/* of the rate, when they were counted */
};

/*
 * The time of the next arrival after now_ns at this factor of the rate, which
 * holds until phase_end_ns. True when it is one; false when it is a border at
 * which to ask again.
 */
bool arrival_next(const struct arrivals *a, struct arrival_state *state,
		  struct rng *rng, uint64_t now_ns, double factor,
		  uint64_t phase_end_ns, uint64_t *time_ns);

#endif
