/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_dat.c - the reader of trace.dat, through libtracecmd
 *
 *	trace.dat   [ event formats | process names | pages of each cpu ... ]
 *	                  |                 |               |
 *	             fields by name      comm by pid    records in order of time
 *
 * The fields of an event are looked up once, by name, for each kind; a record
 * is then a few loads, once it is known to be long enough for them. What the
 * kernel counted as lost before a record comes with it, and makes an event of its
 * own at that record's time; where the kernel cannot say how many, one is counted.
 *
 * gfp flags are numbers here, whose bits move from kernel to kernel. Their
 * names are in the event's own format, as the table that print fmt brings for
 * __print_flags, and are read from there: a value with one bit names that bit.
 *
 * Cost: 180-210 ns an event, 5 million a second. Of 1,330 instructions (callgrind,
 * without sha256) 350 are here and in the builder, 990 the library's, which makes
 * and frees each record and finds its place page by page.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "sim/source/trace_dat.h"

/* The first bytes of every version of the format. */
static bool trace_dat_probe(const char *text, size_t len)
{
	static const char magic[] = "\x17\x08\x44tracing";

	return len >= sizeof(magic) - 1 && !memcmp(text, magic, sizeof(magic) - 1);
}

#ifdef HAVE_LIBTRACECMD

#include <stdlib.h>

#include <trace-cmd.h>

#include "sim/source/gfp.h"

const char trace_dat_support[] = "with libtracecmd";

/* Where a number is in a record; of 0 bytes: nowhere, it is 0. */
struct number {
	uint32_t offset;
	uint32_t bytes;
};

/* Where the values of a kind of event are. */
struct kind {
	int id;				/* of the event in this file; -1: not there */
	struct number pfn;
	struct number order;
	struct number migratetype;
	struct number gfp;
	struct number refill;
	struct number fallback_order;
	struct number fallback_migratetype;
	struct number change_ownership;
	uint32_t bytes;			/* that its record has at least */
};

/* A process that ran lately. */
struct process {
	uint32_t pid;
	uint16_t comm;
	bool known;
};

#define NR_PROCESSES 256		/* a power of two */

struct dat {
	struct trace_builder *b;
	const struct input *in;
	struct msg *msg;
	struct tep_handle *tep;
	bool swapped;			/* the file has the other byte order */
	struct number type;		/* id and pid stand in every record */
	struct number pid;
	struct kind kinds[NR_EVENT_KINDS];
	struct process processes[NR_PROCESSES];
	uint32_t gfp_of_bit[64];
	uint64_t nr_records;
	int err;			/* set by the callback that ended reading */
};

/* ---- what the file says of its events ---- */

/* The place of a number, of which `bytes` has to take account. */
static struct number number_of(const struct tep_format_field *field, uint32_t *bytes)
{
	struct number n = { 0 };

	if (!field || field->offset < 0 || field->offset > UINT16_MAX ||
	    (field->size != 1 && field->size != 2 && field->size != 4 && field->size != 8))
		return n;
	n.offset = (uint32_t)field->offset;
	n.bytes = (uint32_t)field->size;
	*bytes = max_t(uint32_t, *bytes, n.offset + n.bytes);
	return n;
}

static struct number find_number(struct tep_event *event, const char *name,
				 const char *other_name, uint32_t *bytes)
{
	const struct tep_format_field *field = tep_find_any_field(event, name);

	if (!field && other_name)
		field = tep_find_any_field(event, other_name);
	return number_of(field, bytes);
}

static void find_fields(struct dat *d, struct kind *kind, struct tep_event *event)
{
	uint32_t *bytes = &kind->bytes;

	*kind = (struct kind){ .id = event->id };
	d->type = find_number(event, "common_type", NULL, bytes);
	d->pid = find_number(event, "common_pid", NULL, bytes);
	kind->pfn = find_number(event, "pfn", NULL, bytes);
	kind->order = find_number(event, "order", "alloc_order", bytes);
	kind->migratetype = find_number(event, "migratetype", "alloc_migratetype", bytes);
	kind->gfp = find_number(event, "gfp_flags", NULL, bytes);
	kind->refill = find_number(event, "percpu_refill", NULL, bytes);
	kind->fallback_order = find_number(event, "fallback_order", NULL, bytes);
	kind->fallback_migratetype = find_number(event, "fallback_migratetype", NULL, bytes);
	kind->change_ownership = find_number(event, "change_ownership", NULL, bytes);
}

