/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * patterns.c - what each pattern does to an allocator, and for how long
 *
 * Every subject starts scattered: all memory is allocated page by page, the
 * list of pages shuffled, and freed down to the occupancy. Each thread holds
 * its own pages and draws from its own random source, which every allocator
 * gets with the same seed, so all of them are asked the same, unless one is so
 * slow that its repeat ends early (MOST_NS). With c, larger blocks come up as
 * the first pages go, and until then llfree looks through all memory for each:
 * cut at half a second, its repeats never got beyond that. A page that becomes
 * a node for the first time would cost a fault of the host's, where a kernel has
 * none: so the host gives memory before each repeat. Random numbers
 * are drawn inside the timed loop; a driver that asks `null` costs about 3 ns
 * an operation, which is in every figure (scripts/bench-instructions counts it).
 */
#include <errno.h>
#include <gsl/gsl_sort_double.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/registry.h"
#include "base/bits.h"
#include "base/rng.h"
#include "sim/bench/bench.h"
#include "sim/host_memory.h"

const char *const bench_pattern_names[NR_BENCH_PATTERNS] = {
#define PATTERN_NAME(name, what) #name,
	BENCH_PATTERNS(PATTERN_NAME)
#undef PATTERN_NAME
};

#define BURST 1024UL
#define CLOCK_OPS 4096UL
#define MOST_NS 3e9			/* of one repeat; a wave of aW is finished */
#define GIVEN_AHEAD (64UL << 20)	/* bytes of simulated memory that a repeat begins with */
#define C_MAX_ORDER 9			/* pattern c: 2 MiB and below */
#define DRAWN_AHEAD 16			/* a power of two: blocks whose entry is fetched ahead */
#define PIN_SHARE 10			/* pattern aU: one page of so many is pinned */

/*
 * A block held, small, so that the driver's own misses stay few:
 *   bits 31..28  order
 *   bits 27..0   first pfn: memory up to 1 TiB
 */
struct held {
	uint32_t bits;
};
_Static_assert(sizeof(struct held) == BENCH_PAGE_BYTES, "as host memory is asked for");

static inline struct held held_make(unsigned long pfn, unsigned int order)
{
	return (struct held){ (uint32_t)pfn | order << 28 };
}

static inline unsigned long held_pfn(struct held h)
{
	return h.bits & ((1U << 28) - 1);
}

static inline unsigned int held_order(struct held h)
{
	return h.bits >> 28;
}

struct worker;

struct subject {
	struct layout layout;
	struct machine *machine;
	struct allocator *allocator;
	struct cost *cost;		/* NULL: not counted */
	pthread_spinlock_t lock;	/* the zone's, when the case has one */
	struct worker *workers;
};

struct worker {
	const struct bench_case *c;
	struct subject *subject;
	unsigned int cpu;
	struct held *held;
	size_t nr_held;
	size_t room;
	uint64_t draws[DRAWN_AHEAD];	/* a ring: where to look next, and after that */
	uint64_t nr_drawn;
	unsigned long held_pages;
	unsigned long target_pages;	/* what the occupancy allows this thread */
	unsigned long share_pages;	/* of memory: this thread's part */
	unsigned long pinned_pages;	/* unmovable and never given back; not in held */
	struct rng rng;

	/* Of the phase under way. */
	uint64_t failed;
	double began_ns;
	double ns;
};

