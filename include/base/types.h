/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * types.h - the few words every layer uses
 *
 * A pfn is an unsigned long, as in the kernel; sizes in bytes that may pass
 * 4 GiB are uint64_t, because a 32-bit build simulates 64 GiB machines.
 */
#ifndef PAGETAX_BASE_TYPES_H
#define PAGETAX_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"

#define PFN_NONE (~0UL)			/* no page: a failed allocation, an empty list */

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define __noinline   __attribute__((noinline))
#ifndef __always_inline			/* a C library may have it */
#define __always_inline inline __attribute__((always_inline))
#endif
#define __printf(fmt, args) __attribute__((format(printf, fmt, args)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#define container_of_const(ptr, type, member) \
	((const type *)((const char *)(ptr) - offsetof(type, member)))

#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define max_t(type, a, b) ((type)(a) > (type)(b) ? (type)(a) : (type)(b))

/* Mobility types, numbered as Linux numbers them since 4.4. */
enum migratetype {
	MIGRATE_UNMOVABLE,
	MIGRATE_MOVABLE,
	MIGRATE_RECLAIMABLE,
	MIGRATE_HIGHATOMIC,
	MIGRATE_ISOLATE,
	NR_MIGRATETYPES,
};

/* The block that a block of this order merges with. */
static inline unsigned long pfn_buddy(unsigned long pfn, unsigned int order)
{
	return pfn ^ (1UL << order);
}

#endif
