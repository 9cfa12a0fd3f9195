/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_perf_text.c - whatever stands below a line of `perf script` */
#include "tests/sim_fuzz.h"

static const char head[] = "sh 1 [000] 1.000000: kmem:kfree: ptr=0x1\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	return fuzz_trace(head, sizeof(head) - 1, data, len);
}
