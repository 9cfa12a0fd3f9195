/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pagetypeinfo.h - how many pageblocks of each mobility type a zone had */
#ifndef PAGETAX_SIM_PAGETYPEINFO_H
#define PAGETAX_SIM_PAGETYPEINFO_H

#include "sim/source/bundle.h"
#include "sim/source/input.h"

/*
 * Read the table "Number of blocks type" of a copy of /proc/pagetypeinfo into
 * b->nr_typed_blocks, for the zones of b->layout. Returns 0, or a negative
 * errno with a message; -EINVAL when the table is not there.
 */
int pagetypeinfo_read(struct bundle *b, struct input *in, struct msg *msg);

#endif
