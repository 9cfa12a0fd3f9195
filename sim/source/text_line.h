/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text_line.h - what lines of every text format have in common
 *
 *	  sh-23  [001] d..1.  974.070564: mm_page_free: page=0x5d9ecc pfn=0x5d9ecc order=0
 *	  |      |     |      |           |             |
 *	  |      |     |      |           |             values: text_values()
 *	  |      |     |      |           text_kind()
 *	  |      |     |      text_time()
 *	  |      cpu   flags, in some formats
 *	  process: anything, blanks and colons too
 *
 * Which columns there are, and in which shape, is the format's; the values
 * behind the event's name are the kernel's and alike everywhere. A reader is
 * made of these parts, inlined, so that a line costs about one load for each
 * of its bytes.
 *
 * The input's pad may be read behind a line's end, but never has a meaning.
 */
#ifndef PAGETAX_SIM_TEXT_LINE_H
#define PAGETAX_SIM_TEXT_LINE_H

#include <errno.h>
#include <string.h>

#include "sim/source/gfp.h"
#include "sim/source/reader.h"

/* Values an event must have; bits of text_line.have. */
enum {
	HAVE_PFN          = 1 << 0,
	HAVE_ORDER        = 1 << 1,
	HAVE_MIGRATETYPE  = 1 << 2,
	HAVE_GFP          = 1 << 3,
	HAVE_FALLBACK     = 1 << 4,
	HAVE_FALLBACK_MT  = 1 << 5,
};

static const char *const value_keys[] = {
	"pfn", "order", "migratetype", "gfp_flags", "fallback_order",
	"fallback_migratetype",
};

static const unsigned int needs[NR_EVENT_KINDS] = {
	[EV_ALLOC]        = HAVE_PFN | HAVE_ORDER | HAVE_MIGRATETYPE | HAVE_GFP,
	[EV_FREE]         = HAVE_PFN | HAVE_ORDER,
	[EV_FREE_BATCHED] = HAVE_PFN,
	[EV_ZONE_LOCKED]  = HAVE_PFN | HAVE_ORDER | HAVE_MIGRATETYPE,
	[EV_PCPU_DRAIN]   = HAVE_PFN | HAVE_ORDER | HAVE_MIGRATETYPE,
	[EV_EXTFRAG]      = HAVE_PFN | HAVE_ORDER | HAVE_MIGRATETYPE |
			    HAVE_FALLBACK | HAVE_FALLBACK_MT,
};

#define MIGRATETYPE_LIMIT 6	/* with CMA and isolation, the most a kernel has */

/* One line on its way to becoming an event. */
struct text_line {
	const struct input *in;
	struct msg *msg;
	const char *begin;
	const char *end;		/* *end is '\n' */
	unsigned int have;
	bool null_page;			/* page=(nil), 0, all ones, or not there */
	struct event ev;
};

struct text_reader {
	struct trace_builder *b;
	struct gfp_cache gfp;
};

/* ---- the values, to the right of the event's name ---- */

static inline int text_bad_value(const struct text_line *l, const char *token,
		     const char *expected)
{
	char text[64];
	size_t len = 0;

	while (token + len < l->end && token[len] > ' ')
		len++;
	return input_bad_line(l->in, l->msg, "\"%s\"; expected %s",
			      text_quote(text, sizeof(text), token, len), expected);
}

/* The number of the token that starts with a key of key_len bytes. */
static __always_inline int value_number(const struct text_line *l,
					const char **p, size_t key_len,
					uint64_t *value)
{
	const char *token = *p;

	*p += key_len;
	if (likely(text_number(p, l->end, value)))
		return 0;
	return text_bad_value(l, token, "a number, decimal or 0x hexadecimal");
}

/* The same for what must be small; `what` says what would do. */
static __always_inline int value_small(struct text_line *l, const char **p,
				       size_t key_len, uint64_t limit,
				       const char *what, unsigned int have,
				       uint8_t *field)
{
	const char *token = *p;
	uint64_t n = 0;
	int err = value_number(l, p, key_len, &n);

	if (unlikely(err))
		return err;
	if (unlikely(n >= limit))
		return text_bad_value(l, token, what);
	*field = (uint8_t)n;
	l->have |= have;
	return 0;
}

#define TEXT_LITTLE_ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

#define TEXT_OF_(x) #x
#define TEXT_OF(x)  TEXT_OF_(x)

#define ORDER_WHAT       "an order from 0 to " TEXT_OF(MAX_PAGE_ORDER) ", the largest block"
#define MIGRATETYPE_WHAT "a migratetype from 0 to 5"
#define FLAG_WHAT        "0 or 1"

