/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace.c - build a trace in memory from whatever format the input is in
 *
 * The format is told by content. Events are kept as they come; if the recorder
 * wrote them out of order (one CPU's buffer behind another's), they are sorted
 * by time once, at the end, and equal times keep their order.
 *
 * Process names are interned: a name seen lately costs one look at a small
 * direct-mapped cache, any other one look at a hash table.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM 1	/* else it exits */
#include <uthash.h>

#include "base/array.h"
#include "base/names.h"
#include "sim/host_memory.h"
#include "sim/source/reader.h"
#include "sim/source/trace_dat.h"

static const struct trace_reader *const readers[] = {
	&ptr_reader,
	&trace_dat_reader,
	&llfree_records_reader,
	&perf_text_reader,
	&tracefs_text_reader,
	&trace_cmd_text_reader,
};

const char *const event_kind_names[NR_EVENT_KINDS] = {
#define EVENT_NAME(name, kernel, what) [EV_##name] = kernel,
	EVENT_KINDS(EVENT_NAME)
#undef EVENT_NAME
	[EV_LOST] = "lost",
};

/* ---- process names ---- */

#define COMM_CACHE_LINES 256	/* a power of two; a busy machine runs fewer at once */

struct comm_entry {
	UT_hash_handle hh;
	uint16_t index;
	char name[];
};

/* Names of up to 16 bytes, as the kernel's are, are two overlapping words. */
struct comm_line {
	uint64_t head;
	uint64_t tail;
	uint32_t len;		/* 0: empty */
	uint16_t index;
};

struct comm_table {
	struct comm_entry *by_name;
	struct comm_line lines[COMM_CACHE_LINES];
};

static struct comm_table *comm_table_create(void)
{
	return calloc(1, sizeof(struct comm_table));
}

static void comm_table_destroy(struct comm_table *table)
{
	struct comm_entry *entry, *next;

	HASH_ITER(hh, table->by_name, entry, next) {
		HASH_DEL(table->by_name, entry);
		free(entry);
	}
	free(table);
}

/* The first and the last 8 bytes of a name; the whole of it below 8. */
static void comm_words(const char *name, size_t len, uint64_t *head,
		       uint64_t *tail)
{
	if (len >= 8) {
		memcpy(head, name, 8);
		memcpy(tail, name + len - 8, 8);
		return;
	}
	*head = 0;
	*tail = 0;
	for (size_t i = 0; i < len; i++)
		*head = *head << 8 | (unsigned char)name[i];
}

static int trace_add_comm(struct trace *trace, const char *name, size_t len)
{
	char *copy = strndup(name, len);

	if (!copy || array_grow(trace->comms, trace->nr_comms)) {
		free(copy);
		return -ENOMEM;
	}
	trace->comms[trace->nr_comms++] = copy;
	return 0;
}

static int comm_intern(struct trace_builder *b, const char *name, size_t len,
		       uint16_t *index)
{
	struct comm_entry *entry;

	HASH_FIND(hh, b->comms->by_name, name, len, entry);
	if (entry) {
		*index = entry->index;
		return 0;
	}
	*index = 0;
	if (b->trace->nr_comms > UINT16_MAX)
		return 0;

	entry = calloc(1, sizeof(*entry) + len + 1);
	if (!entry || trace_add_comm(b->trace, name, len)) {
		free(entry);
		return -ENOMEM;
	}
	entry->index = (uint16_t)(b->trace->nr_comms - 1);
	memcpy(entry->name, name, len);
	HASH_ADD_KEYPTR(hh, b->comms->by_name, entry->name, len, entry);
	if (!entry->hh.tbl) {		/* no memory for the table */
		free(entry);
		return -ENOMEM;
	}
	*index = entry->index;
	return 0;
}

