/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plots.h - pictures of a result folder, drawn by gnuplot
 *
 * The scripts stand alone; this only finds and runs them. A missing gnuplot
 * or script is a remark on standard error, never a failed run.
 */
#ifndef PAGETAX_SIM_REPORT_PLOTS_H
#define PAGETAX_SIM_REPORT_PLOTS_H

#include "base/types.h"

/*
 * Where shipped files lie: $PAGETAX_PLOTS, else ./plots, else the installed
 * ones. Returns a string that is valid for ever.
 */
const char *plots_dir(void);

/* Draw every plot as SVG and PNG into the folder that holds the samples. */
void plots_draw(const char *result_dir);

/* Draw plots/NAME.gp so. False when that failed, or was interrupted. */
bool plots_draw_one(const char *result_dir, const char *name);

#endif
