/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bundle.c - a folder of recorded files, or one trace file, becomes a bundle
 *
 *	machine.txt              CPUs, page size, when the workload ran
 *	zoneinfo.start       --> layout: zones, watermarks, reserves, pcp sizes
 *	events.txt           --> trace; every pfn checked against the zones
 *	kpageflags.start     --> start state and holes
 *	kpageflags.start.times   when each chunk of it was read
 *	kpageflags.end, .times   a second snapshot: what pages ended as
 *	pagetypeinfo.start       pageblocks by mobility type
 *	buddyinfo.tsv            free blocks by order and zone, sampled
 *	counters.tsv             vmstat and per-CPU list counters, sampled
 *
 * Each file may also carry the ending .zst or .gz, and all of them may be inside a
 * .ptr (recording.h). Only the events are needed. What else is missing is made
 * up: the layout of an ordinary PC as large as the highest page, and a start
 * state in which all is free that the trace does not free first.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "sim/source/bundle.h"
#include "sim/source/input.h"
#include "sim/source/recording.h"
#include "sim/source/pagetypeinfo.h"
#include "sim/source/start_state.h"
#include "sim/source/zoneinfo.h"

/* What a made-up machine is rounded to: 128 MiB, a section of x86-64 memory. */
#define MADE_UP_PAGES (1ul << 15)
#define MADE_UP_LIMIT (UINT64_C(1) << 32)	/* pages: 16 TiB, 4 GiB of our own */

/* ---- files of a folder ---- */

/* What reads one file of a recording. */
typedef int (*part_reader)(struct bundle *b, struct input *in, struct msg *msg);

/* Read a file if it is there: 1 if it was, 0 if not, or a negative errno. */
static int read_part(struct bundle *b, struct recording *rec, const char *name,
		     part_reader read, struct msg *msg)
{
	struct input in;
	int found = recording_open(rec, name, &in, msg);
	int err;

	if (found <= 0)
		return found;
	err = read(b, &in, msg);
	input_close(&in);
	return err ? err : 1;
}

/* The same of a file that a lenient read may do without: forget() undoes it. */
static int read_optional(struct bundle *b, struct recording *rec, const char *name,
			 part_reader read, void (*forget)(struct bundle *b),
			 struct msg *msg)
{
	int err = read_part(b, rec, name, read, msg);

	if (err >= 0 || err == -ENOMEM || !b->lenient)
		return err;
	forget(b);
	b->bad_parts[b->nr_bad_parts++] = *msg;
	return 0;
}

static int read_numbers(struct input *in, const char **p, const char *end,
			uint64_t *numbers, size_t nr, const char *expected,
			struct msg *msg)
{
	for (size_t i = 0; i < nr; i++) {
		*p = text_skip_blanks(*p);
		if (!text_number(p, end, &numbers[i]))
			return input_bad_line(in, msg, "number %zu is missing or broken; expected %s",
					      i + 1, expected);
	}
	return 0;
}

/* Call take() with every line of a file. */
typedef int (*take_line)(struct bundle *b, struct input *in, const char *line,
			 const char *end, struct msg *msg);

static int read_lines(struct bundle *b, struct input *in, take_line take,
		      struct msg *msg)
{
	for (;;) {
		const char *line, *end;
		int err = input_next_line(in, &line, &end, msg);

		if (err <= 0)
			return err;
		err = take(b, in, line, end, msg);
		if (err)
			return err;
	}
}

/* ---- machine.txt ---- */

static int take_machine_number(struct bundle *b, struct input *in,
			       const char *word, size_t len, uint64_t value,
			       struct msg *msg)
{
	if (text_word_is(word, len, "workload_start_ns")) {
		b->workload_start_ns = value;
	} else if (text_word_is(word, len, "workload_end_ns")) {
		b->workload_end_ns = value;
	} else if (text_word_is(word, len, "cpus")) {
		if (value < 1 || value > MAX_NR_CPUS)
			return input_bad_line(in, msg, "%" PRIu64 " cpus; expected 1 to %d",
					      value, MAX_NR_CPUS);
		b->layout.nr_cpus = max_t(unsigned int, b->layout.nr_cpus, value);
	} else if (text_word_is(word, len, "page_bytes") && value != PAGE_SIZE) {
		return input_bad_line(in, msg, "pages of %" PRIu64
				      " bytes; expected %lu, for which pagetax was built",
				      value, PAGE_SIZE);
	}
	return 0;
}

