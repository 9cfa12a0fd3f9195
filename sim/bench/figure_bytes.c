/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * figure_bytes.c - bytes: runs of units against slabs, on the same buddy
 *
 *    objects        1 to 4096 bytes, drawn alike for all
 *    what serves    a range of units, or slabs        its tax by column
 *    pages          drawn from a simulated buddy      its descriptors, and what
 *                                                     holes it is left with
 *
 * Memory is filled to FILL_BYTES of requests; then half of the objects, picked
 * at random, are freed. genalloc and nta draw blocks of pages; percpu maps
 * single pages into chunks of 64, and gives back what it depopulates.
 *
 *    used       bytes asked for, in percent of the pages held
 *    metadata   in percent of the pages held, by column
 *    total      all of it and the descriptors of the pages held, on `linked`,
 *               whose 64 bytes hold what is borrowed, and on `twoword`, beside
 *               whose 16 bytes it has to be kept
 *    unusable   of the buddy's free memory, what is not in blocks of 2 MiB
 *
 * Published, of powers of two: three quarters of what they hand out is what was
 * asked for. That slabs of equal objects are the fairer thing to be measured
 * by was an objection of 2006; here they stand beside them.
 */
#include "sim/bench/byte_stage.h"
#include "sim/bench/figures.h"

#define MEMORY_BYTES (UINT64_C(64) << 20)
#define FILL_BYTES (UINT64_C(32) << 20)
#define MAX_OBJECTS (FILL_BYTES / 1024)
#define POWERS_OF_2 0			/* its place among the kinds */

static const char *const buddies[] = { "linked", "twoword" };

static void row(struct figure_run *f, const char *name, enum byte_moment when,
		const struct byte_standing on[ARRAY_SIZE(buddies)][NR_BYTE_MOMENTS])
{
	const struct byte_standing *st = &on[0][when];

	figure_row(f, "%s\t%s\t%zu\t%.1f\t%.2f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.2f\t%.2f\t%.1f",
		   name, byte_moment_names[when], st->nr_objects,
		   st->held / (1 << 20), st->used, st->meta[META_structures],
		   st->meta[META_nodes], st->meta[META_caller],
		   st->meta[META_borrowed], st->meta[META_inband],
		   byte_total_percent(&on[0][when], true),
		   byte_total_percent(&on[1][when], false), st->unusable);
}

static int run(struct figure_run *f, struct msg *msg)
{
	const struct distribution sizes = {
		.kind = DISTRIBUTION_UNIFORM, .a = 1, .b = PAGE_SIZE,
	};
	const struct byte_load load = {
		.memory_bytes = MEMORY_BYTES,
		.fill_bytes = FILL_BYTES,
		.max_objects = MAX_OBJECTS,
		.sizes = &sizes,
		.seed = figure_seed(f),
	};
	double powers_of_2 = 0;

	figure_columns(f, "allocator\twhen\tobjects\theld_mib\tused_percent\t"
		       "structures_percent\tnodes_percent\tcaller_percent\t"
		       "borrowed_percent\tinband_percent\t"
		       "total_on_linked_percent\ttotal_on_twoword_percent\t"
		       "unusable_2m_percent");
	for (size_t i = 0; byte_kinds[i].name; i++) {
		struct byte_standing on[ARRAY_SIZE(buddies)][NR_BYTE_MOMENTS];

		for (size_t b = 0; b < ARRAY_SIZE(buddies); b++) {
			int err = byte_stage_run(&load, &byte_kinds[i],
						 buddies[b], on[b], msg);

			if (err)
				return err;
		}
		row(f, byte_kinds[i].name, FILLED, on);
		row(f, byte_kinds[i].name, HALF_FREED, on);
		if (i == POWERS_OF_2)
			powers_of_2 = on[0][FILLED].used;
	}
	figure_claim(f, "slabs of powers of 2, filled: used [%]", CLAIM_EQUAL, 75,
		     powers_of_2, 0.05);
	return 0;
}

const struct figure figure_bytes = {
	.id = "bytes",
	.title = "bytes from runs of units and from slabs, on the same buddy",
	.run = run,
};
