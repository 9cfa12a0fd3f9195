/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_options.c - a command line, one word a line, up to the point of running it */
#include <stdlib.h>
#include <string.h>

#include "sim/options.h"
#include "tests/sim_fuzz.h"

#define MAX_ARGS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = fuzz_text(data, len);
	char *argv[MAX_ARGS + 1] = { (char *)"command" };
	char *rest = text;
	struct options o;
	struct msg msg = { "" };
	int argc = 1;
	int err;

	while (argc < MAX_ARGS && rest)
		argv[argc++] = strsep(&rest, "\n");
	argv[argc] = NULL;
	err = options_parse(&o, OPT(VERSION) * 2 - 1, argc, argv, &msg);
	fuzz_answer(err, &msg);
	if (!err)
		options_free(&o);
	free(text);
	return 0;
}
