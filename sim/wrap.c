/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wrap.c - cut a text at its blanks */
#include <stdio.h>
#include <string.h>

#include "base/types.h"
#include "sim/wrap.h"

#define WIDTH 80

/* Letters of the first line of text; a word that is too long stays whole. */
static size_t line_length(const char *text, size_t width)
{
	size_t len = strcspn(text, " ");

	while (text[len]) {
		size_t next = len + 1 + strcspn(text + len + 1, " ");

		if (next > width)
			break;
		len = next;
	}
	return len;
}

void print_wrapped(const char *left, int column, const char *text)
{
	bool beside = strlen(left) < (size_t)column;

	printf("%-*s", beside ? column : 0, left);
	if (!beside)
		printf("\n%*s", column, "");
	for (;;) {
		size_t len = line_length(text, (size_t)(WIDTH - column));

		printf("%.*s\n", (int)len, text);
		if (!text[len])
			break;
		text += len + 1;
		printf("%*s", column, "");
	}
}
