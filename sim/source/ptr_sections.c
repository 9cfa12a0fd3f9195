/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ptr_sections.c - take, prove and unpack sections, ahead of who reads them
 *
 *	thread   input --> bytes --> checksum, zstd --> slots --.
 *	                                                        |
 *	reader                                   events <-------'
 *
 *	slots    [ being read | full | full | being filled ]    a ring
 *	           taken                      filled
 *
 * A slot in [taken, filled) is the reader's, any other the thread's; both
 * numbers only grow and are under the lock. So is the right to the input: the
 * thread has it until it ends, with the index or an error. The error lies in the
 * slot where its section would, so that the reader meets it behind all that is
 * before it in the file, as if there were no thread.
 *
 * The thread begins with the first full block of events. A file that has none
 * is read without; so is any where there is no thread to be had.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "sim/source/ptr_sections.h"

#define NR_SLOTS 4			/* half a megabyte each; blocks differ in cost */

struct bytes {
	uint8_t *at;
	size_t room;
};

struct slot {
	struct ptr_unpacked unpacked;
	struct bytes plain;
	int err;			/* what reading it ended with, */
	struct msg msg;			/* and why */
};

struct ptr_sections {
	struct input *in;
	ZSTD_DCtx *zstd;
	struct bytes packed;		/* of the section being filled */
	struct slot slots[NR_SLOTS];

