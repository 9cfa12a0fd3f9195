/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * range.h - what every allocator of runs of units is asked to do
 *
 * A range is a set of numbered units, added in spans, of which runs of any
 * length are given out. It does not know what a unit is: a page when the
 * range stands behind the page interface (range_pages.h), 4, 8 or 32 bytes
 * when it serves bytes (range_bytes.h).
 *
 *    unit      0       64      128             192     256
 *              |--------------- span ----------|       |--- span ...
 *    run       [5 units][3][ free ][reserved]
 *
 * Life of a range:
 *	create		no units
 *	add		a span of units, all reserved
 *	release		reserved units become free
 *	adopt		reserved units become a run in somebody's hands
 *	alloc, free, claim, split, ...
 *	verify, destroy
 *
 * All state lies in the machine's arena. A free never allocates.
 */
#ifndef PAGETAX_ALLOC_RANGE_H
#define PAGETAX_ALLOC_RANGE_H

#include <assert.h>

#include "alloc/option.h"
#include "base/cost.h"
#include "base/msg.h"
#include "base/types.h"
#include "machine/machine.h"

#define RANGE_NONE (~0UL)		/* no unit */

struct range;

enum range_answer {
	RANGE_OK,
	RANGE_NO_SPACE,
	RANGE_BAD_SIZE,			/* 0, or more than the design can serve */
	RANGE_BAD_ALIGN,		/* beyond what the design can serve */
	RANGE_NOT_USED,			/* freed: it is free already */
	RANGE_NOT_HEAD,			/* freed: inside somebody's run */
	RANGE_WRONG_SIZE,		/* freed: the run has another length */
	RANGE_OUTSIDE,			/* no such unit, or a reserved one */
};

enum range_state {
	RANGE_INVALID,			/* no such unit */
	RANGE_RESERVED,
	RANGE_FREE,
	RANGE_HEAD,			/* first unit of a run */
	RANGE_BODY,			/* inside a run */
	RANGE_USED,			/* reserved or in a run: cannot be told */
};

struct range_info {
	enum range_state state;
	unsigned long head;		/* of the run, RANGE_NONE when unknown */
	unsigned long nr;		/* its units, 0 when unknown */
};

enum range_query_level {
	RANGE_QUERY_USED,		/* free or used */
	RANGE_QUERY_RUNS,		/* and of a used unit its run */
};

enum range_concurrency {
	RANGE_SINGLE,			/* the caller serialises */
	RANGE_PER_CPU,			/* one CPU at a time, each its own part */
	RANGE_LOCKFREE,			/* alloc and free from any thread */
};

/* What a backend can do; requests beyond it are refused. */
struct range_caps {
	unsigned long max_nr;		/* longest run; 0: any */
	unsigned long max_align;	/* of an offset in its span, in units, 1: none; 0: any */
	bool needs_size;		/* free() trusts the length given */
	bool frees_parts;		/* and so takes any part of a run */
	enum range_query_level query;
	enum range_concurrency concurrency;
	bool grows;			/* spans may be added while runs are out */
	bool populates;			/* units get memory when used, see range_backing */
};

/*
 * The memory behind units that have none until they are used. Whoever makes
 * such a range hands it down, if there is anything to be had or given back.
 */
struct range_backing {
	/* Memory for [first, first + nr), which has none; false: there is none. */
	bool (*populate)(struct range_backing *b, unsigned long first,
			 unsigned long nr);
	void (*depopulate)(struct range_backing *b, unsigned long first,
			   unsigned long nr);
};

struct range_run {
	unsigned long start;
	unsigned long nr;
};

struct range_ops {
	const char *name;
	const struct option_spec *options;	/* ends with a NULL key */
	struct range_caps caps;		/* at best; see struct range */

	/*
	 * A range without units. Options are already checked against the
	 * specs. -ENOMEM with a message.
	 */
	int (*create)(struct range **out, const struct range_ops *ops,
		      struct machine *m, const struct option_set *opts,
		      struct msg *msg);
	void (*destroy)(struct range *r);

	/*
	 * Add [first, first + nr), all reserved; no unit of it is in the range
	 * yet. -ENOMEM, with the range as before.
	 */
	int (*add)(struct range *r, unsigned long first, unsigned long nr);

	/* Of reserved units. adopt may need memory: -ENOMEM. */
	void (*release)(struct range *r, unsigned long first, unsigned long nr);
	int (*adopt)(struct range *r, unsigned long first, unsigned long nr);

	/*
	 * nr units at a multiple of align, a power of two; both within the
	 * caps. RANGE_NONE when there is no room.
	 */
	unsigned long (*alloc)(struct range *r, unsigned long nr,
			       unsigned long align);

	/*
	 * Optional: as alloc, for a caller that cannot wait. Only units that
	 * have memory already, and no new memory for the backend's own state.
	 */
	unsigned long (*alloc_atomic)(struct range *r, unsigned long nr,
				      unsigned long align);

