/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host_memory.h - the memory of the machine that simulates, in bytes */
#ifndef PAGETAX_SIM_HOST_MEMORY_H
#define PAGETAX_SIM_HOST_MEMORY_H

#include "base/msg.h"
#include "base/types.h"
#include "machine/layout.h"

/*
 * Memory that is visited in any order: from 1 MiB on it asks for the host's
 * huge pages, of 2 MiB. NULL when there is none; free() gives it back.
 */
void *host_table_alloc(uint64_t bytes);

/* As realloc(), of which the first `used` bytes are kept. */
void *host_table_grow(void *table, size_t used, uint64_t bytes);

/*
 * The same, all zero, for what may be much larger than what is touched of it.
 * NULL when there is none; goes back with the same number of bytes.
 */
void *host_table_map(uint64_t bytes);
void host_table_unmap(void *table, uint64_t bytes);

/* What may still be taken without swapping; UINT64_MAX when it cannot be known. */
uint64_t host_memory_available(void);

/* What a run asks of the host, at the least. */
struct host_need {
	char *const *specs;		/* of allocators */
	unsigned int nr_specs;
	unsigned int together;		/* of them, each with its own machine */
	unsigned int page_bytes;	/* for every page, besides descriptors */
	const char *advice;		/* what a user whose host is too small can do */
};

/*
 * Whether the host has memory for a machine's descriptors. 0, or -ENOMEM with a
 * message that names both; `name` is what brings the machine.
 */
int host_memory_check(const char *name, const struct layout *layout,
		      const struct host_need *need, struct msg *msg);

/* Resident now, and at most so far; 0 when unknown. */
uint64_t host_memory_used(void);
uint64_t host_memory_peak(void);

#endif