/* Names of single bits, from the table behind __print_flags in print fmt. */
static void take_gfp_names(struct dat *d, const struct tep_print_arg *arg)
{
	const struct tep_print_flag_sym *sym;

	for (; arg; arg = arg->next) {
		if (arg->type == TEP_PRINT_OP) {	/* flags ? __print_flags() : "none" */
			take_gfp_names(d, arg->op.left);
			take_gfp_names(d, arg->op.right);
		}
		if (arg->type != TEP_PRINT_FLAGS)
			continue;
		for (sym = arg->flags.flags; sym; sym = sym->next) {
			uint64_t value = strtoull(sym->value, NULL, 0);

			if (value && !(value & (value - 1)))
				d->gfp_of_bit[__builtin_ctzll(value)] =
					gfp_parse(sym->str, strlen(sym->str));
		}
	}
}

static void find_gfp_names(struct dat *d, const struct tep_event *event)
{
	for (unsigned int bit = 0; bit < ARRAY_SIZE(d->gfp_of_bit); bit++)
		d->gfp_of_bit[bit] = GFP(UNKNOWN);
	take_gfp_names(d, event->print_fmt.args);
}

static int find_kinds(struct dat *d)
{
	static const char *const names[] = {
#define KIND_NAME(name, kernel, what) [EV_##name] = kernel,
		EVENT_KINDS(KIND_NAME)
#undef KIND_NAME
	};
	unsigned int found = 0;

	for (unsigned int k = 0; k < NR_EVENT_KINDS; k++)
		d->kinds[k].id = -1;
	for (unsigned int k = 0; k < ARRAY_SIZE(names); k++) {
		struct tep_event *event = tep_find_event_by_name(d->tep, "kmem", names[k]);

		if (!event)
			continue;
		find_fields(d, &d->kinds[k], event);
		if (!d->type.bytes || !d->pid.bytes)
			return msg_set(d->msg, EINVAL,
				       "%s: its %s has no common_type or no common_pid; expected what every event has",
				       d->in->path, names[k]);
		if (!d->kinds[k].pfn.bytes ||
		    (k != EV_FREE_BATCHED && !d->kinds[k].order.bytes))
			return msg_set(d->msg, EINVAL,
				       "%s: its %s has no pfn or no order; expected an event of Linux 3.10 or newer",
				       d->in->path, names[k]);
		if (k == EV_ALLOC)
			find_gfp_names(d, event);
		found++;
	}
	if (found)
		return 0;
	return msg_set(d->msg, EINVAL,
		       "%s: describes no event of the page allocator; expected kmem:mm_page_alloc, kmem:mm_page_free and so on",
		       d->in->path);
}

/* ---- records ---- */

static uint64_t load(const struct dat *d, struct number n, const uint8_t *data)
{
	uint64_t value = 0;
	uint32_t u32;
	uint16_t u16;

	switch (n.bytes) {
	case 8:
		memcpy(&value, data + n.offset, 8);
		return d->swapped ? __builtin_bswap64(value) : value;
	case 4:
		memcpy(&u32, data + n.offset, 4);
		return d->swapped ? __builtin_bswap32(u32) : u32;
	case 2:
		memcpy(&u16, data + n.offset, 2);
		return d->swapped ? __builtin_bswap16(u16) : u16;
	case 1:
		return data[n.offset];
	default:
		return 0;
	}
}

static int dat_add(struct dat *d, const struct event *ev)
{
	struct msg why;
	int err = builder_add(d->b, ev, &why);

	if (err)
		msg_set(d->msg, -err, "%s: record %" PRIu64 ": %s", d->in->path,
			d->nr_records, why.text);
	return err;
}

static int add_lost(struct dat *d, const struct tep_record *record)
{
	const struct event ev = {
		.time_ns = record->ts,
		.pfn = record->missed_events > 0 ? (uint64_t)record->missed_events : 1,
		.cpu = (uint16_t)record->cpu,
		.kind = EV_LOST,
	};

	return dat_add(d, &ev);
}

/* Small numbers; what is too large for a byte stays wrong, to be refused. */
static uint8_t small(uint64_t value)
{
	return (uint8_t)min_t(uint64_t, value, UINT8_MAX);
}

/* Names are of pids, for the whole file. */
static int find_comm(struct dat *d, uint32_t pid, uint16_t *comm)
{
	struct process *p = &d->processes[pid % NR_PROCESSES];

	if (unlikely(!p->known || p->pid != pid)) {
		const char *name = tep_data_comm_from_pid(d->tep, (int)pid);

		if (builder_comm(d->b, name, strlen(name), &p->comm))
			return msg_set(d->msg, ENOMEM, "%s: no memory for process names",
				       d->in->path);
		p->pid = pid;
		p->known = true;
	}
	*comm = p->comm;
	return 0;
}

