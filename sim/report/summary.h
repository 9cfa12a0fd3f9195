/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * summary.h - the figures of an experiment as JSON
 *
 * summary.json holds everything that follows from the inputs, so the same
 * inputs give the same bytes; wall-clock figures go to timing.json. Keys keep
 * their order; pagetax-results(5) tells what each says.
 */
#ifndef PAGETAX_SIM_REPORT_SUMMARY_H
#define PAGETAX_SIM_REPORT_SUMMARY_H

#include <stdio.h>

#include "sim/report/experiment.h"

/* 0 or -ENOMEM. A failed write is the stream's to remember. */
int summary_write(FILE *out, const struct experiment *e);
int timing_write(FILE *out, const struct experiment *e);

#endif