double median_of(double *values, unsigned int n)
{
	gsl_sort(values, 1, n);
	return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

/* --- one call ---------------------------------------------------------- */

static inline void lock(const struct worker *w)
{
	if (w->c->lock == BENCH_SPINLOCK)
		pthread_spin_lock(&w->subject->lock);
}

static inline void unlock(const struct worker *w)
{
	if (w->c->lock == BENCH_SPINLOCK)
		pthread_spin_unlock(&w->subject->lock);
}

static __always_inline unsigned long ask(struct worker *w, unsigned int order,
					 unsigned int migratetype)
{
	const struct alloc_req req = {
		.order = order, .migratetype = migratetype, .cpu = w->cpu,
	};
	unsigned long pfn;

	lock(w);
	pfn = alloc_pages(w->subject->allocator, &req);
	unlock(w);
	if (unlikely(pfn == PFN_NONE))
		w->failed++;
	return pfn;
}

static inline bool take(struct worker *w, unsigned int order)
{
	unsigned long pfn = ask(w, order, MIGRATE_MOVABLE);

	if (unlikely(pfn == PFN_NONE))
		return false;
	w->held[w->nr_held++] = held_make(pfn, order);
	w->held_pages += 1UL << order;
	return true;
}

static void pin(struct worker *w)
{
	if (ask(w, 0, MIGRATE_UNMOVABLE) != PFN_NONE)
		w->pinned_pages++;
}

static inline void give(struct worker *w, size_t i)
{
	struct held h = w->held[i];
	unsigned int order = held_order(h);

	w->held[i] = w->held[--w->nr_held];
	w->held_pages -= 1UL << order;
	lock(w);
	free_pages(w->subject->allocator, held_pfn(h), order, w->cpu);
	unlock(w);
}

/* Where a draw falls among n: its upper half is what counts; no division. */
static inline size_t among(uint64_t draw, size_t n)
{
	return (size_t)((draw >> 32) * n >> 32);
}

/*
 * Give a random block back. Which one was drawn some calls ago, and its entry
 * fetched then, so that the driver does not wait for its own table. (Blocks
 * given or taken since move the place by a few entries.)
 */
static inline void give_random(struct worker *w)
{
	uint64_t *draw = &w->draws[w->nr_drawn++ % DRAWN_AHEAD];
	size_t i = among(*draw, w->nr_held);

	*draw = bench_draw(w->draws[(w->nr_drawn - 2) % DRAWN_AHEAD]);
	__builtin_prefetch(&w->held[among(*draw, w->nr_held)], 1);
	give(w, i);
}

/* --- patterns: one repeat of one thread --------------------------------- */

/* A design that is too slow to get through ends its repeat early. */
static bool out_of_time(const struct worker *w)
{
	return cpu_ns() - w->began_ns > MOST_NS;
}

/* The clock is looked at once in so many operations. */
static inline bool look_up(unsigned long done, size_t step)
{
	return done % CLOCK_OPS < step;
}

static __always_inline void run_bursts(struct worker *w, size_t burst,
				       bool pinning)
{
	unsigned long ops = w->c->ops / w->c->threads;

	for (unsigned long done = 0; done < ops; done += 2 * burst) {
		if (unlikely(look_up(done, 2 * burst)) && out_of_time(w))
			break;
		for (size_t i = 0; i < burst && w->nr_held; i++)
			give_random(w);
		for (size_t i = 0; i < burst; i++) {
			if (pinning && i % PIN_SHARE == 0 &&
			    w->pinned_pages < w->target_pages / PIN_SHARE)
				pin(w);
			else
				take(w, 0);
		}
	}
}

static void run_mixed(struct worker *w)
{
	unsigned long ops = w->c->ops / w->c->threads;

	for (unsigned long done = 0; done < ops; done++) {
		unsigned int order;

		if (unlikely(look_up(done, 1)) && out_of_time(w))
			break;
		if (w->held_pages >= w->target_pages) {
			give_random(w);
			continue;
		}
		order = lowest_bit((unsigned long)rng_next(&w->rng) |
				   1UL << C_MAX_ORDER);
		if (!take(w, order) && w->nr_held)
			give_random(w);
	}
}

/* What a phase needs first, untimed: pages are freed in random order. */
static void prepare_phase(struct worker *w, unsigned int phase)
{
	if (w->c->pattern == PATTERN_b && phase == 1)
		rng_shuffle(&w->rng, w->held, w->nr_held, sizeof(*w->held));
}

static void run_fill(struct worker *w)
{
	while (w->nr_held < w->share_pages && take(w, 0))
		;
}

static void run_empty(struct worker *w)
{
	for (size_t i = w->nr_held; i-- > 0;)
		give(w, i);
}

/* Under this name scripts/bench-instructions finds what it counts. */
static __attribute__((noinline)) void bench_run_phase(struct worker *w,
						       unsigned int phase)
{
	switch (w->c->pattern) {
	case PATTERN_a1:
		run_bursts(w, 1, false);
		break;
	case PATTERN_aB:
		run_bursts(w, BURST, false);
		break;
	case PATTERN_aW:
		run_bursts(w, w->share_pages / 10, false);
		break;
	case PATTERN_aU:
		run_bursts(w, BURST, true);
		break;
	case PATTERN_c:
		run_mixed(w);
		break;
	case PATTERN_b:
		if (phase == 0)
			run_fill(w);
		else
			run_empty(w);
		break;
	case NR_BENCH_PATTERNS:
		break;
	}
}

/* --- subjects ----------------------------------------------------------- */

static void subject_free(struct subject *s, const struct bench_case *c)
{
	for (unsigned int t = 0; s->workers && t < c->threads; t++)
		free(s->workers[t].held);
	free(s->workers);
	free(s->cost);
	if (s->allocator)
		allocator_destroy(s->allocator);
	if (s->machine)
		machine_destroy(s->machine);
	layout_free(&s->layout);
	pthread_spin_destroy(&s->lock);
}

/* All of memory free, as the largest blocks there are, first page first. */
static void release_all(struct subject *s)
{
	unsigned long end = layout_end_pfn(&s->layout);

	for (unsigned long pfn = round_up_to(end, 1UL << MAX_PAGE_ORDER); pfn > 0;) {
		pfn -= 1UL << MAX_PAGE_ORDER;
		if (end - pfn >= 1UL << MAX_PAGE_ORDER)
			allocator_release(s->allocator, pfn, MAX_PAGE_ORDER);
	}
}

static void scatter(struct worker *w)
{
	while (w->nr_held < w->share_pages && take(w, 0))
		;
	rng_shuffle(&w->rng, w->held, w->nr_held, sizeof(*w->held));
	while (w->held_pages > w->target_pages)
		give(w, w->nr_held - 1);
}

static int workers_make(struct subject *s, const struct bench_case *c,
			struct msg *msg)
{
	unsigned long pages = layout_end_pfn(&s->layout);

	s->workers = calloc(c->threads, sizeof(*s->workers));
	if (!s->workers)
		return msg_set(msg, ENOMEM, "no memory for the bench's threads");
	for (unsigned int t = 0; t < c->threads; t++) {
		struct worker *w = &s->workers[t];

		*w = (struct worker){
			.c = c, .subject = s, .cpu = t,
			.share_pages = pages / c->threads,
			.target_pages = pages / c->threads / 100 * c->occupancy,
			.room = pages / c->threads + 1,
		};
		rng_seed(&w->rng, c->seed + t);
		for (unsigned int i = 0; i < DRAWN_AHEAD; i++)
			w->draws[i] = i ? bench_draw(w->draws[i - 1]) :
					  rng_next(&w->rng);
		w->held = host_table_alloc(w->room * sizeof(*w->held));
		if (!w->held)
			return msg_set(msg, ENOMEM,
				       "no memory to keep %zu blocks", w->room);
	}
	return 0;
}

/*
 * The spec with its per-CPU lists switched off, unless the case wants them,
 * the user has chosen, or the backend knows none.
 */
static void bench_spec(char *buf, size_t size, const struct bench_case *c,
		       const char *spec)
{
	const struct option_spec *o = registry_find(spec)->options;

	snprintf(buf, size, "%s", spec);
	if (c->lock == BENCH_PERCPU || strstr(spec, ":pcp="))
		return;
	while (o && o->key && strcmp(o->key, "pcp"))
		o++;
	if (o && o->key)
		snprintf(buf, size, "%s:pcp=off", spec);
}

static int subject_make(struct subject *s, const struct bench_case *c,
			const char *spec, struct msg *msg)
{
	char full[512];
	int err;

	*s = (struct subject){ .machine = NULL };
	pthread_spin_init(&s->lock, PTHREAD_PROCESS_PRIVATE);
	err = layout_flat(&s->layout, (unsigned long)(c->bytes >> PAGE_SHIFT),
			  c->threads, msg);
	if (err)
		return err;
	if (c->highmem)
		s->layout.highmem_pfn = 0;
	err = machine_create(&s->machine, &s->layout, WINDOW_ARITH, msg);
	if (err)
		return err;
	bench_spec(full, sizeof(full), c, spec);
	err = allocator_create(&s->allocator, full, false, s->machine, msg);
	if (err)
		return err;
	release_all(s);
	err = workers_make(s, c, msg);
	for (unsigned int t = 0; !err && t < c->threads; t++)
		if (c->pattern != PATTERN_b)
			scatter(&s->workers[t]);
	if (!err && cost_counts_words() && c->threads == 1) {
		s->cost = calloc(1, sizeof(*s->cost));
		allocator_count(s->allocator, s->cost);
	}
	return err;
}

static double share_2m(const struct subject *s)
{
	unsigned long nr_free[NR_PAGE_ORDERS], all = 0, large = 0;

	allocator_free_area(s->allocator, 0, nr_free);
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		all += nr_free[order] << order;
		if (order >= PAGEBLOCK_ORDER)
			large += nr_free[order] << order;
	}
	return all ? (double)large / (double)all : 1;
}

