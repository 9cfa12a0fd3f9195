/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * commands.h - what pagetax can be told to do
 *
 * A command is one file and one line in commands.c. It never exits: it
 * returns the status of the process and, if that is not 0, one message.
 */
#ifndef PAGETAX_SIM_COMMANDS_H
#define PAGETAX_SIM_COMMANDS_H

#include "sim/options.h"

enum status {
	STATUS_DONE   = 0,
	STATUS_FAILED = 1,		/* the run: input, output, memory, a broken invariant */
	STATUS_USAGE  = 2,		/* what was asked for cannot be */
};

struct command {
	const char *name;
	const char *args;		/* as a usage line shows them */
	const char *summary;
	int min_args, max_args;
	uint64_t options;		/* OPT() of each it takes; help comes on top */
	enum status (*run)(const struct options *o, struct msg *msg);
};

/* Ends with a NULL name. */
extern const struct command commands[];

/*
 * The whole program but for the process around it: argv as main() got it.
 * Prints to standard output; the caller prints the message.
 */
enum status pagetax_run(int argc, char **argv, struct msg *msg);

enum status command_replay(const struct options *o, struct msg *msg);
enum status command_breakeven(const struct options *o, struct msg *msg);
enum status command_compare(const struct options *o, struct msg *msg);
enum status command_fit(const struct options *o, struct msg *msg);
enum status command_simulate(const struct options *o, struct msg *msg);
enum status command_validate(const struct options *o, struct msg *msg);
enum status command_report(const struct options *o, struct msg *msg);
enum status command_figures(const struct options *o, struct msg *msg);
enum status command_plot(const struct options *o, struct msg *msg);
enum status command_info(const struct options *o, struct msg *msg);
enum status command_convert(const struct options *o, struct msg *msg);
enum status command_bench(const struct options *o, struct msg *msg);
enum status command_bytes(const struct options *o, struct msg *msg);
enum status command_list(const struct options *o, struct msg *msg);

#endif
