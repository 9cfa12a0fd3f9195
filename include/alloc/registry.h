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
 * is wrapped in the shadow of src/alloc/checked.c (alloc/checked.h). 0, or a
 * negative errno with a message that lists what is allowed.
 */
int allocator_create(struct allocator **out, const char *spec, bool checked,
		     struct machine *m, struct msg *msg);

#endif
