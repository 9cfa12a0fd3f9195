/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * census.c - one pass over the demand, and the owners follow
 *
 * What a block is for depends on the request, not on the allocator that serves
 * it, so the count is made beside the replays and costs them nothing. A word
 * for each id remembers who owns the block that has it now.
 *
 * Pages that were in use before the recording count from the start, as far as
 * the snapshot's flags tell what they were.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "sim/demand.h"
#include "sim/metrics/census.h"
#include "sim/replay.h"

void census_init(struct census *c, const struct allocatee_table *table)
{
	*c = (struct census){ .table = table };
}

static void raise_to(uint64_t *peak, uint64_t value)
{
	if (value > *peak)
		*peak = value;
}

static bool is_folio(enum allocatee class)
{
	return class == ALLOCATEE_file || class == ALLOCATEE_anon;
}

static uint64_t huge_units(enum allocatee class, unsigned int order)
{
	return is_folio(class) && order >= PAGEBLOCK_ORDER ?
		UINT64_C(1) << (order - PAGEBLOCK_ORDER) : 0;
}

/* The class's count of blocks has changed: so may its slab pages. */
static void recount(struct census *c, enum allocatee class)
{
	struct census_class *k = &c->classes[class];

	c->bytes -= k->bytes;
	k->bytes = allocatee_bytes(c->table, class, k->blocks);
	c->bytes += k->bytes;
	raise_to(&k->peak_blocks, k->blocks);
	raise_to(&k->peak_pages, k->pages);
	raise_to(&k->peak_bytes, k->bytes);
	raise_to(&c->peak_bytes, c->bytes);
	raise_to(&c->peak_huge_units, c->huge_units);
}

void census_add(struct census *c, enum allocatee class, unsigned int order)
{
	c->classes[class].blocks++;
	c->classes[class].pages += 1UL << order;
	c->huge_units += huge_units(class, order);
	recount(c, class);
}

void census_remove(struct census *c, enum allocatee class, unsigned int order)
{
	assert(c->classes[class].blocks);
	c->classes[class].blocks--;
	c->classes[class].pages -= 1UL << order;
	c->huge_units -= huge_units(class, order);
	recount(c, class);
}

/* `order` is that of the halves. */
void census_split(struct census *c, enum allocatee class, unsigned int order)
{
	c->classes[class].blocks++;
	c->huge_units -= huge_units(class, order + 1);
	c->huge_units += 2 * huge_units(class, order);
	recount(c, class);
}

/* ---- a recorded demand ---- */

#define NOBODY 0xff

struct owner {
	uint16_t process;
	uint8_t class;			/* NOBODY: the allocator had failed */
};

struct counter {
	struct census *census;
	struct census_series *series;
	const struct bundle *bundle;
	struct owner *owners;		/* by id */
};

static void process_add(struct counter *n, struct owner owner, unsigned long pages)
{
	struct census_process *p = &n->series->processes[owner.process];

	p->pages += pages;
	p->object_bytes += n->census->table->bytes[owner.class];
	raise_to(&p->peak_pages, p->pages);
	raise_to(&p->peak_object_bytes, p->object_bytes);
}

static void process_remove(struct counter *n, struct owner owner, unsigned long pages)
{
	struct census_process *p = &n->series->processes[owner.process];

	p->pages -= pages;
	p->object_bytes -= n->census->table->bytes[owner.class];
}

static struct owner owner_of_event(const struct counter *n,
				   const struct demand_op *op)
{
	const struct trace *trace = &n->bundle->trace;
	const struct event *ev = &trace->events[op->event];
	const char *comm;

	if (ev->kind != EV_ALLOC)	/* a demand that was inferred */
		return (struct owner){ 0, ALLOCATEE_bare };
	comm = ev->comm < trace->nr_comms ? trace->comms[ev->comm] : "";
	return (struct owner){
		.process = ev->comm < trace->nr_comms ? ev->comm : 0,
		.class = (uint8_t)allocatee_classify(n->census->table, ev->gfp,
						     ev->order, ev->migratetype,
						     comm),
	};
}

static void count_alloc(struct counter *n, const struct demand_op *op)
{
	struct owner owner = owner_of_event(n, op);
	struct census_process *p = &n->series->processes[owner.process];

	n->owners[op->id] = owner;
	n->census->classes[owner.class].allocs++;
	p->allocs++;
	p->pages_allocated += 1UL << op->order;
	census_add(n->census, owner.class, op->order);
	process_add(n, owner, 1UL << op->order);
}

