/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * registry.c - the list of backends, and making one from what a user wrote
 *
 *    "twoword:removal=punch:inline=0"
 *     ------- ----------------------
 *     name    options, checked against the backend's table
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "alloc/checked.h"
#include "alloc/registry.h"
#include "base/names.h"

/* The slab pages of memdesc need room for the structs of a split. */
#if PAGE_SIZE >= 48 * (MAX_PAGE_ORDER + 1)
#define MEMDESC(x) x(memdesc)
#else
#define MEMDESC(x)
#endif

/* One line for each backend: its file ends with a table named <name>_ops. */
#define BACKENDS(x)        \
	x(linked)          \
	x(twoword)         \
	MEMDESC(x)         \
	x(embedded16)      \
	x(packed8)         \
	x(inpage)          \
	x(hybrid)          \
	x(llfree)          \
	x(genalloc)        \
	x(genalloc_twobit) \
	x(genalloc_split)  \
	x(percpu_map)      \
	x(percpu_bitmap)   \
	x(nta)             \
	x(nta_trimmed)     \
	x(null)

#define BACKEND_DECLARE(name) extern const struct allocator_ops name##_ops;
BACKENDS(BACKEND_DECLARE)
#undef BACKEND_DECLARE

const struct allocator_ops *const allocator_registry[] = {
#define BACKEND_ENTRY(name) &name##_ops,
	BACKENDS(BACKEND_ENTRY)
#undef BACKEND_ENTRY
	NULL,
};

static size_t name_len(const char *spec)
{
	return strcspn(spec, ":");
}

const struct allocator_ops *registry_find(const char *spec)
{
	size_t len = name_len(spec);

	for (size_t i = 0; allocator_registry[i]; i++) {
		const char *name = allocator_registry[i]->name;

		if (strlen(name) == len && memcmp(name, spec, len) == 0)
			return allocator_registry[i];
	}
	return NULL;
}

static int unknown_allocator(const char *spec, struct msg *msg)
{
	struct names names = { 0 };

	for (size_t i = 0; allocator_registry[i]; i++)
		names_add(&names, "%s", allocator_registry[i]->name);
	return msg_set(msg, EINVAL, "unknown allocator '%.*s'; there are %s",
		       (int)name_len(spec), spec, names.text);
}

int allocator_create(struct allocator **out, const char *spec, bool checked,
		     struct machine *m, struct msg *msg)
{
	const struct allocator_ops *ops = registry_find(spec);
	const char *options = strchr(spec, ':');
	struct option_set set;
	struct allocator *a;
	int err;

	if (!ops)
		return unknown_allocator(spec, msg);
	err = option_parse(&set, ops->options, ops->name,
			   options ? options + 1 : NULL, msg);
	if (err)
		return err;
	err = ops->create(&a, m, &set, msg);
	if (err)
		return err;
	if (checked) {
		err = checked_wrap(&a, a, msg);
		if (err) {
			allocator_destroy(a);
			return err;
		}
	}
	*out = a;
	return 0;
}
