/* SPDX-License-Identifier: GPL-2.0-or-later */
/* interrupt.h - the signals that end or disturb a run */
#ifndef PAGETAX_SIM_INTERRUPT_H
#define PAGETAX_SIM_INTERRUPT_H

#include "base/types.h"

/* A full disk, a file too large, a closed pipe: errors of write(), not signals. */
void ignore_write_signals(void);

/*
 * From now on SIGINT, SIGTERM and SIGHUP are noted instead of ending the
 * process, so that nothing half-written stays behind. Only the first: whoever
 * cannot wait, sends another. One that is ignored stays so, as under nohup.
 */
void note_interrupts(void);
bool interrupted(void);

/*
 * When a signal ends the process, a file that is not yet whole goes, too: this
 * one, from before it is made until it has another name or is gone. `path` is
 * kept, not copied, and told by its address.
 */
void interrupt_removes(const char *path);
void interrupt_keeps(const char *path);

#endif
