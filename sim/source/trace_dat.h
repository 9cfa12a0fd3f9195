/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_dat.h - trace-cmd's binary recordings, if this build has libtracecmd
 *
 * The library reads files by itself, by seeking, so it is handed a path, and
 * such a recording can neither come from a pipe nor lie in zstd.
 */
#ifndef PAGETAX_SIM_TRACE_DAT_H
#define PAGETAX_SIM_TRACE_DAT_H

#include "sim/source/reader.h"

/* For pagetax --version. */
extern const char trace_dat_support[];

extern const struct trace_reader trace_dat_reader;

#endif
