/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meta.c - the names of the metadata columns */
#include "machine/meta.h"

#define META_NAME(name, what) [META_##name] = #name,
const char *const meta_column_names[NR_META_COLUMNS] = {
	META_COLUMNS(META_NAME)
};
#undef META_NAME

#define META_HELP(name, what) [META_##name] = what,
const char *const meta_column_help[NR_META_COLUMNS] = {
	META_COLUMNS(META_HELP)
};
#undef META_HELP
