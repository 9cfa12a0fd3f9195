/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * array.h - arrays to which one element at a time is added
 *
 *	if (array_grow(list->pfns, list->nr))
 *		return -ENOMEM;
 *	list->pfns[list->nr++] = pfn;
 *
 * Room doubles, so it is full only when the number of elements is a power of two,
 * and need not be remembered. An array that came about in another way, as a copy
 * that fits, has no room behind it and must not be grown so.
 */
#ifndef PAGETAX_BASE_ARRAY_H
#define PAGETAX_BASE_ARRAY_H

#include <errno.h>
#include <stdlib.h>

/* Room for one more than nr, NULL and 0 at first. 0; or -ENOMEM, and all is as it was. */
#define array_grow(array, nr) ({                                                     \
	size_t nr_ = (nr);                                                           \
	__typeof__(array) grown_ = (array);                                          \
	if (!(nr_ & (nr_ - 1)))                                                      \
		grown_ = realloc(grown_, (nr_ ? 2 * nr_ : 1) * sizeof(*grown_));     \
	if (grown_)                                                                  \
		(array) = grown_;                                                    \
	grown_ ? 0 : -ENOMEM; })

#endif
