/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_scenario.c - a described workload */
#include <stdio.h>

#include "sim/workload/scenario.h"
#include "tests/sim_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *path = fuzz_file(data, len);
	struct msg msg = { "" };
	struct scenario s;
	int err = scenario_read(&s, path, 1, &msg);

	fuzz_answer(err, &msg);
	if (!err)
		scenario_free(&s);
	return 0;
}
