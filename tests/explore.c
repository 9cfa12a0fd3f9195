/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explore.c - see explore.h */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "alloc/registry.h"
#include "base/bits.h"
#include "tests/explore.h"
#include "tests/model.h"

/*
 * An operation in 16 bits: below NR_PAGE_ORDERS an allocation of that order,
 * from there on a free of the block at the pfn that is left.
 */
typedef uint16_t operation;

static operation op_free(unsigned long pfn)
{
	return (operation)(NR_PAGE_ORDERS + pfn);
}

static bool op_is_free(operation op)
{
	return op >= NR_PAGE_ORDERS;
}

static unsigned long op_pfn(operation op)
{
	return op - NR_PAGE_ORDERS;
}

/* How a state was reached first. */
struct state {
	uint32_t parent;		/* index of a state that came before */
	operation op;
};

/* Fingerprints seen: open addressing, at most half full; 0 is an empty place. */
struct seen {
	uint64_t *places;
	size_t mask;
	size_t nr;
};

/* Where an operation out of a state led: both fingerprints. 0 is an empty place. */
struct future {
	uint64_t from;			/* mixed with the operation */
	uint64_t to;
};

struct futures {
	struct future *places;
	size_t mask;
	size_t nr;
};

struct explorer {
	const struct explore_case *c;
	struct explore_result *result;
	struct layout layout;
	struct machine *machine;
	struct allocator *a;		/* in the machine's arena, as all its state */
	struct model model;
	unsigned long boot[NR_PAGE_ORDERS];	/* free_area() of the first state */

	struct state *states;
	size_t nr_states;
	size_t room;
	struct seen seen;
	struct futures futures;

	size_t from;			/* the state being left */
	operation op;			/* by this operation */
};

/* A copy of everything that operations change. */
struct snapshot {
	void *machine;
	uint64_t room;
	uint8_t *pages;			/* the model's */
};

static void *need(void *p)
{
	if (!p) {
		fputs("explore: the host has no memory left\n", stderr);
		abort();
	}
	return p;
}

static void snapshot_take(struct snapshot *s, const struct explorer *e)
{
	uint64_t bytes = machine_snapshot_bytes(e->machine);

	if (bytes > s->room) {
		s->machine = need(realloc(s->machine, bytes));
		s->room = bytes;
	}
	if (!s->pages)
		s->pages = need(malloc(e->model.end_pfn));
	machine_save(e->machine, s->machine);
	memcpy(s->pages, e->model.page, e->model.end_pfn);
}

static void snapshot_put_back(const struct snapshot *s, struct explorer *e)
{
	machine_restore(e->machine, s->machine);
	memcpy(e->model.page, s->pages, e->model.end_pfn);
}

static void snapshot_free(struct snapshot *s)
{
	free(s->machine);
	free(s->pages);
}

/* The finalizer of splitmix64: every bit of the result hangs on every bit. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint64_t fingerprint(const struct explorer *e)
{
	uint64_t hash = mix(allocator_fingerprint(e->a));

	for (unsigned long pfn = e->c->start_pfn; pfn < e->model.end_pfn; pfn++)
		hash = mix(hash + e->model.page[pfn] +
			   UINT64_C(0x9e3779b97f4a7c15));
	return hash ? hash : 1;
}

static void seen_create(struct seen *seen, size_t places)
{
	seen->places = need(calloc(places, sizeof(*seen->places)));
	seen->mask = places - 1;
	seen->nr = 0;
}

static bool seen_add(struct seen *seen, uint64_t hash);

static void seen_grow(struct seen *seen)
{
	struct seen old = *seen;

	seen_create(seen, 2 * (old.mask + 1));
	for (size_t i = 0; i <= old.mask; i++)
		if (old.places[i])
			seen_add(seen, old.places[i]);
	free(old.places);
}

/* False when it was there already. */
static bool seen_add(struct seen *seen, uint64_t hash)
{
	size_t i = (size_t)hash & seen->mask;

	for (; seen->places[i]; i = (i + 1) & seen->mask)
		if (seen->places[i] == hash)
			return false;
	seen->places[i] = hash;
	if (++seen->nr > seen->mask / 2)
		seen_grow(seen);
	return true;
}

