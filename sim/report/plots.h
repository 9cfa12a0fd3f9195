/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plots.h - the drawings of a result, by gnuplot
 *
 * The scripts in plots/ know only column names; this knows their names and which table
 * each needs.
 */
#ifndef PAGETAX_SIM_REPORT_PLOTS_H
#define PAGETAX_SIM_REPORT_PLOTS_H

#include "base/msg.h"
#include "base/types.h"

struct plot {
	const char *name;		/* of the script */
	const char *table;		/* file of the result folder it reads */
	const char *column;		/* a column of it that older results lack */
	const char *title;
	const char *caption;
	bool of_every_result;		/* drawn when a result is written */
};

/* Ends with a NULL name. */
extern const struct plot plots[];

/* NULL when there is none. */
const struct plot *plot_find(const char *name);

/* Where the scripts are, see data_dir.h. */
const char *plots_dir(void);

/*
 * Draw one: `output` ends in .svg or .png, or is "-" for letters on standard
 * output. 0, or a negative errno with a message that says what is missing.
 */
int plot_draw(const struct plot *plot, const char *output,
	      const char *result_dir, struct msg *msg);

/*
 * Draw those of every result into the folder, as SVG and PNG. What cannot be
 * drawn is said on standard error: a result without drawings is still one.
 */
void plots_draw(const char *result_dir);

/* Draw plots/NAME.gp so. False when that failed, or was interrupted. */
bool plots_draw_one(const char *result_dir, const char *name);

#endif
