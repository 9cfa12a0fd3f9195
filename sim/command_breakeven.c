/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command_breakeven.c - pagetax breakeven: at which folio sizes designs cross */
#include <errno.h>
#include <stdio.h>

#include "sim/breakeven.h"
#include "sim/commands.h"
#include "sim/report/progress.h"
#include "sim/units.h"

enum status command_breakeven(const struct options *o, struct msg *msg)
{
	struct progress progress;
	struct breakeven b;
	char size[32];
	int err;

	if (o->machine_scenario || o->machine_flat) {
		msg_set(msg, EINVAL,
			"--machine: breakeven fills a machine of its own; expected its size, %dM or more",
			BREAKEVEN_LEAST >> 20);
		return STATUS_USAGE;
	}
	if (o->machine_bytes && o->machine_bytes < BREAKEVEN_LEAST) {
		msg_set(msg, EINVAL,
			"--machine: %s is too small for folios to outweigh the ends of zones; expected %dM or more",
			format_bytes(o->machine_bytes, size, sizeof(size)),
			BREAKEVEN_LEAST >> 20);
		return STATUS_USAGE;
	}
	progress_start(&progress, true, o->nr_specs);
	err = breakeven_run(&b, o->specs, o->nr_specs,
			    o->machine_bytes ? o->machine_bytes : BREAKEVEN_BYTES,
			    o->seed, &o->allocatees, &progress, msg);
	progress_end(&progress);
	if (!err)
		breakeven_print(stdout, &b);
	breakeven_free(&b);
	return err ? STATUS_FAILED : STATUS_DONE;
}