/* "key<tab>value"; keys that we have no use for are passed over. */
static int take_machine_line(struct bundle *b, struct input *in, const char *line,
			     const char *end, struct msg *msg)
{
	static const char *const number_keys[] = {
		"cpus", "page_bytes", "workload_start_ns", "workload_end_ns",
	};
	const char *p = line;
	size_t len;
	const char *word = text_word(&p, &len);

	p = text_skip_blanks(p);
	if (text_word_is(word, len, "kernel"))
		text_quote(b->kernel, sizeof(b->kernel), p, (size_t)(end - p));
	for (size_t i = 0; i < ARRAY_SIZE(number_keys); i++) {
		uint64_t value;

		if (!text_word_is(word, len, number_keys[i]))
			continue;
		if (!text_number(&p, end, &value))
			return input_bad_line(in, msg, "expected a number after \"%s\"",
					      number_keys[i]);
		return take_machine_number(b, in, word, len, value, msg);
	}
	return 0;
}

static int read_machine(struct bundle *b, struct input *in, struct msg *msg)
{
	return read_lines(b, in, take_machine_line, msg);
}

/* ---- samples ---- */

static int no_room(const struct input *in, struct msg *msg)
{
	return msg_set(msg, ENOMEM, "%s:%" PRIu64 ": no memory for more samples",
		       in->path, in->line);
}

#define BUDDYINFO_COLUMNS "before_ns, after_ns, a zone and 11 numbers of free blocks"
#define COUNTERS_COLUMNS  "before_ns, after_ns, a name and a value"

static bool is_header(const char *line)
{
	return !memcmp(line, "before_ns", 9);
}

/* Whether the sample that is being read has this zone already. */
static bool sample_has(const struct bundle *b, uint64_t before_ns, unsigned int zone)
{
	for (size_t i = b->nr_buddyinfo; i-- > 0 && b->buddyinfo[i].before_ns == before_ns;)
		if (b->buddyinfo[i].zone == zone)
			return true;
	return false;
}

/*
 * Samples name no node. Nodes come in order in /proc/buddyinfo, so the second
 * "Normal" of a sample is the second zone of that name.
 */
static int zone_of_sample(const struct bundle *b, uint64_t before_ns,
			  const char *word, size_t len)
{
	int zone = -1;

	for (unsigned int i = 0; i < b->layout.nr_zones; i++) {
		if (!text_word_is(word, len, b->layout.zones[i].name))
			continue;
		zone = (int)i;
		if (!sample_has(b, before_ns, i))
			break;
	}
	return zone;
}

static int take_buddyinfo_line(struct bundle *b, struct input *in,
			       const char *line, const char *end, struct msg *msg)
{
	struct buddyinfo_sample sample = { 0 };
	uint64_t times[2];
	uint64_t nr_free[ARRAY_SIZE(sample.nr_free)];
	const char *word;
	size_t len;
	int zone, err;

	if (is_header(line))
		return 0;
	err = read_numbers(in, &line, end, times, 2, BUDDYINFO_COLUMNS, msg);
	if (err)
		return err;
	word = text_word(&line, &len);
	err = read_numbers(in, &line, end, nr_free, ARRAY_SIZE(nr_free),
			   BUDDYINFO_COLUMNS, msg);
	if (err)
		return err;
	zone = zone_of_sample(b, times[0], word, len);
	if (zone < 0)
		return input_bad_line(in, msg, "no such zone in zoneinfo; expected %s",
				      BUDDYINFO_COLUMNS);

	sample.before_ns = times[0];
	sample.after_ns = times[1];
	sample.zone = (unsigned int)zone;
	for (size_t i = 0; i < ARRAY_SIZE(nr_free); i++)
		sample.nr_free[i] = (uint32_t)nr_free[i];
	if (array_grow(b->buddyinfo, b->nr_buddyinfo))
		return no_room(in, msg);
	b->buddyinfo[b->nr_buddyinfo++] = sample;
	return 0;
}

