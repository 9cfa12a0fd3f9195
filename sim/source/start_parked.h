/* SPDX-License-Identifier: GPL-2.0-or-later */
/* start_parked.h - pages of per-CPU lists that no event names */
#ifndef PAGETAX_SIM_START_PARKED_H
#define PAGETAX_SIM_START_PARKED_H

#include "sim/source/bundle.h"

/*
 * Mark as START_PCP, of the pages in this state, as many as each zone's
 * per-CPU lists held besides those already marked so. 0 or -ENOMEM.
 */
int start_parked_find(struct bundle *b, uint8_t state);

#endif
