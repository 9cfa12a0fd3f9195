/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flawed.h - an honest little allocator, and what it does when it is not
 *
 * First fit over a byte for each page. With FLAW_NONE it keeps the whole
 * contract; any other flaw is one planted bug, which the model has to find, and
 * the shadow too where it can.
 */
#ifndef PAGETAX_TESTS_FLAWED_H
#define PAGETAX_TESTS_FLAWED_H

#include "alloc/allocator.h"

/* x(name, what goes wrong, when the shadow sees it); the model sees them all */
#define FLAWS(x)                                                         \
	x(NONE,        "nothing",                                NEVER)   \
	x(TWICE,       "a block is handed out a second time",    AT_ONCE) \
	x(OVERLAP,     "a block starts inside a held one",       AT_ONCE) \
	x(MISALIGNED,  "a block starts one page too far",        AT_ONCE) \
	x(OUTSIDE,     "a block lies beyond the last zone",      AT_ONCE) \
	x(HOLE,        "pages that do not exist are handed out", AT_ONCE) \
	x(ABOVE_LIMIT, "the zone limit is ignored",              AT_ONCE) \
	x(LOST,        "a freed page is forgotten",              AT_ONCE) \
	x(GAINED,      "a freed page is counted twice",          AT_ONCE) \
	x(LEFT_MAPPED, "a page stays mapped",                    AT_ONCE) \
	x(MISLEADS,    "query() calls a held page free",         IN_VERIFY) \
	x(ALLOCATES,   "a free asks for memory",                 NEVER)   \
	x(REFUSES,     "a request fails that could be served",   NEVER)   \
	x(MISCOUNTS,   "free_area() sees a block too many",      NEVER)

enum flaw {
#define FLAW_ENUM(name, what, shadow) FLAW_##name,
	FLAWS(FLAW_ENUM)
#undef FLAW_ENUM
	NR_FLAWS,
};

enum seen {
	SEEN_NEVER,
	SEEN_AT_ONCE,			/* by the operation that goes wrong */
	SEEN_IN_VERIFY,
};

extern const struct flaw_fact {
	const char *what;
	enum seen by_shadow;
} flaw_facts[NR_FLAWS];

/* The flaw shows from the operation after this call on. */
void flawed_plant(struct allocator *a, enum flaw flaw);

/* Honest until a flaw is planted. Ends the test when there is no room. */
struct allocator *flawed_create(struct machine *m);

#endif