	uint32_t wanted;		/* the reader's: section it asks for next */
	bool running;			/* and whether there is a thread */
	pthread_t thread;
	pthread_mutex_t lock;		/* over all below */
	pthread_cond_t changed;
	uint32_t taken;			/* sections that the reader is done with */
	uint32_t filled;		/* and that are filled */
	bool stop;
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

static const char *section_what(const struct ptr_section *section)
{
	for (size_t i = 0; i < ARRAY_SIZE(section_types); i++)
		if (section_types[i].type == section->type)
			return section_types[i].what;
	return "unknown";
}

int ptr_bad_section(const struct input *in, const struct ptr_unpacked *section,
		    struct msg *msg, const char *fmt, ...)
{
	char why[sizeof(msg->text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	return msg_set(msg, EINVAL, "%s: section %u (%s) at byte %" PRIu64 " %s",
		       in->path, section->sequence, section_what(&section->head),
		       section->offset, why);
}

int ptr_no_memory(const struct input *in, struct msg *msg)
{
	return msg_set(msg, ENOMEM, "%s: no memory to read it", in->path);
}

/* ---- one section ---- */

static int bytes_reserve(struct bytes *b, size_t len)
{
	uint8_t *at;

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
static int take(const struct ptr_sections *s, struct slot *slot, void *to, size_t n)
{
	size_t got;
	int err = input_take(s->in, to, n, &got, &slot->msg);

	if (err || got == n)
		return err;
	return ptr_bad_section(s->in, &slot->unpacked, &slot->msg,
			       "is cut: the file ends at byte %" PRIu64
			       "; expected %zu bytes more",
			       input_offset(s->in, s->in->start), n - got);
}

static int check_section(const struct ptr_sections *s, struct slot *slot)
{
	const struct ptr_unpacked *u = &slot->unpacked;

	for (size_t i = 0; i < ARRAY_SIZE(section_types); i++) {
		uint32_t most = section_types[i].plain_max;

		if (section_types[i].type != u->head.type)
			continue;
		if (u->head.plain > most ||
		    u->head.packed > ZSTD_compressBound(most))
			return ptr_bad_section(s->in, u, &slot->msg,
					       "is damaged: %u bytes, %u packed; expected at most %u",
					       u->head.plain, u->head.packed, most);
		return 0;
	}
	return ptr_bad_section(s->in, u, &slot->msg,
			       "is damaged: its type is 0x%08x; expected head, file, events or index",
			       u->head.type);
}

/* The packed payload, as it was written. */
static int take_payload(struct ptr_sections *s, struct slot *slot,
			const uint8_t bytes[PTR_SECTION_BYTES])
{
	const struct ptr_section *section = &slot->unpacked.head;
	uint32_t crc;
	int err;

	if (bytes_reserve(&s->packed, section->packed + 1))
		return ptr_no_memory(s->in, &slot->msg);
	err = take(s, slot, s->packed.at, section->packed);
	if (err)
		return err;
	crc = ptr_section_crc(bytes, s->packed.at, section->packed);
	if (crc != section->crc)
		return ptr_bad_section(s->in, &slot->unpacked, &slot->msg,
				       "is damaged: its checksum is %08x; expected %08x",
				       crc, section->crc);
	if (section->sequence != slot->unpacked.sequence)
		return ptr_bad_section(s->in, &slot->unpacked, &slot->msg,
				       "is out of place: it says to be section %u",
				       section->sequence);
	return 0;
}

static int unpack(struct ptr_sections *s, struct slot *slot)
{
	struct ptr_unpacked *u = &slot->unpacked;
	const uint32_t plain = u->head.plain;
	size_t len;

	if (bytes_reserve(&slot->plain, (size_t)plain + PTR_PLAIN_PAD))
		return ptr_no_memory(s->in, &slot->msg);
	len = ZSTD_decompressDCtx(s->zstd, slot->plain.at, plain, s->packed.at,
				  u->head.packed);
	if (ZSTD_isError(len))
		return ptr_bad_section(s->in, u, &slot->msg, "does not unpack: %s",
				       ZSTD_getErrorName(len));
	if (len != plain)
		return ptr_bad_section(s->in, u, &slot->msg,
				       "unpacks to %zu bytes; expected %u", len, plain);
	memset(slot->plain.at + plain, 0, PTR_PLAIN_PAD);
	u->plain = slot->plain.at;
	return 0;
}

static int fill(struct ptr_sections *s, struct slot *slot, uint32_t sequence)
{
	uint8_t bytes[PTR_SECTION_BYTES];
	int err;

	slot->unpacked = (struct ptr_unpacked){
		.offset = input_offset(s->in, s->in->start),
		.sequence = sequence,
	};
	err = take(s, slot, bytes, sizeof(bytes));
	if (err)
		return err;
	ptr_section_get(&slot->unpacked.head, bytes);
	err = check_section(s, slot);
	if (!err)
		err = take_payload(s, slot, bytes);
	return err ? err : unpack(s, slot);
}

/* ---- ahead ---- */

/* The next slot to fill, once there is one; NULL: nobody wants it. */
static struct slot *free_slot(struct ptr_sections *s, uint32_t *sequence)
{
	bool stop;

	pthread_mutex_lock(&s->lock);
	while (s->filled - s->taken == NR_SLOTS && !s->stop)
		pthread_cond_wait(&s->changed, &s->lock);
	*sequence = s->filled;
	stop = s->stop;
	pthread_mutex_unlock(&s->lock);
	return stop ? NULL : &s->slots[*sequence % NR_SLOTS];
}

static void *fill_ahead(void *arg)
{
	struct ptr_sections *s = arg;
	struct slot *slot;
	bool last = false;
	uint32_t sequence;

	while (!last && (slot = free_slot(s, &sequence))) {
		slot->err = fill(s, slot, sequence);
		last = slot->err || slot->unpacked.head.type == PTR_INDX;
		pthread_mutex_lock(&s->lock);
		s->filled++;
		pthread_cond_signal(&s->changed);
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

/* Everything before `wanted` is given back; wait until that is filled. */
static void await(struct ptr_sections *s, uint32_t wanted)
{
	pthread_mutex_lock(&s->lock);
	s->taken = wanted;
	pthread_cond_signal(&s->changed);
	while (s->filled == wanted)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

int ptr_sections_next(struct ptr_sections *s, const struct ptr_unpacked **section,
		      struct msg *msg)
{
	const uint32_t sequence = s->wanted++;
	struct slot *slot = &s->slots[sequence % NR_SLOTS];

	if (s->running) {
		await(s, sequence);
	} else {
		slot->err = fill(s, slot, sequence);
		s->taken = sequence;
		s->filled = s->wanted;
	}
	*section = &slot->unpacked;
	if (slot->err) {
		*msg = slot->msg;
		return slot->err;
	}
	if (!s->running && slot->unpacked.head.nr_events == PTR_BLOCK_EVENTS)
		s->running = !pthread_create(&s->thread, NULL, fill_ahead, s);
	return 0;
}

struct ptr_sections *ptr_sections_create(struct input *in)
{
	struct ptr_sections *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->in = in;
	s->zstd = ZSTD_createDCtx();
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	if (s->zstd)
		return s;
	ptr_sections_destroy(s);
	return NULL;
}

void ptr_sections_destroy(struct ptr_sections *s)
{
	if (!s)
		return;
	if (s->running) {
		pthread_mutex_lock(&s->lock);
		s->stop = true;
		pthread_cond_signal(&s->changed);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->thread, NULL);
	}
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	ZSTD_freeDCtx(s->zstd);
	for (size_t i = 0; i < NR_SLOTS; i++)
		free(s->slots[i].plain.at);
	free(s->packed.at);
	free(s);
}
