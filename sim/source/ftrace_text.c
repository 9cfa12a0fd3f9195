/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ftrace_text.c - the readers of what tracefs and `trace-cmd report` print
 *
 *	   bash-27248   [001] .....   974.070564: mm_page_alloc: page=00000000 pfn=0x5f03df
 *	   bash-28158 [001]  1072.448485: mm_page_free:         page=0x1e3153 pfn=0x1e3153
 *	   |    |      |     |     |      |
 *	   |    |      |     |     |      event, without its subsystem
 *	   |    |      |     |     seconds; found first, from its colon on to both sides
 *	   |    |      |     flags of the moment: tracefs, and newer trace-cmd
 *	   |    |      cpu
 *	   |    thread; perhaps its process behind it: (27240), (-----)
 *	   process: anything, blanks, dashes and colons too
 *
 * Two formats of one shape: with flags, and not from trace-cmd, whose first
 * line is "cpus=N", it is tracefs. Lost events are lines of their own, without
 * a time, and take that of the event before:
 *
 *	CPU:0 [LOST 444 EVENTS]		tracefs
 *	CPU:1 [12 EVENTS DROPPED]	trace-cmd
 *
 * Both leave the number out when the kernel does not know it; then at least
 * one was lost, and one is counted.
 */
#include "sim/source/text_line.h"

#define PREFIX "mm_page_"

/* ---- the columns, to the left of the event's name ---- */

/* "[cpu]" or "[cpu] flags" that ends at `end`; returns where it begins, or NULL. */
static __always_inline const char *find_cpu(const char *begin, const char *end,
					    uint16_t *cpu, bool *flags)
{
	const char *p = text_cpu(begin, end, cpu);

	*flags = !p;
	if (p)
		return p;
	return text_cpu(begin, skip_blanks_back(begin, skip_token_back(begin, end)), cpu);
}

/* The end of "process" in "process-thread (group)", or of it all without thread. */
static const char *process_end(const char *begin, const char *end)
{
	const char *p = skip_blanks_back(begin, end);

	if (p > begin && p[-1] == ')') {
		while (p > begin && *p != '(')
			p--;
		p = skip_blanks_back(begin, p);
	}
	end = p;
	while (p > begin && text_digit[(uint8_t)p[-1]] < 10)
		p--;
	return p < end && p > begin && p[-1] == '-' ? p - 1 : end;
}

static __always_inline int read_columns(struct text_reader *t, struct text_line *l,
					struct span time)
{
	const char *cpu, *end;
	bool flags;

	if (!text_time(time.begin, time.end, &l->ev.time_ns))
		return text_bad_value(l, time.begin,
				      "the time before the event as seconds.decimals");
	end = skip_blanks_back(l->begin, time.begin);
	cpu = find_cpu(l->begin, end, &l->ev.cpu, &flags);
	if (!cpu)
		return text_bad_value(l, skip_token_back(l->begin, end),
				      "the cpu, [0] to [1023], before the time or before flags");
	return text_process(t, l, process_end(l->begin, cpu));
}

/* ---- whole lines ---- */

/* The event of our kind: a colon that ends a token, blanks, "mm_page_". */
static __always_inline const char *find_event(const char *begin, const char *end,
					      struct span *time)
{
	const char *colon = begin;

	while ((colon = memchr(colon, ':', (size_t)(end - colon)))) {
		const char *event = colon + 1;

		while (event < end && *event == ' ')
			event++;
		if (event < end && IS_KEY(event, PREFIX) && event > colon + 1) {
			time->end = colon;
			time->begin = skip_token_back(begin, colon);
			return event;
		}
		colon++;
	}
	return NULL;
}

/* Any event in these columns: whether there is one, and whether flags are. */
static bool has_other_event(const char *begin, const char *end, bool *flags)
{
	const char *colon = begin;

	while ((colon = memchr(colon, ':', (size_t)(end - colon)))) {
		const char *time = skip_token_back(begin, colon);
		uint64_t time_ns;
		uint16_t cpu;

		if (text_time(time, colon, &time_ns) &&
		    find_cpu(begin, skip_blanks_back(begin, time), &cpu, flags))
			return true;
		colon++;
	}
	return false;
}

/* "CPU:0 [LOST 444 EVENTS]", "CPU:1 [12 EVENTS DROPPED]": how many; 0 if none. */
static uint64_t lost_events(const struct text_line *l, uint16_t *cpu)
{
	const char *p = l->begin;
	uint64_t n;

	while (p < l->end && *p == ' ')
		p++;
	if (!IS_KEY(p, "CPU:"))
		return 0;
	p += KEY_LEN("CPU:");
	if (!text_number(&p, l->end, &n) || n >= MAX_NR_CPUS)
		return 0;
	*cpu = (uint16_t)n;
	while (p < l->end && *p == ' ')
		p++;
	if (IS_KEY(p, "[LOST EVENTS]") || IS_KEY(p, "[EVENTS DROPPED]"))
		return 1;
	if (IS_KEY(p, "[LOST "))
		p += KEY_LEN("[LOST ");
	else if (*p == '[')
		p++;
	else
		return 0;
	if (!text_number(&p, l->end, &n))
		return 0;
	return IS_KEY(p, " EVENTS]") || IS_KEY(p, " EVENTS DROPPED]") ? n : 0;
}

/* A line without an event of the page allocator. */
static int read_other(struct text_reader *t, struct text_line *l)
{
	bool flags;

	if (*l->begin == '#')
		return 0;
	l->ev.pfn = lost_events(l, &l->ev.cpu);
	if (l->ev.pfn) {
		l->ev.kind = EV_LOST;
		l->ev.time_ns = t->b->last_ns;
		return text_add(t, l);
	}
	if (has_other_event(l->begin, l->end, &flags))
		t->b->trace->other_events++;
	return 0;
}

static int read_line(struct text_reader *t, struct text_line *l)
{
	struct span time;
	const char *p = find_event(l->begin, l->end, &time);
	int err;

	if (!p)
		return read_other(t, l);
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

static int ftrace_text_read(struct trace_builder *b, struct input *in,
			    struct msg *msg)
{
	return text_read_lines(b, in, read_line, msg);
}

/* ---- which of the two ---- */

enum shape { SHAPE_NONE, SHAPE_TRACEFS, SHAPE_TRACE_CMD };

static enum shape find_shape(const char *text, size_t len)
{
	const char *end = text + len;
	bool trace_cmd = len > 5 && IS_KEY(text, "cpus=");

	for (const char *line = text; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;
		bool flags;

		if (*line != '#' && has_other_event(line, stop, &flags))
			return flags && !trace_cmd ? SHAPE_TRACEFS : SHAPE_TRACE_CMD;
		line = stop + 1;
	}
	return SHAPE_NONE;
}

static bool tracefs_text_probe(const char *text, size_t len)
{
	return find_shape(text, len) == SHAPE_TRACEFS;
}

static bool trace_cmd_text_probe(const char *text, size_t len)
{
	return find_shape(text, len) == SHAPE_TRACE_CMD;
}

const struct trace_reader tracefs_text_reader = {
	.name  = "tracefs-text",
	.what  = "tracefs text",
	.probe = tracefs_text_probe,
	.read  = ftrace_text_read,
};

const struct trace_reader trace_cmd_text_reader = {
	.name  = "trace-cmd-text",
	.what  = "`trace-cmd report` text",
	.probe = trace_cmd_text_probe,
	.read  = ftrace_text_read,
};