static void futures_create(struct futures *f, size_t places)
{
	f->places = need(calloc(places, sizeof(*f->places)));
	f->mask = places - 1;
	f->nr = 0;
}

static struct future *futures_find(const struct futures *f, uint64_t from)
{
	size_t i = (size_t)from & f->mask;

	while (f->places[i].from && f->places[i].from != from)
		i = (i + 1) & f->mask;
	return &f->places[i];
}

static void futures_grow(struct futures *f)
{
	struct futures old = *f;

	futures_create(f, 2 * (old.mask + 1));
	f->nr = old.nr;
	for (size_t i = 0; i <= old.mask; i++)
		if (old.places[i].from)
			*futures_find(f, old.places[i].from) = old.places[i];
	free(old.places);
}

/* False when it led elsewhere before. */
static bool futures_agree(struct futures *f, uint64_t from, uint64_t to)
{
	struct future *future = futures_find(f, from);

	if (future->from)
		return future->to == to;
	*future = (struct future){ from, to };
	if (++f->nr > f->mask / 2)
		futures_grow(f);
	return true;
}

/* Operations that lead to a state, last one first; returns how many. */
static unsigned int path_to(const struct explorer *e, size_t state,
			    operation *path, unsigned int room)
{
	unsigned int n = 0;

	for (; state && n < room; state = e->states[state].parent)
		path[n++] = e->states[state].op;
	return n;
}

#define MAX_DEPTH 512

/* "a0 a2 f8": allocations by order, frees by pfn; returns buf. */
static char *path_text(const struct explorer *e, char *buf, size_t size)
{
	operation path[MAX_DEPTH];
	unsigned int n = path_to(e, e->from, path, MAX_DEPTH);
	size_t used = 0;

	buf[0] = '\0';
	for (unsigned int i = n + 1; i-- && used < size; ) {
		operation op = i ? path[i - 1] : e->op;

		used += (size_t)snprintf(buf + used, size - used, " %c%lu",
					 op_is_free(op) ? 'f' : 'a',
					 op_is_free(op) ? op_pfn(op) : op);
	}
	return buf;
}

/*
 * An assert in the allocator, or an operation that never ends, has no message
 * of ours: say how it was reached.
 */
static const struct explorer *running;

#define STUCK_AFTER_SECONDS 20		/* of CPU time: the machine may be busy */
#define STATES_A_WATCH 4096		/* the timer is put off so often */

static void on_end(int signal_number)
{
	char path[2048];

	fprintf(stderr, "%s on %lu pages from %lu: %s the last of:%s\n",
		running->c->spec, running->c->nr_pages, running->c->start_pfn,
		signal_number == SIGPROF ? "no end to" : "aborted by",
		path_text(running, path, sizeof(path)));
	signal(SIGABRT, SIG_DFL);
	abort();
}

static void watch_for(unsigned int seconds)
{
	const struct itimerval timer = { .it_value.tv_sec = seconds };

	setitimer(ITIMER_PROF, &timer, NULL);
}

static void watch(const struct explorer *e)
{
	running = e;
	signal(SIGABRT, e ? on_end : SIG_DFL);
	signal(SIGPROF, e ? on_end : SIG_DFL);
	watch_for(e ? STUCK_AFTER_SECONDS : 0);
}

static int broken(const struct explorer *e, const char *what, struct msg *msg)
{
	char path[512], copy[400];

	snprintf(copy, sizeof(copy), "%s", what);
	return msg_set(msg, EUCLEAN, "%s on %lu pages from %lu: %s; reached by:%s",
		       e->c->spec, e->c->nr_pages, e->c->start_pfn, copy,
		       path_text(e, path, sizeof(path)));
}

