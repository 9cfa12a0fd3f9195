/* SPDX-License-Identifier: GPL-2.0-or-later */
/* progress.c - the line that says how far a run is */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sim/host_memory.h"
#include "sim/interrupt.h"
#include "sim/report/progress.h"
#include "sim/units.h"
#include "sim/wall_clock.h"

#define REFRESH_S 0.1
#define FORECAST_S 1			/* no time left is told from less */

/* Whether standard error is a terminal that can wipe a line. */
static bool can_wipe(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
}

/* In place of the line before; cut, as a line that goes on in the next stays. */
__attribute__((format(printf, 1, 2)))
static void show(const char *format, ...)
{
	char line[512];
	struct winsize window;
	int width = sizeof(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &window) && window.ws_col)
		width = window.ws_col - 1;
	fprintf(stderr, "\r\033[K%.*s", width, line);
}

void progress_start(struct progress *p, bool wanted, unsigned int total)
{
	*p = (struct progress){
		.shown = wanted && can_wipe(),
		.total = total,
		.begin_s = wall_clock_s(),
	};
}

void progress_note(const struct progress *p, const char *what)
{
	if (p->shown)
		show("%s", what);
}

static bool progress_is_due(struct progress *p, double *now_s)
{
	if (!p->shown)
		return false;
	*now_s = wall_clock_s();
	if (*now_s < p->last_s + REFRESH_S)
		return false;
	p->last_s = *now_s;
	return true;
}

bool progress_show(void *progress, const char *allocator, uint64_t ops,
		   uint64_t nr_ops)
{
	struct progress *p = progress;
	double now_s;

	if (!progress_is_due(p, &now_s))
		return !interrupted();
	show("%u/%u %s: %.0f %%, %.1f M operations/s", p->done + 1, p->total, allocator,
	     nr_ops ? 100.0 * (double)ops / (double)nr_ops : 100.0,
	     1e-6 * (double)ops / (now_s - p->begin_s + 1e-9));
	return !interrupted();
}

void progress_boot(const struct progress *p, const char *allocator)
{
	if (p->shown)
		show("%u/%u %s: booting", p->done + 1, p->total, allocator);
}

bool progress_show_time(void *progress, const char *allocator, uint64_t now_ns,
			uint64_t end_ns, uint64_t ops)
{
	struct progress *p = progress;
	double now_s, gone_s;
	char memory[32], left[32] = "";

	if (!progress_is_due(p, &now_s))
		return !interrupted();
	if (!p->booted) {
		p->booted = true;
		p->begin_s = now_s;
		p->begin_ns = now_ns;
		p->begin_ops = ops;
		return !interrupted();
	}
	gone_s = now_s - p->begin_s;
	if (gone_s >= FORECAST_S && now_ns > p->begin_ns)
		snprintf(left, sizeof(left), ", %.0f s left",
			 gone_s * (double)(end_ns - now_ns) / (double)(now_ns - p->begin_ns));
	show("%u/%u %s: %.2f of %.2f s, %.1f M events/s, %s in use%s",
	     p->done + 1, p->total, allocator, 1e-9 * (double)now_ns,
	     1e-9 * (double)end_ns, 1e-6 * (double)(ops - p->begin_ops) / gone_s,
	     format_bytes(host_memory_used(), memory, sizeof(memory)), left);
	return !interrupted();
}

void progress_next(void *progress)
{
	struct progress *p = progress;

	p->done++;
	p->booted = false;
	p->begin_s = wall_clock_s();
}

void progress_end(const struct progress *p)
{
	if (p->shown)
		show("%s", "");
}
