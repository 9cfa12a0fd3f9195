/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host_memory.c - ask the kernel, through /proc, getrusage() and madvise() */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "alloc/registry.h"
#include "sim/host_memory.h"
#include "sim/units.h"

#define HUGE_PAGE (UINT64_C(2) << 20)

static uint64_t huge_pages_up(uint64_t bytes)
{
	return (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

void *host_table_alloc(uint64_t bytes)
{
	void *table;

	if (bytes > SIZE_MAX - HUGE_PAGE)
		return NULL;
	if (bytes < HUGE_PAGE / 2)
		return malloc((size_t)bytes);
	bytes = huge_pages_up(bytes);
	table = aligned_alloc(HUGE_PAGE, (size_t)bytes);
	if (table)
		madvise(table, (size_t)bytes, MADV_HUGEPAGE);
	return table;
}

/* A copy costs less than the page faults of what realloc() would move. */
void *host_table_grow(void *table, size_t used, uint64_t bytes)
{
	void *longer = host_table_alloc(bytes);

	if (!longer)
		return NULL;
	if (used)
		memcpy(longer, table, used);
	free(table);
	return longer;
}

/* What the mapping is too long for a table of whole huge pages goes back. */
static void *map_aligned(uint64_t bytes)
{
	char *mapped = mmap(NULL, (size_t)(bytes + HUGE_PAGE), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t before;

	if (mapped == MAP_FAILED)
		return NULL;
	before = (size_t)(-(uintptr_t)mapped % HUGE_PAGE);
	if (before)
		munmap(mapped, before);
	munmap(mapped + before + bytes, (size_t)HUGE_PAGE - before);
	madvise(mapped + before, (size_t)bytes, MADV_HUGEPAGE);
	return mapped + before;
}

void *host_table_map(uint64_t bytes)
{
	if (bytes < HUGE_PAGE / 2)
		return calloc(1, (size_t)bytes);
	bytes = huge_pages_up(bytes);
	return bytes <= SIZE_MAX - HUGE_PAGE ? map_aligned(bytes) : NULL;
}

void host_table_unmap(void *table, uint64_t bytes)
{
	if (bytes < HUGE_PAGE / 2)
		free(table);
	else if (table)
		munmap(table, (size_t)huge_pages_up(bytes));
}

/* The number behind a label that begins a line; in KiB there. */
static bool read_kib(const char *path, const char *label, uint64_t *bytes)
{
	FILE *file = fopen(path, "r");
	char line[256];
	bool found = false;
	uint64_t kib = 0;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = !strncmp(line, label, strlen(label)) &&
			sscanf(line + strlen(label), " %" SCNu64, &kib) == 1;
	fclose(file);
	if (found)
		*bytes = kib * 1024;
	return found;
}

uint64_t host_memory_available(void)
{
	uint64_t bytes;

	return read_kib("/proc/meminfo", "MemAvailable:", &bytes)
		       ? bytes : UINT64_MAX;
}

uint64_t host_memory_used(void)
{
	uint64_t bytes;

	return read_kib("/proc/self/status", "VmRSS:", &bytes) ? bytes : 0;
}

uint64_t host_memory_peak(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage))
		return 0;
	return (uint64_t)usage.ru_maxrss * 1024;
}

/*
 * No run takes less: the start state, a byte a page, is worked out before the first
 * design's descriptors are written, and those of the first few designs are there
 * at the same time. On top come the blocks in use, some 16 bytes each, and a design's
 * lists: 1 TiB of `tera` took 16.1 GiB with linked where 16.0 are told of here, and
 * 4.3 where it is 4.0 with twoword.
 */
static uint64_t bytes_a_page(const struct host_need *need)
{
	uint64_t first = 0, largest = 1;

	for (unsigned int i = 0; i < need->nr_specs; i++) {
		uint64_t bytes = registry_find(need->specs[i])->desc_bytes +
				 need->page_bytes;

		first += i < need->together ? bytes : 0;
		largest = max_t(uint64_t, largest, bytes);
	}
	return max_t(uint64_t, first, largest);
}

int host_memory_check(const char *name, const struct layout *layout,
		      const struct host_need *need, struct msg *msg)
{
	uint64_t pages = layout_end_pfn(layout), available = host_memory_available();
	uint64_t needed = pages * bytes_a_page(need);
	char a[32], b[32], c[32];

	if (needed <= available)
		return 0;
	return msg_set(msg, ENOMEM,
		       "%s: a machine of %s needs at least %s of this host's memory, which has %s to give; %s",
		       name, format_bytes(pages << PAGE_SHIFT, a, sizeof(a)),
		       format_bytes(needed, b, sizeof(b)),
		       format_bytes(available, c, sizeof(c)), need->advice);
}