int builder_comm(struct trace_builder *b, const char *name, size_t len,
		 uint16_t *index)
{
	struct comm_line *line;
	uint64_t head, tail;
	int err;

	if (len == 0 || len > 16) {
		*index = 0;
		return len ? comm_intern(b, name, len, index) : 0;
	}
	comm_words(name, len, &head, &tail);
	line = &b->comms->lines[((head ^ tail << 1) * UINT64_C(0x9e3779b97f4a7c15) >> 32) %
				COMM_CACHE_LINES];
	if (likely(line->head == head && line->tail == tail && line->len == len)) {
		*index = line->index;
		return 0;
	}
	err = comm_intern(b, name, len, index);
	if (!err)
		*line = (struct comm_line){ head, tail, (uint32_t)len, *index };
	return err;
}

/* ---- events ---- */

/* Make room for at least nr events in all. */
static int trace_grow(struct trace *trace, size_t nr, struct msg *msg)
{
	size_t room = max_t(size_t, nr, trace->room ? 2 * trace->room : 4096);
	struct event *events = NULL;

	if (room <= SIZE_MAX / sizeof(*events))
		events = host_table_grow(trace->events,
					 trace->nr_events * sizeof(*events),
					 room * sizeof(*events));
	if (!events)
		return msg_set(msg, ENOMEM, "no memory for %zu events", room);
	trace->events = events;
	trace->room = room;
	return 0;
}

/* What every machine could have done, whatever its zones. */
static int event_sane(const struct event *ev, struct msg *msg)
{
	if (ev->order > MAX_PAGE_ORDER)
		return msg_set(msg, EINVAL, "order %u; expected 0 to %u, the largest block",
			       ev->order, MAX_PAGE_ORDER);
	if (ev->fallback_order > MAX_PAGE_ORDER)
		return msg_set(msg, EINVAL, "fallback_order %u; expected 0 to %u, the largest block",
			       ev->fallback_order, MAX_PAGE_ORDER);
	if (ev->pfn >= PFN_LIMIT)
		return msg_set(msg, EINVAL, "pfn 0x%" PRIx64 "; expected one below 0x%" PRIx64,
			       ev->pfn, PFN_LIMIT);
	if (ev->pfn & ((UINT64_C(1) << ev->order) - 1))
		return msg_set(msg, EINVAL, "pfn 0x%" PRIx64
			       "; expected a multiple of %u, as its order is %u",
			       ev->pfn, 1u << ev->order, ev->order);
	return 0;
}

static int event_check_pages(struct trace_builder *b, const struct event *ev,
			     struct msg *msg)
{
	struct trace *trace = b->trace;
	uint64_t last_pfn;
	int err = event_sane(ev, msg);

	if (!err && b->check)
		err = b->check(ev, b->check_arg, msg);
	if (err)
		return err;
	last_pfn = ev->pfn + (UINT64_C(1) << ev->order) - 1;
	trace->max_pfn = max_t(uint64_t, trace->max_pfn, last_pfn);
	return 0;
}

int builder_add(struct trace_builder *b, const struct event *ev, struct msg *msg)
{
	struct trace *trace = b->trace;
	int err = 0;

	if (ev->kind == EV_LOST)
		trace->lost += ev->pfn;
	else if (ev->kind != EV_ALLOC || ev->pfn != EVENT_PFN_FAILED)
		err = event_check_pages(b, ev, msg);
	else if (ev->order > MAX_PAGE_ORDER)
		err = event_sane(&(struct event){ .order = ev->order }, msg);
	if (err)
		return err;

	if (unlikely(trace->nr_events == trace->room)) {
		err = trace_grow(trace, trace->nr_events + 1, msg);
		if (err)
			return err;
	}
	trace->events[trace->nr_events++] = *ev;
	trace->by_kind[ev->kind]++;
	if (ev->cpu >= trace->nr_cpus)
		trace->nr_cpus = ev->cpu + 1u;
	if (unlikely(ev->time_ns < b->last_ns))
		b->unsorted = true;
	b->last_ns = ev->time_ns;
	return 0;
}

