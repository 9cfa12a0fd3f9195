/* SPDX-License-Identifier: GPL-2.0-or-later */
/* validation_report.h - the figures of a validation: terminal, JSON, samples */
#ifndef PAGETAX_SIM_VALIDATE_VALIDATION_REPORT_H
#define PAGETAX_SIM_VALIDATE_VALIDATION_REPORT_H

#include <stdio.h>

#include "sim/validate/validation.h"

/* 0 or -ENOMEM. */
int validation_print(FILE *out, const struct validation *v);

/* validation.json. 0 or -ENOMEM; a failed write is the stream's to remember. */
int validation_write_json(FILE *out, const struct validation *v,
			  const struct options *o);

/*
 * validation.tsv: one row for each sample, zone and level, free blocks by order
 * as recorded and as predicted.
 */
void validation_write_tsv(FILE *out, const struct validation *v);

#endif
