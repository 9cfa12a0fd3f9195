/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ptr_write.c - a trace becomes a .ptr
 *
 *	65536 events ---> columns ---> zstd (pfns absolute)  --.
 *	                         \---> zstd (pfns as deltas) --+--> the shorter
 *
 * Shapes of a block are found by a hash table of twice their greatest number;
 * clearing it is one write a slot and block. Memory: 5 MB.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "base/msg.h"
#include "machine/layout.h"
#include "sim/output.h"
#include "sim/source/gfp.h"
#include "sim/source/ptr.h"
#include "sim/source/trace.h"

#define ZSTD_LEVEL 3			/* 9 saves 3 % of the bytes and takes half as long again */
#define SHAPE_SLOTS (2 * PTR_BLOCK_EVENTS)

/* A zstd frame that waits to be written. */
struct packed {
	uint8_t *bytes;
	size_t room;
	size_t len;
	size_t plain;
};

struct text {
	char *bytes;
	size_t len;
	size_t room;
	bool failed;			/* no memory; stays so */
};

struct ptr_writer {
	struct output *out;
	ZSTD_CCtx *zstd;
	uint32_t sequence;		/* of the next section */
	struct packed packed[NR_PTR_PFN_CODINGS];
	uint8_t *index;			/* PTR_INDEX_BYTES a block */
	size_t nr_blocks;
	uint64_t file_bytes;		/* of all FILE sections */

	/* one block */
	uint8_t plain[PTR_PLAIN_MAX];
	uint16_t shape_of[PTR_BLOCK_EVENTS];
	struct ptr_shape shapes[PTR_BLOCK_EVENTS];
	uint32_t slots[SHAPE_SLOTS];	/* 1 + index of a shape; 0: free */
	uint64_t long_deltas[PTR_BLOCK_EVENTS];
	uint32_t nr_shapes;
	uint32_t nr_long;
};

/* ---- sections ---- */

static int pack(struct ptr_writer *w, struct packed *to, const void *plain,
		size_t len)
{
	size_t room = ZSTD_compressBound(len);

	if (room > to->room) {
		uint8_t *bytes = realloc(to->bytes, room);

		if (!bytes)
			return -ENOMEM;
		to->bytes = bytes;
		to->room = room;
	}
	to->plain = len;
	to->len = ZSTD_compressCCtx(w->zstd, to->bytes, to->room, plain, len, ZSTD_LEVEL);
	return ZSTD_isError(to->len) ? -ENOMEM : 0;	/* there is room, so memory lacks */
}

static void emit(struct ptr_writer *w, enum ptr_type type, const struct packed *p,
		 uint32_t nr_events, uint64_t time_ns)
{
	struct ptr_section section = {
		.type = type,
		.sequence = w->sequence++,
		.packed = (uint32_t)p->len,
		.plain = (uint32_t)p->plain,
		.nr_events = nr_events,
		.time_ns = time_ns,
	};
	uint8_t bytes[PTR_SECTION_BYTES];

	ptr_section_put(bytes, &section);
	section.crc = ptr_section_crc(bytes, p->bytes, p->len);
	ptr_section_put(bytes, &section);
	output_write(w->out, bytes, sizeof(bytes));
	output_write(w->out, p->bytes, p->len);
}

static int pack_and_emit(struct ptr_writer *w, enum ptr_type type,
			 const void *plain, size_t len)
{
	int err = pack(w, &w->packed[0], plain, len);

	if (!err)
		emit(w, type, &w->packed[0], 0, 0);
	return err;
}

/* ---- HEAD ---- */

static void __printf(2, 3) text_add(struct text *t, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (t->len + (size_t)len + 1 > t->room) {
		size_t room = 2 * t->room + (size_t)len + 4096;
		char *bytes = realloc(t->bytes, room);

		if (!bytes) {
			t->failed = true;
			return;
		}
		t->bytes = bytes;
		t->room = room;
	}
	va_start(args, fmt);
	vsnprintf(t->bytes + t->len, t->room - t->len, fmt, args);
	va_end(args);
	t->len += (size_t)len;
}

static void text_add_head(struct text *t, const struct trace *trace,
			  const struct layout *layout)
{
	text_add(t, "writer\tpagetax %s\n", PAGETAX_VERSION);
	text_add(t, "page_bytes\t%lu\n", PAGE_SIZE);
	text_add(t, "cpus\t%u\n", max_t(unsigned int, trace->nr_cpus,
					layout ? layout->nr_cpus : 0));
	text_add(t, "events\t%zu\n", trace->nr_events);
	text_add(t, "lost\t%" PRIu64 "\n", trace->lost);
	text_add(t, "source\t%s\n", trace->source.name);
	text_add(t, "source_format\t%s\n", trace->source.format);
	text_add(t, "source_sha256\t%s\n", trace->source.sha256);
	for (unsigned int z = 0; layout && z < layout->nr_zones; z++)
		text_add(t, "zone\t%s\t%lu\t%lu\t%lu\t%lu\n", layout->zones[z].name,
			 layout->zones[z].start_pfn, layout->zones[z].spanned,
			 layout->zones[z].present, layout->zones[z].managed);
	for (unsigned int bit = 0; bit < NR_GFP_BITS; bit++) {
		char name[64];

		text_add(t, "gfp\t%s\n",
			 gfp_format(UINT32_C(1) << bit, name, sizeof(name)));
	}
	for (unsigned int i = 1; i < trace->nr_comms; i++)
		text_add(t, "process\t%s\n", trace->comms[i]);
}

