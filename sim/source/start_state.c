/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * start_state.c - the snapshot and the first event of each page tell its state
 *
 * The snapshot says which pages were in the buddy's free lists, and nothing
 * about the others. Those are told apart by what happens to them next, seen
 * from the moment at which their own chunk was read:
 *
 *	   recording     chunk read        first event after     so the page was
 *	---|---- free ------|------------------ alloc ---------  in a per-CPU list
 *	---|----------------|------------------ free ----------  resident
 *	---|---- free ------|------------------------- (none) -  in a per-CPU list
 *	---|---- alloc -----|------------------------- (none) -  pinned
 *	---|----------------|------------------------- (none) -  pinned, or in a
 *								 per-CPU list: see
 *								 start_parked.c
 *
 * alloc stands for a drain, too. A page that leaves the buddy (zone_locked,
 * extfrag) without having entered it was in it all the time, whatever its flags
 * said: see was_reported(). mm_page_free_batched repeats a free, perhaps across
 * the snapshot, so it is not looked at.
 *
 * A resident page belongs to the block that is freed first. If a part of that
 * block was something else (its page had an event of its own before), only the
 * rest is resident, as the largest aligned blocks that fit, and the case is
 * counted.
 *
 * Without a snapshot every page is taken for free, until it is freed first.
 *
 * Cost: one byte a page, two passes over the pages, one over the events.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/bits.h"
#include "sim/metrics/allocatee.h"
#include "sim/source/block_types.h"
#include "sim/source/input.h"
#include "sim/source/little_endian.h"
#include "sim/source/start_parked.h"
#include "sim/source/start_state.h"

#define KPF_BUDDY  10
#define KPF_NOPAGE 20

/*
 * Linux plugs memory in sections, of 2^15 pages on x86-64. A kernel that shows
 * no page at all in one may not say NOPAGE, but only give it no flags.
 */
#define SECTION_SHIFT 15
#define SECTION_PAGES (1ul << SECTION_SHIFT)

/* In b->start while events are looked at: the page's first event has been. */
#define DECIDED 0x80

/* There, too: the snapshot shows no flag at all. */
#define FLAGLESS 0x40

/* ---- the snapshot ---- */

static int alloc_start(struct bundle *b, struct msg *msg)
{
	unsigned long nr_pages = layout_end_pfn(&b->layout);

	b->start = calloc(nr_pages, sizeof(*b->start));	/* START_ABSENT */
	if (!b->start)
		return msg_set(msg, ENOMEM, "no memory for the state of %lu pages",
			       nr_pages);
	return 0;
}

static bool has_flag(uint64_t flags, unsigned int bit)
{
	return flags >> bit & 1;
}

/* How many of nr pages, one at least, have the flags that the first one has. */
static size_t same_flags(const uint8_t *flags, size_t nr)
{
	uint64_t first = get_le64(flags);
	size_t same = 1;

	while (same < nr && get_le64(flags + same * sizeof(first)) == first)
		same++;
	return same;
}

/* What is done with the flags that nr pages have in common. */
typedef void (*take_flags)(struct bundle *b, unsigned long pfn, size_t nr,
			   uint64_t flags);

static void take_start_flags(struct bundle *b, unsigned long pfn, size_t nr,
			     uint64_t flags)
{
	uint8_t state = START_ABSENT;

	if (!flags)
		state = START_PINNED | FLAGLESS;
	else if (!has_flag(flags, KPF_NOPAGE))
		state = has_flag(flags, KPF_BUDDY) ? START_FREE : START_PINNED;
	memset(b->start + pfn, state, nr);
	memset(b->start_class + pfn, allocatee_of_kpageflags(flags), nr);
}

static void take_end_flags(struct bundle *b, unsigned long pfn, size_t nr,
			   uint64_t flags)
{
	memset(b->end_free + pfn, has_flag(flags, KPF_BUDDY), nr);
}

static int read_flags(struct bundle *b, struct input *in, take_flags take,
		      struct msg *msg)
{
	unsigned long nr_pages = layout_end_pfn(&b->layout);
	unsigned long pfn = 0;

