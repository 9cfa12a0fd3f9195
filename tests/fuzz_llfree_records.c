/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_llfree_records.c - any pages behind a header and a page that make sense
 *
 *	[ header | page of one record | input ]
 */
#include "sim/source/little_endian.h"
#include "tests/sim_fuzz.h"

#define PAGE_BYTES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t head[2 * PAGE_BYTES] = { 0 };
	uint8_t *header = head;

	header = put_le32(header, 2);		/* pages */
	header = put_le32(header, 2);		/* cores */
	put_le32(header, 0xffffff);		/* the highest pfn */
	put_le64(head + PAGE_BYTES + 16, UINT64_C(0x400) << 38 | UINT64_C(1) << 62);
	return fuzz_trace(head, sizeof(head), data, len);
}
