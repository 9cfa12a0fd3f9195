/* SPDX-License-Identifier: GPL-2.0-or-later */
/* summary.c - summary.json and timing.json */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/host_memory.h"
#include "sim/metrics/fragmentation.h"
#include "sim/report/json_builder.h"
#include "sim/report/summary.h"

/* The value of an option as the user would write it. */
static json_t *option_value(const struct option_spec *spec, unsigned long value)
{
	const char *word = spec->values;

	if (strstr(word, ".."))
		return json_integer((json_int_t)value);
	while (value--) {
		word = strchr(word, '|');
		assert(word);
		word++;
	}
	return json_stringn(word, strcspn(word, "|"));
}

static json_t *run_options(struct builder *b, const struct replay_run *run)
{
	const char *text = strchr(run->spec, ':');
	json_t *object = json_object();
	struct option_set set;

	/* The spec made this allocator, so it parses. */
	if (option_parse(&set, run->ops->options, run->ops->name,
			 text ? text + 1 : NULL, NULL))
		return object;
	for (unsigned int i = 0; set.specs && set.specs[i].key; i++)
		put(b, object, set.specs[i].key,
		    option_value(&set.specs[i], set.value[i]));
	return object;
}

static json_t *run_dirty(struct builder *b, const struct experiment *e,
			 const struct replay_run *run)
{
	json_t *object = json_object();

	for (unsigned int i = 0; i < NR_DEMAND_DIRTY; i++)
		put_count(b, object, demand_dirty_names[i],
			  demand_dirty_get(&e->demand->dirty, i));
#define PUT_DIRTY(name, what) put_count(b, object, #name, run->name);
	REPLAY_DIRTY(PUT_DIRTY)
#undef PUT_DIRTY
	return object;
}

static json_t *run_metadata(struct builder *b, const struct experiment *e,
			    const struct replay_run *run)
{
	double pages = (double)layout_present(e->layout);
	double total = (double)tax_total(&run->tax);
	json_t *object = json_object();

#define PUT_TAX(name, what) put_count(b, object, #name, run->tax.name);
	TAX_FIELDS(PUT_TAX)
#undef PUT_TAX
	put_count(b, object, "own_peak_bytes", tax_own(&run->tax));
	put_count(b, object, "total_peak_bytes", tax_total(&run->tax));
	put_share(b, object, "total_percent",
		  tax_percent(tax_total(&run->tax), e->layout));
	put_share(b, object, "total_bytes_per_page", total / pages);
	if (e->layout->highmem_pfn)
		put(b, object, "fits_lowmem",
		    json_boolean(run->tax.lowmem_peak_bytes <=
				 layout_lowmem_bytes(e->layout)));
	put(b, object, "holds_allocatee",
	    json_boolean(run->ops->describes_allocatee));
	return object;
}

/*
 * Linux can give back 7 of the 8 pages that hold the 64-byte descriptors of a
 * huge page (HVO). What that would save if every live folio of 2 MiB and above
 * had it; to free such a folio, 7 pages must be allocated first.
 */
static json_t *run_hvo(struct builder *b, const struct replay_run *run)
{
	const uint64_t saved = (64 * PAGEBLOCK_NR_PAGES / PAGE_SIZE - 1) * PAGE_SIZE;
	const struct census *c = &run->census.end;
	json_t *object = json_object();

	put_count(b, object, "saved_peak_bytes", saved * c->peak_huge_units);
	put_count(b, object, "saved_end_bytes", saved * c->huge_units);
	put(b, object, "allocates_on_free", json_true());
	return object;
}

static json_t *run_nodes(struct builder *b, const struct alloc_stats *stats)
{
	json_t *object = json_object();

	put_count(b, object, "peak", stats->nodes_peak);
	put_count(b, object, "end", stats->nodes);
	put_count(b, object, "absorbed", stats->absorbed);
	put_count(b, object, "taken", stats->taken);
	put_count(b, object, "peeled", stats->peeled);
	put_count(b, object, "relocated", stats->relocated);
	put_count(b, object, "released", stats->released);
	put_count(b, object, "max_consumed", stats->max_consumed);
	put_count(b, object, "max_consumed_any", stats->max_consumed_any);
	put_count(b, object, "max_drain_steps", stats->max_drain_steps);
	return object;
}

static json_t *run_kmap(struct builder *b, const struct replay_run *run)
{
	json_t *object = json_object();
	double per_op = run->ops_done ? (double)run->kmap.calls /
					(double)run->ops_done : 0;

	put_count(b, object, "calls", run->kmap.calls);
	put_share(b, object, "per_op", per_op);
	put_count(b, object, "max_depth", run->kmap.max_depth);
	return object;
}

/* In all; a build that does not count words has none of it. */
static json_t *run_cost(struct builder *b, const struct cost_sums *sums)
{
	json_t *object = json_object();

	put_count(b, object, "ops", sums->nr_ops);
	for (unsigned int i = 0; i < NR_COSTS; i++)
		put_count(b, object, cost_names[i], sums->of[i]);
	return object;
}

