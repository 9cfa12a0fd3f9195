/* SPDX-License-Identifier: GPL-2.0-or-later */
/* names.c - one name after the other */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/names.h"

void names_add(struct names *n, const char *fmt, ...)
{
	char name[128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	snprintf(n->text + n->len, sizeof(n->text) - n->len, "%s%s",
		 n->len ? ", " : "", name);
	n->len += strlen(n->text + n->len);
}
