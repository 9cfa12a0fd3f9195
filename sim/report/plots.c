/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plots.c - run gnuplot over each script */
#define _GNU_SOURCE			/* pipe2() */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/data_dir.h"
#include "sim/interrupt.h"
#include "sim/report/plots.h"
#include "sim/report/result.h"

extern char **environ;

const struct plot plots[] = {
	{ "tax", "tax.tsv", "allocatee_peak_bytes", "Memory tax by design",
	  "Metadata in percent of the machine's memory, each column at its peak. Memory parked in per-CPU lists is free memory and in no bar.",
	  true },
	{ "metadata", "samples.tsv", "allocatee_bytes", "Memory tax over time",
	  "Above all metadata, owners' objects included; below what is taken and given back while running, in powers of ten.",
	  true },
	{ "breakeven", "breakeven.tsv", "formula_bytes", "Break-even by mean folio size",
	  "Curves are the formula for memory full of folios, points the allocators themselves on a simulated machine.",
	  false },
	{ "contiguity", "samples.tsv", "share_2m", "Memory for huge pages over time",
	  "Share of free memory in blocks of 2 MiB and above. Equal curves lie on each other; their points stand apart.",
	  true },
	{ "unusable", "samples.tsv", "unusable_order10_permille", "Fragmentation over time",
	  "The kernel's unusable free space index: how much of the free memory lies in blocks too small for a request of order k.",
	  true },
	{ "buddyinfo", "samples.tsv", "free_order10_blocks", "Free memory by order over time",
	  "The larger the blocks, the lower they lie. The upper edge is all free memory.", true },
	{ "fragments", "samples.tsv", "free_order8_blocks", "Free memory in small blocks over time",
	  "Orders 0 to 8 only, which the scale of the picture above hides.", true },
	{ "memory", "memory.tsv", "look", "A picture of memory",
	  "Physical addresses against time. Movable blocks are plain, others lined, the stronger the fuller; dots mark stripes in which some page carries the allocator's own state. White is where there is no memory.",
	  true },
	{ "owners", "classes.tsv", "peak_bytes", "Who owns the pages",
	  "By class: pages in use, and the objects that owners keep where no descriptor holds their state.",
	  true },
	{ "validate", "validation.tsv", "time_ns", "Prediction and recording",
	  "Free blocks as predicted over those recorded.", false },
	{ "bench", "bench.tsv", "ns_per_op", "Nanoseconds per operation",
	  "Medians by pattern; the bar to the left of a point is what the memory itself takes.",
	  false },
	{ "figure-b1", "figure-b1.tsv", "map_in_order_gb", "Area maps and bitmaps",
	  "Bytes moved within arrays by 2^20 frees, and cache lines of bitmaps and hints, by size of the objects.",
	  false },
	{ "figure-b2", "figure-b2.tsv", "map_moved_entries", "Beside a half that stays full",
	  "Entries that an alloc moves within an area map, by size of the objects.",
	  false },
	{ "figure-b3", "figure-b3.tsv", "entries", "The alignment trap",
	  "What 2^15 objects of 4 bytes at multiples of 8 make the search look at.",
	  false },
	{ "figure-b4", "figure-b4.tsv", "units_used_min_percent", "How full memory is at the first failure",
	  "Units in use when a request of random size finds no room.", false },
	{ "figure-b5", "figure-b5.tsv", "depopulated_ratio", "Pages still held",
	  "11,000 groups are made and ten of eleven go, with and without giving pages back.",
	  false },
	{ "figure-b6", "figure-b6.tsv", "failed", "Mixed sizes and alignments",
	  "35,000 objects: how many failed, and how much of the chunks they fill.",
	  false },
	{ "figure-b7", "figure-b7.tsv", "run_units", "Where runs end",
	  "Interleaved bits, separate bits or a tree: words a claim writes, and metadata of a full range, by length of the runs.",
	  false },
	{ "figure-b8", "figure-b8.tsv", "waste_power_of_two_bytes", "When a tree is repaid",
	  "What powers of two waste on objects in flight, and what a tree of 2048 nodes takes.",
	  false },
	{ "figure-b9", "figure-b9.tsv", "v5_2_percent", "Refused though they would fit",
	  "Requests that some free run could hold, refused for what the hints say.",
	  false },
	{ "figure-b10", "figure-b10.tsv", "endless", "Two threads on one word",
	  "Orders of two threads' touches that go wrong, in percent of all orders there are.",
	  false },
	{ "figure-bytes", "figure-bytes.tsv", "unusable_2m_percent", "Bytes on a buddy's pages",
	  "Objects of 1 to 4096 bytes in slabs and in runs of units: pages held, metadata of both layers, holes in the buddy.",
	  false },
	{ .name = NULL },
};

static const char *const endings[] = { "svg", "png" };

const char *plots_dir(void)
{
	static struct data_dir dir = {
		.variable = "PAGETAX_PLOTS",
		.in_sources = "plots",
		.installed = PAGETAX_DATADIR "/plots",
		.proof = "common.gp",
	};

	return data_dir_find(&dir);
}

