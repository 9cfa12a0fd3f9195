/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream.c - how fast text becomes events, and events reach an allocator
 *
 * Both from memory: the disk and zstd are no part of it. The input is read
 * again and again until enough time has passed for a figure.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/bench/bench.h"
#include "sim/replay.h"
#include "sim/source/input.h"

#define MIN_NS 3e8			/* of one repeat */

struct text {
	char *bytes;
	size_t len;
};

/* The whole input, decompressed. */
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
	double rate[BENCH_REPEATS];
	struct text text;
	int err = text_read(&text, path, msg);

	if (err)
		return err;
	for (unsigned int r = 0; !err && r < BENCH_REPEATS; r++) {
		double before = thread_cpu_ns(), ns = 0;
		uint64_t lines = 0;

		do {
			struct trace trace;

			err = trace_read_memory(&trace, path, text.bytes,
						text.len, 0, msg);
			if (err)
				break;
			lines += s->lines = trace.lines;
			s->events = trace.nr_events;
			trace_free(&trace);
			ns = thread_cpu_ns() - before;
		} while (ns < MIN_NS);
		rate[r] = 1e9 * (double)lines / ns;
	}
	if (!err)
		s->lines_per_s = median_of(rate, BENCH_REPEATS);
	free(text.bytes);
	return err;
}

static int bench_engine(struct bench_stream *s, const struct replay_plan *plan,
			struct msg *msg)
{
	double rate[BENCH_REPEATS];
	int err = 0;

	s->ops = plan->demand->nr_ops;
	for (unsigned int r = 0; !err && r < BENCH_REPEATS; r++) {
		uint64_t ops = 0;
		double wall_s = 0;

		while (!err && wall_s < 1e-9 * MIN_NS) {
			struct replay_run run;

			err = replay(&run, plan, "null", msg);
			ops += run.ops_done;
			wall_s += run.wall_s;
			replay_run_free(&run);
		}
		rate[r] = (double)ops / wall_s;
	}
	if (err)
		return err;
	s->null_ops_per_s = median_of(rate, BENCH_REPEATS);
	s->null_events_per_s = s->null_ops_per_s *
			       (double)plan->demand->nr_events /
			       (double)plan->demand->nr_ops;
	return 0;
}

static int bench_replaying(struct bench_stream *s, const char *path,
			   struct msg *msg)
{
	struct bundle bundle;
	struct demand demand = { .ops = NULL };
	struct initial_state start = { .free_blocks = NULL };
	struct sample_plan samples = { .times_ns = NULL };
	struct replay_plan plan = {
		.layout = &bundle.layout, .demand = &demand, .start = &start,
		.samples = &samples, .window = WINDOW_ARITH,
	};
	int err = bundle_read(&bundle, path, 0, msg);

	if (err)
		return err;
	err = demand_resolve(&demand, &bundle, &bundle.layout, msg);
	if (!err)
		err = initial_state_build(&start, &bundle, &bundle.layout,
					  &demand, NULL, msg);
	if (!err)
		err = sample_plan_make(&samples, &demand, &bundle.trace, 0, 0, msg);
	if (!err && demand.nr_ops)
		err = bench_engine(s, &plan, msg);
	sample_plan_free(&samples);
	initial_state_free(&start);
	demand_free(&demand);
	bundle_free(&bundle);
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