static void add_costs(struct bench_result *result, const struct subject *s,
		      const struct cost_sums *before)
{
	struct cost_sums now = cost_sums(s->cost);

	result->cost.nr_ops += now.nr_ops - before->nr_ops;
	for (unsigned int i = 0; i < NR_COSTS; i++)
		result->cost.of[i] += now.of[i] - before->of[i];
}

/* --- one repeat of one subject ------------------------------------------ */

struct turn {
	struct worker *worker;
	unsigned int phase;
};

static void *run_turn(void *arg)
{
	struct turn *turn = arg;
	struct worker *w = turn->worker;
	prepare_phase(w, turn->phase);
	w->failed = 0;
	w->began_ns = cpu_ns();
	bench_run_phase(w, turn->phase);
	w->ns = cpu_ns() - w->began_ns;
	return NULL;
}

static uint64_t nr_asked(const struct allocator *a)
{
	return a->stats.allocs + a->stats.failed_allocs + a->stats.frees;
}

static int run_repeat(struct subject *s, const struct bench_case *c,
		      unsigned int phase, struct bench_result *result,
		      unsigned int repeat, struct msg *msg)
{
	struct turn turns[BENCH_MAX_THREADS];
	pthread_t threads[BENCH_MAX_THREADS];
	uint64_t maps = s->machine->kmap.calls;
	struct cost_sums costs = { .nr_ops = 0 };
	uint64_t ops = nr_asked(s->allocator);
	double ns = 0;
	int err = 0;

	physmem_populate(&s->machine->physmem, GIVEN_AHEAD >> PAGE_SHIFT);
	for (unsigned int t = 0; t < c->threads; t++)
		turns[t] = (struct turn){ &s->workers[t], phase };
	if (s->cost)
		costs = cost_sums(s->cost);
	if (c->threads == 1) {
		run_turn(&turns[0]);
	} else {
		unsigned int started = 0;

		while (started < c->threads && !err)
			err = pthread_create(&threads[started], NULL, run_turn,
					     &turns[started]) ? -EAGAIN
							      : (started++, 0);
		for (unsigned int t = 0; t < started; t++)
			pthread_join(threads[t], NULL);
		if (err)
			return msg_set(msg, EAGAIN, "no second thread to be had");
	}
	for (unsigned int t = 0; t < c->threads; t++) {
		ns += s->workers[t].ns;
		result->failed += s->workers[t].failed;
	}
	ops = nr_asked(s->allocator) - ops;
	result->ns[repeat] = ops ? ns / (double)ops : 0;
	result->ops += ops;
	result->kmap_per_op += (double)(s->machine->kmap.calls - maps);
	if (s->cost)
		add_costs(result, s, &costs);
	if (c->pattern != PATTERN_b || phase == 1) {
		allocator_drain(s->allocator);
		result->share_2m = share_2m(s);
	}
	return 0;
}

