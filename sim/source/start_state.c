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
 *	---|----------------|------------------------- (none) -  pinned
 *
 * alloc stands for every event of a page that was free: zone_locked and drain
 * too. mm_page_free_batched repeats a free, perhaps across the snapshot, so it
 * is not looked at.
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

#include "base/bits.h"
#include "sim/metrics/allocatee.h"
#include "sim/source/input.h"
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

/* Reads the flags of pages pfn and up; counts flagless pages by section. */
static void take_flags(struct bundle *b, unsigned long pfn, const char *text,
		       size_t nr, uint32_t *flagless)
{
	for (size_t i = 0; i < nr; i++, pfn++) {
		const uint8_t *le = (const uint8_t *)text + i * sizeof(uint64_t);
		bool buddy = le[KPF_BUDDY / 8] >> KPF_BUDDY % 8 & 1;
		bool nopage = le[KPF_NOPAGE / 8] >> KPF_NOPAGE % 8 & 1;
		uint64_t flags;

		flags = 0;
		for (unsigned int byte = sizeof(flags); byte-- > 0;)
			flags = flags << 8 | le[byte];
		b->start_class[pfn] = (uint8_t)allocatee_of_kpageflags(flags);
		if (!flags)
			flagless[pfn >> SECTION_SHIFT]++;
		if (!nopage)
			b->start[pfn] = buddy ? START_FREE : START_PINNED;
	}
}

static int read_flags(struct bundle *b, struct input *in, uint32_t *flagless,
		      struct msg *msg)
{
	unsigned long nr_pages = layout_end_pfn(&b->layout);
	unsigned long pfn = 0;

	for (;;) {
		size_t nr = (in->end - in->start) / sizeof(uint64_t);
		size_t wanted = min_t(size_t, nr, nr_pages - pfn);
		int err;

		take_flags(b, pfn, in->text + in->start, wanted, flagless);
		pfn += wanted;
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

/*
 * Whole sections without any flag are holes, as long as zoneinfo misses that
 * many pages in the zone.
 */
static void drop_flagless_sections(struct bundle *b, const struct zone *zone,
				   const uint32_t *flagless)
{
	unsigned long end = zone_end_pfn(zone);
	unsigned long absent = 0;

	for (unsigned long pfn = zone->start_pfn; pfn < end; pfn++)
		absent += b->start[pfn] == START_ABSENT;
	for (unsigned long pfn = round_up_to(zone->start_pfn, SECTION_PAGES);
	     pfn + SECTION_PAGES <= end; pfn += SECTION_PAGES) {
		if (flagless[pfn >> SECTION_SHIFT] < SECTION_PAGES ||
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
	size_t nr_sections = (layout_end_pfn(&b->layout) >> SECTION_SHIFT) + 1;
	uint32_t *flagless = calloc(nr_sections, sizeof(*flagless));
	int err;

	if (!flagless)
		return msg_set(msg, ENOMEM, "%s: no memory to read it", in->path);
	err = read_flags(b, in, flagless, msg);
	if (!err)
		drop_outside_zones(b);
	for (unsigned int i = 0; !err && i < b->layout.nr_zones; i++) {
		drop_flagless_sections(b, &b->layout.zones[i], flagless);
		err = add_holes(b, &b->layout.zones[i], msg);
	}
	free(flagless);
	return err;
}

int start_read_kpageflags(struct bundle *b, const char *path, struct msg *msg)
{
	struct input in;
	int err = alloc_start(b, msg);

	if (err)
		return err;
	b->start_class = calloc(layout_end_pfn(&b->layout), 1);
	if (!b->start_class)
		return msg_set(msg, ENOMEM, "%s: no memory to read it", path);
	err = input_open(&in, path, msg);
	if (err)
		return err;
	err = read_start(b, &in, msg);
	input_close(&in);
	b->has_snapshot = !err;
	return err;
}

static int read_time_line(struct bundle *b, struct input *in, const char *p,
			  const char *end, size_t chunk, struct msg *msg)
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
	b->chunk_ns[chunk] = numbers[2];
	return 0;
}

static int read_time_lines(struct bundle *b, struct input *in, struct msg *msg)
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
		err = read_time_line(b, in, p, end, chunk, msg);
		if (err)
			return err;
	}
	return 0;
}

int start_read_times(struct bundle *b, const char *path, struct msg *msg)
{
	struct input in;
	int err;

	b->nr_chunks = div_round_up(layout_end_pfn(&b->layout), SNAPSHOT_CHUNK_PAGES);
	b->chunk_ns = calloc(b->nr_chunks, sizeof(*b->chunk_ns));
	if (!b->chunk_ns)
		return msg_set(msg, ENOMEM, "%s: no memory to read it", path);
	err = input_open(&in, path, msg);
	if (err)
		return err;
	err = read_time_lines(b, &in, msg);
	input_close(&in);
	return err;
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
	size_t room;
};

static int block_list_add(struct block_list *list, unsigned long pfn,
			  unsigned int order)
{
	if (list->nr == list->room) {
		size_t room = list->room ? 2 * list->room : 1024;
		struct start_block *blocks = realloc(list->blocks,
						     room * sizeof(*blocks));

		if (!blocks)
			return -ENOMEM;
		list->blocks = blocks;
		list->room = room;
	}
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
	return state == START_PINNED || state == START_PCP;
}

static unsigned long event_end(const struct event *ev)
{
	return (unsigned long)(ev->pfn + (UINT64_C(1) << ev->order));
}

/* An event that the snapshot already knows: what the page was left as. */
static void leave_as(struct bundle *b, const struct event *ev, uint8_t state)
{
	for (unsigned long pfn = (unsigned long)ev->pfn; pfn < event_end(ev); pfn++)
		if (is_open(b, b->start[pfn]))
			b->start[pfn] = state;
}

static void was_free(struct bundle *b, const struct event *ev)
{
	uint8_t state = b->has_snapshot ? START_PCP : START_FREE;

	for (unsigned long pfn = (unsigned long)ev->pfn; pfn < event_end(ev); pfn++)
		if (is_open(b, b->start[pfn]))
			b->start[pfn] = state | DECIDED;
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
		memset(b->start + pfn, START_RESIDENT | DECIDED, next - pfn);
		nr_open += next - pfn;
		err = block_list_add_run(resident, pfn, next);
	}
	if (nr_open && nr_open < 1UL << ev->order)
		b->nr_start_conflicts++;
	return err;
}

