/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ptr.c - what is packed comes out again, and what is damaged never does */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "machine/layout.h"
#include "sim/output.h"
#include "sim/source/gfp.h"
#include "sim/source/ptr.h"
#include "sim/source/trace.h"
#include "tests/sim_scratch.h"
#include "tests/suite.h"

static struct msg msg;
static struct trace original;		/* what is packed */
static struct trace again;		/* what was read of it */
static struct event events[3 * PTR_BLOCK_EVENTS];

static char *names[] = { "", "sh", "tmux: server", "a\tb" };
static uint8_t file_bytes[3 * PTR_PIECE_BYTES];
static struct trace_file files[] = {
	{ .name = "machine.txt", .bytes = file_bytes, .len = 10 },
	{ .name = "kpageflags.start.zst", .bytes = file_bytes, .len = sizeof(file_bytes) },
	{ .name = "empty", .bytes = file_bytes, .len = 0 },
};

/* One event of each kind, and numbers that are hard to pack. */
static const struct event hard[] = {
	{ .time_ns = 5, .pfn = 0x10, .gfp = GFP(IO) | GFP(ZERO), .cpu = 1, .comm = 1,
	  .kind = EV_ALLOC, .order = 4, .migratetype = 1 },
	{ .time_ns = 5, .pfn = EVENT_PFN_FAILED, .gfp = GFP(UNKNOWN), .comm = 2,
	  .kind = EV_ALLOC, .order = 9, .migratetype = 2 },
	{ .time_ns = 70000, .pfn = 0x10, .cpu = 0, .comm = 1, .kind = EV_FREE, .order = 4 },
	{ .time_ns = 70000 + 65534, .pfn = 0x11, .kind = EV_FREE_BATCHED },
	{ .time_ns = UINT64_C(1) << 50, .pfn = 7, .comm = 3, .kind = EV_ZONE_LOCKED,
	  .migratetype = 5, .flags = EVENT_REFILL, .cpu = 1023 },
	{ .time_ns = (UINT64_C(1) << 50) + 65535, .pfn = 0xffff, .kind = EV_PCPU_DRAIN },
	{ .time_ns = (UINT64_C(1) << 50) + 65536, .pfn = 0x400, .kind = EV_EXTFRAG,
	  .order = 3, .migratetype = 1, .flags = EVENT_CHANGE_OWNERSHIP,
	  .fallback_order = 10, .fallback_migratetype = 2 },
	{ .time_ns = (UINT64_C(1) << 50) + 65536, .pfn = 1356, .kind = EV_LOST, .cpu = 1 },
};

static void use_events(const struct event *from, size_t nr)
{
	original = (struct trace){
		.events = events,
		.nr_events = nr,
		.comms = names,
		.nr_comms = ARRAY_SIZE(names),
		.nr_cpus = 2,
		.source = { "made up", "perf-text", "0123" },
	};
	memcpy(events, from, nr * sizeof(*events));
	for (size_t i = 0; i < nr; i++)
		if (from[i].kind == EV_LOST)
			original.lost += from[i].pfn;
}

/* Many events, in `nr` shapes, with pfns that come again (or are scattered). */
static void use_many(size_t nr, unsigned int nr_shapes)
{
	static struct event many[ARRAY_SIZE(events)];

	for (size_t i = 0; i < nr; i++)
		many[i] = (struct event){
			.time_ns = 100 * i + i % 7,
			.pfn = i * 2654435761u >> 8 & 0xfffff,
			.cpu = (uint16_t)(i % nr_shapes % 1000),
			.gfp = (uint32_t)(i % nr_shapes / 1000),
			.kind = EV_FREE,
		};
	use_events(many, nr);
}

static const char *pack(const struct layout *layout)
{
	const char *path = scratch_path("packed.ptr");
	struct output *out;
	uint64_t used;

	ck_assert_int_eq(output_open(&out, path, false, &msg), 0);
	ck_assert_int_eq(ptr_write(out, &original, layout, &used, &msg), 0);
	ck_assert_int_eq(output_commit(out, &msg), 0);
	return path;
}

