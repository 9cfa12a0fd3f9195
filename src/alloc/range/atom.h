/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * atom.h - words of a map that several threads change without a lock
 *
 * Every touch of such a word goes through here, and each begins with
 * ATOM_STEP(). That is nothing, unless a test defines it before it includes a
 * backend's source: then it hands the processor to another thread of the test
 * at exactly the places where the real machine could.
 */
#ifndef PAGETAX_ALLOC_RANGE_ATOM_H
#define PAGETAX_ALLOC_RANGE_ATOM_H

#include <stdatomic.h>

#ifndef ATOM_STEP
#define ATOM_STEP() ((void)0)
#endif

typedef _Atomic unsigned long atom_word;
_Static_assert(sizeof(atom_word) == sizeof(unsigned long), "no lock inside");

static inline unsigned long atom_load(const atom_word *word)
{
	ATOM_STEP();
	return atomic_load_explicit(word, memory_order_acquire);
}

/*
 * If *word is `expected`, make it `target`. Returns what it was: the swap took
 * place if and only if that is `expected`.
 */
static inline unsigned long atom_cas(atom_word *word, unsigned long expected,
				     unsigned long target)
{
	ATOM_STEP();
	atomic_compare_exchange_strong_explicit(word, &expected, target,
						memory_order_acq_rel,
						memory_order_acquire);
	return expected;
}

static inline void atom_add(atom_word *word, unsigned long n)
{
	ATOM_STEP();
	atomic_fetch_add_explicit(word, n, memory_order_relaxed);
}

static inline void atom_sub(atom_word *word, unsigned long n)
{
	ATOM_STEP();
	atomic_fetch_sub_explicit(word, n, memory_order_relaxed);
}

#endif
