/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scorer.c - brackets, scores, and their quantiles */
#include <errno.h>
#include <gsl/gsl_sort_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/metrics/fragmentation.h"
#include "sim/validate/scorer.h"

_Static_assert(ARRAY_SIZE(((struct buddyinfo_sample *)0)->nr_free) >= NR_PAGE_ORDERS,
	       "a sample has every order");

const char *const sample_flag_names[NR_SAMPLE_FLAGS] = {
	[SAMPLE_COUNTS] = "counts",
#define FLAG_NAME(name, when) [SAMPLE_##name] = #name,
	SAMPLE_FLAGS(FLAG_NAME)
#undef FLAG_NAME
};

/* ---- brackets ---- */

/* When the snapshot was done with a zone; 0 without one. */
static uint64_t zone_ready_ns(const struct bundle *b, const struct zone *zone)
{
	uint64_t ready_ns = 0;

	for (size_t c = zone->start_pfn / 1024;
	     b->chunk_ns && c < b->nr_chunks && c * 1024 < zone_end_pfn(zone); c++)
		ready_ns = max_t(uint64_t, ready_ns, b->chunk_ns[c]);
	return ready_ns;
}

static uint64_t first_loss_ns(const struct trace *trace)
{
	for (size_t i = 0; trace->lost && i < trace->nr_events; i++)
		if (trace->events[i].kind == EV_LOST)
			return trace->events[i].time_ns;
	return UINT64_MAX;
}

static int counter_index(const struct bundle *b, const char *name)
{
	for (unsigned int i = 0; i < b->nr_counter_names; i++)
		if (!strcmp(b->counter_names[i], name))
			return (int)i;
	return -1;
}

/* Flag every bracket between two values of compact_isolated that differ. */
static void flag_migrating(struct brackets *br, const struct bundle *b)
{
	int name = counter_index(b, "compact_isolated");
	const struct counter_sample *last = NULL;
	size_t at = 0;

	for (size_t i = 0; name >= 0 && i < b->nr_counters; i++) {
		const struct counter_sample *c = &b->counters[i];
		bool moved;

		if (c->name != (unsigned int)name)
			continue;
		moved = last && last->value != c->value;
		last = c;
		for (; at < br->nr && br->list[at].before_ns < c->after_ns; at++)
			for (unsigned int z = 0; moved && z < br->nr_zones; z++)
				br->list[at].flag[z] = SAMPLE_migrating;
	}
}

/* When a trace ends that does not reach the end of the workload. */
static uint64_t cut_ns(const struct bundle *b)
{
	const struct trace *trace = &b->trace;
	uint64_t end_ns = trace->nr_events ?
		trace->events[trace->nr_events - 1].time_ns : 0;

	return end_ns < b->workload_end_ns ? end_ns : UINT64_MAX;
}

static void flag_by_time(struct brackets *br, const struct bundle *b)
{
	uint64_t lossy_ns = first_loss_ns(&b->trace);
	uint64_t late_ns = cut_ns(b);

	for (unsigned int z = 0; z < br->nr_zones; z++) {
		uint64_t ready_ns = zone_ready_ns(b, &b->layout.zones[z]);

		for (size_t i = 0; i < br->nr; i++) {
			if (br->list[i].before_ns < ready_ns)
				br->list[i].flag[z] = SAMPLE_early;
			else if (br->list[i].after_ns > lossy_ns)
				br->list[i].flag[z] = SAMPLE_lossy;
			else if (br->list[i].before_ns > late_ns)
				br->list[i].flag[z] = SAMPLE_late;
		}
	}
}

int brackets_make(struct brackets *br, const struct bundle *b)
{
	*br = (struct brackets){ .nr_zones = b->layout.nr_zones };
	br->list = calloc(b->nr_buddyinfo + 1, sizeof(*br->list));
	if (!br->list)
		return -ENOMEM;
	for (size_t i = 0; i < b->nr_buddyinfo; i++) {
		const struct buddyinfo_sample *sample = &b->buddyinfo[i];
		struct bracket *at;

		if (!br->nr || br->list[br->nr - 1].before_ns != sample->before_ns)
			br->list[br->nr++] = (struct bracket){
				.before_ns = sample->before_ns,
				.after_ns = sample->after_ns,
			};
		at = &br->list[br->nr - 1];
		at->zone[sample->zone] = sample;
	}
	flag_migrating(br, b);
	flag_by_time(br, b);
	return 0;
}