static int write_head(struct ptr_writer *w, const struct trace *trace,
		      const struct layout *layout)
{
	struct text t = { 0 };
	int err;

	text_add_head(&t, trace, layout);
	err = t.failed ? -ENOMEM : pack_and_emit(w, PTR_HEAD, t.bytes, t.len);
	free(t.bytes);
	return err;
}

/* ---- FILE ---- */

static int write_file(struct ptr_writer *w, const struct trace_file *file)
{
	size_t name_len = strlen(file->name) + 1;
	size_t done = 0;

	assert(name_len <= PTR_NAME_BYTES);
	do {
		size_t n = min_t(size_t, file->len - done, PTR_PIECE_BYTES);
		int err;

		memcpy(w->plain, file->name, name_len);
		memcpy(w->plain + name_len, file->bytes + done, n);
		err = pack_and_emit(w, PTR_FILE, w->plain, name_len + n);
		if (err)
			return err;
		done += n;
	} while (done < file->len);
	return 0;
}

/* ---- EVTS ---- */

static uint16_t shape_index(struct ptr_writer *w, const struct event *ev)
{
	const struct ptr_shape shape = {
		.who = ev->gfp | (uint64_t)ev->cpu << 32 | (uint64_t)ev->comm << 48,
		.what = ev->kind | (uint64_t)ev->order << 8 |
			(uint64_t)ev->migratetype << 16 | (uint64_t)ev->flags << 24 |
			(uint64_t)ev->fallback_order << 32 |
			(uint64_t)ev->fallback_migratetype << 40,
	};
	uint64_t hash = (shape.who ^ shape.what * UINT64_C(0x9e3779b97f4a7c15)) *
			UINT64_C(0xc2b2ae3d27d4eb4f);
	size_t slot = hash >> 40;

	for (;; slot++) {
		uint32_t *taken = &w->slots[slot % SHAPE_SLOTS];

		if (!*taken) {
			w->shapes[w->nr_shapes] = shape;
			*taken = ++w->nr_shapes;
		} else if (w->shapes[*taken - 1].who != shape.who ||
			   w->shapes[*taken - 1].what != shape.what) {
			continue;
		}
		return (uint16_t)(*taken - 1);
	}
}

/* Columns of 16-bit numbers: all low bytes, then all high ones. */
static void put_planes(uint8_t *at, size_t nr, size_t i, uint16_t value)
{
	at[i] = (uint8_t)value;
	at[nr + i] = (uint8_t)(value >> 8);
}

static uint8_t *put_shapes_and_times(struct ptr_writer *w, uint8_t *at,
				     const struct event *events, size_t nr)
{
	uint64_t last_ns = events[0].time_ns;

	memset(w->slots, 0, sizeof(w->slots));
	w->nr_shapes = 0;
	w->nr_long = 0;
	for (size_t i = 0; i < nr; i++) {
		uint64_t delta = events[i].time_ns - last_ns;

		last_ns = events[i].time_ns;
		if (delta >= PTR_LONG_DELTA) {
			w->long_deltas[w->nr_long++] = delta;
			delta = PTR_LONG_DELTA;
		}
		put_planes(at, nr, i, shape_index(w, &events[i]));
		put_planes(at + 2 * nr, nr, i, (uint16_t)delta);
	}
	return at + 4 * nr;
}

/* NULL when some number does not fit. */
static uint8_t *put_pfns_absolute(uint8_t *at, const struct event *events, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		uint64_t pfn = events[i].pfn;

		if (pfn == EVENT_PFN_FAILED)
			pfn = PTR_PFN_FAILED;
		else if (pfn >= PTR_PFN_FAILED)
			return NULL;
		at = put_le32(at, (uint32_t)pfn);
	}
	return at;
}

static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
	for (; value > 0x7f; value >>= 7)
		*at++ = (uint8_t)(value | 0x80);
	*at++ = (uint8_t)value;
	return at;
}

static uint8_t *put_pfns_delta(uint8_t *at, const struct event *events, size_t nr)
{
	uint64_t last[NR_EVENT_KINDS] = { 0 };

	for (size_t i = 0; i < nr; i++) {
		uint64_t pfn = events[i].pfn;

		at = put_varint(at, zigzag(pfn - last[events[i].kind]));
		last[events[i].kind] = pfn;
	}
	return at;
}

