/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * figure_percpu.c - B1, B2, B3: what a sorted array costs that bitmaps do not
 *
 * In 2017 the percpu allocator's area maps gave way to bitmaps, for the sake of
 * these measurements: 2^20 objects of one size in chunks of 256 KiB, freed in
 * three orders; the same beside a half that stays full; and objects whose
 * alignment is larger than their size. What was published are milliseconds on
 * some machine. Counted here is what makes them: bytes moved within the arrays,
 * entries visited, cache lines of bitmaps and hints.
 *
 * The law of the arrays, for a chunk of n objects: every free moves the entries
 * behind it, 4 bytes each,
 *	in order     4 (n - 1) + 4 (n - 2) + ...         = 2 n^2
 *	alternating  evens move nothing, odds two fewer  = n^2
 *	in reverse   only the entry of the end           = 4 n
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/bench/figures.h"

#define UNIT_BYTES 4UL
#define CHUNK_UNITS 65536UL		/* 256 KiB */
#define NR_OBJECTS (1UL << 20)
#define MEMORY (UINT64_C(2) << 30)	/* bounds the metadata only */

enum free_order { IN_ORDER, ALTERNATING, IN_REVERSE, NR_FREE_ORDERS };

/* Place in the order of addresses of the i-th that is freed, of nr. */
static unsigned long freed_as(enum free_order order, unsigned long i,
			      unsigned long nr)
{
	switch (order) {
	case ALTERNATING:
		return i < nr / 2 ? 2 * i : 2 * (i - nr / 2) + 1;
	case IN_REVERSE:
		return nr - 1 - i;
	default:
		return i;
	}
}

struct work {
	double alloc_moved;		/* bytes, all told */
	double free_moved;
	double alloc_lines;		/* read and written, a call */
	double free_lines;
};

/* Cache lines of metadata that a call reads, and that it writes. */
static double lines_of(const struct cost *cost)
{
	return (double)(cost->lines_read + cost->lines_written);
}

/* Allocate all objects, then free them. */
static int fill_and_free(const char *spec, unsigned long nr_units,
			 enum free_order order, struct work *work,
			 struct msg *msg)
{
	unsigned long *at = malloc(NR_OBJECTS * sizeof(*at));
	struct figure_range fr;
	double moved, lines;
	int err;

	if (!at)
		return msg_set(msg, ENOMEM, "no room for %lu objects", NR_OBJECTS);
	err = figure_range_create(&fr, spec, MEMORY, msg);
	if (err)
		goto free_objects;
	for (unsigned long i = 0; i < NR_OBJECTS; i++) {
		at[i] = figure_alloc(&fr, nr_units, 1, CHUNK_UNITS);
		if (at[i] == RANGE_NONE) {
			err = msg_set(msg, ENOMEM, "%s: object %lu found no room",
				      spec, i);
			goto destroy_range;
		}
	}
	moved = (double)fr.cost->bytes_moved;
	lines = lines_of(fr.cost);
	for (unsigned long i = 0; i < NR_OBJECTS; i++)
		range_free(fr.range, at[freed_as(order, i, NR_OBJECTS)], nr_units);
	*work = (struct work){
		.alloc_moved = moved,
		.free_moved = (double)fr.cost->bytes_moved - moved,
		.alloc_lines = lines / (double)NR_OBJECTS,
		.free_lines = (lines_of(fr.cost) - lines) / (double)NR_OBJECTS,
	};
destroy_range:
	figure_range_destroy(&fr);
free_objects:
	free(at);
	return err;
}

static const struct {
	unsigned long bytes;
	double map_ms, bitmap_ms;	/* 2^20 frees, the worst of three orders */
	double half_map_ms, half_bitmap_ms;	/* 2^20 allocs beside a full half */
} published[] = {
	{ 4, 4770, 70, 4118, 481 },
	{ 16, 1325, 75, 1651, 506 },
	{ 64, 273, 80, 598, 636 },
	{ 256, 131, 100, 771, 892 },
	{ 1024, 122, 200, 3034, 3262 },
};