	for (;;) {
		size_t nr = (in->end - in->start) / sizeof(uint64_t);
		const uint8_t *flags = (const uint8_t *)in->text + in->start;
		unsigned long end = pfn + min_t(size_t, nr, nr_pages - pfn);
		int err;

		while (pfn < end) {
			size_t same = same_flags(flags, end - pfn);

			take(b, pfn, same, get_le64(flags));
			pfn += same;
			flags += same * sizeof(uint64_t);
		}
		in->start += nr * sizeof(uint64_t);
		if (in->at_end)
			break;
		err = input_fill(in, msg);
		if (err)
			return err;
	}
	if (in->start != in->end)
		return msg_set(msg, EINVAL,
			       "%s: odd length: %zu bytes at byte %" PRIu64
			       " are no page; expected 8 bytes a page",
			       in->path, in->end - in->start,
			       input_offset(in, in->start));
	if (pfn < nr_pages)
		return msg_set(msg, EINVAL,
			       "%s: ends with pfn %lu; expected %lu pages, as zoneinfo has them",
			       in->path, pfn, nr_pages);
	return 0;
}

static bool run_is(const struct bundle *b, unsigned long pfn, unsigned long nr,
		   uint8_t state)
{
	return b->start[pfn] == state &&
	       !memcmp(b->start + pfn, b->start + pfn + 1, nr - 1);
}

/*
 * Whole sections without any flag are holes, as long as zoneinfo misses that
 * many pages in the zone.
 */
static void drop_flagless_sections(struct bundle *b, const struct zone *zone)
{
	unsigned long end = zone_end_pfn(zone);
	unsigned long absent = 0;

	for (unsigned long pfn = zone->start_pfn; pfn < end; pfn++)
		absent += b->start[pfn] == START_ABSENT;
	for (unsigned long pfn = round_up_to(zone->start_pfn, SECTION_PAGES);
	     pfn + SECTION_PAGES <= end; pfn += SECTION_PAGES) {
		if (!run_is(b, pfn, SECTION_PAGES, START_PINNED | FLAGLESS) ||
		    absent + SECTION_PAGES > zone->spanned - zone->present)
			continue;
		memset(b->start + pfn, START_ABSENT, SECTION_PAGES);
		absent += SECTION_PAGES;
	}
}

/* The end of the run of absent (or of existing) pages that pfn is in. */
static unsigned long run_end(const struct bundle *b, unsigned long pfn,
			     unsigned long end)
{
	bool absent = b->start[pfn] == START_ABSENT;

	while (pfn < end && (b->start[pfn] == START_ABSENT) == absent)
		pfn++;
	return pfn;
}

static int add_holes(struct bundle *b, struct zone *zone, struct msg *msg)
{
	unsigned long end = zone_end_pfn(zone);
	unsigned long present = zone->present;
	unsigned long next;

	zone->present = zone->spanned;
	for (unsigned long pfn = zone->start_pfn; pfn < end; pfn = next) {
		int err;

		next = run_end(b, pfn, end);
		if (b->start[pfn] != START_ABSENT)
			continue;
		err = layout_add_hole(&b->layout, pfn, next, msg);
		if (err)
			return err;
	}
	/* zoneinfo also misses pages that have a descriptor, such as firmware's */
	zone->present = min_t(unsigned long, zone->present, present);
	return 0;
}

/* Pages between zones belong to nobody, whatever their flags. */
static void drop_outside_zones(struct bundle *b)
{
	unsigned long pfn = 0;

	for (unsigned int i = 0; i < b->layout.nr_zones; i++) {
		const struct zone *zone = &b->layout.zones[i];

		memset(b->start + pfn, START_ABSENT, zone->start_pfn - pfn);
		pfn = zone_end_pfn(zone);
	}
}

static int read_start(struct bundle *b, struct input *in, struct msg *msg)
{
	int err = read_flags(b, in, take_start_flags, msg);

	if (!err)
		drop_outside_zones(b);
	for (unsigned int i = 0; !err && i < b->layout.nr_zones; i++) {
		drop_flagless_sections(b, &b->layout.zones[i]);
		err = add_holes(b, &b->layout.zones[i], msg);
	}
	return err;
}

int start_read_kpageflags(struct bundle *b, struct input *in, struct msg *msg)
{
	int err = alloc_start(b, msg);

	if (err)
		return err;
	b->start_class = calloc(layout_end_pfn(&b->layout), 1);
	if (!b->start_class)
		return msg_set(msg, ENOMEM, "%s: no memory to read it", in->path);
	err = read_start(b, in, msg);
	b->has_snapshot = !err;
	return err;
}

int start_read_end(struct bundle *b, struct input *in, struct msg *msg)
{
	b->end_free = calloc(layout_end_pfn(&b->layout), sizeof(*b->end_free));
	if (!b->end_free)
		return msg_set(msg, ENOMEM, "%s: no memory to read it", in->path);
	return read_flags(b, in, take_end_flags, msg);
}

