/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_dat.c - the reader of trace.dat, through libtracecmd
 *
 *	trace.dat   [ event formats | process names | pages of each cpu ... ]
 *	                  |                 |               |
 *	             fields by name      comm by pid    records in order of time
 *
 * The fields of an event are looked up once, by name, for each kind; a record
 * is then a few loads. What the kernel counted as lost before a record comes
 * with it, and makes an event of its own at that record's time; where the
 * kernel cannot say how many, one is counted.
 *
 * gfp flags are numbers here, whose bits move from kernel to kernel. Their
 * names are in the event's own format, as the table that print fmt brings for
 * __print_flags, and are read from there: a value with one bit names that bit.
 *
 * Cost: the library's own, which takes most of the time.
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

/* Where the values of a kind of event are; NULL: it has no such field. */
struct kind {
	int id;				/* of the event in this file; -1: not there */
	struct tep_format_field *pfn;
	struct tep_format_field *order;
	struct tep_format_field *migratetype;
	struct tep_format_field *gfp;
	struct tep_format_field *refill;
	struct tep_format_field *fallback_order;
	struct tep_format_field *fallback_migratetype;
	struct tep_format_field *change_ownership;
};

struct dat {
	struct trace_builder *b;
	const struct input *in;
	struct msg *msg;
	struct tep_handle *tep;
	struct kind kinds[NR_EVENT_KINDS];
	uint32_t gfp_of_bit[64];
	uint64_t nr_records;
	int err;			/* set by the callback that ended reading */
};

/* ---- what the file says of its events ---- */

static void find_fields(struct kind *kind, struct tep_event *event)
{
	*kind = (struct kind){
		.id = event->id,
		.pfn = tep_find_field(event, "pfn"),
		.order = tep_find_field(event, "order"),
		.migratetype = tep_find_field(event, "migratetype"),
		.gfp = tep_find_field(event, "gfp_flags"),
		.refill = tep_find_field(event, "percpu_refill"),
		.fallback_order = tep_find_field(event, "fallback_order"),
		.fallback_migratetype = tep_find_field(event, "fallback_migratetype"),
		.change_ownership = tep_find_field(event, "change_ownership"),
	};
	if (!kind->order)
		kind->order = tep_find_field(event, "alloc_order");
	if (!kind->migratetype)
		kind->migratetype = tep_find_field(event, "alloc_migratetype");
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
		find_fields(&d->kinds[k], event);
		if (!d->kinds[k].pfn || (k != EV_FREE_BATCHED && !d->kinds[k].order))
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

static uint64_t field_value(const struct tep_format_field *field, const void *data)
{
	unsigned long long value = 0;

	/* The library takes its own field without const. */
	if (field && tep_read_number_field((struct tep_format_field *)(uintptr_t)field,
					   data, &value))
		return 0;
	return value;
}

static uint32_t gfp_in_our_bits(const struct dat *d, uint64_t theirs)
{
	uint32_t gfp = 0;

	for (; theirs; theirs &= theirs - 1)
		gfp |= d->gfp_of_bit[__builtin_ctzll(theirs)];
	return gfp;
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

static int add_record(struct dat *d, struct tep_record *record, unsigned int k)
{
	const struct kind *kind = &d->kinds[k];
	const void *data = record->data;
	const char *comm = tep_data_comm_from_pid(d->tep, tep_data_pid(d->tep, record));
	struct event ev = {
		.time_ns = record->ts,
		.pfn = field_value(kind->pfn, data),
		.cpu = (uint16_t)record->cpu,
		.kind = (uint8_t)k,
		.order = small(field_value(kind->order, data)),
		.migratetype = small(field_value(kind->migratetype, data)),
		.fallback_order = small(field_value(kind->fallback_order, data)),
		.fallback_migratetype = small(field_value(kind->fallback_migratetype, data)),
	};

	if (kind->gfp)
		ev.gfp = gfp_in_our_bits(d, field_value(kind->gfp, data));
	if (field_value(kind->refill, data))
		ev.flags |= EVENT_REFILL;
	if (field_value(kind->change_ownership, data))
		ev.flags |= EVENT_CHANGE_OWNERSHIP;
	if (k == EV_ALLOC && (ev.pfn == UINT64_MAX || ev.pfn == UINT32_MAX))
		ev.pfn = EVENT_PFN_FAILED;
	if (builder_comm(d->b, comm, strlen(comm), &ev.comm))
		return msg_set(d->msg, ENOMEM, "%s: no memory for process names",
			       d->in->path);
	return dat_add(d, &ev);
}

/* For each record, in order of time; anything but 0 ends the iteration. */
static int take_record(struct tracecmd_input *handle, struct tep_record *record,
		       int cpu, void *ctx)
{
	struct dat *d = ctx;
	int id = tep_data_type(d->tep, record);

	(void)handle;
	if (cpu < 0 || cpu >= MAX_NR_CPUS)
		d->err = msg_set(d->msg, EINVAL, "%s: record %" PRIu64
				 " is of cpu %d; expected one below %d",
				 d->in->path, d->nr_records, cpu, MAX_NR_CPUS);
	if (!d->err && record->missed_events)
		d->err = add_lost(d, record);
	for (unsigned int k = 0; !d->err && k < NR_EVENT_KINDS; k++) {
		if (d->kinds[k].id == id) {
			d->err = add_record(d, record, k);
			goto done;
		}
	}
	d->b->trace->other_events++;
done:
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
