/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ptr_read.c - a .ptr becomes a trace
 *
 * Sections are taken one after the other, each proved by its checksum before
 * it is unpacked, so that what is cut or altered is refused where it happened:
 *
 *	[ start | HEAD | EVTS | EVTS # EVTS | INDX | trailer ]
 *	                             ^
 *	                             FILE: section 4 (events) at byte 172033 is
 *	                             damaged: ...
 *
 * A right checksum proves that the bytes are those of the writer, not that the
 * writer was ours. So every count and index is checked before it is used, and
 * events pass through builder_add() like those of any other format. The pfn of
 * an event and all that is left of a block when its columns are taken must
 * come out even.
 *
 * The index at the end is compared with the blocks that were met; reading
 * whole files needs nothing else of it.
 *
 * Cost: 3 bytes read, 8 unpacked and 32 written for each event.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "sim/source/gfp.h"
#include "sim/source/ptr.h"
#include "sim/source/reader.h"

struct block_place {
	uint64_t offset;
	uint64_t time_ns;
	uint64_t first;			/* event */
};

struct bytes {
	uint8_t *at;
	size_t len;
	size_t room;
};

struct ptr_reader {
	struct trace_builder *b;
	struct input *in;
	struct msg *msg;
	ZSTD_DCtx *zstd;

	/* the section being read */
	uint64_t offset;		/* in the file, of its first byte */
	struct ptr_section section;
	struct bytes packed;
	struct bytes plain;
	uint32_t sequence;		/* that it must have */

	/* from HEAD */
	uint64_t nr_events;
	uint64_t lost;
	uint32_t gfp_of_bit[32];	/* the writer's flags in our bits */
	unsigned int nr_gfp_bits;
	uint16_t *comms;		/* the writer's process numbers in ours */
	uint32_t nr_comms;
	uint32_t comm_room;

	struct block_place *blocks;
	size_t nr_blocks;
	size_t block_room;
	struct event *shapes;		/* of a block, without time and pfn */
	uint64_t events_read;
};

static const struct {
	enum ptr_type type;
	const char *what;
	uint32_t plain_max;
} section_types[] = {
	{ PTR_HEAD, "head", PTR_HEAD_MAX },
	{ PTR_FILE, "file", PTR_NAME_BYTES + PTR_PIECE_BYTES },
	{ PTR_EVTS, "events", PTR_PLAIN_MAX },
	{ PTR_INDX, "index", PTR_HEAD_MAX },
};

/* ---- what is wrong, and where ---- */

static const char *section_what(const struct ptr_reader *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(section_types); i++)
		if (section_types[i].type == r->section.type)
			return section_types[i].what;
	return "unknown";
}