int builder_reserve(struct trace_builder *b, size_t nr, struct msg *msg)
{
	size_t wanted = b->trace->nr_events + nr;

	return wanted > b->trace->room ? trace_grow(b->trace, wanted, msg) : 0;
}

/* Merge the runs [0, mid) and [mid, n) of `from`; the left one wins ties. */
static void merge_runs(struct event *to, const struct event *from, size_t mid,
		       size_t n)
{
	size_t left = 0;
	size_t right = mid;

	for (size_t i = 0; i < n; i++) {
		if (right == n || (left < mid &&
				   from[left].time_ns <= from[right].time_ns))
			to[i] = from[left++];
		else
			to[i] = from[right++];
	}
}

/* Merge sort from the bottom up: stable, and quick on what is nearly sorted. */
static int trace_sort(struct trace *trace, struct msg *msg)
{
	size_t n = trace->nr_events;
	struct event *from = trace->events;
	struct event *to = host_table_alloc(n * sizeof(*to));

	if (!to)
		return msg_set(msg, ENOMEM, "no memory to sort %zu events by time", n);
	for (size_t run = 1; run < n; run *= 2) {
		struct event *swap = from;

		for (size_t at = 0; at < n; at += 2 * run)
			merge_runs(to + at, from + at, min_t(size_t, run, n - at),
				   min_t(size_t, 2 * run, n - at));
		from = to;
		to = swap;
	}
	if (from != trace->events) {
		trace->events = from;
		trace->room = n;
	}
	free(to);
	return 0;
}

/* ---- reading ---- */

/* What a file begins with that another program has packed. */
static const struct { const char *packer, *magic; } foreign[] = {
	{ "xz", "\xfd" "7zXZ" }, { "bzip2", "BZh" }, { "lz4", "\x04\x22\x4d\x18" },
	{ "zip", "PK\x03\x04" },
};

static int refuse_format(const struct input *in, struct msg *msg)
{
	struct names known = { 0 };
	char begin[48];

	if (in->end == 0)
		return msg_set(msg, EINVAL, "%s: is empty; expected a trace", in->path);
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
		if (in->end > strlen(foreign[i].magic) &&
		    !memcmp(in->text, foreign[i].magic, strlen(foreign[i].magic)))
			return msg_set(msg, EINVAL, "%s: is packed by %s; expected a trace that is plain, in zstd or in gzip",
				       in->path, foreign[i].packer);
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		names_add(&known, "%s", readers[i]->what);
	return msg_set(msg, EINVAL,
		       "%s: no known trace format (it begins with \"%s\"); expected %s, plain, in zstd or in gzip",
		       in->path, text_quote(begin, sizeof(begin), in->text, in->end),
		       known.text);
}

static const struct trace_reader *find_reader(const struct input *in)
{
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		if (readers[i]->probe(in->text, in->end))
			return readers[i];
	return NULL;
}

/* A trace that does not know what it came from came from this file. */
static void note_source(struct trace *trace, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	struct trace_source *source = &trace->source;

	text_quote(source->name, sizeof(source->name), name, strlen(name));
	snprintf(source->format, sizeof(source->format), "%s", trace->format);
	snprintf(source->sha256, sizeof(source->sha256), "%s", trace->sha256);
}

static int no_event(const struct trace *trace, const struct input *in, struct msg *msg)
{
	static const char expected[] = "kmem:mm_page_alloc, kmem:mm_page_free and so on";

	if (!trace->lines)
		return msg_set(msg, EINVAL, "%s: holds no event of the page allocator; expected %s",
			       in->path, expected);
	return msg_set(msg, EINVAL, "%s: none of its %" PRIu64
		       " lines is an event of the page allocator; expected %s",
		       in->path, trace->lines, expected);
}

