/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scenario_machine.c - [machine]: keys, and the zones that follow from them */
#include <errno.h>
#include <string.h>

#include "sim/units.h"
#include "sim/workload/scenario_reader.h"

static int parse_bytes(const char *value, uint64_t *bytes, struct msg *why)
{
	if (parse_size(value, bytes) || !*bytes)
		return msg_set(why, EINVAL,
			       "'%s' is no size; expected a number with K, M, G or T",
			       value);
	return 0;
}

static int set_memory(struct scenario_reader *r, char *value, struct msg *why)
{
	return parse_bytes(value, &r->memory, why);
}

static int set_lowmem(struct scenario_reader *r, char *value, struct msg *why)
{
	return parse_bytes(value, &r->lowmem, why);
}

static int set_cpus(struct scenario_reader *r, char *value, struct msg *why)
{
	if (parse_count(value, &r->cpus) || !r->cpus || r->cpus > MAX_NR_CPUS)
		return msg_set(why, EINVAL, "'%s'; expected a number from 1 to %d",
			       value, MAX_NR_CPUS);
	return 0;
}

static int set_zones(struct scenario_reader *r, char *value, struct msg *why)
{
	static const char *const names[] = { "pc", "flat", "pae", NULL };
	int kind = params_choose("kind of zones", names, value, why);

	if (kind >= 0)
		r->zones = (enum zones_kind)kind;
	return kind < 0 ? kind : 0;
}

static int set_highmem(struct scenario_reader *r, char *value, struct msg *why)
{
	if (!strcmp(value, "none"))
		r->highmem = HIGH_NONE;
	else if (!strcmp(value, "all"))
		r->highmem = HIGH_ALL;
	else if (!strncmp(value, "above:", 6) &&
		 !parse_size(value + 6, &r->highmem_bytes))
		r->highmem = HIGH_ABOVE;
	else
		return msg_set(why, EINVAL,
			       "'%s'; allowed are none, all, above:SIZE", value);
	return 0;
}

const struct scenario_key machine_keys[] = {
	{ "memory",  set_memory },
	{ "cpus",    set_cpus },
	{ "zones",   set_zones },
	{ "lowmem",  set_lowmem },
	{ "highmem", set_highmem },
	{ NULL, NULL },
};

int machine_begin(struct scenario_reader *r, const char *name,
			 struct msg *why)
{
	(void)name;
	if (r->machine_file)
		return msg_set(why, EINVAL, "there is a machine already, at %s:%u",
			       r->machine_file, r->machine_line);
	r->machine_file = r->file;
	r->machine_line = r->line;
	return 0;
}

static uint64_t scaled_bytes(const struct scenario_reader *r, uint64_t bytes)
{
	const uint64_t block = (uint64_t)PAGE_SIZE << MAX_PAGE_ORDER;
	uint64_t scaled = (uint64_t)((double)bytes * r->scale);

	if (r->scale == 1)
		return bytes;
	return max_t(uint64_t, scaled - scaled % block, block);
}

int machine_finish(struct scenario_reader *r)
{
	struct layout *l = &r->s->layout;
	unsigned int cpus = r->cpus ? (unsigned int)r->cpus : 1;
	uint64_t bytes = scaled_bytes(r, r->memory);
	struct msg why;
	int err;

	if (!r->machine_file)
		return msg_set(r->msg, EINVAL, "%s: there is no [machine]",
			       r->s->files[0]);
	if (!r->memory)
		return msg_set(r->msg, EINVAL, "%s:%u: [machine] lacks the key memory",
			       r->machine_file, r->machine_line);
	if (r->lowmem && r->zones != ZONES_PAE)
		return msg_set(r->msg, EINVAL, "%s:%u: [machine]: lowmem is a key of zones = pae",
			       r->machine_file, r->machine_line);
	if (r->zones == ZONES_FLAT)
		err = layout_flat(l, (unsigned long)(bytes >> PAGE_SHIFT), cpus, &why);
	else if (r->zones == ZONES_PAE)
		err = layout_pae(l, bytes, scaled_bytes(r, r->lowmem ? r->lowmem
							: UINT64_C(896) << 20),
				 cpus, &why);
	else
		err = layout_pc(l, bytes, cpus, &why);
	if (err)
		return msg_set(r->msg, -err, "%s:%u: [machine]: %s",
			       r->machine_file, r->machine_line, why.text);
	if (r->highmem == HIGH_NONE)
		l->highmem_pfn = PFN_NONE;
	else if (r->highmem == HIGH_ALL)
		l->highmem_pfn = 0;
	else if (r->highmem == HIGH_ABOVE)
		l->highmem_pfn = (unsigned long)(scaled_bytes(r, r->highmem_bytes) >>
						 PAGE_SHIFT);
	else
		layout_bound_lowmem(l);
	return 0;
}