/* Bytes that 2^20 frees in order move, by the law. */
static double law_bytes(unsigned long bytes)
{
	double n = (double)(CHUNK_UNITS * UNIT_BYTES / bytes);

	return 2 * n * n * ((double)NR_OBJECTS / n);
}

struct extremes {
	double least, most;
};

static void extremes_add(struct extremes *e, double x)
{
	if (e->most == 0 || x < e->least)
		e->least = x;
	if (x > e->most)
		e->most = x;
}

static int b1_row(struct figure_run *f, size_t i, double *in_order_gb,
		  struct extremes *bitmap, struct msg *msg)
{
	unsigned long bytes = published[i].bytes;
	struct work map[NR_FREE_ORDERS], hints[NR_FREE_ORDERS], old;
	char what[80];
	int err = 0;

	for (enum free_order o = 0; !err && o < NR_FREE_ORDERS; o++) {
		err = fill_and_free("percpu_map", bytes / UNIT_BYTES, o, &map[o],
				    msg);
		if (!err)
			err = fill_and_free("percpu_bitmap", bytes / UNIT_BYTES,
					    o, &hints[o], msg);
	}
	if (!err)
		err = fill_and_free("percpu_bitmap:version=4.14",
				    bytes / UNIT_BYTES, IN_ORDER, &old, msg);
	if (err)
		return err;
	figure_row(f, "%lu\t%.3f\t%.3f\t%.3f\t%.3f\t%.1f\t%.1f\t%.1f\t%.1f\t%.0f\t%.0f",
		   bytes, law_bytes(bytes) / 1e9, map[IN_ORDER].free_moved / 1e9,
		   map[ALTERNATING].free_moved / 1e9,
		   map[IN_REVERSE].free_moved / 1e9, hints[IN_ORDER].free_lines,
		   hints[ALTERNATING].free_lines, hints[IN_REVERSE].free_lines,
		   old.free_lines, published[i].map_ms, published[i].bitmap_ms);
	snprintf(what, sizeof(what), "%lu B, in order: bytes moved, 2 n^2 a chunk [GB]",
		 bytes);
	figure_claim(f, what, CLAIM_EQUAL, law_bytes(bytes) / 1e9,
		     map[IN_ORDER].free_moved / 1e9, 0.02);
	*in_order_gb = map[IN_ORDER].free_moved / 1e9;
	for (enum free_order o = 0; o < NR_FREE_ORDERS; o++)
		extremes_add(bitmap, hints[o].free_lines);
	return 0;
}

static int b1_run(struct figure_run *f, struct msg *msg)
{
	struct extremes bitmap = { 0, 0 };
	double gb[ARRAY_SIZE(published)] = { 0 };
	int err = 0;

	figure_columns(f, "object_bytes\tlaw_gb\tmap_in_order_gb\t"
		       "map_alternating_gb\tmap_in_reverse_gb\t"
		       "bitmap_in_order_lines\tbitmap_alternating_lines\t"
		       "bitmap_in_reverse_lines\tbitmap_4_14_lines\t"
		       "map_published_ms\tbitmap_published_ms");
	for (size_t i = 0; !err && i < ARRAY_SIZE(published); i++)
		err = b1_row(f, i, &gb[i], &bitmap, msg);
	if (err)
		return err;
	figure_claim(f, "map, 4 B over 16 B: as the milliseconds did [times]",
		     CLAIM_EQUAL, published[0].map_ms / published[1].map_ms,
		     gb[0] / gb[1], 0.15);
	figure_claim(f, "map, 4 B over 64 B [times]", CLAIM_EQUAL,
		     published[0].map_ms / published[2].map_ms, gb[0] / gb[2],
		     0.15);
	figure_claim(f, "bitmap, lines: dearest over cheapest size and order [times]",
		     CLAIM_AT_MOST, published[4].bitmap_ms / published[0].bitmap_ms,
		     bitmap.most / bitmap.least, 0);
	return 0;
}

