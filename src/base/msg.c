/* SPDX-License-Identifier: GPL-2.0-or-later */
/* msg.c - fill a message */
#include <stdarg.h>
#include <stdio.h>

#include "base/msg.h"

/* What is quoted from outside must neither end the line nor command a terminal. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

int msg_set(struct msg *msg, int err, const char *fmt, ...)
{
	if (msg) {
		va_list args;

		va_start(args, fmt);
		vsnprintf(msg->text, sizeof(msg->text), fmt, args);
		va_end(args);
		make_printable(msg->text);
	}
	return -err;
}
