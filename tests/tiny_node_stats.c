/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tiny_node_stats.c - what twoword says of its nodes, counted again from the pages
 *
 *	pages before   . N . F F . N .      N: carries a list's entries
 *	a free of 2    . N N F F . . .      F: free, of order 0
 *	                   |       |
 *	                   made    released
 *
 * taken, absorbed, peeled, reused, relocated and released are counted where it
 * happens, and printed to users. Whatever they say has to explain how the set
 * of nodes changed in an operation:
 *
 *	taken + absorbed + peeled + reused == nodes + released		always
 *	came <= made + relocated,  left <= released + relocated		always
 *	came == made,      left == 0		if nothing was released or moved
 *	came == 0,         left == released	if nothing was made or moved
 *	came == 1,         left == 1		if one was moved and no more
 *	lowmem grew by the nodes that came below the border
 *	max_consumed, max_consumed_any: the most that `nodes` grew in a free
 *
 * And a node that came in a free tells by its own past which of them it was.
 * Pages of a few entries make every case common; a case that never came is a
 * failure, too.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/rig.h"
#include "tests/suite.h"

#define PAGES 96
#define OPS 20000

#define BARE ":mobility=off:pcp=off:lookahead=0"

static const struct rig_variant variants[] = {
	{ .spec = "twoword:inline=0" BARE, .keeps_nodes = true },
	{ .spec = "twoword:inline=0:hysteresis=0" BARE, .keeps_nodes = true },
	{ .spec = "twoword:inline=0:removal=punch" BARE, .keeps_nodes = true },
	{ .spec = "twoword:inline=1:pcp=off:lookahead=0", .keeps_nodes = true },
	{ .spec = "twoword:inline=0:entry=8" BARE, .keeps_nodes = true },
};

static const struct rig_shape shape = {
	.name = "96 pages, half of them highmem",
	.zones = { { 0, PAGES } },
	.highmem_pfn = PAGES / 2,
	.nr_cpus = 1,
	.check_every = 64,
};

/* What was recounted exactly, so that no case stays untried. */
enum cause { TAKEN, ABSORBED, PEELED, RELOCATED, RELEASED, NR_CAUSES };

static const char *const cause_names[NR_CAUSES] = {
	"taken", "absorbed", "peeled", "relocated", "released",
};
static uint64_t recounted[NR_CAUSES];

/* All that is looked at before and after an operation. */
struct view {
	struct alloc_stats stats;
	unsigned long stash;		/* metadata, too, and no node */
	uint64_t lowmem;
	bool node[PAGES];
	bool single[PAGES];		/* a free block of order 0 */
};

static void look(const struct rig *rig, struct view *v)
{
	v->stats = rig->a->stats;
	v->stash = rig_counts(rig).stash;
	v->lowmem = rig->machine->meta.lowmem;
	for (unsigned long pfn = 0; pfn < PAGES; pfn++) {
		struct page_info info;

		allocator_query(rig->a, pfn, &info);
		v->node[pfn] = info.state == PAGE_STATE_METADATA;
		v->single[pfn] = info.state == PAGE_STATE_FREE && info.order == 0;
	}
}

/* How the statistics and the set of nodes changed. */
struct change {
	uint64_t taken, absorbed, peeled, reused, relocated, released, made;
	uint64_t came, left;
	int64_t low;			/* came less left, below the border */
	int64_t lowmem;			/* the same as it was charged, in bytes */
	unsigned long last;		/* of those that came */
	bool set_aside;			/* a stash, which looks like a node */
};

static struct change change_between(const struct view *before, const struct view *after)
{
#define GREW(name) .name = after->stats.name - before->stats.name
	struct change c = {
		GREW(taken), GREW(absorbed), GREW(peeled), GREW(reused),
		GREW(relocated), GREW(released),
		.set_aside = before->stash || after->stash,
		.lowmem = (int64_t)(after->lowmem - before->lowmem),
	};
#undef GREW

	c.made = c.taken + c.absorbed + c.peeled + c.reused;
	for (unsigned long pfn = 0; pfn < PAGES; pfn++) {
		c.left += before->node[pfn] && !after->node[pfn];
		if (pfn < shape.highmem_pfn)
			c.low += after->node[pfn] - before->node[pfn];
		if (before->node[pfn] || !after->node[pfn])
			continue;
		c.came++;
		c.last = pfn;
	}
	return c;
}

static const char *wrong_sums(const struct view *after)
{
	const struct alloc_stats *s = &after->stats;

	if (s->taken + s->absorbed + s->peeled + s->reused != s->nodes + s->released)
		return "the nodes made are not those there are and those released";
	if (s->nodes_peak < s->nodes)
		return "the peak is lower than the number of nodes";
	return NULL;
}

/* The set of nodes, where the statistics leave one way to explain it. */
static const char *wrong_set(const struct change *c)
{
	if (c->came > c->made + c->relocated || c->left > c->released + c->relocated)
		return "more nodes came or left than were counted";
	if (!c->released && !c->relocated && (c->came != c->made || c->left))
		return "nodes came that were not counted, or were counted and did not come";
	if (!c->made && !c->relocated && (c->came || c->left != c->released))
		return "nodes left that were not counted, or were counted and did not leave";
	if (!c->made && !c->released && c->relocated == 1 && (c->came != 1 || c->left != 1))
		return "one node was counted as moved, and another number was";
	if (c->lowmem != c->low * (int64_t)PAGE_SIZE)
		return "lowmem was not charged for the nodes below the border";
	if (c->reused && !c->released && !c->relocated && !c->peeled)
		return "a page was counted as reused, and nothing gave one back";
	return NULL;
}

