/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * results.h - a result folder that appears whole or not at all
 *
 *    DIR.tmp-1234/summary.json ...    written here,
 *    DIR/                             renamed to this at the end
 *
 * An older result folder of ours is replaced. Anything else at that place is
 * refused and left alone: a folder is ours if it holds summary.json and
 * nothing that we would not have written.
 */
#ifndef PAGETAX_SIM_REPORT_RESULTS_H
#define PAGETAX_SIM_REPORT_RESULTS_H

#include <stdio.h>

#include "base/msg.h"
#include "base/types.h"

struct results {
	char *dir;			/* where it will be */
	char *tmp;			/* where it is being written */
	bool partial;			/* of an interrupted run, and wanted; set by the caller */
};

/* Whether `dir` may become a result folder: asked before a long run. */
int results_check(const char *dir, struct msg *msg);

/*
 * Make the temporary folder; from now on interrupts are noted. 0 or a negative
 * errno with a message.
 */
int results_begin(struct results *r, const char *dir, struct msg *msg);

/* A file in it; NULL with a message. */
FILE *results_open(struct results *r, const char *name, struct msg *msg);

/* Close it: 0, or why it is not whole, be it a failed write or its writer's `err`. */
int results_close(struct results *r, FILE *file, const char *name, int err,
		  struct msg *msg);

/*
 * The end of *r: put the folder in its place, or remove every trace of it if
 * something failed before, `err`, which is returned then, or if an interrupt
 * came, which makes it partial: -EINTR.
 */
int results_end(struct results *r, int err, struct msg *msg);

#endif
