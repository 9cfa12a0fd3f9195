/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_fuzz.c - what the fuzz programs share */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/commands.h"
#include "sim/source/bundle.h"
#include "tests/sim_fuzz.h"

#define SMALL_PAGES (1ul << 15)	/* what makes a replay take milliseconds */

static void *must(void *allocated)
{
	if (!allocated)
		abort();
	return allocated;
}

void fuzz_answer(int err, const struct msg *msg)
{
	bool printable = *msg->text != '\0';

	if (!err)
		return;
	for (const char *p = msg->text; *p; p++)
		printable = printable && (unsigned char)*p >= ' ';
	if (err < 0 && printable)
		return;
	fprintf(stderr, "answer %d with \"%s\"; expected a line of text\n", err, msg->text);
	abort();
}

int fuzz_trace(const void *head, size_t head_len, const uint8_t *data, size_t len)
{
	uint8_t *bytes = must(malloc(head_len + len + 1));
	struct msg msg = { "" };
	struct trace trace;
	int err;

	if (head_len)
		memcpy(bytes, head, head_len);
	if (len)
		memcpy(bytes + head_len, data, len);
	err = trace_read_memory(&trace, "input", bytes, head_len + len, 0, &msg);
	fuzz_answer(err, &msg);
	if (!err)
		trace_free(&trace);
	free(bytes);
	return 0;
}

static void replay(const char *path)
{
	char *argv[] = {
		(char *)"pagetax", (char *)"replay", (char *)"-q", (char *)"-j1",
		(char *)"--check", (char *)"--teardown",
		(char *)"-a", (char *)"linked,twoword", (char *)(uintptr_t)path,
	};
	struct msg msg = { "" };

	fuzz_answer(pagetax_run(ARRAY_SIZE(argv), argv, &msg) ? -1 : 0, &msg);
	if (!strstr(msg.text, "not verified"))
		return;
	fprintf(stderr, "%s\n", msg.text);
	abort();
}

void fuzz_recording(const char *path)
{
	struct msg msg = { "" };
	struct bundle b;
	int err = bundle_read(&b, path, 0, &msg);
	bool small;

	fuzz_answer(err, &msg);
	if (err)
		return;
	small = layout_end_pfn(&b.layout) <= SMALL_PAGES && b.layout.nr_cpus <= 16;
	bundle_free(&b);
	if (small)
		replay(path);
}

static void write_all(int fd, const uint8_t *data, size_t len)
{
	if (ftruncate(fd, 0) || pwrite(fd, data, len, 0) != (ssize_t)len)
		abort();
}

const char *fuzz_file(const uint8_t *data, size_t len)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("fuzz", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	write_all(fd, data, len);
	return path;
}

char *fuzz_text(const uint8_t *data, size_t len)
{
	char *text = must(malloc(len + 1));
	size_t nr = 0;

	for (size_t i = 0; i < len; i++)
		if (data[i])
			text[nr++] = (char)data[i];
	text[nr] = '\0';
	return text;
}

/* ---- a folder ---- */

static char folder[256];

static void remove_folder(void)
{
	rmdir(folder);
}

static void make_folder(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/pagetax-fuzz.XXXXXX", tmp ? tmp : "/tmp");
	must(mkdtemp(folder));
	atexit(remove_folder);
}

static void write_file(const char *name, const uint8_t *data, size_t len)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = must(fopen(path, "wb"));
	if ((len && fwrite(data, 1, len, file) != len) || fclose(file))
		abort();
}

/* The next "==> NAME <==" line at or behind p; its name is NULL at the end. */
struct heading {
	const uint8_t *begin;		/* of its line, the end of the file before */
	const uint8_t *end;		/* behind its line */
	const char *name;		/* of those given */
};

static struct heading next_heading(const uint8_t *p, const uint8_t *end,
				   const char *const *names, size_t nr_names)
{
	for (; p < end; p++) {
		const uint8_t *line = memmem(p, (size_t)(end - p), "==> ", 4);
		char text[64];

		if (!line)
			break;
		for (size_t i = 0; i < nr_names; i++) {
			size_t len = (size_t)snprintf(text, sizeof(text), "==> %s <==\n",
						      names[i]);

			if ((size_t)(end - line) >= len && !memcmp(line, text, len))
				return (struct heading){ line, line + len, names[i] };
		}
		p = line;
	}
	return (struct heading){ end, end, NULL };
}

const char *fuzz_folder(const uint8_t *data, size_t len,
			const char *const *names, size_t nr_names)
{
	const uint8_t *end = data + len;
	struct heading at;

	if (!*folder)
		make_folder();
	for (size_t i = 0; i < nr_names; i++) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	at = next_heading(data, end, names, nr_names);
	while (at.name) {
		struct heading next = next_heading(at.end, end, names, nr_names);

		write_file(at.name, at.end, (size_t)(next.begin - at.end));
		at = next;
	}
	return folder;
}
