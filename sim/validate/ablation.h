/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ablation.h - what each part of the policy buys
 *
 * The first allocator of the list places the recorded demand as at level L1,
 * whole and without one part at a time. All zones are scored as one, because
 * the last row has no others.
 */
#ifndef PAGETAX_SIM_VALIDATE_ABLATION_H
#define PAGETAX_SIM_VALIDATE_ABLATION_H

#include "sim/validate/closed_loop.h"

/* x(name, option that leaves it out, what the row is) */
#define ABLATIONS(x)                                                \
	x(nothing,    "",                "the whole policy")        \
	x(pcp,        ":pcp=off",        "without per-CPU lists")   \
	x(mobility,   ":mobility=off",   "without mobility types")  \
	x(tail_rule,  ":tail_rule=off",  "without the tail rule")   \
	x(watermarks, ":watermarks=off", "without marks and reserves") \
	x(zones,      "",                "with merged zones")

enum ablation_part {
#define ABLATION_ENUM(name, option, what) ABLATION_##name,
	ABLATIONS(ABLATION_ENUM)
#undef ABLATION_ENUM
	NR_ABLATIONS,
};

extern const char *const ablation_names[NR_ABLATIONS];
extern const char *const ablation_help[NR_ABLATIONS];

struct ablation {
	unsigned int nr;		/* runs done: 0 or NR_ABLATIONS */
	struct brackets brackets;	/* all zones as one */
	struct closed_loop runs[NR_ABLATIONS];
	double persist_tv;		/* mean TV of "nothing changes" */
};

/*
 * `in` as for the runs of L1. 0 or a negative errno with a message; what an
 * allocator has no option for is refused so. The caller frees in any case.
 */
int ablation_run(struct ablation *a, const struct closed_loop_input *in,
		 const char *spec, struct msg *msg);
void ablation_free(struct ablation *a);

/* 1 - mean TV / that of "nothing changes"; NAN when that was never wrong. */
double ablation_skill(const struct ablation *a, enum ablation_part part);

#endif