static int read_time_line(struct input *in, const char *p, const char *end,
			  size_t chunk, uint64_t *before_ns, uint64_t *after_ns,
			  struct msg *msg)
{
	uint64_t numbers[3];

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		while (*p == ' ' || *p == '\t')
			p++;
		if (!text_number(&p, end, &numbers[i]))
			return input_bad_line(in, msg,
					      "expected \"first_pfn before_ns after_ns\"");
	}
	if (numbers[0] != (uint64_t)chunk * SNAPSHOT_CHUNK_PAGES)
		return input_bad_line(in, msg, "first_pfn %" PRIu64 "; expected %" PRIu64
				      ": one line for each chunk of %d pages",
				      numbers[0], (uint64_t)chunk * SNAPSHOT_CHUNK_PAGES,
				      SNAPSHOT_CHUNK_PAGES);
	if (before_ns)
		before_ns[chunk] = numbers[1];
	after_ns[chunk] = numbers[2];
	return 0;
}

static int read_time_lines(struct bundle *b, struct input *in,
			   uint64_t *before_ns, uint64_t *after_ns,
			   struct msg *msg)
{
	for (size_t chunk = 0; chunk < b->nr_chunks; chunk++) {
		const char *p, *end;
		int err = input_next_line(in, &p, &end, msg);

		if (err < 0)
			return err;
		if (err == 0)
			return msg_set(msg, EINVAL,
				       "%s: ends after line %" PRIu64
				       "; expected %zu, one for each chunk of %d pages",
				       in->path, in->line, b->nr_chunks,
				       SNAPSHOT_CHUNK_PAGES);
		err = read_time_line(in, p, end, chunk, before_ns, after_ns, msg);
		if (err)
			return err;
	}
	return 0;
}

int start_read_times(struct bundle *b, struct input *in, uint64_t **before_ns,
		     uint64_t **after_ns, struct msg *msg)
{
	b->nr_chunks = div_round_up(layout_end_pfn(&b->layout), SNAPSHOT_CHUNK_PAGES);
	*after_ns = calloc(b->nr_chunks, sizeof(**after_ns));
	if (before_ns)
		*before_ns = calloc(b->nr_chunks, sizeof(**before_ns));
	if (!*after_ns || (before_ns && !*before_ns))
		return msg_set(msg, ENOMEM, "%s: no memory to read it", in->path);
	return read_time_lines(b, in, before_ns ? *before_ns : NULL, *after_ns, msg);
}

int start_assume_free(struct bundle *b, struct msg *msg)
{
	int err = alloc_start(b, msg);

	if (err)
		return err;
	for (unsigned int i = 0; i < b->layout.nr_zones; i++) {
		const struct zone *zone = &b->layout.zones[i];

		memset(b->start + zone->start_pfn, START_FREE, zone->spanned);
	}
	for (unsigned int i = 0; i < b->layout.nr_holes; i++) {
		const struct hole *hole = &b->layout.holes[i];

		memset(b->start + hole->start_pfn, START_ABSENT,
		       hole->end_pfn - hole->start_pfn);
	}
	return 0;
}

/* ---- lists of blocks ---- */

struct block_list {
	struct start_block *blocks;
	size_t nr;
};

static int block_list_add(struct block_list *list, unsigned long pfn,
			  unsigned int order)
{
	if (array_grow(list->blocks, list->nr))
		return -ENOMEM;
	list->blocks[list->nr++] = (struct start_block){
		.pfn = pfn,
		.order = (uint8_t)order,
		.migratetype = MIGRATE_MOVABLE,
	};
	return 0;
}

/* Add [pfn, end) as the largest naturally aligned blocks, from below. */
static int block_list_add_run(struct block_list *list, unsigned long pfn,
			      unsigned long end)
{
	while (pfn < end) {
		unsigned int order = ilog2(end - pfn);
		int err;

		if (pfn)
			order = min_t(unsigned int, order, lowest_bit(pfn));
		order = min_t(unsigned int, order, MAX_PAGE_ORDER);
		err = block_list_add(list, pfn, order);
		if (err)
			return err;
		pfn += 1UL << order;
	}
	return 0;
}

static int compare_pfn(const void *a, const void *b)
{
	const struct start_block *x = a;
	const struct start_block *y = b;

	return (x->pfn > y->pfn) - (x->pfn < y->pfn);
}

/* ---- the first event of each page ---- */

