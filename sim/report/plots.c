/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plots.c - run gnuplot over each script */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/interrupt.h"
#include "sim/report/plots.h"

extern char **environ;

static const char *const plot_names[] = {
	"buddyinfo", "fragments", "contiguity", "metadata", "tax",
};

static const char *const endings[] = { "svg", "png" };

const char *plots_dir(void)
{
	const char *dir = getenv("PAGETAX_PLOTS");

	if (dir && *dir)
		return dir;
	if (!access("plots/common.gp", R_OK))
		return "plots";
	return PAGETAX_DATADIR "/plots";
}

/* Run `gnuplot -c SCRIPT OUTPUT RESULT`. 0, or a positive errno. */
static int run_gnuplot(char *script, char *output, char *result)
{
	char name[] = "gnuplot", option[] = "-c";
	char *argv[] = { name, option, script, output, result, NULL };
	int status, err;
	pid_t pid;

	err = posix_spawnp(&pid, name, NULL, NULL, argv, environ);
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

static int draw(const char *result_dir, const char *name, const char *ending)
{
	char script[4096], output[4096], result[4096];
	int err;

	snprintf(script, sizeof(script), "%s/%s.gp", plots_dir(), name);
	snprintf(output, sizeof(output), "%s/%s.%s", result_dir, name, ending);
	snprintf(result, sizeof(result), "%s", result_dir);
	if (access(script, R_OK)) {
		fprintf(stderr, "pagetax: no plots: %s: %s\n", script,
			strerror(errno));
		return -1;
	}
	err = run_gnuplot(script, output, result);
	if (err == ENOENT)
		fprintf(stderr, "pagetax: no plots: gnuplot is not installed\n");
	else if (err)
		fprintf(stderr, "pagetax: no plots: %s failed\n", script);
	if (err)
		unlink(output);		/* rather none than half of one */
	return err;
}

bool plots_draw_one(const char *result_dir, const char *name)
{
	for (size_t j = 0; j < ARRAY_SIZE(endings); j++)
		if (interrupted() || draw(result_dir, name, endings[j]))
			return false;
	return true;
}

void plots_draw(const char *result_dir)
{
	for (size_t i = 0; i < ARRAY_SIZE(plot_names); i++)
		if (!plots_draw_one(result_dir, plot_names[i]))
			return;
}
