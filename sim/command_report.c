/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command_report.c - pagetax report and pagetax plot: results for people
 *
 *    results -> their allocators -> break-even, simulated now
 *            -> drawings in a scratch folder -> report.html
 *
 * A plot of several results is drawn from one table that holds the rows of
 * all, with allocators named `linked@result`.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc/registry.h"
#include "base/nearest.h"
#include "sim/commands.h"
#include "sim/interrupt.h"
#include "sim/output.h"
#include "sim/report/plots.h"
#include "sim/report/report.h"

struct reporting {
	const struct options *options;
	struct result *results;
	unsigned int nr_results;
	struct breakeven breakeven;
	char scratch[4096];
};

static int load_results(struct reporting *r, struct msg *msg)
{
	int nr = r->options->nr_args;

	r->results = calloc((size_t)nr, sizeof(*r->results));
	if (!r->results)
		return msg_set(msg, ENOMEM, "no memory for %d results", nr);
	for (int i = 0; i < nr; i++) {
		int err = result_load(&r->results[i], r->options->args[i], msg);

		if (err)
			return err;
		r->nr_results++;
	}
	return 0;
}

/* Every allocator of the results that this program knows, once. */
static unsigned int collect_specs(const struct reporting *r, char **specs)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < r->nr_results; i++) {
		for (unsigned int run = 0; run < r->results[i].nr_runs; run++) {
			const char *spec = result_allocator(&r->results[i], run);
			unsigned int known = 0;

			while (known < nr && strcmp(specs[known], spec))
				known++;
			if (known == nr && registry_find(spec))
				specs[nr++] = (char *)(uintptr_t)spec;
		}
	}
	return nr;
}

/* What owners kept in the first result, where the command line says nothing. */
static struct allocatee_table owners_of(const struct reporting *r)
{
	struct allocatee_table table = r->options->allocatees;
	const json_t *bytes = json_object_get(
		json_object_get(r->results[0].summary, "allocatee"), "bytes");

	if (r->options->allocatees_given)
		return table;
	for (unsigned int c = 0; c < NR_ALLOCATEES; c++) {
		double size = json_number_at(bytes, allocatee_names[c], NULL);

		if (size >= 0 && size <= (double)PAGE_SIZE)
			table.bytes[c] = (unsigned int)size;
	}
	return table;
}

static int run_breakeven(struct reporting *r, struct msg *msg)
{
	const struct allocatee_table owners = owners_of(r);
	unsigned int nr = 0;
	char **specs;
	int err;

	for (unsigned int i = 0; i < r->nr_results; i++)
		nr += r->results[i].nr_runs;
	specs = calloc(nr + 1, sizeof(*specs));
	if (!specs)
		return msg_set(msg, ENOMEM, "no memory for the break-even");
	nr = collect_specs(r, specs);
	err = breakeven_run(&r->breakeven, specs, nr, BREAKEVEN_BYTES,
			    r->options->seed, &owners, NULL, msg);
	free(specs);
	return err;
}

/* It goes again whatever happens, an interrupt included. */
static int open_scratch(struct reporting *r, struct msg *msg)
{
	const char *tmp = getenv("TMPDIR");

	note_interrupts();
	snprintf(r->scratch, sizeof(r->scratch), "%s/pagetax-XXXXXX",
		 tmp && *tmp ? tmp : "/tmp");
	if (mkdtemp(r->scratch))
		return 0;
	msg_set(msg, errno, "%s: %s", r->scratch, strerror(errno));
	*r->scratch = '\0';
	return -EIO;
}

static void scratch_file(const struct reporting *r, const char *name, char *path,
			 size_t size)
{
	snprintf(path, size, "%s/%s", r->scratch, name);
}

/* What a plot is drawn into, by the ending of its output. */
static const char *const drawings[] = { "drawing.svg", "drawing.png" };

static const char *drawing_name(const char *output)
{
	return drawings[!strcmp(output + strlen(output) - 4, ".png")];
}

static void close_reporting(struct reporting *r)
{
	char path[4200];

	for (const struct plot *plot = plots; *r->scratch && plot->name; plot++) {
		scratch_file(r, plot->table, path, sizeof(path));
		unlink(path);
	}
	for (size_t i = 0; *r->scratch && i < ARRAY_SIZE(drawings); i++) {
		scratch_file(r, drawings[i], path, sizeof(path));
		unlink(path);
	}
	if (*r->scratch)
		rmdir(r->scratch);
	breakeven_free(&r->breakeven);
	for (unsigned int i = 0; i < r->nr_results; i++)
		result_free(&r->results[i]);
	free(r->results);
}

