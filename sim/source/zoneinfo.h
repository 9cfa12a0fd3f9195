/* SPDX-License-Identifier: GPL-2.0-or-later */
/* zoneinfo.h - a machine's zones as /proc/zoneinfo prints them */
#ifndef PAGETAX_SIM_ZONEINFO_H
#define PAGETAX_SIM_ZONEINFO_H

#include "machine/layout.h"
#include "sim/source/input.h"

/*
 * Read the zones that have pages, in order of address, with watermarks,
 * reserves and per-CPU list sizes, and how many CPUs there are. Holes are not
 * told by zoneinfo; only `present` shows how much is missing. Returns 0, or a
 * negative errno with a message that names file and line.
 */
int zoneinfo_read(struct layout *layout, struct input *in, struct msg *msg);

#endif
