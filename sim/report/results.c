/* SPDX-License-Identifier: GPL-2.0-or-later */
/* results.c - write beside, then rename */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/interrupt.h"
#include "sim/report/results.h"

/* Every name that some command writes into a result folder. */
static const char *const our_files[] = {
	"summary.json", "timing.json", "samples.tsv", "buddyinfo.tsv", "tax.tsv",
	"classes.tsv", "processes.tsv", "memory.tsv", "breakeven.tsv",
	"validation.json", "validation.tsv", "report.html", "figure-*.tsv", "bench.tsv",
	"*.svg", "*.png",
};

static char *concat(const char *a, const char *b, const char *c)
{
	size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
	char *all = malloc(size);

	if (all)
		snprintf(all, size, "%s%s%s", a, b, c);
	return all;
}

/* A name beside dir that no other process uses: "DIR.tmp-1234". */
static char *beside(const char *dir, const char *what)
{
	char pid[24];

	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	return concat(dir, what, pid);
}

static bool name_is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static bool name_is_ours(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(our_files); i++) {
		if (!fnmatch(our_files[i], name, 0))
			return true;
	}
	return false;
}

/* Whether a folder holds only what we write, its figures (JSON) included. */
static bool folder_is_ours(DIR *folder)
{
	bool summary = false, anything = false;
	const struct dirent *entry;

	while ((entry = readdir(folder))) {
		if (name_is_dots(entry->d_name))
			continue;
		anything = true;
		if (!name_is_ours(entry->d_name))
			return false;
		if (!strcmp(entry->d_name, "summary.json") ||
		    !strcmp(entry->d_name, "validation.json"))
			summary = true;
	}
	return summary || !anything;
}

/* The folder that will hold dir. */
static char *parent_of(const char *dir)
{
	const char *slash = strrchr(dir, '/');

	if (!slash)
		return strdup(".");
	return slash == dir ? strdup("/") : strndup(dir, (size_t)(slash - dir));
}

static char *strip_slashes(const char *dir)
{
	size_t len = strlen(dir);

	while (len > 1 && dir[len - 1] == '/')
		len--;
	return strndup(dir, len);
}

/* `dir` has no slash at its end. */
static int check_place(const char *dir, struct msg *msg)
{
	char *parent = parent_of(dir);
	struct stat st;
	DIR *folder;
	bool ours;

	if (!parent)
		return msg_set(msg, ENOMEM, "%s: no memory", dir);
	if (!strcmp(dir, "-")) {
		free(parent);
		return msg_set(msg, EINVAL,
			       "--output cannot be '-'; a result is a folder");
	}
	if (access(parent, W_OK | X_OK)) {
		int err = errno;

		msg_set(msg, err, "%s: cannot write a result folder here: %s",
			parent, strerror(err));
		free(parent);
		return -err;
	}
	free(parent);
	if (lstat(dir, &st))
		return errno == ENOENT ? 0 : msg_set(msg, errno, "%s: %s", dir,
						     strerror(errno));
	folder = S_ISDIR(st.st_mode) ? opendir(dir) : NULL;
	ours = folder && folder_is_ours(folder);
	if (folder)
		closedir(folder);
	if (!ours)
		return msg_set(msg, EEXIST,
			       "%s: exists and is no result folder of pagetax; expected such a folder or a new name",
			       dir);
	return 0;
}

int results_check(const char *dir, struct msg *msg)
{
	char *plain = strip_slashes(dir);
	int err = plain ? check_place(plain, msg)
			: msg_set(msg, ENOMEM, "%s: no memory", dir);

	free(plain);
	return err;
}

static void remove_folder(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;

	if (!folder)
		return;
	while ((entry = readdir(folder))) {
		if (!name_is_dots(entry->d_name))
			unlinkat(dirfd(folder), entry->d_name, 0);
	}
	closedir(folder);
	rmdir(path);
}

static void results_free(struct results *r)
{
	free(r->dir);
	free(r->tmp);
	*r = (struct results){ 0 };
}

int results_begin(struct results *r, const char *dir, struct msg *msg)
{
	int err;

	note_interrupts();
	r->partial = false;
	r->dir = strip_slashes(dir);
	r->tmp = r->dir ? beside(r->dir, ".tmp-") : NULL;
	if (!r->tmp) {
		results_free(r);
		return msg_set(msg, ENOMEM, "%s: no memory", dir);
	}
	err = check_place(r->dir, msg);
	if (!err && mkdir(r->tmp, 0777))
		err = msg_set(msg, errno, "%s: %s", r->tmp, strerror(errno));
	if (err)
		results_free(r);
	return err;
}

FILE *results_open(struct results *r, const char *name, struct msg *msg)
{
	char *path = concat(r->tmp, "/", name);
	FILE *file;

	assert(name_is_ours(name));
	if (!path) {
		msg_set(msg, ENOMEM, "%s/%s: no memory", r->dir, name);
		return NULL;
	}
	file = fopen(path, "w");
	if (!file)
		msg_set(msg, errno, "%s/%s: %s", r->dir, name, strerror(errno));
	free(path);
	errno = 0;			/* so that results_close() knows the first cause */
	return file;
}

int results_close(struct results *r, FILE *file, const char *name, int err,
		  struct msg *msg)
{
	if (ferror(file))
		err = errno ? -errno : -EIO;
	if (fclose(file))
		err = errno ? -errno : -EIO;
	return err ? msg_set(msg, -err, "%s/%s: %s", r->dir, name, strerror(-err)) : 0;
}

/* The temporary folder takes its place; an older one goes. */
static int commit(struct results *r, struct msg *msg)
{
	char *old = beside(r->dir, ".old-");
	bool had_old;
	int err = old ? check_place(r->dir, msg)
		      : msg_set(msg, ENOMEM, "%s: no memory", r->dir);

	if (err)
		goto free_old;
	had_old = !rename(r->dir, old);
	if (rename(r->tmp, r->dir)) {
		err = msg_set(msg, errno, "%s: %s", r->dir, strerror(errno));
		if (had_old && rename(old, r->dir))
			msg_set(msg, -err, "%s: %s; the older results are in %s",
				r->dir, strerror(-err), old);
	} else if (had_old) {
		remove_folder(old);
	}
free_old:
	free(old);
	return err;
}

int results_end(struct results *r, int err, struct msg *msg)
{
	if (!err && interrupted() && !r->partial)
		err = msg_set(msg, EINTR, "interrupted while writing %s", r->dir);
	if (!err)
		err = commit(r, msg);
	if (err)
		remove_folder(r->tmp);
	results_free(r);
	return err;
}
