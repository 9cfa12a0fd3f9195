/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_allocatee.c - a table of owners, and a question to it */
#include "sim/metrics/allocatee.h"
#include "sim/source/gfp.h"
#include "tests/sim_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct allocatee_table table;
	struct msg msg = { "" };
	int err = allocatee_table_load(&table, fuzz_file(data, len), &msg);

	fuzz_answer(err, &msg);
	if (err)
		return 0;
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		allocatee_bytes(&table,
				allocatee_classify(&table, GFP(IO) | GFP(ZERO), order,
						   order % 3, "kworker/0:1"),
				UINT64_C(1) << order);
	return 0;
}
