/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_pagetypeinfo.c - /proc/pagetypeinfo of a machine with a PC's zones */
#include "sim/source/pagetypeinfo.h"
#include "tests/sim_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bundle b = { 0 };
	struct msg msg = { "" };
	struct input in;
	int err = layout_pc(&b.layout, UINT64_C(8) << 30, 2, &msg);

	if (!err)
		err = input_open_memory(&in, "pagetypeinfo", data, len, &msg);
	if (!err) {
		err = pagetypeinfo_read(&b, &in, &msg);
		input_close(&in);
	}
	fuzz_answer(err, &msg);
	bundle_free(&b);
	return 0;
}
