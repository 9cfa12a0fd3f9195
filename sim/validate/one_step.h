/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * one_step.h - level L0.5: each decision of the kernel, from the true state
 *
 * While the recorded machine is followed (recorded.h), its free lists and
 * per-CPU lists are kept as well, pushed and popped as the policy says. Before
 * each event the policy predicts it from the true state; after it, the state is
 * true again. So an error of one rule does not spoil what comes later, and each
 * rule gets a rate of its own.
 */
#ifndef PAGETAX_SIM_VALIDATE_ONE_STEP_H
#define PAGETAX_SIM_VALIDATE_ONE_STEP_H

#include "sim/validate/page_lists.h"
#include "sim/validate/recorded.h"

/* x(name, what was predicted) */
#define ONE_STEP_RULES(x)                                                            \
	x(smallest_order, "a removal takes the smallest order that has a block of its type") \
	x(list_head,      "a removal takes the head of its free list")                  \
	x(split_low,      "a removal takes the low part of the block it cuts")          \
	x(pcp_head,       "an allocation takes the head of its per-CPU list")           \
	x(drain_tail,     "a drain takes the tail of its per-CPU list")                 \
	x(refill,         "how many blocks a refill takes")                              \
	x(drain,          "how many pages a free drains, if it does")                    \
	x(drain_when,     "which free drains")

enum one_step_rule {
#define RULE_ENUM(name, what) RULE_##name,
	ONE_STEP_RULES(RULE_ENUM)
#undef RULE_ENUM
	NR_ONE_STEP_RULES,
};

extern const char *const one_step_rule_names[NR_ONE_STEP_RULES];
extern const char *const one_step_rule_help[NR_ONE_STEP_RULES];

struct rule_count {
	uint64_t hits, misses;
	uint64_t unknown;		/* the prediction needed what nobody recorded */
};

/* hits / (hits + misses); NAN when nothing was predicted. */
double rule_rate(const struct rule_count *c);

struct one_step {
	struct rule_count rules[MAX_NR_ZONES][NR_ONE_STEP_RULES];
	uint64_t retyped;	/* pageblocks whose type an event corrected */
	uint64_t claims;	/* removals after a claim, not predicted */
	uint64_t aged;		/* drains that no free caused: the timer's */
	uint64_t skipped;	/* pages passed over at the head: taken in bulk */
};

/* Follow the whole recording. 0 or -ENOMEM. */
int one_step_run(struct one_step *o, const struct bundle *b,
		 const struct buddy_stream *stream);

#endif
