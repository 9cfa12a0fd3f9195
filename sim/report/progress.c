/* SPDX-License-Identifier: GPL-2.0-or-later */
/* progress.c - the line that says how far a run is */
#include <stdio.h>
#include <unistd.h>

#include "sim/host_memory.h"
#include "sim/interrupt.h"
#include "sim/report/progress.h"
#include "sim/units.h"
#include "sim/wall_clock.h"

#define REFRESH_S 0.1
#define FORECAST_S 1			/* no time left is told from less */

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
	fprintf(stderr, "\r\033[K%u/%u %s: %.0f %%, %.1f M operations/s",
		p->done + 1, p->total, allocator,
		nr_ops ? 100.0 * (double)ops / (double)nr_ops : 100.0,
		1e-6 * (double)ops / (now_s - p->begin_s + 1e-9));
	return !interrupted();
}

void progress_boot(const struct progress *p, const char *allocator)
{
	if (p->shown)
		fprintf(stderr, "\r\033[K%u/%u %s: booting", p->done + 1, p->total,
			allocator);
}

bool progress_show_time(void *progress, const char *allocator, uint64_t now_ns,
			uint64_t end_ns, uint64_t ops)
{
	struct progress *p = progress;
	double now_s, gone_s;
	char memory[32];

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
	fprintf(stderr, "\r\033[K%u/%u %s: %.2f of %.2f s, %.1f M events/s, %s in use",
		p->done + 1, p->total, allocator, 1e-9 * (double)now_ns,
		1e-9 * (double)end_ns, 1e-6 * (double)(ops - p->begin_ops) / gone_s,
		format_bytes(host_memory_used(), memory, sizeof(memory)));
	if (gone_s >= FORECAST_S && now_ns > p->begin_ns)
		fprintf(stderr, ", %.0f s left",
			gone_s * (double)(end_ns - now_ns) / (double)(now_ns - p->begin_ns));
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
		fprintf(stderr, "\r\033[K");
}
