/* SPDX-License-Identifier: GPL-2.0-or-later */
/* zoneinfo.h - a machine's zones as /proc/zoneinfo prints them */
#ifndef PAGETAX_SIM_ZONEINFO_H
#define PAGETAX_SIM_ZONEINFO_H

#include "machine/layout.h"
#include "sim/source/input.h"

/* A CPU's lists of a zone, in pages. */
struct recorded_pcp {
	uint64_t count;			/* what they held */
	uint64_t high;			/* from where on they drained; 0: nobody says */
};

struct recorded_pcps {
	struct recorded_pcp *list;	/* [zone][cpu]; NULL: not recorded */
	unsigned int nr_cpus;
};

/*
 * Read the zones that have pages, in order of address, with watermarks,
 * reserves and per-CPU list sizes, and how many CPUs there are. Holes are not
 * told by zoneinfo; only `present` shows how much is missing. If pcps is not
 * NULL, each CPU's lists as they then were. Returns 0, or a negative errno with
 * a message that names file and line.
 */
int zoneinfo_read(struct layout *layout, struct recorded_pcps *pcps,
		  struct input *in, struct msg *msg);
void recorded_pcps_free(struct recorded_pcps *pcps);

/* What CPU `cpu` had of this zone; all 0 if nobody says. */
struct recorded_pcp recorded_pcp_of(const struct recorded_pcps *pcps,
				    unsigned int zone, unsigned int cpu);

#endif
