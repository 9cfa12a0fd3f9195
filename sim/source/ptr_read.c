/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ptr_read.c - a .ptr becomes a trace
 *
 * Sections come one after the other, each proved by its checksum before it is
 * unpacked, so that what is cut or altered is refused where it happened:
 *
 *	[ start | HEAD | EVTS | EVTS # EVTS | INDX | trailer ]
 *	                             ^
 *	                             FILE: section 4 (events) at byte 172033 is
 *	                             damaged: ...
 *
 *	input.c            ptr_sections.c        ptr_events.c
 *	file, sha256  -->  checksum, zstd   -->  events           a thread each
 *
 * A right checksum proves that the bytes are those of the writer, not that the
 * writer was ours. So every count and index is checked before it is used, and
 * events are judged as those of any other format. All that is left of a block
 * when its columns are taken must come out even.
 *
 * The index at the end is compared with the blocks that were met; reading
 * whole files needs nothing else of it.
 *
 * Cost: 3 bytes read, 8 unpacked and 32 written for each event. The four bundles
 * take 15-22 ns of CPU an event, of which 4-6 are zstd's, 4-5 go into the columns,
 * 4-6 into fresh memory and 2 into checksums; 9-15 ns pass on two cores.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "sim/source/ptr_events.h"

/* A head that promises more has to bring them before it is given more room. */
#define TRUSTED_EVENTS (UINT64_C(1) << 22)

struct block_place {
	uint64_t offset;
	uint64_t time_ns;
	uint64_t first;			/* event */
};

struct ptr_reader {
	struct trace_builder *b;
	struct input *in;
	struct msg *msg;
	struct ptr_sections *sections;
	const struct ptr_unpacked *section;	/* being read */
	struct ptr_decoder *decoder;

	/* from HEAD */
	uint64_t nr_events;
	uint64_t lost;
	struct ptr_names names;

	struct block_place *blocks;
	size_t nr_blocks;
	uint64_t events_read;
};

#define bad_section(r, ...) \
	ptr_bad_section((r)->in, (r)->section, (r)->msg, __VA_ARGS__)

static int no_memory(const struct ptr_reader *r)
{
	return ptr_no_memory(r->in, r->msg);
}

static int next_section(struct ptr_reader *r)
{
	return ptr_sections_next(r->sections, &r->section, r->msg);
}

static enum ptr_type section_type(const struct ptr_reader *r)
{
	return (enum ptr_type)r->section->head.type;
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
	if (array_grow(r->names.comms, r->names.nr_comms) ||
	    builder_comm(r->b, name, len, &r->names.comms[r->names.nr_comms]))
		return no_memory(r);
	r->names.nr_comms++;
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
		if (r->names.nr_gfp_bits < ARRAY_SIZE(r->names.gfp_of_bit))
			r->names.gfp_of_bit[r->names.nr_gfp_bits++] = gfp_parse(p, (size_t)(end - p));
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
	uint64_t nr;
	int err = next_section(r);

	if (!err && section_type(r) != PTR_HEAD)
		err = bad_section(r, "is not the head; expected it first");
	if (!err)			/* process 0 has no name */
		err = head_process(r, "", 0);
	if (err)
		return err;
	p = (const char *)r->section->plain;
	end = p + r->section->head.plain;
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
	nr = min_t(uint64_t, r->b->limit, min_t(uint64_t, r->nr_events, TRUSTED_EVENTS));
	return builder_reserve(r->b, (size_t)nr, r->msg) ? no_memory(r) : 0;
}

/* ---- FILE ---- */

static int read_file(struct ptr_reader *r)
{
	const char *name = (const char *)r->section->plain;
	size_t name_len = strnlen(name, r->section->head.plain);

	if (!name_len || name_len >= PTR_NAME_BYTES || name_len == r->section->head.plain ||
	    memchr(name, '/', name_len))
		return bad_section(r, "has no proper file name; expected one without '/', shorter than %d",
				   PTR_NAME_BYTES);
	if (trace_file_append(r->b->trace, r->in->path, name, name + name_len + 1,
			      r->section->head.plain - name_len - 1))
		return no_memory(r);
	return 0;
}

/* ---- EVTS ---- */

static int note_block(struct ptr_reader *r)
{
	if (array_grow(r->blocks, r->nr_blocks))
		return no_memory(r);
	r->blocks[r->nr_blocks++] = (struct block_place){
		r->section->offset, r->section->head.time_ns, r->events_read,
	};
	return 0;
}

static int read_block(struct ptr_reader *r)
{
	int err = note_block(r);

	if (!err)
		err = ptr_decode(r->decoder, r->b, r->in, r->section, &r->names,
				 r->events_read, r->msg);
	r->events_read += r->section->head.nr_events;
	return err;
}

/* ---- INDX and what follows it ---- */

static int check_index(struct ptr_reader *r)
{
	if (r->section->head.plain != r->nr_blocks * PTR_INDEX_BYTES)
		return bad_section(r, "names %u blocks of events; expected %zu",
				   r->section->head.plain / PTR_INDEX_BYTES,
				   r->nr_blocks);
	for (size_t i = 0; i < r->nr_blocks; i++) {
		const uint8_t *entry = r->section->plain + i * PTR_INDEX_BYTES;
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
	int err = input_take(r->in, trailer, sizeof(trailer), &got, r->msg);

	if (err)
		return err;
	if (got < sizeof(trailer))
		return msg_set(r->msg, EINVAL, "%s: the trailer at byte %" PRIu64
			       " is cut: expected %zu bytes more", r->in->path, at,
			       sizeof(trailer) - got);
	if (get_le64(trailer) != r->section->offset || memcmp(trailer + 8, PTR_TRAILER, 8))
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
		err = next_section(r);
		if (err)
			break;
		if (section_type(r) == PTR_FILE && !r->nr_blocks) {
			err = read_file(r);
		} else if (section_type(r) == PTR_EVTS) {
			err = read_block(r);
		} else if (section_type(r) == PTR_INDX) {
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

	r.sections = ptr_sections_create(in);
	r.decoder = ptr_decoder_create();
	err = r.sections && r.decoder ? read_all(&r) : no_memory(&r);
	ptr_sections_destroy(r.sections);
	ptr_decoder_destroy(r.decoder);
	free(r.blocks);
	free(r.names.comms);
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
