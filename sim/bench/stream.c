/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream.c - how fast a trace becomes events, and events reach an allocator
 *
 *    text, in memory ---.                            .--- null: the engine alone
 *                       +--> events --> operations --+
 *    .ptr, trace.dat ---'                            `--- linked, twoword: with or
 *                                                         without a part of the policy
 *
 * Text is decompressed before the clock starts; other formats are read from
 * their file, which has been read before, with all that goes with it. Reading may
 * take several threads: by CPU time all of them count, by the clock what passes.
 * Every step is repeated until enough time has passed for a figure.
 *
 * Side by side are the allocators of a list, as many at a time as there are
 * processors, beside the same one after the other, in turns; and the first of the list
 * beside itself, which tells what the processors allow where none has to wait for the
 * longest.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc/registry.h"
#include "sim/bench/bench.h"
#include "sim/parallel.h"
#include "sim/source/input.h"
#include "sim/source/recording.h"

#define MIN_NS 3e8			/* of one repeat */

struct text {
	char *bytes;
	size_t len;
};

/* The whole input, decompressed; text->bytes is the caller's to free in any case. */
static int text_read(struct text *text, const char *path, struct msg *msg)
{
	struct input in;
	size_t room = 0;
	int err = input_open(&in, path, msg);

	*text = (struct text){ NULL, 0 };
	while (!err) {
		size_t len = in.end - in.start;

		if (text->len + len > room) {
			char *grown;

			room = 2 * room + len + (1U << 20);
			grown = realloc(text->bytes, room);
			if (!grown) {
				err = msg_set(msg, ENOMEM, "%s: no memory for its text", path);
				break;
			}
			text->bytes = grown;
		}
		memcpy(text->bytes + text->len, in.text + in.start, len);
		text->len += len;
		in.start = in.end;
		if (in.at_end)
			break;
		err = input_fill(&in, msg);
	}
	input_close(&in);
	return err;
}

/* CPU time of all threads, and what passed. */
struct instant {
	double cpu_s, clock_s;
};

static struct instant now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (struct instant){ (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec,
				 wall_clock_s() };
}

/* What `events` took since then, as a rate. */
static struct bench_rate rate_since(const struct instant *then, uint64_t events)
{
	struct instant at = now();

	return (struct bench_rate){ (double)events / (at.cpu_s - then->cpu_s),
				    (double)events / (at.clock_s - then->clock_s) };
}

static bool long_enough(const struct instant *then)
{
	return 1e9 * (now().cpu_s - then->cpu_s) >= MIN_NS;
}

static struct bench_rate median_rate(const struct bench_rate rates[BENCH_REPEATS])
{
	double cpu[BENCH_REPEATS], clock[BENCH_REPEATS];

	for (unsigned int r = 0; r < BENCH_REPEATS; r++) {
		cpu[r] = rates[r].by_cpu;
		clock[r] = rates[r].by_clock;
	}
	return (struct bench_rate){ median_of(cpu, BENCH_REPEATS),
				    median_of(clock, BENCH_REPEATS) };
}

static int read_once(struct trace *trace, const char *path, const struct text *text,
		     struct msg *msg)
{
	return text->bytes ? trace_read_memory(trace, path, text->bytes, text->len, 0, msg)
			   : trace_read(trace, path, 0, msg);
}

static int time_reading(struct bench_stream *s, const char *path,
			const struct text *text, struct msg *msg)
{
	struct bench_rate rates[BENCH_REPEATS];

	for (unsigned int r = 0; r < BENCH_REPEATS; r++) {
		struct instant before = now();
		uint64_t events = 0;

		do {
			struct trace trace;
			int err = read_once(&trace, path, text, msg);

			if (err)
				return err;
			events += trace.nr_events;
			trace_free(&trace);
		} while (!long_enough(&before));
		rates[r] = rate_since(&before, events);
	}
	s->read = median_rate(rates);
	s->lines_per_s = s->read.by_cpu * (double)s->lines / (double)s->events;
	return 0;
}

static int bench_reading(struct bench_stream *s, const char *path,
			 struct msg *msg)
{
	struct text text = { NULL, 0 };
	struct trace trace;
	int err = trace_read(&trace, path, 0, msg);

	if (err)
		return err;
	s->lines = trace.lines;
	s->events = trace.nr_events;
	trace_free(&trace);
	if (s->lines)
		err = text_read(&text, path, msg);
	if (!err)
		err = time_reading(s, path, &text, msg);
	free(text.bytes);
	return err;
}

/* --- a recorded demand, in memory ------------------------------------------ */

struct recorded {
	struct bundle bundle;
	struct demand demand;
	struct initial_state start;
	struct sample_plan samples;
	struct replay_plan plan;
};