/* Run one operation on the allocator and the model. */
static int run(struct explorer *e, operation op, struct msg *msg)
{
	struct alloc_req req = {
		.order = op,
		.migratetype = MIGRATE_MOVABLE,
	};
	unsigned int order;

	if (!op_is_free(op))
		return model_alloc(&e->model, e->a, &req,
				   alloc_pages(e->a, &req), msg);
	if (!model_block_at(&e->model, op_pfn(op), &order))
		return msg_set(msg, EUCLEAN, "a replay took another path");
	free_pages(e->a, op_pfn(op), order, 0);
	model_free(&e->model, op_pfn(op), order);
	return 0;
}

static bool all_is_free(const struct explorer *e)
{
	return model_nr_free(&e->model, 0) == e->c->nr_pages;
}

static void note(uint64_t *most, uint64_t value)
{
	if (value > *most)
		*most = value;
}

/* Where everything is free, nothing may show what happened before. */
static int check_boot(const struct explorer *e, struct msg *msg)
{
	unsigned long nr_free[NR_PAGE_ORDERS];
	struct page_counts n;

	if (!all_is_free(e))
		return 0;
	allocator_free_area(e->a, 0, nr_free);
	allocator_counts(e->a, 0, &n);
	note(&e->result->most_nodes_left, n.nodes);
	if (e->c->keeps_nodes || n.pcp)	/* what waits is freed where a request fails */
		return 0;
	if (n.nodes + n.stash ||
	    memcmp(nr_free, e->boot, sizeof(nr_free)) != 0)
		return msg_set(msg, EUCLEAN,
			       "all is free, but memory is not as at boot: %lu nodes, %lu stash",
			       n.nodes, n.stash);
	return 0;
}

static int check_state(const struct explorer *e, struct msg *msg)
{
	int err = model_check(&e->model, e->a, msg);

	return err ? err : check_boot(e, msg);
}

static void note_extremes(struct explorer *e)
{
	const struct alloc_stats *stats = &e->a->stats;

	note(&e->result->most_nodes, stats->nodes_peak);
	note(&e->result->most_consumed, stats->max_consumed);
	note(&e->result->most_consumed_any, stats->max_consumed_any);
	note(&e->result->most_drain_steps, stats->max_drain_steps);
}

static void add_state(struct explorer *e, size_t parent, operation op)
{
	if (e->nr_states == e->room) {
		e->room = e->room ? 2 * e->room : 1 << 16;
		e->states = need(realloc(e->states, e->room * sizeof(*e->states)));
	}
	e->states[e->nr_states++] = (struct state){ (uint32_t)parent, op };
}

/* What leave_state() does with each operation out of the state copied to `here`. */
typedef int operation_fn(struct explorer *e, const struct snapshot *here,
			 operation op, struct msg *msg);

static int leave_state(struct explorer *e, const struct snapshot *here,
		       operation_fn *fn, struct msg *msg)
{
	int err = 0;

	for (unsigned int order = 0; !err && order <= MAX_PAGE_ORDER; order++)
		err = fn(e, here, (operation)order, msg);
	for (unsigned long pfn = e->c->start_pfn; !err && pfn < e->model.end_pfn;
	     pfn++) {
		unsigned int order;

		memcpy(e->model.page, here->pages, e->model.end_pfn);
		if (model_block_at(&e->model, pfn, &order))
			err = fn(e, here, op_free(pfn), msg);
	}
	return err;
}

/* Where one operation leads now it must have led from each state alike. */
static int check_future(struct explorer *e, const struct snapshot *here,
			operation op, struct msg *msg)
{
	uint64_t from;
	int err;

	snapshot_put_back(here, e);
	from = mix(fingerprint(e) + op);
	err = run(e, op, msg);
	if (err || futures_agree(&e->futures, from ? from : 1, fingerprint(e)))
		return err;
	return msg_set(msg, EUCLEAN,
		       "states with one fingerprint part at the next %s %lu",
		       op_is_free(op) ? "free at pfn" : "allocation of order",
		       op_is_free(op) ? op_pfn(op) : op);
}

static int check_futures(struct explorer *e, struct msg *msg)
{
	struct snapshot here = { 0 };
	int err;

	snapshot_take(&here, e);
	err = leave_state(e, &here, check_future, msg);
	snapshot_free(&here);
	return err;
}