static json_t *run_contiguity(struct builder *b, const struct experiment *e,
			      const struct replay_run *run)
{
	unsigned long nr_free[NR_PAGE_ORDERS];
	json_t *object = json_object();

	sample_sum_zones(run_last_sample(run), e->layout->nr_zones, nr_free);
	put_count(b, object, "free_pages", free_area_pages(nr_free));
	put_share(b, object, "share_2m", free_share_2m(nr_free));
	put_share(b, object, "unusable_order9",
		  unusable_free_index(nr_free, PAGEBLOCK_ORDER) / 1000.0);
	put_count(b, object, "max_order_blocks", nr_free[MAX_PAGE_ORDER]);
	return object;
}

static json_t *run_buddyinfo(struct builder *b, const struct experiment *e,
			     const struct replay_run *run)
{
	const struct sample *last = run_last_sample(run);
	json_t *object = json_object();

	for (unsigned int z = 0; z < e->layout->nr_zones; z++) {
		json_t *orders = json_array();

		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
			append(b, orders,
			       json_integer((json_int_t)last->nr_free[z][o]));
		put(b, object, zone_label(&e->layout->zones[z]), orders);
	}
	return object;
}

static json_t *run_compaction(struct builder *b, const struct replay_run *run)
{
	json_t *object = json_object();

#define PUT_COMPACT(name, what) put_count(b, object, #name, run->compact.name);
	COMPACT_RESULTS(PUT_COMPACT)
#undef PUT_COMPACT
	return object;
}

static json_t *run_classes(struct builder *b, const struct replay_run *run)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < run->nr_classes; i++) {
		const struct class_result *c = &run->classes[i];
		json_t *object = json_object();

		put_text(b, object, "name", c->name);
#define PUT_CLASS(name, what) put_count(b, object, #name, c->name);
		CLASS_RESULTS(PUT_CLASS)
#undef PUT_CLASS
		append(b, array, object);
	}
	return array;
}

static json_t *run_json(struct builder *b, const struct experiment *e,
			const struct replay_run *run)
{
	json_t *object = json_object();

	put_text(b, object, "allocator", run->spec);
	put(b, object, "options", run_options(b, run));
	put_count(b, object, "events", run->events);
	put_count(b, object, "ops", run->ops_done);
	put_count(b, object, "allocs", run->stats.allocs);
	put_count(b, object, "frees", run->stats.frees);
	put_count(b, object, "failed_allocs", run->stats.failed_allocs);
	put_count(b, object, "refused", run->stats.refused);
	put(b, object, "dirty", run_dirty(b, e, run));
	put(b, object, "metadata", run_metadata(b, e, run));
	if (run->ops->describes_allocatee && run->ops->desc_bytes == 64)
		put(b, object, "hvo_what_if", run_hvo(b, run));
	put(b, object, "nodes", run_nodes(b, &run->stats));
	put(b, object, "kmap", run_kmap(b, run));
	if (run->cost.nr_ops)
		put(b, object, "cost", run_cost(b, &run->cost));
	put_count(b, object, "free_path_allocations", run->free_path_allocations);
	put(b, object, "contiguity", run_contiguity(b, e, run));
	put(b, object, "buddyinfo", run_buddyinfo(b, e, run));
	if (run->classes)
		put(b, object, "classes", run_classes(b, run));
	if (run->compaction)
		put(b, object, "compaction", run_compaction(b, run));
	put(b, object, "verified", json_boolean(run->verified));
	if (run->teardown && !run->ops->caps.no_policy)
		put(b, object, "restored", json_boolean(run->restored));
	return object;
}

static json_t *input_json(struct builder *b, const struct experiment *e)
{
	json_t *object = json_object();

	put_text(b, object, "name", e->input_name);
	put_text(b, object, "sha256", e->input_sha256);
	put_count(b, object, "events", e->demand->nr_events);
	put_count(b, object, "duration_ns", e->demand->end_ns);
	put_count(b, object, "peak_live_pages", e->demand->peak_live_pages);
	put_count(b, object, "resident_pages", e->start->resident_pages);
	put_count(b, object, "free_pages", e->start->free_pages);
	return object;
}

static json_t *zone_json(struct builder *b, const struct zone *zone)
{
	json_t *object = json_object();

	put_text(b, object, "name", zone_label(zone));
	put_count(b, object, "start_pfn", zone->start_pfn);
	put_count(b, object, "spanned", zone->spanned);
	put_count(b, object, "present", zone->present);
	put_count(b, object, "managed", zone->managed);
	return object;
}