static void recorded_free(struct recorded *rec)
{
	sample_plan_free(&rec->samples);
	initial_state_free(&rec->start);
	demand_free(&rec->demand);
	bundle_free(&rec->bundle);
}

static int recorded_read(struct recorded *rec, const char *path, struct msg *msg)
{
	int err;

	*rec = (struct recorded){ .demand = { .ops = NULL } };
	err = bundle_read(&rec->bundle, path, 0, msg);
	if (err)
		return err;
	rec->plan = (struct replay_plan){
		.layout = &rec->bundle.layout, .demand = &rec->demand,
		.start = &rec->start, .samples = &rec->samples,
		.window = WINDOW_ARITH,
	};
	err = demand_resolve(&rec->demand, &rec->bundle, &rec->bundle.layout, msg);
	if (!err)
		err = initial_state_build(&rec->start, &rec->bundle,
					  &rec->bundle.layout, &rec->demand,
					  NULL, msg);
	if (!err)
		err = sample_plan_make(&rec->samples, &rec->demand,
				       &rec->bundle.trace, 0, 0, msg);
	if (err)
		recorded_free(rec);
	return err;
}

/*
 * CPU ns of one event's operations. A short trace on a large machine spends
 * nearly all of its time on the start, which is not what is asked for: then the
 * figure is of one replay.
 */
static int time_replay(double *ns, const struct recorded *rec, const char *spec,
		       struct msg *msg)
{
	double before = cpu_ns();
	uint64_t events = 0;
	double in_ops_ns = 0;
	int err = 0;

	while (!err && !(events && cpu_ns() - before >= MIN_NS)) {
		struct replay_run run;

		err = replay(&run, &rec->plan, spec, msg);
		events += rec->demand.nr_events;
		in_ops_ns += 1e9 * run.cpu_s;
		replay_run_free(&run);
	}
	*ns = in_ops_ns / (double)events;
	return err;
}

/* The demand of the events, anew and anew. */
static int time_resolving(struct bench_stream *s, const struct recorded *rec,
			  struct msg *msg)
{
	struct bench_rate rates[BENCH_REPEATS];

	for (unsigned int r = 0; r < BENCH_REPEATS; r++) {
		struct instant before = now();
		uint64_t events = 0;

		do {
			struct demand d;
			int err = demand_resolve(&d, &rec->bundle,
						 &rec->bundle.layout, msg);

			if (err)
				return err;
			events += d.nr_events;
			demand_free(&d);
		} while (!long_enough(&before));
		rates[r] = rate_since(&before, events);
	}
	s->resolve = median_rate(rates);
	return 0;
}

static int time_replaying(struct bench_stream *s, const struct recorded *rec,
			  struct msg *msg)
{
	static const char *const specs[] = { "null", "linked", "twoword" };
	double *const rates[] = {
		&s->null_events_per_s, &s->linked_events_per_s, &s->twoword_events_per_s,
	};
	double ns[ARRAY_SIZE(specs)][BENCH_REPEATS];
	double spread;