/* Counters come in the same order in every sample, so the guess is good. */
static int counter_name(struct bundle *b, const char *word, size_t len,
			unsigned int *name)
{
	unsigned int guess = b->nr_counters ?
		b->counters[b->nr_counters - 1].name + 1 : 0;
	char *copy;

	for (unsigned int i = 0; i < b->nr_counter_names; i++) {
		*name = (guess + i) % b->nr_counter_names;
		if (text_word_is(word, len, b->counter_names[*name]))
			return 0;
	}
	if (array_grow(b->counter_names, b->nr_counter_names))
		return -ENOMEM;
	copy = strndup(word, len);
	if (!copy)
		return -ENOMEM;
	*name = b->nr_counter_names++;
	b->counter_names[*name] = copy;
	return 0;
}

static int take_counter_line(struct bundle *b, struct input *in,
			     const char *line, const char *end, struct msg *msg)
{
	struct counter_sample sample = { 0 };
	uint64_t times[2];
	const char *word;
	size_t len;
	int err;

	if (is_header(line))
		return 0;
	err = read_numbers(in, &line, end, times, 2, COUNTERS_COLUMNS, msg);
	if (err)
		return err;
	word = text_word(&line, &len);
	err = read_numbers(in, &line, end, &sample.value, 1, COUNTERS_COLUMNS, msg);
	if (err)
		return err;
	sample.before_ns = times[0];
	sample.after_ns = times[1];
	if (counter_name(b, word, len, &sample.name) ||
	    array_grow(b->counters, b->nr_counters))
		return no_room(in, msg);
	b->counters[b->nr_counters++] = sample;
	return 0;
}

static int read_buddyinfo(struct bundle *b, struct input *in, struct msg *msg)
{
	return read_lines(b, in, take_buddyinfo_line, msg);
}

static int read_counters(struct bundle *b, struct input *in, struct msg *msg)
{
	return read_lines(b, in, take_counter_line, msg);
}

/* ---- events against zones ---- */

static int check_zones(const struct event *ev, const void *arg, struct msg *msg)
{
	const struct layout *layout = arg;
	unsigned long pfn = (unsigned long)ev->pfn;
	unsigned long last = pfn + (1UL << ev->order) - 1;

	for (unsigned int i = layout->nr_zones; i-- > 0;)
		if (zone_spans(&layout->zones[i], pfn) &&
		    zone_spans(&layout->zones[i], last))
			return 0;
	if (layout_zone_of(layout, pfn) >= 0)
		return msg_set(msg, EINVAL, "block 0x%lx to 0x%lx leaves zone %s; expected it inside one zone",
			       pfn, last, layout->zones[layout_zone_of(layout, pfn)].name);
	return msg_set(msg, EINVAL, "pfn 0x%lx is in no zone; expected one of the machine's, up to 0x%lx",
		       pfn, layout_end_pfn(layout) - 1);
}

static int check_made_up(const struct event *ev, const void *arg, struct msg *msg)
{
	(void)arg;
	if (ev->pfn < MADE_UP_LIMIT)
		return 0;
	return msg_set(msg, EINVAL,
		       "pfn 0x%" PRIx64 "; expected zoneinfo with it, or one below 0x%" PRIx64,
		       ev->pfn, MADE_UP_LIMIT);
}

/*
 * Which event it is that the machine does not hold, where that shows only after
 * the reading: events do not keep their line, so the input is read once more.
 */
