/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bounds_report.h - missed bounds and their causes, as text and as JSON */
#ifndef PAGETAX_SIM_VALIDATE_BOUNDS_REPORT_H
#define PAGETAX_SIM_VALIDATE_BOUNDS_REPORT_H

#include <stdio.h>

#include "sim/report/json_builder.h"
#include "sim/validate/bounds.h"

/* A line in all, and one for each missed bound. 0 or -ENOMEM. */
int bounds_print(FILE *out, const struct validation *v);

/* An array of the missed bounds. */
json_t *bounds_json(struct builder *b, const struct validation *v);

#endif