	/*
	 * Give a run back. nr is 0 when the caller need not know (the caps say
	 * so); another number must then be right. Whatever the design notices
	 * of a wrong free is the answer, and nothing changes; what it cannot
	 * notice is the caller's ruin.
	 */
	enum range_answer (*free)(struct range *r, unsigned long first,
				  unsigned long nr);

	/*
	 * Optional: as free, by a CPU that the range is not of. It may be put
	 * aside until the range's own CPU has reason to look.
	 */
	enum range_answer (*free_remote)(struct range *r, unsigned long first,
					 unsigned long nr);

	/* Optional: take exactly this free run; false when it is not free. */
	bool (*claim)(struct range *r, unsigned long first, unsigned long nr);

	/*
	 * Optional: make a run into runs of `part` units, which divides its
	 * length. False when that cannot be had. Backends that take parts as
	 * they come (caps.frees_parts) leave it NULL.
	 */
	bool (*split)(struct range *r, unsigned long first, unsigned long nr,
		      unsigned long part);

	/* Optional: whether a run is out, as a pool asks before it goes. */
	bool (*in_use)(const struct range *r);

	/* Optional: empty caches, give back what is held for later. */
	void (*drain)(struct range *r);

	/* State of one unit; any number may be asked for. */
	void (*query)(const struct range *r, unsigned long unit,
		      struct range_info *info);

	/*
	 * The first free run that has units in [from, end), cut off at both;
	 * false when none has.
	 */
	bool (*next_free)(const struct range *r, unsigned long from,
			  unsigned long end, struct range_run *run);

	unsigned long (*nr_free)(const struct range *r);

	/* Recount from the units up: 0, or -EUCLEAN with a message. */
	int (*verify)(const struct range *r, struct msg *msg);

	/* Optional: as in struct allocator_ops. */
	uint64_t (*fingerprint)(const struct range *r);
};

struct range {
	const struct range_ops *ops;	/* set at create */
	struct machine *machine;	/* set at create */
	struct range_caps caps;		/* set at create: options may narrow it */
	struct cost *cost;		/* the caller's; NULL: not counted */
	struct range_backing *backing;	/* the owner's; NULL: memory is always there */
};

/* All backends of ranges; ends with NULL. */
extern const struct range_ops *const range_registry[];

/*
 * Make a range without units from "name" or "name:key=value:...". 0, or a
 * negative errno with a message.
 */
int range_create(struct range **out, const char *spec, struct machine *m,
		 struct msg *msg);

/* Fill what every backend's create() has to. */
void range_init(struct range *r, const struct range_ops *ops,
		struct machine *m);

/* Whether the design can serve such a request at all. */
static inline enum range_answer range_can(const struct range *r,
					  unsigned long nr, unsigned long align)
{
	if (!nr || (r->caps.max_nr && nr > r->caps.max_nr))
		return RANGE_BAD_SIZE;
	if (!align || (align & (align - 1)) ||
	    (r->caps.max_align && align > r->caps.max_align))
		return RANGE_BAD_ALIGN;
	return RANGE_OK;
}

/*
 * Take nr units at a multiple of align, for a caller that can wait or for one
 * that cannot. Returns the first, or RANGE_NONE and the reason in *why (which
 * may be NULL).
 */
static inline unsigned long range_alloc_as(struct range *r, unsigned long nr,
					   unsigned long align, bool waits,
					   enum range_answer *why)
{
	enum range_answer answer = range_can(r, nr, align);
	unsigned long first = RANGE_NONE;

	if (answer == RANGE_OK) {
		COST_OP(r);
		first = waits || !r->ops->alloc_atomic ?
			r->ops->alloc(r, nr, align) :
			r->ops->alloc_atomic(r, nr, align);
		if (first == RANGE_NONE)
			answer = RANGE_NO_SPACE;
	}
	if (why)
		*why = answer;
	return first;
}

static inline unsigned long range_alloc(struct range *r, unsigned long nr,
					unsigned long align,
					enum range_answer *why)
{
	return range_alloc_as(r, nr, align, true, why);
}

static inline unsigned long range_alloc_atomic(struct range *r,
					       unsigned long nr,
					       unsigned long align)
{
	return range_alloc_as(r, nr, align, false, NULL);
}

/*
 * Give a run back. The length is always the caller's to say here, and is kept
 * from a backend that does not need it.
 */
static inline enum range_answer range_free(struct range *r, unsigned long first,
					   unsigned long nr)
{
	COST_OP(r);
	return r->ops->free(r, first, r->caps.needs_size ? nr : 0);
}

/* Add units that are free from the start. 0 or -ENOMEM. */
static inline int range_add_free(struct range *r, unsigned long first,
				 unsigned long nr)
{
	int err = r->ops->add(r, first, nr);

	if (!err)
		r->ops->release(r, first, nr);
	return err;
}

static inline void range_destroy(struct range *r)
{
	r->ops->destroy(r);
}

/* Whether every unit of [first, first + nr) is free. */
bool range_is_free(const struct range *r, unsigned long first, unsigned long nr);

#endif
