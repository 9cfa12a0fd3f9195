/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meta.h - the columns in which metadata is counted
 *
 * Metadata is never one number. A byte is charged to the column that says who
 * would pay for it in a real kernel; reports add columns up as they like.
 */
#ifndef PAGETAX_MACHINE_META_H
#define PAGETAX_MACHINE_META_H

#include "base/types.h"

/* x(name, what it holds); all in bytes */
#define META_COLUMNS(x)                                                      \
	x(descriptors, "words kept for every page that exists")              \
	x(structures,  "free-list heads, interior nodes, bitmaps, indexes")  \
	x(nodes,       "pages and objects taken while running: leaves, struct buddy") \
	x(caller,      "what the caller must keep to be able to free: sizes, lists of pages")      \
	x(borrowed,    "words borrowed from somebody else's page descriptor") \
	x(inband,      "links kept inside free memory")                      \
	x(parked,      "free memory parked in per-CPU lists")

enum meta_column {
#define META_ENUM(name, what) META_##name,
	META_COLUMNS(META_ENUM)
#undef META_ENUM
	NR_META_COLUMNS,
};

extern const char *const meta_column_names[NR_META_COLUMNS];
extern const char *const meta_column_help[NR_META_COLUMNS];

struct meta_account {
	uint64_t now[NR_META_COLUMNS];
	uint64_t peak[NR_META_COLUMNS];
	uint64_t lowmem;		/* of the allocator's own, not in highmem */
	uint64_t lowmem_peak;
};

/* The allocator's own memory; the other columns lie where others' memory is. */
static inline bool meta_is_own(enum meta_column col)
{
	return col <= META_nodes;
}

static inline void meta_charge_high(struct meta_account *acct,
				    enum meta_column col, uint64_t bytes)
{
	acct->now[col] += bytes;
	if (acct->now[col] > acct->peak[col])
		acct->peak[col] = acct->now[col];
}

static inline void meta_uncharge_high(struct meta_account *acct,
				      enum meta_column col, uint64_t bytes)
{
	acct->now[col] -= bytes;
}

/* Memory with an address of its own, as all has but a page of highmem. */
static inline void meta_charge(struct meta_account *acct, enum meta_column col,
			       uint64_t bytes)
{
	meta_charge_high(acct, col, bytes);
	if (!meta_is_own(col))
		return;
	acct->lowmem += bytes;
	if (acct->lowmem > acct->lowmem_peak)
		acct->lowmem_peak = acct->lowmem;
}

static inline void meta_uncharge(struct meta_account *acct,
				 enum meta_column col, uint64_t bytes)
{
	meta_uncharge_high(acct, col, bytes);
	if (meta_is_own(col))
		acct->lowmem -= bytes;
}

#endif
