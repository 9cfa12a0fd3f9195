/* SPDX-License-Identifier: GPL-2.0-or-later */
/* progress.c - the line that says how far a run is */
#include <stdio.h>
#include <unistd.h>

#include "sim/report/progress.h"
#include "sim/wall_clock.h"

#define REFRESH_S 0.1

void progress_start(struct progress *p, bool wanted, unsigned int total)
{
	*p = (struct progress){
		.shown = wanted && isatty(STDERR_FILENO),
		.total = total,
		.begin_s = wall_clock_s(),
	};
}

void progress_note(const struct progress *p, const char *what)
{
	if (p->shown)
		fprintf(stderr, "\r\033[K%s", what);
}

void progress_show(struct progress *p, const char *allocator, uint64_t ops,
		   uint64_t nr_ops)
{
	double now_s;

	if (!p->shown)
		return;
	now_s = wall_clock_s();
	if (now_s < p->last_s + REFRESH_S)
		return;
	p->last_s = now_s;
	fprintf(stderr, "\r\033[K%u/%u %s: %.0f %%, %.1f M operations/s",
		p->done + 1, p->total, allocator,
		nr_ops ? 100.0 * (double)ops / (double)nr_ops : 100.0,
		1e-6 * (double)ops / (now_s - p->begin_s + 1e-9));
}

void progress_next(struct progress *p)
{
	p->done++;
	p->begin_s = wall_clock_s();
}

void progress_end(const struct progress *p)
{
	if (p->shown)
		fprintf(stderr, "\r\033[K");
}
