/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recording.c - files by name, wherever they are */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/source/recording.h"

static const char *const endings[] = { "", ".zst", ".gz" };

/* What stands beside events.txt. */
static const char *const file_names[] = {
	"machine.txt",
	"zoneinfo.start", "zoneinfo.end",
	"pagetypeinfo.start", "pagetypeinfo.end",
	"kpageflags.start", "kpageflags.start.times",
	"kpageflags.end", "kpageflags.end.times",
	"buddyinfo.tsv", "counters.tsv",
};

struct names recording_file_names(void)
{
	struct names names = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(file_names); i++)
		names_add(&names, "%s", file_names[i]);
	return names;
}

bool recording_is_folder(const char *path)
{
	struct stat st;

	return strcmp(path, "-") && !stat(path, &st) && S_ISDIR(st.st_mode);
}

void recording_of_folder(struct recording *rec, const char *folder)
{
	*rec = (struct recording){ .folder = folder };
}

void recording_of_trace(struct recording *rec, const struct trace *trace)
{
	*rec = (struct recording){ .trace = trace };
}

void recording_close(struct recording *rec)
{
	free(rec->path);
	*rec = (struct recording){ 0 };
}

int recording_find(const struct recording *rec, const char *name, char **path)
{
	size_t room = strlen(rec->folder) + strlen(name) + 8;
	char *found = malloc(room);

	if (!found)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		snprintf(found, room, "%s/%s%s", rec->folder, name, endings[i]);
		if (!access(found, F_OK)) {
			*path = found;
			return 1;
		}
	}
	free(found);
	return 0;
}

static bool is_ending(const char *ending)
{
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (!strcmp(ending, endings[i]))
			return true;
	return false;
}

static const struct trace_file *find_inside(const struct trace *trace, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < trace->nr_files; i++) {
		const struct trace_file *file = &trace->files[i];

		if (!strncmp(file->name, name, len) && is_ending(file->name + len))
			return file;
	}
	return NULL;
}

static int open_inside(const struct recording *rec, const char *name,
		       struct input *in, struct msg *msg)
{
	const struct trace_file *file = find_inside(rec->trace, name);
	int err;

	if (!file)
		return 0;
	err = input_open_memory(in, file->shown, file->bytes, file->len, msg);
	return err ? err : 1;
}

int recording_open(struct recording *rec, const char *name, struct input *in,
		   struct msg *msg)
{
	int err;

	if (!rec->folder)
		return open_inside(rec, name, in, msg);
	free(rec->path);
	rec->path = NULL;
	err = recording_find(rec, name, &rec->path);
	if (err <= 0)
		return err ? msg_set(msg, ENOMEM, "%s: no memory to read it", rec->folder) : 0;
	err = input_open(in, rec->path, msg);
	return err ? err : 1;
}

/* A whole file, as it lies on disk. */
static int attach_file(struct trace *trace, const char *folder, const char *path,
		       struct msg *msg)
{
	const char *name = strrchr(path, '/') + 1;
	FILE *file = fopen(path, "rb");
	char piece[65536];
	size_t n;
	int err = 0;

	if (!file)
		return msg_set(msg, errno, "%s: cannot open: %s", path, strerror(errno));
	do {
		n = fread(piece, 1, sizeof(piece), file);
		if (trace_file_append(trace, folder, name, piece, n))
			err = msg_set(msg, ENOMEM, "%s: no memory to read it", path);
	} while (!err && n == sizeof(piece));
	if (!err && ferror(file))
		err = msg_set(msg, EIO, "%s: cannot read it", path);
	fclose(file);
	return err;
}

int recording_attach(struct trace *trace, const char *folder, struct msg *msg)
{
	const struct recording rec = { .folder = folder };

	for (size_t i = 0; i < ARRAY_SIZE(file_names); i++) {
		char *path;
		int err = recording_find(&rec, file_names[i], &path);

		if (err < 0)
			return msg_set(msg, ENOMEM, "%s: no memory to read it", folder);
		if (err == 0)
			continue;
		err = attach_file(trace, folder, path, msg);
		free(path);
		if (err)
			return err;
	}
	return 0;
}