static void assert_same(const struct trace *a, const struct trace *b, size_t nr)
{
	ck_assert_uint_eq(b->nr_events, nr);
	for (size_t i = 0; i < nr; i++)
		if (memcmp(&a->events[i], &b->events[i], sizeof(struct event)))
			ck_abort_msg("event %zu is another one", i);
}

static void assert_packs(void)
{
	int err = trace_read(&again, pack(NULL), 0, &msg);

	ck_assert_msg(err == 0, "%s", msg.text);
	assert_same(&original, &again, original.nr_events);
	ck_assert_uint_eq(again.lost, original.lost);
	ck_assert_str_eq(again.format, "ptr");
}

static void teardown(void)
{
	trace_free(&again);
	scratch_teardown();
}

/* ---- what comes out is what went in ---- */

START_TEST(every_field_of_every_kind_comes_back)
{
	use_events(hard, ARRAY_SIZE(hard));
	assert_packs();
	ck_assert_uint_eq(again.nr_comms, ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_str_eq(again.comms[i], names[i]);
	ck_assert_str_eq(again.source.name, "made up");
	ck_assert_str_eq(again.source.format, "perf-text");
	ck_assert_str_eq(again.source.sha256, "0123");
}
END_TEST

static const struct { size_t nr; unsigned int shapes; } sizes[] = {
	{ 1, 1 }, { 2, 2 }, { PTR_BLOCK_EVENTS - 1, 3 }, { PTR_BLOCK_EVENTS, 700 },
	{ PTR_BLOCK_EVENTS + 1, 700 }, { ARRAY_SIZE(events), PTR_BLOCK_EVENTS },
};

START_TEST(blocks_of_every_fill_come_back)
{
	use_many(sizes[_i].nr, sizes[_i].shapes);
	assert_packs();
}
END_TEST

START_TEST(pfns_beyond_32_bits_come_back_as_differences)
{
	use_many(1000, 5);
	events[500].pfn = sizeof(long) > 4 ? UINT64_C(0x3fffffffff) : 0x7fffffff;
	events[501].pfn = EVENT_PFN_FAILED;
	events[501].kind = EV_ALLOC;
	assert_packs();
}
END_TEST

/*
 * Steps of the pfn whose codes take 1, 2, 3 ... bytes, so that each length
 * comes right before the end of a block, where words reach beyond it.
 */
START_TEST(differences_of_every_length_come_back_at_the_end_of_a_block)
{
	const int most = sizeof(long) > 4 ? 39 : 30;	/* bits of a pfn */

	use_many(1 + (size_t)_i, 3);
	for (int i = 0; i <= _i; i++)
		events[i].pfn = i % 2 ? UINT64_C(1) << min_t(int, 3 * (i + 1), most) : 0;
	/* more than 32 bits, so that differences are what is written */
	events[0].pfn = sizeof(long) > 4 ? UINT64_C(1) << 38 : UINT64_C(1) << 30;
	assert_packs();
}
END_TEST

/* What a block's shapes do not settle: such events go one by one. */
START_TEST(rare_events_come_back_among_many)
{
	use_many(3 * PTR_BLOCK_EVENTS - 5, 50);
	for (size_t i = 0; i < original.nr_events; i += 1 + i % 97) {
		events[i].kind = i % 2 ? EV_ALLOC : EV_LOST;
		events[i].pfn = i % 2 ? EVENT_PFN_FAILED : i % 3;
	}
	for (size_t i = 0; i < original.nr_events; i++)
		if (events[i].kind == EV_LOST)
			original.lost += events[i].pfn;
	assert_packs();
	for (unsigned int kind = 0; kind < NR_EVENT_KINDS; kind++) {
		uint64_t nr = 0;

		for (size_t i = 0; i < original.nr_events; i++)
			nr += events[i].kind == kind;
		ck_assert_uint_eq(again.by_kind[kind], nr);
	}
	ck_assert_uint_eq(again.nr_cpus, 50);
	ck_assert_uint_lt(again.max_pfn, 1 << 20);
}
END_TEST

START_TEST(the_highest_page_is_the_last_of_its_block)
{
	use_many(100, 3);
	events[50].order = 10;
	events[50].pfn = 0x200000;
	assert_packs();
	ck_assert_uint_eq(again.max_pfn, 0x2003ff);
}
END_TEST

START_TEST(files_come_back_whole)
{
	for (size_t i = 0; i < sizeof(file_bytes); i++)
		file_bytes[i] = (uint8_t)(i * i >> 5);
	use_events(hard, 1);
	original.files = files;
	original.nr_files = ARRAY_SIZE(files);
	assert_packs();
	ck_assert_uint_eq(again.nr_files, ARRAY_SIZE(files));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		ck_assert_str_eq(again.files[i].name, files[i].name);
		ck_assert_uint_eq(again.files[i].len, files[i].len);
		ck_assert(!memcmp(again.files[i].bytes, file_bytes, files[i].len));
	}
	ck_assert_ptr_nonnull(strstr(again.files[0].shown, "packed.ptr(machine.txt)"));
}
END_TEST