static int find_stray(const char *path, uint64_t limit, event_check check,
		      const void *arg, struct msg *msg)
{
	struct recording rec;
	struct trace again;
	char *events = NULL;
	int err = 0;

	if (!strcmp(path, "-"))
		return 0;
	if (recording_is_folder(path)) {
		recording_of_folder(&rec, path);
		err = min_t(int, recording_find(&rec, "events.txt", &events), 0);
		recording_close(&rec);
	}
	if (err)
		return msg_set(msg, ENOMEM, "%s: no memory to read it", path);
	err = trace_read_checked(&again, events ? events : path, limit, check, arg, msg);
	if (!err)
		trace_free(&again);
	free(events);
	return err;
}

int bundle_find_stray(const char *path, uint64_t limit, const struct layout *layout,
		      struct msg *msg)
{
	return find_stray(path, limit, check_zones, layout, msg);
}

/* ---- layouts that nobody recorded ---- */

static int make_up_layout(struct bundle *b, const char *path, uint64_t limit,
			  struct msg *msg)
{
	uint64_t pages = b->trace.max_pfn + 1;
	unsigned int nr_cpus = max_t(unsigned int, b->layout.nr_cpus, b->trace.nr_cpus);
	struct msg why;

	pages = (pages + MADE_UP_PAGES - 1) / MADE_UP_PAGES * MADE_UP_PAGES;
	if (pages > MADE_UP_LIMIT) {
		int err = find_stray(path, limit, check_made_up, NULL, msg);

		return err ? err : msg_set(msg, EINVAL,
					   "%s: names pfn 0x%" PRIx64 "; expected zoneinfo with it, or pages below 0x%" PRIx64,
					   path, b->trace.max_pfn, MADE_UP_LIMIT);
	}
	if (layout_pc(&b->layout, pages << PAGE_SHIFT, nr_cpus, &why))
		return msg_set(msg, EINVAL, "%s: %s", path, why.text);
	return 0;
}

static bool pages_are_named(const struct trace *trace, unsigned long start,
			    unsigned long end)
{
	for (size_t i = 0; i < trace->nr_events; i++)
		if (trace->events[i].kind != EV_LOST &&
		    trace->events[i].pfn >= start && trace->events[i].pfn < end)
			return true;
	return false;
}

/*
 * Zones without a snapshot: what zoneinfo misses is taken to be the end of the
 * zone (as below 4 GiB on a PC), unless an event names a page there; and no
 * page is reserved.
 */
static int make_up_holes(struct bundle *b, struct msg *msg)
{
	for (unsigned int i = 0; i < b->layout.nr_zones; i++) {
		struct zone *zone = &b->layout.zones[i];
		unsigned long end = zone_end_pfn(zone);
		unsigned long start = zone->start_pfn + zone->present;

		zone->present = zone->spanned;
		if (start < end && !pages_are_named(&b->trace, start, end)) {
			int err = layout_add_hole(&b->layout, start, end, msg);

			if (err)
				return err;
		}
		zone->managed = zone->present;
	}
	return 0;
}

/* ---- reading ---- */

/* A trace that brings no machine. */
static int make_up_machine(struct bundle *b, const char *path, uint64_t limit,
			   struct msg *msg)
{
	int err = make_up_layout(b, path, limit, msg);

	if (!err)
		err = start_assume_free(b, msg);
	return err ? err : start_classify(b, msg);
}

static int read_zoneinfo(struct bundle *b, struct input *in, struct msg *msg)
{
	unsigned int nr_cpus = b->layout.nr_cpus;
	int err = zoneinfo_read(&b->layout, &b->start_pcps, in, msg);

	b->has_zoneinfo = !err;
	b->layout.nr_cpus = max_t(unsigned int, b->layout.nr_cpus, nr_cpus);
	return err;
}

/* What has to be known before events can be judged. */
static int read_layout(struct bundle *b, struct recording *rec, struct msg *msg)
{
	int err = read_part(b, rec, "machine.txt", read_machine, msg);

	if (err >= 0)
		err = read_part(b, rec, "zoneinfo.start", read_zoneinfo, msg);
	return min_t(int, err, 0);
}

