/* SPDX-License-Identifier: GPL-2.0-or-later */
/* interrupt.c - a signal becomes a flag; the next one ends the program */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "sim/interrupt.h"

#define MAX_REMOVED 8			/* at a time; a fit has four */

static volatile sig_atomic_t noting, seen;
static const char *volatile removed[MAX_REMOVED];

static void on_signal(int signal_number)
{
	if (noting && !seen) {
		seen = 1;
		return;
	}
	for (size_t i = 0; i < MAX_REMOVED; i++) {
		if (removed[i])
			unlink(removed[i]);
	}
	signal(signal_number, SIG_DFL);
	raise(signal_number);		/* which ends it on the way out of here */
}

static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct sigaction before;

		if (!sigaction(signals[i], NULL, &before) &&
		    before.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

void ignore_write_signals(void)
{
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

void note_interrupts(void)
{
	noting = 1;
	catch_signals();
}

bool interrupted(void)
{
	return seen;
}

void interrupt_removes(const char *path)
{
	size_t i = 0;

	while (i < MAX_REMOVED && removed[i])
		i++;
	if (i == MAX_REMOVED)
		return;
	removed[i] = path;
	catch_signals();
}

void interrupt_keeps(const char *path)
{
	for (size_t i = 0; i < MAX_REMOVED; i++) {
		if (removed[i] == path)
			removed[i] = NULL;
	}
}