START_TEST(a_limit_ends_in_the_middle_of_a_block)
{
	int err;

	use_many(PTR_BLOCK_EVENTS + 100, 10);
	err = trace_read(&again, pack(NULL), PTR_BLOCK_EVENTS + 1, &msg);
	ck_assert_msg(err == 0, "%s", msg.text);
	assert_same(&original, &again, PTR_BLOCK_EVENTS + 1);
}
END_TEST

START_TEST(the_same_trace_gives_the_same_bytes)
{
	size_t a_len, b_len;
	char *a, *b;

	use_many(100000, 300);
	a = scratch_slurp(pack(NULL), &a_len);
	b = scratch_slurp(pack(NULL), &b_len);
	ck_assert_uint_eq(a_len, b_len);
	ck_assert(!memcmp(a, b, a_len));
	free(a);
	free(b);
}
END_TEST

/* ---- what is damaged ---- */

static char *bytes;
static size_t nr_bytes;

static void pack_small(void)
{
	use_events(hard, ARRAY_SIZE(hard));
	original.files = files;
	original.nr_files = 1;
	bytes = scratch_slurp(pack(NULL), &nr_bytes);
}

/* Reading `len` bytes fails with a message that names a byte. */
static void assert_refused(size_t len, const char *what, size_t where)
{
	if (!trace_read_memory(&again, "bent.ptr", bytes, len, 0, &msg))
		ck_abort_msg("%s at %zu went unnoticed", what, where);
	if (strncmp(msg.text, "bent.ptr: ", 10) || !strstr(msg.text, "byte "))
		ck_abort_msg("%s at %zu: \"%s\"", what, where, msg.text);
}

/* The n-th section's place; its payload follows. */
static uint8_t *find_section(unsigned int n, struct ptr_section *s)
{
	uint8_t *at = (uint8_t *)bytes + PTR_START_BYTES;

	ptr_section_get(s, at);
	while (n--) {
		at += PTR_SECTION_BYTES + s->packed;
		ptr_section_get(s, at);
	}
	return at;
}

static void sign(uint8_t *at, struct ptr_section *s)
{
	ptr_section_put(at, s);
	s->crc = ptr_section_crc(at, at + PTR_SECTION_BYTES, s->packed);
	ptr_section_put(at, s);
}

START_TEST(every_flipped_bit_is_noticed_where_it_is)
{
	pack_small();
	for (size_t bit = 0; bit < 8 * nr_bytes; bit++) {
		unsigned long long offset;
		const char *at;

		bytes[bit / 8] ^= (char)(1 << bit % 8);
		assert_refused(nr_bytes, "a flipped bit", bit);
		at = strstr(msg.text, "byte ");
		offset = strtoull(at + 5, NULL, 10);
		if (offset > bit / 8)
			ck_abort_msg("bit %zu: \"%s\" is behind it", bit, msg.text);
		bytes[bit / 8] ^= (char)(1 << bit % 8);
	}
	free(bytes);
}
END_TEST

START_TEST(every_cut_is_noticed)
{
	pack_small();
	for (size_t len = 6; len < nr_bytes; len++)
		assert_refused(len, "a cut", len);
	free(bytes);
}
END_TEST

/* Long enough to be unpacked ahead, on a thread. */
static void pack_long(void)
{
	use_many(ARRAY_SIZE(events), 20);
	bytes = scratch_slurp(pack(NULL), &nr_bytes);
}