static int look_at_event(struct bundle *b, struct block_list *resident,
			 const struct event *ev)
{
	bool before = bundle_before_snapshot(b, ev);

	switch (ev->kind) {
	case EV_ALLOC:
		if (ev->pfn == EVENT_PFN_FAILED)
			break;
		if (before)
			leave_as(b, ev, START_PINNED);
		else
			was_free(b, ev);
		break;
	case EV_ZONE_LOCKED:
	case EV_PCPU_DRAIN:
		if (before)
			leave_as(b, ev, START_PCP);
		else
			was_free(b, ev);
		break;
	case EV_FREE:
		if (!before)
			return was_resident(b, resident, ev);
		leave_as(b, ev, START_PCP);
		break;
	default:
		break;
	}
	return 0;
}

/* ---- mobility types, as far as events reveal them ---- */

#define TYPE_UNKNOWN 0xff

/*
 * The type that a pageblock had at the start: what its first event on the
 * buddy's side says. A block that is claimed shows the type it had before.
 */
static void reveal_types(const struct bundle *b, uint8_t *types)
{
	for (size_t i = 0; i < b->trace.nr_events; i++) {
		const struct event *ev = &b->trace.events[i];
		bool extfrag = ev->kind == EV_EXTFRAG;
		uint8_t *type;

		if (!extfrag && ev->kind != EV_ZONE_LOCKED && ev->kind != EV_PCPU_DRAIN)
			continue;
		if (bundle_before_snapshot(b, ev))
			continue;
		type = &types[ev->pfn >> PAGEBLOCK_ORDER];
		if (*type == TYPE_UNKNOWN)
			*type = extfrag ? ev->fallback_migratetype : ev->migratetype;
	}
}

static void set_types(struct block_list *list, const uint8_t *types)
{
	for (size_t i = 0; i < list->nr; i++) {
		uint8_t type = types[list->blocks[i].pfn >> PAGEBLOCK_ORDER];

		if (type < NR_MIGRATETYPES)
			list->blocks[i].migratetype = type;
	}
}

static int find_types(const struct bundle *b, struct block_list *free_list,
		      struct block_list *resident)
{
	size_t nr = (layout_end_pfn(&b->layout) >> PAGEBLOCK_ORDER) + 1;
	uint8_t *types = malloc(nr);

	if (!types)
		return -ENOMEM;
	memset(types, TYPE_UNKNOWN, nr);
	reveal_types(b, types);
	set_types(free_list, types);
	set_types(resident, types);
	free(types);
	return 0;
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
	for (unsigned long pfn = 0; pfn < nr_pages; pfn++)
		b->start[pfn] &= (uint8_t)~DECIDED;
	if (resident->nr)
		qsort(resident->blocks, resident->nr, sizeof(*resident->blocks),
		      compare_pfn);

	err = list_free_blocks(b, free_list);
	if (err)
		return err;
	return find_types(b, free_list, resident);
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
