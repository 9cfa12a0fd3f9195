/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_trace_dat.c - a trace.dat with any records and names
 *
 *	[ formats of the events | ... | pages of each cpu ]
 *	                              ^
 *	                              only these bytes are changed
 *
 * What comes before the pages is the business of libtracecmd, which is not
 * ours to mend. Pages begin at a multiple of their size.
 */
#include <string.h>

#include "sim/source/trace.h"
#include "tests/sim_fuzz.h"

#define PAGE_BYTES 4096

/* Change a page's records, never its length, or the library loses its way. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room,
			       unsigned int seed)
{
	size_t pages = len / PAGE_BYTES;
	uint8_t page[PAGE_BYTES];
	uint8_t *at;

	(void)room;
	if (pages < 2)
		return len;
	at = data + (1 + seed % (pages - 1)) * PAGE_BYTES + 20;
	memcpy(page, at, sizeof(page) - 20);
	if (LLVMFuzzerMutate(page, sizeof(page) - 20, sizeof(page) - 20))
		memcpy(at, page, sizeof(page) - 20);
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct msg msg = { "" };
	struct trace trace;
	int err = trace_read(&trace, fuzz_file(data, len), 0, &msg);

	fuzz_answer(err, &msg);
	if (!err)
		trace_free(&trace);
	return 0;
}