/* Altering a byte here is noticed, in this section. */
static void assert_altered(size_t at, unsigned int section)
{
	char where[32];

	snprintf(where, sizeof(where), ": section %u (", section);
	bytes[at] ^= 0x55;
	assert_refused(nr_bytes, "an altered byte", at);
	if (!strstr(msg.text, where))
		ck_abort_msg("byte %zu: \"%s\", and not%s", at, msg.text, where);
	bytes[at] ^= 0x55;
}

START_TEST(an_altered_byte_of_a_long_file_is_noticed_where_it_is)
{
	size_t at = PTR_START_BYTES;
	struct ptr_section s;

	pack_long();
	for (unsigned int n = 0; n == 0 || s.type != PTR_INDX; n++) {
		size_t end;

		ptr_section_get(&s, (uint8_t *)bytes + at);
		end = at + PTR_SECTION_BYTES + s.packed;
		for (size_t i = at; i < end; i += i < at + 48 ? 1 : 9973)
			assert_altered(i, n);
		at = end;
	}
	ck_assert_uint_eq(at + PTR_TRAILER_BYTES, nr_bytes);
	free(bytes);
}
END_TEST

/* Of two, the first in the file is told, whichever is met first. */
START_TEST(the_first_of_two_faults_of_a_long_file_is_told)
{
	struct ptr_section first, second;
	uint8_t *at, *altered;

	pack_long();
	at = find_section(2, &first);
	altered = find_section(3, &second);
	first.nr_events--;		/* which only the decoder notices, behind the thread */
	sign(at, &first);
	altered[PTR_SECTION_BYTES + 20] ^= 1;
	assert_refused(nr_bytes, "two faults", 2);
	ck_assert_ptr_nonnull(strstr(msg.text, "section 2 (events)"));
	free(bytes);
}
END_TEST

START_TEST(a_long_file_that_is_cut_is_refused_at_the_section_that_lacks)
{
	pack_long();
	for (size_t len = nr_bytes - 1; len > nr_bytes / 8; len -= len / 8)
		assert_refused(len, "a cut", len);
	for (unsigned int n = 1; n <= 4; n++) {	/* three blocks, the index */
		struct ptr_section s;
		size_t at = (size_t)(find_section(n, &s) - (uint8_t *)bytes);
		char where[32];

		snprintf(where, sizeof(where), ": section %u (", n);
		for (size_t len = at; len <= at + 1; len++) {
			assert_refused(len, "a cut", len);
			if (!strstr(msg.text, where))
				ck_abort_msg("cut at %zu: \"%s\", not%s", len, msg.text, where);
		}
	}
	free(bytes);
}
END_TEST

START_TEST(bytes_behind_the_end_are_noticed)
{
	pack_small();
	bytes = realloc(bytes, nr_bytes + 1);
	bytes[nr_bytes] = 0;
	assert_refused(nr_bytes + 1, "a byte too many", nr_bytes);
	free(bytes);
}
END_TEST

/* ---- what somebody else wrote, with right checksums ---- */

START_TEST(sections_in_another_order_are_noticed)
{
	struct ptr_section s;
	uint8_t *at;

	pack_small();
	at = find_section(1, &s);
	s.sequence = 2;
	sign(at, &s);
	assert_refused(nr_bytes, "a wrong sequence", 1);
	ck_assert_ptr_nonnull(strstr(msg.text, "out of place"));
	free(bytes);
}
END_TEST

static const struct {
	unsigned int section;
	size_t field;			/* in struct ptr_section */
	uint32_t value;
	const char *says;		/* NULL: one of several, by what is read first */
} forged[] = {
	{ 0, offsetof(struct ptr_section, type), PTR_EVTS, NULL },
	{ 0, offsetof(struct ptr_section, packed), 0, NULL },
	{ 0, offsetof(struct ptr_section, plain), 1, "does not unpack" },
	{ 0, offsetof(struct ptr_section, plain), 1 << 16, "bytes; expected 65536" },
	{ 0, offsetof(struct ptr_section, plain), UINT32_MAX, "expected at most" },
	{ 1, offsetof(struct ptr_section, type), PTR_HEAD, NULL },
	{ 1, offsetof(struct ptr_section, type), 0x20202020, "its type is 0x20202020" },
	{ 2, offsetof(struct ptr_section, nr_events), 0, NULL },
	{ 2, offsetof(struct ptr_section, nr_events), 1, NULL },
	{ 2, offsetof(struct ptr_section, nr_events), PTR_BLOCK_EVENTS + 1, NULL },
	{ 2, offsetof(struct ptr_section, type), PTR_FILE, NULL },
	{ 2, offsetof(struct ptr_section, type), PTR_INDX, NULL },
	{ 3, offsetof(struct ptr_section, type), PTR_EVTS, NULL },
};

