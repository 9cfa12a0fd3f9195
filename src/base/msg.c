/* SPDX-License-Identifier: GPL-2.0-or-later */
/* msg.c - fill a message */
#include <stdarg.h>
#include <stdio.h>

#include "base/msg.h"

int msg_set(struct msg *msg, int err, const char *fmt, ...)
{
	if (msg) {
		va_list args;

		va_start(args, fmt);
		vsnprintf(msg->text, sizeof(msg->text), fmt, args);
		va_end(args);
	}
	return -err;
}