/* Take one transition. */
static int transition(struct explorer *e, const struct snapshot *here,
		      operation op, struct msg *msg)
{
	bool is_new = false;
	int err;

	e->op = op;
	snapshot_put_back(here, e);
	e->result->transitions++;
	err = run(e, op, msg);
	note_extremes(e);
	if (!err) {
		is_new = seen_add(&e->seen, fingerprint(e));
		if (is_new || e->c->check_known)
			err = check_state(e, msg);
	}
	if (is_new)
		add_state(e, e->from, op);
	if (!err && e->c->check_futures)
		err = check_futures(e, msg);
	return err ? broken(e, msg->text, msg) : 0;
}

/* Bring machine and model to a state by the path on which it was found. */
static int reach(struct explorer *e, const struct snapshot *start, size_t state,
		 struct msg *msg)
{
	operation path[MAX_DEPTH];
	unsigned int n = path_to(e, state, path, MAX_DEPTH);

	if (n == MAX_DEPTH)
		return msg_set(msg, E2BIG, "a path has more than %d operations",
			       MAX_DEPTH);
	if (n > e->result->depth)
		e->result->depth = n;
	snapshot_put_back(start, e);
	while (n--) {
		int err = run(e, path[n], msg);

		if (err)
			return err;
	}
	return 0;
}

static int search(struct explorer *e, struct msg *msg)
{
	struct snapshot start = { 0 }, here = { 0 };
	int err = 0;

	snapshot_take(&start, e);
	seen_create(&e->seen, 1 << 17);
	futures_create(&e->futures, 1 << 10);
	seen_add(&e->seen, fingerprint(e));
	add_state(e, 0, 0);
	for (e->from = 0; !err && e->from < e->nr_states; e->from++) {
		if (e->nr_states > e->c->max_states)
			break;
		if (e->from % STATES_A_WATCH == 0)
			watch_for(STUCK_AFTER_SECONDS);
		err = reach(e, &start, e->from, msg);
		if (err)
			break;
		snapshot_take(&here, e);
		err = leave_state(e, &here, transition, msg);
	}
	e->result->states = e->nr_states;
	e->result->complete = !err && e->from == e->nr_states;
	e->result->most_maps = e->machine->kmap.max_depth;
	snapshot_free(&start);
	snapshot_free(&here);
	free(e->seen.places);
	free(e->futures.places);
	free(e->states);
	return err;
}

/* The largest aligned blocks, lowest pfn first. */
static void release_all(struct explorer *e)
{
	unsigned long pfn = e->c->start_pfn, end = e->model.end_pfn;

	while (pfn < end) {
		unsigned int order = ilog2(end - pfn);

		if (pfn && lowest_bit(pfn) < order)
			order = lowest_bit(pfn);
		if (order > MAX_PAGE_ORDER)
			order = MAX_PAGE_ORDER;
		allocator_release(e->a, pfn, order);
		model_release(&e->model, pfn, order);
		pfn += 1UL << order;
	}
	allocator_free_area(e->a, 0, e->boot);
}

int explore(const struct explore_case *c, struct explore_result *result,
	    struct msg *msg)
{
	struct explorer e = { .c = c, .result = result };
	int err;

	*result = (struct explore_result){ 0 };
	err = layout_flat(&e.layout, c->nr_pages, 1, msg);
	if (err)
		return err;
	e.layout.zones[0].start_pfn = c->start_pfn;
	e.layout.highmem_pfn = c->highmem ? 0 : PFN_NONE;
	err = machine_create(&e.machine, &e.layout, WINDOW_ARITH, msg);
	if (err)
		goto free_layout;
	err = allocator_create(&e.a, c->spec, false, e.machine, msg);
	if (err)
		goto destroy_machine;
	model_create(&e.model, &e.layout);
	watch(&e);
	release_all(&e);
	err = model_check(&e.model, e.a, msg);
	if (!err)
		err = search(&e, msg);

	watch(NULL);
	model_destroy(&e.model);
	allocator_destroy(e.a);
destroy_machine:
	machine_destroy(e.machine);
free_layout:
	layout_free(&e.layout);
	return err;
}
