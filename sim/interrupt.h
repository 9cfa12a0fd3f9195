/* SPDX-License-Identifier: GPL-2.0-or-later */
/* interrupt.h - the signals that end or disturb a run */
#ifndef PAGETAX_SIM_INTERRUPT_H
#define PAGETAX_SIM_INTERRUPT_H

#include "base/types.h"

/* A full disk, a file too large, a closed pipe: errors of write(), not signals. */
void ignore_write_signals(void);

/*
 * From now on SIGINT, SIGTERM and SIGHUP are noted instead of ending the
 * process, so that nothing half-written stays behind. Each but once: whoever
 * cannot wait, sends it again. One that is ignored stays so, as under nohup.
 */
void note_interrupts(void);
bool interrupted(void);

#endif
