/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ptr.c - sections of a .ptr, as reader and writer see them */
#include <zlib.h>

#include "sim/source/ptr.h"

void ptr_section_put(uint8_t bytes[PTR_SECTION_BYTES], const struct ptr_section *s)
{
	uint8_t *p = bytes;

	p = put_le32(p, s->type);
	p = put_le32(p, s->sequence);
	p = put_le32(p, s->packed);
	p = put_le32(p, s->plain);
	p = put_le32(p, s->nr_events);
	p = put_le32(p, s->crc);
	put_le64(p, s->time_ns);
}

void ptr_section_get(struct ptr_section *s, const uint8_t bytes[PTR_SECTION_BYTES])
{
	*s = (struct ptr_section){
		.type = get_le32(bytes),
		.sequence = get_le32(bytes + 4),
		.packed = get_le32(bytes + 8),
		.plain = get_le32(bytes + 12),
		.nr_events = get_le32(bytes + 16),
		.crc = get_le32(bytes + PTR_CRC_AT),
		.time_ns = get_le64(bytes + 24),
	};
}

uint32_t ptr_section_crc(const uint8_t bytes[PTR_SECTION_BYTES],
			 const uint8_t *payload, size_t len)
{
	static const uint8_t zero[4];
	unsigned long crc = crc32_z(0, bytes, PTR_CRC_AT);

	crc = crc32_z(crc, zero, sizeof(zero));
	crc = crc32_z(crc, bytes + PTR_CRC_AT + 4, PTR_SECTION_BYTES - PTR_CRC_AT - 4);
	return (uint32_t)crc32_z(crc, payload, len);
}
