/* SPDX-License-Identifier: GPL-2.0-or-later */
/* arrival.c - the next arrival, or the border before it */
#include <assert.h>
#include <math.h>

#include "sim/workload/arrival.h"

/* The rate now; *border_ns is lowered to where it ends. */
static double rate_now(const struct arrivals *a, struct arrival_state *state,
		       struct rng *rng, uint64_t now_ns, uint64_t *border_ns)
{
	switch (a->kind) {
	case ARRIVAL_POISSON:
	case ARRIVAL_FILL:
		return a->rate;
	case ARRIVAL_PERIODIC:
		return 1 / a->every_ns;
	case ARRIVAL_BURSTY:
		while (state->switch_ns <= now_ns) {
			state->on = !state->on;
			state->switch_ns += 1 +
				draw_exponential(rng, state->on ? a->on_ns
								: a->off_ns);
		}
		*border_ns = min_t(uint64_t, *border_ns, state->switch_ns);
		return state->on ? a->rate : 0;
	case ARRIVAL_ONCE:
		return 0;
	case ARRIVAL_SCHEDULE:
	case ARRIVAL_CLOSED:
	case NR_ARRIVALS:
		break;
	}
	assert(!"a kind of arrivals without a rate");
	return 0;
}

static bool schedule_next(const struct arrivals *a, struct arrival_state *state,
			  struct rng *rng, uint64_t now_ns, double factor,
			  uint64_t phase_end_ns, uint64_t *time_ns)
{
	uint64_t start_ns = (uint64_t)a->start_ns, slot_ns = (uint64_t)a->slot_ns;
	uint64_t slot, end_ns, rest_ns, gap_ns;

	*time_ns = min_t(uint64_t, phase_end_ns, start_ns);
	if (now_ns < start_ns)
		return false;
	slot = (now_ns - start_ns) / slot_ns;
	*time_ns = phase_end_ns;
	if (slot >= a->nr_counts)
		return false;
	end_ns = start_ns + (slot + 1) * slot_ns;
	rest_ns = end_ns - now_ns;
	if (slot + 1 != state->slot || factor != state->factor) {
		state->slot = slot + 1;		/* 0: none so far */
		state->factor = factor;
		state->left = floor(a->counts[slot] * factor *
				    ((double)rest_ns / (double)slot_ns) + 0.5);
	}
	*time_ns = min_t(uint64_t, end_ns, phase_end_ns);
	if (state->left < 1)
		return false;
	gap_ns = (uint64_t)((double)rest_ns *
			    (1 - pow(draw_share(rng), 1 / state->left)));
	gap_ns = min_t(uint64_t, gap_ns, rest_ns - 1);
	if (now_ns + gap_ns >= *time_ns)
		return false;
	state->left--;
	*time_ns = now_ns + gap_ns;
	return true;
}

static bool gaps_are_equal(const struct arrivals *a)
{
	return a->kind == ARRIVAL_PERIODIC || a->kind == ARRIVAL_FILL;
}

bool arrival_next(const struct arrivals *a, struct arrival_state *state,
		  struct rng *rng, uint64_t now_ns, double factor,
		  uint64_t phase_end_ns, uint64_t *time_ns)
{
	uint64_t border_ns = phase_end_ns, gap_ns;
	double rate;

	if (a->kind == ARRIVAL_SCHEDULE)
		return schedule_next(a, state, rng, now_ns, factor, phase_end_ns,
				     time_ns);
	rate = factor * rate_now(a, state, rng, now_ns, &border_ns);
	*time_ns = border_ns;
	if (!(rate > 0))
		return false;
	gap_ns = gaps_are_equal(a) ? (uint64_t)(1 / rate + 0.5)
				   : draw_exponential(rng, 1 / rate);
	if (gap_ns >= border_ns - now_ns)
		return false;
	*time_ns = now_ns + gap_ns;
	return true;
}
