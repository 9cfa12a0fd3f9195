/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cost_table.c - a column for each counter of base/cost.h, per operation */
#include <string.h>

#include "sim/report/cost_table.h"

#define NAME_WIDTH 16			/* the columns take 84 of 100 */

/* The two lines above each column, in the order of COSTS. */
static const char *const heads[NR_COSTS][2] = {
	{ "words", "read" }, { "words", "writ." }, { "lines", "read" },
	{ "lines", "writ." }, { "lines", "either" }, { "bits", "read" },
	{ "bytes", "moved" }, { "list", "entries" }, { "tree", "nodes" },
	{ "locked", "tries" }, { "in", "vain" }, { "chunks", "tried" },
};

static void print_head(FILE *out)
{
	for (unsigned int line = 0; line < 2; line++) {
		fprintf(out, "%-*s", NAME_WIDTH, line ? "per operation" : "metadata");
		for (unsigned int i = 0; i < NR_COSTS; i++)
			fprintf(out, " %6s", heads[i][line]);
		fprintf(out, "\n");
	}
}

void cost_table_print(FILE *out, const struct cost_row *rows, unsigned int nr)
{
	bool begun = false;

	for (unsigned int row = 0; row < nr; row++) {
		const char *name = rows[row].name;

		if (!rows[row].sums->nr_ops)
			continue;
		if (!begun)
			print_head(out);
		begun = true;
		if (strlen(name) > NAME_WIDTH) {
			fprintf(out, "%s\n", name);
			name = "";
		}
		fprintf(out, "%-*s", NAME_WIDTH, name);
		for (unsigned int i = 0; i < NR_COSTS; i++)
			fprintf(out, " %6.*f", cost_per_op(rows[row].sums, i) < 1000 ? 2 : 0,
				cost_per_op(rows[row].sums, i));
		fprintf(out, "\n");
	}
}
