/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command_bytes.c - pagetax bytes: objects of described sizes, in byte mode
 *
 * Each named range, or all, and both kinds of slabs serve the same objects from
 * pages of a simulated buddy (bench/byte_stage.h has the load). The totals
 * are on two buddies: one whose descriptors lend words, and one that has none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/registry.h"
#include "sim/bench/byte_stage.h"
#include "sim/commands.h"

#define FILL_BYTES (UINT64_C(32) << 20)
#define MAX_OBJECTS ((size_t)1 << 17)
#define DEFAULT_SIZES "uniform min=1 max=4096"

/* "lognormal median=96 sigma=1", or the quantiles "table 8 32 64 192 4096". */
static int sizes_parse(struct distribution *d, const char *text, struct msg *msg)
{
	const size_t word = strcspn(text, " \t");
	char *copy = strdup(text), *points = NULL;
	int err;

	if (!copy)
		return msg_set(msg, ENOMEM, "no memory");
	if (copy[word] && word == strlen("table") && !strncmp(copy, "table", word)) {
		copy[word] = '\0';
		points = copy + word + 1;
	}
	err = distribution_parse(d, copy, PARAM_COUNT, msg);
	if (!err && points)
		err = distribution_add_points(d, points, PARAM_COUNT, msg);
	if (!err)
		err = distribution_check(d, msg);
	if (err) {
		struct msg why = *msg;

		msg_set(msg, EINVAL, "--sizes: %s", why.text);
	}
	free(copy);
	return err;
}

static void print_header(void)
{
	printf("%-30s %-11s %8s %7s %9s %7s %8s %10s %11s %9s\n", "", "", "", "",
	       "held", "used", "own tax", "all, linked", "all, twoword", "free not");
	printf("%-30s %-11s %8s %7s %9s %7s %8s %11s %12s %9s\n", "served by", "when",
	       "objects", "failed", "MiB", "%", "%", "%", "%", "in 2 MiB %");
}

static void print_rows(const char *name, const struct byte_standing *on_linked,
		       const struct byte_standing *on_twoword)
{
	for (enum byte_moment m = 0; m < NR_BYTE_MOMENTS; m++) {
		const struct byte_standing *st = &on_linked[m];

		printf("%-30s %-11s %8zu %7zu %9.1f %7.2f %8.3f %11.3f %12.3f %9.1f\n",
		       m ? "" : name, byte_moment_names[m], st->nr_objects,
		       st->nr_failed, st->held / (1 << 20), st->used,
		       byte_total_percent(st, false) - st->descriptors,
		       byte_total_percent(st, true),
		       byte_total_percent(&on_twoword[m], false), st->unusable);
	}
}

static int run_kind(const struct byte_load *load, const struct byte_kind *kind,
		    struct msg *msg)
{
	struct byte_standing on_linked[NR_BYTE_MOMENTS], on_twoword[NR_BYTE_MOMENTS];
	int err = byte_stage_run(load, kind, "linked", on_linked, msg);

	if (!err)
		err = byte_stage_run(load, kind, "twoword", on_twoword, msg);
	if (!err)
		print_rows(kind->name, on_linked, on_twoword);
	return err;
}

/* Slabs always stand beside what was named. */
static int run_kinds(const struct byte_load *load, const struct options *o,
		     struct msg *msg)
{
	struct byte_kind kind;
	int err = 0;

	for (const struct byte_kind *k = byte_kinds; !err && k->name; k++)
		if (!o->nr_args || !k->plan.spec)
			err = run_kind(load, k, msg);
	for (int i = 0; !err && i < o->nr_args; i++) {
		err = byte_kind_of(&kind, o->args[i], msg);
		if (!err)
			err = run_kind(load, &kind, msg);
	}
	return err;
}

/* What was named must be there, and know its options, before the first runs. */
static int check_names(const struct options *o, struct msg *msg)
{
	int err = 0;

	for (int i = 0; !err && i < o->nr_args; i++) {
		const struct allocator_ops *ops = registry_find(o->args[i]);
		const char *text = strchr(o->args[i], ':');
		struct option_set set;
		struct byte_kind kind;

		err = byte_kind_of(&kind, o->args[i], msg);
		if (!err)
			err = option_parse(&set, ops->options, ops->name,
					   text ? text + 1 : NULL, msg);
	}
	return err;
}

enum status command_bytes(const struct options *o, struct msg *msg)
{
	struct distribution sizes = { 0 };
	const struct byte_load load = {
		.memory_bytes = 2 * FILL_BYTES,
		.fill_bytes = FILL_BYTES,
		.max_objects = MAX_OBJECTS,
		.sizes = &sizes,
		.turn_over = true,
		.seed = o->seed,
	};
	enum status status = STATUS_USAGE;
	int err;

	if (!check_names(o, msg) &&
	    !sizes_parse(&sizes, o->sizes ? o->sizes : DEFAULT_SIZES, msg)) {
		print_header();
		err = run_kinds(&load, o, msg);
		status = !err ? STATUS_DONE :
			 err == -EINVAL ? STATUS_USAGE : STATUS_FAILED;
	}
	distribution_free(&sizes);
	return status;
}