static int build(struct trace_builder *b, struct input *in, struct msg *msg)
{
	const struct trace_reader *reader = find_reader(in);
	struct trace *trace = b->trace;
	int err;

	if (!reader)
		return refuse_format(in, msg);
	snprintf(trace->format, sizeof(trace->format), "%s", reader->name);
	err = reader->read(b, in, msg);
	if (err)
		return err;
	trace->lines = in->line;
	if (trace->nr_events == trace->by_kind[EV_LOST])
		return no_event(trace, in, msg);
	if (b->unsorted) {
		err = trace_sort(trace, msg);
		if (err)
			return err;
	}
	err = input_sha256(in, trace->sha256, msg);
	if (!err && !*trace->source.format)
		note_source(trace, in->path);
	return err;
}

/* Read what has been opened, and close it. */
static int trace_read_input(struct trace_builder *b, struct input *in,
			    struct msg *msg)
{
	struct trace *trace = b->trace;
	int err;

	b->comms = comm_table_create();
	if (b->comms && !trace_add_comm(trace, "", 0))
		err = build(b, in, msg);
	else
		err = msg_set(msg, ENOMEM, "%s: no memory to read it", in->path);

	if (b->comms)
		comm_table_destroy(b->comms);
	input_close(in);
	if (err)
		trace_free(trace);
	return err;
}

int trace_read_checked(struct trace *trace, const char *path, uint64_t limit,
		       event_check check, const void *arg, struct msg *msg)
{
	struct trace_builder b = {
		.trace = trace,
		.check = check,
		.check_arg = arg,
		.limit = limit ? limit : UINT64_MAX,
	};
	struct input in;
	int err;

	*trace = (struct trace){ 0 };
	err = input_open(&in, path, msg);
	return err ? err : trace_read_input(&b, &in, msg);
}

int trace_read_memory(struct trace *trace, const char *name, const void *bytes,
		      size_t len, uint64_t limit, struct msg *msg)
{
	struct trace_builder b = {
		.trace = trace,
		.limit = limit ? limit : UINT64_MAX,
	};
	struct input in;
	int err;

	*trace = (struct trace){ 0 };
	err = input_open_memory(&in, name, bytes, len, msg);
	return err ? err : trace_read_input(&b, &in, msg);
}

int trace_read(struct trace *trace, const char *path, uint64_t limit,
	       struct msg *msg)
{
	return trace_read_checked(trace, path, limit, NULL, NULL, msg);
}

/* ---- files besides the events ---- */

static struct trace_file *trace_file_new(struct trace *trace, const char *container,
					 const char *name)
{
	size_t room = strlen(container) + strlen(name) + 3;
	struct trace_file *file;

	if (array_grow(trace->files, trace->nr_files))
		return NULL;
	file = &trace->files[trace->nr_files];
	*file = (struct trace_file){ .name = strdup(name), .shown = malloc(room) };
	if (!file->name || !file->shown) {
		free(file->name);
		free(file->shown);
		return NULL;
	}
	snprintf(file->shown, room, "%s(%s)", container, name);
	trace->nr_files++;
	return file;
}

int trace_file_append(struct trace *trace, const char *container,
		      const char *name, const void *bytes, size_t len)
{
	struct trace_file *file = NULL;
	uint8_t *longer;

	for (size_t i = 0; i < trace->nr_files && !file; i++)
		if (!strcmp(trace->files[i].name, name))
			file = &trace->files[i];
	if (!file)
		file = trace_file_new(trace, container, name);
	if (!file)
		return -ENOMEM;
	longer = realloc(file->bytes, file->len + len + 1);
	if (!longer)
		return -ENOMEM;
	memcpy(longer + file->len, bytes, len);
	file->bytes = longer;
	file->len += len;
	return 0;
}

void trace_free(struct trace *trace)
{
	for (size_t i = 0; i < trace->nr_files; i++) {
		free(trace->files[i].name);
		free(trace->files[i].shown);
		free(trace->files[i].bytes);
	}
	free(trace->files);
	for (unsigned int i = 0; i < trace->nr_comms; i++)
		free(trace->comms[i]);
	free(trace->comms);
	free(trace->events);
	*trace = (struct trace){ 0 };
}
