/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * registry.h - every backend, found by name
 *
 * Adding one takes its file and a line in src/alloc/registry.c.
 */
#ifndef PAGETAX_ALLOC_REGISTRY_H
#define PAGETAX_ALLOC_REGISTRY_H

#include "alloc/allocator.h"

/* All backends, in the order in which tables show them; ends with NULL. */
extern const struct allocator_ops *const allocator_registry[];

/* NULL when there is none of that name (up to the first ':'). */
const struct allocator_ops *registry_find(const char *spec);

/*
 * Make an allocator from "name" or "name:key=value:...". When `checked`, it
 * is wrapped in the shadow of src/alloc/checked.c. 0, or a negative errno
 * with a message.
 */
int allocator_create(struct allocator **out, const char *spec, bool checked,
		     struct machine *m, struct msg *msg);

/* Wrap a backend so that overlap, double free, misalignment and lost memory
 * end the run with a message (src/alloc/checked.c). Takes over `inner`. */
int checked_wrap(struct allocator **out, struct allocator *inner,
		 struct msg *msg);

#endif
