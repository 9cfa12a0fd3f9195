/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * atom.h - words of a map that several threads change without a lock
 *
 * Every touch of such a word goes through here. In a build with PAGETAX_COUNT
 * each first tells the range's observer (base/cost.h), which may hand the
 * processor to another thread of a test, at exactly the places where the real
 * machine could.
 */
#ifndef PAGETAX_ALLOC_RANGE_ATOM_H
#define PAGETAX_ALLOC_RANGE_ATOM_H

#include <stdatomic.h>

#include "alloc/range.h"

typedef _Atomic unsigned long atom_word;
_Static_assert(sizeof(atom_word) == sizeof(unsigned long), "no lock inside");

static inline unsigned long atom_load(const struct range *r,
				      const atom_word *word)
{
	COST_STEP(r);
	return atomic_load_explicit(word, memory_order_acquire);
}

/*
 * If *word is `expected`, make it `target`. Returns what it was: the swap took
 * place if and only if that is `expected`.
 */
static inline unsigned long atom_cas(const struct range *r, atom_word *word,
				     unsigned long expected,
				     unsigned long target)
{
	COST_STEP(r);
	COST_LOCKED(r);
	atomic_compare_exchange_strong_explicit(word, &expected, target,
						memory_order_acq_rel,
						memory_order_acquire);
	return expected;
}

static inline void atom_add(const struct range *r, atom_word *word,
			    unsigned long n)
{
	COST_STEP(r);
	COST_WRITE(r, word);
	COST_LOCKED(r);
	atomic_fetch_add_explicit(word, n, memory_order_relaxed);
}

static inline void atom_sub(const struct range *r, atom_word *word,
			    unsigned long n)
{
	COST_STEP(r);
	COST_WRITE(r, word);
	COST_LOCKED(r);
	atomic_fetch_sub_explicit(word, n, memory_order_relaxed);
}

#endif