const struct figure figure_b1 = {
	.id = "b1",
	.title = "2^20 objects of one size, freed in three orders: area maps and bitmaps",
	.run = b1_run,
};

/* -- B2: beside a half that stays full --------------------------------------- */

#define B2_CHUNKS 2UL			/* of 32; what an alloc costs is the same */

/*
 * Chunks full of objects lose their lower halves, from the top down, and get
 * them back: what does one object cost?
 */
static int fill_lower_halves(const char *spec, unsigned long nr_units,
			     struct work *work, struct msg *msg)
{
	unsigned long n = CHUNK_UNITS / nr_units;
	struct figure_range fr;
	double lines = 0;
	int err = figure_range_create(&fr, spec, MEMORY, msg);

	if (err)
		return err;
	for (unsigned long i = 0; i < B2_CHUNKS * n; i++)
		if (figure_alloc(&fr, nr_units, 1, CHUNK_UNITS) == RANGE_NONE)
			err = msg_set(msg, ENOMEM, "%s: no room", spec);
	for (unsigned long c = 0; !err && c < B2_CHUNKS; c++)
		for (unsigned long i = n / 2; i-- > 0;)
			range_free(fr.range, c * CHUNK_UNITS + i * nr_units,
				   nr_units);
	*work = (struct work){ .alloc_moved = -(double)fr.cost->bytes_moved };
	lines = lines_of(fr.cost);
	for (unsigned long i = 0; !err && i < B2_CHUNKS * n / 2; i++)
		if (range_alloc(fr.range, nr_units, 1, NULL) == RANGE_NONE)
			err = msg_set(msg, ENOMEM, "%s: no room", spec);
	work->alloc_moved += (double)fr.cost->bytes_moved;
	work->alloc_lines = (lines_of(fr.cost) - lines) /
			    (double)(B2_CHUNKS * n / 2);
	figure_range_destroy(&fr);
	return err;
}

static int b2_run(struct figure_run *f, struct msg *msg)
{
	figure_columns(f, "object_bytes\thalf_chunk_objects\tmap_moved_entries\t"
		       "map_2_20_gb\tbitmap_lines\tmap_published_ms\t"
		       "bitmap_published_ms");
	for (size_t i = 0; i < ARRAY_SIZE(published); i++) {
		unsigned long bytes = published[i].bytes;
		unsigned long half = CHUNK_UNITS * UNIT_BYTES / bytes / 2;
		struct work map, bitmap;
		double entries;
		char what[80];
		int err = fill_lower_halves("percpu_map", bytes / UNIT_BYTES,
					    &map, msg);

		if (!err)
			err = fill_lower_halves("percpu_bitmap",
						bytes / UNIT_BYTES, &bitmap, msg);
		if (err)
			return err;
		entries = map.alloc_moved / UNIT_BYTES / (double)(B2_CHUNKS * half);
		figure_row(f, "%lu\t%lu\t%.1f\t%.3f\t%.1f\t%.0f\t%.0f", bytes,
			   half, entries, entries * UNIT_BYTES * NR_OBJECTS / 1e9,
			   bitmap.alloc_lines, published[i].half_map_ms,
			   published[i].half_bitmap_ms);
		snprintf(what, sizeof(what), "%lu B: entries moved by an alloc, n / 2",
			 bytes);
		figure_claim(f, what, CLAIM_EQUAL, (double)half, entries, 0.02);
	}
	return 0;
}

const struct figure figure_b2 = {
	.id = "b2",
	.title = "the same objects beside a half that stays full: what an alloc costs",
	.run = b2_run,
};

/* -- B3: an alignment larger than the size ------------------------------------ */

#define B3_OBJECTS (1UL << 15)		/* of 2^20, and chunks of 32 KiB for 256 */
#define B3_CHUNK_UNITS 8192UL