static uint8_t *put_tables(const struct ptr_writer *w, uint8_t *at)
{
	for (uint32_t i = 0; i < w->nr_long; i++)
		at = put_le64(at, w->long_deltas[i]);
	for (uint32_t i = 0; i < w->nr_shapes; i++)
		at = put_le64(put_le64(at, w->shapes[i].who), w->shapes[i].what);
	return at;
}

/* Pack the block with its pfns in this coding; len 0 if it cannot be. */
static int pack_block(struct ptr_writer *w, uint8_t *pfns, enum ptr_pfn_coding coding,
		      const struct event *events, size_t nr)
{
	struct packed *to = &w->packed[coding];
	uint8_t *end = coding == PTR_PFN_ABSOLUTE ? put_pfns_absolute(pfns, events, nr)
						  : put_pfns_delta(pfns, events, nr);
	uint8_t *head = w->plain;

	to->len = 0;
	if (!end)
		return 0;
	head = put_le32(head, coding);
	head = put_le32(head, (uint32_t)(end - pfns));
	head = put_le32(head, w->nr_long);
	put_le32(head, w->nr_shapes);
	end = put_tables(w, end);
	return pack(w, to, w->plain, (size_t)(end - w->plain));
}

static int write_block(struct ptr_writer *w, const struct event *events, size_t nr,
		       size_t first)
{
	uint8_t *pfns = put_shapes_and_times(w, w->plain + PTR_EVTS_BYTES, events, nr);
	uint8_t *entry = w->index + w->nr_blocks++ * PTR_INDEX_BYTES;
	const struct packed *absolute = &w->packed[PTR_PFN_ABSOLUTE];
	const struct packed *delta = &w->packed[PTR_PFN_DELTA];
	int err = pack_block(w, pfns, PTR_PFN_ABSOLUTE, events, nr);

	if (!err)
		err = pack_block(w, pfns, PTR_PFN_DELTA, events, nr);
	if (err)
		return err;
	entry = put_le64(entry, output_offset(w->out));
	entry = put_le64(entry, events[0].time_ns);
	put_le64(entry, first);
	emit(w, PTR_EVTS, absolute->len && absolute->len < delta->len ? absolute : delta,
	     (uint32_t)nr, events[0].time_ns);
	return 0;
}

static int write_blocks(struct ptr_writer *w, const struct trace *trace)
{
	size_t nr_blocks = trace->nr_events / PTR_BLOCK_EVENTS + 1;
	int err = 0;

	w->index = malloc(nr_blocks * PTR_INDEX_BYTES);
	if (!w->index)
		return -ENOMEM;
	for (size_t i = 0; i < trace->nr_events && !err; i += PTR_BLOCK_EVENTS)
		err = write_block(w, trace->events + i,
				  min_t(size_t, trace->nr_events - i, PTR_BLOCK_EVENTS), i);
	return err;
}

/* ---- the file ---- */

static void write_start(struct ptr_writer *w)
{
	uint8_t start[PTR_START_BYTES] = PTR_MAGIC;

	put_le64(start + PTR_MAGIC_BYTES, PTR_VERSION);
	output_write(w->out, start, sizeof(start));
}

static int write_end(struct ptr_writer *w)
{
	uint8_t trailer[PTR_TRAILER_BYTES];
	int err;

	put_le64(trailer, output_offset(w->out));
	memcpy(trailer + 8, PTR_TRAILER, 8);
	err = pack_and_emit(w, PTR_INDX, w->index, w->nr_blocks * PTR_INDEX_BYTES);
	output_write(w->out, trailer, sizeof(trailer));
	return err;
}

static int write_all(struct ptr_writer *w, const struct trace *trace,
		     const struct layout *layout)
{
	int err;

	write_start(w);
	err = write_head(w, trace, layout);
	w->file_bytes = output_offset(w->out);
	for (size_t i = 0; i < trace->nr_files && !err; i++)
		err = write_file(w, &trace->files[i]);
	w->file_bytes = output_offset(w->out) - w->file_bytes;
	if (!err)
		err = write_blocks(w, trace);
	return err ? err : write_end(w);
}

int ptr_write(struct output *out, const struct trace *trace,
	      const struct layout *layout, uint64_t *file_bytes, struct msg *msg)
{
	struct ptr_writer *w = calloc(1, sizeof(*w));
	int err = -ENOMEM;

	if (w) {
		w->out = out;
		w->zstd = ZSTD_createCCtx();
		if (w->zstd)
			err = write_all(w, trace, layout);
		*file_bytes = w->file_bytes;
		ZSTD_freeCCtx(w->zstd);
		for (unsigned int i = 0; i < NR_PTR_PFN_CODINGS; i++)
			free(w->packed[i].bytes);
		free(w->index);
		free(w);
	}
	return err ? msg_set(msg, -err, "no memory to pack %zu events", trace->nr_events)
		   : 0;
}