/* Close a file and say what went wrong with it, if anything did. */
static int close_file(FILE *file, const char *path, struct msg *msg)
{
	bool failed = ferror(file);

	if (fclose(file) || failed)
		return msg_set(msg, errno ? errno : EIO, "%s: %s", path,
			       strerror(errno ? errno : EIO));
	return 0;
}

static int write_breakeven(const struct reporting *r, struct msg *msg)
{
	char path[4200];
	FILE *out;

	scratch_file(r, "breakeven.tsv", path, sizeof(path));
	out = fopen(path, "w");
	if (!out)
		return msg_set(msg, errno, "%s: %s", path, strerror(errno));
	breakeven_write_tsv(out, &r->breakeven);
	return close_file(out, path, msg);
}

/* The page as text in memory; the caller frees it. */
static int make_page(const struct reporting *r, char **page, size_t *len,
		     struct msg *msg)
{
	const struct report report = {
		.results = r->results,
		.nr_results = r->nr_results,
		.breakeven = &r->breakeven,
		.scratch = r->scratch,
	};
	FILE *out = open_memstream(page, len);
	int err = out ? report_write(out, &report, msg) : 0;

	if ((!out || fclose(out)) && !err)
		err = msg_set(msg, ENOMEM, "no memory for the report");
	return err;
}

/* What was made for the file becomes it, unless making it failed or was interrupted. */
static int end_output(struct output *out, const char *path, int err, struct msg *msg)
{
	if (!err && interrupted())
		err = msg_set(msg, EINTR, "interrupted while writing %s", path);
	if (!err)
		return output_commit(out, msg);
	output_abort(out);
	return err;
}

/* Whether it can be written is asked before all the work. */
static int write_page(const struct reporting *r, const char *path, struct msg *msg)
{
	struct output *out;
	char *page = NULL;
	size_t len;
	int err = output_open(&out, path, false, msg);

	if (err)
		return err;
	err = make_page(r, &page, &len, msg);
	if (!err)
		output_write(out, page, len);
	err = end_output(out, path, err, msg);
	free(page);
	return err;
}

enum status command_report(const struct options *o, struct msg *msg)
{
	struct reporting r = { .options = o };
	char path[4200];
	int err = load_results(&r, msg);

	if (!err)
		err = run_breakeven(&r, msg);
	if (!err)
		err = open_scratch(&r, msg);
	if (!err)
		err = write_breakeven(&r, msg);
	if (!err) {
		if (o->output)
			snprintf(path, sizeof(path), "%s", o->output);
		else
			snprintf(path, sizeof(path), "%s/report.html",
				 r.results[0].path);
		err = write_page(&r, path, msg);
	}
	if (!err && !o->quiet && strcmp(path, "-"))
		printf("%s\n", path);
	close_reporting(&r);
	return err ? STATUS_FAILED : STATUS_DONE;
}

/* ---- one plot ---- */

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* What a result is called: the last part of its path; all of it if another's ends so. */
static const char *label_of(const struct reporting *r, unsigned int result)
{
	const char *path = r->results[result].path, *label = last_part(path);

	for (unsigned int i = 0; i < r->nr_results; i++) {
		if (i != result && !strcmp(last_part(r->results[i].path), label))
			return path;
	}
	return label;
}

/* gnuplot cuts its list of names at blanks, and keeps together what is in quotes. */
static void print_label(FILE *out, const char *label)
{
	for (; *label; label++)
		fputc(strchr(" \t\n\"'", *label) ? '_' : *label, out);
}

/* Append the rows of one result's table, after its names if it is the first. */
static int append_rows(FILE *out, const struct reporting *r, unsigned int i,
		       const struct plot *plot, struct msg *msg)
{
	const struct result *result = &r->results[i];
	char path[4200];
	struct tsv_table t;

	snprintf(path, sizeof(path), "%s/%s", result->path, plot->table);
	if (tsv_read(&t, path))
		return msg_set(msg, ENOENT, "%s: not there, or no table", path);
	if (tsv_column(&t, "allocator") != 0 || tsv_column(&t, plot->column) < 0) {
		tsv_table_free(&t);
		return msg_set(msg, EINVAL,
			       "%s: no column %s; this result is of an older version",
			       path, plot->column);
	}
	for (unsigned int row = i ? 1 : 0; row <= t.nr_rows; row++) {
		for (unsigned int c = 0; c < t.nr_columns; c++) {
			fprintf(out, "%s%s", c ? "\t" : "",
				t.cells[(size_t)row * t.nr_columns + c]);
			if (row && !c) {
				fputc('@', out);
				print_label(out, label_of(r, i));
			}
		}
		fputc('\n', out);
	}
	tsv_table_free(&t);
	return 0;
}

