/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record.c - lines as perf script prints them */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "sim/record.h"
#include "sim/source/gfp.h"

#define SECOND_NS UINT64_C(1000000000)

/* Where a struct page of 64 bytes would lie: page 0 must not look like none. */
static uint64_t page_address(unsigned long pfn)
{
	return UINT64_C(0xffffea0000000000) + (uint64_t)pfn * 64;
}

int record_open(struct record *r, const char *path, struct msg *msg)
{
	/* Never over somebody's file. */
	*r = (struct record){ .file = fopen(path, "wx"), .path = path };
	if (r->file)
		return 0;
	return msg_set(msg, errno, "--record %s: %s", path, strerror(errno));
}

int record_close(struct record *r, struct msg *msg)
{
	bool failed = ferror(r->file);

	if (fclose(r->file))
		failed = true;
	r->file = NULL;
	if (!failed)
		return 0;
	unlink(r->path);
	return msg_set(msg, EIO, "--record %s: cannot be written: %s", r->path,
		       strerror(errno ? errno : EIO));
}

void record_abort(struct record *r)
{
	if (!r->file)
		return;
	fclose(r->file);
	unlink(r->path);
	r->file = NULL;
}

static void print_head(struct record *r, const struct record_who *who,
		       const char *event)
{
	fprintf(r->file, "%16s %5u [%03u] %5" PRIu64 ".%09" PRIu64 ": %26s: ",
		who->name, who->class + 1, who->cpu, who->time_ns / SECOND_NS,
		who->time_ns % SECOND_NS, event);
}

void record_alloc(struct record *r, const struct record_who *who,
		  unsigned long pfn, unsigned int order,
		  unsigned int migratetype, uint32_t gfp)
{
	char flags[512];

	print_head(r, who, "kmem:mm_page_alloc");
	if (pfn == PFN_NONE)
		fprintf(r->file, "page=(nil) pfn=0x0");
	else
		fprintf(r->file, "page=0x%" PRIx64 " pfn=0x%lx",
			page_address(pfn), pfn);
	fprintf(r->file, " order=%u migratetype=%u gfp_flags=%s\n", order,
		migratetype, gfp_format(gfp, flags, sizeof(flags)));
}

void record_free(struct record *r, const struct record_who *who,
		 unsigned long pfn, unsigned int order)
{
	print_head(r, who, "kmem:mm_page_free");
	fprintf(r->file, "page=0x%" PRIx64 " pfn=0x%lx order=%u\n",
		page_address(pfn), pfn, order);
}
