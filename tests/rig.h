/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rig.h - one allocator on a small machine, watched by the model
 *
 *    variant  "twoword:inline=4"  --.
 *                                    rig: layout, machine, allocator, model,
 *    shape    "two zones"         --'     and the blocks that are held
 *
 * Every operation goes to the allocator and to the model, and a full check
 * follows each `check_every`-th one. What differs ends the test with the
 * variant, the shape, the seed and the number of the operation.
 */
#ifndef PAGETAX_TESTS_RIG_H
#define PAGETAX_TESTS_RIG_H

#include "base/rng.h"
#include "tests/model.h"

/* A backend with its options. */
struct rig_variant {
	const char *spec;
	/* Too naive to give every node back: freeing all heals nothing. */
	bool keeps_nodes;
	/* Its nodes are reached by address: highmem must have some. */
	bool needs_addresses;
	/* It keeps its links in free pages, without mapping them. */
	bool lowmem_only;
};

/* A memory. Zones of 0 pages end the list. */
struct rig_shape {
	const char *name;
	struct {
		unsigned long start_pfn;
		unsigned long spanned;
	} zones[MAX_NR_ZONES];
	struct hole holes[4];		/* an empty one ends them */
	unsigned long highmem_pfn;	/* PFN_NONE: no highmem */
	enum window_mode window;
	unsigned int nr_cpus;
	unsigned int check_every;
};

struct rig_block {
	unsigned long pfn;
	unsigned int order;
};

struct rig {
	const struct rig_variant *variant;
	const struct rig_shape *shape;
	struct layout layout;
	struct machine *machine;
	struct allocator *a;
	struct model model;
	struct rig_block *held;		/* no order; room for every page */
	size_t nr_held;
	uint64_t nr_ops;
	uint64_t seed;			/* for messages, when it is not 0 */
};

/* Every backend that has a policy, plain and with the options that matter. */
size_t rig_nr_variants(void);
const struct rig_variant *rig_variant(size_t i);

/* The machines that every variant has to cope with. */
size_t rig_nr_shapes(void);
const struct rig_shape *rig_shape(size_t i);

/* Whether the variant can serve the machine at all. */
bool rig_fits(const struct rig_variant *variant, const struct rig_shape *shape);

/* Fill *layout with the shape; layout_free() ends it. */
void rig_layout(struct layout *layout, const struct rig_shape *shape);

/*
 * An allocator with every page reserved; `checked` puts the wrapper around
 * it. The rig stays where it is until rig_destroy().
 */
void rig_create(struct rig *rig, const struct rig_variant *variant,
		const struct rig_shape *shape, bool checked);
void rig_destroy(struct rig *rig);

/* Release every page that exists, in the largest blocks, in random order. */
void rig_release_all(struct rig *rig, struct rng *rng);

/* False when there was nothing to be had. */
bool rig_alloc(struct rig *rig, const struct alloc_req *req);

/* The same for a movable block from any zone, by CPU 0. */
bool rig_alloc_order(struct rig *rig, unsigned int order);

/* Operations on held[i]; the last block takes its place in the array. */
void rig_free(struct rig *rig, size_t i, unsigned int cpu);
void rig_split(struct rig *rig, size_t i, unsigned int new_order);

/*
 * Take a block of this order where it lies, if the backend can; whether it
 * did. It must succeed just where the model knows a free block of that order.
 */
bool rig_isolate(struct rig *rig, unsigned long pfn, unsigned int order);

/* Free everything, in random order. */
void rig_free_all(struct rig *rig, struct rng *rng);

/* The full check, now. */
void rig_check(struct rig *rig);

/* Free blocks by order, all zones together. */
struct population {
	unsigned long nr_free[NR_PAGE_ORDERS];
};
struct population rig_population(const struct rig *rig);

/* Pages in each state, all zones together. */
struct page_counts rig_counts(const struct rig *rig);

/* End the test with a message, the rig's variant and shape before it. */
void rig_fail(const struct rig *rig, const char *fmt, ...) __printf(2, 3)
	__attribute__((noreturn));

#endif
