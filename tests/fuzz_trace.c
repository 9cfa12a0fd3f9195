/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_trace.c - any bytes: which format they are is asked first; zstd, too */
#include "tests/sim_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	return fuzz_trace(NULL, 0, data, len);
}