/* Whether the page still waits for an event to tell what it was. */
static bool is_open(const struct bundle *b, uint8_t state)
{
	if (!b->has_snapshot)
		return state == START_FREE;
	state &= (uint8_t)~FLAGLESS;
	return state == START_PINNED || state == START_PCP;
}

static unsigned long event_end(const struct event *ev)
{
	return (unsigned long)(ev->pfn + (UINT64_C(1) << ev->order));
}

/* A page's state changes; what the snapshot showed of it stays known. */
static void set_state(struct bundle *b, unsigned long pfn, uint8_t state)
{
	b->start[pfn] = state | (b->start[pfn] & FLAGLESS);
}

/* An event that the snapshot already knows: what the page was left as. */
static void leave_as(struct bundle *b, const struct event *ev, uint8_t state)
{
	for (unsigned long pfn = (unsigned long)ev->pfn; pfn < event_end(ev); pfn++)
		if (is_open(b, b->start[pfn]))
			set_state(b, pfn, state);
}

/*
 * The same while its chunk was being read. Whether the flags are from before
 * or from after the event, its outcome is what they should have been.
 */
static void leave_buddy(struct bundle *b, const struct event *ev, uint8_t state)
{
	for (unsigned long pfn = (unsigned long)ev->pfn; pfn < event_end(ev); pfn++)
		if (is_open(b, b->start[pfn]) || b->start[pfn] == START_FREE)
			set_state(b, pfn, state);
}

static void was_free(struct bundle *b, const struct event *ev, uint8_t state)
{
	for (unsigned long pfn = (unsigned long)ev->pfn; pfn < event_end(ev); pfn++)
		if (is_open(b, b->start[pfn]))
			set_state(b, pfn, state | DECIDED);
}

/*
 *   pages of a block of order 3      R R . . . . . R     . open, R known already
 *   resident blocks made of it           1   1   0       orders
 */
static int was_resident(struct bundle *b, struct block_list *resident,
			const struct event *ev)
{
	unsigned long end = event_end(ev);
	unsigned long nr_open = 0;
	unsigned long next;
	int err = 0;

	for (unsigned long pfn = (unsigned long)ev->pfn; !err && pfn < end; pfn = next) {
		next = pfn + 1;
		if (!is_open(b, b->start[pfn]))
			continue;
		while (next < end && is_open(b, b->start[next]))
			next++;
		for (unsigned long page = pfn; page < next; page++)
			set_state(b, page, START_RESIDENT | DECIDED);
		nr_open += next - pfn;
		err = block_list_add_run(resident, pfn, next);
	}
	if (nr_open && nr_open < 1UL << ev->order)
		b->nr_start_conflicts++;
	return err;
}

/* An event from before or while the page's chunk was read. */
static void look_at_past(struct bundle *b, const struct event *ev)
{
	bool reading = b->chunk_before_ns &&
		       ev->time_ns >= b->chunk_before_ns[ev->pfn / SNAPSHOT_CHUNK_PAGES];

	switch (ev->kind) {
	case EV_ALLOC:
		leave_as(b, ev, START_PINNED);
		break;
	case EV_ZONE_LOCKED:
	case EV_EXTFRAG:
		if (reading)
			leave_buddy(b, ev, START_PCP);
		else
			leave_as(b, ev, START_PCP);
		break;
	case EV_PCPU_DRAIN:
		leave_as(b, ev, reading ? START_FREE : START_PCP);
		break;
	case EV_FREE:
		leave_as(b, ev, reading && !order_uses_pcp(ev->order) ? START_FREE
								      : START_PCP);
		break;
	default:
		break;
	}
}

/*
 * The first event since the look at the page. What leaves the buddy was in it,
 * though the flags may not have said so.
 */
static int look_at_event(struct bundle *b, struct block_list *resident,
			 const struct event *ev)
{
	if (ev->kind == EV_ALLOC && ev->pfn == EVENT_PFN_FAILED)
		return 0;
	if (bundle_before_snapshot(b, ev)) {
		look_at_past(b, ev);
		return 0;
	}
	switch (ev->kind) {
	case EV_ALLOC:
	case EV_PCPU_DRAIN:
		was_free(b, ev, b->has_snapshot ? START_PCP : START_FREE);
		break;
	case EV_ZONE_LOCKED:
	case EV_EXTFRAG:
		was_free(b, ev, START_FREE);
		break;
	case EV_FREE:
		return was_resident(b, resident, ev);
	default:
		break;
	}
	return 0;
}