/*
 * Objects of 4 bytes at multiples of 8 leave holes of 4 bytes that the next
 * one would fit, were they aligned. The hint says that they fit. So with N
 * objects, n to a chunk, 2 n entries of each full chunk are visited for each
 * object that is not in it, and those before it in its own:
 *	N^2 (1 - n/N)  in full chunks, which is what was predicted
 *	N n            on the way in its own
 */
static int misaligned(const char *spec, unsigned long nr_objects,
		      unsigned long chunk_units, struct cost *cost,
		      struct msg *msg)
{
	struct figure_range fr;
	int err = figure_range_create(&fr, spec, MEMORY, msg);

	if (err)
		return err;
	for (unsigned long i = 0; !err && i < nr_objects; i++)
		if (figure_alloc(&fr, 1, 2, chunk_units) == RANGE_NONE)
			err = msg_set(msg, ENOMEM, "%s: no room", spec);
	*cost = *fr.cost;
	figure_range_destroy(&fr);
	return err;
}

static int b3_run(struct figure_run *f, struct msg *msg)
{
	static const struct {
		const char *spec;
		unsigned long nr_objects, chunk_units;
	} runs[] = {
		{ "percpu_map:pages=8", B3_OBJECTS, B3_CHUNK_UNITS },
		{ "percpu_bitmap:pages=8:version=4.14", B3_OBJECTS, B3_CHUNK_UNITS },
		{ "percpu_bitmap:pages=8:version=5.2", B3_OBJECTS, B3_CHUNK_UNITS },
		{ "percpu_bitmap:pages=8", B3_OBJECTS, B3_CHUNK_UNITS },
		{ "percpu_bitmap", NR_OBJECTS, CHUNK_UNITS },
	};
	const double scale = (double)NR_OBJECTS / B3_OBJECTS;
	const unsigned long nr_chunks = B3_OBJECTS / (B3_CHUNK_UNITS / 2);
	double entries = 0, words = 0;
	struct cost own;
	int err = misaligned(runs[0].spec, B3_CHUNK_UNITS / 2, B3_CHUNK_UNITS,
			     &own, msg);

	if (err)
		return err;
	figure_columns(f, "allocator\tobjects\tentries\tlines\twords\t"
		       "bits_scanned\tchunks_tried");
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		struct cost cost;

		err = misaligned(runs[i].spec, runs[i].nr_objects,
				 runs[i].chunk_units, &cost, msg);
		if (err)
			return err;
		words = (double)(cost.words_read + cost.words_written);
		if (!i)
			entries = (double)cost.list_nodes;
		figure_row(f, "%s\t%lu\t%" PRIu64 "\t%.0f\t%.0f\t%" PRIu64 "\t%" PRIu64,
			   runs[i].spec, runs[i].nr_objects, cost.list_nodes,
			   lines_of(&cost), words, cost.bits_scanned,
			   cost.chunks_tried);
	}
	figure_claim(f, "map, 2^15 objects: entries visited in full chunks",
		     CLAIM_EQUAL, 0.94e9,
		     entries - (double)(nr_chunks * own.list_nodes), 0.01);
	figure_claim(f, "map: for 2^20 objects, as it grows with their square",
		     CLAIM_EQUAL, 1.1e12, entries * scale * scale, 0.02);
	/* 52 minutes against 14 seconds. */
	figure_claim(f, "2^20 objects: map's entries over bitmap's words [times]",
		     CLAIM_AT_LEAST, 52 * 60 / 14.0,
		     entries * scale * scale / words, 0);
	figure_note(f, "the prediction for 2^15 leaves out the chunk that an object ends up in");
	figure_note(f, "2^20 objects in maps are 2^15 squared up, not run: 10^12 visits");
	return 0;
}

const struct figure figure_b3 = {
	.id = "b3",
	.title = "2^15 objects of 4 bytes at multiples of 8: the alignment trap",
	.run = b3_run,
};
