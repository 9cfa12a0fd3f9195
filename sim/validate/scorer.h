/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scorer.h - predicted free blocks against recorded ones, sample by sample
 *
 *	states       |--- s0 ---|-- s1 --|------ s2 ------|-- s3
 *	recorded            [before ... after]
 *	                     s0, s1 and s2 were possible: the best one counts
 *
 * /proc/buddyinfo is read some time between two stamps, so a prediction is
 * scored by the best state it had between them. With n_o recorded and m_o
 * predicted free blocks of order o, F and G free pages, and H9 the share of
 * free pages in blocks of order 9 and above:
 *
 *	tv    sum of |m_o - n_o| 2^o / 2F    share of free memory at a wrong order
 *	df    |G - F| / F
 *	dh9   |H9 of m - H9 of n|            in percentage points
 *	du4, du9   |unusable index of m - of n|, in thousandths, for orders 4, 9
 *
 * Some samples are flagged and left out of the figures; see enum sample_flag.
 */
#ifndef PAGETAX_SIM_VALIDATE_SCORER_H
#define PAGETAX_SIM_VALIDATE_SCORER_H

#include "sim/source/bundle.h"

/* x(name, when a sample is left out) */
#define SAMPLE_FLAGS(x)                                                              \
	x(early,     "read before the snapshot had seen the whole zone")              \
	x(reporting, "blocks of order 9 and up were out for free page reporting")     \
	x(migrating, "compaction had isolated pages since the sample before")         \
	x(lossy,     "after the first event that the recorder lost")                  \
	x(late,      "after the last event of a trace that was read in part")

enum sample_flag {
	SAMPLE_COUNTS,
#define SAMPLE_FLAG(name, when) SAMPLE_##name,
	SAMPLE_FLAGS(SAMPLE_FLAG)
#undef SAMPLE_FLAG
	NR_SAMPLE_FLAGS,
};

extern const char *const sample_flag_names[NR_SAMPLE_FLAGS];

/* One read of /proc/buddyinfo: all its zones. */
struct bracket {
	uint64_t before_ns;
	uint64_t after_ns;
	const struct buddyinfo_sample *zone[MAX_NR_ZONES];	/* NULL: not in it */
	uint8_t flag[MAX_NR_ZONES];	/* enum sample_flag */
};

struct brackets {
	struct bracket *list;
	size_t nr;
	unsigned int nr_zones;
	struct buddyinfo_sample *sums;	/* of brackets_sum(); else NULL */
};

/* Group a bundle's samples, and flag what its counters tell. 0 or -ENOMEM. */
int brackets_make(struct brackets *br, const struct bundle *b);

/*
 * All zones as one; a sample that is flagged for one of them is flagged. The
 * brackets it is made of must be flagged by then. 0 or -ENOMEM.
 */
int brackets_sum(struct brackets *sum, const struct brackets *br);
void brackets_free(struct brackets *br);

struct score {
	double tv, df, dh9, du4, du9;
	unsigned long predicted[NR_PAGE_ORDERS];
	bool seen;			/* there was a state to compare */
	bool exact;			/* every order agrees */
};

struct scorer {
	const struct brackets *br;
	struct score *scores;		/* [bracket][zone] */
	size_t at;			/* the first bracket that is not over */
};

typedef unsigned long free_counts[MAX_NR_ZONES][NR_PAGE_ORDERS];

/* 0 or -ENOMEM. */
int scorer_init(struct scorer *s, const struct brackets *br);
void scorer_destroy(struct scorer *s);

/* Whether the state that lasts until `until_ns` falls into a bracket. */
static inline bool scorer_wants(const struct scorer *s, uint64_t until_ns)
{
	return s->at < s->br->nr && until_ns >= s->br->list[s->at].before_ns;
}

/* The state since the last call lasted until `until_ns`; UINT64_MAX: the end. */
void scorer_see(struct scorer *s, uint64_t until_ns, free_counts nr_free);

static inline const struct score *scorer_get(const struct scorer *s, size_t i,
					     unsigned int zone)
{
	return &s->scores[i * s->br->nr_zones + zone];
}

/*
 * By an exact replay: flag the samples in which the recorded machine lacks
 * whole blocks of order 9 and up for a moment, at most as many as one pass of
 * page reporting takes.
 */
void brackets_flag_reporting(struct brackets *br, const struct scorer *exact);

/* Fill in the prediction that nothing changes after the first sample that counts. */
void scorer_persist(struct scorer *s);

/* Mean tv over the samples of a zone that count. */
double scorer_mean_tv(const struct scorer *s, unsigned int zone);

/* What is wrong with a prediction of one zone, over the samples that count. */
struct figures {
	size_t samples;
	size_t exact;
	size_t flagged[NR_SAMPLE_FLAGS];
	double tv_p50, tv_p95, tv_max;
	double df_p50, df_p95;
	double dh9_p50, dh9_p95;	/* percentage points */
	double du4_p95, du9_p95;	/* thousandths */
};

/* 0 or -ENOMEM. */
int scorer_figures(const struct scorer *s, unsigned int zone, struct figures *f);

/* The score of one prediction for one sample. */
void score_sample(struct score *score, const unsigned long predicted[NR_PAGE_ORDERS],
		  const struct buddyinfo_sample *recorded);

#endif
