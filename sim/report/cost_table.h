/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cost_table.h - what operations cost in metadata, a row for each allocator */
#ifndef PAGETAX_SIM_REPORT_COST_TABLE_H
#define PAGETAX_SIM_REPORT_COST_TABLE_H

#include <stdio.h>

#include "base/cost.h"

struct cost_row {
	const char *name;
	const struct cost_sums *sums;
};

/* Rows that nothing was counted for are left out, and so is an empty table. */
void cost_table_print(FILE *out, const struct cost_row *rows, unsigned int nr);

#endif