static int read_events(struct bundle *b, const struct recording *rec,
		       uint64_t limit, struct msg *msg)
{
	char *path;
	int err = recording_find(rec, "events.txt", &path);

	if (err < 0)
		return msg_set(msg, ENOMEM, "%s: no memory to read it", rec->folder);
	if (err == 0)
		return msg_set(msg, ENOENT,
			       "%s: is no bundle: it has no events.txt; expected a folder with"
			       " events.txt and, as far as recorded, %s, each plain or with .zst or .gz",
			       rec->folder, recording_file_names().text);
	err = trace_read_checked(&b->trace, path, limit,
				 b->has_zoneinfo ? check_zones : NULL, &b->layout,
				 msg);
	free(path);
	return err;
}

/* The same checks for events that were read before the zones were known. */
static int check_events(const struct bundle *b, const char *path, struct msg *msg)
{
	const struct trace *trace = &b->trace;

	for (size_t i = 0; b->has_zoneinfo && i < trace->nr_events; i++) {
		const struct event *ev = &trace->events[i];
		struct msg why;

		if (ev->kind != EV_LOST && ev->pfn != EVENT_PFN_FAILED &&
		    check_zones(ev, &b->layout, &why))
			return msg_set(msg, EINVAL, "%s: event %zu: %s", path, i, why.text);
	}
	return 0;
}

static int read_start_times(struct bundle *b, struct input *in, struct msg *msg)
{
	return start_read_times(b, in, &b->chunk_before_ns, &b->chunk_ns, msg);
}

static int read_end_times(struct bundle *b, struct input *in, struct msg *msg)
{
	return start_read_times(b, in, NULL, &b->end_ns, msg);
}

static int read_kpageflags(struct bundle *b, struct input *in, struct msg *msg)
{
	if (b->has_zoneinfo)
		return start_read_kpageflags(b, in, msg);
	return msg_set(msg, ENOENT,
		       "%s: is there, but no zoneinfo.start; expected both or neither",
		       in->path);
}

static int read_start_state(struct bundle *b, struct recording *rec, struct msg *msg)
{
	int err = read_part(b, rec, "kpageflags.start", read_kpageflags, msg);

	if (err == 0) {
		err = b->has_zoneinfo ? make_up_holes(b, msg) : 0;
		return err ? err : start_assume_free(b, msg);
	}
	if (err > 0)
		err = read_part(b, rec, "kpageflags.start.times", read_start_times, msg);
	return min_t(int, err, 0);
}

/* ---- what a lenient read can do without ---- */

static void forget_end(struct bundle *b)
{
	free(b->end_free);
	free(b->end_ns);
	b->end_free = NULL;
	b->end_ns = NULL;
}

static void forget_pagetypeinfo(struct bundle *b)
{
	memset(b->nr_typed_blocks, 0, sizeof(b->nr_typed_blocks));
	b->has_pagetypeinfo = false;
	b->pageblock_order = 0;
}

/* Samples are one to a line: those before a broken one are as good as ever. */
static void forget_nothing(struct bundle *b)
{
	(void)b;
}

/* The second snapshot is of use only with its times. */
static int read_end_state(struct bundle *b, struct recording *rec, bool cut,
			  struct msg *msg)
{
	int err = 0;

	/* It tells nothing of the end of a trace that was read in part. */
	if (b->chunk_ns && !cut)
		err = read_optional(b, rec, "kpageflags.end.times", read_end_times,
				    forget_end, msg);
	if (err > 0)
		err = read_optional(b, rec, "kpageflags.end", start_read_end,
				    forget_end, msg);
	return min_t(int, err, 0);
}

static int read_samples(struct bundle *b, struct recording *rec, struct msg *msg)
{
	int err = 0;

	if (b->has_zoneinfo)
		err = read_optional(b, rec, "buddyinfo.tsv", read_buddyinfo,
				    forget_nothing, msg);
	if (err >= 0)
		err = read_optional(b, rec, "counters.tsv", read_counters,
				    forget_nothing, msg);
	return min_t(int, err, 0);
}