static void add_zone(struct bracket *to, struct buddyinfo_sample *sum,
		     const struct bracket *from, unsigned int zone)
{
	if (!from->zone[zone])
		return;
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		sum->nr_free[o] += from->zone[zone]->nr_free[o];
	if (to->flag[0] == SAMPLE_COUNTS)
		to->flag[0] = from->flag[zone];
	to->zone[0] = sum;
}

int brackets_sum(struct brackets *sum, const struct brackets *br)
{
	*sum = (struct brackets){ .nr = br->nr, .nr_zones = 1 };
	sum->list = calloc(br->nr + 1, sizeof(*sum->list));
	sum->sums = calloc(br->nr + 1, sizeof(*sum->sums));
	if (!sum->list || !sum->sums) {
		brackets_free(sum);
		return -ENOMEM;
	}
	for (size_t i = 0; i < br->nr; i++) {
		sum->list[i].before_ns = br->list[i].before_ns;
		sum->list[i].after_ns = br->list[i].after_ns;
		for (unsigned int z = 0; z < br->nr_zones; z++)
			add_zone(&sum->list[i], &sum->sums[i], &br->list[i], z);
	}
	return 0;
}

void brackets_free(struct brackets *br)
{
	free(br->list);
	free(br->sums);
	*br = (struct brackets){ 0 };
}

/* ---- scores ---- */

void score_sample(struct score *score, const unsigned long predicted[NR_PAGE_ORDERS],
		  const struct buddyinfo_sample *recorded)
{
	unsigned long n[NR_PAGE_ORDERS];
	double pages, wrong = 0;

	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
		n[o] = recorded->nr_free[o];
		wrong += ldexp(fabs((double)predicted[o] - (double)n[o]), (int)o);
	}
	memcpy(score->predicted, predicted, sizeof(score->predicted));
	pages = (double)max_t(uint64_t, free_area_pages(n), 1);
	score->tv = wrong / (2 * pages);
	score->df = fabs((double)free_area_pages(predicted) - (double)free_area_pages(n)) / pages;
	score->dh9 = 100 * fabs(free_share_2m(predicted) - free_share_2m(n));
	score->du4 = fabs((double)unusable_free_index(predicted, 4) -
			  (double)unusable_free_index(n, 4));
	score->du9 = fabs((double)unusable_free_index(predicted, 9) -
			  (double)unusable_free_index(n, 9));
	score->exact = wrong == 0;
	score->seen = true;
}

int scorer_init(struct scorer *s, const struct brackets *br)
{
	*s = (struct scorer){ .br = br };
	s->scores = calloc(br->nr * br->nr_zones + 1, sizeof(*s->scores));
	return s->scores ? 0 : -ENOMEM;
}

void scorer_destroy(struct scorer *s)
{
	free(s->scores);
	*s = (struct scorer){ 0 };
}

static void see_zone(struct scorer *s, unsigned int z,
		     const unsigned long nr_free[NR_PAGE_ORDERS])
{
	struct score *best = &s->scores[s->at * s->br->nr_zones + z];
	const struct buddyinfo_sample *recorded = s->br->list[s->at].zone[z];
	struct score score;

	if (!recorded || (best->seen && best->exact))
		return;
	score_sample(&score, nr_free, recorded);
	if (!best->seen || score.tv < best->tv)
		*best = score;
}

void scorer_see(struct scorer *s, uint64_t until_ns, free_counts nr_free)
{
	while (scorer_wants(s, until_ns)) {
		for (unsigned int z = 0; z < s->br->nr_zones; z++)
			see_zone(s, z, nr_free[z]);
		if (until_ns <= s->br->list[s->at].after_ns)
			return;
		s->at++;
	}
}

/* ---- page reporting ---- */

#define REPORTING_BLOCKS 32			/* taken at a time */
#define REPORTING_NS UINT64_C(2000000000)	/* a pass takes a fraction of this */
#define REPORTING_NOISE 0.0005			/* of free memory, at lower orders */

static bool looks_reported(const struct score *score,
			   const struct buddyinfo_sample *recorded)
{
	double missing = 0, blocks = 0, noise = 0, pages = 0;

	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
		double d = (double)score->predicted[o] - recorded->nr_free[o];

		pages += ldexp(recorded->nr_free[o], (int)o);
		if (o < PAGEBLOCK_ORDER) {
			noise += ldexp(fabs(d), (int)o);
			continue;
		}
		missing += ldexp(d, (int)o);
		blocks += d;
	}
	return missing > 0 && blocks <= REPORTING_BLOCKS &&
	       missing <= ldexp(REPORTING_BLOCKS, MAX_PAGE_ORDER) &&
	       noise <= 2 * REPORTING_NOISE * pages;
}