static int add_record(struct dat *d, const struct tep_record *record, unsigned int k)
{
	const struct kind *kind = &d->kinds[k];
	const uint8_t *data = record->data;
	struct event ev;
	int err;

	if (record->size < 0 || (uint32_t)record->size < kind->bytes)
		return msg_set(d->msg, EINVAL, "%s: record %" PRIu64
			       ": %d bytes; expected %u, as its event has", d->in->path,
			       d->nr_records, record->size, kind->bytes);
	ev = (struct event){
		.time_ns = record->ts,
		.pfn = load(d, kind->pfn, data),
		.cpu = (uint16_t)record->cpu,
		.kind = (uint8_t)k,
		.order = small(load(d, kind->order, data)),
		.migratetype = small(load(d, kind->migratetype, data)),
		.fallback_order = small(load(d, kind->fallback_order, data)),
		.fallback_migratetype = small(load(d, kind->fallback_migratetype, data)),
		.gfp = gfp_of_bits(load(d, kind->gfp, data), d->gfp_of_bit,
				   ARRAY_SIZE(d->gfp_of_bit)),
	};
	if (load(d, kind->refill, data))
		ev.flags |= EVENT_REFILL;
	if (load(d, kind->change_ownership, data))
		ev.flags |= EVENT_CHANGE_OWNERSHIP;
	if (k == EV_ALLOC && (ev.pfn == UINT64_MAX || ev.pfn == UINT32_MAX))
		ev.pfn = EVENT_PFN_FAILED;
	err = find_comm(d, (uint32_t)load(d, d->pid, data), &ev.comm);
	return err ? err : dat_add(d, &ev);
}

/* Which kind of event it is; NR_EVENT_KINDS: none that we know. */
static unsigned int kind_of(const struct dat *d, const struct tep_record *record)
{
	unsigned int k = 0;
	int id;

	if (record->size < 0 ||
	    (uint32_t)record->size < d->type.offset + d->type.bytes)
		return NR_EVENT_KINDS;
	id = (int)load(d, d->type, record->data);
	while (k < NR_EVENT_KINDS && d->kinds[k].id != id)
		k++;
	return k;
}

/* For each record, in order of time; anything but 0 ends the iteration. */
static int take_record(struct tracecmd_input *handle, struct tep_record *record,
		       int cpu, void *ctx)
{
	struct dat *d = ctx;
	unsigned int kind = kind_of(d, record);

	(void)handle;
	if (cpu < 0 || cpu >= MAX_NR_CPUS)
		d->err = msg_set(d->msg, EINVAL, "%s: record %" PRIu64
				 " is of cpu %d; expected one below %d",
				 d->in->path, d->nr_records, cpu, MAX_NR_CPUS);
	if (!d->err && record->missed_events)
		d->err = add_lost(d, record);
	if (kind == NR_EVENT_KINDS)
		d->b->trace->other_events++;
	else if (!d->err)
		d->err = add_record(d, record, kind);
	d->nr_records++;
	return d->err || builder_full(d->b);
}

static int trace_dat_read(struct trace_builder *b, struct input *in,
			  struct msg *msg)
{
	struct dat d = { .b = b, .in = in, .msg = msg };
	struct tracecmd_input *handle;
	int err;

	tracecmd_set_loglevel(TEP_LOG_NONE);
	tep_set_loglevel(TEP_LOG_NONE);
	handle = tracecmd_open(in->path, TRACECMD_FL_LOAD_NO_PLUGINS);
	if (!handle)
		return msg_set(msg, EINVAL, "%s: libtracecmd cannot open it; expected a whole trace.dat in a plain file",
			       in->path);
	d.tep = tracecmd_get_tep(handle);
	d.swapped = tep_is_file_bigendian(d.tep) != tep_is_local_bigendian(d.tep);
	err = find_kinds(&d);
	if (!err && tracecmd_iterate_events(handle, NULL, 0, take_record, &d) < 0)
		err = msg_set(msg, EINVAL, "%s: libtracecmd stopped at record %" PRIu64
			      "; expected a whole trace.dat", in->path, d.nr_records);
	tracecmd_close(handle);
	return err ? err : d.err;
}

#else

const char trace_dat_support[] = "without libtracecmd";

static int trace_dat_read(struct trace_builder *b, struct input *in,
			  struct msg *msg)
{
	(void)b;
	return msg_set(msg, ENOTSUP, "%s: is a trace.dat, and this pagetax was built without libtracecmd"
		       "; expected text: trace-cmd report %s", in->path, in->path);
}

#endif

const struct trace_reader trace_dat_reader = {
	.name  = "trace.dat",
	.what  = "trace.dat",
	.probe = trace_dat_probe,
	.read  = trace_dat_read,
};
