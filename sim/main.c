/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main.c - the process around the program
 *
 * The only place that exits. Status 0: done; 1: the run failed; 2: usage. A
 * failure is one line on standard error.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/commands.h"
#include "sim/interrupt.h"

int main(int argc, char **argv)
{
	struct msg msg = { "" };
	enum status status;

	ignore_write_signals();
	status = pagetax_run(argc, argv, &msg);
	if (fflush(stdout) || ferror(stdout)) {
		if (status == STATUS_DONE && errno != EPIPE)
			msg_set(&msg, errno, "standard output: %s", strerror(errno));
		if (status == STATUS_DONE)
			status = STATUS_FAILED;
	}
	if (status != STATUS_DONE && *msg.text)
		fprintf(stderr, "pagetax: %s\n", msg.text);
	return status;
}
