/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fatal.c - say what broke or lacks, and stop */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fatal.h"

void host_failed(const char *fmt, ...)
{
	va_list args;

	fputs("pagetax: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputs("; a smaller machine, or fewer allocators at a time, needs less\n",
	      stderr);
	_exit(1);
}

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