	for (unsigned int r = 0; r < BENCH_REPEATS; r++) {
		for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
			int err = time_replay(&ns[i][r], rec, specs[i], msg);

			if (err)
				return err;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
		*rates[i] = 1e9 / median_and_spread(ns[i], BENCH_REPEATS, &spread);
	s->null_ops_per_s = s->null_events_per_s * (double)rec->demand.nr_ops /
			    (double)rec->demand.nr_events;
	return 0;
}

/* Seconds on the clock for all of the specs, from their machines to the last figure. */
static int time_each(double *s, const struct recorded *rec, char *const *specs,
		     unsigned int nr, unsigned int jobs, struct msg *msg)
{
	struct replay_run *runs = calloc(nr, sizeof(*runs));
	double before = wall_clock_s();
	int err;

	if (!runs)
		return msg_set(msg, ENOMEM, "no memory for the results");
	err = replay_each(runs, &rec->plan, specs, nr, jobs, NULL, msg);
	*s = wall_clock_s() - before;
	for (unsigned int i = 0; i < nr; i++)
		replay_run_free(&runs[i]);
	free(runs);
	return err;
}

/* What `jobs` at a time take of the time of one after the other, in turns. */
static int time_at_once(double *ratio, const struct recorded *rec, char *const *specs,
			unsigned int nr, unsigned int jobs, struct msg *msg)
{
	double one[BENCH_REPEATS], many[BENCH_REPEATS];
	int err = 0;

	for (unsigned int r = 0; !err && r < BENCH_REPEATS; r++) {
		err = time_each(&one[r], rec, specs, nr, 1, msg);
		if (!err)
			err = time_each(&many[r], rec, specs, nr, jobs, msg);
	}
	if (!err)
		*ratio = median_of(many, BENCH_REPEATS) / median_of(one, BENCH_REPEATS);
	return err;
}

static int time_side_by_side(struct bench_stream *s, const struct recorded *rec,
			     char *const *specs, unsigned int nr, struct msg *msg)
{
	char **same;
	int err;

	s->jobs = min_t(unsigned int, nr, processors());
	if (s->jobs < 2)
		return 0;
	err = time_at_once(&s->side_by_side, rec, specs, nr, s->jobs, msg);
	if (err)
		return err;
	same = malloc(s->jobs * sizeof(*same));
	if (!same)
		return msg_set(msg, ENOMEM, "no memory for the names");
	for (unsigned int i = 0; i < s->jobs; i++)
		same[i] = specs[0];
	err = time_at_once(&s->side_by_side_same, rec, same, s->jobs, s->jobs, msg);
	free(same);
	return err;
}

static int bench_replaying(struct bench_stream *s, const char *path,
			   char *const *specs, unsigned int nr, struct msg *msg)
{
	struct recorded rec;
	int err = recorded_read(&rec, path, msg);

	if (err)
		return err;
	s->ops = rec.demand.nr_ops;
	if (s->ops)
		err = time_resolving(s, &rec, msg);
	if (!err && s->ops)
		err = time_replaying(s, &rec, msg);
	if (!err && s->ops)
		err = time_side_by_side(s, &rec, specs, nr, msg);
	recorded_free(&rec);
	return err;
}

/* One step after the other. */
static double rate_of_three(double a, double b, double c)
{
	return 1 / (1 / a + 1 / b + 1 / c);
}

int bench_stream(struct bench_stream *stream, const char *path, char *const *specs,
		 unsigned int nr, struct msg *msg)
{
	struct recording rec;
	char *events = NULL;
	int err = 0;

	*stream = (struct bench_stream){ .lines = 0 };
	recording_of_folder(&rec, path);
	if (recording_is_folder(path) && recording_find(&rec, "events.txt", &events) < 0)
		return msg_set(msg, ENOMEM, "%s: no memory to read it", path);
	/* Of a folder without events, reading the bundle tells what is missing. */
	if (events || !recording_is_folder(path))
		err = bench_reading(stream, events ? events : path, msg);
	free(events);
	if (!err)
		err = bench_replaying(stream, path, specs, nr, msg);
	if (err || !stream->ops)
		return err;
	stream->file_to_null.by_cpu =
		rate_of_three(stream->read.by_cpu, stream->resolve.by_cpu,
			      stream->null_events_per_s);
	stream->file_to_null.by_clock =
		rate_of_three(stream->read.by_clock, stream->resolve.by_clock,
			      stream->null_events_per_s);
	return 0;
}

/* --- the policy, part by part ------------------------------------------------ */

static const char *const policy_parts[NR_BENCH_POLICIES] = {
	"", "pcp", "mobility", "tail_rule", "watermarks", "all",
};

/* The spec with a part switched off, or with all of them. */
static void without(char *buf, size_t size, const char *spec, const char *part)
{
	size_t len = (size_t)snprintf(buf, size, "%s", spec);

	for (size_t i = 1; i + 1 < NR_BENCH_POLICIES && len < size; i++)
		if (!strcmp(part, "all") || !strcmp(part, policy_parts[i]))
			len += (size_t)snprintf(buf + len, size - len, ":%s=off",
						policy_parts[i]);
}

static bool has_policy(const char *spec)
{
	const struct option_spec *o = registry_find(spec)->options;

	while (o && o->key && strcmp(o->key, "tail_rule"))
		o++;
	return o && o->key;
}

int bench_policy(struct bench_policy rows[NR_BENCH_POLICIES], const char *spec,
		 const char *path, struct msg *msg)
{
	struct recorded rec;
	int err;

	if (!has_policy(spec))
		return -ENOTSUP;
	err = recorded_read(&rec, path, msg);
	if (err)
		return err;
	if (!rec.demand.nr_ops)
		err = msg_set(msg, ENODATA, "%s: holds no demand; expected allocations or frees",
			      path);
	for (unsigned int r = 0; r < BENCH_REPEATS; r++) {
		for (size_t i = 0; !err && i < NR_BENCH_POLICIES; i++) {
			char full[512];

			rows[i].without = policy_parts[i];
			without(full, sizeof(full), spec, policy_parts[i]);
			err = time_replay(&rows[i].ns[r], &rec, full, msg);
		}
	}
	for (size_t i = 0; !err && i < NR_BENCH_POLICIES; i++)
		rows[i].median_ns = median_and_spread(rows[i].ns, BENCH_REPEATS,
						      &rows[i].spread);
	recorded_free(&rec);
	return err;
}
