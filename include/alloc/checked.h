/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checked.h - a shadow of every page around any backend
 *
 * The wrapper is an allocator itself: who holds it cannot tell it from what is
 * inside, but overlap, double free, misalignment, lost memory and a map left
 * behind end the run at the operation that did it.
 */
#ifndef PAGETAX_ALLOC_CHECKED_H
#define PAGETAX_ALLOC_CHECKED_H

#include "alloc/allocator.h"

/*
 * Wrap a backend that has every page reserved still, and take it over:
 * destroying *out destroys both. A backend without a policy (caps.no_policy)
 * has nothing to check and is given back as it is. Returns 0, or -ENOMEM with
 * a message; then `inner` is the caller's as before.
 */
int checked_wrap(struct allocator **out, struct allocator *inner,
		 struct msg *msg);

/*
 * For tests of the wrapper itself: hand violations to `report` instead of
 * ending the process. The operation that is at fault is then left undone as
 * far as the shadow goes; what the backend does later is not to be trusted.
 */
typedef void checked_report_fn(void *arg, const char *violation);
void checked_set_report(struct allocator *a, checked_report_fn *report,
			void *arg);

#endif