/* All that follows the events. */
static int read_states(struct bundle *b, struct recording *rec, const char *path,
		       uint64_t limit, struct msg *msg)
{
	bool cut = limit && b->trace.nr_events >= limit;
	int err = b->has_zoneinfo ? 0 : make_up_layout(b, path, limit, msg);

	b->layout.nr_cpus = max_t(unsigned int, b->layout.nr_cpus, b->trace.nr_cpus);
	if (!err)
		err = read_start_state(b, rec, msg);
	if (!err && b->has_zoneinfo)
		err = read_optional(b, rec, "pagetypeinfo.start", pagetypeinfo_read,
				    forget_pagetypeinfo, msg);
	if (err >= 0)
		err = read_end_state(b, rec, cut, msg);
	if (!err)
		err = start_classify(b, msg);
	return err ? err : read_samples(b, rec, msg);
}

static int read_folder(struct bundle *b, const char *folder, uint64_t limit,
		       struct msg *msg)
{
	struct recording rec;
	int err;

	recording_of_folder(&rec, folder);
	err = read_layout(b, &rec, msg);
	if (!err)
		err = read_events(b, &rec, limit, msg);
	if (!err)
		err = read_states(b, &rec, folder, limit, msg);
	recording_close(&rec);
	return err;
}

/* A trace, and what it brings besides, if it is a .ptr. */
static int read_file(struct bundle *b, const char *path, uint64_t limit,
		     struct msg *msg)
{
	struct recording rec;
	int err = trace_read(&b->trace, path, limit, msg);

	if (err)
		return err;
	if (!b->trace.nr_files)
		return make_up_machine(b, path, limit, msg);
	recording_of_trace(&rec, &b->trace);
	err = read_layout(b, &rec, msg);
	if (!err)
		err = check_events(b, path, msg);
	if (!err)
		err = read_states(b, &rec, path, limit, msg);
	recording_close(&rec);
	return err;
}

/* The last part of the path, also of "." and of a path that ends in '/'. */
static char *name_of(const char *path)
{
	char *real = strcmp(path, "-") ? realpath(path, NULL) : strdup("stdin");
	const char *slash;
	char *name;

	if (!real)
		return strdup(path);
	slash = strrchr(real, '/');
	name = strdup(slash && slash[1] ? slash + 1 : real);
	free(real);
	return name;
}

static int read_bundle(struct bundle *b, const char *path, uint64_t limit,
		       bool lenient, struct msg *msg)
{
	int err;

	*b = (struct bundle){ .lenient = lenient };
	b->name = name_of(path);
	if (!b->name)
		err = msg_set(msg, ENOMEM, "%s: no memory to read it", path);
	else if (recording_is_folder(path))
		err = read_folder(b, path, limit, msg);
	else
		err = read_file(b, path, limit, msg);
	if (err)
		bundle_free(b);
	else
		layout_bound_lowmem(&b->layout);
	return err;
}

int bundle_read(struct bundle *b, const char *path, uint64_t limit,
		struct msg *msg)
{
	return read_bundle(b, path, limit, false, msg);
}

int bundle_read_lenient(struct bundle *b, const char *path, uint64_t limit,
			struct msg *msg)
{
	struct msg own;

	return read_bundle(b, path, limit, true, msg ? msg : &own);
}

void bundle_free(struct bundle *b)
{
	for (unsigned int i = 0; i < b->nr_counter_names; i++)
		free(b->counter_names[i]);
	free(b->counter_names);
	free(b->counters);
	free(b->buddyinfo);
	free(b->block_types);
	recorded_pcps_free(&b->start_pcps);
	free(b->end_ns);
	free(b->end_free);
	free(b->chunk_ns);
	free(b->chunk_before_ns);
	free(b->resident_blocks);
	free(b->free_blocks);
	free(b->start);
	free(b->start_class);
	layout_free(&b->layout);
	trace_free(&b->trace);
	free(b->name);
	*b = (struct bundle){ 0 };
}
