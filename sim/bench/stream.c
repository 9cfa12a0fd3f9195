/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream.c - how fast a trace becomes events, and events reach an allocator
 *
 *    text, in memory ---.                  .--- null: the engine alone
 *                       +--> events --> ops
 *    .ptr, in memory ---'                  `--- linked, twoword: with or without
 *                                               a part of the policy
 *
 * Text is decompressed before the clock starts; the blocks of a .ptr are part of
 * its reading. The disk has no part in either. CPU time of one thread; the input is taken again and again
 * until enough time has passed for a figure.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc/registry.h"
#include "sim/bench/bench.h"
#include "sim/replay.h"
#include "sim/source/input.h"

#define MIN_NS 3e8			/* of one repeat */

struct text {
	char *bytes;
	size_t len;
};

/* The whole input; of text, decompressed. */
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
	if (err)
		free(text->bytes);
	return err;
}

static int bench_reading(struct bench_stream *s, const char *path,
			 struct msg *msg)
{
	double lines_per_s[BENCH_REPEATS], events_per_s[BENCH_REPEATS];
	struct text text;
	int err = text_read(&text, path, msg);

	for (unsigned int r = 0; !err && r < BENCH_REPEATS; r++) {
		double before = cpu_ns(), ns = 0;
		uint64_t lines = 0, events = 0;

		do {
			struct trace trace;

			err = trace_read_memory(&trace, path, text.bytes,
						text.len, 0, msg);
			if (err)
				break;
			lines += s->lines = trace.lines;
			events += s->events = trace.nr_events;
			trace_free(&trace);
			ns = cpu_ns() - before;
		} while (ns < MIN_NS);
		lines_per_s[r] = 1e9 * (double)lines / ns;
		events_per_s[r] = 1e9 * (double)events / ns;
	}
	if (!err) {
		s->lines_per_s = median_of(lines_per_s, BENCH_REPEATS);
		s->events_per_s = median_of(events_per_s, BENCH_REPEATS);
	}
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

static int bench_replaying(struct bench_stream *s, const char *path,
			   struct msg *msg)
{
	static const char *const specs[] = { "null", "linked", "twoword" };
	double ns[ARRAY_SIZE(specs)][BENCH_REPEATS];
	double spread, median[ARRAY_SIZE(specs)];
	struct recorded rec;
	int err = recorded_read(&rec, path, msg);

	if (err)
		return err;
	s->ops = rec.demand.nr_ops;
	if (!s->ops)
		goto free_recorded;
	for (unsigned int r = 0; r < BENCH_REPEATS; r++)
		for (size_t i = 0; !err && i < ARRAY_SIZE(specs); i++)
			err = time_replay(&ns[i][r], &rec, specs[i], msg);
	if (err)
		goto free_recorded;
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
		median[i] = median_and_spread(ns[i], BENCH_REPEATS, &spread);
	s->null_events_per_s = 1e9 / median[0];
	s->null_ops_per_s = s->null_events_per_s * (double)rec.demand.nr_ops /
			    (double)rec.demand.nr_events;
	s->linked_events_per_s = 1e9 / median[1];
	s->twoword_events_per_s = 1e9 / median[2];

free_recorded:
	recorded_free(&rec);
	return err;
}

int bench_stream(struct bench_stream *stream, const char *path, struct msg *msg)
{
	struct stat st;
	char events[4096];
	int err;

	*stream = (struct bench_stream){ .lines = 0 };
	if (stat(path, &st))
		return msg_set(msg, errno, "%s: %s", path, strerror(errno));
	snprintf(events, sizeof(events), S_ISDIR(st.st_mode) ?
		 "%s/events.txt.zst" : "%s", path);
	err = bench_reading(stream, events, msg);
	return err ? err : bench_replaying(stream, path, msg);
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
	if (!rec.demand.nr_events)
		err = msg_set(msg, ENODATA, "%s: no events to replay", path);
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
