/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_zoneinfo.c - /proc/zoneinfo, what it says of pages and of per-CPU lists */
#include "sim/source/zoneinfo.h"
#include "tests/sim_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct layout layout = { 0 };
	struct recorded_pcps pcps = { 0 };
	struct msg msg = { "" };
	struct input in;
	int err = input_open_memory(&in, "zoneinfo", data, len, &msg);

	if (!err) {
		err = zoneinfo_read(&layout, &pcps, &in, &msg);
		input_close(&in);
	}
	fuzz_answer(err, &msg);
	recorded_pcps_free(&pcps);
	layout_free(&layout);
	return 0;
}
