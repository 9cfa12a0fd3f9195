/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_bundle.c - a recording's folder, read and replayed */
#include "tests/sim_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const names[] = {
		"events.txt", "machine.txt", "zoneinfo.start", "pagetypeinfo.start",
		"kpageflags.start", "kpageflags.start.times",
		"kpageflags.end", "kpageflags.end.times",
		"buddyinfo.tsv", "counters.tsv",
	};

	fuzz_recording(fuzz_folder(data, len, names, ARRAY_SIZE(names)));
	return 0;
}
