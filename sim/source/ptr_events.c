/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ptr_events.c - columns of a block become events in their place in the trace
 *
 *	shape   3    0    3  ...       shapes[3]  kind, order, cpu, gfp ...
 *	delta   12   900  0  ...                  never: pfn bits it cannot have
 *	pfn     +1   -64  +1 ...                  nr: events of it
 *	   `----'----'----'---->  events[] of the trace, 32 bytes each
 *
 * What all events of a shape have in common is judged, translated and counted
 * once for the shape. Of each event remains to add its time and its pfn, and to
 * look at one word: the bits that a pfn of its shape cannot have, which are those
 * above any machine's and those below its order. An event that has such bits is
 * rare (a failed allocation, lost events) or wrong, and goes the way of events
 * from text, builder_add(), which knows; so do all if somebody wants to check
 * each one.
 *
 * Numbers of variable length are read four bytes at a time, without a branch that
 * would have to guess their length; longer ones, and the last of a block, byte by byte.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "sim/source/ptr_events.h"

/* What is known of all events of a shape. */
struct shape {
	struct event ev;		/* without time and pfn */
	uint64_t never;			/* bits that no pfn of it has, but rare ones */
	uint32_t tail;			/* pages behind the first */
	uint32_t nr;			/* events of it that were not rare */
};

struct ptr_decoder {
	struct shape shapes[PTR_BLOCK_EVENTS];
};

/* One block being decoded; all columns lie within its plain bytes. */
struct block {
	struct trace_builder *b;
	const struct input *in;
	const struct ptr_unpacked *section;
	struct msg *msg;
	struct shape *shapes;
	uint64_t first;

	uint32_t nr;
	uint32_t nr_wanted;		/* of them, by the builder */
	uint32_t coding;
	const uint8_t *shape;		/* two planes, as is the next */
	const uint8_t *delta;
	const uint8_t *pfn;
	const uint8_t *pfn_end;
	const uint8_t *long_delta;
	uint32_t nr_long;
	const uint8_t *shape_table;
	uint32_t nr_shapes;
};

#define bad_block(k, ...) ptr_bad_section((k)->in, (k)->section, (k)->msg, __VA_ARGS__)

static int bad_event(const struct block *k, uint32_t i, const char *why)
{
	return bad_block(k, "has a bad event %" PRIu64 ": %s", k->first + i, why);
}

static int find_columns(struct block *k)
{
	const struct ptr_section *section = &k->section->head;
	const uint8_t *head = k->section->plain;
	uint64_t pfn_bytes, expected;

	k->nr = section->nr_events;
	if (!k->nr || k->nr > PTR_BLOCK_EVENTS || section->plain < PTR_EVTS_BYTES)
		return bad_block(k, "has %u events; expected 1 to %u", k->nr,
				 PTR_BLOCK_EVENTS);
	k->coding = get_le32(head);
	pfn_bytes = get_le32(head + 4);
	k->nr_long = get_le32(head + 8);
	k->nr_shapes = get_le32(head + 12);
	expected = PTR_EVTS_BYTES + 4 * (uint64_t)k->nr + pfn_bytes +
		   8 * (uint64_t)k->nr_long + PTR_SHAPE_BYTES * (uint64_t)k->nr_shapes;
	if (expected != section->plain || k->nr_shapes > PTR_BLOCK_EVENTS ||
	    k->coding >= NR_PTR_PFN_CODINGS ||
	    (k->coding == PTR_PFN_ABSOLUTE && pfn_bytes != 4 * (uint64_t)k->nr))
		return bad_block(k, "has columns that do not fit its %u bytes",
				 section->plain);
	k->shape = head + PTR_EVTS_BYTES;
	k->delta = k->shape + 2 * k->nr;
	k->pfn = k->delta + 2 * k->nr;
	k->pfn_end = k->pfn + pfn_bytes;
	k->long_delta = k->pfn_end;
	k->shape_table = k->long_delta + 8 * (size_t)k->nr_long;
	return 0;
}

/* ---- shapes ---- */

static int read_shape(const struct block *k, struct shape *shape,
		      const struct ptr_names *names, uint64_t who, uint64_t what)
{
	struct event *ev = &shape->ev;
	uint32_t comm = (uint32_t)(who >> 48);

	*shape = (struct shape){ .ev = {
		.gfp = gfp_of_bits((uint32_t)who, names->gfp_of_bit, names->nr_gfp_bits),
		.cpu = (uint16_t)(who >> 32),
		.kind = (uint8_t)what,
		.order = (uint8_t)(what >> 8),
		.migratetype = (uint8_t)(what >> 16),
		.flags = (uint8_t)(what >> 24),
		.fallback_order = (uint8_t)(what >> 32),
		.fallback_migratetype = (uint8_t)(what >> 40),
	} };
	if (ev->kind >= NR_EVENT_KINDS || ev->cpu >= MAX_NR_CPUS ||
	    comm >= names->nr_comms)
		return bad_block(k, "has an event of kind %u, cpu %u, process %u"
				 "; expected them below %u, %u, %u", ev->kind, ev->cpu, comm,
				 NR_EVENT_KINDS, MAX_NR_CPUS, names->nr_comms);
	if (ev->order > MAX_PAGE_ORDER || ev->fallback_order > MAX_PAGE_ORDER)
		return bad_block(k, "has an event of order %u, fallback_order %u"
				 "; expected 0 to %u, the largest block", ev->order,
				 ev->fallback_order, MAX_PAGE_ORDER);
	ev->comm = names->comms[comm];
	if (ev->kind == EV_LOST) {
		shape->never = UINT64_MAX;	/* no pfn: all but 0 is rare */
	} else {
		shape->tail = (1u << ev->order) - 1;
		shape->never = ~(PFN_LIMIT - 1) | shape->tail;
	}
	return 0;
}

static int read_shapes(const struct block *k, const struct ptr_names *names)
{
	const uint8_t *at = k->shape_table;
	int err = 0;

	for (uint32_t i = 0; i < k->nr_shapes && !err; i++, at += PTR_SHAPE_BYTES)
		err = read_shape(k, &k->shapes[i], names, get_le64(at), get_le64(at + 8));
	return err;
}

/* What the events of each shape add to the trace's sums. */
static void count_shapes(const struct block *k)
{
	struct trace *trace = k->b->trace;

	for (uint32_t i = 0; i < k->nr_shapes; i++) {
		const struct shape *shape = &k->shapes[i];

		trace->by_kind[shape->ev.kind] += shape->nr;
		if (shape->nr && shape->ev.cpu >= trace->nr_cpus)
			trace->nr_cpus = shape->ev.cpu + 1u;
	}
}

/* ---- pfns ---- */

/* The pfns of a block, one after the other. */
struct pfn_cursor {
	const uint8_t *at;
	const uint8_t *end;
	uint64_t last[NR_EVENT_KINDS];
};

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

#define EACH_BYTE(x) (UINT32_C(0x01010101) * (x))

/*
 * A number of up to four bytes at the low end of a word, of which there is one: its
 * sevens of bits move together by pairs, and all.
 */
static inline uint32_t varint_of_word(uint32_t word, uint32_t stop)
{
	word &= (stop ^ (stop - 1)) & EACH_BYTE(0x7f);
	word = (word & 0x007f007f) | (word & 0x7f007f00) >> 1;
	return (word & 0x00003fff) | (word & 0x3fff0000) >> 2;
}

/*
 * False when there is none. A word past `end` can be read. Few are of more than four
 * bytes: between pages 512 GiB apart.
 */
static __always_inline bool next_code(struct pfn_cursor *c, uint64_t *code)
{
	uint32_t word = get_le32(c->at);
	uint32_t stop = ~word & EACH_BYTE(0x80);	/* lowest: the last byte's */

	if (unlikely(!stop || c->end - c->at < (ptrdiff_t)sizeof(word)))
		return get_varint(&c->at, c->end, code);
	*code = varint_of_word(word, stop);
	c->at += ((unsigned int)__builtin_ctz(stop) + 1) / 8;
	return true;
}

static __always_inline bool next_pfn(struct pfn_cursor *c, uint32_t coding,
				     unsigned int kind, uint64_t *pfn)
{
	uint64_t code;

	if (coding == PTR_PFN_ABSOLUTE) {	/* their number is checked already */
		*pfn = get_le32(c->at);
		c->at += 4;
		if (unlikely(*pfn == PTR_PFN_FAILED))
			*pfn = EVENT_PFN_FAILED;
		return true;
	}
	if (unlikely(!next_code(c, &code)))
		return false;
	*pfn = c->last[kind] += unzigzag(code);
	return true;
}

/* ---- events ---- */

static int add_rare(const struct block *k, uint32_t i, const struct event *ev)
{
	struct msg why;
	int err = builder_add(k->b, ev, &why);

	if (!err)
		return 0;
	return err == -ENOMEM ? ptr_no_memory(k->in, k->msg)
			      : bad_event(k, i, why.text);
}

/*
 * Always inlined, for the compiler to make a loop for each coding. It cannot know that
 * writing events leaves the block's columns where they are, hence the copy.
 */
static __always_inline int add_events(struct block *k, uint32_t coding)
{
	const struct block in = *k;
	struct pfn_cursor pfns = { .at = in.pfn, .end = in.pfn_end };
	struct trace *trace = in.b->trace;
	struct event *to = trace->events + trace->nr_events;
	const uint8_t *long_delta = in.long_delta;
	const bool each_is_rare = in.b->check;
	uint64_t time_ns = in.section->head.time_ns;
	uint64_t max_pfn = 0;

	for (uint32_t i = 0; i < in.nr_wanted; i++, to++) {
		uint32_t index = in.shape[i] | (uint32_t)in.shape[in.nr + i] << 8;
		uint64_t delta = in.delta[i] | (uint64_t)in.delta[in.nr + i] << 8;
		struct shape *shape = &in.shapes[index];
		uint64_t pfn;

		if (unlikely(index >= in.nr_shapes))
			return bad_event(k, i, "its shape is not there");
		if (unlikely(delta == PTR_LONG_DELTA)) {
			if (long_delta == in.shape_table)
				return bad_event(k, i, "its time is not there");
			delta = get_le64(long_delta);
			long_delta += 8;
			in.b->unsorted |= time_ns + delta < time_ns;
		}
		if (unlikely(!next_pfn(&pfns, coding, shape->ev.kind, &pfn)))
			return bad_event(k, i, "its pfn is not there");
		time_ns += delta;
		*to = shape->ev;
		to->time_ns = time_ns;
		to->pfn = pfn;
		if (unlikely((pfn & shape->never) || each_is_rare)) {
			const struct event ev = *to;	/* which is added to itself */
			int err;

			trace->nr_events = (size_t)(to - trace->events);
			err = add_rare(k, i, &ev);
			if (err)
				return err;
			continue;
		}
		shape->nr++;
		max_pfn = max_t(uint64_t, max_pfn, pfn + shape->tail);
	}
	trace->nr_events = (size_t)(to - trace->events);
	trace->max_pfn = max_t(uint64_t, trace->max_pfn, max_pfn);
	k->b->last_ns = time_ns;
	k->pfn = pfns.at;
	k->long_delta = long_delta;
	return 0;
}

static int add_block(struct block *k)
{
	struct trace_builder *b = k->b;
	int err;

	k->nr_wanted = (uint32_t)min_t(uint64_t, k->nr, b->limit - b->trace->nr_events);
	if (builder_reserve(b, k->nr_wanted, k->msg))
		return ptr_no_memory(k->in, k->msg);
	b->unsorted |= k->section->head.time_ns < b->last_ns;
	err = k->coding == PTR_PFN_ABSOLUTE ? add_events(k, PTR_PFN_ABSOLUTE)
					    : add_events(k, PTR_PFN_DELTA);
	if (err)
		return err;
	count_shapes(k);
	if (k->nr_wanted == k->nr &&
	    (k->pfn != k->pfn_end || k->long_delta != k->shape_table))
		return bad_block(k, "has more pfns or times than events");
	return 0;
}

int ptr_decode(struct ptr_decoder *d, struct trace_builder *b, const struct input *in,
	       const struct ptr_unpacked *block, const struct ptr_names *names,
	       uint64_t first, struct msg *msg)
{
	struct block k = {
		.b = b, .in = in, .section = block, .msg = msg,
		.shapes = d->shapes, .first = first,
	};
	int err = find_columns(&k);

	if (!err)
		err = read_shapes(&k, names);
	return err ? err : add_block(&k);
}

struct ptr_decoder *ptr_decoder_create(void)
{
	return malloc(sizeof(struct ptr_decoder));
}

void ptr_decoder_destroy(struct ptr_decoder *d)
{
	free(d);
}