static void count_op(struct counter *n, const struct demand_op *op)
{
	struct owner owner = n->owners[op->id];

	switch ((enum demand_kind)op->kind) {
	case DEMAND_ALLOC:
		count_alloc(n, op);
		break;
	case DEMAND_FREE:
		if (owner.class == NOBODY)
			break;
		census_remove(n->census, owner.class, op->order);
		process_remove(n, owner, 1UL << op->order);
		break;
	case DEMAND_SPLIT:
		n->owners[op->upper] = owner;
		if (owner.class == NOBODY)
			break;
		census_split(n->census, owner.class, op->order);
		process_add(n, owner, 0);	/* an object more, of pages it has */
		break;
	}
}

static void count_pinned(struct counter *n)
{
	const struct bundle *b = n->bundle;
	unsigned long end = b->start_class ? layout_end_pfn(&b->layout) : 0;
	enum allocatee head = ALLOCATEE_bare;
	unsigned long nr_pages = 0;	/* of its block, so far */

	for (unsigned long pfn = 0; pfn < end; pfn++) {
		if (b->start[pfn] != START_PINNED)
			continue;
		if (b->start_class[pfn] == ALLOCATEE_tail) {
			n->census->classes[head].pages++;
			nr_pages++;
		} else {
			head = b->start_class[pfn];
			census_add(n->census, head, 0);
			nr_pages = 1;
		}
		if (is_folio(head) && nr_pages % PAGEBLOCK_NR_PAGES == 0)
			n->census->huge_units++;
	}
	for (unsigned int class = 0; class < NR_ALLOCATEES; class++)
		recount(n->census, class);
}

static void count_residents(struct counter *n, const struct demand *demand)
{
	for (size_t i = 0; i < demand->nr_residents; i++) {
		const struct demand_resident *r = &demand->residents[i];
		struct owner owner = { 0, ALLOCATEE_bare };

		if (n->bundle->start_class &&
		    n->bundle->start_class[r->pfn] != ALLOCATEE_tail)
			owner.class = n->bundle->start_class[r->pfn];
		n->owners[r->id] = owner;
		census_add(n->census, owner.class, r->order);
		process_add(n, owner, 1UL << r->order);
	}
}

static void note_sample(struct counter *n)
{
	struct census_series *s = n->series;

	s->bytes[s->nr] = n->census->bytes;
	s->huge_units[s->nr++] = n->census->huge_units;
}

static void count_all(struct counter *n, const struct demand *demand,
		      const struct sample_plan *samples, const uint32_t *failed,
		      size_t nr_failed)
{
	size_t op = 0, f = 0;

	count_pinned(n);
	count_residents(n, demand);
	for (unsigned int c = 0; c < NR_ALLOCATEES; c++)
		n->census->classes[c].start_blocks = n->census->classes[c].blocks;
	note_sample(n);			/* the first is before everything */
	for (size_t i = 1; i < samples->nr; i++) {
		for (; op < demand->nr_ops &&
		       demand->ops[op].time_ns <= samples->times_ns[i]; op++) {
			if (f < nr_failed && failed[f] == op) {
				n->owners[demand->ops[op].id].class = NOBODY;
				f++;
			} else {
				count_op(n, &demand->ops[op]);
			}
		}
		note_sample(n);
	}
}

int census_take(struct census_series *series, const struct demand *demand,
		const struct bundle *bundle, const struct allocatee_table *table,
		const struct sample_plan *samples, const uint32_t *failed,
		size_t nr_failed)
{
	struct counter n = {
		.census = &series->end, .series = series, .bundle = bundle,
	};

	*series = (struct census_series){
		.nr_processes = max_t(unsigned int, bundle->trace.nr_comms, 1),
	};
	census_init(&series->end, table);
	series->bytes = calloc(samples->nr, sizeof(*series->bytes));
	series->huge_units = calloc(samples->nr, sizeof(*series->huge_units));
	series->processes = calloc(series->nr_processes,
				   sizeof(*series->processes));
	n.owners = calloc(demand->nr_ids + 1UL, sizeof(*n.owners));
	if (!series->bytes || !series->huge_units || !series->processes ||
	    !n.owners) {
		free(n.owners);
		return -ENOMEM;
	}
	count_all(&n, demand, samples, failed, nr_failed);
	free(n.owners);
	return 0;
}

void census_series_free(struct census_series *series)
{
	free(series->bytes);
	free(series->huge_units);
	free(series->processes);
	*series = (struct census_series){ .nr = 0 };
}
