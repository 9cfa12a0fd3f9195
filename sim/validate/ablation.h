/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ablation.h - what each part of the policy buys
 *
 * An allocator places the recorded demand as at level L1, as it is and with one
 * part of the policy switched at a time: off where it has the part, on where
 * its spec has that off.
 *
 *    linked:pcp=off     ":pcp=on"           with per-CPU lists
 *                       ":mobility=off"     without mobility types
 *                       ...
 *
 * With merged zones there are no others to be compared, so that row is judged
 * with all zones as one.
 */
#ifndef PAGETAX_SIM_VALIDATE_ABLATION_H
#define PAGETAX_SIM_VALIDATE_ABLATION_H

#include "sim/validate/closed_loop.h"

/* x(name, the option behind it, what it is) */
#define ABLATIONS(x)                                      \
	x(nothing,    NULL,         "the policy as it is")   \
	x(pcp,        "pcp",        "per-CPU lists")      \
	x(mobility,   "mobility",   "mobility types")     \
	x(tail_rule,  "tail_rule",  "the tail rule")      \
	x(watermarks, "watermarks", "marks and reserves") \
	x(zones,      NULL,         "zones of their own")

enum ablation_part {
#define ABLATION_ENUM(name, option, what) ABLATION_##name,
	ABLATIONS(ABLATION_ENUM)
#undef ABLATION_ENUM
	NR_ABLATIONS,
};

extern const char *const ablation_names[NR_ABLATIONS];
extern const char *const ablation_help[NR_ABLATIONS];

struct ablation {
	unsigned int nr;		/* runs so far; 0: not asked for */
	struct closed_loop runs[NR_ABLATIONS];
	bool adds[NR_ABLATIONS];	/* the part was off, and is on in that run */
};

/* Whether the allocator runs the policy, so that its parts can be switched. */
bool ablation_applies(const char *spec);

/*
 * `in` as for the runs of L1. 0 or a negative errno with a message; what an
 * allocator has no option for is refused so. The caller frees in any case.
 */
int ablation_run(struct ablation *a, const struct closed_loop_input *in,
		 const char *spec, struct msg *msg);
void ablation_free(struct ablation *a);

#endif
