/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fatal.c - say what broke, and stop */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fatal.h"

void fatal(const char *fmt, ...)
{
	va_list args;

	fputs("pagetax: bug: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}