void brackets_flag_reporting(struct brackets *br, const struct scorer *exact)
{
	for (unsigned int z = 0; z < br->nr_zones; z++) {
		size_t next;

		for (size_t i = 0; i < br->nr; i = next) {
			next = i;
			while (next < br->nr && br->list[next].zone[z] &&
			       looks_reported(scorer_get(exact, next, z),
					      br->list[next].zone[z]))
				next++;
			/* What lasts is no pass: the prediction is wrong. */
			for (; i < next && br->list[next - 1].after_ns -
					   br->list[i].before_ns < REPORTING_NS; i++)
				if (br->list[i].flag[z] == SAMPLE_COUNTS)
					br->list[i].flag[z] = SAMPLE_reporting;
			next++;
		}
	}
}

/* ---- figures ---- */

void scorer_persist(struct scorer *s)
{
	for (unsigned int z = 0; z < s->br->nr_zones; z++) {
		unsigned long first[NR_PAGE_ORDERS];
		bool any = false;

		for (s->at = 0; s->at < s->br->nr; s->at++) {
			const struct bracket *br = &s->br->list[s->at];

			if (!br->zone[z] || br->flag[z] != SAMPLE_COUNTS)
				continue;
			for (unsigned int o = 0; !any && o < NR_PAGE_ORDERS; o++)
				first[o] = br->zone[z]->nr_free[o];
			any = true;
			see_zone(s, z, first);
		}
	}
}

static bool counts(const struct scorer *s, size_t i, unsigned int zone)
{
	return scorer_get(s, i, zone)->seen &&
	       s->br->list[i].flag[zone] == SAMPLE_COUNTS;
}

double scorer_mean_tv(const struct scorer *s, unsigned int zone)
{
	double sum = 0;
	size_t nr = 0;

	for (size_t i = 0; i < s->br->nr; i++) {
		if (!counts(s, i, zone))
			continue;
		sum += scorer_get(s, i, zone)->tv;
		nr++;
	}
	return nr ? sum / (double)nr : 0;
}

/* The smallest value that at least a share q of all do not exceed; NAN: of none. */
static double quantile(const double *sorted, size_t nr, double q)
{
	size_t rank = (size_t)ceil(q * (double)nr);

	return nr ? sorted[rank ? rank - 1 : 0] : NAN;
}

/* Sort one field of the scores that count; how many there are. */
static size_t collect(const struct scorer *s, unsigned int zone, size_t offset,
		      double *values)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->br->nr; i++) {
		const char *score = (const char *)scorer_get(s, i, zone);

		if (counts(s, i, zone))
			memcpy(&values[nr++], score + offset, sizeof(*values));
	}
	gsl_sort(values, 1, nr);
	return nr;
}

int scorer_figures(const struct scorer *s, unsigned int zone, struct figures *f)
{
	double *values = malloc((s->br->nr + 1) * sizeof(*values));

	*f = (struct figures){ 0 };
	if (!values)
		return -ENOMEM;
	for (size_t i = 0; i < s->br->nr; i++) {
		if (scorer_get(s, i, zone)->seen)
			f->flagged[s->br->list[i].flag[zone]]++;
		f->exact += counts(s, i, zone) && scorer_get(s, i, zone)->exact;
	}
	f->samples = collect(s, zone, offsetof(struct score, tv), values);
	f->tv_p50 = quantile(values, f->samples, 0.50);
	f->tv_p95 = quantile(values, f->samples, 0.95);
	f->tv_max = quantile(values, f->samples, 1);
	(void)collect(s, zone, offsetof(struct score, df), values);
	f->df_p50 = quantile(values, f->samples, 0.50);
	f->df_p95 = quantile(values, f->samples, 0.95);
	(void)collect(s, zone, offsetof(struct score, dh9), values);
	f->dh9_p50 = quantile(values, f->samples, 0.50);
	f->dh9_p95 = quantile(values, f->samples, 0.95);
	(void)collect(s, zone, offsetof(struct score, du4), values);
	f->du4_p95 = quantile(values, f->samples, 0.95);
	(void)collect(s, zone, offsetof(struct score, du9), values);
	f->du9_p95 = quantile(values, f->samples, 0.95);
	free(values);
	return 0;
}
