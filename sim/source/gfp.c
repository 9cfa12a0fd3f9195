/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gfp.c - what the flags of an allocation are called, and what they ask for
 *
 * The kernel prints the largest compound name that fits and then what is left
 * over, each once, with bars between them:
 *
 *	GFP_NOFS|__GFP_HIGHMEM|__GFP_MOVABLE|__GFP_COMP
 *	   |
 *	   DIRECT_RECLAIM KSWAPD_RECLAIM IO
 *
 * Compounds mean here what Linux 6.18 means by them. Older kernels differ in
 * flags that place no page: GFP_NOWAIT lacked NOWARN, GFP_ATOMIC had an
 * __GFP_ATOMIC of its own. GFP_HIGHUSER_MOVABLE's SKIP_KASAN is left out: the
 * bit is 0 unless the kernel checks memory with hardware tags.
 */
#include <stdio.h>
#include <string.h>

#include "alloc/allocator.h"
#include "machine/layout.h"
#include "sim/source/gfp.h"

#define RECLAIM       (GFP(DIRECT_RECLAIM) | GFP(KSWAPD_RECLAIM))
#define KERNEL        (RECLAIM | GFP(IO) | GFP(FS))
#define USER          (KERNEL | GFP(HARDWALL))
#define HIGHUSER      (USER | GFP(HIGHMEM))
#define MOVABLE_USER  (HIGHUSER | GFP(MOVABLE))
#define THP_LIGHT     ((MOVABLE_USER | GFP(COMP) | GFP(NOMEMALLOC) | \
			GFP(NOWARN)) & ~RECLAIM)

static const struct gfp_name {
	const char *text;
	uint32_t gfp;
} gfp_names[] = {
#define GFP_ELEMENT(name, text) { text, GFP(name) },
	GFP_FLAGS(GFP_ELEMENT)
#undef GFP_ELEMENT
	{ "__GFP_RECLAIM",          RECLAIM },
	{ "GFP_TRANSHUGE",          THP_LIGHT | GFP(DIRECT_RECLAIM) },
	{ "GFP_TRANSHUGE_LIGHT",    THP_LIGHT },
	{ "GFP_HIGHUSER_MOVABLE",   MOVABLE_USER },
	{ "GFP_HIGHUSER",           HIGHUSER },
	{ "GFP_USER",               USER },
	{ "GFP_KERNEL_ACCOUNT",     KERNEL | GFP(ACCOUNT) },
	{ "GFP_KERNEL",             KERNEL },
	{ "GFP_NOFS",               RECLAIM | GFP(IO) },
	{ "GFP_NOIO",               RECLAIM },
	{ "GFP_ATOMIC",             GFP(HIGH) | GFP(KSWAPD_RECLAIM) },
	{ "GFP_NOWAIT",             GFP(KSWAPD_RECLAIM) | GFP(NOWARN) },
	{ "GFP_DMA",                GFP(DMA) },
	{ "GFP_DMA32",              GFP(DMA32) },
	{ "none",                   0 },

	/* Names that came or went between Linux 4.0 and 6.18. */
	{ "__GFP_ATOMIC",           GFP(HIGH) },
	{ "__GFP_WAIT",             GFP(DIRECT_RECLAIM) },
	{ "__GFP_REPEAT",           GFP(RETRY_MAYFAIL) },
	{ "GFP_TEMPORARY",          KERNEL | GFP(RECLAIMABLE) },
	{ "__GFP_SKIP_KASAN_POISON",   GFP(SKIP_KASAN) },
	{ "__GFP_SKIP_KASAN_UNPOISON", GFP(SKIP_KASAN) },
	{ "__GFP_COLD",             0 },
	{ "__GFP_NOTRACK",          0 },
	{ "__GFP_OTHER_NODE",       0 },
	{ "__GFP_NO_OBJ_EXT",       0 },
};