START_TEST(signed_nonsense_is_refused_all_the_same)
{
	struct ptr_section s;
	uint8_t *at;

	pack_small();
	at = find_section(forged[_i].section, &s);
	memcpy((char *)&s + forged[_i].field, &forged[_i].value, sizeof(uint32_t));
	sign(at, &s);
	assert_refused(nr_bytes, "nonsense", (size_t)_i);
	if (forged[_i].says && !strstr(msg.text, forged[_i].says))
		ck_abort_msg("\"%s\" does not say \"%s\"", msg.text, forged[_i].says);
	free(bytes);
}
END_TEST

static const struct { const char *text, *says; } heads[] = {
	{ "", "has no last line" },
	{ "events\t0", "has no last line" },
	{ "events\t0\nno tab\n", "has a line without a tab" },
	{ "\n", "has a line without a tab" },
	{ "events\tmany\n", "has no number after \"events\"" },
	{ "lost\t1 \n", "has no number after \"lost\"" },
	{ "page_bytes\t8192\n", "tells of pages of 8192 bytes" },
};

/* The small file with another text in its head; nothing else is wrong. */
static void put_head(const char *text)
{
	const size_t len = strlen(text), room = ZSTD_compressBound(len);
	struct ptr_section s;
	char *all = malloc(room + nr_bytes);
	size_t at = PTR_START_BYTES + PTR_SECTION_BYTES, rest;

	ck_assert_ptr_nonnull(all);
	find_section(0, &s);
	rest = at + s.packed;
	memcpy(all, bytes, PTR_START_BYTES);
	s.packed = (uint32_t)ZSTD_compress(all + at, room, text, len, 1);
	s.plain = (uint32_t)len;
	sign((uint8_t *)all + PTR_START_BYTES, &s);
	at += s.packed;
	memcpy(all + at, bytes + rest, nr_bytes - rest);
	nr_bytes += at - rest;
	free(bytes);
	bytes = all;
}

START_TEST(a_head_that_cannot_be_is_refused)
{
	pack_small();
	put_head(heads[_i].text);
	assert_refused(nr_bytes, "a head", (size_t)_i);
	if (!strstr(msg.text, heads[_i].says))
		ck_abort_msg("\"%s\" does not say \"%s\"", msg.text, heads[_i].says);
	free(bytes);
}
END_TEST

/*
 * A file of three blocks whose last section, the index, is written anew with other
 * entries: as somebody would who knows the checksum.
 */
static void forge_index(const uint8_t *plain, size_t len)
{
	struct ptr_section s;
	uint8_t *at, *anew;
	uint8_t trailer[PTR_TRAILER_BYTES];
	size_t room = ZSTD_compressBound(len), before;

	memcpy(trailer, bytes + nr_bytes - sizeof(trailer), sizeof(trailer));
	before = (size_t)get_le64(trailer);
	anew = malloc(before + PTR_SECTION_BYTES + room + sizeof(trailer));
	ck_assert_ptr_nonnull(anew);
	memcpy(anew, bytes, before);
	at = anew + before;
	ptr_section_get(&s, (uint8_t *)bytes + before);
	ck_assert_uint_eq(s.type, PTR_INDX);
	s.plain = (uint32_t)len;
	s.packed = (uint32_t)ZSTD_compress(at + PTR_SECTION_BYTES, room, plain, len, 1);
	sign(at, &s);
	memcpy(at + PTR_SECTION_BYTES + s.packed, trailer, sizeof(trailer));
	nr_bytes = before + PTR_SECTION_BYTES + s.packed + sizeof(trailer);
	free(bytes);
	bytes = (char *)anew;
}

