/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * data_dir.h - where the files are that come with the program
 *
 *    1. the folder an environment variable names
 *    2. below the working folder, where that is the top of the sources
 *    3. the same below a folder that holds the program, for who runs
 *       SOURCES/build/pagetax from elsewhere
 *    4. where `make install` puts them
 */
#ifndef PAGETAX_SIM_DATA_DIR_H
#define PAGETAX_SIM_DATA_DIR_H

struct data_dir {
	const char *variable;
	const char *in_sources;		/* below their top */
	const char *installed;
	const char *proof;		/* a file that stands in it */
	char found[4096];		/* by data_dir_find() */
};

/* The folder, which need not be there in the last case. */
const char *data_dir_find(struct data_dir *d);

#endif
