/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * llfree_records.c - the reader of what LLFree's replay benchmark replays
 *
 *	page 0     pages | cores | highest pfn              u32 each
 *	page 1..   cpu | . . . | 255 records                each page of one cpu
 *	           4     12      16 bytes each
 *
 *	record     time in us | pfn | alloc | order | gfp | process
 *	bits       0          38    62      63      67    96      128
 *
 * Pages are 4 KiB, numbers little-endian; pfn 0 ends a page before its end.
 * Events of several cpus are brought into one order by time, and by their
 * place in the file where the times are equal.
 *
 * The format has no magic, so it is told by what cannot be chance: a header of
 * possible numbers, and a page of them after it. Nor has it failed allocations,
 * migratetypes (taken from gfp as Linux does), process names ("pid 7" stands
 * for them), or marks of what was lost.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/source/gfp.h"
#include "sim/source/little_endian.h"
#include "sim/source/reader.h"

#define RECORD_PAGE_BYTES 4096u
#define RECORD_BYTES 16u
#define RECORDS_AT 16u			/* in a page: aligned to their size */
#define RECORDS_PER_PAGE 255u
#define RECORD_PFNS (UINT32_C(1) << 24)
#define PAGE_CACHE (UINT32_C(1) << 28)	/* LLFree's own mark among the gfp bits */

struct header {
	uint32_t pages;
	uint32_t cores;
	uint32_t max_pfn;
};

struct record {
	uint64_t time_us;
	uint32_t pfn;
	bool alloc;
	uint8_t order;
	uint32_t gfp;			/* in LLFree's bits */
	uint32_t process;
};

/* What each bit of a record's gfp means; they are those of one kernel. */
static const uint32_t gfp_of_bit[] = {
	GFP(DMA), GFP(HIGHMEM), GFP(DMA32), GFP(MOVABLE), GFP(RECLAIMABLE),
	GFP(HIGH), GFP(IO), GFP(FS), GFP(ZERO), GFP(HIGH), GFP(DIRECT_RECLAIM),
	GFP(KSWAPD_RECLAIM), GFP(WRITE), GFP(NOWARN), GFP(RETRY_MAYFAIL),
	GFP(NOFAIL), GFP(NORETRY), GFP(MEMALLOC), GFP(COMP), GFP(NOMEMALLOC),
	GFP(HARDWALL), GFP(THISNODE), GFP(ACCOUNT), GFP(ZEROTAGS),
};

static struct header get_header(const uint8_t *page)
{
	return (struct header){ get_le32(page), get_le32(page + 4), get_le32(page + 8) };
}

static struct record get_record(const uint8_t *p)
{
	uint64_t low = get_le64(p);
	uint64_t high = get_le64(p + 8);

	return (struct record){
		.time_us = low & ((UINT64_C(1) << 38) - 1),
		.pfn = (uint32_t)(low >> 38) & (RECORD_PFNS - 1),
		.alloc = low >> 62 & 1,
		.order = (uint8_t)(low >> 63 | (high & 7) << 1),
		.gfp = (uint32_t)(high >> 3) & ((UINT32_C(1) << 29) - 1),
		.process = (uint32_t)(high >> 32),
	};
}

static uint8_t migratetype_of(uint32_t gfp)
{
	if (gfp & GFP(MOVABLE))
		return MIGRATE_MOVABLE;
	return gfp & GFP(RECLAIMABLE) ? MIGRATE_RECLAIMABLE : MIGRATE_UNMOVABLE;
}

static bool header_possible(const struct header *h)
{
	return h->pages && h->cores && h->cores <= MAX_NR_CPUS && h->max_pfn &&
	       h->max_pfn < RECORD_PFNS;
}

/* NULL, or what is wrong. */
static const char *record_wrong(const struct record *r, const struct header *h)
{
	if (r->pfn > h->max_pfn)
		return "a pfn above the highest that the header names";
	if (r->order > MAX_PAGE_ORDER)
		return "an order above the largest block's";
	return NULL;
}

/* ---- reading ---- */

struct record_reader {
	struct trace_builder *b;
	struct input *in;
	struct msg *msg;
	struct header header;
	uint64_t offset;		/* of the page being read */
};