/* What the index says of each of three blocks of a file. */
static void true_index(uint8_t plain[4 * PTR_INDEX_BYTES])
{
	struct ptr_section s;

	for (unsigned int i = 0; i < 3; i++) {
		const uint8_t *at = find_section(1 + i, &s);
		uint8_t *entry = plain + (size_t)i * PTR_INDEX_BYTES;

		ck_assert_uint_eq(s.type, PTR_EVTS);
		entry = put_le64(entry, (uint64_t)(at - (uint8_t *)bytes));
		entry = put_le64(entry, s.time_ns);
		put_le64(entry, (uint64_t)i * PTR_BLOCK_EVENTS);
	}
	memcpy(plain + (size_t)3 * PTR_INDEX_BYTES, plain + (size_t)2 * PTR_INDEX_BYTES,
	       PTR_INDEX_BYTES);
}

static const struct { size_t at; uint64_t value; const char *message; } index_lies[] = {
	{ PTR_INDEX_BYTES, UINT64_MAX, "is wrong about block 1 of events" },	/* beyond */
	{ PTR_INDEX_BYTES, 0, "is wrong about block 1 of events" },
	{ 2 * PTR_INDEX_BYTES, PTR_START_BYTES, "is wrong about block 2 of events" }, /* overlaps */
	{ 8, 1, "is wrong about block 0 of events" },				/* time */
	{ 2 * PTR_INDEX_BYTES + 16, 7, "is wrong about block 2 of events" },	/* first event */
};

START_TEST(an_index_that_lies_is_refused)
{
	uint8_t plain[4 * PTR_INDEX_BYTES];

	pack_long();
	true_index(plain);
	put_le64(plain + index_lies[_i].at, index_lies[_i].value);
	forge_index(plain, 3 * PTR_INDEX_BYTES);
	assert_refused(nr_bytes, "a lie", (size_t)_i);
	ck_assert_msg(strstr(msg.text, "(index)") && strstr(msg.text, index_lies[_i].message),
		      "%s", msg.text);
	free(bytes);
}
END_TEST

static const size_t index_lengths[] = {
	0, 1, 2 * PTR_INDEX_BYTES, 3 * PTR_INDEX_BYTES - 1, 3 * PTR_INDEX_BYTES + 1,
	4 * PTR_INDEX_BYTES,
};

START_TEST(an_index_of_another_number_of_blocks_is_refused)
{
	uint8_t plain[4 * PTR_INDEX_BYTES];

	pack_long();
	true_index(plain);
	forge_index(plain, index_lengths[_i]);
	assert_refused(nr_bytes, "an index", index_lengths[_i]);
	ck_assert_msg(strstr(msg.text, "blocks of events; expected 3"), "%s", msg.text);
	free(bytes);
}
END_TEST

START_TEST(an_index_written_anew_is_taken)
{
	uint8_t plain[4 * PTR_INDEX_BYTES];
	int err;

	pack_long();
	true_index(plain);
	forge_index(plain, 3 * PTR_INDEX_BYTES);
	err = trace_read_memory(&again, "same.ptr", bytes, nr_bytes, 0, &msg);
	ck_assert_msg(err == 0, "%s", msg.text);
	free(bytes);
}
END_TEST

/* Without its index, with a trailer that says where it would be, or twice in one file. */
START_TEST(a_file_without_index_or_with_another_behind_it_is_refused)
{
	size_t index;
	char *twice;

	pack_long();
	index = (size_t)get_le64((uint8_t *)bytes + nr_bytes - PTR_TRAILER_BYTES);
	twice = malloc(2 * nr_bytes);
	ck_assert_ptr_nonnull(twice);
	memcpy(twice, bytes, nr_bytes);
	memcpy(twice + nr_bytes, bytes, nr_bytes);

	memcpy(bytes + index, bytes + nr_bytes - PTR_TRAILER_BYTES, PTR_TRAILER_BYTES);
	assert_refused(index + PTR_TRAILER_BYTES, "a lost index", index);
	free(bytes);
	bytes = twice;
	assert_refused(2 * nr_bytes, "another file", nr_bytes);
	ck_assert_msg(strstr(msg.text, "goes on after its end"), "%s", msg.text);
	free(bytes);
}
END_TEST