static inline int value_flag(struct text_line *l, const char **p, size_t key_len,
		      enum event_flags flag)
{
	uint8_t set = 0;
	int err = value_small(l, p, key_len, 2, FLAG_WHAT, 0, &set);

	if (set)
		l->ev.flags |= (uint8_t)flag;
	return err;
}

/*
 * Eight bytes at a time. Of each byte the top bit is set if it is no blank:
 * above 0x20, which in seven bits an addition of 0x5f shows, or above 0x7f.
 */
#define EACH_BYTE(c) ((uint64_t)(c) * UINT64_C(0x0101010101010101))

static __always_inline uint64_t text_load(const char *p)
{
	uint64_t bytes;

	memcpy(&bytes, p, sizeof(bytes));
	return bytes;
}

static __always_inline uint64_t blanks_in(uint64_t bytes)
{
	uint64_t above = (bytes & EACH_BYTE(0x7f)) + EACH_BYTE(0x7f - ' ');

	return ~(above | bytes) & EACH_BYTE(0x80);
}

/* The first byte at or behind p that is a blank; a line's end is one. */
static __always_inline const char *token_end(const char *p)
{
	if (!TEXT_LITTLE_ENDIAN) {
		while ((unsigned char)*p > ' ')
			p++;
		return p;
	}
	for (;; p += sizeof(uint64_t)) {
		uint64_t blanks = blanks_in(text_load(p));

		if (blanks)
			return p + __builtin_ctzll(blanks) / 8;
	}
}

/*
 * A page whose first digit is neither 0 nor f is neither none nor all ones,
 * whatever else it is, so most need not be read.
 */
static __always_inline bool is_plain_page(const char *p)
{
	return p[0] == '0' && p[1] == 'x' && p[2] > '0' && p[2] != 'f' && p[2] != 'F';
}

static inline const char *value_page(struct text_line *l, const char *p)
{
	const char *end;
	uint64_t page;

	p += strlen("page=");
	end = token_end(p);
	if (likely(is_plain_page(p)))
		l->null_page = false;
	else if (*p == '(')		/* (nil) or (null) */
		l->null_page = true;
	else if (text_number(&p, l->end, &page))
		l->null_page = page == 0 || page == UINT64_MAX;
	else
		l->null_page = false;	/* hexadecimal without 0x: an address */
	return end;
}

static inline const char *value_gfp(struct text_reader *t, struct text_line *l,
			     const char *p)
{
	const char *end;

	p += strlen("gfp_flags=");
	end = token_end(p);
	l->ev.gfp = gfp_parse_cached(&t->gfp, p, (size_t)(end - p));
	l->have |= HAVE_GFP;
	return end;
}

#define IS_KEY(p, key) (!memcmp(p, key, sizeof(key) - 1))	/* the pad may be read */
#define KEY_LEN(key) (sizeof(key) - 1)

/* Read one key=value at *p; unknown ones are passed over. */
static __always_inline int text_value(struct text_reader *t, struct text_line *l,
				      const char **p)
{
	struct event *ev = &l->ev;

	if (IS_KEY(*p, "pfn=")) {
		l->have |= HAVE_PFN;
		return value_number(l, p, KEY_LEN("pfn="), &ev->pfn);
	}
	if (IS_KEY(*p, "order="))
		return value_small(l, p, KEY_LEN("order="), NR_PAGE_ORDERS,
				   ORDER_WHAT, HAVE_ORDER, &ev->order);
	if (IS_KEY(*p, "page=")) {
		*p = value_page(l, *p);
		return 0;
	}
	if (IS_KEY(*p, "migratetype="))
		return value_small(l, p, KEY_LEN("migratetype="), MIGRATETYPE_LIMIT,
				   MIGRATETYPE_WHAT, HAVE_MIGRATETYPE,
				   &ev->migratetype);
	if (IS_KEY(*p, "gfp_flags=")) {
		*p = value_gfp(t, l, *p);
		return 0;
	}
	if (IS_KEY(*p, "percpu_refill="))
		return value_flag(l, p, KEY_LEN("percpu_refill="), EVENT_REFILL);
	if (IS_KEY(*p, "alloc_order="))
		return value_small(l, p, KEY_LEN("alloc_order="), NR_PAGE_ORDERS,
				   ORDER_WHAT, HAVE_ORDER, &ev->order);
	if (IS_KEY(*p, "alloc_migratetype="))
		return value_small(l, p, KEY_LEN("alloc_migratetype="),
				   MIGRATETYPE_LIMIT, MIGRATETYPE_WHAT,
				   HAVE_MIGRATETYPE, &ev->migratetype);
	if (IS_KEY(*p, "fallback_order="))
		return value_small(l, p, KEY_LEN("fallback_order="), NR_PAGE_ORDERS,
				   ORDER_WHAT, HAVE_FALLBACK, &ev->fallback_order);
	if (IS_KEY(*p, "fallback_migratetype="))
		return value_small(l, p, KEY_LEN("fallback_migratetype="),
				   MIGRATETYPE_LIMIT, MIGRATETYPE_WHAT,
				   HAVE_FALLBACK_MT, &ev->fallback_migratetype);
	if (IS_KEY(*p, "change_ownership="))
		return value_flag(l, p, KEY_LEN("change_ownership="),
				  EVENT_CHANGE_OWNERSHIP);
	*p = token_end(*p);
	return 0;
}