static int bad_record(const struct record_reader *r, unsigned int i, const char *why)
{
	return msg_set(r->msg, EINVAL, "%s: record %u of the page at byte %" PRIu64
		       ": %s", r->in->path, i, r->offset, why);
}

static int add_record(struct record_reader *r, const struct record *record,
		      uint32_t cpu, unsigned int i)
{
	uint32_t gfp = gfp_of_bits(record->gfp & ~PAGE_CACHE, gfp_of_bit,
				   ARRAY_SIZE(gfp_of_bit));
	struct event ev = {
		.time_ns = record->time_us * 1000,
		.pfn = record->pfn,
		.gfp = record->alloc ? gfp : 0,
		.cpu = (uint16_t)cpu,
		.kind = record->alloc ? EV_ALLOC : EV_FREE,
		.order = record->order,
		.migratetype = record->alloc ? migratetype_of(gfp) : 0,
	};
	const char *wrong = record_wrong(record, &r->header);
	struct msg why;
	char name[24];
	int err, len;

	if (wrong)
		return bad_record(r, i, wrong);
	len = snprintf(name, sizeof(name), "pid %" PRIu32, record->process);
	if (builder_comm(r->b, name, (size_t)len, &ev.comm))
		return msg_set(r->msg, ENOMEM, "%s: no memory for process names",
			       r->in->path);
	err = builder_add(r->b, &ev, &why);
	if (err == -ENOMEM)
		return msg_set(r->msg, ENOMEM, "%s: %s", r->in->path, why.text);
	return err ? bad_record(r, i, why.text) : 0;
}

static int read_page(struct record_reader *r, const uint8_t *page)
{
	uint32_t cpu = get_le32(page);

	if (cpu >= r->header.cores)
		return msg_set(r->msg, EINVAL, "%s: the page at byte %" PRIu64
			       " is of cpu %u; expected one below %u, as the header says",
			       r->in->path, r->offset, cpu, r->header.cores);
	for (unsigned int i = 0; i < RECORDS_PER_PAGE && !builder_full(r->b); i++) {
		struct record record = get_record(page + RECORDS_AT + RECORD_BYTES * i);
		int err;

		if (!record.pfn)
			break;
		err = add_record(r, &record, cpu, i);
		if (err)
			return err;
	}
	return 0;
}

/* The header counts pages, with or without itself. */
static int check_end(const struct record_reader *r, size_t got)
{
	uint64_t nr = r->offset / RECORD_PAGE_BYTES;

	if (!got && nr >= r->header.pages)
		return 0;
	return msg_set(r->msg, EINVAL, "%s: is cut: it ends at byte %" PRIu64
		       "; expected %u whole pages of %u bytes",
		       r->in->path, r->offset + got, r->header.pages, RECORD_PAGE_BYTES);
}

static int llfree_read(struct trace_builder *b, struct input *in, struct msg *msg)
{
	struct record_reader r = { .b = b, .in = in, .msg = msg };
	uint8_t page[RECORD_PAGE_BYTES];

	while (!builder_full(b)) {
		size_t got;
		int err;

		r.offset = input_offset(in, in->start);
		err = input_take(in, page, sizeof(page), &got, msg);
		if (err)
			return err;
		if (got < sizeof(page))
			return check_end(&r, got);
		if (r.offset)
			err = read_page(&r, page);
		else
			r.header = get_header(page);
		if (err)
			return err;
	}
	return 0;
}

static bool llfree_probe(const char *text, size_t len)
{
	const uint8_t *page = (const uint8_t *)text + RECORD_PAGE_BYTES;
	uint64_t last_us = 0;
	struct header header;

	if (len < 2 * RECORD_PAGE_BYTES)
		return false;
	header = get_header((const uint8_t *)text);
	if (!header_possible(&header) || get_le32(page) >= header.cores)
		return false;
	for (unsigned int i = 0; i < RECORDS_PER_PAGE; i++) {
		struct record record = get_record(page + RECORDS_AT + RECORD_BYTES * i);

		if (!record.pfn)
			return i > 0;
		if (record_wrong(&record, &header) || record.time_us < last_us)
			return false;
		last_us = record.time_us;
	}
	return true;
}

const struct trace_reader llfree_records_reader = {
	.name  = "llfree-records",
	.what  = "LLFree's records",
	.probe = llfree_probe,
	.read  = llfree_read,
};
