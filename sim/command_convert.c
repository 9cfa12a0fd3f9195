/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command_convert.c - pagetax convert: between trace formats */
#include <stdio.h>
#include <string.h>

#include "sim/commands.h"
#include "sim/convert.h"
#include "sim/units.h"

enum status command_convert(const struct options *o, struct msg *msg)
{
	const char *out = o->args[1];
	struct convert_done done;
	uint64_t event_bytes;
	char bytes[32];

	if (convert(o->args[0], out, o->format, o->limit, &done, msg))
		return STATUS_FAILED;
	if (o->quiet || !strcmp(out, "-"))
		return STATUS_DONE;
	event_bytes = done.bytes - done.file_bytes;
	printf("%s: %zu events in %s, %.2f bytes each", out, done.nr_events,
	       format_bytes(event_bytes, bytes, sizeof(bytes)),
	       (double)event_bytes / (double)done.nr_events);
	if (done.nr_files)
		printf("; %zu other files in %s", done.nr_files,
		       format_bytes(done.file_bytes, bytes, sizeof(bytes)));
	printf("\n");
	return STATUS_DONE;
}
