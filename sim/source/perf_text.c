/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * perf_text.c - the reader of what `perf script` prints
 *
 *	  sh 23 [001]  3721.941451137:  kmem:mm_page_free: page=0x5d9ecc pfn=0x5d9ecc order=0
 *	  |  |   |     |             |      |            |
 *	  |  |   |     |             |      |            keys and values, in any order
 *	  |  |   cpu   seconds,      |      event: found first
 *	  |  thread    1-9 decimals  from here back to the left
 *	  process: anything, blanks and colons too
 *
 * A process may be called nearly anything, so a line is not read from its
 * beginning: the event's name is looked for, at the colons, and the columns
 * before it are read backwards. What has no kmem:mm_page_ event is skipped:
 * other events (counted), call chains, comments.
 *
 * A last line without its end is read if nothing is missing, and refused like
 * any other broken line if something is.
 *
 * Known traps: page= is a hashed address or the pfn again, and says only
 * whether an allocation failed; numbers are decimal or hexadecimal; perf 6.1
 * prints a wrong fragmenting=; a lost-events line may carry time 0.
 *
 * Cost: about one load for each byte of the line and no allocation.
 */
#include "sim/source/text_line.h"

#define PREFIX "kmem:mm_page_"

/* ---- the columns, to the left of the event's name ---- */

/* Process, thread, cpu and time: everything before the event's name. */
static __always_inline int read_columns(struct text_reader *t, struct text_line *l,
					struct span time)
{
	const char *cpu, *thread, *comm_end;
	const char *end;

	if (!text_time(time.begin, time.end, &l->ev.time_ns))
		return text_bad_value(l, time.begin,
				      "the time before the event as seconds.decimals");
	end = skip_blanks_back(l->begin, time.begin);
	cpu = text_cpu(l->begin, end, &l->ev.cpu);
	if (!cpu)
		return text_bad_value(l, skip_token_back(l->begin, end),
				      "the cpu before the time as [0] to [1023]");

	comm_end = skip_blanks_back(l->begin, cpu);
	thread = skip_token_back(l->begin, comm_end);
	return text_process(t, l, is_thread(thread, comm_end) ? thread : comm_end);
}

/* ---- whole lines ---- */

/*
 * Where "kmem:mm_page_" begins as the line's event: a colon with "kmem" before
 * it, "mm_page_" behind it, and before all that the colon of the time. NULL if
 * the line has no such event.
 */
static __always_inline const char *find_event(const char *begin, const char *end,
					      struct span *time)
{
	const char *colon = begin;

	while ((colon = memchr(colon, ':', (size_t)(end - colon)))) {
		const char *event = colon - KEY_LEN("kmem");

		colon++;
		if (event > begin && IS_KEY(event, PREFIX) &&
		    find_time(begin, event, time))
			return event;
	}
	return NULL;
}

/*
 * The name of any event in perf's columns, behind "[cpu] time:", or NULL for a
 * line that is none.
 */
static const char *find_other_event(const char *begin, const char *end,
				    struct span *time)
{
	const char *colon = begin;

	while ((colon = memchr(colon, ':', (size_t)(end - colon)))) {
		uint64_t time_ns;
		uint16_t cpu;

		time->begin = skip_token_back(begin, colon);
		time->end = colon++;
		if (!text_time(time->begin, time->end, &time_ns) ||
		    !text_cpu(begin, skip_blanks_back(begin, time->begin), &cpu))
			continue;
		while (colon < end && *colon == ' ')
			colon++;
		return colon < end ? colon : NULL;
	}
	return NULL;
}

/* "... [001]  3721.941451: PERF_RECORD_LOST lost 1356" */
static int read_lost(struct text_reader *t, struct text_line *l, struct span time,
		     const char *name)
{
	const char *p = name;
	int err;

	while (p < l->end && !IS_KEY(p, " lost "))
		p++;
	p += KEY_LEN(" lost ");
	if (p >= l->end || !text_number(&p, l->end, &l->ev.pfn))
		return text_bad_value(l, name, "\"lost\" and how many events were");
	err = read_columns(t, l, time);
	if (err)
		return err;
	if (l->ev.time_ns == 0)
		l->ev.time_ns = t->b->last_ns;
	l->ev.kind = EV_LOST;
	return text_add(t, l);
}

/* A line without an event of the page allocator. */
static int read_other(struct text_reader *t, struct text_line *l)
{
	struct span time;
	const char *name;

	if (*l->begin == '#')
		return 0;
	name = find_other_event(l->begin, l->end, &time);
	if (!name)
		return 0;
	if (IS_KEY(name, "PERF_RECORD_LOST"))
		return read_lost(t, l, time, name);
	t->b->trace->other_events++;
	return 0;
}

static int read_line(struct text_reader *t, struct text_line *l)
{
	struct span time;
	const char *event = find_event(l->begin, l->end, &time);
	const char *p;
	int err;

	if (!event)
		return read_other(t, l);
	p = event + KEY_LEN("kmem:");
	if (!text_kind(&p, &l->ev.kind)) {
		t->b->trace->other_events++;
		return 0;
	}
	err = read_columns(t, l, time);
	if (likely(!err))
		err = text_values(t, l, p);
	if (likely(!err))
		err = text_add(t, l);
	return err;
}

static int perf_text_read(struct trace_builder *b, struct input *in,
			  struct msg *msg)
{
	return text_read_lines(b, in, read_line, msg);
}

/* "kmem:kfree:", not "kfree:" */
static bool has_subsystem(const char *name)
{
	const char *end = token_end(name);

	return end > name && memchr(name, ':', (size_t)(end - name - 1));
}

/*
 * Some line is of perf's shape: raw tracefs text has flags between cpu and
 * time, trace-cmd names the event without its subsystem.
 */
static bool perf_text_probe(const char *text, size_t len)
{
	const char *end = text + len;

	for (const char *line = text; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;
		struct span time;
		const char *name;

		if (find_event(line, stop, &time))
			return true;
		name = find_other_event(line, stop, &time);
		if (name && (IS_KEY(name, "PERF_RECORD_") || has_subsystem(name)))
			return true;
		line = stop + 1;
	}
	return false;
}

const struct trace_reader perf_text_reader = {
	.name  = "perf-text",
	.what  = "`perf script` text",
	.probe = perf_text_probe,
	.read  = perf_text_read,
};
