/* SPDX-License-Identifier: GPL-2.0-or-later */
/* block_types.h - the mobility type that each pageblock had at the start */
#ifndef PAGETAX_SIM_BLOCK_TYPES_H
#define PAGETAX_SIM_BLOCK_TYPES_H

#include "sim/source/bundle.h"

/* Make b->block_types from events, flags and pagetypeinfo. 0 or -ENOMEM. */
int block_types_find(struct bundle *b);

#endif