static uint32_t gfp_by_name(const char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(gfp_names); i++)
		if (strlen(gfp_names[i].text) == len &&
		    !memcmp(gfp_names[i].text, text, len))
			return gfp_names[i].gfp;
	return GFP(UNKNOWN);
}

uint32_t gfp_parse(const char *text, size_t len)
{
	const char *end = text + len;
	uint32_t gfp = 0;

	for (;;) {
		const char *bar = memchr(text, '|', (size_t)(end - text));
		const char *stop = bar ? bar : end;

		gfp |= gfp_by_name(text, (size_t)(stop - text));
		if (!bar)
			return gfp;
		text = bar + 1;
	}
}

uint32_t gfp_cache_miss(struct gfp_cache_line *line, const char *text, size_t len)
{
	uint32_t gfp = gfp_parse(text, len);

	if (len <= sizeof(line->text)) {
		memcpy(line->text, text, len);
		line->len = (uint32_t)len;
		line->gfp = gfp;
	}
	return gfp;
}

uint32_t gfp_of_bits(uint64_t theirs, const uint32_t *ours, size_t nr)
{
	uint32_t gfp = 0;

	for (; theirs; theirs &= theirs - 1) {
		size_t bit = (size_t)__builtin_ctzll(theirs);

		gfp |= bit < nr ? ours[bit] : GFP(UNKNOWN);
	}
	return gfp;
}

char *gfp_format(uint32_t gfp, char *buf, size_t size)
{
	static const char *const names[NR_GFP_BITS] = {
#define GFP_TEXT(name, text) [GFP_BIT_##name] = text,
		GFP_FLAGS(GFP_TEXT)
#undef GFP_TEXT
		[GFP_BIT_UNKNOWN] = "unknown",
	};
	size_t used = 0;

	snprintf(buf, size, "none");
	for (unsigned int bit = 0; bit < NR_GFP_BITS && used < size; bit++) {
		if (gfp >> bit & 1)
			used += (size_t)snprintf(buf + used, size - used, "%s%s",
						 used ? "|" : "", names[bit]);
	}
	return buf;
}

/* Zones in the order in which a kernel falls back through them. */
static unsigned int zone_rank(const char *name)
{
	static const char *const order[] = {
		"DMA", "DMA32", "Normal", "HighMem", "Movable", "Device",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(order); i++)
		if (!strcmp(name, order[i]))
			return i;
	return 2;	/* a zone of another name is as good as Normal */
}

static const char *zone_asked_for(uint32_t gfp)
{
	if (gfp & GFP(DMA))
		return "DMA";
	if (gfp & GFP(DMA32))
		return "DMA32";
	if (!(gfp & GFP(HIGHMEM)))
		return "Normal";
	return gfp & GFP(MOVABLE) ? "Movable" : "HighMem";
}

unsigned int gfp_zone_limit(uint32_t gfp, const struct layout *layout)
{
	unsigned int rank = zone_rank(zone_asked_for(gfp));

	for (unsigned int i = layout->nr_zones; i-- > 1;)
		if (zone_rank(layout->zones[i].name) <= rank)
			return i;
	return 0;
}

struct gfp_zone_limits gfp_zone_limits(const struct layout *layout)
{
	struct gfp_zone_limits limits;

	for (uint32_t gfp = 0; gfp <= GFP_ZONE_MASK; gfp++)
		limits.of[gfp] = (uint8_t)gfp_zone_limit(gfp, layout);
	return limits;
}

unsigned int gfp_alloc_flags(uint32_t gfp)
{
	unsigned int flags = 0;

	if (gfp == GFP(UNKNOWN))	/* says nothing: an ordinary request */
		return 0;
	if (gfp & GFP(HIGH))
		flags |= ALLOC_HIGH_PRIORITY;
	/* Linux lets no NOMEMALLOC request dig deeper for being unable to wait. */
	if (!(gfp & (GFP(DIRECT_RECLAIM) | GFP(NOMEMALLOC))))
		flags |= ALLOC_NON_BLOCKING;
	return flags;
}
