/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ini_file.h - keys and values of an INI file, each with its line
 *
 *    ; a comment
 *    [section name]
 *    key = value
 *        a line that is indented goes on with the key above
 */
#ifndef PAGETAX_SIM_WORKLOAD_INI_FILE_H
#define PAGETAX_SIM_WORKLOAD_INI_FILE_H

#include "base/msg.h"

#define INI_LINE_BYTES 200		/* the library's buffer, which it does not enlarge */

/* Where the reader is; `section` is "" above the first one. */
struct ini_place {
	unsigned int line;
	unsigned int section_line;	/* of the section's heading; 0 above the first */
	const char *section;
};

/*
 * Called for each value, and for each line that goes on with one. It may be cut
 * in place. Not 0 ends the reading.
 */
typedef int (*ini_value_fn)(void *ctx, const struct ini_place *at,
			    const char *key, char *value);

/* Called with each piece of the file as it is read: for a hash. */
typedef void (*ini_bytes_fn)(void *ctx, const char *bytes, size_t len);

/*
 * 0, what the callback returned, or a negative errno with a message: the file
 * cannot be read, a line is too long, or is none of the above.
 */
int ini_file_read(const char *path, ini_value_fn on_value,
		  ini_bytes_fn on_bytes, void *ctx, struct msg *msg);

#endif