static int join_tables(const struct reporting *r, const struct plot *plot,
		       struct msg *msg)
{
	char path[4200];
	FILE *out;
	int err = 0, close_err;

	scratch_file(r, plot->table, path, sizeof(path));
	out = fopen(path, "w");
	if (!out)
		return msg_set(msg, errno, "%s: %s", path, strerror(errno));
	for (unsigned int i = 0; i < r->nr_results && !err; i++)
		err = append_rows(out, r, i, plot, msg);
	close_err = close_file(out, path, err ? NULL : msg);
	return err ? err : close_err;
}

/* Copy a whole file to the output. */
static int copy_file(struct output *out, const char *path, struct msg *msg)
{
	FILE *file = fopen(path, "rb");
	char piece[65536];
	size_t n;
	bool failed;

	if (!file)
		return msg_set(msg, errno, "%s: %s", path, strerror(errno));
	while ((n = fread(piece, 1, sizeof(piece), file)))
		output_write(out, piece, n);
	failed = ferror(file);
	fclose(file);
	return failed ? msg_set(msg, EIO, "%s: cannot be read", path) : 0;
}

/* Drawn in the scratch folder: what fails leaves an older plot as it was. */
static int draw_file(const struct reporting *r, const struct plot *plot,
		     const char *path, const char *folder, struct msg *msg)
{
	char drawing[4200];
	struct output *out;
	int err = output_open(&out, path, false, msg);

	if (err)
		return err;
	scratch_file(r, drawing_name(path), drawing, sizeof(drawing));
	err = plot_draw(plot, drawing, folder, msg);
	if (!err)
		err = copy_file(out, drawing, msg);
	return end_output(out, path, err, msg);
}

static int make_plot(struct reporting *r, const struct plot *plot,
		     struct msg *msg)
{
	const char *output = r->options->output ? r->options->output : "-";
	bool breakeven = !strcmp(plot->name, "breakeven");
	/* Else a folder's table is enough: that of validate holds no runs. */
	bool of_runs = breakeven || r->options->nr_args > 1;
	const char *folder = of_runs ? r->scratch : r->options->args[0];
	int err = of_runs ? load_results(r, msg) : 0;

	if (!err)
		err = open_scratch(r, msg);
	if (!err && breakeven)
		err = run_breakeven(r, msg);
	if (!err && breakeven)
		err = write_breakeven(r, msg);
	else if (!err && of_runs)
		err = join_tables(r, plot, msg);
	if (err)
		return err;
	return strcmp(output, "-") ? draw_file(r, plot, output, folder, msg)
				   : plot_draw(plot, output, folder, msg);
}

static enum status unknown_plot(const char *name, struct msg *msg)
{
	struct nearest near = nearest_to(name, strlen(name));

	for (const struct plot *plot = plots; plot->name; plot++)
		nearest_try(&near, plot->name);
	msg_set(msg, EINVAL, "no plot '%s'%s; allowed are %s", name,
		nearest_hint(&near), near.tried.text);
	return STATUS_USAGE;
}

enum status command_plot(const struct options *o, struct msg *msg)
{
	const struct plot *plot = plot_find(o->args[0]);
	struct options results = *o;
	struct reporting r = { .options = &results };
	size_t len = o->output ? strlen(o->output) : 0;
	int err;

	if (!plot)
		return unknown_plot(o->args[0], msg);
	if (o->output && strcmp(o->output, "-") &&
	    (len < 5 || (strcmp(o->output + len - 4, ".svg") &&
			 strcmp(o->output + len - 4, ".png")))) {
		msg_set(msg, EINVAL,
			"--output cannot be '%s'; a plot ends in .svg or .png, or is - for letters on the terminal",
			o->output);
		return STATUS_USAGE;
	}
	results.args++;
	results.nr_args--;
	err = make_plot(&r, plot, msg);
	close_reporting(&r);
	return err ? STATUS_FAILED : STATUS_DONE;
}