static inline int missing_value(const struct text_line *l, unsigned int missing)
{
	const char *key = value_keys[__builtin_ctz(missing)];
	bool extfrag = l->ev.kind == EV_EXTFRAG;

	return input_bad_line(l->in, l->msg, "a %s without %s%s=; expected one",
			      event_kind_names[l->ev.kind],
			      extfrag && (missing & (HAVE_ORDER | HAVE_MIGRATETYPE)) &&
			      !(missing & HAVE_PFN) ? "alloc_" : "", key);
}

static __always_inline int text_values(struct text_reader *t, struct text_line *l,
				       const char *p)
{
	unsigned int missing;

	for (;;) {
		int err;

		while ((unsigned char)*p <= ' ' && p < l->end)
			p++;
		if (p >= l->end)
			break;
		err = text_value(t, l, &p);
		if (unlikely(err))
			return err;
	}
	missing = needs[l->ev.kind] & ~l->have;
	if (unlikely(missing))
		return missing_value(l, missing);
	return 0;
}

/* ---- the columns, to the left of the event's name ---- */

/*
 * Eight decimal digits in one word, the first in its lowest byte: neighbours
 * are joined to pairs, pairs to fours, fours to eight. False if one is none.
 */
static __always_inline bool text_eight_digits(const char *p, uint64_t *value)
{
	uint64_t n = text_load(p) ^ EACH_BYTE('0');

	if (!TEXT_LITTLE_ENDIAN || ((n + EACH_BYTE(0x76)) | n) & EACH_BYTE(0x80))
		return false;
	n = (n * 10 + (n >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
	n = (n * 100 + (n >> 16)) & UINT64_C(0x0000ffff0000ffff);
	*value = (n * 10000 + (n >> 32)) & UINT32_MAX;
	return true;
}

/* "seconds.decimals" in [p, end), since boot or since 1970: 64 bits hold up to 2262. */
static __always_inline bool text_time(const char *p, const char *end,
				      uint64_t *time_ns)
{
	static const uint32_t scale[] = {
		0, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1,
	};
	uint64_t seconds = 0;
	uint64_t decimals = 0;
	const char *point;

	for (point = p; text_digit[(uint8_t)*point] < 10; point++)
		seconds = seconds * 10 + text_digit[(uint8_t)*point];
	if (point == p || point - p > 10 || *point != '.' ||
	    seconds >= INT64_MAX / 1000000000)
		return false;
	p = point + 1;
	if (end - p >= 8 && text_eight_digits(p, &decimals))
		p += 8;
	for (; text_digit[(uint8_t)*p] < 10; p++)
		decimals = decimals * 10 + text_digit[(uint8_t)*p];
	if (p != end || p == point + 1 || p - point > 10)
		return false;
	*time_ns = seconds * 1000000000 + decimals * scale[p - point - 1];
	return true;
}

/* "[cpu]" that ends at `end`; returns where it begins, or NULL. */
static __always_inline const char *text_cpu(const char *begin, const char *end,
					    uint16_t *cpu)
{
	const char *p = end - 1;
	unsigned int n = 0;
	unsigned int digit = 1;

	if (p < begin || *p != ']')
		return NULL;
	while (--p >= begin && text_digit[(uint8_t)*p] < 10 && digit < 1000000) {
		n += text_digit[(uint8_t)*p] * digit;
		digit *= 10;
	}
	if (p < begin || *p != '[' || p + 2 == end || n >= MAX_NR_CPUS)
		return NULL;
	*cpu = (uint16_t)n;
	return p;
}

static __always_inline const char *skip_blanks_back(const char *begin,
						    const char *p)
{
	while (TEXT_LITTLE_ENDIAN && p - begin >= 8) {
		uint64_t differs = text_load(p - 8) ^ EACH_BYTE(' ');

		if (differs)
			return p - __builtin_clzll(differs) / 8;
		p -= 8;
	}
	while (p > begin && p[-1] == ' ')
		p--;
	return p;
}

static __always_inline const char *skip_token_back(const char *begin,
						   const char *p)
{
	while (TEXT_LITTLE_ENDIAN && p - begin >= 8) {
		uint64_t blanks = blanks_in(text_load(p - 8));

		if (blanks)
			return p - __builtin_clzll(blanks) / 8;
		p -= 8;
	}
	while (p > begin && (unsigned char)p[-1] > ' ')
		p--;
	return p;
}

/* Thread and process numbers, "12", "12/12" or "-1", stand before the cpu. */
static inline bool is_thread(const char *p, const char *end)
{
	if (p == end)
		return false;
	for (; p < end; p++)
		if (text_digit[(uint8_t)*p] >= 10 && *p != '/' && *p != '-')
			return false;
	return true;
}

/* A token of the line. */
struct span {
	const char *begin;
	const char *end;
};

/* The token before the event's name, if it ends in a colon as the time does. */
static __always_inline bool find_time(const char *begin, const char *event,
				      struct span *time)
{
	const char *p = skip_blanks_back(begin, event);

	if (p == event || p <= begin || p[-1] != ':')
		return false;
	time->end = p - 1;
	time->begin = skip_token_back(begin, time->end);
	return time->begin < time->end;
}

/* The kind of the event named at *p; moves *p behind its colon. */
static __always_inline bool text_kind(const char **p, uint8_t *kind)
{
	static const struct {
		const char *name;
		uint8_t len;
		uint8_t kind;
	} kinds[] = {
#define KIND_NAME(name, kernel, what) { kernel ":", sizeof(kernel), EV_##name },
		EVENT_KINDS(KIND_NAME)
#undef KIND_NAME
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!memcmp(*p, kinds[i].name, kinds[i].len)) {
			*kind = kinds[i].kind;
			*p += kinds[i].len;
			return true;
		}
	}
	return false;
}

/* Text has pfn 0 for what the kernel recorded as "no page". */
static inline bool alloc_failed(const struct text_line *l)
{
	return l->ev.kind == EV_ALLOC &&
	       (l->ev.pfn == UINT64_MAX || (l->ev.pfn == 0 && l->null_page));
}

static inline int text_add(struct text_reader *t, struct text_line *l)
{
	struct msg why;
	int err;

	if (unlikely(alloc_failed(l)))
		l->ev.pfn = EVENT_PFN_FAILED;
	err = builder_add(t->b, &l->ev, &why);
	if (likely(!err))
		return 0;
	input_bad_line(l->in, l->msg, "%s", why.text);
	return err;
}

/* The process, in the columns [l->begin, end): all of it but the blanks around. */
static __always_inline int text_process(struct text_reader *t, struct text_line *l,
					const char *end)
{
	const char *comm = l->begin;
	const char *comm_end = skip_blanks_back(l->begin, end);
	int err;

	while (comm_end - comm >= 8 && text_load(comm) == EACH_BYTE(' '))
		comm += 8;
	while (comm < comm_end && *comm == ' ')
		comm++;
	err = builder_comm(t->b, comm, (size_t)(comm_end - comm), &l->ev.comm);
	return err ? msg_set(l->msg, -err, "%s: no memory for process names",
			     l->in->path) : 0;
}

/*
 * What was lost before the first event has none before it whose time it could take. It
 * takes that of the first, or the trace would begin when the machine was switched on.
 */
static inline void text_date_first_losses(struct trace *trace)
{
	struct event *events = trace->events;
	size_t nr = 0;

	while (nr < trace->nr_events && events[nr].kind == EV_LOST && !events[nr].time_ns)
		nr++;
	for (size_t i = 0; i < nr && nr < trace->nr_events; i++)
		events[i].time_ns = events[nr].time_ns;
}

/* Every line, until the input ends or the builder is full. */
static __always_inline int text_read_lines(struct trace_builder *b, struct input *in,
					   int (*read_line)(struct text_reader *t,
							    struct text_line *l),
					   struct msg *msg)
{
	struct text_reader t = { .b = b };
	int err = 0;

	while (!err && !builder_full(b)) {
		struct text_line l = { .in = in, .msg = msg, .null_page = true };
		int more = input_next_line(in, &l.begin, &l.end, msg);

		if (more <= 0) {
			err = more;
			break;
		}
		err = read_line(&t, &l);
	}
	text_date_first_losses(b->trace);
	return err;
}

#endif
