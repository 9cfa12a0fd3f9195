/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ptr_sections.h - the sections of a .ptr, proved and unpacked, one after the other */
#ifndef PAGETAX_SIM_PTR_SECTIONS_H
#define PAGETAX_SIM_PTR_SECTIONS_H

#include "base/msg.h"
#include "sim/source/input.h"
#include "sim/source/ptr.h"

#define PTR_PLAIN_PAD 4			/* zeros behind a payload, so that a word can be read */

struct ptr_unpacked {
	uint64_t offset;		/* in the file, of its first byte */
	uint32_t sequence;		/* that it must have */
	struct ptr_section head;
	const uint8_t *plain;		/* head.plain bytes, and PTR_PLAIN_PAD */
};

struct ptr_sections;

/* Read on in `in`, which stands behind a file's start. NULL: no memory. */
struct ptr_sections *ptr_sections_create(struct input *in);

/*
 * The next section, which stays until the one after it is asked for. None may
 * be asked for after the index; the input then stands behind it. 0, or a negative
 * errno with a message that names the section and its place.
 */
int ptr_sections_next(struct ptr_sections *s, const struct ptr_unpacked **section,
		      struct msg *msg);

/* Whatever was read ahead of what was asked for is lost. */
void ptr_sections_destroy(struct ptr_sections *s);

/* "FILE: section 4 (events) at byte 172033 ...": always -EINVAL. */
int ptr_bad_section(const struct input *in, const struct ptr_unpacked *section,
		    struct msg *msg, const char *fmt, ...) __printf(4, 5);

int ptr_no_memory(const struct input *in, struct msg *msg);

#endif