START_TEST(another_version_is_named_beside_ours)
{
	pack_small();
	put_le64((uint8_t *)bytes + PTR_MAGIC_BYTES, 2);
	assert_refused(nr_bytes, "a version", 2);
	ck_assert_msg(strstr(msg.text, "version 2 of .ptr at byte 8; expected 1"), "%s",
		      msg.text);
	free(bytes);
}
END_TEST

START_TEST(a_file_without_events_is_no_trace)
{
	use_events(hard, 0);
	ck_assert_int_ne(trace_read(&again, pack(NULL), 0, &msg), 0);
	ck_assert_msg(strstr(msg.text, "holds no event of the page allocator"), "%s", msg.text);
}
END_TEST

/* Events whose process, order or pfn no reader may take. */
static const struct event bad_events[] = {
	{ .kind = EV_FREE, .comm = ARRAY_SIZE(names) },
	{ .kind = EV_FREE, .cpu = MAX_NR_CPUS },
	{ .kind = EV_FREE, .order = MAX_PAGE_ORDER + 1 },
	{ .kind = EV_FREE, .order = 3, .pfn = 4 },
	{ .kind = EV_FREE, .pfn = UINT64_C(1) << 41 },
};

START_TEST(events_that_cannot_be_are_refused_as_from_text)
{
	use_events(hard, 3);
	events[1] = bad_events[_i];
	events[1].time_ns = 6;
	bytes = scratch_slurp(pack(NULL), &nr_bytes);
	assert_refused(nr_bytes, "a bad event", (size_t)_i);
	ck_assert_ptr_nonnull(strstr(msg.text, "section 1 (events)"));
	free(bytes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ptr");
	TCase *tc = tcase_create("round trip");
	TCase *damage = tcase_create("damage");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, scratch_setup, teardown);
	tcase_add_test(tc, every_field_of_every_kind_comes_back);
	tcase_add_loop_test(tc, blocks_of_every_fill_come_back, 0, ARRAY_SIZE(sizes));
	tcase_add_test(tc, pfns_beyond_32_bits_come_back_as_differences);
	tcase_add_loop_test(tc, differences_of_every_length_come_back_at_the_end_of_a_block,
			    0, 14);
	tcase_add_test(tc, rare_events_come_back_among_many);
	tcase_add_test(tc, the_highest_page_is_the_last_of_its_block);
	tcase_add_test(tc, files_come_back_whole);
	tcase_add_test(tc, a_limit_ends_in_the_middle_of_a_block);
	tcase_add_test(tc, the_same_trace_gives_the_same_bytes);
	suite_add_tcase(suite, tc);

	tcase_set_timeout(damage, 120);
	tcase_add_checked_fixture(damage, scratch_setup, teardown);
	tcase_add_test(damage, every_flipped_bit_is_noticed_where_it_is);
	tcase_add_test(damage, every_cut_is_noticed);
	tcase_add_test(damage, an_altered_byte_of_a_long_file_is_noticed_where_it_is);
	tcase_add_test(damage, the_first_of_two_faults_of_a_long_file_is_told);
	tcase_add_test(damage, a_long_file_that_is_cut_is_refused_at_the_section_that_lacks);
	tcase_add_loop_test(damage, an_index_that_lies_is_refused, 0, ARRAY_SIZE(index_lies));
	tcase_add_loop_test(damage, an_index_of_another_number_of_blocks_is_refused, 0,
			    ARRAY_SIZE(index_lengths));
	tcase_add_test(damage, an_index_written_anew_is_taken);
	tcase_add_test(damage, a_file_without_index_or_with_another_behind_it_is_refused);
	tcase_add_test(damage, another_version_is_named_beside_ours);
	tcase_add_test(damage, a_file_without_events_is_no_trace);
	tcase_add_test(damage, bytes_behind_the_end_are_noticed);
	tcase_add_test(damage, sections_in_another_order_are_noticed);
	tcase_add_loop_test(damage, signed_nonsense_is_refused_all_the_same, 0,
			    ARRAY_SIZE(forged));
	tcase_add_loop_test(damage, a_head_that_cannot_be_is_refused, 0, ARRAY_SIZE(heads));
	tcase_add_loop_test(damage, events_that_cannot_be_are_refused_as_from_text, 0,
			    ARRAY_SIZE(bad_events));
	suite_add_tcase(suite, damage);

	return run_suite(suite);
}
