/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * singles.h - blocks of any order from a design that has single pages only
 *
 * An emulation, and asked for as such: the pages of a block lie anywhere
 * (allocator_ops.next_page), so it is never what the design is said to do.
 */
#ifndef PAGETAX_ALLOC_SINGLES_H
#define PAGETAX_ALLOC_SINGLES_H

#include "alloc/allocator.h"

/*
 * Wrap a backend that has every page reserved still, and take it over:
 * destroying *out destroys both. Only for one that types, parks and ages no
 * page and takes parts of a block as they come. Returns 0, or -ENOMEM with a
 * message; then `inner` is the caller's as before.
 */
int singles_wrap(struct allocator **out, struct allocator *inner,
		 struct msg *msg);

#endif
