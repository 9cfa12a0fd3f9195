/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table.h - results on the terminal: a row for each allocator, 80 columns and more with a long name */
#ifndef PAGETAX_SIM_REPORT_TABLE_H
#define PAGETAX_SIM_REPORT_TABLE_H

#include <stdio.h>

#include "base/types.h"

struct replay_run;
struct layout;

struct table_row {
	const char *allocator;
	double total_percent;		/* of the machine's memory; NAN: not known */
	double static_percent;
	uint64_t dynamic_peak_bytes;
	double share_2m;		/* 0 to 1, at the end, as is the next */
	double unusable_order9;
	uint64_t failed_allocs;
	uint64_t refused;		/* of those, beyond the design's abilities */
	double kmap_per_op;
	double ns_per_op;		/* below 0: not known */
	bool verified;
};

void table_row_of_run(struct table_row *row, const struct replay_run *run,
		      const struct layout *layout);
void table_print(FILE *out, const struct table_row *rows, unsigned int nr_rows);

#endif
