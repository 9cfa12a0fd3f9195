/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ptr_events.h - a block of a .ptr becomes events */
#ifndef PAGETAX_SIM_PTR_EVENTS_H
#define PAGETAX_SIM_PTR_EVENTS_H

#include "sim/source/gfp.h"
#include "sim/source/ptr_sections.h"
#include "sim/source/reader.h"

/* The writer's numbers in ours, as HEAD tells them. */
struct ptr_names {
	uint32_t gfp_of_bit[32];
	unsigned int nr_gfp_bits;
	uint16_t *comms;
	uint32_t nr_comms;
};

struct ptr_decoder;

struct ptr_decoder *ptr_decoder_create(void);
void ptr_decoder_destroy(struct ptr_decoder *d);

/*
 * Add the events of an EVTS section to the builder, or as many as it still
 * wants. `first` is the number of the first, for messages. 0, or a negative errno
 * with a message that names section, event and what was expected.
 */
int ptr_decode(struct ptr_decoder *d, struct trace_builder *b, const struct input *in,
	       const struct ptr_unpacked *block, const struct ptr_names *names,
	       uint64_t first, struct msg *msg);

#endif
