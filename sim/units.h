/* SPDX-License-Identifier: GPL-2.0-or-later */
/* units.h - numbers as people write them: 64M, 10ms, 1.6 % */
#ifndef PAGETAX_SIM_UNITS_H
#define PAGETAX_SIM_UNITS_H

#include "base/types.h"

/*
 * Each returns 0, -EINVAL, or -ERANGE above UINT64_MAX; *out is set only when
 * it returns 0.
 */

/* A plain whole number. */
int parse_count(const char *text, uint64_t *out);

/* Bytes with an optional K, M, G or T (powers of 1024), as in 896M. */
int parse_size(const char *text, uint64_t *bytes);

/* A time with its unit: ns, us, ms, s, min or h, as in 10ms. */
int parse_time(const char *text, uint64_t *ns);

/* "1.5 MiB" and the like; returns buf. */
char *format_bytes(uint64_t bytes, char *buf, size_t size);

#endif