/* gnuplot does not tell what it could not print; our own output is checked. */
static void copy_to_stdout(int in)
{
	char bytes[4096];
	ssize_t nr;

	while ((nr = read(in, bytes, sizeof(bytes))) > 0)
		fwrite(bytes, 1, (size_t)nr, stdout);
}

/* Run `gnuplot -c SCRIPT OUTPUT RESULT`. 0, or a positive errno. */
static int run_gnuplot(char *script, char *output, char *result)
{
	char name[] = "gnuplot", option[] = "-c";
	char *argv[] = { name, option, script, output, result, NULL };
	posix_spawn_file_actions_t actions;
	int ends[2], status, err;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return errno;
	err = posix_spawn_file_actions_init(&actions);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	if (!err)
		err = posix_spawnp(&pid, name, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (!err)
		copy_to_stdout(ends[0]);
	close(ends[0]);
	if (err)
		return err;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return errno;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return ENOENT;
	return status ? EIO : 0;
}

const struct plot *plot_find(const char *name)
{
	for (const struct plot *plot = plots; plot->name; plot++) {
		if (!strcmp(plot->name, name))
			return plot;
	}
	return NULL;
}

/* Rather a word about an older result than gnuplot's. */
static int check_table(const struct plot *plot, const char *result_dir,
		       struct msg *msg)
{
	char path[4096];
	struct tsv_table table;
	int err;

	snprintf(path, sizeof(path), "%s/%s", result_dir, plot->table);
	err = tsv_read(&table, path);
	if (err == -ENOENT)
		return msg_set(msg, ENOENT, "%s: not there; expected the table of a result",
			       path);
	if (err)
		return msg_set(msg, EINVAL, "%s: rows do not fit the names of the columns",
			       path);
	if (!table.nr_rows)
		err = msg_set(msg, ENODATA, "%s: no rows in it", path);
	else if (tsv_column(&table, plot->column) < 0)
		err = msg_set(msg, ENODATA,
			      "%s: no column %s; this result is of an older version",
			      path, plot->column);
	tsv_table_free(&table);
	return err;
}

/*
 * gnuplot does not tell when a disk is full: a drawing that is whole ends as they
 * all do, but for the ends of lines.
 */
static bool drawing_is_whole(const char *path)
{
	static const char svg_end[] = "</svg>";
	static const char png_end[] = "IEND\xae\x42\x60\x82";
	char bytes[16];
	size_t nr = 0;
	FILE *in = fopen(path, "r");

	if (!in)
		return false;
	if (!fseek(in, -(long)sizeof(bytes), SEEK_END))
		nr = fread(bytes, 1, sizeof(bytes), in);
	fclose(in);
	while (nr && bytes[nr - 1] == '\n')
		nr--;
	return (nr >= strlen(svg_end) &&
		!memcmp(bytes + nr - strlen(svg_end), svg_end, strlen(svg_end))) ||
	       (nr >= strlen(png_end) &&
		!memcmp(bytes + nr - strlen(png_end), png_end, strlen(png_end)));
}

int plot_draw(const struct plot *plot, const char *output,
	      const char *result_dir, struct msg *msg)
{
	char script[4096], out[4096], result[4096];
	int err = check_table(plot, result_dir, msg);

	if (err)
		return err;
	snprintf(script, sizeof(script), "%s/%s.gp", plots_dir(), plot->name);
	snprintf(out, sizeof(out), "%s", output);
	snprintf(result, sizeof(result), "%s", result_dir);
	if (access(script, R_OK))
		return msg_set(msg, errno, "%s: %s", script, strerror(errno));
	err = run_gnuplot(script, out, result);
	if (!err && strcmp(output, "-") && !drawing_is_whole(output))
		err = ENOSPC;
	if (!err)
		return 0;
	if (strcmp(output, "-"))
		unlink(output);		/* rather none than half of one */
	if (err == ENOSPC)
		return msg_set(msg, err, "%s: gnuplot wrote it in part only, as when a disk is full",
			       output);
	if (err == ENOENT)
		return msg_set(msg, err, "gnuplot is not installed");
	return msg_set(msg, err, "%s failed on %s", script, result_dir);
}

bool plots_draw_one(const char *result_dir, const char *name)
{
	struct msg msg;

	for (size_t j = 0; j < ARRAY_SIZE(endings); j++) {
		char output[4096];

		if (interrupted())
			return false;
		snprintf(output, sizeof(output), "%s/%s.%s", result_dir, name,
			 endings[j]);
		if (plot_draw(plot_find(name), output, result_dir, &msg)) {
			fprintf(stderr, "pagetax: no plots: %s\n", msg.text);
			return false;
		}
	}
	return true;
}

void plots_draw(const char *result_dir)
{
	for (const struct plot *plot = plots; plot->name; plot++) {
		if (plot->of_every_result &&
		    !plots_draw_one(result_dir, plot->name))
			return;
	}
}