double median_and_spread(const double *values, unsigned int n, double *spread)
{
	double sorted[BENCH_REPEATS];
	double median;

	memcpy(sorted, values, n * sizeof(*values));
	median = median_of(sorted, n);
	*spread = median > 0 ? (sorted[n - 1] - sorted[0]) / median : 0;
	return median;
}

static void finish(struct bench_result *r, unsigned int repeats)
{
	r->median_ns = median_and_spread(r->ns, repeats, &r->spread);
	r->kmap_per_op = r->ops ? r->kmap_per_op / (double)r->ops : 0;
}

int bench_run(const struct bench_case *c, char *const *specs, unsigned int nr,
	      struct bench_row *rows, struct msg *msg)
{
	static const char *const b_phases[] = { "b_alloc", "b_free" };
	struct subject *subjects = calloc(nr, sizeof(*subjects));
	unsigned int made = 0;
	int err = 0;

	if (!subjects)
		return msg_set(msg, ENOMEM, "no memory for the bench");
	while (made < nr && !err) {
		struct bench_row *row = &rows[made];

		*row = (struct bench_row){ .spec = specs[made] };
		row->nr_phases = c->pattern == PATTERN_b ? 2 : 1;
		for (unsigned int p = 0; p < row->nr_phases; p++)
			row->phases[p].name = c->pattern == PATTERN_b ?
				b_phases[p] : bench_pattern_names[c->pattern];
		err = subject_make(&subjects[made], c, specs[made], msg);
		made++;
	}
	for (unsigned int repeat = 0; !err && repeat < c->repeats; repeat++)
		for (unsigned int i = 0; !err && i < nr; i++)
			for (unsigned int p = 0; !err && p < rows[i].nr_phases; p++)
				err = run_repeat(&subjects[i], c, p,
						 &rows[i].phases[p], repeat, msg);
	for (unsigned int i = 0; !err && i < nr; i++)
		for (unsigned int p = 0; p < rows[i].nr_phases; p++)
			finish(&rows[i].phases[p], c->repeats);
	while (made-- > 0)
		subject_free(&subjects[made], c);
	free(subjects);
	return err;
}
