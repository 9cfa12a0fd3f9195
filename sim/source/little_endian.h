/* SPDX-License-Identifier: GPL-2.0-or-later */
/* little_endian.h - numbers in files, whatever the machine's own order and alignment */
#ifndef PAGETAX_SIM_LITTLE_ENDIAN_H
#define PAGETAX_SIM_LITTLE_ENDIAN_H

#include "base/types.h"

static inline uint32_t get_le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t get_le64(const uint8_t *p)
{
	return get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
}

static inline uint8_t *put_le32(uint8_t *p, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		*p++ = (uint8_t)(value >> 8 * i);
	return p;
}

static inline uint8_t *put_le64(uint8_t *p, uint64_t value)
{
	return put_le32(put_le32(p, (uint32_t)value), (uint32_t)(value >> 32));
}

#endif
