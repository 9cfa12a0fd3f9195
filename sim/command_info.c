/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command_info.c - pagetax info: what a trace, a bundle or a result holds */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/commands.h"
#include "sim/demand.h"
#include "sim/report/result.h"
#include "sim/report/table.h"
#include "sim/units.h"

/* Traces and bundles */

static void print_counts(const struct trace *t, const struct demand *d)
{
	printf("events      %zu in %.3f s, %u CPUs, %u process names\n",
	       t->nr_events, 1e-9 * (double)d->end_ns, t->nr_cpus, t->nr_comms);
	for (unsigned int k = 0; k < NR_EVENT_KINDS; k++) {
		if (t->by_kind[k])
			printf("  %12" PRIu64 "  %s\n", t->by_kind[k],
			       event_kind_names[k]);
	}
	if (t->other_events)
		printf("  %12" PRIu64 "  lines of other events\n", t->other_events);
}

static void print_demand(const struct demand *d)
{
	char bytes[32];

	printf("demand      %zu operations: %" PRIu64 " allocations, %" PRIu64
	       " frees, %" PRIu64 " splits; at most %s in use\n",
	       d->nr_ops, d->nr_allocs, d->nr_frees, d->nr_splits,
	       format_bytes(d->peak_live_pages << PAGE_SHIFT, bytes, sizeof(bytes)));
	for (unsigned int i = 0; i < NR_DEMAND_DIRTY; i++) {
		uint64_t n = demand_dirty_get(&d->dirty, i);

		if (n)
			printf("  %12" PRIu64 "  %-16s %s\n", n,
			       demand_dirty_names[i], demand_dirty_help[i]);
	}
}

static void print_machine(const struct bundle *b)
{
	const struct layout *l = &b->layout;
	char bytes[32];

	printf("machine     %s in %u zones, %u CPUs%s\n",
	       format_bytes((uint64_t)layout_present(l) << PAGE_SHIFT, bytes,
			    sizeof(bytes)),
	       l->nr_zones, l->nr_cpus,
	       b->has_zoneinfo ? "" : " (made up to fit the trace)");
	for (unsigned int z = 0; z < l->nr_zones; z++) {
		const struct zone *zone = &l->zones[z];

		printf("  %-10s  pfn %lu to %lu, %lu pages managed\n", zone_label(zone),
		       zone->start_pfn, zone_end_pfn(zone), zone->managed);
	}
	if (b->has_snapshot)
		printf("start       %zu free blocks, %zu resident blocks freed later\n",
		       b->nr_free_blocks, b->nr_resident_blocks);
	else
		printf("start       no snapshot: all is free but what the trace frees first\n");
}

/* What a converted trace was before. */
static void print_source(const struct trace *t)
{
	if (strcmp(t->source.sha256, t->sha256))
		printf("source      %s, %s, sha256 %s\n", t->source.name,
		       t->source.format, t->source.sha256);
}

static enum status info_input(const char *path, uint64_t limit, struct msg *msg)
{
	struct bundle bundle;
	struct demand demand;
	int err = bundle_read(&bundle, path, limit, msg);

	if (err)
		return STATUS_FAILED;
	err = demand_resolve(&demand, &bundle, &bundle.layout, msg);
	if (!err) {
		printf("name        %s\n", bundle.name);
		printf("format      %s\n", bundle.trace.format);
		printf("sha256      %s\n", bundle.trace.sha256);
		print_source(&bundle.trace);
		print_counts(&bundle.trace, &demand);
		print_machine(&bundle);
		print_demand(&demand);
		demand_free(&demand);
	}
	bundle_free(&bundle);
	return err ? STATUS_FAILED : STATUS_DONE;
}

/* Result folders */

/* 0 for what is not there. */
static double number_at(const json_t *object, const char *key, const char *inner)
{
	double value = json_number_at(object, key, inner);

	return isnan(value) ? 0 : value;
}

static void row_of_json(struct table_row *row, const json_t *run,
			double memory_bytes)
{
	*row = (struct table_row){
		.allocator = json_text_at(run, "allocator"),
		.total_percent = json_number_at(run, "metadata", "total_percent"),
		.static_percent = memory_bytes > 0 ?
			100 * number_at(run, "metadata", "static_bytes") /
			memory_bytes : 0,
		.dynamic_peak_bytes = (uint64_t)
			number_at(run, "metadata", "dynamic_peak_bytes"),
		.share_2m = number_at(run, "contiguity", "share_2m"),
		.unusable_order9 = number_at(run, "contiguity", "unusable_order9"),
		.failed_allocs = (uint64_t)number_at(run, "failed_allocs", NULL),
		.refused = (uint64_t)number_at(run, "refused", NULL),
		.kmap_per_op = number_at(run, "kmap", "per_op"),
		.ns_per_op = -1,
		.verified = json_is_true(json_object_get(run, "verified")),
	};
}

static void print_runs(const json_t *root)
{
	const json_t *runs = json_object_get(root, "runs");
	double memory_bytes = number_at(root, "machine", "memory_bytes");
	size_t nr = json_array_size(runs);
	struct table_row *rows = calloc(nr + 1, sizeof(*rows));

	if (!rows)
		return;
	for (size_t i = 0; i < nr; i++)
		row_of_json(&rows[i], json_array_get(runs, i), memory_bytes);
	table_print(stdout, rows, (unsigned int)nr);
	free(rows);
}

static enum status info_result(const char *path, struct msg *msg)
{
	const json_t *input;
	struct result r;

	if (result_load(&r, path, msg))
		return STATUS_FAILED;
	input = json_object_get(r.summary, "input");
	printf("result      %s, by pagetax %s %s\n", r.path,
	       json_text_at(r.summary, "version"), json_text_at(r.summary, "command"));
	printf("input       %s, %.0f events, sha256 %s\n",
	       json_text_at(input, "name"), number_at(input, "events", NULL),
	       json_text_at(input, "sha256"));
	print_runs(r.summary);
	result_free(&r);
	return STATUS_DONE;
}

enum status command_info(const struct options *o, struct msg *msg)
{
	static const char *const of_results[] = { "summary.json", "validation.json" };
	char path[4096];

	for (size_t i = 0; i < ARRAY_SIZE(of_results); i++) {
		snprintf(path, sizeof(path), "%s/%s", o->args[0], of_results[i]);
		if (!access(path, F_OK))
			return info_result(o->args[0], msg);
	}
	return info_input(o->args[0], o->limit, msg);
}
