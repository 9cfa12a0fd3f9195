/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table.c - rows of figures, aligned */
#include <inttypes.h>
#include <string.h>

#include "sim/metrics/fragmentation.h"
#include "sim/replay.h"
#include "sim/report/table.h"
#include "sim/units.h"

#define NAME_MIN 9
#define NAME_MAX 22			/* the figures take 71 of 80 columns */

void table_row_of_run(struct table_row *row, const struct replay_run *run,
		      const struct layout *layout)
{
	const struct sample *last = &run->series.samples[run->series.nr - 1];
	double ops = run->ops_done ? (double)run->ops_done : 1;
	unsigned long nr_free[NR_PAGE_ORDERS];

	sample_sum_zones(last, layout->nr_zones, nr_free);
	*row = (struct table_row){
		.allocator = run->spec,
		.total_percent = tax_percent(tax_total(&run->tax), layout),
		.static_percent = tax_percent(run->tax.static_bytes, layout),
		.dynamic_peak_bytes = run->tax.dynamic_peak_bytes,
		.share_2m = free_share_2m(nr_free),
		.unusable_order9 =
			unusable_free_index(nr_free, PAGEBLOCK_ORDER) / 1000.0,
		.failed_allocs = run->stats.failed_allocs,
		.refused = run->stats.refused,
		.kmap_per_op = (double)run->kmap.calls / ops,
		.ns_per_op = run->cpu_s * 1e9 / ops,
		.verified = run->verified,
	};
}

static int name_width(const struct table_row *rows, unsigned int nr_rows)
{
	size_t width = NAME_MIN;

	for (unsigned int i = 0; i < nr_rows; i++)
		width = max_t(size_t, width, strlen(rows[i].allocator));
	return (int)min_t(size_t, width, NAME_MAX);
}

static void print_row(FILE *out, const struct table_row *row, int width)
{
	const char *name = row->allocator;
	char bytes[32], total[32] = "-", ns[32] = "-";

	/* A name too long for its column gets a line of its own. */
	if (strlen(name) > (size_t)width) {
		fprintf(out, "%s\n", name);
		name = "";
	}
	if (row->total_percent >= 0)
		snprintf(total, sizeof(total), "%.4f", row->total_percent);
	if (row->ns_per_op >= 0)
		snprintf(ns, sizeof(ns), "%.1f", row->ns_per_op);
	fprintf(out, "%-*s %7s %7.4f %9s %7.2f %8.3f %7" PRIu64 " %6.3f %6s %5s\n",
		width, name, total, row->static_percent,
		format_bytes(row->dynamic_peak_bytes, bytes, sizeof(bytes)),
		100 * row->share_2m, row->unusable_order9,
		row->failed_allocs, row->kmap_per_op, ns,
		row->verified ? "yes" : "NO");
}

/* One line below the table, if any design was asked for what it cannot do. */
static void print_refused(FILE *out, const struct table_row *rows,
			  unsigned int nr_rows)
{
	const char *before = "Refused, as beyond the design: ";

	for (unsigned int i = 0; i < nr_rows; i++) {
		if (!rows[i].refused)
			continue;
		fprintf(out, "%s%s %" PRIu64, before, rows[i].allocator,
			rows[i].refused);
		before = ", ";
	}
	if (*before == ',')
		fputc('\n', out);
}

void table_print(FILE *out, const struct table_row *rows, unsigned int nr_rows)
{
	int width = name_width(rows, nr_rows);

	fprintf(out, "%-*s %7s %7s %9s %7s %8s %7s %6s %6s %5s\n", width, "",
		"whole", "static", "dynamic", "2 MiB", "unusable", "failed",
		"kmaps", "ns", "veri-");
	fprintf(out, "%-*s %7s %7s %9s %7s %8s %7s %6s %6s %5s\n", width,
		"allocator", "tax %", "tax %", "peak", "share %", "order 9",
		"allocs", "per op", "per op", "fied");
	for (unsigned int i = 0; i < nr_rows; i++)
		print_row(out, &rows[i], width);
	print_refused(out, rows, nr_rows);
}
