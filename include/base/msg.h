/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * msg.h - one message for one failure
 *
 * The library never prints. A function that can fail from outside fills the
 * caller's message and returns a negative errno; the program prints it.
 */
#ifndef PAGETAX_BASE_MSG_H
#define PAGETAX_BASE_MSG_H

#include "base/types.h"

struct msg {
	char text[1024];
};

/*
 * Set the text and return -err, so that a caller can write
 *	return msg_set(msg, EINVAL, "%s:%lu: order %u is above %u", ...);
 * msg may be NULL. err is a positive errno. The text is one line: a control
 * character in what is quoted becomes '?'.
 */
int msg_set(struct msg *msg, int err, const char *fmt, ...) __printf(3, 4);

#endif
