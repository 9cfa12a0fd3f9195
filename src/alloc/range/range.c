/* SPDX-License-Identifier: GPL-2.0-or-later */
/* range.c - what all ranges have in common: names and creation */
#include <errno.h>
#include <string.h>

#include "alloc/range.h"

/* One line for each backend: its file has a table named <name>_range_ops. */
#define RANGES(x)          \
	x(genalloc)        \
	x(genalloc_twobit) \
	x(genalloc_split)  \
	x(percpu_map)      \
	x(percpu_bitmap)   \
	x(nta)             \
	x(nta_trimmed)

#define RANGE_DECLARE(name) extern const struct range_ops name##_range_ops;
RANGES(RANGE_DECLARE)
#undef RANGE_DECLARE

const struct range_ops *const range_registry[] = {
#define RANGE_ENTRY(name) &name##_range_ops,
	RANGES(RANGE_ENTRY)
#undef RANGE_ENTRY
	NULL,
};

int range_create(struct range **out, const char *spec, struct machine *m,
		 struct msg *msg)
{
	size_t len = strcspn(spec, ":");
	const char *options = spec[len] ? spec + len + 1 : NULL;

	for (size_t i = 0; range_registry[i]; i++) {
		const struct range_ops *ops = range_registry[i];
		struct option_set set;
		int err;

		if (strlen(ops->name) != len || memcmp(ops->name, spec, len))
			continue;
		err = option_parse(&set, ops->options, ops->name, options, msg);
		return err ? err : ops->create(out, ops, m, &set, msg);
	}
	return msg_set(msg, EINVAL, "unknown range '%.*s'", (int)len, spec);
}

void range_init(struct range *r, const struct range_ops *ops,
		struct machine *m)
{
	r->ops = ops;
	r->machine = m;
	r->caps = ops->caps;
}

bool range_is_free(const struct range *r, unsigned long first, unsigned long nr)
{
	struct range_run run;

	return r->ops->next_free(r, first, first + nr, &run) && run.nr == nr;
}
