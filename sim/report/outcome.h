/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outcome.h - what a command leaves behind that has run allocators */
#ifndef PAGETAX_SIM_REPORT_OUTCOME_H
#define PAGETAX_SIM_REPORT_OUTCOME_H

#include "sim/commands.h"
#include "sim/report/experiment.h"
#include "sim/report/progress.h"

/*
 * Write the result folder, if one was asked for, print the table unless told
 * to be quiet, and judge: STATUS_FAILED with a message when the results could
 * not be written or a run broke an invariant. Ends the line of progress.
 */
enum status outcome_show(const struct experiment *e,
			 const struct progress *progress, struct msg *msg);

#endif