/* "FILE: section 4 (events) at byte 172033 ...": always -EINVAL. */
static int __printf(2, 3) bad_section(const struct ptr_reader *r, const char *fmt, ...)
{
	char why[sizeof(r->msg->text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	return msg_set(r->msg, EINVAL, "%s: section %u (%s) at byte %" PRIu64 " %s",
		       r->in->path, r->sequence, section_what(r), r->offset, why);
}

static int no_memory(const struct ptr_reader *r)
{
	return msg_set(r->msg, ENOMEM, "%s: no memory to read it", r->in->path);
}

/* ---- bytes ---- */

/* Room for len bytes, and an address even for none. */
static int bytes_reserve(struct bytes *b, size_t len)
{
	uint8_t *at;

	b->len = len;
	len = max_t(size_t, len, 1);
	if (len <= b->room)
		return 0;
	at = realloc(b->at, len);
	if (!at)
		return -ENOMEM;
	b->at = at;
	b->room = len;
	return 0;
}

/* Exactly n bytes; fewer mean that the file is cut. */
static int take(struct ptr_reader *r, void *to, size_t n)
{
	size_t got;
	int err = input_take(r->in, to, n, &got, r->msg);

	if (err || got == n)
		return err;
	return bad_section(r, "is cut: the file ends at byte %" PRIu64
			   "; expected %zu bytes more",
			   input_offset(r->in, r->in->start), n - got);
}

/* ---- sections ---- */

static int check_section(struct ptr_reader *r)
{
	const struct ptr_section *s = &r->section;

	for (size_t i = 0; i < ARRAY_SIZE(section_types); i++) {
		if (section_types[i].type != s->type)
			continue;
		if (s->plain > section_types[i].plain_max ||
		    s->packed > ZSTD_compressBound(section_types[i].plain_max))
			return bad_section(r, "is damaged: %u bytes, %u packed; expected at most %u",
					   s->plain, s->packed, section_types[i].plain_max);
		return 0;
	}
	return bad_section(r, "is damaged: its type is 0x%08x; expected head, file, events or index",
			   s->type);
}

static int unpack(struct ptr_reader *r)
{
	size_t len;

	if (bytes_reserve(&r->plain, r->section.plain))
		return no_memory(r);
	len = ZSTD_decompressDCtx(r->zstd, r->plain.at, r->plain.len,
				  r->packed.at, r->packed.len);
	if (ZSTD_isError(len))
		return bad_section(r, "does not unpack: %s", ZSTD_getErrorName(len));
	if (len != r->plain.len)
		return bad_section(r, "unpacks to %zu bytes; expected %zu", len, r->plain.len);
	return 0;
}

/* Read the next section into r->section and r->plain. */
static int next_section(struct ptr_reader *r)
{
	uint8_t bytes[PTR_SECTION_BYTES];
	uint32_t crc;
	int err;

	r->section = (struct ptr_section){ 0 };
	r->offset = input_offset(r->in, r->in->start);
	err = take(r, bytes, sizeof(bytes));
	if (err)
		return err;
	ptr_section_get(&r->section, bytes);
	err = check_section(r);
	if (err)
		return err;
	if (bytes_reserve(&r->packed, r->section.packed))
		return no_memory(r);
	err = take(r, r->packed.at, r->packed.len);
	if (err)
		return err;
	crc = ptr_section_crc(bytes, r->packed.at, r->packed.len);
	if (crc != r->section.crc)
		return bad_section(r, "is damaged: its checksum is %08x; expected %08x",
				   crc, r->section.crc);
	if (r->section.sequence != r->sequence)
		return bad_section(r, "is out of place: it says to be section %u",
				   r->section.sequence);
	return unpack(r);
}

/* ---- HEAD ---- */

static int head_number(struct ptr_reader *r, const char *key, const char *p,
		       const char *end, uint64_t *value)
{
	if (text_number(&p, end, value) && p == end)
		return 0;
	return bad_section(r, "has no number after \"%s\"", key);
}

static int head_process(struct ptr_reader *r, const char *name, size_t len)
{
	if (r->nr_comms == r->comm_room) {
		uint32_t room = r->comm_room ? 2 * r->comm_room : 256;
		uint16_t *comms = realloc(r->comms, room * sizeof(*comms));

		if (!comms)
			return no_memory(r);
		r->comms = comms;
		r->comm_room = room;
	}
	if (builder_comm(r->b, name, len, &r->comms[r->nr_comms]))
		return no_memory(r);
	r->nr_comms++;
	return 0;
}

static void head_copy(char *to, size_t size, const char *p, const char *end)
{
	text_quote(to, size, p, (size_t)(end - p));
}

/* One "key<tab>value"; keys that we have no use for are passed over. */
static int head_line(struct ptr_reader *r, const char *key, size_t key_len,
		     const char *p, const char *end)
{
	struct trace_source *source = &r->b->trace->source;
	uint64_t page_bytes;
	int err;

#define KEY_IS(name) (key_len == sizeof(name) - 1 && !memcmp(key, name, key_len))
	if (KEY_IS("process"))
		return head_process(r, p, (size_t)(end - p));
	if (KEY_IS("gfp")) {
		if (r->nr_gfp_bits < ARRAY_SIZE(r->gfp_of_bit))
			r->gfp_of_bit[r->nr_gfp_bits++] = gfp_parse(p, (size_t)(end - p));
	} else if (KEY_IS("events")) {
		return head_number(r, "events", p, end, &r->nr_events);
	} else if (KEY_IS("lost")) {
		return head_number(r, "lost", p, end, &r->lost);
	} else if (KEY_IS("page_bytes")) {
		err = head_number(r, "page_bytes", p, end, &page_bytes);
		if (err || page_bytes == PAGE_SIZE)
			return err;
		return bad_section(r, "tells of pages of %" PRIu64
				   " bytes; expected %lu, for which pagetax was built",
				   page_bytes, PAGE_SIZE);
	} else if (KEY_IS("source")) {
		head_copy(source->name, sizeof(source->name), p, end);
	} else if (KEY_IS("source_format")) {
		head_copy(source->format, sizeof(source->format), p, end);
	} else if (KEY_IS("source_sha256")) {
		head_copy(source->sha256, sizeof(source->sha256), p, end);
	}
#undef KEY_IS
	return 0;
}

static int read_head(struct ptr_reader *r)
{
	const char *p, *end;
	int err = next_section(r);

	if (!err && r->section.type != PTR_HEAD)
		err = bad_section(r, "is not the head; expected it first");
	if (!err)			/* process 0 has no name */
		err = head_process(r, "", 0);
	if (err)
		return err;
	p = (const char *)r->plain.at;
	end = p + r->plain.len;
	if (p == end || end[-1] != '\n')
		return bad_section(r, "has no last line");
	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *tab = memchr(p, '\t', (size_t)(newline - p));

		if (!tab)
			return bad_section(r, "has a line without a tab; expected key and value");
		err = head_line(r, p, (size_t)(tab - p), tab + 1, newline);
		if (err)
			return err;
		p = newline + 1;
	}
	return 0;
}

/* ---- FILE ---- */

static int read_file(struct ptr_reader *r)
{
	const char *name = (const char *)r->plain.at;
	size_t name_len = strnlen(name, r->plain.len);

	if (!name_len || name_len >= PTR_NAME_BYTES || name_len == r->plain.len ||
	    memchr(name, '/', name_len))
		return bad_section(r, "has no proper file name; expected one without '/', shorter than %d",
				   PTR_NAME_BYTES);
	if (trace_file_append(r->b->trace, r->in->path, name, name + name_len + 1,
			      r->plain.len - name_len - 1))
		return no_memory(r);
	return 0;
}

/* ---- EVTS ---- */

/* Where the columns of a block are; all within r->plain. */
struct columns {
	uint32_t nr;
	uint32_t coding;
	const uint8_t *shape;		/* two planes, as is the next */
	const uint8_t *delta;
	const uint8_t *pfn;
	const uint8_t *pfn_end;
	const uint8_t *long_delta;
	uint32_t nr_long;
	const uint8_t *shapes;
	uint32_t nr_shapes;
};

static int find_columns(struct ptr_reader *r, struct columns *c)
{
	const uint8_t *head = r->plain.at;
	uint64_t pfn_bytes, expected;

	c->nr = r->section.nr_events;
	if (!c->nr || c->nr > PTR_BLOCK_EVENTS || r->plain.len < PTR_EVTS_BYTES)
		return bad_section(r, "has %u events; expected 1 to %u", c->nr,
				   PTR_BLOCK_EVENTS);
	c->coding = get_le32(head);
	pfn_bytes = get_le32(head + 4);
	c->nr_long = get_le32(head + 8);
	c->nr_shapes = get_le32(head + 12);
	expected = PTR_EVTS_BYTES + 4 * (uint64_t)c->nr + pfn_bytes +
		   8 * (uint64_t)c->nr_long + PTR_SHAPE_BYTES * (uint64_t)c->nr_shapes;
	if (expected != r->plain.len || c->nr_shapes > PTR_BLOCK_EVENTS ||
	    c->coding >= NR_PTR_PFN_CODINGS ||
	    (c->coding == PTR_PFN_ABSOLUTE && pfn_bytes != 4 * (uint64_t)c->nr))
		return bad_section(r, "has columns that do not fit its %zu bytes",
				   r->plain.len);
	c->shape = head + PTR_EVTS_BYTES;
	c->delta = c->shape + 2 * c->nr;
	c->pfn = c->delta + 2 * c->nr;
	c->pfn_end = c->pfn + pfn_bytes;
	c->long_delta = c->pfn_end;
	c->shapes = c->long_delta + 8 * (size_t)c->nr_long;
	return 0;
}

static uint32_t gfp_in_our_bits(const struct ptr_reader *r, uint32_t theirs)
{
	uint32_t gfp = 0;

	for (; theirs; theirs &= theirs - 1) {
		unsigned int bit = (unsigned int)__builtin_ctz(theirs);

		gfp |= bit < r->nr_gfp_bits ? r->gfp_of_bit[bit] : GFP(UNKNOWN);
	}
	return gfp;
}

static int read_shapes(struct ptr_reader *r, const struct columns *c)
{
	for (uint32_t i = 0; i < c->nr_shapes; i++) {
		uint64_t who = get_le64(c->shapes + PTR_SHAPE_BYTES * i);
		uint64_t what = get_le64(c->shapes + PTR_SHAPE_BYTES * i + 8);
		uint32_t cpu = who >> 32 & 0xffff;
		uint32_t comm = (uint32_t)(who >> 48);

		if ((what & 0xff) >= NR_EVENT_KINDS || cpu >= MAX_NR_CPUS ||
		    comm >= r->nr_comms)
			return bad_section(r, "has an event of kind %u, cpu %u, process %u"
					   "; expected them below %u, %u, %u",
					   (unsigned int)(what & 0xff), cpu, comm,
					   NR_EVENT_KINDS, MAX_NR_CPUS, r->nr_comms);
		r->shapes[i] = (struct event){
			.gfp = gfp_in_our_bits(r, (uint32_t)who),
			.cpu = (uint16_t)cpu,
			.comm = r->comms[comm],
			.kind = (uint8_t)what,
			.order = (uint8_t)(what >> 8),
			.migratetype = (uint8_t)(what >> 16),
			.flags = (uint8_t)(what >> 24),
			.fallback_order = (uint8_t)(what >> 32),
			.fallback_migratetype = (uint8_t)(what >> 40),
		};
	}
	return 0;
}

static bool get_varint(const uint8_t **p, const uint8_t *end, uint64_t *value)
{
	const uint8_t *at = *p;
	uint64_t n = 0;

	for (unsigned int shift = 0; at < end && shift < 64; shift += 7) {
		n |= (uint64_t)(*at & 0x7f) << shift;
		if (!(*at++ & 0x80)) {
			*p = at;
			*value = n;
			return true;
		}
	}
	return false;
}

/* The pfns of a block, one after the other. */
struct pfn_cursor {
	const uint8_t *at;
	const uint8_t *end;
	uint64_t last[NR_EVENT_KINDS];
};

static __always_inline bool next_pfn(struct pfn_cursor *c, uint32_t coding,
				     struct event *ev)
{
	uint64_t code = 0;

	if (coding == PTR_PFN_ABSOLUTE) {	/* their number is checked already */
		code = get_le32(c->at);
		c->at += 4;
		ev->pfn = likely(code != PTR_PFN_FAILED) ? code : EVENT_PFN_FAILED;
		return true;
	}
	if (likely(c->at < c->end && *c->at < 0x80))
		code = *c->at++;
	else if (!get_varint(&c->at, c->end, &code))
		return false;
	c->last[ev->kind] += unzigzag(code);
	ev->pfn = c->last[ev->kind];
	return true;
}

static int bad_event(struct ptr_reader *r, uint32_t i, const char *why)
{
	return bad_section(r, "has a bad event %" PRIu64 ": %s", r->events_read + i, why);
}

/* Always inlined, for the compiler to make a loop for each coding. */
static __always_inline int read_events(struct ptr_reader *r, const struct columns *c,
				       uint32_t coding)
{
	struct pfn_cursor pfns = { .at = c->pfn, .end = c->pfn_end };
	const uint8_t *long_delta = c->long_delta;
	uint64_t time_ns = r->section.time_ns;

	for (uint32_t i = 0; i < c->nr && !builder_full(r->b); i++) {
		uint32_t shape = c->shape[i] | (uint32_t)c->shape[c->nr + i] << 8;
		uint64_t delta = c->delta[i] | (uint64_t)c->delta[c->nr + i] << 8;
		struct event ev;
		struct msg why;
		int err;

		if (unlikely(shape >= c->nr_shapes))
			return bad_event(r, i, "its shape is not there");
		if (unlikely(delta == PTR_LONG_DELTA)) {
			if (long_delta == c->shapes)
				return bad_event(r, i, "its time is not there");
			delta = get_le64(long_delta);
			long_delta += 8;
		}
		ev = r->shapes[shape];
		time_ns += delta;
		ev.time_ns = time_ns;
		if (unlikely(!next_pfn(&pfns, coding, &ev)))
			return bad_event(r, i, "its pfn is not there");
		err = builder_add(r->b, &ev, &why);
		if (unlikely(err))
			return err == -ENOMEM ? no_memory(r) : bad_event(r, i, why.text);
	}
	if (!builder_full(r->b) && (pfns.at != c->pfn_end || long_delta != c->shapes))
		return bad_section(r, "has more pfns or times than events");
	return 0;
}

static int note_block(struct ptr_reader *r)
{
	if (r->nr_blocks == r->block_room) {
		size_t room = r->block_room ? 2 * r->block_room : 64;
		struct block_place *blocks = realloc(r->blocks, room * sizeof(*blocks));

		if (!blocks)
			return no_memory(r);
		r->blocks = blocks;
		r->block_room = room;
	}
	r->blocks[r->nr_blocks++] = (struct block_place){
		r->offset, r->section.time_ns, r->events_read,
	};
	return 0;
}

static int read_block(struct ptr_reader *r)
{
	struct columns c = { 0 };
	int err = find_columns(r, &c);

	if (!err)
		err = read_shapes(r, &c);
	if (!err)
		err = note_block(r);
	if (!err)
		err = c.coding == PTR_PFN_ABSOLUTE ? read_events(r, &c, PTR_PFN_ABSOLUTE)
						   : read_events(r, &c, PTR_PFN_DELTA);
	r->events_read += c.nr;
	return err;
}

/* ---- INDX and what follows it ---- */

static int check_index(struct ptr_reader *r)
{
	if (r->plain.len != r->nr_blocks * PTR_INDEX_BYTES)
		return bad_section(r, "names %zu blocks of events; expected %zu",
				   r->plain.len / PTR_INDEX_BYTES, r->nr_blocks);
	for (size_t i = 0; i < r->nr_blocks; i++) {
		const uint8_t *entry = r->plain.at + i * PTR_INDEX_BYTES;
		const struct block_place *block = &r->blocks[i];

		if (get_le64(entry) != block->offset ||
		    get_le64(entry + 8) != block->time_ns ||
		    get_le64(entry + 16) != block->first)
			return bad_section(r, "is wrong about block %zu of events, at byte %"
					   PRIu64, i, block->offset);
	}
	return 0;
}

static int check_totals(struct ptr_reader *r)
{
	if (r->events_read != r->nr_events)
		return bad_section(r, "ends %" PRIu64 " events; expected %" PRIu64
				   ", as the head says", r->events_read, r->nr_events);
	if (r->b->trace->lost != r->lost)
		return bad_section(r, "ends a trace that lost %" PRIu64 " events; expected %"
				   PRIu64 ", as the head says", r->b->trace->lost, r->lost);
	return 0;
}

static int check_trailer(struct ptr_reader *r)
{
	uint64_t at = input_offset(r->in, r->in->start);
	uint8_t trailer[PTR_TRAILER_BYTES];
	uint8_t more;
	size_t got;
	int err = take(r, trailer, sizeof(trailer));

	if (err)
		return err;
	if (get_le64(trailer) != r->offset || memcmp(trailer + 8, PTR_TRAILER, 8))
		return msg_set(r->msg, EINVAL, "%s: the trailer at byte %" PRIu64
			       " is damaged; expected where the index is, and \"%s\"",
			       r->in->path, at, PTR_TRAILER);
	err = input_take(r->in, &more, 1, &got, r->msg);
	if (!err && got)
		err = msg_set(r->msg, EINVAL, "%s: goes on after its end at byte %" PRIu64,
			      r->in->path, at + sizeof(trailer));
	return err;
}

/* ---- the file ---- */

static int read_start(struct ptr_reader *r)
{
	uint8_t start[PTR_START_BYTES];
	size_t got;
	int err = input_take(r->in, start, sizeof(start), &got, r->msg);

	if (err)
		return err;
	if (got < sizeof(start))
		return msg_set(r->msg, EINVAL, "%s: is cut: it ends at byte %zu; expected a .ptr",
			       r->in->path, got);
	for (unsigned int i = 0; i < PTR_MAGIC_BYTES; i++)
		if (start[i] != (uint8_t)PTR_MAGIC[i])
			return msg_set(r->msg, EINVAL, "%s: byte %u of a .ptr is damaged: 0x%02x; expected 0x%02x",
				       r->in->path, i, start[i], (uint8_t)PTR_MAGIC[i]);
	if (get_le64(start + PTR_MAGIC_BYTES) != PTR_VERSION)
		return msg_set(r->msg, EINVAL, "%s: version %" PRIu64 " of .ptr at byte %d; expected %d",
			       r->in->path, get_le64(start + PTR_MAGIC_BYTES),
			       PTR_MAGIC_BYTES, PTR_VERSION);
	return 0;
}

static int read_all(struct ptr_reader *r)
{
	int err = read_start(r);

	if (!err)
		err = read_head(r);
	while (!err) {
		if (builder_full(r->b))
			return 0;
		r->sequence++;
		err = next_section(r);
		if (err)
			break;
		if (r->section.type == PTR_FILE && !r->nr_blocks) {
			err = read_file(r);
		} else if (r->section.type == PTR_EVTS) {
			err = read_block(r);
		} else if (r->section.type == PTR_INDX) {
			err = check_index(r);
			if (!err)
				err = check_totals(r);
			return err ? err : check_trailer(r);
		} else {
			err = bad_section(r, "is out of place; expected files, events, index in this order");
		}
	}
	return err;
}

static int ptr_read(struct trace_builder *b, struct input *in, struct msg *msg)
{
	struct ptr_reader r = { .b = b, .in = in, .msg = msg };
	int err;

	r.zstd = ZSTD_createDCtx();
	r.shapes = calloc(PTR_BLOCK_EVENTS, sizeof(*r.shapes));
	err = r.zstd && r.shapes ? read_all(&r) : no_memory(&r);
	ZSTD_freeDCtx(r.zstd);
	free(r.shapes);
	free(r.blocks);
	free(r.comms);
	free(r.packed.at);
	free(r.plain.at);
	return err;
}

/* Six of eight bytes are enough, so that a damaged beginning is known for one. */
static bool ptr_probe(const char *text, size_t len)
{
	unsigned int same = 0;

	for (size_t i = 0; i < len && i < PTR_MAGIC_BYTES; i++)
		same += text[i] == PTR_MAGIC[i];
	return same >= 6;
}

const struct trace_reader ptr_reader = {
	.name  = "ptr",
	.what  = "a compact trace (.ptr)",
	.probe = ptr_probe,
	.read  = ptr_read,
};
