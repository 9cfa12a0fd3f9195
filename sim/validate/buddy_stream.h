/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * buddy_stream.h - what each event did to the buddy
 *
 *	zone_locked                     leaves
 *	extfrag                         leaves, unless a zone_locked of the same
 *	                                page on the same CPU came just before:
 *	                                then it only explains that one
 *	pcpu_drain                      enters
 *	free, order 4-8 or 10           enters
 *	free, other orders              goes to a per-CPU list ... or past it,
 *	                                without a word: the page's next event tells
 *
 *	free ... alloc or drain         it was in the list
 *	free ... zone_locked            it had entered the buddy
 *	free ... second snapshot        whichever the flags say
 *	free ... nothing more           taken to be in the list
 */
#ifndef PAGETAX_SIM_VALIDATE_BUDDY_STREAM_H
#define PAGETAX_SIM_VALIDATE_BUDDY_STREAM_H

#include "sim/source/bundle.h"

enum buddy_step {
	STEP_NONE,		/* neither, or the snapshot holds it already */
	STEP_LEAVES,		/* [pfn, pfn + 2^order) leaves the buddy */
	STEP_ENTERS,
	STEP_ENTERS_UNSEEN,	/* a free that bypassed the per-CPU lists */
};

/* What happens to a page after an event, as far as its place is concerned. */
enum page_fate {
	FATE_NONE,		/* no event, no snapshot tells */
	FATE_ALLOC,
	FATE_FREE,
	FATE_DRAIN,
	FATE_LEAVES,		/* it leaves the buddy, or is seen in it at the end */
	FATE_OUTSIDE,		/* no event; not in the buddy at the end */
};

/* Of a zone_locked that an extfrag explains: was its pageblock retyped? */
enum buddy_claim {
	CLAIM_NONE,
	CLAIM_FAILS,
	CLAIM_CHANGES,
};

struct buddy_stream {
	uint8_t *step;		/* enum buddy_step of each event */
	uint8_t *fate;		/* enum page_fate of the event's first page, after it */
	uint8_t *fate_type;	/* mobility type that the next event names, if it does */
	uint8_t *claims;	/* enum buddy_claim */
	bool *deferred;		/* a free that reaches its list with a free_batched, later */
};

/* 0 or -ENOMEM. */
int buddy_stream_make(struct buddy_stream *s, const struct bundle *b);
void buddy_stream_free(struct buddy_stream *s);

#endif
