/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main.c - the process around the program
 *
 * The only place that exits. Status 0: done; 1: the run failed; 2: usage. A
 * failure is one line on standard error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/commands.h"
#include "sim/interrupt.h"

/*
 * Where a caller has closed one of these, the next file to be opened would take its
 * place, and get what is printed. What stands there instead fails as a closed one.
 */
static void keep_standard_files(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
	struct msg msg = { "" };
	enum status status;

	keep_standard_files();
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