/* ---- blocks that were out for a moment ---- */

/*
 * Free page reporting takes blocks of order 9 and 10 out of the buddy, shows
 * them to the hypervisor and puts them back: no event, no flags meanwhile. A
 * pageblock without any flag was such a block if none of its pages was handed
 * out, drained or freed first, and at least one is proved to have been in the
 * buddy: it left it (START_FREE by then), or lies there in the second snapshot
 * though no event brought it.
 */
static bool was_reported(const struct bundle *b, unsigned long pfn)
{
	bool proved = false;

	for (unsigned long end = pfn + PAGEBLOCK_NR_PAGES; pfn < end; pfn++) {
		uint8_t state = b->start[pfn];

		if (!(state & FLAGLESS))
			return false;
		if (state == (START_FREE | DECIDED | FLAGLESS))
			proved = true;
		else if (state & DECIDED)
			return false;
		else if (b->end_free && b->end_free[pfn])
			proved = true;
	}
	return proved;
}

static void find_reported(struct bundle *b, const struct zone *zone)
{
	unsigned long end = zone_end_pfn(zone);

	for (unsigned long pfn = round_up_to(zone->start_pfn, PAGEBLOCK_NR_PAGES);
	     pfn + PAGEBLOCK_NR_PAGES <= end; pfn += PAGEBLOCK_NR_PAGES) {
		if (!was_reported(b, pfn))
			continue;
		memset(b->start + pfn, START_FREE | DECIDED, PAGEBLOCK_NR_PAGES);
	}
}

/* ---- mobility types ---- */

static void set_types(struct block_list *list, const uint8_t *types)
{
	for (size_t i = 0; i < list->nr; i++)
		list->blocks[i].migratetype =
			types[list->blocks[i].pfn >> PAGEBLOCK_ORDER];
}

/* ---- all of it ---- */

static int list_free_blocks(struct bundle *b, struct block_list *list)
{
	for (unsigned int i = 0; i < b->layout.nr_zones; i++) {
		const struct zone *zone = &b->layout.zones[i];
		unsigned long end = zone_end_pfn(zone);
		unsigned long next;

		for (unsigned long pfn = zone->start_pfn; pfn < end; pfn = next) {
			next = pfn + 1;
			if (b->start[pfn] != START_FREE)
				continue;
			while (next < end && b->start[next] == START_FREE)
				next++;
			if (block_list_add_run(list, pfn, next))
				return -ENOMEM;
		}
	}
	return 0;
}

static int classify(struct bundle *b, struct block_list *free_list,
		    struct block_list *resident)
{
	unsigned long nr_pages = layout_end_pfn(&b->layout);
	int err;

	for (size_t i = 0; i < b->trace.nr_events; i++) {
		err = look_at_event(b, resident, &b->trace.events[i]);
		if (err)
			return err;
	}
	for (unsigned int i = 0; b->has_snapshot && i < b->layout.nr_zones; i++)
		find_reported(b, &b->layout.zones[i]);
	for (unsigned long pfn = 0; pfn < nr_pages; pfn++) {
		if (b->has_snapshot && (b->start[pfn] & ~FLAGLESS) == (START_FREE | DECIDED))
			b->nr_start_proved++;
		b->start[pfn] &= (uint8_t)~DECIDED;
		if (b->start[pfn] != (START_PINNED | FLAGLESS))
			b->start[pfn] &= (uint8_t)~FLAGLESS;
	}
	err = start_parked_find(b, START_PINNED | FLAGLESS);
	if (err)
		return err;
	for (unsigned long pfn = 0; pfn < nr_pages; pfn++)
		b->start[pfn] &= (uint8_t)~FLAGLESS;
	if (resident->nr)
		qsort(resident->blocks, resident->nr, sizeof(*resident->blocks),
		      compare_pfn);

	err = list_free_blocks(b, free_list);
	if (err)
		return err;
	err = block_types_find(b);
	if (err)
		return err;
	set_types(free_list, b->block_types);
	set_types(resident, b->block_types);
	return 0;
}

int start_classify(struct bundle *b, struct msg *msg)
{
	struct block_list free_list = { 0 };
	struct block_list resident = { 0 };
	int err = classify(b, &free_list, &resident);

	b->free_blocks = free_list.blocks;
	b->nr_free_blocks = free_list.nr;
	b->resident_blocks = resident.blocks;
	b->nr_resident_blocks = resident.nr;
	if (err)
		return msg_set(msg, -err, "no memory for the start state");
	return 0;
}