static json_t *machine_json(struct builder *b, const struct experiment *e)
{
	const struct layout *l = e->layout;
	json_t *object = json_object();
	json_t *zones = json_array();

	put_count(b, object, "memory_bytes",
		  (uint64_t)layout_present(l) << PAGE_SHIFT);
	put_count(b, object, "page_bytes", PAGE_SIZE);
	put_count(b, object, "cpus", l->nr_cpus);
	put(b, object, "highmem_pfn",
	    l->highmem_pfn == PFN_NONE ? json_null()
				       : json_integer((json_int_t)l->highmem_pfn));
	put_text(b, object, "window",
		 e->options->window == WINDOW_GUARD ? "guard" : "arith");
	for (unsigned int z = 0; z < l->nr_zones; z++)
		append(b, zones, zone_json(b, &l->zones[z]));
	put(b, object, "zones", zones);
	return object;
}

static json_t *allocatee_json(struct builder *b, const struct experiment *e)
{
	json_t *object = json_object();
	json_t *sizes = json_object();

	put_text(b, object, "table", e->allocatees->name);
	for (unsigned int c = 0; c < NR_ALLOCATEES; c++)
		put_count(b, sizes, allocatee_names[c], e->allocatees->bytes[c]);
	put(b, object, "bytes", sizes);
	return object;
}

/* A number among words, as "above:4096" or "10ns". */
static void put_argument(struct builder *b, json_t *object, const char *name,
			 const char *before, uint64_t number, const char *after)
{
	char text[64];

	snprintf(text, sizeof(text), "%s%" PRIu64 "%s", before, number, after);
	put_text(b, object, name, text);
}

/*
 * What was asked for besides allocators and seed, as words of the command line;
 * not what changes no figure.
 */
static json_t *arguments_json(struct builder *b, const struct options *o)
{
	static const char *const highmem[] = {
		[HIGHMEM_NONE] = "none", [HIGHMEM_ALL] = "all",
	};
	json_t *object = json_object();
	char text[32];

	if (o->highmem == HIGHMEM_ABOVE)
		put_argument(b, object, "highmem", "above:", o->highmem_bytes, "");
	else if (o->highmem != HIGHMEM_AS_RECORDED)
		put_text(b, object, "highmem", highmem[o->highmem]);
	if (o->machine_bytes)
		put_argument(b, object, "machine", o->machine_flat ? "flat:" : "",
			     o->machine_bytes, "");
	if (o->machine_scenario)
		put_text(b, object, "machine", o->machine_scenario);
	if (o->merge_zones)
		put_text(b, object, "zones", "merged");
	if (o->sample_events)
		put_argument(b, object, "sample", "", o->sample_events, "");
	if (o->sample_ns)
		put_argument(b, object, "sample", "", o->sample_ns, "ns");
	if (o->limit)
		put_argument(b, object, "limit", "", o->limit, "");
	if (o->address_order)
		put_text(b, object, "list-order", "address");
	if (o->window == WINDOW_GUARD)
		put_text(b, object, "window", "guard");
	if (o->scale != 1) {
		snprintf(text, sizeof(text), "%.17g", o->scale);
		put_text(b, object, "scale", text);
	}
	if (o->compaction)
		put(b, object, "compaction", json_true());
	if (o->teardown)
		put(b, object, "teardown", json_true());
	if (*o->allocatees.name)
		put_text(b, object, "allocatee", o->allocatees.name);
	return object;
}

int summary_write(FILE *out, const struct experiment *e)
{
	struct builder b = { false };
	json_t *root = json_object();
	json_t *runs = json_array();

	put_text(&b, root, "version", PAGETAX_VERSION);
	put_text(&b, root, "command", e->command);
	put_count(&b, root, "seed", e->options->seed);
	if (e->interrupted)
		put(&b, root, "interrupted", json_true());
	put(&b, root, "arguments", arguments_json(&b, e->options));
	put(&b, root, "input", input_json(&b, e));
	put(&b, root, "machine", machine_json(&b, e));
	if (e->allocatees)
		put(&b, root, "allocatee", allocatee_json(&b, e));
	for (unsigned int i = 0; i < e->nr_runs; i++)
		append(&b, runs, run_json(&b, e, &e->runs[i]));
	put(&b, root, "runs", runs);
	return dump(out, root, &b);
}

static json_t *timing_json(struct builder *b, const struct replay_run *run)
{
	json_t *object = json_object();
	double ns = run->ops_done ? run->cpu_s * 1e9 / (double)run->ops_done : 0;

	put_text(b, object, "allocator", run->spec);
	put_share(b, object, "wall_s", run->wall_s);
	put_share(b, object, "cpu_s", run->cpu_s);
	put(b, object, "ns_per_op", json_real(round(ns * 10) / 10));
	return object;
}

int timing_write(FILE *out, const struct experiment *e)
{
	struct builder b = { false };
	json_t *root = json_object();
	json_t *runs = json_array();

	put_text(&b, root, "version", PAGETAX_VERSION);
	put_share(&b, root, "wall_s", e->wall_s);
	put_count(&b, root, "host_memory_peak_bytes", host_memory_peak());
	for (unsigned int i = 0; i < e->nr_runs; i++)
		append(&b, runs, timing_json(&b, &e->runs[i]));
	put(&b, root, "runs", runs);
	return dump(out, root, &b);
}