/* Whether the page ends an aligned block that holds the one freed, and more pages. */
static bool ends_block_of(unsigned long page, const struct rig_block *freed)
{
	unsigned int order = freed->order ? freed->order : 1;

	for (; order <= MAX_PAGE_ORDER; order++)
		if (page == (freed->pfn | ((1UL << order) - 1)))
			return true;
	return false;
}

/* The one node that came in a free of this block, and what it was before. */
static const char *wrong_past(const struct change *c, const struct view *before,
			      const struct rig_block *freed)
{
	if (c->taken && !before->single[c->last])
		return "a node was counted as taken, and was no free page";
	if (c->absorbed && freed->order == 0 && c->last != freed->pfn)
		return "a node was counted as absorbed, and is not the page freed";
	if (c->peeled && !ends_block_of(c->last, freed))
		return "a node was counted as peeled, and is not the end of the block";
	return NULL;
}

/* The most nodes that one free took: of a page, and of any block. */
static const char *wrong_most(const struct view *before, const struct view *after,
			      const struct rig_block *freed)
{
	const struct alloc_stats *was = &before->stats, *is = &after->stats;
	uint64_t grew = freed && is->nodes > was->nodes ? is->nodes - was->nodes : 0;

	if (is->max_consumed_any != max_t(uint64_t, was->max_consumed_any, grew))
		return "the most that a free took is not what it took";
	if (is->max_consumed != max_t(uint64_t, was->max_consumed,
				      freed && freed->order == 0 ? grew : 0))
		return "the most that the free of a page took is not what it took";
	return NULL;
}

static void note(const struct change *c)
{
	recounted[TAKEN] += c->made && c->made == c->taken && !c->released && !c->relocated;
	recounted[ABSORBED] += c->made && c->made == c->absorbed && !c->released && !c->relocated;
	recounted[PEELED] += c->made && c->made == c->peeled && !c->released && !c->relocated;
	recounted[RELOCATED] += !c->made && !c->released && c->relocated == 1;
	recounted[RELEASED] += !c->made && !c->relocated && c->released;
}

static void check_change(const struct rig *rig, const struct view *before,
			 const struct rig_block *freed)
{
	static struct view after;
	const char *wrong;
	struct change c;

	look(rig, &after);
	c = change_between(before, &after);
	wrong = wrong_sums(&after);
	if (!wrong && !c.set_aside)
		wrong = wrong_set(&c);
	if (!wrong && !c.set_aside && freed && c.made == 1 && !c.released && !c.relocated)
		wrong = wrong_past(&c, before, freed);
	if (!wrong)
		wrong = wrong_most(before, &after, freed);
	if (wrong)
		rig_fail(rig, "%s: %" PRIu64 " taken, %" PRIu64 " absorbed, %" PRIu64
			 " peeled, %" PRIu64 " reused, %" PRIu64 " relocated, %" PRIu64
			 " released; %" PRIu64 " came, %" PRIu64 " left", wrong, c.taken,
			 c.absorbed, c.peeled, c.reused, c.relocated, c.released, c.came, c.left);
	if (!c.set_aside)
		note(&c);
}

static unsigned int draw_order(struct rng *rng)
{
	unsigned int order = 0;

	while (order < MAX_PAGE_ORDER && rng_below(rng, 3) == 0)
		order++;
	return order;
}

static void one_operation(struct rig *rig, unsigned int alloc_percent, struct rng *rng)
{
	static struct view before;
	struct rig_block freed;
	size_t i;

	look(rig, &before);
	if (!rig->nr_held || rng_below(rng, 100) < alloc_percent) {
		rig_alloc_order(rig, draw_order(rng));
		check_change(rig, &before, NULL);
		return;
	}
	i = (size_t)rng_below(rng, rig->nr_held);
	freed = rig->held[i];
	rig_free(rig, i, 0);
	check_change(rig, &before, &freed);
}

START_TEST(statistics_of_nodes_explain_how_the_nodes_changed)
{
	struct rng rng;
	struct rig rig;

	memset(recounted, 0, sizeof(recounted));
	rng_seed(&rng, 11);
	rig_create(&rig, &variants[_i], &shape, false);
	rig.seed = 11;
	rig_release_all(&rig, &rng);
	for (unsigned int op = 0; op < OPS; op++)
		one_operation(&rig, 30 + op / 500 % 3 * 20, &rng);
	for (int cause = 0; cause < NR_CAUSES; cause++)
		if (!recounted[cause])
			rig_fail(&rig, "no node was %s alone", cause_names[cause]);
	rig_destroy(&rig);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("node_stats");
	TCase *tc = tcase_create("node_stats");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, statistics_of_nodes_explain_how_the_nodes_changed, 0,
			    (int)ARRAY_SIZE(variants));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
