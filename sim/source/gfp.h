/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gfp.h - allocation flags by name
 *
 * Numeric gfp bits move between kernel versions, names do not; so flags are
 * kept as bits of our own, one for each elementary name.
 */
#ifndef PAGETAX_SIM_GFP_H
#define PAGETAX_SIM_GFP_H

#include <string.h>

#include "base/types.h"

/* x(name without underscores, as the kernel prints it) */
#define GFP_FLAGS(x)                             \
	x(DMA,              "__GFP_DMA")          \
	x(HIGHMEM,          "__GFP_HIGHMEM")      \
	x(DMA32,            "__GFP_DMA32")        \
	x(MOVABLE,          "__GFP_MOVABLE")      \
	x(RECLAIMABLE,      "__GFP_RECLAIMABLE")  \
	x(HIGH,             "__GFP_HIGH")         \
	x(IO,               "__GFP_IO")           \
	x(FS,               "__GFP_FS")           \
	x(ZERO,             "__GFP_ZERO")         \
	x(DIRECT_RECLAIM,   "__GFP_DIRECT_RECLAIM") \
	x(KSWAPD_RECLAIM,   "__GFP_KSWAPD_RECLAIM") \
	x(WRITE,            "__GFP_WRITE")        \
	x(NOWARN,           "__GFP_NOWARN")       \
	x(RETRY_MAYFAIL,    "__GFP_RETRY_MAYFAIL") \
	x(NOFAIL,           "__GFP_NOFAIL")       \
	x(NORETRY,          "__GFP_NORETRY")      \
	x(MEMALLOC,         "__GFP_MEMALLOC")     \
	x(COMP,             "__GFP_COMP")         \
	x(NOMEMALLOC,       "__GFP_NOMEMALLOC")   \
	x(HARDWALL,         "__GFP_HARDWALL")     \
	x(THISNODE,         "__GFP_THISNODE")     \
	x(ACCOUNT,          "__GFP_ACCOUNT")      \
	x(ZEROTAGS,         "__GFP_ZEROTAGS")     \
	x(SKIP_ZERO,        "__GFP_SKIP_ZERO")    \
	x(SKIP_KASAN,       "__GFP_SKIP_KASAN")   \
	x(NOLOCKDEP,        "__GFP_NOLOCKDEP")

enum gfp_bit {
#define GFP_BIT(name, text) GFP_BIT_##name,
	GFP_FLAGS(GFP_BIT)
#undef GFP_BIT
	GFP_BIT_UNKNOWN,	/* some name or number we could not read */
	NR_GFP_BITS,
};

#define GFP(name) (UINT32_C(1) << GFP_BIT_##name)

/*
 * Bits of "GFP_KERNEL|__GFP_ZERO" (len bytes): compound names are expanded,
 * unknown ones set GFP(UNKNOWN). A number (0x...) gives GFP(UNKNOWN) too.
 */
uint32_t gfp_parse(const char *text, size_t len);

/*
 * The same through a small cache: a trace of millions of allocations has a few
 * dozen flag strings. Start from an all-zero cache.
 */
#define GFP_CACHE_LINES 128		/* a power of two */

struct gfp_cache_line {
	char text[124];
	uint32_t len;			/* 0: empty */
	uint32_t gfp;
};

struct gfp_cache {
	struct gfp_cache_line lines[GFP_CACHE_LINES];
};

uint32_t gfp_cache_miss(struct gfp_cache_line *line, const char *text,
			size_t len);

static inline uint32_t gfp_parse_cached(struct gfp_cache *cache,
					const char *text, size_t len)
{
	size_t slot = len;
	struct gfp_cache_line *line;

	if (len > 6)		/* 5th: KERNEL or NOFS; middle and end: the rest */
		slot += (unsigned char)text[5] * 7u +
			(unsigned char)text[len / 2] * 31u +
			(unsigned char)text[len - 3] * 5u;
	line = &cache->lines[slot % GFP_CACHE_LINES];
	if (likely(line->len == len && len && !memcmp(line->text, text, len)))
		return line->gfp;
	return gfp_cache_miss(line, text, len);
}

/* Flags in bits of their own, of which ours[i] stands for the i-th of nr. */
uint32_t gfp_of_bits(uint64_t theirs, const uint32_t *ours, size_t nr);

/* Print as elementary names; returns buf. */
char *gfp_format(uint32_t gfp, char *buf, size_t size);

struct layout;

/* Index of the highest zone these flags allow. */
unsigned int gfp_zone_limit(uint32_t gfp, const struct layout *layout);

/* The same for all combinations of the flags that say so, for who asks often. */
#define GFP_ZONE_MASK (GFP(DMA) | GFP(HIGHMEM) | GFP(DMA32) | GFP(MOVABLE))
_Static_assert(GFP_ZONE_MASK == 15, "these flags index a table");

struct gfp_zone_limits {
	uint8_t of[GFP_ZONE_MASK + 1];	/* by gfp & GFP_ZONE_MASK */
};

struct gfp_zone_limits gfp_zone_limits(const struct layout *layout);

/* enum alloc_flags (alloc/allocator.h) that these flags stand for. */
unsigned int gfp_alloc_flags(uint32_t gfp);

#endif
